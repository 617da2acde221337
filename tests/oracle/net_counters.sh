#!/bin/sh
# Bytes by process against what came through an interface, less headers: clients and servers in two
# network namespaces that a cable of their own connects, with a counter at each end of it.
#
# A packet counts there without its Ethernet header. IP has 20 or 40 bytes of header, UDP 8, TCP
# 20 and 12 of time stamps, and 8 more options on a SYN, which each end of a connection sends
# once. What the device takes in one piece, whatever its size, has one header. A segment that is sent
# again comes through twice: such a run says nothing and is made again. One that overtakes another
# is told of in an option, unless that is switched off.
. "$(dirname "$0")/lib.sh"
. "$oracle/lib-net.sh"
need_cmd ip nft
need_bpf
two_hosts 2>ip.said || skip_all "network namespaces cannot be made here: $(head -n 1 ip.said)"
export near far
inside() { ns=$1; shift; ip netns exec "$ns" "$@"; }

for host in "$near/near0" "$far/far0"; do
	inside "${host%/*}" sh -c 'echo 0 >/proc/sys/net/ipv4/tcp_sack'
	inside "${host%/*}" nft -f - <<END
table netdev wire {
	counter tcp_in { }
	counter udp_in { }
	chain in {
		type filter hook ingress device "${host#*/}" priority 0
		meta l4proto tcp counter name "tcp_in"
		meta l4proto udp counter name "udp_in"
	}
}
END
done 2>nft.said
[ ! -s nft.said ] || skip_all "packets cannot be counted at an interface: $(head -n 1 nft.said)"
came() { inside "$1" nft list counter netdev wire "$2_in" | sed -n 's/.*packets \([0-9]*\) bytes \([0-9]*\).*/\2\n\1/p'; }
wire() { # bytes and packets that $near sent and got, connections it began, segments sent again
	came "$far" "$1"
	came "$near" "$1"
	counted "$near" Tcp.ActiveOpens
	echo $(($(counted "$near" Tcp.RetransSegs) + $(counted "$far" Tcp.RetransSegs)))
}

# compare NAME IP TRANSPORT COMM: t.dnt was recorded between the files before and after.
# What $near sent and got, and the process of that name in it.
compare() {
	paste -d ' ' before after | awk -v ip="$2" -v transport="$3" '{ d[NR] = $2 - $1 }
		END { head = ip + (transport == "tcp" ? 32 : 8); syn = transport == "tcp" ? 8 * d[5] : 0
		      print d[1] - d[2] * head - syn "\t" d[3] - d[4] * head - syn }' >want
	ask t.dnt "SELECT sum(b.sent) || '!' || sum(b.received) FROM sock_bytes AS b JOIN sock USING (sock_id)
		WHERE netns = $(stat -Lc %i "/run/netns/$near") AND sock.kind = '$3' AND b.comm = '$4'" >got
	equal "$1: $4 sent and got what the interface did"
	[ "$3" = tcp ] || return
	ask t.dnt "SELECT sum(b.received) || '!' || sum(b.sent) FROM sock_bytes AS b JOIN sock USING (sock_id)
		WHERE netns = $(stat -Lc %i "/run/netns/$far") AND sock.kind = '$3'" >got
	equal "$1: and the other end the reverse"
}
# measured TRANSPORT COMMAND...: recorded, with the counters before it and after the last
# acknowledgement.
measured() {
	transport=$1
	shift
	for try in 1 2 3 4 5; do
		wire "$transport" >before
		record t.dnt "$@"
		sleep 0.5
		wire "$transport" >after
		[ "$(tail -n 1 before)" != "$(tail -n 1 after)" ] || return 0
		diag "segments were sent again: once more, after $try"
	done
}
# listens NS PORT: waits until somebody does, without a connection.
cat >listens <<'END'
for i in $(seq 200); do
	ip netns exec "$1" ss -Htln "sport = $2" | grep -q . && exit
	sleep 0.05
done
END

head -c 3000000 /dev/urandom >page
if here nginx "nginx and curl" && here curl "nginx and curl"; then
	cat >nginx.conf <<END
daemon off; user root; pid $PWD/pid; error_log $PWD/error_log; worker_processes 2;
events { worker_connections 64; }
http { access_log off; client_body_temp_path $PWD/body; proxy_temp_path $PWD/p; fastcgi_temp_path $PWD/f;
	uwsgi_temp_path $PWD/u; scgi_temp_path $PWD/s; root $PWD; sendfile on; lingering_close off;
	server { listen 192.0.2.2:8080; listen [2001:db8::2]:8080; } }
END
	cat >drive <<'END'
ip netns exec "$far" nginx -c "$PWD/nginx.conf" -e "$PWD/error_log" -p "$PWD" &
sh ./listens "$far" 8080
ip netns exec "$near" curl -g -s -o o1 "$1/page" -o o2 "$1/none" -o o3 "$1/page"
sleep 0.5
kill -QUIT "$(cat pid)"
wait
END
	measured tcp sh ./drive http://192.0.2.2:8080
	compare "curl and nginx" 20 tcp curl
	measured tcp sh ./drive 'http://[2001:db8::2]:8080'
	compare "curl and nginx, IPv6" 40 tcp curl
fi
if here redis-server redis && here redis-benchmark redis; then
	cat >drive <<'END'
ip netns exec "$far" redis-server --bind 192.0.2.2 --protected-mode no --save '' --daemonize no --dir "$PWD" >redis.log &
sh ./listens "$far" 6379
ip netns exec "$near" redis-benchmark -h 192.0.2.2 -t set,get -n 1000 -c 5 -d 500 -q >bench.says
sleep 0.5
kill $!
wait
exit 0
END
	measured tcp sh ./drive
	compare redis 20 tcp redis-benchmark
fi
if postgres_here postgres; then
	cat >drive <<'END'
ip netns exec "$far" $as postgres -D "$data/base" -h 192.0.2.2 -k "$data" -c fsync=off >pg.log 2>&1 &
sh "$listens" "$far" 5432
ip netns exec "$near" $as pgbench -h 192.0.2.2 -U postgres -n -c 3 -t 20 -f query >bench.says 2>&1
sleep 0.5
kill -INT $!
wait
exit 0
END
	echo "SELECT repeat('x', i) FROM generate_series(1, 100) AS i;" >query
	listens=$scratch/listens
	export listens
	measured tcp sh ./drive
	compare postgres 20 tcp pgbench
	cd "$scratch" || exit
fi
if here nc nc; then
	cat >drive <<'END'
ip netns exec "$far" nc -l 192.0.2.2 7000 >came &
sh ./listens "$far" 7000
ip netns exec "$near" nc -N 192.0.2.2 7000 <page
wait
END
	measured tcp sh ./drive
	is "$(cmp page came 2>&1)" "" "nc: it came"
	compare nc 20 tcp nc
	cat >drive <<'END'
ip netns exec "$far" nc -u -l 192.0.2.2 7001 >came &
sleep 0.3
(for i in 1 2 3 4 5 6 7 8 9; do echo "datagram $i"; sleep 0.02; done) | ip netns exec "$near" nc -u -q 0 192.0.2.2 7001
kill $!
wait
exit 0
END
	measured udp sh ./drive
	is "$(grep -c datagram came)" 9 "nc -u: it came"
	compare "nc -u" 20 udp nc
fi
done_testing
