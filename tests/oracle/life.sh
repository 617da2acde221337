#!/bin/sh
# Processes and threads of every kind against strace: what each of them did, in its
# order, with arguments, results, paths, signals and its end.
. "$(dirname "$0")/lib.sh"
. "$oracle/lib-views.sh"
need_cmd strace
need_bpf

strace_says "200 children" 0 life forks 200
strace_says "a crowd" 0 life crowd 40
strace_says "64 threads" 0 life threads 64
strace_says "vfork" 0 life vfork
strace_says "clone with CLONE_VM" 0 life clone-vm
strace_says "clone3" 0 life clone3
strace_says "one process id again and again" 0 life reuse 20
strace_says "exec by a second thread" 7 life thread-exec 3
strace_says "the first thread ends first" 8 life leader-first
strace_says "the first thread ends, the second one calls execve" 7 life leader-exec
strace_says "a thread ends all" 8 life group-exit
strace_says "pid namespaces" 0 life pidns
strace_says "names" 0 life names
strace_says "spawn, system, scripts" 0 life spawn

# More at a time than find their seats free (bpf/state.bpf.h).
record many.dnt life alive 4000
is $? 0 "4000 threads: the command's status"
is "$(sql many.dnt "SELECT count(*), count(DISTINCT thread_id) FROM syscalls
	WHERE name = 'getppid'")" "4000,4000" "4000 threads: each is followed"
books many.dnt "4000 threads"
done_testing
