/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "fido2.h"

#define SILENCE_MS 10000
#define CANCEL_MS 1000
#define CANCEL_KEEPALIVES 20 /* of a key that does not hear the cancel */
#define KEEPALIVE_MS 100
#define BUSY_TRIES 20
#define BUSY_MS 100
#define MAX_FRAMES 100000 /* of other programs, while we wait for ours */

/* ---- reports below libfido2 ---- */

void
kp_fido2_path(const struct kp_fido2 *fido2, char path[KP_FIDO2_PATH_LEN])
{
        (void)snprintf(path, KP_FIDO2_PATH_LEN, "kp:%p", (const void *)fido2);
}

static void *
io_open(const char *path)
{
        void *fido2 = NULL;

        return sscanf(path, "kp:%p", &fido2) == 1 ? fido2 : NULL;
}

static void
io_close(void *handle)
{
        (void)handle; /* the driver closes its seam itself */
}

static void
note_written(struct kp_fido2 *fido2, const uint8_t report[KP_CTAPHID_REPORT])
{
        const struct kp_ctaphid_join *out = &fido2->out;

        if (kp_ctaphid_join(&fido2->out, report) != KP_JOIN_DONE ||
                out->cmd == KP_CTAPHID_CANCEL)
                return;
        fido2->asked = out->cmd == KP_CTAPHID_CBOR && out->payload.len > 0
                               ? out->payload.data[0]
                               : 0;
        fido2->answered = false;
        fido2->hid_error = 0;
        fido2->n_keepalives = 0;
        fido2->info_fresh = false;
}

static int
io_write(void *handle, const unsigned char *bytes, size_t bytes_len)
{
        struct kp_fido2 *fido2 = handle;

        if (bytes_len != 1 + KP_CTAPHID_REPORT || fido2->failed.code != KP_OK)
                return -1;
        note_written(fido2, bytes + 1); /* behind the report id */
        if (fido2->seam.ops->write(fido2->seam.self, bytes + 1, &fido2->failed) < 0)
                return -1;
        return (int)bytes_len;
}

static void
note_answer(struct kp_fido2 *fido2)
{
        const struct kp_buf *payload = &fido2->in.payload;
        struct kp_error unreadable = { 0 }; /* libfido2 will say so too */

        switch (fido2->in.cmd) {
        case KP_CTAPHID_KEEPALIVE:
                fido2->n_keepalives++;
                break;
        case KP_CTAPHID_ERROR:
                fido2->hid_error =
                        payload->len > 0 ? payload->data[0] : KP_CTAP1_ERR_OTHER;
                break;
        case KP_CTAPHID_CBOR:
                fido2->empty = payload->len == 0;
                fido2->answered = payload->len > 0;
                fido2->status = payload->len > 0 ? payload->data[0] : KP_CTAP_OK;
                if (fido2->asked == KP_CTAP_GET_INFO && payload->len > 1 &&
                        fido2->status == KP_CTAP_OK)
                        fido2->info_fresh =
                                kp_key_info_parse(payload->data + 1, payload->len - 1,
                                        &fido2->info, &unreadable) == 0;
                break;
        default:
                break;
        }
}

static void
note_read(struct kp_fido2 *fido2, enum kp_ctaphid_joined joined)
{
        if (joined == KP_JOIN_DONE)
                note_answer(fido2);
        else if (joined == KP_JOIN_BAD_SEQ)
                fido2->hid_error = KP_CTAP1_ERR_INVALID_SEQ;
        else if (joined == KP_JOIN_BAD_LEN)
                fido2->hid_error = KP_CTAP1_ERR_INVALID_LENGTH;
}

/* 1 a report on our channel, 0 nothing, -1 the seam failed */
static int
read_ours(struct kp_fido2 *fido2, uint8_t report[KP_CTAPHID_REPORT], int timeout_ms)
{
        struct kp_ctaphid_frame frame;
        enum kp_ctaphid_joined joined;
        int r;

        for (unsigned i = 0; i < MAX_FRAMES; i++) {
                r = fido2->seam.ops->read(
                        fido2->seam.self, report, timeout_ms, &fido2->failed);
                if (r <= 0)
                        return r;
                kp_ctaphid_frame_read(report, &frame);
                if (frame.cid != fido2->out.cid)
                        continue; /* to another program */
                joined = kp_ctaphid_join(&fido2->in, report);
                if (joined == KP_JOIN_STRAY)
                        continue; /* the rest of an answer that was given up */
                note_read(fido2, joined);
                return 1;
        }
        return 0;
}

static int
io_read(void *handle, unsigned char *bytes, size_t bytes_len, int timeout_ms)
{
        struct kp_fido2 *fido2 = handle;
        int r;

        if (bytes_len != KP_CTAPHID_REPORT || fido2->failed.code != KP_OK)
                return -1;
        if (timeout_ms < 0 || timeout_ms > SILENCE_MS)
                timeout_ms = SILENCE_MS;
        r = read_ours(fido2, bytes, timeout_ms);
        if (r == 0 || fido2->n_keepalives > KP_CTAP_TOUCH_MS / KEEPALIVE_MS)
                fido2->silent = true;
        return r == 1 && !fido2->silent ? (int)bytes_len : -1;
}

const fido_dev_io_t kp_fido2_io = { io_open, io_close, io_read, io_write };

/* ---- what a result means ---- */

void
kp_fido2_begin(struct kp_fido2 *fido2)
{
        kp_error_clear(&fido2->failed);
        fido2->asked = 0;
        fido2->answered = false;
        fido2->hid_error = 0;
        fido2->empty = false;
        fido2->silent = false;
}

bool
kp_fido2_busy(struct kp_fido2 *fido2, unsigned *tries)
{
        uint8_t report[KP_CTAPHID_REPORT];

        if (fido2->hid_error != KP_CTAP1_ERR_CHANNEL_BUSY || ++*tries > BUSY_TRIES)
                return false;
        (void)fido2->seam.ops->read(fido2->seam.self, report, BUSY_MS, &fido2->failed);
        kp_fido2_begin(fido2);
        return true;
}

/* Nothing came: a key that still works answers a cancel, with KEEPALIVE_CANCEL. */
static void
cancel(struct kp_fido2 *fido2)
{
        unsigned before = fido2->n_keepalives;
        uint8_t report[KP_CTAPHID_REPORT];

        fido2->silent = false;
        if (fido_dev_cancel(fido2->dev) != FIDO_OK)
                return;
        for (unsigned i = 0; i < MAX_FRAMES && !fido2->answered &&
                             fido2->n_keepalives <= before + CANCEL_KEEPALIVES;
                i++)
                if (read_ours(fido2, report, CANCEL_MS) <= 0)
                        break;
}

/* No status came: say what came instead. */
static int
sort_nothing(struct kp_fido2 *fido2, uint8_t *ret_status, const char **ret_transport,
        struct kp_error *err)
{
        if (fido2->silent)
                cancel(fido2);
        if (fido2->failed.code != KP_OK && fido2->failed.code != KP_EIO) {
                *err = fido2->failed;
                return KP_WHILE(err, "libfido2");
        }
        if (fido2->failed.code == KP_EIO)
                *ret_transport = "lost";
        else if (fido2->hid_error != 0)
                *ret_transport = "hid-error";
        else if (fido2->answered && fido2->status != KP_CTAP_OK)
                *ret_status = fido2->status;
        else if (fido2->answered || fido2->empty)
                *ret_transport = "unreadable";
        else
                *ret_transport = "timeout";
        return 0;
}

enum sort { SORT_NOTHING, SORT_UNREADABLE, SORT_UP_REQUIRED, SORT_OURS };

/* clang-format off */
/* libfido2's own results, in the order of <fido/err.h>; positive ones are the key's. */
static const struct {
        int result;
        enum sort sort;
} results[] = {
        { FIDO_ERR_TX,                     SORT_NOTHING },
        { FIDO_ERR_RX,                     SORT_NOTHING },
        { FIDO_ERR_RX_NOT_CBOR,            SORT_UNREADABLE },
        { FIDO_ERR_RX_INVALID_CBOR,        SORT_UNREADABLE },
        { FIDO_ERR_INVALID_PARAM,          SORT_OURS },
        { FIDO_ERR_INVALID_SIG,            SORT_OURS },
        { FIDO_ERR_INVALID_ARGUMENT,       SORT_OURS },
        { FIDO_ERR_USER_PRESENCE_REQUIRED, SORT_UP_REQUIRED },
        { FIDO_ERR_INTERNAL,               SORT_OURS },
        { FIDO_ERR_NOTFOUND,               SORT_OURS },
        { FIDO_ERR_COMPRESS,               SORT_OURS },
};
/* clang-format on */

static enum sort
sort_of(int result)
{
        for (size_t i = 0; i < KP_NELEMS(results); i++)
                if (results[i].result == result)
                        return results[i].sort;
        return SORT_OURS;
}

int
kp_fido2_sort(struct kp_fido2 *fido2, int result, uint8_t *ret_status,
        const char **ret_transport, struct kp_error *err)
{
        *ret_status = KP_CTAP_OK;
        *ret_transport = NULL;
        if (result == FIDO_OK)
                return 0;
        /* libfido2 says INVALID_CBOR itself of an answer that lacks a member */
        if (result == FIDO_ERR_INVALID_CBOR && fido2->answered &&
                fido2->status == KP_CTAP_OK)
                result = FIDO_ERR_RX_INVALID_CBOR;
        if (result > 0) {
                *ret_status = (uint8_t)result;
                return 0;
        }
        /* some of its functions make INTERNAL of what they got from below */
        if (fido2->failed.code != KP_OK ||
                (result == FIDO_ERR_INTERNAL &&
                        (fido2->silent || fido2->hid_error != 0)))
                result = FIDO_ERR_RX;
        switch (sort_of(result)) {
        case SORT_NOTHING:
                return sort_nothing(fido2, ret_status, ret_transport, err);
        case SORT_UNREADABLE:
                *ret_transport = "unreadable";
                return 0;
        case SORT_UP_REQUIRED:
                *ret_status = KP_CTAP2_ERR_UP_REQUIRED;
                return 0;
        case SORT_OURS:
        default:
                return KP_FAIL_AS(err, KP_EIO, "fido2", result, "libfido2: %s",
                        fido_strerr(result));
        }
}
