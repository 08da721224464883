/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "attempt.h"

/*
 * User verification: what the request wants, what the key has, and what the client is
 * used to do where the specification leaves it the choice.
 */
#define MAX_QUESTIONS 12 /* a person who types wrong PINs for ever is stopped here */

enum plan { PLAN_NONE, PLAN_BUILT_IN, PLAN_PIN, PLAN_SET_PIN, PLAN_IMPOSSIBLE };

/* A key that wants verification whatever is asked. Spec: CTAP 2.1 §6.1.1, §7.2 */
static enum kp_requirement
requirement_of(const struct kp_attempt *t, enum kp_requirement asked)
{
        const struct kp_key_info *info = &t->info;
        bool protected = kp_key_option(info, "uv") == KP_TRUE ||
                         kp_key_option(info, "clientPin") == KP_TRUE;

        if (kp_key_option(info, "alwaysUv") == KP_TRUE)
                return KP_REQUIRED;
        /*
         * DEVIATION Chromium: where neither verification nor a discoverable credential
         * is asked for, it turns to U2F if the key speaks that; we ask for the PIN,
         * because a driver here keeps to the protocol that it found.
         */
        if (t->ceremony->create && protected &&
                kp_key_option(info, "makeCredUvNotRqd") != KP_TRUE)
                return KP_REQUIRED;
        return asked;
}

/* The person sets a first PIN inside the ceremony, if client and key allow it. */
static bool
pin_can_be_set(const struct kp_attempt *t)
{
        return t->ceremony->create && !t->key->real &&
               kp_key_option(&t->info, "clientPin") == KP_FALSE &&
               kp_ceremony_fact_is(t->ceremony, "can_set_pin_on_key", "yes");
}

static enum plan
plan_unprotected(const struct kp_attempt *t, enum kp_requirement requirement)
{
        if (requirement == KP_PREFERRED) {
                if (t->ceremony->create &&
                        kp_key_option(&t->info, "clientPin") == KP_FALSE &&
                        kp_ceremony_fact_is(t->ceremony,
                                "uv_preferred_with_pinless_key", "prompt_set_pin") &&
                        pin_can_be_set(t))
                        return PLAN_SET_PIN;
                return PLAN_NONE;
        }
        if (kp_ceremony_fact_is(
                    t->ceremony, "uv_required_without_pin_behaviour", "silent_uv0"))
                return PLAN_NONE;
        if (kp_ceremony_fact_is(t->ceremony, "uv_required_without_pin_behaviour",
                    "prompt_set_pin") &&
                pin_can_be_set(t))
                return PLAN_SET_PIN;
        return PLAN_IMPOSSIBLE;
}

static enum plan
plan_make(const struct kp_attempt *t, enum kp_requirement asked)
{
        enum kp_requirement requirement = requirement_of(t, asked);

        if (requirement == KP_DISCOURAGED)
                return PLAN_NONE;
        if (kp_key_option(&t->info, "uv") == KP_TRUE)
                return PLAN_BUILT_IN;
        if (kp_key_option(&t->info, "clientPin") == KP_TRUE)
                return PLAN_PIN;
        return plan_unprotected(t, requirement);
}

static int
gave_up(struct kp_attempt *t, uint8_t status)
{
        return kp_throw(
                t->ceremony->exception, "person-gave-up", status, KP_NOT_ALLOWED_TEXT);
}

static int
retries_ask(struct kp_attempt *t, int *ret, struct kp_error *err)
{
        uint8_t status = KP_CTAP_OK;

        *ret = -1;
        if (t->pin_tries == 0 && !t->key->real) /* browsers show it after a wrong one */
                return 0;
        if (t->key->driver->ops->pin_retries(t->key->driver->self, &status, ret, err) <
                0)
                return -1;
        if (status != KP_CTAP_OK)
                *ret = -1;
        return 0;
}

/* Spec: CTAP 2.1 §6.5.5.7 */
static int
pin_ask(struct kp_attempt *t, uint8_t last_status, struct kp_error *err)
{
        struct kp_user *user = t->ceremony->client->user;
        int retries, r;

        /*
         * DEVIATION Chromium: it lets the person change the PIN here; we have no
         * command for that and refuse.
         */
        if (t->info.force_pin_change)
                return kp_throw(t->ceremony->exception, "pin-change-required",
                        KP_CTAP2_ERR_PIN_POLICY_VIOLATION, KP_NOT_ALLOWED_TEXT);
        if (t->has_pin && last_status == KP_CTAP_OK)
                return 0;
        if (retries_ask(t, &retries, err) < 0)
                return -1;
        kp_buf_wipe(&t->pin);
        t->has_pin = false;
        kp_ceremony_prompt(t->ceremony, "pin");
        r = user == NULL || user->pin == NULL
                    ? 0
                    : user->pin(user->self, retries, &t->pin, err);
        if (r <= 0)
                return r < 0 ? -1 : gave_up(t, last_status);
        t->pin_tries++;
        t->has_pin = true;
        return 0;
}

/* Spec: CTAP 2.1 §6.5.5.5 */
static int
pin_set(struct kp_attempt *t, struct kp_error *err)
{
        struct kp_user *user = t->ceremony->client->user;
        const struct kp_driver *driver = t->key->driver;
        uint8_t status = KP_CTAP2_ERR_PIN_POLICY_VIOLATION;
        int r;

        for (int i = 0;
                i < MAX_QUESTIONS && status == KP_CTAP2_ERR_PIN_POLICY_VIOLATION; i++) {
                kp_buf_wipe(&t->pin);
                kp_ceremony_prompt(t->ceremony, "new-pin");
                r = user == NULL || user->new_pin == NULL
                            ? 0
                            : user->new_pin(
                                      user->self, t->info.min_pin_len, &t->pin, err);
                if (r <= 0)
                        return r < 0 ? -1 : gave_up(t, 0);
                if (driver->ops->set_pin(
                            driver->self, kp_buf_str(&t->pin), &status, err) < 0)
                        return -1;
        }
        if (status != KP_CTAP_OK)
                return kp_throw(t->ceremony->exception, "pin-not-accepted", status,
                        KP_NOT_ALLOWED_TEXT);
        t->has_pin = true;
        return driver->ops->info(driver->self, &t->info, err);
}

static int
prepare(struct kp_attempt *t, enum plan *plan, uint8_t last_status,
        struct kp_error *err)
{
        int r = 0;

        if (*plan == PLAN_IMPOSSIBLE)
                return kp_throw(t->ceremony->exception, "uv-required-but-key-has-none",
                        0, KP_NOT_ALLOWED_TEXT);
        if (*plan == PLAN_SET_PIN) {
                if ((r = pin_set(t, err)) != 0)
                        return r;
                *plan = PLAN_PIN;
        } else if (*plan == PLAN_PIN) {
                if ((r = pin_ask(t, last_status, err)) != 0)
                        return r;
        }
        if (kp_ceremony_expired(t->ceremony))
                return kp_throw(
                        t->ceremony->exception, "timed-out", 0, KP_NOT_ALLOWED_TEXT);
        return 0;
}

/* Does the answer only say that verification must be tried again, or otherwise? */
static bool
again(const struct kp_attempt *t, enum plan *plan, uint8_t status)
{
        bool has_pin = kp_key_option(&t->info, "clientPin") == KP_TRUE;

        if (*plan == PLAN_PIN)
                return status == KP_CTAP2_ERR_PIN_INVALID;
        if (*plan == PLAN_BUILT_IN && status == KP_CTAP2_ERR_UV_INVALID)
                return true;
        if (has_pin && (status == KP_CTAP2_ERR_UV_BLOCKED ||
                               status == KP_CTAP2_ERR_PUAT_REQUIRED ||
                               (*plan == PLAN_BUILT_IN &&
                                       status == KP_CTAP2_ERR_PIN_AUTH_INVALID))) {
                *plan = PLAN_PIN;
                return true;
        }
        return false;
}

int
kp_attempt_verified(struct kp_attempt *attempt, enum kp_requirement requirement,
        uint8_t *ret_status, struct kp_error *err)
{
        enum plan plan = plan_make(attempt, requirement);
        uint8_t last = KP_CTAP_OK;
        int r;

        for (int i = 0; i < MAX_QUESTIONS; i++) {
                bool with_pin;

                if ((r = prepare(attempt, &plan, last, err)) != 0)
                        return r;
                with_pin = plan == PLAN_PIN;
                kp_attempt_touch(attempt);
                r = attempt->send(attempt, plan == PLAN_BUILT_IN ? KP_TRUE : KP_OMIT,
                        with_pin ? kp_buf_str(&attempt->pin) : NULL, ret_status, err);
                if (r != 0)
                        return r;
                kp_attempt_touched(attempt, *ret_status);
                if (!again(attempt, &plan, *ret_status))
                        return 0;
                last = with_pin ? *ret_status : KP_CTAP_OK;
        }
        return 0;
}
