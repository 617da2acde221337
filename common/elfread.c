/*
 * elfread.c - tables of either class and order of bytes, by libelf's translation.
 *
 * Not with an Elf of libelf: elf_begin(3) on a file takes memory for as many sections as
 * its header claims, and reads them again after they were checked, while another
 * process may change them. Here a table is read once, into memory of its checked size.
 */
#include "elfread.h"

#include <errno.h>
#include <libelf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "elfsyms.h"

/* len bytes from there on, all of them. */
static bool read_at(const struct dn_elfread *f, void *to, size_t len, uint64_t at)
{
	ssize_t n;

	if (f->fd < 0) {
		if (at > f->image_len || len > f->image_len - at)
			return false;
		memcpy(to, f->image + at, len);
		return true;
	}
	if (at > INT64_MAX - len)
		return false;
	while (len) {
		n = pread(f->fd, to, len, (off_t)at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		to = (char *)to + n;
		at += (uint64_t)n;
		len -= (size_t)n;
	}
	return true;
}

static bool translate(const struct dn_elfread *f, void *p, size_t len, Elf_Type type)
{
	Elf_Data d = { .d_buf = p, .d_type = type, .d_version = EV_CURRENT, .d_size = len };

	return f->wide ? elf64_xlatetom(&d, &d, f->order) : elf32_xlatetom(&d, &d, f->order);
}

/* Reads a table of type. 0, also where it cannot be read, then d->p is NULL; -E2BIG, -ENOMEM. */
static int load(struct dn_elfread *f, Elf_Type type, uint64_t at, uint64_t len,
		struct dn_elfdata *d)
{
	size_t one = f->wide ? elf64_fsize(type, 1, EV_CURRENT) : elf32_fsize(type, 1, EV_CURRENT);

	*d = (struct dn_elfdata){ 0 };
	if (len < one)
		return 0;
	if (len > f->left)
		return -E2BIG;
	f->left -= len;
	d->n = len / one;
	d->len = d->n * one;
	d->p = malloc(d->len);
	if (!d->p)
		return -ENOMEM;
	if (!read_at(f, d->p, d->len, at) || !translate(f, d->p, d->len, type)) {
		free(d->p);
		*d = (struct dn_elfdata){ 0 };
	}
	return 0;
}

GElf_Phdr dn_elfread_segment(const struct dn_elfread *f, size_t i)
{
	const Elf32_Phdr *h = (const Elf32_Phdr *)(const void *)f->segments.p + i;

	if (f->wide)
		return ((const Elf64_Phdr *)(const void *)f->segments.p)[i];
	return (GElf_Phdr){ h->p_type,	h->p_flags,  h->p_offset, h->p_vaddr,
			    h->p_paddr, h->p_filesz, h->p_memsz,  h->p_align };
}

GElf_Shdr dn_elfread_section(const struct dn_elfread *f, size_t i)
{
	const Elf32_Shdr *h = (const Elf32_Shdr *)(const void *)f->sections.p + i;

	if (f->wide)
		return ((const Elf64_Shdr *)(const void *)f->sections.p)[i];
	return (GElf_Shdr){ h->sh_name, h->sh_type, h->sh_flags, h->sh_addr,	  h->sh_offset,
			    h->sh_size, h->sh_link, h->sh_info,	 h->sh_addralign, h->sh_entsize };
}

GElf_Sym dn_elfread_symbol(const struct dn_elfread *f, const struct dn_elfdata *d, size_t i)
{
	const Elf32_Sym *y = (const Elf32_Sym *)(const void *)d->p + i;

	if (f->wide)
		return ((const Elf64_Sym *)(const void *)d->p)[i];
	return (GElf_Sym){
		y->st_name, y->st_info, y->st_other, y->st_shndx, y->st_value, y->st_size
	};
}

int dn_elfread_open(struct dn_elfread *f)
{
	union {
		unsigned char ident[EI_NIDENT];
		Elf32_Ehdr narrow;
		Elf64_Ehdr wide;
	} h;
	GElf_Ehdr *to = &f->head;
	int err;

	memset(&h, 0, sizeof(h));
	elf_version(EV_CURRENT);
	f->left = DN_ELF_READ_MAX;
	if (!read_at(f, h.ident, EI_NIDENT, 0) || memcmp(h.ident, ELFMAG, SELFMAG) != 0 ||
	    (h.ident[EI_CLASS] != ELFCLASS32 && h.ident[EI_CLASS] != ELFCLASS64))
		return -ENOEXEC;
	f->wide = h.ident[EI_CLASS] == ELFCLASS64;
	f->order = h.ident[EI_DATA];
	if (!read_at(f, &h, f->wide ? sizeof(h.wide) : sizeof(h.narrow), 0) ||
	    !translate(f, &h, f->wide ? sizeof(h.wide) : sizeof(h.narrow), ELF_T_EHDR))
		return -ENOEXEC;
	if (f->wide)
		*to = h.wide;
	else
		*to = (GElf_Ehdr){ .e_type = h.narrow.e_type,
				   .e_machine = h.narrow.e_machine,
				   .e_phoff = h.narrow.e_phoff,
				   .e_phnum = h.narrow.e_phnum,
				   .e_phentsize = h.narrow.e_phentsize,
				   .e_shoff = h.narrow.e_shoff,
				   .e_shnum = h.narrow.e_shnum,
				   .e_shentsize = h.narrow.e_shentsize,
				   .e_shstrndx = h.narrow.e_shstrndx };
	if (to->e_type != ET_EXEC && to->e_type != ET_DYN)
		return -ENOEXEC;
	/* Numbers beyond 16 bits stand in section 0; object and core files have that. */
	if (to->e_phnum > DN_ELF_SEGMENTS_MAX || to->e_shnum >= SHN_LORESERVE ||
	    (!to->e_shnum && to->e_shoff))
		return -E2BIG;
	if ((to->e_phnum &&
	     to->e_phentsize != (f->wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr))) ||
	    (to->e_shnum && to->e_shentsize != (f->wide ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr))))
		return -ENOEXEC;
	err = load(f, ELF_T_PHDR, to->e_phoff, (uint64_t)to->e_phnum * to->e_phentsize,
		   &f->segments);
	if (err)
		return err;
	/* Cut before its section headers, a file is as good as one without any. */
	return load(f, ELF_T_SHDR, to->e_shoff, (uint64_t)to->e_shnum * to->e_shentsize,
		    &f->sections);
}

int dn_elfread_contents(struct dn_elfread *f, size_t i, Elf_Type type, struct dn_elfdata *d)
{
	GElf_Shdr h = { 0 };

	*d = (struct dn_elfdata){ 0 };
	if (i && i < f->sections.n)
		h = dn_elfread_section(f, i);
	if (h.sh_type == SHT_NULL || h.sh_type == SHT_NOBITS || h.sh_flags & SHF_COMPRESSED)
		return 0;
	return load(f, type, h.sh_offset, h.sh_size, d);
}

const char *dn_elfread_string(const struct dn_elfdata *strings, uint64_t at, size_t *len)
{
	const char *p, *end;
	size_t room;

	if (at >= strings->len)
		return NULL;
	p = strings->p + at;
	room = strings->len - at;
	end = memchr(p, 0, room < DN_ELF_NAME_MAX ? room : DN_ELF_NAME_MAX);
	if (!end)
		return NULL;
	*len = (size_t)(end - p);
	return p;
}

static int add_notes(struct dn_elfread *f, uint64_t at, uint64_t len, uint64_t align,
		     struct dn_build_id *id)
{
	struct dn_elfdata d;
	int err;

	if (id->len || len > DN_ELF_NOTES_MAX)
		return 0;
	err = load(f, ELF_T_BYTE, at, len, &d);
	if (d.p)
		dn_build_id_find(d.p, d.len, align, f->order == ELFDATA2MSB, id);
	free(d.p);
	return err;
}

int dn_elfread_build_id(struct dn_elfread *f, bool debug, struct dn_build_id *id)
{
	int err = 0;

	*id = (struct dn_build_id){ 0 };
	for (int pass = 0; pass < 2; pass++) {
		bool by_section = debug == !pass;

		for (size_t i = 0; !by_section && i < f->segments.n && !err; i++) {
			GElf_Phdr h = dn_elfread_segment(f, i);

			if (h.p_type == PT_NOTE)
				err = add_notes(f, h.p_offset, h.p_filesz, h.p_align, id);
		}
		for (size_t i = 0; by_section && i < f->sections.n && !err; i++) {
			GElf_Shdr h = dn_elfread_section(f, i);

			if (h.sh_type == SHT_NOTE)
				err = add_notes(f, h.sh_offset, h.sh_size, h.sh_addralign, id);
		}
	}
	return err;
}

void dn_elfread_close(struct dn_elfread *f)
{
	free(f->segments.p);
	free(f->sections.p);
}
