/* SPDX-License-Identifier: BSD-2-Clause */
#include "list_keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keypilot/core/free.h"
#include "keypilot/device/hidraw.h"
#include "keypilot/device/key.h"

#define SUFFIX ".json"

/* ---- lists ---- */

json_t *
kp_key_versions_json(const struct kp_key_info *info)
{
        json_t *list = json_array();

        for (size_t i = 0; i < info->n_versions; i++)
                (void)json_array_append_new(list, json_string(info->versions[i]));
        return list;
}

json_t *
kp_key_algorithms_json(const struct kp_key_info *info)
{
        json_t *list = json_array();

        for (size_t i = 0; i < info->n_algorithms; i++)
                (void)json_array_append_new(list, json_integer(info->algorithms[i]));
        return list;
}

json_t *
kp_key_options_json(const struct kp_key_info *info)
{
        json_t *object = json_object();

        for (size_t i = 0; i < info->n_options; i++)
                (void)json_object_set_new(object, info->options[i].name,
                        json_boolean(info->options[i].value));
        return object;
}

const char *
kp_aaguid_format(const uint8_t aaguid[16], char text[KP_AAGUID_TEXT_LEN])
{
        size_t at = 0;

        for (size_t i = 0; i < 16; i++) {
                if (i == 4 || i == 6 || i == 8 || i == 10)
                        text[at++] = '-';
                (void)snprintf(text + at, KP_AAGUID_TEXT_LEN - at, "%02x", aaguid[i]);
                at += 2;
        }
        return text;
}

/* ---- a model by its AAGUID ---- */

static bool
is_break(char c)
{
        return c == '\0' || c == ',';
}

/* What two titles begin with alike; where they part, back to the comma before that. */
static void
shorten(struct kp_buf *title, const char *other)
{
        size_t n = 0;

        while (n < title->len && title->data[n] == (uint8_t)other[n])
                n++;
        if (is_break(other[n]) &&
                is_break(n == title->len ? '\0' : (char)title->data[n])) {
                title->len = n;
                return;
        }
        while (n > 0 && title->data[n - 1] != ',')
                n--;
        title->len = n > 0 ? n - 1 : 0;
}

struct model {
        struct kp_buf en, nl;
        bool found;
};

static void
model_done(struct model *model)
{
        kp_buf_done(&model->en);
        kp_buf_done(&model->nl);
}

static int
model_add(struct model *model, const char *path, const uint8_t aaguid[16],
        struct kp_error *err)
{
        KP_CLEANUP(kp_authenticator_profile_free)
        struct kp_authenticator_profile *profile = NULL;
        struct kp_text title;

        if (kp_authenticator_profile_load(path, &profile, err) < 0)
                return -1;
        if (memcmp(kp_authenticator_profile_facts(profile)->aaguid, aaguid, 16) != 0)
                return 0;
        title = kp_authenticator_profile_title(profile);
        if (model->found) {
                shorten(&model->en, title.en);
                shorten(&model->nl, title.nl);
                return 0;
        }
        kp_buf_puts(&model->en, title.en);
        kp_buf_puts(&model->nl, title.nl);
        model->found = true;
        return 0;
}

int
kp_key_model(const char *fixtures_dir, const uint8_t aaguid[16], json_t **ret,
        struct kp_error *err)
{
        static const uint8_t nobody[16];
        KP_CLEANUP(kp_names_done) struct kp_names names = { 0 };
        KP_CLEANUP(model_done) struct model model = { 0 };
        KP_CLEANUP(kp_free_str)
        char *folder = kp_format("%s/authenticators", fixtures_dir);

        *ret = NULL;
        if (memcmp(aaguid, nobody, sizeof(nobody)) == 0)
                return 0;
        if (folder == NULL)
                return KP_FAIL(err, KP_ENOMEM, "keys");
        if (kp_dir_list(folder, SUFFIX, &names, err) < 0)
                return -1;
        for (size_t i = 0; i < names.n_names; i++) {
                KP_CLEANUP(kp_free_str)
                char *path = kp_format("%s/%s", folder, names.names[i]);

                if (path == NULL)
                        return KP_FAIL(err, KP_ENOMEM, "keys");
                if (model_add(&model, path, aaguid, err) < 0)
                        return -1;
        }
        if (model.found && model.en.len > 0 && model.nl.len > 0)
                *ret = json_pack("{s:s, s:s}", "en", kp_buf_str(&model.en), "nl",
                        kp_buf_str(&model.nl));
        return 0;
}

/* ---- simulated keys ---- */

/* A key need not tell its algorithms; the profile knows them. */
static void
fill_algorithms(struct kp_key_info *info, const struct kp_key_facts *facts)
{
        if (info->n_algorithms > 0)
                return;
        for (size_t i = 0; i < facts->n_algorithms; i++)
                info->algorithms[info->n_algorithms++] = facts->algorithms[i];
}

/* The profile as it was read, without what stands beside it already. */
static json_t *
facts_json(const struct kp_authenticator_profile *profile)
{
        static const char *const beside[] = { "id", "title", "source", "like" };
        json_t *facts = json_copy((json_t *)kp_authenticator_profile_json(profile));

        for (size_t i = 0; i < KP_NELEMS(beside); i++)
                (void)json_object_del(facts, beside[i]); /* or it was not there */
        return facts;
}

static json_t *
sim_json(const char *id, const struct kp_authenticator_profile *profile,
        const struct kp_key_info *info)
{
        const struct kp_key_facts *facts = kp_authenticator_profile_facts(profile);
        struct kp_text title = kp_authenticator_profile_title(profile);
        struct kp_key_info told = *info;

        fill_algorithms(&told, facts);
        return json_pack("{s:o, s:{s:s, s:s}, s:o, s:o, s:o, s:s, s:o}", "id",
                json_sprintf("sim:%s", id), "title", "en", title.en, "nl", title.nl,
                "versions", kp_key_versions_json(&told), "algorithms",
                kp_key_algorithms_json(&told), "options", kp_key_options_json(&told),
                "source", facts->source, "facts", facts_json(profile));
}

static int
sim_list_one(const char *folder, const char *file, struct kp_key_env *env,
        json_t *array, struct kp_error *err)
{
        KP_CLEANUP(kp_authenticator_profile_free)
        struct kp_authenticator_profile *profile = NULL;
        KP_CLEANUP(kp_free_str) char *path = kp_format("%s/%s", folder, file);
        KP_CLEANUP(kp_key_close) struct kp_key *key = NULL;
        struct kp_key_info info;
        const char *id;

        if (path == NULL)
                return KP_FAIL(err, KP_ENOMEM, "keys");
        if (kp_authenticator_profile_load(path, &profile, err) < 0)
                return -1;
        id = kp_authenticator_profile_id(profile);
        env->profile = profile;
        if (kp_key_open("sim:", KP_DRIVER_DEFAULT, env, &key, err) < 0 ||
                key->driver.ops->info(key->driver.self, &info, err) < 0)
                return KP_WHILE(err, "sim:%s", id);
        if (json_array_append_new(array, sim_json(id, profile, &info)) < 0)
                return KP_FAIL(err, KP_ENOMEM, "keys");
        return 0;
}

static int
sim_list(struct kp_key_env *env, json_t *array, struct kp_error *err)
{
        KP_CLEANUP(kp_names_done) struct kp_names names = { 0 };
        KP_CLEANUP(kp_free_str)
        char *folder = kp_format("%s/authenticators", env->fixtures_dir);

        if (folder == NULL)
                return KP_FAIL(err, KP_ENOMEM, "keys");
        if (kp_dir_list(folder, SUFFIX, &names, err) < 0)
                return -1;
        for (size_t i = 0; i < names.n_names; i++)
                if (sim_list_one(folder, names.names[i], env, array, err) < 0)
                        return -1;
        env->profile = NULL;
        return 0;
}

/* ---- plugged-in keys ---- */

/* What USB says it is and what its AAGUID says it is: { "en", "nl" }. */
static int
hid_title(const struct kp_key_env *env, const struct kp_hidraw_key *at,
        const struct kp_key_info *info, json_t **ret, struct kp_error *err)
{
        if (kp_key_model(env->fixtures_dir, info->aaguid, ret, err) < 0)
                return -1;
        if (*ret == NULL)
                *ret = json_pack("{s:s, s:s}", "en",
                        at->title[0] != '\0' ? at->title : "Security key", "nl",
                        at->title[0] != '\0' ? at->title : "Beveiligingssleutel");
        return *ret == NULL ? KP_FAIL(err, KP_ENOMEM, "keys") : 0;
}

static int
hid_list_one(struct kp_key_env *env, const struct kp_hidraw_key *at, json_t *array,
        struct kp_error *err)
{
        KP_CLEANUP(kp_free_str) char *id = kp_format("hid:%s", at->path);
        KP_CLEANUP(kp_key_close) struct kp_key *key = NULL;
        struct kp_error trouble = { 0 };
        struct kp_key_info info = { 0 };
        json_t *title = NULL, *item;
        char why[512];

        if (id == NULL)
                return KP_FAIL(err, KP_ENOMEM, "keys");
        /* a key that does not want to be asked is still there to be seen */
        if (kp_key_open(id, KP_DRIVER_DEFAULT, env, &key, &trouble) == 0)
                (void)key->driver.ops->info(key->driver.self, &info, &trouble);
        if (hid_title(env, at, &info, &title, err) < 0)
                return -1;
        item = json_pack("{s:s, s:o, s:o, s:o, s:o, s:s, s:s*}", "id", id, "title",
                title, "versions", kp_key_versions_json(&info), "algorithms",
                kp_key_algorithms_json(&info), "options", kp_key_options_json(&info),
                "source", "the key itself", "problem",
                trouble.code == KP_OK ? NULL
                                      : kp_error_format(&trouble, why, sizeof(why)));
        if (json_array_append_new(array, item) < 0)
                return KP_FAIL(err, KP_ENOMEM, "keys");
        return 0;
}

static int
hid_list(struct kp_key_env *env, json_t *array, struct kp_error *err)
{
        struct kp_hidraw_key keys[KP_HIDRAW_MAX];
        size_t n_keys;

        if (kp_hidraw_list(keys, &n_keys, err) < 0)
                return -1;
        for (size_t i = 0; i < n_keys; i++)
                if (hid_list_one(env, &keys[i], array, err) < 0)
                        return -1;
        return 0;
}

int
kp_list_keys(struct kp_cli *cli, json_t *array, struct kp_error *err)
{
        KP_CLEANUP(kp_fixtures_free) struct kp_fixtures *fixtures = NULL;
        KP_CLEANUP(kp_random_free) struct kp_random *random = NULL;
        struct kp_clock clock = kp_clock_simulated();
        struct kp_key_env env = { .clock = &clock, .read_only = true };

        if (kp_fixtures_open(cli->fixtures_dir, &fixtures, err) < 0 ||
                kp_random_new_system(&random, err) < 0)
                return -1;
        env.fixtures_dir = kp_fixtures_dir(fixtures);
        env.random = random;
        if (sim_list(&env, array, err) < 0)
                return -1;
        return hid_list(&env, array, err);
}
