# manual.sh - the manual pages and the README say what is there: options and verbs
# are those of --help, pages are well-formed, every command line in an EXAMPLES
# section and in the README runs, the README shows what is printed.
# shellcheck shell=bash source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"

doc=$DN_SRCDIR/doc
readme=$DN_SRCDIR/README.md
pages=("$doc"/*.[1-9])
if [ "$DN_BUILDDIR" != "$DN_SRCDIR" ]; then
	for page in "$DN_BUILDDIR"/doc/*.[1-9]; do
		[ -f "$page" ] && pages+=("$page")
	done
fi

# --- form ----------------------------------------------------------------------
for page in "${pages[@]}"; do
	name=${page##*/}
	if command -v groff >/dev/null; then
		is "$(groff -ww -man -t -Tascii "$page" 2>&1 >/dev/null | head -5)" "" "$name: groff has nothing to say"
	else
		skip "$name: groff has nothing to say" "no groff"
	fi
	if man --version 2>&1 | grep -q '^man 2'; then
		is "$(MANROFFSEQ='' MANWIDTH=80 man --warnings -E UTF-8 -l "$page" 2>&1 >/dev/null | head -5)" "" \
			"$name: man has nothing to say"
	else
		skip "$name: man has nothing to say" "no man-db"
	fi
	is "$(grep -nP '[^\x00-\x7f]|[ \t]$' "$page" | head -5)" "" "$name: plain ASCII, no blanks at ends of lines"
	like "$(sed -n 's/^\.TH //p' "$page")" "^(DENET-RECORD|DENET-ANALYZE|DENET-SQL|DNT|[A-Z\"].*) [1-9]" "$name: has a title"
done

# --- options ---------------------------------------------------------------------
# What roff leaves of a line.
unroff()
{
	sed -e 's/\\f[A-Z]//g' -e 's/\\-/-/g' -e 's/\\(aq/'\''/g' -e 's/\\(dq/"/g' -e 's/\\&//g' -e 's/\\e/\\/g'
}

# tags PAGE SECTION: the tags of the items of a section.
tags()
{
	awk -v want="$2" '
		/^\.SH / { on = substr($0, 5) == want }
		on && tag { print; tag = 0 }
		on && /^\.TP/ { tag = 1 }' "$1" | unroff
}

# The left column of the options, or of the verbs, in a --help.
options() { sed -n 's/^ \{2,\}\(-.*\)/\1/p' | sed 's/   *.*//'; }
verbs() { sed -n '/^Verbs/,/^$/s/^  \([a-z]*\)  .*/\1/p'; }

# No option is described twice or under another letter.
compare_options()
{
	"$1" --help | options >help
	tags "$doc/$1".[18] OPTIONS >page
	ok "$1: --help has options" test -s help
	is "$(diff help page)" "" "$1: the page has the options of --help, in their order"
}

compare_options denet-analyze
is "$(tags "$doc/denet-analyze.1" VERBS | sed 's/ .*//')" "$(denet-analyze --help | verbs)" \
	"denet-analyze: the page has the verbs of --help"
if [ -x "$DN_BUILDDIR/denet-record" ]; then
	compare_options denet-record
	compare_options denet-setup
else
	skip "denet-record: the page has the options of --help" "denet-record was not built"
fi
for page in "$doc"/denet-*.[18]; do
	version=$(denet-analyze --version | sed 's/.* //')
	like "$(sed -n 's/^\.TH //p' "$page")" "\"denet $version\"" "${page##*/}: is of this version"
done

# --- dnt(5) ------------------------------------------------------------------------
if [ -f "$DN_BUILDDIR/doc/dnt.5" ]; then
	unroff <"$DN_BUILDDIR/doc/dnt.5" >dnt
	awk -F '[(,)] *' '
		/^EVENT\(/ { print ".SS " $2 " " $3 }
		/^FIELD\(/ { print $3 " " $4 }
		/^COUNTER\(/ { print $2 " " $3 " " tolower($4) }
		/^KEY\(/ { gsub(/"/, "", $2); print $2 }' \
		"$DN_SRCDIR/schema/events.def" "$DN_SRCDIR/schema/counters.def" \
		"$DN_SRCDIR/recorder/environ.def" | sort -u >names
	while read -r name; do
		grep -Fq -- "$name" dnt || echo "$name"
	done <names >missing
	is "$(cat missing)" "" "dnt.5: has every event, field, counter and key ($(wc -l <names))"
	is "$(grep -c '@[A-Z_]*@' dnt)" 0 "dnt.5: no place is left open"
else
	skip "dnt.5: has every event, field, counter and key" "doc/dnt.5 was not built"
fi

# --- the README --------------------------------------------------------------------
is "$(grep -oE '\]\([^)#]*' "$readme" | sed 's/^](//' | grep -v '^http' | sort -u |
	while read -r f; do [ -e "$DN_SRCDIR/$f" ] || echo "$f"; done)" "" "README: what it links to is there"
for f in README.md doc/ARCHITECTURE.md doc/GLOSSARY.md doc/HOWTO-add-an-event.md; do
	# Names with a slash and an ending we know are files of this tree.
	# shellcheck disable=SC2016  # no substitution: the marks of code in a text
	is "$(grep -oE '`[a-z_.-]+/[A-Za-z0-9_./-]+\.(c|h|def|sql|awk|sh|am|md|json|py|[1-9]|m4|in)`' "$DN_SRCDIR/$f" | tr -d '`' | sort -u |
		while read -r g; do
			[ -e "$DN_SRCDIR/$g" ] || [ -e "$DN_BUILDDIR/$g" ] || echo "$g"
		done)" "" "$f: the files it names are there"
done

# --- examples ------------------------------------------------------------------------
if ! [ -x "$DN_BUILDDIR/denet-record" ] || ! can_bpf; then
	skip "examples run" "nothing can be recorded here"
	done_testing
fi

# run_examples NAME FILE: its lines "$ COMMAND" and "# COMMAND", one after the other
# in a directory of their own. What they print goes to NAME.out.
run_examples()
{
	local line status

	mkdir -p "$1.dir"
	: >"$1.out"
	while IFS= read -r line <&3; do
		case $line in
		[$\#]' jq '* | [$\#]' sqlite3 '* | [$\#]' strace '*)
			tool=${line#??}
			if ! command -v "${tool%% *}" >/dev/null; then
				skip "$1: ${line#??}" "no ${tool%% *}"
				continue
			fi
			;;
		esac
		case $line in
		[$\#]' '*)
			(cd "$1.dir" && COLUMNS=80 bash -o pipefail -c "${line#??}") </dev/null >out 2>&1
			status=$?
			cat out >>"$1.out"
			if [ $status = 0 ]; then
				pass "$1: ${line#??}"
			else
				not_ok "$1: ${line#??}" "status $status: $(tail -5 out)"
			fi
			;;
		esac
	done 3<"$2"
}

for page in "$doc"/denet-*.1; do
	name=${page##*/}
	sed -n '/^\.SH EXAMPLES/,/^\.SH SEE/p' "$page" | unroff >"$name.examples"
	ok "$name: there are examples" grep -q '^[$#] ' "$name.examples"
	run_examples "$name" "$name.examples"
done

# Blocks marked as console: commands, and what they print. Figures differ from run
# to run; a heading, a line at the margin without a digit, must be printed just so.
awk '/^```/ { on = /^```console/; next } on' "$readme" >readme.examples
ok "README: there are examples" grep -q '^[$#] ' readme.examples
run_examples README readme.examples
grep -v '^[$#] ' readme.examples | grep '^[A-Z]' | grep -v '[0-9]' |
	while IFS= read -r line; do
		grep -Fxq -- "$line" README.out || echo "$line"
	done >missing
is "$(cat missing)" "" "README: its examples print what it shows"
done_testing
