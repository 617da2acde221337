-- views_threads.sql - what threads did on their CPUs, what they waited for, where in
-- their programs that was, and signals.

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
--   below_ns: ns: of short ones, what each was shorter than
CREATE VIEW waits AS
SELECT w.trace_id, t.process AS process_id, w.thread AS thread_id, t.pid, t.tid, t.comm, w.state,
       w.reason, w.syscall, w.waker AS waker_id, w.waker_tid, w.waker_comm, w.count, w.total AS total_ns,
       w.ready AS ready_ns, w.longest AS max_ns, w.shortest AS min_ns, w.below AS below_ns
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
--   longest_ns: ns: the longest of them; NULL: that was one of the short ones, which are only added up
--   longest_reason: : what that was for, as in offcpu
CREATE VIEW thread_time AS
SELECT t.trace_id, t.process AS process_id, t.thread AS thread_id, t.pid, t.tid, t.comm,
       ifnull(t."end", max(e.seen, t.start)) - t.start AS alive_ns,
       ifnull(t."end", max(e.seen, t.start)) - t.start - ifnull(o.off, 0) AS running_ns,
       ifnull(o.ready, 0) AS runnable_ns, ifnull(o.sleeping, 0) AS sleeping_ns,
       ifnull(o.disk, 0) AS disk_ns, ifnull(o.blocked, 0) AS blocked_ns,
       ifnull(o.stopped, 0) AS stopped_ns, ifnull(o.other, 0) AS other_ns,
       ifnull(o.off - o.ready, 0) AS waited_ns, ifnull(o.waits, 0) AS waits,
       iif(o.below > o.longest, NULL, o.longest) AS longest_ns,
       iif(o.below > o.longest, 'short', o.reason) AS longest_reason
FROM raw_thread AS t
JOIN raw_probe AS p ON p.trace_id = t.trace_id AND p.name = 'scheduling' AND p.rung <> 'none'
LEFT JOIN (SELECT thread, ifnull(observed, time) AS seen, max(time) FROM raw_thread_end GROUP BY thread) AS e
     USING (thread)
LEFT JOIN (SELECT thread_id, sum(total_ns) AS off, sum(ready_ns) AS ready, sum(count) AS waits,
                  sum(iif(state = 'sleeping', total_ns - ready_ns, 0)) AS sleeping,
                  sum(iif(state = 'disk', total_ns - ready_ns, 0)) AS disk,
                  sum(iif(state = 'blocked', total_ns - ready_ns, 0)) AS blocked,
                  sum(iif(state IN ('stopped', 'traced'), total_ns - ready_ns, 0)) AS stopped,
                  sum(iif(ifnull(state, 'other') = 'other', total_ns - ready_ns, 0)) AS other,
                  CAST(avg(below_ns) AS INTEGER) AS below, max(max_ns) AS longest, reason
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
--   period_ns: ns: the time it stands for; NULL: it was taken by cycles
--   stack_id: id: where, in stacks; NULL: not known
--   name: : the innermost frame, as in stacks
--   module: : the file it lies in
--   cycles: : cycles of its CPU it stands for; NULL: it was taken by time
CREATE VIEW samples AS
SELECT s.trace_id, t.process AS process_id, s.thread AS thread_id, t.pid, t.tid, t.comm,
       s.time AS time_ns, s.cpu, s.period AS period_ns, s.stack AS stack_id, p.name, p.path AS module, s.cycles
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
--   file: : source file of the line; NULL without --lines, and where it is not known
--   line: : line in it; of the innermost function where one was put into another
CREATE VIEW stacks AS
WITH RECURSIVE up(stack, node, depth) AS (
  SELECT stack, stack, 0 FROM raw_node
  UNION ALL
  SELECT u.stack, n.parent, u.depth + 1 FROM up AS u JOIN raw_node AS n ON n.stack = u.node
  WHERE n.parent IS NOT NULL AND u.depth < 300)
SELECT n.trace_id, u.stack AS stack_id, u.depth, n.frame AS frame_id, p.kind, p.path AS module,
       p."offset", p.function AS symbol, p.name, p.file, p.line
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
--   file: : as in stacks
--   line: : as in stacks
CREATE VIEW stack_nodes AS
SELECT n.trace_id, n.stack AS stack_id, n.parent AS parent_id, n.frame AS frame_id,
       ifnull(p.name, '?') AS name, p.path AS module, p.kind, p.file, p.line
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
  WHERE p.kind IS NOT 'mark'		-- where frames are missing is no function
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
