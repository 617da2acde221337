/*
 * prepare.h - everything that must be there before the command goes.
 */
#ifndef DN_RECORDER_PREPARE_H
#define DN_RECORDER_PREPARE_H

struct dn_invoker;
struct dn_rec;

/* Attaches what the kernel allows and begins the trace. 0, or -errno, which has been said: then what there is of it
 * is the caller's to release. Before other threads are started (rights.h). */
int dn_rec_prepare(struct dn_rec *x, const struct dn_invoker *who);

#endif
