/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "keypilot/core/free.h"

#include "ctap.h"
#include "real.h"

/* ---- info ---- */

static int
ctap_info(void *self, struct kp_key_info *ret, struct kp_error *err)
{
        KP_CLEANUP(kp_answer_done) struct kp_answer answer = { 0 };
        struct kp_ctap *ctap = self;

        if (!ctap->info.u2f_only && !ctap->info_fresh) {
                if (kp_ctap_get_info(ctap, &answer, err) < 0)
                        return -1;
                if (!kp_answer_ok(&answer))
                        return KP_FAIL(err, KP_EIO,
                                "the key does not tell what it is (%s)",
                                answer.transport != NULL
                                        ? answer.transport
                                        : kp_ctap_status_name(answer.status));
        }
        *ret = ctap->info;
        return 0;
}

/* ---- make ---- */

/* The exclude list that goes out: as it is, or what the key knows of a long one. */
static int
exclude_list(struct kp_ctap *ctap, const struct kp_make_request *request,
        const struct kp_session *session, struct kp_bytes *one, struct kp_list *ret,
        struct kp_answer *answer, struct kp_error *err)
{
        const struct kp_ctap_get get = {
                .rp_id = request->rp_id,
                .client_data_hash = request->client_data_hash,
                .auth = &session->auth,
        };

        if (kp_ctap_preflight(ctap, &get, *ret, one, answer, err) < 0)
                return -1;
        *ret = (struct kp_list){ one, one->len > 0 };
        return 0;
}

/* How long the message is without its list. */
static size_t
make_rest_len(const struct kp_ctap_make *make)
{
        KP_CLEANUP(kp_buf_wipe) struct kp_buf message = { 0 };
        struct kp_ctap_make rest = *make;

        rest.exclude = (struct kp_list){ 0 };
        kp_ctap_put_make(&message, &rest);
        return message.len;
}

/* What only a touch takes from a token, which leaves the writing of large blobs. */
static void
token_spend(struct kp_token *token, enum kp_ternary up)
{
        if (token != NULL && !token->plain && up != KP_FALSE)
                token->permissions &= KP_CTAP_PERM_LBW;
}

/* hmac-secret's input, where there are salts; `salts` holds it. */
static int
put_salts(struct kp_ctap *ctap, const struct kp_session *session,
        struct kp_bytes wanted, struct kp_buf *salts, struct kp_bytes *ret,
        struct kp_error *err)
{
        if (wanted.data == NULL)
                return 0;
        if (kp_ctap_put_salts(ctap, &session->agreement, wanted, salts, err) < 0)
                return -1;
        *ret = (struct kp_bytes){ salts->data, salts->len };
        return 0;
}

/* The session is open: put the message together and send it. */
static int
make_ask(struct kp_ctap *ctap, struct kp_ctap_make *make, struct kp_session *session,
        bool fits, struct kp_answer *answer, struct kp_error *err)
{
        const struct kp_make_request *request = make->request;
        KP_CLEANUP(kp_buf_wipe) struct kp_buf message = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf salts = { 0 };
        struct kp_bytes one;

        kp_session_sign(
                session, request->client_data_hash, sizeof(request->client_data_hash));
        if (put_salts(ctap, session, request->hmac_salts, &salts, &make->hmac_secret,
                    err) < 0)
                return -1;
        if (!fits && exclude_list(ctap, request, session, &one, &make->exclude, answer,
                             err) < 0)
                return -1;
        if (!kp_answer_ok(answer))
                return 0;
        kp_ctap_put_make(&message, make);
        return kp_ctap_cbor(ctap, &message, answer, err);
}

static int
make_send(struct kp_ctap *ctap, const struct kp_make_request *request,
        struct kp_session *session, struct kp_answer *answer, struct kp_error *err)
{
        struct kp_ctap_make make = {
                .request = request,
                .exclude = { request->exclude, request->n_exclude },
                .auth = &session->auth,
        };
        bool fits = kp_ctap_list_fits(&ctap->info, make.exclude, make_rest_len(&make));
        struct kp_wanted wanted = {
                .pin = request->pin,
                .uv = request->uv,
                .permissions = KP_CTAP_PERM_MC,
                .rp_id = request->rp_id,
                .agreement = request->hmac_salts.data != NULL,
                .token = request->token,
        };

        if (!fits)
                wanted.permissions |= KP_CTAP_PERM_GA;
        if (kp_session_open(ctap, &wanted, session, answer, err) < 0)
                return -1;
        if (!kp_answer_ok(answer))
                return 0;
        return make_ask(ctap, &make, session, fits, answer, err);
}

static int
ctap_make(void *self, const struct kp_make_request *request, struct kp_make_reply *ret,
        struct kp_error *err)
{
        KP_CLEANUP(kp_answer_done) struct kp_answer answer = { 0 };
        KP_CLEANUP(kp_session_done) struct kp_session session = { 0 };
        struct kp_error unreadable = { 0 };
        struct kp_ctap *ctap = self;

        *ret = (struct kp_make_reply){ 0 };
        if (ctap->info.u2f_only)
                return kp_ctap_u2f_make(ctap, request, ret, err);
        if (make_send(ctap, request, &session, &answer, err) < 0)
                return -1;
        ret->status = answer.transport == NULL ? answer.status : KP_CTAP_OK;
        ret->transport = answer.transport;
        if (!kp_answer_ok(&answer))
                return 0;
        token_spend(request->token, KP_TRUE);
        if (kp_ctap_parse_make(&answer.body,
                    request->hmac_salts.data != NULL ? &session.agreement.secret : NULL,
                    ret, &unreadable) < 0) {
                kp_make_reply_done(ret);
                ret->transport = "unreadable";
        }
        return 0;
}

/* ---- get ---- */

static int
assertion_add(struct kp_get_reply *reply, const struct kp_answer *answer,
        const struct kp_pin_secret *secret, size_t *ret_n, struct kp_error *err)
{
        struct kp_assertion *more =
                realloc(reply->assertions, (reply->n_assertions + 1) * sizeof(*more));

        if (more == NULL)
                return KP_FAIL(err, KP_ENOMEM, "assertion");
        reply->assertions = more;
        more[reply->n_assertions] = (struct kp_assertion){ 0 };
        reply->n_assertions++;
        return kp_ctap_parse_get(
                &answer->body, secret, &more[reply->n_assertions - 1], ret_n, err);
}

/* The first assertion is in `answer`; fetch the others. Spec: CTAP 2.1 §6.3 */
static int
get_collect(struct kp_ctap *ctap, const struct kp_pin_secret *secret,
        struct kp_answer *answer, struct kp_get_reply *ret, struct kp_error *err)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf next = { 0 };
        struct kp_error unreadable = { 0 };
        size_t n = 1, ignored;
        int r = assertion_add(ret, answer, secret, &n, &unreadable);

        kp_buf_put_u8(&next, KP_CTAP_GET_NEXT_ASSERTION);
        for (size_t i = 1; r == 0 && i < n; i++) {
                if (kp_ctap_cbor(ctap, &next, answer, err) < 0)
                        return -1;
                if (!kp_answer_ok(answer))
                        return 0;
                r = assertion_add(ret, answer, secret, &ignored, &unreadable);
        }
        if (r < 0)
                answer->transport = "unreadable";
        return 0;
}

/* A long list shrinks to the one that the key knows, or to one that it does not. */
static int
allow_list(struct kp_ctap *ctap, struct kp_ctap_get *get, struct kp_bytes *one,
        struct kp_answer *answer, struct kp_error *err)
{
        static const uint8_t nobody[1];

        if (kp_ctap_preflight(ctap, get, get->allow, one, answer, err) < 0)
                return -1;
        if (one->len == 0)
                *one = (struct kp_bytes){ nobody, sizeof(nobody) };
        get->allow = (struct kp_list){ one, 1 };
        return 0;
}

static size_t
get_rest_len(const struct kp_ctap_get *get)
{
        KP_CLEANUP(kp_buf_wipe) struct kp_buf message = { 0 };
        struct kp_ctap_get rest = *get;

        rest.allow = (struct kp_list){ 0 };
        kp_ctap_put_get(&message, &rest);
        return message.len;
}

static int
get_send(struct kp_ctap *ctap, struct kp_ctap_get *get, struct kp_answer *answer,
        struct kp_error *err)
{
        KP_CLEANUP(kp_buf_wipe) struct kp_buf message = { 0 };
        struct kp_bytes one;

        if (!kp_ctap_list_fits(&ctap->info, get->allow, get_rest_len(get)) &&
                allow_list(ctap, get, &one, answer, err) < 0)
                return -1;
        if (!kp_answer_ok(answer))
                return 0;
        kp_ctap_put_get(&message, get);
        return kp_ctap_cbor(ctap, &message, answer, err);
}

static int
get_under(struct kp_ctap *ctap, const struct kp_get_request *request, const char *rp_id,
        struct kp_get_reply *ret, struct kp_error *err)
{
        KP_CLEANUP(kp_answer_done) struct kp_answer answer = { 0 };
        KP_CLEANUP(kp_session_done) struct kp_session session = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf salts = { 0 };
        const struct kp_wanted wanted = {
                .pin = request->pin,
                .uv = request->uv,
                .permissions = KP_CTAP_PERM_GA,
                .rp_id = rp_id,
                .agreement = request->hmac_salts.data != NULL,
                .token = request->token,
        };
        struct kp_ctap_get get = {
                .rp_id = rp_id,
                .client_data_hash = request->client_data_hash,
                .allow = { request->allow, request->n_allow },
                .up = request->up,
                .uv = request->uv,
                .get_cred_blob = request->get_cred_blob,
                .large_blob_key = request->large_blob_key,
                .third_party_payment = request->third_party_payment,
                .uvm = request->uvm,
                .auth = &session.auth,
        };

        if (kp_session_open(ctap, &wanted, &session, &answer, err) < 0)
                return -1;
        kp_session_sign(
                &session, request->client_data_hash, sizeof(request->client_data_hash));
        if (kp_answer_ok(&answer) && put_salts(ctap, &session, request->hmac_salts,
                                             &salts, &get.hmac_secret, err) < 0)
                return -1;
        if (kp_answer_ok(&answer) && get_send(ctap, &get, &answer, err) < 0)
                return -1;
        if (kp_answer_ok(&answer))
                token_spend(request->token, request->up);
        if (kp_answer_ok(&answer) &&
                get_collect(ctap, wanted.agreement ? &session.agreement.secret : NULL,
                        &answer, ret, err) < 0)
                return -1;
        if (!kp_answer_ok(&answer))
                kp_get_reply_done(ret);
        ret->status = answer.transport == NULL ? answer.status : KP_CTAP_OK;
        ret->transport = answer.transport;
        return 0;
}

static int
ctap_get(void *self, const struct kp_get_request *request, struct kp_get_reply *ret,
        struct kp_error *err)
{
        struct kp_ctap *ctap = self;

        *ret = (struct kp_get_reply){ 0 };
        if (ctap->info.u2f_only)
                return kp_ctap_u2f_get(ctap, request, ret, err);
        if (get_under(ctap, request, request->rp_id, ret, err) < 0)
                return -1;
        /* Spec: WebAuthn L3 §10.1.1: registered with U2F, on a key that speaks both */
        if (request->app_id == NULL || ret->transport != NULL ||
                ret->status != KP_CTAP2_ERR_NO_CREDENTIALS)
                return 0;
        if (get_under(ctap, request, request->app_id, ret, err) < 0)
                return -1;
        ret->app_id_used = ret->n_assertions > 0;
        return 0;
}

/* ---- PIN, removal, selection ---- */

static int
said_only(const struct kp_said *said, uint8_t *ret_status, struct kp_error *err)
{
        if (said->transport != NULL)
                return KP_FAIL(
                        err, KP_EIO, "the key gave no answer (%s)", said->transport);
        *ret_status = said->status;
        return 0;
}

static int
status_only(const struct kp_answer *answer, uint8_t *ret_status, struct kp_error *err)
{
        struct kp_said said;

        kp_answer_said(answer, &said);
        return said_only(&said, ret_status, err);
}

static int
ctap_pin_retries(
        void *self, uint8_t *ret_status, int *ret_retries, struct kp_error *err)
{
        KP_CLEANUP(kp_answer_done) struct kp_answer answer = { 0 };
        struct kp_ctap *ctap = self;

        if (ctap->info.u2f_only)
                return KP_FAIL(
                        err, KP_EUNSUPPORTED, "a key that speaks U2F only has no PIN");
        if (kp_ctap_pin_retries(ctap, ret_retries, &answer, err) < 0)
                return -1;
        return status_only(&answer, ret_status, err);
}

static int
ctap_set_pin(void *self, const char *pin, uint8_t *ret_status, struct kp_error *err)
{
        KP_CLEANUP(kp_answer_done) struct kp_answer answer = { 0 };
        struct kp_ctap *ctap = self;

        if (ctap->info.u2f_only)
                return KP_FAIL(
                        err, KP_EUNSUPPORTED, "a key that speaks U2F only has no PIN");
        if (kp_ctap_set_pin(ctap, NULL, pin, &answer, err) < 0)
                return -1;
        return status_only(&answer, ret_status, err);
}

int
kp_driver_ctap_places(struct kp_driver *driver, const char *pin, uint8_t *ret_status,
        int64_t *ret_places, struct kp_error *err)
{
        const struct kp_pin_or_token proof = { pin, NULL };
        struct kp_said said = { 0 };
        int64_t used;

        if (kp_ctap_rk_ops.places(driver->self, &proof, &used, ret_places, &said, err) <
                0)
                return -1;
        return said_only(&said, ret_status, err);
}

static int
ctap_remove(void *self, struct kp_bytes credential_id, const char *pin,
        uint8_t *ret_status, struct kp_error *err)
{
        const struct kp_pin_or_token proof = { pin, NULL };
        struct kp_said said = { 0 };

        if (kp_ctap_rk_ops.remove(self, credential_id, &proof, &said, err) < 0)
                return -1;
        return said_only(&said, ret_status, err);
}

/* A dummy that no key can fulfil without a touch. Spec: CTAP 2.1 §6.1.2 step 1 */
static void
put_dummy(struct kp_ctap *ctap, struct kp_buf *message)
{
        static const uint8_t user[1] = { 1 };
        static const int es256 = -7;
        const struct kp_make_request dummy = {
                .rp_id = ".dummy",
                .user_id = { user, sizeof(user) },
                .user_name = "dummy",
                .algorithms = &es256,
                .n_algorithms = 1,
        };
        const struct kp_pin_auth none = { 0 };
        size_t at = message->len + 1;

        kp_ctap_put_make(
                message, &(struct kp_ctap_make){ .request = &dummy, .auth = &none });
        if (kp_key_option(&ctap->info, "clientPin") == KP_OMIT || message->failed)
                return;
        message->data[at] += 2; /* two more members: an empty pinUvAuthParam */
        kp_cbor_put_int(message, 8);
        kp_cbor_put_bytes(message, "", 0);
        kp_cbor_put_int(message, 9);
        kp_cbor_put_int(message, kp_ctap_pin_protocol(&ctap->info));
}

static int
ctap_select(void *self, uint8_t *ret_status, struct kp_error *err)
{
        KP_CLEANUP(kp_answer_done) struct kp_answer answer = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf message = { 0 };
        struct kp_ctap *ctap = self;

        if (ctap->info.u2f_only) {
                if (kp_ctap_u2f_touch(ctap, &answer, err) < 0)
                        return -1;
                return status_only(&answer, ret_status, err);
        }
        if (kp_key_has_version(&ctap->info, "FIDO_2_1"))
                kp_buf_put_u8(&message, KP_CTAP_SELECTION);
        else
                put_dummy(ctap, &message);
        if (kp_ctap_cbor(ctap, &message, &answer, err) < 0)
                return -1;
        if (answer.status == KP_CTAP2_ERR_PIN_NOT_SET ||
                answer.status == KP_CTAP2_ERR_PIN_INVALID ||
                answer.status == KP_CTAP2_ERR_PIN_AUTH_INVALID)
                answer.status = KP_CTAP_OK; /* touched, which is all that was wanted */
        return status_only(&answer, ret_status, err);
}

static int
ctap_extra(void *self, struct kp_extra *ret, struct kp_error *err)
{
        struct kp_ctap *ctap = self;

        if (ctap->info.u2f_only)
                return KP_FAIL(
                        err, KP_EUNSUPPORTED, "a key that speaks U2F only has no more");
        *ret = (struct kp_extra){
                .self = ctap,
                .pin = &kp_ctap_pin_ops,
                .blobs = &kp_ctap_blob_ops,
                .passkeys = &kp_ctap_rk_ops,
                .config = &kp_ctap_config_ops,
                .fingers = &kp_ctap_finger_ops,
                .wire = &kp_ctap_wire_ops,
        };
        return 0;
}

static void
ctap_close(void *self)
{
        struct kp_ctap *ctap = self;

        ctap->seam.ops->close(ctap->seam.self);
        free(ctap);
}

static const struct kp_driver_ops ctap_ops = {
        .name = "ctap",
        .info = ctap_info,
        .make = ctap_make,
        .get = ctap_get,
        .pin_retries = ctap_pin_retries,
        .set_pin = ctap_set_pin,
        .remove = ctap_remove,
        .select = ctap_select,
        .extra = ctap_extra,
        .close = ctap_close,
};

/* Find out what it is: CTAP2, or U2F where it is nothing more. */
static int
ctap_identify(struct kp_ctap *ctap, struct kp_error *err)
{
        KP_CLEANUP(kp_answer_done) struct kp_answer answer = { 0 };

        if (kp_ctap_init(ctap, err) < 0)
                return -1;
        if ((ctap->capabilities & KP_CTAPHID_CAP_CBOR) != 0) {
                if (kp_ctap_get_info(ctap, &answer, err) < 0)
                        return -1;
                if (kp_answer_ok(&answer))
                        return 0;
        }
        if ((ctap->capabilities & KP_CTAPHID_CAP_NMSG) != 0)
                return KP_FAIL(err, KP_EIO,
                        "the key speaks no U2F and does not tell what else it is (%s)",
                        answer.transport != NULL ? answer.transport
                                                 : kp_ctap_status_name(answer.status));
        kp_key_info_u2f(&ctap->info);
        return 0;
}

int
kp_driver_open_ctap(struct kp_seam seam, struct kp_random *random,
        struct kp_driver *ret, struct kp_error *err)
{
        struct kp_ctap *ctap = calloc(1, sizeof(*ctap));

        if (ctap == NULL) {
                seam.ops->close(seam.self);
                return KP_FAIL(err, KP_ENOMEM, "driver");
        }
        ctap->seam = seam;
        ctap->random = random;
        if (ctap_identify(ctap, err) < 0) {
                ctap_close(ctap);
                return -1;
        }
        *ret = (struct kp_driver){ &ctap_ops, ctap };
        return 0;
}
