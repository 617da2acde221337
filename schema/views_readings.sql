-- views_readings.sql - readings of processes and of the machine.

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
