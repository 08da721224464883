/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <string.h>

#include "keypilot/world/directory.h"
#include "keypilot/world/site.h"

static struct kp_random *random_stream;

static void
open_stream(void)
{
        struct kp_error err = { 0 };

        cr_assert(kp_random_new_seeded("directory", "test", &random_stream, &err) == 0);
}

static void
close_stream(void)
{
        kp_random_free(&random_stream);
}

TestSuite(directory, .init = open_stream, .fini = close_stream);

static struct kp_account *
added(struct kp_directory *directory, int person, int tenant)
{
        struct kp_account *account = NULL;
        struct kp_error err = { 0 };
        struct kp_person who;

        kp_person_make(person, tenant, true, true, &who);
        cr_assert(
                kp_directory_add(directory, &who, random_stream, &account, &err) == 0);
        return account;
}

Test(directory, one_person_has_another_address_at_another_school)
{
        struct kp_person here, there;

        kp_person_make(1, 1, true, true, &here);
        kp_person_make(1, 2, true, true, &there);
        cr_expect_str_eq(here.login, there.login);
        cr_expect_str_neq(here.upn, there.upn);
        cr_expect_str_neq(here.password, there.password);
        cr_expect_str_neq(here.number, there.number);
}

Test(directory, accounts_are_found_by_what_they_have)
{
        struct kp_directory directory = { 0 };
        struct kp_account *first = added(&directory, 1, 1);
        struct kp_account *second = added(&directory, 2, 1);
        static const char *const names[] = { "login", "upn", "mail", "employee-number",
                "object-id" };

        cr_assert_str_neq(first->object_id, second->object_id);
        for (size_t i = 0; i < KP_NELEMS(names); i++) {
                const struct kp_account_search search = { .name = names[i],
                        .value = kp_account_value(second, names[i]) };

                cr_expect(kp_directory_find(&directory, &search) == second, "%s",
                        names[i]);
        }
}

Test(directory, case_counts_unless_it_is_folded)
{
        struct kp_directory directory = { 0 };
        struct kp_account *account = added(&directory, 1, 1);
        struct kp_account_search search = { .name = "upn",
                .value = "JAN.devries@School1.example" };

        cr_expect(kp_directory_find(&directory, &search) == NULL);
        search.fold = true;
        cr_expect(kp_directory_find(&directory, &search) == account);
}

Test(directory, deleted_accounts_and_empty_values_find_nobody)
{
        struct kp_directory directory = { 0 };
        struct kp_account *account = added(&directory, 1, 1);
        const struct kp_account_search by_upn = { .name = "upn",
                .value = account->upn };
        const struct kp_account_search by_link = { .name = "link", .value = "" };

        cr_expect(kp_directory_find(&directory, &by_link) == NULL,
                "an account that nobody linked is not linked to \"\"");
        account->state = KP_ACCOUNT_DELETED;
        cr_expect(kp_directory_find(&directory, &by_upn) == NULL);
        cr_expect(kp_directory_of(&directory, 1, 1, false) == NULL);
}

Test(directory, a_search_can_be_bound_to_school_and_issuer)
{
        struct kp_directory directory = { 0 };
        struct kp_account *here = added(&directory, 1, 1);
        struct kp_account *there = added(&directory, 1, 2);
        struct kp_account_search search = {
                .name = "login", .value = here->login, .tenant = 2
        };

        cr_expect(kp_directory_find(&directory, &search) == there);
        search.tenant = 1;
        search.issuer = "https://idp.example";
        cr_expect(kp_directory_find(&directory, &search) == NULL);
        memcpy(here->link_issuer, "https://idp.example", sizeof("https://idp.example"));
        cr_expect(kp_directory_find(&directory, &search) == here);
}

Test(directory, a_full_directory_says_so)
{
        struct kp_directory directory = { 0 };
        struct kp_account *account = NULL;
        struct kp_error err = { 0 };
        struct kp_person who;

        kp_person_make(1, 1, true, true, &who);
        for (int i = 0; i < KP_ACCOUNTS_MAX; i++)
                cr_assert(kp_directory_add(&directory, &who, random_stream, &account,
                                  &err) == 0);
        cr_assert(
                kp_directory_add(&directory, &who, random_stream, &account, &err) < 0);
        cr_expect_eq(err.code, KP_EBUG);
}

Test(directory, what_was_proved_decides_how_strong_it_is)
{
        static const struct {
                struct kp_proof proof;
                enum kp_assurance is;
                const char *method;
        } cases[] = {
                { { 0 }, KP_ASSURANCE_NONE, "none" },
                { { .password = true }, KP_ASSURANCE_SINGLE, "password" },
                { { .mail = true }, KP_ASSURANCE_SINGLE, "mail" },
                { { .passkey = true }, KP_ASSURANCE_SINGLE, "passkey" },
                { { .password = true, .code = true }, KP_ASSURANCE_MFA,
                        "password-and-code" },
                { { .passkey = true, .code = true }, KP_ASSURANCE_MFA, "passkey" },
                { { .mail = true, .code = true }, KP_ASSURANCE_MFA, "mail" },
                { { .passkey = true, .uv = true }, KP_ASSURANCE_PHISHING_RESISTANT,
                        "passkey" },
                { { .passkey = true, .password = true },
                        KP_ASSURANCE_PHISHING_RESISTANT, "password-and-passkey" },
                { { .desk = true }, KP_ASSURANCE_PHISHING_RESISTANT, "help-desk" },
        };

        for (size_t i = 0; i < KP_NELEMS(cases); i++) {
                cr_expect_eq(kp_proof_assurance(&cases[i].proof), cases[i].is,
                        "case %zu", i);
                cr_expect_str_eq(kp_proof_method(&cases[i].proof), cases[i].method);
        }
}

Test(directory, one_time_codes_work_once_in_time_and_only_for_their_purpose)
{
        struct kp_clock clock = kp_clock_simulated();
        const struct kp_site_env env = { .clock = &clock, .random = random_stream };
        const struct kp_one_time like = {
                .kind = KP_CODE_MAIL, .person = 1, .account = 7
        };
        struct kp_codes codes = { 0 };
        char code[33];

        (void)kp_code_issue(&codes, &env, &like, 60);
        memcpy(code, kp_code_read(&codes, KP_CODE_MAIL, 1), sizeof(code));
        cr_expect_str_eq(
                kp_code_read(&codes, KP_CODE_MAIL, 2), "", "somebody else's mail");
        cr_expect(kp_code_take(&codes, &env, KP_CODE_DESK, code) == NULL);
        cr_expect(kp_code_take(&codes, &env, KP_CODE_MAIL, "") == NULL);
        cr_expect_eq(kp_code_take(&codes, &env, KP_CODE_MAIL, code)->account, 7);
        cr_expect(kp_code_take(&codes, &env, KP_CODE_MAIL, code) == NULL,
                "a second time");
        (void)kp_code_issue(&codes, &env, &like, 60);
        memcpy(code, kp_code_read(&codes, KP_CODE_MAIL, 1), sizeof(code));
        kp_clock_advance(&clock, 61000);
        cr_expect(kp_code_take(&codes, &env, KP_CODE_MAIL, code) == NULL, "too late");
}

Test(directory, the_ledger_gives_back_what_was_written_and_nothing_else)
{
        const struct kp_proof proof = { .person = 3, .password = true };
        struct kp_ledger ledger = { 0 };

        cr_expect(kp_ledger_find(&ledger, "") == NULL);
        kp_ledger_note(&ledger, "_a", &proof);
        cr_expect_eq(kp_ledger_find(&ledger, "_a")->person, 3);
        cr_expect(kp_ledger_find(&ledger, "_b") == NULL);
}
