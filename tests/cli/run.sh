#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Runs, baselines, causes and checks as a user types them.  run.sh KEYPILOT
set -u
. "$(dirname "$0")/../support/tap.sh"
k=$1
fixtures=${KEYPILOT_FIXTURES:-$(dirname "$0")/../../fixtures}
f="--fixtures $fixtures --lang en"
here=$tap_dir/here
mkdir "$here"
cd "$here" || exit 99

# ---- a run ----
run "$k" run $f --filter scenario=leaver --filter home=service
exits 0 "a run with findings is a run that is done"
says "idp-disabled-sp-passkey-still-logs-in" "it names the cause"
says "keypilot-runs/1/verdict.html" "and where the report lies"
(cd keypilot-runs/1 && [ -s outcomes.jsonl ] && [ -s matrix.html ] && [ -s verdict.html ] && [ -s junit.xml ])
ok $? "it leaves the log and three pages"
run "$k" run $f --filter scenario=leaver --filter home=service --jobs 1 --json
exits 0 "with --json"
python3 - "$tap_dir/out" <<'P'
import json, sys
s = json.load(open(sys.argv[1]))
assert s['out'] == 'keypilot-runs/2' and s['exit'] == 0 and s['faults'] == 0, s
assert s['verdicts']['risk'] == sum(s['causes'].values()) > 0, s
P
ok $? "the summary is an object"
cmp -s keypilot-runs/1/outcomes.jsonl keypilot-runs/2/outcomes.jsonl
ok $? "one worker and several write the same bytes"
run "$k" run $f --filter scenario=leaver --filter home=service --seed other --out s
cmp -s keypilot-runs/1/outcomes.jsonl s/outcomes.jsonl
[ $? -eq 1 ]
ok $? "another seed does not"

# ---- folders ----
mkdir used && echo mine >used/mine
run "$k" run $f --filter scenario=leaver --out used
exits 2 "a used folder is refused"
[ "$(ls used)" = mine ]
ok $? "and left as it was"
run "$k" run $f --filter scenario=leaver --out keypilot-runs/1 --resume
exits 3 "going on with a run of another plan is refused"
complains "of another plan" "and says so"
cp -r keypilot-runs/1 torn
head -c 100000 keypilot-runs/1/outcomes.jsonl >torn/outcomes.jsonl
run "$k" run $f --filter scenario=leaver --filter home=service --out torn --resume
exits 0 "a run that was broken off is gone on with"
cmp -s keypilot-runs/1/outcomes.jsonl torn/outcomes.jsonl
ok $? "to the same bytes"
sed 's/"verdict":"works"/"verdict":"limits"/' keypilot-runs/1/outcomes.jsonl >torn/outcomes.jsonl
run "$k" run $f --filter scenario=leaver --filter home=service --out torn --resume
exits 7 "a log that somebody changed is not"

# ---- interrupted ----
"$k" run $f --out stopped >"$tap_dir/out" 2>"$tap_dir/err" &
pid=$!
sleep 2
kill -INT $pid
tap_status=0
wait $pid || tap_status=$?
exits 130 "interrupted"
complains "--resume --out stopped" "says how to go on"
run "$k" check $f stopped/outcomes.jsonl
exits 0 "its log is whole as far as it goes"

# ---- baselines ----
run "$k" baseline write keypilot-runs/1
exits 0 "a baseline is written"
b=keypilot-runs/1/baseline.json
run "$k" check $f "$b"
exits 0 "and is right"
run "$k" run $f --filter scenario=leaver --filter home=service --baseline "$b" --out b1
exits 0 "a run is as its own baseline expects"
sed 's/"idp-disabled-sp-passkey-still-logs-in": "found/"something-else": "found/' "$b" >b2.json
run "$k" run $f --filter scenario=leaver --filter home=service --baseline b2.json --out b2
exits 6 "a risk whose cause is not accepted"
complains "risk not accepted" "is told"
sed '0,/"verdict": "works"/s//"verdict": "limits"/' "$b" >b3.json
run "$k" run $f --filter scenario=leaver --filter home=service --baseline b3.json --out b3
exits 1 "better than expected is not as expected"
complains "unexpected-pass" "and called so"
run "$k" run $f --filter scenario=leaver --filter home=both --baseline "$b" --out b4
exits 6 "a new risk is not accepted"
echo '{"format": 1}' >b5.json
run "$k" run $f --filter scenario=leaver --baseline b5.json --out b5
exits 3 "a baseline that is none"
[ ! -e b5 ]
ok $? "stops before anything is written"
head -n 3 keypilot-runs/1/outcomes.jsonl >torn/outcomes.jsonl
run "$k" baseline write torn
exits 3 "an unfinished run makes no baseline"

# ---- fail-on ----
for want in limits=1 breaks=1 risk=0 works=1 inconclusive=0; do
        run "$k" run $f --filter scenario=slow-at-the-key --fail-on "${want%=*}" --out "f-${want%=*}"
        exits "${want#*=}" "--fail-on ${want%=*} where things work and break"
done
run "$k" run $f --filter scenario=leaver --filter home=service --fail-on breaks --out fr
exits 6 "--fail-on with a risk"

# ---- wrong words ----
for wrong in "--shard 3/2" "--shard x" "--fail-on bad" "--jobs 0" "--filter key" "--filter colour=red" \
        "--filter key=nope" "--filter scenario=leaver --filter event=blocked"; do
        # shellcheck disable=SC2086
        run "$k" run $f $wrong --out wrong
        exits 2 "run $wrong"
done
run "$k" run $f no-such-pilot --out wrong
exits 3 "a pilot that does not exist"
complains "did you mean" "has a nearest one"
run "$k" run $f --key sim:nope --out wrong
exits 3 "a key that does not exist"
[ ! -e wrong ]
ok $? "nothing of that leaves a folder"

# ---- explain and check ----
run "$k" explain $f samesite-lax-drops-state
exits 0 "explain"
says "Whose move: the supplier of the service" "says whose move it is"
run "$k" explain --fixtures "$fixtures" --lang nl samesite-lax-drops-state
says "Wie is aan zet: de leverancier van de dienst" "in Dutch as well"
run "$k" explain $f samesite
exits 3 "a cause that does not exist"
complains "did you mean" "has a nearest one"
run "$k" explain $f unexplained
exits 0 "unexplained is explained"
run "$k" check $f "$fixtures"/*/*.json
exits 0 "every fixture is right"
sed 's/"verdict": "breaks"/"verdict": "brakes"/' "$fixtures/rules/samesite-lax-drops-state.json" >samesite-lax-drops-state.json
run "$k" check $f samesite-lax-drops-state.json
exits 3 "a wrong rule"
complains "member 'when.verdict': expected limits, breaks or risk" "is told by name and place"
tap_done
