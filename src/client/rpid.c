/* SPDX-License-Identifier: BSD-2-Clause */
#include "rpid.h"

#include <libpsl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "keypilot/core/file.h"
#include "keypilot/core/free.h"
#include "keypilot/http/message.h"

#define MAX_LABELS 5     /* registrable origin labels. Spec: WebAuthn L3 §5.11 */
#define MAX_REDIRECTS 20 /* Spec: Fetch §4.4 */

static bool
is_public_suffix(const char *domain)
{
        /* the rule "*" of the list counts: an unknown top-level domain is one too */
        return psl_is_public_suffix2(psl_builtin(), domain, PSL_TYPE_ANY) == 1;
}

/*
 * DEVIATION HTML §7.1.1: it parses the suffix as a host first, so that EXAMPLE.com
 * would do; we compare the text as it is, as Chromium does, since the text is what the
 * key signs.
 */
bool
kp_rpid_is_suffix(const char *suffix, const char *host)
{
        size_t suffix_len = strlen(suffix), host_len = strlen(host);

        if (strcmp(suffix, host) == 0)
                return true;
        if (suffix_len == 0 || suffix_len >= host_len || kp_host_is_ip(host) ||
                is_public_suffix(suffix))
                return false;
        /* a host of the root zone, "example.com.", is at home in "example.com" */
        if (host[host_len - 1] == '.' && suffix[suffix_len - 1] != '.')
                host_len--;
        if (suffix_len > host_len ||
                memcmp(host + host_len - suffix_len, suffix, suffix_len) != 0)
                return false;
        return suffix_len == host_len || host[host_len - suffix_len - 1] == '.';
}

const char *
kp_rpid_registrable(const char *host)
{
        if (kp_host_is_ip(host))
                return NULL;
        return psl_registrable_domain(psl_builtin(), host);
}

/* The first label of the registrable domain. Spec: WebAuthn L3 §4 */
static char *
origin_label(const char *host)
{
        const char *domain = kp_rpid_registrable(host);

        return domain == NULL ? NULL : strndup(domain, strcspn(domain, "."));
}

static const json_t *
answer_find(const json_t *well_known, const char *host)
{
        const json_t *answer;
        size_t i;

        json_array_foreach (well_known, i, answer)
                if (strcmp(kp_json_str(answer, "host", ""), host) == 0)
                        return answer;
        return NULL;
}

static const char *
answer_header(const json_t *answer, const char *name)
{
        const json_t *value;
        const char *key;

        json_object_foreach ((json_t *)json_object_get(answer, "headers"), key, value)
                if (strcasecmp(key, name) == 0)
                        return json_string_value(value);
        return NULL;
}

static bool
is_redirect(int64_t status)
{
        return status == 301 || status == 302 || status == 303 || status == 307 ||
               status == 308;
}

/* The media type alone, whatever parameters follow it. */
static bool
is_json_type(const char *type)
{
        static const char json[] = "application/json";
        size_t len = strlen(json);

        if (type == NULL || strncasecmp(type, json, len) != 0)
                return false;
        return type[len + strspn(type + len, " \t")] == '\0' ||
               type[len + strspn(type + len, " \t")] == ';';
}

/*
 * Fetch https://HOST/.well-known/webauthn from the page's idea of the network, and
 * follow redirects, all of which must be HTTPS.
 *
 * ret      the last answer; NULL: the fetch failed
 */
static int
well_known_fetch(const json_t *well_known, const char *host, const json_t **ret,
        struct kp_error *err)
{
        KP_CLEANUP(kp_free_str) char *at = strdup(host);

        *ret = NULL;
        for (int i = 0; at != NULL && i < MAX_REDIRECTS; i++) {
                KP_CLEANUP(kp_url_done) struct kp_url next = { 0 };
                const json_t *answer = answer_find(well_known, at);
                const char *location = answer_header(answer, "location");
                struct kp_error why = { 0 };

                if (!is_redirect(kp_json_int(answer, "status", 0))) {
                        *ret = answer;
                        return 0;
                }
                if (location == NULL || kp_url_parse(location, &next, &why) < 0 ||
                        strcmp(next.scheme, "https") != 0 ||
                        strcmp(next.path, "/.well-known/webauthn") != 0)
                        return 0;
                free(at);
                at = strdup(next.host);
        }
        return at == NULL ? KP_FAIL(err, KP_ENOMEM, "related origins") : 0;
}

/* Array of strings, or NULL; a new reference. The body is text or, handier, JSON. */
static json_t *
origins_read(const json_t *answer)
{
        const json_t *body = json_object_get(answer, "body"), *item;
        json_auto_t *parsed = NULL;
        json_t *origins;
        size_t i;

        if (kp_json_int(answer, "status", 0) / 100 != 2 ||
                !is_json_type(answer_header(answer, "content-type")))
                return NULL;
        parsed = json_is_string(body) ? json_loads(json_string_value(body), 0, NULL)
                                      : json_incref((json_t *)body);
        origins = json_object_get(parsed, "origins");
        if (!json_is_array(origins))
                return NULL;
        json_array_foreach (origins, i, item)
                if (!json_is_string(item))
                        return NULL;
        return json_incref(origins);
}

struct labels {
        char *seen[MAX_LABELS];
        size_t n_seen;
};

static void
labels_done(struct labels *labels)
{
        for (size_t i = 0; i < labels->n_seen; i++)
                free(labels->seen[i]);
}

/*
 * Count the label of a listed host; false: it is one too many, or the host has none.
 * Takes `label` over.
 */
static bool
labels_admit(struct labels *labels, char *label)
{
        for (size_t i = 0; label != NULL && i < labels->n_seen; i++)
                if (strcmp(labels->seen[i], label) == 0) {
                        free(label);
                        return true;
                }
        if (label == NULL || label[0] == '\0' || labels->n_seen == MAX_LABELS) {
                free(label);
                return false;
        }
        labels->seen[labels->n_seen++] = label;
        return true;
}

/* Spec: WebAuthn L3 §5.11.1 steps 3 to 5 */
static bool
origin_listed(const struct kp_origin *origin, const json_t *origins)
{
        KP_CLEANUP(labels_done) struct labels labels = { 0 };
        const json_t *item;
        size_t i;

        json_array_foreach (origins, i, item) {
                KP_CLEANUP(kp_origin_done) struct kp_origin listed = { 0 };
                struct kp_error why = { 0 };

                if (kp_origin_parse(json_string_value(item), &listed, &why) < 0 ||
                        listed.opaque ||
                        !labels_admit(&labels, origin_label(listed.host)))
                        continue;
                if (strcmp(listed.text, origin->text) == 0)
                        return true;
        }
        return false;
}

/* Spec: WebAuthn L3 §5.11.1 "Validating Related Origins" */
static int
related_check(const struct kp_origin *origin, const char *requested,
        const json_t *well_known, struct kp_exception *exception, struct kp_error *err)
{
        json_auto_t *origins = NULL;
        const json_t *answer;

        if (well_known_fetch(well_known, requested, &answer, err) < 0)
                return -1;
        if (answer == NULL || (origins = origins_read(answer)) == NULL)
                return kp_throw(exception, "related-origins-unreadable", 0,
                        "The RP ID does not belong to the page's domain, and the list "
                        "of related origins at the RP ID could not be read.");
        if (!origin_listed(origin, origins))
                return kp_throw(exception, "related-origin-not-listed", 0,
                        "The RP ID does not belong to the page's domain, and the list "
                        "of related origins at the RP ID does not name the page.");
        return 0;
}

/* A host name as a URL would have it, unchanged by the parser. Spec: URL §3.4 */
static bool
is_domain(const char *text)
{
        KP_CLEANUP(kp_url_done) struct kp_url url = { 0 };
        KP_CLEANUP(kp_free_str) char *address = kp_format("https://%s/", text);
        struct kp_error why = { 0 };

        return address != NULL && text[strcspn(text, "/:@?# \t\r\n\\")] == '\0' &&
               kp_url_parse(address, &url, &why) == 0 && strcmp(url.host, text) == 0 &&
               !kp_host_is_ip(text);
}

int
kp_rpid_choose(const struct kp_origin *origin, const char *requested,
        const json_t *well_known, bool related, char **ret,
        struct kp_exception *exception, struct kp_error *err)
{
        const char *chosen = requested == NULL ? origin->host : requested;
        int r;

        if (!kp_rpid_is_suffix(chosen, origin->host)) {
                if (!related || !is_domain(chosen) || kp_host_is_localhost(chosen))
                        return kp_throw(exception, "rp-id-not-for-origin", 0,
                                "The relying party ID is not a registrable domain "
                                "suffix "
                                "of, nor equal to the current domain.");
                if ((r = related_check(origin, chosen, well_known, exception, err)) !=
                        0)
                        return r;
        }
        if ((*ret = strdup(chosen)) == NULL)
                return KP_FAIL(err, KP_ENOMEM, "RP ID");
        return 0;
}

/*
 * DEVIATION FIDO AppID and Facet v1.2 §3.1.2: it lets a list of trusted facets at the
 * AppID decide; we, like browsers, compare registrable domains and fetch no list.
 */
bool
kp_appid_is_url(const char *app_id)
{
        KP_CLEANUP(kp_url_done) struct kp_url url = { 0 };
        struct kp_error why = { 0 };

        return app_id[0] == '\0' || kp_url_parse(app_id, &url, &why) == 0;
}

int
kp_appid_check(const struct kp_origin *origin, const char *app_id, char **ret,
        struct kp_exception *exception, struct kp_error *err)
{
        KP_CLEANUP(kp_url_done) struct kp_url url = { 0 };
        const char *own = kp_rpid_registrable(origin->host), *its;
        struct kp_error why = { 0 };

        if (app_id[0] != '\0' && kp_url_parse(app_id, &url, &why) < 0)
                return kp_throw(
                        exception, "appid-not-url", 0, "The AppID is not a URL.");
        its = app_id[0] == '\0' ? own : kp_rpid_registrable(url.host);
        if (own == NULL || its == NULL || strcmp(own, its) != 0 ||
                (url.scheme != NULL && strcmp(url.scheme, "https") != 0))
                return kp_throw(exception, "appid-not-for-origin", 0,
                        "The AppID belongs to another site.");
        *ret = strdup(app_id[0] == '\0' ? origin->text : app_id);
        return *ret == NULL ? KP_FAIL(err, KP_ENOMEM, "AppID") : 0;
}
