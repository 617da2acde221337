/*
 * verbs.h - what denet-analyze can do: one function a verb, and the frame for
 * those that answer file by file.
 *
 * A function returns an exit status (enum dn_exit) and has said on stderr why
 * when that is not DN_EXIT_OK.
 */
#ifndef DN_ANALYZER_VERBS_H
#define DN_ANALYZER_VERBS_H

#include "options.h"
#include "say.h"

struct dn_source;

/* The table, ended by a NULL name; its first entry is the default. */
extern const struct dn_verb dn_verbs[];

/*
 * Opens each file in turn and calls one(o, src, ctx) with it; a file that does
 * not open is an error of its own and the next one follows. The status is the
 * worst: 1 before 3 before 0. Whoever prints sees several files as several
 * answers, one after the other; dn_run_each() writes no headings.
 */
int dn_run_each(const struct dn_options *o,
		int (*one)(const struct dn_options *o, struct dn_source *src, void *ctx),
		void *ctx);

int dn_summary_main(const struct dn_options *o);	/* summary, --json */
int dn_log_main(const struct dn_options *o);		/* log.c */
int dn_flame_main(const struct dn_options *o);		/* flame.c: -o FILE */
int dn_folded_main(const struct dn_options *o);		/* folded.c */
int dn_sql_main(const struct dn_options *o);		/* sql.c: --sql; --csv, --json */
int dn_import_main(const struct dn_options *o);		/* sql.c: --db FILE */

#endif
