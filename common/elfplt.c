/*
 * elfplt.c - the forms of entries. All have their start at a multiple of 8 (x86-64)
 * or 4 bytes.
 */
#include "elfplt.h"

#include <elf.h>
#include <string.h>

#include "bytes.h"

/*
 * x86-64. In brackets what only some have; all are padded.
 *
 *	[endbr64]  [mov $index,%r11d]  [bnd] jmp *slot(%rip)  [push $index; jmp .plt]
 *
 * With endbr64 an entry has 16 bytes, with push too, else 8.
 */
static bool x86_64(const uint8_t *code, size_t left, uint64_t addr, struct dn_plt_entry *e)
{
	static const uint8_t endbr64[] = { 0xf3, 0x0f, 0x1e, 0xfa };
	uint8_t p[16] = { 0 };
	unsigned at = 0;
	bool endbr;

	if (left < 8)
		return false;
	memcpy(p, code, left < sizeof(p) ? left : sizeof(p));
	endbr = !memcmp(p, endbr64, sizeof(endbr64));
	if (endbr)
		at = sizeof(endbr64);
	if (endbr && p[at] == 0x41 && p[at + 1] == 0xbb)	/* mold */
		at += 6;
	if (p[at] == 0xf2)
		at++;
	if (at + 6 > sizeof(p) || p[at] != 0xff || p[at + 1] != 0x25)
		return false;
	e->slot = addr + at + 6 + (uint64_t)(int64_t)(int32_t)dn_get32(p + at + 2);
	at += 6;
	if (endbr || (at == 6 && p[at] == 0x68 && p[11] == 0xe9))
		e->size = 16;
	else if ((at == 6 && p[6] == 0x66 && p[7] == 0x90) || (at == 7 && p[7] == 0x90))
		e->size = 8;
	else
		return false;
	e->start = addr;
	return e->size <= left;
}

#define A64_BTI_C	0xd503245fu
#define A64_AUTIA1716	0xd503219fu
#define A64_BR_X17	0xd61f0220u

/*
 * AArch64:
 *
 *	[bti c]  adrp x16, page  ldr x17, [x16, #low]  add x16, x16, #low  [autia1716]  br x17
 */
static bool aarch64(const uint8_t *p, size_t left, uint64_t addr, struct dn_plt_entry *e)
{
	uint32_t op[6] = { 0 }, page;
	unsigned i = 0;
	int64_t pages;

	if (left < 16)
		return false;
	for (unsigned k = 0; k < 6 && 4 * k + 4 <= left; k++)
		op[k] = dn_get32(p + 4 * k);	/* instructions are little-endian in any file */
	if (op[0] == A64_BTI_C)
		i = 1;
	if ((op[i] & 0x9f00001f) != 0x90000010 || (op[i + 1] & 0xffc003ff) != 0xf9400211 ||
	    (op[i + 2] & 0xffc003ff) != 0x91000210)
		return false;
	page = (op[i] >> 5 & 0x7ffff) << 2 | (op[i] >> 29 & 3);
	pages = (int64_t)page - (page >> 20 ? 1 << 21 : 0);
	e->slot = ((addr + 4 * i) & ~UINT64_C(0xfff)) + (uint64_t)pages * 4096 +
		  (op[i + 1] >> 10 & 0xfff) * 8;
	i += 3;
	if (op[i] == A64_AUTIA1716)
		i++;
	if (i >= 6 || op[i] != A64_BR_X17)
		return false;
	e->start = addr;
	e->size = 4 * (i + 1);
	return true;
}

bool dn_plt_next(unsigned machine, const void *code, size_t len, uint64_t addr, size_t *at,
		 struct dn_plt_entry *e)
{
	const size_t step = machine == EM_X86_64 ? 8 : 4;

	if (machine != EM_X86_64 && machine != EM_AARCH64)
		return false;
	for (size_t i = *at; i < len; i += step)
		if (machine == EM_X86_64 ? x86_64((const uint8_t *)code + i, len - i, addr + i, e) :
					   aarch64((const uint8_t *)code + i, len - i, addr + i, e)) {
			*at = i + e->size;
			return true;
		}
	*at = len;
	return false;
}
