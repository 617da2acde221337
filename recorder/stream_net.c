/*
 * stream_net.c - rows of sockets, what becomes of them, and the bytes through them.
 */
#include "stream_int.h"

#include "events.h"
#include "row.h"

int dn_stream_moved(struct dn_stream *s, const struct dn_ring_moved *m, uint64_t time, uint32_t thread,
		    const uint32_t *seq)
{
	struct dn_value v[DN_F_transfer_N];

	v[DN_F_transfer_time] = dn_u(time);
	v[DN_F_transfer_thread] = dn_u(thread);
	v[DN_F_transfer_seq] = seq ? dn_u(*seq) : dn_null();
	v[DN_F_transfer_sock] = dn_u(m->sock);
	v[DN_F_transfer_sent] = dn_u(m->sent);
	v[DN_F_transfer_received] = dn_u(m->received);
	v[DN_F_transfer_sends] = dn_u(m->sends);
	v[DN_F_transfer_receives] = dn_u(m->receives);
	return dn_row_send(s->o.sink, DN_EV_transfer, v, DN_F_transfer_N);
}

/* An address of a socket; null where there is none. */
static struct dn_value address(const uint8_t *p, uint8_t len)
{
	return len ? dn_str((const char *)p, len) : dn_null();
}

int dn_stream_on_sock(struct dn_stream *s, const struct dn_ring_sock *r)
{
	struct dn_value v[DN_F_sock_N];

	v[DN_F_sock_time] = dn_u(r->time);
	v[DN_F_sock_sock] = dn_u(r->sock);
	v[DN_F_sock_thread] = id(r->thread);
	v[DN_F_sock_seq] = r->in_call ? dn_u(r->seq) : dn_null();
	v[DN_F_sock_fd] = r->fd < 0 ? dn_null() : dn_u((uint64_t)r->fd);
	v[DN_F_sock_origin] = dn_u(r->what);
	v[DN_F_sock_other] = id(r->other);
	v[DN_F_sock_family] = dn_u(r->family);
	v[DN_F_sock_type] = dn_u(r->sk_type);
	v[DN_F_sock_protocol] = dn_u(r->protocol);
	v[DN_F_sock_state] = dn_u(r->state);
	v[DN_F_sock_inode] = r->inode ? dn_u(r->inode) : dn_null();
	v[DN_F_sock_netns] = r->netns ? dn_u(r->netns) : dn_null();
	v[DN_F_sock_peer_inode] = r->peer_inode ? dn_u(r->peer_inode) : dn_null();
	v[DN_F_sock_local] = address(r->local, r->local_len);
	v[DN_F_sock_remote] = address(r->remote, r->remote_len);
	return dn_row_send(s->o.sink, DN_EV_sock, v, DN_F_sock_N);
}

int dn_stream_on_sock_event(struct dn_stream *s, const struct dn_ring_sock *r)
{
	const struct dn_value none = dn_null();
	struct dn_value v[DN_F_sock_event_N];

	v[DN_F_sock_event_time] = dn_u(r->time);
	v[DN_F_sock_event_sock] = dn_u(r->sock);
	v[DN_F_sock_event_kind] = dn_u(r->what);
	v[DN_F_sock_event_thread] = id(r->thread);
	v[DN_F_sock_event_seq] = r->in_call ? dn_u(r->seq) : none;
	v[DN_F_sock_event_start] = r->in_call ? dn_u(r->start) : none;
	v[DN_F_sock_event_old_state] = r->old_state ? dn_u(r->old_state) : none;	/* TCP_ESTABLISHED is 1 */
	v[DN_F_sock_event_state] = r->state ? dn_u(r->state) : none;
	v[DN_F_sock_event_err] = r->err ? dn_u((uint64_t)r->err) : none;
	v[DN_F_sock_event_local] = address(r->local, r->local_len);
	v[DN_F_sock_event_remote] = address(r->remote, r->remote_len);
	v[DN_F_sock_event_peer_inode] = r->peer_inode ? dn_u(r->peer_inode) : none;
	v[DN_F_sock_event_srtt_us] = r->has_tcp && r->srtt_us ? dn_u(r->srtt_us) : none;
	v[DN_F_sock_event_retrans] = r->has_tcp ? dn_u(r->retrans) : none;
	v[DN_F_sock_event_tcp_sent] = r->has_tcp ? dn_u(r->tcp_sent) : none;
	v[DN_F_sock_event_tcp_resent] = r->has_tcp ? dn_u(r->tcp_resent) : none;
	v[DN_F_sock_event_tcp_acked] = r->has_tcp ? dn_u(r->tcp_acked) : none;
	v[DN_F_sock_event_tcp_received] = r->has_tcp ? dn_u(r->tcp_received) : none;
	return dn_row_send(s->o.sink, DN_EV_sock_event, v, DN_F_sock_event_N);
}

int dn_stream_on_transfer(struct dn_stream *s, const struct dn_ring_transfer *r)
{
	return dn_stream_moved(s, &r->moved, r->time, r->thread, r->in_call ? &r->seq : NULL);
}
