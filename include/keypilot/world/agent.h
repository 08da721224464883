/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_WORLD_AGENT_H
#define KEYPILOT_WORLD_AGENT_H

#include "keypilot/client/client.h"
#include "keypilot/http/form.h"
#include "keypilot/http/message.h"

/*
 * The agent: a browser window that a person uses. This is the seam behind which the
 * simulated browser stands, and where a browser driven by WebDriver, or a real
 * person's, can take its place: open, look, follow, fill in, touch the key.
 */

/* What is on the screen. Borrowed from the agent until its next move. */
struct kp_view {
        int status; /* of HTTP; 0: nobody answered */
        const char *url;
        const struct kp_html *html;
        const json_t *data; /* the page's machine-readable part; NULL: none */
        unsigned moves;     /* how many pages were shown, this one included */
};

/* What the browser forgets. */
enum kp_agent_forget {
        KP_AGENT_CLOSE, /* the window is closed: session cookies go */
        KP_AGENT_WIPE,  /* and everything else: a fresh profile */
};

/* What any browser can do. Errors are the harness's own but where it says so. */
struct kp_agent_ops {
        const char *name; /* "simulated" */
        /* Go to an address; whether anybody answers is seen in the view. */
        int (*open)(void *self, const char *url, struct kp_error *err);
        /* Press a link; KP_ENOTFOUND when the page has none with that id. */
        int (*follow)(void *self, const char *link_id, struct kp_error *err);
        /* Fill in a form and send it; values may be NULL. */
        int (*submit)(void *self, const char *form_id, const struct kp_pairs *values,
                struct kp_error *err);
        /*
         * Run the page's WebAuthn ceremony and send what comes of it.
         *
         * ret      name "" when a credential was sent, else the page is still there
         */
        int (*ceremony)(void *self, struct kp_exception *ret, struct kp_error *err);
        const struct kp_view *(*view)(void *self); /* borrowed until the next move */
        int (*forget)(void *self, enum kp_agent_forget what, struct kp_error *err);
        void (*free)(void *self);
};

struct kp_agent {
        const struct kp_agent_ops *ops;
        void *self;
};
void kp_agent_free(struct kp_agent *agent); /* { 0 }-safe, leaves { 0 } */

/* An address that traces call by a role. */
struct kp_named_origin {
        const char *origin;
        const char *role;
};

/* What the simulated browser is made of. Everything borrowed. */
struct kp_agent_env {
        struct kp_transport transport;
        struct kp_clock *clock;
        struct kp_trace *trace;
        struct kp_client **client; /* in use; may be exchanged between moves */
        const struct kp_named_origin *names;
        size_t n_names;
};

/*
 * The simulated browser.
 *
 * ret      the caller frees it with kp_agent_free()
 * Errors   KP_ENOMEM
 */
int kp_agent_new_simulated(const struct kp_agent_env *env, struct kp_agent *ret,
        struct kp_error *err) KP_MUST_CHECK;

#endif
