/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "keypilot/core/file.h"
#include "keypilot/core/free.h"
#include "keypilot/model/authenticator.h"

static const char *
fixtures(void)
{
        return getenv("KEYPILOT_FIXTURES");
}

static struct kp_authenticator_profile *
load(const char *id)
{
        KP_CLEANUP(kp_free_str)
        char *path = kp_format("%s/authenticators/%s.json", fixtures(), id);
        struct kp_authenticator_profile *profile = NULL;
        struct kp_error err = { 0 };
        char why[1024];

        cr_assert_eq(kp_authenticator_profile_load(path, &profile, &err), 0, "%s",
                kp_error_format(&err, why, sizeof(why)));
        return profile;
}

/* JSON Merge Patch. Spec: RFC 7396 §2 */
static void
patch(json_t *target, const json_t *with)
{
        const char *name;
        json_t *value;

        json_object_foreach ((json_t *)with, name, value) {
                json_t *old = json_object_get(target, name);

                if (json_is_null(value))
                        (void)json_object_del(target, name);
                else if (json_is_object(value) && json_is_object(old))
                        patch(old, value);
                else
                        cr_assert_eq(json_object_set(target, name, value), 0);
        }
}

/* Load the named fixture, patched; why it is refused, or "". */
static const char *
load_patched(const char *id, const char *text, char why[1024])
{
        KP_CLEANUP(kp_free_str)
        char *from = kp_format("%s/authenticators/%s.json", fixtures(), id);
        char dir[] = "/tmp/keypilot-profile-XXXXXX";
        KP_CLEANUP(kp_free_str) char *to = NULL;
        KP_CLEANUP(kp_buf_done) struct kp_buf out = { 0 };
        KP_CLEANUP(kp_authenticator_profile_free)
        struct kp_authenticator_profile *profile = NULL;
        json_auto_t *json = NULL, *with = json_loads(text, 0, NULL);
        struct kp_error err = { 0 };

        cr_assert_not_null(with, "%s", text);
        cr_assert_not_null(mkdtemp(dir));
        to = kp_format("%s/%s.json", dir, id);
        cr_assert_eq(kp_json_load(from, KP_JSON_MAX, &json, &err), 0);
        patch(json, with);
        cr_assert_eq(kp_json_write(json, &out, &err), 0);
        cr_assert_eq(kp_file_write(to, out.data, out.len, &err), 0);
        why[0] = '\0';
        if (kp_authenticator_profile_load_from(fixtures(), to, &profile, &err) < 0)
                (void)kp_error_format(&err, why, 1024);
        (void)unlink(to);
        (void)rmdir(dir);
        return why;
}

Test(facts, members_of_ctap_23_are_read)
{
        KP_CLEANUP(kp_authenticator_profile_free)
        struct kp_authenticator_profile *profile = load("keypilot-23-set");
        const struct kp_key_facts *f = kp_authenticator_profile_facts(profile);

        cr_assert_eq(f->max_large_blob, 4096);
        cr_assert_eq(f->max_pin_length, 63);
        cr_assert_eq(f->n_certifications, 1);
        cr_assert_str_eq(f->certifications[0].name, "FIDO");
        cr_assert_eq(f->certifications[0].level, 1);
        cr_assert_eq(f->n_vendor_config_commands, 1);
        cr_assert_eq(f->vendor_config_commands[0], 7739275264553842);
        cr_assert_eq(f->long_touch_for_reset, 0);
        cr_assert(!f->long_touch_fixed);
        cr_assert_eq(f->transports_for_reset.n, 1);
        cr_assert_str_eq(f->transports_for_reset.word[0], "usb");
        cr_assert_eq(f->pin_complexity_policy, 0);
        cr_assert_str_eq(f->pin_complexity_url, "https://keypilot.example/pin");
        cr_assert(f->tells_attestation_formats && f->tells_uv_count &&
                  f->tells_identifier && f->tells_store_state &&
                  f->tells_config_commands);
        cr_assert_eq(f->attestation_formats.n, 6);
        cr_assert_str_eq(f->attestation_formats.word[0], "packed");
        cr_assert_eq(f->enterprise_rp_ids.n, 1);
        cr_assert_str_eq(f->enterprise_rp_ids.word[0], "enterprise.example");
        cr_assert_eq(f->bio_templates, 10);
        cr_assert_eq(f->bio_samples, 4);
        cr_assert_eq(f->bio_name_length, 64);
        cr_assert(f->hid_lock && f->hid_wink);
        cr_assert_eq(f->fingers, 1);
        cr_assert(f->enterprise);
        cr_assert(kp_words_have(&f->extensions, "hmac-secret-mc"));
        cr_assert(kp_words_have(&f->extensions, "thirdPartyPayment"));
        cr_assert(kp_words_have(&f->extensions, "pinComplexityPolicy"));
        cr_assert_eq(f->options[KP_OPTION_PER_CRED_MGMT_RO], 1);
}

Test(facts, what_a_file_leaves_out_is_not_told)
{
        KP_CLEANUP(kp_authenticator_profile_free)
        struct kp_authenticator_profile *profile = load("solo-1");
        const struct kp_key_facts *f = kp_authenticator_profile_facts(profile);

        cr_assert_eq(f->max_large_blob, 0);
        cr_assert_eq(f->max_pin_length, 0);
        cr_assert_eq(f->n_certifications, 0);
        cr_assert_eq(f->n_vendor_config_commands, 0);
        cr_assert_eq(f->long_touch_for_reset, -1);
        cr_assert_eq(f->transports_for_reset.n, 0);
        cr_assert_eq(f->pin_complexity_policy, -1);
        cr_assert_null(f->pin_complexity_url);
        cr_assert(!f->tells_attestation_formats && !f->tells_uv_count &&
                  !f->tells_identifier && !f->tells_store_state &&
                  !f->tells_config_commands);
        cr_assert_eq(f->enterprise_rp_ids.n, 0);
        cr_assert_eq(f->bio_templates, 0);
        cr_assert(f->hid_wink && !f->hid_lock, "the usual CTAPHID commands");
        cr_assert_eq(f->fingers, 0);
        cr_assert(!f->enterprise);
}

Test(facts, the_format_of_the_attestation_is_there_unless_told_otherwise)
{
        static const struct {
                const char *id, *format;
                enum kp_key_attestation attestation;
        } keys[] = {
                { "icloud-keychain", "none", KP_ATTESTATION_NONE },
                { "opensk", "packed", KP_ATTESTATION_PACKED_SELF },
                { "yubikey-5-57", "packed", KP_ATTESTATION_PACKED_BASIC },
                { "yubikey-4-u2f", "fido-u2f", KP_ATTESTATION_FIDO_U2F },
                { "windows-hello-vbs", "tpm", KP_ATTESTATION_TPM },
                { "android-platform-key", "android-key", KP_ATTESTATION_ANDROID_KEY },
                { "apple-platform", "apple", KP_ATTESTATION_APPLE },
        };

        for (size_t i = 0; i < KP_NELEMS(keys); i++) {
                KP_CLEANUP(kp_authenticator_profile_free)
                struct kp_authenticator_profile *profile = load(keys[i].id);
                const struct kp_key_facts *f = kp_authenticator_profile_facts(profile);

                cr_expect_eq(f->attestation, keys[i].attestation, "%s", keys[i].id);
                cr_expect_eq(f->attestation_formats.n, 1, "%s", keys[i].id);
                cr_expect_str_eq(f->attestation_formats.word[0], keys[i].format);
        }
}

Test(facts, certifications_stand_in_canonical_order)
{
        KP_CLEANUP(kp_authenticator_profile_free)
        struct kp_authenticator_profile *profile = load("yubikey-5-fips-54");
        const struct kp_key_facts *f = kp_authenticator_profile_facts(profile);

        cr_assert_eq(f->n_certifications, 2);
        cr_assert_str_eq(f->certifications[0].name, "FIPS-CMVP-2");
        cr_assert_eq(f->certifications[0].level, 2);
        cr_assert_str_eq(f->certifications[1].name, "FIPS-CMVP-2-PHY");
        cr_assert_eq(f->certifications[1].level, 3);
}

Test(facts, a_version_that_is_forbidden_needs_a_witness)
{
        char why[1024];

        load_patched("yubikey-5-58", "{\"versions\":[\"FIDO_2_1\",\"FIDO_2_2\"]}", why);
        cr_assert_not_null(strstr(why, "FIDO_2_2 must not be present"), "%s", why);
        load_patched("yubikey-5-58",
                "{\"versions\":[\"FIDO_2_1\",\"FIDO_2_2\"],\"sources\":{\"versions\":"
                "{\"status\":\"assumed\",\"source\":\"x\"}}}",
                why);
        cr_assert_not_null(strstr(why, "FIDO_2_2 must not be present"), "%s", why);
        load_patched("yubikey-5-58",
                "{\"versions\":[\"FIDO_2_1\",\"FIDO_2_2\"],\"sources\":{\"versions\":"
                "{\"status\":\"reported\",\"source\":\"x\"}}}",
                why);
        cr_assert_str_eq(why, "");
}

/* Each simulated, none a contradiction: uncommon, and right. */
Test(facts, uncommon_keys_load)
{
        static const struct {
                const char *id, *json;
        } right[] = {
                { "yubikey-bio",
                        "{\"options\":{\"noMcGaPermissionsWithClientPin\":true}}" },
                { "yubikey-5-58", "{\"versions\":[\"FIDO_2_3\"]}" },
                { "keypilot-23",
                        "{\"options\":{\"bioEnroll\":null,\"uvBioEnroll\":null}}" },
                { "windows-hello-sw", "{\"attestation\":\"tpm\"}" },
                { "yubikey-5-57", "{\"pin_complexity_policy\":true}" },
        };
        char why[1024];

        for (size_t i = 0; i < KP_NELEMS(right); i++)
                cr_expect_str_eq(load_patched(right[i].id, right[i].json, why), "",
                        "%s %s: %s", right[i].id, right[i].json, why);
}

Test(facts, members_that_are_wrong_are_refused_by_name)
{
        /* clang-format off */
        static const struct {
                const char *json, *says;
        } wrong[] = {
                { "{\"max_pin_length\":7}", "'max_pin_length': expected a number from 8" },
                { "{\"max_pin_length\":64}", "'max_pin_length': expected a number from 8" },
                { "{\"bio_templates\":0}", "'bio_templates': expected a number from 1" },
                { "{\"bio_samples\":65}", "'bio_samples': expected a number" },
                { "{\"bio_name_length\":65}", "'bio_name_length': expected a number" },
                { "{\"certifications\":{\"FIDO\":7}}", "'certifications.FIDO': expected a level from 1 to 6" },
                { "{\"certifications\":{\"CC-EAL\":0}}", "'certifications.CC-EAL': expected a level from 1 to 7" },
                { "{\"certifications\":{\"FIDO\":true}}", "'certifications.FIDO'" },
                { "{\"certifications\":{\"ISO\":1}}", "'ISO' is no certification" },
                { "{\"certifications\":[]}", "'certifications': expected an object" },
                { "{\"vendor_prototype_config_commands\":[-1]}", "'vendor_prototype_config_commands'" },
                { "{\"vendor_prototype_config_commands\":[5,5]}", "5 is there twice" },
                { "{\"vendor_prototype_config_commands\":[1,2,3,4,5]}", "more than 4" },
                { "{\"attestation_formats\":[\"packed\",\"paper\"]}", "\"paper\" is not one of" },
                { "{\"transports_for_reset\":[\"post\"]}", "\"post\" is not one of" },
                { "{\"enterprise_rp_ids\":[\"\"]}", "'enterprise_rp_ids': a word is empty" },
                { "{\"enterprise_rp_ids\":[\"a\",\"a\"]}", "is there twice" },
                { "{\"long_touch_for_reset\":1}", "'long_touch_for_reset': expected true or false" },
                { "{\"pin_complexity_policy\":\"yes\"}", "'pin_complexity_policy': expected true" },
                { "{\"pin_complexity_policy_url\":7}", "'pin_complexity_policy_url': expected a string" },
                { "{\"hid_lock\":\"yes\"}", "'hid_lock': expected true" },
                { "{\"state\":{\"fingers\":11}}", "'state.fingers': expected 0 to 10" },
                { "{\"state\":{\"enterprise\":1}}", "member 'state'" },
                { "{\"tells\":[\"enc_identifier\"]}", "\"enc_identifier\" is not one of" },
                { "{\"attestation\":\"paper\"}", "\"paper\" is not one of" },
                { "{\"extensions\":[\"hmac-secret-get\"]}", "\"hmac-secret-get\" is not one of" },
                { "{\"versions\":[\"FIDO_2_4\"]}", "\"FIDO_2_4\" is not one of" },
                { "{\"algorithms\":[-37]}", "member 'algorithms'" },
        };
        /* clang-format on */
        char why[1024];

        for (size_t i = 0; i < KP_NELEMS(wrong); i++) {
                load_patched("keypilot-23", wrong[i].json, why);
                cr_expect_not_null(
                        strstr(why, wrong[i].says), "%s: \"%s\"", wrong[i].json, why);
        }
}

Test(facts, members_that_cannot_be_true_together_are_refused_with_the_rule)
{
        /* clang-format off */
        static const struct {
                const char *id, *json, *says;
        } wrong[] = {
                { "keypilot-23", "{\"min_pin_length\":null}", "needs 'min_pin_length'" },
                { "windows-hello-sw", "{\"max_pin_length\":63}", "'max_pin_length' needs 'options.clientPin'" },
                { "keypilot-23", "{\"min_pin_length\":20,\"max_pin_length\":10}", "is below 'min_pin_length'" },
                { "keypilot-23", "{\"extensions\":[\"hmac-secret\",\"credProtect\",\"credBlob\",\"largeBlobKey\"]}", "'options.setMinPINLength' true needs" },
                { "keypilot-23", "{\"options\":{\"setMinPINLength\":false}}", "'max_rpids_for_set_min_pin_length' needs" },
                { "windows-hello-sw", "{\"pin_complexity_policy\":true}", "'pin_complexity_policy' needs 'options.clientPin'" },
                { "keypilot-23", "{\"pin_complexity_policy\":null}", "the extension pinComplexityPolicy needs" },
                { "yubikey-5-52", "{\"vendor_prototype_config_commands\":[1]}", "need 'options.authnrCfg' true" },
                { "yubikey-5-52", "{\"tells\":[\"config_commands\"]}", "need 'options.authnrCfg' true" },
                { "yubikey-5-58", "{\"long_touch_for_reset\":null}", "'long_touch_fixed' needs" },
                { "yubikey-5-57", "{\"options\":{\"uvBioEnroll\":true}}", "uvBioEnroll needs bioEnroll" },
                { "yubikey-5-52", "{\"options\":{\"uvAcfg\":true}}", "uvAcfg needs authnrCfg" },
                { "windows-hello-sw", "{\"options\":{\"noMcGaPermissionsWithClientPin\":false}}", "noMcGaPermissionsWithClientPin needs clientPin" },
                { "yubikey-5-52", "{\"options\":{\"perCredMgmtRO\":true}}", "'options.perCredMgmtRO' true needs" },
                { "keypilot-23", "{\"bio_samples\":null}", "'bio_templates', 'bio_samples' and 'bio_name_length' go with" },
                { "yubikey-5-57", "{\"bio_templates\":5}", "'bio_templates', 'bio_samples' and 'bio_name_length' go with" },
                { "feitian-biopass", "{\"sources\":null,\"bio_templates\":null,\"state\":{\"fingers\":0}}", "all three" },
                { "feitian-biopass", "{\"sources\":null,\"options\":{\"uv\":null},\"uv_retries\":null}", "need 'options.uv'" },
                { "yubikey-bio", "{\"state\":{\"fingers\":0}}", "true exactly when there are 'state.fingers'" },
                { "yubikey-bio", "{\"options\":{\"bioEnroll\":false}}", "true exactly when there are 'state.fingers'" },
                { "yubikey-bio", "{\"options\":{\"userVerificationMgmtPreview\":false}}", "true exactly when there are 'state.fingers'" },
                { "yubikey-5-57", "{\"tells\":[\"uv_count\"]}", "uv_count in 'tells' needs 'options.uv'" },
                { "yubikey-5-57", "{\"max_serialized_large_blob_array\":null}", "'options.largeBlobs' is true exactly when" },
                { "nitrokey-3-am", "{\"max_serialized_large_blob_array\":1024}", "'options.largeBlobs' is true exactly when" },
                { "yubikey-5-52", "{\"extensions\":[\"largeBlobKey\"]}", "the extension largeBlobKey needs" },
                { "keypilot-23", "{\"extensions\":[\"hmac-secret\",\"credProtect\",\"credBlob\",\"minPinLength\",\"largeBlob\"]}", "the extension largeBlob excludes" },
                { "yubikey-5-57", "{\"extensions\":[\"hmac-secret\",\"credBlob\",\"minPinLength\"]}", "the extension credBlob needs credProtect" },
                { "yubikey-5-57", "{\"extensions\":[\"hmac-secret-mc\",\"credProtect\",\"credBlob\",\"minPinLength\"]}", "the extension hmac-secret-mc needs" },
                { "keypilot-23", "{\"attestation\":\"packed-self\"}", "'options.ep' needs 'attestation'" },
                { "yubikey-5-52", "{\"options\":{\"ep\":false}}", "'options.ep' needs 'options.authnrCfg'" },
                { "keypilot-23", "{\"state\":{\"enterprise\":true}}", "'options.ep' must be true exactly" },
                { "yubikey-5-57", "{\"enterprise_rp_ids\":[\"a.example\"]}", "'enterprise_rp_ids' needs 'options.ep'" },
                { "yubikey-5-57", "{\"attestation_formats\":[\"none\"]}", "lacks the format of 'attestation'" },
                { "yubikey-5-57", "{\"transports_for_reset\":[\"nfc\"]}", "not in 'transports'" },
                { "idemia-id-one", "{\"hid_lock\":true}", "'hid_lock' needs" },
                { "yubikey-5-58", "{\"extensions\":[\"minPinLength\",\"credProtect\",\"credBlob\"]}", "FIDO_2_3 needs" },
                { "yubikey-5-58", "{\"extensions\":[\"minPinLength\",\"hmac-secret\"],\"max_cred_blob_length\":null}", "FIDO_2_3 needs" },
                { "yubikey-5-58", "{\"pin_uv_auth_protocols\":[1]}", "FIDO_2_3 needs" },
                { "yubikey-5-58", "{\"versions\":[\"FIDO_2_3\"],\"options\":{\"pinUvAuthToken\":false,\"perCredMgmtRO\":false}}", "needs 'options.pinUvAuthToken'" },
        };
        /* clang-format on */
        char why[1024];

        for (size_t i = 0; i < KP_NELEMS(wrong); i++) {
                load_patched(wrong[i].id, wrong[i].json, why);
                cr_expect_not_null(strstr(why, wrong[i].says), "%s %s: \"%s\"",
                        wrong[i].id, wrong[i].json, why);
                cr_expect_str_eq(load_patched(wrong[i].id, "{}", why), "",
                        "%s is right as it stands: %s", wrong[i].id, why);
        }
}
