/*
 * probe.c - life of the BPF programs, and the ladder they are loaded from.
 *
 * Each rung is an object (object.h), best first. A rung serves if all programs
 * it cannot do without load and attach; those it can do without are left out
 * where the kernel refuses them. What was taken for each subject, and why
 * nothing better, goes into the trace (probe_stock.c).
 */
#include "probe_int.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include "mapwatch.h"
#include "perfcount.h"
#include "ring.h"
#include "rings.h"

#define LIFE_RING_BYTES (2u << 20)
#define NAMES_BYTES (DN_NAMES_AT_ONCE * sizeof(uint64_t))

/* "what: why (libbpf's words)" */
__attribute__((format(printf, 3, 4)))
static void say_why(char why[WHY], int err, const char *fmt, ...)
{
	const char *words = dn_object_words();
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(why, WHY, fmt, ap);
	va_end(ap);
	if (n >= 0 && n < WHY)
		snprintf(why + n, WHY - (size_t)n, ": %s%s%s%s", strerror(err), words[0] ? " (" : "",
			 words, words[0] ? ")" : "");
}
/* Of a rung, from the best one on; DN_OBJECT_KINDS where it is none of BPF. */
static unsigned kind_of(const char *rung)
{
	unsigned i = 0;

	while (i < DN_OBJECT_KINDS && strcmp(rung, dn_object_kind[i].rung))
		i++;
	return i;
}
bool dn_probe_walks(const char *rung, const char *subject)
{
	unsigned i = kind_of(rung);

	return i < DN_OBJECT_KINDS && dn_probe_keeps_hash(&dn_object_kind[i]) && !strcmp(subject, "threads_at_end");
}

bool dn_probe_hopeless(int err)
{
	return err == -EPERM || err == -EMFILE || err == -ENOMEM;
}

const struct refusal *dn_probe_refused(const struct refusal *r, unsigned n, const char *program)
{
	for (unsigned i = 0; i < n; i++)
		if (r[i].program && !strcmp(r[i].program, program))
			return &r[i];
	return NULL;
}

/* A program that no rung can do without and that is refused, or NULL. */
static const struct refusal *needed_refused(const struct refusal *r, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (r[i].program && dn_probe_subject_of(r[i].program, NULL)->needed)
			return &r[i];
	return NULL;
}

/* Which programs of this kind are refused when they are loaded alone? Their
 * count; one that the kind cannot do without is the last that is tried. */
static unsigned find_refusals(const struct dn_object_kind *k, const struct dn_object_opts *o,
			      struct refusal r[PROGRAMS_MAX])
{
	struct bpf_object *all = dn_object_open(k, o);
	struct bpf_program *prog;
	unsigned n = 0;

	if (!all)
		return 0;
	bpf_object__for_each_program(prog, all) {
		struct bpf_object *one;
		int err;

		if (!bpf_program__autoload(prog))
			continue;
		one = dn_object_open(k, o);
		if (!one || n == PROGRAMS_MAX) {
			bpf_object__close(one);
			break;
		}
		dn_object_only(one, bpf_program__name(prog));
		err = bpf_object__load(one);
		if (err) {
			r[n].program = NULL;
			dn_probe_subject_of(bpf_program__name(prog), &r[n].program);
			say_why(r[n++].why, -err, "the kernel refuses %s", bpf_program__name(prog));
		}
		bpf_object__close(one);
		if (needed_refused(r, n))
			break;
	}
	bpf_object__close(all);
	return n;
}

/* Opens and loads one kind, without what is refused. */
static int load(struct dn_probe *p, const struct dn_object_kind *k, struct dn_object_opts *o,
		struct refusal r[PROGRAMS_MAX], unsigned *n, char why[WHY])
{
	int err = 0;

	*n = 0;
	for (unsigned try = o->all_types; try < 3; try++) {
		struct bpf_program *prog;

		p->obj = dn_object_open(k, o);
		if (!p->obj) {
			err = -errno;
			say_why(why, errno, "the BPF object cannot be opened");
			return err;
		}
		bpf_map__set_max_entries(bpf_object__find_map_by_name(p->obj, "life_ring"),
					 LIFE_RING_BYTES);
		err = bpf_map__reuse_fd(bpf_object__find_map_by_name(p->obj, "rings"), dn_rings_map(p->rings));
		if (err) {
			say_why(why, -err, "the map of rings cannot be taken");
			return err;
		}
		bpf_object__for_each_program(prog, p->obj)
			if (dn_probe_refused(r, *n, bpf_program__name(prog)))
				bpf_program__set_autoload(prog, false);
		err = bpf_object__load(p->obj);
		if (!err)
			return 0;
		say_why(why, -err, "the BPF programs cannot be loaded");
		bpf_object__close(p->obj);
		p->obj = NULL;
		if (try == 2 || dn_probe_hopeless(err) || err == -ESRCH)	/* not one program's: no BTF */
			return err;
		if (!try) {	/* a type may be a module's */
			o->all_types = true;
			continue;
		}
		*n = find_refusals(k, o, r);
		if (!*n)
			return err;
		if (needed_refused(r, *n)) {
			memcpy(why, needed_refused(r, *n)->why, WHY);
			return err;
		}
	}
	return err;
}

static void stop_samples(struct dn_probe *p)
{
	for (int cpu = 0; p->sampler && cpu < p->cpus; cpu++)
		bpf_link__destroy(p->sampler[cpu]);
	free(p->sampler);
	p->sampler = NULL;
}

void dn_probe_detach(struct dn_probe *p)
{
	stop_samples(p);
	for (unsigned i = 0; i < p->nlinks; i++)
		bpf_link__destroy(p->link[i]);
	p->nlinks = 0;
	p->iter = p->sockets = p->take = p->take_sockets = NULL;
}

static void undo(struct dn_probe *p)
{
	dn_probe_detach(p);
	bpf_link__destroy(p->names);
	if (p->addresses)
		munmap(p->addresses, NAMES_BYTES);
	p->addresses = NULL;
	p->names = NULL;
	dn_ring_close(p->life);
	if (p->run)
		munmap(p->run, (size_t)sysconf(_SC_PAGESIZE));
	bpf_object__close(p->obj);
	p->obj = NULL;
	p->life = NULL;
	p->run = NULL;
	p->nprogs = 0;
}

static bool is_attached(const struct dn_probe *p, const char *program)
{
	for (unsigned i = 0; i < p->nprogs; i++)
		if (!strcmp(p->prog[i].name, program))
			return true;
	return false;
}

/* Has each CPU take samples. 0 or -errno: then none does. */
static int start_samples_by(struct dn_probe *p, struct bpf_program *prog, const struct dn_perf_clock *clock)
{
	int err = 0;

	p->sampler = calloc((size_t)p->cpus, sizeof(p->sampler[0]));
	if (!p->sampler)
		return -ENOMEM;
	for (int cpu = 0; cpu < p->cpus && !err; cpu++) {
		p->sampler[cpu] = dn_object_sample(prog, clock, cpu);
		if (!p->sampler[cpu] && errno != ENODEV)
			err = -errno;
	}
	if (err)
		stop_samples(p);
	return err;
}

/* By cycles, as many as this CPU has from one sample to the next. 0, or -errno and the reason in p. */
static int sample_by_cycles(struct dn_probe *p, struct bpf_program *prog)
{
	uint64_t rate = 0;
	int err = dn_perf_cycle_rate(&rate);
	const bool here = !err;
	const struct dn_perf_clock clock = { .cycles = rate / p->freq };

	if (here)
		err = start_samples_by(p, prog, &clock);
	if (!err) {
		p->cycles = clock.cycles;
		return 0;
	}
	snprintf(p->cycles_why, sizeof(p->cycles_why), "%s",
		 here && err == -ENOENT ? "not all CPUs of this machine count them" :
		 here && err == -EOPNOTSUPP ? "the counter of this CPU takes no samples" :
		 dn_perf_why(1u << DN_PERF_CYCLES, (const int[DN_PERF_KINDS]){ [DN_PERF_CYCLES] = err }, DN_PERF_CYCLES));
	return err;
}

/* By cycles, where they are asked for and each CPU has them; else by the clock. */
static int start_samples(struct dn_probe *p, struct bpf_program *prog)
{
	const struct dn_perf_clock clock = { .freq = p->freq };

	p->cycles = 0;
	p->cycles_why[0] = 0;
	return p->by_cycles && !sample_by_cycles(p, prog) ? 0 : start_samples_by(p, prog, &clock);
}

uint64_t dn_probe_cycles(const struct dn_probe *p, const char **why)
{
	*why = p->sampler ? p->cycles_why : "";
	return p->sampler ? p->cycles : 0;
}

/* Without the map there are no names. */
static void begin_names(struct dn_probe *p, struct bpf_link *link)
{
	void *at = mmap(NULL, NAMES_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, dn_object_map(p->obj, "addresses"), 0);

	if (at == MAP_FAILED) {
		bpf_link__destroy(link);
		return;
	}
	p->addresses = at;
	p->names = link;
}

static int attach(struct dn_probe *p, struct refusal r[PROGRAMS_MAX], unsigned *n, char why[WHY])
{
	for (const struct subject *j = dn_probe_subjects; j->name; j++) {
		for (unsigned i = 0; i < PARTS && j->program[i]; i++) {
			const char *name = j->program[i];
			struct bpf_program *prog = bpf_object__find_program_by_name(p->obj, name);
			struct bpf_link *link;
			int err;

			if (!prog || !bpf_program__autoload(prog) || is_attached(p, name) || dn_probe_refused(r, *n, name))
				continue;	/* two subjects may share one */
			dn_object_words();
			link = dn_object_samples(prog) ? NULL : dn_object_attach(p->obj, prog);
			err = link ? 0 : dn_object_samples(prog) ? start_samples(p, prog) : -errno;
			if (err) {
				say_why(why, -err, "%s cannot be attached", name);
				if (j->needed || *n == PROGRAMS_MAX || err == -EMFILE)
					return err;
				r[*n].program = name;
				memcpy(r[(*n)++].why, why, WHY);
				continue;
			}
			if (!strcmp(name, "list_threads"))
				p->iter = link;
			if (!strcmp(name, "list_sockets"))
				p->sockets = link;
			if (!strcmp(name, "take_threads"))
				p->take = link;
			if (!strcmp(name, "take_sockets"))
				p->take_sockets = link;
			if (!strcmp(name, "name_addresses"))
				begin_names(p, link);
			else if (link)
				p->link[p->nlinks++] = link;
			p->prog[p->nprogs++] = (struct program){ name, j, bpf_program__fd(prog) };
		}
	}
	if (p->attach && !p->take) {
		const struct refusal *no = dn_probe_refused(r, *n, "take_threads");

		snprintf(why, WHY, "%s", no ? no->why : "tasks that run already are not listed without BTF");
		return -ENODATA;
	}
	p->run->ends_at_exit = !is_attached(p, "on_switch");
	if (p->run->ends_at_exit && dn_probe_perf_kinds(p))
		dn_probe_perf_refused(p, "on_switch cannot be attached");
	p->run->sched = is_attached(p, "on_switch") && is_attached(p, "on_waking");
	return 0;
}

/* load(); where the programs are refused because they read performance counters, without these. */
static int load_counting(struct dn_probe *p, const struct dn_object_kind *k, struct dn_object_opts *o,
			 struct refusal r[PROGRAMS_MAX], unsigned *n, char why[WHY])
{
	static const char *const reads[] = { "on_switch", "on_exec", "on_exec_again" };
	const struct refusal *no = NULL;
	const uint32_t perf = o->perf;
	int err = load(p, k, o, r, n, why);
	char words[WHY];

	for (unsigned i = 0; i < sizeof(reads) / sizeof(reads[0]) && !no; i++)
		no = dn_probe_refused(r, *n, reads[i]);
	if (!perf || !no || dn_probe_hopeless(err))
		return err;
	memcpy(words, no->why, sizeof(words));
	undo(p);
	o->perf = 0;
	err = load(p, k, o, r, n, why);
	if (err)
		o->perf = perf;	/* it was not for them: the next rung may count */
	else
		dn_probe_perf_refused(p, words);
	return err;
}

/* Tries one rung. */
static int climb(struct dn_probe *p, const struct dn_object_kind *k, struct dn_object_opts *o,
		 struct refusal r[PROGRAMS_MAX], unsigned *n, char why[WHY])
{
	int err = load_counting(p, k, o, r, n, why), life;

	if (err)
		return err;
	p->kind = k;
	life = dn_object_map(p->obj, "life_ring");
	p->life = dn_ring_open(life, LIFE_RING_BYTES);
	err = p->life ? dn_rings_watch(p->rings, life) : -errno;
	if (err) {
		say_why(why, -err, "the ring buffer of processes cannot be mapped");
		return err;
	}
	p->run = dn_object_run(p->obj);
	if (!p->run) {
		err = -errno;
		say_why(why, -err, "the memory shared with the BPF programs cannot be mapped");
		return err;
	}
	dn_probe_perf_begin(p);
	return attach(p, r, n, why);
}
/* Whether this process may use BPF at all, and the kernel has ring buffers: asked
 * first, as it is cheap. */
static int may(char why[WHY])
{
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "dn_may", 4, 4, 1, NULL);

	if (fd < 0) {
		say_why(why, errno, errno == ENOSYS ? "bpf(2) is not there: the kernel was built "
			"without it, or a seccomp filter hides it" :
			"bpf(2) is not allowed");
		return -errno;
	}
	close(fd);
	fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "dn_may", 0, 0, 4096, NULL);
	if (fd < 0) {
		say_why(why, errno, errno == EINVAL ? "this kernel has no BPF ring buffer (5.8 has)" :
			"no BPF ring buffer can be made");
		return -errno;
	}
	close(fd);
	return 0;
}

/* Of a way to see bytes; DN_BYTES_WAYS where it is none. */
static enum dn_bytes_way way_of(const char *name)
{
	enum dn_bytes_way i = 0;

	while (i < DN_BYTES_WAYS && strcmp(name, dn_bytes_way[i]))
		i++;
	return i;
}

bool dn_probe_parse_rung(const char *list, char rung[16], char bytes[16])
{
	rung[0] = bytes[0] = 0;
	for (const char *at = list;; at++) {
		size_t n = strcspn(at, ",");
		char name[16];

		if (n >= sizeof(name))
			return false;
		memcpy(name, at, n);
		name[n] = 0;
		if (kind_of(name) < DN_OBJECT_KINDS || !strcmp(name, "proc"))
			memcpy(rung, name, n + 1);
		else if (way_of(name) < DN_BYTES_WAYS)
			memcpy(bytes, name, n + 1);
		else
			return false;
		at += n;
		if (!*at)
			return true;
	}
}

/* Whether a program of no effect can be loaded and attached that way. */
static bool can(const char *program, char why[WHY])
{
	const struct dn_object_opts none = { 0 };
	struct bpf_object *obj = dn_object_open(&dn_object_trial, &none);
	int load_err = -EIO, attach_err = 0;

	if (obj) {
		dn_object_try(obj, program, &load_err, &attach_err);
		if (load_err || attach_err)
			say_why(why, load_err ? -load_err : -attach_err, "it is refused");
	}
	bpf_object__close(obj);
	return !load_err && !attach_err;
}

static bool way_open(enum dn_bytes_way way, char why[WHY])
{
	if (!dn_object_has_way(way)) {
		snprintf(why, WHY, "this kernel has no tracepoint for it (6.3 has)");
		return false;
	}
	return way == DN_BYTES_FENTRY ? can("try_fentry", why) :
		way == DN_BYTES_KPROBE ? can("try_kprobe", why) : true;
}

enum dn_bytes_way dn_probe_bytes_way(void)
{
	enum dn_bytes_way way = 0;
	char why[WHY];

	while (way < DN_BYTES_CALLS && !way_open(way, why))
		way++;
	return way;
}

static void above(char *list, size_t size, const char *name, const char *why)
{
	size_t at = strlen(list);

	snprintf(list + at, size - at, "%s%s: %s", at ? "; " : "", name, why);
}

/* Tries one rung, with the best way to see the bytes of sockets from `first` on. */
static int climb_ways(struct dn_probe *p, const struct dn_object_kind *k, struct dn_object_opts *o,
		      enum dn_bytes_way first, struct refusal r[PROGRAMS_MAX], unsigned *n, char why[WHY])
{
	char not[WHY];
	int err = 0;

	p->bytes_above[0] = 0;
	for (enum dn_bytes_way way = 0; way < DN_BYTES_WAYS; way++) {
		const struct refusal *no = NULL;

		if (way < first) {
			snprintf(p->bytes_above, sizeof(p->bytes_above), "not asked for (--rung)");
			continue;
		}
		if (p->net && !strcmp(k->types, "btf") && !way_open(way, not)) {
			above(p->bytes_above, sizeof(p->bytes_above), dn_bytes_way[way], not);
			continue;
		}
		p->bytes = o->bytes = way;
		err = climb(p, k, o, r, n, why);
		if (err)
			return err;
		for (unsigned i = 0; i < *n && !no; i++)
			if (r[i].program && !strcmp(dn_probe_subject_of(r[i].program, NULL)->name, "socket_bytes"))
				no = &r[i];
		if (!no || way == DN_BYTES_CALLS)
			break;
		above(p->bytes_above, sizeof(p->bytes_above), dn_bytes_way[way], no->why);
		undo(p);
	}
	return err;
}

/* What processes map, which names are found by. */
static void watch_maps(struct dn_probe *p)
{
	if (!p->stacks || !dn_probe_stacks_seen(p) || strcmp(p->kind->types, "btf"))
		return;
	p->maps = dn_mapwatch_open();
	if (!p->maps)
		snprintf(p->maps_why, sizeof(p->maps_why), "perf_event_open(2): %s", strerror(errno));
}

struct dn_probe *dn_probe_open(const struct dn_probe_opts *o, char why[512])
{
	struct dn_probe *p = calloc(1, sizeof(*p));
	struct refusal r[PROGRAMS_MAX] = { 0 };
	struct dn_object_opts oo = { .strings = o->strings, .hide_setuid = o->hide_setuid };
	char now[WHY] = "";
	const enum dn_bytes_way ways = o->bytes ? way_of(o->bytes) : DN_BYTES_TRACEPOINT;
	unsigned n = 0, first = o->rung ? kind_of(o->rung) : 0;
	int err = -ENOMEM;

	why[0] = 0;
	if (!p)
		goto fail;
	if (first == DN_OBJECT_KINDS) {
		err = -EOPNOTSUPP;
		snprintf(now, sizeof(now), "no BPF was asked for (--rung)");
		goto fail;
	}
	p->strings = o->strings;
	p->net = oo.net = o->net;
	p->offcpu = oo.offcpu = o->offcpu;
	oo.offcpu_min = o->offcpu_min;
	oo.stack_slow = o->stack_slow;
	oo.stack_calls = o->stack_calls;
	p->call_stacks = o->stack_slow || o->stack_calls;
	p->stacks = oo.stacks = o->stacks;
	p->symbols = o->symbols;
	p->freq = oo.freq = o->freq;
	p->by_cycles = o->cycles;
	p->attach = oo.attach = o->attach;
	p->hide_setuid = o->hide_setuid;
	dn_probe_perf_find(p, o->perf);
	oo.perf = dn_probe_perf_kinds(p);
	dn_object_listen();
	p->cpus = libbpf_num_possible_cpus();
	if (p->cpus < 1) {
		err = p->cpus;
		say_why(now, -err, "the CPUs cannot be counted");
		goto fail;
	}
	err = may(now);
	if (err)
		goto fail;
	p->rings = dn_rings_begin((unsigned)p->cpus, o->buffer_bytes);
	if (!p->rings) {
		err = -errno;
		say_why(now, errno, "the ring buffers cannot be made");
		goto fail;
	}
	oo.cpus = (unsigned)p->cpus;
	oo.wake_level = dn_rings_size(p->rings) / 2;
	for (unsigned i = 0; !err && i < DN_OBJECT_KINDS; i++) {
		const struct dn_object_kind *k = &dn_object_kind[i];

		if (i < first) {
			snprintf(p->above, sizeof(p->above), "not asked for (--rung)");
			continue;
		}
		if (o->hide_setuid && strcmp(k->types, "btf")) {
			err = -EOPNOTSUPP;
			snprintf(now, sizeof(now), "without BTF it cannot be seen when a process becomes "
				 "setuid, from where on only root may look at it");
			break;
		}
		err = climb_ways(p, k, &oo, ways, r, &n, now);
		if (dn_rings_made(p->rings)) {
			err = dn_rings_made(p->rings);
			say_why(now, -err, "the ring buffers cannot be made");
			break;
		}
		if (!err) {
			dn_object_opened();
			watch_maps(p);
			dn_probe_take_stock(p, r, n);
			return p;
		}
		undo(p);
		if (dn_probe_hopeless(err))
			break;
		above(p->above, sizeof(p->above), k->rung, now);
		err = i + 1 < DN_OBJECT_KINDS ? 0 : err;
	}
fail:
	dn_object_opened();
	snprintf(why, 512, "%s", now[0] ? now : strerror(-err));
	dn_probe_close(p);
	errno = -err;
	return NULL;
}

void dn_probe_close(struct dn_probe *p)
{
	if (!p)
		return;
	undo(p);
	dn_mapwatch_close(p->maps);
	dn_rings_close(p->rings);
	free(p);
}

struct dn_mapwatch *dn_probe_take_maps(struct dn_probe *p)
{
	struct dn_mapwatch *w = p->maps;
	int fd;

	/* Its rings are small. Without it they are read as often as the others. */
	for (unsigned i = 0; w && (fd = dn_mapwatch_fd(w, i)) >= 0; i++)
		dn_rings_watch(p->rings, fd);
	p->maps = NULL;
	return w;
}

__u64 *dn_probe_stack_generation(struct dn_probe *p)
{
	return &p->run->stack_generation;
}

uint64_t dn_probe_target(struct dn_probe *p)
{
	uint64_t cookie = 0;

	while (!cookie)
		if (getrandom(&cookie, sizeof(cookie), 0) != sizeof(cookie))
			cookie = (uint64_t)(uintptr_t)p ^ (uint64_t)getpid() << 40;
	__atomic_store_n(&p->run->root_cookie, cookie, __ATOMIC_SEQ_CST);
	return cookie;
}

uint64_t dn_probe_tick_ns(const struct dn_probe *p)
{
	return p->run->tick_ns;
}

struct dn_ring *dn_probe_life_ring(struct dn_probe *p)
{
	return p->life;
}

struct dn_ring **dn_probe_rings(struct dn_probe *p, unsigned *n)
{
	return dn_rings_list(p->rings, n);
}

int dn_probe_wake_fd(struct dn_probe *p, int fd)
{
	return dn_rings_watch(p->rings, fd);
}

void dn_probe_wait(struct dn_probe *p, int timeout_ms)
{
	dn_rings_wait(p->rings, timeout_ms);
}
