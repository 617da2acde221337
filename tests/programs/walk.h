/*
 * walk.h - every record of a trace, one after the other, for the programs that
 * check traces. Of denet's code only the format's own (common/) is used, so that
 * a mistake of the analyzer does not hide one of the recorder.
 */
#ifndef DN_TESTS_WALK_H
#define DN_TESTS_WALK_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "record.h"

struct walk_end {
	uint64_t bytes;			/* of whole blocks, the file header included */
	uint64_t blocks, events;	/* in them */
	bool footer;			/* the trace was closed */
	bool rest;			/* bytes that are no whole block follow */
};

/* Hands every record to sink in the order of the file. Says on stderr what is
 * wrong and returns -1, or 0. */
int walk(FILE *f, const struct dn_sink *sink, struct walk_end *end);

#endif
