/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_SRC_CLIENT_ORIGIN_H
#define KEYPILOT_SRC_CLIENT_ORIGIN_H

#include "throw.h"

/*
 * Origins of pages. Spec: HTML §7.1.1 "Origins"; Secure Contexts §3.1
 */
struct kp_origin {
        bool opaque;
        char *text;   /* serialized: "https://login.example:8443", "null" */
        char *scheme; /* NULL when opaque */
        char *host;   /* lower-case ASCII */
        int port;
};

/* Errors  KP_ESCHEMA neither "null" nor an http or https address */
int kp_origin_parse(
        const char *text, struct kp_origin *ret, struct kp_error *err) KP_MUST_CHECK;
void kp_origin_done(struct kp_origin *origin);

/* The host is an IP address: it "ends in a number" or is in brackets. Spec: URL §3.5 */
bool kp_host_is_ip(const char *host);
/* localhost and what ends in .localhost. Spec: Secure Contexts §3.1 */
bool kp_host_is_localhost(const char *host);

#endif
