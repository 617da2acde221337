/*
 * fdcalls.h - what a system call does to the descriptors of its process, and
 * which descriptor it is about.
 *
 * A call that changes something becomes one struct dn_fdop; so do the rows of
 * process life that do. In the order of their times they are all that
 * analyzer/fdtrack.h needs to know what every descriptor was at every moment.
 *
 * The time of an op is when it takes effect for others: a descriptor that a
 * call makes is there from the call's end; close() gives the number back
 * somewhere in the call, and whoever gets the same number afterwards has it
 * later than the beginning of the close. A number that a call will give is taken
 * early in it: what other calls get meanwhile depends on that, so a call that
 * took long has an op at its beginning, too.
 */
#ifndef DN_ANALYZER_FDCALLS_H
#define DN_ANALYZER_FDCALLS_H

#include <stdbool.h>
#include <stdint.h>

#include "record.h"

#define DN_EBADF 9		/* of Linux, as the errnos of a trace are */

struct dn_callstr_buf;

/* Larger numbers are not tracked: it is the kernel's default of fs.nr_open. */
#define DN_FD_MAX (1 << 20)

#define DN_CLONE_FILES 0x400u		/* linux/sched.h */
#define DN_CLONE_PIDFD 0x1000u
#define DN_CLOSE_RANGE_UNSHARE 2u	/* linux/close_range.h */
#define DN_CLOSE_RANGE_CLOEXEC 4u

enum dn_fdop_kind {
	DN_FDOP_NONE,
	/* Rows first, where times are equal: a child's birth before its calls. */
	DN_FDOP_START,		/* fd: process, fd2: parent thread, arg: clone flags, kind: dn_origin */
	DN_FDOP_EXEC,		/* fd: process, text: working directory */
	DN_FDOP_SNAPSHOT,	/* thread: process, fd, text: what /proc says of it */
	DN_FDOP_CLOSE,		/* fd; fd2: 1: it was not open */
	DN_FDOP_CLOSE_RANGE,	/* fd to fd2, arg: flags */
	DN_FDOP_RESERVE,	/* fd is what a call that begins now will make */
	DN_FDOP_MAKE,		/* fd; kind, text: path, fd2: directory of a relative one */
	DN_FDOP_DUP,		/* fd2 becomes fd too, the lowest that is free from arg on */
	DN_FDOP_DUP_AT,		/* fd2 becomes fd too, which it had before or not */
	DN_FDOP_PAIR,		/* two of kind: fd and fd2, as read from the caller's memory; -1: not read */
	DN_FDOP_CLOEXEC,	/* fd */
	DN_FDOP_ACCEPT,		/* fd from the socket fd2, text: peer */
	DN_FDOP_NAME,		/* fd has the address text */
	DN_FDOP_SOCKET,		/* fd is a socket of this kind, text: peer */
	DN_FDOP_DIRECTORY,	/* fd is one */
	DN_FDOP_UNSHARE,
	DN_FDOP_CHDIR,		/* text, or the directory fd2 */
	DN_FDOP_EXIT,		/* fd: process */
};

struct dn_fdop {
	uint64_t time;
	uint32_t thread;
	uint32_t text;		/* offset + 1 in the log's bytes; 0: none */
	int32_t fd, fd2;
	uint32_t arg;
	uint32_t seq;		/* of the call in its thread */
	uint32_t took;		/* ns of the call */
	uint8_t what;		/* enum dn_fdop_kind */
	uint8_t kind;		/* enum dn_fd_kind */
	bool cloexec;
	uint8_t log;		/* whose bytes: set when logs are joined */
};

/* Ops in the order in which they were read, and their texts: length, bytes. */
struct dn_fdlog {
	struct dn_fdop *op;
	uint32_t n, cap;
	char *text;
	uint32_t bytes, bytes_cap;
	struct dn_callstr_buf *buf;	/* of addresses */
};

void dn_fdlog_free(struct dn_fdlog *l);
void dn_fdlog_clear(struct dn_fdlog *l);
/* The text at offset + 1. */
const char *dn_fdlog_text(const struct dn_fdlog *l, uint32_t at, uint32_t *len);

/* How a call deals with descriptors. */
struct dn_fdcall {
	uint8_t effect;		/* of fdcalls.c; 0: it changes none */
	uint8_t makes;		/* enum dn_fd_kind */
	int8_t about;		/* argument; -1: none */
	int8_t in, out;		/* arguments that its bytes come from and go to; -1: none */
	int8_t flags;		/* argument with the close-on-exec bit; -1: none */
	uint32_t cloexec;	/* the bit */
	uint32_t directory, tempfile;	/* O_DIRECTORY, which is in O_TMPFILE too */
};

/* Of every call of every ABI; read-only once made. NULL: no memory. */
struct dn_fdcalls;
struct dn_fdcalls *dn_fdcalls_new(void);
void dn_fdcalls_free(struct dn_fdcalls *c);

/* Never NULL. */
const struct dn_fdcall *dn_fdcalls_get(const struct dn_fdcalls *c, unsigned abi, uint32_t nr);

/* The descriptor in an argument, -1 where the call has none there (or AT_FDCWD). */
static inline int32_t dn_fdcall_arg(const struct dn_syscall *s, int arg)
{
	int32_t fd = arg < 0 || arg >= s->nargs ? -1 : (int32_t)(uint32_t)s->args[arg];

	return fd < 0 ? -1 : fd;
}

/* For qsort(): by time, and what is of the same time so that it makes sense. */
int dn_fdop_compare(const void *a, const void *b);

/* An op of another log, with its text. 0 or -ENOMEM. */
int dn_fdlog_copy(struct dn_fdlog *l, const struct dn_fdlog *from, const struct dn_fdop *op);

/* Adds what a call does, if it does anything. 0 or -ENOMEM. */
int dn_fdlog_call(struct dn_fdlog *l, const struct dn_fdcalls *c, const struct dn_syscall *s);

/* The same of a row; those of other events are passed over. */
int dn_fdlog_row(struct dn_fdlog *l, const struct dn_row *r);
/* The events it wants, for dn_decoder_want(). */
uint64_t dn_fdlog_events(void);

#endif
