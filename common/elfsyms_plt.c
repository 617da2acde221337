/*
 * elfsyms_plt.c - the procedure linkage table: each entry jumps to what the dynamic linker
 * writes into a slot, and is named after that.
 */
#include "elfsyms_int.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "elfplt.h"
#include "grow.h"

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
		err = dn_elfsyms_add_name(s, name, len, "@plt", &new.name);
		if (!err)
			err = dn_elfsyms_add_sym(&src->syms, &new);
	}
	free(code.p);
	return err;
}

int dn_elfsyms_add_plt(struct dn_elfsyms *s, struct source *src)
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
