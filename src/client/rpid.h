/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_SRC_CLIENT_RPID_H
#define KEYPILOT_SRC_CLIENT_RPID_H

#include "origin.h"

/*
 * Which RP IDs and AppIDs a page may use.
 * Spec: WebAuthn L3 §5.1.3 step 7 and 8, §5.11, §10.1.1; HTML §7.1.1
 */

/* True if `suffix` is `host` or a registrable suffix of it, no public suffix. */
bool kp_rpid_is_suffix(const char *suffix, const char *host);

/* The registrable domain of a host, a pointer into it; NULL where there is none. */
const char *kp_rpid_registrable(const char *host);

/*
 * Choose the RP ID for a call from a page.
 *
 * requested   NULL: the effective domain
 * well_known  what the network answers, array of {host, status, headers, body}; NULL
 * related     the client supports related origins
 * ret         malloc'ed
 * Throws      SecurityError
 */
int kp_rpid_choose(const struct kp_origin *origin, const char *requested,
        const json_t *well_known, bool related, char **ret,
        struct kp_exception *exception, struct kp_error *err) KP_MUST_CHECK;

/* Empty counts. Spec: FIDO AppID and Facet v1.2 §3.1.2 */
bool kp_appid_is_url(const char *app_id);

/*
 * Is the page allowed to use this AppID? Empty means the page's own origin.
 *
 * ret      the AppID to use, malloc'ed
 * Throws   SyntaxError no URL, SecurityError another site's
 * Spec     WebAuthn L3 §10.1.1; FIDO AppID and Facet v1.2 §3.1.2
 */
int kp_appid_check(const struct kp_origin *origin, const char *app_id, char **ret,
        struct kp_exception *exception, struct kp_error *err) KP_MUST_CHECK;

#endif
