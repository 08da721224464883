/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "keypilot/codec/b64url.h"
#include "keypilot/core/clock.h"
#include "keypilot/core/file.h"
#include "keypilot/core/free.h"
#include "keypilot/rp/mds.h"
#include "keypilot/rp/options.h"
#include "keypilot/rp/policy.h"
#include "keypilot/rp/record.h"
#include "keypilot/rp/vector.h"

#include "cli.h"
#include "tally.h"

/* Judge one response as a relying party does, or a file of vectors. */

#define PEM_MAX (1u << 20)

struct setup {
        enum kp_rp_mode mode;
        int64_t now_ms;
        int64_t sent_ms; /* 0: not told */
};

static int
read_time(
        const struct kp_cli *cli, const char *name, int64_t *ret, struct kp_error *err)
{
        const char *text = kp_arg(cli, name);
        struct kp_error ignored = { 0 };

        if (text == NULL || kp_utc_parse(text, ret, &ignored) == 0)
                return 0;
        return KP_FAIL(err, KP_EUSAGE,
                "option '--%s': expected a time like 2026-09-01T08:00:00Z, not "
                "'%.40s'",
                name, text);
}

static int
read_setup(const struct kp_cli *cli, struct setup *ret, struct kp_error *err)
{
        const char *mode = kp_arg(cli, "mode");
        struct kp_clock clock = kp_clock_system();

        *ret = (struct setup){ .mode = KP_RP_STRICT, .now_ms = kp_clock_ms(&clock) };
        if (mode != NULL && strcmp(mode, "lenient") == 0)
                ret->mode = KP_RP_LENIENT;
        else if (mode != NULL && strcmp(mode, "strict") != 0)
                return KP_FAIL(err, KP_EUSAGE,
                        "option '--mode': expected strict or lenient, not '%.40s'",
                        mode);
        if (read_time(cli, "at", &ret->now_ms, err) < 0)
                return -1;
        return read_time(cli, "sent-at", &ret->sent_ms, err);
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
read_pem(const char *path, struct kp_rp_options *ret, struct kp_error *err)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf pem = { 0 };

        if (kp_file_read(path, PEM_MAX, &pem, err) < 0)
                return -1;
        if (kp_rp_options_add_pem(ret, pem.data, pem.len, err) < 0)
                return KP_WHILE(err, "%s", path);
        return 0;
}

static int
add_trust(const struct kp_cli *cli, struct kp_rp_options *options, struct kp_error *err)
{
        const char *path = kp_arg(cli, "trust");

        if (path == NULL)
                return 0;
        if (read_pem(path, options, err) < 0)
                return -1;
        options->expect.trust = KP_TRUST_ANCHORS;
        return 0;
}

/* The roots of the BLOB are named, or are those of attestations. */
static int
load_mds(const struct kp_cli *cli, const struct setup *setup, struct kp_rp_mds **ret,
        struct kp_error *err)
{
        KP_CLEANUP(kp_rp_options_done) struct kp_rp_options roots = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf text = { 0 };
        const char *path = kp_arg(cli, "mds"), *root = kp_arg(cli, "mds-root");

        if (path == NULL)
                return root == NULL ? 0
                                    : KP_FAIL(err, KP_EUSAGE,
                                              "option '--mds-root' belongs to --mds");
        if (root == NULL)
                root = kp_arg(cli, "trust");
        if (root == NULL)
                return KP_FAIL(err, KP_EUSAGE,
                        "option '--mds' needs the root of its signature: "
                        "--mds-root FILE.pem (of FIDO's own: GlobalSign Root R3)");
        if (read_pem(root, &roots, err) < 0 ||
                kp_file_read(path, KP_RP_MDS_MAX, &text, err) < 0)
                return -1;
        if (kp_rp_mds_read(text.data, text.len, roots.anchors, roots.expect.n_anchors,
                    setup->now_ms, ret, err) < 0)
                return KP_WHILE(err, "%s", path);
        return 0;
}

static int
load_policy(const struct kp_cli *cli, json_t **ret, struct kp_rp_options *options,
        struct kp_error *err)
{
        KP_CLEANUP(kp_fixtures_free) struct kp_fixtures *fixtures = NULL;
        KP_CLEANUP(kp_free_str) char *path = NULL;
        const char *name = kp_arg(cli, "policy");

        if (name == NULL)
                return 0;
        if (kp_fixtures_open(cli->fixtures_dir, &fixtures, err) < 0 ||
                kp_fixtures_path(fixtures, "relying-parties", name, &path, err) < 0 ||
                kp_json_load(path, KP_JSON_MAX, ret, err) < 0)
                return -1;
        if (kp_rp_policy_read(*ret, &options->expect, err) < 0)
                return KP_WHILE(err, "%s", path);
        return 0;
}

/* What one response is judged by. */
struct expected {
        json_t *json, *policy; /* files */
        struct kp_rp_options options;
        struct kp_rp_mds *mds;
};

static void
expected_done(struct expected *expected)
{
        kp_rp_options_done(&expected->options);
        kp_rp_mds_free(&expected->mds);
        json_decref(expected->json);
        json_decref(expected->policy);
}

static int
load_expected(const struct kp_cli *cli, bool create, const struct setup *setup,
        struct expected *ret, struct kp_error *err)
{
        const char *path = kp_arg(cli, "options"), *origin = kp_arg(cli, "origin");
        const char *rp_id = kp_arg(cli, "rp-id");
        struct kp_rp_options *options = &ret->options;

        if (kp_json_load(path, KP_JSON_MAX, &ret->json, err) < 0)
                return -1;
        if ((create ? kp_rp_options_read_creation(
                              ret->json, origin, rp_id, options, err)
                    : kp_rp_options_read_request(
                              ret->json, origin, rp_id, options, err)) < 0)
                return KP_WHILE(err, "%s", path);
        options->expect.mode = setup->mode;
        options->expect.now_ms = setup->now_ms;
        options->expect.challenge_sent_ms = setup->sent_ms;
        if (load_policy(cli, &ret->policy, options, err) < 0 ||
                load_mds(cli, setup, &ret->mds, err) < 0)
                return -1;
        options->expect.metadata = ret->mds;
        return add_trust(cli, options, err);
}

/* A record may say whose it is. */
static int
read_user_handle(const json_t *record, struct kp_rp_options *ret, struct kp_error *err)
{
        const json_t *value = json_object_get(record, "userHandle");

        if (value == NULL)
                return 0;
        if (!json_is_string(value))
                return KP_FAIL(
                        err, KP_ESCHEMA, "member 'userHandle': expected base64url");
        if (kp_b64url_decode(json_string_value(value), json_string_length(value),
                    &ret->user_handle, err) < 0)
                return KP_WHILE(err, "member 'userHandle'");
        ret->expect.user_handle = ret->user_handle.data;
        ret->expect.user_handle_len = ret->user_handle.len;
        return 0;
}

/* The record itself, or a whole answer of an accepted registration. */
static int
load_credential(const char *path, struct kp_rp_options *options,
        struct kp_rp_credential *ret, struct kp_error *err)
{
        json_auto_t *json = NULL;
        const json_t *record;

        if (kp_json_load(path, KP_JSON_MAX, &json, err) < 0)
                return -1;
        record = json_object_get(json, "credential");
        if (json_object_get(json, "id") != NULL || !json_is_object(record))
                record = json;
        if (kp_rp_credential_read(record, ret, err) < 0 ||
                read_user_handle(record, options, err) < 0)
                return KP_WHILE(err, "%s", path);
        return 0;
}

/* What a stranger wrote may stand in them: an error's text is fit for terminals. */
static void
print_warnings(const struct kp_cli *cli, const struct kp_rp_result *result)
{
        for (size_t i = 0; i < result->n_warnings; i++) {
                struct kp_error shown = { 0 };

                (void)KP_FAIL(&shown, KP_EPARSE, "%s", result->warnings[i].reason);
                (void)fprintf(stderr,
                        kp_say(cli->lang, "keypilot: warning: %s: %s\n",
                                "keypilot: let op: %s: %s\n"),
                        result->warnings[i].check, shown.frames[0].text);
        }
}

static int
verify_one(struct kp_cli *cli, bool create, const struct setup *setup,
        struct kp_error *err)
{
        KP_CLEANUP(expected_done) struct expected expected = { 0 };
        KP_CLEANUP(kp_rp_credential_done) struct kp_rp_credential stored = { 0 };
        KP_CLEANUP(kp_rp_result_done) struct kp_rp_result result = { 0 };
        const struct kp_rp_expectation *expect = &expected.options.expect;
        json_auto_t *response = NULL;
        bool all = kp_arg(cli, "all") != NULL;
        int status;

        if (load_expected(cli, create, setup, &expected, err) < 0 ||
                (!create && load_credential(kp_arg(cli, "credential"),
                                    &expected.options, &stored, err) < 0) ||
                kp_json_load(kp_arg(cli, "response"), KP_JSON_MAX, &response, err) < 0)
                return -1;
        status = create ? kp_rp_verify_registration(expect, response, all, &result, err)
                        : kp_rp_verify_authentication(
                                  expect, &stored, response, all, &result, err);
        if (status < 0)
                return -1;
        print_warnings(cli, &result);
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
                "rp-id", "credential", "trust", "mds", "mds-root", "policy", "sent-at",
                "all" };

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
        { .name = "mds",
                .arg = "FILE",
                .help = { "FIDO metadata (BLOB) about models of keys",
                        "FIDO-metadata (BLOB) over modellen sleutels" } },
        { .name = "mds-root",
                .arg = "FILE.pem",
                .help = { "root that the metadata is signed under (default: --trust)",
                        "wortel waaronder de metadata ondertekend is (standaard: "
                        "--trust)" } },
        { .name = "policy",
                .arg = "NAME",
                .help = { "what this site allows, from relying-parties/ or a file",
                        "wat deze site toestaat, uit relying-parties/ of een "
                        "bestand" } },
        { .name = "sent-at",
                .arg = "UTC",
                .help = { "time at which the challenge went out, for its lifetime",
                        "tijd waarop de challenge verstuurd is, voor zijn "
                        "levensduur" } },
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
