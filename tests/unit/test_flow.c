/*
 * test_flow.c - analyzer/flow.h, held against a plain table: sums, merging, the limit,
 * numbers that no machine reaches.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "events.h"
#include "flow.h"
#include "numbers.h"

#define THREADS 30u
#define SOCKS 70u
#define ORIGIN 1000u

/* Counts a row of f: all of it at the time f->first, before the origin is taken off. */
static int transfer(struct dn_flows *t, const struct dn_flow *f, unsigned fields)
{
	const struct dn_value v[DN_F_transfer_N] = {
		[DN_F_transfer_time] = { .u = (uint64_t)f->first },
		[DN_F_transfer_thread] = { .u = f->thread },
		[DN_F_transfer_seq] = { .null = true },
		[DN_F_transfer_sock] = { .u = f->sock },
		[DN_F_transfer_sent] = { .u = f->sent },
		[DN_F_transfer_received] = { .u = f->received },
		[DN_F_transfer_sends] = { .u = f->sends },
		[DN_F_transfer_receives] = { .u = f->receives },
	};
	const struct dn_row r = { .event = DN_EV_transfer, .nfields = (uint16_t)fields, .v = v };

	return dn_flows_row(t, &r, ORIGIN);
}

static const struct dn_flow *find(const struct dn_flows *t, uint32_t thread, uint32_t sock)
{
	const struct dn_flow *found = NULL;

	for (uint32_t i = 0; i < t->n; i++)
		if (t->row[i].thread == thread && t->row[i].sock == sock) {
			assert_null(found);	/* once */
			found = &t->row[i];
		}
	return found;
}

static void sums_as_a_plain_table(void **unused)
{
	static struct dn_flow want[THREADS][SOCKS];
	struct dn_flows part[2], *all = &part[0];

	(void)unused;
	memset(part, 0, sizeof(part));
	for (int i = 0; i < 50000; i++) {
		struct dn_flow f = { .thread = number(THREADS), .sock = number(SOCKS), .sent = number(1 << 20),
			.received = number(1 << 20), .sends = number(3), .receives = number(3),
			.first = (int64_t)number(1 << 30) };
		struct dn_flow *w = &want[f.thread][f.sock];
		int64_t at = f.first - (int64_t)ORIGIN;

		assert_int_equal(transfer(&part[i % 2], &f, DN_F_transfer_N), 0);
		w->first = w->thread && w->first < at ? w->first : at;
		w->last = w->thread && w->last > at ? w->last : at;
		w->thread = 1;		/* there */
		w->sent += f.sent;
		w->received += f.received;
		w->sends += f.sends;
		w->receives += f.receives;
	}
	assert_int_equal(dn_flows_merge(all, &part[1]), 0);
	for (uint32_t i = 0; i < THREADS; i++)
		for (uint32_t k = 0; k < SOCKS; k++) {
			const struct dn_flow *f = find(all, i, k), *w = &want[i][k];

			assert_int_equal(!!f, w->thread);
			if (!f)
				continue;
			assert_true(f->sent == w->sent && f->received == w->received);
			assert_true(f->sends == w->sends && f->receives == w->receives);
			assert_true(f->first == w->first && f->last == w->last);
		}
	dn_flows_clear(all);
	assert_int_equal(all->n, 0);
	assert_int_equal(dn_flows_merge(all, &part[1]), 0);	/* as new */
	assert_int_equal(all->n, part[1].n);
	dn_flows_free(&part[0]);
	dn_flows_free(&part[1]);
	assert_null(part[0].row);
}

static void the_limit(void **unused)
{
	struct dn_flows t, more;
	struct dn_flow f = { .sent = 1 };

	(void)unused;
	memset(&t, 0, sizeof(t));
	memset(&more, 0, sizeof(more));
	for (f.sock = 0; f.sock < DN_FLOW_ROWS; f.sock++)
		assert_int_equal(transfer(&t, &f, DN_F_transfer_N), 0);
	assert_int_equal(transfer(&t, &f, DN_F_transfer_N), -ENOSPC);
	assert_int_equal(transfer(&more, &f, DN_F_transfer_N), 0);
	assert_null(find(&t, 0, DN_FLOW_ROWS));	/* nothing was counted */
	f.sock = 5;
	assert_int_equal(transfer(&t, &f, DN_F_transfer_N), 0);	/* one that is there has room */
	assert_int_equal(find(&t, 0, 5)->sent, 2);
	assert_int_equal(dn_flows_merge(&t, &more), 0);		/* where the limit does not hold */
	assert_int_equal(t.n, DN_FLOW_ROWS + 1);
	assert_int_equal(find(&t, 0, DN_FLOW_ROWS)->sent, 1);
	dn_flows_clear(&t);
	f.sock = DN_FLOW_ROWS;
	assert_int_equal(transfer(&t, &f, DN_F_transfer_N), 0);
	dn_flows_free(&t);
	dn_flows_free(&more);
}

static void forged(void **unused)
{
	struct dn_value v[DN_F_transfer_N] = {
		[DN_F_transfer_time] = { .u = 5000 },
		[DN_F_transfer_thread] = { .u = 1 },
		[DN_F_transfer_sock] = { .u = 1 },
	};
	const struct dn_row r = { .event = DN_EV_transfer, .nfields = DN_F_transfer_N, .v = v };
	struct dn_flow f = { .thread = 1, .sock = 1, .sent = DN_TRANSFER_MAX, .received = DN_TRANSFER_MAX + 1,
		.sends = UINT64_MAX, .receives = 1, .first = 5000 };
	struct dn_flows t;

	(void)unused;
	memset(&t, 0, sizeof(t));
	assert_int_equal(transfer(&t, &f, DN_F_transfer_N), 0);
	assert_true(t.row[0].sent == DN_TRANSFER_MAX && t.row[0].receives == 1);
	assert_true(t.row[0].received == 0 && t.row[0].sends == 0);
	assert_int_equal(t.row[0].first, 4000);
	/* an id is not one of its lower half */
	v[DN_F_transfer_sock].u = (UINT64_C(1) << 32) + 1;
	v[DN_F_transfer_sent].u = 7;
	assert_int_equal(dn_flows_row(&t, &r, ORIGIN), 0);
	assert_true(find(&t, 1, 1)->sent == DN_TRANSFER_MAX);
	assert_true(find(&t, 1, 0)->sent == 7);
	/* a trace of an older version has fewer fields, and one may be null */
	dn_flows_clear(&t);
	assert_int_equal(transfer(&t, &f, DN_F_transfer_received), 0);
	assert_true(find(&t, 1, 1)->sent == DN_TRANSFER_MAX && find(&t, 1, 1)->receives == 0);
	dn_flows_clear(&t);
	v[DN_F_transfer_sent].null = true;
	v[DN_F_transfer_time].null = true;
	assert_int_equal(dn_flows_row(&t, &r, ORIGIN), 0);
	assert_true(t.row[0].sent == 0 && t.row[0].first == 0);
	dn_flows_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sums_as_a_plain_table),
		cmocka_unit_test(the_limit),
		cmocka_unit_test(forged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
