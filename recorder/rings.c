/*
 * rings.c - the rings of all CPUs.
 *
 * Of the bytes asked for, each CPU gets the greatest power of two that fits, but not
 * less than 256 KiB; with more CPUs than that allows, one ring serves several.
 */
#include "rings.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "kernel.h"
#include "ring.h"

#define RING_LEAST (256u << 10)
#define PAGE_MOST 65536		/* a multiple of any page size */

struct dn_rings {
	unsigned cpus, n;
	uint32_t size;
	int map;
	int bell;		/* epoll, edge-triggered: see dn_rings_wait */
	struct dn_ring **ring;
	int *fd;
	pthread_t maker;
	bool making;
	int err;		/* of the maker */
};

static uint32_t power_of_two_below(uint64_t n)
{
	uint32_t p = RING_LEAST;

	while (p < 1u << 30 && (uint64_t)p * 2 <= n)
		p *= 2;
	return p;
}

/* Gives each CPU its ring: in one call, or the kernel waits for each of them. */
static int share(struct dn_rings *r)
{
	uint32_t n = r->cpus, *key = calloc(n, 2 * sizeof(*key)), *value = key ? key + n : NULL;
	int err = key ? 0 : -ENOMEM;

	for (uint32_t cpu = 0; cpu < r->cpus && key; cpu++) {
		key[cpu] = cpu;
		value[cpu] = (uint32_t)r->fd[cpu % r->n];
	}
	if (key && bpf_map_update_batch(r->map, key, value, &n, NULL))
		for (uint32_t cpu = 0; cpu < r->cpus && !err; cpu++)
			if (bpf_map_update_elem(r->map, &cpu, &value[cpu], BPF_ANY))
				err = -errno;
	free(key);
	return err;
}

static int make(struct dn_rings *r)
{
	for (unsigned i = 0; i < r->n; i++) {
		r->fd[i] = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "dn_ring", 0, 0, r->size, NULL);
		if (r->fd[i] < 0)
			return -errno;
		r->ring[i] = dn_ring_open(r->fd[i], r->size);
		if (!r->ring[i])
			return -errno;
		if (dn_rings_watch(r, r->fd[i]))
			return -errno;
	}
	return share(r);
}

static void *maker(void *of)
{
	struct dn_rings *r = of;

	r->err = make(r);
	return NULL;
}

/* The map, which wants to see one ring when it is made. */
static int make_map(struct dn_rings *r)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts);
	/* of any size since 5.10 (commit 134fede4eecf) */
	int one = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "dn_one", 0, 0,
				 dn_kernel_before(5, 10) ? r->size : PAGE_MOST, NULL);

	if (one < 0)
		return -1;
	opts.inner_map_fd = (uint32_t)one;
	r->map = bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "rings", sizeof(uint32_t), sizeof(uint32_t),
				r->cpus, &opts);
	close(one);
	return r->map < 0 ? -1 : 0;
}

struct dn_rings *dn_rings_begin(unsigned cpus, uint64_t bytes)
{
	struct dn_rings *r = calloc(1, sizeof(*r));
	int err;

	if (!r)
		return NULL;
	r->cpus = r->n = cpus;
	r->size = power_of_two_below(bytes / cpus);
	if ((uint64_t)r->size * r->n > bytes)
		r->n = bytes / r->size ? (unsigned)(bytes / r->size) : 1;
	r->map = -1;
	r->bell = epoll_create1(EPOLL_CLOEXEC);
	r->ring = calloc(r->n, sizeof(*r->ring));
	r->fd = calloc(r->n, sizeof(*r->fd));
	for (unsigned i = 0; i < r->n && r->fd; i++)
		r->fd[i] = -1;
	if (r->bell < 0 || !r->ring || !r->fd || make_map(r)) {
		err = errno;
		dn_rings_close(r);
		errno = err;
		return NULL;
	}
	r->making = !pthread_create(&r->maker, NULL, maker, r);
	if (!r->making)
		maker(r);
	return r;
}

int dn_rings_made(struct dn_rings *r)
{
	if (r->making)
		pthread_join(r->maker, NULL);
	r->making = false;
	return r->err;
}

void dn_rings_close(struct dn_rings *r)
{
	if (!r)
		return;
	dn_rings_made(r);
	for (unsigned i = 0; i < r->n && r->ring && r->fd; i++) {
		dn_ring_close(r->ring[i]);
		if (r->fd[i] >= 0)
			close(r->fd[i]);
	}
	if (r->bell >= 0)
		close(r->bell);
	if (r->map >= 0)
		close(r->map);
	free(r->ring);
	free(r->fd);
	free(r);
}

uint32_t dn_rings_size(const struct dn_rings *r)
{
	return r->size;
}

int dn_rings_map(const struct dn_rings *r)
{
	return r->map;
}

struct dn_ring **dn_rings_list(const struct dn_rings *r, unsigned *n)
{
	*n = r->n;
	return r->ring;
}

int dn_rings_watch(struct dn_rings *r, int fd)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET, .data.fd = fd };

	return epoll_ctl(r->bell, EPOLL_CTL_ADD, fd, &ev) ? -errno : 0;
}

/* A ring is readable as soon as it holds a record, so that a plain poll would
 * return at once; an edge comes only from a record that woke us on purpose. */
void dn_rings_wait(struct dn_rings *r, int timeout_ms)
{
	struct epoll_event ev[8];

	epoll_wait(r->bell, ev, 8, timeout_ms);
}
