/*
 * vtab_filter.c - from terms of a WHERE to what a scan may leave out.
 *
 * xBestIndex writes its plan into idxStr as one letter for each argument that
 * xFilter will get, in order:
 *
 *   t T  trace_id =, IN       h H  thread =, IN
 *   a A  abi =, IN            n N  nr =, IN
 *   = < l > g                 the time column against a number
 *
 * Everything pushed down only leaves rows out; SQLite tests every term again
 * (omit is not set), so that an odd value, a REAL or a text, can simply be
 * ignored here.
 *
 * IN needs sqlite3_vtab_in() (SQLite 3.38): without it SQLite would run the
 * whole scan once for each value.
 */
#include "vtab_filter.h"

#include <stdlib.h>
#include <string.h>

#include "events.h"

#define PLAN_MAX 32		/* terms of a plan; more are left to SQLite */

#define COL_THREAD (1 + DN_F_syscall_thread)
#define COL_ABI (1 + DN_F_syscall_abi)
#define COL_NR (1 + DN_F_syscall_nr)

/* --- the plan ----------------------------------------------------------------- */

static bool can_in(void)
{
#if SQLITE_VERSION_NUMBER >= 3038000
	return sqlite3_libversion_number() >= 3038000;
#else
	return false;
#endif
}

/* The letter of a term, or 0 where it is of no use. */
static char letter(bool calls, int time_col, const struct sqlite3_index_constraint *c)
{
	if (c->op == SQLITE_INDEX_CONSTRAINT_EQ) {
		if (c->iColumn == 0)
			return 't';
		if (calls && c->iColumn == COL_THREAD)
			return 'h';
		if (calls && c->iColumn == COL_ABI)
			return 'a';
		if (calls && c->iColumn == COL_NR)
			return 'n';
	}
	if (c->iColumn != time_col || time_col < 0)
		return 0;
	switch (c->op) {
	case SQLITE_INDEX_CONSTRAINT_EQ:
		return '=';
	case SQLITE_INDEX_CONSTRAINT_LT:
		return '<';
	case SQLITE_INDEX_CONSTRAINT_LE:
		return 'l';
	case SQLITE_INDEX_CONSTRAINT_GT:
		return '>';
	case SQLITE_INDEX_CONSTRAINT_GE:
		return 'g';
	}
	return 0;
}

static bool is_in(sqlite3_index_info *info, int i, bool take)
{
#if SQLITE_VERSION_NUMBER >= 3038000
	return can_in() && sqlite3_vtab_in(info, i, take ? 1 : -1);
#else
	(void)info;
	(void)i;
	(void)take;
	return false;
#endif
}

int dn_vtab_plan(sqlite3_index_info *info, bool calls, int time_col)
{
	/* Every scan reads the file; terms spare rows and some blocks. Only the
	 * relations between these figures count. */
	double rows = calls ? 1e6 : 1e4, cost = 4e5;
	char plan[PLAN_MAX + 1];
	int n = 0;

	for (int i = 0; i < info->nConstraint && n < PLAN_MAX; i++) {
		const struct sqlite3_index_constraint *c = &info->aConstraint[i];
		char l = letter(calls, time_col, c);

		if (!c->usable || !l)
			continue;
		if (is_in(info, i, false)) {
			if (!strchr("than", l))
				continue;
			is_in(info, i, true);
			l = (char)(l - 'a' + 'A');
		}
		plan[n++] = l;
		info->aConstraintUsage[i].argvIndex = n;
		if (strchr("=", l))
			rows /= 1000, cost /= 10;
		else if (strchr("<l>gtT", l))
			rows /= 2, cost /= 1.5;
		else
			rows /= 10, cost /= 1.2;
	}
	plan[n] = '\0';
	info->estimatedRows = rows < 1 ? 1 : (sqlite3_int64)rows;
	info->estimatedCost = cost + rows;
	info->idxStr = sqlite3_mprintf("%s", plan);
	info->needToFreeIdxStr = 1;
	return info->idxStr ? SQLITE_OK : SQLITE_NOMEM;
}

/* --- the filter --------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

bool dn_vtab_set_has(const struct dn_vtab_set *s, int64_t v)
{
	size_t lo = 0, hi = s->n;

	if (s->all)
		return true;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (s->v[mid] < v)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < s->n && s->v[lo] == v;
}

/* Adds a value to a list; one that is no integer makes the list useless. */
static int list_add(struct dn_vtab_set *l, sqlite3_value *value)
{
	if (sqlite3_value_numeric_type(value) != SQLITE_INTEGER) {
		/* NULL equals nothing. 5.0 or a text is SQLite's business. */
		if (sqlite3_value_type(value) != SQLITE_NULL)
			l->all = true;
		return SQLITE_OK;
	}
	if (!(l->n & (l->n - 1))) {	/* 0 and powers of two */
		int64_t *p = sqlite3_realloc64(l->v, (l->n ? 2 * l->n : 1) * sizeof(*p));

		if (!p)
			return SQLITE_NOMEM;
		l->v = p;
	}
	l->v[l->n++] = sqlite3_value_int64(value);
	return SQLITE_OK;
}

/* The set becomes what is in both it and the list; the list is used up. */
static void set_and(struct dn_vtab_set *s, struct dn_vtab_set *l)
{
	size_t n = 0;

	if (l->all) {
		sqlite3_free(l->v);
		return;
	}
	if (l->n)
		qsort(l->v, l->n, sizeof(*l->v), compare);
	for (size_t i = 0; i < l->n; i++)
		if (dn_vtab_set_has(s, l->v[i]))
			l->v[n++] = l->v[i];
	l->n = n;
	if (!s->all)
		sqlite3_free(s->v);
	*s = *l;
}

static int filter_set(struct dn_vtab_set *s, bool in, sqlite3_value *arg)
{
	struct dn_vtab_set list = { .all = false };
	int rc;

#if SQLITE_VERSION_NUMBER >= 3038000
	if (in) {
		sqlite3_value *v;

		for (rc = sqlite3_vtab_in_first(arg, &v); rc == SQLITE_OK && v;
		     rc = sqlite3_vtab_in_next(arg, &v)) {
			rc = list_add(&list, v);
			if (rc)
				break;
		}
		if (rc == SQLITE_DONE)
			rc = SQLITE_OK;
	} else
#endif
		rc = list_add(&list, arg);
	(void)in;
	if (rc)
		sqlite3_free(list.v);
	else
		set_and(s, &list);
	return rc;
}

/* Narrows [from, to] by one term; a REAL only where it is in range. */
static void filter_time(struct dn_vtab_filter *f, char op, sqlite3_value *arg)
{
	int64_t lo, hi;		/* the whole numbers below and above the value */
	bool whole = true;

	if (sqlite3_value_numeric_type(arg) == SQLITE_INTEGER) {
		lo = hi = sqlite3_value_int64(arg);
	} else if (sqlite3_value_numeric_type(arg) == SQLITE_FLOAT) {
		double d = sqlite3_value_double(arg);

		if (!(d > -9e18 && d < 9e18))
			return;
		lo = hi = (int64_t)d;
		whole = (double)lo == d;
		if (!whole && d < 0)
			lo--;
		else if (!whole)
			hi++;
	} else {
		return;
	}
	if (op == '<' && whole && lo > INT64_MIN)
		lo--;
	if (op == '>' && whole && hi < INT64_MAX)
		hi++;
	if (strchr("<l=", op) && lo < f->to)
		f->to = lo;
	if (strchr(">g=", op) && hi > f->from)
		f->from = hi;
}

void dn_vtab_filter_clear(struct dn_vtab_filter *f)
{
	for (int i = 0; i < DN_VTAB_SETS; i++) {
		if (!f->set[i].all)
			sqlite3_free(f->set[i].v);
		f->set[i] = (struct dn_vtab_set){ .all = true };
	}
	f->from = INT64_MIN;
	f->to = INT64_MAX;
}

int dn_vtab_filter_read(struct dn_vtab_filter *f, const char *plan, int argc,
			sqlite3_value **argv)
{
	static const char sets[] = "than";	/* enum dn_vtab_column */
	int rc = SQLITE_OK;

	for (int i = 0; i < argc && !rc; i++) {
		bool in = plan[i] >= 'A' && plan[i] <= 'Z';
		const char *p = strchr(sets, in ? plan[i] - 'A' + 'a' : plan[i]);

		if (p)
			rc = filter_set(&f->set[p - sets], in, argv[i]);
		else
			filter_time(f, plan[i], argv[i]);
	}
	return rc;
}
