/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_CLI_LIST_KEYS_H
#define KEYPILOT_CLI_LIST_KEYS_H

#include "keypilot/device/driver.h"

#include "cli.h"

/*
 * What `list keys` shows: the simulated keys and the plugged-in ones, each asked what
 * it is and nothing else.
 *
 * array    gets objects with "id", "title", "versions", "algorithms", "options",
 *          "source"; a simulated key has "facts", all that its profile states; a
 *          plugged-in key that cannot be asked has "problem" and empty lists
 */
int kp_list_keys(struct kp_cli *cli, json_t *array, struct kp_error *err);

/*
 * The name of a model by its AAGUID, as our own profiles have it, without the states
 * that they describe ("YubiKey 5, firmware 5.7").
 *
 * fixtures_dir  the folder of fixtures
 * ret           { "en", "nl" }; NULL where no profile has this AAGUID, or it is all
 *               zeroes
 */
int kp_key_model(const char *fixtures_dir, const uint8_t aaguid[16], json_t **ret,
        struct kp_error *err);

/* "19083c3d-8383-4b18-bc03-8f1c9ab2fd1b" */
#define KP_AAGUID_TEXT_LEN 37
const char *kp_aaguid_format(const uint8_t aaguid[16], char text[KP_AAGUID_TEXT_LEN]);

/* Lists of GetInfo as JSON, in the key's order. */
json_t *kp_key_versions_json(const struct kp_key_info *info);
json_t *kp_key_algorithms_json(const struct kp_key_info *info); /* COSE numbers */
json_t *kp_key_options_json(const struct kp_key_info *info);

#endif
