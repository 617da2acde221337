/*
 * test_recording.c - dn_record on real commands: the status it returns, what
 * it says, and what stands in the trace.
 *
 * Each recording runs in a process of its own, as dn_record changes signals.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pwd.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "events.h"
#include "options.h"
#include "privilege.h"
#include "recording.h"
#include "scratch.h"
#include "target.h"
#include "trace.h"

#define F(row, field) ((row)->v[field].u)
#define STATUS(code) ((code) << 8)

static char said[16384];	/* on stderr, by the recorder and the command */
static bool ignoring;		/* the recorder is started with signals ignored */

static struct dn_record_opts options(const char *output, char **argv)
{
	return (struct dn_record_opts){
		.output = output,
		.buffer = 4u << 20,
		.level = 1,
		.redact = true,
		.strings = true,
		.argv = argv,
	};
}

/* Starts a recording; fd is where its status will come from. */
static pid_t start(const struct dn_record_opts *o, int *fd)
{
	extern char **environ;
	char *self[] = { (char *)"test_recording", NULL };
	struct dn_invoker who = { .argv = self, .environ = environ };
	int result[2], status;
	pid_t pid;

	assert_int_equal(pipe2(result, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		if (!freopen("said", "w", stderr))
			_exit(1);
		if (ignoring) {
			signal(SIGCHLD, SIG_IGN);
			signal(SIGXFSZ, SIG_IGN);
		}
		status = dn_record(o, &who);
		fflush(stderr);
		_exit(write(result[1], &status, sizeof(status)) != sizeof(status));
	}
	close(result[1]);
	*fd = result[0];
	return pid;
}

static int result(pid_t pid, int fd)
{
	int status = -1, ended;
	FILE *f;

	assert_int_equal(read(fd, &status, sizeof(status)), sizeof(status));
	close(fd);
	assert_int_equal(waitpid(pid, &ended, 0), pid);
	assert_int_equal(ended, 0);
	f = fopen("said", "r");
	assert_non_null(f);
	said[fread(said, 1, sizeof(said) - 1, f)] = 0;
	fclose(f);
	return status;
}

static int record(const struct dn_record_opts *o)
{
	int fd;
	pid_t pid = start(o, &fd);

	return result(pid, fd);
}

static int record_shell(const char *command)
{
	char *argv[] = { (char *)"sh", (char *)"-c", (char *)command, NULL };
	struct dn_record_opts o = options("t.dnt", argv);

	o.quiet = true;
	return record(&o);
}

static const struct collected *end_row(const struct trace *t)
{
	assert_int_equal(collect_count(&t->rows, DN_EV_end), 1);
	return collect_find(&t->rows, DN_EV_end, 0);
}

static const char *environment(const struct trace *t, const char *key)
{
	for (size_t i = 0; i < t->rows.n; i++) {
		const struct collected *r = &t->rows.row[i];

		if (r->event == DN_EV_environment && !strcmp(r->v[DN_F_environment_key].p, key))
			return r->v[DN_F_environment_value].p;
	}
	fail_msg("no environment row %s", key);
	return NULL;
}

/* The exit row of the thread, and NULL where it has none. */
static const struct collected *exit_of(const struct trace *t, uint64_t thread)
{
	for (size_t i = 0; i < t->rows.n; i++) {
		const struct collected *r = &t->rows.row[i];

		if (r->event == DN_EV_thread_exit && F(r, DN_F_thread_exit_thread) == thread)
			return r;
	}
	return NULL;
}

static const struct collected *target_row(const struct trace *t)
{
	for (size_t i = 0; i < t->rows.n; i++) {
		const struct collected *r = &t->rows.row[i];

		if (r->event == DN_EV_thread_start &&
		    F(r, DN_F_thread_start_origin) == DN_ORIGIN_TARGET)
			return r;
	}
	fail_msg("the command has no thread_start");
	return NULL;
}

/* --- how the command ends ------------------------------------------------------------- */

static void exits(void **state)
{
	struct trace t;
	const struct collected *r, *target;
	uint64_t calls = 0;

	(void)state;
	assert_int_equal(record_shell("(exit 5); exit 3"), STATUS(3));
	assert_string_equal(said, "");
	trace_open(&t, "t.dnt");
	assert_int_equal(t.shape.footers, 1);
	assert_true(t.shape.keyframes >= 1);
	assert_int_equal(trace_counter(&t, DN_COUNT_syscall_lost), 0);
	trace_balanced(&t);

	r = end_row(&t);
	assert_int_equal(F(r, DN_F_end_reason), DN_END_COMMAND);
	assert_int_equal(F(r, DN_F_end_status), STATUS(3));
	assert_int_equal(F(r, DN_F_end_survivors), 0);

	target = target_row(&t);
	assert_int_equal(collect_count(&t.rows, DN_EV_thread_exit), 2);
	for (unsigned i = 0; i < 2; i++) {
		bool of_target;

		r = collect_find(&t.rows, DN_EV_thread_exit, i);
		of_target = F(r, DN_F_thread_exit_thread) == F(target, DN_F_thread_start_thread);
		assert_int_equal(F(r, DN_F_thread_exit_exit_code), STATUS(of_target ? 3 : 5));
		assert_int_equal(F(r, DN_F_thread_exit_group_dead), 1);
		for (size_t k = 0; k < t.ncalls; k++)
			calls += t.call[k].thread == F(r, DN_F_thread_exit_thread);
	}
	assert_int_equal(calls, t.ncalls);
	/* each ends in a call without return */
	assert_int_equal(trace_counter(&t, DN_COUNT_unfinished), 2);
	assert_int_equal(trace_counter(&t, DN_COUNT_threads), 2);

	r = collect_find(&t.rows, DN_EV_exec, 0);
	assert_int_equal(r->v[DN_F_exec_argv].len, sizeof("sh\0-c\0(exit 5); exit 3"));
	assert_memory_equal(r->v[DN_F_exec_argv].p, "sh\0-c\0(exit 5); exit 3", 23);
	assert_string_equal(r->v[DN_F_exec_cwd].p, scratch);
	assert_non_null(strstr(environment(&t, "command.argv"), "exit 3"));
	assert_string_equal(environment(&t, "command.cwd"), scratch);
	assert_string_equal(environment(&t, "recorder.command"), "test_recording");
	assert_true(collect_count(&t.rows, DN_EV_probe) > 0);
	assert_true(collect_count(&t.rows, DN_EV_clock) >= 2);
	trace_free(&t);
}

static void killed(void **state)
{
	const struct collected *r;
	struct trace t;

	(void)state;
	assert_int_equal(record_shell("kill -KILL $$"), SIGKILL);
	trace_open(&t, "t.dnt");
	trace_balanced(&t);
	assert_int_equal(F(end_row(&t), DN_F_end_status), SIGKILL);
	assert_int_equal(F(end_row(&t), DN_F_end_reason), DN_END_COMMAND);
	r = exit_of(&t, F(target_row(&t), DN_F_thread_start_thread));
	assert_non_null(r);
	assert_int_equal(F(r, DN_F_thread_exit_exit_code) & 0x7f, SIGKILL);
	trace_free(&t);
}

/* What is known of each call and word of a command that does little. */
static void words(void **state)
{
	char *argv[] = { (char *)"sh", (char *)"-c", (char *)"echo said >&2; : --password=hunter2",
			 NULL };
	struct dn_record_opts o = options("t.dnt", argv);
	struct trace t;

	(void)state;
	o.count = true;
	assert_int_equal(record(&o), 0);
	assert_non_null(strstr(said, "said\n"));
	assert_non_null(strstr(said, "% time"));	/* the table of -c */
	assert_non_null(strstr(said, "execve"));
	assert_non_null(strstr(said, "denet-record: t.dnt: "));
	assert_non_null(strstr(said, ", 0 lost; "));
	trace_open(&t, "t.dnt");
	assert_true(trace_counter(&t, DN_COUNT_redacted) >= 2);	/* the exec, the environment */
	assert_null(strstr(environment(&t, "command.argv"), "hunter2"));
	trace_free(&t);
	assert_int_not_equal(system("grep -q hunter2 t.dnt"), 0);
}

/* --- what never starts ------------------------------------------------------------------- */

static unsigned files(void)
{
	FILE *p = popen("ls -A | wc -l", "r");
	unsigned n = 0;

	assert_non_null(p);
	assert_int_equal(fscanf(p, "%u", &n), 1);
	pclose(p);
	return n;
}

static void put(const char *name, const char *text, mode_t mode)
{
	FILE *f = fopen(name, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	assert_int_equal(chmod(name, mode), 0);
}

static void never_starts(void **state)
{
	static const struct {
		const char *command, *output, *user;
		int status;
		const char *why;
	} t[] = {
		{ "no-such-command-here", "t.dnt", NULL, 127, "command not found" },
		{ "./none", "t.dnt", NULL, 127, "No such file" },
		{ "./plain", "t.dnt", NULL, 126, "Permission denied" },
		{ ".", "t.dnt", NULL, 126, "Is a directory" },
		{ "./lost", "t.dnt", NULL, 127, "interpreter" },
		{ "./tool", "nowhere/t.dnt", NULL, 125, "nowhere/t.dnt" },
		{ "./tool", "plain", NULL, 125, "not a trace" },
		{ "./tool", "t.dnt", "no-such-user-here", 125, "no user no-such-user-here" },
	};
	unsigned before;

	(void)state;
	put("plain", "text\n", 0644);
	put("lost", "#!/no/such/interpreter\n", 0755);
	put("tool", "#!/bin/sh\n>made\n", 0755);
	put("said", "", 0644);
	before = files();
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		char *argv[] = { (char *)t[i].command, NULL };
		struct dn_record_opts o = options(t[i].output, argv);

		o.user = t[i].user;
		assert_int_equal(record(&o), STATUS(t[i].status));
		assert_memory_equal(said, "denet-record: ", 14);
		assert_non_null(strstr(said, t[i].why));
		assert_ptr_equal(strchr(said, '\n'), said + strlen(said) - 1);	/* one line */
		assert_int_equal(files(), before);	/* it ran not, and left nothing */
	}
}

/* --- what goes on after the command ---------------------------------------------------------- */

static void duration(void **state)
{
	char *argv[] = { (char *)"sleep", (char *)"30", NULL };
	struct dn_record_opts o = options("t.dnt", argv);
	const struct collected *r, *target;
	unsigned unfinished = 0;
	struct trace t;

	(void)state;
	o.duration_ns = 200000000;
	assert_int_equal(record(&o), 0);
	trace_open(&t, "t.dnt");
	target = target_row(&t);
	assert_int_equal(kill((pid_t)F(target, DN_F_thread_start_pid), SIGKILL), 0);	/* it lives */
	trace_balanced(&t);
	r = end_row(&t);
	assert_int_equal(F(r, DN_F_end_reason), DN_END_DURATION);
	assert_true(r->v[DN_F_end_status].null);
	assert_int_equal(F(r, DN_F_end_survivors), 1);
	assert_int_equal(collect_count(&t.rows, DN_EV_thread_exit), 0);
	assert_int_equal(collect_count(&t.rows, DN_EV_thread_end), 1);
	r = collect_find(&t.rows, DN_EV_thread_end, 0);
	assert_int_equal(F(r, DN_F_thread_end_in_call), 1);
	assert_int_equal(F(r, DN_F_thread_end_nr), SYS_clock_nanosleep);
	for (size_t i = 0; i < t.ncalls; i++)
		if (t.call[i].flags & DN_CALL_UNFINISHED) {
			assert_int_equal(t.call[i].nr, SYS_clock_nanosleep);
			assert_int_equal(t.call[i].start, F(r, DN_F_thread_end_call_start));
			unfinished++;
		}
	assert_int_equal(unfinished, 1);
	assert_int_equal(trace_counter(&t, DN_COUNT_unfinished), 1);
	/* one that ends within a pass of the consumer may have no reading */
	r = collect_find(&t.rows, DN_EV_process_sample, 0);
	assert_non_null(r);
	assert_int_equal(F(r, DN_F_process_sample_pid), F(target, DN_F_thread_start_pid));
	trace_free(&t);
}

static void wait_tree(void **state)
{
	char *argv[] = { (char *)"sh", (char *)"-c",
			 (char *)"(sleep 0.2; exit 5) >/dev/null 2>&1 & exit 4", NULL };
	struct dn_record_opts o = options("t.dnt", argv);
	struct trace t;

	(void)state;
	assert_int_equal(record(&o), STATUS(4));
	assert_non_null(strstr(said, "of the tree live"));
	trace_open(&t, "t.dnt");
	trace_balanced(&t);
	assert_true(F(end_row(&t), DN_F_end_survivors) >= 1);
	assert_true(collect_count(&t.rows, DN_EV_thread_end) >= 1);
	trace_free(&t);

	o.wait_tree = true;
	assert_int_equal(record(&o), STATUS(4));
	assert_null(strstr(said, "of the tree live"));
	trace_open(&t, "t.dnt");
	trace_balanced(&t);
	assert_int_equal(F(end_row(&t), DN_F_end_survivors), 0);
	assert_int_equal(F(end_row(&t), DN_F_end_reason), DN_END_COMMAND);
	assert_int_equal(F(end_row(&t), DN_F_end_status), STATUS(4));
	assert_int_equal(collect_count(&t.rows, DN_EV_thread_end), 0);
	assert_int_equal(collect_count(&t.rows, DN_EV_thread_exit), 3);	/* sh, ( ), sleep */
	/* the end is that of the command, which was not the last to go */
	assert_true(F(end_row(&t), DN_F_end_time) <
		    F(collect_find(&t.rows, DN_EV_thread_exit, 2), DN_F_thread_exit_time));
	trace_free(&t);
	assert_int_equal(access("t.dnt.old", F_OK), 0);
}

/* --- signals --------------------------------------------------------------------------------- */

static void wait_childless(pid_t pid)
{
	char path[64];
	bool none = false;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
	for (unsigned i = 0; i < 5000 && !none; i++) {
		FILE *f = fopen(path, "r");

		assert_non_null(f);
		none = fscanf(f, "%*d") == EOF;
		fclose(f);
		usleep(1000);
	}
	assert_true(none);
}

/* A signal to the recorder is the command's; one after the command's end stops
 * the wait for the rest of the tree. */
static void signals(void **state)
{
	char *argv[] = { (char *)"sh", (char *)"-c",
			 (char *)"trap 'sleep 30 >/dev/null 2>&1 & echo $! >pid; exit 9' TERM; "
				 ">ready; while :; do sleep 0.01; done", NULL };
	struct dn_record_opts o = options("t.dnt", argv);
	struct trace t;
	long left = 0;
	pid_t pid;
	FILE *f;
	int fd;

	(void)state;
	o.wait_tree = true;
	pid = start(&o, &fd);
	for (unsigned i = 0; i < 5000 && access("ready", F_OK); i++)
		usleep(1000);
	assert_int_equal(kill(pid, SIGTERM), 0);
	for (unsigned i = 0; i < 5000 && !left; i++) {
		usleep(1000);
		f = fopen("pid", "r");
		if (f && fscanf(f, "%ld", &left) != 1)
			left = 0;
		if (f)
			fclose(f);
	}
	assert_true(left > 0);
	wait_childless(pid);	/* until it is reaped a signal is the command's, and given once */
	assert_int_equal(kill(pid, SIGTERM), 0);
	assert_int_equal(result(pid, fd), STATUS(9));
	assert_int_equal(kill((pid_t)left, SIGKILL), 0);	/* left alone */
	trace_open(&t, "t.dnt");
	trace_balanced(&t);
	assert_int_equal(F(end_row(&t), DN_F_end_status), STATUS(9));
	assert_int_equal(F(end_row(&t), DN_F_end_reason), DN_END_SIGNAL);
	assert_int_equal(F(end_row(&t), DN_F_end_survivors), 1);
	trace_free(&t);
}

/* The command gets the signal actions that we were started with, though we
 * have our own. */
static void inherited(void **state)
{
	char *argv[] = { (char *)"cp", (char *)"/proc/self/status", (char *)"its", NULL };
	struct dn_record_opts o = options("t.dnt", argv);
	const uint64_t ours = 1u << (SIGCHLD - 1) | 1u << (SIGXFSZ - 1) | 1u << (SIGPIPE - 1);
	uint64_t mask = 0;
	char line[256];
	FILE *f;

	(void)state;
	ignoring = true;
	assert_int_equal(record(&o), 0);
	ignoring = false;
	f = fopen("its", "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "SigIgn: %" SCNx64, &mask) == 1)
			break;
	fclose(f);
	assert_int_equal(mask & ours, ours & ~(1u << (SIGPIPE - 1)));
}

/* --- outputs ------------------------------------------------------------------------------- */

/* The trace goes to standard output, what the command prints to stderr. */
static void to_stdout(void **state)
{
	char *argv[] = { (char *)"echo", (char *)"printed", NULL };
	struct dn_record_opts o = options("-", argv);
	int old = fcntl(1, F_DUPFD_CLOEXEC, 10), fd, status;
	struct trace t;

	(void)state;
	fflush(stdout);
	fd = open("t.dnt", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(fd >= 0 && old >= 0);
	dup2(fd, 1);
	status = record(&o);
	dup2(old, 1);
	close(fd);
	close(old);
	assert_int_equal(status, 0);
	assert_non_null(strstr(said, "printed\n"));
	assert_non_null(strstr(said, "standard output"));
	trace_open(&t, "t.dnt");
	trace_balanced(&t);
	assert_int_equal(t.shape.footers, 1);
	trace_free(&t);
}

/* A file that may not grow: the command ends as ever, it is said, and what
 * there is of the trace is sound. */
static void full(void **state)
{
	char *argv[] = { (char *)"sh", (char *)"-c",
			 (char *)"dd if=/dev/zero of=/dev/null bs=1 count=60000 2>/dev/null; exit 8", NULL };
	struct dn_record_opts o = options("t.dnt", argv);
	struct rlimit old, lim;
	struct trace t;
	int status;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	lim = old;
	lim.rlim_cur = 40000;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &lim), 0);
	o.quiet = true;
	status = record(&o);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(status, STATUS(8));
	assert_non_null(strstr(said, "could not be written: File too large"));
	trace_open(&t, "t.dnt");
	assert_true(t.rows.n > 0);
	assert_true(t.ncalls < 60000);
	trace_free(&t);
}

static void as_user(void **state)
{
	char *argv[] = { (char *)"true", NULL };
	struct dn_record_opts o = options("t.dnt", argv);
	const struct passwd *pw = getpwnam("nobody");
	const struct collected *r;
	struct trace t;

	(void)state;
	if (geteuid() || !pw)
		skip();
	o.user = "nobody";
	assert_int_equal(record(&o), 0);
	trace_open(&t, "t.dnt");
	r = collect_find(&t.rows, DN_EV_exec, 0);
	assert_int_equal(F(r, DN_F_exec_uid), pw->pw_uid);
	assert_int_equal(F(r, DN_F_exec_gid), pw->pw_gid);
	trace_free(&t);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(exits),
		CASE(killed),
		CASE(words),
		CASE(never_starts),
		CASE(duration),
		CASE(wait_tree),
		CASE(signals),
		CASE(inherited),
		CASE(to_stdout),
		CASE(full),
		CASE(as_user),
	};

	if (!may_record())
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
