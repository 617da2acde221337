/*
 * slurp.c - read(2) into a buffer that doubles. Files of proc give a page or more a
 * read, whatever room there is.
 */
#include "slurp.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define FIRST_ROOM ((size_t)64 << 10)

int dn_slurp(int fd, size_t max, char **text, size_t *len)
{
	size_t room = FIRST_ROOM, have = 0;
	char *p = malloc(room), *q;
	int err = p ? 0 : -ENOMEM;
	ssize_t n;

	while (!err) {
		if (have + 1 == room) {
			q = realloc(p, 2 * room);
			if (!q) {
				err = -ENOMEM;
				break;
			}
			p = q;
			room *= 2;
		}
		n = read(fd, p + have, room - 1 - have);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			err = -errno;
		if (n <= 0)
			break;
		have += (size_t)n;
		if (have > max)
			err = -E2BIG;
	}
	if (err) {
		free(p);
		*text = NULL;
		*len = 0;
		return err;
	}
	p[have] = 0;
	*text = p;
	*len = have;
	return 0;
}
