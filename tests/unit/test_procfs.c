/*
 * The parsers of /proc on texts good and bad, cut at every byte; and the
 * readers on the real /proc, against what the process knows of itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "procfs.h"
#include "row.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

/* A copy of exactly that size, so that the sanitizer sees one byte too many. */
static char *copy(const char *text, size_t len)
{
	char *p = malloc(len ? len : 1);

	assert_non_null(p);
	memcpy(p, text, len);
	return p;
}

#define STAT_TAIL                                                                                  \
	" S 1 2 3 4 -1 4194560 34297 374858 69 198 60 353 950 653 20 0 13 0 30 48881664 4277 "     \
	"18446744073709551615 1 1 7777 0 0 0 0 4096 1088 0 0 0 17 5 0 0 0 0 0 0 0 0 0 0 0 0 1792\n"

static void pid_stat(void **state)
{
	static const char *const names[] = { "cat", "a b", "a) R 1 2 3 (b", ")", "", "x\ny", "((", ") S" };
	struct dn_pid_stat st;
	char text[512];

	(void)state;
	for (size_t i = 0; i < N(names); i++) {
		int n = snprintf(text, sizeof(text), "4711 (%s)" STAT_TAIL, names[i]);
		char *p = copy(text, (size_t)n);

		assert_int_equal(dn_parse_pid_stat(p, (size_t)n, &st), 0);
		assert_int_equal(st.pid, 4711);
		assert_int_equal(st.comm_len, strlen(names[i]));
		assert_memory_equal(st.comm, names[i], st.comm_len);
		assert_int_equal(st.state, 'S');
		assert_int_equal(st.ppid, 1);
		assert_int_equal(st.minflt, 34297);
		assert_int_equal(st.majflt, 69);
		assert_int_equal(st.utime, 60);
		assert_int_equal(st.stime, 353);
		assert_int_equal(st.threads, 13);
		assert_int_equal(st.start, 30);
		assert_int_equal(st.vsize, 48881664);
		assert_int_equal(st.rss, 4277);
		assert_int_equal(st.cpu, 5);
		assert_int_equal(st.cminflt, 374858);
		assert_int_equal(st.stack, 7777);
		assert_int_equal(st.exit_code, 1792);
		free(p);
	}
}

/* Whatever is cut off, a figure is right or missing, never another number. */
static void pid_stat_cut(void **state)
{
	static const char text[] = "4711 (a) b)" STAT_TAIL;
	struct dn_pid_stat st;

	(void)state;
	for (size_t n = 0; n < sizeof(text) - 1; n++) {
		char *p = copy(text, n);

		if (!dn_parse_pid_stat(p, n, &st)) {
			assert_int_equal(st.start, 30);
			assert_int_equal(st.rss, 4277);
			assert_true(st.cpu == 5 || st.cpu == DN_UNMEASURED);
			assert_true(st.stack == 7777 || st.stack == DN_UNMEASURED);
			assert_true(st.exit_code == DN_UNMEASURED);
		}
		free(p);
	}
	assert_int_equal(dn_parse_pid_stat("", 0, &st), -EBADMSG);
	assert_int_equal(dn_parse_pid_stat("1 (x", 4, &st), -EBADMSG);
	assert_int_equal(dn_parse_pid_stat("1 )(", 4, &st), -EBADMSG);
	assert_int_equal(dn_parse_pid_stat("x (a) S 1", 9, &st), -EBADMSG);
}

static void pid_schedstat(void **state)
{
	struct dn_pid_schedstat s;

	(void)state;
	dn_parse_pid_schedstat("151624 17 3\n", 12, &s);
	assert_int_equal(s.runtime, 151624);
	assert_int_equal(s.delay, 17);
	/* a kernel that does not count */
	dn_parse_pid_schedstat("0 0 0\n", 6, &s);
	assert_true(s.runtime == DN_UNMEASURED && s.delay == DN_UNMEASURED);
	dn_parse_pid_schedstat("", 0, &s);
	assert_true(s.runtime == DN_UNMEASURED && s.delay == DN_UNMEASURED);
}

/* Of four ids the second is the effective one. */
static void pid_status_ids(void **state)
{
	static const char text[] = "Name:\tUid:\nUid:\t1\t22\t3\t4\nGid:\t5\t66\t7\t8\nVmHWM:\t  12 kB\n";
	struct dn_pid_status s;

	(void)state;
	dn_parse_pid_status(text, strlen(text), &s);
	assert_int_equal(s.euid, 22);
	assert_int_equal(s.egid, 66);
	assert_int_equal(s.peak, 12 * 1024);
	assert_true(s.nvcsw == DN_UNMEASURED);
}

static void keyed_files(void **state)
{
	static const char io[] = "rchar: 6976\nwchar: 0\nsyscr: 10\nsyscw: 3\nread_bytes: 4096\n"
				 "write_bytes: 18446744073709551615999\ncancelled_write_bytes: 7\n";
	static const char status[] = "Name:\tx\nThreads:\t1\nvoluntary_ctxt_switches:\t15\n"
				     "nonvoluntary_ctxt_switches:\t2\n";
	static const char info[] = "pos:\t42\nflags:\t02100002\nmnt_id:\t9\n";
	static const char mem[] = "MemTotal:       24614756 kB\nMemFree:  1 kB\nSwapCached: 5 kB\n"
				  "Cached: 7 kB\nSwapTotal: 0 kB\n";
	struct dn_pid_io i;
	struct dn_pid_status s;
	struct dn_pid_fdinfo f;
	struct dn_meminfo m;

	(void)state;
	dn_parse_pid_io(io, strlen(io), &i);
	assert_int_equal(i.rchar, 6976);
	assert_int_equal(i.wchar, 0);
	assert_int_equal(i.syscr, 10);
	assert_int_equal(i.syscw, 3);
	assert_int_equal(i.read_bytes, 4096);
	assert_true(i.write_bytes == DN_UNMEASURED);	/* too large */
	assert_int_equal(i.cancelled_write_bytes, 7);
	for (size_t n = 0; n < strlen(io); n++) {
		char *p = copy(io, n);

		dn_parse_pid_io(p, n, &i);
		assert_true(i.rchar == 6976 || i.rchar == DN_UNMEASURED);
		assert_true(i.read_bytes == 4096 || i.read_bytes == DN_UNMEASURED);
		assert_true(i.cancelled_write_bytes == DN_UNMEASURED);
		free(p);
	}
	dn_parse_pid_status(status, strlen(status), &s);
	assert_int_equal(s.nvcsw, 15);
	assert_int_equal(s.nivcsw, 2);
	dn_parse_pid_fdinfo(info, strlen(info), &f);
	assert_int_equal(f.pos, 42);
	assert_int_equal(f.flags, 02100002);
	dn_parse_meminfo(mem, strlen(mem), &m);
	assert_true(m.total == 24614756ull * 1024);
	assert_int_equal(m.free, 1024);
	assert_int_equal(m.cached, 7 * 1024);
	assert_int_equal(m.swap_total, 0);
	assert_true(m.available == DN_UNMEASURED);
	assert_true(m.swap_free == DN_UNMEASURED);
}

static int map_of(const char *line, struct dn_pid_map *m)
{
	return dn_parse_pid_map(line, strlen(line), m);
}

static void maps(void **state)
{
	static const char line[] =
		"55d0c8a4e000-55d0c8a50000 r-xp 00002000 fe:00 1234       /usr/bin/a b (deleted)";
	struct dn_pid_map m;
	char path[] = "/a\\012b\\01\\012";

	(void)state;
	assert_int_equal(map_of(line, &m), 0);
	assert_true(m.start == 0x55d0c8a4e000);
	assert_true(m.end == 0x55d0c8a50000);
	assert_int_equal(m.offset, 0x2000);
	assert_int_equal(m.inode, 1234);
	assert_int_equal(m.prot, PROT_READ | PROT_EXEC);
	assert_false(m.shared);
	assert_int_equal(m.path_len, strlen("/usr/bin/a b (deleted)"));
	assert_memory_equal(m.path, "/usr/bin/a b (deleted)", m.path_len);
	assert_int_equal(map_of("7ff-800 -w-s 0 00:00 0 ", &m), 0);
	assert_true(m.shared);
	assert_int_equal(m.prot, PROT_WRITE);
	assert_int_equal(m.path_len, 0);
	assert_int_equal(map_of("ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0  [vsyscall]", &m), 0);
	for (size_t n = 0; n < strlen(line); n++) {
		char *p = copy(line, n);

		if (!dn_parse_pid_map(p, n, &m))
			assert_true(m.end == 0x55d0c8a50000 && m.offset == 0x2000);
		free(p);
	}
	assert_int_equal(map_of("800-7ff r--p 0 0:0 0", &m), -EBADMSG);
	assert_int_equal(map_of("11111111111111111-2 r--p 0 0:0 0", &m), -EBADMSG);
	assert_int_equal(dn_unescape_map_path(path, strlen(path)), 8);
	assert_memory_equal(path, "/a\nb\\01\n", 8);
}

static void host_files(void **state)
{
	static const char load[] = "0.08 12.5 3 2/92 9093\n";
	static const char psi[] = "some avg10=0.00 avg60=0.00 avg300=0.00 total=1234\n"
				  "full avg10=0.00 avg60=0.00 avg300=0.00 total=7\n";
	static const char net[] = "  eth0:40219306    1091    1    2    0     0          0         0    "
				  "50783     658    3    4    0     0       0          0";
	static const char disk[] = " 254       0 vda 35175 9353 3536738 16976 7391 8577 556336 2691 1 "
				   "7072 20154 5656 60 180616 436 937 49";
	static const char *const stat[] = { "cpu  1 2 3 4 5 6 7 8 9 10", "cpu0 1 1 1 1 1", "intr 1 2 3",
					    "ctxt 99" };
	struct dn_loadavg l;
	struct dn_psi p;
	struct dn_net_dev d;
	struct dn_disk k;
	struct dn_host_cpu c;

	(void)state;
	assert_int_equal(dn_parse_loadavg(load, strlen(load), &l), 0);
	assert_int_equal(l.load1, 80);
	assert_int_equal(l.load5, 12500);
	assert_int_equal(l.load15, 3000);
	assert_int_equal(l.running, 2);
	assert_int_equal(l.tasks, 92);
	assert_int_equal(dn_parse_loadavg("", 0, &l), -EBADMSG);
	assert_int_equal(dn_parse_loadavg("a b c d/e", 9, &l), -EBADMSG);

	dn_parse_psi(psi, strlen(psi), &p);
	assert_int_equal(p.some, 1234000);
	assert_int_equal(p.full, 7000);
	dn_parse_psi(psi, 51, &p);
	assert_true(p.full == DN_UNMEASURED);

	assert_int_equal(dn_parse_net_dev(net, strlen(net), &d), 0);
	assert_int_equal(d.name_len, 4);
	assert_memory_equal(d.name, "eth0", 4);
	assert_int_equal(d.rx_bytes, 40219306);
	assert_int_equal(d.rx_dropped, 2);
	assert_int_equal(d.tx_bytes, 50783);
	assert_int_equal(d.tx_errors, 3);
	assert_int_equal(d.tx_dropped, 4);
	assert_int_equal(dn_parse_net_dev("Inter-|   Receive  |  Transmit", 30, &d), -EBADMSG);

	assert_int_equal(dn_parse_disk(disk, strlen(disk), &k), 0);
	assert_memory_equal(k.name, "vda", 3);
	assert_int_equal(k.reads, 35175);
	assert_int_equal(k.read_sectors, 3536738);
	assert_int_equal(k.write_ms, 2691);
	assert_int_equal(k.in_flight, 1);
	assert_int_equal(k.busy_ms, 7072);

	dn_host_cpu_clear(&c);
	assert_true(c.steal == DN_UNMEASURED);
	for (size_t i = 0; i < N(stat); i++)
		dn_parse_host_stat_line(stat[i], strlen(stat[i]), &c);
	assert_int_equal(c.user, 1);
	assert_int_equal(c.steal, 8);
	assert_int_equal(c.ctxt, 99);
}

static void scaling(void **state)
{
	(void)state;
	assert_true(dn_scale(DN_UNMEASURED, 1) == DN_UNMEASURED);
	assert_true(dn_scale(UINT64_MAX / 2, 3) == DN_UNMEASURED);
	assert_int_equal(dn_scale(3, 4), 12);
}

/* Lines of every length around the size of the buffer. */
static void lines(void **state)
{
	char buf[16], want[64];
	int fd = memfd_create("lines", 0);

	(void)state;
	assert_true(fd >= 0);
	for (size_t n = 0; n < 40; n++) {
		struct dn_lines l = { .fd = dup(fd), .buf = buf, .cap = sizeof(buf) };
		size_t len, kept = n < sizeof(buf) ? n : sizeof(buf);
		char *line;

		memset(want, 'x', n);
		assert_int_equal(ftruncate(fd, 0), 0);
		lseek(fd, 0, SEEK_SET);
		assert_int_equal(write(fd, "ab\n", 3), 3);
		assert_int_equal(write(fd, want, n), n);
		assert_int_equal(write(fd, "\n\ncd", 4), 4);
		lseek(fd, 0, SEEK_SET);
		assert_int_equal(dn_lines_next(&l, &line, &len), 1);
		assert_int_equal(len, 2);
		assert_int_equal(dn_lines_next(&l, &line, &len), 1);
		assert_int_equal(len, kept);
		assert_memory_equal(line, want, len);
		assert_int_equal(dn_lines_next(&l, &line, &len), 1);
		assert_int_equal(len, 0);
		assert_int_equal(dn_lines_next(&l, &line, &len), 1);
		assert_memory_equal(line, "cd", 2);
		assert_int_equal(dn_lines_next(&l, &line, &len), 0);
		assert_int_equal(dn_lines_next(&l, &line, &len), 0);
		dn_lines_close(&l);
	}
	close(fd);
}

/* --- the real /proc -------------------------------------------------------------------- */

static int procfs;

static int open_proc(void **state)
{
	(void)state;
	procfs = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return procfs < 0 ? -1 : 0;
}

static int close_proc(void **state)
{
	(void)state;
	return close(procfs);
}

static uint64_t own_fds(void)
{
	uint64_t n = 0;

	for (int fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void self(void **state)
{
	struct dn_proc_reading r;
	struct rusage before, after;
	struct dn_proc p;
	int extra[5];
	char buf[4096], cwd[4096];
	uint64_t fds;
	ssize_t n;

	(void)state;
	assert_int_equal(dn_proc_open(&p, procfs, getpid(), DN_UNMEASURED), 0);
	for (size_t i = 0; i < N(extra); i++)
		extra[i] = open("/dev/null", O_RDONLY);
	fds = own_fds();
	getrusage(RUSAGE_SELF, &before);
	assert_int_equal(dn_proc_read(&p, DN_PROC_ALL, &r), 0);
	getrusage(RUSAGE_SELF, &after);
	assert_int_equal(r.state, 'R');
	assert_int_equal(r.ppid, getppid());
	assert_int_equal(r.threads, 1);
	assert_int_equal(r.fds, fds);
	assert_in_range(r.minflt, before.ru_minflt, after.ru_minflt);
	assert_in_range(r.nvcsw, before.ru_nvcsw, after.ru_nvcsw);
	assert_in_range(r.nivcsw, before.ru_nivcsw, after.ru_nivcsw);
	/* maxrss is a peak, and updated late */
	assert_true(r.rss > 0 && r.rss <= ((uint64_t)after.ru_maxrss << 10) + (4u << 20));
	assert_true(r.vms > r.rss);
	assert_true(r.io.rchar > 0 && r.io.rchar != DN_UNMEASURED);
	for (size_t i = 0; i < N(extra); i++)
		close(extra[i]);
	assert_int_equal(dn_proc_count_fds(&p, &fds), 0);
	assert_int_equal(fds, r.fds - N(extra));

	n = dn_proc_link(p.dir, "cwd", buf, sizeof(buf));
	assert_non_null(getcwd(cwd, sizeof(cwd)));
	assert_int_equal(n, strlen(cwd));
	assert_memory_equal(buf, cwd, (size_t)n);
	assert_int_equal(dn_proc_link(p.dir, "cwd", buf, (size_t)n), -ENAMETOOLONG);
	assert_int_equal(dn_proc_link(p.dir, "no such link", buf, sizeof(buf)), -ENOENT);

	/* one that began later is another process */
	dn_proc_close(&p);
	assert_int_equal(dn_proc_open(&p, procfs, getpid(), r.start - 1), -ESRCH);
	assert_int_equal(p.dir, -1);
	assert_int_equal(dn_proc_open(&p, procfs, getpid(), r.start), 0);
	dn_proc_close(&p);
	/* first seen some time after its start */
	assert_int_equal(dn_proc_open(&p, procfs, getpid(), r.start + 3), 0);
	assert_int_equal(p.start, r.start);
	dn_proc_close(&p);
}

static void child_lives_and_dies(void **state)
{
	struct dn_proc_reading r;
	struct dn_proc p;
	struct rusage u;
	int status;
	uint64_t tick_us = dn_tick_ns() / 1000;
	pid_t pid = fork();

	(void)state;
	if (!pid) {
		char byte;
		int fd = open("/dev/zero", O_RDONLY);
		volatile unsigned long x = 0;

		for (int i = 0; i < 1000; i++)
			if (read(fd, &byte, 1) != 1)
				_exit(1);
		for (unsigned long i = 0; i < 200000000; i++)
			x += i;
		pause();
		_exit(x == 1);
	}
	assert_true(pid > 0);
	assert_int_equal(dn_proc_open(&p, procfs, pid, DN_UNMEASURED), 0);
	assert_int_equal(dn_proc_alive(&p), 0);
	do {
		usleep(10000);
		assert_int_equal(dn_proc_read(&p, DN_PROC_ALL, &r), 0);
	} while (r.state == 'R' || r.io.syscr < 1000);
	assert_true(r.nvcsw != DN_UNMEASURED && r.fds != DN_UNMEASURED);

	/* A zombie: times and I/O stand still and are true, memory is gone. */
	kill(pid, SIGKILL);
	do {
		assert_int_equal(dn_proc_read(&p, DN_PROC_ALL, &r), 0);
	} while (r.state != 'Z');
	assert_int_equal(dn_proc_alive(&p), 0);
	assert_true(r.rss == DN_UNMEASURED && r.vms == DN_UNMEASURED && r.fds == DN_UNMEASURED);
	/* ... where we may still read them: a process without memory is dumpable no more */
	assert_true(r.io.syscr >= 1000 && (r.io.syscr != DN_UNMEASURED || getuid()));

	assert_int_equal(wait4(pid, &status, 0, &u), pid);
	assert_in_range(r.utime * tick_us,
			0, (uint64_t)u.ru_utime.tv_sec * 1000000 + (uint64_t)u.ru_utime.tv_usec);
	assert_true((r.utime + r.stime + 2) * tick_us >=
		    (uint64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000 +
			    (uint64_t)(u.ru_utime.tv_usec + u.ru_stime.tv_usec));
	assert_int_equal(r.minflt, u.ru_minflt);
	/* its last switch comes after it is a zombie */
	assert_in_range(r.nvcsw + 1, u.ru_nvcsw, u.ru_nvcsw + 1);

	/* Reaped: gone for good, whoever gets the number. */
	assert_int_equal(dn_proc_read(&p, DN_PROC_ALL, &r), -ESRCH);
	assert_int_equal(dn_proc_alive(&p), -ESRCH);
	assert_true(r.rss == DN_UNMEASURED);
	dn_proc_close(&p);
	assert_int_equal(dn_proc_open(&p, procfs, pid, 1), -ESRCH);
}

static void directories(void **state)
{
	struct dn_numbers d;
	uint32_t n;
	bool seen = false;
	int more;

	(void)state;
	assert_int_equal(dn_numbers_open(&d, procfs, "."), 0);
	while ((more = dn_numbers_next(&d, &n)) > 0)
		seen |= n == (uint32_t)getpid();
	assert_int_equal(more, 0);
	assert_true(seen);
	dn_numbers_close(&d);
	assert_int_equal(dn_numbers_open(&d, procfs, "0"), -ENOENT);
}

/* Every process of this machine parses, whatever it is called. */
static void everybody(void **state)
{
	struct dn_proc_reading r;
	struct dn_numbers d;
	unsigned good = 0;
	uint32_t pid;

	(void)state;
	assert_int_equal(dn_numbers_open(&d, procfs, "."), 0);
	while (dn_numbers_next(&d, &pid) > 0) {
		struct dn_proc p;
		int err = dn_proc_open(&p, procfs, (pid_t)pid, DN_UNMEASURED);

		if (!err)
			err = dn_proc_read(&p, DN_PROC_ALL, &r);
		assert_true(!err || err == -ESRCH);
		good += !err;
		dn_proc_close(&p);
	}
	dn_numbers_close(&d);
	assert_true(good > 1);
}

static void titles(void **state)
{
	(void)state;
	assert_int_equal(dn_cmdline_len("ls\0-l", 6), 6);
	assert_int_equal(dn_cmdline_len("ls\0", 4), 4);		/* an empty argument, and its NUL */
	assert_int_equal(dn_cmdline_len("redis *:1\0\0\0\0", 14), 10);
	assert_int_equal(dn_cmdline_len("\0\0\0\0", 4), 1);
	assert_int_equal(dn_cmdline_len("", 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(titles),
		cmocka_unit_test(pid_stat),
		cmocka_unit_test(pid_stat_cut),
		cmocka_unit_test(pid_schedstat),
		cmocka_unit_test(pid_status_ids),
		cmocka_unit_test(keyed_files),
		cmocka_unit_test(maps),
		cmocka_unit_test(host_files),
		cmocka_unit_test(scaling),
		cmocka_unit_test(lines),
		cmocka_unit_test(self),
		cmocka_unit_test(child_lives_and_dies),
		cmocka_unit_test(directories),
		cmocka_unit_test(everybody),
	};

	return cmocka_run_group_tests(tests, open_proc, close_proc);
}
