/*
 * test_options.c - the command line of denet-record.
 */
#include <getopt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "options.h"
#include "perfcount.h"

static struct dn_record_opts o;

/* Parses words up to NULL. Messages on stderr are not the matter here. */
static int parse(const char *first, ...)
{
	static char *argv[32];		/* o.argv points into it */
	int argc = first ? 2 : 1, status, err = dup(STDERR_FILENO);
	va_list ap;

	memset(argv, 0, sizeof(argv));
	argv[0] = (char *)"denet-record";
	argv[1] = (char *)first;
	va_start(ap, first);
	while (first && (argv[argc] = va_arg(ap, char *)))
		argc++;
	va_end(ap);
	optind = 0;
	fflush(stderr);
	assert_non_null(freopen("/dev/null", "w", stderr));
	status = dn_record_options(&o, argc, argv);
	fflush(stderr);
	dup2(err, STDERR_FILENO);
	close(err);
	return status;
}

static void test_defaults(void **state)
{
	(void)state;
	assert_int_equal(parse("true", NULL), 0);
	assert_string_equal(o.output, "denet.dnt");
	assert_int_equal(o.buffer, 32 << 20);
	assert_true(o.redact && o.strings && o.net);
	assert_int_equal(o.perf, DN_PERF_HARDWARE);
	assert_int_equal(o.perf_named, 0);
	assert_false(o.quiet || o.count || o.wait_tree);
	assert_string_equal(o.argv[0], "true");
}

static void test_values(void **state)
{
	(void)state;
	assert_int_equal(parse("-qc", "-o", "x", "--buffer=1M", "-i", "50ms", "--max-interval", "2s",
			       "--duration", "1.5", "--redact=none", "--wait=tree", "--sync=block",
			       "--compress-level=-5", "-u", "nobody", "--no-strings", "--no-net", "--", "ls", "-q", NULL), 0);
	assert_true(o.quiet && o.count && o.wait_tree && o.sync_blocks);
	assert_false(o.redact || o.strings || o.net);
	assert_string_equal(o.output, "x");
	assert_int_equal(o.buffer, 1 << 20);
	assert_int_equal(o.interval_ns, 50000000);
	assert_int_equal(o.max_interval_ns, 2000000000);
	assert_int_equal(o.duration_ns, 1500000000);
	assert_int_equal(o.level, -5);
	assert_string_equal(o.user, "nobody");
	assert_string_equal(o.argv[0], "ls");
	assert_string_equal(o.argv[1], "-q");	/* the command's own */
}

/* Options after the command belong to it, with or without "--". */
static void test_command_options(void **state)
{
	(void)state;
	assert_int_equal(parse("sh", "-c", "exit 1", "-o", "y", NULL), 0);
	assert_false(o.count);
	assert_string_equal(o.output, "denet.dnt");
	assert_string_equal(o.argv[4], "y");
}

static void test_wrong(void **state)
{
	(void)state;
	assert_int_equal(parse(NULL), 126);		/* status 125 */
	assert_int_equal(parse("-q", NULL), 126);
	assert_int_equal(parse("--nonsense", "ls", NULL), 126);
	assert_int_equal(parse("-o", "", "ls", NULL), 126);
	assert_int_equal(parse("-o", NULL), 126);
	assert_int_equal(parse("--buffer", "1", "ls", NULL), 126);
	assert_int_equal(parse("--buffer", "lots", "ls", NULL), 126);
	assert_int_equal(parse("--interval", "-1", "ls", NULL), 126);
	assert_int_equal(parse("--interval", "1 parsec", "ls", NULL), 126);
	assert_int_equal(parse("--duration", "nan", "ls", NULL), 126);
	assert_int_equal(parse("--duration", "1e300", "ls", NULL), 126);
	assert_int_equal(parse("--redact", "some", "ls", NULL), 126);
	assert_int_equal(parse("--wait", "x", "ls", NULL), 126);
	assert_int_equal(parse("--sync", "x", "ls", NULL), 126);
	assert_int_equal(parse("--compress-level", "99", "ls", NULL), 126);
	assert_int_equal(parse("--compress-level", "", "ls", NULL), 126);
}

static void test_sample(void **state)
{
	(void)state;
	assert_int_equal(parse("ls", NULL), 0);
	assert_false(o.cycles);
	assert_int_equal(parse("--sample=cycles", "ls", NULL), 0);
	assert_true(o.cycles);
	assert_int_equal(parse("--sample=cycles", "--sample", "cpu-clock", "ls", NULL), 0);
	assert_false(o.cycles);
	assert_int_equal(parse("--sample=cpu", "ls", NULL), 126);
}

static void test_counters(void **state)
{
	const unsigned two = 1u << DN_PERF_CYCLES | 1u << DN_PERF_PAGE_FAULTS;

	(void)state;
	assert_int_equal(parse("--counters=none", "ls", NULL), 0);
	assert_int_equal(o.perf | o.perf_named, 0);
	assert_int_equal(parse("--counters=cycles,page-faults", "ls", NULL), 0);
	assert_int_equal(o.perf, two);
	assert_int_equal(o.perf_named, two);
	assert_int_equal(parse("--counters", "page-faults,hardware", "ls", NULL), 0);
	assert_int_equal(o.perf, DN_PERF_HARDWARE | 1u << DN_PERF_PAGE_FAULTS);
	assert_int_equal(o.perf_named, 1u << DN_PERF_PAGE_FAULTS);
	assert_int_equal(parse("--counters=", "ls", NULL), 126);
	assert_int_equal(parse("--counters=cycle", "ls", NULL), 126);
	assert_int_equal(parse("--counters=cycles,", "ls", NULL), 126);
	assert_int_equal(parse("--counters=cycles,none", "ls", NULL), 126);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_command_options),
		cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_sample),
		cmocka_unit_test(test_counters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
