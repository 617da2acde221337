/*
 * syscalls.c - look-ups in the tables of system calls.
 *
 * common/syscalls_gen.h is made by schema/gen-syscalls.awk: `defs`, one entry
 * for each line of syscalls.def, and for each ABI an abi_table. A number is an
 * index into by_nr, whose values are indexes into defs, 0 for none. by_name
 * holds the numbers in the order of their names.
 */
#include "syscalls.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct abi_table {
	const uint16_t *by_nr;
	uint32_t n;
	const uint16_t *by_high_nr;	/* from HIGH_NR on */
	uint32_t nhigh;
	const uint32_t *by_name;
	uint32_t nnames;
};

/* arm numbers its private calls from here. */
#define HIGH_NR 0x0f0000u

#include "syscalls_gen.h"

static const struct abi_table *table_of(enum dn_abi abi)
{
	static const struct abi_table none;

	return (unsigned int)abi < DN_ABI_MAX ? &abi_tables[abi] : &none;
}

const struct dn_syscall_info *dn_syscall_info(enum dn_abi abi, uint32_t nr)
{
	const struct abi_table *t = table_of(abi);
	unsigned int def = 0;

	if (nr < t->n)
		def = t->by_nr[nr];
	else if (nr >= HIGH_NR && nr - HIGH_NR < t->nhigh)
		def = t->by_high_nr[nr - HIGH_NR];
	return def ? &defs[def] : NULL;
}

int dn_syscall_nr(enum dn_abi abi, const char *name)
{
	const struct abi_table *t = table_of(abi);
	uint32_t low = 0, high = t->nnames;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		uint32_t nr = t->by_name[mid];
		int order = strcmp(name, dn_syscall_info(abi, nr)->name);

		if (order == 0)
			return (int)nr;
		if (order < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return -ENOENT;
}

uint32_t dn_syscall_end(enum dn_abi abi)
{
	return table_of(abi)->n;
}

const char *dn_syscall_name(enum dn_abi abi, uint32_t nr, char buf[DN_SYSCALL_NAME_SIZE])
{
	const struct dn_syscall_info *info = dn_syscall_info(abi, nr);

	if (info)
		return info->name;
	snprintf(buf, DN_SYSCALL_NAME_SIZE, "syscall_%#x", (unsigned int)nr);
	return buf;
}

enum dn_category dn_syscall_category(enum dn_abi abi, uint32_t nr)
{
	const struct dn_syscall_info *info = dn_syscall_info(abi, nr);

	return info ? (enum dn_category)info->category : DN_CATEGORY_OTHER;
}

const char *dn_category_name(unsigned int category)
{
	static const char *const names[] = {
#define CATEGORY(value, id, name, doc) [value] = name,
		DN_CATEGORY_TABLE(CATEGORY)
#undef CATEGORY
	};

	return category < DN_CATEGORY_MAX ? names[category] : NULL;
}

const char *dn_category_doc(unsigned int category)
{
	static const char *const docs[] = {
#define CATEGORY(value, id, name, doc) [value] = doc,
		DN_CATEGORY_TABLE(CATEGORY)
#undef CATEGORY
	};

	return category < DN_CATEGORY_MAX ? docs[category] : NULL;
}

int dn_category_by_name(const char *name)
{
	for (int i = 0; i < DN_CATEGORY_MAX; i++)
		if (strcmp(dn_category_name((unsigned int)i), name) == 0)
			return i;
	return -ENOENT;
}

static const struct {
	const char *name;
	unsigned int pointer_size;
} abis[] = {
#define ABI(value, id, name, ptr) [value] = { name, ptr },
	DN_ABI_TABLE(ABI)
#undef ABI
};

const char *dn_abi_name(unsigned int abi)
{
	return abi < DN_ABI_MAX ? abis[abi].name : NULL;
}

int dn_abi_by_name(const char *name)
{
	for (int i = 0; i < DN_ABI_MAX; i++)
		if (strcmp(abis[i].name, name) == 0)
			return i;
	return -ENOENT;
}

unsigned int dn_abi_pointer_size(enum dn_abi abi)
{
	return (unsigned int)abi < DN_ABI_MAX ? abis[abi].pointer_size : 8;
}
