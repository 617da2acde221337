/*
 * human.c - numbers as people read them.
 *
 * A scaled number is held in tenths or hundredths of its unit: the rounding is
 * then one integer division, and the carry into the next unit one comparison.
 */
#include "human.h"

#include <inttypes.h>
#include <stdio.h>

/* value / unit, in 1/scale, rounded half up; exact for every 64-bit value. */
static uint64_t divide(uint64_t value, uint64_t unit, uint64_t scale)
{
	uint64_t whole = value / unit, rest = value % unit;

	/* rest * scale would overflow for the units near 2^60 */
	while (rest > UINT64_MAX / scale / 2) {
		rest >>= 1;
		unit >>= 1;
	}
	return whole * scale + (rest * scale + unit / 2) / unit;
}

/*
 * Writes value as a number of units with a suffix. With hundredths, numbers
 * below 10 have two decimals; else one below 100, none above. False if it
 * rounds to limit or more (in the unit): the caller takes its next unit then.
 */
static int put(char *buf, size_t cap, uint64_t value, uint64_t unit, uint64_t limit, int hundredths,
	       const char *suffix)
{
	uint64_t n = divide(value, unit, 100);

	if (hundredths && n < 1000) {
		snprintf(buf, cap, "%" PRIu64 ".%02" PRIu64 " %s", n / 100, n % 100, suffix);
		return 1;
	}
	n = divide(value, unit, 10);
	if (n < 1000 && n / 10 < limit) {
		snprintf(buf, cap, "%" PRIu64 ".%" PRIu64 " %s", n / 10, n % 10, suffix);
		return 1;
	}
	n = divide(value, unit, 1);
	if (n >= limit)
		return 0;
	snprintf(buf, cap, "%" PRIu64 " %s", n, suffix);
	return 1;
}

/* 2^64 has 20 digits: the sixth unit of either scale takes every value. */
static const char *const count_units[] = { "k", "M", "G", "T", "P", "E" };
static const char *const byte_units[] = { "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };

#define LAST 5

static char *scaled(char *buf, size_t cap, uint64_t n, uint64_t base, const char *const units[])
{
	uint64_t unit = base;

	for (unsigned i = 0; i < LAST; i++, unit *= base)
		if (put(buf, cap, n, unit, base, 0, units[i]))
			return buf;
	put(buf, cap, n, unit, UINT64_MAX, 0, units[LAST]);
	return buf;
}

char *dn_human_count(char *buf, size_t cap, uint64_t n)
{
	if (n >= 1000)
		return scaled(buf, cap, n, 1000, count_units);
	snprintf(buf, cap, "%" PRIu64, n);
	return buf;
}

char *dn_human_bytes(char *buf, size_t cap, uint64_t n)
{
	if (n >= 1024)
		return scaled(buf, cap, n, 1024, byte_units);
	snprintf(buf, cap, "%" PRIu64 " B", n);
	return buf;
}

char *dn_human_ns(char *buf, size_t cap, uint64_t ns)
{
	static const struct {
		uint64_t unit, per;
		const char *name, *below;
	} large[] = {
		{ 60, 1, "m", "s" },
		{ 3600, 60, "h", "m" },
		{ 86400, 3600, "d", "h" },
	};
	uint64_t s;
	unsigned i = 0;

	if (ns < 1000) {
		snprintf(buf, cap, "%" PRIu64 " ns", ns);
		return buf;
	}
	if (put(buf, cap, ns, 1000, 1000, 1, "us") || put(buf, cap, ns, 1000000, 1000, 1, "ms") ||
	    put(buf, cap, ns, 1000000000, 60, 1, "s"))
		return buf;

	/* The smaller of the two units is rounded; a carry there must reach the
	 * larger one (59 m 59.7 s is 1 h 00 m). */
	s = divide(ns, 1000000000, 1);
	while (i < 2 && divide(s, large[i].per, 1) * large[i].per >= large[i + 1].unit)
		i++;
	s = divide(s, large[i].per, 1) * large[i].per;
	snprintf(buf, cap, "%" PRIu64 " %s %02" PRIu64 " %s", s / large[i].unit, large[i].name,
		 s % large[i].unit / large[i].per, large[i].below);
	return buf;
}

char *dn_human_rate(char *buf, size_t cap, uint64_t events, uint64_t ns)
{
	char n[DN_HUMAN_SIZE];
	uint64_t rate;

	if (!ns) {
		snprintf(buf, cap, "-");
		return buf;
	}
	/* events * 1e9 / ns without the overflow, to the precision shown */
	if (events <= UINT64_MAX / 1000000000)
		rate = divide(events * 1000000000, ns, 1);
	else
		rate = divide(events, ns / 1000000000 ? ns / 1000000000 : 1, 1);
	snprintf(buf, cap, "%s/s", dn_human_count(n, sizeof(n), rate));
	return buf;
}

char *dn_human_percent(char *buf, size_t cap, uint64_t part, uint64_t whole)
{
	uint64_t n;

	if (!whole) {
		snprintf(buf, cap, "-");
		return buf;
	}
	n = divide(part, whole, 1000);
	if (!n && part)
		snprintf(buf, cap, "<0.1 %%");
	else
		snprintf(buf, cap, "%" PRIu64 ".%" PRIu64 " %%", n / 10, n % 10);
	return buf;
}

char *dn_human_digits(char *buf, size_t cap, uint64_t n)
{
	char text[DN_HUMAN_SIZE];
	char *p = text + sizeof(text);
	unsigned digits = 0;

	*--p = '\0';
	do {
		if (digits && digits % 3 == 0)
			*--p = ',';
		*--p = (char)('0' + n % 10);
		digits++;
	} while (n /= 10);
	snprintf(buf, cap, "%s", p);
	return buf;
}
