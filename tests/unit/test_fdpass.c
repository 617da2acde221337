/*
 * test_fdpass.c - analyzer/fdpass.h: the same counts in whatever parts a trace is read,
 * and bounded memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "fdpass.h"
#include "mktrace.h"
#include "numbers.h"
#include "reader.h"
#include "source.h"

#define BLOCKS 40

/* Blocks that overlap in time: a part must wait for what comes in the next one. */
static void write_trace(const char *path)
{
	struct mktrace *m = mk_new();
	uint64_t at[3] = { 100, 100, 100 };
	uint32_t seq[3] = { 0 };

	for (uint32_t t = 1; t < 4; t++)
		mk_thread(m, t, t, t, "prog");
	for (int b = 0; b < BLOCKS; b++) {
		uint32_t t = (uint32_t)b % 3;

		for (int i = 0; i < 50; i++) {
			const uint64_t file[] = { 0, 0, 0 }, fd[] = { 3, 0, 64 }, ev[] = { 0, 0 };
			bool is_file = number(2);
			struct dn_syscall s = is_file ?
				mk_sys(t + 1, seq[t]++, "open", at[t], 10, 3, 3, file) :
				mk_sys(t + 1, seq[t]++, "eventfd2", at[t], 10, 3, 2, ev);

			if (is_file)
				mk_str(&s, 0, DN_STR_PATH, "/file", 5);
			mk_call(m, &s);
			s = mk_sys(t + 1, seq[t]++, "read", at[t] + 20, 100 + number(2000), 64, 3, fd);
			mk_call(m, &s);
			at[t] += 20 + s.dur + number(50);
			s = mk_sys(t + 1, seq[t]++, "close", at[t], 10, 0, 1, fd);
			mk_call(m, &s);
			at[t] += 20;
		}
		mk_block(m);
	}
	mk_write(m, path, true);
}

static void the_same_in_parts(void **unused)
{
	char path[MK_PATH], why[256];
	struct dn_fdpass want = { .workers = 1 };
	struct dn_source *src;
	struct dn_reader *r;
	uint64_t in = 0, calls = 0;

	(void)unused;
	mk_temp(path);
	write_trace(path);
	assert_int_equal(dn_source_open(path, &src), 0);
	assert_int_equal(dn_reader_open(src, &r, why, sizeof(why)), 0);
	want.reader = r;
	assert_int_equal(dn_fdpass_run(&want), 0);
	for (uint32_t i = 0; i < want.ncounts; i++) {
		assert_true(want.count[i].kind == DN_FD_FILE || want.count[i].kind == DN_FD_EVENTFD);
		calls += want.count[i].calls;
		in += want.count[i].in;
	}
	assert_int_equal(calls, BLOCKS * 50 * 2);	/* read and close */
	assert_int_equal(in, BLOCKS * 50 * 64);
	for (unsigned workers = 1; workers <= 4; workers++)
		for (uint64_t rows = 1; rows < 2000; rows *= 7) {
			struct dn_fdpass p = { .reader = r, .workers = workers, .part_rows = rows };

			assert_int_equal(dn_fdpass_run(&p), 0);
			assert_int_equal(p.ncounts, want.ncounts);
			assert_memory_equal(p.count, want.count, p.ncounts * sizeof(*p.count));
			free(p.count);
		}
	free(want.count);
	dn_reader_close(r);
	dn_source_close(src);
	unlink(path);
}

/* Peak memory in kB of the pass over a trace whose last block says that it began before all
 * others, which then have to wait for it. */
static long peak_of(uint32_t calls)
{
	const uint64_t fd[] = { 3, 0, 64 };
	struct dn_fdpass p = { .workers = 1 };
	struct mktrace *m = mk_new();
	char path[MK_PATH], why[256];
	struct dn_source *src;
	struct dn_syscall s;
	struct rusage usage;
	uint64_t in = 0;

	mk_temp(path);
	mk_thread(m, 1, 1, 0, "prog");
	for (uint32_t i = 0; i < calls; i++) {
		s = mk_sys(1, i, "read", 100 + 10 * (uint64_t)i, 5, 64, 3, fd);
		mk_call(m, &s);
	}
	mk_block(m);
	s = mk_sys(1, calls, "read", 0, 1, 64, 3, fd);
	mk_call(m, &s);
	mk_write(m, path, true);
	assert_int_equal(dn_source_open(path, &src), 0);
	assert_int_equal(dn_reader_open(src, &p.reader, why, sizeof(why)), 0);
	assert_int_equal(dn_fdpass_run(&p), 0);
	for (uint32_t i = 0; i < p.ncounts; i++)
		in += p.count[i].in;
	assert_true(in == UINT64_C(64) * (calls + 1));
	free(p.count);
	dn_reader_close(p.reader);
	dn_source_close(src);
	unlink(path);
	assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
	return usage.ru_maxrss;
}

static void a_forged_time(void **unused)
{
	long once = peak_of(3000000);

	(void)unused;
	assert_true(peak_of(6000000) < once + once / 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_in_parts),
		cmocka_unit_test(a_forged_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
