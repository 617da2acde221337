/*
 * unxz.h - an xz stream in memory, unpacked within bounds. Through liblzma, where
 * the build found it.
 */
#ifndef DN_COMMON_UNXZ_H
#define DN_COMMON_UNXZ_H

#include <stddef.h>

/*
 * *out is malloced and the caller's. 0; -EBADMSG where it is no whole xz stream, -E2BIG
 * where it holds more than max bytes or unpacking takes more than 128 MiB of memory,
 * -ENOTSUP without liblzma, -ENOMEM.
 */
int dn_unxz(const void *in, size_t len, size_t max, void **out, size_t *outlen);

#endif
