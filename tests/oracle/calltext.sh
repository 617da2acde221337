#!/bin/sh
# System calls as text against strace: some 2,000 calls with pseudo-random
# arguments, which strace shows and refuses (inject), and dn_calltext shows.
#
# Not every line can be the same: strace looks into memory, knows other versions
# of the tables, and an argument of random bits shows every such difference. The
# share of equal lines is what is tested; the log has the others.
. "$(dirname "$0")/../lib/tap.sh"

: "${CC:=cc}"
[ "$(uname -m)" = x86_64 ] || skip_all "the calls are those of x86-64"
need_cmd strace "${CC%% *}"

includes="-I$DN_SRCDIR/common -I$DN_SRCDIR/schema -I$DN_SRCDIR/analyzer"
source=$DN_SRCDIR/tests/oracle/calltext_calls.c
# shellcheck disable=SC2086  # a list of words
$CC -std=gnu11 -O1 -DTRACEE -nostdlib -static -fno-stack-protector -fno-pie -no-pie \
	-fno-builtin $includes -o tracee "$source" >log 2>&1 ||
	skip_all "the compiler makes no program without a library"
strace -o out -e 'inject=!exit,exit_group,execve:error=ENOSYS' ./tracee 2>log ||
	skip_all "strace cannot refuse calls here"

# The libraries may have been built with sanitizers, which a program then needs too.
build_ours() {
	for extra in "" -fsanitize=address,undefined -fsanitize=thread; do
		# shellcheck disable=SC2086
		$CC -std=gnu11 -O1 $extra $includes -o ours "$source" \
			"$DN_BUILDDIR/analyzer/libdnanalyzer.a" \
			"$DN_BUILDDIR/common/libdncommon.a" && return
	done
	return 1
}
ok "the other side is built" build_ours

sed -e 1d -e '/^exit_group/d' -e '/^[+-][+-][+-]/d' -e 's/ (INJECTED)$//' -e 's/)  *= /) = /' \
	out > theirs.txt
./ours > ours.txt
is "$(wc -l < theirs.txt)" "$(wc -l < ours.txt)" "the same number of lines"
paste -d '\n' theirs.txt ours.txt | awk '
	NR % 2 { theirs = $0; next }
	$0 == theirs { equal++; next }
	{ print "# strace: " theirs; print "# ours:   " $0 }
	END { print int(equal * 200 / NR) > "percent" }'
percent=$(cat percent)
diag "$percent % of the lines are equal"
ok "at least 90 % of the lines are equal" test "$percent" -ge 90
done_testing
