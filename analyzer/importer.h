/*
 * importer.h - the system calls of traces into a database.
 *
 * Everything else of a trace comes from dn_load(); the calls are most of it
 * and take the fastest road into a file of SQLite: out of the feeds, as pages
 * (analyzer/dbpages.h), into tables without indexes.
 *
 *   raw_syscall_row   thread, seq, cpu, abi_flags, nr, strings, start, dur, ret,
 *                     arg0 to arg5
 *     abi_flags       flags << 8 | abi: a column is a byte in every row
 *     strings         id in raw_syscall_strings; NULL: none
 *   raw_syscall_strings  id, path, path2, text, sockaddr, argv, str_flags: each
 *                     combination once, nearly (memory for that is bounded)
 *   raw_syscall       a view of both with the columns of the virtual table
 */
#ifndef DN_ANALYZER_IMPORTER_H
#define DN_ANALYZER_IMPORTER_H

#include <stddef.h>
#include <stdint.h>

struct dn_db;
struct dn_vtab_trace;

/* Where the tables are, in a database that is closed. */
struct dn_import_place {
	uint32_t row, strings;	/* root pages */
};

struct dn_imported {
	uint64_t calls;
	uint64_t strings;	/* rows of raw_syscall_strings */
	uint64_t damaged;	/* blocks that did not decode */
	uint64_t ns;		/* time it took */
	/* After a failure: the trace that could not be read; NULL: it was the database. */
	const struct dn_vtab_trace *unread;
};

/* Makes the tables, empty, and the view in db, which was opened with
 * DN_DB_NO_SYSCALL. 0, or a negative errno with the reason in dn_db_error(). */
int dn_import_tables(struct dn_db *db, struct dn_import_place *place);

/*
 * Then, with db closed, the calls of all traces, which it has loaded, into the
 * file. progress, if not NULL, is called now and then with the calls done. 0,
 * or a negative errno: then the file is of no use.
 */
int dn_import_calls(const char *path, const struct dn_import_place *place,
		    const struct dn_vtab_trace *trace, size_t n,
		    void (*progress)(void *ctx, uint64_t calls), void *ctx,
		    struct dn_imported *out);

#endif
