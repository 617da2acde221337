/*
 * syscalls.h - what is known of each system call: name, category, arguments.
 *
 * Read-only tables made of schema/syscalls.def and schema/syscalls-ABI.tbl,
 * so every function may be called from any thread and what it returns lives
 * for ever.
 */
#ifndef DN_COMMON_SYSCALLS_H
#define DN_COMMON_SYSCALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi.h"
#include "arg_kinds.h"
#include "categories.h"
#include "fd_kinds.h"

#define DN_SYSCALL_MAX_ARGS 6

struct dn_syscall_arg {
	uint8_t kind;		/* enum dn_kind */
	const char *name;	/* as in the kernel's definition */
};

struct dn_syscall_info {
	const char *name;
	uint8_t category;	/* enum dn_category */
	uint8_t nargs;
	uint8_t ret;		/* enum dn_kind of the result; NONE: does not return */
	uint8_t makes;		/* where that is FD: enum dn_fd_kind of it, UNKNOWN: it depends */
	struct dn_syscall_arg arg[DN_SYSCALL_MAX_ARGS];
};

/* The call with this number, x32 numbers without DN_X32_BIT; NULL if there is
 * none that we know. Constant time. */
const struct dn_syscall_info *dn_syscall_info(enum dn_abi abi, uint32_t nr);

/* The number of the call with this name, or -ENOENT. */
int dn_syscall_nr(enum dn_abi abi, const char *name);

/* One past the highest number with an entry, arm's private calls apart;
 * 0 for an ABI without table. */
uint32_t dn_syscall_end(enum dn_abi abi);

/* The name for people: that of the call, or syscall_0x1a2 written to buf. */
#define DN_SYSCALL_NAME_SIZE 24
const char *dn_syscall_name(enum dn_abi abi, uint32_t nr, char buf[DN_SYSCALL_NAME_SIZE]);

/* The category of a number; OTHER for a call that we do not know. */
enum dn_category dn_syscall_category(enum dn_abi abi, uint32_t nr);

/* "file_io" and so on; NULL beyond the last. */
const char *dn_category_name(unsigned int category);
const char *dn_category_doc(unsigned int category);
/* The category of that name, or -ENOENT. */
int dn_category_by_name(const char *name);

/* "x86_64" and so on; NULL beyond the last. */
const char *dn_abi_name(unsigned int abi);
/* The ABI of that name, or -ENOENT. */
int dn_abi_by_name(const char *name);
/* Bytes in a user pointer and, but for x32, in an argument register. */
unsigned int dn_abi_pointer_size(enum dn_abi abi);

/* The name of a file or directory. */
static inline bool dn_kind_is_path(unsigned int kind)
{
	return kind == DN_KIND_PATH;
}

/* One string in the caller's memory. STRN has its length in the next
 * argument, the others end with NUL. */
static inline bool dn_kind_is_string(unsigned int kind)
{
	return kind == DN_KIND_PATH || kind == DN_KIND_STR || kind == DN_KIND_STRN;
}

/* A vector of strings. */
static inline bool dn_kind_is_vector(unsigned int kind)
{
	return kind == DN_KIND_ARGV || kind == DN_KIND_ENVP;
}

static inline bool dn_kind_is_sockaddr(unsigned int kind)
{
	return kind == DN_KIND_SOCKADDR || kind == DN_KIND_SOCKADDR_OUT;
}

/* To be read when the call returns, not when it begins. */
static inline bool dn_kind_is_output(unsigned int kind)
{
	return kind == DN_KIND_SOCKADDR_OUT || kind == DN_KIND_FDS_OUT;
}

/* Points to something that a recorder reads. */
static inline bool dn_kind_is_read(unsigned int kind)
{
	return dn_kind_is_string(kind) || dn_kind_is_vector(kind) || dn_kind_is_sockaddr(kind) ||
	       kind == DN_KIND_FDS_OUT;
}

/* A number that is a file descriptor of the caller. */
static inline bool dn_kind_is_fd(unsigned int kind)
{
	return kind == DN_KIND_FD || kind == DN_KIND_FD_IN || kind == DN_KIND_FD_OUT ||
	       kind == DN_KIND_DIRFD;
}

/* The argument that says which descriptor the call is about: the first one, one
 * that must be a descriptor before one that may be AT_FDCWD; -1: none. */
static inline int dn_syscall_fd_arg(const struct dn_syscall_info *info)
{
	int dir = -1;

	for (int i = 0; i < info->nargs; i++)
		if (info->arg[i].kind == DN_KIND_DIRFD)
			dir = dir < 0 ? i : dir;
		else if (dn_kind_is_fd(info->arg[i].kind))
			return i;
	return dir;
}

#endif
