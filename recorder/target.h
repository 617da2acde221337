/*
 * target.h - the command: found, started stopped, let go, waited for.
 *
 * The command stays in our process group with its standard files untouched.
 * It waits on a pipe between fork and execve, so that everything can be
 * attached before its first instruction. Main thread.
 */
#ifndef DN_RECORDER_TARGET_H
#define DN_RECORDER_TARGET_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct dn_target {
	pid_t pid;
	char *path;		/* what is executed, of malloc */
	int go;			/* write end: closed or written to */
	int result;		/* read end: errno of a failed execve, or end of file */
};

/* Exit statuses of the recorder itself, as env(1), timeout(1) and shells have them. */
enum { DN_EXIT_RECORDER = 125, DN_EXIT_NOT_EXECUTABLE = 126, DN_EXIT_NOT_FOUND = 127 };

/*
 * Looks the command up in PATH as a shell does. 0 and *path (malloc()ed), or
 * DN_EXIT_NOT_FOUND, DN_EXIT_NOT_EXECUTABLE with errno.
 */
int dn_target_find(const char *command, char **path);

struct dn_target_opts {
	sigset_t mask;		/* the command's signal mask */
	/* its actions for the signals of which we need our own */
	struct sigaction chld, pipe, xfsz;
	const char *user;	/* whom it runs as; NULL: whoever we are */
	bool trace_on_stdout;	/* its standard output goes to standard error instead */
	char *const *environ;	/* its environment */
};

/* Forks the command, which then waits. 0 or -errno. Takes path over. */
int dn_target_spawn(struct dn_target *t, char *path, char *const argv[],
		    const struct dn_target_opts *o);

/* Lets it go; it makes itself known with cookie if that is not 0 (probe.h). 0 once it executes, else the errno of its execve (positive), or
 * -errno. */
int dn_target_go(struct dn_target *t, uint64_t cookie);

/* Ends a command that was never let go. */
void dn_target_abort(struct dn_target *t);

/* Ends this process as the command ended (wait status): the same code, or the
 * same signal without a core of our own. */
_Noreturn void dn_exit_like(int status);

#endif
