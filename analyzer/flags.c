/*
 * flags.c - numbers to the names of schema/flags.def.
 *
 * Every set is an array of entries, ended by one without name; `sets` finds
 * it by the kind. Bits are matched in the order of the table, and what a name
 * covers is taken away before the next, so that O_SYNC comes before O_DSYNC,
 * which is a part of it.
 */
#include "flags.h"

#include <stddef.h>
#include <string.h>

enum style { FLAGS, WIDE, PERM, ENUM, SIGNED, NOTED };
enum match { BITS, ARM_BITS, X86_BITS, WHOLE, FIELD, SHIFT, COMMAND };

struct entry {
	const char *name;
	uint64_t value;		/* SHIFT: how far */
	uint64_t mask;
	enum match match;
};

#define SET(id, style, unknown) static const struct entry set_##id[] = {
#define FLAG(name, value) { #name, (uint64_t)(value), (uint64_t)(value), BITS },
#define FLAG_X86(name, value) { #name, value, value, X86_BITS },
#define FLAG_ARM(name, value) { #name, value, value, ARM_BITS },
#define EXACT(name, value) { #name, value, 0, WHOLE },
#define MASKED(name, value, mask) { #name, value, mask, FIELD },
#define SHIFTED(name, shift, mask) { #name, shift, mask, SHIFT },
#define NOARG(name, value) { #name, value, value, COMMAND },
#define END_SET { NULL, 0, 0, BITS } };
#include "flags.def"

static const struct set {
	const struct entry *entries;
	enum style style;
	const char *unknown;
} sets[] = {
#define SET(id, style, unknown) [DN_KIND_##id - DN_KIND_SETS] = { set_##id, style, unknown },
#include "flags.def"
};

static const struct set *set_of(unsigned int kind)
{
	return dn_kind_is_set(kind) ? &sets[kind - DN_KIND_SETS] : NULL;
}

bool dn_flags_are_bits(unsigned int kind)
{
	const struct set *set = set_of(kind);

	return set && (set->style == FLAGS || set->style == WIDE || set->style == PERM);
}

static bool is_arm(enum dn_abi abi)
{
	return abi == DN_ABI_ARM || abi == DN_ABI_AARCH64;
}

uint64_t dn_flags_bits(unsigned int kind, enum dn_abi abi, const char *ending)
{
	const struct set *set = set_of(kind);
	size_t len = strlen(ending);

	for (const struct entry *e = set ? set->entries : NULL; e && e->name; e++) {
		size_t n = strlen(e->name);

		if (n >= len && !strcmp(e->name + n - len, ending) &&
		    !(e->match == ARM_BITS && !is_arm(abi)) &&
		    !(e->match == X86_BITS && is_arm(abi)))
			return e->value;
	}
	return 0;
}

static const struct entry *find_constant(const struct set *set, uint64_t value)
{
	const struct entry *e;

	for (e = set->entries; e->name; e++)
		if ((uint32_t)e->value == (uint32_t)value)
			return e;
	return NULL;
}

const char *dn_flags_name(unsigned int kind, uint64_t value)
{
	const struct set *set = set_of(kind);
	const struct entry *e = set ? find_constant(set, value) : NULL;

	return e ? e->name : NULL;
}

bool dn_flags_noarg(unsigned int kind, uint64_t value)
{
	const struct set *set = set_of(kind);
	const struct entry *e = set ? find_constant(set, value) : NULL;

	return e && e->match == COMMAND;
}

static void put_unknown(struct dn_text *t, const struct set *set, uint64_t value)
{
	dn_text_addf(t, "%#llx", (unsigned long long)value);
	if (set->unknown[0])
		dn_text_addf(t, " /* %s */", set->unknown);
}

static void put_constant(struct dn_text *t, const struct set *set, uint64_t value)
{
	const struct entry *e = find_constant(set, value);

	if (set->style == NOTED)
		dn_text_addf(t, "%d /* %s */", (int)value, e ? e->name : set->unknown);
	else if (e)
		dn_text_add(t, e->name);
	else if (set->style == SIGNED)
		dn_text_addf(t, "%d", (int)value);
	else
		put_unknown(t, set, (uint32_t)value);
}

/* Does the entry cover some of the value, and which bits of it? */
static bool entry_matches(const struct entry *e, enum dn_abi abi, uint64_t value)
{
	switch (e->match) {
	case X86_BITS:
		if (is_arm(abi))
			return false;
		break;
	case ARM_BITS:
		if (!is_arm(abi))
			return false;
		break;
	case WHOLE:
	case SHIFT:
		return false;
	default:
		break;
	}
	return (value & e->mask) == e->value && (e->match == FIELD || e->value);
}

static void put_bits(struct dn_text *t, const struct set *set, enum dn_abi abi, uint64_t value)
{
	const struct entry *e;
	uint64_t left = value, taken = 0, perm = 0;
	size_t start = t->len;

	for (e = set->entries; e->name; e++)
		if (e->match == WHOLE && e->value == value) {
			dn_text_add(t, e->name);
			return;
		}
	if (set->style == PERM) {
		perm = value & 0777;
		left &= ~(uint64_t)0777;
	}
	for (e = set->entries; e->name; e++) {
		if (e->match == SHIFT) {
			left &= ~e->mask;
			continue;
		}
		/* A field that is 0 is still one: its bits count once only. */
		if (!entry_matches(e, abi, left) || (e->mask & taken))
			continue;
		dn_text_addf(t, "%s%s", t->len > start ? "|" : "", e->name);
		left &= ~e->mask;
		taken |= e->mask;
	}
	if (left && t->len == start)
		put_unknown(t, set, left);
	else if (left)
		dn_text_addf(t, "|%#llx", (unsigned long long)left);
	for (e = set->entries; e->name; e++)
		if (e->match == SHIFT && (value & e->mask))
			dn_text_addf(t, "%s%llu<<%s", t->len > start ? "|" : "",
				     (unsigned long long)((value & e->mask) >> e->value), e->name);
	if (set->style == PERM)
		dn_text_addf(t, "%s%#03llo", t->len > start ? "|" : "", (unsigned long long)perm);
	else if (t->len == start)
		dn_text_char(t, '0');
}

void dn_flags_text(struct dn_text *t, unsigned int kind, enum dn_abi abi, uint64_t value)
{
	const struct set *set = set_of(kind);

	if (!set)
		dn_text_addf(t, "%#llx", (unsigned long long)value);
	else if (!dn_flags_are_bits(kind))
		put_constant(t, set, value);
	else
		put_bits(t, set, abi, set->style == WIDE ? value : (uint32_t)value);
}
