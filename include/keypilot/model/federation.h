/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_MODEL_FEDERATION_H
#define KEYPILOT_MODEL_FEDERATION_H

#include "keypilot/core/buf.h"
#include "keypilot/core/clock.h"
#include "keypilot/core/random.h"

/*
 * Federated login as one interface. SAML 2.0 implements it first, OpenID Connect later;
 * the world knows only this. Messages travel as URLs and form fields, signed and parsed
 * for real by the implementation behind it.
 */

/* One side of a federation: its names, addresses and keys. Borrowed text throughout. */
struct kp_party {
        const char *entity_id;
        const char *sso_url; /* provider: where requests go */
        const char *acs_url; /* service: where responses go */
        const char *slo_url; /* NULL: none */
        const char *key_pem; /* private key of this side; NULL: not ours */
        /*
         * One certificate, or several one after the other: any of them may have signed
         * (a key is being replaced). NULL: not known.
         */
        const char *cert_pem;
};

/* How requested classes are compared. Spec: SAML 2.0 Core §3.3.2.2.1 */
enum kp_comparison { KP_COMPARISON_NONE, KP_EXACT, KP_MINIMUM, KP_MAXIMUM, KP_BETTER };

/* What a service asks. Spec: SAML 2.0 Core §3.4.1 */
struct kp_login_request {
        char id[72];           /* filled by build, and by read */
        char issuer[256];      /* build: "" is the service's entity_id */
        char acs_url[512];     /* "": not stated */
        char destination[512]; /* build: "" is the provider's sso_url */
        int64_t issue_ms;
        bool force_authn, is_passive;
        char nameid_format[128]; /* "": no policy */
        bool allow_create;
        enum kp_comparison comparison;
        char contexts[8][128]; /* requested classes, in order */
        size_t n_contexts;
        char requesters[4][256]; /* Scoping RequesterID, nearest last */
        size_t n_requesters;
        int proxy_count;       /* -1: not stated */
        char relay_state[128]; /* "": none */
        /*
         * A hint in the query, "whr=school.example"; one without "=" travels as
         * domain_hint. "": none.
         */
        char login_hint[128];
        bool sign; /* build: sign it; read: it was signed and verified */
        bool post; /* travels as a form instead of a redirect */
};

/* What a provider answers. Spec: SAML 2.0 Core §2.3.3, §3.3.3 */
struct kp_login_response {
        char id[72];             /* filled by build, and by read */
        char assertion_id[72];   /* filled by both: what a replay repeats */
        char in_response_to[72]; /* "": unsolicited */
        char issuer[256];        /* build: "" is the provider's entity_id */
        char destination[512];   /* build: "" is the service's acs_url */
        char status[2][128];     /* top-level and second-level code; "" where absent */
        char status_message[128];
        char subject[256]; /* NameID */
        char subject_format[128];
        char subject_qualifier[256]; /* SPNameQualifier; "": none */
        char context[128];           /* AuthnContextClassRef */
        char authorities[4][256];    /* AuthenticatingAuthority */
        size_t n_authorities;
        int64_t authn_ms; /* AuthnInstant */
        int64_t issue_ms;
        int64_t not_before_ms, not_on_or_after_ms; /* conditions; 0: not stated */
        int64_t confirmation_until_ms;             /* 0: not stated */
        int64_t session_until_ms;                  /* 0: not stated */
        char session_index[72];
        char audience[256]; /* "": no restriction */
        struct kp_attribute {
                char name[128];
                char value[256];
        } attributes[12];
        size_t n_attributes;
        size_t n_attributes_dropped; /* read: there were more, or longer ones */
        /* build: sign it; read: signed, and the signature verified */
        bool sign_response, sign_assertion;
        char relay_state[128];
};

/* What a receiver thought of a message. */
struct kp_federation_verdict {
        bool accepted;
        const char *rule; /* that refused it: "audience", "signature-missing"... */
        char reason[200]; /* a sentence for people; "" when accepted */
        const char *spec; /* where the rule comes from */
};

/* How a message leaves: a redirect (url alone) or a form to post (url and fields). */
struct kp_message_out {
        struct kp_buf url;
        char field[24];      /* "SAMLRequest", "SAMLResponse"; "": redirect */
        struct kp_buf value; /* base64 */
        char relay_state[128];
};
void kp_message_out_done(struct kp_message_out *out);

/* How it arrives. */
struct kp_message_in {
        const char *method; /* "GET" or "POST" */
        const char *query;  /* raw query string of a redirect; NULL */
        const char *value;  /* base64 field of a post; NULL */
        const char *relay_state;
};

/* Logout. Spec: SAML 2.0 Core §3.7 */
struct kp_logout {
        bool is_response;
        char id[72];
        char in_response_to[72];
        char issuer[256];
        char destination[512];
        char subject[256];
        char subject_format[128];
        char session_index[72];
        char status[2][128];
        char relay_state[128];
        int64_t issue_ms;
        int64_t not_on_or_after_ms; /* request; 0: not stated */
        bool leave_unsigned; /* build: the profile wants logout signed, some do not */
        bool is_signed;      /* read: it was signed, and the signature verified */
};

/* What a receiver of responses expects and how strict it is. */
struct kp_response_policy {
        const struct kp_party *own;  /* audience, acs */
        const struct kp_party *peer; /* issuer, certificate; NULL: unknown, refused */
        const char *request_id;      /* NULL: none outstanding */
        bool allow_unsolicited;
        /* either suffices when both are false */
        bool want_assertion_signed, want_response_signed;
        int64_t now_ms, skew_ms;
        const char *const *contexts; /* acceptable classes; NULL: not checked */
        size_t n_contexts;

        /* How strict. All of it zero: every rule applies. */
        bool lenient; /* rules that only a strict reader has do not apply */
        /* A signature that stands beside the assertion it signs counts for it. */
        bool allow_beside;
        bool allow_sha1;        /* signatures over SHA-1 count */
        const char *location;   /* where the response arrived; NULL: own->acs_url */
        const char *const *off; /* ids of rules that this receiver does not have */
        size_t n_off;
        /* Whether this assertion was accepted before; NULL: nobody keeps count. */
        bool (*seen)(void *seen_self, const char *assertion_id);
        void *seen_self;
};

/*
 * One protocol. `ret` of every read_ function holds what could be read, also of a
 * message that was refused; nothing in it may be believed then. Errors: the harness's
 * own only.
 */
struct kp_federation {
        const char *protocol; /* "saml" */
        void *self;
        struct kp_random *random; /* ids */
        /* The caller ends `ret` of every build_ function with kp_message_out_done(). */
        int (*build_request)(struct kp_federation *self, const struct kp_party *service,
                const struct kp_party *provider, struct kp_login_request *request,
                struct kp_message_out *ret, struct kp_error *err);
        /*
         * A request without a signature is accepted with ret->sign false: whether it
         * has to be signed is the provider's policy.
         *
         * service  whose request it claims to be: its certificate verifies; NULL if
         *          unknown
         */
        int (*read_request)(struct kp_federation *self, const struct kp_message_in *in,
                const struct kp_party *provider, const struct kp_party *service,
                int64_t now_ms, struct kp_login_request *ret,
                struct kp_federation_verdict *verdict, struct kp_error *err);
        /* Who sent it, unverified: to find the party. "" if unreadable. */
        int (*read_issuer)(struct kp_federation *self, const struct kp_message_in *in,
                char ret[256], struct kp_error *err);
        int (*build_response)(struct kp_federation *self,
                const struct kp_party *provider, const struct kp_party *service,
                struct kp_login_response *response, struct kp_message_out *ret,
                struct kp_error *err);
        /* An answer with an error status is refused by the rule "status". */
        int (*read_response)(struct kp_federation *self, const struct kp_message_in *in,
                const struct kp_response_policy *policy, struct kp_login_response *ret,
                struct kp_federation_verdict *verdict, struct kp_error *err);
        int (*build_logout)(struct kp_federation *self, const struct kp_party *from,
                const struct kp_party *to, struct kp_logout *logout,
                struct kp_message_out *ret, struct kp_error *err);
        int (*read_logout)(struct kp_federation *self, const struct kp_message_in *in,
                const struct kp_party *own, const struct kp_party *peer, int64_t now_ms,
                struct kp_logout *ret, struct kp_federation_verdict *verdict,
                struct kp_error *err);
        void (*free)(struct kp_federation *self);
};

#endif
