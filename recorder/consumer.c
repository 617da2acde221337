/*
 * consumer.c - passes over the rings, and how long to sleep in between.
 *
 * A pass marks every CPU's ring first, then empties the life ring, then each
 * ring up to its mark. So the birth of a thread is handed on before its calls,
 * and a string before or at the latest one pass after its call (stream.h).
 *
 * Nobody wakes us for a record. The sleep is as long as the rings are expected
 * to take to fill an eighth at the rate of the last pass, within 1 to 100 ms;
 * a ring that fills to the half wakes us earlier. An idle command costs ten
 * wake-ups a second.
 */
#include "consumer.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "clocks.h"
#include "probe.h"
#include "ring.h"
#include "stream.h"
#include "writer.h"

#define SLEEP_LEAST_MS 1
#define SLEEP_MOST_MS 100

struct dn_consumer {
	struct dn_probe *probe;
	struct dn_stream *stream;
	struct dn_writer *writer;
	struct dn_ring *life, **ring;
	uint64_t *mark;
	unsigned nrings;
	int wake;
	bool stop;
	pthread_t thread;
	pthread_mutex_t lock;		/* the figures */
	struct dn_consumer_stats st;
	bool wrote_terminal;
};

/* One pass. Returns the bytes taken out of the fullest ring, or -errno. */
static long pass(struct dn_consumer *c)
{
	long most = 0, n;
	int err;

	for (unsigned i = 0; i < c->nrings; i++)
		c->mark[i] = dn_ring_mark(c->ring[i]);
	dn_stream_marked(c->stream);
	dn_writer_lock(c->writer);
	n = dn_ring_drain(c->life, dn_ring_mark(c->life), dn_stream_record, c->stream);
	dn_writer_unlock(c->writer);
	for (unsigned i = 0; i < c->nrings && n >= 0; i++) {
		dn_writer_lock(c->writer);
		n = dn_ring_drain(c->ring[i], c->mark[i], dn_stream_record, c->stream);
		dn_writer_unlock(c->writer);
		if (n > most)
			most = n;
	}
	if (n < 0)
		return n;
	dn_writer_lock(c->writer);
	err = dn_stream_pass(c->stream);
	dn_writer_unlock(c->writer);
	return err ? err : most;
}

static int next_sleep_ms(const struct dn_consumer *c, long bytes, uint64_t ns, int last)
{
	uint64_t eighth = dn_ring_size(c->ring[0]) / 8, ms;

	if (!bytes)
		return last * 2 > SLEEP_MOST_MS ? SLEEP_MOST_MS : last * 2;
	ms = eighth * (ns / 1000000 + 1) / (uint64_t)bytes;
	return ms < SLEEP_LEAST_MS ? SLEEP_LEAST_MS : ms > SLEEP_MOST_MS ? SLEEP_MOST_MS : (int)ms;
}

static void publish(struct dn_consumer *c, int err)
{
	struct dn_stream_stats s;

	dn_stream_stats(c->stream, &s);
	pthread_mutex_lock(&c->lock);
	c->st.calls = s.calls;
	c->st.ring_bytes = s.bytes;
	c->st.passes++;
	c->wrote_terminal |= s.wrote_terminal;
	if (err && !c->st.error)
		c->st.error = err;
	pthread_mutex_unlock(&c->lock);
}

static void *run(void *arg)
{
	struct dn_consumer *c = arg;
	uint64_t before = dn_now();
	int sleep_ms = SLEEP_LEAST_MS;

	while (!__atomic_load_n(&c->stop, __ATOMIC_ACQUIRE)) {
		eventfd_t hurried;
		uint64_t now;
		long n;

		dn_probe_wait(c->probe, sleep_ms);
		(void)!eventfd_read(c->wake, &hurried);	/* that hurries are taken back is all */
		n = pass(c);
		now = dn_now();
		publish(c, n < 0 ? (int)n : 0);
		if (n < 0)
			break;
		sleep_ms = next_sleep_ms(c, n, now - before, sleep_ms);
		before = now;
		dn_writer_flush(c->writer, now, DN_BLOCK_AGE_NS);
	}
	return NULL;
}

struct dn_consumer *dn_consumer_start(struct dn_probe *p, struct dn_stream *s, struct dn_writer *w)
{
	struct dn_consumer *c = calloc(1, sizeof(*c));
	int err = -ENOMEM;

	if (!c)
		return NULL;
	c->probe = p;
	c->stream = s;
	c->writer = w;
	c->life = dn_probe_life_ring(p);
	c->ring = dn_probe_rings(p, &c->nrings);
	pthread_mutex_init(&c->lock, NULL);
	c->mark = calloc(c->nrings, sizeof(*c->mark));
	c->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (c->mark && c->wake >= 0) {
		err = dn_probe_wake_fd(p, c->wake);
		if (!err)
			err = -pthread_create(&c->thread, NULL, run, c);
	}
	if (err) {
		dn_consumer_free(c);
		errno = -err;
		return NULL;
	}
	return c;
}

void dn_consumer_stats(struct dn_consumer *c, struct dn_consumer_stats *st)
{
	pthread_mutex_lock(&c->lock);
	*st = c->st;
	pthread_mutex_unlock(&c->lock);
}

void dn_consumer_hurry(struct dn_consumer *c)
{
	if (eventfd_write(c->wake, 1))
		usleep(1);	/* it wakes by itself within its sleep */
}

bool dn_consumer_wrote_terminal(struct dn_consumer *c)
{
	bool wrote;

	pthread_mutex_lock(&c->lock);
	wrote = c->wrote_terminal;
	c->wrote_terminal = false;
	pthread_mutex_unlock(&c->lock);
	return wrote;
}

void dn_consumer_join(struct dn_consumer *c)
{
	__atomic_store_n(&c->stop, true, __ATOMIC_RELEASE);
	dn_consumer_hurry(c);
	pthread_join(c->thread, NULL);
}

int dn_consumer_rest(struct dn_consumer *c)
{
	long n;

	do
		n = pass(c);
	while (n > 0);
	if (!n)
		n = pass(c);	/* the life ring once more */
	publish(c, n < 0 ? (int)n : 0);
	return n < 0 ? (int)n : 0;
}

void dn_consumer_free(struct dn_consumer *c)
{
	if (!c)
		return;
	if (c->wake > 0)
		close(c->wake);
	free(c->mark);
	free(c);
}
