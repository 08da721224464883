#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# webauthn create, get and verify as a user types them.  webauthn.sh KEYPILOT
set -u
. "$(dirname "$0")/../support/tap.sh"
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
tap_done
