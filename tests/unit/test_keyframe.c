/*
 * Keyframes on the real /proc: this process's own descriptors, mappings and
 * directories, hostile names, and processes that are gone.
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
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "collect.h"
#include "keyframe.h"

static const struct collected *fd_row(const struct collect *c, int fd)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->row[i].event == DN_EV_fd && c->row[i].v[DN_F_fd_fd].u == (uint64_t)fd)
			return &c->row[i];
	return NULL;
}

static void self(void **state)
{
	static const char name[] = "a\nb \\012 '\xff\x1b[m";
	struct dn_keyframe_opts o = { 0 };
	struct dn_keyframe *k = dn_keyframe_new(&o);
	struct dn_keyframe_counts n;
	const struct collected *r;
	char dir[] = "/tmp/dn-test-XXXXXX", path[4096], cwd[4096];
	struct collect c;
	int fd, pipes[2];
	void *map;
	bool mapped = false, text = false;

	(void)state;
	assert_non_null(k);
	collect_init(&c);
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "hello", 5), 5);
	map = mmap(NULL, 5, PROT_READ, MAP_SHARED, fd, 0);
	assert_true(map != MAP_FAILED);
	assert_int_equal(pipe(pipes), 0);

	assert_int_equal(dn_keyframe_process(k, 5, getpid(), 0, &c.sink), 0);
	r = collect_find(&c, DN_EV_process_state, 0);
	assert_int_equal(r->n, DN_F_process_state_N);
	assert_int_equal(r->v[DN_F_process_state_process].u, 5);
	assert_non_null(getcwd(cwd, sizeof(cwd)));
	assert_string_equal(r->v[DN_F_process_state_cwd].p, cwd);
	assert_string_equal(r->v[DN_F_process_state_root].p, "/");
	assert_non_null(strstr(r->v[DN_F_process_state_exe].p, "test_keyframe"));

	r = fd_row(&c, fd);
	assert_non_null(r);
	assert_string_equal(r->v[DN_F_fd_target].p, path);
	assert_int_equal(r->v[DN_F_fd_pos].u, 5);
	assert_int_equal(r->v[DN_F_fd_flags].u & (O_ACCMODE | O_APPEND | O_CLOEXEC),
			 O_RDWR | O_APPEND | O_CLOEXEC);
	r = fd_row(&c, pipes[1]);
	assert_memory_equal(r->v[DN_F_fd_target].p, "pipe:[", 6);
	assert_int_equal(r->v[DN_F_fd_flags].u & O_ACCMODE, O_WRONLY);
	assert_null(fd_row(&c, 1000));

	for (size_t i = 0; i < c.n; i++) {
		uint64_t start, end;

		r = &c.row[i];
		if (r->event != DN_EV_mapping)
			continue;
		start = r->v[DN_F_mapping_start].u;
		end = r->v[DN_F_mapping_end].u;
		assert_true(start < end);
		assert_true(r->v[DN_F_mapping_path].len > 0);
		text |= (uint64_t)(uintptr_t)self >= start && (uint64_t)(uintptr_t)self < end &&
			r->v[DN_F_mapping_prot].u == (PROT_READ | PROT_EXEC);
		if (start == (uint64_t)(uintptr_t)map) {
			mapped = true;
			assert_int_equal(r->v[DN_F_mapping_prot].u, PROT_READ);
			/* the name has a real \012, which reads as a newline too */
			assert_memory_equal(r->v[DN_F_mapping_path].p, path, strlen(dir) + 5);
		}
	}
	assert_true(mapped && text);

	dn_keyframe_counts(k, &n);
	assert_int_equal(n.processes, 1);
	assert_int_equal(n.fds, collect_count(&c, DN_EV_fd));
	assert_int_equal(n.mappings, collect_count(&c, DN_EV_mapping));
	assert_int_equal(n.fds_skipped + n.mappings_skipped + n.gone + n.unreadable, 0);

	/* a sink that refuses, at every row */
	for (size_t at = 1; at <= n.fds + n.mappings + 1; at++) {
		struct collect f;

		collect_init(&f);
		f.fail_at = at;
		assert_int_equal(dn_keyframe_process(k, 5, getpid(), 0, &f.sink), -ENOSPC);
		assert_int_equal(f.n, at - 1);
		collect_free(&f);
	}
	munmap(map, 5);
	close(fd);
	close(pipes[0]);
	close(pipes[1]);
	unlink(path);
	rmdir(dir);
	dn_keyframe_free(k);
	collect_free(&c);
}

static void limits(void **state)
{
	struct dn_keyframe_opts o = { .no_mappings = true };
	struct dn_keyframe *k = dn_keyframe_new(&o);
	struct dn_keyframe_counts n;
	struct rlimit old, high;
	struct collect c;
	unsigned opened = 0;

	(void)state;
	collect_init(&c);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	high = (struct rlimit){ old.rlim_max, old.rlim_max };
	setrlimit(RLIMIT_NOFILE, &high);
	for (int fd = 100; fd < 100 + DN_KEYFRAME_FDS + 10; fd++)
		opened += dup2(0, fd) == fd;
	assert_int_equal(dn_keyframe_process(k, 5, getpid(), 0, &c.sink), 0);
	dn_keyframe_counts(k, &n);
	assert_int_equal(collect_count(&c, DN_EV_mapping), 0);
	assert_int_equal(collect_count(&c, DN_EV_fd), n.fds);
	if (opened == DN_KEYFRAME_FDS + 10) {
		assert_int_equal(n.fds, DN_KEYFRAME_FDS);
		assert_true(n.fds_skipped >= 10);
	}
	for (int fd = 100; fd < 100 + DN_KEYFRAME_FDS + 10; fd++)
		close(fd);
	setrlimit(RLIMIT_NOFILE, &old);
	dn_keyframe_free(k);
	collect_free(&c);
}

static void gone(void **state)
{
	struct dn_keyframe_opts o = { 0 };
	struct dn_keyframe *k = dn_keyframe_new(&o);
	struct dn_keyframe_counts n;
	struct collect c;
	siginfo_t info;
	pid_t pid = fork();

	(void)state;
	if (!pid)
		_exit(0);
	collect_init(&c);
	/* a zombie has a state of nulls and nothing else */
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	assert_int_equal(dn_keyframe_process(k, 5, pid, 0, &c.sink), 0);
	assert_int_equal(c.n, 1);
	assert_true(c.row[0].v[DN_F_process_state_exe].null);
	assert_true(c.row[0].v[DN_F_process_state_cwd].null);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(dn_keyframe_process(k, 5, pid, 0, &c.sink), -ESRCH);
	/* another process of that pid */
	assert_int_equal(dn_keyframe_process(k, 5, getpid(), 1, &c.sink), -ESRCH);
	assert_int_equal(c.n, 1);
	dn_keyframe_counts(k, &n);
	assert_int_equal(n.gone, 2);
	assert_int_equal(n.processes, 1);
	dn_keyframe_free(k);
	dn_keyframe_free(NULL);
	collect_free(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(self),
		cmocka_unit_test(limits),
		cmocka_unit_test(gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
