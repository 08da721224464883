/* SPDX-License-Identifier: BSD-2-Clause */
#include "rig.h"

/* Which attestation is asked for, and given. Spec: CTAP 2.3 §6.1.2 steps 9 and 19 */

static bool
has_ep_att(const struct rig *rig)
{
        bool value = false;

        if (kp_cbor_at_int(rig->map, 4) == NULL)
                return false;
        cr_assert(kp_cbor_is_bool(kp_cbor_at_int(rig->map, 4), &value) && value);
        return true;
}

/* Step 9, case by case. */
Test(make_attestation, an_enterprise_attestation_goes_to_whom_it_may)
{
        const struct {
                const char *rp_id;
                int asked;
                uint8_t status;
                bool given;
        } cases[] = {
                { "enterprise.example", 1, KP_CTAP_OK, true },
                { "enterprise.example", 2, KP_CTAP_OK, true },
                { "example.org", 1, KP_CTAP_OK, false },
                { "example.org", 2, KP_CTAP_OK, true }, /* the platform has vetted it */
                { "sub.enterprise.example", 1, KP_CTAP_OK, false },
                { "enterprise.example", 3, KP_CTAP2_ERR_INVALID_OPTION, false },
                { "enterprise.example", -1, KP_CTAP2_ERR_INVALID_OPTION, false },
        };
        struct rig rig;

        rig_open(&rig, "keypilot-23-set");
        for (size_t i = 0; i < KP_NELEMS(cases); i++) {
                expect_status(rig_make(&rig, &(struct ask){ .uv = TRUE_,
                                                     .rp_id = cases[i].rp_id,
                                                     .enterprise = cases[i].asked }),
                        cases[i].status);
                if (cases[i].status == KP_CTAP_OK)
                        cr_expect_eq(has_ep_att(&rig), cases[i].given, "case %zu", i);
        }
        /* who wants no attestation is not identified either */
        expect_status(rig_make(&rig, &(struct ask){ .uv = TRUE_,
                                             .enterprise = 2,
                                             .formats = { "none" } }),
                0);
        cr_assert(!has_ep_att(&rig));
        rig_close(&rig);
}

Test(make_attestation, an_enterprise_attestation_can_be_switched_on)
{
        struct rig rig;

        rig_open(&rig, "keypilot-23");
        expect_status(rig_make(&rig, &(struct ask){ .enterprise = 2 }),
                KP_CTAP1_ERR_INVALID_PARAMETER);
        expect_status(
                rig_authorised(&rig, KP_CTAP_CONFIG, 1, 2, NULL, NULL), KP_CTAP_OK);
        expect_status(rig_make(&rig, &(struct ask){ .enterprise = 2 }), KP_CTAP_OK);
        cr_assert(has_ep_att(&rig));
        expect_status(rig_make(&rig, &(struct ask){ 0 }), KP_CTAP_OK);
        cr_assert(!has_ep_att(&rig), "nobody asked");
        rig_close(&rig);
}

static bool
is_format(const struct rig *rig, const char *format)
{
        const char *got;
        size_t len;

        cr_assert(kp_cbor_is_text(kp_cbor_at_int(rig->map, 1), &got, &len));
        return kp_bytes_equal(got, len, format, strlen(format));
}

/* Step 19: the first of the list that the key can give. Spec: CTAP 2.3 §6.1.2 */
Test(make_attestation, the_first_format_that_it_can_give_is_given)
{
        const struct {
                struct ask ask;
                const char *format;
        } cases[] = {
                { { 0 }, "packed" },
                { { .empty_formats = true }, "packed" },
                { { .formats = { "none" } }, "none" },
                { { .formats = { "packed" } }, "packed" },
                { { .formats = { "fido-u2f" } }, "fido-u2f" },
                { { .formats = { "none", "packed" } }, "none" },
                { { .formats = { "packed", "none" } }, "packed" },
                { { .formats = { "android-safetynet", "fido-u2f", "packed" } },
                        "fido-u2f" },
                { { .formats = { "android-safetynet" } }, "packed" },
                { { .formats = { "none-of-that-name-which-is-longer-than-any" } },
                        "packed" },
        };
        struct rig rig;
        size_t n;

        rig_open(&rig, "keypilot-23");
        for (size_t i = 0; i < KP_NELEMS(cases); i++) {
                expect_status(rig_make(&rig, &cases[i].ask), KP_CTAP_OK);
                cr_expect(is_format(&rig, cases[i].format), "case %zu", i);
                cr_assert(kp_cbor_is_map(kp_cbor_at_int(rig.map, 3), &n));
                cr_expect_eq(n == 0, strcmp(cases[i].format, "none") == 0);
        }
        rig_close(&rig);
        /* to an older key the parameter is one that it does not know */
        rig_open(&rig, "yubikey-5-57");
        expect_status(rig_make(&rig, &(struct ask){ .formats = { "none" } }), 0);
        cr_assert(is_format(&rig, "packed"));
        rig_close(&rig);
}
