# texts.awk - which arguments of which call are strings to compare: the paths, and a
# few names. Written down by hand: the tables of denet are not asked.
function texts(args, list, i, n, part)
{
	n = split(list, part, " ")
	for (i = 1; i <= n; i++)
		text_args[part[i]] = args
}

# Of what is longer than PATH_MAX one of the two keeps a byte less.
function cut(s)
{
	return s ~ /\.\.\.$/ && length(s) > 8190 ? substr(s, 1, 8190) "..." : s
}

BEGIN {
	texts("0", "open creat stat lstat access chdir mkdir rmdir unlink chmod chown lchown " \
	      "truncate truncate64 readlink statfs statfs64 chroot mknod umount2 utime utimes " \
	      "execve stat64 lstat64 listxattr llistxattr acct swapon swapoff memfd_create")
	texts("1", "openat openat2 mkdirat unlinkat mknodat fchmodat fchownat faccessat " \
	      "faccessat2 newfstatat fstatat64 statx readlinkat utimensat futimesat " \
	      "name_to_handle_at execveat inotify_add_watch")
	texts("0,1", "rename link symlink pivot_root getxattr setxattr lgetxattr lsetxattr " \
	      "removexattr lremovexattr")
	texts("0,2", "symlinkat")
	texts("1,3", "renameat renameat2 linkat move_mount")
	texts("0,1,2", "mount")
}
