/*
 * options.h - what the user asked denet-analyze for, and the table of verbs.
 *
 * One const struct dn_options travels from main to the verb and everything
 * below it; nothing else carries a switch. It is filled once by
 * dn_options_parse() and owned by main; the strings are those of argv.
 */
#ifndef DN_ANALYZER_OPTIONS_H
#define DN_ANALYZER_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "when.h"

/* Exit statuses, as denet-analyze(1) lists them. */
enum dn_exit {
	DN_EXIT_OK = 0,		/* everything was read and answered */
	DN_EXIT_NONE = 1,	/* no answer */
	DN_EXIT_USAGE = 2,	/* the command line makes no sense */
	DN_EXIT_INCOMPLETE = 3,	/* answered, from an incomplete trace */
};

enum dn_format {
	DN_FORMAT_TEXT,		/* for people */
	DN_FORMAT_JSON,		/* --json */
	DN_FORMAT_CSV,		/* --csv */
};

#define DN_OPT_NUMBERS_MAX 64	/* values of one --pid or --tid list */
#define DN_OPT_SYMFS_MAX 16	/* directories of --symfs */

struct dn_namer;
struct dn_options;

/*
 * A verb answers for all files of the command line and returns an exit status
 * (enum dn_exit). dn_run_each() of verbs.h walks the files for those that
 * answer one by one.
 */
struct dn_verb {
	const char *name;
	const char *args;	/* usage after the name, "" where there is none */
	const char *help;	/* one line */
	int (*run)(const struct dn_options *o);
	unsigned uses;		/* enum dn_opt_use: switches that mean something to it */
};

/* Groups of switches that only some verbs take; another verb refuses them. */
enum dn_opt_use {
	DN_USE_JSON = 1 << 0,	/* --json */
	DN_USE_CSV = 1 << 1,	/* --csv */
	DN_USE_SELECT = 1 << 2,	/* --since --until --tail --pid --tid --syscall */
	DN_USE_FDS = 1 << 3,	/* --decode-fds */
	DN_USE_STACKS = 1 << 4,	/* --of --by */
	DN_USE_OUTPUT = 1 << 5,	/* --output */
	DN_USE_SYMFS = 1 << 6,	/* --symfs */
	DN_USE_LINES = 1 << 7,	/* --lines */
};

/* What a stack weighs: stack_weights.what, in the order of analyzer/stacks.c. */
enum dn_weight { DN_WEIGHT_SAMPLES, DN_WEIGHT_OFFCPU, DN_WEIGHT_CALLS, DN_WEIGHT_CALLTIME, DN_WEIGHTS };

/* What stacks are told apart by, below the name of their thread. */
enum dn_stacks_by { DN_BY_NONE, DN_BY_PROCESS, DN_BY_THREAD };

struct dn_options {
	const struct dn_verb *verb;	/* summary where none was named */
	char **file;			/* nfile names, "-" is standard input; { "denet.dnt" } */
	size_t nfile;			/* at least 1 */
	enum dn_format format;
	const char *db;			/* --db FILE: import everything there; NULL: no */
	const char *sql;		/* --sql STATEMENT; NULL: none. Implies verb `sql` */
	bool allow_incomplete;		/* --allow-incomplete: status 0 instead of 3 */
	bool quiet;			/* -q: no progress, no remarks; errors stay */
	bool color;			/* resolved: --color, NO_COLOR, TERM, isatty(stdout) */
	unsigned threads;		/* decoding threads, 1 to DN_THREADS_MAX */

	/* Selection (verb log). */
	bool has_since, has_until;
	struct dn_when since, until;	/* --since, --until: see when.h */
	int64_t tail;			/* --tail N: only the last N; -1: all */
	size_t npid, ntid;		/* --pid 1,2 and again; 0: any */
	int32_t pid[DN_OPT_NUMBERS_MAX];
	int32_t tid[DN_OPT_NUMBERS_MAX];
	bool decode_fds;		/* -y: 3</etc/passwd> */
	const char *syscall;		/* --syscall read,write,/^open/: as typed; NULL: any */

	/* Stacks (verbs folded and flame). */
	bool has_of;			/* else samples, or what there is */
	enum dn_weight of;		/* --of */
	enum dn_stacks_by by;		/* --by */
	const char *output;		/* -o: "-" is standard output; NULL: none was named */
	size_t nsymfs;			/* --symfs DIR and again; 0: no local file is looked at */
	const char *symfs[DN_OPT_SYMFS_MAX];
	bool lines;			/* --lines: of source files, too */
	const struct dn_namer *namer;	/* who does both, made of them by main(); NULL: nobody */
};

#define DN_THREADS_MAX 8

/* What is left to do after dn_options_parse(). */
enum dn_parsed { DN_PARSED_RUN, DN_PARSED_DONE, DN_PARSED_USAGE };

/*
 * Reads the command line. Flags may stand anywhere; the first word that is no
 * flag is the verb if `verbs` (ends with a NULL name, its first entry is the
 * default) has it, everything else is a file. DN_PARSED_DONE: --help or
 * --version was answered. DN_PARSED_USAGE: the error is on stderr.
 * dn_options_free() afterwards in any case.
 */
enum dn_parsed dn_options_parse(struct dn_options *o, int argc, char **argv,
				const struct dn_verb *verbs);
void dn_options_free(struct dn_options *o);

#endif
