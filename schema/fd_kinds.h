/*
 * fd_kinds.h - what a file descriptor may be, and how it came to a process.
 *
 * syscalls.def names the kind of what a call makes (=fd:eventfd). The values
 * stand in databases, never in a trace.
 */
#ifndef DN_SCHEMA_FD_KINDS_H
#define DN_SCHEMA_FD_KINDS_H

/* FD(value, id, name, 1: it is always close-on-exec, what it is) */
#define DN_FD_TABLE(FD)                                                       \
	FD(0, UNKNOWN, "unknown", 0, "open, but nobody saw what it is")       \
	FD(1, CLOSED, "closed", 0, "not open at that time")                   \
	FD(2, FILE, "file", 0, "a file with a name")                          \
	FD(3, DIRECTORY, "directory", 0, "a directory")                       \
	FD(4, DEVICE, "device", 0, "in /dev: a terminal, null, ...")          \
	FD(5, PROC, "proc", 0, "in /proc")                                    \
	FD(6, SYSFS, "sysfs", 0, "in /sys")                                   \
	FD(7, PIPE, "pipe", 0, "an end of a pipe")                            \
	FD(8, FIFO, "fifo", 0, "a pipe with a name")                          \
	FD(9, SOCKET, "socket", 0, "a socket of another or an unknown family") \
	FD(10, TCP, "tcp", 0, "")                                             \
	FD(11, UDP, "udp", 0, "")                                             \
	FD(12, UNIX, "unix", 0, "a unix domain socket")                       \
	FD(13, NETLINK, "netlink", 0, "")                                     \
	FD(14, PACKET, "packet", 0, "")                                       \
	FD(15, ICMP, "icmp", 0, "a ping socket")                              \
	FD(16, RAW, "raw", 0, "a raw socket of inet or inet6")                \
	FD(17, VSOCK, "vsock", 0, "")                                         \
	FD(18, EVENTFD, "eventfd", 0, "")                                     \
	FD(19, EPOLL, "epoll", 0, "")                                         \
	FD(20, TIMERFD, "timerfd", 0, "")                                     \
	FD(21, SIGNALFD, "signalfd", 0, "")                                   \
	FD(22, INOTIFY, "inotify", 0, "")                                     \
	FD(23, FANOTIFY, "fanotify", 0, "")                                   \
	FD(24, MEMFD, "memfd", 0, "memory with a name, of memfd_create")      \
	FD(25, PIDFD, "pidfd", 1, "a process")                                \
	FD(26, IO_URING, "io_uring", 1, "")                                   \
	FD(27, PERF_EVENT, "perf_event", 0, "")                               \
	FD(28, BPF, "bpf", 1, "a program, map, link or the like")             \
	FD(29, USERFAULTFD, "userfaultfd", 0, "")                             \
	FD(30, MQUEUE, "mqueue", 1, "a POSIX message queue")                  \
	FD(31, RULESET, "ruleset", 1, "of Landlock")                          \
	FD(32, ANON, "anon", 0, "another thing without a name")

enum dn_fd_kind {
#define FD(value, id, name, cloexec, doc) DN_FD_##id = value,
	DN_FD_TABLE(FD)
#undef FD
	DN_FD_KIND_MAX
};

/* FROM(value, id, name, how a descriptor came to be in a table) */
#define DN_FD_ORIGIN_TABLE(FROM)                                              \
	FROM(0, UNKNOWN, "unknown", "was in use without having been seen to begin") \
	FROM(1, OPENED, "opened", "a call made it")                           \
	FROM(2, DUP, "dup", "a call made it out of another")                  \
	FROM(3, INHERITED, "inherited", "from the parent, by fork")           \
	FROM(4, SNAPSHOT, "snapshot", "it was there when /proc was read")

enum dn_fd_origin {
#define FROM(value, id, name, doc) DN_FD_FROM_##id = value,
	DN_FD_ORIGIN_TABLE(FROM)
#undef FROM
};

#endif
