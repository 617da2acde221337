/*
 * test_finish.c - the end of a recording on a real probe: the books, the loss
 * rows, the end row for each way to end, and what is said.
 *
 * The state of a recording is put together here instead of by recording.c, so
 * that the rings can overflow before anyone empties them.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "acts.h"
#include "block.h"
#include "clocks.h"
#include "consumer.h"
#include "count.h"
#include "finish.h"
#include "keyframe.h"
#include "options.h"
#include "output.h"
#include "privilege.h"
#include "probe.h"
#include "rec.h"
#include "sampler.h"
#include "scratch.h"
#include "stream.h"
#include "trace.h"
#include "tree.h"
#include "writer.h"

#define F(row, field) ((row)->v[field].u)
#define LEAST_RING (256u << 10)

static char said[8192];

struct rig {
	struct dn_record_opts o;
	struct dn_rec x;
};

static int locked_row(void *ctx, const struct dn_row *row)
{
	struct dn_rec *x = ctx;
	const struct dn_sink *sink;
	int err;

	dn_writer_lock(x->writer);
	sink = dn_writer_sink(x->writer);
	err = sink->row(sink->ctx, row);
	dn_writer_unlock(x->writer);
	return err;
}

static void rig_open(struct rig *r, uint64_t buffer)
{
	struct dn_writer_opts wo = { .level = 1, .header = { .major = DN_FORMAT_MAJOR } };
	struct dn_probe_opts po = { .buffer_bytes = buffer, .strings = true, .net = true, .offcpu = true,
		.stacks = true, .freq = 99 };
	struct dn_sampler_opts so = { .no_host = true };
	struct dn_keyframe_opts ko = { 0 };
	struct dn_stream_opts to = { .redact = true };
	struct dn_rec *x = &r->x;
	char why[512];

	memset(r, 0, sizeof(*r));
	r->o.output = "t.dnt";
	x->o = &r->o;
	x->locked = (struct dn_sink){ NULL, locked_row, x };
	x->probe = dn_probe_open(&po, why);
	if (!x->probe)
		fail_msg("%s", why);
	x->out = dn_output_open(r->o.output, why);
	assert_non_null(x->out);
	assert_int_equal(dn_output_commit(x->out), 0);
	x->writer = dn_writer_new(&wo, x->out);
	x->tree = to.tree = dn_tree_new();
	x->sampler = dn_sampler_new(&so, &x->locked);
	x->keyframe = dn_keyframe_new(&ko);
	x->count = dn_count_new(DN_ABI_X86_64);
	to.sink = dn_writer_sink(x->writer);
	to.also = dn_rec_count;
	to.also_ctx = x->count;
	x->stream = dn_stream_new(&to);
	assert_true(x->writer && x->tree && x->sampler && x->keyframe && x->count && x->stream);
}

/* The command, let go; nobody reads the rings yet. */
static void rig_go(struct rig *r, const char *act, const char *n)
{
	act_spawn(&r->x.target, act, n);
	r->x.root = DN_ROOT_THREAD;
	act_go(&r->x.target, dn_probe_target(r->x.probe));
}

static void rig_reap(struct rig *r)
{
	assert_int_equal(waitpid(r->x.target.pid, &r->x.status, 0), r->x.target.pid);
	r->x.end_time = dn_now();
	r->x.ended = true;
}

/* Runs what is tested, and keeps what it says. */
static void rig_finish(struct rig *r)
{
	int old = dup(STDERR_FILENO);
	FILE *f;

	r->x.consumer = dn_consumer_start(r->x.probe, r->x.stream, r->x.writer);
	assert_non_null(r->x.consumer);
	fflush(stderr);
	assert_true(old >= 0 && freopen("said", "w", stderr));
	dn_rec_finish(&r->x);
	fflush(stderr);
	assert_int_equal(dup2(old, STDERR_FILENO), STDERR_FILENO);
	close(old);
	assert_null(r->x.writer);
	f = fopen("said", "r");
	assert_non_null(f);
	said[fread(said, 1, sizeof(said) - 1, f)] = 0;
	fclose(f);
}

static void rig_close(struct rig *r)
{
	dn_consumer_free(r->x.consumer);
	dn_stream_free(r->x.stream);
	dn_sampler_free(r->x.sampler);
	dn_keyframe_free(r->x.keyframe);
	dn_tree_free(r->x.tree);
	dn_count_free(r->x.count);
	dn_probe_close(r->x.probe);
	dn_output_close(r->x.out);
}

/* One row of each counter there is, and a loss row for each loss, no other. */
static void check_counters(const struct trace *t)
{
	uint64_t named = 0;

	for (unsigned id = 0; id < DN_COUNTER_MAX; id++) {
		const struct dn_counter_desc *d = dn_counter_desc(id);
		uint64_t lost = 0;

		for (size_t i = 0; i < t->rows.n; i++)
			if (t->rows.row[i].event == DN_EV_loss &&
			    F(&t->rows.row[i], DN_F_loss_counter) == id) {
				assert_true(F(&t->rows.row[i], DN_F_loss_count) > 0);
				lost += F(&t->rows.row[i], DN_F_loss_count);
			}
		if (d)
			assert_int_equal(d->kind == DN_COUNTER_LOSS ? trace_counter(t, id) : 0, lost);
		else
			assert_int_equal(lost, 0);
		named += !!d;
	}
	assert_int_equal(collect_count(&t->rows, DN_EV_counter), named);
}

/* More calls than the ring holds: attempted = written + lost, by process and
 * number, and the table of -c has them all. */
static void losses(void **state)
{
	uint64_t lost = 0, seen = 0;
	struct trace t;
	struct rig r;

	(void)state;
	rig_open(&r, LEAST_RING);
	rig_go(&r, "calls", "20000");
	rig_reap(&r);
	rig_finish(&r);
	trace_open(&t, "t.dnt");
	assert_int_equal(t.shape.footers, 1);
	trace_balanced(&t);
	check_counters(&t);
	assert_true(trace_counter(&t, DN_COUNT_syscall_lost) > 10000);
	for (size_t i = 0; i < t.rows.n; i++) {
		const struct collected *row = &t.rows.row[i];

		if (row->event != DN_EV_loss || F(row, DN_F_loss_counter) != DN_COUNT_syscall_lost)
			continue;
		assert_int_equal(F(row, DN_F_loss_process), r.x.root);
		assert_true(F(row, DN_F_loss_first) <= F(row, DN_F_loss_last));
		assert_true(F(row, DN_F_loss_last) <= r.x.end_time);
		if (F(row, DN_F_loss_nr) == SYS_getppid)
			lost += F(row, DN_F_loss_count);
	}
	for (size_t i = 0; i < t.ncalls; i++)
		seen += t.call[i].nr == SYS_getppid;
	assert_int_equal(seen + lost, 20000);
	assert_non_null(strstr(said, " system calls "));
	assert_non_null(strstr(said, "found no room in the ring buffers"));
	assert_non_null(strstr(said, " 20000 "));	/* its line in the table */
	trace_free(&t);
	rig_close(&r);
}

static void command_ended(void **state)
{
	const struct collected *end;
	struct rusage own;
	struct trace t;
	struct rig r;

	(void)state;
	rig_open(&r, 4u << 20);
	r.x.environ_redacted = 7;
	rig_go(&r, "forks", "3");
	rig_reap(&r);
	rig_finish(&r);
	assert_int_equal(getrusage(RUSAGE_SELF, &own), 0);
	trace_open(&t, "t.dnt");
	trace_balanced(&t);
	check_counters(&t);
	assert_int_equal(trace_counter(&t, DN_COUNT_syscall_lost), 0);
	assert_int_equal(trace_counter(&t, DN_COUNT_threads), 4);
	assert_int_equal(trace_counter(&t, DN_COUNT_unfinished), 4);
	assert_int_equal(trace_counter(&t, DN_COUNT_redacted), 7);
	assert_int_equal(trace_counter(&t, DN_COUNT_unknown_thread), 0);
	assert_true(trace_counter(&t, DN_COUNT_ring_bytes) > 0);
	assert_true(trace_counter(&t, DN_COUNT_recorder_cpu_ns) > 0);
	assert_true(trace_counter(&t, DN_COUNT_recorder_cpu_ns) <=
		    (uint64_t)(own.ru_utime.tv_sec + own.ru_stime.tv_sec) * 1000000000u +
		    (uint64_t)(own.ru_utime.tv_usec + own.ru_stime.tv_usec) * 1000u);
	assert_int_equal(collect_count(&t.rows, DN_EV_clock), 1);
	assert_int_equal(collect_count(&t.rows, DN_EV_end), 1);
	end = collect_find(&t.rows, DN_EV_end, 0);
	assert_int_equal(F(end, DN_F_end_time), r.x.end_time);
	assert_int_equal(F(end, DN_F_end_reason), DN_END_COMMAND);
	assert_int_equal(F(end, DN_F_end_status), ACT_STATUS << 8);
	assert_int_equal(F(end, DN_F_end_survivors), 0);
	assert_non_null(strstr(said, "denet-record: t.dnt: "));
	assert_non_null(strstr(said, " 0 lost; look at it with: denet-analyze t.dnt\n"));
	assert_null(strstr(said, "no room"));
	trace_free(&t);
	rig_close(&r);
}

/* The command sleeps on: told to stop, or the time is over. */
static void command_lives(void **state)
{
	(void)state;
	for (unsigned over = 0; over < 2; over++) {
		const struct collected *row;
		struct dn_consumer_stats st;
		struct trace t;
		struct rig r;
		uint64_t begun = dn_now();

		rig_open(&r, LEAST_RING);
		r.x.duration_over = over;
		r.o.quiet = over;
		rig_go(&r, "wait", NULL);
		do {		/* its calls before the last are all there is */
			uint64_t n[DN_KCOUNTER_MAX];
			char path[64], line[32] = "";
			FILE *f;

			snprintf(path, sizeof(path), "/proc/%d/syscall", (int)r.x.target.pid);
			f = fopen(path, "r");
			assert_non_null(f);
			if (fgets(line, sizeof(line), f) && atol(line) == SYS_ppoll &&
			    !dn_probe_counters(r.x.probe, n) && n[DN_COUNT_attempted] > 0)
				begun = 0;
			fclose(f);
		} while (begun && dn_now() < begun + 5000000000u);
		assert_int_equal(begun, 0);
		rig_finish(&r);
		dn_consumer_stats(r.x.consumer, &st);
		assert_int_equal(st.error, 0);
		assert_int_equal(kill(r.x.target.pid, SIGKILL), 0);
		assert_int_equal(waitpid(r.x.target.pid, NULL, 0), r.x.target.pid);
		trace_open(&t, "t.dnt");
		trace_balanced(&t);
		check_counters(&t);
		row = collect_find(&t.rows, DN_EV_end, 0);
		assert_int_equal(F(row, DN_F_end_reason), over ? DN_END_DURATION : DN_END_SIGNAL);
		assert_true(row->v[DN_F_end_status].null);
		assert_int_equal(F(row, DN_F_end_survivors), 1);
		assert_int_equal(collect_count(&t.rows, DN_EV_thread_end), 1);
		row = collect_find(&t.rows, DN_EV_thread_end, 0);
		assert_int_equal(F(row, DN_F_thread_end_thread), r.x.root);
		assert_int_equal(F(row, DN_F_thread_end_nr), SYS_ppoll);
		assert_int_equal(trace_counter(&t, DN_COUNT_unfinished), 1);
		if (over)
			assert_null(strstr(said, "denet-record"));
		else
			assert_non_null(strstr(said, "1 process of the tree lives on; --wait=tree "));
		trace_free(&t);
		rig_close(&r);
	}
}

/* A disk that was full: said, and the calls of the blocks are among the lost. */
static void full(void **state)
{
	struct rlimit old, lim;
	struct trace t;
	struct rig r;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	rig_open(&r, 8u << 20);
	rig_go(&r, "calls", "20000");
	rig_reap(&r);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	lim = old;
	/* room for the books, and not for the calls */
	lim.rlim_cur = dn_output_size(r.x.out) + 8192;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &lim), 0);
	rig_finish(&r);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_non_null(strstr(said, "t.dnt could not be written: File too large"));
	trace_open(&t, "t.dnt");
	assert_int_equal(t.shape.footers, 1);
	check_counters(&t);
	assert_true(trace_counter(&t, DN_COUNT_write_errors) > 0);
	assert_true(trace_counter(&t, DN_COUNT_block_calls_lost) >= 20000);
	assert_int_equal(trace_counter(&t, DN_COUNT_written), t.ncalls);
	assert_int_equal(trace_counter(&t, DN_COUNT_attempted),
			 t.ncalls + trace_counter(&t, DN_COUNT_block_calls_lost) +
			 trace_counter(&t, DN_COUNT_syscall_lost));
	assert_int_equal(collect_count(&t.rows, DN_EV_end), 1);
	trace_free(&t);
	rig_close(&r);
}

static void thread_row(void **state)
{
	struct dn_tree_thread th = { .thread = 5, .process = 4, .parent = 3, .tid = 105, .pid = 104,
		.ppid = 103, .born = 77, .comm = "sixteen letters!" };
	const struct collected *r;
	struct collect c;

	(void)state;
	collect_init(&c);
	assert_int_equal(dn_rec_thread_row(&c.sink, &th, 99), 0);
	r = collect_find(&c, DN_EV_thread_start, 0);
	assert_int_equal(r->n, DN_F_thread_start_N);
	assert_int_equal(F(r, DN_F_thread_start_time), 99);
	assert_int_equal(F(r, DN_F_thread_start_thread), 5);
	assert_int_equal(F(r, DN_F_thread_start_process), 4);
	assert_int_equal(F(r, DN_F_thread_start_parent_thread), 3);
	assert_int_equal(F(r, DN_F_thread_start_tid), 105);
	assert_int_equal(F(r, DN_F_thread_start_pid), 104);
	assert_int_equal(F(r, DN_F_thread_start_ppid), 103);
	assert_int_equal(F(r, DN_F_thread_start_origin), DN_ORIGIN_KEYFRAME);
	assert_int_equal(F(r, DN_F_thread_start_born), 77);
	assert_int_equal(r->v[DN_F_thread_start_comm].len, 16);	/* has no NUL then */
	assert_memory_equal(r->v[DN_F_thread_start_comm].p, th.comm, 16);
	assert_true(r->v[DN_F_thread_start_clone_flags].null);
	th.parent = 0;
	assert_int_equal(dn_rec_thread_row(&c.sink, &th, 99), 0);
	assert_true(collect_find(&c, DN_EV_thread_start, 1)->v[DN_F_thread_start_parent_thread].null);
	c.fail_at = 1;
	assert_int_equal(dn_rec_thread_row(&c.sink, &th, 99), -ENOSPC);
	collect_free(&c);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		CASE(losses),
		CASE(command_ended),
		CASE(command_lives),
		CASE(full),
		CASE(thread_row),
	};

	act(argc, argv);
	if (!may_record())
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
