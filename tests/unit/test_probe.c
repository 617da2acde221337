/*
 * test_probe.c - the BPF programs on the running kernel: what a command does
 * against what comes out of the rings, the counters and the loss table.
 *
 * The rings are read here with ring.h alone, while nothing else does.
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "acts.h"
#include "clocks.h"
#include "collect.h"
#include "privilege.h"
#include "probe.h"
#include "ring.h"

#define LEAST_RING (256u << 10)
#define THREADS_MAX 64
#define MS 1000000u
#define COUNTED (1u << DN_PERF_TASK_CLOCK | 1u << DN_PERF_CONTEXT_SWITCHES)

/* Everything that came out of the rings. */
struct seen {
	uint64_t calls, getppids, strings;
	uint64_t calls_of[THREADS_MAX];		/* by thread id */
	uint64_t seqs_of[THREADS_MAX];		/* sum of their places */
	long long wrong_ret;			/* getppids that say otherwise than parent */
	pid_t parent;
	struct dn_ring_thread_start start[THREADS_MAX];
	struct dn_ring_thread_exit exit[THREADS_MAX];
	uint64_t switches[THREADS_MAX];		/* that were counted, by thread id; told as often: */
	unsigned told[THREADS_MAX];
	unsigned starts, exits, execs, signals;
	char exec_path[64];
};

static int on_record(void *ctx, const void *record, uint32_t len)
{
	struct seen *s = ctx;

	switch (*(const uint8_t *)record) {
	case DN_RING_CALL: {
		struct dn_ring_call c;

		assert_true(len >= sizeof(c));
		memcpy(&c, record, sizeof(c));
		assert_true(c.thread > 0 && c.thread < THREADS_MAX);
		/* each record of a thread has its place, lost ones leave a gap */
		s->calls_of[c.thread]++;	/* not in their order: who moves to another CPU has records in two rings */
		s->seqs_of[c.thread] += c.seq;
		s->calls++;
		if (c.nr == SYS_getppid) {
			s->getppids++;
			s->wrong_ret += s->parent && c.ret != s->parent;
		}
		break;
	}
	case DN_RING_STRING:
		s->strings++;
		break;
	case DN_RING_THREAD_START:
		assert_true(s->starts < THREADS_MAX);
		memcpy(&s->start[s->starts++], record, sizeof(s->start[0]));
		break;
	case DN_RING_EXEC: {
		struct dn_ring_exec e;

		memcpy(&e, record, sizeof(e));
		snprintf(s->exec_path, sizeof(s->exec_path), "%.*s", (int)e.path_len,
			 (const char *)record + sizeof(e));
		s->execs++;
		break;
	}
	case DN_RING_THREAD_EXIT:
		assert_true(s->exits < THREADS_MAX);
		memcpy(&s->exit[s->exits++], record, sizeof(s->exit[0]));
		break;
	case DN_RING_PERF: {
		struct dn_ring_perf c;

		assert_int_equal(len, sizeof(c));
		memcpy(&c, record, sizeof(c));
		assert_true(c.thread > 0 && c.thread < THREADS_MAX);
		assert_int_equal(c.kinds, COUNTED);
		assert_int_equal(c.sum[DN_PERF_CYCLES].enabled, 0);
		assert_true(c.sum[DN_PERF_TASK_CLOCK].value > 0);
		s->switches[c.thread] += c.sum[DN_PERF_CONTEXT_SWITCHES].value;
		s->told[c.thread]++;
		break;
	}
	case DN_RING_SIGNAL_SENT:
		s->signals++;
		break;
	}
	return 0;
}

static struct dn_probe *begin(uint64_t buffer, bool strings)
{
	struct dn_probe_opts o = { .buffer_bytes = buffer, .strings = strings, .net = true, .offcpu = true,
		.stacks = true, .symbols = true, .freq = 99, .perf = COUNTED };
	char why[512];
	struct dn_probe *p = dn_probe_open(&o, why);

	if (!p)
		fail_msg("%s", why);
	assert_string_equal(why, "");
	return p;
}

static void drain(struct dn_probe *p, struct seen *s)
{
	struct dn_ring *life = dn_probe_life_ring(p), **ring;
	unsigned n;

	ring = dn_probe_rings(p, &n);
	assert_true(dn_ring_drain(life, dn_ring_mark(life), on_record, s) >= 0);
	for (unsigned i = 0; i < n; i++)
		assert_true(dn_ring_drain(ring[i], dn_ring_mark(ring[i]), on_record, s) >= 0);
}

static int ignore(void *ctx, const struct dn_iter_thread *t)
{
	(void)ctx;
	(void)t;
	return 0;
}

/* Runs an act to its end. */
static void run(struct dn_probe *p, const char *name, const char *n, struct dn_target *t,
		uint32_t *thread)
{
	int status;

	act_spawn(t, name, n);
	*thread = DN_ROOT_THREAD;
	act_go(t, dn_probe_target(p));
	assert_int_equal(waitpid(t->pid, &status, 0), t->pid);
	assert_int_equal(WEXITSTATUS(status), ACT_STATUS);
}

/* recursion_misses of every program this process holds, as the kernel prints them. */
static uint64_t misses_by_fdinfo(void)
{
	DIR *dir = opendir("/proc/self/fdinfo");
	uint64_t sum = 0, n;
	struct dirent *d;

	assert_non_null(dir);
	while ((d = readdir(dir))) {
		char path[300], line[128];
		FILE *f;

		snprintf(path, sizeof(path), "/proc/self/fdinfo/%s", d->d_name);
		f = fopen(path, "r");
		while (f && fgets(line, sizeof(line), f))
			if (sscanf(line, "recursion_misses: %" SCNu64, &n) == 1)
				sum += n;
		if (f)
			fclose(f);
	}
	closedir(dir);
	return sum;
}

/* Whether skipped runs are made up for: bpf/kernel_compat.bpf.h. */
static bool bpf_second_programs(void)
{
	struct utsname u;
	double version;

	assert_int_equal(uname(&u), 0);
	version = strtod(u.release, NULL);
	return version >= 7 || version == 6.19 || strstr(u.version, "PREEMPT_RT");
}

/* Nothing is lost: every call of the tree is there, and nothing of others. */
static void a_tree(void **state)
{
	uint64_t count[DN_KCOUNTER_MAX], needed, others;
	struct seen s = { 0 };
	struct dn_probe *p = begin(8u << 20, true);
	struct dn_target t;
	uint32_t thread;

	(void)state;
	run(p, "forks", "5", &t, &thread);
	assert_int_equal(dn_probe_stop(p, ignore, NULL), 0);
	drain(p, &s);
	assert_int_equal(dn_probe_counters(p, count), 0);
	assert_int_equal(count[DN_COUNT_syscall_lost] + count[DN_COUNT_lifecycle_lost], 0);
	assert_int_equal(count[DN_COUNT_attempted], s.calls);
	assert_int_equal(count[DN_COUNT_threads], s.starts);
	dn_probe_misses(p, &needed, &others);
	if (bpf_second_programs())
		assert_true(needed + others <= misses_by_fdinfo());
	else
		assert_int_equal(needed + others, misses_by_fdinfo());

	assert_int_equal(s.starts, 6);
	assert_int_equal(s.start[0].thread, thread);
	assert_int_equal(s.start[0].process, thread);
	assert_int_equal(s.start[0].origin, DN_ORIGIN_TARGET);
	assert_int_equal(s.start[0].pid, t.pid);
	assert_int_equal(s.start[0].ppid, getpid());
	for (unsigned i = 1; i < 6; i++) {
		assert_int_equal(s.start[i].origin, DN_ORIGIN_FORK);
		assert_int_equal(s.start[i].parent, thread);
		assert_int_equal(s.start[i].ppid, t.pid);
		assert_int_equal(s.start[i].process, s.start[i].thread);
		assert_true(s.start[i].time >= s.start[i - 1].time);
	}
	assert_int_equal(s.execs, 1);
	assert_string_equal(s.exec_path, "/proc/self/exe");
	assert_true(s.strings >= 2);	/* path and arguments of the execve */
	assert_int_equal(s.getppids, 5);
	assert_int_equal(s.exits, 6);
	for (unsigned i = 0; i < 6; i++) {
		int status = s.exit[i].thread == thread ? ACT_STATUS : ACT_CHILD_STATUS;

		assert_int_equal(s.exit[i].exit_code, status << 8);
		assert_int_equal(s.exit[i].seq, s.calls_of[s.exit[i].thread]);
		assert_int_equal(s.seqs_of[s.exit[i].thread], (uint64_t)s.exit[i].seq * (s.exit[i].seq - 1) / 2);
		assert_int_not_equal(s.exit[i].group_dead, 0);
	}
	dn_probe_close(p);
}

static int keep_counted(void *ctx, const struct dn_ring_perf *r)
{
	return on_record(ctx, r, sizeof(*r));
}

/* Each thread's performance counters are told once: at its end, or when the recording ends. */
static void counted(void **state)
{
	struct seen s = { 0 };
	struct dn_probe *p = begin(8u << 20, true);
	uint64_t count[DN_KCOUNTER_MAX], untold = 0;
	const char *why;
	struct dn_target t;
	uint32_t thread;

	(void)state;
	assert_int_equal(dn_probe_perf_kinds(p), COUNTED);
	assert_null(dn_probe_perf_lacks(p, COUNTED, &why));
	run(p, "forks", "5", &t, &thread);
	assert_int_equal(dn_probe_stop(p, ignore, NULL), 0);
	drain(p, &s);
	assert_int_equal(dn_probe_perf(p, keep_counted, &s), 0);
	assert_int_equal(s.starts, 6);
	for (unsigned i = 0; i < 6; i++) {
		assert_true(s.told[s.start[i].thread] <= 1);
		untold += !s.told[s.start[i].thread];
	}
	assert_int_equal(dn_probe_counters(p, count), 0);
	assert_true(untold <= count[DN_COUNT_perf_missed]);
	if (!count[DN_COUNT_perf_missed])	/* it waited for each child, and each came to a CPU */
		for (unsigned i = 0; i < 6; i++)
			assert_true(s.switches[s.start[i].thread] >= 1);
	dn_probe_close(p);
}

static void without_strings(void **state)
{
	uint64_t count[DN_KCOUNTER_MAX];
	struct seen s = { .parent = getpid() };
	struct dn_probe *p = begin(8u << 20, false);
	struct dn_target t;
	uint32_t thread;

	(void)state;
	run(p, "calls", "1000", &t, &thread);
	assert_int_equal(dn_probe_stop(p, ignore, NULL), 0);
	drain(p, &s);
	assert_int_equal(s.strings, 0);
	assert_int_equal(s.getppids, 1000);
	assert_int_equal(s.wrong_ret, 0);
	assert_int_equal(dn_probe_counters(p, count), 0);
	assert_int_equal(count[DN_COUNT_attempted], s.calls);
	dn_probe_close(p);
}

/* --- what finds no room ------------------------------------------------------------ */

struct lost {
	uint64_t calls, getppids, process;
	unsigned entries, cpu;
	uint64_t now;
	int stop_at;
};

static int on_loss(void *ctx, const struct dn_loss_key *k, const struct dn_loss_value *v)
{
	struct lost *l = ctx;

	assert_int_equal(k->cpu, l->cpu);
	assert_true(v->count > 0 && v->first <= v->last && v->last <= l->now);
	l->calls += v->count;
	l->process = k->process;
	if (k->nr == SYS_getppid) {
		assert_true(v->total > 0);	/* an exit has no time of its own */
		l->getppids += v->count;
	}
	return (int)++l->entries == l->stop_at ? -EIO : 0;
}

/* Keeps this process, and what it starts, on its last CPU. */
static unsigned pin(cpu_set_t *old)
{
	cpu_set_t one;
	unsigned cpu = CPU_SETSIZE - 1;

	assert_int_equal(sched_getaffinity(0, sizeof(*old), old), 0);
	while (!CPU_ISSET(cpu, old))
		cpu--;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
	return cpu;
}

static void losses(void **state)
{
	uint64_t count[DN_KCOUNTER_MAX];
	cpu_set_t old;
	struct lost l = { .cpu = pin(&old) };
	struct seen s = { 0 };
	struct dn_probe *p = begin(LEAST_RING, true);
	struct dn_target t;
	uint32_t thread;

	(void)state;
	assert_int_equal(dn_probe_losses(p, on_loss, &l), 0);
	assert_int_equal(l.entries, 0);
	run(p, "calls", "20000", &t, &thread);
	assert_int_equal(dn_probe_stop(p, ignore, NULL), 0);
	l.now = dn_now();
	drain(p, &s);
	assert_int_equal(dn_probe_losses(p, on_loss, &l), 0);
	assert_int_equal(dn_probe_counters(p, count), 0);
	assert_true(l.getppids > 10000);
	assert_int_equal(l.getppids + s.getppids, 20000);
	assert_int_equal(l.calls, count[DN_COUNT_syscall_lost]);
	assert_int_equal(l.calls + s.calls, count[DN_COUNT_attempted]);
	assert_int_equal(l.process, thread);
	/* births and deaths have a ring of their own, the SIGCHLD has not */
	assert_int_equal(s.starts + s.execs + s.exits, 3);
	assert_true(s.signals + count[DN_COUNT_signal_lost] >= 1);
	assert_int_equal(count[DN_COUNT_lifecycle_lost], 0);
	assert_int_equal(s.exit[0].seq, l.calls + s.calls);
	l = (struct lost){ .stop_at = 1, .now = l.now, .cpu = l.cpu };
	assert_int_equal(dn_probe_losses(p, on_loss, &l), -EIO);
	assert_int_equal(l.entries, 1);
	assert_int_equal(sched_setaffinity(0, sizeof(old), &old), 0);
	dn_probe_close(p);
}

/* --- the end ------------------------------------------------------------------------- */

struct living {
	struct dn_iter_thread thread[4];
	unsigned n;
};

static int on_living(void *ctx, const struct dn_iter_thread *t)
{
	struct living *l = ctx;

	assert_true(l->n < 4);
	l->thread[l->n++] = *t;
	return 0;
}

static int refuse(void *ctx, const struct dn_iter_thread *t)
{
	on_living(ctx, t);
	return -ENOSPC;
}

/* Waits until the process is in call nr, and says with which arguments. */
static void wait_in_call(pid_t pid, long nr, unsigned long long args[6])
{
	char path[64], line[512];

	snprintf(path, sizeof(path), "/proc/%d/syscall", (int)pid);
	for (unsigned i = 0; i < 2000; i++) {
		FILE *f = fopen(path, "r");
		long now = -1;
		int n = 0;

		assert_non_null(f);
		if (fgets(line, sizeof(line), f))
			n = sscanf(line, "%ld %llx %llx %llx %llx %llx %llx", &now, &args[0], &args[1],
				   &args[2], &args[3], &args[4], &args[5]);
		fclose(f);
		if (n == 7 && now == nr)
			return;
		usleep(1000);
	}
	fail_msg("process %d never came to call %ld", (int)pid, nr);
}

/* The target sleeps in a call: it is listed with it, and not seen any more
 * once it goes on. Others than the tree are not listed. */
static void in_flight(void **state)
{
	uint64_t before[DN_KCOUNTER_MAX], after[DN_KCOUNTER_MAX];
	unsigned long long args[6];
	struct living l = { .n = 0 };
	struct seen s = { 0 };
	struct dn_probe *p = begin(LEAST_RING, true);
	uint64_t begun = dn_now();
	struct dn_target t;
	int status;

	(void)state;
	act_spawn(&t, "wait", NULL);
	act_go(&t, dn_probe_target(p));
	wait_in_call(t.pid, SYS_ppoll, args);
	assert_int_equal(dn_probe_stop(p, on_living, &l), 0);
	drain(p, &s);
	assert_int_equal(l.n, 1);
	assert_int_equal(l.thread[0].thread, DN_ROOT_THREAD);
	assert_int_equal(l.thread[0].process, DN_ROOT_THREAD);
	assert_int_equal(l.thread[0].tid, t.pid);
	assert_int_equal(l.thread[0].pid, t.pid);
	assert_int_equal(l.thread[0].in_call, 1);
	assert_int_equal(l.thread[0].nr, SYS_ppoll);
	assert_int_equal(l.thread[0].seq, s.calls_of[DN_ROOT_THREAD]);
	assert_true(l.thread[0].start > begun && l.thread[0].start <= dn_now());
	assert_true(l.thread[0].nargs >= 4);
	for (unsigned i = 0; i < l.thread[0].nargs; i++)
		assert_int_equal(l.thread[0].args[i], args[i]);

	assert_int_equal(dn_probe_counters(p, before), 0);
	assert_int_equal(before[DN_COUNT_attempted], s.calls + 1);
	assert_int_equal(kill(t.pid, SIGTERM), 0);
	assert_int_equal(waitpid(t.pid, &status, 0), t.pid);
	assert_int_equal(dn_probe_counters(p, after), 0);
	assert_memory_equal(before, after, sizeof(before));
	s.calls = 0;
	drain(p, &s);
	assert_int_equal(s.calls + s.exits, 0);
	dn_probe_close(p);
}

static void list_refused(void **state)
{
	struct living l = { .n = 0 };
	struct dn_probe *p = begin(LEAST_RING, true);
	unsigned long long args[6];
	struct dn_target t;

	(void)state;
	act_spawn(&t, "wait", NULL);
	act_go(&t, dn_probe_target(p));
	wait_in_call(t.pid, SYS_ppoll, args);
	assert_int_equal(dn_probe_stop(p, refuse, &l), -ENOSPC);
	assert_int_equal(l.n, 1);
	assert_int_equal(kill(t.pid, SIGKILL), 0);
	assert_int_equal(waitpid(t.pid, NULL, 0), t.pid);
	dn_probe_close(p);
}

/* --- rings and waiting ----------------------------------------------------------------- */

static unsigned possible_cpus(void)
{
	FILE *f = fopen("/sys/devices/system/cpu/possible", "r");
	unsigned first = 0, last = 0;
	int n;

	assert_non_null(f);
	n = fscanf(f, "%u-%u", &first, &last);	/* "0" or "0-7" */
	fclose(f);
	assert_true(n > 0);
	return n == 2 ? last + 1 : first + 1;
}

static void geometry(void **state)
{
	unsigned cpus = possible_cpus(), n;
	const struct {
		uint64_t buffer;
		size_t each;
		unsigned rings;
	} t[] = {
		{ 0, LEAST_RING, 1 },
		{ (uint64_t)cpus * 3 * LEAST_RING, 2 * LEAST_RING, cpus },
		{ (uint64_t)cpus * LEAST_RING - 1, LEAST_RING, cpus > 1 ? cpus - 1 : 1 },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct dn_probe *p = begin(t[i].buffer, true);
		struct dn_ring **ring = dn_probe_rings(p, &n);

		assert_int_equal(n, t[i].rings);
		for (unsigned k = 0; k < n; k++)
			assert_int_equal(dn_ring_size(ring[k]), t[i].each);
		dn_probe_close(p);
	}
}

static uint64_t waited(struct dn_probe *p, int ms)
{
	uint64_t before = dn_now();

	dn_probe_wait(p, ms);
	return dn_now() - before;
}

static void waiting(void **state)
{
	struct dn_probe *p = begin(LEAST_RING, true);
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	struct dn_target t;
	uint32_t thread;

	(void)state;
	assert_true(waited(p, 30) >= 30 * MS);
	run(p, "calls", "50", &t, &thread);	/* records, but nobody rings the bell for them */
	assert_true(waited(p, 30) >= 30 * MS);
	run(p, "calls", "3000", &t, &thread);	/* beyond half of the ring */
	assert_true(waited(p, 20000) < 10000ull * MS);
	assert_true(waited(p, 30) >= 30 * MS);	/* said once */
	assert_int_equal(dn_probe_wake_fd(p, fd), 0);
	assert_int_equal(eventfd_write(fd, 1), 0);
	assert_true(waited(p, 20000) < 10000ull * MS);
	assert_int_equal(dn_probe_wake_fd(p, -1), -EBADF);
	close(fd);
	dn_probe_close(p);
}

/* --- what it says of itself --------------------------------------------------------------- */

static void emit(void **state)
{
	(void)state;
	for (unsigned strings = 0; strings < 2; strings++) {
		struct dn_probe *p = begin(LEAST_RING, strings);
		struct collect c, f;
		unsigned seen = 0;

		collect_init(&c);
		assert_int_equal(dn_probe_emit(p, &c.sink), 0);
		assert_true(collect_count(&c, DN_EV_probe) > 0);
		assert_true(collect_count(&c, DN_EV_not_observed) > 0);
		assert_int_equal(c.n, collect_count(&c, DN_EV_probe) +
				      collect_count(&c, DN_EV_not_observed));
		for (size_t i = 0; i < c.n; i++) {
			const struct collected *r = &c.row[i];

			assert_true(r->v[0].len > 0 && r->v[1].len > 0);
			for (size_t k = 0; k < i; k++)
				assert_false(c.row[k].event == r->event &&
					     !strcmp(c.row[k].v[0].p, r->v[0].p));
			if (r->event != DN_EV_probe)
				continue;
			assert_int_equal(r->n, DN_F_probe_N);
			if (!strcmp(r->v[DN_F_probe_name].p, "strings")) {
				seen++;
				assert_int_equal(strcmp(r->v[DN_F_probe_rung].p, "none") != 0, strings);
			} else {
				assert_string_not_equal(r->v[DN_F_probe_rung].p, "none");
			}
		}
		assert_int_equal(seen, 1);
		for (size_t at = 1; strings && at <= c.n; at++) {
			collect_init(&f);
			f.fail_at = at;
			assert_int_equal(dn_probe_emit(p, &f.sink), -ENOSPC);
			assert_int_equal(f.n, at - 1);
			collect_free(&f);
		}
		collect_free(&c);
		dn_probe_close(p);
	}
}

/* Without privilege it says why, in words. */
static void refused(void **state)
{
	struct dn_probe_opts o = { .buffer_bytes = LEAST_RING };
	int status;
	pid_t pid;

	(void)state;
	pid = fork();
	if (!pid) {
		char why[512];

		if (setgid(65534) || setuid(65534))
			_exit(1);
		if (dn_probe_open(&o, why))
			_exit(2);
		if (errno != EPERM && errno != EACCES)
			_exit(3);
		_exit(strstr(why, "not allowed: Operation not permitted") ? 0 : 4);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	dn_probe_close(NULL);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tree),
		cmocka_unit_test(counted),
		cmocka_unit_test(without_strings),
		cmocka_unit_test(losses),
		cmocka_unit_test(in_flight),
		cmocka_unit_test(list_refused),
		cmocka_unit_test(geometry),
		cmocka_unit_test(waiting),
		cmocka_unit_test(emit),
		cmocka_unit_test(refused),
	};

	act(argc, argv);
	if (!may_record())
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
