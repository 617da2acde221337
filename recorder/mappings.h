/*
 * mappings.h - what a process that runs already has mapped that is executable, as the
 * events that perf tells of later mappings (spaces.h); and its other threads as births.
 */
#ifndef DN_RECORDER_MAPPINGS_H
#define DN_RECORDER_MAPPINGS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct dn_map_event;

/* Hands on each; it lives as long as fn. 0 or -errno (-ESRCH: gone). */
int dn_mappings_read(pid_t pid, uint64_t time, void (*fn)(void *ctx, const struct dn_map_event *e), void *ctx);

/* Which of the files that had the number of its inode one after the other it is, as perf tells it too. False where
 * its file system does not say. */
bool dn_inode_generation(int fd, uint32_t *generation);

#endif
