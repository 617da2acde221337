/*
 * dntcheck - do the books of a trace balance?
 *
 *   dntcheck [--living] [--lossy] FILE
 *
 * Counts everything anew and compares with what the trace says of itself:
 * attempted = written + lost; the records of each thread are numbered without
 * gap but for lost ones, which are as many as the losses of its process; every
 * id is introduced and each thread ends once; the calls of a thread follow each
 * other within its life. One line on stdout for each thing that is wrong, and
 * status 1.
 *
 * --living: threads may live on at the end. --lossy: records may be lost, and
 * what is lost must be accounted for. Where records of process life are lost (they say
 * who made a call), or whole blocks, the totals are checked, and nothing by thread.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "events.h"
#include "syscalls.h"
#include "walk.h"

#define MANY 20		/* lines said of one trace */

struct call {
	uint32_t seq, flags;
	uint64_t start, end;
};

struct thread {
	bool started, exited, ended, dead;	/* dead: group_dead */
	uint32_t process, parent, tid, pid;
	uint64_t born, begin, finish;
	uint64_t records;		/* that it should have */
	bool begun_by_exec, attached;
	struct call *call;
	size_t calls, cap;
	uint64_t missing, lost;		/* of a process: sum of its threads; loss rows */
	uint64_t exits, ends, living_threads;
};

static struct thread *thread;
static uint32_t threads;
static uint64_t counter[DN_COUNTER_MAX], loss[DN_COUNTER_MAX];
static bool has_counter[DN_COUNTER_MAX];
static uint64_t calls, unfinished, exit_only, starts, exits;
static uint64_t end_rows, unknown, loss_anyone;
static unsigned said;
static bool life_lost;

__attribute__((format(printf, 1, 2))) static void wrong(const char *fmt, ...)
{
	va_list ap;

	if (said++ >= MANY)
		return;
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

/* For what follows from a lost record of process life too. */
#define wrong_life(...) do { \
		if (!life_lost) \
			wrong(__VA_ARGS__); \
	} while (0)

static struct thread *get(uint64_t id)
{
	if (id >= 1u << 24) {
		wrong("thread id %" PRIu64 " is no id", id);
		id = 0;
	}
	if (id >= threads) {
		uint32_t n = (uint32_t)id + 1024;

		thread = realloc(thread, n * sizeof(*thread));
		if (!thread)
			abort();
		memset(thread + threads, 0, (n - threads) * sizeof(*thread));
		threads = n;
	}
	return &thread[id];
}

static int on_call(void *ctx, const struct dn_syscall *c)
{
	struct thread *t = get(c->thread);
	struct call *k;

	(void)ctx;
	if (!c->thread)
		wrong("a call of thread 0");
	if (t->calls == t->cap) {
		t->cap = t->cap ? 2 * t->cap : 64;
		t->call = realloc(t->call, t->cap * sizeof(*t->call));
		if (!t->call)
			abort();
	}
	k = &t->call[t->calls++];
	k->seq = c->seq;
	k->flags = c->flags;
	k->start = c->start;
	k->end = c->flags & (DN_CALL_UNFINISHED | DN_CALL_NO_ENTER) ? c->start : c->start + c->dur;
	calls++;
	unfinished += c->flags & DN_CALL_UNFINISHED;
	exit_only += !!(c->flags & DN_CALL_NO_ENTER);
	if (c->abi == DN_ABI_UNKNOWN || c->abi >= DN_ABI_MAX)
		wrong("thread %u call %u: ABI %u", c->thread, c->seq, c->abi);
	return 0;
}

#define U(event, field) (r->v[DN_F_##event##_##field].u)
#define IS_NULL(event, field) (r->v[DN_F_##event##_##field].null)

static void on_start(const struct dn_row *r)
{
	uint64_t id = U(thread_start, thread);
	struct thread *t = get(id);

	if (U(thread_start, origin) == DN_ORIGIN_KEYFRAME) {
		if (!t->started)
			wrong_life("thread %" PRIu64 " is in a keyframe and begins after it", id);
		else if (t->tid != U(thread_start, tid) || t->process != U(thread_start, process))
			wrong_life("keyframe: thread %" PRIu64 " is another one", id);
		return;
	}
	starts++;
	if (t->started)
		wrong("thread %" PRIu64 " begins twice", id);
	t->started = true;
	t->tid = (uint32_t)U(thread_start, tid);
	t->pid = (uint32_t)U(thread_start, pid);
	t->process = (uint32_t)U(thread_start, process);
	t->begin = U(thread_start, time);
	t->born = U(thread_start, born);
	t->begun_by_exec = U(thread_start, origin) == DN_ORIGIN_EXEC;
	t->parent = IS_NULL(thread_start, parent_thread) ? 0 :
		(uint32_t)U(thread_start, parent_thread);
	t->attached = U(thread_start, origin) == DN_ORIGIN_ATTACH;
	if (!t->parent && !t->attached && U(thread_start, origin) != DN_ORIGIN_TARGET)
		wrong_life("thread %" PRIu64 " has no parent", id);
	if (t->process == id && t->tid != t->pid && !t->attached)	/* whose first thread may be over */
		wrong("thread %" PRIu64 ": first of its process, tid %u, pid %u", id, t->tid, t->pid);
}

/* Both ways in which a thread ends. */
static void on_end(uint64_t id, uint64_t process, uint64_t time, uint64_t seq)
{
	struct thread *t = get(id);

	if (t->process != process)
		wrong_life("thread %" PRIu64 " ends in process %" PRIu64 ", began in %u", id, process,
			   t->process);
	t->finish = time;
	t->records = seq;
}

static int on_row(void *ctx, const struct dn_row *r)
{
	struct thread *t;

	(void)ctx;
	switch (r->event) {
	case DN_EV_thread_start:
		on_start(r);
		break;
	case DN_EV_thread_exit:
		exits++;
		on_end(U(thread_exit, thread), U(thread_exit, process), U(thread_exit, time),
		       U(thread_exit, seq));
		t = get(U(thread_exit, thread));
		if (t->exited || t->ended)
			wrong("thread %" PRIu64 " exits twice", U(thread_exit, thread));
		t->exited = true;
		t->dead = U(thread_exit, group_dead);
		break;
	case DN_EV_thread_end:
		on_end(U(thread_end, thread), U(thread_end, process), U(thread_end, time),
		       U(thread_end, seq));
		t = get(U(thread_end, thread));
		if (t->exited || t->ended)
			wrong("thread %" PRIu64 " ends twice", U(thread_end, thread));
		t->ended = true;
		break;
	case DN_EV_exec:
		if (!get(U(exec, thread))->started)
			wrong_life("exec of thread %" PRIu64 ", which never began", U(exec, thread));
		break;
	case DN_EV_comm:
		if (!get(U(comm, thread))->started)
			wrong_life("name of thread %" PRIu64 ", which never began", U(comm, thread));
		break;
	case DN_EV_counter:
		if (U(counter, counter) >= DN_COUNTER_MAX || !dn_counter_desc((unsigned)U(counter, counter))) {
			wrong("counter %" PRIu64 " has no name", U(counter, counter));
			break;
		}
		counter[U(counter, counter)] = U(counter, value);
		has_counter[U(counter, counter)] = true;
		break;
	case DN_EV_loss:
		if (U(loss, counter) >= DN_COUNTER_MAX)
			break;
		loss[U(loss, counter)] += U(loss, count);
		if (U(loss, counter) != DN_COUNT_syscall_lost)
			break;
		if (IS_NULL(loss, process) || !U(loss, process))
			loss_anyone += U(loss, count);
		else
			get(U(loss, process))->lost += U(loss, count);
		if (!IS_NULL(loss, first) && U(loss, first) > U(loss, last))
			wrong("a loss that ends before it begins");
		break;
	case DN_EV_end:
		end_rows++;
		break;
	}
	return 0;
}

static int by_seq(const void *a, const void *b)
{
	const struct call *x = a, *y = b;

	return (x->seq > y->seq) - (x->seq < y->seq);
}

static void check_thread(uint32_t id, bool living, bool lossy)
{
	struct thread *t = &thread[id], *p;
	uint64_t before = t->begin, next = 0;

	if (!t->started && !t->calls && !t->exited && !t->ended)
		return;
	if (!t->started) {
		wrong("thread %u: %zu calls, but it never began", id, t->calls);
		unknown += t->calls;
		return;
	}
	p = get(t->process);
	if (!p->started || p->process != t->process)
		wrong("thread %u: its process %u is none", id, t->process);
	if (t->parent && (!get(t->parent)->started || (get(t->parent)->begin > t->begin && !t->attached)))
		wrong("thread %u: its parent %u is younger or never began", id, t->parent);
	if (!t->exited && !t->ended)
		wrong("thread %u (tid %u) has no end", id, t->tid);
	if (t->ended && !living && !get(id)->begun_by_exec) {
		bool went_on = false;

		for (uint32_t i = 0; i < threads && !went_on; i++)
			went_on = thread[i].begun_by_exec && thread[i].parent == id;
		if (!went_on)
			wrong("thread %u (tid %u) is said to live on", id, t->tid);
	}
	if (t->finish && t->finish < t->begin)
		wrong("thread %u ends before it begins", id);
	qsort(t->call, t->calls, sizeof(*t->call), by_seq);
	for (size_t i = 0; i < t->calls; i++) {
		struct call *c = &t->call[i];

		if (c->seq < next)
			wrong("thread %u: call %u stands twice", id, c->seq);
		else if (c->seq > next && !lossy)
			wrong("thread %u: calls %" PRIu64 " to %u are missing", id, next, c->seq - 1);
		next = c->seq + 1;
		if (c->start < before && !(c->flags & DN_CALL_NO_ENTER))
			wrong("thread %u: call %u begins %" PRIu64 " ns before the one before it ends",
			      id, c->seq, before - c->start);
		if (c->end < c->start)
			wrong("thread %u: call %u ends before it begins", id, c->seq);
		before = c->end;
		if (c->flags & DN_CALL_UNFINISHED && i + 1 < t->calls)
			wrong("thread %u: call %u did not return, and there is another one", id, c->seq);
	}
	/* an exec by a second thread ends its id within the call */
	if (t->exited && before > t->finish)
		wrong("thread %u: call %u ends after the thread", id, t->call[t->calls - 1].seq);
	if (next > t->records)
		wrong("thread %u has call %" PRIu64 " of %" PRIu64, id, next - 1, t->records);
	else
		p->missing += t->records - t->calls;
	p->exits += t->exited && t->dead;
	p->living_threads += t->ended;
}

/* The first way through the file: is any record of process life lost? */
static int no_call(void *ctx, const struct dn_syscall *c)
{
	(void)ctx;
	(void)c;
	return 0;
}

static int note_loss(void *ctx, const struct dn_row *r)
{
	if (r->event == DN_EV_counter && (U(counter, counter) == DN_COUNT_lifecycle_lost ||
					  U(counter, counter) == DN_COUNT_block_events_lost))
		*(bool *)ctx |= U(counter, value) > 0;
	return 0;
}

int main(int argc, char **argv)
{
	const struct dn_sink sink = { on_call, on_row, NULL };
	const struct dn_sink note = { no_call, note_loss, &life_lost };
	bool living = false, lossy = false;
	struct walk_end end;
	uint64_t missing = 0;
	FILE *f = NULL;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--living"))
			living = true;
		else if (!strcmp(argv[i], "--lossy"))
			lossy = true;
		else
			f = fopen(argv[i], "rb");
	}
	if (!f) {
		fprintf(stderr, "usage: dntcheck [--living] [--lossy] FILE\n");
		return 2;
	}
	get(0);
	if (walk(f, &note, &end))
		return 1;
	life_lost &= lossy;
	rewind(f);
	if (walk(f, &sink, &end))
		return 1;
	if (!end.footer || end.rest || end_rows != 1)
		wrong("the trace was not closed: footer %d, rest %d, %" PRIu64 " ends", end.footer,
		      end.rest, end_rows);

	for (uint32_t i = 1; i < threads && !life_lost; i++)
		check_thread(i, living, lossy);
	for (uint32_t i = 1; i < threads && !life_lost; i++) {
		struct thread *t = &thread[i];

		missing += t->missing;
		if (t->missing != t->lost)
			wrong("process %u (pid %u): %" PRIu64 " calls are missing, %" PRIu64 " said to be lost",
			      i, t->pid, t->missing, t->lost);
		if (t->started && t->process == i && t->exits > 1)
			wrong("process %u ends %" PRIu64 " times", i, t->exits);
		if (t->started && t->process == i && !t->exits && !t->living_threads)
			wrong("process %u has no last thread", i);
	}
#define SHOULD(name, value) do {                                                       \
		uint64_t v_ = (value);                                                 \
		if (!has_counter[DN_COUNT_##name])                                     \
			wrong("there is no counter " #name);                           \
		else if (counter[DN_COUNT_##name] != v_)                               \
			wrong("counter " #name " is %" PRIu64 ", counted %" PRIu64,    \
			      counter[DN_COUNT_##name], v_);                           \
	} while (0)
	SHOULD(attempted, calls + loss[DN_COUNT_syscall_lost] + loss[DN_COUNT_block_calls_lost]);
	SHOULD(written, calls);
	if (!life_lost)
		SHOULD(unfinished, unfinished);
	if (!lossy) {
		SHOULD(threads, starts);
		SHOULD(exit_only, exit_only);
	}
	if (!life_lost)
		SHOULD(syscall_lost, missing + loss_anyone);
	for (unsigned id = 0; id < DN_COUNTER_MAX; id++) {
		const struct dn_counter_desc *d = dn_counter_desc(id);

		if (!d)
			continue;
		if (d->kind == DN_COUNTER_DOUBT && counter[id] && !life_lost &&
		    !(lossy && id == DN_COUNT_signal_lost))
			wrong("%s: %" PRIu64, d->name, counter[id]);
		if (d->kind == DN_COUNTER_LOSS && counter[id] != loss[id])
			wrong("%s: counted %" PRIu64 ", loss rows %" PRIu64, d->name, counter[id], loss[id]);
	}
	if (!lossy && (calls == 0 || missing || loss[DN_COUNT_syscall_lost] ||
		       loss[DN_COUNT_string_lost] ||
		       loss[DN_COUNT_string_orphaned] || loss[DN_COUNT_string_missing]))
		wrong("lost: %" PRIu64 " calls, %" PRIu64 " strings", loss[DN_COUNT_syscall_lost],
		      loss[DN_COUNT_string_lost]);
	if (said > MANY)
		printf("and %u more\n", said - MANY);
	return said != 0;
}
