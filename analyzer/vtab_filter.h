/*
 * vtab_filter.h - which rows a scan of a virtual table must give at least.
 *
 * What vtab.c and vtab_filter.c share; nobody else includes it. A filter is
 * used by one cursor and does not change while its feed runs.
 */
#ifndef DN_ANALYZER_VTAB_FILTER_H
#define DN_ANALYZER_VTAB_FILTER_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Values a column may have, sorted; `all`: any. */
struct dn_vtab_set {
	bool all;
	size_t n;
	int64_t *v;
};

enum dn_vtab_column {
	DN_VTAB_TRACE,
	DN_VTAB_THREAD,
	DN_VTAB_ABI,
	DN_VTAB_NR,
	DN_VTAB_SETS
};

/* Zero it first; dn_vtab_filter_clear() frees what it holds: everything passes. */
struct dn_vtab_filter {
	int64_t from, to;	/* the time column, inclusive */
	struct dn_vtab_set set[DN_VTAB_SETS];
};

/* xBestIndex but for idxNum. calls: of raw_syscall; time_col: the column that
 * the headers of blocks know, or -1. A result code of SQLite. */
int dn_vtab_plan(sqlite3_index_info *info, bool calls, int time_col);

/* Reads what the plan asked for into a cleared filter. A result code of SQLite. */
int dn_vtab_filter_read(struct dn_vtab_filter *f, const char *plan, int argc,
			sqlite3_value **argv);
void dn_vtab_filter_clear(struct dn_vtab_filter *f);

bool dn_vtab_set_has(const struct dn_vtab_set *s, int64_t v);

#endif
