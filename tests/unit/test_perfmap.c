/*
 * Maps of JITs: which line answers, lines that are none, and whose file is taken.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "perfmap.h"
#include "scratch.h"

static struct dn_perfmap *read_text(const char *text)
{
	int fd = open("map", O_RDWR | O_CREAT | O_TRUNC, 0600);
	struct dn_perfmap *m;

	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	lseek(fd, 0, SEEK_SET);
	m = dn_perfmap_read(fd);
	close(fd);
	assert_non_null(m);
	return m;
}

static const char *at(const struct dn_perfmap *m, uint64_t address)
{
	struct dn_perfmap_name n;

	if (!dn_perfmap_find(m, address, &n))
		return "";
	assert_true(address - n.start < n.size);
	return n.name;
}

static void lines(void **state)
{
	struct dn_perfmap *m = read_text("1000 100 LazyCompile:*main /home/a b.js:1\n"
					 "0x0000000000002000 0x10 java.lang.String::hashCode()\n"
					 "3000 100 old\n"
					 "3080 10 py::newer:/a.py\n"
					 "2ff0 20 newest\n"
					 "fffffffffffffff0 f high\n");
	struct dn_perfmap_name n;

	(void)state;
	assert_int_equal(dn_perfmap_count(m), 6);
	assert_string_equal(at(m, 0xfff), "");
	assert_string_equal(at(m, 0x1000), "LazyCompile:*main /home/a b.js:1");
	assert_string_equal(at(m, 0x10ff), "LazyCompile:*main /home/a b.js:1");
	assert_string_equal(at(m, 0x1100), "");
	assert_string_equal(at(m, 0x200f), "java.lang.String::hashCode()");
	assert_string_equal(at(m, 0x2010), "");
	assert_string_equal(at(m, 0x2ff0), "newest");
	assert_string_equal(at(m, 0x300f), "newest");
	assert_string_equal(at(m, 0x3010), "old");
	assert_string_equal(at(m, 0x3080), "py::newer:/a.py");
	assert_string_equal(at(m, 0x3090), "old");
	assert_string_equal(at(m, 0x3100), "");
	assert_string_equal(at(m, 0xfffffffffffffffe), "high");
	assert_string_equal(at(m, UINT64_MAX), "");
	assert_true(dn_perfmap_find(m, 0x3090, &n));
	assert_int_equal(n.start, 0x3000);
	assert_int_equal(n.size, 0x100);
	dn_perfmap_free(m);
	dn_perfmap_free(NULL);
}

static void no_lines(void **state)
{
	static char text[3 * DN_PERFMAP_NAME_MAX];
	struct dn_perfmap *m;
	int fd;

	(void)state;
	m = read_text("\n \nxyz 10 a\n1000\n1000 \n1000 10\n1000 10 \n1000 0 empty\n-1 10 b\n1000  10 c\n"
		      "10000000000000000 10 wide\n1000 10000000000000000 wide\nffffffffffffffff 10 wraps\n0x 10 d\n"
		      "5000 10 good\n6000 10 without its end");
	assert_int_equal(dn_perfmap_count(m), 1);
	assert_string_equal(at(m, 0x5000), "good");
	assert_string_equal(at(m, 0x6000), "");
	dn_perfmap_free(m);

	memset(text, 'n', sizeof(text) - 1);
	memcpy(text, "1000 10 ", 8);
	text[8 + DN_PERFMAP_NAME_MAX + 1] = '\n';
	memcpy(text + 8 + DN_PERFMAP_NAME_MAX + 2, "2000 10 ", 8);
	text[8 + DN_PERFMAP_NAME_MAX + 2 + 8 + DN_PERFMAP_NAME_MAX] = '\n';
	m = read_text(text);
	assert_int_equal(dn_perfmap_count(m), 1);
	assert_int_equal(strlen(at(m, 0x2000)), DN_PERFMAP_NAME_MAX);
	dn_perfmap_free(m);

	m = read_text("");
	assert_int_equal(dn_perfmap_count(m), 0);
	assert_string_equal(at(m, 0), "");
	dn_perfmap_free(m);

	fd = open("huge", O_RDWR | O_CREAT, 0600);
	assert_int_equal(ftruncate(fd, (off_t)DN_PERFMAP_FILE_MAX + 1), 0);
	assert_null(dn_perfmap_read(fd));
	assert_int_equal(errno, E2BIG);
	close(fd);
	assert_null(dn_perfmap_read(-1));
	assert_int_equal(errno, EBADF);
}

static int opened(uid_t owner)
{
	int fd = dn_perfmap_fd(".", 42, owner);

	if (fd >= 0)
		close(fd);
	return fd < 0 ? fd : 0;
}

static void whose(void **state)
{
	int fd;

	(void)state;
	assert_int_equal(opened(getuid()), -ENOENT);
	assert_int_equal(dn_perfmap_fd("missing", 42, getuid()), -ENOENT);
	assert_int_equal(mkdir("tmp", 0755), 0);
	assert_int_equal(opened(getuid()), -ENOENT);
	fd = open("tmp/perf-42.map", O_WRONLY | O_CREAT, 0600);
	assert_true(fd >= 0);
	assert_int_equal(opened(getuid()), -EPERM);		/* without a size, as files of proc */
	assert_int_equal(write(fd, "\n", 1), 1);
	assert_int_equal(opened(getuid()), 0);
	assert_int_equal(opened(getuid() + 1), getuid() ? -EPERM : 0);	/* root's is taken */
	if (!getuid()) {
		assert_int_equal(fchown(fd, 1234, 1234), 0);
		assert_int_equal(opened(1234), 0);
		assert_int_equal(opened(1235), -EPERM);
		assert_int_equal(opened(0), -EPERM);
	}
	close(fd);

	assert_int_equal(rename("tmp/perf-42.map", "tmp/other"), 0);
	assert_int_equal(symlink("other", "tmp/perf-42.map"), 0);
	assert_int_equal(opened(getuid()), -ELOOP);
	unlink("tmp/perf-42.map");
	assert_int_equal(mkfifo("tmp/perf-42.map", 0600), 0);
	assert_int_equal(opened(getuid()), -EPERM);
	unlink("tmp/perf-42.map");
	assert_int_equal(mkdir("tmp/perf-42.map", 0700), 0);
	assert_int_equal(opened(getuid()), -EPERM);
	rmdir("tmp/perf-42.map");

	assert_int_equal(rename("tmp/other", "tmp/perf-42.map"), 0);
	assert_int_equal(rename("tmp", "elsewhere"), 0);
	assert_int_equal(symlink("elsewhere", "tmp"), 0);
	assert_int_equal(opened(getuid()), -ENOTDIR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(lines, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(no_lines, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(whose, scratch_setup, scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
