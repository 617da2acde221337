-- views_counters.sql - what performance counters counted, and what that says of memory.

-- What was counted for each thread, for each process, for the trace: a row without a counter is
-- there for each trace. A counter that had to share the CPU's places with others did not count all
-- of the time, and its value stands for the whole of it, as with perf(1).
CREATE VIEW raw_counted AS
SELECT trace_id, level, process, thread, k.name,
       CASE WHEN running >= enabled THEN value
            WHEN running > 0 THEN CAST(round(value * (enabled * 1.0 / running)) AS INTEGER) END AS value,
       running < enabled AS scaled, enabled, running
FROM (
  SELECT trace_id, 'thread' AS level, NULL AS process, thread, counter, CAST(total(value) AS INTEGER) AS value,
         CAST(total(enabled) AS INTEGER) AS enabled, CAST(total(running) AS INTEGER) AS running
  FROM raw_perf_counter GROUP BY trace_id, thread, counter
  UNION ALL
  SELECT c.trace_id, 'process', t.process, NULL, counter, CAST(total(value) AS INTEGER),
         CAST(total(enabled) AS INTEGER), CAST(total(running) AS INTEGER)
  FROM raw_perf_counter AS c JOIN raw_thread AS t USING (thread)
  WHERE t.process IS NOT NULL GROUP BY c.trace_id, t.process, counter
  UNION ALL
  SELECT trace_id, 'trace', NULL, NULL, counter, CAST(total(value) AS INTEGER),
         CAST(total(enabled) AS INTEGER), CAST(total(running) AS INTEGER)
  FROM raw_perf_counter GROUP BY trace_id, counter
  UNION ALL
  SELECT trace_id, 'trace', NULL, NULL, NULL, NULL, NULL, NULL FROM raw_trace)
LEFT JOIN raw_perf_kind AS k USING (counter);

-- Of the readings of the host, those in which a task had waited for memory since the last.
CREATE VIEW raw_pressure AS
SELECT trace_id, avg(waited > before) AS share
FROM (SELECT trace_id, psi_mem_some AS waited,
             lag(psi_mem_some) OVER (PARTITION BY trace_id ORDER BY time, rowid) AS before
      FROM raw_host_sample)
GROUP BY trace_id;

-- The verdict is the first denet's. Its bounds are rules of thumb: a CPU of today can retire four
-- instructions a cycle and more, and where it waits in half of its cycles and retires less than one
-- in each, what it waits for is mostly memory. The pressure is the host's, so it decides for
-- the trace alone.
CREATE VIEW raw_bound AS
SELECT *, CASE WHEN backend_share > 0.5 AND ipc < 1.0 THEN 'memory-bound'
               WHEN backend_share < 0.2 AND ipc > 1.5 THEN 'cpu-bound'
               WHEN pressure_share > 0.5 THEN 'memory-bound'
               WHEN backend_share IS NOT NULL AND ipc IS NOT NULL THEN 'mixed'
               ELSE 'insufficient-data' END AS verdict,
       CASE WHEN ipc IS NULL THEN
              ifnull((SELECT reason FROM raw_probe AS p WHERE p.trace_id = c.trace_id AND p.name = 'counters'
                      AND p.rung = 'none'), 'cycles and instructions were not counted')
            WHEN backend_share IS NULL THEN 'stalled-cycles-backend was not counted' END AS lacks
FROM (
  SELECT *, instructions * 1.0 / nullif(cycles, 0) AS ipc,
         cache_misses * 1.0 / nullif(cache_references, 0) AS cache_miss_rate,
         stalled_frontend * 1.0 / nullif(cycles, 0) AS frontend_share,
         stalled_backend * 1.0 / nullif(cycles, 0) AS backend_share,
         iif(level = 'trace', (SELECT share FROM raw_pressure AS p WHERE p.trace_id = v.trace_id), NULL)
           AS pressure_share
  FROM (
    SELECT trace_id, level, process,
           max(iif(name = 'cycles', value, NULL)) AS cycles,
           max(iif(name = 'instructions', value, NULL)) AS instructions,
           max(iif(name = 'cache-references', value, NULL)) AS cache_references,
           max(iif(name = 'cache-misses', value, NULL)) AS cache_misses,
           max(iif(name = 'stalled-cycles-frontend', value, NULL)) AS stalled_frontend,
           max(iif(name = 'stalled-cycles-backend', value, NULL)) AS stalled_backend,
           max(iif(name = 'task-clock', value, NULL)) AS task_clock_ns,
           max(iif(name = 'page-faults', value, NULL)) AS page_faults,
           max(iif(name = 'context-switches', value, NULL)) AS context_switches,
           max(iif(name = 'cpu-migrations', value, NULL)) AS cpu_migrations,
           max(scaled) AS scaled
    FROM raw_counted WHERE level <> 'thread' GROUP BY trace_id, level, process) AS v) AS c;

-- view counters: what a performance counter counted while a thread was on CPUs
--   trace_id: id: trace
--   process_id: id: process; NULL: its beginning was lost
--   thread_id: id: thread
--   pid: : process id
--   tid: : thread id
--   comm: : the thread's last name
--   counter: : its name, as perf list has it
--   value: count: what it counted, of task-clock ns; NULL: it never had a place on the CPU
--   scaled: bool: 1: it counted for a part of the time, and value stands for the whole
--   enabled_ns: ns: time on CPUs that it was to count in
--   running_ns: ns: of it, time that it did count in
CREATE VIEW counters AS
SELECT c.trace_id, t.process AS process_id, c.thread AS thread_id, t.pid, t.tid, t.comm, c.name AS counter,
       c.value, c.scaled, c.enabled AS enabled_ns, c.running AS running_ns
FROM raw_counted AS c LEFT JOIN raw_thread AS t USING (thread)
WHERE c.level = 'thread';

-- view process_counters: performance counters of the threads of a process, added up
--   trace_id: id: trace
--   process_id: id: process
--   pid: : process id
--   comm: : its last name
--   cycles: count: cycles of CPUs, in the program and in the kernel; NULL, here and below: not counted
--   instructions: count: instructions retired
--   cache_references: count: accesses to the last cache
--   cache_misses: count: of these, misses
--   stalled_frontend: count: cycles in which no instruction was there to be begun
--   stalled_backend: count: cycles in which instructions waited for memory or units of the CPU
--   task_clock_ns: ns: time on CPUs
--   page_faults: count: page faults of its own instructions, minor and major
--   context_switches: count: times off a CPU
--   cpu_migrations: count: moves to another CPU
--   scaled: bool: 1: some of them counted for a part of the time, and stand for the whole
--   ipc: : instructions for each cycle
--   cache_miss_rate: : misses of the last cache, of 1
--   frontend_share: : of 1: stalled_frontend of all cycles
--   backend_share: : of 1: stalled_backend of all cycles
--   verdict: : memory-bound (backend_share above 0.5, ipc below 1), cpu-bound (below 0.2, above 1.5), mixed, or insufficient-data where one of the two is NULL
--   lacks: : why ipc or backend_share is NULL; NULL: neither is
CREATE VIEW process_counters AS
SELECT b.trace_id, b.process AS process_id, p.pid, p.comm, b.cycles, b.instructions, b.cache_references,
       b.cache_misses, b.stalled_frontend, b.stalled_backend, b.task_clock_ns, b.page_faults,
       b.context_switches, b.cpu_migrations, b.scaled, b.ipc, b.cache_miss_rate, b.frontend_share,
       b.backend_share, b.verdict, b.lacks
FROM raw_bound AS b LEFT JOIN raw_process AS p USING (process)
WHERE b.level = 'process';

-- view trace_counters: the same of all threads of a trace
--   trace_id: id: trace
--   cycles: count: as in process_counters, as those that follow
--   instructions: count: instructions retired
--   cache_references: count: accesses to the last cache
--   cache_misses: count: of these, misses
--   stalled_frontend: count: cycles in which no instruction was there to be begun
--   stalled_backend: count: cycles in which instructions waited for memory or units of the CPU
--   task_clock_ns: ns: time on CPUs
--   page_faults: count: page faults, minor and major
--   context_switches: count: times off a CPU
--   cpu_migrations: count: moves to another CPU
--   scaled: bool: 1: some of them counted for a part of the time, and stand for the whole
--   ipc: : instructions for each cycle
--   cache_miss_rate: : misses of the last cache, of 1
--   frontend_share: : of 1: stalled_frontend of all cycles
--   backend_share: : of 1: stalled_backend of all cycles
--   pressure_share: : of 1: readings of the host since whose last one some task had waited for memory (PSI); NULL: not known
--   verdict: : as in process_counters; where that would be mixed or insufficient-data, memory-bound with pressure_share above 0.5
--   lacks: : why ipc or backend_share is NULL; NULL: neither is
CREATE VIEW trace_counters AS
SELECT trace_id, cycles, instructions, cache_references, cache_misses, stalled_frontend, stalled_backend,
       task_clock_ns, page_faults, context_switches, cpu_migrations, scaled, ipc, cache_miss_rate,
       frontend_share, backend_share, pressure_share, verdict, lacks
FROM raw_bound WHERE level = 'trace';
