# flame.sh - the page of denet-analyze flame as a browser sees it: it draws, finds and
# says what it should, and its policy has nothing to complain about.
# shellcheck shell=bash source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"

maker=$DN_BUILDDIR/tests/unit/test_flame
[ -x "$maker" ] || skip_all "the unit tests were not built"
"$maker" --page page.html || skip_all "built without d3 and d3-flame-graph"

is "$(grep -oE '(src|href|@import|url)[=(]"?(https?:)?//[^" )]*' page.html | sed '/^[^"]*$/d')" "" "nothing is loaded"

browser=
for b in chromium chromium-browser google-chrome; do
	if command -v $b >/dev/null; then
		browser=$b
		break
	fi
done
if [ -z "$browser" ]; then
	skip "in a browser" "no chromium"
	done_testing
fi

# look NAME FRAGMENT: what the page is made of once it has drawn, and what the console said.
look()
{
	HOME=$scratch timeout 60 "$browser" --headless --no-sandbox --disable-gpu --enable-logging=stderr \
		--window-size=1200,800 --virtual-time-budget=3000 --user-data-dir="$scratch/profile" \
		--dump-dom "file://$scratch/page.html$2" >"$1.dom" 2>"$1.err"
}

look plain ''
if ! [ -s plain.dom ]; then
	skip "in a browser" "$browser does not run here"
	done_testing
fi
status() { sed -n 's/.*<p id="status"[^>]*>\([^<]*\)<.*/\1/p' "$1.dom"; }

is "$(grep 'CONSOLE' plain.err)" "" "no word from the policy, no error"
is "$(status plain)" "Samples of what ran: 824 samples; stacks that the trace does not have whole: 4" "what is shown"
like "$(grep -o 'class="frame"' plain.dom | wc -l)" '^[1-9][0-9]$' "frames are drawn"
is "$(grep -c '<script>alert' plain.dom)" 0 "a name that is a script is text"
is "$(grep -o '<h1[^>]*>[^/]*' plain.dom)" '<h1 id="command">sh -c '"'"'echo "&lt;' "and so is the command"

look found '#search=script|vfs'
is "$(status found)" "4 frames found: 260 samples, 31.6 % of all" "search, with its share"
look calls '#show=offcpu'
is "$(status calls)" "Time off the CPU: 3.2 ms" "another kind"
is "$(grep -h 'CONSOLE' found.err calls.err)" "" "no word from the policy there"
done_testing
