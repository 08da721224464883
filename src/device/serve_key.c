/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "keypilot/core/file.h"
#include "keypilot/core/free.h"

#include "serve_internal.h"

/*
 * One served key: the simulated key, the person who holds it, and the file that keeps
 * its memory.
 */

/* OpenSSL has one source of randomness, and it has to be this key's own. */
static void
lend_random(const struct kp_served *key)
{
        kp_random_install(key->seeded ? key->random : NULL);
}

/* ---- the state file ---- */

static int
keep(void *self, struct kp_error *err)
{
        struct kp_served *key = self;
        struct kp_error why = { 0 };

        if (kp_served_keep(key, &why) == 0)
                return 0;
        kp_served_trouble(key, &why);
        return KP_FAIL(err, KP_EIO, "%s", key->state);
}

int
kp_served_keep(struct kp_served *key, struct kp_error *err)
{
        KP_CLEANUP(kp_buf_wipe) struct kp_buf text = { 0 };
        json_auto_t *state = NULL;
        mode_t mask;
        char *pretty;
        int r;

        if (key->state == NULL)
                return 0;
        if (kp_authenticator_save(key->authenticator, &state, err) < 0)
                return -1;
        if ((pretty = json_dumps(state, JSON_INDENT(2) | JSON_SORT_KEYS)) == NULL)
                return KP_FAIL(err, KP_ENOMEM, "%s", key->state);
        kp_buf_puts(&text, pretty);
        kp_buf_puts(&text, "\n");
        memset(pretty, 0, strlen(pretty));
        free(pretty);
        if (kp_buf_check(&text, err) < 0)
                return -1;
        mask = umask(0077); /* private keys: nobody else's business */
        r = kp_file_write(key->state, text.data, text.len, err);
        (void)umask(mask);
        return r;
}

/* What is wrong with the model itself. */
static int
faults_from_factory(struct kp_served *key, struct kp_error *err)
{
        size_t n;
        const struct kp_fault *faults =
                kp_authenticator_profile_faults(key->profile, &n);

        for (size_t i = 0; i < n; i++)
                if (kp_authenticator_fault_add(key->authenticator, &faults[i], err) < 0)
                        return KP_WHILE(err, "fault '%s'", faults[i].id);
        return 0;
}

static int
state_open(struct kp_served *key, const char *path, struct kp_error *err)
{
        json_auto_t *state = NULL;

        if (path == NULL)
                return 0;
        if ((key->state = strdup(path)) == NULL)
                return KP_FAIL(err, KP_ENOMEM, "%s", path);
        kp_authenticator_set_keeper(key->authenticator, keep, key);
        if (!kp_file_exists(path))
                return 0;
        if (kp_json_load(path, KP_JSON_MAX_BULK, &state, err) < 0)
                return -1;
        if (kp_authenticator_load(key->authenticator, state, err) < 0)
                return KP_WHILE(err, "%s", path);
        return 0;
}

/* ---- opening ---- */

static int
profile_open(struct kp_served *key, const char *name, struct kp_error *err)
{
        const struct kp_fixtures *fixtures = key->serve->env.fixtures;
        KP_CLEANUP(kp_free_str) char *path = NULL;

        if (strncmp(name, "sim:", 4) != 0 || name[4] == '\0')
                return KP_FAIL(err, KP_EUSAGE,
                        "'%s' cannot be served: expected sim:PROFILE, see 'keypilot "
                        "list keys'",
                        name);
        if ((key->name = strdup(name)) == NULL)
                return KP_FAIL(err, KP_ENOMEM, "%s", name);
        if (kp_fixtures_path(fixtures, "authenticators", name + 4, &path, err) < 0)
                return -1;
        return kp_authenticator_profile_load_from(
                kp_fixtures_dir(fixtures), path, &key->profile, err);
}

/* With one seed, two keys still differ. */
static int
random_open(struct kp_served *key, const char *seed, struct kp_error *err)
{
        KP_CLEANUP(kp_free_str)
        char *label = kp_format("key serve %zu %s", key->index, key->name);

        if (label == NULL)
                return KP_FAIL(err, KP_ENOMEM, "%s", key->name);
        if (seed == NULL)
                return kp_random_new_system(&key->random, err);
        key->seeded = true;
        return kp_random_new_seeded(seed, label, &key->random, err);
}

static int
port_open(struct kp_served *key, const struct kp_serve_key *spec, struct kp_error *err)
{
        switch (spec->port) {
        case KP_SERVE_SOCKET:
                return kp_port_socket(spec, &key->port, err);
        case KP_SERVE_UDP:
                return kp_port_udp(spec, &key->port, err);
        case KP_SERVE_UHID:
                return kp_port_uhid(key->profile, &key->port, err);
        case KP_SERVE_VPCD:
                return kp_port_vpcd(spec, &key->port, err);
        }
        return KP_FAIL(err, KP_EBUG, "no port %d", (int)spec->port);
}

int
kp_served_open(struct kp_serve *serve, const struct kp_serve_key *spec,
        struct kp_served **ret, struct kp_error *err)
{
        KP_CLEANUP(kp_served_free) struct kp_served *key = calloc(1, sizeof(*key));

        if (key == NULL)
                return KP_FAIL(err, KP_ENOMEM, "%s", spec->name);
        key->serve = serve;
        key->index = serve->n_keys;
        key->verification = true;
        if (profile_open(key, spec->name, err) < 0 ||
                random_open(key, spec->seed, err) < 0)
                return -1;
        lend_random(key);
        if (kp_authenticator_new(key->profile, key->random, kp_serve_now_ms(),
                    &key->authenticator, err) < 0 ||
                faults_from_factory(key, err) < 0 ||
                state_open(key, spec->state, err) < 0 || port_open(key, spec, err) < 0)
                return -1;
        kp_served_touch(key, spec->touch);
        *ret = KP_STEAL(key);
        return 0;
}

void
kp_served_free(struct kp_served **key)
{
        struct kp_served *k = *key;

        if (k == NULL)
                return;
        if (k->port.ops != NULL)
                k->port.ops->close(k->port.self);
        if (k->authenticator != NULL)
                kp_served_faults_clear(k);
        kp_authenticator_free(&k->authenticator);
        kp_authenticator_profile_free(&k->profile);
        kp_random_free(&k->random);
        kp_watch_done(&k->watch);
        free(k->state);
        free(k->name);
        free(k);
        *key = NULL;
}

/* ---- the person ---- */

static void
set_finger(struct kp_served *key, enum kp_finger finger)
{
        kp_authenticator_set_finger(key->authenticator, finger, 0, key->verification);
}

static void
set_habit(struct kp_served *key)
{
        static const enum kp_finger fingers[] = {
                [KP_SERVE_TOUCH_AUTO] = KP_FINGER_TOUCHES,
                [KP_SERVE_TOUCH_ONCE] = KP_FINGER_WITHHOLDS,
                [KP_SERVE_TOUCH_DENY] = KP_FINGER_REFUSES,
                [KP_SERVE_TOUCH_WITHHOLD] = KP_FINGER_WITHHOLDS,
        };

        set_finger(key, fingers[key->touch]);
}

/* The single touch, for a command that waits. */
static void
touch_once(struct kp_served *key)
{
        if (!key->armed ||
                kp_authenticator_waits(key->authenticator) != KP_WAITS_COMMAND)
                return;
        key->armed = false;
        set_finger(key, KP_FINGER_TOUCHES);
        kp_authenticator_tick(key->authenticator, kp_serve_now_ms());
        set_habit(key);
}

/* And for a client that polls: its next question finds the finger there. */
static bool
touch_poll_begin(struct kp_served *key, enum kp_waits waits)
{
        if (!key->armed || waits == KP_WAITS_NOT ||
                kp_authenticator_waits(key->authenticator) != waits)
                return false;
        set_finger(key, KP_FINGER_TOUCHES);
        return true;
}

static void
touch_poll_end(struct kp_served *key, enum kp_waits waits)
{
        if (kp_authenticator_waits(key->authenticator) != waits)
                key->armed = false;
        set_habit(key);
}

void
kp_served_touch(struct kp_served *key, enum kp_serve_touch touch)
{
        key->touch = touch;
        key->armed = touch == KP_SERVE_TOUCH_ONCE;
        set_habit(key);
        kp_served_tick(key);
}

void
kp_served_verification(struct kp_served *key, bool right)
{
        key->verification = right;
        set_habit(key);
        kp_served_tick(key);
}

/* ---- faults ---- */

int
kp_served_fault(struct kp_served *key, const char *name, struct kp_error *err)
{
        KP_CLEANUP(kp_free_str) char *path = NULL;
        struct kp_fault *fault;

        if (key->n_faults == KP_NELEMS(key->faults))
                return KP_FAIL(err, KP_ESCHEMA, "more than %zu faults at once",
                        KP_NELEMS(key->faults));
        if (kp_fixtures_path(key->serve->env.fixtures, "faults", name, &path, err) < 0)
                return -1;
        if ((fault = calloc(1, sizeof(*fault))) == NULL)
                return KP_FAIL(err, KP_ENOMEM, "fault");
        if (kp_fault_load(path, fault, err) < 0 ||
                kp_authenticator_fault_add(key->authenticator, fault, err) < 0) {
                kp_fault_done(fault);
                free(fault);
                return KP_WHILE(err, "%s", path);
        }
        key->faults[key->n_faults++] = fault;
        return 0;
}

void
kp_served_faults_clear(struct kp_served *key)
{
        kp_authenticator_faults_clear(key->authenticator);
        for (size_t i = 0; i < key->n_faults; i++) {
                kp_fault_done(key->faults[i]);
                free(key->faults[i]);
        }
        key->n_faults = 0;
}

/* ---- reports ---- */

static void
tell(struct kp_served *key, enum kp_serve_news news, const char *status)
{
        kp_serve_say(key, (struct kp_serve_event){
                                  .news = news,
                                  .command = key->watch.command,
                                  .status = status,
                                  .waited = key->watch.waited,
                          });
}

static void
tell_waiting(struct kp_served *key)
{
        enum kp_waits waits = kp_authenticator_waits(key->authenticator);

        /* who polls is not there while it does something else */
        if (waits == KP_WAITS_NOT ||
                (waits == KP_WAITS_POLL && strncmp(key->watch.command, "u2f", 3) != 0))
                return;
        key->watch.waited = true;
        if (key->watch.told_waits || key->watch.command[0] == '\0')
                return;
        key->watch.told_waits = true;
        tell(key, KP_SERVE_WAITS, NULL);
}

static void
send_reports(struct kp_served *key)
{
        char status[40];

        while (key->has_report ||
                kp_authenticator_next_report(key->authenticator, key->report)) {
                key->has_report = true;
                if (key->port.ops->send(key->port.self, key->report) == KP_PORT_FULL)
                        return;
                key->has_report = false; /* sent, or nobody is there to hear it */
                if (kp_watch_out(&key->watch, key->report, status))
                        tell(key, KP_SERVE_ANSWERED, status);
        }
}

static void
check_plug(struct kp_served *key)
{
        if (!kp_authenticator_is_unplugged(key->authenticator) ||
                key->port.ops->unplug == NULL)
                return;
        key->port.ops->unplug(key->port.self, key);
}

static void
settle(struct kp_served *key)
{
        tell_waiting(key);
        touch_once(key);
        send_reports(key);
        check_plug(key);
}

void
kp_served_feed(struct kp_served *key, const uint8_t report[KP_CTAPHID_REPORT])
{
        bool polls;

        lend_random(key);
        kp_watch_in(&key->watch, report);
        polls = key->watch.in.cmd == KP_CTAPHID_MSG &&
                touch_poll_begin(key, KP_WAITS_POLL);
        kp_authenticator_feed(key->authenticator, report, kp_serve_now_ms());
        if (polls)
                touch_poll_end(key, KP_WAITS_POLL);
        settle(key);
}

void
kp_served_apdu(struct kp_served *key, const uint8_t *apdu, size_t apdu_len,
        struct kp_buf *answer)
{
        enum kp_waits waits = kp_authenticator_waits(key->authenticator);
        char status[40];
        bool polls;

        lend_random(key);
        kp_watch_apdu(&key->watch, apdu, apdu_len);
        polls = touch_poll_begin(key, waits);
        kp_authenticator_apdu(
                key->authenticator, apdu, apdu_len, kp_serve_now_ms(), answer);
        if (polls)
                touch_poll_end(key, waits);
        if (kp_watch_apdu_answer(&key->watch, answer, status))
                tell(key, KP_SERVE_ANSWERED, status);
        tell_waiting(key);
        check_plug(key);
}

void
kp_served_tick(struct kp_served *key)
{
        lend_random(key);
        kp_authenticator_tick(key->authenticator, kp_serve_now_ms());
        settle(key);
}

int64_t
kp_served_next_ms(const struct kp_served *key)
{
        return kp_authenticator_next_event_ms(key->authenticator);
}

/* ---- power ---- */

void
kp_served_power_cycle(struct kp_served *key)
{
        lend_random(key);
        key->has_report = false;
        kp_watch_done(&key->watch);
        kp_authenticator_power_cycle(key->authenticator, kp_serve_now_ms());
        kp_serve_say(key, (struct kp_serve_event){ .news = KP_SERVE_POWERED });
}

void
kp_served_came(struct kp_served *key)
{
        kp_serve_say(key, (struct kp_serve_event){ .news = KP_SERVE_CAME });
}

void
kp_served_went(struct kp_served *key)
{
        kp_serve_say(key, (struct kp_serve_event){ .news = KP_SERVE_WENT });
}

void
kp_served_trouble(struct kp_served *key, const struct kp_error *err)
{
        kp_serve_say(
                key, (struct kp_serve_event){ .news = KP_SERVE_TROUBLE, .err = err });
}
