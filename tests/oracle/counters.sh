#!/bin/sh
# Performance counters by thread and process against what wait4, getrusage and the scheduler say. A
# machine may have no counters of the CPU, the kernel's own are counted everywhere.
. "$(dirname "$0")/lib.sh"
need_bpf

ask() { denet-analyze t.dnt --csv --sql "$1" | tr -d '\r' | sed 1d; }
counters=--counters=task-clock,page-faults,context-switches,cpu-migrations
record t.dnt $counters true
is "$?$(ask "SELECT rung FROM probes WHERE name = 'counters'")" 0perf "counters of the kernel are there"

# What the programs say is "id microseconds faults" of each child or thread.
count_all() {
	ask "SELECT tid || ' ' || max(iif(counter = 'task-clock', value / 1000, 0)) || ' '
		|| max(iif(counter = 'page-faults', value, 0)) FROM counters GROUP BY thread_id" >counted
	missed=$(ask "SELECT ifnull(sum(count), 0) FROM losses WHERE counter = 'perf_missed'")
}
# To a tenth and 50 us a thread: the scheduler leaves out what a hypervisor or an interrupt took.
times_agree() {
	awk 'NR == FNR { us[$1] = $2; next }
		($1 in us) { said += us[$1]; counted += $2; n++ }
		END { d = counted - said; if (d < 0) d = -d
			printf "%d us counted of %d threads, %d said", counted, n, said >"times"
			exit !(n && d <= said / 10 + 50 * n) }' said counted
}
# The same number of faults, and MORE at most in what comes after a thread's look at itself.
faults_differ() { # MORE
	awk -v more="$1" 'NR == FNR { faults[$1] = $3; next }
		{ seen[$1] = $3 }
		END {
			for (id in faults)
				if (!(id in seen) || seen[id] < faults[id] || seen[id] > faults[id] + more)
					printf "%s: counted %d, said %d\n", id, seen[id], faults[id]
		}' said counted
}
# few NAME: no lines in the file differ, or one for each time on a CPU that the trace says it missed: some
# guests run no program as their first process leaves the CPU.
few() {
	if [ $(($(wc -l <differ))) -le "$missed" ]; then
		pass "$1${missed:+ ($missed missed)}"
	else
		not_ok "$1" "$missed times on a CPU missed, and $(head -n 5 differ)"
	fi
}
agree() { # NAME MORE COMMAND...
	name=$1
	more=$2
	shift 2
	# A machine that takes the CPU away from us is not the scheduler's doing: up to three times.
	for try in 1 2 3; do
		# shellcheck disable=SC2086
		record t.dnt $counters "$@" >said
		is $? 0 "$name: its status"
		count_all
		times_agree && break
		[ $try = 3 ] || diag "$(cat times): once more, after $try"
	done
	ok "$name: time on CPUs: $(cat times)" times_agree
	faults_differ "$more" >differ
	few "$name: page faults of each"
	books t.dnt "$name"
	ask "SELECT t.tid || ': counted ' || c.value || ', of the scheduler ' || (t.nvcsw + t.nivcsw) FROM counters AS c
		JOIN threads AS t USING (thread_id) WHERE c.counter = 'context-switches' AND t.origin <> 'target'
		AND abs(c.value - t.nvcsw - t.nivcsw) > 1" >differ
	few "$name: times off the CPU of each"
	# thread_time ends with the exit, of which a part comes after it was seen: that may be long where CPUs are few.
	ask "SELECT t.tid || ': counted ' || c.value || ', ran ' || t.running_ns FROM counters AS c
		JOIN thread_time AS t USING (thread_id) WHERE counter = 'task-clock'
		AND c.value < t.running_ns * 0.95 - 2000000" >differ
	few "$name: no less time than thread_time has"
	ask "SELECT tid FROM threads WHERE thread_id NOT IN (SELECT thread_id FROM counters)" >differ
	few "$name: each thread has its counters"
	is "$(ask "SELECT count(*) FROM counters WHERE scaled OR value IS NULL OR running_ns <> enabled_ns")" 0 \
		"$name: none had to wait for a place"
	is "$(ask "SELECT task_clock_ns, page_faults, context_switches, cpu_migrations FROM trace_counters")" \
		"$(ask "SELECT sum(task_clock_ns), sum(page_faults), sum(context_switches), sum(cpu_migrations)
			FROM process_counters")" "$name: processes add up to the trace"
	is "$(ask "SELECT p.pid FROM process_counters AS p WHERE page_faults <> (SELECT sum(value) FROM counters AS c
		WHERE c.process_id = p.process_id AND counter = 'page-faults')")" "" "$name: threads add up to processes"
}

agree "children" 0 counted children 300
agree "a storm of forks" 0 counted children 2000
# What a thread does after its look at itself: it writes a line and ends.
agree "threads" 20 counted threads
is "$(ask "SELECT count(*) || ' ' || count(DISTINCT process_id) FROM counters WHERE counter = 'task-clock'")" "5 1" \
	"threads: one by one, in one process"
rung=raw_tp
agree "children, raw_tp" 0 counted children 100
rung=

record t.dnt $counters counted move 60 >said
if [ $? = 77 ]; then
	skip "moves to another CPU" "there is one CPU"
else
	is "$(ask "SELECT cpu_migrations FROM process_counters WHERE pid = $(cat said)")" 60 "moves to another CPU"
fi

# A thread that never leaves its CPU until the recording ends. One that an unseen switch gave it to is none.
for try in 1 2 3; do
	# shellcheck disable=SC2086
	record t.dnt --duration=0.4 $counters counted spin 1500
	is $? 0 "one that computes on: status"
	pid=$(ask "SELECT pid FROM processes")
	[ -z "$pid" ] || kill "$pid"
	count_all
	[ "$missed" != 0 ] || break
	[ $try = 3 ] || diag "$missed times on a CPU missed: once more, after $try"
done
# thread_time goes on until the trace is closed, which is later the busier the machine is.
is "$(ask "SELECT c.value / 1000000 || ' ms of ' || t.running_ns / 1000000 FROM counters AS c JOIN thread_time AS t USING (thread_id)
	WHERE counter = 'task-clock' AND c.value NOT BETWEEN t.running_ns - 80000000 AND t.running_ns * 1.05")" "" \
	"one that computes on: its time until then"
ok "one that computes on: its faults" test "$(ask "SELECT value FROM counters WHERE counter = 'page-faults'")" -gt 0

# Counters of the CPU. Whether there are any perf(1) says, where it is.
if command -v perf >/dev/null && perf stat -x, -o stat -e cycles true 2>/dev/null; then
	if grep -q '^[0-9].*cycles' stat; then
		record t.dnt --counters=cycles,instructions counted spin 100
		is "$? $(ask "SELECT cycles > 0 AND instructions > 0 AND ipc BETWEEN 0.01 AND 16 FROM trace_counters")" "0 1" \
			"cycles and instructions"
		record t.dnt --sample=cycles counted spin 300
		ok "samples by cycles" test "$(ask "SELECT count(*) > 10 AND min(cycles) > 1000 AND NOT count(period_ns) FROM samples")" = 1
	else
		record t.dnt --counters=cycles counted spin 10
		is $? 125 "cycles, where there are none: nothing is recorded"
		like "$(cat .said)" "^denet-record: cannot count cycles: .*; --counters=hardware takes" "and it is said"
		record t.dnt --sample=cycles counted spin 300
		is "$? $(ask "SELECT count(*) > 10 AND NOT count(cycles) AND min(period_ns) = 10101010 FROM samples")" "0 1" \
			"samples by cycles, where there are none: by the clock"
		is "$(ask "SELECT rung FROM probes WHERE name = 'samples' AND reason <> ''") $(cat .said)" "cpu_clock denet-record: samples are taken $(
			)by the clock of each CPU, not by cycles: $(ask "SELECT reason FROM probes WHERE name = 'samples'" | tr -d '"')" "and that is said"
		record t.dnt true
		is $? 0 "without naming them"
		is "$(ask "SELECT verdict, lacks FROM trace_counters")" \
			"$(ask "SELECT 'insufficient-data', reason FROM probes WHERE name = 'counters' AND rung = 'none'")" \
			"there is no verdict, and why"
	fi
else
	skip "counters of the CPU" "no perf(1) that says whether there are any"
fi

record t.dnt --counters=none true
is "$(ask "SELECT rung || ' ' || reason FROM probes WHERE name = 'counters'") $(ask "SELECT count(*) FROM counters")" \
	"none --counters=none 0" "--counters=none"
done_testing
