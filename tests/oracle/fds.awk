# fds.awk - lines of strace -f -yy or of denet-analyze log -y, as
#
#   TID CALL PLACE:NUMBER<WHAT> ...
#
# one for each call: its top-level arguments, the pairs of pipe(2), and its result
# (PLACE =) that are descriptors. WHAT is a path, or one word for things without one, in the terms of
# fd_opens. -v ours=1: our lines, whose first column is PID or PID/TID; there every
# argument that is a bare number counts (NUMBER<>), since it may be a descriptor
# that we do not know.
function what(s)
{
	if (s ~ /^\/memfd:/)
		return "memfd"
	if (s ~ /^\//) {
		sub(/<(char|block) [0-9:]*>$/, "", s)
		sub(/\/#[0-9]+$/, "", s)	# of O_TMPFILE: we name the directory
		return s
	}
	if (s ~ /^pid:/)
		return "pidfd"
	sub(/^anon_inode:/, "", s)
	sub(/^\[/, "", s)
	s = tolower(s)
	sub(/^(tcp|udp)v6/, substr(s, 1, 3), s)
	sub(/^eventpoll/, "epoll", s)
	if (match(s, /^[a-z]+/))	# before the number, the type or the address
		s = substr(s, 1, RLENGTH)
	return s
}

# "3</etc/x>" as "3</etc/x>", with what is in the angles in our terms; "" if it is
# no descriptor.
function token(s, n)
{
	sub(/^ +/, "", s)
	sub(/ +$/, "", s)
	sub(/\(deleted\)$/, "", s)
	if (s !~ /^[0-9]+(<.*>)?$/)
		return ""
	n = s
	sub(/<.*/, "", n)
	if (s !~ /</)
		return ours ? n "<>" : ""
	s = substr(s, length(n) + 2)
	return n "<" what(substr(s, 1, length(s) - 1)) ">"
}

# Argument n: one descriptor, or the two that pipe(2) makes.
function tokens(n, s, k, i, part, t, out)
{
	k = 1
	part[1] = s
	if (s ~ /^ *\[.*\]$/) {
		sub(/^ *\[/, "", s)
		sub(/\]$/, "", s)
		k = split(s, part, /, /)
		if (k != 2)
			return ""
	}
	for (i = 1; i <= k; i++) {
		t = token(part[i])
		if (t != "")
			out = out " " n (k > 1 ? "." i : "") ":" t
	}
	return out
}

function line(tid, s, name, out, result, n, i, piece, c, depth, angle, t)
{
	name = s
	sub(/\(.*/, "", name)
	s = substr(s, length(name) + 2)
	gsub(/->/, "~", s)			# in the address of a socket
	gsub(/=>/, "=~", s)
	out = ""
	depth = angle = 0
	piece = ""
	n = 0
	for (i = 1; i <= length(s); i++) {
		c = substr(s, i, 1)
		if (c == "<")
			angle++
		else if (c == ">")
			angle--
		if (!angle && c ~ /[[({]/)
			depth++
		else if (!angle && c ~ /[])}]/)
			depth--
		if (depth < 0 || (!angle && !depth && c == ",")) {
			out = out tokens(n, piece)
			n++
			piece = ""
			if (depth < 0)
				break
			continue
		}
		piece = piece c
	}
	result = substr(s, i + 1)
	if (result !~ /^ += /)
		return
	sub(/^ += /, "", result)
	if (result ~ /^(-|\?)/)
		result = ""
	sub(/ <[0-9.]+>$/, "", result)
	if (result ~ /^[0-9]+<.*>/ || ours) {
		t = token(result)
		if (t != "")
			out = out " =:" t
	}
	print tid, name out
}

{
	tid = $1
	sub(/.*\//, "", tid)
	s = $0
	if (ours)
		sub(/^[^ ]+ +[-0-9.]+ /, "", s)
	else
		sub(/^[0-9]+ +/, "", s)
	gsub(/\\"/, "", s)
	gsub(/"[^"]*"(\.\.\.)?/, "", s)
	gsub(/\/\*[^*]*\*\//, "", s)
}

s ~ /^(---|\+\+\+|<detached)/ { next }

s ~ / <unfinished \.\.\.>$/ {
	sub(/ <unfinished \.\.\.>$/, "", s)
	open[tid] = s
	next
}

s ~ /^<\.\.\. .* resumed>/ {
	sub(/^<\.\.\. [^ ]* resumed>/, "", s)
	s = open[tid] s
	delete open[tid]
}

{ line(tid, s) }
