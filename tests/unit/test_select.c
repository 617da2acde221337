/*
 * test_select.c - lists of calls, and moments as people write them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "select.h"
#include "syscalls.h"
#include "when.h"

static bool has(const char *list, const char *call)
{
	struct dn_select *s;
	char err[256];
	bool yes;

	if (dn_select_new(list, &s, err, sizeof(err)))
		fail_msg("%s: %s", list, err);
	yes = dn_select_has(s, DN_ABI_X86_64, (uint32_t)dn_syscall_nr(DN_ABI_X86_64, call));
	dn_select_free(s);
	return yes;
}

static void test_lists(void **state)
{
	struct dn_select *s;
	char err[256];

	(void)state;
	assert_true(dn_select_has(NULL, 99, 12345));
	assert_true(has("read", "read"));
	assert_false(has("read", "write"));
	assert_true(has("read,write", "write"));
	assert_true(has("%network", "connect"));
	assert_false(has("%network", "read"));
	assert_true(has("/^epoll_/", "epoll_wait"));
	assert_false(has("/^epoll_/", "poll"));
	assert_true(has("/^(read|write)$/,close", "close"));
	assert_true(has("/a{1,2}/", "read"));	/* a comma within an expression */
	assert_false(has("!read", "read"));
	assert_true(has("!read", "write"));
	assert_false(has("%file_io,!read", "read"));
	assert_true(has("%file_io,!read", "write"));
	assert_false(has("%file_io,!read", "connect"));
	assert_true(has("!%file_io,read", "read"));
	assert_true(has("!/./,read", "read"));
	assert_false(has("!/./,read", "write"));
	assert_true(has("all", "write"));
	assert_false(has("all,!all", "write"));
	/* of every ABI, also where the number is another */
	assert_int_equal(dn_select_new("open", &s, err, sizeof(err)), 0);
	assert_true(dn_select_has(s, DN_ABI_I386, 5));
	assert_true(dn_select_has(s, DN_ABI_X86_64, 2));
	assert_false(dn_select_has(s, DN_ABI_X86_64, 5));
	assert_false(dn_select_has(s, DN_ABI_X86_64, 99999));
	assert_false(dn_select_has(s, 77, 5));
	dn_select_free(s);
	assert_int_equal(dn_select_new("!open", &s, err, sizeof(err)), 0);
	assert_true(dn_select_has(s, DN_ABI_X86_64, 99999));	/* unknown ones follow `!` */
	dn_select_free(s);
}

static void test_bad_lists(void **state)
{
	static const char *const bad[] = {
		"", ",", "read,", ",read", "nosuchcall", "%nosuch", "%", "!", "/", "//", "/read",
		"/(/", "/nothing_matches_this/", "read,,write", " read",
	};
	struct dn_select *s;
	char err[256];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (dn_select_new(bad[i], &s, err, sizeof(err)) != -EINVAL)
			fail_msg("'%s' was accepted", bad[i]);
		assert_null(s);
		assert_true(strlen(err) > 10);
	}
}

static void test_when(void **state)
{
	static const struct {
		const char *text;
		bool wall;
		int64_t ns;
	} good[] = {
		{ "0", false, 0 },
		{ "1.5", false, 1500000000 },
		{ "1.5s", false, 1500000000 },
		{ "250ms", false, 250000000 },
		{ "2m", false, 120000000000 },
		{ ".5", false, 500000000 },
		{ "5.", false, 5000000000 },
		{ "1h", false, 3600000000000 },
		{ "7ns", false, 7 },
		{ "1.5us", false, 1500 },
		{ "-2", false, -2000000000 },
		{ "0.123456789", false, 123456789 },
		{ "0.1234567899", false, 123456789 },
		{ "1.5ns", false, 1 },
		{ "2min", false, 120000000000 },
		{ "2026", false, INT64_C(2026000000000) },
		{ "1970-01-01T00:00:00Z", true, 0 },
		{ "2026-01-02T03:04:05Z", true, INT64_C(1767323045000000000) },
		{ "2026-01-02T03:04:05.678Z", true, INT64_C(1767323045678000000) },
		{ "2026-01-02 03:04:05", true, INT64_C(1767323045000000000) },
		{ "2026-01-02t04:34:05+01:30", true, INT64_C(1767323045000000000) },
		{ "2026-01-01T22:04:05-05:00", true, INT64_C(1767323045000000000) },
		{ "2000-02-29T12:00:00Z", true, INT64_C(951825600000000000) },
		{ "2024-12-31T23:59:60Z", true, INT64_C(1735689600000000000) },
	};
	static const char *const bad[] = {
		"",
		"x",
		"1x",
		"1.5.5",
		".",
		"-",
		"1 s",
		" 1",
		"1e3",
		"99999999999999999999",
		"9999999999h",
		"2026-01-02",
		"2026-13-01T00:00:00Z",
		"2026-00-01T00:00:00Z",
		"2026-02-29T00:00:00Z",
		"1900-02-29T00:00:00Z",
		"2026-01-32T00:00:00Z",
		"2026-01-02T24:00:00Z",
		"2026-01-02T00:60:00Z",
		"2026-01-02T00:00:61Z",
		"2026-01-02T00:00:00.Z",
		"2026-01-02T00:00:00+1:00",
		"2026-01-02T00:00:00ZZ",
		"2026-01-02T00:00Z",
		"-2026-01-02T00:00:00Z",
		"2026-1-2T00:00:00Z",
	};
	struct dn_when w;
	int64_t ns;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		if (dn_when_parse(good[i].text, &w) || w.wall != good[i].wall || w.ns != good[i].ns)
			fail_msg("%s was not understood", good[i].text);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (dn_when_parse(bad[i], &w) != -EINVAL)
			fail_msg("%s was accepted", bad[i]);
	}
	assert_int_equal(dn_when_parse("3", &w), 0);
	assert_int_equal(dn_when_resolve(&w, 0, &ns), 0);
	assert_int_equal(ns, 3000000000);
	assert_int_equal(dn_when_parse("2026-01-02T03:04:06Z", &w), 0);
	assert_int_equal(dn_when_resolve(&w, 0, &ns), -ENODATA);
	assert_int_equal(dn_when_resolve(&w, UINT64_C(1767323045000000000), &ns), 0);
	assert_int_equal(ns, 1000000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_bad_lists),
		cmocka_unit_test(test_when),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
