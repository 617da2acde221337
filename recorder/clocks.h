/*
 * clocks.h - the clocks of the host, read together.
 *
 * Stateless; any thread.
 */
#ifndef DN_RECORDER_CLOCKS_H
#define DN_RECORDER_CLOCKS_H

#include <stdint.h>

#include "record.h"

struct dn_clocks {
	uint64_t boot, mono, wall;	/* ns; wall since 1970 UTC */
	uint64_t uncertainty;		/* ns that the readings took together */
};

/* CLOCK_BOOTTIME in ns: the time of every row. */
uint64_t dn_now(void);

/* All three; the tightest of a few tries, so that a preemption between two
 * readings does not count as a step of the clock. */
void dn_clocks_read(struct dn_clocks *c);

/* Reads them and hands a `clock` row on. 0 or the sink's error. */
int dn_clocks_emit(const struct dn_sink *sink);

#endif
