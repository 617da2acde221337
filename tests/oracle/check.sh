#!/bin/sh
# denet-record --check against the machine: it says "full" where recording works,
# says why where it does not, and that is what was taken away.
. "$(dirname "$0")/lib.sh"
need_bpf
need_cmd jq setpriv unshare setcap

# The tests of `nobody` need the program where nobody may go.
place=$(mktemp -d /tmp/denet-check.XXXXXX) || exit 99
trap 'cd / && rm -rf "$scratch" "$place"' EXIT
chmod 755 "$place"
cp "$DN_BUILDDIR/denet-record" "$DN_BUILDDIR/tests/programs/refuse" "$place/"
doctor=$place/denet-record

# check STATUS NAME COMMAND...: the JSON of a check, and that a page of it agrees.
check() {
	want=$1
	name=$2
	shift 2
	"$@" "$doctor" --check --json >json 2>said
	is $? "$want" "$name: status $want"
	is "$(jq -r '.exit_status' json)" "$want" "$name: the document says the same"
	is "$(cat said)" "" "$name: nothing on stderr"
	is "$(jq -r '.findings[] | select(.state == "degraded" or .state == "missing") | .id' json | sort -u | head -n 1 | grep -c .)" \
		"$([ "$want" = 0 ] && echo 0 || echo 1)" "$name: something is degraded or missing just where the status says so"
	is "$(jq -r '.findings[].fix // empty' json | grep -E 'sysctl.*(unprivileged_bpf_disabled|kptr_restrict|paranoid)|lockdown')" "" \
		"$name: no advice weakens the machine"
}
state() { jq -r --arg id "$1" '.findings[] | select(.id == $id) | .state' json; }
said() { jq -r --arg id "$1" '.findings[] | select(.id == $id) | .found + "; " + .means' json; }
fix() { jq -r --arg id "$1" '.findings[] | select(.id == $id) | .fix' json; }
# records NAME YES|NO COMMAND...: the oracle of a verdict, a recording: has it system calls?
records() {
	name=$1
	want=$2
	shift 2
	(cd "$place" && "$@" "$doctor" -q -o - true) >oracle.dnt 2>/dev/null
	got=$(denet-analyze --csv --sql "SELECT CASE rung WHEN 'none' THEN 'NO' ELSE 'YES' END FROM probes
		WHERE name = 'syscalls'" oracle.dnt | tr -d '\r' | tail -n 1)
	is "$got" "$want" "$name: whether calls are recorded"
}
as_nobody() { setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; }
# with CAPS COMMAND...: nobody with these capabilities and no other.
with() {
	caps=-all,+$(echo "$1" | sed 's/,/,+/g')
	shift
	as_nobody --inh-caps "$caps" --ambient-caps "$caps" "$@"
}

# --- all there is --------------------------------------------------------------------
check 0 "root" env
records "root" YES env
# Those of the best object are in all headers but those of the one without BTF. The
# second ones (_again) are for kernels that may skip the first; those that are not
# preempted stand there in the place of the others: _steady with tracefs, else _held
# (bpf/kernel_compat.bpf.h). settle_counts is attached to nothing and there with performance counters alone.
case $(uname -v) in
*PREEMPT_RT*) second=1 ;;
*) second=$(printf '6.19\n%s\n' "$(uname -r)" | sort -V | head -n 1 | grep -cx 6.19) ;;
esac
find "$DN_SRCDIR/bpf" -name '*.bpf.h' ! -name '*plain*' -exec cat {} + |
	awk '/^TP\("|^SEC\("[a-z_]+[\/"]/ { getline; gsub(/^int (BPF_PROG\()?|[,(].*/, ""); print }' |
	grep -vx settle_counts |
	if [ "$second" = 0 ]; then
		grep -Ev '_(again|held|steady)$'
	elif cat /sys/kernel/tracing/events/raw_syscalls/sys_enter/id >/dev/null 2>&1; then
		grep -Ev '^on_sys_(enter|exit)(_again)?(_held)?$'
	else
		awk '{ names[$0] } END { for (n in names) if (!(n "_held" in names) && n !~ /_steady$/) print n }'
	fi | sort >names
is "$(jq -r '.programs[] | select(.object == "tp_btf") | .program' json | sort -u)" "$(cat names)" "every program was tried"
is "$(jq -r '[.programs[].object] | unique | join(" ")' json)" "tp_btf trial" "and no lesser rung, which a recording would not come to"
is "$(jq '[.programs[] | select(.object != "trial" and (.load_errno or .attach_errno))] | length' json)" 0 \
	"every program of the recorder works"
# The check and a trace name the same probes by the same rungs.
sleep 10 &
(cd "$place" && denet-record -q -o t.dnt --duration=0.1 -p $!)
kill $!
denet-analyze "$place/t.dnt" --csv --sql "SELECT DISTINCT name || ' ' || rung FROM probes" | tr -d '\r' >probes
jq -r '[.programs[] | select(.object != "trial") | .probe + " " + (if .rung == "iter" then .rung elif .rung == "perf_event" then "cpu_clock" else .object end)] | unique[]' json >tried
is "$(grep -Fvx -f probes tried)" "" "every probe is one of the trace's, on the same rung"
like "$(said kernel.version)" "Linux $(uname -r | sed 's/[.]/[.]/g');" "the release is uname's"
like "$(said process.capabilities)" "root; effective" "root is called root"
for what in kprobe fentry; do
	like "$(state attach.$what)" '^(ok|info)$' "$what degrades nothing"
done
if [ -d /sys/bus/event_source/devices/kprobe ]; then
	is "$(state attach.kprobe)" ok "kprobes are in this kernel"
else
	is "$(state attach.kprobe)" info "kprobes are not in this kernel"
fi
if [ -r /proc/config.gz ]; then
	for option in BPF_SYSCALL KPROBES PSI BPF_LSM TASK_IO_ACCOUNTING; do
		want=$(zcat /proc/config.gz | grep -qx "CONFIG_$option=[ym]" && echo || echo info)
		is "$(state config.$option)" "$want" "CONFIG_$option as in /proc/config.gz"
	done
fi
for knob in unprivileged_bpf_disabled kptr_restrict perf_event_paranoid; do
	like "$(said $knob)" "is $(cat /proc/sys/kernel/$knob);.*leave it" "$knob: as it is, and may stay"
done
is "$(NO_COLOR="" TERM=xterm pty -- "$doctor" --check | grep -c "$(printf '\033')\[")" \
	"$(jq '[.findings[] | select(.state != "info")] | length' json)" "colours on a terminal"
is "$(NO_COLOR=1 TERM=xterm pty -- "$doctor" --check | grep -c "$(printf '\033')")" 0 "no colours with NO_COLOR"
"$doctor" --check >page
is "$(grep -c "$(printf '\033')" page)" 0 "no colours in a file"
is "$(awk 'length > 80' page | grep -v '^ *[$&] ')" "" "80 columns"
is "$(grep -cE '^  (ok|info|degraded|missing) ' page)" "$(jq '.findings | length' json)" "the page has the findings of the document"
"$doctor" --check >/dev/full 2>err
is $? 125 "no room for the page: status 125"
like "$(cat err)" "^denet-record: cannot write to standard output" "no room for the page: said"

# --- capabilities -----------------------------------------------------------------------
check 4 "nobody" as_nobody
records "nobody" NO as_nobody
is "$(state process.capabilities)" missing "nobody: the capabilities are what is missing"
like "$(said process.capabilities)" "not root; effective: none.*sudo.*no sysctl" "nobody: that it works with sudo is explained"
like "$(fix process.capabilities)" "chown .* && .*chmod 0750 .* && .*setcap cap_bpf,cap_perfmon.*=ep $doctor" \
	"nobody: capabilities are given after the owner was changed"
check 0 "cap_bpf and cap_perfmon" with bpf,perfmon
records "cap_bpf and cap_perfmon" YES with bpf,perfmon
# Its own /proc/self/io is closed to a program with capabilities; the command's is not.
is "$(state figures.io)" ok "cap_bpf and cap_perfmon: bytes are read and written"
chmod 777 "$place"
# shellcheck disable=SC2016  # the command is to expand it
(cd "$place" && with bpf,perfmon "$doctor" -q -o io.dnt sh -c '
	for i in 1 2 3 4 5 6 7 8 9; do printf %01000d $i; done >bytes; sleep 0.6')
is "$(denet-analyze "$place/io.dnt" --csv --sql "SELECT max(wchar) >= $(stat -c %s "$place/bytes") FROM raw_process_sample" |
	tr -d '\r' | tail -n 1)" 1 "cap_bpf and cap_perfmon: they are, in a trace"
chmod 755 "$place"
is "$(state process.cap_dac_read_search)" info "cap_dac_read_search is not needed as long as nothing is attached through tracefs"
for without in perfmon,dac_read_search bpf,dac_read_search; do
	check 4 "$without only" with $without
	records "$without only" NO with $without
	is "$(state process.capabilities)" missing "$without only: it is the capabilities"
done
check 0 "root without cap_bpf" setpriv --bounding-set -bpf
is "$(state process.cap_bpf)" info "cap_sys_admin stands for cap_bpf"
check 4 "root without cap_bpf and cap_sys_admin" setpriv --bounding-set -bpf,-sys_admin
like "$(said process.capabilities)" "^root;.*This root was given less" "such a root is told apart"
is "$(fix process.capabilities)" null "and not told to call sudo"

# What setcap writes is what we read.
if setcap cap_bpf,cap_perfmon=ep "$doctor" 2>/dev/null && getcap "$doctor" | grep -q perfmon; then
	check 0 "a file with capabilities" as_nobody
	like "$(said file.capabilities)" "has cap_perfmon, cap_bpf \(ep\)" "capabilities of the file are read"
	is "$(state file.mode)" info "everybody may execute it: said"
	chown root:65534 "$doctor" && chmod 0750 "$doctor" && setcap cap_bpf,cap_perfmon=ep "$doctor"
	check 0 "a file with capabilities and 0750" as_nobody
	is "$(state file.mode)" ok "only a group may execute it: well"
	# setpriv itself keeps its capabilities over a change of user, until it calls execve
	check 4 "no_new_privs" as_nobody setpriv --no-new-privs
	like "$(said file.capabilities)" "did not become.*no_new_privs" "no_new_privs is named"
	setcap cap_bpf,cap_perfmon=p "$doctor"
	check 0 "capabilities without the effective bit" as_nobody
	records "capabilities without the effective bit" YES as_nobody
	like "$(said file.capabilities)" "\(p\).*may record" "the recorder makes them effective itself"
	setcap -r "$doctor"
	chmod 755 "$doctor"
else
	skip "a file with capabilities" "this file system keeps none"
fi

# --- kernel -----------------------------------------------------------------------------
: >empty
no_btf="mount --bind $PWD/empty /sys/kernel/btf/vmlinux"' && exec "$@"'
check 3 "no BTF" unshare -m sh -c "$no_btf" -
records "no BTF" YES unshare -m sh -c "$no_btf" -
(cd "$place" && unshare -m sh -c "$no_btf" - "$doctor" -q -o t.dnt true)
denet-analyze "$place/t.dnt" --csv --sql "SELECT n.subject || ': ' || n.reason FROM not_observed n JOIN probes p
	ON p.name = n.subject WHERE p.rung = 'none' AND n.subject <> 'kernel_types' ORDER BY 1" | tr -d '\r"' | tail -n +2 >lost
jq -r '.findings[] | select(.group == "Probes" and .state == "missing") | (.id | sub("^probe[.]"; "")) + ": " + .means' json |
	grep -v '^attach:\|^sockets_at_start:' | sort >told	# a command is not attached to
ok "no BTF: a trace lacks something" test -s lost
is "$(cat told)" "$(cat lost)" "no BTF: what is missing is what a trace lacks"
# Not for others than root: probe.c, hide_setuid.
nobody_no_btf='mount --bind '$PWD'/empty /sys/kernel/btf/vmlinux && exec setpriv --reuid 65534 --regid 65534 --clear-groups \
	--inh-caps -all,+bpf,+perfmon --ambient-caps -all,+bpf,+perfmon "$@"'
check 4 "no BTF, not root" unshare -m sh -c "$nobody_no_btf" -
records "no BTF, not root" NO unshare -m sh -c "$nobody_no_btf" -
check 3 "no BTF" unshare -m sh -c "$no_btf" -
is "$(state kernel.btf)" missing "no BTF: it is the BTF"
like "$(said kernel.btf)" "does not begin as BTF" "no BTF: an empty file is no BTF"

no_tracefs='umount -q -R /sys/kernel/debug; umount -q -R /sys/kernel/tracing'
check 0 "no tracefs" unshare -m sh -c "$no_tracefs"'; exec "$@"' -
like "$(said tracefs)" "is not mounted" "no tracefs: said"
is "$(state tracefs)" info "no tracefs: no probe needs it"
if unshare -m sh -c "$no_tracefs"'; mount -t tracefs nodev /sys/kernel/tracing' 2>/dev/null; then
	check 0 "tracefs for root" unshare -m sh -c "$no_tracefs"'; mount -t tracefs nodev /sys/kernel/tracing; exec "$@"' -
	is "$(state tracefs)" ok "tracefs for root: readable"
	mkdir -p parent/tracing
	chmod 700 parent
	# shellcheck disable=SC2016
	check 4 "tracefs below a directory that nobody may search" unshare -m sh -c "$no_tracefs"'
		mount -t tracefs nodev parent/tracing
		mount --bind parent /mnt && umount parent/tracing; mount -t tracefs nodev /mnt/tracing
		exec setpriv --reuid 65534 --regid 65534 --clear-groups "$@"' -
	like "$(said tracefs)" "/mnt.*may not be searched \(EACCES; mode 0700, owner 0:0\).*ENOENT.*really EACCES" \
		"tracefs below a directory that nobody may search: EACCES, whatever others call it"
else
	skip "tracefs" "it cannot be mounted"
fi

check 0 "little memlock" sh -c 'ulimit -l 16; exec "$@"' -
like "$(said memlock)" "16384 bytes.*(not counted|5[.]11)" "little memlock: it is told, and does not matter"

# --- place ------------------------------------------------------------------------------
if unshare -Ur true 2>/dev/null; then
	check 4 "a user namespace" unshare -Ur
	is "$(state namespace.user)" missing "a user namespace: it is the namespace"
	like "$(said process.capabilities)" "cap_bpf.*count for nothing" "a user namespace: its capabilities are no help"
	is "$(fix file.capabilities)" null "a user namespace: setcap is not advised"
fi
check 0 "a pid namespace" unshare -pf --mount-proc
is "$(state namespace.pid)" ok "a pid namespace: nothing lacks for it"

for errno in 1 38; do
	check 4 "seccomp, errno $errno" "$place/refuse" $errno
	is "$(state seccomp)" missing "seccomp, errno $errno: it is the filter"
done
check 4 "seccomp that kills" "$place/refuse" kill
like "$(said seccomp)" "it kills" "seccomp that kills: the check lives and says so"

done_testing
