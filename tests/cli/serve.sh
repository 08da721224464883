#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Lending a simulated key, as a user types it.  serve.sh KEYPILOT
set -u
. "$(dirname "$0")/../support/tap.sh"
k=$1
export KEYPILOT_FIXTURES="${KEYPILOT_FIXTURES:-fixtures}"
cd "$tap_dir" || exit 1

serve() {
        run timeout 20 "$k" key serve "$@" --fixtures "$KEYPILOT_FIXTURES" --lang en
}

# what cannot be
serve
exits 2 "a key is needed"
serve sim:solo-1
exits 2 "and a place to listen"
complains "expected one of --socket PATH, --udp PORT, --uhid, --vpcd" "the choice is told"
serve sim:solo-1 --socket a --udp 0
exits 2 "one place, not two"
serve hid:/dev/hidraw0 --socket a
exits 2 "a real key is not lent"
complains "expected sim:PROFILE" "and that is told"
serve sim:nothing-like-it --socket a
exits 3 "a profile that is not there is invalid input"
complains "nothing-like-it" "and is named"
serve sim:solo-1 sim:solo-1 --socket a
exits 2 "each key needs its own socket"
complains "option '--socket' is given 1 times for 2 keys" "and the count is told"
serve sim:solo-1 sim:solo-1 --socket a --socket b --state s --state s
exits 2 "and its own memory"
serve sim:solo-1 --udp 65536
exits 2 "a port has a range"
serve sim:solo-1 --udp x
exits 2 "and is a number"
serve sim:solo-1 --socket a --touch perhaps
exits 2 "a touch has a name"
serve sim:solo-1 --socket a --touch ask
exits 2 "nobody can be asked without a terminal"
complains "ask needs a terminal" "and that is told"
serve sim:solo-1 --vpcd-at here
exits 2 "vpcd has a host and a port"
serve sim:solo-1 --vpcd-at 127.0.0.1:1
exits 4 "where no vpcd listens the machine is not ready"
complains "start pcscd" "and what to do is told"
if [ -c /dev/uhid ]; then
        echo "ok $((tap_n += 1)) - /dev/uhid that is missing # SKIP it is here"
else
        serve sim:solo-1 --uhid
        exits 4 "without /dev/uhid the machine is not ready"
        complains "modprobe uhid" "and what to do is told"
fi
serve sim:solo-1 --socket "$(printf '%0200d' 0)"
exits 2 "a path of a socket that is too long is refused"
serve sim:solo-1 --socket a --fault no-such-fault
exits 3 "a fault that does not exist is invalid input"
[ ! -e a ]
ok $? "and nothing is left behind"

# what is in the way stays as it was
echo thesis >thesis
serve sim:solo-1 --socket thesis
exits 3 "a file that is no socket is not replaced"
serve sim:solo-1 --socket a --control thesis
exits 3 "nor by the control socket"
serve sim:solo-1 --socket a --state thesis
exits 3 "what is no memory is refused"
[ "$(cat thesis)" = thesis ] && [ ! -e a ]
ok $? "and untouched"

# how it begins and ends
: >ready
"$k" key serve sim:solo-1 sim:yubikey-5-57 --socket one --socket two --state s1 --state s2 --control c \
        --fixtures "$KEYPILOT_FIXTURES" --lang nl --json >ready 2>talk </dev/null &
pid=$!
n=0
while [ "$(wc -l <ready)" -lt 2 ] && [ $n -lt 200 ]; do
        sleep 0.05
        n=$((n + 1))
done
[ -S one ] && [ -S two ] && [ -S c ]
ok $? "both sockets and the control socket are there once it says so"
python3 - ready <<'P'
import json, sys
lines = [json.loads(line) for line in open(sys.argv[1])]
assert lines == [
    {'key': 'sim:solo-1', 'index': 0, 'port': 'socket', 'address': 'one', 'control': 'c'},
    {'key': 'sim:yubikey-5-57', 'index': 1, 'port': 'socket', 'address': 'two', 'control': 'c'}], lines
P
ok $? "a line of JSON for each key says where it listens"
grep -q '^sim:solo-1 is te gebruiken op one (socket)' talk
ok $? "and a sentence for people, in Dutch"
[ "$(stat -c %a s1)" = 600 ] && [ "$(stat -c %a s2)" = 600 ]
ok $? "memories are made, for their owner only"
serve sim:solo-1 --socket one
exits 4 "a socket in use is not taken away"
kill "$pid"
status=0
wait "$pid" || status=$?
[ "$status" -eq 0 ]
ok $? "being stopped is how it ends well (exit 0, was $status)"
grep -q '^Gestopt\.$' talk
ok $? "and it says so"
[ ! -e one ] && [ ! -e two ] && [ ! -e c ] && [ -f s1 ]
ok $? "sockets go, memories stay"
cp s1 before
serve sim:yubikey-5-57 --socket one --state s1
exits 3 "another model does not get this memory"
cmp -s s1 before
ok $? "which is as it was"

rm -f ready
"$k" key serve sim:solo-1 --udp 0 --fixtures "$KEYPILOT_FIXTURES" --json >ready 2>talk </dev/null &
pid=$!
n=0
while [ ! -s ready ] && [ $n -lt 200 ]; do
        sleep 0.05
        n=$((n + 1))
done
python3 - ready <<'P'
import json, socket, sys
host, port = json.load(open(sys.argv[1]))['address'].split(':')
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(5)
s.connect((host, int(port)))
nonce = bytes(range(8))
s.send((b'\xff\xff\xff\xff\x86\x00\x08' + nonce).ljust(64, b'\0'))
answer = s.recv(64)
assert len(answer) == 64 and answer[4] == 0x86 and answer[7:15] == nonce, answer.hex()
P
ok $? "a key answers over UDP at the port that was told"
kill -INT "$pid"
status=0
wait "$pid" || status=$?
[ "$status" -eq 0 ]
ok $? "Ctrl-C ends it as well (exit 0, was $status)"
tap_done
