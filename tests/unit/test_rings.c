/*
 * test_rings.c - recorder/rings.h on the running kernel: sizes, and which CPU gets which ring.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "privilege.h"
#include "ring.h"
#include "rings.h"

#define KIB 1024u

static void sizes(void **state)
{
	static const struct {
		unsigned cpus;
		uint64_t bytes;
		unsigned rings;
		uint32_t each;
	} cases[] = {
		{ 1, 256 * KIB, 1, 256 * KIB },
		{ 2, 1024 * KIB, 2, 512 * KIB },
		{ 3, 2048 * KIB, 3, 512 * KIB },	/* a power of two below 683 KiB */
		{ 4, 512 * KIB, 2, 256 * KIB },		/* two CPUs to a ring */
		{ 5, 1024 * KIB, 4, 256 * KIB },
		{ 8, 1, 1, 256 * KIB },
	};

	(void)state;
	for (unsigned c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
		struct dn_rings *r = dn_rings_begin(cases[c].cpus, cases[c].bytes);
		uint32_t of[8];
		struct dn_ring **ring;
		unsigned n;

		assert_non_null(r);
		assert_int_equal(dn_rings_size(r), cases[c].each);
		assert_int_equal(dn_rings_made(r), 0);
		assert_int_equal(dn_rings_made(r), 0);	/* once more is no harm */
		ring = dn_rings_list(r, &n);
		assert_int_equal(n, cases[c].rings);
		for (unsigned i = 0; i < n; i++)
			assert_int_equal(dn_ring_size(ring[i]), cases[c].each);
		for (uint32_t cpu = 0; cpu < cases[c].cpus; cpu++) {	/* the kernel tells ids of maps */
			assert_int_equal(bpf_map_lookup_elem(dn_rings_map(r), &cpu, &of[cpu]), 0);
			for (uint32_t other = 0; other < cpu; other++)
				assert_int_equal(of[cpu] == of[other], cpu % n == other % n);
		}
		dn_rings_close(r);
	}
	dn_rings_close(NULL);
}

static void bell(void **state)
{
	struct dn_rings *r = dn_rings_begin(2, 512 * KIB);
	int fd = eventfd(1, EFD_CLOEXEC);
	struct timespec from, to;

	(void)state;
	assert_non_null(r);
	assert_int_equal(dn_rings_made(r), 0);
	assert_int_equal(dn_rings_watch(r, -1), -EBADF);
	assert_int_equal(dn_rings_watch(r, fd), 0);
	clock_gettime(CLOCK_MONOTONIC, &from);
	dn_rings_wait(r, 60000);
	clock_gettime(CLOCK_MONOTONIC, &to);
	assert_true(to.tv_sec - from.tv_sec < 50);
	dn_rings_wait(r, 1);	/* news is told once */
	close(fd);
	dn_rings_close(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes),
		cmocka_unit_test(bell),
	};

	if (!may_record())
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
