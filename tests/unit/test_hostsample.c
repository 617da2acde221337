/*
 * test_hostsample.c - readings of the host: made-up files of /proc with every
 * figure in its place, and the machine as the kernel shows it elsewhere.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include <cmocka.h>

#include "clocks.h"
#include "collect.h"
#include "hostsample.h"
#include "scratch.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))
#define H(row, name) ((row)->v[DN_F_host_sample_##name].u)

static int here(void)
{
	int fd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static FILE *make(const char *name)
{
	FILE *f = fopen(name, "w");

	assert_non_null(f);
	return f;
}

static void put(const char *name, const char *text)
{
	FILE *f = make(name);

	fputs(text, f);
	fclose(f);
}

static void read_host(int procfs, struct collect *c, uint64_t skipped)
{
	uint64_t before = dn_now(), n = 0;

	collect_init(c);
	assert_int_equal(dn_host_emit(procfs, &c->sink, &n), 0);
	assert_int_equal(n, skipped);
	for (size_t i = 0; i < c->n; i++)	/* time is the first field of all three */
		assert_true(before <= c->row[i].v[0].u && c->row[i].v[0].u <= dn_now());
}

/* Every figure has a value of its own, so that none can stand in another's place. */
static void figures(void **state)
{
	static const uint64_t net[] = { 1001, 1002, 1003, 1004, 2001, 2002, 2003, 2004 };
	uint64_t tick = 1000000000u / (uint64_t)sysconf(_SC_CLK_TCK);
	const struct collected *r;
	struct collect c;
	int fd = here();

	(void)state;
	put("loadavg", "0.11 2.22 33.33 4/55 666\n");
	put("stat", "cpu  1 2 3 4 5 6 7 8 9 10\ncpu0 11 12 13 14 15 16 17 18\nintr 19 20\nctxt 21\n");
	put("meminfo", "MemTotal: 101 kB\nMemFree: 102 kB\nMemAvailable: 103 kB\nBuffers: 99 kB\n"
		       "Cached: 104 kB\nSwapCached: 98 kB\nSwapTotal: 105 kB\nSwapFree: 106 kB\n");
	assert_int_equal(mkdir("pressure", 0700), 0);
	put("pressure/cpu", "some avg10=0.00 avg60=0.00 avg300=0.00 total=201\n");
	put("pressure/memory", "some avg10=0.00 avg60=0.00 avg300=0.00 total=202\n"
			       "full avg10=0.00 avg60=0.00 avg300=0.00 total=203\n");
	put("pressure/io", "some avg10=0.00 avg60=0.00 avg300=0.00 total=204\n"
			   "full avg10=0.00 avg60=0.00 avg300=0.00 total=205\n");
	assert_int_equal(mkdir("net", 0700), 0);
	put("net/dev", "Inter-|   Receive                          |  Transmit\n"
		       " face |bytes    packets errs drop fifo frame compressed multicast|bytes ...\n"
		       "    lo:       0       0    0    0    0     0          0         0        0       0"
		       "    0    0    0     0       0          0\n"
		       "  eth0:    1001    1002 1003 1004    1     2          3         4     2001    2002"
		       " 2003 2004    5     6       7          8\n"
		       "   sad:       0       0    0    1    0     0          0         0        0       0"
		       "    0    0    0     0       0          0\n");
	put("diskstats", "   8 0 sda 301 9 302 303 304 9 305 306 307 308 9\n"
			 "   8 1 sda1 300 9 300 300 300 9 300 300 300 300 9\n"
			 "   7 0 loop0 0 0 0 0 0 0 0 0 0 0 0\n"
			 " 259 0 nvme0n1 0 0 0 0 0 0 0 0 1 0 0\n");
	read_host(fd, &c, 0);

	r = collect_find(&c, DN_EV_host_sample, 0);
	assert_int_equal(r->n, DN_F_host_sample_N);
	assert_int_equal(H(r, load1), 110);
	assert_int_equal(H(r, load5), 2220);
	assert_int_equal(H(r, load15), 33330);
	assert_int_equal(H(r, running), 4);
	assert_int_equal(H(r, tasks), 55);
	assert_int_equal(H(r, cpu_user), 1 * tick);
	assert_int_equal(H(r, cpu_nice), 2 * tick);
	assert_int_equal(H(r, cpu_system), 3 * tick);
	assert_int_equal(H(r, cpu_idle), 4 * tick);
	assert_int_equal(H(r, cpu_iowait), 5 * tick);
	assert_int_equal(H(r, cpu_irq), (6 + 7) * tick);
	assert_int_equal(H(r, cpu_steal), 8 * tick);
	assert_int_equal(H(r, ctxt), 21);
	assert_int_equal(H(r, mem_total), 101 << 10);
	assert_int_equal(H(r, mem_free), 102 << 10);
	assert_int_equal(H(r, mem_available), 103 << 10);
	assert_int_equal(H(r, mem_cached), 104 << 10);
	assert_int_equal(H(r, swap_total), 105 << 10);
	assert_int_equal(H(r, swap_free), 106 << 10);
	assert_int_equal(H(r, psi_cpu_some), 201000);
	assert_int_equal(H(r, psi_mem_some), 202000);
	assert_int_equal(H(r, psi_mem_full), 203000);
	assert_int_equal(H(r, psi_io_some), 204000);
	assert_int_equal(H(r, psi_io_full), 205000);
	for (unsigned i = 0; i < r->n; i++)
		assert_false(r->v[i].null);

	assert_int_equal(collect_count(&c, DN_EV_net_sample), 2);
	r = collect_find(&c, DN_EV_net_sample, 0);
	assert_int_equal(r->n, DN_F_net_sample_N);
	assert_string_equal(r->v[DN_F_net_sample_device].p, "eth0");
	for (unsigned i = 0; i < N(net); i++)
		assert_int_equal(r->v[DN_F_net_sample_rx_bytes + i].u, net[i]);
	/* one that only drops has a row */
	assert_string_equal(collect_find(&c, DN_EV_net_sample, 1)->v[DN_F_net_sample_device].p, "sad");

	assert_int_equal(collect_count(&c, DN_EV_disk_sample), 2);
	r = collect_find(&c, DN_EV_disk_sample, 0);
	assert_int_equal(r->n, DN_F_disk_sample_N);
	assert_string_equal(r->v[DN_F_disk_sample_device].p, "sda");
	assert_int_equal(r->v[DN_F_disk_sample_reads].u, 301);
	assert_int_equal(r->v[DN_F_disk_sample_read_bytes].u, 302 * 512);
	assert_int_equal(r->v[DN_F_disk_sample_read_time].u, 303000000);
	assert_int_equal(r->v[DN_F_disk_sample_writes].u, 304);
	assert_int_equal(r->v[DN_F_disk_sample_write_bytes].u, 305 * 512);
	assert_int_equal(r->v[DN_F_disk_sample_write_time].u, 306000000);
	assert_int_equal(r->v[DN_F_disk_sample_in_flight].u, 307);
	assert_int_equal(r->v[DN_F_disk_sample_busy_time].u, 308000000);
	/* and one whose first request is under way */
	assert_string_equal(collect_find(&c, DN_EV_disk_sample, 1)->v[DN_F_disk_sample_device].p,
			    "nvme0n1");
	collect_free(&c);
	close(fd);
}

/* Without a file there is no figure, and no device. */
static void nothing_there(void **state)
{
	struct collect c;
	int fd = here();

	(void)state;
	read_host(fd, &c, 0);
	assert_int_equal(c.n, 1);
	assert_int_equal(c.row[0].event, DN_EV_host_sample);
	for (unsigned i = 1; i < c.row[0].n; i++)
		assert_true(c.row[0].v[i].null);
	collect_free(&c);
	close(fd);
}

/* More devices than a reading takes: those beyond are counted. And a sink that
 * refuses, at the first row of each kind and at the last. */
static void many_devices(void **state)
{
	static const size_t at[] = { 1, 2, DN_HOST_DEVICES_MAX + 2, 2 * DN_HOST_DEVICES_MAX + 1 };
	struct collect c;
	int fd = here();
	FILE *f;

	(void)state;
	assert_int_equal(mkdir("net", 0700), 0);
	f = make("net/dev");
	for (unsigned i = 0; i < DN_HOST_DEVICES_MAX + 44; i++)
		fprintf(f, "veth%u: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n", i);
	fclose(f);
	f = make("diskstats");
	for (unsigned i = 0; i < DN_HOST_DEVICES_MAX + 33; i++)
		fprintf(f, " 253 %u dm-%u 1 0 1 1 1 0 1 1 0 1 1\n", i, i);
	fclose(f);
	read_host(fd, &c, 44 + 33);
	assert_int_equal(collect_count(&c, DN_EV_net_sample), DN_HOST_DEVICES_MAX);
	assert_int_equal(collect_count(&c, DN_EV_disk_sample), DN_HOST_DEVICES_MAX);
	collect_free(&c);
	for (size_t i = 0; i < N(at); i++) {
		uint64_t skipped = 0;

		collect_init(&c);
		c.fail_at = at[i];
		assert_int_equal(dn_host_emit(fd, &c.sink, &skipped), -ENOSPC);
		assert_int_equal(c.n, at[i] - 1);
		collect_free(&c);
	}
	close(fd);
}

/* This machine: what sysinfo(2) says, and the devices that /sys has. */
static void this_machine(void **state)
{
	int fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	const struct collected *r;
	struct sysinfo info;
	struct collect c;

	(void)state;
	assert_true(fd >= 0);
	read_host(fd, &c, 0);
	assert_int_equal(sysinfo(&info), 0);
	r = collect_find(&c, DN_EV_host_sample, 0);
	assert_int_equal(H(r, mem_total) >> 10, (uint64_t)info.totalram * info.mem_unit >> 10);
	assert_int_equal(H(r, swap_total) >> 10, (uint64_t)info.totalswap * info.mem_unit >> 10);
	assert_true(H(r, cpu_idle) > 0 && H(r, ctxt) > 0);
	assert_true(H(r, tasks) > 0 && H(r, running) > 0);
	for (size_t i = 0; i < c.n; i++) {
		char path[300];

		r = &c.row[i];
		if (r->event == DN_EV_net_sample)
			snprintf(path, sizeof(path), "/sys/class/net/%s", r->v[DN_F_net_sample_device].p);
		else if (r->event == DN_EV_disk_sample)		/* has whole disks only */
			snprintf(path, sizeof(path), "/sys/block/%s", r->v[DN_F_disk_sample_device].p);
		else
			continue;
		if (!access("/sys/class/net", F_OK))
			assert_int_equal(access(path, F_OK), 0);
	}
	collect_free(&c);
	close(fd);
}

static void partitions(void **state)
{
	static const struct {
		const char *disk, *name;
		bool is;
	} t[] = {
		{ "sda", "sda1", true },     { "sda", "sdaa", false },	{ "sda", "sda", false },
		{ "loop1", "loop10", false }, { "loop1", "loop1p1", true }, { "dm-1", "dm-10", false },
		{ "nvme0n1", "nvme0n1p2", true }, { "nvme0n1", "nvme0n10", false },
		{ "mmcblk0", "mmcblk0boot0", false }, { "mmcblk0", "mmcblk0p", false },
		{ "", "sda1", false },
	};

	(void)state;
	for (size_t i = 0; i < N(t); i++)
		assert_int_equal(dn_is_partition(t[i].disk, strlen(t[i].disk), t[i].name,
						 strlen(t[i].name)), t[i].is);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(figures),
		CASE(nothing_there),
		CASE(many_devices),
		cmocka_unit_test(this_machine),
		cmocka_unit_test(partitions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
