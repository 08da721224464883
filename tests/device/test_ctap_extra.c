/* SPDX-License-Identifier: BSD-2-Clause */
#include <fido.h>
#include <fido/config.h>

#include "keypilot/codec/authdata.h"
#include "keypilot/codec/cose.h"
#include "keypilot/codec/hash.h"

#include "stranger.h"

/*
 * PINs, tokens, passkeys, settings and fingers through our client; libfido2 as somebody
 * else's on the same key sees what ours did, and the other way round.
 */
#define PIN "2468-extra"

/* ---- getInfo ---- */

static void
expect_same_info(const char *profile)
{
        struct kp_key_info ours, theirs;
        struct kp_error err = { 0 };
        const struct kp_key_facts *facts;
        struct stranger stranger;
        struct bench bench;

        bench_open(&bench, profile);
        facts = kp_authenticator_profile_facts(bench.profile);
        ours = bench_info(&bench);
        if (ours.u2f_only) {
                bench_close(&bench);
                return;
        }
        stranger_open(&stranger, &bench);
        must(stranger.driver.ops->info(stranger.driver.self, &theirs, &err), &err);
        /* encrypted anew each time */
        cr_expect_eq(ours.enc_identifier_len, theirs.enc_identifier_len);
        memset(ours.enc_identifier, 0, sizeof(ours.enc_identifier));
        memset(theirs.enc_identifier, 0, sizeof(theirs.enc_identifier));
        memset(ours.enc_store_state, 0, sizeof(ours.enc_store_state));
        memset(theirs.enc_store_state, 0, sizeof(theirs.enc_store_state));
        cr_expect_eq(memcmp(&ours, &theirs, sizeof(ours)), 0, "%s", profile);
        /* against the profile, not against the code that reads */
        cr_expect_eq(ours.max_large_blob, facts->max_large_blob, "%s", profile);
        cr_expect_eq(ours.max_cred_blob, facts->max_cred_blob_length, "%s", profile);
        cr_expect_eq(ours.uv_modality, facts->uv_modality, "%s", profile);
        cr_expect_eq(ours.uv_attempts, facts->platform_uv_attempts, "%s", profile);
        cr_expect_eq(ours.n_certifications, facts->n_certifications, "%s", profile);
        cr_expect_eq(ours.n_transports_for_reset, facts->transports_for_reset.n);
        cr_expect_eq(ours.n_vendor_commands, facts->n_vendor_config_commands);
        cr_expect_eq(ours.long_touch_for_reset,
                facts->long_touch_for_reset < 0   ? KP_OMIT
                : facts->long_touch_for_reset > 0 ? KP_TRUE
                                                  : KP_FALSE);
        cr_expect_str_eq(ours.pin_complexity_url,
                facts->pin_complexity_url == NULL ? "" : facts->pin_complexity_url);
        cr_expect_eq(ours.enc_identifier_len, facts->tells_identifier ? 32 : 0);
        cr_expect_eq(ours.enc_store_state_len, facts->tells_store_state ? 32 : 0);
        cr_expect_eq(ours.tells_config_commands, facts->tells_config_commands);
        cr_expect_eq(ours.uv_count >= 0, facts->tells_uv_count);
        kp_driver_close(&stranger.driver);
        bench_close(&bench);
}

/* Spec: CTAP 2.1 §6.4 */
Test(ctap_extra, both_drivers_read_every_member_of_getinfo)
{
        cr_expect_gt(each_profile(expect_same_info), 30);
}

/* Spec: CTAP 2.3 §6.4 */
Test(ctap_extra, a_key_of_ctap_23_tells_it_all)
{
        struct kp_key_info info;
        struct bench bench;

        bench_open(&bench, "keypilot-23");
        info = bench_info(&bench);
        cr_expect_eq(info.max_large_blob, 4096);
        cr_expect_eq(info.max_cred_blob, 64);
        cr_expect_eq(info.max_rp_ids, 8);
        cr_expect_eq(info.uv_attempts, 3);
        cr_expect_eq(info.uv_modality, 2);
        cr_expect_eq(info.n_certifications, 1);
        cr_expect_str_eq(info.certifications[0].name, "FIDO");
        cr_expect_eq(info.certifications[0].level, 1);
        cr_expect_eq(info.vendor_commands[0], 7739275264553842);
        cr_expect_geq(info.n_attestation_formats, 2);
        cr_expect_str_eq(info.attestation_formats[0], "packed");
        cr_expect_eq(info.uv_count, 0);
        cr_expect_eq(info.long_touch_for_reset, KP_FALSE);
        cr_expect_eq(info.enc_identifier_len, 32);
        cr_expect_str_eq(info.transports_for_reset[0], "usb");
        cr_expect_eq(info.pin_complexity_policy, KP_FALSE);
        cr_expect_str_eq(info.pin_complexity_url, "https://keypilot.example/pin");
        cr_expect_eq(info.max_pin_len, 63);
        cr_expect_eq(info.enc_store_state_len, 32);
        cr_expect_eq(info.n_config_commands, 5);
        cr_expect_eq(info.config_commands[4], 0xff);
        bench_close(&bench);
}

/* What is too long, or of another type, is absent; nothing is read past its end. Spec: CTAP 2.1 §6.4 */
Test(ctap_extra, odd_members_of_getinfo_are_left_out)
{
        struct kp_buf text = { 0 };
        struct kp_key_info info;
        struct kp_error err = { 0 };
        const uint8_t aaguid[16] = { 0 };
        char long_name[300];

        memset(long_name, 'x', sizeof(long_name) - 1);
        long_name[sizeof(long_name) - 1] = '\0';
        kp_cbor_put_map(&text, 10);
        kp_cbor_put_int(&text, 1);
        kp_cbor_put_array(&text, 1);
        kp_cbor_put_text(&text, "FIDO_2_1");
        kp_cbor_put_int(&text, 3);
        kp_cbor_put_bytes(&text, aaguid, sizeof(aaguid));
        kp_cbor_put_int(&text, 0x13);
        kp_cbor_put_map(&text, 1);
        kp_cbor_put_text(&text, long_name);
        kp_cbor_put_int(&text, 1);
        kp_cbor_put_int(&text, 0x15);
        kp_cbor_put_array(&text, 20);
        for (int i = 0; i < 20; i++)
                kp_cbor_put_int(&text, i - 10);
        kp_cbor_put_int(&text, 0x16);
        kp_cbor_put_int(&text, 1);
        kp_cbor_put_int(&text, 0x18);
        kp_cbor_put_text(&text, "yes");
        kp_cbor_put_int(&text, 0x19);
        kp_cbor_put_bytes(&text, long_name, sizeof(long_name));
        kp_cbor_put_int(&text, 0x1c);
        kp_cbor_put_bytes(&text, long_name, sizeof(long_name) - 1);
        kp_cbor_put_int(&text, 0x1e);
        kp_cbor_put_text(&text, "state");
        kp_cbor_put_int(&text, 0x1f);
        kp_cbor_put_array(&text, 40);
        for (int i = 0; i < 40; i++)
                kp_cbor_put_int(&text, i);
        must(kp_key_info_parse(text.data, text.len, &info, &err), &err);
        cr_expect_eq(info.n_certifications, 0);
        cr_expect_eq(info.n_vendor_commands, 8);
        cr_expect_eq(info.n_attestation_formats, 0);
        cr_expect_eq(info.long_touch_for_reset, KP_OMIT);
        cr_expect_eq(info.enc_identifier_len, 0);
        cr_expect_str_eq(info.pin_complexity_url, "");
        cr_expect_eq(info.enc_store_state_len, 0);
        cr_expect_eq(info.n_config_commands, KP_NELEMS(info.config_commands));
        kp_buf_done(&text);
}

/* ---- PINs and tokens ---- */

static unsigned n_changed;

static void
change_pin(const char *profile)
{
        static const char other[] = "another-97531";
        struct kp_error err = { 0 };
        struct stranger stranger;
        struct bench bench;
        struct kp_said said;
        int retries = 0;

        bench_open(&bench, profile);
        if (!with_pin(&bench, PIN)) {
                bench_close(&bench);
                return;
        }
        n_changed++;
        must(bench.extra.pin->change(
                     bench.extra.self, "not the PIN", other, &said, &err),
                &err);
        cr_expect_str_eq(word(&said), "CTAP2_ERR_PIN_INVALID");
        must(bench.extra.pin->change(bench.extra.self, bench.pin, "123", &said, &err),
                &err);
        cr_expect_str_eq(word(&said), "CTAP2_ERR_PIN_POLICY_VIOLATION");
        must(bench.extra.pin->change(bench.extra.self, bench.pin, other, &said, &err),
                &err);
        cr_expect_str_eq(word(&said), "CTAP2_OK", "%s: %s", profile, word(&said));
        stranger_open(&stranger, &bench);
        cr_expect_eq(fido_dev_get_retry_count(stranger.dev, &retries), FIDO_OK);
        cr_expect_eq(retries, 8, "%s: %d", profile, retries);
        cr_expect_eq(fido_dev_set_pin(stranger.dev, bench.pin, other), FIDO_OK,
                "%s: somebody else's client knows the new PIN", profile);
        kp_driver_close(&stranger.driver);
        bench_close(&bench);
}

/* Spec: CTAP 2.1 §6.5.5.6 */
Test(ctap_extra, a_pin_that_was_changed_is_the_new_one_for_everybody)
{
        (void)each_profile(change_pin);
        cr_expect_gt(n_changed, 15, "only %u keys", n_changed);
}

/* One PIN entry, and what a touch leaves of the token. Spec: CTAP 2.1 §6.5.5.7 */
Test(ctap_extra, a_token_serves_one_ceremony)
{
        struct kp_make_reply made;
        struct kp_get_reply got;
        struct kp_token token;
        struct bench bench;
        struct kp_bytes id;

        bench_open(&bench, "keypilot-23-set");
        token = token_for(&bench, KP_CTAP_PERM_MC | KP_CTAP_PERM_GA, BENCH_RP);
        /* a silent look first, as a browser does: it takes nothing from the token */
        got = bench_get(
                &bench, (struct kp_get_request){ .token = &token, .up = KP_FALSE });
        cr_expect_eq(got.status, KP_CTAP2_ERR_NO_CREDENTIALS);
        kp_get_reply_done(&got);
        made = bench_make(
                &bench, (struct kp_make_request){ .rk = KP_TRUE, .token = &token });
        cr_assert_eq(made.status, KP_CTAP_OK, "%s", kp_ctap_status_name(made.status));
        cr_expect_eq(made.auth_data.data[32] & 0x05, 0x05, "touched and verified");
        cr_expect_eq(token.permissions, 0);
        id = bench_id(&made);
        got = bench_get(&bench,
                (struct kp_get_request){ .token = &token, .allow = &id, .n_allow = 1 });
        cr_expect_eq(got.status, KP_CTAP2_ERR_PIN_AUTH_INVALID);
        kp_get_reply_done(&got);
        kp_token_wipe(&token);
        cr_expect_eq(token.len, 0);
        kp_make_reply_done(&made);
        bench_close(&bench);
}

/* Spec: CTAP 2.1 §6.5.2.1 */
Test(ctap_extra, a_token_ends_by_itself)
{
        struct kp_get_reply got;
        struct kp_token token;
        struct bench bench;

        bench_open(&bench, "keypilot-23-set");
        token = token_for(&bench, KP_CTAP_PERM_GA, BENCH_RP);
        kp_clock_advance(&bench.clock, 31000); /* nobody used it */
        kp_authenticator_tick(bench.key, kp_clock_ms(&bench.clock));
        got = bench_get(&bench, (struct kp_get_request){ .token = &token });
        cr_expect_eq(got.status, KP_CTAP2_ERR_PIN_AUTH_INVALID);
        kp_get_reply_done(&got);
        token = token_for(&bench, KP_CTAP_PERM_GA, "elsewhere.example");
        got = bench_get(&bench, (struct kp_get_request){ .token = &token });
        cr_expect_eq(got.status, KP_CTAP2_ERR_PIN_AUTH_INVALID, "another's token");
        kp_get_reply_done(&got);
        kp_token_wipe(&token);
        bench_close(&bench);
}

/* A key that has its own verification: no PIN, and the tries are its own. Spec: CTAP 2.1 §6.5.5.7.3 */
Test(ctap_extra, a_finger_gives_a_token_too)
{
        struct kp_error err = { 0 };
        struct kp_token token = { 0 };
        struct kp_get_reply got;
        struct bench bench;
        struct kp_said said;
        int retries = 0;

        bench_open(&bench, "yubikey-bio");
        must(bench.extra.pin->uv_retries(bench.extra.self, &retries, &said, &err),
                &err);
        cr_expect(kp_said_ok(&said));
        cr_expect_gt(retries, 0);
        must(bench.extra.pin->token(bench.extra.self,
                     &(struct kp_token_wish){ NULL, KP_CTAP_PERM_GA, BENCH_RP }, &token,
                     &said, &err),
                &err);
        cr_assert(kp_said_ok(&said), "%s", word(&said));
        got = bench_get(&bench, (struct kp_get_request){ .token = &token });
        cr_expect_eq(got.status, KP_CTAP2_ERR_NO_CREDENTIALS);
        kp_get_reply_done(&got);
        bench_close(&bench);
}

/* Reset: within ten seconds of power-up, and nothing is left. Spec: CTAP 2.1 §6.6 */
Test(ctap_extra, a_reset_leaves_nothing_and_is_in_time_only)
{
        struct kp_error err = { 0 };
        struct kp_make_reply made;
        struct kp_get_reply got;
        struct kp_key_info info;
        struct kp_said said;
        struct bench bench;

        bench_open(&bench, "keypilot-23-set");
        made = bench_make(
                &bench, (struct kp_make_request){ .rk = KP_TRUE, .pin = bench.pin });
        cr_assert_eq(made.status, KP_CTAP_OK);
        kp_clock_advance(&bench.clock, 11000);
        must(bench.extra.pin->reset(bench.extra.self, &said, &err), &err);
        cr_expect_str_eq(word(&said), "CTAP2_ERR_NOT_ALLOWED");
        bench_replug(&bench);
        must(bench.extra.pin->reset(bench.extra.self, &said, &err), &err);
        cr_expect_str_eq(word(&said), "CTAP2_OK");
        info = bench_info(&bench);
        cr_expect_eq(kp_key_option(&info, "clientPin"), KP_FALSE);
        got = bench_get(&bench, (struct kp_get_request){ 0 });
        cr_expect_eq(got.status, KP_CTAP2_ERR_NO_CREDENTIALS);
        kp_get_reply_done(&got);
        kp_make_reply_done(&made);
        bench_close(&bench);
}

/* ---- what a request can ask ---- */

static const cbor_item_t *
extension(const struct kp_buf *auth_data, const char *name, cbor_item_t **ret_map)
{
        struct kp_authdata data;
        struct kp_error err = { 0 };

        must(kp_authdata_parse(
                     auth_data->data, auth_data->len, KP_CBOR_CTAP2, &data, &err),
                &err);
        if (data.extensions == NULL)
                return NULL;
        must(kp_cbor_parse(data.extensions, data.extensions_len, KP_CBOR_CTAP2, ret_map,
                     NULL, &err),
                &err);
        return kp_cbor_at_str(*ret_map, name);
}

/* hmac-secret-mc gives at birth what hmac-secret gives at login. Spec: CTAP 2.2 §12.8 */
Test(ctap_extra, the_secret_at_birth_is_the_secret_at_login)
{
        static const uint8_t salts[64] = { 1, 2, 3 };

        for (size_t len = 32; len <= 64; len += 32) {
                struct kp_make_reply made;
                struct kp_get_reply got;
                struct bench bench;
                struct kp_bytes id;

                bench_open(&bench, "keypilot-23-set");
                made = bench_make(&bench, (struct kp_make_request){ .pin = bench.pin,
                                                  .hmac_secret = true,
                                                  .hmac_salts = { salts, len } });
                cr_assert_eq(made.status, KP_CTAP_OK, "%s",
                        kp_ctap_status_name(made.status));
                cr_assert_eq(made.hmac_output.len, len);
                id = bench_id(&made);
                got = bench_get(&bench, (struct kp_get_request){ .pin = bench.pin,
                                                .allow = &id,
                                                .n_allow = 1,
                                                .hmac_salts = { salts, len } });
                cr_assert_eq(got.n_assertions, 1);
                cr_expect(kp_bytes_equal(made.hmac_output.data, len,
                        got.assertions[0].hmac_output.data,
                        got.assertions[0].hmac_output.len));
                kp_get_reply_done(&got);
                kp_make_reply_done(&made);
                bench_close(&bench);
        }
}

/* Spec: CTAP 2.1 §12 */
Test(ctap_extra, newer_extensions_are_asked_and_answered)
{
        cbor_item_t *map = NULL;
        struct kp_make_reply made;
        struct kp_get_reply got;
        struct bench bench;
        struct kp_bytes id;

        bench_open(&bench, "keypilot-23-set");
        for (int pays = 0; pays <= 1; pays++) {
                made = bench_make(&bench, (struct kp_make_request){ .pin = bench.pin,
                                                  .uvm = true,
                                                  .third_party_payment = pays });
                cr_assert_eq(made.status, KP_CTAP_OK);
                cr_expect_not_null(extension(&made.auth_data, "uvm", &map));
                kp_free_cbor(&map);
                id = bench_id(&made);
                got = bench_get(&bench, (struct kp_get_request){ .pin = bench.pin,
                                                .allow = &id,
                                                .n_allow = 1,
                                                .uvm = true,
                                                .third_party_payment = true });
                cr_assert_eq(got.n_assertions, 1);
                cr_expect_not_null(
                        extension(&got.assertions[0].auth_data, "uvm", &map));
                kp_free_cbor(&map);
                cr_expect_eq(got.assertions[0].third_party_payment,
                        pays ? KP_TRUE : KP_FALSE);
                kp_get_reply_done(&got);
                got = bench_get(
                        &bench, (struct kp_get_request){
                                        .pin = bench.pin, .allow = &id, .n_allow = 1 });
                cr_assert_eq(got.n_assertions, 1);
                cr_expect_eq(got.assertions[0].third_party_payment, KP_OMIT);
                kp_get_reply_done(&got);
                kp_make_reply_done(&made);
        }
        bench_close(&bench);
}

/* Spec: CTAP 2.2 §6.1, attestationFormatsPreference: the first one that the key knows */
Test(ctap_extra, the_preferred_format_is_given)
{
        static const struct {
                const char *formats[3];
                size_t n;
                const char *given;
        } table[] = {
                { { NULL }, 0, "packed" },
                { { "none" }, 1, "none" },
                { { "android-safetynet", "fido-u2f", "none" }, 3, "fido-u2f" },
                { { "packed", "none" }, 2, "packed" },
                { { "android-safetynet" }, 1, "packed" },
        };
        struct bench bench;

        bench_open(&bench, "keypilot-23");
        for (size_t i = 0; i < KP_NELEMS(table); i++) {
                struct kp_make_reply made = bench_make(
                        &bench, (struct kp_make_request){ .formats = table[i].formats,
                                        .n_formats = table[i].n });

                cr_assert_eq(made.status, KP_CTAP_OK, "%zu: %s", i,
                        kp_ctap_status_name(made.status));
                cr_expect_str_eq(
                        made.format, table[i].given, "%zu: %s", i, made.format);
                kp_make_reply_done(&made);
        }
        bench_close(&bench);
}

/* libfido2 says that it cannot, before anything goes out. Spec: ours */
Test(ctap_extra, what_libfido2_cannot_ask_it_refuses)
{
        static const char *const formats[] = { "none" };
        static const uint8_t salts[32] = { 1 };
        static const int es256 = -7;
        struct kp_token token = { .protocol = 2, .len = 32 };
        const struct kp_make_request makes[] = {
                { .formats = formats, .n_formats = 1 },
                { .hmac_secret = true, .hmac_salts = { salts, sizeof(salts) } },
                { .third_party_payment = true },
                { .pin_complexity_policy = true },
                { .uvm = true },
                { .enterprise = 1 },
                { .token = &token },
        };
        const struct kp_get_request gets[] = {
                { .third_party_payment = true },
                { .uvm = true },
                { .token = &token },
        };
        struct kp_error err;
        struct stranger stranger;
        struct kp_extra extra;
        struct bench bench;

        bench_open(&bench, "keypilot-23");
        stranger_open(&stranger, &bench);
        for (size_t i = 0; i < KP_NELEMS(makes); i++) {
                struct kp_make_request request = makes[i];
                struct kp_make_reply reply;

                request.rp_id = BENCH_RP;
                request.user_id = (struct kp_bytes){ salts, 4 };
                request.algorithms = &es256;
                request.n_algorithms = 1;
                err = (struct kp_error){ 0 };
                cr_expect_eq(stranger.driver.ops->make(
                                     stranger.driver.self, &request, &reply, &err),
                        -1, "make %zu", i);
                cr_expect_eq(err.code, KP_EUNSUPPORTED, "make %zu", i);
        }
        for (size_t i = 0; i < KP_NELEMS(gets); i++) {
                struct kp_get_request request = gets[i];
                struct kp_get_reply reply;

                request.rp_id = BENCH_RP;
                err = (struct kp_error){ 0 };
                cr_expect_eq(stranger.driver.ops->get(
                                     stranger.driver.self, &request, &reply, &err),
                        -1, "get %zu", i);
                cr_expect_eq(err.code, KP_EUNSUPPORTED, "get %zu", i);
        }
        err = (struct kp_error){ 0 };
        cr_expect_eq(kp_driver_extra(&stranger.driver, &extra, &err), -1);
        cr_expect_eq(err.code, KP_EUNSUPPORTED);
        kp_driver_close(&stranger.driver);
        bench_close(&bench);
}

/* ---- settings ---- */

static const char *
config(struct bench *bench, struct kp_config what)
{
        struct kp_pin_or_token by_pin = bench_proof(bench);
        struct kp_error err = { 0 };
        struct kp_said said;

        must(bench->extra.config->set(bench->extra.self, &what, &by_pin, &said, &err),
                &err);
        return word(&said);
}

/* Spec: CTAP 2.1 §6.11 */
Test(ctap_extra, settings_are_set_and_told)
{
        static const char *const rp_ids[] = { BENCH_RP, "two.example" };
        cbor_item_t *map = NULL;
        struct kp_make_reply made;
        struct stranger stranger;
        struct bench bench;
        fido_cbor_info_t *told = fido_cbor_info_new();
        const cbor_item_t *item;
        int64_t min = 0;

        bench_open(&bench, "keypilot-23");
        bench_set_pin(&bench, PIN);
        cr_expect_not(has_option(&bench, "ep"));
        cr_expect_not(has_option(&bench, "alwaysUv"));
        cr_expect_str_eq(
                config(&bench, (struct kp_config){ KP_CONFIG_ALWAYS_UV }), "CTAP2_OK");
        cr_expect(has_option(&bench, "alwaysUv"));
        cr_expect_str_eq(
                config(&bench, (struct kp_config){ KP_CONFIG_ALWAYS_UV }), "CTAP2_OK");
        cr_expect_not(has_option(&bench, "alwaysUv"));
        cr_expect_str_eq(
                config(&bench, (struct kp_config){ KP_CONFIG_ENTERPRISE }), "CTAP2_OK");
        cr_expect(has_option(&bench, "ep"));
        cr_expect_str_eq(
                config(&bench, (struct kp_config){ KP_CONFIG_LONG_TOUCH }), "CTAP2_OK");
        cr_expect_eq(bench_info(&bench).long_touch_for_reset, KP_TRUE);
        cr_expect_str_eq(
                config(&bench, (struct kp_config){ KP_CONFIG_MIN_PIN, .min_pin_len = 5,
                                       .rp_ids = rp_ids, .n_rp_ids = 2 }),
                "CTAP2_OK");
        stranger_open(&stranger, &bench);
        cr_assert_eq(fido_dev_get_cbor_info(stranger.dev, told), FIDO_OK);
        cr_expect_eq(fido_cbor_info_minpinlen(told), 5);
        made = bench_make(&bench,
                (struct kp_make_request){ .pin = bench.pin, .min_pin_length = true });
        cr_assert_eq(made.status, KP_CTAP_OK);
        item = extension(&made.auth_data, "minPinLength", &map);
        cr_expect(kp_cbor_is_int(item, &min) && min == 5);
        cr_expect_str_eq(config(&bench, (struct kp_config){ KP_CONFIG_MIN_PIN,
                                                .min_pin_len = 4 }),
                "CTAP2_ERR_PIN_POLICY_VIOLATION");
        cr_expect_str_eq(config(&bench, (struct kp_config){ KP_CONFIG_MIN_PIN,
                                                .force_change = true }),
                "CTAP2_OK");
        cr_expect(bench_info(&bench).force_pin_change);
        kp_free_cbor(&map);
        kp_make_reply_done(&made);
        kp_driver_close(&stranger.driver);
        fido_cbor_info_free(&told);
        bench_close(&bench);
}

/* Spec: CTAP 2.1 §7.1 */
Test(ctap_extra, enterprise_attestation_is_given_where_it_is_on)
{
        struct kp_make_reply made;
        struct bench bench;

        bench_open(&bench, "keypilot-23");
        bench_set_pin(&bench, PIN);
        made = bench_make(
                &bench, (struct kp_make_request){ .pin = bench.pin, .enterprise = 2 });
        cr_expect_eq(made.status, KP_CTAP1_ERR_INVALID_PARAMETER);
        kp_make_reply_done(&made);
        cr_assert_str_eq(
                config(&bench, (struct kp_config){ KP_CONFIG_ENTERPRISE }), "CTAP2_OK");
        for (int level = 1; level <= 2; level++) {
                made = bench_make(&bench, (struct kp_make_request){ .pin = bench.pin,
                                                  .enterprise = level });
                cr_assert_eq(made.status, KP_CTAP_OK);
                cr_expect_eq(made.enterprise, level == 2, "level %d", level);
                kp_make_reply_done(&made);
        }
        made = bench_make(&bench, (struct kp_make_request){ .pin = bench.pin,
                                          .rp_id = "enterprise.example",
                                          .enterprise = 1 });
        cr_expect_eq(made.enterprise, 1, "the vendor's own list");
        kp_make_reply_done(&made);
        bench_close(&bench);
}

/* ---- what a key does not have ---- */

/* Spec: CTAP 2.1 §6.4 */
Test(ctap_extra, what_a_key_does_not_have_is_not_asked)
{
        struct kp_error err = { 0 };
        struct kp_finger_info fingers;
        struct kp_extra extra;
        struct kp_buf got = { 0 };
        struct kp_said said;
        struct bench bench;
        int64_t used, left;
        bool found;

        bench_open(&bench, "solo-1"); /* CTAP 2.0 */
        cr_expect_eq(
                bench.extra.blobs->read(bench.extra.self, &got, &found, &said, &err),
                -1);
        cr_expect_eq(err.code, KP_EUNSUPPORTED);
        cr_expect_eq(
                bench.extra.config->set(bench.extra.self,
                        &(struct kp_config){ KP_CONFIG_ALWAYS_UV }, NULL, &said, &err),
                -1);
        cr_expect_eq(err.code, KP_EUNSUPPORTED);
        cr_expect_eq(
                bench.extra.fingers->info(bench.extra.self, &fingers, &said, &err), -1);
        cr_expect_eq(err.code, KP_EUNSUPPORTED);
        cr_expect_eq(bench.extra.passkeys->places(
                             bench.extra.self, NULL, &used, &left, &said, &err),
                -1);
        cr_expect_eq(err.code, KP_EUNSUPPORTED);
        bench_close(&bench);
        bench_open(&bench, "yubikey-4-u2f");
        cr_expect_eq(kp_driver_extra(&bench.driver, &extra, &err), -1);
        cr_expect_eq(err.code, KP_EUNSUPPORTED);
        bench_close(&bench);
}
