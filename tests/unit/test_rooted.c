/*
 * test_rooted.c - analyzer/rooted.h: paths that want to leave the directory, and files that are
 * not to be opened. Each by openat2(2), where the kernel has it, and by the walk.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "names.h"
#include "rooted.h"
#include "scratch.h"

typedef int opener(int root, const char *path);

static opener *const openers[] = { dn_rooted_open, dn_rooted_walk };
static int root;

static void put(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

/* secret lies beside root; all that can be had says where it stands. */
static int make_tree(void **state)
{
	char outside[100];

	if (scratch_setup(state) || mkdir("root", 0755) || mkdir("root/usr", 0755) || mkdir("root/usr/lib", 0755))
		return 1;
	put("secret", "secret");
	put("root/usr/lib/file", "usr/lib/file");
	put("root/secret2", "root/secret2");
	put("root/empty", "");
	snprintf(outside, sizeof(outside), "%s/secret", scratch);
	if (symlink("usr/lib", "root/lib") || symlink("/usr/lib/file", "root/whole") ||
	    symlink("../lib/file", "root/usr/within") || symlink("../../secret", "root/usr/up") ||
	    symlink("../../../../../../../../secret2", "root/usr/lib/up") || symlink(outside, "root/outside") ||
	    symlink(scratch, "root/beside") || symlink("..", "root/usr/lib/parent") || symlink("/", "root/usr/top") ||
	    symlink("again", "root/again") || symlink("nothing", "root/dangling") || symlink(".", "root/here") ||
	    symlink("usr/lib/file/", "root/slash") || mkfifo("root/fifo", 0600))
		return 1;
	root = open("root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return root < 0;
}

static int remove_tree(void **state)
{
	close(root);
	return scratch_teardown(state);
}

/* What is read of it, or the name of its error. */
static const char *got(opener *f, const char *path)
{
	static char text[64];
	int fd = f(root, path);
	ssize_t n;

	if (fd < 0)
		return dn_errno_name((unsigned)-fd) ? dn_errno_name((unsigned)-fd) : "?";
	n = read(fd, text, sizeof(text) - 1);
	assert_true(n > 0);
	text[n] = 0;
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	close(fd);
	return text;
}

static void paths(void **unused)
{
	static const struct { const char *path, *want; } table[] = {
		{ "/usr/lib/file", "usr/lib/file" },
		{ "usr/lib/file", "usr/lib/file" },
		{ "//usr///./lib/././file", "usr/lib/file" },
		{ "/lib/file", "usr/lib/file" },
		{ "/whole", "usr/lib/file" },
		{ "/usr/within", "usr/lib/file" },
		{ "/here/here/here/lib/file", "usr/lib/file" },
		{ "/usr/top/usr/top/usr/lib/file", "usr/lib/file" },
		{ "/usr/lib/parent/lib/file", "usr/lib/file" },
		{ "/lib/../lib/file", "usr/lib/file" },		/* the parent of where the link leads */
		{ "/lib/../secret2", "ENOENT" },
		{ "/usr/lib/../../secret2", "root/secret2" },
		/* Out of it. */
		{ "../secret", "ENOENT" },
		{ "/../secret", "ENOENT" },
		{ "/../../../../../../../../../../etc/passwd", "ENOENT" },
		{ "/usr/../../secret", "ENOENT" },
		{ "/usr/up", "ENOENT" },
		{ "/outside", "ENOENT" },
		{ "/beside/secret", "ENOENT" },
		{ "/usr/lib/parent/parent/secret", "ENOENT" },
		{ "/usr/top/../secret", "ENOENT" },
		{ "/usr/lib/up", "root/secret2" },		/* that many times up is the top */
		{ "/../../secret2", "root/secret2" },
		/* What is no file. */
		{ "/empty", "EINVAL" },
		{ "/fifo", "EINVAL" },
		{ "/usr", "EINVAL" },
		{ "/", "EINVAL" },
		{ "/usr/lib/..", "EINVAL" },
		{ "/lib", "EINVAL" },
		{ "/nothing", "ENOENT" },
		{ "/dangling", "ENOENT" },
		{ "/again", "ELOOP" },
		{ "/again/file", "ELOOP" },
		{ "/usr/lib/file/", "ENOTDIR" },
		{ "/slash", "ENOTDIR" },
		{ "/usr/lib/file/more", "ENOTDIR" },
		{ "/empty/../secret2", "ENOTDIR" },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		for (size_t k = 0; k < 2; k++) {
			const char *have = got(openers[k], table[i].path);

			if (strcmp(have, table[i].want))
				fail_msg("%s, %s: %s, not %s", table[i].path, k ? "walked" : "at once", have,
					 table[i].want);
		}
}

/* Opening a device may be to have it do something: one that nobody drives says so. */
static void devices(void **unused)
{
	(void)unused;
	if (mknod("root/null", S_IFCHR | 0666, makedev(1, 3))) {
		print_message("skipped: no devices can be made\n");
		skip();
	}
	assert_int_equal(symlink("null", "root/to_null"), 0);
	assert_int_equal(mknod("root/nobody", S_IFCHR | 0666, makedev(511, 12345)), 0);
	for (size_t k = 0; k < 2; k++) {
		assert_string_equal(got(openers[k], "/null"), "EINVAL");
		assert_string_equal(got(openers[k], "/to_null"), "EINVAL");
		assert_int_equal(open("root/nobody", O_RDONLY), -1);
		assert_int_equal(errno, ENXIO);
		assert_string_equal(got(openers[k], "/nobody"), "EINVAL");
	}
}

/* Files of proc tell no size, and their links are no paths. */
static void proc(void **unused)
{
	int here = root;

	(void)unused;
	if (access("/proc/self/status", R_OK))
		skip();
	root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (size_t k = 0; k < 2; k++) {
		assert_string_equal(got(openers[k], "/proc/self/status"), "EINVAL");
		assert_string_equal(got(openers[k], "/proc/kmsg"), "EINVAL");
	}
	assert_string_equal(got(dn_rooted_open, "/proc/self/root/etc/passwd"), "ELOOP");
	close(root);
	root = here;
}

static void limits(void **unused)
{
	char path[DN_ROOTED_PATH_MAX + 100] = "/", name[20];

	(void)unused;
	/* A chain of 40 links is what the kernel follows. */
	put("root/link0", "the end");
	for (int i = 1; i <= 41; i++) {
		snprintf(path, sizeof(path), "link%d", i - 1);
		snprintf(name, sizeof(name), "root/link%d", i);
		assert_int_equal(symlink(path, name), 0);
	}
	for (size_t k = 0; k < 2; k++) {
		assert_string_equal(got(openers[k], "/link40"), "the end");
		assert_string_equal(got(openers[k], "/link41"), "ELOOP");
	}
	memset(path, '/', sizeof(path));
	memcpy(path + sizeof(path) - 14, "usr/lib/file", 13);
	for (size_t k = 0; k < 2; k++) {
		assert_string_equal(got(openers[k], path), "ENAMETOOLONG");
		assert_string_equal(got(openers[k], path + 101), "usr/lib/file");
	}
	memset(path, 'n', 300);
	path[300] = 0;
	for (size_t k = 0; k < 2; k++)
		assert_string_equal(got(openers[k], path), "ENAMETOOLONG");
	for (size_t k = 0; k < 2; k++)
		assert_int_equal(openers[k](-1, "file"), -EBADF);
}

/* 64 directories within one another, and one more; and no descriptor is left open. */
static void depth(void **unused)
{
	char path[400] = "";
	int before = -1, after;

	(void)unused;
	assert_int_equal(chdir("root"), 0);
	for (int i = 0; i < 65; i++) {
		assert_int_equal(mkdir("d", 0755), 0);
		assert_int_equal(chdir("d"), 0);
		if (i >= 63)
			put("file", i == 63 ? "64" : "65");
		strcat(path, "/d");
		if (i == 63)
			strcat(path, "/file");
		if (i == 63) {
			before = dup(0);
			for (size_t k = 0; k < 2; k++)
				assert_string_equal(got(openers[k], path), "64");
			path[strlen(path) - 5] = 0;
		}
	}
	strcat(path, "/file");
	assert_string_equal(got(dn_rooted_walk, path), "ELOOP");
	after = dup(0);
	assert_int_equal(after, before + 1);
	close(before);
	close(after);
	assert_int_equal(chdir(scratch), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(paths, make_tree, remove_tree),
		cmocka_unit_test_setup_teardown(devices, make_tree, remove_tree),
		cmocka_unit_test_setup_teardown(proc, make_tree, remove_tree),
		cmocka_unit_test_setup_teardown(limits, make_tree, remove_tree),
		cmocka_unit_test_setup_teardown(depth, make_tree, remove_tree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
