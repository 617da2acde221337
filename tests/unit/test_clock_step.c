/*
 * test_clock_step.c - the step of clocks that are made up, and of this machine's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "clock_step.h"
#include "clocks.h"
#include "columns.h"

static uint64_t t[DN_STEP_WINDOWS][DN_STEP_READS];

/* Reads a clock of that step, each read about so many ns after the one before. */
static void read_clock(double step, double apart)
{
	double now = 5e14 + rand() % 1000 / 1e3;

	for (unsigned w = 0; w < DN_STEP_WINDOWS; w++) {
		if (w >= DN_STEP_DENSE)
			now += w == DN_STEP_DENSE ? 25e3 : w == DN_STEP_DENSE + 1 ? 150e3 : 1e6;
		for (unsigned i = 0; i < DN_STEP_READS; i++) {
			now += apart * (.8 + rand() % 1000 / 2500.);
			t[w][i] = (uint64_t)((double)(uint64_t)(now / step) * step);
		}
	}
}

static void made_up(void **state)
{
	static const double steps[] = { 4, 5.1, 8.205, 10, 10.0187, 16, 25, 40, 41.6667, 52.0833 };
	static const double none[] = { 1, 1.3, 2 };

	(void)state;
	for (unsigned k = 0; k < 100; k++) {
		for (unsigned i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
			double step;

			read_clock(steps[i], 30 + k);
			step = (double)dn_clock_step_of(t) / DN_STEP_ONE;
			if (step < steps[i] * .99999 || step > steps[i] * 1.00001)
				fail_msg("%g instead of %g", step, steps[i]);
		}
		for (unsigned i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
			read_clock(none[i], 30 + k);
			assert_int_equal(dn_clock_step_of(t), 0);
		}
		read_clock(1000, 30);	/* too far apart for a window */
		assert_int_equal(dn_clock_step_of(t), 0);
	}
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Of nine: who is put off its CPU while it reads may be wrong. */
static uint64_t median(void)
{
	uint64_t step[9];

	for (unsigned i = 0; i < 9; i++)
		step[i] = dn_clock_step();
	qsort(step, 9, sizeof(step[0]), compare);
	return step[4];
}

/* Whatever it is, it is so each time, and the clock follows it. */
static void this_one(void **state)
{
	uint64_t a = median(), b = median(), far;
	struct dn_moment m = DN_BEFORE_ALL;
	unsigned beside = 0, beyond = 0;

	(void)state;
	assert_int_equal(!a, !b);
	if (!a)
		return;
	assert_in_range(b, a - a / 20000, a + a / 20000);
	dn_moment_put(&m, a, dn_now(), &far);
	for (unsigned i = 0; i < 100000; i++) {
		beside += dn_moment_put(&m, a, dn_now(), &far) % 3 != 0;
		beyond += far != 0;
	}
	assert_in_range(beside, 0, 35000);
	assert_in_range(beyond, 0, 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(made_up),
		cmocka_unit_test(this_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
