/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_HTTP_HTML_INTERNAL_H
#define KEYPILOT_HTTP_HTML_INTERNAL_H

#include <libxml/tree.h>

#include "keypilot/http/form.h"

bool kp_html_has(const xmlNode *node, const char *name);
/* Borrowed; "" when absent. */
const char *kp_html_attr(const xmlNode *node, const char *name);

/*
 * What scripts do to forms. We run no scripts: we recognise the few ways in which pages
 * post themselves, and mark the form in question `auto_submit`.
 */
void kp_html_run_onload(struct kp_html *html, const char *code);
void kp_html_run_script(struct kp_html *html, const xmlNode *script, const char *code);

#endif
