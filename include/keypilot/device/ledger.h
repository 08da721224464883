/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_DEVICE_LEDGER_H
#define KEYPILOT_DEVICE_LEDGER_H

#include <jansson.h>

#include "keypilot/core/clock.h"
#include "keypilot/core/error.h"
#include "keypilot/device/driver.h"

/*
 * The ledger: what this program left on real keys. Written and flushed to disk before a
 * key is asked to make anything, completed afterwards; only what it names is ever
 * removed again.
 *
 * JSON Lines, append-only, one object a line:
 *
 *   { "event": "prepared", "entry", "time", "run", "rp", "user_id", "name",
 *     "discoverable" }
 *   { "event": "made", "entry", "time", "credential_id" }
 *   { "event": "not-made", "entry", "time", "why" }
 *   { "event": "removed", "time", "credential_id" }
 *
 * Bytes are base64url. A line that cannot be read (a crash in the middle of it) names
 * nothing.
 */
struct kp_ledger;

/* What goes before every name that a real key is given. */
#define KP_LEDGER_PREFIX "keypilot-test-"

/*
 * Open, create where absent (for the owner only; folders as well), and hold alone.
 *
 * clock    borrowed
 * random   borrowed; names of entries
 * ret      the caller frees it with kp_ledger_free()
 * Errors   KP_EIO; KP_EENV another keypilot holds it
 */
int kp_ledger_open(const char *path, const struct kp_clock *clock,
        struct kp_random *random, struct kp_ledger **ret,
        struct kp_error *err) KP_MUST_CHECK;
void kp_ledger_free(struct kp_ledger **ledger); /* NULL-safe, leaves NULL */

/* One thing about to be made. Everything borrowed. */
struct kp_ledger_plan {
        const char *run, *rp_id, *name;
        struct kp_bytes user_id;
        bool discoverable;
};
#define KP_LEDGER_ENTRY_LEN 17

/*
 * Write a line; it is on disk when the function returns.
 *
 * entry    name of the entry, 16 hexadecimal digits
 * Errors   KP_EIO, KP_ENOMEM: after a failed prepare nothing may be made
 */
int kp_ledger_prepare(struct kp_ledger *ledger, const struct kp_ledger_plan *plan,
        char entry[KP_LEDGER_ENTRY_LEN], struct kp_error *err) KP_MUST_CHECK;
int kp_ledger_made(struct kp_ledger *ledger, const char *entry,
        struct kp_bytes credential_id, struct kp_error *err) KP_MUST_CHECK;
int kp_ledger_not_made(struct kp_ledger *ledger, const char *entry, const char *why,
        struct kp_error *err) KP_MUST_CHECK;
int kp_ledger_removed(struct kp_ledger *ledger, struct kp_bytes credential_id,
        struct kp_error *err) KP_MUST_CHECK;

/*
 * Was this made under one of our names, and not removed yet?
 *
 * Errors   KP_EIO, KP_ENOMEM; KP_EPARSE longer than a ledger can be
 */
int kp_ledger_names(struct kp_ledger *ledger, struct kp_bytes credential_id, bool *ret,
        struct kp_error *err) KP_MUST_CHECK;

/*
 * What is still out there: entries that were made and not removed, and entries that
 * were prepared and of which nobody knows what became of them (without
 * "credential_id").
 *
 * ret      array of { "entry", "time", "run", "rp", "user_id", "name", "discoverable",
 *          "credential_id" }; the caller releases it with json_decref()
 * Errors   KP_EIO, KP_ENOMEM; KP_EPARSE longer than a ledger can be
 */
int kp_ledger_left(
        struct kp_ledger *ledger, json_t **ret, struct kp_error *err) KP_MUST_CHECK;

/*
 * Where it is: XDG_STATE_HOME/keypilot/ledger.jsonl, or
 * ~/.local/state/keypilot/ledger.jsonl.
 *
 * xdg_state_home  value of the environment; NULL or a relative path: not set
 * home            value of the environment; NULL or "": not set
 * ret             malloc'ed
 * Errors          KP_EENV neither is set; KP_ENOMEM
 */
int kp_ledger_default_path(const char *xdg_state_home, const char *home, char **ret,
        struct kp_error *err) KP_MUST_CHECK;

#endif
