/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_SRC_CLIENT_OPTIONS_H
#define KEYPILOT_SRC_CLIENT_OPTIONS_H

#include "extensions.h"
#include "webidl.h"

/*
 * The JSON forms of options, read as parseCreationOptionsFromJSON() and
 * parseRequestOptionsFromJSON() read them.
 * Spec: WebAuthn L3 §5.1.8, §5.1.9, §5.4, §5.5
 */
enum kp_requirement { KP_DISCOURAGED, KP_PREFERRED, KP_REQUIRED };
enum kp_attachment { KP_ATTACH_ANY, KP_ATTACH_PLATFORM, KP_ATTACH_CROSS_PLATFORM };
enum kp_conveyance {
        KP_CONVEY_NONE,
        KP_CONVEY_INDIRECT,
        KP_CONVEY_DIRECT,
        KP_CONVEY_ENTERPRISE
};

const char *kp_requirement_name(enum kp_requirement requirement);
const char *kp_conveyance_name(enum kp_conveyance conveyance);

/* A descriptor of type public-key; transports that nobody knows are left out. */
#define KP_N_TRANSPORTS 6
struct kp_descriptor {
        struct kp_buf id;
        const char *transports[KP_N_TRANSPORTS];
        size_t n_transports;
};
struct kp_descriptors {
        struct kp_descriptor *items;
        size_t n_items;
        struct kp_buf
                *others; /* ids of unknown types, which browsers look at as well */
        size_t n_others;
        size_t n_given; /* all of them */
};

struct kp_options {
        char *rp_id;   /* NULL: not given */
        char *rp_name; /* registration only, like the rest up to attestation */
        char *user_name, *user_display_name;
        struct kp_buf user_id;
        int *algorithms; /* of known types, in order; the defaults if none was given */
        size_t n_algorithms;
        enum kp_attachment attachment;
        bool resident_key_given; /* residentKey had a known value */
        enum kp_requirement resident_key;
        bool require_resident_key;
        enum kp_conveyance attestation;
        struct kp_buf challenge;
        struct kp_idl_ulong timeout_ms;
        struct kp_descriptors list; /* excludeCredentials or allowCredentials */
        enum kp_requirement user_verification;
        const char *hint; /* first known one; NULL: none */
        struct kp_extensions extensions;
};

/*
 * ret      starts as { 0 }; the caller ends it with kp_options_done(), whatever came
 * Throws   TypeError, EncodingError, and NotSupportedError where no type is known
 */
int kp_options_read_create(const json_t *json, struct kp_options *ret,
        struct kp_exception *exception, struct kp_error *err) KP_MUST_CHECK;
int kp_options_read_get(const json_t *json, struct kp_options *ret,
        struct kp_exception *exception, struct kp_error *err) KP_MUST_CHECK;
void kp_options_done(struct kp_options *options);

/* The name in our own storage, or NULL for a transport that nobody knows. */
const char *kp_transport_known(const char *name);

#endif
