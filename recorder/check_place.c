/*
 * check_place.c - where this process runs: container, namespaces, control
 * groups, seccomp, Yama.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check_int.h"
#include "kernel.h"
#include "rights.h"

/* include/linux/proc_ns.h: the namespaces the kernel boots with. */
#define INITIAL_USER_NS 4026531837ull

/* The number in "user:[4026531837]", 0 where it cannot be read. */
static unsigned long long namespace_of(struct dn_check *c, const char *path)
{
	unsigned long long inode = 0;
	char text[64];
	ssize_t n = readlinkat(c->env.root, path, text, sizeof(text) - 1);

	if (n > 0) {
		text[n] = 0;
		sscanf(text, "%*[a-z]:[%llu]", &inode);
	}
	return inode;
}

bool dn_check_is_foreign(struct dn_check *c)
{
	unsigned long long user = namespace_of(c, "proc/self/ns/user");

	return user && user != INITIAL_USER_NS;
}

static void check_container(struct dn_check *c)
{
	struct dn_finding *f = dn_finding(c, DN_CHECK_OK, "container");
	char text[64] = "none";

	dn_env_get_container(&c->env, NULL, text, sizeof(text));
	if (!strcmp(text, "none")) {
		dn_found(f, "no sign of a container");
		dn_means(f, "what the machine allows is allowed here");
		return;
	}
	f->state = c->full ? DN_CHECK_OK : DN_CHECK_INFO;
	dn_found(f, "in a container (%s)", text);
	dn_means(f, c->full ? "it was given what recording takes" :
		 "it must be given what recording takes, which is less than --privileged");
	if (!c->full && (!strcmp(text, "docker") || !strcmp(text, "podman")))
		dn_fix(f, "%s run --cap-add BPF --cap-add PERFMON --cap-add DAC_READ_SEARCH ...    # outside", text);
}

static void check_namespaces(struct dn_check *c)
{
	unsigned long long user = namespace_of(c, "proc/self/ns/user"), pid = namespace_of(c, "proc/self/ns/pid");
	struct dn_finding *f = dn_finding(c, DN_CHECK_OK, "namespace.user");

	if (!user) {
		f->state = DN_CHECK_INFO;
		dn_found(f, "/proc/self/ns/user cannot be read");
		dn_means(f, "whether capabilities count for BPF is told by the probes below");
	} else if (!c->foreign) {
		dn_found(f, "the initial user namespace");
		dn_means(f, "capabilities are what they seem");
	} else {
		f->state = dn_blame(c);
		dn_found(f, "user namespace %llu, not the initial one", user);
		dn_means(f, "capabilities, root's too, count inside it only, and BPF asks outside: record from outside "
			    "(rootless containers have such a namespace)");
	}
	f = dn_finding(c, DN_CHECK_OK, "namespace.pid");
	if (!pid) {
		f->state = DN_CHECK_INFO;
		dn_found(f, "/proc/self/ns/pid cannot be read");
		dn_means(f, "whether pids here are those of the host is not known");
	} else if (pid == DN_INITIAL_PID_NS) {
		dn_found(f, "the initial pid namespace");
		dn_means(f, "pids in the trace are those of the host");
	} else {
		dn_found(f, "pid namespace %llu, not the initial one", pid);
		dn_means(f, "pids in the trace are those of /proc here, not of the host; processes outside have none");
	}
}

static void check_cgroup(struct dn_check *c)
{
	struct dn_finding *f = dn_finding(c, DN_CHECK_OK, "cgroup");
	char text[64];

	if (dn_env_get_cgroup(&c->env, "version", text, sizeof(text)) <= 0) {
		f->state = DN_CHECK_INFO;
		dn_found(f, "/proc/self/cgroup names no group");
		dn_means(f, "limits of memory and CPU are not recorded");
		return;
	}
	dn_found(f, "control groups: %s", !strcmp(text, "hybrid") ? "versions 1 and 2 side by side" :
		 *text == '2' ? "version 2" : "version 1");
	dn_means(f, "limits of memory and CPU are read from either");
}

/* Yama guards PTRACE_MODE_ATTACH only (security/yama/yama_lsm.c). */
static void check_yama(struct dn_check *c)
{
	struct dn_finding *f = dn_finding(c, DN_CHECK_OK, "yama");
	char text[32];
	ssize_t n = dn_env_line(&c->env, "proc/sys/kernel/yama/ptrace_scope", text, sizeof(text));

	if (n == -ENOENT)
		dn_found(f, "no Yama in this kernel");
	else if (n < 0)
		dn_found(f, "/proc/sys/kernel/yama/ptrace_scope: %s", strerror((int)-n));
	else
		dn_found(f, "kernel.yama.ptrace_scope is %s", text);
	dn_means(f, "it limits attaching with ptrace(2); the recorder only reads: leave it");
}

void dn_check_place(struct dn_check *c)
{
	check_container(c);
	check_namespaces(c);
	check_cgroup(c);
	check_yama(c);
}

/* --- seccomp ------------------------------------------------------------------------- */

static int seccomp_mode(struct dn_check *c)
{
	char text[32];

	return dn_env_value(&c->env, "proc/self/status", "Seccomp:", text, sizeof(text)) > 0 ? atoi(text) : -1;
}

bool dn_check_bpf_is_deadly(struct dn_check *c)
{
	return c->env.real_root && seccomp_mode(c) > 0 && dn_rights_bpf_kills();
}

void dn_check_seccomp(struct dn_check *c)
{
	struct dn_finding *f = dn_finding(c, DN_CHECK_OK, "seccomp");
	int mode = seccomp_mode(c);
	bool refused = false;

	for (size_t i = 0; i < c->d->ntrials; i++)
		refused |= c->d->trial[i].load_err == -EPERM || c->d->trial[i].load_err == -ENOSYS ||
			   c->d->trial[i].load_err == -EACCES;
	if (mode <= 0) {
		f->state = mode ? DN_CHECK_INFO : DN_CHECK_OK;
		dn_found(f, mode ? "/proc/self/status does not tell whether seccomp is in force" : "no seccomp filter");
		dn_means(f, mode ? "not known" : "every system call is allowed that capabilities allow");
		return;
	}
	dn_found(f, "a seccomp filter is in force (mode %d)", mode);
	if (!c->d->ntrials) {
		f->state = DN_CHECK_MISSING;
		dn_means(f, "it kills whoever calls bpf(2), so nothing was tried. Whoever set it up can allow it");
	} else if (!c->taken && refused && dn_may_bpf(c)) {
		f->state = DN_CHECK_MISSING;
		dn_means(f, "capabilities would allow bpf(2) and it is refused: the filter forbids it, or a security module. "
			    "Whoever set it up can allow it; container engines do for a container with cap_bpf");
	} else {
		dn_means(f, c->full ? "it allows what recording takes" :
			 "whether it forbids bpf(2) cannot be told from what else is missing");
	}
}
