/*
 * vtab.c - virtual tables over the feeds of traces.
 *
 * One sqlite3_module serves all events; the table's context says which. A
 * cursor walks trace by trace, and in each the chunks of a feed.
 *
 * What is pushed down, and how it is written into a plan, is in vtab_filter.c.
 */
#include "vtab.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "callstr.h"
#include "db.h"
#include "events.h"
#include "feed.h"
#include "reader.h"
#include "shell_quote.h"
#include "utf8.h"
#include "vtab_filter.h"

#define PLAN_STRINGS 1		/* idxNum: strings of the calls are wanted */

/* Columns of raw_syscall behind the fields of the event. */
enum {
	COL_STR = 1 + DN_F_syscall_N,
	COL_STR_FLAGS = COL_STR + DN_CALLSTR_N,
};

#define COL_COMMAND (1 + DN_F_exec_N)

/* What all tables of a registration share. */
struct shared {
	unsigned refs;
	uint64_t *damaged;
	size_t ntraces;
	struct dn_vtab_trace trace[];
};

/* One table: the context of its module. */
struct module {
	struct shared *shared;
	unsigned event;
};

struct table {
	sqlite3_vtab base;
	const struct module *m;
	int time_col;		/* column that can be pushed down, or -1 */
};

struct cursor {
	sqlite3_vtab_cursor base;
	struct dn_feed *feed;
	const struct dn_feed_chunk *chunk;
	uint32_t i;		/* row of the chunk */
	size_t trace;		/* index into shared->trace */
	bool strings, eof;
	int64_t trace_id;
	uint64_t origin;
	uint64_t damaged;	/* of feed, already counted */
	struct dn_vtab_filter filter;
	struct dn_callstr_buf buf;
};

static int fail(sqlite3_vtab *vt, int err)
{
	if (err == -ENOMEM)
		return SQLITE_NOMEM;
	sqlite3_free(vt->zErrMsg);
	vt->zErrMsg = sqlite3_mprintf("reading the trace failed: %s", strerror(-err));
	return vt->zErrMsg ? SQLITE_IOERR : SQLITE_NOMEM;
}

/* --- the table ---------------------------------------------------------------- */

static char *declaration(unsigned event)
{
	const struct dn_event_desc *d = dn_event_desc(event);
	sqlite3_str *s = sqlite3_str_new(NULL);

	sqlite3_str_appendall(s, "CREATE TABLE x(trace_id INTEGER");
	for (unsigned i = 0; i < d->nfields; i++)
		sqlite3_str_appendf(s, ", \"%w\"%s", d->field[i].name,
				    d->field[i].type == DN_STR ? "" : " INTEGER");
	if (event == DN_EV_syscall)
		sqlite3_str_appendall(s, ", path, path2, text, sockaddr, argv, str_flags INTEGER");
	if (event == DN_EV_exec)
		sqlite3_str_appendall(s, ", command");
	sqlite3_str_appendall(s, ")");
	return sqlite3_str_finish(s);
}

static int x_connect(sqlite3 *db, void *aux, int argc, const char *const *argv, sqlite3_vtab **out,
		     char **errmsg)
{
	const struct module *m = aux;
	struct table *t = NULL;
	char *sql = declaration(m->event);
	int rc = SQLITE_NOMEM;

	(void)argc;
	(void)argv;
	(void)errmsg;
	if (!sql)
		goto out;
	rc = sqlite3_declare_vtab(db, sql);
	if (rc)
		goto out;
	/* Views may use it when schemas are not trusted; it reads nothing but
	 * what its registration was given. */
	sqlite3_vtab_config(db, SQLITE_VTAB_INNOCUOUS);
	rc = SQLITE_NOMEM;
	t = sqlite3_malloc(sizeof(*t));
	if (!t)
		goto out;
	memset(t, 0, sizeof(*t));
	t->m = m;
	t->time_col = -1;
	if (m->event == DN_EV_syscall)
		t->time_col = 1 + DN_F_syscall_start;
	else if (dn_event_desc(m->event)->field[0].type == DN_TIME)
		t->time_col = 1;	/* the headers of blocks know this one only */
	*out = &t->base;
	rc = SQLITE_OK;
out:
	sqlite3_free(sql);
	return rc;
}

static int x_disconnect(sqlite3_vtab *vt)
{
	sqlite3_free(vt);
	return SQLITE_OK;
}

static int x_best_index(sqlite3_vtab *vt, sqlite3_index_info *info)
{
	const struct table *t = (const struct table *)vt;
	bool calls = t->m->event == DN_EV_syscall;

	/* bit 63 stands for every column from there on; we have fewer */
	if (calls && info->colUsed >> COL_STR)
		info->idxNum |= PLAN_STRINGS;
	return dn_vtab_plan(info, calls, t->time_col);
}

/* --- the cursor --------------------------------------------------------------- */

static void cursor_reset(struct cursor *c)
{
	dn_feed_close(c->feed);
	c->feed = NULL;
	c->chunk = NULL;
	dn_vtab_filter_clear(&c->filter);
	c->eof = false;
	c->i = 0;
	c->trace = 0;
}

/* On the feed's thread: the sets do not change while it lives. */
static bool keep(const void *ctx, const struct dn_syscall *s)
{
	const struct cursor *c = ctx;
	const struct dn_vtab_set *set = c->filter.set;

	return dn_vtab_set_has(&set[DN_VTAB_NR], s->nr) &&
	       dn_vtab_set_has(&set[DN_VTAB_ABI], s->abi) &&
	       dn_vtab_set_has(&set[DN_VTAB_THREAD], dn_db_id(c->trace_id, s->thread));
}

/* A time of the table on the boot clock, within the range of the clock. */
static uint64_t boot_time(uint64_t origin, int64_t t)
{
	uint64_t u = t < 0 ? -(uint64_t)t : (uint64_t)t;

	if (t < 0)
		return u > origin ? 0 : origin - u;
	return u > UINT64_MAX - origin ? UINT64_MAX : origin + u;
}

static int open_feed(struct cursor *c)
{
	const struct table *t = (const struct table *)c->base.pVtab;
	const struct dn_vtab_trace *trace = &t->m->shared->trace[c->trace];
	const struct dn_vtab_filter *f = &c->filter;
	struct dn_feed_spec spec = {
		.reader = trace->reader,
		.event = t->m->event,
		.strings = c->strings,
		.ctx = c,
	};

	c->trace_id = trace->trace_id;
	c->origin = trace->origin;
	c->damaged = 0;
	spec.from = f->from == INT64_MIN ? 0 : boot_time(c->origin, f->from);
	spec.to = f->to == INT64_MAX ? UINT64_MAX : boot_time(c->origin, f->to);
	if (!f->set[DN_VTAB_NR].all || !f->set[DN_VTAB_ABI].all || !f->set[DN_VTAB_THREAD].all)
		spec.keep = keep;
	return dn_feed_open(&spec, &c->feed);
}

static void count_damage(struct cursor *c)
{
	const struct table *t = (const struct table *)c->base.pVtab;
	uint64_t n = dn_feed_damaged(c->feed);

	if (t->m->shared->damaged)
		*t->m->shared->damaged += n - c->damaged;
	c->damaged = n;
}

/* Puts the cursor on the first row of the next chunk, of the next trace. */
static int next_chunk(struct cursor *c)
{
	const struct table *t = (const struct table *)c->base.pVtab;
	const struct shared *sh = t->m->shared;
	const struct dn_vtab_set *traces = &c->filter.set[DN_VTAB_TRACE];
	int ret;

	c->i = 0;
	c->chunk = NULL;
	for (; c->trace < sh->ntraces; c->trace++) {
		if (!c->feed && (!dn_vtab_set_has(traces, sh->trace[c->trace].trace_id) ||
				 c->filter.from > c->filter.to))
			continue;
		ret = c->feed ? 0 : open_feed(c);
		if (!ret)
			ret = dn_feed_next(c->feed, &c->chunk);
		if (c->feed)
			count_damage(c);
		if (ret > 0)
			return SQLITE_OK;
		dn_feed_close(c->feed);
		c->feed = NULL;
		if (ret < 0)
			return fail(c->base.pVtab, ret);
	}
	c->eof = true;
	return SQLITE_OK;
}

static int x_open(sqlite3_vtab *vt, sqlite3_vtab_cursor **out)
{
	struct cursor *c = sqlite3_malloc(sizeof(*c));

	(void)vt;
	if (!c)
		return SQLITE_NOMEM;
	memset(c, 0, sizeof(*c));
	*out = &c->base;
	return SQLITE_OK;
}

static int x_close(sqlite3_vtab_cursor *vc)
{
	struct cursor *c = (struct cursor *)vc;

	cursor_reset(c);
	dn_callstr_release(&c->buf);
	sqlite3_free(c);
	return SQLITE_OK;
}

static int x_filter(sqlite3_vtab_cursor *vc, int num, const char *plan, int argc,
		    sqlite3_value **argv)
{
	struct cursor *c = (struct cursor *)vc;
	int rc;

	cursor_reset(c);
	c->strings = num & PLAN_STRINGS;
	rc = dn_vtab_filter_read(&c->filter, plan, argc, argv);
	return rc ? rc : next_chunk(c);
}

static int x_next(sqlite3_vtab_cursor *vc)
{
	struct cursor *c = (struct cursor *)vc;

	if (++c->i < c->chunk->rows)
		return SQLITE_OK;
	return next_chunk(c);
}

static int x_eof(sqlite3_vtab_cursor *vc)
{
	return ((struct cursor *)vc)->eof;
}

/* --- rows --------------------------------------------------------------------- */

void dn_vtab_result_str(sqlite3_context *ctx, const char *p, size_t len)
{
	if (dn_utf8_text(p, len))
		sqlite3_result_text64(ctx, len ? p : "", len, SQLITE_TRANSIENT, SQLITE_UTF8);
	else
		sqlite3_result_blob64(ctx, p, len, SQLITE_TRANSIENT);
}

static int call_string(struct cursor *c, const struct dn_feed_call *s, sqlite3_context *ctx,
		       enum dn_callstr which)
{
	const struct dn_call_str *str = dn_callstr_find(s->str, s->nstr, which);
	const char *p;
	size_t len;

	if (!str)
		return SQLITE_OK;
	if (dn_callstr_text(str, &c->buf, &p, &len))
		return SQLITE_NOMEM;
	dn_vtab_result_str(ctx, p, len);
	return SQLITE_OK;
}

static int call_column(struct cursor *c, sqlite3_context *ctx, int col)
{
	const struct dn_feed_call *s = &c->chunk->call[c->i];
	int64_t v;

	switch (col - 1) {
	case DN_F_syscall_thread:
		v = dn_db_id(c->trace_id, s->thread);
		break;
	case DN_F_syscall_seq:
		v = s->seq;
		break;
	case DN_F_syscall_cpu:
		v = s->cpu;
		break;
	case DN_F_syscall_abi:
		v = s->abi;
		break;
	case DN_F_syscall_nr:
		v = s->nr;
		break;
	case DN_F_syscall_start:
		if (!dn_feed_has_start(s))
			return SQLITE_OK;
		v = (int64_t)(s->start - c->origin);
		break;
	case DN_F_syscall_dur:
		if (!dn_feed_has_dur(s))
			return SQLITE_OK;
		v = (int64_t)s->dur;
		break;
	case DN_F_syscall_ret:
		if (!dn_feed_has_ret(s))
			return SQLITE_OK;
		v = s->ret;
		break;
	case DN_F_syscall_flags:
		v = s->flags;
		break;
	case DN_F_syscall_arg0 ... DN_F_syscall_arg5:
		if (col - 1 - DN_F_syscall_arg0 >= s->nargs)
			return SQLITE_OK;
		v = (int64_t)s->args[col - 1 - DN_F_syscall_arg0];
		break;
	case COL_STR - 1 ... COL_STR + DN_CALLSTR_N - 2:
		return s->nstr ? call_string(c, s, ctx, (enum dn_callstr)(col - COL_STR)) :
				 SQLITE_OK;
	case COL_STR_FLAGS - 1:
		if (!s->nstr)
			return SQLITE_OK;
		v = dn_callstr_flags(s->str, s->nstr);
		break;
	default:
		v = c->trace_id;
		break;
	}
	sqlite3_result_int64(ctx, v);
	return SQLITE_OK;
}

static int event_column(struct cursor *c, sqlite3_context *ctx, int col)
{
	const struct table *t = (const struct table *)c->base.pVtab;
	const struct dn_event_desc *d = dn_event_desc(t->m->event);
	const struct dn_value *v = c->chunk->value + (size_t)c->i * c->chunk->nfields;
	struct dn_call_str argv = { .kind = DN_STR_ARGV };
	const char *p;
	size_t len;

	if (col == 0) {
		sqlite3_result_int64(ctx, c->trace_id);
		return SQLITE_OK;
	}
	if (t->m->event == DN_EV_exec && col == COL_COMMAND) {
		if (v[DN_F_exec_argv].null)
			return SQLITE_OK;
		argv.p = v[DN_F_exec_argv].p;
		argv.len = v[DN_F_exec_argv].len;
		if (dn_callstr_text(&argv, &c->buf, &p, &len))
			return SQLITE_NOMEM;
		dn_vtab_result_str(ctx, p, len);
		return SQLITE_OK;
	}
	v += col - 1;
	if (v->null)
		return SQLITE_OK;
	switch (d->field[col - 1].type) {
	case DN_TIME:
		sqlite3_result_int64(ctx, (int64_t)(v->u - c->origin));
		break;
	case DN_STR:
		dn_vtab_result_str(ctx, v->p, v->len);
		break;
	default:
		sqlite3_result_int64(ctx, strcmp(d->field[col - 1].unit, "id") ? (int64_t)v->u :
					  dn_db_id(c->trace_id, (uint32_t)v->u));
	}
	return SQLITE_OK;
}

static int x_column(sqlite3_vtab_cursor *vc, sqlite3_context *ctx, int col)
{
	struct cursor *c = (struct cursor *)vc;

	return c->chunk->call ? call_column(c, ctx, col) : event_column(c, ctx, col);
}

/* Trace, block and row: 15, 28 and 20 bits, as format_limits.h and db.h have them. */
static int x_rowid(sqlite3_vtab_cursor *vc, sqlite3_int64 *id)
{
	const struct cursor *c = (const struct cursor *)vc;
	uint32_t row = c->chunk->call ? c->chunk->call[c->i].row : c->chunk->first_row + c->i;

	*id = (int64_t)((uint64_t)c->trace << 48 | (uint64_t)c->chunk->block << 20 | row);
	return SQLITE_OK;
}

/* --- registration ------------------------------------------------------------- */

static void module_free(void *p)
{
	struct module *m = p;

	if (!--m->shared->refs)
		free(m->shared);
	free(m);
}

int dn_vtab_register(sqlite3 *db, const struct dn_vtab_options *o)
{
	/* No xCreate: the table is there by its name and cannot be made. */
	static const sqlite3_module methods = {
		.iVersion = 1,
		.xConnect = x_connect,
		.xBestIndex = x_best_index,
		.xDisconnect = x_disconnect,
		.xOpen = x_open,
		.xClose = x_close,
		.xFilter = x_filter,
		.xNext = x_next,
		.xEof = x_eof,
		.xColumn = x_column,
		.xRowid = x_rowid,
	};
	struct shared *sh = calloc(1, sizeof(*sh) + o->ntraces * sizeof(sh->trace[0]));
	int err = sh ? 0 : -ENOMEM;

	if (!sh)
		return -ENOMEM;
	sh->refs = 1;
	sh->damaged = o->damaged;
	sh->ntraces = o->ntraces;
	if (o->ntraces)
		memcpy(sh->trace, o->trace, o->ntraces * sizeof(sh->trace[0]));
	for (unsigned id = 0; id < DN_EV_MAX && !err; id++) {
		const struct dn_event_desc *d = dn_event_desc(id);
		struct module *m;
		char *name;

		if (!d)
			continue;
		m = malloc(sizeof(*m));
		name = sqlite3_mprintf("%s%s", o->prefix, d->name);
		if (!m || !name) {
			free(m);
			err = -ENOMEM;
		} else {
			*m = (struct module){ .shared = sh, .event = id };
			sh->refs++;
			/* frees m itself when it fails */
			if (sqlite3_create_module_v2(db, name, &methods, m, module_free))
				err = -ENOMEM;
		}
		sqlite3_free(name);
	}
	if (!--sh->refs)
		free(sh);
	return err;
}

void dn_vtab_unregister(sqlite3 *db, const char *prefix)
{
	for (unsigned id = 0; id < DN_EV_MAX; id++) {
		const struct dn_event_desc *d = dn_event_desc(id);
		char *name = d ? sqlite3_mprintf("%s%s", prefix, d->name) : NULL;

		if (name)	/* no methods: the module is removed */
			sqlite3_create_module_v2(db, name, NULL, NULL, NULL);
		sqlite3_free(name);
	}
}
