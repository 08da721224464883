/* SPDX-License-Identifier: BSD-2-Clause */
#include "make.h"

#include <stdlib.h>
#include <string.h>

#include "keypilot/codec/cose.h"

#include "blob.h"
#include "prf.h"

#define CRED_BLOB_MAX 32 /* bytes that every key with credBlob takes. CTAP 2.1 §12.2 */

struct job {
        struct kp_made *made;
        struct kp_make_request request;
        size_t n_algorithms; /* as asked */
        size_t algorithm;    /* where one is asked after the other: its index */
        bool one_by_one;
        struct kp_ids ids;     /* excludeCredentials that may lie on this key */
        bool looked_through;   /* what is too long a list was cut down */
        struct kp_buf salts;   /* of hmac-secret-mc */
        const char *transport; /* the reply's */
};

static void
job_done(struct job *job)
{
        free(job->ids.items);
        kp_buf_wipe(&job->salts);
}

void
kp_made_done(struct kp_made *made)
{
        kp_make_reply_done(&made->reply);
        memset(made, 0, sizeof(*made));
}

static bool
key_has_algorithm(const struct kp_key_info *info, int algorithm)
{
        if (info->u2f_only)
                return algorithm == KP_COSE_ES256;
        for (size_t i = 0; i < info->n_algorithms; i++)
                if (info->algorithms[i] == algorithm)
                        return true;
        return info->n_algorithms == 0; /* it does not tell: CTAP 2.0 */
}

static int
make_once(struct kp_attempt *t, struct job *job, struct kp_error *err)
{
        kp_make_reply_done(&job->made->reply);
        return t->key->driver->ops->make(
                t->key->driver->self, &job->request, &job->made->reply, err);
}

/*
 * DEVIATION CTAP 2.1 §6.1.2 step 3: the key chooses among the algorithms; a driver that
 * can only say one is given the first that the key lists, or else the first that it
 * takes.
 */
static int
make_one_by_one(struct kp_attempt *t, struct job *job, struct kp_error *err)
{
        const struct kp_options *o = &t->ceremony->options;

        for (; job->algorithm < job->n_algorithms; job->algorithm++) {
                job->request.algorithms = &o->algorithms[job->algorithm];
                job->request.n_algorithms = 1;
                if (!key_has_algorithm(&t->info, o->algorithms[job->algorithm]))
                        continue;
                if (make_once(t, job, err) == 0) {
                        if (job->made->reply.transport != NULL ||
                                job->made->reply.status !=
                                        KP_CTAP2_ERR_UNSUPPORTED_ALGORITHM)
                                return 0;
                } else if (err->code != KP_EUNSUPPORTED) {
                        return -1;
                } else {
                        kp_error_clear(err);
                }
        }
        kp_make_reply_done(&job->made->reply);
        job->made->reply.status = KP_CTAP2_ERR_UNSUPPORTED_ALGORITHM;
        return 0;
}

/* A list that the key cannot take at once is looked through first, without a touch. */
static int
exclude_set(struct kp_attempt *t, struct job *job, const char *pin, uint8_t *ret_status,
        struct kp_error *err)
{
        size_t found;

        *ret_status = KP_CTAP_OK;
        job->request.exclude = job->ids.items;
        job->request.n_exclude = job->ids.n_items;
        if (t->info.u2f_only || !t->ceremony->browser || job->ids.n_items <= 1 ||
                job->ids.n_items <= kp_attempt_list_max(t))
                return 0;
        if (kp_attempt_preflight(
                    t, t->ceremony->rp_id, pin, &job->ids, &found, ret_status, err) < 0)
                return -1;
        job->request.exclude = &job->ids.items[found]; /* there is room for one more */
        job->request.n_exclude = found < job->ids.n_items ? 1 : 0;
        return 0;
}

static int
send_make(struct kp_attempt *t, enum kp_ternary uv, const char *pin,
        uint8_t *ret_status, struct kp_error *err)
{
        struct job *job = t->request;
        int r;

        if (!job->looked_through) {
                if (exclude_set(t, job, pin, ret_status, err) < 0)
                        return -1;
                if (*ret_status != KP_CTAP_OK)
                        return 0;
                job->looked_through = true;
        }
        job->request.uv = uv;
        job->request.pin = pin;
        if (!job->one_by_one && (r = make_once(t, job, err)) < 0) {
                if (err->code != KP_EUNSUPPORTED || job->n_algorithms < 2)
                        return -1;
                kp_error_clear(err);
                job->one_by_one = true;
        }
        if (job->one_by_one && make_one_by_one(t, job, err) < 0)
                return -1;
        job->transport = job->made->reply.transport;
        *ret_status = job->made->reply.status;
        return 0;
}

/* ---- what the options mean for this key ---- */

/* residentKey, where the client reads it. Spec: WebAuthn L3 §5.4.4 */
static enum kp_requirement
rk_asked(const struct kp_ceremony *c)
{
        const struct kp_options *o = &c->options;

        if (o->resident_key_given && c->browser &&
                kp_ceremony_fact_is(c, "residentkey_member", "no"))
                return o->require_resident_key ? KP_REQUIRED : KP_DISCOURAGED;
        return o->resident_key;
}

/* Spec: WebAuthn L3 §5.1.3 step 21 "effective resident key requirement" */
static int
rk_choose(struct kp_attempt *t, bool *ret)
{
        struct kp_ceremony *c = t->ceremony;
        enum kp_requirement asked = rk_asked(c);
        bool capable = kp_key_option(&t->info, "rk") == KP_TRUE;
        bool platform = strcmp(t->key->attachment, "platform") == 0;

        *ret = false;
        if (asked == KP_DISCOURAGED)
                return 0;
        if (!platform && c->browser) {
                if (kp_ceremony_fact_is(c, "residentkey_on_usb", "no") ||
                        (kp_ceremony_fact_is(c, "residentkey_on_usb",
                                 "only_if_credProps_requested_and_preference") &&
                                !c->options.extensions.cred_props))
                        capable = false;
                if (!capable && asked == KP_REQUIRED &&
                        kp_key_option(&t->info, "rk") == KP_TRUE)
                        return kp_throw(c->exception, "client-cannot-discover", 0,
                                KP_NOT_ALLOWED_TEXT);
        }
        if (!capable && asked == KP_REQUIRED)
                return kp_throw(
                        c->exception, "key-cannot-discover", 0, KP_NOT_ALLOWED_TEXT);
        *ret = capable;
        /* a key that says it is full is not asked in vain */
        if (capable && t->info.remaining_rk == 0 && asked == KP_PREFERRED &&
                kp_ceremony_fact_is(c, "resident_key_preferred_fallback_when_full",
                        "create_non_resident"))
                *ret = false;
        return 0;
}

static enum kp_requirement
uv_asked(const struct kp_attempt *t, bool rk, bool hmac_secret)
{
        const struct kp_ceremony *c = t->ceremony;
        enum kp_requirement uv = c->options.user_verification;

        /* what is in the device is no key that somebody may pick up */
        if (rk && c->browser && strcmp(t->key->attachment, "platform") != 0 &&
                kp_ceremony_fact_is(c, "residentkey_on_usb", "yes_uv_forced"))
                return KP_REQUIRED;
        /* WebAuthn shows only the secret that belongs to a verified person */
        if (hmac_secret && uv == KP_DISCOURAGED)
                return KP_PREFERRED;
        return uv;
}

/* Level to ask the key for. Spec: CTAP 2.1 §12.1; unasked ones are Chromium's */
static int
cred_protect_choose(struct kp_attempt *t, int *ret)
{
        struct kp_ceremony *c = t->ceremony;
        const struct kp_extensions *x = &c->options.extensions;
        int level = kp_cred_protect_level(x->cred_protect);
        bool can = kp_key_has_extension(&t->info, "credProtect");
        enum kp_requirement rk = rk_asked(c);

        *ret = 0;
        if (level > 0 && !kp_ceremony_fact_is(c, "cred_protect", "no")) {
                if (!can && x->enforce_cred_protect && level > 1)
                        return kp_throw(c->exception, "credprotect-not-on-key", 0,
                                KP_NOT_ALLOWED_TEXT);
                *ret = can ? level : 0;
                return 0;
        }
        if (!can || rk == KP_DISCOURAGED || level != 0 || !c->browser ||
                !kp_ceremony_fact_is(c, "cred_protect",
                        "level2_when_rk_preferred_or_required_level3_when_rk_required_"
                        "and_uv_preferred_unless_site_asks"))
                return 0;
        *ret = rk == KP_REQUIRED && c->options.user_verification == KP_PREFERRED ? 3
                                                                                 : 2;
        return 0;
}

/* Inputs that the key understands go on; the others are left out. */
static int
extensions_choose(struct kp_attempt *t, struct job *job, struct kp_error *err)
{
        const struct kp_ceremony *c = t->ceremony;
        const struct kp_extensions *x = &c->options.extensions;
        bool prf = x->hmac_create_secret || (x->prf && kp_prf_works(c));

        job->made->hmac_secret = prf && kp_key_has_extension(&t->info, "hmac-secret");
        job->request.hmac_secret = job->made->hmac_secret;
        job->request.min_pin_length = x->min_pin_length &&
                                      kp_key_has_extension(&t->info, "minPinLength") &&
                                      !kp_ceremony_fact_is(c, "min_pin_length", "no");
        job->made->cred_blob = x->has_cred_blob && x->cred_blob.len <= CRED_BLOB_MAX &&
                               kp_key_has_extension(&t->info, "credBlob") &&
                               kp_ceremony_fact_is(c, "cred_blob", "yes");
        if (job->made->cred_blob)
                job->request.cred_blob =
                        (struct kp_bytes){ x->cred_blob.len == 0 ? (const uint8_t *)""
                                                                 : x->cred_blob.data,
                                x->cred_blob.len };
        if (c->options.attestation == KP_CONVEY_ENTERPRISE &&
                kp_key_option(&t->info, "ep") == KP_TRUE)
                job->request.enterprise = 1;
        job->request.third_party_payment =
                x->payment && kp_key_has_extension(&t->info, "thirdPartyPayment");
        /* a newer key evaluates at once. Spec: CTAP 2.2 §12.8 */
        if (prf && x->prf_eval.given &&
                kp_key_has_extension(&t->info, "hmac-secret-mc")) {
                if (kp_prf_salts(&x->prf_eval, &job->salts, err) < 0)
                        return -1;
                job->request.hmac_salts =
                        (struct kp_bytes){ job->salts.data, job->salts.len };
        }
        return 0;
}

/* Spec: WebAuthn L3 §10.1.5; CTAP 2.1 §12.3: only discoverable ones have a blob */
static int
large_blob_choose(struct kp_attempt *t, struct job *job, bool rk)
{
        const struct kp_ceremony *c = t->ceremony;
        const struct kp_extensions *x = &c->options.extensions;
        bool required = x->large_blob_support != NULL &&
                        strcmp(x->large_blob_support, "required") == 0;

        /* an unknown word, or none, is as good as "preferred" */
        job->request.large_blob_key =
                x->large_blob && rk && c->browser && kp_blob_works(t);
        if (required && c->browser && !job->request.large_blob_key)
                return kp_throw(c->exception, "large-blob-not-supported", 0,
                        KP_NOT_ALLOWED_TEXT);
        return 0;
}

static int
algorithms_check(struct kp_attempt *t)
{
        const struct kp_options *o = &t->ceremony->options;

        for (size_t i = 0; i < o->n_algorithms; i++)
                if (key_has_algorithm(&t->info, o->algorithms[i]))
                        return 0;
        return kp_throw(
                t->ceremony->exception, "algorithm-not-on-key", 0, KP_NOT_ALLOWED_TEXT);
}

/* ---- excludeCredentials ---- */

/*
 * Ids that may lie on this key. What descriptors say of transports is not looked at:
 * the specification leaves it open, and stored ones are often wrong. Measured in
 * Chromium 156.
 */
static void
exclude_filter(const struct kp_attempt *t, struct kp_ids *ret)
{
        const struct kp_descriptors *list = &t->ceremony->options.list;

        for (size_t i = 0; i < list->n_items; i++)
                kp_attempt_id_add(t, &list->items[i].id, ret);
}

/* Registered through U2F, before there were RP IDs. Spec: WebAuthn L3 §10.1.2 */
static int
app_id_exclude(struct kp_attempt *t, const struct kp_ids *ids, struct kp_error *err)
{
        const struct kp_driver *driver = t->key->driver;
        uint8_t status;
        size_t found;

        if (t->ceremony->app_id == NULL || ids->n_items == 0)
                return 0;
        if (kp_attempt_preflight(
                    t, t->ceremony->app_id, NULL, ids, &found, &status, err) < 0)
                return -1;
        if (found == ids->n_items)
                return 0;
        kp_attempt_touch(t); /* a site may learn it once the person agreed */
        if (driver->ops->select(driver->self, &status, err) < 0) {
                if (err->code != KP_EUNSUPPORTED)
                        return -1;
                kp_error_clear(err);
        }
        kp_attempt_touched(t, KP_CTAP2_ERR_CREDENTIAL_EXCLUDED);
        return kp_attempt_refused(t, KP_CTAP2_ERR_CREDENTIAL_EXCLUDED, NULL);
}

/* ---- asking ---- */

static void
request_fill(struct kp_attempt *t, struct job *job)
{
        const struct kp_ceremony *c = t->ceremony;
        const struct kp_options *o = &c->options;

        memcpy(job->request.client_data_hash, c->client_data_hash,
                sizeof(job->request.client_data_hash));
        job->request.rp_id = c->rp_id;
        job->request.rp_name = o->rp_name;
        job->request.user_id = (struct kp_bytes){ o->user_id.data, o->user_id.len };
        job->request.user_name = o->user_name;
        job->request.user_display_name = o->user_display_name;
        job->request.algorithms = o->algorithms;
        job->request.n_algorithms = job->n_algorithms = o->n_algorithms;
}

/* Spec: WebAuthn L3 §10.1.3: unknown where an old key may have stored it unasked */
static enum kp_ternary
rk_known(const struct kp_key_info *info, bool rk)
{
        static const char *const newer[] = { "FIDO_2_1", "FIDO_2_2", "FIDO_2_3" };

        if (rk)
                return KP_TRUE;
        if (kp_key_option(info, "rk") != KP_TRUE)
                return KP_FALSE;
        for (size_t i = 0; i < KP_NELEMS(newer); i++)
                if (kp_key_has_version(info, newer[i]))
                        return KP_FALSE;
        return KP_OMIT;
}

static int
ask(struct kp_attempt *t, struct job *job, bool rk, struct kp_error *err)
{
        uint8_t status = KP_CTAP_OK;
        int r;

        job->request.rk = rk ? KP_TRUE : KP_OMIT;
        r = kp_attempt_verified(
                t, uv_asked(t, rk, job->made->hmac_secret), &status, err);
        if (r != 0)
                return r;
        if (job->transport != NULL || status != KP_CTAP_OK)
                return kp_attempt_refused(t, status, job->transport);
        job->made->rk = rk;
        job->made->large_blob = job->made->reply.large_blob_key.len > 0;
        job->made->rk_known = rk_known(&t->info, rk);
        job->made->info = t->info;
        job->made->transport = t->transport;
        job->made->attachment = t->key->attachment;
        return 0;
}

/* Spec: WebAuthn L3 §5.1.3 step 21. A full key with rk preferred is ours to solve. */
static int
ask_or_fall_back(struct kp_attempt *t, struct job *job, bool rk, struct kp_error *err)
{
        struct kp_ceremony *c = t->ceremony;
        int r = ask(t, job, rk, err);

        if (r != KP_THROWN || !rk || rk_asked(c) != KP_PREFERRED ||
                strcmp(c->exception->reason, "key-full") != 0 ||
                !kp_ceremony_fact_is(c, "resident_key_preferred_fallback_when_full",
                        "create_non_resident"))
                return r;
        *c->exception = (struct kp_exception){ 0 };
        if ((r = large_blob_choose(t, job, false)) != 0)
                return r;
        return ask(t, job, false, err);
}

int
kp_make_on_key(struct kp_attempt *attempt, void *self, struct kp_error *err)
{
        struct kp_made *made = self;
        KP_CLEANUP(job_done) struct job job = { .made = made };
        struct kp_ceremony *c = attempt->ceremony;
        bool rk = false;
        int r;

        kp_made_done(made);
        attempt->request = &job;
        attempt->send = send_make;
        request_fill(attempt, &job);
        if ((r = algorithms_check(attempt)) != 0 ||
                (r = rk_choose(attempt, &rk)) != 0 ||
                (r = cred_protect_choose(attempt, &made->cred_protect)) != 0)
                return r;
        job.request.cred_protect = made->cred_protect;
        if ((r = large_blob_choose(attempt, &job, rk)) != 0)
                return r;
        if (extensions_choose(attempt, &job, err) < 0)
                return -1;

        job.ids.items = calloc(c->options.list.n_items + 1, sizeof(*job.ids.items));
        if (job.ids.items == NULL)
                return KP_FAIL(err, KP_ENOMEM, "excludeCredentials");
        exclude_filter(attempt, &job.ids);
        if ((r = app_id_exclude(attempt, &job.ids, err)) != 0)
                return r;
        return ask_or_fall_back(attempt, &job, rk, err);
}
