/*
 * test_fdtrack.c - analyzer/fdcalls.h and fdtrack.h: what descriptors are, held
 * against the ones that this process really has.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "events.h"
#include "fdtrack.h"
#include "mktrace.h"
#include "numbers.h"

/* --- a trace in memory ---------------------------------------------------------- */

struct world {
	struct dn_fdtrack *t;
	struct dn_fdcalls *calls;
	struct dn_fdlog log;
	uint64_t now;
	uint32_t seq;
};

static void world_new(struct world *w)
{
	*w = (struct world){ .t = dn_fdtrack_new(), .calls = dn_fdcalls_new(), .now = 1000 };
	assert_non_null(w->t);
	assert_non_null(w->calls);
}

/* Ops so far through the tracker, in the order of their times. */
static void world_apply(struct world *w)
{
	if (w->log.n)
		qsort(w->log.op, w->log.n, sizeof(*w->log.op), dn_fdop_compare);
	for (uint32_t i = 0; i < w->log.n; i++) {
		uint32_t len;
		const char *p = dn_fdlog_text(&w->log, w->log.op[i].text, &len);

		assert_int_equal(dn_fdtrack_apply(w->t, &w->log.op[i], p, len), 0);
	}
	dn_fdlog_clear(&w->log);
	assert_int_equal(dn_fdtrack_settle(w->t), 0);
}

static void world_free(struct world *w)
{
	dn_fdtrack_free(w->t);
	dn_fdcalls_free(w->calls);
	dn_fdlog_free(&w->log);
}

/* A call from one time to another; path may be NULL. */
static void call_at(struct world *w, uint32_t thread, const char *name, uint64_t from, uint64_t to,
		    const char *path, int64_t ret, unsigned nargs, const uint64_t *args)
{
	struct dn_syscall s = mk_sys(thread, w->seq++, name, 0, to - from, ret, nargs, args);

	s.start = from;
	if (path)
		mk_str(&s, name[0] == 'o' && name[4] == 'a', DN_STR_PATH, path, strlen(path));
	assert_int_equal(dn_fdlog_call(&w->log, w->calls, &s), 0);
}

/* The numbers as they are read from the caller's memory. */
static void pair_at(struct world *w, uint32_t thread, const char *name, uint64_t from, uint64_t to, int first,
		    int second, unsigned nargs, const uint64_t *args)
{
	const unsigned char bytes[8] = { (unsigned char)first, (unsigned char)(first >> 8), (unsigned char)(first >> 16),
					 (unsigned char)(first >> 24), (unsigned char)second,
					 (unsigned char)(second >> 8), (unsigned char)(second >> 16),
					 (unsigned char)(second >> 24) };
	struct dn_syscall s = mk_sys(thread, w->seq++, name, 0, to - from, 0, nargs, args);

	s.start = from;
	mk_str(&s, nargs - 1, DN_STR_FDS, (const char *)bytes, sizeof(bytes));
	assert_int_equal(dn_fdlog_call(&w->log, w->calls, &s), 0);
}

#define ARGS(...)                                                                     \
	sizeof((const uint64_t[]){ __VA_ARGS__ }) / 8, (const uint64_t[]){ __VA_ARGS__ }

/* The next call, which takes its own time. */
static void call(struct world *w, uint32_t thread, const char *name, const char *path, int64_t ret,
		 unsigned nargs, const uint64_t *args)
{
	call_at(w, thread, name, w->now + 10, w->now + 20, path, ret, nargs, args);
	w->now += 30;
}

static void row(struct world *w, unsigned event, unsigned nfields, const struct dn_value *v)
{
	const struct dn_row r = { (uint16_t)event, (uint16_t)nfields, v };

	assert_int_equal(dn_fdlog_row(&w->log, &r), 0);
	w->now += 10;
}

static void born(struct world *w, uint32_t thread, uint32_t process, uint32_t parent,
		 unsigned origin, uint64_t flags)
{
	struct dn_value v[DN_F_thread_start_N];

	for (unsigned i = 0; i < DN_F_thread_start_N; i++)
		v[i] = dn_null();
	v[DN_F_thread_start_time] = dn_u(w->now);
	v[DN_F_thread_start_thread] = dn_u(thread);
	v[DN_F_thread_start_process] = dn_u(process);
	v[DN_F_thread_start_origin] = dn_u(origin);
	if (parent) {
		v[DN_F_thread_start_parent_thread] = dn_u(parent);
		v[DN_F_thread_start_clone_flags] = dn_u(flags);
	}
	row(w, DN_EV_thread_start, DN_F_thread_start_N, v);
}

static void executes(struct world *w, uint32_t thread, const char *cwd)
{
	struct dn_value v[DN_F_exec_N];

	for (unsigned i = 0; i < DN_F_exec_N; i++)
		v[i] = dn_null();
	v[DN_F_exec_time] = dn_u(w->now);
	v[DN_F_exec_thread] = dn_u(thread);
	v[DN_F_exec_process] = dn_u(thread);
	v[DN_F_exec_cwd] = dn_str(cwd, strlen(cwd));
	row(w, DN_EV_exec, DN_F_exec_N, v);
}

static void exits(struct world *w, uint32_t thread)
{
	struct dn_value v[DN_F_thread_exit_N];

	for (unsigned i = 0; i < DN_F_thread_exit_N; i++)
		v[i] = dn_null();
	v[DN_F_thread_exit_time] = dn_u(w->now);
	v[DN_F_thread_exit_thread] = dn_u(thread);
	row(w, DN_EV_thread_exit, DN_F_thread_exit_N, v);
}

static void told(struct world *w, uint32_t process, int fd, const char *target, int flags)
{
	struct dn_value v[DN_F_fd_N] = {
		[DN_F_fd_time] = dn_u(w->now), [DN_F_fd_process] = dn_u(process),
		[DN_F_fd_fd] = dn_u((uint64_t)fd), [DN_F_fd_target] = dn_str(target, strlen(target)),
		[DN_F_fd_flags] = dn_u((uint64_t)flags), [DN_F_fd_pos] = dn_null(),
	};

	row(w, DN_EV_fd, DN_F_fd_N, v);
}

static struct dn_fd_span look(const struct world *w, uint32_t thread, int fd, uint64_t time)
{
	struct dn_fdcursor c = { 0 };
	struct dn_fd_span s;

	dn_fdtrack_find(w->t, &c, thread, fd, time, &s);
	return s;
}

static unsigned kind(const struct world *w, uint32_t thread, int fd, uint64_t time)
{
	return look(w, thread, fd, time).kind;
}

static void is_named(const struct world *w, uint32_t thread, int fd, uint64_t time,
		     const char *name)
{
	struct dn_fd_span s = look(w, thread, fd, time);

	if (!s.name || s.len != strlen(name) || memcmp(s.name, name, s.len))
		fail_msg("%d is %.*s, not %s", fd, (int)s.len, s.name ? s.name : "", name);
}

/* --- the kernel's own ------------------------------------------------------------ */

#define FDS 64
#define MOMENTS 3000

struct moment {
	uint64_t time;
	uint8_t kind[FDS];
	bool cloexec[FDS];
};

static unsigned real_kind(int fd)
{
	char link[64], to[256];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, to, sizeof(to) - 1);
	if (n < 0)
		return DN_FD_CLOSED;
	to[n] = 0;
	return !strncmp(to, "pipe:", 5) ? DN_FD_PIPE : !strncmp(to, "socket:", 7) ? DN_FD_SOCKET :
	       strstr(to, "[eventfd]") ? DN_FD_EVENTFD : !strncmp(to, "/proc/", 6) ? DN_FD_PROC :
	       !strncmp(to, "/dev/", 5) && strncmp(to, "/dev/shm/", 9) ? DN_FD_DEVICE : DN_FD_FILE;
}

static void remember(struct moment *m, uint64_t time)
{
	m->time = time;
	for (int fd = 0; fd < FDS; fd++) {
		int flags = fcntl(fd, F_GETFD);

		m->kind[fd] = (uint8_t)real_kind(fd);
		m->cloexec[fd] = flags > 0 && flags & FD_CLOEXEC;
	}
}

/* What /proc says of this process, as a keyframe has it. */
static void tell_all(struct world *w)
{
	for (int fd = 0; fd < FDS; fd++) {
		char link[64], to[256];
		ssize_t n;

		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		n = readlink(link, to, sizeof(to) - 1);
		if (n < 0)
			continue;
		to[n] = 0;
		told(w, 1, fd, to, fcntl(fd, F_GETFD) & FD_CLOEXEC ? O_CLOEXEC : 0);
	}
}

/* Half of the pairs are read. */
static void made(struct world *w, const char *name, const int p[2], unsigned nargs, const uint64_t *args)
{
	if (!number(2)) {
		call(w, 1, name, NULL, 0, nargs, args);
		return;
	}
	pair_at(w, 1, name, w->now + 10, w->now + 20, p[0], p[1], nargs, args);
	w->now += 30;
}

static void act(struct world *w, int first)
{
	int a = first + (int)number(20), b = first + (int)number(20), p[2], least;
	int cloexec = number(2) ? O_CLOEXEC : 0;

	switch (number(9)) {
	case 0:
		a = open("/dev/null", O_RDWR | cloexec);
		call(w, 1, "openat", "/dev/null", a, ARGS(-100ull, 0, (unsigned)(O_RDWR | cloexec), 0));
		break;
	case 1:
		a = open("/proc/self/stat", O_RDONLY | cloexec);
		call(w, 1, "open", "/proc/self/stat", a, ARGS(0, (unsigned)(O_RDONLY | cloexec), 0));
		break;
	case 2:
		if (pipe2(p, cloexec))
			fail();
		made(w, "pipe2", p, ARGS(0, (unsigned)cloexec));
		break;
	case 3:
		if (socketpair(AF_UNIX, SOCK_STREAM | (cloexec ? SOCK_CLOEXEC : 0), 0, p))
			fail();
		made(w, "socketpair", p, ARGS(1, cloexec ? 02000001 : 1, 0, 0));
		break;
	case 4:
		b = dup2(a, b) < 0 ? -errno : b;
		call(w, 1, "dup2", NULL, b, ARGS((uint64_t)a, b < 0 ? 50 : (uint64_t)b));
		break;
	case 5:
		least = b;
		b = fcntl(a, cloexec ? F_DUPFD_CLOEXEC : F_DUPFD, least);
		call(w, 1, "fcntl", NULL, b < 0 ? -EBADF : b,
		     ARGS((uint64_t)a, cloexec ? 1030 : 0, (uint64_t)least));
		break;
	case 6:
		b = fcntl(a, F_SETFD, cloexec ? FD_CLOEXEC : 0);
		call(w, 1, "fcntl", NULL, b < 0 ? -EBADF : b, ARGS((uint64_t)a, 2, cloexec ? 1 : 0));
		break;
	case 7:
		b = eventfd(0, cloexec);
		call(w, 1, "eventfd2", NULL, b, ARGS(0, (unsigned)cloexec));
		break;
	}
	for (int n = (int)number(3); n-- > 0; a++) {
		if (a < first || a >= FDS)
			continue;
		b = close(a);
		call(w, 1, "close", NULL, b < 0 ? -EBADF : 0, ARGS((uint64_t)a));
	}
	/* Not too many. */
	for (a = FDS - 1; a > first + 30; a--)
		if (!close(a))
			call(w, 1, "close", NULL, 0, ARGS((uint64_t)a));
}

static void as_the_kernel_has_it(void **unused)
{
	static struct moment m[MOMENTS];
	struct world w;
	int first;

	(void)unused;
	world_new(&w);
	born(&w, 1, 1, 0, DN_ORIGIN_TARGET, 0);
	first = eventfd(0, 0);
	close(first);
	tell_all(&w);
	w.now += 20000000;	/* a snapshot says nothing of what is that young */
	for (int i = 0; i < MOMENTS; i++) {
		act(&w, first);
		remember(&m[i], ++w.now);
		/* A child that executes something, now and then. */
		if (i % 100 == 99) {
			born(&w, 10 + (uint32_t)i, 10 + (uint32_t)i, 1, DN_ORIGIN_FORK, 17);
			executes(&w, 10 + (uint32_t)i, "/");
		}
	}
	for (int fd = first; fd < FDS; fd++)
		close(fd);
	world_apply(&w);
	for (int i = 0; i < MOMENTS; i++)
		for (int fd = 0; fd < FDS; fd++) {
			unsigned want = m[i].kind[fd], got = kind(&w, 1, fd, m[i].time);
			/* From the calls more is known than that it is a socket. */
			bool same = got == want || (want == DN_FD_SOCKET && got == DN_FD_UNIX);

			if (!same)
				fail_msg("moment %d: %d is %s, not %s", i, fd, dn_fd_kind_name(got),
					 dn_fd_kind_name(want));
			if (i % 100 == 99 && fd >= first) {
				unsigned child = kind(&w, 10 + (uint32_t)i, fd, w.now);

				assert_int_equal(child, m[i].cloexec[fd] ? DN_FD_CLOSED : got);
			}
		}
	world_free(&w);
}

/* --- who shares what -------------------------------------------------------------- */

static void tables(void **unused)
{
	struct world w;
	uint64_t before;

	(void)unused;
	world_new(&w);
	born(&w, 1, 1, 0, DN_ORIGIN_TARGET, 0);
	executes(&w, 1, "/home/me");
	call(&w, 1, "openat", "file", 3, ARGS(-100ull, 0, 0, 0));
	call(&w, 1, "openat", "/etc", 4, ARGS(-100ull, 0, O_DIRECTORY | O_CLOEXEC, 0));
	call(&w, 1, "openat", "x/.././/passwd", 5, ARGS(4, 0, 0, 0));
	born(&w, 2, 1, 1, DN_ORIGIN_THREAD, 0x400);
	born(&w, 3, 3, 1, DN_ORIGIN_FORK, 0);
	born(&w, 4, 4, 1, DN_ORIGIN_CLONE, 0x400);
	before = w.now;
	call(&w, 2, "close", NULL, 0, ARGS(3));
	call(&w, 4, "eventfd2", NULL, 3, ARGS(0, 0));
	call(&w, 4, "unshare", NULL, 0, ARGS(0x400));
	call(&w, 4, "close", NULL, -EINTR, ARGS(3));		/* gone all the same */
	call(&w, 3, "chdir", "below", 0, ARGS(0));
	call(&w, 3, "openat", "other", 6, ARGS(-100ull, 0, 0, 0));
	executes(&w, 3, "/");
	world_apply(&w);
	is_named(&w, 1, 3, before, "/home/me/file");
	is_named(&w, 3, 3, w.now, "/home/me/file");
	is_named(&w, 1, 5, w.now, "/etc/passwd");
	is_named(&w, 3, 6, w.now, "/home/me/below/other");
	assert_int_equal(kind(&w, 2, 4, w.now), DN_FD_DIRECTORY);
	assert_int_equal(kind(&w, 3, 4, w.now), DN_FD_CLOSED);
	assert_int_equal(kind(&w, 3, 5, w.now), DN_FD_FILE);
	assert_int_equal(kind(&w, 1, 3, w.now), DN_FD_EVENTFD);
	assert_int_equal(kind(&w, 4, 3, w.now), DN_FD_CLOSED);
	assert_int_equal(kind(&w, 4, 3, before), DN_FD_FILE);
	assert_int_equal(kind(&w, 99, 3, before), DN_FD_UNKNOWN);
	world_free(&w);
}

/* A second thread executes: it goes on as the first, with what it had. */
static void an_exec_by_another_thread(void **unused)
{
	struct world w;

	(void)unused;
	world_new(&w);
	born(&w, 1, 1, 0, DN_ORIGIN_TARGET, 0);
	born(&w, 2, 1, 1, DN_ORIGIN_THREAD, 0x400);
	call(&w, 2, "eventfd2", NULL, 3, ARGS(0, 0));
	call(&w, 2, "eventfd2", NULL, 4, ARGS(0, 02000000));
	exits(&w, 1);
	born(&w, 5, 1, 2, DN_ORIGIN_EXEC, 0);
	executes(&w, 5, "/");
	call(&w, 5, "dup", NULL, 4, ARGS(3));
	world_apply(&w);
	assert_int_equal(kind(&w, 5, 3, w.now), DN_FD_EVENTFD);
	assert_int_equal(kind(&w, 5, 4, w.now - 25), DN_FD_CLOSED);
	assert_int_equal(kind(&w, 5, 4, w.now), DN_FD_EVENTFD);
	world_free(&w);
}

/* --- calls that meet --------------------------------------------------------------- */

/* A process whose descriptors are all known: 0 to 2. */
static void known(struct world *w)
{
	world_new(w);
	born(w, 1, 1, 0, DN_ORIGIN_TARGET, 0);
	for (int fd = 0; fd < 3; fd++)
		told(w, 1, fd, "/dev/null", 0);
	born(w, 2, 1, 1, DN_ORIGIN_THREAD, 0x400);
	born(w, 3, 1, 1, DN_ORIGIN_THREAD, 0x400);
	w->now = 50000000;
}

/* An open that is under way has its number: a pipe gets the next ones. */
static void a_number_that_is_taken(void **unused)
{
	for (uint64_t open_end = 300; open_end < 100000; open_end += 90000) {
		struct world w;
		uint64_t t;

		(void)unused;
		known(&w);
		t = w.now;
		call_at(&w, 1, "open", t, t + open_end, "/slow", 3, ARGS(0, 0, 0));
		call_at(&w, 2, "pipe2", t + 100, t + 200, NULL, 0, ARGS(0, 0));
		world_apply(&w);
		assert_int_equal(kind(&w, 1, 3, t + open_end), DN_FD_FILE);
		assert_int_equal(kind(&w, 1, 4, t + open_end), DN_FD_PIPE);
		assert_int_equal(kind(&w, 1, 5, t + open_end), DN_FD_PIPE);
		assert_int_equal(kind(&w, 1, 6, t + open_end), DN_FD_CLOSED);
		world_free(&w);
	}
}

/* Numbers that were read are believed, as far as they can be true. */
static void numbers_that_were_read(void **unused)
{
	struct world w;
	struct dn_fd_span one;
	uint64_t t;

	(void)unused;
	known(&w);
	t = w.now;
	pair_at(&w, 2, "pipe2", t, t + 500, 7, 4, ARGS(0, 0));
	call_at(&w, 1, "open", t + 100, t + 200, "/file", 3, ARGS(0, 0, 0));
	pair_at(&w, 1, "socketpair", t + 300, t + 90000, 5, 6, ARGS(1, 1, 0, 0));
	call_at(&w, 2, "pipe", t + 600, t + 700, NULL, 0, ARGS(0));	/* 5 and 6 are taken already */
	pair_at(&w, 3, "pipe", t + 90500, t + 90600, -1, DN_FD_MAX, ARGS(0));	/* memory that was overwritten */
	world_apply(&w);
	one = look(&w, 1, 7, t + 550);		/* not one that was to be expected: 5 and 6 were free */
	assert_int_equal(one.kind, DN_FD_PIPE);
	assert_true(one.inferred);
	assert_int_equal(kind(&w, 1, 4, t + 550), DN_FD_PIPE);
	assert_int_equal(kind(&w, 1, 3, t + 550), DN_FD_FILE);
	assert_int_equal(kind(&w, 1, 5, t + 91000), DN_FD_UNIX);
	assert_int_equal(kind(&w, 1, 6, t + 91000), DN_FD_UNIX);
	for (int fd = 8; fd < 12; fd++)
		assert_int_equal(kind(&w, 1, fd, t + 91000), DN_FD_PIPE);
	assert_int_equal(kind(&w, 1, 12, t + 91000), DN_FD_CLOSED);
	world_free(&w);
}

static void numbers_that_cannot_be(void **unused)
{
	static const int32_t read[][2] = { { 3, 6 }, { 6, 3 }, { 5, 5 }, { 5, 2000 }, { 1048000, 5 }, { -1, 5 }, { 5, 0 },
					   { 5, INT32_MIN }, { INT32_MAX, 6 } };

	(void)unused;
	for (size_t i = 0; i < sizeof(read) / sizeof(*read); i++) {
		struct world w;

		known(&w);
		call(&w, 1, "open", "/file", 3, ARGS(0, 0, 0));
		call(&w, 1, "eventfd2", NULL, 4, ARGS(0, 0));
		pair_at(&w, 1, "pipe", w.now, w.now + 100, read[i][0], read[i][1], ARGS(0));
		w.now += 1000;
		pair_at(&w, 1, "pipe", w.now, w.now + 100, 8, 7, ARGS(0));
		w.now += 1000;
		world_apply(&w);
		is_named(&w, 1, 3, w.now, "/file");
		assert_int_equal(kind(&w, 1, 4, w.now), DN_FD_EVENTFD);
		for (int fd = 5; fd < 9; fd++) {
			assert_int_equal(kind(&w, 1, fd, w.now), DN_FD_PIPE);
			assert_false(look(&w, 1, fd, w.now).inferred);
		}
		assert_int_equal(kind(&w, 1, 9, w.now), DN_FD_CLOSED);
		assert_false(dn_fdtrack_overflowed(w.t));
		world_free(&w);
	}
}

/* A pipe that is under way, of which only a later open speaks. */
static void a_pipe_that_ends_late(void **unused)
{
	struct world w;
	uint64_t t;

	(void)unused;
	known(&w);
	t = w.now;
	call_at(&w, 2, "pipe2", t, t + 500, NULL, 0, ARGS(0, 0));
	call_at(&w, 1, "open", t + 100, t + 200, "/file", 5, ARGS(0, 0, 0));
	world_apply(&w);
	assert_int_equal(kind(&w, 1, 5, t + 600), DN_FD_FILE);
	assert_int_equal(kind(&w, 1, 3, t + 600), DN_FD_PIPE);
	assert_int_equal(kind(&w, 1, 4, t + 600), DN_FD_PIPE);
	world_free(&w);
}

/* close() gives the number back before it returns, and not at once. */
static void a_close_that_takes_time(void **unused)
{
	struct world w;
	uint64_t t;

	(void)unused;
	known(&w);
	call(&w, 1, "open", "/one", 3, ARGS(0, 0, 0));
	t = w.now;
	call_at(&w, 1, "close", t, t + 1000, NULL, 0, ARGS(3));
	call_at(&w, 2, "open", t + 100, t + 200, "/two", 4, ARGS(0, 0, 0));	/* 3 is in use yet */
	call_at(&w, 3, "open", t + 300, t + 400, "/three", 3, ARGS(0, 0, 0));
	call_at(&w, 2, "pipe", t + 2000, t + 2100, NULL, 0, ARGS(0));
	world_apply(&w);
	is_named(&w, 1, 3, t, "/one");			/* as its own argument */
	is_named(&w, 1, 3, t + 500, "/three");
	is_named(&w, 1, 4, t + 500, "/two");
	assert_int_equal(kind(&w, 1, 5, t + 3000), DN_FD_PIPE);
	assert_int_equal(kind(&w, 1, 6, t + 3000), DN_FD_PIPE);
	world_free(&w);
}

/* --- what is not in the trace ------------------------------------------------------ */

static void unknown_ones(void **unused)
{
	struct world w;

	(void)unused;
	world_new(&w);
	born(&w, 1, 1, 0, DN_ORIGIN_TARGET, 0);
	call(&w, 1, "open", "/file", 5, ARGS(0, 0, 0));		/* 3 and 4 were there */
	call(&w, 1, "pipe", NULL, 0, ARGS(0));
	call(&w, 1, "close", NULL, 0, ARGS(20));		/* so was this one */
	call(&w, 1, "close", NULL, -EBADF, ARGS(3));		/* or not any more */
	told(&w, 1, 4, "socket:[17]", O_CLOEXEC);
	told(&w, 1, 30, "anon_inode:[eventpoll]", 0);
	world_apply(&w);
	assert_int_equal(kind(&w, 1, 6, w.now), DN_FD_PIPE);
	assert_true(look(&w, 1, 7, w.now).kind == DN_FD_PIPE);
	assert_int_equal(kind(&w, 1, 4, 1000), DN_FD_SOCKET);	/* as it was already */
	assert_int_equal(kind(&w, 1, 4, w.now), DN_FD_SOCKET);
	assert_int_equal(kind(&w, 1, 30, 1000), DN_FD_EPOLL);
	assert_int_equal(kind(&w, 1, 20, w.now), DN_FD_CLOSED);
	assert_int_equal(kind(&w, 1, 3, w.now), DN_FD_CLOSED);
	world_free(&w);
}

/* Of a process that has become setuid there are neither arguments nor results. */
static void withheld(void **unused)
{
	static const char *const names[] = { "socket", "openat", "accept4", "dup", "dup2", "pipe2", "socketpair",
					     "fcntl", "epoll_create1", "close", "close_range" };
	struct world w;

	(void)unused;
	world_new(&w);
	born(&w, 1, 1, 0, DN_ORIGIN_TARGET, 0);
	told(&w, 1, 0, "/dev/null", 0);
	told(&w, 1, 1, "/dev/null", 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		call(&w, 1, names[i], NULL, 0, 0, NULL);
	world_apply(&w);
	assert_int_equal(kind(&w, 1, 0, w.now), DN_FD_DEVICE);
	assert_int_equal(kind(&w, 1, 1, w.now), DN_FD_DEVICE);
	for (int32_t fd = 2; fd < 5; fd++)
		assert_in_range(kind(&w, 1, fd, w.now), DN_FD_UNKNOWN, DN_FD_CLOSED);
	world_free(&w);
}

struct spans {
	struct dn_fd_span s[64];
	unsigned n;
};

static int keep(void *ctx, const struct dn_fd_span *s)
{
	struct spans *k = ctx;

	assert_true(k->n < 64);
	k->s[k->n++] = *s;
	return 0;
}

static void each_span_once(void **unused)
{
	struct spans k = { .n = 0 };
	struct world w;
	uint64_t t;
	unsigned guessed = 0, open = 0, twice = 0;

	(void)unused;
	world_new(&w);
	born(&w, 1, 1, 0, DN_ORIGIN_TARGET, 0);
	born(&w, 2, 2, 1, DN_ORIGIN_CLONE, 0x400);
	call(&w, 1, "pipe2", NULL, 0, ARGS(0, 02000000));
	call(&w, 1, "close", NULL, 0, ARGS(3));
	t = w.now;
	call(&w, 1, "dup", NULL, 3, ARGS(4));
	call(&w, 1, "close", NULL, 0, ARGS(3));
	world_apply(&w);
	assert_int_equal(dn_fdtrack_forget(w.t, t, keep, &k), 0);
	assert_int_equal(k.n, 2);		/* of both processes */
	assert_int_equal(dn_fdtrack_forget(w.t, t, keep, &k), 0);
	assert_int_equal(k.n, 2);
	assert_int_equal(dn_fdtrack_forget(w.t, UINT64_MAX, keep, &k), 0);
	for (unsigned i = 0; i < k.n; i++) {
		open += k.s[i].to == UINT64_MAX;
		guessed += k.s[i].inferred;
		twice += k.s[i].origin == DN_FD_FROM_DUP;
		assert_true(k.s[i].process == 1 || k.s[i].process == 2);
	}
	assert_int_equal(k.n, 2 * (3 + 3));	/* 0 to 2, and 3, 4, 3 */
	assert_int_equal(open, 2 * 4);
	assert_int_equal(twice, 2);
	assert_int_equal(guessed, 2);		/* 4; the others were closed, so they were there */
	assert_true(!dn_fdtrack_overflowed(w.t));
	world_free(&w);
}

static void numbers_beyond_all(void **unused)
{
	struct world w;

	(void)unused;
	world_new(&w);
	for (uint32_t thread = 1; thread < 12; thread++) {
		born(&w, thread, thread, 0, DN_ORIGIN_TARGET, 0);
		call(&w, thread, "dup2", NULL, DN_FD_MAX - 1, ARGS(1, DN_FD_MAX - 1));
		call(&w, thread, "open", "/x", INT32_MAX, ARGS(0, 0, 0));
		call(&w, thread, "open", "/x", INT64_MAX, ARGS(0, 0, 0));
	}
	world_apply(&w);
	assert_true(dn_fdtrack_overflowed(w.t));
	assert_int_equal(kind(&w, 1, INT32_MAX, w.now), DN_FD_UNKNOWN);
	world_free(&w);
}

/* --- calls to ops ------------------------------------------------------------------ */

static void calls_to_kinds(void **unused)
{
	static const struct {
		const char *name;
		uint64_t args[5];
		unsigned nargs, kind;
		bool cloexec;
	} table[] = {
		{ "socket", { 2, 1, 0 }, 3, DN_FD_TCP, false },
		{ "socket", { 10, 02000001, 6 }, 3, DN_FD_TCP, true },
		{ "socket", { 2, 04002, 17 }, 3, DN_FD_UDP, false },
		{ "socket", { 2, 2, 1 }, 3, DN_FD_ICMP, false },
		{ "socket", { 10, 3, 58 }, 3, DN_FD_RAW, false },
		{ "socket", { 1, 5, 0 }, 3, DN_FD_UNIX, false },
		{ "socket", { 16, 3, 0 }, 3, DN_FD_NETLINK, false },
		{ "socket", { 17, 3, 0 }, 3, DN_FD_PACKET, false },
		{ "socket", { 40, 1, 0 }, 3, DN_FD_VSOCK, false },
		{ "socket", { 38, 5, 0 }, 3, DN_FD_SOCKET, false },
		{ "eventfd2", { 0, 02000000 }, 2, DN_FD_EVENTFD, true },
		{ "epoll_create", { 1 }, 1, DN_FD_EPOLL, false },
		{ "epoll_create1", { 02000000 }, 1, DN_FD_EPOLL, true },
		{ "timerfd_create", { 1, 02000000 }, 2, DN_FD_TIMERFD, true },
		{ "signalfd4", { -1ull, 0, 8, 02000000 }, 4, DN_FD_SIGNALFD, true },
		{ "inotify_init", { 0 }, 0, DN_FD_INOTIFY, false },
		{ "fanotify_init", { 1, 0 }, 2, DN_FD_FANOTIFY, true },
		{ "memfd_create", { 0, 1 }, 2, DN_FD_MEMFD, true },
		{ "pidfd_open", { 1, 0 }, 2, DN_FD_PIDFD, true },
		{ "io_uring_setup", { 1, 0 }, 2, DN_FD_IO_URING, true },
		{ "perf_event_open", { 0, 0, 0, -1ull, 8 }, 5, DN_FD_PERF_EVENT, true },
		{ "perf_event_open", { 0, 0, 0, -1ull, 0 }, 5, DN_FD_PERF_EVENT, false },
		{ "userfaultfd", { 02000000 }, 1, DN_FD_USERFAULTFD, true },
		{ "bpf", { 5, 0, 0 }, 3, DN_FD_BPF, true },
		{ "mq_open", { 0, 0, 0, 0 }, 4, DN_FD_MQUEUE, true },
		{ "creat", { 0, 0 }, 2, DN_FD_FILE, false },
		{ "open", { 0, O_DIRECTORY | O_CLOEXEC, 0 }, 3, DN_FD_DIRECTORY, true },
		{ "open", { 0, 020200002, 0 }, 3, DN_FD_FILE, false },	/* O_TMPFILE */
	};
	struct world w;

	(void)unused;
	world_new(&w);
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		call(&w, 1, table[i].name, NULL, -EMFILE, table[i].nargs, table[i].args);
		assert_int_equal(w.log.n, 0);
		call(&w, 1, table[i].name, NULL, 7, table[i].nargs, table[i].args);
		if (w.log.n != 1 || w.log.op[0].what != DN_FDOP_MAKE || w.log.op[0].fd != 7 ||
		    w.log.op[0].kind != table[i].kind || w.log.op[0].cloexec != table[i].cloexec)
			fail_msg("%zu: %s makes %s", i, table[i].name,
				 w.log.n ? dn_fd_kind_name(w.log.op[0].kind) : "nothing");
		dn_fdlog_clear(&w.log);
	}
	/* Not of this kind. */
	call(&w, 1, "bpf", NULL, 1, ARGS(1, 0, 0));
	call(&w, 1, "signalfd4", NULL, 3, ARGS(3, 0, 8, 0));
	call(&w, 1, "ioctl", NULL, 0, ARGS(3, 0x5401, 0));
	call(&w, 1, "unshare", NULL, -EPERM, ARGS(0x400));
	call(&w, 1, "fcntl", NULL, 1, ARGS(3, 1, 0));
	assert_int_equal(w.log.n, 0);
	world_free(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_the_kernel_has_it),
		cmocka_unit_test(tables),
		cmocka_unit_test(an_exec_by_another_thread),
		cmocka_unit_test(a_number_that_is_taken),
		cmocka_unit_test(numbers_that_were_read),
		cmocka_unit_test(numbers_that_cannot_be),
		cmocka_unit_test(a_pipe_that_ends_late),
		cmocka_unit_test(a_close_that_takes_time),
		cmocka_unit_test(unknown_ones),
		cmocka_unit_test(withheld),
		cmocka_unit_test(each_span_once),
		cmocka_unit_test(numbers_beyond_all),
		cmocka_unit_test(calls_to_kinds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
