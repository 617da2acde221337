/*
 * symfs.h - local files that answer for the objects of a trace: names of functions,
 * and lines.
 *
 * They are looked for below directories that the user named (--symfs), in the order in
 * which he did, and in each as
 *
 *	PATH					as the trace has it
 *	.build-id/ab/cdef....debug		as gdb and debuginfod lay out debug files
 *	usr/lib/debug/.build-id/ab/cdef....debug
 *
 * never outside of them (rooted.h). A file answers only if its build-id is the object's, so that an
 * object without one has none. Where the file has no .symtab, or no debug information while lines
 * are wanted, the same of a separate debug file is taken too. Such a one alone does not
 * answer where it does not tell which part of the program's file code was in (as those
 * of objcopy --only-keep-debug).
 *
 * One thread at a time.
 */
#ifndef DN_ANALYZER_SYMFS_H
#define DN_ANALYZER_SYMFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buildid.h"
#include "elflines.h"
#include "elfsyms.h"

struct dn_symfs;
struct dn_symfs_file;

/* 0; after a negative errno *bad is the directory that did not open, or NULL. */
int dn_symfs_open(const char *const *dir, size_t n, struct dn_symfs **out, const char **bad);
void dn_symfs_close(struct dn_symfs *s);

/*
 * Who answers for an object; to be closed. NULL with errno: ENOENT there is no file of that
 * build-id, ENODATA the object has none, ENOMEM.
 */
struct dn_symfs_file *dn_symfs_find(const struct dn_symfs *s, const char *path, const struct dn_build_id *id,
				    bool lines);
void dn_symfs_file_close(struct dn_symfs_file *f);

/* The function at an offset in the file, the line there. What they point to lives as long as f. */
bool dn_symfs_function(const struct dn_symfs_file *f, uint64_t offset, struct dn_elfsym *out);
bool dn_symfs_line(struct dn_symfs_file *f, uint64_t offset, struct dn_line *out);

#endif
