/* SPDX-License-Identifier: BSD-2-Clause */
#include "extension_rules.h"

#include <string.h>

#include "prf.h"
#include "rpid.h"

static int
refuse(struct kp_ceremony *c, const char *what)
{
        return kp_throw(c->exception, "extension-input", 0, "%s", what);
}

/* Spec: WebAuthn L3 §10.1.1, §10.1.2 */
static int
app_id_syntax_check(struct kp_ceremony *c)
{
        const struct kp_extensions *x = &c->options.extensions;
        const char *asked = c->create ? x->app_id_exclude : x->app_id;

        if ((asked == NULL && x->app_id == NULL) ||
                kp_ceremony_fact_is(c, "appid", "no"))
                return 0;
        if (c->create && x->app_id != NULL)
                return refuse(
                        c, "'appid' is for logins; registrations have 'appidExclude'.");
        if (asked == NULL || !c->browser)
                return 0;
        if (!kp_appid_is_url(asked))
                return kp_throw(
                        c->exception, "appid-not-url", 0, "The AppID is not a URL.");
        return 0;
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
                (level == 1 && c->options.resident_key == KP_DISCOURAGED) ||
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

static bool
list_has(const struct kp_descriptors *list, const struct kp_buf *id)
{
        for (size_t i = 0; i < list->n_items; i++)
                if (kp_bytes_equal(list->items[i].id.data, list->items[i].id.len,
                            id->data, id->len))
                        return true;
        for (size_t i = 0; i < list->n_others; i++)
                if (kp_bytes_equal(list->others[i].data, list->others[i].len, id->data,
                            id->len))
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

        if (!x->prf_by_credential_given || !kp_prf_works(c))
                return 0;
        if (c->create)
                return refuse(c, "'evalByCredential' cannot be set when creating.");
        if (c->options.list.n_given == 0)
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

        if ((r = app_id_syntax_check(c)) != 0 || (r = misplaced_check(c)) != 0)
                return r;
        return prf_check(c, err);
}

/* Spec: WebAuthn L3 §10.1.1, §10.1.2 */
static int
app_id_check(struct kp_ceremony *c, struct kp_error *err)
{
        const struct kp_extensions *x = &c->options.extensions;
        const char *asked = c->create ? x->app_id_exclude : x->app_id;

        if (asked == NULL || kp_ceremony_fact_is(c, "appid", "no"))
                return 0;
        if (!c->browser) {
                c->app_id = strdup(asked);
                return c->app_id == NULL ? KP_FAIL(err, KP_ENOMEM, "AppID") : 0;
        }
        return kp_appid_check(&c->origin, asked, &c->app_id, c->exception, err);
}

/* The same id, listed twice, is one credential. */
static bool
names_one(const struct kp_descriptors *list)
{
        const struct kp_buf *first = &list->items[0].id;

        for (size_t i = 1; i < list->n_items; i++)
                if (!kp_bytes_equal(list->items[i].id.data, list->items[i].id.len,
                            first->data, first->len))
                        return false;
        return list->n_items > 0;
}

/* Which credential's blob would it be? Spec: WebAuthn L3 §10.1.5 */
static int
blob_write_check(struct kp_ceremony *c)
{
        if (c->create || !c->options.extensions.large_blob_write ||
                names_one(&c->options.list) ||
                !kp_ceremony_fact_is(c, "misplaced_extensions", "refused"))
                return 0;
        return refuse(c, "'largeBlob.write' needs exactly one entry in "
                         "allowCredentials.");
}

int
kp_extension_place_check(struct kp_ceremony *ceremony, struct kp_error *err)
{
        int r;

        if ((r = app_id_check(ceremony, err)) != 0 ||
                (r = cred_protect_check(ceremony)) != 0)
                return r;
        return blob_write_check(ceremony);
}
