/*
 * perfcount.h - performance counters: their names, the perf events that count or sample, and what
 * they counted as rows.
 *
 * A counter is one of enum dn_perf, a set of them a bit for each. Constant data but for what the
 * kernel is asked; any thread.
 */
#ifndef DN_RECORDER_PERFCOUNT_H
#define DN_RECORDER_PERFCOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "enums.h"
#include "record.h"
#include "ring_event.h"

/* Those of the CPU itself. */
enum {
#define HARDWARE 1
#define SOFTWARE 0
#define PERF(value, id, name, type, config, doc) + type * (1 << (value))
	DN_PERF_HARDWARE = DN_PERF_TABLE(PERF)
#undef PERF
#undef SOFTWARE
#undef HARDWARE
};

/* The counter of that name (n bytes) as perf(1) has it; -1: there is none. */
int dn_perf_find(const char *name, size_t n);
const char *dn_perf_name(unsigned kind);

/* A counter that counts all that runs on a CPU, from now until nobody has it open: fd, or -errno;
 * -ENODEV where that CPU is off. */
int dn_perf_open(unsigned kind, int cpu);

/* When a CPU takes samples. */
struct dn_perf_clock {
	uint64_t cycles;	/* after so many of its own; 0: by time, */
	unsigned freq;		/* so often a second */
};

/* An event of all that runs on a CPU. fd, or -errno as above. */
int dn_perf_sample(const struct dn_perf_clock *clock, int cpu);

/* Cycles a second of the CPU we are on, busy for 2 ms. 0 or -errno: they cannot be counted. */
int dn_perf_cycle_rate(uint64_t *rate);

/* Which of these can be opened on the CPU we are on; of each that cannot err[] has -errno, else 0. */
uint32_t dn_perf_try(uint32_t kinds, int err[DN_PERF_KINDS]);

/* Why one cannot be opened, of these that were tried: words without an end. */
const char *dn_perf_why(uint32_t kinds, const int err[DN_PERF_KINDS], unsigned kind);

/* A row for each of these counters that counted for the thread. 0 or -errno of the sink. */
int dn_perf_rows(const struct dn_sink *sink, const struct dn_ring_perf *r, uint32_t kinds);

#endif
