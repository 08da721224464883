/* SPDX-License-Identifier: BSD-2-Clause */
#include "attestation.h"

/* Spec: WebAuthn L3 §8.7 "None Attestation Statement Format" */
bool
kp_rp_attestation_none(struct ceremony *c)
{
        size_t n = 0;

        if (!kp_cbor_is_map(c->statement, &n) || n > 0)
                return kp_rp_refuse(c, "format none has a statement that is not empty");
        c->type = "none";
        return true;
}
