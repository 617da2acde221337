-- views_net.sql - sockets, who talked to whom, and what went through.

-- view connections: a socket address that a process used with one call
--   trace_id: id: trace
--   process_id: id: process; NULL: not known
--   pid: : process id
--   comm: : last name of the process
--   name: : of the call: connect, bind, accept, accept4, sendto, ...
--   family: : inet, inet6, unix, netlink, ...
--   address: : 127.0.0.1:80, [::1]:80, unix:/run/x
--   port: : of inet and inet6
--   count: count: calls
--   errors: count: of these, failed ones (EINPROGRESS of a connect is none)
--   errnos: : names of the errors, separated by commas
--   total_ns: ns: time of the calls
--   first_ns: ns: return of the first call
--   last_ns: ns: return of the last
CREATE VIEW connections AS
SELECT a.trace_id, t.process AS process_id, p.pid, p.comm,
       ifnull(n.name, printf('syscall_0x%x', a.nr)) AS name,
       a.family, a.address, a.port, sum(a.count) AS count,
       sum(iif(a.result > 0 AND e.name IS NOT 'EINPROGRESS', a.count, 0)) AS errors,
       group_concat(DISTINCT e.name) AS errnos,
       sum(a.total) AS total_ns, min(a.first) AS first_ns, max(a.last) AS last_ns
FROM raw_address AS a
LEFT JOIN raw_thread AS t ON t.thread = a.thread
LEFT JOIN raw_process AS p ON p.process = t.process
LEFT JOIN raw_syscall_name AS n ON n.abi = a.abi AND n.nr = a.nr
LEFT JOIN raw_errno AS e ON e.errno = a.result
GROUP BY a.trace_id, t.process, a.nr, a.abi, a.family, a.address, a.port;

-- view sock: a socket that a process of the tree made, accepted or used
--   trace_id: id: trace
--   sock_id: id: socket
--   process_id: id: process that made it, accepted it, or used it first; NULL: not known
--   thread_id: id: its thread
--   pid: : process id
--   comm: : last name of the process
--   fd: : descriptor it had then; NULL: not known
--   origin: : socket, accept, pair, used (was there when first used), inherited (the command was given it), attached (was there before)
--   kind: : tcp, udp, unix, icmp, raw, netlink, ...; unknown: its first record was lost
--   family: : inet, inet6, unix, ...
--   type: : stream, dgram, raw, seqpacket
--   inode: : as ss and /proc/PID/fd show it
--   netns: : inode of its network namespace
--   local: : its own address
--   remote: : address of the other end
--   known_ns: ns: when it was first seen
--   listening_ns: ns: since when it listens; NULL: it does not
--   ended_ns: ns: end of its TCP connection, or of listening; NULL: none was seen
--   closed_ns: ns: return of the close(2) of its last descriptor; of one that nobody closed, the end of its process; NULL: open at the end
--   state: : of TCP, the last seen: ESTABLISHED, LISTEN, CLOSE, ...
--   sent: bytes: that it took
--   received: bytes: that it gave
--   sends: count: sends that succeeded
--   receives: count: receives that succeeded
CREATE VIEW sock AS
SELECT s.trace_id, s.sock AS sock_id, s.process AS process_id, s.thread AS thread_id, p.pid, p.comm,
       s.fd, (SELECT name FROM raw_sock_origin AS o WHERE o.origin = s.origin) AS origin, s.kind,
       ifnull((SELECT name FROM raw_family AS f WHERE f.family = s.family),
              iif(s.family IS NULL, NULL, 'family ' || s.family)) AS family,
       CASE s.type WHEN 1 THEN 'stream' WHEN 2 THEN 'dgram' WHEN 3 THEN 'raw'
                   WHEN 5 THEN 'seqpacket' END AS type,
       s.inode, s.netns, s.local, s.remote, s.known AS known_ns, s.listening AS listening_ns,
       s.ended AS ended_ns, s.closed AS closed_ns,
       iif(s.kind = 'tcp', (SELECT name FROM raw_tcp_state AS t WHERE t.state = s.state), NULL)
         AS state,
       s.sent, s.received, s.sends, s.receives
FROM raw_socket AS s
LEFT JOIN raw_process AS p ON p.process = s.process;

-- view sock_bytes: what one process sent and received through one socket
--   trace_id: id: trace
--   process_id: id: process that made the calls; NULL: not known
--   pid: : process id
--   comm: : last name of the process
--   sock_id: id: socket
--   sent: bytes: that the socket took
--   received: bytes: that the socket gave
--   sends: count: sends that succeeded
--   receives: count: receives that succeeded
--   first_ns: ns: the first of them
--   last_ns: ns: the last
CREATE VIEW sock_bytes AS
SELECT f.trace_id, t.process AS process_id, p.pid, p.comm, f.sock AS sock_id, sum(f.sent) AS sent,
       sum(f.received) AS received, sum(f.sends) AS sends, sum(f.receives) AS receives,
       min(f.first) AS first_ns, max(f.last) AS last_ns
FROM raw_flow AS f
LEFT JOIN raw_thread AS t ON t.thread = f.thread
LEFT JOIN raw_process AS p ON p.process = t.process
GROUP BY f.trace_id, t.process, f.sock;

-- view net_event: bytes that went through a socket, or something that happened to it
--   trace_id: id: trace
--   time_ns: ns: when; of bytes, the return of the call
--   sock_id: id: socket
--   process_id: id: process in whose call it happened; NULL: outside of the tree
--   thread_id: id: its thread
--   kind: : bytes, connect, bind, listen, shutdown, close, state, retransmit, reset_sent, reset_received, error, last, used
--   old_state: : TCP state before
--   state: : and after
--   error: : of the call or the socket, such as ECONNREFUSED; NULL: none
--   sent: bytes: with kind bytes
--   received: bytes: with kind bytes
--   local: : its own address, where it was read
--   remote: : address of the other end, where it was read
--   seq: : the call, among those of its thread
CREATE VIEW net_event AS
SELECT e.trace_id, e.time AS time_ns, e.sock AS sock_id, t.process AS process_id,
       e.thread AS thread_id, k.name AS kind,
       (SELECT name FROM raw_tcp_state AS x WHERE x.state = e.old_state AND k.name = 'state')
         AS old_state,
       (SELECT name FROM raw_tcp_state AS x WHERE x.state = e.state AND k.name = 'state') AS state,
       (SELECT name FROM raw_errno AS x WHERE x.errno = e.err) AS error, NULL AS sent,
       NULL AS received, e.local, e.remote, e.seq
FROM raw_sock_event AS e
LEFT JOIN raw_sock_event_kind AS k USING (kind)
LEFT JOIN raw_thread AS t ON t.thread = e.thread
UNION ALL
SELECT f.trace_id, f.time, f.sock, t.process, f.thread, 'bytes', NULL, NULL, NULL, f.sent,
       f.received, NULL, NULL, f.seq
FROM raw_transfer AS f
LEFT JOIN raw_thread AS t ON t.thread = f.thread;

-- view v_conn: a connection, or an attempt at one: who, with whom, how long, how many bytes
--   trace_id: id: trace
--   sock_id: id: socket
--   process_id: id: process that made or accepted it; NULL: not known
--   pid: : process id
--   comm: : last name of the process
--   kind: : tcp, udp, unix, ...
--   direction: : out (it connected), in (it was accepted), pair, there (it was connected when first seen), none (datagrams without a connection)
--   local: : its own address
--   remote: : address of the other end
--   remote_port: : of inet and inet6
--   start_ns: ns: begin of the attempt; of an accepted one, its acceptance
--   connect_ns: ns: from the begin of the attempt until it was established; NULL: not seen
--   end_ns: ns: end of the TCP connection; of others, when the socket was closed; NULL: not seen
--   dur_ns: ns: from start to end; NULL: the end was not seen
--   sent: bytes: that the socket took, from whichever process
--   received: bytes: that it gave
--   sends: count: sends that succeeded
--   receives: count: receives that succeeded
--   error: : why the attempt failed, or the connection ended; NULL: no error
--   failed: bool: 1: it never came about; without an error: the program gave it up
--   retransmits: count: TCP segments sent again
--   resets: count: resets sent and received
--   srtt_us: us: smoothed round-trip time of TCP at the last reading; NULL: none
--   peer_sock_id: id: the socket of the tree at the other end; NULL: none, or not known
CREATE VIEW v_conn AS
SELECT s.trace_id, s.sock AS sock_id, s.process AS process_id, p.pid, p.comm, s.kind,
       CASE o.name WHEN 'accept' THEN 'in' WHEN 'pair' THEN 'pair' ELSE
         CASE WHEN coalesce(s.connect_start, s.connect_end, s.connect_errno) IS NOT NULL THEN 'out'
              WHEN s.remote IS NOT NULL OR s.peer_inode IS NOT NULL THEN 'there'
              ELSE 'none' END END AS direction,
       s.local, s.remote,
       iif(s.family IN (2, 10) AND s.remote IS NOT NULL,
           CAST(replace(s.remote, rtrim(s.remote, '0123456789'), '') AS INTEGER), NULL) AS remote_port,
       coalesce(s.connect_start, s.known) AS start_ns,
       s.connect_end - s.connect_start AS connect_ns,
       iif(s.kind = 'tcp', s.ended, s.closed) AS end_ns,
       iif(s.kind = 'tcp', s.ended, s.closed) - coalesce(s.connect_start, s.known) AS dur_ns, s.sent, s.received, s.sends,
       s.receives,
       (SELECT name FROM raw_errno AS e WHERE e.errno = ifnull(s.connect_errno, s.errno)) AS error,
       s.connect_errno IS NOT NULL OR
         (s.kind = 'tcp' AND s.connect_start IS NOT NULL AND s.connect_end IS NULL AND s.ended IS NOT NULL)
         AS failed, s.retransmits, s.resets_sent + s.resets_received AS resets,
       s.srtt_us,
       ifnull(s.pair,
         CASE WHEN s.family = 1 THEN
                (SELECT sock FROM
                   (SELECT x.sock, min(abs(x.known - 1.0 * s.known)) FROM raw_socket AS x
                    WHERE x.trace_id = s.trace_id AND x.inode = s.peer_inode))
              -- of those that had these ports one after the other the one accepted next
              WHEN s.remote IS NOT NULL AND s.kind = 'tcp' THEN
                (SELECT sock FROM
                   (SELECT x.sock, min(abs(ifnull(x.connect_start, x.known) -
                                           1.0 * ifnull(s.connect_start, s.known))) FROM raw_socket AS x
                    WHERE x.trace_id = s.trace_id AND x.local = s.remote AND x.remote = s.local AND
                          x.kind = s.kind AND x.sock <> s.sock AND
                          iif(s.connect_start IS NULL, ifnull(x.connect_start, 0) <= s.known,
                              x.connect_start IS NOT NULL OR x.known >= s.connect_start))) END)
         AS peer_sock_id
FROM raw_socket AS s
LEFT JOIN raw_sock_origin AS o ON o.origin = s.origin
LEFT JOIN raw_process AS p ON p.process = s.process
WHERE s.listening IS NULL AND
      (o.name IN ('accept', 'pair') OR s.connect_start IS NOT NULL OR s.remote IS NOT NULL OR
       s.peer_inode IS NOT NULL OR s.sends + s.receives > 0);

-- view peers: with whom a process had connections: one row for each process, kind, direction and other end
--   trace_id: id: trace
--   process_id: id: process that made or accepted the connections; NULL: not known
--   pid: : process id
--   comm: : last name of the process
--   kind: : tcp, udp, unix, ...
--   direction: : as in v_conn
--   peer: : address of the other end; of accepted ones without its port
--   connections: count: connections and attempts
--   failed: count: of these, that never came about
--   errors: : names of their errors, separated by commas
--   sent: bytes: that their sockets took
--   received: bytes: that they gave
--   retransmits: count: TCP segments sent again
--   resets: count: resets sent and received
--   connect_mean_ns: ns: mean time until they were established; NULL: not seen
--   connect_max_ns: ns: the longest
--   first_ns: ns: begin of the first
CREATE VIEW peers AS
SELECT trace_id, process_id, pid, comm, kind, direction,
       iif(direction = 'in' AND remote_port IS NOT NULL,
           rtrim(rtrim(remote, '0123456789'), ':'), remote) AS peer,
       count(*) AS connections, sum(failed) AS failed, group_concat(DISTINCT error) AS errors,
       sum(sent) AS sent, sum(received) AS received, sum(retransmits) AS retransmits,
       sum(resets) AS resets, CAST(avg(connect_ns) AS INTEGER) AS connect_mean_ns,
       max(connect_ns) AS connect_max_ns, min(start_ns) AS first_ns
FROM v_conn GROUP BY trace_id, process_id, kind, direction, 7;

-- view listeners: a socket that waited for connections
--   trace_id: id: trace
--   sock_id: id: socket
--   process_id: id: process that made it; NULL: not known
--   pid: : process id
--   comm: : last name of the process
--   kind: : tcp, unix, ...
--   address: : where it listened
--   port: : of inet and inet6
--   listening_ns: ns: since when; NULL: it did so before it was first seen
--   ended_ns: ns: until when; NULL: not seen
--   accepted: count: connections that were accepted
--   sent: bytes: that their sockets took
--   received: bytes: that they gave
CREATE VIEW listeners AS
SELECT s.trace_id, s.sock AS sock_id, s.process AS process_id, p.pid, p.comm, s.kind,
       s.local AS address,
       iif(s.family IN (2, 10),
           CAST(replace(s.local, rtrim(s.local, '0123456789'), '') AS INTEGER), NULL) AS port,
       s.listening AS listening_ns, s.ended AS ended_ns, ifnull(a.accepted, 0) AS accepted,
       ifnull(a.sent, 0) AS sent, ifnull(a.received, 0) AS received
FROM raw_socket AS s
LEFT JOIN raw_process AS p ON p.process = s.process
LEFT JOIN (SELECT listener, count(*) AS accepted, sum(sent) AS sent, sum(received) AS received
           FROM raw_socket WHERE listener IS NOT NULL GROUP BY listener) AS a ON a.listener = s.sock
WHERE s.listening IS NOT NULL OR a.listener IS NOT NULL
   OR s.sock IN (SELECT sock FROM raw_sock WHERE state = 10);	-- TCP_LISTEN, of unix too
