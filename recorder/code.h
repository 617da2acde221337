/*
 * code.h - what code lies in: mapped files, the kernel and its modules, memory that is
 * code and no file. Each once, with an id of the trace.
 *
 * Belongs to the thread that reads the rings; after that has ended, to the main thread.
 */
#ifndef DN_RECORDER_CODE_H
#define DN_RECORDER_CODE_H

#include <stdbool.h>
#include <stdint.h>

#include "buildid.h"
#include "enums.h"

struct dn_code {
	uint8_t kind;			/* enum dn_code_kind */
	struct dn_build_id build_id;
	uint32_t pid;			/* MEMORY: whose; FILE: who was seen to map it */
	uint64_t since;			/* MEMORY: when the process got this address space */
	uint64_t dev, inode;		/* 0 with a build-id, or no file */
	uint64_t generation;		/* of the inode, whose number another file may have soon; 0: not known */
	uint64_t mapped;		/* FILE: when it was seen to be mapped first, boot clock */
	const char *path;
};

/* A place in code: offset as in the event `frame`. */
struct dn_place {
	uint32_t object;		/* id; 0: not known, the offset is the address */
	uint64_t offset;
};

struct dn_codes;

struct dn_codes *dn_codes_new(void);	/* NULL with errno */
void dn_codes_free(struct dn_codes *c);

/* The id of it, given when it is met first, from 1 on; path is copied. 0: there is no memory,
 * or there are too many. */
uint32_t dn_codes_add(struct dn_codes *c, const struct dn_code *code);

uint32_t dn_codes_count(const struct dn_codes *c);		/* ids are 1 ... count */
const struct dn_code *dn_codes_get(const struct dn_codes *c, uint32_t id);

#endif
