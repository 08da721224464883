/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_WORLD_PASSKEYS_H
#define KEYPILOT_WORLD_PASSKEYS_H

#include "keypilot/rp/rp.h"
#include "keypilot/world/directory.h"
#include "keypilot/world/site.h"

/*
 * The passkeys of one site: its relying party, as service, provider and hub have it.
 * Facts are read under the same names from whichever profile the site has.
 * Spec: WebAuthn L3 §5.4, §5.5, §7.1, §7.2
 */
struct kp_passkey {
        int ordinal; /* within the site: how traces name it */
        int account;
        bool removed, hidden;
        struct kp_rp_credential record;
        json_t *transports; /* array of strings */
};

/* A challenge that went out. */
struct kp_challenge {
        char flow[33];
        uint8_t bytes[32];
        int64_t made_ms;
        int account; /* 0: whoever answers */
        bool used;
};

#define KP_PASSKEYS_MAX 16
#define KP_CHALLENGES_MAX 16
struct kp_passkeys {
        const struct kp_site_env *env;
        const struct kp_actor *actor;
        struct kp_directory *directory;
        bool many_schools; /* accounts of several schools share the RP ID */
        struct kp_passkey items[KP_PASSKEYS_MAX];
        size_t n_items;
        struct kp_challenge challenges[KP_CHALLENGES_MAX];
        size_t n_challenges; /* ever made; the oldest are overwritten */
};
void kp_passkeys_done(struct kp_passkeys *passkeys); /* frees what it holds */

/* Can this account be asked for a passkey? Removed and hidden ones do not count. */
bool kp_passkeys_has(const struct kp_passkeys *passkeys, int account);

/*
 * Something happens to the passkeys of an account; told in the trace.
 *
 * change   "removed", "hidden"
 */
void kp_passkeys_change(struct kp_passkeys *passkeys, int account, const char *change);

/*
 * Options for a page. A challenge is drawn and kept under `ret_flow`.
 *
 * account  for a login: NULL asks whoever holds a discoverable passkey
 * ret      the caller releases it with json_decref()
 * Errors   KP_ENOMEM
 * Spec     WebAuthn L3 §5.4, §5.5
 */
int kp_passkeys_create_options(struct kp_passkeys *passkeys, const char *origin,
        struct kp_account *account, char ret_flow[33], json_t **ret,
        struct kp_error *err) KP_MUST_CHECK;
int kp_passkeys_get_options(struct kp_passkeys *passkeys, const char *origin,
        const struct kp_account *account, const char *mediation, char ret_flow[33],
        json_t **ret, struct kp_error *err) KP_MUST_CHECK;

/* What came of an answer. */
struct kp_passkey_answer {
        bool accepted;
        const char *why; /* stable word when refused; NULL */
        int account;
        bool uv;
};

/*
 * Judge the answer to a page's ceremony.
 *
 * flow, credential  what the form brought; the second is JSON text
 * tenant            school at whose door it is given; 0: any
 * Errors            the harness's own only
 * Spec              WebAuthn L3 §7.1, §7.2
 */
int kp_passkeys_register(struct kp_passkeys *passkeys, const char *origin,
        const char *flow, const char *credential, struct kp_passkey_answer *ret,
        struct kp_error *err) KP_MUST_CHECK;
int kp_passkeys_login(struct kp_passkeys *passkeys, const char *origin,
        const char *flow, const char *credential, int tenant,
        struct kp_passkey_answer *ret, struct kp_error *err) KP_MUST_CHECK;

#endif
