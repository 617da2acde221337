/*
 * measure.c - runs a command and prints what it cost, for `make bench`.
 *
 *   measure RUNS COMMAND [ARGUMENT]...
 *
 * One line a run on standard output: wall, user and system time in
 * nanoseconds and the peak memory in bytes of the largest process, as wait4
 * reports them. The command's standard output goes to /dev/null.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static long long ns(struct timeval t)
{
	return t.tv_sec * 1000000000LL + t.tv_usec * 1000LL;
}

int main(int argc, char **argv)
{
	int runs = argc > 2 ? atoi(argv[1]) : 0;

	if (runs < 1) {
		fputs("usage: measure RUNS COMMAND [ARGUMENT]...\n", stderr);
		return 2;
	}
	while (runs--) {
		long long begin = now(), end;
		struct rusage r;
		int status;
		pid_t pid = fork();

		if (pid < 0) {
			perror("measure: fork");
			return 1;
		}
		if (!pid) {
			int null = open("/dev/null", O_WRONLY);

			if (null < 0 || dup2(null, STDOUT_FILENO) < 0)
				_exit(125);
			execvp(argv[2], argv + 2);
			perror(argv[2]);
			_exit(127);
		}
		if (wait4(pid, &status, 0, &r) != pid) {
			perror("measure: wait4");
			return 1;
		}
		end = now();
		if (!WIFEXITED(status) || WEXITSTATUS(status)) {
			fprintf(stderr, "measure: %s failed\n", argv[2]);
			return 1;
		}
		printf("%lld %lld %lld %lld\n", end - begin, ns(r.ru_utime), ns(r.ru_stime),
		       r.ru_maxrss * 1024LL);
	}
	return 0;
}
