/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_REPORT_REASONS_H
#define KEYPILOT_REPORT_REASONS_H

#include "page.h"

/*
 * Why a combination was not decided. The log says it in English, always in the same
 * words; pages say it in the language of their reader.
 */

/* What of the texts below has words in both languages; the rest is shown as it is. */
bool reason_is_known(const char *why);
/* why   as the log has it; the page keeps what is made of it */
struct kp_text reason_text(struct page *page, const char *why);

#endif
