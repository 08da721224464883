/* SPDX-License-Identifier: BSD-2-Clause */
#include "blob.h"

#include <string.h>

bool
kp_blob_works(const struct kp_attempt *attempt)
{
        const struct kp_ceremony *c = attempt->ceremony;

        if (kp_ceremony_fact_is(c, "large_blob", "no") ||
                (!c->create &&
                        kp_ceremony_fact_is(c, "large_blob", "create_only_listed")))
                return false;
        if (strcmp(attempt->key->attachment, "platform") == 0 &&
                kp_ceremony_fact_is(c, "large_blob", "external_keys_only"))
                return false;
        return kp_key_option(&attempt->info, "largeBlobs") == KP_TRUE &&
               kp_key_has_extension(&attempt->info, "largeBlobKey");
}

/* A driver that has no large blobs is like a key without. */
static int
extra_get(
        struct kp_attempt *t, struct kp_extra *ret, bool *ret_has, struct kp_error *err)
{
        *ret_has = kp_driver_extra(t->key->driver, ret, err) == 0;
        if (*ret_has || err->code != KP_EUNSUPPORTED)
                return *ret_has ? 0 : -1;
        kp_error_clear(err);
        return 0;
}

int
kp_blob_token(struct kp_attempt *attempt, const char *pin, struct kp_token *ret,
        struct kp_said *ret_said, struct kp_error *err)
{
        const struct kp_token_wish wish = {
                .pin = pin,
                .permissions = KP_CTAP_PERM_GA | KP_CTAP_PERM_LBW,
                .rp_id = attempt->ceremony->rp_id,
        };
        struct kp_extra extra;
        bool has;

        *ret_said = (struct kp_said){ 0 };
        if (extra_get(attempt, &extra, &has, err) < 0)
                return -1;
        if (!has || kp_key_option(&attempt->info, "pinUvAuthToken") != KP_TRUE)
                return 0;
        return extra.pin->token(extra.self, &wish, ret, ret_said, err);
}

static int
blob_read(const struct kp_extra *extra, const uint8_t *key, struct kp_signed *answer,
        struct kp_error *err)
{
        struct kp_said said = { 0 };
        bool found = false;

        if (extra->blobs->get(extra->self, key, &answer->blob, &found, &said, err) < 0)
                return -1;
        answer->blob_found = found && kp_said_ok(&said);
        return 0;
}

static int
blob_write(const struct kp_extra *extra, const uint8_t *key, const struct kp_buf *blob,
        const struct kp_pin_or_token *proof, struct kp_signed *answer,
        struct kp_error *err)
{
        struct kp_said said = { 0 };

        if (extra->blobs->put(extra->self, key,
                    (struct kp_bytes){ blob->data, blob->len }, proof, &said, err) < 0)
                return -1;
        answer->blob_written = kp_said_ok(&said);
        return 0;
}

int
kp_blob_serve(struct kp_attempt *attempt, const struct kp_token *token,
        struct kp_signed *answer, struct kp_error *err)
{
        const struct kp_extensions *x = &attempt->ceremony->options.extensions;
        const struct kp_buf *key =
                &answer->reply.assertions[answer->chosen].large_blob_key;
        const struct kp_pin_or_token proof = {
                .pin = attempt->has_pin ? kp_buf_str(&attempt->pin) : NULL,
                .token = token->len > 0 ? token : NULL,
        };
        struct kp_extra extra;
        bool has;

        if ((!x->large_blob_read && !x->large_blob_write) ||
                key->len != KP_LARGE_BLOB_KEY)
                return 0;
        if (extra_get(attempt, &extra, &has, err) < 0)
                return -1;
        if (!has)
                return 0;
        if (x->large_blob_read)
                return blob_read(&extra, key->data, answer, err);
        return blob_write(&extra, key->data, &x->large_blob_data, &proof, answer, err);
}
