# lib-ask.sh - questions to a recording, t.dnt. Source it after lib.sh.
#
#   ask QUERY                     the lines of its answer
#   between NAME LEAST MOST VALUE the value is one of these; where it is not, the beginning of
#                                 the file $evidence is shown with it, if that is set
# shellcheck shell=sh

ask() { denet-analyze t.dnt --csv --sql "$1" | tr -d '\r' | sed 1d; }

evidence=
between() {
	if [ -n "$4" ] && [ "$4" -ge "$2" ] && [ "$4" -le "$3" ]; then
		pass "$1 ($4)"
	else
		not_ok "$1" "$4, not from $2 to $3${evidence:+
$(cut -c 1-300 "$evidence" | head -n 12)}"
	fi
}
