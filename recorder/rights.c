/*
 * rights.c - capabilities, through libcap.
 *
 * The recorder is not dumpable from the start to its end when it has capabilities
 * of its own: as long as it has them nobody else may trace it anyway, but afterwards
 * the maps it holds would be open to the invoker, who could make any process a
 * target with them.
 */
#include "rights.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel.h"

#define BIT(cap) (UINT64_C(1) << (cap))
#define LOADING (BIT(CAP_BPF) | BIT(CAP_PERFMON))
#define NEEDED (LOADING | BIT(CAP_DAC_READ_SEARCH))

static bool is_root(void)
{
	return !geteuid();
}

static uint64_t flags(cap_t c, cap_flag_t which)
{
	cap_flag_value_t v;
	uint64_t set = 0;

	for (cap_value_t i = 0; i < cap_max_bits() && i < 64; i++)
		if (!cap_get_flag(c, i, which, &v) && v == CAP_SET)
			set |= BIT(i);
	return set;
}

static int held(cap_flag_t which, uint64_t *set)
{
	cap_t c = cap_get_proc();

	*set = 0;
	if (!c)
		return -errno;
	*set = flags(c, which);
	cap_free(c);
	return 0;
}

/* Effective: these, as far as they are permitted. Permitted: no more than these. */
static int restrict_to(uint64_t permitted, uint64_t effective)
{
	cap_t c = cap_get_proc();
	int err = 0;

	if (!c)
		return -errno;
	permitted &= flags(c, CAP_PERMITTED);
	effective &= permitted;
	for (cap_value_t i = 0; i < cap_max_bits() && i < 64 && !err; i++)
		if (cap_set_flag(c, CAP_PERMITTED, 1, &i, permitted & BIT(i) ? CAP_SET : CAP_CLEAR) ||
		    cap_set_flag(c, CAP_EFFECTIVE, 1, &i, effective & BIT(i) ? CAP_SET : CAP_CLEAR))
			err = -errno;
	if (!err && cap_set_proc(c))
		err = -errno;
	cap_free(c);
	return err;
}

/* Those the invoker gives to any program it starts. */
static uint64_t ambient(void)
{
	uint64_t set = 0;

	for (cap_value_t i = 0; i < cap_max_bits() && i < 64; i++)
		if (cap_get_ambient(i) == CAP_SET)
			set |= BIT(i);
	return set;
}

/* Before 5.8 CAP_SYS_ADMIN was all there was, and it still stands for both. */
static uint64_t needed_of(uint64_t permitted)
{
	return (permitted & LOADING) == LOADING ? NEEDED : NEEDED | BIT(CAP_SYS_ADMIN);
}

int dn_rights_begin(uint64_t *had, char why[512])
{
	uid_t r, e, s;
	gid_t rg, eg, sg;
	uint64_t permitted;
	int err;

	*had = 0;
	if (getresuid(&r, &e, &s) || getresgid(&rg, &eg, &sg) || r != e || e != s || rg != eg || eg != sg) {
		snprintf(why, 512, "cannot run setuid or setgid: files would be opened with the rights of "
			 "another; take the bit away (chmod ug-s) and give denet-record its capabilities "
			 "with denet-setup");
		return -EPERM;
	}
	err = held(CAP_EFFECTIVE, had);
	if (!err)
		err = held(CAP_PERMITTED, &permitted);
	if (!err && !is_root() && permitted) {
		if (prctl(PR_SET_DUMPABLE, 0))
			err = -errno;
		else
			err = restrict_to(needed_of(permitted) | ambient(), 0);
	}
	if (err)
		snprintf(why, 512, "cannot give up what is not needed of the capabilities: %s; run it as root",
			 strerror(-err));
	return err;
}

int dn_rights_raise(void)
{
	uint64_t permitted;
	int err;

	if (is_root())
		return 0;
	err = held(CAP_PERMITTED, &permitted);
	return err ? err : restrict_to(permitted, needed_of(permitted));
}

int dn_rights_lower(void)
{
	return is_root() ? 0 : restrict_to(UINT64_MAX, 0);
}

int dn_rights_drop(bool keep_bpf)
{
	uint64_t permitted, keep = 0;
	int err;

	if (is_root())
		return 0;
	err = held(CAP_PERMITTED, &permitted);
	if (err)
		return err;
	if (keep_bpf)
		keep = permitted & BIT(CAP_BPF) ? BIT(CAP_BPF) : BIT(CAP_SYS_ADMIN);
	return restrict_to(keep, keep);
}

int dn_rights_command(void)
{
	uint64_t own, permitted;
	int err;

	if (is_root())
		return 0;
	err = held(CAP_PERMITTED, &permitted);
	if (err)
		return err;
	own = ambient() & needed_of(permitted);
	for (cap_value_t i = 0; i < 64; i++)
		if (own & BIT(i) && cap_set_ambient(i, CAP_CLEAR))
			return -errno;
	return restrict_to(ambient(), ambient());
}

/*
 * The kernel puts the strings of the environment between the last argument and
 * the name of the program (the layout behind /proc/PID/environ, which is root's
 * while we are not dumpable). The C library only takes pointers to them away.
 */
char **dn_rights_environ(int argc, char *const *argv, char **ours)
{
	char *at, *end = (char *)getauxval(AT_EXECFN);
	size_t n = 0;
	char **all;

	if (!getauxval(AT_SECURE) || !end || argc < 1)
		return ours;
	at = argv[argc - 1] + strlen(argv[argc - 1]) + 1;
	if (at > end)
		return ours;
	for (char *p = at; p < end; p += strlen(p) + 1)
		n++;
	all = calloc(n + 1, sizeof(*all));
	for (size_t i = 0; all && i < n; i++, at += strlen(at) + 1)
		all[i] = at;
	return all ? all : ours;
}

/* What setcap gave our program. */
static uint64_t of_file(void)
{
	cap_t c = cap_get_file("/proc/self/exe");
	uint64_t set = c ? flags(c, CAP_PERMITTED) : 0;

	cap_free(c);
	return set;
}

/* Before 5.11 memory of BPF counts as locked, and only CAP_SYS_RESOURCE may raise the
 * limit (kernel/bpf/syscall.c, bpf_map_charge_init). */
static bool memlock_counts(void)
{
	struct rlimit r;

	return dn_kernel_before(5, 11) && !getrlimit(RLIMIT_MEMLOCK, &r) && r.rlim_cur != RLIM_INFINITY;
}

void dn_rights_advice(char *out, size_t cap)
{
	const char *missing;
	uint64_t permitted;

	held(CAP_PERMITTED, &permitted);	/* none, if it fails */
	if (permitted & BIT(CAP_SYS_ADMIN) || (permitted & LOADING) == LOADING) {
		if (memlock_counts()) {
			snprintf(out, cap, "the limit of locked memory stands in the way, which BPF counts in before Linux "
				 "5.11: raise it with prlimit --memlock=unlimited, or ask for less with --buffer");
			return;
		}
		snprintf(out, cap, "no capability is missing, so it is a seccomp filter, a user namespace (a "
			 "container), a security module or kernel lockdown that refuses; record outside of it");
		return;
	}
	missing = permitted & BIT(CAP_BPF)     ? "cap_perfmon is missing" :
		  permitted & BIT(CAP_PERFMON) ? "cap_bpf is missing" :
						 "cap_bpf and cap_perfmon are missing";
	if (LOADING & ~permitted & ~of_file())
		snprintf(out, cap, "%s: recording needs root, or the capabilities cap_bpf, cap_perfmon and "
			 "cap_dac_read_search, which denet-setup installs", missing);
	else
		snprintf(out, cap, "%s, though the file of denet-record has what is needed: no_new_privs, a "
			 "debugger, a user namespace or a file system mounted nosuid took it away; start "
			 "denet-record without that, or as root", missing);
}

bool dn_rights_bpf_kills(void)
{
	int status = 0;
	pid_t pid;

	if (prctl(PR_GET_SECCOMP) <= 0)
		return false;
	pid = fork();
	if (!pid) {
		syscall(SYS_bpf, -1, NULL, 0);
		_exit(0);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return pid > 0 && WIFSIGNALED(status);
}
