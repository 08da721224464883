/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/rp/vector.h"

#include <stdio.h>
#include <string.h>

#include "keypilot/codec/b64url.h"
#include "keypilot/core/clock.h"
#include "keypilot/core/json.h"
#include "keypilot/rp/options.h"
#include "keypilot/rp/record.h"

#include "attestation.h"
#include "options_json.h"

#define NEED_ANY_TPM "tpm-test-vendor" /* a TPM by a maker that the TCG does not know */
#define NEED_NO_TRUST "skip-trust-path"

/*
 * What vectors may ask for and we have; whatever else `needs` names is skipped. That is
 * ML-DSA, which OpenSSL has from 3.5 on.
 */
static const char *const supported[] = { "ES256K", "ESP256", "Ed448", "appid",
        "compound", "rp-state", NEED_NO_TRUST, NEED_ANY_TPM };

/* The first thing that is needed and missing here; NULL: nothing. */
static const char *
missing_need(const json_t *vector)
{
        const json_t *need;
        size_t i;

        json_array_foreach (json_object_get(vector, "needs"), i, need) {
                const char *name = json_string_value(need);
                bool found = false;

                for (size_t k = 0; name != NULL && k < KP_NELEMS(supported); k++)
                        found = found || strcmp(supported[k], name) == 0;
                if (!found)
                        return name == NULL ? "?" : name;
        }
        return NULL;
}

static bool
needs(const json_t *vector, const char *name)
{
        const json_t *need;
        size_t i;

        json_array_foreach (json_object_get(vector, "needs"), i, need)
                if (json_is_string(need) && strcmp(json_string_value(need), name) == 0)
                        return true;
        return false;
}

/* One text, or an array of them under the name of the plural. */
static int
read_texts(const json_t *options, const char *one, const char *many, const char **ret,
        size_t max, size_t *ret_n, struct kp_error *err)
{
        const json_t *value = json_object_get(options, many), *item;
        size_t i;

        if (value == NULL)
                value = json_object_get(options, one);
        if (value == NULL)
                return 0;
        if (json_is_string(value)) {
                ret[(*ret_n)++] = json_string_value(value);
                return 0;
        }
        if (!json_is_array(value) || json_array_size(value) > max)
                return KP_FAIL(err, KP_ESCHEMA,
                        "member '%s': expected up to %zu strings", many, max);
        json_array_foreach (value, i, item) {
                if (!json_is_string(item))
                        return KP_FAIL(
                                err, KP_ESCHEMA, "member '%s': expected strings", many);
                ret[(*ret_n)++] = json_string_value(item);
        }
        return 0;
}

static int
read_anchors(const json_t *options, struct kp_rp_options *ret, struct kp_error *err)
{
        const json_t *ders = NULL, *pems = NULL, *item;
        size_t i;

        if (kp_rp_json_array(options, "trustAnchors", &ders, err) < 0 ||
                kp_rp_json_array(options, "trustAnchorsPem", &pems, err) < 0)
                return -1;
        json_array_foreach (ders, i, item) {
                KP_CLEANUP(kp_buf_done) struct kp_buf der = { 0 };
                const char *text = json_string_value(item);

                if (text == NULL)
                        return KP_FAIL(
                                err, KP_ESCHEMA, "trustAnchors: expected strings");
                if (kp_b64url_decode(text, strlen(text), &der, err) < 0 ||
                        kp_rp_options_add_der(ret, der.data, der.len, err) < 0)
                        return KP_WHILE(err, "trustAnchors[%zu]", i);
        }
        json_array_foreach (pems, i, item) {
                const char *text = json_string_value(item);

                if (text == NULL)
                        return KP_FAIL(
                                err, KP_ESCHEMA, "trustAnchorsPem: expected strings");
                if (kp_rp_options_add_pem(ret, text, strlen(text), err) < 0)
                        return KP_WHILE(err, "trustAnchorsPem[%zu]", i);
        }
        return 0;
}

static int
read_trust(const json_t *vector, struct kp_rp_expectation *expect, struct kp_error *err)
{
        static const char *const modes[] = { [KP_TRUST_DEFAULT] = "default",
                [KP_TRUST_ANCHORS] = "anchors",
                [KP_TRUST_NONE] = "none" };
        const json_t *trust = json_object_get(vector, "trust");
        const char *mode = modes[KP_TRUST_DEFAULT], *now = NULL;
        bool known = false;

        if (kp_rp_json_text(trust, "mode", false, &mode, err) < 0 ||
                kp_rp_json_text(json_object_get(vector, "options"), "now", false, &now,
                        err) < 0 ||
                kp_rp_json_text(trust, "now", false, &now, err) < 0)
                return -1;
        for (size_t i = 0; i < KP_NELEMS(modes); i++)
                if (strcmp(modes[i], mode) == 0) {
                        expect->trust = (enum kp_rp_trust)i;
                        known = true;
                }
        if (!known)
                return KP_FAIL(
                        err, KP_ESCHEMA, "trust mode '%.40s' is not known", mode);
        if (needs(vector, NEED_NO_TRUST))
                expect->trust = KP_TRUST_NONE;
        if (now != NULL && kp_utc_parse(now, &expect->now_ms, err) < 0)
                return KP_WHILE(err, "now");
        return 0;
}

/* Vectors come from test suites, and with them the TPM of FIDO's conformance tests. */
static int
read_policy(
        const json_t *vector, struct kp_rp_expectation *expect, struct kp_error *err)
{
        const json_t *options = json_object_get(vector, "options");
        bool cts_check = true;

        if (kp_rp_json_bool(options, "safetyNetCtsCheck", &cts_check, err) < 0)
                return -1;
        expect->sha1_too = true; /* where a vector names no algorithms */
        expect->attestation.safetynet_any_device = !cts_check;
        expect->attestation.tpm_makers =
                needs(vector, NEED_ANY_TPM) ? KP_TPM_MAKERS_ANY : KP_TPM_MAKERS_TEST;
        return kp_rp_json_text(json_object_get(options, "extensions"), "appid", false,
                &expect->app_id, err);
}

/*
 * One rule has two answers: FIDO's conformance tests want the AAGUID of a U2F key to be
 * zero, the specification's own vector has another. A vector says with `policy` which
 * one it means.
 */
static bool
means_fido_conformance(const json_t *vector)
{
        const char *policy = kp_json_str(vector, "policy", "");

        return strncmp(policy, "FIDO conformance", strlen("FIDO conformance")) == 0;
}

/* A text that is not base64url stands for a challenge that no response can carry. */
static int
read_challenge(const json_t *options, struct kp_buf *ret, struct kp_error *err)
{
        struct kp_error ignored = { 0 };
        const char *text = NULL;

        if (kp_rp_json_text(options, "challenge", true, &text, err) < 0)
                return -1;
        if (kp_b64url_decode(text, strlen(text), ret, &ignored) < 0) {
                kp_buf_clear(ret);
                kp_buf_puts(ret, text);
        }
        return kp_buf_check(ret, err);
}

static int
read_expectation(const json_t *vector, struct kp_rp_options *ret, struct kp_error *err)
{
        const json_t *options = json_object_get(vector, "options");
        struct kp_rp_expectation *expect = &ret->expect;
        const char *mediation = "";
        bool up_required = true;

        if (read_challenge(options, &ret->challenge, err) < 0 ||
                read_texts(options, "rpId", "rpIds", expect->rp_ids,
                        KP_NELEMS(expect->rp_ids), &expect->n_rp_ids, err) < 0 ||
                read_texts(options, "origin", "origins", expect->origins,
                        KP_NELEMS(expect->origins), &expect->n_origins, err) < 0 ||
                read_texts(options, "topOrigin", "topOrigins", expect->top_origins,
                        KP_NELEMS(expect->top_origins), &expect->n_top_origins,
                        err) < 0 ||
                read_texts(options, "expectedType", "expectedTypes",
                        expect->expected_types, KP_NELEMS(expect->expected_types),
                        &expect->n_expected_types, err) < 0 ||
                kp_rp_json_uv(options, expect, err) < 0 ||
                kp_rp_json_params(options, expect, err) < 0 ||
                kp_rp_json_bool(options, "allowCrossOrigin",
                        &expect->allow_cross_origin, err) < 0 ||
                kp_rp_json_bool(options, "requireUserPresence", &up_required, err) <
                        0 ||
                kp_rp_json_bool(options, "discoverable", &expect->discoverable, err) <
                        0 ||
                kp_rp_json_text(options, "mediation", false, &mediation, err) < 0 ||
                kp_rp_json_array(options, "allowCredentials",
                        &expect->allow_credentials, err) < 0 ||
                kp_rp_json_array(options, "registeredCredentialIds",
                        &expect->registered_ids, err) < 0)
                return -1;
        if (json_object_get(options, "userHandle") != NULL &&
                kp_rp_json_bytes(options, "userHandle", &ret->user_handle, err) < 0)
                return -1;
        expect->challenge = ret->challenge.data;
        expect->challenge_len = ret->challenge.len;
        expect->user_handle = ret->user_handle.data;
        expect->user_handle_len = ret->user_handle.len;
        expect->up_not_required = !up_required || strcmp(mediation, "conditional") == 0;
        expect->u2f_zero_aaguid = means_fido_conformance(vector);
        if (read_anchors(options, ret, err) < 0 || read_policy(vector, expect, err) < 0)
                return -1;
        return read_trust(vector, expect, err);
}

static bool
fact_text(const json_t *facts, const char *name, const char *read, char why[256])
{
        const char *wanted = json_string_value(json_object_get(facts, name));

        if (json_object_get(facts, name) == NULL)
                return true;
        if (wanted != NULL && strcmp(wanted, read) == 0)
                return true;
        (void)snprintf(why, 256, "%s was read as '%.60s', expected '%.60s'", name, read,
                wanted == NULL ? "?" : wanted);
        return false;
}

static bool
fact_number(const json_t *facts, const char *name, json_int_t read, char why[256])
{
        const json_t *wanted = json_object_get(facts, name);

        if (wanted == NULL ||
                (json_is_integer(wanted) && json_integer_value(wanted) == read))
                return true;
        (void)snprintf(why, 256, "%s was read as %lld, expected %lld", name,
                (long long)read, (long long)json_integer_value(wanted));
        return false;
}

static bool
facts_agree(const json_t *facts, const struct kp_rp_credential *read, char why[256])
{
        KP_CLEANUP(kp_buf_done) struct kp_buf aaguid = { 0 };

        kp_buf_put_hex(&aaguid, read->aaguid, sizeof(read->aaguid));
        return fact_text(facts, "fmt", read->format, why) &&
               fact_number(facts, "alg", read->alg, why) &&
               fact_text(facts, "aaguid", kp_buf_str(&aaguid), why) &&
               fact_number(facts, "flags", read->flags, why) &&
               fact_number(facts, "signCount", read->sign_count, why);
}

static void
skip(struct kp_rp_vector_outcome *ret, const char *what, const char *name)
{
        ret->agreement = KP_RP_SKIPPED;
        (void)snprintf(ret->why, sizeof(ret->why), "%s%s", what, name);
}

static void
compare(const json_t *vector, const struct kp_rp_result *result,
        struct kp_rp_vector_outcome *ret)
{
        bool wanted = strcmp(ret->expected, "valid") == 0;
        char alg[32];

        if (!result->accepted && result->unsupported) {
                (void)snprintf(alg, sizeof(alg), "%d", result->credential.alg);
                skip(ret, "algorithm ", alg);
                return;
        }
        ret->accepted = result->accepted;
        if (!result->accepted) {
                ret->check = result->refusals[0].check;
                (void)snprintf(
                        ret->why, sizeof(ret->why), "%s", result->refusals[0].reason);
        }
        ret->agreement = result->accepted == wanted ? KP_RP_AGREE : KP_RP_DISAGREE;
        if (ret->agreement == KP_RP_AGREE &&
                !facts_agree(json_object_get(vector, "facts"), &result->credential,
                        ret->why))
                ret->agreement = KP_RP_DISAGREE;
}

static int
verify(const json_t *vector, const char *kind, const struct kp_rp_expectation *expect,
        struct kp_rp_result *result, struct kp_error *err)
{
        KP_CLEANUP(kp_rp_credential_done) struct kp_rp_credential stored = { 0 };
        const json_t *response = json_object_get(vector, "response");

        if (strcmp(kind, "registration") == 0)
                return kp_rp_verify_registration(expect, response, false, result, err);
        if (strcmp(kind, "authentication") != 0)
                return KP_FAIL(err, KP_ESCHEMA,
                        "member 'kind': expected registration or authentication");
        if (kp_rp_credential_read(json_object_get(vector, "credential"), &stored, err) <
                0)
                return KP_WHILE(err, "credential");
        return kp_rp_verify_authentication(
                expect, &stored, response, false, result, err);
}

static int
read_header(const json_t *vector, enum kp_rp_mode mode, const char **kind,
        struct kp_rp_vector_outcome *ret, struct kp_error *err)
{
        if (!json_is_object(vector))
                return KP_FAIL(err, KP_ESCHEMA, "expected a vector, an object");
        if (kp_rp_json_text(vector, "name", true, &ret->name, err) < 0)
                return -1;
        ret->reason = "";
        if (kp_rp_json_text(vector, "kind", true, kind, err) < 0 ||
                kp_rp_json_text(vector, "expect", true, &ret->expected, err) < 0 ||
                kp_rp_json_text(vector, "reason", false, &ret->reason, err) < 0 ||
                (mode == KP_RP_LENIENT && kp_rp_json_text(vector, "lenient", false,
                                                  &ret->expected, err) < 0))
                return KP_WHILE(err, "%s", ret->name);
        if (strcmp(ret->expected, "valid") != 0 &&
                strcmp(ret->expected, "invalid") != 0)
                return KP_FAIL(err, KP_ESCHEMA,
                        "%s: member 'expect': expected valid or invalid", ret->name);
        if (json_object_get(vector, "response") == NULL)
                return KP_FAIL(
                        err, KP_ESCHEMA, "%s: member 'response' is missing", ret->name);
        return 0;
}

int
kp_rp_vector_run(const json_t *vector, enum kp_rp_mode mode, int64_t now_ms,
        struct kp_rp_vector_outcome *ret, struct kp_error *err)
{
        KP_CLEANUP(kp_rp_options_done)
        struct kp_rp_options options = { .expect = { .mode = mode, .now_ms = now_ms } };
        KP_CLEANUP(kp_rp_result_done) struct kp_rp_result result = { 0 };
        const char *kind = NULL, *need;

        memset(ret, 0, sizeof(*ret));
        if (read_header(vector, mode, &kind, ret, err) < 0)
                return -1;
        if ((need = missing_need(vector)) != NULL) {
                skip(ret, "", need);
                return 0;
        }
        if (read_expectation(vector, &options, err) < 0 ||
                verify(vector, kind, &options.expect, &result, err) < 0)
                return KP_WHILE(err, "%s", ret->name);
        compare(vector, &result, ret);
        return 0;
}
