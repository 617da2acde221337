/*
 * enums.h - the small numbers that stand in traces, named once.
 *
 * A value is never reused and never changes meaning. Included by the BPF
 * programs too: only preprocessor and enums here.
 */
#ifndef DN_SCHEMA_ENUMS_H
#define DN_SCHEMA_ENUMS_H

/* How a task came to be traced (thread_start.origin). */
#define DN_ORIGIN_TABLE(ORIGIN)                                               \
	ORIGIN(0, TARGET, "target", "the command itself")                     \
	ORIGIN(1, FORK, "fork", "fork, or clone with its meaning")            \
	ORIGIN(2, VFORK, "vfork", "vfork: the parent waits")                  \
	ORIGIN(3, CLONE, "clone", "clone of a process with shared parts")     \
	ORIGIN(4, THREAD, "thread", "clone of a thread")                      \
	ORIGIN(5, EXEC, "exec",                                               \
	       "exec from a second thread, which went on as the first")       \
	ORIGIN(6, ATTACH, "attach", "was there before the recording")         \
	ORIGIN(7, KEYFRAME, "keyframe", "repeated at a keyframe")             \
	ORIGIN(8, PROC, "proc", "found in /proc while it lived")

enum dn_origin {
#define ORIGIN(value, id, name, doc) DN_ORIGIN_##id = value,
	DN_ORIGIN_TABLE(ORIGIN)
#undef ORIGIN
};

/* Why a thread is off its CPU (offcpu.state), from its state in the scheduler. */
#define DN_OFF_STATE_TABLE(OFF)                                               \
	OFF(0, RUNNABLE, "runnable", "another one got the CPU")               \
	OFF(1, SLEEPING, "sleeping", "waits and can be interrupted (S)")      \
	OFF(2, DISK, "disk", "waits for storage (D, io_wait)")                \
	OFF(3, BLOCKED, "blocked", "waits and cannot be interrupted (D)")     \
	OFF(4, STOPPED, "stopped", "by a signal (T)")                         \
	OFF(5, TRACED, "traced", "by its tracer (t)")                         \
	OFF(6, NEW, "new", "has not run yet")                                 \
	OFF(7, OTHER, "other", "parked, frozen")

enum dn_off_state {
#define OFF(value, id, name, doc) DN_OFF_##id = value,
	DN_OFF_STATE_TABLE(OFF)
#undef OFF
};

/* Bits of syscall.flags. */
enum dn_syscall_flag {
	DN_CALL_UNFINISHED = 1 << 0,	/* no return seen: exit, exit_group, in flight */
	DN_CALL_NO_ENTER = 1 << 1,	/* return without entry: start and dur unknown */
	DN_CALL_STR_LOST = 1 << 2,	/* a string of it found no room or no scratch */
	DN_CALL_TID_CHANGED = 1 << 3,	/* exec from a second thread: tid differs after it */
	DN_CALL_STR_MISSING = 1 << 4,	/* a string announced never arrived */
};

/* What a string of a call is (dn_call_str.kind). */
enum dn_str_kind {
	DN_STR_NONE = 0,
	DN_STR_PATH = 1,		/* path, no NUL inside */
	DN_STR_TEXT = 2,		/* other NUL-terminated text */
	DN_STR_SOCKADDR = 3,		/* bytes of a socket address */
	DN_STR_SOCKADDR_OUT = 4,	/* the same, filled by the kernel, read at the return */
	DN_STR_ARGV = 5,		/* arguments, each ended by a NUL */
	DN_STR_BYTES = 6,		/* text of a given length, without NUL */
	DN_STR_FDS = 7,			/* two descriptors that the kernel made, 4 bytes each, little-endian */
	DN_STR_KIND_MAX
};

/* Bits of dn_call_str.flags. */
enum dn_str_flag {
	DN_STR_TRUNCATED = 1 << 0,	/* longer than what is kept */
	DN_STR_LATE = 1 << 1,		/* read at the return: the page was not there at the entry */
	DN_STR_UNREADABLE = 1 << 2,	/* not readable at the return either (a bad pointer) */
	DN_STR_REDACTED = 1 << 3,	/* a value that looked secret was replaced */
};

/* How a socket came to be known (sock.origin). */
#define DN_SOCK_ORIGIN_TABLE(MADE)                                            \
	MADE(0, SOCKET, "socket", "made by socket(2)")                        \
	MADE(1, ACCEPT, "accept", "a connection that was accepted")           \
	MADE(2, PAIR, "pair", "made by socketpair(2)")                        \
	MADE(3, USED, "used", "was there when it was first used: received, or opened unseen") \
	MADE(4, INHERITED, "inherited", "was there before the recording: the command was given it") \
	MADE(5, ATTACHED, "attached", "was there before the recording: a process that was attached to had it")

enum dn_sock_origin {
#define MADE(value, id, name, doc) DN_SOCK_##id = value,
	DN_SOCK_ORIGIN_TABLE(MADE)
#undef MADE
};

/* What happened to a socket (sock_event.kind). */
#define DN_SOCK_EVENT_TABLE(HAPPENS)                                          \
	HAPPENS(1, CONNECT, "connect", "connect(2) returned")                 \
	HAPPENS(2, BIND, "bind", "bind(2) returned")                          \
	HAPPENS(3, LISTEN, "listen", "listen(2) returned")                    \
	HAPPENS(4, SHUTDOWN, "shutdown", "shutdown(2) returned")              \
	HAPPENS(5, STATE, "state", "another state of TCP")                    \
	HAPPENS(6, RETRANSMIT, "retransmit", "one segment or several are sent again") \
	HAPPENS(7, RESET_SENT, "reset_sent", "a reset is sent")               \
	HAPPENS(8, RESET_RECEIVED, "reset_received", "a reset came")          \
	HAPPENS(9, ERROR, "error", "the network reports an error to the socket") \
	HAPPENS(10, LAST, "last", "what it is when the recording ends")       \
	HAPPENS(11, USED, "used", "bytes go through it and its addresses are not told yet") \
	HAPPENS(12, CLOSE, "close", "close(2) of the last descriptor returned")

enum dn_sock_event {
#define HAPPENS(value, id, name, doc) DN_SOCK_EV_##id = value,
	DN_SOCK_EVENT_TABLE(HAPPENS)
#undef HAPPENS
};

/* What frames of stacks lie in (object.kind). */
#define DN_CODE_KIND_TABLE(CODE)                                              \
	CODE(0, FILE, "file", "a mapped file")                                \
	CODE(1, KERNEL, "kernel", "the kernel itself")                        \
	CODE(2, MODULE, "module", "a module of the kernel, or its BPF programs") \
	CODE(3, VDSO, "vdso", "the vDSO")                                     \
	CODE(4, MEMORY, "memory", "memory of a process that is no file: code made at run time") \
	CODE(5, MARK, "mark", "no code: says that a stack lacks frames here")

enum dn_code_kind {
#define CODE(value, id, name, doc) DN_CODE_##id = value,
	DN_CODE_KIND_TABLE(CODE)
#undef CODE
};

/* What a performance counter counts (perf_counter.counter): its name as perf(1) has it, what
 * perf_event_open(2) calls it. */
#define DN_PERF_TABLE(PERF)                                                   \
	PERF(0, CYCLES, "cycles", HARDWARE, HW_CPU_CYCLES, "cycles of the CPU") \
	PERF(1, INSTRUCTIONS, "instructions", HARDWARE, HW_INSTRUCTIONS, "instructions retired") \
	PERF(2, CACHE_REFERENCES, "cache-references", HARDWARE, HW_CACHE_REFERENCES, "accesses to the last cache") \
	PERF(3, CACHE_MISSES, "cache-misses", HARDWARE, HW_CACHE_MISSES, "of these, misses") \
	PERF(4, STALLED_FRONTEND, "stalled-cycles-frontend", HARDWARE, HW_STALLED_CYCLES_FRONTEND, \
	     "cycles in which no instruction was there to be begun")          \
	PERF(5, STALLED_BACKEND, "stalled-cycles-backend", HARDWARE, HW_STALLED_CYCLES_BACKEND, \
	     "cycles in which instructions waited for memory or units of the CPU") \
	PERF(6, TASK_CLOCK, "task-clock", SOFTWARE, SW_TASK_CLOCK, "time on CPUs, ns") \
	PERF(7, PAGE_FAULTS, "page-faults", SOFTWARE, SW_PAGE_FAULTS, "page faults, minor and major") \
	PERF(8, CONTEXT_SWITCHES, "context-switches", SOFTWARE, SW_CONTEXT_SWITCHES, "times off a CPU") \
	PERF(9, CPU_MIGRATIONS, "cpu-migrations", SOFTWARE, SW_CPU_MIGRATIONS, "moves to another CPU")

enum dn_perf {
#define PERF(value, id, name, type, config, doc) DN_PERF_##id = value,
	DN_PERF_TABLE(PERF)
#undef PERF
	DN_PERF_KINDS
};

/* process_sample.phase */
enum dn_sample_phase {
	DN_PHASE_PERIODIC = 0,
	DN_PHASE_FIRST = 1,
	DN_PHASE_LAST = 2,
};

/* end.reason */
#define DN_END_TABLE(END)                                                     \
	END(0, COMMAND, "command", "the command ended")                       \
	END(1, DURATION, "duration", "the time asked for was over")           \
	END(2, SIGNAL, "signal", "the recorder was told to stop")             \
	END(3, ERROR, "error", "the recorder could not go on")

enum dn_end_reason {
#define END(value, id, name, doc) DN_END_##id = value,
	DN_END_TABLE(END)
#undef END
};

enum dn_counter_kind { DN_COUNTER_TOTAL, DN_COUNTER_LOSS, DN_COUNTER_DOUBT };

enum dn_counter {
#define COUNTER(id, name, kind, doc) DN_COUNT_##name = id,
#include "counters.def"
};
/* The BPF programs count ids below this one. */
#define DN_KCOUNTER_MAX 32

#endif
