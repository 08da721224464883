/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/sha.h>
#include <string.h>

#include "keypilot/codec/authdata.h"
#include "keypilot/codec/cose.h"
#include "keypilot/core/free.h"

#include "response.h"

/*
 * Attestation conveyance: what of the key's statement and model reaches the site.
 */
#define AAGUID_AT 37 /* after rpIdHash, flags and counter. WebAuthn L3 §6.1 */

void
kp_conveyed_done(struct kp_conveyed *conveyed)
{
        kp_buf_done(&conveyed->auth_data);
        kp_buf_done(&conveyed->object);
        memset(conveyed, 0, sizeof(*conveyed));
}

static bool
aaguid_is_zero(const struct kp_authdata *data)
{
        static const uint8_t zeros[KP_AAGUID_LEN];

        return memcmp(data->aaguid, zeros, sizeof(zeros)) == 0;
}

/* A key that signs with the credential itself and names no model tells nothing. */
static bool
is_self_attested(const struct kp_made *made, const struct kp_authdata *data)
{
        KP_CLEANUP(kp_free_cbor) cbor_item_t *statement = NULL;
        struct kp_error why = { 0 };

        return aaguid_is_zero(data) && strcmp(made->reply.format, "packed") == 0 &&
               kp_cbor_parse(made->reply.statement.data, made->reply.statement.len,
                       KP_CBOR_LENIENT, &statement, NULL, &why) == 0 &&
               kp_cbor_at_str(statement, "x5c") == NULL;
}

/* Does the person or the client keep the statement from the site? */
static bool
statement_withheld(const struct kp_ceremony *c)
{
        const char *rule;
        bool asks;

        if (c->browser && c->options.attestation == KP_CONVEY_NONE)
                return true;
        rule = kp_fact_str(&c->client->actor, "attestation_direct_consent");
        asks = strncmp(rule, "user_", 5) == 0 || strcmp(rule, "prompt") == 0 ||
               strcmp(rule, "consent_prompt_refusal_anonymises") == 0;
        return strcmp(rule, "never_sent_always_none") == 0 ||
               (asks && c->client->user != NULL &&
                       c->client->user->refuses_attestation);
}

/* Is the model taken out where the statement is? */
static bool
aaguid_withheld(const struct kp_ceremony *c, const struct kp_made *made)
{
        const char *rule = kp_fact_str(&c->client->actor, "aaguid_zeroing");

        if (strcmp(rule, "kept") == 0 || strcmp(rule, "never") == 0)
                return false;
        if (strncmp(rule, "attestation_none_zeroes", 23) == 0)
                return strcmp(made->transport, "internal") != 0 &&
                       strcmp(made->transport, "hybrid") != 0;
        return true;
}

/* The algorithm of the new key pair. Spec: WebAuthn L3 §6.5.1.1 */
static bool
algorithm_read(const struct kp_authdata *data, int *ret)
{
        KP_CLEANUP(kp_free_cbor) cbor_item_t *cose = NULL;
        struct kp_error why = { 0 };
        int64_t algorithm;

        if (kp_cbor_parse(data->public_key, data->public_key_len, KP_CBOR_LENIENT,
                    &cose, NULL, &why) < 0 ||
                !kp_cbor_is_int(kp_cbor_at_int(cose, 3), &algorithm) ||
                algorithm != (int32_t)algorithm)
                return false;
        *ret = (int)algorithm;
        return true;
}

static int
answer_check(struct kp_ceremony *c, const struct kp_made *made, struct kp_authdata *ret,
        int *ret_algorithm)
{
        const struct kp_buf *bytes = &made->reply.auth_data;
        struct kp_error why = { 0 };
        uint8_t hash[SHA256_DIGEST_LENGTH];

        SHA256((const uint8_t *)c->rp_id, strlen(c->rp_id), hash);
        if (kp_authdata_parse(bytes->data, bytes->len, KP_CBOR_LENIENT, ret, &why) <
                        0 ||
                ret->aaguid == NULL ||
                memcmp(ret->rp_id_hash, hash, sizeof(hash)) != 0 ||
                !algorithm_read(ret, ret_algorithm))
                return kp_throw(
                        c->exception, "key-answer-invalid", 0, KP_NOT_ALLOWED_TEXT);
        return 0;
}

/* Spec: WebAuthn L3 §6.5.4 "Generating an Attestation Object" */
static void
put_object(struct kp_conveyed *ret, const struct kp_buf *statement)
{
        kp_cbor_put_map(&ret->object, 3);
        kp_cbor_put_text(&ret->object, "fmt");
        kp_cbor_put_text(&ret->object, ret->format);
        kp_cbor_put_text(&ret->object, "attStmt");
        if (statement == NULL)
                kp_cbor_put_map(&ret->object, 0);
        else
                kp_buf_put(&ret->object, statement->data, statement->len);
        kp_cbor_put_text(&ret->object, "authData");
        kp_cbor_put_bytes(&ret->object, ret->auth_data.data, ret->auth_data.len);
}

int
kp_convey(struct kp_ceremony *ceremony, const struct kp_made *made,
        struct kp_conveyed *ret, struct kp_error *err)
{
        struct kp_authdata data = { 0 };
        bool withheld = statement_withheld(ceremony);
        int r;

        if ((r = answer_check(ceremony, made, &data, &ret->algorithm)) != 0)
                return r;
        withheld = withheld && !is_self_attested(made, &data);
        kp_buf_put(
                &ret->auth_data, made->reply.auth_data.data, made->reply.auth_data.len);
        if (kp_buf_check(&ret->auth_data, err) < 0)
                return -1;
        if (withheld && !aaguid_is_zero(&data) && aaguid_withheld(ceremony, made)) {
                memset(ret->auth_data.data + AAGUID_AT, 0, KP_AAGUID_LEN);
                ret->aaguid_zeroed = true;
        }
        ret->format = withheld ? "none" : made->reply.format;
        ret->flags = data.flags;
        put_object(ret, withheld ? NULL : &made->reply.statement);
        return kp_buf_check(&ret->object, err);
}
