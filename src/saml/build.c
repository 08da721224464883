/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "internal.h"

/*
 * Messages out. Each is written as text in the order of its schema, and parsed only
 * where xmlsec has to sign it.
 * Spec: SAML 2.0 Core §3.4.1, §3.3.3, §3.7; Profiles §4.1.4, §4.4.4
 */

static void
put_root(struct kp_buf *xml, const char *name, const char *id, int64_t issue_ms,
        const char *destination)
{
        kp_buf_printf(xml, "<samlp:%s xmlns:samlp=\"" NS_PROTOCOL "\"", name);
        kp_buf_puts(xml, " xmlns:saml=\"" NS_ASSERTION "\"");
        saml_put_attr(xml, "ID", id);
        saml_put_attr(xml, "Version", "2.0");
        saml_put_time(xml, "IssueInstant", issue_ms);
        saml_put_attr(xml, "Destination", destination);
}

static int
cert_text(const struct kp_party *party, const char **ret, struct kp_error *err)
{
        const struct saml_cert *certs;
        size_t n;

        *ret = NULL;
        if (party->cert_pem == NULL)
                return 0;
        if (saml_certs(party->cert_pem, &certs, &n, err) < 0)
                return -1;
        *ret = certs[0].base64;
        return 0;
}

static const char *
or_else(const char *text, const char *fallback)
{
        return text[0] != '\0' || fallback == NULL ? text : fallback;
}

/* Sign the root, and the assertion in it, where asked. */
static int
sign_message(struct kp_buf *xml, bool sign_assertion, bool sign_root,
        const char *key_pem, struct kp_error *err)
{
        KP_CLEANUP(kp_xml_free) xmlDoc *doc = NULL;
        xmlNode *root;
        char reason[200];

        if (key_pem == NULL)
                return KP_FAIL(err, KP_ESCHEMA, "the sender has no key to sign with");
        if (kp_buf_check(xml, err) < 0 || kp_xml_parse_strict("our own message",
                                                  xml->data, xml->len, &doc, err) < 0)
                return -1;
        root = xmlDocGetRootElement(doc);
        if (!saml_register_ids(doc, reason))
                return KP_FAIL(err, KP_EBUG, "our own message: %s", reason);
        if (sign_assertion && saml_sign(kp_xml_child(root, NS_ASSERTION, "Assertion"),
                                      key_pem, err) < 0)
                return -1;
        if (sign_root && saml_sign(root, key_pem, err) < 0)
                return -1;
        kp_buf_clear(xml);
        return kp_xml_write(root, xml, err);
}

/* ---- AuthnRequest. Core §3.4.1 ---- */

static const char *const comparisons[] = { NULL, "exact", "minimum", "maximum",
        "better" };

static void
put_policy_and_context(struct kp_buf *xml, const struct kp_login_request *request)
{
        if (request->nameid_format[0] != '\0' || request->allow_create) {
                kp_buf_puts(xml, "<samlp:NameIDPolicy");
                saml_put_attr(xml, "Format", request->nameid_format);
                saml_put_attr(
                        xml, "AllowCreate", request->allow_create ? "true" : NULL);
                kp_buf_puts(xml, "/>");
        }
        if (request->n_contexts == 0)
                return;
        kp_buf_puts(xml, "<samlp:RequestedAuthnContext");
        saml_put_attr(xml, "Comparison", comparisons[request->comparison]);
        kp_buf_puts(xml, ">");
        for (size_t i = 0; i < request->n_contexts; i++)
                saml_put_element(
                        xml, "saml:AuthnContextClassRef", request->contexts[i]);
        kp_buf_puts(xml, "</samlp:RequestedAuthnContext>");
}

static void
put_scoping(struct kp_buf *xml, const struct kp_login_request *request)
{
        if (request->proxy_count < 0 && request->n_requesters == 0)
                return;
        kp_buf_puts(xml, "<samlp:Scoping");
        if (request->proxy_count >= 0)
                kp_buf_printf(xml, " ProxyCount=\"%d\"", request->proxy_count);
        kp_buf_puts(xml, ">");
        for (size_t i = 0; i < request->n_requesters; i++)
                saml_put_element(xml, "samlp:RequesterID", request->requesters[i]);
        kp_buf_puts(xml, "</samlp:Scoping>");
}

int
saml_build_request(struct kp_random *random, const struct kp_party *service,
        const struct kp_party *provider, struct kp_login_request *request,
        struct kp_message_out *ret, struct kp_error *err)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf xml = { 0 };
        const char *to = or_else(request->destination, provider->sso_url);
        const char *cert = NULL;

        if (request->post && request->sign && cert_text(service, &cert, err) < 0)
                return -1;
        saml_new_id(random, request->id);
        put_root(&xml, "AuthnRequest", request->id, request->issue_ms, to);
        saml_put_attr(&xml, "ForceAuthn", request->force_authn ? "true" : NULL);
        saml_put_attr(&xml, "IsPassive", request->is_passive ? "true" : NULL);
        if (request->acs_url[0] != '\0') {
                saml_put_attr(&xml, "ProtocolBinding", BINDING_POST);
                saml_put_attr(&xml, "AssertionConsumerServiceURL", request->acs_url);
        }
        kp_buf_puts(&xml, ">");
        saml_put_element(
                &xml, "saml:Issuer", or_else(request->issuer, service->entity_id));
        if (request->post && request->sign)
                saml_put_signature(&xml, request->id, cert);
        put_policy_and_context(&xml, request);
        put_scoping(&xml, request);
        kp_buf_puts(&xml, "</samlp:AuthnRequest>");
        if (kp_buf_check(&xml, err) < 0)
                return -1;
        if (request->sign && service->key_pem == NULL)
                return KP_FAIL(err, KP_ESCHEMA, "the service has no key to sign with");
        if (!request->post)
                return saml_wire_redirect(to, "SAMLRequest", &xml, request->relay_state,
                        request->login_hint, request->sign ? service->key_pem : NULL,
                        ret, err);
        if (request->sign && sign_message(&xml, false, true, service->key_pem, err) < 0)
                return -1;
        return saml_wire_post(to, "SAMLRequest", &xml, request->relay_state, ret, err);
}

/* ---- Response. Core §3.3.3, Profiles §4.1.4.2 ---- */

static void
put_status(struct kp_buf *xml, char (*status)[128], const char *message)
{
        kp_buf_puts(xml, "<samlp:Status><samlp:StatusCode");
        saml_put_attr(xml, "Value", or_else(status[0], STATUS_SUCCESS));
        if (status[1][0] != '\0') {
                kp_buf_puts(xml, "><samlp:StatusCode");
                saml_put_attr(xml, "Value", status[1]);
                kp_buf_puts(xml, "/></samlp:StatusCode>");
        } else {
                kp_buf_puts(xml, "/>");
        }
        if (message != NULL && message[0] != '\0')
                saml_put_element(xml, "samlp:StatusMessage", message);
        kp_buf_puts(xml, "</samlp:Status>");
}

static void
put_subject(
        struct kp_buf *xml, const struct kp_login_response *response, const char *to)
{
        kp_buf_puts(xml, "<saml:Subject><saml:NameID");
        saml_put_attr(xml, "SPNameQualifier", response->subject_qualifier);
        saml_put_attr(xml, "Format", response->subject_format);
        kp_buf_puts(xml, ">");
        kp_xml_put(xml, response->subject);
        kp_buf_puts(xml,
                "</saml:NameID><saml:SubjectConfirmation Method=\"" METHOD_BEARER
                "\"><saml:SubjectConfirmationData");
        saml_put_time(xml, "NotOnOrAfter", response->confirmation_until_ms);
        saml_put_attr(xml, "Recipient", to);
        saml_put_attr(xml, "InResponseTo", response->in_response_to);
        kp_buf_puts(
                xml, "/></saml:SubjectConfirmation></saml:Subject><saml:Conditions");
        saml_put_time(xml, "NotBefore", response->not_before_ms);
        saml_put_time(xml, "NotOnOrAfter", response->not_on_or_after_ms);
        kp_buf_puts(xml, ">");
        if (response->audience[0] != '\0') {
                kp_buf_puts(xml, "<saml:AudienceRestriction>");
                saml_put_element(xml, "saml:Audience", response->audience);
                kp_buf_puts(xml, "</saml:AudienceRestriction>");
        }
        kp_buf_puts(xml, "</saml:Conditions>");
}

static void
put_authn_statement(struct kp_buf *xml, const struct kp_login_response *response)
{
        kp_buf_puts(xml, "<saml:AuthnStatement");
        saml_put_time(xml, "AuthnInstant", response->authn_ms);
        saml_put_attr(xml, "SessionIndex", response->session_index);
        saml_put_time(xml, "SessionNotOnOrAfter", response->session_until_ms);
        kp_buf_puts(xml, "><saml:AuthnContext>");
        saml_put_element(xml, "saml:AuthnContextClassRef", response->context);
        for (size_t i = 0; i < response->n_authorities; i++)
                saml_put_element(
                        xml, "saml:AuthenticatingAuthority", response->authorities[i]);
        kp_buf_puts(xml, "</saml:AuthnContext></saml:AuthnStatement>");
}

/* Values of one name that follow one another become one attribute. */
static void
put_attributes(struct kp_buf *xml, const struct kp_login_response *response)
{
        if (response->n_attributes == 0)
                return;
        kp_buf_puts(xml, "<saml:AttributeStatement>");
        for (size_t i = 0; i < response->n_attributes;) {
                const char *name = response->attributes[i].name;

                kp_buf_puts(xml, "<saml:Attribute");
                saml_put_attr(xml, "Name", name);
                saml_put_attr(xml, "NameFormat",
                        strchr(name, ':') != NULL
                                ? "urn:oasis:names:tc:SAML:2.0:attrname-format:uri"
                                : "urn:oasis:names:tc:SAML:2.0:attrname-format:basic");
                kp_buf_puts(xml, ">");
                for (; i < response->n_attributes &&
                        strcmp(response->attributes[i].name, name) == 0;
                        i++)
                        saml_put_element(xml, "saml:AttributeValue",
                                response->attributes[i].value);
                kp_buf_puts(xml, "</saml:Attribute>");
        }
        kp_buf_puts(xml, "</saml:AttributeStatement>");
}

static void
put_assertion(struct kp_buf *xml, const struct kp_login_response *response,
        const char *issuer, const char *to, const char *cert)
{
        kp_buf_puts(xml, "<saml:Assertion");
        saml_put_attr(xml, "ID", response->assertion_id);
        saml_put_attr(xml, "Version", "2.0");
        saml_put_time(xml, "IssueInstant", response->issue_ms);
        kp_buf_puts(xml, ">");
        saml_put_element(xml, "saml:Issuer", issuer);
        if (response->sign_assertion)
                saml_put_signature(xml, response->assertion_id, cert);
        put_subject(xml, response, to);
        put_authn_statement(xml, response);
        put_attributes(xml, response);
        kp_buf_puts(xml, "</saml:Assertion>");
}

int
saml_build_response(struct kp_random *random, const struct kp_party *provider,
        const struct kp_party *service, struct kp_login_response *response,
        struct kp_message_out *ret, struct kp_error *err)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf xml = { 0 };
        const char *to = or_else(response->destination, service->acs_url);
        const char *issuer = or_else(response->issuer, provider->entity_id);
        bool success = strcmp(or_else(response->status[0], STATUS_SUCCESS),
                               STATUS_SUCCESS) == 0;
        bool sign_assertion = success && response->sign_assertion;
        const char *cert = NULL;

        if ((sign_assertion || response->sign_response) &&
                cert_text(provider, &cert, err) < 0)
                return -1;
        saml_new_id(random, response->id);
        saml_new_id(random, response->assertion_id);
        put_root(&xml, "Response", response->id, response->issue_ms, to);
        saml_put_attr(&xml, "InResponseTo", response->in_response_to);
        kp_buf_puts(&xml, ">");
        saml_put_element(&xml, "saml:Issuer", issuer);
        if (response->sign_response)
                saml_put_signature(&xml, response->id, cert);
        put_status(&xml, response->status, response->status_message);
        if (success)
                put_assertion(&xml, response, issuer, to, cert);
        kp_buf_puts(&xml, "</samlp:Response>");
        if (kp_buf_check(&xml, err) < 0)
                return -1;
        if ((sign_assertion || response->sign_response) &&
                sign_message(&xml, sign_assertion, response->sign_response,
                        provider->key_pem, err) < 0)
                return -1;
        return saml_wire_post(
                to, "SAMLResponse", &xml, response->relay_state, ret, err);
}

/* ---- LogoutRequest and LogoutResponse. Core §3.7, Profiles §4.4.4 ---- */

static void
put_logout_subject(struct kp_buf *xml, const struct kp_logout *logout)
{
        kp_buf_puts(xml, "<saml:NameID");
        saml_put_attr(xml, "Format", logout->subject_format);
        kp_buf_puts(xml, ">");
        kp_xml_put(xml, logout->subject);
        kp_buf_puts(xml, "</saml:NameID>");
        if (logout->session_index[0] != '\0')
                saml_put_element(xml, "samlp:SessionIndex", logout->session_index);
}

int
saml_build_logout(struct kp_random *random, const struct kp_party *from,
        const struct kp_party *to, struct kp_logout *logout, struct kp_message_out *ret,
        struct kp_error *err)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf xml = { 0 };
        const char *name = logout->is_response ? "LogoutResponse" : "LogoutRequest";
        const char *url = or_else(logout->destination, to->slo_url);

        if (url[0] == '\0')
                return KP_FAIL(err, KP_EUNSUPPORTED,
                        "the other side has no address for logout");
        saml_new_id(random, logout->id);
        put_root(&xml, name, logout->id, logout->issue_ms, url);
        if (logout->is_response)
                saml_put_attr(&xml, "InResponseTo", logout->in_response_to);
        else
                saml_put_time(&xml, "NotOnOrAfter", logout->not_on_or_after_ms);
        kp_buf_puts(&xml, ">");
        saml_put_element(&xml, "saml:Issuer", or_else(logout->issuer, from->entity_id));
        if (logout->is_response)
                put_status(&xml, logout->status, NULL);
        else
                put_logout_subject(&xml, logout);
        kp_buf_printf(&xml, "</samlp:%s>", name);
        if (kp_buf_check(&xml, err) < 0)
                return -1;
        return saml_wire_redirect(url,
                logout->is_response ? "SAMLResponse" : "SAMLRequest", &xml,
                logout->relay_state, NULL,
                logout->leave_unsigned ? NULL : from->key_pem, ret, err);
}
