/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_WORLD_SITE_H
#define KEYPILOT_WORLD_SITE_H

#include <jansson.h>

#include "keypilot/core/clock.h"
#include "keypilot/http/form.h"
#include "keypilot/http/message.h"
#include "keypilot/model/federation.h"
#include "keypilot/model/profile.h"

/*
 * What service, provider and hub have in common as HTTP applications: reading a
 * request, writing pages and redirects, sessions, and the ledger of what really
 * happened.
 */

/* How somebody proved who he is. The truth, which messages may hide. */
struct kp_proof {
        int person; /* who sat there; 0: nobody */
        bool password, passkey, uv, code;
        bool mail;   /* a link in the mailbox */
        bool desk;   /* known in person at the help desk */
        char at[12]; /* role of the site where it happened */
        int64_t ms;
};

/* "any", "single", "mfa" or "phishing-resistant", in rising order. */
enum kp_assurance {
        KP_ASSURANCE_NONE,
        KP_ASSURANCE_SINGLE,
        KP_ASSURANCE_MFA,
        KP_ASSURANCE_PHISHING_RESISTANT
};
enum kp_assurance kp_proof_assurance(const struct kp_proof *proof);
const char *kp_assurance_name(enum kp_assurance assurance);

/* The one of that name; false if there is none. */
bool kp_assurance_parse(const char *name, enum kp_assurance *ret);

/* The one word for what was done: "passkey", "password", "password-and-code"... */
const char *kp_proof_method(const struct kp_proof *proof);

/*
 * The ledger of the truth: which proof stood behind which response. Sites write into it
 * and never decide by it, but for the place, which an address or a device gives away;
 * the judge reads it through the sessions.
 */
#define KP_LEDGER_MAX 64
struct kp_ledger {
        struct kp_ledger_entry {
                char response_id[72];
                struct kp_proof proof;
        } entries[KP_LEDGER_MAX];
        size_t n_entries;  /* ever written; the oldest are overwritten */
        int at_keyboard;   /* the person who sits at the agent now */
        const char *place; /* what sites can see: "school", "elsewhere", "own-device" */
};

/* Note which proof stood behind a response. */
void kp_ledger_note(struct kp_ledger *ledger, const char *response_id,
        const struct kp_proof *proof);

/* NULL if nobody wrote it; borrowed. */
const struct kp_proof *kp_ledger_find(
        const struct kp_ledger *ledger, const char *response_id);

/* What a site needs from its surroundings. Everything borrowed. */
struct kp_site_env {
        struct kp_clock *clock;
        struct kp_random *random;
        struct kp_trace *trace;
        struct kp_federation *federation;
        struct kp_ledger *ledger;
};

/* A session of a browser at a site. */
struct kp_session {
        char id[33];
        bool alive;
        int account;
        int tenant;
        int64_t began_ms, until_ms, authn_ms;
        struct kp_proof proof; /* the truth */
        char method[24];       /* what the site itself knows of how it came about */
        char context[128];     /* class that it believes */
        char index[72];        /* SessionIndex, own or the peer's */
        char subject[256];     /* NameID that came with it; "": local */
        char subject_format[128];
        char released[512]; /* "name=value" lines: attributes that came with it */
        bool fresh;         /* not used yet since it began */
        bool by_eip;
        int peer; /* which provider it came from, where there are several */
};
#define KP_SESSIONS_MAX 24
struct kp_sessions {
        struct kp_session items[KP_SESSIONS_MAX];
        size_t n_items; /* ever begun; the oldest are overwritten */
};

/*
 * Begin a session: id drawn, times set. Never NULL; borrowed.
 *
 * like     what the session has, but for id and times
 * ttl_s    how long it lives, in seconds
 */
struct kp_session *kp_session_begin(struct kp_sessions *sessions,
        const struct kp_site_env *env, const struct kp_session *like, int64_t ttl_s);

/* End those of an account; account 0: all. Returns how many were alive. */
size_t kp_sessions_end(struct kp_sessions *sessions, int account);

/*
 * One-time codes that reach a person outside the browser: a second factor on the phone,
 * a link in the mailbox, a temporary pass from the help desk.
 */
enum kp_code_kind { KP_CODE_SECOND_FACTOR, KP_CODE_MAIL, KP_CODE_DESK };
struct kp_one_time {
        enum kp_code_kind kind;
        char flow[33]; /* the page that waits for it */
        char code[33];
        int account, tenant, person;
        struct kp_session before; /* the login that waits for it */
        int64_t until_ms;
        bool used;
};
#define KP_CODES_MAX 12
struct kp_codes {
        struct kp_one_time items[KP_CODES_MAX];
        size_t n_items; /* ever issued; the oldest are overwritten */
};

/* One request in the hands of a site. */
struct kp_web {
        const struct kp_site_env *env;
        const char *role;
        const char *origin;
        const struct kp_request *request;
        struct kp_response *response;
        struct kp_url url;
        struct kp_pairs query, form;
        const char *cookies; /* the Cookie header; "": none */
};

/*
 * Take a request in hand. What cannot be read of it is as if it were empty.
 *
 * web      overwritten; borrows everything; the caller ends it with kp_web_done()
 * Errors   KP_ENOMEM
 */
int kp_web_begin(struct kp_web *web, const struct kp_site_env *env, const char *role,
        const char *origin, const struct kp_request *request,
        struct kp_response *response, struct kp_error *err) KP_MUST_CHECK;
void kp_web_done(struct kp_web *web);

/* Is it this method and path? */
bool kp_web_is(const struct kp_web *web, const char *method, const char *path);

/* A parameter of the form or the query, borrowed; "" when absent. */
const char *kp_web_param(const struct kp_web *web, const char *name);

/*
 * The session that the request's cookie names, or NULL. An expired one is ended and
 * told.
 *
 * cookie   its name
 */
struct kp_session *kp_web_session(
        struct kp_web *web, struct kp_sessions *sessions, const char *cookie);

/*
 * Set a cookie.
 *
 * value     NULL: take it away
 * samesite  "none", "lax", "strict", "absent"
 * Errors    KP_ENOMEM
 */
int kp_web_cookie(struct kp_web *web, const char *name, const char *value,
        const char *samesite, struct kp_error *err) KP_MUST_CHECK;

/*
 * Redirect: 302, or 303 after a POST.
 *
 * url      absolute or a path
 * Errors   KP_ENOMEM; KP_EPARSE a line break in it
 */
int kp_web_redirect(
        struct kp_web *web, const char *url, struct kp_error *err) KP_MUST_CHECK;

/* Send a federation message on: a redirect, or a page whose form posts itself. */
int kp_web_message(struct kp_web *web, struct kp_message_out *out,
        struct kp_error *err) KP_MUST_CHECK;

/* What came in on this request, for the federation. */
struct kp_message_in kp_web_message_in(const struct kp_web *web, const char *field);

/*
 * A page. Besides HTML for people it carries, in <script type="application/json"
 * id="keypilot">, what a program needs: { "site", "page", "error", "account", "tenant",
 * "ceremony", "mediation", "publicKey", "form" }.
 */
struct kp_doc {
        json_t *data;
        struct kp_buf body;
};

/*
 * Begin a page; end it with kp_doc_done() whether it was sent or not. What goes wrong
 * on the way is told by kp_doc_send().
 *
 * page     its name, for programs and as its title
 * Errors   KP_ENOMEM
 */
int kp_doc_begin(struct kp_doc *doc, const struct kp_web *web, const char *page,
        struct kp_error *err) KP_MUST_CHECK;
void kp_doc_done(struct kp_doc *doc);
void kp_doc_text(struct kp_doc *doc, const char *text);
void kp_doc_link(
        struct kp_doc *doc, const char *id, const char *href, const char *text);

/* A form with inputs, ended by a NULL name: "name", "value", "name", "value"... */
void kp_doc_form(struct kp_doc *doc, const char *id, const char *action, ...)
        __attribute__((sentinel));

/* The WebAuthn ceremony of the page; takes the reference to `options`. */
void kp_doc_ceremony(struct kp_doc *doc, const char *ceremony, const char *mediation,
        const char *action, const char *flow, json_t *options);

/* The page becomes the response. Errors   KP_ENOMEM */
int kp_doc_send(struct kp_doc *doc, struct kp_web *web, int status,
        struct kp_error *err) KP_MUST_CHECK;

/* A page that says no: page "refused" with a stable word why. */
int kp_web_refuse(
        struct kp_web *web, const char *why, struct kp_error *err) KP_MUST_CHECK;

/* Issue a code, good for `ttl_s`. Never NULL; borrowed. */
struct kp_one_time *kp_code_issue(struct kp_codes *codes, const struct kp_site_env *env,
        const struct kp_one_time *like, int64_t ttl_s);

/* Take a code that was given in time, once; NULL otherwise. */
const struct kp_one_time *kp_code_take(struct kp_codes *codes,
        const struct kp_site_env *env, enum kp_code_kind kind, const char *code);

/* What a person finds on the phone, in the mailbox, on the paper: the newest, or "". */
const char *kp_code_read(
        const struct kp_codes *codes, enum kp_code_kind kind, int person);

/* 32 hexadecimal digits. */
void kp_token_draw(struct kp_random *random, char ret[33]);

/* Is `word` among a fact's strings? */
bool kp_fact_has(const struct kp_actor *actor, const char *name, const char *word);

/* A fact that is an address: used, but never told in a trace. */
const char *kp_fact_quiet(const struct kp_actor *actor, const char *name);

#endif
