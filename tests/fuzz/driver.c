/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs a fuzz target a fixed number of times on mutated seeds, the same ones every
 * time, and prints TAP. A crash, a sanitizer's finding or a hang ends the program: no
 * "ok" line.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keypilot/core/random.h"

#include "fuzz.h"

#define MAX_SEEDS 32
#define MAX_LEN 65536

static struct kp_random *stream;

static size_t
below(size_t n)
{
        uint32_t value;

        kp_random_bytes(stream, &value, sizeof(value));
        return n == 0 ? 0 : value % n;
}

static uint8_t
interesting_byte(void)
{
        static const uint8_t bytes[] = { 0x00, 0x01, 0x1f, 0x20, 0x3c, 0x40, 0x58, 0x5f,
                0x7f, 0x80, 0x9f, 0xa0, 0xbf, 0xff, '"', '<', '>', '&', '%', '{', '}' };

        return below(2) == 0 ? (uint8_t)below(256) : bytes[below(sizeof(bytes))];
}

/* Replace `n` bytes at `at` by `with`. */
static void
splice(struct kp_buf *buf, size_t at, size_t n, const uint8_t *with, size_t with_len)
{
        struct kp_buf out = { 0 };

        kp_buf_put(&out, buf->data, at);
        kp_buf_put(&out, with, with_len);
        kp_buf_put(&out, buf->data + at + n, buf->len - at - n);
        kp_buf_done(buf);
        *buf = out;
}

static void
mutate(struct kp_buf *buf, const struct kp_buf *other)
{
        size_t at = below(buf->len + 1), room = buf->len - at, n = below(room + 1);
        uint8_t byte = interesting_byte();

        if (n > 64 && below(4) != 0)
                n %= 64;
        switch (below(6)) {
        case 0:
                if (room > 0)
                        buf->data[at] ^= (uint8_t)(1u << below(8));
                break;
        case 1:
                if (room > 0)
                        buf->data[at] = byte;
                break;
        case 2:
                splice(buf, at, n, NULL, 0);
                break;
        case 3:
                splice(buf, at, 0, &byte, 1);
                break;
        case 4:
                splice(buf, at, 0, buf->data + at, n);
                break;
        default:
                if (other->len > 0)
                        splice(buf, at, n, other->data, below(other->len + 1));
                break;
        }
}

int
main(int argc, char **argv)
{
        long rounds = argc > 1 ? strtol(argv[1], NULL, 10) : 20000;
        static struct kp_buf seeds[MAX_SEEDS];
        struct kp_error err = { 0 };
        size_t n_seeds = 0;

        while (n_seeds < MAX_SEEDS && kp_fuzz_seed(n_seeds, &seeds[n_seeds]))
                n_seeds++;
        if (n_seeds == 0 || kp_random_new_seeded("fuzz", "driver", &stream, &err) < 0)
                return 1;
        for (size_t i = 0; i < n_seeds; i++)
                (void)LLVMFuzzerTestOneInput(seeds[i].data, seeds[i].len);
        for (long round = 0; round < rounds; round++) {
                const struct kp_buf *seed = &seeds[below(n_seeds)];
                struct kp_buf input = { 0 };

                kp_buf_put(&input, seed->data, seed->len);
                for (size_t n = 1 + below(8); n > 0 && input.len < MAX_LEN; n--)
                        mutate(&input, &seeds[below(n_seeds)]);
                (void)LLVMFuzzerTestOneInput(input.data, input.len);
                kp_buf_done(&input);
        }
        for (size_t i = 0; i < n_seeds; i++)
                kp_buf_done(&seeds[i]);
        kp_random_free(&stream);
        printf("ok 1 - %ld mutated inputs from %zu seeds\n1..1\n", rounds, n_seeds);
        return 0;
}
