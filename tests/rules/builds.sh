# builds.sh - the other builds: with each compiler without a warning, denet-record without
# BPF, and denet-analyze alone. The last two see no libbpf, clang or bpftool, and work.
# shellcheck shell=bash source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"

need_cmd make
[ -x "$DN_SRCDIR/configure" ] || skip_all "there is no configure"
[ ! -f "$DN_SRCDIR/config.status" ] || skip_all "the source tree itself is configured"

for cc in gcc clang; do
	if ! command -v $cc >/dev/null || ! [ -x "$DN_BUILDDIR/denet-record" ]; then
		skip "$cc: no warning" "$cc is not installed, or denet-record was not built"
		continue
	fi
	mkdir $cc
	(cd $cc && "$DN_SRCDIR/configure" -q --enable-werror CC=$cc CFLAGS=-O1) >$cc.log 2>&1 &&
		make -C $cc -j2 all >>$cc.log 2>&1
	is $? 0 "$cc: no warning" || diag "$(grep -B 2 -A 8 'error:' $cc.log | head -n 30)"
	rm -rf $cc
done

# In their place, programs that say that they were asked.
mkdir refuse
for tool in clang bpftool; do
	printf '#!/bin/sh\necho asked >>%s/asked\nexit 1\n' "$scratch" >refuse/$tool
	chmod +x refuse/$tool
done
PATH=$scratch/refuse:$PATH

# build NAME SWITCH...: configures and builds in the folder NAME, where pkg-config
# does not find what only BPF needs.
build()
{
	mkdir "$1" pc
	for lib in libzstd libxxhash libcap zlib sqlite3 cmocka; do
		cp "$(pkg-config --variable=pcfiledir $lib)/$lib.pc" pc/ 2>/dev/null
	done
	(cd "$1" && shift && PKG_CONFIG_LIBDIR=$scratch/pc "$DN_SRCDIR/configure" -q "$@" \
		CFLAGS="-O0 -Werror -Wno-error=cpp" CC="${CC:-cc}") >"$1.log" 2>&1
	is $? 0 "$2: configures without libbpf"
	make -C "$1" -j2 all >>"$1.log" 2>&1
	is $? 0 "$2: builds"
	tail -n 20 "$1.log" | grep -i error
	rm -rf pc
}

build small --without-bpf
is "$(cat asked 2>/dev/null)" "" "--without-bpf: clang and bpftool are not asked"
is "$(ldd small/denet-record | grep -c 'bpf\|libelf')" 0 "--without-bpf: no libbpf, no libelf"
small/denet-record -o t.dnt -- sh -c 'sleep 0.1; exit 6' 2>said
is $? 6 "--without-bpf: records"
like "$(cat said)" "recording from /proc only: .*built without BPF" "--without-bpf: says what it cannot"
is "$(small/denet-analyze --csv --sql "SELECT comm, exit_code FROM processes ORDER BY 1" t.dnt | tr -d '\r' | tr '\n' ' ')" \
	"comm,exit_code sh,6 sleep,0 " "--without-bpf: its trace is read"
make -C small install DESTDIR="$scratch/s" >/dev/null 2>&1
is "$(cd s && find . -name 'denet*' \( -path '*/bin/*' -o -path '*/man1/*' \) | sed 's/.*\///' | sort | tr '\n' ' ')" \
	"denet-analyze denet-analyze.1 denet-record denet-record.1 " "--without-bpf: what is installed"

# The objects of the tests too, and that they pass: those of what differs.
make -C small check TESTS="tests/unit/test_procwatch tests/unit/test_ring tests/oracle/figures.sh" >check.log 2>&1
is $? 0 "--without-bpf: its tests"
like "$(tail -n 5 check.log)" '[0-9]+ passed, 0 failed, [1-9][0-9]* skipped' "--without-bpf: those that need BPF are skipped"

build alone --disable-recorder --without-web
is "$(cat asked 2>/dev/null)" "" "--disable-recorder: clang and bpftool are not asked"
is "$(ls alone/denet-record 2>/dev/null)" "" "--disable-recorder: no denet-record"
is "$(alone/denet-analyze --csv --sql 'SELECT exit_code FROM traces' t.dnt | tr -d '\r' | tail -n 1)" 6 \
	"--disable-recorder: reads a trace"
is "$(alone/denet-analyze flame -o x.html t.dnt 2>&1)" "denet-analyze: cannot draw a flame graph: this denet-analyze was built without d3 and d3-flame-graph. Run build-aux/fetch-web in the source tree and build anew, or take the verb folded." \
	"--without-web: no flame graphs"
make -C alone install DESTDIR="$scratch/a" >/dev/null 2>&1
is "$(cd a && find . -name 'denet*' \( -path '*/bin/*' -o -path '*/man1/*' \) | sed 's/.*\///' | sort | tr '\n' ' ')" \
	"denet-analyze denet-analyze.1 " "--disable-recorder: nothing of the recorder is installed"
done_testing
