/*
 * elfsyms_none.c - elfsyms.h in a build without libelf: no file has names.
 */
#include "elfsyms.h"

#include <errno.h>

bool dn_elfsyms_built(void)
{
	return false;
}

struct dn_elfsyms *dn_elfsyms_open(int fd)
{
	(void)fd;
	errno = ENOTSUP;
	return NULL;
}

struct dn_elfsyms *dn_elfsyms_open_memory(const void *image, size_t len)
{
	(void)image;
	(void)len;
	errno = ENOTSUP;
	return NULL;
}

int dn_elfsyms_add(struct dn_elfsyms *s, int fd)
{
	(void)s;
	(void)fd;
	return -ENOTSUP;
}

bool dn_elfsyms_maps(const struct dn_elfsyms *s)
{
	(void)s;
	return false;
}

bool dn_elfsyms_complete(const struct dn_elfsyms *s)
{
	(void)s;
	return false;
}

const struct dn_build_id *dn_elfsyms_build_id(const struct dn_elfsyms *s)
{
	static const struct dn_build_id none;

	(void)s;
	return &none;
}

size_t dn_elfsyms_count(const struct dn_elfsyms *s)
{
	(void)s;
	return 0;
}

bool dn_elfsyms_find(const struct dn_elfsyms *s, uint64_t offset, struct dn_elfsym *out)
{
	(void)s;
	(void)offset;
	(void)out;
	return false;
}

bool dn_elfsyms_address(const struct dn_elfsyms *s, uint64_t offset, uint64_t *addr)
{
	(void)s;
	(void)offset;
	(void)addr;
	return false;
}

void dn_elfsyms_free(struct dn_elfsyms *s)
{
	(void)s;
}

int dn_elf_build_id(int fd, struct dn_build_id *id)
{
	(void)fd;
	*id = (struct dn_build_id){ 0 };
	return -ENOTSUP;
}
