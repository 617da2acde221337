/*
 * environ_host.c - facts of the host that no single line of a file tells:
 * processor, topology, memory nodes, control group, hypervisor, container.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

#include "environ_get.h"
#include "procfs.h"

#define PATH_SIZE 4096
#define CPUS_MAX 1024		/* looked at one by one; of more only the threads are told */

/* NAME="Debian GNU/Linux", in the quoting of a shell (os-release(5)). */
ssize_t dn_env_get_os_release(struct dn_env_ctx *c, const char *arg, char *out, size_t cap)
{
	char key[64];
	ssize_t n, to = 0;

	snprintf(key, sizeof(key), "%s=", arg);
	n = dn_env_value(c, "etc/os-release", key, out, cap);
	if (n == -ENOENT)
		n = dn_env_value(c, "usr/lib/os-release", key, out, cap);
	for (ssize_t i = 0; i < n; i++) {
		if (out[i] == '"' || out[i] == '\'')
			continue;
		if (out[i] == '\\' && i + 1 < n)
			i++;
		out[to++] = out[i];
	}
	return n < 0 ? n : to;
}

/* x86 has "model name"; arm names the board, or only numbers. */
ssize_t dn_env_get_cpu_model(struct dn_env_ctx *c, const char *arg, char *out, size_t cap)
{
	static const char *const names[] = { "model name\t:", "Model\t\t:", "cpu model\t\t:",
					     "Hardware\t:" };
	char part[64], implementer[64];
	ssize_t n;

	(void)arg;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		n = dn_env_value(c, "proc/cpuinfo", names[i], out, cap);
		if (n > 0)
			return n;
	}
	if (dn_env_value(c, "proc/cpuinfo", "CPU implementer\t:", implementer, sizeof(implementer)) > 0 &&
	    dn_env_value(c, "proc/cpuinfo", "CPU part\t:", part, sizeof(part)) > 0)
		return dn_env_print(out, cap, "implementer %s part %s", implementer, part);
	return dn_env_line(c, "proc/device-tree/model", out, cap);
}

/* --- topology ------------------------------------------------------------------------- */

static int read_int(struct dn_env_ctx *c, const char *path, int *v)
{
	char text[4096];
	ssize_t n = dn_env_line(c, path, text, sizeof(text));

	if (n < 0)
		return (int)n;
	return sscanf(text, "%d", v) == 1 ? 0 : -ENODATA;
}

struct topology {
	int threads, cores, sockets;
	int package[CPUS_MAX];
};

static int add_cpu(struct dn_env_ctx *c, struct topology *t, int cpu)
{
	char path[128];
	int sibling, package, err;

	/* the first sibling stands for the core */
	snprintf(path, sizeof(path), "sys/devices/system/cpu/cpu%d/topology/thread_siblings_list", cpu);
	err = read_int(c, path, &sibling);
	if (err)
		return err;
	if (sibling != cpu)
		return 0;
	t->cores++;
	snprintf(path, sizeof(path), "sys/devices/system/cpu/cpu%d/topology/physical_package_id", cpu);
	err = read_int(c, path, &package);
	if (err)
		return err;
	for (int i = 0; i < t->sockets; i++)
		if (t->package[i] == package)
			return 0;
	t->package[t->sockets++] = package;
	return 0;
}

ssize_t dn_env_get_cpu_count(struct dn_env_ctx *c, const char *arg, char *out, size_t cap)
{
	struct topology t = { 0 };
	int first, last, err = 0;
	bool threads = !strcmp(arg, "threads");
	char list[4096];
	size_t at = 0;
	ssize_t n = dn_env_line(c, "sys/devices/system/cpu/online", list, sizeof(list));

	if (n < 0)
		return n;
	while (!dn_env_list_next(list, &at, &first, &last)) {
		t.threads += last - first + 1;
		if (threads)
			continue;
		if (t.threads > CPUS_MAX)
			return -E2BIG;
		for (int cpu = first; !err && cpu <= last; cpu++)
			err = add_cpu(c, &t, cpu);
	}
	if (err)
		return err;
	return dn_env_print(out, cap, "%d",
			    threads ? t.threads : *arg == 'c' ? t.cores : t.sockets);
}

ssize_t dn_env_get_numa(struct dn_env_ctx *c, const char *arg, char *out, size_t cap)
{
	char list[1024], path[96], line[4096];
	size_t at = 0, len = 0;
	int first, last;
	ssize_t n = dn_env_line(c, "sys/devices/system/node/online", list, sizeof(list));

	if (n < 0)
		return n;
	while (!dn_env_list_next(list, &at, &first, &last)) {
		for (int node = first; node <= last; node++) {
			snprintf(path, sizeof(path), "sys/devices/system/node/node%d/%s", node, arg);
			n = dn_env_line(c, path, line, sizeof(line));
			if (n == -ENODATA)	/* a node without CPUs */
				line[n = 0] = '\0';
			if (n < 0)
				return n;
			n = dn_env_print(out + len, cap - len, "%s%s", len ? "; " : "", line);
			if (n < 0)
				return n;
			len += (size_t)n;
		}
	}
	return (ssize_t)len;
}

/* --- control group ------------------------------------------------------------------------ */

struct cgroup {
	bool v1, v2;			/* hierarchies the process is in */
	char path[PATH_SIZE];		/* its group in the one that limits `controller` */
	char dir[2 * PATH_SIZE];	/* the group's directory, relative to the root */
	size_t top;			/* length of the mount point in dir */
	bool dir_v1;			/* names and formats of version 1 */
};

static bool has_controller(const char *list, const char *name)
{
	size_t n = strlen(name);

	for (const char *p = list; (p = strstr(p, name)); p += n)
		if ((p == list || p[-1] == ',') && (!p[n] || p[n] == ','))
			return true;
	return false;
}

/* 4:memory:/user.slice     0::/user.slice */
static int find_group(struct dn_env_ctx *c, const char *controller, struct cgroup *g)
{
	char buf[PATH_SIZE + 256];
	struct dn_lines l;
	char *line;
	size_t len;
	int err = dn_lines_open(&l, c->root, "proc/self/cgroup", buf, sizeof(buf) - 1);

	if (err)
		return err;
	while (dn_lines_next(&l, &line, &len) > 0) {
		char *list, *path;
		bool wanted, unified;

		line[len] = '\0';
		list = strchr(line, ':');
		path = list ? strchr(list + 1, ':') : NULL;
		if (!path)
			continue;
		*path++ = '\0';
		list++;
		unified = !*list;
		wanted = has_controller(list, controller);
		g->v2 |= unified;
		g->v1 |= !unified && strncmp(list, "name=", 5);
		if (wanted || (unified && !g->dir_v1)) {
			snprintf(g->path, sizeof(g->path), "%s", path);
			g->dir_v1 = wanted;
		}
	}
	dn_lines_close(&l);
	return g->path[0] ? 0 : -ENODATA;
}

/* 31 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate
 * The fourth is what of the hierarchy is mounted at the fifth. */
static int find_mount(struct dn_env_ctx *c, const char *controller, struct cgroup *g)
{
	char buf[2 * PATH_SIZE], type[64], options[512], top[PATH_SIZE], point[PATH_SIZE];
	struct dn_lines l;
	char *line;
	size_t len;
	int err = dn_lines_open(&l, c->root, "proc/self/mountinfo", buf, sizeof(buf) - 1);

	if (err)
		return err;
	err = -ENODATA;
	while (err && dn_lines_next(&l, &line, &len) > 0) {
		const char *below = g->path, *dash;
		size_t n;

		line[len] = '\0';
		dash = strstr(line, " - ");
		if (!dash || sscanf(dash, " - %63s %*s %511s", type, options) != 2 ||
		    sscanf(line, "%*s %*s %*s %4095s /%4095s", top, point) != 2)
			continue;
		if (g->dir_v1 ? strcmp(type, "cgroup") || !has_controller(options, controller) :
				strcmp(type, "cgroup2"))
			continue;
		/* in a container the mount may begin at our own group */
		n = strlen(top);
		if (n > 1 && !strncmp(below, top, n) && (!below[n] || below[n] == '/'))
			below += n;
		else if (n > 1)
			below = "";
		g->top = strlen(point);
		snprintf(g->dir, sizeof(g->dir), "%s%s%s", point, *below == '/' ? "" : "/", below);
		err = 0;
	}
	dn_lines_close(&l);
	return err;
}

/* A limit of one group; false where it has none. Memory is bytes, cpu is CPUs
 * in thousandths with *quota and *period in us. */
static bool group_limit(struct dn_env_ctx *c, const struct cgroup *g, size_t dir_len, bool cpu,
			unsigned long long *limit, unsigned long long *quota,
			unsigned long long *period)
{
	const char *name = cpu ? g->dir_v1 ? "cpu.cfs_quota_us" : "cpu.max" :
			   g->dir_v1 ? "memory.limit_in_bytes" : "memory.max";
	char path[2 * PATH_SIZE + 64], text[128];

	snprintf(path, sizeof(path), "%.*s/%s", (int)dir_len, g->dir, name);
	if (dn_env_line(c, path, text, sizeof(text)) < 0 || *text == 'm' || *text == '-')
		return false;
	if (!cpu) {
		/* version 1 says "none" with the largest multiple of a page */
		return sscanf(text, "%llu", limit) == 1 && *limit < 1ull << 62;
	}
	if (g->dir_v1) {
		*quota = strtoull(text, NULL, 10);
		snprintf(path, sizeof(path), "%.*s/cpu.cfs_period_us", (int)dir_len, g->dir);
		if (dn_env_line(c, path, text, sizeof(text)) < 0)
			return false;
		*period = strtoull(text, NULL, 10);
	} else if (sscanf(text, "%llu %llu", quota, period) != 2) {
		return false;
	}
	*limit = *period ? *quota * 1000 / *period : 0;
	return *limit > 0;
}

/* The tightest limit from the group up to the mount point. */
static ssize_t tightest(struct dn_env_ctx *c, const struct cgroup *g, bool cpu, char *out,
			size_t cap)
{
	unsigned long long least = 0, limit, quota = 0, period = 0, q, p;
	size_t n = strlen(g->dir);

	for (;;) {
		while (n > g->top && g->dir[n - 1] == '/')
			n--;
		if (group_limit(c, g, n, cpu, &limit, &q, &p) && (!least || limit < least)) {
			least = limit;
			if (cpu) {
				quota = q;
				period = p;
			}
		}
		if (n <= g->top)
			break;
		while (n > g->top && g->dir[n - 1] != '/')
			n--;
	}
	if (!least)
		return dn_env_print(out, cap, "max");
	if (cpu)
		return dn_env_print(out, cap, "%llu %llu", quota, period);
	return dn_env_print(out, cap, "%llu", least);
}

ssize_t dn_env_get_cgroup(struct dn_env_ctx *c, const char *arg, char *out, size_t cap)
{
	bool cpu = !strcmp(arg, "cpu.max");
	const char *controller = cpu ? "cpu" : "memory";
	struct cgroup *g = calloc(1, sizeof(*g));
	ssize_t ret = -ENOMEM;

	if (!g)
		goto out;
	ret = find_group(c, controller, g);
	if (ret)
		goto out;
	if (!strcmp(arg, "version")) {
		ret = dn_env_print(out, cap, "%s", !g->v1 ? "2" : g->v2 ? "hybrid" : "1");
	} else if (!strcmp(arg, "path")) {
		ret = dn_env_print(out, cap, "%s", g->path);
	} else {
		ret = find_mount(c, controller, g);
		if (!ret)
			ret = tightest(c, g, cpu, out, cap);
	}
out:
	free(g);
	return ret;
}

/* --- hints ------------------------------------------------------------------------------------- */

/* What the processor says, which no root directory changes. */
static const char *cpuid_hypervisor(void)
{
#if defined(__x86_64__) || defined(__i386__)
	static const struct {
		const char *signature, *name;
	} known[] = {
		{ "KVMKVMKVM", "kvm" },	       { "Microsoft Hv", "hyperv" },
		{ "VMwareVMware", "vmware" },  { "XenVMMXenVMM", "xen" },
		{ "TCGTCGTCGTCG", "qemu" },    { "bhyve bhyve ", "bhyve" },
		{ "VBoxVBoxVBox", "virtualbox" }, { " lrpepyh  vr", "parallels" },
		{ "ACRNACRNACRN", "acrn" },
	};
	char text[13] = "";
	unsigned a, b, c, d;

	if (!__get_cpuid(1, &a, &b, &c, &d))
		return NULL;
	if (!(c & 1u << 31))
		return "none";
	__cpuid(0x40000000, a, b, c, d);
	memcpy(text, &b, 4);
	memcpy(text + 4, &c, 4);
	memcpy(text + 8, &d, 4);
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strcmp(text, known[i].signature))
			return known[i].name;
	return "unknown";
#else
	return NULL;
#endif
}

ssize_t dn_env_get_hypervisor(struct dn_env_ctx *c, const char *arg, char *out, size_t cap)
{
	static const char *const files[] = { "sys/hypervisor/type",
					     "proc/device-tree/hypervisor/compatible",
					     "sys/class/dmi/id/sys_vendor" };
	const char *said = c->real_root ? cpuid_hypervisor() : NULL;

	(void)arg;
	if (said && strcmp(said, "unknown"))
		return dn_env_print(out, cap, "%s", said);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		ssize_t n = dn_env_line(c, files[i], out, cap);

		/* a vendor of hardware is no hint */
		if (n > 0 && (i < 2 || said || !strcmp(out, "QEMU") || !strcmp(out, "Amazon EC2") ||
			      !strcmp(out, "Google")))
			return (ssize_t)strlen(out);
	}
	return dn_env_print(out, cap, "%s", said ? said : "none");
}

static bool exists(struct dn_env_ctx *c, const char *path)
{
	return !faccessat(c->root, path, F_OK, 0);
}

/* What the manager of a container tells its first process: container=lxc. Only
 * root may read it. */
static ssize_t container_of_init(struct dn_env_ctx *c, char *out, size_t cap)
{
	char vars[4096];
	ssize_t n = dn_read_file(c->root, "proc/1/environ", vars, sizeof(vars) - 1);

	if (n < 0)
		return n;
	vars[n] = '\0';
	for (const char *v = vars; v < vars + n; v += strlen(v) + 1)
		if (!strncmp(v, "container=", 10) && v[10])
			return dn_env_print(out, cap, "%s", v + 10);
	return -ENODATA;
}

ssize_t dn_env_get_container(struct dn_env_ctx *c, const char *arg, char *out, size_t cap)
{
	static const char *const marks[] = { "docker", "kubepods", "libpod", "lxc", "containerd" };
	char path[PATH_SIZE];
	ssize_t n;

	(void)arg;
	n = dn_env_line(c, "run/systemd/container", out, cap);
	if (n > 0)
		return n;
	if (exists(c, "run/.containerenv"))
		return dn_env_print(out, cap, "podman");
	if (exists(c, ".dockerenv"))
		return dn_env_print(out, cap, "docker");
	n = container_of_init(c, out, cap);
	if (n > 0)
		return n;
	if (dn_env_get_cgroup(c, "path", path, sizeof(path)) > 0)
		for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
			if (strstr(path, marks[i]))
				return dn_env_print(out, cap, "%s", marks[i]);
	return dn_env_print(out, cap, "none");
}
