/* SPDX-License-Identifier: BSD-2-Clause */
#include <libxml/parser.h>
#include <stdio.h>
#include <string.h>
#include <xmlsec/crypto.h>
#include <xmlsec/keysmngr.h>
#include <xmlsec/xmlenc.h>

#include "keypilot/codec/b64url.h"
#include "keypilot/core/free.h"

#include "internal.h"

/*
 * Encrypted assertions and names, by xmlsec. Nothing outside the element is ever
 * fetched, and the element is decrypted only with the receiver's own key.
 * Spec: SAML 2.0 Core §6.1; XML Encryption §3, §4
 */

KP_FREE_WITH(free_manager, xmlSecKeysMngr, xmlSecKeysMngrDestroy)
KP_FREE_WITH(free_ctx, xmlSecEncCtx, xmlSecEncCtxDestroy)

static int KP_PRINTF(2, 3) refuse(char reason[200], const char *format, ...)
{
        va_list args;

        va_start(args, format);
        (void)vsnprintf(reason, 200, format, args);
        va_end(args);
        return 0;
}

/* The last word of an algorithm's name, for people. */
static const char *
short_name(const char *href)
{
        const char *hash = href != NULL ? strrchr(href, '#') : NULL;

        return hash != NULL ? hash + 1 : "";
}

/*
 * SAML lets the encrypted key stand beside the data, or in the data's KeyInfo. Bring it
 * to the second place, drop every pointer to somewhere else.
 */
static xmlNode *
gather_key(xmlNode *encrypted, xmlNode *data)
{
        xmlNode *info = kp_xml_child(data, NS_DSIG, "KeyInfo");
        xmlNode *key = kp_xml_child(info, NS_XENC, "EncryptedKey");
        xmlNode *pointer;

        while ((pointer = kp_xml_child(info, NS_DSIG, "RetrievalMethod")) != NULL) {
                xmlUnlinkNode(pointer);
                xmlFreeNode(pointer);
        }
        if (key != NULL)
                return key;
        if ((key = kp_xml_child(encrypted, NS_XENC, "EncryptedKey")) == NULL)
                return NULL;
        if (info == NULL) {
                xmlNode *method = kp_xml_child(data, NS_XENC, "EncryptionMethod");

                info = xmlNewDocNode(data->doc, NULL, (const xmlChar *)"KeyInfo", NULL);
                if (info == NULL)
                        return NULL;
                xmlSetNs(info, xmlNewNs(info, (const xmlChar *)NS_DSIG, NULL));
                if (method != NULL)
                        (void)xmlAddNextSibling(method, info);
                else
                        (void)xmlAddChild(data, info);
        }
        xmlUnlinkNode(key);
        (void)xmlAddChild(info, key);
        return key;
}

static xmlSecKeysMngr *
manager_of(void *key)
{
        KP_CLEANUP(free_manager) xmlSecKeysMngr *manager = xmlSecKeysMngrCreate();
        xmlSecKeyPtr copy;

        if (manager == NULL || xmlSecCryptoAppDefaultKeysMngrInit(manager) < 0 ||
                (copy = xmlSecKeyDuplicate(key)) == NULL)
                return NULL;
        if (xmlSecCryptoAppDefaultKeysMngrAdoptKey(manager, copy) < 0) {
                xmlSecKeyDestroy(copy);
                return NULL;
        }
        return KP_STEAL(manager);
}

static int
restrict_reading(xmlSecEncCtx *ctx)
{
        xmlSecKeyInfoCtx *info = &ctx->keyInfoReadCtx;

        info->retrievalMethodCtx.enabledUris = xmlSecTransformUriTypeNone;
        info->maxRetrievalMethodLevel = 0;
        info->maxEncryptedKeyLevel = 1;
        ctx->transformCtx.enabledUris = xmlSecTransformUriTypeNone;
        return xmlSecPtrListAdd(&info->enabledKeyData,
                       (const xmlSecPtr)xmlSecKeyDataEncryptedKeyId) < 0
                       ? -1
                       : 0;
}

/* What came out, as nodes in the data's place where xmlsec did not put them there. */
static bool
place_result(xmlSecEncCtx *ctx, xmlNode *encrypted)
{
        xmlNode *nodes = NULL;

        if (ctx->resultReplaced)
                return true;
        if (ctx->result == NULL ||
                xmlParseInNodeContext(encrypted,
                        (const char *)xmlSecBufferGetData(ctx->result),
                        (int)xmlSecBufferGetSize(ctx->result), XML_PARSE_NONET,
                        &nodes) != XML_ERR_OK) {
                xmlFreeNodeList(nodes);
                return false;
        }
        (void)xmlAddChildList(encrypted, nodes);
        return true;
}

/* Bytes of the encrypted key; 0 where it cannot be told. */
static size_t
wrapped_len(xmlNode *wrapped)
{
        xmlNode *data = kp_xml_child(wrapped, NS_XENC, "CipherData");
        KP_CLEANUP(kp_buf_done) struct kp_buf text = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf bytes = { 0 };
        struct kp_error ignored = { 0 };

        kp_xml_text(kp_xml_child(data, NS_XENC, "CipherValue"), &text);
        if (kp_b64_decode(kp_buf_str(&text), text.len, &bytes, &ignored) < 0)
                return 0;
        return bytes.len;
}

static bool
points_outside(xmlNode *encrypted)
{
        for (xmlNode *node = NULL; (node = kp_xml_walk(encrypted, node)) != NULL;)
                if (kp_xml_is(node, NS_XENC, "CipherReference"))
                        return true;
        return false;
}

int
saml_decrypt(xmlNode *encrypted, const char *key_pem, xmlNode **ret, char reason[200],
        struct kp_error *err)
{
        KP_CLEANUP(free_manager) xmlSecKeysMngr *manager = NULL;
        KP_CLEANUP(free_ctx) xmlSecEncCtx *ctx = NULL;
        xmlNode *data = kp_xml_child(encrypted, NS_XENC, "EncryptedData");
        xmlNode *method = kp_xml_child(data, NS_XENC, "EncryptionMethod");
        xmlNode *wrapped;
        EVP_PKEY *pkey;
        void *key;

        *ret = NULL;
        if (saml_key(key_pem, &pkey, &key, err) < 0)
                return KP_WHILE(err, "decrypting");
        if (data == NULL || kp_xml_count(encrypted, NS_XENC, "EncryptedData") != 1)
                return refuse(reason, "there is not exactly one EncryptedData");
        if (method == NULL)
                return refuse(reason, "EncryptedData does not name its algorithm");
        if (points_outside(encrypted))
                return refuse(reason, "the ciphertext is to be fetched from elsewhere");
        if ((wrapped = gather_key(encrypted, data)) == NULL)
                return refuse(reason, "there is no EncryptedKey");
        if (wrapped_len(wrapped) != (size_t)EVP_PKEY_get_size(pkey))
                return refuse(reason,
                        "it is for another key: %zu bytes, this one has %d",
                        wrapped_len(wrapped), EVP_PKEY_get_size(pkey));
        if ((manager = manager_of(key)) == NULL ||
                (ctx = xmlSecEncCtxCreate(manager)) == NULL ||
                restrict_reading(ctx) < 0)
                return KP_FAIL(err, KP_ENOMEM, "decrypting");
        (void)saml_complaint();
        if (xmlSecEncCtxDecrypt(ctx, data) < 0 || !place_result(ctx, encrypted)) {
                (void)saml_complaint(); /* tells a forger how far decryption came */
                return refuse(reason, "not decrypted (key by %.40s, data by %.40s)",
                        short_name(kp_xml_attr(
                                kp_xml_child(wrapped, NS_XENC, "EncryptionMethod"),
                                "Algorithm")),
                        short_name(kp_xml_attr(method, "Algorithm")));
        }
        for (xmlNode *node = kp_xml_first(encrypted); node != NULL;
                node = kp_xml_after(node))
                if (!kp_xml_is(node, NS_XENC, "EncryptedData") &&
                        !kp_xml_is(node, NS_XENC, "EncryptedKey")) {
                        *ret = node;
                        return 0;
                }
        return refuse(reason, "there is no element inside");
}
