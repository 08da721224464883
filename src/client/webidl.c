/* SPDX-License-Identifier: BSD-2-Clause */
#include "webidl.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keypilot/codec/b64url.h"
#include "keypilot/core/free.h"

static void
put_number(struct kp_buf *text, double number)
{
        char digits[40];

        for (int precision = 1; precision <= 17; precision++) {
                (void)snprintf(digits, sizeof(digits), "%.*g", precision, number);
                if (strtod(digits, NULL) == number)
                        break;
        }
        kp_buf_puts(text, digits);
}

/* Spec: ECMA-262 §7.1.17; §23.1.3.18 for arrays, whose empty items are null */
static void
put_string(struct kp_buf *text, const json_t *value)
{
        const json_t *item;
        size_t i;

        switch (json_typeof(value)) {
        case JSON_STRING:
                kp_buf_puts(text, json_string_value(value));
                break;
        case JSON_INTEGER:
                kp_buf_printf(text, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
                break;
        case JSON_REAL:
                put_number(text, json_real_value(value));
                break;
        case JSON_OBJECT:
                kp_buf_puts(text, "[object Object]");
                break;
        case JSON_ARRAY:
                json_array_foreach (value, i, item) {
                        kp_buf_puts(text, i == 0 ? "" : ",");
                        if (!json_is_null(item))
                                put_string(text, item);
                }
                break;
        case JSON_NULL:
                kp_buf_puts(text, "null");
                break;
        case JSON_TRUE:
        case JSON_FALSE:
                kp_buf_puts(text, json_is_true(value) ? "true" : "false");
                break;
        }
}

int
kp_idl_string(const json_t *value, char **ret, struct kp_error *err)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf text = { 0 };
        char *copy;

        put_string(&text, value);
        if (kp_buf_check(&text, err) < 0)
                return -1;
        if ((copy = strdup(kp_buf_str(&text))) == NULL)
                return KP_FAIL(err, KP_ENOMEM, "options");
        *ret = copy;
        return 0;
}

/* Spec: ECMA-262 §7.1.4; what is no number is NaN */
static int
to_number(const json_t *value, double *ret, struct kp_error *err)
{
        KP_CLEANUP(kp_free_str) char *text = NULL;
        char *end;

        if (json_is_number(value) || json_is_boolean(value) || json_is_null(value)) {
                *ret = json_is_number(value) ? json_number_value(value)
                                             : (double)json_is_true(value);
                return 0;
        }
        if (kp_idl_string(value, &text, err) < 0)
                return -1;
        *ret = strtod(text, &end);
        if (end[strspn(end, " \t\r\n")] != '\0')
                *ret = NAN;
        return 0;
}

/* Spec: WebIDL §3.2.4.9 ConvertToInt, without [EnforceRange] and [Clamp] */
static int
to_uint32(const json_t *value, uint32_t *ret, struct kp_error *err)
{
        double number;

        if (to_number(value, &number, err) < 0)
                return -1;
        if (!isfinite(number)) {
                *ret = 0;
                return 0;
        }
        number = fmod(trunc(number), 4294967296.0);
        *ret = (uint32_t)(int64_t)number;
        return 0;
}

/* Spec: ECMA-262 §7.1.2 */
static bool
to_boolean(const json_t *value)
{
        if (json_is_number(value))
                return json_number_value(value) != 0;
        if (json_is_string(value))
                return json_string_length(value) > 0;
        return !json_is_null(value) && !json_is_false(value);
}

static int
mistyped(struct kp_exception *exception, const char *where, const char *name,
        const char *what)
{
        return kp_throw(exception, "option-mistyped", 0, "The member '%s%s%s' %s.",
                where, where[0] == '\0' ? "" : ".", name, what);
}

static int
member_convert(const struct kp_idl_member *member, const json_t *value,
        const char *where, char *into, struct kp_exception *exception,
        struct kp_error *err)
{
        void *at = into + member->offset;
        uint32_t number = 0;

        switch (member->type) {
        case KP_IDL_DOMSTRING:
                return kp_idl_string(value, at, err);
        case KP_IDL_LONG:
                if (to_uint32(value, &number, err) < 0)
                        return -1;
                *(int32_t *)at = (int32_t)number;
                return 0;
        case KP_IDL_ULONG:
                if (to_uint32(value, &number, err) < 0)
                        return -1;
                *(struct kp_idl_ulong *)at = (struct kp_idl_ulong){ true, number };
                return 0;
        case KP_IDL_BOOLEAN:
                *(bool *)at = to_boolean(value);
                return 0;
        case KP_IDL_DICTIONARY:
                if (!json_is_object(value) && !json_is_array(value) &&
                        !json_is_null(value))
                        return mistyped(
                                exception, where, member->name, "is not an object");
                *(const json_t **)at = value;
                return 0;
        case KP_IDL_SEQUENCE:
                if (!json_is_array(value))
                        return mistyped(
                                exception, where, member->name, "is not a sequence");
                *(const json_t **)at = value;
                return 0;
        }
        return 0;
}

int
kp_idl_read(const json_t *value, const char *where, const struct kp_idl_member *members,
        size_t n_members, void *into, struct kp_exception *exception,
        struct kp_error *err)
{
        if (!json_is_object(value) && !json_is_array(value) && !json_is_null(value))
                return mistyped(exception, where, "", "is not an object");
        for (size_t i = 0; i < n_members; i++) {
                const json_t *member = json_object_get(value, members[i].name);
                int r;

                if (member == NULL && members[i].required)
                        return mistyped(exception, where, members[i].name,
                                "is required and missing");
                if (member == NULL)
                        continue;
                if ((r = member_convert(
                             &members[i], member, where, into, exception, err)) != 0)
                        return r;
        }
        return 0;
}

/* Browsers do not mind unused bits of the last character; our decoder does. */
static void
drop_unused_bits(char *text, size_t text_len)
{
        static const char alphabet[] =
                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        const unsigned unused = text_len % 4 == 2 ? 15 : 3;
        const char *at;

        if (text_len % 4 < 2 || (at = strchr(alphabet, text[text_len - 1])) == NULL)
                return;
        text[text_len - 1] = alphabet[(unsigned)(at - alphabet) & ~unused];
}

int
kp_idl_base64url(const char *text, const char *where, struct kp_buf *ret,
        struct kp_exception *exception, struct kp_error *err)
{
        KP_CLEANUP(kp_free_str) char *copy = strdup(text);
        struct kp_error why = { 0 };

        if (copy == NULL)
                return KP_FAIL(err, KP_ENOMEM, "options");
        drop_unused_bits(copy, strlen(copy));
        if (kp_b64url_decode(copy, strlen(copy), ret, &why) == 0)
                return 0;
        if (why.code == KP_ENOMEM) {
                *err = why;
                return -1;
        }
        return kp_throw(exception, "option-not-base64url", 0,
                "The member '%s' is not base64url.", where);
}
