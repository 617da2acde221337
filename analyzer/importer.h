/*
 * importer.h - the system calls of traces into a database.
 *
 * Everything else of a trace comes from dn_load(); the calls are most of it
 * and take the fastest road into SQLite: INSERT ... SELECT from the virtual
 * table, into a narrow table without indexes.
 *
 *   raw_syscall_row   thread, seq, call, start, dur, ret, arg0 to arg5, strings
 *     call            nr << 24 | cpu << 8 | abi
 *     seq             flags << 32 | seq
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

struct dn_imported {
	uint64_t calls;
	uint64_t strings;	/* rows of raw_syscall_strings */
	uint64_t damaged;	/* blocks that did not decode */
	uint64_t ns;		/* time it took */
};

/*
 * Imports the calls of all traces into db, which was opened with
 * DN_DB_NO_SYSCALL and has these traces loaded. progress, if not NULL, is
 * called now and then with the calls done. 0, or a negative errno with the
 * reason in dn_db_error().
 */
int dn_import_calls(struct dn_db *db, const struct dn_vtab_trace *trace, size_t n,
		    void (*progress)(void *ctx, uint64_t calls), void *ctx,
		    struct dn_imported *out);

#endif
