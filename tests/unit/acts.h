/*
 * acts.h - what a test program does when it is started as the command of its
 * own recording: TEST ACT [N]. main() calls act() first.
 */
#ifndef DN_TESTS_ACTS_H
#define DN_TESTS_ACTS_H

#include <assert.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "target.h"

#define ACT_STATUS 3		/* how every act ends */
#define ACT_CHILD_STATUS 7	/* and each child of "forks" */

/* Returns where the program was not started for an act. */
static inline void act(int argc, char **argv)
{
	long n = argc > 2 ? atol(argv[2]) : 1;

	if (argc < 2)
		return;
	if (!strcmp(argv[1], "calls")) {
		for (long i = 0; i < n; i++)
			syscall(SYS_getppid);
	} else if (!strcmp(argv[1], "forks")) {
		for (long i = 0; i < n; i++) {
			pid_t pid = fork();

			if (!pid) {
				syscall(SYS_getppid);
				_exit(ACT_CHILD_STATUS);
			}
			waitpid(pid, NULL, 0);
		}
	} else if (!strcmp(argv[1], "write")) {
		if (write(1, "x", 1) != 1)
			_exit(1);
	} else if (!strcmp(argv[1], "wait")) {	/* for a signal */
		syscall(SYS_ppoll, NULL, 0L, NULL, NULL, 8L);
	}
	_exit(ACT_STATUS);
}

/* Starts this program again as a command that waits for dn_target_go. */
static inline void act_spawn(struct dn_target *t, const char *name, const char *n)
{
	char *argv[] = { (char *)"act", (char *)name, (char *)n, NULL };
	struct dn_target_opts o = { .chld.sa_handler = SIG_DFL };
	char *path = strdup("/proc/self/exe");
	int err;

	sigemptyset(&o.mask);
	err = path ? dn_target_spawn(t, path, argv, &o) : -1;
	assert(!err);
}

/* Lets it go, as the root of a probe's tree where there is a cookie. */
static inline void act_go(struct dn_target *t, uint64_t cookie)
{
	int err = dn_target_go(t, cookie);

	assert(!err);
	free(t->path);
}

#endif
