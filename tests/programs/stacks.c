/*
 * stacks.c - programs whose stacks are known: which functions, in which order, for how long.
 *
 * Every function that is asked for has a frame pointer and calls the next one, which nothing
 * may inline, copy or leave by a jump; what waits or looks at a clock is a system call right there, so that no
 * function of a library lies between. tests/tests.am and tests/oracle/stacks.sh say how it is
 * compiled. WAITS and BURNS may be defined as other names: then it is another program, of the same
 * layout.
 */
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#include "act.h"

#ifndef WAITS
#define WAITS sleeper
#endif
#ifndef BURNS
#define BURNS burner
#endif

#ifdef __clang__
#define STEP __attribute__((noinline, used))
#else
#define STEP __attribute__((noipa, used))
#endif

/* One that calls nothing and keeps nothing would have no frame. */
#define FRAME() __asm__ volatile("" : : "r"(__builtin_frame_address(0)))

#if defined(__x86_64__)
#define CALL(ret, nr, a, b, c, d)                                             \
	do {                                                                  \
		FRAME();                                                      \
		register long r10 __asm__("r10") = (long)(d);                 \
		__asm__ volatile("syscall" : "=a"(ret)                        \
				 : "a"((long)(nr)), "D"(a), "S"(b), "d"(c), "r"(r10) \
				 : "rcx", "r11", "memory");                   \
	} while (0)
#elif defined(__aarch64__)
#define CALL(ret, nr, a, b, c, d)                                             \
	do {                                                                  \
		FRAME();                                                      \
		register long x8 __asm__("x8") = (long)(nr);                  \
		register long x0 __asm__("x0") = (long)(a);                   \
		register long x1 __asm__("x1") = (long)(b);                   \
		register long x2 __asm__("x2") = (long)(c);                   \
		register long x3 __asm__("x3") = (long)(d);                   \
		__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory"); \
		(ret) = x0;                                                   \
	} while (0)
#else
#error "what a system call looks like here"
#endif

static volatile long sink;	/* what is added to it after a call makes that none at the end of its function */

typedef long step(long);

#define OVER(name, next)                                                      \
	STEP static long name(long v)                                                \
	{                                                                     \
		sink += next(v) + __LINE__;                                   \
		return sink;                                                  \
	}

STEP static long WAITS(long ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };
	long ret;

	do
		CALL(ret, SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &t, &t);
	while (ret == -EINTR);
	return ret;
}

/* Until the thread has had that time of a CPU. */
STEP static long BURNS(long ms)
{
	struct timespec t;
	long ret, from = -1, now;

	do {
		for (long i = 0; i < 300000; i++)
			sink += i;
		CALL(ret, SYS_clock_gettime, CLOCK_THREAD_CPUTIME_ID, &t, 0, 0);
		now = t.tv_sec * 1000 + t.tv_nsec / 1000000;
		if (from < 0)
			from = now;
	} while (now - from < ms);
	return ret;
}

OVER(middle, BURNS)
OVER(outer, middle)
OVER(inner_waits, WAITS)
OVER(outer_waits, inner_waits)

static long number(int argc, char **argv, int i)
{
	if (i >= argc) {
		fprintf(stderr, "%s: number %d is missing\n", argv[0], i);
		exit(98);
	}
	return strtol(argv[i], NULL, 0);
}

/* burn MS: main, outer, middle, burner. Says which ms of a CPU the process had. */
static int act_burn(int argc, char **argv)
{
	struct rusage u;

	outer(number(argc, argv, 1));
	getrusage(RUSAGE_SELF, &u);
	printf("%ld\n", (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000 + (u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1000);
	return 0;
}

/* sleep MS [N]: main, outer_waits, inner_waits, sleeper, N times. */
static int act_sleep(int argc, char **argv)
{
	for (long n = argc > 2 ? number(argc, argv, 2) : 1; n-- > 0;)
		outer_waits(number(argc, argv, 1));
	return 0;
}

static int word;

STEP static long locker(long ms)
{
	long ret = 0;

	(void)ms;
	while (__atomic_load_n(&word, __ATOMIC_ACQUIRE))
		CALL(ret, SYS_futex, &word, FUTEX_WAIT_PRIVATE, 1, NULL);
	return ret;
}
OVER(outer_locker, locker)

STEP static long holder(long ms)
{
	long ret = WAITS(ms);

	__atomic_store_n(&word, 0, __ATOMIC_RELEASE);
	CALL(ret, SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, NULL);
	return ret;
}

static void *thread_holder(void *arg)
{
	sink += holder((long)(intptr_t)arg);
	return NULL;
}

/* lock MS: the first thread waits for a word that the second holds for so long. */
static int act_lock(int argc, char **argv)
{
	pthread_t t;

	word = 1;
	if (pthread_create(&t, NULL, thread_holder, (void *)(intptr_t)number(argc, argv, 1)))
		die("pthread_create");
	outer_locker(0);
	pthread_join(t, NULL);
	return 0;
}

static int to[2], from[2];

STEP static long read_one(long fd)
{
	char c;
	long ret;

	CALL(ret, SYS_read, fd, &c, 1, 0);
	return ret;
}
STEP static long pinger(long n)
{
	while (n-- > 0)
		if (write(to[1], "", 1) != 1 || read_one(from[0]) != 1)
			die("pinger");
	return 0;
}
STEP static long ponger(long n)
{
	while (n-- > 0)
		if (read_one(to[0]) != 1 || write(from[1], "", 1) != 1)
			die("ponger");
	return 0;
}

/* pipe N: a byte goes to a child and back. */
static int act_pipe(int argc, char **argv)
{
	pid_t pid;

	if (pipe(to) || pipe(from))
		die("pipe");
	pid = fork();
	if (pid < 0)
		die("fork");
	if (!pid)
		_exit(ponger(number(argc, argv, 1)) != 0);
	pinger(number(argc, argv, 1));
	return reap(pid);
}

/* Touches pages that are not there until ms of a CPU have gone. */
STEP static long toucher(long ms)
{
	const size_t size = 16u << 20;
	volatile char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct timespec t = { 0 };
	long ret = 0;

	if (p == MAP_FAILED)
		die("mmap");
	while (t.tv_sec * 1000 + t.tv_nsec / 1000000 < ms) {
		for (size_t at = 0; at < size; at += 4096)
			p[at] = 1;
		CALL(ret, SYS_madvise, p, size, MADV_DONTNEED, 0);
		CALL(ret, SYS_clock_gettime, CLOCK_THREAD_CPUTIME_ID, &t, 0, 0);
	}
	return ret;
}
OVER(outer_toucher, toucher)

static int act_faults(int argc, char **argv)
{
	outer_toucher(number(argc, argv, 1));
	return 0;
}

static long deep_ms;

STEP static long deeper(long n)
{
	sink += n ? deeper(n - 1) : WAITS(deep_ms);
	return sink;
}

/* deep N MS: sleeps below N + 1 calls of deeper. */
static int act_deep(int argc, char **argv)
{
	deep_ms = number(argc, argv, 2);
	deeper(number(argc, argv, 1));
	return 0;
}

OVER(worker_0, WAITS)
OVER(worker_1, WAITS)
OVER(worker_2, WAITS)
OVER(worker_3, WAITS)
OVER(worker_4, WAITS)
OVER(worker_5, WAITS)
OVER(worker_6, WAITS)
OVER(worker_7, WAITS)
static step *const worker[] = { worker_0, worker_1, worker_2, worker_3, worker_4, worker_5, worker_6, worker_7 };

static long thread_ms;

static void *thread_worker(void *arg)
{
	sink += worker[(uintptr_t)arg % 8](thread_ms);
	return NULL;
}

/* threads N MS: thread i sleeps in worker_(i % 8). */
static int act_threads(int argc, char **argv)
{
	long n = number(argc, argv, 1);
	pthread_t *t = calloc((size_t)n, sizeof(*t));
	pthread_attr_t small;

	thread_ms = number(argc, argv, 2);
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 65536);
	for (long i = 0; i < n; i++)
		if (pthread_create(&t[i], &small, thread_worker, (void *)(intptr_t)i))
			die("pthread_create");
	for (long i = 0; i < n; i++)
		pthread_join(t[i], NULL);
	free(t);
	return 0;
}

/* Calls what its first argument is with its second, with a frame of its own. */
static const unsigned char trampoline[] = {
#ifdef __x86_64__
	0x55, 0x48, 0x89, 0xe5,			/* push %rbp; mov %rsp,%rbp */
	0x48, 0x89, 0xf8, 0x48, 0x89, 0xf7,	/* mov %rdi,%rax; mov %rsi,%rdi */
	0xff, 0xd0, 0x5d, 0xc3,			/* call *%rax; pop %rbp; ret */
#else
	0xfd, 0x7b, 0xbf, 0xa9, 0xfd, 0x03, 0x00, 0x91,	/* stp x29,x30,[sp,#-16]!; mov x29,sp */
	0xe2, 0x03, 0x00, 0xaa, 0xe0, 0x03, 0x01, 0xaa,	/* mov x2,x0; mov x0,x1 */
	0x40, 0x00, 0x3f, 0xd6, 0xfd, 0x7b, 0xc1, 0xa8,	/* blr x2; ldp x29,x30,[sp],#16 */
	0xc0, 0x03, 0x5f, 0xd6,				/* ret */
#endif
};
typedef long through(step *next, long v);

STEP static long from_jit(through *f, long ms)
{
	sink += f(WAITS, ms);
	return sink;
}

/* jit MS [old | UID | none | over]: sleeps below a function that was made just now, for half of it below another one. Its
 * map is of another time, of another user, not there, or says what lay there before first. */
static int act_jit(int argc, char **argv)
{
	const char *how = argc > 2 ? argv[2] : "";
	const struct timespec old[2] = { { .tv_sec = 1000000000 }, { .tv_sec = 1000000000 } };
	char path[64];
	unsigned char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	FILE *f;

	if (p == MAP_FAILED)
		die("mmap");
	memcpy(p + 64, trampoline, sizeof(trampoline));
	memcpy(p + 4096, trampoline, sizeof(trampoline));
	if (mprotect(p, 8192, PROT_READ | PROT_EXEC))
		skip("mprotect");
	__builtin___clear_cache((char *)p, (char *)p + 8192);
	snprintf(path, sizeof(path), "/tmp/perf-%d.map", (int)getpid());
	puts(path);
	fflush(stdout);
	if (strcmp(how, "none")) {
		f = fopen(path, "w");
		if (!f)
			skip(path);
		if (!strcmp(how, "over"))
			fprintf(f, "%lx 2000 what was there before\n0 0 none\n", (unsigned long)p);
		fprintf(f, "%lx %zx made at run time: one\n", (unsigned long)(p + 64), sizeof(trampoline));
		if (strcmp(how, "over"))
			fprintf(f, "%lx %zx void made<int, char>(long)\n", (unsigned long)(p + 4096), sizeof(trampoline));
		fclose(f);
		if (!strcmp(how, "old") ? utimensat(AT_FDCWD, path, old, 0) :
		    *how >= '0' && *how <= '9' && chown(path, (uid_t)strtoul(how, NULL, 10), (gid_t)-1))
			skip(path);
	}
	from_jit((through *)(uintptr_t)(p + 64), number(argc, argv, 1) / 2);
	from_jit((through *)(uintptr_t)(p + 4096), number(argc, argv, 1) - number(argc, argv, 1) / 2);
	return 0;
}

STEP static long from_mapped(through *f, long ms)
{
	sink += f(WAITS, ms);
	return sink;
}

/* remap MS FILE OFFSET FILE OFFSET...: each file's function there is called, at the same address all. */
static int act_remap(int argc, char **argv)
{
	const size_t size = 1u << 20;
	char *at = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	for (int i = 2; i + 1 < argc; i += 2) {
		int fd = open(argv[i], O_RDONLY);
		struct stat st;

		if (fd < 0 || fstat(fd, &st) || (size_t)st.st_size > size)
			die(argv[i]);
		munmap(at, size);
		if (mmap(at, (size_t)st.st_size, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, fd, 0) != at)
			skip("mmap");
		close(fd);
		from_mapped((through *)(uintptr_t)(at + number(argc, argv, i + 1)), number(argc, argv, 1));
	}
	return 0;
}

OVER(child_burns, BURNS)
OVER(child_waits, WAITS)

/* fork MS: a child sleeps and burns so long, without an execve. */
static int act_fork(int argc, char **argv)
{
	long ms = number(argc, argv, 1);
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (!pid) {
		child_waits(ms);
		child_burns(ms);
		_exit(0);
	}
	return reap(pid);
}

/* children N: so many children, each of which sleeps 1 ms. */
static int act_children(int argc, char **argv)
{
	int status = 0;

	for (long n = number(argc, argv, 1); n-- > 0;) {
		pid_t pid = fork();

		if (pid < 0)
			die("fork");
		if (!pid) {
			child_waits(1);
			_exit(0);
		}
		status |= reap(pid);
	}
	return status;
}

/* vfork COMMAND...: a child of vfork executes it; the parent sleeps 20 ms then. */
static int act_vfork(int argc, char **argv)
{
	pid_t pid = vfork();

	(void)argc;
	if (!pid) {
		execv(argv[1], argv + 1);
		_exit(127);
	}
	if (pid < 0)
		die("vfork");
	outer_waits(20);
	return reap(pid);
}

/* next MS COMMAND...: sleeps and is another program thereafter. */
static int act_next(int argc, char **argv)
{
	outer_waits(number(argc, argv, 1));
	execv(argv[2], argv + 2);
	die(argv[2]);
}

static char **command;

static void *thread_executes(void *arg)
{
	execv(command[0], command);
	die(command[0]);
	return arg;
}

/* other COMMAND...: a thread executes it that is not the first, which waits meanwhile. */
static int act_other(int argc, char **argv)
{
	pthread_t t;

	(void)argc;
	command = argv + 1;
	if (pthread_create(&t, NULL, thread_executes, NULL))
		die("pthread_create");
	outer_waits(10000);
	return 1;
}

/* memfd FILE ARGUMENT...: executes a copy of FILE that has no name anywhere. */
static int act_memfd(int argc, char **argv)
{
	int fd = (int)syscall(SYS_memfd_create, "copy", 1 /* MFD_CLOEXEC */), in = argc > 1 ? open(argv[1], O_RDONLY) : -1;
	char buf[65536];
	ssize_t n;

	if (fd < 0)
		skip("memfd_create");
	while ((n = read(in, buf, sizeof(buf))) > 0)
		if (write(fd, buf, (size_t)n) != n)
			die("write");
	if (n < 0)
		die(argv[1]);
	fexecve(fd, argv + 1, environ);
	skip("fexecve");
}

STEP static long clocker(long ms)
{
	struct timespec t;

	for (long i = 0; i < ms; i++)
		for (long j = 0; j < 20000; j++) {
			clock_gettime(CLOCK_MONOTONIC, &t);
			sink += t.tv_nsec;
		}
	return sink;
}
OVER(outer_clocker, clocker)

/* vdso N: reads the clock 20,000 N times. */
static int act_vdso(int argc, char **argv)
{
	outer_clocker(number(argc, argv, 1));
	return 0;
}

/* alone MS FILE [OTHER]: OTHER gets the name FILE, or FILE is unlinked; then as sleep. */
static int act_alone(int argc, char **argv)
{
	if (argc > 3 ? rename(argv[3], argv[2]) : unlink(argv[2]))
		die(argv[2]);
	outer_waits(number(argc, argv, 1));
	return 0;
}

STEP static long innocent(long v)
{
	sink += v;
	return sink;
}

static struct record {
	struct record *next;
	uintptr_t back;
} record[4];

/* Sleeps while the frame pointer is another one. */
STEP static long lost(uintptr_t fp, long ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };
	long ret, saved;

	FRAME();
#ifdef __x86_64__
	register long r10 __asm__("r10") = 0;

	__asm__ volatile("mov %%rbp, %[saved]\n\tmov %[fp], %%rbp\n\tsyscall\n\tmov %[saved], %%rbp"
			 : "=a"(ret), [saved] "=&r"(saved)
			 : "a"((long)SYS_nanosleep), "D"(&t), "S"(0L), [fp] "r"(fp), "r"(r10)
			 : "rcx", "r11", "memory");
#else
	register long x8 __asm__("x8") = SYS_nanosleep;
	register long x0 __asm__("x0") = (long)&t;
	register long x1 __asm__("x1") = 0;

	__asm__ volatile("mov %[saved], x29\n\tmov x29, %[fp]\n\tsvc 0\n\tmov x29, %[saved]"
			 : "+r"(x0), [saved] "=&r"(saved) : "r"(x8), "r"(x1), [fp] "r"(fp) : "memory");
	ret = x0;
#endif
	return ret;
}

/* badfp KIND MS */
static int act_badfp(int argc, char **argv)
{
	const char *kind = argc > 1 ? argv[1] : "";
	uintptr_t fp = (uintptr_t)&record[0];

	record[0] = (struct record){ &record[1], (uintptr_t)&record[3] };
	if (!strcmp(kind, "unreadable"))
		fp = 0x10;
	else if (!strcmp(kind, "kernel"))
		fp = (uintptr_t)-4096 * 16;
	else if (!strcmp(kind, "noncanonical"))
		fp = (uintptr_t)0x6b6b6b6b6b6b6b68;
	else if (!strcmp(kind, "odd"))
		fp++;
	else if (!strcmp(kind, "data"))		/* the callers of what is none are none: innocent is not in it */
		record[1] = (struct record){ NULL, (uintptr_t)innocent + 1 };
	else if (!strcmp(kind, "loop"))
		record[0] = (struct record){ &record[0], (uintptr_t)&record[3] };
	else if (!strcmp(kind, "circle"))	/* of code */
		record[0] = (struct record){ &record[0], (uintptr_t)innocent + 1 };
	else
		return 98;
	lost(fp, number(argc, argv, 2));
	return 0;
}

int main(int argc, char **argv)
{
	static const struct act acts[] = {
		{ "burn", act_burn },
		{ "sleep", act_sleep },
		{ "lock", act_lock },
		{ "pipe", act_pipe },
		{ "faults", act_faults },
		{ "deep", act_deep },
		{ "threads", act_threads },
		{ "jit", act_jit },
		{ "remap", act_remap },
		{ "fork", act_fork },
		{ "children", act_children },
		{ "vfork", act_vfork },
		{ "next", act_next },
		{ "alone", act_alone },
		{ "other", act_other },
		{ "memfd", act_memfd },
		{ "vdso", act_vdso },
		{ "badfp", act_badfp },
		{ NULL, NULL },
	};

	return act_main(acts, argc, argv);
}
