/*
 * test_observed.c - recorder/observed.h: rows that say what is observed and what not.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "collect.h"
#include "observed.h"

static void probe_rows(void **state)
{
	struct collect c;

	(void)state;
	collect_init(&c);
	assert_int_equal(dn_probe_row(&c.sink, "syscalls", "raw_tp", "no BTF"), 0);
	assert_int_equal(dn_probe_row(&c.sink, "oom", "tp_btf", ""), 0);
	assert_int_equal(dn_probe_row(&c.sink, "oom", "tp_btf", NULL), 0);
	assert_int_equal(c.n, 3);
	assert_int_equal(c.row[0].event, DN_EV_probe);
	assert_string_equal(c.row[0].v[DN_F_probe_name].p, "syscalls");
	assert_string_equal(c.row[0].v[DN_F_probe_rung].p, "raw_tp");
	assert_string_equal(c.row[0].v[DN_F_probe_reason].p, "no BTF");
	assert_true(c.row[1].v[DN_F_probe_reason].null);
	assert_true(c.row[2].v[DN_F_probe_reason].null);
	collect_free(&c);
}

static void not_observed_rows(void **state)
{
	struct collect c;

	(void)state;
	collect_init(&c);
	assert_int_equal(dn_not_observed_row(&c.sink, "cwd", "why"), 0);
	assert_string_equal(c.row[0].v[DN_F_not_observed_subject].p, "cwd");
	assert_string_equal(c.row[0].v[DN_F_not_observed_reason].p, "why");
	assert_int_equal(dn_not_observed_ever(&c.sink), 0);
	assert_true(c.n > 1);
	for (size_t i = 0; i < c.n; i++) {
		assert_int_equal(c.row[i].event, DN_EV_not_observed);
		assert_true(c.row[i].v[DN_F_not_observed_reason].len > 0);
	}
	collect_free(&c);
}

/* What the sink says comes back, from whichever row. */
static void refused_rows(void **state)
{
	struct collect c;

	(void)state;
	for (size_t at = 1; at <= 2; at++) {
		collect_init(&c);
		c.fail_at = at;
		assert_int_equal(dn_not_observed_ever(&c.sink), -ENOSPC);
		assert_int_equal(c.n, at - 1);
		collect_free(&c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(probe_rows),
		cmocka_unit_test(not_observed_rows),
		cmocka_unit_test(refused_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
