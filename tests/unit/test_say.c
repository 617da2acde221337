/*
 * test_say.c - recorder/say.h: one line on standard error, whatever is in it.
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

#include "say.h"

#define NAME "denet-record: "

static char said[65536];
static int old = -1;
static FILE *file;

/* Standard error into a file, and back with what was said. */
static void listen(void)
{
	fflush(stderr);
	file = tmpfile();
	old = dup(STDERR_FILENO);
	assert_true(file && old >= 0);
	assert_int_equal(dup2(fileno(file), STDERR_FILENO), STDERR_FILENO);
}

static size_t heard(void)
{
	size_t n;

	fflush(stderr);
	dup2(old, STDERR_FILENO);
	close(old);
	rewind(file);
	n = fread(said, 1, sizeof(said) - 1, file);
	said[n] = 0;
	fclose(file);
	return n;
}

static void words(void **state)
{
	(void)state;
	listen();
	dn_say("%d of %s", 3, "four");
	dn_say("no newline of its own is needed");
	heard();
	assert_string_equal(said, NAME "3 of four\n" NAME "no newline of its own is needed\n");
}

/* Each byte there is: none but harmless ones reach the terminal. */
static void control(void **state)
{
	(void)state;
	for (unsigned c = 1; c < 256; c++) {
		char word[2] = { (char)c, 0 }, want[32];

		listen();
		dn_say("<%s>", word);
		heard();
		if (c < ' ' || c == 127)
			snprintf(want, sizeof(want), NAME "<\\x%02x>\n", c);
		else
			snprintf(want, sizeof(want), NAME "<%c>\n", (int)c);
		assert_string_equal(said, want);
	}
	listen();
	dn_say("%s", "\xc3\xa4\x1b[2J\r\n");	/* letters of UTF-8 stay */
	heard();
	assert_string_equal(said, NAME "\xc3\xa4\\x1b[2J\\x0d\\x0a\n");
}

/* A line beyond any bound is cut, also where all of it must be shown as \xNN. */
static void length(void **state)
{
	static char text[10000];

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		size_t n, each = i ? 4 : 1;

		memset(text, i ? '\n' : 'a', sizeof(text) - 1);
		listen();
		dn_say("%s", text);
		n = heard();
		assert_int_equal(n, strlen(NAME) + 4095 * each + 1);
		assert_int_equal(said[n - 1], '\n');
		assert_ptr_equal(strchr(said, '\n'), said + n - 1);
		assert_memory_equal(said + n - 1 - each, i ? "\\x0a" : "a", each);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words),
		cmocka_unit_test(control),
		cmocka_unit_test(length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
