/*
 * say.h - what denet-analyze tells on the terminal besides its answer: errors
 * in three parts, and a progress line. Also what makes bytes of a trace safe
 * to print. Only the main thread calls these.
 */
#ifndef DN_ANALYZER_SAY_H
#define DN_ANALYZER_SAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/*
 * "denet-analyze: cannot WHAT SUBJECT: WHY. HINT." on stderr. subject and hint
 * may be NULL. Clears a progress line first.
 */
void dn_error(const char *what, const char *subject, const char *why, const char *hint);

/* "denet-analyze: TEXT" on stderr. */
__attribute__((format(printf, 1, 2))) void dn_remark(const char *fmt, ...);

/*
 * Writes bytes to a terminal or file: well-formed UTF-8 that prints as it is;
 * control characters, the invisible ones that turn text around, and bytes that
 * are no UTF-8 as \xNN. Returns the columns it took, one a character.
 */
size_t dn_put_safe(FILE *f, const char *p, size_t len);

/* The same into buf (cap bytes with the NUL), cut with "..." where it takes
 * more than `columns` columns. Returns the columns used. */
size_t dn_safe(char *buf, size_t cap, const char *p, size_t len, size_t columns);

/*
 * A line on stderr that says how far a long work has come. Shows nothing in
 * the first second, nor unless stderr is a terminal and !quiet.
 */
struct dn_progress {
	const char *what;	/* "reading run.dnt" */
	bool on;
	bool shown;
	uint64_t begun, last;	/* ns */
};

void dn_progress_begin(struct dn_progress *p, const char *what, bool quiet);
/* done of whole bytes (whole 0: not known), and a count of calls. */
void dn_progress_at(struct dn_progress *p, uint64_t done, uint64_t whole, uint64_t calls);
void dn_progress_end(struct dn_progress *p);

#endif
