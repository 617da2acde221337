/*
 * test_json.c - common/json.h, and what analyzer/say.h lets through to a
 * terminal.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "json.h"
#include "say.h"

struct text {
	char *p;
	size_t len;
	struct dn_json j;
};

static void begin(struct text *t)
{
	t->j = (struct dn_json){ .out = open_memstream(&t->p, &t->len) };
	assert_non_null(t->j.out);
}

static void expect(struct text *t, const char *want)
{
	fclose(t->j.out);
	assert_string_equal(t->p, want);
	free(t->p);
}

static void nesting_and_commas(void **unused)
{
	struct text t;

	(void)unused;
	begin(&t);
	dn_json_object(&t.j, NULL);
	dn_json_int(&t.j, "a", INT64_MIN);
	dn_json_array(&t.j, "b");
	dn_json_null(&t.j, NULL);
	dn_json_bool(&t.j, NULL, true);
	dn_json_object(&t.j, NULL);
	dn_json_end(&t.j);
	dn_json_array(&t.j, NULL);
	dn_json_end(&t.j);
	dn_json_end(&t.j);
	dn_json_key(&t.j, "k\"", 2);
	dn_json_str(&t.j, NULL, "v", 1);
	dn_json_end(&t.j);
	expect(&t, "{\"a\":-9223372036854775808,\"b\":[null,true,{},[]],\"k\\\"\":\"v\"}\n");
}

static void numbers_read_back(void **unused)
{
	struct text t;

	(void)unused;
	begin(&t);
	dn_json_array(&t.j, NULL);
	dn_json_real(&t.j, NULL, 0.1);
	dn_json_real(&t.j, NULL, 162477.0 / 270795.0);
	dn_json_real(&t.j, NULL, 0);
	dn_json_real(&t.j, NULL, 1.0 / 3);
	dn_json_real(&t.j, NULL, 1e300 * 1e300);
	dn_json_real(&t.j, NULL, 5e-324);
	dn_json_end(&t.j);
	expect(&t, "[0.1,0.6,0.0,0.3333333333333333,null,4.94065645841247e-324]\n");
}

static void strings(void **unused)
{
	static const struct { const char *in; size_t len; const char *out; } table[] = {
		{ "plain", 5, "\"plain\"" },
		{ "", 0, "\"\"" },
		{ "q\" b\\ /", 7, "\"q\\\" b\\\\ /\"" },
		{ "\n\t\r\x01\x7f", 5, "\"\\n\\t\\u000d\\u0001\\u007f\"" },
		{ "a\0b", 3, "\"a\\u0000b\"" },
		{ "</script>", 9, "\"\\u003c/script>\"" },
		{ "\xc3\xa9\xf0\x9f\x90\xa7", 6, "\"\xc3\xa9\xf0\x9f\x90\xa7\"" },
		{ "\xe2\x80\xa8\xe2\x80\xa9", 6, "\"\\u2028\\u2029\"" },
		{ "\xff", 1, "\"\\ufffd\"" },
		{ "\xc3", 1, "\"\\ufffd\"" },			/* cut */
		{ "\xc0\x80", 2, "\"\\ufffd\\ufffd\"" },	/* overlong NUL */
		{ "\xed\xa0\x80", 3, "\"\\ufffd\\ufffd\\ufffd\"" },	/* surrogate */
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct text t;

		begin(&t);
		dn_json_str(&t.j, NULL, table[i].in, table[i].len);
		expect(&t, table[i].out);
	}
}

static void a_terminal_is_safe(void **unused)
{
	static const struct { const char *in; const char *out; } table[] = {
		{ "caf\xc3\xa9", "caf\xc3\xa9" },
		{ "\033[2J", "\\x1b[2J" },
		{ "a\nb\tc", "a\\x0ab\\x09c" },
		{ "\xc2\x9b" "31m", "\\xc2\\x9b31m" },		/* C1: CSI */
		{ "\xe2\x80\xae" "abc", "\\xe2\\x80\\xae" "abc" },	/* right-to-left override */
		{ "\xfe", "\\xfe" },
	};
	char buf[64];

	(void)unused;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		dn_safe(buf, sizeof(buf), table[i].in, strlen(table[i].in), 40);
		assert_string_equal(buf, table[i].out);
	}
}

static void long_texts_are_cut(void **unused)
{
	char buf[32];

	(void)unused;
	assert_int_equal(dn_safe(buf, sizeof(buf), "12345678", 8, 8), 8);
	assert_string_equal(buf, "12345678");
	assert_int_equal(dn_safe(buf, sizeof(buf), "123456789", 9, 8), 8);
	assert_string_equal(buf, "12345...");
	assert_int_equal(dn_safe(buf, sizeof(buf), "1234\x01" "6789", 9, 8), 7);
	assert_string_equal(buf, "1234...");
	assert_int_equal(dn_safe(buf, 8, "123456789", 9, 20), 7);
	assert_string_equal(buf, "1234...");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nesting_and_commas),
		cmocka_unit_test(numbers_read_back),
		cmocka_unit_test(strings),
		cmocka_unit_test(a_terminal_is_safe),
		cmocka_unit_test(long_texts_are_cut),
	};

	return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
