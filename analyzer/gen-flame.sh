#!/bin/sh
# gen-flame.sh - the page of `denet-analyze flame` as two C arrays, before and after the data.
#
#   analyzer/gen-flame.sh SRCDIR WEBDIR OUT.h
#
# analyzer/flame.html is the page; a line with nothing but @WORD@ stands for:
#
#   @CSP@       what a browser may run and apply here: what is below, by its SHA-256
#   @LICENCES@  the licences of the libraries, in comments
#   @STYLE@     analyzer/flame.css
#   @DATA@      where the arrays part
#   @SCRIPT@    d3, d3-flame-graph, analyzer/flame.js
#
# d3-flame-graph brings a style sheet in its script and puts it into the page when it
# runs; the policy names that too.
set -eu

src=$1 web=$2 out=$3
tmp=$out.d
rm -rf "$tmp"
mkdir "$tmp"
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

die()
{
	printf 'gen-flame.sh: %s\n' "$*" >&2
	exit 1
}

# 'sha256-BASE64' of standard input, as a policy has it. Three digits of hex are two of base64.
hash_of()
{
	if command -v sha256sum >/dev/null 2>&1; then
		sha256sum
	elif command -v shasum >/dev/null 2>&1; then
		shasum -a 256
	else
		openssl dgst -sha256 | sed 's/.*= *//'
	fi | LC_ALL=C ${AWK:-awk} '
	{
		set = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
		hex = substr($1, 1, 64)
		for (i = 1; i <= 64; i += 3) {
			n = 0
			for (k = 0; k < 3; k++)
				n = n * 16 + index("0123456789abcdef", tolower(substr(hex "00", i + k, 1))) - 1
			text = text substr(set, int(n / 64) + 1, 1) substr(set, n % 64 + 1, 1)
		}
		print "'\''sha256-" substr(text, 1, 43) "='\''"
	}'
}

{
	printf '\n'
	cat "$web/d3.min.js"
	printf '\n'
	cat "$web/d3-flamegraph.umd.min.js"
	printf '\n'
	cat "$src/analyzer/flame.js"
} >"$tmp/script"
{
	printf '\n'
	cat "$src/analyzer/flame.css"
} >"$tmp/style"
LC_ALL=C ${AWK:-awk} '
	!on && (i = index($0, ".textContent=`")) { $0 = substr($0, i + 14); on = 1 }
	on && (i = index($0, "`")) { printf "%s%s", sep, substr($0, 1, i - 1); exit }
	on { printf "%s%s", sep, $0; sep = "\n" }' "$web/d3-flamegraph.umd.min.js" >"$tmp/injected"
[ -s "$tmp/injected" ] || die "cannot find the style sheet in $web/d3-flamegraph.umd.min.js. Run build-aux/fetch-web."
if grep -qi '</script\|<!--' "$tmp/script" || grep -qi '</style' "$tmp/style" ||
	grep -q -e '--' "$web/d3.LICENSE" "$web/d3-flame-graph.LICENSE"; then
	die "cannot put the libraries into a page: there is a tag in them. Run build-aux/fetch-web."
fi

script=$(hash_of <"$tmp/script")
style=$(hash_of <"$tmp/style")
injected=$(hash_of <"$tmp/injected")

page=$tmp/flame_head
while IFS= read -r line; do
	case $line in
	@CSP@)
		printf '<meta http-equiv="Content-Security-Policy" content="%s">\n' \
			"default-src 'none'; script-src $script; style-src $style $injected; base-uri 'none'; form-action 'none'"
		;;
	@LICENCES@)
		printf '<!-- d3, https://d3js.org\n\n'
		cat "$web/d3.LICENSE"
		printf '\n-->\n<!-- d3-flame-graph, https://github.com/spiermar/d3-flame-graph\n\n'
		cat "$web/d3-flame-graph.LICENSE"
		printf '\n-->\n'
		;;
	@STYLE@)
		printf '<style>'
		cat "$tmp/style"
		printf '</style>\n'
		;;
	@SCRIPT@)
		printf '<script>'
		cat "$tmp/script"
		printf '</script>\n'
		;;
	@DATA@) page=$tmp/flame_tail ;;
	*) printf '%s\n' "$line" ;;
	esac >>"$page"
done <"$src/analyzer/flame.html"

LC_ALL=C ${AWK:-awk} -f "$src/schema/gen-embed.awk" "$tmp/flame_head" "$tmp/flame_tail" >"$tmp/h"
mv -f "$tmp/h" "$out"
