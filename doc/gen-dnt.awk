# gen-dnt.awk - dnt(5): the text of doc/dnt.5.in with the tables of schema/ and
# of the format's own headers put into it.
#
#   awk -v version=X -f doc/gen-dnt.awk FILE... doc/dnt.5.in > dnt.5
#
# FILE: schema/events.def, counters.def, enums.h, abi.h, recorder/environ.def,
# common/block.h, common/format_limits.h. A line of the page that is nothing but
# @NAME@ is replaced by a list; @NAME@ inside a line by a word. Every name must
# be known and every list must have something in it, or the page is not made.
#
# Needs roff.awk before it (-f). Runs in any POSIX awk; set LC_ALL=C.

# Where the lines of the tables that are macros go.
BEGIN {
	list_of["ORIGIN"] = "ORIGINS"
	list_of["END"] = "END_REASONS"
	list_of["MADE"] = "SOCK_ORIGINS"
	list_of["HAPPENS"] = "SOCK_EVENTS"
	list_of["OFF"] = "OFF_STATES"
	list_of["CODE"] = "CODE_KINDS"
}

function die(why)
{
	print "gen-dnt.awk: " why > "/dev/stderr"
	failed = 1
	exit 1
}

function put(list, s)
{
	text[list] = text[list] s "\n"
}

function heading(list, s, doc)
{
	close_list(list)
	put(list, ".SS " roff(s))
	put(list, roff(toupper(substr(doc, 1, 1)) substr(doc, 2)) ".")
}

# Items stand close together; whatever follows them does not.
function close_list(list)
{
	if (open[list])
		put(list, ".PD")
	open[list] = 0
}

# One item: a tag in bold, what stands beside it, and the description.
function item(list, tag, beside, doc)
{
	if (!open[list])
		put(list, ".PD 0")
	open[list] = 1
	put(list, ".TP 26n")
	put(list, "\\fB" roff(tag) "\\fP" (beside != "" ? " " roff(beside) : ""))
	put(list, doc != "" ? roff(doc) : "\\&")
}

# The arguments of a macro call NAME(a, b, "c, d") in s, into arg[1..n].
function arguments(s,    n, i, c, cur, quoted)
{
	sub(/^[^(]*\(/, "", s)
	n = 0
	cur = ""
	for (i = 1; i <= length(s); i++) {
		c = substr(s, i, 1)
		if (quoted && c == "\\") {
			cur = cur substr(s, ++i, 1)
		} else if (c == "\"") {
			quoted = !quoted
		} else if (!quoted && (c == "," || c == ")")) {
			gsub(/^[ \t]+|[ \t]+$/, "", cur)
			arg[++n] = cur
			cur = ""
			if (c == ")")
				return n
		} else {
			cur = cur c
		}
	}
	die(FILENAME ": a call does not end: " s)
}

# The remark behind a line of C.
function remark(s)
{
	if (s !~ /\/\*.*\*\//)
		return ""
	sub(/^.*\/\*[ \t]*/, "", s)
	sub(/[ \t]*\*\/.*$/, "", s)
	return s
}

function power_of_two(n,    p)
{
	for (p = 1; n > 0; n--)
		p *= 2
	return p
}

# 16, 16u << 20, 1u << 14
function number(s,    part)
{
	gsub(/[()u \t]/, "", s)
	if (split(s, part, "<<") == 2)
		return part[1] * power_of_two(part[2])
	return part[1] + 0
}

FNR == 1 {
	file = FILENAME
	sub(/^.*\//, "", file)
	joined = ""
}

file == "events.def" && /^EVENT\(/ {
	arguments($0)
	heading("EVENTS", arg[1] " " arg[2], arg[3])
}
file == "events.def" && /^FIELD\(/ {
	arguments($0)
	item("EVENTS", arg[2], arg[3] (arg[4] != "" ? ", " arg[4] : ""), arg[5])
}

file == "counters.def" && /^COUNTER\(/ {
	arguments($0)
	item("COUNTERS", arg[1] " " arg[2], tolower(arg[3]), arg[4])
}

file == "environ.def" && /^KEY\(/ {
	arguments($0)
	item("KEYS", arg[1], "", arg[4])
}

# Tables that are macros go over several lines.
file == "enums.h" || file == "abi.h" {
	line = $0
	if (sub(/[ \t]*\\$/, "", line)) {
		joined = joined line
		next
	}
	line = joined line
	joined = ""
	while (match(line, /(ORIGIN|END|ABI|MADE|HAPPENS|OFF|CODE)\([0-9]+, *[A-Z0-9_]+, */)) {
		line = substr(line, RSTART)
		name = line
		sub(/\(.*/, "", name)
		n = arguments(line)
		if (name == "ABI")
			item("ABIS", arg[1], arg[3], arg[4] " bytes in a pointer of the caller")
		else
			item(list_of[name], arg[1], arg[3], arg[4])
		line = substr(line, 2)
	}
}

file == "enums.h" && /^\tDN_CALL_[A-Z_]+ = 1 << / {
	bit(line, "CALL_FLAGS")
}
file == "enums.h" && /^\tDN_STR_[A-Z_]+ = 1 << / {
	bit(line, "STR_FLAGS")
}
file == "enums.h" && /^\tDN_STR_[A-Z_]+ = [0-9]+,/ {
	name = $1
	sub(/^DN_STR_/, "", name)
	if (name != "NONE")
		item("STR_KINDS", $3 + 0, name, remark($0))
}

function bit(s, list,    name)
{
	name = s
	sub(/ = .*/, "", name)
	sub(/^\tDN_[A-Z]+_/, "", name)
	sub(/^.*<< */, "", s)
	item(list, power_of_two(s + 0), name, remark($0))
}

file == "format_limits.h" && /^#define DN_[A-Z_]+[ \t]+[(0-9]/ {
	value = $0
	sub(/^#define[ \t]+[A-Z_]+[ \t]+/, "", value)
	sub(/[ \t]*\/\*.*/, "", value)
	item("LIMITS", sprintf("%d", number(value)), "", remark($0))
}

file == "block.h" && /^#define DN_FORMAT_(MAJOR|MINOR) / {
	sub(/^DN_FORMAT_/, "", $2)
	word[$2] = $3
}

file == "dnt.5.in" {
	if (FNR == 1) {
		word["VERSION"] = version
		print ".\\\" Generated from doc/dnt.5.in by doc/gen-dnt.awk. Do not edit."
	}
	if ($0 ~ /^@[A-Z_]+@$/) {
		name = substr($0, 2, length($0) - 2)
		if (text[name] == "")
			die("there is nothing for @" name "@")
		close_list(name)
		printf "%s", text[name]
		done[name] = 1
		next
	}
	while (match($0, /@[A-Z_]+@/)) {
		name = substr($0, RSTART + 1, RLENGTH - 2)
		if (word[name] == "")
			die("there is nothing for @" name "@")
		$0 = substr($0, 1, RSTART - 1) word[name] substr($0, RSTART + RLENGTH)
	}
	print
}

END {
	if (failed)
		exit 1
	for (name in text)
		if (!done[name])
			die("the page has no place for @" name "@")
}
