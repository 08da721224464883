/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/device/key.h"

#include <stdlib.h>
#include <string.h>

#include "keypilot/authenticator/fault.h"
#include "keypilot/core/file.h"
#include "keypilot/core/free.h"
#include "keypilot/device/hidraw.h"
#include "keypilot/device/sim.h"
#include "keypilot/model/fixtures.h"

#include "real.h"

/* What a struct kp_key owns. */
struct owned {
        struct kp_key_env env;
        char *path;            /* hid: */
        struct kp_clock clock; /* sim: under the system clock, which cannot jump */
        struct kp_authenticator_profile *profile; /* sim: loaded by name */
        struct kp_authenticator *authenticator;
        enum kp_driver_choice choice; /* of the driver in use */
        size_t n_faults;              /* set now */
        bool went_wrong;              /* by a fault that is set no longer */
        struct kp_random *random;     /* hid: the system's, whatever the run has */
        struct kp_ledger *ledger;
};

/* ---- simulated keys ---- */

static struct kp_clock *
sim_clock(struct owned *owned)
{
        int64_t now = kp_clock_ms(owned->env.clock);

        if (!owned->env.clock->system)
                return owned->env.clock;
        if (owned->clock.simulated_ms < now)
                owned->clock.simulated_ms = now;
        return &owned->clock;
}

static int
sim_attach(struct kp_key *key, enum kp_driver_choice choice, struct kp_error *err)
{
        struct owned *owned = key->owned;
        enum kp_tap_rules rules =
                owned->env.read_only ? KP_TAP_READ_ONLY : KP_TAP_SIMULATED;
        struct kp_seam seam;

        if (kp_sim_open(owned->authenticator, sim_clock(owned), &seam, err) < 0 ||
                kp_tap_new(seam, rules, owned->env.trace, &seam, &key->tap, err) < 0)
                return -1;
        /* our own client by default: it can say everything, and costs less */
        if (choice == KP_DRIVER_LIBFIDO2)
                return kp_driver_open_libfido2(
                        seam, owned->env.random, &key->driver, err);
        return kp_driver_open_ctap(seam, owned->env.random, &key->driver, err);
}

/* The fixtures know which names are near. */
static int
sim_not_found(const char *dir, const char *name, struct kp_error *err)
{
        KP_CLEANUP(kp_fixtures_free) struct kp_fixtures *fixtures = NULL;
        KP_CLEANUP(kp_free_str) char *path = NULL;

        if (kp_fixtures_open(dir, &fixtures, err) < 0 ||
                kp_fixtures_path(fixtures, "authenticators", name, &path, err) < 0)
                return KP_WHILE(err, "simulated key");
        return KP_FAIL(err, KP_ENOTFOUND, "no simulated key '%s'", name);
}

static int
sim_profile(const char *name, struct owned *owned, struct kp_error *err)
{
        KP_CLEANUP(kp_free_str) char *path = NULL;
        const char *dir = owned->env.fixtures_dir;
        size_t len = strlen(name);

        if (dir == NULL)
                return KP_FAIL(err, KP_EBUG,
                        "simulated key '%s': no folder of fixtures", name);
        if (strchr(name, '/') != NULL ||
                (len > 5 && strcmp(name + len - 5, ".json") == 0))
                return kp_authenticator_profile_load_from(
                        dir, name, &owned->profile, err);
        if ((path = kp_format("%s/authenticators/%s.json", dir, name)) == NULL)
                return KP_FAIL(err, KP_ENOMEM, "simulated key");
        if (name[0] == '\0' || !kp_file_exists(path))
                return sim_not_found(dir, name, err);
        return kp_authenticator_profile_load(path, &owned->profile, err);
}

static int
fault_add(struct owned *owned, const struct kp_fault *fault, struct kp_error *err)
{
        if (kp_authenticator_fault_add(owned->authenticator, fault, err) < 0)
                return KP_WHILE(err, "fault '%s'", fault->id);
        owned->n_faults++;
        return 0;
}

/* What is wrong from the factory on. */
static int
sim_faults(struct owned *owned, const struct kp_authenticator_profile *profile,
        struct kp_error *err)
{
        const struct kp_fault *faults;
        size_t n_faults;

        faults = kp_authenticator_profile_faults(profile, &n_faults);
        for (size_t i = 0; i < n_faults; i++)
                if (fault_add(owned, &faults[i], err) < 0)
                        return -1;
        return 0;
}

static int
sim_open(const char *name, struct kp_key *key, struct kp_error *err)
{
        struct owned *owned = key->owned;
        const struct kp_authenticator_profile *profile = owned->env.profile;

        if (profile == NULL) {
                if (sim_profile(name, owned, err) < 0)
                        return -1;
                profile = owned->profile;
        }
        if (kp_authenticator_new(profile, owned->env.random,
                    kp_clock_ms(sim_clock(owned)), &owned->authenticator, err) < 0 ||
                sim_faults(owned, profile, err) < 0)
                return KP_WHILE(err, "simulated key '%s'", name);
        if (owned->env.state != NULL &&
                kp_authenticator_load(owned->authenticator, owned->env.state, err) < 0)
                return KP_WHILE(err, "simulated key '%s'", name);
        key->authenticator = owned->authenticator;
        key->profile = profile;
        key->attachment = kp_authenticator_profile_facts(profile)->platform
                                  ? "platform"
                                  : "cross-platform";
        return 0;
}

/* ---- real keys ---- */

static int
hid_attach(struct kp_key *key, enum kp_driver_choice choice, struct kp_error *err)
{
        struct owned *owned = key->owned;
        const struct kp_key_env *env = &owned->env;
        struct kp_real_rules rules = {
                .choice = choice,
                .ledger = owned->ledger,
                .run = env->run == NULL ? "manual" : env->run,
        };
        struct kp_seam seam;

        if (kp_hidraw_open(owned->path, env->interrupted, &seam, err) < 0 ||
                kp_tap_new(seam, env->read_only ? KP_TAP_READ_ONLY : KP_TAP_REAL,
                        env->trace, &seam, &key->tap, err) < 0)
                return -1;
        rules.tap = key->tap;
        return kp_driver_open_real(seam, &rules, owned->random, &key->driver, err);
}

static int
hid_open(const char *path, struct kp_key *key, struct kp_error *err)
{
        struct owned *owned = key->owned;
        const struct kp_key_env *env = &owned->env;

        if ((owned->path = strdup(path)) == NULL)
                return KP_FAIL(err, KP_ENOMEM, "hid:%s", path);
        /* a seed must never choose what a real key is told */
        kp_random_install(NULL);
        if (kp_random_new_system(&owned->random, err) < 0)
                return -1;
        if (env->ledger_path != NULL && !env->read_only &&
                kp_ledger_open(env->ledger_path, env->clock, owned->random,
                        &owned->ledger, err) < 0)
                return -1;
        key->real = true;
        key->attachment = "cross-platform";
        return 0;
}

/* ---- both ---- */

static int
attach(struct kp_key *key, enum kp_driver_choice choice, struct kp_error *err)
{
        struct owned *owned = key->owned;

        owned->choice = choice;
        return key->real ? hid_attach(key, choice, err) : sim_attach(key, choice, err);
}

int
kp_key_open(const char *name, enum kp_driver_choice choice,
        const struct kp_key_env *env, struct kp_key **ret, struct kp_error *err)
{
        KP_CLEANUP(kp_key_close) struct kp_key *key = calloc(1, sizeof(*key));
        struct owned *owned = calloc(1, sizeof(*owned));

        if (key == NULL || owned == NULL) {
                free(owned);
                return KP_FAIL(err, KP_ENOMEM, "key");
        }
        owned->env = *env;
        key->owned = owned;
        if (strncmp(name, "sim:", 4) == 0) {
                if (sim_open(name + 4, key, err) < 0)
                        return -1;
        } else if (strncmp(name, "hid:", 4) == 0) {
                if (hid_open(name + 4, key, err) < 0)
                        return -1;
        } else {
                return KP_FAIL(err, KP_EUSAGE,
                        "'%s' is not the name of a key: expected sim:PROFILE or "
                        "hid:PATH, see "
                        "'keypilot list keys'",
                        name);
        }
        if (attach(key, choice, err) < 0)
                return KP_WHILE(err, "%s", name);
        *ret = KP_STEAL(key);
        return 0;
}

int
kp_key_switch_driver(
        struct kp_key *key, enum kp_driver_choice choice, struct kp_error *err)
{
        kp_driver_close(&key->driver);
        key->tap = NULL; /* went with the driver */
        return attach(key, choice, err);
}

/* ---- what goes wrong ---- */

int
kp_key_break(struct kp_key *key, const struct kp_fault *fault, struct kp_error *err)
{
        if (key->authenticator == NULL)
                return KP_FAIL(
                        err, KP_EUNSUPPORTED, "a real key is not broken on purpose");
        return fault_add(key->owned, fault, err);
}

int
kp_key_mend(struct kp_key *key, struct kp_error *err)
{
        struct owned *owned = key->owned;

        if (key->authenticator == NULL)
                return 0; /* nobody broke it */
        owned->went_wrong = kp_key_went_wrong(key);
        kp_authenticator_faults_clear(key->authenticator);
        owned->n_faults = 0;
        return sim_faults(owned, key->profile, err);
}

int
kp_key_replug(struct kp_key *key, struct kp_error *err)
{
        struct owned *owned = key->owned;

        if (key->authenticator == NULL)
                return KP_FAIL(err, KP_EUNSUPPORTED,
                        "a real key is plugged in again by a person only");
        kp_authenticator_power_cycle(key->authenticator, kp_clock_ms(sim_clock(owned)));
        return kp_key_switch_driver(key, owned->choice, err);
}

bool
kp_key_went_wrong(const struct kp_key *key)
{
        const struct owned *owned = key->owned;
        bool went_wrong = owned->went_wrong;

        for (size_t i = 0; key->authenticator != NULL && i < owned->n_faults; i++)
                went_wrong |= kp_authenticator_fault_fired(key->authenticator, i) > 0;
        return went_wrong;
}

void
kp_key_close(struct kp_key **key)
{
        struct owned *owned;

        if (*key == NULL)
                return;
        kp_driver_close(&(*key)->driver);
        owned = (*key)->owned;
        if (owned != NULL) {
                kp_authenticator_free(&owned->authenticator);
                kp_authenticator_profile_free(&owned->profile);
                kp_ledger_free(&owned->ledger);
                kp_random_free(&owned->random);
                free(owned->path);
        }
        free(owned);
        free(*key);
        *key = NULL;
}
