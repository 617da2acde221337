/*
 * probe_end.c - what is asked of the programs at the end of a recording: who lives,
 * what is open, what was counted and lost, names of the kernel's addresses.
 */
#include "probe_int.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clocks.h"

#define AGAIN "_again"		/* in the name of a second program */

int dn_probe_iterate(struct bpf_link *iter, size_t size, int (*fn)(void *ctx, const void *record), void *ctx)
{
	_Alignas(uint64_t) char buf[8192];
	size_t have = 0;
	ssize_t n = 0;
	int fd = bpf_iter_create(bpf_link__fd(iter)), err = 0;

	if (fd < 0)
		return -errno;
	while (!err && (n = read(fd, buf + have, sizeof(buf) - have)) > 0) {
		size_t at = 0;

		for (have += (size_t)n; have - at >= size && !err; at += size)
			err = fn(ctx, buf + at);
		have -= at;
		memmove(buf, buf + at, have);
	}
	if (!err && n < 0)
		err = -errno;
	close(fd);
	return err;
}

int dn_probe_name(void *ctx, const uint64_t *address, unsigned n,
		  void (*fn)(void *fn_ctx, const char *line), void *fn_ctx)
{
	struct dn_probe *p = ctx;
	char line[1024];
	int fd, err;
	FILE *f;

	if (!p->names)
		return -ENOTSUP;
	for (unsigned i = 0; i < DN_NAMES_AT_ONCE; i++)
		p->addresses[i] = i < n ? address[i] : 0;
	fd = bpf_iter_create(bpf_link__fd(p->names));
	f = fd < 0 ? NULL : fdopen(fd, "r");
	if (!f) {
		err = -errno;
		if (fd >= 0)
			close(fd);
		return err;
	}
	while (fgets(line, sizeof(line), f))
		fn(fn_ctx, line);
	fclose(f);
	return 0;
}

/* Of any map that is walked. */
union map_key {
	uint64_t task;
	struct dn_short_key state;
	uint32_t thread;
	struct dn_loss_key loss;
};

/* Hands each entry of a map to fn, until that gives other than 0, which is handed back. One that
 * is gone when it is looked at is passed over. value is room for one. */
static int each_entry(int fd, void *value, int (*fn)(void *ctx, const union map_key *key, const void *value),
		      void *ctx)
{
	union map_key key, next;
	void *at = NULL;
	int err = 0;

	while (!err && !bpf_map_get_next_key(fd, at, &next)) {
		key = next;
		at = &key;
		if (!bpf_map_lookup_elem(fd, &key, value))
			err = fn(ctx, &key, value);
	}
	return err;
}

struct to_threads {
	int (*fn)(void *ctx, const struct dn_iter_thread *t);
	void *ctx;
};

static int on_listed(void *ctx, const void *record)
{
	const struct to_threads *to = ctx;

	return to->fn(to->ctx, record);
}

static int on_task(void *ctx, const union map_key *key, const void *value)
{
	const struct to_threads *to = ctx;
	const struct dn_task_state *st = value;
	struct dn_iter_thread t;

	(void)key;
	if (st->armed != DN_ARMED || st->unborn)
		return 0;
	t = (struct dn_iter_thread){ .thread = st->thread, .process = st->process, .tid = st->tid,
		.seq = st->seq, .nr = st->nr, .in_call = st->in_call, .abi = st->abi,
		.nargs = st->nargs, .nstr = st->nstr, .flags = st->flags, .start = st->start,
		.off = st->off, .off_stack = st->off_stack, .off_state = st->off_state, .woken = st->woken_by ? st->woken : 0 };
	memcpy(t.args, st->args, sizeof(t.args));
	return to->fn(to->ctx, &t);
}

/* Lists them by the hash that holds their states. */
static int walk(struct dn_probe *p, struct to_threads *to)
{
	struct dn_task_state st;

	return each_entry(dn_object_map(p->obj, "tasks"), &st, on_task, to);
}

/* It writes nothing: it tells of each socket through the rings. */
static int nothing_said(void *ctx, const void *record)
{
	(void)ctx;
	(void)record;
	return 0;
}

int dn_probe_stop(struct dn_probe *p, int (*fn)(void *ctx, const struct dn_iter_thread *t), void *ctx)
{
	struct to_threads to = { fn, ctx };
	int err;

	dn_probe_perf_settle(p);
	p->run->stopping = 1;
	usleep(100);	/* a switch that read it before is over */
	p->stopped = dn_now();
	/* An entry that read `stopping` before this line ends within its few
	 * microseconds; it must be in the list that follows. */
	usleep(2000);
	if (p->sockets)
		(void)dn_probe_iterate(p->sockets, 1, nothing_said, NULL);	/* what it told until then is told */
	if (p->iter)
		err = dn_probe_iterate(p->iter, sizeof(struct dn_iter_thread), on_listed, &to);
	else if (dn_probe_keeps_hash(p->kind))
		err = walk(p, &to);
	else
		err = -EOPNOTSUPP;	/* its program was refused: not_observed says so */
	dn_probe_detach(p);
	usleep(2000);	/* runs under way when the last one was detached */
	return err;
}

uint64_t dn_probe_stopped(const struct dn_probe *p)
{
	return p->stopped;
}

int dn_probe_counters(struct dn_probe *p, uint64_t out[DN_KCOUNTER_MAX])
{
	uint64_t *v = calloc((size_t)p->cpus, sizeof(*v));
	int fd = dn_object_map(p->obj, "counters"), err = 0;

	if (!v)
		return -ENOMEM;
	for (uint32_t id = 0; id < DN_KCOUNTER_MAX && !err; id++) {
		out[id] = 0;
		if (bpf_map_lookup_elem(fd, &id, v))
			err = -errno;
		for (int cpu = 0; cpu < p->cpus && !err; cpu++)
			out[id] += v[cpu];
	}
	free(v);
	return err;
}

static uint64_t misses_of(const struct program *g)
{
	struct bpf_prog_info info;
	uint32_t len = sizeof(info);

	memset(&info, 0, sizeof(info));
	return g && !bpf_obj_get_info_by_fd(g->fd, &info, &len) ? info.recursion_misses : 0;
}

/* The one that does what this one was kept from (kernel_compat.bpf.h); NULL: there is none. */
static const struct program *second_of(const struct dn_probe *p, const struct program *g)
{
	for (unsigned i = 0; i < p->nprogs; i++) {
		const char *name = p->prog[i].name, *again = strstr(name, AGAIN);
		size_t n = again ? (size_t)(again - name) : 0;

		if (again && !strncmp(g->name, name, n) && !strcmp(g->name + n, again + strlen(AGAIN)))
			return &p->prog[i];
	}
	return NULL;
}

/*
 * What a program was kept from is lost only where its second one was kept from it too, which is
 * not more often than either was skipped. Of a call there is still the other end then.
 */
void dn_probe_misses(struct dn_probe *p, uint64_t *needed, uint64_t *others)
{
	*needed = *others = 0;
	for (unsigned i = 0; i < p->nprogs; i++) {
		const struct program *g = &p->prog[i], *second = second_of(p, g);
		uint64_t first = misses_of(g), both = misses_of(second);

		if (!g->subject->needed)
			*others += first;
		else if (!second && !strstr(g->name, AGAIN))
			*needed += first;
		else if (second && g->subject != &dn_probe_subjects[SYSCALLS])
			*needed += both < first ? both : first;
	}
}

struct to_short {
	int (*fn)(void *ctx, const struct dn_ring_short *s);
	void *ctx;
	uint64_t now;
};

static int on_short(void *ctx, const union map_key *key, const void *value)
{
	const struct to_short *to = ctx;
	struct dn_ring_short s = { .type = DN_RING_SHORT, .state = (uint8_t)key->state.state,
		.thread = key->state.thread, .time = to->now };

	memcpy(&s.sum, value, sizeof(s.sum));
	return to->fn(to->ctx, &s);
}

int dn_probe_short(struct dn_probe *p, int (*fn)(void *ctx, const struct dn_ring_short *s), void *ctx)
{
	struct to_short to = { fn, ctx, dn_now() };
	int fd = dn_object_map(p->obj, "short_times");
	struct dn_short sum;

	return fd < 0 ? 0 : each_entry(fd, &sum, on_short, &to);
}

struct to_perf {
	int (*fn)(void *ctx, const struct dn_ring_perf *r);
	void *ctx;
	uint64_t now;
};

static int on_perf(void *ctx, const union map_key *key, const void *value)
{
	const struct to_perf *to = ctx;
	struct dn_ring_perf r;

	(void)key;
	memcpy(&r, value, sizeof(r));
	r.time = to->now;
	return to->fn(to->ctx, &r);
}

int dn_probe_perf(struct dn_probe *p, int (*fn)(void *ctx, const struct dn_ring_perf *r), void *ctx)
{
	struct to_perf to = { fn, ctx, dn_now() };
	struct dn_ring_perf r;

	return dn_probe_perf_kinds(p) ? each_entry(dn_object_map(p->obj, "perf_sums"), &r, on_perf, &to) : 0;
}

struct to_losses {
	int (*fn)(void *ctx, const struct dn_loss_key *k, const struct dn_loss_value *v);
	void *ctx;
};

static int on_loss(void *ctx, const union map_key *key, const void *value)
{
	const struct to_losses *to = ctx;

	return to->fn(to->ctx, &key->loss, value);
}

int dn_probe_losses(struct dn_probe *p,
		    int (*fn)(void *ctx, const struct dn_loss_key *k, const struct dn_loss_value *v), void *ctx)
{
	struct to_losses to = { fn, ctx };
	struct dn_loss_value v;

	return each_entry(dn_object_map(p->obj, "losses"), &v, on_loss, &to);
}
