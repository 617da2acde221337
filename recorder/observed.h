/*
 * observed.h - rows that say how a subject is observed, and what is not: for
 * every rung of the ladder, with BPF and without.
 */
#ifndef DN_RECORDER_OBSERVED_H
#define DN_RECORDER_OBSERVED_H

#include "record.h"

/* reason: why nothing better; NULL or "" where this is the best. 0 or the sink's -errno. */
int dn_probe_row(const struct dn_sink *sink, const char *name, const char *rung, const char *reason);

int dn_not_observed_row(const struct dn_sink *sink, const char *subject, const char *reason);

#endif
