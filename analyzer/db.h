/*
 * db.h - a SQLite database with our tables and views, and rows into it.
 *
 * Tables (raw_*) come from schema/events.def and schema/schema.sql, views from
 * schema/views*.sql; nothing else creates any. Rules of the raw tables:
 *
 *   raw_EVENT     one table for each event of events.def: trace_id, then a
 *                 column for each field under its own name
 *   TIME fields   ns from the trace's start (negative: before it)
 *   STR fields    TEXT where valid UTF-8 without NUL, else BLOB: byte-exact
 *   64 bits       unsigned numbers above 2^63 as two's complement
 *   unit "id"     dn_db_id(): unique in the database, so that a join by id
 *                 alone never mixes two traces
 *   raw_exec      one more column: command, argv quoted for a shell
 *   raw_syscall   six more, as analyzer/vtab.h has them: path, path2, text,
 *                 sockaddr, argv, str_flags. Empty unless somebody imports the
 *                 calls; DN_DB_NO_SYSCALL leaves the name to a virtual table.
 *
 * Only db, import, query and vtab files see sqlite3.h. A struct dn_db is used
 * by one thread at a time.
 */
#ifndef DN_ANALYZER_DB_H
#define DN_ANALYZER_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record.h"

struct sqlite3;
struct sqlite3_stmt;
struct dn_db;
struct dn_file_header;
struct dn_read_report;

#define DN_DB_APPLICATION_ID 0x444e4554	/* "DNET" */
#define DN_DB_VERSION 2			/* user_version: raised when a view changes */
#define DN_DB_TRACES_MAX 32000

/* An id of a trace (thread, process) as the database stores it. */
static inline int64_t dn_db_id(int64_t trace_id, uint32_t id)
{
	return (trace_id - 1) * (INT64_C(1) << 32) + id;
}

enum dn_db_flag {
	DN_DB_TEMP = 1 << 0,		/* private and temporary: path is not looked at */
	DN_DB_NO_SYSCALL = 1 << 1,	/* the caller makes raw_syscall (a virtual table) */
	/* Only our reports will read it: what none of them asks for is not stored.
	 * raw_syscall_stat holds failed calls only, raw_latency all threads together. */
	DN_DB_REPORT = 1 << 2,
};

/*
 * Opens (creates) a database file that is to be filled: no journal, no syncs,
 * one transaction from here to dn_db_close(). An empty file gets our tables; one
 * with our application_id and version keeps its traces; any other is refused
 * (-EEXIST). 0 or a negative errno, the reason in err.
 */
int dn_db_open(const char *path, unsigned flags, struct dn_db **out, char *err, size_t errlen);

/* Commits and closes. 0 or a negative errno. Accepts NULL. */
int dn_db_close(struct dn_db *db);

struct sqlite3 *dn_db_handle(struct dn_db *db);

/* Creates tables, dimension rows and views on any connection. 0 or a negative
 * errno; the reason is sqlite3_errmsg(). */
int dn_db_schema(struct sqlite3 *handle, unsigned flags);

/* Runs a script of ours, ?1 being the trace in every statement that has it. */
int dn_db_script(struct sqlite3 *handle, const char *sql, int64_t trace_id);

/* The statement that fills raw_EVENT: (rowid, trace_id, fields ..., command of
 * those that have one), malloc()ed. NULL: no memory or no such event. */
char *dn_db_insert_sql(unsigned event);

/* Which field of an event holds arguments, of which its table has a quoted line, `command`, too; -1: none. */
int dn_db_argv_field(unsigned event);

/* Fills raw_thread, raw_process, raw_call and the like from the rows and
 * rollups of one trace, and raw_finding from those; both need dn_db_functions(). */
int dn_db_derive(struct sqlite3 *handle, int64_t trace_id);
int dn_db_find(struct sqlite3 *handle, int64_t trace_id);

/* Functions that findings.sql uses: human_ns(), human_count() and so on. */
int dn_db_functions(struct sqlite3 *handle);

/* trusted_schema off and the other settings of a connection that reads what
 * others may have written. */
int dn_db_harden(struct sqlite3 *handle);

/* The last error of SQLite, for a sentence. */
const char *dn_db_error(const struct dn_db *db);

/* A new trace: its id (1, 2, ...), or a negative errno. Rows that follow are
 * its own; origin is time 0. */
int64_t dn_db_begin_trace(struct dn_db *db, const char *file, const struct dn_file_header *h,
			  uint64_t origin);

/* One row of an event other than syscall into raw_EVENT. order: its place in
 * the trace, (sequence number of the block << 20) + place in the block; it
 * becomes the rowid, so that the table comes out the same whoever came first. */
int dn_db_row(struct dn_db *db, const struct dn_row *r, uint64_t order);

/* One SQL statement or several, without parameters. */
int dn_db_exec(struct dn_db *db, const char *sql);

/*
 * A prepared statement, cached by the address of sql (a literal), reset and
 * without bindings. Bind with the functions below (1-based), run with
 * dn_db_run(). NULL: dn_db_error().
 */
struct sqlite3_stmt *dn_db_stmt(struct dn_db *db, const char *sql);
int dn_db_run(struct dn_db *db, struct sqlite3_stmt *st);

void dn_bind_int(struct sqlite3_stmt *st, int i, int64_t v);
void dn_bind_null(struct sqlite3_stmt *st, int i);
/* TEXT or BLOB as the rule above says; p is read before dn_db_run() returns. */
void dn_bind_str(struct sqlite3_stmt *st, int i, const char *p, size_t len);
void dn_bind_blob(struct sqlite3_stmt *st, int i, const void *p, size_t len);

/* What reading a trace came to, besides the report of the reader. */
struct dn_db_totals {
	uint64_t last;		/* boot clock at the end of the last event; 0: none */
	uint64_t calls;		/* system calls */
	uint64_t rows_skipped;	/* records of kinds this version does not know */
	bool latency_detail;	/* histograms by thread */
};

/*
 * Who names places in code that the trace has no names for: once those are in
 * raw_place, and before findings are made of them. 0, or a negative errno of the
 * database; what is not known is none.
 */
struct dn_namer {
	int (*name)(const struct dn_namer *n, struct dn_db *db, int64_t trace_id);
};

/* After all rows of a trace: keeps what reading it came to, and makes the tables derived from
 * its rows (raw_thread, raw_process, raw_call, raw_finding), with the names of namer (NULL: nobody). */
int dn_db_end_trace(struct dn_db *db, const struct dn_file_header *h, const struct dn_read_report *rep,
		    const struct dn_db_totals *t, const struct dn_namer *namer);

/* As given to dn_db_open(). */
unsigned dn_db_flags(const struct dn_db *db);

/* Id of the trace that is open, 0: none. */
int64_t dn_db_trace_id(const struct dn_db *db);
uint64_t dn_db_origin(const struct dn_db *db);

#endif
