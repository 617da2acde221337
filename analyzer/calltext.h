/*
 * calltext.h - one system call as a line of text, in the form strace gives it.
 *
 *   openat(AT_FDCWD, "/etc/passwd", O_RDONLY|O_CLOEXEC) = 3 <0.000012>
 *
 * What a trace does not hold stays a number: the contents of buffers and
 * structures are shown as their address. Any thread.
 */
#ifndef DN_ANALYZER_CALLTEXT_H
#define DN_ANALYZER_CALLTEXT_H

#include "record.h"
#include "text.h"

struct dn_calltext_opts {
	unsigned int align;	/* column of the " = "; 0: right behind; strace: 40 */
	unsigned int str_max;	/* bytes shown of a string that is no path; 0: all; strace: 32 */
	bool duration;		/* "<0.000012>" at the end */
	/* Writes what a descriptor of the call was at a time, such as "</etc/passwd>",
	 * behind its number; NULL: nobody does. */
	void (*fd)(void *ctx, struct dn_text *t, const struct dn_syscall *c, int32_t fd,
		   uint64_t time);
	void *ctx;
};

/* Appends the line for c, without a newline. t->failed: no memory. */
void dn_calltext(struct dn_text *t, const struct dn_syscall *c,
		 const struct dn_calltext_opts *opts);

/* Only what is between the parentheses. */
void dn_calltext_args(struct dn_text *t, const struct dn_syscall *c,
		      const struct dn_calltext_opts *opts);

/* Only what follows " = ". For a call without end: "?" where it never returns
 * (exit), else nothing. */
void dn_calltext_result(struct dn_text *t, const struct dn_syscall *c);

#endif
