/* SPDX-License-Identifier: BSD-2-Clause */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "html_internal.h"

/* Fields of messages that pages of identity providers post by themselves. */
static const char *const message_fields[] = { "SAMLRequest", "SAMLResponse",
        "wresult" };

static bool
mentions(const char *code, const char *quoted)
{
        size_t len = strlen(quoted);

        for (const char *at = code; len > 0 && (at = strstr(at, quoted)) != NULL; at++)
                if (at > code && strchr("'\".", at[-1]) != NULL &&
                        strchr("'\".", at[len]) != NULL)
                        return true;
        return false;
}

/* Which form the code speaks of: by id, by "forms[N]", else the first. */
static struct kp_html_form *
form_meant(struct kp_html *html, const char *code)
{
        const char *index = strstr(code, "forms[");
        size_t i;

        if (html->n_forms == 0)
                return NULL;
        for (i = 0; i < html->n_forms; i++)
                if (mentions(code, html->forms[i].id))
                        return &html->forms[i];
        i = index != NULL && isdigit((unsigned char)index[6])
                    ? strtoul(index + 6, NULL, 10)
                    : 0;
        return i < html->n_forms ? &html->forms[i] : NULL;
}

static void
submit(struct kp_html *html, const char *code)
{
        struct kp_html_form *form = form_meant(html, code);

        if (form != NULL)
                form->auto_submit = true;
}

static bool
calls_submit(const char *code)
{
        return strstr(code, ".submit(") != NULL ||
               strstr(code, ".requestSubmit(") != NULL ||
               strstr(code, ".submit.call(") != NULL;
}

void
kp_html_run_onload(struct kp_html *html, const char *code)
{
        if (calls_submit(code) || strstr(code, ".click(") != NULL)
                submit(html, code);
}

/* Code that waits for the person does nothing by itself. */
static bool
waits_for_person(const char *code)
{
        static const char *const events[] = { "'click'", "\"click\"", "onclick",
                "onsubmit", "'submit'", "\"submit\"", "onchange", "'change'",
                "\"change\"" };

        for (size_t i = 0; i < KP_NELEMS(events); i++)
                if (strstr(code, events[i]) != NULL)
                        return true;
        return false;
}

static struct kp_html_form *
message_form(struct kp_html *html)
{
        for (size_t i = 0; i < html->n_forms; i++)
                for (size_t j = 0; j < KP_NELEMS(message_fields); j++)
                        if (kp_pairs_get(&html->forms[i].fields, message_fields[j]) !=
                                NULL)
                                return &html->forms[i];
        return NULL;
}

void
kp_html_run_script(struct kp_html *html, const xmlNode *script, const char *code)
{
        struct kp_html_form *form;

        if (calls_submit(code) && !waits_for_person(code)) {
                submit(html, code);
                return;
        }
        /* a script that we do not fetch, beside a message that wants posting */
        if (kp_html_has(script, "src") && (form = message_form(html)) != NULL)
                form->auto_submit = true;
}
