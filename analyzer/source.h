/*
 * source.h - where the bytes of a trace come from: a file, or a pipe.
 *
 * Both are read by offset. A file is read with pread, never mapped: a file
 * that another process truncates while we read would kill us with SIGBUS. A
 * pipe keeps a window from the last dn_source_forget() on, so that a reader
 * may go back in it; it grows as far as the reader looks ahead.
 *
 * One thread at a time; the reader has the lock. Errors of the first opening
 * are negative errnos.
 */
#ifndef DN_ANALYZER_SOURCE_H
#define DN_ANALYZER_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dn_source;

/* Opens a file, or standard input for "-". 0 or a negative errno (-EISDIR for
 * a directory, -EINVAL for what is neither a file nor a pipe nor a device). */
int dn_source_open(const char *path, struct dn_source **out);

/* A source over memory of the caller, which outlives it (tests, fuzzers). */
struct dn_source *dn_source_memory(const void *p, size_t len);

void dn_source_close(struct dn_source *s);

/* As given, or "standard input". */
const char *dn_source_name(const struct dn_source *s);

/* True where any offset may be read at any time and the size is known. */
bool dn_source_seekable(const struct dn_source *s);

/* Bytes there are now; for a pipe, bytes seen so far. */
uint64_t dn_source_size(const struct dn_source *s);

/*
 * Reads up to len bytes at off. Fewer than len: the end is there (of a file
 * that grows: for now). The bytes read, or a negative errno; -ESPIPE where a
 * pipe has forgotten them.
 */
long dn_source_read(struct dn_source *s, uint64_t off, void *buf, size_t len);

/* Bytes before off are not needed again. */
void dn_source_forget(struct dn_source *s, uint64_t off);

#endif
