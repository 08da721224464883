/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "keypilot/core/free.h"

#include "ctap.h"

/*
 * One credential's entry in the large-blob array: DEFLATE (RFC 1951), then AES-256-GCM
 * under the credential's largeBlobKey.
 * Spec: CTAP 2.1 §6.10.3
 */
#define NONCE 12
#define TAG 16
enum { ENTRY_CIPHERTEXT = 1, ENTRY_NONCE = 2, ENTRY_ORIG_SIZE = 3 };

/* "blob" || uint64LittleEndian(origSize) */
#define AAD 12
static void
put_aad(uint64_t orig_size, uint8_t ret[AAD])
{
        memcpy(ret, "blob", 4);
        for (size_t i = 0; i < 8; i++)
                ret[4 + i] = (uint8_t)(orig_size >> (8 * i));
}

/* ---- the array ---- */

/* Errors  KP_EPARSE. ret_used  bytes of the head */
static int
array_head(struct kp_bytes array, size_t *ret_n, size_t *ret_used, struct kp_error *err)
{
        uint8_t more;

        if (array.len == 0 || array.data[0] >> 5 != 4)
                return KP_FAIL(err, KP_EPARSE, "large blobs: expected an array");
        more = array.data[0] & 0x1f;
        *ret_n = more;
        *ret_used = 1;
        if (more < 24)
                return 0;
        if (more > 25 || array.len < (more == 24 ? 2 : 3))
                return KP_FAIL(err, KP_EPARSE, "large blobs: an array of no length");
        *ret_n =
                more == 24 ? array.data[1] : (size_t)array.data[1] << 8 | array.data[2];
        *ret_used = more == 24 ? 2 : 3;
        return 0;
}

void
kp_blob_array_done(struct kp_blob_array *array)
{
        free(array->entries);
        *array = (struct kp_blob_array){ 0 };
}

int
kp_blob_array_split(
        struct kp_bytes array, struct kp_blob_array *ret, struct kp_error *err)
{
        KP_CLEANUP(kp_blob_array_done) struct kp_blob_array split = { 0 };
        size_t n = 0, at = 0, used;

        if (array_head(array, &n, &at, err) < 0)
                return -1;
        if ((split.entries = calloc(n + 1, sizeof(*split.entries))) == NULL)
                return KP_FAIL(err, KP_ENOMEM, "large blobs");
        for (; split.n < n; split.n++) {
                if (kp_cbor_check(array.data + at, array.len - at, KP_CBOR_LENIENT,
                            &used, err) < 0)
                        return KP_WHILE(err, "large blobs: entry %zu", split.n);
                split.entries[split.n] = (struct kp_bytes){ array.data + at, used };
                at += used;
        }
        if (at != array.len)
                return KP_FAIL(err, KP_EPARSE, "large blobs: bytes behind the array");
        *ret = split;
        split = (struct kp_blob_array){ 0 };
        return 0;
}

/* ---- reading ---- */

static bool
decrypt(const uint8_t key[KP_LARGE_BLOB_KEY], const uint8_t nonce[NONCE],
        struct kp_bytes sealed, uint64_t orig_size, uint8_t *ret)
{
        KP_CLEANUP(kp_free_cipher_ctx) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
        int plain_len = (int)(sealed.len - TAG), len = 0;
        uint8_t aad[AAD], tag[TAG];

        put_aad(orig_size, aad);
        memcpy(tag, sealed.data + plain_len, TAG);
        return ctx != NULL &&
               EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, nonce) == 1 &&
               EVP_DecryptUpdate(ctx, NULL, &len, aad, sizeof(aad)) == 1 &&
               EVP_DecryptUpdate(ctx, ret, &len, sealed.data, plain_len) == 1 &&
               EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, TAG, tag) == 1 &&
               EVP_DecryptFinal_ex(ctx, ret + len, &len) == 1;
}

/* Exactly `orig_size` bytes, or false. */
static bool
unpack(const uint8_t *packed, size_t packed_len, size_t orig_size, struct kp_buf *ret)
{
        uint8_t *plain = malloc(orig_size + 1); /* one more, to see what is too much */
        z_stream stream = { 0 };
        bool ok = false;

        if (plain == NULL || inflateInit2(&stream, -MAX_WBITS) != Z_OK) {
                free(plain);
                return false;
        }
        stream.next_in = (Bytef *)packed;
        stream.avail_in = (uInt)packed_len;
        stream.next_out = plain;
        stream.avail_out = (uInt)(orig_size + 1);
        ok = inflate(&stream, Z_FINISH) == Z_STREAM_END && stream.avail_in == 0 &&
             stream.total_out == orig_size;
        (void)inflateEnd(&stream); /* frees only */
        if (ok)
                kp_buf_put(ret, plain, orig_size);
        OPENSSL_cleanse(plain, orig_size + 1);
        free(plain);
        return ok && !ret->failed;
}

struct sealed {
        struct kp_bytes ciphertext;
        const uint8_t *nonce;
        size_t nonce_len;
        int64_t orig_size;
};

/* Is it an entry as the specification has it? */
static bool
read_entry(const cbor_item_t *map, struct sealed *ret)
{
        return kp_cbor_is_bytes(kp_cbor_at_int(map, ENTRY_CIPHERTEXT),
                       &ret->ciphertext.data, &ret->ciphertext.len) &&
               kp_cbor_is_bytes(kp_cbor_at_int(map, ENTRY_NONCE), &ret->nonce,
                       &ret->nonce_len) &&
               kp_cbor_is_int(kp_cbor_at_int(map, ENTRY_ORIG_SIZE), &ret->orig_size) &&
               ret->ciphertext.len >= TAG && ret->ciphertext.len <= UINT16_MAX &&
               ret->nonce_len == NONCE && ret->orig_size >= 0 &&
               ret->orig_size <= KP_LARGE_BLOB_MAX;
}

bool
kp_blob_open(
        struct kp_bytes entry, const uint8_t key[KP_LARGE_BLOB_KEY], struct kp_buf *ret)
{
        KP_CLEANUP(kp_free_cbor) cbor_item_t *map = NULL;
        struct kp_error ignored = { 0 }; /* what cannot be read is not ours */
        struct sealed sealed = { 0 };
        uint8_t *packed;
        size_t packed_len;
        bool ok;

        if (kp_cbor_parse(
                    entry.data, entry.len, KP_CBOR_LENIENT, &map, NULL, &ignored) < 0 ||
                !read_entry(map, &sealed))
                return false;
        packed_len = sealed.ciphertext.len - TAG;
        if ((packed = malloc(packed_len + 1)) == NULL)
                return false;
        ok = decrypt(key, sealed.nonce, sealed.ciphertext, (uint64_t)sealed.orig_size,
                     packed) &&
             unpack(packed, packed_len, (size_t)sealed.orig_size, ret);
        OPENSSL_cleanse(packed, packed_len + 1);
        free(packed);
        return ok;
}

/* ---- writing ---- */

static int
pack(struct kp_bytes blob, uint8_t **ret, size_t *ret_len, struct kp_error *err)
{
        z_stream stream = { 0 };
        uint8_t *packed;
        size_t room;
        int r;

        if (deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, -MAX_WBITS, 8,
                    Z_DEFAULT_STRATEGY) != Z_OK)
                return KP_FAIL(err, KP_ENOMEM, "compression");
        room = deflateBound(&stream, blob.len);
        if ((packed = malloc(room)) == NULL) {
                (void)deflateEnd(&stream); /* frees only */
                return KP_FAIL(err, KP_ENOMEM, "compression");
        }
        stream.next_in = (Bytef *)blob.data;
        stream.avail_in = (uInt)blob.len;
        stream.next_out = packed;
        stream.avail_out = (uInt)room;
        r = deflate(&stream, Z_FINISH);
        *ret_len = stream.total_out;
        (void)deflateEnd(&stream); /* frees only */
        if (r != Z_STREAM_END) {
                free(packed);
                return KP_FAIL(err, KP_EBUG, "compression ends with %d", r);
        }
        *ret = packed;
        return 0;
}

static bool
encrypt(const uint8_t key[KP_LARGE_BLOB_KEY], const uint8_t nonce[NONCE],
        const uint8_t *plain, size_t plain_len, uint64_t orig_size, uint8_t *ret)
{
        KP_CLEANUP(kp_free_cipher_ctx) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
        uint8_t aad[AAD];
        int len = 0;

        put_aad(orig_size, aad);
        return ctx != NULL &&
               EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, nonce) == 1 &&
               EVP_EncryptUpdate(ctx, NULL, &len, aad, sizeof(aad)) == 1 &&
               EVP_EncryptUpdate(ctx, ret, &len, plain, (int)plain_len) == 1 &&
               EVP_EncryptFinal_ex(ctx, ret + plain_len, &len) == 1 &&
               EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, TAG, ret + plain_len) ==
                       1;
}

int
kp_blob_seal(const uint8_t key[KP_LARGE_BLOB_KEY], struct kp_bytes blob,
        struct kp_random *random, struct kp_buf *ret, struct kp_error *err)
{
        uint8_t nonce[NONCE], *packed = NULL, *sealed;
        size_t packed_len = 0;
        bool ok;

        if (blob.len > KP_LARGE_BLOB_MAX)
                return KP_FAIL(err, KP_EUSAGE, "a large blob of %zu bytes: at most %d",
                        blob.len, KP_LARGE_BLOB_MAX);
        if (pack(blob, &packed, &packed_len, err) < 0)
                return -1;
        kp_random_bytes(random, nonce, sizeof(nonce));
        sealed = malloc(packed_len + TAG);
        ok = sealed != NULL &&
             encrypt(key, nonce, packed, packed_len, blob.len, sealed);
        if (ok) {
                kp_cbor_put_map(ret, 3);
                kp_cbor_put_int(ret, ENTRY_CIPHERTEXT);
                kp_cbor_put_bytes(ret, sealed, packed_len + TAG);
                kp_cbor_put_int(ret, ENTRY_NONCE);
                kp_cbor_put_bytes(ret, nonce, sizeof(nonce));
                kp_cbor_put_int(ret, ENTRY_ORIG_SIZE);
                kp_cbor_put_int(ret, (int64_t)blob.len);
        }
        free(sealed);
        OPENSSL_cleanse(packed, packed_len);
        free(packed);
        if (!ok)
                return KP_FAIL(err, KP_ENOMEM, "AES-256-GCM");
        return kp_buf_check(ret, err);
}
