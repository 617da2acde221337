-- views_quality.sql - under what circumstances a trace was made, what is missing in it, and
-- what to look at next.

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
