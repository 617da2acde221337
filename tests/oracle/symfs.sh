#!/bin/sh
# Names and lines that denet-analyze looks up later (--symfs, --lines), against what the recorder itself would have
# written, against nm and against addr2line; and files that are not to be believed.
. "$(dirname "$0")/lib.sh"

golden=$DN_SRCDIR/tests/golden/v3.0-x86_64.dnt
built() { grep -q "^#define $1 1" "$DN_BUILDDIR/config.h"; }

# --- folders that are none, and other builds ----------------------------------------------------------------------
denet-analyze --symfs="$scratch/nowhere" "$golden" >out 2>err
status=$?
if built HAVE_LIBELF; then
	is "$status $(cat out err)" "1 denet-analyze: cannot look for names in $scratch/nowhere: No such file or directory. Name a directory with files of the recorded machine; / is this one." \
		"a folder that is not there"
	denet-analyze --symfs=/ --symfs="$golden" "$golden" >out 2>err
	is "$? $(cat out err)" "1 denet-analyze: cannot look for names in $golden: Not a directory. Name a directory with files of the recorded machine; / is this one." \
		"a folder that is a file"
else
	is "$status $(cat out err)" "1 denet-analyze: cannot look for names in $scratch/nowhere: this denet-analyze was built without libelf. Build it anew where libelf is, or leave --symfs out." \
		"a build without libelf says so"
	done_testing
fi
denet-analyze folded --symfs=/ --lines "$golden" >out 2>err
status=$?
if built HAVE_LIBDW; then
	is "$status $(cat out err)" "1 denet-analyze: cannot fold $golden: it has no stacks of samples. denet-record(1) says how stacks are recorded." \
		"--lines of a trace without stacks"
else
	is "$status $(cat out err)" "1 denet-analyze: cannot look for lines in /: this denet-analyze was built without libdw. Build it anew where libdw is, or leave --lines out." \
		"a build without libdw says so"
fi
denet-analyze --symfs=/ "$golden" >with 2>err
denet-analyze "$golden" >without 2>>err
is "$(cat err) $(cmp with without && echo the same)" " the same" "an old trace is read as without"

need_bpf
: "${CC:=cc}"
need_cmd "${CC%% *}" objcopy strip nm addr2line readelf awk

# Version 4 of DWARF: of 5 addr2line (binutils 2.40) says the wrong file where a function is from a header.
build() { # NAME FLAG...
	build_name=$1
	shift
	$CC -std=gnu11 -gdwarf-4 -O2 -fno-omit-frame-pointer -mno-omit-leaf-frame-pointer -fno-inline -fno-optimize-sibling-calls \
		-D_GNU_SOURCE -I"$DN_SRCDIR/tests/programs" "$@" -o "$build_name" "$DN_SRCDIR/tests/programs/stacks.c" -lpthread 2>build.log
}
id="-Wl,--build-id=0x00112233445566778899aabbccddeeff00112233"
debug=.build-id/00/112233445566778899aabbccddeeff00112233.debug
mkdir run keep
build run/prog $id || skip_all "it does not compile here: $(tail -n 1 build.log)"
cp run/prog keep/full
strip -o keep/stripped keep/full
objcopy --only-keep-debug keep/full keep/debug
build keep/twin $id -DWAITS=twin_sleeper
build keep/other -DWAITS=other_sleeper

record named.dnt "$scratch/run/prog" sleep 60 2
record bare.dnt --no-symbols "$scratch/run/prog" sleep 60 2
rm -r run
ask() { # TRACE QUERY OPTION...
	ask_trace=$1
	ask_query=$2
	shift 2
	denet-analyze "$ask_trace" --csv --sql "$ask_query" "$@" 2>err | tr -d '\r' | sed 1d
}
# A folder with the file $2 where the program was, and $3 as the debug file of its build-id.
tree() { # NAME PROGRAM [DEBUG-FOLDER DEBUG]
	rm -rf "$1"
	mkdir -p "$1$scratch/run"
	[ "$2" = - ] || cp "keep/$2" "$1$scratch/run/prog"
	if [ $# -gt 2 ]; then
		mkdir -p "$1/$3/.build-id/00"
		cp "keep/$4" "$1/$3/$debug"
	fi
}
places="SELECT DISTINCT \"offset\", name FROM stacks WHERE module LIKE '%/run/prog' ORDER BY 1"
chain="main act_sleep outer_waits inner_waits sleeper "
# The chain of functions, where they are all named, of the sleeps.
names() { # TRACE OPTION...
	names_trace=$1
	shift
	ask "$names_trace" "SELECT symbol FROM stacks JOIN (SELECT stack_id FROM offcpu ORDER BY dur_ns DESC LIMIT 1) USING (stack_id)
		WHERE module LIKE '%/run/prog' AND symbol NOT LIKE 'act\_main%' ESCAPE '\' ORDER BY depth DESC" "$@" | tr '\n' ' '
}

# --- names --------------------------------------------------------------------------------------------------------
is "$(names named.dnt)" "$chain" "the recorder names them"
is "$(names bare.dnt)" "" "--no-symbols: nobody does"
ask named.dnt "$places" >want
for way in "full" "stripped . debug" "stripped usr/lib/debug debug" "- . full"; do
	# shellcheck disable=SC2086
	tree root $way
	ask bare.dnt "$places" --symfs=root >got
	is "$(names bare.dnt --symfs=root --symfs=/)" "$chain" "$way: the names are there"
	is "$(grep -F "$scratch" err)" "" "$way: and nothing else is said"
	is "$(grep -cxFf want got) $(grep -c 0x got)" "$(wc -l <got) 0" "$way: those that the recorder gave, each"
done
tree debugs - . debug
tree programs stripped
is "$(names bare.dnt --symfs=debugs --symfs=programs)" "$chain" "two folders: debug files here, programs there"

# The file's address of an offset in it, by its program headers: awk of no kind knows hexadecimal by itself.
readelf -lW keep/full | awk '$1 == "LOAD" && / R E / { print $2, $3, $5 }' >text
read -r text_offset text_address text_size <text
address() { echo $(($1 - text_offset + text_address)); }
nm -S --defined-only keep/full | awk '$3 ~ /^[tTwW]$/ { print $1, $2, $4 }' >functions
while IFS=, read -r offset name; do
	at=$(address "$offset")
	found=
	while read -r start size function; do
		[ $((0x$start)) -gt "$at" ] || [ "$at" -ge $((0x$start + 0x$size)) ] || found="$found $function"
	done <functions
	case " $found " in
	*" $name "*) echo same ;;
	*) echo "$offset: $name, not$found" ;;
	esac
done <got | sort -u >compared
is "$(cat compared)" same "names are those of nm ($(wc -l <got) places of $((text_size)) bytes)"
ask bare.dnt "$places" >unnamed
is "$(grep -cv ',prog+0x' unnamed)" 0 "without --symfs none is looked up"

# --- lines --------------------------------------------------------------------------------------------------------
if built HAVE_LIBDW; then
	tree root stripped usr/lib/debug debug
	ask bare.dnt "SELECT DISTINCT \"offset\", file, line FROM stacks WHERE module LIKE '%/run/prog' ORDER BY 1" --symfs=root --lines |
		tr ',' ' ' >got
	while read -r offset file line; do
		echo "$offset $file:$line $(addr2line -e keep/full "$(printf %x "$(address "$offset")")")"
	done <got >both
	is "$(awk '{ print $2 }' both)" "$(awk '{ print $3 }' both)" "lines are those of addr2line ($(wc -l <both))"
	like "$(awk '{ print $2 }' both | tr '\n' ' ')" 'stacks[.]c:[1-9].*act[.]h:[1-9]' "of more than one file"
	ask named.dnt "SELECT DISTINCT \"offset\", file, line FROM stacks WHERE module LIKE '%/run/prog' ORDER BY 1" --symfs=root --lines |
		tr ',' ' ' >named
	is "$(grep -cxFf named got)" "$(wc -l <got)" "frames that have names in the trace have lines, too"
	lines=$(awk '$2 ~ /stacks[.]c:/ { sub(".*/", "", $2); print $2 }' both | sort -u)
	denet-analyze folded --of offcpu --symfs=root --lines bare.dnt >out 2>err
	like "$(cat out)" '^prog;.*;main stacks[.]c:[0-9]+;.*;outer_waits stacks[.]c:[0-9]+;inner_waits stacks[.]c:[0-9]+;sleeper stacks[.]c:[0-9]+;[^;]*kernel' \
		"folded --lines: behind the name"
	is "$(grep -o 'stacks[.]c:[0-9]*' out | sort -u)" "$lines" "folded --lines: those"
	if denet-analyze flame -o page.html --symfs=root --lines bare.dnt 2>err; then
		is "$(grep -o 'stacks[.]c:[0-9]*' page.html | sort -u)" "$lines" "flame --lines: the same"
	else
		skip "flame --lines: the same" "$(cat err)"
	fi
	tree root full
	is "$(ask bare.dnt "SELECT count(line) > 0 FROM stack_nodes" --symfs=root --lines)" 1 "lines of a program that was not stripped"
	is "$(ask bare.dnt "SELECT count(line) FROM stack_nodes" --symfs=root)" 0 "no lines but with --lines"
else
	skip "lines" "built without libdw"
fi

# --- every verb ---------------------------------------------------------------------------------------------------
tree root full
like "$(denet-analyze --symfs=root bare.dnt 2>&1)" 'sleeper < inner_waits < outer_waits' "the summary"
like "$(denet-analyze --json --symfs=root bare.dnt 2>&1)" 'act_sleep;outer_waits;inner_waits;sleeper;' "--json"
like "$(denet-analyze folded --of offcpu --symfs root bare.dnt 2>&1)" '^prog;.*;act_sleep;outer_waits;inner_waits;sleeper;' "folded"
denet-analyze -q --db run.db --symfs=root bare.dnt 2>err
is "$(names run.db)" "$chain" "--db: the database has them"
denet-analyze run.db --symfs=root --sql "SELECT 1" >out 2>err
is "$? $(cat out err)" "2 denet-analyze: cannot name functions in run.db: it is a database, and has the names that it was made with. Give --symfs where it is made, with --db." \
	"a database is named when it is made"
is "$(denet-analyze -q bare.dnt bare.dnt --csv --symfs=root --sql "SELECT trace_id, count(*) FROM stacks WHERE symbol = 'sleeper' GROUP BY 1" |
	tr -d '\r' | sed 1d | cut -d , -f 1 | tr '\n' ' ')" "1 2 " "several traces"

# --- files that are not the one -----------------------------------------------------------------------------------
no="denet-analyze: --symfs: no file there that has names has the build-id of $scratch/run/prog"
nobody() { # NAME; libraries are those of this machine, and the program is there no more
	is "$(names bare.dnt --symfs=root --symfs=/)" "" "$1: no names"
	is "$(grep -F "$scratch" err)" "$no" "$1: and it is said"
}
tree root other
nobody "another program of that name"
tree root - . other
nobody "another program as its debug file"
tree root - . debug
nobody "a debug file alone, which does not say where code was"
tree root stripped . other
is "$(names bare.dnt --symfs=root)" "" "another program's debug file beside it: no names"
tree root -
ln -s "$scratch/keep/full" "root$scratch/run/prog"
nobody "a link that leads out"
ln -sf ../../../../../../../../../../../../../../../../../../../.."$scratch/keep/full" "root$scratch/run/prog"
nobody "a link that climbs out"
rm "root$scratch/run/prog"
mkfifo "root$scratch/run/prog"
nobody "a FIFO"
tree root -
mkdir root/elsewhere
cp keep/full root/elsewhere/it
ln -s /elsewhere/it "root$scratch/run/prog"
is "$(names bare.dnt --symfs=root)" "$chain" "a link with a whole path leads below the folder"

# What the trace says stays: the twin has its build-id and another name at the same place.
tree root twin
is "$(names bare.dnt --symfs=root)" "$(echo "$chain" | sed 's/sleeper/twin_sleeper/')" "who has the build-id is believed"
is "$(names named.dnt --symfs=root)" "$chain" "names in the trace stay"

# --- programs of other kinds ----------------------------------------------------------------------------------------
mkdir run
build run/prog -Wl,--build-id=none
record none.dnt --no-symbols "$scratch/run/prog" sleep 40
is "$(names none.dnt --symfs=/)" "" "no build-id: no names"
like "$(cat err)" "^denet-analyze: --symfs: no file is believed to be it, as the trace has no build-id of $scratch/run/prog" \
	"no build-id: and it is said"
build run/prog $id -DWAITS=_ZN3one5sleepEl
record cpp.dnt --no-symbols "$scratch/run/prog" sleep 40
if built HAVE_LIBIBERTY; then
	like "$(names cpp.dnt --symfs=/)" ' one::sleep\(long\) $' "a name of C++ is as it was written"
else
	like "$(names cpp.dnt --symfs=/)" ' _ZN3one5sleepEl $' "a name of C++ is as the file has it"
fi
# Stripped while it ran: names of its libraries are in the trace, its own are added.
strip -o run/prog keep/full
record stripped.dnt "$scratch/run/prog" sleep 40
is "$(names stripped.dnt)" "" "stripped: the recorder has no names of it"
tree root full
libraries="SELECT DISTINCT name FROM stacks WHERE kind <> 'mark' AND module NOT LIKE '%/run/prog' ORDER BY 1"
is "$(names stripped.dnt --symfs=root)" "$chain" "stripped: its names are added"
is "$(ask stripped.dnt "$libraries" --symfs=root)" "$(ask stripped.dnt "$libraries")" "stripped: all others are as they were"

# --- few bytes that would be gigabytes ---------------------------------------------------------------------------------
# One unit whose line table has 20,000,000 lines of a byte each, and 2,000,000 units that are empty.
bombs() {
	python3 - "$@" <<-END
		import struct
		def unit(rest):
		    info = struct.pack("<HIB", 4, 0, 8) + rest
		    return struct.pack("<I", len(info)) + info
		put = lambda name, data: open(name, "wb").write(data)
		header = bytes([1, 1, 1, 251, 14, 13, 0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1, 0]) + b"bomb.c\0\0\0\0\0"
		program = bytes([0, 9, 2]) + struct.pack("<Q", 0x1000) + b"\x20" * 20000000 + bytes([2, 1, 0, 1, 1])
		body = struct.pack("<HI", 4, len(header)) + header + program
		put("lines.abbrev", bytes([1, 0x11, 0, 0x10, 0x17, 0x11, 1, 0x12, 7, 0, 0, 0]))
		put("lines.info", unit(b"\1" + struct.pack("<IQQ", 0, 0x1000, 0x10000000)))
		put("lines.line", struct.pack("<I", len(body)) + body)
		put("units.abbrev", bytes([1, 0x11, 0, 0, 0, 0]))
		put("units.info", unit(b"\1") * 2000000)
		put("units.line", bytes(16))
	END
}
if built HAVE_LIBDW && bombs 2>err; then
	for bomb in lines units; do
		strip -g -o keep/$bomb keep/full
		objcopy --add-section .debug_abbrev=$bomb.abbrev --add-section .debug_info=$bomb.info \
			--add-section .debug_line=$bomb.line keep/$bomb
		tree root $bomb
		is "$(ulimit -v 600000 && names bare.dnt --symfs=root --lines)" "$chain" "a file with too many $bomb: names"
		is "$(ulimit -v 600000 && ask bare.dnt "SELECT count(*) FROM stack_nodes WHERE line IS NOT NULL" --symfs=root --lines)" 0 \
			"a file with too many $bomb: no lines, and little memory"
	done
else
	skip "files that would need much memory" "no libdw in this build, or no python3: $(cat err)"
fi
done_testing
