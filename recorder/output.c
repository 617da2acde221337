/*
 * output.c - opening with care, writing whole.
 */
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "block.h"

#define RESERVE (64 << 10)

struct dn_output {
	int fd;
	int dir;		/* of the file; -1: not a file */
	int reserve;		/* a nameless file that holds some disk space; -1: none */
	char path[PATH_MAX];	/* as shown */
	char name[NAME_MAX + 1];
	char temp[NAME_MAX + 32];
	bool kept;		/* not to be removed */
	bool broken;		/* a stream that took half of a block */
	uint64_t size;
};

/* Rights of this process, kept while those of the caller are worn. */
struct rights {
	uid_t uid;
	gid_t gid;
	int ngroups;
	gid_t group[1024];
};

/* Under sudo: the rights of the caller, so that a path of theirs cannot make
 * root write where they could not. 1: they are worn now; 0: there is no caller;
 * -errno: they cannot be had, and root's must not do instead. */
static int become_caller(struct rights *own)
{
	const char *u = secure_getenv("SUDO_UID"), *g = secure_getenv("SUDO_GID");
	const struct passwd *pw;
	int err = 0;
	gid_t gid;
	uid_t uid;

	own->uid = geteuid();
	own->gid = getegid();
	if (own->uid || !u || !g || !atoi(u))
		return 0;
	uid = (uid_t)atoi(u);
	gid = (gid_t)atoi(g);
	own->ngroups = getgroups(sizeof(own->group) / sizeof(own->group[0]), own->group);
	if (own->ngroups < 0)
		return -errno;
	pw = getpwuid(uid);
	if (pw ? initgroups(pw->pw_name, gid) : setgroups(1, &gid))
		return -errno;
	if (!setegid(gid) && !seteuid(uid))
		return 1;
	err = -errno;
	if (setegid(own->gid) || setgroups((size_t)own->ngroups, own->group))
		abort();	/* going on with half of the rights is worse */
	return err;
}

static void become_self(const struct rights *own)
{
	if (seteuid(own->uid) || setegid(own->gid) ||
	    setgroups((size_t)own->ngroups, own->group))
		abort();
}

/* A trace, or empty: nobody's loss. */
static bool is_trace(int dir, const char *name)
{
	uint8_t magic[DN_MAGIC_LEN];
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	ssize_t n;

	if (fd < 0)
		return false;
	n = read(fd, magic, sizeof(magic));
	close(fd);
	return !n || (n == DN_MAGIC_LEN && !memcmp(magic, dn_file_magic, DN_MAGIC_LEN));
}

/* Neither ours nor root's. */
static bool foreign(const struct stat *st)
{
	return st->st_uid && st->st_uid != geteuid();
}

/* Whether what stands under the name may be moved aside. 0 or -errno. */
static int may_replace(struct dn_output *o, const struct stat *st, const char *path, char why[512])
{
	char old[NAME_MAX + 8];
	struct stat kept;

	if (S_ISLNK(st->st_mode)) {
		snprintf(why, 512, "%.300s is a symbolic link; name the file itself with -o", path);
		return -ELOOP;
	}
	if (S_ISDIR(st->st_mode)) {
		snprintf(why, 512, "%.300s is a directory; name a file with -o", path);
		return -EISDIR;
	}
	if (!S_ISREG(st->st_mode)) {
		snprintf(why, 512, "%.300s is neither a file nor a pipe; name another with -o", path);
		return -EINVAL;
	}
	if (faccessat(o->dir, o->name, R_OK, AT_EACCESS)) {
		snprintf(why, 512, "%.300s is there and cannot be read: %s; name another file with -o", path,
			 strerror(errno));
		return -EACCES;
	}
	if (!is_trace(o->dir, o->name)) {
		snprintf(why, 512, "%.300s is there and is not a trace; remove it or name another file with -o",
			 path);
		return -EEXIST;
	}
	snprintf(old, sizeof(old), "%s.old", o->name);
	if (!fstatat(o->dir, old, &kept, AT_SYMLINK_NOFOLLOW) &&
	    (!S_ISREG(kept.st_mode) || !is_trace(o->dir, old))) {
		snprintf(why, 512, "%.200s cannot be kept as %.100s, which is there and is not a trace; "
			 "remove that or name another file with -o", path, old);
		return -EEXIST;
	}
	if (st->st_uid != geteuid()) {
		snprintf(why, 512, "%.300s belongs to another user; name another file with -o", path);
		return -EPERM;
	}
	return 0;
}

/* Space for the totals and the footer, should the disk be full by then. Where
 * the file system cannot, there is none. */
static void keep_reserve(struct dn_output *o)
{
	o->reserve = openat(o->dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (o->reserve >= 0 && fallocate(o->reserve, 0, 0, RESERVE)) {
		close(o->reserve);
		o->reserve = -1;
	}
}

void dn_output_use_reserve(struct dn_output *o)
{
	if (o->reserve >= 0)
		close(o->reserve);
	o->reserve = -1;
}

const char *dn_output_name(const struct dn_output *o)
{
	return o->path;
}

static int open_file(struct dn_output *o, const char *path, char why[512])
{
	const char *slash = strrchr(path, '/');
	char dir[PATH_MAX];
	struct stat st;
	int err;

	snprintf(dir, sizeof(dir), "%.*s", slash ? (int)(slash - path) + 1 : 1, slash ? path : ".");
	if (snprintf(o->name, sizeof(o->name), "%s", slash ? slash + 1 : path) >= (int)sizeof(o->name) ||
	    strlen(path) >= sizeof(dir)) {
		snprintf(why, 512, "the name of the output is too long; name another file with -o");
		return -ENAMETOOLONG;
	}
	if (!o->name[0]) {
		snprintf(why, 512, "%.300s is a directory; name a file with -o", path);
		return -EISDIR;
	}
	o->dir = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (o->dir < 0) {
		err = -errno;
		snprintf(why, 512, "cannot open the directory of %.300s: %s; name another place with -o",
			 path, strerror(errno));
		return err;
	}
	if (!fstatat(o->dir, o->name, &st, AT_SYMLINK_NOFOLLOW)) {
		if (S_ISFIFO(st.st_mode) && foreign(&st)) {
			snprintf(why, 512, "%.300s is a pipe of another user, who would read the trace; name "
				 "another file with -o", path);
			return -EACCES;
		}
		if (S_ISCHR(st.st_mode) || S_ISFIFO(st.st_mode)) {	/* /dev/null, a named pipe */
			o->fd = openat(o->dir, o->name, O_WRONLY | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY);
			close(o->dir);
			o->dir = -1;
			if (o->fd >= 0 && !fstat(o->fd, &st) && !(S_ISFIFO(st.st_mode) && foreign(&st)))
				return 0;
			err = o->fd >= 0 ? -EACCES : -errno;
			errno = -err;
			snprintf(why, 512, "cannot write to %.300s: %s; name another file with -o", path,
				 strerror(errno));
			return err;
		}
		err = may_replace(o, &st, path, why);
		if (err)
			return err;
	}
	for (unsigned i = 0; i < 100; i++) {
		snprintf(o->temp, sizeof(o->temp), "%.200s.%ld.%u.part", o->name, (long)getpid(), i);
		o->fd = openat(o->dir, o->temp,
			       O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (o->fd >= 0) {
			keep_reserve(o);
			return 0;
		}
		if (errno != EEXIST)
			break;
	}
	err = -errno;
	snprintf(why, 512, "cannot create %.300s: %s; name another place with -o", path, strerror(errno));
	return err;
}

struct dn_output *dn_output_open(const char *path, char why[512])
{
	struct dn_output *o = calloc(1, sizeof(*o));
	struct rights own;
	int changed, err;

	why[0] = 0;
	if (!o)
		return NULL;
	o->fd = o->dir = o->reserve = -1;
	snprintf(o->path, sizeof(o->path), "%s", strcmp(path, "-") ? path : "standard output");
	if (!strcmp(path, "-")) {
		if (isatty(STDOUT_FILENO)) {
			snprintf(why, 512, "standard output is a terminal; "
				 "send it to a file or a program, or name a file with -o");
			free(o);
			errno = ENOTTY;
			return NULL;
		}
		o->fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
		err = o->fd < 0 ? -errno : 0;
		if (err)
			snprintf(why, 512, "standard output is closed; name a file with -o");
	} else {
		changed = become_caller(&own);
		err = changed < 0 ? changed : open_file(o, path, why);
		if (changed < 0)
			snprintf(why, 512, "cannot open %.300s with the rights of the user who called sudo: "
				 "%s; record without SUDO_UID in the environment", path, strerror(-err));
		if (changed > 0)
			become_self(&own);
	}
	if (err) {
		if (o->dir >= 0)
			close(o->dir);
		free(o);
		errno = -err;
		return NULL;
	}
	return o;
}

int dn_output_commit(struct dn_output *o)
{
	char old[NAME_MAX + 8], shown[PATH_MAX];
	struct rights own;
	int changed, err;

	if (o->dir < 0)
		return 0;
	changed = become_caller(&own);
	err = changed < 0 ? changed : 0;
	snprintf(old, sizeof(old), "%s.old", o->name);
	if (!err && renameat(o->dir, o->name, o->dir, old) && errno != ENOENT)
		err = -errno;
	if (!err && renameat(o->dir, o->temp, o->dir, o->name))
		err = -errno;
	if (changed > 0)
		become_self(&own);
	o->kept = true;
	if (err)
		snprintf(o->path, sizeof(o->path), "%.*s%s", (int)(strlen(o->path) - strlen(o->name)),
			 strcpy(shown, o->path), o->temp);
	return err;
}

int dn_output_write(struct dn_output *o, const void *p, size_t len)
{
	size_t done = 0;
	int err;

	if (o->broken)
		return -EPIPE;
	while (done < len) {
		ssize_t n = write(o->fd, (const char *)p + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			err = n ? -errno : -EIO;
			if (o->dir < 0)
				o->broken = true;
			else if (ftruncate(o->fd, (off_t)o->size) ||
				 lseek(o->fd, (off_t)o->size, SEEK_SET) < 0)
				o->broken = true;
			return err;
		}
		done += (size_t)n;
	}
	o->size += len;
	return 0;
}

int dn_output_sync(struct dn_output *o)
{
	return o->dir >= 0 && fdatasync(o->fd) ? -errno : 0;
}

uint64_t dn_output_size(const struct dn_output *o)
{
	return o->size;
}

int dn_output_close(struct dn_output *o)
{
	int err = 0;

	if (!o)
		return 0;
	dn_output_use_reserve(o);
	if (o->dir >= 0) {
		if (!o->kept)
			unlinkat(o->dir, o->temp, 0);
		close(o->dir);
	}
	if (close(o->fd))
		err = -errno;
	free(o);
	return err;
}
