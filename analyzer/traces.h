/*
 * traces.h - the files of a command line, open together, for one database.
 *
 * Reports take file after file; SQL and the importer want all of them at once,
 * each a trace_id of its own, and come back to the blocks after loading.
 */
#ifndef DN_ANALYZER_TRACES_H
#define DN_ANALYZER_TRACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guard.h"

struct dn_db;
struct dn_options;
struct dn_reader;
struct dn_source;
struct dn_vtab_trace;

struct dn_trace {
	struct dn_source *src;	/* seekable */
	struct dn_reader *reader;
	bool loaded, complete;
};

struct dn_traces {
	size_t n;
	struct dn_trace *trace;
	struct dn_vtab_trace *vtab;	/* the same for the virtual tables; ids 1 to n */
};

/* Opens n files, a pipe through a copy. 0, or a negative errno after a sentence
 * on stderr. */
int dn_traces_open(struct dn_traces *t, char *const *file, size_t n);

/*
 * Loads all of them into db, whose first traces they become: the rows of every
 * event but the calls and what is derived from them; with DN_NEEDS_ROLLUPS the
 * counts of the calls too, and with DN_NEEDS_FDS what descriptors were, as
 * dn_load() does. 0, or a negative errno after a sentence on stderr.
 */
int dn_traces_load(struct dn_traces *t, const struct dn_options *o, struct dn_db *db,
		   enum dn_needs needs);

/* DN_EXIT_OK, or DN_EXIT_INCOMPLETE and a remark where a loaded trace was not
 * whole or `damaged` blocks did not decode, unless o allows that. */
int dn_traces_status(const struct dn_traces *t, const struct dn_options *o, uint64_t damaged);

void dn_traces_close(struct dn_traces *t);

#endif
