/* SPDX-License-Identifier: BSD-2-Clause */
#include "tally.h"

#include <stdio.h>

static void
tally_done(struct kp_tally *tally)
{
        json_decref(tally->list);
        kp_buf_done(&tally->text);
}

const char *
kp_agreement_name(enum kp_agreement agreement)
{
        static const char *const names[] = {
                [KP_AGREES] = "agree",
                [KP_DISAGREES] = "disagree",
                [KP_VECTOR_SKIPPED] = "skipped",
        };

        return names[agreement];
}

void
kp_tally_put(struct kp_tally *tally, const char *text)
{
        for (; *text != '\0'; text++)
                kp_buf_put_u8(&tally->text, (unsigned char)*text < 0x20 || *text == 0x7f
                                                    ? '?'
                                                    : (uint8_t)*text);
}

int
kp_tally_append(struct kp_tally *tally, json_t *vector, struct kp_error *err)
{
        if (json_array_append_new(tally->list, vector) < 0)
                return KP_FAIL(err, KP_ENOMEM, "answer");
        return 0;
}

static int
print_text(struct kp_tally *tally, struct kp_error *err)
{
        kp_buf_printf(&tally->text, "%u agree, %u disagree, %u skipped\n",
                tally->n[KP_AGREES], tally->n[KP_DISAGREES],
                tally->n[KP_VECTOR_SKIPPED]);
        if (kp_buf_check(&tally->text, err) < 0)
                return -1;
        (void)fwrite(tally->text.data, 1, tally->text.len, stdout); /* fflush tells */
        if (fflush(stdout) == EOF || ferror(stdout))
                return KP_FAIL(err, KP_EIO, "standard output: cannot write");
        return 0;
}

static int
print_tally(struct kp_tally *tally, struct kp_error *err)
{
        json_auto_t *answer = NULL;

        if (tally->list == NULL)
                return print_text(tally, err);
        answer = json_pack("{s:O, s:i, s:i, s:i}", "vectors", tally->list, "agree",
                (int)tally->n[KP_AGREES], "disagree", (int)tally->n[KP_DISAGREES],
                "skipped", (int)tally->n[KP_VECTOR_SKIPPED]);
        return answer == NULL ? KP_FAIL(err, KP_ENOMEM, "answer")
                              : kp_print_json(answer, err);
}

int
kp_tally_run(struct kp_cli *cli, const char *const *others, size_t n_others,
        int (*run)(const char *path, const void *mode, struct kp_tally *tally,
                struct kp_error *err),
        const void *mode, struct kp_error *err)
{
        KP_CLEANUP(tally_done)
        struct kp_tally tally = { .list = cli->json ? json_array() : NULL };

        for (size_t i = 0; i < n_others; i++)
                if (kp_arg(cli, others[i]) != NULL)
                        return KP_FAIL(err, KP_EUSAGE,
                                "option '--%s' does not go with --vectors", others[i]);
        for (size_t i = 0; i < kp_arg_count(cli, "vectors"); i++)
                if (run(kp_arg_nth(cli, "vectors", i), mode, &tally, err) < 0)
                        return -1;
        for (size_t i = 0; i < kp_n_operands(cli); i++)
                if (run(kp_operand(cli, i), mode, &tally, err) < 0)
                        return -1;
        if (print_tally(&tally, err) < 0)
                return -1;
        if (tally.n[KP_AGREES] == 0)
                return KP_EXIT_UNDECIDED;
        return tally.n[KP_DISAGREES] == 0 ? KP_EXIT_OK : KP_EXIT_DIFFERS;
}
