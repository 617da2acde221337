/*
 * db_schema.c - the tables, what stands in them from the beginning, the views.
 *
 * Tables of events come out of schema/events.def, the others and the views
 * out of schema/ *.sql, which the build embeds (analyzer/schema_sql.h).
 */
#include "db.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "callstr.h"
#include "demangle.h"
#include "events.h"
#include "human.h"
#include "names.h"
#include "schema_sql.h"
#include "syscalls.h"

/* Columns of raw_syscall behind the fields, as analyzer/vtab.h has them. */
static const char call_columns[] =
	", path ANY, path2 ANY, text ANY, sockaddr ANY, argv ANY, str_flags INTEGER";

static void add_columns(sqlite3_str *s, const struct dn_event_desc *d, bool types)
{
	for (unsigned i = 0; i < d->nfields; i++) {
		sqlite3_str_appendf(s, ", \"%w\"", d->field[i].name);
		if (types)
			sqlite3_str_appendall(s, d->field[i].type == DN_STR ? " ANY" : " INTEGER");
	}
}

int dn_db_argv_field(unsigned event)
{
	return event == DN_EV_exec ? DN_F_exec_argv : event == DN_EV_process_state ? DN_F_process_state_argv : -1;
}

static char *create_sql(unsigned event, const struct dn_event_desc *d)
{
	sqlite3_str *s = sqlite3_str_new(NULL);

	sqlite3_str_appendf(s, "CREATE TABLE raw_%s (trace_id INTEGER NOT NULL", d->name);
	add_columns(s, d, true);
	if (dn_db_argv_field(event) >= 0)
		sqlite3_str_appendall(s, ", command ANY");
	if (event == DN_EV_syscall)
		sqlite3_str_appendall(s, call_columns);
	sqlite3_str_appendall(s, ") STRICT");
	return sqlite3_str_finish(s);
}

char *dn_db_insert_sql(unsigned event)
{
	const struct dn_event_desc *d = dn_event_desc(event);
	unsigned values = d ? d->nfields + (dn_db_argv_field(event) >= 0) : 0;
	sqlite3_str *s;
	char *sql, *copy;

	if (!d || event == DN_EV_syscall)
		return NULL;
	s = sqlite3_str_new(NULL);
	sqlite3_str_appendf(s, "INSERT INTO raw_%s (rowid, trace_id", d->name);
	add_columns(s, d, false);
	sqlite3_str_appendall(s, dn_db_argv_field(event) >= 0 ? ", command) VALUES (?, ?" : ") VALUES (?, ?");
	for (unsigned i = 0; i < values; i++)
		sqlite3_str_appendall(s, ", ?");
	sqlite3_str_appendall(s, ")");
	sql = sqlite3_str_finish(s);
	copy = sql ? strdup(sql) : NULL;
	sqlite3_free(sql);
	return copy;
}

static int exec(sqlite3 *h, const char *sql)
{
	return sqlite3_exec(h, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : -EIO;
}

int dn_db_script(sqlite3 *h, const char *sql, int64_t trace_id)
{
	while (*sql) {
		sqlite3_stmt *st;
		int ret;

		if (sqlite3_prepare_v2(h, sql, -1, &st, &sql) != SQLITE_OK)
			return -EIO;
		if (!st)	/* a comment at the end */
			continue;
		if (sqlite3_bind_parameter_count(st))
			sqlite3_bind_int64(st, 1, trace_id);
		while ((ret = sqlite3_step(st)) == SQLITE_ROW)
			;
		if (sqlite3_finalize(st) != SQLITE_OK || ret != SQLITE_DONE)
			return -EIO;
	}
	return 0;
}

int dn_db_derive(sqlite3 *h, int64_t trace_id)
{
	return dn_db_script(h, dn_derive_sql, trace_id);
}

int dn_db_find(sqlite3 *h, int64_t trace_id)
{
	return dn_db_script(h, dn_findings_sql, trace_id);
}

/* --- dimensions ---------------------------------------------------------- */

/* INSERT INTO table VALUES (...), a letter for each value: i int, s string or NULL. */
static int insert(sqlite3 *h, const char *table, const char *types, ...)
{
	sqlite3_str *s = sqlite3_str_new(h);
	va_list ap;
	char *sql;
	int err;

	sqlite3_str_appendf(s, "INSERT INTO raw_%s VALUES (", table);
	va_start(ap, types);
	for (const char *t = types; *t; t++) {
		if (t != types)
			sqlite3_str_appendall(s, ", ");
		if (*t == 'i')
			sqlite3_str_appendf(s, "%d", va_arg(ap, int));
		else
			sqlite3_str_appendf(s, "%Q", va_arg(ap, const char *));
	}
	va_end(ap);
	sqlite3_str_appendall(s, ")");
	sql = sqlite3_str_finish(s);
	err = sql ? exec(h, sql) : -ENOMEM;
	sqlite3_free(sql);
	return err;
}

/* The argument of a call that is a descriptor; 6: its result; -1: none. A
 * directory that a path may start from comes last. */
static int fd_argument(const struct dn_syscall_info *info)
{
	int arg = dn_syscall_fd_arg(info);

	if (info->ret == DN_KIND_FD && (arg < 0 || info->arg[arg].kind == DN_KIND_DIRFD))
		return 6;
	return arg;
}

static int insert_call(sqlite3_stmt *st, unsigned abi, uint32_t nr, const struct dn_syscall_info *info)
{
	int fd = fd_argument(info);

	sqlite3_bind_int(st, 1, (int)abi);
	sqlite3_bind_int64(st, 2, nr);
	sqlite3_bind_text(st, 3, info->name, -1, SQLITE_STATIC);
	sqlite3_bind_int(st, 4, info->category);
	if (fd < 0)
		sqlite3_bind_null(st, 5);
	else
		sqlite3_bind_int(st, 5, fd);
	sqlite3_step(st);
	return sqlite3_reset(st) == SQLITE_OK ? 0 : -EIO;
}

/* Numbers above the tables: the private calls of arm (asm/unistd.h). */
#define ARM_PRIVATE 0x0f0000u
#define ARM_PRIVATE_END 0x0f0010u

static int fill_calls(sqlite3 *h)
{
	sqlite3_stmt *st;
	int err = 0;

	if (sqlite3_prepare_v2(h, "INSERT INTO raw_syscall_name VALUES (?, ?, ?, ?, ?)", -1, &st,
			       NULL) != SQLITE_OK)
		return -EIO;
	for (unsigned abi = 0; !err && abi < DN_ABI_MAX; abi++) {
		uint32_t end = dn_syscall_end(abi);

		for (uint32_t nr = 0; !err && nr < ARM_PRIVATE_END; nr++) {
			const struct dn_syscall_info *info;

			if (nr >= end && nr < ARM_PRIVATE)
				nr = ARM_PRIVATE;
			info = dn_syscall_info(abi, nr);
			if (info)
				err = insert_call(st, abi, nr, info);
		}
	}
	sqlite3_finalize(st);
	return err;
}

static int fill_dimensions(sqlite3 *h)
{
	static const char *const kinds[] = { "total", "loss", "doubt" };
	static const struct { int value; const char *name; } origins[] = {
#define ORIGIN(value, id, name, doc) { value, name },
		DN_ORIGIN_TABLE(ORIGIN)
#undef ORIGIN
	}, sock_origins[] = {
#define MADE(value, id, name, doc) { value, name },
		DN_SOCK_ORIGIN_TABLE(MADE)
#undef MADE
	}, sock_events[] = {
#define HAPPENS(value, id, name, doc) { value, name },
		DN_SOCK_EVENT_TABLE(HAPPENS)
#undef HAPPENS
	}, off_states[] = {
#define OFF(value, id, name, doc) { value, name },
		DN_OFF_STATE_TABLE(OFF)
#undef OFF
	}, perf_kinds[] = {
#define PERF(value, id, name, type, config, doc) { value, name },
		DN_PERF_TABLE(PERF)
#undef PERF
	}, code_kinds[] = {
#define CODE(value, id, name, doc) { value, name },
		DN_CODE_KIND_TABLE(CODE)
#undef CODE
	}, fd_kinds[] = {
#define FD(value, id, name, cloexec, doc) { value, name },
		DN_FD_TABLE(FD)
#undef FD
	}, fd_origins[] = {
#define FROM(value, id, name, doc) { value, name },
		DN_FD_ORIGIN_TABLE(FROM)
#undef FROM
	}, reasons[] = {
#define END(value, id, name, doc) { value, name },
		DN_END_TABLE(END)
#undef END
	};
	int err = fill_calls(h);

	for (unsigned i = 0; !err && i < DN_ABI_MAX; i++)
		err = insert(h, "abi", "is", i, dn_abi_name(i));
	for (unsigned i = 0; !err && i < DN_CATEGORY_MAX; i++)
		err = insert(h, "category", "iss", i, dn_category_name(i), dn_category_doc(i));
	for (unsigned i = 0; !err && i < DN_COUNTER_MAX; i++) {
		const struct dn_counter_desc *c = dn_counter_desc(i);

		if (c)
			err = insert(h, "counter_name", "isss", i, c->name, kinds[c->kind], c->doc);
	}
	for (size_t i = 0; !err && i < sizeof(origins) / sizeof(*origins); i++)
		err = insert(h, "origin", "is", origins[i].value, origins[i].name);
	for (size_t i = 0; !err && i < sizeof(fd_kinds) / sizeof(*fd_kinds); i++)
		err = insert(h, "fd_kind", "is", fd_kinds[i].value, fd_kinds[i].name);
	for (size_t i = 0; !err && i < sizeof(fd_origins) / sizeof(*fd_origins); i++)
		err = insert(h, "fd_origin", "is", fd_origins[i].value, fd_origins[i].name);
	for (size_t i = 0; !err && i < sizeof(reasons) / sizeof(*reasons); i++)
		err = insert(h, "end_reason", "is", reasons[i].value, reasons[i].name);
	for (size_t i = 0; !err && i < sizeof(perf_kinds) / sizeof(*perf_kinds); i++)
		err = insert(h, "perf_kind", "is", perf_kinds[i].value, perf_kinds[i].name);
	for (size_t i = 0; !err && i < sizeof(code_kinds) / sizeof(*code_kinds); i++)
		err = insert(h, "code_kind", "is", code_kinds[i].value, code_kinds[i].name);
	for (size_t i = 0; !err && i < sizeof(off_states) / sizeof(*off_states); i++)
		err = insert(h, "off_state", "is", off_states[i].value, off_states[i].name);
	for (size_t i = 0; !err && i < sizeof(sock_origins) / sizeof(*sock_origins); i++)
		err = insert(h, "sock_origin", "is", sock_origins[i].value, sock_origins[i].name);
	for (size_t i = 0; !err && i < sizeof(sock_events) / sizeof(*sock_events); i++)
		err = insert(h, "sock_event_kind", "is", sock_events[i].value, sock_events[i].name);
	for (unsigned i = 0; !err && i <= DN_FAMILY_LAST; i++)
		if (dn_family_name(i))
			err = insert(h, "family", "is", i, dn_family_name(i));
	for (unsigned i = 1; !err && i < 4096; i++)
		if (dn_errno_name(i) && !dn_errno_is_restart(i))
			err = insert(h, "errno", "is", i, dn_errno_name(i));
	for (int i = 1; !err && i <= 64; i++)
		if (dn_signal_name(i))
			err = insert(h, "signal", "is", i, dn_signal_name(i));
	return err;
}

int dn_db_schema(sqlite3 *h, unsigned flags)
{
	int err = exec(h, dn_schema_sql);

	for (unsigned i = 0; !err && i < DN_EV_MAX; i++) {
		const struct dn_event_desc *d = dn_event_desc(i);
		char *sql;

		if (!d || (i == DN_EV_syscall && flags & DN_DB_NO_SYSCALL))
			continue;
		sql = create_sql(i, d);
		err = sql ? exec(h, sql) : -ENOMEM;
		sqlite3_free(sql);
	}
	if (!err)
		err = fill_dimensions(h);
	return err ? err : exec(h, dn_views_sql);
}

/* --- functions for the sentences of findings ----------------------------- */

typedef char *human_fn(char *buf, size_t cap, uint64_t n);

static void human_value(sqlite3_context *ctx, int n, sqlite3_value **v)
{
	human_fn *fn = *(human_fn *const *)sqlite3_user_data(ctx);
	char buf[DN_HUMAN_SIZE];
	sqlite3_int64 i;

	(void)n;
	if (sqlite3_value_type(v[0]) == SQLITE_NULL)
		return;
	i = sqlite3_value_int64(v[0]);
	fn(buf, sizeof(buf), i < 0 ? 0 : (uint64_t)i);
	sqlite3_result_text(ctx, buf, -1, SQLITE_TRANSIENT);
}

static void human_percent(sqlite3_context *ctx, int n, sqlite3_value **v)
{
	sqlite3_int64 part = sqlite3_value_int64(v[0]), whole = sqlite3_value_int64(v[1]);
	char buf[DN_HUMAN_SIZE];

	(void)n;
	dn_human_percent(buf, sizeof(buf), part < 0 ? 0 : (uint64_t)part,
			 whole < 0 ? 0 : (uint64_t)whole);
	sqlite3_result_text(ctx, buf, -1, SQLITE_TRANSIENT);
}

/* The name of a function for people; one that is no text stays as it is. */
static void demangle(sqlite3_context *ctx, int n, sqlite3_value **v)
{
	char *name = sqlite3_value_type(v[0]) == SQLITE_TEXT ?
		dn_demangle((const char *)sqlite3_value_text(v[0])) : NULL;

	(void)n;
	if (name)
		sqlite3_result_text(ctx, name, -1, free);
	else
		sqlite3_result_value(ctx, v[0]);
}

int dn_db_functions(sqlite3 *h)
{
	static const struct { const char *name; human_fn *fn; } table[] = {
		{ "human_ns", dn_human_ns },
		{ "human_count", dn_human_count },
		{ "human_bytes", dn_human_bytes },
		{ "human_digits", dn_human_digits },
	};
	int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY;
	int ret = SQLITE_OK;

	for (size_t i = 0; ret == SQLITE_OK && i < sizeof(table) / sizeof(*table); i++)
		ret = sqlite3_create_function_v2(h, table[i].name, 1, flags, (void *)&table[i].fn,
						 human_value, NULL, NULL, NULL);
	if (ret == SQLITE_OK)
		ret = sqlite3_create_function_v2(h, "human_percent", 2, flags, NULL, human_percent,
						 NULL, NULL, NULL);
	if (ret == SQLITE_OK)
		ret = sqlite3_create_function_v2(h, "demangle", 1, flags, NULL, demangle, NULL, NULL, NULL);
	return ret == SQLITE_OK ? 0 : -EIO;
}
