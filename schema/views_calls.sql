-- views_calls.sql - system calls: each of them, counted, by time, category and error.

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
