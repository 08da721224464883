/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "keypilot/authenticator/authenticator.h"
#include "keypilot/core/file.h"
#include "keypilot/core/free.h"
#include "keypilot/core/json.h"

#include "fuzz.h"

/* A key's memory from a file, and APDUs: what a card reader passes on to a key. */
static struct kp_authenticator_profile *profile;
static struct kp_random *stream;

static bool
key_start(struct kp_authenticator **ret)
{
        const char *fixtures = getenv("KEYPILOT_FIXTURES");
        KP_CLEANUP(kp_free_str)
        char *path = kp_format("%s/authenticators/yubikey-5-nfc-57.json",
                fixtures == NULL ? "fixtures" : fixtures);
        struct kp_error err = { 0 };

        if (profile == NULL && kp_authenticator_profile_load(path, &profile, &err) < 0)
                return false;
        if (stream == NULL && kp_random_new_seeded("fuzz", "state", &stream, &err) < 0)
                return false;
        return kp_authenticator_new(profile, stream, 0, ret, &err) == 0;
}

static void
load_state(struct kp_authenticator *key, const uint8_t *data, size_t size)
{
        KP_CLEANUP(kp_json_free) json_t *state = NULL, *again = NULL;
        KP_CLEANUP(kp_buf_done) struct kp_buf answer = { 0 };
        static const uint8_t info[] = { KP_CTAP_GET_INFO };
        struct kp_error err = { 0 };

        if (kp_json_parse("fuzz", data, size, &state, &err) < 0 ||
                kp_authenticator_load(key, state, &err) < 0)
                return;
        kp_authenticator_message(key, info, sizeof(info), &answer);
        kp_any(kp_authenticator_save(key, &again, &err));
}

/* One APDU behind the other, each after the two bytes of its length. */
static void
send_apdus(struct kp_authenticator *key, const uint8_t *data, size_t size)
{
        int64_t now = 0;

        while (size >= 2) {
                KP_CLEANUP(kp_buf_done) struct kp_buf answer = { 0 };
                size_t len = (size_t)data[0] << 8 | data[1];

                data += 2;
                size -= 2;
                len = len > size ? size : len;
                kp_authenticator_apdu(key, data, len, now += 100, &answer);
                data += len;
                size -= len;
        }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        KP_CLEANUP(kp_authenticator_free) struct kp_authenticator *key = NULL;

        if (!key_start(&key))
                abort(); /* no fixtures: nothing would be tested */
        if (size > 0 && data[0] == '{')
                load_state(key, data, size);
        else
                send_apdus(key, data, size);
        return 0;
}

static void
put_apdu(struct kp_buf *ret, const char *apdu, size_t apdu_len)
{
        kp_buf_put_be16(ret, (uint16_t)apdu_len);
        kp_buf_put(ret, apdu, apdu_len);
}

static void
put_state(struct kp_buf *ret)
{
        KP_CLEANUP(kp_authenticator_free) struct kp_authenticator *key = NULL;
        KP_CLEANUP(kp_json_free) json_t *state = NULL;
        struct kp_error err = { 0 };

        if (!key_start(&key) || kp_authenticator_save(key, &state, &err) < 0 ||
                kp_json_write(state, ret, &err) < 0)
                abort();
}

bool
kp_fuzz_seed(size_t i, struct kp_buf *ret)
{
        static const char select[] = "\x00\xa4\x04\x00\x08\xa0\x00\x00\x06\x47\x2f\x00"
                                     "\x01\x00";

        switch (i) {
        case 0:
                put_state(ret);
                return true;
        case 1: /* select, getInfo short and extended, chained, more, deselect */
                put_apdu(ret, select, sizeof(select) - 1);
                put_apdu(ret, "\x80\x10\x00\x00\x01\x04\x00", 7);
                put_apdu(ret, "\x80\x10\x80\x00\x00\x00\x01\x04\x00\x00", 10);
                put_apdu(ret, "\x90\x10\x00\x00\x01\x04\x00", 7);
                put_apdu(ret, "\x00\xc0\x00\x00\x00", 5);
                put_apdu(ret, "\x80\x11\x00\x00\x00", 5);
                put_apdu(ret, "\x80\x12\x01\x00\x00", 5);
                return true;
        case 2: /* U2F version and registration */
                put_apdu(ret, select, sizeof(select) - 1);
                put_apdu(ret, "\x00\x03\x00\x00\x00", 5);
                put_apdu(ret,
                        "\x00\x01\x00\x00\x40"
                        "0123456789abcdef0123456789abcdef"
                        "0123456789abcdef0123456789abcdef"
                        "\x00",
                        70);
                return true;
        default:
                return false;
        }
}
