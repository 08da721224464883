/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/http/transport_inproc.h"

#include <string.h>

#include "keypilot/core/free.h"

static const struct kp_site *
site_find(const struct kp_inproc *inproc, const char *origin)
{
        for (size_t i = 0; i < inproc->n_sites; i++)
                if (strcmp(inproc->sites[i].origin, origin) == 0)
                        return &inproc->sites[i];
        return NULL;
}

static int
inproc_send(void *self, const struct kp_request *request, struct kp_response *ret,
        struct kp_error *err)
{
        KP_CLEANUP(kp_free_str) char *origin = NULL;
        const struct kp_site *site;

        if (kp_url_origin(request->url, &origin, err) < 0)
                return KP_WHILE(err, "in-process request");
        if ((site = site_find(self, origin)) == NULL) {
                ret->status = 0;
                return 0;
        }
        if (site->handle(site->self, request, ret, err) < 0)
                return KP_WHILE(err, "%s", origin);
        return 0;
}

struct kp_transport
kp_transport_inproc(struct kp_inproc *inproc)
{
        return (struct kp_transport){ .self = inproc, .send = inproc_send };
}
