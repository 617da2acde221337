/*
 * rooted.c - openat2(2) where the kernel has it, else a walk by single names.
 *
 * The walk keeps each directory that it went down through open and goes up by closing: ".." is
 * never asked of the kernel, so that a directory that is moved meanwhile leads nowhere else.
 */
#include "rooted.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/syscall.h>
#endif

#include "regular.h"

#define DEPTH_MAX 64
#define LINKS_MAX 40	/* as the kernel's (path_resolution(7)) */

#ifndef O_PATH
#define O_PATH O_RDONLY
#endif

/* --- the walk ------------------------------------------------------------ */

struct walk {
	int dir[DEPTH_MAX + 1];		/* the first is the caller's */
	unsigned depth;
	unsigned links;
	char rest[DN_ROOTED_PATH_MAX];	/* what is to go yet */
};

static void up(struct walk *w, unsigned depth)
{
	while (w->depth > depth)
		close(w->dir[w->depth--]);
}

/* Puts what the link says in the place of it. */
static int follow(struct walk *w, const char *name, const char *behind)
{
	char to[DN_ROOTED_PATH_MAX];
	ssize_t n = readlinkat(w->dir[w->depth], name, to, sizeof(to));
	size_t len = strlen(behind);

	if (n < 0)
		return -errno;
	if (++w->links > LINKS_MAX)
		return -ELOOP;
	if (!n || (size_t)n + len >= sizeof(w->rest))
		return -ENAMETOOLONG;
	if (to[0] == '/')
		up(w, 0);
	memmove(w->rest + n, behind, len + 1);
	memcpy(w->rest, to, (size_t)n);
	return 0;
}

static int down(struct walk *w, const char *name)
{
	int fd;

	if (w->depth == DEPTH_MAX)
		return -ELOOP;
	fd = openat(w->dir[w->depth], name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	w->dir[++w->depth] = fd;
	return 0;
}

/* What was looked at, if it is that still. */
static int last(const struct walk *w, const char *name, const struct stat *seen)
{
	struct stat st;
	int fd;

	if (!dn_is_regular(seen))
		return -EINVAL;
	fd = openat(w->dir[w->depth], name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (!fstat(fd, &st) && dn_is_regular(&st) && st.st_dev == seen->st_dev && st.st_ino == seen->st_ino)
		return fd;
	close(fd);
	return -EINVAL;
}

/* The next name of the path. 0: go on; a descriptor; or a negative errno. */
static int step(struct walk *w, bool *done)
{
	char name[DN_ROOTED_PATH_MAX], *p = w->rest + strspn(w->rest, "/");
	size_t len = strcspn(p, "/");
	struct stat st;
	int ret;

	if (!len)
		return -EINVAL;		/* a directory */
	memcpy(name, p, len);
	name[len] = 0;
	p += len;
	memmove(w->rest, p, strlen(p) + 1);
	if (!strcmp(name, "."))
		return 0;
	if (!strcmp(name, "..")) {
		up(w, w->depth ? w->depth - 1 : 0);
		return 0;
	}
	if (fstatat(w->dir[w->depth], name, &st, AT_SYMLINK_NOFOLLOW))
		return -errno;
	if (S_ISLNK(st.st_mode)) {
		char behind[DN_ROOTED_PATH_MAX];

		memcpy(behind, w->rest, strlen(w->rest) + 1);
		return follow(w, name, behind);
	}
	if (w->rest[0])
		return down(w, name);
	ret = last(w, name, &st);
	*done = ret >= 0;
	return ret;
}

int dn_rooted_walk(int root, const char *path)
{
	struct walk w = { .dir = { root } };
	size_t len = strlen(path);
	bool done = false;
	int ret = 0;

	if (len >= sizeof(w.rest))
		return -ENAMETOOLONG;
	memcpy(w.rest, path, len + 1);
	while (!ret && !done)
		ret = step(&w, &done);
	up(&w, 0);
	return ret;
}

/* --- in one call --------------------------------------------------------- */

#ifdef SYS_openat2
/* As openat2(2) has them; <linux/openat2.h> is no older than the call. */
struct how {
	uint64_t flags;
	uint64_t mode;
	uint64_t resolve;
};

#define NO_MAGICLINKS 0x02
#define IN_ROOT 0x10

/* O_PATH opens nothing yet, whatever stands there. */
static int by_kernel(int root, const char *path)
{
	const struct how how = { O_PATH | O_CLOEXEC, 0, IN_ROOT | NO_MAGICLINKS };
	int at = (int)syscall(SYS_openat2, root, path, &how, sizeof(how)), fd;

	if (at < 0)
		return -errno;
	fd = dn_regular_open(at);
	return fd >= 0 || fd == -EINVAL || fd == -EACCES ? fd : -ENOSYS;	/* there is no /proc */
}
#else
static int by_kernel(int root, const char *path)
{
	(void)root;
	(void)path;
	return -ENOSYS;
}
#endif

int dn_rooted_open(int root, const char *path)
{
	int fd = strlen(path) >= DN_ROOTED_PATH_MAX ? -ENAMETOOLONG : by_kernel(root, path);

	/* Some filters of system calls say EPERM of one that they do not know; EAGAIN is of a race with rename(2). */
	return fd == -ENOSYS || fd == -EPERM || fd == -EAGAIN || fd == -E2BIG ? dn_rooted_walk(root, path) : fd;
}
