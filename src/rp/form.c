/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "ceremony.h"

/*
 * Checks that registration and authentication share: the JSON form and the flags.
 */

static bool
member_is(const json_t *object, const char *name, const char *wanted)
{
        const json_t *value = json_object_get(object, name);

        return json_is_string(value) && strcmp(json_string_value(value), wanted) == 0;
}

/*
 * Level 3 was the first to say how a credential is written as JSON, and its clients add
 * authenticatorAttachment. Messages without it come from older clients and from
 * libraries with forms of their own: of those, strict does not ask what only Level 3
 * says (extension results, id), nor the order of keys in an attestation object, which
 * clients put together then.
 */
void
kp_rp_decode_form(struct ceremony *c)
{
        if (c->assertion != NULL) {
                c->parts |= PART_FORM;
                kp_buf_put(&c->id, c->assertion->id, c->assertion->id_len);
                return;
        }
        c->level3 = json_object_get(c->form, "authenticatorAttachment") != NULL;
        c->response = json_object_get(c->form, "response");
        if (json_is_object(c->response))
                c->parts |= PART_FORM;
        else
                c->response = NULL;
}

/* Spec: WebAuthn L3 §5.1 "PublicKeyCredential Interface", RegistrationResponseJSON */
bool
kp_rp_check_form(struct ceremony *c)
{
        const json_t *id = json_object_get(c->form, "id");
        const json_t *raw_id = json_object_get(c->form, "rawId");

        if (c->assertion != NULL)
                return true;
        if (!json_is_object(c->form))
                return kp_rp_refuse(c, "the response is not a JSON object");
        if (!json_is_string(id) || json_string_length(id) == 0)
                return kp_rp_refuse(c, "id is missing, empty or not a string");
        if (!json_is_string(raw_id))
                return kp_rp_refuse(c, "rawId is missing or not a string");
        if (!json_equal(id, raw_id))
                return kp_rp_refuse(c, "id and rawId differ");
        if (!member_is(c->form, "type", "public-key"))
                return kp_rp_refuse(c, "type is not \"public-key\"");
        if (c->response == NULL)
                return kp_rp_refuse(c, "response is missing or not an object");
        return kp_rp_member_bytes(c, c->form, "id", &c->id, c->why);
}

const json_t *
kp_rp_extension_results(const struct ceremony *c)
{
        if (c->assertion != NULL)
                return c->assertion->extension_results;
        return json_object_get(c->form, "clientExtensionResults");
}

bool
kp_rp_check_extension_results(struct ceremony *c)
{
        const json_t *results = kp_rp_extension_results(c);

        if (json_is_object(results) || (results == NULL && !(c->strict && c->level3)))
                return true;
        return kp_rp_refuse(c, "clientExtensionResults is %s",
                results == NULL ? "missing" : "not an object");
}

/* From auth_bytes, which the ceremonies fill from different places. */
void
kp_rp_decode_authdata(struct ceremony *c)
{
        struct kp_error err = { 0 };

        if (kp_authdata_parse(c->auth_bytes.data, c->auth_bytes.len,
                    c->strict ? KP_CBOR_CTAP2 : KP_CBOR_LENIENT, &c->auth, &err) == 0)
                c->parts |= PART_AUTHDATA;
        else
                kp_error_format(&err, c->auth_why, sizeof(c->auth_why));
}

static bool
rp_id_hash_is(const struct ceremony *c, const char *rp_id)
{
        uint8_t hash[KP_SHA256_LEN];

        kp_sha256(rp_id, strlen(rp_id), hash);
        return memcmp(hash, c->auth.rp_id_hash, sizeof(hash)) == 0;
}

/*
 * DEVIATION WebAuthn L3 §10.1.1: it says that with the output true the hash must be that
 * of the AppID; we take that of the RP ID as well, because it is the stronger of the two
 * and some clients answer true whenever they were asked.
 */
static bool
uses_app_id(const struct ceremony *c)
{
        const json_t *results = kp_rp_extension_results(c);

        return c->expect->app_id != NULL &&
               json_is_true(json_object_get(results, "appid"));
}

bool
kp_rp_check_rp_id_hash(struct ceremony *c)
{
        for (size_t i = 0; i < c->expect->n_rp_ids; i++)
                if (rp_id_hash_is(c, c->expect->rp_ids[i]))
                        return true;
        if (uses_app_id(c) && rp_id_hash_is(c, c->expect->app_id))
                return true;
        return kp_rp_refuse(c, "rpIdHash is not the hash of %s%s",
                c->expect->n_rp_ids == 0 ? "any expected RP ID" : c->expect->rp_ids[0],
                c->expect->n_rp_ids > 1 ? " nor of the others" : "");
}

bool
kp_rp_check_user_present(struct ceremony *c)
{
        if (c->expect->up_not_required || (c->auth.flags & KP_AUTHDATA_UP) != 0)
                return true;
        return kp_rp_refuse(c, "flag UP is not set");
}

bool
kp_rp_check_user_verified(struct ceremony *c)
{
        if (!c->expect->uv_required || (c->auth.flags & KP_AUTHDATA_UV) != 0)
                return true;
        return kp_rp_refuse(c, "flag UV is not set, and user verification is required");
}

bool
kp_rp_check_backup_flags(struct ceremony *c)
{
        if ((c->auth.flags & KP_AUTHDATA_BE) != 0 ||
                (c->auth.flags & KP_AUTHDATA_BS) == 0)
                return true;
        return kp_rp_refuse(c, "flag BS is set without BE");
}
