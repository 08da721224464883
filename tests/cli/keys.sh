#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Looking at keys, and cleaning up after oneself.  keys.sh KEYPILOT
set -u
. "$(dirname "$0")/../support/tap.sh"
k=$1
fixtures=${KEYPILOT_FIXTURES:-fixtures}
export HOME="$tap_dir"
unset XDG_STATE_HOME

run "$k" key inspect sim:yubikey-5-57 --fixtures "$fixtures" --lang en
exits 0 "a key can be inspected"
says "YubiKey 5, firmware 5.7" "its model is told"
says "PIN" "and whether a PIN is set"
run "$k" key inspect sim:yubikey-5-57-pin --fixtures "$fixtures" --lang nl
says "Wat het voor jullie betekent" "and what that means for a school, in Dutch"
run "$k" key inspect sim:yubikey-5-57-pin --fixtures "$fixtures" --json
python3 -c "import json,sys; key = json.load(open(sys.argv[1])); assert key['aaguid'], key" "$tap_dir/out"
ok $? "the same as JSON"
run "$k" key inspect hid:/dev/null --fixtures "$fixtures"
[ "$tap_status" -ne 0 ] && [ "$tap_status" -ne 70 ]
ok $? "what is no key is refused"
run "$k" key inspect sim:nothing-like-it --fixtures "$fixtures"
exits 3 "a profile that is not there is invalid input"
complains "nothing-like-it" "and is named"
run "$k" key clean sim:yubikey-5-57
exits 2 "a simulated key needs no cleaning"
run "$k" key clean hid:/dev/hidraw99 --lang en
exits 0 "without a ledger there is nothing to remove"
says "Nothing to remove" "and no key is opened for it"
mkdir -p "$tap_dir/.local/state/keypilot"
{
        echo '{"event":"prepared","entry":"0123456789abcdef","time":"2026-09-01T08:00:00Z","run":"manual","rp":"school.example","user_id":"AAEC","name":"keypilot-test-jan","discoverable":true}'
        echo '{"event":"made","entry":"0123456789abcdef","time":"2026-09-01T08:00:01Z","credential_id":"AAECAw"}'
} >"$tap_dir/.local/state/keypilot/ledger.jsonl"
run "$k" key clean hid:/dev/hidraw99 --lang en
[ "$tap_status" -ne 0 ]
ok $? "a passkey that is left, and a key that is not there, do not end well"
complains "/dev/hidraw99" "and the key that was not there is named"
tap_done
