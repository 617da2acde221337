#!/bin/sh
# Sockets, in a network namespace of our own: the bytes that strace saw go through each
# by each thread, and who made it; its addresses, its state and the kernel's own figures
# as ss shows them; by each way of seeing bytes that this kernel has a tracepoint or no
# need of anything for.
if [ -z "${in_netns-}" ] && [ "$(id -u)" = 0 ] && unshare -n true 2>/dev/null; then
	in_netns=yes
	export in_netns
	exec unshare -n sh "$0" "$@"
fi
. "$(dirname "$0")/lib.sh"
. "$oracle/lib-net.sh"
need_cmd strace ip ss
need_bpf
[ -n "${in_netns-}" ] || skip_all "a network namespace cannot be made here"
ip link set lo up || skip_all "there is no loopback here"

# --- calls ----------------------------------------------------------------------------
acts="tcp udp unix peek partial splice zerocopy fork threads pass ends refused nonblocking reuse"

# as_strace NAME: acts.dnt says of sockets what acts.log does.
as_strace() {
	awk -f "$oracle/strace_net.awk" acts.log | sort >log
	grep '^bytes' log >want
	ask acts.dnt "SELECT 'bytes!' || t.tid || '!' || s.inode || '!' || sum(e.sent) || '!' || sum(e.received)
		FROM net_event AS e JOIN threads AS t USING (thread_id) JOIN sock AS s USING (sock_id)
		WHERE e.kind = 'bytes' GROUP BY t.tid, s.inode" | sort >got
	equal "$1: bytes by thread and socket"
	grep '^count' log >want
	ask acts.dnt "SELECT 'count!' || inode || '!' || sends || '!' || receives FROM sock
		WHERE sends + receives > 0" | sort >got
	equal "$1: sends and receives that succeeded"
	grep '^made' log >want
	ask acts.dnt "SELECT 'made!' || origin || '!' || inode FROM sock" | sort >got
	equal "$1: sockets by the calls that made them"
	is "$(ask acts.dnt "SELECT count(*) FROM sock AS s JOIN (SELECT sock_id, sum(sent) AS sent,
		sum(received) AS received, sum(sends) AS sends, sum(receives) AS receives FROM sock_bytes
		GROUP BY sock_id) AS b USING (sock_id) WHERE s.sent <> b.sent OR s.received <> b.received OR
		s.sends <> b.sends OR s.receives <> b.receives")" 0 "$1: what processes moved is what sockets did"
	books acts.dnt "$1"
}

seen="strace -f -y -v -s 0 -o acts.log -e signal=none
	-e trace=%network,read,write,readv,writev,splice,sendfile"
for rung in tp_btf raw_tp calls raw_tp,calls; do
	# shellcheck disable=SC2086  # words
	record acts.dnt $seen sh -c "set -e; for act in $acts; do sockets \$act; done"
	is $? 0 "$rung: the status of the acts"
	as_strace "$rung"
	grep '^refused' log >want
	ask acts.dnt "SELECT 'refused!' || inode FROM v_conn JOIN sock USING (sock_id)
		WHERE failed AND error = 'ECONNREFUSED'" | sort >got
	equal "$rung: connections refused"
	is "$(ask acts.dnt "SELECT count(*) FROM net_event WHERE kind = 'state' AND state = 'SYN_RECV'")" 0 \
		"$rung: no socket takes the part of one that nobody has accepted yet"
	[ "$rung" != raw_tp,calls ] || break
	# shellcheck disable=SC2086
	record acts.dnt $seen sockets messages
	as_strace "$rung, 1024 messages in a call"
	record acts.dnt calls kept
	is "$? $(ask acts.dnt "SELECT count(*) FROM sock WHERE kind = 'unix'") $(ask acts.dnt \
		"SELECT count(*) FROM net_event WHERE kind = 'close'")" "0 2 1" "$rung: a close that seccomp refuses is none"
	[ "$rung" != calls ] || continue
	record acts.dnt sockets uring >said
	if [ $? = 77 ]; then
		skip "$rung: io_uring" "$(cat .said)"
		continue
	fi
	awk '{ sent[$1] += $2; got[$1] += $3 } END { for (i in sent) print i, sent[i], got[i] }' said | sort >want
	ask acts.dnt "SELECT inode || ' ' || sent || ' ' || received FROM sock WHERE sends + receives" | sort >got
	equal "$rung: what io_uring moves, its workers too"
done
rung=

# Ten times the same ports; each connection moved another number of bytes.
record acts.dnt sockets reuse
is "$(ask acts.dnt "SELECT count(*) || ' ' || sum(a.sent = b.received) || ' ' || sum(a.peer_sock_id = b.sock_id) ||
	' ' || sum(a.resets = 1 AND b.resets = 1) || ' ' || count(DISTINCT a.local || a.remote)
	FROM v_conn AS a JOIN v_conn AS b ON b.peer_sock_id = a.sock_id WHERE a.direction = 'out'")" \
	"10 10 10 10 1" "the same ports again and again: each end knows its own other"

# More than wait to be accepted: those that TCP_INFO shows in SYN_SENT (2) never come about.
record acts.dnt sockets backlog >said
awk '{ print $1, $2 == 2 }' said | sort >want
ask acts.dnt "SELECT s.inode || ' ' || c.failed FROM v_conn AS c JOIN sock AS s USING (sock_id)
	WHERE c.direction = 'out' AND (c.connect_ns IS NULL) = c.failed" | sort >got
equal "a listener's queue is full: attempts given up"
ok "there are some" grep -q ' 1$' want

# --- namespaces, sockets that were there -------------------------------------------------
record acts.dnt sockets namespace >said
if [ $? = 77 ]; then
	skip "network namespaces" "$(cat .said)"
else
	cut -d ' ' -f 1,2 said >want
	ask acts.dnt "SELECT inode || ' ' || netns FROM sock WHERE sends" >got
	equal "network namespaces"
fi
sockets given-to denet-record -q -o acts.dnt sockets given >said
is "$(ask acts.dnt "SELECT origin || ' ' || inode || ' ' || fd || ' ' || received || ' ' || sent FROM sock")" \
	"inherited $(sed -n '1s/ .*//p' said) 0 $(sed -n 2p said)" "a socket that the command is given"

denet-record -q --no-net -o acts.dnt sockets tcp
is "$? $(ask acts.dnt "SELECT (SELECT count(*) FROM sock) || ' ' || (SELECT count(*) FROM net_event) || ' ' ||
	(SELECT count(*) FROM probes WHERE name LIKE '%sock%' AND rung <> 'none')")" "0 0 0 0" "--no-net: nothing of sockets"
ok "--no-net: but the calls" test "$(ask acts.dnt "SELECT count(*) FROM syscalls WHERE name = 'socket'")" -gt 0

# --- what ss shows ---------------------------------------------------------------------------
# The recording ends while another process of it still holds them, and an acknowledgement
# that was put off has come.
mkfifo go
# shellcheck disable=SC2016
record held.dnt sh -c 'sockets hold 3 3<>go >held & echo $! >pid; until grep -q held held || [ $((n += 1)) = 500 ]; do sleep 0.02; done; sleep 0.5'
ss -Htanpie exclude time-wait | paste -d ' ' - - >tcp
ss -Huanpe >udp
ss -Hxanp >unix
kill "$(cat pid)"

# TCP: ss says [::]:* and 0.0.0.0:* for none.
sed -E 's/^([A-Z0-9-]+) +[0-9]+ +[0-9]+ +([^ ]+) +([^ ]+) .*fd=([0-9]+).* ino:([0-9]+) (.*)/\5 \1 \2 \3 \4 \6/
	s/ [^ ]+:\* / /; s/ ESTAB / ESTABLISHED /; s/ FIN-WAIT-/ FIN_WAIT/; s/ CLOSE-WAIT / CLOSE_WAIT /' tcp |
	awk 'function figure(name,   v) {
			if (!match($0, " " name ":[0-9.]+")) return 0
			v = substr($0, RSTART, RLENGTH); sub(/.*:/, "", v); return v + 0 }
		{ line = $1 "\t" $2 "\t" $3 "\t" ($2 == "LISTEN" ? "" : $4) "\t" $(4 + ($2 != "LISTEN")) "\t"
		  if ($2 ~ /WAIT/)	# a shutdown counts as a byte received
			print line
		  else
			print line figure("bytes_sent") - figure("bytes_retrans") "\t" figure("bytes_received") }' | sort >want
ask held.dnt "SELECT s.inode || '!' || s.state || '!' || s.local || '!' || ifnull(s.remote, '') || '!' || s.fd ||
	'!' || iif(s.state LIKE '%WAIT%', '', s.sent || '!' || s.received) FROM sock AS s
	WHERE s.kind = 'tcp' AND s.state <> 'CLOSE'" | sort >got
equal "TCP as ss shows it"
awk '{ for (i = 1; i <= NF; i++) { if ($i ~ /^ino:/) ino = substr($i, 5)
		if ($i ~ /^rtt:/) { split(substr($i, 5), part, "/"); printf "%s\t%d\n", ino, part[1] * 1000 + 0.5 } } }' tcp |
	sort >want
ask held.dnt "SELECT inode || '!' || srtt_us FROM v_conn JOIN sock USING (sock_id) WHERE srtt_us" | sort >got
equal "its round-trip times"
sed -E 's/^[A-Z]+ +[0-9]+ +[0-9]+ +([^ ]+) +([^ ]+) .*fd=([0-9]+).* ino:([0-9]+) .*/\4\t\1\t\2\t\3/' udp | sort >want
ask held.dnt "SELECT inode || '!' || local || '!' || remote || '!' || fd FROM sock WHERE kind = 'udp'" | sort >got
equal "UDP as ss shows it"
# u_seq ESTAB 0 0 NAME INODE * PEER; a name may have a blank in it.
sed -E 's/^u_([a-z]+) +[A-Z]+ +[0-9]+ +[0-9]+ +([^ ].*) ([0-9]+) +\* ([0-9]+) .*fd=([0-9]+).*/\3\t\1\t\2\t\4\t\5/
	s/\tdgr\t/\tdgram\t/; s/\tseq\t/\tseqpacket\t/' unix | sort >want
ask held.dnt "SELECT s.inode || '!' || s.type || '!' || ifnull(substr(s.local, 6), '*') || '!' ||
	ifnull(p.inode, 0) || '!' || s.fd FROM sock AS s LEFT JOIN v_conn AS c USING (sock_id)
	LEFT JOIN sock AS p ON p.sock_id = c.peer_sock_id WHERE s.kind = 'unix'" | sort >got
equal "UNIX sockets as ss shows them"
is "$(ask held.dnt "SELECT count(*) || ' ' || sum(a.peer_sock_id = b.sock_id) || ' ' || sum(a.sent = b.received)
	FROM v_conn AS a JOIN v_conn AS b ON b.peer_sock_id = a.sock_id WHERE a.kind = 'tcp'")" \
	"$(printf '%s %s %s' 8 8 8)" "each end of a TCP connection knows the other, which got what it sent"
done_testing
