/*
 * count.c - the table of system calls that `denet-record -c` prints.
 *
 * One cell for each ABI and number below DN_NR_MAX, and one more for each ABI
 * with whatever lies beyond (arm's private calls, nonsense numbers): no
 * look-up, no allocation for a call. Untouched pages of the table cost nothing.
 */
#include "count.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "names.h"
#include "syscalls.h"

#define CELLS (DN_NR_MAX + 1)		/* of an ABI; the last is "other" */

struct cell {
	uint64_t calls, errors, ns;
};

struct dn_count {
	enum dn_abi native;
	struct cell cell[DN_ABI_MAX][CELLS];
};

struct dn_count *dn_count_new(enum dn_abi native)
{
	struct dn_count *c = calloc(1, sizeof(*c));

	if (c)
		c->native = native;
	return c;
}

void dn_count_free(struct dn_count *c)
{
	free(c);
}

static struct cell *cell_of(struct dn_count *c, unsigned abi, uint32_t nr)
{
	return &c->cell[abi < DN_ABI_MAX ? abi : DN_ABI_UNKNOWN][nr < DN_NR_MAX ? nr : DN_NR_MAX];
}

/* Codes by which the kernel makes a call again are no failure. */
static bool failed(int64_t ret)
{
	return ret < 0 && ret >= -4095 && !dn_errno_is_restart((unsigned)-ret);
}

void dn_count_call(struct dn_count *c, const struct dn_syscall *s)
{
	struct cell *cell = cell_of(c, s->abi, s->nr);

	cell->calls++;
	if (s->flags & DN_CALL_UNFINISHED)
		return;
	cell->errors += failed(s->ret);
	if (!(s->flags & DN_CALL_NO_ENTER))
		cell->ns += s->dur;
}

void dn_count_lost(struct dn_count *c, enum dn_abi abi, uint32_t nr, uint64_t calls, uint64_t ns)
{
	struct cell *cell = cell_of(c, abi, nr);

	cell->calls += calls;
	cell->ns += ns;
}

/* --- the table ------------------------------------------------------------------ */

struct line {
	const struct cell *cell;
	unsigned abi, nr;
};

static int by_time(const void *a, const void *b)
{
	const struct line *x = a, *y = b;

	if (x->cell->ns != y->cell->ns)
		return x->cell->ns < y->cell->ns ? 1 : -1;
	if (x->cell->calls != y->cell->calls)
		return x->cell->calls < y->cell->calls ? 1 : -1;
	if (x->abi != y->abi)
		return x->abi < y->abi ? -1 : 1;
	return x->nr < y->nr ? -1 : 1;
}

static void print_line(FILE *out, const struct cell *cell, uint64_t all_ns, const char *name,
		       const char *abi)
{
	/* whole numbers: the decimal point must not follow the locale */
	unsigned share = all_ns ? (unsigned)(1e4 * (double)cell->ns / (double)all_ns + 0.5) : 0;
	uint64_t us = cell->ns / 1000;
	char errors[24] = "";

	if (cell->errors)
		snprintf(errors, sizeof(errors), "%" PRIu64, cell->errors);
	fprintf(out, "%3u.%02u %4" PRIu64 ".%06" PRIu64 " %11" PRIu64 " %9" PRIu64 " %9s %s%s%s%s\n",
		share / 100, share % 100, us / 1000000, us % 1000000,
		cell->calls ? us / cell->calls : 0, cell->calls, errors, name, abi ? " [" : "",
		abi ? abi : "", abi ? "]" : "");
}

static void print_rule(FILE *out)
{
	fputs("------ ----------- ----------- --------- --------- ----------------\n", out);
}

int dn_count_print(const struct dn_count *c, FILE *out)
{
	struct line *lines = malloc((size_t)DN_ABI_MAX * CELLS * sizeof(*lines));
	char buf[DN_SYSCALL_NAME_SIZE];
	struct cell total = { 0 };
	size_t n = 0;

	if (!lines)
		return -ENOMEM;
	for (unsigned abi = 0; abi < DN_ABI_MAX; abi++) {
		for (unsigned nr = 0; nr < CELLS; nr++) {
			const struct cell *cell = &c->cell[abi][nr];

			if (!cell->calls)
				continue;
			lines[n++] = (struct line){ cell, abi, nr };
			total.calls += cell->calls;
			total.errors += cell->errors;
			total.ns += cell->ns;
		}
	}
	if (n)
		qsort(lines, n, sizeof(*lines), by_time);

	errno = 0;
	fputs("% time     seconds  usecs/call     calls    errors syscall\n", out);
	print_rule(out);
	for (size_t i = 0; i < n; i++)
		print_line(out, lines[i].cell, total.ns,
			   lines[i].nr == DN_NR_MAX ?
				   "(other)" :
				   dn_syscall_name((enum dn_abi)lines[i].abi, lines[i].nr, buf),
			   lines[i].abi == c->native ? NULL : dn_abi_name(lines[i].abi));
	print_rule(out);
	print_line(out, &total, total.ns, "total", NULL);
	free(lines);
	if (ferror(out))
		return errno ? -errno : -EIO;
	return 0;
}
