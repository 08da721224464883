/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/saml/vectors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keypilot/core/file.h"
#include "keypilot/core/json.h"
#include "keypilot/saml/metadata.h"

#include "internal.h"

#define FILE_MAX (4u << 20)

/* What a vector says about itself, borrowed from the index. */
struct vector {
        const char *id, *file, *kind, *expect, *reason, *repo;
        const char *entity_id, *acs, *request_id, *clock; /* NULL: not stated */
        const json_t *message, *signatures;
        bool strict_only, signature_off;
        /* owned */
        struct kp_buf xml, cert_pem, key_pem;
};

static void
vector_done(struct vector *vector)
{
        kp_buf_done(&vector->xml);
        kp_buf_done(&vector->cert_pem);
        kp_buf_wipe(&vector->key_pem);
}

int
kp_saml_vectors_load(
        const char *path, struct kp_saml_vectors *ret, struct kp_error *err)
{
        const char *slash = strrchr(path, '/');
        json_t *root = NULL;

        if (kp_json_load(path, KP_JSON_MAX_BULK, &root, err) < 0)
                return -1;
        ret->vectors = json_object_get(root, "vectors");
        if (!json_is_array(ret->vectors)) {
                json_decref(root);
                return KP_FAIL(
                        err, KP_ESCHEMA, "%s: an array \"vectors\" was expected", path);
        }
        ret->dir = slash == NULL ? kp_format(".")
                                 : kp_format("%.*s", (int)(slash - path), path);
        if (ret->dir == NULL) {
                json_decref(root);
                return KP_FAIL(err, KP_ENOMEM, "vectors");
        }
        ret->root = root;
        return 0;
}

void
kp_saml_vectors_done(struct kp_saml_vectors *vectors)
{
        json_decref(vectors->root);
        free(vectors->dir);
        memset(vectors, 0, sizeof(*vectors));
}

/* A file beside the index; a name that leads out of its folder is refused. */
static int
load_file(const char *dir, const char *name, struct kp_buf *ret, struct kp_error *err)
{
        char *path;
        int status;

        if (name == NULL)
                return 0;
        if (name[0] == '/' || strstr(name, "..") != NULL)
                return KP_FAIL(
                        err, KP_ESCHEMA, "'%s' is not a file beside the index", name);
        if ((path = kp_format("%s/%s", dir, name)) == NULL)
                return KP_FAIL(err, KP_ENOMEM, "vectors");
        status = kp_file_read(path, FILE_MAX, ret, err);
        free(path);
        return status;
}

static int
vector_read(
        const char *dir, const json_t *object, struct vector *ret, struct kp_error *err)
{
        const json_t *sp = json_object_get(object, "sp");

        ret->id = kp_json_str(object, "id", NULL);
        ret->file = kp_json_str(object, "file", NULL);
        ret->kind = kp_json_str(object, "kind", NULL);
        ret->expect = kp_json_str(object, "expect", NULL);
        if (ret->id == NULL || ret->file == NULL || ret->kind == NULL ||
                ret->expect == NULL)
                return KP_FAIL(err, KP_ESCHEMA,
                        "vector '%s': members id, file, kind and expect are needed",
                        ret->id != NULL ? ret->id : "?");
        ret->reason = kp_json_str(object, "reason", "");
        ret->repo = kp_json_str(json_object_get(object, "source"), "repo", "");
        ret->entity_id = kp_json_str(sp, "entity_id", NULL);
        ret->acs = kp_json_str(sp, "acs", NULL);
        ret->request_id = kp_json_str(sp, "request_id", NULL);
        ret->clock = kp_json_str(object, "clock", NULL);
        ret->message = json_object_get(object, "message");
        ret->signatures = json_object_get(object, "signatures_by_xmlsec1");
        ret->strict_only = kp_json_bool(object, "strict_only", false);
        ret->signature_off = kp_json_bool(object, "needs_signature_check_off", false);
        if (load_file(dir, ret->file, &ret->xml, err) < 0 ||
                load_file(dir, kp_json_str(object, "idp_cert", NULL), &ret->cert_pem,
                        err) < 0 ||
                load_file(dir, kp_json_str(sp, "decryption_key", NULL), &ret->key_pem,
                        err) < 0)
                return KP_WHILE(err, "vector '%s'", ret->id);
        return 0;
}

/* ---- what they expect ---- */

enum expectation { ACCEPTED, REFUSED, EITHER, PARSED, NOT_KNOWN };

static bool
one_verifies(const struct vector *vector)
{
        size_t i;
        json_t *signature;

        json_array_foreach (vector->signatures, i, signature)
                if (json_is_true(json_object_get(signature, "verifies")))
                        return true;
        return false;
}

/*
 * "If SHA-1 is allowed" cannot make a signature good that the index itself says does
 * not verify, or that it has no certificate for.
 */
static enum expectation
expectation_of(const struct vector *vector, const struct kp_saml_vector_mode *mode)
{
        static const struct {
                const char *word;
                enum expectation strict;
        } words[] = {
                { "accept", ACCEPTED },
                { "accept_if_decrypts", ACCEPTED },
                { "accept_only_signed", ACCEPTED },
                { "accept_unsigned", ACCEPTED },
                { "accept_with_warning", ACCEPTED },
                { "accept_or_full_text", EITHER },
                { "parse_only", PARSED },
                { "reject", REFUSED },
                { "reject_or_full_text", EITHER },
        };

        if (strcmp(vector->expect, "accept_if_sha1_allowed") == 0)
                return one_verifies(vector) && !mode->refuse_sha1 ? ACCEPTED : REFUSED;
        if (strcmp(vector->expect, "reject_if_solicited") == 0)
                return vector->request_id != NULL ? REFUSED : EITHER;
        for (size_t i = 0; i < KP_NELEMS(words); i++)
                if (strcmp(words[i].word, vector->expect) == 0)
                        return words[i].strict == REFUSED && vector->strict_only &&
                                               mode->lenient
                                       ? EITHER
                                       : words[i].strict;
        return NOT_KNOWN;
}

static bool
kind_of(const char *name, enum kp_saml_kind *ret)
{
        static const char *const names[] = {
                [KP_SAML_RESPONSE] = "Response",
                [KP_SAML_AUTHN_REQUEST] = "AuthnRequest",
                [KP_SAML_LOGOUT_REQUEST] = "LogoutRequest",
                [KP_SAML_LOGOUT_RESPONSE] = "LogoutResponse",
        };

        for (size_t i = 0; i < KP_NELEMS(names); i++)
                if (strcmp(names[i], name) == 0) {
                        *ret = (enum kp_saml_kind)i;
                        return true;
                }
        return false;
}

/* ---- our verdict ---- */

/*
 * What the reader of a suite does not ask, where its own good messages fall short of
 * the specification. Everything of that suite is judged so, good or bad.
 */
static const struct reader {
        const char *repo;
        const char *off[2];
        bool beside; /* the response's signature signs the assertion beside it */
} readers[] = {
        { "SAML-Toolkits/python3-saml", { "confirmation-recipient-missing" }, false },
        { "node-saml/node-saml", { "signature-order" }, false },
        { "tngan/samlify", { "confirmation-in-response-to", "signature-order" }, true },
};

static void
apply_reader(const char *repo, struct kp_response_policy *policy, const char **off)
{
        for (size_t i = 0; i < KP_NELEMS(readers); i++) {
                if (strcmp(readers[i].repo, repo) != 0)
                        continue;
                policy->allow_beside = readers[i].beside;
                for (size_t j = 0; j < KP_NELEMS(readers[i].off); j++)
                        if (readers[i].off[j] != NULL)
                                off[policy->n_off++] = readers[i].off[j];
        }
}

/* Whether the index knows a signature on the message, not only on an assertion. */
static bool
signs_envelope(const struct vector *vector)
{
        size_t i;
        json_t *signature;

        json_array_foreach (vector->signatures, i, signature)
                if (strcmp(kp_json_str(signature, "on", ""), vector->kind) == 0)
                        return true;
        return false;
}

#define OFF_MAX 24

static int
judge(const struct vector *vector, enum kp_saml_kind kind,
        const struct kp_saml_vector_mode *mode, bool signatures,
        struct kp_federation_verdict *verdict, json_t **facts, struct kp_error *err)
{
        static const char *const signature_rules[] = { "signature-position",
                "signature-order", "signature-reference", "signature-transforms",
                "signature-canonicalization", "signature-algorithm", "signature-key",
                "signature-value", "signature-missing", "message-signature-missing" };
        bool unsigned_is_fine = strcmp(vector->expect, "accept_unsigned") == 0;
        struct kp_buf cert = vector->cert_pem, key = vector->key_pem;
        struct kp_party own = { .entity_id = vector->entity_id,
                .acs_url = vector->acs };
        struct kp_party peer = { 0 };
        const char *off[OFF_MAX];
        struct kp_response_policy policy = {
                .own = &own,
                .peer = &peer,
                .request_id = vector->request_id,
                .allow_unsolicited = vector->request_id == NULL,
                .want_response_signed =
                        kind != KP_SAML_RESPONSE && signatures && !unsigned_is_fine,
                .lenient = mode->lenient,
                .allow_sha1 = !mode->refuse_sha1,
                .skew_ms = mode->lenient ? 180 * 1000 : 0,
                .off = off,
        };

        apply_reader(vector->repo, &policy, off);
        own.sso_url = own.slo_url = vector->acs;
        own.key_pem = key.len > 0 ? (const char *)key.data : NULL;
        peer.cert_pem = cert.len > 0 ? (const char *)cert.data : NULL;
        if (vector->clock != NULL &&
                kp_utc_parse(vector->clock, &policy.now_ms, err) < 0)
                return KP_WHILE(err, "vector '%s': clock", vector->id);
        if (vector->request_id == NULL) {
                off[policy.n_off++] = "in-response-to";
                off[policy.n_off++] = "confirmation-in-response-to";
        }
        /*
         * acs is the Recipient of the source; where it is no address, or no signature
         * vouches for the message around the assertion, Destination cannot be held
         * against it.
         */
        if (vector->acs == NULL || strstr(vector->acs, "://") == NULL ||
                !signs_envelope(vector))
                off[policy.n_off++] = "destination";
        for (size_t i = 0; !signatures && i < KP_NELEMS(signature_rules); i++)
                off[policy.n_off++] = signature_rules[i];
        return kp_saml_verify(
                kind, vector->xml.data, vector->xml.len, &policy, verdict, facts, err);
}

/* ---- what was read ---- */

static const char *
trim(const char *text, size_t *ret_len)
{
        size_t len;

        text += strspn(text, " \t\r\n");
        for (len = strlen(text); len > 0 && strchr(" \t\r\n", text[len - 1]) != NULL;
                len--)
                ;
        *ret_len = len;
        return text;
}

/* Equal but for white space around it. */
static bool
reads_equal(const json_t *theirs, const json_t *ours)
{
        size_t a_len, b_len;
        const char *a, *b;

        if (!json_is_string(theirs) || !json_is_string(ours))
                return json_equal(theirs, ours) ||
                       (ours == NULL && json_is_null(theirs));
        a = trim(json_string_value(theirs), &a_len);
        b = trim(json_string_value(ours), &b_len);
        return a_len == b_len && memcmp(a, b, a_len) == 0;
}

/* The first member of the vector's message that we read otherwise; NULL: none. */
static const char *
reads_otherwise(const json_t *theirs, const json_t *ours)
{
        const char *name;
        json_t *value;

        if (json_object_get(theirs, "parse_error") != NULL)
                return json_object_get(ours, "parse_error") == NULL ? "parse_error"
                                                                    : NULL;
        json_object_foreach ((json_t *)theirs, name, value)
                if (!reads_equal(value, json_object_get(ours, name)))
                        return name;
        return NULL;
}

static int KP_PRINTF(2, 3)
        disagree(struct kp_saml_vector_result *ret, const char *format, ...)
{
        va_list args;

        va_start(args, format);
        (void)vsnprintf(ret->note, sizeof(ret->note), format, args);
        va_end(args);
        saml_clean(ret->note);
        ret->agreement = KP_SAML_DISAGREES;
        return 0;
}

/*
 * What was read of a message that we accepted comes from what was signed; the index
 * tells of the first SubjectConfirmation, we read the one that holds.
 */
static const char *
accepted_reads_otherwise(const json_t *theirs, const json_t *facts)
{
        static const char *const names[] = { "id", "in_response_to", "issuer",
                "audience", "not_before", "not_on_or_after", "authn_context" };

        for (size_t i = 0; i < KP_NELEMS(names); i++) {
                const json_t *value = json_object_get(theirs, names[i]);

                if (value != NULL &&
                        !reads_equal(value, json_object_get(facts, names[i])))
                        return names[i];
        }
        return NULL;
}

static bool
is_whole_name(const json_t *peeked, const json_t *facts)
{
        return reads_equal(
                json_object_get(peeked, "name_id"), json_object_get(facts, "name_id"));
}

static int
compare(const struct vector *vector, enum expectation expected, const json_t *peeked,
        const json_t *facts, struct kp_saml_vector_result *ret)
{
        bool accepted = ret->verdict.accepted;
        const char *otherwise = reads_otherwise(vector->message, peeked);

        if (expected == ACCEPTED && !accepted)
                return disagree(ret, "refused by %s: %s", ret->verdict.rule,
                        ret->verdict.reason);
        if (expected == REFUSED && accepted)
                return disagree(ret, "accepted");
        if (otherwise == NULL && accepted)
                otherwise = accepted_reads_otherwise(vector->message, facts);
        if (otherwise != NULL)
                return disagree(ret, "member '%s' was read otherwise", otherwise);
        if (strstr(vector->expect, "full_text") != NULL && accepted &&
                !is_whole_name(peeked, facts))
                return disagree(ret, "accepted, and not the whole NameID was read");
        return 0;
}

static int
skip(struct kp_saml_vector_result *ret, const char *need)
{
        ret->agreement = KP_SAML_SKIPPED;
        (void)snprintf(ret->note, sizeof(ret->note), "%s", need);
        return 0;
}

/* Metadata is read, not judged: which member says what, and that its keys are keys. */
static int
run_metadata(const struct vector *vector, struct kp_saml_vector_result *ret,
        struct kp_error *err)
{
        KP_CLEANUP(kp_saml_entity_done) struct kp_saml_entity entity = { 0 };
        KP_CLEANUP(kp_json_free) json_t *peeked = NULL;
        struct kp_error service = { 0 }, provider = { 0 };
        const char *otherwise;
        char why[300];

        if (kp_saml_metadata_read(vector->file, vector->xml.data, vector->xml.len,
                    KP_SAML_SERVICE, &entity, &service) < 0 &&
                kp_saml_metadata_read(vector->file, vector->xml.data, vector->xml.len,
                        KP_SAML_PROVIDER, &entity, &provider) < 0)
                return disagree(ret, "%s", kp_error_format(&service, why, sizeof(why)));
        if (kp_saml_peek(vector->xml.data, vector->xml.len, &peeked, err) < 0)
                return -1;
        if ((otherwise = reads_otherwise(vector->message, peeked)) != NULL)
                return disagree(ret, "member '%s' was read otherwise", otherwise);
        return 0;
}

static bool
is_encrypted(const struct vector *vector)
{
        return strcmp(vector->expect, "accept_if_decrypts") == 0;
}

/*
 * What an encrypted vector cannot be judged for; NULL: it can. A key that the
 * ciphertext was not made for is told by its length.
 */
static const char *
missing_for_decryption(
        const struct vector *vector, const struct kp_saml_vector_result *ret)
{
        if (vector->key_pem.len == 0)
                return "needs a decryption key, the index names none";
        if (ret->verdict.rule != NULL && strcmp(ret->verdict.rule, "encryption") == 0 &&
                strstr(ret->verdict.reason, "for another key") != NULL)
                return "needs the key it was encrypted to, the index names another";
        return NULL;
}

static int
run_message(const struct vector *vector, enum kp_saml_kind kind,
        enum expectation expected, const struct kp_saml_vector_mode *mode,
        struct kp_saml_vector_result *ret, struct kp_error *err)
{
        KP_CLEANUP(kp_json_free) json_t *peeked = NULL;
        KP_CLEANUP(kp_json_free) json_t *facts = NULL;
        struct kp_federation_verdict without = { 0 };

        if (kp_saml_peek(vector->xml.data, vector->xml.len, &peeked, err) < 0 ||
                judge(vector, kind, mode, true, &ret->verdict, &facts, err) < 0)
                return -1;
        if (is_encrypted(vector) && missing_for_decryption(vector, ret) != NULL)
                return skip(ret, missing_for_decryption(vector, ret));
        if (vector->signature_off || is_encrypted(vector)) {
                if (judge(vector, kind, mode, false, &without, NULL, err) < 0)
                        return -1;
                (void)snprintf(ret->rule_unsigned, sizeof(ret->rule_unsigned), "%s",
                        without.rule != NULL ? without.rule : "");
        }
        /* "if it decrypts" asks no more where no signature is known to verify */
        if (is_encrypted(vector) && !ret->verdict.accepted && without.accepted &&
                !one_verifies(vector))
                return compare(vector, EITHER, peeked, facts, ret);
        return compare(vector, expected, peeked, facts, ret);
}

int
kp_saml_vector_run(const struct kp_saml_vectors *vectors, size_t i,
        const struct kp_saml_vector_mode *mode, struct kp_saml_vector_result *ret,
        struct kp_error *err)
{
        KP_CLEANUP(vector_done) struct vector vector = { 0 };
        enum expectation expected;
        enum kp_saml_kind kind;

        memset(ret, 0, sizeof(*ret));
        if (vector_read(vectors->dir, json_array_get(vectors->vectors, i), &vector,
                    err) < 0)
                return -1;
        /* a NUL behind PEM texts, which are read as strings */
        (void)kp_buf_str(&vector.cert_pem);
        (void)kp_buf_str(&vector.key_pem);
        (void)snprintf(ret->id, sizeof(ret->id), "%s", vector.id);
        (void)snprintf(ret->expected, sizeof(ret->expected), "%s", vector.expect);
        (void)snprintf(ret->reason, sizeof(ret->reason), "%s", vector.reason);
        saml_clean(ret->id);
        saml_clean(ret->expected);
        saml_clean(ret->reason);
        expected = expectation_of(&vector, mode);
        if (expected == NOT_KNOWN)
                return skip(ret, "an expectation that is not known here");
        if (strcmp(vector.kind, "EntityDescriptor") == 0)
                return run_metadata(&vector, ret, err);
        if (!kind_of(vector.kind, &kind))
                return skip(ret, vector.kind);
        return run_message(&vector, kind, expected, mode, ret, err);
}
