/*
 * test_stream.c - ring records to records of the trace: joining strings and
 * calls in whatever order they come, redaction, the tree, calls in flight.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "collect.h"
#include "ring_event.h"
#include "stream.h"
#include "tree.h"

struct rig {
	struct collect rows;
	struct dn_syscall call[64];
	char text[64][DN_CALL_STRS][256];
	unsigned calls;
	struct dn_tree *tree;
	struct dn_stream *s;
};

static int keep_call(void *ctx, const struct dn_syscall *s)
{
	struct rig *r = (struct rig *)((char *)ctx - offsetof(struct rig, rows));

	assert_true(r->calls < 64);
	for (unsigned i = 0; i < s->nstr; i++) {
		assert_true(s->str[i].len < 256);
		memcpy(r->text[r->calls][i], s->str[i].p, s->str[i].len);
		r->text[r->calls][i][s->str[i].len] = 0;
	}
	r->call[r->calls++] = *s;
	return 0;
}

static void rig_open(struct rig *r, bool redact)
{
	struct dn_stream_opts o = { .redact = redact, .perf = 1u << DN_PERF_PAGE_FAULTS };

	memset(r, 0, sizeof(*r));
	collect_init(&r->rows);
	r->rows.sink.call = keep_call;
	r->tree = dn_tree_new();
	o.sink = &r->rows.sink;
	o.tree = r->tree;
	r->s = dn_stream_new(&o);
	assert_non_null(r->s);
}

static void rig_close(struct rig *r)
{
	dn_stream_free(r->s);
	dn_tree_free(r->tree);
	collect_free(&r->rows);
}

static void call(struct rig *r, uint32_t thread, uint32_t seq, unsigned nstr)
{
	char buf[DN_RING_CALL6] = { 0 };
	struct dn_ring_call *c = (struct dn_ring_call *)buf;

	c->type = DN_RING_CALL;
	c->abi = DN_ABI_X86_64;
	c->nargs = 4;
	c->nstr = (uint8_t)nstr;
	c->thread = thread;
	c->seq = seq;
	c->nr = 257;
	c->start = 1000;
	c->dur = 10;
	c->ret = 3;
	assert_int_equal(dn_stream_record(r->s, buf, sizeof(buf)), 0);
}

static void string(struct rig *r, uint32_t thread, uint32_t seq, unsigned arg, unsigned kind,
		   const char *text, uint32_t len)
{
	char buf[sizeof(struct dn_ring_string) + 1024];
	struct dn_ring_string h = { .type = DN_RING_STRING, .arg = (uint8_t)arg, .kind = (uint8_t)kind,
		.thread = thread, .seq = seq, .len = len, .true_len = len };

	memcpy(buf, &h, sizeof(h));
	memcpy(buf + sizeof(h), text, len);
	assert_int_equal(dn_stream_record(r->s, buf, (uint32_t)sizeof(h) + len), 0);
}

static void test_in_order(void **state)
{
	struct rig r;
	struct dn_stream_stats st;

	(void)state;
	rig_open(&r, false);
	string(&r, 1, 0, 1, DN_STR_PATH, "/etc/passwd", 11);
	call(&r, 1, 0, 1);
	call(&r, 1, 1, 0);
	assert_int_equal(r.calls, 2);
	assert_int_equal(r.call[0].nstr, 1);
	assert_string_equal(r.text[0][0], "/etc/passwd");
	assert_int_equal(r.call[1].nstr, 0);
	dn_stream_stats(r.s, &st);
	assert_int_equal(st.calls, 2);
	assert_int_equal(st.strings_missing, 0);
	rig_close(&r);
}

/* Thread 1 moved between CPUs: the call is met first, also with the strings of
 * its next call already there. */
static void test_across_rings(void **state)
{
	struct rig r;
	char longer[300];

	(void)state;
	rig_open(&r, false);
	memset(longer, 'x', sizeof(longer));
	string(&r, 1, 8, 0, DN_STR_PATH, "next", 4);
	call(&r, 1, 7, 2);
	assert_int_equal(r.calls, 0);		/* waits */
	dn_stream_pass(r.s);
	assert_int_equal(r.calls, 0);
	string(&r, 1, 7, 0, DN_STR_PATH, "one", 3);
	string(&r, 1, 7, 1, DN_STR_PATH, longer, 250);	/* beyond the inline room */
	dn_stream_pass(r.s);
	assert_int_equal(r.calls, 1);
	assert_int_equal(r.call[0].seq, 7);
	assert_int_equal(r.call[0].flags, 0);
	assert_string_equal(r.text[0][0], "one");
	assert_int_equal(strlen(r.text[0][1]), 250);
	call(&r, 1, 8, 1);
	assert_string_equal(r.text[1][0], "next");
	rig_close(&r);
}

static void test_lost_string(void **state)
{
	struct rig r;
	struct dn_stream_stats st;

	(void)state;
	rig_open(&r, false);
	call(&r, 1, 0, 1);
	for (unsigned i = 0; i < 3; i++)
		dn_stream_pass(r.s);
	assert_int_equal(r.calls, 1);		/* goes on without it, and says so */
	assert_true(r.call[0].flags & DN_CALL_STR_MISSING);
	string(&r, 2, 0, 0, DN_STR_PATH, "orphan", 6);
	assert_int_equal(dn_stream_finish(r.s, 5000, 5000), 0);
	dn_stream_stats(r.s, &st);
	assert_int_equal(st.strings_missing, 1);
	assert_int_equal(st.strings_orphaned, 1);
	rig_close(&r);
}

static void test_redact(void **state)
{
	struct rig r;
	struct dn_stream_stats st;
	static const char argv[] = "mysql\0--password=hunter2\0db";

	(void)state;
	for (unsigned on = 0; on < 2; on++) {
		rig_open(&r, on);
		string(&r, 1, 0, 1, DN_STR_ARGV, argv, sizeof(argv));
		call(&r, 1, 0, 1);
		dn_stream_stats(r.s, &st);
		assert_int_equal(st.redacted, on);
		assert_int_equal(!!(r.call[0].str[0].flags & DN_STR_REDACTED), on);
		assert_int_equal(!memmem(r.text[0][0], r.call[0].str[0].len, "hunter2", 7), on);
		assert_non_null(memmem(r.text[0][0], r.call[0].str[0].len, "mysql", 5));
		rig_close(&r);
	}
}

static void start(struct rig *r, uint32_t thread, uint32_t process, uint32_t parent, unsigned origin)
{
	struct dn_ring_thread_start t = { .type = DN_RING_THREAD_START, .origin = (uint8_t)origin,
		.thread = thread, .process = process, .parent = parent, .tid = 100 + thread,
		.pid = 100 + process, .ppid = 1, .time = 10, .born = 9, .parent_seq = 5,
		.ns_levels = 2, .ns_tid = { 7, 1 }, .comm = "prog" };

	assert_int_equal(dn_stream_record(r->s, &t, sizeof(t)), 0);
}

static void end(struct rig *r, uint32_t thread, uint32_t process, bool dead)
{
	struct dn_ring_thread_exit t = { .type = DN_RING_THREAD_EXIT, .thread = thread,
		.process = process, .group_dead = dead, .maxrss_pages = 2, .has_figures = 1, .has_io = 0, .seq = 3 };

	assert_int_equal(dn_stream_record(r->s, &t, sizeof(t)), 0);
}

static void test_life(void **state)
{
	struct dn_ring_thread_gone gone = { .type = DN_RING_THREAD_GONE, .runtime = 12345 };
	struct rig r;
	const struct collected *c;

	(void)state;
	rig_open(&r, false);
	start(&r, 1, 1, 0, DN_ORIGIN_TARGET);
	start(&r, 2, 1, 1, DN_ORIGIN_THREAD);
	assert_int_equal(dn_tree_processes(r.tree), 1);
	start(&r, 3, 1, 2, DN_ORIGIN_EXEC);	/* thread 2 called execve and went on as 3 */
	c = collect_find(&r.rows, DN_EV_thread_end, 0);
	assert_non_null(c);
	assert_int_equal(c->v[DN_F_thread_end_thread].u, 2);
	assert_int_equal(c->v[DN_F_thread_end_seq].u, 5);
	c = collect_find(&r.rows, DN_EV_thread_start, 0);
	assert_true(c->v[DN_F_thread_start_parent_thread].null);
	assert_string_equal(c->v[DN_F_thread_start_ns_tids].p, "7:1");
	end(&r, 1, 1, false);
	assert_int_equal(dn_tree_processes(r.tree), 1);
	end(&r, 3, 1, true);
	assert_int_equal(dn_tree_processes(r.tree), 0);
	assert_null(collect_find(&r.rows, DN_EV_thread_exit, 0));
	gone.thread = 3;
	assert_int_equal(dn_stream_record(r.s, &gone, sizeof(gone)), 0);
	c = collect_find(&r.rows, DN_EV_thread_exit, 0);
	assert_int_equal(c->v[DN_F_thread_exit_thread].u, 3);
	assert_int_equal(c->v[DN_F_thread_exit_runtime].u, 12345);	/* of its last switch */
	assert_int_equal(dn_stream_finish(r.s, 5000, 5000), 0);	/* the others' never came */
	assert_int_equal(collect_count(&r.rows, DN_EV_thread_exit), 2);
	c = collect_find(&r.rows, DN_EV_thread_exit, 1);
	assert_int_equal(c->v[DN_F_thread_exit_thread].u, 1);
	assert_true(c->v[DN_F_thread_exit_maxrss].null);	/* only of the whole process */
	assert_true(c->v[DN_F_thread_exit_rchar].null);		/* not measured is not 0 */
	rig_close(&r);
}

static void exec(struct rig *r, const char *cwd, uint32_t cwd_len, unsigned parts)
{
	char buf[sizeof(struct dn_ring_exec) + 512];
	static const char path[] = "/bin/prog", argv[] = "prog\0-x";
	struct dn_ring_exec e = { .type = DN_RING_EXEC, .thread = 1, .process = 1,
		.path_len = sizeof(path), .cwd_len = cwd_len, .cwd_parts = (uint16_t)parts,
		.argv_len = sizeof(argv), .argv_true_len = sizeof(argv) };
	uint32_t off = sizeof(e);

	memcpy(buf, &e, sizeof(e));
	memcpy(buf + off, path, sizeof(path));
	off += sizeof(path);
	memcpy(buf + off, cwd, cwd_len);
	off += cwd_len;
	memcpy(buf + off, argv, sizeof(argv));
	off += sizeof(argv);
	assert_int_equal(dn_stream_record(r->s, buf, off), 0);
	assert_int_equal(dn_stream_record(r->s, buf, off - 1), -EPROTO);	/* shorter than it says */
}

static void test_exec_cwd(void **state)
{
	struct rig r;
	const struct collected *c;

	(void)state;
	rig_open(&r, false);
	exec(&r, "leaf\0mid\0top", 13, 3);
	exec(&r, "", 0, 0);
	exec(&r, "", 0, DN_RING_CWD_BAD);
	c = collect_find(&r.rows, DN_EV_exec, 0);
	assert_string_equal(c->v[DN_F_exec_cwd].p, "/top/mid/leaf");
	assert_string_equal(c->v[DN_F_exec_path].p, "/bin/prog");
	assert_int_equal(c->v[DN_F_exec_argv].len, 8);
	assert_string_equal(collect_find(&r.rows, DN_EV_exec, 1)->v[DN_F_exec_cwd].p, "/");
	assert_true(collect_find(&r.rows, DN_EV_exec, 2)->v[DN_F_exec_cwd].null);
	rig_close(&r);
}

static void test_offcpu(void **state)
{
	struct dn_ring_offcpu o = { .type = DN_RING_OFFCPU, .state = DN_OFF_SLEEPING, .in_call = 1,
		.by = DN_WOKEN_BY_TASK, .thread = 3, .seq = 8, .abi = DN_ABI_X86_64, .nr = 202, .waker = 4,
		.waker_tid = 104, .time = 1000, .dur = 300, .ready = 20, .waker_comm = "who" };
	struct dn_iter_thread t = { .thread = 5, .process = 5, .in_call = 0, .off = 400, .woken = 300,
		.off_state = DN_OFF_DISK };
	const struct collected *c;
	struct rig r;

	(void)state;
	rig_open(&r, false);
	assert_int_equal(dn_stream_record(r.s, &o, sizeof(o)), 0);
	o.by = DN_WOKEN_BY_INTERRUPT;
	o.waker = o.waker_tid = 0;
	o.in_call = 0;
	assert_int_equal(dn_stream_record(r.s, &o, sizeof(o)), 0);
	o.by = DN_WOKEN_UNSEEN;
	assert_int_equal(dn_stream_record(r.s, &o, sizeof(o)), 0);
	dn_stream_living(r.s, &t);
	assert_int_equal(dn_stream_finish(r.s, 5000, 5000), 0);
	c = collect_find(&r.rows, DN_EV_offcpu, 0);
	assert_int_equal(c->v[DN_F_offcpu_time].u, 1000);
	assert_int_equal(c->v[DN_F_offcpu_dur].u, 300);
	assert_int_equal(c->v[DN_F_offcpu_ready].u, 20);
	assert_int_equal(c->v[DN_F_offcpu_seq].u, 8);
	assert_int_equal(c->v[DN_F_offcpu_nr].u, 202);
	assert_int_equal(c->v[DN_F_offcpu_waker].u, 4);
	assert_int_equal(c->v[DN_F_offcpu_waker_tid].u, 104);
	assert_string_equal(c->v[DN_F_offcpu_waker_comm].p, "who");
	assert_int_equal(c->v[DN_F_offcpu_ended].u, 1);
	c = collect_find(&r.rows, DN_EV_offcpu, 1);
	assert_true(c->v[DN_F_offcpu_waker].null && c->v[DN_F_offcpu_waker_tid].null &&
		    c->v[DN_F_offcpu_waker_comm].null && c->v[DN_F_offcpu_seq].null);
	assert_int_equal(c->v[DN_F_offcpu_ready].u, 20);
	assert_true(collect_find(&r.rows, DN_EV_offcpu, 2)->v[DN_F_offcpu_ready].null);
	c = collect_find(&r.rows, DN_EV_offcpu, 3);	/* woken before it left: since it left */
	assert_int_equal(c->v[DN_F_offcpu_thread].u, 5);
	assert_int_equal(c->v[DN_F_offcpu_dur].u, 4600);
	assert_int_equal(c->v[DN_F_offcpu_ready].u, 4600);
	assert_int_equal(c->v[DN_F_offcpu_state].u, DN_OFF_DISK);
	assert_int_equal(c->v[DN_F_offcpu_ended].u, 0);
	rig_close(&r);
}

static void test_perf(void **state)
{
	struct dn_ring_perf p = { .type = DN_RING_PERF, .thread = 3, .time = 9,
		.kinds = 1 << DN_PERF_CYCLES | 1 << DN_PERF_PAGE_FAULTS };
	struct rig r;

	(void)state;
	p.sum[DN_PERF_CYCLES] = p.sum[DN_PERF_PAGE_FAULTS] = (struct dn_perf_sum){ 6, 7, 7 };
	rig_open(&r, false);
	assert_int_equal(dn_stream_record(r.s, &p, sizeof(p)), 0);
	assert_int_equal(r.rows.n, 1);	/* the rig counts faults alone */
	assert_int_equal(collect_find(&r.rows, DN_EV_perf_counter, 0)->v[DN_F_perf_counter_counter].u, DN_PERF_PAGE_FAULTS);
	rig_close(&r);
}

static void test_in_flight(void **state)
{
	struct rig r;
	struct dn_iter_thread t = { .thread = 1, .process = 1, .seq = 4, .in_call = 1,
		.abi = DN_ABI_X86_64, .nr = 34, .nargs = 0, .start = 77 };
	struct dn_stream_stats st;

	(void)state;
	rig_open(&r, false);
	dn_stream_living(r.s, &t);
	t.thread = 2;
	dn_stream_living(r.s, &t);
	call(&r, 2, 4, 0);		/* thread 2's call returned after the list was made */
	assert_int_equal(dn_stream_finish(r.s, 5000, 5000), 0);
	dn_stream_stats(r.s, &st);
	assert_int_equal(st.calls, 2);
	assert_int_equal(st.unfinished, 1);
	assert_int_equal(r.call[1].thread, 1);
	assert_true(r.call[1].flags & DN_CALL_UNFINISHED);
	assert_int_equal(r.call[1].start, 77);
	assert_int_equal(collect_count(&r.rows, DN_EV_thread_end), 2);
	assert_int_equal(collect_find(&r.rows, DN_EV_thread_end, 0)->v[DN_F_thread_end_seq].u, 5);
	assert_int_equal(collect_find(&r.rows, DN_EV_thread_end, 1)->v[DN_F_thread_end_seq].u, 5);
	assert_int_equal(collect_find(&r.rows, DN_EV_thread_end, 1)->v[DN_F_thread_end_in_call].u, 0);
	rig_close(&r);
}

/* One of each of the records about sockets: what is not there is null, not 0. */
static void test_sockets(void **state)
{
	static const uint8_t here[16] = { 2, 0, 0x1f, 0x90, 127, 0, 0, 1 }, there[6] = "\1\0\0a\0b";
	struct dn_ring_sock made = { .type = DN_RING_SOCK, .what = DN_SOCK_ACCEPT, .state = 1, .sock = 9,
		.thread = 3, .seq = 12, .in_call = 1, .fd = 0, .other = 4, .netns = 77, .family = 2, .sk_type = 1,
		.protocol = 6, .time = 1000, .start = 990, .inode = 5555, .local_len = sizeof(here) };
	struct dn_ring_sock none = { .type = DN_RING_SOCK, .what = DN_SOCK_USED, .sock = 10, .fd = -1, .time = 1001 };
	struct dn_ring_sock closed = { .type = DN_RING_SOCK_EVENT, .what = DN_SOCK_EV_STATE, .sock = 9, .state = 7,
		.old_state = 1, .thread = 3, .seq = 13, .in_call = 1, .start = 1995, .time = 2000, .err = 104,
		.peer_inode = 6, .has_tcp = 1, .srtt_us = 250, .tcp_sent = 10, .tcp_acked = 11, .tcp_received = 12,
		.tcp_resent = 13, .retrans = 2, .remote_len = sizeof(there) };
	struct dn_ring_sock elsewhere = { .type = DN_RING_SOCK_EVENT, .what = DN_SOCK_EV_RETRANSMIT, .sock = 9,
		.time = 2001, .srtt_us = 250 };
	const struct dn_ring_moved bytes = { .sock = 9, .sends = 1, .receives = 2, .sent = UINT64_C(5) << 32,
		.received = 6 };
	struct dn_ring_transfer moved = { .type = DN_RING_TRANSFER, .in_call = 1, .thread = 3, .seq = 14, .time = 3000,
		.moved = bytes };
	union {
		struct dn_ring_call call;
		uint64_t words[DN_RING_CALL_MOVED / 8];
	} with = { .call = { .type = DN_RING_CALL, .abi = DN_ABI_X86_64, .nargs = 3, .thread = 3, .seq = 15, .nr = 1,
		.start = 4000, .dur = 50, .ret = 6 } };
	const struct collected *c;
	struct rig r;

	(void)state;
	rig_open(&r, false);
	memcpy(made.local, here, sizeof(here));
	memcpy(closed.remote, there, sizeof(there));
	assert_int_equal(dn_stream_record(r.s, &made, sizeof(made)), 0);
	assert_int_equal(dn_stream_record(r.s, &none, sizeof(none)), 0);
	assert_int_equal(dn_stream_record(r.s, &closed, sizeof(closed)), 0);
	assert_int_equal(dn_stream_record(r.s, &elsewhere, sizeof(elsewhere)), 0);
	assert_int_equal(dn_stream_record(r.s, &moved, sizeof(moved)), 0);
	moved.in_call = 0;
	assert_int_equal(dn_stream_record(r.s, &moved, sizeof(moved)), 0);
	memcpy(&with.words[DN_RING_CALL6 / 8], &bytes, sizeof(bytes));
	assert_int_equal(dn_stream_record(r.s, &with, sizeof(with)), 0);

	c = collect_find(&r.rows, DN_EV_transfer, 2);	/* that of a call comes with it */
	assert_int_equal(c->v[DN_F_transfer_time].u, 4050);
	assert_int_equal(c->v[DN_F_transfer_thread].u, 3);
	assert_int_equal(c->v[DN_F_transfer_seq].u, 15);
	assert_int_equal(c->v[DN_F_transfer_sock].u, 9);
	assert_int_equal(c->v[DN_F_transfer_sent].u, UINT64_C(5) << 32);
	assert_int_equal(c->v[DN_F_transfer_receives].u, 2);

	c = collect_find(&r.rows, DN_EV_sock, 0);
	assert_int_equal(c->v[DN_F_sock_sock].u, 9);
	assert_int_equal(c->v[DN_F_sock_origin].u, DN_SOCK_ACCEPT);
	assert_int_equal(c->v[DN_F_sock_seq].u, 12);
	assert_false(c->v[DN_F_sock_fd].null);		/* 0 is a descriptor */
	assert_int_equal(c->v[DN_F_sock_other].u, 4);
	assert_int_equal(c->v[DN_F_sock_inode].u, 5555);
	assert_int_equal(c->v[DN_F_sock_netns].u, 77);
	assert_int_equal(c->v[DN_F_sock_local].len, sizeof(here));
	assert_memory_equal(c->v[DN_F_sock_local].p, here, sizeof(here));
	assert_true(c->v[DN_F_sock_remote].null && c->v[DN_F_sock_peer_inode].null);
	c = collect_find(&r.rows, DN_EV_sock, 1);
	assert_true(c->v[DN_F_sock_thread].null && c->v[DN_F_sock_seq].null && c->v[DN_F_sock_fd].null);
	assert_true(c->v[DN_F_sock_other].null && c->v[DN_F_sock_inode].null && c->v[DN_F_sock_netns].null);
	assert_true(c->v[DN_F_sock_local].null);

	c = collect_find(&r.rows, DN_EV_sock_event, 0);
	assert_int_equal(c->v[DN_F_sock_event_kind].u, DN_SOCK_EV_STATE);
	assert_int_equal(c->v[DN_F_sock_event_old_state].u, 1);
	assert_int_equal(c->v[DN_F_sock_event_state].u, 7);
	assert_int_equal(c->v[DN_F_sock_event_start].u, 1995);
	assert_int_equal(c->v[DN_F_sock_event_err].u, 104);
	assert_int_equal(c->v[DN_F_sock_event_peer_inode].u, 6);
	assert_memory_equal(c->v[DN_F_sock_event_remote].p, there, sizeof(there));	/* a NUL in it */
	assert_int_equal(c->v[DN_F_sock_event_srtt_us].u, 250);
	assert_int_equal(c->v[DN_F_sock_event_retrans].u, 2);
	assert_int_equal(c->v[DN_F_sock_event_tcp_sent].u, 10);
	assert_int_equal(c->v[DN_F_sock_event_tcp_resent].u, 13);
	assert_int_equal(c->v[DN_F_sock_event_tcp_acked].u, 11);
	assert_int_equal(c->v[DN_F_sock_event_tcp_received].u, 12);
	c = collect_find(&r.rows, DN_EV_sock_event, 1);	/* in an interrupt, its figures not read */
	assert_true(c->v[DN_F_sock_event_thread].null && c->v[DN_F_sock_event_seq].null);
	assert_true(c->v[DN_F_sock_event_start].null && c->v[DN_F_sock_event_err].null);
	assert_true(c->v[DN_F_sock_event_old_state].null && c->v[DN_F_sock_event_state].null);
	assert_true(c->v[DN_F_sock_event_srtt_us].null && c->v[DN_F_sock_event_tcp_sent].null);

	c = collect_find(&r.rows, DN_EV_transfer, 0);
	assert_int_equal(c->v[DN_F_transfer_seq].u, 14);
	assert_int_equal(c->v[DN_F_transfer_sock].u, 9);
	assert_true(c->v[DN_F_transfer_sent].u == UINT64_C(5) << 32);
	assert_int_equal(c->v[DN_F_transfer_received].u, 6);
	assert_int_equal(c->v[DN_F_transfer_sends].u, 1);
	assert_int_equal(c->v[DN_F_transfer_receives].u, 2);
	assert_true(collect_find(&r.rows, DN_EV_transfer, 1)->v[DN_F_transfer_seq].null);
	rig_close(&r);
}

static void test_unknown(void **state)
{
	struct rig r;
	uint8_t junk[16] = { 250 };

	(void)state;
	rig_open(&r, false);
	assert_int_equal(dn_stream_record(r.s, junk, sizeof(junk)), -EPROTO);
	rig_close(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_in_order),
		cmocka_unit_test(test_across_rings),
		cmocka_unit_test(test_lost_string),
		cmocka_unit_test(test_redact),
		cmocka_unit_test(test_life),
		cmocka_unit_test(test_exec_cwd),
		cmocka_unit_test(test_offcpu),
		cmocka_unit_test(test_perf),
		cmocka_unit_test(test_in_flight),
		cmocka_unit_test(test_sockets),
		cmocka_unit_test(test_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
