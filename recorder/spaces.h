/*
 * spaces.h - the address spaces of the processes of the tree: which code was mapped
 * where, and when.
 *
 * An execve begins a new space. A fork's child has what its parent had by then, without a
 * copy: it looks there. Nothing is taken out while the space lives, as what is mapped over
 * another thing is found first, being younger, and an address that is no code any more
 * is in no stack.
 *
 * Belongs to the thread that reads the rings.
 */
#ifndef DN_RECORDER_SPACES_H
#define DN_RECORDER_SPACES_H

#include <stdbool.h>
#include <stdint.h>

#include "code.h"

enum dn_map_kind {
	DN_MAP_CODE,		/* something executable was mapped */
	DN_MAP_EXEC,		/* execve */
	DN_MAP_FORK,		/* a process or a thread was born */
	DN_MAP_EXIT,		/* a thread ended */
};

struct dn_map_event {
	uint8_t kind;		/* enum dn_map_kind */
	struct dn_build_id build_id;
	uint32_t pid;		/* the process; of FORK, the one that is born, or has one thread more */
	uint32_t parent;	/* FORK: process */
	uint64_t time;		/* ns, boot clock */
	uint64_t start, end;	/* CODE: addresses */
	uint64_t pgoff;		/* bytes into the file */
	uint64_t dev, inode, generation;
	const char *path;	/* as the kernel says: a path, "//anon", "[vdso]" ... */
};

struct dn_spaces;

struct dn_spaces *dn_spaces_new(struct dn_codes *codes);	/* NULL with errno */
void dn_spaces_free(struct dn_spaces *s);

/* Follows a process, and those that are born of it; what happened to it before `since` (boot clock) is passed
 * over. 0 or -ENOMEM. */
int dn_spaces_follow(struct dn_spaces *s, uint32_t pid, uint64_t since);

/* One event, in the order of their times; those of others are passed over. Without memory
 * it is as if it had not come. */
void dn_spaces_event(struct dn_spaces *s, const struct dn_map_event *e);

/* What lay at an address of a process at a time. False where that is not known. */
bool dn_spaces_find(const struct dn_spaces *s, uint32_t pid, uint64_t time, uint64_t address,
		    struct dn_place *place);

/* Whether other code came to lie where some lay, in a process between two times: what was found
 * for the one may not be so for the other. */
bool dn_spaces_changed(const struct dn_spaces *s, uint32_t pid, uint64_t time, uint64_t other);

/* The address that a place in a mapping has in a process at a time; of a file that is mapped
 * twice the one that is younger. False where it is in none. */
bool dn_spaces_address(const struct dn_spaces *s, uint32_t pid, uint64_t time, const struct dn_place *place,
		       uint64_t *address);

/* Gives up what ended before that time: nobody will ask any more. Where events were lost (lossy) a process is
 * only taken to have ended when there is none of its number. */
void dn_spaces_forget(struct dn_spaces *s, uint64_t time, bool lossy);

#endif
