# lib-net.sh - what the tests of sockets share. Source it after lib.sh.
#
#   ask FILE QUERY    the lines of an answer of one column, "!" made a tab
#   equal NAME        the files want and got are equal, and there is something in them
# shellcheck shell=sh

ask() { denet-analyze "$1" --csv --sql "$(echo "$2" | tr '\n\t' '  ')" | tr -d '\r' | sed '1d; s/^"\(.*\)"$/\1/' | tr '!' '\t'; }

equal() {
	if ! cmp -s want got; then
		not_ok "$1" "$(diff want got | head -n 20)"
	elif [ ! -s want ]; then
		not_ok "$1" "there is nothing to compare"
	else
		pass "$1 ($(($(wc -l <want))))"
	fi
}
