/*
 * rows.c - how fast the calls of a trace become rows of a database, for `make bench`.
 *
 *   rows TRACE DATABASE
 *
 * One line on standard output: rows, and the nanoseconds from the first to the
 * file with all of them, reading and decoding the trace beside it. What --db
 * does before is not in it, nor the sync at the end.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "db.h"
#include "importer.h"
#include "options.h"
#include "traces.h"

int main(int argc, char **argv)
{
	const struct dn_options o = { .quiet = true };
	struct dn_import_place place;
	struct dn_traces t = { 0 };
	struct dn_imported im;
	struct dn_db *db = NULL;
	char why[256];
	int err;

	if (argc != 3) {
		fputs("usage: rows TRACE DATABASE\n", stderr);
		return 2;
	}
	err = dn_traces_open(&t, argv + 1, 1);
	if (err)
		return 1;	/* it has said why */
	err = dn_db_open(argv[2], DN_DB_NO_SYSCALL, &db, why, sizeof(why));
	if (err) {
		fprintf(stderr, "rows: %s: %s\n", argv[2], why);
		goto out;
	}
	err = dn_traces_load(&t, &o, db, false);
	if (!err)
		err = dn_import_tables(db, &place);
	if (dn_db_close(db) || err) {
		fputs("rows: the trace cannot be loaded\n", stderr);
		err = -1;
		goto out;
	}
	err = dn_import_calls(argv[2], &place, t.vtab, t.n, NULL, NULL, &im);
	if (err)
		fprintf(stderr, "rows: %s: %s\n", argv[2], strerror(-err));
	else
		printf("%" PRIu64 " %" PRIu64 "\n", im.calls, im.ns);
out:
	dn_traces_close(&t);
	return err ? 1 : 0;
}
