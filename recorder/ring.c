/*
 * ring.c - the consumer's side of a BPF ring buffer.
 *
 * The map is a consumer page (ours to write), a producer page and the data.
 * Positions only grow; a record is at its position modulo the size, 8 bytes of
 * header (length with two flag bits) and its data, rounded up to 8.
 */
#include "ring.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct dn_ring {
	size_t size;
	size_t page;
	unsigned long *consumer;	/* page of its own, read-write */
	unsigned long *producer;	/* page and data, read-only */
	const unsigned char *data;
	unsigned char *bounce;		/* a record that lies across the end */
	size_t bounce_cap;
};

struct dn_ring *dn_ring_open(int fd, size_t size)
{
	struct dn_ring *r = calloc(1, sizeof(*r));
	void *p;
	int err;

	if (!r)
		return NULL;
	r->size = size;
	r->page = (size_t)sysconf(_SC_PAGESIZE);
	p = mmap(NULL, r->page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		goto fail;
	r->consumer = p;
	p = mmap(NULL, r->page + size, PROT_READ, MAP_SHARED, fd, (off_t)r->page);
	if (p == MAP_FAILED)
		goto fail;
	r->producer = p;
	r->data = (unsigned char *)p + r->page;
	return r;
fail:
	err = errno;
	dn_ring_close(r);
	errno = err;
	return NULL;
}

void dn_ring_close(struct dn_ring *r)
{
	if (!r)
		return;
	if (r->consumer)
		munmap(r->consumer, r->page);
	if (r->producer)
		munmap(r->producer, r->page + r->size);
	free(r->bounce);
	free(r);
}

uint64_t dn_ring_mark(const struct dn_ring *r)
{
	/* pairs with smp_store_release of producer_pos in __bpf_ringbuf_reserve */
	return __atomic_load_n(r->producer, __ATOMIC_ACQUIRE);
}

size_t dn_ring_size(const struct dn_ring *r)
{
	return r->size;
}

/* The record of len bytes at offset off, in one piece. NULL: no memory. */
static const void *in_one_piece(struct dn_ring *r, size_t off, uint32_t len)
{
	size_t first = r->size - off;

	if (off + len <= r->size)
		return r->data + off;
	if (len > r->bounce_cap) {
		unsigned char *p = realloc(r->bounce, len);

		if (!p)
			return NULL;
		r->bounce = p;
		r->bounce_cap = len;
	}
	memcpy(r->bounce, r->data + off, first);
	memcpy(r->bounce + first, r->data, len - first);
	return r->bounce;
}

long dn_ring_drain(struct dn_ring *r, uint64_t mark,
		   int (*fn)(void *ctx, const void *record, uint32_t len), void *ctx)
{
	unsigned long pos = *r->consumer, begin = pos, given = pos;
	int err = 0;

	while (pos < mark && !err) {
		size_t off = pos & (r->size - 1);
		/* pairs with the xchg of the header in bpf_ringbuf_commit */
		uint32_t head = __atomic_load_n((const uint32_t *)(r->data + off), __ATOMIC_ACQUIRE);
		uint32_t len = head & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);
		const void *p;

		if (head & BPF_RINGBUF_BUSY_BIT)
			break;
		if (!(head & BPF_RINGBUF_DISCARD_BIT)) {
			p = in_one_piece(r, (off + BPF_RINGBUF_HDR_SZ) & (r->size - 1), len);
			if (!p)
				return -ENOMEM;
			err = fn(ctx, p, len);
		}
		pos += (len + BPF_RINGBUF_HDR_SZ + 7u) & ~7ul;
		if (pos - given >= r->size / 16) {	/* let producers go on meanwhile */
			__atomic_store_n(r->consumer, pos, __ATOMIC_RELEASE);
			given = pos;
		}
	}
	/* pairs with smp_load_acquire of consumer_pos in __bpf_ringbuf_reserve */
	__atomic_store_n(r->consumer, pos, __ATOMIC_RELEASE);
	return err < 0 ? err : (long)(pos - begin);
}
