/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_RP_MDS_ENTRIES_H
#define KEYPILOT_RP_MDS_ENTRIES_H

#include "keypilot/rp/mds.h"

#include "attestation.h"

struct kp_rp_mds {
        json_t *payload;
        json_t *index;         /* AAGUID or key identifier -> entry */
        const json_t *entries; /* borrowed from the payload, and so is the next */
        const char *next_update;
        int64_t next_update_ms, number;
};

bool kp_rp_mds_expired(const struct kp_rp_mds *mds, int64_t now_ms);
const json_t *kp_rp_mds_find(const struct kp_rp_mds *mds, const char *name);

/* ---- mds_entry.c: what one entry says of the statement under judgement ---- */

/* Some status report tells of a danger, of whatever day. */
bool kp_rp_mds_is_dangerous(const json_t *entry);
/* Nothing in its status reports speaks against the key; false: refused. */
bool kp_rp_mds_check_status(struct ceremony *c, const json_t *entry);
/* Attestation types and algorithms of the model. */
bool kp_rp_mds_check_model(struct ceremony *c, const json_t *entry);
/* Roots of the model that a path may end at, into c->anchors. */
bool kp_rp_mds_take_anchors(struct ceremony *c, const json_t *entry);

/* The paths of the statement: one, several of a compound one, or none. */
size_t kp_rp_paths(const struct ceremony *c, const struct trust_path *ret[]);
#define PATHS_MAX (STATEMENTS_MAX + 1)

#endif
