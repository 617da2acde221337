#!/bin/sh
# Servers and clients that people have, in two network namespaces: what they say themselves
# of their bytes, and the counters of the namespaces, are what the trace has.
. "$(dirname "$0")/lib.sh"
. "$oracle/lib-net.sh"
need_cmd ip
need_bpf
two_hosts 2>ip.said || skip_all "network namespaces cannot be made here: $(head -n 1 ip.said)"
export near far

# both_ends NAME: in t.dnt each end of each connection got what the other end sent; but what
# is in a pair when its processes end may stay there.
both_ends() {
	ask t.dnt "SELECT a.kind || ' ' || a.sock_id || ' ' || a.sent FROM v_conn AS a WHERE peer_sock_id
		AND direction <> 'pair' ORDER BY 1" >want
	ask t.dnt "SELECT a.kind || ' ' || a.sock_id || ' ' || b.received FROM v_conn AS a JOIN v_conn AS b
		ON a.peer_sock_id = b.sock_id WHERE a.direction <> 'pair' ORDER BY 1" >got
	equal "$1: each end got what the other one sent"
	is "$(ask t.dnt "SELECT lost FROM traces")" 0 "$1: nothing is lost"
}

echo "a few words" >small

# --- nginx, curl ------------------------------------------------------------------------
# Twice the same pages and an upload over kept connections: with sendfile, and without.
if here nginx "nginx and curl" && here curl "nginx and curl"; then
	head -c 300000 /dev/urandom >page
	cat >nginx.conf <<END
daemon off; user root; pid $PWD/pid; error_log $PWD/error_log; worker_processes 2;
events { worker_connections 64; }
http {
	log_format bytes '\$request_method \$remote_port \$bytes_sent \$request_length';
	access_log $PWD/access_log bytes;
	client_body_temp_path $PWD/body; proxy_temp_path $PWD/p; fastcgi_temp_path $PWD/f;
	uwsgi_temp_path $PWD/u; scgi_temp_path $PWD/s;
	root $PWD;
	server { listen 192.0.2.2:8080; listen [2001:db8::2]:8080; sendfile on; }
	server { listen 192.0.2.2:8081; listen [2001:db8::2]:8081; sendfile off; }
}
END
	cat >drive <<'END'
ip netns exec "$far" nginx -c "$PWD/nginx.conf" -e "$PWD/error_log" -p "$PWD" &
until [ -s pid ] || [ $((n += 1)) = 500 ]; do sleep 0.02; done
for url in http://192.0.2.2:8080 http://192.0.2.2:8081 'http://[2001:db8::2]:8080' 'http://[2001:db8::2]:8081'; do
	ip netns exec "$near" curl -g -s -w '%{local_port} %{size_download} %{size_header} %{size_upload} %{size_request}\n' \
		-o o1 "$url/page" -o o2 "$url/small" -o o3 "$url/none" -o o4 "$url/page"
	ip netns exec "$near" curl -g -s -w '%{local_port} %{size_download} %{size_header} %{size_upload} %{size_request}\n' \
		-H Expect: -o o5 --data-binary @page "$url/small"
done >curl.says
kill -QUIT "$(cat pid)"
wait
END
	record t.dnt sh ./drive
	is $? 0 "nginx and curl: the status"
	awk '{ got[$1] += $2 + $3; sent[$1] += $5 + ($4 > 0 ? $4 : 0) } END { for (i in got) print i, sent[i], got[i] }' curl.says |
		sort >want
	ask t.dnt "SELECT DISTINCT CAST(replace(local, rtrim(local, '0123456789'), '') AS INTEGER) || ' ' || sent || ' ' ||
		received FROM v_conn WHERE kind = 'tcp' AND direction = 'out' AND comm = 'curl'" | sort >got
	equal "curl: bytes of each connection, as it says"
	# Of a body that it refuses it counts a part.
	awk '{ sent[$2] += $3; got[$2] += $4 } $1 == "POST" { post[$2] = 1 }
		END { for (i in sent) print i, sent[i], i in post ? "" : got[i] }' access_log | sort >want
	posts=$(awk '$1 == "POST" { print $2 }' access_log | paste -sd , -)
	ask t.dnt "SELECT remote_port || ' ' || sent || ' ' || iif(remote_port IN ($posts), '', received) FROM v_conn
		WHERE kind = 'tcp' AND direction = 'in'" | sort >got
	equal "nginx: bytes of each connection, as its log says"
	both_ends "nginx and curl"
	books t.dnt "nginx and curl"
fi

# --- redis ------------------------------------------------------------------------------
if here redis-server "redis" && here redis-benchmark "redis"; then
	cat >drive <<'END'
ip netns exec "$far" redis-server --bind 192.0.2.2 --protected-mode no --save '' --daemonize no --dir "$PWD" >redis.log &
until ip netns exec "$near" redis-cli -h 192.0.2.2 ping >ping.says 2>&1 || [ $((n += 1)) = 200 ]
do sleep 0.05; done
ip netns exec "$near" redis-benchmark -h 192.0.2.2 -t set,get,lrange_100 -n 500 -c 7 -d 300 -q >bench.says
ip netns exec "$near" redis-cli -h 192.0.2.2 info stats >info
kill $!
wait
exit 0
END
	record t.dnt sh ./drive
	# The reply that says so is not in what it says.
	info=$(ask t.dnt "SELECT received FROM v_conn WHERE comm = 'redis-cli' AND direction = 'out' AND NOT failed
		ORDER BY start_ns DESC LIMIT 1")
	is "$(ask t.dnt "SELECT sum(received) || ' ' || (sum(sent) - $info) FROM v_conn
		WHERE comm = 'redis-server' AND direction = 'in'")" \
		"$(tr -d '\r' <info | awk -F : '/^total_net_(input|output)_bytes/ { v[$1] = $2 }
			END { print v["total_net_input_bytes"], v["total_net_output_bytes"] }')" "redis: bytes as it says"
	both_ends "redis"
fi

# --- postgres -----------------------------------------------------------------------------
if postgres_here postgres; then
	# TERM lets each server process read its client's last message before it ends; INT does not.
	cat >drive <<'END'
ip netns exec "$far" $as postgres -D "$data/base" -h 192.0.2.2 -k "$data" -c fsync=off >pg.log 2>&1 &
until ip netns exec "$near" $as pg_isready -q -h 192.0.2.2 || [ $((n += 1)) = 100 ]; do sleep 0.1; done
for host in 192.0.2.2 "$data"; do
	ip netns exec "$near" $as psql -h "$host" -U postgres -At -c "SELECT repeat('x', 70000)" -c 'SELECT 1/0' >rows 2>&1
	ip netns exec "$near" $as pgbench -h "$host" -U postgres -n -c 3 -t 20 -f query >bench.says 2>&1 || status=1
done
kill -TERM $!
wait
exit ${status:-0}
END
	echo "SELECT sum(i) FROM generate_series(1, 100) AS i;" >query
	record t.dnt sh ./drive
	is $? 0 "postgres: the status"
	ok "postgres: by TCP and by UNIX socket" test "$(ask t.dnt "SELECT group_concat(kind, ' ') FROM (SELECT DISTINCT kind
		FROM v_conn WHERE comm = 'pgbench' AND sent > 0 ORDER BY 1)")" = "tcp unix"
	both_ends "postgres"
	cd "$scratch" || exit
fi

# --- UDP, ICMP, nc ---------------------------------------------------------------------------
# Port 53, as a name server has it. IP has 20 bytes of header or 40, UDP 8.
out() { # octets and datagrams that went out of $near: by IPv4, by IPv6 less what went to groups
	if [ "$1" = 20 ]; then
		echo "$(counted "$near" IpExt.OutOctets) $(counted "$near" Udp.OutDatagrams)"
	else
		ip netns exec "$near" awk '$1 == "Ip6OutOctets" { o += $2 } $1 == "Ip6OutMcastOctets" { o -= $2 }
			$1 == "Udp6OutDatagrams" { d = $2 } END { print o, d }' /proc/net/snmp6
	fi
}
for address in 192.0.2.2 2001:db8::2; do
	header=20
	case $address in *::*) header=40 ;; esac
	out $header >before
	# shellcheck disable=SC2016
	record t.dnt sh -c 'ip netns exec "$far" sockets answer "$1" 53 200 >listens &
		until grep -q listens listens || [ $((n += 1)) = 500 ]; do sleep 0.02; done
		ip netns exec "$near" sockets ask "$1" 53 200; wait' sh $address
	out $header >after
	is "$(ask t.dnt "SELECT sent || ' ' || sends || ' ' || receives || ' ' || (received = 2 * sent) FROM sock
		WHERE kind = 'udp' AND local NOT LIKE '%:53'")" \
		"$(cat before after | awk -v header=$header 'NR == 1 { o = $1; d = $2 }
			NR == 2 { n = $2 - d; print $1 - o - n * (header + 8), n, n, 1 }')" \
		"UDP to port 53 of $address: bytes as the namespace counts them"
	is "$(ask t.dnt "SELECT sends || ' ' || (received * 2 = sent) FROM sock WHERE local LIKE '%:53'")" "200 1" \
		"and who answers there"
done

if here ping "ping"; then
	echo "$(counted "$near" IpExt.OutOctets) $(counted "$near" Icmp.OutEchos)" >before
	record t.dnt ip netns exec "$near" ping -q -c 3 -i 0.1 -s 1000 192.0.2.2 >ping.says
	echo "$(counted "$near" IpExt.OutOctets) $(counted "$near" Icmp.OutEchos)" >after
	is "$(ask t.dnt "SELECT sends || ' ' || sent FROM sock WHERE sends AND kind IN ('icmp', 'raw') AND family = 'inet'")" \
		"$(cat before after | awk 'NR == 1 { o = $1; n = $2 } NR == 2 { print $2 - n, $1 - o - 20 * ($2 - n) }')" \
		"ping: echo requests, and their bytes"
fi

if here nc "nc"; then
	head -c 777777 /dev/urandom >page
	# shellcheck disable=SC2016
	record t.dnt sh -c 'ip netns exec "$far" nc -l -N 192.0.2.2 1234 <small >got.page & n=0
		until ip netns exec "$near" nc -N 192.0.2.2 1234 <page >got.small || [ $((n += 1)) = 100 ]; do sleep 0.05; done
		wait'
	is "$(ask t.dnt "SELECT sent || ' ' || received FROM v_conn WHERE direction = 'out' AND NOT failed")" \
		"$(($(wc -c <got.page))) $(($(wc -c <got.small)))" "nc: a file each way"
	both_ends "nc"
fi
done_testing
