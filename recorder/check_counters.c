/*
 * check_counters.c - the performance counters of this machine. A CPU's own may be there or not and
 * nothing mends that, so a machine without is none that records less than it could.
 */
#include <stdio.h>

#include "check_int.h"
#include "perfcount.h"

void dn_check_counters(struct dn_check *c)
{
	const uint32_t all = (1u << DN_PERF_KINDS) - 1;
	int err[DN_PERF_KINDS];
	const uint32_t open = dn_perf_try(all, err);
	struct dn_finding *f = dn_finding(c, open & DN_PERF_HARDWARE ? DN_CHECK_OK : DN_CHECK_INFO, "counters");
	const char *why = "";
	size_t n = 0;

	for (unsigned i = 0; i < DN_PERF_KINDS; i++) {
		if (!(open & 1u << i)) {
			if (!*why)	/* those of the CPU come first */
				why = dn_perf_why(all, err, i);
			continue;
		}
		n += (size_t)snprintf(f->found + n, sizeof(f->found) - n, "%s%s", n ? ", " : "", dn_perf_name(i));
	}
	if (n && *why)
		snprintf(f->found + n, sizeof(f->found) - n, "; of the others: %s", why);
	else if (!n)
		dn_found(f, "%s", why);
	dn_means(f, open & DN_PERF_HARDWARE ? "those of the CPU are recorded, the others where --counters names them" :
		 "no cycles, instructions and cache misses are recorded");
}
