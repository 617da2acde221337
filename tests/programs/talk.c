/*
 * talk.c - bytes through sockets of each kind, in each way there is. Prints what the calls
 * themselves said, a line for each kind: bytes sent, bytes received, sends, receives.
 *
 * Kinds are in memory that a child shares, so that both ends count there.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>

#include "act.h"

enum kind { TCP, UDP, UNIX, KINDS };
static const char *const names[KINDS] = { "tcp", "udp", "unix" };

static struct {
	long sent, received, sends, receives;
} *sums;

/* What a call returned: a receive that gave nothing is the end of a stream. */
static ssize_t sent(enum kind k, ssize_t n)
{
	if (n >= 0) {
		sums[k].sent += n;
		sums[k].sends++;
	}
	return n;
}

static ssize_t received(enum kind k, ssize_t n)
{
	if (n >= 0) {
		sums[k].received += n;
		sums[k].receives++;
	}
	return n;
}

static char data[20000], got[20000];

/* Receives until `want` bytes came; it takes turns through the calls. */
static void take(enum kind k, int fd, size_t want)
{
	struct iovec iov[2] = { { got, 100 }, { got + 100, sizeof(got) - 100 } };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };
	ssize_t n = 1;

	for (unsigned turn = 0; want && n > 0; turn++, want -= (size_t)n) {
		if (recv(fd, got, 10, MSG_PEEK) <= 0)	/* counts for nothing */
			die("recv");
		switch (turn % 4) {
		case 0:
			n = received(k, read(fd, got, want));
			break;
		case 1:
			n = received(k, recvmsg(fd, &msg, 0));
			break;
		case 2:
			n = received(k, recv(fd, got, want, 0));
			break;
		default:
			n = received(k, readv(fd, iov, 2));
		}
	}
	if (want)
		die("the other end sent too little");
}

/* Sends by each call; the sum. */
static size_t give(enum kind k, int fd)
{
	struct iovec iov[2] = { { data, 300 }, { data + 300, 700 } };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };
	int file = open("/proc/self/exe", O_RDONLY), pipes[2];
	size_t sum = 0;

	sum += (size_t)sent(k, write(fd, data, 1000));
	sum += (size_t)sent(k, send(fd, data, 2000, 0));
	sum += (size_t)sent(k, writev(fd, iov, 2));
	sum += (size_t)sent(k, sendmsg(fd, &msg, 0));
	sum += (size_t)sent(k, sendto(fd, data, 7, 0, NULL, 0));
	sum += (size_t)sent(k, sendfile(fd, file, NULL, 5000));
	if (pipe(pipes) || write(pipes[1], data, 3000) != 3000)
		die("pipe");
	sum += (size_t)sent(k, splice(pipes[0], NULL, fd, NULL, 3000, 0));
	close(file);
	close(pipes[0]);
	close(pipes[1]);
	return sum;
}

/* A stream: one end sends and hears the sum, the other splices the last bytes out. */
static void stream(enum kind k, int one, int other)
{
	uint32_t sum;
	int pipes[2];
	ssize_t n;
	pid_t pid;

	if (fcntl(one, F_SETFL, O_NONBLOCK) || received(k, recv(one, got, 1, 0)) >= 0 || fcntl(one, F_SETFL, 0))
		die("nothing to receive yet");
	pid = fork();
	if (pid < 0)
		die("fork");
	if (!pid) {
		close(one);
		if (received(k, recv(other, &sum, sizeof(sum), MSG_WAITALL)) != sizeof(sum))
			die("recv");
		take(k, other, sum);
		sent(k, write(other, "done", 4));
		if (pipe(pipes))
			die("pipe");
		n = received(k, splice(other, NULL, pipes[1], NULL, 500, 0));
		if (n != 500)
			die("splice");
		if (received(k, read(other, got, 10)))	/* the end */
			die("read");
		exit(0);
	}
	close(other);
	sum = 1000 + 2000 + 1000 + 1000 + 7 + 5000 + 3000;
	sent(k, write(one, &sum, sizeof(sum)));
	if (give(k, one) != sum)
		die("give");
	take(k, one, 4);
	sent(k, write(one, data, 500));
	close(one);
	if (reap(pid))
		exit(1);
}

static void tcp(const struct sockaddr *any, socklen_t len)
{
	int listener = socket(any->sa_family, SOCK_STREAM, 0), one, other;
	char addr[sizeof(struct sockaddr_in6)];

	if (listener < 0 || bind(listener, any, len) || listen(listener, 4))
		return;		/* no IPv6 here */
	getsockname(listener, (struct sockaddr *)addr, &len);
	one = socket(any->sa_family, SOCK_STREAM, 0);
	if (connect(one, (struct sockaddr *)addr, len))
		die("connect");
	other = accept(listener, NULL, NULL);
	stream(TCP, one, other);
	close(other);
	close(one);
	close(listener);
	one = socket(any->sa_family, SOCK_STREAM, 0);
	if (!connect(one, (struct sockaddr *)addr, len) || errno != ECONNREFUSED)
		die("nobody listens, and connect does not fail");
	close(one);
}

static void udp(const struct sockaddr *any, socklen_t len)
{
	struct iovec iov[3] = { { data, 11 }, { data, 22 }, { data, 33 } };
	struct mmsghdr m[3] = { { .msg_hdr = { .msg_iov = &iov[0], .msg_iovlen = 1 } },
		{ .msg_hdr = { .msg_iov = &iov[1], .msg_iovlen = 1 } },
		{ .msg_hdr = { .msg_iov = &iov[2], .msg_iovlen = 1 } } };
	int one = socket(any->sa_family, SOCK_DGRAM, 0), other = socket(any->sa_family, SOCK_DGRAM, 0);
	char addr[sizeof(struct sockaddr_in6)];
	socklen_t at = len;

	if (one < 0 || bind(one, any, len))
		return;
	getsockname(one, (struct sockaddr *)addr, &at);
	sent(UDP, sendto(other, data, 100, 0, (struct sockaddr *)addr, at));	/* unconnected */
	received(UDP, recvfrom(one, got, 200, 0, NULL, NULL));
	sent(UDP, sendto(other, data, 0, 0, (struct sockaddr *)addr, at));	/* a datagram of nothing */
	received(UDP, read(one, got, 200));
	if (connect(other, (struct sockaddr *)addr, at))
		die("connect");
	sent(UDP, write(other, data, 150));
	take(UDP, one, 150);
	if (sendmmsg(other, m, 3, 0) != 3 || recvmmsg(one, m, 3, 0, NULL) != 3)
		die("sendmmsg");
	sums[UDP].sent += 66;
	sums[UDP].sends += 3;
	sums[UDP].received += m[0].msg_len + m[1].msg_len + m[2].msg_len;
	sums[UDP].receives += 3;
	if (send(one, data, 10, 0) >= 0)
		die("a send to nobody does not fail");
	close(one);
	close(other);
}

static void unix_names(void)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	socklen_t len = offsetof(struct sockaddr_un, sun_path) + 8;
	int listener = socket(AF_UNIX, SOCK_STREAM, 0), one = socket(AF_UNIX, SOCK_STREAM, 0), other, pair[2];

	memcpy(name.sun_path, "\0a\0talk\0", 8);
	if (bind(listener, (struct sockaddr *)&name, len) || listen(listener, 2) ||
	    connect(one, (struct sockaddr *)&name, len))
		die("unix");
	other = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	stream(UNIX, one, other);
	close(listener);
	for (int type = SOCK_DGRAM; type <= SOCK_SEQPACKET; type += SOCK_SEQPACKET - SOCK_DGRAM) {
		if (socketpair(AF_UNIX, type, 0, pair))
			die("socketpair");
		sent(UNIX, write(pair[0], data, 40));
		received(UNIX, recv(pair[1], got, 100, 0));
		close(pair[0]);
		close(pair[1]);
	}
}

/* all */
static int act_all(int argc, char **argv)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };

	(void)argc;
	(void)argv;
	sums = mmap(NULL, sizeof(*sums) * KINDS, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (sums == MAP_FAILED)
		die("mmap");
	tcp((struct sockaddr *)&v4, sizeof(v4));
	tcp((struct sockaddr *)&v6, sizeof(v6));
	udp((struct sockaddr *)&v4, sizeof(v4));
	udp((struct sockaddr *)&v6, sizeof(v6));
	unix_names();
	for (int k = 0; k < KINDS; k++)
		printf("%s,%ld,%ld,%ld,%ld\n", names[k], sums[k].sent, sums[k].received, sums[k].sends,
		       sums[k].receives);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct act acts[] = { { "all", act_all }, { NULL, NULL } };

	signal(SIGPIPE, SIG_IGN);
	return act_main(acts, argc, argv);
}
