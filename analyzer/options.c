/*
 * options.c - the command line.
 *
 * One table says of each switch its name, letter, argument, help and which
 * verbs take it; getopt's table, the help text and the check all come out of
 * it. getopt_long() lets flags stand anywhere (and stops at --).
 */
#ifdef HAVE_CONFIG_H
#include "config.h"	/* DN_VERSION */
#endif

#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "say.h"

enum {
	OPT_JSON = 256, OPT_CSV, OPT_DB, OPT_SQL, OPT_INCOMPLETE, OPT_THREADS, OPT_COLOR,
	OPT_SINCE, OPT_UNTIL, OPT_TAIL, OPT_PID, OPT_TID, OPT_SYSCALL,
	OPT_OF, OPT_BY, OPT_SYMFS, OPT_LINES, OPT_OUTPUT = 'o', OPT_FDS = 'y', OPT_QUIET = 'q', OPT_HELP = 'h', OPT_VERSION = 'V',
};

struct opt {
	const char *name;
	const char *arg;	/* NULL: takes none */
	const char *help;
	int id;			/* a letter, or above 255 */
	unsigned use;		/* enum dn_opt_use: which verbs take it; 0: all */
};

/* clang-format off */
static const struct opt table[] = {
	{ "json", NULL, "print JSON, one document a trace", OPT_JSON, DN_USE_JSON },
	{ "csv", NULL, "print CSV", OPT_CSV, DN_USE_CSV },
	{ "db", "FILE", "import everything into a SQLite database", OPT_DB, 0 },
	{ "sql", "STATEMENT", "run SQL over the traces (denet-sql(7))", OPT_SQL, 0 },
	{ "since", "TIME", "from this time on: 1.5 (s), 20ms, 3m, or RFC 3339", OPT_SINCE, DN_USE_SELECT },
	{ "until", "TIME", "up to this time", OPT_UNTIL, DN_USE_SELECT },
	{ "tail", "N", "only the last N", OPT_TAIL, DN_USE_SELECT },
	{ "pid", "N[,N...]", "only these processes", OPT_PID, DN_USE_SELECT },
	{ "tid", "N[,N...]", "only these threads", OPT_TID, DN_USE_SELECT },
	{ "syscall", "NAME[,...]", "only these calls, %category, /regex/", OPT_SYSCALL, DN_USE_SELECT },
	{ "decode-fds", NULL, "show what descriptors are: 3</etc/passwd>", OPT_FDS, DN_USE_FDS },
	{ "of", "WHAT", "stacks of samples, offcpu, calls or calltime", OPT_OF, DN_USE_STACKS },
	{ "by", "WHOM", "stacks by process, thread or none", OPT_BY, DN_USE_STACKS },
	{ "symfs", "DIR", "look below DIR for names that the trace lacks", OPT_SYMFS, DN_USE_SYMFS },
	{ "lines", NULL, "with --symfs: file and line behind functions", OPT_LINES, DN_USE_LINES },
	{ "output", "FILE", "where the page goes; - is standard output", OPT_OUTPUT, DN_USE_OUTPUT },
	{ "allow-incomplete", NULL, "status 0 also for a trace that is not whole", OPT_INCOMPLETE, 0 },
	{ "threads", "N", "decode with N threads", OPT_THREADS, 0 },
	{ "color", "WHEN", "auto, always or never", OPT_COLOR, 0 },
	{ "quiet", NULL, "no progress, no remarks", OPT_QUIET, 0 },
	{ "help", NULL, "print this", OPT_HELP, 0 },
	{ "version", NULL, "print the version", OPT_VERSION, 0 },
};
/* clang-format on */

#define NOPTS (sizeof(table) / sizeof(*table))

static const char usage_hint[] = "Try denet-analyze --help";

static void usage_error(const char *subject, const char *why)
{
	dn_error("understand", subject, why, usage_hint);
}

static void print_help(const struct dn_verb *verbs)
{
	printf("Usage: denet-analyze [VERB] [OPTION]... [FILE]...\n"
	       "Answers questions about traces that denet-record wrote. Without FILE: the file\n"
	       "denet.dnt; - is standard input.\n\nVerbs (the first is taken where none is named):\n");
	for (; verbs->name; verbs++)
		printf("  %-12s %s\n", verbs->name, verbs->help);
	printf("\nOptions:\n");
	for (size_t i = 0; i < NOPTS; i++) {
		char left[40];

		snprintf(left, sizeof(left), "%c%c%c --%s%s%s", table[i].id < 256 ? '-' : ' ',
			 table[i].id < 256 ? table[i].id : ' ', table[i].id < 256 ? ',' : ' ',
			 table[i].name, table[i].arg ? " " : "", table[i].arg ? table[i].arg : "");
		printf("  %-26s %s\n", left, table[i].help);
	}
	printf("\nExit status: 0 everything was read, 1 no answer, 2 wrong usage, 3 answered\n"
	       "from an incomplete trace.\n");
}

/* --- values -------------------------------------------------------------- */

static bool parse_number(const char *s, char **end, long min, long max, long *v)
{
	errno = 0;
	*v = strtol(s, end, 10);
	return *end != s && !errno && *v >= min && *v <= max;
}

/* "1,2,3" behind what is in the list already. */
static int parse_list(const char *s, int32_t *list, size_t *n)
{
	char *end;
	long v;

	for (;; s = end + 1) {
		if (!parse_number(s, &end, 0, INT32_MAX, &v) || (*end && *end != ','))
			return -EINVAL;
		if (*n == DN_OPT_NUMBERS_MAX)
			return -E2BIG;
		list[(*n)++] = (int32_t)v;
		if (!*end)
			return 0;
	}
}

static bool want_color(const char *when)
{
	const char *term = getenv("TERM"), *no = getenv("NO_COLOR");

	if (!strcmp(when, "always"))
		return true;
	if (!strcmp(when, "never") || (no && *no))
		return false;
	return isatty(STDOUT_FILENO) && !(term && !strcmp(term, "dumb"));
}

static unsigned default_threads(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n < 1 ? 1 : n > DN_THREADS_MAX ? DN_THREADS_MAX : (unsigned)n;
}

/* The place of a word in a list, or -1. */
static int parse_word(const char *s, const char *const *word, int n)
{
	while (n-- > 0)
		if (!strcmp(s, word[n]))
			return n;
	return -1;
}

/* --- switches ------------------------------------------------------------ */

/* Sets one switch. NULL, or what is wrong with its value. */
static const char *set(struct dn_options *o, int id, const char *arg, const char **color)
{
	static const char *const of[DN_WEIGHTS] = { "samples", "offcpu", "calls", "calltime" };
	static const char *const by[] = { "none", "process", "thread" };
	char *end;
	long v;
	int i;

	switch (id) {
	case OPT_JSON:
		o->format = DN_FORMAT_JSON;
		break;
	case OPT_CSV:
		o->format = DN_FORMAT_CSV;
		break;
	case OPT_DB:
		o->db = arg;
		break;
	case OPT_SQL:
		o->sql = arg;
		break;
	case OPT_INCOMPLETE:
		o->allow_incomplete = true;
		break;
	case OPT_THREADS:
		if (!parse_number(arg, &end, 1, 1024, &v) || *end)
			return "it is not a number of threads";
		o->threads = v > DN_THREADS_MAX ? DN_THREADS_MAX : (unsigned)v;
		break;
	case OPT_COLOR:
		if (strcmp(arg, "auto") && strcmp(arg, "always") && strcmp(arg, "never"))
			return "it is not auto, always or never";
		*color = arg;
		break;
	case OPT_SINCE:
		o->has_since = true;
		return dn_when_parse(arg, &o->since) ? "it is not a time" : NULL;
	case OPT_UNTIL:
		o->has_until = true;
		return dn_when_parse(arg, &o->until) ? "it is not a time" : NULL;
	case OPT_TAIL:
		if (!parse_number(arg, &end, 0, LONG_MAX, &v) || *end)
			return "it is not a count";
		o->tail = v;
		break;
	case OPT_PID:
		return parse_list(arg, o->pid, &o->npid) ? "it is not a list of process ids" : NULL;
	case OPT_TID:
		return parse_list(arg, o->tid, &o->ntid) ? "it is not a list of thread ids" : NULL;
	case OPT_SYSCALL:
		o->syscall = arg;
		break;
	case OPT_OF:
		i = parse_word(arg, of, DN_WEIGHTS);
		if (i < 0)
			return "it is not samples, offcpu, calls or calltime";
		o->has_of = true;
		o->of = (enum dn_weight)i;
		break;
	case OPT_BY:
		i = parse_word(arg, by, 3);
		if (i < 0)
			return "it is not process, thread or none";
		o->by = (enum dn_stacks_by)i;
		break;
	case OPT_SYMFS:
		if (o->nsymfs == DN_OPT_SYMFS_MAX)
			return "there are too many of them";
		o->symfs[o->nsymfs++] = arg;
		break;
	case OPT_LINES:
		o->lines = true;
		break;
	case OPT_OUTPUT:
		o->output = arg;
		break;
	case OPT_FDS:
		o->decode_fds = true;
		break;
	case OPT_QUIET:
		o->quiet = true;
		break;
	}
	return NULL;
}

static const struct opt *find(int id)
{
	for (size_t i = 0; i < NOPTS; i++)
		if (table[i].id == id)
			return &table[i];
	return NULL;
}

static void make_getopt(struct option *lo, char *letters)
{
	*letters++ = ':';	/* errors are ours to tell */
	for (size_t i = 0; i < NOPTS; i++) {
		lo[i] = (struct option){ table[i].name,
					 table[i].arg ? required_argument : no_argument, NULL,
					 table[i].id };
		if (table[i].id < 256) {
			*letters++ = (char)table[i].id;
			if (table[i].arg)
				*letters++ = ':';
		}
	}
	lo[NOPTS] = (struct option){ 0 };
	*letters = 0;
}

/* What getopt could not read: a switch, or its value, that is not there. */
static enum dn_parsed unreadable(int c, int argc, char **argv, int at)
{
	char letter[3] = { '-', (char)optopt, 0 };
	const char *subject = at < argc ? argv[at] : "the command line";

	if (optopt > 0 && optopt < 256 && !find(optopt))
		subject = letter;
	usage_error(subject, c == ':' ? "its value is missing" :
		    find(optopt) ? "it takes no value" : "there is no such option");
	return DN_PARSED_USAGE;
}

/* The verb, and files behind it. */
static int take_words(struct dn_options *o, int n, char **word, const struct dn_verb *verbs)
{
	static char standard[] = "denet.dnt";
	const struct dn_verb *v = verbs;
	size_t nfile = 0;

	while (n && v->name && strcmp(v->name, word[0]))
		v++;
	o->verb = verbs;
	if (n && v->name) {
		o->verb = v;
		word++;
		n--;
	}
	o->file = calloc((size_t)n + 1, sizeof(*o->file));
	if (!o->file)
		return -ENOMEM;
	for (int i = 0; i < n; i++)
		o->file[nfile++] = word[i];
	if (!nfile)
		o->file[nfile++] = standard;
	o->nfile = nfile;
	return 0;
}

static const struct dn_verb *verb_named(const struct dn_verb *v, const char *name)
{
	for (; v->name; v++)
		if (!strcmp(v->name, name))
			return v;
	return NULL;
}

/* --sql and --db are verbs of their own: they go with no other. */
static enum dn_parsed settle_verb(struct dn_options *o, const struct dn_verb *verbs, unsigned given)
{
	const char *implied = o->sql ? "sql" : o->db ? "import" : NULL;
	const struct dn_verb *v = implied ? verb_named(verbs, implied) : NULL;

	if (implied && o->verb != verbs && o->verb != v) {
		usage_error(o->verb->name, o->sql ? "--sql goes with no verb" : "--db goes with no verb");
		return DN_PARSED_USAGE;
	}
	if (v)
		o->verb = v;
	for (size_t i = 0; i < NOPTS; i++)
		if (given & 1u << i && table[i].use && !(table[i].use & o->verb->uses)) {
			char why[80], name[40];

			snprintf(name, sizeof(name), "--%s", table[i].name);
			snprintf(why, sizeof(why), "%s has no use for it", o->verb->name);
			usage_error(name, why);
			return DN_PARSED_USAGE;
		}
	if (o->lines && !o->nsymfs) {
		dn_error("understand", "--lines", "it is not said where the files are",
			 "Name a directory with --symfs DIR; --symfs / is this machine");
		return DN_PARSED_USAGE;
	}
	return DN_PARSED_RUN;
}

enum dn_parsed dn_options_parse(struct dn_options *o, int argc, char **argv,
				const struct dn_verb *verbs)
{
	struct option lo[NOPTS + 1];
	char letters[2 * NOPTS + 2];
	const char *color = "auto";
	unsigned given = 0;
	int c, at = 1;

	*o = (struct dn_options){ .threads = default_threads(), .tail = -1 };
	make_getopt(lo, letters);
	optind = 0;	/* with 1 it would go on in the middle of a word of an earlier command line */
	opterr = 0;
	while (at = optind ? optind : 1, (c = getopt_long(argc, argv, letters, lo, NULL)) != -1) {
		const struct opt *opt = find(c);
		const char *wrong;

		if (!opt)
			/* words before it may have been passed over; what lacks its value is the last */
			return unreadable(c, argc, argv, c == ':' ? optind - 1 : at);
		if (c == OPT_HELP) {
			print_help(verbs);
			return DN_PARSED_DONE;
		}
		if (c == OPT_VERSION) {
			printf("denet-analyze %s\n", DN_VERSION);
			return DN_PARSED_DONE;
		}
		given |= 1u << (opt - table);
		wrong = set(o, c, optarg, &color);
		if (wrong) {
			char name[40];

			snprintf(name, sizeof(name), "--%s %s", opt->name, optarg);
			usage_error(name, wrong);
			return DN_PARSED_USAGE;
		}
	}
	o->color = want_color(color);
	if (take_words(o, argc - optind, argv + optind, verbs)) {
		dn_error("begin", NULL, strerror(ENOMEM), NULL);
		return DN_PARSED_USAGE;
	}
	return settle_verb(o, verbs, given);
}

void dn_options_free(struct dn_options *o)
{
	free(o->file);
	o->file = NULL;
}
