#!/bin/sh
# update-types.sh - makes vmlinux_min.h and vmlinux_flavours.h from vmlinux_min.list
# and the BTF of kernels, and checks them against it.
#
#   update-types.sh [-o DIR] [BTF...]
#	A BTF is a file as /sys/kernel/btf/vmlinux (the one taken when none is named),
#	or a vmlinux. What none of them has (another architecture, an older kernel's
#	field) keeps the declaration that the header in DIR has.
#   update-types.sh --check [--all] [VERSION=]BTF...
#	Prints a table: has each kernel each field (yes), may it lack it (-), has it
#	the list's other one (else)? Fails where a field is missing and the list says
#	no reason, where its type is not the header's, and where the programs do not
#	read a field, or do not ask for one that may be missing. --all: these are all
#	kernels there are, what none of them has is a mistake.
set -eu
LC_ALL=C
export LC_ALL
PATH=$PATH:/usr/sbin:/sbin

die()
{
	echo "update-types.sh: $*" >&2
	exit 1
}

here=$(cd "$(dirname "$0")" && pwd)
out=$here
mode="make"
all=0
while [ $# != 0 ]; do
	case $1 in
	-o) [ $# -gt 1 ] || die "-o needs a directory"
		out=$2; shift ;;
	--check) mode=check ;;
	--all) all=1 ;;
	-*) die "cannot understand $1: see the head of this file" ;;
	*) break ;;
	esac
	shift
done
if [ $# = 0 ]; then
	[ -r /sys/kernel/btf/vmlinux ] ||
		die "cannot read the running kernel's types (/sys/kernel/btf/vmlinux): name a BTF file"
	set -- "$(uname -r)=/sys/kernel/btf/vmlinux"
fi
bpftool=${BPFTOOL:-bpftool}
work=$(mktemp -d "${TMPDIR:-/tmp}/denet-types.XXXXXX")
trap 'rm -rf "$work"' EXIT

(
	echo @list
	cat "$here/vmlinux_min.list"
	for file in "$out/vmlinux_min.h" "$out/vmlinux_flavours.h"; do
		echo @header
		[ ! -f "$file" ] || cat "$file"
	done
	echo @source
	cat "$here"/*.bpf.h "$here"/*.bpf.c
	for btf in "$@"; do
		case $btf in
		[0-9]*=*) label=${btf%%=*} file=${btf#*=} ;;
		*) label=$btf file=$btf ;;
		esac
		echo "@btf $label"
		"$bpftool" btf dump file "$file" || die "cannot read types from $file: bpftool refuses it"
	done
	echo @end
) >"$work/in" 2>"$work/err" || {
	cat "$work/err" >&2
	exit 1
}
"${AWK:-awk}" -v prog=update-types.sh -v mode=$mode -v all=$all \
	-v min="$work/vmlinux_min.h" -v flavours="$work/vmlinux_flavours.h" \
	-f "$here/types.awk" "$work/in"
if [ $mode = make ]; then
	for file in vmlinux_min.h vmlinux_flavours.h; do
		cmp -s "$work/$file" "$out/$file" || cp "$work/$file" "$out/$file"
	done
fi
