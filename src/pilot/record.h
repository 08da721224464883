/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_PILOT_RECORD_H
#define KEYPILOT_PILOT_RECORD_H

#include "keypilot/pilot/cell.h"

/*
 * An outcome's line, without "prev". Everything borrowed.
 *
 * assumed   values of unknown facts; NULL: none
 * cause     NULL: none
 * ret_id    the outcome's id, appended
 * ret       the line, appended
 */
struct kp_record {
        const char *scenario;
        const json_t *axes;
        const json_t *assumed;
        const struct kp_cell_result *result;
        const char *cause;
        const char *evidence;
};
int kp_record_write(const struct kp_record *record, struct kp_buf *ret_id,
        struct kp_buf *ret, struct kp_error *err) KP_MUST_CHECK;

#endif
