/*
 * check.h - the doctor: what this machine lets denet-record do, and what mends
 * what it does not.
 *
 * Every program is loaded and attached for real; that decides. Everything else
 * (kernel, rights, place) explains: a thing that is lacking is only called
 * missing where something in fact fails. Nothing is changed, and nothing that
 * protects the machine is ever advised to be weakened.
 *
 * One thread, start-up only: it allocates.
 */
#ifndef DN_RECORDER_CHECK_H
#define DN_RECORDER_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "probe.h"

enum dn_check_state { DN_CHECK_OK, DN_CHECK_INFO, DN_CHECK_DEGRADED, DN_CHECK_MISSING };
const char *dn_check_state_name(enum dn_check_state s);

struct dn_finding {
	const char *group;		/* heading: "Kernel" */
	char id[32];
	enum dn_check_state state;
	char found[256], means[512];
	char fix[1024];			/* a command; empty: nothing to do */
};

/* One program, as dn_probe_try told of it. */
struct dn_check_trial {
	char object[32], probe[32], rung[32], program[32];
	int load_err, attach_err;
	char why[256];
	bool less;	/* struct dn_trial */
};

#define DN_CHECK_FINDINGS_MAX 96
#define DN_CHECK_TRIALS_MAX 128

/* Exit statuses. 1 and 2 are what shells and others use for much else. */
enum dn_verdict { DN_VERDICT_FULL = 0, DN_VERDICT_DEGRADED = 3, DN_VERDICT_NONE = 4 };

struct dn_diagnosis {
	enum dn_verdict verdict;
	struct dn_finding finding[DN_CHECK_FINDINGS_MAX];
	size_t nfindings;
	struct dn_check_trial trial[DN_CHECK_TRIALS_MAX];
	size_t ntrials;
};

struct dn_check_opts {
	const char *root;		/* NULL: "/"; a test's own tree */
	/* NULL: dn_probe_try */
	int (*attempt)(int (*fn)(void *ctx, const struct dn_trial *t), void *ctx);
};

/* 0, or -errno where the check itself cannot be made. */
int dn_check(struct dn_diagnosis *d, const struct dn_check_opts *o);

/* 80 columns for people, or one JSON document. */
void dn_check_text(const struct dn_diagnosis *d, FILE *f, bool colour);
void dn_check_json(const struct dn_diagnosis *d, FILE *f);

/* --check on standard output: the exit status. */
int dn_check_main(bool json);

#endif
