#!/bin/sh
# Times off the CPU against programs that say for how long they wait, and for whom, and against the
# scheduler's own figures of each thread.
. "$(dirname "$0")/lib.sh"
. "$oracle/lib-ask.sh"
need_bpf

offcpu_min=
tid_of() { awk -v who="$1" '$1 == who { print $2 }' said; }

# agree: of each thread but the first the scheduler counts as many switches (or one or two more, as it ends) and, to
# a twentieth, the same time on CPUs.
agree() {
	ask "SELECT t.comm || ' ' || t.tid || ': ' || w.waits || ' times off its CPU, switches: ' || (t.nvcsw + t.nivcsw)
		FROM threads AS t JOIN thread_time AS w USING (thread_id)
		WHERE t.origin <> 'target' AND w.waits NOT BETWEEN t.nvcsw + t.nivcsw - 2 AND t.nvcsw + t.nivcsw" >differ
	ask "SELECT t.comm || ' ' || t.tid || ': ' || w.running_ns || ' ns on a CPU, by the scheduler ' || t.runtime_ns
		FROM threads AS t JOIN thread_time AS w USING (thread_id)
		WHERE abs(w.running_ns - t.runtime_ns) > 3000000 + t.runtime_ns / 20" >>differ
	[ ! -s differ ]
}
# waits NAME ACT...: recorded. A machine that takes the CPU away from us is not the scheduler's
# doing: up to eight times, and not at once.
waits() {
	name=$1
	shift
	for try in 1 2 3 4 5 6 7 8; do
		[ $try -lt 3 ] || sleep $((try - 2))
		# shellcheck disable=SC2086
		record t.dnt $offcpu_min waits "$@" >said
		is $? 0 "$name: its status"
		agree && break
		[ $try = 8 ] || diag "the scheduler says another thing: once more, after $try"
	done
	is "$(cat differ)" "" "$name: the scheduler counts the same"
	books t.dnt "$name"
	is "$(ask "SELECT count(*) FROM thread_time WHERE alive_ns <> running_ns + runnable_ns + sleeping_ns + disk_ns
		+ blocked_ns + stopped_ns + other_ns OR running_ns < 0")" 0 "$name: the parts of a life add up to it"
}

# Nor is it, where a timer goes off while the host holds this machine up.
for again in 1 2 3; do
	waits "sleeping" sleep
	timed=$(ask "SELECT count(*) FROM offcpu WHERE tid = $(tid_of sleeper) AND syscall = 'clock_nanosleep'
		AND state = 'sleeping' AND dur_ns >= 5000000 AND waker_tid IS NULL")
	[ "$timed" != 40 ] || break
	diag "$timed of 40 sleeps, after $again"
done
is "$timed" 40 "sleeping: each time, ended by a timer"
between "sleeping: ms in all" 200 400 "$(ask "SELECT sleeping_ns / 1000000 FROM thread_time WHERE tid = $(tid_of sleeper)")"

# What is only added up adds up to the same: `agree` and the parts of a life hold. waits pipe has hundreds of short ones.
offcpu_min=--offcpu-min=5ms
waits "short ones added up" pipe 300
offcpu_min=
between "short ones added up: they are" 500 100000 "$(ask "SELECT sum(count) FROM raw_offcpu_short")"
is "$(ask "SELECT count(*) FROM offcpu WHERE dur_ns < 5000000 AND ended AND state IN ('runnable', 'sleeping', 'disk', 'blocked')")" 0 \
	"short ones added up: none is told by itself"
is "$(ask "SELECT count(*) FROM waits WHERE reason = 'short' AND (waker_tid IS NOT NULL OR max_ns IS NOT NULL)")" 0 \
	"short ones added up: nothing is said of who and how long"

waits "a lock" lock
between "a lock: waits for who holds it" 4 12 "$(ask "SELECT count(*) FROM offcpu WHERE tid = $(tid_of second)
	AND reason = 'futex' AND waker_tid = $(tid_of first) AND dur_ns > 10000000")"
between "a lock: ms in them" 100 300 "$(ask "SELECT sum(dur_ns) / 1000000 FROM offcpu WHERE tid = $(tid_of second)
	AND reason = 'futex' AND waker_tid = $(tid_of first)")"
is "$(ask "SELECT DISTINCT t.tid FROM offcpu AS o JOIN threads AS t ON t.thread_id = o.waker_id
	WHERE o.tid = $(tid_of second) AND o.reason = 'futex' AND o.dur_ns > 10000000")" "$(tid_of first)" \
	"a lock: that one is a thread of the trace"
is "$(ask "SELECT count(*) FROM findings WHERE text LIKE '%($(tid_of second)) waited % in futex, % until % ($(tid_of first)) woke it'")" \
	1 "a lock: a finding says so"

waits "a pipe" pipe 300
# Of two on one CPU the one that is preempted as it writes finds the answer there, and never waits.
between "a pipe: the two wake each other" 200 660 "$(ask "SELECT count(*) FROM offcpu WHERE reason = 'read'
	AND (tid, waker_tid) IN (VALUES ($(tid_of parent), $(tid_of child)), ($(tid_of child), $(tid_of parent)))")"
for who in parent:child child:parent; do
	is "$(ask "SELECT count(*) FROM offcpu WHERE tid = $(tid_of "${who%:*}") AND reason = 'read'
		AND waker_tid NOT IN ($(tid_of "${who#*:}"))")" 0 "a pipe: and by nobody else"
done

waits "a CPU for two" share
for who in one other; do
	between "a CPU for two: ms that the $who runs" 195 300 \
		"$(ask "SELECT running_ns / 1000000 FROM thread_time WHERE tid = $(tid_of $who)")"
	between "a CPU for two: ms that the $who waits for it" 100 600 \
		"$(ask "SELECT runnable_ns / 1000000 FROM thread_time WHERE tid = $(tid_of $who)")"
done

waits "stopped" stop
between "stopped: for 50 ms" 50 200 "$(ask "SELECT stopped_ns / 1000000 FROM thread_time WHERE tid = $(tid_of stopped)")"

# Of those that are only added up none is known to be the longest, or the shortest.
record t.dnt --offcpu-min=10s waits sleep >said
is "$(ask "SELECT waits >= 40 AND waited_ns > 0, longest_ns, longest_reason FROM thread_time WHERE tid = $(tid_of sleeper)")" "1,,short" \
	"--offcpu-min: which was the longest is not known"
is "$(denet-analyze t.dnt --json | grep -o '"max_time_ns":null,"min_time_ns":null')" '"max_time_ns":null,"min_time_ns":null' \
	"--offcpu-min: nor in the report"

# At the end some are off their CPU still.
record t.dnt --duration=0.3 sleep 5
is $? 0 "one that sleeps on: status"
between "one that sleeps on: ms to the end" 200 400 "$(ask "SELECT dur_ns / 1000000 FROM offcpu
	WHERE NOT ended AND syscall = 'clock_nanosleep'")"
like "$(denet-analyze t.dnt | grep '^  Time')" "9[0-9][.0-9]* % of it in system calls|100 % of it" "one that sleeps on: in a call"
sleep=$(ask "SELECT pid FROM processes WHERE comm = 'sleep'")
[ -z "$sleep" ] || kill "$sleep"

record t.dnt --no-offcpu waits sleep >said
is "$(ask "SELECT rung || ' ' || reason FROM probes WHERE name = 'scheduling'") $(ask "SELECT count(*) FROM offcpu")" \
	"none --no-offcpu 0" "--no-offcpu"
is "$(denet-analyze t.dnt --json | grep -o '"offcpu":null')" '"offcpu":null' "and the report does not know"
done_testing
