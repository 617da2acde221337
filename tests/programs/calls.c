/* calls.c - system calls of every kind: failing, with strings of every kind, with
 * socket addresses, with numbers that are none, refused by seccomp. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <time.h>

#include "act.h"

/* What fails here fails on purpose: nobody looks at the results. */
#pragma GCC diagnostic ignored "-Wunused-result"

/* Volatile: the compiler would know better. */
static char *volatile bad = (char *)8;	/* no address of ours */
static char *volatile null;

static char *page;		/* two pages, the second one not ours any more */
static size_t page_size;

static void make_page(void)
{
 (size_t)sysconf(_SC_PAGESIZE);
	page = mmap(NULL, 2 * page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		die("mmap");
	munmap(page + page_size, page_size);
}

/* errors: one after the other, each with another errno where there is one. */
static int act_errors(int argc, char **argv)
{
	static const struct timespec soon = { 0, 1000000 };
	const struct rlimit few = { 16, 16 }, small = { 8192, 8192 };
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_un un = { .sun_family = AF_UNIX, .sun_path = "socket" };
	char *const none[] = { NULL }, *const bad_list[] = { bad, NULL };
	char buf[64];
	int p[2], s[2], fd, futex = 0;
	uint32_t word = 0;

	(void)argc;
	(void)argv;
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	make_page();
	if (pipe2(p, O_NONBLOCK) || socketpair(AF_UNIX, SOCK_STREAM, 0, s))
		die("pipe");

	open("missing", O_RDONLY);				/* ENOENT */
	open(".", O_WRONLY);					/* EISDIR */
	close(open("file", O_CREAT | O_RDWR, 0600));
	open("file/in", O_RDONLY);				/* ENOTDIR */
	symlink("loop", "loop");
	open("loop", O_RDONLY);					/* ELOOP */
	mkdir("dir", 0700);
	mkdir("dir", 0700);					/* EEXIST */
	close(open("dir/file", O_CREAT | O_RDWR, 0600));
	rmdir("dir");						/* ENOTEMPTY */
	rename("file", "/proc/file");				/* EXDEV or ENOENT */
	open("/proc/self/exe", O_WRONLY);			/* ETXTBSY */
	mkfifo("fifo", 0600);
	open("fifo", O_WRONLY | O_NONBLOCK);			/* ENXIO */
	mount("none", "dir", "no such filesystem", 0, NULL);	/* ENODEV or EPERM */
	umount("dir");						/* EINVAL or EPERM */
	getxattr("file", "user.none", buf, sizeof(buf));	/* ENODATA */
	syscall(SYS_getcwd, buf, 1ul);				/* ERANGE */
	fd = open("/dev/full", O_WRONLY);
	if (fd >= 0 && write(fd, "x", 1) < 0)			/* ENOSPC */
		close(fd);

	close(-1);						/* EBADF */
	lseek(p[0], 0, SEEK_SET);				/* ESPIPE */
	fd = open("file", O_RDWR);
	lseek(fd, 0, 99);					/* EINVAL */
	ioctl(fd, TCGETS, buf);					/* ENOTTY */
	mmap(NULL, page_size, PROT_READ, MAP_SHARED, p[0], 0);	/* ENODEV or EACCES */
	pread(fd, buf, 1, -1);					/* EINVAL */
	read(p[0], buf, 1);					/* EAGAIN */
	setrlimit(RLIMIT_FSIZE, &small);
	pwrite(fd, "x", 1, 1 << 20);				/* EFBIG */
	syscall(SYS_futex, &word, FUTEX_WAIT, 0, &soon, NULL, 0);	/* ETIMEDOUT */
	syscall(SYS_futex, &futex, FUTEX_WAIT, 1, NULL, NULL, 0);	/* EAGAIN */
	kill(INT_MAX, 0);					/* ESRCH */
	syscall(SYS_wait4, -1, NULL, 0, NULL);			/* ECHILD */
	getpriority(99, 0);					/* EINVAL */
	flock(fd, LOCK_EX);
	close(open("file", O_RDWR));
	flock(open("file", O_RDWR), LOCK_EX | LOCK_NB);		/* EAGAIN */

	connect(fd, (struct sockaddr *)&in, sizeof(in));	/* ENOTSOCK */
	socket(99, SOCK_STREAM, 0);				/* EAFNOSUPPORT */
	connect(s[0], (struct sockaddr *)&un, sizeof(un));	/* EISCONN or ECONNREFUSED */
	fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd >= 0) {
		in.sin_port = htons(1);
		inet_pton(AF_INET, "127.0.0.1", &in.sin_addr);
		connect(fd, (struct sockaddr *)&in, sizeof(in));	/* ECONNREFUSED */
		getpeername(fd, (struct sockaddr *)&in, &(socklen_t){ sizeof(in) });	/* ENOTCONN */
		inet_pton(AF_INET, "192.0.2.1", &in.sin_addr);
		bind(fd, (struct sockaddr *)&in, sizeof(in));	/* EADDRNOTAVAIL */
		setsockopt(fd, SOL_SOCKET, 9999, buf, 4);	/* ENOPROTOOPT */
		accept(fd, NULL, NULL);				/* EINVAL */
	}
	close(s[1]);
	write(s[0], "x", 1);					/* EPIPE */
	fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	send(fd, "x", 1, 0);					/* ENOTCONN */

	/* EFAULT in every direction */
	open(bad, O_RDONLY);
	open(null, O_RDONLY);
	syscall(SYS_newfstatat, AT_FDCWD, "file", bad, 0);
	read(open("file", O_RDONLY), bad, 1);
	syscall(SYS_write, p[1], bad, 1ul);
	syscall(SYS_pipe2, bad, 0);
#ifdef SYS_rename	/* younger architectures have the *at calls alone */
	syscall(SYS_pipe, bad);
	syscall(SYS_rename, bad, "new");
	syscall(SYS_rename, "file", bad);
	syscall(SYS_link, NULL, NULL);
	syscall(SYS_symlink, page + page_size, "link");
#endif
	syscall(SYS_renameat, AT_FDCWD, bad, AT_FDCWD, "new");
	syscall(SYS_linkat, AT_FDCWD, NULL, AT_FDCWD, NULL, 0);
	syscall(SYS_symlinkat, page + page_size, AT_FDCWD, "link");
	syscall(SYS_connect, fd, bad, sizeof(un));
	syscall(SYS_bind, fd, NULL, sizeof(un));
	syscall(SYS_execve, bad, none, none);
	syscall(SYS_execve, "/bin/true", bad, none);
	syscall(SYS_execve, "/bin/true", bad_list, none);
	syscall(SYS_nanosleep, bad, NULL);
	syscall(SYS_rt_sigaction, SIGUSR1, bad, NULL, 8ul);

	execl("file", "file", NULL);				/* EACCES */
	chmod("file", 0700);
	execl("file", "file", NULL);				/* ENOEXEC */
	execl("dir", "dir", NULL);				/* EACCES */
	execl("missing", "missing", "argument", NULL);		/* ENOENT */
	setrlimit(RLIMIT_NOFILE, &few);
	while (dup(0) >= 0)
		;						/* EMFILE */
	return 0;
}

/* strings: of every length and kind, in the calls that have one or two. */
static int act_strings(int argc, char **argv)
{
	static const size_t length[] = { 1, 254, 255, 256, 1000, 4094, 4095, 4096, 5000, 20000 };
	char *all = malloc(256), *edge, *path = malloc(20001);
	struct stat st;

	(void)argc;
	(void)argv;
	make_page();
	edge = page + page_size;
	for (unsigned i = 0; i < sizeof(length) / sizeof(length[0]); i++) {
		size_t n = length[i];

		memset(path, 'n', n);		/* one name */
		path[n] = 0;
		close(open(path, O_RDWR | O_CREAT, 0600));
		stat(path, &st);
		for (size_t k = 0; k + 1 < n; k += 2)	/* a path of many */
			memcpy(path + k, "./", 2);
		path[n - 1] = 'x';
		access(path, F_OK);
		mkdir(path, 0700);
	}
	for (int i = 0; i < 255; i++)	/* every byte but NUL; / among them */
		all[i] = (char)(i + 1);
	all[255] = 0;
	access(all, F_OK);
	close(open(all + 47, O_RDWR | O_CREAT, 0600));
	access("", F_OK);
	access(null, F_OK);
	syscall(SYS_newfstatat, 1, "", &st, AT_EMPTY_PATH);
	syscall(SYS_utimensat, 1, NULL, NULL, 0);
	memcpy(edge - 5, "edge", 5);	/* its NUL is the page's last byte */
	access(edge - 5, F_OK);
	access(edge - 1, F_OK);		/* empty there */
	memcpy(edge - 4, "open", 4);	/* no NUL before the end */
	access(edge - 4, F_OK);
	access(edge, F_OK);

	close(open("one", O_RDWR | O_CREAT, 0600));
	link("one", "two");
	linkat(AT_FDCWD, "one", AT_FDCWD, "three", 0);
	symlink("target of any kind", "four");
	symlinkat("another", AT_FDCWD, "five");
	rename("two", "six");
	renameat(AT_FDCWD, "six", AT_FDCWD, "seven");
	syscall(SYS_renameat2, AT_FDCWD, "seven", AT_FDCWD, "one", 1);
	rename("missing", "");
	rename("", "missing");
	rename(null, "second alone");
	rename("first alone", null);
	unlink("four");
	unlinkat(AT_FDCWD, "five", 0);
	readlink("/proc/self/exe", all, 255);
	readlinkat(AT_FDCWD, "/proc/self/cwd", all, 255);
	truncate("one", 3);
	chmod("one", 0644);
	chown("one", (uid_t)-1, (gid_t)-1);
	fchownat(AT_FDCWD, "one", (uid_t)-1, (gid_t)-1, 0);
	setxattr("one", "user.name", "value", 5, 0);
	getxattr("one", "user.name", all, 255);
	listxattr("one", all, 255);
	removexattr("one", "user.name");
	syscall(SYS_statx, AT_FDCWD, "one", 0, 0, &(char[256]){ 0 });
	syscall(SYS_faccessat2, AT_FDCWD, "one", R_OK, AT_EACCESS);
	syscall(SYS_openat2, AT_FDCWD, "one", &(uint64_t[3]){ 0 }, 24ul);
	memfd_create("name of a memfd", 0);
	mkfifo("fifo", 0600);
	mknod("node", S_IFREG | 0600, 0);
	chdir("missing");
	chroot("missing");
	mount("source", "missing", "type", 0, "data");
	umount2("missing", 0);
	syscall(SYS_pivot_root, "missing one", "missing two");
	syscall(SYS_acct, "missing");
	syscall(SYS_swapon, "missing", 0);
	syscall(SYS_swapoff, "missing");
	free(path);
	free(all);
	return 0;
}

/* The address of size bytes that stand at offset at in a mapped file and whose pages
 * are not in our page tables. */
static void *absent_bytes(const void *p, size_t size, size_t at)
{
	static int files;
	char name[32], *map;
	int fd;

	snprintf(name, sizeof(name), "pages %d", files++);
	fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || ftruncate(fd, (off_t)(2 * page_size)) || pwrite(fd, p, size, (off_t)at) < 0)
		die(name);
	map = mmap(NULL, 2 * page_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED || madvise(map, 2 * page_size, MADV_DONTNEED))
		die("mmap");
	close(fd);
	return map + at;
}

static char *absent(const char *text, size_t at)
{
	return absent_bytes(text, strlen(text) + 1, at);
}

/* absent: strings on pages that are not there when the call begins. */
static int act_absent(int argc, char **argv)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX, .sun_path = "absent socket" };
	char *args[] = { absent("absent argument", 0), (char *)"present", absent("absent", 9), NULL };
	char *const list[] = { (char *)"list", (char *)"of arguments", NULL };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	pid_t pid;

	(void)argc;
	(void)argv;
	open(absent("absent missing", 0), O_RDONLY);
	close(open(absent("absent made", 100), O_RDWR | O_CREAT, 0700));
	access(absent("absent across two pages", page_size - 7), F_OK);
	access(absent("", 0), F_OK);
	rename("absent made", absent("absent renamed", 0));
	rename(absent("absent first", 0), "present second");
	rename(absent("absent first", 0), absent("absent second", 50));
	connect(fd, absent_bytes(&un, sizeof(un), 0), 20);
	/* refused after it has read the arguments, as an empty file is no program */
	execv("absent renamed", args);
	execv("absent renamed", absent_bytes(list, sizeof(list), 0));
	args[0] = absent("absent argument", 0);
	pid = fork();
	if (!pid) {
		execv(absent("/bin/true", 0), args);
		_exit(1);
	}
	return reap(pid);
}

static void one_family(int type, const void *addr, socklen_t len)
{
	const struct sockaddr *a = addr;
	struct sockaddr_storage peer;
	socklen_t n;
	int one = 1, s, c, fd;

	s = socket(a->sa_family, type | SOCK_NONBLOCK, 0);
	c = socket(a->sa_family, type | SOCK_NONBLOCK, 0);
	if (s < 0 || c < 0)
		return;
	setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	bind(s, a, len);
	if (type == SOCK_STREAM)
		listen(s, 5);
	connect(c, a, len);
	if (type == SOCK_STREAM) {
		n = sizeof(peer);
		fd = accept4(s, (struct sockaddr *)&peer, &n, SOCK_CLOEXEC);
		n = sizeof(peer);
		getpeername(c, (struct sockaddr *)&peer, &n);
		n = 4;		/* room for less than there is */
		getpeername(c, (struct sockaddr *)&peer, &n);
		close(fd);
	} else {
		sendto(c, "datagram", 8, 0, a, len);
		n = sizeof(peer);
		recvfrom(s, &peer, 0, MSG_DONTWAIT, (struct sockaddr *)&peer, &n);
		recvfrom(s, &peer, 0, MSG_DONTWAIT, NULL, NULL);
	}
	n = sizeof(peer);
	getsockname(s, (struct sockaddr *)&peer, &n);
	close(c);
	close(s);
}

/* sockets: addresses of several families; prints nothing. */
static int act_sockets(int argc, char **argv)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(40123) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(40124),
		.sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct sockaddr_un un = { .sun_family = AF_UNIX, .sun_path = "a socket" };
	struct sockaddr_un abstract = { .sun_family = AF_UNIX, .sun_path = "\0abstract\0denet" };
	struct sockaddr_un longest = { .sun_family = AF_UNIX };

	(void)argc;
	(void)argv;
	inet_pton(AF_INET, "127.0.0.1", &in.sin_addr);
	memset(longest.sun_path, 'l', sizeof(longest.sun_path));
	one_family(SOCK_STREAM, &in, sizeof(in));
	one_family(SOCK_DGRAM, &in, sizeof(in));
	one_family(SOCK_STREAM, &in6, sizeof(in6));
	one_family(SOCK_STREAM, &un, sizeof(un));
	one_family(SOCK_STREAM, &abstract,
		   (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 15));
	one_family(SOCK_STREAM, &longest, sizeof(longest));
	one_family(SOCK_DGRAM, &un, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 9));
	one_family(SOCK_STREAM, &in, 3);
	one_family(SOCK_STREAM, &in, 0);
	one_family(SOCK_STREAM, &in, 1000);
	one_family(SOCK_STREAM, &in, (socklen_t)-1);
	return 0;
}

#if defined(__x86_64__)
static long int80(long nr, long a, long b, long c)
{
	long ret;

	__asm__ volatile("int $0x80" : "=a"(ret) : "a"(nr), "b"(a), "c"(b), "d"(c)
			 : "memory", "r8", "r9", "r10", "r11");
	return ret;
}

/* Calls of i386 from a 64-bit program, among its own. */
static void compat_calls(void)
{
	char *low = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

	if (low == MAP_FAILED || int80(20, 0, 0, 0) != getpid())
		return;		/* a kernel without them */
	strcpy(low, "compat missing");
	int80(5, (long)low, O_RDONLY, 0);		/* open */
	syscall(SYS_open, low, O_RDONLY, 0);
	strcpy(low, "compat made");
	int80(6, int80(8, (long)low, 0600, 0), 0, 0);	/* creat, close */
	int80(33, (long)low, 7, 0);			/* access */
	int80(38, (long)low, (long)low, 0);		/* rename */
	int80(3, -1, (long)low, 10);			/* read: EBADF */
	int80(19, 0, -1, 0);				/* lseek */
	int80(199, 0, 0, 0);				/* getuid32 */
	int80(9999, 0, 0, 0);
	int80(224, 0, 0, 0);				/* gettid */
	syscall(SYS_gettid);
}
#else
static void compat_calls(void)
{
}
#endif

/* numbers: calls that there are not, of this ABI and of others. */
static int act_numbers(int argc, char **argv)
{
	static const long nr[] = { 9999, -1, 350, 400, 600, 1023, 1024, 1025, 4095, 65535,
		0x7fffffff, -2, LONG_MIN, 0x100000027 };

	(void)argc;
	(void)argv;
	for (unsigned i = 0; i < sizeof(nr) / sizeof(nr[0]); i++)
		syscall(nr[i], 1, 2, 3, 4, 5, 6);
#if defined(__x86_64__)
	syscall(0x40000000 | 39);		/* x32's getpid */
	syscall(0x40000000 | 520, 0, 0, 0);	/* x32's execve */
	syscall(0x40000000 | 9999);
#endif
	compat_calls();
	return 0;
}

/* From now on these two calls come to action. */
static void filter(unsigned int one, unsigned int other, unsigned int action)
{
	struct sock_filter f[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, one, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, action),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, other, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, action),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { sizeof(f) / sizeof(f[0]), f };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog))
		skip("seccomp");
}

static volatile int trapped;

static void on_trap(int sig)
{
	trapped += sig == SIGSYS;
}

/* seccomp: getppid and unlinkat refused in the ways there are, each in a child. */
static int act_seccomp(int argc, char **argv)
{
	static const unsigned int action[] = { SECCOMP_RET_ERRNO | EPERM, SECCOMP_RET_ERRNO | 0,
		SECCOMP_RET_TRAP, SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_KILL_THREAD,
		SECCOMP_RET_LOG, SECCOMP_RET_TRACE };

	(void)argc;
	(void)argv;
	for (unsigned i = 0; i < sizeof(action) / sizeof(action[0]); i++) {
		pid_t pid = fork();

		if (!pid) {
			signal(SIGSYS, on_trap);
			filter(SYS_getppid, SYS_unlinkat, action[i]);
			syscall(SYS_getppid);
			syscall(SYS_getuid);
			syscall(SYS_unlinkat, AT_FDCWD, "refused by seccomp", 0);
			_exit(trapped == (action[i] == SECCOMP_RET_TRAP ? 2 : 0) ? 20 : 1);
		}
		switch (action[i]) {
		case SECCOMP_RET_KILL_PROCESS:
		case SECCOMP_RET_KILL_THREAD:
			if (reap(pid) != 128 + SIGSYS)
				return 1;
			break;
		default:
			if (reap(pid) != 20)
				return 2;
		}
	}
	return 0;
}

/* kept: one socket is closed; closing another, and what is none, is refused by seccomp. */
static int act_kept(int argc, char **argv)
{
	int pair[2];

	(void)argc;
	(void)argv;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) || close(pair[0]))
		return 1;
	filter(SYS_close, SYS_close, SECCOMP_RET_ERRNO | EPERM);
	return close(pair[1]) && close(99) ? 0 : 2;
}

/* calls N: N times getppid, for tests that count. */
static int act_calls(int argc, char **argv)
{
	for (long n = argc > 1 ? atol(argv[1]) : 1000; n > 0; n--)
		syscall(SYS_getppid);
	return 0;
}

/* paths N: N times access, each with a path of its own. */
static int act_paths(int argc, char **argv)
{
	char path[64];

	for (long n = argc > 1 ? atol(argv[1]) : 1000; n > 0; n--) {
		snprintf(path, sizeof(path), "/nonexistent/%ld", n);
		access(path, F_OK);
	}
	return 0;
}

int main(int argc, char **argv)
{
	static const struct act acts[] = {
		{ "errors", act_errors },
		{ "strings", act_strings },
		{ "absent", act_absent },
		{ "sockets", act_sockets },
		{ "numbers", act_numbers },
		{ "seccomp", act_seccomp },
		{ "kept", act_kept },
		{ "calls", act_calls },
		{ "paths", act_paths },
		{ NULL, NULL },
	};

	page_size = (size_t)sysconf(_SC_PAGESIZE);
	return act_main(acts, argc, argv);
}
