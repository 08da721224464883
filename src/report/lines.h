/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_REPORT_LINES_H
#define KEYPILOT_REPORT_LINES_H

#include <stdio.h>

#include "keypilot/core/json.h"

/*
 * The lines of a log, for counting. The log's own reader parses all of each line; most
 * of a line is its trace, and a report looks at one trace in a thousand. This one
 * checks the chain as well, but leaves traces as text.
 */
#define LINES_NAME "outcomes.jsonl"

struct lines {
        char *path;
        FILE *file;
        char *text; /* of the line at hand; its trace is cut out of what is parsed */
        size_t text_cap;
        char hash[65]; /* that the next line must begin with */
        uint64_t n;    /* lines so far */
        bool torn;     /* the last one is not whole */
};
int lines_open(
        struct lines *lines, const char *path, struct kp_error *err) KP_MUST_CHECK;
void lines_done(struct lines *lines);

/*
 * The next line.
 *
 * ret        a new reference to its object, without the member "trace"; NULL past the
 *            end
 * ret_trace  JSON text of that member, borrowed until the next line; NULL: none
 * Errors     KP_EINTEGRITY the chain does not hold; KP_EPARSE (line told); KP_EIO
 */
int lines_next(struct lines *lines, json_t **ret, const char **ret_trace,
        size_t *ret_trace_len, struct kp_error *err) KP_MUST_CHECK;

#endif
