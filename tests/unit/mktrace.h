/*
 * mktrace.h - traces for tests: records in, a whole .dnt out.
 *
 * Every function asserts; a test that cannot build its trace has no result.
 * Time 0 of the trace is MK_ORIGIN on the boot clock, its wall clock MK_WALL.
 */
#ifndef DN_TESTS_MKTRACE_H
#define DN_TESTS_MKTRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record.h"

#define MK_ORIGIN UINT64_C(5000000000)
#define MK_WALL UINT64_C(1767323045000000000)	/* 2026-01-02T03:04:05Z */

/* Writes the name of a new, empty file in TMPDIR (or /tmp) to path. */
#define MK_PATH 256
void mk_temp(char path[MK_PATH]);

struct mktrace;

struct mktrace *mk_new(void);

/* Adds a record to the open block; closes the block when it is full. */
void mk_call(struct mktrace *m, const struct dn_syscall *s);
void mk_row(struct mktrace *m, unsigned event, const struct dn_value *v);

/* Ends the open block. */
void mk_block(struct mktrace *m);

/* Adds a block of events with this payload, well-formed or not. */
void mk_payload(struct mktrace *m, const void *payload, size_t len, uint64_t first,
		uint64_t last);

/* Ends the trace, with or without a footer, writes it to path and frees m. */
void mk_write(struct mktrace *m, const char *path, bool footer);

/*
 * Short hands. start and dur are ns from the trace's start; a thread and its
 * process have one id, tid and pid are 1000 + id.
 */
struct dn_syscall mk_sys(uint32_t thread, uint32_t seq, const char *name, uint64_t start,
			 uint64_t dur, int64_t ret, unsigned nargs, const uint64_t *args);
void mk_str(struct dn_syscall *s, unsigned arg, unsigned kind, const char *p, size_t len);
void mk_thread(struct mktrace *m, uint32_t thread, uint32_t process, uint64_t time,
	       const char *comm);
void mk_exit(struct mktrace *m, uint32_t thread, uint32_t process, uint64_t time, int status,
	     bool group_dead);

#endif
