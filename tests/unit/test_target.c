/*
 * test_target.c - finding, starting and ending like the command.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "scratch.h"
#include "target.h"

static void script(const char *name, const char *text, mode_t mode)
{
	FILE *f = fopen(name, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	assert_int_equal(chmod(name, mode), 0);
}

static void test_find(void **state)
{
	char *path, *old = strdup(getenv("PATH"));

	(void)state;
	assert_int_equal(dn_target_find("sh", &path), 0);
	assert_non_null(strstr(path, "/sh"));
	free(path);
	assert_int_equal(dn_target_find("no-such-command-here", &path), DN_EXIT_NOT_FOUND);
	assert_int_equal(dn_target_find("", &path), DN_EXIT_NOT_FOUND);
	assert_int_equal(dn_target_find("/", &path), DN_EXIT_NOT_EXECUTABLE);
	assert_int_equal(errno, EISDIR);
	assert_int_equal(dn_target_find("./none", &path), DN_EXIT_NOT_FOUND);
	script("plain", "#!/bin/sh\n", 0644);
	assert_int_equal(dn_target_find("./plain", &path), DN_EXIT_NOT_EXECUTABLE);
	script("tool", "#!/bin/sh\n", 0755);
	setenv("PATH", "/nowhere:", 1);		/* an empty part is the current directory */
	assert_int_equal(dn_target_find("tool", &path), 0);
	assert_string_equal(path, "./tool");
	free(path);
	assert_int_equal(dn_target_find("plain", &path), DN_EXIT_NOT_EXECUTABLE);
	setenv("PATH", old, 1);
	free(old);
}

static int run(const char *file, char *const argv[], int *status)
{
	struct dn_target_opts o = { .trace_on_stdout = true, .chld.sa_handler = SIG_DFL,
		.environ = environ };
	struct dn_target t;
	int err;

	sigemptyset(&o.mask);
	assert_int_equal(dn_target_spawn(&t, strdup(file), argv, &o), 0);
	assert_int_equal(waitpid(t.pid, status, WNOHANG), 0);	/* it waits */
	err = dn_target_go(&t, 0);
	assert_int_equal(waitpid(t.pid, status, 0), t.pid);
	free(t.path);
	return err;
}

static void test_run(void **state)
{
	char *ok[] = { (char *)"sh", (char *)"-c", (char *)"exit 7", NULL };
	char *plain[] = { (char *)"x", (char *)"3", NULL };
	int status;

	(void)state;
	assert_int_equal(run("/bin/sh", ok, &status), 0);
	assert_int_equal(WEXITSTATUS(status), 7);
	script("bare", "exit $(($1 + 1))\n", 0755);	/* no #!: a shell runs it */
	assert_int_equal(run("./bare", plain, &status), 0);
	assert_int_equal(WEXITSTATUS(status), 4);
	script("lost", "#!/no/such/interpreter\n", 0755);
	assert_int_equal(run("./lost", plain, &status), ENOENT);
	assert_int_equal(WEXITSTATUS(status), DN_EXIT_NOT_FOUND);
}

static void test_abort(void **state)
{
	char *argv[] = { (char *)"touch", (char *)"made", NULL };
	struct dn_target_opts o = { .user = NULL };
	struct dn_target t;

	(void)state;
	sigemptyset(&o.mask);
	assert_int_equal(dn_target_spawn(&t, strdup("/usr/bin/touch"), argv, &o), 0);
	dn_target_abort(&t);
	assert_int_equal(access("made", F_OK), -1);	/* it never ran */
	assert_int_equal(waitpid(t.pid, NULL, 0), -1);
	free(t.path);
	o.user = "no-such-user-here";
	assert_int_equal(dn_target_spawn(&t, NULL, argv, &o), -ESRCH);
}

static int ends_like(int status)
{
	int got;
	pid_t pid = fork();

	if (!pid)
		dn_exit_like(status);
	assert_int_equal(waitpid(pid, &got, 0), pid);
	return got;
}

static void test_exit_like(void **state)
{
	(void)state;
	assert_int_equal(ends_like(0), 0);
	assert_int_equal(ends_like(42 << 8), 42 << 8);
	assert_int_equal(ends_like(SIGKILL), SIGKILL);
	assert_int_equal(ends_like(SIGTERM), SIGTERM);
	assert_int_equal(ends_like(SIGSEGV | 0x80), SIGSEGV);	/* no core of ours */
	assert_int_equal(ends_like(SIGABRT | 0x80), SIGABRT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_find, scratch_setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(test_run, scratch_setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(test_abort, scratch_setup,
						scratch_teardown),
		cmocka_unit_test(test_exit_like),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
