/* signals.c - signals of every kind, and calls that they interrupt, end and begin
 * again. */
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>

#include "act.h"

static volatile sig_atomic_t taken;

static void on_signal(int sig)
{
	(void)sig;
	taken++;
}

static void handle(int sig, int flags)
{
	struct sigaction a = { .sa_handler = on_signal, .sa_flags = flags };

	if (sigaction(sig, &a, NULL))
		die("sigaction");
}

static pid_t forked(void)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	return pid;
}

/* Waits until pid sleeps in a call. */
static void wait_asleep(pid_t pid)
{
	char name[64], buf[512], *state;
	ssize_t n;
	int fd;

	snprintf(name, sizeof(name), "/proc/%d/stat", (int)pid);
	for (int i = 0; i < 1000; i++) {
		fd = open(name, O_RDONLY);
		n = read(fd, buf, sizeof(buf) - 1);
		close(fd);
		if (n <= 0)
			return;
		buf[n] = 0;
		state = strrchr(buf, ')');
		if (state && state[2] == 'S')
			break;
		sleep_ms(2);
	}
	sleep_ms(5);
}

/* The calls that a process can be asleep in: number which. -1: no such. */
static int fall_asleep(int which)
{
	const struct timespec hour = { 3600, 0 }, far = { 1L << 40, 0 };
	struct pollfd none = { .fd = -1 };
	sigset_t set;
	uint32_t word = 0;
	char c;
	int p[2];

	if (pipe(p))
		return 1;
	switch (which) {
	case 0: pause(); break;
	case 1: if (read(p[0], &c, 1)) return 1; break;
	case 2: nanosleep(&hour, NULL); break;
	case 3: clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &far, NULL); break;
	case 4: poll(&none, 1, 3600000); break;
	case 5: select(0, NULL, NULL, NULL, &(struct timeval){ 3600, 0 }); break;
	case 6: syscall(SYS_futex, &word, FUTEX_WAIT, 0, &hour, NULL, 0); break;
	case 7: syscall(SYS_futex, &word, FUTEX_WAIT, 0, NULL, NULL, 0); break;
	case 8: sigemptyset(&set); sigsuspend(&set); break;
	case 9: sigemptyset(&set); sigaddset(&set, SIGUSR2); sigtimedwait(&set, NULL, &hour); break;
	default: return -1;
	}
	return 0;
}

/* kill: processes killed in the middle of a call, by SIGKILL and SIGTERM. */
static int act_kill(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	for (int sig = SIGKILL; sig; sig = sig == SIGKILL ? SIGTERM : 0)
		for (int which = 0; which < 10; which++) {
			pid_t pid = forked();

			if (!pid)
				_exit(fall_asleep(which));
			wait_asleep(pid);
			kill(pid, sig);
			if (reap(pid) != 128 + sig)
				return 1;
		}
	return 0;
}

/* held: a process killed while a tracer holds it in getsid(2). */
static int act_held(int argc, char **argv)
{
	int p[2];
	pid_t pid;
	char c;

	(void)argc;
	(void)argv;
	if (pipe(p))
		die("pipe");
	pid = forked();
	if (!pid) {
		if (write(p[1], "", 1) == 1)
			getsid(0);
		_exit(fall_asleep(0));
	}
	if (read(p[0], &c, 1) != 1)
		die("read");
	sleep_ms(300);
	kill(pid, SIGKILL);
	return reap(pid) != 128 + SIGKILL;
}

/* interrupt: calls interrupted by a handler, with and without SA_RESTART. */
static int act_interrupt(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	for (int flags = SA_RESTART;; flags = 0) {
		for (int which = 0; which < 10; which++) {
			pid_t pid = forked();

			if (!pid) {
				handle(SIGUSR1, flags);
				_exit(fall_asleep(which));
			}
			wait_asleep(pid);
			kill(pid, SIGUSR1);
			sleep_ms(5);
			kill(pid, SIGTERM);
			reap(pid);
		}
		if (!flags)
			break;
	}
	return 0;
}

/* stop: calls stopped and continued, which begin again by themselves. */
static int act_stop(int argc, char **argv)
{
	int status;

	(void)argc;
	(void)argv;
	for (int which = 0; which < 9; which++) {	/* 9 does not begin again */
		pid_t pid = forked();

		if (!pid)
			_exit(fall_asleep(which));
		for (int i = 0; i < 2; i++) {
			wait_asleep(pid);
			kill(pid, SIGSTOP);
			if (waitpid(pid, &status, WUNTRACED) != pid || !WIFSTOPPED(status))
				return 1;
			kill(pid, SIGCONT);
			waitpid(pid, &status, WCONTINUED);
		}
		wait_asleep(pid);
		kill(pid, SIGKILL);
		if (reap(pid) != 128 + SIGKILL)
			return 2;
	}
	return 0;
}

static sigjmp_buf back;

static void on_fault(int sig)
{
	siglongjmp(back, sig);
}

/* Makes a fault of the kernel's own signals. */
static void fault(int sig)
{
	volatile int zero = 0, one = 1;
	char *volatile nowhere = (char *)8;
	char *p;
	int fd;

	switch (sig) {
	case SIGSEGV:
		*nowhere = 1;
		break;
	case SIGBUS:
		fd = memfd_create("empty", 0);
		p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
		zero = *(volatile char *)p;
		break;
	case SIGFPE:
#if defined(__x86_64__)
		zero = one / zero;
		break;
#endif
	case SIGILL:
	case SIGTRAP:
#if defined(__x86_64__)
		if (sig == SIGTRAP)
			__asm__ volatile("int3");
		else if (sig == SIGILL)
			__asm__ volatile("ud2");
		break;
#endif
	default:
		raise(sig);
	}
}

static void *blocking_thread(void *arg)
{
	syscall(SYS_gettid);
	*(volatile pid_t *)arg = (pid_t)syscall(SYS_gettid);
	for (;;)
		pause();
	return NULL;
}

/* faults: made by the processor; taken by a handler that leaves by siglongjmp, then
 * by nobody. */
static int act_faults(int argc, char **argv)
{
	static const int faults[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT };
	const struct rlimit none = { 0, 0 };

	(void)argc;
	(void)argv;
	setrlimit(RLIMIT_CORE, &none);
	for (unsigned i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		struct sigaction a = { .sa_handler = on_fault };
		pid_t pid;

		sigaction(faults[i], &a, NULL);
		if (!sigsetjmp(back, 1))
			fault(faults[i]);
		signal(faults[i], SIG_DFL);
		pid = forked();
		if (!pid) {
			fault(faults[i]);
			_exit(1);
		}
		if (reap(pid) != 128 + faults[i])
			return 1;
	}
	return 0;
}

/* deaths: by each signal that ends a process, sent by its parent. */
static int act_deaths(int argc, char **argv)
{
	const struct rlimit none = { 0, 0 };

	(void)argc;
	(void)argv;
	setrlimit(RLIMIT_CORE, &none);
	for (int sig = 1; sig <= 64; sig++) {
		pid_t pid;

		if (sig == SIGCHLD || sig == SIGCONT || sig == SIGURG || sig == SIGWINCH ||
		    sig == SIGSTOP || sig == SIGTSTP || sig == SIGTTIN || sig == SIGTTOU ||
		    sig == 32 || sig == 33)	/* the C library's own */
			continue;
		pid = forked();
		if (!pid)
			for (;;)
				pause();
		wait_asleep(pid);
		kill(pid, sig);
		if (reap(pid) != 128 + sig)
			return 1;
	}
	return 0;
}

/* sent: to oneself, a thread, a child, a group, nobody; blocked, ignored, pending
 * twice, waited for, read from a descriptor, of timers, with a value. */
static int act_sent(int argc, char **argv)
{
	const struct itimerspec soon = { .it_value = { 0, 2000000 } };
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2 };
	struct signalfd_siginfo from_fd;
	volatile pid_t tid = 0;
	siginfo_t info = { 0 };
	sigset_t set, old;
	pthread_t thread;
	timer_t timer;
	pid_t pid;
	int fd, p[2], status;

	(void)argc;
	(void)argv;
	for (int sig = SIGRTMIN; sig <= SIGRTMAX; sig++)
		handle(sig, 0);
	handle(SIGUSR1, 0);
	handle(SIGUSR2, SA_RESTART);
	handle(SIGALRM, 0);
	handle(SIGPIPE, 0);
	signal(SIGHUP, SIG_IGN);

	kill(getpid(), SIGUSR1);
	raise(SIGUSR1);
	syscall(SYS_tkill, syscall(SYS_gettid), SIGUSR1);
	sigqueue(getpid(), SIGRTMIN, (union sigval){ .sival_int = 42 });
	kill(getpid(), 0);
	kill(getpid(), 99);
	kill(getpid(), SIGHUP);			/* ignored */
	kill(getpid(), SIGWINCH);		/* ignored unless asked for */

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	sigaddset(&set, SIGRTMIN);
	sigaddset(&set, SIGRTMIN + 3);
	sigprocmask(SIG_BLOCK, &set, &old);
	kill(getpid(), SIGUSR1);
	kill(getpid(), SIGUSR1);		/* pending already */
	for (int i = 0; i < 3; i++)		/* these queue */
		sigqueue(getpid(), SIGRTMIN + 3, (union sigval){ .sival_int = i });
	kill(getpid(), SIGUSR2);
	sigwaitinfo(&set, NULL);		/* taken without a delivery */
	fd = signalfd(-1, &set, 0);
	if (read(fd, &from_fd, sizeof(from_fd)) != sizeof(from_fd))
		return 1;
	close(fd);
	sigprocmask(SIG_SETMASK, &old, NULL);	/* the rest comes now */

	info.si_code = SI_QUEUE - 10;		/* a code of one's own */
	syscall(SYS_rt_tgsigqueueinfo, getpid(), syscall(SYS_gettid), SIGUSR1, &info);
	alarm(1);
	alarm(0);
	/* Blocked until waited for: a slow machine gets there after the timer. */
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, &old);
	setitimer(ITIMER_REAL, &(struct itimerval){ .it_value = { 0, 2000 } }, NULL);
	sigsuspend(&old);
	if (timer_create(CLOCK_MONOTONIC, &event, &timer))
		return 2;
	timer_settime(timer, 0, &soon, NULL);
	sigsuspend(&old);
	timer_delete(timer);
	sigprocmask(SIG_SETMASK, &old, NULL);
	if (pipe(p))
		return 3;
	close(p[0]);
	if (write(p[1], "x", 1) != -1)		/* SIGPIPE */
		return 4;

	if (pthread_create(&thread, NULL, blocking_thread, (void *)&tid))
		return 5;
	while (!tid)
		sleep_ms(1);
	sleep_ms(5);
	syscall(SYS_tgkill, getpid(), tid, SIGUSR2);
	pthread_kill(thread, SIGUSR1);

	pid = forked();
	if (!pid) {
		setpgid(0, 0);
		for (;;)
			pause();
	}
	setpgid(pid, pid);
	wait_asleep(pid);
	kill(-pid, SIGSTOP);
	if (waitpid(pid, &status, WUNTRACED) != pid || !WIFSTOPPED(status))
		return 6;
	kill(-pid, SIGCONT);
	waitpid(pid, &status, WCONTINUED);
	kill(-pid, SIGTERM);
	if (reap(pid) != 128 + SIGTERM)
		return 7;
	pid = forked();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGUSR2);
		kill(getppid(), SIGUSR1);
		_exit(0);
	}
	return reap(pid);
}

/* flood PID N: N times a signal that nobody takes, to another process. */
static int act_flood(int argc, char **argv)
{
	for (long n = argc > 2 ? atol(argv[2]) : 0; n > 0; n--)
		if (kill(atoi(argv[1]), SIGURG))
			return 1;
	return 0;
}

int main(int argc, char **argv)
{
	static const struct act acts[] = {
		{ "kill", act_kill },
		{ "held", act_held },
		{ "interrupt", act_interrupt },
		{ "stop", act_stop },
		{ "faults", act_faults },
		{ "deaths", act_deaths },
		{ "sent", act_sent },
		{ "flood", act_flood },
		{ NULL, NULL },
	};

	return act_main(acts, argc, argv);
}
