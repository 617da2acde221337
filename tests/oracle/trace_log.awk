# trace_log.awk - a trace as the lines of strace_log.awk.
#
# Input: dntdump's lines, the calls last and sorted by thread and place in it.
# -v root=TID: the first process of strace's log. What counts is its tree from its
# first successful execve on; strace itself is in the trace too. Of the results in
# mid-call (-ERESTART...) it says what strace does: see -v killed.
# -v killed="TID TID": threads that strace's log shows as killed in their last call,
# whose result it was not told: ? here too.
function field(name, i)
{
	for (i = 2; i <= NF; i++)
		if (substr($i, 1, length(name) + 1) == name "=")
			return substr($i, length(name) + 2)
}

# Was its thread killed between a tracer's stop and the entry? x86 tells no entry of
# such a call, arm64 takes its number away (forget_syscall).
function never_ran()
{
	return held_result == "-ENOSYS" && held_flags ~ /no_enter/ || held_name == "syscall_0xffffffff"
}

# One call is held back, until it is known whether it is its thread's last.
function flush_call(last)
{
	if (held_name == "")
		return
	if (last && (held_tid in killed_in_call)) {
		held_result = "?"
	} else if (last && never_ran()) {
		held_name = ""	# before strace was told of the stop: it logs nothing
		return
	}
	if (!raw && held_result !~ /^[-?]/)
		held_result = "ok"
	print "call", held_tid, held_name, raw ? held_args : "", held_result
	held_name = ""
}

function strings(i, n, k, part, str, line, which, have)
{
	delete have
	n = $14 == "-" ? 0 : split($14, part, ";")
	for (i = 1; i <= n; i++) {
		split(part[i], str, ":")
		if (str[2] == "argv") {
			argv = str[3] ~ /unreadable/ ? "bad" : str[5] (str[3] ~ /cut/ ? "..." : "")
			if ($7 == "execve")
				print "argv", $2, argv
		} else if (str[2] != "sockaddr" && str[2] != "sockaddr_out") {
			have[str[1]] = str[3] ~ /unreadable/ ? "bad" : \
				cut(str[5] (str[3] ~ /cut/ ? "..." : ""))
		}
	}
	if (!($7 in text_args))
		return
	line = "text" OFS $2 OFS $7
	k = split(text_args[$7], which, ",")
	n = split($8, part, ",")
	for (i = 1; i <= k; i++)
		line = line OFS which[i] ":" ((which[i] in have) ? have[which[i]] : \
			part[which[i] + 1] == "0" ? "null" : "not in the trace")
	print line
}

BEGIN {
	FS = OFS = "\t"
	n = split(killed, part, " ")
	for (i = 1; i <= n; i++)
		killed_in_call[part[i]] = 1
}

$1 == "thread_start" {
	if (field("origin") == 7)	# told again at a keyframe
		next
	id = field("thread")
	tid[id] = field("tid")
	if (field("origin") == 5)	# exec by a second thread, which takes over the tid
		superseded[id_of[tid[id]]] = 1
	id_of[tid[id]] = id
	if (tid[id] == root && !(root in began)) {
		began[root] = 1
		ours[id] = 1
		first = id
	}
	if (field("parent_thread") in ours)
		ours[id] = 1
	next
}

$1 == "exec" {
	if (field("thread") == first && !begin)
		begin = field("time")
	next
}

$1 == "thread_exit" {
	if (field("thread") in ours) {
		code = field("exit_code")
		code = code % 128 ? "signal " code % 128 : "exit " int(code / 256)
		end_of[field("thread")] = code
		if (field("group_dead") == 1)
			end_of_process[field("process")] = code
	}
	next
}

$1 == "signal_delivered" {
	if ((field("thread") in ours) && field("sig") != 9) {	# strace is not shown SIGKILL
		taken[++signals] = "sig" OFS tid[field("thread")] OFS field("sig") OFS field("code")
		taken_at[signals] = field("time")
		taken_by[signals] = field("thread")
	}
	next
}

$1 == "call" && ($4 in ours) {
	if ($4 == first && !running) {	# what strace's child does before
		if ($7 != "execve" || $9 != "0")
			next
		running = 1
	}
	flush_call($4 != held_thread)
	held_thread = $4
	held_tid = $2
	held_name = $7
	held_args = $8
	held_result = $9
	held_flags = $10
	if (!raw)
		strings()
}

END {
	flush_call(1)
	for (i = 1; i <= signals; i++) {
		# ... nor a SIGSYS that seccomp kills with
		split(taken[i], part, OFS)
		if (taken_at[i] + 0 > begin + 0 &&
		    !(part[3] == 31 && part[4] == 1 && end_of[taken_by[i]] == "signal 31"))
			print taken[i]
	}
	# What strace calls the end of a first thread is that of its process.
	for (id in end_of)
		print "end", tid[id], id in superseded ? "superseded" : \
			id in end_of_process ? end_of_process[id] : end_of[id]
}
