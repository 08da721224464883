/* SPDX-License-Identifier: BSD-2-Clause */
#include "authenticator_keys.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "keypilot/core/file.h"
#include "keypilot/core/free.h"

#define PEM_MAX (64u << 10)

KP_FREE_WITH(free_bio, BIO, BIO_free)
KP_FREE_WITH(free_octets, ASN1_OCTET_STRING, ASN1_OCTET_STRING_free)
KP_FREE_WITH(free_extension, X509_EXTENSION, X509_EXTENSION_free)

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

/* id-fido-gen-ce-aaguid: an octet string inside the extension's octet string. */
static bool
add_aaguid(X509 *certificate, const uint8_t aaguid[16])
{
        uint8_t inner[2 + 16] = { 0x04, 16 };
        KP_CLEANUP(free_octets) ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
        KP_CLEANUP(free_extension) X509_EXTENSION *extension = NULL;
        ASN1_OBJECT *oid = OBJ_txt2obj("1.3.6.1.4.1.45724.1.1.4", 1);
        bool ok;

        memcpy(inner + 2, aaguid, 16);
        ok = oid != NULL && value != NULL &&
             ASN1_OCTET_STRING_set(value, inner, sizeof(inner)) == 1 &&
             (extension = X509_EXTENSION_create_by_OBJ(NULL, oid, 0, value)) != NULL &&
             X509_add_ext(certificate, extension, -1) == 1;
        ASN1_OBJECT_free(oid);
        return ok;
}

/* RFC 5280 §4.2.1.1, §4.2.1.2 and §4.2.1.9, in the text form of OpenSSL. */
static bool
add_extensions(X509 *certificate, X509 *root)
{
        static const struct {
                int nid;
                const char *value;
        } wanted[] = {
                { NID_basic_constraints, "critical,CA:FALSE" },
                { NID_subject_key_identifier, "hash" },
                { NID_authority_key_identifier, "keyid:always" },
        };
        X509V3_CTX context;

        X509V3_set_ctx(&context, root, certificate, NULL, NULL, 0);
        for (size_t i = 0; i < KP_NELEMS(wanted); i++) {
                KP_CLEANUP(free_extension)
                X509_EXTENSION *extension = X509V3_EXT_conf_nid(
                        NULL, &context, wanted[i].nid, wanted[i].value);

                if (extension == NULL || X509_add_ext(certificate, extension, -1) != 1)
                        return false;
        }
        return true;
}

/* Positive, minimal and the same for the same model: from the hash of its id. */
static bool
set_serial(X509 *certificate, const char *id)
{
        uint8_t hash[32];
        KP_CLEANUP(kp_free_bn) BIGNUM *number = NULL;

        if (EVP_Digest(id, strlen(id), hash, NULL, EVP_sha256(), NULL) != 1)
                return false;
        hash[0] = (hash[0] & 0x7f) | 0x40;
        number = BN_bin2bn(hash, 16, NULL);
        return number != NULL &&
               BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != NULL;
}

static bool
set_subject(X509 *certificate, const char *id)
{
        X509_NAME *name = X509_get_subject_name(certificate);
        char common[ub_common_name + 1];
        const struct {
                const char *field, *value;
        } parts[] = {
                { "C", "NL" },
                { "O", "keypilot test authenticators" },
                { "OU", "Authenticator Attestation" },
                { "CN", common },
        };

        (void)snprintf(common, sizeof(common), "Simulated %.50s", id);
        for (size_t i = 0; i < KP_NELEMS(parts); i++)
                if (X509_NAME_add_entry_by_txt(name, parts[i].field, MBSTRING_UTF8,
                            (const unsigned char *)parts[i].value, -1, -1, 0) != 1)
                        return false;
        return true;
}

static bool
is_zero(const uint8_t aaguid[16])
{
        static const uint8_t zero[16];

        return memcmp(aaguid, zero, sizeof(zero)) == 0;
}

/*
 * The batch certificate. The root signs with Ed25519, which needs no randomness: the
 * same model has the same certificate in every process, and making one disturbs no
 * stream. Spec: WebAuthn L3 §8.2.1
 */
static int
make_certificate(const char *id, const struct kp_key_facts *facts, X509 *root,
        EVP_PKEY *root_key, EVP_PKEY *batch_key, struct kp_buf *ret,
        struct kp_error *err)
{
        KP_CLEANUP(kp_free_x509) X509 *certificate = X509_new();
        unsigned char *der = NULL;
        int der_len;

        if (certificate == NULL || X509_set_version(certificate, X509_VERSION_3) != 1 ||
                !set_serial(certificate, id) || !set_subject(certificate, id) ||
                X509_set_issuer_name(certificate, X509_get_subject_name(root)) != 1 ||
                ASN1_TIME_set_string_X509(
                        X509_getm_notBefore(certificate), "20200101000000Z") != 1 ||
                ASN1_TIME_set_string_X509(
                        X509_getm_notAfter(certificate), "20491231235959Z") != 1 ||
                X509_set_pubkey(certificate, batch_key) != 1 ||
                !add_extensions(certificate, root) ||
                (!is_zero(facts->aaguid) && !add_aaguid(certificate, facts->aaguid)) ||
                X509_sign(certificate, root_key, NULL) <= 0 ||
                (der_len = i2d_X509(certificate, &der)) <= 0)
                return KP_FAIL(err, KP_ENOMEM, "attestation certificate of '%s'", id);
        kp_buf_put(ret, der, (size_t)der_len);
        OPENSSL_free(der);
        return kp_buf_check(ret, err);
}

/*
 * Reading a private key costs OpenSSL 3.0 a millisecond, and every profile needs the
 * same ones: they are read once in a process. Nothing changes them afterwards.
 */
static struct {
        char *dir;
        X509 *root;
        EVP_PKEY *root_key, *batch_key, *rsa[KP_RSA_POOL];
        size_t n_rsa;
} shelf;

static void
shelf_clear(void)
{
        free(shelf.dir);
        X509_free(shelf.root);
        EVP_PKEY_free(shelf.root_key);
        EVP_PKEY_free(shelf.batch_key);
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

static int
shelf_attestation(const char *dir, struct kp_error *err)
{
        if (shelf.batch_key != NULL)
                return 0;
        if (shelf.root == NULL &&
                load_certificate(dir, "attestation-root.pem", &shelf.root, err) < 0)
                return -1;
        if (shelf.root_key == NULL && load_key(dir, "attestation-root-key.pem",
                                              "ED25519", &shelf.root_key, err) < 0)
                return -1;
        return load_key(dir, "attestation-batch.pem", "EC", &shelf.batch_key, err);
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
take_attestation(const char *dir, const char *id, const struct kp_key_facts *facts,
        struct kp_factory_keys *keys, struct kp_error *err)
{
        if (shelf_attestation(dir, err) < 0 ||
                share(shelf.batch_key, &keys->batch_key, err) < 0)
                return -1;
        return make_certificate(id, facts, shelf.root, shelf.root_key, keys->batch_key,
                &keys->certificate, err);
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

int
kp_factory_keys_load(const char *dir, const char *id, const struct kp_key_facts *facts,
        struct kp_factory_keys *ret, struct kp_error *err)
{
        bool attests = facts->attestation == KP_ATTESTATION_PACKED_BASIC ||
                       kp_words_have(&facts->versions, "U2F_V2");
        bool rsa = false;

        for (size_t i = 0; i < facts->n_algorithms; i++)
                rsa = rsa || facts->algorithms[i] == -257;
        if (shelf_choose(dir, err) < 0)
                return -1;
        if (attests && take_attestation(dir, id, facts, ret, err) < 0)
                return -1;
        return rsa ? take_rsa(dir, ret, err) : 0;
}

void
kp_factory_keys_done(struct kp_factory_keys *keys)
{
        kp_free_pkey(&keys->batch_key);
        kp_buf_done(&keys->certificate);
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
