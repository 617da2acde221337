# lib-views.sh - what strace logged of a run, out of the views of denet-analyze. Source
# it after lib.sh.
#
#   views_numbers NAME    of the files that lib-both.sh leaves: numbers.dnt and numbers.log,
#   views_strings NAME    strings.dnt and strings.log
#
# The lines are those of strace_log.awk; here SQL writes them. Calls that strace makes
# are in the trace too: a thread counts from its first successful execve on if it is
# the first in the log, and only if it is in the log.
# shellcheck shell=sh

# sql FILE QUERY: the lines of an answer of one column without commas and quotes.
sql() { denet-analyze "$1" --sql "$2" --csv | tr -d '\r' | sed '1d; s/;/,/g' | tr '!' '\t'; }

# The threads of strace's command, made out of the tree; $root is put in.
ours="WITH RECURSIVE ours(id) AS (
	SELECT min(thread_id) FROM threads WHERE tid = \$root
	UNION SELECT t.thread_id FROM threads AS t JOIN ours ON t.parent_id = ours.id),
begin(id, seq) AS (SELECT thread_id, min(seq) FROM syscalls
	WHERE thread_id = (SELECT min(id) FROM ours) AND name = 'execve' AND ret = 0)"
mine="JOIN ours ON s.thread_id = ours.id LEFT JOIN begin ON s.thread_id = begin.id
	WHERE ifnull(s.seq >= begin.seq, 1) ORDER BY s.thread_id, s.seq"

# hex COLUMN: an argument as strace shows it, after a semicolon; nothing for NULL.
hex() { echo "CASE WHEN $1 IS NULL THEN '' WHEN $1 = 0 THEN ';0' ELSE printf(';0x%x', $1) END"; }
args="substr($(hex s.arg0) || $(hex s.arg1) || $(hex s.arg2) || $(hex s.arg3) || $(hex s.arg4) ||
	$(hex s.arg5), 2)"
result="CASE WHEN s.unfinished THEN '?' WHEN s.errno THEN '-' || s.error
	WHEN s.ret = -512 THEN '-ERESTARTSYS' WHEN s.ret = -513 THEN '-ERESTARTNOINTR'
	WHEN s.ret = -514 THEN '-ERESTARTNOHAND' WHEN s.ret = -516 THEN '-ERESTART_RESTARTBLOCK'
	WHEN s.ret = 0 THEN '0' ELSE printf('0x%x', s.ret) END"

path() {
	echo "CASE WHEN $1 IS NULL THEN '' WHEN $1 = '' THEN '!empty'
		ELSE '!' || substr(lower(hex($1)), 1, 8190) END"
}

views_numbers() {
	root=$(awk '{ print $1; exit }' numbers.log)
	tree=$(echo "$ours" | sed "s/\\\$root/$root/")
	awk -v raw=1 -f "$oracle/texts.awk" -f "$oracle/strace_log.awk" numbers.log >strace.lines
	# Without what has no result. The last call of a thread that was killed in it, or as
	# it entered it (never_ran in trace_log.awk), has one that only the kernel saw.
	grep "^call" strace.lines | grep -v "$tab?\$" | sort -s -k2,2n >want
	sql numbers.dnt "$tree SELECT 'call!' || s.tid || '!' || s.name || '!' || ($args) || '!' || $result ||
		'!' || s.thread_id AS line FROM syscalls AS s $mine" | sort -s -k2,2n | awk -F "$tab" '
		function held_out() {
			if (held != "" && held !~ /\t-ENOSYS$|\tsyscall_0xffffffff\t/ && !(tid in killed))
				print held
			held = ""
		}
		NR == FNR { if ($1 == "call" && $5 == "?" && $3 !~ /^exit/) killed[$2] = 1; next }
		$6 == thread && held != "" { print held; held = "" }
		$6 != thread { held_out() }
		{ thread = $6; tid = $2; held = $5 == "?" ? "" : $1 FS $2 FS $3 FS $4 FS $5 }
		END { held_out() }' strace.lines - >got
	same call "$1: syscalls"
	sql numbers.dnt "$tree SELECT 'sig!' || s.tid || '!' || s.sig || '!' || s.code AS line FROM signals AS s
		JOIN ours ON s.thread_id = ours.id WHERE s.event = 'delivered' AND s.sig <> 9 AND
		(s.sig <> 31 OR s.code <> 1 OR s.handler = 'handler') AND
		s.time_ns > (SELECT min(time_ns) FROM execs WHERE thread_id = (SELECT id FROM begin))
		ORDER BY s.time_ns" | sort -s -k2,2n >got
	sort -s -k2,2n strace.lines >by_thread
	delivered by_thread got | grep "^sig" >want
	same sig "$1: signals" maybe
	# The end of a process is that of its first thread in the log.
	awk -F "$tab" '$1 == "end" && $3 != "superseded" { end[$2] = $0 } END { for (i in end) print end[i] }' \
		strace.lines | sort >ends
	sql numbers.dnt "$tree SELECT 'end!' || p.pid || '!' || ifnull('exit ' || p.exit_code, 'signal ' || p.exit_signal) AS line
		FROM processes AS p JOIN ours ON p.process_id = ours.id" | sort >got
	cut -f 2 got | while read -r pid; do grep "^end$tab$pid$tab" ends; done >want
	same end "$1: processes"
	is "$(sql numbers.dnt "SELECT count(*) FROM threads WHERE missing <> 0 OR missing IS NULL")" 0 \
		"$1: no call of a thread is missing"
	is "$(sql numbers.dnt "SELECT complete || clean_end || exact FROM traces")" 111 "$1: complete, closed, exact"
	is "$(sql numbers.dnt "SELECT attempted = written AND written = calls AND
		calls = (SELECT count(*) FROM syscalls) AND
		calls = (SELECT sum(count) FROM syscall_stats) AND
		calls = (SELECT sum(count) FROM process_syscalls) AND
		calls = (SELECT sum(calls) FROM processes) AND
		calls = (SELECT sum(calls) FROM threads) AND
		calls = (SELECT sum(count) FROM categories) AS line FROM traces")" 1 "$1: all totals agree"
}

views_strings() {
	root=$(awk '{ print $1; exit }' strings.log)
	tree=$(echo "$ours" | sed "s/\\\$root/$root/")
	# Paths only: the first and the second one, what could not be read left out.
	awk -v raw=0 -f "$oracle/texts.awk" -f "$oracle/strace_log.awk" strings.log |
		awk -F "$tab" '$1 == "text" && $3 !~ /xattr|memfd|mount|symlink|swap|acct|pivot/ {
			line = $1 FS $2 FS $3
			for (i = 4; i <= NF; i++)
				if ($i !~ /:(null|bad)$/) {
					sub(/^[0-9]:/, "", $i)
					sub(/\.\.\.$/, "", $i)
					line = line FS ($i == "" ? "empty" : substr($i, 1, 8190))
				}
			print line
		}' | sort -s -k2,2n >want
	sql strings.dnt "$tree SELECT 'text!' || s.tid || '!' || s.name ||
		$(path s.path) || $(path s.path2) AS line
		FROM syscalls AS s $mine" | awk -F "$tab" -v texts="$(cut -f 3 want | sort -u | tr '\n' ' ')" '
		BEGIN { n = split(texts, part, " "); for (i = 1; i <= n; i++) wanted[part[i]] = 1 }
		$3 in wanted' | sort -s -k2,2n >got
	same text "$1: paths"
}
