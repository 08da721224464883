#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Debian's fido2-tools and ssh-keygen use a lent key through /dev/uhid, in a small guest: QEMU, a Debian kernel that
# scripts/lab-prepare unpacked, busybox.  serve_uhid.sh KEYPILOT
set -u
. "$(dirname "$0")/../support/tap.sh"
k=$1
here=$(cd "$(dirname "$0")" && pwd)
fixtures=${KEYPILOT_FIXTURES:-$here/../../fixtures}
[ "${KEYPILOT_LAB:-no}" = yes ] || skip_all "scripts/test --lab runs the tests against other people's programs"
kernel=${KEYPILOT_LAB_DIR:-/nonexistent}/kernel
[ -r "$kernel/vmlinuz" ] || skip_all "scripts/lab-prepare has not unpacked a kernel"
sk_helper=/usr/lib/openssh/ssh-sk-helper
for program in qemu-system-x86_64 busybox cpio fido2-token fido2-cred fido2-assert ssh-keygen $sk_helper cc; do
        command -v "$program" >/dev/null || skip_all "needs $program"
done
busybox=$(command -v busybox)
ldd "$busybox" >/dev/null 2>&1 && skip_all "needs a static busybox (busybox-static)"

# the guest's files: programs, and every library that they load
root=$tap_dir/root
mkdir -p "$root/bin" "$root/lib64" "$root/lib/x86_64-linux-gnu" "$root/usr/lib/openssh" "$root/etc" "$root/modules"
cc -O1 -static -o "$root/bin/hand" "$here/qemu/hand.c" || skip_all "needs a static libc (libc6-dev)"
cp "$kernel"/*.ko "$root/modules/"
cp "$k" "$root/bin/keypilot"
cp "$busybox" "$(command -v fido2-token)" "$(command -v fido2-cred)" "$(command -v fido2-assert)" \
        "$(command -v ssh-keygen)" "$root/bin/"
cp "$sk_helper" "$root/usr/lib/openssh/"
cp -r "$fixtures" "$root/fixtures"
for program in "$root"/bin/keypilot "$root"/bin/fido2-* "$root/bin/ssh-keygen" "$sk_helper"; do ldd "$program"; done |
        grep -o '/[^ )]*' | sort -u | while read -r library; do cp -L "$library" "$root/lib/x86_64-linux-gnu/"; done
cp -L /lib64/ld-linux-x86-64.so.2 "$root/lib64/"
echo 'root:x:0:0:root:/root:/bin/sh' >"$root/etc/passwd"
install -m755 "$here/qemu/init" "$root/init"
(cd "$root" && find . | cpio -o -H newc --quiet | gzip -1) >"$tap_dir/initrd.gz"

timeout "${KEYPILOT_LAB_BOOT_S:-240}" qemu-system-x86_64 -accel tcg,thread=multi -cpu max -m 1024 -smp 1 -M q35 \
        -nographic -no-reboot -nodefaults -serial stdio -kernel "$kernel/vmlinuz" -initrd "$tap_dir/initrd.gz" \
        -append "console=ttyS0 quiet panic=-1 mitigations=off nokaslr random.trust_cpu=on" \
        </dev/null 2>&1 | tr -d '\r' >"$tap_dir/console"
grep -o 'CHECK .*' "$tap_dir/console" | sed 's/^CHECK //' >"$tap_dir/checks"
grep -q '^end' "$tap_dir/checks" || tail -n 20 "$tap_dir/console" | sed 's/^/# /'
while read -r line; do
        case $line in
        'ok - '*) ok 0 "${line#ok - }" ;;
        'not ok - '*)
                tap_n=$((tap_n + 1))
                tap_bad=1
                echo "not ok $tap_n - ${line#not ok - }"
                ;;
        '#'*) echo "$line" ;;
        esac
done <"$tap_dir/checks"
grep -q "^end $tap_n\$" "$tap_dir/checks"
ok $? "the guest came to its end, and all that it checked was heard"
tap_done
