/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/model/authenticator.h"

#include <stdlib.h>
#include <string.h>

#include "keypilot/core/file.h"
#include "keypilot/core/free.h"

#include "authenticator_checks.h"
#include "authenticator_keys.h"

#define PIN_MAX 63 /* CTAP 2.1 §6.5.1: bytes */

struct kp_authenticator_profile {
        json_t *json; /* owns every string that the facts point to */
        const char *id;
        struct kp_text title;
        struct kp_key_facts facts;
        struct kp_factory_keys keys;
        char test_pin[PIN_MAX + 1];
};

/* Spec table: CTAP 2.1 §6.4 "Option IDs", in canonical CBOR order (§8). */
static const char *const option_names[KP_N_OPTIONS] = {
        [KP_OPTION_EP] = "ep",
        [KP_OPTION_RK] = "rk",
        [KP_OPTION_UP] = "up",
        [KP_OPTION_UV] = "uv",
        [KP_OPTION_PLAT] = "plat",
        [KP_OPTION_UV_ACFG] = "uvAcfg",
        [KP_OPTION_ALWAYS_UV] = "alwaysUv",
        [KP_OPTION_CRED_MGMT] = "credMgmt",
        [KP_OPTION_AUTHNR_CFG] = "authnrCfg",
        [KP_OPTION_BIO_ENROLL] = "bioEnroll",
        [KP_OPTION_CLIENT_PIN] = "clientPin",
        [KP_OPTION_LARGE_BLOBS] = "largeBlobs",
        [KP_OPTION_UV_BIO_ENROLL] = "uvBioEnroll",
        [KP_OPTION_PIN_UV_AUTH_TOKEN] = "pinUvAuthToken",
        [KP_OPTION_SET_MIN_PIN_LENGTH] = "setMinPINLength",
        [KP_OPTION_MAKE_CRED_UV_NOT_RQD] = "makeCredUvNotRqd",
        [KP_OPTION_CRED_MGMT_PREVIEW] = "credentialMgmtPreview",
        [KP_OPTION_UV_MGMT_PREVIEW] = "userVerificationMgmtPreview",
        [KP_OPTION_NO_MC_GA_WITH_PIN] = "noMcGaPermissionsWithClientPin",
};

/* The words that a member may hold, in the order of its enum where it has one. */
static const char *const attachments[] = { "cross-platform", "platform", NULL };
static const char *const attestations[] = { "none", "packed-self", "packed-basic",
        "fido-u2f", NULL };
static const char *const counters[] = { "device", "credential", "zero", NULL };
static const char *const pins[] = { "none", "set", "locked", NULL };
static const char *const touch_timeouts[] = { "operation-denied", "user-action-timeout",
        "action-timeout", NULL };
static const char *const versions[] = { "U2F_V2", "FIDO_2_0", "FIDO_2_1_PRE",
        "FIDO_2_1", NULL };
static const char *const extensions[] = { "credBlob", "credProtect", "hmac-secret",
        "largeBlobKey", "minPinLength", "txAuthSimple", "uvm", NULL };
static const char *const transports[] = { "usb", "nfc", "ble", "internal", "hybrid",
        "smart-card", NULL };
static const char *const tells[] = { "transports", "algorithms",
        "remaining_discoverable_credentials", "force_pin_change", NULL };
static const char *const statuses[] = { "verified", "reported", "assumed", NULL };

/* A profile file as it stands, before its parts are read. */
struct file {
        const char *id, *like, *aaguid, *attachment, *attestation, *counter,
                *touch_timeout;
        struct kp_text title;
        json_t *note, *sources, *transports, *versions, *extensions, *options,
                *algorithms, *protocols, *tells, *backup, *state;
        struct kp_key_facts facts; /* the plain numbers */
};

#define AT(member) offsetof(struct file, member)

/* clang-format off */
static const struct kp_field file_fields[] = {
        { "id", KP_STRING, true, AT(id) },
        { "title", KP_TEXT, true, AT(title) },
        { "source", KP_STRING, true, AT(facts.source) },
        { "note", KP_STRINGS, false, AT(note) },
        { "like", KP_STRING, false, AT(like) },
        { "attachment", KP_STRING, true, AT(attachment) },
        { "transports", KP_STRINGS, true, AT(transports) },
        { "versions", KP_STRINGS, true, AT(versions) },
        { "extensions", KP_STRINGS, false, AT(extensions) },
        { "aaguid", KP_STRING, true, AT(aaguid) },
        { "options", KP_OBJECT, false, AT(options) },
        { "algorithms", KP_ARRAY, true, AT(algorithms) },
        { "pin_uv_auth_protocols", KP_ARRAY, false, AT(protocols) },
        { "max_msg_size", KP_INT, false, AT(facts.max_msg_size) },
        { "max_credential_count_in_list", KP_INT, false, AT(facts.max_credentials_in_list) },
        { "max_credential_id_length", KP_INT, false, AT(facts.max_credential_id_length) },
        { "min_pin_length", KP_INT, false, AT(facts.min_pin_length) },
        { "firmware_version", KP_INT, false, AT(facts.firmware_version) },
        { "max_cred_blob_length", KP_INT, false, AT(facts.max_cred_blob_length) },
        { "max_serialized_large_blob_array", KP_INT, false, AT(facts.max_large_blob) },
        { "max_rpids_for_set_min_pin_length", KP_INT, false, AT(facts.max_min_pin_rp_ids) },
        { "uv_modality", KP_INT, false, AT(facts.uv_modality) },
        { "preferred_platform_uv_attempts", KP_INT, false, AT(facts.platform_uv_attempts) },
        { "tells", KP_STRINGS, false, AT(tells) },
        { "attestation", KP_STRING, true, AT(attestation) },
        { "counter", KP_STRING, true, AT(counter) },
        { "backup", KP_OBJECT, false, AT(backup) },
        { "places", KP_INT, true, AT(facts.places) },
        { "credential_id_length", KP_INT, true, AT(facts.credential_id_length) },
        { "uv_retries", KP_INT, false, AT(facts.uv_retries) },
        { "touch_timeout", KP_STRING, false, AT(touch_timeout) },
        { "always_discoverable", KP_BOOL, false, AT(facts.always_discoverable) },
        { "state", KP_OBJECT, true, AT(state) },
        { "sources", KP_OBJECT, false, AT(sources) },
};

static const struct {
        const char *name;
        size_t offset;
        int64_t min, max;
} limits[] = {
        { "max_msg_size", AT(facts.max_msg_size), 1024, 7609 },
        { "max_credential_count_in_list", AT(facts.max_credentials_in_list), 1, 1000 },
        { "max_credential_id_length", AT(facts.max_credential_id_length), 1, 1023 },
        { "min_pin_length", AT(facts.min_pin_length), 4, PIN_MAX },
        { "firmware_version", AT(facts.firmware_version), 0, UINT32_MAX },
        { "max_cred_blob_length", AT(facts.max_cred_blob_length), 32, 1024 },
        { "max_serialized_large_blob_array", AT(facts.max_large_blob), 1024, 65536 },
        { "max_rpids_for_set_min_pin_length", AT(facts.max_min_pin_rp_ids), 0, 255 },
        { "uv_modality", AT(facts.uv_modality), 1, UINT32_MAX },
        { "preferred_platform_uv_attempts", AT(facts.platform_uv_attempts), 1, 25 },
        { "places", AT(facts.places), 0, 10000 },
        { "credential_id_length", AT(facts.credential_id_length), 16, 1023 },
        { "uv_retries", AT(facts.uv_retries), 1, 25 },
};
/* clang-format on */

const char *
kp_key_option_name(enum kp_key_option_id id)
{
        return option_names[id];
}

bool
kp_words_have(const struct kp_words *words, const char *word)
{
        for (size_t i = 0; i < words->n; i++)
                if (strcmp(words->word[i], word) == 0)
                        return true;
        return false;
}

static int
fail_word(const char *member, const char *got, const char *const *known,
        struct kp_error *err)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf list = { 0 };

        for (size_t i = 0; known[i] != NULL; i++)
                kp_buf_printf(&list, "%s\"%s\"", i == 0 ? "" : ", ", known[i]);
        return KP_FAIL(err, KP_ESCHEMA, "member '%s': \"%.40s\" is not one of %s",
                member, got, kp_buf_str(&list));
}

/* The place of the word among the known ones; -1 with an error. */
static int
read_word(const char *member, const char *got, const char *const *known,
        struct kp_error *err)
{
        for (int i = 0; known[i] != NULL; i++)
                if (strcmp(known[i], got) == 0)
                        return i;
        return fail_word(member, got, known, err);
}

static int
read_words(const char *member, const json_t *array, const char *const *known,
        struct kp_words *ret, struct kp_error *err)
{
        size_t i;
        json_t *item;

        if (json_array_size(array) > KP_WORDS_MAX)
                return KP_FAIL(err, KP_ESCHEMA, "member '%s': more than %d words",
                        member, KP_WORDS_MAX);
        json_array_foreach (array, i, item) {
                const char *word = json_string_value(item);

                if (read_word(member, word, known, err) < 0)
                        return -1;
                if (kp_words_have(ret, word))
                        return KP_FAIL(err, KP_ESCHEMA,
                                "member '%s': \"%s\" is there twice", member, word);
                ret->word[ret->n++] = word;
        }
        return 0;
}

static int
read_numbers(const char *member, const json_t *array, const int *known, size_t n_known,
        int *ret, size_t *ret_n, struct kp_error *err)
{
        size_t i, k;
        json_t *item;

        json_array_foreach (array, i, item) {
                for (k = 0; k < n_known; k++)
                        if (json_is_integer(item) &&
                                json_integer_value(item) == known[k])
                                break;
                if (k == n_known)
                        return KP_FAIL(err, KP_ESCHEMA,
                                "member '%s': expected numbers that a simulated key "
                                "knows",
                                member);
                for (size_t j = 0; j < *ret_n; j++)
                        if (ret[j] == known[k])
                                return KP_FAIL(err, KP_ESCHEMA,
                                        "member '%s': %d is there twice", member,
                                        known[k]);
                ret[(*ret_n)++] = known[k];
        }
        return 0;
}

static int
read_aaguid(const char *text, uint8_t aaguid[16], struct kp_error *err)
{
        static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
        size_t n = 0;
        bool ok = strlen(text) == strlen(form);

        for (size_t i = 0; ok && form[i] != '\0'; i++) {
                const char *digits = "0123456789abcdef";
                const char *at = strchr(digits, text[i]);

                if (form[i] == '-') {
                        ok = text[i] == '-';
                        continue;
                }
                ok = at != NULL;
                if (ok)
                        aaguid[n / 2] = (uint8_t)(aaguid[n / 2] << 4 | (at - digits));
                n++;
        }
        if (!ok)
                return KP_FAIL(err, KP_ESCHEMA,
                        "member 'aaguid': expected lower-case hexadecimal digits as in "
                        "%s",
                        form);
        return 0;
}

static int
read_options(const json_t *object, int8_t options[KP_N_OPTIONS], struct kp_error *err)
{
        const char *name;
        json_t *value;
        int at;

        memset(options, -1, KP_N_OPTIONS);
        json_object_foreach ((json_t *)object, name, value) {
                for (at = 0; at < KP_N_OPTIONS; at++)
                        if (strcmp(option_names[at], name) == 0)
                                break;
                if (at == KP_N_OPTIONS)
                        return KP_FAIL(err, KP_ESCHEMA,
                                "member 'options': '%.40s' is no option ID of CTAP 2.1 "
                                "§6.4",
                                name);
                if (!json_is_boolean(value))
                        return KP_FAIL(err, KP_ESCHEMA,
                                "member 'options.%s': expected true or false", name);
                options[at] = json_is_true(value);
        }
        return 0;
}

static int
read_state(const json_t *object, struct kp_key_facts *facts, struct kp_error *err)
{
        struct state {
                const char *pin;
                int64_t used;
                bool force_pin_change;
        } state = { 0 };
        static const struct kp_field fields[] = {
                { "pin", KP_STRING, true, offsetof(struct state, pin) },
                { "used", KP_INT, false, offsetof(struct state, used) },
                { "force_pin_change", KP_BOOL, false,
                        offsetof(struct state, force_pin_change) },
        };
        int pin;

        if (kp_json_read(object, fields, KP_NELEMS(fields), &state, err) < 0)
                return KP_WHILE(err, "member 'state'");
        if ((pin = read_word("state.pin", state.pin, pins, err)) < 0)
                return -1;
        if (state.used < 0 || state.used > facts->places)
                return KP_FAIL(err, KP_ESCHEMA,
                        "member 'state.used': expected 0 to %lld, the number of "
                        "'places'",
                        (long long)facts->places);
        facts->pin = (enum kp_key_pin)pin;
        facts->used = state.used;
        facts->force_pin_change = state.force_pin_change;
        return 0;
}

static int
read_backup(const json_t *object, struct kp_key_facts *facts, struct kp_error *err)
{
        static const struct kp_field fields[] = {
                { "eligible", KP_BOOL, true,
                        offsetof(struct kp_key_facts, backup_eligible) },
                { "state", KP_BOOL, true, offsetof(struct kp_key_facts, backed_up) },
        };

        if (object != NULL &&
                kp_json_read(object, fields, KP_NELEMS(fields), facts, err) < 0)
                return KP_WHILE(err, "member 'backup'");
        return 0;
}

/* "sources" names members that have another source or status than the whole file. */
static int
check_sources(const json_t *sources, const json_t *file, struct kp_error *err)
{
        struct entry {
                const char *status, *source;
        } entry;
        static const struct kp_field fields[] = {
                { "status", KP_STRING, true, offsetof(struct entry, status) },
                { "source", KP_STRING, true, offsetof(struct entry, source) },
        };
        const char *name;
        json_t *value;

        json_object_foreach ((json_t *)sources, name, value) {
                if (json_object_get(file, name) == NULL)
                        return KP_FAIL(err, KP_ESCHEMA,
                                "member 'sources': the file has no member '%.40s'",
                                name);
                if (kp_json_read(value, fields, KP_NELEMS(fields), &entry, err) < 0)
                        return KP_WHILE(err, "member 'sources.%s'", name);
                if (read_word("sources", entry.status, statuses, err) < 0)
                        return KP_WHILE(err, "member 'sources.%s'", name);
        }
        return 0;
}

static int
check_limits(const json_t *json, const struct file *file, struct kp_error *err)
{
        for (size_t i = 0; i < KP_NELEMS(limits); i++) {
                int64_t value =
                        *(const int64_t *)((const char *)file + limits[i].offset);

                if (json_object_get(json, limits[i].name) != NULL &&
                        (value < limits[i].min || value > limits[i].max))
                        return KP_FAIL(err, KP_ESCHEMA,
                                "member '%s': expected a number from %lld to %lld",
                                limits[i].name, (long long)limits[i].min,
                                (long long)limits[i].max);
        }
        return 0;
}

static int
read_lists(const struct file *file, struct kp_key_facts *facts, struct kp_error *err)
{
        static const int algorithms[] = { -7, -8, -35, -257 };
        static const int protocols[] = { 1, 2 };
        struct kp_words told = { 0 };

        if (read_words("transports", file->transports, transports, &facts->transports,
                    err) < 0 ||
                read_words("versions", file->versions, versions, &facts->versions,
                        err) < 0 ||
                read_words("extensions", file->extensions, extensions,
                        &facts->extensions, err) < 0 ||
                read_words("tells", file->tells, tells, &told, err) < 0 ||
                read_numbers("algorithms", file->algorithms, algorithms,
                        KP_NELEMS(algorithms), facts->algorithms, &facts->n_algorithms,
                        err) < 0 ||
                read_numbers("pin_uv_auth_protocols", file->protocols, protocols,
                        KP_NELEMS(protocols), facts->pin_protocols,
                        &facts->n_pin_protocols, err) < 0)
                return -1;
        if (facts->transports.n == 0 || facts->versions.n == 0 ||
                facts->n_algorithms == 0)
                return KP_FAIL(err, KP_ESCHEMA,
                        "members 'transports', 'versions' and 'algorithms' must not be "
                        "empty");
        facts->tells_transports = kp_words_have(&told, "transports");
        facts->tells_algorithms = kp_words_have(&told, "algorithms");
        facts->tells_places =
                kp_words_have(&told, "remaining_discoverable_credentials");
        facts->tells_force_pin_change = kp_words_have(&told, "force_pin_change");
        return 0;
}

static int
read_vocabulary(
        const struct file *file, struct kp_key_facts *facts, struct kp_error *err)
{
        int attachment = read_word("attachment", file->attachment, attachments, err);
        int attestation, counter, timeout = KP_TOUCH_TIMEOUT_DENIED;

        if (attachment < 0 ||
                (attestation = read_word(
                         "attestation", file->attestation, attestations, err)) < 0 ||
                (counter = read_word("counter", file->counter, counters, err)) < 0)
                return -1;
        if (file->touch_timeout == NULL)
                timeout = kp_words_have(&facts->versions, "FIDO_2_1")
                                  ? KP_TOUCH_TIMEOUT_DENIED
                                  : KP_TOUCH_TIMEOUT_USER;
        else if ((timeout = read_word("touch_timeout", file->touch_timeout,
                          touch_timeouts, err)) < 0)
                return -1;
        facts->platform = attachment == 1;
        facts->attestation = (enum kp_key_attestation)attestation;
        facts->counter = (enum kp_key_counter)counter;
        facts->touch_timeout = (enum kp_touch_timeout)timeout;
        return 0;
}

static int
profile_read(struct kp_authenticator_profile *profile, struct kp_error *err)
{
        struct file file = { 0 };
        struct kp_key_facts *facts = &profile->facts;

        file.facts.min_pin_length = 4; /* CTAP 2.1 §6.4: where the key does not tell */
        if (kp_json_read(profile->json, file_fields, KP_NELEMS(file_fields), &file,
                    err) < 0 ||
                check_limits(profile->json, &file, err) < 0)
                return -1;
        *facts = file.facts;
        facts->tells_min_pin_length =
                json_object_get(profile->json, "min_pin_length") != NULL;
        if (read_lists(&file, facts, err) < 0 ||
                read_vocabulary(&file, facts, err) < 0 ||
                read_aaguid(file.aaguid, facts->aaguid, err) < 0 ||
                read_options(file.options, facts->options, err) < 0 ||
                read_state(file.state, facts, err) < 0 ||
                read_backup(file.backup, facts, err) < 0 ||
                check_sources(file.sources, profile->json, err) < 0 ||
                kp_key_facts_check(facts, err) < 0)
                return -1;
        profile->id = file.id;
        profile->title = file.title;
        return 0;
}

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

static bool
is_kebab(const char *id)
{
        size_t len = strlen(id);

        return len > 0 && len <= 64 && id[0] != '-' && id[len - 1] != '-' &&
               strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-") == len &&
               strstr(id, "--") == NULL;
}

static int
check_id(const json_t *json, const char *path, struct kp_error *err)
{
        const char *id = kp_json_str(json, "id", "");
        KP_CLEANUP(kp_free_str) char *stem = stem_of(path);

        if (stem == NULL)
                return KP_FAIL(err, KP_ENOMEM, "profile");
        if (!is_kebab(id) || strcmp(id, stem) != 0)
                return KP_FAIL(err, KP_ESCHEMA,
                        "member 'id': expected \"%.64s\", the name of the file, in "
                        "lower-case "
                        "letters, digits and single hyphens",
                        stem);
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
        if (!json_is_string(like) || !is_kebab(json_string_value(like)))
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
        if (check_id(base, path, err) < 0 || merge(base, *json, err) < 0)
                return -1;
        json_decref(*json);
        *json = KP_STEAL(base);
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

        if (profile == NULL)
                return KP_FAIL(err, KP_ENOMEM, "profile");
        if (kp_json_load(path, KP_JSON_MAX, &profile->json, err) < 0)
                return -1;
        if (check_id(profile->json, path, err) < 0 ||
                resolve_like(dir, &profile->json, err) < 0 ||
                profile_read(profile, err) < 0 ||
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
