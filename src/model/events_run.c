/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/model/trace.h"

/*
 * Events of the run itself: facts that were read, steps that were taken, what was
 * judged.
 */
/* clang-format off */
const struct kp_event_type kp_events_run[] = {
        { "attempt", "account assurance door door_missing eip_asked in number own passkey_asked passkey_used person prompts purpose reason silent tenant to with", NULL },
        { "fact", "fact status value", NULL },
        { "invariant", "holds invariant weight why", NULL },
        { "recovery", "at door found prompts stronger weaker_than_door", NULL },
        { "step", "at done fault missing number place reason step", NULL },
        { NULL },
};
/* clang-format on */
