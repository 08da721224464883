/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/http/message.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "keypilot/core/free.h"

int
kp_headers_add(struct kp_headers *headers, const char *name, const char *value,
        struct kp_error *err)
{
        KP_CLEANUP(kp_free_str) char *own_name = NULL;
        KP_CLEANUP(kp_free_str) char *own_value = NULL;
        struct kp_header *grown;

        if (*name == '\0' || strpbrk(name, "\r\n: ") != NULL)
                return KP_FAIL(err, KP_EPARSE,
                        "a header's name is one word without line breaks, colons or "
                        "blanks");
        if (strpbrk(value, "\r\n") != NULL)
                return KP_FAIL(err, KP_EPARSE,
                        "header %.40s: a line break in its value", name);
        own_name = strdup(name);
        own_value = strdup(value);
        grown = reallocarray(headers->items, headers->n_items + 1, sizeof(*grown));
        if (grown != NULL)
                headers->items = grown;
        if (own_name == NULL || own_value == NULL || grown == NULL)
                return KP_FAIL(err, KP_ENOMEM, "header %.40s", name);

        grown[headers->n_items++] =
                (struct kp_header){ KP_STEAL(own_name), KP_STEAL(own_value) };
        return 0;
}

const char *
kp_headers_get(const struct kp_headers *headers, const char *name)
{
        for (size_t i = 0; i < headers->n_items; i++)
                if (strcasecmp(headers->items[i].name, name) == 0)
                        return headers->items[i].value;
        return NULL;
}

void
kp_headers_done(struct kp_headers *headers)
{
        for (size_t i = 0; i < headers->n_items; i++) {
                free(headers->items[i].name);
                free(headers->items[i].value);
        }
        free(headers->items);
        *headers = (struct kp_headers){ 0 };
}

void
kp_request_done(struct kp_request *request)
{
        free(request->url);
        kp_headers_done(&request->headers);
        /* bodies carry passwords and assertions */
        kp_buf_wipe(&request->body);
        *request = (struct kp_request){ 0 };
}

void
kp_response_done(struct kp_response *response)
{
        kp_headers_done(&response->headers);
        kp_buf_wipe(&response->body);
        *response = (struct kp_response){ 0 };
}
