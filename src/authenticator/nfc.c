/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "internal.h"

/*
 * The key as a smart card, by radio or contacts: one application, command APDUs short,
 * extended and chained, answers that are fetched in parts or asked for again.
 * Spec: CTAP 2.1 §11.3; CTAP 2.2 §11.3.7.2 (cancelling); ISO 7816-4 §5
 */
#define CLA_ISO 0x00
#define CLA_CTAP 0x80
#define CLA_CHAINED 0x10 /* another APDU of the same command follows */
#define SHORT_MAX 256
#define EXTENDED_MAX 65536

enum {
        INS_SELECT = 0xa4,
        INS_GET_RESPONSE = 0xc0,
        INS_CTAP_MSG = 0x10,          /* §11.3.7.1 */
        INS_CTAP_GET_RESPONSE = 0x11, /* §11.3.7.2 */
        INS_CTAP_CONTROL = 0x12,      /* §11.3.4 */
};
enum {
        P1_SELECT_BY_NAME = 0x04,
        P1_GETRESPONSE_SUPPORTED = 0x80,
        P1_CANCEL = 0x11,
        P1_END = 0x01,
};
enum {
        SW_STATUS_UPDATE = 0x9100,
        SW_MORE = 0x6100,
        SW_NOT_FOUND = 0x6a82,
        SW_CONDITIONS = KP_U2F_SW_CONDITIONS_NOT_SATISFIED,
};
/* §11.2.9.1.7, which §11.3.7.2 refers to */
enum { STATUS_PROCESSING = 1, STATUS_UP_NEEDED = 2 };

/* CTAP 2.1 §5, "Evidence of user interaction", NFC: a tap is a touch for so long. */
#define TAP_LASTS_MS 120000

static const uint8_t application[] = { 0xa0, 0x00, 0x00, 0x06, 0x47, 0x2f, 0x00, 0x01 };
#define RID_LEN 5

struct apdu {
        uint8_t cla, ins, p1, p2;
        const uint8_t *data;
        size_t data_len;
        size_t max; /* bytes that the answer may have */
};

/* ISO 7816-4 §5.1: no data, data, Le, both; short or extended. */
static bool
apdu_read(const uint8_t *bytes, size_t len, struct apdu *ret)
{
        size_t body = len - 4, head, lc, le_len;
        bool extended;

        if (len < 4)
                return false;
        *ret = (struct apdu){ bytes[0], bytes[1], bytes[2], bytes[3],
                .max = SHORT_MAX };
        if (body == 0)
                return true;
        if (body == 1) {
                ret->max = bytes[4] == 0 ? SHORT_MAX : bytes[4];
                return true;
        }
        extended = bytes[4] == 0;
        head = extended ? 3 : 1;
        if (body < head)
                return false;
        lc = extended ? (size_t)bytes[5] << 8 | bytes[6] : bytes[4];
        ret->max = extended ? EXTENDED_MAX : SHORT_MAX;
        if (extended && body == head) { /* it is Le */
                ret->max = lc == 0 ? EXTENDED_MAX : lc;
                return true;
        }
        le_len = extended ? 2 : 1;
        if (lc == 0 || (body != head + lc && body != head + lc + le_len))
                return false;
        ret->data = bytes + 4 + head;
        ret->data_len = lc;
        if (body == head + lc + le_len) {
                const uint8_t *at = bytes + len - le_len;
                size_t le = extended ? (size_t)at[0] << 8 | at[1] : at[0];

                ret->max = le == 0 ? ret->max : le;
        }
        return true;
}

/* ---- answers ---- */

static void
say(struct kp_buf *answer, uint16_t word)
{
        kp_buf_clear(answer);
        kp_buf_put_be16(answer, word);
}

static void
pull(struct kp_authenticator *key, struct kp_buf *answer)
{
        kp_auth_nfc_done(key);
        kp_auth_finger_forget(key);
        key->faults.unplugged = true;
        kp_buf_clear(answer);
}

/* The next part of what waits, as much as the reader takes. ISO 7816-4 §5.3.4 */
static void
say_part(struct kp_authenticator *key, size_t max, struct kp_buf *answer)
{
        struct kp_auth_nfc *nfc = &key->nfc;
        size_t left = nfc->rest.len - nfc->rest_at - 2; /* without the status word */
        size_t n = left < max ? left : max;

        if (kp_auth_fault_at(key, KP_POINT_UNPLUG_ANSWER, nfc->part++)) {
                pull(key, answer);
                return;
        }
        kp_buf_clear(answer);
        kp_buf_put(answer, nfc->rest.data + nfc->rest_at, n);
        nfc->rest_at += n;
        left -= n;
        if (left > 0) {
                kp_buf_put_be16(
                        answer, (uint16_t)(SW_MORE | (left < SHORT_MAX ? left : 0)));
                return;
        }
        kp_buf_put(answer, nfc->rest.data + nfc->rest_at, 2);
        kp_buf_wipe(&nfc->rest);
}

/* `bytes`, whose last two are the status word, faults applied. */
static void
say_all(struct kp_authenticator *key, struct kp_buf *bytes, const struct apdu *apdu,
        struct kp_buf *answer)
{
        struct kp_auth_nfc *nfc = &key->nfc;

        kp_buf_clear(answer);
        if (kp_auth_fault(key, KP_POINT_ANSWER_NONE, NULL))
                return;
        if (bytes->failed) {
                say(answer, KP_U2F_SW_WRONG_DATA);
                return;
        }
        if (kp_auth_fault(key, KP_POINT_ANSWER_EMPTY, NULL)) {
                memmove(bytes->data, bytes->data + bytes->len - 2, 2);
                bytes->len = 2;
        }
        kp_buf_wipe(&nfc->rest);
        nfc->rest = *bytes;
        *bytes = (struct kp_buf){ 0 };
        nfc->rest_at = 0;
        nfc->part = 0;
        say_part(key, apdu->max, answer);
}

/* ---- CTAP2 ---- */

static void
stop(struct kp_authenticator *key)
{
        struct kp_auth_nfc *nfc = &key->nfc;

        nfc->running = nfc->holding = false;
        nfc->stuck = 0;
        kp_buf_wipe(&nfc->message);
        kp_buf_wipe(&nfc->held);
        kp_auth_finger_forget(key);
}

/* Run it; a person who tapped the reader with the key has touched it already. */
static bool
run(struct kp_authenticator *key, struct kp_buf *bytes)
{
        int64_t after_ms = key->finger.after_ms;
        bool done;

        if (key->now_ms - key->powered_ms <= TAP_LASTS_MS)
                key->finger.after_ms = 0;
        done = kp_auth_command(key, KP_AUTH_NFC_CHANNEL, key->nfc.message.data,
                key->nfc.message.len, bytes);
        key->finger.after_ms = after_ms;
        if (done)
                kp_buf_put_be16(bytes, KP_U2F_SW_NO_ERROR);
        return done;
}

static void
move_clock(struct kp_authenticator *key, int64_t to_ms)
{
        if (to_ms > key->now_ms)
                key->now_ms = to_ms;
}

/* A command that is carried out may be slow to answer. False: it is. */
static bool
finish(struct kp_authenticator *key, struct kp_buf *bytes)
{
        struct kp_auth_nfc *nfc = &key->nfc;
        int64_t ms;

        if (!kp_auth_fault(key, KP_POINT_SLOW_ANSWER, &ms))
                return true;
        kp_auth_finger_forget(key);
        nfc->holding = true;
        nfc->held = *bytes;
        *bytes = (struct kp_buf){ 0 };
        nfc->held_ms = key->now_ms + ms;
        return false;
}

/*
 * One more look at the command that runs.
 *
 * returns  0: `bytes` is its answer; otherwise what it waits for
 */
static uint8_t
advance(struct kp_authenticator *key, struct kp_buf *bytes)
{
        struct kp_auth_nfc *nfc = &key->nfc;

        if (nfc->stuck != 0)
                return nfc->stuck;
        if (!nfc->holding) {
                kp_auth_finger_tick(key);
                if (!run(key, bytes))
                        return STATUS_UP_NEEDED;
                if (finish(key, bytes))
                        return 0;
        }
        if (key->now_ms < nfc->held_ms)
                return STATUS_PROCESSING;
        *bytes = nfc->held;
        nfc->held = (struct kp_buf){ 0 };
        return 0;
}

/*
 * A reader that cannot be told "not yet" waits for the answer: the key moves its own
 * clock to when it is there. It never is while a fault holds it up: nothing is said.
 */
static void
wait(struct kp_authenticator *key, const struct apdu *apdu, struct kp_buf *answer)
{
        const struct kp_auth_nfc *nfc = &key->nfc;
        KP_CLEANUP(kp_buf_wipe) struct kp_buf bytes = { 0 };

        kp_buf_clear(answer);
        while (nfc->stuck == 0 && advance(key, &bytes) != 0)
                move_clock(
                        key, nfc->holding ? nfc->held_ms : kp_auth_finger_next_ms(key));
        stop(key);
        if (bytes.len > 0)
                say_all(key, &bytes, apdu, answer);
}

static void
poll(struct kp_authenticator *key, const struct apdu *apdu, struct kp_buf *answer)
{
        KP_CLEANUP(kp_buf_wipe) struct kp_buf bytes = { 0 };
        uint8_t status = advance(key, &bytes);

        if (status == 0) {
                stop(key);
                say_all(key, &bytes, apdu, answer);
                return;
        }
        if (kp_auth_fault(key, KP_POINT_KEEPALIVE_NONE, NULL)) {
                wait(key, apdu, answer);
                return;
        }
        kp_buf_clear(answer);
        kp_buf_put_u8(answer, status);
        kp_buf_put_be16(answer, SW_STATUS_UPDATE);
}

/* §11.3.7.1 */
static void
take_ctap(struct kp_authenticator *key, const struct apdu *apdu, struct kp_buf *answer)
{
        struct kp_auth_nfc *nfc = &key->nfc;
        int64_t status = 0;

        if ((apdu->p1 & ~P1_GETRESPONSE_SUPPORTED) != 0 || apdu->p2 != 0) {
                say(answer, KP_U2F_SW_INCORRECT_P1P2);
                return;
        }
        if (apdu->data_len == 0) {
                say(answer, KP_U2F_SW_WRONG_LENGTH);
                return;
        }
        stop(key); /* whoever sends another command does not wait for the one before */
        kp_buf_put(&nfc->message, apdu->data, apdu->data_len);
        if (nfc->message.failed) {
                say(answer, KP_U2F_SW_WRONG_DATA);
                return;
        }
        nfc->running = true;
        if (kp_auth_fault(key, KP_POINT_KEEPALIVE_STUCK, &status))
                nfc->stuck = (uint8_t)status;
        if ((apdu->p1 & P1_GETRESPONSE_SUPPORTED) != 0)
                poll(key, apdu, answer);
        else
                wait(key, apdu, answer);
}

/* §11.3.7.2 */
static void
take_ctap_get_response(
        struct kp_authenticator *key, const struct apdu *apdu, struct kp_buf *answer)
{
        static const uint8_t cancelled[] = { KP_CTAP2_ERR_KEEPALIVE_CANCEL, 0x90,
                0x00 };
        KP_CLEANUP(kp_buf_done) struct kp_buf bytes = { 0 };

        if ((apdu->p1 != 0 && apdu->p1 != P1_CANCEL) || apdu->p2 != 0) {
                say(answer, KP_U2F_SW_INCORRECT_P1P2);
        } else if (!key->nfc.running) {
                say(answer, SW_CONDITIONS);
        } else if (apdu->p1 == P1_CANCEL && !key->nfc.holding && key->nfc.stuck == 0) {
                stop(key);
                kp_buf_put(&bytes, cancelled, sizeof(cancelled));
                say_all(key, &bytes, apdu, answer);
        } else {
                poll(key, apdu, answer);
        }
}

/* §11.3.4: nothing but SELECT is understood from now on. */
static void
take_control(
        struct kp_authenticator *key, const struct apdu *apdu, struct kp_buf *answer)
{
        if (apdu->p1 != P1_END || apdu->p2 != 0) {
                say(answer, KP_U2F_SW_INCORRECT_P1P2);
        } else if (apdu->data_len > 0) {
                say(answer, KP_U2F_SW_WRONG_LENGTH);
        } else {
                stop(key);
                key->nfc.selected = false;
                say(answer, KP_U2F_SW_NO_ERROR);
        }
}

/* ---- the other commands ---- */

/* §11.3.3: which of both protocols there is. U2F is off while alwaysUv is on (§7.2). */
static void
take_select(
        struct kp_authenticator *key, const struct apdu *apdu, struct kp_buf *answer)
{
        bool u2f = key->u2f && !(key->ctap2 && key->always_uv);

        if (apdu->p1 != P1_SELECT_BY_NAME || apdu->p2 != 0) {
                say(answer, KP_U2F_SW_INCORRECT_P1P2);
                return;
        }
        /* ISO 7816-4 §8.2.1.2: the end of a name may be left out */
        if (apdu->data_len < RID_LEN || apdu->data_len > sizeof(application) ||
                memcmp(apdu->data, application, apdu->data_len) != 0) {
                say(answer, SW_NOT_FOUND);
                return;
        }
        stop(key);
        kp_buf_wipe(&key->nfc.rest);
        key->nfc.selected = true;
        kp_buf_clear(answer);
        kp_buf_puts(answer, u2f ? "U2F_V2" : "FIDO_2_0");
        kp_buf_put_be16(answer, KP_U2F_SW_NO_ERROR);
}

static void
take_get_response(
        struct kp_authenticator *key, const struct apdu *apdu, struct kp_buf *answer)
{
        if (apdu->p1 != 0 || apdu->p2 != 0)
                say(answer, KP_U2F_SW_INCORRECT_P1P2);
        else if (key->nfc.rest.len == 0)
                say(answer, SW_CONDITIONS);
        else
                say_part(key, apdu->max, answer);
}

/* U2F takes the command as one extended APDU, however it came. */
static void
take_u2f(struct kp_authenticator *key, const struct apdu *apdu, struct kp_buf *answer)
{
        const uint8_t head[] = { apdu->cla, apdu->ins, apdu->p1, apdu->p2 };
        const uint8_t lc[] = { 0, (uint8_t)(apdu->data_len >> 8),
                (uint8_t)apdu->data_len };
        int64_t after_ms = key->finger.after_ms, ms;
        KP_CLEANUP(kp_buf_wipe) struct kp_buf message = { 0 };
        KP_CLEANUP(kp_buf_wipe) struct kp_buf bytes = { 0 };

        kp_buf_put(&message, head, sizeof(head));
        if (apdu->data_len > 0)
                kp_buf_put(&message, lc, sizeof(lc));
        kp_buf_put(&message, apdu->data, apdu->data_len);
        if (message.failed) {
                say(answer, KP_U2F_SW_WRONG_DATA);
                return;
        }
        stop(key);
        if (key->now_ms - key->powered_ms <= TAP_LASTS_MS)
                key->finger.after_ms = 0;
        kp_auth_u2f_command(key, message.data, message.len, &bytes);
        key->finger.after_ms = after_ms;
        if (kp_auth_fault(key, KP_POINT_SLOW_ANSWER, &ms))
                move_clock(key, key->now_ms + ms);
        say_all(key, &bytes, apdu, answer);
}

static void
take_command(
        struct kp_authenticator *key, const struct apdu *apdu, struct kp_buf *answer)
{
        if (apdu->cla == CLA_ISO && apdu->ins == INS_SELECT)
                take_select(key, apdu, answer);
        else if (!key->nfc.selected) /* 6985 would make a U2F platform ask for ever */
                say(answer, KP_U2F_SW_COMMAND_NOT_ALLOWED);
        else if (apdu->ins == INS_GET_RESPONSE)
                take_get_response(key, apdu, answer);
        else if (apdu->cla == CLA_ISO && key->u2f)
                take_u2f(key, apdu, answer);
        else if (apdu->cla == CLA_CTAP && !key->ctap2)
                say(answer, KP_U2F_SW_CLA_NOT_SUPPORTED);
        else if (apdu->cla == CLA_CTAP && apdu->ins == INS_CTAP_MSG)
                take_ctap(key, apdu, answer);
        else if (apdu->cla == CLA_CTAP && apdu->ins == INS_CTAP_GET_RESPONSE)
                take_ctap_get_response(key, apdu, answer);
        else if (apdu->cla == CLA_CTAP && apdu->ins == INS_CTAP_CONTROL)
                take_control(key, apdu, answer);
        else
                say(answer, KP_U2F_SW_INS_NOT_SUPPORTED);
}

/* ---- chaining ---- */

static void
chain_drop(struct kp_auth_nfc *nfc)
{
        nfc->chaining = nfc->chain_too_long = false;
        nfc->chain_at = 0;
        kp_buf_wipe(&nfc->chain);
}

/* One APDU of a command; more follow. ISO 7816-4 §5.3.3 */
static void
chain_put(struct kp_auth_nfc *nfc, const struct apdu *apdu)
{
        nfc->chaining = true;
        nfc->chain_cla = apdu->cla;
        nfc->chain_ins = apdu->ins;
        nfc->chain_at++;
        if (nfc->chain.len + apdu->data_len > KP_CTAPHID_MAX_MESSAGE)
                nfc->chain_too_long = true;
        else
                kp_buf_put(&nfc->chain, apdu->data, apdu->data_len);
}

/* The last APDU of a chain, and all before it. */
static void
chain_end(struct kp_authenticator *key, struct apdu *apdu, struct kp_buf *answer)
{
        static const uint8_t too_large[] = { KP_CTAP2_ERR_REQUEST_TOO_LARGE, 0x90,
                0x00 };
        struct kp_auth_nfc *nfc = &key->nfc;
        KP_CLEANUP(kp_buf_wipe) struct kp_buf whole = { 0 };
        bool too_long;

        chain_put(nfc, apdu);
        too_long = nfc->chain_too_long || nfc->chain.failed;
        whole = nfc->chain;
        nfc->chain = (struct kp_buf){ 0 };
        chain_drop(nfc);
        apdu->data = whole.data;
        apdu->data_len = whole.len;
        if (!too_long) {
                take_command(key, apdu, answer);
        } else if (apdu->cla == CLA_CTAP && apdu->ins == INS_CTAP_MSG &&
                   nfc->selected) {
                kp_buf_clear(answer);
                kp_buf_put(answer, too_large, sizeof(too_large));
        } else {
                say(answer, KP_U2F_SW_WRONG_LENGTH);
        }
}

/* The command as far as it is known, for faults; and is this APDU one that is lost? */
static bool
is_pulled(struct kp_authenticator *key, const struct apdu *apdu)
{
        const struct kp_auth_nfc *nfc = &key->nfc;

        if (apdu->ins == INS_SELECT || apdu->ins == INS_GET_RESPONSE ||
                apdu->ins == INS_CTAP_GET_RESPONSE || apdu->ins == INS_CTAP_CONTROL)
                return false;
        if (!nfc->chaining) {
                key->command =
                        apdu->cla == CLA_CTAP && apdu->data_len > 0 ? apdu->data[0] : 0;
                kp_auth_faults_begin(key);
        }
        return kp_auth_fault_at(key, KP_POINT_UNPLUG_REQUEST, nfc->chain_at);
}

void
kp_auth_nfc_done(struct kp_authenticator *key)
{
        struct kp_auth_nfc *nfc = &key->nfc;

        kp_buf_wipe(&nfc->chain);
        kp_buf_wipe(&nfc->rest);
        kp_buf_wipe(&nfc->message);
        kp_buf_wipe(&nfc->held);
        *nfc = (struct kp_auth_nfc){ 0 };
}

static void
take_apdu(struct kp_authenticator *key, struct apdu *apdu, struct kp_buf *answer)
{
        struct kp_auth_nfc *nfc = &key->nfc;
        bool more = (apdu->cla & CLA_CHAINED) != 0;

        apdu->cla &= (uint8_t)~CLA_CHAINED;
        if (apdu->cla != CLA_ISO && apdu->cla != CLA_CTAP) {
                chain_drop(nfc);
                say(answer, KP_U2F_SW_CLA_NOT_SUPPORTED);
                return;
        }
        if (nfc->chaining &&
                (apdu->cla != nfc->chain_cla || apdu->ins != nfc->chain_ins))
                chain_drop(nfc);
        if (apdu->ins != INS_GET_RESPONSE)
                kp_buf_wipe(&nfc->rest); /* in order or not at all */
        if (is_pulled(key, apdu)) {
                pull(key, answer);
        } else if (more) {
                chain_put(nfc, apdu);
                say(answer, KP_U2F_SW_NO_ERROR);
        } else if (nfc->chaining) {
                chain_end(key, apdu, answer);
        } else {
                take_command(key, apdu, answer);
        }
}

void
kp_authenticator_apdu(struct kp_authenticator *authenticator, const uint8_t *apdu,
        size_t apdu_len, int64_t now_ms, struct kp_buf *answer)
{
        struct apdu command;

        kp_authenticator_tick(authenticator, now_ms);
        kp_buf_clear(answer);
        if (kp_auth_is_silent(authenticator))
                return;
        if (authenticator->hid.running) /* over USB somebody else is served */
                say(answer, SW_CONDITIONS);
        else if (!apdu_read(apdu, apdu_len, &command))
                say(answer, KP_U2F_SW_WRONG_LENGTH);
        else
                take_apdu(authenticator, &command, answer);
}
