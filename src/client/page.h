/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_SRC_CLIENT_PAGE_H
#define KEYPILOT_SRC_CLIENT_PAGE_H

#include "origin.h"

/*
 * What a page's place allows. Spec: WebAuthn L3 §5.9; Permissions Policy
 */

/*
 * Is the feature on where the page stands?
 *
 * feature     "publickey-credentials-get" or "publickey-credentials-create"
 * use_header  the client reads the Permissions-Policy header, not only `allow`
 */
bool kp_page_feature_allowed(const struct kp_page *page, const struct kp_origin *origin,
        const char *feature, bool use_header);

#endif
