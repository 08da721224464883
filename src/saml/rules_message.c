/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "check.h"

/*
 * Rules about the message as such: kind, version, ID, who signed it, where it was meant
 * to go and what it answers.
 * Spec: SAML 2.0 Core §3.2; Profiles §4.1.4, §4.4.4
 */

#define DAY_MS (INT64_C(24) * 3600 * 1000)

static const char *const root_names[] = {
        [KP_SAML_RESPONSE] = "Response",
        [KP_SAML_AUTHN_REQUEST] = "AuthnRequest",
        [KP_SAML_LOGOUT_REQUEST] = "LogoutRequest",
        [KP_SAML_LOGOUT_RESPONSE] = "LogoutResponse",
};

int
saml_pass_type(struct saml_check *check, struct kp_error *err)
{
        const char *name = root_names[check->kind];

        (void)err;
        if (kp_xml_is(check->root, NS_PROTOCOL, name))
                return 0;
        return saml_object(check, "message-type",
                "the root is <%.60s>%s, not a SAML 2.0 %s",
                (const char *)check->root->name,
                strcmp((const char *)check->root->name, name) == 0
                        ? " of another namespace"
                        : "",
                name);
}

int
saml_pass_version(struct saml_check *check, struct kp_error *err)
{
        const char *version = kp_xml_attr(check->root, "Version");

        (void)err;
        if (version != NULL && strcmp(version, "2.0") == 0)
                return 0;
        return saml_object(check, "version", "Version is '%.40s', not 2.0",
                version != NULL ? version : "");
}

int
saml_pass_id(struct saml_check *check, struct kp_error *err)
{
        const char *id = kp_xml_attr(check->root, "ID");

        (void)err;
        if (id == NULL || id[0] == '\0')
                return saml_object(check, "id", "the message has no ID");
        if ((id[0] >= '0' && id[0] <= '9') || id[0] == '-' || id[0] == '.')
                return saml_object(check, "id-form",
                        "the ID '%.60s' is no XML name: it begins with '%c'", id,
                        id[0]);
        return 0;
}

int
saml_pass_unique(struct saml_check *check, struct kp_error *err)
{
        char reason[200];

        (void)err;
        if (saml_register_ids(check->doc, reason))
                return 0;
        return saml_object(check, "id-twice", "%s", reason);
}

int
saml_pass_issue_instant(struct saml_check *check, struct kp_error *err)
{
        const char *text = kp_xml_attr(check->root, "IssueInstant");
        int64_t at;

        (void)err;
        if (text == NULL)
                return saml_object(
                        check, "issue-instant", "the message has no IssueInstant");
        if (!saml_time(check->root, "IssueInstant", &at))
                return saml_object(check, "issue-instant",
                        "IssueInstant '%.40s' is not a time", text);
        if (at > check->policy->now_ms + DAY_MS)
                return saml_object(check, "issue-instant",
                        "IssueInstant '%.40s' is more than a day ahead", text);
        return 0;
}

/* Every signature stands in what may be signed: the message or an assertion. */
static int
check_positions(struct saml_check *check)
{
        for (xmlNode *node = NULL; (node = kp_xml_walk(check->root, node)) != NULL;) {
                if (!kp_xml_is(node, NS_DSIG, "Signature") ||
                        node->parent == check->root ||
                        kp_xml_is(node->parent, NS_ASSERTION, "Assertion"))
                        continue;
                return saml_object(check, "signature-position",
                        "a signature stands in <%.60s>, which is no message or "
                        "assertion",
                        (const char *)node->parent->name);
        }
        return 0;
}

/* The ID of the one assertion, where a signature beside it is allowed to sign it. */
static const char *
beside(const struct saml_check *check)
{
        if (!check->policy->allow_beside ||
                kp_xml_count(check->root, NS_ASSERTION, "Assertion") != 1)
                return NULL;
        return kp_xml_attr(kp_xml_child(check->root, NS_ASSERTION, "Assertion"), "ID");
}

int
saml_pass_root_signature(struct saml_check *check, struct kp_error *err)
{
        const struct saml_signature_policy policy = {
                .cert_pem = check->policy->peer != NULL ? check->policy->peer->cert_pem
                                                        : NULL,
                .allow_sha1 = check->policy->allow_sha1,
                .beside = beside(check),
                .off = check->policy,
        };
        enum saml_signature found;
        const char *rule = NULL;
        char reason[200] = "";

        (void)check_positions(check); /* always 0: the verdict has what it found */
        if (check->verdict->rule != NULL)
                return 0;
        if (saml_check_signature(check->root, &policy, &found, &check->root_algorithm,
                    &rule, reason, err) < 0)
                return -1;
        if (found == SIGNATURE_REFUSED && rule != NULL)
                return saml_object(
                        check, rule, "%s: %s", root_names[check->kind], reason);
        check->root_signed = found == SIGNATURE_GOOD;
        check->signed_beside = found == SIGNATURE_GOOD_BESIDE;
        if (!check->query.present)
                return 0;
        check->root_signed = check->query.good;
        if (!check->query.good)
                return saml_object(check, "signature-value",
                        "the signature of the query does not fit it and the sender's "
                        "certificate");
        return 0;
}

int
saml_pass_message_signed(struct saml_check *check, struct kp_error *err)
{
        (void)err;
        if (!check->policy->want_response_signed || check->root_signed)
                return 0;
        return saml_object(check, "message-signature-missing",
                "the %s itself is not signed", root_names[check->kind]);
}

static const char *
short_code(const char *code)
{
        return strncmp(code, STATUS_PREFIX, strlen(STATUS_PREFIX)) == 0
                       ? code + strlen(STATUS_PREFIX)
                       : code;
}

int
saml_pass_status(struct saml_check *check, struct kp_error *err)
{
        xmlNode *status = kp_xml_child(check->root, NS_PROTOCOL, "Status");
        const char *code, *second;

        (void)err;
        check->status_code = kp_xml_child(status, NS_PROTOCOL, "StatusCode");
        code = kp_xml_attr(check->status_code, "Value");
        if (code == NULL || kp_xml_count(check->root, NS_PROTOCOL, "Status") != 1 ||
                kp_xml_count(status, NS_PROTOCOL, "StatusCode") != 1)
                return saml_object(check, "status-missing", "there is no %s",
                        status == NULL ? "Status" : "StatusCode, or more than one");
        if (strcmp(code, STATUS_SUCCESS) == 0)
                return 0;
        second = kp_xml_attr(
                kp_xml_child(check->status_code, NS_PROTOCOL, "StatusCode"), "Value");
        return saml_object(check, "status", "the status is %.60s%s%.60s",
                short_code(code), second != NULL ? "/" : "",
                second != NULL ? short_code(second) : "");
}

static bool
is_space(char c)
{
        return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Equal as URIs written in an attribute: white space around them does not count. */
static bool
is_same_uri(const char *a, const char *b)
{
        size_t a_len, b_len;

        for (; is_space(*a); a++)
                ;
        for (; is_space(*b); b++)
                ;
        for (a_len = strlen(a); a_len > 0 && is_space(a[a_len - 1]); a_len--)
                ;
        for (b_len = strlen(b); b_len > 0 && is_space(b[b_len - 1]); b_len--)
                ;
        return a_len == b_len && memcmp(a, b, a_len) == 0;
}

static const char *
location(const struct saml_check *check)
{
        const struct kp_party *own = check->policy->own;

        if (check->policy->location != NULL || own == NULL)
                return check->policy->location;
        switch (check->kind) {
        case KP_SAML_RESPONSE:
                return own->acs_url;
        case KP_SAML_AUTHN_REQUEST:
                return own->sso_url;
        case KP_SAML_LOGOUT_REQUEST:
        case KP_SAML_LOGOUT_RESPONSE:
                return own->slo_url;
        }
        return NULL;
}

int
saml_pass_destination(struct saml_check *check, struct kp_error *err)
{
        const char *destination = kp_xml_attr(check->root, "Destination");
        const char *here = location(check);

        (void)err;
        if (destination != NULL && destination[0] == '\0')
                return saml_object(check, "destination", "Destination is empty");
        if (here == NULL)
                return 0;
        if (destination == NULL && check->root_signed)
                return saml_object(check, "destination-missing",
                        "the message is signed and has no Destination");
        if (destination == NULL || is_same_uri(destination, here))
                return 0;
        return saml_object(check, "destination",
                "Destination is '%.70s', the message arrived at '%.70s'", destination,
                here);
}

int
saml_pass_issuer(struct saml_check *check, struct kp_error *err)
{
        xmlNode *issuer = kp_xml_child(check->root, NS_ASSERTION, "Issuer");
        const struct kp_party *peer = check->policy->peer;
        const char *format = kp_xml_attr(issuer, "Format");
        char text[1100];

        (void)err;
        /*
         * DEVIATION SAML Profiles §4.1.4.2: an unsigned response may leave its Issuer
         * out; a strict reader that knows its federation wants it, as deployed ones do.
         */
        if (issuer == NULL)
                return check->policy->own == NULL ||
                                       check->policy->own->entity_id == NULL
                               ? 0
                               : saml_object(check, "issuer-missing",
                                         "the message has no Issuer");
        if (format != NULL && strcmp(format, FORMAT_ENTITY) != 0)
                return saml_object(
                        check, "issuer", "Issuer has the format '%.100s'", format);
        if (!kp_xml_text_into(issuer, text, sizeof(text)) ||
                kp_xml_first(issuer) != NULL)
                return saml_object(check, "issuer", "Issuer is no name of a party");
        if (peer == NULL)
                return saml_object(
                        check, "issuer", "'%.100s' is not a known party", text);
        if (peer->entity_id == NULL || strcmp(text, peer->entity_id) == 0)
                return 0;
        return saml_object(check, "issuer", "Issuer is '%.70s', expected was '%.70s'",
                text, peer->entity_id);
}

int
saml_pass_in_response_to(struct saml_check *check, struct kp_error *err)
{
        const char *answers = kp_xml_attr(check->root, "InResponseTo");
        const char *request = check->policy->request_id;

        (void)err;
        if (answers == NULL)
                return check->policy->allow_unsolicited
                               ? 0
                               : saml_object(check, "unsolicited",
                                         "there is no InResponseTo%s%s%.60s",
                                         request != NULL ? ", and request " : "",
                                         request != NULL ? request : "",
                                         request != NULL ? " is outstanding" : "");
        if (request == NULL)
                return saml_object(check, "in-response-to",
                        "it answers '%.60s', and no request is outstanding", answers);
        if (strcmp(answers, request) == 0)
                return 0;
        return saml_object(check, "in-response-to",
                "it answers '%.60s', outstanding is '%.60s'", answers, request);
}

int
saml_pass_logout_expiry(struct saml_check *check, struct kp_error *err)
{
        const char *text = kp_xml_attr(check->root, "NotOnOrAfter");
        int64_t until;

        (void)err;
        if (!saml_time(check->root, "NotOnOrAfter", &until))
                return saml_object(check, "logout-expired",
                        "NotOnOrAfter '%.40s' is not a time", text);
        if (text == NULL || check->policy->now_ms < until + check->policy->skew_ms)
                return 0;
        return saml_object(
                check, "logout-expired", "NotOnOrAfter '%.40s' is past", text);
}

int
saml_pass_logout_subject(struct saml_check *check, struct kp_error *err)
{
        char text[1100];

        (void)err;
        check->name_id = kp_xml_child(check->root, NS_ASSERTION, "NameID");
        if (check->name_id == NULL &&
                kp_xml_count(check->root, NS_ASSERTION, "EncryptedID") == 1)
                return 0; /* decrypted by its own rule, then looked at */
        if (!kp_xml_text_into(check->name_id, text, sizeof(text)) || text[0] == '\0' ||
                kp_xml_first(check->name_id) != NULL)
                return saml_object(check, "logout-name-id", "the request names nobody");
        return 0;
}
