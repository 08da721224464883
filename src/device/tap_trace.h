/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_DEVICE_TAP_TRACE_H
#define KEYPILOT_DEVICE_TAP_TRACE_H

#include "tap_rules.h"

/* A message and its whole answer, as an event of src/model/events_key.c. */
void kp_tap_trace_exchange(struct kp_trace *trace, const struct kp_tap_message *asked,
        const uint8_t *answer, size_t answer_len);

/* The name of what a message asks for: "makeCredential", "register", "init". */
const char *kp_tap_message_name(const struct kp_tap_message *message);
/* NULL: none */
const char *kp_tap_subcommand_name(const struct kp_tap_message *message);

#endif
