/*
 * status.c - the line on the terminal that shows how a recording goes.
 */
#include "status.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "human.h"

#define COLUMNS_DEFAULT 80
#define TEXT_SIZE 256
#define DRAW_NS 100000000u
/* The rate is of the last second or so: over shorter times it flickers. */
#define RATE_NS 1000000000u

struct dn_status {
	int fd;
	bool drawn;
	uint64_t drawn_ns;
	/* two earlier states; the rate is counted from the older one */
	struct {
		uint64_t ns, events;
	} older, newer;
};

struct dn_status *dn_status_new(int fd)
{
	const char *term = getenv("TERM");
	struct dn_status *s;

	if (!isatty(fd) || (term && !strcmp(term, "dumb"))) {
		errno = ENOTTY;
		return NULL;
	}
	s = calloc(1, sizeof(*s));
	if (s)
		s->fd = fd;
	return s;
}

/* Not in the background, and the terminal takes bytes now. */
static bool may_write(const struct dn_status *s)
{
	struct pollfd p = { .fd = s->fd, .events = POLLOUT };
	pid_t group = tcgetpgrp(s->fd);

	if (group >= 0 && group != getpgrp())
		return false;
	return poll(&p, 1, 0) == 1 && (p.revents & POLLOUT);
}

static unsigned columns(int fd)
{
	struct winsize w;

	return !ioctl(fd, TIOCGWINSZ, &w) && w.ws_col ? w.ws_col : COLUMNS_DEFAULT;
}

static void put(int fd, const char *text, size_t n)
{
	while (n) {
		ssize_t k = write(fd, text, n);

		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)	/* a hung-up terminal is no reason to stop */
			return;
		text += k;
		n -= (size_t)k;
	}
}

/* Adds a field where it fits, after two blanks. */
static bool add(char *buf, size_t cap, const char *field)
{
	size_t len = strlen(buf), n = strlen(field);

	if (len + (len ? 2 : 0) + n >= cap)
		return false;
	memcpy(buf + len, "  ", len ? 2 : 0);
	memcpy(buf + len + (len ? 2 : 0), field, n + 1);
	return true;
}

char *dn_status_text(char *buf, size_t cap, unsigned width, const struct dn_status_numbers *n,
		     uint64_t events_before, uint64_t ns_before)
{
	char a[DN_HUMAN_SIZE], b[DN_HUMAN_SIZE], field[5][2 * DN_HUMAN_SIZE];
	uint64_t events = n->events > events_before ? n->events - events_before : 0;
	uint64_t ns = n->elapsed_ns > ns_before ? n->elapsed_ns - ns_before : 0;
	unsigned fields = 0;

	snprintf(field[fields++], sizeof(field[0]), "%s", dn_human_ns(a, sizeof(a), n->elapsed_ns));
	snprintf(field[fields++], sizeof(field[0]), "%s events (%s)",
		 dn_human_count(a, sizeof(a), n->events), dn_human_rate(b, sizeof(b), events, ns));
	snprintf(field[fields++], sizeof(field[0]), "%s lost", dn_human_count(a, sizeof(a), n->lost));
	snprintf(field[fields++], sizeof(field[0]), "%s", dn_human_bytes(a, sizeof(a), n->bytes));
	if (n->processes)
		snprintf(field[fields++], sizeof(field[0]), "%s process%s",
			 dn_human_count(a, sizeof(a), n->processes), n->processes == 1 ? "" : "es");
	/* the last column stays free: some terminals wrap when it is written */
	if (cap > width)
		cap = width;
	if (!cap)
		return buf;
	buf[0] = '\0';
	for (unsigned i = 0; i < fields && add(buf, cap, field[i]); i++)
		;
	return buf;
}

void dn_status_show(struct dn_status *s, const struct dn_status_numbers *n)
{
	char line[TEXT_SIZE + 8] = "\r";

	if (!s || (s->drawn && n->elapsed_ns - s->drawn_ns < DRAW_NS) || !may_write(s))
		return;
	dn_status_text(line + 1, TEXT_SIZE, columns(s->fd), n, s->older.events, s->older.ns);
	/* clear to the end of the line: what was there may have been longer */
	strcat(line, "\033[K");
	put(s->fd, line, strlen(line));
	s->drawn = true;
	s->drawn_ns = n->elapsed_ns;
	if (n->elapsed_ns - s->newer.ns >= RATE_NS) {
		s->older = s->newer;
		s->newer.ns = n->elapsed_ns;
		s->newer.events = n->events;
	}
}

void dn_status_clear(struct dn_status *s)
{
	if (!s || !s->drawn || !may_write(s))
		return;
	put(s->fd, "\r\033[K", 4);
	s->drawn = false;
}

void dn_status_free(struct dn_status *s)
{
	dn_status_clear(s);
	free(s);
}
