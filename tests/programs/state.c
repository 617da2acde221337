/*
 * state - everything a program inherits, one fact a line.
 *
 * Run with and without a recorder the lines must be equal.
 */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <termios.h>
#include <unistd.h>

/* The lines of a file that begin with one of the words, or all. */
static void lines(const char *path, const char *const *words)
{
	char line[4096];
	FILE *f = fopen(path, "re");

	if (!f)
		return;
	while (fgets(line, sizeof(line), f)) {
		bool show = !words;

		for (const char *const *w = words; w && *w; w++)
			show |= !strncmp(line, *w, strlen(*w));
		if (show)
			printf("%s %s", path, line);
	}
	fclose(f);
}

static void descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	struct dirent *e;

	while (d && (e = readdir(d))) {
		char path[300], target[4096];
		struct stat st;
		ssize_t n;
		int fd = atoi(e->d_name);

		if (!isdigit((unsigned char)e->d_name[0]) || fd == dirfd(d))
			continue;
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		n = readlink(path, target, sizeof(target));
		printf("fd %d %.*s flags %#x cloexec %d", fd, (int)n, target, fcntl(fd, F_GETFL),
		       fcntl(fd, F_GETFD));
		if (!fstat(fd, &st))
			printf(" inode %lu", (unsigned long)st.st_ino);
		putchar('\n');
	}
	closedir(d);
}

int main(int argc, char **argv)
{
	static const char *const status[] = { "SigBlk:", "SigIgn:", "SigCgt:", "SigPnd:",
		"ShdPnd:", "Uid:", "Gid:", "Groups:", "Cap", "NoNewPrivs:", "Seccomp", "Cpus_allowed:",
		"Mems_allowed:", "Umask:", "Threads:", "TracerPid:", "Name:", NULL };
	extern char **environ;
	char cwd[4096];
	struct itimerval timer;
	stack_t stack;

	for (int i = 0; i < argc; i++)
		printf("argument %s\n", argv[i]);
	for (char **e = environ; *e; e++)
		printf("environment %s\n", *e);
	lines("/proc/self/status", status);
	lines("/proc/self/limits", NULL);
	lines("/proc/self/cgroup", NULL);
	lines("/proc/self/oom_score_adj", NULL);
	lines("/proc/self/coredump_filter", NULL);
	lines("/proc/self/timerslack_ns", NULL);
	lines("/proc/self/loginuid", NULL);
	lines("/proc/self/attr/current", NULL);
	descriptors();
	printf("cwd %s\n", getcwd(cwd, sizeof(cwd)) ? cwd : "none");
	printf("group %d session %d terminal %d\n", (int)getpgrp(), (int)getsid(0), (int)tcgetpgrp(0));
	printf("nice %d policy %d\n", getpriority(PRIO_PROCESS, 0), sched_getscheduler(0));
	printf("personality %#x\n", (unsigned)personality(0xffffffff));
	for (int which = ITIMER_REAL; which <= ITIMER_PROF; which++)
		if (!getitimer((__itimer_which_t)which, &timer))
			printf("timer %d %ld\n", which, (long)timer.it_value.tv_sec);
	if (!sigaltstack(NULL, &stack))
		printf("stack flags %d\n", stack.ss_flags);
	printf("keepcaps %d securebits %d dumpable %d subreaper %d\n", prctl(PR_GET_KEEPCAPS),
	       prctl(PR_GET_SECUREBITS), prctl(PR_GET_DUMPABLE),
	       ({ int on = -1; prctl(PR_GET_CHILD_SUBREAPER, &on); on; }));
	printf("death signal %d slack %d\n", ({ int sig = -1; prctl(PR_GET_PDEATHSIG, &sig); sig; }),
	       prctl(PR_GET_TIMERSLACK));
	for (int sig = 1; sig <= 64; sig++) {
		struct sigaction a;

		if (!sigaction(sig, NULL, &a) && (a.sa_handler != SIG_DFL || a.sa_flags))
			printf("signal %d %s flags %#x\n", sig, a.sa_handler == SIG_IGN ? "ignored" : "?",
			       (unsigned)a.sa_flags);
	}
	return 0;
}
