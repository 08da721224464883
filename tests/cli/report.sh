#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# A run as pages and in machine formats.  report.sh KEYPILOT
set -u
. "$(dirname "$0")/../support/tap.sh"
k=$1
data=$(dirname "$0")/../report/data
fixtures=$data/fixtures
dir=$tap_dir/run
mkdir "$dir"

# the chain of the log, by other means than ours
python3 - "$data/small.jsonl" >"$dir/outcomes.jsonl" <<'P'
import hashlib, sys
prev = '0' * 64
for line in open(sys.argv[1], encoding='utf-8'):
    line = '{"prev":"' + prev + '",' + line.rstrip('\n')[1:]
    prev = hashlib.sha256(line.encode()).hexdigest()
    print(line)
P

run "$k" report "$dir" --fixtures "$fixtures" --lang nl
exits 0 "report without a format prints the summary"
says "Nog niet te zeggen, omdat alles alleen gesimuleerd is" "with the answer"
run "$k" report "$dir" --fixtures "$fixtures" --lang en
says "Cannot say yet, because everything was only simulated" "in English as well"
run "$k" report "$dir" --fixtures "$fixtures" --format html
exits 0 "html"
[ -s "$dir/matrix.html" ] && [ -s "$dir/verdict.html" ] && [ -s "$dir/junit.xml" ]
ok $? "leaves three pages in the folder"
run "$k" report "$dir" --fixtures "$fixtures" --format junit
cmp -s "$tap_dir/out" "$dir/junit.xml"
ok $? "junit goes to standard output, the same as the file"
python3 - "$dir/junit.xml" "$dir/outcomes.jsonl" <<'P'
import json, sys
import xml.etree.ElementTree as tree
root = tree.parse(sys.argv[1]).getroot()
cases = root.findall('.//testcase')
outcomes = [json.loads(line) for line in open(sys.argv[2], encoding='utf-8')][1:]
assert len(cases) == len(outcomes) == int(root.get('tests'))
assert len({(c.get('classname'), c.get('name')) for c in cases}) == len(cases)
failures = [o for o in outcomes if o['verdict'] in ('breaks', 'risk')]
assert len(root.findall('.//failure')) == len(failures) == int(root.get('failures'))
for case, outcome in zip(cases, outcomes):
    failure = case.find('failure')
    if failure is not None:
        assert outcome['cause'] in failure.get('message') and outcome['cause'] in failure.text
P
ok $? "junit.xml agrees with the log in another program's eyes"
run "$k" report "$dir" --fixtures "$fixtures" --json
python3 -c 'import json, sys; json.load(open(sys.argv[1]))["answer"]["quadrants"][0]["state"]' "$tap_dir/out"
ok $? "--json is the report as JSON"
run "$k" report "$dir" --fixtures "$fixtures" --format csv
python3 - "$tap_dir/out" <<'P'
import csv, sys
rows = list(csv.DictReader(open(sys.argv[1], encoding='utf-8', newline='')))
assert len(rows) == 73 and all(row['verdict'] and row['id'] for row in rows)
P
ok $? "csv is a table with a row for each outcome"
run "$k" report "$dir" --format pdf --fixtures "$fixtures"
exits 2 "a format that was not built is refused"
complains "expected html, csv, json, junit, md or tap" "and the ones there are are told"
run "$k" report "$tap_dir/none" --fixtures "$fixtures"
complains "outcomes.jsonl" "a folder without a run is named"
sed -i 's/"verdict":"breaks"/"verdict":"works"/' "$dir/outcomes.jsonl"
cp "$dir/matrix.html" "$tap_dir/before"
run "$k" report "$dir" --fixtures "$fixtures" --format html
exits 7 "a log that was changed by hand is refused"
cmp -s "$dir/matrix.html" "$tap_dir/before"
ok $? "and the pages stay as they were"
tap_done
