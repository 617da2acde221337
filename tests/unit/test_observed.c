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
	assert_int_equal(c.n, 1);
	assert_int_equal(c.row[0].event, DN_EV_not_observed);
	collect_free(&c);
}

/* What the sink says comes back. */
static void refused_rows(void **state)
{
	struct collect c;

	(void)state;
	collect_init(&c);
	c.fail_at = 1;
	assert_int_equal(dn_not_observed_row(&c.sink, "cwd", "why"), -ENOSPC);
	assert_int_equal(dn_probe_row(&c.sink, "oom", "tp_btf", NULL), -ENOSPC);
	assert_int_equal(c.n, 0);
	collect_free(&c);
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
