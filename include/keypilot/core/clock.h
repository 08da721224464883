/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_CORE_CLOCK_H
#define KEYPILOT_CORE_CLOCK_H

#include "keypilot/core/base.h"
#include "keypilot/core/error.h"

/*
 * Time that comes from the run, not from the system. A simulated clock moves only when
 * it is told to; the system clock serves real keys and cannot be moved.
 */
struct kp_clock {
        int64_t simulated_ms; /* milliseconds since 1970-01-01T00:00:00Z */
        bool system;
};

/* Every cell starts here: Tuesday 1 September 2026, 08:00:00 UTC. */
#define KP_CLOCK_START_MS INT64_C(1788249600000)

struct kp_clock kp_clock_simulated(void); /* at KP_CLOCK_START_MS */
struct kp_clock kp_clock_system(void);

/* Milliseconds since 1970-01-01T00:00:00Z. */
int64_t kp_clock_ms(const struct kp_clock *clock);

/* Move a simulated clock forward by `ms` (>= 0). Does nothing to the system clock. */
void kp_clock_advance(struct kp_clock *clock, int64_t ms);

#define KP_UTC_LEN 32
/*
 * "2026-09-01T08:00:00Z", as in XML Schema dateTime; milliseconds are dropped.
 *
 * text     written, and returned for convenience
 */
const char *kp_utc_format(int64_t ms, char text[KP_UTC_LEN]);

/*
 * Read an XML Schema dateTime in UTC ("Z", or an offset; fractions allowed) or a plain
 * "YYYY-MM-DD".
 *
 * ret_ms   milliseconds since 1970-01-01T00:00:00Z
 * Errors   KP_EPARSE neither of the two, or no day of the calendar
 * Spec     XML Schema 1.1 Part 2 §3.3.7; SAML 2.0 Core §1.3.3
 */
int kp_utc_parse(const char *text, int64_t *ret_ms, struct kp_error *err) KP_MUST_CHECK;

#endif
