/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "check.h"

/*
 * Messages in: from what a browser carried to a verdict and a struct.
 */

/* A message on its way through binding, parser and rules. */
struct arrival {
        struct saml_wire wire;
        struct saml_check check;
};

static void
arrival_done(struct arrival *arrival)
{
        saml_check_done(&arrival->check);
        saml_wire_done(&arrival->wire);
}

/* Bindings §3.4.4.1: the signature of a redirect is over its query. */
static int
judge_query(struct arrival *arrival, struct kp_error *err)
{
        const struct kp_party *peer = arrival->check.policy->peer;
        struct saml_wire *wire = &arrival->wire;

        if (wire->signature.len == 0)
                return 0;
        arrival->check.query.present = true;
        if (peer == NULL || peer->cert_pem == NULL)
                return 0;
        return saml_verify_bytes(peer->cert_pem, wire->algorithm,
                arrival->check.policy->allow_sha1, wire->signed_text.data,
                wire->signed_text.len, wire->signature.data, wire->signature.len,
                &arrival->check.query.good, err);
}

/* ---- the memo ---- */

void
saml_memo_done(struct saml_memo *memo)
{
        free(memo->text);
        free(memo->relay_state);
        saml_wire_done(&memo->wire);
        kp_xml_free(&memo->doc);
        memset(memo, 0, sizeof(*memo));
}

static const char *
text_of(const struct kp_message_in *in)
{
        return in->value != NULL ? in->value : in->query;
}

static bool
is_same(const char *a, const char *b)
{
        return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* Keep what was decoded; where there is no memory for it, it is decoded again later. */
static void
memo_keep(struct saml_memo *memo, const struct kp_message_in *in,
        struct saml_wire *wire, xmlDoc **doc)
{
        saml_memo_done(memo);
        memo->text = strdup(text_of(in));
        if (in->relay_state != NULL)
                memo->relay_state = strdup(in->relay_state);
        memo->wire = *wire;
        memset(wire, 0, sizeof(*wire));
        memo->doc = KP_STEAL(*doc);
}

/* The message that was kept, if it is this one. */
static bool
memo_take(struct saml_memo *memo, const struct kp_message_in *in,
        struct saml_wire *ret_wire, xmlDoc **ret_doc)
{
        if (memo->text == NULL || !is_same(memo->text, text_of(in)) ||
                !is_same(memo->relay_state, in->relay_state))
                return false;
        *ret_wire = memo->wire;
        memset(&memo->wire, 0, sizeof(memo->wire));
        *ret_doc = KP_STEAL(memo->doc);
        saml_memo_done(memo);
        return true;
}

/* ---- receiving ---- */

/* Decode and parse. What was not even readable leaves check.doc NULL and a verdict. */
static int
open_message(struct arrival *arrival, struct saml_memo *memo,
        const struct kp_message_in *in, const char *field, struct kp_error *err)
{
        struct saml_check *check = &arrival->check;

        if (memo_take(memo, in, &arrival->wire, &check->doc)) {
                check->root = xmlDocGetRootElement(check->doc);
                return 0;
        }
        if (saml_wire_read(in, field, &arrival->wire, err) < 0)
                return -1;
        if (arrival->wire.rule != NULL &&
                saml_rule_is_on(check->policy, arrival->wire.rule))
                return saml_refuse(
                        check->verdict, arrival->wire.rule, "%s", arrival->wire.reason);
        if (kp_buf_check(&arrival->wire.xml, err) < 0)
                return -1;
        return saml_open(check, arrival->wire.xml.data, arrival->wire.xml.len, err);
}

static int
receive(struct arrival *arrival, struct saml_memo *memo, const struct kp_message_in *in,
        const char *field, struct kp_error *err)
{
        struct saml_check *check = &arrival->check;

        memset(check->verdict, 0, sizeof(*check->verdict));
        if (open_message(arrival, memo, in, field, err) < 0)
                return -1;
        if (check->doc == NULL)
                return 0;
        /* a form does not tell which of the two it carries */
        if (check->kind == KP_SAML_LOGOUT_RESPONSE && !arrival->wire.redirect &&
                kp_xml_is(check->root, NS_PROTOCOL, "LogoutRequest"))
                check->kind = KP_SAML_LOGOUT_REQUEST;
        if (judge_query(arrival, err) < 0)
                return -1;
        return saml_run(check, err);
}

static const char *
field_of(const struct kp_message_in *in)
{
        if (in->value == NULL && in->query != NULL &&
                strstr(in->query, "SAMLRequest=") != NULL)
                return "SAMLRequest";
        return "SAMLResponse";
}

int
saml_read_issuer(struct saml_memo *memo, const struct kp_message_in *in, char ret[256],
        struct kp_error *err)
{
        KP_CLEANUP(saml_wire_done) struct saml_wire wire = { 0 };
        KP_CLEANUP(kp_xml_free) xmlDoc *doc = NULL;
        struct kp_xml_refusal refusal;
        xmlNode *root;

        ret[0] = '\0';
        if (saml_wire_read(in, field_of(in), &wire, err) < 0)
                return -1;
        if (wire.xml.len == 0)
                return 0;
        if (kp_xml_parse(wire.xml.data, wire.xml.len, &doc, &refusal, err) < 0)
                return -1;
        if (doc == NULL)
                return 0;
        root = xmlDocGetRootElement(doc);
        (void)kp_xml_text_into(kp_xml_child(root, NS_ASSERTION, "Issuer"), ret, 256);
        if (ret[0] == '\0') /* a response may leave it to its assertion */
                (void)kp_xml_text_into(
                        kp_xml_child(kp_xml_child(root, NS_ASSERTION, "Assertion"),
                                NS_ASSERTION, "Issuer"),
                        ret, 256);
        if (wire.rule == NULL)
                memo_keep(memo, in, &wire, &doc);
        return 0;
}

int
saml_read_response(struct saml_memo *memo, const struct kp_message_in *in,
        const struct kp_response_policy *policy, struct kp_login_response *ret,
        struct kp_federation_verdict *verdict, struct kp_error *err)
{
        KP_CLEANUP(arrival_done)
        struct arrival arrival = {
                .check = { .policy = policy,
                        .verdict = verdict,
                        .kind = KP_SAML_RESPONSE },
        };

        memset(ret, 0, sizeof(*ret));
        if (receive(&arrival, memo, in, "SAMLResponse", err) < 0)
                return -1;
        (void)kp_xml_copy(
                arrival.wire.relay_state, ret->relay_state, sizeof(ret->relay_state));
        return arrival.check.doc == NULL ? 0
                                         : saml_fill_response(&arrival.check, ret, err);
}

/* ---- AuthnRequest ---- */

/* XML Schema Part 2 §3.2.2: four ways to write a boolean. */
static bool
is_true(const char *text)
{
        return text != NULL && (strcmp(text, "true") == 0 || strcmp(text, "1") == 0);
}

static bool
fill_contexts(xmlNode *requested, struct kp_login_request *ret)
{
        static const char *const names[] = { "exact", "minimum", "maximum", "better" };
        const char *comparison = kp_xml_attr(requested, "Comparison");
        bool fits = true;

        if (requested == NULL)
                return true;
        ret->comparison = KP_EXACT; /* Core §3.3.2.2.1: the default */
        for (size_t i = 0; comparison != NULL && i < KP_NELEMS(names); i++)
                if (strcmp(comparison, names[i]) == 0)
                        ret->comparison = (enum kp_comparison)(KP_EXACT + i);
        for (xmlNode *c = kp_xml_child(requested, NS_ASSERTION, "AuthnContextClassRef");
                c != NULL; c = kp_xml_next(c, NS_ASSERTION, "AuthnContextClassRef")) {
                if (ret->n_contexts == KP_NELEMS(ret->contexts))
                        return false;
                fits &= kp_xml_text_into(
                        c, ret->contexts[ret->n_contexts++], sizeof(ret->contexts[0]));
        }
        return fits;
}

static bool
fill_scoping(xmlNode *scoping, struct kp_login_request *ret)
{
        const char *count = kp_xml_attr(scoping, "ProxyCount");
        bool fits = true;

        ret->proxy_count = -1;
        if (count != NULL && count[0] >= '0' && count[0] <= '9')
                ret->proxy_count = (int)strtol(count, NULL, 10);
        for (xmlNode *r = kp_xml_child(scoping, NS_PROTOCOL, "RequesterID"); r != NULL;
                r = kp_xml_next(r, NS_PROTOCOL, "RequesterID")) {
                if (ret->n_requesters == KP_NELEMS(ret->requesters))
                        return false;
                fits &= kp_xml_text_into(r, ret->requesters[ret->n_requesters++],
                        sizeof(ret->requesters[0]));
        }
        return fits;
}

static bool
fill_request(const struct arrival *arrival, struct kp_login_request *ret)
{
        xmlNode *root = arrival->check.root;
        xmlNode *policy = kp_xml_child(root, NS_PROTOCOL, "NameIDPolicy");
        bool fits;

        (void)saml_time(root, "IssueInstant", &ret->issue_ms);
        ret->force_authn = is_true(kp_xml_attr(root, "ForceAuthn"));
        ret->is_passive = is_true(kp_xml_attr(root, "IsPassive"));
        ret->allow_create = is_true(kp_xml_attr(policy, "AllowCreate"));
        ret->sign = arrival->check.root_signed;
        ret->post = !arrival->wire.redirect;
        (void)kp_xml_copy(
                arrival->wire.relay_state, ret->relay_state, sizeof(ret->relay_state));
        (void)kp_xml_copy(arrival->wire.hint, ret->login_hint, sizeof(ret->login_hint));
        fits = kp_xml_copy(kp_xml_attr(root, "ID"), ret->id, sizeof(ret->id));
        fits &= kp_xml_text_into(kp_xml_child(root, NS_ASSERTION, "Issuer"),
                ret->issuer, sizeof(ret->issuer));
        fits &= kp_xml_copy(kp_xml_attr(root, "AssertionConsumerServiceURL"),
                ret->acs_url, sizeof(ret->acs_url));
        fits &= kp_xml_copy(kp_xml_attr(root, "Destination"), ret->destination,
                sizeof(ret->destination));
        fits &= kp_xml_copy(kp_xml_attr(policy, "Format"), ret->nameid_format,
                sizeof(ret->nameid_format));
        fits &= fill_contexts(
                kp_xml_child(root, NS_PROTOCOL, "RequestedAuthnContext"), ret);
        return fits & fill_scoping(kp_xml_child(root, NS_PROTOCOL, "Scoping"), ret);
}

int
saml_read_request(struct saml_memo *memo, const struct kp_message_in *in,
        const struct kp_party *provider, const struct kp_party *service, int64_t now_ms,
        struct kp_login_request *ret, struct kp_federation_verdict *verdict,
        struct kp_error *err)
{
        const struct kp_response_policy policy = {
                .own = provider, .peer = service, .now_ms = now_ms
        };
        KP_CLEANUP(arrival_done)
        struct arrival arrival = {
                .check = { .policy = &policy,
                        .verdict = verdict,
                        .kind = KP_SAML_AUTHN_REQUEST },
        };

        memset(ret, 0, sizeof(*ret));
        ret->proxy_count = -1;
        if (receive(&arrival, memo, in, "SAMLRequest", err) < 0)
                return -1;
        if (arrival.check.doc == NULL || fill_request(&arrival, ret) ||
                verdict->rule != NULL)
                return 0;
        return saml_refuse(verdict, "value-length",
                "the request says more, or longer, than is read");
}

/* ---- logout ---- */

static bool
fill_logout(const struct arrival *arrival, struct kp_logout *ret)
{
        const struct saml_check *check = &arrival->check;
        xmlNode *root = check->root;
        xmlNode *code = kp_xml_child(
                kp_xml_child(root, NS_PROTOCOL, "Status"), NS_PROTOCOL, "StatusCode");
        bool fits;

        (void)saml_time(root, "IssueInstant", &ret->issue_ms);
        (void)saml_time(root, "NotOnOrAfter", &ret->not_on_or_after_ms);
        ret->is_response = check->kind == KP_SAML_LOGOUT_RESPONSE;
        ret->is_signed = check->root_signed;
        (void)kp_xml_copy(
                arrival->wire.relay_state, ret->relay_state, sizeof(ret->relay_state));
        fits = kp_xml_copy(kp_xml_attr(root, "ID"), ret->id, sizeof(ret->id));
        fits &= kp_xml_copy(kp_xml_attr(root, "InResponseTo"), ret->in_response_to,
                sizeof(ret->in_response_to));
        fits &= kp_xml_text_into(kp_xml_child(root, NS_ASSERTION, "Issuer"),
                ret->issuer, sizeof(ret->issuer));
        fits &= kp_xml_copy(kp_xml_attr(root, "Destination"), ret->destination,
                sizeof(ret->destination));
        fits &= kp_xml_text_into(check->name_id, ret->subject, sizeof(ret->subject));
        fits &= kp_xml_copy(kp_xml_attr(check->name_id, "Format"), ret->subject_format,
                sizeof(ret->subject_format));
        fits &= kp_xml_text_into(kp_xml_child(root, NS_PROTOCOL, "SessionIndex"),
                ret->session_index, sizeof(ret->session_index));
        fits &= kp_xml_copy(
                kp_xml_attr(code, "Value"), ret->status[0], sizeof(ret->status[0]));
        return fits &
               kp_xml_copy(kp_xml_attr(kp_xml_child(code, NS_PROTOCOL, "StatusCode"),
                                   "Value"),
                       ret->status[1], sizeof(ret->status[1]));
}

int
saml_read_logout(struct saml_memo *memo, const struct kp_message_in *in,
        const struct kp_party *own, const struct kp_party *peer, int64_t now_ms,
        struct kp_logout *ret, struct kp_federation_verdict *verdict,
        struct kp_error *err)
{
        /* which request it answers is for the caller: it knows whom it told */
        static const char *const off[] = { "in-response-to" };
        bool is_request = strcmp(field_of(in), "SAMLRequest") == 0;
        const struct kp_response_policy policy = { .own = own,
                .peer = peer,
                .now_ms = now_ms,
                .off = off,
                .n_off = KP_NELEMS(off) };
        KP_CLEANUP(arrival_done)
        struct arrival arrival = {
                .check = { .policy = &policy,
                        .verdict = verdict,
                        .kind = is_request ? KP_SAML_LOGOUT_REQUEST
                                           : KP_SAML_LOGOUT_RESPONSE },
        };

        memset(ret, 0, sizeof(*ret));
        if (receive(&arrival, memo, in, is_request ? "SAMLRequest" : "SAMLResponse",
                    err) < 0)
                return -1;
        if (arrival.check.doc == NULL || fill_logout(&arrival, ret) ||
                verdict->rule != NULL)
                return 0;
        return saml_refuse(verdict, "value-length",
                "the message says more, or longer, than is read");
}
