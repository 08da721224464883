/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keypilot/core/file.h"
#include "keypilot/core/free.h"
#include "keypilot/device/extra.h"

#include "real.h"

#define SPARE_PLACES 2 /* that a test leaves free */

struct real {
        struct kp_seam seam;
        struct kp_seam shared; /* the same, for drivers that close theirs */
        struct kp_random *random;
        struct kp_real_rules rules;
        struct kp_driver fido2, ctap; /* { 0 }: not open */
};

/* ---- one seam, two drivers ---- */

static int
shared_write(void *self, const uint8_t report[KP_CTAPHID_REPORT], struct kp_error *err)
{
        struct real *real = self;

        return real->seam.ops->write(real->seam.self, report, err);
}

static int
shared_read(void *self, uint8_t report[KP_CTAPHID_REPORT], int timeout_ms,
        struct kp_error *err)
{
        struct real *real = self;

        return real->seam.ops->read(real->seam.self, report, timeout_ms, err);
}

static void
shared_close(void *self)
{
        (void)self; /* real_close() closes the seam */
}

static const struct kp_seam_ops shared_ops = { shared_write, shared_read,
        shared_close };

static int
ctap_open(struct real *real, struct kp_error *err)
{
        if (real->ctap.ops != NULL)
                return 0;
        return kp_driver_open_ctap(real->shared, real->random, &real->ctap, err);
}

/* The driver to ask first. */
static struct kp_driver *
first(struct real *real)
{
        return real->fido2.ops != NULL ? &real->fido2 : &real->ctap;
}

/* After a refusal to say it: the other driver, where we may choose. NULL: error. */
static struct kp_driver *
second(struct real *real, struct kp_error *err)
{
        if (err->code != KP_EUNSUPPORTED || real->fido2.ops == NULL ||
                real->rules.choice != KP_DRIVER_DEFAULT)
                return NULL;
        kp_error_clear(err);
        return ctap_open(real, err) < 0 ? NULL : &real->ctap;
}

/* ---- the rules ---- */

static int
real_info(void *self, struct kp_key_info *ret, struct kp_error *err)
{
        struct kp_driver *driver = first(self);

        return driver->ops->info(driver->self, ret, err);
}

static int
real_pin_retries(
        void *self, uint8_t *ret_status, int *ret_retries, struct kp_error *err)
{
        struct kp_driver *driver = first(self);

        return driver->ops->pin_retries(driver->self, ret_status, ret_retries, err);
}

/* The tap would stop the PIN; this says why in words that help. */
static int
check_pin_retries(struct real *real, const char *pin, struct kp_error *err)
{
        uint8_t status = 0;
        int retries = 0;

        if (pin == NULL)
                return 0;
        if (real_pin_retries(real, &status, &retries, err) < 0)
                return KP_WHILE(err, "tries of the PIN");
        if (status != KP_CTAP_OK)
                return KP_FAIL(err, KP_ESAFETY,
                        "the key does not say how many tries its PIN has left (%s), so "
                        "none is "
                        "sent",
                        kp_ctap_status_name(status));
        if (retries < 5)
                return KP_FAIL(err, KP_ESAFETY,
                        "only %d tries of the PIN are left on this key, and a PIN is "
                        "sent only "
                        "when five are: enter the right one elsewhere first, which "
                        "resets them",
                        retries);
        return 0;
}

static bool
can_remove(const struct kp_key_info *info)
{
        bool manages = kp_key_option(info, "credMgmt") == KP_TRUE ||
                       kp_key_option(info, "credentialMgmtPreview") == KP_TRUE;
        bool verifies = kp_key_option(info, "clientPin") == KP_TRUE ||
                        (kp_key_option(info, "uv") == KP_TRUE &&
                                kp_key_option(info, "pinUvAuthToken") == KP_TRUE);

        return manages && verifies;
}

/* Places left, as the key tells in GetInfo or, older keys, to credential management. */
static int
places_left(struct real *real, const struct kp_key_info *info, const char *pin,
        int64_t *ret, struct kp_error *err)
{
        uint8_t status = 0;

        *ret = info->remaining_rk;
        if (*ret >= 0)
                return 0;
        if (ctap_open(real, err) < 0 ||
                kp_driver_ctap_places(&real->ctap, pin, &status, ret, err) < 0)
                return KP_WHILE(err, "free places");
        if (status != KP_CTAP_OK)
                return KP_FAIL(err, KP_ESAFETY,
                        "the key does not say how many places are free (%s), so no "
                        "passkey is "
                        "made on it",
                        kp_ctap_status_name(status));
        return 0;
}

static int
check_room(
        struct real *real, const struct kp_make_request *request, struct kp_error *err)
{
        struct kp_key_info info;
        int64_t places;

        if (request->rk != KP_TRUE)
                return 0;
        if (real_info(real, &info, err) < 0)
                return -1;
        if (!can_remove(&info))
                return KP_FAIL(err, KP_ESAFETY,
                        "a passkey on this key could not be removed again without "
                        "resetting "
                        "the whole key, so none is made: use another key, or a "
                        "simulated one");
        if (places_left(real, &info, request->pin, &places, err) < 0)
                return -1;
        if (places < 1 + SPARE_PLACES)
                return KP_FAIL(err, KP_ESAFETY,
                        "the key has %d places left for passkeys, and a test needs one "
                        "and "
                        "leaves %d free: use another key",
                        (int)places, SPARE_PLACES);
        return 0;
}

static char *
test_name(const char *name)
{
        if (name == NULL)
                return kp_format("%s", KP_LEDGER_PREFIX);
        if (strncmp(name, KP_LEDGER_PREFIX, strlen(KP_LEDGER_PREFIX)) == 0)
                return strdup(name);
        return kp_format("%s%s", KP_LEDGER_PREFIX, name);
}

static int
make_anywhere(struct real *real, const struct kp_make_request *request,
        struct kp_make_reply *ret, struct kp_error *err)
{
        struct kp_driver *driver = first(real);

        if (driver->ops->make(driver->self, request, ret, err) == 0)
                return 0;
        if ((driver = second(real, err)) == NULL)
                return -1;
        return driver->ops->make(driver->self, request, ret, err);
}

/* Write down what became of it. */
static int
make_noted(struct real *real, const char *entry, const struct kp_make_reply *reply,
        struct kp_error *err)
{
        /* 16 AAGUID, 2 length, id: behind 37 bytes of authenticator data */
        enum { ID_LEN_AT = 37 + 16, ID_AT = ID_LEN_AT + 2 };
        const struct kp_buf *data = &reply->auth_data;
        size_t id_len;

        if (reply->transport != NULL)
                return 0; /* nobody knows: it stays prepared */
        if (reply->status != KP_CTAP_OK)
                return kp_ledger_not_made(real->rules.ledger, entry,
                        kp_ctap_status_name(reply->status), err);
        if (data->len < ID_AT)
                return 0;
        id_len = (size_t)data->data[ID_LEN_AT] << 8 | data->data[ID_LEN_AT + 1];
        if (data->len < ID_AT + id_len)
                return 0;
        return kp_ledger_made(real->rules.ledger, entry,
                (struct kp_bytes){ data->data + ID_AT, id_len }, err);
}

static int
real_make(void *self, const struct kp_make_request *request, struct kp_make_reply *ret,
        struct kp_error *err)
{
        KP_CLEANUP(kp_free_str) char *name = test_name(request->user_name);
        KP_CLEANUP(kp_free_str) char *display = test_name(request->user_display_name);
        struct kp_make_request named = *request;
        char entry[KP_LEDGER_ENTRY_LEN];
        struct real *real = self;

        if (name == NULL || display == NULL)
                return KP_FAIL(err, KP_ENOMEM, "name of the passkey");
        if (real->rules.ledger == NULL)
                return KP_FAIL(err, KP_ESAFETY,
                        "without a ledger nothing is made on a real key");
        if (check_pin_retries(real, request->pin, err) < 0 ||
                check_room(real, request, err) < 0)
                return -1;
        named.user_name = name;
        named.user_display_name = display;
        if (kp_ledger_prepare(real->rules.ledger,
                    &(struct kp_ledger_plan){ real->rules.run, request->rp_id, name,
                            request->user_id, request->rk == KP_TRUE },
                    entry, err) < 0)
                return -1;
        if (make_anywhere(real, &named, ret, err) < 0)
                return -1;
        if (make_noted(real, entry, ret, err) < 0) {
                kp_make_reply_done(ret);
                return -1;
        }
        return 0;
}

static int
real_get(void *self, const struct kp_get_request *request, struct kp_get_reply *ret,
        struct kp_error *err)
{
        struct real *real = self;
        struct kp_driver *driver = first(real);

        if (check_pin_retries(real, request->pin, err) < 0)
                return -1;
        if (driver->ops->get(driver->self, request, ret, err) == 0)
                return 0;
        if ((driver = second(real, err)) == NULL)
                return -1;
        return driver->ops->get(driver->self, request, ret, err);
}

static int
remove_anywhere(struct real *real, struct kp_bytes id, const char *pin,
        uint8_t *ret_status, struct kp_error *err)
{
        struct kp_driver *driver = first(real);

        if (driver->ops->remove(driver->self, id, pin, ret_status, err) == 0)
                return 0;
        if ((driver = second(real, err)) == NULL)
                return -1;
        return driver->ops->remove(driver->self, id, pin, ret_status, err);
}

static int
real_remove(void *self, struct kp_bytes credential_id, const char *pin,
        uint8_t *ret_status, struct kp_error *err)
{
        struct real *real = self;
        bool ours = false;

        if (real->rules.ledger != NULL &&
                kp_ledger_names(real->rules.ledger, credential_id, &ours, err) < 0)
                return -1;
        if (!ours)
                return KP_FAIL(err, KP_ESAFETY,
                        "the ledger does not name this passkey: only what keypilot "
                        "made is "
                        "removed");
        if (kp_tap_allow_remove(
                    real->rules.tap, credential_id.data, credential_id.len, err) < 0 ||
                check_pin_retries(real, pin, err) < 0 ||
                remove_anywhere(real, credential_id, pin, ret_status, err) < 0)
                return -1;
        if (*ret_status != KP_CTAP_OK && *ret_status != KP_CTAP2_ERR_NO_CREDENTIALS)
                return 0;
        return kp_ledger_removed(real->rules.ledger, credential_id, err);
}

/* Not filtered here: the tap is what stops it. */
static int
real_set_pin(void *self, const char *pin, uint8_t *ret_status, struct kp_error *err)
{
        struct kp_driver *driver = first(self);

        return driver->ops->set_pin(driver->self, pin, ret_status, err);
}

static int
real_select(void *self, uint8_t *ret_status, struct kp_error *err)
{
        struct kp_driver *driver = first(self);

        return driver->ops->select(driver->self, ret_status, err);
}

/* Not filtered here either. */
static int
real_extra(void *self, struct kp_extra *ret, struct kp_error *err)
{
        struct real *real = self;

        if (real->rules.choice == KP_DRIVER_LIBFIDO2)
                return KP_FAIL(err, KP_EUNSUPPORTED, "libfido2 cannot ask for more");
        if (ctap_open(real, err) < 0)
                return -1;
        return kp_driver_extra(&real->ctap, ret, err);
}

static void
real_close(void *self)
{
        struct real *real = self;

        kp_driver_close(&real->fido2);
        kp_driver_close(&real->ctap);
        real->seam.ops->close(real->seam.self);
        free(real);
}

static const struct kp_driver_ops real_ops = {
        .name = "real",
        .info = real_info,
        .make = real_make,
        .get = real_get,
        .pin_retries = real_pin_retries,
        .set_pin = real_set_pin,
        .remove = real_remove,
        .select = real_select,
        .extra = real_extra,
        .close = real_close,
};

static int
open_drivers(struct real *real, struct kp_error *err)
{
        struct kp_key_info info;

        if (real->rules.choice == KP_DRIVER_CTAP)
                return ctap_open(real, err);
        if (kp_driver_open_libfido2(real->shared, real->random, &real->fido2, err) < 0)
                return -1;
        if (real->rules.choice == KP_DRIVER_LIBFIDO2)
                return 0;
        if (real->fido2.ops->info(real->fido2.self, &info, err) < 0)
                return -1;
        if (!info.u2f_only)
                return 0;
        /* for U2F libfido2 sleeps between its questions; our own client does not */
        kp_driver_close(&real->fido2);
        return ctap_open(real, err);
}

int
kp_driver_open_real(struct kp_seam seam, const struct kp_real_rules *rules,
        struct kp_random *random, struct kp_driver *ret, struct kp_error *err)
{
        struct real *real = calloc(1, sizeof(*real));

        if (real == NULL) {
                seam.ops->close(seam.self);
                return KP_FAIL(err, KP_ENOMEM, "driver");
        }
        real->seam = seam;
        real->shared = (struct kp_seam){ &shared_ops, real };
        real->random = random;
        real->rules = *rules;
        if (open_drivers(real, err) < 0) {
                real_close(real);
                return -1;
        }
        *ret = (struct kp_driver){ &real_ops, real };
        return 0;
}
