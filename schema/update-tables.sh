#!/bin/sh
# update-tables.sh - make schema/syscalls-ABI.tbl from kernel headers.
#
#   schema/update-tables.sh [DIR...]
#
# DIR is a directory of user space headers by architecture, holding x86/asm,
# arm64/asm and arm/asm: usr/lib/linux/uapi of Debian's linux-libc-dev from
# 6.10 on, installed or unpacked with dpkg -x. The numbers of several DIRs are
# merged: a number never changes, so older headers only add what newer ones
# dropped, and two that disagree end the script. Without DIR the installed
# package is used. To take the newest, add a sources entry of the newest suite
# and:
#
#   apt-get download linux-libc-dev && dpkg -x linux-libc-dev_*.deb tmp &&
#   schema/update-tables.sh tmp/usr/lib/linux/uapi
#
# The tables are data and committed; only a new kernel calls for this script.
# A new name then needs a line in syscalls.def, which the tests ask for.
set -eu
export LC_ALL=C

here=$(cd "$(dirname "$0")" && pwd)
[ $# -gt 0 ] || set -- /usr/lib/linux/uapi

# table ABI HEADER BASE...: numbers in headers are plain or BASE + number.
table() {
	abi=$1 header=$2
	shift 2
	files=
	for dir in "$@"; do
		[ ! -e "$dir/$header" ] || files="$files $dir/$header"
		[ "$abi" != arm ] || [ ! -e "$dir/arm/asm/unistd.h" ] ||
			files="$files $dir/arm/asm/unistd.h"
	done
	if [ -z "$files" ]; then
		echo "update-tables.sh: no $header under $*" >&2
		exit 1
	fi
	out=$here/syscalls-$abi.tbl
	# shellcheck disable=SC2086  # a list of files
	awk '
	function add(nr, name) {
		if (!(nr in by_nr))
			by_nr[nr] = name
		else if (by_nr[nr] != name) {
			printf "number %d is %s and %s\n", nr, by_nr[nr], name > "/dev/stderr"
			bad = 1
		}
	}
	# The private calls of arm: __ARM_NR_name (__ARM_NR_BASE+n).
	/^#define __ARM_NR_[a-z]/ {
		name = $2; sub(/^__ARM_NR_/, "", name)
		nr = $3; gsub(/[^0-9]/, "", nr)
		add(983040 + nr, name)		# 0x0f0000
		next
	}
	/^#define __NR_[a-z_]/ {
		name = $2; sub(/^__NR_/, "", name)
		if (name == "syscalls" || name == "arch_specific_syscall")
			next
		nr = $0
		sub(/^#define [^ \t]*[ \t]*/, "", nr)
		gsub(/__X32_SYSCALL_BIT|__NR_SYSCALL_BASE|[()+ \t]/, "", nr)
		if (nr ~ /^[0-9]+$/)		# else another name of a call
			add(nr + 0, name)
	}
	END {
		if (bad)
			exit 1
		for (nr in by_nr)
			print nr, by_nr[nr]
	}' $files | sort -n > "$out.new"
	[ -s "$out.new" ]
	mv "$out.new" "$out"
	echo "$out: $(wc -l < "$out") calls"
}

table x86_64 x86/asm/unistd_64.h "$@"
table x32 x86/asm/unistd_x32.h "$@"
table i386 x86/asm/unistd_32.h "$@"
table aarch64 arm64/asm/unistd_64.h "$@"
table arm arm/asm/unistd-eabi.h "$@"
