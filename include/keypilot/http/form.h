/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_HTTP_FORM_H
#define KEYPILOT_HTTP_FORM_H

#include "keypilot/core/buf.h"
#include "keypilot/core/error.h"

/*
 * Forms: application/x-www-form-urlencoded and query strings both ways, and the forms, links
 * and scripts of an HTML page (libxml2's HTML parser).
 * Spec: URL Standard §5; HTML §4.10.21
 */
struct kp_pairs {
        struct kp_pair {
                char *name, *value;
        } *items;
        size_t n_items;
};
int kp_pairs_add(struct kp_pairs *pairs, const char *name, const char *value,
        struct kp_error *err) KP_MUST_CHECK;
const char *kp_pairs_get(const struct kp_pairs *pairs, const char *name); /* first, or NULL */
void kp_pairs_done(struct kp_pairs *pairs);

int kp_form_encode(const struct kp_pairs *pairs, struct kp_buf *ret, struct kp_error *err)
        KP_MUST_CHECK;
/* Errors   KP_EPARSE a broken % escape, a NUL */
int kp_form_decode(const char *text, size_t text_len, struct kp_pairs *ret,
        struct kp_error *err) KP_MUST_CHECK;

/* What an agent sees of a page. */
struct kp_html {
        char *title;
        struct kp_html_form {
                char *id, *method, *action; /* "" where absent; method in capitals */
                bool auto_submit; /* the page submits it by itself (body onload, script) */
                struct kp_pairs fields; /* name and value of every input */
        } *forms;
        size_t n_forms;
        struct kp_html_link {
                char *id, *href, *text;
        } *links;
        size_t n_links;
        char *data; /* text of <script type="application/json" id="keypilot">; NULL: none */
};
int kp_html_parse(const void *text, size_t text_len, struct kp_html *ret,
        struct kp_error *err) KP_MUST_CHECK;
void kp_html_done(struct kp_html *html);

/* Text with & < > " ' escaped, for elements and quoted attributes. */
void kp_html_put(struct kp_buf *buf, const char *text);

#endif
