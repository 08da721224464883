/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_DEVICE_KEY_H
#define KEYPILOT_DEVICE_KEY_H

#include <jansson.h>
#include <signal.h>

#include "keypilot/authenticator/authenticator.h"
#include "keypilot/core/clock.h"
#include "keypilot/device/driver.h"
#include "keypilot/model/trace.h"

/*
 * Keys by name: `sim:PROFILE` (an id under fixtures/authenticators/ or a path), `hid:PATH`
 * (a plugged-in key). Whatever the name, what comes back is a driver on a tap on a seam.
 */
enum kp_driver_choice { KP_DRIVER_DEFAULT, KP_DRIVER_LIBFIDO2, KP_DRIVER_CTAP };

/* What opening needs from its surroundings. Everything borrowed. */
struct kp_key_env {
        const char *fixtures_dir;
        struct kp_clock *clock;
        struct kp_random *random;
        struct kp_trace *trace;     /* NULL: the tap records nothing there */
        const json_t *state;        /* memory of a simulated key; NULL: factory fresh */
        const char *ledger_path;    /* real keys: see ledger.h; NULL: nothing may be made */
        const char *run;            /* names what a real key is left with; NULL: "manual" */
        bool read_only;             /* getInfo and getPINRetries, nothing else */
        const volatile sig_atomic_t *interrupted; /* set by a signal: cancel; NULL: never */
        const struct kp_authenticator_profile *profile; /* sim: already loaded; NULL: by name */
};

struct kp_tap;
struct kp_key {
        struct kp_driver driver;
        struct kp_authenticator *authenticator; /* of a simulated key, else NULL; borrowed */
        const struct kp_authenticator_profile *profile; /* the same; borrowed */
        struct kp_tap *tap;                     /* borrowed: counters */
        bool real;
        const char *attachment; /* "platform" or "cross-platform" */
        void *owned;
};

/*
 * Errors   KP_ENOTFOUND no such profile or device (what exists is told); KP_EIO; KP_EENV no
 *          permission on the device (what to do is told); KP_ESAFETY
 */
int kp_key_open(const char *name, enum kp_driver_choice choice, const struct kp_key_env *env,
        struct kp_key **ret, struct kp_error *err) KP_MUST_CHECK;
/* The same on the other driver, same key: closes this one first. */
int kp_key_switch_driver(struct kp_key *key, enum kp_driver_choice choice,
        struct kp_error *err) KP_MUST_CHECK;
void kp_key_close(struct kp_key **key); /* NULL-safe, leaves NULL */

#endif
