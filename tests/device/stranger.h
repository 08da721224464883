/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_TESTS_STRANGER_H
#define KEYPILOT_TESTS_STRANGER_H

#include "../../src/device/fido2.h"
#include "bench.h"

/* libfido2 as somebody else's client on the key of a bench, and what both need. */
struct stranger {
        struct kp_driver driver;
        fido_dev_t *dev;
};

static void
stranger_open(struct stranger *stranger, struct bench *bench)
{
        struct kp_error err = { 0 };

        must(kp_driver_open_libfido2(
                     bench_seam(bench), bench->random, &stranger->driver, &err),
                &err);
        stranger->dev = ((struct kp_fido2 *)stranger->driver.self)->dev;
}

static bool
has_option(struct bench *bench, const char *name)
{
        struct kp_key_info info = bench_info(bench);

        return kp_key_option(&info, name) == KP_TRUE;
}

/* A PIN that is known and may be used; false: this key cannot have that. */
static bool
with_pin(struct bench *bench, const char *pin)
{
        struct kp_key_info info = bench_info(bench);

        if (kp_key_option(&info, "clientPin") == KP_OMIT || info.force_pin_change ||
                kp_authenticator_profile_facts(bench->profile)->pin == KP_PIN_LOCKED)
                return false;
        if (kp_key_option(&info, "clientPin") == KP_FALSE)
                bench_set_pin(bench, pin);
        bench_dial(bench);
        return bench->pin != NULL;
}

static struct kp_token
token_for(struct bench *bench, uint8_t permissions, const char *rp_id)
{
        struct kp_error err = { 0 };
        struct kp_token token = { 0 };
        struct kp_said said;

        must(bench->extra.pin->token(bench->extra.self,
                     &(struct kp_token_wish){ bench->pin, permissions, rp_id }, &token,
                     &said, &err),
                &err);
        cr_assert(kp_said_ok(&said), "permissions %02x: %s", permissions, word(&said));
        return token;
}

#endif
