/*
 * test_ring.c - the reader of ring buffers, over memory laid out as the
 * kernel lays it out: a consumer page, a producer page, the data.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>
#include <linux/bpf.h>

#include "ring.h"

#define SIZE 4096u

struct fake {
	int fd;
	size_t page;
	unsigned char *mem;
	unsigned long *consumer, *producer;
	unsigned char *data;
	struct dn_ring *ring;
	unsigned seen;
	unsigned char expect;	/* first byte of the next record */
	int stop_at;		/* record at which the callback fails */
};

static void fake_open(struct fake *f)
{
	memset(f, 0, sizeof(*f));
	f->page = (size_t)sysconf(_SC_PAGESIZE);
	f->fd = memfd_create("ring", MFD_CLOEXEC);
	assert_true(f->fd >= 0);
	assert_int_equal(ftruncate(f->fd, (off_t)(2 * f->page + SIZE)), 0);
	f->mem = mmap(NULL, 2 * f->page + SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, f->fd, 0);
	assert_ptr_not_equal(f->mem, MAP_FAILED);
	f->consumer = (unsigned long *)f->mem;
	f->producer = (unsigned long *)(f->mem + f->page);
	f->data = f->mem + 2 * f->page;
	f->ring = dn_ring_open(f->fd, SIZE);
	assert_non_null(f->ring);
}

static void fake_close(struct fake *f)
{
	dn_ring_close(f->ring);
	munmap(f->mem, 2 * f->page + SIZE);
	close(f->fd);
}

/* Adds a record whose bytes all are `fill`, with header bits `bits`. */
static void produce(struct fake *f, unsigned char fill, uint32_t len, uint32_t bits)
{
	unsigned long pos = *f->producer;
	uint32_t head = len | bits;

	for (unsigned i = 0; i < 4; i++)
		f->data[(pos + i) % SIZE] = (unsigned char)(head >> 8 * i);
	for (uint32_t i = 0; i < len; i++)
		f->data[(pos + BPF_RINGBUF_HDR_SZ + i) % SIZE] = fill;
	*f->producer = pos + ((BPF_RINGBUF_HDR_SZ + len + 7u) & ~7ul);
}

static int consume(void *ctx, const void *record, uint32_t len)
{
	struct fake *f = ctx;
	const unsigned char *p = record;

	for (uint32_t i = 0; i < len; i++)
		assert_int_equal(p[i], f->expect);
	f->expect++;
	f->seen++;
	return f->stop_at && (int)f->seen == f->stop_at ? -EIO : 0;
}

static void test_wrap(void **state)
{
	struct fake f;
	unsigned char fill = 0;
	unsigned long taken = 0;

	(void)state;
	fake_open(&f);
	for (unsigned round = 0; round < 500; round++) {	/* every offset across the end */
		uint32_t a = 1 + round % 1200, b = 1 + round * 7 % 900;
		long n;

		produce(&f, fill++, a, 0);
		produce(&f, fill++, b, 0);
		n = dn_ring_drain(f.ring, dn_ring_mark(f.ring), consume, &f);
		assert_true(n > (long)(a + b));
		taken += (unsigned long)n;
		assert_int_equal(*f.consumer, *f.producer);
	}
	assert_int_equal(f.seen, 1000);
	assert_int_equal(taken, *f.producer);
	fake_close(&f);
}

static void test_mark_and_busy(void **state)
{
	struct fake f;
	uint64_t mark;

	(void)state;
	fake_open(&f);
	produce(&f, 0, 100, 0);
	mark = dn_ring_mark(f.ring);
	produce(&f, 1, 100, 0);
	dn_ring_drain(f.ring, mark, consume, &f);
	assert_int_equal(f.seen, 1);		/* what came after the mark stays */
	produce(&f, 99, 40, BPF_RINGBUF_DISCARD_BIT);
	produce(&f, 2, 40, 0);
	produce(&f, 3, 40, BPF_RINGBUF_BUSY_BIT);
	produce(&f, 4, 40, 0);
	dn_ring_drain(f.ring, dn_ring_mark(f.ring), consume, &f);
	assert_int_equal(f.seen, 3);		/* not the discarded, none past the busy one */
	assert_true(*f.consumer < *f.producer);
	assert_int_equal(dn_ring_drain(f.ring, dn_ring_mark(f.ring), consume, &f), 0);
	fake_close(&f);
}

static void test_callback_fails(void **state)
{
	struct fake f;

	(void)state;
	fake_open(&f);
	f.stop_at = 2;
	for (unsigned char i = 0; i < 4; i++)
		produce(&f, i, 24, 0);
	assert_int_equal(dn_ring_drain(f.ring, dn_ring_mark(f.ring), consume, &f), -EIO);
	assert_int_equal(f.seen, 2);
	f.stop_at = 0;
	dn_ring_drain(f.ring, dn_ring_mark(f.ring), consume, &f);
	assert_int_equal(f.seen, 4);		/* and none twice */
	fake_close(&f);
}

static void test_bad_fd(void **state)
{
	(void)state;
	assert_null(dn_ring_open(-1, SIZE));
	assert_int_equal(errno, EBADF);
	dn_ring_close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wrap),
		cmocka_unit_test(test_mark_and_busy),
		cmocka_unit_test(test_callback_fails),
		cmocka_unit_test(test_bad_fd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
