/*
 * fds.c - descriptors of every kind, made, copied, shared, passed on and closed:
 * fds calls | share | pass | threads
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>

#include "act.h"

#ifndef __NR_close_range
#define __NR_close_range 436
#endif
#ifndef __NR_pidfd_open
#define __NR_pidfd_open 434
#endif

static int need(int fd)
{
	if (fd < 0)
		die("a descriptor");
	return fd;
}

/* A call that goes by its descriptor and does nothing else. */
static void touch(int fd)
{
	struct stat st;

	fstat(fd, &st);
}

static int file(const char *name, int flags)
{
	return need(open(name, O_RDWR | O_CREAT | flags, 0600));
}

/* --- calls: each way to make one ----------------------------------------------- */

static void anonymous(void)
{
	sigset_t set;
	int fd[12], n = 0;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	fd[n++] = eventfd(0, 0);
	fd[n++] = eventfd(0, EFD_CLOEXEC);
	fd[n++] = epoll_create1(0);
	fd[n++] = timerfd_create(CLOCK_MONOTONIC, 0);
	fd[n++] = signalfd(-1, &set, 0);
	signalfd(fd[n - 1], &set, 0);	/* the same once more */
	fd[n++] = inotify_init1(0);
	fd[n++] = memfd_create("thing", 0);
	fd[n++] = (int)syscall(__NR_pidfd_open, getpid(), 0);
	for (int i = 0; i < n; i++) {
		touch(fd[i]);
		fcntl(fd[i], F_GETFD);
	}
	for (int i = n; i-- > 0;)
		close(fd[i]);
}

static void files(void)
{
	char buf[256];
	int dir, fd, other;

	mkdir("dir", 0700);
	mkdir("dir/below", 0700);
	dir = need(open("dir", O_RDONLY | O_DIRECTORY));
	fd = need(openat(dir, "one", O_RDWR | O_CREAT, 0600));
	if (write(fd, "some text\n", 10) != 10)
		die("write");
	other = need(openat(dir, "./below/../two", O_RDWR | O_CREAT, 0600));
	lseek(fd, 0, SEEK_SET);
	sendfile(other, fd, NULL, 10);
	close(fd);
	if (chdir("dir/below"))
		die("chdir");
	fd = file("three", 0);
	touch(fd);
	close(fd);
	fd = file("../four", O_CLOEXEC);
	touch(fd);
	if (fchdir(dir))
		die("fchdir");
	close(fd);
	fd = file("five", 0);
	touch(fd);
	if (chdir(".."))
		die("chdir");
	close(fd);
	close(other);
	syscall(__NR_getdents64, dir, buf, sizeof(buf));
	close(dir);
	fd = need(open("/proc/self/status", O_RDONLY));
	if (read(fd, buf, sizeof(buf)) < 0)
		die("read");
	close(fd);
	fd = need(open("/dev/null", O_WRONLY));
	ioctl(fd, FIOCLEX);
	touch(fd);
	close(fd);
	fd = need(open(".", O_RDONLY | O_TMPFILE | O_RDWR, 0600));
	close(fd);
	close(fd);			/* EBADF */
	touch(77);
}

static void copies(void)
{
	int fd = file("copied", 0), p[2], q[2], high;

	if (pipe(p))
		die("pipe");
	dup2(fd, p[0]);			/* in the place of an end of the pipe */
	touch(p[0]);
	touch(p[1]);
	high = fcntl(p[1], F_DUPFD, 20);
	touch(high);
	touch(dup(high));
	close(p[0]);
	if (pipe2(q, O_CLOEXEC))	/* the lowest free, which are not neighbours */
		die("pipe2");
	touch(q[0]);
	touch(q[1]);
	dup2(fd, fd);
	dup3(q[0], 30, O_CLOEXEC);
	touch(30);
	dup2(99, 31);			/* EBADF */
	touch(31);
	syscall(__NR_close_range, 15, 40, 0);
	touch(30);
	syscall(__NR_close_range, (unsigned)p[1], ~0u, 4 /* CLOSE_RANGE_CLOEXEC */);
	touch(p[1]);
	syscall(__NR_close_range, 3, ~0u, 0);
	touch(3);
}

static void sockets(void)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(in);
	int s[2], listener, c, a, udp, un, nl;
	char byte = 'x';

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s))
		die("socketpair");
	send(s[0], &byte, 1, 0);
	recv(s[1], &byte, 1, 0);
	listener = need(socket(AF_INET, SOCK_STREAM, 0));
	if (bind(listener, (void *)&in, sizeof(in)) || listen(listener, 1) ||
	    getsockname(listener, (void *)&in, &len))
		die("listen");
	c = need(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP));
	if (connect(c, (void *)&in, sizeof(in)))
		die("connect");
	a = need(accept4(listener, NULL, NULL, SOCK_CLOEXEC));
	send(c, &byte, 1, 0);
	recv(a, &byte, 1, 0);
	close(s[0]);
	udp = need(socket(AF_INET6, SOCK_DGRAM, 0));
	touch(udp);
	un = need(socket(AF_UNIX, SOCK_DGRAM, 0));
	touch(un);
	nl = need(socket(AF_NETLINK, SOCK_RAW, 0));
	touch(nl);
	for (int fd = nl; fd >= s[0]; fd--)
		close(fd);
}

static int act_calls(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	files();
	copies();
	anonymous();
	sockets();
	return 0;
}

/* --- share: tables of several tasks -------------------------------------------- */

static int shared_fd = -1, before_fd = -1;

static int sharer(void *unused)
{
	(void)unused;
	touch(before_fd);
	shared_fd = need(eventfd(0, 0));
	touch(shared_fd);
	return 0;
}

static int leaver(void *unused)
{
	(void)unused;
	touch(before_fd);
	if (unshare(CLONE_FILES))
		_exit(1);
	close(before_fd);
	before_fd = need(timerfd_create(CLOCK_MONOTONIC, 0));
	touch(before_fd);
	return 0;
}

static int act_share(int argc, char **argv)
{
	static char stack[2][65536] __attribute__((aligned(16)));
	int was, p[2];

	(void)argc;
	(void)argv;
	before_fd = was = file("before", 0);
	reap(clone(sharer, stack[0] + sizeof(stack[0]), CLONE_VM | CLONE_FILES | SIGCHLD, NULL));
	touch(shared_fd);
	close(shared_fd);
	reap(clone(leaver, stack[1] + sizeof(stack[1]), CLONE_VM | CLONE_FILES | SIGCHLD, NULL));
	touch(was);
	if (pipe(p))
		die("pipe");
	for (int i = 0; i < 3; i++) {
		pid_t child = fork();

		if (!child) {
			dup2(p[1], 1);
			close(p[0]);
			close(p[1]);
			touch(1);
			touch(was);
			_exit(0);
		}
		reap(child);
		touch(p[0]);
	}
	return 0;
}

/* --- pass: what an execve leaves ----------------------------------------------- */

static int act_pass(int argc, char **argv)
{
	int p[2], kept, gone;

	if (argc > 1) {			/* what came here */
		for (int fd = 3; fd < 10; fd++)
			touch(fd);
		return 0;
	}
	kept = file("kept", 0);
	gone = file("gone", O_CLOEXEC);
	if (pipe2(p, O_CLOEXEC))
		die("pipe2");
	fcntl(kept, F_SETFD, FD_CLOEXEC);
	fcntl(kept, F_SETFD, 0);
	ioctl(p[1], FIONCLEX);
	touch(gone);
	execl("/proc/self/exe", "fds", argv[0], "again", (char *)NULL);
	die("execl");
}

/* --- threads: all at once ------------------------------------------------------ */

static void *thread(void *name)
{
	for (int i = 0; i < 200; i++) {
		int fd = file(name, i & 1 ? O_CLOEXEC : 0), copy = dup(fd);

		touch(fd);
		close(fd);
		touch(copy);
		close(copy);
	}
	return NULL;
}

static int act_threads(int argc, char **argv)
{
	static char names[4][8] = { "a", "b", "c", "d" };
	pthread_t t[4];

	(void)argc;
	(void)argv;
	for (int i = 0; i < 4; i++)
		if (pthread_create(&t[i], NULL, thread, names[i]))
			die("pthread_create");
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	return 0;
}

static const struct act acts[] = {
	{ "calls", act_calls },
	{ "share", act_share },
	{ "pass", act_pass },
	{ "threads", act_threads },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	return act_main(acts, argc, argv);
}
