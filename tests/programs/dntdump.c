/*
 * dntdump - a trace as lines of text with tabs, for shell tests.
 *
 *   dntdump FILE
 *
 * A system call:
 *   call TID PID THREAD SEQ ABI NAME ARGS RESULT FLAGS START DUR CPU STRINGS
 * ARGS     0x1,0x2 ...
 * RESULT   ? without a return, -NAME where the kernel gave the number of an error
 *          or a restart, else 0xN
 * FLAGS    names joined by +, or -
 * STRINGS  ARG:KIND:FLAGS:LENGTH:BYTES joined by ;, or -
 *          LENGTH is what there was, BYTES what was kept, in hexadecimal
 *
 * Any other record:
 *   EVENT field=value ...
 * null as -, bytes other than plain ones as \xHH. A loss has the name of its call too.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "events.h"
#include "syscalls.h"
#include "walk.h"

static struct {
	uint32_t tid, pid;
} *thread;
static uint32_t threads;

/* The first way through the file: who is who. */
static int note_call(void *ctx, const struct dn_syscall *c)
{
	(void)ctx;
	(void)c;
	return 0;
}

static int note_row(void *ctx, const struct dn_row *r)
{
	uint32_t id;

	(void)ctx;
	if (r->event != DN_EV_thread_start)
		return 0;
	id = (uint32_t)r->v[DN_F_thread_start_thread].u;
	if (id >= 1u << 24)
		abort();
	if (id >= threads) {
		thread = realloc(thread, (id + 1024) * sizeof(*thread));
		if (!thread)
			abort();
		memset(thread + threads, 0, (id + 1024 - threads) * sizeof(*thread));
		threads = id + 1024;
	}
	thread[id].tid = (uint32_t)r->v[DN_F_thread_start_tid].u;
	thread[id].pid = (uint32_t)r->v[DN_F_thread_start_pid].u;
	return 0;
}

static void put_flags(uint32_t flags, const char *const *name)
{
	const char *sep = "";

	if (!flags)
		putchar('-');
	for (unsigned i = 0; name[i]; i++)
		if (flags & 1u << i) {
			printf("%s%s", sep, name[i]);
			sep = "+";
		}
}

static void put_bytes(const char *p, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)p[i];

		if (c <= ' ' || c >= 127 || c == '\\')
			printf("\\x%02x", c);
		else
			putchar(c);
	}
}

static void put_result(const struct dn_syscall *c)
{
	static const char *const restart[] = { "ERESTARTSYS", "ERESTARTNOINTR", "ERESTARTNOHAND",
		"ENOIOCTLCMD", "ERESTART_RESTARTBLOCK" };
	const char *name = NULL;

	if (c->flags & DN_CALL_UNFINISHED) {
		putchar('?');
		return;
	}
	if (c->ret >= 0 || c->ret < -4095) {
		printf("%#" PRIx64, c->abi == DN_ABI_I386 ? (uint32_t)c->ret : (uint64_t)c->ret);
		return;
	}
	if (c->ret <= -512 && c->ret >= -516)
		name = restart[-512 - c->ret];
#if __GLIBC_PREREQ(2, 32)
	else
		name = strerrorname_np((int)-c->ret);
#endif
	if (name)
		printf("-%s", name);
	else
		printf("%" PRId64, c->ret);
}

static int put_call(void *ctx, const struct dn_syscall *c)
{
	static const char *const call_flag[] = { "unfinished", "no_enter", "str_lost",
		"tid_changed", "str_missing", NULL };
	static const char *const str_flag[] = { "cut", "late", "unreadable", "redacted", NULL };
	static const char *const kind[] = { "none", "path", "text", "sockaddr", "sockaddr_out",
		"argv", "bytes" };
	bool known = c->thread < threads;
	char buf[DN_SYSCALL_NAME_SIZE];
	const char *name = dn_syscall_name(c->abi, c->nr, buf);

	(void)ctx;
	if (c->abi == DN_ABI_X32 && name == buf)	/* as it was called */
		snprintf(buf, sizeof(buf), "syscall_%#x", c->nr | DN_X32_BIT);
	printf("call\t%u\t%u\t%u\t%u\t%s\t%s\t", known ? thread[c->thread].tid : 0,
	       known ? thread[c->thread].pid : 0, c->thread, c->seq, dn_abi_name(c->abi),
	       name);
	for (unsigned i = 0; i < c->nargs; i++)
		printf("%s%#" PRIx64, i ? "," : "", c->args[i]);
	putchar('\t');
	put_result(c);
	putchar('\t');
	put_flags(c->flags, call_flag);
	printf("\t%" PRIu64 "\t%" PRIu64 "\t%u\t", c->start, c->dur, c->cpu);
	if (!c->nstr)
		putchar('-');
	for (unsigned i = 0; i < c->nstr; i++) {
		const struct dn_call_str *s = &c->str[i];

		printf("%s%u:%s:", i ? ";" : "", s->arg, s->kind < DN_STR_KIND_MAX ? kind[s->kind] : "?");
		put_flags(s->flags, str_flag);
		printf(":%u:", s->true_len);
		for (uint32_t k = 0; k < s->len; k++)
			printf("%02x", (unsigned char)s->p[k]);
	}
	putchar('\n');
	return 0;
}

static int put_row(void *ctx, const struct dn_row *r)
{
	const struct dn_event_desc *d = dn_event_desc(r->event);

	(void)ctx;
	fputs(d->name, stdout);
	for (unsigned i = 0; i < r->nfields; i++) {
		printf("\t%s=", d->field[i].name);
		if (r->v[i].null)
			putchar('-');
		else if (d->field[i].type == DN_STR)
			put_bytes(r->v[i].p, r->v[i].len);
		else
			printf("%" PRId64, (int64_t)r->v[i].u);
	}
	if (r->event == DN_EV_loss && !r->v[DN_F_loss_nr].null) {
		char buf[DN_SYSCALL_NAME_SIZE];

		printf("\tname=%s", dn_syscall_name((enum dn_abi)r->v[DN_F_loss_abi].u,
						    (uint32_t)r->v[DN_F_loss_nr].u, buf));
	}
	putchar('\n');
	return 0;
}

int main(int argc, char **argv)
{
	const struct dn_sink note = { note_call, note_row, NULL }, put = { put_call, put_row, NULL };
	struct walk_end end;
	FILE *f = argc == 2 ? fopen(argv[1], "rb") : NULL;

	if (!f) {
		fprintf(stderr, "usage: dntdump FILE\n");
		return 2;
	}
	if (walk(f, &note, &end))
		return 1;
	rewind(f);
	if (walk(f, &put, &end))
		return 1;
	printf("file\tblocks=%" PRIu64 "\tevents=%" PRIu64 "\tfooter=%d\trest=%d\n", end.blocks,
	       end.events, end.footer, end.rest);
	return 0;
}
