/* SPDX-License-Identifier: BSD-2-Clause */
#include "prf.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

/* Spec: WebAuthn L3 §10.1.4: SHA-256 of "WebAuthn PRF", a zero byte and the input */
static int
put_salt(struct kp_buf *salts, const struct kp_buf *input, struct kp_error *err)
{
        static const char prefix[] = "WebAuthn PRF"; /* with its NUL */
        KP_CLEANUP(kp_buf_wipe) struct kp_buf message = { 0 };
        uint8_t salt[32];
        unsigned salt_len = 0;

        kp_buf_put(&message, prefix, sizeof(prefix));
        kp_buf_put(&message, input->data, input->len);
        if (kp_buf_check(&message, err) < 0)
                return -1;
        if (EVP_Digest(message.data, message.len, salt, &salt_len, EVP_sha256(),
                    NULL) != 1)
                return KP_FAIL(err, KP_ENOMEM, "SHA-256");
        kp_buf_put(salts, salt, sizeof(salt));
        OPENSSL_cleanse(salt, sizeof(salt));
        return kp_buf_check(salts, err);
}

int
kp_prf_salts(
        const struct kp_prf_values *values, struct kp_buf *ret, struct kp_error *err)
{
        if (put_salt(ret, &values->first, err) < 0)
                return -1;
        return values->has_second ? put_salt(ret, &values->second, err) : 0;
}

bool
kp_prf_works(const struct kp_ceremony *ceremony)
{
        return kp_ceremony_fact_is(ceremony, "prf", "create_and_get") ||
               (ceremony->create && !kp_ceremony_fact_is(ceremony, "prf", "no"));
}
