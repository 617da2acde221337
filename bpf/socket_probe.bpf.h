/*
 * socket_probe.bpf.h - bytes through sockets on kernels before 6.3, which have
 * no tracepoint for them: the functions that every send and every receive of a
 * family comes through, by fentry or by kprobe. The recorder loads one set.
 *
 * All of net/ipv4/af_inet.c, net/ipv6/af_inet6.c and net/unix/af_unix.c, and called
 * through pointers in struct proto_ops, so that they are not inlined.
 */
#ifndef DN_SOCKET_PROBE_BPF_H
#define DN_SOCKET_PROBE_BPF_H

#include "socket.bpf.h"

/* What is known at the entry waits in the state of the task: none of these
 * functions comes into another of them. */
static __always_inline int probe_enters(struct socket *socket, int flags)
{
	struct dn_task_state *st = task_state(this_task());

	if (!st)
		return 0;
	st->probe_sk = (__u64)BPF_CORE_READ(socket, sk);
	st->probe_flags = flags;
	return 0;
}

static __always_inline int probe_returns(int ret, bool out)
{
	struct dn_task_state *st = task_state(this_task());
	__u64 sk;

	if (!st || !st->probe_sk)
		return 0;
	sk = st->probe_sk;
	st->probe_sk = 0;
	return sock_moved(sk, sock_inode(sk), ret, st->probe_flags, out);
}

static __always_inline int sock_result_of(__u64 socket, int ret, int flags, bool out)
{
	return sock_moved((__u64)BPF_CORE_READ((struct socket *)socket, sk),
			  BPF_CORE_READ((struct socket *)socket, file, f_inode, i_ino), ret, flags, out);
}

#define SENDS(function)                                                              \
	SEC("fexit/" #function)                                                      \
	int BPF_PROG(fexit_##function, struct socket *socket, void *msg, size_t size, int ret) \
	{                                                                            \
		return sock_result_of(number_of(ctx, 0), ret, 0, true);              \
	}                                                                            \
	SEC("kprobe/" #function)                                                     \
	int kprobe_##function(struct pt_regs *ctx)                                   \
	{                                                                            \
		return probe_enters((struct socket *)DN_ARG1(ctx), 0);               \
	}                                                                            \
	SEC("kretprobe/" #function)                                                  \
	int kretprobe_##function(struct pt_regs *ctx)                                \
	{                                                                            \
		return probe_returns(DN_RESULT(ctx), true);                          \
	}

#define RECEIVES(function)                                                           \
	SEC("fexit/" #function)                                                      \
	int BPF_PROG(fexit_##function, struct socket *socket, void *msg, size_t size, int flags, \
		     int ret)                                                        \
	{                                                                            \
		return sock_result_of(number_of(ctx, 0), ret, flags, false);         \
	}                                                                            \
	SEC("kprobe/" #function)                                                     \
	int kprobe_##function(struct pt_regs *ctx)                                   \
	{                                                                            \
		return probe_enters((struct socket *)DN_ARG1(ctx), DN_ARG4(ctx));    \
	}                                                                            \
	SEC("kretprobe/" #function)                                                  \
	int kretprobe_##function(struct pt_regs *ctx)                                \
	{                                                                            \
		return probe_returns(DN_RESULT(ctx), false);                         \
	}

SENDS(inet_sendmsg)
SENDS(inet6_sendmsg)
SENDS(unix_stream_sendmsg)
SENDS(unix_dgram_sendmsg)
RECEIVES(inet_recvmsg)
RECEIVES(inet6_recvmsg)
RECEIVES(unix_stream_recvmsg)
RECEIVES(unix_dgram_recvmsg)

#endif
