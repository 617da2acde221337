/*
 * elfplt.h - the entries of a procedure linkage table, recognized by their code.
 *
 * An entry jumps to what a slot of the global offset table holds, and a relocation
 * says whose address is written into the slot: that is the function's name. So neither
 * the order nor the size of entries need be known, which linkers choose as they like
 * (.plt, .plt.sec, .plt.got; with and without CET or BTI). Code that is none of the
 * known forms has no name.
 *
 * x86-64: "System V ABI, AMD64", 5.2, and what ld, lld, gold and mold write.
 * AArch64: "ELF for the Arm 64-bit Architecture", appendix on PLT sequences.
 */
#ifndef DN_COMMON_ELFPLT_H
#define DN_COMMON_ELFPLT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dn_plt_entry {
	uint64_t start;		/* virtual addresses */
	uint32_t size;
	uint64_t slot;		/* of the global offset table */
};

/*
 * The first entry at or behind *at in the len bytes of code that are at addr, for
 * the machine of an ELF header. Puts *at behind it. False: there is no more.
 */
bool dn_plt_next(unsigned machine, const void *code, size_t len, uint64_t addr, size_t *at,
		 struct dn_plt_entry *e);

#endif
