/* SPDX-License-Identifier: BSD-2-Clause */
#include <zlib.h>

#include "messages.h"

/*
 * What an attacker sends: signatures wrapped around something else, entities, bombs,
 * and things far too large or too deep.
 */
TestSuite(hostile, .init = parties_start, .fini = parties_stop);

/* ---- XML signature wrapping: the eight permutations of Somorovsky et al. ---- */

static xmlDoc *
parse(const char *text)
{
        xmlDoc *doc = NULL;
        struct kp_error err = { 0 };

        cr_assert_eq(kp_xml_parse_strict("test", text, strlen(text), &doc, &err), 0,
                "%s", err.frames[0].text);
        return doc;
}

static xmlNode *
assertion_of(xmlDoc *doc)
{
        return kp_xml_child(xmlDocGetRootElement(doc), NS_ASSERTION, "Assertion");
}

static void
remove_signature(xmlNode *node)
{
        xmlNode *signature = kp_xml_child(node, NS_DSIG, "Signature");

        xmlUnlinkNode(signature);
        xmlFreeNode(signature);
}

/* Another person under another ID. */
static void
make_evil(xmlNode *assertion, const char *id)
{
        xmlNode *subject = kp_xml_child(assertion, NS_ASSERTION, "Subject");

        xmlNodeSetContent(kp_xml_child(subject, NS_ASSERTION, "NameID"),
                (const xmlChar *)"evil@school.example");
        if (id != NULL)
                xmlSetProp(assertion, (const xmlChar *)"ID", (const xmlChar *)id);
}

static xmlNode *
object_in(xmlNode *signature)
{
        return xmlNewChild(signature, signature->ns, (const xmlChar *)"Object", NULL);
}

static void
xsw1(xmlDoc *doc)
{
        xmlNode *root = xmlDocGetRootElement(doc);
        xmlNode *copy = xmlCopyNode(root, 1);

        remove_signature(copy);
        xmlSetProp(root, (const xmlChar *)"ID", (const xmlChar *)"_evil");
        make_evil(assertion_of(doc), "_evil_assertion");
        xmlAddChild(kp_xml_child(root, NS_DSIG, "Signature"), copy);
}

static void
xsw2(xmlDoc *doc)
{
        xmlNode *root = xmlDocGetRootElement(doc);
        xmlNode *copy = xmlCopyNode(root, 1);

        remove_signature(copy);
        xmlSetProp(root, (const xmlChar *)"ID", (const xmlChar *)"_evil");
        make_evil(assertion_of(doc), "_evil_assertion");
        xmlAddPrevSibling(kp_xml_child(root, NS_DSIG, "Signature"), copy);
}

static void
xsw3(xmlDoc *doc)
{
        xmlNode *signed_one = assertion_of(doc);
        xmlNode *evil = xmlCopyNode(signed_one, 1);

        remove_signature(evil);
        make_evil(evil, "_evil");
        xmlAddPrevSibling(signed_one, evil);
}

static void
xsw4(xmlDoc *doc)
{
        xmlNode *signed_one = assertion_of(doc);
        xmlNode *evil = xmlCopyNode(signed_one, 1);

        remove_signature(evil);
        make_evil(evil, "_evil");
        xmlAddPrevSibling(signed_one, evil);
        xmlUnlinkNode(signed_one);
        xmlAddChild(evil, signed_one);
}

static void
xsw5(xmlDoc *doc)
{
        xmlNode *evil = assertion_of(doc);
        xmlNode *original = xmlCopyNode(evil, 1);

        remove_signature(original);
        make_evil(evil, "_evil");
        xmlAddNextSibling(evil, original);
}

static void
xsw6(xmlDoc *doc)
{
        xmlNode *evil = assertion_of(doc);
        xmlNode *original = xmlCopyNode(evil, 1);

        remove_signature(original);
        make_evil(evil, "_evil");
        xmlAddChild(kp_xml_child(evil, NS_DSIG, "Signature"), original);
}

static void
xsw7(xmlDoc *doc)
{
        xmlNode *signed_one = assertion_of(doc);
        xmlNode *root = xmlDocGetRootElement(doc);
        xmlNode *evil = xmlCopyNode(signed_one, 1);
        xmlNode *extensions =
                xmlNewChild(root, root->ns, (const xmlChar *)"Extensions", NULL);

        remove_signature(evil);
        make_evil(evil, "_evil");
        xmlAddChild(extensions, evil);
        xmlUnlinkNode(extensions);
        xmlAddPrevSibling(signed_one, extensions);
}

static void
xsw8(xmlDoc *doc)
{
        xmlNode *evil = assertion_of(doc);
        xmlNode *original = xmlCopyNode(evil, 1);

        remove_signature(original);
        make_evil(evil, "_evil");
        xmlAddChild(object_in(kp_xml_child(evil, NS_DSIG, "Signature")), original);
}

/* The evil one keeps the ID of the signed one, which stands in Extensions. */
static void
xsw_same_id(xmlDoc *doc)
{
        xmlNode *root = xmlDocGetRootElement(doc);
        xmlNode *signed_one = assertion_of(doc);
        xmlNode *evil = xmlCopyNode(signed_one, 1);
        xmlNode *extensions =
                xmlNewChild(root, root->ns, (const xmlChar *)"Extensions", NULL);

        make_evil(evil, NULL);
        xmlAddNextSibling(signed_one, evil);
        xmlUnlinkNode(signed_one);
        xmlAddChild(extensions, signed_one);
}

/* A signed assertion inside an attribute of an unsigned one. */
static void
in_attribute(xmlDoc *doc)
{
        xmlNode *signed_one = assertion_of(doc);
        xmlNode *evil = xmlCopyNode(signed_one, 1);
        xmlNode *statement, *attribute;

        remove_signature(evil);
        make_evil(evil, "_evil");
        xmlAddPrevSibling(signed_one, evil);
        xmlUnlinkNode(signed_one);
        statement = kp_xml_child(evil, NS_ASSERTION, "AttributeStatement");
        attribute = kp_xml_child(statement, NS_ASSERTION, "Attribute");
        xmlAddChild(
                kp_xml_child(attribute, NS_ASSERTION, "AttributeValue"), signed_one);
}

/* The signature of the assertion, moved to the response. */
static void
moved_out(xmlDoc *doc)
{
        xmlNode *assertion = assertion_of(doc);
        xmlNode *signature = kp_xml_child(assertion, NS_DSIG, "Signature");

        xmlUnlinkNode(signature);
        xmlAddNextSibling(kp_xml_first(xmlDocGetRootElement(doc)), signature);
}

Test(hostile, wrapped_signatures_are_refused_for_their_reason)
{
        static const struct {
                const char *name;
                bool of_response; /* the response's signature, not the assertion's */
                void (*wrap)(xmlDoc *doc);
                const char *rule;
        } cases[] = {
                /* clang-format off */
                { "XSW1", true,  xsw1, "signature-position" },
                { "XSW2", true,  xsw2, "signature-order" },
                { "XSW3", false, xsw3, "assertion-several" },
                { "XSW4", false, xsw4, "signature-missing" },
                { "XSW5", false, xsw5, "assertion-several" },
                { "XSW6", false, xsw6, "signature-position" },
                { "XSW7", false, xsw7, "assertion-position" },
                { "XSW8", false, xsw8, "signature-position" },
                { "same ID twice", false, xsw_same_id, "id-twice" },
                { "in an attribute", false, in_attribute, "signature-missing" },
                { "moved to the response", false, moved_out, "signature-reference" },
                /* clang-format on */
        };
        struct kp_response_policy policy = strict_policy(), lenient = strict_policy();

        lenient.lenient = true;
        for (size_t i = 0; i < KP_NELEMS(cases); i++) {
                struct kp_login_response login = good_login();
                struct kp_buf xml = { 0 };
                struct kp_error err = { 0 };
                struct kp_federation_verdict verdict;
                char *good;
                xmlDoc *doc;

                login.sign_response = cases[i].of_response;
                login.sign_assertion = !cases[i].of_response;
                good = login_xml(login);
                cr_expect(judge(good, &policy).accepted, "%s: before the attack",
                        cases[i].name);
                doc = parse(good);
                cases[i].wrap(doc);
                cr_assert_eq(kp_xml_write(xmlDocGetRootElement(doc), &xml, &err), 0);
                verdict = judge(kp_buf_str(&xml), &policy);
                cr_expect(!verdict.accepted, "%s: accepted", cases[i].name);
                cr_expect_str_eq(verdict.rule != NULL ? verdict.rule : "none",
                        cases[i].rule, "%s: %s", cases[i].name, verdict.reason);
                cr_expect(!judge(kp_buf_str(&xml), &lenient).accepted,
                        "%s: a lenient reader", cases[i].name);
                kp_xml_free(&doc);
                kp_buf_done(&xml);
                free(good);
        }
}

/* The same attacks where one rule is missing: the next line of defence holds. */
Test(hostile, wrapped_signatures_do_not_get_in_through_one_missing_rule)
{
        void (*const wraps[])(xmlDoc *) = { xsw1, xsw2, xsw3, xsw4, xsw5, xsw6, xsw7,
                xsw8, xsw_same_id, in_attribute };
        const char *const rules[] = { "signature-position", "signature-order",
                "assertion-several", "assertion-position", "id-twice",
                "signature-transforms" };

        for (size_t i = 0; i < KP_NELEMS(wraps); i++)
                for (size_t j = 0; j < KP_NELEMS(rules); j++) {
                        struct kp_response_policy policy = strict_policy();
                        struct kp_login_response login = good_login(), read;
                        struct kp_buf xml = { 0 };
                        struct kp_error err = { 0 };
                        struct kp_federation_verdict verdict;
                        char *good;
                        xmlDoc *doc;

                        policy.off = &rules[j];
                        policy.n_off = 1;
                        login.sign_response = i < 2;
                        login.sign_assertion = i >= 2;
                        good = login_xml(login);
                        doc = parse(good);
                        wraps[i](doc);
                        cr_assert_eq(
                                kp_xml_write(xmlDocGetRootElement(doc), &xml, &err), 0);
                        verdict = receive_post(kp_buf_str(&xml), NULL, &policy, &read);
                        cr_expect(!verdict.accepted ||
                                          strcmp(read.subject,
                                                  "teacher@school.example") == 0,
                                "attack %zu without %s: '%s' got in", i + 1, rules[j],
                                read.subject);
                        kp_xml_free(&doc);
                        kp_buf_done(&xml);
                        free(good);
                }
}

/* ---- text ---- */

Test(hostile, a_comment_does_not_cut_a_name)
{
        struct kp_response_policy policy = strict_policy();
        struct kp_login_response login = good_login(), read;
        struct kp_federation_verdict verdict;
        char *good, *text;

        snprintf(login.subject, sizeof(login.subject),
                "teacher@school.example.evil.example");
        good = login_xml(login);
        text = replaced(good, ">teacher@school.example.evil.example<",
                ">teacher@school.example<!-- x --><![CDATA[.evil]]><?pi x?>.example<");
        verdict = receive_post(text, NULL, &policy, &read);
        /* a processing instruction and CDATA are signed, a comment is not */
        cr_expect(!verdict.accepted);
        cr_expect_str_eq(read.subject, "teacher@school.example.evil.example");
        free(text);

        text = replaced(good, ">teacher@school.example.evil.example<",
                ">teacher@school.example<!-- x -->.evil.example<");
        verdict = receive_post(text, NULL, &policy, &read);
        cr_expect(verdict.accepted, "the signature is as good as before: %s",
                verdict.reason);
        cr_expect_str_eq(read.subject, "teacher@school.example.evil.example");
        free(text);
        free(good);
}

Test(hostile, entities_are_refused_before_they_grow)
{
        static const char *const texts[] = {
                /* billion laughs */
                "<!DOCTYPE x [<!ENTITY a \"lol\"><!ENTITY b "
                "\"&a;&a;&a;&a;&a;&a;&a;&a;\">"
                "<!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;\"><!ENTITY d "
                "\"&c;&c;&c;&c;&c;&c;&c;\">]>"
                "<x>&d;</x>",
                /* external entity, external subset, parameter entity */
                "<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><x>&e;</x>",
                "<!DOCTYPE x SYSTEM \"http://127.0.0.1:1/x.dtd\"><x/>",
                "<!DOCTYPE x [<!ENTITY % p SYSTEM \"file:///etc/passwd\">%p;]><x/>",
                "<!DOCTYPE x><x/>",
        };
        struct kp_response_policy policy = strict_policy();

        for (size_t i = 0; i < KP_NELEMS(texts); i++) {
                struct kp_federation_verdict verdict = judge(texts[i], &policy);

                cr_expect_str_eq(verdict.rule, "xml-doctype", "%s", texts[i]);
        }
}

Test(hostile, deep_wide_and_long_messages_are_refused)
{
        struct kp_response_policy policy = strict_policy();
        struct kp_buf deep = { 0 }, wide = { 0 }, many = { 0 }, big = { 0 };
        struct kp_login_response read;

        for (int i = 0; i < 5000; i++)
                kp_buf_puts(&deep, "<a>");
        cr_expect_str_eq(judge(kp_buf_str(&deep), &policy).rule, "xml-limits");
        kp_buf_puts(&wide, "<a");
        for (int i = 0; i < 100; i++)
                kp_buf_printf(&wide, " a%d=\"\"", i);
        kp_buf_puts(&wide, "/>");
        cr_expect_str_eq(judge(kp_buf_str(&wide), &policy).rule, "xml-limits");
        kp_buf_puts(&many, "<a>");
        for (int i = 0; i < 21000; i++)
                kp_buf_puts(&many, "<b/>");
        kp_buf_puts(&many, "</a>");
        cr_expect_str_eq(judge(kp_buf_str(&many), &policy).rule, "xml-limits");
        kp_buf_puts(&big, "<a>");
        for (int i = 0; i < (1 << 20) / 16; i++)
                kp_buf_puts(&big, "aaaaaaaaaaaaaaaa");
        kp_buf_puts(&big, "</a>");
        cr_expect_str_eq(judge(kp_buf_str(&big), &policy).rule, "message-size");
        cr_expect_str_eq(receive_post(kp_buf_str(&big), NULL, &policy, &read).rule,
                "message-size");
        kp_buf_done(&deep);
        kp_buf_done(&wide);
        kp_buf_done(&many);
        kp_buf_done(&big);
}

Test(hostile, every_cut_and_every_flipped_byte_is_survived)
{
        struct kp_response_policy policy = strict_policy();
        char *good = login_xml(good_login());
        size_t len = strlen(good);
        struct kp_federation_verdict verdict;
        struct kp_error err = { 0 };

        for (size_t n = 0; n < len; n += 7) {
                cr_assert_eq(kp_saml_verify(KP_SAML_RESPONSE, good, n, &policy,
                                     &verdict, NULL, &err),
                        0);
                cr_expect(!verdict.accepted, "cut at %zu", n);
        }
        for (size_t n = 0; n < len; n += 3) {
                json_t *facts = NULL;

                good[n] ^= 1;
                cr_assert_eq(kp_saml_verify(KP_SAML_RESPONSE, good, len, &policy,
                                     &verdict, &facts, &err),
                        0);
                json_decref(facts);
                good[n] ^= 1;
        }
        free(good);
}

/* ---- bindings ---- */

static struct kp_federation_verdict
receive_query(const char *query, struct kp_login_request *ret)
{
        struct kp_message_in in = { .method = "GET", .query = query };
        struct kp_federation_verdict verdict;
        struct kp_error err = { 0 };

        cr_assert_eq(fed->read_request(
                             fed, &in, &provider, &service, NOW, ret, &verdict, &err),
                0, "%s", err.frames[0].text);
        return verdict;
}

static void
put_query_escaped(struct kp_buf *to, const char *text)
{
        for (; *text != '\0'; text++)
                if (strchr("+/=", *text) != NULL)
                        kp_buf_printf(to, "%%%02X", *text);
                else
                        kp_buf_put_u8(to, (uint8_t)*text);
}

Test(hostile, a_zip_bomb_in_a_redirect_is_refused)
{
        enum { BOMB = 64 << 20 };
        uint8_t *zeros = calloc(1, BOMB), *packed = malloc(1 << 20);
        struct kp_buf text = { 0 }, query = { 0 };
        struct kp_login_request read;
        z_stream z = { 0 };

        cr_assert_eq(deflateInit2(&z, 9, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY), Z_OK);
        z.next_in = zeros;
        z.avail_in = BOMB;
        z.next_out = packed;
        z.avail_out = 1 << 20;
        cr_assert_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
        kp_b64_put(&text, packed, z.total_out);
        kp_buf_puts(&query, "SAMLRequest=");
        put_query_escaped(&query, kp_buf_str(&text));
        cr_expect_str_eq(receive_query(kp_buf_str(&query), &read).rule, "message-size");
        deflateEnd(&z);
        kp_buf_done(&text);
        kp_buf_done(&query);
        free(zeros);
        free(packed);
}

Test(hostile, broken_queries_are_refused)
{
        static const struct {
                const char *query, *rule;
        } cases[] = {
                { "", "message-encoding" },
                { "SAMLRequest=", "message-encoding" },
                { "SAMLRequest", "message-encoding" },
                { "RelayState=x", "message-encoding" },
                { "SAMLRequest=%", "message-encoding" },
                { "SAMLRequest=%zz", "message-encoding" },
                { "SAMLRequest=%00", "message-encoding" },
                { "SAMLRequest=AAAA*AAA", "message-encoding" },
                { "SAMLRequest=AAAAA", "message-encoding" },
                { "SAMLRequest=AAAA", "message-encoding" },
                { "SAMLRequest=fZAA&SAMLRequest=fZAA", "message-encoding" },
                { "SAMLRequest=fZAA&RelayState=1&RelayState=2", "message-encoding" },
                { "SAMLRequest=fZAA&SAMLEncoding=urn%3Ax", "message-encoding" },
                { "&&&=&==&SAMLRequest=fZAA&", "message-encoding" },
        };
        struct kp_login_request read;

        for (size_t i = 0; i < KP_NELEMS(cases); i++)
                cr_expect_str_eq(receive_query(cases[i].query, &read).rule,
                        cases[i].rule, "%s", cases[i].query);
}

Test(hostile, relay_state_has_at_most_80_bytes)
{
        struct kp_response_policy policy = strict_policy();
        struct kp_login_response read;
        char *good = login_xml(good_login());
        char *state = malloc(100 * 1024 + 1);

        memset(state, 'x', 100 * 1024);
        state[80] = '\0';
        cr_expect(receive_post(good, state, &policy, &read).accepted);
        cr_expect_str_eq(read.relay_state, state, "80 bytes come through");
        state[80] = 'x';
        state[81] = '\0';
        cr_expect_str_eq(receive_post(good, state, &policy, &read).rule, "relay-state");
        state[81] = 'x';
        state[100 * 1024] = '\0';
        cr_expect_str_eq(receive_post(good, state, &policy, &read).rule, "relay-state");
        free(state);
        free(good);
}

Test(hostile, values_that_do_not_fit_are_refused_not_cut)
{
        struct kp_response_policy policy = strict_policy();
        struct kp_login_response read;
        char *good = login_xml(good_login());
        char long_name[600], *spoiled, *text;

        snprintf(long_name, sizeof(long_name), ">%0*d@school.example<", 500, 1);
        spoiled = replaced(good, ">teacher@school.example<", long_name);
        text = signed_again(spoiled, provider.key_pem);
        cr_expect_str_eq(receive_post(text, NULL, &policy, &read).rule, "value-length");
        cr_expect_str_eq(read.subject, "");
        free(text);
        free(spoiled);
        free(good);
}

/* A reason is for people and for JSON: valid UTF-8 without control characters. */
Test(hostile, reasons_are_clean_text_whatever_the_message_says)
{
        struct kp_response_policy policy = strict_policy();
        char *good = login_xml(good_login());

        for (int shift = 0; shift < 8; shift++) {
                struct kp_buf evil = { 0 };
                struct kp_federation_verdict verdict;
                json_t *json;
                char *text;

                kp_buf_puts(&evil, "Destination=\"&#10;");
                for (int i = 0; i < shift; i++)
                        kp_buf_puts(&evil, "x");
                for (int i = 0; i < 60; i++)
                        kp_buf_puts(&evil, "\xe2\x82\xac\xf0\x9f\x94\x91");
                kp_buf_puts(&evil, "\" X=\"");
                text = replaced(good, "Destination=\"", kp_buf_str(&evil));
                verdict = judge(text, &policy);
                cr_expect_str_eq(verdict.rule, "destination");
                json = json_string(verdict.reason);
                cr_expect_not_null(json, "shift %d: %s", shift, verdict.reason);
                cr_expect_null(strchr(verdict.reason, '\n'));
                json_decref(json);
                kp_buf_done(&evil);
                free(text);
        }
        free(good);
}

Test(hostile, a_message_of_another_kind_is_refused)
{
        static const char *const texts[] = { "<a/>", "<Response/>",
                "<Response xmlns=\"urn:oasis:names:tc:SAML:1.0:protocol\"/>",
                "<Assertion xmlns=\"urn:oasis:names:tc:SAML:2.0:assertion\"/>",
                "<html><body>login</body></html>" };
        struct kp_response_policy policy = strict_policy();

        for (size_t i = 0; i < KP_NELEMS(texts); i++)
                cr_expect_str_eq(
                        judge(texts[i], &policy).rule, "message-type", "%s", texts[i]);
}
