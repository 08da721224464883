/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "internal.h"

void
saml_new_id(struct kp_random *random, char ret[72])
{
        KP_CLEANUP(kp_buf_done) struct kp_buf text = { 0 };
        uint8_t bytes[16];

        kp_random_bytes(random, bytes, sizeof(bytes));
        kp_buf_puts(&text, "_");
        kp_buf_put_hex(&text, bytes, sizeof(bytes));
        (void)snprintf(ret, 72, "%s", kp_buf_str(&text));
}

void
saml_put_attr(struct kp_buf *buf, const char *name, const char *value)
{
        if (value == NULL || value[0] == '\0')
                return;
        kp_buf_printf(buf, " %s=\"", name);
        kp_xml_put(buf, value);
        kp_buf_puts(buf, "\"");
}

void
saml_put_time(struct kp_buf *buf, const char *name, int64_t ms)
{
        char text[KP_UTC_LEN];

        if (ms != 0)
                saml_put_attr(buf, name, kp_utc_format(ms, text));
}

void
saml_put_element(struct kp_buf *buf, const char *name, const char *text)
{
        kp_buf_printf(buf, "<%s>", name);
        kp_xml_put(buf, text);
        kp_buf_printf(buf, "</%s>", name);
}

/* Bytes of the UTF-8 character that begins here; 0 where none does. */
static size_t
character_len(const uint8_t *at)
{
        size_t len = at[0] < 0x80   ? 1
                     : at[0] < 0xc2 ? 0
                     : at[0] < 0xe0 ? 2
                     : at[0] < 0xf0 ? 3
                                    : 4;

        if (at[0] > 0xf4 || (at[0] == 0xe0 && at[1] < 0xa0) ||
                (at[0] == 0xed && at[1] > 0x9f) || (at[0] == 0xf0 && at[1] < 0x90) ||
                (at[0] == 0xf4 && at[1] > 0x8f))
                return 0;
        for (size_t i = 1; i < len; i++)
                if ((at[i] & 0xc0) != 0x80)
                        return 0;
        return len;
}

void
saml_clean(char *text)
{
        for (uint8_t *at = (uint8_t *)text; *at != '\0';) {
                size_t len = character_len(at);

                if (len == 0 || at[0] < 0x20 || at[0] == 0x7f) {
                        *at++ = '?';
                        continue;
                }
                at += len;
        }
}

int
saml_refuse(struct kp_federation_verdict *verdict, const char *rule, const char *format,
        ...)
{
        const struct kp_saml_rule *entry = kp_saml_rule_find(rule);
        va_list args;

        verdict->accepted = false;
        verdict->rule = rule;
        verdict->spec = entry != NULL ? entry->spec : NULL;
        va_start(args, format);
        (void)vsnprintf(verdict->reason, sizeof(verdict->reason), format, args);
        va_end(args);
        saml_clean(verdict->reason);
        return 0;
}

/*
 * Core §1.3.3 wants UTC "with no time zone component"; everybody writes a Z, so both
 * are read.
 */
bool
saml_time(const xmlNode *node, const char *name, int64_t *ret)
{
        const char *text = kp_xml_attr(node, name);
        struct kp_error ignored = { 0 };
        char with_zone[48];

        *ret = 0;
        if (text == NULL)
                return true;
        if (strchr(text, 'T') == NULL || strlen(text) + 2 > sizeof(with_zone))
                return false;
        if (kp_utc_parse(text, ret, &ignored) == 0)
                return true;
        (void)snprintf(with_zone, sizeof(with_zone), "%sZ", text);
        return kp_utc_parse(with_zone, ret, &ignored) == 0;
}
