/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/core/json.h"

#include <stdio.h>
#include <string.h>

#include "keypilot/core/file.h"

static bool
deeper_than(json_t *value, unsigned levels)
{
        const char *name;
        json_t *member;
        size_t i;

        if (!json_is_object(value) && !json_is_array(value))
                return false;
        if (levels == 0)
                return true;
        json_object_foreach (value, name, member)
                if (deeper_than(member, levels - 1))
                        return true;
        json_array_foreach (value, i, member)
                if (deeper_than(member, levels - 1))
                        return true;
        return false;
}

int
kp_json_parse(const char *name, const void *text, size_t text_len, json_t **ret,
        struct kp_error *err)
{
        json_error_t at;
        json_auto_t *value = json_loadb(text == NULL ? "" : text, text_len,
                JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &at);

        if (value == NULL)
                return KP_FAIL(err, KP_EPARSE, "%s:%d:%d: not JSON: %s", name, at.line,
                        at.column, at.text);
        if (deeper_than(value, KP_JSON_DEPTH))
                return KP_FAIL(err, KP_EPARSE, "%s: nested deeper than %d levels", name,
                        KP_JSON_DEPTH);
        *ret = KP_STEAL(value);
        return 0;
}

int
kp_json_load_any(const char *path, size_t max, json_t **ret, struct kp_error *err)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf text = { 0 };

        if (kp_file_read(path, max, &text, err) < 0)
                return -1;
        return kp_json_parse(path, text.data, text.len, ret, err);
}

int
kp_json_load(const char *path, size_t max, json_t **ret, struct kp_error *err)
{
        json_auto_t *value = NULL;

        if (kp_json_load_any(path, max, &value, err) < 0)
                return -1;
        if (!json_is_object(value))
                return KP_FAIL(err, KP_EPARSE, "%s: expected a JSON object", path);
        *ret = KP_STEAL(value);
        return 0;
}

static const char *
type_name(enum kp_field_type type)
{
        static const char *const names[] = {
                [KP_STRING] = "a string",
                [KP_INT] = "an integer",
                [KP_BOOL] = "true or false",
                [KP_OBJECT] = "an object",
                [KP_ARRAY] = "an array",
                [KP_ANY] = "a value",
                [KP_TEXT] =
                        "an object with the strings \"en\" and \"nl\" and nothing else",
                [KP_STRINGS] = "an array of strings",
        };

        return names[type];
}

static bool
all_strings(const json_t *array)
{
        size_t i;
        json_t *item;

        json_array_foreach (array, i, item)
                if (!json_is_string(item))
                        return false;
        return json_is_array(array);
}

static bool
field_set(const struct kp_field *field, json_t *value, char *into)
{
        void *at = into + field->offset;
        struct kp_text text;

        switch (field->type) {
        case KP_STRING:
                *(const char **)at = json_string_value(value);
                return json_is_string(value);
        case KP_INT:
                *(int64_t *)at = json_integer_value(value);
                return json_is_integer(value);
        case KP_BOOL:
                *(bool *)at = json_is_true(value);
                return json_is_boolean(value);
        case KP_TEXT:
                text.en = json_string_value(json_object_get(value, "en"));
                text.nl = json_string_value(json_object_get(value, "nl"));
                *(struct kp_text *)at = text;
                return text.en != NULL && text.nl != NULL &&
                       json_object_size(value) == 2;
        case KP_OBJECT:
                *(json_t **)at = value;
                return json_is_object(value);
        case KP_ARRAY:
                *(json_t **)at = value;
                return json_is_array(value);
        case KP_STRINGS:
                *(json_t **)at = value;
                return all_strings(value);
        case KP_ANY:
                *(json_t **)at = value;
                return true;
        }
        return false;
}

static const struct kp_field *
field_find(const struct kp_field *fields, size_t n_fields, const char *name)
{
        for (size_t i = 0; i < n_fields; i++)
                if (strcmp(fields[i].name, name) == 0)
                        return &fields[i];
        return NULL;
}

static int
fail_unknown(const struct kp_field *fields, size_t n_fields, const char *name,
        struct kp_error *err)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf known = { 0 };

        for (size_t i = 0; i < n_fields; i++)
                kp_buf_printf(&known, "%s%s", i == 0 ? "" : ", ", fields[i].name);
        return KP_FAIL(err, KP_ESCHEMA,
                "member '%.60s' is not known here; known are: %s", name,
                kp_buf_str(&known));
}

int
kp_json_read(const json_t *object, const struct kp_field *fields, size_t n_fields,
        void *into, struct kp_error *err)
{
        const struct kp_field *field;
        const char *name;
        json_t *value;

        if (!json_is_object(object))
                return KP_FAIL(err, KP_ESCHEMA, "expected an object");
        json_object_foreach ((json_t *)object, name, value) {
                if ((field = field_find(fields, n_fields, name)) == NULL)
                        return fail_unknown(fields, n_fields, name, err);
                if (!field_set(field, value, into))
                        return KP_FAIL(err, KP_ESCHEMA, "member '%s': expected %s",
                                name, type_name(field->type));
        }
        for (size_t i = 0; i < n_fields; i++)
                if (fields[i].required &&
                        json_object_get(object, fields[i].name) == NULL)
                        return KP_FAIL(err, KP_ESCHEMA,
                                "member '%s' is missing: expected %s", fields[i].name,
                                type_name(fields[i].type));
        return 0;
}

static int
dump_to_buf(const char *text, size_t text_len, void *buf)
{
        kp_buf_put(buf, text, text_len);
        return 0;
}

int
kp_json_write(const json_t *value, struct kp_buf *ret, struct kp_error *err)
{
        if (json_dump_callback(value, dump_to_buf, ret,
                    JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY) < 0)
                return KP_FAIL(err, KP_ENOMEM, "JSON text");
        return kp_buf_check(ret, err);
}

const char *
kp_json_str(const json_t *object, const char *name, const char *fallback)
{
        const json_t *value = json_object_get(object, name);

        return json_is_string(value) ? json_string_value(value) : fallback;
}

int64_t
kp_json_int(const json_t *object, const char *name, int64_t fallback)
{
        const json_t *value = json_object_get(object, name);

        return json_is_integer(value) ? json_integer_value(value) : fallback;
}

bool
kp_json_bool(const json_t *object, const char *name, bool fallback)
{
        const json_t *value = json_object_get(object, name);

        return json_is_boolean(value) ? json_is_true(value) : fallback;
}

void
kp_json_free(json_t **value)
{
        json_decref(*value);
        *value = NULL;
}
