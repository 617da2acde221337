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
# The scheduler's count lacks what ran since the last tick, of each thread.
near "$(recorded cpu_us)" "$(said cpu_us)" 8 "runtime"
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
done_testing
