/*
 * elflines.c - which unit of the debug information an address belongs to, and the line
 * table of that unit.
 *
 * Units are found by the ranges they name themselves and not by .debug_aranges, which
 * not every compiler writes. Of ranges that overlap the one that begins last answers: what the
 * linker threw away mostly stands at address 0. Line tables are decoded by libdw where they
 * are asked for first.
 */
#include "elflines.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwelf.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "grow.h"
#include "spans.h"

struct range {
	uint64_t start;
	uint64_t end;
	Dwarf_Off unit;		/* its first entry */
};

struct dn_lines {
	int fd;
	Elf *elf;
	Dwarf *dwarf;
	struct range *range;	/* index: rank in piece */
	uint32_t nranges, ranges_cap;
	struct dn_piece *piece;
	size_t npieces;
	Elf_Data *tables;	/* .debug_line, unpacked */
	uint64_t *decoded;	/* offsets of line tables in it */
	uint32_t ndecoded, decoded_cap;
	uint64_t bytes;		/* of them */
};

bool dn_lines_built(void)
{
	return true;
}

/* What of a section libdw may keep; of a compressed one its size unpacked too. */
static uint64_t size_of(Elf_Scn *scn, const GElf_Shdr *h)
{
	GElf_Chdr packed;

	if (h->sh_type == SHT_NOBITS || h->sh_flags & SHF_ALLOC)
		return 0;
	if (!(h->sh_flags & SHF_COMPRESSED))
		return h->sh_size;
	if (h->sh_size > DN_LINES_READ_MAX || !gelf_getchdr(scn, &packed) || packed.ch_size > DN_LINES_READ_MAX)
		return UINT32_MAX;
	return h->sh_size + packed.ch_size;
}

/* 0, -E2BIG, -ENOTSUP. By sizes first: names are read out of a section themselves. */
static int within_limits(Elf *elf)
{
	uint64_t all = 0;
	GElf_Shdr h;
	size_t names;

	for (Elf_Scn *scn = NULL; (scn = elf_nextscn(elf, scn));) {
		uint64_t size = gelf_getshdr(scn, &h) ? size_of(scn, &h) : 0;

		if (size > DN_LINES_READ_MAX - all)
			return -E2BIG;
		all += size;
	}
	if (elf_getshdrstrndx(elf, &names))
		return -ENODATA;
	for (Elf_Scn *scn = NULL; (scn = elf_nextscn(elf, scn));) {
		const char *name = gelf_getshdr(scn, &h) ? elf_strptr(elf, names, h.sh_name) : NULL;

		/* GNU's older way to compress: the size unpacked is known to nobody before. */
		if (name && !strncmp(name, ".zdebug", 7))
			return -ENOTSUP;
	}
	return 0;
}

static int add_ranges(struct dn_lines *l, Dwarf_Die *unit)
{
	Dwarf_Addr base, start, end;
	ptrdiff_t at = 0;

	while ((at = dwarf_ranges(unit, at, &base, &start, &end)) > 0) {
		if (start >= end)
			continue;
		if (l->nranges >= DN_LINES_RANGES_MAX)
			return -E2BIG;
		if (dn_grow(&l->range, &l->ranges_cap, l->nranges + 1u, sizeof(*l->range)))
			return -ENOMEM;
		l->range[l->nranges++] = (struct range){ start, end, dwarf_dieoffset(unit) };
	}
	return 0;	/* damaged ones end here: the unit has no more */
}

static int by_start(const void *va, const void *vb)
{
	const struct range *a = va, *b = vb;

	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	if (a->end != b->end)
		return a->end > b->end ? -1 : 1;
	return (a->unit > b->unit) - (a->unit < b->unit);
}

static int index_units(struct dn_lines *l)
{
	struct dn_span *span;
	Dwarf_CU *unit = NULL;
	Dwarf_Die die;
	uint8_t type;
	uint32_t units = 0;
	int err = 0;

	while (!err && !dwarf_get_units(l->dwarf, unit, &unit, NULL, &type, &die, NULL))
		if (++units > DN_LINES_UNITS_MAX)
			err = -E2BIG;
		else if (type == DW_UT_compile || type == DW_UT_partial || type == DW_UT_skeleton)
			err = add_ranges(l, &die);
	if (err || !l->nranges)
		return err ? err : -ENODATA;
	qsort(l->range, l->nranges, sizeof(*l->range), by_start);
	span = calloc(l->nranges, sizeof(*span));
	if (!span)
		return -ENOMEM;
	for (uint32_t i = 0; i < l->nranges; i++)
		span[i] = (struct dn_span){ l->range[i].start, l->range[i].end, i };
	err = dn_spans_flatten(span, l->nranges, &l->piece, &l->npieces);
	free(span);
	return err;
}

/* libdw leaves a section unpacked that it has read. */
static Elf_Data *section(Elf *elf, const char *wanted)
{
	GElf_Shdr h;
	size_t names;

	if (elf_getshdrstrndx(elf, &names))
		return NULL;
	for (Elf_Scn *scn = NULL; (scn = elf_nextscn(elf, scn));) {
		const char *name = gelf_getshdr(scn, &h) ? elf_strptr(elf, names, h.sh_name) : NULL;

		if (name && !strcmp(name, wanted) && !(h.sh_flags & SHF_COMPRESSED))
			return elf_rawdata(scn, NULL);
	}
	return NULL;
}

/* The bytes of the line table at an offset; 0: there is none. DWARF 5, 7.4: unit_length. */
static uint64_t table_length(const struct dn_lines *l, uint64_t at)
{
	const size_t size = l->tables ? l->tables->d_size : 0;
	const unsigned char *p = l->tables ? l->tables->d_buf : NULL;
	const char *ident = elf_getident(l->elf, NULL);
	uint64_t n = 0;
	unsigned from = 0, width = 4;

	if (!p || at >= size || size - at < 12)
		return 0;
	if (p[at] == 0xff && p[at + 1] == 0xff && p[at + 2] == 0xff && p[at + 3] == 0xff) {
		from = 4;
		width = 8;
	}
	for (unsigned i = 0; i < width; i++)
		n = n << 8 | p[at + from + (ident[EI_DATA] == ELFDATA2MSB ? i : width - 1 - i)];
	return n > size - at ? size - at : n;
}

/* Whether the line table of a unit may be decoded, which it is once. */
static bool affords(struct dn_lines *l, Dwarf_Die *unit)
{
	Dwarf_Attribute attr;
	Dwarf_Word at;
	uint64_t n;

	if (dwarf_formudata(dwarf_attr(unit, DW_AT_stmt_list, &attr), &at))
		return false;
	for (uint32_t i = l->ndecoded; i-- > 0;)
		if (l->decoded[i] == at)
			return true;
	n = table_length(l, at);
	if (!n || n > DN_LINES_TABLES_MAX - l->bytes || dn_grow(&l->decoded, &l->decoded_cap, l->ndecoded + 1u, sizeof(at)))
		return false;
	l->decoded[l->ndecoded++] = at;
	l->bytes += n;
	return true;
}

/* libdw goes on with nothing after this. */
__attribute__((noreturn)) static void no_memory(void)	/* clang takes no _Noreturn for it */
{
	fputs("there is not enough memory for source lines; leave out --lines\n", stderr);
	exit(1);
}

static int read_file(struct dn_lines *l)
{
	const char *path;
	const void *id;
	int err;

	elf_version(EV_CURRENT);
	l->elf = elf_begin(l->fd, ELF_C_READ, NULL);
	if (!l->elf || elf_kind(l->elf) != ELF_K_ELF)
		return -ENOEXEC;
	err = within_limits(l->elf);
	if (err)
		return err;
	l->dwarf = dwarf_begin_elf(l->elf, DWARF_C_READ, NULL);
	if (!l->dwarf)
		return -ENODATA;
	/* libdw would open the other file by itself, wherever its name leads. */
	if (dwelf_dwarf_gnu_debugaltlink(l->dwarf, &path, &id))
		return -ENOTSUP;
	dwarf_new_oom_handler(l->dwarf, no_memory);
	err = index_units(l);
	l->tables = section(l->elf, ".debug_line");
	return err;
}

struct dn_lines *dn_lines_open(int fd)
{
	struct dn_lines *l = calloc(1, sizeof(*l));
	int err = 0;

	if (!l)
		return NULL;
	l->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	err = l->fd < 0 ? -errno : read_file(l);
	if (!err)
		return l;
	dn_lines_free(l);
	errno = -err;
	return NULL;
}

bool dn_lines_find(struct dn_lines *l, uint64_t addr, struct dn_line *out)
{
	uint32_t i = dn_pieces_find(l->piece, l->npieces, addr);
	Dwarf_Line *line;
	const char *file;
	Dwarf_Die unit;
	int number;

	if (i == DN_SPAN_NONE || !dwarf_offdie(l->dwarf, l->range[i].unit, &unit) || !affords(l, &unit))
		return false;
	line = dwarf_getsrc_die(&unit, addr);
	if (!line || dwarf_lineno(line, &number) || number <= 0)	/* line 0: no line of anything */
		return false;
	file = dwarf_linesrc(line, NULL, NULL);
	if (!file || !*file || strnlen(file, DN_LINES_PATH_MAX) == DN_LINES_PATH_MAX)
		return false;
	*out = (struct dn_line){ file, (uint32_t)number };
	return true;
}

void dn_lines_free(struct dn_lines *l)
{
	if (!l)
		return;
	dwarf_end(l->dwarf);
	elf_end(l->elf);
	if (l->fd >= 0)
		close(l->fd);
	free(l->range);
	free(l->piece);
	free(l->decoded);
	free(l);
}
