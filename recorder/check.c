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
	{ "Tracing", dn_check_counters },
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

static bool of(const struct dn_check_trial *t, const char *object, const char *probe)
{
	return !strcmp(t->object, object) && !strcmp(t->probe, probe);
}

/* The first of its object, or of its probe. */
static bool first_of(const struct dn_diagnosis *d, size_t at, bool by_probe)
{
	const struct dn_check_trial *t = &d->trial[at];

	for (size_t i = 0; i < at; i++)
		if (by_probe ? !strcmp(d->trial[i].probe, t->probe) : !strcmp(d->trial[i].object, t->object))
			return false;
	return true;
}

/* A recording takes the first object whose programs of the probes that it cannot do
 * without all work, and all other probes from there. */
static bool serves(const struct dn_diagnosis *d, const char *object)
{
	for (size_t i = 0; i < d->ntrials; i++)
		if (!strcmp(d->trial[i].object, object) && !dn_probe_without(d->trial[i].probe) && !works(&d->trial[i]))
			return false;
	return true;
}

/* The first program that fails, of a probe or (NULL) of those that are needed. */
static const struct dn_check_trial *failing(const struct dn_diagnosis *d, const char *probe)
{
	for (size_t i = 0; i < d->ntrials; i++) {
		const struct dn_check_trial *t = &d->trial[i];

		if (of_recorder(t) && !works(t) && (probe ? !strcmp(t->probe, probe) : !dn_probe_without(t->probe)))
			return t;
	}
	return NULL;
}

static void say_failure(struct dn_finding *f, const struct dn_check_trial *t)
{
	int err = t->load_err ? t->load_err : t->attach_err;
	const char *name = dn_errno_name((unsigned)-err);

	dn_found(f, "%s could not be %s: %s%s%s", t->program, t->load_err ? "loaded" : "attached",
		 name ? name : strerror(-err), t->why[0] ? "; " : "", t->why);
}

static void check_probe(struct dn_check *c, size_t at)
{
	const struct dn_diagnosis *d = c->d;
	const struct dn_check_trial *first = &d->trial[at], *failed = failing(d, first->probe), *way = NULL;
	const char *object = c->taken ? c->taken : first->object, *without = dn_probe_without(first->probe);
	bool less = false, all = true;
	struct dn_finding *f;
	char id[48];
	size_t n = 0;

	for (size_t i = at; i < d->ntrials; i++) {
		less |= !strcmp(d->trial[i].object, object) && d->trial[i].less;
		if (!of(&d->trial[i], object, first->probe))
			continue;
		way = way ? way : &d->trial[i];
		all = all && works(&d->trial[i]);
		n++;
	}
	if (!n)
		all = dn_probe_walks(object, first->probe);
	snprintf(id, sizeof(id), "probe.%s", first->probe);
	f = dn_finding(c, DN_CHECK_OK, id);
	if (!all) {
		f->state = DN_CHECK_MISSING;
		say_failure(f, failed ? failed : failing(d, NULL));
		dn_means(f, "%s", without ? without :
			 "without it the recording is made from /proc only; what is missing above says why");
	} else if (!c->taken) {
		f->state = DN_CHECK_INFO;
		dn_found(f, "%zu of %zu programs load and attach, through %s", n, n, way->rung);
		dn_means(f, "of no use without the probes that are missing");
	} else if (!strcmp(first->object, object)) {
		dn_found(f, "%zu of %zu programs load and attach, through %s", n, n, way->rung);
		dn_means(f, "recorded");
	} else {
		f->state = less ? DN_CHECK_DEGRADED : DN_CHECK_INFO;
		say_failure(f, failed ? failed : failing(d, NULL));
		dn_means(f, "recorded on the rung %s instead%s", object, less ? ", in less detail" : "");
	}
}

/* What the object that is taken lacks without any program having failed. */
static void check_typed(struct dn_check *c)
{
	bool less = false;
	const char *name;

	for (size_t i = 0; c->taken && i < c->d->ntrials; i++)
		less |= !strcmp(c->d->trial[i].object, c->taken) && c->d->trial[i].less;
	for (unsigned i = 0; less && (name = dn_probe_typed(i)); i++) {
		struct dn_finding *f;
		char id[48];

		snprintf(id, sizeof(id), "probe.%s", name);
		f = dn_finding(c, DN_CHECK_MISSING, id);
		dn_found(f, "it stands in kernel structures, which the rung %s does not know", c->taken);
		dn_means(f, "%s", dn_probe_without(name));
	}
}

void dn_check_probes(struct dn_check *c)
{
	if (!dn_probe_subject("on_sys_enter", 0)) {
		struct dn_finding *f = dn_finding(c, DN_CHECK_MISSING, "probes");

		dn_found(f, "this denet-record was built without BPF");
		dn_means(f, "recordings are made from /proc only; one that is configured without --without-bpf does more");
		return;
	}
	for (size_t i = 0; i < c->d->ntrials; i++)
		if (of_recorder(&c->d->trial[i]) && first_of(c->d, i, true))
			check_probe(c, i);
	check_typed(c);
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
			say_failure(f, t);
		dn_means(f, "no probe of denet-record uses it");
	}
}

/* What the rest is judged by. */
static void sum_up(struct dn_check *c)
{
	const struct dn_diagnosis *d = c->d;

	for (size_t i = 0; i < d->ntrials && !c->taken; i++)
		if (of_recorder(&d->trial[i]) && first_of(d, i, false) && serves(d, d->trial[i].object))
			c->taken = d->trial[i].object;
	c->full = c->taken;
	for (size_t i = 0; i < d->ntrials; i++) {
		const struct dn_check_trial *t = &d->trial[i];

		if (!of_recorder(t))
			continue;
		c->tracefs_needed |= !strcmp(t->rung, "tp") || !strcmp(t->rung, "tracepoint");
		if (c->taken && !strcmp(t->object, c->taken))
			c->full = c->full && works(t) && !t->less;
	}
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
	if (!c.taken)
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
