/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "check.h"

int
saml_open(
        struct saml_check *check, const void *xml, size_t xml_len, struct kp_error *err)
{
        static const char *const rules[] = { [KP_XML_MALFORMED] = "xml-well-formed",
                [KP_XML_DOCTYPE] = "xml-doctype",
                [KP_XML_LIMIT] = "xml-limits" };
        struct kp_xml_refusal refusal;

        if (kp_xml_parse(xml, xml_len, &check->doc, &refusal, err) < 0)
                return -1;
        if (check->doc == NULL) {
                const char *rule =
                        xml_len > KP_XML_MAX ? "message-size" : rules[refusal.flaw];

                return saml_refuse(check->verdict, rule, "%s", refusal.reason);
        }
        check->root = xmlDocGetRootElement(check->doc);
        return 0;
}

void
saml_check_done(struct saml_check *check)
{
        kp_xml_free(&check->doc);
}

int
kp_saml_verify(enum kp_saml_kind kind, const void *xml, size_t xml_len,
        const struct kp_response_policy *policy, struct kp_federation_verdict *verdict,
        json_t **ret_facts, struct kp_error *err)
{
        KP_CLEANUP(saml_check_done)
        struct saml_check check = {
                .policy = policy, .verdict = verdict, .kind = kind
        };

        memset(verdict, 0, sizeof(*verdict));
        if (ret_facts != NULL)
                *ret_facts = NULL;
        if (saml_open(&check, xml, xml_len, err) < 0)
                return -1;
        if (check.doc == NULL)
                return 0;
        if (saml_run(&check, err) < 0)
                return -1;
        return ret_facts != NULL ? saml_facts(&check, ret_facts, err) : 0;
}
