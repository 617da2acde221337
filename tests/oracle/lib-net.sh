# lib-net.sh - what the tests of sockets share. Source it after lib.sh.
#
#   ask FILE QUERY    the lines of an answer of one column, "!" made a tab
#   equal NAME        the files want and got are equal, and there is something in them
#   two_hosts         two network namespaces, $near and $far, with a cable between them;
#                     removed when the test ends. Fails where there can be none.
#   here PROGRAM NAME whether it is installed; else the case is skipped
#   postgres_here NAME    the same, and a cluster for it in $data, where the test then stands;
#                     $as COMMAND is run by its user
#   counted NS NAME   a counter of /proc/net/snmp and netstat there: Tcp.RetransSegs
# shellcheck shell=sh

ask() { denet-analyze "$1" --csv --sql "$(echo "$2" | tr '\n\t' '  ')" | tr -d '\r' | sed '1d; s/^"\(.*\)"$/\1/' | tr '!' '\t'; }

equal() {
	if ! cmp -s want got; then
		not_ok "$1" "$(diff want got | head -n 20)"
	elif [ ! -s want ]; then
		not_ok "$1" "there is nothing to compare"
	else
		pass "$1 ($(($(wc -l <want))))"
	fi
}

clean_up() {
	ip netns del "$near" 2>/dev/null
	ip netns del "$far" 2>/dev/null
	cd / && rm -rf "$scratch"
}

two_hosts() {
	near=dn-near-$$
	far=dn-far-$$
	trap clean_up EXIT
	trap 'exit 1' HUP INT TERM
	ip netns add $near && ip netns add $far &&
		ip -n $near link add near0 address 02:00:00:00:00:01 type veth peer name far0 \
			address 02:00:00:00:00:02 netns $far || return
	for host in near far; do
		eval "ns=\$$host"
		number=$([ $host = near ] && echo 1 || echo 2)
		other=$((3 - number))
		# Nobody asks for routers or neighbours while bytes are counted.
		ip netns exec "$ns" sh -c "echo 0 >/proc/sys/net/ipv6/conf/${host}0/router_solicitations" || return
		ip -n "$ns" link set lo up && ip -n "$ns" link set ${host}0 up &&
			ip -n "$ns" addr add 192.0.2.$number/24 dev ${host}0 &&
			ip -n "$ns" addr add 2001:db8::$number/64 dev ${host}0 nodad || return
		for address in 192.0.2.$other 2001:db8::$other; do
			ip -n "$ns" neigh add $address lladdr 02:00:00:00:00:0$other dev ${host}0 nud permanent || return
		done
	done
}

here() {
	command -v "$1" >/dev/null && return
	skip "$2" "$1 is not installed"
	false
}

postgres_here() {
	pg=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | tail -n 1)
	if [ -z "$pg" ] || ! id postgres >/dev/null 2>&1; then
		skip "$1" "it is not installed"
		return 1
	fi
	# Directories above ours may be closed to its user.
	data=$(mktemp -d /tmp/denet-pg.XXXXXX)
	trap 'rm -rf "$data"; clean_up' EXIT
	chown postgres "$data"
	cd "$data" || exit
	as="setpriv --reuid=postgres --regid=postgres --clear-groups env -u LC_ALL"
	$as "$pg/initdb" -D "$data/base" -A trust -N >"$scratch/initdb.says" 2>&1
	echo "host all all 192.0.2.0/24 trust" >>base/pg_hba.conf
	PATH=$pg:$PATH
	export as data
}

counted() {
	ip netns exec "$1" cat /proc/net/snmp /proc/net/netstat | awk -v want="$2" '
		$1 != last { last = $1; n = split($0, name, " "); next }
		{ for (i = 2; i <= NF; i++) if (substr($1, 1, length($1) - 1) "." name[i] == want) print $i; last = "" }'
}
