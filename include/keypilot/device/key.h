/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_DEVICE_KEY_H
#define KEYPILOT_DEVICE_KEY_H

#include <jansson.h>
#include <signal.h>

#include "keypilot/authenticator/authenticator.h"
#include "keypilot/core/clock.h"
#include "keypilot/device/driver.h"
#include "keypilot/model/fault.h"
#include "keypilot/model/trace.h"

/*
 * Keys by name: `sim:PROFILE` (an id under fixtures/authenticators/ or a path),
 * `hid:PATH` (a plugged-in key). Whatever the name, what comes back is a driver on a
 * tap on a seam.
 */

/*
 * Which driver. By default simulated keys have `ctap`, real ones `libfido2` where it
 * can say what is asked, `ctap` otherwise.
 */
enum kp_driver_choice { KP_DRIVER_DEFAULT, KP_DRIVER_LIBFIDO2, KP_DRIVER_CTAP };

/*
 * What opening needs from its surroundings. Everything borrowed, for as long as the key
 * is open. A real key draws its randomness from the system, whatever `random` is.
 *
 * fixtures_dir  sim: where profiles are; may be NULL where `profile` is given
 * trace         NULL: the tap records nothing
 * state         memory of a simulated key; NULL: as its profile has it
 * ledger_path   real keys: see ledger.h; NULL: nothing may be made or removed
 * run           goes into the ledger; NULL: "manual"
 * read_only     getInfo and getPINRetries, nothing else
 * interrupted   real keys: set by a signal, makes a request that waits end with a
 *               cancel; NULL: never
 * profile       sim: already loaded; NULL: load it by its name
 */
struct kp_key_env {
        const char *fixtures_dir;
        struct kp_clock *clock;
        struct kp_random *random;
        struct kp_trace *trace;
        const json_t *state;
        const char *ledger_path;
        const char *run;
        bool read_only;
        const volatile sig_atomic_t *interrupted;
        const struct kp_authenticator_profile *profile;
};

struct kp_tap;

/*
 * A key that is open. Everything belongs to it.
 *
 * authenticator, profile  of a simulated key, else NULL; borrowed
 * tap                     borrowed; another one after kp_key_switch_driver()
 * attachment              "platform" or "cross-platform"
 */
struct kp_key {
        struct kp_driver driver;
        struct kp_authenticator *authenticator;
        const struct kp_authenticator_profile *profile;
        struct kp_tap *tap;
        bool real;
        const char *attachment;
        void *owned;
};

/*
 * Open a key by its name.
 *
 * ret      the caller closes it with kp_key_close()
 * Errors   KP_EUSAGE no name of a key; KP_ENOTFOUND no such profile or device (what
 *          exists is told); KP_EENV no permission on the device (what to do is told),
 *          or the ledger is in use; KP_EPARSE, KP_ESCHEMA a wrong profile or state;
 *          KP_EUNSUPPORTED, KP_ESAFETY; KP_EIO
 */
int kp_key_open(const char *name, enum kp_driver_choice choice,
        const struct kp_key_env *env, struct kp_key **ret,
        struct kp_error *err) KP_MUST_CHECK;

/* The same key on another driver: closes this one first. After an error, close it. */
int kp_key_switch_driver(struct kp_key *key, enum kp_driver_choice choice,
        struct kp_error *err) KP_MUST_CHECK;

/*
 * From now on this goes wrong with a simulated key as well, besides what its profile
 * says is wrong from the factory on.
 *
 * fault    borrowed until kp_key_mend(), or the key is closed
 * Errors   KP_EUNSUPPORTED a real key is not broken; else as
 *          kp_authenticator_fault_add()
 */
int kp_key_break(struct kp_key *key, const struct kp_fault *fault,
        struct kp_error *err) KP_MUST_CHECK;

/* What was broken is whole again; a profile's own faults count anew. */
int kp_key_mend(struct kp_key *key, struct kp_error *err) KP_MUST_CHECK;

/*
 * Pull a simulated key out and put it back, its driver with it.
 *
 * Errors   KP_EUNSUPPORTED a real key; else as kp_key_switch_driver()
 */
int kp_key_replug(struct kp_key *key, struct kp_error *err) KP_MUST_CHECK;

/* Has any of its faults happened yet? */
bool kp_key_went_wrong(const struct kp_key *key);
void kp_key_close(struct kp_key **key); /* NULL-safe, leaves NULL */

#endif
