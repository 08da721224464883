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
assert len(simulated) >= 10
for key in simulated:
    assert {'versions', 'algorithms', 'options', 'source'} <= set(key), key
    assert key['source'], key
P
ok $? "ten or more simulated keys, each with versions, algorithms, options and source"
run "$k" list keys --fixtures /
exits 4 "a folder without fixtures means that the machine is not ready"
complains "not a folder of fixtures" "and says so"
tap_done
