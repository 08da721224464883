/* SPDX-License-Identifier: BSD-2-Clause */
#include <fido/credman.h>
#include <fido/es256.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fido2.h"

/*
 * What libfido2 1.12 cannot say, and is refused with KP_EUNSUPPORTED before anything
 * goes out, so that the caller can ask the driver `ctap`: several algorithms in one
 * request, or others than ES256, ES384, EdDSA, RS256; enterprise attestation and
 * preferred formats; what CTAP 2.2 and 2.3 brought; tokens that are kept; lists that do
 * not fit the key (it does no pre-flight); the option "uv" on a key that gives
 * tokens but has no verification of its own; removal where the key knows only the final
 * command; U2F's app id. Statements come back as libcbor writes them, which for
 * canonical CBOR is the same.
 */
#define LEGACY_MANAGEMENT "credentialMgmtPreview"

static fido_opt_t
opt(enum kp_ternary value)
{
        return value == KP_OMIT   ? FIDO_OPT_OMIT
               : value == KP_TRUE ? FIDO_OPT_TRUE
                                  : FIDO_OPT_FALSE;
}

static int
unsupported(const char *what, struct kp_error *err)
{
        return KP_FAIL(err, KP_EUNSUPPORTED, "libfido2 cannot ask for %s", what);
}

/* What both requests have in common. */
static int
can_verify(const struct kp_key_info *info, const char *pin, enum kp_ternary uv,
        struct kp_error *err)
{
        if (pin != NULL && !info->u2f_only && info->n_pin_protocols == 0)
                return unsupported(
                        "a PIN/UV token of a key that lists no protocol", err);
        if (pin == NULL && uv == KP_TRUE &&
                kp_key_option(info, "pinUvAuthToken") == KP_TRUE &&
                kp_key_option(info, "uv") != KP_TRUE)
                return unsupported(
                        "\"uv\" of a key that gives tokens and has none", err);
        return 0;
}

static int
can_list(const struct kp_key_info *info, const struct kp_bytes *ids, size_t n_ids,
        struct kp_error *err)
{
        enum { REST_MAX = 512 };

        for (size_t i = 0; i < n_ids; i++)
                if (ids[i].len == 0)
                        return unsupported("an empty credential id", err);
        if (!info->u2f_only &&
                !kp_ctap_list_fits(info, (struct kp_list){ ids, n_ids }, REST_MAX))
                return unsupported("a list that is too long for the key", err);
        return 0;
}

static int
check(int result, const char *what, struct kp_error *err)
{
        if (result == FIDO_OK)
                return 0;
        return KP_FAIL_AS(err, KP_EUNSUPPORTED, "fido2", result,
                "libfido2 does not take %s: %s", what, fido_strerr(result));
}

/* ---- info ---- */

static int
fido2_info(void *self, struct kp_key_info *ret, struct kp_error *err)
{
        struct kp_fido2 *fido2 = self;
        fido_cbor_info_t *info;
        const char *transport;
        uint8_t status;
        int r;

        if (!fido2->info.u2f_only && !fido2->info_fresh) {
                if ((info = fido_cbor_info_new()) == NULL)
                        return KP_FAIL(err, KP_ENOMEM, "GetInfo");
                kp_fido2_begin(fido2);
                r = fido_dev_get_cbor_info(fido2->dev, info);
                fido_cbor_info_free(&info);
                if (kp_fido2_sort(fido2, r, &status, &transport, err) < 0)
                        return -1;
                if (!fido2->info_fresh)
                        return KP_FAIL(err, KP_EIO,
                                "the key does not tell what it is (%s)",
                                transport != NULL ? transport
                                                  : kp_ctap_status_name(status));
        }
        *ret = fido2->info;
        return 0;
}

/* ---- make ---- */

static int
can_make(const struct kp_key_info *info, const struct kp_make_request *request,
        struct kp_error *err)
{
        if (request->n_algorithms != 1)
                return unsupported("more than one algorithm", err);
        switch (request->algorithms[0]) {
        case COSE_ES256:
        case COSE_ES384:
        case COSE_EDDSA:
        case COSE_RS256:
                break;
        default:
                return unsupported("this algorithm", err);
        }
        if (info->u2f_only && request->algorithms[0] != COSE_ES256)
                return unsupported("this algorithm of a key that speaks U2F only", err);
        if (info->u2f_only &&
                (request->hmac_secret || request->cred_protect != 0 ||
                        request->min_pin_length || request->cred_blob.data != NULL ||
                        request->large_blob_key))
                return unsupported("extensions of a key that speaks U2F only", err);
        if (request->enterprise != 0)
                return unsupported("enterprise attestation", err);
        if (request->n_formats > 0)
                return unsupported("an attestation format", err);
        if (request->hmac_salts.data != NULL)
                return unsupported("hmac-secret while enrolling", err);
        if (request->third_party_payment || request->pin_complexity_policy ||
                request->uvm)
                return unsupported("an extension that is newer than it", err);
        if (request->token != NULL)
                return unsupported("something with a token that is kept", err);
        if (can_verify(info, request->pin, request->uv, err) < 0)
                return -1;
        return can_list(info, request->exclude, request->n_exclude, err);
}

static int
set_make_extensions(
        fido_cred_t *cred, const struct kp_make_request *request, struct kp_error *err)
{
        if (request->hmac_secret &&
                check(fido_cred_set_extensions(cred, FIDO_EXT_HMAC_SECRET),
                        "hmac-secret", err) < 0)
                return -1;
        if (request->cred_protect != 0 &&
                check(fido_cred_set_prot(cred, request->cred_protect), "credProtect",
                        err) < 0)
                return -1;
        if (request->large_blob_key &&
                check(fido_cred_set_extensions(cred, FIDO_EXT_LARGEBLOB_KEY),
                        "largeBlobKey", err) < 0)
                return -1;
        if (request->min_pin_length &&
                check(fido_cred_set_pin_minlen(cred, 4), "minPinLength", err) < 0)
                return -1;
        if (request->cred_blob.data != NULL)
                return check(fido_cred_set_blob(cred, request->cred_blob.data,
                                     request->cred_blob.len),
                        "credBlob", err);
        return 0;
}

static int
set_make(fido_cred_t *cred, const struct kp_make_request *request, struct kp_error *err)
{
        if (check(fido_cred_set_type(cred, request->algorithms[0]), "the algorithm",
                    err) < 0 ||
                check(fido_cred_set_clientdata_hash(cred, request->client_data_hash,
                              sizeof(request->client_data_hash)),
                        "the hash", err) < 0 ||
                check(fido_cred_set_rp(cred, request->rp_id, request->rp_name),
                        "the RP ID", err) < 0 ||
                check(fido_cred_set_user(cred, request->user_id.data,
                              request->user_id.len, request->user_name,
                              request->user_display_name, NULL),
                        "the user", err) < 0 ||
                check(fido_cred_set_rk(cred, opt(request->rk)), "\"rk\"", err) < 0 ||
                check(fido_cred_set_uv(cred, opt(request->uv)), "\"uv\"", err) < 0)
                return -1;
        for (size_t i = 0; i < request->n_exclude; i++)
                if (check(fido_cred_exclude(cred, request->exclude[i].data,
                                  request->exclude[i].len),
                            "the exclude list", err) < 0)
                        return -1;
        return set_make_extensions(cred, request, err);
}

/* Spec: WebAuthn L3 §8.6: "sig" and "x5c"; libfido2 adds "alg" to what a key said. */
static void
take_u2f(const fido_cred_t *cred, struct kp_buf *ret)
{
        kp_cbor_put_map(ret, 2);
        kp_cbor_put_text(ret, "sig");
        kp_cbor_put_bytes(ret, fido_cred_sig_ptr(cred), fido_cred_sig_len(cred));
        kp_cbor_put_text(ret, "x5c");
        kp_cbor_put_array(ret, 1);
        kp_cbor_put_bytes(ret, fido_cred_x5c_ptr(cred), fido_cred_x5c_len(cred));
}

static int
take_make(const fido_cred_t *cred, struct kp_make_reply *ret, struct kp_error *err)
{
        const char *format = fido_cred_fmt(cred);

        (void)snprintf(
                ret->format, sizeof(ret->format), "%s", format == NULL ? "" : format);
        kp_buf_put(&ret->auth_data, fido_cred_authdata_raw_ptr(cred),
                fido_cred_authdata_raw_len(cred));
        if (strcmp(ret->format, "fido-u2f") == 0)
                take_u2f(cred, &ret->statement);
        else
                kp_buf_put(&ret->statement, fido_cred_attstmt_ptr(cred),
                        fido_cred_attstmt_len(cred));
        kp_buf_put(&ret->large_blob_key, fido_cred_largeblob_key_ptr(cred),
                fido_cred_largeblob_key_len(cred));
        if (kp_buf_check(&ret->auth_data, err) < 0 ||
                kp_buf_check(&ret->large_blob_key, err) < 0)
                return -1;
        return kp_buf_check(&ret->statement, err);
}

static int
fido2_make(void *self, const struct kp_make_request *request, struct kp_make_reply *ret,
        struct kp_error *err)
{
        KP_CLEANUP(fido_cred_free) fido_cred_t *cred = fido_cred_new();
        struct kp_fido2 *fido2 = self;
        unsigned tries = 0;
        int r;

        *ret = (struct kp_make_reply){ 0 };
        if (cred == NULL)
                return KP_FAIL(err, KP_ENOMEM, "makeCredential");
        if (can_make(&fido2->info, request, err) < 0 ||
                set_make(cred, request, err) < 0)
                return -1;
        kp_fido2_begin(fido2);
        do
                r = fido_dev_make_cred(fido2->dev, cred, request->pin);
        while (kp_fido2_busy(fido2, &tries));
        if (kp_fido2_sort(fido2, r, &ret->status, &ret->transport, err) < 0)
                return -1;
        return r == FIDO_OK ? take_make(cred, ret, err) : 0;
}

/* ---- get ---- */

static int
can_get(const struct kp_key_info *info, const struct kp_get_request *request,
        struct kp_error *err)
{
        if (request->app_id != NULL)
                return unsupported("a second application", err);
        if (info->u2f_only &&
                (request->up == KP_FALSE || request->hmac_salts.data != NULL ||
                        request->get_cred_blob || request->large_blob_key))
                return unsupported("this of a key that speaks U2F only", err);
        if (request->third_party_payment || request->uvm)
                return unsupported("an extension that is newer than it", err);
        if (request->token != NULL)
                return unsupported("something with a token that is kept", err);
        if (request->hmac_salts.data != NULL && info->n_pin_protocols == 0)
                return unsupported("hmac-secret of a key that lists no protocol", err);
        if (can_verify(info, request->pin, request->uv, err) < 0)
                return -1;
        return can_list(info, request->allow, request->n_allow, err);
}

static int
set_get(fido_assert_t *assert, const struct kp_get_request *request,
        struct kp_error *err)
{
        int extensions = (request->hmac_salts.data != NULL ? FIDO_EXT_HMAC_SECRET : 0) |
                         (request->get_cred_blob ? FIDO_EXT_CRED_BLOB : 0) |
                         (request->large_blob_key ? FIDO_EXT_LARGEBLOB_KEY : 0);

        if (check(fido_assert_set_rp(assert, request->rp_id), "the RP ID", err) < 0 ||
                check(fido_assert_set_clientdata_hash(assert, request->client_data_hash,
                              sizeof(request->client_data_hash)),
                        "the hash", err) < 0 ||
                check(fido_assert_set_up(assert, opt(request->up)), "\"up\"", err) <
                        0 ||
                check(fido_assert_set_uv(assert, opt(request->uv)), "\"uv\"", err) <
                        0 ||
                check(fido_assert_set_extensions(assert, extensions), "the extensions",
                        err) < 0)
                return -1;
        if (request->hmac_salts.data != NULL &&
                check(fido_assert_set_hmac_salt(assert, request->hmac_salts.data,
                              request->hmac_salts.len),
                        "the salts", err) < 0)
                return -1;
        for (size_t i = 0; i < request->n_allow; i++)
                if (check(fido_assert_allow_cred(assert, request->allow[i].data,
                                  request->allow[i].len),
                            "the allow list", err) < 0)
                        return -1;
        return 0;
}

static void
take_text(char *ret, size_t ret_len, const char *text)
{
        (void)snprintf(ret, ret_len, "%s", text == NULL ? "" : text);
}

static int
take_assertion(const fido_assert_t *assert, size_t i, struct kp_assertion *ret,
        struct kp_error *err)
{
        size_t cbor_len = fido_assert_authdata_len(assert, i), used = 0, len;
        const uint8_t *cbor = fido_assert_authdata_ptr(assert, i);
        cbor_item_t *item = NULL;
        const uint8_t *bytes;

        /* libfido2 keeps the authenticator data as a CBOR byte string */
        if (kp_cbor_parse(cbor, cbor_len, KP_CBOR_LENIENT, &item, &used, err) < 0)
                return KP_WHILE(err, "authenticator data");
        if (kp_cbor_is_bytes(item, &bytes, &len))
                kp_buf_put(&ret->auth_data, bytes, len);
        cbor_decref(&item);
        kp_buf_put(&ret->credential_id, fido_assert_id_ptr(assert, i),
                fido_assert_id_len(assert, i));
        kp_buf_put(&ret->signature, fido_assert_sig_ptr(assert, i),
                fido_assert_sig_len(assert, i));
        kp_buf_put(&ret->user_id, fido_assert_user_id_ptr(assert, i),
                fido_assert_user_id_len(assert, i));
        take_text(ret->user_name, sizeof(ret->user_name),
                fido_assert_user_name(assert, i));
        take_text(ret->user_display_name, sizeof(ret->user_display_name),
                fido_assert_user_display_name(assert, i));
        kp_buf_put(&ret->hmac_output, fido_assert_hmac_secret_ptr(assert, i),
                fido_assert_hmac_secret_len(assert, i));
        kp_buf_put(&ret->cred_blob, fido_assert_blob_ptr(assert, i),
                fido_assert_blob_len(assert, i));
        kp_buf_put(&ret->large_blob_key, fido_assert_largeblob_key_ptr(assert, i),
                fido_assert_largeblob_key_len(assert, i));
        return kp_buf_check(&ret->auth_data, err);
}

static int
take_get(const fido_assert_t *assert, struct kp_get_reply *ret, struct kp_error *err)
{
        size_t n = fido_assert_count(assert);

        if ((ret->assertions = calloc(n, sizeof(*ret->assertions))) == NULL)
                return KP_FAIL(err, KP_ENOMEM, "assertions");
        ret->n_assertions = n;
        for (size_t i = 0; i < n; i++)
                if (take_assertion(assert, i, &ret->assertions[i], err) < 0)
                        return -1;
        return 0;
}

static int
fido2_get(void *self, const struct kp_get_request *request, struct kp_get_reply *ret,
        struct kp_error *err)
{
        KP_CLEANUP(fido_assert_free) fido_assert_t *assert = fido_assert_new();
        struct kp_fido2 *fido2 = self;
        unsigned tries = 0;
        int r;

        *ret = (struct kp_get_reply){ 0 };
        if (assert == NULL)
                return KP_FAIL(err, KP_ENOMEM, "getAssertion");
        if (can_get(&fido2->info, request, err) < 0 ||
                set_get(assert, request, err) < 0)
                return -1;
        kp_fido2_begin(fido2);
        do
                r = fido_dev_get_assert(fido2->dev, assert, request->pin);
        while (kp_fido2_busy(fido2, &tries));
        if (kp_fido2_sort(fido2, r, &ret->status, &ret->transport, err) < 0)
                return -1;
        return r == FIDO_OK ? take_get(assert, ret, err) : 0;
}

/* ---- PIN, removal, selection ---- */

/* For the calls whose only answer is a status. */
static int
finish(struct kp_fido2 *fido2, int result, uint8_t *ret_status, struct kp_error *err)
{
        const char *transport;

        if (kp_fido2_sort(fido2, result, ret_status, &transport, err) < 0)
                return -1;
        if (transport != NULL)
                return KP_FAIL(err, KP_EIO, "the key gave no answer (%s)", transport);
        return 0;
}

static int
fido2_pin_retries(
        void *self, uint8_t *ret_status, int *ret_retries, struct kp_error *err)
{
        struct kp_fido2 *fido2 = self;

        if (fido2->info.u2f_only)
                return KP_FAIL(
                        err, KP_EUNSUPPORTED, "a key that speaks U2F only has no PIN");
        kp_fido2_begin(fido2);
        return finish(fido2, fido_dev_get_retry_count(fido2->dev, ret_retries),
                ret_status, err);
}

static int
fido2_set_pin(void *self, const char *pin, uint8_t *ret_status, struct kp_error *err)
{
        struct kp_fido2 *fido2 = self;

        if (fido2->info.u2f_only)
                return KP_FAIL(
                        err, KP_EUNSUPPORTED, "a key that speaks U2F only has no PIN");
        if (fido2->info.n_pin_protocols == 0)
                return unsupported("a PIN of a key that lists no protocol", err);
        kp_fido2_begin(fido2);
        return finish(fido2, fido_dev_set_pin(fido2->dev, pin, NULL), ret_status, err);
}

static int
fido2_remove(void *self, struct kp_bytes credential_id, const char *pin,
        uint8_t *ret_status, struct kp_error *err)
{
        struct kp_fido2 *fido2 = self;

        if (kp_key_option(&fido2->info, LEGACY_MANAGEMENT) != KP_TRUE || pin == NULL)
                return unsupported("a removal in this way", err);
        kp_fido2_begin(fido2);
        return finish(fido2,
                fido_credman_del_dev_rk(
                        fido2->dev, credential_id.data, credential_id.len, pin),
                ret_status, err);
}

static int
fido2_select(void *self, uint8_t *ret_status, struct kp_error *err)
{
        struct kp_fido2 *fido2 = self;
        int touched = 0, r;

        kp_fido2_begin(fido2);
        if ((r = fido_dev_get_touch_begin(fido2->dev)) != FIDO_OK)
                return finish(fido2, r, ret_status, err);
        r = fido_dev_get_touch_status(fido2->dev, &touched, KP_CTAP_TOUCH_MS);
        if (r == FIDO_OK && !touched)
                r = FIDO_ERR_RX; /* which libfido2 passes over here */
        return finish(fido2, r, ret_status, err);
}

static void
fido2_close(void *self)
{
        struct kp_fido2 *fido2 = self;

        if (fido2->dev != NULL)
                (void)fido_dev_close(fido2->dev); /* fails where it never opened */
        fido_dev_free(&fido2->dev);
        fido2->seam.ops->close(fido2->seam.self);
        kp_buf_wipe(&fido2->out.payload);
        kp_buf_wipe(&fido2->in.payload);
        free(fido2);
}

static const struct kp_driver_ops fido2_ops = {
        .name = "libfido2",
        .info = fido2_info,
        .make = fido2_make,
        .get = fido2_get,
        .pin_retries = fido2_pin_retries,
        .set_pin = fido2_set_pin,
        .remove = fido2_remove,
        .select = fido2_select,
        .close = fido2_close,
};

static int
fido2_open(struct kp_fido2 *fido2, struct kp_error *err)
{
        char path[KP_FIDO2_PATH_LEN];
        const char *transport;
        uint8_t status;
        int r;

        fido_init(0);
        if ((fido2->dev = fido_dev_new()) == NULL)
                return KP_FAIL(err, KP_ENOMEM, "libfido2");
        kp_fido2_path(fido2, path);
        kp_fido2_begin(fido2);
        if ((r = fido_dev_set_io_functions(fido2->dev, &kp_fido2_io)) != FIDO_OK ||
                (r = fido_dev_set_timeout(fido2->dev, KP_CTAP_TOUCH_MS)) != FIDO_OK)
                return KP_FAIL_AS(
                        err, KP_EBUG, "fido2", r, "libfido2: %s", fido_strerr(r));
        if ((r = fido_dev_open(fido2->dev, path)) != FIDO_OK) {
                if (kp_fido2_sort(fido2, r, &status, &transport, err) < 0)
                        return -1;
                return KP_FAIL(err, KP_EIO, "the key does not answer (%s)",
                        transport != NULL ? transport : kp_ctap_status_name(status));
        }
        if (fido_dev_is_fido2(fido2->dev))
                return 0;
        if ((fido_dev_flags(fido2->dev) & KP_CTAPHID_CAP_NMSG) != 0)
                return KP_FAIL(err, KP_EIO,
                        "the key speaks no U2F and does not tell what else it is");
        kp_key_info_u2f(&fido2->info);
        return 0;
}

int
kp_driver_open_libfido2(struct kp_seam seam, struct kp_random *random,
        struct kp_driver *ret, struct kp_error *err)
{
        struct kp_fido2 *fido2 = calloc(1, sizeof(*fido2));

        (void)random; /* libfido2 draws from OpenSSL and from the kernel */
        if (fido2 == NULL) {
                seam.ops->close(seam.self);
                return KP_FAIL(err, KP_ENOMEM, "driver");
        }
        fido2->seam = seam;
        if (fido2_open(fido2, err) < 0) {
                fido2_close(fido2);
                return -1;
        }
        *ret = (struct kp_driver){ &fido2_ops, fido2 };
        return 0;
}
