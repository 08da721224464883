/* SPDX-License-Identifier: BSD-2-Clause */
/* RAND_set_rand_method() is the one way to lend OpenSSL a stream. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "keypilot/core/random.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "keypilot/core/free.h"

struct kp_random {
        EVP_CIPHER_CTX *stream; /* NULL: the kernel's */
};

static struct kp_random *installed;

static int
stream_key(const char *seed, const char *label, uint8_t key[32], struct kp_error *err)
{
        static const char domain[] = "keypilot random stream 1";
        KP_CLEANUP(kp_free_md_ctx) EVP_MD_CTX *ctx = EVP_MD_CTX_new();

        /* every part goes in with its NUL, so that no two pairs meet */
        if (ctx == NULL || EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) != 1 ||
                EVP_DigestUpdate(ctx, domain, sizeof(domain)) != 1 ||
                EVP_DigestUpdate(ctx, seed, strlen(seed) + 1) != 1 ||
                EVP_DigestUpdate(ctx, label, strlen(label) + 1) != 1 ||
                EVP_DigestFinal_ex(ctx, key, NULL) != 1)
                return KP_FAIL(err, KP_ENOMEM, "random stream: no SHA-256");
        return 0;
}

int
kp_random_new_seeded(const char *seed, const char *label, struct kp_random **ret,
        struct kp_error *err)
{
        KP_CLEANUP(kp_random_free)
        struct kp_random *random = calloc(1, sizeof(*random));
        static const uint8_t iv[16] = { 0 };
        uint8_t key[32];

        if (random == NULL || (random->stream = EVP_CIPHER_CTX_new()) == NULL)
                return KP_FAIL(err, KP_ENOMEM, "random stream");
        if (stream_key(seed, label, key, err) < 0)
                return -1;
        if (EVP_EncryptInit_ex(random->stream, EVP_aes_256_ctr(), NULL, key, iv) != 1)
                return KP_FAIL(err, KP_ENOMEM, "random stream: no AES-256-CTR");
        OPENSSL_cleanse(key, sizeof(key));
        *ret = KP_STEAL(random);
        return 0;
}

int
kp_random_new_system(struct kp_random **ret, struct kp_error *err)
{
        struct kp_random *random = calloc(1, sizeof(*random));

        if (random == NULL)
                return KP_FAIL(err, KP_ENOMEM, "random stream");
        *ret = random;
        return 0;
}

void
kp_random_free(struct kp_random **random)
{
        if (*random == NULL)
                return;
        if (installed == *random)
                kp_random_install(NULL);
        EVP_CIPHER_CTX_free((*random)->stream);
        free(*random);
        *random = NULL;
}

static void
kernel_bytes(uint8_t *bytes, size_t bytes_len)
{
        for (size_t done = 0; done < bytes_len;) {
                ssize_t n = getrandom(bytes + done, bytes_len - done, 0);

                if (n > 0)
                        done += (size_t)n;
        }
}

void
kp_random_bytes(struct kp_random *random, void *bytes, size_t bytes_len)
{
        int n = 0;

        if (random->stream == NULL) {
                kernel_bytes(bytes, bytes_len);
                return;
        }
        assert(bytes_len <= INT32_MAX);
        memset(bytes, 0, bytes_len);
        if (EVP_EncryptUpdate(random->stream, bytes, &n, bytes, (int)bytes_len) != 1)
                abort(); /* AES-CTR in memory does not fail; going on repeats keys */
}

static int
lend_bytes(unsigned char *bytes, int bytes_len)
{
        kp_random_bytes(installed, bytes, (size_t)bytes_len);
        return 1;
}

static int
lend_status(void)
{
        return 1;
}

void
kp_random_install(struct kp_random *random)
{
        static RAND_METHOD lender = {
                .bytes = lend_bytes, .pseudorand = lend_bytes, .status = lend_status
        };

        installed = random;
        RAND_set_rand_method(random == NULL ? NULL : &lender);
}

struct kp_random *
kp_random_lend(struct kp_random *random)
{
        struct kp_random *before = installed;

        kp_random_install(random);
        return before;
}
