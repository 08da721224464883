#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Whatever file a user hands in, wrong in one thing.  bad_input.sh KEYPILOT
exec python3 -B "$(dirname "$0")/../bad/bad_input.py" "$1" "${KEYPILOT_FIXTURES:-fixtures}"
