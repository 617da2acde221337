/*
 * perfcount.c - performance counters by perf_event_open(2).
 */
#include "perfcount.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "clocks.h"
#include "events.h"
#include "row.h"

#define RATE_NS 2000000u

static const struct {
	const char *name;
	uint32_t type;
	uint64_t config;
} counters[DN_PERF_KINDS] = {
#define PERF(value, id, name, type, config, doc) [value] = { name, PERF_TYPE_##type, PERF_COUNT_##config },
	DN_PERF_TABLE(PERF)
#undef PERF
};

int dn_perf_find(const char *name, size_t n)
{
	for (int i = 0; i < DN_PERF_KINDS; i++)
		if (strlen(counters[i].name) == n && !strncmp(counters[i].name, name, n))
			return i;
	return -1;
}

const char *dn_perf_name(unsigned kind)
{
	return counters[kind].name;
}

/* As perf_event_open(2) has pid and cpu. fd, or -errno. */
static int open_event(struct perf_event_attr *attr, pid_t pid, int cpu)
{
	int fd;

	attr->size = sizeof(*attr);
	fd = (int)syscall(SYS_perf_event_open, attr, pid, cpu, -1, PERF_FLAG_FD_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int dn_perf_open(unsigned kind, int cpu)
{
	struct perf_event_attr attr = { .type = counters[kind].type, .config = counters[kind].config };

	return open_event(&attr, -1, cpu);
}

int dn_perf_sample(const struct dn_perf_clock *clock, int cpu)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_SOFTWARE, .config = PERF_COUNT_SW_CPU_CLOCK, .freq = 1,
		.sample_freq = clock->freq };

	if (clock->cycles) {
		attr.type = counters[DN_PERF_CYCLES].type;
		attr.config = counters[DN_PERF_CYCLES].config;
		attr.freq = 0;
		attr.sample_period = clock->cycles;
	}
	return open_event(&attr, -1, cpu);
}

int dn_perf_cycle_rate(uint64_t *rate)
{
	struct perf_event_attr attr = { .type = counters[DN_PERF_CYCLES].type, .config = counters[DN_PERF_CYCLES].config,
		.read_format = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING };
	struct {
		uint64_t value, enabled, running;	/* perf_event_open(2), PERF_FORMAT_TOTAL_TIME_RUNNING */
	} count;
	int fd = open_event(&attr, 0, -1), err = 0;
	uint64_t began;

	if (fd < 0)
		return fd;
	/* From here on: the first event of a machine takes milliseconds to open. */
	for (began = dn_now(); dn_now() - began < RATE_NS;)
		;
	if (read(fd, &count, sizeof(count)) != sizeof(count))
		err = -EIO;
	else if (!count.running || !count.value)
		err = -ENOENT;		/* it opens, and nothing is counted */
	else
		*rate = (uint64_t)((double)count.value * 1e9 / (double)count.running);
	close(fd);
	return err;
}

uint32_t dn_perf_try(uint32_t kinds, int err[DN_PERF_KINDS])
{
	const int here = sched_getcpu();
	uint32_t open = 0;

	for (unsigned i = 0; i < DN_PERF_KINDS; i++) {
		int fd;

		err[i] = 0;
		if (!(kinds & 1u << i))
			continue;
		fd = dn_perf_open(i, here < 0 ? 0 : here);
		if (fd < 0) {
			err[i] = fd;
			continue;
		}
		close(fd);
		open |= 1u << i;
	}
	return open;
}

/* The CPU, or what stands for it in a virtual machine, has no such counter. */
static bool is_absent(int err)
{
	return err == -ENOENT || err == -EOPNOTSUPP || err == -ENODEV || err == -ENXIO;
}

const char *dn_perf_why(uint32_t kinds, const int err[DN_PERF_KINDS], unsigned kind)
{
	bool any = false;

	if (err[kind] == -EACCES || err[kind] == -EPERM)
		return "perf_event_open(2) is not allowed: it takes CAP_PERFMON";
	if (err[kind] == -ENOSYS)
		return "the kernel was built without perf events";
	if (!is_absent(err[kind]))
		return strerror(-err[kind]);
	for (unsigned i = 0; i < DN_PERF_KINDS; i++)
		any |= kinds & DN_PERF_HARDWARE & 1u << i && !is_absent(err[i]);
	return any ? "this CPU has no such counter" :
		"this machine has no hardware counters, as virtual machines mostly have not";
}

int dn_perf_rows(const struct dn_sink *sink, const struct dn_ring_perf *r, uint32_t kinds)
{
	struct dn_value v[DN_F_perf_counter_N];
	int err = 0;

	for (unsigned i = 0; i < DN_PERF_KINDS && !err; i++) {
		if (!(kinds & r->kinds & 1u << i) || !r->sum[i].enabled)
			continue;
		v[DN_F_perf_counter_time] = dn_u(r->time);
		v[DN_F_perf_counter_thread] = dn_u(r->thread);
		v[DN_F_perf_counter_counter] = dn_u(i);
		v[DN_F_perf_counter_value] = dn_u(r->sum[i].value);
		v[DN_F_perf_counter_enabled] = dn_u(r->sum[i].enabled);
		v[DN_F_perf_counter_running] = dn_u(r->sum[i].running);
		err = dn_row_send(sink, DN_EV_perf_counter, v, DN_F_perf_counter_N);
	}
	return err;
}
