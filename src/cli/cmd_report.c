/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "keypilot/core/free.h"
#include "keypilot/report/report.h"

#include "cli.h"

static const struct kp_option options[] = {
        { "format", "html|csv|json|junit|md|tap", false, false,
                { "html writes the pages into DIR; the others go to standard output",
                        "html schrijft de pagina's in DIR; de andere gaan naar "
                        "standaarduitvoer" } },
};

static enum kp_report_lang
report_lang(const struct kp_cli *cli)
{
        return cli->lang == KP_LANG_NL ? KP_REPORT_NL : KP_REPORT_EN;
}

static bool
is_stream(const char *format)
{
        for (size_t i = 0; kp_report_format_name(i) != NULL; i++)
                if (strcmp(kp_report_format_name(i), format) == 0)
                        return true;
        return false;
}

/* The format that is asked for; NULL: the summary that `run` ends with. */
static int
format_read(const struct kp_cli *cli, const char **ret, struct kp_error *err)
{
        const char *format = kp_arg(cli, "format");

        if (format == NULL && cli->json)
                format = "json";
        if (format != NULL && strcmp(format, "html") != 0 && !is_stream(format))
                return KP_FAIL(err, KP_EUSAGE,
                        "option --format: expected html, csv, json, junit, md or tap, "
                        "not "
                        "'%.40s'",
                        format);
        *ret = format;
        return 0;
}

static int
write_html(struct kp_cli *cli, struct kp_report *report, const char *dir,
        struct kp_error *err)
{
        if (kp_report_write_pages(report, dir, err) < 0)
                return -1;
        fprintf(stderr, "keypilot: %s %s/matrix.html, %s/verdict.html, %s/junit.xml\n",
                kp_say(cli->lang, "written:", "geschreven:"), dir, dir, dir);
        return 0;
}

static int
run(struct kp_cli *cli, struct kp_error *err)
{
        KP_CLEANUP(kp_report_free) struct kp_report *report = NULL;
        KP_CLEANUP(kp_fixtures_free) struct kp_fixtures *fixtures = NULL;
        const char *dir = kp_operand(cli, 0), *format = NULL;
        int rc;

        if (format_read(cli, &format, err) < 0 ||
                kp_fixtures_open(cli->fixtures_dir, &fixtures, err) < 0 ||
                kp_report_load(dir, fixtures, &report, err) < 0)
                return -1;
        if (format == NULL)
                rc = kp_report_print(report, report_lang(cli), stdout, err);
        else if (strcmp(format, "html") == 0)
                rc = write_html(cli, report, dir, err);
        else
                rc = kp_report_stream(report, format, report_lang(cli), stdout, err);
        return rc < 0 ? -1 : KP_EXIT_OK;
}

const struct kp_command kp_cmd_report = {
        .name = "report",
        .operands = "DIR",
        .min_operands = 1,
        .max_operands = 1,
        .help = { "a run as pages or in a machine format",
                "een run als pagina's of in een machineformaat" },
        .options = options,
        .n_options = KP_NELEMS(options),
        .run = run,
};
