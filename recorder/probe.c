/*
 * probe.c - life of the BPF programs, and the ladder they are loaded from.
 *
 * Each rung is an object (object.h), best first. A rung serves if all programs
 * it cannot do without load and attach; those it can do without are left out
 * where the kernel refuses them. What was taken for each subject, and why
 * nothing better, goes into the trace.
 */
#include "probe.h"

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

#include "clocks.h"
#include "mapwatch.h"
#include "object.h"
#include "observed.h"
#include "ring.h"
#include "rings.h"

#define LIFE_RING_BYTES (2u << 20)
#define PROGRAMS_MAX 64
#define WHY 320
#define PARTS 34
#define NAMES_BYTES (DN_NAMES_AT_ONCE * sizeof(uint64_t))

/* The functions of bpf/socket_probe.bpf.h by one way. */
#define FUNCTIONS(way)                                                               \
	way "_inet_sendmsg", way "_inet6_sendmsg", way "_unix_stream_sendmsg",       \
	way "_unix_dgram_sendmsg", way "_unix_seqpacket_sendmsg",                    \
	way "_unix_seqpacket_recvmsg", way "_inet_recvmsg", way "_inet6_recvmsg",    \
	way "_unix_stream_recvmsg", way "_unix_dgram_recvmsg"

/* Subjects, and the programs that observe them. */
static const struct subject {
	const char *name;
	const char *program[PARTS];
	bool needed;		/* a rung that cannot do it is of no use */
	const char *without;	/* what the trace lacks then */
} subjects[] = {
	{ "syscalls", { "on_sys_enter", "on_sys_exit", "on_sys_enter_held", "on_sys_exit_held",
	  "on_sys_enter_again", "on_sys_exit_again", "on_sys_enter_again_held",
	  "on_sys_exit_again_held", "on_sys_enter_steady", "on_sys_exit_steady" }, true, NULL },
	{ "process", { "on_newtask", "on_exec", "on_exit", "on_newtask_again", "on_exec_again",
	  "on_exit_again" }, true, NULL },
	{ "names", { "on_rename" }, false, "changes of a thread's name are not seen" },
	{ "scheduling", { "on_switch", "on_waking" }, false, "when threads run and what they wait for is not seen" },
	{ "runtime", { "on_switch" }, false, "times on CPUs lack up to a tick at a thread's end" },
	{ "samples", { "on_sample" }, false, "what threads do on their CPUs is not sampled" },
	{ "signals", { "on_signal_sent", "on_signal_delivered" }, false,
	  "signals sent and delivered are not seen" },
	{ "oom", { "on_oom" }, false, "victims of the OOM killer are not seen" },
	{ "socket_bytes", { "on_sock_sent", "on_sock_received", FUNCTIONS("fexit"), FUNCTIONS("kprobe"),
	  FUNCTIONS("kretprobe") }, false, "bytes through sockets are not recorded" },
	{ "socket_states", { "on_sock_state" }, false, "states of TCP connections are not seen" },
	{ "retransmits", { "on_retransmit" }, false, "segments sent again are not seen one by one" },
	{ "resets", { "on_reset_sent", "on_reset_received" }, false, "resets of connections are not seen" },
	{ "socket_errors", { "on_sock_error" }, false, "errors that the network reports to a socket "
	  "are seen when a call returns them" },
	{ "kernel_names", { "name_addresses" }, false, "functions of the kernel have no names" },
	{ "sockets_at_end", { "list_sockets" }, false, "sockets that are open at the end are not looked at again" },
	{ "threads_at_end", { "list_threads" }, false, "threads that live on at the end, and the "
	  "calls they are in, are not listed" },
};

/* What stands in kernel structures, and has no program of its own. */
static const struct {
	const char *name, *without;
} typed[] = {
	{ "exit_figures", "what a thread has used is known from the last reading of /proc only" },
	{ "sockets", "sockets, their addresses and the bytes through them are not recorded" },
	{ "cwd", "working directories of programs executed are not recorded" },
	{ "stacks", "no stacks are recorded" },
	{ "mappings", "what processes map is not seen: functions of programs have no names" },
};

#define TYPED (sizeof(typed) / sizeof(typed[0]))
#define SYSCALLS 0		/* in subjects */
#define AGAIN "_again"		/* in the name of a second program */
#define SUBJECTS (sizeof(subjects) / sizeof(subjects[0]))
#define OBSERVED_MAX (SUBJECTS + TYPED + 3)

struct observed {
	const char *name, *rung, *without;
	char reason[2 * WHY];	/* why nothing better; "" where it is the best */
};

struct program {		/* that is attached */
	const char *name;
	const struct subject *subject;
	int fd;
};

struct dn_probe {
	const struct dn_object_kind *kind;
	struct bpf_object *obj;
	struct bpf_link *link[PROGRAMS_MAX];
	struct bpf_link *iter;		/* one of them, or NULL: the map of tasks is walked */
	struct bpf_link *sockets;	/* one of them, or NULL */
	struct bpf_link *names;		/* not one of them: it is asked to the end */
	enum dn_bytes_way bytes;
	char bytes_above[2 * WHY];	/* why the better ways were not taken */
	unsigned nlinks;
	struct dn_run *run;
	struct dn_ring *life;
	struct dn_rings *rings;		/* for whatever rung is taken */
	int cpus;
	struct program prog[PROGRAMS_MAX];
	unsigned nprogs;
	struct observed seen[OBSERVED_MAX];
	unsigned nseen;
	struct bpf_link **sampler;	/* of each CPU, with on_sample, NULL where it is off */
	uint64_t *addresses;	/* of name_addresses, mapped */
	struct dn_mapwatch *maps;
	char maps_why[WHY];	/* why there is none */
	bool strings, hide_setuid, net, offcpu, stacks, symbols, call_stacks;
	unsigned freq;
	char above[2 * WHY];	/* why the rungs above this one were not taken */
};

/* A program that the kernel refuses, and in which words. */
struct refusal {
	const char *program;
	char why[WHY];
};

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

/* The first subject of a program; sets *name, if not NULL, to its name as the table
 * has it, which outlives the object. */
static const struct subject *subject_of(const char *program, const char **name)
{
	for (unsigned s = 0; s < SUBJECTS; s++)
		for (unsigned i = 0; i < PARTS && subjects[s].program[i]; i++)
			if (!strcmp(subjects[s].program[i], program)) {
				if (name)
					*name = subjects[s].program[i];
				return &subjects[s];
			}
	return NULL;
}

const char *dn_probe_subject(const char *program, unsigned nth)
{
	for (unsigned s = 0; s < SUBJECTS; s++)
		for (unsigned i = 0; i < PARTS && subjects[s].program[i]; i++)
			if (!strcmp(subjects[s].program[i], program) && !nth--)
				return subjects[s].name;
	return NULL;
}

const char *dn_probe_without(const char *subject)
{
	for (unsigned s = 0; s < SUBJECTS; s++)
		if (!strcmp(subjects[s].name, subject))
			return subjects[s].without;
	for (unsigned i = 0; i < TYPED; i++)
		if (!strcmp(typed[i].name, subject))
			return typed[i].without;
	return NULL;
}

const char *dn_probe_typed(unsigned i)
{
	return i < TYPED ? typed[i].name : NULL;
}

/* Of a rung, from the best one on; DN_OBJECT_KINDS where it is none of BPF. */
static unsigned kind_of(const char *rung)
{
	unsigned i = 0;

	while (i < DN_OBJECT_KINDS && strcmp(rung, dn_object_kind[i].rung))
		i++;
	return i;
}

static bool keeps_hash(const struct dn_object_kind *k)
{
	return !strcmp(k->state, "hash");
}

bool dn_probe_walks(const char *rung, const char *subject)
{
	unsigned i = kind_of(rung);

	return i < DN_OBJECT_KINDS && keeps_hash(&dn_object_kind[i]) && !strcmp(subject, "threads_at_end");
}

bool dn_probe_hopeless(int err)
{
	return err == -EPERM || err == -EMFILE || err == -ENOMEM;
}

static const struct refusal *refused(const struct refusal *r, unsigned n, const char *program)
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
		if (r[i].program && subject_of(r[i].program, NULL)->needed)
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
			subject_of(bpf_program__name(prog), &r[n].program);
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
			if (refused(r, *n, bpf_program__name(prog)))
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

static void undo(struct dn_probe *p)
{
	stop_samples(p);
	for (unsigned i = 0; i < p->nlinks; i++)
		bpf_link__destroy(p->link[i]);
	p->nlinks = 0;
	bpf_link__destroy(p->names);
	if (p->addresses)
		munmap(p->addresses, NAMES_BYTES);
	p->addresses = NULL;
	p->iter = p->sockets = p->names = NULL;
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
static int start_samples(struct dn_probe *p, struct bpf_program *prog)
{
	int err = 0;

	p->sampler = calloc((size_t)p->cpus, sizeof(p->sampler[0]));
	if (!p->sampler)
		return -ENOMEM;
	for (int cpu = 0; cpu < p->cpus && !err; cpu++) {
		p->sampler[cpu] = dn_object_sample(prog, cpu, p->freq);
		if (!p->sampler[cpu] && errno != ENODEV)
			err = -errno;
	}
	if (err)
		stop_samples(p);
	return err;
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
	for (unsigned s = 0; s < SUBJECTS; s++) {
		for (unsigned i = 0; i < PARTS && subjects[s].program[i]; i++) {
			const char *name = subjects[s].program[i];
			struct bpf_program *prog = bpf_object__find_program_by_name(p->obj, name);
			struct bpf_link *link;
			int err;

			if (!prog || !bpf_program__autoload(prog) || is_attached(p, name) || refused(r, *n, name))
				continue;	/* two subjects may share one */
			dn_object_words();
			link = dn_object_samples(prog) ? NULL : dn_object_attach(p->obj, prog);
			err = link ? 0 : dn_object_samples(prog) ? start_samples(p, prog) : -errno;
			if (err) {
				say_why(why, -err, "%s cannot be attached", name);
				if (subjects[s].needed || *n == PROGRAMS_MAX)
					return err;
				r[*n].program = name;
				memcpy(r[(*n)++].why, why, WHY);
				continue;
			}
			if (!strcmp(name, "list_threads"))
				p->iter = link;
			if (!strcmp(name, "list_sockets"))
				p->sockets = link;
			if (!strcmp(name, "name_addresses"))
				begin_names(p, link);
			else if (link)
				p->link[p->nlinks++] = link;
			p->prog[p->nprogs++] = (struct program){ name, &subjects[s],
				bpf_program__fd(prog) };
		}
	}
	p->run->ends_at_exit = !is_attached(p, "on_switch");
	p->run->sched = is_attached(p, "on_switch") && is_attached(p, "on_waking");
	return 0;
}

/* Tries one rung. */
static int climb(struct dn_probe *p, const struct dn_object_kind *k, struct dn_object_opts *o,
		 struct refusal r[PROGRAMS_MAX], unsigned *n, char why[WHY])
{
	int err = load(p, k, o, r, n, why), life;

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
	return attach(p, r, n, why);
}

static void observe(struct dn_probe *p, const char *name, const char *rung, const char *reason,
		    const char *without)
{
	struct observed *s = &p->seen[p->nseen++];

	s->name = name;
	s->rung = rung;
	s->without = without;
	snprintf(s->reason, sizeof(s->reason), "%s", reason);
}

static bool of_net(const char *subject)
{
	return !strncmp(subject, "socket", 6) || !strcmp(subject, "retransmits") || !strcmp(subject, "resets");
}

static bool of_stacks(const char *subject)
{
	return !strcmp(subject, "stacks") || !strcmp(subject, "mappings") || !strcmp(subject, "kernel_names");
}

/* The option by which a subject was not asked for; NULL: it was. */
static const char *switched_off(const struct dn_probe *p, const char *subject)
{
	if (of_net(subject) && !p->net)
		return "--no-net";
	if (!strcmp(subject, "scheduling") && !p->offcpu)
		return "--no-offcpu";
	if (!strcmp(subject, "samples") && !p->freq)
		return "--freq=0";
	if (of_stacks(subject) && !p->freq && !p->offcpu && !p->call_stacks)
		return "--freq=0, --no-offcpu";
	if (of_stacks(subject) && !p->stacks)
		return "--no-stacks";
	if (!strcmp(subject, "kernel_names") && !p->symbols)
		return "--no-symbols";
	return !strcmp(subject, "strings") && !p->strings ? "--no-strings" : NULL;
}

/* Whether anything has a stack: programs that are attached, and the objects that read them. */
static bool stacks_seen(const struct dn_probe *p)
{
	return p->run->sched || p->sampler || p->call_stacks;
}

/* What was taken for each subject. */
static void take_stock(struct dn_probe *p, const struct refusal *r, unsigned n)
{
	const struct dn_object_kind *best = &dn_object_kind[0], *k = p->kind;
	const bool types = !strcmp(k->types, best->types);
	static const char plain[] = "it stands in kernel structures, which are not known without BTF";

	observe(p, "kernel_types", k->types, types ? "" : p->above, NULL);
	observe(p, "task_state", k->state, k->state == best->state ? "" : p->above, NULL);
	for (unsigned s = 0; s < SUBJECTS; s++) {
		const struct subject *j = &subjects[s];
		const char *rung = k->attach, *why = k == best ? "" : p->above;
		bool any = false;

		for (unsigned i = 0; i < PARTS && j->program[i]; i++) {
			const struct refusal *no = refused(r, n, j->program[i]);

			any |= !!bpf_object__find_program_by_name(p->obj, j->program[i]);
			if (no) {
				rung = "none";
				why = no->why;
			}
		}
		if (!strcmp(j->name, "threads_at_end") && strcmp(rung, "none")) {
			rung = p->iter ? "iter" : "map";
		} else if (!any) {
			rung = "none";
			why = plain;
		} else if (switched_off(p, j->name)) {
			rung = "none";
			why = switched_off(p, j->name);
		} else if (!strcmp(j->name, "kernel_names") && strcmp(rung, "none")) {
			rung = "iter";
		} else if (!strcmp(j->name, "samples") && strcmp(rung, "none")) {
			rung = "cpu_clock";
		} else if (s == SYSCALLS && dn_object_steady(p->prog[0].name)) {
			rung = "tracepoint";
		} else if (!strcmp(j->name, "socket_bytes") && strcmp(rung, "none") && p->bytes) {
			rung = dn_bytes_way[p->bytes];
			why = p->bytes_above;
		} else if (!strcmp(j->name, "sockets_at_end") && strcmp(rung, "none")) {
			rung = "iter";
		}
		observe(p, j->name, rung, why, strcmp(rung, "none") ? NULL : j->without);
	}
	observe(p, "strings", p->strings ? k->attach : "none",
		!p->strings ? switched_off(p, "strings") : k == best ? "" : p->above,
		p->strings ? NULL : "paths, arguments and addresses of calls are not recorded");
	for (unsigned i = 0; i < TYPED; i++) {
		const char *name = typed[i].name, *off = switched_off(p, name), *rung = k->attach;
		const bool stacks = !strcmp(name, "stacks"), maps = !strcmp(name, "mappings");

		if (!off && !types)
			off = plain;
		if (!off && (stacks || maps) && !stacks_seen(p))
			off = "there is nothing that would have a stack";
		if (!off && maps && !p->maps)
			off = p->maps_why;
		rung = stacks ? "frame_pointer" : maps ? "perf" : rung;
		observe(p, name, off ? "none" : rung, off ? off : stacks || maps || k == best ? "" : p->above,
			off ? typed[i].without : NULL);
	}
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
			if (r[i].program && !strcmp(subject_of(r[i].program, NULL)->name, "socket_bytes"))
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
	if (!p->stacks || !stacks_seen(p) || strcmp(p->kind->types, "btf"))
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
	p->hide_setuid = o->hide_setuid;
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
			take_stock(p, r, n);
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

/* Lists the threads by the task iterator. */
static int iterate(struct dn_probe *p, int (*fn)(void *ctx, const struct dn_iter_thread *t), void *ctx)
{
	struct dn_iter_thread t[64];
	size_t have = 0;
	ssize_t n;
	int fd = bpf_iter_create(bpf_link__fd(p->iter)), err = 0;

	if (fd < 0)
		return -errno;
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

/* Has the program tell of each socket that is open, through the rings. */
static void look_at_sockets(struct dn_probe *p)
{
	int fd = bpf_iter_create(bpf_link__fd(p->sockets));
	char none[16];

	if (fd < 0)
		return;
	while (read(fd, none, sizeof(none)) > 0)
		;
	close(fd);
}

/* Lists them by the hash that holds their states. */
static int walk(struct dn_probe *p, int (*fn)(void *ctx, const struct dn_iter_thread *t), void *ctx)
{
	int fd = dn_object_map(p->obj, "tasks"), err = 0;
	uint64_t key, next;
	void *at = NULL;

	while (!err && !bpf_map_get_next_key(fd, at, &next)) {
		struct dn_task_state st;
		struct dn_iter_thread t;

		key = next;
		at = &key;
		if (bpf_map_lookup_elem(fd, &key, &st) || st.armed != 1 || st.unborn)
			continue;
		t = (struct dn_iter_thread){ .thread = st.thread, .process = st.process, .tid = st.tid,
			.seq = st.seq, .nr = st.nr, .in_call = st.in_call, .abi = st.abi,
			.nargs = st.nargs, .nstr = st.nstr, .flags = st.flags, .start = st.start,
			.off = st.off, .off_state = st.off_state, .woken = st.woken_by ? st.woken : 0 };
		memcpy(t.args, st.args, sizeof(t.args));
		err = fn(ctx, &t);
	}
	return err;
}

int dn_probe_stop(struct dn_probe *p, int (*fn)(void *ctx, const struct dn_iter_thread *t), void *ctx)
{
	int err;

	p->run->stopping = 1;
	/* An entry that read `stopping` before this line ends within its few
	 * microseconds; it must be in the list that follows. */
	usleep(2000);
	if (p->sockets)
		look_at_sockets(p);
	if (p->iter)
		err = iterate(p, fn, ctx);
	else if (keeps_hash(p->kind))
		err = walk(p, fn, ctx);
	else
		err = -EOPNOTSUPP;	/* its program was refused: not_observed says so */
	stop_samples(p);
	for (unsigned i = 0; i < p->nlinks; i++)
		bpf_link__destroy(p->link[i]);
	p->nlinks = 0;
	p->iter = p->sockets = NULL;
	usleep(2000);	/* runs under way when the last one was detached */
	return err;
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
		else if (second && g->subject != &subjects[SYSCALLS])
			*needed += both < first ? both : first;
	}
}

int dn_probe_short(struct dn_probe *p, int (*fn)(void *ctx, const struct dn_ring_short *s), void *ctx)
{
	int fd = dn_object_map(p->obj, "short_times"), err = 0;
	struct dn_short_key key, next;
	const uint64_t now = dn_now();
	void *at = NULL;

	while (!err && fd >= 0 && !bpf_map_get_next_key(fd, at, &next)) {
		struct dn_ring_short s = { .type = DN_RING_SHORT, .state = (uint8_t)next.state, .thread = next.thread,
			.time = now };

		key = next;
		at = &key;
		if (!bpf_map_lookup_elem(fd, &key, &s.sum))
			err = fn(ctx, &s);
	}
	return err;
}

int dn_probe_losses(struct dn_probe *p,
		    int (*fn)(void *ctx, const struct dn_loss_key *k, const struct dn_loss_value *v), void *ctx)
{
	int fd = dn_object_map(p->obj, "losses"), err = 0;
	struct dn_loss_key key, next;
	struct dn_loss_value v;
	void *at = NULL;

	while (!err && !bpf_map_get_next_key(fd, at, &next)) {
		key = next;
		at = &key;
		if (!bpf_map_lookup_elem(fd, &key, &v))
			err = fn(ctx, &key, &v);
	}
	return err;
}

/* What BPF cannot see, however well it is attached. */
static const struct {
	const char *subject, *reason;
} blind[] = {
	{ "vdso", "calls answered in user space by the vDSO (clock_gettime and the like) never reach the kernel" },
	{ "io_uring", "operations queued through io_uring are done by the kernel without a system call of their own" },
};

const char *dn_probe_rung(const struct dn_probe *p, const char *name)
{
	for (unsigned i = 0; i < p->nseen; i++)
		if (!strcmp(p->seen[i].name, name))
			return p->seen[i].rung;
	return NULL;
}

bool dn_probe_lacks(const struct dn_probe *p, char names[256], const char **why)
{
	size_t n = 0;

	*why = p->above;
	for (unsigned i = 0; i < p->nseen && n < 200; i++) {
		const struct observed *s = &p->seen[i];

		if (!s->without || switched_off(p, s->name))
			continue;
		if (of_stacks(s->name) && strcmp(s->name, "stacks") && !strcmp(dn_probe_rung(p, "stacks"), "none"))
			continue;	/* the same */
		if (of_net(s->name) && strcmp(s->name, "sockets") && !strcmp(dn_probe_rung(p, "sockets"), "none"))
			continue;	/* said by that */
		n += (size_t)snprintf(names + n, 256 - n, "%s%s", n ? ", " : "", s->name);
		if (!p->above[0])
			*why = s->reason;
	}
	return n;
}

int dn_probe_emit(struct dn_probe *p, const struct dn_sink *sink)
{
	int err = 0;

	for (unsigned i = 0; i < p->nseen && !err; i++) {
		const struct observed *s = &p->seen[i];

		err = dn_probe_row(sink, s->name, s->rung, s->reason);
		if (!err && s->without)
			err = dn_not_observed_row(sink, s->name, s->without);
	}
	if (!err && p->net && !strcmp(p->kind->types, "btf") && p->bytes)
		err = dn_not_observed_row(sink, "socket_bytes", p->bytes == DN_BYTES_CALLS ?
					  "bytes through sockets are the results of calls: those that io_uring moves, "
					  "and before 5.17 messages of sendmmsg and recvmmsg beyond 24 in a call, are missing" :
					  "bytes through sockets of other families than inet, inet6 and unix");
#ifdef __x86_64__
	if (!err && strcmp(p->kind->types, "btf"))
		err = dn_not_observed_row(sink, "int80", "32-bit calls of 64-bit programs (int 0x80) stand under the "
					  "64-bit calls of the same numbers");
#endif
	if (p->hide_setuid && !err)
		err = dn_not_observed_row(sink, "setuid", "arguments and strings of processes that became setuid or "
					  "more capable than the user, who may not look at them");
	for (unsigned i = 0; i < sizeof(blind) / sizeof(blind[0]) && !err; i++)
		err = dn_not_observed_row(sink, blind[i].subject, blind[i].reason);
	return err;
}
