/*
 * unxz.c - liblzma's stream decoder, into a buffer that doubles.
 */
#include "config.h"

#include "unxz.h"

#include <errno.h>

#ifdef HAVE_LIBLZMA
#include <lzma.h>
#include <stdint.h>
#include <stdlib.h>

#define MEMORY_MAX (UINT64_C(128) << 20)	/* what `xz -9` makes needs 65 MiB (xz(1)) */
#define FIRST_ROOM ((size_t)64 << 10)

int dn_unxz(const void *in, size_t len, size_t max, void **out, size_t *outlen)
{
	lzma_stream s = LZMA_STREAM_INIT;
	size_t room = 0, more;
	uint8_t *p = NULL, *q;
	lzma_ret ret = lzma_stream_decoder(&s, MEMORY_MAX, 0);
	int err = 0;

	*out = NULL;
	*outlen = 0;
	s.next_in = in;
	s.avail_in = len;
	while (ret == LZMA_OK) {
		if (!s.avail_out) {
			if (room >= max) {
				err = -E2BIG;
				goto out;
			}
			more = room ? room : FIRST_ROOM;
			if (more > max - room)
				more = max - room;
			q = realloc(p, room + more);
			if (!q) {
				err = -ENOMEM;
				goto out;
			}
			p = q;
			s.next_out = p + room;
			s.avail_out = more;
			room += more;
		}
		ret = lzma_code(&s, LZMA_FINISH);
	}
	if (ret == LZMA_MEM_ERROR)
		err = -ENOMEM;
	else if (ret == LZMA_MEMLIMIT_ERROR)
		err = -E2BIG;
	else if (ret != LZMA_STREAM_END)
		err = -EBADMSG;
	if (!err) {
		*out = p;
		*outlen = (size_t)s.total_out;
		p = NULL;
	}
out:
	lzma_end(&s);
	free(p);
	return err;
}
#else
int dn_unxz(const void *in, size_t len, size_t max, void **out, size_t *outlen)
{
	(void)in;
	(void)len;
	(void)max;
	*out = NULL;
	*outlen = 0;
	return -ENOTSUP;
}
#endif
