/*
 * hostsample.c - one reading of the host: host_sample, net_sample and
 * disk_sample rows.
 *
 * Files are opened anew each time: at ten rounds a second or less the look-ups
 * cost less than the text that the kernel makes.
 */
#include "hostsample.h"

#include <string.h>

#include "clocks.h"
#include "procfs.h"
#include "row.h"

#define TEXT_SIZE 8192		/* meminfo is the longest read whole, 1.6 KB */
#define LINE_SIZE 4096		/* all lines wanted are short; /proc/stat has long ones */

static void read_psi(int procfs, const char *name, struct dn_psi *psi)
{
	char text[512];
	ssize_t n = dn_read_file(procfs, name, text, sizeof(text));

	dn_parse_psi(text, n > 0 ? (size_t)n : 0, psi);
}

static void read_cpu(int procfs, struct dn_host_cpu *cpu)
{
	char buf[LINE_SIZE];
	struct dn_lines l;
	char *line;
	size_t len;

	dn_host_cpu_clear(cpu);
	if (dn_lines_open(&l, procfs, "stat", buf, sizeof(buf)))
		return;
	/* ctxt stands behind the interrupts; nothing behind it is wanted */
	while (cpu->ctxt == DN_UNMEASURED && dn_lines_next(&l, &line, &len) > 0)
		dn_parse_host_stat_line(line, len, cpu);
	dn_lines_close(&l);
}

static uint64_t sum(uint64_t a, uint64_t b)
{
	return a == DN_UNMEASURED || b == DN_UNMEASURED ? DN_UNMEASURED : a + b;
}

static int emit_host(int procfs, const struct dn_sink *sink)
{
	struct dn_value v[DN_F_host_sample_N];
	char text[TEXT_SIZE];
	uint64_t tick = dn_tick_ns();
	struct dn_loadavg load;
	struct dn_meminfo mem;
	struct dn_host_cpu cpu;
	struct dn_psi psi;
	ssize_t n;

	dn_row_clear(v, DN_F_host_sample_N);
	v[DN_F_host_sample_time] = dn_u(dn_now());

	n = dn_read_file(procfs, "loadavg", text, sizeof(text));
	if (n > 0 && !dn_parse_loadavg(text, (size_t)n, &load)) {
		v[DN_F_host_sample_load1] = dn_measured(load.load1);
		v[DN_F_host_sample_load5] = dn_measured(load.load5);
		v[DN_F_host_sample_load15] = dn_measured(load.load15);
		v[DN_F_host_sample_running] = dn_measured(load.running);
		v[DN_F_host_sample_tasks] = dn_measured(load.tasks);
	}

	read_cpu(procfs, &cpu);
	v[DN_F_host_sample_cpu_user] = dn_measured(dn_scale(cpu.user, tick));
	v[DN_F_host_sample_cpu_nice] = dn_measured(dn_scale(cpu.nice, tick));
	v[DN_F_host_sample_cpu_system] = dn_measured(dn_scale(cpu.system, tick));
	v[DN_F_host_sample_cpu_idle] = dn_measured(dn_scale(cpu.idle, tick));
	v[DN_F_host_sample_cpu_iowait] = dn_measured(dn_scale(cpu.iowait, tick));
	v[DN_F_host_sample_cpu_irq] = dn_measured(dn_scale(sum(cpu.irq, cpu.softirq), tick));
	v[DN_F_host_sample_cpu_steal] = dn_measured(dn_scale(cpu.steal, tick));
	v[DN_F_host_sample_ctxt] = dn_measured(cpu.ctxt);

	n = dn_read_file(procfs, "meminfo", text, sizeof(text));
	dn_parse_meminfo(text, n > 0 ? (size_t)n : 0, &mem);
	v[DN_F_host_sample_mem_total] = dn_measured(mem.total);
	v[DN_F_host_sample_mem_free] = dn_measured(mem.free);
	v[DN_F_host_sample_mem_available] = dn_measured(mem.available);
	v[DN_F_host_sample_mem_cached] = dn_measured(mem.cached);
	v[DN_F_host_sample_swap_total] = dn_measured(mem.swap_total);
	v[DN_F_host_sample_swap_free] = dn_measured(mem.swap_free);

	/* the file of the CPU has a "full" line since 5.13, which is always 0 */
	read_psi(procfs, "pressure/cpu", &psi);
	v[DN_F_host_sample_psi_cpu_some] = dn_measured(psi.some);
	read_psi(procfs, "pressure/memory", &psi);
	v[DN_F_host_sample_psi_mem_some] = dn_measured(psi.some);
	v[DN_F_host_sample_psi_mem_full] = dn_measured(psi.full);
	read_psi(procfs, "pressure/io", &psi);
	v[DN_F_host_sample_psi_io_some] = dn_measured(psi.some);
	v[DN_F_host_sample_psi_io_full] = dn_measured(psi.full);

	return dn_row_send(sink, DN_EV_host_sample, v, DN_F_host_sample_N);
}

static int emit_net_dev(const struct dn_net_dev *d, uint64_t time, const struct dn_sink *sink)
{
	struct dn_value v[DN_F_net_sample_N];

	dn_row_clear(v, DN_F_net_sample_N);
	v[DN_F_net_sample_time] = dn_u(time);
	v[DN_F_net_sample_device] = dn_str(d->name, d->name_len);
	v[DN_F_net_sample_rx_bytes] = dn_measured(d->rx_bytes);
	v[DN_F_net_sample_rx_packets] = dn_measured(d->rx_packets);
	v[DN_F_net_sample_rx_errors] = dn_measured(d->rx_errors);
	v[DN_F_net_sample_rx_dropped] = dn_measured(d->rx_dropped);
	v[DN_F_net_sample_tx_bytes] = dn_measured(d->tx_bytes);
	v[DN_F_net_sample_tx_packets] = dn_measured(d->tx_packets);
	v[DN_F_net_sample_tx_errors] = dn_measured(d->tx_errors);
	v[DN_F_net_sample_tx_dropped] = dn_measured(d->tx_dropped);
	return dn_row_send(sink, DN_EV_net_sample, v, DN_F_net_sample_N);
}

static int emit_net(int procfs, const struct dn_sink *sink, uint64_t *skipped)
{
	char buf[LINE_SIZE];
	struct dn_lines l;
	struct dn_net_dev d;
	unsigned rows = 0;
	uint64_t time;
	char *line;
	size_t len;
	int err = 0;

	/* /proc/net is a link to self/net, which needs a /proc of our own pid
	 * namespace; the file is the same. */
	if (dn_lines_open(&l, procfs, "net/dev", buf, sizeof(buf)))
		return 0;
	time = dn_now();
	while (!err && dn_lines_next(&l, &line, &len) > 0) {
		if (dn_parse_net_dev(line, len, &d) ||
		    (!d.rx_packets && !d.tx_packets && !d.rx_errors && !d.tx_errors &&
		     !d.rx_dropped && !d.tx_dropped))
			continue;
		if (++rows > DN_HOST_DEVICES_MAX)
			(*skipped)++;
		else
			err = emit_net_dev(&d, time, sink);
	}
	dn_lines_close(&l);
	return err;
}

bool dn_is_partition(const char *disk, size_t disk_len, const char *name, size_t len)
{
	size_t i = disk_len;

	if (!disk_len || len <= disk_len || memcmp(disk, name, disk_len))
		return false;
	if (disk[disk_len - 1] >= '0' && disk[disk_len - 1] <= '9' && name[i++] != 'p')
		return false;
	if (i == len)
		return false;
	for (; i < len; i++)
		if (name[i] < '0' || name[i] > '9')
			return false;
	return true;
}

static int emit_disk(const struct dn_disk *d, uint64_t time, const struct dn_sink *sink)
{
	struct dn_value v[DN_F_disk_sample_N];

	dn_row_clear(v, DN_F_disk_sample_N);
	v[DN_F_disk_sample_time] = dn_u(time);
	v[DN_F_disk_sample_device] = dn_str(d->name, d->name_len);
	v[DN_F_disk_sample_reads] = dn_measured(d->reads);
	v[DN_F_disk_sample_read_bytes] = dn_measured(dn_scale(d->read_sectors, DN_SECTOR));
	v[DN_F_disk_sample_read_time] = dn_measured(dn_scale(d->read_ms, 1000000));
	v[DN_F_disk_sample_writes] = dn_measured(d->writes);
	v[DN_F_disk_sample_write_bytes] = dn_measured(dn_scale(d->write_sectors, DN_SECTOR));
	v[DN_F_disk_sample_write_time] = dn_measured(dn_scale(d->write_ms, 1000000));
	v[DN_F_disk_sample_in_flight] = dn_measured(d->in_flight);
	v[DN_F_disk_sample_busy_time] = dn_measured(dn_scale(d->busy_ms, 1000000));
	return dn_row_send(sink, DN_EV_disk_sample, v, DN_F_disk_sample_N);
}

static int emit_disks(int procfs, const struct dn_sink *sink, uint64_t *skipped)
{
	char buf[LINE_SIZE], disk[64];
	size_t disk_len = 0, len;
	struct dn_lines l;
	struct dn_disk d;
	unsigned rows = 0;
	uint64_t time;
	char *line;
	int err = 0;

	if (dn_lines_open(&l, procfs, "diskstats", buf, sizeof(buf)))
		return 0;
	time = dn_now();
	while (!err && dn_lines_next(&l, &line, &len) > 0) {
		/* partitions follow their disk */
		if (dn_parse_disk(line, len, &d) ||
		    dn_is_partition(disk, disk_len, d.name, d.name_len))
			continue;
		disk_len = d.name_len < sizeof(disk) ? d.name_len : 0;
		memcpy(disk, d.name, disk_len);
		if (!d.reads && !d.writes && !d.in_flight)
			continue;
		if (++rows > DN_HOST_DEVICES_MAX)
			(*skipped)++;
		else
			err = emit_disk(&d, time, sink);
	}
	dn_lines_close(&l);
	return err;
}

int dn_host_emit(int procfs, const struct dn_sink *sink, uint64_t *skipped)
{
	int err = emit_host(procfs, sink);

	if (!err)
		err = emit_net(procfs, sink, skipped);
	if (!err)
		err = emit_disks(procfs, sink, skipped);
	return err;
}
