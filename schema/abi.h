/*
 * abi.h - the system call ABIs that denet knows, written once.
 *
 * An ABI is a numbering and argument convention of system calls. One kernel
 * serves several: an x86-64 kernel runs x86-64, x32 and i386 callers, an
 * arm64 kernel runs aarch64 and arm ones. The number is what a trace stores,
 * so a value is never reused and never changes meaning.
 *
 * Included by the BPF programs too: only preprocessor and an enum here.
 */
#ifndef DN_SCHEMA_ABI_H
#define DN_SCHEMA_ABI_H

/* ABI(value, id, name, bytes in a user pointer) */
#define DN_ABI_TABLE(ABI)                                                     \
	ABI(0, UNKNOWN, "unknown", 8)                                         \
	ABI(1, X86_64, "x86_64", 8)                                           \
	ABI(2, X32, "x32", 4)                                                 \
	ABI(3, I386, "i386", 4)                                               \
	ABI(4, AARCH64, "aarch64", 8)                                         \
	ABI(5, ARM, "arm", 4)

enum dn_abi {
#define ABI(value, id, name, ptr) DN_ABI_##id = value,
	DN_ABI_TABLE(ABI)
#undef ABI
	DN_ABI_MAX
};

/*
 * x32 numbers carry this bit in the register (asm/unistd.h, __X32_SYSCALL_BIT).
 * A trace stores them without it: the ABI says x32 already.
 */
#define DN_X32_BIT 0x40000000u

/* Highest system call number (exclusive) that has per-call tables; arm's
 * private calls (0x0f0001 and up) lie above and have none in the kernel side. */
#define DN_NR_MAX 1024

#endif
