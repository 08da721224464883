/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/codec/ctap.h"

struct name {
        uint8_t value;
        const char *name;
};

static const char *
name_of(const struct name *names, size_t n_names, uint8_t value, const char *fallback)
{
        for (size_t i = 0; i < n_names; i++)
                if (names[i].value == value)
                        return names[i].name;
        return fallback;
}

/* clang-format off */
/* Spec table: CTAP 2.1 §6, command codes, in order of value. */
static const struct name cmds[] = {
        { KP_CTAP_MAKE_CREDENTIAL, "makeCredential" },
        { KP_CTAP_GET_ASSERTION, "getAssertion" },
        { KP_CTAP_GET_INFO, "getInfo" },
        { KP_CTAP_CLIENT_PIN, "clientPIN" },
        { KP_CTAP_RESET, "reset" },
        { KP_CTAP_GET_NEXT_ASSERTION, "getNextAssertion" },
        { KP_CTAP_BIO_ENROLLMENT, "bioEnrollment" },
        { KP_CTAP_CREDENTIAL_MANAGEMENT, "credentialManagement" },
        { KP_CTAP_SELECTION, "selection" },
        { KP_CTAP_LARGE_BLOBS, "largeBlobs" },
        { KP_CTAP_CONFIG, "config" },
        { KP_CTAP_CREDENTIAL_MANAGEMENT_PREVIEW, "credentialManagementPreview" },
};

/* Spec table: CTAP 2.1 §6.5.5, subcommands, in order of value. */
static const struct name pin_cmds[] = {
        { KP_CTAP_PIN_GET_RETRIES, "getPINRetries" },
        { KP_CTAP_PIN_GET_KEY_AGREEMENT, "getKeyAgreement" },
        { KP_CTAP_PIN_SET, "setPIN" },
        { KP_CTAP_PIN_CHANGE, "changePIN" },
        { KP_CTAP_PIN_GET_TOKEN, "getPinToken" },
        { KP_CTAP_PIN_GET_TOKEN_UV_PERMS, "getPinUvAuthTokenUsingUvWithPermissions" },
        { KP_CTAP_PIN_GET_UV_RETRIES, "getUVRetries" },
        { KP_CTAP_PIN_GET_TOKEN_PIN_PERMS, "getPinUvAuthTokenUsingPinWithPermissions" },
};

/* Spec table: CTAP 2.1 §8.2 "Status codes", in order of value. */
static const struct name statuses[] = {
        { KP_CTAP_OK, "CTAP2_OK" },
        { KP_CTAP1_ERR_INVALID_COMMAND, "CTAP1_ERR_INVALID_COMMAND" },
        { KP_CTAP1_ERR_INVALID_PARAMETER, "CTAP1_ERR_INVALID_PARAMETER" },
        { KP_CTAP1_ERR_INVALID_LENGTH, "CTAP1_ERR_INVALID_LENGTH" },
        { KP_CTAP1_ERR_INVALID_SEQ, "CTAP1_ERR_INVALID_SEQ" },
        { KP_CTAP1_ERR_TIMEOUT, "CTAP1_ERR_TIMEOUT" },
        { KP_CTAP1_ERR_CHANNEL_BUSY, "CTAP1_ERR_CHANNEL_BUSY" },
        { KP_CTAP1_ERR_LOCK_REQUIRED, "CTAP1_ERR_LOCK_REQUIRED" },
        { KP_CTAP1_ERR_INVALID_CHANNEL, "CTAP1_ERR_INVALID_CHANNEL" },
        { KP_CTAP2_ERR_CBOR_UNEXPECTED_TYPE, "CTAP2_ERR_CBOR_UNEXPECTED_TYPE" },
        { KP_CTAP2_ERR_INVALID_CBOR, "CTAP2_ERR_INVALID_CBOR" },
        { KP_CTAP2_ERR_MISSING_PARAMETER, "CTAP2_ERR_MISSING_PARAMETER" },
        { KP_CTAP2_ERR_LIMIT_EXCEEDED, "CTAP2_ERR_LIMIT_EXCEEDED" },
        { KP_CTAP2_ERR_FP_DATABASE_FULL, "CTAP2_ERR_FP_DATABASE_FULL" },
        { KP_CTAP2_ERR_LARGE_BLOB_STORAGE_FULL, "CTAP2_ERR_LARGE_BLOB_STORAGE_FULL" },
        { KP_CTAP2_ERR_CREDENTIAL_EXCLUDED, "CTAP2_ERR_CREDENTIAL_EXCLUDED" },
        { KP_CTAP2_ERR_PROCESSING, "CTAP2_ERR_PROCESSING" },
        { KP_CTAP2_ERR_INVALID_CREDENTIAL, "CTAP2_ERR_INVALID_CREDENTIAL" },
        { KP_CTAP2_ERR_USER_ACTION_PENDING, "CTAP2_ERR_USER_ACTION_PENDING" },
        { KP_CTAP2_ERR_OPERATION_PENDING, "CTAP2_ERR_OPERATION_PENDING" },
        { KP_CTAP2_ERR_NO_OPERATIONS, "CTAP2_ERR_NO_OPERATIONS" },
        { KP_CTAP2_ERR_UNSUPPORTED_ALGORITHM, "CTAP2_ERR_UNSUPPORTED_ALGORITHM" },
        { KP_CTAP2_ERR_OPERATION_DENIED, "CTAP2_ERR_OPERATION_DENIED" },
        { KP_CTAP2_ERR_KEY_STORE_FULL, "CTAP2_ERR_KEY_STORE_FULL" },
        { KP_CTAP2_ERR_UNSUPPORTED_OPTION, "CTAP2_ERR_UNSUPPORTED_OPTION" },
        { KP_CTAP2_ERR_INVALID_OPTION, "CTAP2_ERR_INVALID_OPTION" },
        { KP_CTAP2_ERR_KEEPALIVE_CANCEL, "CTAP2_ERR_KEEPALIVE_CANCEL" },
        { KP_CTAP2_ERR_NO_CREDENTIALS, "CTAP2_ERR_NO_CREDENTIALS" },
        { KP_CTAP2_ERR_USER_ACTION_TIMEOUT, "CTAP2_ERR_USER_ACTION_TIMEOUT" },
        { KP_CTAP2_ERR_NOT_ALLOWED, "CTAP2_ERR_NOT_ALLOWED" },
        { KP_CTAP2_ERR_PIN_INVALID, "CTAP2_ERR_PIN_INVALID" },
        { KP_CTAP2_ERR_PIN_BLOCKED, "CTAP2_ERR_PIN_BLOCKED" },
        { KP_CTAP2_ERR_PIN_AUTH_INVALID, "CTAP2_ERR_PIN_AUTH_INVALID" },
        { KP_CTAP2_ERR_PIN_AUTH_BLOCKED, "CTAP2_ERR_PIN_AUTH_BLOCKED" },
        { KP_CTAP2_ERR_PIN_NOT_SET, "CTAP2_ERR_PIN_NOT_SET" },
        { KP_CTAP2_ERR_PUAT_REQUIRED, "CTAP2_ERR_PUAT_REQUIRED" },
        { KP_CTAP2_ERR_PIN_POLICY_VIOLATION, "CTAP2_ERR_PIN_POLICY_VIOLATION" },
        { KP_CTAP2_ERR_REQUEST_TOO_LARGE, "CTAP2_ERR_REQUEST_TOO_LARGE" },
        { KP_CTAP2_ERR_ACTION_TIMEOUT, "CTAP2_ERR_ACTION_TIMEOUT" },
        { KP_CTAP2_ERR_UP_REQUIRED, "CTAP2_ERR_UP_REQUIRED" },
        { KP_CTAP2_ERR_UV_BLOCKED, "CTAP2_ERR_UV_BLOCKED" },
        { KP_CTAP2_ERR_INTEGRITY_FAILURE, "CTAP2_ERR_INTEGRITY_FAILURE" },
        { KP_CTAP2_ERR_INVALID_SUBCOMMAND, "CTAP2_ERR_INVALID_SUBCOMMAND" },
        { KP_CTAP2_ERR_UV_INVALID, "CTAP2_ERR_UV_INVALID" },
        { KP_CTAP2_ERR_UNAUTHORIZED_PERMISSION, "CTAP2_ERR_UNAUTHORIZED_PERMISSION" },
        { KP_CTAP1_ERR_OTHER, "CTAP1_ERR_OTHER" },
};
/* clang-format on */

const char *
kp_ctap_cmd_name(uint8_t cmd)
{
        return name_of(cmds, KP_NELEMS(cmds), cmd, "unknown");
}

const char *
kp_ctap_pin_cmd_name(uint8_t cmd)
{
        return name_of(pin_cmds, KP_NELEMS(pin_cmds), cmd, "unknown");
}

const char *
kp_ctap_status_name(uint8_t status)
{
        return name_of(statuses, KP_NELEMS(statuses), status, "CTAP_ERR_UNKNOWN");
}
