/* SPDX-License-Identifier: BSD-2-Clause */
#include <libxml/parser.h>
#include <openssl/err.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xmlsec/crypto.h>
#include <xmlsec/xmldsig.h>

#include "keypilot/core/free.h"

#include "internal.h"

/*
 * XML signatures by xmlsec, and what must hold before xmlsec is asked.
 * Spec: SAML 2.0 Core §5.4; XML Signature §3.2
 */

/* What SAML lets a signature be made of; all else is refused before xmlsec sees it. */
enum use { DIGEST, SIGNATURE, CANON, ENVELOPED };
static const struct algorithm {
        const char *href;
        enum use use;
        bool sha1;
        const char *md; /* of raw signatures, for OpenSSL */
        int key;        /* EVP_PKEY type of a signature */
} algorithms[] = {
        /* clang-format off */
        { NS_DSIG "sha1",                                         DIGEST,    true,  NULL,     0 },
        { NS_XENC "sha256",                                       DIGEST,    false, NULL,     0 },
        { "http://www.w3.org/2001/04/xmldsig-more#sha384",        DIGEST,    false, NULL,     0 },
        { NS_XENC "sha512",                                       DIGEST,    false, NULL,     0 },
        { NS_DSIG "rsa-sha1",                                     SIGNATURE, true,  "SHA1",   EVP_PKEY_RSA },
        { ALG_RSA_SHA256,                                         SIGNATURE, false, "SHA256", EVP_PKEY_RSA },
        { "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384",    SIGNATURE, false, "SHA384", EVP_PKEY_RSA },
        { "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512",    SIGNATURE, false, "SHA512", EVP_PKEY_RSA },
        { "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",  SIGNATURE, false, "SHA256", EVP_PKEY_EC },
        { "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384",  SIGNATURE, false, "SHA384", EVP_PKEY_EC },
        { "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512",  SIGNATURE, false, "SHA512", EVP_PKEY_EC },
        { ALG_EXC_C14N,                                           CANON,     false, NULL,     0 },
        { ALG_C14N,                                               CANON,     false, NULL,     0 },
        { ALG_ENVELOPED,                                          ENVELOPED, false, NULL,     0 },
        /* clang-format on */
};

static const struct algorithm *
algorithm_find(const char *href)
{
        for (size_t i = 0; href != NULL && i < KP_NELEMS(algorithms); i++)
                if (strcmp(algorithms[i].href, href) == 0)
                        return &algorithms[i];
        return NULL;
}

static bool
is_sha1(const char *href)
{
        const struct algorithm *algorithm = algorithm_find(href);

        return algorithm != NULL && algorithm->sha1;
}

static bool
is_use(const char *href, enum use use)
{
        const struct algorithm *algorithm = algorithm_find(href);

        return algorithm != NULL && algorithm->use == use;
}

static void
free_ctx(xmlSecDSigCtx **ctx)
{
        if (*ctx == NULL)
                return;
        (*ctx)->signKey = NULL; /* ours, from the cache */
        xmlSecDSigCtxDestroy(*ctx);
        *ctx = NULL;
}

void
saml_put_signature(struct kp_buf *buf, const char *id, const char *cert_base64)
{
        kp_buf_puts(buf, "<ds:Signature xmlns:ds=\"" NS_DSIG "\"><ds:SignedInfo>"
                         "<ds:CanonicalizationMethod Algorithm=\"" ALG_EXC_C14N "\"/>"
                         "<ds:SignatureMethod Algorithm=\"" ALG_RSA_SHA256 "\"/>"
                         "<ds:Reference URI=\"#");
        kp_xml_put(buf, id);
        kp_buf_puts(buf,
                "\"><ds:Transforms>"
                "<ds:Transform Algorithm=\"" ALG_ENVELOPED "\"/>"
                "<ds:Transform Algorithm=\"" ALG_EXC_C14N "\"/></ds:Transforms>"
                "<ds:DigestMethod Algorithm=\"" ALG_SHA256 "\"/><ds:DigestValue/>"
                "</ds:Reference></ds:SignedInfo><ds:SignatureValue/>");
        if (cert_base64 != NULL) {
                kp_buf_puts(buf, "<ds:KeyInfo><ds:X509Data><ds:X509Certificate>");
                kp_buf_puts(buf, cert_base64);
                kp_buf_puts(buf, "</ds:X509Certificate></ds:X509Data></ds:KeyInfo>");
        }
        kp_buf_puts(buf, "</ds:Signature>");
}

int
saml_sign(xmlNode *node, const char *key_pem, struct kp_error *err)
{
        KP_CLEANUP(free_ctx) xmlSecDSigCtx *ctx = NULL;
        xmlNode *signature = kp_xml_child(node, NS_DSIG, "Signature");
        void *key;

        if (saml_key(key_pem, NULL, &key, err) < 0)
                return KP_WHILE(err, "signing");
        if ((ctx = xmlSecDSigCtxCreate(NULL)) == NULL)
                return KP_FAIL(err, KP_ENOMEM, "signature");
        ctx->signKey = key;
        if (xmlSecDSigCtxSign(ctx, signature) < 0 ||
                ctx->status != xmlSecDSigStatusSucceeded)
                return KP_FAIL_AS(err, KP_EUNSUPPORTED, "xmlsec", 0,
                        "this key does not sign with RSA-SHA256: %s", saml_complaint());
        return 0;
}

/* ---- what must hold before a signature is verified ---- */

struct look {
        xmlNode *node, *signature, *info, *reference;
        const struct saml_signature_policy *policy;
        bool is_beside;
        const char **rule;
        char *reason;
};

static bool KP_PRINTF(3, 4)
        refuse(struct look *look, const char *rule, const char *format, ...)
{
        va_list args;

        if (!saml_rule_is_on(look->policy->off, rule))
                return true;
        va_start(args, format);
        (void)vsnprintf(look->reason, 200, format, args);
        va_end(args);
        *look->rule = rule;
        return false;
}

static xmlNode *
only_child(xmlNode *parent, const char *name)
{
        return kp_xml_count(parent, NS_DSIG, name) == 1
                       ? kp_xml_child(parent, NS_DSIG, name)
                       : NULL;
}

/* Core §2.3.3, §3.2.1, §3.2.2: the schema puts it after the Issuer, before the rest. */
static bool
stands_in_order(struct look *look)
{
        xmlNode *before = kp_xml_first(look->node);

        if (kp_xml_is(before, NS_ASSERTION, "Issuer"))
                before = kp_xml_after(before);
        if (before == look->signature)
                return true;
        return refuse(
                look, "signature-order", "the signature does not follow the Issuer");
}

/* SignedInfo, SignatureValue, perhaps KeyInfo; nothing that could hide the signed. */
static bool
has_right_parts(struct look *look)
{
        if (kp_xml_count(look->node, NS_DSIG, "Signature") != 1)
                return refuse(look, "signature-position", "more than one signature");
        for (xmlNode *part = kp_xml_first(look->signature); part != NULL;
                part = kp_xml_after(part))
                if (!kp_xml_is(part, NS_DSIG, "SignedInfo") &&
                        !kp_xml_is(part, NS_DSIG, "SignatureValue") &&
                        !kp_xml_is(part, NS_DSIG, "KeyInfo"))
                        return refuse(look, "signature-position",
                                "the signature contains <%.40s>",
                                (const char *)part->name);
        look->info = only_child(look->signature, "SignedInfo");
        if (look->info == NULL || only_child(look->signature, "SignatureValue") == NULL)
                return refuse(look, "signature-position",
                        "the signature has not exactly one SignedInfo and one "
                        "SignatureValue");
        return stands_in_order(look);
}

/* Core §5.4.2: one reference, to the element that holds the signature. */
static bool
refers_to_its_own(struct look *look)
{
        const char *id = kp_xml_attr(look->node, "ID");
        const char *uri;

        look->reference = only_child(look->info, "Reference");
        if (look->reference == NULL)
                return refuse(look, "signature-reference",
                        "the signature has %zu references",
                        kp_xml_count(look->info, NS_DSIG, "Reference"));
        uri = kp_xml_attr(look->reference, "URI");
        if (uri == NULL || uri[0] == '\0')
                return refuse(look, "signature-reference",
                        "the signature refers to the whole document, not to an ID");
        look->is_beside = look->policy->beside != NULL && uri[0] == '#' &&
                          strcmp(uri + 1, look->policy->beside) == 0;
        if (look->is_beside)
                return true;
        if (id == NULL || uri[0] != '#' || strcmp(uri + 1, id) != 0)
                return refuse(look, "signature-reference",
                        "the signature refers to '%.60s', its element is '%.60s'", uri,
                        id != NULL ? id : "");
        return true;
}

/* Core §5.4.4: enveloped-signature and a canonical form, nothing else, none twice. */
static bool
has_right_transforms(struct look *look)
{
        xmlNode *transforms = only_child(look->reference, "Transforms");
        size_t n = 0, n_enveloped = 0;

        for (xmlNode *t = kp_xml_first(transforms); t != NULL;
                t = kp_xml_after(t), n++) {
                const char *href = kp_xml_attr(t, "Algorithm");

                if (!is_use(href, ENVELOPED) && !is_use(href, CANON))
                        return refuse(look, "signature-transforms",
                                "transform '%.80s' is not allowed",
                                href != NULL ? href : "");
                n_enveloped += is_use(href, ENVELOPED);
                if (kp_xml_first(t) != NULL && !kp_xml_is(kp_xml_first(t), ALG_EXC_C14N,
                                                       "InclusiveNamespaces"))
                        return refuse(look, "signature-transforms",
                                "a transform has contents of its own");
        }
        if (n > 2 || n_enveloped > 1 || (n_enveloped == 0 && !look->is_beside))
                return refuse(look, "signature-transforms",
                        "%zu transforms, %zu of them enveloped-signature", n,
                        n_enveloped);
        return true;
}

static bool
has_right_algorithms(struct look *look, const char **ret_algorithm)
{
        const char *canon = kp_xml_attr(
                only_child(look->info, "CanonicalizationMethod"), "Algorithm");
        const char *method =
                kp_xml_attr(only_child(look->info, "SignatureMethod"), "Algorithm");
        const char *digest =
                kp_xml_attr(only_child(look->reference, "DigestMethod"), "Algorithm");

        if (ret_algorithm != NULL)
                *ret_algorithm = method;
        if (!is_use(canon, CANON))
                return refuse(look, "signature-canonicalization",
                        "canonical form '%.80s' is not allowed",
                        canon != NULL ? canon : "");
        if (!is_use(method, SIGNATURE))
                return refuse(look, "signature-algorithm",
                        "signature method '%.80s' is not allowed",
                        method != NULL ? method : "");
        if (!is_use(digest, DIGEST))
                return refuse(look, "signature-algorithm",
                        "digest '%.80s' is not allowed", digest != NULL ? digest : "");
        if (!look->policy->allow_sha1 && (is_sha1(method) || is_sha1(digest)))
                return refuse(look, "signature-sha1", "the signature rests on SHA-1");
        return true;
}

static int
enable_transforms(xmlSecDSigCtx *ctx)
{
        const xmlSecTransformId references[] = { xmlSecTransformEnvelopedId,
                xmlSecTransformExclC14NId, xmlSecTransformInclC14NId,
                xmlSecTransformSha1Id, xmlSecTransformSha256Id, xmlSecTransformSha384Id,
                xmlSecTransformSha512Id };
        const xmlSecTransformId signatures[] = { xmlSecTransformExclC14NId,
                xmlSecTransformInclC14NId, xmlSecTransformRsaSha1Id,
                xmlSecTransformRsaSha256Id, xmlSecTransformRsaSha384Id,
                xmlSecTransformRsaSha512Id, xmlSecTransformEcdsaSha256Id,
                xmlSecTransformEcdsaSha384Id, xmlSecTransformEcdsaSha512Id };

        for (size_t i = 0; i < KP_NELEMS(references); i++)
                if (xmlSecDSigCtxEnableReferenceTransform(ctx, references[i]) < 0)
                        return -1;
        for (size_t i = 0; i < KP_NELEMS(signatures); i++)
                if (xmlSecDSigCtxEnableSignatureTransform(ctx, signatures[i]) < 0)
                        return -1;
        return 0;
}

/*
 * One certificate's key against the signature. The key is set, so that xmlsec never
 * reads KeyInfo. Its result says only that it could work; the status says what came
 * out.
 */
static int
verify_with(xmlNode *signature, void *key, bool *ret, struct kp_error *err)
{
        KP_CLEANUP(free_ctx) xmlSecDSigCtx *ctx = xmlSecDSigCtxCreate(NULL);

        if (ctx == NULL || enable_transforms(ctx) < 0)
                return KP_FAIL(err, KP_ENOMEM, "signature");
        ctx->enabledReferenceUris = xmlSecTransformUriTypeSameDocument;
        ctx->flags |= XMLSEC_DSIG_FLAGS_IGNORE_MANIFESTS;
        ctx->signKey = key;
        *ret = xmlSecDSigCtxVerify(ctx, signature) == 0 &&
               ctx->status == xmlSecDSigStatusSucceeded;
        return 0;
}

static int
verify_value(struct look *look, bool *ret, struct kp_error *err)
{
        const struct saml_cert *certs;
        size_t n;

        *ret = false;
        if (look->policy->cert_pem == NULL) {
                *ret = refuse(
                        look, "signature-key", "no certificate of the sender is known");
                return 0;
        }
        if (saml_certs(look->policy->cert_pem, &certs, &n, err) < 0)
                return KP_WHILE(err, "certificate of the sender");
        for (size_t i = 0; i < n && !*ret; i++)
                if (verify_with(look->signature, certs[i].key, ret, err) < 0)
                        return -1;
        if (!*ret)
                *ret = refuse(look, "signature-value",
                        "the signature does not fit the message and %s",
                        n == 1 ? "the sender's certificate"
                               : "any certificate of the sender");
        (void)saml_complaint(); /* xmlsec's words go by its steps, ours by ours */
        return 0;
}

int
saml_check_signature(xmlNode *node, const struct saml_signature_policy *policy,
        enum saml_signature *ret, const char **ret_algorithm, const char **rule,
        char reason[200], struct kp_error *err)
{
        struct look look = {
                .node = node, .policy = policy, .rule = rule, .reason = reason
        };
        bool good = false;

        look.signature = kp_xml_child(node, NS_DSIG, "Signature");
        *ret = SIGNATURE_ABSENT;
        if (look.signature == NULL)
                return 0;
        if (saml_start(err) < 0)
                return -1;
        *ret = SIGNATURE_REFUSED;
        *rule = NULL;
        if (!has_right_parts(&look) || !refers_to_its_own(&look) ||
                !has_right_transforms(&look) ||
                !has_right_algorithms(&look, ret_algorithm))
                return 0;
        if (verify_value(&look, &good, err) < 0)
                return -1;
        if (good)
                *ret = look.is_beside ? SIGNATURE_GOOD_BESIDE : SIGNATURE_GOOD;
        return 0;
}

/* ---- IDs ---- */

static int
compare_ids(const void *a, const void *b)
{
        return strcmp(*(const char *const *)a, *(const char *const *)b);
}

KP_FREE_WITH(free_ids, const char *, free)

/* The first ID that two elements have; NULL: none, or no memory (told in `failed`). */
static const char *
twice(xmlDoc *doc, bool *failed)
{
        KP_CLEANUP(free_ids) const char **ids = NULL;
        size_t n = 0, cap = 0;

        for (xmlNode *node = NULL;
                (node = kp_xml_walk(xmlDocGetRootElement(doc), node)) != NULL;) {
                const char *id = kp_xml_attr(node, "ID");

                if (id == NULL)
                        continue;
                if (n == cap) {
                        const char **more = realloc(ids, (cap + 16) * 2 * sizeof(*ids));

                        if (more == NULL) {
                                *failed = true;
                                return NULL;
                        }
                        ids = more;
                        cap = (cap + 16) * 2;
                }
                ids[n++] = id;
        }
        if (n < 2)
                return NULL;
        qsort(ids, n, sizeof(*ids), compare_ids);
        for (size_t i = 1; i < n; i++)
                if (strcmp(ids[i - 1], ids[i]) == 0)
                        return ids[i];
        return NULL;
}

static bool
register_id(xmlNode *node)
{
        xmlAttr *attr = xmlHasNsProp(node, (const xmlChar *)"ID", NULL);
        const char *id = kp_xml_attr(node, "ID");

        if (attr == NULL || id == NULL || id[0] == '\0' ||
                attr->atype == XML_ATTRIBUTE_ID)
                return true;
        return xmlAddID(NULL, node->doc, (const xmlChar *)id, attr) != NULL;
}

bool
saml_register_ids(xmlDoc *doc, char reason[200])
{
        xmlNode *root = xmlDocGetRootElement(doc);
        bool failed = false;
        const char *id = twice(doc, &failed);

        if (id != NULL || failed) {
                (void)snprintf(reason, 200, "the ID '%.80s' occurs twice",
                        id != NULL ? id : "");
                return false;
        }
        if (!register_id(root)) {
                (void)snprintf(reason, 200, "the ID of the message occurs twice");
                return false;
        }
        for (xmlNode *node = kp_xml_first(root); node != NULL;
                node = kp_xml_after(node)) {
                xmlNode *assertion =
                        kp_xml_is(node, NS_ASSERTION, "EncryptedAssertion")
                                ? kp_xml_child(node, NS_ASSERTION, "Assertion")
                                : node;

                if (!kp_xml_is(assertion, NS_ASSERTION, "Assertion") ||
                        register_id(assertion))
                        continue;
                (void)snprintf(reason, 200, "the ID of the assertion occurs twice");
                return false;
        }
        return true;
}

/* ---- raw signatures ---- */

int
saml_sign_bytes(const char *key_pem, const void *bytes, size_t bytes_len,
        struct kp_buf *ret, struct kp_error *err)
{
        KP_CLEANUP(kp_free_md_ctx) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
        uint8_t signature[1024];
        size_t signature_len = sizeof(signature);
        EVP_PKEY *pkey;

        if (saml_key(key_pem, &pkey, NULL, err) < 0)
                return KP_WHILE(err, "signing");
        if (EVP_PKEY_get_base_id(pkey) != EVP_PKEY_RSA ||
                (size_t)EVP_PKEY_get_size(pkey) > sizeof(signature))
                return KP_FAIL(err, KP_EUNSUPPORTED,
                        "signing: an RSA key of at most 8192 bits is needed");
        if (ctx == NULL ||
                EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, pkey) != 1 ||
                EVP_DigestSign(ctx, signature, &signature_len, bytes, bytes_len) != 1)
                return KP_FAIL_AS(err, KP_EUNSUPPORTED, "openssl", (int)ERR_get_error(),
                        "this key does not sign with RSA-SHA256");
        kp_buf_put(ret, signature, signature_len);
        return kp_buf_check(ret, err);
}

int
saml_verify_bytes(const char *cert_pem, const char *algorithm, bool allow_sha1,
        const void *bytes, size_t bytes_len, const uint8_t *signature,
        size_t signature_len, bool *ret, struct kp_error *err)
{
        const struct algorithm *alg = algorithm_find(algorithm);
        const struct saml_cert *certs;
        size_t n;

        *ret = false;
        if (alg == NULL || alg->use != SIGNATURE || (alg->sha1 && !allow_sha1))
                return 0;
        if (saml_certs(cert_pem, &certs, &n, err) < 0)
                return KP_WHILE(err, "certificate of the sender");
        for (size_t i = 0; i < n && !*ret; i++) {
                KP_CLEANUP(kp_free_md_ctx) EVP_MD_CTX *ctx = EVP_MD_CTX_new();

                if (ctx == NULL)
                        return KP_FAIL(err, KP_ENOMEM, "signature");
                if (EVP_PKEY_get_base_id(certs[i].pkey) != alg->key)
                        continue;
                *ret = EVP_DigestVerifyInit_ex(ctx, NULL, alg->md, NULL, NULL,
                               certs[i].pkey, NULL) == 1 &&
                       EVP_DigestVerify(
                               ctx, signature, signature_len, bytes, bytes_len) == 1;
        }
        ERR_clear_error();
        return 0;
}
