/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>

#include "vectors_ceremony.h"

/*
 * What is refused because of what happened before: each message here is one that was
 * right at another moment, or is right for somebody else.
 */
static struct ceremony_maker m, other;
static struct kp_rp_credential record;
static struct kp_rp_expectation expect;

static void
setup(void)
{
        maker_begin(&m, KP_COSE_ES256);
        maker_begin(&other, KP_COSE_EDDSA);
        record = maker_record(&m);
        expect = usual_expectation();
}

static void
teardown(void)
{
        kp_rp_credential_done(&record);
        maker_end(&m);
        maker_end(&other);
}

TestSuite(state, .init = setup, .fini = teardown);

static struct kp_rp_result
login(json_t *response)
{
        struct kp_rp_result result;
        struct kp_error err = { 0 };

        cr_assert_eq(kp_rp_verify_authentication(
                             &expect, &record, response, false, &result, &err),
                0);
        return result;
}

static const char *
login_refusal(json_t *response)
{
        struct kp_rp_result result = login(response);
        const char *id = result.accepted ? "" : result.refusals[0].id;

        kp_rp_result_done(&result);
        return id;
}

static const char *
registration_refusal(json_t *response)
{
        struct kp_rp_result result;
        struct kp_error err = { 0 };
        const char *id;

        cr_assert_eq(
                kp_rp_verify_registration(&expect, response, false, &result, &err), 0);
        id = result.accepted ? "" : result.refusals[0].id;
        kp_rp_result_done(&result);
        return id;
}

/* The site keeps what a login leaves, as §7.2 step 24 has it. */
static void
keep(struct kp_rp_result *result)
{
        kp_rp_credential_done(&record);
        record = result->credential;
        result->credential = (struct kp_rp_credential){ 0 };
        kp_rp_result_done(result);
}

Test(state, a_challenge_is_answered_once)
{
        json_auto_t *response = maker_assertion(&m);
        json_auto_t *registration = maker_none(&m);

        cr_assert_str_eq(login_refusal(response), "");
        cr_assert_str_eq(registration_refusal(registration), "");
        expect.challenge_used = true;
        cr_assert_str_eq(login_refusal(response), "challenge-fresh");
        cr_assert_str_eq(registration_refusal(registration), "challenge-fresh");
}

Test(state, an_answer_to_another_challenge_is_no_answer)
{
        json_auto_t *response = maker_assertion(&m);

        expect.challenge = (const uint8_t *)"challenge-123457";
        cr_assert_str_eq(login_refusal(response), "challenge");
}

Test(state, a_challenge_lives_as_long_as_policy_says)
{
        json_auto_t *response = maker_assertion(&m);

        expect.challenge_sent_ms = expect.now_ms - 60000;
        cr_expect_str_eq(login_refusal(response), "", "no lifetime is stated");
        expect.policy.challenge_lifetime_ms = 60000;
        cr_expect_str_eq(login_refusal(response), "");
        expect.now_ms++;
        cr_expect_str_eq(login_refusal(response), "challenge-fresh");
        expect.challenge_sent_ms = expect.now_ms + 1;
        cr_expect_str_eq(login_refusal(response), "challenge-fresh", "of tomorrow");
        expect.challenge_sent_ms = 0;
        cr_expect_str_eq(login_refusal(response), "", "its age is not known");
}

/* The account has a passkey, and the answer comes from somebody else's. */
Test(state, somebody_elses_credential_is_not_this_ones)
{
        json_auto_t *allowed = json_pack("[{s:s, s:o}]", "type", "public-key", "id",
                json_bytes(record.id.data, record.id.len));
        json_auto_t *response = NULL;
        json_auto_t *forged = NULL;

        expect.allow_credentials = allowed;
        other.id = (const uint8_t *)"credential-id-000002";
        other.id_len = 20;
        response = maker_assertion(&other);
        cr_expect_str_eq(login_refusal(response), "allow-credentials");
        expect.allow_credentials = NULL;
        cr_expect_str_eq(login_refusal(response), "credential");
        /* and when it claims to be the right one, the key says that it is not */
        other.id = test_id;
        forged = maker_assertion(&other);
        cr_expect_str_eq(login_refusal(forged), "signature");
}

Test(state, a_removed_credential_logs_nobody_in)
{
        json_auto_t *response = maker_assertion(&m);

        cr_assert_str_eq(login_refusal(response), "");
        kp_rp_credential_done(&record); /* the account has none any more */
        cr_assert_str_eq(login_refusal(response), "credential");
}

Test(state, a_credential_is_registered_once)
{
        json_auto_t *response = maker_none(&m);
        json_auto_t *taken = json_pack("[o]", json_bytes(test_id, sizeof(test_id)));

        cr_assert_str_eq(registration_refusal(response), "");
        expect.registered_ids = taken;
        cr_assert_str_eq(registration_refusal(response), "credential-id-new");
}

Test(state, a_changed_user_handle_does_not_fit_any_more)
{
        json_auto_t *response = maker_assertion(&m);

        json_object_set_new(json_object_get(response, "response"), "userHandle",
                json_bytes("user-1", 6));
        expect.discoverable = true;
        expect.user_handle = (const uint8_t *)"user-1";
        expect.user_handle_len = 6;
        cr_assert_str_eq(login_refusal(response), "");
        expect.user_handle = (const uint8_t *)"user-9";
        cr_assert_str_eq(login_refusal(response), "user-handle");
}

Test(state, policy_may_want_a_user_handle_always)
{
        json_auto_t *response = maker_assertion(&m);

        cr_assert_str_eq(login_refusal(response), "");
        expect.policy.user_handle_required = true;
        cr_assert_str_eq(login_refusal(response), "user-handle");
}

Test(state, a_counter_that_falls_back_is_ignored_told_or_refused)
{
        static const struct {
                enum kp_rp_mode mode;
                enum kp_rp_reaction reaction;
                const char *refused;
                size_t n_warnings;
        } cases[] = { { KP_RP_STRICT, KP_RP_AS_MODE, "counter", 0 },
                { KP_RP_LENIENT, KP_RP_AS_MODE, "", 0 },
                { KP_RP_STRICT, KP_RP_IGNORE, "", 0 },
                { KP_RP_STRICT, KP_RP_WARN, "", 1 },
                { KP_RP_LENIENT, KP_RP_REFUSE, "counter", 0 } };
        struct kp_rp_result result;

        m.sign_count = 9;
        json_auto_t *later = maker_assertion(&m);
        m.sign_count = 4;
        json_auto_t *copy = maker_assertion(&m);

        result = login(later);
        cr_assert(result.accepted);
        keep(&result);
        cr_assert_eq(record.sign_count, 9);
        for (size_t i = 0; i < KP_NELEMS(cases); i++) {
                expect.mode = cases[i].mode;
                expect.policy.counter = cases[i].reaction;
                result = login(copy);
                cr_expect_str_eq(result.accepted ? "" : result.refusals[0].id,
                        cases[i].refused, "%zu", i);
                cr_expect_eq(result.n_warnings, cases[i].n_warnings, "%zu", i);
                kp_rp_result_done(&result);
        }
}

Test(state, eligibility_that_flips_is_ignored_told_or_refused)
{
        static const struct {
                enum kp_rp_reaction reaction;
                const char *refused;
                size_t n_warnings;
        } cases[] = { { KP_RP_AS_MODE, "backup-eligibility", 0 },
                { KP_RP_IGNORE, "", 0 }, { KP_RP_WARN, "", 1 },
                { KP_RP_REFUSE, "backup-eligibility", 0 } };
        struct kp_rp_result result;

        m.flags |= KP_AUTHDATA_BE;
        json_auto_t *before = maker_assertion(&m);
        m.flags &= (uint8_t)~KP_AUTHDATA_BE;
        json_auto_t *after = maker_assertion(&m);

        result = login(before);
        cr_assert(result.accepted);
        keep(&result);
        for (size_t i = 0; i < KP_NELEMS(cases); i++) {
                expect.policy.eligibility_change = cases[i].reaction;
                result = login(after);
                cr_expect_str_eq(result.accepted ? "" : result.refusals[0].id,
                        cases[i].refused, "%zu", i);
                cr_expect_eq(result.n_warnings, cases[i].n_warnings, "%zu", i);
                kp_rp_result_done(&result);
        }
}

/* The same verdicts from parsed data with the key loaded. */
Test(state, parsed_data_is_judged_by_the_same_checks)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf sig = { 0 };
        struct kp_rp_assertion assertion = { .id = test_id, .id_len = sizeof(test_id) };
        struct kp_rp_result result;
        struct kp_error err = { 0 };

        maker_parts(&m, false);
        sign_with(m.key, m.alg, &m.hash_input, &sig);
        assertion.client_data = m.client.data;
        assertion.client_data_len = m.client.len;
        assertion.authenticator_data = m.authdata.data;
        assertion.authenticator_data_len = m.authdata.len;
        assertion.signature = sig.data;
        assertion.signature_len = sig.len;
        cr_assert_eq(kp_rp_credential_load(&record, KP_RP_STRICT, &err), 0);
        for (int wrong = 0; wrong < 5; wrong++) {
                static const char *const refused[] = { "", "credential", "challenge",
                        "user-handle", "signature" };

                assertion.id_len = wrong == 1 ? 19 : sizeof(test_id);
                expect.challenge_len = wrong == 2 ? 15 : sizeof(test_challenge);
                expect.discoverable = wrong == 3;
                sig.data[sig.len - 1] ^= wrong == 4;
                cr_assert_eq(kp_rp_verify_assertion(&expect, &record, &assertion, false,
                                     &result, &err),
                        0);
                cr_expect_str_eq(result.accepted ? "" : result.refusals[0].id,
                        refused[wrong], "%d", wrong);
                kp_rp_result_done(&result);
        }
}

Test(state, a_record_that_is_no_key_is_not_loaded)
{
        struct kp_error err = { 0 };

        record.public_key.data[1] ^= 0x40;
        cr_assert_lt(kp_rp_credential_load(&record, KP_RP_STRICT, &err), 0);
        cr_assert_null(record.key);
}
