/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_HTTP_FORM_H
#define KEYPILOT_HTTP_FORM_H

#include "keypilot/core/buf.h"
#include "keypilot/core/error.h"

/*
 * Forms: application/x-www-form-urlencoded and query strings both ways, and the forms,
 * links and scripts of an HTML page (libxml2's HTML parser).
 * Spec: URL Standard §5; HTML §4.10.21
 */
struct kp_pairs {
        struct kp_pair {
                char *name, *value;
        } * items;
        size_t n_items;
};

/* Add one, copied. */
int kp_pairs_add(struct kp_pairs *pairs, const char *name, const char *value,
        struct kp_error *err) KP_MUST_CHECK;

/* The value of the first of that name, borrowed; NULL: none. */
const char *kp_pairs_get(const struct kp_pairs *pairs, const char *name);
void kp_pairs_done(struct kp_pairs *pairs); /* frees, leaves { 0 } */

/* `ret` is appended to: "a=1&b=%C3%A9+2". */
int kp_form_encode(const struct kp_pairs *pairs, struct kp_buf *ret,
        struct kp_error *err) KP_MUST_CHECK;

/*
 * ret      overwritten on success only; the caller ends it with kp_pairs_done()
 * Errors   KP_EPARSE a broken % escape, a NUL; KP_ENOMEM
 */
int kp_form_decode(const char *text, size_t text_len, struct kp_pairs *ret,
        struct kp_error *err) KP_MUST_CHECK;

/* What an agent sees of a page. Texts are never NULL unless it says so. */
struct kp_html {
        char *title;
        char *base;    /* <base href>; NULL: the page's own address */
        char *refresh; /* where <meta http-equiv=refresh> goes; NULL: none */
        struct kp_html_form {
                char *id, *method, *action; /* "" where absent; method in capitals */
                bool auto_submit; /* the page submits it: body onload, script */
                /*
                 * What the browser would send if nobody pressed a button: inputs, text
                 * areas and selected options with a name, in the order of the page;
                 * neither disabled ones nor boxes without a tick.
                 */
                struct kp_pairs fields;
                struct kp_pairs buttons; /* submit buttons with a name */
        } * forms;
        size_t n_forms;
        struct kp_html_link {
                char *id, *href, *text;
        } * links;
        size_t n_links;
        /* text of <script type="application/json" id="keypilot">; NULL: none */
        char *data;
};
#define KP_HTML_MAX (4u << 20)

/*
 * Read a page. Broken HTML is repaired as libxml2 does.
 *
 * text     UTF-8 unless the page's own <meta charset> says otherwise
 * ret      filled on success only; the caller ends it with kp_html_done()
 * Errors   KP_EPARSE longer than KP_HTML_MAX; KP_ENOMEM
 */
int kp_html_parse(const void *text, size_t text_len, struct kp_html *ret,
        struct kp_error *err) KP_MUST_CHECK;
void kp_html_done(struct kp_html *html); /* frees, leaves { 0 } */

/* Text with & < > " ' escaped, for elements and quoted attributes. */
void kp_html_put(struct kp_buf *buf, const char *text);

#endif
