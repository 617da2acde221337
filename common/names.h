/*
 * names.h - errors and signals by number and by name.
 *
 * From schema/errno.def and schema/signals.def, not from the C library, so
 * that a trace reads the same on every machine. Any thread; what is returned
 * lives for ever.
 */
#ifndef DN_COMMON_NAMES_H
#define DN_COMMON_NAMES_H

#include <stdbool.h>

/* "ENOENT" for 2, "ERESTARTSYS" for 512; NULL for a number without name. */
const char *dn_errno_name(unsigned int err);

/* "No such file or directory"; NULL where dn_errno_name is NULL or the code is
 * one of the kernel's own that has no message. */
const char *dn_errno_message(unsigned int err);

/* One of the codes by which the kernel restarts an interrupted call: no error. */
bool dn_errno_is_restart(unsigned int err);

/* The number of a name, or -ENOENT. */
int dn_errno_by_name(const char *name);

/*
 * "SIGTERM" for 15; for real-time signals "SIGRTMIN" (32) and "SIGRT_1" (33)
 * to "SIGRT_32" (64), which is how strace counts them. NULL for any other
 * number.
 */
const char *dn_signal_name(int sig);

/* The number of a name, with or without its SIG, or -ENOENT. */
int dn_signal_by_name(const char *name);

#endif
