/*
 * attach.h - processes that run already and are to be recorded: found, looked at for whether
 * they may be, held, and waited for.
 *
 * A process that is named comes with its living descendants, but never with the recorder itself.
 * A process is its number and its start, so that one that gets the number of another is not taken for it. Main thread.
 */
#ifndef DN_RECORDER_ATTACH_H
#define DN_RECORDER_ATTACH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct dn_attach_process {
	pid_t pid;
	uint64_t start;		/* ticks since boot, as /proc/PID/stat has it */
	uint64_t born;		/* the least that may be, ns on the boot clock */
	int fd;			/* pidfd, -1: a descendant, or the kernel has none (before 5.3) */
	bool named;		/* on the command line; else a descendant */
};

struct dn_attach;

/*
 * list: numbers of processes, separated by commas or blanks. NULL where one of them is not to be
 * had, which has been said.
 */
struct dn_attach *dn_attach_open(const char *list);
void dn_attach_free(struct dn_attach *a);

/* All of them, parents before their children. */
const struct dn_attach_process *dn_attach_list(const struct dn_attach *a, unsigned *n);

/* Living descendants that were not there before become part of the list, at its end. How many. */
unsigned dn_attach_more(struct dn_attach *a);

/* The first that the user may not trace any more, as it has executed a program that is more privileged; 0: there is
 * none. What it executes once it is recorded is seen, so this is asked when it is. */
pid_t dn_attach_forbidden(const struct dn_attach *a);

/* Whether all that were named have ended. */
bool dn_attach_over(const struct dn_attach *a);

#endif
