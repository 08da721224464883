/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/model/profile.h"

#include <stdlib.h>
#include <string.h>

struct kp_profile {
        enum kp_kind kind;
        json_t *root;
        const char *id;
        struct kp_text title;
        json_t *facts;
};

static const struct {
        const char *name, *folder;
        const struct kp_fact_type *facts;
} kinds[] = {
        [KP_KIND_CLIENT] = { "client", "clients", kp_facts_client },
        [KP_KIND_SERVICE] = { "service", "services", kp_facts_service },
        [KP_KIND_PROVIDER] = { "provider", "providers", kp_facts_provider },
        [KP_KIND_HUB] = { "hub", "hubs", kp_facts_hub },
        [KP_KIND_POPULATION] = { "population", "populations", kp_facts_population },
};

const char *
kp_kind_name(enum kp_kind kind)
{
        return kinds[kind].name;
}

const char *
kp_kind_folder(enum kp_kind kind)
{
        return kinds[kind].folder;
}

static const struct kp_fact_type *
type_find(enum kp_kind kind, const char *name)
{
        for (const struct kp_fact_type *type = kinds[kind].facts; type->name != NULL;
                type++)
                if (strcmp(type->name, name) == 0)
                        return type;
        return NULL;
}

/* Is `word` one of "a|b|c"? */
static bool
word_listed(const char *words, const char *word)
{
        size_t word_len = strlen(word);

        for (const char *at = words; at != NULL; at = strchr(at, '|')) {
                at += *at == '|';
                if (strncmp(at, word, word_len) == 0 &&
                        (at[word_len] == '|' || at[word_len] == '\0'))
                        return true;
        }
        return false;
}

static int
value_check(const struct kp_fact_type *type, const json_t *value, struct kp_error *err)
{
        json_auto_t *holder = json_object();
        const struct kp_field field = { "value", type->type, true, 0 };
        union {
                const char *text;
                int64_t number;
                json_t *json;
                struct kp_text both;
        } into;

        if (json_is_null(value) && type->optional)
                return 0;
        if (holder == NULL || json_object_set(holder, "value", (json_t *)value) < 0)
                return KP_FAIL(err, KP_ENOMEM, "fact");
        if (kp_json_read(holder, &field, 1, &into, err) < 0)
                return -1;
        if (type->type == KP_STRING && type->values != NULL &&
                !word_listed(type->values, json_string_value(value)))
                return KP_FAIL(err, KP_ESCHEMA, "value '%.60s': expected one of %s",
                        json_string_value(value), type->values);
        return 0;
}

struct fact {
        json_t *value, *values, *note;
        const char *status, *source, *since;
};

static const struct kp_field fact_fields[] = {
        { "value", KP_ANY, false, offsetof(struct fact, value) },
        { "status", KP_STRING, true, offsetof(struct fact, status) },
        { "values", KP_ARRAY, false, offsetof(struct fact, values) },
        { "source", KP_STRING, true, offsetof(struct fact, source) },
        { "since", KP_STRING, false, offsetof(struct fact, since) },
        { "note", KP_ANY, false, offsetof(struct fact, note) },
};

static int
unknown_check(
        const struct kp_fact_type *type, const struct fact *fact, struct kp_error *err)
{
        const json_t *value;
        size_t i;

        if (fact->value != NULL || json_array_size(fact->values) < 2)
                return KP_FAIL(err, KP_ESCHEMA,
                        "an unknown fact has no 'value' but 'values', two or more");
        json_array_foreach (fact->values, i, value)
                if (value_check(type, value, err) < 0)
                        return -1;
        return 0;
}

static int
fact_check(const struct kp_fact_type *type, const json_t *object, struct kp_error *err)
{
        struct fact fact = { 0 };

        if (kp_json_read(object, fact_fields, KP_NELEMS(fact_fields), &fact, err) < 0)
                return -1;
        if (!word_listed("verified|reported|assumed|unknown", fact.status))
                return KP_FAIL(err, KP_ESCHEMA,
                        "status '%.40s': expected verified, reported, assumed or "
                        "unknown",
                        fact.status);
        if (strcmp(fact.status, "unknown") == 0)
                return unknown_check(type, &fact, err);
        if (fact.value == NULL || fact.values != NULL)
                return KP_FAIL(err, KP_ESCHEMA,
                        "a fact that is not unknown has a 'value' and no 'values'");
        return value_check(type, fact.value, err);
}

static int
facts_check(const struct kp_profile *profile, struct kp_error *err)
{
        const struct kp_fact_type *type;
        const char *name;
        json_t *fact;

        json_object_foreach (profile->facts, name, fact) {
                if ((type = type_find(profile->kind, name)) == NULL)
                        return KP_FAIL(err, KP_ESCHEMA,
                                "facts: a %s has no fact '%.60s'",
                                kp_kind_name(profile->kind), name);
                if (fact_check(type, fact, err) < 0)
                        return KP_WHILE(err, "fact '%s'", name);
        }
        for (type = kinds[profile->kind].facts; type->name != NULL; type++)
                if (!type->optional &&
                        json_object_get(profile->facts, type->name) == NULL)
                        return KP_FAIL(err, KP_ESCHEMA, "facts: '%s' is missing: %s",
                                type->name, type->what);
        return 0;
}

struct file {
        const char *id;
        struct kp_text title;
        json_t *facts, *note;
};

static const struct kp_field file_fields[] = {
        { "id", KP_STRING, true, offsetof(struct file, id) },
        { "title", KP_TEXT, true, offsetof(struct file, title) },
        { "facts", KP_OBJECT, true, offsetof(struct file, facts) },
        { "note", KP_STRINGS, false, offsetof(struct file, note) },
};

static bool
id_is_file_name(const char *id, const char *path)
{
        const char *base = strrchr(path, '/');
        size_t id_len = strlen(id);

        base = base == NULL ? path : base + 1;
        return strncmp(base, id, id_len) == 0 && strcmp(base + id_len, ".json") == 0;
}

static int
profile_read(struct kp_profile *profile, const char *path, struct kp_error *err)
{
        struct file file = { 0 };

        if (kp_json_read(
                    profile->root, file_fields, KP_NELEMS(file_fields), &file, err) < 0)
                return -1;
        if (!id_is_file_name(file.id, path))
                return KP_FAIL(err, KP_ESCHEMA,
                        "member 'id': '%.60s' is not the name of the file", file.id);
        profile->id = file.id;
        profile->title = file.title;
        profile->facts = file.facts;
        return facts_check(profile, err);
}

int
kp_profile_load(enum kp_kind kind, const char *path, struct kp_profile **ret,
        struct kp_error *err)
{
        KP_CLEANUP(kp_profile_free)
        struct kp_profile *profile = calloc(1, sizeof(*profile));

        if (profile == NULL)
                return KP_FAIL(err, KP_ENOMEM, "profile");
        profile->kind = kind;
        if (kp_json_load(path, KP_JSON_MAX, &profile->root, err) < 0)
                return -1;
        if (profile_read(profile, path, err) < 0)
                return KP_WHILE(err, "%s", path);
        *ret = KP_STEAL(profile);
        return 0;
}

void
kp_profile_free(struct kp_profile **profile)
{
        if (*profile == NULL)
                return;
        json_decref((*profile)->root);
        free(*profile);
        *profile = NULL;
}

const char *
kp_profile_id(const struct kp_profile *profile)
{
        return profile->id;
}

struct kp_text
kp_profile_title(const struct kp_profile *profile)
{
        return profile->title;
}

const json_t *
kp_profile_json(const struct kp_profile *profile)
{
        return profile->root;
}

enum kp_kind
kp_profile_kind(const struct kp_profile *profile)
{
        return profile->kind;
}

const json_t *
kp_profile_fact(const struct kp_profile *profile, const char *name)
{
        if (type_find(profile->kind, name) == NULL)
                abort(); /* an actor asks for a fact that no table lists: our bug */
        return json_object_get(profile->facts, name);
}

int
kp_fact_value_check(
        enum kp_kind kind, const char *name, const json_t *value, struct kp_error *err)
{
        const struct kp_fact_type *type = type_find(kind, name);

        if (type == NULL)
                return KP_FAIL(err, KP_ESCHEMA, "a %s has no fact '%.60s'",
                        kp_kind_name(kind), name);
        return value_check(type, value, err);
}
