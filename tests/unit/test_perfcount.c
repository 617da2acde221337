/*
 * test_perfcount.c - recorder/perfcount.h: names, perf events, rows.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "collect.h"
#include "perfcount.h"
#include "privilege.h"

static void names(void **state)
{
	(void)state;
	assert_int_equal(dn_perf_find("cycles", 6), DN_PERF_CYCLES);
	assert_int_equal(dn_perf_find("cache-misses,x", 12), DN_PERF_CACHE_MISSES);
	assert_int_equal(dn_perf_find("cycles", 5), -1);
	assert_int_equal(dn_perf_find("", 0), -1);
	assert_int_equal(dn_perf_find("cycles2", 7), -1);
	for (unsigned i = 0; i < DN_PERF_KINDS; i++)
		assert_int_equal(dn_perf_find(dn_perf_name(i), strlen(dn_perf_name(i))), i);
	assert_int_equal(DN_PERF_HARDWARE, 1 << DN_PERF_CYCLES | 1 << DN_PERF_INSTRUCTIONS |
			 1 << DN_PERF_CACHE_REFERENCES | 1 << DN_PERF_CACHE_MISSES |
			 1 << DN_PERF_STALLED_FRONTEND | 1 << DN_PERF_STALLED_BACKEND);
}

static void reasons(void **state)
{
	int err[DN_PERF_KINDS] = { 0 };

	(void)state;
	for (unsigned i = 0; i < DN_PERF_KINDS; i++)
		err[i] = DN_PERF_HARDWARE & 1 << i ? -ENOENT : 0;
	assert_non_null(strstr(dn_perf_why(DN_PERF_HARDWARE, err, DN_PERF_CYCLES), "virtual machines"));
	/* Software alone says nothing of the CPU. */
	assert_non_null(strstr(dn_perf_why(DN_PERF_HARDWARE | 1 << DN_PERF_TASK_CLOCK, err, DN_PERF_CYCLES), "virtual"));
	err[DN_PERF_CYCLES] = 0;
	assert_string_equal(dn_perf_why(DN_PERF_HARDWARE, err, DN_PERF_STALLED_BACKEND), "this CPU has no such counter");
	err[DN_PERF_CYCLES] = -EACCES;
	assert_non_null(strstr(dn_perf_why(DN_PERF_HARDWARE, err, DN_PERF_CYCLES), "CAP_PERFMON"));
	err[DN_PERF_CYCLES] = -EMFILE;
	assert_string_equal(dn_perf_why(DN_PERF_HARDWARE, err, DN_PERF_CYCLES), strerror(EMFILE));
}

/* An event of a CPU counts until it is closed. */
static void events(void **state)
{
	const uint32_t asked = 1u << DN_PERF_TASK_CLOCK | 1u << DN_PERF_PAGE_FAULTS;
	int err[DN_PERF_KINDS], fd;
	uint64_t first, second;

	(void)state;
	if (!may_record())
		skip();
	memset(err, 1, sizeof(err));
	assert_int_equal(dn_perf_try(asked, err), asked);
	for (unsigned i = 0; i < DN_PERF_KINDS; i++)
		assert_int_equal(err[i], 0);
	fd = dn_perf_open(DN_PERF_TASK_CLOCK, 0);
	assert_true(fd >= 0);
	assert_int_equal(read(fd, &first, sizeof(first)), sizeof(first));
	nanosleep(&(struct timespec){ 0, 1000000 }, NULL);
	assert_int_equal(read(fd, &second, sizeof(second)), sizeof(second));
	assert_true(second >= first + 1000000);
	close(fd);
	assert_true(dn_perf_open(DN_PERF_TASK_CLOCK, 1 << 20) < 0);
}

static void rows(void **state)
{
	struct dn_ring_perf r = { .type = DN_RING_PERF, .thread = 5, .time = 77,
		.kinds = 1 << DN_PERF_CYCLES | 1 << DN_PERF_CACHE_MISSES | 1 << DN_PERF_PAGE_FAULTS };
	const struct collected *row;
	struct collect c;

	(void)state;
	r.sum[DN_PERF_CYCLES] = (struct dn_perf_sum){ 1000, 30, 20 };
	r.sum[DN_PERF_INSTRUCTIONS] = (struct dn_perf_sum){ 1, 1, 1 };	/* nobody asked for it */
	r.sum[DN_PERF_PAGE_FAULTS] = (struct dn_perf_sum){ 0, 40, 40 };
	collect_init(&c);
	assert_int_equal(dn_perf_rows(&c.sink, &r, UINT32_MAX), 0);
	assert_int_equal(c.n, 2);	/* cache-misses had no time to count in */
	row = collect_find(&c, DN_EV_perf_counter, 0);
	assert_int_equal(row->n, DN_F_perf_counter_N);
	assert_int_equal(row->v[DN_F_perf_counter_time].u, 77);
	assert_int_equal(row->v[DN_F_perf_counter_thread].u, 5);
	assert_int_equal(row->v[DN_F_perf_counter_counter].u, DN_PERF_CYCLES);
	assert_int_equal(row->v[DN_F_perf_counter_value].u, 1000);
	assert_int_equal(row->v[DN_F_perf_counter_enabled].u, 30);
	assert_int_equal(row->v[DN_F_perf_counter_running].u, 20);
	row = collect_find(&c, DN_EV_perf_counter, 1);
	assert_int_equal(row->v[DN_F_perf_counter_counter].u, DN_PERF_PAGE_FAULTS);
	assert_int_equal(row->v[DN_F_perf_counter_value].u, 0);
	collect_free(&c);

	/* One that could not be opened on each CPU is left out. */
	collect_init(&c);
	assert_int_equal(dn_perf_rows(&c.sink, &r, ~(1u << DN_PERF_CYCLES)), 0);
	assert_int_equal(c.n, 1);
	collect_free(&c);
	collect_init(&c);
	c.fail_at = 2;
	assert_int_equal(dn_perf_rows(&c.sink, &r, UINT32_MAX), -ENOSPC);
	collect_free(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(reasons),
		cmocka_unit_test(events),
		cmocka_unit_test(rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
