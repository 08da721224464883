/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/core_names.h>
#include <openssl/ec.h>

#include "statements.h"

/* TPM statements, right but for one thing; the credential key is on P-256. */

static EVP_PKEY *area_key; /* in pubArea; NULL: that of the credential */

struct tpm {
        const char *ver;
        uint32_t magic;
        uint16_t attest_type, public_type, name_alg, curve;
        bool other_data, other_name, other_key; /* certInfo or pubArea about others */
        bool scheme; /* ECDSA with SHA-256, which brings more bytes */
        size_t cert_info_tail, public_tail, cert_info_cut;
        bool as_structure;  /* the signature as TPMT_SIGNATURE */
        bool by_credential; /* signed by the wrong key */
        /* the certificate */
        int version;
        const char *subject, *maker, *model, *tpm_version, *usage, *constraints;
        bool san_not_critical, no_san, maker_twice;
        const uint8_t *aaguid;
};

static struct tpm
right(void)
{
        return (struct tpm){ .ver = "2.0",
                .magic = 0xff544347,
                .attest_type = 0x8017,
                .public_type = 0x0023,
                .name_alg = 0x000b,
                .curve = 0x0003,
                .version = X509_VERSION_3,
                .maker = "id:494E5443",
                .model = "Model",
                .tpm_version = "id:00000001",
                .usage = "2.23.133.8.3",
                .constraints = "critical,CA:FALSE" };
}

static void
put_sized(struct kp_buf *ret, const void *bytes, size_t bytes_len)
{
        kp_buf_put_be16(ret, (uint16_t)bytes_len);
        kp_buf_put(ret, bytes, bytes_len);
}

static void
put_coordinate(struct kp_buf *ret, const char *name)
{
        KP_CLEANUP(kp_free_bn) BIGNUM *number = NULL;
        uint8_t bytes[32];

        EVP_PKEY_get_bn_param(area_key != NULL ? area_key : m.key, name, &number);
        BN_bn2binpad(number, bytes, sizeof(bytes));
        put_sized(ret, bytes, sizeof(bytes));
}

static void
put_public(const struct tpm *t, struct kp_buf *ret)
{
        kp_buf_put_be16(ret, t->public_type);
        kp_buf_put_be16(ret, t->name_alg);
        kp_buf_put_be32(ret, 0x00040072);
        put_sized(ret, "policy", 6);
        kp_buf_put_be16(ret, 0x0010);
        kp_buf_put_be16(ret, t->scheme ? 0x0018 : 0x0010);
        if (t->scheme)
                kp_buf_put_be16(ret, 0x000b);
        kp_buf_put_be16(ret, t->curve);
        kp_buf_put_be16(ret, 0x0010);
        put_coordinate(ret,
                t->other_key ? OSSL_PKEY_PARAM_EC_PUB_Y : OSSL_PKEY_PARAM_EC_PUB_X);
        put_coordinate(ret, OSSL_PKEY_PARAM_EC_PUB_Y);
        for (size_t i = 0; i < t->public_tail; i++)
                kp_buf_put_u8(ret, 0);
}

static void
put_name(const struct tpm *t, const struct kp_buf *public, struct kp_buf *ret)
{
        uint8_t name[34] = { (uint8_t)(t->name_alg >> 8), (uint8_t)t->name_alg };

        kp_sha256(public->data, public->len, name + 2);
        name[33] ^= t->other_name;
        put_sized(ret, name, sizeof(name));
}

static void
put_cert_info(const struct tpm *t, const struct kp_buf *public, struct kp_buf *ret)
{
        uint8_t hash[32];

        kp_sha256(m.hash_input.data, m.hash_input.len, hash);
        hash[0] ^= t->other_data;
        kp_buf_put_be32(ret, t->magic);
        kp_buf_put_be16(ret, t->attest_type);
        put_sized(ret, "signer", 6);
        put_sized(ret, hash, sizeof(hash));
        for (size_t i = 0; i < 17 + 8; i++)
                kp_buf_put_u8(ret, (uint8_t)i);
        put_name(t, public, ret);
        put_sized(ret, "qualified", 9);
        for (size_t i = 0; i < t->cert_info_tail; i++)
                kp_buf_put_u8(ret, 0);
        ret->len -= t->cert_info_cut;
}

static void
put_attribute(X509_NAME *name, const char *oid, const char *value)
{
        ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);

        if (value != NULL)
                X509_NAME_add_entry_by_OBJ(name, object, V_ASN1_UTF8STRING,
                        (const uint8_t *)value, -1, -1, 0);
        ASN1_OBJECT_free(object);
}

static void
put_san(const struct tpm *t, X509 *certificate)
{
        X509_NAME *name = X509_NAME_new();
        GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
        GENERAL_NAME *one = GENERAL_NAME_new();

        put_attribute(name, "2.23.133.2.3", t->tpm_version);
        put_attribute(name, "2.23.133.2.1", t->maker);
        put_attribute(name, "2.23.133.2.1", t->maker_twice ? t->maker : NULL);
        put_attribute(name, "2.23.133.2.2", t->model);
        GENERAL_NAME_set0_value(one, GEN_DIRNAME, name);
        sk_GENERAL_NAME_push(names, one);
        X509_add1_ext_i2d(
                certificate, NID_subject_alt_name, names, !t->san_not_critical, 0);
        sk_GENERAL_NAME_pop_free(names, GENERAL_NAME_free);
}

static X509 *
make_aik(const struct tpm *t)
{
        X509 *certificate = certificate_begin(leaf_key, t->version, 7);

        name_put(X509_get_subject_name(certificate), "CN", t->subject);
        X509_set_issuer_name(certificate, X509_get_subject_name(root));
        if (!t->no_san)
                put_san(t, certificate);
        if (t->usage != NULL)
                extension_put(certificate, NID_ext_key_usage, t->usage);
        if (t->constraints != NULL)
                extension_put(certificate, NID_basic_constraints, t->constraints);
        if (t->aaguid != NULL) {
                uint8_t octets[18] = { 4, 16 };

                memcpy(octets + 2, t->aaguid, 16);
                der_put(certificate, "1.3.6.1.4.1.45724.1.1.4", octets, sizeof(octets));
        }
        cr_assert_gt(X509_sign(certificate, root_key, EVP_sha256()), 0);
        return certificate;
}

/* Two numbers out of a DER signature, as a TPM writes them. */
static void
put_structure(const struct kp_buf *der, struct kp_buf *ret)
{
        const unsigned char *at = der->data;
        ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &at, (long)der->len);
        const BIGNUM *numbers[2];
        uint8_t bytes[32];

        ECDSA_SIG_get0(sig, &numbers[0], &numbers[1]);
        kp_buf_put_be16(ret, 0x0018);
        kp_buf_put_be16(ret, 0x000b);
        for (size_t i = 0; i < 2; i++) {
                BN_bn2binpad(numbers[i], bytes, sizeof(bytes));
                put_sized(ret, bytes, sizeof(bytes));
        }
        ECDSA_SIG_free(sig);
}

static json_t *
tpm(const struct tpm *t)
{
        KP_CLEANUP(kp_free_x509) X509 *aik = make_aik(t);
        KP_CLEANUP(kp_buf_done) struct kp_buf public = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf cert_info = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf sig = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf structure = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf statement = { 0 };
        const struct kp_buf *sent = t->as_structure ? &structure : &sig;

        m.format = "tpm";
        maker_parts(&m, true);
        put_public(t, &public);
        put_cert_info(t, &public, &cert_info);
        sign_with(t->by_credential ? m.key : leaf_key, KP_COSE_ES256, &cert_info, &sig);
        put_structure(&sig, &structure);
        kp_cbor_put_map(&statement, 6);
        kp_cbor_put_text(&statement, "alg");
        kp_cbor_put_int(&statement, KP_COSE_ES256);
        kp_cbor_put_text(&statement, "sig");
        kp_cbor_put_bytes(&statement, sent->data, sent->len);
        kp_cbor_put_text(&statement, "ver");
        kp_cbor_put_text(&statement, t->ver);
        put_x5c(&statement, &aik, 1);
        kp_cbor_put_text(&statement, "pubArea");
        kp_cbor_put_bytes(&statement, public.data, public.len);
        kp_cbor_put_text(&statement, "certInfo");
        kp_cbor_put_bytes(&statement, cert_info.data, cert_info.len);
        return maker_registration(&m, &statement);
}

TestSuite(tpm, .init = setup, .fini = teardown);

Test(tpm, a_right_statement_holds_and_says_what_it_is)
{
        struct tpm t = right();
        KP_CLEANUP(kp_rp_result_done) struct kp_rp_result result = verify(tpm(&t));

        cr_assert(result.accepted, "%s", result.refusals[0].reason);
        cr_assert_str_eq(result.credential.format, "tpm");
        cr_assert_str_eq(result.credential.type, "attca");
        cr_assert(result.credential.trusted);
}

Test(tpm, several_forms_are_right)
{
        struct tpm t = right();

        t.scheme = true;
        cr_assert_str_eq(why_refused(tpm(&t)), "");
        t = right();
        t.as_structure = true;
        cr_assert_str_eq(
                why_refused(tpm(&t)), "", "TPMT_SIGNATURE, as the text has it");
        t = right();
        t.aaguid = test_aaguid;
        cr_assert_str_eq(why_refused(tpm(&t)), "");
        t = right();
        t.usage = "2.23.133.8.1,2.23.133.8.3";
        cr_assert_str_eq(why_refused(tpm(&t)), "");
}

/* Each with the words that its reason must have. */
Test(tpm, one_wrong_thing_is_named)
{
        static const uint8_t other[16] = "another aaguid..";
        struct tpm t[24];
        const char *words[24];
        size_t n = 0;

#define WRONG(change, text)                                                            \
        do {                                                                           \
                t[n] = right();                                                        \
                t[n].change;                                                           \
                words[n++] = (text);                                                   \
        } while (0)
        WRONG(ver = "1.2", "ver");
        WRONG(magic = 0xff544348, "magic");
        WRONG(attest_type = 0x8018, "type");
        WRONG(public_type = 0x0008, "neither an RSA nor an ECC key");
        WRONG(public_type = 0x0001, "pubArea"); /* what follows is read as RSA */
        WRONG(name_alg = 0x0012, "name");       /* SM3: no name of it is known */
        WRONG(curve = 0x0004, "credential public key");
        WRONG(curve = 0xffff, "credential public key");
        WRONG(other_data = true, "extraData");
        WRONG(other_name = true, "name");
        WRONG(other_key = true, "credential public key");
        WRONG(cert_info_tail = 1, "behind its end");
        WRONG(public_tail = 1, "behind its end");
        WRONG(cert_info_cut = 1, "ends early");
        WRONG(cert_info_cut = 60, "ends early");
        WRONG(by_credential = true, "signature");
        WRONG(version = X509_VERSION_1, "version 3");
        WRONG(subject = "somebody", "subject is not empty");
        WRONG(no_san = true, "alternative name");
        WRONG(san_not_critical = true, "not critical");
        WRONG(usage = "2.23.133.8.1", "extended key usage");
        WRONG(constraints = "critical,CA:TRUE", "CA");
        WRONG(constraints = NULL, "basic constraints");
        WRONG(aaguid = other, "another AAGUID");
        for (size_t i = 0; i < n; i++) {
                const char *why = why_refused(tpm(&t[i]));

                cr_expect(strstr(why, words[i]) != NULL, "%zu: '%s' lacks '%s'", i, why,
                        words[i]);
        }
}

Test(tpm, its_maker_its_model_and_its_version_are_told)
{
        struct tpm t = right();

        t.maker = NULL;
        cr_assert_str_eq(
                why_refused(tpm(&t)), "tpm: the certificate names no manufacturer");
        t = right();
        t.maker_twice = true;
        cr_assert_str_eq(
                why_refused(tpm(&t)), "tpm: the certificate names no manufacturer");
        t = right();
        t.model = NULL;
        cr_assert_str_eq(why_refused(tpm(&t)), "tpm: the certificate names no model");
        t = right();
        t.tpm_version = NULL;
        cr_assert_str_eq(why_refused(tpm(&t)), "tpm: the certificate names no version");
        t = right();
        t.usage = NULL;
        cr_assert(strstr(why_refused(tpm(&t)), "extended key usage") != NULL);
}

Test(tpm, a_maker_is_one_that_the_policy_knows)
{
        static const struct {
                const char *maker;
                bool listed, test, any;
        } makers[] = {
                { "id:494E5443", true, true, true },
                { "id:494e5443", true, true, true },
                { "id:FFFFF1D0", false, true, true },
                { "id:00000000", false, false, true },
                { "INTC", false, false, true },
                { "id:494E54430", false, false, true },
        };

        for (size_t i = 0; i < KP_NELEMS(makers); i++) {
                struct tpm t = right();

                t.maker = makers[i].maker;
                expect.mode = KP_RP_STRICT;
                expect.attestation.tpm_makers = KP_TPM_MAKERS_LISTED;
                cr_expect_eq(
                        *refusal(tpm(&t)) == '\0', makers[i].listed, "%s", t.maker);
                expect.attestation.tpm_makers = KP_TPM_MAKERS_TEST;
                cr_expect_eq(*refusal(tpm(&t)) == '\0', makers[i].test, "%s", t.maker);
                expect.attestation.tpm_makers = KP_TPM_MAKERS_ANY;
                cr_expect_eq(*refusal(tpm(&t)) == '\0', makers[i].any, "%s", t.maker);
                expect.mode = KP_RP_LENIENT;
                expect.attestation.tpm_makers = KP_TPM_MAKERS_LISTED;
                cr_expect_str_eq(refusal(tpm(&t)), "", "%s", t.maker);
        }
}

/* A TPM holds no Edwards keys, whatever pubArea says. */
Test(tpm, a_key_of_another_kind_is_refused)
{
        struct tpm t = right();

        area_key = EVP_EC_gen("P-256");
        maker_end(&m);
        maker_begin(&m, KP_COSE_EDDSA);
        cr_assert_str_eq(
                why_refused(tpm(&t)), "tpm: pubArea is not the credential public key");
        EVP_PKEY_free(area_key);
}
