/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xmlsec/crypto.h>
#include <xmlsec/errors.h>
#include <xmlsec/keys.h>
#include <xmlsec/openssl/evp.h>
#include <xmlsec/xmlsec.h>

#include "keypilot/codec/b64url.h"
#include "keypilot/core/free.h"
#include "keypilot/saml/saml.h"

#include "internal.h"

/*
 * Parsing a PEM costs more than signing with it, and every cell of a run brings the
 * same few, so what was parsed stays for the life of the process. Workers are
 * processes: nobody else reaches in here.
 */
#define CACHED 24
#define CERTS_MAX 16

struct entry {
        char *pem;
        EVP_PKEY *pkey; /* of a private key */
        xmlSecKey *key;
        struct saml_cert *certs; /* of certificates */
        size_t n_certs;
};

static struct entry cache[CACHED];
static size_t next_entry;
static bool started;
static char complaint[160];

KP_FREE_WITH(free_bio, BIO, BIO_free)
KP_FREE_WITH(free_seckey, xmlSecKey, xmlSecKeyDestroy)

static void
on_xmlsec_error(const char *file, int line, const char *func, const char *object,
        const char *subject, int reason, const char *message)
{
        (void)file;
        (void)line;
        (void)func;
        (void)reason;
        if (complaint[0] != '\0')
                return;
        (void)snprintf(complaint, sizeof(complaint), "%s%s%s%s%s",
                object != NULL ? object : "", subject != NULL ? " " : "",
                subject != NULL ? subject : "", message != NULL ? " " : "",
                message != NULL ? message : "");
}

const char *
saml_complaint(void)
{
        static char told[sizeof(complaint)];

        memcpy(told, complaint, sizeof(told));
        complaint[0] = '\0';
        ERR_clear_error();
        return told;
}

int
saml_start(struct kp_error *err)
{
        if (started)
                return 0;
        kp_xml_init();
        if (xmlSecInit() < 0)
                return KP_FAIL(err, KP_EENV, "xmlsec does not start");
        xmlSecErrorsSetCallback(on_xmlsec_error);
        if (xmlSecCheckVersion() != 1)
                return KP_FAIL(err, KP_EENV,
                        "xmlsec of another version than keypilot was built with");
        if (xmlSecCryptoAppInit(NULL) < 0 || xmlSecCryptoInit() < 0)
                return KP_FAIL(err, KP_EENV,
                        "xmlsec does not start its OpenSSL part: %s", saml_complaint());
        /* the application part puts its own error callbacks in */
        xmlSecErrorsSetCallback(on_xmlsec_error);
        started = true;
        return 0;
}

static void
entry_done(struct entry *entry)
{
        if (entry->pem != NULL)
                OPENSSL_cleanse(entry->pem, strlen(entry->pem));
        free(entry->pem);
        EVP_PKEY_free(entry->pkey);
        free_seckey(&entry->key);
        for (size_t i = 0; i < entry->n_certs; i++) {
                EVP_PKEY_free(entry->certs[i].pkey);
                xmlSecKeyDestroy(entry->certs[i].key);
                free(entry->certs[i].base64);
        }
        free(entry->certs);
        memset(entry, 0, sizeof(*entry));
}

void
kp_saml_shutdown(void)
{
        for (size_t i = 0; i < CACHED; i++)
                entry_done(&cache[i]);
        saml_wire_stop();
        if (!started)
                return;
        xmlSecCryptoShutdown();
        xmlSecCryptoAppShutdown();
        xmlSecShutdown();
        started = false;
}

static struct entry *
find(const char *pem, bool certs)
{
        for (size_t i = 0; i < CACHED; i++)
                if (cache[i].pem != NULL && (cache[i].certs != NULL) == certs &&
                        strcmp(cache[i].pem, pem) == 0)
                        return &cache[i];
        return NULL;
}

/* Take the next place, whoever was there. */
static void
keep(struct entry *entry)
{
        struct entry *place = &cache[next_entry++ % CACHED];

        entry_done(place);
        *place = *entry;
        memset(entry, 0, sizeof(*entry));
}

/* No terminal is ever asked for a passphrase. */
static int
no_passphrase(char *to, int to_len, int writing, void *arg)
{
        (void)to;
        (void)to_len;
        (void)writing;
        (void)arg;
        return -1;
}

/* An xmlSecKey that shares `pkey`. */
static xmlSecKey *
wrap(EVP_PKEY *pkey)
{
        KP_CLEANUP(free_seckey) xmlSecKey *key = xmlSecKeyCreate();
        xmlSecKeyDataPtr data;

        if (key == NULL || EVP_PKEY_up_ref(pkey) != 1)
                return NULL;
        if ((data = xmlSecOpenSSLEvpKeyAdopt(pkey)) == NULL) {
                EVP_PKEY_free(pkey);
                return NULL;
        }
        if (xmlSecKeySetValue(key, data) < 0) {
                xmlSecKeyDataDestroy(data);
                return NULL;
        }
        return KP_STEAL(key);
}

int
saml_key(const char *pem, EVP_PKEY **ret_pkey, void **ret_key, struct kp_error *err)
{
        KP_CLEANUP(entry_done) struct entry entry = { 0 };
        KP_CLEANUP(free_bio) BIO *bio = NULL;
        struct entry *found;

        if (saml_start(err) < 0)
                return -1;
        if ((found = find(pem, false)) == NULL) {
                bio = BIO_new_mem_buf(pem, -1);
                entry.pem = strdup(pem);
                if (bio == NULL || entry.pem == NULL)
                        return KP_FAIL(err, KP_ENOMEM, "private key");
                entry.pkey = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
                if (entry.pkey == NULL) {
                        ERR_clear_error();
                        return KP_FAIL(err, KP_EPARSE,
                                "no private key in PEM form without a passphrase");
                }
                if ((entry.key = wrap(entry.pkey)) == NULL)
                        return KP_FAIL(err, KP_EUNSUPPORTED, "private key: %s",
                                saml_complaint());
                keep(&entry);
                found = find(pem, false);
        }
        if (ret_pkey != NULL)
                *ret_pkey = found->pkey;
        if (ret_key != NULL)
                *ret_key = found->key;
        return 0;
}

static int
cert_read(X509 *x509, struct saml_cert *ret, struct kp_error *err)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf text = { 0 };
        unsigned char *der = NULL;
        int der_len;

        if ((ret->pkey = X509_get_pubkey(x509)) == NULL ||
                (ret->key = wrap(ret->pkey)) == NULL)
                return KP_FAIL(err, KP_EUNSUPPORTED,
                        "certificate: no public key in it: %s", saml_complaint());
        if ((der_len = i2d_X509(x509, &der)) < 0)
                return KP_FAIL(err, KP_ENOMEM, "certificate");
        kp_b64_put(&text, der, (size_t)der_len);
        OPENSSL_free(der);
        if ((ret->base64 = strdup(kp_buf_str(&text))) == NULL)
                return KP_FAIL(err, KP_ENOMEM, "certificate");
        return kp_buf_check(&text, err);
}

static int
certs_read(const char *pem, struct entry *entry, struct kp_error *err)
{
        KP_CLEANUP(free_bio) BIO *bio = BIO_new_mem_buf(pem, -1);

        entry->pem = strdup(pem);
        entry->certs = calloc(CERTS_MAX, sizeof(entry->certs[0]));
        if (bio == NULL || entry->pem == NULL || entry->certs == NULL)
                return KP_FAIL(err, KP_ENOMEM, "certificates");
        for (;;) {
                KP_CLEANUP(kp_free_x509)
                X509 *x509 = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL);

                if (x509 == NULL)
                        break;
                if (entry->n_certs == CERTS_MAX)
                        return KP_FAIL(
                                err, KP_EPARSE, "more than %d certificates", CERTS_MAX);
                if (cert_read(x509, &entry->certs[entry->n_certs++], err) < 0)
                        return -1;
        }
        ERR_clear_error(); /* the end of the text is told as an error too */
        if (entry->n_certs == 0)
                return KP_FAIL(err, KP_EPARSE, "no certificate in PEM form");
        return 0;
}

int
saml_certs(const char *pem, const struct saml_cert **ret, size_t *ret_n,
        struct kp_error *err)
{
        KP_CLEANUP(entry_done) struct entry entry = { 0 };
        struct entry *found;

        if (saml_start(err) < 0)
                return -1;
        if ((found = find(pem, true)) == NULL) {
                if (certs_read(pem, &entry, err) < 0)
                        return -1;
                keep(&entry);
                found = find(pem, true);
        }
        *ret = found->certs;
        *ret_n = found->n_certs;
        return 0;
}
