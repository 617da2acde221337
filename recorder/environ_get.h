/*
 * environ_get.h - the getters of environ.def: what environ.c and
 * environ_host.c share. Private to them and to check_*.c, which read the same
 * files.
 *
 * A getter writes the text of one fact to out and returns its length, or
 * -errno: the row has null then.
 */
#ifndef DN_RECORDER_ENVIRON_GET_H
#define DN_RECORDER_ENVIRON_GET_H

#include <stddef.h>
#include <sys/types.h>

#include "environ.h"

struct dn_env_ctx {
	int root;		/* directory fd; every path is relative to it */
	bool real_root;		/* it is "/": what no file tells may be asked of the machine */
	struct dn_environ_opts *opts;
};

typedef ssize_t dn_env_getter(struct dn_env_ctx *c, const char *arg, char *out, size_t cap);

#define DN_ENV_GETTERS(GET)                                                                        \
	GET(uname) GET(file) GET(choice) GET(khz) GET(os_release) GET(cpu_model) GET(cpu_count)    \
	GET(numa) GET(meminfo) GET(sysconf) GET(hypervisor) GET(container) GET(cgroup)             \
	GET(recorder) GET(status) GET(command) GET(cwd) GET(user) GET(rlimit) GET(env)      \
	GET(capabilities) GET(later) GET(attached) GET(umask)

#define GET(how) dn_env_getter dn_env_get_##how;
DN_ENV_GETTERS(GET)
#undef GET

/* printf to out; -ENOBUFS where it does not fit. */
ssize_t dn_env_print(char *out, size_t cap, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The first line of a file without blanks at its ends, ended by a NUL. Its
 * length or -errno; an empty file is -ENODATA. */
ssize_t dn_env_line(struct dn_env_ctx *c, const char *path, char *out, size_t cap);

/* The value behind a key at the beginning of a line ("MemTotal:"), the same
 * way; -ENODATA where no line has it. */
ssize_t dn_env_value(struct dn_env_ctx *c, const char *path, const char *key, char *out,
		     size_t cap);

/* Walks a kernel list such as "0-3,8": *at is 0 at first. -1 at the end. */
int dn_env_list_next(const char *list, size_t *at, int *first, int *last);

#endif
