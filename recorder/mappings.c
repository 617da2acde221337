/*
 * mappings.c - /proc/PID/maps, with the build-id of each file.
 *
 * The file behind a mapping is opened through map_files, which leads to the file itself whatever has
 * become of its name; where that is not allowed, by its name below the root of the process, and it
 * must be the same inode then.
 */
#include "mappings.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "elfsyms.h"
#include "procfs.h"
#include "regular.h"
#include "spaces.h"

#define LINE_BYTES 8192		/* PATH_MAX, with escapes, and what stands before */

bool dn_inode_generation(int fd, uint32_t *generation)
{
	long written = 0;	/* an int is (ioctl_iflags(2)) */

	if (ioctl(fd, FS_IOC_GETVERSION, &written))
		return false;
	*generation = (uint32_t)written;
	return true;
}

/* The file of a mapping; below 0: there is none. */
static int open_file(int dir, const struct dn_pid_map *m, const char *path)
{
	char name[LINE_BYTES + 16];
	struct stat st;
	int at, fd;

	snprintf(name, sizeof(name), "map_files/%llx-%llx", (unsigned long long)m->start, (unsigned long long)m->end);
	at = openat(dir, name, O_PATH | O_CLOEXEC);
	if (at < 0) {
		snprintf(name, sizeof(name), "root%s", path);
		at = openat(dir, name, O_PATH | O_CLOEXEC);
	}
	if (at < 0)
		return -1;
	fd = dn_regular_open(at);
	if (fd >= 0 && (fstat(fd, &st) || st.st_ino != m->inode)) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Which file it is: by its build-id, else by its inode. */
static void identify(int dir, const struct dn_pid_map *m, struct dn_map_event *e)
{
	uint32_t generation;
	int fd = m->inode && e->path[0] == '/' ? open_file(dir, m, e->path) : -1;

	e->dev = m->dev;
	e->inode = m->inode;
	if (fd < 0)
		return;
	if (!dn_elf_build_id(fd, &e->build_id) && e->build_id.len)
		e->dev = e->inode = 0;
	else if (dn_inode_generation(fd, &generation))
		e->generation = generation;
	close(fd);
}

int dn_mappings_read(pid_t pid, uint64_t time, void (*fn)(void *ctx, const struct dn_map_event *e), void *ctx)
{
	char proc[32], buf[LINE_BYTES], *line;
	struct dn_numbers tasks = { .fd = -1 };
	struct dn_lines l;
	struct dn_pid_map m;
	uint32_t tid;
	size_t len;
	int dir, err;

	snprintf(proc, sizeof(proc), "/proc/%d", (int)pid);
	dir = open(proc, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	err = dn_lines_open(&l, dir, "maps", buf, sizeof(buf) - 1);
	while (!err && (err = dn_lines_next(&l, &line, &len)) > 0) {
		struct dn_map_event e = { .kind = DN_MAP_CODE, .pid = (uint32_t)pid, .time = time };
		char *path;

		err = 0;
		if (dn_parse_pid_map(line, len, &m) || !(m.prot & PROT_EXEC))
			continue;
		path = line + (m.path - line);
		path[dn_unescape_map_path(path, m.path_len)] = 0;	/* over the newline, which is not handed out */
		e.start = m.start;
		e.end = m.end;
		e.pgoff = m.offset;
		e.path = path[0] ? path : "//anon";
		identify(dir, &m, &e);
		fn(ctx, &e);
	}
	dn_lines_close(&l);
	if (!err)
		err = dn_numbers_open(&tasks, dir, "task");
	while (!err && dn_numbers_next(&tasks, &tid) > 0)
		if (tid != (uint32_t)pid)
			fn(ctx, &(struct dn_map_event){ .kind = DN_MAP_FORK, .pid = (uint32_t)pid,
				.parent = (uint32_t)pid, .time = time });
	dn_numbers_close(&tasks);
	close(dir);
	return err;
}
