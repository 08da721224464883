/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "wire.h"

/* CredentialManagement, its persistent token, what is told under it. CTAP 2.1 §6.8 */

enum { METADATA = 1, RPS_BEGIN, RPS_NEXT, CREDS_BEGIN, CREDS_NEXT, DELETE, UPDATE };

static int64_t
number_at(const struct rig *rig, int64_t member)
{
        int64_t n = -1;

        (void)kp_cbor_is_int(kp_cbor_at_int(rig->map, member), &n);
        return n;
}

static struct kp_buf
rp_params(const char *rp_id)
{
        struct kp_buf params = { 0 };
        uint8_t hash[32];

        (void)SHA256((const uint8_t *)rp_id, strlen(rp_id), hash);
        kp_cbor_put_map(&params, 1);
        kp_cbor_put_int(&params, 1);
        kp_cbor_put_bytes(&params, hash, 32);
        return params;
}

static struct kp_buf
id_params(const struct kp_buf *id, const char *user_id, const char *name)
{
        struct kp_buf params = { 0 };

        kp_cbor_put_map(&params, user_id == NULL ? 1 : 2);
        kp_cbor_put_int(&params, 2);
        kp_cbor_put_map(&params, 2);
        kp_cbor_put_text(&params, "id");
        kp_cbor_put_bytes(&params, id->data, id->len);
        kp_cbor_put_text(&params, "type");
        kp_cbor_put_text(&params, "public-key");
        if (user_id != NULL) {
                kp_cbor_put_int(&params, 3);
                kp_cbor_put_map(&params, 2);
                kp_cbor_put_text(&params, "id");
                kp_cbor_put_bytes(&params, user_id, strlen(user_id));
                kp_cbor_put_text(&params, "name");
                kp_cbor_put_text(&params, name);
        }
        return params;
}

/* Three credentials of two parties, PIN set; returns the id of the second. */
static struct kp_buf
fill(struct rig *rig)
{
        struct kp_buf id;

        expect_status(rig_make(rig, &(struct ask){ .rk = TRUE_ }), 0);
        expect_status(
                rig_make(rig, &(struct ask){ .rk = TRUE_, .user_id = "user-2" }), 0);
        id = rig_id(rig);
        expect_status(
                rig_make(rig, &(struct ask){ .rk = TRUE_, .rp_id = "other.org" }), 0);
        /* not discoverable: not listed */
        expect_status(rig_make(rig, &(struct ask){ 0 }), 0);
        expect_status(rig_set_pin(rig, 1, NULL, "123456"), 0);
        return id;
}

static void
manager(struct rig *rig, int protocol, const char *rp_id, uint8_t token[32])
{
        const struct token_ask ask = { .sub_command = KP_CTAP_PIN_GET_TOKEN_PIN_PERMS,
                .protocol = protocol,
                .pin = "123456",
                .permissions = KP_CTAP_PERM_CM,
                .rp_id = rp_id };

        expect_status(rig_token(rig, &ask, token), 0);
}

Test(manage, lists_counts_and_removes)
{
        struct rig rig;
        uint8_t token[32];
        KP_CLEANUP(kp_buf_done) struct kp_buf rp = rp_params("example.org");
        KP_CLEANUP(kp_buf_done) struct kp_buf id = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf params = { 0 };
        const uint8_t cmd = KP_CTAP_CREDENTIAL_MANAGEMENT;
        size_t n;

        rig_open(&rig, "yubikey-5-57");
        id = fill(&rig);
        params = id_params(&id, NULL, NULL);
        manager(&rig, 2, NULL, token);
        expect_status(rig_authorised(&rig, cmd, METADATA, 2, token, NULL), 0);
        cr_assert_eq(number_at(&rig, 1), 3);
        cr_assert_eq(number_at(&rig, 2), 97);
        expect_status(rig_authorised(&rig, cmd, RPS_BEGIN, 2, token, NULL), 0);
        cr_assert_eq(number_at(&rig, 5), 2);
        expect_status(rig_authorised(&rig, cmd, RPS_NEXT, 2, NULL, NULL), 0);
        cr_assert_eq(number_at(&rig, 5), -1);
        expect_status(rig_authorised(&rig, cmd, RPS_NEXT, 2, NULL, NULL),
                KP_CTAP2_ERR_NOT_ALLOWED);
        expect_status(rig_authorised(&rig, cmd, CREDS_BEGIN, 2, token, &rp), 0);
        cr_assert_eq(number_at(&rig, 9), 2);
        cr_assert_eq(number_at(&rig, 10), 1);
        cr_assert(
                kp_cbor_is_map(kp_cbor_at_int(rig.map, 8), &n) && n == 5, "a COSE key");
        expect_status(rig_authorised(&rig, cmd, CREDS_NEXT, 2, NULL, NULL), 0);
        expect_status(rig_authorised(&rig, cmd, DELETE, 2, token, &params), 0);
        expect_status(rig_authorised(&rig, cmd, DELETE, 2, token, &params),
                KP_CTAP2_ERR_NO_CREDENTIALS);
        expect_status(rig_authorised(&rig, cmd, METADATA, 2, token, NULL), 0);
        cr_assert_eq(number_at(&rig, 1), 2);
        expect_status(rig_get(&rig, &(struct ask){ .list = { &id }, .n_list = 1 }),
                KP_CTAP2_ERR_NO_CREDENTIALS);
        rig_close(&rig);
}

Test(manage, next_needs_its_begin_and_nothing_between)
{
        struct rig rig;
        uint8_t token[32];
        KP_CLEANUP(kp_buf_done) struct kp_buf rp = rp_params("example.org");
        KP_CLEANUP(kp_buf_done) struct kp_buf id = { 0 };
        const uint8_t cmd = KP_CTAP_CREDENTIAL_MANAGEMENT;

        rig_open(&rig, "yubikey-5-57");
        id = fill(&rig);
        manager(&rig, 1, NULL, token);
        expect_status(rig_authorised(&rig, cmd, RPS_NEXT, 1, NULL, NULL),
                KP_CTAP2_ERR_NOT_ALLOWED);
        expect_status(rig_authorised(&rig, cmd, RPS_BEGIN, 1, token, NULL), 0);
        expect_status(rig_authorised(&rig, cmd, CREDS_NEXT, 1, NULL, NULL),
                KP_CTAP2_ERR_NOT_ALLOWED);
        expect_status(rig_authorised(&rig, cmd, CREDS_BEGIN, 1, token, &rp), 0);
        expect_status(rig_command(&rig, KP_CTAP_GET_INFO), 0);
        expect_status(rig_authorised(&rig, cmd, CREDS_NEXT, 1, NULL, NULL),
                KP_CTAP2_ERR_NOT_ALLOWED);
        rig_close(&rig);
}

Test(manage, the_token_must_allow_it_and_stays_with_its_party)
{
        struct rig rig;
        uint8_t token[32];
        KP_CLEANUP(kp_buf_done) struct kp_buf rp = rp_params("example.org");
        KP_CLEANUP(kp_buf_done) struct kp_buf id = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf params = { 0 };
        const uint8_t cmd = KP_CTAP_CREDENTIAL_MANAGEMENT;

        rig_open(&rig, "yubikey-5-57");
        id = fill(&rig);
        params = id_params(&id, "user-2", "Nieuwe naam");
        expect_status(rig_authorised(&rig, cmd, METADATA, 1, NULL, NULL),
                KP_CTAP2_ERR_PUAT_REQUIRED);
        manager(&rig, 1, "other.org", token);
        expect_status(rig_authorised(&rig, cmd, METADATA, 1, token, NULL),
                KP_CTAP2_ERR_PIN_AUTH_INVALID);
        expect_status(rig_authorised(&rig, cmd, RPS_BEGIN, 1, token, NULL),
                KP_CTAP2_ERR_PIN_AUTH_INVALID);
        expect_status(rig_authorised(&rig, cmd, CREDS_BEGIN, 1, token, &rp),
                KP_CTAP2_ERR_PIN_AUTH_INVALID);
        expect_status(rig_authorised(&rig, cmd, UPDATE, 1, token, &params),
                KP_CTAP2_ERR_PIN_AUTH_INVALID);
        manager(&rig, 1, "example.org", token);
        expect_status(rig_authorised(&rig, cmd, CREDS_BEGIN, 1, token, &rp), 0);
        expect_status(rig_authorised(&rig, cmd, UPDATE, 1, token, &params), 0);
        token[0] ^= 1;
        expect_status(rig_authorised(&rig, cmd, CREDS_BEGIN, 1, token, &rp),
                KP_CTAP2_ERR_PIN_AUTH_INVALID);
        expect_status(rig_authorised(&rig, cmd, 0x55, 1, token, &rp),
                KP_CTAP2_ERR_INVALID_SUBCOMMAND);
        rig_close(&rig);
}

Test(manage, an_empty_key_has_no_credentials_to_list)
{
        struct rig rig;
        uint8_t token[32];
        KP_CLEANUP(kp_buf_done) struct kp_buf rp = rp_params("example.org");
        const uint8_t cmd = KP_CTAP_CREDENTIAL_MANAGEMENT;

        rig_open(&rig, "yubikey-5-57-pin");
        rig_permit(&rig, 2, KP_CTAP_PERM_CM, token);
        expect_status(rig_authorised(&rig, cmd, RPS_BEGIN, 2, token, NULL),
                KP_CTAP2_ERR_NO_CREDENTIALS);
        expect_status(rig_authorised(&rig, cmd, CREDS_BEGIN, 2, token, &rp),
                KP_CTAP2_ERR_NO_CREDENTIALS);
        expect_status(rig_authorised(&rig, cmd, CREDS_BEGIN, 2, token, NULL),
                KP_CTAP2_ERR_MISSING_PARAMETER);
        rig_close(&rig);
}

Test(manage, the_preview_works_with_an_old_token_where_the_model_has_it)
{
        struct rig rig;
        uint8_t token[32];
        struct token_ask ask = {
                .sub_command = KP_CTAP_PIN_GET_TOKEN, .protocol = 2, .permissions = -1
        };
        struct kp_buf none = { 0 };

        rig_open(&rig, "yubikey-5-52-pin");
        ask.pin = kp_authenticator_profile_test_pin(rig.profile);
        expect_status(rig_token(&rig, &ask, token), 0);
        expect_status(
                rig_make(&rig,
                        &(struct ask){ .rk = TRUE_, .token = token, .protocol = 2 }),
                0);
        expect_status(rig_authorised(&rig, KP_CTAP_CREDENTIAL_MANAGEMENT_PREVIEW,
                              METADATA, 2, token, NULL),
                0);
        cr_assert_eq(number_at(&rig, 1), 1);
        cr_assert_eq(number_at(&rig, 2), 24);
        expect_status(rig_authorised(&rig, KP_CTAP_CREDENTIAL_MANAGEMENT, METADATA, 2,
                              token, NULL),
                KP_CTAP1_ERR_INVALID_COMMAND);
        rig_close(&rig);
        rig_open(&rig, "google-titan-v2-pin"); /* cannot be managed at all */
        kp_buf_put_u8(&none, KP_CTAP_CREDENTIAL_MANAGEMENT_PREVIEW);
        expect_status(rig_send(&rig, &none), KP_CTAP1_ERR_INVALID_COMMAND);
        rig_close(&rig);
}

Test(manage, what_takes_no_parameters_is_authenticated_by_its_number_alone)
{
        struct rig rig;
        uint8_t token[32], tag[32];
        struct kp_buf m = { 0 };
        const uint8_t number = METADATA;
        size_t tag_len;

        rig_open(&rig, "yubikey-5-57-pin");
        rig_permit(&rig, 2, KP_CTAP_PERM_CM, token);
        tag_len = kp_pin_authenticate(2, token, 32, &number, 1, tag);
        kp_buf_put_u8(&m, KP_CTAP_CREDENTIAL_MANAGEMENT);
        kp_cbor_put_map(&m, 4);
        kp_cbor_put_int(&m, 1);
        kp_cbor_put_int(&m, METADATA);
        kp_cbor_put_int(&m, 2);
        kp_cbor_put_map(&m, 0);
        kp_cbor_put_int(&m, 3);
        kp_cbor_put_int(&m, 2);
        kp_cbor_put_int(&m, 4);
        kp_cbor_put_bytes(&m, tag, tag_len);
        expect_status(rig_send(&rig, &m), KP_CTAP_OK);
        cr_assert_eq(number_at(&rig, 1), 0, "an empty key can be counted");
        rig_close(&rig);
}

/* Steps 1 to 3 of each: no param, then a member that is missing, then the protocol. */
Test(manage, checks_come_in_the_order_of_the_specification)
{
        struct rig rig;
        uint8_t token[32];
        struct kp_buf wrong = { 0 };
        const struct {
                int sub_command, protocol;
                const uint8_t *token;
                const struct kp_buf *params;
                uint8_t status;
        } cases[] = {
                { CREDS_BEGIN, 7, NULL, NULL, KP_CTAP2_ERR_PUAT_REQUIRED },
                { CREDS_BEGIN, 7, token, NULL, KP_CTAP2_ERR_MISSING_PARAMETER },
                { DELETE, 7, token, NULL, KP_CTAP2_ERR_MISSING_PARAMETER },
                { UPDATE, 7, token, &wrong, KP_CTAP2_ERR_MISSING_PARAMETER },
                { METADATA, 7, token, NULL, KP_CTAP1_ERR_INVALID_PARAMETER },
                { RPS_BEGIN, 2, token, NULL, KP_CTAP2_ERR_PIN_AUTH_INVALID },
        };

        rig_open(&rig, "yubikey-5-57-pin");
        kp_cbor_put_map(&wrong, 1);
        kp_cbor_put_int(&wrong, 2);
        kp_cbor_put_map(&wrong, 0);
        rig_permit(&rig, 2, KP_CTAP_PERM_ACFG, token);
        for (size_t i = 0; i < KP_NELEMS(cases); i++)
                expect_status(rig_authorised(&rig, KP_CTAP_CREDENTIAL_MANAGEMENT,
                                      (uint8_t)cases[i].sub_command, cases[i].protocol,
                                      cases[i].token, cases[i].params),
                        cases[i].status);
        kp_buf_done(&wrong);
        rig_close(&rig);
}

Test(manage, a_token_of_one_party_is_not_told_what_others_have)
{
        struct rig rig;
        uint8_t token[32];
        KP_CLEANUP(kp_buf_done) struct kp_buf id = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf none = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf absent = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf present = { 0 };
        const uint8_t cmd = KP_CTAP_CREDENTIAL_MANAGEMENT;

        rig_open(&rig, "yubikey-5-57");
        id = fill(&rig);
        kp_buf_put(&none, "nobody's", 8);
        absent = id_params(&none, NULL, NULL);
        present = id_params(&id, NULL, NULL);
        manager(&rig, 2, "other.org", token);
        expect_status(rig_authorised(&rig, cmd, DELETE, 2, token, &absent),
                KP_CTAP2_ERR_PIN_AUTH_INVALID);
        expect_status(rig_authorised(&rig, cmd, DELETE, 2, token, &present),
                KP_CTAP2_ERR_PIN_AUTH_INVALID);
        manager(&rig, 2, NULL, token);
        expect_status(rig_authorised(&rig, cmd, DELETE, 2, token, &absent),
                KP_CTAP2_ERR_NO_CREDENTIALS);
        expect_status(rig_authorised(&rig, cmd, DELETE, 2, token, &present), 0);
        rig_close(&rig);
}

Test(manage, a_new_name_replaces_the_old_one_and_none_removes_it)
{
        struct rig rig;
        uint8_t token[32];
        KP_CLEANUP(kp_buf_done) struct kp_buf id = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf named = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf unnamed = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf foreign = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf rp = rp_params("example.org");
        const uint8_t cmd = KP_CTAP_CREDENTIAL_MANAGEMENT;
        const char *text;
        size_t len;

        rig_open(&rig, "yubikey-5-57");
        expect_status(
                rig_make(&rig, &(struct ask){ .rk = TRUE_, .user_name = "oud" }), 0);
        id = rig_id(&rig);
        expect_status(rig_set_pin(&rig, 1, NULL, "123456"), 0);
        named = id_params(&id, "user-1", "nieuw");
        unnamed = id_params(&id, "user-1", "");
        foreign = id_params(&id, "user-2", "nieuw");
        manager(&rig, 2, NULL, token);
        expect_status(rig_authorised(&rig, cmd, UPDATE, 2, token, &foreign),
                KP_CTAP1_ERR_INVALID_PARAMETER);
        expect_status(rig_authorised(&rig, cmd, UPDATE, 2, token, &named), 0);
        expect_status(rig_authorised(&rig, cmd, CREDS_BEGIN, 2, token, &rp), 0);
        cr_assert(kp_cbor_is_text(
                kp_cbor_at_str(kp_cbor_at_int(rig.map, 6), "name"), &text, &len));
        cr_assert(kp_bytes_equal(text, len, "nieuw", 5));
        cr_assert_null(kp_cbor_at_str(kp_cbor_at_int(rig.map, 6), "displayName"));
        expect_status(rig_authorised(&rig, cmd, UPDATE, 2, token, &unnamed), 0);
        expect_status(rig_authorised(&rig, cmd, CREDS_BEGIN, 2, token, &rp), 0);
        cr_assert_null(kp_cbor_at_str(kp_cbor_at_int(rig.map, 6), "name"));
        rig_close(&rig);
}

Test(manage, a_listing_ends_after_30_seconds_and_with_its_token)
{
        struct rig rig;
        uint8_t token[32];
        KP_CLEANUP(kp_buf_done) struct kp_buf id = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf rp = rp_params("example.org");
        const uint8_t cmd = KP_CTAP_CREDENTIAL_MANAGEMENT;

        rig_open(&rig, "yubikey-5-57");
        id = fill(&rig);
        manager(&rig, 2, NULL, token);
        expect_status(rig_authorised(&rig, cmd, CREDS_BEGIN, 2, token, &rp), 0);
        rig_wait(&rig, 30000);
        expect_status(rig_authorised(&rig, cmd, CREDS_NEXT, 2, NULL, NULL), 0);
        expect_status(rig_authorised(&rig, cmd, CREDS_BEGIN, 2, token, &rp), 0);
        rig_wait(&rig, 30001);
        expect_status(rig_authorised(&rig, cmd, CREDS_NEXT, 2, NULL, NULL),
                KP_CTAP2_ERR_NOT_ALLOWED);
        rig_wait(&rig, 600000 - 30000 - 30001 - 10000);
        expect_status(rig_authorised(&rig, cmd, CREDS_BEGIN, 2, token, &rp), 0);
        rig_wait(&rig, 10001); /* ten minutes after it was handed out */
        expect_status(rig_authorised(&rig, cmd, CREDS_NEXT, 2, NULL, NULL),
                KP_CTAP2_ERR_NOT_ALLOWED);
        rig_close(&rig);
}

/* A CBOR message on a channel; the status that comes back. */
static uint8_t
on_channel(struct rig *rig, uint32_t cid, const struct kp_buf *message)
{
        struct kp_ctaphid_join join = { 0 };
        uint8_t status;

        feed(rig, cid, KP_CTAPHID_CBOR, message->data, message->len);
        cr_assert(take(rig, &join));
        cr_assert_eq(join.cmd, KP_CTAPHID_CBOR);
        status = join.payload.data[0];
        kp_buf_wipe(&join.payload);
        return status;
}

Test(manage, next_stays_on_the_channel_of_its_begin)
{
        struct rig rig;
        uint8_t token[32];
        KP_CLEANUP(kp_buf_done) struct kp_buf id = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf begin = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf next = { 0 };
        struct kp_buf record[1] = { { 0 } };
        uint32_t a, b;

        rig_open(&rig, "yubikey-5-57");
        id = fill(&rig);
        manager(&rig, 2, NULL, token);
        rig.record = record;
        expect_status(rig_authorised(&rig, KP_CTAP_CREDENTIAL_MANAGEMENT, RPS_BEGIN, 2,
                              token, NULL),
                0);
        begin = record[0];
        rig.record = NULL;
        kp_buf_put_u8(&next, KP_CTAP_CREDENTIAL_MANAGEMENT);
        kp_cbor_put_map(&next, 1);
        kp_cbor_put_int(&next, 1);
        kp_cbor_put_int(&next, RPS_NEXT);
        a = channel(&rig);
        b = channel(&rig);
        expect_status(on_channel(&rig, a, &begin), 0);
        expect_status(on_channel(&rig, b, &next), KP_CTAP2_ERR_NOT_ALLOWED);
        expect_status(on_channel(&rig, a, &begin), 0);
        expect_status(on_channel(&rig, a, &next), 0);
        rig_close(&rig);
}

static void
ask_for_more(struct kp_buf *m)
{
        kp_cbor_put_map(m, 3);
        kp_cbor_put_text(m, "credProtect");
        kp_cbor_put_int(m, 2);
        kp_cbor_put_text(m, "largeBlobKey");
        kp_cbor_put_bool(m, true);
        kp_cbor_put_text(m, "thirdPartyPayment");
        kp_cbor_put_bool(m, true);
}

Test(manage, a_listing_tells_what_extensions_left_behind)
{
        struct rig rig;
        uint8_t token[32];
        KP_CLEANUP(kp_buf_done) struct kp_buf rp = rp_params("example.org");
        const uint8_t cmd = KP_CTAP_CREDENTIAL_MANAGEMENT, *key;
        size_t len;
        bool pays;

        rig_open(&rig, "keypilot-23");
        expect_status(
                rig_make(&rig, &(struct ask){ .rk = TRUE_, .user_id = "plain" }), 0);
        expect_status(rig_make(&rig,
                              &(struct ask){ .rk = TRUE_, .extensions = ask_for_more }),
                0);
        expect_status(rig_set_pin(&rig, 1, NULL, "123456"), 0);
        manager(&rig, 2, NULL, token);
        expect_status(rig_authorised(&rig, cmd, CREDS_BEGIN, 2, token, &rp), 0);
        cr_assert_eq(number_at(&rig, 10), 1);
        cr_assert_null(kp_cbor_at_int(rig.map, 11));
        cr_assert(kp_cbor_is_bool(kp_cbor_at_int(rig.map, 12), &pays) && !pays);
        expect_status(rig_authorised(&rig, cmd, CREDS_NEXT, 2, NULL, NULL), 0);
        cr_assert_eq(number_at(&rig, 10), 2);
        cr_assert(kp_cbor_is_bytes(kp_cbor_at_int(rig.map, 11), &key, &len));
        cr_assert_eq(len, 32);
        cr_assert(kp_cbor_is_bool(kp_cbor_at_int(rig.map, 12), &pays) && pays);
        rig_close(&rig);
}

/* ---- the persistent token: CTAP 2.2 §6.5.5.7, §6.8 ---- */

static void
reader(struct rig *rig, uint8_t token[32])
{
        const struct token_ask ask = { .sub_command = KP_CTAP_PIN_GET_TOKEN_PIN_PERMS,
                .protocol = 2,
                .pin = "123456",
                .permissions = KP_CTAP_PERM_PCMR };

        expect_status(rig_token(rig, &ask, token), 0);
}

Test(manage, the_persistent_token_reads_across_power_cycles_and_writes_nothing)
{
        struct rig rig;
        uint8_t token[32], again[32];
        KP_CLEANUP(kp_buf_done) struct kp_buf rp = rp_params("example.org");
        KP_CLEANUP(kp_buf_done) struct kp_buf id = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf params = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf name = { 0 };
        const uint8_t cmd = KP_CTAP_CREDENTIAL_MANAGEMENT;

        rig_open(&rig, "keypilot-23");
        id = fill(&rig);
        params = id_params(&id, NULL, NULL);
        name = id_params(&id, "user-2", "naam");
        reader(&rig, token);
        kp_authenticator_power_cycle(rig.key, rig.now_ms += 3600000);
        expect_status(rig_authorised(&rig, cmd, METADATA, 2, token, NULL), 0);
        expect_status(rig_authorised(&rig, cmd, METADATA, 1, token, NULL), 0);
        expect_status(rig_authorised(&rig, cmd, RPS_BEGIN, 2, token, NULL), 0);
        expect_status(rig_authorised(&rig, cmd, RPS_NEXT, 2, NULL, NULL), 0);
        expect_status(rig_authorised(&rig, cmd, CREDS_BEGIN, 2, token, &rp), 0);
        expect_status(rig_authorised(&rig, cmd, DELETE, 2, token, &params),
                KP_CTAP2_ERR_PIN_AUTH_INVALID);
        expect_status(rig_authorised(&rig, cmd, UPDATE, 2, token, &name),
                KP_CTAP2_ERR_PIN_AUTH_INVALID);
        expect_status(rig_authorised(&rig, KP_CTAP_CONFIG, 2, 2, token, NULL),
                KP_CTAP2_ERR_PIN_AUTH_INVALID);
        reader(&rig, again); /* the same one for every platform */
        cr_assert_eq(memcmp(token, again, 32), 0);
        expect_status(rig_set_pin(&rig, 2, "123456", "654321"), 0);
        expect_status(rig_authorised(&rig, cmd, METADATA, 2, token, NULL),
                KP_CTAP2_ERR_PIN_AUTH_INVALID);
        rig_close(&rig);
}

/* What a platform does with encIdentifier and encCredStoreState: HKDF, AES-128-CBC. */
static void
told(struct rig *rig, int64_t member, const char *info, const uint8_t token[32],
        uint8_t ret[16])
{
        static const uint8_t salt[32];
        uint8_t prk[32], block[64], key[32];
        const uint8_t *bytes;
        size_t len;
        unsigned n;
        int out;
        EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();

        cr_assert(kp_cbor_is_bytes(rig_info(rig, member), &bytes, &len));
        cr_assert_eq(len, 32);
        (void)HMAC(EVP_sha256(), salt, 32, token, 32, prk, &n);
        memcpy(block, info, strlen(info));
        block[strlen(info)] = 1;
        (void)HMAC(EVP_sha256(), prk, 32, block, strlen(info) + 1, key, &n);
        cr_assert_eq(EVP_DecryptInit_ex(ctx, EVP_aes_128_cbc(), NULL, key, bytes), 1);
        (void)EVP_CIPHER_CTX_set_padding(ctx, 0);
        cr_assert_eq(EVP_DecryptUpdate(ctx, ret, &out, bytes + 16, 16), 1);
        cr_assert_eq(out, 16);
        EVP_CIPHER_CTX_free(ctx);
}

Test(identity, is_told_to_whoever_holds_the_persistent_token)
{
        struct rig rig;
        uint8_t token[32], device[16], store[16], now[16];
        KP_CLEANUP(kp_buf_done) struct kp_buf first = { 0 };

        rig_open(&rig, "keypilot-23");
        cr_assert_not_null(rig_info(&rig, 0x19), "as it comes from the factory");
        cr_assert_not_null(rig_info(&rig, 0x1e));
        expect_status(rig_set_pin(&rig, 1, NULL, "123456"), 0);
        reader(&rig, token);
        told(&rig, 0x19, "encIdentifier", token, device);
        kp_buf_put(&first, rig.answer.data, rig.answer.len);
        told(&rig, 0x1e, "encCredStoreState", token, store);
        cr_assert(
                !kp_bytes_equal(first.data, first.len, rig.answer.data, rig.answer.len),
                "under a fresh IV each time");
        kp_authenticator_power_cycle(rig.key, rig.now_ms += 1000);
        told(&rig, 0x19, "encIdentifier", token, now);
        cr_assert_eq(memcmp(device, now, 16), 0);
        told(&rig, 0x1e, "encCredStoreState", token, now);
        cr_assert_eq(memcmp(store, now, 16), 0);
        expect_status(rig_command(&rig, KP_CTAP_RESET), 0);
        expect_status(rig_set_pin(&rig, 1, NULL, "123456"), 0);
        reader(&rig, token);
        told(&rig, 0x19, "encIdentifier", token, now);
        cr_assert_neq(memcmp(device, now, 16), 0, "another key to all the world");
        rig_close(&rig);
}

Test(identity, the_store_has_another_state_after_each_change)
{
        struct rig rig;
        uint8_t reads[32], token[32], seen[4][16];
        KP_CLEANUP(kp_buf_done) struct kp_buf id = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf gone = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf name = { 0 };
        const uint8_t cmd = KP_CTAP_CREDENTIAL_MANAGEMENT;
        static const char info[] = "encCredStoreState";

        rig_open(&rig, "keypilot-23");
        expect_status(rig_set_pin(&rig, 1, NULL, "123456"), 0);
        reader(&rig, reads);
        told(&rig, 0x1e, info, reads, seen[0]);
        {
                const struct token_ask ask = { .sub_command =
                                                       KP_CTAP_PIN_GET_TOKEN_PIN_PERMS,
                        .protocol = 2,
                        .pin = "123456",
                        .permissions = KP_CTAP_PERM_MC,
                        .rp_id = "example.org" };

                expect_status(rig_token(&rig, &ask, token), 0);
        }
        expect_status(
                rig_make(&rig,
                        &(struct ask){ .rk = TRUE_, .token = token, .protocol = 2 }),
                0);
        id = rig_id(&rig);
        gone = id_params(&id, NULL, NULL);
        name = id_params(&id, "user-1", "naam");
        told(&rig, 0x1e, info, reads, seen[1]);
        manager(&rig, 2, NULL, token);
        expect_status(rig_authorised(&rig, cmd, UPDATE, 2, token, &name), 0);
        told(&rig, 0x1e, info, reads, seen[2]);
        expect_status(rig_authorised(&rig, cmd, DELETE, 2, token, &gone), 0);
        told(&rig, 0x1e, info, reads, seen[3]);
        for (size_t i = 0; i < 4; i++)
                for (size_t k = 0; k < i; k++)
                        cr_assert_neq(
                                memcmp(seen[i], seen[k], 16), 0, "%zu, %zu", k, i);
        rig_close(&rig);
}
