#!/bin/sh
# The figures of a process at its end against getrusage and /proc/PID/io of itself.
. "$(dirname "$0")/lib.sh"
need_bpf

record t.dnt figures one two >said
is $? 0 "a process that knows its figures is recorded"
books t.dnt "figures"

# The threads' figures added up: name value.
dump t.dnt | awk -F "$tab" '
	$1 == "thread_exit" {
		for (i = 2; i <= NF; i++) {
			at = index($i, "=")
			name = substr($i, 1, at - 1)
			sum[name] += substr($i, at + 1)
		}
	}
	END {
		for (name in sum)
			printf "%s %.0f\n", name, sum[name]
		printf "cpu_us %.0f\n", sum["runtime"] / 1000
		printf "ticks_us %.0f\n", (sum["utime"] + sum["stime"]) / 1000
	}' >recorded

said() { awk -v name="$1" '$1 == name { print $2 }' said; }
recorded() { awk -v name="$1" '$1 == name { print $2 }' recorded; }

# equal NAME [SLACK]: what was recorded is what the process said, or up to SLACK more.
equal() {
	want=$(said "$1")
	got=$(recorded "$1")
	if [ -n "$want" ] && [ -n "$got" ] && [ "$got" -ge "$want" ] &&
		[ "$got" -le $((want + ${2:-0})) ]; then
		pass "$1 ($got)"
	else
		not_ok "$1" "recorded $got, the process said $want"
	fi
}

if [ -r /proc/self/io ]; then
	for name in rchar wchar syscr syscw; do
		equal $name
	done
	# Its last write goes to a file.
	equal read_bytes 65536
	equal write_bytes 65536
	equal cancelled_write_bytes 65536
else
	skip "bytes read and written" "this kernel has no /proc/PID/io"
fi
# From the last reading to the end there is little.
equal minflt 20
equal majflt 2
equal nvcsw 2
equal nivcsw 20
near "$(recorded maxrss)" "$(said maxrss)" 5 "maxrss"
# Taking down its memory comes after its own last reading: on a busy machine that is long.
equal cpu_us 30000
# These are counted in ticks: whole ones, of whoever ran when they came.
near "$(recorded ticks_us)" "$(said cpu_us)" 70 "utime and stime"
# The last reading of /proc/PID, of the process that has ended and not been waited for.
dump t.dnt | awk -F "$tab" '
	$1 == "process_sample" && /phase=2/ && /state=90/ {
		for (i = 2; i <= NF; i++) {
			at = index($i, "=")
			print substr($i, 1, at - 1), substr($i, at + 1)
		}
	}' >zombie
for name in minflt majflt rchar wchar syscr syscw read_bytes; do
	is "$(awk -v name=$name '$1 == name { print $2 }' zombie)" "$(recorded $name)" \
		"the last reading of /proc: $name"
done
# The kernel's tick: jiffies count them. Rounded to the hundred or fifty that HZ is.
jiffies() { sed -n 's/^jiffies: //p' /proc/timer_list 2>/dev/null | head -n 1; }
hz_of() {
	denet-analyze "$1" --csv --sql "SELECT value FROM environment WHERE key = 'host.kernel_hz'" |
		tr -d '\r' | sed 1d
}
from=$(jiffies)
at=$(date +%s%N)
sleep 2
to=$(jiffies)
ns=$(($(date +%s%N) - at))
if [ -n "$from" ]; then
	near "$(hz_of t.dnt)" $(((to - from) * 1000000000 / ns)) 3 "ticks a second of the kernel"
else
	skip "ticks a second of the kernel" "/proc/timer_list is not to be had"
fi
is "$(denet-analyze t.dnt --json | sed -n 's/.*"tick_ns":\([0-9]*\).*/\1/p')" \
	"$((1000000000 / $(hz_of t.dnt)))" "the report says how long one is"
hz=$(hz_of t.dnt)
for rung in raw_tp no_btf; do
	record rung.dnt true
	is "$(hz_of rung.dnt)" "$hz" "ticks a second, $rung"
done
rung=
# Where libbpf finds no configuration of the kernel's it would load nothing.
if [ "$(id -u)" = 0 ] && unshare -m true 2>/dev/null; then
	unshare -m sh -c 'mount -t tmpfs none /boot && mount -t proc -o subset=pid none /proc &&
		[ ! -e /proc/config.gz ] && exec denet-record -q -o bare.dnt -- true' >bare.said 2>&1
	is "$?" 0 "recorded without a configuration of the kernel's"
	is "$(hz_of bare.dnt)" "$hz" "ticks a second without it"
	is "$(denet-analyze bare.dnt --csv --sql "SELECT rung FROM probes WHERE name = 'process'" | tr -d '\r' | sed 1d)" \
		"$(denet-analyze t.dnt --csv --sql "SELECT rung FROM probes WHERE name = 'process'" | tr -d '\r' | sed 1d)" \
		"and on the same rung"
else
	skip "without a configuration of the kernel's" "no mount namespace can be made"
fi
# Children and what wait4 says of them, which is exact.
record t.dnt life used >said
is $? 0 "children: status"
books t.dnt "children"
dump t.dnt | awk -F "$tab" '
	function field(name, i) {
		for (i = 2; i <= NF; i++)
			if (index($i, name "=") == 1)
				return substr($i, length(name) + 2)
	}
	$1 == "thread_start" { pid[field("thread")] = field("pid") }
	$1 == "thread_exit" && field("thread") != 1 {
		print pid[field("thread")], int(field("runtime") / 1000), field("minflt"), field("majflt"),
			field("nvcsw"), field("nivcsw"), field("maxrss") / 1024
	}' >recorded
is "$(cut -d ' ' -f 1,3-6 recorded)" "$(cut -d ' ' -f 1,3-6 said)" \
	"children: faults and context switches"
is "$(cut -d ' ' -f 1,7 recorded)" "$(cut -d ' ' -f 1,7 said)" "children: peak memory"
is "$(paste -d ' ' said recorded | awk '{ d = $2 - $9; print d * d <= 4 ? "same" : $0 }' | sort -u)" \
	same "children: microseconds on a CPU"
done_testing
