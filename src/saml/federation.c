/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "keypilot/saml/saml.h"

#include "check.h"

/*
 * The interface that the world knows, over the files beside this one.
 */

static int
build_request(struct kp_federation *self, const struct kp_party *service,
        const struct kp_party *provider, struct kp_login_request *request,
        struct kp_message_out *ret, struct kp_error *err)
{
        return saml_build_request(self->random, service, provider, request, ret, err);
}

static int
read_request(struct kp_federation *self, const struct kp_message_in *in,
        const struct kp_party *provider, const struct kp_party *service, int64_t now_ms,
        struct kp_login_request *ret, struct kp_federation_verdict *verdict,
        struct kp_error *err)
{
        return saml_read_request(
                self->self, in, provider, service, now_ms, ret, verdict, err);
}

static int
build_response(struct kp_federation *self, const struct kp_party *provider,
        const struct kp_party *service, struct kp_login_response *response,
        struct kp_message_out *ret, struct kp_error *err)
{
        return saml_build_response(self->random, provider, service, response, ret, err);
}

static int
read_response(struct kp_federation *self, const struct kp_message_in *in,
        const struct kp_response_policy *policy, struct kp_login_response *ret,
        struct kp_federation_verdict *verdict, struct kp_error *err)
{
        return saml_read_response(self->self, in, policy, ret, verdict, err);
}

static int
build_logout(struct kp_federation *self, const struct kp_party *from,
        const struct kp_party *to, struct kp_logout *logout, struct kp_message_out *ret,
        struct kp_error *err)
{
        return saml_build_logout(self->random, from, to, logout, ret, err);
}

static int
read_logout(struct kp_federation *self, const struct kp_message_in *in,
        const struct kp_party *own, const struct kp_party *peer, int64_t now_ms,
        struct kp_logout *ret, struct kp_federation_verdict *verdict,
        struct kp_error *err)
{
        return saml_read_logout(self->self, in, own, peer, now_ms, ret, verdict, err);
}

static int
read_issuer(struct kp_federation *self, const struct kp_message_in *in, char ret[256],
        struct kp_error *err)
{
        return saml_read_issuer(self->self, in, ret, err);
}

static void
free_federation(struct kp_federation *self)
{
        saml_memo_done(self->self);
        free(self->self);
        free(self);
}

void
kp_saml_federation_free(struct kp_federation **federation)
{
        if (*federation != NULL)
                (*federation)->free(*federation);
        *federation = NULL;
}

int
kp_saml_federation_new(
        struct kp_random *random, struct kp_federation **ret, struct kp_error *err)
{
        struct kp_federation *federation;
        struct saml_memo *memo;

        if (saml_start(err) < 0)
                return -1;
        federation = calloc(1, sizeof(*federation));
        memo = calloc(1, sizeof(*memo));
        if (federation == NULL || memo == NULL) {
                free(federation);
                free(memo);
                return KP_FAIL(err, KP_ENOMEM, "federation");
        }
        *federation = (struct kp_federation){
                .protocol = "saml",
                .self = memo,
                .random = random,
                .build_request = build_request,
                .read_request = read_request,
                .read_issuer = read_issuer,
                .build_response = build_response,
                .read_response = read_response,
                .build_logout = build_logout,
                .read_logout = read_logout,
                .free = free_federation,
        };
        *ret = federation;
        return 0;
}
