/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/authenticator/fault.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "internal.h"

/* clang-format off */
const struct kp_fault_point kp_fault_points[] = {
        /* the person */
        [KP_POINT_TOUCH_WITHHELD]       = { "touch.withheld",        "Nobody touches the key.", NULL, 0, 0 },
        [KP_POINT_TOUCH_REFUSED]        = { "touch.refused",         "The person presses the key's refusal.", NULL, 0, 0 },
        [KP_POINT_TOUCH_LATE]           = { "touch.late",            "The touch comes late.", "milliseconds", 1, 600000 },
        /* the wire: CTAPHID frames, or command and response APDUs */
        [KP_POINT_UNPLUG_REQUEST]       = { "unplug.request",        "The key is pulled out while the request goes in.", "frame of the request that is lost, from 0", 0, 128 },
        [KP_POINT_UNPLUG_ANSWER]        = { "unplug.answer",         "The key is pulled out while the answer comes out.", "frame of the answer that is lost, from 0", 0, 128 },
        [KP_POINT_KEEPALIVE_STUCK]      = { "keepalive.stuck",       "The key sends keep-alives and never answers.", "status in them: 1 processing, 2 waiting for a touch", 1, 2 },
        [KP_POINT_KEEPALIVE_NONE]       = { "keepalive.none",        "The key waits for a touch and sends no keep-alives.", NULL, 0, 0 },
        [KP_POINT_KEEPALIVE_LATE]       = { "keepalive.late",        "A keep-alive follows the CTAPHID answer.", NULL, 0, 0 },
        [KP_POINT_INIT_NONCE]           = { "init.nonce",            "CTAPHID_INIT is answered with another nonce.", NULL, 0, 0 },
        [KP_POINT_WRONG_CHANNEL]        = { "answer.channel",        "The CTAPHID answer names another channel.", NULL, 0, 0 },
        [KP_POINT_SLOW_ANSWER]          = { "answer.slow",           "The answer comes slowly.", "milliseconds", 1, 600000 },
        [KP_POINT_ANSWER_NONE]          = { "answer.none",           "The command is carried out and never answered.", NULL, 0, 0 },
        [KP_POINT_ANSWER_EMPTY]         = { "answer.empty",          "The answer has not even a status.", NULL, 0, 0 },
        [KP_POINT_ANSWER_ERROR]         = { "answer.error",          "A CTAPHID error takes the place of the answer.", "error code", 1, 255 },
        [KP_POINT_ANSWER_SEQUENCE]      = { "answer.sequence",       "A continuation frame of the CTAPHID answer has the wrong number.", "frame of the answer, from 1", 1, 128 },
        [KP_POINT_ANSWER_FRAME_LOST]    = { "answer.frame-lost",     "A frame of the CTAPHID answer is missing.", "frame of the answer, from 0", 0, 128 },
        [KP_POINT_ANSWER_FRAME_TWICE]   = { "answer.frame-twice",    "A frame of the CTAPHID answer comes twice.", "frame of the answer, from 0", 0, 128 },
        /* the answer's bytes */
        [KP_POINT_ANSWER_TRUNCATED]     = { "answer.truncated",      "The CBOR of the answer lacks its end.", "bytes that are missing", 1, KP_CTAPHID_MAX_MESSAGE },
        [KP_POINT_ANSWER_OVERSIZED]     = { "answer.oversized",      "Bytes follow the CBOR of the answer.", "bytes that are too many", 1, KP_CTAPHID_MAX_MESSAGE },
        [KP_POINT_ANSWER_NON_CANONICAL] = { "answer.non-canonical",  "The answer's map has its members in reverse order.", NULL, 0, 0 },
        [KP_POINT_WRONG_STATUS]         = { "answer.status",         "The key answers this status.", "status code", 0, 255 },
        /* what it says */
        [KP_POINT_SIGNATURE]            = { "signature.wrong",       "The signature is over other bytes.", NULL, 0, 0 },
        [KP_POINT_RP_ID_HASH]           = { "authdata.rp-id-hash",   "The answer is for another RP ID.", NULL, 0, 0 },
        [KP_POINT_FLAG_UP]              = { "authdata.up-cleared",   "The flag UP is cleared.", NULL, 0, 0 },
        [KP_POINT_FLAG_UV]              = { "authdata.uv-cleared",   "The flag UV is cleared.", NULL, 0, 0 },
        [KP_POINT_BS_WITHOUT_BE]        = { "authdata.bs-without-be", "The flag BS is set and BE is not.", NULL, 0, 0 },
        [KP_POINT_BE_FLIPPED]           = { "authdata.be-flipped",   "In an assertion the flag BE is the opposite of what it was.", NULL, 0, 0 },
        [KP_POINT_COUNTER_STILL]        = { "counter.still",         "The signature counter stands still.", NULL, 0, 0 },
        [KP_POINT_COUNTER_BACK]         = { "counter.back",          "The signature counter goes back.", "by how much", 1, UINT32_MAX },
        [KP_POINT_COUNTER_JUMP]         = { "counter.jump",          "The signature counter jumps.", "by how much", 1, UINT32_MAX },
        [KP_POINT_CLONE]                = { "clone",                 "Somebody has a copy of the key and has used it.", "uses of the copy", 1, UINT32_MAX },
        /* the key's state */
        [KP_POINT_PIN_BLOCKED]          = { "pin.blocked",           "The PIN is blocked.", NULL, 0, 0 },
        [KP_POINT_PIN_POWER_CYCLE]      = { "pin.power-cycle",       "The PIN is blocked until the key is plugged in again.", NULL, 0, 0 },
        [KP_POINT_UV_BLOCKED]           = { "uv.blocked",            "Built-in verification is blocked.", NULL, 0, 0 },
        [KP_POINT_STORE_FULL]           = { "store.full",            "No place is left for a discoverable credential.", NULL, 0, 0 },
};
/* clang-format on */
const size_t kp_n_fault_points = KP_NELEMS(kp_fault_points);
static_assert(KP_NELEMS(kp_fault_points) == KP_N_POINTS, "a point without a row");

static int
point_find(const char *name, enum kp_auth_point *ret, struct kp_error *err)
{
        for (size_t i = 0; i < kp_n_fault_points; i++) {
                if (strcmp(kp_fault_points[i].name, name) != 0)
                        continue;
                *ret = (enum kp_auth_point)i;
                return 0;
        }
        return KP_FAIL(err, KP_ESCHEMA,
                "member 'point': a simulated key has no point \"%.60s\"", name);
}

static int
point_check(const struct kp_fault *fault, enum kp_auth_point *ret, struct kp_error *err)
{
        const struct kp_fault_point *point;

        if (point_find(fault->point, ret, err) < 0)
                return -1;
        point = &kp_fault_points[*ret];
        if (point->value == NULL && fault->value != 0)
                return KP_FAIL(err, KP_ESCHEMA,
                        "member 'value': the point \"%s\" takes none", point->name);
        if (fault->value < point->min || fault->value > point->max)
                return KP_FAIL(err, KP_ESCHEMA,
                        "member 'value': expected from %" PRId64 " to %" PRId64
                        " (%s), not %" PRId64,
                        point->min, point->max, point->value, fault->value);
        return 0;
}

int
kp_authenticator_fault_check(const struct kp_fault *fault, struct kp_error *err)
{
        enum kp_auth_point ignored = KP_N_POINTS;

        if (point_check(fault, &ignored, err) < 0)
                return -1;
        for (unsigned cmd = 0; fault->command != NULL && cmd <= UINT8_MAX; cmd++) {
                const char *name = kp_ctap_cmd_name((uint8_t)cmd);

                if (strcmp(fault->command, name) == 0 && strcmp(name, "unknown") != 0)
                        return 0;
        }
        if (fault->command == NULL)
                return 0;
        return KP_FAIL(err, KP_ESCHEMA,
                "member 'command': \"%.40s\" is no command of CTAP 2.1 §6, as in "
                "\"makeCredential\"",
                fault->command);
}

int
kp_authenticator_fault_add(struct kp_authenticator *authenticator,
        const struct kp_fault *fault, struct kp_error *err)
{
        struct kp_auth_faults *faults = &authenticator->faults;
        enum kp_auth_point found = KP_N_POINTS;

        if (point_check(fault, &found, err) < 0)
                return -1;
        if (faults->n == KP_AUTH_FAULTS_MAX)
                return KP_FAIL(err, KP_ENOMEM, "a key has at most %d faults at once",
                        KP_AUTH_FAULTS_MAX);
        memset(&faults->items[faults->n], 0, sizeof(faults->items[0]));
        faults->items[faults->n].fault = fault;
        faults->items[faults->n].point = found;
        faults->n++;
        return 0;
}

void
kp_authenticator_faults_clear(struct kp_authenticator *authenticator)
{
        authenticator->faults.n = 0;
}

int64_t
kp_authenticator_fault_fired(const struct kp_authenticator *authenticator, size_t i)
{
        return i < authenticator->faults.n ? authenticator->faults.items[i].fired : 0;
}

bool
kp_authenticator_is_unplugged(const struct kp_authenticator *authenticator)
{
        /* what was on the wire when the key was pulled out still arrives */
        return authenticator->faults.unplugged ||
               (authenticator->hid.pulled &&
                       authenticator->hid.out_at >= authenticator->hid.out.len);
}

/* ---- while a command runs ---- */

void
kp_auth_faults_begin(struct kp_authenticator *key)
{
        for (size_t i = 0; i < key->faults.n; i++)
                key->faults.items[i].decided = false;
}

static bool
is_meant(const struct kp_authenticator *key, size_t i, enum kp_auth_point point)
{
        const struct kp_fault *fault = key->faults.items[i].fault;

        return key->faults.items[i].point == point &&
               (fault->command == NULL ||
                       strcmp(fault->command, kp_ctap_cmd_name(key->command)) == 0);
}

static bool
decide(struct kp_auth_faults *faults, size_t i)
{
        const struct kp_fault *fault = faults->items[i].fault;

        if (faults->items[i].decided)
                return faults->items[i].fires;
        faults->items[i].decided = true;
        faults->items[i].met++;
        faults->items[i].fires =
                faults->items[i].met >= fault->nth &&
                (fault->times == 0 || faults->items[i].fired < fault->times);
        faults->items[i].fired += faults->items[i].fires;
        return faults->items[i].fires;
}

bool
kp_auth_fault(
        struct kp_authenticator *key, enum kp_auth_point point, int64_t *ret_value)
{
        bool fires = false;

        for (size_t i = 0; i < key->faults.n; i++) {
                if (!is_meant(key, i, point) || !decide(&key->faults, i))
                        continue;
                if (ret_value != NULL)
                        *ret_value = key->faults.items[i].fault->value;
                fires = true;
        }
        return fires;
}

bool
kp_auth_fault_at(struct kp_authenticator *key, enum kp_auth_point point, int64_t at)
{
        bool fires = false;

        for (size_t i = 0; i < key->faults.n; i++)
                if (is_meant(key, i, point) &&
                        key->faults.items[i].fault->value == at &&
                        decide(&key->faults, i))
                        fires = true;
        return fires;
}

bool
kp_auth_fault_apart(struct kp_authenticator *key, enum kp_auth_point point)
{
        struct kp_auth_faults *faults = &key->faults;
        bool fires = false;

        for (size_t i = 0; i < faults->n; i++) {
                if (faults->items[i].point != point ||
                        faults->items[i].fault->command != NULL)
                        continue;
                faults->items[i].decided = false;
                fires |= decide(faults, i);
        }
        return fires;
}
