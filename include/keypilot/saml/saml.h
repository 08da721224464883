/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_SAML_SAML_H
#define KEYPILOT_SAML_SAML_H

#include "keypilot/model/federation.h"

/*
 * SAML 2.0 as a federation: AuthnRequest over HTTP-Redirect or HTTP-POST, Response over
 * HTTP-POST, logout over HTTP-Redirect, built and verified with libxml2 and xmlsec.
 * Spec: SAML 2.0 Core, Bindings §3.4 and §3.5, Profiles §4.1 and §4.4
 *
 * Parsed keys, and one compressor each way, belong to the process and serve every
 * federation in it, also in a worker after fork(). One thread at a time.
 */

/*
 * A federation that speaks SAML.
 *
 * random   borrowed; every ID comes from it
 * ret      the caller frees it with kp_saml_federation_free() or its own free()
 * Errors   KP_ENOMEM; KP_EENV xmlsec does not start
 */
int kp_saml_federation_new(struct kp_random *random, struct kp_federation **ret,
        struct kp_error *err) KP_MUST_CHECK;
void kp_saml_federation_free(struct kp_federation **federation);

/* Give back what belongs to the process: at its end, for leak checkers. */
void kp_saml_shutdown(void);

#endif
