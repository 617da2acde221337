/*
 * count.h - the table of system calls that `denet-record -c` prints, in the
 * layout of strace -c.
 *
 * Times are those the calls took (strace -c -w), not CPU time. Calls whose
 * records were lost count too, so the totals are exact; how many of those
 * failed is not known. One thread at a time; all memory is taken at
 * dn_count_new.
 */
#ifndef DN_RECORDER_COUNT_H
#define DN_RECORDER_COUNT_H

#include <stdint.h>
#include <stdio.h>

#include "record.h"

struct dn_count;

/* native: the ABI whose calls are printed without its name. NULL with errno. */
struct dn_count *dn_count_new(enum dn_abi native);
void dn_count_free(struct dn_count *c);

/* One call. Unfinished ones count without a time. */
void dn_count_call(struct dn_count *c, const struct dn_syscall *s);

/* Calls that left no record, and the time they took in all. */
void dn_count_lost(struct dn_count *c, enum dn_abi abi, uint32_t nr, uint64_t calls, uint64_t ns);

/* The table, most time first. 0 or -errno of the stream. */
int dn_count_print(const struct dn_count *c, FILE *out);

#endif
