/*
 * probe_int.h - what probe.c (load, attach, detach), probe_stock.c (what is observed
 * how) and probe_end.c (what is asked of the programs) share. Private to them.
 */
#ifndef DN_RECORDER_PROBE_INT_H
#define DN_RECORDER_PROBE_INT_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "object.h"
#include "probe.h"

#define PROGRAMS_MAX 64
#define OBSERVED_MAX 32
#define WHY 320
#define PARTS 34

/* A subject, and the programs that observe it. */
struct subject {
	const char *name;
	const char *program[PARTS];
	bool needed;		/* a rung that cannot do it is of no use */
	const char *without;	/* what the trace lacks then */
	const char *rung;	/* how they are attached; NULL: as the object's others */
};

struct observed {
	const char *name, *rung, *without;
	char reason[2 * WHY];	/* why nothing better; "" where it is the best */
};

struct program {		/* that is attached */
	const char *name;
	const struct subject *subject;
	int fd;
};

struct dn_probe {
	const struct dn_object_kind *kind;
	struct bpf_object *obj;
	struct bpf_link *link[PROGRAMS_MAX];
	struct bpf_link *iter;		/* one of them, or NULL: the map of tasks is walked */
	struct bpf_link *sockets;	/* one of them, or NULL */
	struct bpf_link *take, *take_sockets;	/* to attach with: two of them, or NULL */
	struct bpf_link *names;		/* not one of them: it is asked to the end */
	enum dn_bytes_way bytes;
	char bytes_above[2 * WHY];	/* why the better ways were not taken */
	unsigned nlinks;
	struct dn_run *run;
	struct dn_ring *life;
	struct dn_rings *rings;		/* for whatever rung is taken */
	int cpus;
	struct program prog[PROGRAMS_MAX];
	unsigned nprogs;
	struct observed seen[OBSERVED_MAX];
	unsigned nseen;
	struct bpf_link **sampler;	/* of each CPU, with on_sample, NULL where it is off */
	uint64_t *addresses;	/* of name_addresses, mapped */
	struct dn_mapwatch *maps;
	char maps_why[WHY];	/* why there is none */
	bool strings, hide_setuid, net, offcpu, stacks, symbols, call_stacks, attach;
	bool taken;		/* the tree has its root */
	uint64_t stopped;	/* dn_probe_stop() */
	unsigned freq;
	bool by_cycles;		/* it was asked for */
	uint64_t cycles;	/* that a sample stands for; 0: it stands for a time */
	char cycles_why[WHY];	/* why they are not, though it was asked for; "": they are, or it was not */
	char above[2 * WHY];	/* why the rungs above this one were not taken */
	struct {		/* performance counters: a bit for each enum dn_perf */
		uint32_t asked, open;
		int err[DN_PERF_KINDS];	/* of those that are not open; 0: none of its own */
		char refused[2 * WHY];	/* why the programs do not count; "": they do */
	} perf;
};

/* A program that the kernel refuses, and in which words. */
struct refusal {
	const char *program;
	char why[WHY];
};

static inline bool dn_probe_keeps_hash(const struct dn_object_kind *k)
{
	return !strcmp(k->state, "hash");
}

/* --- loading and attaching ------------------------------------------------------------ */

/* Why a program was refused, of n; NULL: it was not. */
const struct refusal *dn_probe_refused(const struct refusal *r, unsigned n, const char *program);

/* Reads an iterator's records of size bytes each to its end, and hands them to fn. 0, what fn
 * gave other than that, or -errno. */
int dn_probe_iterate(struct bpf_link *iter, size_t size, int (*fn)(void *ctx, const void *record), void *ctx);

/* Nothing is attached any more, but what names addresses. */
void dn_probe_detach(struct dn_probe *p);

/* --- performance counters (probe_perf.c) ---------------------------------------------- */

/* Which of these the machine has: before an object is opened. */
void dn_probe_perf_find(struct dn_probe *p, uint32_t asked);
/* The programs are refused with them; why: the kernel's words. */
void dn_probe_perf_refused(struct dn_probe *p, const char *why);
/* Opens them for the loaded object; what cannot be opened on each CPU is not counted. */
void dn_probe_perf_begin(struct dn_probe *p);
/* Threads that run get what was counted for them until now. */
void dn_probe_perf_settle(struct dn_probe *p);
/* Which of those asked for are not counted, and why; "": all are. */
void dn_probe_perf_reason(const struct dn_probe *p, char *text, size_t size);

/* --- taking stock --------------------------------------------------------------------- */

#define SYSCALLS 0		/* in dn_probe_subjects */
extern const struct subject dn_probe_subjects[];	/* up to one without a name */

/* The first subject of a program; sets *name, if not NULL, to its name as the table
 * has it, which outlives the object. */
const struct subject *dn_probe_subject_of(const char *program, const char **name);

/* Whether anything has a stack: programs that are attached, and the objects that read them. */
bool dn_probe_stacks_seen(const struct dn_probe *p);

/* What was taken for each subject, once all is attached; r: n programs that were refused. */
void dn_probe_take_stock(struct dn_probe *p, const struct refusal *r, unsigned n);

#endif
