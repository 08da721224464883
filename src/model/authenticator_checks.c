/* SPDX-License-Identifier: BSD-2-Clause */
#include "authenticator_checks.h"

#include "authenticator_words.h"

static bool
has(const struct kp_key_facts *facts, enum kp_key_option_id id)
{
        return facts->options[id] >= 0;
}

static bool
on(const struct kp_key_facts *facts, enum kp_key_option_id id)
{
        return facts->options[id] == 1;
}

static bool
is_version(const struct kp_key_facts *facts, const char *version)
{
        return kp_words_have(&facts->versions, version);
}

/* CTAP 2.1 or later: a key that says FIDO_2_3 need not say FIDO_2_1. */
static bool
is_ctap21(const struct kp_key_facts *facts)
{
        return is_version(facts, "FIDO_2_1") || is_version(facts, "FIDO_2_2") ||
               is_version(facts, "FIDO_2_3");
}

static bool
is_ctap2(const struct kp_key_facts *facts)
{
        return is_version(facts, "FIDO_2_0") || is_version(facts, "FIDO_2_1_PRE") ||
               is_ctap21(facts);
}

static bool
extends(const struct kp_key_facts *facts, const char *extension)
{
        return kp_words_have(&facts->extensions, extension);
}

/* Fingers can be enrolled over CTAP. */
static bool
enrols_fingers(const struct kp_key_facts *facts)
{
        return has(facts, KP_OPTION_BIO_ENROLL) ||
               has(facts, KP_OPTION_UV_MGMT_PREVIEW);
}

static bool
pin_differs_from_option(const struct kp_key_facts *f)
{
        return (f->pin != KP_PIN_NONE) != on(f, KP_OPTION_CLIENT_PIN);
}

static bool
u2f_says_more(const struct kp_key_facts *f)
{
        bool options = false;

        for (int i = 0; i < KP_N_OPTIONS; i++)
                options = options || has(f, (enum kp_key_option_id)i);
        return !is_ctap2(f) &&
               (options || f->extensions.n > 0 || f->n_pin_protocols > 0 ||
                       f->places > 0 || f->platform);
}

static bool
u2f_attests_otherwise(const struct kp_key_facts *f)
{
        return is_ctap2(f) == (f->attestation == KP_ATTESTATION_FIDO_U2F);
}

static bool
u2f_signs_otherwise(const struct kp_key_facts *f)
{
        bool es256 = false;

        for (size_t i = 0; i < f->n_algorithms; i++)
                es256 = es256 || f->algorithms[i] == -7;
        return is_version(f, "U2F_V2") && !es256;
}

static bool
platform_differs_from_option(const struct kp_key_facts *f)
{
        return f->platform != on(f, KP_OPTION_PLAT);
}

static bool
platform_has_no_internal_transport(const struct kp_key_facts *f)
{
        return f->platform != kp_words_have(&f->transports, "internal");
}

static bool
pin_without_protocol(const struct kp_key_facts *f)
{
        bool wanted =
                has(f, KP_OPTION_CLIENT_PIN) || on(f, KP_OPTION_PIN_UV_AUTH_TOKEN);

        return wanted != (f->n_pin_protocols > 0);
}

static bool
ctap21_without_token(const struct kp_key_facts *f)
{
        bool verifies = has(f, KP_OPTION_CLIENT_PIN) || has(f, KP_OPTION_UV);

        return is_ctap21(f) && verifies && !on(f, KP_OPTION_PIN_UV_AUTH_TOKEN);
}

static bool
token_before_ctap21(const struct kp_key_facts *f)
{
        return on(f, KP_OPTION_PIN_UV_AUTH_TOKEN) && !is_ctap21(f);
}

static bool
ctap21_without_management(const struct kp_key_facts *f)
{
        return is_ctap21(f) && on(f, KP_OPTION_RK) && has(f, KP_OPTION_CLIENT_PIN) &&
               !on(f, KP_OPTION_CRED_MGMT);
}

static bool
management_without_rk(const struct kp_key_facts *f)
{
        bool manages = on(f, KP_OPTION_CRED_MGMT) || on(f, KP_OPTION_CRED_MGMT_PREVIEW);

        return manages && (!on(f, KP_OPTION_RK) || f->n_pin_protocols == 0);
}

static bool
rk_differs_from_places(const struct kp_key_facts *f)
{
        return on(f, KP_OPTION_RK) != (f->places > 0);
}

static bool
always_uv_without_uv(const struct kp_key_facts *f)
{
        return on(f, KP_OPTION_ALWAYS_UV) && !has(f, KP_OPTION_CLIENT_PIN) &&
               !has(f, KP_OPTION_UV);
}

static bool
blob_without_length(const struct kp_key_facts *f)
{
        return extends(f, "credBlob") != (f->max_cred_blob_length > 0);
}

static bool
min_pin_without_pin(const struct kp_key_facts *f)
{
        bool told = f->tells_min_pin_length || extends(f, "minPinLength");

        return told && !has(f, KP_OPTION_CLIENT_PIN) && !f->platform;
}

static bool
backed_up_but_not_eligible(const struct kp_key_facts *f)
{
        return f->backed_up && !f->backup_eligible;
}

static bool
change_of_no_pin(const struct kp_key_facts *f)
{
        return f->force_pin_change && f->pin == KP_PIN_NONE;
}

static bool
uv_without_retries(const struct kp_key_facts *f)
{
        return has(f, KP_OPTION_UV) != (f->uv_retries > 0);
}

static bool
id_longer_than_told(const struct kp_key_facts *f)
{
        return f->max_credential_id_length > 0 &&
               f->credential_id_length > f->max_credential_id_length;
}

static bool
u2f_id_too_long(const struct kp_key_facts *f)
{
        return is_version(f, "U2F_V2") && f->credential_id_length > 255;
}

static bool
min_pin_not_told(const struct kp_key_facts *f)
{
        return is_ctap21(f) && has(f, KP_OPTION_CLIENT_PIN) && !f->tells_min_pin_length;
}

static bool
max_pin_without_pin(const struct kp_key_facts *f)
{
        return f->max_pin_length > 0 && !has(f, KP_OPTION_CLIENT_PIN);
}

static bool
max_pin_below_min(const struct kp_key_facts *f)
{
        return f->max_pin_length > 0 && f->max_pin_length < f->min_pin_length;
}

static bool
min_pin_set_without_parts(const struct kp_key_facts *f)
{
        return on(f, KP_OPTION_SET_MIN_PIN_LENGTH) &&
               (!extends(f, "minPinLength") || !on(f, KP_OPTION_AUTHNR_CFG) ||
                       !has(f, KP_OPTION_CLIENT_PIN));
}

static bool
rp_ids_without_min_pin_set(const struct kp_key_facts *f)
{
        return f->max_min_pin_rp_ids > 0 && !on(f, KP_OPTION_SET_MIN_PIN_LENGTH);
}

static bool
complexity_without_pin(const struct kp_key_facts *f)
{
        return f->pin_complexity_policy >= 0 && !has(f, KP_OPTION_CLIENT_PIN);
}

static bool
complexity_extension_alone(const struct kp_key_facts *f)
{
        return extends(f, "pinComplexityPolicy") &&
               (f->pin_complexity_policy < 0 || !on(f, KP_OPTION_SET_MIN_PIN_LENGTH));
}

static bool
config_without_command(const struct kp_key_facts *f)
{
        return (f->n_vendor_config_commands > 0 || f->tells_config_commands) &&
               !on(f, KP_OPTION_AUTHNR_CFG);
}

static bool
fixed_long_touch_not_told(const struct kp_key_facts *f)
{
        return f->long_touch_fixed && f->long_touch_for_reset < 0;
}

static bool
option_without_the_one_it_extends(const struct kp_key_facts *f)
{
        return (has(f, KP_OPTION_UV_BIO_ENROLL) && !has(f, KP_OPTION_BIO_ENROLL)) ||
               (has(f, KP_OPTION_UV_ACFG) && !has(f, KP_OPTION_AUTHNR_CFG)) ||
               (has(f, KP_OPTION_NO_MC_GA_WITH_PIN) && !has(f, KP_OPTION_CLIENT_PIN));
}

static bool
read_only_management_alone(const struct kp_key_facts *f)
{
        return on(f, KP_OPTION_PER_CRED_MGMT_RO) &&
               (!on(f, KP_OPTION_CRED_MGMT) || !on(f, KP_OPTION_PIN_UV_AUTH_TOKEN));
}

static bool
fingers_without_numbers(const struct kp_key_facts *f)
{
        bool all = f->bio_templates > 0 && f->bio_samples > 0 && f->bio_name_length > 0;
        bool any = f->bio_templates > 0 || f->bio_samples > 0 || f->bio_name_length > 0;

        return enrols_fingers(f) ? !all : any;
}

static bool
fingers_differ_from_options(const struct kp_key_facts *f)
{
        static const enum kp_key_option_id follow[] = { KP_OPTION_UV,
                KP_OPTION_BIO_ENROLL, KP_OPTION_UV_MGMT_PREVIEW };

        for (size_t i = 0; i < KP_NELEMS(follow); i++)
                if (enrols_fingers(f) && has(f, follow[i]) &&
                        on(f, follow[i]) != (f->fingers > 0))
                        return true;
        return false;
}

static bool
fingers_without_uv(const struct kp_key_facts *f)
{
        return enrols_fingers(f) && !has(f, KP_OPTION_UV);
}

static bool
uv_counted_without_uv(const struct kp_key_facts *f)
{
        return f->tells_uv_count && !has(f, KP_OPTION_UV);
}

static bool
large_blobs_without_room(const struct kp_key_facts *f)
{
        return on(f, KP_OPTION_LARGE_BLOBS) != (f->max_large_blob > 0);
}

static bool
large_blob_key_without_command(const struct kp_key_facts *f)
{
        return extends(f, "largeBlobKey") && !on(f, KP_OPTION_LARGE_BLOBS);
}

static bool
large_blob_two_ways(const struct kp_key_facts *f)
{
        return extends(f, "largeBlob") &&
               (extends(f, "largeBlobKey") || on(f, KP_OPTION_LARGE_BLOBS));
}

static bool
blob_without_protection(const struct kp_key_facts *f)
{
        return extends(f, "credBlob") && !extends(f, "credProtect");
}

static bool
hmac_secret_mc_alone(const struct kp_key_facts *f)
{
        return extends(f, "hmac-secret-mc") && !extends(f, "hmac-secret");
}

static bool
enterprise_without_certificate(const struct kp_key_facts *f)
{
        return has(f, KP_OPTION_EP) && f->attestation != KP_ATTESTATION_PACKED_BASIC;
}

static bool
enterprise_without_config(const struct kp_key_facts *f)
{
        return has(f, KP_OPTION_EP) && !on(f, KP_OPTION_AUTHNR_CFG);
}

static bool
enterprise_differs_from_option(const struct kp_key_facts *f)
{
        return f->enterprise != on(f, KP_OPTION_EP);
}

static bool
enterprise_rp_ids_alone(const struct kp_key_facts *f)
{
        return f->enterprise_rp_ids.n > 0 && !has(f, KP_OPTION_EP);
}

static bool
formats_without_default(const struct kp_key_facts *f)
{
        return !kp_words_have(
                &f->attestation_formats, kp_key_attestation_format(f->attestation));
}

static bool
resets_elsewhere(const struct kp_key_facts *f)
{
        for (size_t i = 0; i < f->transports_for_reset.n; i++)
                if (!kp_words_have(&f->transports, f->transports_for_reset.word[i]))
                        return true;
        return false;
}

static bool
locks_without_hid(const struct kp_key_facts *f)
{
        return f->hid_lock && !kp_words_have(&f->transports, "usb");
}

static bool
ctap23_lacks_what_is_mandatory(const struct kp_key_facts *f)
{
        bool verifies = has(f, KP_OPTION_CLIENT_PIN) || has(f, KP_OPTION_UV);
        bool two = false;

        for (size_t i = 0; i < f->n_pin_protocols; i++)
                two = two || f->pin_protocols[i] == 2;
        return is_version(f, "FIDO_2_3") &&
               (!extends(f, "hmac-secret") ||
                       (verifies && !extends(f, "credProtect")) ||
                       (f->n_pin_protocols > 0 && !two));
}

/* clang-format off */
static const struct {
        bool (*holds)(const struct kp_key_facts *facts);
        const char *says;
} contradictions[] = {
        { pin_differs_from_option,
          "'options.clientPin' must be true exactly when 'state.pin' is \"set\" or \"locked\"" },
        { u2f_says_more,
          "a key that speaks only U2F has no options, extensions, PIN protocols, places or "
          "platform attachment" },
        { u2f_attests_otherwise,
          "'attestation' is \"fido-u2f\" exactly for keys that speak only U2F" },
        { u2f_signs_otherwise,
          "'versions' has U2F_V2, so 'algorithms' needs -7 (ES256)" },
        { platform_differs_from_option,
          "'attachment' is \"platform\" exactly when 'options.plat' is true" },
        { platform_has_no_internal_transport,
          "'transports' has \"internal\" exactly when 'attachment' is \"platform\"" },
        { pin_without_protocol,
          "'pin_uv_auth_protocols' goes with 'options.clientPin' or 'options.pinUvAuthToken'" },
        { ctap21_without_token,
          "FIDO_2_1 with clientPin or uv needs 'options.pinUvAuthToken' true (CTAP 2.1 §6.4)" },
        { token_before_ctap21,
          "'options.pinUvAuthToken' needs FIDO_2_1 in 'versions'" },
        { ctap21_without_management,
          "FIDO_2_1 with rk and clientPin needs 'options.credMgmt' true (CTAP 2.1 §9)" },
        { management_without_rk,
          "credential management needs 'options.rk' true and a PIN/UV auth protocol" },
        { rk_differs_from_places,
          "'options.rk' is true exactly when there are 'places'" },
        { always_uv_without_uv,
          "'options.alwaysUv' true needs clientPin or uv" },
        { blob_without_length,
          "the extension credBlob goes with 'max_cred_blob_length'" },
        { min_pin_without_pin,
          "a minimum PIN length needs 'options.clientPin'" },
        { backed_up_but_not_eligible,
          "'backup.state' true needs 'backup.eligible' true" },
        { change_of_no_pin,
          "'state.force_pin_change' needs a PIN that is set" },
        { uv_without_retries,
          "'uv_retries' goes with 'options.uv'" },
        { id_longer_than_told,
          "'credential_id_length' is above 'max_credential_id_length'" },
        { u2f_id_too_long,
          "'versions' has U2F_V2, so 'credential_id_length' is at most 255" },
        { min_pin_not_told,
          "FIDO_2_1 with clientPin needs 'min_pin_length' (CTAP 2.1 §6.4, minPINLength)" },
        { max_pin_without_pin,
          "'max_pin_length' needs 'options.clientPin' (CTAP 2.3 §6.4, maxPINLength)" },
        { max_pin_below_min,
          "'max_pin_length' is below 'min_pin_length'" },
        { min_pin_set_without_parts,
          "'options.setMinPINLength' true needs the extension minPinLength, "
          "'options.authnrCfg' true and 'options.clientPin' (CTAP 2.1 §7.4)" },
        { rp_ids_without_min_pin_set,
          "'max_rpids_for_set_min_pin_length' needs 'options.setMinPINLength' true (CTAP 2.1 §6.4)" },
        { complexity_without_pin,
          "'pin_complexity_policy' needs 'options.clientPin' (CTAP 2.3 §7.5)" },
        { complexity_extension_alone,
          "the extension pinComplexityPolicy needs 'pin_complexity_policy' and "
          "'options.setMinPINLength' true (CTAP 2.3 §7.5)" },
        { config_without_command,
          "'vendor_prototype_config_commands' and config_commands in 'tells' need "
          "'options.authnrCfg' true (CTAP 2.1 §6.11)" },
        { fixed_long_touch_not_told,
          "'long_touch_fixed' needs 'long_touch_for_reset'" },
        { option_without_the_one_it_extends,
          "uvBioEnroll needs bioEnroll, uvAcfg needs authnrCfg, "
          "noMcGaPermissionsWithClientPin needs clientPin in 'options' (CTAP 2.1 §6.4)" },
        { read_only_management_alone,
          "'options.perCredMgmtRO' true needs credMgmt and pinUvAuthToken true (CTAP 2.2 §6.4)" },
        { fingers_without_numbers,
          "'bio_templates', 'bio_samples' and 'bio_name_length' go with 'options.bioEnroll' or "
          "'options.userVerificationMgmtPreview', all three (CTAP 2.1 §6.7)" },
        { fingers_without_uv,
          "'options.bioEnroll' and 'options.userVerificationMgmtPreview' need 'options.uv' "
          "(CTAP 2.1 §6.4)" },
        { fingers_differ_from_options,
          "'options.uv', bioEnroll and userVerificationMgmtPreview must be true exactly when "
          "there are 'state.fingers' (CTAP 2.1 §6.4)" },
        { uv_counted_without_uv,
          "uv_count in 'tells' needs 'options.uv' (CTAP 2.3 §6.4, uvCountSinceLastPinEntry)" },
        { large_blobs_without_room,
          "'options.largeBlobs' is true exactly when there is 'max_serialized_large_blob_array' "
          "(CTAP 2.1 §6.4)" },
        { large_blob_key_without_command,
          "the extension largeBlobKey needs 'options.largeBlobs' true (CTAP 2.1 §6.10.1)" },
        { large_blob_two_ways,
          "the extension largeBlob excludes largeBlobKey and 'options.largeBlobs' true (CTAP 2.3 §12.4)" },
        { blob_without_protection,
          "the extension credBlob needs credProtect (CTAP 2.1 §12.2)" },
        { hmac_secret_mc_alone,
          "the extension hmac-secret-mc needs hmac-secret (CTAP 2.2 §12.8)" },
        { enterprise_without_certificate,
          "'options.ep' needs 'attestation' \"packed-basic\" (CTAP 2.1 §7.1)" },
        { enterprise_without_config,
          "'options.ep' needs 'options.authnrCfg' true, which switches it on (CTAP 2.1 §6.11.1)" },
        { enterprise_differs_from_option,
          "'options.ep' must be true exactly when 'state.enterprise' is" },
        { enterprise_rp_ids_alone,
          "'enterprise_rp_ids' needs 'options.ep' (CTAP 2.1 §7.1)" },
        { formats_without_default,
          "'attestation_formats' lacks the format of 'attestation'" },
        { resets_elsewhere,
          "'transports_for_reset' has a word that is not in 'transports'" },
        { locks_without_hid,
          "'hid_lock' needs \"usb\" in 'transports' (CTAP 2.1 §11.2.9.2)" },
        { ctap23_lacks_what_is_mandatory,
          "FIDO_2_3 needs the extension hmac-secret, credProtect where it verifies, and PIN "
          "protocol 2 where it has any (CTAP 2.3 §9)" },
};
/* clang-format on */

int
kp_key_facts_check(const struct kp_key_facts *facts, struct kp_error *err)
{
        for (size_t i = 0; i < KP_NELEMS(contradictions); i++)
                if (contradictions[i].holds(facts))
                        return KP_FAIL(err, KP_ESCHEMA, "contradiction: %s",
                                contradictions[i].says);
        return 0;
}
