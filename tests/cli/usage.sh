#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The command line itself: help, languages, wrong options.  usage.sh KEYPILOT
set -u
. "$(dirname "$0")/../support/tap.sh"
k=$1

run env LC_ALL=C "$k" --help
exits 0 "help is an answer, not an error"
says "keypilot shows which combinations" "help is in English by default"
run env LC_ALL=nl_NL.UTF-8 "$k" --help
says "keypilot laat zien welke combinaties" "a Dutch locale gives Dutch help"
run env LC_ALL=nl_NL.UTF-8 "$k" list --help --lang en
says "what there is to choose from" "--lang wins over the locale"
run "$k"
exits 2 "nothing to do is a usage error"
run "$k" dance
exits 2 "an unknown command is a usage error"
complains "unknown command 'dance'" "and is named"
run "$k" list keys --colour
exits 2 "an unknown option is a usage error"
complains "unknown option '--colour'" "and is named"
complains "keypilot list --help" "and the help that helps is told"
run "$k" list keys --lang fr
complains "option '--lang': 'fr' is not nl or en" "a third language is refused in one sentence"
run "$k" list keys --lang
complains "option '--lang' needs a value: --lang nl|en" "a missing value is told"
run "$k" list keys clients
complains "'clients' is one argument too many" "one argument too many is told"
run "$k" list unicorns
exits 2 "what cannot be listed is a usage error"
complains "cannot list 'unicorns'; can list keys, clients" "and what can be listed is told"
run "$k" webauthn verify --kind registration --kind authentication
complains "option '--kind' may be given once" "an option given twice is refused"
run "$k" --version
exits 0 "the version is told"
says "libfido2" "with the libraries that decide verdicts"
says "xmlsec" "all of them"
for command in $("$k" --help | sed -n 's/^  \([a-z]*\) .*/\1/p' | sort -u); do
        case $command in key | webauthn | saml | baseline) continue ;; esac
        run "$k" "$command" --help
        exits 0 "$command has help"
done
tap_done
