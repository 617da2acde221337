# rungs.sh - the lower rungs of the ladder see what strace sees, too: raw
# tracepoints, and the object that reads no kernel structure.
. "$(dirname "$0")/lib.sh"
. "$oracle/lib-ask.sh"
need_cmd strace
need_bpf

for rung in raw_tp no_btf; do
	mkdir "$rung"
	cd "$rung" || exit
	strace_says "$rung: a crowd" 0 life crowd 20
	strace_says "$rung: 64 threads" 0 life threads 64
	strace_says "$rung: vfork" 0 life vfork
	strace_says "$rung: exec by a second thread" 7 life thread-exec 3
	strace_says "$rung: the first thread ends first" 8 life leader-first
	strace_says "$rung: the first thread ends, the second one calls execve" 7 life leader-exec
	strace_says "$rung: a thread ends all" 8 life group-exit
	strace_says "$rung: spawn, system, scripts" 0 life spawn
	strace_says "$rung: errors" 0 calls errors
	strace_says "$rung: strings" 0 calls strings
	strace_says "$rung: seccomp" 0 calls seccomp
	strace_says "$rung: killed in a call" 0 signals kill
	strace_says "$rung: deaths" 0 signals deaths
	if [ "$rung" = raw_tp ]; then
		strace_says "$rung: signals sent" 0 signals sent
	fi
	cd .. || exit
done
rung=

# Without the kernel's BTF the lowest of them is taken by itself, and says what it lacks.
if unshare -m true 2>/dev/null && [ -f /sys/kernel/btf/vmlinux ]; then
	: >empty
	# shellcheck disable=SC2016
	hidden() { unshare -m sh -c 'mount --bind empty /sys/kernel/btf/vmlinux && exec "$@"' sh "$@"; }
	hidden denet-record -q -o t.dnt life forks 3 >out 2>said
	is $? 0 "BTF hidden: the command's status"
	like "$(cat said)" "^denet-record: not observed on this kernel: scheduling, runtime, samples, exit_figures, sockets, cwd, stacks [(].*BTF" \
		"BTF hidden: what is not observed, and why"
	is "$(ask "SELECT rung FROM probes WHERE name IN ('kernel_types', 'cwd', 'syscalls') ORDER BY name")" \
		"none
none
raw_tp" "BTF hidden: rungs"
	is "$(ask "SELECT count(*) FROM syscalls WHERE name IN ('fork', 'clone', 'vfork')")" 3 "BTF hidden: calls"
	is "$(ask "SELECT count(*) FROM probes WHERE rung = 'none' AND reason IS NULL")" 0 "BTF hidden: each with a reason"
	# The children ended before anybody read what they had used.
	is "$(denet-analyze --json t.dnt | sed 's/.*"resources"://' | grep -o '"[us]time_ns":[^,]*' | tr '\n' ' ')" \
		'"utime_ns":null "stime_ns":null ' "BTF hidden: what is not known of all has no sum"
	like "$(denet-analyze t.dnt | tr -s '\n ' '  ')" "CPU time is not known of all processes" "BTF hidden: the page says so"
	books t.dnt "BTF hidden"
	hidden denet-record -q -o u.dnt --require=signals,cwd touch ran 2>said
	is "$? $(ls ran 2>&1 >/dev/null | wc -l)" "125 1" "--require: the command is not started"
	like "$(cat said)" "cwd, required by --require, cannot be observed here" "--require: what is missing"
	hidden denet-record -q -o u.dnt --require=signals,syscalls life exit 4 2>said
	is $? 4 "--require: of what is there"
	denet-record -q -o u.dnt --require=nonsense touch ran 2>said
	is "$? $(ls ran 2>&1 >/dev/null | wc -l)" "125 1" "--require: of what nobody knows"
	denet-record -q -o u.dnt --rung=nonsense touch ran 2>said
	is "$? $(ls ran 2>&1 >/dev/null | wc -l)" "125 1" "--rung: what nobody knows"
	like "$(cat said)" "no rung \"nonsense\"" "--rung: it is named"
else
	skip "BTF hidden" "no mount namespace, or no BTF"
fi

# A kernel that refuses something: one program, all that a rung stands on.
rung_of() { ask "SELECT rung FROM probes WHERE name = '$1'"; }
# refused NAME WHAT: the run is recorded whole all the same.
refused() {
	refuse "$2" denet-record -q -o t.dnt life forks 3 >out 2>said
	is $? 0 "$1: the command's status"
	is "$(ask "SELECT count(*) FROM processes")" 4 "$1: processes"
	books t.dnt "$1"
}
refused "names refused" program=on_rename
is "$(rung_of names) $(rung_of syscalls)" "none tp_btf" "names refused: the rest stays where it was"
like "$(cat said)" "not observed on this kernel: names [(]the kernel refuses on_rename" "names refused: it is said"
refused "last switch refused" program=on_switch
# Whoever gets the address of a task that is gone is none of the tree.
refuse program=on_switch denet-record -q -o t.dnt sh -c 'for i in $(seq 200); do /bin/true; done; touch all; sleep 1' \
	>out 2>said &
while [ ! -e all ] && kill -0 $! 2>/dev/null; do sleep 0.02; done
for i in $(seq 100); do sh -c 'ls /outsider' 2>/dev/null; done
wait $!
is "$? $(ask "SELECT count(*) FROM syscalls WHERE path LIKE '%outsider%'")" "0 0" "last switch refused: nobody else is recorded"
is "$(ask "SELECT count(*) FROM processes")" 204 "last switch refused: and all of the tree"
books t.dnt "last switch refused, many"
refused "exec refused" program=on_exec
is "$(rung_of process) $(rung_of kernel_types)" "raw_tp none" "exec refused: the object that has no such program"
refused "no typed exec" typed=on_exec
is "$(rung_of task_state) $(rung_of kernel_types) $(cat said)" "hash btf " "no typed exec: nothing is missing"
like "$(ask "SELECT reason FROM probes WHERE name = 'task_state'")" "tp_btf: the kernel refuses on_exec" \
	"no typed exec: why not the better rung"
done_testing
