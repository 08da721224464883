/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_AUTHENTICATOR_NFC_H
#define KEYPILOT_AUTHENTICATOR_NFC_H

#include "keypilot/core/buf.h"

/* APDUs of a simulated key; all of it is lost without power. Spec: CTAP 2.1 §11.3 */
struct kp_auth_nfc {
        bool selected; /* the FIDO application */

        struct kp_buf chain; /* data of a command that comes in several APDUs */
        bool chaining, chain_too_long;
        uint8_t chain_cla, chain_ins;
        int64_t chain_at; /* APDUs of it that have come */

        struct kp_buf
                rest; /* of an answer that GET RESPONSE fetches; status word last */
        size_t rest_at;
        int64_t part; /* APDUs of the answer that have gone out */

        bool running;          /* a CTAP2 command is answered later */
        struct kp_buf message; /* it, while it waits for a finger */
        uint8_t stuck;         /* a fault: the status that is told for ever; 0: none */
        bool holding;          /* its answer is there, and slow */
        struct kp_buf held;
        int64_t held_ms; /* when it comes */
};

#endif
