/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_CORE_BASE_H
#define KEYPILOT_CORE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The few macros that every file may use. No domain knowledge, no functions.
 */

/* Run `fn(&variable)` when the variable goes out of scope. Initialise at once. */
#define KP_CLEANUP(fn) __attribute__((cleanup(fn)))

/* For functions whose result nobody may drop, and for those that take a format. */
#define KP_MUST_CHECK __attribute__((warn_unused_result))
#define KP_PRINTF(at, first) __attribute__((__format__(__printf__, at, first)))

#define KP_NELEMS(array) (sizeof(array) / sizeof((array)[0]))

/* Hand the pointer on: evaluates to it and leaves NULL behind. */
#define KP_STEAL(pointer)                                                              \
        __extension__({                                                                \
                __typeof__(pointer) *kp_steal_at = &(pointer);                         \
                __typeof__(pointer) kp_steal_value = *kp_steal_at;                     \
                *kp_steal_at = NULL;                                                   \
                kp_steal_value;                                                        \
        })

#endif
