/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "keypilot/core/file.h"
#include "keypilot/core/free.h"
#include "keypilot/core/random.h"
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

/* Load the named fixture with one member changed; why it is refused, or "". */
static const char *
load_changed(const char *id, const char *member, json_t *value, char why[1024])
{
        KP_CLEANUP(kp_free_str)
        char *from = kp_format("%s/authenticators/%s.json", fixtures(), id);
        char dir[] = "/tmp/keypilot-profile-XXXXXX";
        KP_CLEANUP(kp_free_str) char *to = NULL;
        KP_CLEANUP(kp_buf_done) struct kp_buf text = { 0 };
        KP_CLEANUP(kp_authenticator_profile_free)
        struct kp_authenticator_profile *profile = NULL;
        json_auto_t *json = NULL;
        struct kp_error err = { 0 };
        char name[64];
        const char *dot = strchr(member, '.');
        json_t *at;

        cr_assert_not_null(mkdtemp(dir));
        to = kp_format("%s/%s.json", dir, id);
        cr_assert_eq(kp_json_load(from, KP_JSON_MAX, &json, &err), 0);
        at = json;
        if (dot != NULL) {
                (void)snprintf(name, sizeof(name), "%.*s", (int)(dot - member), member);
                at = json_object_get(json, name);
                member = dot + 1;
        }
        if (value == NULL)
                cr_assert_eq(json_object_del(at, member), 0);
        else
                cr_assert_eq(json_object_set_new(at, member, value), 0);
        cr_assert_eq(kp_json_write(json, &text, &err), 0);
        cr_assert_eq(kp_file_write(to, text.data, text.len, &err), 0);
        why[0] = '\0';
        if (kp_authenticator_profile_load_from(fixtures(), to, &profile, &err) < 0)
                (void)kp_error_format(&err, why, 1024);
        (void)unlink(to);
        (void)rmdir(dir);
        return why;
}

Test(authenticator, every_profile_in_the_folder_loads)
{
        KP_CLEANUP(kp_names_done) struct kp_names files = { 0 };
        KP_CLEANUP(kp_free_str) char *dir = kp_format("%s/authenticators", fixtures());
        struct kp_error err = { 0 };

        cr_assert_eq(kp_dir_list(dir, ".json", &files, &err), 0);
        cr_assert_geq(files.n_names, 65);
        for (size_t i = 0; i < files.n_names; i++) {
                KP_CLEANUP(kp_authenticator_profile_free)
                struct kp_authenticator_profile *profile = NULL;
                KP_CLEANUP(kp_free_str)
                char *path = kp_format("%s/%s", dir, files.names[i]);
                char why[1024];

                cr_expect_eq(kp_authenticator_profile_load(path, &profile, &err), 0,
                        "%s", kp_error_format(&err, why, sizeof(why)));
                cr_expect_eq(strncmp(kp_authenticator_profile_id(profile),
                                     files.names[i], strlen(files.names[i]) - 5),
                        0, "%s", files.names[i]);
        }
}

Test(authenticator, every_member_of_a_profile_has_a_source)
{
        KP_CLEANUP(kp_authenticator_profile_free)
        struct kp_authenticator_profile *profile = load("icloud-keychain");
        const json_t *sources =
                json_object_get(kp_authenticator_profile_json(profile), "sources");

        cr_assert(strlen(kp_authenticator_profile_facts(profile)->source) > 0);
        cr_assert_str_eq(kp_json_str(json_object_get(sources, "backup"), "status", ""),
                "assumed");
}

Test(authenticator, like_takes_the_model_and_adds_the_state)
{
        KP_CLEANUP(kp_authenticator_profile_free)
        struct kp_authenticator_profile *plain = load("yubikey-5-57");
        KP_CLEANUP(kp_authenticator_profile_free)
        struct kp_authenticator_profile *pin = load("yubikey-5-57-pin");
        const struct kp_key_facts *a = kp_authenticator_profile_facts(plain);
        const struct kp_key_facts *b = kp_authenticator_profile_facts(pin);

        cr_assert_eq(memcmp(a->aaguid, b->aaguid, 16), 0);
        cr_assert_eq(b->places, 100);
        cr_assert_eq(a->pin, KP_PIN_NONE);
        cr_assert_eq(b->pin, KP_PIN_SET);
        cr_assert_eq(a->options[KP_OPTION_CLIENT_PIN], 0);
        cr_assert_eq(b->options[KP_OPTION_CLIENT_PIN], 1);
        cr_assert_eq(
                b->options[KP_OPTION_CRED_MGMT], 1, "options are merged one by one");
        cr_assert_str_eq(kp_authenticator_profile_title(pin).en,
                "YubiKey 5, firmware 5.7, PIN set");
}

Test(authenticator, the_test_pin_is_there_only_where_one_is_set_and_long_enough)
{
        KP_CLEANUP(kp_authenticator_profile_free)
        struct kp_authenticator_profile *none = load("token2-pinplus");
        KP_CLEANUP(kp_authenticator_profile_free)
        struct kp_authenticator_profile *six = load("token2-pinplus-pin");

        cr_assert_null(kp_authenticator_profile_test_pin(none));
        cr_assert_geq(strlen(kp_authenticator_profile_test_pin(six)), 6);
        cr_assert_eq(kp_authenticator_profile_facts(six)->min_pin_length, 6);
}

Test(authenticator, what_is_wrong_is_refused_by_name)
{
        /* clang-format off */
        const struct {
                const char *id, *member, *json, *says;
        } wrong[] = {
                { "yubikey-5-57", "places", NULL, "member 'places' is missing" },
                { "yubikey-5-57", "places", "\"many\"", "member 'places': expected an integer" },
                { "yubikey-5-57", "places", "-1", "'places': expected a number from 0" },
                { "yubikey-5-57", "color", "\"blue\"", "member 'color' is not known" },
                { "yubikey-5-57", "versions", "[\"FIDO_2_4\"]", "\"FIDO_2_4\" is not one of" },
                { "yubikey-5-57", "versions", "[]", "must not be empty" },
                { "yubikey-5-57", "versions", "[\"FIDO_2_0\",\"FIDO_2_0\"]", "is there twice" },
                { "yubikey-5-57", "extensions", "[\"hmacSecret\"]", "\"hmacSecret\" is not one of" },
                { "yubikey-5-57", "aaguid", "\"19083C3D-8383-4b18-bc03-8f1c9ab2fd1b\"", "member 'aaguid'" },
                { "yubikey-5-57", "aaguid", "\"19083c3d\"", "member 'aaguid'" },
                { "yubikey-5-57", "options.resident", "true", "'resident' is no option ID" },
                { "yubikey-5-57", "options.rk", "1", "'options.rk': expected true or false" },
                { "yubikey-5-57", "algorithms", "[-65535]", "member 'algorithms'" },
                { "yubikey-5-57", "algorithms", "[-7,-7]", "-7 is there twice" },
                { "yubikey-5-57", "pin_uv_auth_protocols", "[3]", "'pin_uv_auth_protocols'" },
                { "yubikey-5-57", "attestation", "\"paper\"", "\"paper\" is not one of" },
                { "yubikey-5-57", "state.pin", "\"yes\"", "\"yes\" is not one of" },
                { "yubikey-5-57", "state.colour", "1", "member 'state'" },
                { "yubikey-5-57", "state.used", "101", "'state.used': expected 0 to 100" },
                { "yubikey-5-57", "id", "\"yubikey-5-58\"", "member 'id': expected \"yubikey-5-57\"" },
                { "yubikey-5-57", "sources", "{\"colour\":{\"status\":\"verified\",\"source\":\"x\"}}", "no member 'colour'" },
                { "yubikey-5-57", "sources", "{\"places\":{\"status\":\"sure\",\"source\":\"x\"}}", "\"sure\" is not one of" },
                { "yubikey-5-57", "tells", "[\"colour\"]", "\"colour\" is not one of" },
                { "yubikey-5-57-pin", "like", "\"no-such-key\"", "member 'like'" },
                { "yubikey-5-57-pin", "like", "\"yubikey-5-52-pin\"", "is itself like another" },
                { "yubikey-5-57-pin", "like", "\"../keys/x\"", "member 'like'" },
                { "yubikey-5-57-pin", "like", "7", "member 'like'" },
                { "yubikey-5-57-pin", "source", NULL, "must be the file's own" },
                /* contradictions */
                { "yubikey-5-57", "options.clientPin", "true", "'options.clientPin' must be true exactly" },
                { "yubikey-5-57", "state.pin", "\"set\"", "'options.clientPin' must be true exactly" },
                { "yubikey-5-57", "options.pinUvAuthToken", "false", "needs 'options.pinUvAuthToken'" },
                { "yubikey-5-57", "options.credMgmt", "false", "needs 'options.credMgmt'" },
                { "yubikey-5-57", "options.rk", "false", "'options.rk'" },
                { "yubikey-5-57", "pin_uv_auth_protocols", NULL, "'pin_uv_auth_protocols' goes with" },
                { "yubikey-5-57", "max_cred_blob_length", NULL, "credBlob goes with" },
                { "yubikey-5-57", "attachment", "\"platform\"", "'options.plat'" },
                { "yubikey-5-57", "transports", "[\"internal\"]", "'transports' has \"internal\"" },
                { "yubikey-5-57", "attestation", "\"fido-u2f\"", "\"fido-u2f\" exactly for keys" },
                { "yubikey-5-57", "algorithms", "[-8]", "needs -7" },
                { "yubikey-5-57", "credential_id_length", "200", "above 'max_credential_id_length'" },
                { "yubikey-5-57", "uv_retries", "3", "'uv_retries' goes with" },
                { "yubikey-5-57", "state.force_pin_change", "true", "needs a PIN that is set" },
                { "yubikey-5-57", "backup", "{\"eligible\":false,\"state\":true}", "'backup.eligible'" },
                { "yubikey-5-51", "options.pinUvAuthToken", "true", "needs FIDO_2_1" },
                { "yubikey-4-u2f", "options", "{\"rk\":true}", "speaks only U2F" },
                { "yubikey-4-u2f", "attestation", "\"packed-self\"", "\"fido-u2f\" exactly" },
        };
        /* clang-format on */
        char why[1024];

        for (size_t i = 0; i < KP_NELEMS(wrong); i++) {
                json_t *value = NULL;

                if (wrong[i].json != NULL)
                        value = json_loads(wrong[i].json, JSON_DECODE_ANY, NULL);
                load_changed(wrong[i].id, wrong[i].member, value, why);
                cr_expect_not_null(strstr(why, wrong[i].says), "%s %s = %s: \"%s\"",
                        wrong[i].id, wrong[i].member,
                        wrong[i].json == NULL ? "(gone)" : wrong[i].json, why);
        }
        cr_assert_str_eq(load_changed("yubikey-5-57", "places", json_integer(7), why),
                "", "the unchanged file must pass from any folder");
}

Test(authenticator, the_batch_certificate_is_what_webauthn_asks_for)
{
        KP_CLEANUP(kp_authenticator_profile_free)
        struct kp_authenticator_profile *profile = load("yubikey-5-57");
        KP_CLEANUP(kp_free_x509) X509 *certificate = NULL;
        KP_CLEANUP(kp_free_str)
        char *root = kp_format("%s/keys/attestation-root.pem", fixtures());
        size_t len;
        const uint8_t *der = kp_authenticator_profile_certificate(profile, &len),
                      *at = der;
        X509_NAME *name;
        ASN1_OBJECT *oid = OBJ_txt2obj("1.3.6.1.4.1.45724.1.1.4", 1);
        X509_EXTENSION *aaguid;
        char text[80];

        certificate = d2i_X509(NULL, &at, (long)len);
        cr_assert_not_null(certificate);
        cr_assert_eq(X509_get_version(certificate), X509_VERSION_3);
        name = X509_get_subject_name(certificate);
        cr_assert_eq(
                X509_NAME_get_text_by_NID(name, NID_countryName, text, sizeof(text)),
                2);
        cr_assert_gt(X509_NAME_get_text_by_NID(
                             name, NID_organizationName, text, sizeof(text)),
                0);
        cr_assert_gt(X509_NAME_get_text_by_NID(
                             name, NID_organizationalUnitName, text, sizeof(text)),
                0);
        cr_assert_str_eq(text, "Authenticator Attestation");
        cr_assert_gt(
                X509_NAME_get_text_by_NID(name, NID_commonName, text, sizeof(text)), 0);
        cr_assert_eq(X509_check_ca(certificate), 0);
        cr_assert_neq(X509_get_extension_flags(certificate) & EXFLAG_BCONS, 0);
        aaguid = X509_get_ext(certificate, X509_get_ext_by_OBJ(certificate, oid, -1));
        ASN1_OBJECT_free(oid);
        cr_assert_not_null(aaguid);
        cr_assert_eq(X509_EXTENSION_get_critical(aaguid), 0);
        cr_assert_eq(ASN1_STRING_length(X509_EXTENSION_get_data(aaguid)), 18);
        cr_assert_eq(memcmp(ASN1_STRING_get0_data(X509_EXTENSION_get_data(aaguid)) + 2,
                             kp_authenticator_profile_facts(profile)->aaguid, 16),
                0);
        cr_assert_eq(X509_check_private_key(
                             certificate, kp_authenticator_profile_batch_key(profile)),
                1);
}

Test(authenticator, the_same_model_has_the_same_certificate_each_time)
{
        KP_CLEANUP(kp_authenticator_profile_free)
        struct kp_authenticator_profile *a = load("yubikey-5-57");
        KP_CLEANUP(kp_authenticator_profile_free)
        struct kp_authenticator_profile *b = load("yubikey-5-57");
        KP_CLEANUP(kp_authenticator_profile_free)
        struct kp_authenticator_profile *other = load("yubikey-5-52");
        size_t a_len, b_len, other_len;
        const uint8_t *a_der = kp_authenticator_profile_certificate(a, &a_len);
        const uint8_t *b_der = kp_authenticator_profile_certificate(b, &b_len);
        const uint8_t *other_der =
                kp_authenticator_profile_certificate(other, &other_len);

        cr_assert(kp_bytes_equal(a_der, a_len, b_der, b_len));
        cr_assert(!kp_bytes_equal(a_der, a_len, other_der, other_len));
}

Test(authenticator, loading_takes_nothing_from_the_randomness_of_the_run)
{
        struct kp_random *a = NULL, *b = NULL;
        KP_CLEANUP(kp_authenticator_profile_free)
        struct kp_authenticator_profile *profile = NULL;
        struct kp_error err = { 0 };
        uint8_t from_a[16], from_b[16];

        cr_assert_eq(kp_random_new_seeded("s", "l", &a, &err), 0);
        cr_assert_eq(kp_random_new_seeded("s", "l", &b, &err), 0);
        kp_random_install(a);
        /* a certificate is made, RSA keys are read */
        profile = load("swissbit-ishield");
        kp_random_install(NULL);
        kp_random_bytes(a, from_a, sizeof(from_a));
        kp_random_bytes(b, from_b, sizeof(from_b));
        cr_assert_eq(memcmp(from_a, from_b, sizeof(from_a)), 0);
        kp_random_free(&a);
        kp_random_free(&b);
}

Test(authenticator, the_pool_of_rsa_keys_is_there_for_keys_that_sign_with_it)
{
        KP_CLEANUP(kp_authenticator_profile_free)
        struct kp_authenticator_profile *hello = load("windows-hello-hw");
        KP_CLEANUP(kp_authenticator_profile_free)
        struct kp_authenticator_profile *icloud = load("icloud-keychain");
        KP_CLEANUP(kp_free_pkey) EVP_PKEY *pkey = NULL;
        struct kp_error err = { 0 };

        cr_assert_eq(kp_authenticator_profile_n_test_keys(hello), 8);
        cr_assert_eq(kp_authenticator_profile_test_key(hello, 7, &pkey, &err), 0);
        cr_assert_eq(EVP_PKEY_get_bits(pkey), 2048);
        cr_assert_eq(kp_authenticator_profile_n_test_keys(icloud), 0);
        kp_free_pkey(&pkey);
        cr_assert_eq(kp_authenticator_profile_test_key(hello, 8, &pkey, &err), -1);
}

Test(authenticator, options_stand_in_canonical_order)
{
        for (int i = 1; i < KP_N_OPTIONS; i++) {
                const char *a = kp_key_option_name((enum kp_key_option_id)(i - 1));
                const char *b = kp_key_option_name((enum kp_key_option_id)i);

                cr_expect(strlen(a) < strlen(b) ||
                                  (strlen(a) == strlen(b) && strcmp(a, b) < 0),
                        "%s before %s", a, b);
        }
}
