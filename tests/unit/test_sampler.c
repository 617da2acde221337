/*
 * The sampler on the real /proc: what it reads against what the kernel tells a
 * process of itself, its schedule, its bounds, and that a reused pid never
 * gives another process's figures.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "clocks.h"
#include "collect.h"
#include "procfs.h"
#include "row.h"
#include "sampler.h"

#define MS 1000000ull

static const struct dn_sampler_opts processes_only = { .no_host = true, .cpu_permille = 1000 };

static uint64_t field(const struct collected *r, unsigned i)
{
	assert_non_null(r);
	return r->v[i].null ? DN_UNMEASURED : r->v[i].u;
}

#define P(row, name) field(row, DN_F_process_sample_##name)

static pid_t idle_child(void)
{
	pid_t pid = fork();

	if (!pid) {
		pause();
		_exit(0);
	}
	assert_true(pid > 0);
	return pid;
}

static void wait_for_zombie(pid_t pid)
{
	siginfo_t info;

	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void intervals(void **state)
{
	struct dn_sampler_opts o = { 0 };
	uint64_t last = 0;

	(void)state;
	assert_true(dn_sampler_interval(&o, 0) == 100 * MS);
	assert_true(dn_sampler_interval(&o, 5000 * MS) == 550 * MS);
	assert_true(dn_sampler_interval(&o, 10000 * MS) == 1000 * MS);
	assert_true(dn_sampler_interval(&o, UINT64_MAX) == 1000 * MS);
	for (uint64_t t = 0; t < 11000 * MS; t += 37 * MS) {
		uint64_t i = dn_sampler_interval(&o, t);

		assert_true(i >= last && i <= 1000 * MS);
		last = i;
	}
	o.interval_ns = 5000 * MS;	/* above the maximum: constant */
	assert_true(dn_sampler_interval(&o, 0) == 5000 * MS);
	assert_true(dn_sampler_interval(&o, 20000 * MS) == 5000 * MS);
	o = (struct dn_sampler_opts){ .interval_ns = 1, .max_interval_ns = UINT64_MAX / 2,
				      .ramp_ns = UINT64_MAX };
	assert_true(dn_sampler_interval(&o, UINT64_MAX - 1) <= UINT64_MAX / 2);
}

/* As many rounds as the straight line promises: ln(10) / 0.09 in ten seconds. */
static void schedule(void **state)
{
	struct dn_sampler_opts o = processes_only;
	struct dn_sampler_counts n;
	struct collect c;
	struct dn_sampler *s;
	uint64_t now = 1;

	(void)state;
	collect_init(&c);
	s = dn_sampler_new(&o, &c.sink);
	assert_non_null(s);
	assert_true(dn_sampler_next_ns(s) == 0);
	while (now < 10000 * MS) {
		assert_int_equal(dn_sampler_tick(s, now), 0);
		assert_true(dn_sampler_next_ns(s) > now);
		assert_int_equal(dn_sampler_tick(s, now + 1), 0);	/* too early */
		now = dn_sampler_next_ns(s);
	}
	dn_sampler_counts(s, &n);
	assert_in_range(n.rounds, 24, 29);
	assert_int_equal(c.n, 0);
	dn_sampler_free(s);
	collect_free(&c);
}

static void a_life(void **state)
{
	struct collect c;
	struct dn_sampler_counts n;
	const struct collected *r;
	struct dn_sampler *s;
	struct rusage u;
	uint64_t before;
	pid_t pid;

	(void)state;
	collect_init(&c);
	s = dn_sampler_new(&processes_only, &c.sink);
	pid = idle_child();
	before = dn_now();
	assert_int_equal(dn_sampler_add(s, 7, pid, 0), 0);
	assert_int_equal(dn_sampler_add(s, 7, pid, 0), -EEXIST);
	assert_int_equal(dn_sampler_tick(s, dn_now()), 0);
	kill(pid, SIGKILL);
	wait_for_zombie(pid);
	assert_int_equal(dn_sampler_remove(s, 7, pid, true), 0);
	assert_int_equal(dn_sampler_remove(s, 7, pid, true), -ENOENT);
	assert_int_equal(wait4(pid, NULL, 0, &u), pid);

	assert_int_equal(c.n, 3);
	for (unsigned i = 0; i < 3; i++) {
		static const unsigned phases[] = { DN_PHASE_FIRST, DN_PHASE_PERIODIC, DN_PHASE_LAST };

		r = collect_find(&c, DN_EV_process_sample, i);
		assert_int_equal(r->n, DN_F_process_sample_N);
		assert_int_equal(P(r, phase), phases[i]);
		assert_int_equal(P(r, process), 7);
		assert_int_equal(P(r, pid), pid);
		assert_true(P(r, time) >= before && P(r, time) <= dn_now());
		before = P(r, time);
		assert_int_equal(P(r, threads), 1);
		assert_true(P(r, uptime) < 60000 * MS);
		assert_true(P(r, utime) != DN_UNMEASURED && P(r, stime) != DN_UNMEASURED);
		assert_true(P(r, nvcsw) != DN_UNMEASURED);
		assert_true(P(r, cpu) < 100000);
	}
	assert_int_equal(P(r, state), 'Z');
	assert_int_equal(P(r, minflt), u.ru_minflt);
	assert_true(P(r, rss) == DN_UNMEASURED && P(r, fds) == DN_UNMEASURED);
	r = collect_find(&c, DN_EV_process_sample, 1);
	assert_true(P(r, rss) > 0 && P(r, rss) != DN_UNMEASURED);
	assert_true(P(r, vms) > P(r, rss) && P(r, vms) != DN_UNMEASURED);
	assert_true(P(r, fds) >= 1 && P(r, fds) < 1000);
	dn_sampler_counts(s, &n);
	assert_int_equal(n.readings, 3);
	assert_int_equal(n.gone, 0);
	dn_sampler_free(s);
	collect_free(&c);
}

static void gone(void **state)
{
	struct collect c;
	struct dn_sampler_counts n;
	struct dn_sampler *s;
	pid_t pid;

	(void)state;
	collect_init(&c);
	s = dn_sampler_new(&processes_only, &c.sink);
	pid = idle_child();
	assert_int_equal(dn_sampler_add(s, 7, pid, 0), 0);
	end(pid);
	assert_int_equal(dn_sampler_add(s, 8, pid, 0), -ESRCH);
	assert_int_equal(dn_sampler_processes(s), 1);
	for (int i = 0; i < 3; i++)
		assert_int_equal(dn_sampler_tick(s, dn_now() + (uint64_t)i * 1000 * MS), 0);
	assert_int_equal(dn_sampler_remove(s, 7, pid, true), 0);
	dn_sampler_counts(s, &n);
	assert_int_equal(n.gone, 2);	/* once each, however often it was looked for */
	assert_int_equal(n.failed, 0);
	assert_int_equal(c.n, 1);

	/* no id in the trace: null in the row, removed by pid */
	pid = idle_child();
	assert_int_equal(dn_sampler_add(s, 0, pid, 0), 0);
	assert_true(P(&c.row[1], process) == DN_UNMEASURED);
	assert_int_equal(dn_sampler_remove(s, 0, pid + 1, false), -ENOENT);
	assert_int_equal(dn_sampler_remove(s, 0, pid, false), 0);
	end(pid);
	dn_sampler_free(s);
	dn_sampler_free(NULL);
	collect_free(&c);
}

/* The next fork gets this pid, where we may ask for it. */
static bool ask_for_pid(pid_t pid)
{
	FILE *f = fopen("/proc/sys/kernel/ns_last_pid", "w");
	bool ok;

	if (!f)
		return false;
	ok = fprintf(f, "%d", (int)pid - 1) > 0;
	return fclose(f) == 0 && ok;
}

static void pid_reuse(void **state)
{
	struct dn_sampler_opts o = processes_only;
	struct dn_sampler_counts n;
	struct dn_sampler *s;
	struct collect c;
	int reused = 0;

	(void)state;
	collect_init(&c);
	/* held by its directory, then by pid and start time only */
	for (o.max_open = 2; o.max_open; o.max_open--) {
		for (int attempt = 0; attempt < 20; attempt++) {
			pid_t other = idle_child(), old = idle_child(), new;

			collect_clear(&c);
			s = dn_sampler_new(&o, &c.sink);
			assert_int_equal(dn_sampler_add(s, 6, other, 0), 0);
			assert_int_equal(dn_sampler_add(s, 7, old, 0), 0);
			assert_int_equal(c.n, 2);
			end(old);
			usleep(30000);	/* another tick */
			new = ask_for_pid(old) ? idle_child() : 0;
			assert_int_equal(dn_sampler_tick(s, dn_now()), 0);
			dn_sampler_counts(s, &n);
			assert_int_equal(n.gone, 1);
			assert_int_equal(c.n, 3);
			assert_int_equal(P(&c.row[2], process), 6);
			if (new)
				end(new);
			end(other);
			dn_sampler_free(s);
			if (new == old) {
				reused++;
				break;
			}
		}
	}
	collect_free(&c);
	if (reused < 2)
		skip();
}

/* BPF gives the start in ns, or when it was seen first; /proc in ticks. */
static void born(void **state)
{
	struct dn_sampler_counts n;
	struct dn_proc_reading r;
	struct dn_sampler *s;
	struct dn_proc p;
	struct collect c;
	uint64_t ns;
	int procfs = open("/proc", O_PATH | O_DIRECTORY);

	(void)state;
	collect_init(&c);
	assert_int_equal(dn_proc_open(&p, procfs, getpid(), DN_UNMEASURED), 0);
	assert_int_equal(dn_proc_read(&p, 0, &r), 0);
	dn_proc_close(&p);
	ns = r.start * dn_tick_ns() - (uint64_t)dn_timens_offset(procfs);
	s = dn_sampler_new(&processes_only, &c.sink);
	assert_int_equal(dn_sampler_add(s, 1, getpid(), ns), 0);
	assert_int_equal(dn_sampler_add(s, 2, getpid(), ns + dn_tick_ns() - 1), 0);
	assert_int_equal(dn_sampler_add(s, 3, getpid(), ns + 5 * dn_tick_ns()), 0);
	assert_int_equal(dn_sampler_add(s, 4, getpid(), ns - 1), -ESRCH);
	dn_sampler_counts(s, &n);
	assert_int_equal(n.readings, 3);
	assert_int_equal(n.gone, 1);
	dn_sampler_free(s);
	close(procfs);
	collect_free(&c);
}

/* Sets of thousands, added and removed in the middle of rounds: every process
 * that is there is read once a round. All are this one, under many ids. */
static void large_set(void **state)
{
	struct dn_sampler_opts o = processes_only;
	static uint8_t present[3000], seen[3000];
	struct dn_sampler_counts n;
	struct dn_sampler *s;
	struct collect c;
	uint64_t rnd = 1, now;
	unsigned there = 0, deferred = 0;

	(void)state;
	collect_init(&c);
	o.max_open = 50;
	o.cpu_permille = 300;
	s = dn_sampler_new(&o, &c.sink);
	now = dn_now();
	while (dn_sampler_next_ns(s) == 0)
		assert_int_equal(dn_sampler_tick(s, now), 0);
	for (int step = 0; step < 4000; step++) {
		unsigned id;

		rnd = rnd * 6364136223846793005u + 1442695040888963407u;
		id = (unsigned)(rnd >> 33) % 2999 + 1;
		if (present[id] && step % 3 == 0) {
			assert_int_equal(dn_sampler_remove(s, id, getpid(), false), 0);
			present[id] = 0;
			there--;
		} else if (!present[id]) {
			assert_int_equal(dn_sampler_add(s, id, getpid(), 0), 0);
			present[id] = 1;
			there++;
		}
		assert_int_equal(dn_sampler_processes(s), there);
	}

	/* one whole round, removing some as it goes */
	collect_clear(&c);
	dn_sampler_counts(s, &n);
	for (uint64_t rounds = n.rounds; n.rounds == rounds;) {
		uint64_t due = dn_sampler_next_ns(s);
		unsigned id;

		if (due > dn_now())
			usleep(1000);
		assert_int_equal(dn_sampler_tick(s, dn_now()), 0);
		dn_sampler_counts(s, &n);
		deferred++;
		rnd = rnd * 6364136223846793005u + 1442695040888963407u;
		id = (unsigned)(rnd >> 33) % 2999 + 1;
		if (n.rounds == rounds && present[id] == 1) {
			assert_int_equal(dn_sampler_remove(s, id, getpid(), false), 0);
			present[id] = 2;
		}
	}
	assert_true(n.deferred > 0 && deferred > 1);
	for (size_t i = 0; i < c.n; i++)
		seen[P(&c.row[i], process)]++;
	for (unsigned id = 1; id < 3000; id++) {
		if (present[id] == 1)
			assert_int_equal(seen[id], 1);
		else
			assert_true(seen[id] <= (present[id] == 2));
	}
	dn_sampler_free(s);
	collect_free(&c);
}

/* Rounds that may take a twentieth of a CPU take no more. */
static void bounded_cost(void **state)
{
	struct dn_sampler_opts o = { .no_host = true, .cpu_permille = 50, .interval_ns = MS,
				     .max_interval_ns = MS };
	struct dn_sampler_counts n;
	struct dn_sampler *s;
	struct rusage a, b;
	struct collect c;
	uint64_t from, spent;

	(void)state;
	collect_init(&c);
	s = dn_sampler_new(&o, &c.sink);
	for (unsigned id = 1; id <= 2000; id++)
		assert_int_equal(dn_sampler_add(s, id, getpid(), 0), 0);
	getrusage(RUSAGE_SELF, &a);
	from = dn_now();
	while (dn_now() < from + 1000 * MS) {
		uint64_t due = dn_sampler_next_ns(s), now = dn_now();

		if (due > now)
			usleep((useconds_t)((due - now) / 1000 + 1));
		assert_int_equal(dn_sampler_tick(s, dn_now()), 0);
	}
	getrusage(RUSAGE_SELF, &b);
	spent = (uint64_t)((b.ru_utime.tv_sec - a.ru_utime.tv_sec + b.ru_stime.tv_sec -
			    a.ru_stime.tv_sec) * 1000000 +
			   b.ru_utime.tv_usec - a.ru_utime.tv_usec + b.ru_stime.tv_usec -
			   a.ru_stime.tv_usec);
	dn_sampler_counts(s, &n);
	assert_true(n.deferred > 0);
	assert_true(n.skipped > 0);	/* of the first readings */
	/* 5 % of a second, the 20 ms saved up, and as much again for this loop */
	assert_true(spent < 2 * 70000);
	assert_true(n.readings > 10);	/* a busy machine leaves time for few */
	dn_sampler_free(s);
	collect_free(&c);
}

static void *short_thread(void *arg)
{
	usleep(300000);
	return arg;
}

/* Switches of threads that ended are in no file: the sum is not given any more. */
static void ended_threads(void **state)
{
	struct dn_sampler *s;
	struct collect c;
	pthread_t t;
	int pipes[2];
	char byte = 0;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(pipes), 0);
	pid = fork();
	if (!pid) {
		if (!pthread_create(&t, NULL, short_thread, NULL) &&
		    write(pipes[1], &byte, 1) == 1 && !pthread_join(t, NULL) &&
		    write(pipes[1], &byte, 1) == 1)
			pause();
		_exit(1);
	}
	collect_init(&c);
	s = dn_sampler_new(&processes_only, &c.sink);
	assert_int_equal(read(pipes[0], &byte, 1), 1);
	assert_int_equal(dn_sampler_add(s, 1, pid, 0), 0);
	assert_int_equal(P(&c.row[0], threads), 2);
	assert_true(P(&c.row[0], nvcsw) != DN_UNMEASURED);
	assert_int_equal(read(pipes[0], &byte, 1), 1);
	usleep(50000);
	assert_int_equal(dn_sampler_tick(s, dn_now()), 0);
	assert_int_equal(P(&c.row[1], threads), 1);
	assert_true(P(&c.row[1], nvcsw) == DN_UNMEASURED);
	assert_true(P(&c.row[1], nivcsw) == DN_UNMEASURED);
	end(pid);
	close(pipes[0]);
	close(pipes[1]);
	dn_sampler_free(s);
	collect_free(&c);
}

#define H(row, name) field(row, DN_F_host_sample_##name)

static void host(void **state)
{
	struct dn_sampler_opts o = { 0 };
	const struct collected *r, *k;
	struct dn_sampler *s;
	struct sysinfo info;
	struct collect c;

	(void)state;
	collect_init(&c);
	s = dn_sampler_new(&o, &c.sink);
	assert_int_equal(dn_sampler_tick(s, dn_now()), 0);
	k = collect_find(&c, DN_EV_clock, 0);
	assert_true(field(k, DN_F_clock_time) <= dn_now());
	assert_true(field(k, DN_F_clock_mono) <= field(k, DN_F_clock_time));
	assert_true(field(k, DN_F_clock_wall) / 1000000000 - (uint64_t)time(NULL) + 2 <= 4);
	assert_true(field(k, DN_F_clock_uncertainty) < 1000 * MS);

	r = collect_find(&c, DN_EV_host_sample, 0);
	assert_int_equal(r->n, DN_F_host_sample_N);
	assert_int_equal(sysinfo(&info), 0);
	/* the file counts in KiB */
	assert_true(H(r, mem_total) / 1024 == (uint64_t)info.totalram * info.mem_unit / 1024);
	assert_true(H(r, swap_total) / 1024 == (uint64_t)info.totalswap * info.mem_unit / 1024);
	assert_true(H(r, mem_free) <= H(r, mem_total));
	assert_true(H(r, cpu_idle) != DN_UNMEASURED && H(r, cpu_idle) > 0);
	assert_true(H(r, ctxt) != DN_UNMEASURED && H(r, ctxt) > 0);
	assert_true(H(r, running) >= 1 && H(r, running) <= H(r, tasks));
	if (access("/proc/pressure/cpu", R_OK))
		assert_true(H(r, psi_cpu_some) == DN_UNMEASURED);
	for (size_t i = 0; i < c.n; i++)
		if (c.row[i].event == DN_EV_net_sample || c.row[i].event == DN_EV_disk_sample)
			assert_true(c.row[i].v[1].p && c.row[i].v[1].len);

	/* the end: a last round */
	assert_int_equal(dn_sampler_add(s, 1, getpid(), 0), 0);
	assert_int_equal(dn_sampler_finish(s), 0);
	assert_int_equal(P(collect_find(&c, DN_EV_process_sample, 1), phase), DN_PHASE_LAST);
	assert_int_equal(collect_count(&c, DN_EV_host_sample), 2);
	dn_sampler_free(s);
	collect_free(&c);
}

/* A tree without any file: nulls, no zeros. */
static void empty_proc(void **state)
{
	char dir[] = "/tmp/dn-test-XXXXXX";
	struct dn_sampler_opts o = { 0 };
	struct dn_sampler *s;
	struct collect c;

	(void)state;
	collect_init(&c);
	assert_non_null(mkdtemp(dir));
	o.procfs = open(dir, O_PATH | O_DIRECTORY);
	s = dn_sampler_new(&o, &c.sink);
	assert_int_equal(dn_sampler_add(s, 1, getpid(), 0), -ESRCH);
	assert_int_equal(dn_sampler_tick(s, dn_now()), 0);
	assert_int_equal(c.n, 2);
	for (unsigned i = 1; i < c.row[1].n; i++)
		assert_true(c.row[1].v[i].null);
	dn_sampler_free(s);
	close(o.procfs);
	rmdir(dir);
	collect_free(&c);
}

static void sink_refuses(void **state)
{
	struct dn_sampler_opts o = { 0 };
	struct dn_sampler *s;
	struct collect c;

	(void)state;
	for (size_t at = 1; at <= 4; at++) {
		collect_init(&c);
		s = dn_sampler_new(&o, &c.sink);
		c.fail_at = at;
		if (at == 1) {
			assert_int_equal(dn_sampler_add(s, 1, getpid(), 0), -ENOSPC);
		} else {
			assert_int_equal(dn_sampler_add(s, 1, getpid(), 0), 0);
			assert_int_equal(dn_sampler_tick(s, dn_now()), -ENOSPC);
		}
		assert_int_equal(dn_sampler_remove(s, 1, getpid(), false), 0);
		dn_sampler_free(s);
		collect_free(&c);
	}
}

/* Out of descriptors: counted as failed, not as gone, and better later. */
static void no_descriptors(void **state)
{
	struct rlimit old, low;
	struct dn_sampler_counts n;
	struct dn_sampler *s;
	struct collect c;

	(void)state;
	collect_init(&c);
	s = dn_sampler_new(&processes_only, &c.sink);
	assert_int_equal(dn_sampler_add(s, 1, getpid(), 0), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	low = (struct rlimit){ 3, old.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	assert_int_equal(dn_sampler_add(s, 2, getpid(), 0), -EMFILE);
	assert_int_equal(dn_sampler_tick(s, dn_now()), 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	dn_sampler_counts(s, &n);
	assert_int_equal(n.failed, 2);
	assert_int_equal(n.gone, 0);
	assert_int_equal(dn_sampler_tick(s, dn_now() + 1000 * MS), 0);
	assert_int_equal(c.n, 2);
	dn_sampler_free(s);
	collect_free(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(intervals),
		cmocka_unit_test(schedule),
		cmocka_unit_test(a_life),
		cmocka_unit_test(gone),
		cmocka_unit_test(pid_reuse),
		cmocka_unit_test(born),
		cmocka_unit_test(large_set),
		cmocka_unit_test(bounded_cost),
		cmocka_unit_test(ended_threads),
		cmocka_unit_test(host),
		cmocka_unit_test(empty_proc),
		cmocka_unit_test(sink_refuses),
		cmocka_unit_test(no_descriptors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
