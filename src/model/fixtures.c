/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/model/fixtures.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "keypilot/core/free.h"

#define N_KINDS (KP_KIND_POPULATION + 1)

/* Loaded fixtures of one kind, found again by the name that was asked for. */
struct shelf {
        struct shelf_item {
                char *name;
                void *what;
        } * items;
        size_t n_items;
};

struct kp_fixtures {
        char *dir;
        struct shelf profiles[N_KINDS];
        struct shelf scenarios;
};

static void *
shelf_find(const struct shelf *shelf, const char *name)
{
        for (size_t i = 0; i < shelf->n_items; i++)
                if (strcmp(shelf->items[i].name, name) == 0)
                        return shelf->items[i].what;
        return NULL;
}

static int
shelf_put(struct shelf *shelf, const char *name, void *what, struct kp_error *err)
{
        struct shelf_item *items =
                realloc(shelf->items, (shelf->n_items + 1) * sizeof(*items));
        char *copy = strdup(name);

        if (items != NULL)
                shelf->items = items;
        if (items == NULL || copy == NULL) {
                free(copy);
                return KP_FAIL(err, KP_ENOMEM, "%s", name);
        }
        items[shelf->n_items++] = (struct shelf_item){ copy, what };
        return 0;
}

/* Every folder of fixtures has this in it. */
static bool
is_fixtures_dir(const char *dir)
{
        KP_CLEANUP(kp_free_str) char *mark = kp_format("%s/schema", dir);

        return mark != NULL && kp_file_exists(mark);
}

/* Installed: PREFIX/bin -> PREFIX/share. In the source tree: a folder above. */
static char *
find_beside_program(void)
{
        char program[4096];
        ssize_t n = readlink("/proc/self/exe", program, sizeof(program) - 1);
        char *slash;

        if (n <= 0)
                return NULL;
        program[n] = '\0';
        while ((slash = strrchr(program, '/')) != NULL && slash != program) {
                static const char *const below[] = { "share/keypilot/fixtures",
                        "fixtures" };

                *slash = '\0';
                for (size_t i = 0; i < KP_NELEMS(below); i++) {
                        KP_CLEANUP(kp_free_str)
                        char *dir = kp_format("%s/%s", program, below[i]);

                        if (dir != NULL && is_fixtures_dir(dir))
                                return KP_STEAL(dir);
                }
        }
        return NULL;
}

int
kp_fixtures_open(const char *dir, struct kp_fixtures **ret, struct kp_error *err)
{
        KP_CLEANUP(kp_fixtures_free)
        struct kp_fixtures *fixtures = calloc(1, sizeof(*fixtures));

        if (fixtures == NULL)
                return KP_FAIL(err, KP_ENOMEM, "fixtures");
        if (dir != NULL && !is_fixtures_dir(dir))
                return KP_FAIL(err, KP_EENV,
                        "%s: not a folder of fixtures (it has no folder 'schema')",
                        dir);
        fixtures->dir = dir != NULL ? strdup(dir) : find_beside_program();
        if (fixtures->dir == NULL)
                return KP_FAIL(err, KP_EENV,
                        "no folder of fixtures beside the program: name it with "
                        "--fixtures DIR");
        *ret = KP_STEAL(fixtures);
        return 0;
}

static void
shelf_done(struct shelf *shelf, bool scenarios)
{
        for (size_t i = 0; i < shelf->n_items; i++) {
                struct kp_scenario *scenario = shelf->items[i].what;
                struct kp_profile *profile = shelf->items[i].what;

                if (scenarios)
                        kp_scenario_free(&scenario);
                else
                        kp_profile_free(&profile);
                free(shelf->items[i].name);
        }
        free(shelf->items);
}

void
kp_fixtures_free(struct kp_fixtures **fixtures)
{
        if (*fixtures == NULL)
                return;
        for (size_t i = 0; i < N_KINDS; i++)
                shelf_done(&(*fixtures)->profiles[i], false);
        shelf_done(&(*fixtures)->scenarios, true);
        free((*fixtures)->dir);
        free(*fixtures);
        *fixtures = NULL;
}

const char *
kp_fixtures_dir(const struct kp_fixtures *fixtures)
{
        return fixtures->dir;
}

static bool
is_path(const char *name)
{
        size_t len = strlen(name);

        return strchr(name, '/') != NULL ||
               (len > 5 && strcmp(name + len - 5, ".json") == 0);
}

/* Letters to add, drop or change between two names (Levenshtein), capped. */
static size_t
distance(const char *a, const char *b)
{
        size_t row[96], a_len = strlen(a), b_len = strlen(b);

        if (a_len > 90 || b_len > 90)
                return 90;
        for (size_t j = 0; j <= b_len; j++)
                row[j] = j;
        for (size_t i = 1; i <= a_len; i++) {
                size_t diagonal = row[0];

                row[0] = i;
                for (size_t j = 1; j <= b_len; j++) {
                        size_t best = diagonal + (a[i - 1] != b[j - 1]);

                        diagonal = row[j];
                        if (row[j] + 1 < best)
                                best = row[j] + 1;
                        if (row[j - 1] + 1 < best)
                                best = row[j - 1] + 1;
                        row[j] = best;
                }
        }
        return row[b_len];
}

static int
fail_no_such(const struct kp_fixtures *fixtures, const char *folder, const char *name,
        struct kp_error *err)
{
        KP_CLEANUP(kp_names_done) struct kp_names names = { 0 };
        const char *nearest = NULL;
        size_t best = 90;

        if (kp_fixtures_list(fixtures, folder, &names, err) < 0)
                return -1;
        for (size_t i = 0; i < names.n_names; i++)
                if (distance(names.names[i], name) < best) {
                        best = distance(names.names[i], name);
                        nearest = names.names[i];
                }
        if (nearest == NULL)
                return KP_FAIL(err, KP_ENOTFOUND,
                        "%s: no '%.60s'; there are none at all", folder, name);
        return KP_FAIL(err, KP_ENOTFOUND,
                "%s: no '%.60s'; did you mean '%s'? (keypilot list %s shows all)",
                folder, name, nearest,
                strcmp(folder, "authenticators") == 0 ? "keys" : folder);
}

int
kp_fixtures_path(const struct kp_fixtures *fixtures, const char *folder,
        const char *name, char **ret, struct kp_error *err)
{
        KP_CLEANUP(kp_free_str) char *path = NULL;

        if (is_path(name))
                path = strdup(name);
        else
                path = kp_format("%s/%s/%s.json", fixtures->dir, folder, name);
        if (path == NULL)
                return KP_FAIL(err, KP_ENOMEM, "%s", name);
        if (!is_path(name) && !kp_file_exists(path))
                return fail_no_such(fixtures, folder, name, err);
        *ret = KP_STEAL(path);
        return 0;
}

int
kp_fixtures_list(const struct kp_fixtures *fixtures, const char *folder,
        struct kp_names *ret, struct kp_error *err)
{
        KP_CLEANUP(kp_free_str) char *dir = kp_format("%s/%s", fixtures->dir, folder);

        if (dir == NULL)
                return KP_FAIL(err, KP_ENOMEM, "%s", folder);
        if (kp_dir_list(dir, ".json", ret, err) < 0) {
                if (err->code != KP_ENOTFOUND)
                        return -1;
                kp_error_clear(err); /* a folder that is not there has no fixtures */
                *ret = (struct kp_names){ 0 };
        }
        for (size_t i = 0; i < ret->n_names; i++)
                ret->names[i][strlen(ret->names[i]) - strlen(".json")] = '\0';
        return 0;
}

int
kp_fixtures_profile(struct kp_fixtures *fixtures, enum kp_kind kind, const char *name,
        const struct kp_profile **ret, struct kp_error *err)
{
        KP_CLEANUP(kp_profile_free) struct kp_profile *profile = NULL;
        KP_CLEANUP(kp_free_str) char *path = NULL;
        const struct kp_profile *known = shelf_find(&fixtures->profiles[kind], name);

        if (known != NULL) {
                *ret = known;
                return 0;
        }
        if (kp_fixtures_path(fixtures, kp_kind_folder(kind), name, &path, err) < 0 ||
                kp_profile_load(kind, path, &profile, err) < 0 ||
                shelf_put(&fixtures->profiles[kind], name, profile, err) < 0)
                return -1;
        *ret = KP_STEAL(profile);
        return 0;
}

int
kp_fixtures_scenario(struct kp_fixtures *fixtures, const char *name,
        const struct kp_scenario **ret, struct kp_error *err)
{
        KP_CLEANUP(kp_scenario_free) struct kp_scenario *scenario = NULL;
        KP_CLEANUP(kp_free_str) char *path = NULL;
        const struct kp_scenario *known = shelf_find(&fixtures->scenarios, name);

        if (known != NULL) {
                *ret = known;
                return 0;
        }
        if (kp_fixtures_path(fixtures, "scenarios", name, &path, err) < 0 ||
                kp_scenario_load_from(fixtures->dir, path, &scenario, err) < 0 ||
                shelf_put(&fixtures->scenarios, name, scenario, err) < 0)
                return -1;
        *ret = KP_STEAL(scenario);
        return 0;
}

static int
hash_file(EVP_MD_CTX *ctx, const struct kp_fixtures *fixtures, const char *folder,
        const char *name, struct kp_error *err)
{
        KP_CLEANUP(kp_free_str)
        char *path = kp_format("%s/%s/%s", fixtures->dir, folder, name);
        KP_CLEANUP(kp_buf_done) struct kp_buf text = { 0 };
        KP_CLEANUP(kp_free_str) char *head = NULL;

        if (path == NULL || kp_file_read(path, KP_JSON_MAX_BULK, &text, err) < 0)
                return -1;
        /* name and length go in first, so that no two sets of files meet */
        head = kp_format("%s/%s %zu\n", folder, name, text.len);
        if (head == NULL || EVP_DigestUpdate(ctx, head, strlen(head)) != 1 ||
                EVP_DigestUpdate(ctx, text.data, text.len) != 1)
                return KP_FAIL(err, KP_ENOMEM, "%s", path);
        return 0;
}

int
kp_fixtures_hash(const struct kp_fixtures *fixtures, char ret[65], struct kp_error *err)
{
        static const char *const folders[] = { "authenticators", "clients", "faults",
                "hubs", "keys", "pilots", "populations", "providers", "rules",
                "scenarios", "services" };
        KP_CLEANUP(kp_free_md_ctx) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
        uint8_t digest[32];

        if (ctx == NULL || EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) != 1)
                return KP_FAIL(err, KP_ENOMEM, "fixtures: no SHA-256");
        for (size_t i = 0; i < KP_NELEMS(folders); i++) {
                KP_CLEANUP(kp_names_done) struct kp_names names = { 0 };
                KP_CLEANUP(kp_free_str)
                char *dir = kp_format("%s/%s", fixtures->dir, folders[i]);

                if (dir == NULL || !kp_file_exists(dir))
                        continue;
                if (kp_dir_list(dir, "", &names, err) < 0)
                        return -1;
                for (size_t j = 0; j < names.n_names; j++)
                        if (hash_file(ctx, fixtures, folders[i], names.names[j], err) <
                                0)
                                return -1;
        }
        if (EVP_DigestFinal_ex(ctx, digest, NULL) != 1)
                return KP_FAIL(err, KP_ENOMEM, "fixtures: no SHA-256");
        for (size_t i = 0; i < sizeof(digest); i++)
                (void)snprintf(ret + 2 * i, 3, "%02x", digest[i]);
        return 0;
}
