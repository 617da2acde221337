/*
 * utf8.h - is this text? Pure functions, any thread.
 */
#ifndef DN_COMMON_UTF8_H
#define DN_COMMON_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Bytes of the well-formed UTF-8 sequence at p (1 to 4), or 0 where there is
 * none: the table of the Unicode standard, no surrogates, no overlong forms.
 * len is at least 1.
 */
unsigned dn_utf8_sequence(const char *p, size_t len);

/* True where all of it is well-formed UTF-8 and no byte is NUL: what the
 * database keeps as TEXT. */
bool dn_utf8_text(const char *p, size_t len);

#endif
