/*
 * symbols.h - names of the functions that stacks go through, looked up at the end of a
 * recording, while the files are there.
 *
 * A file is opened when a stack leads into it first, as its process may be gone, its mount
 * namespace with it, or the file deleted; and only one that is what was mapped is asked, by its
 * build-id, or else by device and inode.
 *
 * Files are opened and read by a thread of its own: one may lie in a file system that the recorded
 * command itself serves (FUSE) and never answers for. It is then left alone.
 */
#ifndef DN_RECORDER_SYMBOLS_H
#define DN_RECORDER_SYMBOLS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "code.h"
#include "record.h"

struct dn_kernel_code;
struct dn_symbols;

struct dn_symbols *dn_symbols_new(void);	/* NULL with errno */
/* False: its thread hangs in a file, and what dn_symbols_tell() was given must stay. */
bool dn_symbols_free(struct dn_symbols *s);

/* A stack leads into that object for the first time. Waits for nothing. */
void dn_symbols_meet(struct dn_symbols *s, uint32_t id, const struct dn_code *code);

struct dn_symbols_opts {
	const struct dn_sink *sink;
	const struct dn_codes *codes;
	struct dn_kernel_code *kernel;	/* may be NULL */
	/* Frames by number, from 0 on; false: no more. */
	bool (*frame)(void *ctx, uint32_t i, struct dn_place *place);
	void *ctx;
	uid_t owner;			/* of the command: whose maps of JITs are read */
	uint64_t budget_ns;		/* what is not named by then has no name */
};

/* Emits the rows `symbol`; once. Returns the frames that were not looked at for lack of time, or a
 * negative errno of the sink, or -ENOMEM. o and what it points to must live as long as s. */
long dn_symbols_tell(struct dn_symbols *s, const struct dn_symbols_opts *o);

#endif
