/*
 * clock_step.c - the step of a clock, from what it shows.
 *
 * With f steps a ns, a time has a phase: how far it is from whole steps since the
 * first one, as a fraction of a step. In a product of 64 bits with f * 2^64 it stands by
 * itself, since whole steps overflow. Where f is right, all phases are small: of two times cut
 * down to ns a third of a ns apart in the mean. Where it is not, they are anything, a
 * quarter of a step in the mean.
 *
 * So the least phases among all f tell it as well as one window can, and then each window
 * further off tells it better: by how far its phases have moved.
 */
#include "clock_step.h"

#include <stdlib.h>
#include <time.h>

#include "clocks.h"
#include "columns.h"

#define STEP_LEAST 4		/* ns */
#define STEPS_LEAST 3		/* in a window */
#define STEP_SHARE 8		/* f is tried at such parts of a step over two windows */
#define PHASE_MOST (UINT64_MAX / 8)	/* the mean of those of a step that is one */

static int64_t phase(uint64_t time, uint64_t first, uint64_t f)
{
	return (int64_t)((time - first) * f);
}

/* Mean distance of a window's times from steps since its first one. */
static uint64_t misfit(const uint64_t *t, uint64_t f)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < DN_STEP_READS; i++)
		sum += (uint64_t)llabs(phase(t[i], t[0], f) / DN_STEP_READS);
	return sum;
}

/* Mean phase of a window; the first one's is near 0. */
static int64_t phase_of(const uint64_t *t, uint64_t first, uint64_t f)
{
	int64_t at = phase(t[0], first, f), sum = 0;

	for (unsigned i = 0; i < DN_STEP_READS; i++)
		sum += phase(t[i], t[0], f) / DN_STEP_READS;
	return (int64_t)((uint64_t)at + (uint64_t)sum);
}

static uint64_t span_of(const uint64_t *t)
{
	return t[DN_STEP_READS - 1] - t[0];
}

/* The f that fits the windows best, each for itself; 0: none does. */
static uint64_t best(uint64_t t[][DN_STEP_READS])
{
	uint64_t shortest = UINT64_MAX, fit = UINT64_MAX, found = 0;

	for (unsigned w = 0; w < DN_STEP_DENSE; w++)
		if (span_of(t[w]) < shortest)
			shortest = span_of(t[w]);
	if (shortest < STEPS_LEAST * STEP_LEAST || shortest > 1u << 14)
		return 0;
	for (uint64_t f = UINT64_MAX / shortest * STEPS_LEAST; f < UINT64_MAX / STEP_LEAST;
	     f += UINT64_MAX / (2 * STEP_SHARE) / shortest) {
		uint64_t sum = 0;
		unsigned n = 0;

		for (unsigned w = 0; w < DN_STEP_DENSE && sum < fit; w++) {
			if (span_of(t[w]) > 2 * shortest)
				continue;
			sum += misfit(t[w], f) / DN_STEP_DENSE;
			n++;
		}
		sum = n ? sum / n * DN_STEP_DENSE : UINT64_MAX;
		if (sum < fit) {
			fit = sum;
			found = f;
		}
	}
	return fit < PHASE_MOST ? found : 0;
}

uint64_t dn_clock_step_of(uint64_t t[DN_STEP_WINDOWS][DN_STEP_READS])
{
	uint64_t f = best(t), sum = 0;

	if (!f)
		return 0;
	for (unsigned w = 1; w < DN_STEP_WINDOWS; w += w < DN_STEP_DENSE / 2 ? w : 1) {
		int64_t moved = (int64_t)((uint64_t)phase_of(t[w], t[0][0], f) - (uint64_t)phase_of(t[0], t[0][0], f));

		f -= (uint64_t)(moved / (int64_t)(t[w][0] - t[0][0]));
	}
	for (unsigned w = 0; w < DN_STEP_WINDOWS; w++)
		sum += misfit(t[w], f) / DN_STEP_WINDOWS;
	return sum < PHASE_MOST ? (uint64_t)(0x1p64 / (double)f * DN_STEP_ONE + 0.5) : 0;
}

/* A sleep may take 60 us more than it is told (prctl(2), PR_SET_TIMERSLACK). */
static void wait_ns(long ns)
{
	uint64_t until = dn_now() + (uint64_t)ns;

	if (ns > 500000)
		nanosleep(&(struct timespec){ .tv_nsec = ns }, NULL);
	while (dn_now() < until)
		;
}

uint64_t dn_clock_step(void)
{
	static const long pause_ns[DN_STEP_WINDOWS - DN_STEP_DENSE] = { 25000, 150000, 800000 };
	uint64_t t[DN_STEP_WINDOWS][DN_STEP_READS];

	for (unsigned w = 0; w < DN_STEP_WINDOWS; w++) {
		if (w >= DN_STEP_DENSE)
			wait_ns(pause_ns[w - DN_STEP_DENSE]);
		for (unsigned i = 0; i < DN_STEP_READS; i++) {
			t[w][i] = dn_now();
			for (volatile unsigned n = i % 5; n; n--)
				;	/* or all of them may be an even number of steps apart */
		}
	}
	return dn_clock_step_of(t);
}
