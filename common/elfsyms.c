/*
 * elfsyms.c - reading symbol tables with libelf.
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
#include <gelf.h>
#include <libelf.h>
#include <stdlib.h>
#include <string.h>

#include "elfplt.h"
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

/* A file while it is read. */
struct source {
	Elf *elf;
	GElf_Ehdr head;
	size_t nsection;
	size_t left;			/* of DN_ELF_READ_MAX */
	struct segment *text;		/* executable sections by index, size 0 for others */
	Elf_Scn *symtab;
	Elf_Scn *dynsym;
	Elf_Scn *debugdata;
	uint64_t *mark;
	uint32_t nmark;
	uint32_t mark_cap;
	struct syms syms;		/* in virtual addresses */
};

static void source_close(struct source *src)
{
	elf_end(src->elf);
	free(src->text);
	free(src->mark);
	free(src->syms.sym);
}

/* Takes elf, of which NULL is a failure to open. */
static int source_open(struct source *src, Elf *elf)
{
	size_t nsegment = 0;

	memset(src, 0, sizeof(*src));
	src->left = DN_ELF_READ_MAX;
	src->elf = elf;
	if (!elf)
		return -ENOEXEC;
	if (elf_kind(elf) != ELF_K_ELF || !gelf_getehdr(elf, &src->head) ||
	    (src->head.e_type != ET_EXEC && src->head.e_type != ET_DYN) ||
	    elf_getphdrnum(elf, &nsegment) || elf_getshdrnum(elf, &src->nsection))
		return -ENOEXEC;
	/* More sections than their 16-bit numbers reach: object files have that. libelf
	 * has counted them now and read none. */
	return nsegment > DN_ELF_SEGMENTS_MAX || src->nsection >= SHN_LORESERVE ? -E2BIG : 0;
}

static Elf *begin(int fd)
{
	elf_version(EV_CURRENT);
	return elf_begin(fd, ELF_C_READ, NULL);
}

/*
 * For an image libelf prepares a table of all sections before it says how many. Without a
 * number in the header that is what section 0 says, up to 2^64.
 */
static Elf *begin_memory(const void *image, size_t len)
{
	const unsigned char *p = image;
	bool wide = len > EI_CLASS && p[EI_CLASS] == ELFCLASS64;
	size_t at = wide ? offsetof(Elf64_Ehdr, e_shnum) : offsetof(Elf32_Ehdr, e_shnum);
	size_t table = wide ? offsetof(Elf64_Ehdr, e_shoff) : offsetof(Elf32_Ehdr, e_shoff);
	static const unsigned char none[8];

	if (len < sizeof(Elf64_Ehdr))
		return NULL;
	if (!p[at] && !p[at + 1] && memcmp(p + table, none, wide ? 8 : 4) != 0)
		return NULL;
	elf_version(EV_CURRENT);
	return elf_memory((char *)(uintptr_t)image, len);	/* it is only read */
}

/* The contents of a section; NULL: none that can be read, or src->left is too little, then 0. */
static Elf_Data *contents(struct source *src, Elf_Scn *scn)
{
	Elf_Data *d;
	GElf_Shdr h;

	if (!scn || !gelf_getshdr(scn, &h) || h.sh_type == SHT_NOBITS || h.sh_flags & SHF_COMPRESSED ||
	    !h.sh_size)
		return NULL;
	if (h.sh_size > src->left) {
		src->left = 0;
		return NULL;
	}
	src->left -= h.sh_size;
	d = elf_getdata(scn, NULL);
	return d && d->d_buf && d->d_size <= h.sh_size ? d : NULL;
}

/* A string that ends within its table and DN_ELF_NAME_MAX, or NULL. */
static const char *string(const Elf_Data *strings, uint64_t at, size_t *len)
{
	const char *p, *end;
	size_t room;

	if (!strings || at >= strings->d_size)
		return NULL;
	p = (const char *)strings->d_buf + at;
	room = strings->d_size - at;
	end = memchr(p, 0, room < DN_ELF_NAME_MAX ? room : DN_ELF_NAME_MAX);
	if (!end)
		return NULL;
	*len = (size_t)(end - p);
	return p;
}

/* Copies name and tail, one after the other. 0, -E2BIG, -ENOMEM. */
static int add_name(struct dn_elfsyms *s, const char *name, size_t len, const char *tail, uint32_t *at)
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
	return (uint8_t)(exported << 5 | !memchr(name, '@', len) << 4 | (7 - underscores) << 1 | global);
}

/*
 * What marks code and data for disassemblers and begins nothing: $x, $d, $a, $t
 * ("ELF for the Arm Architecture", mapping symbols), and labels that an assembler left in (.L).
 */
static bool begins_nothing(const char *name, size_t len, unsigned type)
{
	return type == STT_NOTYPE && (!len || name[0] == '$' || (len > 1 && name[0] == '.' && name[1] == 'L'));
}

static int add_symbol(struct dn_elfsyms *s, struct source *src, const GElf_Sym *sym, const Elf_Data *strings)
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
	if (sym->st_shndx >= src->nsection)	/* absolute and common ones too */
		return 0;
	in = &src->text[sym->st_shndx];
	if (src->head.e_machine == EM_ARM && function)
		new.start &= ~UINT64_C(1);	/* Thumb */
	if (new.start < in->addr || new.start - in->addr >= in->size)
		return 0;
	name = string(strings, sym->st_name, &len);
	if (!name || begins_nothing(name, len, type))
		return 0;
	if (dn_grow(&src->mark, &src->mark_cap, src->nmark + 1u, sizeof(*src->mark)))
		return -ENOMEM;
	src->mark[src->nmark++] = new.start;
	if (type == STT_OBJECT || !len)
		return 0;

	new.end = in->addr + in->size;
	if (sym->st_size && sym->st_size < new.end - new.start)
		new.end = new.start + sym->st_size;
	new.kind = (uint8_t)(sym->st_size ? function ? SIZED_FUNCTION : SIZED_LABEL :
					    function ? FUNCTION : LABEL);
	new.good = goodness(GELF_ST_BIND(sym->st_info), name, len);
	err = add_name(s, name, len, "", &new.name);
	return err ? err : add_sym(&src->syms, &new);
}

/* How many entries of type a section of them has. -E2BIG. */
static long entries(struct source *src, const Elf_Data *d, Elf_Type type)
{
	size_t one = gelf_fsize(src->elf, type, 1, EV_CURRENT);
	size_t n = one && d->d_type == type ? d->d_size / one : 0;

	return n > DN_ELF_SYMBOLS_MAX ? -E2BIG : (long)n;
}

static Elf_Data *linked_strings(struct source *src, Elf_Scn *scn)
{
	GElf_Shdr h, linked;
	Elf_Scn *strings;

	if (!gelf_getshdr(scn, &h))
		return NULL;
	strings = elf_getscn(src->elf, h.sh_link);
	if (!strings || !gelf_getshdr(strings, &linked) || linked.sh_type != SHT_STRTAB)
		return NULL;
	return contents(src, strings);
}

static int add_table(struct dn_elfsyms *s, struct source *src, Elf_Scn *scn)
{
	Elf_Data *d = contents(src, scn), *strings = d ? linked_strings(src, scn) : NULL;
	long n = strings ? entries(src, d, ELF_T_SYM) : 0;
	GElf_Sym sym;
	int err;

	if (n < 0)
		return (int)n;
	for (long i = 1; i < n; i++) {
		if (!gelf_getsym(d, (int)i, &sym))
			continue;
		err = add_symbol(s, src, &sym, strings);
		if (err)
			return err;
	}
	return 0;
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
	case EM_X86_64: return type == R_X86_64_JUMP_SLOT || type == R_X86_64_GLOB_DAT;
	case EM_AARCH64: return type == R_AARCH64_JUMP_SLOT || type == R_AARCH64_GLOB_DAT;
	}
	return false;
}

static int add_slots(struct source *src, Elf_Scn *scn, bool rela, struct slots *to)
{
	Elf_Data *d = contents(src, scn);
	long n = d ? entries(src, d, rela ? ELF_T_RELA : ELF_T_REL) : 0;
	GElf_Rela a;
	GElf_Rel r;

	if (n < 0)
		return (int)n;
	for (long i = 0; i < n; i++) {
		if (rela) {
			if (!gelf_getrela(d, (int)i, &a))
				continue;
			r = (GElf_Rel){ a.r_offset, a.r_info };
		} else if (!gelf_getrel(d, (int)i, &r)) {
			continue;
		}
		if (!writes_address(src->head.e_machine, (unsigned)GELF_R_TYPE(r.r_info)))
			continue;
		if (to->n >= DN_ELF_SYMBOLS_MAX)
			return -E2BIG;
		if (dn_grow(&to->slot, &to->cap, to->n + 1u, sizeof(*to->slot)))
			return -ENOMEM;
		to->slot[to->n++] = (struct slot){ r.r_offset, (uint32_t)GELF_R_SYM(r.r_info) };
	}
	return 0;
}

static int add_entries(struct dn_elfsyms *s, struct source *src, Elf_Scn *scn, const struct slots *slots,
		       Elf_Data *symbols, Elf_Data *strings)
{
	const struct segment *in = &src->text[elf_ndxscn(scn)];
	Elf_Data *code = contents(src, scn);
	struct dn_plt_entry e;
	const struct slot *found;
	const char *name;
	size_t at = 0, len;
	GElf_Sym sym;
	int err;

	if (!code)
		return 0;
	while (dn_plt_next(src->head.e_machine, code->d_buf, code->d_size, in->addr, &at, &e)) {
		struct slot key = { e.slot, 0 };
		size_t low = 0, high = slots->n;
		struct sym new = { e.start, e.start + e.size, 0, 0, SIZED_FUNCTION, 0 };

		while (low < high) {
			size_t mid = low + (high - low) / 2;

			if (by_slot(&slots->slot[mid], &key) < 0)
				low = mid + 1;
			else
				high = mid;
		}
		found = &slots->slot[low];
		if (low == slots->n || found->addr != e.slot || !found->symbol ||
		    found->symbol > DN_ELF_SYMBOLS_MAX ||
		    (low + 1 < slots->n && found[1].addr == e.slot && found[1].symbol != found->symbol))
			continue;
		if (!gelf_getsym(symbols, (int)found->symbol, &sym))
			continue;
		name = string(strings, sym.st_name, &len);
		if (!name || !len)
			continue;
		err = add_name(s, name, len, "@plt", &new.name);
		if (!err)
			err = add_sym(&src->syms, &new);
		if (err)
			return err;
	}
	return 0;
}

/* After .dynsym, whose contents libelf keeps. */
static int add_plt(struct dn_elfsyms *s, struct source *src, const Elf_Data *section_names)
{
	Elf_Data *symbols = src->dynsym ? elf_getdata(src->dynsym, NULL) : NULL;
	Elf_Data *strings = symbols ? linked_strings(src, src->dynsym) : NULL;
	struct slots slots = { 0 };
	Elf_Scn *scn = NULL;
	const char *name;
	GElf_Shdr h;
	size_t len;
	int err = 0;

	if (!strings || symbols->d_type != ELF_T_SYM)
		return 0;
	while (!err && (scn = elf_nextscn(src->elf, scn)))
		if (gelf_getshdr(scn, &h) && (h.sh_type == SHT_RELA || h.sh_type == SHT_REL) &&
		    h.sh_flags & SHF_ALLOC && h.sh_link == elf_ndxscn(src->dynsym))
			err = add_slots(src, scn, h.sh_type == SHT_RELA, &slots);
	if (err || !slots.n)
		goto out;
	qsort(slots.slot, slots.n, sizeof(*slots.slot), by_slot);
	while (!err && (scn = elf_nextscn(src->elf, scn))) {
		if (!src->text[elf_ndxscn(scn)].size || !gelf_getshdr(scn, &h))
			continue;
		name = string(section_names, h.sh_name, &len);
		if (name && !strncmp(name, ".plt", 4) && (!name[4] || name[4] == '.'))
			err = add_entries(s, src, scn, &slots, symbols, strings);
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
static int survey(struct source *src, Elf_Data **names)
{
	Elf_Scn *scn = NULL;
	const char *name;
	size_t index, len;
	GElf_Shdr h;

	*names = NULL;
	src->text = calloc(src->nsection ? src->nsection : 1, sizeof(*src->text));
	if (!src->text)
		return -ENOMEM;
	if (!elf_getshdrstrndx(src->elf, &index))
		*names = contents(src, elf_getscn(src->elf, index));
	while ((scn = elf_nextscn(src->elf, scn))) {
		if (!gelf_getshdr(scn, &h) || elf_ndxscn(scn) >= src->nsection)
			continue;
		if (h.sh_flags & SHF_EXECINSTR && h.sh_flags & SHF_ALLOC && h.sh_addr + h.sh_size >= h.sh_addr)
			src->text[elf_ndxscn(scn)] = (struct segment){ .addr = h.sh_addr, .size = h.sh_size };
		if (h.sh_type == SHT_SYMTAB && !src->symtab)
			src->symtab = scn;
		if (h.sh_type == SHT_DYNSYM && !src->dynsym)
			src->dynsym = scn;
		name = string(*names, h.sh_name, &len);
		if (name && !strcmp(name, ".gnu_debugdata"))
			src->debugdata = scn;
	}
	return 0;
}

/* The symbols of a file that is open, in file offsets, behind those in to. */
static int collect(struct dn_elfsyms *s, struct source *src, bool plt, struct syms *to)
{
	bool complete = s->complete;
	Elf_Data *names;
	int err = survey(src, &names);

	if (!err && src->symtab) {
		complete = true;
		err = add_table(s, src, src->symtab);
	}
	if (!err && src->dynsym)
		err = add_table(s, src, src->dynsym);
	if (!err && plt)
		err = add_plt(s, src, names);
	if (!err && !src->left)
		err = -E2BIG;
	if (err)
		return err;
	end_the_open(src, src->symtab);

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
	s->complete = complete;
	return err;
}

/* MiniDebugInfo: an ELF file in a section of another, with no such section itself. */
static int collect_debugdata(struct dn_elfsyms *s, struct source *src, struct syms *to)
{
	Elf_Data *packed = src->debugdata ? contents(src, src->debugdata) : NULL;
	struct source inner = { 0 };
	size_t len;
	void *image;
	int err;

	if (!packed)
		return src->left ? 0 : -E2BIG;
	err = dn_unxz(packed->d_buf, packed->d_size, DN_ELF_DEBUGDATA_MAX, &image, &len);
	if (!err) {
		err = source_open(&inner, begin_memory(image, len));
		if (!err)
			err = collect(s, &inner, false, to);
		source_close(&inner);
		free(image);
	}
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
	size_t n = 0;
	GElf_Phdr h;

	elf_getphdrnum(src->elf, &n);
	s->segment = calloc(n ? n : 1, sizeof(*s->segment));
	if (!s->segment)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		if (!gelf_getphdr(src->elf, (int)i, &h) || h.p_type != PT_LOAD || !(h.p_flags & PF_X) ||
		    h.p_vaddr + h.p_filesz < h.p_vaddr || h.p_offset + h.p_filesz < h.p_offset)
			continue;
		s->segment[s->nsegment++] = (struct segment){ h.p_vaddr, h.p_filesz, h.p_offset };
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

static void notes(struct source *src, Elf_Data *d, uint64_t align, struct dn_build_id *id)
{
	if (d && d->d_buf)
		dn_build_id_find(d->d_buf, d->d_size, align, src->head.e_ident[EI_DATA] == ELFDATA2MSB, id);
}

static void segment_notes(struct source *src, struct dn_build_id *id)
{
	size_t n = 0, left = DN_ELF_NOTES_MAX;
	GElf_Phdr h;

	elf_getphdrnum(src->elf, &n);
	for (size_t i = 0; i < n && !id->len; i++) {
		if (!gelf_getphdr(src->elf, (int)i, &h) || h.p_type != PT_NOTE || h.p_filesz > left ||
		    h.p_offset > INT64_MAX)
			continue;
		left -= h.p_filesz;
		notes(src, elf_getdata_rawchunk(src->elf, (int64_t)h.p_offset, h.p_filesz, ELF_T_BYTE), h.p_align,
		      id);
	}
}

/* A debug file has its notes in sections; its program headers are a copy of the other
 * file's and may point anywhere. */
static void section_notes(struct source *src, struct dn_build_id *id)
{
	size_t left = DN_ELF_NOTES_MAX;
	Elf_Scn *scn = NULL;
	GElf_Shdr h;

	while (!id->len && (scn = elf_nextscn(src->elf, scn))) {
		if (!gelf_getshdr(scn, &h) || h.sh_type != SHT_NOTE || h.sh_size > left)
			continue;
		left -= h.sh_size;
		notes(src, elf_rawdata(scn, NULL), h.sh_addralign, id);
	}
}

static struct dn_elfsyms *open_elf(Elf *elf)
{
	struct dn_elfsyms *s = calloc(1, sizeof(*s));
	struct syms syms = { 0 };
	struct source src = { 0 };
	int err = -ENOMEM;

	if (!s) {
		elf_end(elf);
		goto out;
	}
	err = source_open(&src, elf);
	if (err)
		goto out;
	segment_notes(&src, &s->id);
	if (!s->id.len)
		section_notes(&src, &s->id);
	err = read_segments(s, &src);
	if (!err)
		err = collect(s, &src, true, &syms);
	if (!err)
		err = collect_debugdata(s, &src, &syms);
	if (err)
		free(syms.sym);
	else
		err = settle(s, &syms);
out:
	source_close(&src);
	if (err) {
		dn_elfsyms_free(s);
		s = NULL;
		errno = -err;
	}
	return s;
}

struct dn_elfsyms *dn_elfsyms_open(int fd)
{
	return open_elf(begin(fd));
}

struct dn_elfsyms *dn_elfsyms_open_memory(const void *image, size_t len)
{
	return open_elf(begin_memory(image, len));
}

int dn_elfsyms_add(struct dn_elfsyms *s, int fd)
{
	bool complete = s->complete;
	struct dn_build_id id = { 0 };
	struct syms syms = { 0 };
	struct source src;
	int err = source_open(&src, begin(fd));

	if (err)
		goto out;
	section_notes(&src, &id);
	if (!id.len)
		segment_notes(&src, &id);
	if (!dn_build_id_same(&s->id, &id)) {
		err = -ESTALE;
		goto out;
	}
	for (uint32_t i = 0; !err && i < s->syms.n; i++)
		err = add_sym(&syms, &s->syms.sym[i]);
	if (!err)
		err = collect(s, &src, false, &syms);
	if (err)
		free(syms.sym);
	else
		err = settle(s, &syms);
	if (err)
		s->complete = complete;
out:
	source_close(&src);
	return err;
}

int dn_elf_build_id(int fd, struct dn_build_id *id)
{
	struct source src;
	int err = source_open(&src, begin(fd));

	*id = (struct dn_build_id){ 0 };
	if (!err) {
		segment_notes(&src, id);
		if (!id->len)
			section_notes(&src, id);
		if (!id->len)
			err = -ENODATA;
	}
	source_close(&src);
	return err;
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
