/*
 * source.c - files, pipes and memory behind one reading by offset.
 *
 * A pipe keeps [base, base + len) in buf. Reading ahead appends, forgetting
 * moves base; the bytes are moved down only when more than half of the buffer
 * is forgotten, so that each byte moves a constant number of times.
 */
#include "source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIPE_CHUNK (256u << 10)

struct dn_source {
	char *name;
	int fd;			/* -1: memory */
	bool seekable;
	bool owned;		/* fd is ours to close */
	uint64_t size;		/* at the last look; of a pipe: bytes seen */
	/* Memory, or the window of a pipe. */
	const void *mem;
	uint8_t *buf;
	size_t begin, len, cap;	/* bytes at buf + begin */
	uint64_t base;		/* offset of the first of them */
	bool eof;
};

int dn_source_open(const char *path, struct dn_source **out)
{
	struct dn_source *s = calloc(1, sizeof(*s));
	bool standard = !strcmp(path, "-");
	struct stat st;
	int err = -ENOMEM;

	*out = NULL;
	if (!s)
		return -ENOMEM;
	s->fd = -1;
	s->name = strdup(standard ? "standard input" : path);
	if (!s->name)
		goto fail;
	s->fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (s->fd < 0 || fstat(s->fd, &st)) {
		err = -errno;
		goto fail;
	}
	s->owned = !standard;
	if (S_ISDIR(st.st_mode)) {
		err = -EISDIR;
		goto fail;
	}
	if (S_ISREG(st.st_mode)) {
		s->seekable = true;
		s->size = (uint64_t)st.st_size;
	}
	*out = s;
	return 0;
fail:
	if (s->fd >= 0 && !standard)
		close(s->fd);
	free(s->name);
	free(s);
	return err;
}

struct dn_source *dn_source_memory(const void *p, size_t len)
{
	struct dn_source *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->name = strdup("memory");
	if (!s->name) {
		free(s);
		return NULL;
	}
	s->fd = -1;
	s->mem = p ? p : "";
	s->size = len;
	s->seekable = true;
	return s;
}

void dn_source_close(struct dn_source *s)
{
	if (!s)
		return;
	if (s->owned)
		close(s->fd);
	free(s->buf);
	free(s->name);
	free(s);
}

const char *dn_source_name(const struct dn_source *s)
{
	return s->name;
}

bool dn_source_seekable(const struct dn_source *s)
{
	return s->seekable;
}

uint64_t dn_source_size(const struct dn_source *s)
{
	return s->size;
}

static long read_file(struct dn_source *s, uint64_t off, uint8_t *buf, size_t len)
{
	size_t done = 0;

	if (off > (uint64_t)INT64_MAX - len)
		return 0;
	while (done < len) {
		ssize_t n = pread(s->fd, buf + done, len - done, (off_t)(off + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			break;
		done += (size_t)n;
	}
	if (done && off + done > s->size)	/* it grows while we read */
		s->size = off + done;
	return (long)done;
}

/* Makes room for more bytes behind the window. */
static int pipe_room(struct dn_source *s, size_t more)
{
	size_t cap = s->cap ? s->cap : 2 * PIPE_CHUNK;
	uint8_t *p;

	if (s->begin + s->len + more <= s->cap)
		return 0;
	if (s->begin > s->len) {
		memmove(s->buf, s->buf + s->begin, s->len);
		s->begin = 0;
		if (s->len + more <= s->cap)
			return 0;
	}
	while (cap < s->begin + s->len + more)
		cap *= 2;
	p = realloc(s->buf, cap);
	if (!p)
		return -ENOMEM;
	s->buf = p;
	s->cap = cap;
	return 0;
}

static long read_pipe(struct dn_source *s, uint64_t off, void *buf, size_t len)
{
	size_t have;

	if (off < s->base)
		return -ESPIPE;
	while (!s->eof && s->base + s->len < off + len) {
		ssize_t n;

		if (pipe_room(s, PIPE_CHUNK))
			return -ENOMEM;
		n = read(s->fd, s->buf + s->begin + s->len, PIPE_CHUNK);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		s->eof = !n;
		s->len += (size_t)n;
		s->size = s->base + s->len;
	}
	if (off >= s->base + s->len)
		return 0;
	have = (size_t)(s->base + s->len - off);
	if (have > len)
		have = len;
	memcpy(buf, s->buf + s->begin + (size_t)(off - s->base), have);
	return (long)have;
}

long dn_source_read(struct dn_source *s, uint64_t off, void *buf, size_t len)
{
	if (s->mem) {
		if (off >= s->size)
			return 0;
		if (len > s->size - off)
			len = (size_t)(s->size - off);
		memcpy(buf, (const uint8_t *)s->mem + off, len);
		return (long)len;
	}
	return s->seekable ? read_file(s, off, buf, len) : read_pipe(s, off, buf, len);
}

void dn_source_forget(struct dn_source *s, uint64_t off)
{
	size_t n;

	if (s->seekable || off <= s->base)
		return;
	n = off - s->base < s->len ? (size_t)(off - s->base) : s->len;
	s->begin += n;
	s->len -= n;
	s->base += n;
}
