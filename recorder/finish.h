/*
 * finish.h - the end of a recording: what is left in the rings, losses,
 * totals, footer, and what is said on stderr.
 */
#ifndef DN_RECORDER_FINISH_H
#define DN_RECORDER_FINISH_H

#include <stdint.h>

struct dn_rec;

void dn_rec_finish(struct dn_rec *x);

/* What found no room in the rings, and is no system call; total: by counter id. */
uint64_t dn_events_lost(const uint64_t *total);

#endif
