/*
 * vtab.h - the events of traces as SQLite tables, straight over the .dnt.
 *
 * dn_vtab_register() gives a connection one eponymous, read-only, INNOCUOUS
 * virtual table for every event of schema/events.def: PREFIX and the name of
 * the event, so raw_syscall, raw_exec, ... with the prefix "raw_". No CREATE
 * VIRTUAL TABLE is needed or possible, and no SQL names a file. A real table
 * of the same name in the database hides the virtual one: that is how a
 * database holds some events and leaves the rest to the file.
 *
 * Columns: trace_id, then the fields of the event in the table's order.
 *   TIME  nanoseconds from the start of the trace (of its file header)
 *   INT, RAW  64-bit integer, unsigned ones as two's complement; those of unit
 *         "id" as dn_db_id(), unique in the database
 *   STR   TEXT where it is valid UTF-8 without NUL, else BLOB
 * A field that is null, or that the writer of the trace did not know, is NULL.
 *
 * raw_exec has one column more, `command`: argv quoted for a shell. raw_syscall
 * has six, from the strings of the call:
 *   path, path2   the first and second path
 *   text          the first other string
 *   sockaddr      the socket address as text: 127.0.0.1:80, [::1]:80, unix:/run/x
 *   argv          arguments in one line, quoted for a shell
 *   str_flags     enum dn_str_flag of all of them together; NULL: no strings
 * start is NULL with DN_CALL_NO_ENTER, dur with that or DN_CALL_UNFINISHED,
 * ret with DN_CALL_UNFINISHED, an argument that the call does not have is NULL.
 *
 * What is pushed down: the columns in use, trace_id, a range of the first TIME
 * column (whole blocks are skipped by the times of their headers), and for
 * calls equality and IN of thread, abi and nr. Rows come in the order of the
 * file. One thread a cursor decodes ahead; memory is a few MiB a cursor
 * whatever the size of the trace.
 *
 * The readers stay the caller's and must outlive the connection.
 */
#ifndef DN_ANALYZER_VTAB_H
#define DN_ANALYZER_VTAB_H

#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>

struct dn_reader;

struct dn_vtab_trace {
	struct dn_reader *reader;
	int64_t trace_id;
	uint64_t origin;	/* boot clock at time 0 */
};

struct dn_vtab_options {
	const char *prefix;			/* of the names of the tables */
	const struct dn_vtab_trace *trace;
	size_t ntraces;
	/* Blocks that did not decode, counted up by cursors, on the connection's
	 * thread; it must outlive the tables. NULL: not counted. */
	uint64_t *damaged;
};

/* Registers the tables, in place of those of the same prefix; what o names is
 * copied, but for the counter. 0 or -ENOMEM. */
int dn_vtab_register(sqlite3 *db, const struct dn_vtab_options *o);

/* Takes the tables away again; no statement may use them. */
void dn_vtab_unregister(sqlite3 *db, const char *prefix);

/* Result of a function or column: TEXT where it is valid UTF-8 without NUL,
 * else BLOB. The bytes are copied. */
void dn_vtab_result_str(sqlite3_context *ctx, const char *p, size_t len);

#endif
