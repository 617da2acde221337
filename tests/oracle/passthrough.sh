#!/bin/sh
# The command does not notice the recorder: status, signals, terminal, descriptors and
# all it inherits are as without; and whatever happens, nothing is left behind.
. "$(dirname "$0")/lib.sh"
need_bpf

rec() { denet-record -q -o t.dnt "$@"; }
nobodys_core() { ! ls core* >/dev/null 2>&1; }
# The ids of the programs in the kernel that no process holds, of ours by their names.
stray() {
	grep -h '^prog_id:' /proc/[0-9]*/fdinfo/* 2>/dev/null | tr -cd '0-9\n' | sort -u >held
	bpftool prog list | sed -n 's/^\([0-9]*\): .* name \(on_\|list_threads\).*/\1/p' | sort -u |
		comm -23 - held | tr '\n' ' '
}

# --- how it ends -------------------------------------------------------------------
for n in 0 1 7 77 125 126 127 128 200 255; do
	rec sh -c "exit $n"
	is $? $n "exit $n"
done
for sig in HUP INT QUIT ABRT KILL SEGV PIPE ALRM TERM USR1 XCPU SYS; do
	{ sh -c "kill -$sig \$\$"; } 2>/dev/null
	want=$?
	(ulimit -c unlimited; rec sh -c "ulimit -c 0; kill -$sig \$\$") 2>/dev/null
	is $? $want "death by SIG$sig"
done
ok "no core of ours" nobodys_core
denet-record -q -o t.dnt sh -c 'kill -STOP $$; exit 3' &
pid=$!
until ps -o stat= --ppid $pid | grep -q T || ! kill -0 $pid 2>/dev/null; do
	sleep 0.1
done
pkill -CONT -P $pid
wait $pid
is $? 3 "a command that stops and goes on"
env -i PATH="$PATH" sh -c 'trap "" PIPE; exec denet-record -q -o t.dnt life exit 5'
is $? 5 "with SIGPIPE ignored"

# --- what cannot start -------------------------------------------------------------
mkdir start && cd start || exit 99
echo "echo without an interpreter line; exit 6" >script
echo "#!/nonexistent/interpreter" >odd && chmod +x odd
mkdir dir
# refused STATUS NAME COMMAND-LINE...: with one line on stderr, nothing left behind, and
# the earlier trace as it was.
refused() {
	want=$1
	name=$2
	shift 2
	ls -A >before.ls
	denet-record "$@" >out 2>err </dev/null
	is $? "$want" "$name: status $want"
	like "$(wc -l <err)" '^ *[12]$' "$name: a line or two say why"
	ls -A | grep -v '^out$\|^err$' >after.ls
	is "$(cat after.ls)" "$(grep -v '^out$\|^err$' before.ls)" "$name: nothing is left behind"
}
rm -f t.dnt
denet-record -q -o t.dnt true
cp t.dnt earlier.dnt
cp t.dnt t.dnt.old
denet-record -q -o t.dnt true
cp t.dnt.old earlier.dnt
cp t.dnt kept
touch before.ls after.ls
refused 127 "no such command" -o t.dnt no-such-command
refused 127 "no such path" -o t.dnt ./no-such-command
refused 127 "no such directory" -o t.dnt no-such-directory/command
refused 126 "a file without permission" -o t.dnt ./script
refused 126 "a directory" -o t.dnt ./dir
refused 127 "an empty name" -o t.dnt ''
refused 125 "no command" -o t.dnt
refused 125 "an unknown option" --no-such-option true
refused 125 "a size that is none" --buffer 12q true
refused 125 "no such user" -o t.dnt -u no-such-user true
refused 125 "no such directory for the trace" -o no-such-directory/t.dnt true
refused 125 "a directory that takes no file" -o /proc/t.dnt true
refused 125 "a directory as the trace" -o dir true
refused 125 "a name that ends in a slash" -o dir/ true
refused 125 "a file that is no trace" -o script true
ln -s t.dnt link
refused 125 "a symbolic link" -o link true
ln -s nowhere dangling
refused 125 "a symbolic link to nothing" -o dangling true
refused 125 "a name that is too long" -o "$(printf '%0300d' 0)" true
ok "the earlier trace is untouched by all this" cmp t.dnt kept
ok "and so is the one before" cmp t.dnt.old earlier.dnt
echo "mine" >t.dnt.old
refused 125 "a file that is no trace in the way of the earlier one" -o t.dnt true
is "$(cat t.dnt.old)" "mine" "and it is untouched"
cp earlier.dnt t.dnt.old
is "$(cat script)" "echo without an interpreter line; exit 6" "and the file that is no trace"
denet-record -q -o t.dnt ./odd 2>/dev/null
like $? '12[67]' "a script whose interpreter is missing"
ok "the earlier trace is untouched by that too" cmp t.dnt kept
chmod +x script
denet-record -q -o t.dnt ./script >out
is "$? $(cat out)" "6 without an interpreter line" "a script without an interpreter line runs"
ok "the earlier trace is kept" cmp t.dnt.old kept
is "$(stat -c %a t.dnt)" 600 "a trace is its owner's alone"
: >empty.dnt
denet-record -q -o empty.dnt true
is "$?" 0 "an empty file may be replaced"
is "$(ls -A | grep -c part)" 0 "no temporary file is left"
cd ..

# --- where the trace goes ----------------------------------------------------------
null=$(ls -l /dev/null)
denet-record -q -o /dev/null life exit 4
is $? 4 "/dev/null takes a trace"
is "$(ls -l /dev/null)" "$null" "/dev/null is still itself, with its mode"
mkfifo fifo
cat fifo >from.fifo &
mkfifo foreign && chmod 666 foreign && chown 65534 foreign
timeout 10 denet-record -q -o foreign touch ran 2>err
is "$? $(ls ran 2>&1 >/dev/null | wc -l)" "125 1" "a pipe of another user is refused"
like "$(cat err)" "a pipe of another user" "a pipe of another user: it is said"
denet-record -q -o fifo life exit 4
is $? 4 "a named pipe takes a trace"
wait
books from.fifo "through a named pipe"
denet-record -q -o - sh -c 'echo noise; echo more >&2; exit 9' 2>err | cat >from.pipe
books from.pipe "through a pipe"
is "$(cat err)" "noise
more" "what the command prints does not get into it"
(denet-record -q -o - sh -c 'calls calls 100000; exit 9' 2>err; echo $? >status) | head -c 200 >few
is "$(cat status)" 9 "a reader that goes away does not change the status"

# --- standard input, output, error -------------------------------------------------
head -c 5000000 /dev/urandom >data
rec cat <data >copy
ok "5 MB through the command" cmp data copy
rec sh -c 'cat; cat data >&2' <data 2>err | cat >copy
ok "5 MB through pipes" cmp data copy
ok "5 MB of standard error" cmp data err
is "$(echo abc | rec cat)" "abc" "a pipe as standard input"
for closed in '<&-' '>&-' '2>&-' '<&- >&- 2>&-'; do
	eval "sh -c 'ls /proc/\$\$/fd >fds' $closed"
	mv fds fds.bare
	eval "rec sh -c 'ls /proc/\$\$/fd >fds; exit 8' $closed"
	is $? 8 "with $closed: the status"
	is "$(cat fds)" "$(cat fds.bare)" "with $closed: the descriptors of the command"
	books t.dnt "with $closed"
done
denet-record -o t.dnt true 2>&-
books t.dnt "words with nowhere to go"

# --- what is inherited -------------------------------------------------------------
# state_of SETTING PREFIX COMMAND...: what `state` finds where SETTING holds.
state_of() (
	eval "$1"
	prefix=$2
	shift 2
	exec $prefix timeout --foreground -k 1 20 env -i A=1 "B=two words" "$@" \
		"$DN_BUILDDIR/tests/programs/state" first "second argument" \
		</dev/null >state.txt 2>&1
)

# inherits NAME SETTING [PREFIX]: the state of a command is the same with and without.
inherits() {
	state_of "$2" "${3:-}"
	mv state.txt want.txt
	state_of "$2" "${3:-}" "$DN_BUILDDIR/denet-record" -q -o t.dnt
	# The inode of the output is another one.
	sed -i 's/ inode [0-9]*$//' want.txt state.txt
	is "$(diff want.txt state.txt)" "" "inherited: $1"
	ok "inherited: $1: all of it is there" grep -q '^death signal' state.txt
}
inherits "as it is" :
inherits "umask, limits" 'umask 077; ulimit -n 300; ulimit -s 4096; ulimit -c unlimited; ulimit -l 64'
inherits "ignored signals" "trap '' HUP INT QUIT PIPE TERM USR1 CHLD"
inherits "niceness and oom_score_adj" 'echo 500 >/proc/self/oom_score_adj' 'nice -n 5'
inherits "descriptors" 'exec 5</etc/passwd 7>seven 9<&5'
if command -v setpriv >/dev/null; then
	is "$(rec setpriv --no-new-privs grep NoNewPrivs /proc/self/status | tr -d '\t')" \
		"NoNewPrivs:1" "privileges given up by the command"
fi
is "$(life blocked denet-record -q -o t.dnt state | grep Sig)" "$(life blocked state | grep Sig)" \
	"inherited: blocked signals"

# --- signals -----------------------------------------------------------------------
# signalled SIGNAL TIMES: how often the command takes a signal that the recorder gets.
signalled() {
	rm -f took
	denet-record -q -o t.dnt sh -c "trap 'echo $1 >>took' $1
		echo >ready
		for i in 1 2 3 4 5 6 7 8; do sleep 0.1; done
		exit 12" &
	pid=$!
	until [ -e ready ]; do sleep 0.01; done
	rm -f ready
	for i in $2; do
		kill -"$1" $pid
		sleep 0.25
	done
	wait $pid
	echo "$? $(cat took 2>/dev/null | wc -l)"
}
for sig in TERM HUP USR1 USR2; do
	is "$(signalled $sig 1)" "12 1" "SIG$sig is passed on, and the status is the command's"
done
is "$(signalled TERM '1 2')" "12 1" "SIGTERM twice is passed on once"
denet-record -q -o t.dnt sleep 10 &
pid=$!
sleep 0.3
kill -TERM $pid
wait $pid 2>/dev/null
is $? 143 "a command that a SIGTERM to the recorder ends"
books t.dnt "ended by SIGTERM"

# --- terminal ----------------------------------------------------------------------
out=$(pty wait:READY 'send:\x03' -- denet-record -q -o t.dnt sh -c 'echo READY; sleep 5')
is $? 130 "^C ends command and recorder"
books t.dnt "ended by ^C"
out=$(pty wait:READY 'send:\x03' -- denet-record -q -o t.dnt \
	sh -c 'trap "echo GOT" INT; echo READY; sleep 0.4; sleep 0.2; echo END; exit 5')
is "$? $(printf %s "$out" | grep -c GOT) $(printf %s "$out" | grep -c END)" "5 1 1" \
	"^C reaches the command once, and it goes on"
out=$(pty wait:READY 'send:\x1c' -- denet-record -q -o t.dnt \
	sh -c 'ulimit -c 0; echo READY; sleep 5')
is $? 131 "^\\ ends command and recorder"
out=$(pty 'wait:name?' 'send:denet\n' -- denet-record -q -o t.dnt \
	sh -c 'echo "name?"; read name; echo "hello $name"; exit 6')
is "$? $(printf %s "$out" | tr -d '\r' | tail -n 1)" "6 hello denet" "the command reads the terminal"
out=$(pty 'send:\x04' -- denet-record -q -o t.dnt cat)
is $? 0 "end of file on the terminal"
is "$(pty -- denet-record -q -o t.dnt tty)" "$(pty -- tty)" "its name"
is "$(pty -- denet-record -q -o t.dnt stty -a)" "$(pty -- stty -a)" "its modes"
if command -v bash >/dev/null; then
	out=$(pty 'wait:$ ' 'send:denet-record -q -o t.dnt sh -c "echo A\\$((40+2)); sleep 1; echo B\\$((40+2))"\n' \
		wait:A42 'send:\x1a' wait:topped 'send:fg\n' wait:B42 'wait:$ ' 'send:exit 3\n' \
		-- env PS1='$ ' bash --norc -i)
	is $? 3 "^Z stops both, fg goes on"
	books t.dnt "stopped and continued"
	out=$(pty 'wait:$ ' 'send:sleep 1\n' sleep:200 'send:\x1a' wait:topped 'send:fg\n' \
		'wait:sleep 1' 'wait:$ ' 'send:exit 4\n' \
		-- env PS1='$ ' denet-record -q -o t.dnt bash --norc -i)
	is $? 4 "an interactive shell, with jobs of its own"
	books t.dnt "an interactive shell"
fi
out=$(pty -- denet-record -o t.dnt sh -c 'echo one; sleep 0.5; echo two')
is "$(printf %s "$out" | tr -d '\r' | sed -n 1,2p)" "one
two" "no status line is mixed into what the command writes"
out=$(pty -- denet-record -o t.dnt sh -c 'sleep 2.6')
like "$out" 'events' "a status line while the command is silent"

# --- accidents ---------------------------------------------------------------------
rm -f t.dnt done
denet-record -q -o t.dnt sh -c 'calls paths 30000; sleep 1.5; calls paths 5; echo end >done' &
pid=$!
sleep 1.4
kill -KILL $pid
wait $pid 2>/dev/null
sleep 1
is "$(cat done)" "end" "the recorder is killed: the command goes on to its end"
dntdump t.dnt >lines
is "$(awk -F "$tab" '$1 == "call" && $7 == "access" && $9 == "-ENOENT" && $14 ~ /:2f6e6f6e6578/' \
	lines | wc -l)" 30000 \
	"what was older than a second is readable"
like "$(tail -n 1 lines)" 'footer=0' "the trace is not closed"
is "$(ls -A | grep -c '\.part$')" 0 "no temporary file is left"

{ (ulimit -f 8; denet-record -o limit.dnt sh -c 'calls paths 20000; exit 9' 2>said); } 2>/dev/null
is $? 9 "a limit of file size: the status is the command's"
ok "a limit of file size: what could be written is readable" dntdump limit.dnt
like "$(cat said)" 'File too large' "a limit of file size: it is said"

# A small file system, in a mount namespace of its own.
mkdir small
if unshare -m sh -c 'mount -t tmpfs -o size=512k none small' 2>/dev/null; then
	unshare -m sh -c 'mount -t tmpfs -o size=512k none small
		denet-record -o small/t.dnt sh -c "calls paths 150000; sleep 1; exit 9" 2>said
		echo $? >status
		cp small/t.dnt full.dnt
		ls -A small >left'
	is "$(cat status)" 9 "a full disk: the status is the command's"
	is "$(cat left)" "t.dnt" "a full disk: the trace is there"
	like "$(cat said)" 'No space left on device' "a full disk: it is said"
	dump full.dnt >lines
	ok "a full disk: what could be written is readable" test "$(grep -c ^call lines)" -gt 1000
	awk -F "$tab" '$1 == "counter" { sub(/counter=/, "", $3); sub(/value=/, "", $4); n[$3] = $4 }
		END { print n[0] - n[32] }' lines >lost
	is "$(tr -d , <said | sed -n 's/.* \([0-9]*\) lost.*/\1/p')" "$(cat lost)" \
		"a full disk: attempted = written + lost, as the closing line says"
	is "$(grep -c "^end" lines)" 1 "a full disk: the trace has its end"
	books full.dnt "a full disk" --lossy
else
	skip "a full disk" "this process may mount nothing"
fi

mkdir kept.dnt.old
denet-record -o kept.dnt true 2>/dev/null
denet-record -o kept.dnt life exit 9 2>said
status=$?
# Refused before the start, or kept under the name that the closing line says.
case $status in
125) ok "an earlier trace that cannot be kept: it is still there" dntcheck kept.dnt ;;
9) books "$(sed -n 's/.*denet-analyze \([^ ]*\)$/\1/p' said)" "an earlier trace that cannot be kept" &&
	is "$(dump "$(sed -n 's/.*denet-analyze \([^ ]*\)$/\1/p' said)" | grep -c 'argv=life')" 1 \
		"an earlier trace that cannot be kept: the closing line names the new one" ;;
*) not_ok "an earlier trace that cannot be kept: status $status" "$(cat said)" ;;
esac

# --- rights ------------------------------------------------------------------------
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null && id nobody >/dev/null 2>&1; then
	mkdir open && chmod 777 open && chmod 755 "$scratch"
	cp "$DN_BUILDDIR/denet-record" "$DN_BUILDDIR/tests/programs/life" open && cd open || exit 99
	nobody="setpriv --reuid=$(id -u nobody) --regid=$(id -g nobody) --clear-groups"
	$nobody ./denet-record -o t.dnt ./life exit 3 2>said
	is "$? $(ls t.dnt* 2>/dev/null)" "3 t.dnt" "without rights: recorded all the same, from /proc"
	like "$(cat said)" 'cap_bpf' "without rights: it says which"
	caps=+bpf,+perfmon,+dac_read_search
	if $nobody --inh-caps=$caps --ambient-caps=$caps true 2>/dev/null; then
		$nobody --inh-caps=$caps --ambient-caps=$caps ./denet-record -q -o t.dnt ./life threads 5
		is $? 0 "three capabilities are enough"
		books t.dnt "three capabilities"
	fi
	cd ..
fi

# --- together ----------------------------------------------------------------------
denet-record -q -o outer.dnt denet-record -q -o inner.dnt life exit 3
is $? 3 "a recorder that records a recorder: status"
books outer.dnt "the outer recorder" --living
books inner.dnt "the inner recorder"
denet-record -q -o one.dnt life forks 100 &
denet-record -q -o two.dnt life threads 30
is $? 0 "two at once: the second"
wait $!
is $? 0 "two at once: the first"
books one.dnt "the first of two"
books two.dnt "the second of two"
threads_of() { dump "$1" | grep '^thread_start' | grep -vc 'origin=7'; }
is "$(threads_of one.dnt) $(threads_of two.dnt)" "101 31" "each to itself"

# --- time --------------------------------------------------------------------------
rm -f done
denet-record -q --duration 300ms -o t.dnt sh -c 'sleep 1; echo end >done'
is $? 0 "--duration: status"
ok "--duration: the command still runs" test ! -e done
sleep 1
is "$(cat done)" "end" "--duration: the command goes on to its end"
books t.dnt "--duration" --living
is "$(dump t.dnt | awk -F "$tab" '$1 == "call" && $9 == "?" { print $7 }' | sort | tr '\n' ' ')" \
	"clock_nanosleep wait4 " "--duration: calls in flight"

if command -v bpftool >/dev/null; then
	sleep 0.5
	left=$(stray)
	if [ -n "$left" ]; then	# one that just ends
		sleep 2
		left=$(stray)
	fi
	is "$left" "" "no program of ours is left in the kernel"
fi
done_testing
