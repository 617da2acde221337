/*
 * guard.h - what a query of the user may do, and which tables it reads.
 *
 * An authorizer for sqlite3_set_authorizer(): SELECT and what belongs to it,
 * EXPLAIN, and pragmas that only describe; nothing that writes, attaches,
 * loads or changes a setting.
 */
#ifndef DN_ANALYZER_GUARD_H
#define DN_ANALYZER_GUARD_H

#include <stdbool.h>

struct sqlite3;

/* What must be loaded for a query; each includes the one before. */
enum dn_needs {
	DN_NEEDS_NOTHING,	/* no table of a trace */
	DN_NEEDS_ROWS,		/* rows of events, and what is derived from them */
	DN_NEEDS_ROLLUPS,	/* counts of the calls */
	DN_NEEDS_FDS,		/* what descriptors were */
};

struct dn_guard {
	enum dn_needs needs;
	const char *refused;	/* why the last statement was not authorized */
};

/* Puts the guard on a connection, NULL takes it off. */
void dn_guard_set(struct sqlite3 *db, struct dn_guard *g);

#endif
