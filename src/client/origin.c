/* SPDX-License-Identifier: BSD-2-Clause */
#include "origin.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "keypilot/core/free.h"
#include "keypilot/http/message.h"

static int
opaque_set(struct kp_origin *ret, struct kp_error *err)
{
        ret->opaque = true;
        if ((ret->text = strdup("null")) == NULL)
                return KP_FAIL(err, KP_ENOMEM, "origin");
        return 0;
}

int
kp_origin_parse(const char *text, struct kp_origin *ret, struct kp_error *err)
{
        KP_CLEANUP(kp_url_done) struct kp_url url = { 0 };
        KP_CLEANUP(kp_free_str) char *serialized = NULL;
        struct kp_error why = { 0 };

        if (strcmp(text, "null") == 0)
                return opaque_set(ret, err);
        if (kp_url_parse(text, &url, &why) < 0 ||
                (strcmp(url.scheme, "https") != 0 && strcmp(url.scheme, "http") != 0))
                return KP_FAIL(err, KP_ESCHEMA,
                        "'%.100s' is not the address of a page: expected one such as "
                        "https://login.example",
                        text);
        if (kp_url_origin(text, &serialized, err) < 0)
                return -1;
        ret->text = KP_STEAL(serialized);
        ret->scheme = KP_STEAL(url.scheme);
        ret->host = KP_STEAL(url.host);
        ret->port = url.port;
        return 0;
}

void
kp_origin_done(struct kp_origin *origin)
{
        free(origin->text);
        free(origin->scheme);
        free(origin->host);
        memset(origin, 0, sizeof(*origin));
}

int
kp_page_origin_check(const char *origin, struct kp_error *err)
{
        KP_CLEANUP(kp_origin_done) struct kp_origin parsed = { 0 };

        return kp_origin_parse(origin, &parsed, err);
}

bool
kp_host_is_ip(const char *host)
{
        size_t len = strlen(host);
        const char *last;

        if (host[0] == '[' || strchr(host, ':') != NULL)
                return true;
        if (len > 0 && host[len - 1] == '.')
                len--;
        for (last = host + len; last > host && last[-1] != '.'; last--)
                ;
        len -= (size_t)(last - host);
        if (len > 1 && last[0] == '0' && tolower((unsigned char)last[1]) == 'x')
                return strspn(last + 2, "0123456789abcdefABCDEF") >= len - 2;
        return len > 0 && strspn(last, "0123456789") >= len;
}

bool
kp_host_is_localhost(const char *host)
{
        static const char suffix[] = ".localhost";
        size_t len = strlen(host);

        return strcmp(host, "localhost") == 0 ||
               (len > strlen(suffix) &&
                       strcmp(host + len - strlen(suffix), suffix) == 0);
}
