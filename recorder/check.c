/*
 * check.c - the doctor's table of checks, the trials and the verdict.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "check.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check_int.h"
#include "names.h"
#include "say.h"
#include "shell_quote.h"
#include "target.h"

static const struct {
	const char *group;
	void (*run)(struct dn_check *c);
} checks[] = {
	{ "Kernel", dn_check_kernel },
	{ "Kernel", dn_check_config },
	{ "Kernel", dn_check_btf },
	{ "Kernel", dn_check_jit },
	{ "Kernel", dn_check_figures },
	{ "Rights", dn_check_rights },
	{ "Rights", dn_check_file },
	{ "Rights", dn_check_sysctls },
	{ "Rights", dn_check_memlock },
	{ "Rights", dn_check_lockdown },
	{ "Place", dn_check_place },
	{ "Place", dn_check_seccomp },
	{ "Tracing", dn_check_tracefs },
	{ "Tracing", dn_check_symbols },
	{ "Tracing", dn_check_attach },
	{ "Probes", dn_check_probes },
};

const char *dn_check_state_name(enum dn_check_state s)
{
	static const char *const names[] = { "ok", "info", "degraded", "missing" };

	return names[s];
}

/* --- findings ---------------------------------------------------------------------- */

struct dn_finding *dn_finding(struct dn_check *c, enum dn_check_state s, const char *id)
{
	struct dn_finding *f = &c->d->finding[c->d->nfindings++];

	assert(c->d->nfindings <= DN_CHECK_FINDINGS_MAX);
	memset(f, 0, sizeof(*f));
	f->state = s;
	snprintf(f->id, sizeof(f->id), "%s", id);
	return f;
}

#define PRINT_TO(member)                                         \
	do {                                                     \
		va_list ap;                                      \
		va_start(ap, fmt);                               \
		vsnprintf(member, sizeof(member), fmt, ap);      \
		va_end(ap);                                      \
	} while (0)

void dn_found(struct dn_finding *f, const char *fmt, ...)
{
	PRINT_TO(f->found);
}

void dn_means(struct dn_finding *f, const char *fmt, ...)
{
	PRINT_TO(f->means);
}

void dn_fix(struct dn_finding *f, const char *fmt, ...)
{
	PRINT_TO(f->fix);
}

/* --- how far a path goes ------------------------------------------------------------- */

static void describe(struct dn_check *c, const char *path, struct dn_reached *r)
{
	struct stat st;

	snprintf(r->at, sizeof(r->at), "%s%s", c->env.real_root ? "/" : "", path);
	if (!fstatat(c->env.root, path, &st, 0))
		snprintf(r->who, sizeof(r->who), "mode %04o, owner %u:%u", st.st_mode & 07777, st.st_uid, st.st_gid);
}

enum dn_reach dn_reach(struct dn_check *c, const char *path, struct dn_reached *r)
{
	char part[512];
	size_t n;

	memset(r, 0, sizeof(*r));
	snprintf(part, sizeof(part), "%s", path);
	/* A directory that may not be searched comes before what is below it. */
	for (n = strcspn(path, "/"); path[n]; n += 1 + strcspn(path + n + 1, "/")) {
		part[n] = 0;
		if (faccessat(c->env.root, part, X_OK, AT_EACCESS) && errno == EACCES) {
			r->err = EACCES;
			describe(c, part, r);
			return r->how = DN_REACH_HIDDEN;
		}
		part[n] = '/';
	}
	if (!faccessat(c->env.root, path, R_OK, AT_EACCESS))
		return r->how = DN_REACH_OK;
	r->err = errno;
	describe(c, path, r);
	if (r->err == ENOENT || r->err == ENOTDIR)
		return r->how = DN_REACH_ABSENT;
	return r->how = r->err == EACCES ? DN_REACH_UNREADABLE : DN_REACH_ERROR;
}

const char *dn_reach_text(const struct dn_reached *r, char *buf, size_t cap)
{
	switch (r->how) {
	case DN_REACH_OK:
		snprintf(buf, cap, "readable");
		break;
	case DN_REACH_ABSENT:
		snprintf(buf, cap, "not there");
		break;
	case DN_REACH_HIDDEN:
		snprintf(buf, cap, "there or not, nobody can say: %s may not be searched (EACCES; %s)", r->at, r->who);
		break;
	case DN_REACH_UNREADABLE:
		snprintf(buf, cap, "there and not readable by this process (EACCES; %s)", r->who);
		break;
	case DN_REACH_ERROR:
		snprintf(buf, cap, "not readable: %s", strerror(r->err));
		break;
	}
	return buf;
}

/* --- trials --------------------------------------------------------------------------- */

static int keep_trial(void *ctx, const struct dn_trial *t)
{
	struct dn_diagnosis *d = ctx;
	struct dn_check_trial *to = &d->trial[d->ntrials];

	if (d->ntrials == DN_CHECK_TRIALS_MAX)
		return -E2BIG;
	d->ntrials++;
	snprintf(to->object, sizeof(to->object), "%s", t->object);
	snprintf(to->probe, sizeof(to->probe), "%s", t->probe);
	snprintf(to->rung, sizeof(to->rung), "%s", t->rung);
	snprintf(to->program, sizeof(to->program), "%s", t->program);
	memcpy(to->why, t->why, sizeof(to->why));
	to->less = t->less;
	to->load_err = t->load_err;
	to->attach_err = t->attach_err;
	return 0;
}

static bool works(const struct dn_check_trial *t)
{
	return !t->load_err && !t->attach_err;
}

static bool of_recorder(const struct dn_check_trial *t)
{
	return strcmp(t->object, DN_TRIAL_ONLY) != 0;
}

/* Same way of attaching the same probe. */
static bool together(const struct dn_check_trial *a, const struct dn_check_trial *b)
{
	return !strcmp(a->object, b->object) && !strcmp(a->probe, b->probe) && !strcmp(a->rung, b->rung);
}

static bool first_of(const struct dn_diagnosis *d, size_t at, bool probe_only)
{
	for (size_t i = 0; i < at; i++)
		if (probe_only ? of_recorder(&d->trial[i]) && !strcmp(d->trial[i].probe, d->trial[at].probe) :
				 together(&d->trial[i], &d->trial[at]))
			return false;
	return true;
}

/* How many programs a way of attaching has, how many work, and the first that does not. */
static size_t count_way(const struct dn_diagnosis *d, size_t at, size_t *good, const struct dn_check_trial **bad)
{
	size_t n = 0;

	*good = 0;
	*bad = NULL;
	for (size_t i = 0; i < d->ntrials; i++) {
		if (!together(&d->trial[i], &d->trial[at]))
			continue;
		n++;
		if (works(&d->trial[i]))
			++*good;
		else if (!*bad)
			*bad = &d->trial[i];
	}
	return n;
}

static void say_failure(struct dn_finding *f, const char *before, const struct dn_check_trial *t)
{
	int err = t->load_err ? t->load_err : t->attach_err;
	const char *name = dn_errno_name((unsigned)-err);

	dn_found(f, "%s%s could not be %s: %s%s%s", before, t->program, t->load_err ? "loaded" : "attached",
		 name ? name : strerror(-err), t->why[0] ? "; " : "", t->why);
}

/* A probe works in the first of its ways in which all programs work. */
static void check_probe(struct dn_check *c, size_t at)
{
	const struct dn_diagnosis *d = c->d;
	const struct dn_check_trial *first = &d->trial[at], *bad, *failed = NULL;
	struct dn_finding *f;
	char id[48];
	size_t n, good;

	snprintf(id, sizeof(id), "probe.%s", first->probe);
	for (size_t i = at; i < d->ntrials; i++) {
		if (!of_recorder(&d->trial[i]) || strcmp(d->trial[i].probe, first->probe) || !first_of(d, i, false))
			continue;
		n = count_way(d, i, &good, &bad);
		if (bad) {
			failed = failed ? failed : bad;
			continue;
		}
		f = dn_finding(c, !failed ? DN_CHECK_OK : d->trial[i].less ? DN_CHECK_DEGRADED : DN_CHECK_INFO, id);
		if (failed) {
			say_failure(f, "", failed);
			dn_means(f, "recorded on the rung %s instead%s", d->trial[i].object,
				 d->trial[i].less ? ", in less detail" : "");
		} else {
			dn_found(f, "%zu of %zu programs load and attach, through %s", good, n, d->trial[i].rung);
			dn_means(f, "recorded");
		}
		return;
	}
	f = dn_finding(c, DN_CHECK_MISSING, id);
	say_failure(f, "", failed);
	if (dn_probe_without(first->probe))
		dn_means(f, "%s", dn_probe_without(first->probe));
	else
		dn_means(f, "without it the recording is made from /proc only; what is missing above says why");
}

void dn_check_probes(struct dn_check *c)
{
	for (size_t i = 0; i < c->d->ntrials; i++)
		if (of_recorder(&c->d->trial[i]) && first_of(c->d, i, true))
			check_probe(c, i);
}

/* What no probe of the recorder needs, tried all the same: many tools stand on it. */
void dn_check_attach(struct dn_check *c)
{
	for (size_t i = 0; i < c->d->ntrials; i++) {
		const struct dn_check_trial *t = &c->d->trial[i];
		struct dn_finding *f;
		char id[48];

		if (of_recorder(t))
			continue;
		snprintf(id, sizeof(id), "attach.%s", t->rung);
		f = dn_finding(c, works(t) ? DN_CHECK_OK : DN_CHECK_INFO, id);
		if (works(t))
			dn_found(f, "%s loads and attaches", t->program);
		else
			say_failure(f, "", t);
		dn_means(f, "no probe of denet-record uses it");
	}
}

/* What the rest is judged by. */
/* Whether a probe works in a way that sees all. */
static bool whole(const struct dn_diagnosis *d, size_t at)
{
	const struct dn_check_trial *bad;
	size_t good;

	for (size_t i = at; i < d->ntrials; i++) {
		if (!of_recorder(&d->trial[i]) || strcmp(d->trial[i].probe, d->trial[at].probe) || d->trial[i].less)
			continue;
		count_way(d, i, &good, &bad);
		if (!bad)
			return true;
	}
	return false;
}

static void sum_up(struct dn_check *c)
{
	const struct dn_diagnosis *d = c->d;
	c->full = c->none = true;
	for (size_t i = 0; i < d->ntrials; i++) {
		const struct dn_check_trial *t = &d->trial[i];

		if (!of_recorder(t))
			continue;
		c->none = c->none && !works(t);
		c->tracefs_needed |= !strcmp(t->rung, "tp") || !strcmp(t->rung, "tracepoint");
		if (!first_of(d, i, true))
			continue;
		c->full = c->full && whole(d, i);
	}
	c->full = c->full && !c->none;
}

/* --- the whole --------------------------------------------------------------------------- */

static void name_self(struct dn_check *c)
{
	char path[256];
	ssize_t n = readlinkat(c->env.root, "proc/self/exe", path, sizeof(path) - 1);
	size_t len;

	if (n < 0) {
		snprintf(c->self, sizeof(c->self), "denet-record");
		return;
	}
	path[n] = 0;
	len = dn_shell_quote(path, (size_t)n + 1, c->self, sizeof(c->self) - 1);
	c->self[len < sizeof(c->self) ? len : sizeof(c->self) - 1] = 0;
}

int dn_check(struct dn_diagnosis *d, const struct dn_check_opts *o)
{
	struct dn_check c = { .d = d };
	int err = 0;

	memset(d, 0, sizeof(*d));
	c.env.real_root = !o->root;
	c.env.root = open(o->root ? o->root : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (c.env.root < 0)
		return -errno;
	name_self(&c);
	c.foreign = dn_check_is_foreign(&c);
	if (!dn_check_bpf_is_deadly(&c))
		err = (o->attempt ? o->attempt : dn_probe_try)(keep_trial, d);
	if (err)
		goto out;
	sum_up(&c);
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		size_t before = d->nfindings;

		checks[i].run(&c);
		while (before < d->nfindings)
			d->finding[before++].group = checks[i].group;
	}
	d->verdict = DN_VERDICT_FULL;
	for (size_t i = 0; i < d->nfindings; i++)
		if (d->finding[i].state >= DN_CHECK_DEGRADED)
			d->verdict = DN_VERDICT_DEGRADED;
	if (c.none)
		d->verdict = DN_VERDICT_NONE;
out:
	close(c.env.root);
	return err;
}

int dn_check_main(bool json)
{
	struct dn_diagnosis *d = malloc(sizeof(*d));
	const char *term = getenv("TERM"), *no = getenv("NO_COLOR");
	int err = d ? dn_check(d, &(struct dn_check_opts){ 0 }) : -ENOMEM, status;

	if (err) {
		dn_say("cannot check this machine: %s; it needs some memory and /proc", strerror(-err));
		free(d);
		return DN_EXIT_RECORDER;
	}
	if (json)
		dn_check_json(d, stdout);
	else
		dn_check_text(d, stdout, isatty(STDOUT_FILENO) && !(no && *no) && !(term && !strcmp(term, "dumb")));
	status = (int)d->verdict;
	free(d);
	if (fflush(stdout) || ferror(stdout)) {
		dn_say("cannot write to standard output: %s; give it a place that takes it", strerror(errno));
		return DN_EXIT_RECORDER;
	}
	return status;
}
