/*
 * elfread.h - parts of an ELF file, read within bounds.
 *
 * The file may be hostile, and another process may write to it meanwhile: what was
 * read once is never read again, and no size is believed before it is compared with
 * what is left of DN_ELF_READ_MAX (elfsyms.h). A part that cannot be read is empty, which is no
 * error. The caller frees the p of each part. One thread at a time.
 */
#ifndef DN_COMMON_ELFREAD_H
#define DN_COMMON_ELFREAD_H

#include <gelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buildid.h"

/* Part of a file, in this machine's order of bytes. */
struct dn_elfdata {
	char *p; /* NULL: it cannot be read */
	size_t len;
	size_t n; /* entries, of a table */
};

struct dn_elfread {
	int fd; /* -1: in memory */
	const char *image;
	size_t image_len;
	bool wide;	     /* ELFCLASS64 */
	unsigned char order; /* EI_DATA */
	GElf_Ehdr head;
	size_t left; /* of DN_ELF_READ_MAX */
	struct dn_elfdata segments;
	struct dn_elfdata sections;
};

/*
 * Reads the headers; fd or image is set and all else 0. 0; -ENOEXEC, -E2BIG, -ENOMEM. To be
 * closed also after an error; fd and image stay the caller's.
 */
int dn_elfread_open(struct dn_elfread *f);
void dn_elfread_close(struct dn_elfread *f);

/* Entry i of a table, as the wider of the two classes has it. */
GElf_Phdr dn_elfread_segment(const struct dn_elfread *f, size_t i);
GElf_Shdr dn_elfread_section(const struct dn_elfread *f, size_t i);
GElf_Sym dn_elfread_symbol(const struct dn_elfread *f, const struct dn_elfdata *d, size_t i);

/* The contents of section i, a table of type. 0, -E2BIG, -ENOMEM; d can be freed in each case. */
int dn_elfread_contents(struct dn_elfread *f, size_t i, Elf_Type type, struct dn_elfdata *d);

/* A string that ends within its table and DN_ELF_NAME_MAX, or NULL. */
const char *dn_elfread_string(const struct dn_elfdata *strings, uint64_t at, size_t *len);

/*
 * A mapped file has its notes where its program headers say. Those of a debug file are
 * a copy of the other's and may point anywhere: there sections say it. 0, -E2BIG, -ENOMEM.
 */
int dn_elfread_build_id(struct dn_elfread *f, bool debug, struct dn_build_id *id);

#endif
