/*
 * status.h - the line on the terminal that shows how a recording goes.
 *
 * It is drawn over itself, never wraps, and is erased at the end. Nothing is
 * drawn where standard error is no terminal or TERM says it is dumb, and
 * drawing is left out while it would harm: in the background (a write may stop
 * the whole job, target included) and while output is held with ^S (a write
 * would block, and the rings fill). One thread at a time.
 */
#ifndef DN_RECORDER_STATUS_H
#define DN_RECORDER_STATUS_H

#include <stddef.h>
#include <stdint.h>

struct dn_status;

/* What the line shows, as totals since the start. */
struct dn_status_numbers {
	uint64_t elapsed_ns;
	uint64_t events;	/* written */
	uint64_t lost;
	uint64_t bytes;		/* of the trace file */
	uint64_t processes;	/* of the tree, alive; 0: not shown */
};

/* fd: usually STDERR_FILENO; stays the caller's. NULL, which every function
 * here accepts: there is nothing to draw on (errno ENOTTY) or no memory. */
struct dn_status *dn_status_new(int fd);

/* Draws, at most ten times a second of elapsed_ns: call it as often as convenient. */
void dn_status_show(struct dn_status *s, const struct dn_status_numbers *n);

/* Takes the line off, before other output; the next show draws it anew. */
void dn_status_clear(struct dn_status *s);

/* Clears and frees. */
void dn_status_free(struct dn_status *s);

/* The text of the line for a terminal of so many columns, for tests: what does
 * not fit is left out from the right, whole fields first. events_before and
 * ns_before: an earlier state, for the rate. Returns buf. */
char *dn_status_text(char *buf, size_t cap, unsigned columns, const struct dn_status_numbers *n,
		     uint64_t events_before, uint64_t ns_before);

#endif
