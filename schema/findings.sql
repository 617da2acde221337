-- findings.sql - what to look at next: sentences about one trace (?1), each
-- with its number and a query that shows more.
--
-- Each statement adds at most a few rows to raw_finding with a weight as
-- rank; the last one turns weights into 1, 2, 3 ... Functions human_*() are
-- those of analyzer/db_schema.c. A threshold says why it is where it is.

-- A sentence whose numbers are not known is NULL, and left out (OR IGNORE).

-- Missing data comes first: every other sentence stands on it.
INSERT OR IGNORE INTO raw_finding
SELECT trace_id, 1010, 'System calls were not recorded: ' || reason, NULL, '',
       'SELECT subject, reason FROM not_observed'
FROM probes WHERE trace_id = ?1 AND name = 'syscalls' AND rung = 'none';

INSERT OR IGNORE INTO raw_finding
SELECT trace_id, 1000, human_digits(n) || ' system calls (' ||
       ifnull(human_percent(n, attempted), 'some') || ') were made faster than they could be recorded; '
       || 'their counts are known, their details are not: try a larger --buffer',
       n, 'calls', 'SELECT * FROM losses WHERE counter = ''syscall_lost'' ORDER BY count DESC'
FROM (SELECT trace_id, attempted, lost - ifnull((SELECT sum(count) FROM losses AS l
        WHERE l.trace_id = t.trace_id AND l.counter = 'block_calls_lost'), 0) AS n
      FROM traces AS t WHERE trace_id = ?1) WHERE n > 0;

-- A lost open or close makes what follows a guess, in its process and what that forks.
INSERT OR IGNORE INTO raw_finding
SELECT ?1, 950, 'Calls of ' || iif(n = 1, 'a process', human_digits(n) || ' processes') ||
       ' were lost: what descriptors were there (by_fd_kind, fd_opens) may be wrong',
       n, 'processes', 'SELECT p.pid, p.comm, l.name, l.count, l.first_ns FROM losses AS l '
       || 'JOIN processes AS p USING (process_id) WHERE l.counter = ''syscall_lost'''
FROM (SELECT count(DISTINCT process_id) AS n FROM losses
      WHERE trace_id = ?1 AND counter = 'syscall_lost' AND process_id IS NOT NULL)
WHERE n > 0;

INSERT OR IGNORE INTO raw_finding
SELECT trace_id, 1002, human_digits(value) || ' records of signals found no room in the ring buffers: those signals '
       || 'are missing; try a larger --buffer', value, 'signals',
       'SELECT counter, count, doc FROM losses WHERE counter = ''signal_lost'''
FROM raw_total WHERE trace_id = ?1 AND name = 'signal_lost' AND value > 0;

INSERT OR IGNORE INTO raw_finding
SELECT trace_id, 1003, human_digits(value) || ' records of process life found no room: processes, threads, programs '
       || 'or ends are missing', value, 'records',
       'SELECT counter, count, doc FROM losses WHERE counter = ''lifecycle_lost'''
FROM raw_total WHERE trace_id = ?1 AND name = 'lifecycle_lost' AND value > 0;

INSERT OR IGNORE INTO raw_finding
SELECT ?1, 1005, human_digits(n) || ' system calls and other records could not be written to the file, '
       || 'most likely for a full disk; the calls are counted, all else of them is missing',
       n, 'events', 'SELECT * FROM losses WHERE counter IN (''block_calls_lost'', ''block_events_lost'')'
FROM (SELECT sum(count) AS n FROM losses WHERE trace_id = ?1 AND counter IN ('block_calls_lost', 'block_events_lost'))
WHERE n > 0;

INSERT OR IGNORE INTO raw_finding
SELECT trace_id, 990, 'The file is incomplete' ||
       iif(clean_end, '', ', it has no proper end') ||
       iif(blocks_lost > 0, ', ' || blocks_lost || ' blocks are missing', '') ||
       iif(damaged > 0, ', ' || damaged || ' places are damaged', ''),
       blocks_lost, 'blocks', 'SELECT * FROM losses WHERE kind = ''loss'''
FROM traces WHERE trace_id = ?1 AND NOT complete;

INSERT OR IGNORE INTO raw_finding
SELECT trace_id, 980, 'The command was killed by ' ||
       ifnull((SELECT name FROM raw_signal WHERE sig = exit_signal), 'signal ' || exit_signal),
       exit_signal, 'signal', 'SELECT * FROM signals ORDER BY time_ns DESC LIMIT 20'
FROM traces WHERE trace_id = ?1 AND exit_signal IS NOT NULL;

INSERT OR IGNORE INTO raw_finding
SELECT trace_id, 970, 'The kernel killed for lack of memory ' || count(*) || ' times',
       count(*), 'kills', 'SELECT * FROM raw_oom_kill'
FROM raw_oom_kill WHERE trace_id = ?1 GROUP BY trace_id;

-- What hangs: calls in flight when the recording ended have no duration of
-- their own and stand in no sum.
INSERT OR IGNORE INTO raw_finding
SELECT ?1, 960, human_digits(n) || iif(n = 1, ' thread was', ' threads were') ||
       ' still in a system call at the end, the longest: ' || ifnull(comm, '?') || ' (' ||
       ifnull(tid, '?') || ') in ' || ifnull(name, 'call ' || nr) || ' for ' || human_ns(dur),
       dur, 'ns', 'SELECT tid, comm, name, start_ns, path, fd FROM syscalls WHERE unfinished AND '
       || 'name NOT LIKE ''exit%'' ORDER BY start_ns'
FROM (SELECT count(*) AS n, max(e.time - e.call_start) AS dur, e.nr, t.tid, t.comm,
             (SELECT name FROM raw_syscall_name AS s WHERE s.abi = e.abi AND s.nr = e.nr) AS name
      FROM raw_thread_end AS e LEFT JOIN raw_thread AS t USING (thread)
      WHERE e.trace_id = ?1 AND e.call_start IS NOT NULL)
WHERE n > 0 AND dur IS NOT NULL;

-- Processes that a signal killed, but for the command itself.
INSERT OR IGNORE INTO raw_finding
SELECT ?1, 900, iif(n = 1, '', human_digits(n) || ' processes were killed by a signal, the first: ') ||
       ifnull(comm, '?') || ' (' || pid || ') was killed by ' ||
       ifnull((SELECT name FROM raw_signal WHERE sig = exit_code & 127),
              'signal ' || (exit_code & 127)),
       n, 'processes',
       'SELECT pid, comm, argv, exit_signal, end_ns FROM processes WHERE exit_signal IS NOT NULL '
       || 'ORDER BY end_ns'
FROM (SELECT *, count(*) OVER () AS n FROM raw_process
      WHERE trace_id = ?1 AND exit_code & 127 AND origin IS NOT 0 ORDER BY "end" LIMIT 1);

-- The biggest wait: the call with most time in it, where it is a tenth of the
-- time all threads had, and 10 ms: below, the command was over before anyone
-- could wait. Sleeping in a call is no fault; it is where time went.
INSERT OR IGNORE INTO raw_finding
SELECT c.trace_id, 800 + 100 * c.total_ns / max(1, life.ns), 'Most time in system calls went into '
       || c.name || ': ' || human_ns(c.total_ns) || ' in ' || human_count(c.count) ||
       iif(c.count = 1, ' call, ', ' calls, ') ||
       human_percent(c.total_ns, life.ns) || ' of the time its threads lived' ||
       CASE WHEN c.name IN ('futex', 'futex_wait', 'futex_waitv')
              THEN ' (waiting for other threads)'
            WHEN c.name IN ('wait4', 'waitid') THEN ' (waiting for children)'
            WHEN c.name LIKE '%poll%' OR c.name LIKE '%select%' THEN ' (waiting for events)'
            WHEN c.name LIKE '%sleep' THEN ' (sleeping on purpose)'
            ELSE '' END,
       c.total_ns, 'ns',
       'SELECT pid, comm, count, total_ns, max_ns FROM process_syscalls WHERE name = ''' || c.name
       || ''' ORDER BY total_ns DESC'
FROM (SELECT * FROM syscall_stats WHERE trace_id = ?1 ORDER BY total_ns DESC LIMIT 1) AS c,
     (SELECT CAST(total(ifnull(t."end", r.last) - t.start) AS INTEGER) AS ns
      FROM raw_thread AS t JOIN raw_trace AS r USING (trace_id) WHERE trace_id = ?1) AS life
WHERE c.total_ns * 10 >= life.ns AND c.total_ns >= 10000000;

-- Who waited for whom, as threads of one process do: a tenth of the run, and 10 ms. One wait that is
-- half of it all is of a thread that had nothing to do, or joined another.
INSERT OR IGNORE INTO raw_finding
SELECT ?1, 780 + 100 * w.ns / max(1, r.ns), ifnull(w.comm, '?') || ' (' || w.tid || ') waited ' || human_ns(w.ns) ||
       ' in futex, ' || human_count(w.n) || ' times, ' || human_percent(w.ns, r.ns) || ' of the run, until ' || w.waker_comm || ' (' ||
       w.waker_tid || ') woke it', w.ns, 'ns',
       'SELECT start_ns, dur_ns, ready_ns, waker_comm, waker_tid FROM offcpu WHERE thread_id = ' || w.thread_id ||
       ' AND reason LIKE ''futex%'' ORDER BY dur_ns DESC LIMIT 20'
FROM (SELECT thread_id, comm, tid, waker_comm, waker_tid, sum(total_ns) AS ns, sum(count) AS n, max(max_ns) AS longest
      FROM waits
      WHERE trace_id = ?1 AND reason IN ('futex', 'futex_wait', 'futex_waitv') AND waker_tid IS NOT NULL
      GROUP BY thread_id, waker_tid HAVING longest * 2 < ns ORDER BY ns DESC LIMIT 1) AS w,
     (SELECT ifnull(duration_ns, last) AS ns FROM traces JOIN raw_trace USING (trace_id) WHERE trace_id = ?1) AS r
WHERE w.ns * 10 >= r.ns AND w.ns >= 10000000;

-- Time that was work in the kernel and not waiting shows elsewhere: the busiest
-- call by number, where it is a third of all.
INSERT OR IGNORE INTO raw_finding
SELECT c.trace_id, 500 + 100 * c.count / t.n, c.name || ' is ' || human_percent(c.count, t.n) ||
       ' of all system calls: ' || human_digits(c.count) || ', ' || human_ns(c.p50_ns) ||
       ' each at the median', c.count, 'calls',
       'SELECT pid, comm, count, total_ns FROM process_syscalls WHERE name = ''' || c.name ||
       ''' ORDER BY count DESC'
FROM (SELECT * FROM syscall_stats WHERE trace_id = ?1 ORDER BY count DESC LIMIT 1) AS c,
     (SELECT sum(count) AS n FROM syscall_stats WHERE trace_id = ?1) AS t
WHERE c.count * 3 >= t.n AND c.count >= 1000;

-- Reads and writes of a few bytes: asked for below 512 on average costs more in
-- entering the kernel than in moving bytes.
INSERT OR IGNORE INTO raw_finding
SELECT p.trace_id, 700, ifnull(p.comm, '?') || ' (' || p.pid || ') moved ' ||
       human_bytes(p.rchar + p.wchar) || ' in ' || human_digits(p.syscr + p.syscw) ||
       ' read and write calls, ' || ((p.rchar + p.wchar) / (p.syscr + p.syscw)) ||
       ' bytes each: a larger buffer saves most of them',
       (p.rchar + p.wchar) / (p.syscr + p.syscw), 'bytes',
       iif(p.trace_id IN (SELECT trace_id FROM raw_blind),
           'SELECT time_ns, rchar, wchar, syscr, syscw FROM process_samples WHERE process_id = ' || p.process,
           'SELECT name, count, total_ns FROM process_syscalls WHERE process_id = ' || p.process ||
           ' AND category = ''file_io'' ORDER BY count DESC')
FROM raw_process AS p
WHERE p.trace_id = ?1 AND p.syscr + p.syscw >= 10000
  AND p.rchar + p.wchar < 512 * (p.syscr + p.syscw)
ORDER BY p.syscr + p.syscw DESC LIMIT 1;

-- A call that fails in one way often: more than one in five of it, and a
-- hundred times. What is normal is left out: in a loop over events, and the
-- question whether a descriptor is a terminal.
INSERT OR IGNORE INTO raw_finding
SELECT e.trace_id, 600 + 100 * e.count / s.count, e.name || ' failed with ' || e.error || ' ' ||
       human_digits(e.count) || ' times, ' || human_percent(e.count, s.count) || ' of its calls',
       e.count, 'calls',
       'SELECT pid, comm, count FROM errors WHERE name = ''' || e.name || ''' AND error = ''' ||
       e.error || ''' ORDER BY count DESC'
FROM (SELECT trace_id, n.name, x.name AS error, sum(count) AS count FROM raw_result AS r
      JOIN raw_syscall_name AS n ON n.abi = r.abi AND n.nr = r.nr
      JOIN raw_errno AS x ON x.errno = r.result
      WHERE trace_id = ?1
        AND x.name NOT IN ('EAGAIN', 'EINPROGRESS', 'ETIMEDOUT', 'EINTR', 'ENOTTY')
      GROUP BY n.name, x.name) AS e
JOIN (SELECT name, sum(count) AS count FROM syscall_stats WHERE trace_id = ?1 GROUP BY name) AS s
  USING (name)
WHERE e.count >= 100 AND e.count * 5 >= s.count
ORDER BY e.count DESC LIMIT 3;

-- Files not found: many in one search path is what a start spends its time on.
INSERT OR IGNORE INTO raw_finding
SELECT trace_id, 550, human_digits(sum(failed_opens)) || ' opens failed, of ' ||
       human_digits(count(*)) || ' different paths; most often ' ||
       iif(typeof(path) = 'text', path, 'a path that is no UTF-8') || ' (' || max(failed_opens) ||
       ')', sum(failed_opens), 'calls',
       'SELECT path, failed_opens, errnos FROM files WHERE failed_opens > 0 '
       || 'ORDER BY failed_opens DESC LIMIT 20'
FROM files WHERE trace_id = ?1 AND failed_opens > 0
GROUP BY trace_id HAVING sum(failed_opens) >= 20;

INSERT OR IGNORE INTO raw_finding
SELECT trace_id, 560, 'Permission was refused for ' || count(*) ||
       iif(count(*) = 1, ' path, ', ' paths, ') ||
       iif(typeof(path) = 'text', path, 'one that is no UTF-8') || ' most often', max(errors), 'calls',
       'SELECT path, errors, errnos FROM files WHERE errnos LIKE ''%EACCES%'' '
       || 'OR errnos LIKE ''%EPERM%'' ORDER BY errors DESC'
FROM files WHERE trace_id = ?1 AND (errnos LIKE '%EACCES%' OR errnos LIKE '%EPERM%')
GROUP BY trace_id;

INSERT OR IGNORE INTO raw_finding
SELECT trace_id, 650, 'Connections failed: ' || address || ' with ' || errnos ||
       iif(n > 1, ', and ' || (n - 1) || ' other addresses', ''), errors, 'calls',
       'SELECT pid, comm, address, errors, errnos FROM connections WHERE errors > 0 '
       || 'ORDER BY errors DESC'
FROM (SELECT *, count(*) OVER () AS n FROM connections
      WHERE trace_id = ?1 AND name = 'connect' AND errors > 0 AND typeof(address) = 'text'
      ORDER BY errors DESC LIMIT 1);

-- A segment in a thousand that is sent again is a loss worth a look on any network of today.
INSERT OR IGNORE INTO raw_finding
SELECT ?1, 645, human_digits(n) || ' TCP segments were sent again, most to ' || ifnull(remote, '?') ||
       ifnull(' (' || human_percent(resent, sent) || ' of all that was sent)', ''), n, 'segments',
       'SELECT comm, remote, retransmits, sent, srtt_us FROM v_conn WHERE retransmits > 0 '
       || 'ORDER BY retransmits DESC'
FROM (SELECT sum(retransmits) OVER () AS n, total(tcp_resent) OVER () AS resent, total(tcp_sent) OVER () AS sent, remote
      FROM raw_socket WHERE trace_id = ?1 AND retransmits > 0 ORDER BY retransmits DESC LIMIT 1)
WHERE ifnull(resent * 1000 >= sent, 1);

INSERT OR IGNORE INTO raw_finding
SELECT ?1, 985, human_digits(n) || ' records of sockets and of bytes through them found no room: '
       || 'what was sent and received is more than what is shown; try a larger --buffer', n, 'records',
       'SELECT counter, count FROM losses WHERE counter IN (''transfer_lost'', ''sock_lost'')'
FROM (SELECT sum(count) AS n FROM losses WHERE trace_id = ?1 AND counter IN ('transfer_lost', 'sock_lost'))
WHERE n > 0;

-- A storm of short-lived processes: a hundred that lived under 10 ms in the
-- median cost more to make than they do.
INSERT OR IGNORE INTO raw_finding
SELECT ?1, 640, human_digits(n) || ' processes lived for less than 10 ms each; ' ||
       ifnull(comm, '?') || ' most often: making a process costs about as much', n, 'processes',
       'SELECT comm, count(*), avg(dur_ns) FROM processes GROUP BY comm ORDER BY 2 DESC'
FROM (SELECT comm, sum(count(*)) OVER () AS n, count(*) AS of_comm FROM raw_process
      WHERE trace_id = ?1 AND "end" - start < 10000000 GROUP BY comm
      ORDER BY of_comm DESC LIMIT 1)
WHERE n >= 100;

-- Waiting for a CPU for a tenth of the time spent on one.
INSERT OR IGNORE INTO raw_finding
SELECT ?1, 620, 'Threads waited ' || human_ns(delay) || ' for a free CPU and ran for ' ||
       human_ns(run), delay, 'ns',
       'SELECT pid, comm, run_delay_ns, runtime_ns FROM processes ORDER BY run_delay_ns DESC'
FROM (SELECT sum(run_delay) AS delay, sum(runtime) AS run FROM raw_process WHERE trace_id = ?1)
WHERE delay * 10 >= run AND delay >= 100000000;

INSERT OR IGNORE INTO raw_finding
SELECT ?1, 610, human_digits(majflt) || ' page faults had to wait for storage', majflt, 'faults',
       'SELECT pid, comm, majflt FROM processes ORDER BY majflt DESC'
FROM (SELECT sum(majflt) AS majflt FROM raw_process WHERE trace_id = ?1)
WHERE majflt >= 1000;

-- Where the CPU waited for memory: in a tenth of all cycles or more.
INSERT OR IGNORE INTO raw_finding
SELECT ?1, CAST(600 + 100 * c.cycles / c.of_all AS INTEGER), ifnull(c.comm, '?') || ' (' || ifnull(c.pid, '?') ||
       ') is bound by memory: ' || human_percent(c.stalled_backend, c.cycles) ||
       ' of its cycles were stalled, with ' || printf('%.2f', c.ipc) || ' instructions a cycle' ||
       iif(c.cache_misses IS NULL, '', '; ' || human_digits(c.cache_misses) || ' misses of the last cache'),
       c.stalled_backend, 'cycles',
       'SELECT pid, comm, cycles, ipc, cache_miss_rate, backend_share, verdict FROM process_counters '
       || 'ORDER BY cycles DESC'
FROM (SELECT *, total(cycles) OVER () AS of_all FROM process_counters WHERE trace_id = ?1) AS c
WHERE c.verdict = 'memory-bound' AND c.cycles * 10 >= c.of_all
ORDER BY c.cycles DESC, c.process_id LIMIT 1;

-- What the CPU was spent on: one function, a fifth of at least 50 samples.
INSERT OR IGNORE INTO raw_finding
SELECT ?1, 600 + 100 * f.n / a.n, human_percent(f.n, a.n) || ' of the samples of what ran are of ' || f.name ||
       iif(f.path IS NULL, '', ' in ' || replace(f.path, rtrim(f.path, replace(f.path, '/', '')), '')) ||
       ': ' || human_digits(f.n) || ' of ' || human_digits(a.n), f.n, 'samples',
       'SELECT name, module, self_weight, total_weight FROM functions WHERE what = ''samples'' '
       || 'ORDER BY self_weight DESC LIMIT 20'
FROM (SELECT p.name, p.path, sum(w.count) AS n FROM raw_weight AS w JOIN raw_node AS d ON d.stack = w.stack
      JOIN raw_place AS p ON p.frame = d.frame WHERE w.trace_id = ?1 AND w.what = 'samples'
      GROUP BY p.name, p.path ORDER BY n DESC, p.name LIMIT 1) AS f,
     (SELECT sum(count) AS n FROM raw_weight WHERE trace_id = ?1 AND what = 'samples') AS a
WHERE a.n >= 50 AND f.n * 5 >= a.n;

-- Weights become ranks.
UPDATE raw_finding SET rank = r.rank
FROM (SELECT rowid AS id, row_number() OVER (ORDER BY rank DESC, rowid) AS rank FROM raw_finding
      WHERE trace_id = ?1) AS r
WHERE raw_finding.rowid = r.id AND raw_finding.trace_id = ?1;
