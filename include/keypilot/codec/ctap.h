/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_CODEC_CTAP_H
#define KEYPILOT_CODEC_CTAP_H

#include "keypilot/core/base.h"

/*
 * Numbers that both ends of CTAP share. No behaviour beyond their names.
 */

/* Spec: CTAP 2.1 §6 "Authenticator API", command codes */
enum kp_ctap_cmd {
        KP_CTAP_MAKE_CREDENTIAL = 0x01,
        KP_CTAP_GET_ASSERTION = 0x02,
        KP_CTAP_GET_INFO = 0x04,
        KP_CTAP_CLIENT_PIN = 0x06,
        KP_CTAP_RESET = 0x07,
        KP_CTAP_GET_NEXT_ASSERTION = 0x08,
        KP_CTAP_BIO_ENROLLMENT = 0x09,
        KP_CTAP_CREDENTIAL_MANAGEMENT = 0x0a,
        KP_CTAP_SELECTION = 0x0b,
        KP_CTAP_LARGE_BLOBS = 0x0c,
        KP_CTAP_CONFIG = 0x0d,
        KP_CTAP_BIO_ENROLLMENT_PREVIEW = 0x40,
        KP_CTAP_CREDENTIAL_MANAGEMENT_PREVIEW = 0x41,
};
const char *kp_ctap_cmd_name(uint8_t cmd); /* "makeCredential"; "unknown" */

/* Spec: CTAP 2.1 §6.5.5 authenticatorClientPIN subcommands */
enum kp_ctap_pin_cmd {
        KP_CTAP_PIN_GET_RETRIES = 0x01,
        KP_CTAP_PIN_GET_KEY_AGREEMENT = 0x02,
        KP_CTAP_PIN_SET = 0x03,
        KP_CTAP_PIN_CHANGE = 0x04,
        KP_CTAP_PIN_GET_TOKEN = 0x05,
        KP_CTAP_PIN_GET_TOKEN_UV_PERMS = 0x06,
        KP_CTAP_PIN_GET_UV_RETRIES = 0x07,
        KP_CTAP_PIN_GET_TOKEN_PIN_PERMS = 0x09,
};
const char *kp_ctap_pin_cmd_name(uint8_t cmd); /* "getPINRetries"; "unknown" */

/* Spec: CTAP 2.1 §6.5.5.7 "Operations to Obtain a pinUvAuthToken", permissions */
enum kp_ctap_permission {
        KP_CTAP_PERM_MC = 0x01,
        KP_CTAP_PERM_GA = 0x02,
        KP_CTAP_PERM_CM = 0x04,
        KP_CTAP_PERM_BE = 0x08,
        KP_CTAP_PERM_LBW = 0x10,
        KP_CTAP_PERM_ACFG = 0x20,
        KP_CTAP_PERM_PCMR = 0x40, /* CTAP 2.2: read-only, persistent */
};

/* Spec: CTAP 2.1 §8.2 "Status codes" */
enum kp_ctap_status {
        KP_CTAP_OK = 0x00,
        KP_CTAP1_ERR_INVALID_COMMAND = 0x01,
        KP_CTAP1_ERR_INVALID_PARAMETER = 0x02,
        KP_CTAP1_ERR_INVALID_LENGTH = 0x03,
        KP_CTAP1_ERR_INVALID_SEQ = 0x04,
        KP_CTAP1_ERR_TIMEOUT = 0x05,
        KP_CTAP1_ERR_CHANNEL_BUSY = 0x06,
        KP_CTAP1_ERR_LOCK_REQUIRED = 0x0a,
        KP_CTAP1_ERR_INVALID_CHANNEL = 0x0b,
        KP_CTAP2_ERR_CBOR_UNEXPECTED_TYPE = 0x11,
        KP_CTAP2_ERR_INVALID_CBOR = 0x12,
        KP_CTAP2_ERR_MISSING_PARAMETER = 0x14,
        KP_CTAP2_ERR_LIMIT_EXCEEDED = 0x15,
        KP_CTAP2_ERR_FP_DATABASE_FULL = 0x17,
        KP_CTAP2_ERR_LARGE_BLOB_STORAGE_FULL = 0x18,
        KP_CTAP2_ERR_CREDENTIAL_EXCLUDED = 0x19,
        KP_CTAP2_ERR_PROCESSING = 0x21,
        KP_CTAP2_ERR_INVALID_CREDENTIAL = 0x22,
        KP_CTAP2_ERR_USER_ACTION_PENDING = 0x23,
        KP_CTAP2_ERR_OPERATION_PENDING = 0x24,
        KP_CTAP2_ERR_NO_OPERATIONS = 0x25,
        KP_CTAP2_ERR_UNSUPPORTED_ALGORITHM = 0x26,
        KP_CTAP2_ERR_OPERATION_DENIED = 0x27,
        KP_CTAP2_ERR_KEY_STORE_FULL = 0x28,
        KP_CTAP2_ERR_UNSUPPORTED_OPTION = 0x2b,
        KP_CTAP2_ERR_INVALID_OPTION = 0x2c,
        KP_CTAP2_ERR_KEEPALIVE_CANCEL = 0x2d,
        KP_CTAP2_ERR_NO_CREDENTIALS = 0x2e,
        KP_CTAP2_ERR_USER_ACTION_TIMEOUT = 0x2f,
        KP_CTAP2_ERR_NOT_ALLOWED = 0x30,
        KP_CTAP2_ERR_PIN_INVALID = 0x31,
        KP_CTAP2_ERR_PIN_BLOCKED = 0x32,
        KP_CTAP2_ERR_PIN_AUTH_INVALID = 0x33,
        KP_CTAP2_ERR_PIN_AUTH_BLOCKED = 0x34,
        KP_CTAP2_ERR_PIN_NOT_SET = 0x35,
        KP_CTAP2_ERR_PUAT_REQUIRED = 0x36,
        KP_CTAP2_ERR_PIN_POLICY_VIOLATION = 0x37,
        KP_CTAP2_ERR_REQUEST_TOO_LARGE = 0x39,
        KP_CTAP2_ERR_ACTION_TIMEOUT = 0x3a,
        KP_CTAP2_ERR_UP_REQUIRED = 0x3b,
        KP_CTAP2_ERR_UV_BLOCKED = 0x3c,
        KP_CTAP2_ERR_INTEGRITY_FAILURE = 0x3d,
        KP_CTAP2_ERR_INVALID_SUBCOMMAND = 0x3e,
        KP_CTAP2_ERR_UV_INVALID = 0x3f,
        KP_CTAP2_ERR_UNAUTHORIZED_PERMISSION = 0x40,
        KP_CTAP1_ERR_OTHER = 0x7f,
};
/* "CTAP2_ERR_PIN_INVALID"; "CTAP_ERR_UNKNOWN" for a number that is not above. */
const char *kp_ctap_status_name(uint8_t status);

/* CTAPHID. Spec: CTAP 2.1 §11.2 */
#define KP_CTAPHID_REPORT 64
#define KP_CTAPHID_BROADCAST 0xffffffffu
#define KP_CTAPHID_MAX_MESSAGE 7609 /* 57 + 128 × 59 */
enum kp_ctaphid_cmd {
        KP_CTAPHID_PING = 0x01,
        KP_CTAPHID_MSG = 0x03,
        KP_CTAPHID_LOCK = 0x04,
        KP_CTAPHID_INIT = 0x06,
        KP_CTAPHID_WINK = 0x08,
        KP_CTAPHID_CBOR = 0x10,
        KP_CTAPHID_CANCEL = 0x11,
        KP_CTAPHID_KEEPALIVE = 0x3b,
        KP_CTAPHID_ERROR = 0x3f,
};
enum kp_ctaphid_capability {
        KP_CTAPHID_CAP_WINK = 0x01,
        KP_CTAPHID_CAP_LOCK = 0x02,
        KP_CTAPHID_CAP_CBOR = 0x04,
        KP_CTAPHID_CAP_NMSG = 0x08,
};

/* U2F raw messages. Spec: FIDO U2F Raw Message Formats v1.2 §3 */
enum kp_u2f_ins {
        KP_U2F_REGISTER = 0x01,
        KP_U2F_AUTHENTICATE = 0x02,
        KP_U2F_VERSION = 0x03
};
enum kp_u2f_status {
        KP_U2F_SW_NO_ERROR = 0x9000,
        KP_U2F_SW_CONDITIONS_NOT_SATISFIED = 0x6985,
        KP_U2F_SW_COMMAND_NOT_ALLOWED = 0x6986,
        KP_U2F_SW_WRONG_DATA = 0x6a80,
        KP_U2F_SW_INCORRECT_P1P2 = 0x6a86,
        KP_U2F_SW_WRONG_LENGTH = 0x6700,
        KP_U2F_SW_CLA_NOT_SUPPORTED = 0x6e00,
        KP_U2F_SW_INS_NOT_SUPPORTED = 0x6d00,
};

#endif
