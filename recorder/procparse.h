/*
 * procparse.h - parsers of the text files of /proc: text in, numbers out.
 *
 * Pure functions over memory of the caller, which need not end in NUL; they
 * never read past len, take any bytes, and any thread may call them. A figure
 * that is missing, malformed or too large is DN_UNMEASURED (row.h), never 0.
 * The text files' formats are those of proc(5) and the kernel's
 * Documentation/filesystems/proc.rst.
 *
 * Functions returning int give 0, or -EBADMSG where the text is not what the
 * name says; then nothing of *out may be used.
 */
#ifndef DN_RECORDER_PROCPARSE_H
#define DN_RECORDER_PROCPARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* /proc/PID/stat. The name in it may hold anything, parentheses and newlines
 * too: it ends at the last ')'. */
struct dn_pid_stat {
	uint64_t pid, ppid;
	const char *comm;		/* within the text */
	size_t comm_len;
	char state;
	uint64_t minflt, majflt;
	uint64_t utime, stime;		/* ticks of sysconf(_SC_CLK_TCK) */
	uint64_t threads;
	uint64_t start;			/* ticks since boot: with pid the identity of a process */
	uint64_t vsize;			/* bytes */
	uint64_t rss;			/* pages */
	uint64_t cpu;
	uint64_t cminflt;		/* of children that were waited for, and of theirs */
	/* Only for those who may trace it, 0 for others. */
	uint64_t stack;			/* where it began: another after every execve */
	uint64_t exit_code;		/* as waitpid reports it, of a zombie */
};
int dn_parse_pid_stat(const char *p, size_t len, struct dn_pid_stat *out);

/* How many of the len bytes of /proc/PID/cmdline are arguments: a program that writes a title over them leaves NULs behind
 * it, which would be as many empty ones. A single one at the end is one. */
size_t dn_cmdline_len(const char *p, size_t len);

/* /proc/PID/io */
struct dn_pid_io {
	uint64_t rchar, wchar, syscr, syscw;
	uint64_t read_bytes, write_bytes, cancelled_write_bytes;
};
void dn_parse_pid_io(const char *p, size_t len, struct dn_pid_io *out);

/* /proc/PID/status, of which only what no other file has: the switches are of
 * one thread, not of the process. */
struct dn_pid_status {
	uint64_t nvcsw, nivcsw;
	uint64_t peak;			/* resident set so far, bytes */
	uint64_t euid, egid;
};
void dn_parse_pid_status(const char *p, size_t len, struct dn_pid_status *out);

/* /proc/PID/schedstat, ns; of one thread */
struct dn_pid_schedstat {
	uint64_t runtime, delay;
};
void dn_parse_pid_schedstat(const char *p, size_t len, struct dn_pid_schedstat *out);

/* /proc/PID/statm, in pages */
struct dn_pid_statm {
	uint64_t size, resident, shared;
};
int dn_parse_pid_statm(const char *p, size_t len, struct dn_pid_statm *out);

/* /proc/PID/fdinfo/N: the first two lines */
struct dn_pid_fdinfo {
	uint64_t pos;
	uint64_t flags;			/* O_*, octal in the file */
};
void dn_parse_pid_fdinfo(const char *p, size_t len, struct dn_pid_fdinfo *out);

/* One line of /proc/PID/maps */
struct dn_pid_map {
	uint64_t start, end, offset, inode;
	uint64_t dev;			/* major << 20 | minor */
	uint64_t prot;			/* PROT_* */
	bool shared;
	const char *path;		/* within the line; "\012" in it stands for a newline */
	size_t path_len;
};
int dn_parse_pid_map(const char *p, size_t len, struct dn_pid_map *out);

/* Turns the "\012" of a path in maps back into newlines, in place; returns the
 * new length. A name with a real backslash, 0, 1, 2 reads the same: the kernel
 * does not tell them apart (seq_file_path with the escape set "\n"). */
size_t dn_unescape_map_path(char *p, size_t len);

/* /proc/loadavg; loads in thousandths */
struct dn_loadavg {
	uint64_t load1, load5, load15;
	uint64_t running, tasks;
};
int dn_parse_loadavg(const char *p, size_t len, struct dn_loadavg *out);

/* /proc/meminfo, bytes */
struct dn_meminfo {
	uint64_t total, free, available, cached, swap_total, swap_free;
};
void dn_parse_meminfo(const char *p, size_t len, struct dn_meminfo *out);

/* /proc/pressure/cpu, memory, io: total times in ns */
struct dn_psi {
	uint64_t some, full;
};
void dn_parse_psi(const char *p, size_t len, struct dn_psi *out);

/* /proc/stat, ticks of all CPUs since boot. Fed line by line (the file has a
 * line of any length); call dn_host_cpu_clear first. */
struct dn_host_cpu {
	uint64_t user, nice, system, idle, iowait, irq, softirq, steal;
	uint64_t ctxt;
};
void dn_host_cpu_clear(struct dn_host_cpu *out);
void dn_parse_host_stat_line(const char *p, size_t len, struct dn_host_cpu *out);

/* One line of /proc/net/dev; -EBADMSG for the two of its head */
struct dn_net_dev {
	const char *name;		/* within the line */
	size_t name_len;
	uint64_t rx_bytes, rx_packets, rx_errors, rx_dropped;
	uint64_t tx_bytes, tx_packets, tx_errors, tx_dropped;
};
int dn_parse_net_dev(const char *p, size_t len, struct dn_net_dev *out);

/* One line of /proc/diskstats */
struct dn_disk {
	uint64_t major, minor;
	const char *name;		/* within the line */
	size_t name_len;
	uint64_t reads, read_sectors, read_ms;
	uint64_t writes, write_sectors, write_ms;
	uint64_t in_flight, busy_ms;
};
#define DN_SECTOR 512			/* of diskstats, whatever the device's own size */
int dn_parse_disk(const char *p, size_t len, struct dn_disk *out);

/* n * unit, DN_UNMEASURED where n is or the product does not fit. */
uint64_t dn_scale(uint64_t n, uint64_t unit);

#endif
