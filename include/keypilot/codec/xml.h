/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_CODEC_XML_H
#define KEYPILOT_CODEC_XML_H

#include <libxml/tree.h>

#include "keypilot/core/buf.h"
#include "keypilot/core/error.h"

/*
 * XML that came from a stranger, into a tree of libxml2: no document type, no entities,
 * no network, and limits on size, depth, elements and attributes. Reading helpers look
 * at names by namespace and at the whole text of an element. Nothing is ever printed.
 *
 * No canonical form and no signatures: those are xmlsec's, in saml.
 */

#define KP_XML_MAX (1u << 20) /* bytes of a message */
#define KP_XML_DEPTH 64       /* levels of nesting */
#define KP_XML_ELEMENTS 20000 /* elements of a document */
#define KP_XML_ATTRIBUTES 64  /* attributes and namespace declarations of an element */

/* Why a text is no document that we read. */
enum kp_xml_flaw {
        KP_XML_FINE,
        KP_XML_MALFORMED, /* not well-formed */
        KP_XML_DOCTYPE,   /* a document type declaration */
        KP_XML_LIMIT,     /* too long, too deep, too many elements or attributes */
};

struct kp_xml_refusal {
        enum kp_xml_flaw flaw;
        char reason[160]; /* a sentence with the line */
};

/* Once per process, also after fork(); later calls cost nothing. */
void kp_xml_init(void);

/*
 * Parse a document that may be hostile. Whether it can be read is a finding, not an
 * error.
 *
 * ret      the caller frees it with kp_xml_free(); NULL if refused
 * refusal  filled when refused
 * Errors   KP_ENOMEM
 * Spec     XML 1.0 §2.1, §2.8
 */
int kp_xml_parse(const void *text, size_t text_len, xmlDoc **ret,
        struct kp_xml_refusal *refusal, struct kp_error *err) KP_MUST_CHECK;

/*
 * Parse a document that must be good, such as a configuration.
 *
 * name     what to call it in an error
 * Errors   KP_ENOMEM; KP_EPARSE with the reason
 */
int kp_xml_parse_strict(const char *name, const void *text, size_t text_len,
        xmlDoc **ret, struct kp_error *err) KP_MUST_CHECK;

void kp_xml_free(xmlDoc **doc); /* NULL-safe, leaves NULL */

/* Whether a node is the element `name` in the namespace `ns`. NULL-safe. */
bool kp_xml_is(const xmlNode *node, const char *ns, const char *name);

/* The first child element of that name, the next such sibling, and their number. */
xmlNode *kp_xml_child(const xmlNode *parent, const char *ns, const char *name);
xmlNode *kp_xml_next(const xmlNode *node, const char *ns, const char *name);
size_t kp_xml_count(const xmlNode *parent, const char *ns, const char *name);

/* The first child element, and the next sibling element, of any name. */
xmlNode *kp_xml_first(const xmlNode *parent);
xmlNode *kp_xml_after(const xmlNode *node);

/* The next element in document order inside `top` (or `top` itself after NULL). */
xmlNode *kp_xml_walk(xmlNode *top, const xmlNode *after);

/* The attribute without namespace, borrowed from the tree; NULL when absent. */
const char *kp_xml_attr(const xmlNode *node, const char *name);

/*
 * The whole text of an element and its descendants, comments left out, appended to
 * `ret`. Never only the text before the first comment.
 */
void kp_xml_text(const xmlNode *node, struct kp_buf *ret);

/*
 * The same into a fixed place, white space around it dropped. An absent node gives "".
 *
 * returns  false, with "" in `ret`, if it does not fit
 */
bool kp_xml_text_into(const xmlNode *node, char *ret, size_t ret_len);

/* Copy a text; false, with "" in `ret`, if it does not fit. NULL gives "". */
bool kp_xml_copy(const char *text, char *ret, size_t ret_len);

/* Text with & < > " escaped, for elements and quoted attributes. */
void kp_xml_put(struct kp_buf *buf, const char *text);

/*
 * A node and what is below it as UTF-8, without an XML declaration.
 *
 * ret      appended to
 * Errors   KP_ENOMEM
 */
int kp_xml_write(xmlNode *node, struct kp_buf *ret, struct kp_error *err) KP_MUST_CHECK;

#endif
