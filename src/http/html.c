/* SPDX-License-Identifier: BSD-2-Clause */
#include <ctype.h>
#include <libxml/HTMLparser.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "keypilot/core/free.h"

#include "html_internal.h"

static void
free_doc(xmlDoc **doc)
{
        xmlFreeDoc(*doc);
        *doc = NULL;
}

static void
form_done(struct kp_html_form *form)
{
        free(form->id);
        free(form->method);
        free(form->action);
        kp_pairs_done(&form->fields);
        kp_pairs_done(&form->buttons);
}

void
kp_html_done(struct kp_html *html)
{
        for (size_t i = 0; i < html->n_forms; i++)
                form_done(&html->forms[i]);
        for (size_t i = 0; i < html->n_links; i++) {
                free(html->links[i].id);
                free(html->links[i].href);
                free(html->links[i].text);
        }
        free(html->forms);
        free(html->links);
        free(html->title);
        free(html->base);
        free(html->refresh);
        free(html->data);
        *html = (struct kp_html){ 0 };
}

/* The next element in the order of the page, within `root`. No recursion: no depth. */
static xmlNode *
next_node(xmlNode *node, const xmlNode *root)
{
        if (node->children != NULL && node->type == XML_ELEMENT_NODE)
                return node->children;
        while (node != root && node->next == NULL)
                node = node->parent;
        return node == root ? NULL : node->next;
}

static bool
is_element(const xmlNode *node, const char *name)
{
        return node->type == XML_ELEMENT_NODE &&
               strcmp((const char *)node->name, name) == 0;
}

bool
kp_html_has(const xmlNode *node, const char *name)
{
        return xmlHasProp((xmlNode *)node, (const xmlChar *)name) != NULL;
}

/* An attribute without a copy where it is one piece of text, as it nearly always is. */
const char *
kp_html_attr(const xmlNode *node, const char *name)
{
        const xmlAttr *attr = xmlHasProp((xmlNode *)node, (const xmlChar *)name);

        if (attr == NULL || attr->children == NULL || attr->children->content == NULL)
                return "";
        return (const char *)attr->children->content;
}

static char *
text_of(xmlNode *node)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf text = { 0 };

        for (xmlNode *at = node; at != NULL; at = next_node(at, node))
                if ((at->type == XML_TEXT_NODE || at->type == XML_CDATA_SECTION_NODE) &&
                        at->content != NULL)
                        kp_buf_puts(&text, (const char *)at->content);
        return text.failed ? NULL : strdup(kp_buf_str(&text));
}

/* Blanks as a reader sees them: one between words, none around. */
static char *
squeeze(char *text)
{
        char *out = text;

        if (text == NULL)
                return NULL;
        for (char *in = text; *in != '\0'; in++) {
                if (!isspace((unsigned char)*in))
                        *out++ = *in;
                else if (out > text && out[-1] != ' ')
                        *out++ = ' ';
        }
        if (out > text && out[-1] == ' ')
                out--;
        *out = '\0';
        return text;
}

static int
set_text(char **at, char *text, struct kp_error *err)
{
        free(*at);
        *at = text;
        return text == NULL ? KP_FAIL(err, KP_ENOMEM, "HTML") : 0;
}

static int
take_link(struct kp_html *html, xmlNode *node, struct kp_error *err)
{
        struct kp_html_link *grown, *link;

        if (!kp_html_has(node, "href"))
                return 0;
        grown = reallocarray(html->links, html->n_links + 1, sizeof(*grown));
        if (grown == NULL)
                return KP_FAIL(err, KP_ENOMEM, "HTML");
        html->links = grown;
        link = &grown[html->n_links++];
        *link = (struct kp_html_link){ strdup(kp_html_attr(node, "id")),
                strdup(kp_html_attr(node, "href")), squeeze(text_of(node)) };
        if (link->id == NULL || link->href == NULL || link->text == NULL)
                return KP_FAIL(err, KP_ENOMEM, "HTML");
        return 0;
}

static int
take_form(struct kp_html *html, xmlNode *node, struct kp_error *err)
{
        struct kp_html_form *grown, *form;

        grown = reallocarray(html->forms, html->n_forms + 1, sizeof(*grown));
        if (grown == NULL)
                return KP_FAIL(err, KP_ENOMEM, "HTML");
        html->forms = grown;
        form = &grown[html->n_forms++];
        /* Spec: HTML §4.10.18.6: what is neither POST nor dialog is GET */
        *form = (struct kp_html_form){ .id = strdup(kp_html_attr(node, "id")),
                .action = strdup(kp_html_attr(node, "action")),
                .method = strdup(strcasecmp(kp_html_attr(node, "method"), "post") == 0
                                         ? "POST"
                                         : "GET") };
        if (form->id == NULL || form->action == NULL || form->method == NULL)
                return KP_FAIL(err, KP_ENOMEM, "HTML");
        node->_private = (void *)(uintptr_t)html->n_forms;
        return 0;
}

/* The form that a control belongs to: by its form attribute, else the one around it. */
static struct kp_html_form *
owner_of(struct kp_html *html, const xmlNode *control)
{
        const char *id = kp_html_attr(control, "form");

        for (size_t i = 0; *id != '\0' && i < html->n_forms; i++)
                if (strcmp(html->forms[i].id, id) == 0)
                        return &html->forms[i];
        for (const xmlNode *at = control->parent; at != NULL; at = at->parent)
                if (at->type == XML_ELEMENT_NODE && at->_private != NULL)
                        return &html->forms[(uintptr_t)at->_private - 1];
        return NULL;
}

static bool
is_disabled(const xmlNode *control)
{
        if (kp_html_has(control, "disabled"))
                return true;
        for (const xmlNode *at = control->parent; at != NULL; at = at->parent)
                if (is_element(at, "fieldset") && kp_html_has(at, "disabled"))
                        return true;
        return false;
}

/* Spec: HTML §4.10.21.4 "constructing the entry list" */
static int
take_input(struct kp_html_form *form, const xmlNode *node, struct kp_error *err)
{
        const char *type = kp_html_attr(node, "type");
        const char *name = kp_html_attr(node, "name");
        const char *value = kp_html_attr(node, "value");

        if (strcasecmp(type, "submit") == 0)
                return kp_pairs_add(&form->buttons, name, value, err);
        if (strcasecmp(type, "button") == 0 || strcasecmp(type, "reset") == 0 ||
                strcasecmp(type, "image") == 0 || strcasecmp(type, "file") == 0)
                return 0;
        if (strcasecmp(type, "checkbox") == 0 || strcasecmp(type, "radio") == 0) {
                if (!kp_html_has(node, "checked"))
                        return 0;
                if (!kp_html_has(node, "value"))
                        value = "on";
        }
        return kp_pairs_add(&form->fields, name, value, err);
}

static int
take_option(struct kp_html_form *form, const char *name, xmlNode *option,
        struct kp_error *err)
{
        KP_CLEANUP(kp_free_str) char *text = squeeze(text_of(option));

        if (text == NULL)
                return KP_FAIL(err, KP_ENOMEM, "HTML");
        return kp_pairs_add(&form->fields, name,
                kp_html_has(option, "value") ? kp_html_attr(option, "value") : text,
                err);
}

/* Of a list that takes one value the last chosen, or else the first option, is sent. */
static int
take_select(struct kp_html_form *form, xmlNode *node, struct kp_error *err)
{
        const char *name = kp_html_attr(node, "name");
        bool multiple = kp_html_has(node, "multiple");
        xmlNode *first = NULL, *chosen = NULL;

        for (xmlNode *at = node; at != NULL; at = next_node(at, node)) {
                if (!is_element(at, "option") || kp_html_has(at, "disabled"))
                        continue;
                if (first == NULL)
                        first = at;
                if (!kp_html_has(at, "selected"))
                        continue;
                chosen = at;
                if (multiple && take_option(form, name, at, err) < 0)
                        return -1;
        }
        if (chosen == NULL)
                chosen = first;
        if (multiple || chosen == NULL)
                return 0;
        return take_option(form, name, chosen, err);
}

static int
take_textarea(struct kp_html_form *form, xmlNode *node, struct kp_error *err)
{
        KP_CLEANUP(kp_free_str) char *text = text_of(node);

        if (text == NULL)
                return KP_FAIL(err, KP_ENOMEM, "HTML");
        /* Spec: HTML §13.1.2.5: a line break right after the start tag is no content */
        return kp_pairs_add(&form->fields, kp_html_attr(node, "name"),
                *text == '\n' ? text + 1 : text, err);
}

static int
take_control(struct kp_html *html, xmlNode *node, struct kp_error *err)
{
        struct kp_html_form *form;
        const char *type = kp_html_attr(node, "type");

        if (*kp_html_attr(node, "name") == '\0' || is_disabled(node) ||
                (form = owner_of(html, node)) == NULL)
                return 0;
        if (is_element(node, "input"))
                return take_input(form, node, err);
        if (is_element(node, "select"))
                return take_select(form, node, err);
        if (is_element(node, "textarea"))
                return take_textarea(form, node, err);
        if (*type != '\0' && strcasecmp(type, "submit") != 0)
                return 0;
        return kp_pairs_add(&form->buttons, kp_html_attr(node, "name"),
                kp_html_attr(node, "value"), err);
}

/* Spec: HTML §4.2.5.3 "refresh state": "0; url='https://...'" */
static int
take_meta(struct kp_html *html, const xmlNode *node, struct kp_error *err)
{
        const char *content = kp_html_attr(node, "content");
        const char *at = strcasestr(content, "url=");
        size_t len;

        if (strcasecmp(kp_html_attr(node, "http-equiv"), "refresh") != 0 || at == NULL)
                return 0;
        at += 4 + strspn(at + 4, " ");
        len = *at == '"' || *at == '\'' ? strcspn(at + 1, *at == '"' ? "\"" : "'")
                                        : strlen(at);
        at += *at == '"' || *at == '\'';
        return set_text(&html->refresh, strndup(at, len), err);
}

static int
take_head(struct kp_html *html, xmlNode *node, struct kp_error *err)
{
        if (is_element(node, "title") && *html->title == '\0')
                return set_text(&html->title, squeeze(text_of(node)), err);
        if (is_element(node, "base") && html->base == NULL && kp_html_has(node, "href"))
                return set_text(&html->base, strdup(kp_html_attr(node, "href")), err);
        if (is_element(node, "meta"))
                return take_meta(html, node, err);
        return 0;
}

static int
take_script(struct kp_html *html, xmlNode *node, struct kp_error *err)
{
        KP_CLEANUP(kp_free_str) char *text = text_of(node);
        const char *type = kp_html_attr(node, "type");

        if (text == NULL)
                return KP_FAIL(err, KP_ENOMEM, "HTML");
        if (strcasecmp(type, "application/json") != 0) {
                kp_html_run_script(html, node, text);
                return 0;
        }
        if (strcmp(kp_html_attr(node, "id"), "keypilot") == 0)
                return set_text(&html->data, KP_STEAL(text), err);
        return 0;
}

static bool
is_control(const xmlNode *node)
{
        return is_element(node, "input") || is_element(node, "select") ||
               is_element(node, "textarea") || is_element(node, "button");
}

static int
take_element(struct kp_html *html, xmlNode *node, struct kp_error *err)
{
        if (is_element(node, "form"))
                return take_form(html, node, err);
        if (is_control(node))
                return take_control(html, node, err);
        if (is_element(node, "a"))
                return take_link(html, node, err);
        return take_head(html, node, err);
}

/* Scripts last: they may speak of forms that stand below them. */
static int
walk(struct kp_html *html, xmlNode *root, struct kp_error *err)
{
        xmlNode *at;

        for (at = root; at != NULL; at = next_node(at, root))
                if (at->type == XML_ELEMENT_NODE && take_element(html, at, err) < 0)
                        return -1;
        for (at = root; at != NULL; at = next_node(at, root)) {
                if (is_element(at, "body"))
                        kp_html_run_onload(html, kp_html_attr(at, "onload"));
                else if (is_element(at, "script") && take_script(html, at, err) < 0)
                        return -1;
        }
        return 0;
}

static void
ignore_error(void *context, const char *format, ...)
{
        (void)context; /* broken HTML is normal: libxml2 must not write to stderr */
        (void)format;
}

static xmlDoc *
read_doc(const void *text, size_t text_len)
{
        htmlParserCtxt *ctxt = htmlCreateMemoryParserCtxt(text, (int)text_len);
        xmlDoc *doc = NULL;

        if (ctxt == NULL)
                return NULL;
        ctxt->sax->error = ignore_error;
        ctxt->sax->warning = ignore_error;
        (void)htmlCtxtUseOptions(ctxt, HTML_PARSE_RECOVER | HTML_PARSE_NOERROR |
                                               HTML_PARSE_NOWARNING | HTML_PARSE_NONET |
                                               HTML_PARSE_COMPACT);
        (void)htmlParseDocument(ctxt); /* its verdict is about well-formedness */
        doc = ctxt->myDoc;
        ctxt->myDoc = NULL;
        htmlFreeParserCtxt(ctxt);
        return doc;
}

int
kp_html_parse(
        const void *text, size_t text_len, struct kp_html *ret, struct kp_error *err)
{
        KP_CLEANUP(kp_html_done) struct kp_html html = { 0 };
        KP_CLEANUP(free_doc) xmlDoc *doc = NULL;

        if (text_len > KP_HTML_MAX)
                return KP_FAIL(
                        err, KP_EPARSE, "HTML page longer than %u bytes", KP_HTML_MAX);
        if ((html.title = strdup("")) == NULL)
                return KP_FAIL(err, KP_ENOMEM, "HTML");
        if (text_len > 0)
                doc = read_doc(text, text_len);
        if (doc != NULL && xmlDocGetRootElement(doc) != NULL &&
                walk(&html, xmlDocGetRootElement(doc), err) < 0)
                return -1;
        *ret = html;
        html = (struct kp_html){ 0 };
        return 0;
}

void
kp_html_put(struct kp_buf *buf, const char *text)
{
        while (*text != '\0') {
                size_t n = strcspn(text, "&<>\"'");

                kp_buf_put(buf, text, n);
                text += n;
                if (*text == '&')
                        kp_buf_puts(buf, "&amp;");
                else if (*text == '<')
                        kp_buf_puts(buf, "&lt;");
                else if (*text == '>')
                        kp_buf_puts(buf, "&gt;");
                else if (*text == '"')
                        kp_buf_puts(buf, "&quot;");
                else if (*text == '\'')
                        kp_buf_puts(buf, "&#39;");
                text += *text != '\0';
        }
}
