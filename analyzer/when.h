/*
 * when.h - a moment as a person writes it: since the start, or on the wall.
 *
 *   1.5  250ms  2m  -3s          from the trace's start
 *   2026-01-02T03:04:05.678Z     RFC 3339; a space for the T, an offset such as
 *                                +01:00 for the Z. Without either it is UTC.
 *
 * Pure functions, any thread.
 */
#ifndef DN_ANALYZER_WHEN_H
#define DN_ANALYZER_WHEN_H

#include <stdbool.h>
#include <stdint.h>

struct dn_when {
	bool wall;		/* ns since 1970 UTC; else from the trace's start */
	int64_t ns;
};

/* 0 or -EINVAL. */
int dn_when_parse(const char *s, struct dn_when *w);

/* Nanoseconds from the start of a trace whose wall clock was wall_ns then.
 * 0, or -ENODATA: a wall time, and the trace does not know its own (0). */
int dn_when_resolve(const struct dn_when *w, uint64_t wall_ns, int64_t *ns);

#endif
