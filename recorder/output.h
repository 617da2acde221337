/*
 * output.h - where the bytes of a trace go: a new file, a device or pipe, or
 * standard output.
 *
 * A file is made under a temporary name beside its own, with the rights of
 * the invoker (under sudo the caller's), O_EXCL and 0600, before anything is
 * attached; dn_output_commit gives it its name once the command has started
 * and keeps an earlier trace as NAME.old. Nothing but a trace of the
 * invoker's own is ever replaced.
 *
 * One thread at a time.
 */
#ifndef DN_RECORDER_OUTPUT_H
#define DN_RECORDER_OUTPUT_H

#include <stddef.h>
#include <stdint.h>

struct dn_output;

/* path "-" is standard output. NULL with errno; why (512 bytes) then says what
 * is wrong and what to do. */
struct dn_output *dn_output_open(const char *path, char why[512]);

/* Gives the file its name. 0 or -errno: it then stays under the temporary one. */
int dn_output_commit(struct dn_output *o);

/* What the file is called now; "standard output" for one. Lives as long as o. */
const char *dn_output_name(const struct dn_output *o);

/* Gives back the disk space that was kept for the end of the trace. */
void dn_output_use_reserve(struct dn_output *o);

/*
 * Writes all of it, or nothing: when a write fails the file is cut back to
 * where it was. 0 or -errno. A pipe whose reader is gone, or that took half
 * of a block, fails for good.
 */
int dn_output_write(struct dn_output *o, const void *p, size_t len);

/* Forces what was written to the disk; nothing to do for a stream. 0 or -errno. */
int dn_output_sync(struct dn_output *o);

/* Bytes written so far. */
uint64_t dn_output_size(const struct dn_output *o);

/* Closes; a file never committed is removed. 0 or the -errno of the close. */
int dn_output_close(struct dn_output *o);

#endif
