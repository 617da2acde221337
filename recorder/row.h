/*
 * row.h - filling a row of events.def and handing it on.
 *
 * Every value starts as null, so that a field which nothing filled, or which
 * is newer than the code, is never written as 0.
 */
#ifndef DN_RECORDER_ROW_H
#define DN_RECORDER_ROW_H

#include "events.h"
#include "record.h"

/* What parsers put where a figure was not measured; no counter gets there. */
#define DN_UNMEASURED UINT64_MAX

static inline void dn_row_clear(struct dn_value *v, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		v[i] = dn_null();
}

static inline struct dn_value dn_measured(uint64_t u)
{
	return u == DN_UNMEASURED ? dn_null() : dn_u(u);
}

static inline int dn_row_send(const struct dn_sink *sink, enum dn_event event,
			      const struct dn_value *v, unsigned n)
{
	struct dn_row r = { .event = (uint16_t)event, .nfields = (uint16_t)n, .v = v };

	return sink->row(sink->ctx, &r);
}

#endif
