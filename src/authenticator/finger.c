/* SPDX-License-Identifier: BSD-2-Clause */
#include "internal.h"

#define INTERNAL_ATTEMPTS 3 /* CTAP 2.1 §6.5.3.1 maxUvAttemptsForInternalRetries */
#define U2F_TOUCH_LASTS_MS 10000

/* When the finger comes next, counted from now. */
static int64_t
finger_due(const struct kp_authenticator *key)
{
        const struct kp_auth_finger *f = &key->finger;

        return f->withheld || f->finger == KP_FINGER_WITHHOLDS
                       ? INT64_MAX
                       : key->now_ms + f->after_ms + f->late_ms;
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

/*
 * One try at built-in verification begins. It is counted, and kept, before anybody can
 * know how it ends, so that no cut of power gives it back.
 */
static void
try_begin(struct kp_authenticator *key)
{
        struct kp_auth_finger *f = &key->finger;

        key->uv_retries--;
        key->uv_count++;
        f->attempts--;
        if (kp_auth_keep(key) != KP_CTAP_OK)
                f->outcome = KP_AUTH_TOUCH_FAILED;
}

/* A right finger restores the tries; after a wrong one there may be another. */
static void
try_end(struct kp_authenticator *key)
{
        struct kp_auth_finger *f = &key->finger;

        if (f->verification) {
                key->uv_retries = (unsigned)key->facts->uv_retries;
                f->outcome = KP_AUTH_TOUCH_GIVEN;
        } else if (key->uv_retries == 0 || f->attempts == 0) {
                f->outcome = KP_AUTH_TOUCH_FAILED;
        } else {
                try_begin(key);
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
                if (f->refused || f->finger == KP_FINGER_REFUSES)
                        f->outcome = KP_AUTH_TOUCH_REFUSED;
                else if (!f->verifying)
                        f->outcome = KP_AUTH_TOUCH_GIVEN;
                else
                        try_end(key);
        }
}

/* What this command asks of the person; zero members: an ordinary touch. */
struct wish {
        unsigned attempts; /* of built-in verification */
        int64_t hold_ms, timeout_ms;
        bool nobody;
};

static enum kp_auth_touch
finger_ask(struct kp_authenticator *key, const struct wish *wish)
{
        struct kp_auth_finger *f = &key->finger;
        int64_t late_ms = 0;

        if (f->asked)
                return f->outcome;
        f->asked = true;
        f->verifying = wish->attempts > 0;
        f->attempts = wish->attempts;
        f->outcome = KP_AUTH_TOUCH_PENDING;
        f->withheld = kp_auth_fault(key, KP_POINT_TOUCH_WITHHELD, NULL) || wish->nobody;
        f->refused = kp_auth_fault(key, KP_POINT_TOUCH_REFUSED, NULL);
        (void)kp_auth_fault(key, KP_POINT_TOUCH_LATE, &late_ms);
        f->late_ms = wish->hold_ms + (late_ms > 0 ? late_ms : 0);
        f->due_ms = finger_due(key);
        f->deadline_ms = key->now_ms + wish->timeout_ms;
        if (f->verifying)
                try_begin(key);
        kp_auth_finger_tick(key);
        return f->outcome;
}

enum kp_auth_touch
kp_auth_finger_touch(struct kp_authenticator *key)
{
        return finger_ask(key, &(struct wish){ .timeout_ms = KP_AUTH_TOUCH_MS });
}

enum kp_auth_touch
kp_auth_finger_hold(struct kp_authenticator *key, int64_t hold_ms)
{
        return finger_ask(key,
                &(struct wish){ .hold_ms = hold_ms, .timeout_ms = KP_AUTH_TOUCH_MS });
}

enum kp_auth_touch
kp_auth_finger_sample(struct kp_authenticator *key, int64_t timeout_ms, bool nobody)
{
        return finger_ask(
                key, &(struct wish){ .timeout_ms = timeout_ms, .nobody = nobody });
}

enum kp_auth_touch
kp_auth_finger_verify(struct kp_authenticator *key, bool internal_retry)
{
        if (key->finger.asked)
                return key->finger.outcome;
        if (key->pin_set && key->pin_retries == 0)
                key->uv_retries = 0; /* with the PIN blocked, so is the finger */
        if (key->uv_retries == 0)
                return KP_AUTH_TOUCH_FAILED;
        return finger_ask(
                key, &(struct wish){ .attempts = internal_retry ? INTERNAL_ATTEMPTS : 1,
                             .timeout_ms = KP_AUTH_TOUCH_MS });
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

/* The first poll, from which the touch is counted. */
static void
u2f_ask(struct kp_authenticator *key)
{
        struct kp_auth_finger *f = &key->finger;
        int64_t late_ms = 0;

        (void)kp_auth_fault(key, KP_POINT_TOUCH_LATE, &late_ms);
        /* a key that speaks U2F has no way to tell a refusal from nobody being there */
        f->u2f_withheld = kp_auth_fault(key, KP_POINT_TOUCH_WITHHELD, NULL);
        f->u2f_withheld |= kp_auth_fault(key, KP_POINT_TOUCH_REFUSED, NULL);
        f->u2f_since_ms = key->now_ms + (late_ms > 0 ? late_ms : 0);
}

bool
kp_auth_finger_u2f(struct kp_authenticator *key)
{
        struct kp_auth_finger *f = &key->finger;

        if (f->u2f_since_ms >= 0 && key->now_ms - f->u2f_last_ms > U2F_TOUCH_LASTS_MS)
                f->u2f_since_ms = -1; /* nobody polled: the light went out */
        if (f->u2f_since_ms < 0)
                u2f_ask(key);
        f->u2f_last_ms = key->now_ms;
        if (f->finger != KP_FINGER_TOUCHES || f->u2f_withheld ||
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
