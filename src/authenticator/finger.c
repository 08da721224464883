/* SPDX-License-Identifier: BSD-2-Clause */
#include "internal.h"

#define INTERNAL_ATTEMPTS 3 /* CTAP 2.1 §6.5.3.1 maxUvAttemptsForInternalRetries */
#define U2F_TOUCH_LASTS_MS 10000

/* When the finger comes next, counted from now. */
static int64_t
finger_due(const struct kp_authenticator *key)
{
        const struct kp_auth_finger *finger = &key->finger;

        return finger->finger == KP_FINGER_WITHHOLDS ? INT64_MAX
                                                     : key->now_ms + finger->after_ms;
}

void
kp_authenticator_set_finger(struct kp_authenticator *authenticator,
        enum kp_finger finger, int64_t after_ms, bool verification)
{
        struct kp_auth_finger *f = &authenticator->finger;

        f->finger = finger;
        f->after_ms = after_ms < 0 ? 0 : after_ms;
        f->verification = verification;
        if (f->asked && f->outcome == KP_AUTH_TOUCH_PENDING)
                f->due_ms = finger_due(authenticator);
}

/* A right finger restores the tries, a wrong one costs one. Spec: CTAP 2.1 §6.5.3.1 */
static void
finger_verified(struct kp_authenticator *key)
{
        struct kp_auth_finger *f = &key->finger;

        key->uv_retries--;
        f->attempts--;
        if (f->verification) {
                key->uv_retries = (unsigned)key->facts->uv_retries;
                f->outcome = KP_AUTH_TOUCH_GIVEN;
        } else if (key->uv_retries == 0 || f->attempts == 0) {
                f->outcome = KP_AUTH_TOUCH_FAILED;
        } else {
                f->due_ms = finger_due(key);
        }
}

void
kp_auth_finger_tick(struct kp_authenticator *key)
{
        struct kp_auth_finger *f = &key->finger;

        while (f->asked && f->outcome == KP_AUTH_TOUCH_PENDING) {
                if (f->due_ms > key->now_ms || f->due_ms > f->deadline_ms) {
                        if (f->deadline_ms <= key->now_ms)
                                f->outcome = KP_AUTH_TOUCH_TIMEOUT;
                        return;
                }
                if (f->finger == KP_FINGER_REFUSES)
                        f->outcome = KP_AUTH_TOUCH_REFUSED;
                else if (!f->verifying)
                        f->outcome = KP_AUTH_TOUCH_GIVEN;
                else
                        finger_verified(key);
        }
}

static enum kp_auth_touch
finger_ask(struct kp_authenticator *key, bool verifying, unsigned attempts)
{
        struct kp_auth_finger *f = &key->finger;

        if (!f->asked) {
                f->asked = true;
                f->verifying = verifying;
                f->attempts = attempts;
                f->outcome = KP_AUTH_TOUCH_PENDING;
                f->due_ms = finger_due(key);
                f->deadline_ms = key->now_ms + KP_AUTH_TOUCH_MS;
                kp_auth_finger_tick(key);
        }
        return f->outcome;
}

enum kp_auth_touch
kp_auth_finger_touch(struct kp_authenticator *key)
{
        return finger_ask(key, false, 0);
}

enum kp_auth_touch
kp_auth_finger_verify(struct kp_authenticator *key, bool internal_retry)
{
        if (!key->finger.asked && key->uv_retries == 0)
                return KP_AUTH_TOUCH_FAILED;
        return finger_ask(key, true, internal_retry ? INTERNAL_ATTEMPTS : 1);
}

void
kp_auth_finger_forget(struct kp_authenticator *key)
{
        key->finger.asked = false;
        key->finger.outcome = KP_AUTH_TOUCH_PENDING;
}

int64_t
kp_auth_finger_next_ms(const struct kp_authenticator *key)
{
        const struct kp_auth_finger *f = &key->finger;

        if (!f->asked || f->outcome != KP_AUTH_TOUCH_PENDING)
                return -1;
        return f->due_ms < f->deadline_ms ? f->due_ms : f->deadline_ms;
}

bool
kp_auth_finger_u2f(struct kp_authenticator *key)
{
        struct kp_auth_finger *f = &key->finger;

        if (f->u2f_since_ms >= 0 && key->now_ms - f->u2f_last_ms > U2F_TOUCH_LASTS_MS)
                f->u2f_since_ms = -1; /* nobody polled: the light went out */
        if (f->u2f_since_ms < 0)
                f->u2f_since_ms = key->now_ms;
        f->u2f_last_ms = key->now_ms;
        if (f->finger != KP_FINGER_TOUCHES ||
                key->now_ms < f->u2f_since_ms + f->after_ms)
                return false;
        f->u2f_since_ms = -1;
        return true;
}

int
kp_auth_touch_status(const struct kp_authenticator *key, enum kp_auth_touch touch)
{
        if (touch == KP_AUTH_TOUCH_PENDING)
                return KP_AUTH_PENDING;
        if (touch == KP_AUTH_TOUCH_GIVEN)
                return KP_CTAP_OK;
        if (touch != KP_AUTH_TOUCH_TIMEOUT ||
                key->facts->touch_timeout == KP_TOUCH_TIMEOUT_DENIED)
                return KP_CTAP2_ERR_OPERATION_DENIED;
        return key->facts->touch_timeout == KP_TOUCH_TIMEOUT_USER
                       ? KP_CTAP2_ERR_USER_ACTION_TIMEOUT
                       : KP_CTAP2_ERR_ACTION_TIMEOUT;
}
