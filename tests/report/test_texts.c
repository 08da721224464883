/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "keypilot/core/file.h"
#include "keypilot/core/free.h"
#include "keypilot/model/profile.h"
#include "keypilot/model/trace.h"

#include "../../src/report/reasons.h"
#include "../../src/report/trace_words.h"

/* "{1}{2}": which placeholders a text has, each once, in order of their number. */
static unsigned
placeholders(const char *text)
{
        unsigned set = 0;

        for (; *text != '\0'; text++)
                if (text[0] == '{') {
                        cr_expect(text[1] >= '1' && text[1] <= '3' && text[2] == '}',
                                "only {1}, {2} and {3} may stand in '%s'", text);
                        set |= 1u << (text[1] - '0');
                }
        return set;
}

static void
check(struct kp_text text, const char *what)
{
        cr_assert(text.en != NULL && text.nl != NULL, "%s has both languages", what);
        cr_expect(*text.en != '\0' && *text.nl != '\0', "%s says something", what);
        cr_expect_eq(placeholders(text.en), placeholders(text.nl),
                "the same is filled in: '%s' and '%s'", text.en, text.nl);
        for (size_t i = 0; say_forbidden[i] != NULL; i++) {
                cr_expect_null(strcasestr(text.en, say_forbidden[i]), "'%s' in '%s'",
                        say_forbidden[i], text.en);
                cr_expect_null(strcasestr(text.nl, say_forbidden[i]), "'%s' in '%s'",
                        say_forbidden[i], text.nl);
        }
}

Test(texts, exist_in_both_languages_with_the_same_placeholders)
{
        for (int i = 0; i < SAY_N; i++)
                check(say_text((enum say)i), "a text");
        for (const struct fact_question *q = fact_questions; q->fact != NULL; q++)
                check(q->text, q->fact);
}

/* Short words in short sentences: no sentence that a person has to read twice. */
Test(texts, have_no_sentence_of_more_than_thirty_words)
{
        for (int i = 0; i < SAY_N; i++) {
                const char *both[] = { say_text((enum say)i).en,
                        say_text((enum say)i).nl };

                for (int j = 0; j < 2; j++) {
                        int n = 1;

                        for (const char *c = both[j]; *c != '\0'; c++)
                                n = *c == '.' || *c == ';' ? 1 : n + (*c == ' ');
                        cr_expect_leq(n, 30, "'%s'", both[j]);
                }
        }
}

static bool
is_fact(const char *name)
{
        const struct kp_fact_type *const kinds[] = { kp_facts_client, kp_facts_service,
                kp_facts_provider, kp_facts_hub, kp_facts_population };

        for (size_t i = 0; i < KP_NELEMS(kinds); i++)
                for (const struct kp_fact_type *fact = kinds[i]; fact->name != NULL;
                        fact++)
                        if (strcmp(fact->name, name) == 0)
                                return true;
        return false;
}

Test(texts, ask_only_about_facts_that_exist_each_once_and_sorted)
{
        for (const struct fact_question *q = fact_questions; q->fact != NULL; q++) {
                cr_expect(is_fact(q->fact), "%s", q->fact);
                if (q[1].fact != NULL)
                        cr_expect_lt(strcmp(q->fact, q[1].fact), 0, "%s", q->fact);
        }
}

static void
asks_about_unknowns(const char *folder)
{
        KP_CLEANUP(kp_names_done) struct kp_names names = { 0 };
        KP_CLEANUP(kp_free_str)
        char *dir = kp_format("%s/%s", getenv("KEYPILOT_FIXTURES"), folder);
        struct kp_error err = { 0 };

        cr_assert_eq(kp_dir_list(dir, ".json", &names, &err), 0, "%s", dir);
        for (size_t i = 0; i < names.n_names; i++) {
                KP_CLEANUP(kp_free_str)
                char *path = kp_format("%s/%s", dir, names.names[i]);
                json_auto_t *root = NULL;
                const char *fact;
                json_t *value;

                cr_assert_eq(
                        kp_json_load(path, KP_JSON_MAX, &root, &err), 0, "%s", path);
                json_object_foreach (json_object_get(root, "facts"), fact, value)
                        if (strcmp(kp_json_str(value, "status", ""), "unknown") == 0)
                                cr_expect_not_null(question_text(fact).en,
                                        "%s: nothing to ask about %s", path, fact);
        }
}

Test(texts, have_a_question_for_every_fact_that_a_profile_calls_unknown)
{
        static const char *const folders[] = { "clients", "hubs", "populations",
                "providers", "services" };

        for (size_t i = 0; i < KP_NELEMS(folders); i++)
                asks_about_unknowns(folders[i]);
}

Test(texts, have_words_for_every_event_of_a_trace)
{
        const struct kp_event_type *const groups[] = { kp_events_ceremony,
                kp_events_key, kp_events_saml, kp_events_world, kp_events_run };

        for (size_t i = 0; i < KP_NELEMS(groups); i++)
                for (const struct kp_event_type *event = groups[i]; event->name != NULL;
                        event++) {
                        if (!event_is_shown(event->name))
                                continue;
                        cr_expect_str_neq(event_text(event->name).nl, event->name,
                                "no words for the event %s", event->name);
                        check(event_text(event->name), event->name);
                }
}

/*
 * Every text in quotes after `before` in a source file: reasons are written there as
 * they come into the log.
 */
static size_t
reasons_check(const char *file, const char *before)
{
        KP_CLEANUP(kp_free_str)
        char *path = kp_format("%s/%s", getenv("KEYPILOT_SOURCE"), file);
        KP_CLEANUP(kp_buf_done) struct kp_buf text = { 0 };
        struct kp_error err = { 0 };
        struct page page;
        size_t n = 0;

        cr_assert_eq(kp_file_read(path, KP_JSON_MAX, &text, &err), 0, "%s", path);
        page_init(&page, stdout, PAGE_NL);
        for (const char *at = kp_buf_str(&text); (at = strstr(at, before)) != NULL;) {
                char reason[200];
                struct kp_text said;

                at += strlen(before);
                at += strspn(at, " \n");
                if (*at != '"' || strncmp(at, "\"%s\"", 4) == 0)
                        continue;
                (void)snprintf(reason, sizeof(reason), "%.*s",
                        (int)strcspn(at + 1, "\""), at + 1);
                said = reason_text(&page, reason);
                cr_expect(reason_is_known(reason), "no words for '%s'", reason);
                cr_expect_str_neq(said.en, said.nl, "'%s' in Dutch", reason);
                check(said, reason);
                n++;
        }
        cr_assert_eq(page_done(&page, &err), 0);
        return n;
}

Test(texts, have_both_languages_for_every_reason_in_a_log)
{
        static const char run[] = "include/keypilot/pilot/run.h";
        static const char applicable[] = "src/world/applicable.c";

        cr_expect_geq(reasons_check(applicable, "because(world,"), 12);
        cr_expect_eq(reasons_check(applicable, "\n                        world,") +
                             reasons_check(applicable,
                                     "\n                                world,"),
                2);
        cr_expect_eq(reasons_check("src/pilot/judge.c", "sizeof(ret->why),"), 2);
        cr_expect_eq(reasons_check("src/pilot/judge.c", ".reason;\n        return"), 1);
        cr_expect_geq(reasons_check("src/pilot/cell.c", "sizeof(ret->why),"), 1);
        cr_expect_eq(reasons_check("src/pilot/branch.c", "sizeof(result.why),"), 1);
        cr_expect_eq(reasons_check(run, "#define KP_WHY_CRASHED"), 1);
        cr_expect_eq(reasons_check(run, "#define KP_WHY_FAILED"), 1);
        cr_expect_eq(reasons_check(run, "#define KP_WHY_STUCK"), 1);
}

/* "an earlier step failed: enrolment-closed" */
Test(texts, have_both_languages_for_why_somebody_may_not_add_a_passkey)
{
        static const char *const gate[] = { "account-blocked", "enrolment-closed",
                "enrolment-not-for-eip", "no-passkeys-here" };
        struct kp_error err = { 0 };
        struct page page;

        page_init(&page, stdout, PAGE_NL);
        for (size_t i = 0; i < KP_NELEMS(gate); i++) {
                KP_CLEANUP(kp_free_str)
                char *why = kp_format("an earlier step failed: %s", gate[i]);
                struct kp_text said = reason_text(&page, why);

                cr_expect_null(strstr(said.nl, gate[i]), "%s", said.nl);
                cr_expect_null(strstr(said.en, gate[i]), "%s", said.en);
                check(said, gate[i]);
        }
        cr_assert_eq(page_done(&page, &err), 0);
}
