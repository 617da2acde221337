/*
 * socket.bpf.h - sockets of the tree: who made them, between which addresses
 * they are, what became of them, and the bytes that went through.
 *
 * A socket gets an id when a task of the tree first has to do with it: at the
 * return of the call that made it, or when bytes go through it. It is known
 * again by the address of its struct sock together with its inode number, the
 * one that ss(8) and /proc/PID/fd show: addresses are used again at once.
 *
 * Bytes are added up in the state of the task until its call returns, and
 * sent in the call's own record.
 */
#ifndef DN_SOCKET_BPF_H
#define DN_SOCKET_BPF_H

#include "state.bpf.h"

#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10
#define IPPROTO_TCP 6
#define SOCK_RAW 3
#define SOCK_SEQPACKET 5
#define MSG_PEEK 0x2		/* linux/socket.h */
#define MSG_ERRQUEUE 0x2000
#define TCP_ESTABLISHED 1	/* net/tcp_states.h */
#define TCP_SYN_SENT 2
#define TCP_SYN_RECV 3
#define TCP_FIN_WAIT1 4
#define TCP_FIN_WAIT2 5
#define TCP_CLOSE 7
#define TCP_LAST_ACK 9
#define TCP_CLOSING 11

struct dn_sock_known {
	__u32 id;
	__u8 told;		/* its addresses as they are once bytes go through it */
	__u8 leaving;		/* it may be without descriptor, and be the same */
	__u8 hidden;		/* a process that may not be looked at has to do with it */
	__u8 pad;
	__u64 inode;
};

/* By the address of struct sock. The one unseen for longest makes room: it is
 * told anew, under a new id, should it come again. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, DN_SOCKS_MAX);
	__type(key, __u64);
	__type(value, struct dn_sock_known);
} socks SEC(".maps");

/* NULL: not known, or another was at this address. One that has lost its descriptor is known
 * by the states it had with it: any other is gone, and this is a socket of somebody else. */
static __always_inline struct dn_sock_known *known_sock(__u64 sk, __u64 inode)
{
	struct dn_sock_known *k = bpf_map_lookup_elem(&socks, &sk);

	return k && (inode ? k->inode == inode : k->leaving) ? k : NULL;
}

/* The states in which a TCP connection outlives its descriptors (net/ipv4/tcp.c, tcp_close()). */
static __always_inline bool tcp_leaving(__u32 state)
{
	return state == TCP_FIN_WAIT1 || state == TCP_FIN_WAIT2 || state == TCP_LAST_ACK ||
	       state == TCP_CLOSING;
}

/* 0: it has no descriptor, not yet or no more. */
static __always_inline __u64 sock_inode(__u64 sk)
{
	return BPF_CORE_READ((struct sock *)sk, sk_socket, file, f_inode, i_ino);
}

static __always_inline __u8 sock_state(__u64 sk)
{
	return BPF_CORE_READ((struct sock *)sk, __sk_common.skc_state);
}

/* The same of what a tracepoint gave. */
#ifndef DN_RAW
#define INODE(sk) ((sk)->sk_socket->file->f_inode->i_ino)
#else
#define INODE(sk) sock_inode((__u64)(sk))
#endif

/* What is behind a descriptor of the current task; 0: no socket. A file that is
 * one is the file of what its private data points to, and no other file is. */
static __always_inline __u64 sock_of_fd(__s32 fd)
{
	struct files_struct *files = READ(this_task(), files);
	struct fdtable *table = READ(files, fdt);
	struct file *file = NULL, **at;
	struct socket *socket;

	if (fd < 0 || (__u32)fd >= READ(table, max_fds))
		return 0;
	at = READ(table, fd);
	bpf_probe_read_kernel(&file, sizeof(file), at + fd);
	socket = BPF_CORE_READ(file, private_data);
	if (!socket || BPF_CORE_READ(socket, file) != file)
		return 0;
	return (__u64)BPF_CORE_READ(socket, sk);
}

/* --- telling ------------------------------------------------------------------ */

static __always_inline void inet_address(__u8 *to, __u8 *len, __u16 family, __u16 port, const void *at)
{
	__u64 any = port;

	if (family == AF_INET) {	/* struct sockaddr_in, sockaddr_in6 */
		bpf_probe_read_kernel(to + 4, 4, at);
		any |= *(__u32 *)(to + 4);
	} else {
		bpf_probe_read_kernel(to + 8, 16, at);
		any |= *(__u64 *)(to + 8) | *(__u64 *)(to + 16);
	}
	*(__u16 *)to = family;
	*(__u16 *)(to + 2) = port;
	if (any)
		*len = family == AF_INET ? DN_SOCKADDR_IN : DN_SOCKADDR_IN6;
}

/* At most the room of an address. The compiler must not know where it comes from, or
 * it compares what the verifier no longer connects with it. */
static __always_inline __u64 address_len(__u32 n)
{
	__u64 len = n;

	asm volatile("" : "+r"(len));
	return len > DN_RING_SOCKADDR_MAX ? DN_RING_SOCKADDR_MAX : len;
}

static __always_inline void unix_address(__u8 *to, __u8 *len, struct sock *sk)
{
	struct unix_address *name = BPF_CORE_READ((struct unix_sock *)sk, addr);
	__u64 n = address_len(BPF_CORE_READ(name, len));

	if (name &&
	    !bpf_probe_read_kernel(to, n, (void *)name + bpf_core_field_offset(struct unix_address, name[0].sun_family)))
		*len = n;
}

/* Both ends as socket addresses. */
static __always_inline void fill_addresses(struct dn_ring_sock *r, struct sock *sk)
{
	__u16 sport;

	if (r->family == AF_INET || r->family == AF_INET6) {
		/* of a raw socket it is the protocol */
		sport = r->sk_type == SOCK_RAW ? 0 : BPF_CORE_READ((struct inet_sock *)sk, inet_sport);
		if (r->family == AF_INET) {
			inet_address(r->local, &r->local_len, AF_INET, sport, (void *)sk +
				     bpf_core_field_offset(struct sock, __sk_common.skc_rcv_saddr));
			inet_address(r->remote, &r->remote_len, AF_INET, BPF_CORE_READ(sk, __sk_common.skc_dport),
				     (void *)sk + bpf_core_field_offset(struct sock, __sk_common.skc_daddr));
		} else if (bpf_core_field_exists(sk->__sk_common.skc_v6_daddr)) {
			inet_address(r->local, &r->local_len, AF_INET6, sport, (void *)sk +
				     bpf_core_field_offset(struct sock, __sk_common.skc_v6_rcv_saddr.in6_u));
			inet_address(r->remote, &r->remote_len, AF_INET6, BPF_CORE_READ(sk, __sk_common.skc_dport),
				     (void *)sk + bpf_core_field_offset(struct sock, __sk_common.skc_v6_daddr.in6_u));
		}
	} else if (r->family == AF_UNIX) {
		struct sock *peer = BPF_CORE_READ((struct unix_sock *)sk, peer);

		unix_address(r->local, &r->local_len, sk);
		if (peer) {
			r->peer_inode = sock_inode((__u64)peer);
			unix_address(r->remote, &r->remote_len, peer);
		}
	}
}

static __always_inline void fill_tcp(struct dn_ring_sock *r, struct sock *sk)
{
	struct tcp_sock *tcp = (void *)sk;

	r->has_tcp = 1;
	r->srtt_us = BPF_CORE_READ(tcp, srtt_us) >> 3;	/* kept eight times as large: net/ipv4/tcp_input.c */
	r->retrans = BPF_CORE_READ(tcp, total_retrans);
	r->tcp_sent = BPF_CORE_READ(tcp, bytes_sent);
	r->tcp_resent = BPF_CORE_READ(tcp, bytes_retrans);
	r->tcp_acked = BPF_CORE_READ(tcp, bytes_acked);
	r->tcp_received = BPF_CORE_READ(tcp, bytes_received);
}

/*
 * Begins a record about a socket, in this CPU's ring: there may be so many that in the ring of
 * process life there would be no room left for processes. NULL: there is none here either.
 */
static __always_inline struct dn_ring_sock *begin_sock(void *ring, struct dn_task_state *st)
{
	struct dn_ring_sock *r = ring ? bpf_ringbuf_reserve(ring, sizeof(*r), 0) : NULL;

	if (!r) {
		count(DN_COUNT_sock_lost);
		return NULL;
	}
	__builtin_memset(r, 0, sizeof(*r));
	r->time = bpf_ktime_get_boot_ns();
	if (st) {
		r->thread = st->thread;
		r->seq = st->seq;
		r->in_call = st->in_call;
		r->start = st->start;
	}
	return r;
}

static __always_inline void end_sock(void *ring, struct dn_ring_sock *r)
{
	bpf_ringbuf_submit(r, wake_flags(ring, r->time >> 8));	/* no call's number to go by */
}

FUNCTION int tell_sock(__u64 sk, struct dn_task_state *st, struct dn_sock_told *t)
{
	struct sock *s = (void *)sk;
	struct dn_ring_sock *r;
	void *ring;

	if (!t)
		return 0;
	ring = this_ring();
	r = begin_sock(ring, st);
	if (!r)
		return 0;
	r->type = t->type;
	r->what = t->what;
	if (t->type == DN_RING_SOCK && t->what == DN_SOCK_ATTACHED)
		r->in_call = 0;		/* no call of its has to do with it */
	r->sock = t->id;
	r->fd = t->fd;
	r->other = t->other;
	r->err = t->err;
	r->old_state = t->old_state;
	r->state = t->state;
	r->family = BPF_CORE_READ(s, __sk_common.skc_family);
	r->sk_type = BPF_CORE_READ(s, sk_type);
	r->protocol = BPF_CORE_READ(s, sk_protocol);
	r->netns = BPF_CORE_READ(s, __sk_common.skc_net.net, ns.inum);
	r->inode = sock_inode(sk);
	if (t->addresses)
		fill_addresses(r, s);
	if (t->asked && st) {
		__u64 len = address_len(st->args[2]);

		r->remote_len = 0;
		if (!bpf_probe_read_user(r->remote, len, (void *)st->args[1]))
			r->remote_len = len;
	}
	if (t->figures && r->protocol == IPPROTO_TCP &&
	    (r->family == AF_INET || r->family == AF_INET6))
		fill_tcp(r, s);
	end_sock(ring, r);
	return 0;
}

/* Of something that happened to a socket; state: before and after. */
static __always_inline void of_event(struct dn_sock_told *t, __u32 what, __u32 id, __u32 state)
{
	t->type = DN_RING_SOCK_EVENT;
	t->what = what;
	t->id = id;
	t->fd = -1;
	t->state = t->old_state = state;
}

/* The id of a socket that a task of the tree has to do with; told when it is new. 0: none can be
 * had. */
FUNCTION int sock_id(__u64 sk, struct dn_task_state *st, __u32 origin, __s32 fd, __u32 other)
{
	struct dn_sock_known fresh = {}, *known;
	struct dn_sock_told t = {};

	if (!sk || !st)
		return 0;
	fresh.inode = sock_inode(sk);
	known = known_sock(sk, fresh.inode);
	if (known)
		return known->id;
	if (!fresh.inode)
		return 0;
	fresh.told = origin != DN_SOCK_SOCKET;
	t.state = sock_state(sk);
	fresh.leaving = tcp_leaving(t.state);
	fresh.id = new_id(&run.last_sock);
	if (bpf_map_update_elem(&socks, &sk, &fresh, BPF_NOEXIST)) {
		known = known_sock(sk, fresh.inode);
		if (known)	/* another thread was first */
			return known->id;
		if (bpf_map_update_elem(&socks, &sk, &fresh, BPF_ANY))
			count(DN_COUNT_sock_lost);
	}
	t.type = DN_RING_SOCK;
	t.what = origin;
	t.id = fresh.id;
	t.fd = fd;
	t.other = other;
	t.addresses = 1;
	tell_sock(sk, st, &t);
	return fresh.id;
}

/* --- bytes -------------------------------------------------------------------- */

/* Sends what the open call has moved so far, beside the call. */
static __always_inline void send_transfer(struct dn_task_state *st)
{
	void *ring = this_ring();
	struct dn_ring_transfer *r = ring ? bpf_ringbuf_reserve(ring, sizeof(*r), 0) : NULL;

	if (r) {
		r->type = DN_RING_TRANSFER;
		r->in_call = st->in_call;
		r->pad = 0;
		r->pad2 = 0;
		r->thread = st->thread;
		r->seq = st->seq;
		r->time = bpf_ktime_get_boot_ns();
		r->moved = st->moved;
		bpf_ringbuf_submit(r, wake_flags(ring, st->seq));
	} else {
		count(DN_COUNT_transfer_lost);
	}
	st->moved.sock = 0;
}

/* n bytes went through a socket for the task st, in so many messages. */
static __always_inline void moved(struct dn_task_state *st, __u32 id, __u64 n, __u32 messages, bool out)
{
	struct dn_ring_moved *m = &st->moved;

	if (m->sock != id) {	/* a call may serve several: io_uring_enter */
		if (m->sock)
			send_transfer(st);
		__builtin_memset(m, 0, sizeof(*m));
		m->sock = id;
	}
	if (out) {
		m->sends += messages;
		m->sent += n;
	} else {
		m->receives += messages;
		m->received += n;
	}
	if (!st->in_call)	/* a worker of io_uring makes no calls */
		send_transfer(st);
}

/* A datagram's socket has its own address from its first send on. */
FUNCTION int tell_used(__u64 sk, struct dn_task_state *st, __u32 id)
{
	struct dn_sock_told t = {};

	of_event(&t, DN_SOCK_EV_USED, id, sock_state(sk));
	t.addresses = 1;
	return tell_sock(sk, st, &t);
}

/* For whom bytes that a send or a receive moved are to be counted; ret: as the socket returned it.
 * NULL: for nobody. Asked first, as every socket of the machine comes here. */
static __always_inline struct dn_task_state *mover(int ret, int flags, bool out)
{
	struct dn_task_state *st;

	if (ret < 0 || (!out && flags & (MSG_PEEK | MSG_ERRQUEUE)))
		return NULL;
	st = task_state(this_task());
	return st && st->armed == DN_ARMED && !st->hidden && !run.stopping ? st : NULL;
}

/* sk and inode: where they are cheap, for the look-up; number: sk as a number, for the rest. */
#define MOVED(st, sk, inode, number, ret, out)                                       \
	({                                                                           \
		struct dn_sock_known *known_ = known_sock((__u64)(sk), inode);       \
		__u32 id_ = known_ ? known_->id : sock_id(number, st, DN_SOCK_USED, -1, 0); \
									     \
		if (known_ && !known_->told) {                                       \
			known_->told = 1;                                            \
			tell_used(number, st, id_);                                  \
		}                                                                    \
		if (id_)                                                             \
			moved(st, id_, ret, 1, out);                                 \
		0;                                                                   \
	})

TP("sock_send_length")
int BPF_PROG(on_sock_sent, struct sock *sk, int ret, int flags)
{
	struct dn_task_state *st = mover(ret, flags, true);

	return st ? MOVED(st, sk, INODE(sk), number_of(ctx, 0), ret, true) : 0;
}

TP("sock_recv_length")
int BPF_PROG(on_sock_received, struct sock *sk, int ret, int flags)
{
	struct dn_task_state *st = mover(ret, flags, false);

	return st ? MOVED(st, sk, INODE(sk), number_of(ctx, 0), ret, false) : 0;
}

/* --- calls -------------------------------------------------------------------- */

FUNCTION int sock_result(struct dn_task_state *st, __u32 what, __s64 ret)
{
	struct dn_sock_told t = {};
	__u64 sk;
	__u32 id;

	if (!st)
		return 0;
	sk = sock_of_fd(st->args[0]);
	id = sock_id(sk, st, DN_SOCK_USED, st->args[0], 0);
	if (!id)
		return 0;
	of_event(&t, what, id, sock_state(sk));
	t.fd = st->args[0];
	t.err = ret < 0 ? -ret : 0;
	t.addresses = 1;
	t.asked = what == DN_SOCK_EV_CONNECT && ret < 0;
	return tell_sock(sk, st, &t);
}

/* n bytes by a call's result, where no tracepoint has told of them. */
FUNCTION int moved_by(struct dn_task_state *st, __s32 fd, __u64 n, __u32 messages, __u32 out)
{
	__u32 id;

	if (!st)
		return 0;
	id = sock_id(sock_of_fd(fd), st, DN_SOCK_USED, fd, 0);
	if (id)
		moved(st, id, n, messages, out);
	return 0;
}

/* close(2) begins: of a socket that no other descriptor holds that is its end. */
static __always_inline void sock_closes(struct dn_task_state *st)
{
	__u64 sk = sock_of_fd(st->args[0]);
	struct dn_sock_known *known = sk ? known_sock(sk, sock_inode(sk)) : NULL;

	st->closing = known && !known->hidden &&
		      dn_file_single(BPF_CORE_READ((struct sock *)sk, sk_socket, file)) ? known->id : 0;
}

/* It has returned; the socket may be gone. */
static __always_inline void sock_closed(struct dn_task_state *st)
{
	void *ring = this_ring();
	struct dn_ring_sock *r = begin_sock(ring, st);

	if (r) {
		r->type = DN_RING_SOCK_EVENT;
		r->what = DN_SOCK_EV_CLOSE;
		r->sock = st->closing;
		end_sock(ring, r);
	}
}

#define MANY_MOST 1024		/* UIO_MAXIOV, which the kernel does not go beyond */

struct many {
	__u64 at, step;		/* of msg_len, from one struct mmsghdr to the next */
	__u64 n, sum;
};

static long many_part(__u32 i, struct many *m)
{
	__u32 len = 0;

	if (i >= m->n)
		return 1;
	bpf_probe_read_user(&len, sizeof(len), (void *)(m->at + i * m->step));
	m->sum += len;
	return 0;
}

/* The same for n messages. */
FUNCTION int moved_by_many(struct dn_task_state *st, __u64 n, __u32 out)
{
	struct many m = { .n = n };

	if (!st)
		return 0;
	m.step = st->abi == DN_NATIVE_ABI ? 64 : 32;
	m.at = st->args[1] + (m.step == 64 ? 56 : 28);	/* behind struct msghdr */
	dn_loop(MANY_MOST, many_part, &m);
	return moved_by(st, st->args[0], m.sum, n, out);
}

/* The open call, one of those of enum dn_sock_act, returns. */
FUNCTION int sock_call(struct dn_task_state *st, __s64 ret)
{
	__s32 pair[2] = { -1, -1 };
	__u32 id, flags = 0;

	if (!st)
		return 0;
	switch (st->sock_act) {
	case DN_SOCK_ACT_SOCKET:
		if (ret >= 0)
			sock_id(sock_of_fd(ret), st, DN_SOCK_SOCKET, ret, 0);
		break;
	case DN_SOCK_ACT_ACCEPT:
		if (ret >= 0) {
			id = sock_id(sock_of_fd(st->args[0]), st, DN_SOCK_USED, st->args[0], 0);
			sock_id(sock_of_fd(ret), st, DN_SOCK_ACCEPT, ret, id);
		}
		break;
	case DN_SOCK_ACT_PAIR:
		if (ret || bpf_probe_read_user(pair, sizeof(pair), (void *)st->args[3]))
			break;
		id = sock_id(sock_of_fd(pair[0]), st, DN_SOCK_PAIR, pair[0], 0);
		sock_id(sock_of_fd(pair[1]), st, DN_SOCK_PAIR, pair[1], id);
		break;
	case DN_SOCK_ACT_CLOSE:
		if (st->closing)
			sock_closed(st);
		break;
	case DN_SOCK_ACT_CONNECT:
		sock_result(st, DN_SOCK_EV_CONNECT, ret);
		break;
	case DN_SOCK_ACT_BIND:
		sock_result(st, DN_SOCK_EV_BIND, ret);
		break;
	case DN_SOCK_ACT_LISTEN:
		sock_result(st, DN_SOCK_EV_LISTEN, ret);
		break;
	case DN_SOCK_ACT_SHUTDOWN:
		sock_result(st, DN_SOCK_EV_SHUTDOWN, ret);
		break;
	case DN_SOCK_ACT_SPLICE:
		if (ret > 0 && !st->moved.sock) {
			moved_by(st, st->args[0], ret, 1, false);
			moved_by(st, st->args[2], ret, 1, true);
		}
		break;
	case DN_SOCK_ACT_SENDFILE:
		if (ret > 0 && !st->moved.sock)
			moved_by(st, st->args[0], ret, 1, true);
		break;
	case DN_SOCK_ACT_IN_FLAGS2:
		flags = st->args[2];
		break;
	case DN_SOCK_ACT_IN_FLAGS3:
	case DN_SOCK_ACT_IN_MANY:
		flags = st->args[3];
		break;
	}
	if (ret < 0 || st->moved.sock || flags & (MSG_PEEK | MSG_ERRQUEUE))
		return 0;
	switch (st->sock_act) {
	case DN_SOCK_ACT_IN:
	case DN_SOCK_ACT_IN_FLAGS2:
	case DN_SOCK_ACT_IN_FLAGS3:
		moved_by(st, st->args[0], ret, 1, false);
		break;
	case DN_SOCK_ACT_OUT:
		moved_by(st, st->args[0], ret, 1, true);
		break;
	case DN_SOCK_ACT_IN_MANY:
		moved_by_many(st, ret, false);
		break;
	case DN_SOCK_ACT_OUT_MANY:
		moved_by_many(st, ret, true);
		break;
	}
	return 0;
}

/* --- what happens to it ---------------------------------------------------------- */

/* By the tree or by the network: who runs may have nothing to do with it. */
static __always_inline int sock_event(__u64 sk, struct dn_sock_told *t)
{
	struct dn_sock_known *known;
	struct dn_task_state *st;

	if (run.stopping)
		return 0;
	known = known_sock(sk, sock_inode(sk));
	if (!known)
		return 0;
	t->id = known->id;
	known->leaving = tcp_leaving(t->state);
	st = task_state(this_task());
	known->hidden |= st && st->hidden;
	if (known->hidden)
		return 0;
	known->told |= t->addresses;
	if (st && !(st->armed == DN_ARMED && st->in_call))
		st = NULL;
	t->err = BPF_CORE_READ((struct sock *)sk, sk_err);
	if (t->what == DN_SOCK_EV_ERROR && !t->err)
		return 0;
	return tell_sock(sk, st, t);
}

TP("inet_sock_set_state")
int BPF_PROG(on_sock_state, const struct sock *sk, const int old, const int new)
{
	struct dn_sock_told t = {};
	__u64 key = number_of(ctx, 0);
	bool orphan = !sock_inode(key);

	of_event(&t, DN_SOCK_EV_STATE, 0, new);
	t.old_state = old;
	t.addresses = new == TCP_ESTABLISHED || new == TCP_SYN_SENT;
	t.figures = new == TCP_CLOSE;
	/* A connection that nobody has accepted yet; its address was another's. */
	if (orphan && (old == TCP_SYN_RECV || new == TCP_SYN_RECV))
		bpf_map_delete_elem(&socks, &key);
	else
		sock_event(key, &t);
	if (orphan && new == TCP_CLOSE)
		bpf_map_delete_elem(&socks, &key);
	return 0;
}

static __always_inline int sock_incident(__u64 sk, __u32 what)
{
	struct dn_sock_told t = {};

	if (!sk)
		return 0;
	of_event(&t, what, 0, sock_state(sk));
	return sock_event(sk, &t);
}

TP("tcp_retransmit_skb")
int BPF_PROG(on_retransmit, const struct sock *sk)
{
	return sock_incident(number_of(ctx, 0), DN_SOCK_EV_RETRANSMIT);
}

TP("tcp_send_reset")
int BPF_PROG(on_reset_sent, const struct sock *sk)
{
	return sock_incident(number_of(ctx, 0), DN_SOCK_EV_RESET_SENT);
}

TP("tcp_receive_reset")
int BPF_PROG(on_reset_received, struct sock *sk)
{
	return sock_incident(number_of(ctx, 0), DN_SOCK_EV_RESET_RECEIVED);
}

TP("inet_sk_error_report")
int BPF_PROG(on_sock_error, const struct sock *sk)
{
	return sock_incident(number_of(ctx, 0), DN_SOCK_EV_ERROR);
}

/*
 * A socket that the command was given: it tells of its descriptors before its execve, by calls
 * with the cookie and a number (recorder/target.c).
 */
FUNCTION int sock_inherited(struct dn_task_state *st, __s32 fd)
{
	if (st)
		sock_id(sock_of_fd(fd), st, DN_SOCK_INHERITED, fd, 0);
	return 0;
}

/* When the recording ends: what each that is still there has become. */
SEC("iter/bpf_map_elem")
int list_sockets(struct bpf_iter__bpf_map_elem *ctx)
{
	struct dn_sock_known *k = ctx->value;
	struct dn_sock_told t = {};
	__u64 *key = ctx->key, sk;

	if (!key || !k)
		return 0;
	sk = *key;
	if (!k->inode || sock_inode(sk) != k->inode)
		return 0;
	of_event(&t, DN_SOCK_EV_LAST, k->id, sock_state(sk));
	t.addresses = 1;
	t.figures = 1;
	tell_sock(sk, NULL, &t);
	return 0;
}

#endif
