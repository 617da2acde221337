/*
 * sockets.c - sockets of every kind, and bytes through them by every call. Most of
 * it within one network namespace, over its loopback.
 * An act that moves bytes where strace does not see them prints what it was told
 * of them: the inode of the socket, sent, received.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/errqueue.h>
#include <linux/io_uring.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>

#include "act.h"

#define MANY 5000		/* connections of the act many */
#define MSGS 24			/* of a sendmmsg: as many are read where a kernel has no loops */
#define MSGS_MOST 1024

static char data[1 << 16];

static void must(long ok, const char *what)
{
	if (ok < 0)
		die(what);
}

/* --- addresses ------------------------------------------------------------------ */

enum { V4, V6, MAPPED };	/* the last: IPv4 through a socket of IPv6 */

static socklen_t loopback(int how, int port, struct sockaddr_storage *to)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port),
		.sin6_addr = IN6ADDR_LOOPBACK_INIT };

	memset(to, 0, sizeof(*to));
	if (how == V4) {
		memcpy(to, &in, sizeof(in));
		return sizeof(in);
	}
	if (how == MAPPED)
		inet_pton(AF_INET6, "::ffff:127.0.0.1", &in6.sin6_addr);
	memcpy(to, &in6, sizeof(in6));
	return sizeof(in6);
}

static int made(int family, int type)
{
	int fd = socket(family, type, 0);

	must(fd, "socket");
	return fd;
}

static int bound(int how, int type, struct sockaddr_storage *at, socklen_t *len)
{
	int fd = made(how == V4 ? AF_INET : AF_INET6, type);

	*len = loopback(how, 0, at);
	must(bind(fd, (struct sockaddr *)at, *len), "bind");
	must(getsockname(fd, (struct sockaddr *)at, len), "getsockname");
	return fd;
}

static int listener(int how, struct sockaddr_storage *at, socklen_t *len)
{
	int fd = bound(how, SOCK_STREAM, at, len);

	must(listen(fd, 128), "listen");
	return fd;
}

/* Both ends of a TCP connection; the first is the one that connected. */
static void tcp_pair(int how, int fd[2])
{
	struct sockaddr_storage at;
	socklen_t len;
	int l = listener(how, &at, &len);

	fd[0] = made(how == V4 ? AF_INET : AF_INET6, SOCK_STREAM);
	must(connect(fd[0], (struct sockaddr *)&at, len), "connect");
	fd[1] = accept4(l, NULL, NULL, SOCK_CLOEXEC);
	must(fd[1], "accept4");
	close(l);
}

/* Both ends of a UDP "connection". */
static void udp_pair(int how, int fd[2])
{
	struct sockaddr_storage at[2];
	socklen_t len[2];

	for (int i = 0; i < 2; i++)
		fd[i] = bound(how, SOCK_DGRAM, &at[i], &len[i]);
	for (int i = 0; i < 2; i++)
		must(connect(fd[i], (struct sockaddr *)&at[!i], len[!i]), "connect");
}

static void close_both(const int fd[2])
{
	close(fd[0]);
	close(fd[1]);
}

static void nonblocking(int fd)
{
	must(fcntl(fd, F_SETFL, O_NONBLOCK), "fcntl");
}

static void wait_for(int fd)
{
	struct pollfd p = { fd, POLLIN, 0 };

	must(poll(&p, 1, 5000), "poll");
}

static void read_all(int fd, size_t n)
{
	while (n) {
		ssize_t got = read(fd, data, n < sizeof(data) ? n : sizeof(data));

		if (got <= 0)
			die("read");
		n -= (size_t)got;
	}
}

static void said(int fd, long sent, long received)
{
	struct stat st;

	must(fstat(fd, &st), "fstat");
	printf("%lu %ld %ld\n", (unsigned long)st.st_ino, sent, received);
}

/* --- calls -------------------------------------------------------------------- */

/* Each call that sends with each that receives; both ends keep messages apart or not. */
static void exchange(int out, int in)
{
	struct iovec part[3] = { { data, 10 }, { data + 10, 0 }, { data + 20, 21 } };
	struct msghdr one = { .msg_iov = part, .msg_iovlen = 3 };
	struct mmsghdr many[MSGS];

	memset(many, 0, sizeof(many));
	for (int i = 0; i < MSGS; i++)
		many[i].msg_hdr = one;
	must(write(out, data, 100), "write");
	must(read(in, data, 100), "read");
	must(writev(out, part, 3), "writev");
	must(readv(in, part, 3), "readv");
	must(send(out, data, 1000, MSG_NOSIGNAL), "send");
	must(recv(in, data, sizeof(data), 0), "recv");
	must(sendto(out, data, 300, 0, NULL, 0), "sendto");
	must(recvfrom(in, data, sizeof(data), 0, NULL, NULL), "recvfrom");
	must(sendmsg(out, &one, 0), "sendmsg");
	must(recvmsg(in, &one, 0), "recvmsg");
	must(sendmmsg(out, many, MSGS, 0), "sendmmsg");
	wait_for(in);
	must(recvmmsg(in, many, MSGS, MSG_DONTWAIT, NULL), "recvmmsg");
	send(out, data, 0, 0);
	recv(in, data, 10, MSG_DONTWAIT);
	recv(in, data, 10, MSG_DONTWAIT);	/* mostly EAGAIN */
}

static int act_tcp(int argc, char **argv)
{
	int fd[2];

	(void)argc, (void)argv;
	for (int how = V4; how <= MAPPED; how++) {
		tcp_pair(how, fd);
		exchange(fd[0], fd[1]);
		exchange(fd[1], fd[0]);
		must(shutdown(fd[0], SHUT_WR), "shutdown");
		must(read(fd[1], data, 1), "read");	/* the end */
		close_both(fd);
	}
	return 0;
}

static int act_udp(int argc, char **argv)
{
	struct sockaddr_storage at, from;
	socklen_t len, from_len;
	int fd[2];

	(void)argc, (void)argv;
	for (int how = V4; how <= MAPPED; how++) {
		udp_pair(how, fd);
		exchange(fd[0], fd[1]);
		exchange(fd[1], fd[0]);
		close_both(fd);
		/* without a connection */
		fd[0] = bound(how, SOCK_DGRAM, &at, &len);
		fd[1] = made(how == V4 ? AF_INET : AF_INET6, SOCK_DGRAM);
		must(sendto(fd[1], data, 77, 0, (struct sockaddr *)&at, len), "sendto");
		from_len = sizeof(from);
		must(recvfrom(fd[0], data, 10, 0, (struct sockaddr *)&from, &from_len), "recvfrom");
		must(sendto(fd[0], data, 88, 0, (struct sockaddr *)&from, from_len), "sendto");
		must(recvfrom(fd[1], data, 10, MSG_TRUNC, NULL, NULL), "recvfrom");
		close_both(fd);
	}
	return 0;
}

/* As many messages as there can be in a call. */
static int act_messages(int argc, char **argv)
{
	static struct mmsghdr many[MSGS_MOST];
	static struct iovec part[MSGS_MOST];
	int fd[2];

	(void)argc, (void)argv;
	tcp_pair(V4, fd);
	for (unsigned i = 0; i < MSGS_MOST; i++) {
		part[i] = (struct iovec){ data, i % 50 };
		many[i].msg_hdr.msg_iov = &part[i];
		many[i].msg_hdr.msg_iovlen = 1;
	}
	must(sendmmsg(fd[0], many, MSGS_MOST, 0), "sendmmsg");
	wait_for(fd[1]);
	must(recvmmsg(fd[1], many, MSGS_MOST, MSG_DONTWAIT, NULL), "recvmmsg");
	close_both(fd);
	return 0;
}

/* An abstract name with NUL bytes in it, of the length *len. */
static void abstract(struct sockaddr_un *at, socklen_t *len, const char *tail)
{
	memset(at, 0, sizeof(*at));
	at->sun_family = AF_UNIX;
	*len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
			   (unsigned)snprintf(at->sun_path + 1, 100, "dn %d %s", (int)getpid(), tail));
	at->sun_path[3] = 0;
	at->sun_path[(*len)++ - offsetof(struct sockaddr_un, sun_path)] = 0;
}

static int act_unix(int argc, char **argv)
{
	static const int types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET };
	struct sockaddr_un at = { .sun_family = AF_UNIX }, name;
	socklen_t len, all = sizeof(at);
	int fd[2], l;

	(void)argc, (void)argv;
	for (unsigned i = 0; i < 3; i++) {
		must(socketpair(AF_UNIX, types[i], 0, fd), "socketpair");
		exchange(fd[0], fd[1]);
		exchange(fd[1], fd[0]);
		close_both(fd);
	}
	snprintf(at.sun_path, sizeof(at.sun_path), "sock.%d", (int)getpid());
	abstract(&name, &len, "client");
	for (int abs = 0; abs < 2; abs++) {
		l = made(AF_UNIX, SOCK_STREAM);
		must(bind(l, (struct sockaddr *)(abs ? &name : &at), abs ? len : all), "bind");
		must(listen(l, 5), "listen");
		fd[0] = made(AF_UNIX, SOCK_STREAM);
		must(connect(fd[0], (struct sockaddr *)(abs ? &name : &at), abs ? len : all), "connect");
		fd[1] = accept(l, NULL, NULL);
		must(fd[1], "accept");
		exchange(fd[0], fd[1]);
		exchange(fd[1], fd[0]);
		close_both(fd);
		close(l);
	}
	unlink(at.sun_path);
	/* to whom a datagram goes is said with it */
	fd[0] = made(AF_UNIX, SOCK_DGRAM);
	fd[1] = made(AF_UNIX, SOCK_DGRAM);
	must(bind(fd[0], (struct sockaddr *)&name, len), "bind");
	must(sendto(fd[1], data, 55, 0, (struct sockaddr *)&name, len), "sendto");
	must(recv(fd[0], data, 100, 0), "recv");
	close_both(fd);
	return 0;
}

/* Bytes that stay where they are, or are others'. */
static int act_peek(int argc, char **argv)
{
	struct sockaddr_storage at;
	socklen_t len;
	char control[512];
	struct iovec part = { data, 1000 };
	struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control,
		.msg_controllen = sizeof(control) };
	int fd[2], on = 1;

	(void)argc, (void)argv;
	tcp_pair(V4, fd);
	must(write(fd[0], data, 500), "write");
	wait_for(fd[1]);
	must(recv(fd[1], data, 100, MSG_PEEK), "recv");
	must(recv(fd[1], data, 200, MSG_PEEK | MSG_TRUNC), "recv");
	must(recvmsg(fd[1], &(struct msghdr){ .msg_iov = &part, .msg_iovlen = 1 }, MSG_PEEK), "recvmsg");
	must(recv(fd[1], NULL, 150, MSG_TRUNC), "recv");	/* thrown away unseen */
	must(recv(fd[1], data, 1000, 0), "recv");
	close_both(fd);
	udp_pair(V4, fd);
	must(send(fd[0], data, 500, 0), "send");
	must(recv(fd[1], data, 100, MSG_PEEK | MSG_TRUNC), "recv");
	must(recv(fd[1], data, 100, MSG_PEEK), "recv");
	must(recv(fd[1], data, 100, 0), "recv");
	/* what was sent to nobody comes back as an error */
	must(setsockopt(fd[0], SOL_IP, IP_RECVERR, &on, sizeof(on)), "IP_RECVERR");
	close(fd[1]);
	must(send(fd[0], data, 321, 0), "send");
	must(recvmsg(fd[0], &m, MSG_ERRQUEUE), "MSG_ERRQUEUE");
	send(fd[0], data, 321, 0);
	send(fd[0], data, 321, 0);	/* ECONNREFUSED */
	close(fd[0]);
	/* and a port where nobody is, without a connection */
	fd[0] = bound(V4, SOCK_DGRAM, &at, &len);
	close(fd[0]);
	fd[0] = made(AF_INET, SOCK_DGRAM);
	must(sendto(fd[0], data, 11, 0, (struct sockaddr *)&at, len), "sendto");
	close(fd[0]);
	return 0;
}

/* A send that takes a part, one that takes nothing, one to who is gone. */
static int act_partial(int argc, char **argv)
{
	int fd[2], small = 4096;
	long sent = 0;
	ssize_t n;

	(void)argc, (void)argv;
	tcp_pair(V4, fd);
	must(setsockopt(fd[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), "SO_SNDBUF");
	nonblocking(fd[0]);
	while ((n = write(fd[0], data, 50000)) > 0)
		sent += n;
	if (errno != EAGAIN)
		die("write");
	must(-(send(fd[0], data, 1000, MSG_DONTWAIT) > 0), "send");
	nonblocking(fd[1]);
	while (sent > 0)
		if ((n = read(fd[1], data, sizeof(data))) > 0)
			sent -= n;
		else
			wait_for(fd[1]);
	close(fd[1]);
	sleep_ms(5);
	for (int i = 0; i < 3; i++)	/* taken, then EPIPE */
		send(fd[0], data, 100, MSG_NOSIGNAL);
	close(fd[0]);
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), "socketpair");
	nonblocking(fd[0]);
	while (write(fd[0], data, 60000) > 0)
		;
	close(fd[1]);
	send(fd[0], data, 100, MSG_NOSIGNAL);
	close(fd[0]);
	return 0;
}

/* File to socket, socket to socket through a pipe. */
static int act_splice(int argc, char **argv)
{
	int a[2], b[2], p[2], q[2], file = open("/proc/self/exe", O_RDONLY);
	off_t at = 100;
	ssize_t n;

	(void)argc, (void)argv;
	must(file, "/proc/self/exe");
	must(pipe(p), "pipe");
	must(pipe(q), "pipe");
	tcp_pair(V4, a);
	tcp_pair(V6, b);
	n = sendfile(a[0], file, &at, 5000);
	must(n, "sendfile");
	while (n > 0) {
		ssize_t m = splice(a[1], NULL, p[1], NULL, (size_t)n, 0);

		must(m, "splice");
		n -= m;
		must(tee(p[0], q[1], (size_t)m, 0), "tee");
		must(splice(p[0], NULL, b[0], NULL, (size_t)m, SPLICE_F_MORE), "splice");
		read_all(q[0], (size_t)m);
	}
	must(write(p[1], data, 123), "write");
	must(splice(p[0], NULL, b[0], NULL, 123, 0), "splice");
	read_all(b[1], 5123);
	nonblocking(b[1]);
	must(-(splice(b[1], NULL, p[1], NULL, 10, 0) > 0), "splice");	/* nothing there */
	close_both(a);
	close_both(b);
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, a), "socketpair");
	must(sendfile(a[0], file, NULL, 3000), "sendfile");
	must(splice(a[1], NULL, p[1], NULL, 3000, 0), "splice");
	close_both(a);
	return 0;
}

static int act_zerocopy(int argc, char **argv)
{
	char control[256];
	struct msghdr m = { .msg_control = control, .msg_controllen = sizeof(control) };
	struct pollfd p = { .events = 0 };
	int fd[2], on = 1;

	(void)argc, (void)argv;
	tcp_pair(V4, fd);
	must(setsockopt(fd[0], SOL_SOCKET, SO_ZEROCOPY, &on, sizeof(on)), "SO_ZEROCOPY");
	must(send(fd[0], data, 40000, MSG_ZEROCOPY), "send");
	read_all(fd[1], 40000);
	p.fd = fd[0];
	must(poll(&p, 1, 2000), "poll");
	must(recvmsg(fd[0], &m, MSG_ERRQUEUE), "MSG_ERRQUEUE");
	close_both(fd);
	return 0;
}

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

/* --- what becomes of a connection --------------------------------------------------- */

static int act_refused(int argc, char **argv)
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
static int act_nonblocking(int argc, char **argv)
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
static int act_backlog(int argc, char **argv)
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
static int act_reuse(int argc, char **argv)
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
static int act_many(int argc, char **argv)
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
static int act_crowd(int argc, char **argv)
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

static int act_namespace(int argc, char **argv)
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
static int act_hold(int argc, char **argv)
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

/* --- io_uring: by its calls, as a library of it may not be there ---------------------- */

struct uring {
	int fd;
	uint32_t *sq_tail, *sq_mask, *sq_array, *cq_head, *cq_tail, *cq_mask;
	struct io_uring_sqe *sqe;
	struct io_uring_cqe *cqe;
};

static void *mapped(int fd, size_t size, off_t at)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, at);

	if (p == MAP_FAILED)
		die("mmap");
	return p;
}

static void uring_open(struct uring *u)
{
	struct io_uring_params p = { 0 };
	char *sq, *cq;

	u->fd = (int)syscall(SYS_io_uring_setup, 8, &p);
	if (u->fd < 0)
		skip("io_uring_setup");
	sq = mapped(u->fd, p.sq_off.array + p.sq_entries * sizeof(uint32_t), IORING_OFF_SQ_RING);
	cq = mapped(u->fd, p.cq_off.cqes + p.cq_entries * sizeof(struct io_uring_cqe), IORING_OFF_CQ_RING);
	u->sqe = mapped(u->fd, p.sq_entries * sizeof(struct io_uring_sqe), IORING_OFF_SQES);
	u->sq_tail = (uint32_t *)(sq + p.sq_off.tail);
	u->sq_mask = (uint32_t *)(sq + p.sq_off.ring_mask);
	u->sq_array = (uint32_t *)(sq + p.sq_off.array);
	u->cq_head = (uint32_t *)(cq + p.cq_off.head);
	u->cq_tail = (uint32_t *)(cq + p.cq_off.tail);
	u->cq_mask = (uint32_t *)(cq + p.cq_off.ring_mask);
	u->cqe = (struct io_uring_cqe *)(cq + p.cq_off.cqes);
}

static void uring_put(struct uring *u, unsigned op, int fd, unsigned len, unsigned flags)
{
	uint32_t tail = *u->sq_tail, i = tail & *u->sq_mask;

	u->sqe[i] = (struct io_uring_sqe){ .opcode = (uint8_t)op, .flags = (uint8_t)flags, .fd = fd,
		.addr = (uintptr_t)data, .len = len, .user_data = op };
	u->sq_array[i] = i;
	__atomic_store_n(u->sq_tail, tail + 1, __ATOMIC_RELEASE);
}

/* Sends n bytes from one end to the other, both asked for in one call. */
static void uring_moves(struct uring *u, const int fd[2], unsigned n, unsigned flags)
{
	long sent = -1, received = -1;

	uring_put(u, IORING_OP_SEND, fd[0], n, flags);
	uring_put(u, IORING_OP_RECV, fd[1], n, flags);
	must(syscall(SYS_io_uring_enter, u->fd, 2, 2, IORING_ENTER_GETEVENTS, NULL, 0), "io_uring_enter");
	for (int i = 0; i < 2; i++) {
		const struct io_uring_cqe *c = &u->cqe[(*u->cq_head + (uint32_t)i) & *u->cq_mask];

		*(c->user_data == IORING_OP_SEND ? &sent : &received) = c->res;
	}
	__atomic_store_n(u->cq_head, *u->cq_head + 2, __ATOMIC_RELEASE);
	said(fd[0], sent, 0);
	said(fd[1], 0, received);
}

static int act_uring(int argc, char **argv)
{
	struct uring u;
	int fd[2];

	(void)argc, (void)argv;
	uring_open(&u);
	tcp_pair(V4, fd);
	uring_moves(&u, fd, 4444, 0);
	uring_moves(&u, fd, 555, IOSQE_ASYNC);	/* by its workers */
	must(write(fd[0], data, 66), "write");	/* and the like of everybody */
	read_all(fd[1], 66);
	said(fd[0], 66, 0);
	said(fd[1], 0, 66);
	close_both(fd);
	udp_pair(V6, fd);
	uring_moves(&u, fd, 777, 0);
	close_both(fd);
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), "socketpair");
	uring_moves(&u, fd, 88, IOSQE_ASYNC);
	close_both(fd);
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
