#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# webauthn create, get and verify as a user types them.  webauthn.sh KEYPILOT
set -u
. "$(dirname "$0")/../support/tap.sh"
. "$(dirname "$0")/../support/mds_blob.sh"
k=$1
fixtures=${KEYPILOT_FIXTURES:-fixtures}
cd "$tap_dir" || exit 1
origin=https://school.example

cat >create.json <<'J'
{"rp":{"id":"school.example","name":"School"},
 "user":{"id":"AAECAwQFBgcICQoLDA0ODw","name":"j.jansen","displayName":"Jan"},
 "challenge":"MTIzNDU2Nzg5MDEyMzQ1Ng",
 "pubKeyCredParams":[{"type":"public-key","alg":-7},{"type":"public-key","alg":-257}],
 "authenticatorSelection":{"residentKey":"required","userVerification":"required"},
 "attestation":"direct"}
J
cat >get.json <<'J'
{"challenge":"MTIzNDU2Nzg5MDEyMzQ1Ng","rpId":"school.example","userVerification":"required"}
J

key() {
        "$k" webauthn "$@" --key sim:yubikey-5-57-pin --fixtures "$fixtures"
}

run key create --options create.json --origin $origin --state state.json --seed 1
exits 0 "a passkey is made"
cp out created.json
run key create --options create.json --origin $origin --seed 1
cmp -s out created.json
ok $? "the same seed gives the same bytes, state kept or not"
run key get --options get.json --origin $origin --state state.json --seed 2
exits 0 "and logs in, from the state file"
cp out got.json
run "$k" webauthn verify --kind registration --options create.json --response created.json --origin $origin
exits 0 "the registration verifies"
says '"verdict": "accepted"' "with the word of the contract"
cp out credential.json
run "$k" webauthn verify --kind authentication --options get.json --response got.json --origin $origin \
        --credential credential.json
exits 0 "and so does the login"
run "$k" webauthn verify --kind authentication --options get.json --response got.json \
        --origin https://evil.example --credential credential.json
exits 1 "another origin is refused"
says '"verdict": "rejected"' "with the word of the contract"
says 'WebAuthn L3 §7.2 step' "and the step of the specification"

for bad in "NUL" "[]" '{"a":1,"a":2}' '{"a":'; do
        printf '%s' "$bad" >bad.json
        run key create --options bad.json --origin $origin --state state2.json
        exits 3 "options '$bad' are invalid input"
        complains "bad.json" "and the file is named"
done
[ ! -e state2.json ]
ok $? "no state file is made on the way"
head -c 6000000 /dev/zero | tr '\0' ' ' >bad.json
run key create --options bad.json --origin $origin
exits 3 "options of six megabytes are refused"
run key create --options nowhere.json --origin $origin
exits 3 "a file that is not there is invalid input"
complains "nowhere.json: cannot open: No such file" "and is named"
echo '{"credentials": 7}' >state3.json
cp state3.json state3.copy
run key create --options create.json --origin $origin --state state3.json
exits 3 "a state file of another shape is refused"
cmp -s state3.json state3.copy
ok $? "and left as it was"
echo '{"rp":{"name":"School"},"user":{"id":"AA","name":"x"},"challenge":"AA","pubKeyCredParams":[]}' >bad.json
run key create --options bad.json --origin $origin
exits 1 "what a browser would reject is an answer"
says '"name": "TypeError"' "with the browser's word for it"
run key create --options create.json --origin https://evil.example
says '"name": "SecurityError"' "an RP ID of another site is a SecurityError"
run "$k" webauthn create --options create.json --origin $origin --key sim:yubikey-5-57-pn --fixtures "$fixtures"
exits 3 "a key that is not there is invalid input"
complains "did you mean 'yubikey-5-57-pin'?" "and the nearest is told"
run "$k" webauthn create --options create.json --origin $origin --key sim:token2-pinplus \
        --client safari-ios --fixtures "$fixtures"
exits 1 "a key without PIN at a site that wants one is an answer"
says '"name": "NotAllowedError"' "NotAllowedError, as the browser says it"
run "$k" webauthn create --options create.json --fixtures "$fixtures"
exits 2 "neither --origin nor --page is a usage error"
sed 's/^  "credential": {/  "credential": { "userHandle": "AAECAwQFBgcICQoLDA0ODw",/' credential.json >handle.json
run "$k" webauthn verify --kind authentication --options get.json --response got.json --origin $origin --credential handle.json
exits 0 "a record may say whose it is"
sed 's/"userHandle": "AAEC/"userHandle": "BBEC/' handle.json >other.json
run "$k" webauthn verify --kind authentication --options get.json --response got.json --origin $origin --credential other.json
exits 1 "and another user's passkey is refused"
says 'WebAuthn L3 §7.2 step 6' "with the step"

# metadata about models, made with openssl
verify() {
        run "$k" webauthn verify --kind registration --options create.json --response created.json --origin $origin \
                --fixtures "$fixtures" "$@"
}
aaguid=$(sed -n 's/.*"aaguid": *"\([0-9a-f-]*\)".*/\1/p' "$fixtures/authenticators/yubikey-5-57.json" | head -n 1)
root=$fixtures/keys/attestation-root.pem
mds_pki .
ok $? "openssl makes a root and a signer"
mds_payload "$aaguid" "$root" FIDO_CERTIFIED_L2 2099-01-01 >good.json
mds_payload "$aaguid" "$root" REVOKED 2099-01-01 >revoked.json
mds_payload "$aaguid" "$root" FIDO_CERTIFIED_L2 2025-12-01 >old.json
mds_payload 00000000-0000-0000-0000-00000000000f "$root" FIDO_CERTIFIED_L2 2099-01-01 >other.json
mds_payload "$aaguid" mds-root.pem FIDO_CERTIFIED_L2 2099-01-01 >root.json
for name in good revoked old other root; do
        mds_blob . $name.json >$name.jwt
done
verify --mds good.jwt --mds-root mds-root.pem
exits 0 "a key of a model in the metadata is accepted"
says '"trusted": true' "and trusted, by the roots of its model"
verify --mds good.jwt --mds-root mds-root.pem --policy hardware-keys-only
exits 0 "also where policy wants attested keys only"
verify --policy hardware-keys-only
exits 1 "which without metadata are nobody's"
says 'WebAuthn L3 §7.1 step 24' "and the step is told"
verify --mds revoked.jwt --mds-root mds-root.pem
exits 1 "a revoked model is refused"
says 'REVOKED' "and its status told"
verify --mds old.jwt --mds-root mds-root.pem
exits 1 "metadata that should have been renewed is refused"
verify --mds old.jwt --mds-root mds-root.pem --mode lenient
exits 0 "or only told"
complains "2025-12-01" "with its date"
verify --mds old.jwt --mds-root mds-root.pem --at 2025-06-01T00:00:00Z --all
exits 3 "its signer's certificate is judged at the same time"
verify --mds other.jwt --mds-root mds-root.pem
exits 1 "a model that is not in it is refused"
verify --mds other.jwt --mds-root mds-root.pem --trust "$root"
exits 0 "unless its root is given"
verify --mds root.jwt --mds-root mds-root.pem
exits 1 "a model under another root is refused"
verify --mds good.jwt
exits 2 "metadata without a root to its signature is a usage error"
verify --mds good.jwt --mds-root "$root"
exits 3 "metadata under another root is invalid input"
complains "good.jwt" "and is named"
mds_blob . good.json none >none.jwt
verify --mds none.jwt --mds-root mds-root.pem
exits 3 "an unsigned one as well"
sed 's/....$/AAAA/' good.jwt >bad.jwt
verify --mds bad.jwt --mds-root mds-root.pem
exits 3 "and one with another signature"
verify --policy nobody
exits 3 "a policy that is not there is invalid input"
verify --policy usual --sent-at 2020-01-01T00:00:00Z
exits 1 "a challenge that lived too long is refused"
says 'WebAuthn L3 §7.1 step 8' "and the step is told"
verify --policy limited-parser
exits 0 "client data of our client needs no JSON parser"
tap_done
