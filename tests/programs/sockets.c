/*
 * sockets.c - sockets of every kind, and bytes through them by every call. Most of
 * it within one network namespace, over its loopback. The acts about calls are in
 * sockets_bytes.c, those about connections in sockets_lives.c.
 * An act that moves bytes where strace does not see them prints what it was told
 * of them: the inode of the socket, sent, received.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/socket.h>
#include <time.h>

#include "act.h"
#include "sockets.h"

/* --- who ------------------------------------------------------------------------ */

/* A socket that a child has from its parent: each is told of its own bytes. */
static int act_fork(int argc, char **argv)
{
	struct sockaddr_storage at;
	socklen_t len;
	int fd[2], l;
	pid_t pid;

	(void)argc, (void)argv;
	tcp_pair(V4, fd);
	must(write(fd[0], data, 10), "write");
	pid = fork();
	must(pid, "fork");
	if (!pid) {
		must(write(fd[0], data, 200), "write");
		read_all(fd[1], 210);
		_exit(0);
	}
	reap(pid);
	must(write(fd[0], data, 3000), "write");
	read_all(fd[1], 3000);
	close_both(fd);
	/* one listens, another accepts */
	l = listener(V4, &at, &len);
	pid = fork();
	must(pid, "fork");
	if (!pid) {
		int c = accept(l, NULL, NULL);

		must(c, "accept");
		read_all(c, 40000);
		_exit(0);	/* closed by it */
	}
	fd[0] = made(AF_INET, SOCK_STREAM);
	must(connect(fd[0], (struct sockaddr *)&at, len), "connect");
	must(write(fd[0], data, 40000), "write");
	reap(pid);
	close(fd[0]);
	close(l);
	return 0;
}

static int shared[2];

static void *thread_sends(void *n)
{
	for (int i = 0; i < 50; i++)
		must(write(shared[0], data, (size_t)(uintptr_t)n), "write");
	return NULL;
}

static int act_threads(int argc, char **argv)
{
	pthread_t t[4];

	(void)argc, (void)argv;
	tcp_pair(V4, shared);
	for (int i = 0; i < 4; i++)
		if (pthread_create(&t[i], NULL, thread_sends, (void *)(uintptr_t)(1 << i)))
			die("pthread_create");
	read_all(shared[1], 50 * 15);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	close_both(shared);
	return 0;
}

/* A socket that another process is sent. */
static int act_pass(int argc, char **argv)
{
	union {
		struct cmsghdr h;
		char room[CMSG_SPACE(sizeof(int))];
	} c = { .h = { .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET,
		.cmsg_type = SCM_RIGHTS } };
	struct iovec part = { data, 1 };
	struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &c,
		.msg_controllen = sizeof(c) };
	int way[2], fd[2];
	pid_t pid;

	(void)argc, (void)argv;
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, way), "socketpair");
	pid = fork();	/* has the way, not the socket */
	must(pid, "fork");
	if (!pid) {
		must(recvmsg(way[1], &m, 0), "recvmsg");
		must(write(*(int *)CMSG_DATA(&c.h), data, 777), "write");
		_exit(0);
	}
	tcp_pair(V4, fd);
	memcpy(CMSG_DATA(&c.h), &fd[0], sizeof(int));
	must(sendmsg(way[0], &m, 0), "sendmsg");
	read_all(fd[1], 777);
	reap(pid);
	close_both(fd);
	close_both(way);
	return 0;
}

/* Ends of processes that have sockets: by exit, and by SIGKILL in a receive. */
static int act_ends(int argc, char **argv)
{
	int fd[2];
	pid_t pid;

	(void)argc, (void)argv;
	for (int kill_it = 0; kill_it < 2; kill_it++) {
		pid = fork();
		must(pid, "fork");
		if (!pid) {
			tcp_pair(V4, fd);
			must(write(fd[0], data, 60), "write");
			must(write(fd[1], data, 61), "write");
			read_all(fd[1], 60);
			if (!kill_it)
				_exit(0);
			raise(SIGKILL);
		}
		reap(pid);
	}
	return 0;
}

/* With fd 0 a socket that was there before. */
static int act_given(int argc, char **argv)
{
	ssize_t n = read(0, data, sizeof(data));

	(void)argc, (void)argv;
	must(n, "read");
	must(write(0, data, (size_t)n * 2), "write");
	return 0;
}

/* given-to COMMAND...: runs it with fd 0 one end of a TCP connection, the other being
 * this process'; prints the inode, the bytes it sent, and those it got. */
static int act_given_to(int argc, char **argv)
{
	long got = 0, n;
	int fd[2];
	pid_t pid;

	tcp_pair(V4, fd);
	pid = fork();
	must(pid, "fork");
	if (!pid) {
		dup2(fd[0], 0);
		close_both(fd);
		if (argc > 1)
			execvp(argv[1], argv + 1);
		_exit(98);
	}
	said(fd[0], 0, 0);
	close(fd[0]);
	n = write(fd[1], data, 4321);
	must(n, "write");
	printf("%ld", n);
	while ((n = read(fd[1], data, sizeof(data))) > 0)
		got += n;
	printf(" %ld\n", got);
	return reap(pid);
}

/* --- between two namespaces ------------------------------------------------------------ */

static socklen_t named(const char *host, const char *port, struct sockaddr_storage *to)
{
	struct sockaddr_in *in = (struct sockaddr_in *)to;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)to;

	memset(to, 0, sizeof(*to));
	if (inet_pton(AF_INET, host, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		in->sin_port = htons((uint16_t)atoi(port));
		return sizeof(*in);
	}
	if (inet_pton(AF_INET6, host, &in6->sin6_addr) != 1)
		die(host);
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons((uint16_t)atoi(port));
	return sizeof(*in6);
}

/* serve HOST PORT: reads one connection to its end. answer HOST PORT N: sends N datagrams back,
 * twice as long. Both say when they listen. */
static int act_serve(int argc, char **argv)
{
	int stream = !strcmp(argv[0], "serve"), on = 1, fd;
	struct sockaddr_storage at;
	socklen_t len;
	ssize_t n;

	if (argc < 3)
		return 98;
	len = named(argv[1], argv[2], &at);
	fd = made(at.ss_family, stream ? SOCK_STREAM : SOCK_DGRAM);
	must(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), "SO_REUSEADDR");
	must(bind(fd, (struct sockaddr *)&at, len), "bind");
	if (stream)
		must(listen(fd, 1), "listen");
	printf("listens\n");
	fflush(stdout);
	if (stream) {
		fd = accept(fd, NULL, NULL);
		must(fd, "accept");
		while ((n = read(fd, data, sizeof(data))) > 0)
			;
		return n < 0;
	}
	for (int i = argc > 3 ? atoi(argv[3]) : 1; i; i--) {
		len = sizeof(at);
		n = recvfrom(fd, data, sizeof(data), 0, (struct sockaddr *)&at, &len);
		must(n, "recvfrom");
		must(sendto(fd, data, (size_t)n * 2, 0, (struct sockaddr *)&at, len), "sendto");
	}
	return 0;
}

/* send HOST PORT N: connects and sends N bytes. ask HOST PORT N: so many datagrams, without a
 * connection, of 1 to N bytes. The status is 1 if there is no connection. */
static int act_send(int argc, char **argv)
{
	struct sockaddr_storage at;
	socklen_t len;
	long n;
	int fd;

	if (argc < 4)
		return 98;
	len = named(argv[1], argv[2], &at);
	n = atol(argv[3]);
	fd = made(at.ss_family, strcmp(argv[0], "send") ? SOCK_DGRAM : SOCK_STREAM);
	if (strcmp(argv[0], "send")) {
		for (size_t i = 1; i <= (size_t)n; i++) {
			must(sendto(fd, data, i, 0, (struct sockaddr *)&at, len), "sendto");
			must(recv(fd, data, sizeof(data), 0), "recv");
		}
		return 0;
	}
	if (connect(fd, (struct sockaddr *)&at, len)) {
		perror("connect");
		return 1;
	}
	while (n > 0) {
		ssize_t took = write(fd, data, n < (long)sizeof(data) ? (size_t)n : sizeof(data));

		must(took, "write");
		n -= took;
	}
	return 0;
}

/* --- the acts ----------------------------------------------------------------------- */

static const struct act acts[] = {
	{ "tcp", act_tcp }, { "udp", act_udp }, { "messages", act_messages }, { "unix", act_unix }, { "peek", act_peek },
	{ "partial", act_partial }, { "splice", act_splice }, { "zerocopy", act_zerocopy },
	{ "fork", act_fork }, { "threads", act_threads }, { "pass", act_pass }, { "ends", act_ends },
	{ "given", act_given }, { "given-to", act_given_to }, { "refused", act_refused },
	{ "nonblocking", act_nonblocking }, { "reuse", act_reuse }, { "many", act_many },
	{ "backlog", act_backlog },
	{ "crowd", act_crowd },
	{ "namespace", act_namespace }, { "hold", act_hold }, { "uring", act_uring },
	{ "serve", act_serve }, { "answer", act_serve }, { "send", act_send }, { "ask", act_send },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	return act_main(acts, argc, argv);
}
