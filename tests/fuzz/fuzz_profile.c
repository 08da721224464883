/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "keypilot/core/file.h"
#include "keypilot/core/free.h"
#include "keypilot/model/authenticator.h"
#include "keypilot/model/fault.h"
#include "keypilot/model/pilot_file.h"
#include "keypilot/model/profile.h"
#include "keypilot/model/rule.h"
#include "keypilot/model/scenario.h"

#include "fuzz.h"

/*
 * Files of one's own: profiles, scenarios, rules, faults and pilots, each read as every
 * kind. They are read from a file, so one is written: under the name that it gives
 * itself, for an id must be the file's name.
 */
static char folder[] = "/tmp/keypilot-fuzz-XXXXXX";
static char last[128];

static void
clean_up(void)
{
        (void)unlink(last);
        (void)rmdir(folder);
}

static const char *
fixtures_dir(void)
{
        const char *fixtures = getenv("KEYPILOT_FIXTURES");

        return fixtures == NULL ? "fixtures" : fixtures;
}

static const char *
write_file(const uint8_t *data, size_t size)
{
        static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
        KP_CLEANUP(kp_json_free) json_t *json = NULL;
        struct kp_error err = { 0 };
        const char *id = "fuzz";
        FILE *file;

        if (last[0] == '\0') {
                if (mkdtemp(folder) == NULL || atexit(clean_up) != 0)
                        abort(); /* nothing would be tested */
        } else {
                (void)unlink(last);
        }
        if (kp_json_parse("fuzz", data, size, &json, &err) == 0)
                id = kp_json_str(json, "id", id);
        if (strlen(id) > 60 || strspn(id, letters) != strlen(id))
                id = "fuzz";
        (void)snprintf(last, sizeof(last), "%s/%s.json", folder, id);
        if ((file = fopen(last, "wb")) == NULL || fwrite(data, 1, size, file) != size ||
                fclose(file) != 0)
                abort();
        return last;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        KP_CLEANUP(kp_authenticator_profile_free)
        struct kp_authenticator_profile *authenticator = NULL;
        KP_CLEANUP(kp_scenario_free) struct kp_scenario *scenario = NULL;
        KP_CLEANUP(kp_rule_free) struct kp_rule *rule = NULL;
        KP_CLEANUP(kp_pilot_free) struct kp_pilot *pilot = NULL;
        const char *path = write_file(data, size);
        KP_CLEANUP(kp_fault_done) struct kp_fault fault = { 0 };
        struct kp_error err = { 0 };

        for (int kind = KP_KIND_CLIENT; kind <= KP_KIND_POPULATION; kind++) {
                KP_CLEANUP(kp_profile_free) struct kp_profile *profile = NULL;

                kp_any(kp_profile_load((enum kp_kind)kind, path, &profile, &err));
        }
        kp_any(kp_authenticator_profile_load_from(
                fixtures_dir(), path, &authenticator, &err));
        kp_any(kp_scenario_load(path, &scenario, &err));
        kp_any(kp_rule_load(path, &rule, &err));
        kp_any(kp_pilot_load(path, &pilot, &err));
        kp_any(kp_fault_load(path, &fault, &err));
        return 0;
}

bool
kp_fuzz_seed(size_t i, struct kp_buf *ret)
{
        static const char *const files[] = { "authenticators/yubikey-5-57.json",
                "authenticators/keypilot-23.json", "authenticators/yubikey-bio.json",
                "clients/chromium-debian.json", "services/magister.json",
                "providers/entra-id.json", "hubs/entree.json",
                "populations/teacher.json", "scenarios/passkey-at-service.json",
                "rules/pin-blocked-needs-reset.json", "faults/counter-back.json",
                "pilots/built-in.json" };
        KP_CLEANUP(kp_free_str) char *path = NULL;
        struct kp_error err = { 0 };

        if (i >= KP_NELEMS(files))
                return false;
        path = kp_format("%s/%s", fixtures_dir(), files[i]);
        if (path == NULL || kp_file_read(path, KP_JSON_MAX, ret, &err) < 0)
                abort(); /* no fixtures: nothing would be tested */
        return true;
}
