/*
 * test_consumer.c - the thread that empties the rings, on a real probe: what
 * it hands on, in which order, how often it wakes, and how it ends.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "acts.h"
#include "block.h"
#include "clocks.h"
#include "consumer.h"
#include "events.h"
#include "output.h"
#include "privilege.h"
#include "probe.h"
#include "stream.h"
#include "tree.h"
#include "writer.h"

#define THREADS_MAX 256
#define MS 1000000u

/* The sink is the test's own; the writer serves its lock. */
struct rig {
	struct dn_probe *probe;
	struct dn_output *out;
	struct dn_writer *writer;
	struct dn_tree *tree;
	struct dn_stream *stream;
	struct dn_consumer *consumer;
	struct dn_sink sink;
	uint64_t calls, getppids, early, strings;
	bool born[THREADS_MAX];
	unsigned starts, exits;
	int refuse;			/* what the sink says to every call */
};

static int on_call(void *ctx, const struct dn_syscall *s)
{
	struct rig *r = ctx;

	if (r->refuse)
		return r->refuse;
	r->calls++;
	r->getppids += s->nr == SYS_getppid;
	r->strings += s->nstr;
	if (s->thread >= THREADS_MAX || !r->born[s->thread])
		r->early++;
	return 0;
}

static int on_row(void *ctx, const struct dn_row *row)
{
	struct rig *r = ctx;

	if (row->event == DN_EV_thread_start) {
		r->born[row->v[DN_F_thread_start_thread].u % THREADS_MAX] = true;
		r->starts++;
	}
	r->exits += row->event == DN_EV_thread_exit;
	return 0;
}

static void rig_open(struct rig *r)
{
	struct dn_probe_opts po = { .buffer_bytes = 4u << 20, .strings = true, .net = true, .offcpu = true,
		.stacks = true, .freq = 99 };
	struct dn_writer_opts wo = { .level = 1, .header = { .major = DN_FORMAT_MAJOR } };
	struct dn_stream_opts so = { .sink = &r->sink };
	char why[512];

	memset(r, 0, sizeof(*r));
	r->sink = (struct dn_sink){ on_call, on_row, r };
	r->probe = dn_probe_open(&po, why);
	if (!r->probe)
		fail_msg("%s", why);
	r->out = dn_output_open("/dev/null", why);
	assert_non_null(r->out);
	r->writer = dn_writer_new(&wo, r->out);
	r->tree = so.tree = dn_tree_new();
	r->stream = dn_stream_new(&so);
	assert_true(r->writer && r->tree && r->stream);
}

static void rig_start(struct rig *r)
{
	r->consumer = dn_consumer_start(r->probe, r->stream, r->writer);
	assert_non_null(r->consumer);
}

static void rig_close(struct rig *r)
{
	struct dn_writer_stats st;

	dn_consumer_free(r->consumer);
	dn_stream_free(r->stream);
	dn_tree_free(r->tree);
	dn_writer_close(r->writer, &st);
	dn_output_close(r->out);
	dn_probe_close(r->probe);
}

static void run(struct rig *r, const char *name, const char *n)
{
	struct dn_target t;
	int status;

	act_spawn(&t, name, n);
	act_go(&t, dn_probe_target(r->probe));
	assert_int_equal(waitpid(t.pid, &status, 0), t.pid);
	assert_int_equal(WEXITSTATUS(status), ACT_STATUS);
}

static int ignore(void *ctx, const struct dn_iter_thread *t)
{
	(void)ctx;
	(void)t;
	return 0;
}

static uint64_t attempted(struct rig *r)
{
	uint64_t count[DN_KCOUNTER_MAX];

	assert_int_equal(dn_probe_counters(r->probe, count), 0);
	assert_int_equal(count[DN_COUNT_syscall_lost] + count[DN_COUNT_lifecycle_lost], 0);
	return count[DN_COUNT_attempted];
}

/* Waits until the thread has done so many passes more. */
static void passes(struct rig *r, unsigned n)
{
	struct dn_consumer_stats st;
	uint64_t until;

	dn_consumer_stats(r->consumer, &st);
	until = st.passes + n;
	for (unsigned i = 0; st.passes < until; i++) {
		assert_true(i < 5000);
		usleep(1000);
		dn_consumer_stats(r->consumer, &st);
	}
}

/* Calls come on their own while the command runs, each after the birth of its
 * thread; and none is left behind at the end. */
static void everything(void **state)
{
	struct dn_consumer_stats st;
	struct rig r;

	(void)state;
	rig_open(&r);
	rig_start(&r);
	run(&r, "forks", "40");
	run(&r, "calls", "3000");
	passes(&r, 2);		/* the second began after the command's end */
	dn_consumer_stats(r.consumer, &st);
	assert_true(st.calls >= 3040);
	dn_consumer_join(r.consumer);
	assert_int_equal(dn_probe_stop(r.probe, ignore, NULL), 0);
	assert_int_equal(dn_consumer_rest(r.consumer), 0);
	dn_consumer_stats(r.consumer, &st);
	assert_int_equal(st.error, 0);
	assert_int_equal(r.calls, attempted(&r));
	assert_int_equal(st.calls, r.calls);
	assert_int_equal(r.getppids, 3040);
	assert_int_equal(r.early, 0);
	assert_int_equal(r.starts, 42);
	assert_int_equal(r.exits, 42);
	assert_true(r.strings >= 4);
	assert_true(st.ring_bytes > r.calls * DN_RING_CALL3);
	rig_close(&r);
}

/* What the rings hold when the thread has ended is the caller's to take out. */
static void rest(void **state)
{
	struct dn_consumer_stats st;
	struct rig r;
	uint64_t before;

	(void)state;
	rig_open(&r);
	rig_start(&r);
	dn_consumer_join(r.consumer);
	before = r.calls;
	run(&r, "calls", "2000");
	assert_int_equal(r.calls, before);
	assert_int_equal(dn_probe_stop(r.probe, ignore, NULL), 0);
	assert_int_equal(dn_consumer_rest(r.consumer), 0);
	assert_int_equal(r.getppids, 2000);
	assert_int_equal(r.calls, attempted(&r));
	dn_consumer_stats(r.consumer, &st);
	assert_int_equal(st.calls, r.calls);
	rig_close(&r);
}

/* With nothing to do it wakes ten times a second, and ends at once all the same
 * (of three times: another process may keep the CPU). */
static void idle(void **state)
{
	struct dn_consumer_stats a, b;
	uint64_t begun, took = UINT64_MAX;
	struct rig r;

	(void)state;
	rig_open(&r);
	for (unsigned i = 0; i < 3 && took >= 50 * MS; i++) {
		dn_consumer_free(r.consumer);
		rig_start(&r);
		passes(&r, 8);			/* 1, 2, 4 ... 64, 100 ms */
		begun = dn_now();
		dn_consumer_stats(r.consumer, &a);
		passes(&r, 3);
		took = dn_now() - begun;
		dn_consumer_stats(r.consumer, &b);
		assert_true((b.passes - a.passes) * 80 * MS < took + 100 * MS);
		begun = dn_now();		/* it sleeps again */
		dn_consumer_join(r.consumer);
		took = dn_now() - begun;
	}
	assert_true(took < 50 * MS);
	assert_int_equal(b.calls, 0);
	assert_false(dn_consumer_wrote_terminal(r.consumer));
	rig_close(&r);
}

static void terminal(void **state)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC), old = fcntl(1, F_DUPFD_CLOEXEC, 10);
	struct rig r;

	(void)state;
	rig_open(&r);
	rig_start(&r);
	run(&r, "calls", "10");
	passes(&r, 2);
	assert_false(dn_consumer_wrote_terminal(r.consumer));
	assert_true(null >= 0 && old >= 0);
	dup2(null, 1);
	run(&r, "write", "1");
	dup2(old, 1);
	passes(&r, 2);
	assert_true(dn_consumer_wrote_terminal(r.consumer));
	assert_false(dn_consumer_wrote_terminal(r.consumer));
	dn_consumer_join(r.consumer);
	rig_close(&r);
	close(null);
	close(old);
}

/* A sink that fails ends the thread; it is told, and joining works as ever. */
static void refused(void **state)
{
	struct dn_consumer_stats st;
	struct rig r;

	(void)state;
	rig_open(&r);
	r.refuse = -EIO;
	rig_start(&r);
	run(&r, "calls", "2000");
	for (unsigned i = 0; i < 5000; i++) {
		dn_consumer_stats(r.consumer, &st);
		if (st.error)
			break;
		usleep(1000);
	}
	assert_int_equal(st.error, -EIO);
	dn_consumer_join(r.consumer);
	assert_int_equal(dn_probe_stop(r.probe, ignore, NULL), 0);
	assert_int_equal(dn_consumer_rest(r.consumer), -EIO);
	assert_int_equal(r.calls, 0);
	dn_consumer_stats(r.consumer, &st);
	assert_int_equal(st.error, -EIO);
	rig_close(&r);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything),
		cmocka_unit_test(rest),
		cmocka_unit_test(idle),
		cmocka_unit_test(terminal),
		cmocka_unit_test(refused),
	};

	act(argc, argv);
	if (!may_record())
		return 77;
	dn_consumer_free(NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
