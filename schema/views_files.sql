-- views_files.sql - files and descriptors.

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
--   inferred: bool: 1: the number itself is a guess (pipe, socketpair that could not be read, where not all others are known)
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
