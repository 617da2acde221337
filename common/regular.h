/*
 * regular.h - opening files whose names come from elsewhere.
 *
 * A name may lead to anything: to open a device may be to have it do something, and a FIFO to wait. So
 * only what has been looked at, by a descriptor of O_PATH, and is a file is opened. Those that tell no size are of
 * proc and the like, where to read may be to take away (/proc/kmsg, trace_pipe). Any thread.
 */
#ifndef DN_COMMON_REGULAR_H
#define DN_COMMON_REGULAR_H

#include <stdbool.h>
#include <sys/stat.h>

/* Whether it may be opened. */
bool dn_is_regular(const struct stat *st);

/* Opens for reading what the descriptor at stands for, and closes at. A descriptor, -EINVAL where it is no such file,
 * or -errno (-ENOENT: there is no /proc). */
int dn_regular_open(int at);

#endif
