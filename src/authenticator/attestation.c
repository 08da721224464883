/* SPDX-License-Identifier: BSD-2-Clause */
#include "internal.h"

int
kp_auth_sign(struct kp_authenticator *key, int alg, EVP_PKEY *pkey,
        const struct kp_buf *auth_data,
        const uint8_t client_data_hash[KP_AUTH_HASH_LEN], struct kp_buf *ret)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf message = { 0 };

        kp_buf_put(&message, auth_data->data, auth_data->len);
        kp_buf_put(&message, client_data_hash, KP_AUTH_HASH_LEN);
        if (auth_data->failed || message.failed ||
                kp_cose_sign(alg, pkey, message.data, message.len, ret, &key->err) < 0)
                return KP_CTAP1_ERR_OTHER;
        return KP_CTAP_OK;
}

static void
put_head(struct kp_buf *answer, const char *format, const struct kp_buf *auth_data)
{
        kp_cbor_put_map(answer, 3);
        kp_cbor_put_int(answer, 1);
        kp_cbor_put_text(answer, format);
        kp_cbor_put_int(answer, 2);
        kp_cbor_put_bytes(answer, auth_data->data, auth_data->len);
        kp_cbor_put_int(answer, 3);
}

/* Spec: WebAuthn L3 §8.2, §8.7 */
int
kp_auth_attest(struct kp_authenticator *key, struct kp_auth_credential *credential,
        const struct kp_buf *auth_data,
        const uint8_t client_data_hash[KP_AUTH_HASH_LEN], struct kp_buf *answer)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf signature = { 0 };
        bool basic = key->facts->attestation == KP_ATTESTATION_PACKED_BASIC;
        int alg = basic ? KP_COSE_ES256 : credential->alg;
        EVP_PKEY *signer = basic ? kp_authenticator_profile_batch_key(key->profile)
                                 : kp_auth_credential_key(key, credential);
        size_t certificate_len;
        const uint8_t *certificate =
                kp_authenticator_profile_certificate(key->profile, &certificate_len);

        if (key->facts->attestation == KP_ATTESTATION_NONE) {
                put_head(answer, "none", auth_data);
                kp_cbor_put_map(answer, 0);
                return KP_CTAP_OK;
        }
        if (kp_auth_sign(key, alg, signer, auth_data, client_data_hash, &signature) !=
                0)
                return KP_CTAP1_ERR_OTHER;
        put_head(answer, "packed", auth_data);
        kp_cbor_put_map(answer, basic ? 3 : 2);
        kp_cbor_put_text(answer, "alg");
        kp_cbor_put_int(answer, alg);
        kp_cbor_put_text(answer, "sig");
        kp_cbor_put_bytes(answer, signature.data, signature.len);
        if (basic) {
                kp_cbor_put_text(answer, "x5c");
                kp_cbor_put_array(answer, 1);
                kp_cbor_put_bytes(answer, certificate, certificate_len);
        }
        return KP_CTAP_OK;
}
