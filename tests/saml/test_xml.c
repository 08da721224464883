/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "keypilot/codec/xml.h"

/*
 * XML from strangers is read within limits and without surprises.
 */
#define A "xmlns:a=\"urn:a\" xmlns:b=\"urn:b\""

static xmlDoc *
parse(const char *text)
{
        xmlDoc *doc = NULL;
        struct kp_error err = { 0 };

        cr_assert_eq(kp_xml_parse_strict("test", text, strlen(text), &doc, &err), 0,
                "%s", err.frames[0].text);
        return doc;
}

static struct kp_xml_refusal
refused(const void *text, size_t text_len)
{
        struct kp_xml_refusal refusal;
        struct kp_error err = { 0 };
        xmlDoc *doc = NULL;

        cr_assert_eq(kp_xml_parse(text, text_len, &doc, &refusal, &err), 0);
        cr_assert_null(doc, "accepted: %.60s", (const char *)text);
        cr_assert_neq(refusal.reason[0], '\0', "a reason is told");
        for (const char *c = refusal.reason; *c != '\0'; c++)
                cr_assert(*c >= 0x20 && *c < 0x7f, "one printable line: %s",
                        refusal.reason);
        return refusal;
}

Test(xml, finds_elements_by_namespace_not_by_prefix)
{
        xmlDoc *doc =
                parse("<a:r " A
                      "><b:x/><x/><c:x xmlns:c=\"urn:a\">1</c:x>t<a:x>2</a:x></a:r>");
        xmlNode *root = xmlDocGetRootElement(doc), *x;

        cr_expect(kp_xml_is(root, "urn:a", "r"));
        cr_expect(!kp_xml_is(root, "urn:b", "r"));
        cr_expect(!kp_xml_is(NULL, "urn:a", "r"));
        cr_expect_eq(kp_xml_count(root, "urn:a", "x"), 2);
        cr_expect_eq(kp_xml_count(root, "urn:b", "x"), 1);
        cr_expect_eq(kp_xml_count(root, "", "x"), 0);
        cr_expect_eq(kp_xml_count(NULL, "urn:a", "x"), 0);
        x = kp_xml_child(root, "urn:a", "x");
        cr_expect_str_eq((const char *)x->children->content, "1");
        x = kp_xml_next(x, "urn:a", "x");
        cr_expect_str_eq((const char *)x->children->content, "2");
        cr_expect_null(kp_xml_next(x, "urn:a", "x"));
        kp_xml_free(&doc);
        cr_expect_null(doc);
        kp_xml_free(&doc);
}

Test(xml, walks_every_element_once_and_stays_below_the_top)
{
        xmlDoc *doc = parse("<r><a><b/><c><d/></c></a><!-- x --><e/></r>");
        xmlNode *root = xmlDocGetRootElement(doc), *a = kp_xml_first(root);
        char seen[16] = "", below[16] = "";

        for (xmlNode *n = NULL; (n = kp_xml_walk(root, n)) != NULL;)
                strcat(seen, (const char *)n->name);
        cr_expect_str_eq(seen, "rabcde");
        for (xmlNode *n = NULL; (n = kp_xml_walk(a, n)) != NULL;)
                strcat(below, (const char *)n->name);
        cr_expect_str_eq(below, "abcd");
        kp_xml_free(&doc);
}

Test(xml, reads_the_whole_text)
{
        xmlDoc *doc = parse(
                "<r> \n one<!-- two --><![CDATA[<3>]]>&amp;<b>4</b>&#x20AC; </r>");
        xmlNode *root = xmlDocGetRootElement(doc);
        struct kp_buf text = { 0 };
        char fits[32], small[4] = "x";

        kp_xml_text(root, &text);
        cr_expect_str_eq(kp_buf_str(&text), " \n one<3>&4\xe2\x82\xac ");
        cr_expect(kp_xml_text_into(root, fits, sizeof(fits)));
        cr_expect_str_eq(fits, "one<3>&4\xe2\x82\xac");
        cr_expect(!kp_xml_text_into(root, small, sizeof(small)));
        cr_expect_str_eq(small, "", "nothing is cut");
        cr_expect(kp_xml_text_into(NULL, fits, sizeof(fits)));
        cr_expect_str_eq(fits, "");
        kp_buf_done(&text);
        kp_xml_free(&doc);
}

Test(xml, reads_attributes_without_namespace)
{
        xmlDoc *doc = parse("<r " A " a:x=\"no\" x=\"a&amp;&#10;b\" y=\"\"/>");
        xmlNode *root = xmlDocGetRootElement(doc);

        cr_expect_str_eq(kp_xml_attr(root, "x"), "a&\nb");
        cr_expect_str_eq(kp_xml_attr(root, "y"), "");
        cr_expect_null(kp_xml_attr(root, "z"));
        cr_expect_null(kp_xml_attr(NULL, "x"));
        kp_xml_free(&doc);
}

Test(xml, writes_what_it_will_read_again)
{
        static const char text[] = "a&b<c>d\"e'f\tg\nh\ri\xe2\x82\xac";
        struct kp_buf out = { 0 }, again = { 0 };
        struct kp_error err = { 0 };
        xmlDoc *doc;

        kp_buf_puts(&out, "<r x=\"");
        kp_xml_put(&out, text);
        kp_buf_puts(&out, "\">");
        kp_xml_put(&out, text);
        kp_buf_puts(&out, "</r>");
        doc = parse(kp_buf_str(&out));
        cr_expect_str_eq(kp_xml_attr(xmlDocGetRootElement(doc), "x"), text);
        kp_xml_text(xmlDocGetRootElement(doc), &again);
        cr_expect_str_eq(kp_buf_str(&again), text);
        kp_buf_clear(&again);
        cr_assert_eq(kp_xml_write(xmlDocGetRootElement(doc), &again, &err), 0);
        cr_expect_eq(strncmp(kp_buf_str(&again), "<r x=\"a&amp;b&lt;c", 17), 0);
        kp_xml_free(&doc);
        kp_buf_done(&out);
        kp_buf_done(&again);
}

Test(xml, refuses_what_is_not_one_well_formed_document)
{
        static const char *const texts[] = { "", " ", "x", "<a>", "<a></b>", "<a/><b/>",
                "<a b=1/>", "<a b='1' b='2'/>", "<a:b/>", "<a>&b;</a>", "<a>&#0;</a>",
                "<a>\x01</a>", "<a>\xff</a>", "<a b='&c;'/>", "{}", "\xef\xbb\xbf" };

        for (size_t i = 0; i < KP_NELEMS(texts); i++)
                cr_expect_eq(refused(texts[i], strlen(texts[i])).flaw, KP_XML_MALFORMED,
                        "%s", texts[i]);
        cr_expect_eq(refused("<a/>\0", 5).flaw, KP_XML_MALFORMED);
        cr_expect_eq(refused("<a>\0</a>", 8).flaw, KP_XML_MALFORMED);
}

Test(xml, accepts_a_byte_order_mark_and_other_encodings)
{
        xmlDoc *doc = parse("\xef\xbb\xbf<?xml version=\"1.0\"?><a/>");

        kp_xml_free(&doc);
        doc = parse("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a>\xe9</a>");
        cr_expect_str_eq(
                (const char *)xmlDocGetRootElement(doc)->children->content, "\xc3\xa9");
        kp_xml_free(&doc);
}

Test(xml, refuses_document_types)
{
        static const char *const texts[] = { "<!DOCTYPE a><a/>",
                "<!DOCTYPE a SYSTEM 'x'><a/>",
                "<?xml version='1.0'?>\n<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>" };

        for (size_t i = 0; i < KP_NELEMS(texts); i++)
                cr_expect_eq(refused(texts[i], strlen(texts[i])).flaw, KP_XML_DOCTYPE,
                        "%s", texts[i]);
}

static char *
nested(int depth)
{
        struct kp_buf text = { 0 };

        for (int i = 0; i < depth; i++)
                kp_buf_puts(&text, "<a>");
        for (int i = 0; i < depth; i++)
                kp_buf_puts(&text, "</a>");
        (void)kp_buf_str(&text);
        return (char *)text.data;
}

Test(xml, keeps_to_its_limits_exactly)
{
        char *deep = nested(KP_XML_DEPTH), *deeper = nested(KP_XML_DEPTH + 1);
        char *big = malloc(KP_XML_MAX + 2);
        xmlDoc *doc = parse(deep);

        kp_xml_free(&doc);
        cr_expect_eq(refused(deeper, strlen(deeper)).flaw, KP_XML_LIMIT);
        memset(big, 'x', KP_XML_MAX + 1);
        memcpy(big, "<a>", 3);
        memcpy(big + KP_XML_MAX - 4, "</a>", 5);
        doc = parse(big);
        kp_xml_free(&doc);
        memset(big + KP_XML_MAX - 4, 'x', 4);
        memcpy(big + KP_XML_MAX - 3, "</a>", 5);
        cr_expect_eq(refused(big, strlen(big)).flaw, KP_XML_LIMIT);
        free(deep);
        free(deeper);
        free(big);
}

Test(xml, an_error_names_the_text_and_the_line)
{
        struct kp_error err = { 0 };
        xmlDoc *doc = NULL;
        char why[300];

        cr_expect_eq(
                kp_xml_parse_strict("idp.xml", "<a>\n<b>\n</a>", 12, &doc, &err), -1);
        cr_expect_eq(err.code, KP_EPARSE);
        kp_error_format(&err, why, sizeof(why));
        cr_expect_not_null(strstr(why, "idp.xml"));
        cr_expect_not_null(strstr(why, "line 3"), "%s", why);
}
