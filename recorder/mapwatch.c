/*
 * mapwatch.c - an event of perf on each CPU that never counts and only tells of mappings
 * (PERF_COUNT_SW_DUMMY), and its ring: linux/perf_event.h, perf_event_open(2).
 *
 * Records have the time at their end (sample_id_all). A process may be born on one CPU
 * and map on another, so what all rings had at one moment is sorted before it is handed on. A ring
 * is marked before the others are read: what is younger than the first mark waits for the next
 * time, or a birth might be missing whose child's mapping is there.
 */
#include "mapwatch.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "clocks.h"
#include "grow.h"
#include "spaces.h"

#define RING_PAGES 32		/* a power of two: 100 execs in a tenth of a second are 60 KB */
#define LEAST_PAGES 4

struct cpu_ring {
	int fd;
	struct perf_event_mmap_page *page;
	const unsigned char *data;
	size_t size;
};

struct waiting {
	uint64_t time;
	size_t at;			/* of its record in `bytes` */
	uint32_t order;			/* in which it was read */
};

struct dn_mapwatch {
	struct cpu_ring *ring;
	unsigned n;
	unsigned char *bytes;		/* records that are read and not handed on */
	uint32_t len, cap;
	struct waiting *wait;
	uint32_t nwait, wait_cap;
	uint64_t lost;
};

/* The records, as linux/perf_event.h has them in comments. */
struct mmap2 {
	struct perf_event_header head;
	uint32_t pid, tid;
	uint64_t addr, len, pgoff;
	union {
		struct {
			uint32_t maj, min;
			uint64_t ino, generation;
		};
		struct {
			uint8_t build_id_size, reserved[3];
			uint8_t build_id[DN_BUILD_ID_MAX];
		};
	};
	uint32_t prot, flags;
	char path[];
};

struct task {
	struct perf_event_header head;
	uint32_t pid, ppid, tid, ptid;
	uint64_t time;
};

struct comm {
	struct perf_event_header head;
	uint32_t pid, tid;
	char comm[];
};

struct lost {
	struct perf_event_header head;
	uint64_t id, lost;
};

static int open_cpu(struct cpu_ring *r, int cpu)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = PERF_ATTR_SIZE_VER5,
		.config = PERF_COUNT_SW_DUMMY,
		.sample_type = PERF_SAMPLE_TIME,
		.mmap = 1, .mmap2 = 1, .comm = 1, .comm_exec = 1, .task = 1,
		.sample_id_all = 1, .exclude_kernel = 1, .exclude_hv = 1,
		.use_clockid = 1, .clockid = CLOCK_BOOTTIME,
	};
	void *p = MAP_FAILED;

#ifdef PERF_RECORD_MISC_MMAP_BUILD_ID	/* 5.12, commit 88a16a130933 */
	attr.build_id = 1;
	r->fd = (int)syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
	attr.build_id = 0;
	if (r->fd < 0 && errno == EINVAL)	/* the running kernel is older */
#endif
		r->fd = (int)syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
	if (r->fd < 0)
		return -errno;
	/* Who may not lock memory has a limit: sysctl kernel.perf_event_mlock_kb. */
	for (size_t pages = RING_PAGES; p == MAP_FAILED && pages >= LEAST_PAGES; pages /= 2) {
		r->size = pages * (size_t)sysconf(_SC_PAGESIZE);
		p = mmap(NULL, r->size + (size_t)sysconf(_SC_PAGESIZE), PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, 0);
	}
	if (p == MAP_FAILED) {
		int err = -errno;

		close(r->fd);
		return err;
	}
	r->page = p;
	r->data = (unsigned char *)p + sysconf(_SC_PAGESIZE);
	return 0;
}

struct dn_mapwatch *dn_mapwatch_open(void)
{
	struct dn_mapwatch *w = calloc(1, sizeof(*w));
	long cpus = sysconf(_SC_NPROCESSORS_CONF);
	int err = -ENOMEM;

	if (!w)
		return NULL;
	w->ring = calloc((size_t)cpus, sizeof(*w->ring));
	for (long cpu = 0; w->ring && cpu < cpus; cpu++) {
		err = open_cpu(&w->ring[w->n], (int)cpu);
		if (!err)
			w->n++;
		else if (err != -ENODEV)	/* a CPU that is off */
			break;
		err = 0;
	}
	if (!err && w->n)
		return w;
	dn_mapwatch_close(w);
	errno = err ? -err : ENODEV;
	return NULL;
}

void dn_mapwatch_close(struct dn_mapwatch *w)
{
	if (!w)
		return;
	for (unsigned i = 0; i < w->n; i++) {
		munmap(w->ring[i].page, w->ring[i].size + (size_t)sysconf(_SC_PAGESIZE));
		close(w->ring[i].fd);
	}
	free(w->ring);
	free(w->bytes);
	free(w->wait);
	free(w);
}

int dn_mapwatch_fd(const struct dn_mapwatch *w, unsigned i)
{
	return i < w->n ? w->ring[i].fd : -1;
}

/* Keeps one record, which may lie across the end of its ring. */
static void keep(struct dn_mapwatch *w, const struct cpu_ring *r, uint64_t at, size_t len)
{
	size_t off = at & (r->size - 1), first = r->size - off < len ? r->size - off : len;
	struct waiting *q;

	if (dn_grow(&w->bytes, &w->cap, w->len + len, 1) ||
	    dn_grow(&w->wait, &w->wait_cap, w->nwait + 1, sizeof(*w->wait))) {
		w->lost++;
		return;
	}
	memcpy(w->bytes + w->len, r->data + off, first);
	memcpy(w->bytes + w->len + first, r->data, len - first);
	q = &w->wait[w->nwait];
	*q = (struct waiting){ .at = w->len, .order = w->nwait++ };
	memcpy(&q->time, w->bytes + w->len + len - sizeof(q->time), sizeof(q->time));
	w->len += (uint32_t)len;
}

static void read_ring(struct dn_mapwatch *w, struct cpu_ring *r)
{
	/* pairs with the store of data_head in perf_output_put_handle() */
	uint64_t head = __atomic_load_n(&r->page->data_head, __ATOMIC_ACQUIRE), at = r->page->data_tail;

	while (at < head) {
		struct perf_event_header h;

		memcpy(&h, r->data + (at & (r->size - 1)), sizeof(h));	/* records lie at multiples of 8, and so do headers */
		if (h.size < sizeof(h) + sizeof(uint64_t))
			break;	/* none is */
		keep(w, r, at, h.size);
		at += h.size;
	}
	__atomic_store_n(&r->page->data_tail, head, __ATOMIC_RELEASE);
}

static int by_time(const void *a, const void *b)
{
	const struct waiting *p = a, *q = b;

	if (p->time != q->time)
		return p->time < q->time ? -1 : 1;
	return p->order < q->order ? -1 : 1;
}

static void hand_on(struct dn_mapwatch *w, const void *record,
		    void (*fn)(void *ctx, const struct dn_map_event *e), void *ctx, uint64_t time)
{
	const struct perf_event_header *h = record;
	struct dn_map_event e = { .time = time };

	if (h->type == PERF_RECORD_MMAP2) {
		const struct mmap2 *m = record;

		e.kind = DN_MAP_CODE;
		e.pid = m->pid;
		e.start = m->addr;
		e.end = m->addr + m->len;
		e.pgoff = m->pgoff;
		e.dev = (uint64_t)m->maj << 20 | m->min;
		e.inode = m->ino;
		e.generation = m->generation;
#ifdef PERF_RECORD_MISC_MMAP_BUILD_ID
		if (h->misc & PERF_RECORD_MISC_MMAP_BUILD_ID) {
			e.dev = e.inode = e.generation = 0;
			e.build_id.len = m->build_id_size > DN_BUILD_ID_MAX ? DN_BUILD_ID_MAX : m->build_id_size;
			memcpy(e.build_id.byte, m->build_id, e.build_id.len);
		}
#endif
		e.path = m->path;	/* ended by a NUL, then the time */
	} else if (h->type == PERF_RECORD_COMM && h->misc & PERF_RECORD_MISC_COMM_EXEC) {
		e.kind = DN_MAP_EXEC;
		e.pid = ((const struct comm *)record)->pid;
	} else if (h->type == PERF_RECORD_FORK || h->type == PERF_RECORD_EXIT) {
		const struct task *t = record;

		e.kind = h->type == PERF_RECORD_FORK ? DN_MAP_FORK : DN_MAP_EXIT;
		e.pid = t->pid;
		e.parent = t->ppid;
	} else {
		if (h->type == PERF_RECORD_LOST)
			w->lost += ((const struct lost *)record)->lost;
		return;
	}
	fn(ctx, &e);
}

void dn_mapwatch_read(struct dn_mapwatch *w, void (*fn)(void *ctx, const struct dn_map_event *e), void *ctx)
{
	const uint64_t now = dn_now();
	uint32_t done = 0, from;

	for (unsigned i = 0; i < w->n; i++)
		read_ring(w, &w->ring[i]);
	if (!w->nwait)
		return;
	qsort(w->wait, w->nwait, sizeof(*w->wait), by_time);
	while (done < w->nwait && w->wait[done].time < now) {
		hand_on(w, w->bytes + w->wait[done].at, fn, ctx, w->wait[done].time);
		done++;
	}
	if (done == w->nwait) {
		w->nwait = w->len = 0;
		return;
	}
	/* Few, and young: their bytes are the last. */
	memmove(w->wait, w->wait + done, (w->nwait - done) * sizeof(*w->wait));
	w->nwait -= done;
	from = w->len;
	for (uint32_t i = 0; i < w->nwait; i++)
		from = w->wait[i].at < from ? (uint32_t)w->wait[i].at : from;
	memmove(w->bytes, w->bytes + from, w->len - from);
	w->len -= from;
	for (uint32_t i = 0; i < w->nwait; i++) {
		w->wait[i].at -= from;
		w->wait[i].order = i;
	}
}

uint64_t dn_mapwatch_lost(const struct dn_mapwatch *w)
{
	return w->lost;
}
