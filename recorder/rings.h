/*
 * rings.h - the rings of all CPUs: how large each is, the map that leads a program to
 * that of its CPU, and one bell for all of them.
 *
 * The kernel waits for an RCU grace period when the map is filled. So a thread makes
 * them, and the objects are loaded meanwhile.
 */
#ifndef DN_RECORDER_RINGS_H
#define DN_RECORDER_RINGS_H

#include <stdint.h>

struct dn_ring;
struct dn_rings;

/* Begins to make them, of so many bytes together, for that many possible CPUs. NULL with errno. */
struct dn_rings *dn_rings_begin(unsigned cpus, uint64_t bytes);

/* Waits until they are made. 0 or -errno. */
int dn_rings_made(struct dn_rings *r);

void dn_rings_close(struct dn_rings *r);

/* Bytes of each, and fd of the map: known as soon as begun. */
uint32_t dn_rings_size(const struct dn_rings *r);
int dn_rings_map(const struct dn_rings *r);

/* All of them, once they are made; they stay ours. */
struct dn_ring **dn_rings_list(const struct dn_rings *r, unsigned *n);

/* The bell: any of the rings rings it, and what else is watched. 0 or -errno. */
int dn_rings_watch(struct dn_rings *r, int fd);
void dn_rings_wait(struct dn_rings *r, int timeout_ms);

#endif
