#!/bin/sh
# The numbers of schema/flags.def, errno.def and signals.def against the headers
# of this machine: every constant that is a macro there. Those that the headers
# do not know (or have as an enum) are counted in the log.
. "$(dirname "$0")/../lib/tap.sh"

: "${CC:=cc}"
need_cmd "${CC%% *}"

case $(uname -m) in
x86_64 | i?86) other=FLAG_ARM ;;
aarch64 | arm*) other=FLAG_X86 ;;
*) skip_all "the numbers are those of x86 and arm" ;;
esac

# NAME value, one a line. A name may differ from that of the header, and names
# that the C library defines in another way than the kernel stay out.
awk -v other="$other" '
	/^[ \t]*\*|^\/\*|^#/ { next }
	{
		line = $0
		while (match(line, /(FLAG|FLAG_X86|FLAG_ARM|MASKED|EXACT|NOARG|ERRNO|SIGNAL)\([^)]*\)/)) {
			item = substr(line, RSTART, RLENGTH)
			line = substr(line, RSTART + RLENGTH)
			split(item, part, /[(),] */)
			if (part[1] == other)
				continue
			if (part[1] == "ERRNO" || part[1] == "SIGNAL")
				print part[3], part[2]
			else if (part[2] ~ /^[A-Z_]/)
				print part[2], part[3]
		}
	}' "$DN_SRCDIR/schema/flags.def" "$DN_SRCDIR/schema/errno.def" \
	"$DN_SRCDIR/schema/signals.def" |
	grep -Ev '^(O_LARGEFILE|__O_TMPFILE|F_[GS]ETLKW?(64)?|O_ACCMODE) ' |
	sort -u > constants

# Headers one by one, since not all are everywhere and some exclude each other.
headers='linux/fcntl.h linux/stat.h linux/fs.h linux/sched.h linux/mman.h linux/eventpoll.h
	linux/inotify.h linux/fanotify.h linux/io_uring.h linux/mempolicy.h linux/memfd.h
	linux/userfaultfd.h linux/wait.h linux/resource.h linux/prctl.h asm/prctl.h
	linux/ptrace.h asm/ptrace-abi.h linux/pidfd.h linux/in6.h linux/tcp.h linux/udp.h
	linux/netlink.h linux/if_packet.h linux/if_ether.h linux/net.h linux/time.h
	linux/timerfd.h linux/eventfd.h linux/ipc.h linux/msg.h linux/sem.h linux/shm.h
	linux/futex.h linux/seccomp.h linux/landlock.h linux/lsm.h linux/keyctl.h
	linux/random.h linux/signalfd.h linux/reboot.h linux/mount.h linux/module.h
	linux/kexec.h linux/perf_event.h linux/close_range.h linux/falloc.h linux/fadvise.h
	linux/xattr.h asm/ioctls.h linux/sockios.h asm/socket.h asm/signal.h asm/errno.h
	sys/socket.h netinet/in.h sys/mman.h unistd.h sched.h sys/file.h sys/epoll.h'

for header in $headers; do
	{
		printf '#define _GNU_SOURCE\n#include <stdio.h>\n#include <%s>\nint main(void)\n{\n' \
			"$header"
		while read -r name value; do
			printf '#ifdef %s\nif ((unsigned)(%s) != (unsigned)(%s))\n' \
				"$name" "$name" "$value"
			printf 'printf("%s is %%#x, not %s\\n", (unsigned)(%s));\n' \
				"$name" "$value" "$name"
			printf 'fputs("%s\\n", stderr);\n#endif\n' "$name"
		done < constants
		printf 'return 0;\n}\n'
	} > try.c
	$CC -w -o try try.c 2>>errors && ./try >>wrong 2>>seen
done
touch wrong seen
sort -u wrong > wrong.once
diag "$(sort -u seen | wc -l) of $(wc -l < constants) constants are in these headers"
[ -s seen ] || skip_all "no kernel headers"
is "$(cat wrong.once)" "" "the numbers are those of the headers"
done_testing
