/*
 * attach.c - one look at all of /proc gives who is whose child.
 *
 * Who may be recorded is who the user may trace: process_vm_readv(2) asks the kernel just that
 * (PTRACE_MODE_ATTACH_REALCREDS, so that Yama and other modules have their say), for
 * a byte at an address where none is. A child asks that has given up all capabilities: those of our file are
 * not the user's, and would open processes that have the same.
 */
#include "attach.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "grow.h"
#include "procfs.h"
#include "rights.h"
#include "say.h"

#define STAT_BYTES 1024
#define THREADS_ASKED 8
#define SEPARATORS ", \t\n"

struct dn_attach {
	struct dn_attach_process *process;
	uint32_t n, cap;
	int proc;			/* /proc */
	int64_t timens;			/* that times of /proc are ahead of the boot clock, ns */
};

/* One of all that run. */
struct running {
	uint32_t pid, ppid;
	uint64_t start;
	bool dead;
	bool taken;
};

struct all {
	struct running *list;
	uint32_t n, cap;
};

/* Of a process whose first thread has ended, one that may live on; else the first. */
static uint32_t living_thread(int proc, uint32_t pid)
{
	struct dn_numbers d;
	uint32_t tid, found = pid;
	char name[32];

	snprintf(name, sizeof(name), "%u/task", pid);
	if (dn_numbers_open(&d, proc, name))
		return pid;
	while (found == pid && dn_numbers_next(&d, &tid) > 0)
		found = tid;
	dn_numbers_close(&d);
	return found;
}

static int read_all(int proc, struct all *all)
{
	struct dn_numbers d;
	uint32_t pid;
	int err = dn_numbers_open(&d, proc, ".");

	while (!err && dn_numbers_next(&d, &pid) > 0) {
		char name[32], buf[STAT_BYTES];
		struct dn_pid_stat st;
		ssize_t len;

		snprintf(name, sizeof(name), "%u/stat", pid);
		len = dn_read_file(proc, name, buf, sizeof(buf));
		if (len < 0 || dn_parse_pid_stat(buf, (size_t)len, &st))
			continue;	/* it has ended */
		err = dn_grow(&all->list, &all->cap, all->n + 1u, sizeof(*all->list));
		if (!err)
			all->list[all->n++] = (struct running){ .pid = pid, .ppid = (uint32_t)st.ppid, .start = st.start,
				.dead = (st.state == 'Z' || st.state == 'X') && living_thread(proc, pid) == pid };
	}
	dn_numbers_close(&d);
	return err;
}

static struct running *find(const struct all *all, uint32_t pid)
{
	for (uint32_t i = 0; i < all->n; i++)
		if (all->list[i].pid == pid)
			return &all->list[i];
	return NULL;
}

static int ask(pid_t pid)
{
	char byte;
	struct iovec here = { &byte, 1 }, there = { NULL, 1 };

	if (process_vm_readv(pid, &here, 1, &there, 1, 0) >= 0 || errno == EFAULT)
		return 0;
	if (errno == ENOSYS)
		return geteuid() ? EPERM : 0;
	return errno;
}

/* Of a process whose first thread is over another one knows; they come and go. */
static int ask_any(int proc, pid_t pid)
{
	int err = ask(pid);

	for (unsigned i = 0; err == ESRCH && i < THREADS_ASKED; i++)
		err = ask((pid_t)living_thread(proc, (uint32_t)pid));
	return err;
}

/* 0, or -errno: -EPERM, -ESRCH (it has no memory: it ends, or is the kernel's own). */
static int may_trace(int proc, pid_t pid)
{
	pid_t child;
	int status;

	if (!geteuid())
		return -ask_any(proc, pid);
	child = fork();
	if (child < 0)
		return -errno;
	if (!child)
		_exit(dn_rights_command() ? EPERM : ask_any(proc, pid));
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -EPERM;
}

/* Takes a process into the list, if it is still the one that was seen. */
static int add(struct dn_attach *a, struct running *r, bool named)
{
	const uint64_t tick = dn_tick_ns();
	int fd = named ? (int)syscall(SYS_pidfd_open, (pid_t)r->pid, 0) : -1, err = may_trace(a->proc, (pid_t)r->pid);

	if (named && fd < 0 && errno != ENOSYS && errno != EPERM)
		err = -errno;
	if (!err && dn_grow(&a->process, &a->cap, a->n + 1u, sizeof(*a->process)))
		err = -ENOMEM;
	if (err) {
		if (fd >= 0)
			close(fd);
		return err;
	}
	a->process[a->n++] = (struct dn_attach_process){ (pid_t)r->pid, r->start,
		(uint64_t)((int64_t)(r->start * tick) - a->timens), fd, named };
	r->taken = true;
	return 0;
}

/* Children of those that are taken, theirs after them, and so on. */
static unsigned add_descendants(struct dn_attach *a, struct all *all)
{
	unsigned refused = 0;

	for (uint32_t i = 0; i < a->n; i++) {
		for (uint32_t k = 0; k < all->n; k++) {
			struct running *r = &all->list[k];

			if (r->ppid != (uint32_t)a->process[i].pid || r->taken || r->dead || r->pid == (uint32_t)getpid())
				continue;
			refused += add(a, r, false) == -EPERM;
		}
	}
	return refused;
}

/* A thread's number is found below /proc, but is in no list of it. */
static uint32_t process_of(int proc, uint32_t tid)
{
	char name[48], buf[4096], *at;
	ssize_t n;

	snprintf(name, sizeof(name), "%u/status", tid);
	n = dn_read_file(proc, name, buf, sizeof(buf) - 1);
	buf[n > 0 ? n : 0] = 0;
	at = strstr(buf, "\nTgid:");
	return at ? (uint32_t)strtoul(at + strlen("\nTgid:"), NULL, 10) : 0;
}

static int add_named(struct dn_attach *a, const struct all *all, uint32_t pid)
{
	struct running *r = find(all, pid);
	uint32_t process = r ? 0 : process_of(a->proc, pid);
	int err;

	if (process) {
		dn_say("cannot attach to %u: it is a thread of process %u; attach to that", pid, process);
		return -EINVAL;
	}
	if (!r || r->dead) {
		dn_say("cannot attach to %u: %s; ps -e lists those that run", pid,
		       r ? "it has ended" : "there is no such process");
		return -ESRCH;
	}
	if (pid == (uint32_t)getpid()) {
		dn_say("cannot attach to %u: it is this recorder; name another process", pid);
		return -EINVAL;
	}
	if (r->taken)
		return 0;
	err = add(a, r, true);
	if (err == -EPERM)
		dn_say("cannot attach to %u: you may not trace it%s%s", pid, geteuid() ? "; record as root" :
		       ", though you are root: another namespace or a security module forbids it; record where it runs",
		       !geteuid() || access("/proc/sys/kernel/yama/ptrace_scope", F_OK) ? "" :
		       ", or see the sysctl kernel.yama.ptrace_scope");
	else if (err == -ESRCH)
		dn_say("cannot attach to %u: it is a thread of the kernel, or has just ended; name another process", pid);
	else if (err)
		dn_say("cannot attach to %u: %s; raise the limits of memory and open files", pid, strerror(-err));
	return err;
}

struct dn_attach *dn_attach_open(const char *list)
{
	struct dn_attach *a = calloc(1, sizeof(*a));
	struct all all = { NULL, 0, 0 };
	unsigned refused;
	int err;

	if (!a) {
		dn_say("cannot attach: %s", strerror(ENOMEM));
		return NULL;
	}
	a->proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	err = a->proc < 0 ? -errno : read_all(a->proc, &all);
	if (!err)
		a->timens = dn_timens_offset(a->proc);
	else
		dn_say("cannot list processes: %s; mount /proc", strerror(-err));
	for (const char *at = list + strspn(list, SEPARATORS); !err && *at; at += strspn(at, SEPARATORS)) {
		char *end;
		unsigned long pid = strtoul(at, &end, 10);

		if (!isdigit((unsigned char)*at) || !pid || pid > INT32_MAX || !strchr(SEPARATORS, *end)) {
			dn_say("\"%s\" is no list of process numbers; write -p 4711,4712", list);
			err = -EINVAL;
			break;
		}
		err = add_named(a, &all, (uint32_t)pid);
		at = end;
	}
	if (!err && !a->n) {
		dn_say("\"%s\" names no process; write -p 4711", list);
		err = -EINVAL;
	}
	if (err) {
		free(all.list);
		dn_attach_free(a);
		return NULL;
	}
	refused = add_descendants(a, &all);
	if (refused)
		dn_say("%u descendant%s may not be traced and %s left out; record as root", refused,
		       refused == 1 ? "" : "s", refused == 1 ? "is" : "are");
	free(all.list);
	return a;
}

unsigned dn_attach_more(struct dn_attach *a)
{
	const uint32_t before = a->n;
	struct all all = { NULL, 0, 0 };

	if (!read_all(a->proc, &all)) {
		for (uint32_t i = 0; i < a->n; i++) {
			struct running *r = find(&all, (uint32_t)a->process[i].pid);

			if (r)
				r->taken = true;
		}
		add_descendants(a, &all);
	}
	free(all.list);
	return a->n - before;
}

void dn_attach_free(struct dn_attach *a)
{
	if (!a)
		return;
	for (uint32_t i = 0; i < a->n; i++)
		if (a->process[i].fd >= 0)
			close(a->process[i].fd);
	if (a->proc >= 0)
		close(a->proc);
	free(a->process);
	free(a);
}

const struct dn_attach_process *dn_attach_list(const struct dn_attach *a, unsigned *n)
{
	*n = a->n;
	return a->process;
}

static bool has_ended(const struct dn_attach_process *p)
{
	struct pollfd f = { .fd = p->fd, .events = POLLIN };

	if (p->fd >= 0)
		return poll(&f, 1, 0) > 0;
	return kill(p->pid, 0) && errno == ESRCH;
}

pid_t dn_attach_forbidden(const struct dn_attach *a)
{
	for (uint32_t i = 0; i < a->n; i++)
		if (!has_ended(&a->process[i]) && may_trace(a->proc, a->process[i].pid) == -EPERM)
			return a->process[i].pid;
	return 0;
}

bool dn_attach_over(const struct dn_attach *a)
{
	for (uint32_t i = 0; i < a->n; i++)
		if (a->process[i].named && !has_ended(&a->process[i]))
			return false;
	return true;
}
