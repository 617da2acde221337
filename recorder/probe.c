/*
 * probe.c - life of the BPF object.
 *
 * Ring sizes: of the bytes asked for, each CPU gets the greatest power of two
 * that fits, but not less than 256 KiB; with more CPUs than that allows, one
 * ring serves several CPUs.
 */
#include "probe.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "denet.skel.h"
#include "ring.h"
#include "row.h"
#include "syscalls.h"

#define RING_LEAST (256u << 10)
#define LIFE_RING_BYTES (2u << 20)

struct dn_probe {
	struct denet_bpf *skel;
	struct bpf_link *iter;
	struct dn_ring *life;
	struct dn_ring **ring;
	int *ring_fd;
	int epoll;		/* edge-triggered on the rings: see dn_probe_wait */
	unsigned nrings;
	int cpus;
	int *prog_fd;
	unsigned nprogs;
};

/* The last words of libbpf, for a message that says why. */
static char last_words[256];

__attribute__((format(printf, 2, 0)))
static int keep_words(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	if (level == LIBBPF_WARN)
		vsnprintf(last_words, sizeof(last_words), fmt, ap);
	return 0;
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
	case DN_KIND_ARGV:
		return DN_STR_ARGV;
	}
	return DN_STR_NONE;
}

static void fill_plans(struct denet_bpf *skel)
{
#if defined(__x86_64__)
	static const enum dn_abi abi[DN_SLOTS] = { DN_ABI_X86_64, DN_ABI_I386, DN_ABI_X32 };
#elif defined(__aarch64__)
	static const enum dn_abi abi[DN_SLOTS] = { DN_ABI_AARCH64, DN_ABI_ARM, DN_ABI_UNKNOWN };
#else
#error "which ABIs does this architecture's kernel serve?"
#endif
	for (unsigned s = 0; s < DN_SLOTS; s++) {
		int execve = dn_syscall_nr(abi[s], "execve"), execveat = dn_syscall_nr(abi[s], "execveat");

		for (uint32_t nr = 0; nr < DN_NR_MAX; nr++) {
			const struct dn_syscall_info *i = dn_syscall_info(abi[s], nr);
			struct dn_plan plan = { .nargs = i ? i->nargs : DN_CALL_ARGS };
			unsigned n = 0;

			for (unsigned a = 0; i && a < i->nargs && n < DN_PLAN_STRS; a++)
				if (str_kind(&i->arg[a]))
					plan.str[n++] = (uint8_t)DN_PLAN(str_kind(&i->arg[a]), a);
			memcpy((void *)&skel->rodata->plans[s][nr], &plan, sizeof(plan));
		}
		skel->rodata->exec_nrs[s][0] = execve < 0 ? UINT32_MAX : (uint32_t)execve;
		skel->rodata->exec_nrs[s][1] = execveat < 0 ? UINT32_MAX : (uint32_t)execveat;
	}
}

static uint32_t power_of_two_below(uint64_t n)
{
	uint32_t p = RING_LEAST;

	while (p < 1u << 30 && (uint64_t)p * 2 <= n)
		p *= 2;
	return p;
}

static int watch(struct dn_probe *p, int fd)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET, .data.fd = fd };

	return epoll_ctl(p->epoll, EPOLL_CTL_ADD, fd, &ev);
}

static int open_rings(struct dn_probe *p, uint32_t size)
{
	int outer = bpf_map__fd(p->skel->maps.rings);

	p->ring = calloc(p->nrings, sizeof(*p->ring));
	p->ring_fd = calloc(p->nrings, sizeof(*p->ring_fd));
	p->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (!p->ring || !p->ring_fd || p->epoll < 0)
		return -ENOMEM;
	for (unsigned i = 0; i < p->nrings; i++)
		p->ring_fd[i] = -1;
	for (unsigned i = 0; i < p->nrings; i++) {
		p->ring_fd[i] = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "dn_ring", 0, 0, size, NULL);
		if (p->ring_fd[i] < 0)
			return -errno;
		p->ring[i] = dn_ring_open(p->ring_fd[i], size);
		if (!p->ring[i])
			return -errno;
		if (watch(p, p->ring_fd[i]))
			return -errno;
	}
	for (uint32_t cpu = 0; cpu < (uint32_t)p->cpus; cpu++)
		if (bpf_map_update_elem(outer, &cpu, &p->ring_fd[cpu % p->nrings], BPF_ANY))
			return -errno;
	p->life = dn_ring_open(bpf_map__fd(p->skel->maps.life_ring), LIFE_RING_BYTES);
	return p->life ? 0 : -errno;
}

struct dn_probe *dn_probe_open(const struct dn_probe_opts *o, char why[512])
{
	struct dn_probe *p = calloc(1, sizeof(*p));
	struct bpf_program *prog;
	const char *doing = "open the BPF object";
	uint32_t size;
	int err = -ENOMEM;

	why[0] = 0;
	if (!p)
		goto fail;
	libbpf_set_print(keep_words);
	p->cpus = libbpf_num_possible_cpus();
	p->skel = denet_bpf__open();
	if (p->cpus < 1 || !p->skel) {
		err = -errno;
		goto fail;
	}
	size = power_of_two_below(o->buffer_bytes / (unsigned)p->cpus);
	p->nrings = (unsigned)p->cpus;
	if ((uint64_t)size * p->nrings > o->buffer_bytes)
		p->nrings = o->buffer_bytes / size ? (unsigned)(o->buffer_bytes / size) : 1;

	fill_plans(p->skel);
	p->skel->rodata->knob_strings = o->strings;
	p->skel->rodata->knob_wake_level = size / 2;
	bpf_map__set_max_entries(p->skel->maps.rings, (uint32_t)p->cpus);
	bpf_map__set_max_entries(p->skel->maps.string_scratch, (uint32_t)p->cpus);
	bpf_map__set_max_entries(p->skel->maps.exec_scratch, (uint32_t)p->cpus);
	bpf_map__set_max_entries(p->skel->maps.life_ring, LIFE_RING_BYTES);

	doing = "load the BPF programs";
	err = denet_bpf__load(p->skel);
	if (err)
		goto fail;
	doing = "map the ring buffers";
	err = open_rings(p, size);
	if (err)
		goto fail;
	doing = "attach the BPF programs";
	bpf_program__set_autoattach(p->skel->progs.list_threads, false);
	err = denet_bpf__attach(p->skel);
	if (err)
		goto fail;
	p->iter = bpf_program__attach_iter(p->skel->progs.list_threads, NULL);
	if (!p->iter) {
		err = -errno;
		goto fail;
	}
	bpf_object__for_each_program(prog, p->skel->obj)
		p->nprogs++;
	p->prog_fd = calloc(p->nprogs, sizeof(*p->prog_fd));
	err = -ENOMEM;
	if (!p->prog_fd)
		goto fail;
	p->nprogs = 0;
	bpf_object__for_each_program(prog, p->skel->obj)
		p->prog_fd[p->nprogs++] = bpf_program__fd(prog);
	return p;
fail:
	last_words[strcspn(last_words, "\n")] = 0;
	snprintf(why, 512, "could not %s: %s%s%s%s", doing, strerror(-err),
		 last_words[0] ? " (" : "", last_words, last_words[0] ? ")" : "");
	dn_probe_close(p);
	errno = -err;
	return NULL;
}

void dn_probe_close(struct dn_probe *p)
{
	if (!p)
		return;
	bpf_link__destroy(p->iter);
	for (unsigned i = 0; i < p->nrings && p->ring_fd && p->ring; i++) {
		dn_ring_close(p->ring[i]);
		if (p->ring_fd[i] >= 0)
			close(p->ring_fd[i]);
	}
	dn_ring_close(p->life);
	denet_bpf__destroy(p->skel);
	free(p->ring);
	free(p->ring_fd);
	if (p->epoll > 0)
		close(p->epoll);
	free(p->prog_fd);
	free(p);
}

int dn_probe_target(struct dn_probe *p, pid_t pid, uint32_t *thread)
{
	struct dn_task_state st = { 0 };
	int fd = (int)syscall(SYS_pidfd_open, pid, 0), err = 0;

	if (fd < 0)
		return -errno;
	st.thread = st.process = __atomic_add_fetch(&p->skel->bss->last_thread, 1, __ATOMIC_SEQ_CST);
	if (bpf_map_update_elem(bpf_map__fd(p->skel->maps.tasks), &fd, &st, BPF_NOEXIST))
		err = -errno;
	close(fd);
	*thread = st.thread;
	return err;
}

struct dn_ring *dn_probe_life_ring(struct dn_probe *p)
{
	return p->life;
}

struct dn_ring **dn_probe_rings(struct dn_probe *p, unsigned *n)
{
	*n = p->nrings;
	return p->ring;
}

int dn_probe_wake_fd(struct dn_probe *p, int fd)
{
	return watch(p, fd) ? -errno : 0;
}

/* A ring is readable as soon as it holds a record, so that a plain poll would
 * return at once; an edge comes only from a record that woke us on purpose. */
void dn_probe_wait(struct dn_probe *p, int timeout_ms)
{
	struct epoll_event ev[8];

	epoll_wait(p->epoll, ev, 8, timeout_ms);
}

int dn_probe_stop(struct dn_probe *p, int (*fn)(void *ctx, const struct dn_iter_thread *t), void *ctx)
{
	struct dn_iter_thread t[64];
	size_t have = 0;
	ssize_t n;
	int fd, err = 0;

	p->skel->bss->stopping = 1;
	/* An entry that read `stopping` before this line ends within its few
	 * microseconds; it must be in the list that follows. */
	usleep(2000);
	fd = bpf_iter_create(bpf_link__fd(p->iter));
	if (fd < 0) {
		err = -errno;
		goto out;
	}
	while ((n = read(fd, (char *)t + have, sizeof(t) - have)) > 0) {
		size_t i;

		have += (size_t)n;
		for (i = 0; (i + 1) * sizeof(t[0]) <= have && !err; i++)
			err = fn(ctx, &t[i]);
		have -= i * sizeof(t[0]);
		memmove(t, &t[i], have);
	}
	if (n < 0)
		err = -errno;
	close(fd);
out:
	denet_bpf__detach(p->skel);
	usleep(2000);	/* runs under way when the last one was detached */
	return err;
}

int dn_probe_counters(struct dn_probe *p, uint64_t out[DN_KCOUNTER_MAX])
{
	uint64_t *v = calloc((size_t)p->cpus, sizeof(*v));
	int err = 0;

	if (!v)
		return -ENOMEM;
	for (uint32_t id = 0; id < DN_KCOUNTER_MAX && !err; id++) {
		out[id] = 0;
		if (bpf_map_lookup_elem(bpf_map__fd(p->skel->maps.counters), &id, v))
			err = -errno;
		for (int cpu = 0; cpu < p->cpus && !err; cpu++)
			out[id] += v[cpu];
	}
	free(v);
	return err;
}

uint64_t dn_probe_misses(struct dn_probe *p)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < p->nprogs; i++) {
		struct bpf_prog_info info;
		uint32_t len = sizeof(info);

		memset(&info, 0, sizeof(info));
		if (!bpf_obj_get_info_by_fd(p->prog_fd[i], &info, &len))
			sum += info.recursion_misses;
	}
	return sum;
}

int dn_probe_losses(struct dn_probe *p,
		    int (*fn)(void *ctx, unsigned cpu, const struct dn_loss_key *k,
			      const struct dn_loss_value *v), void *ctx)
{
	int fd = bpf_map__fd(p->skel->maps.losses), err = 0;
	struct dn_loss_value *v = calloc((size_t)p->cpus, sizeof(*v));
	struct dn_loss_key key, next;
	void *at = NULL;

	if (!v)
		return -ENOMEM;
	while (!err && !bpf_map_get_next_key(fd, at, &next)) {
		key = next;
		at = &key;
		if (bpf_map_lookup_elem(fd, &key, v))
			continue;
		for (unsigned cpu = 0; cpu < (unsigned)p->cpus && !err; cpu++)
			if (v[cpu].count)
				err = fn(ctx, cpu, &key, &v[cpu]);
	}
	free(v);
	return err;
}

/* What this recording cannot see, however well it is attached. */
static const struct {
	const char *subject, *reason;
} blind[] = {
	{ "vdso", "calls answered in user space by the vDSO (clock_gettime and the like) never reach the kernel" },
	{ "io_uring", "operations queued through io_uring are done by the kernel without a system call of their own" },
	{ "scheduling", "waiting and running are not recorded event by event, only as totals" },
	{ "stacks", "no stacks are recorded" },
};

static const struct {
	const char *name, *rung;
} attached[] = {
	{ "syscalls", "tp_btf" },
	{ "strings", "tp_btf" },
	{ "process", "tp_btf" },
	{ "signals", "tp_btf" },
	{ "oom", "raw_tp" },
	{ "threads_at_end", "iter" },
	{ "task_state", "task_storage" },
};

int dn_probe_emit(struct dn_probe *p, const struct dn_sink *sink)
{
	struct dn_value v[DN_FIELDS_MAX];
	int err = 0;

	for (unsigned i = 0; i < sizeof(attached) / sizeof(attached[0]) && !err; i++) {
		dn_row_clear(v, DN_F_probe_N);
		v[DN_F_probe_name] = dn_str(attached[i].name, strlen(attached[i].name));
		v[DN_F_probe_rung] = dn_str(attached[i].rung, strlen(attached[i].rung));
		if (!strcmp(attached[i].name, "strings") && !p->skel->rodata->knob_strings)
			v[DN_F_probe_rung] = dn_str("none", 4);
		err = dn_row_send(sink, DN_EV_probe, v, DN_F_probe_N);
	}
	for (unsigned i = 0; i < sizeof(blind) / sizeof(blind[0]) && !err; i++) {
		dn_row_clear(v, DN_F_not_observed_N);
		v[DN_F_not_observed_subject] = dn_str(blind[i].subject, strlen(blind[i].subject));
		v[DN_F_not_observed_reason] = dn_str(blind[i].reason, strlen(blind[i].reason));
		err = dn_row_send(sink, DN_EV_not_observed, v, DN_F_not_observed_N);
	}
	return err;
}
