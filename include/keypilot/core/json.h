/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_CORE_JSON_H
#define KEYPILOT_CORE_JSON_H

#include <jansson.h>

#include "keypilot/core/base.h"
#include "keypilot/core/buf.h"
#include "keypilot/core/error.h"

/*
 * JSON in, strictly: duplicate members, bad UTF-8, deep nesting and large files are
 * refused with file, line and column; unknown, missing and mistyped members by name.
 */

#define KP_JSON_MAX (4u << 20)       /* bytes of a profile, scenario or pilot file */
#define KP_JSON_MAX_BULK (64u << 20) /* bytes of a file of vectors */
#define KP_JSON_DEPTH 48             /* levels of nesting */

/*
 * Read a JSON object (kp_json_load) or any JSON value (kp_json_load_any) from a file.
 *
 * max      bytes, KP_JSON_MAX unless there is a reason
 * ret      set on success only; the caller releases it with json_decref()
 * Errors   KP_EIO unreadable; KP_EPARSE not JSON, not an object, a member twice, too
 *          long, too deep (place told). The text begins with the file's name
 */
int kp_json_load(
        const char *path, size_t max, json_t **ret, struct kp_error *err) KP_MUST_CHECK;
int kp_json_load_any(
        const char *path, size_t max, json_t **ret, struct kp_error *err) KP_MUST_CHECK;

/*
 * The same from memory, any JSON value.
 *
 * name     what to call the text in an error
 */
int kp_json_parse(const char *name, const void *text, size_t text_len, json_t **ret,
        struct kp_error *err) KP_MUST_CHECK;

/* A text that a user reads, in both languages. Borrowed from the JSON it came from. */
struct kp_text {
        const char *en;
        const char *nl;
};

enum kp_field_type {
        KP_STRING,  /* const char *, borrowed */
        KP_INT,     /* int64_t */
        KP_BOOL,    /* bool */
        KP_OBJECT,  /* json_t *, borrowed */
        KP_ARRAY,   /* json_t *, borrowed */
        KP_ANY,     /* json_t *, borrowed */
        KP_TEXT,    /* struct kp_text: an object with exactly "en" and "nl" */
        KP_STRINGS, /* json_t *, borrowed: an array of strings */
};

struct kp_field {
        const char *name;
        enum kp_field_type type;
        bool required;
        size_t offset; /* of the member in the struct that is filled */
};

/*
 * Read an object into a struct through a field table. Optional members that are absent
 * leave the struct as it was.
 *
 * into     the struct; what it then points to is borrowed from `object`
 * Errors   KP_ESCHEMA no object, an unknown member (the known ones are listed), a
 *          missing or a mistyped one (expected type told)
 */
int kp_json_read(const json_t *object, const struct kp_field *fields, size_t n_fields,
        void *into, struct kp_error *err) KP_MUST_CHECK;

/*
 * Compact, members in sorted order: the same value gives the same bytes.
 *
 * ret      appended to
 * Errors   KP_ENOMEM
 */
int kp_json_write(
        const json_t *value, struct kp_buf *ret, struct kp_error *err) KP_MUST_CHECK;

/* The value for `name`, borrowed; the fallback when absent or of another type. */
const char *kp_json_str(const json_t *object, const char *name, const char *fallback);
int64_t kp_json_int(const json_t *object, const char *name, int64_t fallback);
bool kp_json_bool(const json_t *object, const char *name, bool fallback);

void kp_json_free(json_t **value); /* for KP_CLEANUP: NULL-safe, leaves NULL */

#endif
