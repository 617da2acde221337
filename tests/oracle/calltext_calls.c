/*
 * The calls of calltext.sh, made twice from the same pseudo-random numbers:
 * with TRACEE as a program without a library that makes them under strace
 * (which refuses every one, so none has an effect), without it as one that
 * prints them through dn_calltext.
 */
#include <stdint.h>

#include "calltext.h"
#include "syscalls.h"

#define ROUNDS 6
#define LAST 450	/* what the strace of this table's age knows */

/* What arguments look like: small numbers, single bits, limits. */
static const uint64_t values[32] = {
	0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 16, 17,
	32, 64, 0x80, 0x100, 0x200, 0x400, 0x1000, 0x2000, 0x80000, 0x100000,
	0x7fffffff, 0xffffffff, 0xffffff9c, 0xffffffffffffffff, 0x12, 0x41,
};

static uint64_t seed = 1;

static uint64_t random_value(void)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	/* Mostly one of the values; else a few bits of 20. */
	return seed >> 60 ? values[seed >> 40 & 31] : seed >> 30 & seed >> 20 & 0xfffff;
}

/*
 * Left out: what would end the program although refused, or is not refused;
 * and numbers of calls that never were, which strace shows in a way of its own.
 */
static int is_left_out(uint32_t nr)
{
	static const uint16_t out[] = {
		13, 15, 59, 60, 219, 231, 322, 335, 336,
		134, 156, 174, 177, 178, 180, 181, 182, 183, 184, 185, 212, 214, 215, 236,
	};

	for (unsigned int i = 0; i < sizeof(out) / sizeof(out[0]); i++)
		if (out[i] == nr)
			return 1;
	return nr >= 337 && nr < 424;
}

#ifdef TRACEE

static long make_call(long nr, const uint64_t *a)
{
	register uint64_t r10 __asm__("r10") = a[3];
	register uint64_t r8 __asm__("r8") = a[4];
	register uint64_t r9 __asm__("r9") = a[5];
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(nr), "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}

void _start(void);
void _start(void)
{
	uint64_t args[DN_CALL_ARGS];

	for (int round = 0; round < ROUNDS; round++)
		for (uint32_t nr = 0; nr <= LAST; nr++) {
			if (is_left_out(nr))
				continue;
			for (int i = 0; i < DN_CALL_ARGS; i++)
				args[i] = random_value();
			make_call(nr, args);
		}
	args[0] = 0;
	make_call(231, args);
	__builtin_trap();
}

#else

#include <stdio.h>

int main(void)
{
	struct dn_text t = { 0 };

	for (int round = 0; round < ROUNDS; round++)
		for (uint32_t nr = 0; nr <= LAST; nr++) {
			struct dn_syscall c = { .abi = DN_ABI_X86_64, .nr = nr, .ret = -38 };
			const struct dn_syscall_info *info = dn_syscall_info(DN_ABI_X86_64, nr);

			if (is_left_out(nr))
				continue;
			c.nargs = info ? info->nargs : DN_CALL_ARGS;
			for (int i = 0; i < DN_CALL_ARGS; i++)
				c.args[i] = random_value();
			dn_text_reset(&t);
			dn_calltext(&t, &c, NULL);
			puts(t.p);
		}
	dn_text_free(&t);
	return 0;
}

#endif
