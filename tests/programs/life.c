/* life.c - births, execs, names and deaths of processes and threads. */
#include <fcntl.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#include "act.h"

#define STACK (256 << 10)

static const char *self = "/proc/self/exe";

static long count_of(int argc, char **argv, long otherwise)
{
	return argc > 1 ? atol(argv[1]) : otherwise;
}

/* exit N */
static int act_exit(int argc, char **argv)
{
	return (int)count_of(argc, argv, 0);
}

/* forks N: one child after the other, each second one with an exec; their exit
 * statuses are 0 to 250 in turn. */
static int act_forks(int argc, char **argv)
{
	long n = count_of(argc, argv, 200);
	char status[16];

	for (long i = 0; i < n; i++) {
		pid_t pid = fork();

		snprintf(status, sizeof(status), "%ld", i % 251);
		if (pid < 0)
			die("fork");
		if (!pid) {
			if (i % 2)
				execl(self, "life", "exit", status, NULL);
			_exit((int)(i % 251));
		}
		if (reap(pid) != i % 251)
			return 1;
	}
	return 0;
}

/* crowd N: N children at once, each with a child. */
static int act_crowd(int argc, char **argv)
{
	long n = count_of(argc, argv, 40);
	int status;

	for (long i = 0; i < n; i++) {
		pid_t pid = fork();

		if (pid < 0)
			die("fork");
		if (pid)
			continue;
		pid = fork();
		if (!pid)
			_exit(getppid() == getpid());
		for (int k = 0; k < 20; k++)
			getppid();
		_exit(reap(pid));
	}
	while (wait(&status) > 0)
		if (status)
			return 1;
	return 0;
}

static void *busy_thread(void *arg)
{
	long id = (long)arg;
	char name[16], byte = 0;
	int p[2];

	snprintf(name, sizeof(name), "thread %ld", id);
	prctl(PR_SET_NAME, name);
	if (pipe(p))
		return arg;
	for (int i = 0; i < 20; i++) {
		if (write(p[1], "x", 1) != 1 || read(p[0], &byte, 1) != 1)
			return arg;
		syscall(SYS_gettid);
		close(-1);
	}
	close(p[0]);
	close(p[1]);
	return NULL;
}

/* threads N: at once, each with a name and calls of its own. */
static int act_threads(int argc, char **argv)
{
	long n = count_of(argc, argv, 64);
	pthread_t *t = calloc((size_t)n, sizeof(*t));
	void *bad;
	int failed = 0;

	for (long i = 0; i < n; i++)
		if (pthread_create(&t[i], NULL, busy_thread, (void *)(i + 1)))
			die("pthread_create");
	for (long i = 0; i < n; i++) {
		pthread_join(t[i], &bad);
		failed |= bad != NULL;
	}
	free(t);
	return failed;
}

static pthread_barrier_t all_there;

static void *waiting_thread(void *none)
{
	pthread_barrier_wait(&all_there);
	getppid();
	return none;
}

/* alive N: N threads that live at the same time. */
static int act_alive(int argc, char **argv)
{
	long n = count_of(argc, argv, 64);
	pthread_t *t = calloc((size_t)n, sizeof(*t));
	pthread_attr_t small;

	pthread_attr_init(&small);
	if (pthread_attr_setstacksize(&small, 256 << 10))
		die("pthread_attr_setstacksize");
	pthread_barrier_init(&all_there, NULL, (unsigned)n);
	for (long i = 0; i < n; i++)
		if (pthread_create(&t[i], &small, waiting_thread, NULL))
			die("pthread_create");
	for (long i = 0; i < n; i++)
		pthread_join(t[i], NULL);
	free(t);
	return 0;
}

/* The status of a child made by vfork that executes path, or exits with 4. */
static int vforked(const char *path)
{
	pid_t pid = vfork();

	if (pid < 0)
		die("vfork");
	if (!pid) {
		if (path)
			execl(path, "life", "exit", "3", NULL);
		_exit(4);
	}
	return reap(pid);
}

/* vfork: with an exec, with a failing exec, with an exit. */
static int act_vfork(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return vforked(self) != 3 || vforked("/nonexistent/program") != 4 || vforked(NULL) != 4;
}

static int clone_child(void *arg)
{
	*(volatile int *)arg = (int)syscall(SYS_gettid);
	return 5;
}

/* clone-vm: processes that share memory, with several ways to ask for one. */
static int act_clone_vm(int argc, char **argv)
{
	static const int flags[] = {
		CLONE_VM | SIGCHLD,
		CLONE_VM | CLONE_FS | CLONE_FILES | SIGCHLD,
		CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | SIGCHLD,
		CLONE_VM | CLONE_VFORK | SIGCHLD,
		CLONE_VM,		/* no signal at its end */
		CLONE_FILES | SIGUSR1,
		CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | SIGCHLD,
	};
	char *stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	volatile int tid = 0;
	pid_t ptid = 0, ctid = 0;

	(void)argc;
	(void)argv;
	signal(SIGUSR1, SIG_IGN);
	for (unsigned i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		pid_t pid = clone(clone_child, stack + STACK, flags[i], (void *)&tid, &ptid, NULL, &ctid);

		if (pid < 0)
			die("clone");
		if (reap(pid) != 5)
			return 1;
	}
	return 0;
}

/* clone3: as a fork, with a pidfd; and one that is refused. */
static int act_clone3(int argc, char **argv)
{
	int pidfd = -1;
	struct clone_args a = { .flags = CLONE_PIDFD, .pidfd = (uintptr_t)&pidfd, .exit_signal = SIGCHLD };
	long pid;

	(void)argc;
	(void)argv;
	pid = syscall(SYS_clone3, &a, sizeof(a));
	if (pid < 0)
		skip("clone3");
	if (!pid) {
		syscall(SYS_getppid);
		_exit(6);
	}
	if (reap((pid_t)pid) != 6)
		return 1;
	a.flags = CLONE_THREAD;	/* needs CLONE_SIGHAND */
	return syscall(SYS_clone3, &a, sizeof(a)) != -1;
}

/* reuse N: one child after the other, all with the same process id. */
static int act_reuse(int argc, char **argv)
{
	pid_t same = 0;
	struct clone_args a = { .exit_signal = SIGCHLD };
	long pid;

	for (long n = count_of(argc, argv, 20); n > 0; n--) {
		pid = syscall(SYS_clone3, &a, sizeof(a));
		if (pid < 0)
			skip("clone3 with set_tid");
		if (!pid) {
			if (n % 2)
				execl(self, "life", "exit", "5", NULL);
			_exit(5);
		}
		if (reap((pid_t)pid) != 5 || (same && pid != same))
			return 1;
		same = (pid_t)pid;
		a.set_tid = (uintptr_t)&same;
		a.set_tid_size = 1;
	}
	return 0;
}

static void *sleeping_thread(void *arg)
{
	(void)arg;
	for (;;)
		pause();
	return NULL;
}

static void *exec_thread(void *arg)
{
	sleep_ms(20);
	/* the process has no /proc/self/exe once its first thread is gone */
	execl("/proc/thread-self/exe", "life", "exec-again", arg, NULL);
	return NULL;
}

/* thread-exec N: a second thread calls execve while the first one and a third one
 * sleep; the new image does it again, N times in all. */
static int act_thread_exec(int argc, char **argv)
{
	char left[24];
	pthread_t t;

	snprintf(left, sizeof(left), "%ld", count_of(argc, argv, 3));
	if (pthread_create(&t, NULL, sleeping_thread, NULL) ||
	    pthread_create(&t, NULL, exec_thread, left))
		die("pthread_create");
	sleeping_thread(NULL);
	return 1;
}

static int act_exec_again(int argc, char **argv)
{
	char left[24], *again[] = { (char *)"thread-exec", left, NULL };
	long n = count_of(argc, argv, 0);

	if (n <= 1)
		return 7;
	snprintf(left, sizeof(left), "%ld", n - 1);
	return act_thread_exec(2, again);
}

static void *last_thread(void *arg)
{
	sleep_ms(50);
	syscall(SYS_getppid);
	if (arg)
		syscall(SYS_exit, (long)arg);
	exit(8);
}

/* leader-first [N]: the first thread ends before the second, which ends the process
 * with exit_group(8), or, with an argument, itself with exit(N). The status of the
 * process is N then (the first thread's 3 on kernels before 5.19 or so). */
static int act_leader_first(int argc, char **argv)
{
	long status = count_of(argc, argv, 0);
	pthread_t t;

	if (pthread_create(&t, NULL, last_thread, (void *)status))
		die("pthread_create");
	syscall(SYS_exit, 3);
	return 1;
}

/* leader-exec: the first thread ends, then the second one calls execve. */
static int act_leader_exec(int argc, char **argv)
{
	pthread_t t;

	(void)argc;
	(void)argv;
	if (pthread_create(&t, NULL, exec_thread, (void *)"0"))
		die("pthread_create");
	syscall(SYS_exit, 3);
	return 1;
}

/* group-exit: one thread ends all of them in mid-call. */
static int act_group_exit(int argc, char **argv)
{
	pthread_t t;

	(void)argc;
	(void)argv;
	for (int i = 0; i < 5; i++)
		if (pthread_create(&t, NULL, sleeping_thread, NULL))
			die("pthread_create");
	if (pthread_create(&t, NULL, last_thread, NULL))
		die("pthread_create");
	sleeping_thread(NULL);
	return 1;
}

/* daemon MS: a grandchild in a session of its own outlives the command by MS. */
static int act_daemon(int argc, char **argv)
{
	long ms = count_of(argc, argv, 300);
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (pid)
		return reap(pid);
	setsid();
	pid = fork();
	if (pid)
		_exit(pid < 0);
	sleep_ms(ms);
	for (int i = 0; i < 10; i++)
		getppid();
	_exit(11);
}

static pid_t forked(void)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	return pid;
}

/* pidns: processes with several ids each; prints "outer inner" of the deepest. */
static int act_pidns(int argc, char **argv)
{
	int p[2];
	char buf[64];
	ssize_t n;

	(void)argc;
	(void)argv;
	if (pipe(p))
		die("pipe");
	if (unshare(CLONE_NEWPID))
		skip("unshare");
	for (int i = 0; i < 2; i++) {
		pid_t pid = forked();

		if (pid) {
			if (reap(pid) != 12 + i)
				return 1;
			if (!i)	/* the namespace's first process is gone: no more of them */
				break;
			continue;
		}
		pid = forked();
		if (!pid) {
			if (unshare(CLONE_NEWPID))
				die("unshare");
			pid = forked();
			if (!pid) {	/* third level */
				n = snprintf(buf, sizeof(buf), "%d\n", (int)getpid());
				if (write(p[1], buf, (size_t)n) != n)
					_exit(1);
				_exit(getppid() != 0);
			}
			_exit(reap(pid));
		}
		_exit(reap(pid) ? 1 : 12);
	}
	n = read(p[0], buf, sizeof(buf));
	return n != 2 || memcmp(buf, "1\n", 2);
}

static void *named_thread(void *arg)
{
	prctl(PR_SET_NAME, arg);
	syscall(SYS_gettid);
	return NULL;
}

/* names: of odd bytes, too long, of threads, of another thread, back by exec. */
static int act_names(int argc, char **argv)
{
	static const char *const name[] = {
		"", "a", "exactly fifteen", "longer than fifteen bytes", "(paren) 1 2 S",
		"tab\tnl\nesc\033[1m", "\xff\xfe\x80", "quote\"'\\",
	};
	char path[64];
	pthread_t t;
	int fd;

	(void)argc;
	(void)argv;
	for (unsigned i = 0; i < sizeof(name) / sizeof(name[0]); i++) {
		prctl(PR_SET_NAME, name[i]);
		if (pthread_create(&t, NULL, named_thread, (void *)name[i]))
			die("pthread_create");
		pthread_join(t, NULL);
	}
	snprintf(path, sizeof(path), "/proc/self/task/%d/comm", (int)getpid());
	fd = open(path, O_WRONLY);
	if (fd < 0 || write(fd, "by proc", 7) != 7)
		die(path);
	execl(self, "life", "exit", "0", NULL);
	return 1;
}

/* cwd: execs in the working directories deep, bound, removed, and the root.
 * In an empty directory; each exec is of this program with the name of its case. */
static int act_cwd(int argc, char **argv)
{
	static const char *const part = "a directory with a name of some length";
	int top = open(".", O_RDONLY | O_DIRECTORY);
	pid_t pid;

	(void)argc;
	(void)argv;
#define RUN(name) do { \
		pid = forked(); \
		if (!pid) { \
			execl(self, "life", "exit", "0", name, NULL); \
			_exit(1); \
		} \
		if (reap(pid)) \
			return 1; \
	} while (0)
	RUN("start");
	if (chdir("/"))
		die("chdir");
	RUN("root");
	if (fchdir(top) || mkdir("plain\n\"\xff", 0700) || chdir("plain\n\"\xff"))
		die("odd name");
	RUN("odd");
	if (fchdir(top) || mkdir("gone", 0700) || chdir("gone") || rmdir("../gone"))
		die("gone");
	RUN("gone");
	if (fchdir(top))
		die("fchdir");
	for (int i = 0; i < 30; i++)
		if (mkdir(part, 0700) || chdir(part))
			die("deep");
	RUN("deep");
	for (int i = 0; i < 100; i++)	/* beyond 64 names and PATH_MAX bytes */
		if (mkdir(part, 0700) || chdir(part))
			die("deeper");
	RUN("deeper");
	for (int i = 0; i < 130; i++)
		if (chdir("..") || rmdir(part))
			die("deeper");
	if (fchdir(top) || mkdir("from", 0700) || mkdir("to", 0700) || mkdir("from/sub", 0700))
		die("mkdir");
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("from", "to", NULL, MS_BIND, NULL))
		return 0;	/* not allowed here: the rest has been done */
	if (chdir("to/sub"))
		die("bound");
	RUN("bound");
	if (chdir("../..") || mount("none", "to", "tmpfs", 0, NULL) || mkdir("to/in", 0700) ||
	    chdir("to/in"))
		return 0;
	RUN("tmpfs");
	if (umount2("../../to", MNT_DETACH))
		return 0;
	RUN("detached");
	return 0;
}

/* argv: execs with 5000 arguments, with one of 20000 bytes, with bytes that are no
 * text. */
static int act_argv(int argc, char **argv)
{
	static char *many[5004], number[5000][8], big[20001];
	char *odd[] = { (char *)"life", (char *)"exit", (char *)"0", (char *)"", (char *)"a b",
		(char *)"\n\t\"'\\", (char *)"\xff\x80\x01", NULL };
	char *large[] = { (char *)"life", (char *)"exit", (char *)"0", big, (char *)"end", NULL };
	char *const *list[] = { many, large, odd };

	(void)argc;
	(void)argv;
	many[0] = (char *)"life";
	many[1] = (char *)"exit";
	many[2] = (char *)"0";
	for (int i = 0; i < 5000; i++) {
		snprintf(number[i], sizeof(number[i]), "%d", i);
		many[3 + i] = number[i];
	}
	memset(big, 'x', sizeof(big) - 1);
	for (unsigned i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		pid_t pid = forked();

		if (!pid) {
			execv(self, list[i]);
			_exit(1);
		}
		if (reap(pid))
			return 1;
	}
	return 0;
}

/* long-execs N: execs with arguments of 16000 bytes. */
static int act_long_execs(int argc, char **argv)
{
	static char big[16001];

	memset(big, 'y', sizeof(big) - 1);
	for (long n = count_of(argc, argv, 100); n > 0; n--) {
		pid_t pid = forked();

		if (!pid) {
			execl(self, "life", "exit", "0", big, NULL);
			_exit(1);
		}
		if (reap(pid))
			return 1;
	}
	return 0;
}

/* spawn: posix_spawn, system, popen, a script, a script without #!. */
static int act_spawn(int argc, char **argv)
{
	extern char **environ;
	char *args[] = { (char *)"life", (char *)"exit", (char *)"13", NULL };
	static const char script[] = "#!/bin/sh -e\nexit 14\n", bare[] = "exit 15\n";
	FILE *f;
	pid_t pid;
	int fd;

	(void)argc;
	(void)argv;
	if (posix_spawn(&pid, self, NULL, NULL, args, environ))
		die("posix_spawn");
	if (reap(pid) != 13)
		return 1;
	if (posix_spawnp(&pid, "no such program", NULL, NULL, args, environ) != ENOENT)
		return 2;
	if (WEXITSTATUS(system("exit 3")) != 3)
		return 3;
	f = popen("echo out; exit 4", "r");
	if (!f || getc(f) != 'o' || WEXITSTATUS(pclose(f)) != 4)
		return 4;
	fd = open("script", O_WRONLY | O_CREAT | O_TRUNC, 0700);
	if (fd < 0 || write(fd, script, sizeof(script) - 1) < 0 || close(fd))
		die("script");
	fd = open("bare", O_WRONLY | O_CREAT | O_TRUNC, 0700);
	if (fd < 0 || write(fd, bare, sizeof(bare) - 1) < 0 || close(fd))
		die("bare");
	for (int i = 0; i < 3; i++) {
		pid = forked();
		if (!pid) {
			if (i == 0)
				execl("./script", "script", "one", "two words", NULL);
			if (i == 1)
				execlp("./bare", "bare", "one", NULL);
			fd = open(self, O_PATH | O_CLOEXEC);
			args[2] = (char *)"15";
			syscall(SYS_execveat, fd, "", args, environ, AT_EMPTY_PATH);
			_exit(1);
		}
		if (reap(pid) != (i ? 15 : 14))
			return 5 + i;
	}
	return 0;
}

/* Waits until pid, which has ended and has not been waited for, is on no CPU any more: what
 * wait4 says before that lacks its end. "running": it is (fs/proc/base.c, proc_pid_syscall). */
static void wait_gone(pid_t pid)
{
	char name[64], first = 'r';
	siginfo_t info;
	int fd;

	if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT))
		die("waitid");
	snprintf(name, sizeof(name), "/proc/%d/syscall", (int)pid);
	for (int i = 0; i < 1000 && first == 'r'; i++) {
		fd = open(name, O_RDONLY);
		if (fd < 0 || read(fd, &first, 1) != 1)
			first = 0;	/* not in this kernel */
		if (fd >= 0)
			close(fd);
		if (first == 'r')
			sleep_ms(1);
	}
}

/* used: children that compute and fault more and more; prints of each what wait4 says
 * it used: id, microseconds, faults, switches, peak memory. */
static int act_used(int argc, char **argv)
{
	struct rusage r;
	int status;

	(void)argc;
	(void)argv;
	for (long n = 0; n < 10; n++) {
		pid_t pid = forked();

		if (!pid) {
			volatile unsigned long x = 1;
			volatile char *p = mmap(NULL, 1ul << (12 + n), PROT_READ | PROT_WRITE,
						MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

			for (long i = 0; i < 50000l << n; i++)
				x = x * 3 + 1;
			for (long i = 0; i < 1l << n; i++)
				p[i << 12] = 1;
			if (n % 3 == 2)
				sleep_ms(2);
			_exit(0);
		}
		wait_gone(pid);
		if (wait4(pid, &status, 0, &r) != pid)
			die("wait4");
		printf("%d %ld %ld %ld %ld %ld %ld\n", (int)pid, (r.ru_utime.tv_sec +
		       r.ru_stime.tv_sec) * 1000000 + r.ru_utime.tv_usec + r.ru_stime.tv_usec,
		       r.ru_minflt, r.ru_majflt, r.ru_nvcsw, r.ru_nivcsw, r.ru_maxrss);
		fflush(stdout);
	}
	return 0;
}

/* blocked COMMAND...: executes it with signals blocked. */
static int act_blocked(int argc, char **argv)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGRTMIN + 6);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if (argc > 1)
		execvp(argv[1], argv + 1);
	return 1;
}

/* sleep MS */
static int act_sleep(int argc, char **argv)
{
	sleep_ms(count_of(argc, argv, 1000));
	return 0;
}

int main(int argc, char **argv)
{
	static const struct act acts[] = {
		{ "exit", act_exit },
		{ "forks", act_forks },
		{ "crowd", act_crowd },
		{ "threads", act_threads },
		{ "alive", act_alive },
		{ "vfork", act_vfork },
		{ "clone-vm", act_clone_vm },
		{ "clone3", act_clone3 },
		{ "reuse", act_reuse },
		{ "thread-exec", act_thread_exec },
		{ "exec-again", act_exec_again },
		{ "leader-first", act_leader_first },
		{ "leader-exec", act_leader_exec },
		{ "group-exit", act_group_exit },
		{ "daemon", act_daemon },
		{ "pidns", act_pidns },
		{ "names", act_names },
		{ "cwd", act_cwd },
		{ "argv", act_argv },
		{ "long-execs", act_long_execs },
		{ "spawn", act_spawn },
		{ "used", act_used },
		{ "blocked", act_blocked },
		{ "sleep", act_sleep },
		{ NULL, NULL },
	};

	return act_main(acts, argc, argv);
}
