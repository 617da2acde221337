/*
 * names.c - the tables behind names.h.
 */
#include "names.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

enum code_kind { ORDINARY, IS_RESTART, IS_INTERNAL };

static const struct code {
	const char *name;
	const char *message;
	enum code_kind kind;
} codes[] = {
#define ERRNO(number, name, message) [number] = { #name, message, ORDINARY },
#define RESTART(number, name, message) [number] = { #name, message, IS_RESTART },
#define INTERNAL(number, name) [number] = { #name, NULL, IS_INTERNAL },
#include "errno.def"
};
#define N_CODES (sizeof(codes) / sizeof(codes[0]))

const char *dn_errno_name(unsigned int err)
{
	return err < N_CODES ? codes[err].name : NULL;
}

const char *dn_errno_message(unsigned int err)
{
	return err < N_CODES ? codes[err].message : NULL;
}

bool dn_errno_is_restart(unsigned int err)
{
	return err < N_CODES && codes[err].kind == IS_RESTART;
}

int dn_errno_by_name(const char *name)
{
	for (size_t i = 0; i < N_CODES; i++)
		if (codes[i].name && strcmp(codes[i].name, name) == 0)
			return (int)i;
	return -ENOENT;
}

static const char *const signals[] = {
#define SIGNAL(number, name) [number] = #name,
#include "signals.def"
#define RT(n) [32 + (n)] = "SIGRT_" #n
	[32] = "SIGRTMIN",
	RT(1), RT(2), RT(3), RT(4), RT(5), RT(6), RT(7), RT(8),
	RT(9), RT(10), RT(11), RT(12), RT(13), RT(14), RT(15), RT(16),
	RT(17), RT(18), RT(19), RT(20), RT(21), RT(22), RT(23), RT(24),
	RT(25), RT(26), RT(27), RT(28), RT(29), RT(30), RT(31), RT(32),
#undef RT
};
#define N_SIGNALS (sizeof(signals) / sizeof(signals[0]))

const char *dn_signal_name(int sig)
{
	return sig > 0 && (size_t)sig < N_SIGNALS ? signals[sig] : NULL;
}

int dn_signal_by_name(const char *name)
{
	if (strncmp(name, "SIG", 3) == 0)
		name += 3;
	for (size_t i = 1; i < N_SIGNALS; i++)
		if (strcmp(signals[i] + 3, name) == 0)
			return (int)i;
	return -ENOENT;
}
