/*
 * flow.c - a hash table of sums.
 */
#include "flow.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "events.h"

void dn_flows_free(struct dn_flows *t)
{
	free(t->row);
	free(t->slot);
	memset(t, 0, sizeof(*t));
}

void dn_flows_clear(struct dn_flows *t)
{
	t->n = 0;
	if (t->slots)
		memset(t->slot, 0, t->slots * sizeof(*t->slot));
}

static uint32_t place(const struct dn_flows *t, uint32_t thread, uint32_t sock)
{
	uint64_t h = ((uint64_t)thread << 32 | sock) * UINT64_C(0x9e3779b97f4a7c15);
	uint32_t i = (uint32_t)(h >> 32) & (t->slots - 1);

	while (t->slot[i] && (t->row[t->slot[i] - 1].thread != thread || t->row[t->slot[i] - 1].sock != sock))
		i = (i + 1) & (t->slots - 1);
	return i;
}

static int grow(struct dn_flows *t)
{
	uint32_t slots = t->slots ? t->slots * 2 : 256;
	uint32_t *slot = calloc(slots, sizeof(*slot));
	struct dn_flow *row = realloc(t->row, slots / 2 * sizeof(*row));

	if (row)
		t->row = row;
	if (!slot || !row) {
		free(slot);
		return -ENOMEM;
	}
	free(t->slot);
	t->slot = slot;
	t->slots = slots;
	t->cap = slots / 2;
	for (uint32_t i = 0; i < t->n; i++)
		t->slot[place(t, row[i].thread, row[i].sock)] = i + 1;
	return 0;
}

static int add(struct dn_flows *t, const struct dn_flow *f, uint32_t most)
{
	struct dn_flow *to;
	uint32_t i;

	if (t->n == t->cap && grow(t))
		return -ENOMEM;
	i = place(t, f->thread, f->sock);
	if (!t->slot[i]) {
		if (t->n >= most)
			return -ENOSPC;
		t->row[t->n] = *f;
		t->slot[i] = ++t->n;
		return 0;
	}
	to = &t->row[t->slot[i] - 1];
	to->sent += f->sent;
	to->received += f->received;
	to->sends += f->sends;
	to->receives += f->receives;
	if (f->first < to->first)
		to->first = f->first;
	if (f->last > to->last)
		to->last = f->last;
	return 0;
}

static uint64_t figure(const struct dn_row *r, unsigned field)
{
	if (field >= r->nfields || r->v[field].null || r->v[field].u > DN_TRANSFER_MAX)
		return 0;
	return r->v[field].u;
}

/* Nobody's, where it is none. */
static uint32_t id(const struct dn_row *r, unsigned field)
{
	uint64_t n = figure(r, field);

	return n > UINT32_MAX ? 0 : (uint32_t)n;
}

int dn_flows_row(struct dn_flows *t, const struct dn_row *r, uint64_t origin)
{
	struct dn_flow f = {
		.thread = id(r, DN_F_transfer_thread),
		.sock = id(r, DN_F_transfer_sock),
		.sent = figure(r, DN_F_transfer_sent),
		.received = figure(r, DN_F_transfer_received),
		.sends = figure(r, DN_F_transfer_sends),
		.receives = figure(r, DN_F_transfer_receives),
	};

	if (r->nfields > DN_F_transfer_time && !r->v[DN_F_transfer_time].null)
		f.first = f.last = (int64_t)(r->v[DN_F_transfer_time].u - origin);
	return add(t, &f, DN_FLOW_ROWS);
}

int dn_flows_merge(struct dn_flows *t, const struct dn_flows *src)
{
	int err = 0;

	for (uint32_t i = 0; !err && i < src->n; i++)
		err = add(t, &src->row[i], UINT32_MAX);
	return err;
}
