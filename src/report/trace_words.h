/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_REPORT_TRACE_WORDS_H
#define KEYPILOT_REPORT_TRACE_WORDS_H

#include "page.h"

/*
 * A trace in plain words: who, what, and what stood out.
 */
/* The event's own name where we lack words. */
struct kp_text event_text(const char *event);
struct kp_text actor_text(const char *who);
bool event_is_shown(const char *event);

/* A table of steps. trace   JSON text of the events */
int trace_write(
        struct page *page, const char *trace, struct kp_error *err) KP_MUST_CHECK;

#endif
