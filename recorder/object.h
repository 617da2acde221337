/*
 * object.h - the BPF objects: one kind for each rung of the ladder, all with
 * programs and maps of the same names. object.c alone sees the skeletons.
 */
#ifndef DN_RECORDER_OBJECT_H
#define DN_RECORDER_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ring_event.h"

struct bpf_link;
struct bpf_object;
struct bpf_program;

struct dn_object_kind {
	const char *rung;		/* what --rung calls it */
	const char *attach;		/* how its programs are attached */
	const char *state;		/* where the state of a task lives */
	const char *types;		/* how kernel structures are known */
	const void *(*bytes)(size_t *n);
};

#define DN_OBJECT_KINDS 3
extern const struct dn_object_kind dn_object_kind[DN_OBJECT_KINDS];	/* best first */

extern const struct dn_object_kind dn_object_trial;	/* no rung: what --check tries besides */

/* How bytes through sockets are seen, best first: every rung that knows kernel
 * structures can do all of them where the kernel does. */
enum dn_bytes_way {
	DN_BYTES_TRACEPOINT,	/* sock_send_length, sock_recv_length */
	DN_BYTES_FENTRY,
	DN_BYTES_KPROBE,
	DN_BYTES_CALLS,		/* by the results of system calls */
	DN_BYTES_WAYS
};
extern const char *const dn_bytes_way[DN_BYTES_WAYS];	/* what --rung calls it */

struct dn_object_opts {
	unsigned cpus;			/* possible ones */
	uint32_t wake_level;		/* struct dn_knobs */
	bool strings;
	bool hide_setuid;
	bool net;			/* sockets */
	bool offcpu;			/* when threads run */
	uint64_t offcpu_min;		/* struct dn_knobs, as the next one */
	uint64_t stack_slow;
	const char *stack_calls;	/* names of calls that have stacks, separated by commas; NULL: none */
	bool stacks;
	unsigned freq;			/* samples a second of each CPU; 0: none */
	bool attach;			/* to processes that run already */
	uint32_t perf;			/* struct dn_knobs */
	bool all_types;			/* libbpf shall look at all of the kernel's, those of modules too */
	enum dn_bytes_way bytes;
};

/* Opened, knobs set, nothing loaded. NULL with errno. libbpf's bpf_object__close() ends it. */
struct bpf_object *dn_object_open(const struct dn_object_kind *k, const struct dn_object_opts *o);

/* No more are opened for now: what was kept for the next one goes. */
void dn_object_opened(void);

/* Whether the running kernel has that way; it may still refuse it. */
bool dn_object_has_way(enum dn_bytes_way way);

/* Leaves all programs out of the load but the one of that name. */
void dn_object_only(struct bpf_object *obj, const char *program);

/* Whether a program is one that is never preempted (bpf/kernel_compat.bpf.h). */
bool dn_object_steady(const char *program);

/* Loads that program of an object alone and attaches it for a moment. 0 or -errno of each; the kernel's
 * words are in dn_object_words() then. */
void dn_object_try(struct bpf_object *obj, const char *program, int *load_err, int *attach_err);

/* Attaches a program of a loaded object; one that takes samples, to the first CPU there is. NULL
 * with errno. */
struct bpf_link *dn_object_attach(struct bpf_object *obj, struct bpf_program *prog);

struct dn_perf_clock;

/* Attaches one that takes samples to a CPU, as dn_perf_sample() has it. NULL with errno, ENODEV where that
 * CPU is off. */
struct bpf_link *dn_object_sample(struct bpf_program *prog, const struct dn_perf_clock *clock, int cpu);
bool dn_object_samples(const struct bpf_program *prog);

/* fd of a loaded object's map, or -1. */
int dn_object_map(struct bpf_object *obj, const char *name);

/* The struct dn_run of a loaded object, mapped; munmap() it. NULL with errno. */
struct dn_run *dn_object_run(struct bpf_object *obj);

/* From now on libbpf's warnings are kept and not printed. */
void dn_object_listen(void);

/* libbpf's first warning since the last look, or the verifier's complaint, on
 * one line; "" where there was none. */
const char *dn_object_words(void);

#endif
