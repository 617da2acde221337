/*
 * sockets_bytes.c - acts of sockets.c: bytes by every call, and by io_uring.
 */
#include <fcntl.h>
#include <linux/errqueue.h>
#include <linux/io_uring.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>

#include "act.h"
#include "sockets.h"

#define MSGS 24			/* of a sendmmsg: as many are read where a kernel has no loops */
#define MSGS_MOST 1024

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

int act_tcp(int argc, char **argv)
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

int act_udp(int argc, char **argv)
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
int act_messages(int argc, char **argv)
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

int act_unix(int argc, char **argv)
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
int act_peek(int argc, char **argv)
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
int act_partial(int argc, char **argv)
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
int act_splice(int argc, char **argv)
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

int act_zerocopy(int argc, char **argv)
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

int act_uring(int argc, char **argv)
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
