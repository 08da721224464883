/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_MODEL_FIXTURES_H
#define KEYPILOT_MODEL_FIXTURES_H

#include "keypilot/core/file.h"
#include "keypilot/model/profile.h"
#include "keypilot/model/scenario.h"

/*
 * The folder of fixtures: found, listed, loaded once, hashed. A NAME may always be a
 * path to a file of one's own: whatever has a "/" in it or ends in ".json".
 */
struct kp_fixtures;

/*
 * Find the folder.
 *
 * dir      NULL: the folder beside the program (installed, or in the source tree above)
 * ret      the caller frees it with kp_fixtures_free()
 * Errors   KP_EENV no such folder there; says that --fixtures chooses one
 */
int kp_fixtures_open(
        const char *dir, struct kp_fixtures **ret, struct kp_error *err) KP_MUST_CHECK;
void kp_fixtures_free(struct kp_fixtures **fixtures); /* NULL-safe, leaves NULL */
const char *kp_fixtures_dir(const struct kp_fixtures *fixtures); /* borrowed */

/*
 * The path of a fixture: "DIR/folder/NAME.json", or NAME itself where it is a path.
 *
 * ret      malloc'ed
 * Errors   KP_ENOTFOUND; the nearest name is told
 */
int kp_fixtures_path(const struct kp_fixtures *fixtures, const char *folder,
        const char *name, char **ret, struct kp_error *err) KP_MUST_CHECK;

/*
 * Ids in a folder, sorted; none where there is no such folder.
 *
 * ret      the caller ends it with kp_names_done()
 * Errors   KP_EIO, KP_ENOMEM
 */
int kp_fixtures_list(const struct kp_fixtures *fixtures, const char *folder,
        struct kp_names *ret, struct kp_error *err) KP_MUST_CHECK;

/*
 * Loaded on first use and kept.
 *
 * ret      borrowed
 * Errors   as kp_fixtures_path() and kp_profile_load() or kp_scenario_load()
 */
int kp_fixtures_profile(struct kp_fixtures *fixtures, enum kp_kind kind,
        const char *name, const struct kp_profile **ret,
        struct kp_error *err) KP_MUST_CHECK;
int kp_fixtures_scenario(struct kp_fixtures *fixtures, const char *name,
        const struct kp_scenario **ret, struct kp_error *err) KP_MUST_CHECK;

/*
 * SHA-256 over names and contents of all fixtures, in order of name.
 *
 * ret      lower-case hex
 * Errors   KP_EIO, KP_ENOMEM
 */
int kp_fixtures_hash(const struct kp_fixtures *fixtures, char ret[65],
        struct kp_error *err) KP_MUST_CHECK;

#endif
