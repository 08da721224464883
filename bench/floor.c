/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench.h"

/* Public-key operations, bare: what they need is set up once, as far as libcrypto lets
 * us. */
struct subject {
        EVP_PKEY *key, *peer;
        unsigned char text[256], signature[1024], sealed[1024];
        size_t signature_len, sealed_len;
};

static struct subject subjects[N_KEYS];

double
now_seconds(void)
{
        struct timespec now;

        (void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail for this clock */
        return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static EVP_PKEY *
key_make(enum key key)
{
        if (key == KEY_ED25519)
                return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
        if (key == KEY_RSA2048 || key == KEY_RSA4096)
                return EVP_RSA_gen(key == KEY_RSA2048 ? 2048 : 4096);
        return EVP_EC_gen(key == KEY_P256   ? "P-256"
                          : key == KEY_P384 ? "P-384"
                                            : "P-521");
}

static int
sign(struct subject *s, unsigned char *signature, size_t *signature_len, bool ed)
{
        EVP_MD_CTX *ctx = EVP_MD_CTX_new();
        int status = ctx != NULL &&
                     EVP_DigestSignInit(
                             ctx, NULL, ed ? NULL : EVP_sha256(), NULL, s->key) == 1 &&
                     EVP_DigestSign(ctx, signature, signature_len, s->text,
                             sizeof(s->text)) == 1;

        EVP_MD_CTX_free(ctx);
        return status;
}

static int
verify(struct subject *s, bool ed)
{
        EVP_MD_CTX *ctx = EVP_MD_CTX_new();
        int status = ctx != NULL &&
                     EVP_DigestVerifyInit(
                             ctx, NULL, ed ? NULL : EVP_sha256(), NULL, s->key) == 1 &&
                     EVP_DigestVerify(ctx, s->signature, s->signature_len, s->text,
                             sizeof(s->text)) == 1;

        EVP_MD_CTX_free(ctx);
        return status;
}

static int
generate(struct subject *s, enum key key)
{
        unsigned char seed[32];
        EVP_PKEY *made;
        int status;

        if (key == KEY_ED25519) {
                memcpy(seed, s->text, sizeof(seed));
                made = EVP_PKEY_new_raw_private_key(
                        EVP_PKEY_ED25519, NULL, seed, sizeof(seed));
                status = made != NULL;
                EVP_PKEY_free(made);
                return status;
        }
        made = key_make(key); /* as whoever uses libcrypto makes one */
        status = made != NULL;
        EVP_PKEY_free(made);
        return status;
}

static int
derive(struct subject *s)
{
        EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(s->key, NULL);
        unsigned char secret[80];
        size_t secret_len = sizeof(secret);
        int status = ctx != NULL && EVP_PKEY_derive_init(ctx) == 1 &&
                     EVP_PKEY_derive_set_peer(ctx, s->peer) == 1 &&
                     EVP_PKEY_derive(ctx, secret, &secret_len) == 1;

        EVP_PKEY_CTX_free(ctx);
        return status;
}

static int
seal(struct subject *s, bool encrypt)
{
        EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(s->key, NULL);
        unsigned char out[1024];
        size_t out_len = sizeof(out);
        int status = ctx != NULL;

        if (encrypt)
                status = status && EVP_PKEY_encrypt_init(ctx) == 1 &&
                         EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) ==
                                 1 &&
                         EVP_PKEY_encrypt(ctx, s->sealed, &out_len, s->text, 32) == 1;
        else
                status = status && EVP_PKEY_decrypt_init(ctx) == 1 &&
                         EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) ==
                                 1 &&
                         EVP_PKEY_decrypt(
                                 ctx, out, &out_len, s->sealed, s->sealed_len) == 1;
        if (encrypt)
                s->sealed_len = out_len;
        EVP_PKEY_CTX_free(ctx);
        return status;
}

static struct subject *
subject_of(enum key key)
{
        struct subject *s = &subjects[key];

        if (s->key != NULL || key == KEY_OTHER)
                return s;
        memset(s->text, 7, sizeof(s->text));
        s->key = key_make(key);
        s->peer = key <= KEY_P521 ? key_make(key) : NULL;
        s->signature_len = sizeof(s->signature);
        if (s->key == NULL ||
                !sign(s, s->signature, &s->signature_len, key == KEY_ED25519))
                abort(); /* this machine's libcrypto lacks what the cells just used */
        if (key == KEY_RSA2048 || key == KEY_RSA4096)
                (void)seal(s, true); /* so that there is something to open */
        return s;
}

static int
once(struct subject *s, enum op op, enum key key)
{
        unsigned char signature[1024];
        size_t signature_len = sizeof(signature);

        switch (op) {
        case OP_GENERATE:
                return generate(s, key);
        case OP_SIGN:
                return sign(s, signature, &signature_len, key == KEY_ED25519);
        case OP_VERIFY:
                return verify(s, key == KEY_ED25519);
        case OP_DERIVE:
                return s->peer != NULL && derive(s);
        case OP_ENCRYPT:
                return seal(s, true);
        case OP_DECRYPT:
                return seal(s, false);
        }
        return 0;
}

double
floor_seconds(enum op op, enum key key)
{
        struct subject *s = subject_of(key);
        double begin = now_seconds(), passed = 0;
        uint64_t n = 0;

        if (key == KEY_OTHER || !once(s, op, key))
                return 0;
        while (passed < 0.1) {
                for (int i = 0; i < 16 && passed < 0.1; i++, n++)
                        if (!once(s, op, key))
                                return 0;
                passed = now_seconds() - begin;
        }
        return passed / (double)n;
}

void
floor_run(const struct counts *counts, uint64_t divisor)
{
        for (int op = 0; op < N_OPS; op++)
                for (int key = 0; key < KEY_OTHER; key++)
                        for (uint64_t i = 0;
                                i < (counts->n[op][key] + divisor - 1) / divisor; i++)
                                (void)once(subject_of(key), op, key); /* was tried */
}
