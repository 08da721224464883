/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_RP_DER_H
#define KEYPILOT_RP_DER_H

#include <openssl/asn1.h>

#include "keypilot/core/base.h"

/*
 * A walk over DER for structures that OpenSSL has no type for. Heads are read by
 * ASN1_get_object(); what they hold never passes the end of what holds them.
 */
struct der {
        const uint8_t *at, *end;
};

struct der_item {
        int tag, class; /* V_ASN1_SEQUENCE..., V_ASN1_CONTEXT_SPECIFIC... */
        bool constructed;
        struct der content;
};

/* The next item; false: there is none, or it is broken (kp_rp_der_at_end() tells). */
bool kp_rp_der_next(struct der *in, struct der_item *ret);
bool kp_rp_der_at_end(const struct der *in);

/* The next item, which must be of this universal tag. */
bool kp_rp_der_universal(struct der *in, int tag, struct der *ret);
/* INTEGER or ENUMERATED, not negative and below 2^31. */
bool kp_rp_der_number(struct der *in, int tag, int64_t *ret);

#endif
