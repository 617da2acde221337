#!/bin/sh
# What every descriptor is, against strace -yy, which asks /proc at each call:
# shells, Python with threads and children, and calls of every kind.
. "$(dirname "$0")/lib.sh"
need_cmd strace
need_bpf

# What the test's own process has was there before the trace, as is what it gives to
# the command: a trace need not know it.
for fd in /proc/self/fd/*; do readlink "$fd"; done | sed 's/:.*//' >inherited
echo /dev/null >>inherited

# Names as /proc has them, without links and with the number of no process.
real() {
	sed 's/.*<\(\/[^>]*\)>.*/\1/; t; d' "$1" | sort -u | while read -r path; do
		case $path in
		/proc/*) printf '%s\t%s\n' "$path" "$(echo "$path" | sed 's,^/proc/[^/]*/,/proc/PID/,')" ;;
		*) printf '%s\t%s\n' "$path" "$(realpath -m "$path")" ;;
		esac
	done
}

# agree NAME COMMAND...
agree() {
	name=$1
	shift
	rm -f fds.dnt fds.log
	denet-record -q -o fds.dnt strace -f -yy -s 0 -o fds.log "$@" >/dev/null 2>said </dev/null
	is $? 0 "$name: its exit status"
	echo "$PWD/said" >>inherited
	root=$(awk '{ print $1; exit }' fds.log)
	awk -f "$oracle/fds.awk" fds.log >theirs.raw
	denet-analyze log -y fds.dnt | awk -v ours=1 -f "$oracle/fds.awk" >ours.raw
	# One token a line: TID, place among the calls of its thread, call, token.
	cat theirs.raw ours.raw | tr ' ' '\n' | grep '<' >tokens
	real tokens >names
	for side in theirs ours; do
		awk -v root="$root" -v side=$side -v theirs=theirs.raw -v OFS="$tab" '
			BEGIN { while ((getline line <"names") > 0) { split(line, part, "\t"); name[part[1]] = part[2] }
				while ((getline line <theirs) > 0) { split(line, part, " "); wanted[part[1]] = 1 } }
			!($1 in wanted) { next }
			# What the child of strace does before it becomes the command.
			side == "ours" && $1 == root && !began { if ($2 != "execve" || $NF != "=:0<>") next; began = 1 }
			{ n = ++calls[$1]
			  for (i = 3; i <= NF; i++) {
				what = $i; sub(/^[^<]*</, "", what); sub(/>$/, "", what)
				at = $i; sub(/<.*/, "", at)
				print $1, n, $2, at, what in name ? name[what] : what } }' $side.raw >$side
	done
	# Descriptors that strace names, and what we make of each.
	awk -F "$tab" '
		FILENAME == "inherited" { known[$0] = 1; next }
		FILENAME == "ours" { ours[$1, $2, $3, $4] = $5; next }
		{ n++; key = $1 SUBSEP $2 SUBSEP $3 SUBSEP $4; it = ours[key]; before = $5; sub(/<.*/, "", before) }
		it == $5 { same++; next }
		it == "" && (before in known) { unknown++; next }
		{ print $0 " | " (key in ours ? it : "no such call") }
		END { print n + 0, same + 0, unknown + 0 >"counts" }' inherited ours theirs >wrong
	read -r n same unknown <counts
	diag "$name: $n descriptors, $same the same, $unknown not known as they were there before"
	is "$(head -n 20 wrong)" "" "$name: each descriptor"
	ok "$name: most are known" test "$same" -gt $((unknown * 2)) -a "$same" -gt 20
}

for act in calls share pass threads; do
	mkdir "$act" && cd "$act" || exit 99
	cp ../inherited .
	agree "$act" fds $act
	cd ..
done

cat >pipes.sh <<'EOF'
exec 3>out 4<"$0"
echo one | cat | tr a-z A-Z >&3
while read -r line <&4; do :; done
( exec 5<&4 3>&-; cat <&5 )
(echo sub; cat </dev/null) 2>&1 | sort >>out
x=$(echo in a variable | cat)
{ echo both; echo err >&2; } >both 2>&1
cat <<END | cat >/dev/null
here $x
END
exec 3>&- 4<&-
ls >/dev/null
EOF
agree "sh" sh pipes.sh
if command -v bash >/dev/null; then
	agree "bash" bash pipes.sh
else
	skip "bash" "it is not here"
fi

cat >run.py <<'EOF'
import os, socket, subprocess, threading

def work(n):
    for i in range(20):
        with open("f%d" % n, "w") as f:
            f.write("x")
        r, w = os.pipe()
        os.write(w, b"x")
        os.read(r, 1)
        os.close(r)
        os.close(w)

work(0)
for i in range(3):
    subprocess.run(["cat"], input=b"text", stdout=subprocess.PIPE, check=True)
    subprocess.run(["true"], stdin=subprocess.DEVNULL, close_fds=False, check=True)
a, b = socket.socketpair()
a.send(b"x")
b.recv(1)
s = socket.create_server(("127.0.0.1", 0))
c = socket.create_connection(s.getsockname())
d, _ = s.accept()
c.send(b"x")
d.recv(1)
os.listdir(".")
threads = [threading.Thread(target=work, args=(i,)) for i in range(3)]
for t in threads:
    t.start()
for t in threads:
    t.join()
EOF
python=$(command -v /usr/bin/python3 || python3 -c 'import sys; print(sys.executable)' 2>/dev/null)
if [ -n "$python" ]; then
	agree "python" "$python" run.py
else
	skip "python" "it is not here"
fi
done_testing
