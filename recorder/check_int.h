/*
 * check_int.h - what the check_*.c files share. Private to them.
 */
#ifndef DN_RECORDER_CHECK_INT_H
#define DN_RECORDER_CHECK_INT_H

#include <stdint.h>
#include <sys/types.h>

#include "check.h"
#include "environ_get.h"

struct dn_check {
	struct dn_env_ctx env;		/* where files are read */
	struct dn_diagnosis *d;
	const char *taken;		/* the object a recording would take; NULL: none serves */
	bool full;			/* every probe works in a way that sees all */
	bool tracefs_needed;		/* some probe is attached through tracefs */
	unsigned major, minor;		/* of the kernel; 0: not known */
	uint64_t caps;			/* effective */
	bool foreign;			/* in a user namespace where they count for nothing that BPF asks */
	char self[512];			/* path of this program, quoted for a shell */
};

#define DN_CAP(n) (1ull << (n))
/* linux/capability.h of older systems has no names for the last two. */
enum {
	DN_CAP_DAC_READ_SEARCH = 2, DN_CAP_SYS_PTRACE = 19, DN_CAP_SYS_ADMIN = 21, DN_CAP_SYS_RESOURCE = 24,
	DN_CAP_PERFMON = 38, DN_CAP_BPF = 39,
};

/* The checks, in the order of the page. */
void dn_check_kernel(struct dn_check *c);
void dn_check_config(struct dn_check *c);
void dn_check_btf(struct dn_check *c);
void dn_check_jit(struct dn_check *c);
void dn_check_figures(struct dn_check *c);
void dn_check_probes(struct dn_check *c);
void dn_check_attach(struct dn_check *c);
void dn_check_counters(struct dn_check *c);
void dn_check_tracefs(struct dn_check *c);
void dn_check_symbols(struct dn_check *c);
void dn_check_rights(struct dn_check *c);
void dn_check_file(struct dn_check *c);
void dn_check_sysctls(struct dn_check *c);
void dn_check_memlock(struct dn_check *c);
void dn_check_lockdown(struct dn_check *c);
void dn_check_place(struct dn_check *c);
void dn_check_seccomp(struct dn_check *c);

/* The user namespace is not the one the kernel boots with. */
bool dn_check_is_foreign(struct dn_check *c);
/* A seccomp filter kills whoever calls bpf(2): then nothing is tried. */
bool dn_check_bpf_is_deadly(struct dn_check *c);

struct dn_finding *dn_finding(struct dn_check *c, enum dn_check_state s, const char *id);
__attribute__((format(printf, 2, 3))) void dn_found(struct dn_finding *f, const char *fmt, ...);
__attribute__((format(printf, 2, 3))) void dn_means(struct dn_finding *f, const char *fmt, ...);
__attribute__((format(printf, 2, 3))) void dn_fix(struct dn_finding *f, const char *fmt, ...);

/* The state of a cause: missing where something fails, else beside the point. */
static inline enum dn_check_state dn_blame(const struct dn_check *c)
{
	return c->full ? DN_CHECK_INFO : DN_CHECK_MISSING;
}

static inline bool dn_has(const struct dn_check *c, int cap)
{
	return c->caps & DN_CAP(cap);
}

/* May load BPF programs that trace, as the kernel's bpf_capable and perfmon_capable. */
static inline bool dn_may_bpf(const struct dn_check *c)
{
	return !c->foreign &&
	       (dn_has(c, DN_CAP_SYS_ADMIN) || (dn_has(c, DN_CAP_BPF) && dn_has(c, DN_CAP_PERFMON)));
}

/* The kernel is older than that; false where its version is not known. */
static inline bool dn_older(const struct dn_check *c, unsigned major, unsigned minor)
{
	return c->major && (c->major < major || (c->major == major && c->minor < minor));
}

/*
 * How far a path can be followed with the effective rights. Of a file below a
 * directory that we may not search nobody can say whether it is there.
 */
enum dn_reach { DN_REACH_OK, DN_REACH_ABSENT, DN_REACH_HIDDEN, DN_REACH_UNREADABLE, DN_REACH_ERROR };

struct dn_reached {
	enum dn_reach how;
	int err;			/* errno of the last look */
	char at[512];			/* HIDDEN: the directory, UNREADABLE: the file itself */
	char who[64];			/* "mode 0700, owner 0:0" of it */
};

enum dn_reach dn_reach(struct dn_check *c, const char *path, struct dn_reached *r);
/* "does not exist", "cannot be looked for: /sys/kernel/debug (mode ...) may not be searched" */
const char *dn_reach_text(const struct dn_reached *r, char *buf, size_t cap);

#endif
