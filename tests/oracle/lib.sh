# lib.sh - what the oracle tests share. Source it first (it sources tap.sh):
#
#   . "$(dirname "$0")/lib.sh"
#
#   record FILE COMMAND...        a recording that nobody talks about; its status
#   dump FILE                     dntdump's lines, a thread's calls in their order
#   books FILE NAME [OPTION...]   dntcheck: everything is accounted for
#   strace_says NAME WANT COMMAND...
#                                 denet-record records strace, which logs COMMAND: both saw
#                                 the same run, and say the same. COMMAND exits with WANT.
#   says_numbers NAME             the same of files that lib-both.sh has left:
#   says_strings NAME             numbers.dnt and numbers.log, strings.dnt and strings.log
#
# Where $rung is set, it is the rung of the ladder that they are recorded on.
# The programs that are recorded are in PATH.
# shellcheck shell=sh
. "$(dirname "$0")/../lib/tap.sh"

oracle=$DN_SRCDIR/tests/oracle
. "$oracle/lib-both.sh"
PATH=$DN_BUILDDIR/tests/programs:$PATH
export PATH
tab=$(printf '\t')

record() {
	rec_file=$1
	shift
	rm -f "$rec_file"
	denet-record -q ${rung:+--rung="$rung"} -o "$rec_file" "$@" 2>.said
}

dump() {
	dntdump "$1" >"$scratch/.dump" || return
	grep -v '^call\|^signal_delivered' "$scratch/.dump"
	grep '^signal_delivered' "$scratch/.dump" | sort -s -t = -k2,2n
	# Thread ids are no order, births are: an exec gives one tid to two of them.
	awk -F "$tab" 'NR == FNR && $1 == "thread_start" { if (!($3 in born)) born[$3] = ++n }
		NR != FNR && $1 == "call" { print born["thread=" $4] + 0 FS $0 }' \
		"$scratch/.dump" "$scratch/.dump" | sort -s -t "$tab" -k1,1n -k6,6n | cut -f 2-
}

books() {
	books_file=$1
	books_name=$2
	shift 2
	ok "$books_name: the books balance" dntcheck "$@" "$books_file"
}

# same TAG NAME: lines of that kind in want and got are equal, and there are some
# unless a third argument says that there may be none.
same() {
	grep "^$1$tab" want >want.lines
	grep "^$1$tab" got >got.lines
	if [ "$1" = end ]; then	# no order of their own
		sort -o want.lines want.lines
		sort -o got.lines got.lines
	fi
	if ! cmp -s want.lines got.lines; then
		not_ok "$2" "< strace, > denet
$(diff want.lines got.lines | cut -c 1-200 | head -n 20)"
	elif [ ! -s want.lines ] && [ $# = 2 ]; then
		not_ok "$2" "strace logged nothing of the kind"
	else
		pass "$2 ($(($(wc -l <want.lines))))"
	fi
}

# narrow: of the registers of threads with 32-bit calls what such a call has of them.
# strace shows the rest as this kernel keeps it: with the sign, or without.
narrow() {
	awk -F "$tab" -v OFS="$tab" -v threads="$1" '
		BEGIN { n = split(threads, part, " "); for (i = 1; i <= n; i++) narrow[part[i]] = 1 }
		$1 == "call" && ($2 in narrow) {
			n = split($4, part, ",")
			$4 = ""
			for (i = 1; i <= n; i++) {
				if (part[i] ~ /^0xffffffff[89a-f].......$/)
					part[i] = "0x" substr(part[i], 11)
				$4 = $4 (i > 1 ? "," : "") part[i]
			}
		}
		{ print }'
}

# delivered WANT GOT: WANT, lines by thread, without the signal for which strace held a thread as
# it was killed: it is not delivered then.
delivered() {
	awk -F "$tab" '
		pass == 1 && $1 == "sig" { got[$2]++ }
		pass == 2 && $1 == "sig" { want[$2]++; last[$2] = FNR }
		pass == 2 && $1 == "call" { delete last[$2] }
		pass == 3 && !($1 == "sig" && last[$2] == FNR && want[$2] == got[$2] + 1)' \
		pass=1 "$2" pass=2 "$1" pass=3 "$1"
}

# compare TRACE LOG RAW: writes want and got.
compare() {
	root=$(awk '{ print $1; exit }' "$2")
	awk -v raw="$3" -f "$oracle/texts.awk" -f "$oracle/strace_log.awk" "$2" >strace.lines || return
	sort -s -k2,2n strace.lines >wide.want
	killed=$(awk -F "$tab" '$1 == "call" && $5 == "?" && $3 !~ /^exit/ { printf "%s ", $2 }' wide.want)
	dump "$1" |
		awk -v raw="$3" -v root="$root" -v killed="$killed" \
			-f "$oracle/texts.awk" -f "$oracle/trace_log.awk" >trace.lines || return
	compat=$(awk -F "$tab" '$1 == "call" && $6 ~ /^(i386|arm)$/ { print $2 }' "$scratch/.dump" | sort -u)
	narrow "$compat" <wide.want >want
	sort -s -k2,2n trace.lines | narrow "$compat" >got
	delivered want got >known && mv known want
	# Of a thread that is killed as it enters its last call strace may not know which, "???",
	# and an arm64 kernel neither.
	unknown=$(awk -F "$tab" '$1 == "call" && $5 == "?" && $3 ~ /^(\?\?\?|syscall_0xffffffff)$/ {
		printf "%s ", $2 }' want got)
	[ -z "$unknown" ] || for side in want got; do
		awk -F "$tab" -v threads="$unknown" 'BEGIN { n = split(threads, part, " "); for (i = 1; i <= n; i++) last[part[i]] }
			NR == FNR { if ($1 == "call" && ($2 in last)) last[$2] = FNR; next }
			!(last[$2] == FNR && $5 == "?")' $side $side >known && mv known $side
	done
}

says_numbers() {
	compare numbers.dnt numbers.log 1
	same call "$1: each call, its arguments and its result"
	same end "$1: how each thread ends"
	same sig "$1: each signal taken" maybe
	books numbers.dnt "$1"
}

says_strings() {
	compare strings.dnt strings.log 0
	same text "$1: each path"
	same argv "$1: each argument list"
	books strings.dnt "$1, once more"
}

strace_says() {
	name=$1
	want=$2
	shift 2
	both numbers "$@"
	status=$?
	if [ "$status" = 77 ]; then
		skip "$name" "$(cat numbers.said)"
		return
	fi
	is "$status" "$want" "$name: its exit status"
	if [ ! -s numbers.log ]; then
		not_ok "$name: strace logs it" "$(cat numbers.said)"
		return
	fi
	says_numbers "$name"
	both strings "$@"
	says_strings "$name"
}
