/* SPDX-License-Identifier: BSD-2-Clause */
#include "statements.h"

/*
 * Statements whose certificate is for the credential key itself: android-key and apple.
 * Extensions are written out as bytes, so that each mistake can be made.
 */
#define ANDROID "1.3.6.1.4.1.11129.2.1.17"
#define APPLE "1.2.840.113635.100.8.2"

TestSuite(leaf, .init = setup, .fini = teardown);

static void
put_tlv(struct kp_buf *ret, uint8_t tag, const void *bytes, size_t bytes_len)
{
        cr_assert_lt(bytes_len, 128);
        kp_buf_put_u8(ret, tag);
        kp_buf_put_u8(ret, (uint8_t)bytes_len);
        kp_buf_put(ret, bytes, bytes_len);
}

/* KeyDescription with these two lists, given by their content. */
struct android {
        const char *software, *tee; /* hexadecimal */
        bool other_challenge;
        size_t cut, tail; /* bytes off the end, or behind it */
        bool no_extension, twice, other_key, by_leaf;
};
#define PURPOSE_SIGN "a1053103020102"
#define PURPOSE_SIGN_VERIFY "a1083106020102020103"
#define PURPOSE_ENCRYPT "a1053103020100"
#define ORIGIN_GENERATED "bf853e03020100"
#define ORIGIN_IMPORTED "bf853e03020102"
#define ALL_APPLICATIONS "bf8458020500"

static void
put_hex(struct kp_buf *ret, const char *hex)
{
        unsigned byte;

        for (; sscanf(hex, "%2x", &byte) == 1; hex += 2)
                kp_buf_put_u8(ret, (uint8_t)byte);
}

static void
put_description(const struct android *a, struct kp_buf *ret)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf fields = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf software = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf tee = { 0 };
        uint8_t challenge[32];

        memcpy(challenge, m.hash_input.data + m.hash_input.len - 32, 32);
        challenge[0] ^= a->other_challenge;
        put_hex(&software, a->software);
        put_hex(&tee, a->tee);
        put_hex(&fields, "0201040a01010201290a0101");
        put_tlv(&fields, 0x04, challenge, sizeof(challenge));
        put_tlv(&fields, 0x04, NULL, 0);
        put_tlv(&fields, 0x30, software.data, software.len);
        put_tlv(&fields, 0x30, tee.data, tee.len);
        for (size_t i = 0; i < a->tail; i++)
                kp_buf_put_u8(&fields, 0);
        put_tlv(ret, 0x30, fields.data, fields.len);
        ret->len -= a->cut;
}

static X509 *
begin_leaf(bool other_key)
{
        X509 *certificate =
                certificate_begin(other_key ? leaf_key : m.key, X509_VERSION_3, 9);

        name_put(X509_get_subject_name(certificate), "CN", "Key");
        X509_set_issuer_name(certificate, X509_get_subject_name(root));
        return certificate;
}

static json_t *
android(const struct android *a)
{
        X509 *leaf;
        KP_CLEANUP(kp_buf_done) struct kp_buf description = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf sig = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf statement = { 0 };

        m.format = "android-key";
        maker_parts(&m, true);
        leaf = begin_leaf(a->other_key);
        put_description(a, &description);
        for (int i = 0; i < (a->no_extension ? 0 : a->twice ? 2 : 1); i++)
                der_put(leaf, ANDROID, description.data, description.len);
        cr_assert_gt(X509_sign(leaf, root_key, EVP_sha256()), 0);
        sign_with(a->by_leaf ? leaf_key : m.key, KP_COSE_ES256, &m.hash_input, &sig);
        kp_cbor_put_map(&statement, 3);
        kp_cbor_put_text(&statement, "alg");
        kp_cbor_put_int(&statement, KP_COSE_ES256);
        kp_cbor_put_text(&statement, "sig");
        kp_cbor_put_bytes(&statement, sig.data, sig.len);
        put_x5c(&statement, &leaf, 1);
        X509_free(leaf);
        return maker_registration(&m, &statement);
}

Test(leaf, android_key_holds)
{
        struct android a = { .software = "", .tee = PURPOSE_SIGN ORIGIN_GENERATED };
        KP_CLEANUP(kp_rp_result_done) struct kp_rp_result result = verify(android(&a));

        cr_assert(result.accepted, "%s", result.refusals[0].reason);
        cr_assert_str_eq(result.credential.type, "basic");
        cr_assert(result.credential.trusted);
        expect.attestation.android_tee_only = true;
        cr_assert_str_eq(why_refused(android(&a)), "");
}

Test(leaf, android_key_names_one_wrong_thing)
{
        static const struct {
                struct android a;
                const char *words;
        } wrong[] = {
                { { "", "", .other_challenge = true }, "another challenge" },
                { { "", PURPOSE_SIGN ALL_APPLICATIONS }, "one application" },
                { { ALL_APPLICATIONS, PURPOSE_SIGN }, "one application" },
                { { "", PURPOSE_SIGN ORIGIN_IMPORTED }, "origin" },
                { { ORIGIN_IMPORTED, PURPOSE_SIGN ORIGIN_GENERATED }, "origin" },
                { { "", PURPOSE_ENCRYPT ORIGIN_GENERATED }, "purpose" },
                { { PURPOSE_ENCRYPT, PURPOSE_SIGN }, "purpose" },
                { { "", PURPOSE_SIGN_VERIFY }, "purpose" },
                { { "", "a1023100" }, "purpose" },      /* none at all */
                { { "", "a1050403020102" }, "broken" }, /* no set */
                { { "", "a1053103020182" }, "broken" }, /* a negative number */
                { { "", "3003020100" }, "broken" },     /* no tag of its own */
                { { "", PURPOSE_SIGN PURPOSE_ENCRYPT }, "broken" },
                { { "", ORIGIN_GENERATED ORIGIN_GENERATED }, "broken" },
                { { "", "bf853e0403020100" }, "broken" },     /* longer than it is */
                { { "", "bf853e80020100" }, "broken" },       /* no length at all */
                { { "", "bf853e06020100020100" }, "broken" }, /* two numbers */
                { { "", PURPOSE_SIGN, .cut = 1 }, "broken" },
                { { "", PURPOSE_SIGN, .tail = 2 }, "broken" },
                { { "", PURPOSE_SIGN, .no_extension = true }, "no key of Android" },
                { { "", PURPOSE_SIGN, .twice = true }, "twice" },
                { { "", PURPOSE_SIGN, .by_leaf = true }, "signature" },
                { { "", PURPOSE_SIGN, .other_key = true, .by_leaf = true },
                        "not for the credential key" },
        };

        for (size_t i = 0; i < KP_NELEMS(wrong); i++) {
                const char *why = why_refused(android(&wrong[i].a));

                cr_expect(strstr(why, wrong[i].words) != NULL, "%zu: '%s' lacks '%s'",
                        i, why, wrong[i].words);
        }
}

/* The specification's own vector has empty lists; a trusted environment fills its own. */
Test(leaf, android_key_policy_decides_about_what_is_not_said)
{
        static const struct {
                const char *software, *tee;
                bool usual, tee_only;
        } lists[] = {
                { "", "", true, false },
                { PURPOSE_SIGN ORIGIN_GENERATED, "", true, false },
                { "", PURPOSE_SIGN, true, false },
                { "", ORIGIN_GENERATED, true, false },
                { "", PURPOSE_SIGN ORIGIN_GENERATED, true, true },
                { ORIGIN_IMPORTED, PURPOSE_SIGN ORIGIN_GENERATED, false, true },
        };

        for (size_t i = 0; i < KP_NELEMS(lists); i++) {
                struct android a = { lists[i].software, lists[i].tee };

                expect.attestation.android_tee_only = false;
                cr_expect_eq(*refusal(android(&a)) == '\0', lists[i].usual, "%zu", i);
                expect.attestation.android_tee_only = true;
                cr_expect_eq(
                        *refusal(android(&a)) == '\0', lists[i].tee_only, "%zu", i);
        }
}

/* How an apple statement differs from a right one. */
struct apple {
        bool with_alg, other_nonce, other_key, no_extension;
        const char *head; /* of the nonce's extension, hexadecimal; NULL: as Apple's */
        const char *tail;
};

static json_t *
apple(const struct apple *a)
{
        X509 *leaf;
        KP_CLEANUP(kp_buf_done) struct kp_buf nonce = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf statement = { 0 };
        uint8_t hash[32];

        m.format = "apple";
        maker_parts(&m, true);
        leaf = begin_leaf(a->other_key);
        kp_sha256(m.hash_input.data, m.hash_input.len, hash);
        hash[31] ^= a->other_nonce;
        put_hex(&nonce, a->head != NULL ? a->head : "3024a1220420");
        kp_buf_put(&nonce, hash, sizeof(hash));
        put_hex(&nonce, a->tail != NULL ? a->tail : "");
        if (!a->no_extension)
                der_put(leaf, APPLE, nonce.data, nonce.len);
        cr_assert_gt(X509_sign(leaf, root_key, EVP_sha256()), 0);
        kp_cbor_put_map(&statement, a->with_alg ? 2 : 1);
        if (a->with_alg) {
                kp_cbor_put_text(&statement, "alg");
                kp_cbor_put_int(&statement, KP_COSE_ES256);
        }
        put_x5c(&statement, &leaf, 1);
        X509_free(leaf);
        return maker_registration(&m, &statement);
}

Test(leaf, apple_holds)
{
        struct apple a = { 0 };
        KP_CLEANUP(kp_rp_result_done) struct kp_rp_result result = verify(apple(&a));

        cr_assert(result.accepted, "%s", result.refusals[0].reason);
        cr_assert_str_eq(result.credential.type, "anonca");
        cr_assert(result.credential.trusted);
        a.with_alg = true;
        cr_assert_str_eq(why_refused(apple(&a)), "", "what Apple sent at first");
}

Test(leaf, apple_names_one_wrong_thing)
{
        static const struct {
                struct apple a;
                const char *words;
        } wrong[] = {
                { { .other_nonce = true }, "other data" },
                { { .no_extension = true }, "nonce is missing" },
                { { .other_key = true }, "not for the credential key" },
                { { .head = "3024a2220420" }, "broken" },
                { { .head = "3124a1220420" }, "broken" },
                { { .head = "3024a1220320" }, "broken" },
                { { .head = "0420" }, "broken" }, /* as bare as one might think */
                { { .head = "3025a1220420", .tail = "00" }, "broken" },
                { { .tail = "00" }, "broken" },
                { { .head = "3080a1220420", .tail = "0000" }, "broken" },
        };

        for (size_t i = 0; i < KP_NELEMS(wrong); i++) {
                const char *why = why_refused(apple(&wrong[i].a));

                cr_expect(strstr(why, wrong[i].words) != NULL, "%zu: '%s' lacks '%s'",
                        i, why, wrong[i].words);
        }
}
