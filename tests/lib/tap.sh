# tap.sh - what shell tests say their results with. Source it first:
#
#   . "$(dirname "$0")/../lib/tap.sh"
#
#   plan N              how many cases follow (or done_testing at the end)
#   ok NAME CMD...      passes when CMD succeeds
#   pass NAME / not_ok NAME [WHY]
#   is GOT WANT NAME    passes when the strings are equal
#   like GOT ERE NAME   passes when GOT matches the extended expression
#   near GOT WANT PCT NAME   passes when two whole numbers differ by at most PCT %
#   skip NAME WHY       one case not run
#   skip_all WHY        none run: ends the test
#   diag TEXT           a remark in the log
#   done_testing        prints the plan when there was none, and exits
#
#   need_cmd CMD...     these end the test as skipped when the machine lacks it
#   need_recorder       denet-record was built
#   need_bpf            ... and this process may load BPF programs
#
# The test starts in an empty scratch directory, removed afterwards. Set:
# DN_SRCDIR, DN_BUILDDIR (absolute), and both programs are first in PATH.
# Works in bash and in POSIX shells.
# shellcheck shell=sh

: "${DN_SRCDIR:=$(cd "$(dirname "$0")/../.." && pwd)}"
: "${DN_BUILDDIR:=$PWD}"
export DN_SRCDIR DN_BUILDDIR
PATH=$DN_BUILDDIR:$PATH:/usr/sbin:/sbin
LC_ALL=C TZ=UTC
export PATH LC_ALL TZ

tap_n=0
tap_failed=0
tap_planned=

scratch=$(mktemp -d "${TMPDIR:-/tmp}/denet-tap.XXXXXX") || exit 99
trap 'cd / && rm -rf "$scratch"' EXIT
cd "$scratch" || exit 99

plan() { tap_planned=$1; echo "1..$1"; }

diag() { printf '%s\n' "$*" | sed 's/^/# /'; }

pass() {
	tap_n=$((tap_n + 1))
	echo "ok $tap_n - $1"
}

not_ok() {
	tap_n=$((tap_n + 1))
	tap_failed=$((tap_failed + 1))
	# A list of names may be all that is seen of it: the beginning of why is in it.
	tap_why=$(printf '%s' "${2-}" | tr -s '# \t\n' ' ' | cut -c 1-160)
	echo "not ok $tap_n - $1${tap_why:+: ${tap_why# }}"
	[ $# -lt 2 ] || diag "$2"
	return 1
}

ok() {
	tap_name=$1
	shift
	if "$@" >"$scratch/.tap" 2>&1; then
		pass "$tap_name"
	else
		tap_status=$?
		not_ok "$tap_name" "$(tail -n 20 "$scratch/.tap")
status $tap_status from: $*"
	fi
}

is() {
	if [ "$1" = "$2" ]; then
		pass "$3"
	else
		not_ok "$3" "  got: $1
 want: $2"
	fi
}

like() {
	if printf '%s\n' "$1" | grep -Eq -- "$2"; then
		pass "$3"
	else
		not_ok "$3" "  got: $1
 want a match of: $2"
	fi
}

near() {
	tap_diff=$(($1 - $2))
	[ $tap_diff -ge 0 ] || tap_diff=$((-tap_diff))
	if [ $((tap_diff * 100)) -le $(($2 * $3)) ]; then
		pass "$4"
	else
		not_ok "$4" "  got: $1
 want: $2 within $3 %"
	fi
}

skip() {
	tap_n=$((tap_n + 1))
	echo "ok $tap_n - $1 # SKIP $2"
}

skip_all() {
	echo "1..0 # SKIP $*"
	exit 77
}

done_testing() {
	[ -n "$tap_planned" ] || echo "1..$tap_n"
	[ "$tap_failed" -eq 0 ]
	exit
}

# can_bpf: may this process load BPF programs? Asked of the kernel by bpftool and
# not by denet-record, so that a recorder that fails everywhere is not taken for a
# machine that allows nothing.
can_bpf() {
	tap_caps=$(sed -n 's/^CapEff:[[:space:]]*0*//p' /proc/self/status)
	tap_caps=$((0x${tap_caps:-0}))
	# CAP_SYS_ADMIN is bit 21, CAP_PERFMON 38, CAP_BPF 39.
	if [ $((tap_caps >> 21 & 1)) = 0 ] && [ $((tap_caps >> 38 & 3)) != 3 ]; then
		return 1
	fi
	if command -v bpftool >/dev/null; then
		bpftool prog list >/dev/null 2>&1 || return 1
	fi
	return 0
}

need_cmd() {
	for tap_cmd in "$@"; do
		command -v "$tap_cmd" >/dev/null || skip_all "$tap_cmd is not installed"
	done
}

need_recorder() {
	[ -x "$DN_BUILDDIR/denet-record" ] || skip_all "denet-record was not built"
}

# with_bpf: was denet-record built with BPF?
with_bpf() { [ -f "$DN_BUILDDIR/bpf/denet.skel.h" ]; }

need_bpf() {
	need_recorder
	with_bpf || skip_all "denet-record was built without BPF"
	can_bpf || skip_all "this process may not load BPF programs"
}
