/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * driver ROUNDS | driver seconds N | driver corpus FOLDER
 *
 * Runs a fuzz target on mutated seeds and prints TAP: a fixed number of times, on the
 * same ones every time, or for so many seconds, on others each second of the day. A
 * crash, a sanitizer's finding or a hang ends the program: no "ok" line. What was the
 * last input then stands in the file that KEYPILOT_FUZZ_INPUT names. `corpus` writes the
 * seeds as files, for libFuzzer.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "keypilot/core/random.h"

#include "fuzz.h"

#define MAX_SEEDS 640
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

static struct kp_buf seeds[MAX_SEEDS];
static size_t n_seeds;

/* For whoever has to find out what ended the program. */
static void
keep_input(const struct kp_buf *input)
{
        const char *path = getenv("KEYPILOT_FUZZ_INPUT");
        FILE *file = path == NULL ? NULL : fopen(path, "wb");

        if (file == NULL)
                return;
        (void)fwrite(input->data, 1, input->len, file);
        (void)fclose(file);
}

static void
run_round(void)
{
        const struct kp_buf *seed = &seeds[below(n_seeds)];
        struct kp_buf input = { 0 };

        kp_buf_put(&input, seed->data, seed->len);
        for (size_t n = 1 + below(8); n > 0 && input.len < MAX_LEN; n--)
                mutate(&input, &seeds[below(n_seeds)]);
        keep_input(&input);
        (void)LLVMFuzzerTestOneInput(input.data, input.len);
        kp_buf_done(&input);
}

static int
write_corpus(const char *folder)
{
        for (size_t i = 0; i < n_seeds; i++) {
                char path[512];
                FILE *file;

                (void)snprintf(path, sizeof(path), "%s/seed-%03zu", folder, i);
                if ((file = fopen(path, "wb")) == NULL ||
                        fwrite(seeds[i].data, 1, seeds[i].len, file) != seeds[i].len ||
                        fclose(file) != 0)
                        return 1;
        }
        return 0;
}

static long
run_rounds(long rounds, time_t end)
{
        long n = 0;

        for (size_t i = 0; i < n_seeds; i++)
                (void)LLVMFuzzerTestOneInput(seeds[i].data, seeds[i].len);
        for (; end == 0 ? n < rounds : time(NULL) < end; n++)
                run_round();
        return n;
}

int
main(int argc, char **argv)
{
        bool timed = argc > 2 && strcmp(argv[1], "seconds") == 0;
        time_t end = timed ? time(NULL) + strtol(argv[2], NULL, 10) : 0;
        long rounds = argc > 1 ? strtol(argv[1], NULL, 10) : 20000;
        struct kp_error err = { 0 };
        char name[32];
        int status = 0;

        (void)snprintf(name, sizeof(name), "driver%lld", (long long)end);
        while (n_seeds < MAX_SEEDS && kp_fuzz_seed(n_seeds, &seeds[n_seeds]))
                n_seeds++;
        if (n_seeds == 0 || kp_random_new_seeded("fuzz", name, &stream, &err) < 0)
                return 1;
        if (argc > 2 && strcmp(argv[1], "corpus") == 0) {
                status = write_corpus(argv[2]);
        } else {
                rounds = run_rounds(rounds, end);
                printf("ok 1 - %ld mutated inputs from %zu seeds\n1..1\n", rounds,
                        n_seeds);
        }
        for (size_t i = 0; i < n_seeds; i++)
                kp_buf_done(&seeds[i]);
        kp_random_free(&stream);
        return status;
}
