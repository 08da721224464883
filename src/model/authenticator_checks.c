/* SPDX-License-Identifier: BSD-2-Clause */
#include "authenticator_checks.h"

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

static bool
is_ctap2(const struct kp_key_facts *facts)
{
        return is_version(facts, "FIDO_2_0") || is_version(facts, "FIDO_2_1_PRE") ||
               is_version(facts, "FIDO_2_1");
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

        return is_version(f, "FIDO_2_1") && verifies &&
               !on(f, KP_OPTION_PIN_UV_AUTH_TOKEN);
}

static bool
token_before_ctap21(const struct kp_key_facts *f)
{
        return on(f, KP_OPTION_PIN_UV_AUTH_TOKEN) && !is_version(f, "FIDO_2_1");
}

static bool
ctap21_without_management(const struct kp_key_facts *f)
{
        return is_version(f, "FIDO_2_1") && on(f, KP_OPTION_RK) &&
               has(f, KP_OPTION_CLIENT_PIN) && !on(f, KP_OPTION_CRED_MGMT);
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
no_mc_ga(const struct kp_key_facts *f)
{
        return on(f, KP_OPTION_NO_MC_GA_WITH_PIN);
}

static bool
blob_without_length(const struct kp_key_facts *f)
{
        return kp_words_have(&f->extensions, "credBlob") !=
               (f->max_cred_blob_length > 0);
}

static bool
min_pin_without_pin(const struct kp_key_facts *f)
{
        bool told = f->tells_min_pin_length ||
                    kp_words_have(&f->extensions, "minPinLength");

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
        { no_mc_ga,
          "'options.noMcGaPermissionsWithClientPin' true is not simulated" },
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
