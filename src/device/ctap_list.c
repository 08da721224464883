/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "ctap.h"

/* What a message needs beside its list: hash, RP ID, options, token. */
#define REST_MAX 512

static size_t
descriptor_len(struct kp_bytes id)
{
        /* map, "id", "type", "public-key" */
        static const size_t fixed = 1 + 3 + 5 + 11;

        return fixed + (id.len < 24 ? 1 : id.len < 256 ? 2 : 3) + id.len;
}

static bool
id_fits(const struct kp_key_info *info, struct kp_bytes id)
{
        return info->max_credential_id_len <= 0 ||
               (int64_t)id.len <= info->max_credential_id_len;
}

static bool
count_fits(const struct kp_key_info *info, size_t n)
{
        return info->max_credentials_in_list <= 0 ||
               (int64_t)n <= info->max_credentials_in_list;
}

bool
kp_ctap_list_fits(const struct kp_key_info *info, struct kp_list list, size_t rest_len)
{
        size_t len = rest_len + 3;

        if (!count_fits(info, list.n_ids))
                return false;
        for (size_t i = 0; i < list.n_ids; i++) {
                if (!id_fits(info, list.ids[i]))
                        return false;
                len += descriptor_len(list.ids[i]);
        }
        return list.n_ids == 0 || (int64_t)len <= info->max_msg_size;
}

/*
 * Put the next ids into `batch`, as many as one message holds, at least one. Ids longer
 * than the key can have made are passed over: it cannot know them.
 */
static size_t
batch_fill(const struct kp_key_info *info, struct kp_list list, size_t *at,
        struct kp_bytes *batch)
{
        size_t n = 0, len = REST_MAX;

        for (; *at < list.n_ids; (*at)++) {
                size_t more = descriptor_len(list.ids[*at]);

                if (!id_fits(info, list.ids[*at]))
                        continue;
                if (n > 0 && (!count_fits(info, n + 1) ||
                                     (int64_t)(len + more) > info->max_msg_size))
                        break;
                batch[n++] = list.ids[*at];
                len += more;
        }
        return n;
}

/* The id of the batch that the key named. */
static int
batch_match(const struct kp_answer *answer, struct kp_list batch, struct kp_bytes *ret,
        struct kp_error *err)
{
        KP_CLEANUP(kp_assertion_done) struct kp_assertion assertion = { 0 };
        size_t n;
        int r;

        if (batch.n_ids == 1) {
                *ret = batch.ids[0]; /* the key may leave it out */
                return 0;
        }
        r = kp_ctap_parse_get(&answer->body, NULL, &assertion, &n, err);
        for (size_t i = 0; r == 0 && i < batch.n_ids; i++)
                if (kp_bytes_equal(batch.ids[i].data, batch.ids[i].len,
                            assertion.credential_id.data, assertion.credential_id.len))
                        *ret = batch.ids[i];
        return r;
}

static int
batch_ask(struct kp_ctap *ctap, const struct kp_ctap_get *get, struct kp_list batch,
        struct kp_bytes *ret, struct kp_answer *answer, struct kp_error *err)
{
        KP_CLEANUP(kp_buf_wipe) struct kp_buf request = { 0 };
        struct kp_error unreadable = { 0 };
        struct kp_ctap_get silent = *get;

        silent.allow = batch;
        silent.up = KP_FALSE;
        silent.uv = KP_OMIT;
        silent.hmac_secret = (struct kp_bytes){ 0 };
        silent.get_cred_blob = false;
        silent.large_blob_key = silent.third_party_payment = silent.uvm = false;
        kp_ctap_put_get(&request, &silent);
        if (kp_ctap_cbor(ctap, &request, answer, err) < 0)
                return -1;
        if (kp_answer_ok(answer) && batch_match(answer, batch, ret, &unreadable) < 0)
                answer->transport = "unreadable";
        return 0;
}

int
kp_ctap_preflight(struct kp_ctap *ctap, const struct kp_ctap_get *get,
        struct kp_list list, struct kp_bytes *ret, struct kp_answer *answer,
        struct kp_error *err)
{
        struct kp_bytes *batch = calloc(list.n_ids + 1, sizeof(*batch));
        size_t at = 0, n;
        int r = 0;

        if (batch == NULL)
                return KP_FAIL(err, KP_ENOMEM, "list of credentials");
        *ret = (struct kp_bytes){ 0 };
        while (r == 0 && ret->len == 0 &&
                (n = batch_fill(&ctap->info, list, &at, batch)) > 0) {
                r = batch_ask(
                        ctap, get, (struct kp_list){ batch, n }, ret, answer, err);
                if (r < 0 || answer->transport != NULL ||
                        (answer->status != KP_CTAP_OK &&
                                answer->status != KP_CTAP2_ERR_NO_CREDENTIALS))
                        break;
                answer->status = KP_CTAP_OK; /* not known: go on */
        }
        free(batch);
        return r;
}
