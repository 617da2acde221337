/*
 * perfmap.h - names of functions that a running program compiled for itself, from the map
 * that a JIT (node, Java, Python) writes: perf-PID.map, lines "START SIZE NAME".
 *
 * Addresses are those of the process; memory is used again, so where ranges overlap the
 * later line answers. The file is by somebody else and is read once: bounded, a
 * line that is none of these is left out, and so is a last one without its end, whose name may be
 * cut. After opening nothing is written: several threads may search.
 */
#ifndef DN_RECORDER_PERFMAP_H
#define DN_RECORDER_PERFMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define DN_PERFMAP_FILE_MAX	(128u << 20)
#define DN_PERFMAP_LINES_MAX	(2u << 20)
#define DN_PERFMAP_NAME_MAX	(4u << 10)	/* a line with a longer name is left out */

struct dn_perfmap;

struct dn_perfmap_name {
	uint64_t start;
	uint64_t size;
	const char *name;	/* as in the file, blanks too; lives as long as the dn_perfmap */
	uint64_t from, to;	/* what of it is not another one's, around the address; to is not in it */
};

/*
 * Opens the map of the process that calls itself nspid (in its own pid namespace) below
 * root, its root directory (/proc/PID/root). The directory tmp and the file may be
 * no symbolic links, which could lead out of root; the file must be a regular one of
 * owner's or root's. Returns a descriptor, or -ENOENT, -EACCES, -ELOOP, -EPERM where it is somebody
 * else's, empty or not regular, ...
 */
int dn_perfmap_fd(const char *root, pid_t nspid, uid_t owner);

/* Reads fd, which stays the caller's. NULL with errno: E2BIG beyond a limit, that of read, ENOMEM. */
struct dn_perfmap *dn_perfmap_read(int fd);

bool dn_perfmap_find(const struct dn_perfmap *m, uint64_t address, struct dn_perfmap_name *out);

/* Lines that were taken. */
size_t dn_perfmap_count(const struct dn_perfmap *m);

void dn_perfmap_free(struct dn_perfmap *m);

#endif
