/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/codec/xml.h"

#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <libxml/SAX2.h>
#include <libxml/xmlerror.h>
#include <libxml/xmlsave.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the parse of one document has seen so far; hangs at ctxt->_private. */
struct watch {
        struct kp_xml_refusal *refusal;
        unsigned n_elements;
        int depth;
        int line; /* of an error that stopped the parse */
};

/* libxml2 declares its structured handlers with or without const, by version. */
#if LIBXML_VERSION >= 21200
typedef const xmlError *xml_error;
#else
typedef xmlErrorPtr xml_error;
#endif

static void
stay_silent(void *ctx, const char *format, ...)
{
        (void)ctx;
        (void)format;
}

static void
stay_silent_structured(void *ctx, xml_error error)
{
        (void)ctx;
        (void)error;
}

void
kp_xml_init(void)
{
        static bool done;

        if (done)
                return;
        xmlInitParser();
        xmlSetGenericErrorFunc(NULL, stay_silent);
        xmlSetStructuredErrorFunc(NULL, stay_silent_structured);
        done = true;
}

static void
stop(xmlParserCtxt *ctxt, enum kp_xml_flaw flaw, const char *what)
{
        struct watch *watch = ctxt->_private;

        if (watch->refusal->flaw != KP_XML_FINE)
                return;
        watch->refusal->flaw = flaw;
        (void)snprintf(watch->refusal->reason, sizeof(watch->refusal->reason),
                "line %d: %s", xmlSAX2GetLineNumber(ctxt), what);
        xmlStopParser(ctxt);
}

static void
on_doctype(
        void *ctx, const xmlChar *name, const xmlChar *external, const xmlChar *system)
{
        (void)name;
        (void)external;
        (void)system;
        stop(ctx, KP_XML_DOCTYPE, "a document type declaration is not allowed");
}

static void
on_start(void *ctx, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri,
        int n_namespaces, const xmlChar **namespaces, int n_attributes, int n_defaulted,
        const xmlChar **attributes)
{
        xmlParserCtxt *ctxt = ctx;
        struct watch *watch = ctxt->_private;

        watch->depth++;
        if (watch->depth > KP_XML_DEPTH)
                stop(ctxt, KP_XML_LIMIT, "elements are nested too deeply");
        else if (++watch->n_elements > KP_XML_ELEMENTS)
                stop(ctxt, KP_XML_LIMIT, "there are too many elements");
        else if (n_attributes + n_namespaces > KP_XML_ATTRIBUTES)
                stop(ctxt, KP_XML_LIMIT, "an element has too many attributes");
        if (watch->refusal->flaw != KP_XML_FINE)
                return;
        xmlSAX2StartElementNs(ctx, name, prefix, uri, n_namespaces, namespaces,
                n_attributes, n_defaulted, attributes);
}

static void
on_end(void *ctx, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
        xmlParserCtxt *ctxt = ctx;
        struct watch *watch = ctxt->_private;

        watch->depth--;
        xmlSAX2EndElementNs(ctx, name, prefix, uri);
}

/* The first complaint of the parser, one line of printable text. */
static void
on_error(void *ctx, xml_error error)
{
        xmlParserCtxt *ctxt = ctx;
        struct watch *watch = ctxt->_private;
        struct kp_xml_refusal *refusal = watch->refusal;

        if (error->level < XML_ERR_ERROR || refusal->reason[0] != '\0')
                return;
        (void)snprintf(refusal->reason, sizeof(refusal->reason), "line %d: %s",
                error->line,
                error->message != NULL ? error->message : "not well-formed");
        for (char *c = refusal->reason; *c != '\0'; c++)
                if ((unsigned char)*c < 0x20 || (unsigned char)*c >= 0x7f)
                        *c = ' ';
        for (size_t n = strlen(refusal->reason); n > 0 && refusal->reason[n - 1] == ' ';
                n--)
                refusal->reason[n - 1] = '\0';
}

static void
free_ctxt(xmlParserCtxt **ctxt)
{
        if (*ctxt != NULL)
                xmlFreeParserCtxt(*ctxt);
        *ctxt = NULL;
}

/* A NUL ends the document for libxml2; for us, nothing may follow the root. */
static bool
is_well_formed(const xmlParserCtxt *ctxt)
{
        if (ctxt->input == NULL || ctxt->input->cur < ctxt->input->end)
                return false;
        return ctxt->wellFormed == 1 && ctxt->nsWellFormed == 1 &&
               ctxt->myDoc != NULL && ctxt->myDoc->intSubset == NULL &&
               ctxt->myDoc->extSubset == NULL;
}

/* A parser that reads one document with our handlers in front of libxml2's own. */
static xmlParserCtxt *
open_parser(const void *text, size_t text_len, struct watch *watch)
{
        xmlParserCtxt *ctxt = xmlCreateMemoryParserCtxt(text, (int)text_len);

        if (ctxt == NULL)
                return NULL;
        ctxt->_private = watch;
        /* returns what it did not know */
        (void)xmlCtxtUseOptions(ctxt, XML_PARSE_NONET);
        ctxt->sax->internalSubset = on_doctype;
        ctxt->sax->externalSubset = NULL;
        ctxt->sax->startElementNs = on_start;
        ctxt->sax->endElementNs = on_end;
        ctxt->sax->serror = on_error;
        ctxt->sax->error = NULL;
        ctxt->sax->fatalError = NULL;
        ctxt->sax->warning = NULL;
        ctxt->vctxt.error = NULL;
        ctxt->vctxt.warning = NULL;
        return ctxt;
}

static int
refuse(struct kp_xml_refusal *refusal, enum kp_xml_flaw flaw, const char *reason)
{
        refusal->flaw = flaw;
        (void)snprintf(refusal->reason, sizeof(refusal->reason), "%s", reason);
        return 0;
}

int
kp_xml_parse(const void *text, size_t text_len, xmlDoc **ret,
        struct kp_xml_refusal *refusal, struct kp_error *err)
{
        struct watch watch = { .refusal = refusal };
        KP_CLEANUP(free_ctxt) xmlParserCtxt *ctxt = NULL;
        bool fine;

        kp_xml_init();
        *ret = NULL;
        memset(refusal, 0, sizeof(*refusal));
        if (text_len > KP_XML_MAX)
                return refuse(refusal, KP_XML_LIMIT, "longer than 1 MiB");
        if (text_len == 0)
                return refuse(refusal, KP_XML_MALFORMED, "empty");
        if ((ctxt = open_parser(text, text_len, &watch)) == NULL)
                return KP_FAIL(err, KP_ENOMEM, "XML parser");
        (void)xmlParseDocument(ctxt); /* the flags below say more than its result */
        fine = is_well_formed(ctxt) && refusal->flaw == KP_XML_FINE;
        if (fine)
                *ret = ctxt->myDoc;
        else
                xmlFreeDoc(ctxt->myDoc);
        ctxt->myDoc = NULL;
        if (ctxt->errNo == XML_ERR_NO_MEMORY) {
                kp_xml_free(ret);
                return KP_FAIL(err, KP_ENOMEM, "XML document");
        }
        if (!fine && refusal->flaw == KP_XML_FINE)
                refusal->flaw = KP_XML_MALFORMED;
        if (!fine && refusal->reason[0] == '\0')
                (void)refuse(refusal, refusal->flaw, "not well-formed");
        return 0;
}

int
kp_xml_parse_strict(const char *name, const void *text, size_t text_len, xmlDoc **ret,
        struct kp_error *err)
{
        struct kp_xml_refusal refusal;

        if (kp_xml_parse(text, text_len, ret, &refusal, err) < 0)
                return KP_WHILE(err, "%s", name);
        if (*ret == NULL)
                return KP_FAIL(err, KP_EPARSE, "%s: not readable as XML: %s", name,
                        refusal.reason);
        return 0;
}

void
kp_xml_free(xmlDoc **doc)
{
        if (*doc != NULL)
                xmlFreeDoc(*doc);
        *doc = NULL;
}

bool
kp_xml_is(const xmlNode *node, const char *ns, const char *name)
{
        return node != NULL && node->type == XML_ELEMENT_NODE && node->ns != NULL &&
               strcmp((const char *)node->name, name) == 0 && node->ns->href != NULL &&
               strcmp((const char *)node->ns->href, ns) == 0;
}

static xmlNode *
find_from(xmlNode *node, const char *ns, const char *name)
{
        while (node != NULL && !kp_xml_is(node, ns, name))
                node = node->next;
        return node;
}

xmlNode *
kp_xml_child(const xmlNode *parent, const char *ns, const char *name)
{
        return parent == NULL ? NULL : find_from(parent->children, ns, name);
}

xmlNode *
kp_xml_next(const xmlNode *node, const char *ns, const char *name)
{
        return find_from(node->next, ns, name);
}

size_t
kp_xml_count(const xmlNode *parent, const char *ns, const char *name)
{
        size_t n = 0;

        for (const xmlNode *child = kp_xml_child(parent, ns, name); child != NULL;
                child = kp_xml_next(child, ns, name))
                n++;
        return n;
}

static xmlNode *
element_from(xmlNode *node)
{
        while (node != NULL && node->type != XML_ELEMENT_NODE)
                node = node->next;
        return node;
}

xmlNode *
kp_xml_first(const xmlNode *parent)
{
        return parent == NULL ? NULL : element_from(parent->children);
}

xmlNode *
kp_xml_after(const xmlNode *node)
{
        return element_from(node->next);
}

xmlNode *
kp_xml_walk(xmlNode *top, const xmlNode *after)
{
        xmlNode *next;

        if (after == NULL)
                return top;
        if ((next = kp_xml_first(after)) != NULL)
                return next;
        for (; after != top && after != NULL; after = after->parent)
                if ((next = kp_xml_after(after)) != NULL)
                        return next;
        return NULL;
}

const char *
kp_xml_attr(const xmlNode *node, const char *name)
{
        for (const xmlAttr *attr = node == NULL ? NULL : node->properties; attr != NULL;
                attr = attr->next) {
                if (attr->ns != NULL || strcmp((const char *)attr->name, name) != 0)
                        continue;
                if (attr->children == NULL)
                        return "";
                /* without a document type there are no entities: the text is whole */
                if (attr->children->next != NULL || attr->children->content == NULL)
                        return NULL;
                return (const char *)attr->children->content;
        }
        return NULL;
}

void
kp_xml_text(const xmlNode *node, struct kp_buf *ret)
{
        xmlChar *content;

        if (node == NULL)
                return;
        if (node->children == NULL)
                return;
        if (node->children->next == NULL && node->children->type == XML_TEXT_NODE) {
                kp_buf_puts(ret, (const char *)node->children->content);
                return;
        }
        if ((content = xmlNodeGetContent(node)) == NULL) {
                ret->failed = true;
                return;
        }
        kp_buf_puts(ret, (const char *)content);
        xmlFree(content);
}

static bool
is_space(char c)
{
        return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool
kp_xml_text_into(const xmlNode *node, char *ret, size_t ret_len)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf text = { 0 };
        const char *from;
        size_t n;

        ret[0] = '\0';
        kp_xml_text(node, &text);
        if (text.failed)
                return false;
        for (from = kp_buf_str(&text); is_space(*from); from++)
                ;
        for (n = strlen(from); n > 0 && is_space(from[n - 1]); n--)
                ;
        if (n >= ret_len)
                return false;
        memcpy(ret, from, n);
        ret[n] = '\0';
        return true;
}

bool
kp_xml_copy(const char *text, char *ret, size_t ret_len)
{
        size_t n = text == NULL ? 0 : strlen(text);

        ret[0] = '\0';
        if (n >= ret_len)
                return false;
        if (n > 0)
                memcpy(ret, text, n);
        ret[n] = '\0';
        return true;
}

void
kp_xml_put(struct kp_buf *buf, const char *text)
{
        for (;;) {
                size_t n = strcspn(text, "&<>\"\t\r\n");

                kp_buf_put(buf, text, n);
                text += n;
                if (*text == '\0')
                        return;
                switch (*text++) {
                case '&':
                        kp_buf_puts(buf, "&amp;");
                        break;
                case '<':
                        kp_buf_puts(buf, "&lt;");
                        break;
                case '>':
                        kp_buf_puts(buf, "&gt;");
                        break;
                case '"':
                        kp_buf_puts(buf, "&quot;");
                        break;
                default: /* as a reference: bare, an attribute makes it a space */
                        kp_buf_printf(buf, "&#%d;", text[-1]);
                        break;
                }
        }
}

static int
save_some(void *to, const char *bytes, int bytes_len)
{
        kp_buf_put(to, bytes, (size_t)bytes_len);
        return bytes_len;
}

int
kp_xml_write(xmlNode *node, struct kp_buf *ret, struct kp_error *err)
{
        xmlSaveCtxt *save = xmlSaveToIO(
                save_some, NULL, ret, "UTF-8", XML_SAVE_NO_DECL | XML_SAVE_AS_XML);

        if (save == NULL)
                return KP_FAIL(err, KP_ENOMEM, "XML writer");
        (void)xmlSaveTree(save, node); /* fails only with the buffer, checked next */
        (void)xmlSaveClose(save);
        return kp_buf_check(ret, err);
}
