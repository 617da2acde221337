/*
 * events.c - schema/events.def and schema/counters.def expanded into tables.
 */
#include "events.h"

#include <assert.h>
#include <string.h>

#define EVENT(id, name, doc) static const struct dn_field_desc fields_##name[] = {
#define FIELD(event, name, type, unit, doc) { #name, DN_##type, unit, doc },
#define EVENT_END(name) };
#include "events.def"

#define EVENT(id, name, doc)                                                  \
	static_assert(DN_F_##name##_N <= DN_FIELDS_MAX, #name " has too many fields");
#include "events.def"

static const struct dn_event_desc events[DN_EV_MAX] = {
#define EVENT(id, name, doc) [id] = { #name, doc, DN_F_##name##_N, fields_##name },
#include "events.def"
};

static const struct dn_counter_desc counters[DN_COUNTER_MAX] = {
#define COUNTER(id, name, kind, doc) [id] = { #name, DN_COUNTER_##kind, doc },
#include "counters.def"
};

const struct dn_event_desc *dn_event_desc(unsigned id)
{
	return id < DN_EV_MAX && events[id].name ? &events[id] : NULL;
}

int dn_event_field(unsigned id, const char *name)
{
	const struct dn_event_desc *d = dn_event_desc(id);

	for (unsigned i = 0; d && i < d->nfields; i++)
		if (!strcmp(d->field[i].name, name))
			return (int)i;
	return -1;
}

const struct dn_counter_desc *dn_counter_desc(unsigned id)
{
	return id < DN_COUNTER_MAX && counters[id].name ? &counters[id] : NULL;
}
