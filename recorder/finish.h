/*
 * finish.h - the end of a recording: what is left in the rings, losses,
 * totals, footer, and what is said on stderr.
 */
#ifndef DN_RECORDER_FINISH_H
#define DN_RECORDER_FINISH_H

struct dn_rec;

void dn_rec_finish(struct dn_rec *x);

#endif
