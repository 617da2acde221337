/*
 * calltext_int.h - what calltext.c and calltext_call.c share: a line in the
 * making. Nobody else includes it.
 */
#ifndef DN_ANALYZER_CALLTEXT_INT_H
#define DN_ANALYZER_CALLTEXT_INT_H

#include <string.h>

#include "calltext.h"
#include "sockaddr.h"
#include "syscalls.h"

struct line {
	struct dn_text *t;
	const struct dn_syscall *c;
	const struct dn_calltext_opts *opts;
	const struct dn_syscall_info *info;	/* NULL: a number that we do not know */
	enum dn_abi abi;
	unsigned int nargs;	/* to be shown */
	bool first;		/* no argument yet */
	bool word32;		/* pointers and longs have 32 bits */
	bool reg32;		/* so have registers */
};

void dn_line_init(struct line *l, struct dn_text *t, const struct dn_syscall *c,
		  const struct dn_calltext_opts *opts);

/* Register i; on a 32-bit ABI without what its upper half may hold. */
uint64_t dn_line_arg(const struct line *l, unsigned int i);

/* The comma before an argument, if it is not the first. */
void dn_line_next(struct line *l);

/* What a descriptor is, behind its number: as an argument, or as a result. */
void dn_line_fd(struct line *l, int64_t fd, bool result);
void dn_line_pointer(struct line *l, uint64_t v);
void dn_line_hex(struct line *l, uint64_t v);
void dn_line_signal(struct line *l, int sig);
void dn_line_ioprio(struct line *l, uint64_t v);

/* calltext_call.c */

/* The third argument of fcntl, with its comma; nothing where a command has none. */
void dn_line_fcntl_arg(struct line *l, uint64_t cmd, uint64_t v);
void dn_line_fcntl_result(struct line *l, uint64_t cmd, int64_t ret);

/* Writes all arguments of a call that has a form of its own; false: it has none. */
bool dn_line_special(struct line *l);

#endif
