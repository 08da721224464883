/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/core/file.h"

#include "rig.h"

/*
 * authenticatorGetInfo of every profile, told from the profile's JSON by a second road
 * that knows nothing of how a key reads it. Spec: CTAP 2.1 §6.4
 */

/* ---- CBOR as JSON: byte strings become "h'0a0b'" ---- */

static json_t *
as_json(const cbor_item_t *item)
{
        const uint8_t *bytes;
        const char *text;
        size_t n;
        int64_t number;
        bool yes;

        if (kp_cbor_is_bool(item, &yes))
                return json_boolean(yes);
        if (kp_cbor_is_int(item, &number))
                return json_integer(number);
        if (kp_cbor_is_text(item, &text, &n))
                return json_stringn(text, n);
        if (kp_cbor_is_bytes(item, &bytes, &n)) {
                KP_CLEANUP(kp_buf_done) struct kp_buf hex = { 0 };

                kp_buf_put_hex(&hex, bytes, n);
                return json_sprintf("h'%s'", kp_buf_str(&hex));
        }
        if (kp_cbor_is_array(item, &n)) {
                json_t *array = json_array();

                for (size_t i = 0; i < n; i++)
                        json_array_append_new(
                                array, as_json(cbor_array_handle(item)[i]));
                return array;
        }
        cr_assert(kp_cbor_is_map(item, &n), "a type that getInfo does not use");
        json_t *object = json_object();

        for (size_t i = 0; i < n; i++) {
                char name[64];
                const struct cbor_pair *pair = &cbor_map_handle(item)[i];

                if (kp_cbor_is_int(pair->key, &number))
                        (void)snprintf(name, sizeof(name), "%lld", (long long)number);
                else if (kp_cbor_is_text(pair->key, &text, &n))
                        (void)snprintf(name, sizeof(name), "%.*s", (int)n, text);
                n = cbor_map_size(item);
                json_object_set_new(object, name, as_json(pair->value));
        }
        return object;
}

/* ---- what a profile leads one to expect ---- */

static bool
listed(const json_t *array, const char *word)
{
        size_t i;
        json_t *item;

        json_array_foreach ((json_t *)array, i, item)
                if (strcmp(json_string_value(item), word) == 0)
                        return true;
        return false;
}

static json_t *
without(const json_t *array, const char *a, const char *b)
{
        json_t *rest = json_array(), *item;
        size_t i;

        json_array_foreach ((json_t *)array, i, item)
                if (strcmp(json_string_value(item), a) != 0 &&
                        strcmp(json_string_value(item), b) != 0)
                        json_array_append(rest, item);
        return rest;
}

static void
expect(json_t *info, int number, json_t *value)
{
        char name[8];

        (void)snprintf(name, sizeof(name), "%d", number);
        if (value != NULL)
                json_object_set_new(info, name, value);
}

/* Members that are told as they stand wherever the profile has them. */
static void
expect_plain(json_t *info, const json_t *profile)
{
        static const struct {
                int number;
                const char *member;
        } plain[] = {
                { 0x05, "max_msg_size" },
                { 0x06, "pin_uv_auth_protocols" },
                { 0x07, "max_credential_count_in_list" },
                { 0x08, "max_credential_id_length" },
                { 0x0b, "max_serialized_large_blob_array" },
                { 0x0d, "min_pin_length" },
                { 0x0e, "firmware_version" },
                { 0x0f, "max_cred_blob_length" },
                { 0x11, "preferred_platform_uv_attempts" },
                { 0x12, "uv_modality" },
                { 0x13, "certifications" },
                { 0x15, "vendor_prototype_config_commands" },
                { 0x18, "long_touch_for_reset" },
                { 0x1a, "transports_for_reset" },
                { 0x1b, "pin_complexity_policy" },
                { 0x1d, "max_pin_length" },
        };

        for (size_t i = 0; i < KP_NELEMS(plain); i++)
                expect(info, plain[i].number,
                        json_incref(json_object_get(profile, plain[i].member)));
}

static json_t *
algorithms_of(const json_t *profile)
{
        json_t *all = json_array(), *alg;
        size_t i;

        json_array_foreach (json_object_get(profile, "algorithms"), i, alg)
                json_array_append_new(
                        all, json_pack("{s:O, s:s}", "alg", alg, "type", "public-key"));
        return all;
}

static json_t *
aaguid_of(const json_t *profile)
{
        char hex[33];
        size_t n = 0;

        for (const char *at = kp_json_str(profile, "aaguid", ""); *at != '\0'; at++)
                if (*at != '-' && n < 32)
                        hex[n++] = *at;
        hex[n] = '\0';
        return json_sprintf("h'%s'", hex);
}

static void
expect_told(json_t *info, const json_t *profile)
{
        const json_t *tells = json_object_get(profile, "tells");
        const json_t *state = json_object_get(profile, "state");
        bool force = kp_json_bool(state, "force_pin_change", false);

        if (listed(tells, "transports"))
                expect(info, 0x09, json_incref(json_object_get(profile, "transports")));
        if (listed(tells, "algorithms"))
                expect(info, 0x0a, algorithms_of(profile));
        if (force || listed(tells, "force_pin_change"))
                expect(info, 0x0c, json_boolean(force));
        if (listed(tells, "remaining_discoverable_credentials"))
                expect(info, 0x14,
                        json_integer(kp_json_int(profile, "places", 0) -
                                     kp_json_int(state, "used", 0)));
        if (listed(tells, "uv_count"))
                expect(info, 0x17, json_integer(0));
}

/* While alwaysUv is on, makeCredUvNotRqd is told as false. Spec: CTAP 2.1 §7.2 */
static json_t *
options_now(const json_t *options)
{
        json_t *now = json_copy((json_t *)options);

        if (kp_json_bool(now, "alwaysUv", false) &&
                json_object_get(now, "makeCredUvNotRqd") != NULL)
                (void)json_object_set_new(now, "makeCredUvNotRqd", json_false());
        return now;
}

static json_t *
expected(const json_t *profile)
{
        const json_t *options = json_object_get(profile, "options");
        const json_t *versions = json_object_get(profile, "versions");
        json_t *info = json_object(), *extensions;

        expect_plain(info, profile);
        expect_told(info, profile);
        expect(info, 0x01,
                without(versions,
                        kp_json_bool(options, "alwaysUv", false) ? "U2F_V2" : "", ""));
        extensions = without(
                json_object_get(profile, "extensions"), "txAuthSimple", "largeBlob");
        if (json_array_size(extensions) > 0)
                expect(info, 0x02, json_incref(extensions));
        json_decref(extensions);
        expect(info, 0x03, aaguid_of(profile));
        expect(info, 0x04, options_now(options));
        if (kp_json_bool(options, "setMinPINLength", false))
                expect(info, 0x10,
                        json_integer(kp_json_int(
                                profile, "max_rpids_for_set_min_pin_length", 0)));
        return info;
}

/* ---- tests ---- */

/* rig_send() has seen that it is canonical; here: 1 to 0x1f, upwards. */
static void
check_numbers(const struct rig *rig, const char *id)
{
        int64_t before = 0, number;

        for (size_t i = 0; i < cbor_map_size(rig->map); i++) {
                cr_assert(kp_cbor_is_int(cbor_map_handle(rig->map)[i].key, &number),
                        "%s", id);
                cr_expect(number > before && number <= 0x1f, "%s: %lld", id,
                        (long long)number);
                before = number;
        }
}

/* Members with a test of their own. */
static void
drop_those_of_their_own(json_t *info)
{
        static const char *const own[] = { "22", "25", "28", "30", "31" };

        for (size_t i = 0; i < KP_NELEMS(own); i++)
                (void)json_object_del(info, own[i]);
}

static void
check_profile(const char *id)
{
        struct rig rig;
        json_auto_t *told = NULL, *want = NULL;
        char *a, *b;

        rig_open(&rig, id);
        if (rig_command(&rig, KP_CTAP_GET_INFO) != KP_CTAP_OK) {
                cr_expect_null(
                        json_object_get(
                                kp_authenticator_profile_json(rig.profile), "options"),
                        "%s: a key that speaks CTAP2 tells about itself", id);
                rig_close(&rig);
                return;
        }
        check_numbers(&rig, id);
        told = as_json(rig.map);
        drop_those_of_their_own(told);
        want = expected(kp_authenticator_profile_json(rig.profile));
        a = json_dumps(told, JSON_SORT_KEYS);
        b = json_dumps(want, JSON_SORT_KEYS);
        cr_expect_str_eq(a, b, "%s tells\n%s, expected\n%s", id, a, b);
        free(a);
        free(b);
        rig_close(&rig);
}

Test(info, every_key_says_what_its_profile_states)
{
        KP_CLEANUP(kp_names_done) struct kp_names files = { 0 };
        struct kp_error err = { 0 };
        char dir[512], id[128];

        (void)snprintf(
                dir, sizeof(dir), "%s/authenticators", getenv("KEYPILOT_FIXTURES"));
        cr_assert_eq(kp_dir_list(dir, ".json", &files, &err), 0);
        cr_assert_geq(files.n_names, 65);
        for (size_t i = 0; i < files.n_names; i++) {
                (void)snprintf(id, sizeof(id), "%.*s", (int)strlen(files.names[i]) - 5,
                        files.names[i]);
                check_profile(id);
        }
}

static const cbor_item_t *
member(struct rig *rig, int64_t number)
{
        expect_status(rig_command(rig, KP_CTAP_GET_INFO), KP_CTAP_OK);
        return kp_cbor_at_int(rig->map, number);
}

static void
expect_member(const char *id, int64_t number, const char *json)
{
        struct rig rig;
        const cbor_item_t *item;
        json_auto_t *told = NULL;
        char *text;

        rig_open(&rig, id);
        item = member(&rig, number);
        if (item != NULL)
                told = as_json(item);
        text = json_dumps(told, JSON_ENCODE_ANY | JSON_COMPACT);
        cr_expect_str_eq(text == NULL ? "nothing" : text, json, "%s: %lld", id,
                (long long)number);
        free(text);
        rig_close(&rig);
}

/* CTAP 2.3 §6.4, attestationFormats: "none" must be left out, an empty list as well */
Test(info, formats_are_told_without_none)
{
        expect_member("keypilot-23", 0x16,
                "[\"packed\",\"tpm\",\"android-key\",\"fido-u2f\",\"apple\"]");
        expect_member("yubikey-5-58", 0x16, "[\"packed\"]");
        expect_member("yubikey-5-57", 0x16, "nothing");
        expect_member("icloud-keychain", 0x16, "nothing");
}

/* CTAP 2.3 §6.4: the subcommands of authenticatorConfig that there are */
Test(info, config_commands_are_those_that_exist)
{
        expect_member("keypilot-23", 0x1f, "[1,2,3,4,255]");
        expect_member("yubikey-5-58", 0x1f, "[2,3]"); /* as the real one */
        expect_member("yubikey-5-57", 0x1f, "nothing");
}

Test(info, the_address_of_the_pin_policy_is_a_byte_string)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf hex = { 0 }, want = { 0 };
        static const char url[] = "https://keypilot.example/pin";

        kp_buf_put_hex(&hex, (const uint8_t *)url, strlen(url));
        kp_buf_printf(&want, "\"h'%s'\"", kp_buf_str(&hex));
        expect_member("keypilot-23", 0x1c, kp_buf_str(&want));
}

/* CTAP 2.3 §6.4, versions: FIDO_2_2 was never defined */
Test(info, no_key_claims_a_version_that_does_not_exist)
{
        expect_member("yubikey-5-58", 0x01,
                "[\"U2F_V2\",\"FIDO_2_0\",\"FIDO_2_1_PRE\",\"FIDO_2_1\",\"FIDO_2_3\"]");
}

/* CTAP 2.1 §7.2: U2F is off, makeCredUvNotRqd is false */
Test(info, always_uv_takes_u2f_away)
{
        expect_member("yubikey-5-57-always-uv", 0x01,
                "[\"FIDO_2_0\",\"FIDO_2_1_PRE\",\"FIDO_2_1\"]");
}

/* CTAP 2.3 §6.4: IV and one block, a fresh IV each time; the same after a power cycle
 * and another after a reset is for those who hold the persistent token to see. */
static void
check_encrypted(int64_t number)
{
        struct rig rig;
        const uint8_t *bytes;
        uint8_t first[32];
        size_t n;

        rig_open(&rig, "yubikey-5-58");
        cr_assert(kp_cbor_is_bytes(member(&rig, number), &bytes, &n),
                "a key fresh from the factory tells it");
        cr_assert_eq(n, 32);
        memcpy(first, bytes, n);
        cr_assert(kp_cbor_is_bytes(member(&rig, number), &bytes, &n));
        cr_assert_eq(n, 32);
        cr_assert_neq(memcmp(first, bytes, 16), 0, "the IV was used before");
        cr_assert_neq(memcmp(first + 16, bytes + 16, 16), 0);
        rig_close(&rig);
}

Test(info, the_identifier_and_the_store_state_are_encrypted_anew_each_time)
{
        check_encrypted(0x19);
        check_encrypted(0x1e);
        expect_member("yubikey-5-57", 0x19, "nothing");
        expect_member("yubikey-5-57", 0x1e, "nothing");
}

/* CTAP 2.1 §6.4, remainingDiscoverableCredentials: the real number */
Test(info, the_number_of_free_places_is_real)
{
        struct rig rig;
        struct ask ask = { .rk = TRUE_ };
        int64_t before = -1, after = -1;

        rig_open(&rig, "keypilot-23");
        cr_assert(kp_cbor_is_int(member(&rig, 0x14), &before));
        expect_status(rig_make(&rig, &ask), KP_CTAP_OK);
        cr_assert(kp_cbor_is_int(member(&rig, 0x14), &after));
        cr_assert_eq(before, 100);
        cr_assert_eq(after, 99);
        rig_close(&rig);
}

Test(info, it_is_told_without_a_touch_and_takes_nothing)
{
        struct rig rig;
        struct kp_buf message = { 0 };

        rig_open(&rig, "keypilot-23");
        kp_authenticator_set_finger(rig.key, KP_FINGER_WITHHOLDS, 0, false);
        expect_status(rig_command(&rig, KP_CTAP_GET_INFO), KP_CTAP_OK);
        /* what follows the command is not looked at: getInfo has no parameters */
        kp_buf_put_u8(&message, KP_CTAP_GET_INFO);
        kp_buf_put_u8(&message, 0xa0);
        expect_status(rig_send(&rig, &message), KP_CTAP_OK);
        rig_close(&rig);
}
