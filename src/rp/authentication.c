/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "keypilot/codec/b64url.h"
#include "keypilot/codec/cose.h"

#include "ceremony.h"

static void
decode_stored_key(struct ceremony *c)
{
        const struct kp_buf *cose = &c->stored->public_key;
        struct kp_error err = { 0 };

        if (c->stored->key != NULL && EVP_PKEY_up_ref(c->stored->key) == 1) {
                c->key = c->stored->key;
                c->alg = c->stored->alg;
                c->parts |= PART_KEY;
                return;
        }
        if (kp_cose_key_parse(cose->data, cose->len,
                    c->strict ? KP_CBOR_CTAP2 : KP_CBOR_LENIENT, &c->key, &c->alg, NULL,
                    &err) == 0)
                c->parts |= PART_KEY;
        else
                kp_error_format(&err, c->key_why, sizeof(c->key_why));
        c->alg_unsupported = err.code == KP_EUNSUPPORTED;
}

static void
decode_assertion(struct ceremony *c)
{
        const struct kp_rp_assertion *assertion = c->assertion;

        kp_buf_put(&c->auth_bytes, assertion->authenticator_data,
                assertion->authenticator_data_len);
        kp_rp_decode_authdata(c);
        kp_buf_put(&c->signature, assertion->signature, assertion->signature_len);
        c->parts |= PART_SIGNATURE;
        c->has_user_handle = assertion->user_handle != NULL;
        kp_buf_put(&c->user_handle, assertion->user_handle, assertion->user_handle_len);
}

static void
decode(struct ceremony *c)
{
        kp_rp_decode_form(c);
        kp_rp_decode_client_data(c);
        decode_stored_key(c);
        if (c->assertion != NULL) {
                decode_assertion(c);
                return;
        }
        if ((c->parts & PART_FORM) != 0 &&
                kp_rp_member_bytes(c, c->response, "authenticatorData", &c->auth_bytes,
                        c->auth_why))
                kp_rp_decode_authdata(c);
        if ((c->parts & PART_FORM) != 0 &&
                kp_rp_member_bytes(c, c->response, "signature", &c->signature, c->why))
                c->parts |= PART_SIGNATURE;
}

static bool
check_signature_member(struct ceremony *c)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf ignored = { 0 };

        if ((c->parts & PART_SIGNATURE) != 0)
                return true;
        return kp_rp_member_bytes(c, c->response, "signature", &ignored, c->why);
}

/* toJSON() leaves the member out where there is none; libraries write null. */
static bool
check_user_handle_member(struct ceremony *c)
{
        const json_t *value = json_object_get(c->response, "userHandle");

        if (c->assertion != NULL || value == NULL || json_is_null(value))
                return true;
        c->has_user_handle = true;
        return kp_rp_member_bytes(
                c, c->response, "userHandle", &c->user_handle, c->why);
}

static bool
check_allowed(struct ceremony *c)
{
        const json_t *allowed;
        size_t i;

        if (json_array_size(c->expect->allow_credentials) == 0)
                return true;
        json_array_foreach (c->expect->allow_credentials, i, allowed) {
                KP_CLEANUP(kp_buf_done) struct kp_buf id = { 0 };
                char why[200];

                if (kp_rp_member_bytes(c, allowed, "id", &id, why) &&
                        kp_bytes_equal(id.data, id.len, c->id.data, c->id.len))
                        return true;
        }
        return kp_rp_refuse(c, "the credential is not one of allowCredentials");
}

static bool
check_known(struct ceremony *c)
{
        const struct kp_buf *id = &c->stored->id;

        if (kp_bytes_equal(id->data, id->len, c->id.data, c->id.len))
                return true;
        return kp_rp_refuse(c, "the account has no credential with this ID");
}

static bool
check_user_handle(struct ceremony *c)
{
        const struct kp_rp_expectation *expect = c->expect;

        if (!c->has_user_handle && expect->discoverable)
                return kp_rp_refuse(
                        c, "userHandle is missing, and nothing else tells the user");
        if (!c->has_user_handle && expect->policy.user_handle_required)
                return kp_rp_refuse(c, "userHandle is missing, and policy wants it");
        if (!c->has_user_handle || expect->user_handle == NULL ||
                kp_bytes_equal(expect->user_handle, expect->user_handle_len,
                        c->user_handle.data, c->user_handle.len))
                return true;
        return kp_rp_refuse(c, "userHandle is that of another user");
}

static bool
check_authdata(struct ceremony *c)
{
        if ((c->parts & PART_AUTHDATA) == 0)
                return kp_rp_refuse(c, "%s", c->auth_why);
        return true;
}

/* Spec: WebAuthn L3 §6.1: attested credential data MUST NOT stand in an assertion */
static bool
check_not_attested(struct ceremony *c)
{
        if (!c->strict || (c->auth.flags & KP_AUTHDATA_AT) == 0)
                return true;
        return kp_rp_refuse(c, "flag AT is set in an assertion");
}

static bool
check_backup_eligibility(struct ceremony *c)
{
        bool eligible = (c->auth.flags & KP_AUTHDATA_BE) != 0;

        if (!c->stored->backup_known || c->stored->backup_eligible == eligible)
                return true;
        return kp_rp_react(c, c->expect->policy.eligibility_change, KP_RP_REFUSE,
                "flag BE is %s, and was %s at registration", eligible ? "set" : "clear",
                eligible ? "clear" : "set");
}

static bool
check_stored_key(struct ceremony *c)
{
        if ((c->parts & PART_KEY) != 0)
                return true;
        c->unsupported = c->alg_unsupported;
        return kp_rp_refuse(c, "stored public key: %s", c->key_why);
}

static bool
check_signature(struct ceremony *c)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf message = { 0 };
        bool (*verify)(int, EVP_PKEY *, const void *, size_t, const uint8_t *, size_t) =
                c->strict ? kp_cose_verify : kp_cose_verify_any_salt;

        kp_buf_put(&message, c->auth_bytes.data, c->auth_bytes.len);
        kp_buf_put(&message, c->client_hash, sizeof(c->client_hash));
        if (!message.failed && verify(c->alg, c->key, message.data, message.len,
                                       c->signature.data, c->signature.len))
                return true;
        return kp_rp_refuse(
                c, "the signature does not verify with the stored public key");
}

static bool
check_counter(struct ceremony *c)
{
        uint32_t now = c->auth.sign_count, before = c->stored->sign_count;

        if ((now == 0 && before == 0) || now > before)
                return true;
        return kp_rp_react(c, c->expect->policy.counter,
                c->strict ? KP_RP_REFUSE : KP_RP_IGNORE,
                "signCount is %u, and was %u before: a copy of the key may be in use",
                now, before);
}

#define PART_SIGNED (PART_CLIENT_DATA | PART_AUTHDATA | PART_KEY | PART_SIGNATURE)

/* clang-format off */
/* Spec table: WebAuthn L3 §7.2 "Verifying an Authentication Assertion", in order. */
static const struct check checks[] = {
        { "response",           "WebAuthn L3 §7.2 step 3",  0,                kp_rp_check_form },
        { "extension-results",  "WebAuthn L3 §7.2 step 4",  0,                kp_rp_check_extension_results },
        { "allow-credentials",  "WebAuthn L3 §7.2 step 5",  PART_FORM,        check_allowed },
        { "credential",         "WebAuthn L3 §7.2 step 6",  PART_FORM,        check_known },
        { "user-handle",        "WebAuthn L3 §7.2 step 6",  PART_FORM,        check_user_handle_member },
        { "user-handle",        "WebAuthn L3 §7.2 step 6",  PART_FORM,        check_user_handle },
        { "authenticator-data", "WebAuthn L3 §7.2 step 7",  PART_FORM,        check_authdata },
        { "signature",          "WebAuthn L3 §7.2 step 7",  PART_FORM,        check_signature_member },
        { "client-data",        "WebAuthn L3 §7.2 step 9",  PART_FORM,        kp_rp_check_client_data },
        { "type",               "WebAuthn L3 §7.2 step 10", PART_CLIENT_DATA, kp_rp_check_type },
        { "challenge",          "WebAuthn L3 §7.2 step 11", PART_CLIENT_DATA, kp_rp_check_challenge },
        { "challenge-fresh",    "WebAuthn L3 §7.2 step 11", PART_CLIENT_DATA, kp_rp_check_challenge_fresh },
        { "origin",             "WebAuthn L3 §7.2 step 12", PART_CLIENT_DATA, kp_rp_check_origin },
        { "cross-origin",       "WebAuthn L3 §7.2 step 13", PART_CLIENT_DATA, kp_rp_check_cross_origin },
        { "top-origin",         "WebAuthn L3 §7.2 step 14", PART_CLIENT_DATA, kp_rp_check_top_origin },
        { "rp-id-hash",         "WebAuthn L3 §7.2 step 15", PART_AUTHDATA,    kp_rp_check_rp_id_hash },
        { "user-present",       "WebAuthn L3 §7.2 step 16", PART_AUTHDATA,    kp_rp_check_user_present },
        { "user-verified",      "WebAuthn L3 §7.2 step 17", PART_AUTHDATA,    kp_rp_check_user_verified },
        { "backup-flags",       "WebAuthn L3 §7.2 step 18", PART_AUTHDATA,    kp_rp_check_backup_flags },
        { "backup-eligibility", "WebAuthn L3 §7.2 step 19", PART_AUTHDATA,    check_backup_eligibility },
        { "backup-eligible",    "WebAuthn L3 §7.2 step 19", PART_AUTHDATA,    kp_rp_check_backup_eligible },
        { "backup-state",       "WebAuthn L3 §7.2 step 19", PART_AUTHDATA,    kp_rp_check_backed_up },
        { "attested-data",      "WebAuthn L3 §6.1",         PART_AUTHDATA,    check_not_attested },
        { "public-key",         "WebAuthn L3 §7.2 step 21", 0,                check_stored_key },
        { "signature",          "WebAuthn L3 §7.2 step 21", PART_SIGNED,      check_signature },
        { "counter",            "WebAuthn L3 §7.2 step 22", PART_AUTHDATA,    check_counter },
        { "extensions",         "WebAuthn L3 §7.2 step 23", PART_AUTHDATA,    kp_rp_check_extensions },
};
/* clang-format on */

/* Spec: WebAuthn L3 §7.2 step 24 */
static void
fill_record(const struct ceremony *c, struct kp_rp_credential *record)
{
        const struct kp_rp_credential *stored = c->stored;

        kp_buf_put(&record->id, stored->id.data, stored->id.len);
        kp_buf_put(
                &record->public_key, stored->public_key.data, stored->public_key.len);
        memcpy(record->aaguid, stored->aaguid, sizeof(record->aaguid));
        memcpy(record->format, stored->format, sizeof(record->format));
        record->type = stored->type;
        record->trusted = stored->trusted;
        record->alg = c->alg;
        if ((c->parts & PART_AUTHDATA) == 0)
                return;
        record->flags = c->auth.flags;
        record->sign_count = c->auth.sign_count;
        record->uv = (c->auth.flags & KP_AUTHDATA_UV) != 0;
        record->backup_eligible = (c->auth.flags & KP_AUTHDATA_BE) != 0;
        record->backup_state = (c->auth.flags & KP_AUTHDATA_BS) != 0;
        record->backup_known = true;
}

static int
judge(struct ceremony *c, bool all, struct kp_rp_result *ret, struct kp_error *err)
{
        memset(ret, 0, sizeof(*ret));
        decode(c);
        kp_rp_ceremony_judge(c, checks, KP_NELEMS(checks), all, ret);
        fill_record(c, &ret->credential);
        kp_buf_put(&ret->user_handle, c->user_handle.data, c->user_handle.len);
        if (kp_buf_check(&ret->credential.id, err) < 0 ||
                kp_buf_check(&ret->user_handle, err) < 0)
                return -1;
        return kp_buf_check(&ret->credential.public_key, err);
}

int
kp_rp_verify_authentication(const struct kp_rp_expectation *expect,
        const struct kp_rp_credential *stored, const json_t *response, bool all,
        struct kp_rp_result *ret, struct kp_error *err)
{
        KP_CLEANUP(kp_rp_ceremony_done)
        struct ceremony c = { .expect = expect,
                .stored = stored,
                .usual_type = "webauthn.get",
                .strict = expect->mode == KP_RP_STRICT,
                .form = response };

        return judge(&c, all, ret, err);
}

int
kp_rp_verify_assertion(const struct kp_rp_expectation *expect,
        const struct kp_rp_credential *stored, const struct kp_rp_assertion *assertion,
        bool all, struct kp_rp_result *ret, struct kp_error *err)
{
        KP_CLEANUP(kp_rp_ceremony_done)
        struct ceremony c = { .expect = expect,
                .stored = stored,
                .usual_type = "webauthn.get",
                .strict = expect->mode == KP_RP_STRICT,
                .assertion = assertion };

        return judge(&c, all, ret, err);
}

int
kp_rp_credential_load(
        struct kp_rp_credential *credential, enum kp_rp_mode mode, struct kp_error *err)
{
        EVP_PKEY *key = NULL;
        int alg = KP_COSE_NONE;

        if (kp_cose_key_parse(credential->public_key.data, credential->public_key.len,
                    mode == KP_RP_STRICT ? KP_CBOR_CTAP2 : KP_CBOR_LENIENT, &key, &alg,
                    NULL, err) < 0)
                return KP_WHILE(err, "public key of a credential");
        EVP_PKEY_free(credential->key);
        credential->key = key;
        credential->alg = alg;
        return 0;
}
