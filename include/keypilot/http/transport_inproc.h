/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_HTTP_TRANSPORT_INPROC_H
#define KEYPILOT_HTTP_TRANSPORT_INPROC_H

#include "keypilot/http/message.h"

/*
 * The transport without a network: hands a request to the site whose origin it has, by
 * a function call. Fast and deterministic; time does not pass in it.
 */
struct kp_inproc {
        const struct kp_site *sites; /* borrowed; origins as of kp_url_origin() */
        size_t n_sites;
};

/* inproc   borrowed, must outlive the transport */
struct kp_transport kp_transport_inproc(struct kp_inproc *inproc);

#endif
