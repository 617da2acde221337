/*
 * trace.h - a whole .dnt back into memory with common/ alone, for tests of
 * what writes one. Asserts that every byte belongs to a sound block.
 */
#ifndef DN_TESTS_TRACE_H
#define DN_TESTS_TRACE_H

#include <stddef.h>
#include <stdint.h>

#include "collect.h"
#include "record.h"

struct trace_shape {
	uint64_t blocks, keyframes, footers;
};

/* Hands all records of the file on, block by block. */
void trace_read(const char *path, const struct dn_sink *sink, struct trace_shape *shape);

/* A recording: rows and calls as they stand in the file. */
struct trace {
	struct collect rows;
	struct dn_syscall *call;	/* without their strings */
	size_t ncalls, cap;
	struct trace_shape shape;
};

void trace_open(struct trace *t, const char *path);
void trace_free(struct trace *t);

/* The value of a counter (enum dn_counter): it has one row. */
uint64_t trace_counter(const struct trace *t, unsigned id);

/*
 * The books of a recording: every call that was attempted is in the trace or
 * among the lost; no thread has a call twice, and one that ended has as many as
 * it says, but for the lost ones.
 */
void trace_balanced(const struct trace *t);

#endif
