# strace_net.awk - what went through sockets, out of a log of
#
#   strace -f -y -v -s 0 -e signal=none -e trace=%network,read,write,readv,writev,splice,sendfile
#
#   bytes TID INODE SENT RECEIVED    of each thread through each socket
#   count INODE SENDS RECEIVES       those that succeeded
#   made HOW INODE                   by the call: socket, accept, pair
#   refused INODE                    a connection that was not to be had
#
# What was only looked at (MSG_PEEK, MSG_ERRQUEUE) is not received.

# The inode of a socket, out of a descriptor as -y shows it; "": it is none.
function inode(text) {
	if (text !~ /^-?[0-9]+<socket:\[[0-9]+\]>/)
		return ""
	sub(/^[^[]*\[/, "", text)
	sub(/\].*/, "", text)
	return text
}

function moved(tid, sock, n, messages, out) {
	if (sock == "")
		return
	key = tid "\t" sock
	sent[key] += out ? n : 0
	received[key] += out ? 0 : n
	sends[sock] += out ? messages : 0
	receives[sock] += out ? 0 : messages
}

# Of the messages of a sendmmsg or a recvmmsg the first n.
function lengths(text, n,   i, sum, part) {
	split(text, part, /msg_len=/)
	for (i = 2; i <= n + 1; i++)
		sum += part[i] + 0
	return sum
}

{
	tid = $1
	line = $0
	sub(/^[0-9]+ +/, "", line)
}
line ~ /<unfinished \.\.\.>$/ {
	sub(/ *<unfinished \.\.\.>$/, "", line)
	open[tid] = line
	next
}
line ~ /^<\.\.\. [a-z0-9_]+ resumed>/ {
	sub(/^<\.\.\. [a-z0-9_]+ resumed>/, "", line)
	line = open[tid] line
}
line ~ /^connect\(.* = -1 ECONNREFUSED/ || line ~ /^getsockopt\(.*, SOL_SOCKET, SO_ERROR, \[ECONNREFUSED\]/ {
	sub(/^[a-z]+\(/, "", line)
	refused[inode(line)] = 1
	next
}
line !~ /^[a-z0-9_]+\(.* = [0-9]+/ { next }
{
	call = line
	sub(/\(.*/, "", call)
	n = line
	sub(/.* = /, "", n)
	if (call == "socket" && inode(n) != "")
		print "made\tsocket\t" inode(n)
	if (call ~ /^accept4?$/ && inode(n) != "")
		print "made\taccept\t" inode(n)
	n += 0
	sub(/^[a-z0-9_]+\(/, "", line)
	if (call == "socketpair") {
		sub(/^[^[]*, \[/, "", line)
		print "made\tpair\t" inode(line)
		sub(/^[^,]*, /, "", line)
		print "made\tpair\t" inode(line)
		next
	}
	sock = inode(line)
	second = line	# of splice and sendfile
	sub(/^[^,]*, /, "", second)
	if (call == "splice")
		sub(/^[^,]*, /, "", second)
	if (line ~ /MSG_PEEK|MSG_ERRQUEUE/)
		next
	if (call ~ /^(write|writev|sendto|sendmsg)$/)
		moved(tid, sock, n, 1, 1)
	else if (call ~ /^(read|readv|recvfrom|recvmsg)$/)
		moved(tid, sock, n, 1, 0)
	else if (call ~ /^(sendmmsg|recvmmsg)$/)
		moved(tid, sock, lengths(line, n), n, call == "sendmmsg")
	else if (call == "sendfile")
		moved(tid, sock, n, 1, 1)
	else if (call == "splice") {
		moved(tid, sock, n, 1, 0)
		moved(tid, inode(second), n, 1, 1)
	}
}
END {
	for (key in sent)
		printf "bytes\t%s\t%d\t%d\n", key, sent[key], received[key]
	for (sock in sends)
		printf "count\t%s\t%d\t%d\n", sock, sends[sock], receives[sock]
	for (sock in refused)
		print "refused\t" sock
}
