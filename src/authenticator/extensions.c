/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <string.h>

#include "internal.h"

#define SALT_LEN 32

/* Extensions that a simulated key has; what a profile lists besides is not told. */
static const char *const simulated[] = { "credBlob", "credProtect", "hmac-secret",
        "minPinLength" };

bool
kp_auth_extension(const struct kp_authenticator *key, const char *name)
{
        for (size_t i = 0; i < KP_NELEMS(simulated); i++)
                if (strcmp(simulated[i], name) == 0)
                        return kp_words_have(&key->facts->extensions, name);
        return false;
}

/* Input of hmac-secret to GetAssertion. Spec: CTAP 2.1 §12.5 */
int
kp_auth_hmac_read(struct kp_authenticator *key, const cbor_item_t *input,
        struct kp_auth_hmac *ret)
{
        const cbor_item_t *peer = kp_cbor_at_int(input, 1);
        const uint8_t *enc = NULL, *auth = NULL, *hmac_key;
        size_t enc_len, auth_len, hmac_key_len;
        int64_t protocol = 1;
        int status;

        if ((status = kp_auth_want_map(input, true)) != 0 ||
                (status = kp_auth_want_map(peer, true)) != 0 ||
                (status = kp_auth_want_bytes(
                         kp_cbor_at_int(input, 2), true, &enc, &enc_len)) != 0 ||
                (status = kp_auth_want_bytes(
                         kp_cbor_at_int(input, 3), true, &auth, &auth_len)) != 0 ||
                (status = kp_auth_want_int(
                         kp_cbor_at_int(input, 4), false, &protocol)) != 0)
                return status;
        if (!kp_auth_pin_protocol(key, protocol))
                return KP_CTAP1_ERR_INVALID_PARAMETER;
        status = kp_auth_pin_decapsulate(key, (int)protocol, peer, &ret->secret);
        if (status != KP_CTAP_OK)
                return status;
        hmac_key = kp_pin_hmac_key(&ret->secret, &hmac_key_len);
        if (!kp_pin_verify((int)protocol, hmac_key, hmac_key_len, enc, enc_len, auth,
                    auth_len))
                return KP_CTAP2_ERR_PIN_AUTH_INVALID;
        if (kp_pin_decrypt(&ret->secret, enc, enc_len, &ret->salts, &key->err) < 0 ||
                (ret->salts.len != SALT_LEN && ret->salts.len != 2 * SALT_LEN))
                return KP_CTAP1_ERR_INVALID_LENGTH;
        ret->asked = true;
        return KP_CTAP_OK;
}

/* The output: one or two values, of another secret where the person was verified. */
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
        kp_cbor_put_text(answer, "hmac-secret");
        kp_cbor_put_bytes(answer, cipher.data, cipher.len);
        return KP_CTAP_OK;
}

void
kp_auth_hmac_done(struct kp_auth_hmac *hmac)
{
        kp_buf_wipe(&hmac->salts);
        OPENSSL_cleanse(hmac, sizeof(*hmac));
}
