/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/crypto.h>
#include <string.h>

#include "keypilot/core/free.h"

#include "ctap.h"

void
kp_session_done(struct kp_session *session)
{
        kp_agreement_done(&session->agreement);
        kp_token_wipe(&session->token);
        OPENSSL_cleanse(&session->auth, sizeof(session->auth));
}

/* Is there something to get a token by? */
static bool
wants_token(const struct kp_ctap *ctap, const struct kp_wanted *wanted)
{
        return wanted->pin != NULL ||
               (wanted->uv == KP_TRUE && kp_key_option(&ctap->info, "uv") == KP_TRUE &&
                       kp_key_option(&ctap->info, "pinUvAuthToken") == KP_TRUE);
}

int
kp_session_open(struct kp_ctap *ctap, const struct kp_wanted *wanted,
        struct kp_session *ret, struct kp_answer *answer, struct kp_error *err)
{
        bool has = wanted->token != NULL && wanted->token->len > 0;
        bool token = !has && wants_token(ctap, wanted);

        if (has)
                ret->token = *wanted->token;
        if (!token && !wanted->agreement)
                return 0;
        if (kp_ctap_agree(ctap, &ret->agreement, answer, err) < 0)
                return -1;
        if (!kp_answer_ok(answer) || !token)
                return 0;
        return kp_ctap_token(ctap, &ret->agreement, wanted, &ret->token, answer, err);
}

void
kp_session_sign(struct kp_session *session, const void *message, size_t message_len)
{
        if (session->token.len > 0)
                kp_ctap_authenticate(
                        &session->token, message, message_len, &session->auth);
}

int
kp_session_open_for(struct kp_ctap *ctap, const struct kp_pin_or_token *proof,
        uint8_t permission, struct kp_session *ret, struct kp_answer *answer,
        struct kp_error *err)
{
        const struct kp_wanted wanted = {
                .pin = proof == NULL ? NULL : proof->pin,
                .token = proof == NULL ? NULL : proof->token,
                .uv = KP_TRUE,
                .permissions = permission,
        };

        return kp_session_open(ctap, &wanted, ret, answer, err);
}

/* prefix || subCommand || subCommandParams */
static int
sub_sign(
        const struct kp_ctap_sub *sub, struct kp_session *session, struct kp_error *err)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf message = { 0 };

        if (sub->prefix.len > 0)
                kp_buf_put(&message, sub->prefix.data, sub->prefix.len);
        kp_buf_put_u8(&message, sub->number);
        if (sub->params->len > 0)
                kp_buf_put(&message, sub->params->data, sub->params->len);
        if (kp_buf_check(sub->params, err) < 0 || kp_buf_check(&message, err) < 0)
                return -1;
        kp_session_sign(session, message.data, message.len);
        return 0;
}

/* Members in order: [modality,] subCommand, params, protocol, pinUvAuthParam */
int
kp_ctap_sub(struct kp_ctap *ctap, const struct kp_ctap_sub *sub,
        struct kp_session *session, struct kp_answer *answer, struct kp_error *err)
{
        KP_CLEANUP(kp_buf_wipe) struct kp_buf message = { 0 };
        const struct kp_pin_auth *auth = &session->auth;
        int key = 1;

        if (sub_sign(sub, session, err) < 0)
                return -1;
        kp_buf_put_u8(&message, sub->cmd);
        kp_cbor_put_map(&message, 1 + (size_t)(sub->modality != 0) +
                                          (size_t)(sub->params->len > 0) +
                                          (auth->len > 0 ? 2 : 0));
        if (sub->modality != 0) {
                kp_cbor_put_int(&message, key++);
                kp_cbor_put_int(&message, sub->modality);
        }
        kp_cbor_put_int(&message, key++);
        kp_cbor_put_int(&message, sub->number);
        if (sub->params->len > 0) {
                kp_cbor_put_int(&message, key);
                kp_buf_put(&message, sub->params->data, sub->params->len);
        }
        key++;
        if (auth->len > 0) {
                kp_cbor_put_int(&message, key++);
                kp_cbor_put_int(&message, auth->protocol);
                kp_cbor_put_int(&message, key);
                kp_cbor_put_bytes(&message, auth->param, auth->len);
        }
        return kp_ctap_cbor(ctap, &message, answer, err);
}

int
kp_ctap_sub_once(struct kp_ctap *ctap, const struct kp_ctap_sub *sub,
        const struct kp_pin_or_token *proof, uint8_t permission,
        struct kp_answer *answer, struct kp_error *err)
{
        KP_CLEANUP(kp_session_done) struct kp_session session = { 0 };

        if (kp_session_open_for(ctap, proof, permission, &session, answer, err) < 0)
                return -1;
        if (!kp_answer_ok(answer))
                return 0;
        return kp_ctap_sub(ctap, sub, &session, answer, err);
}

/* ---- PINs and tokens ---- */

static int
pin_token(void *self, const struct kp_token_wish *wish, struct kp_token *ret,
        struct kp_said *said, struct kp_error *err)
{
        KP_CLEANUP(kp_agreement_done) struct kp_agreement agreement = { 0 };
        KP_CLEANUP(kp_answer_done) struct kp_answer answer = { 0 };
        KP_CLEANUP(kp_token_wipe) struct kp_token token = { 0 };
        const struct kp_wanted wanted = {
                .pin = wish->pin,
                .permissions = wish->permissions,
                .rp_id = wish->rp_id,
        };
        struct kp_ctap *ctap = self;

        if (wish->pin == NULL &&
                kp_key_option(&ctap->info, "pinUvAuthToken") != KP_TRUE)
                return KP_FAIL(err, KP_EUNSUPPORTED,
                        "this key gives no token for its own verification");
        if (kp_ctap_agree(ctap, &agreement, &answer, err) < 0)
                return -1;
        if (kp_answer_ok(&answer) &&
                kp_ctap_token(ctap, &agreement, &wanted, &token, &answer, err) < 0)
                return -1;
        kp_answer_said(&answer, said);
        if (kp_answer_ok(&answer))
                *ret = token;
        return 0;
}

static int
pin_change(void *self, const char *old_pin, const char *new_pin, struct kp_said *said,
        struct kp_error *err)
{
        KP_CLEANUP(kp_answer_done) struct kp_answer answer = { 0 };

        if (kp_ctap_set_pin(self, old_pin, new_pin, &answer, err) < 0)
                return -1;
        kp_answer_said(&answer, said);
        return 0;
}

static int
pin_uv_retries(void *self, int *ret, struct kp_said *said, struct kp_error *err)
{
        KP_CLEANUP(kp_answer_done) struct kp_answer answer = { 0 };

        if (kp_ctap_uv_retries(self, ret, &answer, err) < 0)
                return -1;
        kp_answer_said(&answer, said);
        return 0;
}

static int
pin_reset(void *self, struct kp_said *said, struct kp_error *err)
{
        KP_CLEANUP(kp_answer_done) struct kp_answer answer = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf request = { 0 };
        struct kp_ctap *ctap = self;
        KP_CLEANUP(kp_answer_done) struct kp_answer fresh = { 0 };

        kp_buf_put_u8(&request, KP_CTAP_RESET);
        if (kp_ctap_cbor(ctap, &request, &answer, err) < 0)
                return -1;
        kp_answer_said(&answer, said);
        /* all that we decide by may have changed */
        return kp_answer_ok(&answer) ? kp_ctap_get_info(ctap, &fresh, err) : 0;
}

const struct kp_pin_ops kp_ctap_pin_ops = { pin_token, pin_change, pin_uv_retries,
        pin_reset };
