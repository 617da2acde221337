/*
 * dbfile.c - what makes a file a database of ours.
 */
#include "dbfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "db.h"

/* The SQLite file header: magic, and application_id big-endian at 68. */
#define HEADER 100
#define ID_AT 68

static const char magic[16] = "SQLite format 3";

int dn_dbfile_is_ours(const char *path, bool follow)
{
	int fd = open(path,
		      O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (follow ? 0 : O_NOFOLLOW));
	uint8_t h[HEADER];
	struct stat st;
	ssize_t n = 0;
	int ours;

	if (fd < 0)
		return -errno;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode))
		n = pread(fd, h, sizeof(h), 0);
	ours = n == HEADER && !memcmp(h, magic, sizeof(magic)) &&
	       ((uint32_t)h[ID_AT] << 24 | (uint32_t)h[ID_AT + 1] << 16 |
		(uint32_t)h[ID_AT + 2] << 8 | h[ID_AT + 3]) == DN_DB_APPLICATION_ID;
	close(fd);
	return ours;
}

int dn_dbfile_begin(struct dn_newfile *f, const char *target, char *why, size_t len)
{
	static const struct dn_newfile_kind kind = {
		dn_dbfile_is_ours, "it exists and is no database that denet-analyze wrote"
	};

	return dn_newfile_begin(f, target, &kind, why, len);
}
