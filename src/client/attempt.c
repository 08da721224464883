/* SPDX-License-Identifier: BSD-2-Clause */
#include "attempt.h"

#include <string.h>

void
kp_attempt_done(struct kp_attempt *attempt)
{
        kp_buf_wipe(&attempt->pin);
}

void
kp_attempt_touch(struct kp_attempt *attempt)
{
        struct kp_user *user = attempt->ceremony->client->user;

        if (user != NULL && user->touch != NULL)
                user->touch(user->self);
}

/* Spec: CTAP 2.1 §6.1.2, §6.2.2 */
void
kp_attempt_touched(struct kp_attempt *attempt, uint8_t status)
{
        static const uint8_t after_touch[] = { KP_CTAP_OK,
                KP_CTAP2_ERR_CREDENTIAL_EXCLUDED, KP_CTAP2_ERR_OPERATION_DENIED,
                KP_CTAP2_ERR_KEY_STORE_FULL, KP_CTAP2_ERR_KEEPALIVE_CANCEL,
                KP_CTAP2_ERR_NO_CREDENTIALS, KP_CTAP2_ERR_USER_ACTION_TIMEOUT,
                KP_CTAP2_ERR_UV_INVALID };

        if (memchr(after_touch, status, sizeof(after_touch)) != NULL)
                kp_ceremony_prompt(attempt->ceremony, "touch");
}

/* clang-format off */
/* Statuses that end an attempt. Spec: CTAP 2.1 §8.2, in order of value */
static const struct {
        uint8_t status;
        const char *reason;
} refusals[] = {
        { KP_CTAP1_ERR_TIMEOUT, "touch-timed-out" },
        { KP_CTAP2_ERR_CREDENTIAL_EXCLUDED, "credential-excluded" },
        { KP_CTAP2_ERR_INVALID_CREDENTIAL, "no-credential" },
        { KP_CTAP2_ERR_UNSUPPORTED_ALGORITHM, "algorithm-not-on-key" },
        { KP_CTAP2_ERR_OPERATION_DENIED, "touch-refused" },
        { KP_CTAP2_ERR_KEY_STORE_FULL, "key-full" },
        { KP_CTAP2_ERR_KEEPALIVE_CANCEL, "touch-timed-out" },
        { KP_CTAP2_ERR_NO_CREDENTIALS, "no-credential" },
        { KP_CTAP2_ERR_USER_ACTION_TIMEOUT, "touch-timed-out" },
        { KP_CTAP2_ERR_PIN_BLOCKED, "pin-blocked" },
        { KP_CTAP2_ERR_PIN_AUTH_BLOCKED, "pin-locked-until-replug" },
        { KP_CTAP2_ERR_PIN_NOT_SET, "uv-required-but-key-has-none" },
        { KP_CTAP2_ERR_PUAT_REQUIRED, "uv-required-but-key-has-none" },
        { KP_CTAP2_ERR_PIN_POLICY_VIOLATION, "pin-change-required" },
        { KP_CTAP2_ERR_ACTION_TIMEOUT, "touch-timed-out" },
        { KP_CTAP2_ERR_UV_BLOCKED, "uv-blocked" },
        { KP_CTAP2_ERR_UV_INVALID, "uv-failed" },
};
/* clang-format on */

int
kp_attempt_refused(struct kp_attempt *attempt, uint8_t status, const char *transport)
{
        const char *reason = "key-refused";

        if (transport != NULL)
                reason = strcmp(transport, "timeout") == 0      ? "touch-timed-out"
                         : strcmp(transport, "unreadable") == 0 ? "key-answer-invalid"
                                                                : "key-lost";
        for (size_t i = 0; transport == NULL && i < KP_NELEMS(refusals); i++)
                if (refusals[i].status == status)
                        reason = refusals[i].reason;
        return kp_throw(attempt->ceremony->exception, reason, status,
                strcmp(reason, "credential-excluded") == 0
                        ? "The key already holds a credential that the site listed."
                        : KP_NOT_ALLOWED_TEXT);
}

size_t
kp_attempt_list_max(const struct kp_attempt *attempt)
{
        /* a key that does not tell how long its ids are is asked for one at a time */
        if (attempt->info.max_credential_id_len <= 0 ||
                attempt->info.max_credentials_in_list <= 1)
                return 1;
        return (size_t)attempt->info.max_credentials_in_list;
}

void
kp_attempt_id_add(
        const struct kp_attempt *attempt, const struct kp_buf *id, struct kp_ids *ret)
{
        int64_t max = attempt->info.max_credential_id_len;

        if (max > 0 && id->len > (size_t)max)
                return;
        for (size_t i = 0; i < ret->n_items; i++)
                if (kp_bytes_equal(
                            ret->items[i].data, ret->items[i].len, id->data, id->len))
                        return;
        ret->items[ret->n_items++] = (struct kp_bytes){ id->data, id->len };
}

static bool
is_about_pin(uint8_t status)
{
        return (status >= KP_CTAP2_ERR_PIN_INVALID &&
                       status <= KP_CTAP2_ERR_PIN_AUTH_BLOCKED) ||
               status == KP_CTAP2_ERR_PIN_POLICY_VIOLATION;
}

/* One portion, silently. */
static int
probe(struct kp_attempt *t, const char *rp_id, const char *pin,
        const struct kp_bytes *ids, size_t n_ids, bool *ret_known, uint8_t *ret_status,
        struct kp_error *err)
{
        KP_CLEANUP(kp_get_reply_done) struct kp_get_reply reply = { 0 };
        struct kp_get_request request = {
                .rp_id = rp_id,
                .allow = ids,
                .n_allow = n_ids,
                .up = KP_FALSE,
                .pin = pin,
        };

        if (t->key->driver->ops->get(t->key->driver->self, &request, &reply, err) < 0)
                return -1;
        *ret_known = reply.transport == NULL && reply.status == KP_CTAP_OK;
        if (pin != NULL && is_about_pin(reply.status))
                *ret_status = reply.status;
        return 0;
}

int
kp_attempt_preflight(struct kp_attempt *attempt, const char *rp_id, const char *pin,
        const struct kp_ids *ids, size_t *ret, uint8_t *ret_status,
        struct kp_error *err)
{
        size_t portion = kp_attempt_list_max(attempt), n = ids->n_items;
        bool known = false;

        *ret = n;
        *ret_status = KP_CTAP_OK;
        for (size_t i = 0; i < n && !known && *ret_status == KP_CTAP_OK; i += portion) {
                if (probe(attempt, rp_id, pin, ids->items + i,
                            n - i < portion ? n - i : portion, &known, ret_status,
                            err) < 0)
                        return -1;
                if (known)
                        *ret = i;
        }
        for (size_t i = *ret; portion > 1 && i < n && i < *ret + portion; i++) {
                if (probe(attempt, rp_id, pin, ids->items + i, 1, &known, ret_status,
                            err) < 0)
                        return -1;
                if (known) {
                        *ret = i;
                        return 0;
                }
        }
        return 0;
}
