/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/crypto.h>
#include <string.h>

#include "internal.h"

#define PADDED_PIN_LEN 64
#define PERMISSIONS 0x7f /* that are defined; others are ignored */

/* Parameters of authenticatorClientPIN. Spec: CTAP 2.1 §6.5.5 */
struct pin_params {
        int64_t protocol, sub_command, permissions;
        bool has_protocol, has_permissions;
        const cbor_item_t *key_agreement;
        const uint8_t *param, *new_pin, *pin_hash;
        size_t param_len, new_pin_len, pin_hash_len;
        const char *rp_id;
        size_t rp_id_len;
};

static int
params_read(const cbor_item_t *map, struct pin_params *ret)
{
        int status;

        ret->has_protocol = kp_cbor_at_int(map, 1) != NULL;
        ret->key_agreement = kp_cbor_at_int(map, 3);
        ret->has_permissions = kp_cbor_at_int(map, 9) != NULL;
        if ((status = kp_auth_want_int(
                     kp_cbor_at_int(map, 1), false, &ret->protocol)) != 0 ||
                (status = kp_auth_want_int(
                         kp_cbor_at_int(map, 2), true, &ret->sub_command)) != 0 ||
                (status = kp_auth_want_map(ret->key_agreement, false)) != 0 ||
                (status = kp_auth_want_bytes(kp_cbor_at_int(map, 4), false, &ret->param,
                         &ret->param_len)) != 0 ||
                (status = kp_auth_want_bytes(kp_cbor_at_int(map, 5), false,
                         &ret->new_pin, &ret->new_pin_len)) != 0 ||
                (status = kp_auth_want_bytes(kp_cbor_at_int(map, 6), false,
                         &ret->pin_hash, &ret->pin_hash_len)) != 0 ||
                (status = kp_auth_want_int(
                         kp_cbor_at_int(map, 9), false, &ret->permissions)) != 0 ||
                (status = kp_auth_want_text(kp_cbor_at_int(map, 10), false, &ret->rp_id,
                         &ret->rp_id_len)) != 0)
                return status;
        return KP_CTAP_OK;
}

/* ---- key agreement ---- */

bool
kp_auth_pin_protocol(const struct kp_authenticator *key, int64_t protocol)
{
        for (size_t i = 0; i < key->facts->n_pin_protocols; i++)
                if (key->facts->pin_protocols[i] == protocol)
                        return true;
        return false;
}

/* Made when first asked for: most sessions need none, or one of the two. */
static EVP_PKEY *
agreement_key(struct kp_authenticator *key, int protocol)
{
        EVP_PKEY **at = &key->pin.agreement[protocol - 1];

        if (*at == NULL && kp_pin_key_make(key->random, at, &key->err) < 0)
                return NULL;
        return *at;
}

int
kp_auth_pin_decapsulate(struct kp_authenticator *key, int protocol,
        const cbor_item_t *peer, struct kp_pin_secret *ret)
{
        KP_CLEANUP(kp_free_pkey) EVP_PKEY *public = NULL;
        EVP_PKEY *own = agreement_key(key, protocol);

        if (own == NULL)
                return KP_CTAP1_ERR_OTHER;
        if (kp_pin_key_parse(peer, &public, &key->err) < 0 ||
                kp_pin_agree(protocol, own, public, ret, &key->err) < 0)
                return KP_CTAP1_ERR_INVALID_PARAMETER;
        return KP_CTAP_OK;
}

/* ---- the PIN itself ---- */

static void
pin_keep(struct kp_authenticator *key, const uint8_t *pin, size_t pin_len,
        int64_t points)
{
        uint8_t hash[KP_AUTH_HASH_LEN];

        kp_auth_hash(pin, pin_len, hash);
        memcpy(key->pin_hash, hash, sizeof(key->pin_hash));
        OPENSSL_cleanse(hash, sizeof(hash));
        key->pin_set = true;
        key->pin_code_points = points;
        key->pin_retries = KP_AUTH_PIN_RETRIES;
        key->force_pin_change = false;
}

void
kp_auth_pin_store(struct kp_authenticator *key, const uint8_t *pin, size_t pin_len)
{
        int64_t points = 0;

        for (size_t i = 0; i < pin_len; i++)
                points += (pin[i] & 0xc0) != 0x80;
        pin_keep(key, pin, pin_len, points);
}

static bool
same_pin(const struct kp_authenticator *key, const uint8_t *pin, size_t pin_len)
{
        uint8_t hash[KP_AUTH_HASH_LEN];
        bool same;

        kp_auth_hash(pin, pin_len, hash);
        same = CRYPTO_memcmp(hash, key->pin_hash, sizeof(key->pin_hash)) == 0;
        OPENSSL_cleanse(hash, sizeof(hash));
        return same;
}

/* Decrypt the padded new PIN, check it, keep it. Spec: CTAP 2.1 §6.5.5.5, §6.5.5.6 */
static int
new_pin_take(struct kp_authenticator *key, const struct kp_pin_secret *secret,
        const struct pin_params *params)
{
        KP_CLEANUP(kp_buf_wipe) struct kp_buf pin = { 0 };
        int64_t points;
        size_t len;

        if (kp_pin_decrypt(
                    secret, params->new_pin, params->new_pin_len, &pin, &key->err) < 0)
                return KP_CTAP2_ERR_PIN_AUTH_INVALID;
        if (pin.len != PADDED_PIN_LEN)
                return KP_CTAP1_ERR_INVALID_PARAMETER;
        for (len = pin.len; len > 0 && pin.data[len - 1] == 0; len--)
                ;
        points = kp_auth_pin_points(key, pin.data, len);
        if (points < 0 || (key->force_pin_change && same_pin(key, pin.data, len)))
                return KP_CTAP2_ERR_PIN_POLICY_VIOLATION;
        pin_keep(key, pin.data, len, points);
        return KP_CTAP_OK;
}

static int
pin_blocked(const struct kp_authenticator *key)
{
        if (key->pin_retries == 0)
                return KP_CTAP2_ERR_PIN_BLOCKED;
        return key->pin.wrong >= KP_AUTH_PIN_PER_POWER_UP
                       ? KP_CTAP2_ERR_PIN_AUTH_BLOCKED
                       : KP_CTAP_OK;
}

/* May a PIN be tried at all? */
static int
pin_may_be_tried(struct kp_authenticator *key)
{
        if (!key->pin_set)
                return KP_CTAP2_ERR_PIN_NOT_SET;
        if (kp_auth_fault(key, KP_POINT_PIN_BLOCKED, NULL))
                return KP_CTAP2_ERR_PIN_BLOCKED;
        if (kp_auth_fault(key, KP_POINT_PIN_POWER_CYCLE, NULL))
                return KP_CTAP2_ERR_PIN_AUTH_BLOCKED;
        return pin_blocked(key);
}

/*
 * The try is counted, and the count kept, before the PIN is looked at; it is given back
 * when the PIN was right. Spec: CTAP 2.1 §6.5.5.6 steps 6 to 8, §6.5.5.7.1 steps 8 to 10
 */
static int
pin_check(struct kp_authenticator *key, int protocol,
        const struct kp_pin_secret *secret, const struct pin_params *params)
{
        KP_CLEANUP(kp_buf_wipe) struct kp_buf hash = { 0 };
        int status;

        key->pin_retries--;
        if ((status = kp_auth_keep(key)) != KP_CTAP_OK)
                return status;
        if (kp_pin_decrypt(secret, params->pin_hash, params->pin_hash_len, &hash,
                    &key->err) == 0 &&
                hash.len == sizeof(key->pin_hash) &&
                CRYPTO_memcmp(hash.data, key->pin_hash, sizeof(key->pin_hash)) == 0) {
                key->pin_retries = KP_AUTH_PIN_RETRIES;
                key->uv_retries = (unsigned)key->facts->uv_retries;
                key->uv_count = 0;
                key->pin.wrong = 0;
                return KP_CTAP_OK;
        }
        kp_free_pkey(&key->pin.agreement[protocol - 1]); /* regenerate */
        key->pin.wrong++;
        if ((status = pin_blocked(key)) != KP_CTAP_OK)
                return status;
        return KP_CTAP2_ERR_PIN_INVALID;
}

/* ---- subcommands ---- */

static int
get_retries(struct kp_authenticator *key, const struct pin_params *params,
        struct kp_buf *answer)
{
        (void)params;
        kp_cbor_put_map(answer, key->ctap21 ? 2 : 1);
        kp_cbor_put_int(answer, 3);
        kp_cbor_put_int(answer, key->pin_retries);
        if (key->ctap21) {
                kp_cbor_put_int(answer, 4); /* powerCycleState */
                kp_cbor_put_bool(answer, key->pin.wrong >= KP_AUTH_PIN_PER_POWER_UP);
        }
        return KP_CTAP_OK;
}

static int
get_uv_retries(struct kp_authenticator *key, const struct pin_params *params,
        struct kp_buf *answer)
{
        (void)params;
        kp_cbor_put_map(answer, 1);
        kp_cbor_put_int(answer, 5);
        kp_cbor_put_int(answer, key->uv_retries);
        return KP_CTAP_OK;
}

static int
get_key_agreement(struct kp_authenticator *key, const struct pin_params *params,
        struct kp_buf *answer)
{
        const EVP_PKEY *own = agreement_key(key, (int)params->protocol);

        if (own == NULL)
                return KP_CTAP1_ERR_OTHER;
        kp_cbor_put_map(answer, 1);
        kp_cbor_put_int(answer, 1);
        return kp_pin_key_put(answer, own, &key->err) < 0 ? KP_CTAP1_ERR_OTHER
                                                          : KP_CTAP_OK;
}

/* Spec: CTAP 2.1 §6.5.5.5 */
static int
set_pin(struct kp_authenticator *key, const struct pin_params *params,
        struct kp_buf *answer)
{
        struct kp_pin_secret secret;
        const uint8_t *hmac_key;
        size_t hmac_key_len;
        int status;

        (void)answer;
        if (params->key_agreement == NULL || params->new_pin == NULL ||
                params->param == NULL)
                return KP_CTAP2_ERR_MISSING_PARAMETER;
        if (key->pin_set)
                return KP_CTAP2_ERR_PIN_AUTH_INVALID;
        status = kp_auth_pin_decapsulate(
                key, (int)params->protocol, params->key_agreement, &secret);
        if (status != KP_CTAP_OK)
                return status;
        hmac_key = kp_pin_hmac_key(&secret, &hmac_key_len);
        status = kp_pin_verify((int)params->protocol, hmac_key, hmac_key_len,
                         params->new_pin, params->new_pin_len, params->param,
                         params->param_len)
                         ? new_pin_take(key, &secret, params)
                         : KP_CTAP2_ERR_PIN_AUTH_INVALID;
        OPENSSL_cleanse(&secret, sizeof(secret));
        return status;
}

static int
change_pin_agreed(struct kp_authenticator *key, const struct pin_params *params,
        const struct kp_pin_secret *secret)
{
        KP_CLEANUP(kp_buf_wipe) struct kp_buf both = { 0 };
        size_t hmac_key_len;
        const uint8_t *hmac_key = kp_pin_hmac_key(secret, &hmac_key_len);
        int status;

        kp_buf_put(&both, params->new_pin, params->new_pin_len);
        kp_buf_put(&both, params->pin_hash, params->pin_hash_len);
        if (both.failed ||
                !kp_pin_verify((int)params->protocol, hmac_key, hmac_key_len, both.data,
                        both.len, params->param, params->param_len))
                return KP_CTAP2_ERR_PIN_AUTH_INVALID;
        if ((status = pin_check(key, (int)params->protocol, secret, params)) !=
                KP_CTAP_OK)
                return status;
        if ((status = new_pin_take(key, secret, params)) != KP_CTAP_OK)
                return status;
        kp_auth_token_end(key);
        kp_auth_persistent_end(key);
        return KP_CTAP_OK;
}

/* Spec: CTAP 2.1 §6.5.5.6; the persistent token is of CTAP 2.2 */
static int
change_pin(struct kp_authenticator *key, const struct pin_params *params,
        struct kp_buf *answer)
{
        struct kp_pin_secret secret;
        int status;

        (void)answer;
        if (params->key_agreement == NULL || params->new_pin == NULL ||
                params->pin_hash == NULL || params->param == NULL)
                return KP_CTAP2_ERR_MISSING_PARAMETER;
        if ((status = pin_may_be_tried(key)) != KP_CTAP_OK)
                return status;
        status = kp_auth_pin_decapsulate(
                key, (int)params->protocol, params->key_agreement, &secret);
        if (status != KP_CTAP_OK)
                return status;
        status = change_pin_agreed(key, params, &secret);
        OPENSSL_cleanse(&secret, sizeof(secret));
        return status;
}

static int
put_token(struct kp_authenticator *key, const struct kp_pin_secret *secret,
        const uint8_t token[32], struct kp_buf *answer)
{
        KP_CLEANUP(kp_buf_wipe) struct kp_buf cipher = { 0 };

        if (kp_pin_encrypt(secret, key->random, token, 32, &cipher, &key->err) < 0)
                return KP_CTAP1_ERR_OTHER;
        kp_cbor_put_map(answer, 1);
        kp_cbor_put_int(answer, 2);
        kp_cbor_put_bytes(answer, cipher.data, cipher.len);
        return KP_CTAP_OK;
}

/* The person has shown who it is: hand out the token that was asked for. */
static int
give_token(struct kp_authenticator *key, const struct pin_params *params,
        const struct kp_pin_secret *secret, bool present, struct kp_buf *answer)
{
        uint8_t rp_id_hash[KP_AUTH_HASH_LEN];

        if (params->permissions & KP_CTAP_PERM_PCMR)
                return put_token(key, secret, kp_auth_persistent_grant(key), answer);
        kp_auth_token_begin(key, (int)params->protocol, present);
        key->pin.token.permissions = (uint8_t)(params->permissions & PERMISSIONS);
        if (params->rp_id != NULL) {
                kp_auth_hash(params->rp_id, params->rp_id_len, rp_id_hash);
                kp_auth_token_bind(key, rp_id_hash);
        }
        return put_token(key, secret, key->pin.token.bytes, answer);
}

/* Check the PIN and hand out a token; `forced` is told while a PIN must be changed. */
static int
token_for_pin(struct kp_authenticator *key, const struct pin_params *params, int forced,
        struct kp_buf *answer)
{
        struct kp_pin_secret secret;
        int status = pin_may_be_tried(key);

        if (status != KP_CTAP_OK)
                return status;
        status = kp_auth_pin_decapsulate(
                key, (int)params->protocol, params->key_agreement, &secret);
        if (status != KP_CTAP_OK)
                return status;
        status = pin_check(key, (int)params->protocol, &secret, params);
        if (status == KP_CTAP_OK && key->force_pin_change)
                status = forced;
        if (status == KP_CTAP_OK)
                status = give_token(key, params, &secret, false, answer);
        OPENSSL_cleanse(&secret, sizeof(secret));
        return status;
}

/* Spec: CTAP 2.1 §6.5.5.7.1 */
static int
get_pin_token(struct kp_authenticator *key, const struct pin_params *params,
        struct kp_buf *answer)
{
        struct pin_params with_defaults = *params;

        if (params->key_agreement == NULL || params->pin_hash == NULL)
                return KP_CTAP2_ERR_MISSING_PARAMETER;
        if (params->has_permissions || params->rp_id != NULL)
                return KP_CTAP1_ERR_INVALID_PARAMETER;
        if (kp_auth_option(key, KP_OPTION_NO_MC_GA_WITH_PIN) != 1)
                with_defaults.permissions = KP_CTAP_PERM_MC | KP_CTAP_PERM_GA;
        return token_for_pin(key, &with_defaults, KP_CTAP2_ERR_PIN_INVALID, answer);
}

/*
 * Which permission is refused in which state of which option; `uv` for the built-in
 * method, where mc and ga are never refused.
 * Spec table: CTAP 2.1 §6.5.5.7.2 step 4, §6.5.5.7.3 step 4; pcmr is of CTAP 2.2
 */
static bool
is_unauthorised(const struct kp_authenticator *key, int64_t wanted, bool uv)
{
        const struct {
                uint8_t permission;
                bool refused;
        } table[] = {
                { KP_CTAP_PERM_CM, kp_auth_option(key, KP_OPTION_CRED_MGMT) != 1 },
                { KP_CTAP_PERM_BE,
                        uv ? kp_auth_option(key, KP_OPTION_UV_BIO_ENROLL) != 1
                           : kp_auth_option(key, KP_OPTION_BIO_ENROLL) < 0 },
                { KP_CTAP_PERM_LBW, kp_auth_option(key, KP_OPTION_LARGE_BLOBS) != 1 },
                { KP_CTAP_PERM_ACFG,
                        kp_auth_option(key,
                                uv ? KP_OPTION_UV_ACFG : KP_OPTION_AUTHNR_CFG) != 1 },
                { KP_CTAP_PERM_MC | KP_CTAP_PERM_GA,
                        !uv && kp_auth_option(key, KP_OPTION_NO_MC_GA_WITH_PIN) == 1 },
                { KP_CTAP_PERM_PCMR,
                        kp_auth_option(key, KP_OPTION_PER_CRED_MGMT_RO) != 1 ||
                                (wanted & PERMISSIONS) != KP_CTAP_PERM_PCMR },
        };

        for (size_t i = 0; i < KP_NELEMS(table); i++)
                if ((wanted & table[i].permission) && table[i].refused)
                        return true;
        return false;
}

/* Steps 1 to 4 of both. */
static int
check_permissions(
        const struct kp_authenticator *key, const struct pin_params *params, bool uv)
{
        int64_t wanted = params->permissions;

        if (params->key_agreement == NULL || !params->has_permissions ||
                (!uv && params->pin_hash == NULL))
                return KP_CTAP2_ERR_MISSING_PARAMETER;
        if (wanted <= 0)
                return KP_CTAP1_ERR_INVALID_PARAMETER;
        if (is_unauthorised(key, wanted, uv))
                return KP_CTAP2_ERR_UNAUTHORIZED_PERMISSION;
        /* §6.5.5.7, table of permissions: mc and ga require the RP ID */
        if ((wanted & (KP_CTAP_PERM_MC | KP_CTAP_PERM_GA)) && params->rp_id == NULL)
                return KP_CTAP2_ERR_MISSING_PARAMETER;
        return KP_CTAP_OK;
}

/* Spec: CTAP 2.1 §6.5.5.7.2 */
static int
get_token_with_pin(struct kp_authenticator *key, const struct pin_params *params,
        struct kp_buf *answer)
{
        int status = check_permissions(key, params, false);

        if (status != KP_CTAP_OK)
                return status;
        return token_for_pin(key, params, KP_CTAP2_ERR_PIN_POLICY_VIOLATION, answer);
}

/* Spec: CTAP 2.1 §6.5.5.7.3 steps 5 to 10 */
static int
verify_person(struct kp_authenticator *key)
{
        if (!kp_auth_uv_ready(key))
                return KP_CTAP2_ERR_NOT_ALLOWED;
        if (!key->finger.asked &&
                (key->uv_retries == 0 || kp_auth_fault(key, KP_POINT_UV_BLOCKED, NULL)))
                return KP_CTAP2_ERR_UV_BLOCKED;
        switch (kp_auth_finger_verify(key, key->facts->platform_uv_attempts <= 1)) {
        case KP_AUTH_TOUCH_PENDING:
                return KP_AUTH_PENDING;
        case KP_AUTH_TOUCH_GIVEN:
                return KP_CTAP_OK;
        case KP_AUTH_TOUCH_TIMEOUT:
                return KP_CTAP2_ERR_USER_ACTION_TIMEOUT;
        default:
                return key->uv_retries == 0 ? KP_CTAP2_ERR_UV_BLOCKED
                                            : KP_CTAP2_ERR_UV_INVALID;
        }
}

/* Spec: CTAP 2.1 §6.5.5.7.3 */
static int
get_token_with_uv(struct kp_authenticator *key, const struct pin_params *params,
        struct kp_buf *answer)
{
        struct kp_pin_secret secret;
        int status = check_permissions(key, params, true);

        if (status != KP_CTAP_OK || (status = verify_person(key)) != KP_CTAP_OK)
                return status;
        status = kp_auth_pin_decapsulate(
                key, (int)params->protocol, params->key_agreement, &secret);
        if (status != KP_CTAP_OK)
                return status;
        status = give_token(key, params, &secret, true, answer);
        OPENSSL_cleanse(&secret, sizeof(secret));
        return status;
}

/* ---- dispatch ---- */

static bool
has_pin(const struct kp_authenticator *key)
{
        return kp_auth_option(key, KP_OPTION_CLIENT_PIN) >= 0;
}

static bool
has_pin_and_token(const struct kp_authenticator *key)
{
        return has_pin(key) && kp_auth_option(key, KP_OPTION_PIN_UV_AUTH_TOKEN) == 1;
}

static bool
has_uv(const struct kp_authenticator *key)
{
        return kp_auth_option(key, KP_OPTION_UV) >= 0;
}

static bool
has_uv_and_token(const struct kp_authenticator *key)
{
        return has_uv(key) && kp_auth_option(key, KP_OPTION_PIN_UV_AUTH_TOKEN) == 1;
}

/* Spec table: CTAP 2.1 §6.5.5, subcommands in order of number. */
/* clang-format off */
static const struct {
        uint8_t number;
        bool has_protocol; /* pinUvAuthProtocol is a mandatory parameter */
        bool (*exists)(const struct kp_authenticator *key);
        int (*run)(struct kp_authenticator *key, const struct pin_params *params,
                struct kp_buf *answer);
} sub_commands[] = {
        { KP_CTAP_PIN_GET_RETRIES,         false, has_pin,           get_retries },
        { KP_CTAP_PIN_GET_KEY_AGREEMENT,   true,  NULL,              get_key_agreement },
        { KP_CTAP_PIN_SET,                 true,  has_pin,           set_pin },
        { KP_CTAP_PIN_CHANGE,              true,  has_pin,           change_pin },
        { KP_CTAP_PIN_GET_TOKEN,           true,  has_pin,           get_pin_token },
        { KP_CTAP_PIN_GET_TOKEN_UV_PERMS,  true,  has_uv_and_token,  get_token_with_uv },
        { KP_CTAP_PIN_GET_UV_RETRIES,      false, has_uv,            get_uv_retries },
        { KP_CTAP_PIN_GET_TOKEN_PIN_PERMS, true,  has_pin_and_token, get_token_with_pin },
};
/* clang-format on */

int
kp_auth_client_pin(
        struct kp_authenticator *key, const cbor_item_t *map, struct kp_buf *answer)
{
        struct pin_params params = { 0 };
        int status = params_read(map, &params);

        if (status != KP_CTAP_OK)
                return status;
        for (size_t i = 0; i < KP_NELEMS(sub_commands); i++) {
                if (sub_commands[i].number != params.sub_command ||
                        (sub_commands[i].exists != NULL &&
                                !sub_commands[i].exists(key)))
                        continue;
                if (sub_commands[i].has_protocol && !params.has_protocol)
                        return KP_CTAP2_ERR_MISSING_PARAMETER;
                if (params.has_protocol && !kp_auth_pin_protocol(key, params.protocol))
                        return KP_CTAP1_ERR_INVALID_PARAMETER;
                return sub_commands[i].run(key, &params, answer);
        }
        /* CTAP 2.0 knows no code for it */
        return key->ctap21 ? KP_CTAP2_ERR_INVALID_SUBCOMMAND
                           : KP_CTAP1_ERR_INVALID_PARAMETER;
}
