# types.sh - the kernel types that the programs read: list, headers, programs and the
# running kernel agree, libbpf relocates just these fields, and update-types.sh notices
# each way of disagreeing. tests/kernels/types.sh asks the same of other kernels.
# shellcheck shell=bash source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"

need_cmd bpftool
[ -r /sys/kernel/btf/vmlinux ] || skip_all "this kernel has no BTF"
running=$(uname -r)=/sys/kernel/btf/vmlinux
mkdir bpf
cp "$DN_SRCDIR"/bpf/* bpf/
chmod -R u+w bpf

# --- what is there -----------------------------------------------------------------
ok "list, headers, programs and this kernel agree" \
	"$DN_SRCDIR/bpf/update-types.sh" --check "$running"
"$DN_SRCDIR/bpf/update-types.sh" --check "$running" >table 2>/dev/null
sed 's/^/# /' table
ok "there is a field in the table" grep -q '^task_struct.tgid *yes' table
ok "made again" sh bpf/update-types.sh "$running"
for h in vmlinux_min.h vmlinux_flavours.h; do
	is "$(diff "$DN_SRCDIR/bpf/$h" bpf/$h)" "" "$h is what the list makes"
done

# What libbpf finds in the object to relocate, each field that this kernel has.
object=$DN_BUILDDIR/bpf/denet.bpf.o
if [ -f "$object" ] && bpftool gen min_core_btf /sys/kernel/btf/vmlinux min.btf "$object" 2>/dev/null; then
	bpftool btf dump file min.btf | awk -f "$DN_SRCDIR/tests/lib/core_fields.awk" | sort -u >theirs
	awk -f "$DN_SRCDIR/tests/lib/list_fields.awk" "$DN_SRCDIR/bpf/vmlinux_min.list" table | sort -u >ours
	ok "libbpf finds fields to relocate" test -s theirs
	is "$(diff theirs ours)" "" "they are those of the list"
else
	skip "they are those of the list" "no kernel-side object, or a bpftool without gen min_core_btf"
fi

# --- what is not ---------------------------------------------------------------------
# refused NAME MESSAGE: the check of the changed copy says MESSAGE. Then the copy is as before.
refused()
{
	sh bpf/update-types.sh --check "$running" >out 2>&1
	is $? 1 "$1: refused"
	like "$(cat out)" "$2" "$1: and said"
	rm -rf bpf
	cp -R "$DN_SRCDIR/bpf" bpf
	chmod -R u+w bpf
}

echo 'struct task_struct: no_such_field' >>bpf/vmlinux_min.list
refused "a field that no kernel has" ': task_struct.no_such_field is missing, and the list knows no reason'

echo 'struct task_struct: prio' >>bpf/vmlinux_min.list
refused "a field that has no declaration" ': task_struct.prio is not in the header yet'

printf '%s\n' 'struct task_struct: prio cpus_mask' 'struct cpumask: bits' \
	'struct in6_addr: in6_u' >>bpf/vmlinux_min.list
ok "a longer list" sh bpf/update-types.sh "$running"
like "$(cat bpf/vmlinux_min.h)" '^	int prio;' "a field is declared as the kernel has it"
like "$(cat bpf/vmlinux_min.h)" '^	unsigned long bits\[[0-9]+\];' "an array is"
like "$(cat bpf/vmlinux_min.h)" '^	union [{] unsigned char u6_addr8\[16\]; .* [}] in6_u;' "a union without a name is, whole"
is "$(grep -c '^struct cpumask {\|^struct task_struct {' bpf/vmlinux_min.h)" 2 "a struct inside another is declared"
is "$(grep -x 'struct cpumask {\|struct task_struct {' bpf/vmlinux_min.h | head -1)" 'struct cpumask {' \
	"before the other"
cp bpf/vmlinux_min.h first.h
ok "made again of what it made" sh bpf/update-types.sh "$running"
ok "it does not change" cmp first.h bpf/vmlinux_min.h
refused "a field that no program reads" 'no program reads task_struct.prio'

sed -i 's/unsigned long long utime;/unsigned int utime;/' bpf/vmlinux_min.h
refused "another size" ': task_struct.utime is "unsigned long long utime", the header has "unsigned int utime"'

sed -i 's/unsigned long maxrss;/struct mm_struct *maxrss;/' bpf/vmlinux_min.h
refused "another sort" ': signal_struct.maxrss is "unsigned long maxrss", the header has'

sed -i 's/bpf_core_field_exists(.*group_dead)/1/' bpf/kernel_compat.bpf.h
refused "a field that may be missing and is not asked for" \
	'group_dead may be missing [(]since 6.16[)] and no program asks'

sed -i 's/^struct task_struct___new: __state/&_not/' bpf/vmlinux_min.list
sed -i 's/___new.__state/&_not/' bpf/vmlinux_min.list
sed -i 's/ __state;/ __state_not;/' bpf/vmlinux_flavours.h
refused "neither of two flavours" ': task_struct___new.__state_not is missing, and task_struct___old.state too'

echo 'struct task_struct: utime no_such_field ? since 99.1' >>bpf/vmlinux_min.list
refused "half of what comes together" ': task_struct.no_such_field is missing, others of its line are not'

echo 'struct task_struct: no_such_field ? since 3.0' >>bpf/vmlinux_min.list
refused "a version that is not true" ': task_struct.no_such_field is missing, though the list says: since 3.0'

echo 'struct no_fields' >>bpf/vmlinux_min.list
refused "a line without sense" 'cannot understand a line of the list: struct no_fields'

sh bpf/update-types.sh --check /dev/null >out 2>&1
is $? 1 "no BTF: refused"
like "$(cat out)" 'cannot read types from /dev/null' "no BTF: and said"
done_testing
