/* SPDX-License-Identifier: BSD-2-Clause */
#include <ctype.h>
#include <libpsl.h>
#include <string.h>

#include "keypilot/http/cookie.h"
#include "keypilot/http/message.h"

/* The list compiled into libpsl: no file to load, the same on every machine. */
static const psl_ctx_t *
suffixes(void)
{
        return psl_builtin();
}

static bool
is_address(const char *host)
{
        size_t len = strlen(host);

        /* kp_url_parse() leaves no host with a last number that is not an address */
        return *host == '[' || (len > 0 && isdigit((unsigned char)host[len - 1]) &&
                                       strspn(host, "0123456789.") == len);
}

bool
kp_is_public_suffix(const char *host)
{
        return !is_address(host) &&
               psl_is_public_suffix2(suffixes(), host, PSL_TYPE_ANY);
}

const char *
kp_site_of(const char *host)
{
        const char *site;

        if (is_address(host))
                return host;
        site = psl_registrable_domain(suffixes(), host);
        return site == NULL ? host : site;
}

int
kp_same_site(const char *url_a, const char *url_b, bool *ret, struct kp_error *err)
{
        KP_CLEANUP(kp_url_done) struct kp_url a = { 0 };
        KP_CLEANUP(kp_url_done) struct kp_url b = { 0 };

        if (kp_url_parse(url_a, &a, err) < 0 || kp_url_parse(url_b, &b, err) < 0)
                return -1;
        *ret = strcmp(a.scheme, b.scheme) == 0 &&
               strcmp(kp_site_of(a.host), kp_site_of(b.host)) == 0;
        return 0;
}
