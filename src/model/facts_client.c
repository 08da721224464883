/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/model/profile.h"

/*
 * What profiles of clients state: a browser, a web view or a program between page and
 * key. Names and words are those of the survey that the profiles were made from. The
 * values of a word that actors act upon are closed lists: another word is refused when
 * it is loaded.
 */
/* clang-format off */
const struct kp_fact_type kp_facts_client[] = {
        /* is it there, and for whom */
        { "webauthn_supported", KP_STRING, "yes|no|no_unless_app_enables|only_rp_ids_linked_to_the_app|ctap_only", false, "is the API there for a page or an app" },
        { "app_opts_in", KP_STRING, "no|for_app|for_browser", true, "what the app around a web view has switched on" },
        { "app_linked_rp_ids", KP_STRINGS, NULL, true, "RP IDs that the app is linked to by association files" },
        { "app_origin", KP_STRING, NULL, true, "origin that an app's own calls carry in the client data" },
        { "http_localhost", KP_STRING, "yes|no|not_applicable", false, "is http://localhost as good as HTTPS" },
        { "related_origins", KP_STRING, "yes_max_5_labels|no|not_applicable", false, "one RP ID for several registrable domains" },
        /* where a page stands, and what the person did */
        { "cross_origin_iframe_get", KP_STRING, "allowed_with_permissions_policy|allowed_with_iframe_allow_attribute|denied|not_applicable", false, "may another site's frame log in" },
        { "cross_origin_iframe_create", KP_STRING, "allowed_with_permissions_policy_and_user_activation|allowed_with_iframe_allow_attribute_and_user_activation|denied|not_applicable", false, "may another site's frame enrol" },
        { "user_activation_required", KP_STRING, "no|cross_origin_create_only|create_and_get|not_applicable", false, "must the person have clicked just before" },
        { "conditional_get", KP_STRING, "yes|no|only_with_extension|not_applicable", false, "passkeys among the suggestions of a text field" },
        { "conditional_create", KP_STRING, "yes_if_credential_manager_agrees|yes|no|not_applicable", false, "a passkey added after a login, without a dialog" },
        { "hints", KP_STRING, "yes|no|not_applicable", false, "is the site's hint followed about which kind of key to offer first" },
        { "default_timeout", KP_OBJECT, NULL, false, "default_ms, min_ms, max_ms of a ceremony; absent: none, -1: for ever" },
        /* which keys it reaches */
        { "usb_security_keys", KP_STRING, "yes|only_by_fallback_to_browser|no", false, "keys in a USB port" },
        { "nfc_security_keys", KP_STRING, "yes|only_by_fallback_to_browser|no|u2f_only_before_play_services_26_03_then_ctap2", false, "keys held against the device" },
        { "ble", KP_STRING, "yes|no", false, "keys over Bluetooth" },
        { "hybrid_transport", KP_STRING, "yes|yes_needs_bluetooth|yes_by_os|client_and_authenticator|no_without_bluetooth_adapter|no", false, "a passkey on a phone nearby" },
        { "platform_aaguids", KP_STRINGS, NULL, false, "AAGUIDs of the device's passkey providers" },
        { "extension_aaguids", KP_STRINGS, NULL, false, "AAGUIDs of passkey providers that people add to the browser" },
        { "transports_reported", KP_STRING, "yes|always_usb|no|from_getinfo", false, "what the site learns about how to reach the key" },
        /* user verification */
        { "can_set_pin_on_key", KP_STRING, "yes|no|no_during_create", false, "can a person set a first PIN in its dialogs" },
        { "uv_required_without_pin_behaviour", KP_STRING, "prompt_set_pin|silent_uv0|fail", false, "verification is required and the key has no PIN" },
        { "uv_preferred_with_pinless_key", KP_STRING, "prompt_set_pin|uv0", false, "verification is preferred and the key has no PIN" },
        /* discoverable credentials */
        { "residentkey_member", KP_STRING, "yes|read_by_code|no|omit_false_true", false, "is residentKey read, or only requireResidentKey" },
        { "residentkey_on_usb", KP_STRING, "yes|yes_uv_forced|yes_uv_not_forced|only_if_credProps_requested_and_preference|no", false, "discoverable credentials on security keys" },
        { "resident_key_preferred_fallback_when_full", KP_STRING, "create_non_resident|fail", false, "residentKey preferred and the key is full" },
        { "allow_list_of_unknown_types", KP_STRING, "treated_as_empty|error", false, "allowCredentials in which no type is known" },
        /* privacy */
        { "attestation_direct_consent", KP_STRING, "user_notice_unless_rp_id_in_SecurityKeyPermitAttestation|user_prompt_unless_rp_id_in_SecurityKeyPermitAttestation|consent_prompt_refusal_anonymises|never_sent_always_none|no_dialog_statement_always_returned|none|prompt", false, "what happens when a site asks for attestation" },
        { "aaguid_zeroing", KP_STRING, "attestation_none_zeroes_aaguid_of_external_keys_keeps_it_for_internal_and_hybrid|anonymising_removes_statement_and_aaguid|zeroed_for_none|kept|never", false, "does the site learn the model when it asks for none" },
        /* extensions */
        { "cred_protect", KP_STRING, "level2_when_rk_preferred_or_required_level3_when_rk_required_and_uv_preferred_unless_site_asks|only_when_site_asks|only_when_caller_asks|listed_as_supported|no", false, "credProtect, asked or unasked" },
        { "misplaced_extensions", KP_STRING, "refused|ignored", false, "extension inputs that contradict the request or belong to the other ceremony" },
        { "cred_blob", KP_STRING, "yes|no", false, "credBlob" },
        { "large_blob", KP_STRING, "create_and_get|create_only_listed|external_keys_only|no", false, "largeBlob" },
        { "min_pin_length", KP_STRING, "yes_key_must_list_rp_id|listed_as_supported|yes|no", false, "minPinLength" },
        { "prf", KP_STRING, "create_and_get|create_only|create_only_listed|raw_hmac_secret|no", false, "prf over hmac-secret" },
        { "appid", KP_STRING, "get_only_same_registrable_domain|get_only|yes|no", false, "U2F keys of before" },
        { "public_key_getters", KP_STRING, "es256_rs256_eddsa|es256_only_others_null|no|not_applicable", false, "the public key as SubjectPublicKeyInfo" },
        /* cookies and forms, for whoever plays the rest of the browser */
        { "samesite_default", KP_STRING, "unspecified_is_lax_with_2_minute_post_exception|unspecified_is_none|not_applicable", false, "a cookie without SameSite" },
        /* in no profile: nobody here has frames with cookies of their own */
        { "third_party_cookies", KP_STRING, "allowed_by_default_blocked_in_incognito|trackers_blocked_by_tracking_prevention|partitioned_per_site_trackers_blocked|itp_protections_on_by_default|blocked|not_applicable", true, "cookies of another site's frame" },
        { "auto_post_forms", KP_STRING, "yes|no|not_applicable", false, "does a form that a script submits go out" },
        { NULL },
};
/* clang-format on */
