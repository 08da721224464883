/* SPDX-License-Identifier: BSD-2-Clause */
#include "record.h"

#include <string.h>

#include "keypilot/core/json.h"

static const char *
or_null(const char *text)
{
        return *text == '\0' ? NULL : text;
}

/* What happened, without the reads of facts: "rests_on" tells those that matter. */
static json_t *
stored_trace(const json_t *trace)
{
        json_t *stored = json_array();
        json_t *event;
        size_t i;

        json_array_foreach (trace, i, event) {
                if (strcmp(kp_json_str(event, "event", ""), "fact") == 0)
                        continue;
                if (json_array_append(stored, event) < 0) {
                        json_decref(stored);
                        return NULL;
                }
        }
        return stored;
}

int
kp_record_write(const struct kp_record *record, struct kp_buf *ret_id,
        struct kp_buf *ret, struct kp_error *err)
{
        const struct kp_cell_result *result = record->result;
        json_auto_t *none = json_object(), *empty = json_array();
        json_auto_t *trace = stored_trace(result->trace);
        json_auto_t *line = NULL;

        if (kp_outcome_id(
                    record->scenario, record->axes, record->assumed, ret_id, err) < 0)
                return -1;
        /* clang-format off */
        line = json_pack("{s:s, s:s, s:s, s:O, s:O, s:s, s:s?, s:s?, s:s?, s:s, s:O, s:i, s:O}",
                "type", "outcome",
                "id", kp_buf_str(ret_id),
                "scenario", record->scenario,
                "axes", record->axes,
                "assumed", record->assumed == NULL ? none : record->assumed,
                "verdict", kp_verdict_name(result->verdict),
                "invariant", or_null(result->invariant),
                "cause", record->cause,
                "why", or_null(result->why),
                "evidence", record->evidence,
                "rests_on", result->rests_on == NULL ? empty : result->rests_on,
                "prompts", result->prompts,
                "trace", trace);
        /* clang-format on */
        if (line == NULL)
                return KP_FAIL(err, KP_ENOMEM, "outcome");
        return kp_json_write(line, ret, err);
}
