/*
 * The table of -c: its layout against strace's own, what counts as an error,
 * and that nothing is lost at the edges of the table.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "count.h"
#include "syscalls.h"

static void call(struct dn_count *c, unsigned abi, uint32_t nr, uint64_t dur, int64_t ret,
		 uint32_t flags)
{
	struct dn_syscall s = {
		.abi = (uint8_t)abi, .nr = nr, .dur = dur, .ret = ret, .flags = flags,
	};

	dn_count_call(c, &s);
}

static char *table(const struct dn_count *c)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	assert_non_null(f);
	assert_int_equal(dn_count_print(c, f), 0);
	fclose(f);
	return text;
}

static void layout(void **state)
{
	struct dn_count *c = dn_count_new(DN_ABI_X86_64);
	char *text;

	(void)state;
	assert_non_null(c);
	for (int i = 0; i < 39; i++)
		call(c, DN_ABI_X86_64, 257, 20000, i < 19 ? -ENOENT : 3, 0);	/* openat */
	for (int i = 0; i < 30; i++)
		call(c, DN_ABI_X86_64, 9, 10000, -4096, 0);			/* mmap: an address */
	call(c, DN_ABI_X86_64, 231, 777, 0, DN_CALL_UNFINISHED);		/* exit_group */
	call(c, DN_ABI_X86_64, 34, 0, -514, DN_CALL_NO_ENTER);			/* pause, killed */
	call(c, DN_ABI_I386, 5, 20000, 3, 0);					/* open */
	call(c, DN_ABI_ARM, 0x0f0002, 0, 0, 0);
	dn_count_lost(c, DN_ABI_X86_64, 0, 1000000, 12345678901000);		/* read */
	text = table(c);
	assert_string_equal(text,
"% time     seconds  usecs/call     calls    errors syscall\n"
"------ ----------- ----------- --------- --------- ----------------\n"
"100.00 12345.678901       12345   1000000           read\n"
"  0.00    0.000780          20        39        19 openat\n"
"  0.00    0.000300          10        30           mmap\n"
"  0.00    0.000020          20         1           open [i386]\n"
"  0.00    0.000000           0         1           pause\n"
"  0.00    0.000000           0         1           exit_group\n"
"  0.00    0.000000           0         1           (other) [arm]\n"
"------ ----------- ----------- --------- --------- ----------------\n"
"100.00 12345.680001       12344   1000073        19 total\n");
	free(text);
	dn_count_free(c);
}

/* The head and the rules are strace's, byte for byte. */
static void as_strace(void **state)
{
	char line[2][128];
	struct dn_count *c = dn_count_new(DN_ABI_X86_64);
	char *text = table(c);
	FILE *f = popen("strace -c true 2>&1 || true", "r");

	(void)state;
	if (!f || !fgets(line[0], sizeof(line[0]), f) || line[0][0] != '%' ||
	    !fgets(line[1], sizeof(line[1]), f)) {
		free(text);
		dn_count_free(c);
		if (f)
			pclose(f);
		skip();
	}
	assert_memory_equal(text, line[0], strlen(line[0]));
	assert_memory_equal(text + strlen(line[0]), line[1], strlen(line[1]));
	pclose(f);
	free(text);
	dn_count_free(c);
}

static void nothing_and_nonsense(void **state)
{
	struct dn_count *c = dn_count_new(DN_ABI_AARCH64);
	char *text = table(c);

	(void)state;
	assert_non_null(strstr(text, "  0.00    0.000000           0         0           total\n"));
	free(text);
	call(c, 200, 5, 1, 0, 0);
	call(c, DN_ABI_AARCH64, UINT32_MAX, 1, 0, 0);
	call(c, DN_ABI_AARCH64, 1023, 1, 0, 0);
	text = table(c);
	assert_non_null(strstr(text, " (other)\n"));
	assert_non_null(strstr(text, " syscall_0x3ff\n"));
	assert_non_null(strstr(text, " [unknown]\n"));
	assert_non_null(strstr(text, "         3           total\n"));
	free(text);
	dn_count_free(c);
	dn_count_free(NULL);
}

static void full_stream(void **state)
{
	struct dn_count *c = dn_count_new(DN_ABI_X86_64);
	FILE *f = fopen("/dev/full", "w");

	(void)state;
	if (f) {
		setvbuf(f, NULL, _IONBF, 0);
		assert_int_equal(dn_count_print(c, f), -ENOSPC);
		fclose(f);
	}
	dn_count_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(layout),
		cmocka_unit_test(as_strace),
		cmocka_unit_test(nothing_and_nonsense),
		cmocka_unit_test(full_stream),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
