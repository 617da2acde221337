/*
 * probe.h - the BPF programs: load, attach, mark the target, read the totals,
 * detach. With object.c, kernel_types.c, rings.c and ring.c the probe*.c are the only files that see libbpf.
 *
 * Belongs to the main thread, but for the rings, which the consumer drains.
 */
#ifndef DN_RECORDER_PROBE_H
#define DN_RECORDER_PROBE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "object.h"
#include "record.h"
#include "ring_event.h"

struct dn_attach_process;
struct dn_mapwatch;
struct dn_ring;
struct dn_probe;

struct dn_probe_opts {
	uint64_t buffer_bytes;	/* of all rings of the CPUs together */
	bool strings;
	/* no arguments and no strings of a process from the execve on that makes it one which
	 * our user may not trace: setuid, capabilities of its file, a file not to be read */
	bool hide_setuid;
	bool net;		/* sockets */
	bool offcpu;		/* when threads run */
	uint64_t offcpu_min;	/* ns: shorter times off a CPU are added up; 0: none */
	uint64_t stack_slow;	/* ns: calls that take so long have stacks; 0: none */
	const char *stack_calls;	/* those of these names, separated by commas, have; NULL: none */
	bool stacks;
	bool symbols;		/* names of the kernel's functions */
	unsigned freq;		/* samples a second of each CPU; 0: none */
	bool cycles;		/* by cycles, where each CPU has them */
	bool attach;		/* the tree is one of processes that run already */
	uint32_t perf;		/* performance counters, those that there are: a bit for each enum dn_perf */
	const char *rung;	/* the best one to try: tp_btf, raw_tp, no_btf, proc; NULL: the best */
	const char *bytes;	/* the same of ways to see bytes through sockets: enum dn_bytes_way */
};

/*
 * Loads and attaches what the kernel takes, from the best rung down. NULL with
 * errno where no rung serves; why (512 bytes) then says in words what failed.
 */
struct dn_probe *dn_probe_open(const struct dn_probe_opts *o, char why[512]);
void dn_probe_close(struct dn_probe *p);

/* Takes apart what --rung was given: names of rungs and of ways to see bytes through
 * sockets, separated by commas. "" where none is named; false: there is none of a name. */
bool dn_probe_parse_rung(const char *list, char rung[16], char bytes[16]);

/*
 * The root of the tree is the task that makes a system call with this number
 * as its first argument; it is recorded from its next execve on, as thread
 * DN_ROOT_THREAD.
 */
uint64_t dn_probe_target(struct dn_probe *p);

/*
 * Makes processes that run already the tree, with threads, open calls and sockets, in place of
 * dn_probe_target(): the first gets the id DN_ROOT_THREAD. Their numbers are those of /proc. Rings are read meanwhile. May be
 * called again with others. Threads taken, or -errno.
 */
int dn_probe_attach(struct dn_probe *p, const struct dn_attach_process *a, unsigned n);

/* Length of the kernel's own ticks, ns, once the command has begun; 0: not known. */
uint64_t dn_probe_tick_ns(const struct dn_probe *p);

/* What processes map, to be read and closed by the caller from now on; NULL: it is not seen. */
struct dn_mapwatch *dn_probe_take_maps(struct dn_probe *p);
/* Raised by one, stacks are all sent again. */
__u64 *dn_probe_stack_generation(struct dn_probe *p);

/* Has the kernel name addresses of its own: the shape of dn_kernel_ask (kernel_code.h), ctx is the
 * probe. -ENOTSUP where its program is not there. Until the probe is closed. */
int dn_probe_name(void *ctx, const uint64_t *address, unsigned n,
		  void (*fn)(void *fn_ctx, const char *line), void *fn_ctx);

/* Names of what this recording lacks though another kernel has it, separated by
 * commas, and why; false where it lacks nothing that was asked for. */
bool dn_probe_lacks(const struct dn_probe *p, char names[256], const char **why);

/* How a subject is observed ("none": not at all); NULL: there is none of that name. */
const char *dn_probe_rung(const struct dn_probe *p, const char *name);

/* Rings to drain: the life ring and n others. They stay the probe's. */
struct dn_ring *dn_probe_life_ring(struct dn_probe *p);
struct dn_ring **dn_probe_rings(struct dn_probe *p, unsigned *n);

/* Waits until a ring is half full, a watched fd has news, or timeout_ms is over. */
void dn_probe_wait(struct dn_probe *p, int timeout_ms);
int dn_probe_wake_fd(struct dn_probe *p, int fd);

/*
 * Ends the recording: no call is begun any more, then fn is handed every
 * thread that lives, then nothing is attached. The rings can still be drained.
 * 0 or -errno.
 */
int dn_probe_stop(struct dn_probe *p, int (*fn)(void *ctx, const struct dn_iter_thread *t), void *ctx);
/* When that was: no switch of a thread is recorded that was later. */
uint64_t dn_probe_stopped(const struct dn_probe *p);

/* The kernel side's counters, summed over the CPUs. */
int dn_probe_counters(struct dn_probe *p, uint64_t out[DN_KCOUNTER_MAX]);
/* Runs that the kernel skipped (recursion_misses) and that nothing made up for:
 * of programs that calls and processes are known by, and of others. */
void dn_probe_misses(struct dn_probe *p, uint64_t *needed, uint64_t *others);

/* Hands the sums of short times of all threads that live on. */
int dn_probe_short(struct dn_probe *p, int (*fn)(void *ctx, const struct dn_ring_short *s), void *ctx);

/* Hands on what performance counters counted for threads and was not told yet. */
int dn_probe_perf(struct dn_probe *p, int (*fn)(void *ctx, const struct dn_ring_perf *r), void *ctx);
/* The performance counters that count. */
uint32_t dn_probe_perf_kinds(const struct dn_probe *p);
/* Cycles that a sample stands for; 0: it stands for a time. why: that it does, though cycles were asked for; "":
 * they were not. */
uint64_t dn_probe_cycles(const struct dn_probe *p, const char **why);
/* The name of one of these that does not, and why; NULL: all do. */
const char *dn_probe_perf_lacks(const struct dn_probe *p, uint32_t kinds, const char **why);

/* Hands every entry of the loss table on. */
int dn_probe_losses(struct dn_probe *p,
		    int (*fn)(void *ctx, const struct dn_loss_key *k, const struct dn_loss_value *v), void *ctx);

/* Emits the rows `probe` and `not_observed`. */
int dn_probe_emit(struct dn_probe *p, const struct dn_sink *sink);

/* The nth of the subjects that a program of the objects observes; NULL: no more. */
const char *dn_probe_subject(const char *program, unsigned nth);
/* What a trace lacks without that subject; NULL: a recording cannot do without it. */
const char *dn_probe_without(const char *subject);

/* Subjects that have no program of their own and take BTF, by number; NULL: no more. */
const char *dn_probe_typed(unsigned i);
/* Whether that rung observes the subject without a program: from the map of tasks. */
bool dn_probe_walks(const char *rung, const char *subject);
/* Whether no lesser rung is tried after this -errno. */
bool dn_probe_hopeless(int err);

/* The best way to see bytes through sockets that can be had here. */
enum dn_bytes_way dn_probe_bytes_way(void);

/* One program, loaded and attached alone, for one subject. The strings live as long as the call. */
struct dn_trial {
	const char *object;		/* DN_TRIAL_ONLY: no program of the recorder */
	const char *probe, *rung, *program;
	int load_err, attach_err;	/* 0 or -errno */
	char why[256];			/* libbpf's or the verifier's words */
	bool less;			/* its object sees less than the best one */
};
#define DN_TRIAL_ONLY "trial"

/*
 * Loads and attaches every program by itself and detaches it again: those of the
 * best object, of the next one only where a recording would come to it, too, and
 * those of DN_TRIAL_ONLY. fn is called once for each subject of a program, and gives
 * 0 to go on, or -errno, which is handed back. Not beside an open probe: libbpf has one place for its messages.
 */
int dn_probe_try(int (*fn)(void *ctx, const struct dn_trial *t), void *ctx);

#endif
