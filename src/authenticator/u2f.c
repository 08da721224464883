/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "internal.h"

/*
 * U2F raw messages, which CTAP 2.1 §10 calls CTAP1/U2F. A U2F key never waits: it
 * answers "not satisfied" until the person has touched, and the platform asks again.
 * Spec: FIDO U2F Raw Message Formats v1.2
 */
#define PARAM_LEN 32
#define POINT_LEN 65

struct apdu {
        uint8_t cla, ins, p1;
        const uint8_t *data;
        size_t data_len;
};

/* Extended length, as U2FHID has it; also short, which costs nothing. */
static bool
apdu_read(const uint8_t *bytes, size_t len, struct apdu *ret)
{
        size_t lc;

        if (len < 4)
                return false;
        *ret = (struct apdu){ .cla = bytes[0], .ins = bytes[1], .p1 = bytes[2] };
        if (len <= 5 || (len == 7 && bytes[4] == 0)) /* no data, with or without Le */
                return true;
        if (bytes[4] != 0) {
                lc = bytes[4];
                ret->data = bytes + 5;
                ret->data_len = lc;
                return len == 5 + lc || len == 6 + lc;
        }
        if (len < 7)
                return false;
        lc = (size_t)bytes[5] << 8 | bytes[6];
        ret->data = bytes + 7;
        ret->data_len = lc;
        if (lc == 0) /* some platforms say so before Le */
                return len == 9;
        return len == 7 + lc || len == 9 + lc;
}

/* The uncompressed point of a P-256 key. */
static bool
point_of(const EVP_PKEY *pkey, uint8_t point[POINT_LEN])
{
        unsigned char *encoded = NULL;
        size_t len = EVP_PKEY_get1_encoded_public_key((EVP_PKEY *)pkey, &encoded);
        bool ok = len == POINT_LEN && encoded[0] == 0x04;

        if (ok)
                memcpy(point, encoded, POINT_LEN);
        OPENSSL_free(encoded);
        return ok;
}

/* Response: 05 || key || handle length || handle || certificate || signature */
static uint16_t
register_answer(struct kp_authenticator *key, struct kp_auth_credential *credential,
        const uint8_t *challenge, struct kp_buf *answer)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf message = { 0 };
        size_t certificate_len;
        const uint8_t *certificate =
                kp_authenticator_profile_certificate(key->profile, &certificate_len);
        EVP_PKEY *pkey = kp_auth_credential_key(key, credential);
        uint8_t point[POINT_LEN];

        if (pkey == NULL || !point_of(pkey, point))
                return KP_U2F_SW_WRONG_DATA;
        kp_buf_put_u8(&message, 0x00);
        kp_buf_put(&message, credential->rp_id_hash, PARAM_LEN);
        kp_buf_put(&message, challenge, PARAM_LEN);
        kp_buf_put(&message, credential->id.data, credential->id.len);
        kp_buf_put(&message, point, POINT_LEN);
        kp_buf_put_u8(answer, 0x05);
        kp_buf_put(answer, point, POINT_LEN);
        kp_buf_put_u8(answer, (uint8_t)credential->id.len);
        kp_buf_put(answer, credential->id.data, credential->id.len);
        kp_buf_put(answer, certificate, certificate_len);
        if (message.failed || kp_cose_sign(KP_COSE_ES256,
                                      kp_authenticator_profile_batch_key(key->profile),
                                      message.data, message.len, answer, &key->err) < 0)
                return KP_U2F_SW_WRONG_DATA;
        return KP_U2F_SW_NO_ERROR;
}

/* Spec: U2F Raw Message Formats §4 */
static uint16_t
u2f_register(
        struct kp_authenticator *key, const struct apdu *apdu, struct kp_buf *answer)
{
        struct kp_auth_credential *credential;
        uint16_t word;

        if (apdu->data_len != 2 * PARAM_LEN)
                return KP_U2F_SW_WRONG_LENGTH;
        if (!kp_auth_finger_u2f(key))
                return KP_U2F_SW_CONDITIONS_NOT_SATISFIED;
        if ((credential = kp_auth_store_add(key)) == NULL)
                return KP_U2F_SW_WRONG_DATA;
        credential->alg = KP_COSE_ES256;
        memcpy(credential->rp_id_hash, apdu->data + PARAM_LEN, PARAM_LEN);
        word = kp_auth_credential_make(key, credential)
                       ? register_answer(key, credential, apdu->data, answer)
                       : KP_U2F_SW_WRONG_DATA;
        if (word != KP_U2F_SW_NO_ERROR)
                kp_auth_store_remove(key, credential);
        return word;
}

/* Presence, counter, signature over application, presence, counter, challenge. */
static uint16_t
authenticate_answer(struct kp_authenticator *key, struct kp_auth_credential *credential,
        const uint8_t *challenge, bool present, struct kp_buf *answer)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf message = { 0 };
        EVP_PKEY *pkey = kp_auth_credential_key(key, credential);
        uint32_t counter = kp_auth_credential_count(key, credential);

        kp_buf_put(&message, credential->rp_id_hash, PARAM_LEN);
        kp_buf_put_u8(&message, present);
        kp_buf_put_be32(&message, counter);
        kp_buf_put(&message, challenge, PARAM_LEN);
        kp_buf_put_u8(answer, present);
        kp_buf_put_be32(answer, counter);
        if (pkey == NULL || message.failed ||
                kp_cose_sign(KP_COSE_ES256, pkey, message.data, message.len, answer,
                        &key->err) < 0)
                return KP_U2F_SW_WRONG_DATA;
        return KP_U2F_SW_NO_ERROR;
}

/* Spec: U2F Raw Message Formats §5 */
static uint16_t
u2f_authenticate(
        struct kp_authenticator *key, const struct apdu *apdu, struct kp_buf *answer)
{
        enum { ENFORCE_TOUCH = 0x03, CHECK_ONLY = 0x07, NO_TOUCH = 0x08 };
        struct kp_auth_credential *credential;
        const uint8_t *data = apdu->data;

        if (apdu->p1 != ENFORCE_TOUCH && apdu->p1 != CHECK_ONLY && apdu->p1 != NO_TOUCH)
                return KP_U2F_SW_INCORRECT_P1P2;
        if (apdu->data_len < 2 * PARAM_LEN + 1 ||
                apdu->data_len != 2 * PARAM_LEN + 1 + (size_t)data[2 * PARAM_LEN])
                return KP_U2F_SW_WRONG_LENGTH;
        credential = kp_auth_store_find(
                key, data + PARAM_LEN, data + 2 * PARAM_LEN + 1, data[2 * PARAM_LEN]);
        /* nobody is verified here, so credProtect 3 hides it. CTAP 2.1 §12.1 */
        if (credential == NULL || credential->alg != KP_COSE_ES256 ||
                credential->cred_protect == 3)
                return KP_U2F_SW_WRONG_DATA;
        if (apdu->p1 == CHECK_ONLY)
                return KP_U2F_SW_CONDITIONS_NOT_SATISFIED;
        if (apdu->p1 == ENFORCE_TOUCH && !kp_auth_finger_u2f(key))
                return KP_U2F_SW_CONDITIONS_NOT_SATISFIED;
        return authenticate_answer(
                key, credential, data, apdu->p1 == ENFORCE_TOUCH, answer);
}

static uint16_t
u2f_version(
        struct kp_authenticator *key, const struct apdu *apdu, struct kp_buf *answer)
{
        (void)key;
        if (apdu->data_len > 0)
                return KP_U2F_SW_WRONG_LENGTH;
        kp_buf_puts(answer, "U2F_V2");
        return KP_U2F_SW_NO_ERROR;
}

static uint16_t
u2f_run(struct kp_authenticator *key, const uint8_t *message, size_t message_len,
        struct kp_buf *answer)
{
        struct apdu apdu;

        if (!apdu_read(message, message_len, &apdu))
                return KP_U2F_SW_WRONG_LENGTH;
        if (apdu.cla != 0)
                return KP_U2F_SW_CLA_NOT_SUPPORTED;
        switch (apdu.ins) {
        case KP_U2F_REGISTER:
        case KP_U2F_AUTHENTICATE:
                if (key->always_uv) /* CTAP 2.1 §7.2: U2F cannot verify anybody */
                        return KP_U2F_SW_COMMAND_NOT_ALLOWED;
                return apdu.ins == KP_U2F_REGISTER
                               ? u2f_register(key, &apdu, answer)
                               : u2f_authenticate(key, &apdu, answer);
        case KP_U2F_VERSION:
                return u2f_version(key, &apdu, answer);
        default:
                return KP_U2F_SW_INS_NOT_SUPPORTED;
        }
}

void
kp_auth_u2f(struct kp_authenticator *key, const uint8_t *message, size_t message_len,
        struct kp_buf *answer)
{
        uint16_t word;

        kp_buf_clear(answer);
        word = u2f_run(key, message, message_len, answer);
        if (word != KP_U2F_SW_NO_ERROR)
                kp_buf_clear(answer);
        kp_buf_put_be16(answer, word);
}
