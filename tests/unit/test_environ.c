/*
 * Environment rows: on this machine against what the library and the shell
 * say, on made-up trees, and that no secret comes through.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "collect.h"
#include "environ.h"

static const struct dn_value *value(const struct collect *c, const char *key)
{
	for (size_t i = 0; i < c->n; i++)
		if (!strcmp(c->row[i].v[DN_F_environment_key].p, key))
			return &c->row[i].v[DN_F_environment_value];
	fail_msg("no row %s", key);
	return NULL;
}

static const char *text(const struct collect *c, const char *key)
{
	const struct dn_value *v = value(c, key);

	return v->null ? "(null)" : v->p;
}

static void emit(struct collect *c, struct dn_environ_opts *o)
{
	collect_init(c);
	assert_int_equal(dn_environ_emit(o, &c->sink), 0);
}

static void expect_output(const struct collect *c, const char *key, const char *command)
{
	char line[4096] = "";
	FILE *f = popen(command, "r");

	assert_non_null(f);
	if (fgets(line, sizeof(line), f))
		line[strcspn(line, "\n")] = '\0';
	if (!pclose(f) && *line)
		assert_string_equal(text(c, key), line);
}

/* CPUs in "0-3,8" */
static int list_length(const char *list)
{
	int n = 0, first, last, used;

	while (sscanf(list, "%d%n", &first, &used) == 1) {
		list += used;
		last = first;
		if (sscanf(list, "-%d%n", &last, &used) == 1)
			list += used;
		n += last - first + 1;
		list += *list == ',';
	}
	return n;
}

static void this_machine(void **state)
{
	static char words[][16] = { "denet-record", "-o", "a b", "mysql", "-psecret", "it's" };
	static char *const argv[] = { words[0], words[1], words[2], NULL };
	static char *const command[] = { words[3], words[4], words[5], NULL };
	struct dn_environ_opts o = { .recorder_argv = argv, .command_argv = command };
	struct utsname u;
	struct collect c;
	char buf[4096];
	cpu_set_t mine;
	size_t n;

	(void)state;
	setenv("LANG", "xx_XX", 1);
	setenv("DN_TEST_SECRET", "5ebe2294ecd0", 1);
	o.environ = environ;
	emit(&c, &o);

	/* one row a key, in order, each with its doc; what is known later comes last */
	for (size_t i = 0; i < c.n; i++) {
		const struct dn_environ_key *k = &dn_environ_keys(&n)[i];

		assert_string_equal(c.row[i].v[DN_F_environment_key].p, k->key);
		assert_true(k->doc[0]);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(k->key, dn_environ_keys(&n)[j].key);
		assert_null(strstr(text(&c, k->key), "5ebe2294ecd0"));
	}
	assert_int_equal(c.n, n - 1);
	assert_string_equal(dn_environ_keys(&n)[n - 1].key, "host.kernel_hz");
	assert_int_equal(dn_environ_later("host.kernel_hz", 250, &c.sink), 0);
	assert_string_equal(text(&c, "host.kernel_hz"), "250");

	assert_int_equal(uname(&u), 0);
	assert_string_equal(text(&c, "host.name"), u.nodename);
	assert_string_equal(text(&c, "host.kernel.release"), u.release);
	snprintf(buf, sizeof(buf), "%ld", sysconf(_SC_NPROCESSORS_ONLN));
	assert_string_equal(text(&c, "host.cpu.threads"), buf);
	expect_output(&c, "host.cpu.sockets",
		      "lscpu -p=SOCKET 2>/dev/null | grep -v '#' | sort -u | wc -l");
	expect_output(&c, "host.cpu.cores",
		      "lscpu -p=CORE,SOCKET 2>/dev/null | grep -v '#' | sort -u | wc -l");
	expect_output(&c, "host.os.name", ". /etc/os-release && echo \"$PRETTY_NAME\"");
	expect_output(&c, "user.name", "id -un");
	expect_output(&c, "user.uid", "id -ru");
	expect_output(&c, "host.page_size", "getconf PAGESIZE");
	expect_output(&c, "host.memory.total", "awk '/^MemTotal:/ { printf \"%.0f\\n\", $2 * 1024 }' /proc/meminfo");
	assert_int_equal(sched_getaffinity(0, sizeof(mine), &mine), 0);
	assert_int_equal(list_length(text(&c, "recorder.affinity")), CPU_COUNT(&mine));
	assert_non_null(getcwd(buf, sizeof(buf)));
	assert_string_equal(text(&c, "command.cwd"), buf);
	snprintf(buf, sizeof(buf), "%d", getpid());
	assert_string_equal(text(&c, "recorder.pid"), buf);
	assert_string_equal(text(&c, "env.LANG"), "xx_XX");

	assert_string_equal(text(&c, "recorder.command"), "denet-record -o 'a b'");
	assert_string_equal(text(&c, "command.argv"), "mysql '-p[redacted]' 'it'\\''s'");
	assert_int_equal(o.redacted, 1);
	collect_free(&c);

	o = (struct dn_environ_opts){ .command_argv = command, .no_redact = true };
	emit(&c, &o);
	assert_string_equal(text(&c, "command.argv"), "mysql -psecret 'it'\\''s'");
	assert_true(value(&c, "recorder.command")->null);
	assert_int_equal(o.redacted, 0);
	collect_free(&c);
}

/* --- made-up trees -------------------------------------------------------------------- */

static char root[] = "/tmp/dn-test-XXXXXX";

static int make_root(void **state)
{
	(void)state;
	strcpy(root, "/tmp/dn-test-XXXXXX");
	return mkdtemp(root) ? 0 : -1;
}

static int remove_root(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", root);
	return system(command);
}

static void put(const char *path, const char *content)
{
	char name[512];
	FILE *f;

	for (const char *p = path; (p = strchr(p, '/')); p++) {
		snprintf(name, sizeof(name), "%s/%.*s", root, (int)(p - path), path);
		mkdir(name, 0700);
	}
	snprintf(name, sizeof(name), "%s/%s", root, path);
	f = fopen(name, "w");
	assert_non_null(f);
	fputs(content, f);
	fclose(f);
}

#define CPU "sys/devices/system/cpu/"

static void put_cpu(int cpu, int package, const char *siblings)
{
	char path[128], number[16];

	snprintf(path, sizeof(path), CPU "cpu%d/topology/thread_siblings_list", cpu);
	put(path, siblings);
	snprintf(path, sizeof(path), CPU "cpu%d/topology/physical_package_id", cpu);
	snprintf(number, sizeof(number), "%d\n", package);
	put(path, number);
}

static void nothing_there(void **state)
{
	struct dn_environ_opts o = { .root = root };
	struct collect c;

	(void)state;
	emit(&c, &o);
	assert_true(value(&c, "host.cpu.model")->null);
	assert_true(value(&c, "host.cpu.threads")->null);
	assert_true(value(&c, "host.memory.total")->null);
	assert_true(value(&c, "host.numa.distance")->null);
	assert_true(value(&c, "cgroup.version")->null);
	assert_true(value(&c, "cgroup.memory.max")->null);
	assert_true(value(&c, "host.os.name")->null);
	assert_true(value(&c, "user.name")->null);
	assert_true(value(&c, "command.argv")->null);
	assert_string_equal(text(&c, "host.container"), "none");
	assert_string_equal(text(&c, "host.hypervisor"), "none");
	collect_free(&c);
	o.root = "/nowhere/at/all";
	collect_init(&c);
	assert_int_equal(dn_environ_emit(&o, &c.sink), -ENOENT);
}

static void big_machine(void **state)
{
	struct dn_environ_opts o = { .root = root };
	struct collect c;

	(void)state;
	put(CPU "online", "0-3,6-9\n");
	put_cpu(0, 0, "0,6\n");
	put_cpu(1, 0, "1,7\n");
	put_cpu(2, 1, "2,8\n");
	put_cpu(3, 1, "3,9\n");
	for (int cpu = 6; cpu < 10; cpu++) {
		char list[16];

		snprintf(list, sizeof(list), "%d,%d\n", cpu - 6, cpu);
		put_cpu(cpu, (cpu - 6) / 2, list);
	}
	put("sys/devices/system/node/online", "0-1\n");
	put("sys/devices/system/node/node0/distance", "10 21\n");
	put("sys/devices/system/node/node1/distance", "21 10\n");
	put("sys/devices/system/node/node0/cpulist", "0-1,6-7\n");
	put("sys/devices/system/node/node1/cpulist", "\n");
	put(CPU "cpu0/cpufreq/scaling_max_freq", "3500000\n");
	put("sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n");
	put("sys/kernel/security/lockdown", "none [integrity] confidentiality\n");
	put("etc/os-release", "NAME=x\nPRETTY_NAME=\"A \\\"B\\\" C\"\nVERSION_ID='1'\nID=abc\n");
	put("proc/cpuinfo", "processor\t: 0\nBogoMIPS\t: 50.00\nCPU implementer\t: 0x41\n"
			    "CPU architecture: 8\nCPU part\t: 0xd0c\n");
	put("run/systemd/container", "lxc\n");
	put("sys/class/dmi/id/sys_vendor", "QEMU\n");
	put("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n");
	emit(&c, &o);
	assert_string_equal(text(&c, "host.cpu.threads"), "8");
	assert_string_equal(text(&c, "host.cpu.cores"), "4");
	assert_string_equal(text(&c, "host.cpu.sockets"), "2");
	assert_string_equal(text(&c, "host.cpu.model"), "implementer 0x41 part 0xd0c");
	assert_string_equal(text(&c, "host.cpu.freq.max"), "3500000000");
	assert_string_equal(text(&c, "host.numa.nodes"), "0-1");
	assert_string_equal(text(&c, "host.numa.distance"), "10 21; 21 10");
	assert_string_equal(text(&c, "host.numa.cpus"), "0-1,6-7; ");
	assert_string_equal(text(&c, "host.memory.thp"), "madvise");
	assert_string_equal(text(&c, "host.lockdown"), "integrity");
	assert_string_equal(text(&c, "host.os.name"), "A \"B\" C");
	assert_string_equal(text(&c, "host.os.version"), "1");
	assert_string_equal(text(&c, "host.container"), "lxc");
	assert_string_equal(text(&c, "host.hypervisor"), "QEMU");
	collect_free(&c);
}

static void cgroup_v2(void **state)
{
	struct dn_environ_opts o = { .root = root };
	struct collect c;

	(void)state;
	put("proc/self/cgroup", "0::/a/b\n");
	put("proc/self/mountinfo",
	    "22 1 0:21 / /proc rw shared:1 - proc proc rw\n"
	    "31 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n");
	put("sys/fs/cgroup/a/b/memory.max", "max\n");
	put("sys/fs/cgroup/a/memory.max", "1073741824\n");
	put("sys/fs/cgroup/a/b/cpu.max", "150000 100000\n");
	put("sys/fs/cgroup/a/cpu.max", "100000 50000\n");
	emit(&c, &o);
	assert_string_equal(text(&c, "cgroup.version"), "2");
	assert_string_equal(text(&c, "cgroup.path"), "/a/b");
	assert_string_equal(text(&c, "cgroup.memory.max"), "1073741824");
	assert_string_equal(text(&c, "cgroup.cpu.max"), "150000 100000");
	collect_free(&c);

	/* the mount shows only our own part */
	put("proc/self/mountinfo",
	    "31 23 0:26 /a /sys/fs/cgroup/a rw shared:4 - cgroup2 cgroup2 rw\n");
	emit(&c, &o);
	assert_string_equal(text(&c, "cgroup.memory.max"), "1073741824");
	collect_free(&c);
	put("proc/self/cgroup", "0::/docker/0123\n");
	put("proc/self/mountinfo",
	    "31 23 0:26 /docker/0123 /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
	put("sys/fs/cgroup/memory.max", "4096\n");
	emit(&c, &o);
	assert_string_equal(text(&c, "cgroup.memory.max"), "4096");
	assert_string_equal(text(&c, "cgroup.cpu.max"), "max");
	assert_string_equal(text(&c, "host.container"), "docker");
	collect_free(&c);
}

static void cgroup_v1(void **state)
{
	struct dn_environ_opts o = { .root = root };
	struct collect c;

	(void)state;
	put("proc/self/cgroup", "9:name=systemd:/\n4:memory:/m/n\n2:cpu,cpuacct:/c\n0::/\n");
	put("proc/self/mountinfo",
	    "25 24 0:22 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
	    "26 24 0:23 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
	    "27 24 0:24 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
	put("sys/fs/cgroup/memory/m/n/memory.limit_in_bytes", "9223372036854771712\n");
	put("sys/fs/cgroup/cpu,cpuacct/c/cpu.cfs_quota_us", "200000\n");
	put("sys/fs/cgroup/cpu,cpuacct/c/cpu.cfs_period_us", "100000\n");
	put("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\n");
	emit(&c, &o);
	assert_string_equal(text(&c, "cgroup.version"), "hybrid");
	assert_string_equal(text(&c, "cgroup.path"), "/m/n");
	assert_string_equal(text(&c, "cgroup.memory.max"), "max");
	assert_string_equal(text(&c, "cgroup.cpu.max"), "200000 100000");
	collect_free(&c);
}

/* --- the file header ----------------------------------------------------------------------- */

static void header(void **state)
{
	struct dn_file_header a, b;
	char line[64] = "", boot[64];
	FILE *f;

	(void)state;
	assert_int_equal(dn_environ_header(&a), 0);
	assert_int_equal(dn_environ_header(&b), 0);
	assert_memory_not_equal(a.uuid, b.uuid, DN_UUID_LEN);
	assert_int_equal(a.uuid[6] >> 4, 4);
	assert_int_equal(a.uuid[8] >> 6, 2);
	assert_memory_equal(a.boot_id, b.boot_id, DN_UUID_LEN);
	f = fopen("/proc/sys/kernel/random/boot_id", "r");
	if (f && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		snprintf(boot, sizeof(boot),
			 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
			 a.boot_id[0], a.boot_id[1], a.boot_id[2], a.boot_id[3], a.boot_id[4],
			 a.boot_id[5], a.boot_id[6], a.boot_id[7], a.boot_id[8], a.boot_id[9],
			 a.boot_id[10], a.boot_id[11], a.boot_id[12], a.boot_id[13], a.boot_id[14],
			 a.boot_id[15]);
		assert_string_equal(boot, line);
	}
	if (f)
		fclose(f);
	assert_int_equal(a.major, DN_FORMAT_MAJOR);
	assert_true(b.boot_ns > a.boot_ns);
	assert_true(a.wall_ns / 1000000000 - (uint64_t)time(NULL) + 2 <= 4);
#if defined(__x86_64__)
	assert_int_equal(a.native_abi, DN_ABI_X86_64);
	assert_int_equal(a.word_bits, 64);
	assert_int_equal(a.big_endian, 0);
#endif
}

static void sink_refuses(void **state)
{
	struct dn_environ_opts o = { .root = root };
	struct collect c;

	(void)state;
	collect_init(&c);
	c.fail_at = 3;
	assert_int_equal(dn_environ_emit(&o, &c.sink), -ENOSPC);
	assert_int_equal(c.n, 2);
	collect_free(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(this_machine),
		cmocka_unit_test_setup_teardown(nothing_there, make_root, remove_root),
		cmocka_unit_test_setup_teardown(big_machine, make_root, remove_root),
		cmocka_unit_test_setup_teardown(cgroup_v2, make_root, remove_root),
		cmocka_unit_test_setup_teardown(cgroup_v1, make_root, remove_root),
		cmocka_unit_test(header),
		cmocka_unit_test_setup_teardown(sink_refuses, make_root, remove_root),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
