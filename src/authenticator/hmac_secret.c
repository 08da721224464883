/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/crypto.h>
#include <openssl/hmac.h>

#include "internal.h"

/*
 * hmac-secret of GetAssertion and hmac-secret-mc of MakeCredential, which are one
 * computation. Spec: CTAP 2.1 §12.5; CTAP 2.3 §12.7, §12.8
 */
#define SALT_LEN 32

struct input {
        const cbor_item_t *peer;
        const uint8_t *enc, *auth;
        size_t enc_len, auth_len;
        bool has_protocol;
        int64_t protocol;
};

static int
input_read(const cbor_item_t *map, struct input *ret)
{
        int status = kp_auth_want_map(map, true);

        if (status != KP_CTAP_OK)
                return status;
        ret->peer = kp_cbor_at_int(map, 1);
        if ((status = kp_auth_want_map(ret->peer, true)) != 0 ||
                (status = kp_auth_want_bytes(kp_cbor_at_int(map, 2), true, &ret->enc,
                         &ret->enc_len)) != 0 ||
                (status = kp_auth_want_bytes(kp_cbor_at_int(map, 3), true, &ret->auth,
                         &ret->auth_len)) != 0)
                return status;
        ret->has_protocol = kp_cbor_at_int(map, 4) != NULL;
        ret->protocol = 1;
        return kp_auth_want_int(kp_cbor_at_int(map, 4), false, &ret->protocol);
}

/* A platform that names no protocol means the first, which the key may lack. */
static int
input_protocol(const struct kp_authenticator *key, const struct input *input)
{
        if (kp_auth_pin_protocol(key, input->protocol))
                return KP_CTAP_OK;
        return input->has_protocol ? KP_CTAP1_ERR_INVALID_PARAMETER
                                   : KP_CTAP2_ERR_PIN_AUTH_INVALID;
}

int
kp_auth_hmac_read(struct kp_authenticator *key, const cbor_item_t *input,
        struct kp_auth_hmac *ret)
{
        struct input in = { 0 };
        const uint8_t *hmac_key;
        size_t hmac_key_len;
        int status;

        if ((status = input_read(input, &in)) != 0 ||
                (status = input_protocol(key, &in)) != 0 ||
                (status = kp_auth_pin_decapsulate(
                         key, (int)in.protocol, in.peer, &ret->secret)) != 0)
                return status;
        hmac_key = kp_pin_hmac_key(&ret->secret, &hmac_key_len);
        if (!kp_pin_verify((int)in.protocol, hmac_key, hmac_key_len, in.enc, in.enc_len,
                    in.auth, in.auth_len))
                return KP_CTAP2_ERR_PIN_AUTH_INVALID;
        /* §12.5 has no code for a wrong length, and keys say LENGTH; 2.3 has PARAMETER */
        if (kp_pin_decrypt(&ret->secret, in.enc, in.enc_len, &ret->salts, &key->err) <
                        0 ||
                (ret->salts.len != SALT_LEN && ret->salts.len != 2 * SALT_LEN))
                return kp_words_have(&key->facts->versions, "FIDO_2_3")
                               ? KP_CTAP1_ERR_INVALID_PARAMETER
                               : KP_CTAP1_ERR_INVALID_LENGTH;
        ret->asked = true;
        return KP_CTAP_OK;
}

/* One or two values, of another secret where the person was verified. */
int
kp_auth_hmac_put(struct kp_authenticator *key, const struct kp_auth_hmac *hmac,
        const struct kp_auth_credential *credential, bool verified,
        struct kp_buf *answer)
{
        const uint8_t *secret =
                credential->cred_random + (verified ? 0 : KP_AUTH_HASH_LEN);
        KP_CLEANUP(kp_buf_wipe) struct kp_buf cipher = { 0 };
        uint8_t output[2 * SALT_LEN];
        bool ok = true;

        for (size_t at = 0; ok && at < hmac->salts.len; at += SALT_LEN)
                ok = HMAC(EVP_sha256(), secret, KP_AUTH_HASH_LEN, hmac->salts.data + at,
                             SALT_LEN, output + at, NULL) != NULL;
        ok = ok && kp_pin_encrypt(&hmac->secret, key->random, output, hmac->salts.len,
                           &cipher, &key->err) == 0;
        OPENSSL_cleanse(output, sizeof(output));
        if (!ok)
                return KP_CTAP1_ERR_OTHER;
        kp_cbor_put_bytes(answer, cipher.data, cipher.len);
        return KP_CTAP_OK;
}

void
kp_auth_hmac_done(struct kp_auth_hmac *hmac)
{
        kp_buf_wipe(&hmac->salts);
        OPENSSL_cleanse(hmac, sizeof(*hmac));
}
