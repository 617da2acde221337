#!/bin/sh
# The kernel uses the memory of a socket that is gone for the next one at once, and that
# may be a stranger's. Nothing that then happens to it is in the trace.
. "$(dirname "$0")/lib.sh"
. "$oracle/lib-ask.sh"
need_cmd python3
need_bpf

# Outside of the tree: connections with bytes, in memory that the command has just freed.
cat >stranger.py <<'END'
import os, socket, sys, time
until = time.time() + 20
while not os.path.exists("freed"):
    if time.time() > until:
        sys.exit(1)
    time.sleep(0.01)
listener = socket.create_server(("127.0.0.1", 0), backlog=500)
ends = [socket.create_connection(listener.getsockname()) for i in range(300)]
ends += [listener.accept()[0] for i in range(300)]
for s in ends:
    s.sendall(b"x" * 1234)
for s in ends:
    s.recv(2000)
for s in ends:
    s.close()
open("done", "w").close()
END
cat >tree.py <<'END'
import os, socket, sys, time
until = time.time() + 20
for s in [socket.socket() for i in range(500)]:
    s.close()
open("freed", "w").close()
while not os.path.exists("done"):
    if time.time() > until:
        sys.exit(1)
    time.sleep(0.01)
END

for rung in tp_btf raw_tp; do
	rm -f freed done
	python3 stranger.py &
	pid=$!
	record t.dnt python3 tree.py
	is $? 0 "$rung: the command saw the stranger's end"
	wait "$pid"
	is $? 0 "$rung: the stranger, too"
	is "$(ask "SELECT count(*) FROM sock WHERE kind = 'tcp' AND closed_ns IS NOT NULL")" 500 \
		"$rung: all sockets of the command"
	is "$(ask "SELECT e.kind, e.old_state, e.state FROM net_event AS e
		JOIN sock USING (sock_id) WHERE sock.kind = 'tcp' AND e.kind <> 'close' LIMIT 3")" "" \
		"$rung: nothing happened to them"
done
done_testing
