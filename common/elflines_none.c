/*
 * elflines_none.c - elflines.h in a build without libdw: no place has a line.
 */
#include "elflines.h"

#include <errno.h>
#include <stddef.h>

bool dn_lines_built(void)
{
	return false;
}

struct dn_lines *dn_lines_open(int fd)
{
	(void)fd;
	errno = ENOTSUP;
	return NULL;
}

bool dn_lines_find(struct dn_lines *l, uint64_t addr, struct dn_line *out)
{
	(void)l;
	(void)addr;
	(void)out;
	return false;
}

void dn_lines_free(struct dn_lines *l)
{
	(void)l;
}
