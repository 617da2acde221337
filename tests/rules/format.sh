# format.sh - dnt(5) against the C reader: a reader written from the page alone
# (dnt_reader.py) must find the same in a trace, field by field, and every
# checksum, length and index as the page says.
# shellcheck shell=bash source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"

need_cmd python3
reader=$DN_SRCDIR/tests/rules/dnt_reader.py
python3 -c 'import ctypes; ctypes.CDLL(ctypes.util.find_library("zstd") or "libzstd.so.1")' \
	2>/dev/null || python3 -c 'import ctypes; ctypes.CDLL("libzstd.so.1")' 2>/dev/null ||
	skip_all "python3 cannot load libzstd"

# What the C reader has of each field, through SQL, in the words of the other.
awk -F '[(,)] *' '
	/^EVENT\(/ { event = $3 }
	/^FIELD\(/ {
		value = $4 == "STR" ? "length(CAST(\"" $3 "\" AS BLOB))" : "\"" $3 "\" & 4294967295"
		printf "%sSELECT '\''%s %s '\'' || count(\"%s\") || '\'' '\'' || ifnull(sum(%s), 0)" \
			" AS line FROM raw_%s HAVING count(*) > 0\n",
			n++ ? "UNION ALL " : "", event, $3, $3, value, event
	}' "$DN_SRCDIR/schema/events.def" >fields.sql

check()
{
	local name=${1##*/}

	python3 "$reader" sums "$1" >theirs 2>err
	is $? 0 "$name: a reader made from dnt(5) reads it"
	sed 's/^/# /' err
	# A field that is younger than the file is in none of its rows.
	denet-analyze sql "$1" --csv <fields.sql 2>err | sed 1d | tr -d '\r' |
		awk 'NR == FNR { there[$1 " " $2] = 1; next } ($1 " " $2) in there || $3' theirs - | LC_ALL=C sort >ours
	LC_ALL=C sort -o theirs theirs
	is "$(diff theirs ours | head -20)" "" "$name: both readers find the same"
	ok "$name: there is something in it" test -s theirs
}

for f in "$DN_SRCDIR"/tests/golden/*.dnt; do
	[ -f "$f" ] && check "$f"
done
if [ -x "$DN_BUILDDIR/denet-record" ] && can_bpf; then
	long=$(printf '%0300d' 0)
	{
		denet-record -q -o calls.dnt -- sh -c "
			cat /etc/hostname /nonexistent /$long/$long; (sleep 0.01) & ls -R /sys/class
			env echo \$(seq 8000)
			wait; kill -USR1 \$\$" >/dev/null
	} 2>/dev/null
	check calls.dnt
	# Several blocks.
	denet-record -q -o blocks.dnt -- dd if=/dev/zero of=/dev/null bs=1 count=100000 2>/dev/null
	check blocks.dnt
	ok "it has several blocks" test "$(python3 "$reader" blocks blocks.dnt | wc -l)" -gt 4
elif [ "$tap_n" = 0 ]; then
	skip_all "there is no trace to read, and none can be recorded here"
fi
done_testing
