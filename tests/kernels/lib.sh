# lib.sh - denet on another kernel, in QEMU. Source it, then:
#
#   kernel SUITE ARCH RELEASE
#                       one of Debian's cloud kernels: of which suite, for amd64 or
#                       arm64, and what its release begins with
#
# A guest is a kernel and an initramfs: busybox, strace, denet-record, what is recorded.
# It writes recordings and strace's logs of the same runs to a disk; here they are
# compared as in tests/oracle. It needs no KVM and no root; packages are fetched from
# Debian's archive when they are not in the cache, and never installed.
#
# Environment: DENET_KERNEL_CACHE (XDG_CACHE_HOME/denet/kernels): remove it and the
# kernels are fetched anew.
# shellcheck shell=bash
. "$(dirname "$0")/../oracle/lib.sh"
. "$oracle/lib-views.sh"

here=$DN_SRCDIR/tests/kernels
cache=${DENET_KERNEL_CACHE:-${XDG_CACHE_HOME:-${HOME:-/var/tmp}/.cache}/denet/kernels}
vm_seconds=900		# 30 to 240 with a processor of its own

# What a kernel complains with. "WARNING:" is that of WARN() and lockdep, which have more on the line.
splat='BUG:|WARNING:|Oops|Call [Tt]race|lockdep|Kernel panic|general protection|invalid opcode'

# cached NAME COMMAND...: COMMAND fills a directory, the first time; it is there whole or
# not at all. Sets `found`.
cached() {
	found=$cache/$1
	shift
	[ ! -d "$found" ] || return 0
	mkdir -p "$cache" || skip_all "cannot make $cache"
	new=$(mktemp -d "$cache/new.XXXXXX") || skip_all "cannot write in $cache"
	if "$@" "$new" >fetch.said 2>&1 && mv -T "$new" "$found"; then
		return 0
	fi
	rm -rf "$new"
	skip_all "$(tail -n 1 fetch.said)"
}

# Of a kernel's hundred megabytes: itself, and what drives the disk.
fetch_kernel() {
	"$DN_SRCDIR/tests/lib/debs" "$suite" "$arch" "$1/all" "linux-image-cloud-$arch" || return
	find "$1/all" -name 'vmlinuz*' -exec mv {} "$1/vmlinuz" \;
	for m in $(sed -n 's/^for m in \(.*\); do$/\1/p' "$here/init"); do
		find "$1/all" -name "$m.ko*" -exec mv {} "$1" \;
	done
	find "$1" -maxdepth 1 -name '*.xz' -exec xz -d {} \;
	rm -rf "$1/all"
	[ -s "$1/vmlinuz" ]
}

fetch_tools() { "$DN_SRCDIR/tests/lib/debs" - "$arch" "$1" busybox-static strace libc6; }

# Programs of this machine, with the libraries that ldd names.
install_native() {
	cp "$(command -v busybox)" root/bin/ && cp "$@" "$(command -v strace)" root/usr/bin/ || return
	ldd root/bin/busybox root/usr/bin/* 2>/dev/null | sed -n 's/^.*=> //; s/^[[:space:]]*\(\/[^ ]*\) (.*/\1/p' |
		sort -u | while read -r f; do
		mkdir -p "root${f%/*}" && cp -L "$f" "root$f" || return
	done
	# As tests/oracle/facts.sh has it built.
	${CC:-cc} -m32 -nostdlib -static -ffreestanding -fno-stack-protector -fno-pic -no-pie -O1 \
		-o root/usr/bin/compat "$oracle/compat.c" 2>/dev/null ||
		diag "no 32-bit program: the compiler builds none"
}

# Our programs for another architecture are linked statically.
install_foreign() {
	cp "$tools/bin/busybox" root/bin/ && cp "$@" "$tools/usr/bin/strace" root/usr/bin/ &&
		cp -R "$tools/lib" root/
}

initramfs() {
	mkdir -p root/bin root/usr/bin root/modules || return
	find "$image" -name '*.ko' -exec cp {} root/modules/ \;
	cp "$here/init" "$here/work.sh" "$oracle/lib-both.sh" root/ && chmod 755 root/init &&
		$install "$build/denet-record" "$build"/tests/programs/{attached,calls,life,signals,talk} || return
	(cd root && find . | busybox cpio -o -H newc 2>/dev/null) | gzip -1 >initramfs
}

# One thread for all of the guest's processors: with several, QEMU's emulation of x86
# hangs newer kernels.
boot() {
	truncate -s 64M disk && timeout -k 5 $vm_seconds "$qemu" -M "$machine" -cpu "$cpu" -smp 2 -m 1G \
		-accel tcg,thread=single -nodefaults -display none -no-reboot -serial file:console \
		-kernel "$image/vmlinuz" -initrd initramfs \
		-append "console=$console loglevel=5 log_buf_len=4M oops=panic panic=-1 nowatchdog rcupdate.rcu_cpu_stall_suppress=1" \
		-drive file=disk,format=raw,if=none,id=out -device virtio-blk-pci,drive=out
}

# skipped: what is counted as lost for want of a run of a program makes a trace inexact, as it must; the tests
# are of those that are exact.
skipped() {
	for as in numbers strings; do
		[ ! -s $as.dnt ] || [ "$(sql $as.dnt "SELECT total(value) FROM raw_total WHERE name = 'recursion_misses'")" = 0.0 ] || return 0
	done
	return 1
}

# rungs: a line for each probe into the table of `make check-kernels`.
rungs() {
	if [ -s strings.dnt ]; then
		denet-analyze numbers.dnt --csv --sql "SELECT name || ' ' || rung || ' ' || ifnull(reason, '') FROM probes" |
			tr -d '\r"' | sed 1d
	else
		echo "all none $(tail -n 1 numbers.said)"
	fi | sed "s/^/$(cat release) /" >"$DN_BUILDDIR/tests/kernels/$release-$arch.rungs"
	diag "$(cat "$DN_BUILDDIR/tests/kernels/$release-$arch.rungs")"
	is "$(awk 'NF < 3 || $3 == "none" && NF == 3 { print } END { if (!NR) print "no probe" }' \
		"$DN_BUILDDIR/tests/kernels/$release-$arch.rungs")" "" "$name: each probe works, or says why not"
}

# talks: bytes by kind of socket, as the calls themselves said; the same by every way.
talks() {
	for way in tracepoint fentry kprobe calls; do
		is "$(cat talk-$way.status) $(cat talk-$way.err)" "0 " "$name: --rung=$way: it is recorded"
		is "$(sql talk-$way.dnt "SELECT kind, sum(sent), sum(received), sum(sends),
				sum(receives) FROM sock GROUP BY kind")" "$(cat talk-$way.said)" \
			"$name: --rung=$way: bytes through sockets"
		denet-analyze talk-$way.dnt --csv --sql "SELECT 'bytes_by_$way ' || rung || ' ' || ifnull(reason, '')
			FROM probes WHERE name = 'socket_bytes'" | tr -d '\r"' | sed "1d; s/^/$(cat release) /" \
			>>"$DN_BUILDDIR/tests/kernels/$release-$arch.rungs"
	done
	ok "$name: ends of sockets are seen" test "$(sql talk-calls.dnt "SELECT count(*)
		FROM net_event WHERE kind = 'close'")" -gt 10
}

# A process with three threads and a child; what it does in a round stands in tests/programs/attached.c.
attaches() {
	is "$(cat attached.status 2>&1) $(cat attached.err)" "0 " "$name: -p records what runs already"
	is "$(sql attached.dnt "SELECT count(*) FROM syscalls WHERE name = 'getppid'")" 1010 "$name: -p: its calls"
	is "$(sql attached.dnt "SELECT count(*) FROM threads WHERE origin = 'attach'")" 4 "$name: -p: its threads"
	is "$(sql attached.dnt "SELECT name FROM syscalls WHERE start_ns IS NULL ORDER BY name" | tr '\n' ' ')" \
		"futex $(if [ "$arch" = arm64 ]; then echo ppoll; else echo pause; fi) read rt_sigtimedwait " "$name: -p: the calls they were in"
	is "$(sql attached.dnt "SELECT sum(sent), sum(received), sum(origin = 'attached') FROM sock WHERE kind = 'tcp'")" "10000,10000,3" \
		"$name: -p: its connection"
	is "$(sql attached.dnt "SELECT exact FROM traces")" 1 "$name: -p: nothing is lost"
}

# The kernel says at its boot how many loops it can do in a second, and in a tick.
ticks() {
	near "$(sql numbers.dnt "SELECT value FROM environment WHERE key = 'host.kernel_hz'")" "$(sed -n 's/.* \([0-9.]*\) BogoMIPS (lpj=\([0-9]*\)).*/\1 \2/p' dmesg |
		awk 'NR == 1 { printf "%.0f", $1 * 500000 / $2 }')" 1 "$name: ticks a second of the kernel"
}

# One that is preempted in its handler costs the others no strings.
crowd() {
	is "$(cat crowd.status 2>&1)" 0 "$name: denet-record records a crowd" || diag "$(cat crowd.said)"
	is "$(sql crowd.dnt "SELECT value FROM raw_total WHERE name = 'scratch_busy'")" 0 "$name: no string is left out for another's"
	is "$(sql crowd.dnt "SELECT name, value FROM raw_total WHERE name IN ('exit_only', 'nested_enter')" | tr '\n' ' ')" \
		"exit_only,0 nested_enter,0 " "$name: each call has its entry and its return"
}

# counters: each child has the page faults that wait4 says. Of the CPU's own QEMU has the cycles of an arm64,
# one for each ns.
counters() {
	is "$(cat counted.status) $(cat counted.err)" "0 " "$name: performance counters: it is recorded"
	if [ "$(sql counted.dnt "SELECT ifnull(sum(count), 0) FROM losses WHERE counter = 'perf_missed'")" = 0 ]; then
		is "$(sql counted.dnt "SELECT pid || ' ' || page_faults FROM process_counters WHERE pid IN
			($(awk '{ printf "%s%s", comma, $1; comma = "," }' counted.said)) ORDER BY pid")" \
			"$(awk '{ print $1, $3 + $4 }' counted.said | sort -n)" "$name: page faults of each"
	else
		skip "$name: page faults of each" "times on a CPU were missed"
	fi
	[ "$arch" != arm64 ] || near "$(sql counted.dnt "SELECT cycles FROM trace_counters")" \
		"$(sql counted.dnt "SELECT task_clock_ns FROM trace_counters")" 5 "$name: cycles"
	said="denet-record: samples are taken by the clock of each CPU, not by cycles: this machine has no hardware counters, as virtual machines mostly have not"
	[ "$arch" != arm64 ] || said=
	is "$(cat sampled.status) $(cat sampled.err)" "0 $said" "$name: samples by cycles: it is recorded"
	if [ "$arch" = arm64 ]; then
		near "$(sql sampled.dnt "SELECT sum(cycles) FROM samples")" "$(sql sampled.dnt "SELECT task_clock_ns FROM trace_counters")" \
			25 "$name: samples by cycles: as many as there were"
	else
		is "$(sql sampled.dnt "SELECT count(cycles) || ' ' || (count(period_ns) > 0) FROM samples")" "0 1" \
			"$name: samples by the clock, where there are no cycles"
	fi
}

# tracefs is not there; with nothing beside it nobody is kept from anything.
untraced() {
	is "$(cat untraced.status 2>&1) $(sql untraced.dnt "SELECT count(*) FROM syscalls
		WHERE path LIKE '/nonexistent/%' AND dur_ns > 0")" "0 1000" \
		"$name: without tracefs" || diag "$(cat untraced.said)"
}

# The numbers of an architecture are in its trace.
arm64_names() {
	is "$(sql numbers.dnt "SELECT DISTINCT name FROM syscalls WHERE nr = 56")" openat "$name: call 56 is openat"
}

kernel() {
	suite=$1
	arch=$2
	release=$3
	native=$(dpkg --print-architecture 2>/dev/null) || skip_all "the kernels come from Debian's packages: no dpkg here"
	build=$DN_BUILDDIR
	install=install_native
	# impdef: the standard pointer authentication is slow to emulate. Without cx16: the cmpxchg16b of QEMU 7.2 leaves garbage in EFLAGS, and 6.12 oopses.
	case $arch in
	amd64) qemu=qemu-system-x86_64 machine=pc cpu=max,cx16=off console=ttyS0 ;;
	arm64) qemu=qemu-system-aarch64 machine=virt cpu=max,pauth-impdef=on console=ttyAMA0 ;;
	esac
	need_cmd "$qemu" busybox strace xz timeout sqlite3
	if [ "$arch" != "$native" ]; then
		[ "$arch" = arm64 ] || skip_all "there is no build for $arch on a machine of $native"
		build=$DN_BUILDDIR/aarch64
		install=install_foreign
		[ -f "$build/config.status" ] || skip_all "not built for arm64: ./bootstrap.sh cross aarch64"
		make -C "$build" denet-record tests/programs/{attached,calls,life,signals,talk} >made 2>&1 || {
			not_ok "Linux $release $arch: it builds" "$(tail -n 20 made)"
			done_testing
		}
	fi
	need_recorder
	cached "$suite-$arch" fetch_kernel
	image=$found
	if [ $install = install_foreign ]; then
		cached "tools-$arch" fetch_tools
		tools=$found
	fi
	initramfs || skip_all "cannot make an initramfs"

	name="Linux $release $arch"
	for try in 1 2; do
		boot >boot.said 2>&1
		ended=$?
		rm -rf out && mkdir out && cd out || exit
		tar xf ../disk 2>/dev/null
		if [ $try = 2 ] || ! skipped; then
			break
		fi
		diag "the kernel skipped a program and its second one, as one that is preempted again and again can have it: once more"
		cd .. || exit
	done
	is $ended 0 "$name: the guest ends by itself"
	like "$(cat release 2>&1)" "^$release" "$name: it is that kernel"
	is "$(grep -Eh "$splat" ../console dmesg)" "" "$name: the kernel has nothing to complain of"
	for as in numbers strings; do
		is "$(cat $as.status 2>&1)" 0 "$name: denet-record records $as"
	done
	[ ! -s release ] || rungs
	if [ -s strings.dnt ]; then
		[ "$arch" != arm64 ] || arm64_names
		talks
		attaches
		ticks
		crowd
		counters
		untraced
		says_numbers "$name"
		views_numbers "$name, by SQL"
		says_strings "$name"
		views_strings "$name, by SQL"
	else
		diag "$(tail -n 30 ../boot.said ../console numbers.said strings.said 2>&1)"
	fi
	done_testing
}
