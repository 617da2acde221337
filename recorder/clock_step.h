/*
 * clock_step.h - how far apart the times lie that the clock can show.
 *
 * Times are in ns, but the counter behind them may be slower than 1 GHz: that of AMD's
 * processors moves by 10 ns or so at once, arm64's by 8 to 52. Who knows the step stores
 * times in fewer bits (common/columns.h).
 */
#ifndef DN_RECORDER_CLOCK_STEP_H
#define DN_RECORDER_CLOCK_STEP_H

#include <stdint.h>

#define DN_STEP_READS 32	/* of a clock, one after the other: a window */
#define DN_STEP_DENSE 8		/* windows without a pause */
#define DN_STEP_WINDOWS (DN_STEP_DENSE + 3)

/*
 * The step that times are multiples of, rounded down to ns from any start: ns with
 * DN_STEP_BITS behind the point. 0: there is none that can be told from 1 ns, as with
 * steps below 4 ns, or fewer than three in a window. The windows are in order of time, the
 * later ones each at most 8 times as far from the first as the one before it.
 */
uint64_t dn_clock_step_of(uint64_t t[DN_STEP_WINDOWS][DN_STEP_READS]);

/* That of CLOCK_BOOTTIME, which the BPF programs read too. Takes 2 to 3 ms. */
uint64_t dn_clock_step(void);

#endif
