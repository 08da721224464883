/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <openssl/rsa.h>

#include "vectors_ceremony.h"

/* Ways to write a message that parsers disagree about, and sizes. */
static struct ceremony_maker m;
static struct kp_rp_expectation expect;

static void
setup(void)
{
        maker_begin(&m, KP_COSE_EDDSA);
        expect = usual_expectation();
}

static void
teardown(void)
{
        maker_end(&m);
}

TestSuite(limits, .init = setup, .fini = teardown);

static const char *
refusal(json_t *response, enum kp_rp_mode mode)
{
        struct kp_rp_result result;
        struct kp_error err = { 0 };
        const char *id;

        expect.mode = mode;
        cr_assert_eq(
                kp_rp_verify_registration(&expect, response, false, &result, &err), 0);
        id = result.accepted ? "" : result.refusals[0].id;
        kp_rp_result_done(&result);
        return id;
}

struct piece {
        const char *bytes;
        size_t len;
};
#define PIECE(text)                                                                    \
        {                                                                              \
                text, sizeof(text) - 1                                                 \
        }

/* Head, then authData's value, then tail. */
struct writing {
        const char *what;
        struct piece head, tail;
        const char *strict, *lenient;
};

#define FMT                                                                            \
        "\x63"                                                                         \
        "fmt\x64"                                                                      \
        "none"
#define STMT                                                                           \
        "\x67"                                                                         \
        "attStmt\xa0"
#define AUTH                                                                           \
        "\x68"                                                                         \
        "authData"
#define DEEP                                                                           \
        "\x67"                                                                         \
        "attStmt\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x80"

/* clang-format off */
static const struct writing writings[] = {
        { "as it should be",    PIECE("\xa3" FMT STMT AUTH), PIECE(""), "", "" },
        { "indefinite map",     PIECE("\xbf" FMT STMT AUTH), PIECE("\xff"), "attestation-object", "" },
        { "indefinite, open",   PIECE("\xbf" FMT STMT AUTH), PIECE(""), "attestation-object", "attestation-object" },
        { "long length",        PIECE("\xb8\x03" FMT STMT AUTH), PIECE(""), "attestation-object", "" },
        { "key twice",          PIECE("\xa4" "\x63" "fmt\x61" "x" FMT STMT AUTH), PIECE(""), "attestation-object", "" },
        { "tag",                PIECE("\xd9\xd9\xf7\xa3" FMT STMT AUTH), PIECE(""), "attestation-object", "" },
        { "another order",      PIECE("\xa3" STMT FMT AUTH), PIECE(""), "attestation-object", "" },
        { "a member more",      PIECE("\xa4\x61" "x\x00" FMT STMT AUTH), PIECE(""), "attestation-object", "" },
        { "bytes behind it",    PIECE("\xa3" FMT STMT AUTH), PIECE("\x00"), "attestation-object", "attestation-object" },
        { "too deep",           PIECE("\xa3" FMT DEEP AUTH), PIECE(""), "attestation-object", "attestation-object" },
        { "a member less",      PIECE("\xa2" FMT AUTH), PIECE(""), "attestation-object", "attestation-object" },
        { "fmt is bytes",       PIECE("\xa3\x63" "fmt\x44" "none" STMT AUTH), PIECE(""), "attestation-object", "attestation-object" },
        { "fmt is no UTF-8",    PIECE("\xa3\x63" "fmt\x64" "no\xff\xfe" STMT AUTH), PIECE(""), "attestation-object", "attestation-object" },
        { "statement not none", PIECE("\xa3" FMT "\x67" "attStmt\xa1\x61" "x\x00" AUTH), PIECE(""), "attestation", "attestation" },
};
/* clang-format on */

static json_t *
written(const struct writing *writing)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf object = { 0 };
        json_t *response = maker_none(&m);

        kp_buf_put(&object, writing->head.bytes, writing->head.len);
        kp_cbor_put_bytes(&object, m.authdata.data, m.authdata.len);
        kp_buf_put(&object, writing->tail.bytes, writing->tail.len);
        json_object_set_new(json_object_get(response, "response"), "attestationObject",
                json_bytes(object.data, object.len));
        return response;
}

Test(limits, says_of_each_way_to_write_cbor_which_mode_takes_it)
{
        for (size_t i = 0; i < KP_NELEMS(writings); i++) {
                json_auto_t *response = written(&writings[i]);

                cr_expect_str_eq(refusal(response, KP_RP_STRICT), writings[i].strict,
                        "strict: %s", writings[i].what);
                cr_expect_str_eq(refusal(response, KP_RP_LENIENT), writings[i].lenient,
                        "lenient: %s", writings[i].what);
        }
}

Test(limits, authenticator_data_ends_where_it_ends)
{
        static const struct {
                int by; /* bytes more, or less */
                const char *refused;
        } cases[] = { { 1, "authenticator-data" }, { -1, "authenticator-data" },
                { -60, "authenticator-data" }, { 0, "" } };

        for (size_t i = 0; i < KP_NELEMS(cases); i++)
                for (int mode = KP_RP_STRICT; mode <= KP_RP_LENIENT; mode++) {
                        KP_CLEANUP(kp_buf_done) struct kp_buf statement = { 0 };
                        json_auto_t *response = NULL;

                        maker_parts(&m, true);
                        if (cases[i].by > 0)
                                kp_buf_put_u8(&m.authdata, 0);
                        else
                                m.authdata.len -= (size_t)-cases[i].by;
                        kp_cbor_put_map(&statement, 0);
                        response = maker_registration(&m, &statement);
                        cr_expect_str_eq(refusal(response, (enum kp_rp_mode)mode),
                                cases[i].refused, "%d", cases[i].by);
                }
}

Test(limits, client_data_has_a_size)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf long_one = { 0 };
        json_auto_t *response = NULL;

        kp_buf_puts(&long_one, "{\"type\":\"webauthn.create\",\"challenge\":"
                               "\"Y2hhbGxlbmdlLTEyMzQ1Ng\",\"origin\":\"https://"
                               "example.org\",\"x\":\"");
        while (long_one.len < (64u << 10))
                kp_buf_puts(&long_one, "xxxxxxxxxxxxxxxx");
        kp_buf_puts(&long_one, "\"}");
        m.client_data = kp_buf_str(&long_one);
        response = maker_none(&m);
        cr_assert_str_eq(refusal(response, KP_RP_STRICT), "client-data");
}

Test(limits, base64_is_that_of_urls)
{
        static const struct {
                const char *add, *strict, *lenient;
        } cases[] = { { "", "", "" }, { "=", "attestation-object", "" },
                { "\n", "attestation-object", "" }, { "!", "attestation-object", "" },
                { " ", "attestation-object", "" } };

        for (size_t i = 0; i < KP_NELEMS(cases); i++) {
                json_auto_t *response = maker_none(&m);
                json_t *inner = json_object_get(response, "response");
                KP_CLEANUP(kp_buf_done) struct kp_buf text = { 0 };

                kp_buf_puts(&text,
                        json_string_value(json_object_get(inner, "attestationObject")));
                kp_buf_puts(&text, cases[i].add);
                json_object_set_new(
                        inner, "attestationObject", json_string(kp_buf_str(&text)));
                cr_expect_str_eq(
                        refusal(response, KP_RP_STRICT), cases[i].strict, "%zu", i);
                cr_expect_str_eq(
                        refusal(response, KP_RP_LENIENT), cases[i].lenient, "%zu", i);
        }
}

/* A key of this kind in place of the maker's, with its registration and its login. */
static void
try_key(int alg, EVP_PKEY *key)
{
        KP_CLEANUP(kp_rp_credential_done) struct kp_rp_credential record = { 0 };
        json_auto_t *made = NULL;
        json_auto_t *got = NULL;
        struct kp_rp_result result;
        struct kp_error err = { 0 };

        cr_assert_not_null(key, "%d", alg);
        EVP_PKEY_free(m.key);
        m.key = key;
        m.alg = alg;
        record = maker_record(&m);
        expect.mode = KP_RP_STRICT;
        expect.algorithms[0] = alg;
        expect.n_algorithms = 1;
        made = maker_none(&m);
        cr_expect_str_eq(refusal(made, KP_RP_STRICT), "", "%d", alg);
        got = maker_assertion(&m);
        cr_assert_eq(kp_rp_verify_authentication(
                             &expect, &record, got, false, &result, &err),
                0);
        cr_expect(result.accepted, "%d: %s", alg, result.refusals[0].reason);
        cr_expect_eq(result.credential.alg, alg);
        kp_rp_result_done(&result);
}

Test(limits, knows_the_algorithms_of_keys_and_platforms)
{
        static const int rsa[] = { KP_COSE_RS256, KP_COSE_RS384, KP_COSE_RS512,
                KP_COSE_PS256, KP_COSE_PS384, KP_COSE_PS512, KP_COSE_RS1 };
        static const struct {
                int alg;
                const char *curve;
        } ec[] = { { KP_COSE_ES256, "P-256" }, { KP_COSE_ES384, "P-384" },
                { KP_COSE_ES512, "P-521" }, { KP_COSE_ES256K, "secp256k1" },
                { KP_COSE_ESP256, "P-256" }, { KP_COSE_ESP384, "P-384" },
                { KP_COSE_ESP512, "P-521" } };

        for (size_t i = 0; i < KP_NELEMS(ec); i++)
                try_key(ec[i].alg, EVP_EC_gen(ec[i].curve));
        try_key(KP_COSE_EDDSA, EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"));
        try_key(KP_COSE_ED25519, EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"));
        try_key(KP_COSE_ED448, EVP_PKEY_Q_keygen(NULL, NULL, "ED448"));
        for (size_t i = 0; i < KP_NELEMS(rsa); i++)
                try_key(rsa[i], EVP_RSA_gen(2048));
}

Test(limits, takes_sha1_only_where_it_is_asked_for)
{
        json_auto_t *response = NULL;

        EVP_PKEY_free(m.key);
        m.key = EVP_RSA_gen(2048);
        m.alg = KP_COSE_RS1;
        response = maker_none(&m);
        cr_expect_str_eq(refusal(response, KP_RP_STRICT), "algorithm");
        cr_expect_str_eq(refusal(response, KP_RP_LENIENT), "algorithm");
        expect.algorithms[expect.n_algorithms++] = KP_COSE_ES256;
        cr_expect_str_eq(refusal(response, KP_RP_STRICT), "algorithm");
        expect.algorithms[expect.n_algorithms++] = KP_COSE_RS1;
        cr_expect_str_eq(refusal(response, KP_RP_STRICT), "");
}

Test(limits, refuses_rsa_keys_that_are_too_small)
{
        json_auto_t *response = NULL;

        EVP_PKEY_free(m.key);
        m.key = EVP_RSA_gen(1024);
        m.alg = KP_COSE_RS256;
        response = maker_none(&m);
        cr_expect_str_eq(refusal(response, KP_RP_STRICT), "public-key");
        cr_expect_str_eq(refusal(response, KP_RP_LENIENT), "public-key");
}

/* One bit of y: the point lies beside its curve. */
Test(limits, refuses_points_beside_the_curve)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf statement = { 0 };
        json_auto_t *response = NULL;

        EVP_PKEY_free(m.key);
        m.key = EVP_EC_gen("P-256");
        m.alg = KP_COSE_ES256;
        maker_parts(&m, true);
        m.authdata.data[m.authdata.len - 1] ^= 1;
        kp_cbor_put_map(&statement, 0);
        response = maker_registration(&m, &statement);
        cr_expect_str_eq(refusal(response, KP_RP_STRICT), "public-key");
        cr_expect_str_eq(refusal(response, KP_RP_LENIENT), "public-key");
}
