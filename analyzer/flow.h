/*
 * flow.h - bytes by thread and socket, added up while transfers are decoded.
 *
 * A table of its own kind beside the rollup of the calls: a server moves bytes
 * a million times through a few sockets, or a few times through a million.
 */
#ifndef DN_ANALYZER_FLOW_H
#define DN_ANALYZER_FLOW_H

#include <stdint.h>

#include "record.h"

/* Bytes of one call, 64 GiB: a message has 2 GiB at most (MAX_RW_COUNT in the kernel). Sums of
 * a hundred million of them fit 63 bits, which SQLite needs. */
#define DN_TRANSFER_MAX (UINT64_C(1) << 36)

#define DN_FLOW_ROWS (1u << 17)		/* then they are to be stored */

struct dn_flow {
	uint32_t thread, sock;
	uint64_t sent, received;	/* bytes */
	uint64_t sends, receives;
	int64_t first, last;		/* ns from time 0 */
};

/* Zeroed memory is an empty table. */
struct dn_flows {
	struct dn_flow *row;
	uint32_t n, cap;
	uint32_t *slot;		/* index + 1 */
	uint32_t slots;
};

void dn_flows_free(struct dn_flows *t);
void dn_flows_clear(struct dn_flows *t);

/*
 * Counts a row of the event transfer. A number that no machine reaches (a forged row) counts
 * as none. 0, -ENOMEM, or -ENOSPC: nothing was counted, make room.
 */
int dn_flows_row(struct dn_flows *t, const struct dn_row *r, uint64_t origin);

/* Adds all of src. 0 or -ENOMEM; the limit does not hold here. */
int dn_flows_merge(struct dn_flows *t, const struct dn_flows *src);

#endif
