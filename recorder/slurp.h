/*
 * slurp.h - a whole file in memory, also one that does not say how long it is.
 */
#ifndef DN_RECORDER_SLURP_H
#define DN_RECORDER_SLURP_H

#include <stddef.h>

/*
 * Reads fd from where it stands to its end, with a 0 behind it that *len does not
 * count. *text is malloced and the caller's. 0; -E2BIG with more than max bytes; that of
 * read(2); -ENOMEM.
 */
int dn_slurp(int fd, size_t max, char **text, size_t *len);

#endif
