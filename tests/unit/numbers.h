/*
 * numbers.h - numbers that are the same at every run (Marsaglia's xorshift).
 */
#ifndef DN_TESTS_NUMBERS_H
#define DN_TESTS_NUMBERS_H

#include <stdint.h>

/* The next one of a series; *state is not 0. */
static inline uint64_t xorshift(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static inline uint64_t number(uint64_t below)
{
	static uint64_t state = 5;

	return xorshift(&state) % below;
}

#endif
