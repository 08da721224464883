/* SPDX-License-Identifier: BSD-2-Clause */
#include "client_data.h"

/* Spec: WebAuthn L3 §5.8.1.1 CCDToString. UTF-8: bytes from 0x80 on stay. */
static void
put_text(struct kp_buf *buf, const char *text)
{
        kp_buf_put_u8(buf, '"');
        for (; *text != '\0'; text++) {
                unsigned char c = (unsigned char)*text;

                if (c == '"' || c == '\\')
                        kp_buf_printf(buf, "\\%c", c);
                else if (c < 0x20)
                        kp_buf_printf(buf, "\\u%04x", c);
                else
                        kp_buf_put_u8(buf, c);
        }
        kp_buf_put_u8(buf, '"');
}

void
kp_client_data_put(struct kp_buf *buf, const struct kp_client_data *data)
{
        kp_buf_puts(buf, "{\"type\":");
        put_text(buf, data->type);
        kp_buf_puts(buf, ",\"challenge\":");
        put_text(buf, data->challenge);
        kp_buf_puts(buf, ",\"origin\":");
        put_text(buf, data->origin);
        kp_buf_puts(buf, ",\"crossOrigin\":");
        kp_buf_puts(buf, data->cross_origin ? "true" : "false");
        if (data->top_origin != NULL) {
                kp_buf_puts(buf, ",\"topOrigin\":");
                put_text(buf, data->top_origin);
        }
        kp_buf_puts(buf, "}");
}
