# vmlinux_h.sh - --with-vmlinux-h: a kernel side compiled with all types of the running
# kernel records the same as one compiled with bpf/vmlinux_min.h.
# shellcheck shell=bash source=tests/oracle/lib.sh
. "$(dirname "$0")/lib.sh"

need_bpf
need_cmd bpftool make timeout
[ ! -f "$DN_SRCDIR/config.status" ] || skip_all "denet was built in the source tree"
[ -r /sys/kernel/btf/vmlinux ] || skip_all "this kernel has no BTF"

# --- configure -------------------------------------------------------------------
mkdir full
configure() { (cd full && timeout 120 "$DN_SRCDIR/configure" -q --cache-file=../cache CFLAGS=-O0 "$@"); }

ok "configured" configure --with-vmlinux-h=auto
ok "built" timeout 200 make -s -C full denet-record
ok "with all types of the running kernel" \
	cmp full/bpf/vmlinux.h <(bpftool btf dump file /sys/kernel/btf/vmlinux format c)
ok "which the object was compiled with" grep -q 'bpf/vmlinux\.h' full/bpf/denet.bpf.d
is "$(grep -c vmlinux_min full/bpf/denet.bpf.d)" 0 "and not with the small header"

mkdir types
cp full/bpf/vmlinux.h types/mine.h
mv full full.auto
mkdir full
ok "configured with a file" configure --with-vmlinux-h=../types/mine.h
ok "built with a file" timeout 100 make -s -C full bpf/denet.bpf.o
ok "it is that file" grep -q 'types/mine\.h' full/bpf/denet.bpf.d

# refused PATH MESSAGE
refused()
{
	configure --with-vmlinux-h="$1" >out 2>&1
	is $(($? != 0)) 1 "$1: refused"
	like "$(cat out)" "$2" "$1: and said why"
}
refused /nonexistent/vmlinux.h 'cannot take kernel types from /nonexistent/vmlinux.h: it cannot be read[.] Make it'
refused /dev/null 'cannot take kernel types from /dev/null: it declares no struct task_struct[.] Make it'

# --- what is recorded ----------------------------------------------------------------
said()
{
	denet-analyze sql "$1" --csv --sql "SELECT comm, origin, exit_code, exit_signal, threads, calls, errors, lost,
		rchar, wchar, syscr, syscw, runtime_ns > 0, run_delay_ns >= 0, nvcsw >= 0, minflt > 0,
		maxrss_bytes > 0 FROM processes ORDER BY start_ns"
	denet-analyze sql "$1" --csv --sql "SELECT path, argv, cwd, uid, gid FROM processes WHERE uid IS NOT NULL
		ORDER BY start_ns"
	denet-analyze sql "$1" --csv --sql "SELECT comm, name, error, path, text, address, argv, count(*)
		FROM syscalls GROUP BY 1, 2, 3, 4, 5, 6, 7 ORDER BY 1, 2, 3, 4, 5, 6, 7"
}

# once RECORDER NAME COMMAND...: a recording of COMMAND in a new directory of the same name.
once()
{
	local recorder=$1 name=$2

	shift 2
	rm -rf run
	mkdir run
	(cd run && "$recorder" -q -o "../$name.dnt" "$@" >/dev/null)
}

compare()
{
	local status

	once denet-record small "$@"
	status=$?
	once "$scratch/full.auto/denet-record" full "$@"
	is $? $status "$*: the same status"
	said small.dnt >small
	said full.dnt >full.said
	ok "$*: something is recorded" test "$(wc -l <small)" -gt 5
	is "$(diff small full.said)" "" "$*: the same is recorded"
	rm -f small.dnt full.dnt
}
compare calls errors
compare calls strings
compare life forks 5
compare life spawn
done_testing
