/* counted.c - processes and threads that say themselves what performance counters should say of them. */
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>

#include "act.h"

static long microseconds(const struct rusage *r)
{
	return (r->ru_utime.tv_sec + r->ru_stime.tv_sec) * 1000000 + r->ru_utime.tv_usec + r->ru_stime.tv_usec;
}

/* Touches pages that were not there, and computes. */
static void work(long pages, long turns)
{
	volatile unsigned long x = 1;
	volatile char *p = mmap(NULL, (size_t)pages << 12, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		die("mmap");
	for (long i = 0; i < pages; i++)
		p[i << 12] = 1;
	for (long i = 0; i < turns; i++)
		x = x * 3 + 1;
}

/* children N: short ones, four at a time; prints of each what wait4 says that it used: id, microseconds, faults. */
static int act_children(int argc, char **argv)
{
	long n = argc > 1 ? atol(argv[1]) : 10, begun = 0;
	struct rusage r;
	int status;

	for (long ended = 0; ended < n; ended++) {
		pid_t pid;

		for (; begun < n && begun < ended + 4; begun++) {
			pid = fork();
			if (pid < 0)
				die("fork");
			if (!pid) {
				work(begun % 16 + 1, 20000);
				_exit(0);
			}
		}
		pid = wait4(-1, &status, 0, &r);
		if (pid < 0 || status)
			die("wait4");
		printf("%d %ld %ld\n", (int)pid, microseconds(&r), r.ru_minflt + r.ru_majflt);
	}
	return 0;
}

static pthread_barrier_t begun;

/* Prints what it has used: id, microseconds, faults. (The time that getrusage has is the last tick's.) */
static void *thread(void *arg)
{
	const long n = *(const long *)arg;
	struct timespec ran;
	struct rusage r;

	pthread_barrier_wait(&begun);
	work(n * 100, n * 5000000);
	getrusage(RUSAGE_THREAD, &r);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ran);
	printf("%ld %ld %ld\n", syscall(SYS_gettid), ran.tv_sec * 1000000 + ran.tv_nsec / 1000, r.ru_minflt + r.ru_majflt);
	fflush(stdout);
	return NULL;
}

static int act_threads(int argc, char **argv)
{
	static const long n[4] = { 1, 2, 3, 4 };
	pthread_t t[4];

	(void)argc;
	(void)argv;
	if (pthread_barrier_init(&begun, NULL, 4))
		die("pthread_barrier_init");
	for (int i = 0; i < 4; i++)
		if (pthread_create(&t[i], NULL, thread, (void *)(uintptr_t)&n[i]))
			die("pthread_create");
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	return 0;
}

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("sched_setaffinity");
}

/* move N: a child that goes from one CPU to another so many times; prints its id. */
static int act_move(int argc, char **argv)
{
	long n = argc > 1 ? atol(argv[1]) : 10;
	int cpu[2], have = 0;
	cpu_set_t set;
	pid_t pid;

	if (sched_getaffinity(0, sizeof(set), &set))
		die("sched_getaffinity");
	for (int i = 0; i < CPU_SETSIZE && have < 2; i++)
		if (CPU_ISSET(i, &set))
			cpu[have++] = i;
	errno = ENODEV;
	if (have < 2)
		skip("there is one CPU");
	pin(cpu[0]);
	pid = fork();
	if (!pid) {
		for (long i = 1; i <= n; i++)
			pin(cpu[i % 2]);
		_exit(0);
	}
	printf("%d\n", (int)pid);
	return pid < 0 ? 99 : reap(pid);
}

/* spin MS: computes for so long, without a system call. */
static int act_spin(int argc, char **argv)
{
	long ms = argc > 1 ? atol(argv[1]) : 100;
	struct timespec from, now;

	clock_gettime(CLOCK_MONOTONIC, &from);
	do
		clock_gettime(CLOCK_MONOTONIC, &now);
	while ((now.tv_sec - from.tv_sec) * 1000 + (now.tv_nsec - from.tv_nsec) / 1000000 < ms);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct act acts[] = {
		{ "children", act_children },
		{ "threads", act_threads },
		{ "move", act_move },
		{ "spin", act_spin },
		{ NULL, NULL },
	};

	return act_main(acts, argc, argv);
}
