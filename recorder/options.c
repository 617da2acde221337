/*
 * options.c - one table of options: getopt, --help and the manual's test read it.
 */
#include "options.h"

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "perfcount.h"
#include "syscalls.h"
#include "target.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "unknown"
#endif

enum {
	OPT_MAX_INTERVAL = 256, OPT_BUFFER, OPT_LEVEL, OPT_REDACT, OPT_DURATION, OPT_WAIT, OPT_SYNC,
	OPT_NO_STRINGS, OPT_REQUIRE, OPT_RUNG, OPT_CHECK, OPT_JSON, OPT_NO_NET, OPT_NO_OFFCPU,
	OPT_NO_STACKS, OPT_NO_SYMBOLS,
	OPT_OFFCPU_MIN, OPT_SAMPLE, OPT_STACK, OPT_COUNTERS,
};

static const struct {
	const char *name, *arg, *help;
	int val;
} table[] = {
	{ "output", "FILE", "write the trace to FILE (denet.dnt); -: to standard output", 'o' },
	{ "count", NULL, "print a table of system calls at the end, as strace -c", 'c' },
	{ "quiet", NULL, "no status line and no closing line", 'q' },
	{ "interval", "TIME", "first interval of /proc readings (100ms)", 'i' },
	{ "max-interval", "TIME", "interval they widen to after 10 s (1s)", OPT_MAX_INTERVAL },
	{ "buffer", "SIZE", "ring buffers of all CPUs together (32M)", OPT_BUFFER },
	{ "compress-level", "N", "zstd level of the trace (3)", OPT_LEVEL },
	{ "redact", "WHAT", "secrets in arguments: default, none", OPT_REDACT },
	{ "no-strings", NULL, "no paths, arguments or addresses of calls", OPT_NO_STRINGS },
	{ "no-net", NULL, "no sockets and no bytes through them", OPT_NO_NET },
	{ "no-offcpu", NULL, "no times off the CPU, and not who ended them", OPT_NO_OFFCPU },
	{ "offcpu-min", "TIME", "add up times off the CPU shorter than TIME, by thread", OPT_OFFCPU_MIN },
	{ "freq", "N", "samples a second of what runs on each CPU (99); 0: none", 'F' },
	{ "sample", "CLOCK", "by which clock: cpu-clock, or cycles where the CPUs count them", OPT_SAMPLE },
	{ "stack", "CALL[,CALL]", "stacks of system calls; slow:TIME: of those that take so long", OPT_STACK },
	{ "no-stacks", NULL, "samples and times off the CPU without stacks", OPT_NO_STACKS },
	{ "no-symbols", NULL, "stacks without names of functions", OPT_NO_SYMBOLS },
	{ "counters", "LIST", "performance counters by thread: hardware, none, or names", OPT_COUNTERS },
	{ "duration", "TIME", "end the recording after TIME, the command runs on", OPT_DURATION },
	{ "wait", "WHAT", "record until the command ends, or its tree: command, tree", OPT_WAIT },
	{ "sync", "WHAT", "force to disk: none, block (each block as it is written)", OPT_SYNC },
	{ "require", "NAME[,NAME]", "do not start unless this can be observed", OPT_REQUIRE },
	{ "rung", "NAME[,NAME]", "take no better way than tp_btf, raw_tp, no_btf, proc", OPT_RUNG },
	{ "user", "NAME", "run the command as this user", 'u' },
	{ "pid", "PID[,PID]", "record processes that run already, and their descendants", 'p' },
	{ "check", NULL, "say what this machine lets us record, and what mends the rest", OPT_CHECK },
	{ "json", NULL, "with --check: as JSON", OPT_JSON },
	{ "help", NULL, "print this and leave", 'h' },
	{ "version", NULL, "print the version and leave", 'V' },
};

#define OPTIONS (sizeof(table) / sizeof(table[0]))

static void usage(FILE *f)
{
	fputs("Usage: denet-record [OPTION]... [--] COMMAND [ARGUMENT]...\n"
	      "       denet-record [OPTION]... -p PID[,PID]...\n"
	      "       denet-record --check [--json]\n"
	      "Record everything COMMAND does, or a running process, into a trace.\n\n", f);
	for (unsigned i = 0; i < OPTIONS; i++) {
		char left[40];

		snprintf(left, sizeof(left), "%s%c%s--%s%s%s", table[i].val < 256 ? "-" : "  ",
			 table[i].val < 256 ? table[i].val : ' ', table[i].val < 256 ? ", " : " ",
			 table[i].name, table[i].arg ? "=" : "", table[i].arg ? table[i].arg : "");
		fprintf(f, "  %-26s %s\n", left, table[i].help);
	}
	fputs("\nTIME is a number with ns, us, ms, s, m or h (s if none); SIZE takes k, M or G.\n"
	      "Exit status: the command's own; 125 the recorder failed before the start,\n"
	      "126 the command cannot be executed, 127 it was not found. With -p: 0.\n"
	      "With --check: 0 full recording works, 3 part of it, 4 nothing can be recorded.\n"
	      "Look at the trace with denet-analyze.\n", f);
}

/* Says what is wrong, then gives the status for dn_record_options. */
#define wrong(...) (fputs("denet-record: ", stderr), fprintf(stderr, __VA_ARGS__), \
	fputs("; see denet-record --help\n", stderr), DN_EXIT_RECORDER + 1)

struct unit {
	const char *name;
	double factor;
};

static const struct unit times[] = { { "", 1e9 }, { "ns", 1 }, { "us", 1e3 }, { "ms", 1e6 },
	{ "s", 1e9 }, { "m", 60e9 }, { "min", 60e9 }, { "h", 3600e9 }, { NULL, 0 } };
static const struct unit sizes[] = { { "", 1 }, { "k", 1024 }, { "K", 1024 }, { "KiB", 1024 },
	{ "M", 1 << 20 }, { "MiB", 1 << 20 }, { "G", 1 << 30 }, { "GiB", 1 << 30 }, { NULL, 0 } };

/* A positive number with a unit; 0 where it is none. */
static uint64_t number(const char *s, const struct unit *u)
{
	char *end;
	double v = strtod(s, &end);

	if (end == s || !(v > 0))
		return 0;
	for (; u->name; u++)
		if (!strcmp(end, u->name) && v * u->factor >= 1 && v * u->factor < 9e18)
			return (uint64_t)(v * u->factor);
	return 0;
}

/* Cuts the list at its commas, in place. */
static int require(struct dn_record_opts *o, char *list)
{
	for (char *name = strtok(list, ","); name; name = strtok(NULL, ",")) {
		if (o->nrequired == DN_REQUIRED_MAX)
			return wrong("--require takes %d names at most", DN_REQUIRED_MAX);
		o->required[o->nrequired++] = name;
	}
	return o->nrequired ? 0 : wrong("--require wants the name of a probe");
}

static bool is_call(const char *name)
{
	for (unsigned abi = 0; abi < DN_ABI_MAX; abi++)
		if (dn_syscall_nr((enum dn_abi)abi, name) >= 0)
			return true;
	return false;
}

/* Names of calls, and slow:TIME; the list without the latter is kept. */
static int stack(struct dn_record_opts *o, const char *arg)
{
	char *list = strdup(arg), *to = list, *next;	/* the command line is recorded as it was given */

	if (!list)
		return wrong("not enough memory");
	o->stack_calls = list;
	for (char *name = list; name; name = next) {
		next = strchr(name, ',');
		if (next)
			*next++ = 0;
		if (!strncmp(name, "slow:", 5)) {
			o->stack_slow_ns = number(name + 5, times);
			if (!o->stack_slow_ns)
				return wrong("\"%s\" is no time for --stack=slow:TIME", name + 5);
			continue;
		}
		if (!is_call(name))
			return wrong("there is no system call \"%s\" for --stack", name);
		if (to != list)
			*to++ = ',';
		memmove(to, name, strlen(name) + 1);
		to += strlen(to);
	}
	if (to == list)
		o->stack_calls = NULL;
	return 0;
}

/* One list of all that -p was given. */
static int add_pids(struct dn_record_opts *o, const char *arg)
{
	char *all;

	if (asprintf(&all, "%s%s%s", o->attach ? o->attach : "", o->attach ? "," : "", arg) < 0)
		return wrong("not enough memory");
	o->attach = all;
	return 0;
}

/* Names of counters, hardware for those of the CPU that there are, or none. */
static int counters(struct dn_record_opts *o, const char *arg)
{
	o->perf = o->perf_named = 0;
	if (!strcmp(arg, "none"))
		return 0;
	for (const char *at = arg;; at++) {
		const size_t n = strcspn(at, ",");
		const int kind = dn_perf_find(at, n);

		if (n == strlen("hardware") && !strncmp(at, "hardware", n))
			o->perf |= DN_PERF_HARDWARE;
		else if (kind < 0)
			return wrong("there is no performance counter \"%.*s\" for --counters", (int)n, at);
		else
			o->perf_named |= 1u << kind;
		at += n;
		if (!*at)
			break;
	}
	o->perf |= o->perf_named;
	return 0;
}

static int set(struct dn_record_opts *o, int val, char *arg)
{
	char *end;
	long n;

	switch (val) {
	case 'o':
		o->output = arg;
		return *arg ? 0 : wrong("-o wants a file name");
	case 'c':
		o->count = true;
		return 0;
	case 'q':
		o->quiet = true;
		return 0;
	case 'u':
		o->user = arg;
		return 0;
	case 'p':
		return add_pids(o, arg);
	case 'i':
		o->interval_ns = number(arg, times);
		return o->interval_ns ? 0 : wrong("\"%s\" is no time for --interval", arg);
	case OPT_MAX_INTERVAL:
		o->max_interval_ns = number(arg, times);
		return o->max_interval_ns ? 0 : wrong("\"%s\" is no time for --max-interval", arg);
	case OPT_DURATION:
		o->duration_ns = number(arg, times);
		return o->duration_ns ? 0 : wrong("\"%s\" is no time for --duration", arg);
	case OPT_BUFFER:
		o->buffer = number(arg, sizes);
		if (o->buffer < 256u << 10 || o->buffer > (uint64_t)64 << 30)
			return wrong("\"%s\" is no size for --buffer (256k to 64G)", arg);
		return 0;
	case OPT_LEVEL:
		n = strtol(arg, &end, 10);
		if (*end || end == arg || n < ZSTD_minCLevel() || n > ZSTD_maxCLevel())
			return wrong("\"%s\" is no level of zstd for --compress-level", arg);
		o->level = (int)n;
		return 0;
	case OPT_REDACT:
		o->redact = strcmp(arg, "none");
		return !o->redact || !strcmp(arg, "default") ? 0 :
			wrong("--redact takes default or none, not \"%s\"", arg);
	case OPT_NO_NET:
		o->net = false;
		return 0;
	case OPT_NO_OFFCPU:
		o->offcpu = false;
		return 0;
	case OPT_STACK:
		return stack(o, arg);
	case OPT_COUNTERS:
		return counters(o, arg);
	case OPT_OFFCPU_MIN:
		o->offcpu_min_ns = number(arg, times);
		return o->offcpu_min_ns || !strcmp(arg, "0") ? 0 : wrong("\"%s\" is no time for --offcpu-min", arg);
	case OPT_NO_STACKS:
		o->stacks = false;
		return 0;
	case OPT_NO_SYMBOLS:
		o->symbols = false;
		return 0;
	case 'F':
		n = strtol(arg, &end, 10);
		if (*end || end == arg || n < 0 || n > DN_FREQ_MAX)
			return wrong("\"%s\" is no number of samples a second for --freq (0 to %d)", arg, DN_FREQ_MAX);
		o->freq = (unsigned)n;
		return 0;
	case OPT_SAMPLE:
		o->cycles = !strcmp(arg, "cycles");
		return o->cycles || !strcmp(arg, "cpu-clock") ? 0 :
			wrong("--sample takes cpu-clock or cycles, not \"%s\"", arg);
	case OPT_NO_STRINGS:
		o->strings = false;
		return 0;
	case OPT_REQUIRE:
		return require(o, arg);
	case OPT_RUNG:
		o->rung = arg;
		return 0;
	case OPT_WAIT:
		o->wait_tree = !strcmp(arg, "tree");
		return o->wait_tree || !strcmp(arg, "command") ? 0 :
			wrong("--wait takes command or tree, not \"%s\"", arg);
	case OPT_SYNC:
		o->sync_blocks = !strcmp(arg, "block");
		return o->sync_blocks || !strcmp(arg, "none") ? 0 :
			wrong("--sync takes none or block, not \"%s\"", arg);
	case OPT_CHECK:
		o->check = true;
		return 0;
	case OPT_JSON:
		o->json = true;
		return 0;
	case 'h':
		usage(stdout);
		return 1;
	case 'V':
		puts("denet-record " PACKAGE_VERSION);
		return 1;
	}
	fputs("denet-record: see denet-record --help\n", stderr);	/* getopt has said why */
	return DN_EXIT_RECORDER + 1;
}

int dn_record_options(struct dn_record_opts *o, int argc, char **argv)
{
	struct option longs[OPTIONS + 1];
	char shorts[2 * OPTIONS + 2] = "+", *s = shorts + 1;
	int val, err;

	memset(longs, 0, sizeof(longs));
	for (unsigned i = 0; i < OPTIONS; i++) {
		longs[i].name = table[i].name;
		longs[i].has_arg = table[i].arg ? required_argument : no_argument;
		longs[i].val = table[i].val;
		if (table[i].val < 256) {
			*s++ = (char)table[i].val;
			if (table[i].arg)
				*s++ = ':';
		}
	}
	*s = 0;
	*o = (struct dn_record_opts){ .output = "denet.dnt", .buffer = 32u << 20, .level = 3,
		.redact = true, .strings = true, .net = true, .offcpu = true, .stacks = true, .symbols = true, .freq = 99,
		.perf = DN_PERF_HARDWARE };
	while ((val = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		err = set(o, val, optarg);
		if (err)
			return err;
	}
	if (!o->stacks && (o->stack_calls || o->stack_slow_ns))
		return wrong("--stack and --no-stacks contradict each other");
	if (o->json && !o->check)
		return wrong("--json goes with --check");
	if (o->check)
		return optind == argc && !o->attach ? 0 : wrong("--check takes no command");
	if (o->attach && optind < argc)
		return wrong("-p and a command contradict each other");
	if (o->attach && o->user)
		return wrong("-u goes with a command, not with -p");
	if (optind == argc && !o->attach)
		return wrong("there is no command to record");
	o->argv = argv + optind;
	return 0;
}
