/* SPDX-License-Identifier: BSD-2-Clause */
#include "webauthn_common.h"

static int
run(struct kp_cli *cli, struct kp_error *err)
{
        return kp_webauthn_run(cli, false, err);
}

const struct kp_command kp_cmd_webauthn_get = {
        .name = "webauthn get",
        .operands = "",
        .help = { "log in with a passkey as a browser does for a site",
                "log in met een wachtwoordsleutel zoals een browser dat voor een site "
                "doet" },
        .options = kp_webauthn_options,
        .n_options = KP_N_WEBAUTHN_OPTIONS,
        .run = run,
};
