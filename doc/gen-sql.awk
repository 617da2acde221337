# gen-sql.awk - denet-sql(7): doc/denet-sql.7.in with the views of
# schema/views*.sql put in the place of the line @VIEWS@, and the kinds of
# schema/fd_kinds.h in that of @FD_KINDS@.
#
#   awk -v version=X -f doc/gen-sql.awk schema/fd_kinds.h schema/views*.sql doc/denet-sql.7.in > denet-sql.7
#
# A description of a view is a run of comments before it:
#
#   -- view NAME: WHAT
#   --   COLUMN: UNIT: MEANING
#
# Every CREATE VIEW whose name does not begin with raw_ must have one, or the
# page is not made. Needs roff.awk before it (-f). Runs in any POSIX awk; set LC_ALL=C.

function die(why)
{
	print "gen-sql.awk: " why > "/dev/stderr"
	failed = 1
	exit 1
}

function put(s)
{
	views = views s "\n"
}

FILENAME ~ /views[a-z_]*\.sql$/ && /^-- view [a-z0-9_]+: / {
	name = $3
	sub(/:$/, "", name)
	what = $0
	sub(/^-- view [^:]*: */, "", what)
	if (described[name]++)
		die(name " is described twice")
	if (nviews++)
		put(".PD")
	put(".SS " roff(name))
	put("One row for " roff(what) ".")
	put(".PP")
	put(".PD 0")
	next
}

FILENAME ~ /views[a-z_]*\.sql$/ && /^--   [a-z0-9_]+: [^:]*: / {
	if (name == "")
		die("a column without a view: " $0)
	line = $0
	sub(/^--   /, "", line)
	column = line
	sub(/:.*/, "", column)
	sub(/^[^:]*: */, "", line)
	unit = line
	sub(/:.*/, "", unit)
	sub(/^[^:]*: */, "", line)
	put(".TP 20n")
	put("\\fB" roff(column) "\\fP" (unit != "" ? " " roff(unit) : ""))
	put(roff(line))
	next
}


FILENAME ~ /views[a-z_]*\.sql$/ {
	if (/^CREATE VIEW/) {
		if ($3 !~ /^raw_/ && $3 != name)
			die("the view " $3 " has no description")
		name = ""
	}
	next
}

FILENAME ~ /fd_kinds\.h$/ {
	if (/^\tFD\(/) {
		split($0, part, "\"")
		kinds = kinds ".TP 14n\n\\fB" roff(part[2]) "\\fP\n" (part[4] == "" ? "\\&" : roff(part[4])) "\n"
	}
	next
}

$0 == "@FD_KINDS@" {
	if (kinds == "")
		die("there are no kinds of descriptors")
	printf ".PD 0\n%s.PD\n", kinds
	next
}

$0 == "@VIEWS@" {
	if (!nviews)
		die("there are no views")
	printf "%s.PD\n", views
	used = 1
	next
}

{
	gsub(/@VERSION@/, version)
	print
}

END {
	if (failed)
		exit 1
	if (!used)
		die("the page has no line @VIEWS@")
}
