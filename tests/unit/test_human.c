/*
 * Numbers for people: rounding, carries into the next unit, both ends of the
 * range; and shell quoting, read back by a shell.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "human.h"
#include "shell_quote.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

struct pair {
	uint64_t n;
	const char *text;
};

static void check(char *(*f)(char *, size_t, uint64_t), const struct pair *p, size_t n)
{
	char buf[DN_HUMAN_SIZE];

	for (size_t i = 0; i < n; i++)
		assert_string_equal(f(buf, sizeof(buf), p[i].n), p[i].text);
}

static void counts(void **state)
{
	static const struct pair p[] = {
		{ 0, "0" }, { 1, "1" }, { 999, "999" }, { 1000, "1.0 k" }, { 1049, "1.0 k" },
		{ 1050, "1.1 k" }, { 9949, "9.9 k" }, { 99949, "99.9 k" }, { 99950, "100 k" },
		{ 162477, "162 k" }, { 999499, "999 k" }, { 999500, "1.0 M" }, { 999950, "1.0 M" },
		{ 1234567, "1.2 M" }, { 1000000000, "1.0 G" }, { 123456789012, "123 G" },
		{ UINT64_MAX, "18.4 E" },
	};

	(void)state;
	check(dn_human_count, p, N(p));
}

static void bytes(void **state)
{
	static const struct pair p[] = {
		{ 0, "0 B" }, { 1023, "1023 B" }, { 1024, "1.0 KiB" }, { 1536, "1.5 KiB" },
		{ 1023 * 1024, "1023 KiB" }, { 1024 * 1024 - 1, "1.0 MiB" },
		{ 3565158, "3.4 MiB" }, { 32ull << 20, "32.0 MiB" }, { 1ull << 40, "1.0 TiB" },
		{ UINT64_MAX, "16.0 EiB" },
	};

	(void)state;
	check(dn_human_bytes, p, N(p));
}

static void durations(void **state)
{
	static const struct pair p[] = {
		{ 0, "0 ns" }, { 999, "999 ns" }, { 1000, "1.00 us" }, { 1234, "1.23 us" },
		{ 9995, "10.0 us" }, { 12345, "12.3 us" }, { 999499, "999 us" },
		{ 999500, "1.00 ms" }, { 1500000, "1.50 ms" }, { 999999999, "1.00 s" },
		{ 1234567890, "1.23 s" }, { 59940000000, "59.9 s" }, { 59949999999, "59.9 s" },
		{ 59990000000, "1 m 00 s" }, { 60000000000, "1 m 00 s" },
		{ 62000000000, "1 m 02 s" }, { 3599400000000, "59 m 59 s" },
		{ 3599700000000, "1 h 00 m" }, { 11100000000000, "3 h 05 m" },
		{ 86370000000000, "1 d 00 h" }, { 187200000000000, "2 d 04 h" },
		{ UINT64_MAX, "213504 d 00 h" },
	};

	(void)state;
	check(dn_human_ns, p, N(p));
}

static void digits(void **state)
{
	static const struct pair p[] = {
		{ 0, "0" }, { 999, "999" }, { 1000, "1,000" }, { 1234567, "1,234,567" },
		{ UINT64_MAX, "18,446,744,073,709,551,615" },
	};

	(void)state;
	check(dn_human_digits, p, N(p));
}

static void rates_and_shares(void **state)
{
	char buf[DN_HUMAN_SIZE];

	(void)state;
	assert_string_equal(dn_human_rate(buf, sizeof(buf), 100, 0), "-");
	assert_string_equal(dn_human_rate(buf, sizeof(buf), 0, 5), "0/s");
	assert_string_equal(dn_human_rate(buf, sizeof(buf), 1200000, 1000000000), "1.2 M/s");
	assert_string_equal(dn_human_rate(buf, sizeof(buf), 5, 2000000000), "3/s");
	assert_string_equal(dn_human_rate(buf, sizeof(buf), UINT64_MAX, 1000000000), "18.4 E/s");
	assert_string_equal(dn_human_rate(buf, sizeof(buf), UINT64_MAX, 1), "18.4 E/s");
	assert_string_equal(dn_human_percent(buf, sizeof(buf), 1, 0), "-");
	assert_string_equal(dn_human_percent(buf, sizeof(buf), 0, 5), "0.0 %");
	assert_string_equal(dn_human_percent(buf, sizeof(buf), 1, 8), "12.5 %");
	assert_string_equal(dn_human_percent(buf, sizeof(buf), 1, 100000), "<0.1 %");
	assert_string_equal(dn_human_percent(buf, sizeof(buf), UINT64_MAX, UINT64_MAX), "100.0 %");
	/* cut, never past the end */
	assert_string_equal(dn_human_count(buf, 3, 1234567), "1.");
}

/* Whatever dn_shell_quote writes, a shell reads as the same arguments. */
static void quoting(void **state)
{
	static const char argv[] = "plain\0--a=b,c:/d@e%f\0\0with blank\0it's\0'\0"
				   "$HOME `x` \\ \" *\0a\nb\0-";
	char line[256], script[512], got[256];
	size_t n = dn_shell_quote(argv, sizeof(argv), line, sizeof(line)), k;
	FILE *f;

	(void)state;
	assert_true(n < sizeof(line));
	snprintf(script, sizeof(script), "printf '%%s\\0' %.*s", (int)n, line);
	f = popen(script, "r");
	assert_non_null(f);
	k = fread(got, 1, sizeof(got), f);
	pclose(f);
	assert_int_equal(k, sizeof(argv));
	assert_memory_equal(got, argv, sizeof(argv));

	/* no NUL at the end, cut at cap, length uncut */
	memset(line, 'x', sizeof(line));
	assert_int_equal(dn_shell_quote("a b\0cd", 6, line, 4), 8);
	assert_memory_equal(line, "'a bx", 5);
	assert_int_equal(dn_shell_quote("", 0, line, 4), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts),
		cmocka_unit_test(bytes),
		cmocka_unit_test(durations),
		cmocka_unit_test(digits),
		cmocka_unit_test(rates_and_shares),
		cmocka_unit_test(quoting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
