/*
 * when.c - durations with units and RFC 3339 times, without the C library's
 * calendar: that depends on the time zone of whoever runs us.
 */
#include "when.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#define SECOND INT64_C(1000000000)

static bool digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Exactly n digits at *s, between lo and hi. */
static bool number(const char **s, int n, int lo, int hi, int *out)
{
	int v = 0;

	for (int i = 0; i < n; i++) {
		if (!digit((*s)[i]))
			return false;
		v = v * 10 + (*s)[i] - '0';
	}
	*s += n;
	*out = v;
	return v >= lo && v <= hi;
}

/* ".123" at *s as ns of a unit; digits beyond a nanosecond are dropped. */
static int64_t fraction(const char **s, int64_t unit)
{
	int64_t ns = 0, scale = unit;

	if (**s != '.')
		return 0;
	for (++*s; digit(**s); ++*s) {
		/* what a longer unit loses here is below a nanosecond */
		scale /= 10;
		ns += scale * (**s - '0');
	}
	return ns;
}

/* Days from 1970-01-01, Gregorian, by counting from a first of March. */
static int64_t days(int year, int month, int day)
{
	int64_t y = month > 2 ? year : year - 1;
	int64_t m = month > 2 ? month - 3 : month + 9;

	return y * 365 + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 + day - 1 - 719468;
}

static int parse_wall(const char *s, struct dn_when *w)
{
	static const int length[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int year, month, day, hour, minute, second, oh = 0, om = 0, sign = 0;
	int64_t t, part;

	/* 2261: where 63 bits of ns end, nearly */
	if (!number(&s, 4, 1970, 2261, &year) || *s++ != '-' || !number(&s, 2, 1, 12, &month) ||
	    *s++ != '-' || !number(&s, 2, 1, length[month - 1], &day))
		return -EINVAL;
	if (day == 29 && month == 2 && (year % 4 || (year % 100 == 0 && year % 400)))
		return -EINVAL;
	if (*s != 'T' && *s != 't' && *s != ' ')
		return -EINVAL;
	s++;
	/* 60: a leap second, which counts as the one after it */
	if (!number(&s, 2, 0, 23, &hour) || *s++ != ':' || !number(&s, 2, 0, 59, &minute))
		return -EINVAL;
	if (*s++ != ':' || !number(&s, 2, 0, 60, &second))
		return -EINVAL;
	if (*s == '.' && !digit(s[1]))
		return -EINVAL;
	part = fraction(&s, SECOND);
	if (*s == '+' || *s == '-') {
		sign = *s++ == '+' ? 1 : -1;
		if (!number(&s, 2, 0, 23, &oh) || *s++ != ':' || !number(&s, 2, 0, 59, &om))
			return -EINVAL;
	} else if (*s == 'Z' || *s == 'z') {
		s++;
	}
	if (*s)
		return -EINVAL;
	t = days(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
	t -= sign * (oh * 3600 + om * 60);
	w->wall = true;
	w->ns = t * SECOND + part;
	return 0;
}

int dn_when_parse(const char *s, struct dn_when *w)
{
	static const struct {
		const char *name;
		int64_t ns;
	} unit[] = {
		{ "", SECOND }, { "s", SECOND }, { "ms", 1000000 }, { "us", 1000 }, { "ns", 1 },
		{ "m", 60 * SECOND }, { "min", 60 * SECOND }, { "h", 3600 * SECOND },
		{ "d", 86400 * SECOND },
	};
	bool negative = *s == '-';
	const char *p = s + negative, *q;
	int64_t whole = 0, ns;
	size_t digits;

	digits = strspn(p, "0123456789");
	if (digits == 4 && p[4] == '-' && !negative)
		return parse_wall(s, w);
	for (size_t i = 0; i < digits; i++) {
		if (whole > INT64_MAX / 100)
			return -EINVAL;
		whole = whole * 10 + p[i] - '0';
	}
	p += digits;
	q = p;
	if (*q == '.')
		q += 1 + strspn(q + 1, "0123456789");
	/* a digit somewhere */
	if (!digits && q - p < 2)
		return -EINVAL;
	for (size_t i = 0; i < sizeof(unit) / sizeof(unit[0]); i++) {
		if (strcmp(q, unit[i].name))
			continue;
		if (whole > INT64_MAX / unit[i].ns - 1)
			return -EINVAL;
		ns = whole * unit[i].ns + fraction(&p, unit[i].ns);
		w->wall = false;
		w->ns = negative ? -ns : ns;
		return 0;
	}
	return -EINVAL;
}

int dn_when_resolve(const struct dn_when *w, uint64_t wall_ns, int64_t *ns)
{
	*ns = w->ns;
	if (!w->wall)
		return 0;
	if (!wall_ns || wall_ns > INT64_MAX)
		return -ENODATA;
	*ns = w->ns - (int64_t)wall_ns;
	return 0;
}
