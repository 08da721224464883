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

/* What a response answers, and to whom. */
void words_response_address(const struct kp_login_request *request,
        const struct kp_party *service, struct kp_login_response *ret);
/*
 * Build a response, remember what it proves, tell the trace, hand it to the browser.
 *
 * proof    NULL: it states no login
 */
int words_response_send(struct kp_web *web, const struct kp_party *own,
        const struct kp_party *service, struct kp_login_response *response,
        const struct kp_proof *proof, struct kp_error *err) KP_MUST_CHECK;

/* What a trace may tell of a message that was sent. who  the role of the sender */
void words_request_sent(struct kp_trace *trace, const char *who,
        const struct kp_login_request *request);
void words_response_sent(struct kp_trace *trace, const char *who,
        const struct kp_login_response *response);
void words_logout_sent(
        struct kp_trace *trace, const char *who, const struct kp_logout *logout);

/* And of one that was received. who  the role of the receiver */
void words_request_received(struct kp_trace *trace, const char *who,
        const struct kp_login_request *request,
        const struct kp_federation_verdict *verdict);
void words_response_received(struct kp_trace *trace, const char *who,
        const struct kp_login_response *response,
        const struct kp_federation_verdict *verdict);
void words_logout_received(struct kp_trace *trace, const char *who,
        const struct kp_logout *logout, const struct kp_federation_verdict *verdict);

#endif
