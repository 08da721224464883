/* SPDX-License-Identifier: BSD-2-Clause */
#include "sign.h"

#include <stdlib.h>
#include <string.h>

#include "blob.h"
#include "prf.h"

struct job {
        struct kp_signed *answer;
        struct kp_get_request request;
        struct kp_ids ids;   /* allowCredentials that may lie on this key */
        bool looked_through; /* what is too long a list was cut down */
        struct kp_buf salts;
        struct kp_token token; /* for the login and for writing a blob after it */
        const char *transport; /* the reply's */
};

static void
job_done(struct job *job)
{
        free(job->ids.items);
        kp_buf_wipe(&job->salts);
        kp_token_wipe(&job->token);
}

void
kp_signed_done(struct kp_signed *answer)
{
        kp_get_reply_done(&answer->reply);
        kp_buf_done(&answer->credential_id);
        kp_buf_wipe(&answer->blob);
        memset(answer, 0, sizeof(*answer));
}

/* ---- allowCredentials ---- */

/* Conditional mediation wants discoverable ones. Spec: WebAuthn L3 §5.1.4 step 3 */
static bool
conditional(const struct kp_ceremony *c)
{
        return c->browser && c->page->mediation == KP_MEDIATION_CONDITIONAL;
}

/* Only ways that a descriptor names are tried. Spec: WebAuthn L3 §5.1.4.2, §5.8.3 */
static int
transports_check(struct kp_attempt *t)
{
        const struct kp_descriptors *list = &t->ceremony->options.list;

        if (list->n_items == 0 || conditional(t->ceremony) || !t->ceremony->browser)
                return 0;
        for (size_t i = 0; i < list->n_items; i++) {
                if (list->items[i].n_transports == 0)
                        return 0;
                for (size_t j = 0; j < list->items[i].n_transports; j++)
                        if (strcmp(list->items[i].transports[j], t->transport) == 0)
                                return 0;
        }
        return kp_throw(
                t->ceremony->exception, "transport-not-listed", 0, KP_NOT_ALLOWED_TEXT);
}

static int
no_credential(struct kp_attempt *t, uint8_t status)
{
        return kp_throw(
                t->ceremony->exception, "no-credential", status, KP_NOT_ALLOWED_TEXT);
}

static int
ids_fill(struct kp_attempt *t, struct job *job, struct kp_error *err)
{
        const struct kp_descriptors *list = &t->ceremony->options.list;

        job->ids.items = calloc(list->n_items + 1, sizeof(*job->ids.items));
        if (job->ids.items == NULL)
                return KP_FAIL(err, KP_ENOMEM, "allowCredentials");
        for (size_t i = 0; !conditional(t->ceremony) && i < list->n_items; i++)
                kp_attempt_id_add(t, &list->items[i].id, &job->ids);
        job->answer->discoverable = list->n_items == 0 || conditional(t->ceremony);
        if (!job->answer->discoverable)
                return job->ids.n_items == 0 ? no_credential(t, 0) : 0;
        if (kp_key_option(&t->info, "rk") != KP_TRUE)
                return no_credential(t, 0);
        return 0;
}

/* ---- extensions ---- */

/* The values for the credential that is left in the list, else those for all. */
static int
prf_values_find(struct kp_attempt *t, const struct job *job,
        const struct kp_prf_values **ret, struct kp_error *err)
{
        const struct kp_extensions *x = &t->ceremony->options.extensions;

        *ret = x->prf_eval.given ? &x->prf_eval : NULL;
        for (size_t i = 0; i < x->n_prf_by_credential && job->request.n_allow == 1;
                i++) {
                KP_CLEANUP(kp_buf_done) struct kp_buf id = { 0 };
                struct kp_exception encoding = { 0 };

                if (kp_idl_base64url(
                            x->prf_by_credential[i].key, "", &id, &encoding, err) < 0)
                        return -1;
                if (kp_bytes_equal(id.data, id.len, job->request.allow[0].data,
                            job->request.allow[0].len))
                        *ret = &x->prf_by_credential[i].values;
        }
        return 0;
}

static int
extensions_choose(struct kp_attempt *t, struct job *job, struct kp_error *err)
{
        const struct kp_ceremony *c = t->ceremony;
        const struct kp_extensions *x = &c->options.extensions;
        const struct kp_prf_values *values = NULL;

        job->request.get_cred_blob = x->get_cred_blob &&
                                     kp_key_has_extension(&t->info, "credBlob") &&
                                     kp_ceremony_fact_is(c, "cred_blob", "yes");
        job->request.large_blob_key =
                (x->large_blob_read || x->large_blob_write) && kp_blob_works(t);
        job->request.third_party_payment =
                x->payment && kp_key_has_extension(&t->info, "thirdPartyPayment");
        if (!x->prf || !kp_key_has_extension(&t->info, "hmac-secret") ||
                !kp_prf_works(c))
                return 0;
        if (prf_values_find(t, job, &values, err) < 0)
                return -1;
        if (values == NULL)
                return 0;
        if (kp_prf_salts(values, &job->salts, err) < 0)
                return -1;
        job->request.hmac_salts = (struct kp_bytes){ job->salts.data, job->salts.len };
        return 0;
}

static enum kp_requirement
uv_asked(const struct kp_attempt *t, const struct job *job)
{
        const struct kp_ceremony *c = t->ceremony;
        enum kp_requirement uv = c->options.user_verification;

        /*
         * Without a list Chromium always verifies: it made these verified. Measured:
         * not what is built in and older than CTAP 2.1, where a site does not ask.
         */
        if (job->answer->discoverable && c->browser &&
                (uv != KP_DISCOURAGED || strcmp(t->transport, "internal") != 0 ||
                        kp_key_option(&t->info, "pinUvAuthToken") == KP_TRUE) &&
                kp_ceremony_fact_is(c, "residentkey_on_usb", "yes_uv_forced"))
                return KP_REQUIRED;
        if (uv != KP_DISCOURAGED)
                return uv;
        /* a protected key writes nothing for an unverified person */
        return (c->options.extensions.prf && kp_prf_works(c)) ||
                               (c->options.extensions.large_blob_write &&
                                       kp_blob_works(t))
                       ? KP_PREFERRED
                       : uv;
}

/* ---- asking ---- */

/*
 * A list that is too long for the key, or whose entries have salts of their own, is
 * looked through silently and cut down to the credential that the key knows.
 */
static int
ids_narrow(struct kp_attempt *t, struct job *job, const char *pin, uint8_t *ret_status,
        struct kp_error *err)
{
        const struct kp_ids *ids = &job->ids;
        bool by_credential = t->ceremony->options.extensions.n_prf_by_credential > 0 &&
                             kp_prf_works(t->ceremony);
        size_t found;

        *ret_status = KP_CTAP_OK;
        job->request.allow = ids->items;
        job->request.n_allow = ids->n_items;
        if (t->info.u2f_only || !t->ceremony->browser || ids->n_items <= 1 ||
                (ids->n_items <= kp_attempt_list_max(t) && !by_credential))
                return 0;
        if (kp_attempt_preflight(
                    t, t->ceremony->rp_id, pin, ids, &found, ret_status, err) < 0)
                return -1;
        /* none known: asked by one of them, the key waits for the touch and says no */
        job->request.allow = &ids->items[found < ids->n_items ? found : 0];
        job->request.n_allow = 1;
        return 0;
}

/* 0 with a token or without, 1 where the key refuses and ret_status says why. */
static int
token_ask(struct kp_attempt *t, struct job *job, const char *pin, uint8_t *ret_status,
        struct kp_error *err)
{
        struct kp_said said;

        kp_token_wipe(&job->token);
        if (kp_blob_token(t, pin, &job->token, &said, err) < 0)
                return -1;
        job->transport = said.transport;
        *ret_status = said.status;
        if (!kp_said_ok(&said))
                return 1;
        if (job->token.len > 0) {
                job->request.token = &job->token;
                job->request.pin = NULL;
                job->request.uv = KP_OMIT;
        }
        return 0;
}

static int
send_get(struct kp_attempt *t, enum kp_ternary uv, const char *pin, uint8_t *ret_status,
        struct kp_error *err)
{
        struct job *job = t->request;
        int r;

        if (!job->looked_through) {
                if (ids_narrow(t, job, pin, ret_status, err) < 0)
                        return -1;
                if (*ret_status != KP_CTAP_OK)
                        return 0;
                if (extensions_choose(t, job, err) < 0)
                        return -1;
                job->looked_through = true;
        }
        job->request.uv = uv;
        job->request.pin = pin;
        if (job->request.large_blob_key &&
                t->ceremony->options.extensions.large_blob_write &&
                (uv == KP_TRUE || pin != NULL)) {
                if ((r = token_ask(t, job, pin, ret_status, err)) != 0)
                        return r < 0 ? -1 : 0;
        }
        kp_get_reply_done(&job->answer->reply);
        if (t->key->driver->ops->get(
                    t->key->driver->self, &job->request, &job->answer->reply, err) < 0)
                return -1;
        job->transport = job->answer->reply.transport;
        *ret_status = job->answer->reply.status;
        return 0;
}

static bool
not_known(uint8_t status)
{
        return status == KP_CTAP2_ERR_NO_CREDENTIALS ||
               status == KP_CTAP2_ERR_INVALID_CREDENTIAL;
}

static int
ask(struct kp_attempt *t, struct job *job, struct kp_error *err)
{
        uint8_t status = KP_CTAP_OK;
        int r = kp_attempt_verified(t, uv_asked(t, job), &status, err);

        if (r != 0)
                return r;
        if (job->transport == NULL && not_known(status) &&
                t->ceremony->app_id != NULL && job->request.app_id == NULL) {
                /* a CTAP2 key that was registered through U2F. WebAuthn L3 §10.1.1 */
                job->request.rp_id = t->ceremony->app_id;
                if ((r = kp_attempt_verified(t, t->ceremony->options.user_verification,
                             &status, err)) != 0)
                        return r;
                job->answer->app_id_used = status == KP_CTAP_OK;
        }
        if (job->transport != NULL || status != KP_CTAP_OK)
                return kp_attempt_refused(t, status, job->transport);
        job->answer->app_id_used |= job->answer->reply.app_id_used;
        return 0;
}

/* ---- choosing ---- */

static bool
filter_passes(const struct kp_ceremony *c, const struct kp_assertion *assertion)
{
        const struct kp_descriptors *list = &c->options.list;

        if (!conditional(c) || list->n_items == 0)
                return true;
        for (size_t i = 0; i < list->n_items; i++)
                if (kp_bytes_equal(list->items[i].id.data, list->items[i].id.len,
                            assertion->credential_id.data,
                            assertion->credential_id.len))
                        return true;
        return false;
}

/* The ones that the filter lets pass move to the front. */
static size_t
filter_apply(const struct kp_ceremony *c, struct kp_get_reply *reply)
{
        size_t n = 0;

        for (size_t i = 0; i < reply->n_assertions; i++)
                if (filter_passes(c, &reply->assertions[i])) {
                        struct kp_assertion kept = reply->assertions[i];

                        reply->assertions[i] = reply->assertions[n];
                        reply->assertions[n++] = kept;
                }
        return n;
}

static int
choose(struct kp_attempt *t, struct job *job)
{
        struct kp_ceremony *c = t->ceremony;
        struct kp_user *user = c->client->user;
        size_t n = filter_apply(c, &job->answer->reply);
        int chosen = 0;

        if (n == 0)
                return no_credential(t, 0);
        if (n > 1) {
                kp_ceremony_prompt(c, "choose");
                if (user != NULL && user->choose != NULL)
                        chosen = user->choose(
                                user->self, job->answer->reply.assertions, n);
        }
        if (chosen < 0 || (size_t)chosen >= n)
                return kp_throw(c->exception, "person-gave-up", 0, KP_NOT_ALLOWED_TEXT);
        job->answer->chosen = (size_t)chosen;
        return 0;
}

/* A key may leave the id out where one was listed. Spec: WebAuthn L3 §6.3.3 */
static int
id_complete(struct kp_attempt *t, struct job *job, struct kp_error *err)
{
        const struct kp_assertion *a =
                &job->answer->reply.assertions[job->answer->chosen];

        if (a->credential_id.len > 0)
                kp_buf_put(&job->answer->credential_id, a->credential_id.data,
                        a->credential_id.len);
        else if (job->request.n_allow == 1)
                kp_buf_put(&job->answer->credential_id, job->request.allow[0].data,
                        job->request.allow[0].len);
        else
                return kp_throw(t->ceremony->exception, "key-answer-invalid", 0,
                        KP_NOT_ALLOWED_TEXT);
        return kp_buf_check(&job->answer->credential_id, err);
}

int
kp_sign_on_key(struct kp_attempt *attempt, void *self, struct kp_error *err)
{
        struct kp_signed *answer = self;
        KP_CLEANUP(job_done) struct job job = { .answer = answer };
        struct kp_ceremony *c = attempt->ceremony;
        int r;

        kp_signed_done(answer);
        attempt->request = &job;
        attempt->send = send_get;
        memcpy(job.request.client_data_hash, c->client_data_hash,
                sizeof(job.request.client_data_hash));
        job.request.rp_id = c->rp_id;
        job.request.app_id = attempt->info.u2f_only ? c->app_id : NULL;
        job.request.up = KP_OMIT; /* absent means true. CTAP 2.1 §6.2 */
        if ((r = transports_check(attempt)) != 0 ||
                (r = ids_fill(attempt, &job, err)) != 0 ||
                (r = ask(attempt, &job, err)) != 0 ||
                (r = choose(attempt, &job)) != 0 ||
                (r = id_complete(attempt, &job, err)) != 0 ||
                (r = kp_blob_serve(attempt, &job.token, answer, err)) != 0)
                return r;
        answer->transport = attempt->transport;
        answer->attachment = attempt->key->attachment;
        return 0;
}
