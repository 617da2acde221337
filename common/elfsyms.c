/*
 * elfsyms.c - collecting the symbols of files and putting them in order.
 *
 * A file is read in three steps. Its symbols are collected with their virtual addresses, together
 * with the addresses of everything else in executable sections (marks), where a symbol
 * without a size must end. Then addresses become file offsets, by the program headers of
 * the mapped file; those of a debug file say nothing of where code is. At last all
 * symbols are put in order, the one that rather answers last, and flattened (spans.h).
 */
#include "elfsyms_int.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>

#include "spans.h"

/* The one that rather answers comes last: it gets the highest rank. */
static int by_rank(const void *va, const void *vb)
{
	const struct sym *a = va, *b = vb;
	uint64_t la = a->end - a->start, lb = b->end - b->start;

	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	if (a->good != b->good)
		return a->good < b->good ? -1 : 1;
	if (la != lb)
		return la < lb ? -1 : 1;
	return (a->order < b->order) - (a->order > b->order);
}

/* Takes new, also after an error, as what s answers from. */
static int settle(struct dn_elfsyms *s, struct syms *new)
{
	struct dn_span *span = calloc(new->n ? new->n : 1, sizeof(*span));
	struct dn_piece *piece = NULL;
	size_t n = 0;
	int err = -ENOMEM;

	if (!span)
		goto out;
	if (new->n)
		qsort(new->sym, new->n, sizeof(*new->sym), by_rank);
	for (uint32_t i = 0; i < new->n; i++)
		span[i] = (struct dn_span){ new->sym[i].start, new->sym[i].end, i };
	err = dn_spans_flatten(span, new->n, &piece, &n);
	if (err)
		goto out;
	free(s->syms.sym);
	free(s->piece);
	s->syms = *new;
	s->piece = piece;
	s->npiece = n;
	*new = (struct syms){ 0 };
out:
	free(span);
	free(new->sym);
	return err;
}

/* --- opening ------------------------------------------------------------------ */

static int by_addr(const void *va, const void *vb)
{
	const struct segment *a = va, *b = vb;

	return a->addr != b->addr ? (a->addr > b->addr) - (a->addr < b->addr) :
				    (a->size > b->size) - (a->size < b->size);
}

/* Whether all code was left out: a debug file. */
static bool lacks_code(const struct dn_elfread *f)
{
	bool any = false;

	for (size_t i = 1; i < f->sections.n; i++) {
		GElf_Shdr h = dn_elfread_section(f, i);

		if (!(h.sh_flags & SHF_EXECINSTR))
			continue;
		if (h.sh_type != SHT_NOBITS)
			return false;
		any = true;
	}
	return any;
}

/* Of a debug file those that are as they were in the program: objcopy(1) cuts them down to what is left. */
static int read_segments(struct dn_elfsyms *s, struct source *src)
{
	bool debug = lacks_code(&src->file);

	s->segment = calloc(src->file.segments.n + 1, sizeof(*s->segment));
	if (!s->segment)
		return -ENOMEM;
	for (size_t i = 0; i < src->file.segments.n; i++) {
		GElf_Phdr h = dn_elfread_segment(&src->file, i);

		if (h.p_type == PT_LOAD && h.p_flags & PF_X && (!debug || h.p_filesz == h.p_memsz) &&
		    h.p_vaddr + h.p_filesz >= h.p_vaddr && h.p_offset + h.p_filesz >= h.p_offset)
			s->segment[s->nsegment++] =
				(struct segment){ h.p_vaddr, h.p_filesz, h.p_offset };
	}
	if (s->nsegment)
		qsort(s->segment, s->nsegment, sizeof(*s->segment), by_addr);
	for (uint32_t i = 1; i < s->nsegment; i++) {
		struct segment *a = &s->segment[i - 1], *b = &s->segment[i];

		if (a->size > b->addr - a->addr)
			a->size = b->addr - a->addr;
	}
	return 0;
}

static struct dn_elfsyms *open_source(struct source *src)
{
	struct dn_elfsyms *s = calloc(1, sizeof(*s));
	struct syms syms = { 0 };
	int err = s ? dn_elfread_open(&src->file) : -ENOMEM;

	if (!err)
		err = dn_elfread_build_id(&src->file, false, &s->id);
	if (!err)
		err = read_segments(s, src);
	if (!err)
		err = dn_elfsyms_collect(s, src, true, &syms);
	if (!err)
		err = dn_elfsyms_collect_debugdata(s, src, &syms);
	if (err)
		free(syms.sym);
	else
		err = settle(s, &syms);
	dn_elfsyms_source_close(src);
	if (err) {
		dn_elfsyms_free(s);
		s = NULL;
		errno = -err;
	}
	return s;
}

bool dn_elfsyms_built(void)
{
	return true;
}

struct dn_elfsyms *dn_elfsyms_open(int fd)
{
	struct source src = { .file = { .fd = fd } };

	if (fd < 0) {
		errno = EBADF;
		return NULL;
	}
	return open_source(&src);
}

struct dn_elfsyms *dn_elfsyms_open_memory(const void *image, size_t len)
{
	struct source src = { .file = { .fd = -1, .image = image, .image_len = len } };

	return open_source(&src);
}

int dn_elfsyms_add(struct dn_elfsyms *s, int fd)
{
	bool complete = s->complete;
	uint32_t names = s->names_len;
	struct source src = { .file = { .fd = fd } };
	struct syms syms = { 0 };
	struct dn_build_id id;
	int err = fd < 0 ? -EBADF : dn_elfread_open(&src.file);

	if (!err)
		err = dn_elfread_build_id(&src.file, true, &id);
	if (!err && !dn_build_id_same(&s->id, &id))
		err = -ESTALE;
	for (uint32_t i = 0; !err && i < s->syms.n; i++)
		err = dn_elfsyms_add_sym(&syms, &s->syms.sym[i]);
	if (!err)
		err = dn_elfsyms_collect(s, &src, false, &syms);
	if (err)
		free(syms.sym);
	else
		err = settle(s, &syms);
	if (err) {
		s->complete = complete;
		s->names_len = names;
	}
	dn_elfsyms_source_close(&src);
	return err;
}

int dn_elf_build_id(int fd, struct dn_build_id *id)
{
	struct source src = { .file = { .fd = fd } };
	int err = fd < 0 ? -EBADF : dn_elfread_open(&src.file);

	*id = (struct dn_build_id){ 0 };
	if (!err)
		err = dn_elfread_build_id(&src.file, false, id);
	dn_elfsyms_source_close(&src);
	return err ? err : id->len ? 0 : -ENODATA;
}

bool dn_elfsyms_maps(const struct dn_elfsyms *s)
{
	for (uint32_t i = 0; i < s->nsegment; i++)
		if (s->segment[i].size)
			return true;
	return false;
}

bool dn_elfsyms_complete(const struct dn_elfsyms *s)
{
	return s->complete;
}

const struct dn_build_id *dn_elfsyms_build_id(const struct dn_elfsyms *s)
{
	return &s->id;
}

size_t dn_elfsyms_count(const struct dn_elfsyms *s)
{
	return s->syms.n;
}

bool dn_elfsyms_find(const struct dn_elfsyms *s, uint64_t offset, struct dn_elfsym *out)
{
	uint32_t i = dn_pieces_find(s->piece, s->npiece, offset);
	const struct sym *sym;

	if (i == DN_SPAN_NONE)
		return false;
	sym = &s->syms.sym[i];
	*out = (struct dn_elfsym){ sym->start, sym->end - sym->start, s->names + sym->name };
	return true;
}

bool dn_elfsyms_address(const struct dn_elfsyms *s, uint64_t offset, uint64_t *addr)
{
	for (uint32_t i = 0; i < s->nsegment; i++) {
		const struct segment *in = &s->segment[i];

		if (offset >= in->offset && offset - in->offset < in->size) {
			*addr = offset - in->offset + in->addr;
			return true;
		}
	}
	return false;
}

void dn_elfsyms_free(struct dn_elfsyms *s)
{
	if (!s)
		return;
	free(s->segment);
	free(s->syms.sym);
	free(s->piece);
	free(s->names);
	free(s);
}
