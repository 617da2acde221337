/*
 * summary.c - the verb that runs when none is named: each trace into a
 * temporary database of its own, and the report of it.
 */
#include "verbs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "db.h"
#include "load.h"
#include "report.h"
#include "source.h"

static int answer(const struct dn_options *o, struct dn_source *src, void *ctx)
{
	bool *first = ctx;
	struct dn_loaded l;
	struct dn_db *db;
	int err = dn_load_temporary(o, src, true, &db, &l);

	if (err)
		return DN_EXIT_NONE;
	if (o->format == DN_FORMAT_JSON) {
		err = dn_report_json(stdout, db, l.trace_id);
	} else {
		if (!*first)
			putchar('\n');
		err = dn_report_summary(stdout, db, l.trace_id, o);
	}
	*first = false;
	if (err)
		dn_error("report on", dn_source_name(src),
			 err == -EIO ? dn_db_error(db) : strerror(-err), NULL);
	/* What was printed shows up before the next trace is read. */
	if (!err && fflush(stdout))
		err = -errno;
	dn_db_close(db);
	return err ? DN_EXIT_NONE : dn_loaded_status(o, &l);
}

int dn_summary_main(const struct dn_options *o)
{
	bool first = true;

	return dn_run_each(o, answer, &first);
}
