/*
 * sockets.h - what the parts of sockets.c share. What fails ends the program.
 */
#ifndef DN_TESTS_SOCKETS_H
#define DN_TESTS_SOCKETS_H

#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

extern char data[1 << 16];

void must(long ok, const char *what);

enum { V4, V6, MAPPED };	/* the last: IPv4 through a socket of IPv6 */

socklen_t loopback(int how, int port, struct sockaddr_storage *to);
int made(int family, int type);
int bound(int how, int type, struct sockaddr_storage *at, socklen_t *len);
int listener(int how, struct sockaddr_storage *at, socklen_t *len);

/* Both ends of a TCP connection; the first is the one that connected. */
void tcp_pair(int how, int fd[2]);
/* Both ends of a UDP "connection". */
void udp_pair(int how, int fd[2]);
void close_both(const int fd[2]);

/* An abstract name with NUL bytes in it, of the length *len. */
void abstract(struct sockaddr_un *at, socklen_t *len, const char *tail);

void nonblocking(int fd);
void wait_for(int fd);
void read_all(int fd, size_t n);
/* Prints the inode of a socket, and two numbers. */
void said(int fd, long sent, long received);

/* sockets_bytes.c */
int act_tcp(int argc, char **argv);
int act_udp(int argc, char **argv);
int act_messages(int argc, char **argv);
int act_unix(int argc, char **argv);
int act_peek(int argc, char **argv);
int act_partial(int argc, char **argv);
int act_splice(int argc, char **argv);
int act_zerocopy(int argc, char **argv);
int act_uring(int argc, char **argv);

/* sockets_lives.c */
int act_refused(int argc, char **argv);
int act_nonblocking(int argc, char **argv);
int act_backlog(int argc, char **argv);
int act_reuse(int argc, char **argv);
int act_many(int argc, char **argv);
int act_crowd(int argc, char **argv);
int act_namespace(int argc, char **argv);
int act_hold(int argc, char **argv);

#endif
