/*
 * act.h - the programs to record are lists of acts: PROGRAM ACT [ARGUMENT...].
 *
 * What an act does is the same at every run, but for addresses and ids. One that
 * this kernel or user may not do exits with ACT_SKIP and says why.
 */
#ifndef DN_TESTS_ACT_H
#define DN_TESTS_ACT_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ACT_SKIP 77

struct act {
	const char *name;
	int (*run)(int argc, char **argv);	/* argv[0]: the act; returns the exit status */
};

#define skip(why) (fprintf(stderr, "%s: %s\n", why, strerror(errno)), exit(ACT_SKIP))
#define die(what) (perror(what), exit(99))

static inline int act_main(const struct act *act, int argc, char **argv)
{
	for (; act->name; act++)
		if (argc > 1 && !strcmp(act->name, argv[1]))
			return act->run(argc - 1, argv + 1);
	fprintf(stderr, "%s: no such act: %s\n", argv[0], argc > 1 ? argv[1] : "none");
	return 98;
}

/* Waits for pid and returns the status as a shell shows it. */
static inline int reap(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, __WALL) != pid)
		if (errno != EINTR)
			die("waitpid");
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static inline void sleep_ms(long ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	while (nanosleep(&t, &t) && errno == EINTR)
		;
}

#endif
