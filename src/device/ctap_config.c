/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "ctap.h"

/* authenticatorConfig. Spec: CTAP 2.1 §6.11; its newer parts are of CTAP 2.2 and 2.3 */

/* Members of setMinPINLength. Spec: CTAP 2.1 §6.11.4; CTAP 2.3: pinComplexityPolicy */
static void
put_min_pin(struct kp_buf *buf, const struct kp_config *config)
{
        size_t n = (size_t)(config->min_pin_len > 0) + (config->n_rp_ids > 0) +
                   config->force_change + config->complexity;

        kp_cbor_put_map(buf, n);
        if (config->min_pin_len > 0) {
                kp_cbor_put_int(buf, 1);
                kp_cbor_put_int(buf, config->min_pin_len);
        }
        if (config->n_rp_ids > 0) {
                kp_cbor_put_int(buf, 2);
                kp_cbor_put_array(buf, config->n_rp_ids);
                for (size_t i = 0; i < config->n_rp_ids; i++)
                        kp_cbor_put_text(buf, config->rp_ids[i]);
        }
        if (config->force_change) {
                kp_cbor_put_int(buf, 3);
                kp_cbor_put_bool(buf, true);
        }
        if (config->complexity) {
                kp_cbor_put_int(buf, 4);
                kp_cbor_put_bool(buf, true);
        }
}

static int
config_set(void *self, const struct kp_config *config,
        const struct kp_pin_or_token *proof, struct kp_said *said, struct kp_error *err)
{
        KP_CLEANUP(kp_answer_done) struct kp_answer answer = { 0 };
        KP_CLEANUP(kp_answer_done) struct kp_answer fresh = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf params = { 0 };
        struct kp_ctap *ctap = self;
        uint8_t prefix[33];

        if (kp_key_option(&ctap->info, "authnrCfg") != KP_TRUE)
                return KP_FAIL(err, KP_EUNSUPPORTED, "this key has no settings");
        memset(prefix, 0xff, 32);
        prefix[32] = KP_CTAP_CONFIG;
        if (config->cmd == KP_CONFIG_MIN_PIN)
                put_min_pin(&params, config);
        if (kp_ctap_sub_once(ctap,
                    &(struct kp_ctap_sub){ .cmd = KP_CTAP_CONFIG,
                            .number = (uint8_t)config->cmd,
                            .params = &params,
                            .prefix = { prefix, sizeof(prefix) } },
                    proof, KP_CTAP_PERM_ACFG, &answer, err) < 0)
                return -1;
        kp_answer_said(&answer, said);
        /* what the key can do may have changed with it */
        return kp_answer_ok(&answer) ? kp_ctap_get_info(ctap, &fresh, err) : 0;
}

const struct kp_config_ops kp_ctap_config_ops = { config_set };
