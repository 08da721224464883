/* SPDX-License-Identifier: BSD-2-Clause */
#include "cbor_check.h"

#include <string.h>

/*
 * libcbor allocates what a head declares before it looks whether the bytes are there,
 * and takes any form. So every byte is walked first, without allocating anything.
 */
#define MAX_DEPTH 8
#define ANY_ORDER_MAX 32

enum major { UINT, NINT, BYTES, TEXT, ARRAY, MAP, TAG, SIMPLE };

struct walk {
        const uint8_t *bytes;
        size_t len;
        size_t pos;
        enum kp_cbor_mode mode;
        struct kp_buf *plain; /* NULL: not asked for */
        size_t copied;        /* bytes that went into `plain`, or were left out */
        struct kp_error *err;
};

struct head {
        size_t at;
        unsigned major;
        unsigned info; /* the low five bits */
        uint64_t value;
        bool indefinite;
};

static int
fail_at(struct walk *w, size_t at, const char *what)
{
        return KP_FAIL(w->err, KP_EPARSE, "CBOR: byte %zu: %s", at, what);
}

static bool
is_minimal(const struct head *head)
{
        static const uint64_t least[] = { 24, 0x100, 0x10000, UINT64_C(0x100000000) };

        return head->info < 24 || head->value >= least[head->info - 24];
}

static int
head_read(struct walk *w, struct head *head)
{
        size_t n_bytes;

        *head = (struct head){ .at = w->pos };
        if (w->pos == w->len)
                return fail_at(w, w->pos, "the bytes end where an item is expected");
        head->major = w->bytes[w->pos] >> 5;
        head->info = w->bytes[w->pos++] & 31;
        if (head->info < 24) {
                head->value = head->info;
                return 0;
        }
        if (head->info == 31) {
                head->indefinite = true;
                return 0;
        }
        if (head->info > 27)
                return fail_at(w, head->at, "a reserved length code");
        n_bytes = (size_t)1 << (head->info - 24);
        if (w->len - w->pos < n_bytes)
                return fail_at(w, head->at, "the bytes end inside a head");
        while (n_bytes-- > 0)
                head->value = head->value << 8 | w->bytes[w->pos++];
        if (w->mode != KP_CBOR_LENIENT && head->major != SIMPLE && !is_minimal(head))
                return fail_at(w, head->at, "a number longer than it needs to be");
        return 0;
}

/* Length of the UTF-8 sequence at the start, 0 if it is none. Spec: RFC 3629 §4 */
static size_t
utf8_sequence(const uint8_t *s, size_t n)
{
        uint8_t low = 0x80, high = 0xbf;
        size_t n_tail;

        if (s[0] < 0x80)
                return 1;
        if (s[0] < 0xc2 || s[0] > 0xf4)
                return 0;
        n_tail = s[0] < 0xe0 ? 1 : s[0] < 0xf0 ? 2 : 3;
        if (n <= n_tail)
                return 0;
        if (s[0] == 0xe0)
                low = 0xa0; /* shorter forms exist */
        if (s[0] == 0xed)
                high = 0x9f; /* surrogates */
        if (s[0] == 0xf0)
                low = 0x90;
        if (s[0] == 0xf4)
                high = 0x8f; /* past U+10FFFF */
        for (size_t i = 1; i <= n_tail; i++) {
                if (s[i] < low || s[i] > high)
                        return 0;
                low = 0x80;
                high = 0xbf;
        }
        return n_tail + 1;
}

static bool
utf8_valid(const void *text, size_t text_len)
{
        const uint8_t *s = text;
        size_t n;

        for (; text_len > 0; s += n, text_len -= n)
                if ((n = utf8_sequence(s, text_len)) == 0)
                        return false;
        return true;
}

static int
string_content(struct walk *w, const struct head *head)
{
        if (head->value > w->len - w->pos)
                return fail_at(w, head->at, "a string longer than what follows");
        if (head->major == TEXT && !utf8_valid(w->bytes + w->pos, head->value))
                return fail_at(w, head->at, "text that is not UTF-8");
        w->pos += head->value;
        return 0;
}

static bool
at_break(const struct walk *w)
{
        return w->pos < w->len && w->bytes[w->pos] == 0xff;
}

/* What precedes `until` goes into the plain copy as it is. */
static void
copy_until(struct walk *w, size_t until)
{
        if (w->plain != NULL)
                kp_buf_put(w->plain, w->bytes + w->copied, until - w->copied);
        w->copied = until;
}

/* A string in chunks becomes one of definite length: readers want one run of bytes. */
static int
string_chunks(struct walk *w, const struct head *head)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf joined = { 0 };
        struct head chunk;

        while (!at_break(w)) {
                if (head_read(w, &chunk) < 0)
                        return -1;
                if (chunk.major != head->major || chunk.indefinite)
                        return fail_at(
                                w, chunk.at, "not a piece of the string around it");
                if (string_content(w, &chunk) < 0)
                        return -1;
                if (w->plain != NULL)
                        kp_buf_put(
                                &joined, w->bytes + w->pos - chunk.value, chunk.value);
        }
        w->pos++;
        if (w->plain == NULL)
                return 0;
        copy_until(w, head->at);
        w->copied = w->pos;
        if (head->major == TEXT)
                kp_cbor_put_text_len(w->plain, (const char *)joined.data, joined.len);
        else
                kp_cbor_put_bytes(w->plain, joined.data, joined.len);
        return kp_buf_check(&joined, w->err);
}

static int
string_walk(struct walk *w, const struct head *head)
{
        return head->indefinite ? string_chunks(w, head) : string_content(w, head);
}

static int item_walk(struct walk *w, unsigned depth);

static bool
more_items(const struct walk *w, const struct head *head, uint64_t n_done)
{
        return head->indefinite ? !at_break(w) : n_done < head->value;
}

static int
array_walk(struct walk *w, const struct head *head, unsigned depth)
{
        if (head->value > w->len - w->pos)
                return fail_at(w, head->at, "an array of more items than bytes follow");
        for (uint64_t i = 0; more_items(w, head, i); i++)
                if (item_walk(w, depth + 1) < 0)
                        return -1;
        w->pos += head->indefinite ? 1 : 0;
        return 0;
}

/* A key as far as it decides about order: numbers have no content. */
struct key {
        struct head head;
        const uint8_t *content;
        size_t content_len;
};

static int
key_read(struct walk *w, struct key *key)
{
        *key = (struct key){ 0 };
        if (head_read(w, &key->head) < 0)
                return -1;
        if (key->head.major == UINT || key->head.major == NINT) {
                if (key->head.indefinite)
                        return fail_at(
                                w, key->head.at, "a number of indefinite length");
                return 0;
        }
        if (key->head.major > TEXT || key->head.indefinite)
                return fail_at(
                        w, key->head.at, "a map key that is no number and no string");
        key->content = w->bytes + w->pos;
        key->content_len = (size_t)key->head.value;
        return string_content(w, &key->head);
}

/* Spec: CTAP 2.1 §8 "CTAP2 canonical CBOR encoding form": major type, length, bytes */
static int
key_compare(const struct key *a, const struct key *b)
{
        if (a->head.major != b->head.major)
                return a->head.major < b->head.major ? -1 : 1;
        if (a->head.value != b->head.value)
                return a->head.value < b->head.value ? -1 : 1;
        if (a->content_len == 0)
                return 0;
        return memcmp(a->content, b->content, a->content_len);
}

/*
 * The place of a key among those before it. In order, the one before is enough to know
 * that no key comes twice; in any order all of them are.
 */
static int
key_place(
        struct walk *w, const struct key *keys, uint64_t n_keys, const struct key *key)
{
        int order = n_keys == 0 ? -1
                                : key_compare(&keys[(n_keys - 1) % ANY_ORDER_MAX], key);

        if (w->mode == KP_CBOR_LENIENT)
                return 0;
        if (w->mode == KP_CBOR_CTAP2 && order > 0)
                return fail_at(w, key->head.at, "a key out of canonical order");
        if (w->mode == KP_CBOR_ANY_ORDER && n_keys == ANY_ORDER_MAX)
                return fail_at(w, key->head.at, "more keys than are compared");
        for (uint64_t i = 0; w->mode == KP_CBOR_ANY_ORDER && i < n_keys && order != 0;
                i++)
                order = key_compare(&keys[i], key);
        if (order == 0)
                return fail_at(w, key->head.at, "a key for the second time");
        return 0;
}

static int
map_walk(struct walk *w, const struct head *head, unsigned depth)
{
        struct key keys[ANY_ORDER_MAX], now;

        if (head->value > (w->len - w->pos) / 2)
                return fail_at(w, head->at, "a map of more pairs than bytes follow");
        for (uint64_t i = 0; more_items(w, head, i); i++) {
                if (key_read(w, &now) < 0 || key_place(w, keys, i, &now) < 0)
                        return -1;
                keys[i % ANY_ORDER_MAX] = now;
                if (item_walk(w, depth + 1) < 0)
                        return -1;
        }
        w->pos += head->indefinite ? 1 : 0;
        return 0;
}

static int
simple_check(struct walk *w, const struct head *head)
{
        if (head->indefinite)
                return fail_at(w, head->at, "a break without anything to end");
        if (head->info <= 24 &&
                (head->value < 20 || head->value > 23 || head->info == 24))
                return fail_at(w, head->at, "a simple value without meaning");
        return 0;
}

static int
tag_walk(struct walk *w, const struct head *head, unsigned depth)
{
        if (w->mode != KP_CBOR_LENIENT)
                return fail_at(w, head->at, "a tag");
        if (head->indefinite)
                return fail_at(w, head->at, "a tag of indefinite length");
        copy_until(w, head->at);
        w->copied = w->pos;
        return item_walk(w, depth + 1);
}

static int
item_walk(struct walk *w, unsigned depth)
{
        struct head head;

        if (head_read(w, &head) < 0)
                return -1;
        if (head.indefinite && w->mode != KP_CBOR_LENIENT && head.major != SIMPLE)
                return fail_at(w, head.at, "an indefinite length");
        if (depth >= MAX_DEPTH && head.major >= ARRAY && head.major <= TAG)
                return fail_at(w, head.at, "nested deeper than 8 levels");

        switch ((enum major)head.major) {
        case UINT:
        case NINT:
                return head.indefinite
                               ? fail_at(w, head.at, "a number of indefinite length")
                               : 0;
        case BYTES:
        case TEXT:
                return string_walk(w, &head);
        case ARRAY:
                return array_walk(w, &head, depth);
        case MAP:
                return map_walk(w, &head, depth);
        case TAG:
                return tag_walk(w, &head, depth);
        case SIMPLE:
                return simple_check(w, &head);
        }
        return fail_at(w, head.at, "no such type"); /* three bits: not reached */
}

int
kp_cbor_walk(const uint8_t *bytes, size_t bytes_len, enum kp_cbor_mode mode,
        struct kp_buf *plain, size_t *ret_used, struct kp_error *err)
{
        struct walk w = { .bytes = bytes,
                .len = bytes_len,
                .mode = mode,
                .plain = mode == KP_CBOR_LENIENT ? plain : NULL,
                .err = err };

        if (item_walk(&w, 0) < 0)
                return -1;
        if (ret_used == NULL && w.pos != bytes_len)
                return KP_FAIL(err, KP_EPARSE,
                        "CBOR: %zu bytes follow the item that ends at %zu",
                        bytes_len - w.pos, w.pos);
        /* nothing was rewritten: the bytes serve as they are */
        if (w.plain != NULL && w.copied > 0) {
                copy_until(&w, w.pos);
                if (kp_buf_check(plain, err) < 0)
                        return -1;
        }
        if (ret_used != NULL)
                *ret_used = w.pos;
        return 0;
}

int
kp_cbor_check(const uint8_t *bytes, size_t bytes_len, enum kp_cbor_mode mode,
        size_t *ret_used, struct kp_error *err)
{
        return kp_cbor_walk(bytes, bytes_len, mode, NULL, ret_used, err);
}
