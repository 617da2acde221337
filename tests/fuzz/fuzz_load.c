/*
 * fuzz_load.c - target: the road of every report, from the bytes of a trace
 * through decoder, rollup and database to text and JSON, and the log.
 *
 * Making our tables and views takes longer than all the rest, so that one database
 * serves many inputs, each a trace of its own; and a fuzzer, which has thousands
 * to try, reports only some of them.
 */
#include "fuzz.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "db.h"
#include "load.h"
#include "log.h"
#include "options.h"
#include "report.h"
#include "source.h"

#define TRACES_A_DATABASE 100

int LLVMFuzzerInitialize(int *argc, char ***argv);

static unsigned report_each = 1;
static FILE *null;

/* libFuzzer calls it, the driver does not. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	report_each = 16;
	return 0;
}

/* By what is in it, so that an input does the same again. */
static bool to_report(const uint8_t *p, size_t len)
{
	unsigned sum = 0;

	for (size_t i = 0; i < len; i++)
		sum = sum * 31 + p[i];
	return sum % report_each == 0;
}

static struct dn_db *database(void)
{
	static struct dn_db *db;
	static unsigned traces;
	char err[256];

	if (traces++ % TRACES_A_DATABASE == 0) {
		dn_db_close(db);
		if (dn_db_open("", DN_DB_TEMP | DN_DB_REPORT, &db, err, sizeof(err)))
			abort();
	}
	return db;
}

static void report(const struct dn_options *o, struct dn_db *db, const struct dn_loaded *l)
{
	/* Whatever a trace holds, our own SQL over it does not fail. */
	if (dn_report_json(null, db, l->trace_id) || dn_report_summary(null, db, l->trace_id, o)) {
		printf("# a report failed: %s\n", dn_db_error(db));
		abort();
	}
}

const char fuzz_inputs[] = "dnt";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const struct dn_options o = { .threads = 1, .quiet = true, .tail = -1 };
	struct dn_db *db = database();
	uint8_t *p = fuzz_repair(data, len);
	struct dn_source *src = dn_source_memory(p, len);
	struct dn_loaded loaded;

	if (!null)
		null = fopen("/dev/null", "w");
	if (!src || !null)
		abort();
	if (!dn_load(&o, src, db, true, &loaded)) {
		dn_log(&o, src, null);
		if (to_report(p, len))
			report(&o, db, &loaded);
	}
	dn_source_close(src);
	free(p);
	return 0;
}
