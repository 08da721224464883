/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_RP_MDS_H
#define KEYPILOT_RP_MDS_H

#include "keypilot/rp/rp.h"

/*
 * A FIDO Metadata BLOB: what makers say of their models, and what became known of them
 * since. It is configuration: one that does not verify is an error, not an outcome.
 * Nothing is fetched: neither a newer BLOB nor revocation lists.
 */
#define KP_RP_MDS_MAX (32u << 20) /* bytes; the real one has about five million */

/*
 * Read one and verify it.
 *
 * text      of the file
 * roots     where its certificates must lead; borrowed until the call ends
 * now_ms    when that is judged; 0: at any time
 * ret       the caller frees it with kp_rp_mds_free()
 * Errors    KP_EPARSE not a signed message, signature or certificates do not hold;
 *           KP_ESCHEMA a member is missing or mistyped, a model twice (place told)
 * Spec      FIDO MDS v3 §3.1, §3.2
 */
int kp_rp_mds_read(const void *text, size_t text_len, X509 *const *roots,
        size_t n_roots, int64_t now_ms, struct kp_rp_mds **ret,
        struct kp_error *err) KP_MUST_CHECK;
void kp_rp_mds_free(struct kp_rp_mds **mds); /* NULL-safe, leaves NULL */

int64_t kp_rp_mds_number(const struct kp_rp_mds *mds); /* "no": rises with each BLOB */
/* The last day before which a newer one comes. */
const char *kp_rp_mds_next_update(const struct kp_rp_mds *mds);
size_t kp_rp_mds_n_entries(const struct kp_rp_mds *mds);

#endif
