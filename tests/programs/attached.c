/*
 * attached - a process that is there before anybody looks.
 *
 *   attached	has descriptors of all kinds, threads that wait and a child that does;
 *		says "ready" with the faults it has had, and waits for signals:
 *		SIGUSR1 does a round of work and says "done" with the faults of that,
 *		SIGUSR2 ends it with status 7
 *   attached leaderless	its first thread ends, another one waits on
 *   attached children N	has so many that wait
 *   attached storm	makes processes and threads without end, as long as its parent lives
 *
 * A round, by the first thread: ROUND_CALLS getppid, ROUND_WRITES lines to attached.out, ROUND_SENDS
 * messages of 100 bytes over a TCP connection that is open already, ROUND_PAGES pages touched, 200 ms
 * of work in work_here(); one thread that calls getppid 10 times, one child that exits with 3.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ROUND_CALLS 1000
#define ROUND_WRITES 50
#define ROUND_SENDS 100
#define ROUND_PAGES 1000
#define BEFORE_PAGES 8000
#define WORK_MS 200

static int hole[2];		/* a pipe that nobody writes to */
static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;
static int out, here, there, listener;

static void must(int ok, const char *what)
{
	if (!ok) {
		perror(what);
		exit(99);
	}
}

static long faults(void)
{
	struct rusage r;

	getrusage(RUSAGE_SELF, &r);
	return r.ru_minflt;
}

static double now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

__attribute__((noinline)) static void work_here(int ms)
{
	const double end = now(CLOCK_THREAD_CPUTIME_ID) + ms / 1e3;

	while (now(CLOCK_THREAD_CPUTIME_ID) < end)
		for (int i = 0; i < 10000; i++)
			__asm__ volatile("" : "+r"(i));
}

static void touch(int pages)
{
	const size_t size = (size_t)pages * 4096;
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	must(p != MAP_FAILED, "mmap");
	madvise(p, size, MADV_NOHUGEPAGE);
	for (size_t i = 0; i < size; i += 4096)
		p[i] = 1;
	munmap(p, size);
}

static void *reader(void *none)
{
	char c;

	prctl(PR_SET_NAME, "reader");
	(void)!read(hole[0], &c, 1);
	return none;
}

static void *locker(void *none)
{
	prctl(PR_SET_NAME, "locker");
	pthread_mutex_lock(&held);
	return none;
}

static void *caller(void *none)
{
	for (int i = 0; i < 10; i++)
		syscall(SYS_getppid);
	return none;
}

static void *nothing(void *none)
{
	return none;
}

static void connect_all(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int pair[2], udp;

	listener = socket(AF_INET, SOCK_STREAM, 0);
	must(!bind(listener, (struct sockaddr *)&a, len) && !listen(listener, 5) &&
	     !getsockname(listener, (struct sockaddr *)&a, &len), "listen");
	here = socket(AF_INET, SOCK_STREAM, 0);
	must(!connect(here, (struct sockaddr *)&a, len), "connect");
	there = accept(listener, NULL, NULL);
	udp = socket(AF_INET6, SOCK_DGRAM, 0);
	must(there >= 0 && udp >= 0 && !socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), "sockets");
}

static void work(void)
{
	const long before = faults();
	char message[100] = "";
	pthread_t t;
	pid_t child;
	int status;

	for (int i = 0; i < ROUND_CALLS; i++)
		syscall(SYS_getppid);
	for (int i = 0; i < ROUND_WRITES; i++)
		must(write(out, "a line of work\n", 15) == 15, "write");
	for (int i = 0; i < ROUND_SENDS; i++)
		must(send(here, message, sizeof(message), 0) == sizeof(message) &&
		     recv(there, message, sizeof(message), MSG_WAITALL) == sizeof(message), "send");
	touch(ROUND_PAGES);
	work_here(WORK_MS);
	pthread_create(&t, NULL, caller, NULL);
	pthread_join(t, NULL);
	child = fork();
	if (!child)
		_exit(open("attached.out", O_RDONLY) >= 0 ? 3 : 4);
	must(waitpid(child, &status, 0) == child, "waitpid");
	printf("done %ld\n", faults() - before);
	fflush(stdout);
}

static void *survivor(void *none)
{
	prctl(PR_SET_NAME, "survivor");
	puts("ready");
	fflush(stdout);
	for (;;)
		pause();
	return none;
}

static void children(int n)
{
	while (n-- > 0)
		if (!fork()) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			for (;;)
				pause();
		}
	puts("ready");
	fflush(stdout);
	for (;;)
		pause();
}

static void storm(void)
{
	const pid_t parent = getppid();

	while (getppid() == parent) {
		pthread_t t[4];
		pid_t child = fork();

		if (!child)
			_exit(fork() ? 0 : 1);
		for (int i = 0; i < 4; i++)
			if (pthread_create(&t[i], NULL, nothing, NULL))
				t[i] = 0;
		for (int i = 0; i < 4; i++)
			if (t[i])
				pthread_join(t[i], NULL);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
	}
	exit(0);
}

int main(int argc, char **argv)
{
	pthread_t t;
	sigset_t set;
	pid_t child;
	int sig;

	if (argc > 1 && !strcmp(argv[1], "storm")) {
		signal(SIGCHLD, SIG_IGN);
		storm();
	}
	if (argc > 1 && !strcmp(argv[1], "leaderless")) {
		pthread_create(&t, NULL, survivor, NULL);
		pthread_exit(NULL);
	}
	if (argc > 2 && !strcmp(argv[1], "children"))
		children(atoi(argv[2]));
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	out = open("attached.out", O_WRONLY | O_CREAT | O_APPEND, 0600);
	must(out >= 0 && !pipe(hole) && eventfd(0, 0) >= 0, "open");
	connect_all();
	child = fork();
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	pthread_mutex_lock(&held);
	pthread_create(&t, NULL, reader, NULL);
	pthread_create(&t, NULL, locker, NULL);
	touch(BEFORE_PAGES);
	work_here(WORK_MS);
	printf("ready %ld\n", faults());
	fflush(stdout);
	while (!sigwait(&set, &sig) && sig == SIGUSR1)
		work();
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	exit(7);
}
