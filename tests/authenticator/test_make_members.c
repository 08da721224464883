/* SPDX-License-Identifier: BSD-2-Clause */
#include "rig.h"

/* The members of a request to make a credential. Spec: CTAP 2.1 §6.1, §8 */

/* A request with one entity or element of one's own; the rest is right. */
enum { AT_RP = 2, AT_USER = 3, AT_PARAMS = 4, AT_ENTERPRISE = 10, AT_FORMATS = 11 };

static uint8_t
make_with(struct rig *rig, int place, const char *cbor, size_t cbor_len)
{
        static const char rp[] = "\xa1\x62id\x6b"
                                 "example.org";
        static const char user[] = "\xa1\x62id\x41u";
        static const char params[] = "\x81\xa2\x63"
                                     "alg\x26\x64type\x6apublic-key";
        struct kp_buf m = { 0 };

        kp_buf_put_u8(&m, KP_CTAP_MAKE_CREDENTIAL);
        kp_cbor_put_map(&m, place > AT_PARAMS ? 5 : 4);
        kp_cbor_put_int(&m, 1);
        kp_cbor_put_bytes(&m, cdh, 32);
        for (int at = AT_RP; at <= AT_FORMATS; at++) {
                if (at != place && at > AT_PARAMS)
                        continue;
                kp_cbor_put_int(&m, at);
                if (at == place)
                        kp_buf_put(&m, cbor, cbor_len);
                else if (at == AT_RP)
                        kp_buf_put(&m, rp, sizeof(rp) - 1);
                else if (at == AT_USER)
                        kp_buf_put(&m, user, sizeof(user) - 1);
                else
                        kp_buf_put(&m, params, sizeof(params) - 1);
        }
        return rig_send(rig, &m);
}

Test(make_members, entities_and_elements_are_checked_to_the_last)
{
#define CBOR(text) text, sizeof(text) - 1
        const struct {
                int place;
                const char *cbor;
                size_t len;
                uint8_t status;
        } cases[] = {
                { AT_RP, CBOR("\xa0"), KP_CTAP2_ERR_MISSING_PARAMETER },
                { AT_RP, CBOR("\xa1\x62id\x41x"), KP_CTAP2_ERR_CBOR_UNEXPECTED_TYPE },
                { AT_RP, CBOR("\xa2\x62id\x61x\x64name\x01"),
                        KP_CTAP2_ERR_CBOR_UNEXPECTED_TYPE },
                { AT_RP, CBOR("\xa2\x62id\x61x\x64icon\x61x"), KP_CTAP_OK },
                { AT_USER, CBOR("\xa0"), KP_CTAP2_ERR_MISSING_PARAMETER },
                { AT_USER, CBOR("\xa1\x62id\x61x"), KP_CTAP2_ERR_CBOR_UNEXPECTED_TYPE },
                { AT_USER, CBOR("\xa2\x62id\x41u\x64name\x41x"),
                        KP_CTAP2_ERR_CBOR_UNEXPECTED_TYPE },
                { AT_USER,
                        CBOR("\xa2\x62id\x41u\x6b"
                             "displayName\x01"),
                        KP_CTAP2_ERR_CBOR_UNEXPECTED_TYPE },
                { AT_PARAMS, CBOR("\x80"), KP_CTAP2_ERR_UNSUPPORTED_ALGORITHM },
                { AT_PARAMS, CBOR("\xa0"), KP_CTAP2_ERR_CBOR_UNEXPECTED_TYPE },
                { AT_PARAMS, CBOR("\x81\x01"), KP_CTAP2_ERR_CBOR_UNEXPECTED_TYPE },
                { AT_PARAMS,
                        CBOR("\x81\xa1\x63"
                             "alg\x26"),
                        KP_CTAP2_ERR_INVALID_CBOR },
                { AT_PARAMS,
                        CBOR("\x81\xa2\x63"
                             "alg\x26\x64type\x6a"
                             "secret-key"),
                        KP_CTAP2_ERR_UNSUPPORTED_ALGORITHM },
                /* the first would do; the second is looked at all the same */
                { AT_PARAMS,
                        CBOR("\x82\xa2\x63"
                             "alg\x26\x64type\x6apublic-key\xa1\x63"
                             "alg\x26"),
                        KP_CTAP2_ERR_INVALID_CBOR },
                { AT_PARAMS,
                        CBOR("\x82\xa2\x63"
                             "alg\x26\x64type\x6apublic-key\xa2\x63"
                             "alg\x61x\x64type\x6apublic-key"),
                        KP_CTAP2_ERR_CBOR_UNEXPECTED_TYPE },
                { AT_ENTERPRISE, CBOR("\x61\x31"), KP_CTAP2_ERR_CBOR_UNEXPECTED_TYPE },
                { AT_ENTERPRISE, CBOR("\xf5"), KP_CTAP2_ERR_CBOR_UNEXPECTED_TYPE },
                { AT_FORMATS, CBOR("\x64none"), KP_CTAP2_ERR_CBOR_UNEXPECTED_TYPE },
                { AT_FORMATS, CBOR("\x81\x01"), KP_CTAP2_ERR_CBOR_UNEXPECTED_TYPE },
        };
        struct rig rig;

        rig_open(&rig, "keypilot-23");
        kp_authenticator_set_finger(rig.key, KP_FINGER_REFUSES, 0, true);
        for (size_t i = 0; i < KP_NELEMS(cases); i++) {
                uint8_t got =
                        make_with(&rig, cases[i].place, cases[i].cbor, cases[i].len);

                /* refused before anybody is asked to touch */
                cr_expect_eq(got,
                        cases[i].status == 0 ? KP_CTAP2_ERR_OPERATION_DENIED
                                             : cases[i].status,
                        "case %zu: %s", i, kp_ctap_status_name(got));
        }
        rig_close(&rig);
        rig_open(&rig, "google-titan-v2"); /* in CTAP 2.0 a parameter was missing */
        expect_status(make_with(&rig, AT_PARAMS,
                              CBOR("\x81\xa1\x63"
                                   "alg\x26")),
                KP_CTAP2_ERR_MISSING_PARAMETER);
        rig_close(&rig);
#undef CBOR
}

/* Every parameter gone, or of another type, one at a time. */
Test(make_members, missing_and_mistyped_parameters_are_told_apart)
{
        struct rig rig;

        rig_open(&rig, "yubikey-5-57");
        for (int number = 1; number <= 9; number++)
                for (int mistyped = 0; mistyped <= 1; mistyped++) {
                        struct kp_buf m = { 0 };
                        bool optional = number > 4;
                        uint8_t wanted;

                        if (!mistyped && optional)
                                continue;
                        kp_buf_put_u8(&m, KP_CTAP_MAKE_CREDENTIAL);
                        kp_cbor_put_map(&m, 3 + (size_t)mistyped + (size_t)optional);
                        for (int at = 1; at <= 9; at++) {
                                if (at == number && mistyped) {
                                        kp_cbor_put_int(&m, at);
                                        /* no float at all: null is in no parameter */
                                        kp_buf_put_u8(&m, 0xf6);
                                } else if (at == 1 && at != number) {
                                        kp_cbor_put_int(&m, 1);
                                        kp_cbor_put_bytes(&m, cdh, 32);
                                } else if ((at == 2 || at == 3) && at != number) {
                                        kp_cbor_put_int(&m, at);
                                        kp_cbor_put_map(&m, 1);
                                        kp_cbor_put_text(&m, "id");
                                        if (at == 2)
                                                kp_cbor_put_text(&m, "example.org");
                                        else
                                                kp_cbor_put_bytes(&m, "u", 1);
                                } else if (at == 4 && at != number) {
                                        kp_cbor_put_int(&m, 4);
                                        kp_cbor_put_array(&m, 1);
                                        kp_cbor_put_map(&m, 2);
                                        kp_cbor_put_text(&m, "alg");
                                        kp_cbor_put_int(&m, -7);
                                        kp_cbor_put_text(&m, "type");
                                        kp_cbor_put_text(&m, "public-key");
                                }
                        }
                        wanted = mistyped ? KP_CTAP2_ERR_CBOR_UNEXPECTED_TYPE
                                          : KP_CTAP2_ERR_MISSING_PARAMETER;
                        expect_status(rig_send(&rig, &m), wanted);
                }
        rig_close(&rig);
}

Test(make_members, bytes_that_are_not_canonical_cbor_are_0x12)
{
        const char *const wrong[] = {
                "",                     /* no map: a parameter is missing */
                "\xa2\x02\x60\x01\x40", /* keys out of order */
                "\xa1\x18\x01\x40",     /* a head that is too long */
                "\xbf\xff",             /* no definite length */
                "\xa1\x01",             /* cut */
                "\x80",                 /* no map */
        };
        const size_t lens[] = { 0, 5, 4, 2, 2, 1 };
        const uint8_t status[] = { KP_CTAP2_ERR_MISSING_PARAMETER,
                KP_CTAP2_ERR_INVALID_CBOR, KP_CTAP2_ERR_INVALID_CBOR,
                KP_CTAP2_ERR_INVALID_CBOR, KP_CTAP2_ERR_INVALID_CBOR,
                KP_CTAP2_ERR_CBOR_UNEXPECTED_TYPE };
        struct rig rig;

        rig_open(&rig, "yubikey-5-57");
        for (size_t i = 0; i < KP_NELEMS(wrong); i++) {
                struct kp_buf m = { 0 };

                kp_buf_put_u8(&m, KP_CTAP_MAKE_CREDENTIAL);
                kp_buf_put(&m, wrong[i], lens[i]);
                expect_status(rig_send(&rig, &m), status[i]);
        }
        expect_status(rig_command(&rig, 0x99), KP_CTAP1_ERR_INVALID_COMMAND);
        rig_close(&rig);
}
