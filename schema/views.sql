-- views.sql - what people query: the stable interface of a denet database.
--
-- Before each view stands its description, in a form that tests and the man
-- page read:
--
--   view NAME: one row for each what
--     COLUMN: UNIT: meaning
--
-- Only built-in functions are used, so that any sqlite3 reads a database.
-- Times are ns from the trace's start; ids are unique in the database, pid and
-- tid are for display. NULL: not known, never 0.
--
-- Here are traces, processes and threads; views_*.sql have the rest, each a subject.

-- Totals of the recording: of each counter the value read last.
CREATE VIEW raw_total AS
SELECT c.trace_id, c.counter, n.name, n.kind, n.doc, c.value
FROM (SELECT trace_id, counter, value, max(time) FROM raw_counter GROUP BY trace_id, counter) AS c
JOIN raw_counter_name AS n USING (counter);

-- Traces in which system calls were not recorded: what is counted of them, or
-- added up, is not known there.
CREATE VIEW raw_blind AS
SELECT trace_id FROM raw_probe WHERE name = 'syscalls' AND rung = 'none';

-- What the processes of a trace used together. Of one that has ended and whose figure is not
-- known it could be anything: then the sum is not known, and NULL.
CREATE VIEW raw_used AS
SELECT trace_id, iif(sum(utime IS NULL AND "end" IS NOT NULL), NULL, sum(utime)) AS utime,
       iif(sum(stime IS NULL AND "end" IS NOT NULL), NULL, sum(stime)) AS stime,
       iif(sum(runtime IS NULL AND "end" IS NOT NULL), NULL, sum(runtime)) AS runtime,
       iif(sum(run_delay IS NULL AND "end" IS NOT NULL), NULL, sum(run_delay)) AS run_delay,
       iif(sum(nvcsw IS NULL AND "end" IS NOT NULL), NULL, sum(nvcsw)) AS nvcsw,
       iif(sum(nivcsw IS NULL AND "end" IS NOT NULL), NULL, sum(nivcsw)) AS nivcsw,
       iif(sum(minflt IS NULL AND "end" IS NOT NULL), NULL, sum(minflt)) AS minflt,
       iif(sum(majflt IS NULL AND "end" IS NOT NULL), NULL, sum(majflt)) AS majflt,
       iif(sum(rchar IS NULL AND "end" IS NOT NULL), NULL, sum(rchar)) AS rchar,
       iif(sum(wchar IS NULL AND "end" IS NOT NULL), NULL, sum(wchar)) AS wchar,
       iif(sum(read_bytes IS NULL AND "end" IS NOT NULL), NULL, sum(read_bytes)) AS read_bytes,
       iif(sum(write_bytes IS NULL AND "end" IS NOT NULL), NULL, sum(write_bytes)) AS write_bytes,
       max(maxrss) AS maxrss
FROM raw_process GROUP BY trace_id;

-- System calls the recorder lost: its counter, or the rows where it is missing.
CREATE VIEW raw_quality AS
SELECT t.trace_id, t.trace_id NOT IN (SELECT trace_id FROM raw_blind) AS observed,
       (SELECT value FROM raw_total AS c WHERE c.trace_id = t.trace_id AND name = 'attempted')
         AS attempted,
       (SELECT value FROM raw_total AS c WHERE c.trace_id = t.trace_id AND name = 'written')
         AS written,
       iif(t.trace_id IN (SELECT trace_id FROM raw_blind), NULL,
           max(ifnull((SELECT value FROM raw_total AS c
                       WHERE c.trace_id = t.trace_id AND name = 'syscall_lost'), 0),
               ifnull((SELECT sum(count) FROM raw_loss AS l JOIN raw_counter_name USING (counter)
                       WHERE l.trace_id = t.trace_id AND name = 'syscall_lost'), 0)) +
             ifnull((SELECT value FROM raw_total AS c
                     WHERE c.trace_id = t.trace_id AND name = 'block_calls_lost'), 0)) AS lost,
       (SELECT ifnull(sum(value), 0) FROM raw_total AS c
        WHERE c.trace_id = t.trace_id AND kind = 'doubt') AS doubts,
       (SELECT value FROM raw_total AS c WHERE c.trace_id = t.trace_id AND name = 'redacted')
         AS redacted
FROM raw_trace AS t;

-- view traces: a trace file
--   trace_id: id: number of the trace in this database
--   file: : name of the file as it was given
--   uuid: : identity of the file
--   command: : the command that was recorded, or the process that was attached to, quoted for a shell
--   started: : wall time at the trace's start, RFC 3339
--   started_ns: ns: the same, since 1970 UTC
--   duration_ns: ns: from the trace's start to the end of the command, or to the last event
--   end_reason: : command, duration, signal or error; NULL: the trace was cut off
--   exit_code: : of the command; NULL: it did not exit
--   exit_signal: : that killed the command; NULL: none
--   survivors: count: processes of the tree that lived on; NULL: not known
--   abi: : native ABI of the host
--   complete: bool: 1: all of the file was read and nothing in it is odd
--   clean_end: bool: 1: the recorder closed the file
--   exact: bool: 1: every system call is accounted for, and no record of signals and processes is lost
--   attempted: count: system calls the kernel began; NULL: the end is missing, or not recorded
--   written: count: system calls the recorder wrote; NULL: the end is missing, or not recorded
--   calls: count: system calls read from the file; NULL: they were not recorded
--   lost: count: system calls whose record the recorder lost; NULL: they were not recorded
--   bytes: bytes: size of the file
--   blocks: count: blocks of events
--   blocks_lost: count: blocks that are missing
--   damaged: count: damaged places
--   syscalls_recorded: bool: 0: from /proc only, without system calls; probes says why
--   attached: : process ids that were attached to; NULL: the command was started
CREATE VIEW traces AS
SELECT t.trace_id, t.file, t.uuid,
       iif(a.value IS NULL,
           (SELECT command FROM raw_exec AS x WHERE x.trace_id = t.trace_id
            ORDER BY x.time, x.rowid LIMIT 1),
           (SELECT value FROM raw_environment AS x WHERE x.trace_id = t.trace_id AND x.key = 'command.argv')) AS command,
       iif(t.wall = 0, NULL, strftime('%Y-%m-%dT%H:%M:%S', t.wall / 1000000000, 'unixepoch') ||
           printf('.%09dZ', t.wall % 1000000000)) AS started,
       nullif(t.wall, 0) AS started_ns,
       ifnull(e.time, t.last) AS duration_ns,
       (SELECT name FROM raw_end_reason AS r WHERE r.reason = e.reason) AS end_reason,
       iif(e.status & 127 = 0, e.status >> 8 & 255, NULL) AS exit_code,
       nullif(e.status & 127, 0) AS exit_signal,
       e.survivors,
       (SELECT name FROM raw_abi AS a WHERE a.abi = t.abi) AS abi,
       t.complete, t.clean_end,
       ifnull(t.complete AND q.attempted = q.written + q.lost AND t.calls = q.written AND
              q.doubts = 0, 0) AS exact,
       q.attempted, q.written, iif(q.observed, t.calls, NULL) AS calls, q.lost, t.bytes, t.blocks,
       t.lost AS blocks_lost, t.damaged, q.observed AS syscalls_recorded,
       a.value AS attached
FROM raw_trace AS t
JOIN raw_quality AS q USING (trace_id)
LEFT JOIN raw_environment AS a ON a.trace_id = t.trace_id AND a.key = 'command.attached'
LEFT JOIN (SELECT trace_id, reason, status, survivors, max(time) AS time FROM raw_end
           GROUP BY trace_id) AS e USING (trace_id);

-- view processes: a process
--   trace_id: id: trace
--   process_id: id: process
--   parent_id: id: the process that made it; NULL: not in the trace
--   pid: : process id
--   ppid: : process id of the parent
--   origin: : how it came into the trace: target, fork, vfork, clone, attach, keyframe, proc
--   comm: : its last name
--   path: : program it ran last
--   argv: : arguments of that program, quoted for a shell; NULL: no execve of its own
--   cwd: : working directory
--   uid: : effective user after its last execve
--   gid: : effective group
--   start_ns: ns: its beginning, or when it was attached to
--   end_ns: ns: its end; NULL: lives on, or not seen
--   dur_ns: ns: its life
--   exit_code: : status of exit; NULL: did not exit
--   exit_signal: : signal that killed it; NULL: none
--   threads: count: threads it had
--   calls: count: system calls read; NULL, as the next three: they were not recorded
--   errors: count: of these, failed ones
--   lost: count: system calls of it whose record was lost
--   syscall_ns: ns: time in system calls, of all threads
--   utime_ns: ns: user time, told from system time in the kernel's ticks (host.kernel_hz)
--   stime_ns: ns: system time
--   runtime_ns: ns: time on a CPU as the scheduler counts it
--   run_delay_ns: ns: time waiting for a CPU
--   nvcsw: count: voluntary context switches
--   nivcsw: count: involuntary context switches
--   minflt: count: minor page faults
--   majflt: count: major page faults
--   rchar: bytes: asked of read and the like
--   wchar: bytes: given to write and the like
--   syscr: count: read calls as the kernel counts them
--   syscw: count: write calls
--   read_bytes: bytes: fetched from storage
--   write_bytes: bytes: sent to storage
--   cancelled_write_bytes: bytes: writes undone by truncation
--   maxrss_bytes: bytes: peak resident set
CREATE VIEW processes AS
SELECT p.trace_id, p.process AS process_id, p.parent_process AS parent_id, p.pid, p.ppid,
       (SELECT name FROM raw_origin AS o WHERE o.origin = p.origin) AS origin,
       p.comm, p.path, p.command AS argv, p.cwd, p.uid, p.gid,
       p.start AS start_ns, p."end" AS end_ns,
       ifnull(p."end", (SELECT max(last) FROM raw_trace AS t WHERE t.trace_id = p.trace_id))
         - p.start AS dur_ns,
       iif(p.exit_code & 127 = 0, p.exit_code >> 8 & 255, NULL) AS exit_code,
       nullif(p.exit_code & 127, 0) AS exit_signal, p.threads,
       ifnull(c.calls, z.zero) AS calls, ifnull(c.errors, z.zero) AS errors,
       ifnull(c.lost, z.zero) AS lost, ifnull(c.total, z.zero) AS syscall_ns,
       p.utime AS utime_ns, p.stime AS stime_ns, p.runtime AS runtime_ns,
       p.run_delay AS run_delay_ns, p.nvcsw, p.nivcsw, p.minflt, p.majflt, p.rchar, p.wchar,
       p.syscr, p.syscw, p.read_bytes, p.write_bytes, p.cancelled_write_bytes,
       p.maxrss AS maxrss_bytes
FROM raw_process AS p
LEFT JOIN raw_process_calls AS c USING (process)
JOIN (SELECT trace_id, iif(trace_id IN (SELECT trace_id FROM raw_blind), NULL, 0) AS zero
      FROM raw_trace) AS z ON z.trace_id = p.trace_id;

-- view threads: a thread
--   trace_id: id: trace
--   thread_id: id: thread
--   process_id: id: its process; NULL: its beginning was lost
--   parent_id: id: thread that made it
--   tid: : thread id
--   pid: : process id
--   comm: : its last name
--   origin: : how it came into the trace
--   start_ns: ns: its beginning, or when it was attached to
--   end_ns: ns: its end; NULL: lives on, or not seen
--   exit_code: : status of exit; NULL: did not exit
--   exit_signal: : signal that ended it; NULL: none
--   calls: count: system calls read; NULL, as the next three: they were not recorded
--   errors: count: of these, failed ones
--   missing: count: calls that it made and that were not read; NULL: its end was not seen
--   syscall_ns: ns: time in system calls
--   utime_ns: ns: user time, in whole ticks of the kernel (host.kernel_hz); NULL: lives on
--   stime_ns: ns: system time
--   runtime_ns: ns: time on a CPU as the scheduler counts it
--   run_delay_ns: ns: time waiting for a CPU
--   nvcsw: count: voluntary context switches
--   nivcsw: count: involuntary context switches
--   minflt: count: minor page faults
--   majflt: count: major page faults
--   read_bytes: bytes: fetched from storage
--   write_bytes: bytes: sent to storage
CREATE VIEW threads AS
SELECT t.trace_id, t.thread AS thread_id, t.process AS process_id, t.parent_thread AS parent_id,
       t.tid, t.pid, t.comm,
       (SELECT name FROM raw_origin AS o WHERE o.origin = t.origin) AS origin,
       t.start AS start_ns, t."end" AS end_ns,
       iif(t.exit_code & 127 = 0, t.exit_code >> 8 & 255, NULL) AS exit_code,
       nullif(t.exit_code & 127, 0) AS exit_signal,
       ifnull(c.calls, z.zero) AS calls, ifnull(c.errors, z.zero) AS errors,
       t.seq - ifnull(c.calls, z.zero) AS missing,
       ifnull(c.total, z.zero) AS syscall_ns,
       x.utime AS utime_ns, x.stime AS stime_ns, x.runtime AS runtime_ns,
       x.run_delay AS run_delay_ns, x.nvcsw, x.nivcsw, x.minflt, x.majflt, x.read_bytes,
       x.write_bytes
FROM raw_thread AS t
JOIN (SELECT trace_id, iif(trace_id IN (SELECT trace_id FROM raw_blind), NULL, 0) AS zero
      FROM raw_trace) AS z ON z.trace_id = t.trace_id
LEFT JOIN raw_thread_calls AS c USING (thread)
LEFT JOIN (SELECT thread, utime, stime, runtime, run_delay, nvcsw, nivcsw, minflt, majflt,
                  read_bytes, write_bytes, max(time)
           FROM raw_thread_exit GROUP BY thread) AS x USING (thread);

-- view execs: a successful execve
--   trace_id: id: trace
--   process_id: id: process
--   thread_id: id: thread after the call
--   pid: : process id
--   time_ns: ns: when
--   path: : the kernel's own path of the program
--   argv: : arguments, quoted for a shell
--   argv_bytes: bytes: their true length
--   cwd: : working directory; NULL: not readable
--   uid: : effective user after the call
--   gid: : effective group after the call
--   secureexec: bool: 1: the call raised privilege
--   comm: : new name
--   redacted: count: arguments whose value was replaced before the disk
CREATE VIEW execs AS
SELECT x.trace_id, x.process AS process_id, x.thread AS thread_id,
       (SELECT pid FROM raw_thread AS t WHERE t.thread = x.thread) AS pid,
       x.time AS time_ns, x.path, x.command AS argv, x.argv_len AS argv_bytes, x.cwd, x.uid, x.gid,
       x.secureexec, x.comm, x.redacted
FROM raw_exec AS x;
