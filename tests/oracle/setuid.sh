#!/bin/sh
# Somebody who is not root records a program that becomes setuid, or gets capabilities
# of its file, or that may be executed and not read, none of which that user may trace:
# from then on calls are counted and timed, without arguments and strings, and the trace
# says so. Root sees everything.
. "$(dirname "$0")/lib.sh"
need_cmd setpriv setcap
need_bpf
[ "$(id -u)" = 0 ] || skip_all "only root can make a program setuid"
id nobody >/dev/null 2>&1 || skip_all "there is no user nobody"

as_nobody="setpriv --reuid=$(id -u nobody) --regid=$(id -g nobody) --init-groups env"
chmod 755 "$scratch"
mkdir bin home
chown nobody home
cp "$DN_BUILDDIR/denet-record" bin/rec
cp "$(command -v cat)" bin/cat_caps
cp "$(command -v env)" bin/env_setuid
chmod 755 bin bin/*
chmod 4755 bin/env_setuid
cp bin/cat_caps bin/cat_closed
chmod 711 bin/cat_closed
setcap cap_net_raw=ep bin/cat_caps 2>/dev/null || skip_all "this file system keeps no capabilities"
setcap cap_bpf,cap_perfmon,cap_dac_read_search=ep bin/rec
echo "secret words" >secret
chmod 644 secret
cd home || exit 99
[ "$($as_nobody ../bin/env_setuid id -u)" = 0 ] || skip_all "programs do not become setuid here (nosuid?)"

ask() { denet-analyze --csv --sql "$2" "$1" | tr -d '\r' | tail -n +2; }
told="(coalesce(s.path, s.path2, s.address, s.text, s.argv) IS NOT NULL OR coalesce(arg0, 0) OR
	coalesce(arg1, 0) OR coalesce(arg2, 0) OR coalesce(arg3, 0) OR coalesce(arg4, 0) OR coalesce(arg5, 0))"

# hidden NAME PROGRAM COMMAND...: calls of the process that executes PROGRAM, after that.
hidden() {
	name=$1
	since="(SELECT trace_id AS t, process_id AS p, min(time_ns) AS since FROM execs
		WHERE path = '$2' GROUP BY 1, 2)"
	after="FROM syscalls AS s JOIN $since ON s.trace_id = t AND s.process_id = p AND s.start_ns > since"
	shift 2
	rm -f ../root.dnt user.dnt
	denet-record -q -u nobody -o ../root.dnt "$@" >/dev/null
	want=$?
	$as_nobody ../bin/rec -q -o user.dnt "$@" >/dev/null
	is $? "$want" "$name: its status"
	ok "$name: there are such calls" test "$(ask user.dnt "SELECT count(*) $after")" -gt 5
	is "$(ask user.dnt "SELECT name, count(*) $after GROUP BY 1 ORDER BY 1")" \
		"$(ask ../root.dnt "SELECT name, count(*) $after GROUP BY 1 ORDER BY 1")" \
		"$name: they are counted as root counts them"
	ok "$name: root sees their arguments" test "$(ask ../root.dnt "SELECT count(*) $after AND $told")" -gt 5
	is "$(ask user.dnt "SELECT s.name, s.path, arg0, arg1 $after AND $told LIMIT 5")" "" \
		"$name: others do not"
	is "$(ask user.dnt "SELECT pid, argv FROM execs JOIN $since
		ON trace_id = t AND process_id = p AND time_ns > since WHERE argv IS NOT NULL")" "" \
		"$name: nor what it executes"
	ok "$name: root sees where they map memory" test "$(ask ../root.dnt "SELECT count(*) $after AND s.ret > 4096")" -gt 0
	is "$(ask user.dnt "SELECT count(*) $after AND s.ret > 0")" 0 "$name: others see no result"
	ok "$name: they are timed" test "$(ask user.dnt "SELECT count(*) $after AND s.dur_ns > 0")" -gt 5
	is "$(ask user.dnt "SELECT count(*) FROM not_observed WHERE subject = 'setuid'")" 1 "$name: the trace says so"
	is "$(ask ../root.dnt "SELECT count(*) FROM not_observed WHERE subject = 'setuid'")" 0 \
		"$name: root's has nothing of the kind"
	books user.dnt "$name"
}
hidden "a program that is setuid" ../bin/env_setuid ../bin/env_setuid true
hidden "what it executes" ../bin/env_setuid ../bin/env_setuid cat ../secret
hidden "a program with capabilities" ../bin/cat_caps ../bin/cat_caps ../secret
hidden "a program that may not be read" ../bin/cat_closed ../bin/cat_closed ../secret
hidden "within a shell" ../bin/cat_caps sh -c '../bin/cat_caps ../secret; exit 3'

# What it was before, and what has nothing to do with it, is told as ever.
$as_nobody ../bin/rec -q -o user.dnt sh -c 'cat ../secret; ../bin/cat_caps ../secret' >/dev/null
ok "what is not setuid beside it is told" \
	test "$(ask user.dnt "SELECT count(*) FROM syscalls WHERE path = '../secret'")" -eq 1
done_testing
