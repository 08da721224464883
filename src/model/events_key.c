/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/model/trace.h"

/*
 * What passes between platform and key, as the tap below the driver sees it: an event
 * for each message that was answered. Never bytes, lengths, ids or names; lists are
 * counts.
 *
 *   cmd, subcommand  names of CTAP 2.1 §6, "getInfo", "getPINRetries"
 *   status           the key's answer, "CTAP2_OK"
 *   rk, up, uv       options that were sent; absent: not sent
 *   pin_auth         a pinUvAuthParam was sent
 *   permissions      array: "mc", "ga", "cm"..., asked for with a token
 *   algorithms       array: names, in the order asked
 *   extensions       array: names that were asked for, sorted
 *   allow, exclude   how many credentials were listed
 *   user_present, user_verified, backup_eligible, backed_up
 *                    flags of the authenticator data that came back
 *   attestation      its format
 *   credentials      how many matched (GetAssertion, where more than one)
 *   retries          tries left
 */
const struct kp_event_type kp_events_key[] = {
        { "ctap",
                "algorithms allow attestation backed_up backup_eligible cmd "
                "credentials "
                "exclude extensions permissions pin_auth retries rk status subcommand "
                "up "
                "user_present user_verified uv",
                "CTAP 2.1 §6" },
        { "ctap.touch", "cmd",
                "CTAP 2.1 §11.2.9.1.7" }, /* the key waits for a finger */
        { "ctaphid.error", "cmd code", "CTAP 2.1 §11.2.9.1.6" },
        { "key.lost", "cmd", NULL },
        { "tap.refused", "cmd subcommand why", NULL },
        { "u2f", "check_only cmd status", "FIDO U2F Raw Message Formats v1.2 §3" },
        { NULL, NULL, NULL },
};
