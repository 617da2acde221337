/*
 * refuse.c - runs a command under a seccomp filter that refuses bpf(2), as
 * container engines do, or one use of it, as a kernel that lacks something does.
 *
 *   refuse ERRNO|kill COMMAND [ARGUMENT...]
 *   refuse program=NAME COMMAND [ARGUMENT...]     loads of that program: EACCES
 *   refuse typed=NAME COMMAND [ARGUMENT...]       the same of one for a typed hook
 *   refuse map=TYPE COMMAND [ARGUMENT...]         maps of that type: EINVAL
 *
 * For the last three a supervisor looks at the arguments of each call (seccomp_unotify(2)).
 */
#include <errno.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

/* bpf(2) gets verdict from now on. A listener's descriptor where one was asked for; 0; -1. */
static int filter(unsigned verdict, unsigned flags)
{
	struct sock_filter f[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_bpf, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, verdict),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { sizeof(f) / sizeof(f[0]), f };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -1;
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &prog);
}

struct refused {
	const char *program;	/* NULL: maps */
	unsigned type;		/* of the map, or of the program, 0 being any */
};

/* What to answer to a call: 0 or a negative errno. */
static int answer(const struct seccomp_notif *n, const struct refused *no)
{
	union bpf_attr attr;
	size_t size = n->data.args[2] < sizeof(attr) ? n->data.args[2] : sizeof(attr);
	struct iovec here = { &attr, size };
	struct iovec there = { (void *)(uintptr_t)n->data.args[1], size };

	memset(&attr, 0, sizeof(attr));
	if (process_vm_readv((pid_t)n->pid, &here, 1, &there, 1, 0) < 0)
		return 0;
	if (!no->program)
		return n->data.args[0] == BPF_MAP_CREATE && attr.map_type == no->type ? -EINVAL : 0;
	return n->data.args[0] == BPF_PROG_LOAD && (!no->type || attr.prog_type == no->type) &&
		!strncmp(attr.prog_name, no->program, BPF_OBJ_NAME_LEN - 1) ? -EACCES : 0;
}

static void supervise(int listener, const struct refused *no)
{
	struct pollfd p = { .fd = listener, .events = POLLIN };

	while (poll(&p, 1, -1) > 0 && p.revents & POLLIN) {
		struct seccomp_notif n;
		struct seccomp_notif_resp r;

		memset(&n, 0, sizeof(n));
		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &n))
			continue;
		memset(&r, 0, sizeof(r));
		r.id = n.id;
		r.error = answer(&n, no);
		if (!r.error)
			r.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
		ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &r);
	}
}

/* Runs the command in a child and answers for the kernel. Its exit status. */
static int supervised(char **argv, const struct refused *no)
{
	int said[2], go[2], fd = -1, status, pidfd;
	pid_t pid;
	char c = 0;

	if (pipe(said) || pipe(go))
		return 99;
	pid = fork();
	if (!pid) {
		fd = filter(SECCOMP_RET_USER_NOTIF, SECCOMP_FILTER_FLAG_NEW_LISTENER);
		if (write(said[1], &fd, sizeof(fd)) != sizeof(fd) || fd < 0)
			_exit(99);
		if (read(go[0], &c, 1) != 1)	/* it has been taken */
			_exit(99);
		close(said[0]);
		close(said[1]);
		close(go[0]);
		close(go[1]);
		close(fd);
		execvp(argv[0], argv);
		_exit(99);
	}
	if (pid < 0 || read(said[0], &fd, sizeof(fd)) != sizeof(fd) || fd < 0)
		return 99;
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	fd = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
	if (fd < 0) {
		perror("refuse: pidfd_getfd");
		return 99;
	}
	if (write(go[1], &c, 1) != 1)
		return 99;
	supervise(fd, no);
	if (waitpid(pid, &status, 0) != pid)
		return 99;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv)
{
	unsigned verdict = SECCOMP_RET_KILL_PROCESS;

	if (argc < 3)
		return 99;
	if (!strncmp(argv[1], "program=", 8))
		return supervised(argv + 2, &(struct refused){ argv[1] + 8, 0 });
	if (!strncmp(argv[1], "typed=", 6))
		return supervised(argv + 2, &(struct refused){ argv[1] + 6, BPF_PROG_TYPE_TRACING });
	if (!strncmp(argv[1], "map=", 4))
		return supervised(argv + 2, &(struct refused){ NULL, (unsigned)atoi(argv[1] + 4) });
	if (strcmp(argv[1], "kill"))
		verdict = SECCOMP_RET_ERRNO | (unsigned)atoi(argv[1]);
	if (filter(verdict, 0)) {
		perror("refuse: seccomp");
		return 99;
	}
	execvp(argv[2], argv + 2);
	perror(argv[2]);
	return 99;
}
