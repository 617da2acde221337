#!/bin/sh
# The whole road: what strace logged of a run, out of the views of denet-analyze.
. "$(dirname "$0")/lib.sh"
. "$oracle/lib-views.sh"
need_cmd strace
need_bpf
[ -x "$DN_BUILDDIR/denet-analyze" ] || skip_all "denet-analyze was not built"

# look NAME STATUS COMMAND...
look() {
	name=$1
	expected=$2
	shift 2
	both numbers "$@"
	is $? "$expected" "$name: its exit status"
	views_numbers "$name"
	both strings "$@"
	views_strings "$name"
}

mkdir errors strings
look "50 children" 0 life forks 50
look "threads" 0 life threads 20
look "exec by a second thread" 7 life thread-exec 3
look "vfork" 0 life vfork
cd errors && look "errors" 0 calls errors
cd ../strings && look "strings" 0 calls strings
cd ..
look "seccomp" 0 calls seccomp
look "killed in a call" 0 signals kill
look "signals" 0 signals sent
look "programs" 0 life spawn
done_testing
