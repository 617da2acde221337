#!/bin/sh
# Attaching to what runs already: its threads, the calls they are in, descriptors, sockets and children as /proc and ss
# have them; from then on the calls that strace logs of the same process, and figures that do not begin before.
. "$(dirname "$0")/lib.sh"
. "$oracle/lib-ask.sh"
need_cmd strace ss setpriv setcap
need_bpf
# wait_for FILE ERE: until the file has such a line, ten seconds at most.
wait_for() {
	wait_n=0
	until grep -qE "$2" "$1" 2>/dev/null; do
		wait_n=$((wait_n + 1))
		[ $wait_n -lt 1000 ] || return 1
		sleep 0.01
	done
}
# begin: the process, which is ready. Its number is in $pid.
begin() {
	: >said.program
	attached >said.program &
	pid=$!
	wait_for said.program '^ready' || not_ok "the process is ready"
	before=$(sed -n 's/^ready //p' said.program)
}
# attach OPTION...: a recorder of it, which is $recorder.
attach() {
	rm -f t.dnt
	: >said
	denet-record -o t.dnt -p $pid "$@" 2>said &
	recorder=$!
	wait_for said '^denet-record: (attached|cannot|[0-9])' || not_ok "attached"
}
# finish SIGNAL WHOM: and the recorder's status in $status.
finish() {
	kill "-$1" "$2"
	wait $recorder
	status=$?
}

# --- one round of work, beside strace -----------------------------------------------------
begin
ls -l /proc/$pid/fd | sed -n 's/.* \([0-9]*\) -> \(.*\)/\1 \2/p' | sort >fd.want
ls /proc/$pid/task | sort >tid.want
for tid in $(cat tid.want); do
	echo "$tid $(cut -d ' ' -f 1 /proc/$pid/task/$tid/syscall)"
done >call.want
children=$(cat /proc/$pid/task/$pid/children)
ss -tanpH | sed -n "s/^\([A-Z-]*\) *[0-9]* *[0-9]* *\([^ ]*\) *\([^ ]*\) .*pid=$pid,fd=\([0-9]*\).*/\4 \1 \2 \3/p" |
	sed 's/ESTAB /ESTABLISHED /' | sort >tcp.want
attach
strace -f -qq -p $pid -e trace=getppid,write,sendto,recvfrom,openat -o log &
tracer=$!
wait_for /proc/$pid/status '^TracerPid:	[1-9]'
sleep 0.2	# and its threads
: >said.program.1
kill -USR1 $pid
wait_for said.program '^done' || not_ok "a round of work"
kill $tracer
wait $tracer 2>/dev/null
finish USR2 $pid
is $status 0 "a round: the status, as the process is not our command"
books t.dnt "a round"
is "$(ask "SELECT attached || ' ' || exact || ' ' || end_reason || ' ' || ifnull(exit_code, '-') FROM traces")" \
	"$pid 1 command -" "a round: what the trace says of itself"
like "$(ask "SELECT command FROM traces")" "attached$" "a round: the command that it is"
is "$(ask "SELECT exit_code >> 8 FROM raw_process WHERE pid = $pid")" 7 "a round: how it ended"
sed 's/^[0-9]* *//; s/(.*//' log | grep -v '^<\|^+++\|^---\|^strace' | sort | uniq -c | awk '{ print $2, $1 }' >calls.want
ask "SELECT name || ' ' || count(*) FROM syscalls GROUP BY name" | sort >calls.got
is "$(grep '^getppid ' calls.got)" "getppid 1010" "a round: calls of the first thread and of a new one"
for call in getppid write sendto recvfrom openat; do
	is "$(grep "^$call " calls.got)" "$(grep "^$call " calls.want)" "a round: $call, as strace -p logged it"
done
is "$(ask "SELECT tid FROM threads WHERE origin = 'attach' AND pid = $pid ORDER BY tid" | sort)" "$(cat tid.want)" \
	"a round: its threads are those of /proc"
is "$(ask "SELECT DISTINCT pid FROM threads WHERE origin = 'attach' AND pid <> $pid")" "${children% }" "a round: and its children"
is "$(ask "SELECT comm FROM threads WHERE origin = 'attach' AND pid = $pid ORDER BY comm" | tr '\n' ' ')" "attached locker reader " \
	"a round: by their names"
ask "SELECT t.tid || ' ' || c.nr FROM raw_syscall AS c JOIN raw_thread AS t USING (thread) WHERE c.flags & 2 AND c.seq = 0
	AND t.pid = $pid ORDER BY t.tid" | sort >call.got
is "$(cat call.got)" "$(sort call.want)" "a round: the calls that they are in are those of /proc/PID/task/TID/syscall"
ask "SELECT fd || ' ' || target FROM fds JOIN processes USING (process_id) WHERE pid = $pid GROUP BY fd HAVING min(time_ns)" |
	tr -d '"' | sort >fd.got
is "$(cat fd.got)" "$(cat fd.want)" "a round: descriptors are those of /proc/PID/fd"
ask "SELECT fd || ' ' || state || ' ' || local || ' ' || ifnull(remote, '0.0.0.0:*') FROM (
	SELECT k.fd, t.name AS state, s.local, s.remote FROM raw_sock AS k JOIN sock AS s ON s.sock_id = k.sock
	JOIN raw_tcp_state AS t ON t.state = k.state WHERE k.origin = 5 AND s.kind = 'tcp')" | sort >tcp.got
is "$(cat tcp.got)" "$(cat tcp.want)" "a round: connections that were there are those of ss"
is "$(ask "SELECT group_concat(kind || ' ' || type, ', ') FROM (SELECT kind, type FROM sock WHERE origin = 'attached' AND kind <> 'tcp' ORDER BY fd)" | tr -d '"')" \
	"udp dgram, unix seqpacket, unix seqpacket" "a round: and other sockets"
is "$(ask "SELECT sum(sent) || ' ' || sum(received) FROM v_conn WHERE kind = 'tcp'" | tr -d '"')" "10000 10000" \
	"a round: bytes through a connection that was there"
is "$(ask "SELECT count(*) FROM listeners WHERE listening_ns IS NULL")" 1 "a round: who listened before is known as that"
is "$(ask "SELECT kind || ' ' || calls FROM fd_stats WHERE pid = $pid AND kind = 'tcp'")" "tcp 200" \
	"a round: calls on a descriptor that was there are network traffic"
faults=$(ask "SELECT minflt FROM processes WHERE pid = $pid")
want=$(sed -n 's/^done //p' said.program)
between "a round: page faults of the round ($want), and not of before ($before)" "$want" $((want + 100)) "$faults"
cpu=$(ask "SELECT (utime_ns + stime_ns) / 1000000 FROM processes WHERE pid = $pid")
between "a round: CPU time, ms, of 200 and not of 400" 195 390 "$cpu"
is "$(ask "SELECT count(*) FROM thread_time WHERE running_ns < 0 OR alive_ns <= 0")" 0 "a round: nobody ran before it was known"
# Time that the machine under us takes away, or an interrupt, is in the time between two switches and not in the CPU's: of
# thousands of switches to strace and back it may be more than the thread's own.
running=$(ask "SELECT CAST(sum(running_ns) / 1000000 AS INTEGER) FROM thread_time WHERE tid = $pid")
between "a round: its time on CPUs, ms, of $cpu" $((cpu - 10)) $((cpu * 5)) "$running"
like "$(ask "SELECT name FROM functions WHERE what = 'samples' AND self_count > 0")" work_here "a round: functions have their names"
near "$(ask "SELECT count(*) * 1000 / 99 FROM samples WHERE pid = $pid")" "$running" 40 "a round: samples stand for that time, ms"

# --- ends -------------------------------------------------------------------------------------
begin
attach --duration=0.3
wait $recorder
is $? 0 "a time that is over: status"
ok "a time that is over: the process runs on" kill -0 $pid
is "$(ask "SELECT end_reason || ' ' || survivors FROM traces" | tr -d '"')" "duration 2" "a time that is over: the trace says so"
is "$(ask "SELECT count(*) FROM syscalls WHERE unfinished AND start_ns IS NULL")" 4 "a time that is over: all are still in their calls"
between "a time that is over: one has slept, ms, of 300 and what it takes to end" 295 3000 \
	"$(ask "SELECT max(sleeping_ns) / 1000000 FROM thread_time WHERE comm = 'reader'")"
is "$(ask "SELECT DISTINCT syscall FROM offcpu WHERE comm = 'reader'")" read "a time that is over: in which call"
# The kernel's stack of a thread that slept all the time is that of /proc, outermost first; names may have a suffix of the compiler.
waits_in() {
	denet-analyze folded --of offcpu t.dnt | sed -n 's/ [0-9]*$//; s/_\[k\]//g; s/[.][a-z.0-9]*//g; s/^reader;\[callers unknown\];//p' | tr ';' '\n'
}
sed 's/^[^ ]* //; s/[.+].*//' /proc/$pid/task/"$(ask "SELECT tid FROM threads WHERE comm = 'reader'")"/stack | tac >stack.want
is "$(waits_in)" "$(cat stack.want)" "a time that is over: and where in the kernel, as /proc says"
near "$(ask "SELECT ifnull(utime_ns, 0) + ifnull(stime_ns, 0) + 100000000 FROM processes WHERE pid = $pid")" 100000000 50 \
	"a time that is over: the time it had used before is not counted"
for signal in INT TERM HUP; do
	attach
	finish $signal $recorder
	is $status 0 "$signal: status"
	ok "$signal: the process runs on" kill -0 $pid
	is "$(ask "SELECT end_reason FROM traces")" signal "$signal: the trace says so"
done
attach --wait=tree
kill -USR2 $pid
wait $recorder
is $? 0 "its tree: status"
is "$(ask "SELECT survivors FROM traces")" 0 "its tree: nobody is left"
is "$(ask "SELECT sum(origin = 'attach') FROM processes")" 2 "its tree: both are there"

# --- lesser rungs --------------------------------------------------------------------------------
begin
attach --rung=raw_tp
kill -USR1 $pid
wait_for said.program '^done'
finish INT $recorder
books t.dnt "raw_tp" --living
is "$(ask "SELECT rung FROM probes WHERE name = 'attach'")" iter "raw_tp: attached"
is "$(waits_in)" "$(cat stack.want)" "raw_tp: where a thread slept all the time"
is "$(ask "SELECT count(*) FROM syscalls WHERE name = 'getppid'")" 1010 "raw_tp: its calls"
is "$(ask "SELECT sum(sent) FROM v_conn WHERE kind = 'tcp'")" 10000 "raw_tp: bytes"
for rung in no_btf proc; do
	attach --rung=$rung --duration=0.5
	wait $recorder
	is $? 0 "$rung: status"
	[ $rung = proc ] || like "$(cat said)" "from /proc only.*without BTF" "$rung: it is said"
	is "$(ask "SELECT count(*) FROM processes WHERE origin = 'attach'")" 2 "$rung: the processes are there"
done
attach --rung=proc
cpu=$(awk '{ print $14 + $15 }' /proc/$pid/stat)
kill -USR1 $pid
until [ "$(grep -c '^done' said.program)" = 2 ] || ! kill -0 $pid; do sleep 0.05; done
cpu=$(($(awk '{ print $14 + $15 }' /proc/$pid/stat) - cpu))
finish USR2 $pid
is $status 0 "proc: it ends: status"
near "$(ask "SELECT (utime_ns + stime_ns) / 10000000 FROM processes WHERE pid = $pid")" $cpu 30 "proc: CPU time since"
is "$(ask "SELECT count(*) FROM raw_thread_exit WHERE utime IS NOT NULL AND process = (SELECT process_id FROM processes WHERE pid = $pid)")" 0 \
	"proc: no figures of a whole life"
begin
rung=

# --- what changes while it is attached to --------------------------------------------------------
kill -USR2 $pid
wait $pid 2>/dev/null
for round in 1 2 3; do
	attached storm &
	pid=$!
	attached storm &
	pid=$pid,$!
	sleep 0.3
	attach --duration=0.5
	wait $recorder
	is $? 0 "a storm, $round: status"
	books t.dnt "a storm, $round" --living
	is "$(ask "SELECT count(*) FROM threads AS t LEFT JOIN threads AS p ON p.thread_id = t.parent_id
		WHERE t.origin <> 'attach' AND p.thread_id IS NULL")" 0 "a storm, $round: everybody has a parent"
	kill ${pid%,*} ${pid#*,}
	wait ${pid%,*} ${pid#*,} 2>/dev/null
done

# --- numbers that are used again ----------------------------------------------------------------------
# With the number of one that has ended meanwhile comes another, whose children are not taken either.
unshare -p -m -f --mount-proc sh -c '
	sleep 60 & v=$!
	denet-record -o bad.dnt -p $v --duration=0.5 2>said & r=$!
	sleep 0.02
	kill $v; wait $v 2>/dev/null
	echo $((v - 1)) >/proc/sys/kernel/ns_last_pid
	sh -c "sleep 61 & sleep 62" & other=$!
	[ $other = $v ] || echo "number $other, not $v" >&2
	wait $r; echo $? >status
	kill -9 -1' 2>errors
is "$(cat errors)" "" "a number used again: it is"
is "$(cat status)" 125 "a number used again: status"
like "$(cat said)" "ended meanwhile" "a number used again: says why"

# --- threads that live longer than the first, and many children -------------------------------------------
attached leaderless >said.program &
pid=$!
wait_for said.program '^ready'
attach --duration=0.3
wait $recorder
is $? 0 "no first thread: status"
books t.dnt "no first thread" --living
is "$(ask "SELECT comm FROM threads" | tr '\n' ' ')" "survivor " "no first thread: who is there"
kill $pid
wait $pid 2>/dev/null
attached children 200 >said.program &
pid=$!
wait_for said.program '^ready'
(ulimit -n 128 && exec denet-record -q -o t.dnt -p $pid --duration=0.3) 2>said
is "$? $(cat said)" "0 " "many children and few descriptors: status"
is "$(ask "SELECT count(*) FROM processes WHERE origin = 'attach'")" 201 "many children: all are there"
kill $pid
wait $pid 2>/dev/null
"$DN_BUILDDIR/tests/programs/attached" >said.program &
pid=$!
wait_for said.program '^ready'
unshare -T --boottime 1000 -f denet-record -q -o t.dnt -p $pid --duration=0.2 2>said
is "$? $(cat said)" "0 " "another time: status"
is "$(ask "SELECT count(*) FROM threads WHERE origin = 'attach'")" 4 "another time: threads"
kill -USR2 $pid
wait $pid 2>/dev/null

# --- mistakes -------------------------------------------------------------------------------------
sleep 60 &
other=$!
refused() { # NAME LIST ERE
	denet-record -o bad.dnt -p "$2" --duration=0.1 2>said
	is $? 125 "$1: status"
	like "$(cat said)" "$3" "$1: says why"
	ok "$1: no trace" test ! -e bad.dnt
}
refused "nobody" 4194303 "there is no such process; ps"
refused "of the kernel" 2 "thread of the kernel"
refused "no number" "12a" "no list of process numbers"
refused "no number at all" "" "names no process"
refused "nothing but blanks" " , " "names no process"
refused "0" 0 "no list"
refused "one of two" "$other,4194303" "4194303: there is no such"
denet-record -o bad.dnt -p $other true 2>said
is $? 125 "with a command: status"
like "$(cat said)" "contradict" "with a command: says why"
denet-record -q -o both.dnt -p $other -p " $$, $other," --duration=0.2
is $? 0 "several, one of them twice and one the recorder's parent: status"
cp both.dnt t.dnt
is "$(ask "SELECT count(*) FROM processes WHERE pid IN ($$, $other)")" 2 "several: both"
is "$(ask "SELECT count(*) FROM processes WHERE comm = 'denet-record'")" 0 "several: and not the recorder"

# --- who may -----------------------------------------------------------------------------------------
mkdir place
cp "$DN_BUILDDIR/denet-record" place
chmod 755 "$scratch" place
chown nobody place
uid=$(id -u nobody)
as_nobody="setpriv --reuid=$uid --regid=$(id -g nobody) --init-groups env"
if setcap cap_bpf,cap_perfmon,cap_dac_read_search=ep place/denet-record 2>/dev/null; then
	cd place || exit 99
	$as_nobody ./denet-record -o bad.dnt -p $other --duration=0.1 2>../said
	is $? 125 "another user's process: status"
	like "$(cat ../said)" "you may not trace it; record as root" "another user's process: says why"
	# One that has the very capabilities of the recorder's file, and that its user may not trace.
	setpriv --reuid="$uid" --regid="$(id -g nobody)" --init-groups --inh-caps=+dac_read_search --ambient-caps=+dac_read_search \
		sleep 60 &
	able=$!
	sleep 0.2
	$as_nobody ./denet-record -o bad.dnt -p $able --duration=0.1 2>../said
	is $? 125 "a process with a capability: status"
	like "$(cat ../said)" "you may not trace it" "a process with a capability: says why"
	kill $able
	# It executes a program with a capability while the recorder starts.
	cp "$(command -v sleep)" able
	setcap cap_net_bind_service=ep able
	for delay in 0.02 0.05 0.1 0.15; do
		$as_nobody sh -c "sleep 0.2; sleep $delay; exec ./able 60" &
		sly=$!
		sleep 0.2
		$as_nobody ./denet-record -o sly.dnt -p $sly --duration=0.4 2>../said
		sly_status=$?
		kill $sly
		if [ $sly_status = 0 ]; then	# it came to be recorded before
			is "$(denet-analyze sly.dnt --csv --sql "SELECT count(*) FROM syscalls WHERE name = 'clock_nanosleep' AND comm = 'able' AND arg0 IS NOT NULL" | tr -d '\r' | sed 1d)" \
				0 "a program with a capability, after $delay s: no arguments"
		else
			like "$(cat ../said)" "may not trace" "a program with a capability, after $delay s: refused"
		fi
	done
	# Born while the recorder starts.
	$as_nobody sh -c 'sleep 0.3; (sleep 61) & (sleep 62) & wait' &
	fork=$!
	until [ -n "$(cat /proc/$fork/task/$fork/children 2>/dev/null)" ] || ! kill -0 $fork; do sleep 0.01; done
	$as_nobody ./denet-record -o fork.dnt -p $fork --duration=1 2>../said
	is "$(denet-analyze fork.dnt --csv --sql "SELECT count(*) FROM processes WHERE argv LIKE 'sleep 6%'" | tr -d '\r' | sed 1d)" 2 \
		"one's own: what is born while the recorder starts"
	kill $(cat /proc/$fork/task/$fork/children) $fork
	$as_nobody sleep 60 &
	own=$!
	sleep 0.2
	if [ "$(cat /proc/sys/kernel/yama/ptrace_scope 2>/dev/null || echo 0)" = 0 ]; then
		$as_nobody ./denet-record -o own.dnt -p $own --duration=0.3 2>../said
		is $? 0 "one's own: status"
		cp own.dnt ../t.dnt
		cd ..
		is "$(ask "SELECT name FROM syscalls WHERE unfinished")" clock_nanosleep "one's own: the call it is in"
	fi
	kill $own
else
	skip "other users" "this file system keeps no capabilities"
fi
kill $other
wait 2>/dev/null
done_testing
