/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "keypilot/core/clock.h"
#include "keypilot/core/file.h"
#include "keypilot/core/free.h"
#include "keypilot/rp/options.h"
#include "keypilot/rp/record.h"
#include "keypilot/rp/vector.h"

#include "cli.h"
#include "tally.h"

/* Judge one response as a relying party does, or a file of vectors. */

#define PEM_MAX (1u << 20)

struct setup {
        enum kp_rp_mode mode;
        int64_t now_ms;
};

static int
read_setup(const struct kp_cli *cli, struct setup *ret, struct kp_error *err)
{
        const char *mode = kp_arg(cli, "mode"), *at = kp_arg(cli, "at");
        struct kp_clock clock = kp_clock_system();
        struct kp_error ignored = { 0 };

        ret->mode = KP_RP_STRICT;
        if (mode != NULL && strcmp(mode, "lenient") == 0)
                ret->mode = KP_RP_LENIENT;
        else if (mode != NULL && strcmp(mode, "strict") != 0)
                return KP_FAIL(err, KP_EUSAGE,
                        "option '--mode': expected strict or lenient, not '%.40s'",
                        mode);
        ret->now_ms = kp_clock_ms(&clock);
        if (at != NULL && kp_utc_parse(at, &ret->now_ms, &ignored) < 0)
                return KP_FAIL(err, KP_EUSAGE,
                        "option '--at': expected a time like 2026-09-01T08:00:00Z, "
                        "not '%.40s'",
                        at);
        return 0;
}

static int
print_accepted(const struct kp_rp_result *result, struct kp_error *err)
{
        json_t *credential = NULL;

        if (kp_rp_credential_write(&result->credential, &credential, err) < 0)
                return -1;
        json_auto_t *answer = json_pack(
                "{s:s, s:o}", "verdict", "accepted", "credential", credential);
        if (answer == NULL)
                return KP_FAIL(err, KP_ENOMEM, "answer");
        return kp_print_json(answer, err) < 0 ? -1 : KP_EXIT_OK;
}

static json_t *
json_refusal(const struct kp_rp_refusal *refusal)
{
        return json_pack("{s:s, s:s, s:s}", "id", refusal->id, "check", refusal->check,
                "reason", refusal->reason);
}

static int
print_rejected(const struct kp_rp_result *result, bool all, struct kp_error *err)
{
        json_auto_t *answer = json_pack("{s:s, s:s, s:s}", "verdict", "rejected",
                "check", result->refusals[0].check, "reason",
                result->refusals[0].reason);
        json_auto_t *refusals = json_array();

        for (size_t i = 0; i < result->n_refusals; i++)
                if (json_array_append_new(
                            refusals, json_refusal(&result->refusals[i])) < 0)
                        return KP_FAIL(err, KP_ENOMEM, "answer");
        if (answer == NULL ||
                (all && json_object_set(answer, "refusals", refusals) < 0) ||
                (result->unsupported &&
                        json_object_set_new(answer, "unsupported", json_true()) < 0))
                return KP_FAIL(err, KP_ENOMEM, "answer");
        return kp_print_json(answer, err) < 0 ? -1 : KP_EXIT_DIFFERS;
}

static int
add_trust(const struct kp_cli *cli, struct kp_rp_options *options, struct kp_error *err)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf pem = { 0 };
        const char *path = kp_arg(cli, "trust");

        if (path == NULL)
                return 0;
        if (kp_file_read(path, PEM_MAX, &pem, err) < 0)
                return -1;
        if (kp_rp_options_add_pem(options, pem.data, pem.len, err) < 0)
                return KP_WHILE(err, "%s", path);
        options->expect.trust = KP_TRUST_ANCHORS;
        return 0;
}

static int
load_options(const struct kp_cli *cli, bool create, const json_t *json,
        const struct setup *setup, struct kp_rp_options *ret, struct kp_error *err)
{
        const char *origin = kp_arg(cli, "origin"), *rp_id = kp_arg(cli, "rp-id");

        if ((create ? kp_rp_options_read_creation(json, origin, rp_id, ret, err)
                    : kp_rp_options_read_request(json, origin, rp_id, ret, err)) < 0)
                return KP_WHILE(err, "%s", kp_arg(cli, "options"));
        ret->expect.mode = setup->mode;
        ret->expect.now_ms = setup->now_ms;
        return add_trust(cli, ret, err);
}

/* The record itself, or a whole answer of an accepted registration. */
static int
load_credential(const char *path, struct kp_rp_credential *ret, struct kp_error *err)
{
        json_auto_t *json = NULL;
        const json_t *record;

        if (kp_json_load(path, KP_JSON_MAX, &json, err) < 0)
                return -1;
        record = json_object_get(json, "credential");
        if (json_object_get(json, "id") != NULL || !json_is_object(record))
                record = json;
        if (kp_rp_credential_read(record, ret, err) < 0)
                return KP_WHILE(err, "%s", path);
        return 0;
}

static int
verify_one(struct kp_cli *cli, bool create, const struct setup *setup,
        struct kp_error *err)
{
        KP_CLEANUP(kp_rp_options_done) struct kp_rp_options options = { 0 };
        KP_CLEANUP(kp_rp_credential_done) struct kp_rp_credential stored = { 0 };
        KP_CLEANUP(kp_rp_result_done) struct kp_rp_result result = { 0 };
        json_auto_t *wanted = NULL;
        json_auto_t *response = NULL;
        bool all = kp_arg(cli, "all") != NULL;
        int status;

        if (kp_json_load(kp_arg(cli, "options"), KP_JSON_MAX, &wanted, err) < 0 ||
                load_options(cli, create, wanted, setup, &options, err) < 0 ||
                (!create &&
                        load_credential(kp_arg(cli, "credential"), &stored, err) < 0) ||
                kp_json_load(kp_arg(cli, "response"), KP_JSON_MAX, &response, err) < 0)
                return -1;
        status = create ? kp_rp_verify_registration(
                                  &options.expect, response, all, &result, err)
                        : kp_rp_verify_authentication(&options.expect, &stored,
                                  response, all, &result, err);
        if (status < 0)
                return -1;
        return result.accepted ? print_accepted(&result, err)
                               : print_rejected(&result, all, err);
}

/* Everything that one response needs. */
static int
run_one(struct kp_cli *cli, const struct setup *setup, struct kp_error *err)
{
        static const char *const needed[] = { "kind", "options", "response", "origin" };
        const char *kind = kp_arg(cli, "kind");
        bool create;

        for (size_t i = 0; i < KP_NELEMS(needed); i++)
                if (kp_arg(cli, needed[i]) == NULL)
                        return KP_FAIL(err, KP_EUSAGE,
                                "option '--%s' is missing (or give --vectors FILE...)",
                                needed[i]);
        if (kp_n_operands(cli) > 0)
                return KP_FAIL(err, KP_EUSAGE, "'%.60s' is one argument too many",
                        kp_operand(cli, 0));
        create = strcmp(kind, "registration") == 0;
        if (!create && strcmp(kind, "authentication") != 0)
                return KP_FAIL(err, KP_EUSAGE,
                        "option '--kind': expected registration or authentication, "
                        "not '%.40s'",
                        kind);
        if (create && kp_arg(cli, "credential") != NULL)
                return KP_FAIL(err, KP_EUSAGE,
                        "option '--credential' belongs to --kind authentication");
        if (!create && kp_arg(cli, "credential") == NULL)
                return KP_FAIL(err, KP_EUSAGE,
                        "option '--credential FILE' is missing: what was registered");
        return verify_one(cli, create, setup, err);
}

static enum kp_agreement
agreement_of(enum kp_rp_agreement agreement)
{
        static const enum kp_agreement ours[] = {
                [KP_RP_AGREE] = KP_AGREES,
                [KP_RP_DISAGREE] = KP_DISAGREES,
                [KP_RP_SKIPPED] = KP_VECTOR_SKIPPED,
        };

        return ours[agreement];
}

static void
put_outcome(struct kp_tally *tally, const struct kp_rp_vector_outcome *outcome)
{
        struct kp_buf *ret = &tally->text;

        kp_buf_printf(
                ret, "%-9s ", kp_agreement_name(agreement_of(outcome->agreement)));
        kp_tally_put(tally, outcome->name);
        if (outcome->agreement == KP_RP_SKIPPED) {
                kp_buf_puts(ret, ": needs ");
                kp_tally_put(tally, outcome->why);
                kp_buf_puts(ret, "\n");
                return;
        }
        kp_buf_printf(ret, ": %s", outcome->accepted ? "accepted" : "rejected");
        if (outcome->check != NULL)
                kp_buf_printf(ret, ", %s", outcome->check);
        if (outcome->why[0] != '\0') {
                kp_buf_puts(ret, ": ");
                kp_tally_put(tally, outcome->why);
        }
        kp_buf_printf(ret, " | vector: %s: ", outcome->expected);
        kp_tally_put(tally, outcome->reason);
        kp_buf_puts(ret, "\n");
}

static json_t *
json_outcome(const struct kp_rp_vector_outcome *outcome)
{
        if (outcome->agreement == KP_RP_SKIPPED)
                return json_pack("{s:s, s:s, s:s}", "name", outcome->name, "result",
                        kp_agreement_name(agreement_of(outcome->agreement)), "needs",
                        outcome->why);
        return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s?, s:s}", "name", outcome->name,
                "result", kp_agreement_name(agreement_of(outcome->agreement)),
                "verdict", outcome->accepted ? "accepted" : "rejected", "expected",
                outcome->expected, "vector_reason", outcome->reason, "check",
                outcome->check, "reason", outcome->why);
}

static int
run_file(const char *path, const void *mode, struct kp_tally *tally,
        struct kp_error *err)
{
        const struct setup *setup = mode;
        json_auto_t *vectors = NULL;
        struct kp_rp_vector_outcome outcome;
        const json_t *vector;
        size_t i;

        if (kp_json_load_any(path, KP_JSON_MAX_BULK, &vectors, err) < 0)
                return -1;
        if (!json_is_array(vectors))
                return KP_FAIL(
                        err, KP_ESCHEMA, "%s: expected an array of vectors", path);
        json_array_foreach (vectors, i, vector) {
                if (kp_rp_vector_run(
                            vector, setup->mode, setup->now_ms, &outcome, err) < 0)
                        return KP_WHILE(err, "%s: vector %zu", path, i + 1);
                tally->n[agreement_of(outcome.agreement)]++;
                if (tally->list == NULL)
                        put_outcome(tally, &outcome);
                else if (kp_tally_append(tally, json_outcome(&outcome), err) < 0)
                        return -1;
        }
        return 0;
}

static int
run_vectors(struct kp_cli *cli, const struct setup *setup, struct kp_error *err)
{
        static const char *const others[] = { "kind", "options", "response", "origin",
                "rp-id", "credential", "trust", "all" };

        return kp_tally_run(cli, others, KP_NELEMS(others), run_file, setup, err);
}

static int
run(struct kp_cli *cli, struct kp_error *err)
{
        struct setup setup;

        if (read_setup(cli, &setup, err) < 0)
                return -1;
        return kp_arg(cli, "vectors") != NULL ? run_vectors(cli, &setup, err)
                                              : run_one(cli, &setup, err);
}

static const struct kp_option options[] = {
        { .name = "kind",
                .arg = "registration|authentication",
                .help = { "what the response is", "wat het antwoord is" } },
        { .name = "options",
                .arg = "FILE",
                .help = { "the options that the site sent (JSON, - is standard input)",
                        "de opties die de site stuurde (JSON, - is "
                        "standaardinvoer)" } },
        { .name = "response",
                .arg = "FILE",
                .help = { "what the browser answered (JSON)",
                        "wat de browser antwoordde (JSON)" } },
        { .name = "origin",
                .arg = "URL",
                .help = { "origin of the page, such as https://example.org",
                        "herkomst van de pagina, zoals https://example.org" } },
        { .name = "rp-id",
                .arg = "ID",
                .help = { "RP ID, where the options do not say it",
                        "RP ID, als de opties die niet noemen" } },
        { .name = "credential",
                .arg = "FILE",
                .help = { "what the registration printed, for an authentication",
                        "wat de registratie gaf, voor een aanmelding" } },
        { .name = "trust",
                .arg = "FILE.pem",
                .help = { "certificates that an attestation must lead to",
                        "certificaten waar een attestatie op moet uitkomen" } },
        { .name = "at",
                .arg = "UTC",
                .help = { "time at which certificates are judged (default: now)",
                        "tijd waarop certificaten beoordeeld worden (standaard: "
                        "nu)" } },
        { .name = "mode",
                .arg = "strict|lenient",
                .help = { "refuse what should be refused, or only what must be",
                        "weiger wat geweigerd hoort te worden, of alleen wat moet" } },
        { .name = "all",
                .help = { "tell every refusal, not only the first",
                        "noem elke weigering, niet alleen de eerste" } },
        { .name = "vectors",
                .arg = "FILE...",
                .repeat = true,
                .help = { "judge files of test vectors and compare the verdicts",
                        "beoordeel bestanden met testvectoren en vergelijk" } },
};

extern const struct kp_command kp_cmd_webauthn_verify;
const struct kp_command kp_cmd_webauthn_verify = {
        .name = "webauthn verify",
        .operands = "",
        .max_operands = SIZE_MAX,
        .help = { "check a passkey response as a site does, or test vectors",
                "controleer een passkey-antwoord zoals een site, of testvectoren" },
        .options = options,
        .n_options = KP_NELEMS(options),
        .run = run,
};
