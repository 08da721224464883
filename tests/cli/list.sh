#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# What there is to choose from.  list.sh KEYPILOT
set -u
. "$(dirname "$0")/../support/tap.sh"
k=$1
fixtures=${KEYPILOT_FIXTURES:-fixtures}

for what in keys clients services providers hubs populations scenarios rules faults pilots; do
        run "$k" list $what --json --fixtures "$fixtures"
        exits 0 "list $what"
        python3 - "$tap_dir/out" <<'P'
import json, sys
items = json.load(open(sys.argv[1]))
assert isinstance(items, list)
for item in items:
    assert isinstance(item['id'], str) and item['id']
    title = item['title']
    assert isinstance(title, str) or set(title) == {'en', 'nl'}, title
assert len({item['id'] for item in items}) == len(items)
P
        ok $? "list $what --json is an array of ids and titles, each once"
done
run "$k" list keys --json --fixtures "$fixtures"
python3 - "$tap_dir/out" <<'P'
import json, sys
keys = json.load(open(sys.argv[1]))
simulated = [key for key in keys if key['id'].startswith('sim:')]
assert len(simulated) >= 65
for key in simulated:
    assert {'versions', 'algorithms', 'options', 'source'} <= set(key), key
    assert key['source'], key
P
ok $? "65 or more simulated keys, each with versions, algorithms, options and source"
python3 - "$tap_dir/out" "$fixtures" <<'P'
import json, sys
keys = {key['id']: key for key in json.load(open(sys.argv[1]))}
def profile(name):
    facts = json.load(open(f'{sys.argv[2]}/authenticators/{name}.json'))
    return {k: v for k, v in facts.items() if k not in ('id', 'title', 'source', 'like')}
assert keys['sim:keypilot-23']['facts'] == profile('keypilot-23')
merged = {**profile('keypilot-23'), **{k: v for k, v in profile('keypilot-23-set').items() if k != 'options'}}
merged['options'] = {**profile('keypilot-23')['options'], **profile('keypilot-23-set')['options']}
assert keys['sim:keypilot-23-set']['facts'] == merged
assert keys['sim:yubikey-5-58']['options']['perCredMgmtRO'] is True
P
ok $? "and with all the facts of its profile, what it is like merged in"

# Faults
mkdir -p "$tap_dir/faults"
fault() { printf '{"id":"%s","title":{"en":"a","nl":"b"},"point":"%s"%s}\n' "$1" "$2" "$3" >"$tap_dir/faults/$1.json"; }
fault late touch.late ',"value":500,"command":"makeCredential","nth":2,"times":0'
fault nowhere touch.nowhere ''
fault too-much touch.withheld ',"value":3'
run "$k" check "$tap_dir/faults/late.json"
exits 0 "a fault that names a point is good"
run "$k" check "$tap_dir/faults/nowhere.json"
exits 3 "a fault at a point that does not exist is not"
complains "member 'point': a simulated key has no point \"touch.nowhere\"" "and the point is named"
run "$k" check "$tap_dir/faults/too-much.json"
exits 3 "nor is a value where the point takes none"
complains "member 'value'" "and the member is named"
fault coffee touch.withheld ',"command":"makeCoffee"'
run "$k" check "$tap_dir/faults/coffee.json"
exits 3 "nor a command that nobody can send"
complains "member 'command': \"makeCoffee\" is no command" "and it is named"
mv "$tap_dir/faults/late.json" "$tap_dir/late.json"
run "$k" check "$tap_dir/late.json"
exits 0 "outside its folder a fault is known by its point"
run "$k" list faults --json --fixtures "$fixtures"
python3 - "$tap_dir/out" "$fixtures" <<'P'
import glob, json, os, sys
faults = {fault['id']: fault for fault in json.load(open(sys.argv[1]))}
files = sorted(glob.glob(f'{sys.argv[2]}/faults/*.json'))
assert set(faults) == {os.path.basename(path)[:-5] for path in files}
for path in files:
    want = {'nth': 1, 'times': 1, 'value': 0, **json.load(open(path))}
    want.pop('note', None)
    assert faults[want['id']] == want, want
P
ok $? "list faults --json tells point, command, when and value of each"
run "$k" list keys --fixtures /
exits 4 "a folder without fixtures means that the machine is not ready"
complains "not a folder of fixtures" "and says so"
tap_done
