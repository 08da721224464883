/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_TESTS_FAULT_SESSION_H
#define KEYPILOT_TESTS_FAULT_SESSION_H

#include <openssl/x509.h>

#include "keypilot/authenticator/fault.h"

#include "wire.h"

/*
 * One session over reports, from the greeting to the second login, on a key with PIN and
 * fingerprint whose person takes 300 ms to touch it; and what a platform sees of each of
 * its steps, as numbers that can be compared.
 */
#define TOUCH_MS 300
#define PATIENCE_MS 60000 /* of the platform, in one step */

enum step { INIT, INFO, AGREE, PIN, UV, MAKE, GET, GET_AGAIN, N_STEPS };

/* What a platform sees of one step; -1: nothing of the kind. */
struct facts {
        int64_t answered, error, status, cbor, rp, signature, flags, count;
        int64_t keepalives, ms, foreign, gap, after, unplugged, nonce;
};
enum { CANONICAL, ANY_ORDER, BYTES_FOLLOW, BROKEN }; /* cbor */
enum {
        ANSWERED = 1 << 0,
        ERROR = 1 << 1,
        STATUS = 1 << 2,
        CBOR = 1 << 3,
        RP = 1 << 4,
        SIGNATURE = 1 << 5,
        FLAGS = 1 << 6,
        COUNT = 1 << 7,
        KEEPALIVES = 1 << 8,
        MS = 1 << 9,
        FOREIGN = 1 << 10,
        GAP = 1 << 11,
        AFTER = 1 << 12,
        UNPLUGGED = 1 << 13,
        NONCE = 1 << 14,
        N_FACTS = 15,
        AUTH_DATA = RP | SIGNATURE | FLAGS | COUNT,
        REFUSED = STATUS | CBOR | AUTH_DATA, /* a status and nothing else */
        LOST = ANSWERED | REFUSED,           /* no answer */
};

static UNUSED int
differences(const struct facts *a, const struct facts *b)
{
        const int64_t *x = (const int64_t *)a, *y = (const int64_t *)b;
        int mask = 0;

        for (int i = 0; i < N_FACTS; i++)
                mask |= (x[i] != y[i]) << i;
        return mask;
}

struct session {
        struct rig rig;
        uint32_t cid;
        struct kp_pin_secret secret;
        struct kp_buf public; /* the platform's half of the agreement */
        struct kp_buf key;    /* COSE key of the credential; empty: none yet */
        struct facts steps[N_STEPS];
};

/* ---- a platform that notes what happens ---- */

static UNUSED bool
next_report(struct session *s, int64_t until_ms, uint8_t report[KP_CTAPHID_REPORT])
{
        int64_t next;

        while (!kp_authenticator_next_report(s->rig.key, report)) {
                next = kp_authenticator_next_event_ms(s->rig.key);
                if (next < 0 || next > until_ms)
                        return false;
                rig_wait(&s->rig, next - s->rig.now_ms);
        }
        return true;
}

/* One report of an answer. True: the message is complete. */
static UNUSED bool
take_report(struct facts *f, uint32_t cid, struct kp_ctaphid_join *join,
        const uint8_t report[KP_CTAPHID_REPORT])
{
        struct kp_ctaphid_frame frame;

        kp_ctaphid_frame_read(report, &frame);
        if (frame.cid != cid) {
                f->foreign++;
                return false;
        }
        if (frame.is_init && frame.cmd == KP_CTAPHID_KEEPALIVE) {
                f->keepalives++;
                return false;
        }
        switch (kp_ctaphid_join(join, report)) {
        case KP_JOIN_DONE:
                return true;
        case KP_JOIN_MORE:
                return false;
        default:
                f->gap = 1;
                return false;
        }
}

/* Send a message and wait for its answer. True: it came, and is in `join`. */
static UNUSED bool
exchange(struct session *s, struct facts *f, uint8_t cmd, const struct kp_buf *message,
        struct kp_ctaphid_join *join)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf reports = { 0 };
        uint8_t report[KP_CTAPHID_REPORT];
        int64_t begun = s->rig.now_ms;
        uint32_t cid = s->cid;

        *f = (struct facts){ 0, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, -1 };
        kp_ctaphid_split(cid, cmd, message->data, message->len, &reports);
        for (size_t at = 0; at < reports.len; at += KP_CTAPHID_REPORT)
                kp_authenticator_feed(s->rig.key, reports.data + at, s->rig.now_ms);
        while (!f->answered && next_report(s, begun + PATIENCE_MS, report))
                f->answered = take_report(f, cid, join, report);
        f->ms = s->rig.now_ms - begun;
        while (f->answered && kp_authenticator_next_report(s->rig.key, report))
                f->after++;
        f->unplugged = kp_authenticator_is_unplugged(s->rig.key);
        return f->answered;
}

/* The platform loses patience, or sees that the key is gone. */
static UNUSED void
start_over(struct session *s)
{
        uint8_t report[KP_CTAPHID_REPORT];

        if (kp_authenticator_is_unplugged(s->rig.key)) {
                kp_authenticator_power_cycle(s->rig.key, s->rig.now_ms);
                cr_assert(!kp_authenticator_is_unplugged(s->rig.key));
        }
        while (kp_authenticator_next_report(s->rig.key, report))
                ;
        feed(&s->rig, s->cid, KP_CTAPHID_INIT, cdh, 8);
        expect(&s->rig, s->cid, KP_CTAPHID_INIT, cdh[0]);
}

/* ---- reading answers ---- */

static UNUSED bool
is_signed(const cbor_item_t *map, const cbor_item_t *signature, EVP_PKEY *pkey)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf signed_ = { 0 };
        const uint8_t *data, *sig;
        size_t data_len, sig_len;

        if (!kp_cbor_is_bytes(kp_cbor_at_int(map, 2), &data, &data_len) ||
                !kp_cbor_is_bytes(signature, &sig, &sig_len))
                return false;
        kp_buf_put(&signed_, data, data_len);
        kp_buf_put(&signed_, cdh, sizeof(cdh));
        return kp_cose_verify(
                KP_COSE_ES256, pkey, signed_.data, signed_.len, sig, sig_len);
}

static UNUSED bool
is_attested(const cbor_item_t *map)
{
        const cbor_item_t *statement = kp_cbor_at_int(map, 3), *list;
        KP_CLEANUP(kp_free_pkey) EVP_PKEY *pkey = NULL;
        const uint8_t *der;
        size_t n;
        X509 *leaf;

        list = kp_cbor_at_str(statement, "x5c");
        if (!kp_cbor_is_array(list, &n) || n == 0 ||
                !kp_cbor_is_bytes(cbor_array_handle(list)[0], &der, &n))
                return false;
        leaf = d2i_X509(NULL, &der, (long)n);
        cr_assert_not_null(leaf);
        pkey = X509_get_pubkey(leaf);
        X509_free(leaf);
        return is_signed(map, kp_cbor_at_str(statement, "sig"), pkey);
}

static UNUSED bool
is_asserted(const struct session *s, const cbor_item_t *map)
{
        KP_CLEANUP(kp_free_pkey) EVP_PKEY *pkey = NULL;
        struct kp_error err = { 0 };
        int alg;

        if (s->key.len == 0)
                return false;
        cr_assert_eq(kp_cose_key_parse(s->key.data, s->key.len, KP_CBOR_CTAP2, &pkey,
                             &alg, NULL, &err),
                0);
        return is_signed(map, kp_cbor_at_int(map, 3), pkey);
}

static UNUSED void
read_auth_data(struct session *s, struct facts *f, enum step step, cbor_item_t *map)
{
        struct kp_authdata data;
        struct kp_error err = { 0 };
        uint8_t hash[32];
        const uint8_t *bytes;
        size_t len;

        if (!kp_cbor_is_bytes(kp_cbor_at_int(map, 2), &bytes, &len))
                return;
        cr_assert_eq(kp_authdata_parse(bytes, len, KP_CBOR_CTAP2, &data, &err), 0);
        (void)SHA256((const uint8_t *)"example.org", 11, hash);
        f->rp = memcmp(data.rp_id_hash, hash, 32) == 0;
        f->flags = data.flags;
        f->count = data.sign_count;
        if (step == MAKE) {
                kp_buf_clear(&s->key);
                kp_buf_put(&s->key, data.public_key, data.public_key_len);
        }
        f->signature = step == MAKE ? is_attested(map) : is_asserted(s, map);
}

static UNUSED cbor_item_t *
read_cbor(struct facts *f, const uint8_t *bytes, size_t len)
{
        struct kp_error err = { 0 };
        cbor_item_t *map = NULL;
        size_t used;

        if (len == 0)
                return NULL;
        f->cbor = BROKEN;
        if (kp_cbor_parse(bytes, len, KP_CBOR_CTAP2, &map, NULL, &err) == 0)
                f->cbor = CANONICAL;
        else if (kp_cbor_parse(bytes, len, KP_CBOR_ANY_ORDER, &map, NULL, &err) == 0)
                f->cbor = ANY_ORDER;
        else if (kp_cbor_parse(bytes, len, KP_CBOR_CTAP2, &map, &used, &err) == 0)
                f->cbor = BYTES_FOLLOW;
        return map;
}

static UNUSED void
run_step(struct session *s, enum step step, struct kp_buf *message)
{
        struct facts *f = &s->steps[step];
        struct kp_ctaphid_join join = { 0 };
        struct kp_error err = { 0 };
        KP_CLEANUP(kp_free_cbor) cbor_item_t *map = NULL;
        KP_CLEANUP(kp_free_pkey) EVP_PKEY *own = NULL;
        KP_CLEANUP(kp_free_pkey) EVP_PKEY *peer = NULL;

        if (!exchange(s, f, KP_CTAPHID_CBOR, message, &join)) {
                start_over(s);
        } else if (join.cmd == KP_CTAPHID_ERROR) {
                f->error = join.payload.data[0];
        } else if (join.payload.len > 0) {
                f->status = join.payload.data[0];
                map = read_cbor(f, join.payload.data + 1, join.payload.len - 1);
        }
        if (map != NULL && step >= MAKE)
                read_auth_data(s, f, step, map);
        if (map != NULL && step == AGREE) {
                cr_assert_eq(kp_pin_key_parse(kp_cbor_at_int(map, 1), &peer, &err), 0);
                cr_assert_eq(kp_pin_key_make(s->rig.random, &own, &err), 0);
                cr_assert_eq(kp_pin_agree(2, own, peer, &s->secret, &err), 0);
                cr_assert_eq(kp_pin_key_put(&s->public, own, &err), 0);
        }
        kp_buf_wipe(&join.payload);
        kp_buf_done(message);
}

/* ---- the session ---- */

static UNUSED void
step_init(struct session *s)
{
        struct facts *f = &s->steps[INIT];
        struct kp_ctaphid_join join = { 0 };
        struct kp_buf nonce = { 0 };
        const uint8_t *at;

        kp_buf_put(&nonce, cdh, 8);
        s->cid = KP_CTAPHID_BROADCAST;
        cr_assert(exchange(s, f, KP_CTAPHID_INIT, &nonce, &join));
        cr_assert_eq(join.payload.len, 17);
        f->nonce = memcmp(join.payload.data, cdh, 8) == 0;
        at = join.payload.data + 8;
        s->cid = (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 |
                 at[3];
        kp_buf_wipe(&join.payload);
        kp_buf_done(&nonce);
}

static UNUSED struct kp_buf
client_pin(struct session *s, uint8_t sub_command)
{
        struct kp_buf m = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf enc = { 0 };
        const char *pin = kp_authenticator_profile_test_pin(s->rig.profile);
        struct kp_error err = { 0 };
        uint8_t hash[16];
        bool with_pin = sub_command == KP_CTAP_PIN_GET_TOKEN_PIN_PERMS;

        kp_buf_put_u8(&m, KP_CTAP_CLIENT_PIN);
        kp_cbor_put_map(
                &m, sub_command == KP_CTAP_PIN_GET_KEY_AGREEMENT ? 2 : 5 + with_pin);
        kp_cbor_put_int(&m, 1);
        kp_cbor_put_int(&m, 2);
        kp_cbor_put_int(&m, 2);
        kp_cbor_put_int(&m, sub_command);
        if (sub_command == KP_CTAP_PIN_GET_KEY_AGREEMENT)
                return m;
        kp_cbor_put_int(&m, 3);
        kp_buf_put(&m, s->public.data, s->public.len);
        if (with_pin) {
                pin_hash(pin, hash);
                cr_assert_eq(
                        kp_pin_encrypt(&s->secret, s->rig.random, hash, 16, &enc, &err),
                        0);
                kp_cbor_put_int(&m, 6);
                kp_cbor_put_bytes(&m, enc.data, enc.len);
        }
        kp_cbor_put_int(&m, 9);
        kp_cbor_put_int(&m, KP_CTAP_PERM_MC);
        kp_cbor_put_int(&m, 10);
        kp_cbor_put_text(&m, "example.org");
        return m;
}

static UNUSED void
put_uv(struct kp_buf *m, int64_t member, bool rk)
{
        kp_cbor_put_int(m, member);
        kp_cbor_put_map(m, rk ? 2 : 1);
        if (rk) {
                kp_cbor_put_text(m, "rk");
                kp_cbor_put_bool(m, true);
        }
        kp_cbor_put_text(m, "uv");
        kp_cbor_put_bool(m, true);
}

static UNUSED struct kp_buf
make(void)
{
        struct kp_buf m = { 0 };

        kp_buf_put_u8(&m, KP_CTAP_MAKE_CREDENTIAL);
        kp_cbor_put_map(&m, 5);
        kp_cbor_put_int(&m, 1);
        kp_cbor_put_bytes(&m, cdh, sizeof(cdh));
        kp_cbor_put_int(&m, 2);
        kp_cbor_put_map(&m, 1);
        kp_cbor_put_text(&m, "id");
        kp_cbor_put_text(&m, "example.org");
        kp_cbor_put_int(&m, 3);
        kp_cbor_put_map(&m, 1);
        kp_cbor_put_text(&m, "id");
        kp_cbor_put_bytes(&m, "user-1", 6);
        kp_cbor_put_int(&m, 4);
        kp_cbor_put_array(&m, 1);
        kp_cbor_put_map(&m, 2);
        kp_cbor_put_text(&m, "alg");
        kp_cbor_put_int(&m, KP_COSE_ES256);
        kp_cbor_put_text(&m, "type");
        kp_cbor_put_text(&m, "public-key");
        put_uv(&m, 7, true);
        return m;
}

static UNUSED struct kp_buf
get(void)
{
        struct kp_buf m = { 0 };

        kp_buf_put_u8(&m, KP_CTAP_GET_ASSERTION);
        kp_cbor_put_map(&m, 3);
        kp_cbor_put_int(&m, 1);
        kp_cbor_put_text(&m, "example.org");
        kp_cbor_put_int(&m, 2);
        kp_cbor_put_bytes(&m, cdh, sizeof(cdh));
        put_uv(&m, 5, false);
        return m;
}

/* The whole session; with a fault or, NULL, without. Returns how often it happened. */
static UNUSED int64_t
run(const struct kp_fault *fault, struct facts steps[N_STEPS])
{
        struct session s = { 0 };
        struct kp_error err = { 0 };
        struct kp_buf m = { 0 };
        char why[512];
        int64_t fired;

        rig_open(&s.rig, "yubikey-bio");
        kp_authenticator_set_finger(s.rig.key, KP_FINGER_TOUCHES, TOUCH_MS, true);
        if (fault != NULL)
                cr_assert_eq(kp_authenticator_fault_add(s.rig.key, fault, &err), 0,
                        "%s: %s", fault->id, kp_error_format(&err, why, sizeof(why)));
        step_init(&s);
        kp_buf_put_u8(&m, KP_CTAP_GET_INFO);
        run_step(&s, INFO, &m);
        m = client_pin(&s, KP_CTAP_PIN_GET_KEY_AGREEMENT);
        run_step(&s, AGREE, &m);
        m = client_pin(&s, KP_CTAP_PIN_GET_TOKEN_PIN_PERMS);
        run_step(&s, PIN, &m);
        m = client_pin(&s, KP_CTAP_PIN_GET_TOKEN_UV_PERMS);
        run_step(&s, UV, &m);
        m = make();
        run_step(&s, MAKE, &m);
        m = get();
        run_step(&s, GET, &m);
        m = get();
        run_step(&s, GET_AGAIN, &m);
        fired = kp_authenticator_fault_fired(s.rig.key, 0);
        memcpy(steps, s.steps, sizeof(s.steps));
        kp_buf_done(&s.public);
        kp_buf_done(&s.key);
        rig_close(&s.rig);
        return fired;
}

#endif
