/*
 * elflines.h - file and line of places in an ELF file, out of its DWARF debug
 * information. Through libdw, where the build found it.
 *
 * The line is that of the instruction: where the compiler put one function into another
 * it is the line of the innermost of them.
 *
 * The file is read and never mapped, and nothing but it: what debug information
 * may stand in elsewhere (files of dwz, of split DWARF) is not opened, since its name comes
 * out of the file. One thread at a time.
 */
#ifndef DN_COMMON_ELFLINES_H
#define DN_COMMON_ELFLINES_H

#include <stdbool.h>
#include <stdint.h>

/* Of one file; libdw keeps all of it in memory. */
#define DN_LINES_READ_MAX	(1u << 30)	/* bytes of all sections that no process maps, unpacked */
#define DN_LINES_RANGES_MAX	(4u << 20)	/* ranges of addresses of its units */
#define DN_LINES_UNITS_MAX	65536u		/* units, of which libdw keeps a kilobyte each */
#define DN_LINES_TABLES_MAX	(4u << 20)	/* bytes of line tables that are decoded, all units together: a byte may be a line, and a line is a hundred */
#define DN_LINES_PATH_MAX	4096u		/* a longer name of a file is none */

struct dn_lines;

struct dn_line {
	const char *file;	/* as the compiler was called, mostly a whole path; lives as long as the dn_lines */
	uint32_t line;		/* from 1 on */
};

/* Whether there is libdw in this build; else all of it answers ENOTSUP. */
bool dn_lines_built(void);

/*
 * The lines of the file that fd is, a program or its separate debug file, which elfsyms.h
 * took before; fd may be closed afterwards. NULL with errno: ENODATA it has none; ENOEXEC they
 * are damaged; E2BIG beyond a limit; ENOTSUP built without libdw, or a part lies in another
 * file (dwz); ENOMEM; EBADF.
 */
struct dn_lines *dn_lines_open(int fd);

/* Of a virtual address (dn_elfsyms_address). False where it is not known, or is beyond a limit. */
bool dn_lines_find(struct dn_lines *l, uint64_t addr, struct dn_line *out);

void dn_lines_free(struct dn_lines *l);

#endif
