/*
 * buildid.h - the build-id of an ELF file or a kernel: what the linker writes into
 * a note (NT_GNU_BUILD_ID), the same in a program and in its debug file.
 */
#ifndef DN_COMMON_BUILDID_H
#define DN_COMMON_BUILDID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DN_BUILD_ID_MAX 20	/* SHA-1; the kernel takes no longer one either (lib/buildid.c) */

struct dn_build_id {
	uint8_t byte[DN_BUILD_ID_MAX];
	uint8_t len;		/* 0: there is none */
};

/*
 * Looks for it in notes: len bytes at p, each note and its contents aligned to
 * align (4, or 8 as p_align says), numbers big-endian if big. False, and
 * id->len 0, where there is none of 1 to DN_BUILD_ID_MAX bytes.
 */
bool dn_build_id_find(const void *p, size_t len, size_t align, bool big, struct dn_build_id *id);

bool dn_build_id_same(const struct dn_build_id *a, const struct dn_build_id *b);

/* In hexadecimal, as its length says; hex gets a NUL too. */
void dn_build_id_hex(const struct dn_build_id *id, char hex[2 * DN_BUILD_ID_MAX + 1]);

/* The way back. False, and id->len 0: it is not that of 1 to DN_BUILD_ID_MAX bytes. */
bool dn_build_id_parse(const char *hex, size_t len, struct dn_build_id *id);

/*
 * The place of a debug file below dir (/usr/lib/debug, as gdb and debuginfod have
 * it): DIR/.build-id/ab/cdef....debug. 0, -ENAMETOOLONG, or -ENODATA where id has
 * fewer than two bytes.
 */
int dn_build_id_path(char *path, size_t size, const char *dir, const struct dn_build_id *id);

#endif
