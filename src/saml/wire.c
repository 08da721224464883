/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "keypilot/codec/b64url.h"

#include "internal.h"

/*
 * The bindings: how a message travels. HTTP-Redirect compresses, encodes and may sign
 * the query string; HTTP-POST encodes.
 * Spec: SAML 2.0 Bindings §3.4, §3.5
 */

/*
 * Setting a compressor up costs a hundred times what resetting one does, so one of each
 * stays for the life of the process.
 */
static z_stream deflater, inflater;
static bool deflater_ready, inflater_ready;

void
saml_wire_stop(void)
{
        if (deflater_ready)
                (void)deflateEnd(&deflater); /* tells only of unfinished data */
        if (inflater_ready)
                (void)inflateEnd(&inflater);
        deflater_ready = inflater_ready = false;
}

static int
compress_into(const struct kp_buf *xml, struct kp_buf *ret, struct kp_error *err)
{
        uint8_t chunk[4096];
        int status;

        if (!deflater_ready) {
                memset(&deflater, 0, sizeof(deflater));
                if (deflateInit2(&deflater, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -15, 8,
                            Z_DEFAULT_STRATEGY) != Z_OK)
                        return KP_FAIL(err, KP_ENOMEM, "DEFLATE");
                deflater_ready = true;
        }
        (void)deflateReset(&deflater);
        deflater.next_in = xml->data;
        deflater.avail_in = (uInt)xml->len;
        do {
                deflater.next_out = chunk;
                deflater.avail_out = sizeof(chunk);
                status = deflate(&deflater, Z_FINISH);
                kp_buf_put(ret, chunk, sizeof(chunk) - deflater.avail_out);
        } while (status == Z_OK);
        return kp_buf_check(ret, err);
}

/* reason is set where the bytes do not inflate to a message of at most 1 MiB */
static int
inflate_into(const struct kp_buf *bytes, struct kp_buf *ret, const char **reason,
        struct kp_error *err)
{
        uint8_t chunk[16384];
        int status;

        *reason = NULL;
        if (!inflater_ready) {
                memset(&inflater, 0, sizeof(inflater));
                if (inflateInit2(&inflater, -15) != Z_OK)
                        return KP_FAIL(err, KP_ENOMEM, "DEFLATE");
                inflater_ready = true;
        }
        (void)inflateReset(&inflater);
        inflater.next_in = bytes->data;
        inflater.avail_in = (uInt)bytes->len;
        do {
                inflater.next_out = chunk;
                inflater.avail_out = sizeof(chunk);
                status = inflate(&inflater, Z_NO_FLUSH);
                kp_buf_put(ret, chunk, sizeof(chunk) - inflater.avail_out);
        } while (status == Z_OK && ret->len <= KP_XML_MAX);
        if (ret->len > KP_XML_MAX)
                *reason = "the message inflates to more than 1 MiB";
        else if (status != Z_STREAM_END)
                *reason = "the message is not compressed with DEFLATE";
        else if (inflater.avail_in > 0)
                *reason = "bytes follow the compressed message";
        return kp_buf_check(ret, err);
}

/* ---- percent encoding ---- */

/* RFC 3986 §2.3: what needs no escape. */
static bool
is_plain(uint8_t c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '~';
}

static void
put_escaped(struct kp_buf *buf, const void *text, size_t text_len)
{
        static const char digits[] = "0123456789ABCDEF";
        const uint8_t *bytes = text;

        for (size_t i = 0; i < text_len; i++) {
                if (is_plain(bytes[i])) {
                        kp_buf_put_u8(buf, bytes[i]);
                        continue;
                }
                kp_buf_put_u8(buf, '%');
                kp_buf_put_u8(buf, (uint8_t)digits[bytes[i] >> 4]);
                kp_buf_put_u8(buf, (uint8_t)digits[bytes[i] & 15]);
        }
}

static int
hex_value(char c)
{
        if (c >= '0' && c <= '9')
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        if (c >= 'A' && c <= 'F')
                return c - 'A' + 10;
        return -1;
}

/* returns  false at a broken escape or a NUL */
static bool
unescape(const char *text, size_t text_len, struct kp_buf *ret)
{
        for (size_t i = 0; i < text_len; i++) {
                int high, low;

                if (text[i] != '%') {
                        kp_buf_put_u8(ret, text[i] == '+' ? ' ' : (uint8_t)text[i]);
                        continue;
                }
                if (i + 2 >= text_len || (high = hex_value(text[i + 1])) < 0 ||
                        (low = hex_value(text[i + 2])) < 0 || high + low == 0)
                        return false;
                kp_buf_put_u8(ret, (uint8_t)(high << 4 | low));
                i += 2;
        }
        return true;
}

/* ---- in ---- */

/* A parameter as it stands in the query, still escaped. */
struct raw {
        const char *text; /* NULL: absent */
        size_t len;
        unsigned n; /* how often it occurs */
};

static struct raw
query_find(const char *query, const char *name)
{
        struct raw raw = { 0 };
        size_t name_len = strlen(name);

        for (const char *at = query; at != NULL;) {
                size_t len = strcspn(at, "&");

                if (len > name_len && strncmp(at, name, name_len) == 0 &&
                        at[name_len] == '=') {
                        if (raw.n++ == 0) {
                                raw.text = at + name_len + 1;
                                raw.len = len - name_len - 1;
                        }
                }
                at = at[len] == '&' ? at + len + 1 : NULL;
        }
        return raw;
}

static int KP_PRINTF(3, 4)
        refuse(struct saml_wire *wire, const char *rule, const char *format, ...)
{
        va_list args;

        if (wire->rule != NULL)
                return 0;
        va_start(args, format);
        (void)vsnprintf(wire->reason, sizeof(wire->reason), format, args);
        va_end(args);
        wire->rule = rule;
        return 0;
}

static int
read_base64(struct saml_wire *wire, const char *text, size_t text_len,
        struct kp_buf *ret, struct kp_error *err)
{
        struct kp_error why = { 0 };

        if (kp_b64_decode(text, text_len, ret, &why) == 0)
                return 0;
        if (why.code == KP_ENOMEM)
                return KP_FAIL(err, KP_ENOMEM, "message");
        return refuse(wire, "message-encoding", "not base64: %s", why.frames[0].text);
}

static int
read_relay_state(struct saml_wire *wire, const char *text, size_t text_len)
{
        if (memchr(text, '\0', text_len) != NULL)
                return refuse(wire, "relay-state", "RelayState contains a NUL");
        if (text_len < sizeof(wire->relay_state)) {
                memcpy(wire->relay_state, text, text_len);
                wire->relay_state[text_len] = '\0';
        }
        if (text_len > RELAY_STATE_MAX)
                return refuse(wire, "relay-state",
                        "RelayState has %zu bytes, 80 are allowed", text_len);
        return 0;
}

static void
read_hint(struct saml_wire *wire, const char *query)
{
        static const char *const names[] = { "domain_hint", "whr", "login_hint" };

        for (size_t i = 0; i < KP_NELEMS(names); i++) {
                KP_CLEANUP(kp_buf_done) struct kp_buf value = { 0 };
                struct raw raw = query_find(query, names[i]);
                const char *text;

                if (raw.text == NULL || !unescape(raw.text, raw.len, &value))
                        continue;
                text = kp_buf_str(&value);
                if (strlen(names[i]) + 1 + strlen(text) >= sizeof(wire->hint))
                        continue;
                (void)snprintf(wire->hint, sizeof(wire->hint), "%s%s%s",
                        i == 0 ? "" : names[i], i == 0 ? "" : "=", text);
                return;
        }
}

/* Bindings §3.4.4.1: signed is the query as it was sent, in this order. */
static int
read_query_signature(struct saml_wire *wire, const char *query, const char *field,
        struct kp_error *err)
{
        const char *const parts[] = { field, "RelayState", "SigAlg" };
        KP_CLEANUP(kp_buf_done) struct kp_buf text = { 0 };
        struct raw signature = query_find(query, "Signature");
        struct raw algorithm = query_find(query, "SigAlg");

        if (signature.text == NULL && algorithm.text == NULL)
                return 0;
        if (signature.n != 1 || algorithm.n != 1)
                return refuse(wire, "message-encoding",
                        "the query has %u Signature and %u SigAlg parameters",
                        signature.n, algorithm.n);
        for (size_t i = 0; i < KP_NELEMS(parts); i++) {
                struct raw raw = query_find(query, parts[i]);

                if (raw.text == NULL)
                        continue;
                kp_buf_printf(&wire->signed_text, "%s%s=", i > 0 ? "&" : "", parts[i]);
                kp_buf_put(&wire->signed_text, raw.text, raw.len);
        }
        if (!unescape(algorithm.text, algorithm.len, &text) ||
                !kp_xml_copy(
                        kp_buf_str(&text), wire->algorithm, sizeof(wire->algorithm)))
                return refuse(wire, "signature-algorithm", "SigAlg is no algorithm");
        kp_buf_clear(&text);
        if (!unescape(signature.text, signature.len, &text))
                return refuse(
                        wire, "message-encoding", "the Signature parameter is broken");
        return read_base64(wire, kp_buf_str(&text), text.len, &wire->signature, err);
}

static int
read_query(struct saml_wire *wire, const char *query, const char *field,
        struct kp_error *err)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf text = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf bytes = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf state = { 0 };
        struct raw message = query_find(query, field);
        struct raw relay_state = query_find(query, "RelayState");
        struct raw encoding = query_find(query, "SAMLEncoding");
        const char *reason;

        if (message.n != 1 || relay_state.n > 1 || encoding.n > 1)
                return refuse(wire, "message-encoding",
                        "the query has %u %s and %u RelayState parameters", message.n,
                        field, relay_state.n);
        if (encoding.text != NULL)
                return refuse(
                        wire, "message-encoding", "SAMLEncoding is not supported");
        if (message.len > KP_XML_MAX)
                return refuse(wire, "message-size", "%zu bytes, at most 1 MiB is read",
                        message.len);
        read_hint(wire, query);
        if (relay_state.text != NULL) {
                if (!unescape(relay_state.text, relay_state.len, &state))
                        return refuse(wire, "relay-state", "RelayState is broken");
                (void)read_relay_state(wire, kp_buf_str(&state), state.len);
        }
        if (!unescape(message.text, message.len, &text))
                return refuse(wire, "message-encoding", "%s is broken", field);
        if (read_base64(wire, kp_buf_str(&text), text.len, &bytes, err) < 0)
                return -1;
        if (wire->rule == NULL && inflate_into(&bytes, &wire->xml, &reason, err) < 0)
                return -1;
        if (wire->rule == NULL && reason != NULL)
                return refuse(wire,
                        wire->xml.len > KP_XML_MAX ? "message-size"
                                                   : "message-encoding",
                        "%s", reason);
        return read_query_signature(wire, query, field, err);
}

int
saml_wire_read(const struct kp_message_in *in, const char *field, struct saml_wire *ret,
        struct kp_error *err)
{
        size_t len;

        memset(ret, 0, sizeof(*ret));
        ret->redirect = in->value == NULL && in->query != NULL;
        if (ret->redirect)
                return read_query(ret, in->query, field, err);
        if (in->value == NULL)
                return refuse(ret, "message-encoding", "there is no %s in it", field);
        if ((len = strlen(in->value)) > KP_XML_MAX / 3 * 4 + 4)
                return refuse(
                        ret, "message-size", "%zu bytes, at most 1 MiB is read", len);
        if (in->relay_state != NULL)
                (void)read_relay_state(ret, in->relay_state, strlen(in->relay_state));
        return read_base64(ret, in->value, len, &ret->xml, err);
}

void
saml_wire_done(struct saml_wire *wire)
{
        kp_buf_done(&wire->xml);
        kp_buf_done(&wire->signed_text);
        kp_buf_done(&wire->signature);
}

/* ---- out ---- */

void
kp_message_out_done(struct kp_message_out *out)
{
        kp_buf_done(&out->url);
        kp_buf_done(&out->value);
        memset(out, 0, sizeof(*out));
}

static int
put_query_signature(struct kp_buf *query, const char *key_pem, struct kp_error *err)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf signature = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf text = { 0 };

        kp_buf_puts(query, "&SigAlg=");
        put_escaped(query, ALG_RSA_SHA256, strlen(ALG_RSA_SHA256));
        if (saml_sign_bytes(key_pem, query->data, query->len, &signature, err) < 0)
                return -1;
        kp_b64_put(&text, signature.data, signature.len);
        kp_buf_puts(query, "&Signature=");
        put_escaped(query, text.data, text.len);
        return kp_buf_check(&text, err);
}

static void
put_hint(struct kp_buf *url, const char *hint)
{
        const char *equals = strchr(hint, '=');

        kp_buf_puts(url, "&");
        if (equals == NULL) {
                kp_buf_puts(url, "domain_hint=");
                put_escaped(url, hint, strlen(hint));
                return;
        }
        put_escaped(url, hint, (size_t)(equals - hint));
        kp_buf_puts(url, "=");
        put_escaped(url, equals + 1, strlen(equals + 1));
}

int
saml_wire_redirect(const char *url, const char *field, const struct kp_buf *xml,
        const char *relay_state, const char *hint, const char *key_pem,
        struct kp_message_out *ret, struct kp_error *err)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf bytes = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf text = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf query = { 0 };

        if (compress_into(xml, &bytes, err) < 0)
                return -1;
        kp_b64_put(&text, bytes.data, bytes.len);
        kp_buf_printf(&query, "%s=", field);
        put_escaped(&query, text.data, text.len);
        if (relay_state[0] != '\0') {
                kp_buf_puts(&query, "&RelayState=");
                put_escaped(&query, relay_state, strlen(relay_state));
        }
        if (key_pem != NULL && put_query_signature(&query, key_pem, err) < 0)
                return -1;
        kp_buf_printf(&ret->url, "%s%c", url, strchr(url, '?') != NULL ? '&' : '?');
        kp_buf_put(&ret->url, query.data, query.len);
        if (hint != NULL && hint[0] != '\0')
                put_hint(&ret->url, hint);
        (void)kp_xml_copy(relay_state, ret->relay_state, sizeof(ret->relay_state));
        if (kp_buf_check(&query, err) < 0 || kp_buf_check(&text, err) < 0)
                return -1;
        return kp_buf_check(&ret->url, err);
}

int
saml_wire_post(const char *url, const char *field, const struct kp_buf *xml,
        const char *relay_state, struct kp_message_out *ret, struct kp_error *err)
{
        kp_buf_puts(&ret->url, url);
        (void)snprintf(ret->field, sizeof(ret->field), "%s", field);
        kp_b64_put(&ret->value, xml->data, xml->len);
        (void)kp_xml_copy(relay_state, ret->relay_state, sizeof(ret->relay_state));
        if (kp_buf_check(&ret->url, err) < 0)
                return -1;
        return kp_buf_check(&ret->value, err);
}
