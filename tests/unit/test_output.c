/*
 * test_output.c - where a trace goes: names given and kept as promised, whole
 * blocks or nothing, and whose rights are used.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "block.h"
#include "output.h"
#include "scratch.h"

static void put(const char *name, const char *text)
{
	FILE *f = fopen(name, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static int files(void)
{
	FILE *p = popen("ls -A | wc -l", "r");
	int n = -1;

	assert_non_null(p);
	assert_int_equal(fscanf(p, "%d", &n), 1);
	pclose(p);
	return n;
}

static void test_names(void **state)
{
	struct dn_output *out;
	struct stat sb;
	char why[512];

	(void)state;
	put("text", "this is no trace\n");
	assert_int_equal(symlink("text", "link"), 0);
	assert_int_equal(mkdir("folder", 0700), 0);
	assert_null(dn_output_open("text", why));
	assert_non_null(strstr(why, "not a trace"));
	assert_null(dn_output_open("link", why));
	assert_non_null(strstr(why, "symbolic link"));
	assert_null(dn_output_open("folder", why));
	assert_null(dn_output_open("folder/", why));
	assert_null(dn_output_open("nowhere/x", why));
	assert_non_null(strstr(why, "No such file"));
	assert_int_equal(files(), 3);		/* nothing was left behind */

	out = dn_output_open("x.dnt", why);	/* not committed: gone again */
	assert_non_null(out);
	assert_int_equal(access("x.dnt", F_OK), -1);
	dn_output_close(out);
	assert_int_equal(files(), 3);

	for (unsigned i = 0; i < 2; i++) {	/* the second time the first is kept */
		uint8_t magic[DN_FILE_HEADER_LEN] = { 0 };

		memcpy(magic, dn_file_magic, DN_MAGIC_LEN);
		magic[100] = (uint8_t)i;
		out = dn_output_open("x.dnt", why);
		assert_non_null(out);
		assert_int_equal(dn_output_write(out, magic, sizeof(magic)), 0);
		assert_int_equal(dn_output_commit(out), 0);
		assert_int_equal(dn_output_close(out), 0);
	}
	assert_int_equal(stat("x.dnt.old", &sb), 0);
	assert_int_equal(sb.st_size, DN_FILE_HEADER_LEN);
	assert_int_equal(files(), 5);
	put("x.dnt", "");			/* an empty file is in nobody's way */
	out = dn_output_open("x.dnt", why);
	assert_non_null(out);
	dn_output_close(out);
}

static void test_devices(void **state)
{
	struct dn_output *out;
	struct stat before, after;
	char why[512];

	(void)state;
	assert_int_equal(stat("/dev/null", &before), 0);
	out = dn_output_open("/dev/null", why);
	assert_non_null(out);
	assert_int_equal(dn_output_write(out, "abc", 3), 0);
	assert_int_equal(dn_output_size(out), 3);
	assert_int_equal(dn_output_commit(out), 0);
	dn_output_close(out);
	assert_int_equal(stat("/dev/null", &after), 0);
	assert_int_equal(before.st_mode, after.st_mode);
	assert_int_equal(before.st_ino, after.st_ino);

	out = dn_output_open("/dev/full", why);
	assert_non_null(out);
	assert_int_equal(dn_output_write(out, "abc", 3), -ENOSPC);
	assert_int_equal(dn_output_write(out, "abc", 3), -EPIPE);	/* a stream has no way back */
	dn_output_close(out);
}

/* The name of a file may be as long as the file system allows; NAME.old is then
 * not possible, and only missed where there is an earlier trace. */
static void test_long_names(void **state)
{
	char name[NAME_MAX + 2], why[512];
	struct dn_output *out;

	(void)state;
	memset(name, 'n', sizeof(name));
	name[NAME_MAX + 1] = 0;
	assert_null(dn_output_open(name, why));
	assert_int_equal(errno, ENAMETOOLONG);
	name[NAME_MAX] = 0;
	out = dn_output_open(name, why);
	assert_non_null(out);
	assert_int_equal(dn_output_write(out, dn_file_magic, DN_MAGIC_LEN), 0);
	assert_int_equal(dn_output_commit(out), 0);
	assert_string_equal(dn_output_name(out), name);
	assert_int_equal(dn_output_close(out), 0);
	assert_int_equal(access(name, F_OK), 0);
	assert_int_equal(files(), 1);

	out = dn_output_open(name, why);
	assert_non_null(out);
	assert_int_equal(dn_output_commit(out), -ENAMETOOLONG);
	assert_int_equal(access(dn_output_name(out), F_OK), 0);		/* where it is now */
	assert_string_not_equal(dn_output_name(out), name);
	assert_int_equal(dn_output_close(out), 0);
	assert_int_equal(files(), 2);
}

/* A write that fails half way leaves what was there, and the next goes on from it. */
static void test_whole_or_nothing(void **state)
{
	struct rlimit old, lim;
	struct dn_output *out;
	char why[512], text[64];
	FILE *f;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	out = dn_output_open("./x.dnt", why);
	assert_non_null(out);
	assert_string_equal(dn_output_name(out), "./x.dnt");
	assert_int_equal(dn_output_write(out, "0123456789", 10), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	lim = old;
	lim.rlim_cur = 15;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &lim), 0);
	assert_int_equal(dn_output_write(out, "abcdefghij", 10), -EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(dn_output_size(out), 10);
	assert_int_equal(dn_output_write(out, "ABC", 3), 0);
	assert_int_equal(dn_output_size(out), 13);
	assert_int_equal(dn_output_sync(out), 0);
	assert_int_equal(dn_output_commit(out), 0);
	assert_int_equal(dn_output_close(out), 0);
	f = fopen("x.dnt", "r");
	assert_non_null(f);
	assert_int_equal(fread(text, 1, sizeof(text), f), 13);
	fclose(f);
	assert_memory_equal(text, "0123456789ABC", 13);
}

/* A full disk: what was kept back is there for the end. */
static void test_reserve(void **state)
{
	static const char block[4096];
	struct dn_output *out;
	char why[512];
	uint64_t size;
	int err;

	(void)state;
	assert_int_equal(mkdir("disk", 0700), 0);
	if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("none", "disk", "tmpfs", 0, "size=256k"))
		skip();
	out = dn_output_open("disk/x.dnt", why);
	assert_non_null(out);
	do
		err = dn_output_write(out, block, sizeof(block));
	while (!err);
	assert_int_equal(err, -ENOSPC);
	size = dn_output_size(out);
	assert_true(size >= 128 << 10 && size < 256 << 10);
	assert_int_equal(dn_output_write(out, block, sizeof(block)), -ENOSPC);
	dn_output_use_reserve(out);
	for (unsigned i = 0; i < 15; i++)
		assert_int_equal(dn_output_write(out, block, sizeof(block)), 0);
	assert_int_equal(dn_output_size(out), size + 15 * sizeof(block));
	assert_int_equal(dn_output_close(out), 0);
	assert_int_equal(umount2("disk", MNT_DETACH), 0);
}

/* A pipe whose reader goes away in the middle of a block. */
static void test_pipe(void **state)
{
	static char block[1 << 20];
	struct dn_output *out;
	int status, fd;
	char why[512];
	pid_t pid;

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(mkfifo("fifo", 0600), 0);
	pid = fork();
	if (!pid) {
		char start[5];

		fd = open("fifo", O_RDONLY);
		_exit(read(fd, start, 5) != 5 || memcmp(start, "begin", 5));
	}
	out = dn_output_open("fifo", why);
	assert_non_null(out);
	memcpy(block, "begin", 5);
	assert_int_equal(dn_output_write(out, block, sizeof(block)), -EPIPE);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	fd = open("fifo", O_RDONLY | O_NONBLOCK);	/* half a block is no place to go on */
	assert_true(fd >= 0);
	while (read(fd, block, sizeof(block)) > 0)
		;
	assert_int_equal(dn_output_write(out, "x", 1), -EPIPE);
	assert_int_equal(dn_output_commit(out), 0);
	assert_int_equal(dn_output_close(out), 0);
	close(fd);
	assert_int_equal(files(), 1);
}

static void test_stdout(void **state)
{
	int old = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 10), file, tty, err;
	struct dn_output *out;
	char why[512], text[8];

	(void)state;
	fflush(stdout);
	file = open("out", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	tty = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(old >= 0 && file >= 0 && tty >= 0);
	dup2(file, STDOUT_FILENO);
	out = dn_output_open("-", why);
	assert_non_null(out);
	assert_string_equal(dn_output_name(out), "standard output");
	assert_int_equal(dn_output_commit(out), 0);
	assert_int_equal(dn_output_write(out, "trace", 5), 0);
	assert_int_equal(dn_output_close(out), 0);
	assert_true(fcntl(STDOUT_FILENO, F_GETFD) >= 0);	/* stays the command's */

	dup2(tty, STDOUT_FILENO);
	out = dn_output_open("-", why);
	err = errno;
	dup2(old, STDOUT_FILENO);
	assert_null(out);
	assert_int_equal(err, ENOTTY);
	assert_non_null(strstr(why, "terminal"));

	close(STDOUT_FILENO);
	out = dn_output_open("-", why);
	dup2(old, STDOUT_FILENO);
	assert_null(out);
	assert_non_null(strstr(why, "closed"));
	assert_int_equal(pread(file, text, sizeof(text), 0), 5);
	assert_memory_equal(text, "trace", 5);
	close(file);
	close(tty);
	close(old);
}

/* Under sudo a path is opened with the caller's rights, and the file is theirs. */
static void test_sudo(void **state)
{
	gid_t before[64], after[64];
	int nbefore, nafter;
	struct dn_output *out;
	struct stat sb;
	char why[512];

	(void)state;
	if (geteuid())
		skip();
	nbefore = getgroups(64, before);
	assert_int_equal(chmod(".", 0711), 0);
	assert_int_equal(mkdir("ours", 0700), 0);
	assert_int_equal(mkdir("theirs", 0700), 0);
	assert_int_equal(chown("theirs", 65534, 65533), 0);
	setenv("SUDO_UID", "65534", 1);
	setenv("SUDO_GID", "65533", 1);
	assert_null(dn_output_open("ours/x.dnt", why));
	assert_int_equal(errno, EACCES);
	out = dn_output_open("theirs/x.dnt", why);
	assert_non_null(out);
	assert_int_equal(geteuid(), 0);
	assert_int_equal(dn_output_commit(out), 0);
	assert_int_equal(dn_output_write(out, dn_file_magic, DN_MAGIC_LEN), 0);
	assert_int_equal(dn_output_close(out), 0);
	unsetenv("SUDO_UID");
	unsetenv("SUDO_GID");
	assert_int_equal(stat("theirs/x.dnt", &sb), 0);
	assert_int_equal(sb.st_uid, 65534);
	assert_int_equal(sb.st_gid, 65533);
	assert_int_equal(sb.st_mode & 0777, 0600);
	assert_int_equal(geteuid(), 0);
	assert_int_equal(getegid(), getgid());
	nafter = getgroups(64, after);
	assert_int_equal(nafter, nbefore);
	if (nbefore > 0)
		assert_memory_equal(before, after, (size_t)nbefore * sizeof(before[0]));

	/* without sudo it is another user's, and stays */
	assert_null(dn_output_open("theirs/x.dnt", why));
	assert_int_equal(errno, EPERM);
	assert_non_null(strstr(why, "another user"));
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_names),
		CASE(test_long_names),
		CASE(test_devices),
		CASE(test_whole_or_nothing),
		CASE(test_pipe),
		CASE(test_stdout),
		CASE(test_sudo),
		CASE(test_reserve),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
