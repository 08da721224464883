/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_HTTP_MESSAGE_H
#define KEYPILOT_HTTP_MESSAGE_H

#include "keypilot/core/buf.h"
#include "keypilot/core/error.h"

/*
 * HTTP messages as structs, and the site that answers them. No sockets here: a
 * transport carries messages between an agent and sites.
 * Spec: RFC 9110
 */
struct kp_header {
        char *name; /* as written; compared without regard to case */
        char *value;
};
struct kp_headers {
        struct kp_header *items;
        size_t n_items;
};

/*
 * Add one, copied.
 *
 * Errors   KP_ENOMEM; KP_EPARSE a name that is no word, a line break in the value
 */
int kp_headers_add(struct kp_headers *headers, const char *name, const char *value,
        struct kp_error *err) KP_MUST_CHECK;

/* The value of the first of that name, borrowed; NULL: none. */
const char *kp_headers_get(const struct kp_headers *headers, const char *name);
void kp_headers_done(struct kp_headers *headers); /* frees, leaves { 0 } */

struct kp_request {
        char method[8];
        char *url; /* absolute */
        struct kp_headers headers;
        struct kp_buf body;
};
void kp_request_done(struct kp_request *request);

struct kp_response {
        int status;
        struct kp_headers headers;
        struct kp_buf body;
};
void kp_response_done(struct kp_response *response);

/*
 * A URL, taken apart as a browser does: blanks around it and line breaks inside go, "\"
 * is "/", host names become lower-case ASCII, what may not stand bare is
 * percent-encoded, dot segments are removed, user information is dropped. The caller
 * ends it with kp_url_done().
 * Spec: URL Standard §4.4; RFC 3986
 */
struct kp_url {
        char *scheme;   /* lower case */
        char *host;     /* lower case, without port */
        int port;       /* the scheme's own where none is written; 0: it has none */
        char *path;     /* begins with "/" */
        char *query;    /* without "?"; NULL: none */
        char *fragment; /* without "#"; NULL: none */
};

/*
 * ret      overwritten on success only
 * Errors   KP_EPARSE no scheme, no host (as in "mailto:a"), or a host or port that
 *          cannot be; KP_ENOMEM
 */
int kp_url_parse(
        const char *text, struct kp_url *ret, struct kp_error *err) KP_MUST_CHECK;

/*
 * `reference` against `base`, absolute. What has a scheme without a host of its own
 * ("mailto:a", "myapp:done") comes back as it is.
 *
 * ret      malloc'ed
 * Errors   KP_EPARSE, as above
 * Spec     RFC 3986 §5.2
 */
int kp_url_resolve(const char *base, const char *reference, char **ret,
        struct kp_error *err) KP_MUST_CHECK;

/* "https://host" with a port only where it is not the scheme's own; malloc'ed. */
int kp_url_origin(const char *url, char **ret, struct kp_error *err) KP_MUST_CHECK;

/* The whole again; malloc'ed. */
int kp_url_write(
        const struct kp_url *url, char **ret, struct kp_error *err) KP_MUST_CHECK;
void kp_url_done(struct kp_url *url); /* frees, leaves { 0 } */

/* One HTTP application. */
struct kp_site {
        const char *origin; /* "https://login.example" */
        void *self;
        /*
         * Answer a request.
         *
         * ret      filled, starts as { 0 }
         * Errors   the harness's own only
         */
        int (*handle)(void *self, const struct kp_request *request,
                struct kp_response *ret, struct kp_error *err);
};

/* Carries a request to whoever answers it. */
struct kp_transport {
        void *self;
        /*
         * Bring the answer back.
         *
         * ret      filled, starts as { 0 }; status 0: nobody answers at that address
         * Errors   the harness's own only
         */
        int (*send)(void *self, const struct kp_request *request,
                struct kp_response *ret, struct kp_error *err);
};

#endif
