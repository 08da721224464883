/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>

#include "keypilot/codec/b64url.h"
#include "keypilot/codec/cose.h"
#include "keypilot/core/clock.h"
#include "keypilot/core/json.h"

#include "mds.h"

#define OID_FIRMWARE "1.3.6.1.4.1.45724.1.1.5" /* id-fido-gen-ce-fw-version */
#define VERSION_UNKNOWN (-1)

/* ---- status reports. Spec: FIDO MDS v3 §3.1.3, §3.1.4 ---- */

/* clang-format off */
/* Spec table: FIDO MDS v3 §3.1.4, those that tell of a danger, in its order. */
static const struct {
        const char *status, *meaning;
} dangers[] = {
        { "USER_VERIFICATION_BYPASS",     "its user verification can be bypassed" },
        { "ATTESTATION_KEY_COMPROMISE",   "its attestation key is known to others" },
        { "USER_KEY_REMOTE_COMPROMISE",   "its keys can be taken from afar" },
        { "USER_KEY_PHYSICAL_COMPROMISE", "its keys can be taken by who holds it" },
        { "REVOKED",                      "it was revoked" },
};
/* clang-format on */

static const char *
danger_of(const json_t *report)
{
        const char *status = kp_json_str(report, "status", "");

        for (size_t i = 0; i < KP_NELEMS(dangers); i++)
                if (strcmp(dangers[i].status, status) == 0)
                        return dangers[i].meaning;
        return NULL;
}

bool
kp_rp_mds_is_dangerous(const json_t *entry)
{
        const json_t *report;
        size_t i;

        json_array_foreach (json_object_get(entry, "statusReports"), i, report)
                if (danger_of(report) != NULL)
                        return true;
        return false;
}

/* A report without a date holds since ever; it was read before, so it has a form. */
static int64_t
effective_ms(const json_t *report)
{
        const char *date = kp_json_str(report, "effectiveDate", NULL);
        struct kp_error ignored = { 0 };
        int64_t ms = INT64_MIN;

        if (date != NULL && kp_utc_parse(date, &ms, &ignored) < 0)
                return INT64_MIN;
        return ms;
}

static bool
is_effective(const struct ceremony *c, const json_t *report)
{
        return c->expect->now_ms == 0 || effective_ms(report) <= c->expect->now_ms;
}

/* What the attestation certificate says of the key's firmware. */
static int64_t
firmware_version(struct ceremony *c)
{
        const struct trust_path *paths[PATHS_MAX];
        struct certificate_extension extension;
        ASN1_INTEGER *number;
        int64_t version = VERSION_UNKNOWN;
        const uint8_t *at;

        if (kp_rp_paths(c, paths) == 0 ||
                !kp_rp_certificate_extension(
                        c, paths[0]->chain[0], OID_FIRMWARE, &extension) ||
                !extension.present)
                return VERSION_UNKNOWN;
        at = extension.value;
        number = d2i_ASN1_INTEGER(NULL, &at, (long)extension.value_len);
        if (number == NULL || ASN1_INTEGER_get_int64(&version, number) != 1 ||
                version < 0)
                version = VERSION_UNKNOWN;
        ASN1_INTEGER_free(number);
        ERR_clear_error();
        return version;
}

/* A report about one certificate is about keys with that certificate in their path. */
static bool
names_other_certificate(const struct ceremony *c, const json_t *report)
{
        const char *batch = kp_json_str(report, "batchCertificate", NULL);
        const char *text = kp_json_str(report, "certificate", batch);
        KP_CLEANUP(kp_buf_done) struct kp_buf der = { 0 };
        const struct trust_path *paths[PATHS_MAX];
        size_t n_paths = kp_rp_paths(c, paths);
        struct kp_error ignored = { 0 };
        X509 *certificate;
        const uint8_t *at;
        bool concerned = false;

        if (text == NULL || n_paths == 0 ||
                kp_b64_decode(text, strlen(text), &der, &ignored) < 0)
                return false;
        at = der.data;
        certificate = d2i_X509(NULL, &at, (long)der.len);
        for (size_t i = 0; certificate != NULL && i < n_paths; i++)
                for (size_t k = 0; k < paths[i]->n_chain; k++) {
                        X509 *own = paths[i]->chain[k];

                        concerned =
                                concerned || X509_cmp(own, certificate) == 0 ||
                                X509_verify(own, X509_get0_pubkey(certificate)) == 1;
                }
        concerned = concerned || certificate == NULL;
        X509_free(certificate);
        ERR_clear_error();
        return !concerned;
}

/* The first version for which an update mended things after that day; or none. */
static int64_t
mended_version(const struct ceremony *c, const json_t *reports, int64_t since_ms)
{
        int64_t version = VERSION_UNKNOWN;
        const json_t *report;
        size_t i;

        json_array_foreach (reports, i, report) {
                int64_t told = kp_json_int(report, "authenticatorVersion", -1);

                if (strcmp(kp_json_str(report, "status", ""), "UPDATE_AVAILABLE") ==
                                0 &&
                        is_effective(c, report) && effective_ms(report) >= since_ms &&
                        told > version)
                        version = told;
        }
        return version;
}

/* Revocation is not mended by an update. */
static bool
still_applies(const struct ceremony *c, const json_t *reports, const json_t *report,
        int64_t firmware)
{
        int64_t affected = kp_json_int(report, "authenticatorVersion", -1);
        int64_t mended = mended_version(c, reports, effective_ms(report));

        if (names_other_certificate(c, report))
                return false;
        if (firmware == VERSION_UNKNOWN ||
                strcmp(kp_json_str(report, "status", ""), "REVOKED") == 0)
                return true;
        if (mended != VERSION_UNKNOWN && firmware >= mended)
                return false;
        return affected < 0 || firmware <= affected;
}

bool
kp_rp_mds_check_status(struct ceremony *c, const json_t *entry)
{
        const json_t *reports = json_object_get(entry, "statusReports"), *report;
        int64_t firmware = firmware_version(c), update;
        size_t i;

        json_array_foreach (reports, i, report) {
                const char *danger = danger_of(report);

                if (danger != NULL && is_effective(c, report) &&
                        still_applies(c, reports, report, firmware))
                        return kp_rp_refuse(c, "metadata of this model: %s (%s%s%s)",
                                danger, kp_json_str(report, "status", ""),
                                json_object_get(report, "effectiveDate") == NULL
                                        ? ""
                                        : " since ",
                                kp_json_str(report, "effectiveDate", ""));
        }
        update = mended_version(c, reports, INT64_MIN);
        if (firmware != VERSION_UNKNOWN && firmware < update)
                return kp_rp_react(c, KP_RP_WARN, KP_RP_WARN,
                        "metadata of this model: an update to version %lld is there, "
                        "and the key has %lld",
                        (long long)update, (long long)firmware);
        return true;
}

/* ---- the model. Spec: FIDO Metadata Statement v3 ---- */

static bool
lists(const json_t *statement, const char *name, const char *wanted)
{
        const json_t *item;
        size_t i;

        json_array_foreach (json_object_get(statement, name), i, item)
                if (json_is_string(item) &&
                        strcmp(json_string_value(item), wanted) == 0)
                        return true;
        return false;
}

static bool
lists_certificates(const json_t *statement)
{
        static const char name[] = "attestationTypes";

        return lists(statement, name, "basic_full") ||
               lists(statement, name, "attca") || lists(statement, name, "anonca");
}

/* What a path that certificates alone leave open is, by its model. */
static const char *
type_by_model(const json_t *statement)
{
        static const char name[] = "attestationTypes";

        if (lists(statement, name, "basic_full"))
                return "uncertain"; /* and basic, once it is trusted */
        return lists(statement, name, "attca") ? "attca" : "anonca";
}

static bool
check_types(struct ceremony *c, const json_t *statement)
{
        static const char name[] = "attestationTypes";
        const struct trust_path *paths[PATHS_MAX];
        const char *type = c->type == NULL ? "none" : c->type;
        bool has_path = kp_rp_paths(c, paths) > 0;

        if (!has_path && !lists(statement, name, "basic_surrogate"))
                return kp_rp_refuse(c,
                        "metadata of this model: it does not attest with its "
                        "credential key (self attestation)");
        if (!has_path)
                return true;
        if (!lists_certificates(statement) ||
                (c->strict && strcmp(type, "attca") == 0 &&
                        !lists(statement, name, "attca")) ||
                (c->strict && strcmp(type, "anonca") == 0 &&
                        !lists(statement, name, "anonca")))
                return kp_rp_refuse(c,
                        "metadata of this model: it has no attestation of type %s",
                        type);
        if (strcmp(type, "uncertain") == 0)
                c->type = type_by_model(statement);
        return true;
}

/* clang-format off */
/* Spec table: FIDO Registry of Predefined Values: algorithms, as COSE has them. */
static const struct {
        const char *name;
        int alg;
} algorithms[] = {
        { "secp256r1_ecdsa_sha256_raw", KP_COSE_ES256 },
        { "secp256r1_ecdsa_sha256_der", KP_COSE_ES256 },
        { "secp256r1_ecdsa_sha256_raw", KP_COSE_ESP256 },
        { "rsassa_pss_sha256_raw",      KP_COSE_PS256 },
        { "rsassa_pss_sha256_der",      KP_COSE_PS256 },
        { "secp256k1_ecdsa_sha256_raw", KP_COSE_ES256K },
        { "secp256k1_ecdsa_sha256_der", KP_COSE_ES256K },
        { "rsassa_pss_sha384_raw",      KP_COSE_PS384 },
        { "rsassa_pss_sha512_raw",      KP_COSE_PS512 },
        { "rsassa_pkcsv15_sha256_raw",  KP_COSE_RS256 },
        { "rsassa_pkcsv15_sha384_raw",  KP_COSE_RS384 },
        { "rsassa_pkcsv15_sha512_raw",  KP_COSE_RS512 },
        { "rsassa_pkcsv15_sha1_raw",    KP_COSE_RS1 },
        { "secp384r1_ecdsa_sha384_raw", KP_COSE_ES384 },
        { "secp384r1_ecdsa_sha384_raw", KP_COSE_ESP384 },
        { "secp521r1_ecdsa_sha512_raw", KP_COSE_ES512 },
        { "secp521r1_ecdsa_sha512_raw", KP_COSE_ESP512 },
        { "ed25519_eddsa_sha512_raw",   KP_COSE_EDDSA },
        { "ed25519_eddsa_sha512_raw",   KP_COSE_ED25519 },
        { "ed448_eddsa_sha512_raw",     KP_COSE_ED448 },
};
/* clang-format on */

/* Names that we do not know say nothing about an algorithm that we do. */
static bool
check_algorithm(struct ceremony *c, const json_t *statement)
{
        static const char name[] = "authenticationAlgorithms";

        if (!c->strict || json_array_size(json_object_get(statement, name)) == 0)
                return true;
        for (size_t i = 0; i < KP_NELEMS(algorithms); i++)
                if (algorithms[i].alg == c->alg &&
                        lists(statement, name, algorithms[i].name))
                        return true;
        return kp_rp_refuse(c,
                "metadata of this model: it makes no keys of algorithm %d (%s)", c->alg,
                kp_cose_alg_name(c->alg));
}

bool
kp_rp_mds_check_model(struct ceremony *c, const json_t *entry)
{
        const json_t *statement = json_object_get(entry, "metadataStatement");

        if (statement == NULL)
                return true;
        return check_types(c, statement) && check_algorithm(c, statement);
}

/* ---- roots ---- */

/*
 * Models may have hundreds of roots. Only those count that the path may end at: one of
 * its own certificates, the leaf included, or an issuer by name of one of them.
 */
static bool
may_end_at(const struct ceremony *c, X509 *anchor)
{
        const struct trust_path *paths[PATHS_MAX];
        size_t n_paths = kp_rp_paths(c, paths);

        for (size_t i = 0; i < n_paths; i++)
                for (size_t k = 0; k < paths[i]->n_chain; k++) {
                        X509 *own = paths[i]->chain[k];

                        if (X509_cmp(own, anchor) == 0 ||
                                X509_NAME_cmp(X509_get_issuer_name(own),
                                        X509_get_subject_name(anchor)) == 0)
                                return true;
                }
        return false;
}

/* Spec: FIDO Metadata Statement v3: base64, with white space in some */
static X509 *
read_root(const json_t *item)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf der = { 0 };
        struct kp_error ignored = { 0 };
        X509 *root = NULL;
        const uint8_t *at;

        if (json_is_string(item) &&
                kp_b64_decode(json_string_value(item), json_string_length(item), &der,
                        &ignored) == 0) {
                at = der.data;
                root = d2i_X509(NULL, &at, (long)der.len);
        }
        ERR_clear_error();
        return root;
}

static void
add_anchor(struct ceremony *c, X509 *root)
{
        struct kp_rp_expectation *expect = c->widened;

        if (c->n_anchors == KP_NELEMS(c->anchors) ||
                expect->n_anchors == KP_NELEMS(expect->anchors) ||
                !may_end_at(c, root)) {
                X509_free(root);
                return;
        }
        c->anchors[c->n_anchors++] = root;
        expect->anchors[expect->n_anchors++] = root;
}

bool
kp_rp_mds_take_anchors(struct ceremony *c, const json_t *entry)
{
        const json_t *statement = json_object_get(entry, "metadataStatement"), *item;
        size_t before = c->n_anchors, i;

        if (statement == NULL || c->expect->trust == KP_TRUST_NONE)
                return true;
        json_array_foreach (
                json_object_get(statement, "attestationRootCertificates"), i, item) {
                X509 *root = read_root(item);

                if (root == NULL)
                        return kp_rp_refuse(c,
                                "metadata of this model: "
                                "attestationRootCertificates[%zu] is no certificate",
                                i);
                add_anchor(c, root);
        }
        c->widened->trust = KP_TRUST_ANCHORS;
        if (c->n_anchors > before || c->expect->n_anchors > 0)
                return true;
        return kp_rp_refuse(c,
                "metadata of this model: none of its %zu roots issued the certificates",
                json_array_size(
                        json_object_get(statement, "attestationRootCertificates")));
}
