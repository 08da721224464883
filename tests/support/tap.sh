# SPDX-License-Identifier: BSD-2-Clause
# Sourced by script tests: counts and prints TAP. End with tap_done.
# shellcheck shell=sh
tap_n=0
tap_bad=0
tap_dir=$(mktemp -d)
trap 'rm -rf "$tap_dir"' EXIT

# ok STATUS TITLE: the result of something already done
ok() {
        tap_n=$((tap_n + 1))
        if [ "$1" -eq 0 ]; then
                echo "ok $tap_n - $2"
        else
                tap_bad=1
                echo "not ok $tap_n - $2"
                sed 's/^/# /' "$tap_dir/out" "$tap_dir/err" 2>/dev/null | head -n 20
        fi
}

# run COMMAND...: keep status, stdout and stderr for the checks that follow
run() {
        tap_status=0
        "$@" >"$tap_dir/out" 2>"$tap_dir/err" </dev/null || tap_status=$?
}

# exits CODE TITLE / says TEXT TITLE (stdout) / complains TEXT TITLE (stderr): of the last run
exits() {
        [ "$tap_status" -eq "$1" ]
        ok $? "$2 (exit $1, was $tap_status)"
}
says() {
        grep -qF -- "$1" "$tap_dir/out"
        ok $? "$2"
}
complains() {
        grep -qF -- "$1" "$tap_dir/err"
        ok $? "$2"
}

skip_all() {
        echo "1..0 # SKIP $1"
        exit 0
}

tap_done() {
        echo "1..$tap_n"
        exit $tap_bad
}
