/*
 * flags.h - numbers to the names of schema/flags.def. Any thread.
 */
#ifndef DN_ANALYZER_FLAGS_H
#define DN_ANALYZER_FLAGS_H

#include <stdbool.h>
#include <stdint.h>

#include "syscalls.h"
#include "text.h"

/* Is the kind a set of constants? */
static inline bool dn_kind_is_set(unsigned int kind)
{
	return kind >= DN_KIND_SETS && kind < DN_KIND_MAX;
}

/*
 * Writes a value as the names of the set `kind` in that ABI: "O_RDWR|O_CREAT",
 * a remainder in hexadecimal after them, "0x9 / * SEEK_??? * /" (without those
 * spaces) where nothing has a name.
 */
void dn_flags_text(struct dn_text *t, unsigned int kind, enum dn_abi abi, uint64_t value);

/* The name of one constant of an ENUM set, NULL if it has none. */
const char *dn_flags_name(unsigned int kind, uint64_t value);

/* Is the value a command (ioctl) that takes no further argument? */
bool dn_flags_noarg(unsigned int kind, uint64_t value);

/* The bits of the first constant of a set whose name ends so ("_CLOEXEC"); 0: none. */
uint64_t dn_flags_bits(unsigned int kind, enum dn_abi abi, const char *ending);

/* Is the set one of bits (FLAGS, WIDE, PERM)? */
bool dn_flags_are_bits(unsigned int kind);

#endif
