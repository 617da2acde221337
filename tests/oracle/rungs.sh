# rungs.sh - the lower rungs of the ladder see what strace sees, too: raw
# tracepoints, and the object that reads no kernel structure.
. "$(dirname "$0")/lib.sh"
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
done_testing
