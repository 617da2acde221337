/*
 * sockets_lives.c - acts of sockets.c: what becomes of a connection.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>

#include "act.h"
#include "sockets.h"

#define MANY 5000		/* connections of the act many */

int act_refused(int argc, char **argv)
{
	struct sockaddr_storage at;
	struct pollfd p = { .events = POLLOUT };
	socklen_t len, size = sizeof(int);
	int fd, err;

	(void)argc, (void)argv;
	for (int how = V4; how <= MAPPED; how++)
		for (int wait = 0; wait < 2; wait++) {
			close(listener(how, &at, &len));
			fd = made(how == V4 ? AF_INET : AF_INET6, SOCK_STREAM);
			if (!wait)
				nonblocking(fd);
			if (!connect(fd, (struct sockaddr *)&at, len))
				return 1;
			p.fd = fd;
			if (!wait && errno == EINPROGRESS) {
				must(poll(&p, 1, 5000), "poll");
				must(getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &size), "SO_ERROR");
			}
			close(fd);
		}
	return 0;
}

/* One that waits, and comes about. */
int act_nonblocking(int argc, char **argv)
{
	struct sockaddr_storage at;
	struct pollfd p = { .events = POLLOUT };
	socklen_t len;
	int l = listener(V4, &at, &len), fd = made(AF_INET, SOCK_STREAM), in;

	(void)argc, (void)argv;
	nonblocking(fd);
	if (connect(fd, (struct sockaddr *)&at, len) && errno != EINPROGRESS)
		die("connect");
	p.fd = fd;
	must(poll(&p, 1, 5000), "poll");
	must(connect(fd, (struct sockaddr *)&at, len), "connect");	/* says so */
	in = accept4(l, NULL, NULL, SOCK_NONBLOCK);
	must(in, "accept4");
	nonblocking(l);
	must(-(accept(l, NULL, NULL) >= 0), "accept");	/* nobody else */
	close(in);
	close(fd);
	close(l);
	return 0;
}

/* More than wait to be accepted; what is not answered is given up. Prints the inode and
 * the state of each. */
int act_backlog(int argc, char **argv)
{
	struct sockaddr_storage at;
	struct tcp_info info;
	int fd[5], l;
	socklen_t len;

	(void)argc, (void)argv;
	l = bound(V4, SOCK_STREAM, &at, &len);
	must(listen(l, 0), "listen");
	for (int i = 0; i < 5; i++) {
		fd[i] = made(AF_INET, SOCK_STREAM);
		nonblocking(fd[i]);
		if (connect(fd[i], (struct sockaddr *)&at, len) && errno != EINPROGRESS)
			die("connect");
	}
	sleep_ms(50);
	for (int i = 0; i < 5; i++) {
		len = sizeof(info);
		must(getsockopt(fd[i], IPPROTO_TCP, TCP_INFO, &info, &len), "TCP_INFO");
		said(fd[i], info.tcpi_state, 0);
	}
	return 0;
}

static void reset(int fd)
{
	const struct linger at_once = { 1, 0 };

	must(setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)), "SO_LINGER");
	close(fd);
}

/* The same pair of ports at once again, ended by resets. */
int act_reuse(int argc, char **argv)
{
	struct sockaddr_storage at, from;
	socklen_t len, from_len;
	int l = listener(V4, &at, &len), fd, in, on = 1;

	(void)argc, (void)argv;
	fd = bound(V4, SOCK_STREAM, &from, &from_len);
	close(fd);
	for (int i = 1; i <= 10; i++) {
		fd = made(AF_INET, SOCK_STREAM);
		must(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), "SO_REUSEADDR");
		must(bind(fd, (struct sockaddr *)&from, from_len), "bind");
		must(connect(fd, (struct sockaddr *)&at, len), "connect");
		in = accept(l, NULL, NULL);
		must(in, "accept");
		must(write(fd, data, (size_t)i * 3), "write");
		read_all(in, (size_t)i * 3);
		reset(i % 2 ? in : fd);
		wait_for(i % 2 ? fd : in);
		if (read(i % 2 ? fd : in, data, 1) >= 0 || errno != ECONNRESET)
			return 1;
		close(i % 2 ? fd : in);
	}
	close(l);
	return 0;
}

/* many [N]: so many connections, a child serves. */
int act_many(int argc, char **argv)
{
	long n = argc > 1 ? atol(argv[1]) : MANY;
	struct sockaddr_storage at;
	socklen_t len;
	int l = listener(V4, &at, &len), fd;
	pid_t pid = fork();

	must(pid, "fork");
	for (long i = 0; i < n; i++) {
		fd = pid ? made(AF_INET, SOCK_STREAM) : accept(l, NULL, NULL);
		must(fd, "accept");
		if (pid) {
			must(connect(fd, (struct sockaddr *)&at, len), "connect");
			must(write(fd, data, 7), "write");
			read_all(fd, 9);
			reset(fd);	/* or its port would wait for a minute */
		} else {
			read_all(fd, 7);
			must(write(fd, data, 9), "write");
			close(fd);
		}
	}
	return pid ? reap(pid) : 0;
}

/* crowd N: so many pairs, all of them open, a byte through each. */
int act_crowd(int argc, char **argv)
{
	unsigned n = argc > 1 ? (unsigned)atoi(argv[1]) : 100;
	struct rlimit most;
	int (*pair)[2] = calloc(n, sizeof(*pair));

	must(pair ? 0 : -1, "calloc");
	must(getrlimit(RLIMIT_NOFILE, &most), "getrlimit");
	most.rlim_cur = most.rlim_max;
	must(setrlimit(RLIMIT_NOFILE, &most), "setrlimit");
	for (unsigned i = 0; i < n; i++)
		if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair[i]))
			skip("socketpair");
	for (unsigned i = 0; i < n; i++) {
		must(write(pair[i][0], data, 1), "write");
		must(read(pair[i][1], data, 1), "read");
	}
	free(pair);
	return 0;
}

int act_namespace(int argc, char **argv)
{
	int fd[2];

	(void)argc, (void)argv;
	for (int i = 0; i < 2; i++) {
		struct stat st;

		if (i && unshare(CLONE_NEWNET))
			skip("unshare");
		must(stat("/proc/self/ns/net", &st), "ns/net");
		must(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), "socketpair");
		must(write(fd[0], data, 1), "write");
		said(fd[0], (long)st.st_ino, 0);
		close_both(fd);
		close(made(AF_INET, SOCK_DGRAM));
	}
	return 0;
}

/* hold FD: one connection of each kind, bytes through it, open until FD ends. Says so
 * with a line. */
int act_hold(int argc, char **argv)
{
	struct sockaddr_storage at;
	struct sockaddr_un name;
	socklen_t len;
	int fd[2], l;

	for (int how = V4; how <= MAPPED; how++) {
		tcp_pair(how, fd);
		must(write(fd[0], data, 50000), "write");
		read_all(fd[1], 50000);
		must(write(fd[1], data, 3001), "write");
		read_all(fd[0], 3001);
		listener(how, &at, &len);
		udp_pair(how, fd);
		must(write(fd[0], data, 1200), "write");
		must(read(fd[1], data, 1200), "read");
	}
	tcp_pair(V4, fd);
	must(shutdown(fd[0], SHUT_WR), "shutdown");
	abstract(&name, &len, "holds");
	l = made(AF_UNIX, SOCK_SEQPACKET);
	must(bind(l, (struct sockaddr *)&name, len), "bind");
	must(listen(l, 5), "listen");
	fd[0] = made(AF_UNIX, SOCK_SEQPACKET);
	must(connect(fd[0], (struct sockaddr *)&name, len), "connect");
	must(write(fd[0], data, 33), "write");
	must(accept(l, NULL, NULL), "accept");
	must(socketpair(AF_UNIX, SOCK_DGRAM, 0, fd), "socketpair");
	must(write(fd[1], data, 44), "write");
	printf("held\n");
	fflush(stdout);
	while (read(argc > 1 ? atoi(argv[1]) : 0, data, sizeof(data)) > 0)
		;
	return 0;
}
