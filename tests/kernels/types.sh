# types.sh - the kernel types that the programs read, on all kernels at hand: list and
# headers agree with each, the headers are what the kernels make of the list, libbpf
# relocates just these fields there, and the programs compile with each one's full types.
# shellcheck shell=bash source=tests/kernels/lib.sh
. "$(dirname "$0")/lib.sh"

need_cmd bpftool apt-get dpkg xz zstd
update=$DN_SRCDIR/bpf/update-types.sh

names="sid-amd64 trixie-amd64 bookworm-amd64 bullseye-amd64 bookworm-arm64"
kernels=()
for name in $names; do
	suite=${name%-*} arch=${name#*-}
	cached "$name" fetch_kernel
	vmlinuz=$found/vmlinuz
	release=$("$here/btf" "$vmlinuz" "$name.btf") || not_ok "$name: has types"
	echo "$release" >"$name.release"
	kernels+=("$release=$name.btf")
done

ok "list, headers, programs and all kernels agree" "$update" --check --all "${kernels[@]}"
"$update" --check --all "${kernels[@]}" >table 2>/dev/null
sed 's/^/# /' table
mkdir new
ok "made of nothing but the kernels" "$update" -o new "${kernels[@]}"
for h in vmlinux_min.h vmlinux_flavours.h; do
	is "$(diff "$DN_SRCDIR/bpf/$h" new/$h)" "" "$h is what they make"
done

# --- objects -------------------------------------------------------------------------
if ! [ -x "$DN_BUILDDIR/denet-record" ] || [ -f "$DN_SRCDIR/config.status" ]; then
	skip "objects" "denet-record was not built, or was in the source tree"
	done_testing
fi
bpftool btf dump file sid-amd64.btf format c >vmlinux.h
mkdir build
(cd build && "$DN_SRCDIR/configure" -q --with-vmlinux-h="$scratch/vmlinux.h") >log 2>&1 || {
	not_ok "configured with full types" "$(tail log)"
	done_testing
}
flags=$(sed -n 's/^BPF_CPPFLAGS = //p' build/Makefile)
native=${flags#*TARGET_ARCH_}
native=${native%% *}

# object NAME ARCH FLAGS: build/bpf/NAME.bpf.o, made anew.
object()
{
	rm -f "build/bpf/$1.bpf.o"
	MAKEFLAGS='' make -C build "bpf/$1.bpf.o" VMLINUX_H= \
		BPF_CPPFLAGS="${3/TARGET_ARCH_$native/TARGET_ARCH_$2}" >log 2>&1
}

column=1
for name in $names; do
	column=$((column + 1))
	release=$(cat "$name.release")
	case $name in
	*arm64) arch=arm64 ;;
	*) arch=x86 ;;
	esac
	awk -v column=$column '{ $2 = $column; print }' table >one
	object denet $arch "${flags%%-iquote . *}"
	bpftool gen min_core_btf "$name.btf" min.btf build/bpf/denet.bpf.o >>log 2>&1
	bpftool btf dump file min.btf | awk -f "$DN_SRCDIR/tests/lib/core_fields.awk" | sort -u >theirs
	awk -f "$DN_SRCDIR/tests/lib/list_fields.awk" "$DN_SRCDIR/bpf/vmlinux_min.list" one | sort -u >ours
	ok "$release: libbpf finds fields to relocate" test -s theirs
	is "$(diff theirs ours)" "" "$release: they are those of the list"

	bpftool btf dump file "$name.btf" format c >vmlinux.h
	ok "$release: the programs compile with its full types" object denet $arch "$flags"
	is "$(grep -i warning log)" "" "$release: without a warning"
done
done_testing
