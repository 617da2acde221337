/*
 * ring_event.h - what the BPF programs hand to the recorder: layouts of the
 * ring records, of the knobs and of the tables both sides share.
 *
 * These bytes never reach a disk. Kernel and recorder are of one build and
 * one machine, so plain structs serve; sizes and offsets are asserted.
 */
#ifndef DN_SCHEMA_RING_EVENT_H
#define DN_SCHEMA_RING_EVENT_H

#ifndef __bpf__
#include <assert.h>
#include <linux/types.h>
#else
#define static_assert _Static_assert
#endif

#include "abi.h"
#include "enums.h"

#define DN_COMM_LEN 16		/* TASK_COMM_LEN */
#define DN_NS_LEVELS 4		/* nested pid namespaces whose tid is kept */

#define DN_RING_PATH_MAX 4096	/* PATH_MAX, with the NUL */
#define DN_RING_ARGV_MAX 16384
#define DN_RING_TEXT_MAX 256
#define DN_RING_SOCKADDR_MAX 128
#define DN_RING_FDS_SIZE 8	/* two descriptors: pipe(2) */

enum dn_ring_type {
	DN_RING_CALL = 1,
	DN_RING_STRING,
	DN_RING_THREAD_START,
	DN_RING_EXEC,
	DN_RING_THREAD_EXIT,
	DN_RING_COMM,
	DN_RING_SIGNAL_SENT,
	DN_RING_SIGNAL_DELIVERED,
	DN_RING_OOM,
	DN_RING_THREAD_GONE,
	DN_RING_SOCK,
	DN_RING_SOCK_EVENT,
	DN_RING_TRANSFER,
	DN_RING_OFFCPU,
	DN_RING_STACK,
	DN_RING_SAMPLE,
	DN_RING_SHORT,
	DN_RING_CALL_STACK,
	DN_RING_THREAD_BASE,
	DN_RING_PERF,
};

/* Bytes through a socket. */
struct dn_ring_moved {
	__u32 sock;		/* its id */
	__u32 sends, receives;
	__u32 pad;
	__u64 sent, received;
};
static_assert(sizeof(struct dn_ring_moved) == 32, "layout");

/* A system call, at its return. Reserved in three sizes: three arguments, six, and six with
 * the bytes it moved through a socket. */
struct dn_ring_call {
	__u8 type;
	__u8 abi;
	__u8 nargs;
	__u8 nstr;		/* string records of this call that were submitted */
	__u16 cpu;
	__u16 flags;		/* enum dn_syscall_flag */
	__u32 thread;
	__u32 seq;
	__u32 nr;
	__u32 pad;
	__u64 start;
	__u64 dur;
	__s64 ret;
	__u64 args[];		/* 3 or 6 */
};
#define DN_RING_CALL3 (sizeof(struct dn_ring_call) + 3 * sizeof(__u64))
#define DN_RING_CALL6 (sizeof(struct dn_ring_call) + 6 * sizeof(__u64))
#define DN_RING_CALL_MOVED (DN_RING_CALL6 + sizeof(struct dn_ring_moved))
static_assert(sizeof(struct dn_ring_call) == 48, "layout");

/* A string of a call, sent before the call's own record, perhaps through the
 * ring of another CPU: joined by (thread, seq). */
struct dn_ring_string {
	__u8 type;
	__u8 arg;
	__u8 kind;		/* enum dn_str_kind */
	__u8 flags;		/* enum dn_str_flag */
	__u32 thread;
	__u32 seq;
	__u32 len;
	__u32 true_len;
};				/* len bytes follow */
static_assert(sizeof(struct dn_ring_string) == 20, "layout");

struct dn_ring_thread_start {
	__u8 type;
	__u8 origin;		/* enum dn_origin */
	__u16 ns_levels;	/* of ns_tid that count */
	__u32 thread;
	__u32 process;
	__u32 parent;		/* thread id, 0: none */
	__u32 tid, pid, ppid;
	__u32 parent_seq;	/* with origin EXEC: records of the id that ends here */
	__u64 time;
	__u64 born;
	__u64 clone_flags;
	__u32 ns_tid[DN_NS_LEVELS];
	char comm[DN_COMM_LEN];
};
static_assert(sizeof(struct dn_ring_thread_start) == 88, "layout");

struct dn_ring_exec {
	__u8 type;
	__u8 secureexec;
	__u16 cwd_parts;	/* names in the cwd area, leaf first, each ended by a NUL */
	__u32 thread, process;
	__u32 old_tid;
	__u32 uid, gid;
	__u32 path_len;		/* areas of data, in this order, NULs included */
	__u32 cwd_len;		/* 0 with cwd_parts 0: the root; DN_RING_CWD_BAD: not readable */
	__u32 argv_len;
	__u32 argv_true_len;
	__u64 time;
	char comm[DN_COMM_LEN];
};				/* path, cwd and argv follow */
#define DN_RING_CWD_BAD 0xffff	/* in cwd_parts */
#define DN_RING_ARGV_HIDDEN 0xffffffffu	/* in argv_true_len */
#define DN_RING_SECURE_UNKNOWN 0xff	/* in secureexec */
static_assert(sizeof(struct dn_ring_exec) == 64, "layout");

/* The end of a thread. BASE: the same figures of one that was attached to, as it was then. */
struct dn_ring_thread_exit {
	__u8 type;		/* EXIT or BASE */
	__u8 group_dead;	/* 1: the last of its process, 2: perhaps, see dn_group_dead */
	__u8 has_io;		/* rchar .. cancelled were counted by this kernel */
	__u8 has_delay;
	__u32 thread, process;
	__u32 exit_code;
	__u32 seq;
	__u8 has_figures;	/* utime .. majflt and maxrss were read */
	__u8 pad[3];
	__u64 time;
	__u64 utime, stime, runtime, run_delay;
	__u64 nvcsw, nivcsw, minflt, majflt;
	__u64 rchar, wchar, syscr, syscw;
	__u64 read_bytes, write_bytes, cancelled;
	__u64 maxrss_pages;
	char comm[DN_COMM_LEN];
};
static_assert(sizeof(struct dn_ring_thread_exit) == 176, "layout");

/* After its THREAD_EXIT, when it leaves its CPU for the last time: only now is
 * its time on CPUs brought up to date. */
struct dn_ring_thread_gone {
	__u8 type;
	__u8 pad[3];
	__u32 thread;
	__u64 runtime, run_delay;
	__u64 nvcsw, nivcsw;
};
static_assert(sizeof(struct dn_ring_thread_gone) == 40, "layout");

struct dn_ring_comm {
	__u8 type;
	__u8 pad[3];
	__u32 thread;
	__u64 time;
	char comm[DN_COMM_LEN];
};
static_assert(sizeof(struct dn_ring_comm) == 32, "layout");

struct dn_ring_signal {
	__u8 type;		/* SENT or DELIVERED */
	__u8 group;
	__u8 result;
	__u8 pad;
	__s32 sig;
	__s32 code;
	__u32 sender, sender_tid;	/* SENT; thread id 0: not in the tree */
	__u32 target, target_tid;	/* DELIVERED: target is who takes it */
	__u32 pad2;
	__u64 time;
	__u64 handler;
	__u64 sa_flags;
	char sender_comm[DN_COMM_LEN];
};
static_assert(sizeof(struct dn_ring_signal) == 72, "layout");

#define DN_RING_HANDLER_HIDDEN (~0ull)	/* in handler */

struct dn_ring_oom {
	__u8 type;
	__u8 pad[3];
	__u32 thread;		/* 0: not in the tree */
	__u32 tid;
	__u32 pad2;
	__u64 time;
	char comm[DN_COMM_LEN];
};
static_assert(sizeof(struct dn_ring_oom) == 40, "layout");

#define DN_SOCKADDR_IN 16	/* sizes of struct sockaddr_in, sockaddr_in6 */
#define DN_SOCKADDR_IN6 28

/* A socket, or something that happened to one. */
struct dn_ring_sock {
	__u8 type;		/* SOCK or SOCK_EVENT */
	__u8 what;		/* SOCK: enum dn_sock_origin; else enum dn_sock_event */
	__u8 state, old_state;	/* TCP_* */
	__u32 sock;		/* its id */
	__u32 thread;		/* 0: nobody of the tree */
	__u32 seq;		/* of the call, with in_call */
	__s32 fd;		/* -1: not known */
	__u32 other;		/* SOCK: socket that listens, or the other of a pair; 0: none */
	__s32 err;
	__u32 netns;
	__u16 family, sk_type, protocol;
	__u8 local_len, remote_len;	/* 0: none, or not read */
	__u8 in_call;
	__u8 has_tcp;		/* srtt_us .. tcp_received were read */
	__u8 pad[6];
	__u64 time;
	__u64 start;		/* of the call, with in_call */
	__u64 inode, peer_inode;	/* 0: none */
	__u32 srtt_us, retrans;
	__u64 tcp_sent, tcp_resent, tcp_acked, tcp_received;
	__u8 local[DN_RING_SOCKADDR_MAX];	/* struct sockaddr */
	__u8 remote[DN_RING_SOCKADDR_MAX];
};
static_assert(sizeof(struct dn_ring_sock) == 376, "layout");

/* What to say of a socket: between the programs. */
struct dn_sock_told {
	__u8 type, what, state, old_state;	/* struct dn_ring_sock */
	__u8 addresses, figures;	/* 1: read these too */
	__u8 asked;		/* 1: the other end as the call named it: connect(2) failed, the socket has none */
	__u8 pad;
	__u32 id, other;
	__s32 fd, err;
};

/* Bytes without a call, or of one that serves several sockets: all but the last. */
struct dn_ring_transfer {
	__u8 type;
	__u8 in_call;		/* seq is the call's */
	__u16 pad;
	__u32 thread;
	__u32 seq;
	__u32 pad2;
	__u64 time;
	struct dn_ring_moved moved;
};
static_assert(sizeof(struct dn_ring_transfer) == 56, "layout");

/* A thread runs again, or is off its CPU at the end. */
struct dn_ring_offcpu {
	__u8 type;
	__u8 state;		/* enum dn_off_state */
	__u8 in_call;		/* seq is the call's */
	__u8 by;		/* enum dn_woken_by */
	__u32 thread;
	__u32 seq;
	__u32 waker, waker_tid;	/* 0: not in the tree, none */
	__u32 nr;		/* of the call */
	__u32 abi;
	__u32 pad;
	__u64 time;
	__u64 dur;
	__u64 ready;		/* with `by`: ns since it was woken */
	__u64 stack;		/* as it left its CPU: struct dn_ring_stack, hash; 0: none */
	char waker_comm[DN_COMM_LEN];
};
static_assert(sizeof(struct dn_ring_offcpu) == 80, "layout");

/* Times off a CPU that are shorter than knobs.offcpu_min are added up, by thread and state: of the
 * first DN_SHORT_STATES of enum dn_off_state. Others are told one by one, however short. */
#define DN_SHORT_STATES 4
#define DN_SHORT_MAX 65536	/* sums at one time; beyond, times are told one by one */

struct dn_short_key {
	__u32 thread, state;
};

struct dn_short {
	__u64 total, ready;	/* ns; ready: of total, woken and waiting for a CPU */
	__u32 count;
	__u32 pad;
};

struct dn_ring_short {
	__u8 type;
	__u8 state;		/* enum dn_off_state */
	__u16 pad;
	__u32 thread;
	__u64 time;		/* when it is told */
	struct dn_short sum;
};
static_assert(sizeof(struct dn_ring_short) == 40, "layout");

/* TAKEN: of one that is attached to while it sleeps, without the user's frames. */
enum dn_stack_use { DN_STACK_OF_SWITCH, DN_STACK_OF_SAMPLE, DN_STACK_OF_CALL, DN_STACK_OF_TAKEN, DN_STACK_USES };

#define DN_STACK_FRAMES 127	/* of the kernel, and of the user: sysctl kernel.perf_event_max_stack has no more by default */
#define DN_STACK_ROOM 128	/* a power of two, for the verifier */
#define DN_STACKS_KNOWN 16384	/* stacks that are not sent again, a power of two */

/* A stack that others name by its hash. One with DN_STACK_FRAMES is cut: its outermost are missing. */
struct dn_ring_stack {
	__u8 type;
	__u8 kernel, user;	/* frames */
	__u8 use;		/* enum dn_stack_use */
	__u32 pid;		/* whose the user's are */
	__u64 hash;
	__u64 time;
};				/* addresses follow, 64 bits each: the kernel's, then the user's, innermost first */
static_assert(sizeof(struct dn_ring_stack) == 24, "layout");

#define DN_NAMES_AT_ONCE 256	/* addresses of the kernel that are named in one go; 2 * DN_STACK_FRAMES are in a stack */

/* What a thread did on its CPU at a moment. */
struct dn_ring_sample {
	__u8 type;
	__u8 pad;
	__u16 cpu;
	__u32 thread;
	__u64 time;
	__u64 stack;		/* hash, 0: none */
};
static_assert(sizeof(struct dn_ring_sample) == 24, "layout");

/* What a performance counter counted, as bpf_perf_event_read_value() has it: struct bpf_perf_event_value. */
struct dn_perf_sum {
	__u64 value;
	__u64 enabled, running;	/* ns that it was to count, that it did */
};

/* What the counters counted for a thread, by enum dn_perf. Its sum as it is kept, too. */
struct dn_ring_perf {
	__u8 type;
	__u8 pad;
	__u16 kinds;		/* a bit for each that was asked for */
	__u32 thread;
	__u64 time;		/* when it is told */
	struct dn_perf_sum sum[DN_PERF_KINDS];
};
static_assert(sizeof(struct dn_ring_perf) == 16 + 24 * DN_PERF_KINDS && DN_PERF_KINDS <= 16, "layout");

#define DN_PERF_MAX 32768	/* threads that have sums at one time */

/* The stack of a call: joined to it by (thread, seq). */
struct dn_ring_call_stack {
	__u8 type;
	__u8 abi;
	__u16 pad;
	__u32 thread, seq, nr;
	__u64 time;		/* of its return */
	__u64 dur;
	__u64 stack;		/* hash, 0: none could be read */
};
static_assert(sizeof(struct dn_ring_call_stack) == 40, "layout");

enum dn_woken_by {
	DN_WOKEN_UNSEEN,
	DN_WOKEN_BY_INTERRUPT,
	DN_WOKEN_BY_TASK,
};

/* What a call does with sockets, known at its return. */
enum dn_sock_act {
	DN_SOCK_ACT_NONE,
	DN_SOCK_ACT_SOCKET,	/* the result is one */
	DN_SOCK_ACT_ACCEPT,	/* the same, the first argument listens */
	DN_SOCK_ACT_PAIR,	/* the fourth argument points to two */
	DN_SOCK_ACT_CONNECT,	/* the first argument is one, as with those that follow */
	DN_SOCK_ACT_BIND,
	DN_SOCK_ACT_LISTEN,
	DN_SOCK_ACT_SHUTDOWN,
	DN_SOCK_ACT_CLOSE,	/* the same, at the entry */
	DN_SOCK_ACT_SPLICE,	/* the first or the third may be one */
	DN_SOCK_ACT_SENDFILE,	/* the first may be one */
	DN_SOCK_ACT_IN,		/* the first may be one, and the result be bytes */
	DN_SOCK_ACT_IN_FLAGS2,	/* the same, with MSG_* flags as the third argument */
	DN_SOCK_ACT_IN_FLAGS3,	/* as the fourth */
	DN_SOCK_ACT_OUT,
	DN_SOCK_ACT_IN_MANY,	/* recvmmsg: the result counts messages, flags are the fourth */
	DN_SOCK_ACT_OUT_MANY,	/* sendmmsg */
};

/* A process to attach to, found by its number. The first thread of it that is taken gets its id,
 * where the one that gave it its number has ended. */
struct dn_attached {
	__u32 process;		/* its id; 0: it gets one */
	__u32 space;		/* struct dn_task_state; 0: none yet */
	__u32 led;		/* 1: somebody has the id */
	__u32 pad;
	__u64 born;		/* start, boot clock, ns: not before, and less than DN_USER_TICK_NS after it */
};
#define DN_USER_TICK_NS 10000000	/* of /proc: USER_HZ is 100 with all that we know */
#define DN_ATTACHED_MAX 32768	/* processes */

/* What the iterators of attaching print for a task or a socket: the recorder asks again until there is none. */
enum dn_take { DN_TAKE_DONE = 1, DN_TAKE_LATER };

/* State of a traced task, found by its address. */
struct dn_task_state {
	__u64 task;		/* whose it is: a number from its address; 0: nobody's */
	__u32 thread;		/* its id in this trace, from 1 */
	__u32 process;		/* thread id of the process's first thread */
	__u32 seq;		/* of the next record; counts lost ones too */
	__u32 next_thread;	/* id from the return of this exec on, 0: unchanged */
	__u8 armed;		/* enum dn_armed */
	__u8 in_call;
	__u8 fresh;		/* a fork's child before its first return to user mode */
	__u8 abi;		/* of the open call, as are all that follow */
	__u8 nargs;
	__u8 nstr;
	__u8 late;		/* bit i: string i of the plan is tried at the return */
	__u8 flags;		/* enum dn_syscall_flag so far */
	__u32 nr;
	__u32 addr_room;	/* bytes the caller has for the socket address it asks for */
	__u8 hidden;		/* it or a forebear became setuid: no arguments, no strings */
	__u8 unborn;		/* not announced yet: args holds enum dn_unborn, start its birth */
	__u8 exec_seen;		/* since the entry of the open call */
	__u8 sock_act;		/* enum dn_sock_act of the open call */
	__u32 tid;		/* 0 where it is not known */
	__u64 start;
	__u64 args[6];
	struct dn_ring_moved moved;	/* by the open call so far; sock 0: nothing */
	__u64 probe_sk;		/* of the receive that a kprobe has seen begin; 0: none is under way */
	__u32 probe_flags;
	__u32 closing;		/* socket whose last descriptor the open call closes; 0: none */
	__u64 off;		/* when it left its CPU; 0: it runs, or that was not seen */
	__u64 off_runtime;	/* ns it had run by then */
	__u64 woken;		/* when it was woken last */
	__u32 waker, waker_tid;	/* by whom, with woken_by */
	char waker_comm[DN_COMM_LEN];
	__u32 off_seq, off_nr;	/* of the call in which it left, with off_in_call */
	__u8 off_abi, off_in_call;
	__u8 off_state;		/* enum dn_off_state */
	__u8 woken_by;		/* enum dn_woken_by */
	__u32 space;		/* its address space: a number that no other has */
	__u64 off_stack;	/* struct dn_ring_stack, hash, as it left its CPU */
};
static_assert(sizeof(struct dn_task_state) == 224, "layout");

enum dn_armed {
	DN_ARMED_WAITS,		/* for its first exec */
	DN_ARMED,
	DN_ARMED_LEAVES,	/* from its exit to its last switch */
	DN_ARMED_TAKEN,		/* is being attached to */
};

/* What a task without a kernel structure to read from is announced with. */
enum dn_unborn { DN_UNBORN_FLAGS, DN_UNBORN_PARENT, DN_UNBORN_PPID, DN_UNBORN_ORIGIN };

#define DN_ROOT_THREAD 1	/* id of the command's first thread */
#define DN_SOCKS_MAX 32768	/* sockets known at one time */
#define DN_TASKS_MAX 65536	/* tasks of the tree at one time, at most */

/*
 * What to read of a call, by number: count of arguments and up to three
 * strings, each DN_PLAN(kind, arg), 0 for none.
 */
#define DN_PLAN_STRS 3
#define DN_PLAN(kind, arg) ((kind) << 3 | (arg))
#define DN_PLAN_KIND(s) ((s) >> 3)
#define DN_PLAN_ARG(s) ((s) & 7)

/* Kinds of a plan's strings besides enum dn_str_kind: the address that a struct msghdr
 * names, given or asked for, which becomes a socket address. */
#define DN_PLAN_MSGHDR 16
#define DN_PLAN_MSGHDR_OUT 17

struct dn_plan {
	__u8 nargs;
	__u8 str[DN_PLAN_STRS];
	__u8 sock;		/* enum dn_sock_act */
	__u8 stack;		/* 1: its stack is sent with it */
	__u8 pad[2];
};

/* ABIs of one kernel: the native one, its 32-bit one, x32. */
#define DN_SLOT_NATIVE 0
#define DN_SLOT_COMPAT 1
#define DN_SLOT_X32 2
#define DN_SLOTS 4		/* a power of two, for the verifier */

/* What the recorder sets before the load: the verifier removes what is off. */
struct dn_knobs {
	__u8 strings;
	__u8 hide_setuid;	/* arguments end where a task becomes setuid */
	__u8 stacks;
	__u8 stack_calls;	/* some calls have stacks */
	__u32 perf;		/* performance counters: a bit for each enum dn_perf */
	__u32 cpus;
	__u32 wake_level;	/* bytes in a ring that wake the recorder */
	__u64 stack_slow;	/* ns: calls that take so long have; 0: none for that */
	__u64 offcpu_min;	/* ns: shorter times off a CPU are added up */
	__u32 ns_depth;		/* pid namespaces from that of /proc to the recorder's */
	/* The recorder's one as the kernel and stat(2) name it, for where none can be read;
	 * 0: numbers are the first one's. */
	__u64 ns_dev, ns_ino;
	__u32 exec_nrs[DN_SLOTS][2];	/* execve, execveat */
	__u32 exit_nrs[DN_SLOTS][2];	/* exit, exit_group */
	struct dn_plan plans[DN_SLOTS * DN_NR_MAX];	/* slot after slot */
};

/* What both sides write while the recording runs. */
struct dn_run {
	__u32 last_thread;	/* id given last */
	__u32 stopping;		/* 1: no call is begun any more; the open ones still end */
	__u64 root_cookie;	/* first argument of a call by which the command makes itself known */
	__u64 ns;		/* address of the pid namespace that tasks are numbered in */
	__u32 ns_level;		/* its level; 0: the first one */
	__u32 last_sock;	/* id of a socket given last */
	__u64 tick_ns;		/* of the kernel's own ticks, since the command began; 0: not known */
	__u32 displaced;	/* tasks whose state is not in the seat of their address */
	__u32 ends_at_exit;	/* 1: a task's last switch is not seen, its exit ends its state */
	__u32 sched;		/* 1: it is seen when tasks run */
	__u32 last_space;	/* number of an address space given last */
	__u64 stack_generation;	/* raised by the recorder: all stacks are sent again */
};

/* Lost calls, by process, call and CPU. */
struct dn_loss_key {
	__u32 process;		/* 0: any */
	__u32 abi;
	__u32 nr;		/* DN_LOSS_ANY: any */
	__u32 cpu;
};
#define DN_LOSS_ANY 0xffffffffu
#define DN_LOSS_ENTRIES 16384

struct dn_loss_value {
	__u64 count;
	__u64 total;		/* ns in the lost calls */
	__u64 first, last;	/* boot clock */
};

/* One thread of the tree as the task iterator prints it at the end. */
struct dn_iter_thread {
	__u32 thread, process;
	__u32 tid, pid;
	__u32 seq;
	__u32 nr;
	__u8 in_call, abi, nargs, nstr;
	__u32 flags;
	__u64 start;
	__u64 args[6];
	__u64 off;		/* it has been off its CPU since then; 0: it runs, or that is not known */
	__u64 off_ran;		/* ns that it has run since, unseen */
	__u64 woken;		/* it was woken then; 0: was not */
	__u64 off_stack;
	__u32 off_state;	/* enum dn_off_state */
	__u32 pad;
};
static_assert(sizeof(struct dn_iter_thread) == 128, "layout");

#endif
