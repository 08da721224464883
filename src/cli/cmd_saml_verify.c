/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "keypilot/codec/b64url.h"
#include "keypilot/core/clock.h"
#include "keypilot/core/file.h"
#include "keypilot/http/form.h"
#include "keypilot/saml/metadata.h"
#include "keypilot/saml/saml.h"
#include "keypilot/saml/vectors.h"
#include "keypilot/saml/verify.h"

#include "cli.h"
#include "tally.h"

/* Judge one SAML response as a service does, or a file of vectors. */

#define FILE_MAX (8u << 20) /* a message of 1 MiB in base64, escaped, in a form */
#define LENIENT_SKEW_MS (180 * 1000)

struct setup {
        bool lenient, allow_sha1;
        int64_t now_ms;
};

static int
read_setup(const struct kp_cli *cli, struct setup *ret, struct kp_error *err)
{
        const char *mode = kp_arg(cli, "mode"), *at = kp_arg(cli, "at");
        const char *sha1 = kp_arg(cli, "sha1");
        struct kp_clock clock = kp_clock_system();
        struct kp_error ignored = { 0 };

        if (mode != NULL && strcmp(mode, "lenient") != 0 && strcmp(mode, "strict") != 0)
                return KP_FAIL(err, KP_EUSAGE,
                        "option '--mode': expected strict or lenient, not '%.40s'",
                        mode);
        if (sha1 != NULL && strcmp(sha1, "allow") != 0 && strcmp(sha1, "refuse") != 0)
                return KP_FAIL(err, KP_EUSAGE,
                        "option '--sha1': expected allow or refuse, not '%.40s'", sha1);
        ret->lenient = mode != NULL && strcmp(mode, "lenient") == 0;
        ret->allow_sha1 = sha1 != NULL ? strcmp(sha1, "allow") == 0
                                       : kp_arg(cli, "vectors") != NULL;
        ret->now_ms = kp_clock_ms(&clock);
        if (at != NULL && kp_utc_parse(at, &ret->now_ms, &ignored) < 0)
                return KP_FAIL(err, KP_EUSAGE,
                        "option '--at': expected a time like 2026-09-01T08:00:00Z, "
                        "not '%.40s'",
                        at);
        return 0;
}

/* ---- what a message is written in ---- */

/* Behind a byte order mark and white space. */
static bool
looks_like_xml(const struct kp_buf *text)
{
        size_t i = 0;

        if (text->len >= 2 && (memcmp(text->data, "\xff\xfe", 2) == 0 ||
                                      memcmp(text->data, "\xfe\xff", 2) == 0))
                return true;
        if (text->len >= 3 && memcmp(text->data, "\xef\xbb\xbf", 3) == 0)
                i = 3;
        for (; i < text->len && strchr(" \t\r\n", text->data[i]) != NULL; i++)
                if (text->data[i] == '\0')
                        return false;
        return i < text->len && text->data[i] == '<';
}

static bool
from_base64(const char *text, size_t text_len, struct kp_buf *ret)
{
        struct kp_error ignored = { 0 };

        kp_buf_clear(ret);
        return kp_b64_decode(text, text_len, ret, &ignored) == 0 && looks_like_xml(ret);
}

/* As a browser's tools show it: "SAMLResponse=...&RelayState=...", or the value. */
static bool
from_form(struct kp_buf *text, struct kp_buf *ret)
{
        KP_CLEANUP(kp_pairs_done) struct kp_pairs pairs = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf form = { 0 };
        struct kp_error ignored = { 0 };
        const char *value;

        if (memchr(text->data, '%', text->len) == NULL &&
                strstr(kp_buf_str(text), "SAMLResponse=") == NULL)
                return false;
        if (strstr(kp_buf_str(text), "SAMLResponse=") == NULL)
                kp_buf_puts(&form, "SAMLResponse=");
        kp_buf_put(&form, text->data, text->len);
        if (form.failed ||
                kp_form_decode((const char *)form.data, form.len, &pairs, &ignored) < 0)
                return false;
        value = kp_pairs_get(&pairs, "SAMLResponse");
        return value != NULL && from_base64(value, strlen(value), ret);
}

/*
 * XML, or base64 of it. A file that is neither cannot be judged; one that begins like
 * XML and is broken can.
 */
static int
load_message(const char *path, struct kp_buf *ret, struct kp_error *err)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf text = { 0 };

        if (kp_file_read(path, FILE_MAX, &text, err) < 0)
                return -1;
        if (text.len > 0 && looks_like_xml(&text)) {
                kp_buf_put(ret, text.data, text.len);
                return kp_buf_check(ret, err);
        }
        if (text.len == 0 || (!from_base64((const char *)text.data, text.len, ret) &&
                                     !from_form(&text, ret)))
                return KP_FAIL(
                        err, KP_EPARSE, "%s: expected XML, or XML in base64", path);
        return 0;
}

static int
load_metadata(const char *path, enum kp_saml_role role, const struct setup *setup,
        struct kp_saml_entity *ret, struct kp_error *err)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf xml = { 0 };
        char until[KP_UTC_LEN];

        if (load_message(path, &xml, err) < 0 ||
                kp_saml_metadata_read(path, xml.data, xml.len, role, ret, err) < 0)
                return -1;
        if (ret->valid_until_ms != 0 && setup->now_ms >= ret->valid_until_ms &&
                !setup->lenient)
                return KP_FAIL(err, KP_ESCHEMA,
                        "%s: the metadata was valid until %s; fetch it again, or give "
                        "--at or --mode lenient",
                        path, kp_utc_format(ret->valid_until_ms, until));
        return 0;
}

/* ---- one message ---- */

/* The address of the service that the message claims to be for, or the default one. */
static const char *
acs_for(const struct kp_saml_entity *entity, const json_t *peeked)
{
        const char *names[] = { "destination", "recipient" };

        for (size_t i = 0; i < KP_NELEMS(names); i++) {
                const char *url = kp_json_str(peeked, names[i], "");

                for (size_t j = 0; j < entity->n_acs_urls; j++)
                        if (strcmp(entity->acs_urls[j], url) == 0)
                                return entity->acs_urls[j];
        }
        return entity->acs_url;
}

static int
print_verdict(const struct kp_federation_verdict *verdict, json_t *facts,
        struct kp_error *err)
{
        json_auto_t *answer = NULL;

        if (verdict->accepted) {
                if (json_object_set_new(facts, "verdict", json_string("accepted")) < 0)
                        return KP_FAIL(err, KP_ENOMEM, "answer");
                return kp_print_json(facts, err) < 0 ? -1 : KP_EXIT_OK;
        }
        answer = json_pack("{s:s, s:s, s:s, s:s?}", "verdict", "rejected", "rule",
                verdict->rule, "reason", verdict->reason, "spec", verdict->spec);
        if (answer == NULL)
                return KP_FAIL(err, KP_ENOMEM, "answer");
        return kp_print_json(answer, err) < 0 ? -1 : KP_EXIT_DIFFERS;
}

static int
verify_one(struct kp_cli *cli, const struct setup *setup, struct kp_error *err)
{
        static const char *const unbound[] = { "in-response-to",
                "confirmation-in-response-to" };
        KP_CLEANUP(kp_saml_entity_done) struct kp_saml_entity idp = { 0 };
        KP_CLEANUP(kp_saml_entity_done) struct kp_saml_entity sp = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf xml = { 0 };
        KP_CLEANUP(kp_buf_wipe) struct kp_buf key = { 0 };
        KP_CLEANUP(kp_json_free) json_t *peeked = NULL;
        KP_CLEANUP(kp_json_free) json_t *facts = NULL;
        struct kp_federation_verdict verdict;
        struct kp_response_policy policy = { .lenient = setup->lenient };
        struct kp_party own, peer;

        if (load_metadata(kp_arg(cli, "idp-metadata"), KP_SAML_PROVIDER, setup, &idp,
                    err) < 0 ||
                load_metadata(kp_arg(cli, "sp-metadata"), KP_SAML_SERVICE, setup, &sp,
                        err) < 0 ||
                load_message(kp_arg(cli, "response"), &xml, err) < 0 ||
                kp_saml_peek(xml.data, xml.len, &peeked, err) < 0)
                return -1;
        if (kp_arg(cli, "sp-key") != NULL &&
                kp_file_read(kp_arg(cli, "sp-key"), 1 << 20, &key, err) < 0)
                return -1;
        peer = kp_saml_entity_party(&idp);
        own = kp_saml_entity_party(&sp);
        own.acs_url = acs_for(&sp, peeked);
        own.key_pem = key.len > 0 ? kp_buf_str(&key) : NULL;
        policy.own = &own;
        policy.peer = &peer;
        policy.request_id = kp_arg(cli, "request-id");
        policy.want_assertion_signed = sp.wants_signed;
        policy.now_ms = setup->now_ms;
        policy.skew_ms = setup->lenient ? LENIENT_SKEW_MS : 0;
        policy.allow_sha1 = setup->allow_sha1;
        if (policy.request_id == NULL) { /* nothing to hold InResponseTo against */
                policy.allow_unsolicited = true;
                policy.off = unbound;
                policy.n_off = KP_NELEMS(unbound);
        }
        if (kp_saml_verify(KP_SAML_RESPONSE, xml.data, xml.len, &policy, &verdict,
                    &facts, err) < 0)
                return -1;
        return print_verdict(&verdict, facts, err);
}

static int
run_one(struct kp_cli *cli, const struct setup *setup, struct kp_error *err)
{
        static const char *const needed[] = { "response", "idp-metadata",
                "sp-metadata" };

        for (size_t i = 0; i < KP_NELEMS(needed); i++)
                if (kp_arg(cli, needed[i]) == NULL)
                        return KP_FAIL(err, KP_EUSAGE,
                                "option '--%s FILE' is missing (or give --vectors "
                                "FILE...)",
                                needed[i]);
        if (kp_n_operands(cli) > 0)
                return KP_FAIL(err, KP_EUSAGE, "'%.60s' is one argument too many",
                        kp_operand(cli, 0));
        return verify_one(cli, setup, err);
}

/* ---- vectors ---- */

static enum kp_agreement
agreement_of(enum kp_saml_agreement agreement)
{
        static const enum kp_agreement ours[] = {
                [KP_SAML_AGREES] = KP_AGREES,
                [KP_SAML_DISAGREES] = KP_DISAGREES,
                [KP_SAML_SKIPPED] = KP_VECTOR_SKIPPED,
        };

        return ours[agreement];
}

static void
put_result(struct kp_tally *tally, const struct kp_saml_vector_result *result)
{
        struct kp_buf *ret = &tally->text;

        kp_buf_printf(ret, "%-9s ", kp_agreement_name(agreement_of(result->agreement)));
        kp_tally_put(tally, result->id);
        if (result->agreement == KP_SAML_SKIPPED) {
                kp_buf_puts(ret, ": ");
                kp_tally_put(tally, result->note);
                kp_buf_puts(ret, "\n");
                return;
        }
        if (result->verdict.rule == NULL) {
                kp_buf_printf(
                        ret, ": %s", result->verdict.accepted ? "accepted" : "read");
        } else {
                kp_buf_printf(ret, ": rejected, %s: ", result->verdict.rule);
                kp_tally_put(tally, result->verdict.reason);
        }
        if (result->rule_unsigned[0] != '\0')
                kp_buf_printf(
                        ret, " (without signature rules: %s)", result->rule_unsigned);
        kp_buf_printf(ret, " | vector: %s: ", result->expected);
        kp_tally_put(tally, result->reason);
        if (result->agreement == KP_SAML_DISAGREES) {
                kp_buf_puts(ret, " | ");
                kp_tally_put(tally, result->note);
        }
        kp_buf_puts(ret, "\n");
}

static json_t *
json_result(const struct kp_saml_vector_result *result)
{
        const struct kp_federation_verdict *verdict = &result->verdict;

        if (result->agreement == KP_SAML_SKIPPED)
                return json_pack("{s:s, s:s, s:s}", "id", result->id, "result",
                        kp_agreement_name(agreement_of(result->agreement)), "needs",
                        result->note);
        return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s?, s:s?, s:s, s:s}", "id",
                result->id, "result",
                kp_agreement_name(agreement_of(result->agreement)), "verdict",
                verdict->rule == NULL ? verdict->accepted ? "accepted" : "read"
                                      : "rejected",
                "expected", result->expected, "vector_reason", result->reason, "rule",
                verdict->rule, "spec", verdict->spec, "reason", verdict->reason, "note",
                result->note);
}

static int
run_file(const char *path, const void *mode, struct kp_tally *tally,
        struct kp_error *err)
{
        KP_CLEANUP(kp_saml_vectors_done) struct kp_saml_vectors vectors = { 0 };
        struct kp_saml_vector_result result;

        if (kp_saml_vectors_load(path, &vectors, err) < 0)
                return -1;
        for (size_t i = 0; i < json_array_size(vectors.vectors); i++) {
                if (kp_saml_vector_run(&vectors, i, mode, &result, err) < 0)
                        return KP_WHILE(err, "%s", path);
                tally->n[agreement_of(result.agreement)]++;
                if (tally->list == NULL)
                        put_result(tally, &result);
                else if (kp_tally_append(tally, json_result(&result), err) < 0)
                        return -1;
        }
        return 0;
}

static int
run_vectors(struct kp_cli *cli, const struct setup *setup, struct kp_error *err)
{
        static const char *const others[] = { "response", "idp-metadata", "sp-metadata",
                "sp-key", "request-id", "at" };
        const struct kp_saml_vector_mode mode = { .lenient = setup->lenient,
                .refuse_sha1 = !setup->allow_sha1 };

        return kp_tally_run(cli, others, KP_NELEMS(others), run_file, &mode, err);
}

static int
run(struct kp_cli *cli, struct kp_error *err)
{
        struct setup setup;
        int status;

        if (read_setup(cli, &setup, err) < 0)
                return -1;
        status = kp_arg(cli, "vectors") != NULL ? run_vectors(cli, &setup, err)
                                                : run_one(cli, &setup, err);
        kp_saml_shutdown();
        return status;
}

static const struct kp_option options[] = {
        { .name = "response",
                .arg = "FILE",
                .help = { "the response: XML, base64, or a form (- is standard input)",
                        "het antwoord: XML, base64 of een formulier (- is "
                        "standaardinvoer)" } },
        { .name = "idp-metadata",
                .arg = "FILE",
                .help = { "metadata of the provider that should have sent it",
                        "metadata van de inlogvoorziening die het gestuurd zou "
                        "hebben" } },
        { .name = "sp-metadata",
                .arg = "FILE",
                .help = { "metadata of the service that receives it",
                        "metadata van de dienst die het ontvangt" } },
        { .name = "sp-key",
                .arg = "FILE.pem",
                .help = { "private key of the service, for encrypted assertions",
                        "geheime sleutel van de dienst, voor versleutelde "
                        "verklaringen" } },
        { .name = "request-id",
                .arg = "ID",
                .help = { "ID of the request that is outstanding (default: not "
                          "compared)",
                        "ID van het verzoek dat openstaat (standaard: niet "
                        "vergeleken)" } },
        { .name = "at",
                .arg = "UTC",
                .help = { "time at which to judge (default: now)",
                        "tijd waarop beoordeeld wordt (standaard: nu)" } },
        { .name = "mode",
                .arg = "strict|lenient",
                .help = { "refuse what should be refused, or only what must be",
                        "weiger wat geweigerd hoort te worden, of alleen wat moet" } },
        { .name = "sha1",
                .arg = "allow|refuse",
                .help = { "signatures over SHA-1 (default: refuse; vectors: allow)",
                        "handtekeningen met SHA-1 (standaard: refuse; vectoren: "
                        "allow)" } },
        { .name = "vectors",
                .arg = "FILE...",
                .repeat = true,
                .help = { "judge indexes of test messages and compare the verdicts",
                        "beoordeel lijsten met testberichten en vergelijk" } },
};

extern const struct kp_command kp_cmd_saml_verify;
const struct kp_command kp_cmd_saml_verify = {
        .name = "saml verify",
        .operands = "",
        .max_operands = SIZE_MAX,
        .help = { "check a SAML response as a service does, or test vectors",
                "controleer een SAML-antwoord zoals een dienst, of testvectoren" },
        .options = options,
        .n_options = KP_NELEMS(options),
        .run = run,
};
