#!/bin/sh
# More calls than the ring buffers hold: what is lost is counted, by process and call.
#
# The recorder is stopped for a while, so that it must lose; what the programs make is
# known: written + lost must be just that.
. "$(dirname "$0")/lib.sh"
need_cmd dd
need_bpf

# What the C library makes of access().
case $(uname -m) in
x86_64 | i?86) access=access ;;
*) access=faccessat ;;
esac

# starved SECONDS COMMAND...: records with small buffers, and stops the recorder for a
# time at the beginning. Sets status.
starved() {
	stop=$1
	shift
	rm -f t.dnt
	denet-record --buffer 256k -o t.dnt "$@" 2>said &
	recorder=$!
	until [ -e t.dnt ] || ! kill -0 $recorder 2>/dev/null; do
		sleep 0.01
	done
	kill -STOP $recorder
	sleep "$stop"
	kill -CONT $recorder
	(sleep 20 && kill -KILL $recorder) 2>/dev/null &
	watchdog=$!
	wait $recorder
	status=$?
	kill $watchdog 2>/dev/null
	dump t.dnt >lines
}

# total NAME PID: calls of that name in the trace and lost ones of its process.
total() {
	awk -F "$tab" -v name="$1" -v pid="$2" '
		function field(name, i) {
			for (i = 2; i <= NF; i++)
				if (substr($i, 1, length(name) + 1) == name "=")
					return substr($i, length(name) + 2)
		}
		$1 == "thread_start" && (!pid || field("pid") == pid) { ours[field("process")] = 1 }
		$1 == "loss" && (field("process") in ours) && field("name") == name { n += field("count") }
		$1 == "call" && (!pid || $3 == pid) && $7 == name { n++ }
		END { print n + 0 }' lines
}

counter() {
	awk -F "$tab" -v want="counter=$1" '$1 == "counter" && $3 == want { sub(/value=/, "", $4); n = $4 }
		END { print n + 0 }' lines
}

# What dd makes besides its copying.
record few.dnt dd if=/dev/zero of=/dev/null bs=1 count=10
dump few.dnt >lines
reads=$(($(total read '') - 10))
writes=$(($(total write '') - 10))

# Enough of them that it goes on behind the stop: the signal of its end must find room.
dd=1500000
starved 0.3 dd if=/dev/zero of=/dev/null bs=1 count=$dd
is $status 0 "dd: its status"
ok "dd: calls are lost" test "$(counter 2)" -gt 1000
is "$(total read '')" $((dd + reads)) "dd: reads written and lost"
is "$(total write '')" $((dd + writes)) "dd: writes written and lost"
is "$(grep -c 'found no room' said)" 1 "dd: one warning"
if [ -x "$DN_BUILDDIR/denet-analyze" ]; then
	is "$(denet-analyze t.dnt --csv --sql "SELECT exact, attempted = written + lost, lost FROM traces" |
		tr -d '\r' | tail -n 1)" "1,1,$(counter 2)" "dd: the analyzer calls it exact, and knows the loss"
	is "$(denet-analyze t.dnt --csv --sql "SELECT count, lost > 0 FROM syscall_stats
		WHERE name = 'read'" | tr -d '\r' | tail -n 1)" "$((dd + reads)),1" \
		"dd: its reads are all counted"
fi
books t.dnt "dd" --lossy

# Two at once, by process.
# shellcheck disable=SC2016
starved 0.5 sh -c 'calls calls 200000 & echo $! >one; calls calls 150000 & echo $! >two; wait'
ok "two processes: calls are lost" test "$(counter 2)" -gt 1000
is "$(total getppid "$(cat one)")" 200000 "the first one: written and lost"
is "$(total getppid "$(cat two)")" 150000 "the second one: written and lost"
books t.dnt "two processes" --lossy

# A string each: what is written has the right one, or says that it is lost.
starved 0.5 calls paths 100000
ok "paths: calls are lost" test "$(counter 2)" -gt 1000
is "$(total $access '')" $((100000 + 1)) "paths: calls written and lost"
is "$(awk -F "$tab" -v access=$access '
	$1 == "call" && $7 == access && $14 == "-" && $10 !~ /str_(lost|missing)/ { n++ }
	END { print n + 0 }' lines)" 0 "paths: no call without its path and without a mark"
is "$(awk -F "$tab" -v access=$access '
	# The number in the path goes down with the calls.
	$1 == "call" && $7 == access && $14 != "-" {
		split($14, part, ":")
		hex = part[5]
		if (hex !~ /^2f6e6f6e6578697374656e742f/)
			next
		number = 0
		for (i = 27; i < length(hex); i += 2)	# digits: 30 to 39
			number = 10 * number + substr(hex, i + 1, 1)
		if (!n)
			first = number + $5
		bad += number + $5 != first
		n++
	}
	END { print (n > 1000 ? "some" : "few"), bad + 0, "wrong" }' lines)" "some 0 wrong" \
	"paths: each call has the path that is its own"
books t.dnt "paths" --lossy

# Records of process life have a ring of their own; here that one is too small, so
# that the recorder does not hear of the end of ten processes that it knows.
starved 1.2 --wait=tree sh -c '
	for i in 1 2 3 4 5 6 7 8 9 10; do life sleep 900 & done
	life long-execs 200; wait'
is $status 0 "life: the recording ends with its command"
ok "life: records of process life are lost" test "$(counter 4)" -gt 10
is "$(awk -F "$tab" '$1 == "end" { print $5 }' lines)" "survivors=0" "life: nobody is said to live on"
ok "life: the trace says that threads are unknown" test "$(counter 43)" -gt 0
books t.dnt "life" --lossy

# Signals alone: from outside of the tree to one that ignores them, so that there is
# neither a call nor a delivery.
rm -f t.dnt
denet-record --buffer 256k -o t.dnt sleep 2 2>said &
recorder=$!
until [ -e t.dnt ] || ! kill -0 $recorder 2>/dev/null; do
	sleep 0.01
done
read -r command _ <"/proc/$recorder/task/$recorder/children"
kill -STOP $recorder
ok "signals: sent" signals flood "$command" 20000
kill -CONT $recorder
wait $recorder
is $? 0 "signals: the status"
dump t.dnt >lines
ok "signals: they are lost" test "$(counter 16)" -gt 1000
is "$(counter 2) $(counter 4)" "0 0" "signals: calls and processes are not"
urg=$(kill -l URG)
got=$(grep -c "^signal_sent$tab.*${tab}sig=$urg$tab" lines)
more=$((got + $(counter 16) - 20000))	# the recorder's and the shell's own
ok "signals: $got written and $(counter 16) lost" test $more -ge 0 -a $more -le 5
like "$(tail -n 1 said | tr -d ,)" " $(counter 16) lost; look at it" "signals: in the closing line"
is "$(grep -c "records (signals, processes, sockets, scheduling) found no room" said)" 1 "signals: one warning"
if [ -x "$DN_BUILDDIR/denet-analyze" ]; then
	is "$(denet-analyze t.dnt --csv --sql "SELECT exact, lost FROM traces" | tr -d '\r' | tail -n 1)" "0,0" \
		"signals: the trace is not exact, though no call is lost"
	is "$(denet-analyze t.dnt --csv --sql "SELECT kind, count FROM losses" | tr -d '\r' | sed 1d)" "doubt,$(counter 16)" \
		"signals: the loss has a row"
	like "$(denet-analyze t.dnt | tr -s '\n ' '  ')" "records of signals found no room" "signals: the page says it"
fi
books t.dnt "signals" --lossy
# More sockets than the ring of births and deaths has room for. Python itself may ask for a
# user's home, through sockets of another type.
if command -v python3 >/dev/null; then
	denet-record -q --buffer=256M -o s.dnt -- python3 -c "
import socket
for i in range(60000):
	socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).close()"
	is "$(denet-analyze --csv --sql "SELECT count(*) FROM sock
			WHERE kind = 'unix' AND type = 'dgram' AND closed_ns IS NOT NULL" s.dnt |
		tr -d '\r' | tail -n 1)" 60000 "sockets: none is lost"
else
	skip "sockets" "python3 is not here"
fi
done_testing
