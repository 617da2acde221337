/*
 * guard.c - the authorizer of queries.
 */
#include "guard.h"

#include <stddef.h>
#include <string.h>

#include <sqlite3.h>

/* Pragmas that tell and change nothing. With an argument they still do not. */
static const char *const pragmas[] = {
	"table_info", "table_xinfo", "table_list", "database_list", "function_list",
	"module_list", "collation_list", "compile_options", "pragma_list", "index_list",
	"index_info", "index_xinfo",
};

/* Tables that need no trace: names of small numbers. */
static const char *const dimensions[] = {
	"raw_abi", "raw_category", "raw_syscall_name", "raw_errno", "raw_signal",
	"raw_counter_name", "raw_origin", "raw_end_reason", "raw_fd_kind", "raw_fd_origin", "raw_family",
	"raw_off_state", "raw_perf_kind", "raw_code_kind", "raw_sock_origin", "raw_sock_event_kind", "raw_tcp_state",
};

/* Tables that are made of the calls. */
static const char *const rollups[] = {
	"raw_syscall_stat", "raw_result", "raw_thread_calls", "raw_process_calls", "raw_latency",
	"raw_rate", "raw_path", "raw_address", "raw_call", "raw_finding",
	"raw_flow", "raw_socket", "raw_wait", "raw_function", "raw_place", "raw_node", "raw_weight",
};

/* Tables of a second reading, for what descriptors were. */
static const char *const fds[] = { "raw_fd_stat", "raw_fd_open" };

/* Columns of the view syscalls that look there, for each row. SQLite says of each
 * column that a query names whose it is; of what a view is made it says all,
 * whether the query wants it or not. */
static const char fd_view[] = "syscalls";
static const char *const fd_columns[] = { "fd_kind", "fd_name" };

/* Columns of raw_trace that are. */
static const char *const counted[] = { "calls", "latency_detail" };

#define IN(list, word) in(list, sizeof(list) / sizeof(list[0]), word)

static bool in(const char *const *list, size_t n, const char *word)
{
	for (size_t i = 0; word && i < n; i++)
		if (!strcmp(list[i], word))
			return true;
	return false;
}

static enum dn_needs needs(const char *table, const char *column, const char *inner)
{
	if (!strcmp(table, fd_view) && IN(fd_columns, column))
		return DN_NEEDS_FDS;
	if (IN(fds, table))
		return inner && !strcmp(inner, fd_view) ? DN_NEEDS_ROWS : DN_NEEDS_FDS;
	if (strncmp(table, "raw_", 4) || IN(dimensions, table))
		return DN_NEEDS_NOTHING;
	if (IN(rollups, table) || (!strcmp(table, "raw_trace") && IN(counted, column)))
		return DN_NEEDS_ROLLUPS;
	return DN_NEEDS_ROWS;
}

static int authorize(void *ctx, int action, const char *a, const char *b, const char *database,
		     const char *inner)
{
	struct dn_guard *g = ctx;
	enum dn_needs n;

	(void)database;
	switch (action) {
	case SQLITE_SELECT:
	case SQLITE_RECURSIVE:
		return SQLITE_OK;
	case SQLITE_READ:
		n = needs(a, b, inner);
		if (n > g->needs)
			g->needs = n;
		return SQLITE_OK;
	case SQLITE_UPDATE:
		/* SQLite asks this when it connects a virtual table (json_each). A
		 * statement that says so itself is refused by SQLite: the connection
		 * is DEFENSIVE. */
		if (!strcmp(a, "sqlite_master") || !strcmp(a, "sqlite_temp_master"))
			return SQLITE_OK;
		g->refused = "nothing is written here: use SELECT";
		return SQLITE_DENY;
	case SQLITE_FUNCTION:
		if (strcmp(b, "load_extension") && strcmp(b, "fts3_tokenizer"))
			return SQLITE_OK;
		g->refused = "it loads code";
		return SQLITE_DENY;
	case SQLITE_PRAGMA:
		if (IN(pragmas, a))
			return SQLITE_OK;
		g->refused = "this pragma may change something";
		return SQLITE_DENY;
	case SQLITE_ATTACH:
	case SQLITE_DETACH:
		g->refused = "other databases stay closed here";
		return SQLITE_DENY;
	default:
		g->refused = "nothing is written here: use SELECT";
		return SQLITE_DENY;
	}
}

void dn_guard_set(struct sqlite3 *db, struct dn_guard *g)
{
	sqlite3_set_authorizer(db, g ? authorize : NULL, g);
}
