/*
 * sockets_pairs.c - sockets and pairs of them, for the acts of sockets.c.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>

#include "act.h"
#include "sockets.h"

char data[1 << 16];

void must(long ok, const char *what)
{
	if (ok < 0)
		die(what);
}

socklen_t loopback(int how, int port, struct sockaddr_storage *to)
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

int made(int family, int type)
{
	int fd = socket(family, type, 0);

	must(fd, "socket");
	return fd;
}

int bound(int how, int type, struct sockaddr_storage *at, socklen_t *len)
{
	int fd = made(how == V4 ? AF_INET : AF_INET6, type);

	*len = loopback(how, 0, at);
	must(bind(fd, (struct sockaddr *)at, *len), "bind");
	must(getsockname(fd, (struct sockaddr *)at, len), "getsockname");
	return fd;
}

int listener(int how, struct sockaddr_storage *at, socklen_t *len)
{
	int fd = bound(how, SOCK_STREAM, at, len);

	must(listen(fd, 128), "listen");
	return fd;
}

void tcp_pair(int how, int fd[2])
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

void udp_pair(int how, int fd[2])
{
	struct sockaddr_storage at[2];
	socklen_t len[2];

	for (int i = 0; i < 2; i++)
		fd[i] = bound(how, SOCK_DGRAM, &at[i], &len[i]);
	for (int i = 0; i < 2; i++)
		must(connect(fd[i], (struct sockaddr *)&at[!i], len[!i]), "connect");
}

void close_both(const int fd[2])
{
	close(fd[0]);
	close(fd[1]);
}

void nonblocking(int fd)
{
	must(fcntl(fd, F_SETFL, O_NONBLOCK), "fcntl");
}

void wait_for(int fd)
{
	struct pollfd p = { fd, POLLIN, 0 };

	must(poll(&p, 1, 5000), "poll");
}

void read_all(int fd, size_t n)
{
	while (n) {
		ssize_t got = read(fd, data, n < sizeof(data) ? n : sizeof(data));

		if (got <= 0)
			die("read");
		n -= (size_t)got;
	}
}

void said(int fd, long sent, long received)
{
	struct stat st;

	must(fstat(fd, &st), "fstat");
	printf("%lu %ld %ld\n", (unsigned long)st.st_ino, sent, received);
}

void abstract(struct sockaddr_un *at, socklen_t *len, const char *tail)
{
	memset(at, 0, sizeof(*at));
	at->sun_family = AF_UNIX;
	*len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
			   (unsigned)snprintf(at->sun_path + 1, 100, "dn %d %s", (int)getpid(), tail));
	at->sun_path[3] = 0;
	at->sun_path[(*len)++ - offsetof(struct sockaddr_un, sun_path)] = 0;
}
