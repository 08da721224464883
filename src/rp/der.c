/* SPDX-License-Identifier: BSD-2-Clause */
#include "der.h"

#include <openssl/err.h>

bool
kp_rp_der_next(struct der *in, struct der_item *ret)
{
        const unsigned char *at = in->at;
        long len = 0;
        int flags;

        if (in->at >= in->end)
                return false;
        flags = ASN1_get_object(&at, &len, &ret->tag, &ret->class, in->end - in->at);
        ERR_clear_error();
        /* 0x80: broken or too long; 0x01: an indefinite length, which DER has not */
        if ((flags & 0x81) != 0 || len < 0 || len > in->end - at)
                return false;
        ret->constructed = (flags & V_ASN1_CONSTRUCTED) != 0;
        ret->content = (struct der){ at, at + len };
        in->at = at + len;
        return true;
}

bool
kp_rp_der_at_end(const struct der *in)
{
        return in->at == in->end;
}

bool
kp_rp_der_universal(struct der *in, int tag, struct der *ret)
{
        struct der_item item;

        if (!kp_rp_der_next(in, &item) || item.tag != tag ||
                item.class != V_ASN1_UNIVERSAL ||
                item.constructed != (tag == V_ASN1_SEQUENCE || tag == V_ASN1_SET))
                return false;
        *ret = item.content;
        return true;
}

bool
kp_rp_der_number(struct der *in, int tag, int64_t *ret)
{
        struct der content;

        if (!kp_rp_der_universal(in, tag, &content) || content.at == content.end ||
                content.end - content.at > 4 || (content.at[0] & 0x80) != 0)
                return false;
        for (*ret = 0; content.at < content.end; content.at++)
                *ret = *ret << 8 | *content.at;
        return true;
}
