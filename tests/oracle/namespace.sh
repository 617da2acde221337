#!/bin/sh
# A recorder in a pid namespace: threads have the numbers that they have there, so that
# /proc knows them.
. "$(dirname "$0")/lib.sh"
need_cmd unshare
need_bpf
unshare -pf --mount-proc true 2>/dev/null || skip_all "no pid namespace can be made"

# Inside one: strace is there too, and says which numbers threads have.
if [ "$1" = inside ]; then
	need_cmd strace
	for rung in tp_btf raw_tp; do
		strace_says "$rung, in a namespace: namespaces within it" 0 life pidns
		strace_says "$rung, in a namespace: exec by a second thread" 7 life thread-exec 2
		strace_says "$rung, in a namespace: signals" 0 signals sent
	done
	done_testing
fi

# sql QUERY: its rows, without a heading.
sql() { denet-analyze t.dnt --csv --sql "$1" | tr -d '\r' | sed 1d; }

# Says its number and that of its parent and a child, and what it gets a signal from.
cat >told <<'EOF'
echo "$$ $PPID"
sh -c 'echo "$$ $PPID"; sleep 0.5'
kill -CONT $$
EOF

# inside RUNG NAME COMMAND...: recorded by a recorder that COMMAND puts somewhere.
inside() {
	rung=$1
	what="$1, $2"
	shift 2
	rm -f t.dnt
	"$@" denet-record -q --rung="$rung" -o t.dnt sh told >said 2>err
	is "$? $(grep -v 'not observed on this kernel' err)" "0 " "$what: status"
	books t.dnt "$what"
}

# numbers: of the two shells, as the trace has them.
numbers() {
	sql "SELECT pid || ' ' || ppid FROM processes WHERE comm = 'sh' OR path LIKE '%/sh' ORDER BY process_id LIMIT 2"
}

for rung in tp_btf raw_tp no_btf; do
	inside "$rung" "a namespace" unshare -pf --mount-proc
	is "$(numbers)" "$(cat said)" "$what: pids are those of the namespace"
	root=$(awk '{ print $1; exit }' said)
	is "$(sql "SELECT DISTINCT pid FROM process_samples WHERE process_id = 1")" "$root" \
		"$what: the command is read in /proc"
	is "$(sql "SELECT count(*) > 1 FROM process_samples WHERE process_id = 1 AND utime_ns IS NOT NULL")" 1 \
		"$what: with its figures"
	is "$(sql "SELECT count(DISTINCT process_id) FROM process_samples WHERE pid = $(awk 'END { print $1 }' said)")" 1 \
		"$what: and its child"
	is "$(sql "SELECT DISTINCT target_tid FROM raw_signal_sent WHERE sig = 18")" "$root" "$what: target of a signal"
	is "$(sql "SELECT DISTINCT sender_tid FROM raw_signal_sent WHERE sig = 18")" "$root" "$what: its sender"
	is "$(sql "SELECT count(*), sum(process_id NOT IN (SELECT process_id FROM process_samples)) FROM processes
		WHERE dur_ns > 400000000")" "3,0" "$what: nobody is looked for in vain"

	inside "$rung" "a namespace in another" unshare -pf --mount-proc unshare -pf --mount-proc
	is "$(numbers)" "$(cat said)" "$what: pids are those of the innermost"

	# Where /proc is of the namespace around it: these are the numbers it knows.
	inside "$rung" "a namespace with the /proc of another" unshare -pf
	is "$(sql "SELECT count(*) > 1 FROM process_samples WHERE process_id = 1 AND utime_ns IS NOT NULL")" 1 \
		"$what: the command is read in /proc"
done
rung=

# What is recorded there against strace, which runs there too.
unshare -pf --mount-proc sh "$oracle/namespace.sh" inside >inner 2>&1
status=$?
grep -E '^ok ' inner | while read -r line; do echo "# $line"; done
if [ $status = 77 ]; then
	skip "against strace" "$(sed -n 's/^1..0 # SKIP //p' inner)"
else
	is $status 0 "inside a namespace all is as strace says" || diag "$(grep -v '^ok ' inner | head -n 40)"
fi

done_testing
