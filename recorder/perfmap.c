/*
 * perfmap.c - the lines where they were read to, their ranges flattened with the number of the line as
 * rank. JDKs write their numbers with 0x (Compiler.perfmap), all others without.
 */
#include "perfmap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "grow.h"
#include "slurp.h"
#include "spans.h"

struct entry {
	uint64_t start;
	uint64_t size;
	uint32_t name;
};

struct dn_perfmap {
	char *text;
	struct entry *entry;	/* in the order of the file; index: rank in piece */
	uint32_t n;
	uint32_t cap;
	struct dn_piece *piece;
	size_t npiece;
};

int dn_perfmap_fd(const char *root, pid_t nspid, uid_t owner)
{
	int top, tmp = -1, fd = -1, err = 0;
	char name[32];
	struct stat st;

	snprintf(name, sizeof(name), "perf-%d.map", (int)nspid);
	/* root itself is a link of proc. */
	top = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (top >= 0)
		tmp = openat(top, "tmp", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	/* O_NONBLOCK: without it, to open a FIFO is to wait for its writer. */
	if (tmp >= 0)
		fd = openat(tmp, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st))
		err = -errno;
	else if (!S_ISREG(st.st_mode) || !st.st_size || (st.st_uid != owner && st.st_uid))
		err = -EPERM;	/* without a size: empty, or one of proc that is mounted there */
	if (top >= 0)
		close(top);
	if (tmp >= 0)
		close(tmp);
	if (err && fd >= 0)
		close(fd);
	return err ? err : fd;
}

/* A number in hex and the blank after it; false: there is none, or one beyond 64 bits. */
static bool number(const char **p, const char *end, uint64_t *v)
{
	const char *q = *p;
	unsigned digits = 0;

	if (end - q > 2 && q[0] == '0' && (q[1] == 'x' || q[1] == 'X'))
		q += 2;
	*v = 0;
	for (; q < end && *q != ' '; q++) {
		char c = *q | 0x20;
		int d = *q >= '0' && *q <= '9' ? *q - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;

		if (d < 0 || *v >> 60)
			return false;
		*v = *v << 4 | (unsigned)d;
		digits++;
	}
	if (!digits || q == end)
		return false;
	*p = q + 1;
	return true;
}

static int read_lines(struct dn_perfmap *m, size_t len)
{
	char *stop, *end = m->text + len;

	for (char *p = m->text; p < end; p = stop + 1) {
		const char *q = p;
		struct entry e;

		stop = memchr(p, '\n', (size_t)(end - p));
		if (!stop)
			break;
		if (!number(&q, stop, &e.start) || !number(&q, stop, &e.size) || !e.size ||
		    e.start + e.size < e.start || q == stop || stop - q > DN_PERFMAP_NAME_MAX)
			continue;
		if (m->n >= DN_PERFMAP_LINES_MAX)
			return -E2BIG;
		if (dn_grow(&m->entry, &m->cap, m->n + 1u, sizeof(e)))
			return -ENOMEM;
		*stop = 0;
		e.name = (uint32_t)(q - m->text);
		m->entry[m->n++] = e;
	}
	return 0;
}

struct dn_perfmap *dn_perfmap_read(int fd)
{
	struct dn_perfmap *m = calloc(1, sizeof(*m));
	struct dn_span *span = NULL;
	int err = -ENOMEM;
	size_t len;

	if (!m)
		goto out;
	err = dn_slurp(fd, DN_PERFMAP_FILE_MAX, &m->text, &len);
	if (!err)
		err = read_lines(m, len);
	if (err)
		goto out;
	span = calloc(m->n ? m->n : 1, sizeof(*span));
	if (!span) {
		err = -ENOMEM;
		goto out;
	}
	for (uint32_t i = 0; i < m->n; i++)
		span[i] = (struct dn_span){ m->entry[i].start, m->entry[i].start + m->entry[i].size, i };
	err = dn_spans_flatten(span, m->n, &m->piece, &m->npiece);
out:
	free(span);
	if (err) {
		dn_perfmap_free(m);
		m = NULL;
		errno = -err;
	}
	return m;
}

bool dn_perfmap_find(const struct dn_perfmap *m, uint64_t address, struct dn_perfmap_name *out)
{
	uint64_t from, to;
	uint32_t i = dn_pieces_around(m->piece, m->npiece, address, &from, &to);

	if (i == DN_SPAN_NONE)
		return false;
	*out = (struct dn_perfmap_name){ m->entry[i].start, m->entry[i].size, m->text + m->entry[i].name, from, to };
	return true;
}

size_t dn_perfmap_count(const struct dn_perfmap *m)
{
	return m->n;
}

void dn_perfmap_free(struct dn_perfmap *m)
{
	if (!m)
		return;
	free(m->text);
	free(m->entry);
	free(m->piece);
	free(m);
}
