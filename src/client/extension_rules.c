/* SPDX-License-Identifier: BSD-2-Clause */
#include "extension_rules.h"

#include <string.h>

#include "rpid.h"

static int
refuse(struct kp_ceremony *c, const char *what)
{
        return kp_throw(c->exception, "extension-input", 0, "%s", what);
}

/* Spec: WebAuthn L3 §10.1.1, §10.1.2 */
static int
app_id_check(struct kp_ceremony *c, struct kp_error *err)
{
        const struct kp_extensions *x = &c->options.extensions;
        const char *asked = c->create ? x->app_id_exclude : x->app_id;

        if ((asked == NULL && x->app_id == NULL) ||
                kp_ceremony_fact_is(c, "appid", "no"))
                return 0;
        if (c->create && x->app_id != NULL)
                return refuse(
                        c, "'appid' is for logins; registrations have 'appidExclude'.");
        if (asked == NULL)
                return 0;
        if (!c->browser) {
                c->app_id = strdup(asked);
                return c->app_id == NULL ? KP_FAIL(err, KP_ENOMEM, "AppID") : 0;
        }
        if (!c->create && c->options.list.n_items == 0)
                return refuse(c, "The 'appid' extension needs allowCredentials.");
        return kp_appid_check(&c->origin, asked, &c->app_id, c->exception, err);
}

/* Contradictions that Chromium refuses: content/browser/webauth, and measured. */
static int
cred_protect_check(struct kp_ceremony *c)
{
        const struct kp_extensions *x = &c->options.extensions;
        int level = kp_cred_protect_level(x->cred_protect);

        if (!c->create || (level == 0 && !x->enforce_cred_protect) ||
                !kp_ceremony_fact_is(c, "misplaced_extensions", "refused"))
                return 0;
        if (level < 0)
                return refuse(c, "The credential protection policy is not known.");
        if ((x->enforce_cred_protect && level < 2) ||
                (level == 3 && c->options.user_verification != KP_REQUIRED))
                return refuse(c,
                        "The protection policy contradicts the rest of the request.");
        return 0;
}

/* Inputs that belong to the other ceremony, or contradict each other. */
static int
misplaced_check(struct kp_ceremony *c)
{
        const struct kp_extensions *x = &c->options.extensions;
        bool wrong = c->create ? x->large_blob_read || x->large_blob_write
                               : x->cred_props || x->large_blob_support != NULL ||
                                         (x->large_blob_read && x->large_blob_write);

        if (!wrong || !kp_ceremony_fact_is(c, "misplaced_extensions", "refused"))
                return 0;
        return refuse(c, "An extension input is not valid in this ceremony.");
}

bool
kp_extension_prf_works(const struct kp_ceremony *ceremony)
{
        return kp_ceremony_fact_is(ceremony, "prf", "create_and_get") ||
               (ceremony->create && !kp_ceremony_fact_is(ceremony, "prf", "no"));
}

static bool
list_has(const struct kp_descriptors *list, const struct kp_buf *id)
{
        for (size_t i = 0; i < list->n_items; i++)
                if (kp_bytes_equal(list->items[i].id.data, list->items[i].id.len,
                            id->data, id->len))
                        return true;
        return false;
}

/* Spec: WebAuthn L3 §10.1.4, client extension processing (authentication), 1 and 2 */
static int
prf_key_check(struct kp_ceremony *c, const char *key, struct kp_error *err)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf id = { 0 };
        struct kp_exception encoding = { 0 };
        int r = kp_idl_base64url(key, "evalByCredential", &id, &encoding, err);

        if (r < 0)
                return r;
        if (r != 0 || id.len == 0 || !list_has(&c->options.list, &id))
                return kp_throw(c->exception, "extension-syntax", 0,
                        "A key of 'evalByCredential' is not in allowCredentials.");
        return 0;
}

static int
prf_check(struct kp_ceremony *c, struct kp_error *err)
{
        const struct kp_extensions *x = &c->options.extensions;
        int r;

        if (x->n_prf_by_credential == 0 || !kp_extension_prf_works(c))
                return 0;
        if (c->create)
                return refuse(c, "'evalByCredential' cannot be set when creating.");
        if (c->options.list.n_items == 0)
                return refuse(c, "'evalByCredential' needs allowCredentials.");
        for (size_t i = 0; i < x->n_prf_by_credential; i++)
                if ((r = prf_key_check(c, x->prf_by_credential[i].key, err)) != 0)
                        return r;
        return 0;
}

int
kp_extension_rules_check(struct kp_ceremony *ceremony, struct kp_error *err)
{
        struct kp_ceremony *c = ceremony;
        int r;

        if ((r = app_id_check(c, err)) != 0 || (r = cred_protect_check(c)) != 0 ||
                (r = misplaced_check(c)) != 0)
                return r;
        return prf_check(c, err);
}
