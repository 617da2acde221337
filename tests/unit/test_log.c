/*
 * test_log.c - the lines of `denet-analyze log`, and what selects them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "events.h"
#include "log.h"
#include "mktrace.h"
#include "options.h"
#include "siginfo.h"
#include "source.h"

static char path[MK_PATH];
static char answer[1 << 16], errors[4096];

static void signal_row(struct mktrace *m, uint32_t thread, uint64_t time, int sig, int code)
{
	struct dn_value v[DN_F_signal_delivered_N];

	for (unsigned i = 0; i < DN_F_signal_delivered_N; i++)
		v[i] = dn_null();
	v[DN_F_signal_delivered_time] = dn_u(MK_ORIGIN + time);
	v[DN_F_signal_delivered_thread] = dn_u(thread);
	v[DN_F_signal_delivered_sig] = dn_u((uint64_t)sig);
	v[DN_F_signal_delivered_code] = dn_u((uint64_t)(int64_t)code);
	mk_row(m, DN_EV_signal_delivered, v);
}

static void exec_row(struct mktrace *m, uint32_t thread, uint64_t time, int old_tid)
{
	struct dn_value v[DN_F_exec_N];

	for (unsigned i = 0; i < DN_F_exec_N; i++)
		v[i] = dn_null();
	v[DN_F_exec_time] = dn_u(MK_ORIGIN + time);
	v[DN_F_exec_thread] = v[DN_F_exec_process] = dn_u(thread);
	v[DN_F_exec_old_tid] = dn_u((uint64_t)old_tid);
	mk_row(m, DN_EV_exec, v);
}

static void thread_end_row(struct mktrace *m, uint32_t thread, uint64_t time)
{
	struct dn_value v[DN_F_thread_end_N];

	for (unsigned i = 0; i < DN_F_thread_end_N; i++)
		v[i] = dn_null();
	v[DN_F_thread_end_time] = dn_u(MK_ORIGIN + time);
	v[DN_F_thread_end_thread] = dn_u(thread);
	mk_row(m, DN_EV_thread_end, v);
}

static void lost_row(struct mktrace *m, uint64_t n)
{
	struct dn_value v[DN_F_counter_N] = { dn_u(MK_ORIGIN), dn_u(DN_COUNT_syscall_lost),
					      dn_u(n) };

	mk_row(m, DN_EV_counter, v);
}

static void make(bool footer, uint64_t lost)
{
	struct mktrace *m = mk_new();
	uint64_t args[6] = { 3, 0x1000, 5 };
	struct dn_syscall s;

	mk_thread(m, 1, 1, 0, "main");
	mk_thread(m, 2, 1, 1000, "worker");
	mk_thread(m, 3, 3, 1500, "child");
	/* longer than all the rest: it ends last and stands first */
	s = mk_sys(1, 1, "read", 3000, UINT64_C(2000000000), 5, 3, args);
	s.thread = 2;
	mk_call(m, &s);
	s = mk_sys(1, 0, "openat", 2000, 1500, -2, 4, (uint64_t[]){ (uint64_t)-100, 0x1000, 0, 0 });
	mk_str(&s, 1, DN_STR_PATH, "/a\033[31m\xff", 8);
	mk_call(m, &s);
	exec_row(m, 1, 5500, 1001);
	exec_row(m, 1, 5600, 1002);
	mk_block(m);
	s = mk_sys(1, 2, "close", UINT64_C(1500000000), 700, 0, 1, args);
	mk_call(m, &s);
	s = mk_sys(3, 0, "exit_group", 7000, 0, 0, 1, (uint64_t[]){ 7 });
	s.flags = DN_CALL_UNFINISHED;
	mk_call(m, &s);
	s = mk_sys(2, 2, "read", UINT64_C(2500000000), 0, 0, 3, args);
	s.flags = DN_CALL_UNFINISHED;
	mk_call(m, &s);
	s = mk_sys(2, 3, "getpid", UINT64_C(2400000000), 0, -38, 0, args);
	s.flags = DN_CALL_NO_ENTER;
	mk_call(m, &s);
	s = mk_sys(9, 0, "getpid", UINT64_C(2600000000), 100, 77, 0, args);
	mk_call(m, &s);
	mk_exit(m, 3, 3, 8000, 7 << 8, true);
	signal_row(m, 1, 9000, 17, 1);
	signal_row(m, 2, UINT64_C(2700000000), 11, 1);
	signal_row(m, 2, UINT64_C(2700000001), 35, -6);
	signal_row(m, 2, UINT64_C(2700000002), 99, 77);
	mk_exit(m, 2, 1, UINT64_C(2800000000), 11 | 0x80, false);
	thread_end_row(m, 1, UINT64_C(3000000000));
	if (lost)
		lost_row(m, lost);
	mk_write(m, path, footer);
}

static int setup(void **state)
{
	(void)state;
	mk_temp(path);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return unlink(path);
}

static void slurp(FILE *f, char *buf, size_t cap)
{
	size_t n;

	rewind(f);
	n = fread(buf, 1, cap - 1, f);
	buf[n] = '\0';
	fclose(f);
}

static int run(const struct dn_options *o)
{
	FILE *out = tmpfile(), *err = tmpfile();
	int saved = dup(STDERR_FILENO), status;
	struct dn_source *src;

	assert_non_null(out);
	assert_non_null(err);
	assert_int_equal(dn_source_open(path, &src), 0);
	fflush(stderr);
	dup2(fileno(err), STDERR_FILENO);
	status = dn_log(o, src, out);
	fflush(stderr);
	dup2(saved, STDERR_FILENO);
	close(saved);
	dn_source_close(src);
	slurp(out, answer, sizeof(answer));
	slurp(err, errors, sizeof(errors));
	return status;
}

static const char whole[] =
	"1001        0.000002000 openat(AT_FDCWD, \"/a\\33[31m\\377\", O_RDONLY) = -1 ENOENT (No "
	"such file or directory) <0.000001>\n"
	"1001/1002   0.000003000 read(3, 0x1000, 5)                      = 5 <2.000000>\n"
	"1001        0.000005600 +++ superseded by execve in pid 1002 +++\n"
	"1003        0.000007000 exit_group(7)                           = ?\n"
	"1003        0.000008000 +++ exited with 7 +++\n"
	"1001        0.000009000 --- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED} ---\n"
	"1001        1.500000000 close(3)                                = 0 <0.000000>\n"
	"1001/1002   2.400000000 getpid()                                = -1 ENOSYS (Function not "
	"implemented)\n"
	"1001/1002   2.500000000 read(3, 0x1000, 5 <unfinished ...>\n"
	"?           2.600000000 getpid()                                = 77 <0.000000>\n"
	"1001/1002   2.700000000 --- SIGSEGV {si_signo=SIGSEGV, si_code=SEGV_MAPERR} ---\n"
	"1001/1002   2.700000001 --- SIGRT_3 {si_signo=SIGRT_3, si_code=SI_TKILL} ---\n"
	"1001/1002   2.700000002 --- 99 {si_signo=99, si_code=0x4d} ---\n"
	"1001/1002   2.800000000 +++ killed by SIGSEGV (core dumped) +++\n"
	"1001        3.000000000 <detached ...>\n";

static void test_lines(void **state)
{
	const struct dn_options o = { .tail = -1 };

	(void)state;
	make(true, 0);
	assert_int_equal(run(&o), DN_EXIT_OK);
	assert_string_equal(answer, whole);
	assert_string_equal(errors, "");
}

/* Lines of the whole log that the answer has, by their first words. */
static void expect(const struct dn_options *o, const char *const *part)
{
	const char *p = answer;

	assert_int_equal(run(o), DN_EXIT_OK);
	for (; *part; part++) {
		const char *q = strstr(p, *part), *end = strchr(p, '\n');

		if (!q || !end || q > end)
			fail_msg("no line \"%s\" next in:\n%s", *part, p);
		p = end + 1;
	}
	assert_string_equal(p, "");
}

static void test_selection(void **state)
{
	struct dn_options o = { .tail = -1 };

	(void)state;
	make(true, 0);
	o.syscall = "read,close";
	expect(&o, (const char *[]){ "read(", "close(", "read(", NULL });
	o.syscall = "!%file_io";
	expect(&o, (const char *[]){ "exit_group(", "2.400000000 getpid(", "2.600000000 getpid(",
				     NULL });
	o.syscall = NULL;
	o.npid = 1;
	o.pid[0] = 1003;
	expect(&o, (const char *[]){ "exit_group(", "+++ exited with 7", NULL });
	o.npid = 0;
	o.ntid = 1;
	o.tid[0] = 1001;
	expect(&o,
	       (const char *[]){ "openat(", "superseded", "SIGCHLD", "close(", "<detached", NULL });
	o.npid = 1;
	o.pid[0] = 1003;
	expect(&o, (const char *[]){ NULL });
	o.npid = o.ntid = 0;
	o.has_since = o.has_until = true;
	o.since.ns = 7000;
	o.until.ns = 1500000000;
	expect(&o,
	       (const char *[]){ "exit_group(", "+++ exited with 7", "SIGCHLD", "close(", NULL });
	o.tail = 2;
	expect(&o, (const char *[]){ "SIGCHLD", "close(", NULL });
	o.has_until = o.has_since = false;
	expect(&o, (const char *[]){ "killed by SIGSEGV", "<detached", NULL });
	o.syscall = "read";
	expect(&o, (const char *[]){ "read(", "read(", NULL });
	o.tail = 1;
	expect(&o, (const char *[]){ "<unfinished", NULL });
	o.tail = 0;
	expect(&o, (const char *[]){ NULL });
}

static void test_wrong(void **state)
{
	struct dn_options o = { .tail = -1 };

	(void)state;
	make(true, 0);
	o.syscall = "nosuch";
	assert_int_equal(run(&o), DN_EXIT_USAGE);
	assert_string_equal(
		errors,
		"denet-analyze: cannot use --syscall nosuch: there is no system call nosuch.\n");
	o.syscall = NULL;
	o.tail = INT64_MAX;
	assert_int_equal(run(&o), DN_EXIT_USAGE);
	o.tail = -1;
	assert_int_equal(truncate(path, 0), 0);
	assert_int_equal(run(&o), DN_EXIT_NONE);
	assert_non_null(strstr(errors, "it is empty"));
}

static void test_incomplete(void **state)
{
	struct dn_options o = { .tail = -1 };

	(void)state;
	make(false, 0);
	assert_int_equal(run(&o), DN_EXIT_INCOMPLETE);
	assert_string_equal(answer, whole);
	assert_non_null(strstr(errors, "is incomplete: there is no footer"));
	o.allow_incomplete = o.quiet = true;
	assert_int_equal(run(&o), DN_EXIT_OK);
	assert_string_equal(errors, "");
	make(true, 17);
	o.allow_incomplete = o.quiet = false;
	assert_int_equal(run(&o), DN_EXIT_OK);
	assert_non_null(strstr(errors, "the recorder lost 17 system calls"));
}

static void test_color(void **state)
{
	struct dn_options o = { .tail = -1, .color = true, .syscall = "openat" };

	(void)state;
	make(true, 0);
	assert_int_equal(run(&o), DN_EXIT_OK);
	assert_string_equal(answer,
			    "\033[2m1001        0.000002000 \033[0m\033[31mopenat(AT_FDCWD, "
			    "\"/a\\33[31m\\377\", O_RDONLY) = -1 ENOENT (No such file or "
			    "directory) <0.000001>\033[0m\n");
}

static void test_si_code(void **state)
{
	(void)state;
	assert_string_equal(dn_si_code_name(15, 0), "SI_USER");
	assert_string_equal(dn_si_code_name(15, -1), "SI_QUEUE");
	assert_string_equal(dn_si_code_name(11, 0x80), "SI_KERNEL");
	assert_string_equal(dn_si_code_name(17, 6), "CLD_CONTINUED");
	assert_string_equal(dn_si_code_name(31, 1), "SYS_SECCOMP");
	assert_null(dn_si_code_name(17, 7));
	assert_null(dn_si_code_name(15, 1));
	assert_null(dn_si_code_name(15, -100));
	assert_null(dn_si_code_name(15, -2147483647 - 1));
	assert_null(dn_si_code_name(11, 2147483647));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_selection),
		cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_incomplete),
		cmocka_unit_test(test_color),
		cmocka_unit_test(test_si_code),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
