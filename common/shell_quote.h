/*
 * shell_quote.h - an argument list as one line that a POSIX shell reads back.
 *
 * Bytes are kept as they are, control characters too (a terminal's safety is
 * the business of whoever prints); pure functions, any thread.
 */
#ifndef DN_COMMON_SHELL_QUOTE_H
#define DN_COMMON_SHELL_QUOTE_H

#include <stddef.h>

/*
 * argv: arguments each ended by a NUL, the last one's may be missing. Writes
 * the line without a NUL, cut at cap, and returns the length it has uncut.
 */
size_t dn_shell_quote(const char *argv, size_t len, char *out, size_t cap);

#endif
