/*
 * arg_kinds.h - the kinds of system call arguments and results.
 *
 * syscalls.def gives every argument a kind. The kind says whether the
 * argument points to something that a recorder should read (a path, a socket
 * address, ...) and how a person wants to see the number. Kinds that name a
 * set of constants (openflags, prot, ...) come from flags.def, from
 * DN_KIND_SETS on. None of these values is stored in a trace: what is read
 * is marked with enum dn_str_kind.
 */
#ifndef DN_SCHEMA_ARG_KINDS_H
#define DN_SCHEMA_ARG_KINDS_H

/* KIND(value, id, how the number reads) */
#define DN_KIND_TABLE(KIND)                                                   \
	KIND(0, NONE, "nothing: no such argument, or a call without result")  \
	/* What a recorder reads from the memory of the caller. */            \
	KIND(1, PATH, "name of a file, ends with NUL")                        \
	KIND(2, STR, "other string, ends with NUL")                           \
	KIND(3, STRN, "string, length in the next argument")                  \
	KIND(4, SOCKADDR, "socket address, length in the next argument")      \
	KIND(5, SOCKADDR_OUT, "socket address filled by the kernel, next: pointer to its length") \
	KIND(6, ARGV, "vector of strings, ends with NULL: arguments")         \
	KIND(7, ENVP, "vector of strings, ends with NULL: environment")       \
	/* Other addresses. */                                                \
	KIND(8, PTR, "address of something that is not read")                 \
	KIND(9, ADDR, "address that is itself the value (mmap, brk)")         \
	/* Numbers. */                                                        \
	KIND(10, INT, "signed, 32 bits")                                      \
	KIND(11, UINT, "unsigned, 32 bits")                                   \
	KIND(12, LONG, "signed, as wide as a register")                       \
	KIND(13, ULONG, "unsigned, as wide as a register")                    \
	KIND(14, HEX, "as wide as a register, best read in hexadecimal")      \
	KIND(15, HEX32, "32 bits, best read in hexadecimal")                  \
	KIND(16, SIZE, "count of bytes or things, unsigned")                  \
	KIND(17, OFF, "place in a file, signed, 64 bits where a register holds them") \
	KIND(18, OFF_LO, "low half of an OFF; all of it on a 64-bit ABI")     \
	KIND(19, OFF_HI, "high half of an OFF; void on a 64-bit ABI")         \
	KIND(20, HEX_LO, "low half of a 64-bit HEX")                          \
	KIND(21, HEX_HI, "high half of a 64-bit HEX")                         \
	KIND(22, PAD, "register skipped so that a 64-bit pair is aligned (arm)") \
	KIND(23, FD, "file descriptor")                                       \
	KIND(24, DIRFD, "file descriptor of a directory, or AT_FDCWD")        \
	KIND(25, PID, "process, thread or process group")                     \
	KIND(26, UID, "user, or -1")                                          \
	KIND(27, GID, "group, or -1")                                         \
	KIND(28, MODE, "permission bits, octal")                              \
	KIND(29, MKMODE, "type of a file and permission bits")                \
	KIND(30, DEV, "device number, as 32 bits encode it")                  \
	KIND(31, KEY, "System V key, or IPC_PRIVATE")                         \
	/* Numbers that mean what another argument says. */                   \
	KIND(32, FCNTLARG, "what the command of fcntl wants")                 \
	KIND(33, SOCKPROTO, "protocol; its names depend on the domain")       \
	KIND(34, SOCKOPT, "socket option; its names depend on the level")     \
	KIND(35, UMODE_OPEN, "permission bits, there only if the flags before create a file") \
	KIND(36, PGOFF, "place in a file in units of 4096 bytes")             \
	KIND(37, PRCTLARG, "what the option of prctl wants")                  \
	KIND(38, FCNTL, "result of fcntl, depends on the command")            \
	KIND(39, IOPRIO, "I/O priority: class and level")                     \
	KIND(40, SIGNAL, "signal number")                                     \
	KIND(41, READY, "count of what is ready, 0 after a time-out")         \
	/* FD, of a call whose result counts the bytes that pass it. */       \
	KIND(42, FD_IN, "file descriptor that the bytes come out of")         \
	KIND(43, FD_OUT, "file descriptor that the bytes go into")            \
	/* What a recorder should read, too. */                               \
	KIND(44, MSGHDR, "message to send, or several: the address of the first is read") \
	KIND(45, MSGHDR_OUT, "message that is received, or several: the address of the first is read") \
	KIND(46, FDS_OUT, "two file descriptors that the kernel makes")

enum dn_kind {
#define KIND(value, id, doc) DN_KIND_##id = value,
	DN_KIND_TABLE(KIND)
#undef KIND
	DN_KIND_SETS = 48,
	DN_KIND_BEFORE_SETS = DN_KIND_SETS - 1,
#define SET(id, style, unknown) DN_KIND_##id,
#include "flags.def"
	DN_KIND_MAX
};

#endif
