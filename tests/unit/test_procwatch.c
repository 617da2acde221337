/*
 * The looks at /proc, on real processes: children of this one that wait to be
 * told what to do. Both ways of finding them, by their parent's list and by
 * going through all of /proc.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "clocks.h"
#include "collect.h"
#include "enums.h"
#include "procwatch.h"
#include "tree.h"

/* A child that does what the letters written to it say, each once. */
struct puppet {
	pid_t pid;
	int say, heard;
};

_Noreturn static void *idle(void *arg)
{
	(void)arg;
	for (;;)
		pause();
}

static pid_t grandchild;

static void act(int letter)
{
	pthread_t t;

	switch (letter) {
	case 'f':		/* a child */
		grandchild = fork();
		if (!grandchild)
			for (;;)
				pause();
		return;
	case 'z':		/* that ends and is not waited for */
		kill(grandchild, SIGKILL);
		waitid(P_PID, (id_t)grandchild, &(siginfo_t){ 0 }, WEXITED | WNOWAIT);
		return;
	case 'w':
		waitpid(grandchild, NULL, 0);
		return;
	case 't':
		pthread_create(&t, NULL, idle, NULL);
		return;
	case 'n':
		prctl(PR_SET_NAME, "other");
		return;
	case 'e':
		execl("/bin/sh", "sh", "-c", "echo x; read x; exit 9", "--password=hunter2", NULL);
		_exit(1);
	case 'q':
		_exit(5);
	}
}

static void puppet_make(struct puppet *p)
{
	int say[2], heard[2];
	char c;

	assert_int_equal(pipe(say), 0);
	assert_int_equal(pipe(heard), 0);
	p->pid = fork();
	if (!p->pid) {
		dup2(say[0], 0);
		dup2(heard[1], 1);
		close(say[1]);
		close(heard[0]);
		while (read(0, &c, 1) == 1) {
			act(c);
			if (write(1, &c, 1) != 1)
				break;
		}
		_exit(0);
	}
	assert_true(p->pid > 0);
	close(say[0]);
	close(heard[1]);
	p->say = say[1];
	p->heard = heard[0];
}

static void tell(struct puppet *p, char c)
{
	assert_int_equal(write(p->say, &c, 1), 1);
	if (c != 'q')
		assert_int_equal(read(p->heard, &c, 1), 1);
}

struct bench {
	struct puppet p;
	struct collect c;
	struct dn_tree *tree;
	struct dn_procwatch *w;
	uint32_t root;
};

static void bench_open(struct bench *b, bool scan)
{
	struct dn_procwatch_opts o = { .redact = true, .scan = scan };

	puppet_make(&b->p);
	collect_init(&b->c);
	b->tree = dn_tree_new();
	assert_non_null(b->tree);
	o.sink = &b->c.sink;
	o.tree = b->tree;
	b->w = dn_procwatch_new(&o);
	assert_non_null(b->w);
	assert_int_equal(dn_procwatch_target(b->w, b->p.pid, &b->root), 0);
}

static void bench_close(struct bench *b)
{
	close(b->p.say);
	close(b->p.heard);
	dn_procwatch_free(b->w);
	dn_tree_free(b->tree);
	collect_free(&b->c);
}

static const struct dn_value *value(const struct bench *b, unsigned event, unsigned nth, unsigned field)
{
	const struct collected *r = collect_find(&b->c, event, nth);

	assert_non_null(r);
	assert_true(field < r->n);
	return &r->v[field];
}

static void a_life(struct bench *b)
{
	int status = 0;
	uint32_t child;

	assert_int_equal(b->root, 1);
	assert_int_equal(value(b, DN_EV_thread_start, 0, DN_F_thread_start_origin)->u, DN_ORIGIN_TARGET);
	assert_int_equal(value(b, DN_EV_thread_start, 0, DN_F_thread_start_pid)->u, b->p.pid);
	assert_int_equal(value(b, DN_EV_thread_start, 0, DN_F_thread_start_ppid)->u, getpid());
	assert_int_equal(dn_procwatch_look(b->w), 0);
	assert_int_equal(b->c.n, 1);

	tell(&b->p, 'f');
	assert_int_equal(dn_procwatch_look(b->w), 0);
	assert_int_equal(collect_count(&b->c, DN_EV_thread_start), 2);
	assert_int_equal(collect_count(&b->c, DN_EV_exec), 0);
	assert_int_equal(value(b, DN_EV_thread_start, 1, DN_F_thread_start_origin)->u, DN_ORIGIN_PROC);
	assert_int_equal(value(b, DN_EV_thread_start, 1, DN_F_thread_start_parent_thread)->u, b->root);
	assert_int_equal(value(b, DN_EV_thread_start, 1, DN_F_thread_start_ppid)->u, b->p.pid);
	assert_true(value(b, DN_EV_thread_start, 1, DN_F_thread_start_born)->u <= dn_now());
	assert_int_equal(dn_tree_processes(b->tree), 2);
	child = (uint32_t)value(b, DN_EV_thread_start, 1, DN_F_thread_start_thread)->u;

	/* It is told of once, as a zombie and when it is gone. */
	tell(&b->p, 'z');
	assert_int_equal(dn_procwatch_look(b->w), 0);
	assert_int_equal(collect_count(&b->c, DN_EV_thread_exit), 1);
	assert_int_equal(value(b, DN_EV_thread_exit, 0, DN_F_thread_exit_thread)->u, child);
	assert_int_equal(value(b, DN_EV_thread_exit, 0, DN_F_thread_exit_exit_code)->u, SIGKILL);
	assert_int_equal(value(b, DN_EV_thread_exit, 0, DN_F_thread_exit_group_dead)->u, 1);
	assert_int_equal(dn_procwatch_look(b->w), 0);
	tell(&b->p, 'w');
	assert_int_equal(dn_procwatch_look(b->w), 0);
	assert_int_equal(dn_procwatch_look(b->w), 0);
	assert_int_equal(collect_count(&b->c, DN_EV_thread_exit), 1);
	assert_int_equal(collect_count(&b->c, DN_EV_thread_start), 2);
	assert_int_equal(dn_tree_processes(b->tree), 1);

	tell(&b->p, 'n');
	assert_int_equal(dn_procwatch_look(b->w), 0);
	assert_string_equal(value(b, DN_EV_comm, 0, DN_F_comm_comm)->p, "other");

	tell(&b->p, 'e');
	assert_int_equal(dn_procwatch_look(b->w), 0);
	assert_int_equal(collect_count(&b->c, DN_EV_exec), 1);
	assert_string_equal(value(b, DN_EV_exec, 0, DN_F_exec_comm)->p, "sh");
	assert_int_equal(value(b, DN_EV_exec, 0, DN_F_exec_uid)->u, geteuid());
	assert_int_equal(value(b, DN_EV_exec, 0, DN_F_exec_redacted)->u, 1);
	assert_null(memmem(value(b, DN_EV_exec, 0, DN_F_exec_argv)->p,
			   value(b, DN_EV_exec, 0, DN_F_exec_argv)->len, "hunter2", 7));
	assert_int_equal(value(b, DN_EV_exec, 0, DN_F_exec_argv)->len,
			 value(b, DN_EV_exec, 0, DN_F_exec_argv_len)->u);
	assert_int_equal(dn_procwatch_look(b->w), 0);
	assert_int_equal(collect_count(&b->c, DN_EV_exec), 1);

	assert_int_equal(write(b->p.say, "\n", 1), 1);
	assert_int_equal(waitid(P_PID, (id_t)b->p.pid, &(siginfo_t){ 0 }, WEXITED | WNOWAIT), 0);
	assert_int_equal(dn_procwatch_look(b->w), 0);
	assert_int_equal(collect_count(&b->c, DN_EV_thread_exit), 1);
	assert_int_equal(dn_procwatch_reap(b->w, &status), 0);
	assert_int_equal(WEXITSTATUS(status), 9);
	assert_int_equal(value(b, DN_EV_thread_exit, 1, DN_F_thread_exit_thread)->u, b->root);
	assert_int_equal(value(b, DN_EV_thread_exit, 1, DN_F_thread_exit_exit_code)->u, 9 << 8);
	assert_int_equal(dn_tree_processes(b->tree), 0);
	assert_int_equal(dn_procwatch_finish(b->w), 0);
	assert_int_equal(collect_count(&b->c, DN_EV_thread_end), 0);
}

static void life_by_children(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, false);
	a_life(&b);
	bench_close(&b);
}

static void life_by_scan(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, true);
	a_life(&b);
	bench_close(&b);
}

/* The process of a second thread: figures by thread are not known then. */
static void threads(void **state)
{
	struct bench b;
	int status;

	(void)state;
	bench_open(&b, false);
	tell(&b.p, 't');
	assert_int_equal(dn_procwatch_look(b.w), 0);
	assert_int_equal(collect_count(&b.c, DN_EV_thread_start), 2);
	assert_int_equal(value(&b, DN_EV_thread_start, 1, DN_F_thread_start_process)->u, b.root);
	assert_true(value(&b, DN_EV_thread_start, 1, DN_F_thread_start_tid)->u != (uint64_t)b.p.pid);
	assert_int_equal(dn_tree_processes(b.tree), 1);
	assert_int_equal(dn_procwatch_finish(b.w), 0);
	assert_int_equal(collect_count(&b.c, DN_EV_thread_end), 2);
	assert_true(value(&b, DN_EV_thread_end, 0, DN_F_thread_end_seq)->null);
	tell(&b.p, 'q');
	assert_int_equal(waitid(P_PID, (id_t)b.p.pid, &(siginfo_t){ 0 }, WEXITED | WNOWAIT), 0);
	assert_int_equal(dn_procwatch_reap(b.w, &status), 0);
	assert_int_equal(collect_count(&b.c, DN_EV_thread_exit), 2);
	assert_int_equal(value(&b, DN_EV_thread_exit, 0, DN_F_thread_exit_group_dead)->u, 0);
	assert_int_equal(value(&b, DN_EV_thread_exit, 1, DN_F_thread_exit_group_dead)->u, 1);
	assert_int_equal(value(&b, DN_EV_thread_exit, 1, DN_F_thread_exit_exit_code)->u, 5 << 8);
	assert_true(value(&b, DN_EV_thread_exit, 1, DN_F_thread_exit_utime)->null);
	assert_false(value(&b, DN_EV_thread_exit, 1, DN_F_thread_exit_maxrss)->null);
	bench_close(&b);
}

/* A command that was over before the first look: what it was is known. */
static void over_at_once(void **state)
{
	char thing[] = "thing", token[] = "--token=abcdefgh", *const argv[] = { thing, token, NULL };
	struct bench b;
	int status;

	(void)state;
	bench_open(&b, false);
	tell(&b.p, 'q');
	assert_int_equal(waitid(P_PID, (id_t)b.p.pid, &(siginfo_t){ 0 }, WEXITED | WNOWAIT), 0);
	assert_int_equal(dn_procwatch_executed(b.w, "/bin/thing", argv), 0);
	assert_string_equal(value(&b, DN_EV_exec, 0, DN_F_exec_path)->p, "/bin/thing");
	assert_string_equal(value(&b, DN_EV_exec, 0, DN_F_exec_argv)->p, "thing");
	assert_int_equal(value(&b, DN_EV_exec, 0, DN_F_exec_redacted)->u, 1);
	assert_int_equal(dn_procwatch_reap(b.w, &status), 0);
	assert_int_equal(WEXITSTATUS(status), 5);
	bench_close(&b);
}

/* Looks come at their time, further apart when nothing happens, and stop when
 * they have cost their share. */
static void cost(void **state)
{
	uint64_t next, before;
	struct bench b;
	int status;

	(void)state;
	bench_open(&b, false);
	assert_int_equal(dn_procwatch_look(b.w), 0);
	next = dn_procwatch_next_ns(b.w);
	assert_true(next > dn_now() - 1000000000u && next <= dn_now() + 1000000u);
	usleep(600000);
	before = dn_now();
	assert_int_equal(dn_procwatch_look(b.w), 0);
	next = dn_procwatch_next_ns(b.w);
	assert_true(next >= before + 10000000u);
	assert_true(dn_procwatch_fd(b.w) >= 0);
	/* As many as cost all that was saved up: at least 2 us each. */
	for (unsigned i = 0; i < 10000 && dn_procwatch_fd(b.w) >= 0; i++)
		assert_int_equal(dn_procwatch_look(b.w), 0);
	assert_int_equal(dn_procwatch_fd(b.w), -1);
	assert_true(dn_procwatch_next_ns(b.w) > dn_now());
	kill(b.p.pid, SIGKILL);
	assert_int_equal(waitid(P_PID, (id_t)b.p.pid, &(siginfo_t){ 0 }, WEXITED | WNOWAIT), 0);
	assert_int_equal(dn_procwatch_reap(b.w, &status), 0);
	assert_int_equal(WTERMSIG(status), SIGKILL);
	bench_close(&b);
}

static void rows_of_the_rung(void **state)
{
	struct bench b;
	bool process = false, syscalls = false;
	int status;

	(void)state;
	bench_open(&b, false);
	assert_int_equal(dn_procwatch_emit(b.w, "because"), 0);
	for (unsigned i = 0; i < collect_count(&b.c, DN_EV_probe); i++) {
		const struct collected *r = collect_find(&b.c, DN_EV_probe, i);

		assert_string_equal(r->v[DN_F_probe_reason].p, "because");
		process |= !strcmp(r->v[DN_F_probe_name].p, "process") &&
			   !strcmp(r->v[DN_F_probe_rung].p, "proc");
		syscalls |= !strcmp(r->v[DN_F_probe_name].p, "syscalls") &&
			    !strcmp(r->v[DN_F_probe_rung].p, "none");
	}
	assert_true(process && syscalls);
	assert_true(collect_count(&b.c, DN_EV_not_observed) > 0);
	tell(&b.p, 'q');
	assert_int_equal(dn_procwatch_reap(b.w, &status), 0);
	bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(life_by_children),
		cmocka_unit_test(life_by_scan),
		cmocka_unit_test(threads),
		cmocka_unit_test(over_at_once),
		cmocka_unit_test(cost),
		cmocka_unit_test(rows_of_the_rung),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
