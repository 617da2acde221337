/*
 * probe_stock.c - taking stock: the subjects, the programs that observe them, what
 * was taken for each and why nothing better, and what the trace lacks.
 */
#include "probe_int.h"

#include <assert.h>
#include <bpf/libbpf.h>
#include <stdio.h>
#include <string.h>

#include "observed.h"

/* The functions of bpf/socket_probe.bpf.h by one way. */
#define FUNCTIONS(way)                                                               \
	way "_inet_sendmsg", way "_inet6_sendmsg", way "_unix_stream_sendmsg",       \
	way "_unix_dgram_sendmsg", way "_unix_seqpacket_sendmsg",                    \
	way "_unix_seqpacket_recvmsg", way "_inet_recvmsg", way "_inet6_recvmsg",    \
	way "_unix_stream_recvmsg", way "_unix_dgram_recvmsg"

#define ATTACH "attach"

/* Subjects, and the programs that observe them. */
const struct subject dn_probe_subjects[] = {
	{ "syscalls", { "on_sys_enter", "on_sys_exit", "on_sys_enter_held", "on_sys_exit_held",
	  "on_sys_enter_again", "on_sys_exit_again", "on_sys_enter_again_held",
	  "on_sys_exit_again_held", "on_sys_enter_steady", "on_sys_exit_steady" }, true, NULL, NULL },
	{ "process", { "on_newtask", "on_exec", "on_exit", "on_newtask_again", "on_exec_again",
	  "on_exit_again" }, true, NULL, NULL },
	{ "names", { "on_rename" }, false, "changes of a thread's name are not seen", NULL },
	{ "scheduling", { "on_switch", "on_waking" }, false, "when threads run and what they wait for is not seen", NULL },
	{ "runtime", { "on_switch" }, false, "times on CPUs lack up to a tick at a thread's end", NULL },
	{ "samples", { "on_sample" }, false, "what threads do on their CPUs is not sampled", "cpu_clock" },
	{ "signals", { "on_signal_sent", "on_signal_delivered" }, false,
	  "signals sent and delivered are not seen", NULL },
	{ "oom", { "on_oom" }, false, "victims of the OOM killer are not seen", NULL },
	{ "socket_bytes", { "on_sock_sent", "on_sock_received", FUNCTIONS("fexit"), FUNCTIONS("kprobe"),
	  FUNCTIONS("kretprobe") }, false, "bytes through sockets are not recorded", NULL },
	{ "socket_states", { "on_sock_state" }, false, "states of TCP connections are not seen", NULL },
	{ "retransmits", { "on_retransmit" }, false, "segments sent again are not seen one by one", NULL },
	{ "resets", { "on_reset_sent", "on_reset_received" }, false, "resets of connections are not seen", NULL },
	{ "socket_errors", { "on_sock_error" }, false, "errors that the network reports to a socket "
	  "are seen when a call returns them", NULL },
	{ "kernel_names", { "name_addresses" }, false, "functions of the kernel have no names", "iter" },
	{ "sockets_at_end", { "list_sockets" }, false, "sockets that are open at the end are not looked at again", "iter" },
	{ ATTACH, { "take_threads" }, false, "processes that run already cannot be attached to", "iter" },
	{ "sockets_at_start", { "take_sockets" }, false, "sockets of processes that were attached to are not seen before "
	  "they are used", "iter" },
	{ "threads_at_end", { "list_threads" }, false, "threads that live on at the end, and the "
	  "calls they are in, are not listed", "iter" },
	{ NULL, { NULL }, false, NULL, NULL },
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
	{ "counters", "what performance counters say of threads (cycles, instructions, cache misses) is not known" },
};

#define TYPED (sizeof(typed) / sizeof(typed[0]))
#define SUBJECTS (sizeof(dn_probe_subjects) / sizeof(dn_probe_subjects[0]) - 1)

static_assert(SUBJECTS + TYPED + 3 <= OBSERVED_MAX, "room for all that is observed");

const struct subject *dn_probe_subject_of(const char *program, const char **name)
{
	for (unsigned s = 0; s < SUBJECTS; s++)
		for (unsigned i = 0; i < PARTS && dn_probe_subjects[s].program[i]; i++)
			if (!strcmp(dn_probe_subjects[s].program[i], program)) {
				if (name)
					*name = dn_probe_subjects[s].program[i];
				return &dn_probe_subjects[s];
			}
	return NULL;
}

const char *dn_probe_subject(const char *program, unsigned nth)
{
	for (unsigned s = 0; s < SUBJECTS; s++)
		for (unsigned i = 0; i < PARTS && dn_probe_subjects[s].program[i]; i++)
			if (!strcmp(dn_probe_subjects[s].program[i], program) && !nth--)
				return dn_probe_subjects[s].name;
	return NULL;
}

const char *dn_probe_without(const char *subject)
{
	for (unsigned s = 0; s < SUBJECTS; s++)
		if (!strcmp(dn_probe_subjects[s].name, subject))
			return dn_probe_subjects[s].without;
	for (unsigned i = 0; i < TYPED; i++)
		if (!strcmp(typed[i].name, subject))
			return typed[i].without;
	return NULL;
}

const char *dn_probe_typed(unsigned i)
{
	return i < TYPED ? typed[i].name : NULL;
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

/* Of recordings that attach. */
static bool of_attach(const char *subject)
{
	return !strcmp(subject, ATTACH) || !strcmp(subject, "sockets_at_start");
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
	if (!strcmp(subject, "counters") && !p->perf.asked)
		return "--counters=none";
	if (!strcmp(subject, "kernel_names") && !p->symbols)
		return "--no-symbols";
	return !strcmp(subject, "strings") && !p->strings ? "--no-strings" : NULL;
}

bool dn_probe_stacks_seen(const struct dn_probe *p)
{
	return p->run->sched || p->sampler || p->call_stacks;
}

void dn_probe_take_stock(struct dn_probe *p, const struct refusal *r, unsigned n)
{
	const struct dn_object_kind *best = &dn_object_kind[0], *k = p->kind;
	const bool types = !strcmp(k->types, best->types);
	static const char plain[] = "it stands in kernel structures, which are not known without BTF";
	char lacks[2 * WHY];

	dn_probe_perf_reason(p, lacks, sizeof(lacks));
	observe(p, "kernel_types", k->types, types ? "" : p->above, NULL);
	observe(p, "task_state", k->state, k->state == best->state ? "" : p->above, NULL);
	for (unsigned s = 0; s < SUBJECTS; s++) {
		const struct subject *j = &dn_probe_subjects[s];
		const char *rung = j->rung ? j->rung : k->attach, *why = k == best ? "" : p->above;
		bool any = false;

		if (of_attach(j->name) && !p->attach)
			continue;
		for (unsigned i = 0; i < PARTS && j->program[i]; i++) {
			const struct refusal *no = dn_probe_refused(r, n, j->program[i]);

			any |= !!bpf_object__find_program_by_name(p->obj, j->program[i]);
			if (no) {
				rung = "none";
				why = no->why;
			}
		}
		if (!strcmp(j->name, "threads_at_end") && strcmp(rung, "none")) {
			rung = p->iter ? j->rung : "map";
		} else if (!any) {
			rung = "none";
			why = plain;
		} else if (switched_off(p, j->name)) {
			rung = "none";
			why = switched_off(p, j->name);
		} else if (s == SYSCALLS && dn_object_steady(p->prog[0].name)) {
			rung = "tracepoint";
		} else if (!strcmp(j->name, "samples") && strcmp(rung, "none")) {
			rung = p->cycles ? "cycles" : j->rung;
			why = p->cycles_why[0] ? p->cycles_why : why;
		} else if (!strcmp(j->name, "socket_bytes") && strcmp(rung, "none") && p->bytes) {
			rung = dn_bytes_way[p->bytes];
			why = p->bytes_above;
		}
		observe(p, j->name, rung, why, strcmp(rung, "none") ? NULL : j->without);
	}
	observe(p, "strings", p->strings ? k->attach : "none",
		!p->strings ? switched_off(p, "strings") : k == best ? "" : p->above,
		p->strings ? NULL : "paths, arguments and addresses of calls are not recorded");
	for (unsigned i = 0; i < TYPED; i++) {
		const char *name = typed[i].name, *off = switched_off(p, name), *rung = k->attach;
		const bool stacks = !strcmp(name, "stacks"), maps = !strcmp(name, "mappings");
		const bool counters = !strcmp(name, "counters");

		if (!off && !types)
			off = plain;
		if (!off && (stacks || maps) && !dn_probe_stacks_seen(p))
			off = "there is nothing that would have a stack";
		if (!off && maps && !p->maps)
			off = p->maps_why;
		if (!off && counters && !dn_probe_perf_kinds(p))
			off = lacks;
		rung = stacks ? "frame_pointer" : maps || counters ? "perf" : rung;
		observe(p, name, off ? "none" : rung, off ? off : counters ? lacks : stacks || maps || k == best ? "" : p->above,
			off ? typed[i].without : NULL);
	}
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
		if (!strcmp(s->name, "counters"))	/* the machine's; what was asked for by name is told otherwise */
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
