/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

/*
 * What a message says: as JSON for people and vectors, as structs for the world.
 */

/* ---- JSON ---- */

static void
set_text(json_t *to, const char *name, const char *text)
{
        (void)json_object_set_new(
                to, name, text != NULL ? json_string(text) : json_null());
}

/* The whole text of an element; null where there is none. */
static void
set_element(json_t *to, const char *name, const xmlNode *node, bool trimmed)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf text = { 0 };
        const char *from, *end;

        if (node == NULL || node->children == NULL) {
                set_text(to, name, NULL);
                return;
        }
        kp_xml_text(node, &text);
        from = kp_buf_str(&text);
        end = from + strlen(from);
        for (; trimmed && *from != '\0' && strchr(" \t\r\n", *from) != NULL; from++)
                ;
        for (; trimmed && end > from && strchr(" \t\r\n", end[-1]) != NULL; end--)
                ;
        (void)json_object_set_new(to, name, json_stringn(from, (size_t)(end - from)));
}

static void
set_envelope(json_t *to, const xmlNode *root)
{
        static const char *const names[][2] = { { "id", "ID" },
                { "destination", "Destination" }, { "in_response_to", "InResponseTo" },
                { "issue_instant", "IssueInstant" } };

        for (size_t i = 0; i < KP_NELEMS(names); i++)
                set_text(to, names[i][0], kp_xml_attr(root, names[i][1]));
}

static xmlNode *
first(xmlDoc *doc, const char *name)
{
        xmlNode *node = NULL;

        while ((node = kp_xml_walk(xmlDocGetRootElement(doc), node)) != NULL)
                if (kp_xml_is(node, NS_ASSERTION, name))
                        break;
        return node;
}

static void
peek(xmlDoc *doc, json_t *to)
{
        xmlNode *data = first(doc, "SubjectConfirmationData");
        xmlNode *conditions = first(doc, "Conditions");

        set_envelope(to, xmlDocGetRootElement(doc));
        if (json_is_null(json_object_get(to, "in_response_to")))
                set_text(to, "in_response_to", kp_xml_attr(data, "InResponseTo"));
        set_element(to, "issuer", first(doc, "Issuer"), true);
        set_element(to, "audience", first(doc, "Audience"), false);
        set_text(to, "recipient", kp_xml_attr(data, "Recipient"));
        set_text(to, "scd_not_on_or_after", kp_xml_attr(data, "NotOnOrAfter"));
        set_text(to, "not_before", kp_xml_attr(conditions, "NotBefore"));
        set_text(to, "not_on_or_after", kp_xml_attr(conditions, "NotOnOrAfter"));
        set_element(to, "authn_context", first(doc, "AuthnContextClassRef"), false);
        set_element(to, "name_id", first(doc, "NameID"), false);
}

int
kp_saml_peek(const void *xml, size_t xml_len, json_t **ret, struct kp_error *err)
{
        KP_CLEANUP(kp_xml_free) xmlDoc *doc = NULL;
        struct kp_xml_refusal refusal;
        json_t *facts;

        if (kp_xml_parse(xml, xml_len, &doc, &refusal, err) < 0)
                return -1;
        if ((facts = json_object()) == NULL)
                return KP_FAIL(err, KP_ENOMEM, "facts");
        if (doc == NULL)
                set_text(facts, "parse_error", refusal.reason);
        else
                peek(doc, facts);
        *ret = facts;
        return 0;
}

/* { name: [value, ...] } */
static json_t *
attributes_of(const xmlNode *assertion)
{
        json_t *attributes = json_object();

        for (xmlNode *s = kp_xml_child(assertion, NS_ASSERTION, "AttributeStatement");
                s != NULL; s = kp_xml_next(s, NS_ASSERTION, "AttributeStatement"))
                for (xmlNode *a = kp_xml_child(s, NS_ASSERTION, "Attribute"); a != NULL;
                        a = kp_xml_next(a, NS_ASSERTION, "Attribute")) {
                        const char *name = kp_xml_attr(a, "Name");
                        json_t *values =
                                json_object_get(attributes, name != NULL ? name : "");

                        if (values == NULL)
                                (void)json_object_set_new(attributes,
                                        name != NULL ? name : "",
                                        values = json_array());
                        for (xmlNode *v =
                                        kp_xml_child(a, NS_ASSERTION, "AttributeValue");
                                v != NULL;
                                v = kp_xml_next(v, NS_ASSERTION, "AttributeValue")) {
                                KP_CLEANUP(kp_buf_done) struct kp_buf text = { 0 };

                                kp_xml_text(v, &text);
                                (void)json_array_append_new(
                                        values, json_string(kp_buf_str(&text)));
                        }
                }
        return attributes;
}

static void
set_assertion(json_t *to, const struct saml_check *check)
{
        xmlNode *restriction =
                kp_xml_child(check->conditions, NS_ASSERTION, "AudienceRestriction");
        xmlNode *context =
                kp_xml_child(check->authn_statement, NS_ASSERTION, "AuthnContext");
        json_t *authorities = json_array();

        if (json_is_null(json_object_get(to, "in_response_to")))
                set_text(to, "in_response_to",
                        kp_xml_attr(check->confirmation, "InResponseTo"));
        if (json_is_null(json_object_get(to, "issuer")))
                set_element(to, "issuer",
                        kp_xml_child(check->assertion, NS_ASSERTION, "Issuer"), true);
        set_text(to, "assertion_id", kp_xml_attr(check->assertion, "ID"));
        set_text(to, "recipient", kp_xml_attr(check->confirmation, "Recipient"));
        set_text(to, "scd_not_on_or_after",
                kp_xml_attr(check->confirmation, "NotOnOrAfter"));
        set_text(to, "not_before", kp_xml_attr(check->conditions, "NotBefore"));
        set_text(to, "not_on_or_after", kp_xml_attr(check->conditions, "NotOnOrAfter"));
        set_element(to, "audience", kp_xml_child(restriction, NS_ASSERTION, "Audience"),
                true);
        set_element(to, "authn_context",
                kp_xml_child(context, NS_ASSERTION, "AuthnContextClassRef"), true);
        set_text(to, "authn_instant",
                kp_xml_attr(check->authn_statement, "AuthnInstant"));
        set_text(to, "session_index",
                kp_xml_attr(check->authn_statement, "SessionIndex"));
        set_text(to, "session_not_on_or_after",
                kp_xml_attr(check->authn_statement, "SessionNotOnOrAfter"));
        for (xmlNode *a =
                        kp_xml_child(context, NS_ASSERTION, "AuthenticatingAuthority");
                a != NULL;
                a = kp_xml_next(a, NS_ASSERTION, "AuthenticatingAuthority")) {
                char text[1100];

                if (kp_xml_text_into(a, text, sizeof(text)))
                        (void)json_array_append_new(authorities, json_string(text));
        }
        (void)json_object_set_new(to, "authenticating_authorities", authorities);
        (void)json_object_set_new(to, "attributes", attributes_of(check->assertion));
        (void)json_object_set_new(to, "encrypted", json_boolean(check->was_encrypted));
}

static json_t *
signed_parts(const struct saml_check *check)
{
        json_t *parts = json_array();

        if (check->root_signed)
                (void)json_array_append_new(parts,
                        json_string(check->kind == KP_SAML_RESPONSE ? "response"
                                                                    : "message"));
        if (check->assertion_signed)
                (void)json_array_append_new(parts, json_string("assertion"));
        return parts;
}

static void
set_request(json_t *to, const xmlNode *root)
{
        xmlNode *requested = kp_xml_child(root, NS_PROTOCOL, "RequestedAuthnContext");
        xmlNode *policy = kp_xml_child(root, NS_PROTOCOL, "NameIDPolicy");
        json_t *contexts = json_array();

        set_text(to, "assertion_consumer_service_url",
                kp_xml_attr(root, "AssertionConsumerServiceURL"));
        set_text(to, "force_authn", kp_xml_attr(root, "ForceAuthn"));
        set_text(to, "is_passive", kp_xml_attr(root, "IsPassive"));
        set_text(to, "name_id_format", kp_xml_attr(policy, "Format"));
        set_text(to, "comparison", kp_xml_attr(requested, "Comparison"));
        for (xmlNode *c = kp_xml_child(requested, NS_ASSERTION, "AuthnContextClassRef");
                c != NULL; c = kp_xml_next(c, NS_ASSERTION, "AuthnContextClassRef")) {
                char text[1100];

                if (kp_xml_text_into(c, text, sizeof(text)))
                        (void)json_array_append_new(contexts, json_string(text));
        }
        (void)json_object_set_new(to, "requested_authn_contexts", contexts);
}

int
saml_facts(const struct saml_check *check, json_t **ret, struct kp_error *err)
{
        json_t *facts = json_object();

        if (facts == NULL)
                return KP_FAIL(err, KP_ENOMEM, "facts");
        set_envelope(facts, check->root);
        set_element(facts, "issuer", kp_xml_child(check->root, NS_ASSERTION, "Issuer"),
                true);
        (void)json_object_set_new(facts, "signed", signed_parts(check));
        if (check->root_signed || check->assertion_signed)
                set_text(facts, "signature_algorithm",
                        check->root_signed ? check->root_algorithm
                                           : check->assertion_algorithm);
        if (check->status_code != NULL)
                set_text(facts, "status", kp_xml_attr(check->status_code, "Value"));
        if (check->kind == KP_SAML_AUTHN_REQUEST)
                set_request(facts, check->root);
        if (check->assertion != NULL)
                set_assertion(facts, check);
        if (check->name_id != NULL) {
                set_element(facts, "name_id", check->name_id, true);
                set_text(
                        facts, "name_id_format", kp_xml_attr(check->name_id, "Format"));
                set_text(facts, "sp_name_qualifier",
                        kp_xml_attr(check->name_id, "SPNameQualifier"));
        }
        *ret = facts;
        return 0;
}

/* ---- the struct ---- */

/* Where the rules did not come: what is there, for people, not to be believed. */
static void
locate(struct saml_check *check)
{
        xmlNode *subject, *confirmation;

        if (check->assertion == NULL)
                check->assertion = kp_xml_child(check->root, NS_ASSERTION, "Assertion");
        subject = kp_xml_child(check->assertion, NS_ASSERTION, "Subject");
        confirmation = kp_xml_child(subject, NS_ASSERTION, "SubjectConfirmation");
        if (check->name_id == NULL)
                check->name_id = kp_xml_child(subject, NS_ASSERTION, "NameID");
        if (check->confirmation == NULL)
                check->confirmation = kp_xml_child(
                        confirmation, NS_ASSERTION, "SubjectConfirmationData");
        if (check->conditions == NULL)
                check->conditions =
                        kp_xml_child(check->assertion, NS_ASSERTION, "Conditions");
        if (check->authn_statement == NULL)
                check->authn_statement =
                        kp_xml_child(check->assertion, NS_ASSERTION, "AuthnStatement");
}

struct fit {
        const char *what; /* the first thing that did not fit; NULL: none */
};

static void
put_attr(
        struct fit *fit, const xmlNode *node, const char *name, char *to, size_t to_len)
{
        if (!kp_xml_copy(kp_xml_attr(node, name), to, to_len) && fit->what == NULL)
                fit->what = name;
}

static void
put_text(
        struct fit *fit, const xmlNode *node, const char *what, char *to, size_t to_len)
{
        if (!kp_xml_text_into(node, to, to_len) && fit->what == NULL)
                fit->what = what;
}

static void
fill_statement(struct fit *fit, const xmlNode *statement, struct kp_login_response *ret)
{
        xmlNode *context = kp_xml_child(statement, NS_ASSERTION, "AuthnContext");

        /* 0 where it is none */
        (void)saml_time(statement, "AuthnInstant", &ret->authn_ms);
        (void)saml_time(statement, "SessionNotOnOrAfter", &ret->session_until_ms);
        put_attr(fit, statement, "SessionIndex", ret->session_index,
                sizeof(ret->session_index));
        put_text(fit, kp_xml_child(context, NS_ASSERTION, "AuthnContextClassRef"),
                "AuthnContextClassRef", ret->context, sizeof(ret->context));
        for (xmlNode *a =
                        kp_xml_child(context, NS_ASSERTION, "AuthenticatingAuthority");
                a != NULL && ret->n_authorities < KP_NELEMS(ret->authorities);
                a = kp_xml_next(a, NS_ASSERTION, "AuthenticatingAuthority"))
                put_text(fit, a, "AuthenticatingAuthority",
                        ret->authorities[ret->n_authorities++],
                        sizeof(ret->authorities[0]));
}

static void
fill_attribute(const xmlNode *attribute, struct kp_login_response *ret)
{
        for (xmlNode *v = kp_xml_child(attribute, NS_ASSERTION, "AttributeValue");
                v != NULL; v = kp_xml_next(v, NS_ASSERTION, "AttributeValue")) {
                struct kp_attribute *place = &ret->attributes[ret->n_attributes];

                if (ret->n_attributes == KP_NELEMS(ret->attributes) ||
                        !kp_xml_copy(kp_xml_attr(attribute, "Name"), place->name,
                                sizeof(place->name)) ||
                        !kp_xml_text_into(v, place->value, sizeof(place->value)))
                        ret->n_attributes_dropped++;
                else
                        ret->n_attributes++;
        }
}

static void
fill_assertion(
        struct fit *fit, const struct saml_check *check, struct kp_login_response *ret)
{
        xmlNode *restriction =
                kp_xml_child(check->conditions, NS_ASSERTION, "AudienceRestriction");

        put_attr(fit, check->assertion, "ID", ret->assertion_id,
                sizeof(ret->assertion_id));
        put_text(fit, check->name_id, "NameID", ret->subject, sizeof(ret->subject));
        put_attr(fit, check->name_id, "Format", ret->subject_format,
                sizeof(ret->subject_format));
        put_attr(fit, check->name_id, "SPNameQualifier", ret->subject_qualifier,
                sizeof(ret->subject_qualifier));
        (void)saml_time(check->conditions, "NotBefore", &ret->not_before_ms);
        (void)saml_time(check->conditions, "NotOnOrAfter", &ret->not_on_or_after_ms);
        (void)saml_time(
                check->confirmation, "NotOnOrAfter", &ret->confirmation_until_ms);
        put_text(fit, kp_xml_child(restriction, NS_ASSERTION, "Audience"), "Audience",
                ret->audience, sizeof(ret->audience));
        fill_statement(fit, check->authn_statement, ret);
        for (xmlNode *s = kp_xml_child(
                     check->assertion, NS_ASSERTION, "AttributeStatement");
                s != NULL; s = kp_xml_next(s, NS_ASSERTION, "AttributeStatement"))
                for (xmlNode *a = kp_xml_child(s, NS_ASSERTION, "Attribute"); a != NULL;
                        a = kp_xml_next(a, NS_ASSERTION, "Attribute"))
                        fill_attribute(a, ret);
}

int
saml_fill_response(
        struct saml_check *check, struct kp_login_response *ret, struct kp_error *err)
{
        xmlNode *status = kp_xml_child(check->root, NS_PROTOCOL, "Status");
        xmlNode *code = kp_xml_child(status, NS_PROTOCOL, "StatusCode");
        struct fit fit = { 0 };

        (void)err;
        if (check->verdict->rule != NULL)
                locate(check);
        put_attr(&fit, check->root, "ID", ret->id, sizeof(ret->id));
        put_attr(&fit, check->root, "InResponseTo", ret->in_response_to,
                sizeof(ret->in_response_to));
        put_attr(&fit, check->root, "Destination", ret->destination,
                sizeof(ret->destination));
        put_text(&fit, kp_xml_child(check->root, NS_ASSERTION, "Issuer"), "Issuer",
                ret->issuer, sizeof(ret->issuer));
        (void)saml_time(check->root, "IssueInstant", &ret->issue_ms);
        put_attr(&fit, code, "Value", ret->status[0], sizeof(ret->status[0]));
        put_attr(&fit, kp_xml_child(code, NS_PROTOCOL, "StatusCode"), "Value",
                ret->status[1], sizeof(ret->status[1]));
        /* for people: cut rather than refused */
        (void)kp_xml_text_into(kp_xml_child(status, NS_PROTOCOL, "StatusMessage"),
                ret->status_message, sizeof(ret->status_message));
        ret->sign_response = check->root_signed;
        ret->sign_assertion = check->assertion_signed;
        if (check->assertion != NULL)
                fill_assertion(&fit, check, ret);
        if (ret->issuer[0] == '\0')
                put_text(&fit, kp_xml_child(check->assertion, NS_ASSERTION, "Issuer"),
                        "Issuer", ret->issuer, sizeof(ret->issuer));
        if (fit.what != NULL && check->verdict->rule == NULL)
                return saml_refuse(
                        check->verdict, "value-length", "%s is too long", fit.what);
        return 0;
}
