#!/bin/sh
# Somebody who is not root records a program that becomes setuid, or gets capabilities
# of its file: from then on calls are counted and timed, without arguments and strings,
# and the trace says so. Root sees everything.
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
setcap cap_net_raw=ep bin/cat_caps 2>/dev/null || skip_all "this file system keeps no capabilities"
setcap cap_bpf,cap_perfmon,cap_dac_read_search=ep bin/rec
echo "secret words" >secret
chmod 644 secret
cd home || exit 99
[ "$($as_nobody ../bin/env_setuid id -u)" = 0 ] || skip_all "programs do not become setuid here (nosuid?)"

ask() { denet-analyze --csv --sql "$2" "$1" | tr -d '\r' | tail -n +2; }
# Calls after the execve of which the kernel said that it is secure, in that process and
# in all that come of it (here: one process).
after="FROM syscalls AS s JOIN (SELECT trace_id AS t, process_id AS p, min(time_ns) AS since FROM execs
	WHERE secureexec GROUP BY 1, 2) ON s.trace_id = t AND s.process_id = p AND s.start_ns > since"
told="(coalesce(s.path, s.path2, s.address, s.text, s.argv) IS NOT NULL OR coalesce(arg0, 0) OR
	coalesce(arg1, 0) OR coalesce(arg2, 0) OR coalesce(arg3, 0) OR coalesce(arg4, 0) OR coalesce(arg5, 0))"

# hidden NAME COMMAND...
hidden() {
	name=$1
	shift
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
	is "$(ask user.dnt "SELECT pid, argv FROM execs JOIN (SELECT trace_id AS t, process_id AS p,
			min(time_ns) AS since FROM execs WHERE secureexec GROUP BY 1, 2)
		ON trace_id = t AND process_id = p AND time_ns > since WHERE argv IS NOT NULL")" "" \
		"$name: nor what it executes"
	ok "$name: they are timed" test "$(ask user.dnt "SELECT count(*) $after AND s.dur_ns > 0")" -gt 5
	is "$(ask user.dnt "SELECT count(*) FROM not_observed WHERE subject = 'setuid'")" 1 "$name: the trace says so"
	is "$(ask ../root.dnt "SELECT count(*) FROM not_observed WHERE subject = 'setuid'")" 0 \
		"$name: root's has nothing of the kind"
	books user.dnt "$name"
}
hidden "a program that is setuid" ../bin/env_setuid true
hidden "what it executes" ../bin/env_setuid cat ../secret
hidden "a program with capabilities" ../bin/cat_caps ../secret
hidden "within a shell" sh -c '../bin/cat_caps ../secret; exit 3'

# What it was before, and what has nothing to do with it, is told as ever.
$as_nobody ../bin/rec -q -o user.dnt sh -c 'cat ../secret; ../bin/cat_caps ../secret' >/dev/null
ok "what is not setuid beside it is told" \
	test "$(ask user.dnt "SELECT count(*) FROM syscalls WHERE path = '../secret'")" -eq 1
done_testing
