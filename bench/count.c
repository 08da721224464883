/* SPDX-License-Identifier: BSD-2-Clause */
#include <dlfcn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "bench.h"

/*
 * These have the names of libcrypto's own functions, so keypilot, libfido2 and xmlsec
 * call them instead, and so does libcrypto itself; each counts and passes the call on.
 * What libcrypto does inside one call is its own business and not counted again.
 */
const char *const op_names[N_OPS] = { "key generation", "signature", "verification",
        "key agreement", "encryption", "decryption" };
const char *const key_names[N_KEYS] = { "P-256", "P-384", "P-521", "Ed25519",
        "RSA-2048", "RSA-4096", "other" };

static struct counts *shared;
static _Thread_local int depth; /* of calls of ours that libcrypto is in */

struct counts *
counts_share(void)
{
        void *at = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
                MAP_SHARED | MAP_ANONYMOUS, -1, 0);

        shared = at == MAP_FAILED ? NULL : at;
        return shared;
}

static enum key
key_of_bits(int type, int bits)
{
        if (type == EVP_PKEY_EC)
                return bits <= 256 ? KEY_P256 : bits <= 384 ? KEY_P384 : KEY_P521;
        if (type == EVP_PKEY_ED25519)
                return KEY_ED25519;
        if (type == EVP_PKEY_RSA)
                return bits <= 2048 ? KEY_RSA2048 : KEY_RSA4096;
        return KEY_OTHER;
}

static enum key
key_of(const EVP_PKEY *key)
{
        if (key == NULL)
                return KEY_OTHER;
        return key_of_bits(EVP_PKEY_get_base_id(key), EVP_PKEY_get_bits(key));
}

static void
count(enum op op, enum key key)
{
        if (shared != NULL && depth == 0)
                __atomic_fetch_add(&shared->n[op][key], 1, __ATOMIC_RELAXED);
}

#define INSIDE(call)                                                                   \
        ({                                                                             \
                depth++;                                                               \
                __typeof__(call) inside = (call);                                      \
                depth--;                                                               \
                inside;                                                                \
        })

/* The real one, looked up once. */
#define NEXT(name)                                                                     \
        static __typeof__(&(name)) next;                                               \
        if (next == NULL &&                                                            \
                (next = (__typeof__(&(name)))dlsym(RTLD_NEXT, #name)) == NULL)         \
        abort()

static EVP_PKEY *
key_of_digest(EVP_MD_CTX *ctx)
{
        EVP_PKEY_CTX *pkey_ctx = EVP_MD_CTX_get_pkey_ctx(ctx);

        return pkey_ctx == NULL ? NULL : EVP_PKEY_CTX_get0_pkey(pkey_ctx);
}

int
EVP_DigestSign(EVP_MD_CTX *ctx, unsigned char *sig, size_t *sig_len,
        const unsigned char *text, size_t text_len)
{
        NEXT(EVP_DigestSign);
        if (sig != NULL)
                count(OP_SIGN, key_of(key_of_digest(ctx)));
        return INSIDE(next(ctx, sig, sig_len, text, text_len));
}

int
EVP_DigestSignFinal(EVP_MD_CTX *ctx, unsigned char *sig, size_t *sig_len)
{
        NEXT(EVP_DigestSignFinal);
        if (sig != NULL)
                count(OP_SIGN, key_of(key_of_digest(ctx)));
        return INSIDE(next(ctx, sig, sig_len));
}

int
EVP_SignFinal_ex(EVP_MD_CTX *ctx, unsigned char *sig, unsigned int *sig_len,
        EVP_PKEY *key, OSSL_LIB_CTX *lib, const char *properties)
{
        NEXT(EVP_SignFinal_ex);
        count(OP_SIGN, key_of(key));
        return INSIDE(next(ctx, sig, sig_len, key, lib, properties));
}

int
EVP_PKEY_sign(EVP_PKEY_CTX *ctx, unsigned char *sig, size_t *sig_len,
        const unsigned char *text, size_t text_len)
{
        NEXT(EVP_PKEY_sign);
        if (sig != NULL)
                count(OP_SIGN, key_of(EVP_PKEY_CTX_get0_pkey(ctx)));
        return INSIDE(next(ctx, sig, sig_len, text, text_len));
}

int
EVP_DigestVerify(EVP_MD_CTX *ctx, const unsigned char *sig, size_t sig_len,
        const unsigned char *text, size_t text_len)
{
        NEXT(EVP_DigestVerify);
        count(OP_VERIFY, key_of(key_of_digest(ctx)));
        return INSIDE(next(ctx, sig, sig_len, text, text_len));
}

int
EVP_DigestVerifyFinal(EVP_MD_CTX *ctx, const unsigned char *sig, size_t sig_len)
{
        NEXT(EVP_DigestVerifyFinal);
        count(OP_VERIFY, key_of(key_of_digest(ctx)));
        return INSIDE(next(ctx, sig, sig_len));
}

int
EVP_VerifyFinal_ex(EVP_MD_CTX *ctx, const unsigned char *sig, unsigned int sig_len,
        EVP_PKEY *key, OSSL_LIB_CTX *lib, const char *properties)
{
        NEXT(EVP_VerifyFinal_ex);
        count(OP_VERIFY, key_of(key));
        return INSIDE(next(ctx, sig, sig_len, key, lib, properties));
}

int
EVP_PKEY_verify(EVP_PKEY_CTX *ctx, const unsigned char *sig, size_t sig_len,
        const unsigned char *text, size_t text_len)
{
        NEXT(EVP_PKEY_verify);
        count(OP_VERIFY, key_of(EVP_PKEY_CTX_get0_pkey(ctx)));
        return INSIDE(next(ctx, sig, sig_len, text, text_len));
}

int
X509_verify(X509 *certificate, EVP_PKEY *key)
{
        NEXT(X509_verify);
        count(OP_VERIFY, key_of(key));
        return INSIDE(next(certificate, key));
}

int
EVP_PKEY_derive(EVP_PKEY_CTX *ctx, unsigned char *secret, size_t *secret_len)
{
        NEXT(EVP_PKEY_derive);
        /* HKDF has the same function and no key */
        if (secret != NULL && EVP_PKEY_CTX_get0_pkey(ctx) != NULL)
                count(OP_DERIVE, key_of(EVP_PKEY_CTX_get0_pkey(ctx)));
        return INSIDE(next(ctx, secret, secret_len));
}

int
EVP_PKEY_encrypt(EVP_PKEY_CTX *ctx, unsigned char *out, size_t *out_len,
        const unsigned char *in, size_t in_len)
{
        NEXT(EVP_PKEY_encrypt);
        if (out != NULL)
                count(OP_ENCRYPT, key_of(EVP_PKEY_CTX_get0_pkey(ctx)));
        return INSIDE(next(ctx, out, out_len, in, in_len));
}

int
EVP_PKEY_decrypt(EVP_PKEY_CTX *ctx, unsigned char *out, size_t *out_len,
        const unsigned char *in, size_t in_len)
{
        NEXT(EVP_PKEY_decrypt);
        if (out != NULL)
                count(OP_DECRYPT, key_of(EVP_PKEY_CTX_get0_pkey(ctx)));
        return INSIDE(next(ctx, out, out_len, in, in_len));
}

int
EVP_PKEY_keygen(EVP_PKEY_CTX *ctx, EVP_PKEY **ret)
{
        int status;

        NEXT(EVP_PKEY_keygen);
        if ((status = INSIDE(next(ctx, ret))) == 1)
                count(OP_GENERATE, key_of(*ret));
        return status;
}

int
EVP_PKEY_generate(EVP_PKEY_CTX *ctx, EVP_PKEY **ret)
{
        int status;

        NEXT(EVP_PKEY_generate);
        if ((status = INSIDE(next(ctx, ret))) == 1)
                count(OP_GENERATE, key_of(*ret));
        return status;
}

EVP_PKEY *
EVP_PKEY_new_raw_private_key(
        int type, ENGINE *engine, const unsigned char *bytes, size_t bytes_len)
{
        NEXT(EVP_PKEY_new_raw_private_key);
        count(OP_GENERATE, key_of_bits(type, 0)); /* the public half is computed */
        return INSIDE(next(type, engine, bytes, bytes_len));
}

/* A scalar times the generator is what makes an EC key. */
int
EC_POINT_mul(const EC_GROUP *group, EC_POINT *ret, const BIGNUM *scalar,
        const EC_POINT *point, const BIGNUM *by, BN_CTX *ctx)
{
        NEXT(EC_POINT_mul);
        if (scalar != NULL && point == NULL)
                count(OP_GENERATE,
                        key_of_bits(EVP_PKEY_EC, EC_GROUP_get_degree(group)));
        return INSIDE(next(group, ret, scalar, point, by, ctx));
}
