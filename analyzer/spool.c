/*
 * spool.c - copy a pipe to a file that is unlinked as soon as it is open.
 */
#include "spool.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "source.h"

#define PIECE (256u << 10)

static int copy(struct dn_source *src, int fd)
{
	char *buf = malloc(PIECE);
	uint64_t at = 0;
	long n;

	if (!buf)
		return -ENOMEM;
	while ((n = dn_source_read(src, at, buf, PIECE)) > 0) {
		for (long i = 0; i < n;) {
			ssize_t w = write(fd, buf + i, (size_t)(n - i));

			if (w < 0 && errno == EINTR)
				continue;
			if (w < 0) {
				n = -errno;
				goto out;
			}
			i += w;
		}
		at += (uint64_t)n;
		dn_source_forget(src, at);
	}
out:
	free(buf);
	return n < 0 ? (int)n : 0;
}

int dn_spool(struct dn_source *src, struct dn_source **out)
{
	const char *dir = getenv("TMPDIR");
	char path[4096];
	int fd, err;

	*out = NULL;
	if (dn_source_seekable(src))
		return 0;
	if (!dir || *dir != '/' || strlen(dir) > sizeof(path) - 32)
		dir = "/tmp";
	snprintf(path, sizeof(path), "%s/denet-XXXXXX", dir);
	fd = mkstemp(path);
	if (fd < 0)
		return -errno;
	err = copy(src, fd);
	if (!err)
		err = dn_source_open(path, out);
	unlink(path);
	close(fd);
	return err;
}
