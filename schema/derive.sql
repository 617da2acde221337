-- derive.sql - tables made of the rows of one trace (?1) when all are there:
-- raw_thread, raw_process, raw_process_calls, raw_call, sockets, sums of waits, stacks.
--
-- Rows of a thread may be missing (lost records, a damaged block, a trace that
-- was cut): whatever names a thread makes it known, and what is not known of
-- it stays NULL.

-- A bare column beside min() or max() comes from the row with the least or
-- the greatest value (SQLite's documents, "Bare columns in an aggregate").

INSERT INTO raw_thread
SELECT s.thread, ?1, s.process, s.parent_thread, s.tid, s.pid, s.ppid, s.origin,
       iif(s.origin IN (7, 8) AND s.born IS NOT NULL, s.born, s.time),
       ifnull(x.time, b.time), x.exit_code, ifnull(x.seq, e.seq), coalesce(x.comm, c.comm, s.comm)
FROM (SELECT thread, process, parent_thread, tid, pid, ppid, origin, born, time, comm,
             min((origin IN (5, 7)) * 0x2000000000000000 + time)
      FROM raw_thread_start
      WHERE trace_id = ?1 AND thread IS NOT NULL GROUP BY thread) AS s
LEFT JOIN (SELECT thread, exit_code, seq, comm, max(time) AS time FROM raw_thread_exit
           WHERE trace_id = ?1 GROUP BY thread) AS x ON x.thread = s.thread
LEFT JOIN (SELECT parent_thread, min(time) AS time FROM raw_thread_start
           WHERE trace_id = ?1 AND origin = 5 GROUP BY parent_thread) AS b
  ON b.parent_thread = s.thread         -- it goes on under another id after an exec
LEFT JOIN (SELECT thread, seq, max(time) FROM raw_thread_end
           WHERE trace_id = ?1 GROUP BY thread) AS e ON e.thread = s.thread
LEFT JOIN (SELECT thread, comm, max(time)
           FROM (SELECT thread, comm, time FROM raw_comm
                 WHERE trace_id = ?1 AND comm IS NOT NULL
                 UNION ALL
                 SELECT thread, comm, time FROM raw_exec
                 WHERE trace_id = ?1 AND comm IS NOT NULL)
           GROUP BY thread) AS c ON c.thread = s.thread
ORDER BY s.thread;

INSERT OR IGNORE INTO raw_thread (thread, trace_id, process, "end", exit_code, seq, comm)
SELECT thread, ?1, process, time, exit_code, seq, comm FROM raw_thread_exit
WHERE trace_id = ?1 AND thread IS NOT NULL;

INSERT OR IGNORE INTO raw_thread (thread, trace_id, process, comm)
SELECT thread, ?1, process, comm FROM raw_exec WHERE trace_id = ?1 AND thread IS NOT NULL;

INSERT OR IGNORE INTO raw_thread (thread, trace_id)
SELECT thread, ?1 FROM raw_thread_calls WHERE trace_id = ?1;

-- Figures of a process that has ended are the sums of its threads' own; of
-- one that lives on, or whose threads were not seen one by one, its last
-- reading of /proc, less the first one where it was attached to. An exec from a second thread goes on under the id of the
-- first, which is the process's.
INSERT INTO raw_process
SELECT t.process, ?1, pt.process, coalesce(l.pid, t.pid), coalesce(l.ppid, t.ppid),
       coalesce(l.origin, t.origin), t.start, g.time, g.exit_code, t.threads,
       coalesce(lc.comm, l.comm, t.comm),
       coalesce(x.path, st.exe), coalesce(x.command, st.command), coalesce(x.cwd, st.cwd), x.uid, x.gid,
       iif(g.process IS NULL, ifnull(sm.utime, e.utime), ifnull(e.utime, sm.utime)),
       iif(g.process IS NULL, ifnull(sm.stime, e.stime), ifnull(e.stime, sm.stime)),
       e.runtime, e.run_delay,
       iif(g.process IS NULL, ifnull(sm.nvcsw, e.nvcsw), ifnull(e.nvcsw, sm.nvcsw)),
       iif(g.process IS NULL, ifnull(sm.nivcsw, e.nivcsw), ifnull(e.nivcsw, sm.nivcsw)),
       iif(g.process IS NULL, ifnull(sm.minflt, e.minflt), ifnull(e.minflt, sm.minflt)),
       iif(g.process IS NULL, ifnull(sm.majflt, e.majflt), ifnull(e.majflt, sm.majflt)),
       iif(g.process IS NULL, ifnull(sm.rchar, e.rchar), ifnull(e.rchar, sm.rchar)),
       iif(g.process IS NULL, ifnull(sm.wchar, e.wchar), ifnull(e.wchar, sm.wchar)),
       iif(g.process IS NULL, ifnull(sm.syscr, e.syscr), ifnull(e.syscr, sm.syscr)),
       iif(g.process IS NULL, ifnull(sm.syscw, e.syscw), ifnull(e.syscw, sm.syscw)),
       iif(g.process IS NULL, ifnull(sm.read_bytes, e.read_bytes), ifnull(e.read_bytes, sm.read_bytes)),
       iif(g.process IS NULL, ifnull(sm.write_bytes, e.write_bytes), ifnull(e.write_bytes, sm.write_bytes)),
       e.cancelled_write_bytes,
       ifnull(g.maxrss, sp.rss)
FROM (SELECT process, pid, ppid, origin, comm, min(start) AS start, count(*) AS threads
      FROM raw_thread WHERE trace_id = ?1 AND process IS NOT NULL GROUP BY process) AS t
LEFT JOIN raw_thread AS l ON l.thread = t.process
LEFT JOIN raw_thread AS pt ON pt.thread = l.parent_thread
LEFT JOIN (SELECT process, exit_code, maxrss, max(time) AS time FROM raw_thread_exit
           WHERE trace_id = ?1 AND group_dead = 1 GROUP BY process) AS g ON g.process = t.process
LEFT JOIN (SELECT process, sum(utime) AS utime, sum(stime) AS stime, sum(runtime) AS runtime,
                  sum(run_delay) AS run_delay, sum(nvcsw) AS nvcsw, sum(nivcsw) AS nivcsw,
                  sum(minflt) AS minflt, sum(majflt) AS majflt, sum(rchar) AS rchar,
                  sum(wchar) AS wchar, sum(syscr) AS syscr, sum(syscw) AS syscw,
                  sum(read_bytes) AS read_bytes, sum(write_bytes) AS write_bytes,
                  sum(cancelled_write_bytes) AS cancelled_write_bytes
           FROM raw_thread_exit WHERE trace_id = ?1 GROUP BY process) AS e ON e.process = t.process
LEFT JOIN (SELECT process, path, command, cwd, uid, gid, max(time) FROM raw_exec
           WHERE trace_id = ?1 GROUP BY process) AS x ON x.process = t.process
LEFT JOIN (SELECT process, cwd, exe, command, max(time) FROM raw_process_state
           WHERE trace_id = ?1 GROUP BY process) AS st ON st.process = t.process
LEFT JOIN (SELECT s.process, s.utime - ifnull(b.utime, 0) AS utime, s.stime - ifnull(b.stime, 0) AS stime,
                  s.nvcsw - ifnull(b.nvcsw, 0) AS nvcsw, s.nivcsw - ifnull(b.nivcsw, 0) AS nivcsw,
                  s.minflt - ifnull(b.minflt, 0) AS minflt, s.majflt - ifnull(b.majflt, 0) AS majflt,
                  s.rchar - ifnull(b.rchar, 0) AS rchar, s.wchar - ifnull(b.wchar, 0) AS wchar,
                  s.syscr - ifnull(b.syscr, 0) AS syscr, s.syscw - ifnull(b.syscw, 0) AS syscw,
                  s.read_bytes - ifnull(b.read_bytes, 0) AS read_bytes,
                  s.write_bytes - ifnull(b.write_bytes, 0) AS write_bytes
           FROM (SELECT process, utime, stime, nvcsw, nivcsw, minflt, majflt, rchar, wchar, syscr,
                        syscw, read_bytes, write_bytes, max(time) FROM raw_process_sample
                 WHERE trace_id = ?1 GROUP BY process) AS s
           LEFT JOIN (SELECT process, utime, stime, nvcsw, nivcsw, minflt, majflt, rchar, wchar, syscr,
                             syscw, read_bytes, write_bytes, min(time) FROM raw_process_sample
                      WHERE trace_id = ?1 AND process IN
                            (SELECT thread FROM raw_thread_start WHERE trace_id = ?1 AND origin = 6)
                      GROUP BY process) AS b USING (process)) AS sm ON sm.process = t.process
LEFT JOIN (SELECT process, max(rss) AS rss FROM raw_process_sample
           WHERE trace_id = ?1 GROUP BY process) AS sp ON sp.process = t.process
LEFT JOIN (SELECT process, comm, max(time)
           FROM (SELECT process, comm, time FROM raw_exec
                 WHERE trace_id = ?1 AND comm IS NOT NULL
                 UNION ALL
                 SELECT thread, comm, time FROM raw_comm
                 WHERE trace_id = ?1 AND comm IS NOT NULL
                 UNION ALL
                 SELECT process, comm, time FROM raw_thread_exit
                 WHERE trace_id = ?1 AND comm IS NOT NULL AND thread = process)
           GROUP BY process) AS lc ON lc.process = t.process
ORDER BY t.process;

-- User and system time are sampled at the kernel's ticks; time on CPUs is
-- exact. As the kernel does it for getrusage (cputime_adjust in
-- kernel/sched/cputime.c), the ticks only share it out.
UPDATE raw_process
SET stime = iif(stime = 0, 0, iif(utime = 0, runtime,
                CAST(stime * 1.0 / (stime + utime) * runtime AS INTEGER))),
    utime = runtime - iif(stime = 0, 0, iif(utime = 0, runtime,
                CAST(stime * 1.0 / (stime + utime) * runtime AS INTEGER)))
WHERE trace_id = ?1 AND "end" IS NOT NULL AND utime IS NOT NULL AND stime IS NOT NULL
  AND runtime > 0;


INSERT INTO raw_process_calls
SELECT process, ?1, sum(calls), sum(errors), sum(lost), sum(total)
FROM (SELECT t.process, c.calls, c.errors, 0 AS lost, c.total
      FROM raw_thread_calls AS c JOIN raw_thread AS t USING (thread) WHERE c.trace_id = ?1
      UNION ALL
      SELECT process, 0, 0, count, 0 FROM raw_loss
      WHERE trace_id = ?1 AND counter =
            (SELECT counter FROM raw_counter_name WHERE name = 'syscall_lost'))
WHERE process IS NOT NULL GROUP BY process;

-- A percentile is the middle of the bucket (analyzer/hist.h) that holds the
-- value of its rank, held between the least and the greatest that were seen.
INSERT INTO raw_call
WITH
  stat AS (
    SELECT abi, nr, sum(count) AS count, sum(timed) AS timed,
           sum(iif(result > 0, count, 0)) AS errors,
           sum(iif(result BETWEEN -516 AND -512, count, 0)) AS restarts,
           sum(iif(result = -1, count, 0)) AS unfinished,
           sum(total) AS total, min(min) AS min, max(max) AS max
    FROM raw_result WHERE trace_id = ?1 GROUP BY abi, nr),
  lost AS (
    SELECT abi, nr, sum(count) AS lost FROM raw_loss
    WHERE trace_id = ?1 AND abi IS NOT NULL AND nr IS NOT NULL AND counter =
          (SELECT counter FROM raw_counter_name WHERE name = 'syscall_lost')
    GROUP BY abi, nr),
  hist AS (
    SELECT abi, nr, bucket, sum(count) AS n FROM raw_latency WHERE trace_id = ?1
    GROUP BY abi, nr, bucket),
  ranked AS (
    SELECT abi, nr, n, iif(bucket < 32, bucket,
             ((bucket & 15 | 16) << (bucket >> 4) - 1) + ((1 << (bucket >> 4) - 1) >> 1)) AS value,
           sum(n) OVER (PARTITION BY abi, nr ORDER BY bucket) AS upto,
           sum(n) OVER (PARTITION BY abi, nr) AS whole
    FROM hist),
  rank AS (
    SELECT abi, nr, min(iif(upto * 2 >= whole, value, NULL)) AS p50,
           min(iif(upto * 10 >= whole * 9, value, NULL)) AS p90,
           min(iif(upto * 100 >= whole * 99, value, NULL)) AS p99
    FROM ranked GROUP BY abi, nr),
  keys AS (SELECT abi, nr FROM stat UNION SELECT abi, nr FROM lost)
SELECT ?1, abi, nr, ifnull(count, 0), ifnull(timed, 0), ifnull(errors, 0), ifnull(restarts, 0),
       ifnull(unfinished, 0), ifnull(lost, 0), ifnull(total, 0), min, max,
       max(min, min(max, p50)), max(min, min(max, p90)), max(min, min(max, p99))
FROM keys LEFT JOIN stat USING (abi, nr) LEFT JOIN lost USING (abi, nr)
          LEFT JOIN rank USING (abi, nr);

-- Sockets: what the first sight of one told, what happened to it, and its bytes.
-- A socket whose first record was lost is one of an unknown kind.
INSERT INTO raw_socket
WITH
  ids AS (
    SELECT sock FROM raw_sock WHERE trace_id = ?1 AND sock IS NOT NULL
    UNION SELECT sock FROM raw_flow WHERE trace_id = ?1
    UNION SELECT sock FROM raw_sock_event WHERE trace_id = ?1 AND sock IS NOT NULL),
  event AS (
    SELECT e.sock, k.name AS kind, e.time, e.start, e.old_state, e.state, e.err, e.local,
           e.remote, e.peer_inode, e.srtt_us, e.retrans, e.tcp_sent, e.tcp_resent, e.tcp_acked,
           e.tcp_received
    FROM raw_sock_event AS e JOIN raw_sock_event_kind AS k USING (kind)
    WHERE e.trace_id = ?1 AND e.sock IS NOT NULL),
  became AS (
    SELECT sock,
           min(iif(kind = 'connect', start, NULL)) AS asked,
           min(iif(kind = 'connect' AND err IS NULL, time, NULL)) AS connected,
           min(iif(kind = 'state' AND state = 2, time, NULL)) AS syn,
           min(iif(kind = 'state' AND old_state = 2 AND state = 1, time, NULL)) AS established,
           min(iif(kind = 'listen' AND err IS NULL, time, NULL)) AS listening,
           max(iif(kind = 'state' AND state = 7, time, NULL)) AS ended,
           max(iif(kind = 'close', time, NULL)) AS closed,
           max(iif(kind = 'last', time, NULL)) AS last,
           max(iif(kind = 'connect' AND err NOT IN (106, 114, 115), err, NULL)) AS refused,
           max(iif(kind = 'state' AND old_state = 2 AND state = 7, err, NULL)) AS failed,
           sum(kind = 'retransmit') AS retransmits,
           sum(kind = 'reset_sent') AS resets_sent,
           sum(kind = 'reset_received') AS resets_received
    FROM event GROUP BY sock),
  local AS (
    SELECT sock, local, max(time) FROM event WHERE local IS NOT NULL GROUP BY sock),
  remote AS (
    SELECT sock, remote, max(time) FROM event WHERE remote IS NOT NULL GROUP BY sock),
  peer AS (
    SELECT sock, peer_inode, max(time) FROM event WHERE peer_inode IS NOT NULL GROUP BY sock),
  state AS (
    SELECT sock, state, max(time) FROM event WHERE kind = 'state' GROUP BY sock),
  error AS (
    SELECT sock, err, max(time) FROM event
    WHERE kind IN ('state', 'error') AND err IS NOT NULL GROUP BY sock),
  tcp AS (
    SELECT sock, srtt_us, retrans, tcp_sent, tcp_resent, tcp_acked, tcp_received, max(time)
    FROM event WHERE tcp_sent IS NOT NULL GROUP BY sock),
  flow AS (
    SELECT sock, sum(sent) AS sent, sum(received) AS received, sum(sends) AS sends,
           sum(receives) AS receives, min(first) AS first, max(last) AS last
    FROM raw_flow WHERE trace_id = ?1 GROUP BY sock)
SELECT i.sock, ?1, s.thread, t.process, s.fd, s.origin,
       iif(o.name = 'accept', s.other, NULL),
       iif(o.name = 'pair', ifnull(s.other, p.sock), NULL),
       CASE WHEN s.family IN (2, 10) THEN
              CASE WHEN s.type = 3 THEN 'raw'
                   ELSE CASE s.protocol WHEN 6 THEN 'tcp' WHEN 17 THEN 'udp' WHEN 1 THEN 'icmp'
                                        WHEN 58 THEN 'icmp' WHEN 132 THEN 'sctp'
                                        WHEN 136 THEN 'udplite' WHEN 262 THEN 'mptcp'
                                        ELSE 'inet' END END
            ELSE ifnull(f.name, 'unknown') END,
       s.family, s.type, s.protocol, s.inode, ifnull(peer.peer_inode, s.peer_inode), s.netns,
       ifnull(local.local, s.local), ifnull(remote.remote, s.remote),
       ifnull(s.time, flow.first),
       ifnull(b.asked, b.syn),
       iif(s.protocol = 6, b.established, b.connected),
       iif(iif(s.protocol = 6, b.established, b.connected) IS NULL, ifnull(b.refused, b.failed),
           NULL),
       b.listening, b.ended, ifnull(b.closed, iif(b.last IS NULL, gone."end", NULL)),
       ifnull(state.state, s.state), error.err,
       coalesce(tcp.retrans, b.retransmits, 0), ifnull(b.resets_sent, 0),
       ifnull(b.resets_received, 0), tcp.srtt_us, tcp.tcp_sent, tcp.tcp_resent, tcp.tcp_acked,
       tcp.tcp_received, ifnull(flow.sent, 0), ifnull(flow.received, 0), ifnull(flow.sends, 0),
       ifnull(flow.receives, 0), flow.first, flow.last
FROM ids AS i
LEFT JOIN (SELECT *, min(time) FROM raw_sock WHERE trace_id = ?1 GROUP BY sock) AS s ON s.sock = i.sock
LEFT JOIN (SELECT other, sock FROM raw_sock WHERE trace_id = ?1 AND other IS NOT NULL AND origin =
             (SELECT origin FROM raw_sock_origin WHERE name = 'pair') GROUP BY other) AS p
  ON p.other = i.sock
LEFT JOIN raw_sock_origin AS o ON o.origin = s.origin
LEFT JOIN raw_family AS f ON f.family = s.family
LEFT JOIN raw_thread AS t ON t.thread = s.thread
LEFT JOIN became AS b ON b.sock = i.sock
LEFT JOIN raw_process AS gone ON gone.process = t.process
LEFT JOIN local ON local.sock = i.sock
LEFT JOIN remote ON remote.sock = i.sock
LEFT JOIN peer ON peer.sock = i.sock
LEFT JOIN state ON state.sock = i.sock
LEFT JOIN error ON error.sock = i.sock
LEFT JOIN tcp ON tcp.sock = i.sock
LEFT JOIN flow ON flow.sock = i.sock
ORDER BY i.sock;

-- Reports stand on these sums; of a storm of switches there are a million rows and few of these.
INSERT INTO raw_wait
SELECT ?1, thread_id, state, reason, syscall, waker_id, waker_tid, waker_comm, count(*), sum(dur_ns),
       sum(ifnull(ready_ns, 0)), max(dur_ns), min(dur_ns), NULL
FROM offcpu WHERE trace_id = ?1
GROUP BY thread_id, state, syscall, waker_tid, waker_id, waker_comm;

-- Of what was only added up neither call nor waker are known.
INSERT INTO raw_wait
SELECT ?1, s.thread, o.name, iif(o.name = 'runnable', 'cpu', 'short'), NULL, NULL, NULL, NULL, sum(s.count),
       sum(s.total), sum(iif(o.name = 'runnable', s.total, s.ready)), NULL, NULL, max(s.below)
FROM raw_offcpu_short AS s LEFT JOIN raw_off_state AS o ON o.state = s.state
WHERE s.trace_id = ?1 GROUP BY s.thread, s.state;

-- Objects, frames and stacks are told again after each keyframe. A frame's function is, of
-- those that reach so far, the one that begins last before it; no more than 7 lie between.
INSERT OR IGNORE INTO raw_function
SELECT object, "offset", size, ?1, demangle(name), name FROM raw_symbol
WHERE trace_id = ?1 AND object IS NOT NULL AND "offset" IS NOT NULL;

INSERT OR IGNORE INTO raw_place
SELECT frame, ?1, object, "offset", kind, path, function,
       coalesce(function, iif(kind = 'mark', path,
         ifnull(replace(path, rtrim(path, replace(path, '/', '')), '') || '+', '') || printf('0x%x', "offset"))),
       NULL, NULL
FROM (
  SELECT f.frame, f.object, f."offset", o.kind, o.path,
         (SELECT name FROM (
            SELECT s."offset", s.size, s.name FROM raw_function AS s
            WHERE s.object = f.object AND s."offset" <= f."offset" ORDER BY s."offset" DESC LIMIT 8)
          WHERE f."offset" < "offset" + size ORDER BY "offset" DESC LIMIT 1) AS function
  FROM raw_frame AS f
  LEFT JOIN (SELECT r.object, k.name AS kind, r.path FROM raw_object AS r
             LEFT JOIN raw_code_kind AS k ON k.kind = r.kind
             WHERE r.trace_id = ?1 GROUP BY r.object) AS o ON o.object = f.object
  WHERE f.trace_id = ?1 AND f.frame IS NOT NULL);

-- A stack is told after that of its caller, and has the higher id: what says otherwise would go round for ever.
INSERT OR IGNORE INTO raw_node
SELECT stack, ?1, iif(parent < stack, parent, NULL), frame FROM raw_stack WHERE trace_id = ?1 AND stack IS NOT NULL;

INSERT INTO raw_weight
SELECT ?1, 'samples', thread, stack, NULL, count(*), count(*), NULL FROM raw_sample
WHERE trace_id = ?1 AND stack IS NOT NULL GROUP BY thread, stack;

INSERT INTO raw_weight
SELECT ?1, 'offcpu', o.thread, o.stack, s.name IS NULL OR s.name NOT IN ('runnable', 'new') AS waited, count(*),
       sum(o.dur), max(o.dur)
FROM raw_offcpu AS o LEFT JOIN raw_off_state AS s ON s.state = o.state
WHERE o.trace_id = ?1 AND o.stack IS NOT NULL GROUP BY o.thread, o.stack, waited;

INSERT INTO raw_weight
SELECT ?1, 'calls', thread, stack, NULL, count(*), count(*), max(dur) FROM raw_call_stack
WHERE trace_id = ?1 AND stack IS NOT NULL GROUP BY thread, stack;

INSERT INTO raw_weight
SELECT ?1, 'calltime', thread, stack, NULL, count(*), sum(dur), max(dur) FROM raw_call_stack
WHERE trace_id = ?1 AND stack IS NOT NULL GROUP BY thread, stack;
