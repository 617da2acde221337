/* waits.c - threads that are off their CPUs for reasons and times that are known. */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>

#include "act.h"

static double cpu_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void burn(double ms)
{
	double end = cpu_now() + ms;

	while (cpu_now() < end)
		;
}

/* Each thread says who it is. */
static void say(const char *who)
{
	printf("%s %ld\n", who, syscall(SYS_gettid));
	fflush(stdout);
}

/* sleep: 40 times 5 ms. */
static int act_sleep(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	say("sleeper");
	for (int i = 0; i < 40; i++)
		sleep_ms(5);
	return 0;
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *second(void *arg)
{
	(void)arg;
	say("second");
	for (int i = 0; i < 5; i++) {
		pthread_mutex_lock(&lock);
		pthread_mutex_unlock(&lock);
		sleep_ms(10);
	}
	return NULL;
}

/* lock: one thread waits four times and more for the mutex that the other one holds for 30 ms. */
static int act_lock(int argc, char **argv)
{
	pthread_t t;

	(void)argc;
	(void)argv;
	say("first");
	pthread_mutex_lock(&lock);
	if (pthread_create(&t, NULL, second, NULL))
		die("pthread_create");
	for (int i = 0; i < 5; i++) {
		sleep_ms(30);
		pthread_mutex_unlock(&lock);
		sleep_ms(5);
		pthread_mutex_lock(&lock);
	}
	pthread_mutex_unlock(&lock);
	pthread_join(t, NULL);
	return 0;
}

/* pipe N: a byte goes to a child and back, N times. */
static int act_pipe(int argc, char **argv)
{
	long n = argc > 1 ? atol(argv[1]) : 100;
	int to[2], from[2];
	char c = 0;
	pid_t pid;

	if (pipe(to) || pipe(from))
		die("pipe");
	pid = fork();
	if (pid < 0)
		die("fork");
	say(pid ? "parent" : "child");
	for (long i = 0; i < n; i++)
		if (pid ? write(to[1], &c, 1) != 1 || read(from[0], &c, 1) != 1 :
			  read(to[0], &c, 1) != 1 || write(from[1], &c, 1) != 1)
			die("pipe");
	return pid ? reap(pid) : 0;
}

/* share: two processes burn 200 ms each on one CPU. */
static int act_share(int argc, char **argv)
{
	cpu_set_t one;
	pid_t pid;

	(void)argc;
	(void)argv;
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	if (sched_setaffinity(0, sizeof(one), &one))
		die("sched_setaffinity");
	pid = fork();
	if (pid < 0)
		die("fork");
	say(pid ? "one" : "other");
	burn(200);
	return pid ? reap(pid) : 0;
}

/* stop: a child is stopped for 50 ms. */
static int act_stop(int argc, char **argv)
{
	pid_t pid = fork();
	int status;

	(void)argc;
	(void)argv;
	if (pid < 0)
		die("fork");
	if (!pid) {
		say("stopped");
		raise(SIGSTOP);
		return 0;
	}
	if (waitpid(pid, &status, WUNTRACED) != pid || !WIFSTOPPED(status))
		return 1;
	sleep_ms(50);
	kill(pid, SIGCONT);
	return reap(pid);
}

int main(int argc, char **argv)
{
	static const struct act acts[] = {
		{ "sleep", act_sleep },
		{ "lock", act_lock },
		{ "pipe", act_pipe },
		{ "share", act_share },
		{ "stop", act_stop },
		{ NULL, NULL },
	};

	return act_main(acts, argc, argv);
}
