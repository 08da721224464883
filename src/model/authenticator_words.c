/* SPDX-License-Identifier: BSD-2-Clause */
#include "authenticator_words.h"

#include <string.h>

/* Spec table: CTAP 2.1 §6.4 "Option IDs", in canonical CBOR order (§8). */
static const char *const option_names[KP_N_OPTIONS] = {
        [KP_OPTION_EP] = "ep",
        [KP_OPTION_RK] = "rk",
        [KP_OPTION_UP] = "up",
        [KP_OPTION_UV] = "uv",
        [KP_OPTION_PLAT] = "plat",
        [KP_OPTION_UV_ACFG] = "uvAcfg",
        [KP_OPTION_ALWAYS_UV] = "alwaysUv",
        [KP_OPTION_CRED_MGMT] = "credMgmt",
        [KP_OPTION_AUTHNR_CFG] = "authnrCfg",
        [KP_OPTION_BIO_ENROLL] = "bioEnroll",
        [KP_OPTION_CLIENT_PIN] = "clientPin",
        [KP_OPTION_LARGE_BLOBS] = "largeBlobs",
        [KP_OPTION_UV_BIO_ENROLL] = "uvBioEnroll",
        [KP_OPTION_PER_CRED_MGMT_RO] = "perCredMgmtRO",
        [KP_OPTION_PIN_UV_AUTH_TOKEN] = "pinUvAuthToken",
        [KP_OPTION_SET_MIN_PIN_LENGTH] = "setMinPINLength",
        [KP_OPTION_MAKE_CRED_UV_NOT_RQD] = "makeCredUvNotRqd",
        [KP_OPTION_CRED_MGMT_PREVIEW] = "credentialMgmtPreview",
        [KP_OPTION_UV_MGMT_PREVIEW] = "userVerificationMgmtPreview",
        [KP_OPTION_NO_MC_GA_WITH_PIN] = "noMcGaPermissionsWithClientPin",
};

const char *
kp_key_option_name(enum kp_key_option_id id)
{
        return option_names[id];
}

/* The words that a member may hold, in the order of its enum where it has one. */
const char *const kp_key_attachments[] = { "cross-platform", "platform", NULL };
const char *const kp_key_attestations[] = { "none", "packed-self", "packed-basic",
        "fido-u2f", "tpm", "android-key", "apple", NULL };
const char *const kp_key_counters[] = { "device", "credential", "zero", NULL };
const char *const kp_key_pins[] = { "none", "set", "locked", NULL };
const char *const kp_key_touch_timeouts[] = { "operation-denied", "user-action-timeout",
        "action-timeout", NULL };
const char *const kp_key_versions[] = { "U2F_V2", "FIDO_2_0", "FIDO_2_1_PRE",
        "FIDO_2_1", "FIDO_2_2", "FIDO_2_3", NULL };
/* Spec: CTAP 2.1 §12, CTAP 2.2 §12; txAuthSimple and uvm are of WebAuthn L1 */
const char *const kp_key_extensions[] = { "credBlob", "credProtect", "hmac-secret",
        "hmac-secret-mc", "largeBlob", "largeBlobKey", "minPinLength",
        "pinComplexityPolicy", "thirdPartyPayment", "txAuthSimple", "uvm", NULL };
/* Spec: WebAuthn L3 §5.8.4 */
const char *const kp_key_transports[] = { "usb", "nfc", "ble", "internal", "hybrid",
        "smart-card", NULL };
const char *const kp_key_tells[] = { "transports", "algorithms",
        "remaining_discoverable_credentials", "force_pin_change", "attestation_formats",
        "uv_count", "identifier", "cred_store_state", "config_commands", NULL };
const char *const kp_key_statuses[] = { "verified", "reported", "assumed", NULL };
/* Spec: WebAuthn L3 §8 */
const char *const kp_key_formats[] = { "packed", "tpm", "android-key", "fido-u2f",
        "apple", "none", NULL };
const char *
kp_key_attestation_format(enum kp_key_attestation attestation)
{
        static const char *const formats[] = {
                [KP_ATTESTATION_NONE] = "none",
                [KP_ATTESTATION_PACKED_SELF] = "packed",
                [KP_ATTESTATION_PACKED_BASIC] = "packed",
                [KP_ATTESTATION_FIDO_U2F] = "fido-u2f",
                [KP_ATTESTATION_TPM] = "tpm",
                [KP_ATTESTATION_ANDROID_KEY] = "android-key",
                [KP_ATTESTATION_APPLE] = "apple",
        };

        return formats[attestation];
}

bool
kp_words_have(const struct kp_words *words, const char *word)
{
        for (size_t i = 0; i < words->n; i++)
                if (strcmp(words->word[i], word) == 0)
                        return true;
        return false;
}

static int
fail_word(const char *member, const char *got, const char *const *known,
        struct kp_error *err)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf list = { 0 };

        for (size_t i = 0; known[i] != NULL; i++)
                kp_buf_printf(&list, "%s\"%s\"", i == 0 ? "" : ", ", known[i]);
        return KP_FAIL(err, KP_ESCHEMA, "member '%s': \"%.40s\" is not one of %s",
                member, got, kp_buf_str(&list));
}

int
kp_key_word_read(const char *member, const char *got, const char *const *known,
        struct kp_error *err)
{
        for (int i = 0; known[i] != NULL; i++)
                if (strcmp(known[i], got) == 0)
                        return i;
        return fail_word(member, got, known, err);
}

int
kp_key_words_read(const char *member, const json_t *array, const char *const *known,
        struct kp_words *ret, struct kp_error *err)
{
        size_t i;
        json_t *item;

        if (json_array_size(array) > KP_WORDS_MAX)
                return KP_FAIL(err, KP_ESCHEMA, "member '%s': more than %d words",
                        member, KP_WORDS_MAX);
        json_array_foreach (array, i, item) {
                const char *word = json_string_value(item);

                if (known != NULL && kp_key_word_read(member, word, known, err) < 0)
                        return -1;
                if (*word == '\0')
                        return KP_FAIL(err, KP_ESCHEMA, "member '%s': a word is empty",
                                member);
                if (kp_words_have(ret, word))
                        return KP_FAIL(err, KP_ESCHEMA,
                                "member '%s': \"%s\" is there twice", member, word);
                ret->word[ret->n++] = word;
        }
        return 0;
}

int
kp_key_numbers_read(const char *member, const json_t *array, const int *known,
        size_t n_known, int *ret, size_t *ret_n, struct kp_error *err)
{
        size_t i, k;
        json_t *item;

        json_array_foreach (array, i, item) {
                for (k = 0; k < n_known; k++)
                        if (json_is_integer(item) &&
                                json_integer_value(item) == known[k])
                                break;
                if (k == n_known)
                        return KP_FAIL(err, KP_ESCHEMA,
                                "member '%s': expected numbers that a simulated key "
                                "knows",
                                member);
                for (size_t j = 0; j < *ret_n; j++)
                        if (ret[j] == known[k])
                                return KP_FAIL(err, KP_ESCHEMA,
                                        "member '%s': %d is there twice", member,
                                        known[k]);
                ret[(*ret_n)++] = known[k];
        }
        return 0;
}

int
kp_key_aaguid_read(const char *text, uint8_t aaguid[16], struct kp_error *err)
{
        static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
        size_t n = 0;
        bool ok = strlen(text) == strlen(form);

        for (size_t i = 0; ok && form[i] != '\0'; i++) {
                const char *digits = "0123456789abcdef";
                const char *at = strchr(digits, text[i]);

                if (form[i] == '-') {
                        ok = text[i] == '-';
                        continue;
                }
                ok = at != NULL;
                if (ok)
                        aaguid[n / 2] = (uint8_t)(aaguid[n / 2] << 4 | (at - digits));
                n++;
        }
        if (!ok)
                return KP_FAIL(err, KP_ESCHEMA,
                        "member 'aaguid': expected lower-case hexadecimal digits as in "
                        "%s",
                        form);
        return 0;
}

int
kp_key_options_read(
        const json_t *object, int8_t options[KP_N_OPTIONS], struct kp_error *err)
{
        const char *name;
        json_t *value;
        int at;

        memset(options, -1, KP_N_OPTIONS);
        json_object_foreach ((json_t *)object, name, value) {
                for (at = 0; at < KP_N_OPTIONS; at++)
                        if (strcmp(option_names[at], name) == 0)
                                break;
                if (at == KP_N_OPTIONS)
                        return KP_FAIL(err, KP_ESCHEMA,
                                "member 'options': '%.40s' is no option ID of CTAP 2.1 "
                                "§6.4",
                                name);
                if (!json_is_boolean(value))
                        return KP_FAIL(err, KP_ESCHEMA,
                                "member 'options.%s': expected true or false", name);
                options[at] = json_is_true(value);
        }
        return 0;
}
