/*
 * consumer.h - the thread that empties the rings.
 *
 * It alone reads the rings and owns the stream between start and join.
 */
#ifndef DN_RECORDER_CONSUMER_H
#define DN_RECORDER_CONSUMER_H

#include <stdbool.h>
#include <stdint.h>

struct dn_consumer;
struct dn_probe;
struct dn_stream;
struct dn_writer;

/* NULL with errno. */
struct dn_consumer *dn_consumer_start(struct dn_probe *p, struct dn_stream *s, struct dn_writer *w);

struct dn_consumer_stats {
	uint64_t calls;
	uint64_t ring_bytes;
	uint64_t passes;	/* over all rings, finished */
	int error;		/* -errno of the stream, 0: none */
};

void dn_consumer_stats(struct dn_consumer *c, struct dn_consumer_stats *st);

/* Has it begin a pass now, if it sleeps. */
void dn_consumer_hurry(struct dn_consumer *c);

/* Whether the command wrote to fd 1 or 2 since this was last asked. */
bool dn_consumer_wrote_terminal(struct dn_consumer *c);

/* Ends the thread; the rings may hold more, which dn_consumer_rest takes out
 * in the calling thread once nothing is attached. 0 or the stream's -errno. */
void dn_consumer_join(struct dn_consumer *c);
int dn_consumer_rest(struct dn_consumer *c);
void dn_consumer_free(struct dn_consumer *c);

#endif
