/*
 * elfsyms.c - collecting the symbols of files and putting them in order.
 *
 * A file is read in three steps. Its symbols are collected with their virtual addresses, together
 * with the addresses of everything else in executable sections (marks), where a symbol
 * without a size must end. Then addresses become file offsets, by the program headers of
 * the mapped file; those of a debug file say nothing of where code is. At last all
 * symbols are put in order, the one that rather answers last, and flattened (spans.h).
 */
#include "elfsyms.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "elfplt.h"
#include "elfread.h"
#include "grow.h"
#include "spans.h"
#include "unxz.h"

/* Which of two symbols answers, first by this. */
enum kind {
	LABEL,			/* STT_NOTYPE without a size */
	FUNCTION,		/* STT_FUNC, STT_GNU_IFUNC without a size */
	SIZED_LABEL,
	SIZED_FUNCTION,
};

struct sym {
	uint64_t start;
	uint64_t end;
	uint32_t name;		/* in dn_elfsyms.names */
	uint32_t order;		/* as read */
	uint8_t kind;
	uint8_t good;		/* of names of one address, the highest is taken */
};

struct syms {
	struct sym *sym;
	uint32_t n;
	uint32_t cap;
};

struct segment {
	uint64_t addr;
	uint64_t size;
	uint64_t offset;
};

struct dn_elfsyms {
	struct segment *segment;	/* executable ones, by address, none over another */
	uint32_t nsegment;
	struct syms syms;		/* in file offsets; index: rank in piece */
	struct dn_piece *piece;
	size_t npiece;
	char *names;
	uint32_t names_len;
	uint32_t names_cap;
	struct dn_build_id id;
	bool complete;
};

/* A file while its symbols are collected. */
struct source {
	struct dn_elfread file;
	struct dn_elfdata section_names;
	size_t symtab;			/* sections, 0: none */
	size_t dynsym;
	size_t debugdata;
	struct dn_elfdata dynamic;
	struct dn_elfdata dynamic_names;
	struct segment *text;		/* executable sections by index, size 0 for others */
	uint64_t *mark;
	uint32_t nmark;
	uint32_t mark_cap;
	struct syms syms;		/* in virtual addresses */
};

static void source_close(struct source *src)
{
	dn_elfread_close(&src->file);
	free(src->section_names.p);
	free(src->dynamic.p);
	free(src->dynamic_names.p);
	free(src->text);
	free(src->mark);
	free(src->syms.sym);
}

/* Copies name and tail, one after the other. 0, -E2BIG, -ENOMEM. */
static int add_name(struct dn_elfsyms *s, const char *name, size_t len, const char *tail,
		    uint32_t *at)
{
	size_t taillen = strlen(tail), want = s->names_len + len + taillen + 1;

	if (want > DN_ELF_NAMES_MAX)
		return -E2BIG;
	if (dn_grow(&s->names, &s->names_cap, want, 1))
		return -ENOMEM;
	*at = s->names_len;
	memcpy(s->names + *at, name, len);
	memcpy(s->names + *at + len, tail, taillen + 1);
	s->names_len = (uint32_t)want;
	return 0;
}

static int add_sym(struct syms *to, const struct sym *sym)
{
	if (to->n >= DN_ELF_SYMBOLS_MAX)
		return -E2BIG;
	if (dn_grow(&to->sym, &to->cap, to->n + 1u, sizeof(*sym)))
		return -ENOMEM;
	to->sym[to->n] = *sym;
	to->sym[to->n].order = to->n;
	to->n++;
	return 0;
}

/*
 * perf prefers global over weak names (choose_best_symbol), which for libc gives
 * __write. What a program calls is write: so underscores count more here.
 */
static uint8_t goodness(unsigned bind, const char *name, size_t len)
{
	bool global = bind == STB_GLOBAL || bind == STB_GNU_UNIQUE;
	bool exported = global || bind == STB_WEAK;
	size_t underscores = 0;

	while (underscores < 7 && underscores < len && name[underscores] == '_')
		underscores++;
	return (uint8_t)(exported << 5 | !memchr(name, '@', len) << 4 | (7 - underscores) << 1 |
			 global);
}

/*
 * What marks code and data for disassemblers and begins nothing: $x, $d, $a, $t
 * ("ELF for the Arm Architecture", mapping symbols), and labels that an assembler left in (.L).
 */
static bool begins_nothing(const char *name, size_t len, unsigned type)
{
	return type == STT_NOTYPE &&
	       (!len || name[0] == '$' || (len > 1 && name[0] == '.' && name[1] == 'L'));
}

static int add_symbol(struct dn_elfsyms *s, struct source *src, const GElf_Sym *sym,
		      const struct dn_elfdata *strings)
{
	unsigned type = GELF_ST_TYPE(sym->st_info);
	bool function = type == STT_FUNC || type == STT_GNU_IFUNC;
	struct sym new = { .start = sym->st_value };
	const struct segment *in;
	const char *name;
	size_t len;
	int err;

	if (!function && type != STT_NOTYPE && type != STT_OBJECT)
		return 0;
	if (sym->st_shndx >= src->file.sections.n) /* absolute and common ones too */
		return 0;
	in = &src->text[sym->st_shndx];
	if (src->file.head.e_machine == EM_ARM && function)
		new.start &= ~UINT64_C(1); /* Thumb */
	if (new.start < in->addr || new.start - in->addr >= in->size)
		return 0;
	name = dn_elfread_string(strings, sym->st_name, &len);
	if (!name || begins_nothing(name, len, type))
		return 0;
	new.end = in->addr + in->size;
	if (sym->st_size && sym->st_size < new.end - new.start)
		new.end = new.start + sym->st_size;
	if (dn_grow(&src->mark, &src->mark_cap, src->nmark + 2u, sizeof(*src->mark)))
		return -ENOMEM;
	src->mark[src->nmark++] = new.start;
	if (sym->st_size)
		src->mark[src->nmark++] = new.end;
	if (type == STT_OBJECT || !len)
		return 0;
	new.kind = sym->st_size ? function ? SIZED_FUNCTION : SIZED_LABEL : function ? FUNCTION : LABEL;
	new.good = goodness(GELF_ST_BIND(sym->st_info), name, len);
	err = add_name(s, name, len, "", &new.name);
	return err ? err : add_sym(&src->syms, &new);
}

/* The symbol table in section i, and its strings. As load. */
static int load_table(struct source *src, size_t i, struct dn_elfdata *symbols,
		      struct dn_elfdata *strings)
{
	int err = dn_elfread_contents(&src->file, i, ELF_T_SYM, symbols);
	size_t link;

	*strings = (struct dn_elfdata){ 0 };
	if (err || !symbols->p)
		return err;
	if (symbols->n > DN_ELF_SYMBOLS_MAX)
		return -E2BIG;
	link = dn_elfread_section(&src->file, i).sh_link;
	if (link >= src->file.sections.n ||
	    dn_elfread_section(&src->file, link).sh_type != SHT_STRTAB)
		return 0;
	return dn_elfread_contents(&src->file, link, ELF_T_BYTE, strings);
}

static int add_table(struct dn_elfsyms *s, struct source *src, const struct dn_elfdata *symbols,
		     const struct dn_elfdata *strings)
{
	int err = 0;

	for (size_t i = 1; i < symbols->n && !err; i++) {
		GElf_Sym sym = dn_elfread_symbol(&src->file, symbols, i);

		err = add_symbol(s, src, &sym, strings);
	}
	return err;
}

/* --- the procedure linkage table ---------------------------------------------- */

struct slot {
	uint64_t addr;
	uint32_t symbol;	/* in .dynsym */
};

struct slots {
	struct slot *slot;
	uint32_t n;
	uint32_t cap;
};

static int by_slot(const void *va, const void *vb)
{
	const struct slot *a = va, *b = vb;

	return a->addr != b->addr ? (a->addr > b->addr) - (a->addr < b->addr) :
				    (a->symbol > b->symbol) - (a->symbol < b->symbol);
}

static bool writes_address(unsigned machine, unsigned type)
{
	switch (machine) {
	case EM_X86_64:
		return type == R_X86_64_JUMP_SLOT || type == R_X86_64_GLOB_DAT;
	case EM_AARCH64:
		return type == R_AARCH64_JUMP_SLOT || type == R_AARCH64_GLOB_DAT;
	}
	return false;
}

static int add_slots(struct source *src, size_t scn, bool rela, struct slots *to)
{
	struct dn_elfdata d;
	int err = dn_elfread_contents(&src->file, scn, rela ? ELF_T_RELA : ELF_T_REL, &d);

	for (size_t i = 0; i < d.n && !err; i++) {
		size_t one = d.len / d.n;
		uint64_t offset, type, sym;

		/* REL and RELA begin with the same two. */
		if (src->file.wide) {
			const Elf64_Rel *r = (const void *)(d.p + i * one);

			offset = r->r_offset;
			type = ELF64_R_TYPE(r->r_info);
			sym = ELF64_R_SYM(r->r_info);
		} else {
			const Elf32_Rel *r = (const void *)(d.p + i * one);

			offset = r->r_offset;
			type = ELF32_R_TYPE(r->r_info);
			sym = ELF32_R_SYM(r->r_info);
		}
		if (!writes_address(src->file.head.e_machine, (unsigned)type))
			continue;
		if (to->n >= DN_ELF_SYMBOLS_MAX)
			err = -E2BIG;
		else if (dn_grow(&to->slot, &to->cap, to->n + 1u, sizeof(*to->slot)))
			err = -ENOMEM;
		else
			to->slot[to->n++] = (struct slot){ offset, (uint32_t)sym };
	}
	free(d.p);
	return err;
}

/* Whose address is written into the slot at addr; 0: nobody's, or of more than one. */
static uint32_t written_to(const struct slots *slots, uint64_t addr)
{
	size_t low = 0, high = slots->n;
	const struct slot *found;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (slots->slot[mid].addr < addr)
			low = mid + 1;
		else
			high = mid;
	}
	found = &slots->slot[low];
	if (low == slots->n || found->addr != addr ||
	    (low + 1 < slots->n && found[1].addr == addr && found[1].symbol != found->symbol))
		return 0;
	return found->symbol;
}

static int add_entries(struct dn_elfsyms *s, struct source *src, size_t scn,
		       const struct slots *slots)
{
	struct dn_plt_entry e;
	struct dn_elfdata code;
	size_t at = 0, len;
	const char *name;
	uint32_t i;
	int err = dn_elfread_contents(&src->file, scn, ELF_T_BYTE, &code);

	while (!err && dn_plt_next(src->file.head.e_machine, code.p, code.len, src->text[scn].addr,
				   &at, &e)) {
		struct sym new = { e.start, e.start + e.size, 0, 0, SIZED_FUNCTION, 0 };

		i = written_to(slots, e.slot);
		if (!i || i >= src->dynamic.n)
			continue;
		name = dn_elfread_string(&src->dynamic_names,
					 dn_elfread_symbol(&src->file, &src->dynamic, i).st_name,
					 &len);
		if (!name || !len)
			continue;
		err = add_name(s, name, len, "@plt", &new.name);
		if (!err)
			err = add_sym(&src->syms, &new);
	}
	free(code.p);
	return err;
}

/* After .dynsym was loaded. */
static int add_plt(struct dn_elfsyms *s, struct source *src)
{
	struct slots slots = { 0 };
	const char *name;
	size_t len;
	int err = 0;

	if (!src->dynamic.n)
		return 0;
	for (size_t i = 1; i < src->file.sections.n && !err; i++) {
		GElf_Shdr h = dn_elfread_section(&src->file, i);

		if ((h.sh_type == SHT_RELA || h.sh_type == SHT_REL) && h.sh_flags & SHF_ALLOC &&
		    h.sh_link == src->dynsym)
			err = add_slots(src, i, h.sh_type == SHT_RELA, &slots);
	}
	if (err || !slots.n)
		goto out;
	qsort(slots.slot, slots.n, sizeof(*slots.slot), by_slot);
	for (size_t i = 1; i < src->file.sections.n && !err; i++) {
		if (!src->text[i].size)
			continue;
		name = dn_elfread_string(&src->section_names,
					 dn_elfread_section(&src->file, i).sh_name, &len);
		if (name && !strncmp(name, ".plt", 4) && (!name[4] || name[4] == '.'))
			err = add_entries(s, src, i, &slots);
	}
out:
	free(slots.slot);
	return err;
}

/* --- a file ------------------------------------------------------------------- */

static int by_number(const void *va, const void *vb)
{
	const uint64_t *a = va, *b = vb;

	return (*a > *b) - (*a < *b);
}

/* Symbols without a size end at the next mark, or are no more. */
static void end_the_open(struct source *src, bool complete)
{
	struct syms *t = &src->syms;
	uint32_t kept = 0;

	if (src->nmark)
		qsort(src->mark, src->nmark, sizeof(*src->mark), by_number);
	for (uint32_t i = 0; i < t->n; i++) {
		struct sym sym = t->sym[i];
		size_t low = 0, high = src->nmark;

		if (sym.kind == SIZED_FUNCTION || sym.kind == SIZED_LABEL) {
			t->sym[kept++] = sym;
			continue;
		}
		if (!complete)
			continue;
		while (low < high) {
			size_t mid = low + (high - low) / 2;

			if (src->mark[mid] <= sym.start)
				low = mid + 1;
			else
				high = mid;
		}
		if (low < src->nmark && src->mark[low] < sym.end)
			sym.end = src->mark[low];
		t->sym[kept++] = sym;
	}
	t->n = kept;
}

/* Where the executable sections are, and which section is what. */
static int survey(struct source *src)
{
	const char *name;
	size_t len;
	int err = dn_elfread_contents(&src->file, src->file.head.e_shstrndx, ELF_T_BYTE,
				      &src->section_names);

	if (err)
		return err;
	src->text = calloc(src->file.sections.n + 1, sizeof(*src->text));
	if (!src->text)
		return -ENOMEM;
	for (size_t i = 1; i < src->file.sections.n; i++) {
		GElf_Shdr h = dn_elfread_section(&src->file, i);

		if (h.sh_flags & SHF_EXECINSTR && h.sh_flags & SHF_ALLOC &&
		    h.sh_addr + h.sh_size >= h.sh_addr)
			src->text[i] = (struct segment){ .addr = h.sh_addr, .size = h.sh_size };
		if (h.sh_type == SHT_SYMTAB && !src->symtab)
			src->symtab = i;
		if (h.sh_type == SHT_DYNSYM && !src->dynsym)
			src->dynsym = i;
		name = dn_elfread_string(&src->section_names, h.sh_name, &len);
		if (name && !strcmp(name, ".gnu_debugdata"))
			src->debugdata = i;
	}
	return 0;
}

/* The symbols of a file that is open, in file offsets, behind those in to. */
static int collect(struct dn_elfsyms *s, struct source *src, bool plt, struct syms *to)
{
	struct dn_elfdata symbols = { 0 }, strings = { 0 };
	bool complete;
	int err = survey(src);

	if (!err)
		err = load_table(src, src->symtab, &symbols, &strings);
	complete = symbols.n && strings.n;
	if (!err)
		err = add_table(s, src, &symbols, &strings);
	free(symbols.p);
	free(strings.p);
	if (!err)
		err = load_table(src, src->dynsym, &src->dynamic, &src->dynamic_names);
	if (!err)
		err = add_table(s, src, &src->dynamic, &src->dynamic_names);
	if (!err && plt)
		err = add_plt(s, src);
	if (err)
		return err;
	end_the_open(src, complete);

	for (uint32_t i = 0; !err && i < src->syms.n; i++) {
		struct sym sym = src->syms.sym[i];
		uint32_t low = 0, high = s->nsegment;
		const struct segment *in;

		while (low < high) {
			uint32_t mid = low + (high - low) / 2;

			if (s->segment[mid].addr <= sym.start)
				low = mid + 1;
			else
				high = mid;
		}
		if (!low)
			continue;
		in = &s->segment[low - 1];
		if (sym.start - in->addr >= in->size)
			continue;
		if (sym.end - in->addr > in->size)
			sym.end = in->addr + in->size;
		sym.start += in->offset - in->addr;
		sym.end += in->offset - in->addr;
		err = add_sym(to, &sym);
	}
	s->complete |= complete;
	return err;
}

/* MiniDebugInfo: an ELF file in a section of another, with no such section itself. */
static int collect_debugdata(struct dn_elfsyms *s, struct source *src, struct syms *to)
{
	struct source inner = { .file = { .fd = -1 } };
	struct dn_elfdata packed;
	void *image = NULL;
	int err = dn_elfread_contents(&src->file, src->debugdata, ELF_T_BYTE, &packed);

	if (err || !packed.p)
		return err;
	err = dn_unxz(packed.p, packed.len, DN_ELF_DEBUGDATA_MAX, &image, &inner.file.image_len);
	free(packed.p);
	inner.file.image = image;
	if (!err)
		err = dn_elfread_open(&inner.file);
	if (!err)
		err = collect(s, &inner, false, to);
	source_close(&inner);
	free(image);
	/* Without it there are fewer names, as in a build without liblzma. */
	return err == -ENOMEM || err == -E2BIG ? err : 0;
}

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

static int read_segments(struct dn_elfsyms *s, struct source *src)
{
	s->segment = calloc(src->file.segments.n + 1, sizeof(*s->segment));
	if (!s->segment)
		return -ENOMEM;
	for (size_t i = 0; i < src->file.segments.n; i++) {
		GElf_Phdr h = dn_elfread_segment(&src->file, i);

		if (h.p_type == PT_LOAD && h.p_flags & PF_X &&
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
		err = collect(s, src, true, &syms);
	if (!err)
		err = collect_debugdata(s, src, &syms);
	if (err)
		free(syms.sym);
	else
		err = settle(s, &syms);
	source_close(src);
	if (err) {
		dn_elfsyms_free(s);
		s = NULL;
		errno = -err;
	}
	return s;
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
		err = add_sym(&syms, &s->syms.sym[i]);
	if (!err)
		err = collect(s, &src, false, &syms);
	if (err)
		free(syms.sym);
	else
		err = settle(s, &syms);
	if (err) {
		s->complete = complete;
		s->names_len = names;
	}
	source_close(&src);
	return err;
}

int dn_elf_build_id(int fd, struct dn_build_id *id)
{
	struct source src = { .file = { .fd = fd } };
	int err = fd < 0 ? -EBADF : dn_elfread_open(&src.file);

	*id = (struct dn_build_id){ 0 };
	if (!err)
		err = dn_elfread_build_id(&src.file, false, id);
	source_close(&src);
	return err ? err : id->len ? 0 : -ENODATA;
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
