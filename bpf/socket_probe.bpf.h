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

/* What is known at the entry waits in the state of the task. Where one of these
 * functions comes into another, the inner one takes it. */
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
	st = mover(ret, st->probe_flags, out);
	return st ? MOVED(st, sk, sock_inode(sk), sk, ret, out) : 0;
}

/* The functions of seqpacket may or may not come through those of datagrams, as the compiler
 * saw fit: there they do not count. */
static __always_inline int sock_result_of(__u64 socket, int ret, int flags, bool out, bool dgram)
{
	struct dn_task_state *st = mover(ret, flags, out);
	struct sock *sk;

	if (!st)
		return 0;
	sk = BPF_CORE_READ((struct socket *)socket, sk);
	if (dgram && BPF_CORE_READ(sk, sk_type) == SOCK_SEQPACKET)
		return 0;
	return MOVED(st, sk, sock_inode((__u64)sk), (__u64)sk, ret, out);
}

#define SENDS(function, dgram)                                                       \
	SEC("fexit/" #function)                                                      \
	int BPF_PROG(fexit_##function, struct socket *socket, void *msg, size_t size, int ret) \
	{                                                                            \
		return sock_result_of(number_of(ctx, 0), ret, 0, true, dgram);       \
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

#define RECEIVES(function, dgram)                                                    \
	SEC("fexit/" #function)                                                      \
	int BPF_PROG(fexit_##function, struct socket *socket, void *msg, size_t size, int flags, \
		     int ret)                                                        \
	{                                                                            \
		return sock_result_of(number_of(ctx, 0), ret, flags, false, dgram);  \
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

SENDS(inet_sendmsg, false)
SENDS(inet6_sendmsg, false)
SENDS(unix_stream_sendmsg, false)
SENDS(unix_dgram_sendmsg, true)
SENDS(unix_seqpacket_sendmsg, false)
RECEIVES(inet_recvmsg, false)
RECEIVES(inet6_recvmsg, false)
RECEIVES(unix_stream_recvmsg, false)
RECEIVES(unix_dgram_recvmsg, true)
RECEIVES(unix_seqpacket_recvmsg, false)

#endif
