/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_SRC_CLIENT_WEBIDL_H
#define KEYPILOT_SRC_CLIENT_WEBIDL_H

#include "throw.h"

/*
 * JSON values as JavaScript would convert them for a WebIDL dictionary: unknown members
 * are ignored, numbers become strings and strings numbers, and what cannot be converted
 * is a TypeError. Spec: WebIDL §3.2; ECMA-262 §7.1
 */
enum kp_idl_type {
        KP_IDL_DOMSTRING,  /* char *, caller frees; NULL where absent */
        KP_IDL_LONG,       /* int32_t */
        KP_IDL_ULONG,      /* struct kp_idl_ulong */
        KP_IDL_BOOLEAN,    /* bool */
        KP_IDL_DICTIONARY, /* const json_t *, borrowed; NULL: absent; JSON null: {} */
        KP_IDL_SEQUENCE,   /* const json_t *, borrowed; NULL where absent */
};

struct kp_idl_ulong {
        bool present;
        uint32_t value;
};

struct kp_idl_member {
        const char *name;
        enum kp_idl_type type;
        bool required;
        size_t offset;
};

/*
 * Convert `value` to a dictionary.
 *
 * where    name of the dictionary in messages, "" for the outermost
 * Throws   TypeError, reason option-mistyped
 */
int kp_idl_read(const json_t *value, const char *where,
        const struct kp_idl_member *members, size_t n_members, void *into,
        struct kp_exception *exception, struct kp_error *err) KP_MUST_CHECK;

/* ToString. The caller frees `ret`. */
int kp_idl_string(const json_t *value, char **ret, struct kp_error *err) KP_MUST_CHECK;

/*
 * Base64url as a member of a JSON form of options.
 *
 * Throws   EncodingError, reason option-not-base64url
 * Spec     WebAuthn L3 §5.1.8
 */
int kp_idl_base64url(const char *text, const char *where, struct kp_buf *ret,
        struct kp_exception *exception, struct kp_error *err) KP_MUST_CHECK;

#endif
