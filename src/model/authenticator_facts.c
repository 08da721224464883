/* SPDX-License-Identifier: BSD-2-Clause */
#include "authenticator_facts.h"

#include <string.h>

#include "authenticator_words.h"

/* A profile file as it stands, before its parts are read. */
struct file {
        const char *id, *like, *aaguid, *attachment, *attestation, *counter,
                *touch_timeout;
        struct kp_text title;
        json_t *note, *sources, *transports, *versions, *extensions, *options,
                *algorithms, *protocols, *tells, *backup, *state, *transports_for_reset,
                *certifications, *vendor_commands, *formats, *enterprise_rp_ids, *faults;
        bool long_touch_for_reset, pin_complexity_policy;
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
        { "max_serialized_large_blob_array", KP_INT, false, AT(facts.max_large_blob) },
        { "min_pin_length", KP_INT, false, AT(facts.min_pin_length) },
        { "firmware_version", KP_INT, false, AT(facts.firmware_version) },
        { "max_cred_blob_length", KP_INT, false, AT(facts.max_cred_blob_length) },
        { "max_rpids_for_set_min_pin_length", KP_INT, false, AT(facts.max_min_pin_rp_ids) },
        { "preferred_platform_uv_attempts", KP_INT, false, AT(facts.platform_uv_attempts) },
        { "uv_modality", KP_INT, false, AT(facts.uv_modality) },
        { "certifications", KP_OBJECT, false, AT(certifications) },
        { "vendor_prototype_config_commands", KP_ARRAY, false, AT(vendor_commands) },
        { "attestation_formats", KP_STRINGS, false, AT(formats) },
        { "long_touch_for_reset", KP_BOOL, false, AT(long_touch_for_reset) },
        { "long_touch_fixed", KP_BOOL, false, AT(facts.long_touch_fixed) },
        { "transports_for_reset", KP_STRINGS, false, AT(transports_for_reset) },
        { "pin_complexity_policy", KP_BOOL, false, AT(pin_complexity_policy) },
        { "pin_complexity_policy_url", KP_STRING, false, AT(facts.pin_complexity_url) },
        { "max_pin_length", KP_INT, false, AT(facts.max_pin_length) },
        { "tells", KP_STRINGS, false, AT(tells) },
        { "attestation", KP_STRING, true, AT(attestation) },
        { "enterprise_rp_ids", KP_STRINGS, false, AT(enterprise_rp_ids) },
        { "counter", KP_STRING, true, AT(counter) },
        { "backup", KP_OBJECT, false, AT(backup) },
        { "places", KP_INT, true, AT(facts.places) },
        { "credential_id_length", KP_INT, true, AT(facts.credential_id_length) },
        { "uv_retries", KP_INT, false, AT(facts.uv_retries) },
        { "bio_templates", KP_INT, false, AT(facts.bio_templates) },
        { "bio_samples", KP_INT, false, AT(facts.bio_samples) },
        { "bio_name_length", KP_INT, false, AT(facts.bio_name_length) },
        { "hid_wink", KP_BOOL, false, AT(facts.hid_wink) },
        { "hid_lock", KP_BOOL, false, AT(facts.hid_lock) },
        { "touch_timeout", KP_STRING, false, AT(touch_timeout) },
        { "always_discoverable", KP_BOOL, false, AT(facts.always_discoverable) },
        { "state", KP_OBJECT, true, AT(state) },
        { "faults", KP_ARRAY, false, AT(faults) },
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
        { "max_serialized_large_blob_array", AT(facts.max_large_blob), 1024, 65536 },
        { "min_pin_length", AT(facts.min_pin_length), 4, KP_KEY_PIN_MAX },
        { "firmware_version", AT(facts.firmware_version), 0, UINT32_MAX },
        { "max_cred_blob_length", AT(facts.max_cred_blob_length), 32, 1024 },
        { "max_rpids_for_set_min_pin_length", AT(facts.max_min_pin_rp_ids), 0, 255 },
        { "preferred_platform_uv_attempts", AT(facts.platform_uv_attempts), 1, 25 },
        { "uv_modality", AT(facts.uv_modality), 1, UINT32_MAX },
        { "max_pin_length", AT(facts.max_pin_length), 8, KP_KEY_PIN_MAX },
        { "places", AT(facts.places), 0, 10000 },
        { "credential_id_length", AT(facts.credential_id_length), 16, 1023 },
        { "uv_retries", AT(facts.uv_retries), 1, 25 },
        { "bio_templates", AT(facts.bio_templates), 1, 32 },
        { "bio_samples", AT(facts.bio_samples), 1, 64 },
        { "bio_name_length", AT(facts.bio_name_length), 1, 64 },
};

/* Spec table: CTAP 2.1 §7.3.1, the levels that a certification has; the last is of
 * CTAP 2.3. In canonical CBOR order of their names. */
static const struct {
        const char *name;
        int64_t min, max;
} certifications[] = {
        { "FIDO", 1, 6 },
        { "CC-EAL", 1, 7 },
        { "CCN-CPSTIC", 1, 1 },
        { "FIPS-CMVP-2", 1, 4 },
        { "FIPS-CMVP-3", 1, 4 },
        { "FIPS-CMVP-2-PHY", 1, 4 },
        { "FIPS-CMVP-3-PHY", 1, 4 },
};
_Static_assert(KP_NELEMS(certifications) <= KP_CERTIFICATIONS_MAX, "room for all");
/* clang-format on */

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
                if (kp_key_word_read("sources", entry.status, kp_key_statuses, err) < 0)
                        return KP_WHILE(err, "member 'sources.%s'", name);
        }
        return 0;
}

static int
read_words(const struct file *file, struct kp_key_facts *facts, struct kp_error *err)
{
        const struct {
                const char *member;
                const json_t *array;
                const char *const *known;
                struct kp_words *ret;
        } lists[] = {
                { "transports", file->transports, kp_key_transports,
                        &facts->transports },
                { "versions", file->versions, kp_key_versions, &facts->versions },
                { "extensions", file->extensions, kp_key_extensions,
                        &facts->extensions },
                { "attestation_formats", file->formats, kp_key_formats,
                        &facts->attestation_formats },
                { "transports_for_reset", file->transports_for_reset, kp_key_transports,
                        &facts->transports_for_reset },
                { "enterprise_rp_ids", file->enterprise_rp_ids, NULL,
                        &facts->enterprise_rp_ids },
        };

        for (size_t i = 0; i < KP_NELEMS(lists); i++)
                if (kp_key_words_read(lists[i].member, lists[i].array, lists[i].known,
                            lists[i].ret, err) < 0)
                        return -1;
        return 0;
}

static int
read_tells(const struct file *file, struct kp_key_facts *facts, struct kp_error *err)
{
        const struct {
                const char *word;
                bool *ret;
        } members[] = {
                { "transports", &facts->tells_transports },
                { "algorithms", &facts->tells_algorithms },
                { "remaining_discoverable_credentials", &facts->tells_places },
                { "force_pin_change", &facts->tells_force_pin_change },
                { "attestation_formats", &facts->tells_attestation_formats },
                { "uv_count", &facts->tells_uv_count },
                { "identifier", &facts->tells_identifier },
                { "cred_store_state", &facts->tells_store_state },
                { "config_commands", &facts->tells_config_commands },
        };
        struct kp_words told = { 0 };

        if (kp_key_words_read("tells", file->tells, kp_key_tells, &told, err) < 0)
                return -1;
        for (size_t i = 0; i < KP_NELEMS(members); i++)
                *members[i].ret = kp_words_have(&told, members[i].word);
        return 0;
}

static int
read_lists(const struct file *file, struct kp_key_facts *facts, struct kp_error *err)
{
        static const int algorithms[] = { -7, -8, -35, -36, -47, -257 };
        static const int protocols[] = { 1, 2 };

        if (read_words(file, facts, err) < 0 || read_tells(file, facts, err) < 0 ||
                kp_key_numbers_read("algorithms", file->algorithms, algorithms,
                        KP_NELEMS(algorithms), facts->algorithms, &facts->n_algorithms,
                        err) < 0 ||
                kp_key_numbers_read("pin_uv_auth_protocols", file->protocols, protocols,
                        KP_NELEMS(protocols), facts->pin_protocols,
                        &facts->n_pin_protocols, err) < 0)
                return -1;
        if (facts->transports.n == 0 || facts->versions.n == 0 ||
                facts->n_algorithms == 0)
                return KP_FAIL(err, KP_ESCHEMA,
                        "members 'transports', 'versions' and 'algorithms' must not be "
                        "empty");
        return 0;
}

static int
read_vocabulary(
        const struct file *file, struct kp_key_facts *facts, struct kp_error *err)
{
        int attachment, attestation, counter, timeout;

        attachment = kp_key_word_read(
                "attachment", file->attachment, kp_key_attachments, err);
        if (attachment < 0)
                return -1;
        attestation = kp_key_word_read(
                "attestation", file->attestation, kp_key_attestations, err);
        if (attestation < 0)
                return -1;
        counter = kp_key_word_read("counter", file->counter, kp_key_counters, err);
        if (counter < 0)
                return -1;
        if (file->touch_timeout == NULL)
                timeout = kp_words_have(&facts->versions, "FIDO_2_1") ||
                                          kp_words_have(&facts->versions, "FIDO_2_3")
                                  ? KP_TOUCH_TIMEOUT_DENIED
                                  : KP_TOUCH_TIMEOUT_USER;
        else if ((timeout = kp_key_word_read("touch_timeout", file->touch_timeout,
                          kp_key_touch_timeouts, err)) < 0)
                return -1;
        facts->platform = attachment == 1;
        facts->attestation = (enum kp_key_attestation)attestation;
        facts->counter = (enum kp_key_counter)counter;
        facts->touch_timeout = (enum kp_touch_timeout)timeout;
        return 0;
}

static int
read_certification(const char *name, const json_t *level, struct kp_error *err)
{
        for (size_t i = 0; i < KP_NELEMS(certifications); i++) {
                if (strcmp(certifications[i].name, name) != 0)
                        continue;
                if (json_is_integer(level) &&
                        json_integer_value(level) >= certifications[i].min &&
                        json_integer_value(level) <= certifications[i].max)
                        return 0;
                return KP_FAIL(err, KP_ESCHEMA,
                        "member 'certifications.%s': expected a level from %lld to "
                        "%lld (CTAP 2.1 §7.3.1)",
                        name, (long long)certifications[i].min,
                        (long long)certifications[i].max);
        }
        return KP_FAIL(err, KP_ESCHEMA,
                "member 'certifications': '%.40s' is no certification of CTAP 2.1 "
                "§7.3.1",
                name);
}

static int
read_certifications(
        const json_t *object, struct kp_key_facts *facts, struct kp_error *err)
{
        const char *name;
        json_t *value;

        json_object_foreach ((json_t *)object, name, value)
                if (read_certification(name, value, err) < 0)
                        return -1;
        for (size_t i = 0; i < KP_NELEMS(certifications); i++) {
                struct kp_key_certification *next =
                        &facts->certifications[facts->n_certifications];

                value = json_object_get(object, certifications[i].name);
                if (value == NULL)
                        continue;
                next->name = certifications[i].name;
                next->level = json_integer_value(value);
                facts->n_certifications++;
        }
        return 0;
}

static int
read_vendor_commands(
        const json_t *array, struct kp_key_facts *facts, struct kp_error *err)
{
        size_t i;
        json_t *item;

        if (json_array_size(array) > KP_NELEMS(facts->vendor_config_commands))
                return KP_FAIL(err, KP_ESCHEMA,
                        "member 'vendor_prototype_config_commands': more than %zu",
                        KP_NELEMS(facts->vendor_config_commands));
        json_array_foreach (array, i, item) {
                if (!json_is_integer(item) || json_integer_value(item) < 0)
                        return KP_FAIL(err, KP_ESCHEMA,
                                "member 'vendor_prototype_config_commands': expected "
                                "numbers that are not negative");
                for (size_t j = 0; j < i; j++)
                        if (facts->vendor_config_commands[j] ==
                                json_integer_value(item))
                                return KP_FAIL(err, KP_ESCHEMA,
                                        "member 'vendor_prototype_config_commands': "
                                        "%lld is there twice",
                                        (long long)json_integer_value(item));
                facts->vendor_config_commands[i] = json_integer_value(item);
        }
        facts->n_vendor_config_commands = json_array_size(array);
        return 0;
}

static int
read_count(const char *member, int64_t got, int64_t max, const char *of,
        struct kp_error *err)
{
        if (got < 0 || got > max)
                return KP_FAIL(err, KP_ESCHEMA,
                        "member 'state.%s': expected 0 to %lld, the number of '%s'",
                        member, (long long)max, of);
        return 0;
}

static int
read_state(const json_t *object, struct kp_key_facts *facts, struct kp_error *err)
{
        struct state {
                const char *pin;
                int64_t used, fingers;
                bool force_pin_change, enterprise;
        } state = { 0 };
        /* clang-format off */
        static const struct kp_field fields[] = {
                { "pin", KP_STRING, true, offsetof(struct state, pin) },
                { "used", KP_INT, false, offsetof(struct state, used) },
                { "fingers", KP_INT, false, offsetof(struct state, fingers) },
                { "enterprise", KP_BOOL, false, offsetof(struct state, enterprise) },
                { "force_pin_change", KP_BOOL, false, offsetof(struct state, force_pin_change) },
        };
        /* clang-format on */
        int pin;

        if (kp_json_read(object, fields, KP_NELEMS(fields), &state, err) < 0)
                return KP_WHILE(err, "member 'state'");
        if ((pin = kp_key_word_read("state.pin", state.pin, kp_key_pins, err)) < 0 ||
                read_count("used", state.used, facts->places, "places", err) < 0 ||
                read_count("fingers", state.fingers, facts->bio_templates,
                        "bio_templates", err) < 0)
                return -1;
        facts->pin = (enum kp_key_pin)pin;
        facts->used = state.used;
        facts->fingers = state.fingers;
        facts->enterprise = state.enterprise;
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

/* CTAP 2.3 §6.4 forbids it, products say it all the same: so only with a witness. */
static int
check_forbidden_version(
        const struct file *file, const struct kp_key_facts *facts, struct kp_error *err)
{
        const char *status = kp_json_str(
                json_object_get(file->sources, "versions"), "status", "assumed");

        if (kp_words_have(&facts->versions, "FIDO_2_2") &&
                strcmp(status, "assumed") == 0)
                return KP_FAIL(err, KP_ESCHEMA,
                        "member 'versions': FIDO_2_2 must not be present (CTAP 2.3 "
                        "§6.4); for a product that says it, 'sources.versions' tells "
                        "who saw it");
        return 0;
}

/* 1, 0, or -1 where the file does not say. */
static int8_t
tristate(const json_t *json, const char *member, bool value)
{
        return json_object_get(json, member) == NULL ? -1 : (int8_t)value;
}

static void
fill(const json_t *json, const struct file *file, struct kp_key_facts *facts)
{
        struct kp_words *formats = &facts->attestation_formats;

        facts->tells_min_pin_length = json_object_get(json, "min_pin_length") != NULL;
        facts->long_touch_for_reset =
                tristate(json, "long_touch_for_reset", file->long_touch_for_reset);
        facts->pin_complexity_policy =
                tristate(json, "pin_complexity_policy", file->pin_complexity_policy);
        if (formats->n == 0)
                formats->word[formats->n++] =
                        kp_key_attestation_format(facts->attestation);
}

int
kp_key_facts_read(const json_t *json, struct kp_key_facts *ret, struct kp_error *err)
{
        struct file file = { 0 };

        file.facts.min_pin_length = 4; /* CTAP 2.1 §6.4: where the key does not tell */
        file.facts.hid_wink = true;
        if (kp_json_read(json, file_fields, KP_NELEMS(file_fields), &file, err) < 0 ||
                check_limits(json, &file, err) < 0)
                return -1;
        *ret = file.facts;
        if (read_lists(&file, ret, err) < 0 || read_vocabulary(&file, ret, err) < 0 ||
                kp_key_aaguid_read(file.aaguid, ret->aaguid, err) < 0 ||
                kp_key_options_read(file.options, ret->options, err) < 0 ||
                read_certifications(file.certifications, ret, err) < 0 ||
                read_vendor_commands(file.vendor_commands, ret, err) < 0 ||
                read_state(file.state, ret, err) < 0 ||
                read_backup(file.backup, ret, err) < 0 ||
                check_sources(file.sources, json, err) < 0 ||
                check_forbidden_version(&file, ret, err) < 0)
                return -1;
        fill(json, &file, ret);
        return 0;
}
