/*
 * elfsyms_collect.c - the symbols of one file, in file offsets.
 */
#include "elfsyms_int.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "grow.h"
#include "unxz.h"

void dn_elfsyms_source_close(struct source *src)
{
	dn_elfread_close(&src->file);
	free(src->section_names.p);
	free(src->dynamic.p);
	free(src->dynamic_names.p);
	free(src->text);
	free(src->mark);
	free(src->syms.sym);
}

int dn_elfsyms_add_name(struct dn_elfsyms *s, const char *name, size_t len, const char *tail,
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

int dn_elfsyms_add_sym(struct syms *to, const struct sym *sym)
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
	err = dn_elfsyms_add_name(s, name, len, "", &new.name);
	return err ? err : dn_elfsyms_add_sym(&src->syms, &new);
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

static int by_number(const void *va, const void *vb)
{
	const uint64_t *a = va, *b = vb;

	return (*a > *b) - (*a < *b);
}

/*
 * Symbols without a size end at the next mark, or are no more. The last byte before it is none of theirs: no function
 * ends in a call and without a size, so that a return address at the next one's begin is no return address.
 */
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
			sym.end = src->mark[low] - (src->mark[low] - sym.start > 1);
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

int dn_elfsyms_collect(struct dn_elfsyms *s, struct source *src, bool plt, struct syms *to)
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
		err = dn_elfsyms_add_plt(s, src);
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
		err = dn_elfsyms_add_sym(to, &sym);
	}
	s->complete |= complete;
	return err;
}

int dn_elfsyms_collect_debugdata(struct dn_elfsyms *s, struct source *src, struct syms *to)
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
		err = dn_elfsyms_collect(s, &inner, false, to);
	dn_elfsyms_source_close(&inner);
	free(image);
	/* Without it there are fewer names, as in a build without liblzma. */
	return err == -ENOMEM || err == -E2BIG ? err : 0;
}
