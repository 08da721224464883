/* SPDX-License-Identifier: BSD-2-Clause */
#include "mds.h"

#include <stdlib.h>
#include <string.h>

#include "keypilot/core/clock.h"
#include "keypilot/core/json.h"
#include "keypilot/rp/policy.h"

#include "jwt.h"

#define DAY_MS (INT64_C(24) * 3600 * 1000)

void
kp_rp_mds_free(struct kp_rp_mds **mds)
{
        if (*mds == NULL)
                return;
        json_decref((*mds)->payload);
        json_decref((*mds)->index);
        free(*mds);
        *mds = NULL;
}

int64_t
kp_rp_mds_number(const struct kp_rp_mds *mds)
{
        return mds->number;
}

const char *
kp_rp_mds_next_update(const struct kp_rp_mds *mds)
{
        return mds->next_update;
}

size_t
kp_rp_mds_n_entries(const struct kp_rp_mds *mds)
{
        return json_array_size(mds->entries);
}

bool
kp_rp_mds_expired(const struct kp_rp_mds *mds, int64_t now_ms)
{
        return now_ms != 0 && now_ms >= mds->next_update_ms + DAY_MS;
}

const json_t *
kp_rp_mds_find(const struct kp_rp_mds *mds, const char *name)
{
        return json_object_get(mds->index, name);
}

/* Under its AAGUID or key identifier, which no other entry may have. */
static int
index_put(struct kp_rp_mds *mds, const char *name, json_t *entry, struct kp_error *err)
{
        if (json_object_get(mds->index, name) != NULL)
                return KP_FAIL(err, KP_ESCHEMA, "'%.60s' stands in two entries", name);
        if (json_object_set(mds->index, name, entry) < 0)
                return KP_FAIL(err, KP_ENOMEM, "index of metadata");
        return 0;
}

static int
index_aaguid(struct kp_rp_mds *mds, json_t *entry, struct kp_error *err)
{
        const json_t *value = json_object_get(entry, "aaguid");
        char text[KP_RP_AAGUID_TEXT];
        uint8_t aaguid[16];

        if (value == NULL)
                return 0;
        if (!json_is_string(value) ||
                !kp_rp_aaguid_parse(json_string_value(value), aaguid))
                return KP_FAIL(err, KP_ESCHEMA,
                        "member 'aaguid': expected an AAGUID like "
                        "ee882879-721c-4913-9775-3dfcce97072a");
        kp_rp_aaguid_format(aaguid, text);
        return index_put(mds, text, entry, err);
}

static bool
is_key_identifier(const char *text)
{
        return strlen(text) == 40 && strspn(text, "0123456789abcdef") == 40;
}

/* Makers use one certificate key for several models: then the worst of them counts. */
static int
index_key(struct kp_rp_mds *mds, const char *name, json_t *entry, struct kp_error *err)
{
        if (json_object_get(mds->index, name) != NULL) {
                if (!kp_rp_mds_is_dangerous(entry))
                        return 0;
                (void)json_object_del(mds->index, name);
        }
        return index_put(mds, name, entry, err);
}

/* Spec: FIDO MDS v3 §3.1.1: lower-case hex of SHA-1, RFC 5280 §4.2.1.2 method 1 */
static int
index_keys(struct kp_rp_mds *mds, json_t *entry, struct kp_error *err)
{
        const json_t *keys =
                json_object_get(entry, "attestationCertificateKeyIdentifiers");
        const json_t *key;
        size_t i;

        if (keys != NULL && !json_is_array(keys))
                return KP_FAIL(err, KP_ESCHEMA,
                        "member 'attestationCertificateKeyIdentifiers': expected an "
                        "array");
        json_array_foreach (keys, i, key) {
                if (!json_is_string(key) || !is_key_identifier(json_string_value(key)))
                        return KP_FAIL(err, KP_ESCHEMA,
                                "member 'attestationCertificateKeyIdentifiers[%zu]': "
                                "expected 40 lower-case hexadecimal digits",
                                i);
                if (index_key(mds, json_string_value(key), entry, err) < 0)
                        return -1;
        }
        return 0;
}

static int
check_reports(const json_t *entry, struct kp_error *err)
{
        const json_t *reports = json_object_get(entry, "statusReports"), *report;
        int64_t ignored_ms;
        size_t i;

        if (!json_is_array(reports))
                return KP_FAIL(
                        err, KP_ESCHEMA, "member 'statusReports': expected an array");
        json_array_foreach (reports, i, report) {
                const json_t *date = json_object_get(report, "effectiveDate");

                if (!json_is_string(json_object_get(report, "status")))
                        return KP_FAIL(err, KP_ESCHEMA,
                                "member 'statusReports[%zu].status': expected a string",
                                i);
                if (date == NULL)
                        continue;
                if (!json_is_string(date))
                        return KP_FAIL(err, KP_ESCHEMA,
                                "member 'statusReports[%zu].effectiveDate': expected a "
                                "date",
                                i);
                if (kp_utc_parse(json_string_value(date), &ignored_ms, err) < 0)
                        return KP_WHILE(
                                err, "member 'statusReports[%zu].effectiveDate'", i);
        }
        return 0;
}

static int
read_entry(struct kp_rp_mds *mds, json_t *entry, struct kp_error *err)
{
        const json_t *statement = json_object_get(entry, "metadataStatement");

        if (!json_is_object(entry))
                return KP_FAIL(err, KP_ESCHEMA, "expected an object");
        if (statement != NULL && !json_is_object(statement))
                return KP_FAIL(err, KP_ESCHEMA,
                        "member 'metadataStatement': expected an object");
        if (check_reports(entry, err) < 0 || index_aaguid(mds, entry, err) < 0)
                return -1;
        return index_keys(mds, entry, err);
}

static int
read_payload(struct kp_rp_mds *mds, struct kp_error *err)
{
        const json_t *number = json_object_get(mds->payload, "no");
        const json_t *next = json_object_get(mds->payload, "nextUpdate");
        size_t i;
        json_t *entry;

        mds->entries = json_object_get(mds->payload, "entries");
        if (!json_is_integer(number))
                return KP_FAIL(err, KP_ESCHEMA, "member 'no': expected a number");
        if (!json_is_string(next))
                return KP_FAIL(err, KP_ESCHEMA, "member 'nextUpdate': expected a date");
        if (!json_is_array(mds->entries))
                return KP_FAIL(err, KP_ESCHEMA, "member 'entries': expected an array");
        mds->number = json_integer_value(number);
        mds->next_update = json_string_value(next);
        if (kp_utc_parse(mds->next_update, &mds->next_update_ms, err) < 0)
                return KP_WHILE(err, "member 'nextUpdate'");
        json_array_foreach (mds->entries, i, entry)
                if (read_entry(mds, entry, err) < 0)
                        return KP_WHILE(err, "entries[%zu]", i);
        return 0;
}

int
kp_rp_mds_read(const void *text, size_t text_len, X509 *const *roots, size_t n_roots,
        int64_t now_ms, struct kp_rp_mds **ret, struct kp_error *err)
{
        KP_CLEANUP(kp_rp_mds_free) struct kp_rp_mds *mds = calloc(1, sizeof(*mds));
        KP_CLEANUP(kp_jwt_done) struct kp_jwt jwt = { 0 };

        if (mds == NULL || (mds->index = json_object()) == NULL)
                return KP_FAIL(err, KP_ENOMEM, "metadata");
        if (text_len > KP_RP_MDS_MAX)
                return KP_FAIL(err, KP_EPARSE, "metadata has %zu bytes, more than %u",
                        text_len, KP_RP_MDS_MAX);
        if (kp_jwt_read(text, text_len, &jwt, err) < 0 ||
                kp_jwt_verify(&jwt, roots, n_roots, now_ms, err) < 0)
                return KP_WHILE(err, "metadata BLOB");
        mds->payload = KP_STEAL(jwt.payload);
        if (read_payload(mds, err) < 0)
                return KP_WHILE(err, "metadata BLOB");
        *ret = KP_STEAL(mds);
        return 0;
}
