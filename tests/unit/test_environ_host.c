/*
 * test_environ_host.c - facts of the host, one getter at a time: made-up
 * trees of the odd machines there are, short buffers, and this machine.
 *
 * The whole table, key by key, is test_environ.c's.
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
#include <unistd.h>

#include <cmocka.h>

#include "environ_get.h"
#include "names.h"
#include "scratch.h"

#define CPU "sys/devices/system/cpu/"
#define NODE "sys/devices/system/node/"
#define CG "sys/fs/cgroup"

static struct dn_env_ctx made;		/* the scratch directory as a root */
static char out[4096];

static int setup(void **state)
{
	if (scratch_setup(state))
		return 1;
	made.root = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return made.root < 0;
}

static int teardown(void **state)
{
	close(made.root);
	return scratch_teardown(state);
}

/* Writes a file of the tree, and the directories above it. */
static void put(const char *path, const char *text)
{
	char dir[256];
	FILE *f;

	for (const char *p = path; (p = strchr(p, '/')); p++) {
		snprintf(dir, sizeof(dir), "%.*s", (int)(p - path), path);
		assert_true(!mkdir(dir, 0700) || errno == EEXIST);
	}
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

/* What the getter says, or the name of its error. */
static const char *get(dn_env_getter *getter, const char *arg)
{
	ssize_t n;

	memset(out, '#', sizeof(out));
	n = getter(&made, arg, out, sizeof(out));
	if (n < 0)
		return dn_errno_name((unsigned)-n);
	assert_true((size_t)n < sizeof(out));
	out[n] = 0;
	return out;
}

#define os_release(key) get(dn_env_get_os_release, key)
#define model() get(dn_env_get_cpu_model, "")
#define cpus(what) get(dn_env_get_cpu_count, what)
#define cgroup(what) get(dn_env_get_cgroup, what)
#define hypervisor() get(dn_env_get_hypervisor, "")
#define container() get(dn_env_get_container, "")

/* Each getter, with no file at all and with no room. */
static void nothing(void **state)
{
	char small[2];

	(void)state;
	assert_string_equal(os_release("ID"), "ENOENT");
	assert_string_equal(model(), "ENOENT");
	assert_string_equal(cpus("threads"), "ENOENT");
	assert_string_equal(get(dn_env_get_numa, "distance"), "ENOENT");
	assert_string_equal(cgroup("version"), "ENOENT");
	assert_string_equal(hypervisor(), "none");
	assert_string_equal(container(), "none");

	put(CPU "online", "0-15\n");
	put("proc/self/cgroup", "0::/long\n");
	put(NODE "online", "0\n");
	put(NODE "node0/distance", "10 21\n");
	assert_int_equal(dn_env_get_cpu_count(&made, "threads", small, sizeof(small)), -ENOBUFS);
	assert_int_equal(dn_env_get_cgroup(&made, "path", small, sizeof(small)), -ENOBUFS);
	assert_int_equal(dn_env_get_numa(&made, "distance", small, sizeof(small)), -ENOBUFS);
	assert_int_equal(dn_env_get_container(&made, "", small, sizeof(small)), -ENOBUFS);
}

static void system_name(void **state)
{
	(void)state;
	/* /etc/os-release is a link to the other, which a damaged system may lack */
	put("usr/lib/os-release", "ID=second\nVERSION_ID=\"2\"\n");
	assert_string_equal(os_release("ID"), "second");
	put("etc/os-release", "# ID=no\nVERSION_ID=7\nID=\"a\\$b\"\nNAME='x y'\nEMPTY=\n");
	assert_string_equal(os_release("ID"), "a$b");
	assert_string_equal(os_release("NAME"), "x y");
	assert_string_equal(os_release("VERSION_ID"), "7");
	assert_string_equal(os_release("VERSION"), "ENODATA");
	assert_string_equal(os_release("EMPTY"), "ENODATA");
}

static void processor(void **state)
{
	(void)state;
	put("proc/cpuinfo", "processor\t: 0\n");
	assert_string_equal(model(), "ENOENT");
	put("proc/device-tree/model", "A Board v1");
	assert_string_equal(model(), "A Board v1");
	put("proc/cpuinfo", "processor\t: 0\nCPU implementer\t: 0x41\nCPU part\t: 0xd0c\n");
	assert_string_equal(model(), "implementer 0x41 part 0xd0c");
	put("proc/cpuinfo", "processor\t: 0\nHardware\t: BCM\nModel\t\t: Pi\n");
	assert_string_equal(model(), "Pi");
	put("proc/cpuinfo", "processor\t: 0\nmodel\t\t: 85\nmodel name\t: X(R) CPU @ 2.00GHz\n");
	assert_string_equal(model(), "X(R) CPU @ 2.00GHz");
}

static void put_cpu(int cpu, int package, const char *siblings)
{
	char path[128], text[32];

	snprintf(path, sizeof(path), CPU "cpu%d/topology/thread_siblings_list", cpu);
	put(path, siblings);
	snprintf(path, sizeof(path), CPU "cpu%d/topology/physical_package_id", cpu);
	snprintf(text, sizeof(text), "%d\n", package);
	put(path, text);
}

static void topology(void **state)
{
	(void)state;
	put(CPU "online", "0,2-4\n");	/* 1, the twin of 0, is off */
	put_cpu(0, 36, "0\n");		/* packages are numbered as firmware likes */
	put_cpu(2, 36, "2-3\n");
	put_cpu(3, 36, "2-3\n");
	put_cpu(4, 7, "4\n");
	assert_string_equal(cpus("threads"), "4");
	assert_string_equal(cpus("cores"), "3");
	assert_string_equal(cpus("sockets"), "2");
	put(CPU "online", "0,2-5\n");	/* one that says nothing of itself */
	assert_string_equal(cpus("threads"), "5");
	assert_string_equal(cpus("cores"), "ENOENT");
	put(CPU "online", "0-1023\n");
	assert_string_equal(cpus("threads"), "1024");
	put(CPU "online", "0-1024\n");
	assert_string_equal(cpus("threads"), "1025");
	assert_string_equal(cpus("sockets"), "E2BIG");
	put(CPU "online", "\n");
	assert_string_equal(cpus("threads"), "ENODATA");
}

static void nodes(void **state)
{
	(void)state;
	put(NODE "online", "0,2\n");
	put(NODE "node0/cpulist", "0-3\n");
	put(NODE "node2/cpulist", "\n");	/* memory only */
	assert_string_equal(get(dn_env_get_numa, "cpulist"), "0-3; ");
	assert_string_equal(get(dn_env_get_numa, "distance"), "ENOENT");
}

/* Lists are matched by whole words, and the limit is the tightest on the way up
 * to the mount point, wherever that is. */
static void groups(void **state)
{
	(void)state;
	put("proc/self/cgroup", "4:memory:/m\n3:cpuacct,cpu:/c/d\n2:cpuset,memory_x:/wrong\n"
				"1:name=systemd,xmemory,xcpu:/wrong\n");
	put("proc/self/mountinfo",
	    "30 1 0:1 / /sys/fs/cgroup/cpuset rw - cgroup none rw,cpuset\n"
	    "31 1 0:2 / /sys/fs/cgroup/cpu rw shared:9 - cgroup none rw,cpu,cpuacct\n"
	    "32 1 0:3 /m /sys/fs/cgroup/mem rw - cgroup none rw,memory\n");
	assert_string_equal(cgroup("version"), "1");
	assert_string_equal(cgroup("path"), "/m");
	assert_string_equal(cgroup("memory.max"), "max");
	put(CG "/mem/memory.limit_in_bytes", "5000\n");
	put(CG "/memory.limit_in_bytes", "1\n");		/* above the mount point */
	assert_string_equal(cgroup("memory.max"), "5000");
	put(CG "/cpu/c/d/cpu.cfs_quota_us", "-1\n");
	put(CG "/cpu/c/d/cpu.cfs_period_us", "100000\n");
	assert_string_equal(cgroup("cpu.max"), "max");
	put(CG "/cpu/c/cpu.cfs_quota_us", "30000\n");
	put(CG "/cpu/c/cpu.cfs_period_us", "10000\n");		/* three CPUs */
	put(CG "/cpu/cpu.cfs_quota_us", "200000\n");
	put(CG "/cpu/cpu.cfs_period_us", "100000\n");		/* two */
	assert_string_equal(cgroup("cpu.max"), "200000 100000");
	put(CG "/cpu/cpu.cfs_period_us", "0\n");
	assert_string_equal(cgroup("cpu.max"), "30000 10000");

	/* nothing mounted, no group, a file of nonsense */
	put("proc/self/mountinfo", "30 1 0:1 / / rw - ext4 /dev/sda rw\n");
	assert_string_equal(cgroup("cpu.max"), "ENODATA");
	put("proc/self/cgroup", "nonsense\n:\n");
	assert_string_equal(cgroup("path"), "ENODATA");
	assert_string_equal(cgroup("memory.max"), "ENODATA");
}

static void unified(void **state)
{
	(void)state;
	put("proc/self/cgroup", "0::/a/b\n");
	put("proc/self/mountinfo", "31 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
	assert_string_equal(cgroup("version"), "2");
	assert_string_equal(cgroup("path"), "/a/b");
	put(CG "/a/b/memory.max", "9000\n");
	put(CG "/a/memory.max", "8000\n");
	put(CG "/memory.max", "max\n");
	assert_string_equal(cgroup("memory.max"), "8000");
	put(CG "/a/cpu.max", "max 100000\n");
	put(CG "/a/b/cpu.max", "5000 100000\n");
	assert_string_equal(cgroup("cpu.max"), "5000 100000");
	put("proc/self/cgroup", "0::/\n");
	assert_string_equal(cgroup("path"), "/");
	assert_string_equal(cgroup("memory.max"), "max");
}

/* Each hint, from the weakest to the strongest. */
static void hints(void **state)
{
	static const char *const marks[][2] = {
		{ "0::/lxc.payload.x\n", "lxc" }, { "0::/system.slice/docker-1.scope\n", "docker" },
		{ "0::/kubepods/besteffort\n", "kubepods" }, { "0::/libpod-9\n", "libpod" },
		{ "0::/user.slice\n", "none" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		put("proc/self/cgroup", marks[i][0]);
		assert_string_equal(container(), marks[i][1]);
	}
	put(".dockerenv", "");
	assert_string_equal(container(), "docker");
	put("run/.containerenv", "");
	assert_string_equal(container(), "podman");
	put("run/systemd/container", "systemd-nspawn\n");
	assert_string_equal(container(), "systemd-nspawn");

	put("sys/class/dmi/id/sys_vendor", "Dell Inc.\n");	/* hardware: no hint */
	assert_string_equal(hypervisor(), "none");
	put("sys/class/dmi/id/sys_vendor", "Amazon EC2\n");
	assert_string_equal(hypervisor(), "Amazon EC2");
	put("proc/device-tree/hypervisor/compatible", "linux,kvm");
	assert_string_equal(hypervisor(), "linux,kvm");
	put("sys/hypervisor/type", "xen\n");
	assert_string_equal(hypervisor(), "xen");
}

/* The real root, against the commands that print the same. */
static void this_machine(void **state)
{
	struct dn_env_ctx c = { .root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), .real_root = true };
	static const struct {
		dn_env_getter *get;
		const char *arg, *command;
	} t[] = {
		{ dn_env_get_cpu_count, "threads", "getconf _NPROCESSORS_ONLN" },
		{ dn_env_get_cpu_count, "cores", "lscpu -p=socket,core | grep -v '^#' | sort -u | wc -l" },
		{ dn_env_get_cpu_count, "sockets", "lscpu -p=socket | grep -v '^#' | sort -u | wc -l" },
		{ dn_env_get_cpu_model, "", "sed -n '/^model name/{s/.*: //p;q}' /proc/cpuinfo" },
		{ dn_env_get_os_release, "ID", ". /etc/os-release && echo \"$ID\"" },
		{ dn_env_get_os_release, "PRETTY_NAME", ". /etc/os-release && echo \"$PRETTY_NAME\"" },
		{ dn_env_get_numa, "cpulist",
		  "cd /sys/devices/system/node && cat node[0-9]/cpulist | sed ':a;N;$!ba;s/\\n/; /g'" },
	};

	(void)state;
	assert_true(c.root >= 0);
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		char want[4096] = "", command[256];
		FILE *f;
		ssize_t n;

		snprintf(command, sizeof(command), "exec 2>/dev/null; %s", t[i].command);
		f = popen(command, "r");
		assert_non_null(f);
		if (fgets(want, sizeof(want), f))
			want[strcspn(want, "\n")] = 0;
		if (pclose(f) || !*want || !strcmp(want, "0"))
			continue;	/* no such command here */
		n = t[i].get(&c, t[i].arg, out, sizeof(out));
		assert_true(n > 0);
		out[n] = 0;
		assert_string_equal(out, want);
	}
#if defined(__x86_64__) || defined(__i386__)
	memset(out, 0, sizeof(out));
	assert_true(dn_env_get_hypervisor(&c, "", out, sizeof(out)) > 0);
	assert_int_equal(strcmp(out, "none") != 0, !system("grep -qw hypervisor /proc/cpuinfo"));
#endif
	close(c.root);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(nothing),
		CASE(system_name),
		CASE(processor),
		CASE(topology),
		CASE(nodes),
		CASE(groups),
		CASE(unified),
		CASE(hints),
		cmocka_unit_test(this_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
