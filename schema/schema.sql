-- schema.sql - tables of a denet database that do not come out of events.def.
--
-- raw_EVENT tables are made by analyzer/db.c, one for each event of
-- events.def (see analyzer/db.h for the rules). All raw_* tables may change
-- from version to version; the views of views*.sql are what people query.
-- Times are ns from the trace's start. Thread and process ids are unique in
-- the database.

-- One trace file, and what reading it came to.
CREATE TABLE raw_trace (
  trace_id INTEGER PRIMARY KEY,
  file TEXT NOT NULL,
  uuid TEXT NOT NULL,
  format_major INTEGER NOT NULL,
  format_minor INTEGER NOT NULL,
  abi INTEGER NOT NULL,
  word_bits INTEGER NOT NULL,
  big_endian INTEGER NOT NULL,
  origin INTEGER NOT NULL,              -- boot clock at time 0
  wall INTEGER NOT NULL,                -- wall clock at time 0, ns since 1970 UTC; 0: unknown
  last INTEGER,                         -- end of the last event
  bytes INTEGER,
  blocks INTEGER,
  complete INTEGER,
  clean_end INTEGER,
  header_ok INTEGER,
  cut INTEGER,
  damaged INTEGER,
  lost INTEGER,
  duplicated INTEGER,
  reordered INTEGER,
  foreign_blocks INTEGER,
  unknown INTEGER,
  skipped INTEGER,
  latency_detail INTEGER,               -- 1: raw_latency by thread; 0: all threads together
  calls INTEGER,                        -- system calls read
  rows_skipped INTEGER                  -- records of kinds this version does not know
) STRICT;

CREATE TABLE raw_gap (
  trace_id INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  count INTEGER NOT NULL,
  after INTEGER,                        -- NULL: the file does not say
  before INTEGER
) STRICT;

CREATE TABLE raw_note (
  trace_id INTEGER NOT NULL,
  text TEXT NOT NULL
) STRICT;

-- Rollup of the calls. result: 0 success; 1 to 4095 errno; -1 unfinished;
-- -512 to -516 as the kernel returned it, a call to be restarted.
CREATE TABLE raw_syscall_stat (
  trace_id INTEGER NOT NULL,
  thread INTEGER NOT NULL,
  abi INTEGER NOT NULL,
  nr INTEGER NOT NULL,
  result INTEGER NOT NULL,
  count INTEGER NOT NULL,
  timed INTEGER NOT NULL,               -- of these, with a duration
  total INTEGER NOT NULL,               -- their time, ns
  min INTEGER,                          -- NULL: none is timed
  max INTEGER,
  PRIMARY KEY (trace_id, thread, abi, nr, result)
) STRICT, WITHOUT ROWID;

-- The same without threads, and of each thread all calls together.
CREATE TABLE raw_result (
  trace_id INTEGER NOT NULL,
  abi INTEGER NOT NULL,
  nr INTEGER NOT NULL,
  result INTEGER NOT NULL,
  count INTEGER NOT NULL,
  timed INTEGER NOT NULL,
  total INTEGER NOT NULL,
  min INTEGER,
  max INTEGER,
  PRIMARY KEY (trace_id, abi, nr, result)
) STRICT, WITHOUT ROWID;

CREATE TABLE raw_thread_calls (
  thread INTEGER PRIMARY KEY,
  trace_id INTEGER NOT NULL,
  calls INTEGER NOT NULL,
  errors INTEGER NOT NULL,
  total INTEGER NOT NULL
) STRICT;

-- Histogram of the durations: log-linear buckets (analyzer/hist.h).
CREATE TABLE raw_latency (
  trace_id INTEGER NOT NULL,
  thread INTEGER,                       -- NULL: all threads together
  abi INTEGER NOT NULL,
  nr INTEGER NOT NULL,
  result INTEGER NOT NULL,
  bucket INTEGER NOT NULL,
  count INTEGER NOT NULL
) STRICT;

-- Calls by the time of their return.
CREATE TABLE raw_rate (
  trace_id INTEGER NOT NULL,
  start INTEGER NOT NULL,
  width INTEGER NOT NULL,
  category INTEGER NOT NULL,
  count INTEGER NOT NULL,
  errors INTEGER NOT NULL,
  total INTEGER NOT NULL,
  PRIMARY KEY (trace_id, start, category)
) STRICT, WITHOUT ROWID;

-- Calls by the path they were given.
CREATE TABLE raw_path (
  trace_id INTEGER NOT NULL,
  path ANY NOT NULL,
  abi INTEGER NOT NULL,
  nr INTEGER NOT NULL,
  result INTEGER NOT NULL,
  count INTEGER NOT NULL,
  total INTEGER NOT NULL,
  first INTEGER NOT NULL,
  last INTEGER NOT NULL,
  PRIMARY KEY (trace_id, path, abi, nr, result)
) STRICT, WITHOUT ROWID;

-- Calls by the socket address they were given or gave.
CREATE TABLE raw_address (
  trace_id INTEGER NOT NULL,
  thread INTEGER NOT NULL,
  addr BLOB NOT NULL,                   -- as the kernel had it
  abi INTEGER NOT NULL,
  nr INTEGER NOT NULL,
  result INTEGER NOT NULL,
  family TEXT NOT NULL,
  address ANY,
  port INTEGER,
  count INTEGER NOT NULL,
  total INTEGER NOT NULL,
  first INTEGER NOT NULL,
  last INTEGER NOT NULL,
  PRIMARY KEY (trace_id, thread, addr, abi, nr, result)
) STRICT, WITHOUT ROWID;

-- Bytes by socket and thread.
CREATE TABLE raw_flow (
  trace_id INTEGER NOT NULL,
  sock INTEGER NOT NULL,
  thread INTEGER NOT NULL,
  sent INTEGER NOT NULL,
  received INTEGER NOT NULL,
  sends INTEGER NOT NULL,
  receives INTEGER NOT NULL,
  first INTEGER NOT NULL,
  last INTEGER NOT NULL,
  PRIMARY KEY (trace_id, sock, thread)
) STRICT, WITHOUT ROWID;

-- The view offcpu, added up.
CREATE TABLE raw_wait (
  trace_id INTEGER NOT NULL,
  thread INTEGER,
  state TEXT,
  reason TEXT,
  syscall TEXT,
  waker INTEGER,
  waker_tid INTEGER,
  waker_comm ANY,
  count INTEGER NOT NULL,
  total INTEGER NOT NULL,
  ready INTEGER NOT NULL,
  longest INTEGER,
  shortest INTEGER,
  below INTEGER		-- of those that were only added up, what each was shorter than
) STRICT;

-- Functions that frames of stacks lie in.
CREATE TABLE raw_function (
  object INTEGER NOT NULL,
  "offset" INTEGER NOT NULL,
  size INTEGER,
  trace_id INTEGER NOT NULL,
  name ANY,                             -- for people
  symbol ANY,                           -- as the object has it
  PRIMARY KEY (object, "offset")
) STRICT, WITHOUT ROWID;

-- Places in code, each once.
CREATE TABLE raw_place (
  frame INTEGER PRIMARY KEY,
  trace_id INTEGER NOT NULL,
  object INTEGER,
  "offset" INTEGER,
  kind TEXT,
  path ANY,
  function ANY,
  name ANY,                             -- of the function, else of the place
  file ANY,                             -- source file and line: what a namer found
  line INTEGER
) STRICT;

-- Stacks, each once.
CREATE TABLE raw_node (
  stack INTEGER PRIMARY KEY,
  trace_id INTEGER NOT NULL,
  parent INTEGER,
  frame INTEGER
) STRICT;

-- What stands under stacks, by thread.
CREATE TABLE raw_weight (
  trace_id INTEGER NOT NULL,
  what TEXT NOT NULL,
  thread INTEGER,
  stack INTEGER NOT NULL,
  waited INTEGER,                       -- offcpu: 1 not for a CPU
  count INTEGER NOT NULL,
  weight INTEGER NOT NULL,
  longest INTEGER
) STRICT;

-- Calls by what the descriptor was that they were about. thread 0 of a trace:
-- all together.
CREATE TABLE raw_fd_stat (
  trace_id INTEGER NOT NULL,
  thread INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  calls INTEGER NOT NULL,
  errors INTEGER NOT NULL,
  total INTEGER NOT NULL,
  bytes_in INTEGER NOT NULL,
  bytes_out INTEGER NOT NULL,
  PRIMARY KEY (trace_id, thread, kind)
) STRICT, WITHOUT ROWID;

-- What a number of a process was, from one time to another.
CREATE TABLE raw_fd_open (
  trace_id INTEGER NOT NULL,
  process INTEGER NOT NULL,
  fd INTEGER NOT NULL,
  "from" INTEGER NOT NULL,
  "to" INTEGER,                         -- NULL: it was open at the end
  kind INTEGER NOT NULL,
  name ANY,
  cloexec INTEGER NOT NULL,
  origin INTEGER NOT NULL,
  inferred INTEGER NOT NULL
) STRICT;
CREATE INDEX raw_fd_open_by_fd ON raw_fd_open (process, fd, "from");

-- Derived from the rows of the events once they are all there (derive.sql).
CREATE TABLE raw_thread (
  thread INTEGER PRIMARY KEY,
  trace_id INTEGER NOT NULL,
  process INTEGER,
  parent_thread INTEGER,
  tid INTEGER,
  pid INTEGER,
  ppid INTEGER,
  origin INTEGER,
  start INTEGER,
  "end" INTEGER,
  exit_code INTEGER,
  seq INTEGER,                          -- calls the trace should have of it
  comm ANY
) STRICT;

CREATE TABLE raw_process (
  process INTEGER PRIMARY KEY,
  trace_id INTEGER NOT NULL,
  parent_process INTEGER,
  pid INTEGER,
  ppid INTEGER,
  origin INTEGER,
  start INTEGER,
  "end" INTEGER,
  exit_code INTEGER,
  threads INTEGER NOT NULL,
  comm ANY,
  path ANY,
  command ANY,
  cwd ANY,
  uid INTEGER,
  gid INTEGER,
  utime INTEGER,
  stime INTEGER,
  runtime INTEGER,
  run_delay INTEGER,
  nvcsw INTEGER,
  nivcsw INTEGER,
  minflt INTEGER,
  majflt INTEGER,
  rchar INTEGER,
  wchar INTEGER,
  syscr INTEGER,
  syscw INTEGER,
  read_bytes INTEGER,
  write_bytes INTEGER,
  cancelled_write_bytes INTEGER,
  maxrss INTEGER
) STRICT;

CREATE TABLE raw_process_calls (
  process INTEGER PRIMARY KEY,
  trace_id INTEGER NOT NULL,
  calls INTEGER NOT NULL,
  errors INTEGER NOT NULL,
  lost INTEGER NOT NULL,                -- calls whose record the recorder lost
  total INTEGER NOT NULL
) STRICT;

-- A socket with what became of it.
CREATE TABLE raw_socket (
  sock INTEGER PRIMARY KEY,
  trace_id INTEGER NOT NULL,
  thread INTEGER,
  process INTEGER,
  fd INTEGER,
  origin INTEGER,
  listener INTEGER,
  pair INTEGER,
  kind TEXT NOT NULL,                   -- tcp, udp, unix, ...
  family INTEGER,
  type INTEGER,
  protocol INTEGER,
  inode INTEGER,
  peer_inode INTEGER,
  netns INTEGER,
  local ANY,
  remote ANY,
  known INTEGER,                        -- first seen
  connect_start INTEGER,
  connect_end INTEGER,
  connect_errno INTEGER,                -- NULL: no attempt, or it came about
  listening INTEGER,                    -- since
  ended INTEGER,                        -- TCP: the connection's end
  closed INTEGER,                       -- by the last descriptor, or with its process
  state INTEGER,                        -- the last seen
  errno INTEGER,                        -- the last error of the connection
  retransmits INTEGER NOT NULL,
  resets_sent INTEGER NOT NULL,
  resets_received INTEGER NOT NULL,
  srtt_us INTEGER,
  tcp_sent INTEGER,
  tcp_resent INTEGER,
  tcp_acked INTEGER,
  tcp_received INTEGER,
  sent INTEGER NOT NULL,
  received INTEGER NOT NULL,
  sends INTEGER NOT NULL,
  receives INTEGER NOT NULL,
  first INTEGER,                        -- transfer
  last INTEGER
) STRICT;
CREATE INDEX raw_socket_inode ON raw_socket (trace_id, inode);
CREATE INDEX raw_socket_ends ON raw_socket (trace_id, local, remote);

-- All threads together, with what was lost.
CREATE TABLE raw_call (
  trace_id INTEGER NOT NULL,
  abi INTEGER NOT NULL,
  nr INTEGER NOT NULL,
  count INTEGER NOT NULL,               -- calls read
  timed INTEGER NOT NULL,
  errors INTEGER NOT NULL,
  restarts INTEGER NOT NULL,
  unfinished INTEGER NOT NULL,
  lost INTEGER NOT NULL,                -- calls whose record the recorder lost
  total INTEGER NOT NULL,
  min INTEGER,
  max INTEGER,
  p50 INTEGER,
  p90 INTEGER,
  p99 INTEGER,
  PRIMARY KEY (trace_id, abi, nr)
) STRICT, WITHOUT ROWID;

CREATE TABLE raw_finding (
  trace_id INTEGER NOT NULL,
  rank INTEGER NOT NULL,                -- 1 first
  text TEXT NOT NULL,
  value ANY,
  unit TEXT NOT NULL,
  sql TEXT NOT NULL
) STRICT;

-- Dimensions: what the small numbers mean.
CREATE TABLE raw_abi (
  abi INTEGER PRIMARY KEY,
  name TEXT NOT NULL
) STRICT;

CREATE TABLE raw_category (
  category INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  doc TEXT NOT NULL
) STRICT;

CREATE TABLE raw_syscall_name (
  abi INTEGER NOT NULL,
  nr INTEGER NOT NULL,
  name TEXT NOT NULL,
  category INTEGER NOT NULL,
  fd_arg INTEGER,                       -- argument that is a descriptor; 6: the result; NULL: none
  PRIMARY KEY (abi, nr)
) STRICT, WITHOUT ROWID;

CREATE TABLE raw_errno (
  errno INTEGER PRIMARY KEY,
  name TEXT NOT NULL
) STRICT;

CREATE TABLE raw_signal (
  sig INTEGER PRIMARY KEY,
  name TEXT NOT NULL
) STRICT;

CREATE TABLE raw_counter_name (
  counter INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  kind TEXT NOT NULL,                   -- total, loss, doubt
  doc TEXT NOT NULL
) STRICT;

CREATE TABLE raw_origin (
  origin INTEGER PRIMARY KEY,
  name TEXT NOT NULL
) STRICT;

CREATE TABLE raw_fd_kind (
  kind INTEGER PRIMARY KEY,
  name TEXT NOT NULL
) STRICT;

CREATE TABLE raw_off_state (
  state INTEGER PRIMARY KEY,
  name TEXT NOT NULL
) STRICT;

CREATE TABLE raw_perf_kind (
  counter INTEGER PRIMARY KEY,
  name TEXT NOT NULL
) STRICT;

CREATE TABLE raw_code_kind (
  kind INTEGER PRIMARY KEY,
  name TEXT NOT NULL
) STRICT;

CREATE TABLE raw_sock_origin (
  origin INTEGER PRIMARY KEY,
  name TEXT NOT NULL
) STRICT;

CREATE TABLE raw_sock_event_kind (
  kind INTEGER PRIMARY KEY,
  name TEXT NOT NULL
) STRICT;

CREATE TABLE raw_family (
  family INTEGER PRIMARY KEY,
  name TEXT NOT NULL
) STRICT;

-- net/tcp_states.h of the kernel
CREATE TABLE raw_tcp_state (
  state INTEGER PRIMARY KEY,
  name TEXT NOT NULL
) STRICT;
INSERT INTO raw_tcp_state VALUES
  (1, 'ESTABLISHED'), (2, 'SYN_SENT'), (3, 'SYN_RECV'), (4, 'FIN_WAIT1'), (5, 'FIN_WAIT2'),
  (6, 'TIME_WAIT'), (7, 'CLOSE'), (8, 'CLOSE_WAIT'), (9, 'LAST_ACK'), (10, 'LISTEN'),
  (11, 'CLOSING'), (12, 'NEW_SYN_RECV');

CREATE TABLE raw_fd_origin (
  origin INTEGER PRIMARY KEY,
  name TEXT NOT NULL
) STRICT;

CREATE TABLE raw_end_reason (
  reason INTEGER PRIMARY KEY,
  name TEXT NOT NULL
) STRICT;
