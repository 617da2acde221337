/*
 * probe_perf.c - performance counters of a probe: which there are, how they come into the map that
 * the programs read (bpf/perf.bpf.h), and what runs at the end.
 */
#include "probe_int.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "perfcount.h"

void dn_probe_perf_find(struct dn_probe *p, uint32_t asked)
{
	p->perf.asked = asked;
	p->perf.open = dn_perf_try(asked, p->perf.err);
}

/* One event on each CPU that is on. They are the map's, until that is closed. 0 or -errno. */
static int fill(struct dn_probe *p, int map, unsigned kind)
{
	for (int cpu = 0; cpu < p->cpus; cpu++) {
		uint32_t at = kind * (uint32_t)p->cpus + (uint32_t)cpu;
		int fd = dn_perf_open(kind, cpu), err;

		if (fd == -ENODEV)
			continue;
		if (fd < 0)
			return fd;
		err = bpf_map_update_elem(map, &at, &fd, BPF_ANY) ? -errno : 0;
		close(fd);
		if (err)
			return err;
	}
	return 0;
}

void dn_probe_perf_begin(struct dn_probe *p)
{
	const int map = dn_object_map(p->obj, "perf_events");

	if (map < 0) {
		snprintf(p->perf.refused, sizeof(p->perf.refused), "without BTF it is not known which thread a CPU goes to");
		p->perf.open = 0;
	}
	for (unsigned i = 0; i < DN_PERF_KINDS; i++) {
		if (!(p->perf.open & 1u << i))
			continue;
		p->perf.err[i] = fill(p, map, i);
		if (p->perf.err[i])
			p->perf.open &= ~(1u << i);
	}
}

void dn_probe_perf_refused(struct dn_probe *p, const char *why)
{
	snprintf(p->perf.refused, sizeof(p->perf.refused), "the kernel does not let its programs read them: %s", why);
	p->perf.open = 0;
}

const char *dn_probe_perf_lacks(const struct dn_probe *p, uint32_t kinds, const char **why)
{
	for (unsigned i = 0; i < DN_PERF_KINDS; i++)
		if (kinds & ~p->perf.open & 1u << i) {
			*why = p->perf.refused[0] ? p->perf.refused : dn_perf_why(p->perf.asked, p->perf.err, i);
			return dn_perf_name(i);
		}
	return NULL;
}

uint32_t dn_probe_perf_kinds(const struct dn_probe *p)
{
	return p->perf.open;
}

void dn_probe_perf_reason(const struct dn_probe *p, char *text, size_t size)
{
	const char *first = NULL, *why;
	size_t n = 0;

	text[0] = 0;
	for (unsigned i = 0; i < DN_PERF_KINDS; i++) {
		if (!dn_probe_perf_lacks(p, p->perf.asked & 1u << i, &why))
			continue;
		if (!first) {
			first = why;
			if (p->perf.open)	/* else it is all of them */
				n = (size_t)snprintf(text, size, "without ");
		}
		if (p->perf.open && n < size)
			n += (size_t)snprintf(text + n, size - n, "%s%s", n > strlen("without ") ? ", " : "", dn_perf_name(i));
	}
	if (first && n < size)
		snprintf(text + n, size - n, "%s%s", n ? ": " : "", first);
}

void dn_probe_perf_settle(struct dn_probe *p)
{
	struct bpf_program *prog = bpf_object__find_program_by_name(p->obj, "settle_counts");

	if (!p->perf.open || !prog)
		return;
	/* A CPU that is off has nothing to settle. Before 5.10 nothing runs so, and what a thread was
	 * given since its last switch is missing. */
	for (int cpu = 0; cpu < p->cpus; cpu++) {
		LIBBPF_OPTS(bpf_test_run_opts, opts, .cpu = (uint32_t)cpu, .flags = BPF_F_TEST_RUN_ON_CPU);

		bpf_prog_test_run_opts(bpf_program__fd(prog), &opts);
	}
}
