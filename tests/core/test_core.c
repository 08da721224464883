/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keypilot/core/buf.h"
#include "keypilot/core/clock.h"
#include "keypilot/core/file.h"
#include "keypilot/core/free.h"
#include "keypilot/core/json.h"
#include "keypilot/core/random.h"

static const char *
said(const struct kp_error *err)
{
        static char text[2048];

        return kp_error_format(err, text, sizeof(text));
}

static int
inner(struct kp_error *err)
{
        return KP_FAIL(err, KP_ESCHEMA, "member '%s': expected a string", "id");
}

Test(error, reads_from_the_outside_in)
{
        struct kp_error err = { 0 };

        cr_assert_eq(inner(&err), -1);
        cr_assert_eq(KP_WHILE(&err, "%s", "fixtures/a.json"), -1);
        cr_assert_str_eq(said(&err), "fixtures/a.json: member 'id': expected a string");
        cr_assert_eq(err.code, KP_ESCHEMA);
}

Test(error, keeps_the_origin_when_callers_are_many)
{
        struct kp_error err = { 0 };

        (void)inner(&err);
        for (int i = 0; i < 20; i++)
                (void)KP_WHILE(&err, "caller %d", i);
        cr_assert_eq(err.n_frames, KP_ERROR_FRAMES);
        cr_assert_str_eq(err.frames[0].text, "member 'id': expected a string");
}

Test(buf, grows_and_keeps_what_was_put)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf buf = { 0 };
        struct kp_error err = { 0 };

        for (int i = 0; i < 1000; i++)
                kp_buf_put_be32(&buf, (uint32_t)i);
        cr_assert_eq(kp_buf_check(&buf, &err), 0);
        cr_assert_eq(buf.len, 4000);
        cr_assert_arr_eq(buf.data + 3996, "\x00\x00\x03\xe7", 4);
}

Test(buf, prints_hexadecimal_and_text)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf buf = { 0 };

        kp_buf_put_hex(&buf, (const uint8_t *)"\x00\x9f\xff", 3);
        kp_buf_printf(&buf, " %d-%s", 42, "x");
        cr_assert_str_eq(kp_buf_str(&buf), "009fff 42-x");
}

Test(buf, remembers_that_memory_ran_out)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf buf = { 0 };
        struct kp_error err = { 0 };

        kp_buf_put(&buf, "x", SIZE_MAX / 2);
        kp_buf_puts(&buf, "later");
        cr_assert_eq(kp_buf_check(&buf, &err), -1);
        cr_assert_eq(err.code, KP_ENOMEM);
        cr_assert_eq(buf.len, 0);
}

Test(clock, simulated_time_moves_only_when_told)
{
        struct kp_clock clock = kp_clock_simulated();
        char text[KP_UTC_LEN];

        cr_assert_str_eq(
                kp_utc_format(kp_clock_ms(&clock), text), "2026-09-01T08:00:00Z");
        kp_clock_advance(&clock, 90061001);
        cr_assert_str_eq(
                kp_utc_format(kp_clock_ms(&clock), text), "2026-09-02T09:01:01Z");
        kp_clock_advance(&clock, -5);
        cr_assert_eq(kp_clock_ms(&clock), KP_CLOCK_START_MS + 90061001);
}

Test(clock, reads_the_times_of_the_xml_schema_specification)
{
        static const struct {
                const char *text;
                int64_t ms;
        } good[] = {
                { "1970-01-01T00:00:00Z", 0 },
                { "2002-10-10T12:00:00-05:00",
                        1034269200000 }, /* XML Schema Part 2, dateTime */
                { "2002-10-10T17:00:00Z", 1034269200000 },
                { "2014-02-19T01:37:02.25Z", 1392773822250 },
                { "2026-09-01", 1788220800000 },
                { "1969-12-31T23:59:59Z", -1000 },
        };
        static const char *const bad[] = { "", "2026", "2026-13-01",
                "2026-02-30T00:00:00Z", "2026-09-01T08:00:00", "2026-09-01T08:00:00ZZ",
                "2026-09-01T08:00:00+99:00", "yesterday", "2026-09-01 08:00" };
        struct kp_error err = { 0 };
        int64_t ms;

        for (size_t i = 0; i < KP_NELEMS(good); i++) {
                cr_assert_eq(
                        kp_utc_parse(good[i].text, &ms, &err), 0, "%s", good[i].text);
                cr_assert_eq(ms, good[i].ms, "%s: %ld", good[i].text, (long)ms);
        }
        for (size_t i = 0; i < KP_NELEMS(bad); i++)
                cr_assert_eq(
                        kp_utc_parse(bad[i], &ms, &err), -1, "'%s' was read", bad[i]);
}

Test(random, same_seed_and_label_give_the_same_bytes)
{
        KP_CLEANUP(kp_random_free) struct kp_random *a = NULL, *b = NULL, *c = NULL;
        uint8_t from_a[100], from_b[100], from_c[100];
        struct kp_error err = { 0 };

        cr_assert_eq(kp_random_new_seeded("seed", "cell", &a, &err), 0);
        cr_assert_eq(kp_random_new_seeded("seed", "cell", &b, &err), 0);
        cr_assert_eq(kp_random_new_seeded("seedc", "ell", &c, &err), 0);
        kp_random_bytes(a, from_a, 100);
        kp_random_bytes(b, from_b, 33);
        kp_random_bytes(b, from_b + 33, 67);
        kp_random_bytes(c, from_c, 100);
        cr_assert_arr_eq(from_a, from_b, 100);
        cr_assert_arr_neq(from_a, from_c, 100);
        kp_random_free(&b);
        kp_random_free(&c);
}

Test(random, lends_openssl_its_stream_and_takes_it_back)
{
        struct kp_random *stream = NULL;
        uint8_t first[32], second[32], third[32];
        struct kp_error err = { 0 };

        for (int i = 0; i < 2; i++) {
                cr_assert_eq(kp_random_new_seeded("seed", "cell", &stream, &err), 0);
                kp_random_install(stream);
                cr_assert_eq(RAND_priv_bytes(i == 0 ? first : second, 32), 1);
                kp_random_free(&stream);
        }
        cr_assert_arr_eq(first, second, 32);
        cr_assert_eq(RAND_priv_bytes(third, 32), 1);
        cr_assert_arr_neq(first, third, 32);
}

Test(random, the_systems_stream_does_not_repeat)
{
        KP_CLEANUP(kp_random_free) struct kp_random *system = NULL;
        uint8_t a[32], b[32];
        struct kp_error err = { 0 };

        cr_assert_eq(kp_random_new_system(&system, &err), 0);
        kp_random_bytes(system, a, 32);
        kp_random_bytes(system, b, 32);
        cr_assert_arr_neq(a, b, 32);
}

static char *
temporary_dir(void)
{
        char *dir = strdup("/tmp/keypilot-test-XXXXXX");

        cr_assert_not_null(mkdtemp(dir));
        return dir;
}

Test(file, writes_whole_files_and_leaves_no_temporary_ones)
{
        KP_CLEANUP(kp_names_done) struct kp_names names = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf text = { 0 };
        KP_CLEANUP(kp_free_str) char *dir = temporary_dir();
        KP_CLEANUP(kp_free_str) char *path = kp_format("%s/b.json", dir);
        struct kp_error err = { 0 };

        cr_assert_eq(kp_file_write(path, "old", 3, &err), 0);
        cr_assert_eq(kp_file_write(path, "new text", 8, &err), 0);
        cr_assert_eq(kp_file_read(path, 100, &text, &err), 0);
        cr_assert_str_eq(kp_buf_str(&text), "new text");
        cr_assert_eq(kp_dir_list(dir, ".json", &names, &err), 0);
        cr_assert_eq(names.n_names, 1);
        cr_assert_eq(unlink(path), 0);
        cr_assert_eq(rmdir(dir), 0, "a temporary file stayed behind");
}

Test(file, says_what_is_wrong)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf text = { 0 };
        KP_CLEANUP(kp_free_str) char *dir = temporary_dir();
        KP_CLEANUP(kp_free_str) char *path = kp_format("%s/no/where", dir);
        struct kp_error err = { 0 };

        cr_assert_eq(kp_file_read(path, 100, &text, &err), -1);
        cr_assert(strstr(said(&err), "cannot open: No such file") != NULL, "%s",
                said(&err));
        cr_assert_eq(kp_file_read(dir, 100, &text, &err), -1);
        cr_assert(strstr(said(&err), "Is a directory") != NULL, "%s", said(&err));
        cr_assert_eq(kp_file_write(path, "x", 1, &err), -1);
        cr_assert_eq(kp_file_read("/dev/zero", 1000, &text, &err), -1);
        cr_assert_str_eq(
                said(&err), "/dev/zero: longer than the 1000 bytes that are allowed");
        cr_assert_eq(rmdir(dir), 0);
}

struct thing {
        const char *id;
        int64_t size;
        bool on;
        struct kp_text title;
        json_t *tags;
};

static const struct kp_field thing_fields[] = {
        { "id", KP_STRING, true, offsetof(struct thing, id) },
        { "size", KP_INT, false, offsetof(struct thing, size) },
        { "on", KP_BOOL, false, offsetof(struct thing, on) },
        { "title", KP_TEXT, false, offsetof(struct thing, title) },
        { "tags", KP_STRINGS, false, offsetof(struct thing, tags) },
};

/* What reading `text` says; "" when it is taken. */
static const char *
reading(const char *text)
{
        json_auto_t *root = NULL;
        struct kp_error err = { 0 };
        struct thing thing = { .size = 7 };

        if (kp_json_parse("t.json", text, strlen(text), &root, &err) == 0 &&
                kp_json_read(
                        root, thing_fields, KP_NELEMS(thing_fields), &thing, &err) == 0)
                return "";
        return said(&err);
}

Test(json, takes_what_the_table_lists)
{
        json_auto_t *root = NULL;
        static const char text[] = "{\"id\":\"a\",\"on\":true,\"title\":{\"en\":\"x\","
                                   "\"nl\":\"y\"},\"tags\":[\"t\"]}";
        struct kp_error err = { 0 };
        struct thing thing = { .size = 7 };

        cr_assert_eq(kp_json_parse("t", text, strlen(text), &root, &err), 0);
        cr_assert_eq(kp_json_read(root, thing_fields, 5, &thing, &err), 0);
        cr_assert_str_eq(thing.id, "a");
        cr_assert_eq(thing.size, 7);
        cr_assert(thing.on);
        cr_assert_str_eq(thing.title.nl, "y");
        cr_assert_eq(json_array_size(thing.tags), 1);
}

Test(json, says_what_is_wrong)
{
        static const struct {
                const char *text, *says;
        } cases[] = {
                { "", "t.json:1:0: not JSON" },
                { "{\"id\":\"a\",\"id\":\"b\"}", "duplicate object key" },
                { "{\"id\":\"\xff\"}", "not JSON: " },
                { "[1]", "expected an object" },
                { "{}", "member 'id' is missing: expected a string" },
                { "{\"id\":7}", "member 'id': expected a string" },
                { "{\"id\":\"a\",\"size\":1.5}", "member 'size': expected an integer" },
                { "{\"id\":\"a\",\"colour\":1}",
                        "member 'colour' is not known here; known are: id, size, on, "
                        "title, tags" },
                { "{\"id\":\"a\",\"title\":{\"en\":\"x\"}}",
                        "member 'title': expected an object with the strings \"en\" "
                        "and \"nl\"" },
                { "{\"id\":\"a\",\"tags\":[\"t\",1]}",
                        "member 'tags': expected an array of strings" },
                { "{\"id\":\"a\"} x", "t.json:1:12: not JSON" },
        };

        for (size_t i = 0; i < KP_NELEMS(cases); i++)
                cr_assert(strstr(reading(cases[i].text), cases[i].says) != NULL,
                        "%s gives: %s", cases[i].text, reading(cases[i].text));
}

Test(json, refuses_deep_nesting)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf text = { 0 };

        for (int i = 0; i < 1000; i++)
                kp_buf_puts(&text, "[");
        for (int i = 0; i < 1000; i++)
                kp_buf_puts(&text, "]");
        cr_assert(strstr(reading(kp_buf_str(&text)), "nested deeper than") != NULL);
}

Test(json, writes_the_same_bytes_for_the_same_value)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf text = { 0 };
        json_auto_t *value = json_pack("{s:i, s:[s], s:n}", "b", 1, "a", "x", "c");
        struct kp_error err = { 0 };

        cr_assert_eq(kp_json_write(value, &text, &err), 0);
        cr_assert_str_eq(kp_buf_str(&text), "{\"a\":[\"x\"],\"b\":1,\"c\":null}");
}
