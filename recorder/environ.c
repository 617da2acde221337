/*
 * environ.c - what host, recorder and command are, as `environment` rows.
 *
 * Here: the table, and the getters that ask the process itself or read one
 * line of one file. Those that put a fact together are in environ_host.c.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "environ.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "clocks.h"
#include "environ_get.h"
#include "procfs.h"
#include "redact.h"
#include "row.h"
#include "shell_quote.h"

#ifndef DN_VERSION
#define DN_VERSION "unknown"
#endif

/* A shell-quoted list of DN_REDACT_MAX bytes of quotes only would be four times
 * as long; a longer value is cut. */
#define VALUE_MAX (4 * DN_REDACT_MAX)

static const struct dn_environ_key keys[] = {
#define KEY(key, how, arg, doc) { key, arg, doc },
#include "environ.def"
};

static dn_env_getter *const getters[] = {
#define KEY(key, how, arg, doc) dn_env_get_##how,
#include "environ.def"
};

#define NKEYS (sizeof(keys) / sizeof(keys[0]))

const struct dn_environ_key *dn_environ_keys(size_t *n)
{
	*n = NKEYS;
	return keys;
}

/* --- helpers ------------------------------------------------------------------------ */

ssize_t dn_env_print(char *out, size_t cap, const char *format, ...)
{
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(out, cap, format, ap);
	va_end(ap);
	return n < 0 || (size_t)n >= cap ? -ENOBUFS : n;
}

static size_t trim(char *text, size_t len)
{
	size_t from = 0;

	while (len && isspace((unsigned char)text[len - 1]))
		len--;
	while (from < len && isspace((unsigned char)text[from]))
		from++;
	memmove(text, text + from, len - from);
	text[len - from] = '\0';
	return len - from;
}

static ssize_t not_empty(size_t n)
{
	return n ? (ssize_t)n : -ENODATA;
}

ssize_t dn_env_line(struct dn_env_ctx *c, const char *path, char *out, size_t cap)
{
	ssize_t n = dn_read_file(c->root, path, out, cap - 1);
	char *end;

	if (n < 0)
		return n;
	out[n] = '\0';
	end = memchr(out, '\n', (size_t)n);
	return not_empty(trim(out, end ? (size_t)(end - out) : (size_t)n));
}

ssize_t dn_env_value(struct dn_env_ctx *c, const char *path, const char *key, char *out, size_t cap)
{
	size_t k = strlen(key), len;
	char buf[4096];
	struct dn_lines l;
	char *line;
	ssize_t n = dn_lines_open(&l, c->root, path, buf, sizeof(buf));

	if (n)
		return n;
	n = -ENODATA;
	while (dn_lines_next(&l, &line, &len) > 0) {
		if (len < k || memcmp(line, key, k))
			continue;
		len -= k;
		if (len >= cap)
			len = cap - 1;
		memcpy(out, line + k, len);
		n = not_empty(trim(out, len));
		break;
	}
	dn_lines_close(&l);
	return n;
}

int dn_env_list_next(const char *list, size_t *at, int *first, int *last)
{
	int n = 0;

	if (sscanf(list + *at, "%d%n", first, &n) != 1)
		return -1;
	*at += (size_t)n;
	*last = *first;
	if (sscanf(list + *at, "-%d%n", last, &n) == 1)
		*at += (size_t)n;
	if (list[*at] == ',')
		(*at)++;
	return 0;
}

/* --- getters ---------------------------------------------------------------------------- */

ssize_t dn_env_get_uname(struct dn_env_ctx *c, const char *arg, char *out, size_t cap)
{
	struct utsname u;

	(void)c;
	if (uname(&u))
		return -errno;
	return dn_env_print(out, cap, "%s",
			    !strcmp(arg, "nodename") ? u.nodename :
			    !strcmp(arg, "release")  ? u.release :
			    !strcmp(arg, "version")  ? u.version :
						       u.machine);
}

ssize_t dn_env_get_file(struct dn_env_ctx *c, const char *arg, char *out, size_t cap)
{
	return dn_env_line(c, arg, out, cap);
}

/* The word in brackets of "always [madvise] never". */
ssize_t dn_env_get_choice(struct dn_env_ctx *c, const char *arg, char *out, size_t cap)
{
	ssize_t n = dn_env_line(c, arg, out, cap);
	char *open, *close;

	if (n < 0)
		return n;
	open = strchr(out, '[');
	close = open ? strchr(open, ']') : NULL;
	if (!close)
		return -ENODATA;
	memmove(out, open + 1, (size_t)(close - open - 1));
	return close - open - 1;
}

ssize_t dn_env_get_khz(struct dn_env_ctx *c, const char *arg, char *out, size_t cap)
{
	ssize_t n = dn_env_line(c, arg, out, cap);
	unsigned long long khz;

	if (n < 0)
		return n;
	if (sscanf(out, "%llu", &khz) != 1)
		return -ENODATA;
	return dn_env_print(out, cap, "%llu", khz * 1000);
}

ssize_t dn_env_get_meminfo(struct dn_env_ctx *c, const char *arg, char *out, size_t cap)
{
	ssize_t n = dn_env_value(c, "proc/meminfo", arg, out, cap);
	unsigned long long kb;

	if (n < 0)
		return n;
	if (sscanf(out, "%llu", &kb) != 1)
		return -ENODATA;
	return dn_env_print(out, cap, "%llu", kb * 1024);
}

ssize_t dn_env_get_status(struct dn_env_ctx *c, const char *arg, char *out, size_t cap)
{
	return dn_env_value(c, "proc/self/status", arg, out, cap);
}

ssize_t dn_env_get_sysconf(struct dn_env_ctx *c, const char *arg, char *out, size_t cap)
{
	long v = sysconf(!strcmp(arg, "page_size") ? _SC_PAGESIZE : _SC_CLK_TCK);

	(void)c;
	return v < 0 ? -ENODATA : dn_env_print(out, cap, "%ld", v);
}

/* A list of arguments, each ended by a NUL, redacted, as a quoted line. */
static ssize_t quote_list(struct dn_env_ctx *c, const char *list, size_t n, char *out, size_t cap)
{
	char *clean = malloc(VALUE_MAX);

	if (!clean)
		return -ENOMEM;
	if (c->opts->no_redact)
		memcpy(clean, list, n);
	else
		n = dn_redact_argv(list, n, clean, VALUE_MAX, &c->opts->redacted);
	n = dn_shell_quote(clean, n, out, cap);
	free(clean);
	return (ssize_t)(n < cap ? n : cap);
}

static ssize_t quote_argv(struct dn_env_ctx *c, char *const *argv, char *out, size_t cap)
{
	char *list = malloc(DN_REDACT_MAX);
	size_t n = 0;
	ssize_t ret;

	if (!list)
		return -ENOMEM;
	for (; *argv && n < DN_REDACT_MAX; argv++) {
		size_t k = strlen(*argv) + 1;

		if (k > DN_REDACT_MAX - n)
			k = DN_REDACT_MAX - n;
		memcpy(list + n, *argv, k);
		n += k;
	}
	ret = quote_list(c, list, n, out, cap);
	free(list);
	return ret;
}

/* Of the process that was attached to, else of this one, whose child the command is. */
static void of_command(const struct dn_env_ctx *c, const char *name, char path[48])
{
	if (c->opts->attached)
		snprintf(path, 48, "proc/%d/%s", c->opts->attached_pid, name);
	else
		snprintf(path, 48, "proc/self/%s", name);
}

static ssize_t attached_argv(struct dn_env_ctx *c, char *out, size_t cap)
{
	char path[48], *list = malloc(DN_REDACT_MAX);
	ssize_t n;

	if (!list)
		return -ENOMEM;
	of_command(c, "cmdline", path);
	n = dn_read_file(c->root, path, list, DN_REDACT_MAX);
	if (n > 0)
		n = quote_list(c, list, dn_cmdline_len(list, (size_t)n), out, cap);
	free(list);
	return n ? n : -ENODATA;
}

ssize_t dn_env_get_recorder(struct dn_env_ctx *c, const char *arg, char *out, size_t cap)
{
	if (!strcmp(arg, "version"))
		return dn_env_print(out, cap, "%s", DN_VERSION);
	if (!strcmp(arg, "pid"))
		return dn_env_print(out, cap, "%d", (int)getpid());
	if (!c->opts->recorder_argv)
		return -ENODATA;
	return quote_argv(c, c->opts->recorder_argv, out, cap);
}

ssize_t dn_env_get_capabilities(struct dn_env_ctx *c, const char *arg, char *out, size_t cap)
{
	(void)arg;
	return dn_env_print(out, cap, "%016llx", (unsigned long long)c->opts->capabilities);
}

ssize_t dn_env_get_command(struct dn_env_ctx *c, const char *arg, char *out, size_t cap)
{
	(void)arg;
	if (c->opts->attached)
		return attached_argv(c, out, cap);
	if (!c->opts->command_argv)
		return -ENODATA;
	return quote_argv(c, c->opts->command_argv, out, cap);
}

ssize_t dn_env_get_attached(struct dn_env_ctx *c, const char *arg, char *out, size_t cap)
{
	(void)arg;
	return c->opts->attached ? dn_env_print(out, cap, "%s", c->opts->attached) : -ENODATA;
}

ssize_t dn_env_get_umask(struct dn_env_ctx *c, const char *arg, char *out, size_t cap)
{
	char path[48];

	(void)arg;
	of_command(c, "status", path);
	return dn_env_value(c, path, "Umask:", out, cap);
}

ssize_t dn_env_get_cwd(struct dn_env_ctx *c, const char *arg, char *out, size_t cap)
{
	char path[48];

	(void)arg;
	if (c->opts->attached) {
		of_command(c, "cwd", path);
		return dn_proc_link(c->root, path, out, cap);
	}
	return getcwd(out, cap) ? (ssize_t)strlen(out) : -errno;
}

static ssize_t variable(struct dn_env_ctx *c, const char *name, char *out, size_t cap)
{
	const char *v = NULL;
	size_t n = strlen(name);

	for (char *const *e = c->opts->environ; e && *e && !v; e++)
		if (!strncmp(*e, name, n) && (*e)[n] == '=')
			v = *e + n + 1;
	if (!v)
		return -ENODATA;
	n = strlen(v);
	if (n > DN_REDACT_MAX)
		n = DN_REDACT_MAX;
	if (!c->opts->no_redact)
		return (ssize_t)dn_redact_text(v, n, out, cap, &c->opts->redacted);
	memcpy(out, v, n);
	return (ssize_t)n;
}

ssize_t dn_env_get_env(struct dn_env_ctx *c, const char *arg, char *out, size_t cap)
{
	return variable(c, arg, out, cap);
}

/* From the file itself: the library's way loads name services, which may ask
 * a network and do not work in a static program. */
static ssize_t user_name(struct dn_env_ctx *c, char *out, size_t cap)
{
	unsigned long long want = getuid(), uid;
	char buf[1024], name[256];
	struct dn_lines l;
	char *line;
	size_t len;
	ssize_t n = dn_lines_open(&l, c->root, "etc/passwd", buf, sizeof(buf) - 1);

	if (n)
		return n;
	n = -ENODATA;
	while (dn_lines_next(&l, &line, &len) > 0) {
		line[len] = '\0';
		if (sscanf(line, "%255[^:]:%*[^:]:%llu:", name, &uid) == 2 && uid == want) {
			n = dn_env_print(out, cap, "%s", name);
			break;
		}
	}
	dn_lines_close(&l);
	return n;
}

ssize_t dn_env_get_user(struct dn_env_ctx *c, const char *arg, char *out, size_t cap)
{
	if (!strcmp(arg, "name"))
		return user_name(c, out, cap);
	if (!strcmp(arg, "uid"))
		return dn_env_print(out, cap, "%llu", (unsigned long long)getuid());
	if (!strcmp(arg, "gid"))
		return dn_env_print(out, cap, "%llu", (unsigned long long)getgid());
	return variable(c, arg, out, cap);
}

static const char *limit_text(rlim_t v, char *buf, size_t cap)
{
	if (v == RLIM_INFINITY)
		return "unlimited";
	snprintf(buf, cap, "%llu", (unsigned long long)v);
	return buf;
}

ssize_t dn_env_get_rlimit(struct dn_env_ctx *c, const char *arg, char *out, size_t cap)
{
	static const struct {
		const char *name;
		int id;
	} limits[] = {
		{ "nofile", RLIMIT_NOFILE }, { "nproc", RLIMIT_NPROC },	    { "stack", RLIMIT_STACK },
		{ "as", RLIMIT_AS },	     { "memlock", RLIMIT_MEMLOCK }, { "core", RLIMIT_CORE },
	};
	char soft[24], hard[24];
	struct rlimit r;

	(void)c;
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		if (strcmp(limits[i].name, arg))
			continue;
		if (getrlimit(limits[i].id, &r))
			return -errno;
		return dn_env_print(out, cap, "%s %s", limit_text(r.rlim_cur, soft, sizeof(soft)),
				    limit_text(r.rlim_max, hard, sizeof(hard)));
	}
	return -EINVAL;
}

/* Only once the command runs: dn_environ_later. */
ssize_t dn_env_get_later(struct dn_env_ctx *c, const char *arg, char *out, size_t cap)
{
	(void)c;
	(void)arg;
	(void)out;
	(void)cap;
	return -EAGAIN;
}

/* --- the rows -------------------------------------------------------------------------------- */

/* A value of n bytes; none where n is below 0. */
static int send_fact(const struct dn_sink *sink, const char *key, const char *value, ssize_t n)
{
	struct dn_value v[DN_F_environment_N];

	dn_row_clear(v, DN_F_environment_N);
	v[DN_F_environment_key] = dn_str(key, strlen(key));
	if (n >= 0)
		v[DN_F_environment_value] = dn_str(value, (size_t)n);
	return dn_row_send(sink, DN_EV_environment, v, DN_F_environment_N);
}

int dn_environ_later(const char *key, uint64_t value, const struct dn_sink *sink)
{
	char text[24];

	return send_fact(sink, key, text, dn_env_print(text, sizeof(text), "%llu", (unsigned long long)value));
}

int dn_environ_emit(struct dn_environ_opts *opts, const struct dn_sink *sink)
{
	struct dn_env_ctx c = { .opts = opts, .real_root = !opts->root };
	char *value = malloc(VALUE_MAX);
	int err = 0;

	c.root = open(opts->root ? opts->root : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (c.root < 0) {
		err = -errno;
		goto out;
	}
	if (!value) {
		err = -ENOMEM;
		goto out;
	}
	for (size_t i = 0; !err && i < NKEYS; i++) {
		ssize_t n = getters[i](&c, keys[i].arg, value, VALUE_MAX);

		if (n != -EAGAIN)
			err = send_fact(sink, keys[i].key, value, n);
	}
out:
	if (c.root >= 0)
		close(c.root);
	free(value);
	return err;
}

/* --- the file header ------------------------------------------------------------------------------ */

static int read_random(uint8_t *p, size_t n)
{
	size_t have = 0;
	int fd;

	/* not blocking: early in a boot a weak id is better than none */
	if (getrandom(p, n, GRND_NONBLOCK) == (ssize_t)n)
		return 0;
	fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	while (have < n) {
		ssize_t k = read(fd, p + have, n - have);

		if (k <= 0 && !(k < 0 && errno == EINTR))
			break;
		have += k > 0 ? (size_t)k : 0;
	}
	close(fd);
	return have == n ? 0 : -EIO;
}

static void parse_uuid(const char *text, uint8_t uuid[DN_UUID_LEN])
{
	unsigned n = 0, v;

	while (n < DN_UUID_LEN && sscanf(text, "%2x", &v) == 1) {
		uuid[n++] = (uint8_t)v;
		text += 2;
		if (*text == '-')
			text++;
	}
	if (n < DN_UUID_LEN)
		memset(uuid, 0, DN_UUID_LEN);
}

/* The kernel's ABI, not that of this program: a 32-bit recorder may run on a
 * 64-bit kernel. */
static uint8_t host_abi(const char *machine)
{
	if (!strcmp(machine, "x86_64"))
		return DN_ABI_X86_64;
	if (!strcmp(machine, "aarch64") || !strcmp(machine, "aarch64_be"))
		return DN_ABI_AARCH64;
	if (machine[0] == 'i' && !strcmp(machine + 2, "86"))
		return DN_ABI_I386;
	return !strncmp(machine, "arm", 3) ? DN_ABI_ARM : DN_ABI_UNKNOWN;
}

int dn_environ_header(struct dn_file_header *h)
{
	struct dn_clocks clocks;
	struct utsname u;
	char text[64];
	ssize_t n;
	int err;

	memset(h, 0, sizeof(*h));
	h->major = DN_FORMAT_MAJOR;
	h->minor = DN_FORMAT_MINOR;
	err = read_random(h->uuid, sizeof(h->uuid));
	h->uuid[6] = (uint8_t)((h->uuid[6] & 0x0f) | 0x40);	/* RFC 4122: version 4 */
	h->uuid[8] = (uint8_t)((h->uuid[8] & 0x3f) | 0x80);	/* its variant */
	n = dn_read_file(AT_FDCWD, "/proc/sys/kernel/random/boot_id", text, sizeof(text) - 1);
	if (n > 0) {
		text[n] = '\0';
		parse_uuid(text, h->boot_id);
	}
	if (!uname(&u))
		h->native_abi = host_abi(u.machine);
	h->word_bits = h->native_abi == DN_ABI_X86_64 || h->native_abi == DN_ABI_AARCH64 ?
			       64 :
			       (uint8_t)(8 * sizeof(long));
	h->big_endian = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
	dn_clocks_read(&clocks);
	h->boot_ns = clocks.boot;
	h->wall_ns = clocks.wall;
	return err;
}
