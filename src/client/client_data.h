/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_SRC_CLIENT_CLIENT_DATA_H
#define KEYPILOT_SRC_CLIENT_CLIENT_DATA_H

#include "keypilot/core/buf.h"

/*
 * Client data as the client signs it. Spec: WebAuthn L3 §5.8.1
 */
struct kp_client_data {
        const char *type;      /* "webauthn.create" or "webauthn.get" */
        const char *challenge; /* base64url */
        const char *origin;
        bool cross_origin;
        const char *top_origin; /* NULL: absent */
};

/* Spec: WebAuthn L3 §5.8.1.1 "Serialization" */
void kp_client_data_put(struct kp_buf *buf, const struct kp_client_data *data);

#endif
