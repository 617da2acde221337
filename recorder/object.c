/*
 * object.c - the BPF objects and their knobs.
 */
#include "object.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "denet.skel.h"
#include "denet_plain.skel.h"
#include "denet_raw.skel.h"
#include "kernel.h"
#include "kernel_types.h"
#include "perfcount.h"
#include "probe.h"
#include "procfs.h"
#include "record.h"
#include "syscalls.h"
#include "trial.skel.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U	/* linux/memfd.h */
#endif

const struct dn_object_kind dn_object_kind[DN_OBJECT_KINDS] = {
	{ "tp_btf", "tp_btf", "array", "btf", denet_bpf__elf_bytes },	/* Linux 5.13 */
	{ "raw_tp", "raw_tp", "hash", "btf", denet_raw_bpf__elf_bytes },	/* 5.8 */
	{ "no_btf", "raw_tp", "hash", "none", denet_plain_bpf__elf_bytes },	/* 5.8 */
};

const struct dn_object_kind dn_object_trial = { .rung = DN_TRIAL_ONLY, .bytes = trial_bpf__elf_bytes };

static char words[256];

/* Takes the verifier's complaint: the last line of its log but for the figures. */
static bool complaint(const char *log)
{
	const char *end = strstr(log, "\nprocessed "), *begin;

	if (!strstr(log, "BEGIN PROG LOAD LOG") || !end)
		return false;
	for (begin = end; begin > log && begin[-1] != '\n'; begin--)
		;
	snprintf(words, sizeof(words), "%.*s", (int)(end - begin), begin);
	return true;
}

__attribute__((format(printf, 2, 0)))
static int keep_words(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	char *all;

	if (level != LIBBPF_WARN || vasprintf(&all, fmt, ap) < 0)
		return 0;
	/* What follows the first says less, and these two mislead: a limit is not
	 * to blame, and no BTF of ours is needed. */
	if (!complaint(all) && !words[0] && !strstr(all, "RLIMIT_MEMLOCK") &&
	    !strstr(all, "Retrying without BTF"))
		snprintf(words, sizeof(words), "%s", strncmp(all, "libbpf: ", 8) ? all : all + 8);
	free(all);
	return 0;
}

void dn_object_listen(void)
{
	libbpf_set_print(keep_words);
	words[0] = 0;
}

const char *dn_object_words(void)
{
	static char last[sizeof(words)];

	memcpy(last, words, sizeof(last));
	last[strcspn(last, "\n")] = 0;
	words[0] = 0;
	return last;
}

static uint8_t str_kind(const struct dn_syscall_arg *a)
{
	switch (a->kind) {
	case DN_KIND_PATH:
		return DN_STR_PATH;
	case DN_KIND_STR:
		return DN_STR_TEXT;
	case DN_KIND_STRN:
		return DN_STR_BYTES;
	case DN_KIND_SOCKADDR:
		return DN_STR_SOCKADDR;
	case DN_KIND_SOCKADDR_OUT:
		return DN_STR_SOCKADDR_OUT;
	case DN_KIND_MSGHDR:
		return DN_PLAN_MSGHDR;
	case DN_KIND_MSGHDR_OUT:
		return DN_PLAN_MSGHDR_OUT;
	case DN_KIND_ARGV:
		return DN_STR_ARGV;
	case DN_KIND_FDS_OUT:
		return DN_STR_FDS;
	}
	return DN_STR_NONE;
}

/* What a call does with sockets: bpf/socket.bpf.h looks at its return. A splice is
 * told by no tracepoint; of the others that move bytes, where it must go by results. */
static uint8_t sock_act(const char *name, const struct dn_object_opts *o)
{
	static const struct {
		const char *name;
		uint8_t act;
	} acts[] = {
		{ "socket", DN_SOCK_ACT_SOCKET },
		{ "accept", DN_SOCK_ACT_ACCEPT },
		{ "accept4", DN_SOCK_ACT_ACCEPT },
		{ "socketpair", DN_SOCK_ACT_PAIR },
		{ "connect", DN_SOCK_ACT_CONNECT },
		{ "bind", DN_SOCK_ACT_BIND },
		{ "listen", DN_SOCK_ACT_LISTEN },
		{ "shutdown", DN_SOCK_ACT_SHUTDOWN },
		{ "close", DN_SOCK_ACT_CLOSE },
		{ "splice", DN_SOCK_ACT_SPLICE },
		{ "sendfile", DN_SOCK_ACT_SENDFILE },
		{ "sendfile64", DN_SOCK_ACT_SENDFILE },
	}, moves[] = {
		{ "read", DN_SOCK_ACT_IN },
		{ "readv", DN_SOCK_ACT_IN },
		{ "recv", DN_SOCK_ACT_IN_FLAGS3 },
		{ "recvfrom", DN_SOCK_ACT_IN_FLAGS3 },
		{ "recvmsg", DN_SOCK_ACT_IN_FLAGS2 },
		{ "recvmmsg", DN_SOCK_ACT_IN_MANY },
		{ "recvmmsg_time64", DN_SOCK_ACT_IN_MANY },
		{ "write", DN_SOCK_ACT_OUT },
		{ "writev", DN_SOCK_ACT_OUT },
		{ "send", DN_SOCK_ACT_OUT },
		{ "sendto", DN_SOCK_ACT_OUT },
		{ "sendmsg", DN_SOCK_ACT_OUT },
		{ "sendmmsg", DN_SOCK_ACT_OUT_MANY },
	};

	if (!o->net)
		return DN_SOCK_ACT_NONE;
	for (unsigned i = 0; i < sizeof(acts) / sizeof(acts[0]); i++)
		if (!strcmp(acts[i].name, name))
			return acts[i].act;
	for (unsigned i = 0; i < sizeof(moves) / sizeof(moves[0]) && o->bytes == DN_BYTES_CALLS; i++)
		if (!strcmp(moves[i].name, name))
			return moves[i].act;
	return DN_SOCK_ACT_NONE;
}

/* Number of a call, or one that none has. */
static uint32_t nr_of(enum dn_abi abi, const char *name)
{
	int nr = dn_syscall_nr(abi, name);

	return nr < 0 ? UINT32_MAX : (uint32_t)nr;
}

static bool listed(const char *list, const char *name)
{
	const size_t n = strlen(name);

	for (const char *at = list; at && *at; at += strcspn(at, ","), at += *at == ',')
		if (!strncmp(at, name, n) && (at[n] == ',' || !at[n]))
			return true;
	return false;
}

static void fill_plans(struct dn_knobs *k, const struct dn_object_opts *o)
{
#if defined(__x86_64__)
	static const enum dn_abi abi[DN_SLOTS] = { DN_ABI_X86_64, DN_ABI_I386, DN_ABI_X32,
		DN_ABI_UNKNOWN };
#elif defined(__aarch64__)
	static const enum dn_abi abi[DN_SLOTS] = { DN_ABI_AARCH64, DN_ABI_ARM, DN_ABI_UNKNOWN,
		DN_ABI_UNKNOWN };
#else
#error "which ABIs does this architecture's kernel serve?"
#endif
	for (unsigned s = 0; s < DN_SLOTS; s++) {
		for (uint32_t nr = 0; nr < DN_NR_MAX; nr++) {
			const struct dn_syscall_info *i = dn_syscall_info(abi[s], nr);
			struct dn_plan *plan = &k->plans[s * DN_NR_MAX + nr];
			unsigned n = 0;

			plan->nargs = i ? i->nargs : DN_CALL_ARGS;
			plan->stack = i && listed(o->stack_calls, i->name);
			plan->sock = i ? sock_act(i->name, o) : DN_SOCK_ACT_NONE;
			for (unsigned a = 0; i && a < i->nargs && n < DN_PLAN_STRS; a++)
				if (str_kind(&i->arg[a]))
					plan->str[n++] = (uint8_t)DN_PLAN(str_kind(&i->arg[a]), a);
		}
		k->exec_nrs[s][0] = nr_of(abi[s], "execve");
		k->exec_nrs[s][1] = nr_of(abi[s], "execveat");
		k->exit_nrs[s][0] = nr_of(abi[s], "exit");
		k->exit_nrs[s][1] = nr_of(abi[s], "exit_group");
	}
}

static int set_initial(struct bpf_object *obj, const char *name, const void *p, size_t size)
{
	struct bpf_map *map = bpf_object__find_map_by_name(obj, name);

	return map ? bpf_map__set_initial_value(map, p, size) : -ENOENT;
}

/* Whether a handler may be preempted here: bpf/kernel_compat.bpf.h. */
static bool preemptible(void)
{
	struct utsname u;

	return !dn_kernel_before(6, 19) || (!uname(&u) && strstr(u.version, "PREEMPT_RT"));
}

const char *const dn_bytes_way[DN_BYTES_WAYS] = { "tracepoint", "fentry", "kprobe", "calls" };

bool dn_object_has_way(enum dn_bytes_way way)
{
	return way != DN_BYTES_TRACEPOINT || !dn_kernel_before(6, 3);	/* commit 6e6eda44b939 */
}

static bool begins(const char *name, const char *with)
{
	return !strncmp(name, with, strlen(with));
}

/* Programs that this recording does without: of the ways to see bytes all but
 * one, and what this kernel has no use or no tracepoint for. */
static bool left_out(const char *name, const struct dn_object_opts *o)
{
	const struct {
		const char *with;
		bool out;
	} names[] = {
		{ "on_sock_sent", !o->net || o->bytes != DN_BYTES_TRACEPOINT },
		{ "on_sock_received", !o->net || o->bytes != DN_BYTES_TRACEPOINT },
		{ "fexit_", !o->net || o->bytes != DN_BYTES_FENTRY },
		{ "kprobe_", !o->net || o->bytes != DN_BYTES_KPROBE },
		{ "kretprobe_", !o->net || o->bytes != DN_BYTES_KPROBE },
		{ "on_sock_error", !o->net || dn_kernel_before(5, 15) },	/* commit e6a3e4434000 */
		{ "on_sock_", !o->net },
		{ "on_retransmit", !o->net },
		{ "on_reset_", !o->net },
		{ "list_sockets", !o->net },
		{ "on_waking", !o->offcpu },
		{ "on_sample", !o->freq },
		{ "take_threads", !o->attach },
		{ "take_sockets", !o->attach || !o->net },
		{ "settle_counts", !o->perf },
		{ "name_addresses", !o->stacks },	/* without names too: __schedule must be known */
	};

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (begins(name, names[i].with))
			return names[i].out;
	return strstr(name, "_again") && !preemptible();
}

/* Whether a program can stand at perf's side of a tracepoint: bpf/kernel_compat.bpf.h. */
static bool steady(void)
{
	static const char *const id[] = { "/sys/kernel/tracing/events/raw_syscalls/sys_enter/id",
		"/sys/kernel/debug/tracing/events/raw_syscalls/sys_enter/id" };
	struct perf_event_attr attr = { .type = PERF_TYPE_TRACEPOINT, .size = sizeof(attr) };
	char text[32] = "";
	int fd;

	for (unsigned i = 0; i < 2 && !text[0]; i++)
		if (dn_read_file(AT_FDCWD, id[i], text, sizeof(text) - 1) < 0)
			text[0] = 0;
	attr.config = strtoull(text, NULL, 10);
	if (!attr.config)
		return false;
	fd = (int)syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

bool dn_object_steady(const char *name)
{
	return strstr(name, "_steady");
}

/* The programs that this recording takes in place of others or besides them. */
static void choose(struct bpf_object *obj, const struct dn_object_opts *o)
{
	const bool stand = preemptible() && steady();
	const bool hold = preemptible() && !dn_kernel_before(6, 15);
	struct bpf_program *prog, *held;
	char name[64];

	bpf_object__for_each_program(prog, obj) {
		if (begins(bpf_program__name(prog), "on_sys_") &&
		    dn_object_steady(bpf_program__name(prog)) != stand) {
			bpf_program__set_autoload(prog, false);
			continue;
		}
		snprintf(name, sizeof(name), "%s_held", bpf_program__name(prog));
		held = bpf_object__find_program_by_name(obj, name);
		if (held)
			bpf_program__set_autoload(hold ? prog : held, false);
		if (left_out(bpf_program__name(prog), o))
			bpf_program__set_autoload(prog, false);
	}
}

/*
 * The kernel's configuration, where libbpf finds none and would refuse the object for
 * it, weak symbols or not: what the programs ask for (bpf/state.bpf.h). The coarse
 * clocks have the resolution of a tick (TICK_NSEC, include/linux/jiffies.h).
 */
static const char *own_config(char text[32])
{
	char path[sizeof("/boot/config-") + sizeof(((struct utsname *)0)->release)];
	struct timespec tick;
	struct utsname u;
	int fd = -1;

	if (!uname(&u)) {	/* the places of libbpf's bpf_object__read_kconfig_file() */
		snprintf(path, sizeof(path), "/boot/config-%s", u.release);
		fd = open(path, O_RDONLY | O_CLOEXEC);
	}
	if (fd < 0)
		fd = open("/proc/config.gz", O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		close(fd);
		return NULL;
	}
	if (clock_getres(CLOCK_MONOTONIC_COARSE, &tick) || tick.tv_sec || !tick.tv_nsec)
		tick.tv_nsec = 0;
	snprintf(text, 32, "CONFIG_HZ=%ld\n", tick.tv_nsec ? (1000000000 + tick.tv_nsec / 2) / tick.tv_nsec : 0);
	return text;
}

/* Which processes have which numbers: those of /proc, which is that of the recorder's pid
 * namespace, or of one around it. */
static void find_namespace(struct dn_knobs *k)
{
	char buf[4096], *at;
	struct stat st;
	ssize_t n = dn_read_file(AT_FDCWD, "/proc/self/status", buf, sizeof(buf) - 1);

	buf[n > 0 ? n : 0] = 0;
	at = strstr(buf, "\nNSpid:");
	if (!at)
		return;
	for (at += strlen("\nNSpid:") + 1; *at && *at != '\n'; at++)	/* one for each namespace */
		k->ns_depth += *at == '\t';
	if (!k->ns_depth && !stat("/proc/self/ns/pid", &st) && st.st_ino != DN_INITIAL_PID_NS) {
		k->ns_dev = (uint64_t)major(st.st_dev) << 20 | minor(st.st_dev);	/* linux/kdev_t.h */
		k->ns_ino = st.st_ino;
	}
}

/* The part of the kernel's types for the objects of a kind, which stays for the next one. */
static struct {
	const struct dn_object_kind *of;
	int fd;			/* -1: there is none */
	char path[32];
} types = { .fd = -1 };

void dn_object_opened(void)
{
	if (types.fd >= 0)
		close(types.fd);
	types.fd = -1;
	types.of = NULL;
}

/* The file for a part. False where libbpf could not open it. */
static bool make_file(void)
{
	int seen;

	dn_object_opened();
	types.fd = memfd_create("denet-types", MFD_CLOEXEC | MFD_NOEXEC_SEAL);
	if (types.fd < 0)	/* the flag came with 6.3 */
		types.fd = memfd_create("denet-types", MFD_CLOEXEC);
	if (types.fd < 0)
		return false;
	snprintf(types.path, sizeof(types.path), "/proc/self/fd/%d", types.fd);
	seen = open(types.path, O_RDONLY | O_CLOEXEC);
	if (seen >= 0)
		close(seen);
	return seen >= 0;
}

/* Opens an object so that libbpf finds kernel types in the part; where there is none, among all.
 * NULL with errno. */
static struct bpf_object *open_with_types(const struct dn_object_kind *k, struct bpf_object_open_opts *opts,
					  bool all)
{
	struct bpf_object *obj;
	const void *bytes;
	size_t n;

	bytes = k->bytes(&n);
	all |= !k->types || strcmp(k->types, "btf") || (types.of != k && !make_file());
	opts->btf_custom_path = all ? NULL : types.path;
	obj = bpf_object__open_mem(bytes, n, opts);
	if (!obj || all || types.of == k)
		return obj;
	if (!dn_kernel_types(bpf_object__btf(obj), "/sys/kernel/btf/vmlinux", types.fd)) {
		types.of = k;
		return obj;
	}
	bpf_object__close(obj);
	return open_with_types(k, opts, true);
}

/* False: the object has no such map. */
static bool size_map(struct bpf_object *obj, const char *name, uint32_t entries)
{
	struct bpf_map *map = bpf_object__find_map_by_name(obj, name);

	return map && !bpf_map__set_max_entries(map, entries);
}

struct bpf_object *dn_object_open(const struct dn_object_kind *k, const struct dn_object_opts *o)
{
	static const char *const by_cpu[] = { "rings", "string_scratch", "exec_scratch" };
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = "denet");
	struct dn_knobs knobs = { .strings = o->strings, .hide_setuid = o->hide_setuid,
		.stacks = o->stacks, .perf = o->perf, .cpus = o->cpus, .wake_level = o->wake_level, .offcpu_min = o->offcpu_min,
		.stack_slow = o->stack_slow, .stack_calls = o->stacks && (o->stack_slow || o->stack_calls) };
	const struct dn_run run = { .last_thread = DN_ROOT_THREAD };
	struct bpf_object *obj;
	char config[32];

	opts.kconfig = own_config(config);
	dn_object_listen();
	obj = open_with_types(k, &opts, o->all_types);
	if (!obj || k == &dn_object_trial)
		return obj;
	fill_plans(&knobs, o);
	find_namespace(&knobs);
	if (set_initial(obj, ".rodata.knobs", &knobs, sizeof(knobs)) ||
	    set_initial(obj, ".data.run", &run, sizeof(run)))
		goto alien;
	for (unsigned i = 0; i < sizeof(by_cpu) / sizeof(by_cpu[0]); i++) {
		if (!size_map(obj, by_cpu[i], o->cpus))
			goto alien;
	}
	/* What is not asked for keeps the one entry of its declaration. */
	if (o->offcpu_min)
		size_map(obj, "short_times", DN_SHORT_MAX);
	if (o->attach)
		size_map(obj, "attached", DN_ATTACHED_MAX);
	if (o->perf) {
		size_map(obj, "perf_sums", DN_PERF_MAX);
		size_map(obj, "perf_events", DN_PERF_KINDS * o->cpus);
	}
	choose(obj, o);
	return obj;
alien:	/* of another build than this file */
	bpf_object__close(obj);
	errno = EPROTO;
	return NULL;
}

void dn_object_only(struct bpf_object *obj, const char *program)
{
	struct bpf_program *prog;

	bpf_object__for_each_program(prog, obj)
		bpf_program__set_autoload(prog, !strcmp(bpf_program__name(prog), program));
}

bool dn_object_samples(const struct bpf_program *prog)
{
	return !strcmp(bpf_program__section_name(prog), "perf_event");
}

struct bpf_link *dn_object_sample(struct bpf_program *prog, const struct dn_perf_clock *clock, int cpu)
{
	int fd = dn_perf_sample(clock, cpu), err;
	struct bpf_link *link;

	if (fd < 0) {
		errno = -fd;
		return NULL;
	}
	link = bpf_program__attach_perf_event(prog, fd);	/* it is the link's then */
	if (!link) {
		err = errno;
		close(fd);
		errno = err;
	}
	return link;
}

struct bpf_link *dn_object_attach(struct bpf_object *obj, struct bpf_program *prog)
{
	static const struct dn_perf_clock slow = { .freq = 1 };
	const char *map = strcmp(bpf_program__name(prog), "name_addresses") ? "socks" : "addresses";
	union bpf_iter_link_info info = { .map.map_fd = (uint32_t)dn_object_map(obj, map) };
	LIBBPF_OPTS(bpf_iter_attach_opts, opts, .link_info = &info, .link_info_len = sizeof(info));

	if (dn_object_samples(prog)) {
		struct bpf_link *link = NULL;

		errno = ENODEV;
		for (int cpu = 0; !link && errno == ENODEV && cpu < libbpf_num_possible_cpus(); cpu++)
			link = dn_object_sample(prog, &slow, cpu);
		return link;
	}
	if (strcmp(bpf_program__section_name(prog), "iter/bpf_map_elem"))
		return bpf_program__attach(prog);
	return bpf_program__attach_iter(prog, &opts);
}

void dn_object_try(struct bpf_object *obj, const char *program, int *load_err, int *attach_err)
{
	struct bpf_link *link = NULL;

	dn_object_only(obj, program);
	dn_object_words();
	*attach_err = 0;
	*load_err = bpf_object__load(obj);
	if (*load_err)
		return;
	link = dn_object_attach(obj, bpf_object__find_program_by_name(obj, program));
	if (!link)
		*attach_err = -errno;
	bpf_link__destroy(link);
}

int dn_object_map(struct bpf_object *obj, const char *name)
{
	struct bpf_map *map = bpf_object__find_map_by_name(obj, name);

	return map ? bpf_map__fd(map) : -1;
}

struct dn_run *dn_object_run(struct bpf_object *obj)
{
	void *p = mmap(NULL, (size_t)sysconf(_SC_PAGESIZE), PROT_READ | PROT_WRITE, MAP_SHARED,
		       dn_object_map(obj, ".data.run"), 0);

	return p == MAP_FAILED ? NULL : p;
}
