/*
 * fdtrack.h - what every descriptor of every process was at every moment.
 *
 * Ops (analyzer/fdcalls.h) go in, in the order of their times. The tracker
 * keeps the table of each process as it is, and of what has ended a record:
 * table, number, from, to. A look-up finds the one or the other.
 *
 * Tables are shared as the kernel shares them: by threads, and by processes
 * where clone(2) says so. What a descriptor stands for is an object, which
 * copies of it by dup(2) and fork(2) have in common: what is learnt late (it
 * was read as a directory, it is connected) holds for all of them.
 *
 * Not everything is in a trace. The kernel gives the lowest free number; so
 *   - a call that got number N says that those below it were in use (origin
 *     UNKNOWN where nobody saw them begin);
 *   - pipe(2) and socketpair(2) got the two lowest free ones. What was read from the caller's memory
 *     may have been written over since: where it agrees it is so; where it does not and can be true, it
 *     is believed, as `inferred`; else, and where nothing could be read, the two lowest free ones are,
 *     `inferred` where not all of the table is known (a process whose descriptors no snapshot told).
 * Descriptors that come by SCM_RIGHTS are seen when /proc or the rule tells.
 *
 * dn_fdtrack_apply(), _settle() and _forget() are for one thread; between them
 * any number of threads may look up, each with a cursor of its own.
 */
#ifndef DN_ANALYZER_FDTRACK_H
#define DN_ANALYZER_FDTRACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fd_kinds.h"
#include "fdcalls.h"

struct dn_fdtrack;

/* Numbers in all tables and records together; what is beyond is not tracked. */
#define DN_FDTRACK_MAX (1u << 21)

struct dn_fdtrack *dn_fdtrack_new(void);	/* NULL: no memory */
void dn_fdtrack_free(struct dn_fdtrack *t);

/* One op, not earlier than the one before; text: as the op's log has it.
 * 0 or -ENOMEM. */
int dn_fdtrack_apply(struct dn_fdtrack *t, const struct dn_fdop *op, const char *text,
		     uint32_t len);

/* Whether DN_FDTRACK_MAX or DN_FD_MAX left something out. */
bool dn_fdtrack_overflowed(const struct dn_fdtrack *t);

/* Records there are now. */
uint32_t dn_fdtrack_records(const struct dn_fdtrack *t);

/* What a descriptor was. */
struct dn_fd_span {
	uint32_t process;	/* whose, 0: not known */
	int32_t fd;
	uint64_t from, to;	/* boot clock; to UINT64_MAX: it is open */
	uint8_t kind;		/* enum dn_fd_kind */
	uint8_t origin;		/* enum dn_fd_origin */
	bool cloexec, inferred;
	const char *name;	/* NULL: none */
	size_t len;
};

/* "file", "tcp" and so on. */
const char *dn_fd_kind_name(unsigned kind);

/* Before look-ups: puts the records in order. 0 or -ENOMEM. */
int dn_fdtrack_settle(struct dn_fdtrack *t);

struct dn_fdcursor { uint32_t at; };	/* zero at first */

/* What fd of a thread was at a time: its kind, CLOSED, or UNKNOWN. Sets kind, name
 * and len of span, which may be NULL. */
unsigned dn_fdtrack_find(const struct dn_fdtrack *t, struct dn_fdcursor *c, uint32_t thread,
			 int32_t fd, uint64_t time, struct dn_fd_span *span);

/*
 * Hands records that ended before `before` to take (NULL: nobody wants them), in
 * the order of their ends, and forgets them. A table of several processes gives
 * its record once for each. With UINT64_MAX all is over: what is open goes too.
 */
int dn_fdtrack_forget(struct dn_fdtrack *t, uint64_t before,
		      int (*take)(void *ctx, const struct dn_fd_span *s), void *ctx);

#endif
