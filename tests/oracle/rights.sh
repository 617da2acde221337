#!/bin/sh
# A recorder that has three capabilities of its file and is run by somebody who is not
# root: it records what root's records of the same command for the same user, the
# command has what it has without a recorder, and nobody gains anything by it.
. "$(dirname "$0")/lib.sh"
need_cmd setpriv setcap getcap od
need_bpf
[ "$(id -u)" = 0 ] || skip_all "only root can give a file capabilities"
id nobody >/dev/null 2>&1 || skip_all "there is no user nobody"

three=cap_bpf,cap_perfmon,cap_dac_read_search
uid=$(id -u nobody)
gid=$(id -g nobody)
# By way of env, as setpriv itself still has root's capabilities at its execve.
as_nobody="setpriv --reuid=$uid --regid=$gid --init-groups env"

# The directories above may be closed to others, so paths are relative from here on.
chmod 755 "$scratch"
mkdir bin home secret secret/open
cp "$DN_BUILDDIR/denet-record" "$DN_BUILDDIR/tests/programs/calls" "$DN_BUILDDIR/tests/programs/life" bin
chmod 755 bin bin/*
chmod 777 secret/open
chmod 700 secret
chown nobody home
cd home || exit 99

rec=../bin/denet-record
give() { setcap "$1" $rec; }
give $three=ep 2>/dev/null || skip_all "this file system keeps no capabilities"
cp /bin/cat ../bin/cat
setcap cap_bpf=ep ../bin/cat
case $($as_nobody ../bin/cat /proc/self/status | sed -n 's/^CapPrm:[[:space:]]*//p') in
*[1-9a-f]*) ;;
*) skip_all "capabilities of files are void here (mounted nosuid?)" ;;
esac

# capable ARGUMENT...: the recorder of somebody.
capable() { $as_nobody $rec -q "$@"; }

# --- the same counts ------------------------------------------------------------------
by_call() {
	denet-analyze --csv --sql "SELECT name, coalesce(errno, 0), count(*) FROM syscalls
		GROUP BY 1, 2 ORDER BY 1, 2" "$1"
}
# A directory that has nothing in it yet.
fresh() {
	rm -rf ../work
	mkdir ../work
	chown nobody ../work
	cd ../work || exit 99
}
# same_counts NAME COMMAND...
same_counts() {
	name=$1
	shift
	rm -f ../root.dnt user.dnt
	fresh
	denet-record -q -u nobody -o ../root.dnt "$@" >/dev/null 2>&1
	want=$?
	fresh
	capable -o ../home/user.dnt "$@" >/dev/null 2>&1
	is $? $want "$name: its status"
	cd ../home || exit 99
	by_call ../root.dnt >by_root
	by_call user.dnt >by_user
	ok "$name: there are calls" test "$(wc -l <by_root)" -gt 5
	is "$(diff by_root by_user)" "" "$name: as often as root counts them, by call and errno"
	books user.dnt "$name"
}
same_counts "10,000 calls" ../bin/calls calls 10000
same_counts "calls that fail" ../bin/calls errors
same_counts "processes" ../bin/life forks 20
same_counts "programs" sh -c '/bin/echo a; ls /nonexistent; exit 3'
is "$(stat -c '%U %a' user.dnt)" "nobody 600" "the trace is the invoker's alone"

# --- the command ---------------------------------------------------------------------------
# as_without NAME COMMAND...: prints the same with a recorder and without.
as_without() {
	name=$1
	shift
	$as_nobody "$@" >want 2>&1
	capable -o t.dnt "$@" >got 2>&1
	ok "$name: there is something" test -s want
	is "$(cat got)" "$(cat want)" "$name: as without a recorder"
}
as_without "its capabilities" grep -E '^(Cap|NoNewPrivs|Uid|Gid|Groups|Seccomp)' /proc/self/status
as_without "whether it is secure (AT_SECURE)" \
	sh -c "od -An -v -t u8 -w16 /proc/self/auxv | awk '\$1 == 23'"
as_without "its environment" env TMPDIR=/nowhere env
as_without "what it may read of itself" sh -c 'wc -c </proc/self/environ; ls /proc/self/fd'
TMPDIR=/nowhere LD_LIBRARY_PATH=/nowhere MALLOC_TRACE=nowhere GCONV_PATH=/nowhere
export TMPDIR LD_LIBRARY_PATH MALLOC_TRACE GCONV_PATH
as_without "what the C library keeps from programs with capabilities" env
is "$(denet-analyze --csv --sql "SELECT value FROM raw_environment WHERE key = 'env.PATH'" t.dnt |
	tr -d '\r' | tail -1)" "$PATH" "and the trace knows its PATH"
unset TMPDIR LD_LIBRARY_PATH MALLOC_TRACE GCONV_PATH

setcap -r $rec
ambient="${as_nobody% env} --inh-caps=+bpf,+perfmon,+dac_read_search,+chown
	--ambient-caps=+bpf,+perfmon,+dac_read_search,+chown"
if $ambient true 2>/dev/null; then
	$ambient $rec -q -o t.dnt grep -E '^Cap(Prm|Eff|Amb)' /proc/self/status >got
	is "$(tr -s '\n\t' ' ' <got)" \
		"CapPrm: 0000000000000001 CapEff: 0000000000000001 CapAmb: 0000000000000001 " \
		"ambient ones: ours do not reach it, another does"
else
	skip "ambient ones: ours do not reach it, another does" "they cannot be set here"
fi
give $three=ep

# --- the recorder --------------------------------------------------------------------------
# shellcheck disable=SC2016  # the command is to expand it
capable -o t.dnt sh -c 'grep -E "^Cap(Prm|Eff)" /proc/$PPID/status; cat /proc/$PPID/maps; ls /proc/$PPID/fd' \
	>got 2>err
if [ "$(printf '5.19\n%s\n' "$(uname -r)" | sort -V | head -1)" = 5.19 ]; then
	is "$(grep -c ':.*0000000000000000$' got)" 2 "while the command runs the recorder has no capability"
else
	is "$(grep -c ':.*0000000[08]000000000$' got)" 2 "while the command runs the recorder has CAP_BPF at most"
fi
is "$(wc -l <got) $(grep -c 'Permission denied' err)" "2 2" "nor may the command look into it"
for pid in 1 $$; do
	is "$($as_nobody $rec -q -o t.dnt cat /proc/"$pid"/environ 2>/dev/null | wc -c)" 0 \
		"the command may read no more of process $pid"
done

# --- nobody gains by it ----------------------------------------------------------------------
refused() {
	want=$1
	name=$2
	shift 2
	capable "$@" >out 2>err
	is "$? $(grep -c . err)" "$want 1" "$name: refused, with a line that says why"
}
refused 125 "a file in a directory closed to the invoker" -o ../secret/open/t.dnt true
is "$(ls -A ../secret/open)" "" "and nothing is made there"
cp user.dnt root.dnt && chmod 600 root.dnt
refused 125 "a trace of root's" -o root.dnt true
ok "and it is as it was" cmp root.dnt user.dnt
rm -f root.dnt
printf '#!/bin/sh\necho ran\n' >../secret/open/tool
chmod 755 ../secret/open/tool
refused 126 "a command in a closed directory" -o t.dnt ../secret/open/tool
PATH=../secret/open:$PATH
refused 126 "a command in a closed directory of PATH" -o t.dnt tool
PATH=${PATH#../secret/open:}
printf '#!../secret/open/tool\n' >script
chmod 755 script
refused 126 "a script whose interpreter is in a closed directory" -o t.dnt ./script
refused 125 "a command for another user" -u root -o t.dnt true
cp $rec ../bin/setuid
chmod 4755 ../bin/setuid
$as_nobody ../bin/setuid -q -o t2.dnt true 2>err
is "$? $(ls t2.dnt 2>/dev/null)" "125 " "installed setuid: refused"
like "$(cat err)" 'setuid.*denet-setup' "and it says what to do"

# --- who may ---------------------------------------------------------------------------------
number=54321
chown root:$number $rec
chmod 750 $rec
give $three=ep
$as_nobody $rec -q -o t.dnt true 2>/dev/null
is $? 126 "mode 0750: nobody outside the group"
setpriv --reuid="$uid" --regid="$gid" --groups=$number env $rec -q -o t.dnt ../bin/life exit 4
is $? 4 "mode 0750: a member of the group"
chmod 755 $rec
give $three=ep

# --- without one of them -----------------------------------------------------------------------
give cap_bpf,cap_perfmon=ep
same_counts "without cap_dac_read_search" ../bin/calls calls 1000
# missing WHAT GIVEN: it is named.
missing() {
	give "$2"
	$as_nobody $rec -o t.dnt ../bin/life exit 3 >out 2>err
	like "$(cat err)" "$1 missing: .*denet-setup" "without $1: it is named, and what installs it"
}
missing "cap_bpf is" cap_perfmon,cap_dac_read_search=ep
missing "cap_perfmon is" cap_bpf,cap_dac_read_search=ep
missing "cap_bpf and cap_perfmon are" cap_dac_read_search=ep
missing "cap_bpf and cap_perfmon are" =
give $three=ep
if setpriv --no-new-privs true; then
	$as_nobody setpriv --no-new-privs $rec -o t.dnt ../bin/life exit 3 >out 2>err
	like "$(cat err)" 'missing, though the file .* has what is needed: no_new_privs' \
		"with no_new_privs: it says so"
fi
if command -v strace >/dev/null; then
	$as_nobody strace -o /dev/null $rec -o t.dnt ../bin/life exit 3 >out 2>err
	like "$(cat err)" 'missing, though the file .* has what is needed: .*debugger' \
		"under strace: it says so"
fi

# --- kernel settings -----------------------------------------------------------------------------
# The strictest there are. What cannot be set stays as it is, and is said.
kernel=/proc/sys/kernel
bpf=$(cat $kernel/unprivileged_bpf_disabled)
kptr=$(cat $kernel/kptr_restrict)
perf=$(cat $kernel/perf_event_paranoid)
back() {
	echo "$bpf" >$kernel/unprivileged_bpf_disabled
	echo "$kptr" >$kernel/kptr_restrict
	echo "$perf" >$kernel/perf_event_paranoid
} 2>/dev/null
trap 'back; cd / && rm -rf "$scratch"' EXIT
{
	[ "$bpf" != 0 ] || echo 2 >$kernel/unprivileged_bpf_disabled
	[ "$kptr" -ge 2 ] || echo 2 >$kernel/kptr_restrict
	[ "$perf" -ge 2 ] || echo 2 >$kernel/perf_event_paranoid
} 2>/dev/null
same_counts "with unprivileged_bpf_disabled=$(cat $kernel/unprivileged_bpf_disabled), kptr_restrict=$(
	cat $kernel/kptr_restrict), perf_event_paranoid=$(cat $kernel/perf_event_paranoid)" ../bin/calls calls 1000
back

# --- under sudo ------------------------------------------------------------------------------------
mkdir ../shared
chmod 755 ../shared
SUDO_UID=$uid SUDO_GID=$gid denet-record -q -o sudo.dnt true
is "$(stat -c '%u:%g %a' sudo.dnt)" "$uid:$gid 600" "under sudo the trace is the caller's"
SUDO_UID=$uid SUDO_GID=$gid denet-record -q -o ../secret/open/t.dnt true 2>/dev/null
is "$? $(ls ../secret/open)" "125 tool" "under sudo: not where the caller may not"
SUDO_UID=$uid SUDO_GID=$gid denet-record -q -o ../shared/t.dnt true 2>/dev/null
is "$? $(ls ../shared)" "125 " "under sudo: not what only root may"
setpriv --bounding-set=-setgid --inh-caps=-setgid env SUDO_UID="$uid" SUDO_GID="$gid" \
	"$DN_BUILDDIR/denet-record" -q -o ../shared/t.dnt true 2>err
is "$? $(ls ../shared)" "125 " "under sudo: where the caller's rights cannot be had, not with root's"
like "$(cat err)" 'rights of the user who called sudo' "and it says so"
done_testing
