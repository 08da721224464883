/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

#include "keypilot/core/file.h"
#include "keypilot/core/free.h"
#include "keypilot/model/fault.h"

#define TITLE "\"title\":{\"en\":\"a\",\"nl\":\"b\"}"

/* Load `text` as the file "cut-short.json"; why it is refused, or "". */
static const char *
load(const char *text, struct kp_fault *fault, char why[1024])
{
        char dir[] = "/tmp/keypilot-fault-XXXXXX";
        KP_CLEANUP(kp_free_str) char *path = NULL;
        struct kp_error err = { 0 };

        cr_assert_not_null(mkdtemp(dir));
        path = kp_format("%s/cut-short.json", dir);
        cr_assert_eq(kp_file_write(path, text, strlen(text), &err), 0);
        why[0] = '\0';
        if (kp_fault_load(path, fault, &err) < 0)
                (void)kp_error_format(&err, why, 1024);
        (void)unlink(path);
        (void)rmdir(dir);
        return why;
}

Test(fault, a_file_names_a_point_and_when)
{
        KP_CLEANUP(kp_fault_done) struct kp_fault fault = { 0 };
        char why[1024];

        load("{\"id\":\"cut-short\"," TITLE ",\"note\":[\"n\"],"
             "\"point\":\"answer.truncated\",\"command\":\"makeCredential\",\"nth\":2,"
             "\"times\":0,\"value\":7}",
                &fault, why);
        cr_assert_str_eq(why, "");
        cr_assert_str_eq(fault.id, "cut-short");
        cr_assert_str_eq(fault.title.en, "a");
        cr_assert_str_eq(fault.title.nl, "b");
        cr_assert_str_eq(fault.point, "answer.truncated");
        cr_assert_str_eq(fault.command, "makeCredential");
        cr_assert_eq(fault.nth, 2);
        cr_assert_eq(fault.times, 0);
        cr_assert_eq(fault.value, 7);
}

Test(fault, without_more_it_happens_the_first_time_of_any_command_once)
{
        KP_CLEANUP(kp_fault_done) struct kp_fault fault = { 0 };
        char why[1024];

        load("{\"id\":\"cut-short\"," TITLE ",\"point\":\"touch.withheld\"}", &fault,
                why);
        cr_assert_str_eq(why, "");
        cr_assert_null(fault.command);
        cr_assert_eq(fault.nth, 1);
        cr_assert_eq(fault.times, 1);
        cr_assert_eq(fault.value, 0);
}

Test(fault, what_is_wrong_is_refused_by_name)
{
        /* clang-format off */
        static const struct {
                const char *json, *says;
        } wrong[] = {
                { "[]", "expected a JSON object" },
                { "{\"id\":\"cut-short\"," TITLE "}", "member 'point' is missing" },
                { "{\"id\":\"cut-short\",\"point\":\"x\"}", "member 'title' is missing" },
                { "{\"id\":\"cut-short\",\"point\":\"x\",\"title\":\"a\"}", "member 'title'" },
                { "{\"id\":\"cut-long\"," TITLE ",\"point\":\"x\"}", "member 'id': expected \"cut-short\"" },
                { "{\"id\":\"cut-short\"," TITLE ",\"point\":\"\"}", "member 'point'" },
                { "{\"id\":\"cut-short\"," TITLE ",\"point\":7}", "member 'point': expected a string" },
                { "{\"id\":\"cut-short\"," TITLE ",\"point\":\"x\",\"command\":\"\"}", "member 'command'" },
                { "{\"id\":\"cut-short\"," TITLE ",\"point\":\"x\",\"nth\":0}", "member 'nth'" },
                { "{\"id\":\"cut-short\"," TITLE ",\"point\":\"x\",\"nth\":1.5}", "member 'nth'" },
                { "{\"id\":\"cut-short\"," TITLE ",\"point\":\"x\",\"times\":-1}", "member 'times'" },
                { "{\"id\":\"cut-short\"," TITLE ",\"point\":\"x\",\"value\":-1}", "member 'value'" },
                { "{\"id\":\"cut-short\"," TITLE ",\"point\":\"x\",\"colour\":1}", "member 'colour' is not known" },
                { "{\"id\":\"cut-short\",\"id\":\"cut-short\"," TITLE ",\"point\":\"x\"}", "not JSON" },
        };
        /* clang-format on */
        char why[1024];

        for (size_t i = 0; i < KP_NELEMS(wrong); i++) {
                struct kp_fault fault = { 0 };

                load(wrong[i].json, &fault, why);
                cr_expect_not_null(
                        strstr(why, wrong[i].says), "%s: \"%s\"", wrong[i].json, why);
                cr_expect_null(fault.json, "nothing is left behind");
                kp_fault_done(&fault);
        }
}

Test(fault, a_file_that_is_not_there_is_told)
{
        struct kp_fault fault = { 0 };
        struct kp_error err = { 0 };

        cr_assert_eq(kp_fault_load("/nonexistent/cut-short.json", &fault, &err), -1);
        cr_assert_eq(err.code, KP_EIO);
}
