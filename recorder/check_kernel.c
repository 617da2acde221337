/*
 * check_kernel.c - what the kernel is and has: version, configuration, types,
 * JIT, and the files the figures of processes come from.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>
#include <zlib.h>

#include "check_int.h"
#include "procfs.h"

/* --- version ------------------------------------------------------------------------ */

/* From which version on the kernels of kernel.org have it. The trials decide:
 * distributions bring some of it to older ones. */
static const struct {
	unsigned major, minor;
	const char *what;
	bool must;		/* else it is recorded in less detail without */
} needs[] = {
	{ 5, 8, "the BPF ring buffer, task iterators and cap_bpf", true },
	{ 5, 13, "all that the rung tp_btf needs (raw_tp records the same)", false },
	{ 5, 17, "bpf_loop (without it fewer arguments of an execve are read)", false },
};

void dn_check_kernel(struct dn_check *c)
{
	struct dn_finding *f = dn_finding(c, DN_CHECK_OK, "kernel.version");
	size_t n = 0;
	char text[128];

	if (dn_env_line(&c->env, "proc/sys/kernel/osrelease", text, sizeof(text)) < 0 ||
	    sscanf(text, "%u.%u", &c->major, &c->minor) != 2) {
		f->state = DN_CHECK_INFO;
		dn_found(f, "/proc/sys/kernel/osrelease is not readable");
		dn_means(f, "the version is not known; whether programs load and attach is told below");
		return;
	}
	dn_found(f, "Linux %s", text);
	for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++) {
		if (!dn_older(c, needs[i].major, needs[i].minor))
			continue;
		if (needs[i].must)
			f->state = dn_blame(c);
		else if (f->state == DN_CHECK_OK)
			f->state = DN_CHECK_INFO;
		n += (size_t)snprintf(f->means + n, sizeof(f->means) - n, "%s%u.%u, which brought %s", n ? "; older than " : "older than ",
				      needs[i].major, needs[i].minor, needs[i].what);
	}
	if (!n)
		dn_means(f, "has all that the recorder can use (%u.%u)", needs[sizeof(needs) / sizeof(needs[0]) - 1].major,
			 needs[sizeof(needs) / sizeof(needs[0]) - 1].minor);
}

/* --- configuration -------------------------------------------------------------------- */

static const struct {
	const char *name;
	bool must;		/* no recording without it */
	const char *without;
} options[] = {
	{ "BPF_SYSCALL", true, "no BPF program can be loaded" },
	{ "BPF_EVENTS", true, "no BPF program can be attached to a tracepoint" },
	{ "TRACEPOINTS", true, "there are no tracepoints" },
	{ "HAVE_SYSCALL_TRACEPOINTS", true, "entry and return of system calls have no tracepoint" },
	{ "DEBUG_INFO_BTF", true, "the kernel does not tell its types, and what stands in its structures is not recorded" },
	{ "BPF_JIT", false, "programs are interpreted, so recording costs the command more" },
	{ "FTRACE_SYSCALLS", false, "no tracepoint for each system call; the recorder uses the two for all" },
	{ "KPROBES", false, "no kprobes; before 6.3 the bytes that io_uring moves through sockets take them, or fentry" },
	{ "BPF_LSM", false, "no BPF programs on security hooks; the recorder has none" },
	{ "SCHED_INFO", false, "time threads wait for a CPU is not known" },
	{ "TASK_DELAY_ACCT", false, "no delay accounting; the recorder has its own times" },
	{ "TASK_IO_ACCOUNTING", false, "bytes read and written by processes are not known" },
	{ "PSI", false, "pressure of the host is not known" },
	{ "PROC_CHILDREN", false, "no list of children in /proc; the recorder sees births itself" },
};

#define OPTIONS (sizeof(options) / sizeof(options[0]))

/* Sets on[i] for each option that is =y or =m. 0 or -errno; gzip or plain. */
static int read_config(struct dn_check *c, const char *path, bool *on)
{
	int fd = openat(c->env.root, path, O_RDONLY | O_CLOEXEC), err = 0;
	bool any = false;
	char line[256];
	gzFile z;

	if (fd < 0)
		return -errno;
	z = gzdopen(fd, "r");
	if (!z) {
		close(fd);
		return -ENOMEM;
	}
	while (gzgets(z, line, sizeof(line))) {
		char *eq = strchr(line, '=');

		if (strncmp(line, "CONFIG_", 7) || !eq)
			continue;
		any = true;
		*eq = 0;
		for (size_t i = 0; i < OPTIONS; i++)
			if (!strcmp(line + 7, options[i].name))
				on[i] = eq[1] == 'y' || eq[1] == 'm';
	}
	if (gzerror(z, &err), err < 0)
		err = -EIO;
	gzclose(z);
	return err ? err : any ? 0 : -ENODATA;
}

void dn_check_config(struct dn_check *c)
{
	char release[128], boot[160], id[64], where[256];
	const char *path = "proc/config.gz";
	bool on[OPTIONS] = { false };
	struct dn_reached r;
	struct dn_finding *f;
	size_t n = 0, have = 0;
	int err = read_config(c, path, on);

	if (dn_env_line(&c->env, "proc/sys/kernel/osrelease", release, sizeof(release)) < 0)
		release[0] = 0;
	snprintf(boot, sizeof(boot), "boot/config-%s", release);
	if (err) {
		path = boot;
		err = read_config(c, path, on);
	}
	f = dn_finding(c, err ? DN_CHECK_INFO : DN_CHECK_OK, "kernel.config");
	if (err) {
		dn_found(f, "neither /proc/config.gz nor /%s can be read: %s", boot,
			 err == -EACCES ? (dn_reach(c, boot, &r), dn_reach_text(&r, where, sizeof(where))) : strerror(-err));
		dn_means(f, "how the kernel was configured is not known, and nothing is guessed: the other lines say what works");
		return;
	}
	for (size_t i = 0; i < OPTIONS; i++)
		have += on[i];
	n = (size_t)snprintf(f->found, sizeof(f->found), "/%s: %zu of %zu options are on%s", path, have, OPTIONS,
			     have < OPTIONS ? "; off: " : "");
	for (size_t i = 0; i < OPTIONS; i++)
		if (!on[i] && n < sizeof(f->found))
			n += (size_t)snprintf(f->found + n, sizeof(f->found) - n, "%s ", options[i].name);
	n = strlen(f->found);
	while (n && f->found[n - 1] == ' ')
		f->found[--n] = 0;
	dn_means(f, have < OPTIONS ? "what that means stands below" : "nothing is missing");
	for (size_t i = 0; i < OPTIONS; i++) {
		if (on[i])
			continue;
		snprintf(id, sizeof(id), "config.%s", options[i].name);
		f = dn_finding(c, options[i].must ? dn_blame(c) : DN_CHECK_INFO, id);
		dn_found(f, "CONFIG_%s is not set", options[i].name);
		dn_means(f, "%s%s", options[i].without,
			 f->state == DN_CHECK_MISSING ? "; boot a kernel of the distribution that has it" : "");
	}
}

/* --- types ----------------------------------------------------------------------------- */

#define BTF_PATH "sys/kernel/btf/vmlinux"
#define BTF_MAGIC 0xeb9f

void dn_check_btf(struct dn_check *c)
{
	struct dn_finding *f = dn_finding(c, DN_CHECK_OK, "kernel.btf");
	struct dn_reached r;
	uint16_t magic = 0;
	char text[256];
	ssize_t n;

	if (dn_reach(c, BTF_PATH, &r) != DN_REACH_OK) {
		f->state = dn_blame(c);
		dn_found(f, "/" BTF_PATH ": %s", dn_reach_text(&r, text, sizeof(text)));
		dn_means(f, "CO-RE programs cannot be fitted to this kernel; kernels built with CONFIG_DEBUG_INFO_BTF "
			    "have the file, those of most distributions since 2020");
		return;
	}
	n = dn_read_file(c->env.root, BTF_PATH, (char *)&magic, sizeof(magic));
	if (n != sizeof(magic) || magic != BTF_MAGIC) {
		f->state = dn_blame(c);
		if (n < 0)
			dn_found(f, "/" BTF_PATH " cannot be read: %s", strerror((int)-n));
		else
			dn_found(f, "/" BTF_PATH " is there and does not begin as BTF does: %s", n ? "another magic number" : "it is empty");
		dn_means(f, "CO-RE programs cannot be fitted to this kernel; perhaps something is mounted over the file");
		return;
	}
	dn_found(f, "/" BTF_PATH " is readable BTF");
	dn_means(f, "programs are fitted to this kernel when they are loaded");
}

void dn_check_jit(struct dn_check *c)
{
	struct dn_finding *f = dn_finding(c, DN_CHECK_OK, "kernel.jit");
	char v[32];
	ssize_t n = dn_env_line(&c->env, "proc/sys/net/core/bpf_jit_enable", v, sizeof(v));

	if (n < 0) {
		f->state = DN_CHECK_INFO;
		dn_found(f, "/proc/sys/net/core/bpf_jit_enable: %s", strerror((int)-n));
		dn_means(f, "whether programs are compiled is not known; distributions have it on");
	} else if (!strcmp(v, "0")) {
		f->state = DN_CHECK_INFO;
		dn_found(f, "net.core.bpf_jit_enable is 0");
		dn_means(f, "programs are interpreted: the recording is complete and costs the command several times as much");
		dn_fix(f, "sudo sysctl net.core.bpf_jit_enable=1");
	} else {
		dn_found(f, "net.core.bpf_jit_enable is %s", v);
		dn_means(f, "programs run as machine code");
	}
}

/* --- where figures come from --------------------------------------------------------------- */

static const struct {
	const char *id, *path, *with, *without;
	enum dn_check_state state;
} figures[] = {
	{ "figures.io", "proc/self/io", "bytes read and written are recorded for each process",
	  "bytes read and written by processes stay unmeasured (CONFIG_TASK_IO_ACCOUNTING)", DN_CHECK_DEGRADED },
	{ "figures.run_delay", "proc/self/schedstat", "time waited for a CPU is recorded for each thread",
	  "time waited for a CPU stays unmeasured (CONFIG_SCHED_INFO)", DN_CHECK_DEGRADED },
	/* off by default on some distributions, and a figure of the host only */
	{ "figures.pressure", "proc/pressure/cpu", "pressure of the host is recorded",
	  "pressure of the host stays unmeasured; a boot with psi=1 on the kernel's command line measures it",
	  DN_CHECK_INFO },
};

/* A program with capabilities of its own is not dumpable (rights.c), and what only the
 * owner may read of it is root's then. Of the command it is the user's. */
static bool of_ourselves_only(ssize_t err)
{
	return err == -EACCES && !prctl(PR_GET_DUMPABLE);
}

void dn_check_figures(struct dn_check *c)
{
	for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++) {
		struct dn_finding *f = dn_finding(c, DN_CHECK_OK, figures[i].id);
		char line[128];
		/* a file that is there may still refuse: pressure/cpu with psi=0 */
		ssize_t n = dn_env_line(&c->env, figures[i].path, line, sizeof(line));

		if (n > 0) {
			dn_found(f, "/%s can be read", figures[i].path);
			dn_means(f, "%s", figures[i].with);
			continue;
		}
		if (of_ourselves_only(n)) {
			dn_found(f, "/%s is there, and closed as the recorder has capabilities; the command's is not",
				 figures[i].path);
			dn_means(f, "%s", figures[i].with);
			continue;
		}
		f->state = figures[i].state;
		dn_found(f, "/%s: %s", figures[i].path, strerror((int)-n));
		dn_means(f, "%s", figures[i].without);
	}
}
