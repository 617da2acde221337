/*
 * numbers.h - numbers that are the same at every run (Marsaglia's xorshift).
 */
#ifndef DN_TESTS_NUMBERS_H
#define DN_TESTS_NUMBERS_H

#include <stdint.h>

static uint64_t last_number = 5;

static uint64_t number(uint64_t below)
{
	last_number ^= last_number << 13;
	last_number ^= last_number >> 7;
	last_number ^= last_number << 17;
	return last_number % below;
}

#endif
