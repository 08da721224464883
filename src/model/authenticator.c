/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/model/authenticator.h"

#include <stdlib.h>
#include <string.h>

#include "keypilot/core/file.h"
#include "keypilot/core/free.h"

#include "authenticator_checks.h"
#include "authenticator_facts.h"
#include "authenticator_keys.h"
#include "fixture_id.h"

struct kp_authenticator_profile {
        json_t *json; /* owns every string that the facts point to */
        const char *id;
        struct kp_text title;
        struct kp_key_facts facts;
        struct kp_factory_keys keys;
        struct kp_fault faults[KP_PROFILE_FAULTS_MAX];
        size_t n_faults;
        char test_pin[KP_KEY_PIN_MAX + 1];
};

static int
profile_read(struct kp_authenticator_profile *profile, struct kp_error *err)
{
        const json_t *title;

        if (kp_key_facts_read(profile->json, &profile->facts, err) < 0 ||
                kp_key_facts_check(&profile->facts, err) < 0)
                return -1;
        title = json_object_get(profile->json, "title");
        profile->id = kp_json_str(profile->json, "id", "");
        profile->title.en = kp_json_str(title, "en", "");
        profile->title.nl = kp_json_str(title, "nl", "");
        return 0;
}

/* Objects are merged member by member; everything else is replaced. */
static int
merge(json_t *base, const json_t *over, struct kp_error *err)
{
        const char *name;
        json_t *value;
        int rc = 0;

        json_object_foreach ((json_t *)over, name, value) {
                json_t *old = json_object_get(base, name);

                if (json_is_object(old) && json_is_object(value) &&
                        strcmp(name, "title") != 0)
                        rc |= json_object_update(old, value);
                else
                        rc |= json_object_set(base, name, value);
        }
        return rc == 0 ? 0 : KP_FAIL(err, KP_ENOMEM, "profile");
}

/* "like" takes a file that stands on its own: one step, no chains. */
static int
resolve_like(const char *dir, json_t **json, struct kp_error *err)
{
        json_t *like = json_object_get(*json, "like");
        KP_CLEANUP(kp_free_str) char *path = NULL;
        json_auto_t *base = NULL;

        if (like == NULL)
                return 0;
        if (!json_is_string(like) || !kp_fixture_id_valid(json_string_value(like)))
                return KP_FAIL(
                        err, KP_ESCHEMA, "member 'like': expected the id of a profile");
        if (json_object_get(*json, "title") == NULL ||
                json_object_get(*json, "source") == NULL)
                return KP_FAIL(err, KP_ESCHEMA,
                        "members 'title' and 'source' must be the file's own, like or "
                        "not");
        if ((path = kp_format("%s/%s.json", dir, json_string_value(like))) == NULL)
                return KP_FAIL(err, KP_ENOMEM, "profile");
        if (kp_json_load(path, KP_JSON_MAX, &base, err) < 0)
                return KP_WHILE(err, "member 'like'");
        if (json_object_get(base, "like") != NULL)
                return KP_FAIL(err, KP_ESCHEMA,
                        "member 'like': \"%s\" is itself like another profile; name "
                        "that one",
                        json_string_value(like));
        if (kp_fixture_id_check(base, path, err) < 0 || merge(base, *json, err) < 0)
                return -1;
        json_decref(*json);
        *json = KP_STEAL(base);
        return 0;
}

static int
faults_read(const char *fixtures_dir, struct kp_authenticator_profile *profile,
        struct kp_error *err)
{
        const json_t *faults = json_object_get(profile->json, "faults"), *item;
        size_t i;

        if (json_array_size(faults) > KP_PROFILE_FAULTS_MAX)
                return KP_FAIL(err, KP_ESCHEMA, "member 'faults': more than %d",
                        KP_PROFILE_FAULTS_MAX);
        json_array_foreach (faults, i, item) {
                if (kp_fault_read(item, fixtures_dir, &profile->faults[i], err) < 0)
                        return KP_WHILE(err, "member 'faults', item %zu", i + 1);
                profile->n_faults++;
        }
        return 0;
}

static void
make_test_pin(struct kp_authenticator_profile *profile)
{
        static const char digits[] =
                "27182818284590452353602874713526624977572470936999595749669"
                "6762";
        size_t len = (size_t)profile->facts.min_pin_length;

        if (profile->facts.pin == KP_PIN_NONE)
                return;
        if (len < 6)
                len = 6;
        memcpy(profile->test_pin, digits, len);
}

static int
load(const char *dir, const char *keys_dir, const char *path,
        struct kp_authenticator_profile **ret, struct kp_error *err)
{
        KP_CLEANUP(kp_authenticator_profile_free)
        struct kp_authenticator_profile *profile = calloc(1, sizeof(*profile));
        KP_CLEANUP(kp_free_str) char *fixtures_dir = kp_format("%s/..", dir);

        if (profile == NULL || fixtures_dir == NULL)
                return KP_FAIL(err, KP_ENOMEM, "profile");
        if (kp_json_load(path, KP_JSON_MAX, &profile->json, err) < 0)
                return -1;
        if (kp_fixture_id_check(profile->json, path, err) < 0 ||
                resolve_like(dir, &profile->json, err) < 0 ||
                profile_read(profile, err) < 0 ||
                faults_read(fixtures_dir, profile, err) < 0 ||
                kp_factory_keys_load(keys_dir, profile->id, &profile->facts,
                        &profile->keys, err) < 0)
                return KP_WHILE(err, "%s", path);
        make_test_pin(profile);
        *ret = KP_STEAL(profile);
        return 0;
}

int
kp_authenticator_profile_load(
        const char *path, struct kp_authenticator_profile **ret, struct kp_error *err)
{
        const char *slash = strrchr(path, '/');
        KP_CLEANUP(kp_free_str)
        char *dir = slash == NULL ? strdup(".") : strndup(path, (size_t)(slash - path));
        KP_CLEANUP(kp_free_str)
        char *keys = dir == NULL ? NULL : kp_format("%s/../keys", dir);

        if (keys == NULL)
                return KP_FAIL(err, KP_ENOMEM, "profile");
        return load(dir, keys, path, ret, err);
}

int
kp_authenticator_profile_load_from(const char *fixtures_dir, const char *path,
        struct kp_authenticator_profile **ret, struct kp_error *err)
{
        KP_CLEANUP(kp_free_str)
        char *dir = kp_format("%s/authenticators", fixtures_dir);
        KP_CLEANUP(kp_free_str) char *keys = kp_format("%s/keys", fixtures_dir);

        if (dir == NULL || keys == NULL)
                return KP_FAIL(err, KP_ENOMEM, "profile");
        return load(dir, keys, path, ret, err);
}

void
kp_authenticator_profile_free(struct kp_authenticator_profile **profile)
{
        if (*profile == NULL)
                return;
        kp_factory_keys_done(&(*profile)->keys);
        for (size_t i = 0; i < (*profile)->n_faults; i++)
                kp_fault_done(&(*profile)->faults[i]);
        json_decref((*profile)->json);
        free(*profile);
        *profile = NULL;
}

const char *
kp_authenticator_profile_id(const struct kp_authenticator_profile *profile)
{
        return profile->id;
}

struct kp_text
kp_authenticator_profile_title(const struct kp_authenticator_profile *profile)
{
        return profile->title;
}

const json_t *
kp_authenticator_profile_json(const struct kp_authenticator_profile *profile)
{
        return profile->json;
}

const struct kp_key_facts *
kp_authenticator_profile_facts(const struct kp_authenticator_profile *profile)
{
        return &profile->facts;
}

const struct kp_fault *
kp_authenticator_profile_faults(
        const struct kp_authenticator_profile *profile, size_t *ret_n)
{
        *ret_n = profile->n_faults;
        return profile->faults;
}

const char *
kp_authenticator_profile_test_pin(const struct kp_authenticator_profile *profile)
{
        return profile->test_pin[0] == '\0' ? NULL : profile->test_pin;
}

const uint8_t *
kp_authenticator_profile_certificate(
        const struct kp_authenticator_profile *profile, size_t *ret_len)
{
        *ret_len = profile->keys.certificate.len;
        return profile->keys.certificate.data;
}

EVP_PKEY *
kp_authenticator_profile_batch_key(const struct kp_authenticator_profile *profile)
{
        return profile->keys.batch_key;
}

const struct kp_factory_keys *
kp_authenticator_profile_keys(const struct kp_authenticator_profile *profile)
{
        return &profile->keys;
}

size_t
kp_authenticator_profile_n_test_keys(const struct kp_authenticator_profile *profile)
{
        return profile->keys.n_rsa;
}

int
kp_authenticator_profile_test_key(const struct kp_authenticator_profile *profile,
        size_t index, EVP_PKEY **ret, struct kp_error *err)
{
        return kp_factory_keys_rsa(&profile->keys, index, ret, err);
}
