/*
 * redact_scan.h - secrets that a text shows by itself, and the ranges and marks
 * that redact.c shares with them. Private to redact*.c.
 *
 * Everything works on ranges of one text and never looks outside of them.
 */
#ifndef DN_RECORDER_REDACT_SCAN_H
#define DN_RECORDER_REDACT_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "redact.h"

struct dn_scan {
	const char *p;
	size_t len;
	bool cut;		/* p ends inside an argument */
	uint8_t mark[DN_REDACT_MAX / 8];
};

struct dn_span {
	size_t a, b;		/* [a, b) of the text */
};

bool dn_is_alpha(char c);
bool dn_is_alnum(char c);
bool dn_is_quote(char c);
bool dn_any_of(char c, const char *set);	/* never for a NUL */

size_t dn_span_len(struct dn_span t);
bool dn_equals(const struct dn_scan *s, struct dn_span t, const char *word);

/* Does the text of t go on with word at i, whatever its case? */
bool dn_has_word(const struct dn_scan *s, struct dn_span t, size_t i, const char *word);

/* The first, the last place of c; the first of any of set. t.b: nowhere. */
size_t dn_find(const struct dn_scan *s, struct dn_span t, char c);
size_t dn_find_last(const struct dn_scan *s, struct dn_span t, char c);
size_t dn_end_of_any(const struct dn_scan *s, struct dn_span t, const char *set);

/* Where the text that a quote q opened ends: before its twin, or at t.b. An
 * escaped quote is closed by an escaped one. */
size_t dn_quote_end(const struct dn_scan *s, struct dn_span t, char q, bool escaped);

/* t without the quotes around it. */
struct dn_span dn_unquote(const struct dn_scan *s, struct dn_span t);

/* Marks t, without quotes around it, as secret. */
void dn_mark(struct dn_scan *s, struct dn_span t);

/* Marks what is behind the first `split`, nothing where there is none; all for 0. */
void dn_mark_split(struct dn_scan *s, struct dn_span t, char split);

/* Marks what t shows by itself. whole: t is one argument, so that a NAME= at
 * its very beginning owns all the rest. */
void dn_scan_anywhere(struct dn_scan *s, struct dn_span t, bool whole);

#endif
