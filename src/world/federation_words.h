/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_WORLD_FEDERATION_WORDS_H
#define KEYPILOT_WORLD_FEDERATION_WORDS_H

#include "keypilot/world/site.h"

/*
 * Between facts, which are words, and federation messages; and what of those messages a
 * trace may tell.
 */
#define KP_WORDS_MAX 16

/* A fact's strings into a request's classes; at most eight go in. */
void words_copy(const json_t *words, char ret[8][128], size_t *ret_n);
/* A fact's strings, borrowed. Returns how many, at most KP_WORDS_MAX. */
size_t words_borrow(const json_t *words, const char **ret);
enum kp_comparison words_comparison(const char *word);
const char *words_comparison_name(enum kp_comparison comparison);
void words_signs(const char *word, bool *ret_response, bool *ret_assertion);
bool words_listed(const json_t *words, const char *word);

/* The last part of a status code's URI; NULL where there is none. */
const char *words_status(const char *status);

void words_request_tell(struct kp_trace *trace, const char *who, const char *to,
        const struct kp_login_request *request);
void words_request_read_tell(struct kp_trace *trace, const char *who, const char *from,
        const struct kp_login_request *request, const struct kp_federation_verdict *verdict);
void words_response_tell(struct kp_trace *trace, const char *who, const char *to,
        const struct kp_login_response *response, const char *nameid_source,
        const char *signs);
void words_response_read_tell(struct kp_trace *trace, const char *who, const char *from,
        const struct kp_login_response *response,
        const struct kp_federation_verdict *verdict);

#endif
