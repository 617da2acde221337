/*
 * clocks.c - the clocks of the host, read together.
 *
 * The boot clock is read first and last; mono and wall lie between, and the
 * row's time is the middle of the two.
 */
#include "clocks.h"

#include <time.h>

#include "row.h"

static uint64_t read_clock(clockid_t id)
{
	struct timespec ts;

	if (clock_gettime(id, &ts))
		return 0;	/* only for an unknown clock: BOOTTIME is 2.6.39 */
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

uint64_t dn_now(void)
{
	return read_clock(CLOCK_BOOTTIME);
}

void dn_clocks_read(struct dn_clocks *c)
{
	c->uncertainty = UINT64_MAX;
	for (int i = 0; i < 3; i++) {
		uint64_t before = read_clock(CLOCK_BOOTTIME);
		uint64_t mono = read_clock(CLOCK_MONOTONIC);
		uint64_t wall = read_clock(CLOCK_REALTIME);
		uint64_t took = read_clock(CLOCK_BOOTTIME) - before;

		if (took < c->uncertainty)
			*c = (struct dn_clocks){ before + took / 2, mono, wall, took };
	}
}

int dn_clocks_emit(const struct dn_sink *sink)
{
	struct dn_value v[DN_F_clock_N];
	struct dn_clocks c;

	dn_clocks_read(&c);
	dn_row_clear(v, DN_F_clock_N);
	v[DN_F_clock_time] = dn_u(c.boot);
	v[DN_F_clock_mono] = dn_u(c.mono);
	v[DN_F_clock_wall] = dn_u(c.wall);
	v[DN_F_clock_uncertainty] = dn_u(c.uncertainty);
	return dn_row_send(sink, DN_EV_clock, v, DN_F_clock_N);
}
