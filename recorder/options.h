/*
 * options.h - the command line of denet-record.
 */
#ifndef DN_RECORDER_OPTIONS_H
#define DN_RECORDER_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#define DN_FREQ_MAX 10000
#define DN_REQUIRED_MAX 16

struct dn_record_opts {
	const char *output;
	uint64_t buffer;		/* bytes of all rings */
	uint64_t interval_ns, max_interval_ns;
	uint64_t duration_ns;		/* 0: until the command ends */
	int level;			/* zstd */
	bool redact;
	bool strings;
	bool net;			/* sockets and what goes through them */
	bool offcpu;			/* when threads run, and who wakes them */
	uint64_t offcpu_min_ns;		/* shorter times off a CPU are added up; 0: none */
	uint64_t stack_slow_ns;		/* system calls that take so long have a stack; 0: none */
	const char *stack_calls;	/* and those of these names, separated by commas; NULL: none */
	bool stacks;
	bool symbols;			/* names of functions in them */
	unsigned freq;			/* samples a second of each CPU; 0: none */
	bool cycles;			/* by cycles, where there are such */
	uint32_t perf;			/* performance counters, those that there are: a bit for each enum dn_perf */
	uint32_t perf_named;		/* of these, those that there must be */
	bool quiet;
	bool count;			/* -c */
	bool wait_tree;
	bool sync_blocks;
	bool check;			/* no recording: --check, as JSON with json */
	bool json;
	const char *user;
	const char *attach;		/* processes that run already, in place of a command; NULL: none */
	const char *rung;		/* the best one to try, NULL: any */
	const char *required[DN_REQUIRED_MAX];
	unsigned nrequired;
	char **argv;			/* the command, ends with NULL */
};

/*
 * Fills o from the command line. 0: go on. Else the exit status to leave with,
 * plus one (--help and --version have printed; a wrong word has been named on
 * stderr).
 */
int dn_record_options(struct dn_record_opts *o, int argc, char **argv);

#endif
