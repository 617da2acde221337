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
--   command: : the command that was recorded, quoted for a shell
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
CREATE VIEW traces AS
SELECT t.trace_id, t.file, t.uuid,
       (SELECT command FROM raw_exec AS x WHERE x.trace_id = t.trace_id
        ORDER BY x.time, x.rowid LIMIT 1) AS command,
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
       t.lost AS blocks_lost, t.damaged, q.observed AS syscalls_recorded
FROM raw_trace AS t
JOIN raw_quality AS q USING (trace_id)
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
--   start_ns: ns: its beginning
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
--   start_ns: ns: its beginning
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

-- view syscalls: a system call (empty in a database made without the calls)
--   trace_id: id: trace
--   process_id: id: process; NULL: not known
--   thread_id: id: thread
--   pid: : process id
--   tid: : thread id
--   comm: : last name of the thread
--   name: : of the call
--   category: : one of the ten of categories
--   start_ns: ns: entry; NULL: not seen
--   dur_ns: ns: duration; NULL: no return, or no entry, was seen
--   ret: : result as the kernel returned it; NULL: no return was seen
--   errno: : positive error number; NULL: the call did not fail
--   error: : its name, such as ENOENT
--   cpu: : CPU at the end of the call
--   fd: : first argument that is a descriptor; of a call that makes one without, the result
--   path: : first string that is a path
--   path2: : second string that is a path
--   address: : socket address: 127.0.0.1:80, [::1]:80, unix:/run/x
--   text: : first string of another kind
--   argv: : arguments of a program, quoted for a shell
--   arg0: : first argument, 64 bits as signed; NULL: the call has fewer
--   arg1: : second argument
--   arg2: : third argument
--   arg3: : fourth argument
--   arg4: : fifth argument
--   arg5: : sixth argument
--   seq: : place among the calls of its thread
--   abi: : calling convention: x86_64, i386, ...
--   nr: : number of the call in its ABI
--   unfinished: bool: 1: no return was seen (exit, exit_group, in flight at the end)
--   fd_kind: : what fd was when the call began, as in fd_opens; NULL: no fd, closed, or not known
--   fd_name: : its name
CREATE VIEW syscalls AS
SELECT s.trace_id, t.process AS process_id, s.thread AS thread_id, t.pid, t.tid, t.comm,
       ifnull(n.name, printf('syscall_0x%x', s.nr)) AS name,
       ifnull((SELECT name FROM raw_category AS c WHERE c.category = n.category), 'other')
         AS category,
       s.start AS start_ns, s.dur AS dur_ns, s.ret,
       iif(s.abi IN (3, 5),
           iif((s.ret & 0xffffffff) BETWEEN 0xfffff001 AND 0xffffffff AND
               (s.ret & 0xffffffff) NOT BETWEEN 0xfffffdfc AND 0xfffffe00,
               0x100000000 - (s.ret & 0xffffffff), NULL),
           iif(s.ret BETWEEN -4095 AND -1 AND s.ret NOT BETWEEN -516 AND -512,
               -s.ret, NULL)) AS errno,
       (SELECT e.name FROM raw_errno AS e WHERE e.errno =
          iif(s.abi IN (3, 5), 0x100000000 - (s.ret & 0xffffffff), -s.ret)
          AND e.errno NOT BETWEEN 512 AND 516) AS error,
       s.cpu,
       nullif(CASE n.fd_arg
         WHEN 0 THEN ((s.arg0 & 0xffffffff) + 0x80000000 & 0xffffffff) - 0x80000000
         WHEN 1 THEN ((s.arg1 & 0xffffffff) + 0x80000000 & 0xffffffff) - 0x80000000
         WHEN 2 THEN ((s.arg2 & 0xffffffff) + 0x80000000 & 0xffffffff) - 0x80000000
         WHEN 3 THEN ((s.arg3 & 0xffffffff) + 0x80000000 & 0xffffffff) - 0x80000000
         WHEN 4 THEN ((s.arg4 & 0xffffffff) + 0x80000000 & 0xffffffff) - 0x80000000
         WHEN 5 THEN ((s.arg5 & 0xffffffff) + 0x80000000 & 0xffffffff) - 0x80000000
         WHEN 6 THEN iif(s.ret BETWEEN 0 AND 0x7fffffff AND (s.ret OR s.arg0 IS NOT NULL), s.ret, NULL)
       END, -100) AS fd,
       s.path, s.path2, s.sockaddr AS address, s.text, s.argv,
       s.arg0, s.arg1, s.arg2, s.arg3, s.arg4, s.arg5, s.seq,
       (SELECT name FROM raw_abi AS a WHERE a.abi = s.abi) AS abi, s.nr, s.flags & 1 AS unfinished,
       (SELECT iif(o."to" IS NULL OR s.start + iif(n.fd_arg = 6, s.dur, 0) <= o."to",
                   (SELECT k.name FROM raw_fd_kind AS k WHERE k.kind = o.kind), NULL)
        FROM raw_fd_open AS o
        WHERE o.process = t.process AND o."from" <= s.start + iif(n.fd_arg = 6, s.dur, 0) AND
          o.fd = CASE n.fd_arg
            WHEN 0 THEN s.arg0 & 0xffffffff WHEN 1 THEN s.arg1 & 0xffffffff
            WHEN 2 THEN s.arg2 & 0xffffffff WHEN 3 THEN s.arg3 & 0xffffffff
            WHEN 4 THEN s.arg4 & 0xffffffff WHEN 5 THEN s.arg5 & 0xffffffff
            WHEN 6 THEN s.ret END
        ORDER BY o."from" DESC LIMIT 1) AS fd_kind,
       (SELECT iif(o."to" IS NULL OR s.start + iif(n.fd_arg = 6, s.dur, 0) <= o."to",
                   o.name, NULL)
        FROM raw_fd_open AS o
        WHERE o.process = t.process AND o."from" <= s.start + iif(n.fd_arg = 6, s.dur, 0) AND
          o.fd = CASE n.fd_arg
            WHEN 0 THEN s.arg0 & 0xffffffff WHEN 1 THEN s.arg1 & 0xffffffff
            WHEN 2 THEN s.arg2 & 0xffffffff WHEN 3 THEN s.arg3 & 0xffffffff
            WHEN 4 THEN s.arg4 & 0xffffffff WHEN 5 THEN s.arg5 & 0xffffffff
            WHEN 6 THEN s.ret END
        ORDER BY o."from" DESC LIMIT 1) AS fd_name
FROM raw_syscall AS s
LEFT JOIN raw_thread AS t ON t.thread = s.thread
LEFT JOIN raw_syscall_name AS n ON n.abi = s.abi AND n.nr = s.nr;

-- view syscall_stats: a system call, all processes together
--   trace_id: id: trace
--   abi: : calling convention
--   nr: : number of the call in its ABI
--   name: : of the call
--   category: : one of the ten of categories
--   count: count: calls, the lost ones with them
--   errors: count: of these, failed ones
--   restarts: count: of these, interrupted ones that the kernel restarts
--   unfinished: count: of these, without a return
--   lost: count: of these, calls whose record was lost: count is all that is known of them
--   total_ns: ns: time of all calls that were read
--   min_ns: ns: shortest
--   mean_ns: ns: mean
--   p50_ns: ns: half of the calls took no longer; from a histogram, within 1/32
--   p90_ns: ns: 90 % took no longer
--   p99_ns: ns: 99 % took no longer
--   max_ns: ns: longest
CREATE VIEW syscall_stats AS
SELECT c.trace_id,
       ifnull((SELECT name FROM raw_abi AS a WHERE a.abi = c.abi), 'abi_' || c.abi) AS abi, c.nr,
       ifnull(n.name, printf('syscall_0x%x', c.nr)) AS name,
       ifnull((SELECT name FROM raw_category AS k WHERE k.category = n.category), 'other')
         AS category,
       c.count + c.lost AS count, c.errors, c.restarts, c.unfinished, c.lost,
       c.total AS total_ns, c.min AS min_ns, iif(c.timed, c.total / c.timed, NULL) AS mean_ns,
       c.p50 AS p50_ns, c.p90 AS p90_ns, c.p99 AS p99_ns, c.max AS max_ns
FROM raw_call AS c
LEFT JOIN raw_syscall_name AS n ON n.abi = c.abi AND n.nr = c.nr;

-- view process_syscalls: a system call of one process
--   trace_id: id: trace
--   process_id: id: process; NULL: calls of threads whose process is not known
--   pid: : process id
--   comm: : last name of the process
--   abi: : calling convention
--   nr: : number of the call in its ABI
--   name: : of the call
--   category: : one of the ten of categories
--   count: count: calls, the lost ones with them
--   errors: count: of these, failed ones
--   restarts: count: of these, interrupted ones that the kernel restarts
--   unfinished: count: of these, without a return
--   lost: count: of these, calls whose record was lost
--   total_ns: ns: time of all calls that were read
--   min_ns: ns: shortest
--   mean_ns: ns: mean
--   max_ns: ns: longest
CREATE VIEW process_syscalls AS
SELECT k.trace_id, k.process AS process_id, p.pid, p.comm,
       ifnull((SELECT name FROM raw_abi AS a WHERE a.abi = k.abi), 'abi_' || k.abi) AS abi, k.nr,
       ifnull(n.name, printf('syscall_0x%x', k.nr)) AS name,
       ifnull((SELECT name FROM raw_category AS c WHERE c.category = n.category), 'other')
         AS category,
       k.count + k.lost AS count, k.errors, k.restarts, k.unfinished, k.lost,
       k.total AS total_ns, k.min AS min_ns, iif(k.timed, k.total / k.timed, NULL) AS mean_ns,
       k.max AS max_ns
FROM (SELECT trace_id, process, abi, nr, sum(count) AS count, sum(timed) AS timed,
             sum(errors) AS errors, sum(restarts) AS restarts, sum(unfinished) AS unfinished,
             sum(lost) AS lost, sum(total) AS total, min(min) AS min, max(max) AS max
      FROM (SELECT s.trace_id, t.process, s.abi, s.nr, s.count, s.timed,
                   iif(s.result > 0, s.count, 0) AS errors,
                   iif(s.result BETWEEN -516 AND -512, s.count, 0) AS restarts,
                   iif(s.result = -1, s.count, 0) AS unfinished, 0 AS lost, s.total, s.min, s.max
            FROM raw_syscall_stat AS s JOIN raw_thread AS t USING (thread)
            UNION ALL
            SELECT l.trace_id, l.process, l.abi, l.nr, 0, 0, 0, 0, 0, l.count, 0, NULL, NULL
            FROM raw_loss AS l JOIN raw_counter_name AS c USING (counter)
            WHERE c.name = 'syscall_lost' AND l.nr IS NOT NULL)
      GROUP BY trace_id, process, abi, nr) AS k
LEFT JOIN raw_process AS p ON p.process = k.process
LEFT JOIN raw_syscall_name AS n ON n.abi = k.abi AND n.nr = k.nr;

-- view latencies: a bucket of a system call's histogram
--   trace_id: id: trace
--   process_id: id: process; NULL: all processes together (a trace with very many threads)
--   abi: : calling convention
--   nr: : number of the call in its ABI
--   name: : of the call
--   errno: : positive error number; NULL: the calls that did not fail
--   from_ns: ns: least duration of the bucket
--   to_ns: ns: least duration beyond it
--   count: count: calls
CREATE VIEW latencies AS
SELECT h.trace_id, t.process AS process_id,
       (SELECT name FROM raw_abi AS a WHERE a.abi = h.abi) AS abi, h.nr,
       ifnull(n.name, printf('syscall_0x%x', h.nr)) AS name,
       iif(h.result > 0, h.result, NULL) AS errno,
       iif(h.bucket < 32, h.bucket, (h.bucket & 15 | 16) << (h.bucket >> 4) - 1) AS from_ns,
       iif(h.bucket < 31, h.bucket + 1, (h.bucket + 1 & 15 | 16) << (h.bucket + 1 >> 4) - 1)
         AS to_ns,
       sum(h.count) AS count
FROM raw_latency AS h
LEFT JOIN raw_thread AS t ON t.thread = h.thread
LEFT JOIN raw_syscall_name AS n ON n.abi = h.abi AND n.nr = h.nr
GROUP BY h.trace_id, t.process, h.abi, h.nr, iif(h.result > 0, h.result, NULL), h.bucket;

-- view categories: one of the ten categories; all ten are always there
--   trace_id: id: trace
--   category: : its name
--   count: count: calls, the lost ones with them; NULL, as the next four: they were not recorded
--   errors: count: of these, failed ones
--   lost: count: of these, calls whose record was lost
--   total_ns: ns: time of all calls that were read
--   share: : count as a fraction of all calls
--   doc: : what belongs to it
CREATE VIEW categories AS
SELECT t.trace_id, k.name AS category,
       iif(q.observed, ifnull(s.count, 0) + iif(k.name = 'other', q.lost - ifnull(a.lost, 0), 0), NULL)
         AS count,
       iif(q.observed, ifnull(s.errors, 0), NULL) AS errors,
       iif(q.observed, ifnull(s.lost, 0) + iif(k.name = 'other', q.lost - ifnull(a.lost, 0), 0), NULL)
         AS lost,
       iif(q.observed, ifnull(s.total, 0), NULL) AS total_ns,
       iif(q.observed,
           iif(t.calls + q.lost > 0,
               (ifnull(s.count, 0) + iif(k.name = 'other', q.lost - ifnull(a.lost, 0), 0)) * 1.0
                 / (t.calls + q.lost), 0.0), NULL) AS share,
       k.doc
FROM raw_trace AS t
JOIN raw_quality AS q USING (trace_id)
JOIN raw_category AS k
LEFT JOIN (SELECT c.trace_id, ifnull(n.category, 9) AS category, sum(c.count + c.lost) AS count,
                  sum(c.errors) AS errors, sum(c.lost) AS lost, sum(c.total) AS total
           FROM raw_call AS c
           LEFT JOIN raw_syscall_name AS n ON n.abi = c.abi AND n.nr = c.nr
           GROUP BY c.trace_id, ifnull(n.category, 9)) AS s
  ON s.trace_id = t.trace_id AND s.category = k.category
LEFT JOIN (SELECT trace_id, sum(lost) AS lost FROM raw_call GROUP BY trace_id) AS a
  ON a.trace_id = t.trace_id;

-- view rates: the calls of one category that returned in one span of time
--   trace_id: id: trace
--   start_ns: ns: beginning of the span
--   width_ns: ns: its length
--   category: : one of the ten of categories
--   count: count: calls read
--   errors: count: of these, failed ones
--   total_ns: ns: their time
--   per_sec: 1/s: calls a second
CREATE VIEW rates AS
SELECT r.trace_id, r.start AS start_ns, r.width AS width_ns,
       (SELECT name FROM raw_category AS c WHERE c.category = r.category) AS category,
       r.count, r.errors, r.total AS total_ns, r.count * 1e9 / r.width AS per_sec
FROM raw_rate AS r;

-- view errors: a system call of one process that failed in one way
--   trace_id: id: trace
--   process_id: id: process; NULL: not known
--   pid: : process id
--   comm: : last name of the process
--   name: : of the call
--   category: : one of the ten of categories
--   errno: : positive error number
--   error: : its name, such as ENOENT
--   count: count: calls
--   total_ns: ns: their time
CREATE VIEW errors AS
SELECT s.trace_id, t.process AS process_id, p.pid, p.comm,
       ifnull(n.name, printf('syscall_0x%x', s.nr)) AS name,
       ifnull((SELECT name FROM raw_category AS c WHERE c.category = n.category), 'other')
         AS category,
       s.result AS errno,
       ifnull((SELECT name FROM raw_errno AS e WHERE e.errno = s.result),
              printf('E%d', s.result)) AS error,
       sum(s.count) AS count, sum(s.total) AS total_ns
FROM raw_syscall_stat AS s
JOIN raw_thread AS t USING (thread)
LEFT JOIN raw_process AS p ON p.process = t.process
LEFT JOIN raw_syscall_name AS n ON n.abi = s.abi AND n.nr = s.nr
WHERE s.result > 0
GROUP BY s.trace_id, t.process, s.abi, s.nr, s.result;

-- view files: a path as the calls gave it; a relative one stands as it was given
--   trace_id: id: trace
--   path: : the path; BLOB where it is no UTF-8
--   calls: count: calls with it
--   errors: count: of these, failed ones
--   opens: count: successful open, openat, openat2, creat
--   failed_opens: count: failed ones
--   execs: count: successful execve and execveat
--   errnos: : names of the errors, separated by commas
--   total_ns: ns: time of the calls
--   first_ns: ns: return of the first call
--   last_ns: ns: return of the last
CREATE VIEW files AS
SELECT p.trace_id, p.path, sum(p.count) AS calls, sum(iif(p.result > 0, p.count, 0)) AS errors,
       sum(iif(p.result = 0 AND n.name IN ('open', 'openat', 'openat2', 'creat'), p.count, 0))
         AS opens,
       sum(iif(p.result > 0 AND n.name IN ('open', 'openat', 'openat2', 'creat'), p.count, 0))
         AS failed_opens,
       sum(iif(p.result = 0 AND n.name IN ('execve', 'execveat'), p.count, 0)) AS execs,
       group_concat(DISTINCT e.name) AS errnos,
       sum(p.total) AS total_ns, min(p.first) AS first_ns, max(p.last) AS last_ns
FROM raw_path AS p
LEFT JOIN raw_syscall_name AS n ON n.abi = p.abi AND n.nr = p.nr
LEFT JOIN raw_errno AS e ON e.errno = p.result
GROUP BY p.trace_id, p.path;

-- view fds: a descriptor that a process had open at a keyframe
--   trace_id: id: trace
--   process_id: id: process
--   time_ns: ns: when
--   fd: : number
--   target: : what it is, as /proc/PID/fd says
--   flags: bits: O_* flags; NULL: not readable
--   pos: bytes: file position; NULL: not readable
CREATE VIEW fds AS
SELECT trace_id, process AS process_id, time AS time_ns, fd, target, flags, pos FROM raw_fd;

-- view fd_opens: a descriptor of a process, from its beginning to its end
--   trace_id: id: trace
--   process_id: id: process; threads of one share their descriptors
--   pid: : process id
--   fd: : number
--   from_ns: ns: since when; as far as is known where nobody saw it begin
--   to_ns: ns: until when; NULL: it was open at the end
--   kind: : file, directory, device, pipe, tcp, unix, eventfd, ... (denet-sql(7))
--   name: : path of a file, address of a socket, what /proc says of others; NULL: none
--   cloexec: bool: 1: an execve closes it
--   origin: : opened, dup, inherited, snapshot (/proc told), unknown (it was in use already)
--   inferred: bool: 1: the number itself is a guess (pipe, socketpair where not all others are known)
CREATE VIEW fd_opens AS
SELECT o.trace_id, o.process AS process_id,
       (SELECT pid FROM raw_process AS p WHERE p.process = o.process) AS pid, o.fd,
       o."from" AS from_ns, o."to" AS to_ns,
       (SELECT name FROM raw_fd_kind AS k WHERE k.kind = o.kind) AS kind, o.name, o.cloexec,
       (SELECT name FROM raw_fd_origin AS g WHERE g.origin = o.origin) AS origin, o.inferred
FROM raw_fd_open AS o;

-- view fd_stats: the calls of a process about one kind of descriptor
--   trace_id: id: trace
--   process_id: id: process; NULL: not known
--   pid: : process id
--   comm: : last name of the process
--   kind: : as in fd_opens; closed: it was not open; unknown: nobody saw what it was
--   calls: count: calls whose first descriptor was of that kind
--   errors: count: of these, failed ones
--   total_ns: ns: their time
--   bytes_in: bytes: that read and the like took out of such descriptors
--   bytes_out: bytes: that write and the like put into them
CREATE VIEW fd_stats AS
SELECT s.trace_id, t.process AS process_id, p.pid, p.comm,
       (SELECT name FROM raw_fd_kind AS k WHERE k.kind = s.kind) AS kind,
       sum(s.calls) AS calls, sum(s.errors) AS errors, sum(s.total) AS total_ns,
       sum(s.bytes_in) AS bytes_in, sum(s.bytes_out) AS bytes_out
FROM raw_fd_stat AS s
LEFT JOIN raw_thread AS t ON t.thread = s.thread
LEFT JOIN raw_process AS p ON p.process = t.process
GROUP BY s.trace_id, t.process, s.kind;

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
--   origin: : socket, accept, pair, used (was there when first used), inherited (was there before)
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
WHERE s.listening IS NOT NULL OR a.listener IS NOT NULL;

-- view offcpu: a while that a thread was off its CPU
--   trace_id: id: trace
--   process_id: id: process; NULL: its beginning was lost
--   thread_id: id: thread
--   pid: : process id
--   tid: : thread id
--   comm: : the thread's last name
--   start_ns: ns: when it left the CPU, or was made
--   dur_ns: ns: how long
--   state: : runnable (another one got the CPU), new (it has not run before), sleeping, blocked (it cannot be interrupted), disk (that, for storage), stopped, traced, other
--   reason: : what it waited for: cpu, the system call it was in, or the state
--   syscall: : the system call it was in; NULL: none
--   seq: : place of that call among its thread's
--   ready_ns: ns: of dur_ns, waiting for a CPU: all of it where runnable or new, else since it was woken; NULL: that was not seen
--   waker_id: id: thread that woke it; NULL: not in the tree, an interrupt, or nobody. A fault of a thread counts as an interrupt, and so does what the network does on the sender's CPU
--   waker_tid: : its tid, in the tree or not; NULL: as above, or in another pid namespace
--   waker_comm: : its name; NULL: an interrupt, or nobody
--   ended: bool: 0: the recording ended before it ran again
--   stack_id: id: where it was, in stacks; NULL: not known
CREATE VIEW offcpu AS
SELECT o.trace_id, t.process AS process_id, o.thread AS thread_id, t.pid, t.tid, t.comm,
       o.time - o.dur AS start_ns, o.dur AS dur_ns, s.name AS state,
       CASE WHEN s.name IN ('runnable', 'new') THEN 'cpu' ELSE
         ifnull(n.name, iif(o.nr IS NULL, s.name, 'syscall_' || o.nr)) END AS reason,
       ifnull(n.name, 'syscall_' || o.nr) AS syscall, o.seq,
       iif(s.name IN ('runnable', 'new'), o.dur, o.ready) AS ready_ns,
       o.waker AS waker_id, o.waker_tid, o.waker_comm, o.ended, o.stack AS stack_id
FROM raw_offcpu AS o
LEFT JOIN raw_thread AS t ON t.thread = o.thread
LEFT JOIN raw_off_state AS s ON s.state = o.state
LEFT JOIN raw_syscall_name AS n ON n.abi = o.abi AND n.nr = o.nr;

-- view waits: times off the CPU added up by thread, state, call and who ended them
--   trace_id: id: trace
--   process_id: id: process; NULL: its beginning was lost
--   thread_id: id: thread
--   pid: : process id
--   tid: : thread id
--   comm: : the thread's last name
--   state: : as in offcpu
--   reason: : as in offcpu; short: times shorter than --offcpu-min, which are only added up
--   syscall: : as in offcpu
--   waker_id: id: as in offcpu
--   waker_tid: : as in offcpu
--   waker_comm: : as in offcpu
--   count: count: how often
--   total_ns: ns: how long in all
--   ready_ns: ns: of that, known to be waiting for a CPU
--   max_ns: ns: the longest; NULL: of short ones it is not known
--   min_ns: ns: the shortest; NULL the same
CREATE VIEW waits AS
SELECT w.trace_id, t.process AS process_id, w.thread AS thread_id, t.pid, t.tid, t.comm, w.state,
       w.reason, w.syscall, w.waker AS waker_id, w.waker_tid, w.waker_comm, w.count, w.total AS total_ns,
       w.ready AS ready_ns, w.longest AS max_ns, w.shortest AS min_ns
FROM raw_wait AS w
LEFT JOIN raw_thread AS t ON t.thread = w.thread;

-- view thread_time: where the time of a thread's life went; the columns from running_ns to other_ns add up to alive_ns
--   trace_id: id: trace
--   process_id: id: process; NULL: its beginning was lost
--   thread_id: id: thread
--   pid: : process id
--   tid: : thread id
--   comm: : its last name
--   alive_ns: ns: from its beginning to its end, or to that of the recording; NULL: one of them was lost, as the next one is then
--   running_ns: ns: on a CPU
--   runnable_ns: ns: waiting for a CPU
--   sleeping_ns: ns: waiting for something else, and could be interrupted
--   disk_ns: ns: waiting for storage
--   blocked_ns: ns: waiting, and could not be interrupted
--   stopped_ns: ns: stopped by a signal or a tracer
--   other_ns: ns: parked or frozen
--   waited_ns: ns: waiting for anything but a CPU: the five before together
--   waits: count: times it was off its CPU
--   longest_ns: ns: the longest of them
--   longest_reason: : what that was for, as in offcpu
CREATE VIEW thread_time AS
SELECT t.trace_id, t.process AS process_id, t.thread AS thread_id, t.pid, t.tid, t.comm,
       ifnull(t."end", e.time) - t.start AS alive_ns,
       ifnull(t."end", e.time) - t.start - ifnull(o.off, 0) AS running_ns,
       ifnull(o.ready, 0) AS runnable_ns, ifnull(o.sleeping, 0) AS sleeping_ns,
       ifnull(o.disk, 0) AS disk_ns, ifnull(o.blocked, 0) AS blocked_ns,
       ifnull(o.stopped, 0) AS stopped_ns, ifnull(o.other, 0) AS other_ns,
       ifnull(o.off - o.ready, 0) AS waited_ns, ifnull(o.waits, 0) AS waits, o.longest AS longest_ns, o.reason AS longest_reason
FROM raw_thread AS t
JOIN raw_probe AS p ON p.trace_id = t.trace_id AND p.name = 'scheduling' AND p.rung <> 'none'
LEFT JOIN (SELECT thread, max(time) AS time FROM raw_thread_end GROUP BY thread) AS e USING (thread)
LEFT JOIN (SELECT thread_id, sum(total_ns) AS off, sum(ready_ns) AS ready, sum(count) AS waits,
                  sum(iif(state = 'sleeping', total_ns - ready_ns, 0)) AS sleeping,
                  sum(iif(state = 'disk', total_ns - ready_ns, 0)) AS disk,
                  sum(iif(state = 'blocked', total_ns - ready_ns, 0)) AS blocked,
                  sum(iif(state IN ('stopped', 'traced'), total_ns - ready_ns, 0)) AS stopped,
                  sum(iif(ifnull(state, 'other') = 'other', total_ns - ready_ns, 0)) AS other,
                  max(max_ns) AS longest, reason
           FROM waits GROUP BY thread_id) AS o ON o.thread_id = t.thread;

-- view samples: what a thread did on its CPU at a moment
--   trace_id: id: trace
--   process_id: id: process; NULL: its beginning was lost
--   thread_id: id: thread
--   pid: : process id
--   tid: : thread id
--   comm: : the thread's last name
--   time_ns: ns: when
--   cpu: : on which CPU
--   period_ns: ns: the time it stands for
--   stack_id: id: where, in stacks; NULL: not known
--   name: : the innermost frame, as in stacks
--   module: : the file it lies in
CREATE VIEW samples AS
SELECT s.trace_id, t.process AS process_id, s.thread AS thread_id, t.pid, t.tid, t.comm,
       s.time AS time_ns, s.cpu, s.period AS period_ns, s.stack AS stack_id, p.name, p.path AS module
FROM raw_sample AS s
LEFT JOIN raw_thread AS t ON t.thread = s.thread
LEFT JOIN raw_node AS n ON n.stack = s.stack
LEFT JOIN raw_place AS p ON p.frame = n.frame;

-- view stacks: a frame of a stack; all frames of all stacks are gone through, whichever are asked for
--   trace_id: id: trace
--   stack_id: id: the stack
--   depth: : 0 is the innermost
--   frame_id: id: the frame
--   kind: : what it lies in: file, kernel, module, vdso, memory (code made at run time), mark (frames are missing here)
--   module: : the file, in the mount namespace of its process; [kernel] and the like
--   offset: bytes: in the file; in the kernel from _text on; else the address. Of callers that of the last byte of the call
--   symbol: : function; NULL: not known
--   name: : function, else file+offset
CREATE VIEW stacks AS
WITH RECURSIVE up(stack, node, depth) AS (
  SELECT stack, stack, 0 FROM raw_node
  UNION ALL
  SELECT u.stack, n.parent, u.depth + 1 FROM up AS u JOIN raw_node AS n ON n.stack = u.node
  WHERE n.parent IS NOT NULL AND u.depth < 300)
SELECT n.trace_id, u.stack AS stack_id, u.depth, n.frame AS frame_id, p.kind, p.path AS module,
       p."offset", p.function AS symbol, p.name
FROM up AS u
JOIN raw_node AS n ON n.stack = u.node
LEFT JOIN raw_place AS p ON p.frame = n.frame;

-- view call_stacks: where in its program a system call was made (--stack)
--   trace_id: id: trace
--   process_id: id: process; NULL: its beginning was lost
--   thread_id: id: thread
--   pid: : process id
--   tid: : thread id
--   comm: : the thread's last name
--   seq: : the call's place among those of its thread, as in syscalls
--   name: : the call
--   end_ns: ns: when it returned
--   dur_ns: ns: how long it took
--   stack_id: id: where, in stacks; NULL: not known
CREATE VIEW call_stacks AS
SELECT c.trace_id, t.process AS process_id, c.thread AS thread_id, t.pid, t.tid, t.comm, c.seq,
       ifnull(n.name, 'syscall_' || c.nr) AS name, c.time AS end_ns, c.dur AS dur_ns, c.stack AS stack_id
FROM raw_call_stack AS c
LEFT JOIN raw_thread AS t ON t.thread = c.thread
LEFT JOIN raw_syscall_name AS n ON n.abi = c.abi AND n.nr = c.nr;

-- view stack_nodes: stacks as a tree: a frame, and the stack it was called from
--   trace_id: id: trace
--   stack_id: id: the stack, named by its innermost frame
--   parent_id: id: stack of the caller; NULL: the outermost
--   frame_id: id: the innermost frame
--   name: : function, else file+offset
--   module: : as in stacks
--   kind: : as in stacks
CREATE VIEW stack_nodes AS
SELECT n.trace_id, n.stack AS stack_id, n.parent AS parent_id, n.frame AS frame_id,
       ifnull(p.name, '?') AS name, p.path AS module, p.kind
FROM raw_node AS n
LEFT JOIN raw_place AS p ON p.frame = n.frame;

-- view stack_weights: how much stands under a stack, by thread
--   trace_id: id: trace
--   what: : samples, offcpu; of calls that have stacks (--stack): calls, calltime
--   process_id: id: process; NULL: its beginning was lost
--   thread_id: id: thread
--   pid: : process id
--   tid: : thread id
--   comm: : the thread's last name
--   stack_id: id: the stack
--   waited: bool: of times off the CPU: 1 for something, 0 for a CPU; else NULL
--   count: count: how often
--   weight: : of samples and calls their number, of times off the CPU and in calls ns
--   max_ns: ns: the longest, of times
CREATE VIEW stack_weights AS
SELECT w.trace_id, w.what, t.process AS process_id, w.thread AS thread_id, t.pid, t.tid, t.comm,
       w.stack AS stack_id, w.waited, w.count, w.weight, w.longest AS max_ns
FROM raw_weight AS w
LEFT JOIN raw_thread AS t ON t.thread = w.thread;

-- view functions: functions that ran or waited; frames without a name stand by file and offset
--   trace_id: id: trace
--   what: : as in stack_weights
--   name: : function, else file+offset
--   module: : file it lies in
--   kind: : as in stacks
--   self_weight: : as in stack_weights, where it is the innermost frame
--   self_count: count: how often it is
--   total_weight: : where it is any frame; once for each stack
CREATE VIEW functions AS
WITH RECURSIVE weighted AS (
  SELECT trace_id, what, stack, sum(count) AS count, sum(weight) AS weight
  FROM raw_weight GROUP BY trace_id, what, stack),
up(trace_id, what, stack, node, depth) AS (
  SELECT trace_id, what, stack, stack, 0 FROM weighted
  UNION ALL
  SELECT u.trace_id, u.what, u.stack, n.parent, u.depth + 1 FROM up AS u JOIN raw_node AS n ON n.stack = u.node
  WHERE n.parent IS NOT NULL AND u.depth < 300),
met AS (
  SELECT u.trace_id, u.what, u.stack, p.name, p.path AS module, p.kind, min(u.depth) AS depth
  FROM up AS u JOIN raw_node AS n ON n.stack = u.node JOIN raw_place AS p ON p.frame = n.frame
  GROUP BY u.trace_id, u.what, u.stack, p.name, p.path)
SELECT m.trace_id, m.what, m.name, m.module, m.kind, sum(iif(m.depth = 0, w.weight, 0)) AS self_weight,
       sum(iif(m.depth = 0, w.count, 0)) AS self_count, sum(w.weight) AS total_weight
FROM met AS m JOIN weighted AS w USING (trace_id, what, stack)
GROUP BY m.trace_id, m.what, m.name, m.module;

-- view signals: a signal that was sent, or one that was taken
--   trace_id: id: trace
--   time_ns: ns: when
--   event: : sent or delivered
--   sig: : number
--   signal: : name, such as SIGTERM
--   code: : si_code
--   sender_id: id: thread that caused it; NULL: not in the tree
--   sender_tid: : its tid, in the tree or not
--   sender_comm: : its name
--   process_id: id: process it is for; NULL: not in the tree
--   thread_id: id: thread it is for
--   tid: : its tid
--   group: bool: 1: for the whole process
--   result: : of a sent one: queued, ignored, pending, overflow, lost
--   handler: : of a delivered one: default, ignored or handler
CREATE VIEW signals AS
SELECT s.trace_id, s.time AS time_ns, 'sent' AS event, s.sig,
       ifnull((SELECT name FROM raw_signal AS n WHERE n.sig = s.sig), printf('SIG%d', s.sig))
         AS signal,
       s.code, s.sender AS sender_id, s.sender_tid, s.sender_comm,
       (SELECT process FROM raw_thread AS t WHERE t.thread = s.target) AS process_id,
       s.target AS thread_id, s.target_tid AS tid, s."group" AS "group",
       CASE s.result WHEN 0 THEN 'queued' WHEN 1 THEN 'ignored' WHEN 2 THEN 'pending'
         WHEN 3 THEN 'overflow' WHEN 4 THEN 'lost' END AS result,
       NULL AS handler
FROM raw_signal_sent AS s
UNION ALL
SELECT d.trace_id, d.time, 'delivered', d.sig,
       ifnull((SELECT name FROM raw_signal AS n WHERE n.sig = d.sig), printf('SIG%d', d.sig)),
       d.code, NULL, NULL, NULL, t.process, d.thread, t.tid, NULL, NULL,
       CASE d.handler WHEN 0 THEN 'default' WHEN 1 THEN 'ignored' ELSE 'handler' END
FROM raw_signal_delivered AS d
LEFT JOIN raw_thread AS t ON t.thread = d.thread;

-- view process_samples: a reading of /proc/PID
--   trace_id: id: trace
--   time_ns: ns: when
--   process_id: id: process; NULL: not known
--   pid: : process id
--   phase: : periodic, first or last
--   state: : letter of /proc/PID/stat
--   utime_ns: ns: user time so far
--   stime_ns: ns: system time so far
--   rss_bytes: bytes: resident set
--   vms_bytes: bytes: address space
--   threads: count: threads
--   minflt: count: minor page faults so far
--   majflt: count: major page faults so far
--   nvcsw: count: voluntary context switches so far
--   nivcsw: count: involuntary context switches so far
--   rchar: bytes: asked of read and the like so far
--   wchar: bytes: given to write and the like so far
--   syscr: count: read calls so far
--   syscw: count: write calls so far
--   read_bytes: bytes: fetched from storage so far
--   write_bytes: bytes: sent to storage so far
--   cpu: : CPU it last ran on
--   fds: count: open descriptors
--   uptime_ns: ns: age of the process
CREATE VIEW process_samples AS
SELECT trace_id, time AS time_ns, process AS process_id, pid,
       CASE phase WHEN 0 THEN 'periodic' WHEN 1 THEN 'first' WHEN 2 THEN 'last' END AS phase,
       char(state) AS state, utime AS utime_ns, stime AS stime_ns, rss AS rss_bytes,
       vms AS vms_bytes, threads, minflt, majflt, nvcsw, nivcsw, rchar, wchar, syscr, syscw,
       read_bytes, write_bytes, cpu, fds, uptime AS uptime_ns
FROM raw_process_sample;

-- view host_samples: a reading of the whole machine
--   trace_id: id: trace
--   time_ns: ns: when
--   load1: : load average over 1 minute
--   load5: : over 5 minutes
--   load15: : over 15 minutes
--   running: count: runnable tasks
--   tasks: count: tasks
--   cpu_user_ns: ns: all CPUs in user mode since boot
--   cpu_nice_ns: ns: in niced user mode
--   cpu_system_ns: ns: in the kernel
--   cpu_idle_ns: ns: idle
--   cpu_iowait_ns: ns: idle with I/O under way
--   cpu_irq_ns: ns: in interrupts
--   cpu_steal_ns: ns: taken by the hypervisor
--   ctxt: count: context switches since boot
--   mem_total_bytes: bytes: memory
--   mem_free_bytes: bytes: unused
--   mem_available_bytes: bytes: available without swapping
--   mem_cached_bytes: bytes: page cache
--   swap_total_bytes: bytes: swap
--   swap_free_bytes: bytes: swap unused
--   psi_cpu_some_ns: ns: some task waited for a CPU, since boot
--   psi_mem_some_ns: ns: some task waited for memory
--   psi_mem_full_ns: ns: all tasks waited for memory
--   psi_io_some_ns: ns: some task waited for I/O
--   psi_io_full_ns: ns: all tasks waited for I/O
CREATE VIEW host_samples AS
SELECT trace_id, time AS time_ns, load1 / 1000.0 AS load1, load5 / 1000.0 AS load5,
       load15 / 1000.0 AS load15, running, tasks, cpu_user AS cpu_user_ns, cpu_nice AS cpu_nice_ns,
       cpu_system AS cpu_system_ns, cpu_idle AS cpu_idle_ns, cpu_iowait AS cpu_iowait_ns,
       cpu_irq AS cpu_irq_ns, cpu_steal AS cpu_steal_ns, ctxt, mem_total AS mem_total_bytes,
       mem_free AS mem_free_bytes, mem_available AS mem_available_bytes,
       mem_cached AS mem_cached_bytes, swap_total AS swap_total_bytes,
       swap_free AS swap_free_bytes, psi_cpu_some AS psi_cpu_some_ns,
       psi_mem_some AS psi_mem_some_ns, psi_mem_full AS psi_mem_full_ns,
       psi_io_some AS psi_io_some_ns, psi_io_full AS psi_io_full_ns
FROM raw_host_sample;

-- view net_samples: a reading of a network device
--   trace_id: id: trace
--   time_ns: ns: when
--   device: : name
--   rx_bytes: bytes: received since boot
--   rx_packets: count: packets received
--   rx_errors: count: receive errors
--   rx_dropped: count: dropped on receipt
--   tx_bytes: bytes: sent
--   tx_packets: count: packets sent
--   tx_errors: count: send errors
--   tx_dropped: count: dropped on sending
CREATE VIEW net_samples AS
SELECT trace_id, time AS time_ns, device, rx_bytes, rx_packets, rx_errors, rx_dropped, tx_bytes,
       tx_packets, tx_errors, tx_dropped
FROM raw_net_sample;

-- view disk_samples: a reading of a block device
--   trace_id: id: trace
--   time_ns: ns: when
--   device: : name
--   reads: count: reads completed since boot
--   read_bytes: bytes: bytes read
--   read_ns: ns: time in reads
--   writes: count: writes completed
--   write_bytes: bytes: bytes written
--   write_ns: ns: time in writes
--   in_flight: count: requests under way
--   busy_ns: ns: time with a request under way
CREATE VIEW disk_samples AS
SELECT trace_id, time AS time_ns, device, reads, read_bytes, read_time AS read_ns, writes,
       write_bytes, write_time AS write_ns, in_flight, busy_time AS busy_ns
FROM raw_disk_sample;

-- view environment: a fact about host, recorder or command
--   trace_id: id: trace
--   key: : dotted name, such as host.kernel.release
--   value: : as text; NULL: could not be read
CREATE VIEW environment AS
SELECT trace_id, key, value FROM raw_environment;

-- view findings: something to look at next
--   trace_id: id: trace
--   rank: : 1 is the first to look at
--   text: : a sentence
--   value: : the number in it
--   unit: : its unit
--   sql: : a query that shows more
CREATE VIEW findings AS
SELECT trace_id, rank, text, value, unit, sql FROM raw_finding;

-- view losses: something that is missing, or makes totals inexact
--   trace_id: id: trace
--   counter: : its name
--   kind: : loss or doubt
--   process_id: id: whose; NULL: not known
--   name: : system call; NULL: not known
--   count: count: how many
--   total_ns: ns: time in the lost calls; NULL: not known
--   first_ns: ns: when the first was lost; NULL: not known
--   last_ns: ns: when the last was lost
--   doc: : what the counter counts
CREATE VIEW losses AS
SELECT l.trace_id, c.name AS counter, c.kind, l.process AS process_id,
       iif(l.nr IS NULL, NULL, ifnull(n.name, printf('syscall_0x%x', l.nr))) AS name,
       l.count, l.total AS total_ns, l.first AS first_ns, l.last AS last_ns, c.doc
FROM raw_loss AS l
JOIN raw_counter_name AS c USING (counter)
LEFT JOIN raw_syscall_name AS n ON n.abi = l.abi AND n.nr = l.nr
UNION ALL
SELECT t.trace_id, t.name, t.kind, NULL, NULL,
       t.value - ifnull((SELECT sum(count) FROM raw_loss AS l
                         WHERE l.trace_id = t.trace_id AND l.counter = t.counter), 0) AS rest,
       NULL, NULL, NULL, t.doc
FROM raw_total AS t
WHERE t.kind <> 'total' AND rest > 0
UNION ALL
SELECT trace_id, 'blocks_lost', 'loss', NULL, NULL, lost, NULL, NULL, NULL,
       'blocks of the file that are missing'
FROM raw_trace WHERE lost > 0
UNION ALL
SELECT trace_id, 'damaged', 'loss', NULL, NULL, damaged, NULL, NULL, NULL,
       'places of the file where a whole block should be and none is'
FROM raw_trace WHERE damaged > 0;

-- view not_observed: something this recording could not see
--   trace_id: id: trace
--   subject: : short name
--   reason: : one sentence
CREATE VIEW not_observed AS
SELECT trace_id, subject, reason FROM raw_not_observed
UNION ALL
SELECT trace_id, name, ifnull(reason, 'no probe for it could be attached') FROM raw_probe
WHERE rung = 'none' AND name NOT IN
  (SELECT subject FROM raw_not_observed AS o WHERE o.trace_id = raw_probe.trace_id);

-- view probes: what observed one subject
--   trace_id: id: trace
--   name: : subject
--   rung: : how: tp_btf, raw_tp, ..., proc, none
--   reason: : why not the rung above; NULL: this is the best
CREATE VIEW probes AS
SELECT trace_id, name, rung, reason FROM raw_probe;
