/*
 * sql.h - a query of the user, over traces or over a database made of them.
 *
 * Over traces nothing is imported but what the query needs: rows of events
 * other than calls, and the counts of the calls if it reads those. The calls
 * stay in the file, behind the virtual table raw_syscall. All views are there.
 *
 * Over a database (--db made it) the query runs on the file, opened read-only.
 * In both cases nothing can be written: see guard.h.
 */
#ifndef DN_ANALYZER_SQL_H
#define DN_ANALYZER_SQL_H

#include <stddef.h>
#include <stdio.h>

struct dn_options;

/*
 * Both run one statement, print its rows to out as o->format says, and return
 * an enum dn_exit; what went wrong is on stderr.
 */
int dn_sql_traces(const struct dn_options *o, char *const *file, size_t n, const char *sql,
		  FILE *out);
int dn_sql_database(const struct dn_options *o, const char *path, const char *sql, FILE *out);

/*
 * Imports traces into a new database at o->db (dbfile.h says what it may
 * replace). An enum dn_exit.
 */
int dn_sql_import(const struct dn_options *o, char *const *file, size_t n);

#endif
