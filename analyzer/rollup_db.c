/*
 * rollup_db.c - rollups as rows.
 *
 * Stats go in sorted by key: inserting in the order of the table is several
 * times faster than any other, and the file comes out the same each time.
 */
#include "rollup_db.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "callstr.h"
#include "db.h"
#include "rollup.h"

static int by_key(const void *a, const void *b)
{
	const struct dn_stat *x = a, *y = b;

	if (x->thread != y->thread)
		return x->thread < y->thread ? -1 : 1;
	if (x->abi != y->abi)
		return x->abi < y->abi ? -1 : 1;
	if (x->nr != y->nr)
		return x->nr < y->nr ? -1 : 1;
	return (x->result > y->result) - (x->result < y->result);
}

static void bind_stat(struct sqlite3_stmt *st, int i, const struct dn_stat *s)
{
	dn_bind_int(st, i, s->abi);
	dn_bind_int(st, i + 1, s->nr);
	dn_bind_int(st, i + 2, s->result);
	dn_bind_int(st, i + 3, (int64_t)s->count);
	dn_bind_int(st, i + 4, (int64_t)s->timed);
	dn_bind_int(st, i + 5, (int64_t)s->total);
	if (s->timed) {
		dn_bind_int(st, i + 6, (int64_t)s->min);
		dn_bind_int(st, i + 7, (int64_t)s->max);
	} else {
		dn_bind_null(st, i + 6);
		dn_bind_null(st, i + 7);
	}
}

#define ADD_STAT                                                                      \
	" ON CONFLICT DO UPDATE SET count = count + excluded.count,"                          \
	" timed = timed + excluded.timed, total = total + excluded.total,"                    \
	" min = min(ifnull(min, excluded.min), ifnull(excluded.min, min)),"                   \
	" max = max(ifnull(max, excluded.max), ifnull(excluded.max, max))"

/* All threads together, counted up in sums. */
static int store_sums(struct dn_db *db, const struct dn_stat_table *sums)
{
	struct sqlite3_stmt *st = dn_db_stmt(db,
		"INSERT INTO raw_result VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)" ADD_STAT);
	int err = st ? 0 : -EIO;

	for (uint32_t i = 0; !err && i < sums->n; i++) {
		dn_bind_int(st, 1, dn_db_trace_id(db));
		bind_stat(st, 2, &sums->stat[i]);
		err = dn_db_run(db, st);
	}
	return err;
}

struct thread_sum {
	uint32_t thread;
	uint64_t calls, errors, total;
};

static int store_thread(struct dn_db *db, struct sqlite3_stmt *st, const struct thread_sum *t)
{
	int64_t trace = dn_db_trace_id(db);

	if (!t->calls)
		return 0;
	dn_bind_int(st, 1, dn_db_id(trace, t->thread));
	dn_bind_int(st, 2, trace);
	dn_bind_int(st, 3, (int64_t)t->calls);
	dn_bind_int(st, 4, (int64_t)t->errors);
	dn_bind_int(st, 5, (int64_t)t->total);
	return dn_db_run(db, st);
}

/* raw_thread_calls of stats that are sorted, and the sums of them. */
static int store_threads(struct dn_db *db, const struct dn_stat_table *t, struct dn_stat_table *sums)
{
	struct sqlite3_stmt *st = dn_db_stmt(db,
		"INSERT INTO raw_thread_calls VALUES (?1, ?2, ?3, ?4, ?5)"
		" ON CONFLICT DO UPDATE SET calls = calls + excluded.calls,"
		" errors = errors + excluded.errors, total = total + excluded.total");
	struct thread_sum sum = { 0 };
	int err = st ? 0 : -EIO;

	for (uint32_t i = 0; !err && i < t->n; i++) {
		const struct dn_stat *s = &t->stat[i];
		struct dn_stat key = *s, *e;

		if (!s->count)
			continue;
		if (s->thread != sum.thread) {
			err = store_thread(db, st, &sum);
			sum = (struct thread_sum){ .thread = s->thread };
		}
		sum.calls += s->count;
		sum.errors += dn_result_is_error(s->result) ? s->count : 0;
		sum.total += s->total;
		key.thread = 0;
		e = dn_stat_get(sums, &key);
		if (!e)
			return -ENOMEM;
		dn_stat_add(e, s);
	}
	return err ? err : store_thread(db, st, &sum);
}

/* Sorting breaks the table's hash: only before it is cleared or freed. */
static int store_stats(struct dn_db *db, struct dn_rollup *r)
{
	struct sqlite3_stmt *st = dn_db_stmt(db,
		"INSERT INTO raw_syscall_stat VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)" ADD_STAT);
	bool errors_only = dn_db_flags(db) & DN_DB_REPORT;
	struct dn_stat_table sums = { 0 };
	int64_t trace = dn_db_trace_id(db);
	int err = st ? 0 : -EIO;

	if (r->stats.n)
		qsort(r->stats.stat, r->stats.n, sizeof(*r->stats.stat), by_key);
	for (uint32_t i = 0; !err && i < r->stats.n; i++) {
		const struct dn_stat *s = &r->stats.stat[i];

		if (!s->count || (errors_only && !dn_result_is_error(s->result)))
			continue;
		dn_bind_int(st, 1, trace);
		dn_bind_int(st, 2, dn_db_id(trace, s->thread));
		bind_stat(st, 3, s);
		err = dn_db_run(db, st);
	}
	if (!err)
		err = store_threads(db, &r->stats, &sums);
	if (!err)
		err = store_sums(db, &sums);
	dn_stat_table_free(&sums);
	return err;
}

struct bucket_row {
	struct dn_db *db;
	struct sqlite3_stmt *st;
};

static int store_bucket(void *ctx, unsigned bucket, uint64_t n)
{
	struct bucket_row *b = ctx;

	dn_bind_int(b->st, 6, bucket);
	dn_bind_int(b->st, 7, (int64_t)n);
	return dn_db_run(b->db, b->st);
}

static int store_hists(struct dn_db *db, struct dn_stat_table *t, bool by_thread)
{
	struct sqlite3_stmt *st = dn_db_stmt(db,
		"INSERT INTO raw_latency VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)");
	struct bucket_row row = { db, st };
	int64_t trace = dn_db_trace_id(db);
	int err = st ? 0 : -EIO;

	for (uint32_t i = 0; !err && i < t->n; i++) {
		const struct dn_stat *s = &t->stat[i];

		if (!s->hist.used)
			continue;
		dn_bind_int(st, 1, trace);
		if (by_thread)
			dn_bind_int(st, 2, dn_db_id(trace, s->thread));
		else
			dn_bind_null(st, 2);
		dn_bind_int(st, 3, s->abi);
		dn_bind_int(st, 4, s->nr);
		dn_bind_int(st, 5, s->result);
		err = dn_hist_each(&s->hist, store_bucket, &row);
	}
	return err;
}

static int store_rate(struct dn_db *db, const struct dn_rate *r)
{
	struct sqlite3_stmt *st = dn_db_stmt(db,
		"INSERT INTO raw_rate VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)");
	int err = st ? 0 : -EIO;

	for (uint32_t i = 0; i < r->used; i++)
		for (int k = 0; !err && k < DN_CATEGORY_MAX; k++) {
			const struct dn_rate_cell *c = &r->cell[i][k];

			if (!c->count)
				continue;
			dn_bind_int(st, 1, dn_db_trace_id(db));
			dn_bind_int(st, 2, (int64_t)(i * r->width));
			dn_bind_int(st, 3, (int64_t)r->width);
			dn_bind_int(st, 4, k);
			dn_bind_int(st, 5, (int64_t)c->count);
			dn_bind_int(st, 6, (int64_t)c->errors);
			dn_bind_int(st, 7, (int64_t)c->total);
			err = dn_db_run(db, st);
		}
	return err;
}

static int store_paths(struct dn_db *db, const struct dn_strstat *s)
{
	struct sqlite3_stmt *st = dn_db_stmt(db,
		"INSERT INTO raw_path VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
		" ON CONFLICT DO UPDATE SET count = count + excluded.count,"
		" total = total + excluded.total, first = min(first, excluded.first),"
		" last = max(last, excluded.last)");
	int err = st ? 0 : -EIO;

	for (uint32_t i = 0; !err && i < s->nrows; i++) {
		const struct dn_strstat_row *r = &s->row[i];

		dn_bind_int(st, 1, dn_db_trace_id(db));
		dn_bind_str(st, 2, dn_strstat_bytes(s, r->string), s->string[r->string].len);
		dn_bind_int(st, 3, r->abi);
		dn_bind_int(st, 4, r->nr);
		dn_bind_int(st, 5, r->result);
		dn_bind_int(st, 6, (int64_t)r->count);
		dn_bind_int(st, 7, (int64_t)r->total);
		dn_bind_int(st, 8, r->first);
		dn_bind_int(st, 9, r->last);
		err = dn_db_run(db, st);
	}
	return err;
}

/* What a Linux socket address says of itself: family into buf or as a literal,
 * *port -1 where it has none. */
static const char *address_family(const char *addr, uint32_t len, char *buf, size_t cap,
				  int *port)
{
	const uint8_t *p = (const uint8_t *)addr;
	unsigned family = len >= 2 ? dn_get16(p) : 0;

	*port = (family == 2 || family == 10) && len >= 4 ? p[2] << 8 | p[3] : -1;
	if (dn_family_name(family))
		return dn_family_name(family);
	snprintf(buf, cap, "family %u", family);
	return buf;
}

static int store_address(struct dn_db *db, struct sqlite3_stmt *st, const struct dn_strstat *s,
			 const struct dn_strstat_row *r, struct dn_callstr_buf *buf)
{
	struct dn_call_str str = { .kind = DN_STR_SOCKADDR, .p = dn_strstat_bytes(s, r->string),
				   .len = s->string[r->string].len };
	int64_t trace = dn_db_trace_id(db);
	const char *text, *family;
	char number[24];
	size_t len;
	int port;

	if (dn_callstr_text(&str, buf, &text, &len))
		return -ENOMEM;
	family = address_family(str.p, str.len, number, sizeof(number), &port);
	dn_bind_int(st, 1, trace);
	dn_bind_int(st, 2, dn_db_id(trace, r->thread));
	dn_bind_blob(st, 3, str.p, str.len);
	dn_bind_int(st, 4, r->abi);
	dn_bind_int(st, 5, r->nr);
	dn_bind_int(st, 6, r->result);
	dn_bind_str(st, 7, family, strlen(family));
	dn_bind_str(st, 8, text, len);
	if (port >= 0)
		dn_bind_int(st, 9, port);
	else
		dn_bind_null(st, 9);
	dn_bind_int(st, 10, (int64_t)r->count);
	dn_bind_int(st, 11, (int64_t)r->total);
	dn_bind_int(st, 12, r->first);
	dn_bind_int(st, 13, r->last);
	return dn_db_run(db, st);
}

static int store_addresses(struct dn_db *db, const struct dn_strstat *s)
{
	struct sqlite3_stmt *st = dn_db_stmt(db,
		"INSERT INTO raw_address VALUES"
		" (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)"
		" ON CONFLICT DO UPDATE SET count = count + excluded.count,"
		" total = total + excluded.total, first = min(first, excluded.first),"
		" last = max(last, excluded.last)");
	struct dn_callstr_buf buf = { 0 };
	int err = st ? 0 : -EIO;

	for (uint32_t i = 0; !err && i < s->nrows; i++)
		err = store_address(db, st, s, &s->row[i], &buf);
	dn_callstr_release(&buf);
	return err;
}

static int store_flows(struct dn_db *db, const struct dn_flows *t)
{
	struct sqlite3_stmt *st = dn_db_stmt(db,
		"INSERT INTO raw_flow VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
		" ON CONFLICT DO UPDATE SET sent = sent + excluded.sent,"
		" received = received + excluded.received, sends = sends + excluded.sends,"
		" receives = receives + excluded.receives, first = min(first, excluded.first),"
		" last = max(last, excluded.last)");
	int64_t trace = dn_db_trace_id(db);
	int err = st ? 0 : -EIO;

	for (uint32_t i = 0; !err && i < t->n; i++) {
		const struct dn_flow *f = &t->row[i];

		dn_bind_int(st, 1, trace);
		dn_bind_int(st, 2, dn_db_id(trace, f->sock));
		dn_bind_int(st, 3, dn_db_id(trace, f->thread));
		dn_bind_int(st, 4, (int64_t)f->sent);
		dn_bind_int(st, 5, (int64_t)f->received);
		dn_bind_int(st, 6, (int64_t)f->sends);
		dn_bind_int(st, 7, (int64_t)f->receives);
		dn_bind_int(st, 8, f->first);
		dn_bind_int(st, 9, f->last);
		err = dn_db_run(db, st);
	}
	return err;
}

static bool half_full(const struct dn_strstat *s)
{
	return dn_strstat_full(s, 0, s->limit / 2);
}

int dn_rollup_spill(struct dn_db *db, struct dn_rollup *r)
{
	int err = 0;

	if (r->stats.n > DN_DETAIL_KEYS) {
		err = store_stats(db, r);
		dn_rollup_clear_stats(r);
	}
	if (!err && half_full(&r->paths)) {
		err = store_paths(db, &r->paths);
		dn_strstat_clear(&r->paths);
	}
	if (!err && half_full(&r->addrs)) {
		err = store_addresses(db, &r->addrs);
		dn_strstat_clear(&r->addrs);
	}
	if (!err && r->flows.n >= DN_FLOW_ROWS) {
		err = store_flows(db, &r->flows);
		dn_flows_clear(&r->flows);
	}
	return err;
}

int dn_rollup_store(struct dn_db *db, struct dn_rollup *r)
{
	int err = 0;

	if (dn_db_flags(db) & DN_DB_REPORT && !r->folded)
		err = dn_rollup_fold(r);
	if (!err)
		err = store_stats(db, r);
	if (!err)
		err = store_hists(db, r->folded ? &r->folds : &r->stats, !r->folded);
	if (!err)
		err = store_rate(db, &r->rate);
	if (!err)
		err = store_paths(db, &r->paths);
	if (!err)
		err = store_addresses(db, &r->addrs);
	if (!err)
		err = store_flows(db, &r->flows);
	return err;
}
