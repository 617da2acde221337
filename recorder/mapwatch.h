/*
 * mapwatch.h - what processes map that is executable, as the kernel tells perf: mmap, execve,
 * births and ends, of all processes, in the order of time.
 *
 * perf's side and not BPF: it tells the whole path, with the file's build-id, at the moment of
 * the mapping, on every kernel.
 *
 * Opened with capabilities (CAP_PERFMON), read by the thread that reads the rings.
 */
#ifndef DN_RECORDER_MAPWATCH_H
#define DN_RECORDER_MAPWATCH_H

#include <stdint.h>

struct dn_map_event;
struct dn_mapwatch;

struct dn_mapwatch *dn_mapwatch_open(void);	/* NULL with errno */
void dn_mapwatch_close(struct dn_mapwatch *w);

/* Each can be polled for its ring being half full; -1: no more. */
int dn_mapwatch_fd(const struct dn_mapwatch *w, unsigned i);

/* Hands on every event that happened before the call, in order; it lives as long as fn. */
void dn_mapwatch_read(struct dn_mapwatch *w, void (*fn)(void *ctx, const struct dn_map_event *e), void *ctx);

/* Events that found no room, so far. */
uint64_t dn_mapwatch_lost(const struct dn_mapwatch *w);

#endif
