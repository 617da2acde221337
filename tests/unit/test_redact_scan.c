/*
 * test_redact_scan.c - ranges and marks of a text: against loops that do the
 * same a byte at a time, and what a text shows by itself as a map of marks.
 *
 * A map has '#' for each marked byte and the text's own for the rest.
 */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "redact_scan.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

static struct dn_scan scan;
static char map[4096];

/* A scan of a copy of just that size, for the sanitizer, without marks. */
static struct dn_span begin(const char *text, size_t len)
{
	char *p = malloc(len ? len : 1);

	assert_non_null(p);
	memcpy(p, text, len);
	memset(&scan, 0, sizeof(scan));
	scan.p = p;
	scan.len = len;
	return (struct dn_span){ 0, len };
}

static void end(void)
{
	free((void *)(uintptr_t)scan.p);
}

static const char *marks(void)
{
	assert_true(scan.len < sizeof(map));
	for (size_t i = 0; i < scan.len; i++)
		map[i] = scan.mark[i / 8] >> i % 8 & 1 ? '#' : scan.p[i];
	map[scan.len] = 0;
	return map;
}

static void bytes(void **state)
{
	(void)state;
	for (int c = 0; c < 256; c++) {
		assert_int_equal(dn_is_alpha((char)c), c < 128 && isalpha(c));
		assert_int_equal(dn_is_alnum((char)c), c < 128 && isalnum(c));
		assert_int_equal(dn_is_quote((char)c), c == '"' || c == '\'');
		assert_int_equal(dn_any_of((char)c, "x\xff"), c == 'x' || c == 255);
	}
}

/* Random text of few letters, every range of it. */
static void ranges(void **state)
{
	static const char letters[] = "ab=:\xff", set[] = ":\xff";
	uint64_t seed = 88172645463325252u;

	(void)state;
	for (unsigned round = 0; round < 200; round++) {
		char text[24];

		for (size_t i = 0; i < sizeof(text); i++) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			text[i] = letters[(seed >> 40) % 5];
		}
		begin(text, sizeof(text));
		for (size_t a = 0; a <= sizeof(text); a++)
			for (size_t b = a; b <= sizeof(text); b++) {
				struct dn_span t = { a, b };
				size_t first = b, last = b, any = b;

				for (size_t i = b; i-- > a;) {
					if (text[i] == '=')
						first = i;
					if (text[i] == '=' && last == b)
						last = i;
					if (strchr(set, text[i]))
						any = i;
				}
				assert_int_equal(dn_span_len(t), b - a);
				assert_int_equal(dn_find(&scan, t, '='), first);
				assert_int_equal(dn_find_last(&scan, t, '='), last);
				assert_int_equal(dn_end_of_any(&scan, t, set), any);
				assert_int_equal(dn_equals(&scan, t, "ab"),
						 b - a == 2 && !memcmp(text + a, "ab", 2));
				assert_int_equal(dn_has_word(&scan, t, a, "AB"),
						 b - a >= 2 && !memcmp(text + a, "ab", 2));
				assert_false(dn_has_word(&scan, t, b, "a"));
				assert_false(dn_has_word(&scan, t, b + 1, "a"));
			}
		end();
	}
}

static void quotes(void **state)
{
	static const struct {
		const char *text, *left;
	} t[] = {
		{ "'a b'", "a b" },	{ "\"a\"", "a" },	 { "a", "a" },	   { "", "" },
		{ "'", "" },		{ "''", "" },		 { "'a", "a" },	   { "a'", "a'" },
		{ "'a\"", "a\"" },	{ "$'a'", "a" },	 { "$a", "$a" },   { "$", "$" },
		{ "\\\"a\\\"", "a" },	{ "\\a", "\\a" },
	};
	static const struct {
		const char *text;
		bool escaped;
		size_t end;
	} e[] = {
		{ "abc", false, 3 },	  { "ab\"c", false, 2 },     { "a\\\"b\"c", false, 4 },
		{ "a\\\"b\"c", true, 1 }, { "ab\"c", true, 2 },	     { "a\\", false, 2 },
		{ "a\\", true, 2 },	  { "a'b\"", false, 3 },     { "", false, 0 },
		{ "a\\\\\"b", false, 3 },
	};

	(void)state;
	for (size_t i = 0; i < N(t); i++) {
		struct dn_span s = dn_unquote(&scan, begin(t[i].text, strlen(t[i].text)));

		assert_int_equal(dn_span_len(s), strlen(t[i].left));
		assert_true(dn_equals(&scan, s, t[i].left));
		end();
	}
	for (size_t i = 0; i < N(e); i++) {
		struct dn_span s = begin(e[i].text, strlen(e[i].text));

		assert_int_equal(dn_quote_end(&scan, s, '"', e[i].escaped), e[i].end);
		end();
	}
}

static void marking(void **state)
{
	struct dn_span t;

	(void)state;
	t = begin("user:'pa:ss'", 12);
	dn_mark(&scan, (struct dn_span){ 5, 12 });
	assert_string_equal(marks(), "user:'#####'");
	dn_mark(&scan, (struct dn_span){ 3, 3 });
	assert_string_equal(marks(), "user:'#####'");
	end();
	t = begin("'user:pa:ss'", 12);
	dn_mark_split(&scan, t, '%');
	assert_string_equal(marks(), "'user:pa:ss'");
	dn_mark_split(&scan, t, ':');
	assert_string_equal(marks(), "'user:#####'");
	dn_mark_split(&scan, t, 0);
	assert_string_equal(marks(), "'##########'");
	end();
	t = begin("a\0b", 3);		/* what ends an argument stays */
	dn_mark(&scan, t);
	assert_true(scan.mark[0] == 5);
	end();
}

static void by_itself(void **state)
{
	static const struct {
		const char *text;
		bool whole, cut;
		const char *map;
	} t[] = {
		/* a name that begins the argument owns all of it, else to the blank */
		{ "token=a b", true, false, "token=###" },
		{ "token=a b", false, false, "token=# b" },
		{ "x token=a b", true, false, "x token=# b" },
		{ "path=a b", true, false, "path=a b" },
		{ "a=1&token=b&c=2", false, false, "a=1&token=#&c=2" },
		{ "token=b,c", false, false, "token=###" },	/* no name follows: the value's own */
		{ "PWD=/home", true, false, "PWD=/home" },
		{ "PWD=secret", true, false, "PWD=######" },
		{ "/run/token:/run", false, false, "/run/token:/run" },
		{ "{\"token\": \"a b\", \"c\": 1}", false, false, "{\"token\": \"###\", \"c\": 1}" },
		{ "Authorization: Bearer a b", false, false, "Authorization: Bearer ###" },
		/* URLs */
		{ "http://u:p@h/", false, false, "http://u:#@h/" },
		{ "http://u@h:80/", false, false, "http://u@h:80/" },
		{ "http://h:80/a@b", false, false, "http://h:80/a@b" },
		{ "http://u:p/q@h", false, false, "http://u:###@h" },
		{ "http://[::1]:80/a@b", false, false, "http://[::1]:80/a@b" },
		{ "http://u:se", false, true, "http://u:##" },	/* cut off in the middle */
		{ "http://u:se", false, false, "http://u:se" },
		{ "http://01234567890123456789@h", false, false, "http://####################@h" },
		/* forms, keys, SQL */
		{ "x AKIA0123456789ABCDEF y", false, false, "x #################### y" },
		{ "x AKIA0123456789ABCDE y", false, false, "x AKIA0123456789ABCDE y" },
		{ "xAKIA0123456789ABCDEF", false, false, "xAKIA0123456789ABCDEF" },
		{ "x AKIA01234", false, true, "x #########" },
		{ "-----BEGIN X PRIVATE KEY-----ab\n-----END", false, false,
		  "-----BEGIN X PRIVATE KEY-----###-----END" },
		{ "-----BEGIN PUBLIC KEY-----ab\n-----END", false, false,
		  "-----BEGIN PUBLIC KEY-----ab\n-----END" },
		{ "alter user x identified by 'a b'", false, false,
		  "alter user x identified by '###'" },
		{ "set password('ab')", false, false, "set password('##')" },
		{ "set password is 'ab'", false, false, "set password is 'ab'" },
	};

	(void)state;
	for (size_t i = 0; i < N(t); i++) {
		struct dn_span s = begin(t[i].text, strlen(t[i].text));

		scan.cut = t[i].cut;
		dn_scan_anywhere(&scan, s, t[i].whole);
		assert_string_equal(marks(), t[i].map);
		end();
	}
	/* nothing is marked outside of the range */
	begin("token=a token=b token=c", 23);
	dn_scan_anywhere(&scan, (struct dn_span){ 8, 15 }, false);
	assert_string_equal(marks(), "token=a token=# token=c");
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes),
		cmocka_unit_test(ranges),
		cmocka_unit_test(quotes),
		cmocka_unit_test(marking),
		cmocka_unit_test(by_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
