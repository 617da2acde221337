/*
 * test_clocks.c - the clocks of the host, between readings of the test's own.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "clocks.h"
#include "collect.h"

static const clockid_t id[3] = { CLOCK_BOOTTIME, CLOCK_MONOTONIC, CLOCK_REALTIME };

static void read_all(uint64_t ns[3])
{
	for (unsigned i = 0; i < 3; i++) {
		struct timespec ts;

		assert_int_equal(clock_gettime(id[i], &ts), 0);
		ns[i] = (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
	}
}

static void now(void **state)
{
	uint64_t a[3], b[3], last = 0;

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		uint64_t t;

		read_all(a);
		t = dn_now();
		read_all(b);
		assert_true(a[0] <= t && t <= b[0]);
		assert_true(last <= t);
		last = t;
	}
}

/* Each clock lies between the readings around it, and none of them is further
 * from the moment of the boot clock than the uncertainty says. */
static void all(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		uint64_t a[3], b[3];
		struct dn_clocks c;
		int64_t apart;

		read_all(a);
		dn_clocks_read(&c);
		read_all(b);
		assert_true(a[0] <= c.boot && c.boot <= b[0]);
		assert_true(a[1] <= c.mono && c.mono <= b[1]);
		assert_true(c.uncertainty <= b[0] - a[0]);
		if (b[2] - a[2] <= 2 * (b[0] - a[0]))		/* it was not set meanwhile */
			assert_true(a[2] <= c.wall && c.wall <= b[2]);
		/* the two that run alike: their distance is the same at each reading,
		 * but for what the readings took */
		apart = (int64_t)(c.boot - c.mono) - (int64_t)(a[0] - a[1]);
		assert_true((uint64_t)llabs(apart) <= c.uncertainty + (b[0] - a[0]));
	}
}

static void emit(void **state)
{
	const struct collected *r;
	uint64_t a[3], b[3];
	struct collect c;

	(void)state;
	collect_init(&c);
	read_all(a);
	assert_int_equal(dn_clocks_emit(&c.sink), 0);
	read_all(b);
	assert_int_equal(c.n, 1);
	r = collect_find(&c, DN_EV_clock, 0);
	assert_int_equal(r->n, DN_F_clock_N);
	assert_true(a[0] <= r->v[DN_F_clock_time].u && r->v[DN_F_clock_time].u <= b[0]);
	assert_true(a[1] <= r->v[DN_F_clock_mono].u && r->v[DN_F_clock_mono].u <= b[1]);
	assert_true(a[2] <= r->v[DN_F_clock_wall].u && r->v[DN_F_clock_wall].u <= b[2]);
	assert_true(r->v[DN_F_clock_uncertainty].u <= b[0] - a[0]);
	for (unsigned i = 0; i < r->n; i++)
		assert_false(r->v[i].null);
	c.fail_at = 1;
	assert_int_equal(dn_clocks_emit(&c.sink), -ENOSPC);
	collect_free(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(now),
		cmocka_unit_test(all),
		cmocka_unit_test(emit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
