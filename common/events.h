/*
 * events.h - the table of events as C: ids, field indices, descriptions.
 *
 * All of it comes out of schema/events.def. Constant data, any thread.
 */
#ifndef DN_COMMON_EVENTS_H
#define DN_COMMON_EVENTS_H

#include <stdint.h>

#include "enums.h"

enum dn_event {
#define EVENT(id, name, doc) DN_EV_##name = id,
#include "events.def"
	DN_EV_MAX
};

/* Field indices: DN_F_<event>_<field>, and DN_F_<event>_N fields in all. */
#define EVENT(id, name, doc) enum {
#define FIELD(event, name, type, unit, doc) DN_F_##event##_##name,
#define EVENT_END(name) DN_F_##name##_N };
#include "events.def"

enum dn_field_type { DN_TIME = 1, DN_INT = 2, DN_RAW = 3, DN_STR = 4 };

struct dn_field_desc {
	const char *name;
	uint8_t type;		/* enum dn_field_type */
	const char *unit;
	const char *doc;
};

struct dn_event_desc {
	const char *name;	/* NULL: no event of this id */
	const char *doc;
	uint16_t nfields;
	const struct dn_field_desc *field;
};

/* Fields of the longest event: size of arrays of values. */
#define DN_FIELDS_MAX 32

/* Description of event id, or NULL where this version knows none. */
const struct dn_event_desc *dn_event_desc(unsigned id);

/* Index of a field by name, or -1. */
int dn_event_field(unsigned id, const char *name);

struct dn_counter_desc {
	const char *name;	/* NULL: no counter of this id */
	uint8_t kind;		/* enum dn_counter_kind */
	const char *doc;
};

#define DN_COUNTER_MAX 64

const struct dn_counter_desc *dn_counter_desc(unsigned id);

#endif
