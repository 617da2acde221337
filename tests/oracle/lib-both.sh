# lib-both.sh - one run seen by two: denet-record records strace, which logs COMMAND.
#
#   both numbers COMMAND...   every argument as a number
#   both strings COMMAND...   with the strings in it
#
# Leaves numbers.dnt and numbers.log (strings.dnt and strings.log), and what the two
# programs said in numbers.said. The status is that of COMMAND. Needs no more than a
# POSIX shell: it runs in the kernels of tests/kernels too.
# shellcheck shell=sh
both() {
	both_as=$1
	shift
	case $both_as in
	numbers) set -- -e raw=all "$@" ;;
	strings) set -- -xx -s 65536 "$@" ;;
	esac
	rm -f "$both_as.dnt" "$both_as.log"
	denet-record -q -o "$both_as.dnt" strace -f -o "$both_as.log" -X raw "$@" \
		>out 2>"$both_as.said"
}
