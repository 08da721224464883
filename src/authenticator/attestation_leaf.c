/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/asn1.h>
#include <string.h>

#include "attestation.h"

/*
 * Formats whose certificate is made anew for each credential: the phone's key store
 * (WebAuthn L3 §8.4) and Apple's anonymizing CA (§8.8).
 */

/* DER of one item around what is given. */
static void
put_item(struct kp_buf *ret, int tag, int class, const struct kp_buf *content)
{
        bool constructed = class == V_ASN1_CONTEXT_SPECIFIC || tag == V_ASN1_SEQUENCE ||
                           tag == V_ASN1_SET;
        unsigned char head[16], *end = head;

        ASN1_put_object(&end, constructed, (int)content->len, tag, class);
        kp_buf_put(ret, head, (size_t)(end - head));
        kp_buf_put(ret, content->data, content->len);
        ret->failed = ret->failed || content->failed;
}

/* INTEGER or ENUMERATED, not negative: no more bytes than it needs. */
static void
put_number(struct kp_buf *ret, int tag, uint32_t value)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf bytes = { 0 };
        bool begun = false;

        for (int shift = 24; shift >= 0; shift -= 8) {
                uint8_t byte = (uint8_t)(value >> shift);

                if (!begun && (byte & 0x80) != 0)
                        kp_buf_put_u8(&bytes, 0); /* the sign */
                begun = begun || byte != 0 || shift == 0;
                if (begun)
                        kp_buf_put_u8(&bytes, byte);
        }
        put_item(ret, tag, V_ASN1_UNIVERSAL, &bytes);
}

static void
put_octets(struct kp_buf *ret, const uint8_t *bytes, size_t bytes_len)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf content = { 0 };

        kp_buf_put(&content, bytes, bytes_len);
        put_item(ret, V_ASN1_OCTET_STRING, V_ASN1_UNIVERSAL, &content);
}

/* [tag] EXPLICIT INTEGER, or SET OF one INTEGER */
static void
put_authorization(struct kp_buf *ret, int tag, bool set, uint32_t value)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf number = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf one = { 0 };

        put_number(&number, V_ASN1_INTEGER, value);
        if (!set) {
                put_item(ret, tag, V_ASN1_CONTEXT_SPECIFIC, &number);
                return;
        }
        put_item(&one, V_ASN1_SET, V_ASN1_UNIVERSAL, &number);
        put_item(ret, tag, V_ASN1_CONTEXT_SPECIFIC, &one);
}

/* Values of Android's key store. Spec: Android Keymaster HAL 4, tags and enums */
enum { KM_PURPOSE_SIGN = 2, KM_RSA = 1, KM_EC = 3, KM_ORIGIN_GENERATED = 0 };
enum { KM_PKCS1_SIGN = 5, KM_SHA256 = 4, KM_SHA384 = 5, KM_SHA512 = 6 };

/* What the trusted environment says of the key. */
static void
put_tee(struct kp_buf *ret, int alg, EVP_PKEY *pkey)
{
        bool rsa = alg == KP_COSE_RS256;
        uint32_t digest = alg == KP_COSE_ES384   ? KM_SHA384
                          : alg == KP_COSE_ES512 ? KM_SHA512
                                                 : KM_SHA256;

        put_authorization(ret, 1, true, KM_PURPOSE_SIGN);
        put_authorization(ret, 2, false, rsa ? KM_RSA : KM_EC);
        put_authorization(ret, 3, false, (uint32_t)EVP_PKEY_get_bits(pkey));
        put_authorization(ret, 5, true, digest);
        if (rsa)
                put_authorization(ret, 6, true, KM_PKCS1_SIGN);
        put_authorization(ret, 702, false, KM_ORIGIN_GENERATED);
}

/* Spec: Android key attestation, "KeyDescription" of version 4 (Keymaster 4.1) */
static void
put_description(const struct kp_auth_attestation *a, struct kp_buf *ret)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf fields = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf software = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf tee = { 0 };

        put_number(&fields, V_ASN1_INTEGER, 4);
        put_number(&fields, V_ASN1_ENUMERATED, 1); /* TrustedEnvironment */
        put_number(&fields, V_ASN1_INTEGER, 41);
        put_number(&fields, V_ASN1_ENUMERATED, 1);
        put_octets(&fields, a->client_data_hash, KP_AUTH_HASH_LEN);
        put_octets(&fields, NULL, 0); /* uniqueId */
        put_item(&fields, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL, &software);
        put_tee(&tee, a->credential->alg, a->pkey);
        put_item(&fields, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL, &tee);
        put_item(ret, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL, &fields);
}

/* Two certificates of one credential differ where what they attest differs. */
static void
put_serial(const struct kp_auth_attestation *a, struct kp_buf *ret)
{
        uint8_t hash[KP_AUTH_HASH_LEN];
        KP_CLEANUP(kp_buf_done) struct kp_buf message = { 0 };

        kp_auth_attested(a, &message);
        kp_auth_hash(message.data, message.len, hash);
        kp_buf_put_hex(ret, hash, sizeof(hash));
}

static int
put_leaf(const struct kp_auth_attestation *a, struct kp_key_leaf *leaf,
        struct kp_buf *ret)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf serial = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf der = { 0 };

        put_serial(a, &serial);
        leaf->key = a->pkey;
        leaf->serial_of = kp_buf_str(&serial);
        if (serial.failed || kp_authenticator_profile_certify(
                                     a->key->profile, leaf, &der, &a->key->err) < 0)
                return KP_CTAP1_ERR_OTHER;
        kp_cbor_put_bytes(ret, der.data, der.len);
        return KP_CTAP_OK;
}

/* The chain goes up to the root, as key stores have it. */
int
kp_auth_attest_android_key(struct kp_auth_attestation *a, struct kp_buf *ret)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf description = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf signature = { 0 };
        struct kp_key_leaf leaf = { .common_name = "Android Keystore Key",
                .usage = "critical,digitalSignature",
                .oid = "1.3.6.1.4.1.11129.2.1.17" };
        int status = kp_auth_sign(a->key, a->credential->alg, a->pkey, &a->auth_data,
                a->client_data_hash, &signature);

        if (status != KP_CTAP_OK)
                return status;
        put_description(a, &description);
        leaf.der = description.data;
        leaf.der_len = description.len;
        kp_cbor_put_map(ret, 3);
        kp_cbor_put_text(ret, "alg");
        kp_cbor_put_int(ret, a->credential->alg);
        kp_cbor_put_text(ret, "sig");
        kp_cbor_put_bytes(ret, signature.data, signature.len);
        kp_cbor_put_text(ret, "x5c");
        kp_cbor_put_array(ret, 3);
        if (description.failed || put_leaf(a, &leaf, ret) != KP_CTAP_OK)
                return KP_CTAP1_ERR_OTHER;
        kp_auth_put_certificate(a->key, KP_CERTIFICATE_CA, ret);
        kp_auth_put_certificate(a->key, KP_CERTIFICATE_ROOT, ret);
        return KP_CTAP_OK;
}

/* SEQUENCE { [1] EXPLICIT OCTET STRING }: what Apple puts there */
static void
put_nonce(const struct kp_auth_attestation *a, struct kp_buf *ret)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf message = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf octets = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf tagged = { 0 };
        uint8_t nonce[KP_AUTH_HASH_LEN];

        kp_auth_attested(a, &message);
        kp_auth_hash(message.data, message.len, nonce);
        put_octets(&octets, nonce, sizeof(nonce));
        put_item(&tagged, 1, V_ASN1_CONTEXT_SPECIFIC, &octets);
        put_item(ret, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL, &tagged);
}

/* A name that tells nothing but the key, as Apple's certificates have. */
static void
put_key_name(EVP_PKEY *pkey, struct kp_buf *ret)
{
        uint8_t hash[KP_AUTH_HASH_LEN];
        unsigned char *der = NULL;
        int der_len = i2d_PUBKEY(pkey, &der);

        kp_auth_hash(der, der_len > 0 ? (size_t)der_len : 0, hash);
        OPENSSL_free(der);
        kp_buf_put_hex(ret, hash, sizeof(hash));
}

int
kp_auth_attest_apple(struct kp_auth_attestation *a, struct kp_buf *ret)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf nonce = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf name = { 0 };
        struct kp_key_leaf leaf = { .unit = "AAA Certification",
                .usage = "critical,digitalSignature,nonRepudiation,keyEncipherment,"
                         "dataEncipherment",
                .oid = "1.2.840.113635.100.8.2" };

        put_nonce(a, &nonce);
        put_key_name(a->pkey, &name);
        leaf.common_name = kp_buf_str(&name);
        leaf.der = nonce.data;
        leaf.der_len = nonce.len;
        kp_cbor_put_map(ret, 1);
        kp_cbor_put_text(ret, "x5c");
        kp_cbor_put_array(ret, 2);
        if (nonce.failed || name.failed || put_leaf(a, &leaf, ret) != KP_CTAP_OK)
                return KP_CTAP1_ERR_OTHER;
        kp_auth_put_certificate(a->key, KP_CERTIFICATE_CA, ret);
        return KP_CTAP_OK;
}
