/*
 * rollup.h - what is counted of the system calls while they are decoded.
 *
 *   stat     by thread, ABI, number and result: count, time, least, most, and
 *            a histogram of the durations
 *   rate     by time bucket and category (rate.h)
 *   paths    by path, ABI, number and result (strstat.h)
 *   addrs    by thread, socket address, ABI, number and result
 *   flows    bytes by thread and socket (flow.h)
 *
 * Each worker thread has a rollup of its own; at the end all are merged into
 * one, and the result does not depend on how many there were or who got which
 * block. Memory is bounded:
 *   - Beyond DN_DETAIL_KEYS keys or DN_DETAIL_BUCKETS buckets in the whole
 *     trace, histograms are kept for all threads together (`folded`). Both
 *     are properties of the trace, so that the outcome stays the same.
 *   - Beyond DN_STAT_KEYS keys, or the limit of a string table, adding fails
 *     with -ENOSPC: store what is there (rollup_db.h), clear it, add again.
 */
#ifndef DN_ANALYZER_ROLLUP_H
#define DN_ANALYZER_ROLLUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flow.h"
#include "hist.h"
#include "rate.h"
#include "record.h"
#include "strstat.h"

#define DN_DETAIL_KEYS (1u << 17)
#define DN_DETAIL_BUCKETS (1u << 18)
#define DN_STAT_KEYS (DN_DETAIL_KEYS + 1024)

/* Results that are neither 0 nor an errno; -512 to -516 stand for themselves. */
#define DN_RESULT_UNFINISHED (-1)
#define DN_RESTART_FIRST (-516)
#define DN_RESTART_LAST (-512)

/* 2.3 years: a longer duration is not one (a forged record); the call counts,
 * its time does not. Sums of what remains fit 63 bits, which SQLite needs. */
#define DN_DUR_MAX (UINT64_C(1) << 56)

struct dn_stat {
	uint32_t thread;	/* 0 in the table of histograms of all threads */
	uint32_t nr;
	int16_t result;		/* 0, errno, or as above */
	uint8_t abi;
	uint8_t category;
	uint32_t fold;		/* index + 1 of its histogram for all threads */
	uint64_t count;
	uint64_t timed;		/* of these, with a duration */
	uint64_t total, min, max;	/* ns, of the timed ones */
	struct dn_hist hist;
};

struct dn_stat_table {
	struct dn_stat *stat;
	uint32_t n, cap;
	uint32_t *slot;		/* index + 1 */
	uint32_t slots;
};

/* The entry of a key (thread, nr, abi, result; its category where it is new).
 * NULL: no memory. Entries move when the table grows. */
struct dn_stat *dn_stat_get(struct dn_stat_table *t, const struct dn_stat *key);

/* Adds counts, not histograms. */
void dn_stat_add(struct dn_stat *to, const struct dn_stat *from);

void dn_stat_table_free(struct dn_stat_table *t);

#define DN_STAT_CACHE 64

struct dn_rollup {
	uint64_t origin;	/* boot clock at time 0 */
	uint64_t calls;
	uint64_t last;		/* boot clock at the end of the last call */
	bool folded;
	uint64_t buckets;	/* in all histograms of `stats` */
	struct dn_stat_table stats;
	struct dn_stat_table folds;	/* histograms of all threads, once folded */
	uint32_t cache[DN_STAT_CACHE];	/* index + 1 of stats used lately */
	struct dn_rate rate;
	struct dn_strstat paths;
	struct dn_strstat addrs;
	struct dn_flows flows;
};

/* limit: bytes each string table may take, at least 4 MiB. NULL with errno. */
struct dn_rollup *dn_rollup_new(uint64_t origin, size_t limit);
void dn_rollup_free(struct dn_rollup *r);

/* Before the calls of each block: addresses of strings mean nothing any more. */
void dn_rollup_new_block(struct dn_rollup *r);

/* Counts one call. 0, -ENOMEM, or -ENOSPC: nothing was counted, make room. */
int dn_rollup_call(struct dn_rollup *r, const struct dn_syscall *s);

/* Counts a row of the event transfer, in the same way. */
int dn_rollup_transfer(struct dn_rollup *r, const struct dn_row *row);

/* Adds all of src, whose rates may grow wider; src is to be freed then. The
 * limits do not hold here. 0 or -ENOMEM (r is of no use then). */
int dn_rollup_merge(struct dn_rollup *r, struct dn_rollup *src);

/* Keeps histograms for all threads together from here on. 0 or -ENOMEM. */
int dn_rollup_fold(struct dn_rollup *r);

/* Forgets `stats` once they are stored; the histograms must be folded. */
void dn_rollup_clear_stats(struct dn_rollup *r);

/* The result of a call as struct dn_stat keeps it. */
int16_t dn_call_result(const struct dn_syscall *s);

static inline bool dn_result_is_error(int result)
{
	return result > 0;
}

#endif
