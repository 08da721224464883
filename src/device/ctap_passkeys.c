/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "keypilot/core/free.h"

#include "ctap.h"

/* authenticatorCredentialManagement, and its preview. Spec: CTAP 2.1 §6.8 */
enum {
        CM_METADATA = 1,
        CM_RPS_BEGIN = 2,
        CM_RPS_NEXT = 3,
        CM_CREDENTIALS_BEGIN = 4,
        CM_CREDENTIALS_NEXT = 5,
        CM_DELETE = 6,
        CM_UPDATE = 7,
};
#define LISTED_MAX 4096 /* more than any key holds: one that says so is not believed */

/*
 * The command and the permission for it; 0: this key has none. CTAP 2.2: some may be
 * looked at under the persistent token only. Spec: CTAP 2.1 §6.8, §6.13
 */
static uint8_t
management_cmd(const struct kp_key_info *info, uint8_t number, uint8_t *ret_permission)
{
        *ret_permission = KP_CTAP_PERM_CM;
        if (kp_key_option(info, "credMgmt") == KP_TRUE)
                return KP_CTAP_CREDENTIAL_MANAGEMENT;
        if (kp_key_option(info, "credentialMgmtPreview") == KP_TRUE)
                return KP_CTAP_CREDENTIAL_MANAGEMENT_PREVIEW;
        *ret_permission = KP_CTAP_PERM_PCMR;
        if (number < CM_DELETE && kp_key_option(info, "perCredMgmtRO") == KP_TRUE)
                return KP_CTAP_CREDENTIAL_MANAGEMENT;
        return 0;
}

static int
management(struct kp_ctap *ctap, uint8_t number, const struct kp_buf *params,
        const struct kp_pin_or_token *proof, struct kp_answer *answer,
        struct kp_error *err)
{
        uint8_t permission;
        const struct kp_ctap_sub sub = {
                .cmd = management_cmd(&ctap->info, number, &permission),
                .number = number,
                .params = params,
        };

        if (sub.cmd == 0)
                return KP_FAIL(
                        err, KP_EUNSUPPORTED, "this key cannot manage single passkeys");
        return kp_ctap_sub_once(ctap, &sub, proof, permission, answer, err);
}

/* The next one of a list, which takes no token. */
static int
management_next(struct kp_ctap *ctap, uint8_t number, struct kp_answer *answer,
        struct kp_error *err)
{
        KP_CLEANUP(kp_session_done) struct kp_session none = { 0 };
        const struct kp_buf no_params = { 0 };
        uint8_t permission;
        const struct kp_ctap_sub sub = {
                .cmd = management_cmd(&ctap->info, number, &permission),
                .number = number,
                .params = &no_params,
        };

        return kp_ctap_sub(ctap, &sub, &none, answer, err);
}

static int
passkey_places(void *self, const struct kp_pin_or_token *proof, int64_t *ret_used,
        int64_t *ret_left, struct kp_said *said, struct kp_error *err)
{
        KP_CLEANUP(kp_answer_done) struct kp_answer answer = { 0 };
        KP_CLEANUP(kp_free_cbor) cbor_item_t *map = NULL;
        struct kp_error unreadable = { 0 };
        const struct kp_buf no_params = { 0 };

        if (management(self, CM_METADATA, &no_params, proof, &answer, err) < 0)
                return -1;
        if (kp_answer_ok(&answer) &&
                (kp_ctap_parse_map(&answer.body, &map, &unreadable) < 0 ||
                        !kp_cbor_is_int(kp_cbor_at_int(map, 1), ret_used) ||
                        !kp_cbor_is_int(kp_cbor_at_int(map, 2), ret_left)))
                answer.transport = "unreadable";
        kp_answer_said(&answer, said);
        return 0;
}

/* ---- lists ---- */

/*
 * What the key lists, one answer after the other.
 *
 * begin, next  subcommands
 * total        member of the first answer that tells how many there are
 * take         one answer into the list. Errors  KP_EPARSE, KP_ENOMEM
 */
struct listing {
        uint8_t begin, next;
        int total;
        int (*take)(void *list, const cbor_item_t *map, struct kp_error *err);
        void *list;
};

/* Errors  KP_EPARSE; ret_total is set where the answer has it */
static int
listing_take(const struct listing *listing, const struct kp_buf *body,
        int64_t *ret_total, struct kp_error *err)
{
        KP_CLEANUP(kp_free_cbor) cbor_item_t *map = NULL;

        /* no passkeys: a key may answer with an empty map, or nothing at all */
        if (ret_total != NULL && body->len == 0) {
                *ret_total = 0;
                return 0;
        }
        if (kp_ctap_parse_map(body, &map, err) < 0)
                return -1;
        if (ret_total != NULL) {
                (void)kp_cbor_is_int(kp_cbor_at_int(map, listing->total), ret_total);
                if (*ret_total <= 0)
                        return 0;
        }
        return listing->take(listing->list, map, err);
}

static int
listing_run(struct kp_ctap *ctap, const struct listing *listing,
        const struct kp_buf *params, const struct kp_pin_or_token *proof,
        struct kp_said *said, struct kp_error *err)
{
        KP_CLEANUP(kp_answer_done) struct kp_answer answer = { 0 };
        struct kp_error trouble = { 0 };
        int64_t total = 0;
        int r = 0;

        if (management(ctap, listing->begin, params, proof, &answer, err) < 0)
                return -1;
        if (kp_answer_ok(&answer))
                r = listing_take(listing, &answer.body, &total, &trouble);
        for (int64_t i = 1; r == 0 && kp_answer_ok(&answer) && i < total; i++) {
                if (i >= LISTED_MAX) {
                        r = KP_FAIL(&trouble, KP_EPARSE, "a list without an end");
                        break;
                }
                if (management_next(ctap, listing->next, &answer, err) < 0)
                        return -1;
                if (kp_answer_ok(&answer))
                        r = listing_take(listing, &answer.body, NULL, &trouble);
        }
        if (r < 0 && trouble.code != KP_EPARSE) {
                *err = trouble;
                return -1;
        }
        if (r < 0)
                answer.transport = "unreadable";
        kp_answer_said(&answer, said);
        return 0;
}

static int
copy_bytes(const cbor_item_t *item, const char *name, struct kp_buf *ret,
        struct kp_error *err)
{
        const uint8_t *bytes;
        size_t len;

        if (!kp_cbor_is_bytes(item, &bytes, &len))
                return KP_FAIL(err, KP_EPARSE, "credentialManagement: no %s", name);
        kp_buf_put(ret, bytes, len);
        return kp_buf_check(ret, err);
}

static int
take_rp(void *list, const cbor_item_t *map, struct kp_error *err)
{
        struct kp_rk_rps *rps = list;
        struct kp_rk_rp *items = realloc(rps->items, (rps->n + 1) * sizeof(*items));
        const uint8_t *hash;
        const char *id;
        size_t len;

        if (items == NULL)
                return KP_FAIL(err, KP_ENOMEM, "relying parties");
        rps->items = items;
        items += rps->n;
        *items = (struct kp_rk_rp){ 0 };
        if (!kp_cbor_is_bytes(kp_cbor_at_int(map, 4), &hash, &len) ||
                len != sizeof(items->id_hash))
                return KP_FAIL(err, KP_EPARSE, "credentialManagement: no rpIDHash");
        memcpy(items->id_hash, hash, len);
        rps->n++;
        if (kp_cbor_is_text(kp_cbor_at_str(kp_cbor_at_int(map, 3), "id"), &id, &len))
                kp_buf_put(&items->id, id, len);
        return kp_buf_check(&items->id, err);
}

static int
passkey_rps(void *self, const struct kp_pin_or_token *proof, struct kp_rk_rps *ret,
        struct kp_said *said, struct kp_error *err)
{
        KP_CLEANUP(kp_rk_rps_done) struct kp_rk_rps rps = { 0 };
        const struct listing listing = { CM_RPS_BEGIN, CM_RPS_NEXT, 5, take_rp, &rps };
        const struct kp_buf no_params = { 0 };

        if (listing_run(self, &listing, &no_params, proof, said, err) < 0)
                return -1;
        if (kp_said_ok(said)) {
                *ret = rps;
                rps = (struct kp_rk_rps){ 0 };
        }
        return 0;
}

static int
read_passkey(const cbor_item_t *map, struct kp_rk *ret, struct kp_error *err)
{
        const cbor_item_t *user = kp_cbor_at_int(map, 6);
        const uint8_t *bytes;
        int64_t protect;
        bool payment;
        size_t len;

        if (copy_bytes(kp_cbor_at_str(user, "id"), "user id", &ret->user_id, err) < 0 ||
                copy_bytes(kp_cbor_at_str(kp_cbor_at_int(map, 7), "id"),
                        "credential id", &ret->credential_id, err) < 0)
                return -1;
        kp_ctap_take_text(
                kp_cbor_at_str(user, "name"), ret->user_name, sizeof(ret->user_name));
        kp_ctap_take_text(kp_cbor_at_str(user, "displayName"), ret->user_display_name,
                sizeof(ret->user_display_name));
        if (!kp_cbor_is_map(kp_cbor_at_int(map, 8), &len))
                return KP_FAIL(err, KP_EPARSE, "credentialManagement: no public key");
        kp_cbor_put_item(&ret->public_key, kp_cbor_at_int(map, 8));
        if (kp_cbor_is_int(kp_cbor_at_int(map, 10), &protect))
                ret->cred_protect = (int)protect;
        if (kp_cbor_is_bytes(kp_cbor_at_int(map, 11), &bytes, &len))
                kp_buf_put(&ret->large_blob_key, bytes, len);
        if (kp_cbor_is_bool(kp_cbor_at_int(map, 12), &payment))
                ret->third_party_payment = payment ? KP_TRUE : KP_FALSE;
        if (kp_buf_check(&ret->large_blob_key, err) < 0)
                return -1;
        return kp_buf_check(&ret->public_key, err);
}

static int
take_passkey(void *list, const cbor_item_t *map, struct kp_error *err)
{
        struct kp_rks *rks = list;
        struct kp_rk *items = realloc(rks->items, (rks->n + 1) * sizeof(*items));

        if (items == NULL)
                return KP_FAIL(err, KP_ENOMEM, "passkeys");
        rks->items = items;
        items[rks->n] = (struct kp_rk){ 0 };
        return read_passkey(map, &items[rks->n++], err);
}

static int
passkey_list(void *self, const uint8_t rp_id_hash[32],
        const struct kp_pin_or_token *proof, struct kp_rks *ret, struct kp_said *said,
        struct kp_error *err)
{
        KP_CLEANUP(kp_rks_done) struct kp_rks rks = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf params = { 0 };
        const struct listing listing = { CM_CREDENTIALS_BEGIN, CM_CREDENTIALS_NEXT, 9,
                take_passkey, &rks };

        kp_cbor_put_map(&params, 1);
        kp_cbor_put_int(&params, 1);
        kp_cbor_put_bytes(&params, rp_id_hash, 32);
        if (listing_run(self, &listing, &params, proof, said, err) < 0)
                return -1;
        if (kp_said_ok(said)) {
                *ret = rks;
                rks = (struct kp_rks){ 0 };
        }
        return 0;
}

/* ---- changes ---- */

static void
put_descriptor(struct kp_buf *params, struct kp_bytes id)
{
        kp_cbor_put_int(params, 2);
        kp_cbor_put_map(params, 2);
        kp_cbor_put_text(params, "id");
        kp_cbor_put_bytes(params, id.data, id.len);
        kp_cbor_put_text(params, "type");
        kp_cbor_put_text(params, "public-key");
}

static int
passkey_remove(void *self, struct kp_bytes credential_id,
        const struct kp_pin_or_token *proof, struct kp_said *said, struct kp_error *err)
{
        KP_CLEANUP(kp_answer_done) struct kp_answer answer = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf params = { 0 };

        kp_cbor_put_map(&params, 1);
        put_descriptor(&params, credential_id);
        if (management(self, CM_DELETE, &params, proof, &answer, err) < 0)
                return -1;
        kp_answer_said(&answer, said);
        return 0;
}

static int
passkey_update(void *self, const struct kp_rk_user *user,
        const struct kp_pin_or_token *proof, struct kp_said *said, struct kp_error *err)
{
        KP_CLEANUP(kp_answer_done) struct kp_answer answer = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf params = { 0 };

        kp_cbor_put_map(&params, 2);
        put_descriptor(&params, user->credential_id);
        kp_cbor_put_int(&params, 3);
        kp_cbor_put_map(&params,
                1 + (size_t)(user->name != NULL) + (user->display_name != NULL));
        kp_cbor_put_text(&params, "id");
        kp_cbor_put_bytes(&params, user->user_id.data, user->user_id.len);
        if (user->name != NULL) {
                kp_cbor_put_text(&params, "name");
                kp_cbor_put_text(&params, user->name);
        }
        if (user->display_name != NULL) {
                kp_cbor_put_text(&params, "displayName");
                kp_cbor_put_text(&params, user->display_name);
        }
        if (management(self, CM_UPDATE, &params, proof, &answer, err) < 0)
                return -1;
        kp_answer_said(&answer, said);
        return 0;
}

const struct kp_rk_ops kp_ctap_rk_ops = { passkey_places, passkey_rps, passkey_list,
        passkey_remove, passkey_update };
