/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "keypilot/codec/b64url.h"
#include "keypilot/saml/metadata.h"
#include "keypilot/saml/saml.h"

#include "fuzz.h"

static struct kp_federation *federation;
static struct kp_random *stream;

/* A Response, an AuthnRequest, a logout and metadata that a stranger sends. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const struct kp_party own = { .entity_id = "https://sp.example",
                .acs_url = "https://sp.example/acs",
                .sso_url = "https://idp.example/sso",
                .slo_url = "https://sp.example/slo" };
        const struct kp_response_policy policy = { .own = &own, .peer = &own };
        KP_CLEANUP(kp_buf_done) struct kp_buf value = { 0 };
        KP_CLEANUP(kp_saml_entity_done) struct kp_saml_entity entity = { 0 };
        struct kp_message_in in = { .method = "POST" };
        struct kp_federation_verdict verdict;
        struct kp_login_response response;
        struct kp_login_request request;
        struct kp_logout logout;
        struct kp_error err = { 0 };
        char issuer[256];

        if (federation == NULL &&
                (kp_random_new_seeded("fuzz", "saml", &stream, &err) < 0 ||
                        kp_saml_federation_new(stream, &federation, &err) < 0))
                abort(); /* nothing would be tested */
        kp_b64_put(&value, data, size);
        in.value = kp_buf_str(&value);
        kp_any(federation->read_response(
                federation, &in, &policy, &response, &verdict, &err));
        kp_any(federation->read_request(
                federation, &in, &own, &own, 0, &request, &verdict, &err));
        kp_any(federation->read_logout(
                federation, &in, &own, &own, 0, &logout, &verdict, &err));
        kp_any(federation->read_issuer(federation, &in, issuer, &err));
        kp_any(kp_saml_metadata_read(
                "fuzz", data, size, KP_SAML_PROVIDER, &entity, &err));
        return 0;
}

bool
kp_fuzz_seed(size_t i, struct kp_buf *ret)
{
        static const char *const seeds[] = {
                "<samlp:Response xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" "
                "xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"_r\" "
                "Version=\"2.0\" "
                "IssueInstant=\"2026-09-01T08:00:00Z\" "
                "Destination=\"https://sp.example/acs\" "
                "InResponseTo=\"_q\"><saml:Issuer>https://sp.example</saml:Issuer>"
                "<ds:Signature "
                "xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><ds:SignedInfo>"
                "<ds:CanonicalizationMethod "
                "Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/>"
                "<ds:SignatureMethod "
                "Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256\"/>"
                "<ds:Reference URI=\"#_r\"><ds:Transforms><ds:Transform "
                "Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"/>"
                "</ds:Transforms><ds:DigestMethod "
                "Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"/"
                "><ds:DigestValue>AAAA"
                "</ds:DigestValue></ds:Reference></"
                "ds:SignedInfo><ds:SignatureValue>AAAA"
                "</ds:SignatureValue></ds:Signature><samlp:Status><samlp:StatusCode "
                "Value=\"urn:oasis:names:tc:SAML:2.0:status:Success\"/></samlp:Status>"
                "<saml:Assertion ID=\"_a\" Version=\"2.0\" "
                "IssueInstant=\"2026-09-01T08:00:00Z\">"
                "<saml:Issuer>https://sp.example</"
                "saml:Issuer><saml:Subject><saml:NameID>x"
                "</saml:NameID><saml:SubjectConfirmation "
                "Method=\"urn:oasis:names:tc:SAML:2.0:cm:bearer\"><saml:"
                "SubjectConfirmationData "
                "NotOnOrAfter=\"2026-09-01T08:05:00Z\" "
                "Recipient=\"https://sp.example/acs\"/>"
                "</saml:SubjectConfirmation></saml:Subject><saml:Conditions "
                "NotBefore=\"2026-09-01T08:00:00Z\"><saml:AudienceRestriction><saml:"
                "Audience>"
                "https://sp.example</saml:Audience></saml:AudienceRestriction></"
                "saml:Conditions>"
                "</saml:Assertion></samlp:Response>",
                "<samlp:AuthnRequest "
                "xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" "
                "ID=\"_q\" Version=\"2.0\" IssueInstant=\"2026-09-01T08:00:00Z\" "
                "ForceAuthn=\"true\"><samlp:RequestedAuthnContext Comparison=\"exact\">"
                "<saml:AuthnContextClassRef "
                "xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\">urn:x"
                "</saml:AuthnContextClassRef></samlp:RequestedAuthnContext></"
                "samlp:AuthnRequest>",
                "<md:EntityDescriptor "
                "xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" "
                "entityID=\"https://idp.example\"><md:IDPSSODescriptor "
                "protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\">"
                "<md:SingleSignOnService "
                "Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect\" "
                "Location=\"https://idp.example/sso\"/></md:IDPSSODescriptor>"
                "</md:EntityDescriptor>",
                "<!DOCTYPE x [<!ENTITY a \"b\">]><x>&a;</x>",
        };

        if (i >= KP_NELEMS(seeds))
                return false;
        kp_buf_puts(ret, seeds[i]);
        return true;
}
