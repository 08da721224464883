#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Other people's programs judge what keypilot writes.  lab.sh KEYPILOT
set -u
. "$(dirname "$0")/../support/tap.sh"
k=$1
here=$(cd "$(dirname "$0")" && pwd)
fixtures=${KEYPILOT_FIXTURES:-$here/../../fixtures}
[ "${KEYPILOT_LAB:-no}" = yes ] || skip_all "scripts/test --lab runs the tests against other people's programs"
[ -d "$KEYPILOT_LAB_DIR/node_modules" ] || skip_all "the npm packages of tests/lab are not there"
cd "$tap_dir" || exit 1
origin=https://school.example

# JSON Schema: every fixture, every line of a log
for pair in authenticators:authenticator services:service providers:provider hubs:hub populations:population \
        clients:client scenarios:scenario rules:rule pilots:pilot faults:fault relying-parties:relying-party; do
        run node "$here/schema.mjs" files "$fixtures/schema/${pair#*:}.schema.json" "$fixtures/${pair%:*}"/*.json
        exits 0 "ajv takes all fixtures in ${pair%:*}"
done
run "$k" run entra-id --fixtures "$fixtures" --out first --seed 1
exits 0 "a pilot runs"
run node "$here/schema.mjs" lines "$fixtures/schema/outcome.schema.json" first/outcomes.jsonl
exits 0 "ajv takes every line of its log"
sed '2s/"verdict":"[a-z-]*"/"verdict":"perhaps"/' first/outcomes.jsonl >wrong.jsonl
run node "$here/schema.mjs" lines "$fixtures/schema/outcome.schema.json" wrong.jsonl
exits 1 "and refuses a verdict that does not exist"

# The same bytes on another date and as another user
run env ASAN_OPTIONS=verify_asan_link_order=0:detect_leaks=0 faketime '2031-03-05 23:59:58' "$k" run entra-id --fixtures "$fixtures" --out later --seed 1
exits 0 "it runs on another date"
cmp first/outcomes.jsonl later/outcomes.jsonl && cmp first/matrix.html later/matrix.html && cmp first/verdict.html later/verdict.html
ok $? "with the same bytes, pages included"
if [ "$(id -u)" -eq 0 ] && setpriv --reuid 65534 --regid 65534 --clear-groups test -x "$k"; then
        mkdir nobody && chmod 777 nobody . && chmod 755 "$tap_dir"
        run env HOME=/nonexistent setpriv --reuid 65534 --regid 65534 --clear-groups "$k" run entra-id --fixtures "$fixtures" \
                --out nobody/run --seed 1
        exits 0 "it runs as another user"
        cmp first/outcomes.jsonl nobody/run/outcomes.jsonl
        ok $? "with the same bytes"
else
        echo "ok $((tap_n += 1)) - the same bytes as another user # SKIP only root can become one that reaches the program"
fi

run "$k" baseline write first
cp first/baseline.json baseline.json
run node "$here/schema.mjs" files "$fixtures/schema/baseline.schema.json" baseline.json
exits 0 "ajv takes a baseline"

# WebAuthn: somebody else's relying party
create() {
        cat >create.json <<J
{"rp":{"id":"school.example","name":"School"},"user":{"id":"AAECAwQFBgcICQoLDA0ODw","name":"j.jansen","displayName":"Jan"},
 "challenge":"MTIzNDU2Nzg5MDEyMzQ1Ng","pubKeyCredParams":[{"type":"public-key","alg":$2},{"type":"public-key","alg":-257}],
 "authenticatorSelection":{"residentKey":"preferred","userVerification":"preferred"},"attestation":"$3"}
J
        echo '{"challenge":"MTIzNDU2Nzg5MDEyMzQ1Ng","rpId":"school.example","userVerification":"preferred","allowCredentials":[]}' >get.json
        rm -f state.json
        "$k" webauthn create --options create.json --origin $origin --key "sim:$1" --client chromium-debian --state state.json \
                --seed 1 --fixtures "$fixtures" >created.json &&
                python3 - <<'P' &&
import json
get = json.load(open('get.json'))
get['allowCredentials'] = [{'type': 'public-key', 'id': json.load(open('created.json'))['id']}]
json.dump(get, open('get.json', 'w'))
P
                "$k" webauthn get --options get.json --origin $origin --key "sim:$1" --client chromium-debian --state state.json \
                        --seed 2 --fixtures "$fixtures" >got.json
}
for case in yubikey-5-57-pin:-7:direct yubikey-5-57-pin:-8:none google-titan-v2-pin:-7:direct yubikey-4-u2f:-7:direct \
        yubikey-bio:-7:none token2-pinplus-pin:-7:direct; do
        key=${case%%:*}
        rest=${case#*:}
        create "$key" "${rest%:*}" "${rest#*:}"
        ok $? "$key registers and logs in (algorithm ${rest%:*}, attestation ${rest#*:})"
        run node "$here/simplewebauthn.mjs" $origin create.json created.json get.json got.json
        exits 0 "@simplewebauthn/server verifies both"
done
run node "$here/schema.mjs" files "$fixtures/schema/key-state.schema.json" state.json
exits 0 "ajv takes a key's memory"
sed 's/"signature": *"M/"signature":"N/' got.json >wrong.json
run node "$here/simplewebauthn.mjs" $origin create.json created.json get.json wrong.json
exits 1 "and refuses a login whose signature was changed"

# Pages
run "$here/pages.py" "$KEYPILOT_LAB_DIR" first/matrix.html first/verdict.html
exits 0 "a browser and axe-core find nothing wrong with the pages"
tap_done
