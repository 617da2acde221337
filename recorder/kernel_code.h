/*
 * kernel_code.h - the kernel's own code: which object an address of it lies in, and how its
 * functions are called. Each function is asked for once, when the first address in it is met.
 *
 * Belongs to the thread that reads the rings; after that has ended, to the main thread.
 */
#ifndef DN_RECORDER_KERNEL_CODE_H
#define DN_RECORDER_KERNEL_CODE_H

#include <stdbool.h>
#include <stdint.h>

#include "code.h"

struct dn_kernel_code;

/* Has the kernel name n addresses, DN_NAMES_AT_ONCE at most: fn is handed a line for each of
 * them, "ADDRESS NAME+OFFSET/SIZE", with " [MODULE]" where it lies in one. 0 or -errno. */
typedef int dn_kernel_ask(void *ctx, const uint64_t *address, unsigned n,
			  void (*fn)(void *fn_ctx, const char *line), void *fn_ctx);

struct dn_kernel_code *dn_kernel_code_new(dn_kernel_ask *ask, void *ctx);	/* NULL with errno */
void dn_kernel_code_free(struct dn_kernel_code *k);

/* Those that follow know of these addresses from now on: one question for all that are new. */
void dn_kernel_code_learn(struct dn_kernel_code *k, const uint64_t *address, unsigned n);

/* Where an address of the kernel lies. */
void dn_kernel_code_place(struct dn_kernel_code *k, struct dn_codes *codes, uint64_t address,
			  struct dn_place *place);

/* Whether the address lies in the function that switches tasks (__schedule): what it calls
 * is in no stack of a thread that waits. */
bool dn_kernel_code_switches(const struct dn_kernel_code *k, uint64_t address);

/* The function at a place that dn_kernel_code_place() gave. False: it has no name. */
struct dn_function {
	uint64_t offset, size;
	const char *name;
};
bool dn_kernel_code_name(const struct dn_kernel_code *k, const struct dn_code *object, uint64_t offset,
			 struct dn_function *f);

#endif
