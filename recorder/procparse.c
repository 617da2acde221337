/*
 * procparse.c - parsers of the text files of /proc.
 *
 * Everything goes through a cursor that cannot pass the end of the text. Files
 * of "Name: value" lines are read through tables of {name, unit, place}; files
 * of columns, column by column. A column that is no number leaves its figure
 * unmeasured without moving the others.
 */
#include "procparse.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "row.h"

struct text {
	const char *p, *end;
};

static struct text text_of(const char *p, size_t len)
{
	return (struct text){ p, p + len };
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static void skip_blanks(struct text *t)
{
	while (t->p < t->end && is_blank(*t->p))
		t->p++;
}

/* The next run of anything but blanks and newlines; empty at the end of the line. */
static struct text next_word(struct text *t)
{
	struct text w;

	skip_blanks(t);
	w.p = t->p;
	while (t->p < t->end && !is_blank(*t->p) && *t->p != '\n')
		t->p++;
	w.end = t->p;
	return w;
}

/* The next line without its newline; false at the end. */
static bool next_line(struct text *t, struct text *line)
{
	const char *nl;

	if (t->p >= t->end)
		return false;
	nl = memchr(t->p, '\n', (size_t)(t->end - t->p));
	line->p = t->p;
	line->end = nl ? nl : t->end;
	t->p = nl ? nl + 1 : t->end;
	return true;
}

static int digit_of(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 16;
}

/* The number that begins at the cursor, which moves past its digits. False:
 * there is none, or it does not fit (the cursor still moves). */
static bool take_number(struct text *t, unsigned base, uint64_t *out)
{
	const char *from = t->p;
	uint64_t v = 0;
	bool fits = true;

	for (; t->p < t->end && (unsigned)digit_of(*t->p) < base; t->p++) {
		unsigned d = (unsigned)digit_of(*t->p);

		if (v > (UINT64_MAX - d) / base)
			fits = false;
		v = v * base + d;
	}
	if (t->p == from || !fits)
		return false;
	*out = v;
	return true;
}

/* The next column as a number. */
static uint64_t next_number(struct text *t)
{
	struct text w = next_word(t);
	uint64_t v;

	return take_number(&w, 10, &v) && w.p == w.end ? v : DN_UNMEASURED;
}

static void skip_words(struct text *t, unsigned n)
{
	while (n--)
		next_word(t);
}

static bool starts_with(struct text t, const char *s)
{
	size_t n = strlen(s);

	return (size_t)(t.end - t.p) >= n && !memcmp(t.p, s, n);
}

static bool take(struct text *t, const char *s)
{
	if (!starts_with(*t, s))
		return false;
	t->p += strlen(s);
	return true;
}

uint64_t dn_scale(uint64_t n, uint64_t unit)
{
	return n == DN_UNMEASURED || n > UINT64_MAX / unit ? DN_UNMEASURED : n * unit;
}

/* --- files of "Name: value" lines ------------------------------------------ */

struct key {
	const char *name;	/* with its colon */
	size_t place;		/* of a uint64_t in the result */
	uint16_t unit;
	uint8_t base;
};

static void parse_keys(const char *p, size_t len, const struct key *keys, size_t nkeys, void *out)
{
	struct text t = text_of(p, len), line;

	for (size_t i = 0; i < nkeys; i++)
		*(uint64_t *)((char *)out + keys[i].place) = DN_UNMEASURED;
	while (next_line(&t, &line)) {
		for (size_t i = 0; i < nkeys; i++) {
			struct text l = line;
			uint64_t v;

			if (!take(&l, keys[i].name))
				continue;
			skip_blanks(&l);
			/* a digit at the very end of the text may have lost its
			 * successors: a line counts only with its newline */
			if (line.end == p + len)
				break;
			if (take_number(&l, keys[i].base, &v))
				*(uint64_t *)((char *)out + keys[i].place) =
					dn_scale(v, keys[i].unit);
			break;
		}
	}
}

#define N(array) (sizeof(array) / sizeof((array)[0]))

void dn_parse_pid_io(const char *p, size_t len, struct dn_pid_io *out)
{
#define KEY(name) { #name ":", offsetof(struct dn_pid_io, name), 1, 10 }
	static const struct key keys[] = {
		KEY(rchar), KEY(wchar), KEY(syscr), KEY(syscw),
		KEY(read_bytes), KEY(write_bytes), KEY(cancelled_write_bytes),
	};
#undef KEY
	parse_keys(p, len, keys, N(keys), out);
}

void dn_parse_pid_status(const char *p, size_t len, struct dn_pid_status *out)
{
	static const struct key keys[] = {
		{ "voluntary_ctxt_switches:", offsetof(struct dn_pid_status, nvcsw), 1, 10 },
		{ "nonvoluntary_ctxt_switches:", offsetof(struct dn_pid_status, nivcsw), 1, 10 },
		{ "VmHWM:", offsetof(struct dn_pid_status, peak), 1024, 10 },
	};
	struct text t = text_of(p, len), line;

	parse_keys(p, len, keys, N(keys), out);
	out->euid = out->egid = DN_UNMEASURED;
	while (next_line(&t, &line)) {	/* real, effective, saved, of the file system */
		bool user = take(&line, "Uid:");

		if (!user && !take(&line, "Gid:"))
			continue;
		skip_words(&line, 1);
		*(user ? &out->euid : &out->egid) = next_number(&line);
	}
}

/* "151624 0 3": on a CPU, waiting for one, how often. All are 0 where the
 * kernel does not count. */
void dn_parse_pid_schedstat(const char *p, size_t len, struct dn_pid_schedstat *out)
{
	struct text t = text_of(p, len);
	uint64_t slices;

	out->runtime = next_number(&t);
	out->delay = next_number(&t);
	slices = next_number(&t);
	if (!slices || slices == DN_UNMEASURED)
		out->runtime = out->delay = DN_UNMEASURED;
}

void dn_parse_pid_fdinfo(const char *p, size_t len, struct dn_pid_fdinfo *out)
{
	static const struct key keys[] = {
		{ "pos:", offsetof(struct dn_pid_fdinfo, pos), 1, 10 },
		{ "flags:", offsetof(struct dn_pid_fdinfo, flags), 1, 8 },
	};

	parse_keys(p, len, keys, N(keys), out);
}

void dn_parse_meminfo(const char *p, size_t len, struct dn_meminfo *out)
{
#define KEY(name, field) { name, offsetof(struct dn_meminfo, field), 1024, 10 }
	static const struct key keys[] = {
		KEY("MemTotal:", total), KEY("MemFree:", free),
		KEY("MemAvailable:", available), KEY("Cached:", cached),
		KEY("SwapTotal:", swap_total), KEY("SwapFree:", swap_free),
	};
#undef KEY
	parse_keys(p, len, keys, N(keys), out);
}

/* --- a process -------------------------------------------------------------- */

int dn_parse_pid_stat(const char *p, size_t len, struct dn_pid_stat *out)
{
	struct text t = text_of(p, len), state;
	const char *close = memrchr(p, ')', len);

	memset(out, 0, sizeof(*out));
	out->cpu = out->exit_code = DN_UNMEASURED;
	if (!take_number(&t, 10, &out->pid) || !take(&t, " (") || !close || close < t.p)
		return -EBADMSG;
	out->comm = t.p;
	out->comm_len = (size_t)(close - t.p);
	t.p = close + 1;

	state = next_word(&t);
	if (state.end - state.p != 1)
		return -EBADMSG;
	out->state = *state.p;
	out->ppid = next_number(&t);
	skip_words(&t, 5);		/* pgrp session tty_nr tpgid flags */
	out->minflt = next_number(&t);
	out->cminflt = next_number(&t);
	out->majflt = next_number(&t);
	skip_words(&t, 1);		/* cmajflt */
	out->utime = next_number(&t);
	out->stime = next_number(&t);
	skip_words(&t, 4);		/* cutime cstime priority nice */
	out->threads = next_number(&t);
	skip_words(&t, 1);		/* itrealvalue */
	out->start = next_number(&t);
	out->vsize = next_number(&t);
	out->rss = next_number(&t);
	/* a text cut off in the middle of rss would give a wrong number */
	if (t.p == t.end || out->start == DN_UNMEASURED)
		return -EBADMSG;
	skip_words(&t, 3);		/* rsslim startcode endcode */
	out->stack = next_number(&t);
	skip_words(&t, 10);		/* kstkesp .. exit_signal */
	out->cpu = next_number(&t);
	if (t.p == t.end)
		out->cpu = out->stack = DN_UNMEASURED;
	skip_words(&t, 12);		/* rt_priority .. env_end */
	out->exit_code = next_number(&t);
	if (t.p == t.end)
		out->exit_code = DN_UNMEASURED;
	return 0;
}

int dn_parse_pid_statm(const char *p, size_t len, struct dn_pid_statm *out)
{
	struct text t = text_of(p, len);

	out->size = next_number(&t);
	out->resident = next_number(&t);
	out->shared = next_number(&t);
	if (t.p == t.end || out->size == DN_UNMEASURED || out->resident == DN_UNMEASURED)
		return -EBADMSG;
	return 0;
}

/* 55d0c8a4e000-55d0c8a50000 r-xp 00002000 fe:00 1234          /usr/bin/cat */
int dn_parse_pid_map(const char *p, size_t len, struct dn_pid_map *out)
{
	struct text t = text_of(p, len), prot, dev;
	uint64_t minor;

	memset(out, 0, sizeof(*out));
	if (!take_number(&t, 16, &out->start) || !take(&t, "-") ||
	    !take_number(&t, 16, &out->end) || out->end < out->start)
		return -EBADMSG;
	prot = next_word(&t);
	if (prot.end - prot.p < 4)
		return -EBADMSG;
	out->prot = (prot.p[0] == 'r' ? PROT_READ : 0) | (prot.p[1] == 'w' ? PROT_WRITE : 0) |
		    (prot.p[2] == 'x' ? PROT_EXEC : 0);
	out->shared = prot.p[3] == 's';
	skip_blanks(&t);
	if (!take_number(&t, 16, &out->offset))
		return -EBADMSG;
	dev = next_word(&t);
	if (!take_number(&dev, 16, &out->dev) || !take(&dev, ":") || !take_number(&dev, 16, &minor))
		return -EBADMSG;
	out->dev = out->dev << 20 | minor;
	out->inode = next_number(&t);
	if (out->inode == DN_UNMEASURED)
		return -EBADMSG;
	skip_blanks(&t);
	out->path = t.p;
	out->path_len = (size_t)(t.end - t.p);
	if (out->path_len && out->path[out->path_len - 1] == '\n')
		out->path_len--;
	return 0;
}

size_t dn_cmdline_len(const char *p, size_t len)
{
	size_t n = len;

	while (n && !p[n - 1])
		n--;
	return len - n <= 2 ? len : n + 1;
}

size_t dn_unescape_map_path(char *p, size_t len)
{
	size_t to = 0;

	for (size_t i = 0; i < len; i++) {
		if (len - i >= 4 && !memcmp(p + i, "\\012", 4)) {
			p[to++] = '\n';
			i += 3;
		} else {
			p[to++] = p[i];
		}
	}
	return to;
}

/* --- the host ---------------------------------------------------------------- */

/* "12.34" in thousandths */
static uint64_t next_milli(struct text *t)
{
	struct text w = next_word(t);
	uint64_t whole, part = 0;

	if (!take_number(&w, 10, &whole))
		return DN_UNMEASURED;
	if (take(&w, "."))
		for (uint64_t unit = 100; unit && w.p < w.end && is_digit(*w.p); unit /= 10, w.p++)
			part += (uint64_t)(*w.p - '0') * unit;
	whole = dn_scale(whole, 1000);
	return whole == DN_UNMEASURED ? whole : whole + part;
}

/* 0.08 0.03 0.01 2/92 9093 */
int dn_parse_loadavg(const char *p, size_t len, struct dn_loadavg *out)
{
	struct text t = text_of(p, len), w;

	out->running = out->tasks = DN_UNMEASURED;
	out->load1 = next_milli(&t);
	out->load5 = next_milli(&t);
	out->load15 = next_milli(&t);
	if (out->load1 == DN_UNMEASURED || out->load15 == DN_UNMEASURED)
		return -EBADMSG;
	w = next_word(&t);
	if (!take_number(&w, 10, &out->running) || !take(&w, "/") ||
	    !take_number(&w, 10, &out->tasks))
		return -EBADMSG;
	return 0;
}

/* some avg10=0.00 avg60=0.00 avg300=0.00 total=1234, in microseconds */
void dn_parse_psi(const char *p, size_t len, struct dn_psi *out)
{
	struct text t = text_of(p, len), line;

	out->some = out->full = DN_UNMEASURED;
	while (next_line(&t, &line)) {
		bool some = starts_with(line, "some "), full = starts_with(line, "full ");

		while ((some || full) && line.p < line.end) {
			struct text w = next_word(&line);
			uint64_t v;

			if (take(&w, "total=") && take_number(&w, 10, &v))
				*(some ? &out->some : &out->full) = dn_scale(v, 1000);
		}
	}
}

void dn_host_cpu_clear(struct dn_host_cpu *out)
{
	memset(out, 0xff, sizeof(*out));	/* every field DN_UNMEASURED */
}

void dn_parse_host_stat_line(const char *p, size_t len, struct dn_host_cpu *out)
{
	struct text t = text_of(p, len);

	if (take(&t, "cpu ")) {
		out->user = next_number(&t);
		out->nice = next_number(&t);
		out->system = next_number(&t);
		out->idle = next_number(&t);
		out->iowait = next_number(&t);
		out->irq = next_number(&t);
		out->softirq = next_number(&t);
		out->steal = next_number(&t);
	} else if (take(&t, "ctxt ")) {
		out->ctxt = next_number(&t);
	}
}

/*   eth0: 40219306    1091    0    0    0     0          0         0    50783 ...
 * Old kernels leave no blank after the colon. */
int dn_parse_net_dev(const char *p, size_t len, struct dn_net_dev *out)
{
	struct text t = text_of(p, len);
	const char *colon;

	skip_blanks(&t);
	colon = memchr(t.p, ':', (size_t)(t.end - t.p));
	if (!colon || colon == t.p)
		return -EBADMSG;
	out->name = t.p;
	out->name_len = (size_t)(colon - t.p);
	t.p = colon + 1;
	out->rx_bytes = next_number(&t);
	out->rx_packets = next_number(&t);
	out->rx_errors = next_number(&t);
	out->rx_dropped = next_number(&t);
	skip_words(&t, 4);		/* fifo frame compressed multicast */
	out->tx_bytes = next_number(&t);
	out->tx_packets = next_number(&t);
	out->tx_errors = next_number(&t);
	out->tx_dropped = next_number(&t);
	return out->rx_bytes == DN_UNMEASURED && out->tx_bytes == DN_UNMEASURED ? -EBADMSG : 0;
}

/*  254       0 vda 35175 9353 3536738 16976 7391 8577 556336 2691 0 7072 20154 ... */
int dn_parse_disk(const char *p, size_t len, struct dn_disk *out)
{
	struct text t = text_of(p, len), name;

	out->major = next_number(&t);
	out->minor = next_number(&t);
	name = next_word(&t);
	if (out->major == DN_UNMEASURED || out->minor == DN_UNMEASURED || name.p == name.end)
		return -EBADMSG;
	out->name = name.p;
	out->name_len = (size_t)(name.end - name.p);
	out->reads = next_number(&t);
	skip_words(&t, 1);		/* merged */
	out->read_sectors = next_number(&t);
	out->read_ms = next_number(&t);
	out->writes = next_number(&t);
	skip_words(&t, 1);
	out->write_sectors = next_number(&t);
	out->write_ms = next_number(&t);
	out->in_flight = next_number(&t);
	out->busy_ms = next_number(&t);
	return out->reads == DN_UNMEASURED ? -EBADMSG : 0;
}
