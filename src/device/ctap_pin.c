/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

#include "keypilot/core/free.h"

#include "ctap.h"

/* Bytes; a platform asks for no other. Spec: CTAP 2.1 §6.5.1 */
#define PIN_MIN 4
#define PIN_MAX 63
#define PIN_PADDED 64
#define PIN_HASH 16

/* Members of a clientPIN request. Spec: CTAP 2.1 §6.5.5 */
enum {
        PIN_PROTOCOL = 0x01,
        PIN_SUBCOMMAND = 0x02,
        PIN_KEY_AGREEMENT = 0x03,
        PIN_AUTH_PARAM = 0x04,
        PIN_NEW_ENC = 0x05,
        PIN_HASH_ENC = 0x06,
        PIN_PERMISSIONS = 0x09,
        PIN_RP_ID = 0x0a,
};

void
kp_agreement_done(struct kp_agreement *agreement)
{
        OPENSSL_cleanse(&agreement->secret, sizeof(agreement->secret));
        kp_buf_done(&agreement->public_key);
}

int
kp_ctap_pin_protocol(const struct kp_key_info *info)
{
        for (size_t i = 0; i < info->n_pin_protocols; i++)
                if (info->pin_protocols[i] == 1 || info->pin_protocols[i] == 2)
                        return info->pin_protocols[i];
        return 1; /* keys older than the member speak it */
}

/* The head of a request: members 1 and 2 of `n`. */
static void
put_head(struct kp_buf *buf, size_t n, int protocol, uint8_t subcommand)
{
        kp_buf_put_u8(buf, KP_CTAP_CLIENT_PIN);
        kp_cbor_put_map(buf, n);
        kp_cbor_put_int(buf, PIN_PROTOCOL);
        kp_cbor_put_int(buf, protocol);
        kp_cbor_put_int(buf, PIN_SUBCOMMAND);
        kp_cbor_put_int(buf, subcommand);
}

static void
put_bytes(struct kp_buf *buf, int key, const struct kp_buf *bytes)
{
        kp_cbor_put_int(buf, key);
        kp_cbor_put_bytes(buf, bytes->data, bytes->len);
}

/* Our half of the agreement, once theirs is known. */
static int
agree_with(struct kp_ctap *ctap, const cbor_item_t *their_key, int protocol,
        struct kp_agreement *ret, struct kp_error *err)
{
        KP_CLEANUP(kp_free_pkey) EVP_PKEY *ours = NULL;
        KP_CLEANUP(kp_free_pkey) EVP_PKEY *theirs = NULL;

        if (kp_pin_key_parse(their_key, &theirs, err) < 0)
                return -1;
        if (kp_pin_key_make(ctap->random, &ours, err) < 0 ||
                kp_pin_key_put(&ret->public_key, ours, err) < 0 ||
                kp_pin_agree(protocol, ours, theirs, &ret->secret, err) < 0)
                return -1;
        ret->secret.protocol = protocol;
        return kp_buf_check(&ret->public_key, err);
}

int
kp_ctap_agree(struct kp_ctap *ctap, struct kp_agreement *ret, struct kp_answer *answer,
        struct kp_error *err)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf request = { 0 };
        KP_CLEANUP(kp_free_cbor) cbor_item_t *map = NULL;
        int protocol = kp_ctap_pin_protocol(&ctap->info);
        struct kp_error unreadable = { 0 };

        put_head(&request, 2, protocol, KP_CTAP_PIN_GET_KEY_AGREEMENT);
        if (kp_ctap_cbor(ctap, &request, answer, err) < 0)
                return -1;
        if (!kp_answer_ok(answer))
                return 0;
        if (kp_cbor_parse(answer->body.data, answer->body.len, KP_CBOR_LENIENT, &map,
                    NULL, &unreadable) < 0 ||
                agree_with(ctap, kp_cbor_at_int(map, 1), protocol, ret, &unreadable) <
                        0) {
                if (unreadable.code != KP_EPARSE) {
                        *err = unreadable;
                        return -1;
                }
                answer->transport = "unreadable";
        }
        return 0;
}

/* Spec: CTAP 2.1 §6.5.5.7.1, pinHashEnc */
static int
seal_pin_hash(struct kp_ctap *ctap, const struct kp_agreement *agreement,
        const char *pin, struct kp_buf *ret, struct kp_error *err)
{
        uint8_t hash[EVP_MAX_MD_SIZE];
        int r;

        if (EVP_Digest(pin, strlen(pin), hash, NULL, EVP_sha256(), NULL) != 1)
                return KP_FAIL(err, KP_ENOMEM, "SHA-256");
        r = kp_pin_encrypt(&agreement->secret, ctap->random, hash, PIN_HASH, ret, err);
        OPENSSL_cleanse(hash, sizeof(hash));
        return r;
}

static int
put_pin_hash(struct kp_ctap *ctap, struct kp_buf *buf,
        const struct kp_agreement *agreement, const char *pin, struct kp_error *err)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf sealed = { 0 };

        if (seal_pin_hash(ctap, agreement, pin, &sealed, err) < 0)
                return -1;
        put_bytes(buf, PIN_HASH_ENC, &sealed);
        return 0;
}

static int
put_token_request(struct kp_ctap *ctap, struct kp_buf *buf,
        const struct kp_agreement *agreement, const struct kp_wanted *wanted,
        struct kp_error *err)
{
        bool with_permissions = kp_key_option(&ctap->info, "pinUvAuthToken") == KP_TRUE;
        uint8_t subcommand = wanted->pin == NULL ? KP_CTAP_PIN_GET_TOKEN_UV_PERMS
                             : with_permissions  ? KP_CTAP_PIN_GET_TOKEN_PIN_PERMS
                                                 : KP_CTAP_PIN_GET_TOKEN;
        size_t n = 3 + (size_t)(wanted->pin != NULL);

        if (with_permissions)
                n += 1 + (size_t)(wanted->rp_id != NULL);
        put_head(buf, n, agreement->secret.protocol, subcommand);
        kp_cbor_put_int(buf, PIN_KEY_AGREEMENT);
        kp_buf_put(buf, agreement->public_key.data, agreement->public_key.len);
        if (wanted->pin != NULL &&
                put_pin_hash(ctap, buf, agreement, wanted->pin, err) < 0)
                return -1;
        if (!with_permissions)
                return 0;
        kp_cbor_put_int(buf, PIN_PERMISSIONS);
        kp_cbor_put_int(buf, wanted->permissions);
        if (wanted->rp_id != NULL) {
                kp_cbor_put_int(buf, PIN_RP_ID);
                kp_cbor_put_text(buf, wanted->rp_id);
        }
        return 0;
}

/* What the answer's second member holds, decrypted. Errors  KP_EPARSE */
static int
take_token(const struct kp_buf *body, const struct kp_pin_secret *secret,
        struct kp_token *ret, struct kp_error *err)
{
        KP_CLEANUP(kp_free_cbor) cbor_item_t *map = NULL;
        KP_CLEANUP(kp_buf_wipe) struct kp_buf token = { 0 };
        const uint8_t *sealed;
        size_t sealed_len;

        if (kp_cbor_parse(body->data, body->len, KP_CBOR_LENIENT, &map, NULL, err) < 0)
                return -1;
        if (!kp_cbor_is_bytes(kp_cbor_at_int(map, 2), &sealed, &sealed_len))
                return KP_FAIL(err, KP_EPARSE, "no token in the answer");
        if (kp_pin_decrypt(secret, sealed, sealed_len, &token, err) < 0)
                return -1;
        if (token.len == 0 || token.len > sizeof(ret->bytes))
                return KP_FAIL(err, KP_EPARSE, "a token of %zu bytes", token.len);
        memcpy(ret->bytes, token.data, token.len);
        ret->len = token.len;
        return 0;
}

int
kp_ctap_token(struct kp_ctap *ctap, const struct kp_agreement *agreement,
        const struct kp_wanted *wanted, struct kp_token *ret, struct kp_answer *answer,
        struct kp_error *err)
{
        KP_CLEANUP(kp_buf_wipe) struct kp_buf request = { 0 };
        struct kp_error unreadable = { 0 };

        if (put_token_request(ctap, &request, agreement, wanted, err) < 0 ||
                kp_ctap_cbor(ctap, &request, answer, err) < 0)
                return -1;
        if (!kp_answer_ok(answer))
                return 0;
        *ret = (struct kp_token){
                .protocol = agreement->secret.protocol,
                .permissions = wanted->permissions,
                .plain = kp_key_option(&ctap->info, "pinUvAuthToken") != KP_TRUE,
        };
        if (take_token(&answer->body, &agreement->secret, ret, &unreadable) < 0)
                answer->transport = "unreadable";
        return 0;
}

void
kp_ctap_authenticate(const struct kp_token *token, const void *message,
        size_t message_len, struct kp_pin_auth *ret)
{
        ret->protocol = token->protocol;
        ret->len = kp_pin_authenticate(token->protocol, token->bytes, token->len,
                message, message_len, ret->param);
}

/* newPinEnc, of the PIN filled up with zeros. */
static int
seal_pin(struct kp_ctap *ctap, const struct kp_agreement *agreement, const char *pin,
        struct kp_buf *ret, struct kp_error *err)
{
        uint8_t padded[PIN_PADDED] = { 0 };
        int r;

        memcpy(padded, pin, strlen(pin));
        r = kp_pin_encrypt(
                &agreement->secret, ctap->random, padded, sizeof(padded), ret, err);
        OPENSSL_cleanse(padded, sizeof(padded));
        return r;
}

/* setPIN or changePIN; what is signed is newPinEnc, and pinHashEnc where there is one */
static int
put_set_pin(struct kp_ctap *ctap, const struct kp_agreement *agreement,
        const char *old_pin, const char *pin, struct kp_buf *ret, struct kp_error *err)
{
        KP_CLEANUP(kp_buf_wipe) struct kp_buf sealed = { 0 };
        KP_CLEANUP(kp_buf_wipe) struct kp_buf hash = { 0 };
        KP_CLEANUP(kp_buf_wipe) struct kp_buf message = { 0 };
        int protocol = agreement->secret.protocol;
        size_t hmac_len, tag_len;
        const uint8_t *hmac_key = kp_pin_hmac_key(&agreement->secret, &hmac_len);
        uint8_t tag[32];

        if (seal_pin(ctap, agreement, pin, &sealed, err) < 0 ||
                (old_pin != NULL &&
                        seal_pin_hash(ctap, agreement, old_pin, &hash, err) < 0))
                return -1;
        kp_buf_put(&message, sealed.data, sealed.len);
        if (hash.len > 0)
                kp_buf_put(&message, hash.data, hash.len);
        if (kp_buf_check(&message, err) < 0)
                return -1;
        tag_len = kp_pin_authenticate(
                protocol, hmac_key, hmac_len, message.data, message.len, tag);
        put_head(ret, old_pin == NULL ? 5 : 6, protocol,
                old_pin == NULL ? KP_CTAP_PIN_SET : KP_CTAP_PIN_CHANGE);
        kp_cbor_put_int(ret, PIN_KEY_AGREEMENT);
        kp_buf_put(ret, agreement->public_key.data, agreement->public_key.len);
        kp_cbor_put_int(ret, PIN_AUTH_PARAM);
        kp_cbor_put_bytes(ret, tag, tag_len);
        put_bytes(ret, PIN_NEW_ENC, &sealed);
        if (old_pin != NULL)
                put_bytes(ret, PIN_HASH_ENC, &hash);
        return 0;
}

/* Spec: CTAP 2.1 §6.5.5.5, §6.5.5.6 */
int
kp_ctap_set_pin(struct kp_ctap *ctap, const char *old_pin, const char *pin,
        struct kp_answer *answer, struct kp_error *err)
{
        KP_CLEANUP(kp_agreement_done) struct kp_agreement agreement = { 0 };
        KP_CLEANUP(kp_buf_wipe) struct kp_buf request = { 0 };

        if (kp_ctap_agree(ctap, &agreement, answer, err) < 0)
                return -1;
        if (!kp_answer_ok(answer))
                return 0;
        /* only now, as libfido2 does: what passes must not tell which driver asks */
        if (strlen(pin) < PIN_MIN || strlen(pin) > PIN_MAX) {
                answer->status = KP_CTAP2_ERR_PIN_POLICY_VIOLATION;
                return 0;
        }
        if (put_set_pin(ctap, &agreement, old_pin, pin, &request, err) < 0)
                return -1;
        return kp_ctap_cbor(ctap, &request, answer, err);
}

/* A number of tries, under that member of the answer. */
static int
ask_retries(struct kp_ctap *ctap, uint8_t subcommand, int member, int *ret_retries,
        struct kp_answer *answer, struct kp_error *err)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf request = { 0 };
        KP_CLEANUP(kp_free_cbor) cbor_item_t *map = NULL;
        struct kp_error unreadable = { 0 };
        int64_t retries;

        put_head(&request, 2, kp_ctap_pin_protocol(&ctap->info), subcommand);
        if (kp_ctap_cbor(ctap, &request, answer, err) < 0)
                return -1;
        if (!kp_answer_ok(answer))
                return 0;
        if (kp_cbor_parse(answer->body.data, answer->body.len, KP_CBOR_LENIENT, &map,
                    NULL, &unreadable) < 0 ||
                !kp_cbor_is_int(kp_cbor_at_int(map, member), &retries))
                answer->transport = "unreadable";
        else
                *ret_retries = (int)retries;
        return 0;
}

/* Spec: CTAP 2.1 §6.5.5.2, §6.5.5.3 */
int
kp_ctap_pin_retries(struct kp_ctap *ctap, int *ret_retries, struct kp_answer *answer,
        struct kp_error *err)
{
        return ask_retries(ctap, KP_CTAP_PIN_GET_RETRIES, 3, ret_retries, answer, err);
}

int
kp_ctap_uv_retries(struct kp_ctap *ctap, int *ret_retries, struct kp_answer *answer,
        struct kp_error *err)
{
        return ask_retries(
                ctap, KP_CTAP_PIN_GET_UV_RETRIES, 5, ret_retries, answer, err);
}

/* Spec: CTAP 2.1 §12.5 */
int
kp_ctap_put_salts(struct kp_ctap *ctap, const struct kp_agreement *agreement,
        struct kp_bytes salts, struct kp_buf *ret, struct kp_error *err)
{
        KP_CLEANUP(kp_buf_wipe) struct kp_buf sealed = { 0 };
        int protocol = agreement->secret.protocol;
        const uint8_t *hmac_key;
        size_t hmac_len, tag_len;
        uint8_t tag[32];

        if (kp_pin_encrypt(&agreement->secret, ctap->random, salts.data, salts.len,
                    &sealed, err) < 0)
                return -1;
        hmac_key = kp_pin_hmac_key(&agreement->secret, &hmac_len);
        tag_len = kp_pin_authenticate(
                protocol, hmac_key, hmac_len, sealed.data, sealed.len, tag);
        /* with protocol 1 a CTAP 2.0 key need not know the fourth member */
        kp_cbor_put_map(ret, protocol == 1 ? 3 : 4);
        kp_cbor_put_int(ret, 1);
        kp_buf_put(ret, agreement->public_key.data, agreement->public_key.len);
        put_bytes(ret, 2, &sealed);
        kp_cbor_put_int(ret, 3);
        kp_cbor_put_bytes(ret, tag, tag_len);
        if (protocol != 1) {
                kp_cbor_put_int(ret, 4);
                kp_cbor_put_int(ret, protocol);
        }
        return kp_buf_check(ret, err);
}
