/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "keypilot/codec/authdata.h"

#include "ctap.h"

/*
 * Keys that speak U2F only, asked as if they spoke CTAP2.
 * Spec: CTAP 2.1 §10; FIDO U2F Raw Message Formats v1.2
 */
#define CONTROL_CHECK_ONLY 0x07
#define CONTROL_ENFORCE 0x03
#define CONTROL_DONT_ENFORCE 0x08
#define POLL_MS 100
#define POLLS 300 /* half a minute, as CTAP2 keys wait */
#define POINT_LEN 65

static int
apdu(struct kp_ctap *ctap, uint8_t ins, uint8_t p1, const struct kp_buf *data,
        struct kp_answer *ret, struct kp_error *err)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf message = { 0 };
        const uint8_t head[] = { 0, ins, p1, 0, 0 }; /* fifth byte: extended length */

        kp_buf_put(&message, head, sizeof(head));
        kp_buf_put_be16(&message, (uint16_t)data->len);
        kp_buf_put(&message, data->data, data->len);
        kp_buf_put_be16(&message, 0); /* Le: whatever there is */
        if (kp_buf_check(data, err) < 0 || kp_buf_check(&message, err) < 0)
                return -1;
        if (kp_ctap_exchange(
                    ctap, KP_CTAPHID_MSG, message.data, message.len, ret, err) < 0)
                return -1;
        if (ret->transport != NULL)
                return 0;
        if (ret->body.len < 2) {
                ret->transport = "unreadable";
                return 0;
        }
        ret->body.len -= 2;
        ret->status_word = (uint16_t)(ret->body.data[ret->body.len] << 8 |
                                      ret->body.data[ret->body.len + 1]);
        return 0;
}

/* Spec: CTAP 2.1 §8.2 has no word for most status words */
static uint8_t
status_of(uint16_t status_word)
{
        switch (status_word) {
        case KP_U2F_SW_NO_ERROR:
                return KP_CTAP_OK;
        case KP_U2F_SW_WRONG_LENGTH:
                return KP_CTAP1_ERR_INVALID_LENGTH;
        case KP_U2F_SW_INS_NOT_SUPPORTED:
        case KP_U2F_SW_CLA_NOT_SUPPORTED:
                return KP_CTAP1_ERR_INVALID_COMMAND;
        case KP_U2F_SW_COMMAND_NOT_ALLOWED:
                return KP_CTAP2_ERR_NOT_ALLOWED;
        case KP_U2F_SW_CONDITIONS_NOT_SATISFIED:
                return KP_CTAP2_ERR_USER_ACTION_TIMEOUT;
        default:
                return KP_CTAP1_ERR_OTHER;
        }
}

/* Ask until the person touches; the key itself never waits. */
static int
apdu_with_touch(struct kp_ctap *ctap, uint8_t ins, uint8_t p1,
        const struct kp_buf *data, struct kp_answer *ret, struct kp_error *err)
{
        for (unsigned i = 0; i < POLLS; i++) {
                if (apdu(ctap, ins, p1, data, ret, err) < 0)
                        return -1;
                if (ret->transport != NULL ||
                        ret->status_word != KP_U2F_SW_CONDITIONS_NOT_SATISFIED)
                        break;
                kp_ctap_wait(ctap, POLL_MS);
        }
        if (ret->transport == NULL)
                ret->status = status_of(ret->status_word);
        return 0;
}

static int
put_hash(struct kp_buf *buf, const char *text, struct kp_error *err)
{
        uint8_t hash[32];

        if (EVP_Digest(text, strlen(text), hash, NULL, EVP_sha256(), NULL) != 1)
                return KP_FAIL(err, KP_ENOMEM, "SHA-256");
        kp_buf_put(buf, hash, sizeof(hash));
        return 0;
}

int
kp_ctap_u2f_touch(struct kp_ctap *ctap, struct kp_answer *answer, struct kp_error *err)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf data = { 0 };

        /* a challenge and an application that belong to nobody */
        for (int i = 0; i < 64; i++)
                kp_buf_put_u8(&data, i < 32 ? 0x42 : 0x41);
        return apdu_with_touch(ctap, KP_U2F_REGISTER, 0, &data, answer, err);
}

/* Is this handle the key's own, for the application with this identity? No touch. */
static int
handle_known(struct kp_ctap *ctap, const uint8_t *challenge, const char *application,
        struct kp_bytes handle, bool *ret_known, struct kp_answer *answer,
        struct kp_error *err)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf data = { 0 };

        *ret_known = false;
        if (handle.len == 0 || handle.len > 255)
                return 0; /* no handle of U2F: its length is one byte */
        kp_buf_put(&data, challenge, 32);
        if (put_hash(&data, application, err) < 0)
                return -1;
        kp_buf_put_u8(&data, (uint8_t)handle.len);
        kp_buf_put(&data, handle.data, handle.len);
        if (apdu(ctap, KP_U2F_AUTHENTICATE, CONTROL_CHECK_ONLY, &data, answer, err) < 0)
                return -1;
        /* some keys answer a check with a signature */
        *ret_known = answer->transport == NULL &&
                     (answer->status_word == KP_U2F_SW_CONDITIONS_NOT_SATISFIED ||
                             answer->status_word == KP_U2F_SW_NO_ERROR);
        return 0;
}

/* ---- register ---- */

static size_t
der_len(const uint8_t *der, size_t left)
{
        size_t len = 0, n;

        if (left < 2 || der[0] != 0x30)
                return 0;
        if (der[1] < 0x80)
                return (size_t)der[1] + 2 <= left ? (size_t)der[1] + 2 : 0;
        n = der[1] & 0x7f;
        if (n < 1 || n > 3 || left < 2 + n)
                return 0;
        for (size_t i = 0; i < n; i++)
                len = len << 8 | der[2 + i];
        return len + 2 + n <= left ? len + 2 + n : 0;
}

/* A P-256 point as COSE_Key. Spec: RFC 9052 §7, RFC 9053 §7.1.1 */
static void
put_cose(struct kp_buf *buf, const uint8_t point[POINT_LEN])
{
        kp_cbor_put_map(buf, 5);
        kp_cbor_put_int(buf, 1); /* kty: EC2 */
        kp_cbor_put_int(buf, 2);
        kp_cbor_put_int(buf, 3); /* alg: ES256 */
        kp_cbor_put_int(buf, -7);
        kp_cbor_put_int(buf, -1); /* crv: P-256 */
        kp_cbor_put_int(buf, 1);
        kp_cbor_put_int(buf, -2);
        kp_cbor_put_bytes(buf, point + 1, 32);
        kp_cbor_put_int(buf, -3);
        kp_cbor_put_bytes(buf, point + 33, 32);
}

/* Spec: U2F Raw Message Formats §4.3 -> CTAP 2.1 §10.2, WebAuthn L3 §8.6 */
static int
read_registration(const struct kp_buf *body, const struct kp_buf *rp_id_hash,
        struct kp_make_reply *ret, struct kp_error *err)
{
        static const uint8_t no_aaguid[KP_AAGUID_LEN];
        KP_CLEANUP(kp_buf_done) struct kp_buf cose = { 0 };
        const uint8_t *at = body->data;
        size_t handle_len, cert_len, left;

        if (body->len < 1 + POINT_LEN + 1 || at[0] != 0x05 || at[1] != 0x04)
                return KP_FAIL(err, KP_EPARSE, "U2F registration: malformed");
        handle_len = at[1 + POINT_LEN];
        left = body->len - (1 + POINT_LEN + 1);
        at += 1 + POINT_LEN + 1;
        cert_len = handle_len < left ? der_len(at + handle_len, left - handle_len) : 0;
        if (cert_len == 0 || handle_len + cert_len >= left)
                return KP_FAIL(err, KP_EPARSE, "U2F registration: no certificate");
        put_cose(&cose, body->data + 1);
        if (kp_buf_check(&cose, err) < 0)
                return -1;
        kp_authdata_put(&ret->auth_data, &(struct kp_authdata){
                                                 .rp_id_hash = rp_id_hash->data,
                                                 .flags = KP_AUTHDATA_UP,
                                                 .aaguid = no_aaguid,
                                                 .credential_id = at,
                                                 .credential_id_len = handle_len,
                                                 .public_key = cose.data,
                                                 .public_key_len = cose.len,
                                         });
        strcpy(ret->format, "fido-u2f");
        kp_cbor_put_map(&ret->statement, 2);
        kp_cbor_put_text(&ret->statement, "sig");
        kp_cbor_put_bytes(&ret->statement, at + handle_len + cert_len,
                left - handle_len - cert_len);
        kp_cbor_put_text(&ret->statement, "x5c");
        kp_cbor_put_array(&ret->statement, 1);
        kp_cbor_put_bytes(&ret->statement, at + handle_len, cert_len);
        if (kp_buf_check(&ret->auth_data, err) < 0)
                return -1;
        return kp_buf_check(&ret->statement, err);
}

/* What U2F cannot do. Spec: CTAP 2.1 §10.2 step 1 */
static uint8_t
cannot_make(const struct kp_make_request *request)
{
        bool es256 = false;

        for (size_t i = 0; i < request->n_algorithms; i++)
                es256 = es256 || request->algorithms[i] == -7;
        if (!es256)
                return KP_CTAP2_ERR_UNSUPPORTED_ALGORITHM;
        if (request->rk == KP_TRUE || request->uv == KP_TRUE || request->pin != NULL ||
                request->token != NULL)
                return KP_CTAP2_ERR_UNSUPPORTED_OPTION;
        return KP_CTAP_OK;
}

/* A credential that is there already costs a touch, then the refusal. */
static int
find_excluded(struct kp_ctap *ctap, const struct kp_make_request *request,
        struct kp_make_reply *ret, struct kp_error *err)
{
        KP_CLEANUP(kp_answer_done) struct kp_answer answer = { 0 };
        bool known = false;

        for (size_t i = 0; i < request->n_exclude && !known; i++) {
                if (handle_known(ctap, request->client_data_hash, request->rp_id,
                            request->exclude[i], &known, &answer, err) < 0)
                        return -1;
                if (answer.transport != NULL) {
                        ret->transport = answer.transport;
                        return 0;
                }
        }
        if (!known)
                return 0;
        if (kp_ctap_u2f_touch(ctap, &answer, err) < 0)
                return -1;
        ret->transport = answer.transport;
        if (ret->transport == NULL)
                ret->status = answer.status != KP_CTAP_OK
                                      ? answer.status
                                      : KP_CTAP2_ERR_CREDENTIAL_EXCLUDED;
        return 0;
}

int
kp_ctap_u2f_make(struct kp_ctap *ctap, const struct kp_make_request *request,
        struct kp_make_reply *ret, struct kp_error *err)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf data = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf application = { 0 };
        KP_CLEANUP(kp_answer_done) struct kp_answer answer = { 0 };
        struct kp_error unreadable = { 0 };

        if ((ret->status = cannot_make(request)) != KP_CTAP_OK)
                return 0;
        if (find_excluded(ctap, request, ret, err) < 0)
                return -1;
        if (ret->status != KP_CTAP_OK || ret->transport != NULL)
                return 0;
        if (put_hash(&application, request->rp_id, err) < 0)
                return -1;
        kp_buf_put(&data, request->client_data_hash, sizeof(request->client_data_hash));
        kp_buf_put(&data, application.data, application.len);
        if (apdu_with_touch(ctap, KP_U2F_REGISTER, 0, &data, &answer, err) < 0)
                return -1;
        ret->status = answer.status;
        ret->transport = answer.transport;
        if (kp_answer_ok(&answer) &&
                read_registration(&answer.body, &application, ret, &unreadable) < 0) {
                kp_make_reply_done(ret);
                ret->transport = "unreadable";
        }
        return 0;
}

/* ---- authenticate ---- */

struct found {
        struct kp_bytes handle;
        const char *application;
};

/* The first handle that the key knows, under the RP ID and then under the app id. */
static int
find_handle(struct kp_ctap *ctap, const struct kp_get_request *request,
        struct found *ret, struct kp_answer *answer, struct kp_error *err)
{
        const char *const applications[] = { request->rp_id, request->app_id };
        bool known = false;

        for (size_t i = 0; i < request->n_allow; i++) {
                for (size_t j = 0; j < 2 && applications[j] != NULL; j++) {
                        if (handle_known(ctap, request->client_data_hash,
                                    applications[j], request->allow[i], &known, answer,
                                    err) < 0)
                                return -1;
                        if (known)
                                *ret = (struct found){ request->allow[i],
                                        applications[j] };
                        if (known || answer->transport != NULL)
                                return 0;
                }
        }
        return 0;
}

/* Spec: U2F Raw Message Formats §5.4 -> CTAP 2.1 §10.3 */
static int
read_authentication(const struct kp_buf *body, const struct kp_buf *application,
        const struct found *found, struct kp_get_reply *ret, struct kp_error *err)
{
        struct kp_assertion *assertion;
        const uint8_t *at = body->data;

        if (body->len < 1 + 4 + 8)
                return KP_FAIL(err, KP_EPARSE, "U2F authentication: malformed");
        if ((assertion = calloc(1, sizeof(*assertion))) == NULL)
                return KP_FAIL(err, KP_ENOMEM, "assertion");
        ret->assertions = assertion;
        ret->n_assertions = 1;
        kp_buf_put(&assertion->auth_data, application->data, application->len);
        kp_buf_put_u8(&assertion->auth_data, at[0] & KP_AUTHDATA_UP);
        kp_buf_put(&assertion->auth_data, at + 1, 4);
        kp_buf_put(&assertion->signature, at + 5, body->len - 5);
        kp_buf_put(&assertion->credential_id, found->handle.data, found->handle.len);
        if (kp_buf_check(&assertion->auth_data, err) < 0 ||
                kp_buf_check(&assertion->signature, err) < 0)
                return -1;
        return kp_buf_check(&assertion->credential_id, err);
}

static int
authenticate(struct kp_ctap *ctap, const struct kp_get_request *request,
        const struct found *found, struct kp_get_reply *ret, struct kp_error *err)
{
        KP_CLEANUP(kp_answer_done) struct kp_answer answer = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf application = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf data = { 0 };
        struct kp_error unreadable = { 0 };

        if (put_hash(&application, found->application, err) < 0)
                return -1;
        kp_buf_put(&data, request->client_data_hash, sizeof(request->client_data_hash));
        kp_buf_put(&data, application.data, application.len);
        kp_buf_put_u8(&data, (uint8_t)found->handle.len);
        kp_buf_put(&data, found->handle.data, found->handle.len);
        if (apdu_with_touch(ctap, KP_U2F_AUTHENTICATE,
                    request->up == KP_FALSE ? CONTROL_DONT_ENFORCE : CONTROL_ENFORCE,
                    &data, &answer, err) < 0)
                return -1;
        ret->status = answer.status;
        ret->transport = answer.transport;
        ret->app_id_used = found->application != request->rp_id;
        if (kp_answer_ok(&answer) && read_authentication(&answer.body, &application,
                                             found, ret, &unreadable) < 0) {
                kp_get_reply_done(ret);
                ret->transport = "unreadable";
        }
        return 0;
}

int
kp_ctap_u2f_get(struct kp_ctap *ctap, const struct kp_get_request *request,
        struct kp_get_reply *ret, struct kp_error *err)
{
        KP_CLEANUP(kp_answer_done) struct kp_answer answer = { 0 };
        struct found found = { 0 };

        /* Spec: CTAP 2.1 §10.3 step 1 */
        if (request->uv == KP_TRUE || request->pin != NULL || request->token != NULL ||
                request->n_allow == 0) {
                ret->status = KP_CTAP2_ERR_UNSUPPORTED_OPTION;
                return 0;
        }
        if (find_handle(ctap, request, &found, &answer, err) < 0)
                return -1;
        if (answer.transport != NULL) {
                ret->transport = answer.transport;
                return 0;
        }
        if (found.handle.len > 0)
                return authenticate(ctap, request, &found, ret, err);
        /*
         * DEVIATION CTAP 2.1 §10.3: it ends here at once; we collect a touch first, as
         * browsers do, since otherwise a page could tell which keys a person has.
         */
        if (request->up != KP_FALSE) {
                if (kp_ctap_u2f_touch(ctap, &answer, err) < 0)
                        return -1;
                ret->transport = answer.transport;
        }
        if (ret->transport == NULL)
                ret->status = answer.status != KP_CTAP_OK ? answer.status
                                                          : KP_CTAP2_ERR_NO_CREDENTIALS;
        return 0;
}
