/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

#include "keypilot/codec/b64url.h"
#include "keypilot/codec/cose.h"
#include "keypilot/core/free.h"

#include "attestation.h"

#define CREDENTIAL_ID_MAX 1023

static enum kp_cbor_mode
cbor_mode(const struct ceremony *c)
{
        return c->strict ? KP_CBOR_CTAP2 : KP_CBOR_LENIENT;
}

static enum kp_cbor_mode
object_mode(const struct ceremony *c)
{
        return c->strict && !c->level3 ? KP_CBOR_ANY_ORDER : cbor_mode(c);
}

/* Spec: WebAuthn L3 §6.5.4 "Generating an Attestation Object": its three members */
static bool
attestation_members(struct ceremony *c)
{
        const uint8_t *auth;
        const char *format;
        size_t auth_len, n;

        if (!kp_cbor_is_map(c->attestation, &n))
                return kp_rp_refuse(c, "attestationObject is not a CBOR map");
        if (!kp_cbor_is_text(kp_cbor_at_str(c->attestation, "fmt"), &format, &n))
                return kp_rp_refuse(
                        c, "attestationObject: fmt is missing or not a text");
        if (!kp_cbor_is_map(kp_cbor_at_str(c->attestation, "attStmt"), &n) &&
                !kp_cbor_is_array(kp_cbor_at_str(c->attestation, "attStmt"), &n))
                return kp_rp_refuse(c,
                        "attestationObject: attStmt is missing or neither map nor "
                        "array");
        if (!kp_cbor_is_bytes(
                    kp_cbor_at_str(c->attestation, "authData"), &auth, &auth_len))
                return kp_rp_refuse(
                        c, "attestationObject: authData is missing or not bytes");
        kp_buf_put(&c->auth_bytes, auth, auth_len);
        c->statement = kp_cbor_at_str(c->attestation, "attStmt");
        if (c->strict && kp_cbor_is_map(c->attestation, &n) && n != 3)
                return kp_rp_refuse(
                        c, "attestationObject has %zu members, expected 3", n);
        return true;
}

static void
decode_attestation(struct ceremony *c)
{
        struct kp_error err = { 0 };

        if ((c->parts & PART_FORM) == 0 ||
                !kp_rp_member_bytes(c, c->response, "attestationObject",
                        &c->attestation_bytes, c->attestation_why))
                return;
        if (kp_cbor_parse(c->attestation_bytes.data, c->attestation_bytes.len,
                    object_mode(c), &c->attestation, NULL, &err) < 0) {
                kp_error_format(&err, c->attestation_why, sizeof(c->attestation_why));
                return;
        }
        if (attestation_members(c))
                c->parts |= PART_ATTESTATION;
        else
                memcpy(c->attestation_why, c->why, sizeof(c->why));
        if (c->auth_bytes.len > 0)
                kp_rp_decode_authdata(c);
        else
                (void)snprintf(c->auth_why, sizeof(c->auth_why),
                        "authenticator data is missing or empty");
}

static void
decode_key(struct ceremony *c)
{
        struct kp_error err = { 0 };

        if ((c->parts & PART_AUTHDATA) == 0 || c->auth.public_key == NULL)
                return;
        c->parts |= PART_ATTESTED;
        c->alg = KP_COSE_NONE;
        if (kp_cose_key_parse(c->auth.public_key, c->auth.public_key_len, cbor_mode(c),
                    &c->key, &c->alg, NULL, &err) == 0)
                c->parts |= PART_KEY;
        else
                kp_error_format(&err, c->key_why, sizeof(c->key_why));
        c->alg_known = c->alg != KP_COSE_NONE;
        c->alg_unsupported = err.code == KP_EUNSUPPORTED;
}

static void
decode(struct ceremony *c)
{
        kp_rp_decode_form(c);
        kp_rp_decode_client_data(c);
        decode_attestation(c);
        decode_key(c);
}

static bool
check_attestation_object(struct ceremony *c)
{
        if ((c->parts & PART_ATTESTATION) != 0)
                return true;
        return kp_rp_refuse(c, "%s", c->attestation_why);
}

static bool
check_authdata(struct ceremony *c)
{
        if ((c->parts & PART_AUTHDATA) == 0)
                return kp_rp_refuse(c, "%s", c->auth_why);
        if ((c->parts & PART_ATTESTED) == 0)
                return kp_rp_refuse(
                        c, "flag AT is not set: there is no credential public key");
        return true;
}

/* Spec: WebAuthn L3 §5.1: id is the credential ID */
static bool
check_credential_id(struct ceremony *c)
{
        if (!c->strict || !c->level3 ||
                kp_bytes_equal(c->id.data, c->id.len, c->auth.credential_id,
                        c->auth.credential_id_len))
                return true;
        return kp_rp_refuse(c, "id is not the credential ID in the authenticator data");
}

static bool
check_key(struct ceremony *c)
{
        if ((c->parts & PART_KEY) != 0 || c->alg_unsupported)
                return true;
        return kp_rp_refuse(c, "%s", c->key_why);
}

/* Where the relying party named no algorithms, SHA-1 is not among them. */
static bool
alg_wanted(const struct ceremony *c)
{
        const struct kp_rp_expectation *expect = c->expect;

        for (size_t i = 0; i < expect->n_algorithms; i++)
                if (expect->algorithms[i] == c->alg)
                        return true;
        return expect->n_algorithms == 0 && (c->alg != KP_COSE_RS1 || expect->sha1_too);
}

static bool
check_algorithm(struct ceremony *c)
{
        if (!c->alg_known)
                return true; /* check_key() said so */
        if (!alg_wanted(c))
                return kp_rp_refuse(c, "algorithm %d (%s) was not asked for", c->alg,
                        kp_cose_alg_name(c->alg));
        if (!c->alg_unsupported)
                return true;
        c->unsupported = true;
        return kp_rp_refuse(c, "algorithm %d is not verified here", c->alg);
}

static bool
same_bytes(struct ceremony *c, const char *name, const uint8_t *bytes, size_t bytes_len)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf copy = { 0 };
        const json_t *value = json_object_get(c->response, name);

        if (value == NULL || json_is_null(value))
                return true;
        if (!kp_rp_member_bytes(c, c->response, name, &copy, c->why))
                return false;
        if (kp_bytes_equal(copy.data, copy.len, bytes, bytes_len))
                return true;
        return kp_rp_refuse(
                c, "response.%s is not what the attestation object holds", name);
}

static bool
same_key(struct ceremony *c)
{
        unsigned char *spki = NULL;
        int spki_len;
        bool same;

        /* made again only to be compared, which few responses need */
        if ((c->parts & PART_KEY) == 0 ||
                json_object_get(c->response, "publicKey") == NULL)
                return true;
        spki_len = i2d_PUBKEY(c->key, &spki);
        same = spki_len > 0 && same_bytes(c, "publicKey", spki, (size_t)spki_len);
        OPENSSL_free(spki);
        return same;
}

/* Spec: WebAuthn L3 §5.2.1.1 "Easily accessing credential data": handy copies */
static bool
check_copies(struct ceremony *c)
{
        const json_t *alg = json_object_get(c->response, "publicKeyAlgorithm");

        if (!c->strict)
                return true;
        if (alg != NULL && c->alg_known &&
                (!json_is_integer(alg) || json_integer_value(alg) != c->alg))
                return kp_rp_refuse(
                        c, "response.publicKeyAlgorithm is not that of the key");
        return same_bytes(
                       c, "authenticatorData", c->auth_bytes.data, c->auth_bytes.len) &&
               same_key(c);
}

/*
 * Lenient: Android's browsers of 2018 left UP clear, since the SafetyNet API told of a
 * person by itself.
 */
static bool
check_user_present(struct ceremony *c)
{
        static const char safetynet[] = "android-safetynet";
        const char *name = "";
        size_t name_len = 0;

        (void)kp_cbor_is_text(kp_cbor_at_str(c->attestation, "fmt"), &name, &name_len);
        return (!c->strict && kp_bytes_equal(name, name_len, safetynet,
                                      sizeof(safetynet) - 1)) ||
               kp_rp_check_user_present(c);
}

static bool
check_format(struct ceremony *c)
{
        const char *name = "";
        size_t name_len = 0;

        (void)kp_cbor_is_text(kp_cbor_at_str(c->attestation, "fmt"), &name, &name_len);
        c->format = kp_rp_attestation_format_find(name, name_len);
        if (c->format == NULL)
                return kp_rp_refuse(c, "there is no attestation format '%.*s'",
                        name_len > 60 ? 60 : (int)name_len, name);
        c->parts |= PART_FORMAT;
        return true;
}

static bool
check_statement(struct ceremony *c)
{
        if (!c->format->verify(c))
                return false;
        c->parts |= PART_STATEMENT;
        return true;
}

static bool
check_id_length(struct ceremony *c)
{
        if (!c->strict || c->auth.credential_id_len <= CREDENTIAL_ID_MAX)
                return true;
        return kp_rp_refuse(c, "the credential ID has %zu bytes, more than %d",
                c->auth.credential_id_len, CREDENTIAL_ID_MAX);
}

static bool
check_id_new(struct ceremony *c)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf id = { 0 };
        const json_t *known;
        size_t i;

        if (json_array_size(c->expect->registered_ids) == 0)
                return true;
        kp_b64url_put(&id, c->auth.credential_id, c->auth.credential_id_len);
        json_array_foreach (c->expect->registered_ids, i, known)
                if (json_is_string(known) &&
                        strcmp(json_string_value(known), kp_buf_str(&id)) == 0)
                        return kp_rp_refuse(
                                c, "the credential ID is registered already");
        return true;
}

/* clang-format off */
/* Spec table: WebAuthn L3 §7.1 "Registering a New Credential", in its order. */
static const struct check checks[] = {
        { "response",            "WebAuthn L3 §7.1 step 3",  0,                kp_rp_check_form },
        { "extension-results",   "WebAuthn L3 §7.1 step 4",  0,                kp_rp_check_extension_results },
        { "client-data",         "WebAuthn L3 §7.1 step 6",  PART_FORM,        kp_rp_check_client_data },
        { "type",                "WebAuthn L3 §7.1 step 7",  PART_CLIENT_DATA, kp_rp_check_type },
        { "challenge",           "WebAuthn L3 §7.1 step 8",  PART_CLIENT_DATA, kp_rp_check_challenge },
        { "challenge-fresh",     "WebAuthn L3 §7.1 step 8",  PART_CLIENT_DATA, kp_rp_check_challenge_fresh },
        { "origin",              "WebAuthn L3 §7.1 step 9",  PART_CLIENT_DATA, kp_rp_check_origin },
        { "cross-origin",        "WebAuthn L3 §7.1 step 10", PART_CLIENT_DATA, kp_rp_check_cross_origin },
        { "top-origin",          "WebAuthn L3 §7.1 step 11", PART_CLIENT_DATA, kp_rp_check_top_origin },
        { "attestation-object",  "WebAuthn L3 §7.1 step 13", PART_FORM,        check_attestation_object },
        { "authenticator-data",  "WebAuthn L3 §7.1 step 13", PART_ATTESTATION, check_authdata },
        { "rp-id-hash",          "WebAuthn L3 §7.1 step 14", PART_AUTHDATA,    kp_rp_check_rp_id_hash },
        { "user-present",        "WebAuthn L3 §7.1 step 15", PART_AUTHDATA,    check_user_present },
        { "user-verified",       "WebAuthn L3 §7.1 step 16", PART_AUTHDATA,    kp_rp_check_user_verified },
        { "backup-flags",        "WebAuthn L3 §7.1 step 17", PART_AUTHDATA,    kp_rp_check_backup_flags },
        { "backup-eligible",     "WebAuthn L3 §7.1 step 18", PART_AUTHDATA,    kp_rp_check_backup_eligible },
        { "backup-state",        "WebAuthn L3 §7.1 step 19", PART_AUTHDATA,    kp_rp_check_backed_up },
        { "public-key",          "WebAuthn L3 §7.1 step 20", PART_ATTESTED,    check_key },
        { "algorithm",           "WebAuthn L3 §7.1 step 20", PART_ATTESTED,    check_algorithm },
        { "credential-id",       "WebAuthn L3 §5.1",         PART_ATTESTED,    check_credential_id },
        { "copies",              "WebAuthn L3 §5.2.1.1",     PART_ATTESTED,    check_copies },
        { "attestation-format",  "WebAuthn L3 §7.1 step 21", PART_ATTESTATION, check_format },
        { "attestation-format-allowed", "WebAuthn L3 §7.1 step 21", PART_FORMAT, kp_rp_check_attestation_format },
        { "attestation",         "WebAuthn L3 §7.1 step 22", PART_FORMAT | PART_KEY, check_statement },
        { "aaguid",              "WebAuthn L3 §7.1 step 23", PART_ATTESTED,    kp_rp_check_aaguid },
        { "metadata",            "WebAuthn L3 §7.1 step 23", PART_STATEMENT,   kp_rp_check_metadata },
        { "trust-path",          "WebAuthn L3 §7.1 step 24", PART_STATEMENT,   kp_rp_check_trust },
        { "attestation-type",    "WebAuthn L3 §7.1 step 24", PART_STATEMENT,   kp_rp_check_attestation_type },
        { "credential-id-length", "WebAuthn L3 §7.1 step 25", PART_ATTESTED,   check_id_length },
        { "credential-id-new",   "WebAuthn L3 §7.1 step 26", PART_ATTESTED,    check_id_new },
        { "extensions",          "WebAuthn L3 §7.1 step 28", PART_AUTHDATA,    kp_rp_check_extensions },
        { "discoverable",        "WebAuthn L3 §7.1 step 28", PART_FORM,        kp_rp_check_discoverable },
};
/* clang-format on */

/* Spec: WebAuthn L3 §7.1 step 27, as far as it could be read */
static void
fill_record(const struct ceremony *c, struct kp_rp_credential *record)
{
        const char *format;
        size_t format_len;

        if (kp_cbor_is_text(
                    kp_cbor_at_str(c->attestation, "fmt"), &format, &format_len))
                (void)snprintf(record->format, sizeof(record->format), "%.*s",
                        format_len > 31 ? 31 : (int)format_len, format);
        record->alg = c->alg;
        record->type = c->type;
        if ((c->parts & PART_AUTHDATA) == 0)
                return;
        record->flags = c->auth.flags;
        record->sign_count = c->auth.sign_count;
        record->uv = (c->auth.flags & KP_AUTHDATA_UV) != 0;
        record->backup_eligible = (c->auth.flags & KP_AUTHDATA_BE) != 0;
        record->backup_state = (c->auth.flags & KP_AUTHDATA_BS) != 0;
        record->backup_known = true;
        if ((c->parts & PART_ATTESTED) == 0)
                return;
        memcpy(record->aaguid, c->auth.aaguid, sizeof(record->aaguid));
        kp_buf_put(&record->id, c->auth.credential_id, c->auth.credential_id_len);
        kp_buf_put(&record->public_key, c->auth.public_key, c->auth.public_key_len);
}

/* A refused message is still read for what it says, as well as anybody could. */
static void
fill_record_leniently(const struct ceremony *c, struct kp_rp_credential *record)
{
        KP_CLEANUP(kp_rp_ceremony_done)
        struct ceremony loose = { .expect = c->expect, .form = c->form };

        decode(&loose);
        fill_record(&loose, record);
}

int
kp_rp_verify_registration(const struct kp_rp_expectation *expect,
        const json_t *response, bool all, struct kp_rp_result *ret,
        struct kp_error *err)
{
        struct kp_rp_expectation widened = *expect;
        KP_CLEANUP(kp_rp_ceremony_done)
        struct ceremony c = { .expect = &widened,
                .widened = &widened,
                .usual_type = "webauthn.create",
                .strict = expect->mode == KP_RP_STRICT,
                .form = response };

        memset(ret, 0, sizeof(*ret));
        decode(&c);
        kp_rp_ceremony_judge(&c, checks, KP_NELEMS(checks), all, ret);
        if ((c.parts & PART_ATTESTED) != 0 || !c.strict)
                fill_record(&c, &ret->credential);
        else
                fill_record_leniently(&c, &ret->credential);
        ret->credential.trusted = ret->accepted && c.trusted;
        if (ret->credential.trusted && strcmp(c.type, "uncertain") == 0)
                ret->credential.type = "basic";
        if (kp_buf_check(&ret->credential.id, err) < 0)
                return -1;
        return kp_buf_check(&ret->credential.public_key, err);
}
