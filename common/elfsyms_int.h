/*
 * elfsyms_int.h - what elfsyms.c (opening, order, questions), elfsyms_collect.c (the
 * symbols of one file) and elfsyms_plt.c (its procedure linkage table) share.
 * Private to them.
 */
#ifndef DN_COMMON_ELFSYMS_INT_H
#define DN_COMMON_ELFSYMS_INT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "elfread.h"
#include "elfsyms.h"

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

void dn_elfsyms_source_close(struct source *src);

/* Copies name and tail, one after the other. 0, -E2BIG, -ENOMEM. */
int dn_elfsyms_add_name(struct dn_elfsyms *s, const char *name, size_t len, const char *tail,
			uint32_t *at);
/* 0, -E2BIG, -ENOMEM. */
int dn_elfsyms_add_sym(struct syms *to, const struct sym *sym);

/* The symbols of a file that is open, in file offsets, behind those in to. 0, -E2BIG, -ENOMEM. */
int dn_elfsyms_collect(struct dn_elfsyms *s, struct source *src, bool plt, struct syms *to);
/* MiniDebugInfo: an ELF file in a section of another, with no such section itself. */
int dn_elfsyms_collect_debugdata(struct dn_elfsyms *s, struct source *src, struct syms *to);

/* The entries of the linkage table, as symbols of src. After .dynsym was loaded. 0, -E2BIG, -ENOMEM. */
int dn_elfsyms_add_plt(struct dn_elfsyms *s, struct source *src);

#endif
