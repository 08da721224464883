/* SPDX-License-Identifier: BSD-2-Clause */
#include "fixture_id.h"

#include <string.h>

#include "keypilot/core/free.h"

/* The name without folder and ".json", malloc'ed; NULL when out of memory. */
static char *
stem_of(const char *path)
{
        const char *slash = strrchr(path, '/');
        char *stem = strdup(slash == NULL ? path : slash + 1);
        char *dot = stem == NULL ? NULL : strrchr(stem, '.');

        if (dot != NULL && strcmp(dot, ".json") == 0)
                *dot = '\0';
        return stem;
}

bool
kp_fixture_id_valid(const char *id)
{
        size_t len = strlen(id);

        return len > 0 && len <= 64 && id[0] != '-' && id[len - 1] != '-' &&
               strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-") == len &&
               strstr(id, "--") == NULL;
}

int
kp_fixture_id_check(const json_t *json, const char *path, struct kp_error *err)
{
        const char *id = kp_json_str(json, "id", "");
        KP_CLEANUP(kp_free_str) char *stem = stem_of(path);

        if (stem == NULL)
                return KP_FAIL(err, KP_ENOMEM, "%s", path);
        if (!kp_fixture_id_valid(id) || strcmp(id, stem) != 0)
                return KP_FAIL(err, KP_ESCHEMA,
                        "member 'id': expected \"%.64s\", the name of the file, in "
                        "lower-case letters, digits and single hyphens",
                        stem);
        return 0;
}
