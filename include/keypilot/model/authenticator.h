/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_MODEL_AUTHENTICATOR_H
#define KEYPILOT_MODEL_AUTHENTICATOR_H

#include <openssl/evp.h>

#include "keypilot/core/json.h"
#include "keypilot/model/fault.h"

/*
 * Authenticator profiles: what one model of security key says and does. The declarative
 * half of a simulated key, and the expected half of a real one. From
 * fixtures/authenticators/; never changes after loading.
 *
 * A profile is a model (facts about the product, each with its source) and the state
 * that a key has when a person first holds it (a PIN set or not, places taken). What a
 * profile says of itself is what the product says; a simulated key leaves out what it
 * cannot do yet.
 */
struct kp_authenticator_profile;

/*
 * Load the profile in `path`. A file that says "like": "NAME" adds to or overrides the
 * profile NAME.json in the same folder; test keys and the attestation root come from
 * the folder keys/ beside that folder, faults that it names from faults/.
 *
 * ret      the caller frees it with kp_authenticator_profile_free()
 * Errors   KP_EIO, KP_EPARSE; KP_ESCHEMA (member told) unknown, missing or mistyped
 *          members, an id that is not the file's name, and contradictions
 */
int kp_authenticator_profile_load(const char *path,
        struct kp_authenticator_profile **ret, struct kp_error *err) KP_MUST_CHECK;

/*
 * The same for a file that may lie anywhere: what it is like, and the test keys, are
 * looked for in `fixtures_dir`, faults too.
 */
int kp_authenticator_profile_load_from(const char *fixtures_dir, const char *path,
        struct kp_authenticator_profile **ret, struct kp_error *err) KP_MUST_CHECK;
/* NULL-safe, leaves NULL */
void kp_authenticator_profile_free(struct kp_authenticator_profile **profile);

/* The file's id and title; borrowed. */
const char *kp_authenticator_profile_id(const struct kp_authenticator_profile *profile);
struct kp_text kp_authenticator_profile_title(
        const struct kp_authenticator_profile *profile);

/* The whole file, what it is like merged in; borrowed. */
const json_t *kp_authenticator_profile_json(
        const struct kp_authenticator_profile *profile);

/*
 * The options of authenticatorGetInfo, in canonical CBOR order of their names.
 * Spec: CTAP 2.1 §6.4 "Option IDs"; perCredMgmtRO is of CTAP 2.2
 */
enum kp_key_option_id {
        KP_OPTION_EP,
        KP_OPTION_RK,
        KP_OPTION_UP,
        KP_OPTION_UV,
        KP_OPTION_PLAT,
        KP_OPTION_UV_ACFG,
        KP_OPTION_ALWAYS_UV,
        KP_OPTION_CRED_MGMT,
        KP_OPTION_AUTHNR_CFG,
        KP_OPTION_BIO_ENROLL,
        KP_OPTION_CLIENT_PIN,
        KP_OPTION_LARGE_BLOBS,
        KP_OPTION_UV_BIO_ENROLL,
        KP_OPTION_PER_CRED_MGMT_RO,
        KP_OPTION_PIN_UV_AUTH_TOKEN,
        KP_OPTION_SET_MIN_PIN_LENGTH,
        KP_OPTION_MAKE_CRED_UV_NOT_RQD,
        KP_OPTION_CRED_MGMT_PREVIEW,
        KP_OPTION_UV_MGMT_PREVIEW,
        KP_OPTION_NO_MC_GA_WITH_PIN,
        KP_N_OPTIONS,
};
const char *kp_key_option_name(enum kp_key_option_id id); /* "rk" */

enum kp_key_attestation {
        KP_ATTESTATION_NONE,
        KP_ATTESTATION_PACKED_SELF,
        KP_ATTESTATION_PACKED_BASIC,
        KP_ATTESTATION_FIDO_U2F, /* a key that speaks only U2F */
        KP_ATTESTATION_TPM,
        KP_ATTESTATION_ANDROID_KEY,
        KP_ATTESTATION_APPLE,
};
enum kp_key_counter {
        KP_COUNTER_DEVICE,     /* one for all credentials */
        KP_COUNTER_CREDENTIAL, /* one for each */
        KP_COUNTER_ZERO,       /* always 0 */
};
/* A certification that getInfo tells. Spec: CTAP 2.1 §7.3 */
#define KP_CERTIFICATIONS_MAX 8
struct kp_key_certification {
        const char *name; /* "FIDO" */
        int64_t level;
};
enum kp_key_pin { KP_PIN_NONE, KP_PIN_SET, KP_PIN_LOCKED };
/* What a key answers when nobody touches it. */
enum kp_touch_timeout {
        KP_TOUCH_TIMEOUT_DENIED, /* CTAP2_ERR_OPERATION_DENIED, as CTAP 2.1 has it */
        KP_TOUCH_TIMEOUT_USER,   /* CTAP2_ERR_USER_ACTION_TIMEOUT */
        KP_TOUCH_TIMEOUT_ACTION, /* CTAP2_ERR_ACTION_TIMEOUT */
};

/* A short list of words, borrowed from the profile. */
#define KP_WORDS_MAX 16
struct kp_words {
        const char *word[KP_WORDS_MAX];
        size_t n;
};
bool kp_words_have(const struct kp_words *words, const char *word);

/* Everything that a profile states. Plain data, borrowed from it. */
struct kp_key_facts {
        const char *source; /* of the facts for which `sources` names no other */
        bool platform;      /* attachment: platform, otherwise cross-platform */
        struct kp_words transports; /* "usb", "nfc"... */
        struct kp_words versions;   /* "U2F_V2", "FIDO_2_0"... */
        struct kp_words extensions; /* "credProtect"... */
        uint8_t aaguid[16];
        int8_t options[KP_N_OPTIONS]; /* 1 true, 0 false, -1 absent */
        int algorithms[8];            /* COSE numbers, preferred first */
        size_t n_algorithms;
        int pin_protocols[2];
        size_t n_pin_protocols;
        int64_t max_msg_size;             /* 0 where the key does not tell */
        int64_t max_credentials_in_list;  /* 0 where the key does not tell */
        int64_t max_credential_id_length; /* 0 where the key does not tell */
        int64_t min_pin_length;           /* code points; 4 where it does not tell */
        int64_t firmware_version;         /* 0 where the key does not tell */
        int64_t max_cred_blob_length;     /* 0: no credBlob */
        int64_t max_large_blob;           /* 0: no large blobs */
        int64_t max_min_pin_rp_ids;       /* 0 where the key does not tell */
        int64_t uv_modality;              /* 0 where the key does not tell */
        int64_t platform_uv_attempts;     /* 0 where the key does not tell */
        /* members of getInfo that the key has */
        bool tells_transports, tells_algorithms, tells_places, tells_min_pin_length;
        bool tells_force_pin_change;
        /* of CTAP 2.2 and 2.3 */
        bool tells_attestation_formats, tells_uv_count, tells_identifier;
        bool tells_store_state, tells_config_commands;
        int8_t long_touch_for_reset;          /* 1, 0; -1 where the key does not tell */
        bool long_touch_fixed;                /* no command switches it on */
        int8_t pin_complexity_policy;         /* 1, 0; -1 where the key does not tell */
        const char *pin_complexity_url;       /* NULL where the key does not tell */
        struct kp_words transports_for_reset; /* empty where the key does not tell */
        int64_t max_pin_length; /* code points; 0 where it does not tell */
        struct kp_key_certification certifications[KP_CERTIFICATIONS_MAX];
        size_t n_certifications;
        int64_t vendor_config_commands[4]; /* ids of its own, prototypes */
        size_t n_vendor_config_commands;

        /* the attestation that it gives unless another is preferred and known to it */
        enum kp_key_attestation attestation;
        struct kp_words attestation_formats; /* all it can give, "packed", "tpm"... */
        struct kp_words enterprise_rp_ids;   /* for vendor-facilitated attestation */
        enum kp_key_counter counter;
        bool backup_eligible, backed_up; /* BE and BS of every credential */
        int64_t places;                  /* discoverable credentials that fit */
        int64_t credential_id_length;    /* bytes of the ids that it makes */
        int64_t bio_templates;           /* fingers that fit; 0: no bioEnroll */
        int64_t bio_samples;             /* good samples that make one template */
        int64_t bio_name_length;         /* bytes of a finger's name */
        bool hid_lock, hid_wink;         /* CTAPHID commands that INIT tells */
        int64_t uv_retries;       /* built-in verification: wrong fingers allowed */
        bool always_discoverable; /* makes a passkey even where none was asked for */
        enum kp_touch_timeout touch_timeout;

        enum kp_key_pin pin; /* when the person first holds it */
        int64_t used;        /* places already taken */
        int64_t fingers;     /* already enrolled */
        bool enterprise;     /* enterprise attestation is switched on */
        bool force_pin_change;
};
const struct kp_key_facts *kp_authenticator_profile_facts(
        const struct kp_authenticator_profile *profile);

/*
 * What is wrong with every key of this profile from the factory on. Whoever makes a key
 * of it sets them (keypilot/authenticator/fault.h); borrowed from the profile.
 */
#define KP_PROFILE_FAULTS_MAX 8
const struct kp_fault *kp_authenticator_profile_faults(
        const struct kp_authenticator_profile *profile, size_t *ret_n);

/*
 * The PIN of a simulated key whose state says that one is set: a public test value,
 * long enough for the key's minimum. NULL where none is set. The simulated person knows
 * it, and nobody else asks.
 */
const char *kp_authenticator_profile_test_pin(
        const struct kp_authenticator_profile *profile);

/* The batch attestation certificate in DER, and its key; borrowed, NULL: none. */
const uint8_t *kp_authenticator_profile_certificate(
        const struct kp_authenticator_profile *profile, size_t *ret_len);
EVP_PKEY *kp_authenticator_profile_batch_key(
        const struct kp_authenticator_profile *profile);

/* Certificates of other attestations than that of a batch. */
enum kp_key_certificate {
        KP_CERTIFICATE_INDIVIDUAL, /* of one single key: enterprise attestation */
        KP_CERTIFICATE_AIK,        /* of a TPM's attestation key */
        KP_CERTIFICATE_CA,         /* issues those that come by the credential */
        KP_CERTIFICATE_ROOT,       /* what a relying party may trust */
        KP_N_CERTIFICATES,
};
/* In DER, borrowed; NULL: the model needs none. */
const uint8_t *kp_authenticator_profile_x509(
        const struct kp_authenticator_profile *profile, enum kp_key_certificate which,
        size_t *ret_len);

/*
 * The key that the individual certificate or that of the TPM's attestation key is for.
 *
 * ret      a key of its own; the caller frees it with kp_free_pkey()
 * Errors   KP_ENOTFOUND the model has none; KP_ENOMEM
 */
int kp_authenticator_profile_attester(const struct kp_authenticator_profile *profile,
        enum kp_key_certificate which, EVP_PKEY **ret,
        struct kp_error *err) KP_MUST_CHECK;

/*
 * A certificate for one credential, issued by KP_CERTIFICATE_CA: what a phone's key
 * store or an anonymizing CA makes anew each time. The same leaf gives the same bytes.
 *
 * Errors   KP_ENOTFOUND the model has no CA; KP_ENOMEM
 */
struct kp_key_leaf {
        EVP_PKEY *key;           /* of the credential */
        const char *common_name;
        const char *serial_of;   /* what the serial number is derived from */
        const char *unit;        /* NULL: no OU and no O */
        const char *usage;       /* as OpenSSL writes it: "critical,digitalSignature" */
        const char *oid;         /* of one more extension, not critical */
        const uint8_t *der;
        size_t der_len;
};
int kp_authenticator_profile_certify(const struct kp_authenticator_profile *profile,
        const struct kp_key_leaf *leaf, struct kp_buf *ret,
        struct kp_error *err) KP_MUST_CHECK;

/*
 * The public RSA test keys: RSA pairs cost too much to make one for each credential.
 *
 * index    from 0; below kp_authenticator_profile_n_test_keys()
 * ret      a key of its own; the caller frees it with kp_free_pkey()
 * Errors   KP_ENOMEM
 */
size_t kp_authenticator_profile_n_test_keys(
        const struct kp_authenticator_profile *profile);
int kp_authenticator_profile_test_key(const struct kp_authenticator_profile *profile,
        size_t index, EVP_PKEY **ret, struct kp_error *err) KP_MUST_CHECK;

#endif
