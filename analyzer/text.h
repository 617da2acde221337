/*
 * text.h - a text that grows.
 *
 * Zero it before the first use, free it after the last. A failed allocation
 * makes every later call do nothing and sets `failed`, so that a caller checks
 * once, at the end. One thread at a time.
 */
#ifndef DN_ANALYZER_TEXT_H
#define DN_ANALYZER_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct dn_text {
	char *p;	/* ends with NUL where len > 0 */
	size_t len;
	size_t cap;
	bool failed;
};

void dn_text_free(struct dn_text *t);

/* Empties it and keeps the memory; also clears `failed`. */
void dn_text_reset(struct dn_text *t);

void dn_text_char(struct dn_text *t, char c);
void dn_text_add(struct dn_text *t, const char *s);
void dn_text_bytes(struct dn_text *t, const char *p, size_t len);
__attribute__((format(printf, 2, 3))) void dn_text_addf(struct dn_text *t, const char *format, ...);

/* Spaces up to a length of `column`, none where it is longer already. */
void dn_text_pad(struct dn_text *t, size_t column);

/*
 * Bytes in double quotes, as C would have them: what does not print in ASCII
 * becomes \n and the like or the shortest octal escape.
 */
void dn_text_quote(struct dn_text *t, const char *p, size_t len);

/* The same without the quotes, for what stands between < and >: those are octal. */
void dn_text_angle(struct dn_text *t, const char *p, size_t len);

#endif
