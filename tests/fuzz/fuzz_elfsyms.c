/*
 * fuzz_elfsyms.c - target: the names of an ELF file, and every answer from them. A name
 * is then demangled: it may be anything.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "demangle.h"
#include "elfsyms.h"

#define LOOKS 4096
#define NAMES 16	/* libiberty takes a millisecond for some */

const char fuzz_inputs[] = "elf";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct dn_elfsyms *s = dn_elfsyms_open_memory(data, len);
	size_t step = len / LOOKS + 1, names = 0;
	struct dn_elfsym sym;
	uint64_t last = UINT64_MAX;

	if (!s)
		return 0;
	for (size_t at = 0; at < len + step; at += step) {
		if (!dn_elfsyms_find(s, at, &sym))
			continue;
		if (at - sym.start >= sym.size || !sym.name[0] || strlen(sym.name) > DN_ELF_NAME_MAX + 4)
			abort();
		if (sym.start != last && names++ < NAMES)
			free(dn_demangle(sym.name));
		last = sym.start;
	}
	dn_elfsyms_free(s);
	return 0;
}
