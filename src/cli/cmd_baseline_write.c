/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdio.h>

#include "keypilot/core/free.h"
#include "keypilot/pilot/baseline.h"

#include "cli.h"

static const struct kp_option options[] = {
        { "out", "FILE", false, false,
                { "where the baseline goes (default DIR/baseline.json)",
                        "waar de verwachting komt (anders DIR/baseline.json)" } },
};

static int
run(struct kp_cli *cli, struct kp_error *err)
{
        const char *dir = kp_operand(cli, 0), *out = kp_arg(cli, "out");
        KP_CLEANUP(kp_free_str)
        char *path =
                out == NULL ? kp_format("%s/baseline.json", dir) : kp_format("%s", out);
        uint64_t n_outcomes = 0, n_risks = 0;
        json_auto_t *told = NULL;

        if (path == NULL)
                return KP_FAIL(err, KP_ENOMEM, "baseline");
        if (kp_baseline_write(dir, path, &n_outcomes, &n_risks, err) < 0)
                return -1;
        told = json_pack("{s:s, s:I, s:I}", "baseline", path, "outcomes",
                (json_int_t)n_outcomes, "risks", (json_int_t)n_risks);
        if (cli->json)
                return kp_print_json(told, err) < 0 ? -1 : KP_EXIT_OK;
        printf("%s: %" PRIu64 " %s, %" PRIu64 " %s (\"accepted_risks\").\n", path,
                n_outcomes,
                kp_say(cli->lang, "outcomes are expected from now on",
                        "uitkomsten zijn voortaan de verwachting"),
                n_risks,
                kp_say(cli->lang, "of them security risks that it accepts",
                        "daarvan zijn beveiligingsrisico's, die zijn geaccepteerd"));
        printf("%s keypilot run --baseline %s\n",
                kp_say(cli->lang, "Next:", "Volgende stap:"), path);
        return KP_EXIT_OK;
}

const struct kp_command kp_cmd_baseline_write = {
        .name = "baseline write",
        .operands = "DIR",
        .min_operands = 1,
        .max_operands = 1,
        .help = { "make a run the expectation for later ones",
                "maak van een testronde de verwachting voor latere" },
        .options = options,
        .n_options = KP_NELEMS(options),
        .run = run,
};
