/*
 * ring.h - reading BPF ring buffers: mapping, draining, waiting.
 *
 * libbpf's own reader drains a ring until it is empty, which with a busy
 * producer is never, and maps the data twice, which doubles what the memory of
 * the recorder looks like. This one drains up to a mark and copies the rare
 * record that lies across the end. Layout: kernel/bpf/ringbuf.c.
 *
 * One thread reads a ring.
 */
#ifndef DN_RECORDER_RING_H
#define DN_RECORDER_RING_H

#include <stddef.h>
#include <stdint.h>

struct dn_ring;

/* Maps the ring buffer map fd of size bytes. The fd stays the caller's.
 * NULL with errno. */
struct dn_ring *dn_ring_open(int fd, size_t size);
void dn_ring_close(struct dn_ring *r);

/* Where the producers are now: a mark for dn_ring_drain. */
uint64_t dn_ring_mark(const struct dn_ring *r);

/*
 * Hands every finished record before mark to fn, oldest first, and gives its
 * place back. Stops early at a record still being written. The record lives
 * until fn returns. Returns bytes taken out, or what fn returned if negative.
 */
long dn_ring_drain(struct dn_ring *r, uint64_t mark,
		   int (*fn)(void *ctx, const void *record, uint32_t len), void *ctx);

size_t dn_ring_size(const struct dn_ring *r);

#endif
