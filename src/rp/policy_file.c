/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "keypilot/core/json.h"
#include "keypilot/rp/policy.h"

struct file {
        const char *id, *source;
        struct kp_text title;
        json_t *note;
        json_t *origins, *top_origins, *algorithms;
        bool cross_origin;
        const char *user_verification, *resident_key, *user_handle, *client_data;
        int64_t challenge_lifetime_ms;
        json_t *backup, *attestation;
        const char *counter, *extensions;
};

/* clang-format off */
static const struct kp_field file_fields[] = {
        { "id",                    KP_STRING,  true,  offsetof(struct file, id) },
        { "title",                 KP_TEXT,    true,  offsetof(struct file, title) },
        { "source",                KP_STRING,  true,  offsetof(struct file, source) },
        { "note",                  KP_STRINGS, false, offsetof(struct file, note) },
        { "origins",               KP_STRINGS, false, offsetof(struct file, origins) },
        { "top_origins",           KP_STRINGS, false, offsetof(struct file, top_origins) },
        { "cross_origin",          KP_BOOL,    false, offsetof(struct file, cross_origin) },
        { "algorithms",            KP_ARRAY,   false, offsetof(struct file, algorithms) },
        { "user_verification",     KP_STRING,  false, offsetof(struct file, user_verification) },
        { "resident_key",          KP_STRING,  false, offsetof(struct file, resident_key) },
        { "user_handle",           KP_STRING,  false, offsetof(struct file, user_handle) },
        { "client_data",           KP_STRING,  false, offsetof(struct file, client_data) },
        { "challenge_lifetime_ms", KP_INT,     false, offsetof(struct file, challenge_lifetime_ms) },
        { "backup",                KP_OBJECT,  false, offsetof(struct file, backup) },
        { "attestation",           KP_OBJECT,  false, offsetof(struct file, attestation) },
        { "counter",               KP_STRING,  false, offsetof(struct file, counter) },
        { "extensions",            KP_STRING,  false, offsetof(struct file, extensions) },
};

struct backup {
        const char *eligible, *state, *eligibility_change;
};

static const struct kp_field backup_fields[] = {
        { "eligible",           KP_STRING, false, offsetof(struct backup, eligible) },
        { "state",              KP_STRING, false, offsetof(struct backup, state) },
        { "eligibility_change", KP_STRING, false, offsetof(struct backup, eligibility_change) },
};

struct attestation {
        json_t *formats, *types, *allow, *refuse;
        bool trusted;
        const char *metadata_expired;
};

static const struct kp_field attestation_fields[] = {
        { "formats",          KP_STRINGS, false, offsetof(struct attestation, formats) },
        { "types",            KP_STRINGS, false, offsetof(struct attestation, types) },
        { "trusted",          KP_BOOL,    false, offsetof(struct attestation, trusted) },
        { "aaguids",          KP_STRINGS, false, offsetof(struct attestation, allow) },
        { "refused_aaguids",  KP_STRINGS, false, offsetof(struct attestation, refuse) },
        { "metadata_expired", KP_STRING,  false, offsetof(struct attestation, metadata_expired) },
};

/* Words, by the number of the enumeration that they stand for; the last is NULL. */
static const char *const reactions[] = { "as-mode", "ignore", "warn", "refuse", NULL };
static const char *const wishes[] = { "any", "yes", "no", NULL };
static const char *const needs[] = { "any", "required", NULL };
static const char *const parsers[] = { "json", "limited", NULL };
/* clang-format on */

/* The number of a word, -1 after an error; `usual` where there is none. */
static int
word(const char *name, const char *text, const char *const *words, int usual,
        struct kp_error *err)
{
        char list[80] = "";

        if (text == NULL)
                return usual;
        for (int i = 0; words[i] != NULL; i++) {
                if (strcmp(words[i], text) == 0)
                        return i;
                (void)snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%s",
                        i == 0 ? "" : ", ", words[i]);
        }
        return KP_FAIL(err, KP_ESCHEMA, "member '%s': expected one of %s, not '%.40s'",
                name, list, text);
}

static int
add_texts(const char *name, const json_t *list, const char **ret, size_t max, size_t *n,
        struct kp_error *err)
{
        const json_t *item;
        size_t i;

        json_array_foreach (list, i, item) {
                if (*n == max)
                        return KP_FAIL(err, KP_ESCHEMA,
                                "member '%s': more than %zu strings", name, max);
                ret[(*n)++] = json_string_value(item);
        }
        return 0;
}

/* Those that the options ask for as well; where they name none, all of the policy. */
static int
keep_algorithms(const json_t *list, struct kp_rp_expectation *ret, struct kp_error *err)
{
        int kept[KP_NELEMS(ret->algorithms)];
        size_t n_kept = 0, i;
        const json_t *item;

        if (list == NULL)
                return 0;
        json_array_foreach (list, i, item) {
                bool asked = ret->n_algorithms == 0;

                if (!json_is_integer(item) || i == KP_NELEMS(kept))
                        return KP_FAIL(err, KP_ESCHEMA,
                                "member 'algorithms[%zu]': expected up to %zu COSE "
                                "numbers",
                                i, KP_NELEMS(kept));
                for (size_t k = 0; k < ret->n_algorithms; k++)
                        asked = asked || ret->algorithms[k] == json_integer_value(item);
                if (asked)
                        kept[n_kept++] = (int)json_integer_value(item);
        }
        if (n_kept == 0)
                return KP_FAIL(err, KP_ESCHEMA,
                        "member 'algorithms': none of them is asked for");
        memcpy(ret->algorithms, kept, n_kept * sizeof(kept[0]));
        ret->n_algorithms = n_kept;
        return 0;
}

static int
hex_digit(char c)
{
        const char *digits = "0123456789abcdef";
        const char *at = c == '\0' ? NULL : strchr(digits, c | 0x20);

        return at == NULL ? -1 : (int)(at - digits);
}

bool
kp_rp_aaguid_parse(const char *text, uint8_t ret[16])
{
        size_t at = 0;

        if (strlen(text) != KP_RP_AAGUID_TEXT - 1)
                return false;
        for (size_t i = 0; i < 16; i++) {
                bool dash = i == 4 || i == 6 || i == 8 || i == 10;

                if (dash && text[at++] != '-')
                        return false;
                if (hex_digit(text[at]) < 0 || hex_digit(text[at + 1]) < 0)
                        return false;
                ret[i] = (uint8_t)(hex_digit(text[at]) << 4 | hex_digit(text[at + 1]));
                at += 2;
        }
        return true;
}

void
kp_rp_aaguid_format(const uint8_t aaguid[16], char ret[KP_RP_AAGUID_TEXT])
{
        size_t at = 0;

        for (size_t i = 0; i < 16; i++)
                at += (size_t)snprintf(ret + at, KP_RP_AAGUID_TEXT - at, "%s%02x",
                        i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", aaguid[i]);
}

static int
read_aaguids(const char *name, const json_t *list, struct kp_rp_aaguids *ret,
        struct kp_error *err)
{
        const json_t *item;
        size_t i;

        json_array_foreach (list, i, item) {
                if (ret->n_items == KP_RP_AAGUIDS)
                        return KP_FAIL(err, KP_ESCHEMA,
                                "member '%s': more than %d AAGUIDs", name,
                                KP_RP_AAGUIDS);
                if (!kp_rp_aaguid_parse(
                            json_string_value(item), ret->items[ret->n_items++]))
                        return KP_FAIL(err, KP_ESCHEMA,
                                "member '%s[%zu]': expected an AAGUID like "
                                "ee882879-721c-4913-9775-3dfcce97072a",
                                name, i);
        }
        return 0;
}

static int
read_backup(const json_t *object, struct kp_rp_policy *ret, struct kp_error *err)
{
        struct backup backup = { 0 };
        int eligible, state, change;

        if (object == NULL)
                return 0;
        if (kp_json_read(object, backup_fields, KP_NELEMS(backup_fields), &backup,
                    err) < 0 ||
                (eligible = word("eligible", backup.eligible, wishes, KP_RP_ANY, err)) <
                        0 ||
                (state = word("state", backup.state, wishes, KP_RP_ANY, err)) < 0 ||
                (change = word("eligibility_change", backup.eligibility_change,
                         reactions, KP_RP_AS_MODE, err)) < 0)
                return KP_WHILE(err, "backup");
        ret->backup_eligible = (enum kp_rp_wish)eligible;
        ret->backed_up = (enum kp_rp_wish)state;
        ret->eligibility_change = (enum kp_rp_reaction)change;
        return 0;
}

static int
read_attestation(const json_t *object, struct kp_rp_policy *ret, struct kp_error *err)
{
        struct attestation attestation = { 0 };
        int expired;

        if (object == NULL)
                return 0;
        if (kp_json_read(object, attestation_fields, KP_NELEMS(attestation_fields),
                    &attestation, err) < 0 ||
                add_texts("formats", attestation.formats, ret->formats,
                        KP_NELEMS(ret->formats), &ret->n_formats, err) < 0 ||
                add_texts("types", attestation.types, ret->types, KP_NELEMS(ret->types),
                        &ret->n_types, err) < 0 ||
                read_aaguids("aaguids", attestation.allow, &ret->allow, err) < 0 ||
                read_aaguids("refused_aaguids", attestation.refuse, &ret->refuse, err) <
                        0 ||
                (expired = word("metadata_expired", attestation.metadata_expired,
                         reactions, KP_RP_AS_MODE, err)) < 0)
                return KP_WHILE(err, "attestation");
        ret->trusted_required = attestation.trusted;
        ret->metadata_expired = (enum kp_rp_reaction)expired;
        return 0;
}

static int
read_words(const struct file *file, struct kp_rp_expectation *ret, struct kp_error *err)
{
        struct kp_rp_policy *policy = &ret->policy;
        static const char *const uv[] = { "preferred", "required", "discouraged",
                NULL };
        int verification = word("user_verification", file->user_verification, uv,
                ret->uv_required, err);
        int resident = word("resident_key", file->resident_key, needs, 0, err);
        int handle = word("user_handle", file->user_handle, needs, 0, err);
        int parser = word("client_data", file->client_data, parsers, 0, err);
        int counter = word("counter", file->counter, reactions, KP_RP_AS_MODE, err);
        int extensions =
                word("extensions", file->extensions, reactions, KP_RP_AS_MODE, err);

        if (verification < 0 || resident < 0 || handle < 0 || parser < 0 ||
                counter < 0 || extensions < 0)
                return -1;
        ret->uv_required = verification == 1;
        policy->discoverable_required = resident == 1;
        policy->user_handle_required = handle == 1;
        policy->limited_client_data = parser == 1;
        policy->counter = (enum kp_rp_reaction)counter;
        policy->unasked_extensions = (enum kp_rp_reaction)extensions;
        return 0;
}

int
kp_rp_policy_read(
        const json_t *object, struct kp_rp_expectation *ret, struct kp_error *err)
{
        struct file file = { .cross_origin = ret->allow_cross_origin };
        struct kp_rp_policy *policy = &ret->policy;

        if (kp_json_read(object, file_fields, KP_NELEMS(file_fields), &file, err) < 0 ||
                read_words(&file, ret, err) < 0 ||
                read_backup(file.backup, policy, err) < 0 ||
                read_attestation(file.attestation, policy, err) < 0 ||
                keep_algorithms(file.algorithms, ret, err) < 0 ||
                add_texts("origins", file.origins, ret->origins,
                        KP_NELEMS(ret->origins), &ret->n_origins, err) < 0 ||
                add_texts("top_origins", file.top_origins, ret->top_origins,
                        KP_NELEMS(ret->top_origins), &ret->n_top_origins, err) < 0)
                return -1;
        if (file.challenge_lifetime_ms < 0)
                return KP_FAIL(err, KP_ESCHEMA,
                        "member 'challenge_lifetime_ms': expected 0 or more");
        policy->challenge_lifetime_ms = file.challenge_lifetime_ms;
        ret->allow_cross_origin = file.cross_origin;
        return 0;
}
