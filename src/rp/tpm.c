/* SPDX-License-Identifier: BSD-2-Clause */
#include "tpm.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <string.h>

#include "keypilot/core/buf.h"
#include "keypilot/core/free.h"

#define MODULUS_MAX 1024 /* bytes: RSA with 8192 bits */
#define COORDINATE_MAX 66
#define RSA_EXPONENT 65537
#define MAGIC 0xff544347u /* Part 2 §6.2 TPM_GENERATED_VALUE */
#define ST_ATTEST_CERTIFY 0x8017

/* Part 2 §6.3 TPM_ALG_ID */
enum {
        ALG_RSA = 0x0001,
        ALG_SHA1 = 0x0004,
        ALG_XOR = 0x000a,
        ALG_SHA256 = 0x000b,
        ALG_SHA384 = 0x000c,
        ALG_SHA512 = 0x000d,
        ALG_NULL = 0x0010,
        ALG_RSASSA = 0x0014,
        ALG_RSAES = 0x0015,
        ALG_RSAPSS = 0x0016,
        ALG_ECDSA = 0x0018,
        ALG_ECDAA = 0x001a,
        ALG_ECC = 0x0023,
};

struct reader {
        const uint8_t *at, *end;
        bool failed;
};

static uint64_t
take(struct reader *r, size_t n)
{
        uint64_t value = 0;

        if ((size_t)(r->end - r->at) < n)
                r->failed = true;
        for (; n > 0 && !r->failed; n--)
                value = value << 8 | *r->at++;
        return value;
}

/* TPM2B: two bytes of length, then so many. */
static struct tpm_bytes
take_sized(struct reader *r)
{
        struct tpm_bytes bytes = { .len = (size_t)take(r, 2) };

        if (r->failed || (size_t)(r->end - r->at) < bytes.len) {
                r->failed = true;
                return (struct tpm_bytes){ 0 };
        }
        bytes.data = r->at;
        r->at += bytes.len;
        return bytes;
}

/* Part 2 §11.1.7 TPMT_SYM_DEF_OBJECT */
static void
pass_symmetric(struct reader *r)
{
        uint64_t alg = take(r, 2);

        if (alg != ALG_NULL)
                (void)take(r, alg == ALG_XOR ? 2 : 4); /* hash; key bits and mode */
}

/* Part 2 §11.2.4.2 TPMT_RSA_SCHEME, §11.2.5.6 TPMT_ECC_SCHEME, §11.2.3.3 KDF */
static void
pass_scheme(struct reader *r)
{
        uint64_t alg = take(r, 2);

        if (alg == ALG_NULL || alg == ALG_RSAES)
                return;
        (void)take(r, 2); /* hash */
        if (alg == ALG_ECDAA)
                (void)take(r, 2); /* count */
}

static void
read_rsa(struct reader *r, struct tpm_public *ret)
{
        pass_symmetric(r);
        pass_scheme(r);
        ret->key_bits = (uint16_t)take(r, 2);
        ret->exponent = (uint32_t)take(r, 4);
        ret->modulus = take_sized(r);
}

static void
read_ecc(struct reader *r, struct tpm_public *ret)
{
        pass_symmetric(r);
        pass_scheme(r);
        ret->curve = (uint16_t)take(r, 2);
        pass_scheme(r); /* key derivation */
        ret->x = take_sized(r);
        ret->y = take_sized(r);
}

const char *
kp_rp_tpm_public_read(const uint8_t *bytes, size_t bytes_len, struct tpm_public *ret)
{
        struct reader r = { .at = bytes, .end = bytes + bytes_len };

        *ret = (struct tpm_public){ .whole = { bytes, bytes_len } };
        ret->type = (uint16_t)take(&r, 2);
        ret->name_alg = (uint16_t)take(&r, 2);
        ret->attributes = (uint32_t)take(&r, 4);
        ret->policy = take_sized(&r);
        if (r.failed)
                return "pubArea ends early";
        if (ret->type == ALG_RSA)
                read_rsa(&r, ret);
        else if (ret->type == ALG_ECC)
                read_ecc(&r, ret);
        else
                return "pubArea holds neither an RSA nor an ECC key";
        if (r.failed)
                return "pubArea ends early";
        return r.at == r.end ? NULL : "pubArea has bytes behind its end";
}

const char *
kp_rp_tpm_attest_read(
        const uint8_t *bytes, size_t bytes_len, bool strict, struct tpm_attest *ret)
{
        struct reader r = { .at = bytes, .end = bytes + bytes_len };

        *ret = (struct tpm_attest){ 0 };
        ret->magic = (uint32_t)take(&r, 4);
        ret->type = (uint16_t)take(&r, 2);
        if (r.failed)
                return "certInfo ends early";
        if (ret->magic != MAGIC)
                return "certInfo was not made by a TPM (magic)";
        if (ret->type != ST_ATTEST_CERTIFY)
                return "certInfo certifies no key (type)";
        (void)take_sized(&r); /* qualifiedSigner */
        ret->extra_data = take_sized(&r);
        (void)take(&r, 8 + 4 + 4 + 1); /* clockInfo */
        (void)take(&r, 8);             /* firmwareVersion */
        ret->name = take_sized(&r);
        (void)take_sized(&r); /* qualifiedName */
        if (r.failed)
                return "certInfo ends early";
        return r.at == r.end || !strict ? NULL : "certInfo has bytes behind its end";
}

static bool
put_ecdsa(const struct tpm_bytes *r, const struct tpm_bytes *s, struct kp_buf *ret)
{
        ECDSA_SIG *sig = ECDSA_SIG_new();
        BIGNUM *a = BN_bin2bn(r->data, (int)r->len, NULL);
        BIGNUM *b = BN_bin2bn(s->data, (int)s->len, NULL);
        unsigned char *der = NULL;
        int der_len = 0;

        if (sig != NULL && a != NULL && b != NULL && ECDSA_SIG_set0(sig, a, b) == 1) {
                a = b = NULL; /* its own now */
                der_len = i2d_ECDSA_SIG(sig, &der);
        }
        if (der_len > 0)
                kp_buf_put(ret, der, (size_t)der_len);
        OPENSSL_free(der);
        BN_free(a);
        BN_free(b);
        ECDSA_SIG_free(sig);
        return der_len > 0 && !ret->failed;
}

bool
kp_rp_tpm_signature_read(const uint8_t *bytes, size_t bytes_len, struct kp_buf *ret)
{
        struct reader r = { .at = bytes, .end = bytes + bytes_len };
        uint64_t alg = take(&r, 2);
        struct tpm_bytes first, second = { 0 };

        (void)take(&r, 2); /* hash */
        if (r.failed || (alg != ALG_RSASSA && alg != ALG_RSAPSS && alg != ALG_ECDSA))
                return false;
        first = take_sized(&r);
        if (alg == ALG_ECDSA)
                second = take_sized(&r);
        if (r.failed || r.at != r.end || first.len > MODULUS_MAX ||
                second.len > COORDINATE_MAX)
                return false;
        if (alg == ALG_ECDSA)
                return first.len <= COORDINATE_MAX && put_ecdsa(&first, &second, ret);
        kp_buf_put(ret, first.data, first.len);
        return !ret->failed;
}

/* The number in the key is the one in the bytes, leading zeros or not. */
static bool
number_is(EVP_PKEY *key, const char *name, const struct tpm_bytes *bytes, size_t max)
{
        KP_CLEANUP(kp_free_bn) BIGNUM *wanted = NULL;
        KP_CLEANUP(kp_free_bn) BIGNUM *number = NULL;

        if (bytes->len == 0 || bytes->len > max ||
                EVP_PKEY_get_bn_param(key, name, &wanted) != 1)
                return false;
        number = BN_bin2bn(bytes->data, (int)bytes->len, NULL);
        return number != NULL && BN_cmp(number, wanted) == 0;
}

static bool
rsa_is(const struct tpm_public *public, EVP_PKEY *key)
{
        uint32_t exponent = public->exponent == 0 ? RSA_EXPONENT : public->exponent;
        uint8_t big_endian[4] = { (uint8_t)(exponent >> 24), (uint8_t)(exponent >> 16),
                (uint8_t)(exponent >> 8), (uint8_t)exponent };
        struct tpm_bytes bytes = { big_endian, sizeof(big_endian) };

        return EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA &&
               EVP_PKEY_get_bits(key) == public->key_bits &&
               number_is(key, OSSL_PKEY_PARAM_RSA_N, &public->modulus, MODULUS_MAX) &&
               number_is(key, OSSL_PKEY_PARAM_RSA_E, &bytes, sizeof(big_endian));
}

/* Part 2 §6.4 TPM_ECC_CURVE */
static const char *
curve_name(uint16_t curve)
{
        static const char *const names[] = {
                [0x0003] = "prime256v1",
                [0x0004] = "secp384r1",
                [0x0005] = "secp521r1",
        };

        return curve < KP_NELEMS(names) ? names[curve] : NULL;
}

static bool
ecc_is(const struct tpm_public *public, EVP_PKEY *key)
{
        const char *curve = curve_name(public->curve);
        char group[32] = "";

        return curve != NULL && EVP_PKEY_get_base_id(key) == EVP_PKEY_EC &&
               EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) == 1 &&
               strcmp(group, curve) == 0 &&
               number_is(key, OSSL_PKEY_PARAM_EC_PUB_X, &public->x, COORDINATE_MAX) &&
               number_is(key, OSSL_PKEY_PARAM_EC_PUB_Y, &public->y, COORDINATE_MAX);
}

bool
kp_rp_tpm_public_is(const struct tpm_public *public, EVP_PKEY *key)
{
        bool same = public->type == ALG_RSA ? rsa_is(public, key) : ecc_is(public, key);

        ERR_clear_error();
        return same;
}

static const EVP_MD *
name_hash(uint16_t alg)
{
        switch (alg) {
        case ALG_SHA1:
                return EVP_sha1();
        case ALG_SHA256:
                return EVP_sha256();
        case ALG_SHA384:
                return EVP_sha384();
        case ALG_SHA512:
                return EVP_sha512();
        default:
                return NULL;
        }
}

bool
kp_rp_tpm_name_is(const struct tpm_bytes *name, const struct tpm_public *public)
{
        const EVP_MD *md = name_hash(public->name_alg);
        uint8_t wanted[2 + EVP_MAX_MD_SIZE] = { (uint8_t)(public->name_alg >> 8),
                (uint8_t) public->name_alg };
        unsigned hash_len = 0;

        return md != NULL &&
               EVP_Digest(public->whole.data, public->whole.len, wanted + 2, &hash_len,
                       md, NULL) == 1 &&
               kp_bytes_equal(name->data, name->len, wanted, 2 + hash_len);
}
