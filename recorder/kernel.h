/*
 * kernel.h - which kernel this is.
 */
#ifndef DN_RECORDER_KERNEL_H
#define DN_RECORDER_KERNEL_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/utsname.h>

/* Whether the running kernel is known to be older than that version. */
static inline bool dn_kernel_before(unsigned major, unsigned minor)
{
	unsigned have_major, have_minor;
	struct utsname u;

	return !uname(&u) && sscanf(u.release, "%u.%u", &have_major, &have_minor) == 2 &&
	       (have_major < major || (have_major == major && have_minor < minor));
}

#define DN_INITIAL_PID_NS 4026531836ull	/* PROC_PID_INIT_INO, include/linux/proc_ns.h */

#endif
