#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# key.sh BUILD [KEY'S ARGUMENTS]     the simulated key, and beside it Chromium's own where that is installed
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=${1:?key.sh BUILD: the folder of a release build}
shift
ninja -C "$build" bench/key >/dev/null
[ $# -gt 0 ] || set -- "$here/../fixtures"
"$build/bench/key" "$@"
python3 "$here/chromium.py"
