/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_MODEL_FAULT_H
#define KEYPILOT_MODEL_FAULT_H

#include "keypilot/core/json.h"

/*
 * Something that goes wrong with a simulated key: a name, the point where it happens
 * and when. From fixtures/faults/, one file each. Which points there are is known by
 * the authenticator alone (keypilot/authenticator/fault.h); a file only names one.
 */
struct kp_fault {
        json_t *json; /* owns the strings */
        const char *id;
        struct kp_text title;
        const char *point;   /* "answer.truncated" */
        const char *command; /* "makeCredential"; NULL: any */
        int64_t nth;         /* the first time that counts, from 1 */
        int64_t times;       /* how often it happens; 0: for ever */
        int64_t value;       /* what the point makes of it: ms, frame, status... */
};

/*
 * ret      the caller ends it with kp_fault_done()
 * Errors   KP_EIO, KP_EPARSE; KP_ESCHEMA with the member
 */
int kp_fault_load(const char *path, struct kp_fault *ret, struct kp_error *err)
        KP_MUST_CHECK;

/*
 * A fault as a member of another file: the name of one in `fixtures_dir`/faults (or the
 * path of a file of one's own), or an object with what a fault file has, of which only
 * "point" must be there. Without an id of its own it goes by its point.
 *
 * value    borrowed; kept as long as the fault where it is an object
 * ret      the caller ends it with kp_fault_done()
 * Errors   KP_ENOTFOUND no such fault, the nearest name is told; else as kp_fault_load()
 */
int kp_fault_read(const json_t *value, const char *fixtures_dir, struct kp_fault *ret,
        struct kp_error *err) KP_MUST_CHECK;
void kp_fault_done(struct kp_fault *fault); /* { 0 }-safe, leaves { 0 } */

#endif
