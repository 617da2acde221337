#!/bin/sh
# Where BPF cannot be had: recorded from /proc alone, said so, and nothing made
# up in the reports. Figures against what getrusage told the processes.
. "$(dirname "$0")/lib.sh"
need_recorder
need_cmd jq

chmod 755 "$scratch"
mkdir open
chmod 777 open
cd open || exit 99

# Two children, one in the background; the second is a shell with a child.
tree='sleep 0.4 & (sleep 0.2; exit 7); wait; exit 3'

sql() { denet-analyze --csv --sql "$2" "$1" 2>/dev/null | tail -n +2 | tr -d '\r'; }

# How the children end; nothing where the kernel does not tell.
ends7=7 ends0=0

# from_proc NAME WHY COMMAND...: COMMAND is what denet-record is started by.
from_proc() {
	name=$1
	why=$2
	shift 2
	rm -f t.dnt
	"$@" denet-record -o t.dnt -- sh -c "$tree" --password=hunter2 >out 2>said
	is "$?" 3 "$name: the command's status"
	like "$(grep '^denet-record: recording from /proc only: no system calls' said)" "$why" \
		"$name: what is missing and why"
	is "$(grep -c ^ said)" 2 "$name: in one line, and the closing one"
	like "$(tail -n 1 said)" 't[.]dnt: .* events, no system calls; look at it' "$name: the closing line"
	denet-analyze --json t.dnt >t.json
	is "$?" 0 "$name: a whole trace"
	if command -v python3 >/dev/null; then
		is "$(python3 "$DN_SRCDIR/tests/lib/schema.py" "$DN_SRCDIR/schema/report.schema.json" <t.json)" \
			"1 documents" "$name: the JSON keeps to its schema"
	else
		skip "$name: the JSON keeps to its schema" "no python3"
	fi
	is "$(jq -c '.ebpf.syscalls | [.available, .total, (.by_category | add), (.analysis | add), .top_syscalls]' t.json)" \
		'[false,null,null,null,null]' "$name: no system calls, and no numbers of them"
	is "$(jq -c '[.syscalls, .rates, .files, .connections, .signals, .totals.files, .totals.connections] | unique' t.json)" \
		'[null]' "$name: no lists of what was not recorded"
	is "$(jq -c '[.quality | .exact, .complete, .attempted, .written, .read, .lost]' t.json)" \
		'[false,true,null,null,null,null]' "$name: what is not known is null"
	is "$(jq -r '.quality.probes[] | "\(.name) \(.rung)"' t.json | tr '\n' ' ')" \
		"counters none cwd proc exit_figures proc names proc oom none process proc samples none scheduling none signals none stacks none strings none syscalls none threads_at_end proc " \
		"$name: rungs"
	like "$(jq -r '.quality.probes[] | select(.name == "syscalls") | .reason' t.json)" "$why" \
		"$name: the reason is in the trace"
	is "$(jq -c '[.processes[] | .calls, .errors, .lost, .syscall_ns, (.threads[] | .calls, .errors, .missing)] | unique' t.json)" \
		'[null]' "$name: no calls of processes and threads"
	is "$(jq -r '.findings[0].text' t.json | cut -c 1-32)" "System calls were not recorded: " \
		"$name: that is the first finding"
	# The tree is: the command, a sleep, a shell and its sleep.
	# An end may be known where it need not be: who was caught before its parent waited.
	is "$(sql t.dnt "SELECT p.comm, q.comm, CASE WHEN '$ends0' = '' AND q.comm IS NOT NULL
				AND p.exit_code IN (0, 7) THEN NULL ELSE p.exit_code END AS code, p.exit_signal FROM processes AS p
			LEFT JOIN processes AS q ON q.process_id = p.parent_id ORDER BY p.comm, q.comm, p.exit_code")" \
		"sh,,3,
sh,sh,$ends7,
sleep,sh,$ends0,
sleep,sh,$ends0," "$name: who there was, whose child, and the ends"
	is "$(sql t.dnt 'SELECT count(*) FROM execs')" 3 "$name: each execve"
	is "$(sql t.dnt "SELECT argv FROM execs WHERE comm = 'sh'")" \
		"sh -c '$tree' '--password=[redacted]'" "$name: arguments, without the secret"
	is "$(denet-analyze t.dnt | grep -c 'no system calls, only what /proc shows')" 1 "$name: the page says so"
	denet-analyze log t.dnt >log 2>remark
	like "$(cat remark)" 'system calls were not recorded' "$name: the log says so"
	is "$(grep -c '+++ exited' log)" 4 "$name: the log has the ends"
	is "$(sql t.dnt 'SELECT survivors FROM traces')" "" "$name: who was never found may live on"
}

if [ "$(id -u)" != 0 ]; then
	from_proc "no privilege" "root, or the capabilities|built without BPF"
	done_testing
fi

need_cmd setpriv unshare
from_proc "no privilege" "Operation not permitted|built without BPF" \
	setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all --bounding-set=-all
rm -f t.dnt
if unshare -Ur true 2>/dev/null; then
	from_proc "a user namespace" "Operation not permitted|built without BPF" unshare -Ur
else
	skip "a user namespace" "may not make one"
fi
if refuse 1 true; then
	from_proc "seccomp: EPERM" "Operation not permitted|built without BPF" refuse 1
	from_proc "seccomp: ENOSYS" "Function not implemented|built without BPF" refuse 38
	if with_bpf && can_bpf; then	# 27 is BPF_MAP_TYPE_RINGBUF
		from_proc "no ring buffer" "this kernel has no BPF ring buffer" refuse map=27
		from_proc "a program that is needed is refused" "the kernel refuses on_sys_enter" \
			refuse program=on_sys_enter
	fi
	if unshare -pf true 2>/dev/null; then
		from_proc "a pid namespace" "Operation not permitted|built without BPF" \
			unshare -pf --mount-proc refuse 1
		# Its processes have other numbers in this /proc than for us, so that
		# the kernel cannot be asked how they ended.
		ends7='' ends0=''
		from_proc "a pid namespace without a /proc of its own" \
			"Operation not permitted|built without BPF" unshare -pf refuse 1
		ends7=7 ends0=0
	else
		skip "a pid namespace" "may not make one"
	fi
	if unshare -m sh -c 'mount -t tmpfs none /proc' 2>/dev/null; then
		unshare -m sh -c 'mount -t tmpfs none /proc; refuse 1 denet-record -o t.dnt -- touch ran' 2>said
		is "$? $(ls ran 2>/dev/null)" "125 " "without /proc: nothing is started"
		like "$(cat said)" "mount" "without /proc: what to do"
	fi
else
	skip "seccomp" "no seccomp"
fi
if unshare -m true 2>/dev/null; then
	# shellcheck disable=SC2016
	from_proc "no /sys" "CPUs cannot be counted|built without BPF" unshare -m sh -c 'umount -R /sys && exec "$@"' sh
else
	skip "a mount namespace" "may not make one"
fi

# --- the recording follows its options as always --------------------------------------
without() { refuse 1 denet-record "$@"; }
if refuse 1 true; then
	without -q -o t.dnt sh -c 'kill -TERM $$' 2>/dev/null
	is "$?" 143 "a signal comes through"
	without -q -o t.dnt ./none 2>/dev/null
	is "$?" 127 "a command that is not there"
	begin=$(date +%s%N)
	without -q --duration=0.3 -o t.dnt -- sleep 2 2>/dev/null
	is "$?" 0 "--duration: its status"
	ok "--duration: it ends" test $((($(date +%s%N) - begin) / 1000000)) -lt 1500
	is "$(sql t.dnt 'SELECT end_reason, survivors FROM traces')" "duration,1" "--duration: in the trace"
	is "$(sql t.dnt 'SELECT exit_code, end_ns FROM processes')" "," "--duration: it lives on"
	without -q --wait=tree -o t.dnt -- sh -c 'sleep 0.4 & sleep 0.1; exit 5' 2>/dev/null
	is "$?" 5 "--wait=tree: the status is the command's"
	is "$(sql t.dnt "SELECT comm, exit_code FROM processes ORDER BY comm")" "sh,5
sleep,0
sleep,0" "--wait=tree: the rest of the tree ended"
	# Who is never found, as its parent ends before: it is waited for nonetheless.
	missed=
	for i in 1 2 3 4 5 6 7 8; do
		rm -f last
		without -q --wait=tree -o t.dnt -- \
			sh -c '(sh -c "(sleep 0.3; echo >last) & exit 0" &); exit 5' 2>/dev/null
		[ -e last ] || missed="$missed $i"
	done
	is "$missed" "" "--wait=tree: to the last of those that nobody was seen to make"
	is "$(sql t.dnt 'SELECT survivors FROM traces')" 0 "--wait=tree: nobody lives on"
	is "$(sql t.dnt "SELECT DISTINCT comm, exit_code FROM processes WHERE comm = 'sleep'")" "sleep,0" \
		"--wait=tree: orphans are found, and their ends known"
	# A child that it had before it became the recorder is not of the tree.
	begin=$(date +%s%N)
	sh -c 'sleep 3 & exec refuse 1 denet-record -q --wait=tree -o t.dnt -- sh -c "sleep 0.2 & exit 5"' >out 2>said
	is "$?" 5 "--wait=tree with a child of its own: status"
	ok "--wait=tree with a child of its own: it is not waited for" \
		test $((($(date +%s%N) - begin) / 1000000)) -lt 2500
	without -q --require=process,names -o t.dnt sh -c 'exit 6' 2>said
	is "$?" 6 "--require: of what /proc shows"
	rm -f ran
	without -q --require=process,syscalls -o t.dnt touch ran 2>said
	is "$? $(ls ran 2>/dev/null)" "125 " "--require: of what it does not show"
	like "$(cat said)" "^denet-record: syscalls, required by --require, cannot be observed here" "--require: what is missing"
	without -o t.dnt -c true 2>said
	is "$(grep -c 'syscall' said)" 0 "-c: no empty table"
	# An execve of the same program under the same name, and a new name.
	without -q -o t.dnt -- sh -c 'sleep 0.1; exec sh -c "sleep 0.1; printf other >/proc/self/comm; sleep 0.1; :"' 2>/dev/null
	is "$(sql t.dnt "SELECT count(*) FROM execs WHERE comm = 'sh'")" 2 "an execve of the same program is one"
fi

# --- figures ----------------------------------------------------------------------------
said() { awk -v name="$1" '$1 == name { print $2 }' said; }
between() { ok "$4 ($2 to $3: $1)" test "$1" -ge "$2" -a "$1" -le "$3"; }

if refuse 1 true; then
	for who in command child; do
		case $who in
		command) without -q -o t.dnt figures one two >said 2>/dev/null ;;
		child) without -q -o t.dnt sh -c 'figures one two; :' >said 2>/dev/null ;;
		esac
		sql t.dnt "SELECT (utime_ns + stime_ns) / 1000, maxrss_bytes, minflt, rchar FROM processes
			   WHERE comm = 'figures'" | tr , ' ' >got
		read -r cpu rss minflt rchar <got
		want=$(said cpu_us)
		# Two ticks are lost in rounding; of a child also what two threads did after the last look.
		unseen=0
		[ $who = command ] || unseen=$(sql t.dnt "SELECT 2 * (max(p.end_ns) - max(s.time_ns)) / 1000
			FROM processes AS p JOIN process_samples AS s USING (process_id) WHERE p.comm = 'figures'")
		between "$cpu" $((want - 60000 - unseen)) $((want + 60000)) "$who: CPU time"
		want=$(said maxrss)
		least=$((want * 95 / 100))
		[ $who = command ] || least=1	# its last milliseconds are not in the last look
		between "$rss" $least $((want * 105 / 100)) "$who: peak memory"
		want=$(said minflt)
		[ $who = command ] && least=$((want * 95 / 100))
		between "$minflt" $least $((want + 100)) "$who: page faults"
		want=$(said rchar)
		[ $who = command ] && least=$((want * 95 / 100))
		between "$rchar" $least $((want + 1000)) "$who: bytes read"
	done
	# What recording costs where nothing happens: seconds of CPU, in a hundred.
	without -q -o t.dnt sleep 2 2>/dev/null
	cost=$(sql t.dnt "SELECT value / 1000000 FROM raw_total WHERE name = 'recorder_cpu_ns'")
	between "$cost" 0 200 "an idle command: ms of CPU in 2 s"
fi
done_testing
