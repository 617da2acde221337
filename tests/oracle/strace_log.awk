# strace_log.awk - the log of `strace -f -o LOG -X raw -xx` as lines with tabs:
#
#   call TID NAME ARGS RESULT    RESULT: 0xN, -ENAME or ?; with -v raw=1 (strace -e
#                                raw=all) ARGS are numbers, else left out
#   text TID NAME I:BYTES...     the strings of path calls (texts.awk): BYTES in
#                                hexadecimal with ... where cut, null, or bad
#   argv TID BYTES               of an execve, each argument ended by 00
#   sig TID NUMBER CODE          a signal that the thread took
#   end TID exit N | signal N    how it ended; or superseded by an execve
#
# A call that was interrupted in the log (<unfinished ...>, <... resumed>) is one
# call, where it returned. One whose thread was killed in it has the result ?. An
# execve by a second thread goes on under the tid of the first one in the log; here
# it has the tid of its caller.
function names(list, i, n, part)
{
	n = split(list, part, " ")
	for (i = 1; i <= n; i++)
		number["SIG" part[i]] = i
}

BEGIN {
	OFS = "\t"
	names("HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT " \
	      "CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS")
}

# 0xfffffffa is -6.
function signed(s, i, v)
{
	if (s !~ /^0x/)
		return s
	v = 0
	for (i = 3; i <= length(s); i++)
		v = v * 16 + index("0123456789abcdef", substr(s, i, 1)) - 1
	return v >= 2147483648 ? v - 4294967296 : v
}

# Splits args into arg[0..]; commas within brackets, quotes or remarks do not count.
# Strings have no quotes within: strace -xx.
function split_args(s, n, depth, tok, piece)
{
	n = 0
	depth = 0
	piece = ""
	delete arg
	while (match(s, /"[^"]*"(\.\.\.)?|\/\*[^*]*\*\/|[][(){},]/)) {
		tok = substr(s, RSTART, RLENGTH)
		piece = piece substr(s, 1, RSTART - 1)
		s = substr(s, RSTART + RLENGTH)
		if (tok ~ /^[[({]$/)
			depth++
		else if (tok ~ /^[])}]$/)
			depth--
		if (tok == "," && !depth) {
			arg[n++] = piece
			piece = ""
			sub(/^ +/, "", s)
		} else if (tok !~ /^\/\*/) {
			piece = piece tok
		}
	}
	piece = piece s
	if (n || piece != "")
		arg[n++] = piece
	return n
}

# "\x2f\x61"... to 2f61...
function bytes(s)
{
	gsub(/\\x|"/, "", s)
	return s
}

# A bare number is an address that could not be read, as is one after which strace
# says so.
function text(s)
{
	sub(/ +$/, "", s)
	if (s ~ /^"/)
		return cut(bytes(s))
	return s == "NULL" || s == "0" ? "null" : "bad"
}

function strings(tid, name, args, n, i, part, line, list)
{
	split_args(args)
	if (name in text_args) {
		line = "text" OFS tid OFS name
		n = split(text_args[name], part, ",")
		for (i = 1; i <= n; i++)
			line = line OFS part[i] ":" text(arg[part[i]])
		print line
	}
	if (name == "execve" && arg[1] ~ /^\[/) {
		list = arg[1]
		gsub(/^\[|\]$/, "", list)
		gsub(/", "/, "\\x00", list)
		print "argv", tid, list ~ /^[^"]/ ? "bad" : bytes(list) (list == "" ? "" : "00")
	} else if (name == "execve" && text(arg[1]) == "bad") {
		print "argv", tid, "bad"
	}
}

function call(tid, name, args, result)
{
	if (result ~ /^-1 E/) {
		sub(/^-1 /, "", result)
		sub(/ .*/, "", result)
		result = "-" result
	} else if (result ~ /^\? E/) {
		sub(/^\? /, "", result)
		sub(/ .*/, "", result)
		result = "-" result
	} else if (result ~ /^-1 [(]/) {	# no error that has a name: it was not told, as of one that is killed
		result = "?"
	} else {
		sub(/ .*/, "", result)
	}
	if (name ~ /^syscall_0xffffffff......../)	# a number has 32 bits
		sub(/0xffffffff/, "0x", name)
	if (raw) {
		gsub(/ /, "", args)
		if (args ~ /^<\.\.\./)	# <... resuming interrupted NAME ...>
			args = ""
		print "call", tid, name, args, result
	} else {
		print "call", tid, name, "", result ~ /^[-?]/ ? result : "ok"
		strings(tid, name, args)
	}
}

# NAME(ARGS) = RESULT
function whole(tid, s, name, at, next_at, rest)
{
	name = s
	sub(/\(.*/, "", name)
	s = substr(s, length(name) + 2)
	at = 0
	rest = s
	while (match(rest, /\) += /)) {
		next_at = at + RSTART
		at = next_at
		width = RLENGTH
		rest = substr(s, at + 1)
	}
	if (!at) {
		print "strace_log.awk: line " NR ": no result: " $0 > "/dev/stderr"
		exit 1
	}
	call(tid, name, substr(s, 1, at - 1), substr(s, at + width))
}

{
	tid = $1
	s = $0
	sub(/^[0-9]+ +/, "", s)
}

s ~ /^--- stopped by / { next }

s ~ /^--- SIG/ {
	name = s
	sub(/^--- /, "", name)
	sub(/ .*/, "", name)
	code = ""
	if (match(s, /si_code=[^,}]*/))
		code = signed(substr(s, RSTART + 8, RLENGTH - 8))
	if (name ~ /^SIGRT_/)
		number[name] = 32 + substr(name, 7)
	print "sig", tid, number[name], code
	next
}

s ~ /^\+\+\+ superseded by execve in pid / {
	caller = $8
	open[tid] = open[caller]
	shown_as[tid] = caller
	print "end", tid, "superseded"
	delete open[caller]
	next
}

s ~ /^\+\+\+ exited with / { print "end", tid, "exit " $5; next }
s ~ /^\+\+\+ killed by / { print "end", tid, "signal " number[$5]; next }

# So that the first one is superseded, which the next line says.
s ~ / <pid changed to [0-9]+ \.\.\.>$/ {
	sub(/ <pid changed to [0-9]+ \.\.\.>$/, "", s)
	open[tid] = s
	next
}

s ~ / <unfinished \.\.\.>$/ && s !~ /^<\.\.\. / {
	sub(/ <unfinished \.\.\.>$/, "", s)
	open[tid] = s
	next
}

s ~ /^<\.\.\. .* resumed>/ {
	sub(/^<\.\.\. [^ ]* resumed>/, "", s)
	s = open[tid] s
	delete open[tid]
	if (tid in shown_as) {
		whole(shown_as[tid], s)
		delete shown_as[tid]
	} else {
		whole(tid, s)
	}
	next
}

{ whole(tid, s) }
