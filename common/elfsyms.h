/*
 * elfsyms.h - the names of the functions in an ELF file, by file offset.
 *
 * An offset is what a stack has in it: address - start of the mapping + its offset in
 * the file. It means the same in every process that maps the file. Names come from
 *
 *	.symtab, .dynsym, and the .symtab in .gnu_debugdata (xz; "MiniDebugInfo"),
 *	the procedure linkage table, as "name@plt",
 *	the .symtab of a separate debug file of the same build-id (dn_elfsyms_add).
 *
 * Without section headers there are none. What answers for an offset is the symbol
 * with a size that covers it and begins last before it, functions before labels. A
 * symbol without a size reaches to the next symbol of its section, where there is a
 * .symtab and so all of them are known, and answers only where no other does. Of
 * several names of one address, as for weak aliases, the better one is taken:
 * exported, without a version, with fewer underscores in front, global.
 * An offset that no symbol covers has no name: never that of the one before.
 *
 * The file is taken for hostile: it is one that a traced process mapped, and another
 * may write to it meanwhile. It is read with pread(2) and never mapped, since access
 * behind the end of a file that was cut is a SIGBUS. Everything is bounded by the limits below
 * before memory is taken for it.
 *
 * After opening nothing of it is written to: several threads may call
 * dn_elfsyms_find at a time.
 */
#ifndef DN_COMMON_ELFSYMS_H
#define DN_COMMON_ELFSYMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buildid.h"

/* Of one file, unless it says otherwise. */
#define DN_ELF_SYMBOLS_MAX	(2u << 20)	/* in a table, and with names, of all files added */
#define DN_ELF_NAMES_MAX	(128u << 20)	/* bytes of names, of all files added */
#define DN_ELF_NAME_MAX		(64u << 10)	/* a longer name is none; C++ has some of 20 KiB */
#define DN_ELF_SEGMENTS_MAX	4096u
#define DN_ELF_NOTES_MAX	(1u << 20)
#define DN_ELF_READ_MAX		(256u << 20)	/* bytes of all its sections that are read */
#define DN_ELF_DEBUGDATA_MAX	(256u << 20)	/* .gnu_debugdata, unpacked */

struct dn_elfsyms;

/* Whether there is libelf in this build; else all of it answers ENOTSUP. */
bool dn_elfsyms_built(void);

struct dn_elfsym {
	uint64_t start;		/* file offset of the first instruction */
	uint64_t size;
	const char *name;	/* as in the table: not demangled; lives as long as the dn_elfsyms */
};

/*
 * Reads the names of the program or library that fd is, which may be closed
 * afterwards; its file position does not matter. One without any name is no error.
 * NULL with errno: ENOEXEC no ELF program or library, or with damaged headers; E2BIG
 * beyond a limit; ENOTSUP built without libelf; ENOMEM; EBADF.
 */
struct dn_elfsyms *dn_elfsyms_open(int fd);

/* The same of an image in memory, as the vdso; it is not needed afterwards. */
struct dn_elfsyms *dn_elfsyms_open_memory(const void *image, size_t len);

/*
 * Adds the names of a separate debug file. 0; -ESTALE where its build-id is
 * another, or there is none; errors as above. After an error s is as it was.
 */
int dn_elfsyms_add(struct dn_elfsyms *s, int fd);

/* Whether it tells where code is in it. A debug file that objcopy(1) made does not, and names nothing alone. */
bool dn_elfsyms_maps(const struct dn_elfsyms *s);

/* Whether a .symtab was read. If not, a debug file has more names. */
bool dn_elfsyms_complete(const struct dn_elfsyms *s);

/* Its len is 0 where there is none. */
const struct dn_build_id *dn_elfsyms_build_id(const struct dn_elfsyms *s);

size_t dn_elfsyms_count(const struct dn_elfsyms *s);

bool dn_elfsyms_find(const struct dn_elfsyms *s, uint64_t offset, struct dn_elfsym *out);

/* The virtual address of an offset, as debug information counts. False: no code is mapped from there. */
bool dn_elfsyms_address(const struct dn_elfsyms *s, uint64_t offset, uint64_t *addr);

void dn_elfsyms_free(struct dn_elfsyms *s);

/* The build-id of an ELF file without reading anything else. 0; -ENODATA there is none; as above. */
int dn_elf_build_id(int fd, struct dn_build_id *id);

#endif
