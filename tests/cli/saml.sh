#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# saml verify as a user types it.  saml.sh KEYPILOT
# Messages are signed by xmllint (canonical form) and openssl (digest and signature), so
# that what is accepted here was signed by somebody else.
set -u
. "$(dirname "$0")/../support/tap.sh"
k=$1
keys=$(cd "${KEYPILOT_FIXTURES:-fixtures}/keys" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
for program in xmllint openssl python3; do
        command -v $program >/dev/null || skip_all "needs the program $program"
done
cd "$tap_dir" || exit 1

samlp=urn:oasis:names:tc:SAML:2.0:protocol
saml=urn:oasis:names:tc:SAML:2.0:assertion
ds=http://www.w3.org/2000/09/xmldsig#
c14n=http://www.w3.org/2001/10/xml-exc-c14n#
post=urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST
success=urn:oasis:names:tc:SAML:2.0:status:Success
at=2026-09-01T08:00:30Z

# metadata ROLE CERTIFICATE [ATTRIBUTES of the entity [ATTRIBUTES of the role]]
metadata() {
        printf '<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://%s.example" %s>' "$1" "${3-}"
        case $1 in
        idp) printf '<md:IDPSSODescriptor protocolSupportEnumeration="%s" %s>' $samlp "${4-}" ;;
        *) printf '<md:SPSSODescriptor protocolSupportEnumeration="%s" %s>' $samlp "${4-}" ;;
        esac
        printf '<md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="%s"><ds:X509Data><ds:X509Certificate>%s</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>' \
                $ds "$(grep -v -- '-----' "$2")"
        case $1 in
        idp) printf '<md:SingleSignOnService Binding="%s" Location="https://idp.example/sso"/></md:IDPSSODescriptor>' $post ;;
        *) printf '<md:AssertionConsumerService index="0" Binding="%s" Location="https://sp.example/acs"/></md:SPSSODescriptor>' $post ;;
        esac
        echo '</md:EntityDescriptor>'
}

# canonical FILE: exclusive canonical form, without comments
canonical() {
        python3 - "$1" >canonical.xml <<'P'
import re, sys
sys.stdout.write(re.sub('<!--.*?-->', '', open(sys.argv[1]).read()))
P
        xmllint --exc-c14n canonical.xml
}

# sign FILE ID [sha1]: put a signature behind its first Issuer
sign() {
        hash=${3:-sha256}
        case $hash in
        sha1) algorithm=${ds}rsa-sha1 digest=${ds}sha1 ;;
        *) algorithm=http://www.w3.org/2001/04/xmldsig-more#rsa-sha256 digest=http://www.w3.org/2001/04/xmlenc#sha256 ;;
        esac
        sum=$(canonical "$1" | openssl dgst -$hash -binary | base64 -w0)
        printf '<ds:SignedInfo xmlns:ds="%s"><ds:CanonicalizationMethod Algorithm="%s"></ds:CanonicalizationMethod><ds:SignatureMethod Algorithm="%s"></ds:SignatureMethod><ds:Reference URI="#%s"><ds:Transforms><ds:Transform Algorithm="%senveloped-signature"></ds:Transform><ds:Transform Algorithm="%s"></ds:Transform></ds:Transforms><ds:DigestMethod Algorithm="%s"></ds:DigestMethod><ds:DigestValue>%s</ds:DigestValue></ds:Reference></ds:SignedInfo>' \
                $ds $c14n "$algorithm" "$2" $ds $c14n $digest "$sum" >info.xml
        value=$(xmllint --exc-c14n info.xml | openssl dgst -$hash -sign "$keys/saml-idp-1-key.pem" | base64 -w0)
        printf '<ds:Signature xmlns:ds="%s">%s<ds:SignatureValue>%s</ds:SignatureValue></ds:Signature>' \
                $ds "$(cat info.xml)" "$value" >signature.xml
        python3 - "$1" <<'P'
import sys
text, end = open(sys.argv[1]).read(), '</saml:Issuer>'
where = text.index(end) + len(end)
open(sys.argv[1], 'w').write(text[:where] + open('signature.xml').read() + text[where:])
P
}

# What may be changed; plain sets all of it right.
plain() {
        name_id=jan issuer=https://idp.example audience=https://sp.example recipient=https://sp.example/acs
        destination=https://sp.example/acs answers='InResponseTo="_q"' status=$success version=2.0
        not_before=2026-09-01T08:00:00Z until=2026-09-01T08:05:00Z confirmed=2026-09-01T08:05:00Z
        context=urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport
        method=urn:oasis:names:tc:SAML:2.0:cm:bearer more=
}

assertion() {
        printf '<saml:Assertion xmlns:saml="%s" ID="%s" IssueInstant="2026-09-01T08:00:00Z" Version="2.0"><saml:Issuer>%s</saml:Issuer><saml:Subject><saml:NameID>%s</saml:NameID><saml:SubjectConfirmation Method="%s"><saml:SubjectConfirmationData %s NotOnOrAfter="%s" Recipient="%s"></saml:SubjectConfirmationData></saml:SubjectConfirmation></saml:Subject><saml:Conditions NotBefore="%s" NotOnOrAfter="%s"><saml:AudienceRestriction><saml:Audience>%s</saml:Audience></saml:AudienceRestriction></saml:Conditions><saml:AuthnStatement AuthnInstant="2026-09-01T08:00:00Z"><saml:AuthnContext><saml:AuthnContextClassRef>%s</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement></saml:Assertion>' \
                $saml "${1:-_a}" "$issuer" "$name_id" $method "$answers" $confirmed $recipient \
                $not_before $until $audience $context
}

# response FILE: the envelope around what stands in assertion.xml
response() {
        printf '<samlp:Response xmlns:samlp="%s" xmlns:saml="%s" Destination="%s" ID="_r" %s IssueInstant="2026-09-01T08:00:00Z" Version="%s"><saml:Issuer>%s</saml:Issuer>%s<samlp:Status><samlp:StatusCode Value="%s"></samlp:StatusCode></samlp:Status>%s</samlp:Response>' \
                $samlp $saml $destination "$answers" $version "$issuer" "$more" $status \
                "$(cat assertion.xml)" >"$1"
}

# signed FILE [sha1]: a response with a signed assertion
signed() {
        assertion >assertion.xml
        sign assertion.xml _a ${2:-}
        response "$1"
}

verify() {
        "$k" saml verify --idp-metadata idp.xml --sp-metadata sp.xml --at $at "$@"
}

# refuses RULE TITLE: the last run refused the message under that rule
refuses() {
        [ "$tap_status" -eq 1 ] && grep -qF '"verdict": "rejected"' out &&
                grep -qF "\"rule\": \"$1\"" out && grep -qF '"spec": "' out
        ok $? "$2 ($1)"
}

metadata idp "$keys/saml-idp-1.pem" >idp.xml
metadata sp "$keys/saml-sp.pem" >sp.xml
plain

# ---- accepted ----
signed good.xml
run verify --response good.xml
exits 0 "a signed assertion is accepted"
says '"verdict": "accepted"' "with the word of the contract"
says '"name_id": "jan"' "and what it says: who"
says '"authn_context": "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"' "and how he logged in"
run verify --response good.xml --request-id _q
exits 0 "as the answer to the request that it answers"
base64 -w60 good.xml >good.b64
run verify --response good.b64
exits 0 "in base64, as it travels"
python3 -c 'import base64, urllib.parse
print("SAMLResponse=" + urllib.parse.quote_plus(base64.b64encode(open("good.xml", "rb").read())) + "&RelayState=x")' >good.form
run verify --response good.form
exits 0 "as a browser's tools show the form"
"$k" saml verify --idp-metadata idp.xml --sp-metadata sp.xml --at $at --response - <good.xml >out 2>err
[ $? -eq 0 ] && grep -qF '"verdict": "accepted"' out
ok $? "from standard input"
assertion >assertion.xml
response both.xml
sign both.xml _r
run verify --response both.xml
exits 0 "a signed response around a plain assertion"
signed both.xml
sign both.xml _r
run verify --response both.xml
exits 0 "both signed"
answers=
signed unasked.xml
run verify --response unasked.xml
exits 0 "an answer that names no request, where none is told"
plain

# ---- one thing wrong: the rule that refuses it ----
run verify --response good.xml --request-id _other
refuses in-response-to "the answer to another request"
run verify --response unasked.xml --request-id _q
refuses unsolicited "an answer that names no request, where one is told"
sed 's/>jan</>piet</' good.xml >bad.xml
run verify --response bad.xml
refuses signature-value "another name in what was signed"
assertion >assertion.xml
response bad.xml
run verify --response bad.xml
refuses signature-missing "no signature at all"
metadata idp "$keys/saml-idp-2.pem" >other.xml
run verify --response good.xml --idp-metadata other.xml
exits 2 "metadata given twice is a usage error"
run "$k" saml verify --idp-metadata other.xml --sp-metadata sp.xml --at $at --response good.xml
refuses signature-value "signed by somebody else"
for change in 'audience=https://other.example audience' \
        'destination=https://other.example/acs destination' \
        'recipient=https://other.example/acs confirmation-recipient' \
        'confirmed=2026-09-01T08:00:30Z confirmation-expired' \
        'until=2026-09-01T08:00:30Z expired' \
        'not_before=2026-09-01T08:00:31Z not-yet-valid' \
        'version=1.1 version' \
        'status=urn:oasis:names:tc:SAML:2.0:status:Responder status' \
        'method=urn:oasis:names:tc:SAML:2.0:cm:holder-of-key confirmation'; do
        plain
        eval "${change% *}"
        signed bad.xml
        run verify --response bad.xml
        refuses "${change##* }" "changed: ${change% *}"
done
plain
issuer=https://other.example
signed bad.xml
run verify --response bad.xml
refuses issuer "another provider's name"
plain
run verify --response good.xml --mode lenient
exits 0 "what is right is right for a lenient reader"
confirmed=2026-09-01T08:00:00Z until=2026-09-01T08:00:00Z
signed late.xml
run verify --response late.xml
exits 1 "half a minute late is late"
run verify --response late.xml --mode lenient
exits 0 "but not for a lenient reader, who allows three minutes between clocks"
plain
signed bad.xml sha1
run verify --response bad.xml
refuses signature-sha1 "a signature over SHA-1"
run verify --response bad.xml --sha1 allow
exits 0 "which may be allowed"
metadata sp "$keys/saml-sp.pem" '' 'WantAssertionsSigned="true"' >wants.xml
assertion >assertion.xml
response bad.xml
sign bad.xml _r
run "$k" saml verify --idp-metadata idp.xml --sp-metadata wants.xml --at $at --response bad.xml
refuses assertion-signature-missing "a signed response, where the service's metadata wants the assertion signed"

# ---- attacks ----
name_id='admin<!-- x -->.evil'
signed bad.xml
run verify --response bad.xml
[ "$tap_status" -eq 1 ] || grep -qF '"name_id": "admin.evil"' out
ok $? "a comment in the name: refused, or the whole name is read"
plain
signed good.xml
cp assertion.xml inner.xml
more="<samlp:Extensions>$(cat inner.xml)</samlp:Extensions>" name_id=admin
assertion _evil >assertion.xml
response bad.xml
run verify --response bad.xml
exits 1 "the signed assertion tucked away, another one in its place"
more=
name_id=admin
{ cat inner.xml; assertion _evil; } >assertion.xml
response bad.xml
run verify --response bad.xml
exits 1 "a second assertion behind the signed one"
{ assertion _evil; cat inner.xml; } >assertion.xml
response bad.xml
run verify --response bad.xml
exits 1 "a second assertion before it"
{ assertion _a; cat inner.xml; } >assertion.xml
response bad.xml
run verify --response bad.xml
refuses id-twice "two assertions of one ID"
plain
for status in VersionMismatch Requester; do
        status=urn:oasis:names:tc:SAML:2.0:status:$status
        : >assertion.xml
        response bad.xml
        run verify --response bad.xml
        refuses status "a refusal by the provider, which nobody signed"
done
plain

# ---- metadata and options ----
metadata idp "$keys/saml-idp-1.pem" 'validUntil="2026-09-01T08:00:00Z"' >old.xml
run "$k" saml verify --idp-metadata old.xml --sp-metadata sp.xml --at $at --response good.xml
exits 3 "metadata that is over is a wrong configuration"
complains "old.xml: the metadata was valid until 2026-09-01T08:00:00" "and says until when it was good"
run "$k" saml verify --idp-metadata sp.xml --sp-metadata sp.xml --at $at --response good.xml
exits 3 "the service's metadata for the provider's"
complains "sp.xml" "and the file is named"
run "$k" saml verify --response good.xml --sp-metadata sp.xml
exits 2 "no metadata of the provider is a usage error"
complains "option '--idp-metadata FILE' is missing" "and what is missing is told"
for bad in '--mode sloppy' '--sha1 perhaps' '--at yesterday' 'operand'; do
        # shellcheck disable=SC2086
        run verify --response good.xml $bad
        exits 2 "$bad is a usage error"
done

# ---- other people's messages, one at a time ----
vectors=${KEYPILOT_VECTORS:-}/saml
if [ -f "$vectors/index.json" ]; then
        python3 "$here/../bad/saml_vectors.py" "$k" "$vectors" >out 2>err
        ok $? "each vector alone has the verdict that its makers expect"
        grep '^# ' out
else
        tap_n=$((tap_n + 1))
        echo "ok $tap_n - each vector alone # SKIP no vectors at KEYPILOT_VECTORS"
fi
tap_done
