/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_AUTHENTICATOR_AUTHENTICATOR_H
#define KEYPILOT_AUTHENTICATOR_AUTHENTICATOR_H

#include <jansson.h>

#include "keypilot/codec/ctap.h"
#include "keypilot/core/buf.h"
#include "keypilot/core/random.h"
#include "keypilot/model/authenticator.h"

/*
 * A simulated security key: a CTAP2 and U2F device that could be flashed. Reports go
 * in, time passes, reports come out. No threads, no sleeping, no sockets, no files.
 *
 * Spec: CTAP 2.1 §6, §7, §10 to §12, CTAP 2.2 and 2.3 where a profile says so; FIDO U2F
 * Raw Message Formats v1.2
 */
struct kp_authenticator;

/*
 * Make a key fresh from the factory, with the state that the profile gives it.
 *
 * profile  borrowed, must outlive the key
 * random   borrowed; credentials, key agreement, tokens
 * now_ms   when it is powered up; all times are of one clock, any, in milliseconds
 * ret      the caller frees it with kp_authenticator_free()
 * Errors   KP_ENOMEM; KP_ESCHEMA a profile that cannot be built (its member told)
 */
int kp_authenticator_new(const struct kp_authenticator_profile *profile,
        struct kp_random *random, int64_t now_ms, struct kp_authenticator **ret,
        struct kp_error *err) KP_MUST_CHECK;
/* NULL-safe, leaves NULL */
void kp_authenticator_free(struct kp_authenticator **authenticator);

/* The person's finger. Default: the right one, and it touches at once. */
enum kp_finger { KP_FINGER_TOUCHES, KP_FINGER_WITHHOLDS, KP_FINGER_REFUSES };

/*
 * How requests for a touch are answered from now on; a request that already waits is
 * answered `after_ms` from now.
 *
 * after_ms      how long a touch takes; a key gives up after 30 s
 * verification  built-in verification (fingerprint): does the right finger touch?
 */
void kp_authenticator_set_finger(struct kp_authenticator *authenticator,
        enum kp_finger finger, int64_t after_ms, bool verification);

/* Pull the plug and put it back: channels, tokens and the three-tries lock are gone. */
void kp_authenticator_power_cycle(
        struct kp_authenticator *authenticator, int64_t now_ms);

/*
 * A script for the fingerprint sensor: what the next samples of an enrolment come to.
 * When it runs out, samples are good. A sample that nobody gives (0x0d) takes as long as
 * the platform waits.
 *
 * samples  lastEnrollSampleStatus of each; copied; what is past KP_SAMPLES_MAX is not
 *          used
 * Spec: CTAP 2.1 §6.7, lastEnrollSampleStatus
 */
#define KP_SAMPLES_MAX 256
void kp_authenticator_set_samples(struct kp_authenticator *authenticator,
        const uint8_t *samples, size_t n_samples);

/*
 * Whoever keeps the key's memory is called when it must be on disk before the key does
 * or says anything else: after a try was counted and before the PIN is compared, and
 * before a command that changed something is answered. Where keeping fails, the command
 * fails and nothing else is answered until the next power_cycle().
 *
 * keep     calls kp_authenticator_save() and puts it away; 0 or -1
 */
void kp_authenticator_set_keeper(struct kp_authenticator *authenticator,
        int (*keep)(void *self, struct kp_error *err), void *self);

/* One report in. Never fails: what is wrong with it is answered. */
void kp_authenticator_feed(struct kp_authenticator *authenticator,
        const uint8_t report[KP_CTAPHID_REPORT], int64_t now_ms);

/* Let time pass: touches happen, keep-alives fall due, requests time out. */
void kp_authenticator_tick(struct kp_authenticator *authenticator, int64_t now_ms);

/* The next report to send, if one waits. */
bool kp_authenticator_next_report(
        struct kp_authenticator *authenticator, uint8_t report[KP_CTAPHID_REPORT]);

/*
 * When something will happen by itself; -1: nothing until the next report arrives. A
 * U2F key that is polled for a touch sends nothing, but this tells when the touch will
 * be there.
 */
int64_t kp_authenticator_next_event_ms(const struct kp_authenticator *authenticator);

/*
 * Who waits for a finger just now: a running command, or a U2F client that was told to
 * ask again. A touch that comes while nobody waits is lost, as on a real key.
 */
enum kp_waits { KP_WAITS_NOT, KP_WAITS_COMMAND, KP_WAITS_POLL };
enum kp_waits kp_authenticator_waits(const struct kp_authenticator *authenticator);

/*
 * Message-level entry for tests and fuzzing: one CTAP2 message (command byte first) in,
 * one answer (status byte first) out, as if it came on one channel; touches are awaited
 * by moving the key's own clock. A key that is silent (unplugged, or its memory could not
 * be kept) answers CTAP1_ERR_OTHER here.
 *
 * answer   overwritten; the caller ends it with kp_buf_done()
 */
void kp_authenticator_message(struct kp_authenticator *authenticator,
        const uint8_t *message, size_t message_len, struct kp_buf *answer);

/*
 * The same key by radio or contacts: one command APDU in, one response APDU out, status
 * word included. Commands that wait for a finger answer 61xx/9100 as NFC has it.
 *
 * answer   overwritten; empty where a fault took the card away or made it mute, otherwise
 *          at least a status word; the caller ends it with kp_buf_done()
 * Spec: CTAP 2.1 §11.3; ISO 7816-4 chaining
 */
void kp_authenticator_apdu(struct kp_authenticator *authenticator, const uint8_t *apdu,
        size_t apdu_len, int64_t now_ms, struct kp_buf *answer);

/*
 * The key's memory as JSON (fixtures/schema/key-state.schema.json), and back. It holds
 * the private keys of simulated credentials. Loading is like pulling the plug as well;
 * a state that is refused leaves the key as it was.
 *
 * ret      the caller releases it with json_decref()
 * Errors   KP_ESCHEMA with the member; KP_ENOMEM
 */
int kp_authenticator_save(const struct kp_authenticator *authenticator, json_t **ret,
        struct kp_error *err) KP_MUST_CHECK;
int kp_authenticator_load(struct kp_authenticator *authenticator, const json_t *state,
        struct kp_error *err) KP_MUST_CHECK;

#endif
