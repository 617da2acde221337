#!/bin/sh
# Stacks against programs that say in their source who calls whom and for how long (tests/programs/stacks.c), and
# names of functions against what readelf and addr2line say about the same files.
. "$(dirname "$0")/lib.sh"
. "$oracle/lib-ask.sh"
need_bpf

: "${CC:=cc}"
program=$DN_BUILDDIR/tests/programs/stacks
frames="-fno-omit-frame-pointer -mno-omit-leaf-frame-pointer -fno-inline -fno-optimize-sibling-calls"

# shellcheck disable=SC2034  # of between
evidence=chains

# stacks NAME ARGUMENT...: recorded, and in the file chains: what, tid, count, weight, innermost kind and the functions
# from the outermost to the innermost, each between semicolons.
stacks() {
	stacks_name=$1
	shift
	record t.dnt "$@" >said
	stacks_status=$?
	[ $stacks_status = 77 ] || is $stacks_status 0 "$stacks_name: its status"
	chains
	return $stacks_status
}
chains() {
	ask "SELECT w.what || char(9) || w.tid || char(9) || w.count || char(9) || w.weight || char(9) || w.comm || char(9) || c.names
		FROM stack_weights AS w JOIN (SELECT stack_id, ';' || group_concat(ifnull(name, '?'), ';') || ';' AS names
			FROM (SELECT * FROM stacks ORDER BY stack_id, depth DESC) GROUP BY stack_id) AS c USING (stack_id)" |
		sed 's/^"//; s/"$//; s/""/"/g' >chains
}
# Of stacks whose names match: how often, how long (samples, ms; a sleep's timer runs some us before its thread is
# off its CPU), and their share of all of the kind in percent.
count() { awk -F '\t' -v what="$1" -v re="$2" '$1 == what && $6 ~ re { n += $3 } END { print n + 0 }' chains; }
ms() { awk -F '\t' -v what="$1" -v re="$2" '$1 == what && $6 ~ re { n += $4 } END { printf "%.0f\n", n / 1000000 }' chains; }
share() { awk -F '\t' -v what="$1" -v re="$2" '$1 == what { all += $4; if ($6 ~ re) n += $4 }
	END { printf "%d\n", all ? 100 * n / all : -1 }' chains; }
none() { # NAME RE: no stack has it
	if [ ! -s chains ]; then
		not_ok "$1" "there are no stacks"
	elif grep -Eq "$2" chains; then
		not_ok "$1" "$(grep -E "$2" chains | cut -f 1,6 | cut -c 1-400 | head -n 5)"
	else
		pass "$1"
	fi
}
some() { # NAME RE
	if grep -Eq "$2" chains; then
		pass "$1"
	else
		not_ok "$1" "$(cut -f 1,6 chains | cut -c 1-400 | head -n 12)"
	fi
}

# --- what runs, and what waits ----------------------------------------------------------------------------------
stacks "burning" stacks burn 700
burnt=';main;[^;]*act_main[^;]*;act_burn;outer;middle;burner;'
between "burning: percent of all samples that are in burner, below middle, outer and main" 85 100 "$(share samples "$burnt")"
# 99 a second of what the kernel says that it ran, with all that a busy machine does to a clock.
between "burning: percent of its time that they stand for" 60 140 \
	"$(ask "SELECT CAST(sum(period_ns) / 10000 / $(cat said) AS INTEGER) FROM samples")"
denet-analyze folded t.dnt >folded
is "$(awk '/;outer;middle;burner[; ]/ { n += $NF } END { print n }' folded)" "$(count samples "$burnt")" \
	"burning: folded counts the same samples"
is "$(ask "SELECT count(*) FROM findings WHERE text LIKE '% of the samples of what ran are of burner in stacks: %'")" 1 \
	"burning: a finding names the function"
is "$(ask "SELECT self_weight * 10 >= total_weight * 7 FROM functions WHERE what = 'samples' AND name = 'burner'") $(
	ask "SELECT self_weight < total_weight / 2 FROM functions WHERE what = 'samples' AND name = 'outer'")" "1 1" \
	"burning: the function itself (but for interrupts), and who called it"

stacks "sleeping" stacks sleep 60 3
slept=';main;[^;]*act_main[^;]*;act_sleep;outer_waits;inner_waits;sleeper;.*'
between "sleeping: ms in sleeper, below inner_waits and outer_waits" 180 280 "$(ms offcpu "$slept")"
between "sleeping: ms in the kernel's function that sleeps" 180 280 "$(ms offcpu "$slept;(do_nanosleep|hrtimer_nanosleep);")"
none "sleeping: what the kernel does to switch is no part of it" '^offcpu.*;(__schedule|__traceiter_[a-z_]*|bpf_[a-z0-9_]*);'
denet-analyze folded --of offcpu t.dnt >folded
between "sleeping: ms, as folded has it" 180 280 \
	"$(awk '/;act_sleep;outer_waits;inner_waits;sleeper;/ { n += $NF } END { printf "%d\n", n / 1000 }' folded)"
is "$(ask "SELECT count(*) FROM stacks AS s WHERE s.kind = 'kernel' AND s.depth > 0
	AND EXISTS (SELECT 1 FROM stacks AS c WHERE c.stack_id = s.stack_id AND c.depth < s.depth AND c.kind = 'file')")" 0 \
	"sleeping: the kernel is called by the program and does not call it"
is "$(ask "SELECT count(*) FROM offcpu AS o WHERE o.syscall = 'clock_nanosleep' AND dur_ns > 50000000 AND NOT EXISTS
	(SELECT 1 FROM stacks AS s WHERE s.stack_id = o.stack_id AND s.symbol = 'sleeper')")" 0 "sleeping: each time has its stack"
books t.dnt "sleeping"

stacks "a lock" stacks lock 120
between "a lock: ms in which the one waits" 100 220 "$(ms offcpu ';act_lock;outer_locker;locker;')"
between "a lock: ms in which the other one holds it" 120 220 "$(ms offcpu ';thread_holder;holder;sleeper;')"

stacks "a pipe" stacks pipe 200
# Who writes may lose its CPU to who reads then, so that only one of them ever waits.
between "a pipe: times in read, of both" 100 440 "$(count offcpu ';act_pipe;(pinger|ponger);read_one;.*;[a-z_]*pipe_read;')"
is "$(ask "SELECT count(*) FROM offcpu AS o WHERE o.syscall = 'read' AND o.state = 'sleeping' AND NOT EXISTS
	(SELECT 1 FROM stacks AS s JOIN stacks AS c USING (stack_id) WHERE s.stack_id = o.stack_id AND s.symbol = 'read_one'
		AND c.symbol = iif(o.tid = o.pid AND o.pid = (SELECT min(pid) FROM processes), 'pinger', 'ponger')
		AND c.depth = s.depth + 1)")" 0 "a pipe: each below who reads there"

stacks "page faults" stacks faults 300
between "page faults: percent of samples that are below toucher" 80 100 "$(share samples ';act_faults;outer_toucher;toucher;')"
between "page faults: percent of samples that are in the kernel there" 25 100 "$(share samples ';toucher;.*(fault|madvise)')"

stacks "deep" stacks deep 300 60
between "deep: ms with 126 callers and a word of those beyond" 60 160 \
	"$(awk -F '\t' '$1 == "offcpu" && $6 ~ /^;\[callers beyond 127\];(deeper;)+sleeper;/ && gsub(/deeper;/, "", $6) == 126 { n += $4 }
		END { printf "%d\n", n / 1000000 }' chains)"
stacks "less deep" stacks deep 100 20
some "less deep: the whole of it" '^offcpu.*;main;[^;]*;act_deep;(deeper;){101}sleeper;'
none "less deep: nothing is missing" 'callers beyond'

stacks "threads" stacks threads 1000 300
is "$(awk -F '\t' '$1 == "offcpu" && $4 > 100000000 && match($6, /;thread_worker;worker_[0-7];sleeper;/) && !seen[$2]++ {
	n[substr($6, RSTART + 22, 1)]++ } END { for (i = 0; i < 8; i++) printf "%d ", n[i] }' chains)" \
	"125 125 125 125 125 125 125 125 " "threads: of 1000 each waits in its own function"

# --- processes --------------------------------------------------------------------------------------------------
stacks "a child without execve" stacks fork 150
between "a child without execve: ms that it sleeps" 150 250 "$(ms offcpu ';act_fork;child_waits;sleeper;')"
between "a child without execve: percent of samples" 70 100 "$(share samples ';act_fork;child_burns;burner;')"
stacks "200 children" stacks children 200
between "200 children: their sleep has names" 150 230 "$(count offcpu ';act_children;child_waits;sleeper;.*nanosleep')"
is "$(ask "SELECT count(*) FROM offcpu AS o WHERE o.syscall = 'clock_nanosleep' AND NOT EXISTS
	(SELECT 1 FROM stacks AS s WHERE s.stack_id = o.stack_id AND s.symbol = 'child_waits')")" 0 "200 children: of each of them"
stacks "vfork" stacks vfork "$program" sleep 40
between "vfork: ms of the parent" 20 120 "$(ms offcpu ';act_vfork;outer_waits;inner_waits;sleeper;')"
between "vfork: ms of the program that it executed" 40 140 "$(ms offcpu ';act_sleep;outer_waits;inner_waits;sleeper;')"

stacks "a thread executes" stacks other "$program" sleep 40 2
between "a thread executes: ms of its program" 80 180 "$(ms offcpu ';act_sleep;outer_waits;inner_waits;sleeper;')"
if stacks "a program in memory" stacks memfd "$program" sleep 100 3; then
	between "a program in memory: ms" 300 400 "$(ms offcpu ';act_sleep;outer_waits;inner_waits;sleeper;')"
else
	skip "a program in memory" "$(cat .said)"
fi
stacks "the clock" stacks vdso 500
between "the clock: percent of samples that are in the vDSO" 20 100 \
	"$(ask "SELECT 100 * count(*) / (SELECT count(*) FROM samples) FROM samples AS p
		WHERE EXISTS (SELECT 1 FROM stacks AS s WHERE s.stack_id = p.stack_id AND s.kind = 'vdso')")"
is "$(ask "SELECT DISTINCT symbol FROM stacks WHERE kind = 'vdso' AND symbol NOT LIKE '%clock\_gettime%' ESCAPE '\'
	AND symbol NOT LIKE '\_\_%' ESCAPE '\'")" "" "the clock: its functions"

# --- frame pointers that are none -------------------------------------------------------------------------------
for kind in unreadable kernel noncanonical odd data loop circle; do
	stacks "a frame pointer that is $kind" stacks badfp $kind 30
	case $kind in
	circle) callers=';\[callers beyond 127\](;innocent)+' ;;	# as it says itself
	*) callers=';\[callers unknown\]' ;;
	esac
	between "a frame pointer that is $kind: ms in who has it, and nobody else is named" 30 130 \
		"$(ms offcpu "^$callers;lost;[^;]*(sys|SYS|el0|svc)")"
done

# --- code that is no file ---------------------------------------------------------------------------------------
jit() { # NAME ARGUMENT...
	jit_name=$1
	shift
	stacks "$jit_name" stacks jit 80 "$@"
	jit_status=$?
	[ ! -s said ] || rm -f "$(cat said)"
	[ $jit_status != 77 ] || skip "$jit_name" "$(cat .said)"
	return $jit_status
}
if jit "a map of a JIT"; then
	between "a map of a JIT: ms below its one function" 40 140 "$(ms offcpu ';from_jit;made at run time: one;sleeper;')"
	between "a map of a JIT: ms below its other one" 40 140 "$(ms offcpu ';from_jit;void made<int, char>[(]long[)];sleeper;')"
fi
if jit "a map that says what was there before" over; then
	between "a map that says what was there before: ms below what is there now" 40 79 \
		"$(ms offcpu ';from_jit;made at run time: one;sleeper;')"
	between "a map that says what was there before: and below what is there still" 40 79 \
		"$(ms offcpu ';from_jit;what was there before;sleeper;')"
fi
if jit "no map of a JIT" none; then
	between "no map of a JIT: a place in memory" 80 180 "$(ms offcpu ';from_jit;\[memory\][+]0x[0-9a-f]*;sleeper;')"
fi
if [ "$(id -u)" = 0 ] && jit "another user's map of a JIT" 65534; then
	between "another user's map of a JIT: is not read" 80 180 "$(ms offcpu ';from_jit;\[memory\][+]0x[0-9a-f]*;sleeper;')"
fi
if jit "a map from before the process" old; then
	between "a map from before the process: is not its own" 80 180 "$(ms offcpu ';from_jit;\[memory\][+]0x[0-9a-f]*;sleeper;')"
fi

# --- what is asked for ------------------------------------------------------------------------------------------
record t.dnt --no-stacks stacks burn 100 >said
is "$(ask "SELECT count(*) FROM stacks") $(ask "SELECT count(stack_id) FROM offcpu") $(ask "SELECT count(stack_id) FROM samples")" \
	"0 0 0" "--no-stacks: there are none"
between "--no-stacks: samples nevertheless" 2 30 "$(ask "SELECT count(*) FROM samples")"
record t.dnt stacks sleep 20
innermost=$(ask "SELECT DISTINCT s.\"offset\" FROM offcpu JOIN stacks AS s USING (stack_id) WHERE depth = 0 AND symbol = 'schedule' AND syscall = 'clock_nanosleep'")
record t.dnt --no-symbols stacks sleep 20
is "$(ask "SELECT DISTINCT s.\"offset\" FROM offcpu JOIN stacks AS s USING (stack_id) WHERE depth = 0 AND syscall = 'clock_nanosleep'")" \
	"${innermost:?}" "--no-symbols: the switch itself is in no stack"
is "$(ask "SELECT count(*) FROM stacks WHERE symbol IS NOT NULL")" 0 "--no-symbols: no function has a name"
between "--no-symbols: places nevertheless" 3 100000 "$(ask "SELECT count(*) FROM stacks WHERE kind = 'file' AND module LIKE '%/stacks'")"
record t.dnt --freq=0 stacks burn 100 >said
is "$(ask "SELECT count(*) FROM samples")" 0 "--freq=0: no samples"
record t.dnt --freq=999 stacks burn 500 >said
between "--freq=999: samples of half a second" 200 700 "$(ask "SELECT count(*) FROM samples")"

# Of calls: by name, and by how long they took. strace is asked how many there were.
strace -f -qq -e trace=openat,clock_nanosleep -o log stacks sleep 60 >said
record t.dnt --stack=openat,slow:50ms stacks sleep 60 >said
chains
is "$(count calls .)" "$(($(grep -c 'openat(' log) + $(ask "SELECT count(*) FROM syscalls WHERE dur_ns >= 50000000 AND name <> 'openat'")))" \
	"--stack: each call of that name, and each that took so long"
is "$(ask "SELECT count(*) FROM call_stacks AS c JOIN syscalls AS s USING (trace_id, thread_id, seq)
	WHERE c.name = s.name AND c.dur_ns = s.dur_ns AND c.end_ns = s.start_ns + s.dur_ns")" "$(ask "SELECT count(*) FROM call_stacks")" \
	"--stack: they are the calls of the trace"
between "--stack: ms of the slow one, under who made it" 60 160 "$(ms calltime ';main;.*;sleeper;')"
is "$(ask "SELECT count(*) FROM stacks AS s JOIN call_stacks USING (stack_id) WHERE s.kind = 'kernel'")" 0 "--stack: of the program alone"
denet-record -q -o u.dnt --stack=nocall true 2>err
is "$? $(cat err)" '125 denet-record: there is no system call "nocall" for --stack; see denet-record --help' "--stack: a call that is none"

denet-record -q -o u.dnt --stack=openat --no-stacks true 2>err
is "$? $(cat err)" '125 denet-record: --stack and --no-stacks contradict each other; see denet-record --help' "--stack with --no-stacks"
denet-record -q -o u.dnt --freq=0 --no-offcpu true 2>err
is "$? $(cat err) $(denet-analyze u.dnt --csv --sql "SELECT reason FROM probes WHERE name = 'stacks'" | tail -n 1 | tr -d '\r"')" \
	"0  --freq=0, --no-offcpu" "nothing that has a stack was asked for: that is why there is none"

# --- files that are not what they were --------------------------------------------------------------------------
twin="-DWAITS=twin_sleeper -DBURNS=twin_burner"
build() { # NAME FLAG...
	build_name=$1
	shift
	# shellcheck disable=SC2086
	$CC -std=gnu11 -O2 $frames -D_GNU_SOURCE -I"$DN_SRCDIR/tests/programs" "$@" -o "$build_name" \
		"$DN_SRCDIR/tests/programs/stacks.c" -lpthread 2>build.log
}
# The file's address of an offset in it, by its program headers.
cat >vaddr.awk <<'END'
$1 == "LOAD" { off = strtonum_($2); va = strtonum_($3); size = strtonum_($5)
	if (at >= off && at < off + size) printf "0x%x\n", at - off + va }
function strtonum_(s,   i, n) { s = tolower(substr(s, 3)); n = 0
	for (i = 1; i <= length(s); i++) n = n * 16 + index("0123456789abcdef", substr(s, i, 1)) - 1
	return n }
END
vaddr() { readelf -lW "$1" | awk -v at="$2" -f vaddr.awk; }

if ! command -v "${CC%% *}" >/dev/null || ! command -v readelf >/dev/null || ! command -v addr2line >/dev/null ||
	! command -v strip >/dev/null || ! command -v nm >/dev/null || ! build plain; then
	skip "programs linked in other ways" "no ${CC%% *}, or no binutils, or it does not compile"
	done_testing
fi

chain='outer_waits;inner_waits;sleeper;'
for way in "static:-static" "no PIE:-no-pie -fno-pie" "PIE:-pie -fPIE" "no build-id:-Wl,--build-id=none"; do
	# shellcheck disable=SC2086
	if ! build made ${way#*:}; then
		skip "${way%%:*}" "it does not link here"
		continue
	fi
	stacks "${way%%:*}" ./made sleep 40 2
	between "${way%%:*}: ms in the chain" 80 180 "$(ms offcpu ";main;.*;act_sleep;$chain")"
	is "$(ask "SELECT DISTINCT build_id IS NULL, inode IS NOT NULL FROM raw_object WHERE path LIKE '%/made'" | head -n 1)" \
		"$(case $way in *none) echo 1,1 ;; *) echo 0,0 ;; esac)" "${way%%:*}: how it is known again"
done

build full -no-pie -fno-pie -Wl,--build-id=sha1
strip -o stripped full
stacks "stripped" ./stripped sleep 60
none "stripped: no function of it has a name" ';sleeper;'
ask "SELECT s.\"offset\" FROM stacks AS s JOIN offcpu AS o USING (stack_id)
	WHERE s.module LIKE '%/stripped' AND o.dur_ns > 50000000 ORDER BY s.depth" >offsets
while read -r offset; do
	addr2line -f -e full "$(vaddr full "$offset")" | head -n 1
done <offsets >got
like "$(tr '\n' ' ' <got)" '^sleeper inner_waits outer_waits act_sleep (act_main[^ ]* )?main ' \
	"stripped: its places are those functions, by addr2line and the twin that has names"

# stat(2) tells another device of it there than the kernel of its mapping.
build layered -Wl,--build-id=none
mkdir lower layers merged
mv layered lower
# shellcheck disable=SC2016
stacks "in an overlay, without a build-id" unshare -m sh -c 'mount -t tmpfs none layers && mkdir layers/up layers/work &&
	mount -t overlay none -o lowerdir=lower,upperdir=layers/up,workdir=layers/work merged && exec merged/layered sleep 300'
between "in an overlay, without a build-id: ms in the chain" 300 400 "$(ms offcpu ";main;.*;act_sleep;$chain")"

cp "$program" gone
stacks "deleted while it runs" ./gone alone 300 gone
between "deleted while it runs: ms that have their names" 300 400 "$(ms offcpu ";main;.*;act_alone;$chain")"

# The twin has other names at the same places.
for id in "" "-Wl,--build-id=none"; do
	# shellcheck disable=SC2086
	build here -no-pie -fno-pie $id && build twin -no-pie -fno-pie $twin $id
	say=${id:+, without build-ids}
	cp here one
	cp twin other
	stacks "replaced while it runs$say" ./one alone 300 one other
	between "replaced while it runs$say: ms" 300 400 "$(ms offcpu ";act_alone;$chain")"
	none "replaced while it runs$say: no name of the other one" twin_

	stacks "an execve of its twin$say" ./here next 40 ./twin sleep 40
	between "an execve of its twin$say: ms before it" 40 140 "$(ms offcpu ";act_next;$chain")"
	between "an execve of its twin$say: ms after it" 40 140 "$(ms offcpu ";act_sleep;outer_waits;inner_waits;twin_sleeper;")"
	is "$(ms offcpu ";act_next;.*twin_") $(ms offcpu ";act_sleep;$chain")" "0 0" "an execve of its twin$say: and nothing of the other one"

	# shellcheck disable=SC2016
	stacks "many programs$say" sh -c 'i=0; while [ $((i += 1)) -le 15 ]; do ./here sleep 2; ./twin sleep 2; done'
	between "many programs$say: their own names" 12 30 "$(count offcpu ";act_sleep;$chain.*nanosleep;")"
	between "many programs$say: and the others theirs" 12 30 \
		"$(count offcpu ";act_sleep;outer_waits;inner_waits;twin_sleeper;.*nanosleep;")"
	is "$(ask "SELECT count(*) FROM offcpu AS o JOIN stacks AS s USING (stack_id) JOIN processes AS p USING (process_id)
		WHERE s.symbol IN ('sleeper', 'twin_sleeper') AND (s.symbol = 'sleeper') <> (s.module LIKE '%/here')")" 0 \
		"many programs$say: and its own files"

	# One name for one file after the other, as ./configure has it: gone before anybody asks for its names.
	# shellcheck disable=SC2016
	stacks "one name for many programs$say" sh -c \
		'i=0; while [ $((i += 1)) -le 6 ]; do
			for p in here twin; do cp $p again; ./again sleep 2; echo $p; rm again; done
		done'
	none "one name for many programs$say: a wrong one" ';(innocent|locker|holder|read_one|toucher|deeper|worker_[0-7]|lost);'
	ask "SELECT o.pid || ' ' || s.symbol FROM offcpu AS o JOIN stacks AS s USING (stack_id)
		WHERE o.dur_ns > 2000000 AND s.symbol IN ('sleeper', 'twin_sleeper') ORDER BY start_ns" >named
	ask "SELECT pid || ' ' || iif(row_number() OVER (ORDER BY start_ns) % 2, 'sleeper', 'twin_sleeper') FROM processes
		WHERE comm = 'again' ORDER BY start_ns" >right
	is "$(grep -vxFf right named)" "" "one name for many programs$say: none has the other's names ($(wc -l <named) of 12 have theirs)"
done

# --- mount namespaces, and other roots --------------------------------------------------------------------------
cp here name
if unshare -m mount --bind twin name 2>/dev/null; then
	# shellcheck disable=SC2016
	stacks "a name that is another file elsewhere" unshare -m sh -c 'mount --bind twin name && exec ./name sleep 100 3'
	none "a name that is another file elsewhere: is not that one" ";act_sleep;$chain"
	between "a name that is another file elsewhere: ms" 300 400 "$(ms offcpu ';act_sleep;outer_waits;inner_waits;twin_sleeper;')"
else
	skip "a name that is another file elsewhere" "no mount namespace may be made here"
fi
# shellcheck disable=SC2086
if chroot / true 2>/dev/null && build rooted -static $twin; then
	mkdir root
	mv rooted root/here
	stacks "another root" chroot root /here sleep 100 3
	between "another root: ms with names of the file there" 300 400 "$(ms offcpu ';act_sleep;outer_waits;inner_waits;twin_sleeper;')"
else
	skip "another root" "only root changes it, and only with a program that needs no library"
fi

# --- one file over another --------------------------------------------------------------------------------------
cat >lib.c <<'END'
__attribute__((visibility("default"))) long NAME(long (*next)(long), long v) { return next(v) + 1; }
END
# shellcheck disable=SC2086
for name in alpha beta; do
	$CC $frames -O1 -fPIC -shared -nostdlib -DNAME=$name -o $name.so lib.c 2>/dev/null
done
entry() { # of a function in a library, as an offset in the file
	address=$(nm -D "$1.so" | awk -v name="$1" '$3 == name { print $1 }')
	readelf -lW "$1.so" | awk -v at="0x$address" -f offset.awk
}
sed 's/at >= off \&\& at < off + size/strtonum_(at) >= va \&\& strtonum_(at) < va + size/; s/at - off + va/strtonum_(at) - va + off/' \
	vaddr.awk >offset.awk
a=$(entry alpha)
b=$(entry beta)
if [ -n "$a" ] && stacks "one file over another" stacks remap 40 alpha.so "$a" beta.so "$b" alpha.so "$a" beta.so "$b"; then
	between "one file over another: ms below the first" 80 180 "$(ms offcpu ';act_remap;from_mapped;alpha;sleeper;')"
	between "one file over another: ms below the second" 80 180 "$(ms offcpu ';act_remap;from_mapped;beta;sleeper;')"
else
	skip "one file over another" "$(cat .said)"
fi

# One function within another: the inner one answers for its part, the outer one for what lies before and behind.
cat >nest.c <<'END'
long around(long (*next)(long), long v)
{
	v += next(v);
	__asm__ volatile(".globl within\n\t.type within, %%function\nwithin:" : : : "memory");
	v += next(v);
	__asm__ volatile(".size within, . - within" : : : "memory");
	v += next(v);
	return v;
}
END
# shellcheck disable=SC2086
$CC $frames -O1 -fPIC -shared -nostdlib -o around.so nest.c 2>/dev/null
a=$(entry around)
if [ -n "$a" ] && nm -D around.so | grep -q within && stacks "a function in a function" stacks remap 40 around.so "$a"; then
	between "a function in a function: ms in the inner one" 40 79 "$(ms offcpu ';act_remap;from_mapped;within;sleeper;')"
	between "a function in a function: ms in the outer one" 80 180 "$(ms offcpu ';act_remap;from_mapped;around;sleeper;')"
else
	skip "a function in a function" "it does not compile here"
fi

# --- what readelf says of real programs -------------------------------------------------------------------------
cat >named.awk <<'END'
function number(s,   i, n, from) {
	s = tolower(s); from = substr(s, 1, 2) == "0x" ? 3 : 1; n = 0
	for (i = from; i <= length(s); i++) n = n * 16 + index("0123456789abcdef", substr(s, i, 1)) - 1
	return n
}
FILENAME == "headers" { if ($1 == "LOAD") { off[++loads] = number($2); va[loads] = number($3); len[loads] = number($5) }; next }
FILENAME == "symbols" {
	if ($4 ~ /^(FUNC|IFUNC|NOTYPE)$/ && $7 != "UND") {
		sub(/@.*/, "", $8)
		from[++n] = number($2); size[n] = $3 ~ /^0x/ ? number($3) : $3 + 0; name[n] = $8; func_[n] = $4 != "NOTYPE"
	}
	next
}
{	# OFFSET, then the name or nothing
	at = -1
	for (i = 1; i <= loads; i++) if ($1 >= off[i] && $1 < off[i] + len[i]) at = $1 - off[i] + va[i]
	if (at < 0) { print "no part of the file: " $0; next }
	if ($2 ~ /@plt$/) next
	good = 0; covered = ""
	for (i = 1; i <= n; i++) if (from[i] <= at && (at < from[i] + size[i] || !size[i])) {
		if (name[i] == $2) good = 1
		if (size[i] && func_[i]) covered = name[i]
	}
	if ($2 != "" && !good) print "not what readelf says: " $0 ", but " covered
	if ($2 == "" && covered != "") print "no name, and readelf has " covered ": " $0
}
END
# real NAME COMMAND...: each place in a file that it goes through is in the function that it is named by.
real() {
	real_name=$1
	shift
	record t.dnt --freq=499 "$@" >/dev/null
	chains
	: >differ
	places=0
	ask "SELECT DISTINCT module FROM stacks WHERE kind = 'file'" >modules
	while read -r module; do
		[ -r "$module" ] || continue
		readelf -lW "$module" >headers
		id=$(readelf -nW "$module" | sed -n 's/.*Build ID: *//p')
		debug=/usr/lib/debug/.build-id/$(printf '%s' "$id" | cut -c 1-2)/$(printf '%s' "$id" | cut -c 3-).debug
		# shellcheck disable=SC2046
		readelf -sW "$module" $([ ! -r "$debug" ] || echo "$debug") >symbols 2>/dev/null
		ask "SELECT DISTINCT \"offset\" || ' ' || ifnull(symbol, '') FROM stacks WHERE kind = 'file' AND module = '$module'" >places
		places=$((places + $(wc -l <places)))
		awk -f named.awk headers symbols places | sed "s|^|$module: |" >>differ
	done <modules
	if [ -s differ ]; then
		not_ok "$real_name: names are those of readelf" "$(head -n 20 differ)"
	elif [ $places -lt 5 ]; then
		skip "$real_name: names are those of readelf" "only $places places"
	else
		pass "$real_name: names are those of readelf ($places places)"
	fi
}
real "ls" ls -lR /usr/include/linux /etc
awk 'BEGIN { for (i = 0; i < 200000; i++) print (i * 7919) % 1000003, "a line to sort" }' >lines
real "sort" sort -o /dev/null lines
real "a shell" sh -c 'for i in 1 2 3 4 5 6 7 8; do ls / | wc -l; done'
if command -v python3 >/dev/null; then
	real "python" python3 -c 'print(sum(len(str(i)) for i in range(300000)))'
fi
done_testing
