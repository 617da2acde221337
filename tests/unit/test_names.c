/*
 * test_names.c - errors and signals by number and name, against those of the
 * C library and of the shell.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "names.h"

#ifdef __GLIBC__
/* Every number the library has a name for, and no other below the kernel's own. */
static void errors_of_the_library(void **state)
{
	unsigned known = 0;

	(void)state;
	for (int e = 1; e < 512; e++) {
		const char *name = strerrorname_np(e);

		if (!name)
			continue;
		known++;
		assert_string_equal(dn_errno_name((unsigned)e), name);
		assert_string_equal(dn_errno_message((unsigned)e), strerror(e));
	}
	assert_true(known > 130);
}

static void signals_of_the_library(void **state)
{
	unsigned known = 0;

	(void)state;
	for (int s = 1; s < 32; s++) {
		const char *name = sigabbrev_np(s);

		if (!name)
			continue;
		known++;
		assert_memory_equal(dn_signal_name(s), "SIG", 3);
		if (s != SIGPOLL)	/* two names of one signal: ours is the shell's */
			assert_string_equal(dn_signal_name(s) + 3, name);
	}
	assert_int_equal(known, 31);
}
#endif

static void signals_of_the_shell(void **state)
{
	FILE *f = popen("for s in 1 2 3 6 9 10 13 14 15 17 18 19 29 31; do kill -l $s; done", "r");
	static const int number[] = { 1, 2, 3, 6, 9, 10, 13, 14, 15, 17, 18, 19, 29, 31 };
	char name[32];

	(void)state;
	assert_non_null(f);
	for (size_t i = 0; i < sizeof(number) / sizeof(number[0]); i++) {
		char full[40];

		assert_int_equal(fscanf(f, "%31s", name), 1);
		snprintf(full, sizeof(full), "SIG%s", name);
		if (number[i] != SIGIO) {	/* or POLL */
			assert_string_equal(dn_signal_name(number[i]), full);
			assert_int_equal(dn_signal_by_name(name), number[i]);
		}
	}
	assert_int_equal(pclose(f), 0);
}

/* There and back for whatever has a name; no two have the same. */
static void there_and_back(void **state)
{
	unsigned errors = 0;

	(void)state;
	for (unsigned e = 0; e < 1000; e++) {
		const char *name = dn_errno_name(e);

		if (!name) {
			assert_null(dn_errno_message(e));
			assert_false(dn_errno_is_restart(e));
			continue;
		}
		errors++;
		assert_int_equal(name[0], 'E');
		assert_int_equal(dn_errno_by_name(name), (int)e);
		assert_true(dn_errno_message(e) || e >= 512);
	}
	assert_true(errors > 140);
	for (int s = 1; s <= 64; s++) {
		assert_int_equal(dn_signal_by_name(dn_signal_name(s)), s);
		assert_int_equal(dn_signal_by_name(dn_signal_name(s) + 3), s);
	}
}

/* linux/errno.h: the codes by which the kernel restarts a call, and no other. */
static void restarts(void **state)
{
	(void)state;
	for (unsigned e = 0; e < 1000; e++)
		assert_int_equal(dn_errno_is_restart(e), e == 512 || e == 513 || e == 514 || e == 516);
	assert_string_equal(dn_errno_name(512), "ERESTARTSYS");
	assert_non_null(dn_errno_message(516));
	assert_string_equal(dn_errno_name(524), "ENOTSUPP");
	assert_null(dn_errno_message(524));
}

static void none(void **state)
{
	static const char *const words[] = { "", "E", "ENONSENSE", "enoent", "ENOENT ", "SIGTERM" };

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		assert_int_equal(dn_errno_by_name(words[i]), -ENOENT);
	assert_null(dn_errno_name(0));
	assert_null(dn_errno_name(41));		/* EWOULDBLOCK's own number, never used */
	assert_null(dn_errno_name(100000));
	assert_null(dn_errno_name((unsigned)-1));
	assert_null(dn_signal_name(0));
	assert_null(dn_signal_name(65));
	assert_null(dn_signal_name(-1));
	assert_string_equal(dn_signal_name(32), "SIGRTMIN");
	assert_string_equal(dn_signal_name(33), "SIGRT_1");
	assert_string_equal(dn_signal_name(64), "SIGRT_32");
	assert_int_equal(dn_signal_by_name("SIGFOO"), -ENOENT);
	assert_int_equal(dn_signal_by_name("SIG"), -ENOENT);
	assert_int_equal(dn_signal_by_name(""), -ENOENT);
	assert_int_equal(dn_signal_by_name("SIGRT_33"), -ENOENT);
	assert_int_equal(dn_signal_by_name("SIGSIGTERM"), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#ifdef __GLIBC__
		cmocka_unit_test(errors_of_the_library),
		cmocka_unit_test(signals_of_the_library),
#endif
		cmocka_unit_test(signals_of_the_shell),
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(restarts),
		cmocka_unit_test(none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
