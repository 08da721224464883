/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keypilot/authenticator/authenticator.h"
#include "keypilot/codec/cbor.h"
#include "keypilot/codec/ctaphid.h"
#include "keypilot/core/file.h"
#include "keypilot/core/free.h"

#include "fuzz.h"

static struct kp_authenticator_profile *profile;
static struct kp_random *stream;

static bool
key_start(struct kp_authenticator **ret)
{
        const char *fixtures = getenv("KEYPILOT_FIXTURES");
        KP_CLEANUP(kp_free_str)
        char *path = kp_format("%s/authenticators/yubikey-5-57-pin.json",
                fixtures == NULL ? "fixtures" : fixtures);
        struct kp_error err = { 0 };

        if (profile == NULL && kp_authenticator_profile_load(path, &profile, &err) < 0)
                return false;
        if (stream == NULL && kp_random_new_seeded("fuzz", "key", &stream, &err) < 0)
                return false;
        return kp_authenticator_new(profile, stream, 0, ret, &err) == 0;
}

/* The first byte chooses: one CTAP2 message, or raw reports one after the other. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        KP_CLEANUP(kp_authenticator_free) struct kp_authenticator *key = NULL;
        KP_CLEANUP(kp_buf_done) struct kp_buf answer = { 0 };
        uint8_t report[KP_CTAPHID_REPORT];
        int64_t now = 0;

        if (size == 0)
                return 0;
        if (!key_start(&key))
                abort(); /* no fixtures: nothing would be tested */
        if (data[0] % 2 == 0) {
                kp_authenticator_message(key, data + 1, size - 1, &answer);
                return 0;
        }
        for (size_t at = 1; at < size; at += KP_CTAPHID_REPORT) {
                size_t n =
                        size - at < KP_CTAPHID_REPORT ? size - at : KP_CTAPHID_REPORT;

                memset(report, 0, sizeof(report));
                memcpy(report, data + at, n);
                kp_authenticator_feed(key, report, now);
                kp_authenticator_tick(key, now += 250);
                for (int i = 0; i < 400 && kp_authenticator_next_report(key, report);
                        i++)
                        continue;
        }
        return 0;
}

static void
put_make(struct kp_buf *buf)
{
        static const uint8_t hash[32] = { 1 };

        kp_buf_put_u8(buf, KP_CTAP_MAKE_CREDENTIAL);
        kp_cbor_put_map(buf, 5);
        kp_cbor_put_int(buf, 1);
        kp_cbor_put_bytes(buf, hash, sizeof(hash));
        kp_cbor_put_int(buf, 2);
        kp_cbor_put_map(buf, 1);
        kp_cbor_put_text(buf, "id");
        kp_cbor_put_text(buf, "school.example");
        kp_cbor_put_int(buf, 3);
        kp_cbor_put_map(buf, 2);
        kp_cbor_put_text(buf, "id");
        kp_cbor_put_bytes(buf, hash, 16);
        kp_cbor_put_text(buf, "name");
        kp_cbor_put_text(buf, "j.jansen");
        kp_cbor_put_int(buf, 4);
        kp_cbor_put_array(buf, 1);
        kp_cbor_put_map(buf, 2);
        kp_cbor_put_text(buf, "alg");
        kp_cbor_put_int(buf, -7);
        kp_cbor_put_text(buf, "type");
        kp_cbor_put_text(buf, "public-key");
        kp_cbor_put_int(buf, 7);
        kp_cbor_put_map(buf, 1);
        kp_cbor_put_text(buf, "rk");
        kp_cbor_put_bool(buf, false);
}

static void
put_get(struct kp_buf *buf)
{
        static const uint8_t hash[32] = { 1 };

        kp_buf_put_u8(buf, KP_CTAP_GET_ASSERTION);
        kp_cbor_put_map(buf, 3);
        kp_cbor_put_int(buf, 1);
        kp_cbor_put_text(buf, "school.example");
        kp_cbor_put_int(buf, 2);
        kp_cbor_put_bytes(buf, hash, sizeof(hash));
        kp_cbor_put_int(buf, 3);
        kp_cbor_put_array(buf, 1);
        kp_cbor_put_map(buf, 2);
        kp_cbor_put_text(buf, "id");
        kp_cbor_put_bytes(buf, hash, 24);
        kp_cbor_put_text(buf, "type");
        kp_cbor_put_text(buf, "public-key");
}

static void
put_pin(struct kp_buf *buf, uint8_t command)
{
        kp_buf_put_u8(buf, KP_CTAP_CLIENT_PIN);
        kp_cbor_put_map(buf, 2);
        kp_cbor_put_int(buf, 1);
        kp_cbor_put_int(buf, 2);
        kp_cbor_put_int(buf, 2);
        kp_cbor_put_int(buf, command);
}

bool
kp_fuzz_seed(size_t i, struct kp_buf *ret)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf message = { 0 };

        if (i >= 8)
                return false;
        switch (i % 4) {
        case 0:
                put_make(&message);
                break;
        case 1:
                put_get(&message);
                break;
        case 2:
                put_pin(&message, KP_CTAP_PIN_GET_KEY_AGREEMENT);
                break;
        default:
                kp_buf_put_u8(&message, KP_CTAP_GET_INFO);
                break;
        }
        kp_buf_put_u8(ret, i < 4 ? 0 : 1);
        if (i < 4) {
                kp_buf_put(ret, message.data, message.len);
        } else {
                kp_ctaphid_split(KP_CTAPHID_BROADCAST, KP_CTAPHID_INIT,
                        (const uint8_t *)"12345678", 8, ret);
                kp_ctaphid_split(1, KP_CTAPHID_CBOR, message.data, message.len, ret);
        }
        return true;
}
