/*
 * keyframe.c - what live processes are at one moment, as rows.
 */
#include "keyframe.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clocks.h"
#include "procfs.h"
#include "redact.h"
#include "ring_event.h"
#include "row.h"

#define FD_ROW_NS 1000000	/* a descriptor that took longer to read is read again, */
#define FD_TRIES 3		/* so often */

struct dn_keyframe {
	int procfs;
	bool own_procfs;
	bool no_mappings, arguments, no_redact;
	uint64_t tick_ns;
	int64_t timens;
	struct dn_keyframe_counts counts;
	char link[3][PATH_MAX + 1];	/* one more than any path: full means cut */
	char argv[DN_RING_ARGV_MAX], clean[2 * DN_RING_ARGV_MAX];	/* as many as of an exec */
	char lines[PATH_MAX + 256];	/* a line of maps: a path and 73 columns before it */
};

struct dn_keyframe *dn_keyframe_new(const struct dn_keyframe_opts *opts)
{
	struct dn_keyframe *k = calloc(1, sizeof(*k));

	if (!k)
		return NULL;
	k->no_mappings = opts->no_mappings;
	k->arguments = opts->arguments;
	k->no_redact = opts->no_redact;
	k->procfs = opts->procfs;
	if (!k->procfs) {
		k->procfs = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (k->procfs < 0) {
			int err = errno;

			free(k);
			errno = err;
			return NULL;
		}
		k->own_procfs = true;
	}
	k->tick_ns = dn_tick_ns();
	k->timens = dn_timens_offset(k->procfs);
	return k;
}

void dn_keyframe_free(struct dn_keyframe *k)
{
	if (!k)
		return;
	if (k->own_procfs)
		close(k->procfs);
	free(k);
}

static bool is_gone(int err)
{
	return err == -ESRCH || err == -ENOENT;
}

/* The target of a link as a value that lives in buf; null if not readable. */
static struct dn_value read_link(int dir, const char *name, char *buf, int *err)
{
	ssize_t n = dn_proc_link(dir, name, buf, PATH_MAX + 1);

	*err = n < 0 ? (int)n : 0;
	return n < 0 ? dn_null() : dn_str(buf, (size_t)n);
}

static struct dn_value read_argv(struct dn_keyframe *k, const struct dn_proc *p)
{
	ssize_t n = k->arguments ? dn_read_file(p->dir, "cmdline", k->argv, sizeof(k->argv)) : 0;
	unsigned redacted = 0;
	size_t len;

	if (n <= 0)
		return dn_null();
	n = (ssize_t)dn_cmdline_len(k->argv, (size_t)n);
	if (k->no_redact)
		return dn_str(k->argv, (size_t)n);
	len = dn_redact_argv(k->argv, (size_t)n, k->clean, sizeof(k->clean), &redacted);
	k->counts.redacted += redacted;
	return dn_str(k->clean, len);
}

static int emit_state(struct dn_keyframe *k, const struct dn_proc *p, uint32_t process,
		      const struct dn_sink *sink)
{
	struct dn_value v[DN_F_process_state_N];
	int err;

	dn_row_clear(v, DN_F_process_state_N);
	v[DN_F_process_state_time] = dn_u(dn_now());
	if (process)
		v[DN_F_process_state_process] = dn_u(process);
	v[DN_F_process_state_cwd] = read_link(p->dir, "cwd", k->link[0], &err);
	v[DN_F_process_state_exe] = read_link(p->dir, "exe", k->link[1], &err);
	v[DN_F_process_state_root] = read_link(p->dir, "root", k->link[2], &err);
	v[DN_F_process_state_argv] = read_argv(k, p);
	return dn_row_send(sink, DN_EV_process_state, v, DN_F_process_state_N);
}

/* flags and pos of an fd from its fdinfo, which may go on for long. */
static void read_fdinfo(int dir, uint32_t fd, struct dn_pid_fdinfo *info)
{
	char name[32], text[128];
	ssize_t n;

	snprintf(name, sizeof(name), "fdinfo/%u", fd);
	n = dn_read_file(dir, name, text, sizeof(text));
	dn_parse_pid_fdinfo(text, n > 0 ? (size_t)n : 0, info);
}

static int emit_fds(struct dn_keyframe *k, const struct dn_proc *p, uint32_t process, bool inherited,
		    const struct dn_sink *sink)
{
	struct dn_value v[DN_F_fd_N];
	struct dn_pid_fdinfo info;
	struct dn_numbers d;
	unsigned rows = 0;
	char name[16];
	uint32_t fd;
	int more, err = dn_numbers_open(&d, p->dir, "fd");

	if (err) {
		k->counts.unreadable += !is_gone(err);
		return 0;
	}
	while (!err && (more = dn_numbers_next(&d, &fd)) > 0) {
		uint64_t before, time = 0;
		int unread, tries = 0;

		if (rows == DN_KEYFRAME_FDS) {
			k->counts.fds_skipped++;
			continue;
		}
		dn_row_clear(v, DN_F_fd_N);
		snprintf(name, sizeof(name), "%u", fd);
		/* Read again where we lost the CPU in between: a row that is stamped long after it was true
		 * brings a descriptor back that was closed meanwhile. */
		do {
			before = dn_now();
			v[DN_F_fd_target] = read_link(d.fd, name, k->link[0], &unread);
			time = dn_now();
		} while (time - before > FD_ROW_NS && ++tries < FD_TRIES);
		if (is_gone(unread))
			continue;	/* closed since it was listed */
		read_fdinfo(p->dir, fd, &info);
		if (inherited && info.flags != DN_UNMEASURED && info.flags & O_CLOEXEC)
			continue;
		v[DN_F_fd_time] = dn_u(time);
		if (process)
			v[DN_F_fd_process] = dn_u(process);
		v[DN_F_fd_fd] = dn_u(fd);
		v[DN_F_fd_flags] = dn_measured(info.flags);
		v[DN_F_fd_pos] = dn_measured(info.pos);
		err = dn_row_send(sink, DN_EV_fd, v, DN_F_fd_N);
		rows++;
	}
	dn_numbers_close(&d);
	k->counts.fds += rows;
	return err;
}

static int emit_mapping(struct dn_pid_map *m, char *path, uint32_t process, uint64_t time,
			const struct dn_sink *sink)
{
	struct dn_value v[DN_F_mapping_N];

	dn_row_clear(v, DN_F_mapping_N);
	v[DN_F_mapping_time] = dn_u(time);
	if (process)
		v[DN_F_mapping_process] = dn_u(process);
	v[DN_F_mapping_start] = dn_u(m->start);
	v[DN_F_mapping_end] = dn_u(m->end);
	v[DN_F_mapping_offset] = dn_u(m->offset);
	v[DN_F_mapping_prot] = dn_u(m->prot);
	v[DN_F_mapping_path] = dn_str(path, dn_unescape_map_path(path, m->path_len));
	return dn_row_send(sink, DN_EV_mapping, v, DN_F_mapping_N);
}

/* Files, and the vdso, which stacks pass through. Not heap, stack and
 * anonymous memory: they name nothing. */
static bool is_named(const struct dn_pid_map *m)
{
	return m->path_len && (m->inode || m->path[0] == '/' ||
			       (m->path_len == 6 && !memcmp(m->path, "[vdso]", 6)));
}

static int emit_mappings(struct dn_keyframe *k, const struct dn_proc *p, uint32_t process,
			 const struct dn_sink *sink)
{
	uint64_t time = dn_now();
	struct dn_pid_map m;
	struct dn_lines l;
	unsigned rows = 0;
	char *line;
	size_t len;
	int more = 0, err = dn_lines_open(&l, p->dir, "maps", k->lines, sizeof(k->lines));

	if (err) {
		k->counts.unreadable += !is_gone(err);
		return 0;
	}
	while (!err && (more = dn_lines_next(&l, &line, &len)) > 0) {
		if (dn_parse_pid_map(line, len, &m) || !is_named(&m))
			continue;
		if (rows == DN_KEYFRAME_MAPPINGS) {
			k->counts.mappings_skipped++;
			continue;
		}
		err = emit_mapping(&m, line + (m.path - line), process, time, sink);
		rows++;
	}
	dn_lines_close(&l);
	k->counts.unreadable += more < 0 && !is_gone(more);
	k->counts.mappings += rows;
	return err;
}

int dn_keyframe_process(struct dn_keyframe *k, uint32_t process, pid_t pid, uint64_t born,
			const struct dn_sink *sink)
{
	uint64_t start = born ? (born + (uint64_t)k->timens) / k->tick_ns : DN_UNMEASURED;
	struct dn_proc p;
	int err = dn_proc_open(&p, k->procfs, pid, start);

	if (err) {
		k->counts.gone += err == -ESRCH;
		return err;
	}
	k->counts.processes++;
	err = emit_state(k, &p, process, sink);
	if (!err)
		err = emit_fds(k, &p, process, false, sink);
	if (!err && !k->no_mappings)
		err = emit_mappings(k, &p, process, sink);
	if (!err && dn_proc_alive(&p)) {
		k->counts.gone++;
		err = -ESRCH;
	}
	dn_proc_close(&p);
	return err;
}

int dn_keyframe_inherited(struct dn_keyframe *k, uint32_t process, pid_t pid, const struct dn_sink *sink)
{
	struct dn_proc p;
	int err = dn_proc_open(&p, k->procfs, pid, DN_UNMEASURED);

	if (err) {
		k->counts.gone += err == -ESRCH;
		return err;
	}
	err = emit_fds(k, &p, process, true, sink);
	dn_proc_close(&p);
	return err;
}

void dn_keyframe_counts(const struct dn_keyframe *k, struct dn_keyframe_counts *counts)
{
	*counts = k->counts;
}
