/*
 * target.c - between fork and execve.
 *
 * The child uses system calls only: no lock of another thread can be held, as
 * none has been started yet, but its memory is a copy of ours and must show
 * nothing of us to the command: every file of ours is O_CLOEXEC.
 */
#include "target.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <paths.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rights.h"

#define INHERITED_FDS 1024	/* descriptors that may be sockets of the command's */

/* 0, or why path cannot be executed. */
static int executable(const char *path)
{
	struct stat st;

	if (stat(path, &st))
		return errno;
	if (S_ISDIR(st.st_mode))
		return EISDIR;
	return access(path, X_OK) ? errno : 0;
}

int dn_target_find(const char *command, char **path)
{
	const char *dirs = getenv("PATH"), *end;
	int why = ENOENT, err;

	*path = NULL;
	if (!dirs)
		dirs = _PATH_DEFPATH;
	if (strchr(command, '/')) {
		why = executable(command);
		if (!why)
			*path = strdup(command);
	} else {
		for (; *command && !*path; dirs = end + 1) {
			char full[PATH_MAX];

			end = strchrnul(dirs, ':');
			if (snprintf(full, sizeof(full), "%.*s%s%s", (int)(end - dirs), dirs,
				     end > dirs ? "/" : "./", command) < (int)sizeof(full)) {
				err = executable(full);
				if (!err)
					*path = strdup(full);
				else if (err != ENOENT && err != ENOTDIR)
					why = err;
			}
			if (!*end)
				break;
		}
	}
	if (*path)
		return 0;
	errno = why;
	return why == ENOENT || why == ENOTDIR ? DN_EXIT_NOT_FOUND : DN_EXIT_NOT_EXECUTABLE;
}

/* Becomes user for good, and makes sure of it. */
static int become(const struct passwd *pw)
{
	uid_t r, e, s;
	gid_t rg, eg, sg;

	if (initgroups(pw->pw_name, pw->pw_gid) ||
	    setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) ||
	    setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid))
		return errno;
	if (getresuid(&r, &e, &s) || getresgid(&rg, &eg, &sg) || r != pw->pw_uid || e != r || s != r ||
	    rg != pw->pw_gid || eg != rg || sg != rg)
		return EPERM;
	return 0;
}

/* Makes itself known to the programs, and its open descriptors, by arguments that getppid(2) does
 * not have: bpf/syscall.bpf.h. */
static void tell(uint64_t cookie)
{
	struct pollfd p[INHERITED_FDS];
	bool asked;

	syscall(SYS_getppid, cookie);
	for (int fd = 0; fd < INHERITED_FDS; fd++)
		p[fd] = (struct pollfd){ .fd = fd };
	asked = poll(p, INHERITED_FDS, 0) >= 0;	/* not if there may be fewer */
	for (long fd = 0; fd < INHERITED_FDS; fd++)
		if (!asked || !(p[fd].revents & POLLNVAL))
			syscall(SYS_getppid, cookie, fd + 1);
}

_Noreturn static void child(const char *path, char *const argv[], const struct dn_target_opts *o,
			    const struct passwd *pw, int go, int result)
{
	uint64_t cookie;
	ssize_t n;
	int err;

	do
		n = read(go, &cookie, sizeof(cookie));
	while (n < 0 && errno == EINTR);
	if (n != sizeof(cookie))	/* the recorder gave up */
		_exit(DN_EXIT_RECORDER);
	if (cookie)
		tell(cookie);
	sigaction(SIGCHLD, &o->chld, NULL);
	sigaction(SIGPIPE, &o->pipe, NULL);
	sigaction(SIGXFSZ, &o->xfsz, NULL);
	sigprocmask(SIG_SETMASK, &o->mask, NULL);
	err = pw ? become(pw) : -dn_rights_command();
	if (!err && o->trace_on_stdout && dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
		err = errno;
	if (!err) {
		execve(path, argv, o->environ);
		err = errno;
	}
	if (err == ENOEXEC) {	/* a script without #!: as shells and execvp do */
		size_t argc = 0;
		char **shell;

		while (argv[argc])
			argc++;
		shell = calloc(argc + 2, sizeof(*shell));
		if (shell) {
			shell[0] = (char *)"sh";
			shell[1] = (char *)path;
			for (size_t i = 1; i < argc; i++)
				shell[i + 1] = argv[i];
			execve(_PATH_BSHELL, shell, o->environ);
		}
	}
	if (write(result, &err, sizeof(err)) != sizeof(err))
		_exit(DN_EXIT_RECORDER);
	_exit(err == ENOENT ? DN_EXIT_NOT_FOUND : DN_EXIT_NOT_EXECUTABLE);
}

int dn_target_spawn(struct dn_target *t, char *path, char *const argv[],
		    const struct dn_target_opts *o)
{
	int go[2], result[2], err;
	const struct passwd *pw = NULL;

	if (o->user) {
		errno = 0;
		pw = getpwnam(o->user);
		if (!pw)
			return errno ? -errno : -ESRCH;
	}
	if (pipe2(go, O_CLOEXEC))
		return -errno;
	if (pipe2(result, O_CLOEXEC)) {
		err = -errno;
		goto close_go;
	}
	t->pid = fork();
	if (t->pid < 0) {
		err = -errno;
		goto close_result;
	}
	if (!t->pid) {
		close(go[1]);
		close(result[0]);
		child(path, argv, o, pw, go[0], result[1]);
	}
	close(go[0]);
	close(result[1]);
	t->path = path;
	t->go = go[1];
	t->result = result[0];
	return 0;
close_result:
	close(result[0]);
	close(result[1]);
close_go:
	close(go[0]);
	close(go[1]);
	return err;
}

int dn_target_go(struct dn_target *t, uint64_t cookie)
{
	int err = 0;
	ssize_t n;

	do
		n = write(t->go, &cookie, sizeof(cookie));
	while (n < 0 && errno == EINTR);
	if (n != sizeof(cookie))
		return -errno;
	close(t->go);
	t->go = -1;
	do
		n = read(t->result, &err, sizeof(err));
	while (n < 0 && errno == EINTR);
	close(t->result);
	t->result = -1;
	return n == sizeof(err) ? err : 0;
}

void dn_target_abort(struct dn_target *t)
{
	if (t->go >= 0)
		close(t->go);
	if (t->result >= 0)
		close(t->result);
	t->go = t->result = -1;
	waitpid(t->pid, NULL, 0);	/* it reads the end of the pipe and leaves */
}

_Noreturn void dn_exit_like(int status)
{
	struct rlimit none = { 0, 0 };
	sigset_t set;
	int sig;

	fflush(NULL);
	if (!WIFSIGNALED(status))
		_exit(WEXITSTATUS(status));
	sig = WTERMSIG(status);
	/* The core is the command's to leave, not ours. */
	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_DUMPABLE, 0);
	signal(sig, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, sig);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	raise(sig);
	_exit(128 + sig);	/* one that does not kill us */
}
