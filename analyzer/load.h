/*
 * load.h - a trace into a database: rollups, and the rows of every event but
 * the system calls. What every report begins with.
 */
#ifndef DN_ANALYZER_LOAD_H
#define DN_ANALYZER_LOAD_H

#include <stdbool.h>
#include <stdint.h>

struct dn_db;
struct dn_options;
struct dn_source;

/* What came of one file. */
struct dn_loaded {
	int64_t trace_id;
	uint64_t origin;	/* boot clock at time 0 */
	bool complete;		/* dn_read_report.complete */
};

/*
 * Reads all of src with o->threads workers into db as a new trace: raw_EVENT,
 * raw_syscall_stat, raw_latency, raw_rate, raw_path, raw_address, raw_trace,
 * raw_gap, raw_note, then the derived tables; with `fds` raw_fd_stat and
 * raw_fd_open too, for which the trace is read twice and a pipe is copied.
 * raw_syscall is left to the caller.
 * 0, or a negative errno after a sentence on stderr.
 */
int dn_load(const struct dn_options *o, struct dn_source *src, struct dn_db *db, bool fds,
	    struct dn_loaded *out);

/* The same into a new temporary database for reports, *db, which is the caller's to close; NULL after an
 * error, one of opening it included. */
int dn_load_temporary(const struct dn_options *o, struct dn_source *src, bool fds, struct dn_db **db,
		      struct dn_loaded *out);

/* DN_EXIT_OK, or DN_EXIT_INCOMPLETE where the trace was not whole and the user
 * did not allow that. */
int dn_loaded_status(const struct dn_options *o, const struct dn_loaded *l);

#endif
