#!/bin/sh
# Connections that do not come about, lose segments, or come by the thousand: between two
# network namespaces, with their own counters as the oracle.
. "$(dirname "$0")/lib.sh"
. "$oracle/lib-net.sh"
need_cmd ip nft
need_bpf
two_hosts 2>ip.said || skip_all "network namespaces cannot be made here: $(head -n 1 ip.said)"

# --- thousands -----------------------------------------------------------------------
record many.dnt ip netns exec "$far" sockets many 5000
is $? 0 "5,000 connections: the status"
is "$(ask many.dnt "SELECT sum(origin = 'accept') || ' ' || sum(origin = 'socket') || ' ' || count(DISTINCT inode)
	FROM sock WHERE kind = 'tcp'")" "5000 5001 10001" "5,000 connections: a row for each end, and who listens"
is "$(ask many.dnt "SELECT count(*) || ' ' || sum(a.sent = b.received AND b.sent = a.received) || ' ' ||
	sum(a.peer_sock_id = b.sock_id) || ' ' || sum(a.end_ns > a.start_ns AND b.end_ns > b.start_ns)
	FROM v_conn AS a JOIN v_conn AS b ON a.peer_sock_id = b.sock_id WHERE a.direction = 'out'")" \
	"5000 5000 5000 5000" "5,000 connections: both ends, and their ends"
is "$(ask many.dnt "SELECT lost || ' ' || complete FROM traces")" "0 1" "5,000 connections: nothing is lost"
books many.dnt "5,000 connections"

# As many at one time, faster than anybody reads of them.
record crowd.dnt sockets crowd 9000
if [ $? = 77 ]; then
	skip "18,000 sockets at once" "$(cat .said)"
else
	is "$(ask crowd.dnt "SELECT count(*) || ' ' || count(DISTINCT inode) || ' ' || sum(sent) || ' ' || sum(received)
		FROM sock WHERE kind = 'unix' AND origin = 'pair'")" "18000 18000 9000 9000" "18,000 sockets at once"
	is "$(ask crowd.dnt "SELECT sum(value) FROM raw_counter JOIN raw_counter_name USING (counter)
		WHERE name LIKE '%_lost'")" 0 "18,000 sockets at once: nothing is lost"
	books crowd.dnt "18,000 sockets at once"
fi

# --- no connection ---------------------------------------------------------------------
# Not answered at all, refused by an administrator, and by nobody's being there.
ip netns exec "$far" nft -f - <<'END' 2>nft.said
table ip test {
	counter lost { }
	chain in {
		type filter hook input priority 0;
		tcp dport 1001 drop
		tcp dport 1002 reject with icmp type host-unreachable
		tcp dport 1004 numgen inc mod 20 == 7 counter name lost drop
	}
}
END
if [ -s nft.said ]; then
	skip "packets dropped" "$(head -n 1 nft.said)"
	done_testing
fi
ip netns exec "$near" sh -c 'echo 1 >/proc/sys/net/ipv4/tcp_syn_retries'
again=$(counted "$near" Tcp.RetransSegs)
# shellcheck disable=SC2016
record none.dnt ip netns exec "$near" sh -c 'for port in 1001 1002 1003; do
	sockets send 192.0.2.2 $port 10 2>>errors; done; exit 0'
again=$(($(counted "$near" Tcp.RetransSegs) - again))
# What connect(2) said, as the C library says it.
sed 's/.*timed out/ETIMEDOUT/; s/.*No route.*/EHOSTUNREACH/; s/.*refused/ECONNREFUSED/' errors |
	awk '{ print "192.0.2.2:" 1000 + NR, $1 }' >want
ask none.dnt "SELECT remote || ' ' || error FROM v_conn WHERE failed AND connect_ns IS NULL ORDER BY remote_port" >got
equal "connections that do not come about: what connect says"
is "$(ask none.dnt "SELECT sum(retransmits) || ' ' || sum(sent) FROM v_conn")" "$again 0" \
	"and what was sent again for them"
ok "something was" test "$again" -gt 0
is "$(ask none.dnt "SELECT min(end_ns - start_ns) >= 1e9 FROM v_conn WHERE error = 'ETIMEDOUT'")" 1 \
	"the one that nobody answers takes its time"

# --- loss --------------------------------------------------------------------------------
again=$(counted "$near" Tcp.RetransSegs)
# shellcheck disable=SC2016
record loss.dnt sh -c 'ip netns exec "$2" sockets serve 192.0.2.2 1004 >listens &
	until grep -q listens listens || [ $((n += 1)) = 500 ]; do sleep 0.02; done
	ip netns exec "$1" sockets send 192.0.2.2 1004 3000000 && wait $! && sleep 0.5' sh "$near" "$far"
is $? 0 "segments lost: the status"
again=$(($(counted "$near" Tcp.RetransSegs) - again))
ok "segments are lost" \
	test "$(ip netns exec "$far" nft list counter ip test lost | sed -n 's/.*packets \([0-9]*\).*/\1/p')" -gt 0
is "$(ask loss.dnt "SELECT a.sent || ' ' || b.received || ' ' || a.retransmits || ' ' || (a.srtt_us > 0) || ' ' ||
	(a.dur_ns > a.connect_ns) FROM v_conn AS a JOIN v_conn AS b ON b.peer_sock_id = a.sock_id
	WHERE a.direction = 'out'")" "3000000 3000000 $again 1 1" \
	"bytes count once, and what is sent again is known ($again)"
# An event may stand for several segments that were sent as one (GSO).
is "$(ask loss.dnt "SELECT count(*) BETWEEN 1 AND $again FROM net_event WHERE kind = 'retransmit'")" 1 "and when"
done_testing
