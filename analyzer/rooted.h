/*
 * rooted.h - opening files below a directory that stands for the root, by paths that
 * somebody else wrote.
 *
 * A path is taken as a process would that has the directory for its root (chroot(2)): ".." at the
 * top stays there, and a symbolic link with a whole path leads below the directory.
 * Only regular files that tell a size are opened: to open a device may be to have it do
 * something, a FIFO waits, and those without a size are of proc and the like, where to read
 * may be to take away.
 */
#ifndef DN_ANALYZER_ROOTED_H
#define DN_ANALYZER_ROOTED_H

#define DN_ROOTED_PATH_MAX 4096	/* with its NUL */

/*
 * A descriptor to read from. root is one of a directory. -ENOENT, -ENOTDIR, -EACCES and the like;
 * -ELOOP: 40 symbolic links or 64 directories within one another; -ENAMETOOLONG; -EINVAL: no
 * regular file, or an empty one.
 */
int dn_rooted_open(int root, const char *path);

/* The same without openat2(2), which the other one takes where there is one (Linux 5.6). */
int dn_rooted_walk(int root, const char *path);

#endif
