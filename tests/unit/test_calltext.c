/*
 * System calls as text. Every expected line but those marked "own" was printed
 * by strace 6.1 for the very call (addresses and numbers as they came); where
 * strace looks into a buffer that a trace does not hold, the line has the
 * address in its place.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "calltext.h"
#include "syscalls.h"

#define X86_64 DN_ABI_X86_64
#define I386 DN_ABI_I386
#define ARM DN_ABI_ARM
#define AARCH64 DN_ABI_AARCH64
#define X32 DN_ABI_X32

#define CWD (uint64_t)-100
#define MINUS1 (uint64_t)-1
#define A(...) { __VA_ARGS__ }
#define STR(i, k, f, s) { .arg = i, .kind = DN_STR_##k, .flags = f, .p = s, .len = sizeof(s) - 1, .true_len = sizeof(s) - 1 }
#define PATH(i, s) STR(i, PATH, 0, s)
#define TEXT(i, s) STR(i, TEXT, 0, s)
#define ADDRESS(i, s) STR(i, SOCKADDR, 0, s)

struct call_case {
	const char *text;
	enum dn_abi abi;
	const char *name;
	int64_t ret;
	uint64_t args[DN_CALL_ARGS];
	struct dn_call_str str[DN_CALL_STRS];
	uint32_t flags;
};

#define S(...) .str = { __VA_ARGS__ }
#define C(line, a, call, result, values, ...)                                 \
	{ .text = line, .abi = a, .name = call, .ret = result, .args = values, __VA_ARGS__ }

static void check(const struct call_case *k, const struct dn_calltext_opts *opts)
{
	struct dn_syscall c = { .abi = (uint8_t)k->abi, .ret = k->ret, .flags = k->flags };
	const struct dn_syscall_info *info;
	struct dn_text t = { 0 };
	int nr = dn_syscall_nr(k->abi, k->name);

	if (nr < 0)
		fail_msg("no call %s", k->name);
	c.nr = (uint32_t)nr;
	info = dn_syscall_info(k->abi, c.nr);
	c.nargs = info->nargs;
	memcpy(c.args, k->args, sizeof(c.args));
	memcpy(c.str, k->str, sizeof(c.str));
	while (c.nstr < DN_CALL_STRS && c.str[c.nstr].p)
		c.nstr++;
	c.dur = 12345;
	dn_calltext(&t, &c, opts);
	assert_false(t.failed);
	assert_string_equal(t.p, k->text);
	assert_int_equal(strlen(t.p), t.len);
	dn_text_free(&t);
}

static void check_all(const struct call_case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++)
		check(&cases[i], NULL);
}
#define CHECK_ALL(cases) check_all(cases, sizeof(cases) / sizeof((cases)[0]))

static void files(void **state)
{
	static const struct call_case cases[] = {
		C("pipe2([3, 4], O_CLOEXEC) = 0",
		  X86_64, "pipe2", 0, A(1, 02000000), S(STR(0, FDS, 0, "\3\0\0\0\4\0\0\0"))),
		C("socketpair(AF_UNIX, SOCK_STREAM, 0, [300, 4]) = 0",
		  I386, "socketpair", 0, A(1, 1, 0, 1), S(STR(3, FDS, 0, "\54\1\0\0\4\0\0\0"))),
		C("pipe2(0x10, 0) = 0", /* own: not read in whole */
		  X86_64, "pipe2", 0, A(16, 0), S(STR(0, FDS, 0, "\3\0\0"))),
		C("openat(AT_FDCWD, \"/etc/ld.so.cache\", O_RDONLY|O_CLOEXEC) = 5",
		  X86_64, "openat", 5, A(CWD, 1, 02000000, 0), S(PATH(1, "/etc/ld.so.cache"))),
		C("openat(AT_FDCWD, \"x\", O_ACCMODE|O_CREAT|O_EXCL|O_NOCTTY|O_TRUNC|O_APPEND|"
		  "O_NONBLOCK|O_SYNC|O_DIRECT|O_LARGEFILE|O_NOFOLLOW|O_NOATIME|O_CLOEXEC|O_PATH|"
		  /* own: the last is newer than that strace */
		  "O_TMPFILE|FASYNC|O_EMPTYPATH|0xfb80003c, 0777) = -1 ENOTDIR (Not a directory)",
		  X86_64, "openat", -20, A(CWD, 1, MINUS1, 0777), S(PATH(1, "x"))),
		C("openat(3, NULL, O_RDONLY) = -1 EFAULT (Bad address)",
		  X86_64, "openat", -14, A(3, 0, 0, 0)),
		C("openat(3, 0x8, O_ACCMODE) = -1 EFAULT (Bad address)",
		  X86_64, "openat", -14, A(3, 8, 3, 0), S(STR(1, PATH, DN_STR_UNREADABLE, ""))),
		C("open(\"x\", O_WRONLY|O_CREAT, 0644) = 3",
		  X86_64, "open", 3, A(1, 0101, 0644), S(PATH(0, "x"))),
		C("open(\"x\", O_RDWR|O_TMPFILE, 0644) = -1 ENOTDIR (Not a directory)",
		  X86_64, "open", -20, A(1, 020200002, 0644), S(PATH(0, "x"))),
		C("open(\"x\", O_RDONLY|O_SYNC) = 4",
		  X86_64, "open", 4, A(1, 04010000, 0644), S(PATH(0, "x"))),
		C("open(\"x\", O_RDONLY|O_DSYNC) = 5",
		  X86_64, "open", 5, A(1, 010000, 0644), S(PATH(0, "x"))),
		C("access(\"x\", F_OK) = 0", X86_64, "access", 0, A(1, 0), S(PATH(0, "x"))),
		C("access(\"x\", R_OK|W_OK|X_OK) = -1 EACCES (Permission denied)",
		  X86_64, "access", -13, A(1, 7), S(PATH(0, "x"))),
		C("access(\"x\", 0x8 /* ?_OK */) = -1 EINVAL (Invalid argument)",
		  X86_64, "access", -22, A(1, 8), S(PATH(0, "x"))),
		C("faccessat(AT_FDCWD, \"x\", R_OK|W_OK|X_OK|0x8) = -1 EINVAL (Invalid argument)",
		  X86_64, "faccessat", -22, A(CWD, 1, 15), S(PATH(1, "x"))),
		C("lseek(5, 4294967291, 0x9 /* SEEK_??? */) = -1 EINVAL (Invalid argument)",
		  X86_64, "lseek", -22, A(5, 4294967291, 9)),
		C("lseek(5, -5, SEEK_END) = -1 EINVAL (Invalid argument)",
		  X86_64, "lseek", -22, A(5, (uint64_t)-5, 2)),
		C("chmod(\"nonex\", 000) = -1 ENOENT (No such file or directory)",
		  X86_64, "chmod", -2, A(1, 0), S(PATH(0, "nonex"))),
		C("mkdir(\"/\", 01777) = -1 EEXIST (File exists)",
		  X86_64, "mkdir", -17, A(1, 01777), S(PATH(0, "/"))),
		C("mknod(\"/proc/x\", S_IFREG|0644) = -1 ENOENT (No such file or directory)",
		  X86_64, "mknod", -2, A(1, 0100644, 0), S(PATH(0, "/proc/x"))),
		C("mknod(\"/proc/x\", S_IFCHR|0644, makedev(0x5, 0x1)) = -1 ENOENT (No such file or directory)",
		  X86_64, "mknod", -2, A(1, 020644, 0x501), S(PATH(0, "/proc/x"))),
		C("umask(022) = 022", X86_64, "umask", 022, A(022)),
		C("chown(\"nonex\", -1, -1) = -1 ENOENT (No such file or directory)",
		  X86_64, "chown", -2, A(1, MINUS1, 0xffffffff), S(PATH(0, "nonex"))),
		C("newfstatat(AT_FDCWD, \"\", NULL, AT_EMPTY_PATH) = -1 EFAULT (Bad address)",
		  X86_64, "newfstatat", -14, A(CWD, 1, 0, 0x1000), S(PATH(1, ""))),
		C("newfstatat(AT_FDCWD, \"\", NULL, 0x80000000 /* AT_??? */) = -1 EINVAL (Invalid argument)",
		  X86_64, "newfstatat", -22, A(CWD, 1, 0, 0x80000000), S(PATH(1, ""))),
		C("statx(AT_FDCWD, \"none\", AT_STATX_FORCE_SYNC|AT_SYMLINK_NOFOLLOW, STATX_ALL, NULL) = -1 ENOENT (No such file or directory)",
		  X86_64, "statx", -2, A(CWD, 1, 0x2100, 0xfff, 0), S(PATH(1, "none"))),
		C("statx(AT_FDCWD, \"none\", AT_STATX_SYNC_AS_STAT|AT_EMPTY_PATH, STATX_BASIC_STATS|STATX_MNT_ID, NULL) = -1 ENOENT (No such file or directory)",
		  X86_64, "statx", -2, A(CWD, 1, 0x1000, 0x17ff, 0), S(PATH(1, "none"))),
		C("unlinkat(AT_FDCWD, \"none\", 0) = -1 ENOENT (No such file or directory)",
		  X86_64, "unlinkat", -2, A(CWD, 1, 0), S(PATH(1, "none"))),
		C("linkat(AT_FDCWD, \"none\", AT_FDCWD, \"x\", AT_SYMLINK_FOLLOW) = -1 ENOENT (No such file or directory)",
		  X86_64, "linkat", -2, A(CWD, 1, CWD, 1, 0x400), S(PATH(1, "none"), PATH(3, "x"))),
		C("renameat2(AT_FDCWD, \"none\", AT_FDCWD, \"b\", RENAME_NOREPLACE) = -1 ENOENT (No such file or directory)",
		  X86_64, "renameat2", -2, A(CWD, 1, CWD, 1, 1), S(PATH(1, "none"), PATH(3, "b"))),
		C("fcntl(3, F_GETFL) = 0x8000 (flags O_RDONLY|O_LARGEFILE)",
		  X86_64, "fcntl", 0x8000, A(3, 3, 0)),
		C("fcntl(3, F_GETFD) = 0x1 (flags FD_CLOEXEC)", X86_64, "fcntl", 1, A(3, 1, 0)),
		C("fcntl(3, F_GETFD) = 0", X86_64, "fcntl", 0, A(3, 1, 0)),
		C("fcntl(3, F_SETFD, 0) = 0", X86_64, "fcntl", 0, A(3, 2, 0)),
		C("fcntl(1, F_SETFD, FD_CLOEXEC|0x2) = 0", X86_64, "fcntl", 0, A(1, 2, 3)),
		C("fcntl(0, F_SETFL, O_RDONLY|O_NONBLOCK) = 0", X86_64, "fcntl", 0, A(0, 4, 04000)),
		C("fcntl(99, F_SETLK, NULL) = -1 EBADF (Bad file descriptor)",
		  X86_64, "fcntl", -9, A(99, 6, 0)),
		C("fcntl(1, F_DUPFD_CLOEXEC, 10) = 12", X86_64, "fcntl", 12, A(1, 1030, 10)),
		C("fcntl(1, 0x3e7 /* F_??? */, 0xa) = -1 EINVAL (Invalid argument)",
		  X86_64, "fcntl", -22, A(1, 999, 10)),
		C("fcntl(1, F_ADD_SEALS, F_SEAL_SEAL|F_SEAL_SHRINK) = -1 EINVAL (Invalid argument)",
		  X86_64, "fcntl", -22, A(1, 1033, 3)),
		C("fcntl(1, F_SETSIG, SIGKILL) = 0", X86_64, "fcntl", 0, A(1, 10, 9)),
		C("fcntl(1, F_GETSIG) = 9 (SIGKILL)", X86_64, "fcntl", 9, A(1, 11, 0)),
		C("fcntl(1, F_SETLEASE, F_UNLCK) = -1 EAGAIN (Resource temporarily unavailable)",
		  X86_64, "fcntl", -11, A(1, 1024, 2)),
		C("ioctl(-1, TCGETS, NULL) = -1 EBADF (Bad file descriptor)",
		  X86_64, "ioctl", -9, A(MINUS1, 0x5401, 0)),
		C("ioctl(-1, _IOC(_IOC_NONE, 0x56, 0x78, 0x1234), 0x1) = -1 EBADF (Bad file descriptor)",
		  X86_64, "ioctl", -9, A(MINUS1, 0x12345678, 1)),
		C("ioctl(-1, FIOCLEX) = -1 EBADF (Bad file descriptor)",
		  X86_64, "ioctl", -9, A(MINUS1, 0x5451, 1)),
		C("flock(-1, LOCK_EX|LOCK_NB) = -1 EBADF (Bad file descriptor)",
		  X86_64, "flock", -9, A(MINUS1, 6)),
		C("fallocate(-1, FALLOC_FL_KEEP_SIZE|FALLOC_FL_PUNCH_HOLE, 0, 5) = -1 EBADF (Bad file descriptor)",
		  X86_64, "fallocate", -9, A(MINUS1, 3, 0, 5)),
		C("preadv(-1, NULL, 1, 5) = -1 EBADF (Bad file descriptor)",
		  X86_64, "preadv", -9, A(MINUS1, 0, 1, 5, 0)),
		C("preadv2(-1, NULL, 1, -1, RWF_DSYNC) = -1 EBADF (Bad file descriptor)",
		  X86_64, "preadv2", -9, A(MINUS1, 0, 1, MINUS1, MINUS1, 2)),
		C("setxattr(\"x\", \"user.a\", 0x55, 1, XATTR_REPLACE) = -1 ENODATA (No data available)",
		  X86_64, "setxattr", -61, A(1, 2, 0x55, 1, 2), S(PATH(0, "x"), TEXT(1, "user.a"))),
		C("inotify_add_watch(-1, \"x\", IN_ATTRIB|IN_CLOSE_WRITE|IN_CLOSE_NOWRITE|IN_OPEN) = -1 EBADF (Bad file descriptor)",
		  X86_64, "inotify_add_watch", -9, A(MINUS1, 1, 0x3c), S(PATH(1, "x"))),
		C("fanotify_init(FAN_CLASS_NOTIF, O_RDONLY) = 20", X86_64, "fanotify_init", 20, A(0, 0)),
		C("epoll_ctl(-1, 0x9 /* EPOLL_CTL_??? */, 5, NULL) = -1 EFAULT (Bad address)",
		  X86_64, "epoll_ctl", -14, A(MINUS1, 9, 5, 0)),
		C("mount(\"src\", \"/nonex\", \"tmpfs\", MS_MGC_VAL|MS_RDONLY, NULL) = -1 ENOENT (No such file or directory)",
		  X86_64, "mount", -2, A(1, 2, 3, 0xC0ED0001, 0),
		  S(PATH(0, "src"), PATH(1, "/nonex"), TEXT(2, "tmpfs"))),
		C("umount2(\"/nonex\", MNT_DETACH|UMOUNT_NOFOLLOW) = -1 ENOENT (No such file or directory)",
		  X86_64, "umount2", -2, A(1, 10), S(PATH(0, "/nonex"))),
		C("io_uring_enter(-1, 1, 1, IORING_ENTER_GETEVENTS, NULL, 8) = -1 EBADF (Bad file descriptor)",
		  X86_64, "io_uring_enter", -9, A(MINUS1, 1, 1, 1, 0, 8)),
	};

	(void)state;
	CHECK_ALL(cases);
}

static void memory(void **state)
{
	static const struct call_case cases[] = {
		C("mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7f6b058e0000",
		  X86_64, "mmap", 0x7f6b058e0000, A(0, 4096, 3, 0x22, 0xffffffff, 0)),
		C("mmap(NULL, 0, PROT_NONE, MAP_FILE, 0, 0) = -1 EINVAL (Invalid argument)",
		  X86_64, "mmap", -22, A(0, 0, 0, 0, 0, 0)),
		C("mmap(NULL, 0, PROT_SEM, MAP_PRIVATE|MAP_32BIT|MAP_HUGETLB|21<<MAP_HUGE_SHIFT, 0, 0) = -1 EINVAL (Invalid argument)",
		  X86_64, "mmap", -22, A(0, 0, 8, 0x40 | 0x40000 | 21 << 26 | 2, 0, 0)),
		C("mmap(NULL, 0, 0x1000 /* PROT_??? */, 0x4 /* MAP_??? */, 0, 0) = -1 EINVAL (Invalid argument)",
		  X86_64, "mmap", -22, A(0, 0, 0x1000, 4, 0, 0)),
		C("mmap(0x7fad0b003000, 1400832, PROT_READ|PROT_EXEC, MAP_PRIVATE|MAP_FIXED|MAP_DENYWRITE, 5, 0x26000) = 0x7fad0b003000",
		  X86_64, "mmap", 0x7fad0b003000, A(0x7fad0b003000, 1400832, 5, 0x812, 5, 0x26000)),
		C("mprotect(NULL, 0, PROT_NONE) = 0", X86_64, "mprotect", 0, A(0, 0, 0)),
		C("madvise(NULL, 0, 0x63 /* MADV_??? */) = -1 EINVAL (Invalid argument)",
		  X86_64, "madvise", -22, A(0, 0, 99)),
		C("mremap(NULL, 0, 0, 0) = -1 EINVAL (Invalid argument)",
		  X86_64, "mremap", -22, A(0, 0, 0, 0, 0x77)),
		C("mremap(NULL, 0, 0, MREMAP_MAYMOVE|MREMAP_FIXED, 0x77) = -1 EINVAL (Invalid argument)",
		  X86_64, "mremap", -22, A(0, 0, 0, 3, 0x77)),
		C("mremap(NULL, 0, 0, 0x10 /* MREMAP_??? */) = -1 EINVAL (Invalid argument)",
		  X86_64, "mremap", -22, A(0, 0, 0, 0x10, 0x77)),
		C("brk(NULL) = 0x55a3b96ee000", X86_64, "brk", 0x55a3b96ee000, A(0)),
		C("memfd_create(\"m\", MFD_HUGETLB|21<<MFD_HUGE_SHIFT) = 16",
		  X86_64, "memfd_create", 16, A(1, 4 | 21 << 26), S(TEXT(0, "m"))),
		C("set_mempolicy(MPOL_DEFAULT, NULL, 0) = 0", X86_64, "set_mempolicy", 0, A(0, 0, 0)),
		C("shmat(-1, NULL, SHM_RDONLY) = -1 EINVAL (Invalid argument)",
		  X86_64, "shmat", -22, A(MINUS1, 0, 010000)),
	};

	(void)state;
	CHECK_ALL(cases);
}

static void processes(void **state)
{
	static const struct call_case cases[] = {
		C("clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID|SIGCHLD, child_tidptr=0x7f5c239a5a10) = 13172",
		  X86_64, "clone", 13172, A(0x1200011, 0, 0, 0x7f5c239a5a10, 0)),
		C("clone(child_stack=NULL, flags=CLONE_SIGHAND|SIGCHLD) = -1 EINVAL (Invalid argument)",
		  X86_64, "clone", -22, A(17 | 0x800, 0, 0, 0, 0)),
		C("clone(child_stack=0x5, flags=CLONE_VM|CLONE_PIDFD, parent_tid=NULL) = -1 EFAULT (Bad address)",
		  X86_64, "clone", -14, A(0x1100, 5, 0, 0, 0)),
		/* own: the order of the registers is the ABI's */
		C("clone(child_stack=NULL, flags=CLONE_SETTLS|CLONE_CHILD_SETTID|SIGCHLD, tls=0x10, child_tidptr=0x20) = 5",
		  AARCH64, "clone", 5, A(0x1080011, 0, 0, 0x10, 0x20)),
		C("unshare(0x800000 /* CLONE_??? */) = -1 EINVAL (Invalid argument)",
		  X86_64, "unshare", -22, A(0x800000)),
		C("unshare(0) = 0", X86_64, "unshare", 0, A(0)),
		C("setns(-1, CLONE_NEWNET) = -1 EBADF (Bad file descriptor)",
		  X86_64, "setns", -9, A(MINUS1, 0x40000000)),
		C("wait4(5, NULL, WNOHANG|WSTOPPED|__WALL, NULL) = -1 ECHILD (No child processes)",
		  X86_64, "wait4", -10, A(5, 0, 0x40000003, 0)),
		C("wait4(-1, NULL, WNOHANG, NULL) = -1 ECHILD (No child processes)",
		  X86_64, "wait4", -10, A(0xffffffff, 0, 1, 0)),
		C("waitid(P_ALL, 0, NULL, WEXITED, NULL) = -1 ECHILD (No child processes)",
		  X86_64, "waitid", -10, A(0, 0, 0, 4, 0)),
		C("prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) = 0", X86_64, "prctl", 0, A(38, 1, 0, 0, 0)),
		C("prctl(0x270f /* PR_??? */, 0x1, 0x2, 0x3, 0x4) = -1 EINVAL (Invalid argument)",
		  X86_64, "prctl", -22, A(9999, 1, 2, 3, 4)),
		C("prctl(PR_SET_CHILD_SUBREAPER, 1) = 0", X86_64, "prctl", 0, A(36, 1, 0, 0, 0)),
		C("prctl(PR_SET_PDEATHSIG, SIGKILL) = 0", X86_64, "prctl", 0, A(1, 9)),
		C("arch_prctl(ARCH_SET_FS, 0x7fad0afda740) = 0",
		  X86_64, "arch_prctl", 0, A(0x1002, 0x7fad0afda740)),
		C("arch_prctl(ARCH_GET_FS, NULL) = -1 EFAULT (Bad address)",
		  X86_64, "arch_prctl", -14, A(0x1003, 0)),
		C("prlimit64(0, 0x63 /* RLIMIT_??? */, NULL, NULL) = -1 EINVAL (Invalid argument)",
		  X86_64, "prlimit64", -22, A(0, 99, 0, 0)),
		C("getrusage(RUSAGE_CHILDREN, NULL) = -1 EFAULT (Bad address)",
		  X86_64, "getrusage", -14, A(0xffffffff, 0)),
		C("personality(0xffffffff) = 0 (PER_LINUX)", X86_64, "personality", 0, A(0xffffffff)),
		C("personality(PER_LINUX32) = 0x40000 (PER_LINUX|ADDR_NO_RANDOMIZE)",
		  X86_64, "personality", 0x40000, A(8)),
		C("ptrace(0x4d /* PTRACE_??? */, 1, NULL, NULL) = -1 ESRCH (No such process)",
		  X86_64, "ptrace", -3, A(77, 1, 0, 0)),
		C("rseq(0x7f5c239a4fe0, 0x20, 0, 0x53053053) = 0",
		  X86_64, "rseq", 0, A(0x7f5c239a4fe0, 0x20, 0, 0x53053053)),
		C("sched_setscheduler(0, SCHED_OTHER, NULL) = -1 EINVAL (Invalid argument)",
		  X86_64, "sched_setscheduler", -22, A(0, 0, 0)),
		C("sched_getscheduler(0) = 0 (SCHED_OTHER)", X86_64, "sched_getscheduler", 0, A(0)),
		C("ioprio_get(IOPRIO_WHO_PROCESS, 0) = 0 (IOPRIO_PRIO_VALUE(IOPRIO_CLASS_NONE, 0))",
		  X86_64, "ioprio_get", 0, A(1, 0)),
		C("ioprio_set(IOPRIO_WHO_PROCESS, 0, IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, 4)) = 0",
		  X86_64, "ioprio_set", 0, A(1, 0, 0x4004)),
		C("getuid() = 0", X86_64, "getuid", 0, A(0)),
		C("setresuid(-1, -1, -1) = 0", X86_64, "setresuid", 0, A(0xffffffff, MINUS1, MINUS1)),
	};

	(void)state;
	CHECK_ALL(cases);
}

static void futexes_and_ipc(void **state)
{
	static const struct call_case cases[] = {
		C("futex(0x7ffe7301652c, FUTEX_WAIT, 99, NULL) = -1 EAGAIN (Resource temporarily unavailable)",
		  X86_64, "futex", -11, A(0x7ffe7301652c, 0, 99, 0, 0, 0)),
		C("futex(0x7ffe7301652c, FUTEX_WAKE_PRIVATE, 2147483647) = 0",
		  X86_64, "futex", 0, A(0x7ffe7301652c, 129, 0x7fffffff, 5, 5, 5)),
		C("futex(0x7f5c239a4990, FUTEX_WAIT_BITSET|FUTEX_CLOCK_REALTIME, 13171, NULL, FUTEX_BITSET_MATCH_ANY) = 0",
		  X86_64, "futex", 0, A(0x7f5c239a4990, 9 | 256, 13171, 0, 0, 0xffffffff)),
		C("futex(0x7ffe7301652c, FUTEX_WAKE_OP_PRIVATE, 1, 1, 0x7ffe7301652c, FUTEX_OP_SET<<28|0<<12|FUTEX_OP_CMP_EQ<<24|0) = 0",
		  X86_64, "futex", 0, A(0x7ffe7301652c, 133, 1, 1, 0x7ffe7301652c, 0)),
		C("futex(0x7ffe7301652c, FUTEX_CMP_REQUEUE, 1, 1, 0x7ffe7301652c, 0) = 0",
		  X86_64, "futex", 0, A(0x7ffe7301652c, 4, 1, 1, 0x7ffe7301652c, 0)),
		C("futex(0x7ffe7301652c, 0x4d /* FUTEX_??? */, 1, 0x1, 0x7ffe7301652c, 0) = -1 ENOSYS (Function not implemented)",
		  X86_64, "futex", -38, A(0x7ffe7301652c, 77, 1, 1, 0x7ffe7301652c, 0)),
		C("futex(0x7ffe7301652c, FUTEX_WAKE_BITSET_PRIVATE, 1, FUTEX_BITSET_MATCH_ANY) = 0",
		  X86_64, "futex", 0, A(0x7ffe7301652c, 138, 1, 0, 0, MINUS1)),
		C("shmget(IPC_PRIVATE, 4096, IPC_CREAT|0600) = 0",
		  X86_64, "shmget", 0, A(0, 4096, 01600)),
		C("shmget(0x1234, 4096, 000) = -1 ENOENT (No such file or directory)",
		  X86_64, "shmget", -2, A(0x1234, 4096, 0)),
		C("msgget(IPC_PRIVATE, IPC_CREAT|IPC_EXCL|0666) = 0",
		  X86_64, "msgget", 0, A(0, 03666)),
		C("semget(IPC_PRIVATE, 1, 0600) = 0", X86_64, "semget", 0, A(0, 1, 0600)),
		C("semctl(-1, 0, SETVAL, 0x5) = -1 EINVAL (Invalid argument)",
		  X86_64, "semctl", -22, A(MINUS1, 0, 16, 5)),
		C("shmctl(-1, IPC_STAT, NULL) = -1 EINVAL (Invalid argument)",
		  X86_64, "shmctl", -22, A(MINUS1, 2, 0)),
		C("msgsnd(-1, NULL, 5, IPC_NOWAIT) = -1 EFAULT (Bad address)",
		  X86_64, "msgsnd", -14, A(MINUS1, 0, 5, 04000)),
		C("pipe2(NULL, O_CLOEXEC) = -1 EFAULT (Bad address)",
		  X86_64, "pipe2", -14, A(0, 02000000)),
		C("eventfd2(0, EFD_SEMAPHORE|EFD_CLOEXEC) = 19", X86_64, "eventfd2", 19, A(0, 02000001)),
	};

	(void)state;
	CHECK_ALL(cases);
}

static void signals_time_system(void **state)
{
	static const struct call_case cases[] = {
		C("kill(0, 0) = 0", X86_64, "kill", 0, A(0, 0)),
		C("kill(-1, 99) = -1 EINVAL (Invalid argument)", X86_64, "kill", -22, A(MINUS1, 99)),
		C("kill(999999, SIGRT_2) = -1 ESRCH (No such process)",
		  X86_64, "kill", -3, A(999999, 34)),
		C("kill(999999, SIGRTMIN) = -1 ESRCH (No such process)",
		  X86_64, "kill", -3, A(999999, 32)),
		C("kill(999999, -3) = -1 ESRCH (No such process)",
		  X86_64, "kill", -3, A(999999, 0xfffffffd)),
		C("kill(999999, SIGRT_32) = -1 ESRCH (No such process)",
		  X86_64, "kill", -3, A(999999, 64)),
		C("tgkill(1, 99999, 65) = -1 ESRCH (No such process)",
		  X86_64, "tgkill", -3, A(1, 99999, 65)),
		C("rt_sigprocmask(0x9 /* SIG_??? */, NULL, NULL, 8) = 0",
		  X86_64, "rt_sigprocmask", 0, A(9, 0, 0, 8)),
		C("rt_sigaction(SIGSEGV, NULL, NULL, 8) = 0", X86_64, "rt_sigaction", 0, A(11, 0, 0, 8)),
		C("signalfd4(-1, NULL, 8, SFD_CLOEXEC|SFD_NONBLOCK) = -1 EFAULT (Bad address)",
		  X86_64, "signalfd4", -14, A(MINUS1, 0, 8, 02004000)),
		C("clock_gettime(0xfffffffa /* CLOCK_??? */, NULL) = -1 EFAULT (Bad address)",
		  X86_64, "clock_gettime", -14, A((uint64_t)-6, 0)),
		C("clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, NULL, NULL) = -1 EFAULT (Bad address)",
		  X86_64, "clock_nanosleep", -14, A(0, 1, 0, 0)),
		C("timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC|TFD_NONBLOCK) = 17",
		  X86_64, "timerfd_create", 17, A(1, 02004000)),
		C("getpriority(0x3 /* PRIO_??? */, 0) = -1 EINVAL (Invalid argument)",
		  X86_64, "getpriority", -22, A(3, 0)),
		C("syslog(3 /* SYSLOG_ACTION_READ_ALL */, NULL, 0) = -1 EINVAL (Invalid argument)",
		  X86_64, "syslog", -22, A(3, 0, 0)),
		C("reboot(0x1 /* LINUX_REBOOT_MAGIC_??? */, 0x2 /* LINUX_REBOOT_MAGIC_??? */, 0x3 /* LINUX_REBOOT_CMD_??? */) = -1 EINVAL (Invalid argument)",
		  X86_64, "reboot", -22, A(1, 2, 3, 0)),
		C("add_key(\"user\", \"d\", NULL, 0, KEY_SPEC_SESSION_KEYRING) = -1 EINVAL (Invalid argument)",
		  X86_64, "add_key", -22, A(1, 2, 0, 0, (uint64_t)-3),
		  S(TEXT(0, "user"), TEXT(1, "d"))),
		C("bpf(BPF_PROG_LOAD, NULL, 0) = -1 E2BIG (Argument list too long)",
		  X86_64, "bpf", -7, A(5, 0, 0)),
		C("bpf(0x63 /* BPF_??? */, NULL, 0) = -1 EINVAL (Invalid argument)",
		  X86_64, "bpf", -22, A(99, 0, 0)),
		C("perf_event_open(NULL, 0, -1, -1, PERF_FLAG_FD_CLOEXEC) = -1 EFAULT (Bad address)",
		  X86_64, "perf_event_open", -14, A(0, 0, 0xffffffff, 0xffffffff, 8)),
		C("getrandom(0x7ffc09ac270c, 4, 0x8 /* GRND_??? */) = -1 EINVAL (Invalid argument)",
		  X86_64, "getrandom", -22, A(0x7ffc09ac270c, 4, 8)),
		C("close_range(100, 200, CLOSE_RANGE_CLOEXEC) = 0",
		  X86_64, "close_range", 0, A(100, 200, 4)),
	};

	(void)state;
	CHECK_ALL(cases);
}

static void network(void **state)
{
	static const struct call_case cases[] = {
		C("socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 6", X86_64, "socket", 6, A(2, 1, 0)),
		C("socket(AF_INET, SOCK_DGRAM|SOCK_CLOEXEC|SOCK_NONBLOCK, IPPROTO_UDP) = 7",
		  X86_64, "socket", 7, A(2, 2 | 02004000, 17)),
		C("socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE) = 8", X86_64, "socket", 8, A(16, 3, 0)),
		C("socket(AF_NETLINK, SOCK_RAW, 0x63 /* NETLINK_??? */) = -1 EPROTONOSUPPORT (Protocol not supported)",
		  X86_64, "socket", -93, A(16, 3, 99)),
		C("socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6) = 9", X86_64, "socket", 9, A(10, 3, 58)),
		C("socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL)) = 11", X86_64, "socket", 11, A(17, 3, 0x300)),
		C("connect(-1, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr(\"1.2.3.4\")}, 16) = -1 EBADF (Bad file descriptor)",
		  X86_64, "connect", -9, A(MINUS1, 1, 16),
		  S(ADDRESS(1, "\2\0\0P\1\2\3\4\0\0\0\0\0\0\0\0"))),
		C("connect(-1, {sa_family=AF_INET, sa_data=\"\\0P\\1\\2\\3\\4\"}, 8) = -1 EBADF (Bad file descriptor)",
		  X86_64, "connect", -9, A(MINUS1, 1, 8), S(ADDRESS(1, "\2\0\0P\1\2\3\4"))),
		C("connect(-1, {sa_family=AF_INET}, 2) = -1 EBADF (Bad file descriptor)",
		  X86_64, "connect", -9, A(MINUS1, 1, 2), S(ADDRESS(1, "\2\0"))),
		C("connect(-1, 0x7ffe73016670, 1) = -1 EBADF (Bad file descriptor)",
		  X86_64, "connect", -9, A(MINUS1, 0x7ffe73016670, 1), S(ADDRESS(1, "\2"))),
		C("connect(-1, {sa_family=AF_INET6, sin6_port=htons(443), sin6_flowinfo=htonl(5), inet_pton(AF_INET6, \"2001:db8::1\", &sin6_addr), sin6_scope_id=1}, 28) = -1 EBADF (Bad file descriptor)",
		  X86_64, "connect", -9, A(MINUS1, 1, 28),
		  S(ADDRESS(1, "\12\0\1\273\0\0\0\5\x20\1\r\xb8\0\0\0\0\0\0\0\0\0\0\0\1\1\0\0\0"))),
		C("connect(-1, {sa_family=AF_INET6, sin6_port=htons(443), sin6_flowinfo=htonl(5), inet_pton(AF_INET6, \"fe80::1\", &sin6_addr)}, 24) = -1 EBADF (Bad file descriptor)",
		  X86_64, "connect", -9, A(MINUS1, 1, 24),
		  S(ADDRESS(1, "\12\0\1\273\0\0\0\5\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\1"))),
		C("connect(-1, {sa_family=AF_UNIX, sun_path=\"/tmp/sock\"}, 110) = -1 EBADF (Bad file descriptor)",
		  X86_64, "connect", -9, A(MINUS1, 1, 110), S(ADDRESS(1, "\1\0/tmp/sock\0\0\0\0\0"))),
		C("connect(-1, {sa_family=AF_UNIX, sun_path=\"/tm\"}, 5) = -1 EBADF (Bad file descriptor)",
		  X86_64, "connect", -9, A(MINUS1, 1, 5), S(ADDRESS(1, "\1\0/tm"))),
		C("connect(-1, {sa_family=AF_UNIX}, 2) = -1 EBADF (Bad file descriptor)",
		  X86_64, "connect", -9, A(MINUS1, 1, 2), S(ADDRESS(1, "\1\0"))),
		C("connect(-1, {sa_family=AF_UNIX, sun_path=@\"abs\\0tract\"}, 12) = -1 EBADF (Bad file descriptor)",
		  X86_64, "connect", -9, A(MINUS1, 1, 12), S(ADDRESS(1, "\1\0\0abs\0tract"))),
		C("connect(-1, {sa_family=AF_UNIX, sun_path=@\"\"}, 3) = -1 EBADF (Bad file descriptor)",
		  X86_64, "connect", -9, A(MINUS1, 1, 3), S(ADDRESS(1, "\1\0\0"))),
		C("connect(-1, 0x8, 16) = -1 EBADF (Bad file descriptor)",
		  X86_64, "connect", -9, A(MINUS1, 8, 16),
		  S(STR(1, SOCKADDR, DN_STR_UNREADABLE, ""))),
		C("bind(-1, {sa_family=AF_NETLINK, nl_pid=77, nl_groups=0x000005}, 12) = -1 EBADF (Bad file descriptor)",
		  X86_64, "bind", -9, A(MINUS1, 1, 12),
		  S(ADDRESS(1, "\20\0\0\0M\0\0\0\5\0\0\0"))),
		C("bind(-1, {sa_family=AF_UNSPEC, sa_data=\"\\1\\2\\3\\4\\5\\6\\7\\10\\377\\\"\\0\\0\\0\\0\"}, 16) = -1 EBADF (Bad file descriptor)",
		  X86_64, "bind", -9, A(MINUS1, 1, 16),
		  S(ADDRESS(1, "\0\0\1\2\3\4\5\6\7\10\377\"\0\0\0\0"))),
		C("bind(-1, {sa_family=0xc8 /* AF_??? */, sa_data=\"\\1\\2\\3\\4\\5\\6\\7\\10\"}, 10) = -1 EBADF (Bad file descriptor)",
		  X86_64, "bind", -9, A(MINUS1, 1, 10), S(ADDRESS(1, "\310\0\1\2\3\4\5\6\7\10"))),
		C("sendto(-1, 0x55, 5, MSG_NOSIGNAL, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr(\"1.2.3.4\")}, 16) = -1 EBADF (Bad file descriptor)",
		  X86_64, "sendto", -9, A(MINUS1, 0x55, 5, 0x4000, 1, 16),
		  S(ADDRESS(4, "\2\0\0P\1\2\3\4\0\0\0\0\0\0\0\0"))),
		C("accept4(-1, 0x7ffe73016670, 0x55, SOCK_CLOEXEC|SOCK_NONBLOCK) = -1 EBADF (Bad file descriptor)",
		  X86_64, "accept4", -9, A(MINUS1, 0x7ffe73016670, 0x55, 02004000)),
		C("accept(-1, NULL, NULL) = -1 EBADF (Bad file descriptor)",
		  X86_64, "accept", -9, A(MINUS1, 0, 0)),
		C("setsockopt(-1, SOL_TCP, TCP_NODELAY, 0x55, 4) = -1 EBADF (Bad file descriptor)",
		  X86_64, "setsockopt", -9, A(MINUS1, 6, 1, 0x55, 4)),
		C("setsockopt(-1, SOL_SOCKET, 0x3e7 /* SO_??? */, 0x55, 4) = -1 EBADF (Bad file descriptor)",
		  X86_64, "setsockopt", -9, A(MINUS1, 1, 999, 0x55, 4)),
		C("setsockopt(-1, 0x3e7 /* SOL_?? */, 1, 0x55, 4) = -1 EBADF (Bad file descriptor)",
		  X86_64, "setsockopt", -9, A(MINUS1, 999, 1, 0x55, 4)),
		C("getsockopt(-1, SOL_IPV6, IPV6_V6ONLY, 0x55, 0x66) = -1 EBADF (Bad file descriptor)",
		  X86_64, "getsockopt", -9, A(MINUS1, 41, 26, 0x55, 0x66)),
		C("shutdown(-1, 0x9 /* SHUT_??? */) = -1 EBADF (Bad file descriptor)",
		  X86_64, "shutdown", -9, A(MINUS1, 9)),
	};

	(void)state;
	CHECK_ALL(cases);
}

static void other_abis(void **state)
{
	static const struct call_case cases[] = {
		/* The first eight are strace's, of a 32-bit program. */
		C("mmap2(NULL, 8192, PROT_READ, MAP_PRIVATE, 3, 0x1000) = 0xf7eea000",
		  I386, "mmap2", (int32_t)0xf7eea000, A(0, 8192, 1, 2, 3, 1)),
		C("pread64(3, NULL, 8, 4294967312) = -1 EFAULT (Bad address)",
		  I386, "pread64", -14, A(3, 0, 8, 0x10, 1)),
		C("fadvise64_64(3, 0, 4294967301, POSIX_FADV_WILLNEED) = 0",
		  I386, "fadvise64_64", 0, A(3, 0, 0, 5, 1, 3)),
		C("_llseek(3, 4294967301, NULL, SEEK_SET) = -1 EFAULT (Bad address)",
		  I386, "_llseek", -14, A(3, 1, 5, 0, 0)),
		C("lseek(3, -5, SEEK_CUR) = 0", I386, "lseek", 0, A(3, 0xfffffffb, 1)),
		C("mmap(NULL) = -1 EFAULT (Bad address)", I386, "mmap", -14, A(0)),
		C("socketcall(SYS_SOCKET, NULL) = -1 EFAULT (Bad address)",
		  I386, "socketcall", 0xfffffff2, A(1, 0)),
		C("read(-1, NULL, 4294967295) = -1 EBADF (Bad file descriptor)",
		  I386, "read", -9, A(MINUS1, 0, MINUS1)),
		/* own */
		C("pread64(3, NULL, 8, 4294967312) = -1 EFAULT (Bad address)",
		  ARM, "pread64", -14, A(3, 0, 8, 0xbad, 0x10, 1)),
		C("open(\"x\", O_RDONLY|O_LARGEFILE|O_NOFOLLOW|O_DIRECTORY) = 3",
		  ARM, "open", 3, A(1, 0540000), S(PATH(0, "x"))),
		C("openat(AT_FDCWD, \"x\", O_WRONLY|O_TMPFILE, 0600) = 3",
		  AARCH64, "openat", 3, A(0xffffff9c, 1, 020040001, 0600), S(PATH(1, "x"))),
		C("lseek(3, 4294967296, SEEK_SET) = 4294967296",
		  X32, "lseek", 4294967296, A(3, 4294967296, 0)),
		C("cacheflush(0x1000, 0x2000, 0) = 0", ARM, "cacheflush", 0, A(0x1000, 0x2000, 0)),
		C("fanotify_mark(3, FAN_MARK_ADD, 0x100000002, AT_FDCWD, \"x\") = 0",
		  ARM, "fanotify_mark", 0, A(3, 1, 2, 1, CWD, 1), S(PATH(5, "x"))),
	};

	(void)state;
	CHECK_ALL(cases);
}

static void results(void **state)
{
	static const struct call_case cases[] = {
		C("ppoll(NULL, 0, NULL, NULL, 8) = ? ERESTARTNOHAND (To be restarted if no handler)",
		  X86_64, "ppoll", -514, A(0, 0, 0, 0, 8)),
		C("pause() = ? ERESTARTNOHAND (To be restarted if no handler)", X86_64, "pause", -514, A(0)),
		C("read(0, 0x55, 1) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)",
		  X86_64, "read", -512, A(0, 0x55, 1)),
		C("nanosleep(0x1, 0x2) = ? ERESTART_RESTARTBLOCK (Interrupted by signal)",
		  X86_64, "nanosleep", -516, A(1, 2)),
		C("pause() = ? ERESTARTNOINTR (To be restarted)", X86_64, "pause", -513, A(0)),
		C("poll(0x55, 1, 5) = 0 (Timeout)", X86_64, "poll", 0, A(0x55, 1, 5)),
		C("poll(0x55, 1, -1) = 1", X86_64, "poll", 1, A(0x55, 1, 0xffffffff)),
		/* own */
		C("pause() = -1 ENOIOCTLCMD (Unknown error 515)", X86_64, "pause", -515, A(0)),
		C("pause() = -1 (errno 4000)", X86_64, "pause", -4000, A(0)),
		C("pause() = -4096", X86_64, "pause", -4096, A(0)),
	};

	(void)state;
	CHECK_ALL(cases);
}

static void strings(void **state)
{
	static const struct call_case cases[] = {
		C("openat(-1, \"a\\tb\\n\\1\\0012\\377\\\"\\\\\", O_RDONLY) = -1 EBADF (Bad file descriptor)",
		  X86_64, "openat", -9, A(MINUS1, 1, 0), S(PATH(1, "a\tb\n\1\0012\xff\"\\"))),
		C("mkdir(\"\\0021\", 000) = 0", X86_64, "mkdir", 0, A(1, 0), S(PATH(0, "\0021"))),
		C("memfd_create(\"\\1\\29\\n8\\n\\33[0m\\177\\200\\342\\202\\254\\v\\f\\r\", 0) = 5",
		  X86_64, "memfd_create", 5, A(1, 0),
		  S(TEXT(0, "\001\0029\0128\n\33[0m\x7f\x80\xe2\x82\xac\v\f\r"))),
		C("memfd_create(\"01234567890123456789012345678901\"..., 0) = 3",
		  X86_64, "memfd_create", 3, A(1, 0), S(TEXT(0, "0123456789012345678901234567890123456789"))),
		C("memfd_create(\"01234567890123456789012345678901\", 0) = 4",
		  X86_64, "memfd_create", 4, A(1, 0), S(TEXT(0, "01234567890123456789012345678901"))),
		C("mkdir(\"0123456789012345678901234567890123456789\", 000) = 0",
		  X86_64, "mkdir", 0, A(1, 0), S(PATH(0, "0123456789012345678901234567890123456789"))),
		C("execve(\"/bin/true\", [\"true\", \"a b\\n\", \"01234567890123456789012345678901\"...], 0x7ffd5a14b1d8) = 0",
		  X86_64, "execve", 0, A(1, 2, 0x7ffd5a14b1d8),
		  S(PATH(0, "/bin/true"),
		    STR(1, ARGV, 0, "true\0a b\n\0" "01234567890123456789012345678901234567890123456789\0"))),
		C("execve(\"/nonexist\", NULL, NULL) = -1 ENOENT (No such file or directory)",
		  X86_64, "execve", -2, A(1, 0, 0), S(PATH(0, "/nonexist"))),
		/* own: what the recorder cut */
		C("execve(\"/x\"..., [\"a\", \"bc\"..., ...], 0x1) = 0",
		  X86_64, "execve", 0, A(1, 2, 1),
		  S(STR(0, PATH, DN_STR_TRUNCATED, "/x"), STR(1, ARGV, DN_STR_TRUNCATED, "a\0bc"))),
		C("execve(\"/x\", [\"a\", ...], 0x1) = 0", X86_64, "execve", 0, A(1, 2, 1),
		  S(PATH(0, "/x"), STR(1, ARGV, DN_STR_TRUNCATED, "a\0"))),
		C("execve(\"/x\", [], 0x1) = 0", X86_64, "execve", 0, A(1, 2, 1),
		  S(PATH(0, "/x"), STR(1, ARGV, 0, ""))),
	};
	static const struct dn_calltext_opts opts = { .str_max = 32 };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check(&cases[i], &opts);
}

static void unfinished_and_aligned(void **state)
{
	static const struct dn_calltext_opts strace = { .align = 40, .str_max = 32, .duration = true };
	static const struct call_case cases[] = {
		C("pause( <unfinished ...>", X86_64, "pause", 0, A(0), .flags = DN_CALL_UNFINISHED),
		C("rseq(0x7f5c239a4fe0, 0x20, 0, 0x53053053 <unfinished ...>",
		  X86_64, "rseq", 0, A(0x7f5c239a4fe0, 0x20, 0, 0x53053053), .flags = DN_CALL_UNFINISHED),
		C("exit_group(0)                           = ?",
		  X86_64, "exit_group", 0, A(0), .flags = DN_CALL_UNFINISHED),
		C("close(5)                                = 0 <0.000012>", X86_64, "close", 0, A(5)),
		C("arch_prctl(ARCH_SET_FS, 0x7fad0afda740) = 0 <0.000012>",
		  X86_64, "arch_prctl", 0, A(0x1002, 0x7fad0afda740)),
		C("set_robust_list(0x7fad0afdaa20, 24)     = 0 <0.000012>",
		  X86_64, "set_robust_list", 0, A(0x7fad0afdaa20, 24)),
	};
	struct dn_syscall c = { .abi = DN_ABI_X86_64, .nr = 1, .ret = 5, .flags = DN_CALL_NO_ENTER };
	struct dn_text t = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check(&cases[i], &strace);

	/* The end alone, as strace has it after an unfinished call. */
	dn_calltext(&t, &c, &strace);
	assert_string_equal(t.p, "<... write resumed>)                    = 5");

	/* A number that no table has; strace's line. */
	dn_text_reset(&t);
	c = (struct dn_syscall){ .abi = DN_ABI_X86_64, .nr = 0x396, .nargs = 6, .ret = -38,
				 .args = { 1, 2, MINUS1, 4, 5, 6 } };
	dn_calltext(&t, &c, NULL);
	assert_string_equal(t.p, "syscall_0x396(0x1, 0x2, 0xffffffffffffffff, 0x4, 0x5, 0x6) = "
				 "-1 ENOSYS (Function not implemented)");

	/* Fewer arguments than the tables know of. */
	dn_text_reset(&t);
	c = (struct dn_syscall){ .abi = DN_ABI_X86_64, .nr = 0, .nargs = 1, .ret = 0, .args = { 7 } };
	dn_calltext(&t, &c, NULL);
	assert_string_equal(t.p, "read(7, ...) = 0");

	/* Withheld, with its result; an error is not. */
	dn_text_reset(&t);
	c = (struct dn_syscall){ .abi = DN_ABI_X86_64, .nr = 41 };
	dn_calltext(&t, &c, NULL);
	dn_text_char(&t, '|');
	c.ret = -13;
	dn_calltext(&t, &c, NULL);
	assert_string_equal(t.p, "socket(...) = ?|socket(...) = -1 EACCES (Permission denied)");

	/* The parts. */
	dn_text_reset(&t);
	c = (struct dn_syscall){ .abi = DN_ABI_X86_64, .nr = 3, .nargs = 1, .ret = -9, .args = { 7 } };
	dn_calltext_args(&t, &c, NULL);
	dn_text_char(&t, '|');
	dn_calltext_result(&t, &c);
	assert_string_equal(t.p, "7|-1 EBADF (Bad file descriptor)");
	dn_text_free(&t);
}

/* No call with any arguments and no truncated string may do harm. */
static void every_call(void **state)
{
	static const uint64_t values[] = { 0, 1, 5, 0x7f, 0xffffffff, MINUS1, 0x8000000000000000, 1 << 20 };
	static const char bytes[] = "\2\0\0P\1\2\3\4\0\0\0\0\0\0\0\0";
	struct dn_text t = { 0 };
	uint64_t seed = 1;

	(void)state;
	for (unsigned int abi = 0; abi <= DN_ABI_MAX; abi++)
		for (uint32_t nr = 0; nr < 1024; nr++)
			for (int round = 0; round < 40; round++) {
				struct dn_syscall c = { .abi = (uint8_t)abi, .nr = nr };

				for (int i = 0; i < DN_CALL_ARGS; i++) {
					seed = seed * 6364136223846793005u + 1442695040888963407u;
					c.args[i] = round % 2 ? seed >> 20 : values[seed >> 61];
				}
				seed = seed * 6364136223846793005u + 1442695040888963407u;
				c.nargs = seed >> 60 & 7;
				c.nstr = seed >> 56 & 7;
				c.flags = seed >> 40 & 7;
				c.ret = (int64_t)seed >> (seed >> 50 & 63);
				for (int i = 0; i < DN_CALL_STRS; i++)
					c.str[i] = (struct dn_call_str){
						.arg = seed >> (i * 3) & 7,
						.kind = seed >> (12 + i * 3) & 7,
						.flags = seed >> (24 + i * 3) & 15,
						.len = (seed >> (36 + i)) % sizeof(bytes),
						.p = bytes,
					};
				dn_text_reset(&t);
				dn_calltext(&t, &c, NULL);
				assert_true(t.len > 0 && !t.failed);
				assert_int_equal(strlen(t.p), t.len);
			}
	dn_text_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files),
		cmocka_unit_test(memory),
		cmocka_unit_test(processes),
		cmocka_unit_test(futexes_and_ipc),
		cmocka_unit_test(signals_time_system),
		cmocka_unit_test(network),
		cmocka_unit_test(other_abis),
		cmocka_unit_test(results),
		cmocka_unit_test(strings),
		cmocka_unit_test(unfinished_and_aligned),
		cmocka_unit_test(every_call),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
