/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/saml/metadata.h"

#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "keypilot/codec/b64url.h"
#include "keypilot/core/free.h"

#include "internal.h"

#define ACS_MAX 64

KP_FREE_WITH(free_bio, BIO, BIO_free)

static const char *const role_names[] = {
        [KP_SAML_PROVIDER] = "IDPSSODescriptor",
        [KP_SAML_SERVICE] = "SPSSODescriptor",
};

void
kp_saml_entity_done(struct kp_saml_entity *entity)
{
        free(entity->entity_id);
        free(entity->sso_url);
        free(entity->acs_url);
        for (size_t i = 0; i < entity->n_acs_urls; i++)
                free(entity->acs_urls[i]);
        free(entity->acs_urls);
        free(entity->slo_url);
        free(entity->cert_pem);
        memset(entity, 0, sizeof(*entity));
}

struct kp_party
kp_saml_entity_party(const struct kp_saml_entity *entity)
{
        return (struct kp_party){
                .entity_id = entity->entity_id,
                .sso_url = entity->sso_url,
                .acs_url = entity->acs_url,
                .slo_url = entity->slo_url,
                .cert_pem = entity->cert_pem,
        };
}

/* A word in a list separated by white space. */
static bool
lists(const char *list, const char *word)
{
        size_t word_len = strlen(word);

        while (list != NULL && *list != '\0') {
                size_t len;

                list += strspn(list, " \t\r\n");
                len = strcspn(list, " \t\r\n");
                if (len == word_len && strncmp(list, word, len) == 0)
                        return true;
                list += len;
        }
        return false;
}

/* The descriptor of a role that speaks SAML 2.0. */
static xmlNode *
role_of(const xmlNode *entity, enum kp_saml_role role)
{
        xmlNode *node = kp_xml_child(entity, NS_METADATA, role_names[role]);

        while (node != NULL &&
                !lists(kp_xml_attr(node, "protocolSupportEnumeration"), NS_PROTOCOL))
                node = kp_xml_next(node, NS_METADATA, role_names[role]);
        return node;
}

/* The one EntityDescriptor of that role. */
static int
entity_find(const char *name, xmlDoc *doc, enum kp_saml_role role, xmlNode **ret,
        struct kp_error *err)
{
        xmlNode *node = NULL;

        *ret = NULL;
        while ((node = kp_xml_walk(xmlDocGetRootElement(doc), node)) != NULL) {
                if (!kp_xml_is(node, NS_METADATA, "EntityDescriptor") ||
                        role_of(node, role) == NULL)
                        continue;
                if (*ret != NULL)
                        return KP_FAIL(err, KP_ESCHEMA,
                                "%s: more than one entity with an %s; one is expected",
                                name, role_names[role]);
                *ret = node;
        }
        if (*ret == NULL)
                return KP_FAIL(err, KP_ESCHEMA,
                        "%s: no EntityDescriptor with an %s for SAML 2.0", name,
                        role_names[role]);
        return 0;
}

static int
copy(const char *text, char **ret, struct kp_error *err)
{
        if (text != NULL && (*ret = strdup(text)) == NULL)
                return KP_FAIL(err, KP_ENOMEM, "metadata");
        return 0;
}

/* The address of a service, by redirect if there is one, otherwise by form. */
static const char *
endpoint(const xmlNode *role, const char *service)
{
        const char *found = NULL;

        for (xmlNode *node = kp_xml_child(role, NS_METADATA, service); node != NULL;
                node = kp_xml_next(node, NS_METADATA, service)) {
                const char *binding = kp_xml_attr(node, "Binding");
                const char *url = kp_xml_attr(node, "Location");

                if (binding != NULL && strcmp(binding, BINDING_REDIRECT) == 0)
                        return url;
                if (binding != NULL && strcmp(binding, BINDING_POST) == 0 &&
                        found == NULL)
                        found = url;
        }
        return found;
}

static bool
is_true(const char *text)
{
        return text != NULL && (strcmp(text, "true") == 0 || strcmp(text, "1") == 0);
}

/* Metadata §2.4.4: the one that says so, else the first that does not say no. */
static int
read_acs(const xmlNode *role, struct kp_saml_entity *ret, struct kp_error *err)
{
        const char *chosen = NULL;
        bool sure = false;

        if ((ret->acs_urls = calloc(ACS_MAX, sizeof(char *))) == NULL)
                return KP_FAIL(err, KP_ENOMEM, "metadata");
        for (xmlNode *node =
                        kp_xml_child(role, NS_METADATA, "AssertionConsumerService");
                node != NULL && ret->n_acs_urls < ACS_MAX;
                node = kp_xml_next(node, NS_METADATA, "AssertionConsumerService")) {
                const char *binding = kp_xml_attr(node, "Binding");
                const char *is_default = kp_xml_attr(node, "isDefault");
                const char *url = kp_xml_attr(node, "Location");

                if (binding == NULL || strcmp(binding, BINDING_POST) != 0 ||
                        url == NULL)
                        continue;
                if (copy(url, &ret->acs_urls[ret->n_acs_urls], err) < 0)
                        return -1;
                ret->n_acs_urls++;
                if (chosen == NULL || (is_true(is_default) && !sure))
                        chosen = url;
                sure |= is_true(is_default);
        }
        return copy(chosen, &ret->acs_url, err);
}

/* The first certificate of an X509Data: what follows it is its chain. */
static int
put_cert(
        const char *name, const xmlNode *data, struct kp_buf *pem, struct kp_error *err)
{
        xmlNode *node = kp_xml_child(data, NS_DSIG, "X509Certificate");
        KP_CLEANUP(kp_buf_done) struct kp_buf text = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf der = { 0 };
        KP_CLEANUP(kp_free_x509) X509 *x509 = NULL;
        KP_CLEANUP(free_bio) BIO *bio = NULL;
        struct kp_error why = { 0 };
        const unsigned char *at;
        char *out;
        long out_len;

        if (node == NULL)
                return 0;
        kp_xml_text(node, &text);
        if (kp_b64_decode(kp_buf_str(&text), text.len, &der, &why) < 0)
                return KP_FAIL(err, KP_ESCHEMA,
                        "%s: line %ld: X509Certificate is not base64", name,
                        xmlGetLineNo(node));
        at = der.data;
        if (der.len == 0 || (x509 = d2i_X509(NULL, &at, (long)der.len)) == NULL)
                return KP_FAIL(err, KP_ESCHEMA,
                        "%s: line %ld: X509Certificate is no certificate", name,
                        xmlGetLineNo(node));
        bio = BIO_new(BIO_s_mem());
        if (bio == NULL || PEM_write_bio_X509(bio, x509) != 1)
                return KP_FAIL(err, KP_ENOMEM, "certificate");
        out_len = BIO_get_mem_data(bio, &out);
        kp_buf_put(pem, out, (size_t)out_len);
        return 0;
}

/* Metadata §2.4.1.1: a KeyDescriptor without use is for both. */
static int
read_certs(const char *name, const xmlNode *role, struct kp_saml_entity *ret,
        struct kp_error *err)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf pem = { 0 };

        for (xmlNode *key = kp_xml_child(role, NS_METADATA, "KeyDescriptor");
                key != NULL; key = kp_xml_next(key, NS_METADATA, "KeyDescriptor")) {
                const char *use = kp_xml_attr(key, "use");
                xmlNode *info = kp_xml_child(key, NS_DSIG, "KeyInfo");

                if (use != NULL && strcmp(use, "signing") != 0)
                        continue;
                for (xmlNode *data = kp_xml_child(info, NS_DSIG, "X509Data");
                        data != NULL; data = kp_xml_next(data, NS_DSIG, "X509Data")) {
                        size_t before = pem.len;

                        if (put_cert(name, data, &pem, err) < 0)
                                return -1;
                        ret->n_certs += pem.len > before;
                }
        }
        if (kp_buf_check(&pem, err) < 0)
                return -1;
        return pem.len == 0 ? 0 : copy(kp_buf_str(&pem), &ret->cert_pem, err);
}

static int
read_entity(const char *name, const xmlNode *entity, enum kp_saml_role role,
        struct kp_saml_entity *ret, struct kp_error *err)
{
        xmlNode *descriptor = role_of(entity, role);
        const char *id = kp_xml_attr(entity, "entityID");

        ret->role = role;
        if (id == NULL || id[0] == '\0')
                return KP_FAIL(err, KP_ESCHEMA,
                        "%s: the EntityDescriptor has no entityID", name);
        if (!saml_time(entity, "validUntil", &ret->valid_until_ms))
                return KP_FAIL(err, KP_ESCHEMA, "%s: validUntil is not a time", name);
        ret->signs_requests = is_true(kp_xml_attr(descriptor, "AuthnRequestsSigned"));
        ret->wants_signed = is_true(kp_xml_attr(
                descriptor, role == KP_SAML_PROVIDER ? "WantAuthnRequestsSigned"
                                                     : "WantAssertionsSigned"));
        if (copy(id, &ret->entity_id, err) < 0 ||
                copy(endpoint(descriptor, "SingleSignOnService"), &ret->sso_url, err) <
                        0 ||
                copy(endpoint(descriptor, "SingleLogoutService"), &ret->slo_url, err) <
                        0 ||
                read_acs(descriptor, ret, err) < 0 ||
                read_certs(name, descriptor, ret, err) < 0)
                return -1;
        if (role == KP_SAML_PROVIDER && ret->cert_pem == NULL)
                return KP_FAIL(err, KP_ESCHEMA,
                        "%s: no X509Certificate for signing in its KeyDescriptors",
                        name);
        if (role == KP_SAML_SERVICE && ret->acs_url == NULL)
                return KP_FAIL(err, KP_ESCHEMA,
                        "%s: no AssertionConsumerService over HTTP-POST", name);
        return 0;
}

int
kp_saml_metadata_read(const char *name, const void *xml, size_t xml_len,
        enum kp_saml_role role, struct kp_saml_entity *ret, struct kp_error *err)
{
        KP_CLEANUP(kp_xml_free) xmlDoc *doc = NULL;
        KP_CLEANUP(kp_saml_entity_done) struct kp_saml_entity entity = { 0 };
        xmlNode *node;

        if (kp_xml_parse_strict(name, xml, xml_len, &doc, err) < 0 ||
                entity_find(name, doc, role, &node, err) < 0 ||
                read_entity(name, node, role, &entity, err) < 0)
                return -1;
        *ret = entity;
        memset(&entity, 0, sizeof(entity));
        return 0;
}

/* ---- out ---- */

static int
put_keys(struct kp_buf *buf, const struct kp_party *party, struct kp_error *err)
{
        const struct saml_cert *certs;
        size_t n;

        if (party->cert_pem == NULL)
                return 0;
        if (saml_certs(party->cert_pem, &certs, &n, err) < 0)
                return -1;
        for (size_t i = 0; i < n; i++)
                kp_buf_printf(buf,
                        "<md:KeyDescriptor use=\"signing\"><ds:KeyInfo "
                        "xmlns:ds=\"" NS_DSIG
                        "\"><ds:X509Data><ds:X509Certificate>%s</ds:X509Certificate>"
                        "</ds:X509Data></ds:KeyInfo></md:KeyDescriptor>",
                        certs[i].base64);
        return 0;
}

static void
put_endpoint(struct kp_buf *buf, const char *name, const char *binding, const char *url,
        const char *more)
{
        if (url == NULL)
                return;
        kp_buf_printf(buf, "<md:%s", name);
        saml_put_attr(buf, "Binding", binding);
        saml_put_attr(buf, "Location", url);
        kp_buf_printf(buf, "%s/>", more);
}

int
kp_saml_metadata_write(const struct kp_party *party, enum kp_saml_role role,
        bool wants_signed, struct kp_buf *ret, struct kp_error *err)
{
        kp_buf_puts(ret, "<md:EntityDescriptor xmlns:md=\"" NS_METADATA "\"");
        saml_put_attr(ret, "entityID", party->entity_id);
        kp_buf_printf(ret, "><md:%s", role_names[role]);
        if (role == KP_SAML_PROVIDER) {
                saml_put_attr(ret, "WantAuthnRequestsSigned",
                        wants_signed ? "true" : "false");
        } else {
                saml_put_attr(ret, "AuthnRequestsSigned",
                        party->cert_pem != NULL ? "true" : "false");
                saml_put_attr(
                        ret, "WantAssertionsSigned", wants_signed ? "true" : "false");
        }
        kp_buf_puts(ret, " protocolSupportEnumeration=\"" NS_PROTOCOL "\">");
        if (put_keys(ret, party, err) < 0)
                return -1;
        put_endpoint(ret, "SingleLogoutService", BINDING_REDIRECT, party->slo_url, "");
        if (role == KP_SAML_PROVIDER)
                put_endpoint(ret, "SingleSignOnService", BINDING_REDIRECT,
                        party->sso_url, "");
        else
                put_endpoint(ret, "AssertionConsumerService", BINDING_POST,
                        party->acs_url, " index=\"0\" isDefault=\"true\"");
        kp_buf_printf(ret, "</md:%s></md:EntityDescriptor>\n", role_names[role]);
        return kp_buf_check(ret, err);
}
