/* SPDX-License-Identifier: BSD-2-Clause */
#include "authenticator_keys.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "keypilot/core/file.h"
#include "keypilot/core/free.h"

#include "attestation_certificate.h"

#define PEM_MAX (64u << 10)

KP_FREE_WITH(free_bio, BIO, BIO_free)

static int
open_pem(const char *dir, const char *name, struct kp_buf *text, BIO **ret,
        struct kp_error *err)
{
        KP_CLEANUP(kp_free_str) char *path = kp_format("%s/%s", dir, name);

        if (path == NULL)
                return KP_FAIL(err, KP_ENOMEM, "%s", name);
        if (kp_file_read(path, PEM_MAX, text, err) < 0)
                return -1;
        if ((*ret = BIO_new_mem_buf(text->data, (int)text->len)) == NULL)
                return KP_FAIL(err, KP_ENOMEM, "%s", name);
        return 0;
}

static int
load_key(const char *dir, const char *name, const char *type, EVP_PKEY **ret,
        struct kp_error *err)
{
        KP_CLEANUP(kp_buf_wipe) struct kp_buf text = { 0 };
        KP_CLEANUP(free_bio) BIO *bio = NULL;
        KP_CLEANUP(kp_free_pkey) EVP_PKEY *key = NULL;

        if (open_pem(dir, name, &text, &bio, err) < 0)
                return -1;
        /* an empty pass phrase, so that an encrypted file fails instead of asking */
        key = PEM_read_bio_PrivateKey(bio, NULL, NULL, (void *)"");
        ERR_clear_error();
        if (key == NULL || !EVP_PKEY_is_a(key, type))
                return KP_FAIL(err, KP_EPARSE,
                        "%s/%s: expected a PEM file with an %s key", dir, name, type);
        *ret = KP_STEAL(key);
        return 0;
}

static int
load_certificate(const char *dir, const char *name, X509 **ret, struct kp_error *err)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf text = { 0 };
        KP_CLEANUP(free_bio) BIO *bio = NULL;

        if (open_pem(dir, name, &text, &bio, err) < 0)
                return -1;
        *ret = PEM_read_bio_X509(bio, NULL, NULL, (void *)"");
        ERR_clear_error();
        if (*ret == NULL)
                return KP_FAIL(
                        err, KP_EPARSE, "%s/%s: expected a PEM certificate", dir, name);
        return 0;
}

static bool
is_zero(const uint8_t aaguid[16])
{
        static const uint8_t zero[16];

        return memcmp(aaguid, zero, sizeof(zero)) == 0;
}

/*
 * Reading a private key costs OpenSSL 3.0 a millisecond, and every profile needs the
 * same ones: they are read once in a process. Nothing changes them afterwards.
 */
static struct {
        char *dir;
        X509 *root, *ca;
        EVP_PKEY *root_key, *ca_key, *batch_key, *aik_key, *rsa[KP_RSA_POOL];
        size_t n_rsa;
} shelf;

static void
shelf_clear(void)
{
        free(shelf.dir);
        X509_free(shelf.root);
        X509_free(shelf.ca);
        EVP_PKEY_free(shelf.root_key);
        EVP_PKEY_free(shelf.ca_key);
        EVP_PKEY_free(shelf.batch_key);
        EVP_PKEY_free(shelf.aik_key);
        for (size_t i = 0; i < shelf.n_rsa; i++)
                EVP_PKEY_free(shelf.rsa[i]);
        memset(&shelf, 0, sizeof(shelf));
}

/* Begin a shelf for this folder, unless it is the one that is there. */
static int
shelf_choose(const char *dir, struct kp_error *err)
{
        if (shelf.dir != NULL && strcmp(shelf.dir, dir) == 0)
                return 0;
        shelf_clear();
        if ((shelf.dir = strdup(dir)) == NULL)
                return KP_FAIL(err, KP_ENOMEM, "test keys");
        return 0;
}

/* What lies there already is left alone. */
static int
shelf_key(const char *dir, const char *name, const char *type, EVP_PKEY **place,
        struct kp_error *err)
{
        return *place != NULL ? 0 : load_key(dir, name, type, place, err);
}

static int
shelf_certificate(const char *dir, const char *name, X509 **place, struct kp_error *err)
{
        return *place != NULL ? 0 : load_certificate(dir, name, place, err);
}

static int
shelf_root(const char *dir, struct kp_error *err)
{
        if (shelf_certificate(dir, "attestation-root.pem", &shelf.root, err) < 0)
                return -1;
        return shelf_key(dir, "attestation-root-key.pem", "RSA", &shelf.root_key, err);
}

static int
shelf_ca(const char *dir, struct kp_error *err)
{
        if (shelf_root(dir, err) < 0 ||
                shelf_certificate(dir, "attestation-ca.pem", &shelf.ca, err) < 0)
                return -1;
        return shelf_key(dir, "attestation-ca-key.pem", "RSA", &shelf.ca_key, err);
}

static int
shelf_rsa(const char *dir, struct kp_error *err)
{
        KP_CLEANUP(kp_names_done) struct kp_names files = { 0 };

        if (shelf.n_rsa > 0)
                return 0;
        if (kp_dir_list(dir, ".pem", &files, err) < 0)
                return -1;
        for (size_t i = 0; i < files.n_names && shelf.n_rsa < KP_RSA_POOL; i++) {
                if (strncmp(files.names[i], "rsa-", 4) != 0)
                        continue;
                if (load_key(dir, files.names[i], "RSA", &shelf.rsa[shelf.n_rsa], err) <
                        0)
                        return -1;
                shelf.n_rsa++;
        }
        if (shelf.n_rsa == 0)
                return KP_FAIL(err, KP_EIO,
                        "%s: no rsa-*.pem for a key that signs with RS256", dir);
        return 0;
}

static int
share(EVP_PKEY *key, EVP_PKEY **ret, struct kp_error *err)
{
        if (EVP_PKEY_up_ref(key) != 1)
                return KP_FAIL(err, KP_ENOMEM, "test keys");
        *ret = key;
        return 0;
}

static int
take_der(X509 *x509, struct kp_buf *ret, struct kp_error *err)
{
        unsigned char *der = NULL;
        int der_len = i2d_X509(x509, &der);

        if (der_len <= 0)
                return KP_FAIL(err, KP_ENOMEM, "test certificate");
        kp_buf_put(ret, der, (size_t)der_len);
        OPENSSL_free(der);
        return kp_buf_check(ret, err);
}

/*
 * A certificate of the model, or of one key of it where it has a serial number.
 * Spec: WebAuthn L3 §8.2.1 "Packed Attestation Statement Certificate Requirements";
 * CTAP 2.1 §7.1: what an enterprise attestation names
 */
static int
make_packed(const char *id, const struct kp_key_facts *facts, const char *serial,
        EVP_PKEY *key, struct kp_buf *ret, struct kp_error *err)
{
        uint8_t aaguid[2 + 16] = { 0x04, 16 }; /* an OCTET STRING in the extension's */
        char common[65], derived[160];
        struct kp_certificate certificate = { .serial_of =
                                                      serial == NULL ? id : derived,
                .subject = { { "C", "NL" }, { "O", "keypilot test authenticators" },
                        { "OU", "Authenticator Attestation" }, { "CN", common },
                        { "serialNumber", serial } },
                .key = key,
                .issuer = shelf.root,
                .issuer_key = shelf.root_key,
                .extensions = { { NID_basic_constraints, "critical,CA:FALSE" },
                        { NID_subject_key_identifier, "hash" },
                        { NID_authority_key_identifier, "keyid:always" } } };

        (void)snprintf(common, sizeof(common), "Simulated %.50s", id);
        (void)snprintf(derived, sizeof(derived), "%.64s %.64s", id,
                serial == NULL ? "" : serial);
        memcpy(aaguid + 2, facts->aaguid, 16);
        if (!is_zero(facts->aaguid)) {
                certificate.others[0].oid = "1.3.6.1.4.1.45724.1.1.4";
                certificate.others[0].der = aaguid;
                certificate.others[0].der_len = sizeof(aaguid);
        }
        return kp_certificate_make(&certificate, ret, err);
}

static int
take_batch(const char *dir, const char *id, const struct kp_key_facts *facts,
        struct kp_factory_keys *keys, struct kp_error *err)
{
        if (shelf_root(dir, err) < 0 ||
                shelf_key(dir, "attestation-batch.pem", "EC", &shelf.batch_key, err) <
                        0 ||
                share(shelf.batch_key, &keys->batch_key, err) < 0)
                return -1;
        return make_packed(id, facts, NULL, keys->batch_key, &keys->certificate, err);
}

/* The one key of the model that an enterprise ordered: its number and its key pair. */
static int
take_individual(const char *dir, const char *id, const struct kp_key_facts *facts,
        struct kp_factory_keys *keys, struct kp_error *err)
{
        KP_CLEANUP(kp_random_free) struct kp_random *random = NULL;
        KP_CLEANUP(kp_buf_done) struct kp_buf serial = { 0 };
        uint8_t number[6];

        if (shelf_root(dir, err) < 0 ||
                kp_random_new_seeded("individual attestation", id, &random, err) < 0)
                return -1;
        kp_random_bytes(random, number, sizeof(number));
        kp_buf_put_hex(&serial, number, sizeof(number));
        if (kp_buf_check(&serial, err) < 0 ||
                kp_certificate_key(
                        random, &keys->others[KP_CERTIFICATE_INDIVIDUAL].key, err) < 0)
                return -1;
        return make_packed(id, facts, kp_buf_str(&serial),
                keys->others[KP_CERTIFICATE_INDIVIDUAL].key,
                &keys->others[KP_CERTIFICATE_INDIVIDUAL].der, err);
}

/*
 * The TPM's manufacturer, model and version, as TCG's EK Credential Profile §3.2.9 has
 * them: a directory name of one multi-valued part. The manufacturer is a registered one
 * that also makes TPMs of software.
 */
static int
tpm_name(struct kp_buf *ret, struct kp_error *err)
{
        static const struct {
                const char *oid, *value;
        } parts[] = {
                { "2.23.133.2.1", "id:4D534654" },
                { "2.23.133.2.2", "keypilot simulated TPM" },
                { "2.23.133.2.3", "id:00010001" },
        };
        X509_NAME *name = X509_NAME_new();
        GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
        GENERAL_NAME *one = GENERAL_NAME_new();
        unsigned char *der = NULL;
        int der_len = 0;
        bool ok = name != NULL && names != NULL && one != NULL;

        for (size_t i = 0; ok && i < KP_NELEMS(parts); i++) {
                ASN1_OBJECT *oid = OBJ_txt2obj(parts[i].oid, 1);

                ok = X509_NAME_add_entry_by_OBJ(name, oid, V_ASN1_UTF8STRING,
                             (const unsigned char *)parts[i].value, -1, -1,
                             i == 0 ? 0 : -1) == 1;
                ASN1_OBJECT_free(oid);
        }
        if (ok) {
                GENERAL_NAME_set0_value(one, GEN_DIRNAME, name);
                name = NULL; /* its own now */
                if (sk_GENERAL_NAME_push(names, one) > 0) {
                        one = NULL;
                        der_len = i2d_GENERAL_NAMES(names, &der);
                }
        }
        kp_buf_put(ret, der, der_len > 0 ? (size_t)der_len : 0);
        OPENSSL_free(der);
        X509_NAME_free(name);
        GENERAL_NAME_free(one);
        sk_GENERAL_NAME_pop_free(names, GENERAL_NAME_free);
        if (der_len <= 0)
                return KP_FAIL(err, KP_ENOMEM, "name of a TPM");
        return kp_buf_check(ret, err);
}

/* Spec: WebAuthn L3 §8.3.1 "TPM Attestation Statement Certificate Requirements" */
static int
take_aik(const char *dir, const char *id, struct kp_factory_keys *keys,
        struct kp_error *err)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf name = { 0 };
        char serial_of[80];
        struct kp_certificate certificate = { .serial_of = serial_of,
                .issuer = shelf.ca,
                .issuer_key = shelf.ca_key,
                .extensions = { { NID_key_usage, "critical,digitalSignature" },
                        { NID_basic_constraints, "critical,CA:FALSE" },
                        { NID_ext_key_usage, "2.23.133.8.3" },
                        { NID_subject_key_identifier, "hash" },
                        { NID_authority_key_identifier, "keyid:always" } } };

        (void)snprintf(serial_of, sizeof(serial_of), "%.64s AIK", id);
        if (shelf_key(dir, "attestation-aik.pem", "RSA", &shelf.aik_key, err) < 0 ||
                share(shelf.aik_key, &keys->others[KP_CERTIFICATE_AIK].key, err) < 0 ||
                tpm_name(&name, err) < 0)
                return -1;
        certificate.key = shelf.aik_key;
        certificate.others[0].oid = "2.5.29.17";
        certificate.others[0].der = name.data;
        certificate.others[0].der_len = name.len;
        certificate.others[0].critical = true; /* as RFC 5280 wants: no subject */
        return kp_certificate_make(
                &certificate, &keys->others[KP_CERTIFICATE_AIK].der, err);
}

static int
take_ca(const char *dir, struct kp_factory_keys *keys, struct kp_error *err)
{
        if (shelf_ca(dir, err) < 0 ||
                share(shelf.ca_key, &keys->others[KP_CERTIFICATE_CA].key, err) < 0)
                return -1;
        X509_up_ref(shelf.ca);
        keys->ca = shelf.ca;
        if (take_der(shelf.ca, &keys->others[KP_CERTIFICATE_CA].der, err) < 0)
                return -1;
        return take_der(shelf.root, &keys->others[KP_CERTIFICATE_ROOT].der, err);
}

static int
take_rsa(const char *dir, struct kp_factory_keys *keys, struct kp_error *err)
{
        if (shelf_rsa(dir, err) < 0)
                return -1;
        for (; keys->n_rsa < shelf.n_rsa; keys->n_rsa++)
                if (share(shelf.rsa[keys->n_rsa], &keys->rsa[keys->n_rsa], err) < 0)
                        return -1;
        return 0;
}

static bool
gives(const struct kp_key_facts *facts, enum kp_key_attestation attestation,
        const char *format)
{
        return facts->attestation == attestation ||
               kp_words_have(&facts->attestation_formats, format);
}

static int
take_attestation(const char *dir, const char *id, const struct kp_key_facts *facts,
        struct kp_factory_keys *keys, struct kp_error *err)
{
        bool tpm = gives(facts, KP_ATTESTATION_TPM, "tpm");
        bool leaves = gives(facts, KP_ATTESTATION_ANDROID_KEY, "android-key") ||
                      gives(facts, KP_ATTESTATION_APPLE, "apple");

        if ((facts->attestation == KP_ATTESTATION_PACKED_BASIC ||
                    gives(facts, KP_ATTESTATION_FIDO_U2F, "fido-u2f") ||
                    kp_words_have(&facts->versions, "U2F_V2")) &&
                take_batch(dir, id, facts, keys, err) < 0)
                return -1;
        if (facts->options[KP_OPTION_EP] >= 0 &&
                take_individual(dir, id, facts, keys, err) < 0)
                return -1;
        if ((tpm || leaves) && take_ca(dir, keys, err) < 0)
                return -1;
        return tpm ? take_aik(dir, id, keys, err) : 0;
}

int
kp_factory_keys_load(const char *dir, const char *id, const struct kp_key_facts *facts,
        struct kp_factory_keys *ret, struct kp_error *err)
{
        bool rsa = false;

        for (size_t i = 0; i < facts->n_algorithms; i++)
                rsa = rsa || facts->algorithms[i] == -257;
        if (shelf_choose(dir, err) < 0 ||
                take_attestation(dir, id, facts, ret, err) < 0)
                return -1;
        return rsa ? take_rsa(dir, ret, err) : 0;
}

void
kp_factory_keys_done(struct kp_factory_keys *keys)
{
        kp_free_pkey(&keys->batch_key);
        kp_buf_done(&keys->certificate);
        for (size_t i = 0; i < KP_N_CERTIFICATES; i++) {
                kp_free_pkey(&keys->others[i].key);
                kp_buf_done(&keys->others[i].der);
        }
        kp_free_x509(&keys->ca);
        for (size_t i = 0; i < keys->n_rsa; i++)
                kp_free_pkey(&keys->rsa[i]);
        keys->n_rsa = 0;
}

int
kp_factory_keys_rsa(const struct kp_factory_keys *keys, size_t index, EVP_PKEY **ret,
        struct kp_error *err)
{
        if (index >= keys->n_rsa)
                return KP_FAIL(
                        err, KP_ENOTFOUND, "there is no RSA test key %zu", index);
        if ((*ret = EVP_PKEY_dup(keys->rsa[index])) == NULL)
                return KP_FAIL(err, KP_ENOMEM, "RSA test key");
        return 0;
}
