/*
 * fdcalls.c - system calls and rows to ops on descriptors.
 *
 * schema/syscalls.def says which calls make a descriptor, of what kind, and
 * which bytes go through which; the names below are those that do something
 * else. What a pipe(2) or socketpair(2) made stands in the caller's memory and is
 * read at its return; 32-bit socketcall(2) has all its arguments there, unread.
 */
#include "fdcalls.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "callstr.h"
#include "events.h"
#include "flags.h"
#include "grow.h"
#include "rollup.h"
#include "syscalls.h"

enum effect {
	NONE,
	MAKE, SOCKET, ACCEPT, PIPE, SOCKETPAIR, DUP, DUP_AT, FCNTL, IOCTL, CLOSE, CLOSE_RANGE,
	UNSHARE, CHDIR, FCHDIR, ADDRESS, GETDENTS, BPF, SIGNALFD,
};

static const struct { const char *name; uint8_t effect; } effects[] = {
	{ "socket", SOCKET }, { "accept", ACCEPT }, { "accept4", ACCEPT }, { "pipe", PIPE },
	{ "pipe2", PIPE }, { "socketpair", SOCKETPAIR }, { "dup", DUP }, { "dup2", DUP_AT },
	{ "dup3", DUP_AT }, { "fcntl", FCNTL }, { "fcntl64", FCNTL }, { "ioctl", IOCTL },
	{ "close", CLOSE }, { "close_range", CLOSE_RANGE }, { "unshare", UNSHARE },
	{ "chdir", CHDIR }, { "fchdir", FCHDIR }, { "connect", ADDRESS }, { "bind", ADDRESS },
	{ "getdents", GETDENTS }, { "getdents64", GETDENTS }, { "readdir", GETDENTS },
	{ "bpf", BPF }, { "signalfd", SIGNALFD }, { "signalfd4", SIGNALFD },
};

#define EINPROGRESS_HERE 115

/* Shorter calls hardly meet another one of their process. */
#define RESERVE_NS 10000u

#define F_DUPFD 0
#define F_SETFD 2
#define F_DUPFD_CLOEXEC 1030
#define FIONCLEX 0x5450
#define FIOCLEX 0x5451

/* Commands of bpf(2) whose result is a descriptor (enum bpf_cmd). */
#define BPF_MAKES                                                                     \
	(1ull << 0 | 1ull << 5 | 1ull << 7 | 1ull << 13 | 1ull << 14 | 1ull << 17 |            \
	 1ull << 18 | 1ull << 19 | 1ull << 28 | 1ull << 30 | 1ull << 32 | 1ull << 33 | 1ull << 36)

struct dn_fdcalls {
	struct dn_fdcall call[DN_ABI_MAX][DN_NR_MAX];
};

static const struct dn_fdcall nothing = { .about = -1, .in = -1, .out = -1, .flags = -1 };

static void describe(struct dn_fdcall *c, unsigned abi, const struct dn_syscall_info *info)
{
	c->about = (int8_t)dn_syscall_fd_arg(info);
	c->makes = info->makes;
	c->directory = (uint32_t)dn_flags_bits(DN_KIND_OPENFLAGS, abi, "_DIRECTORY");
	c->tempfile = (uint32_t)dn_flags_bits(DN_KIND_OPENFLAGS, abi, "_TMPFILE");
	if (info->ret == DN_KIND_FD)
		c->effect = MAKE;
	for (int i = 0; i < info->nargs; i++) {
		uint64_t bit = dn_flags_bits(info->arg[i].kind, abi, "_CLOEXEC");

		if (info->arg[i].kind == DN_KIND_FD_IN)
			c->in = (int8_t)i;
		if (info->arg[i].kind == DN_KIND_FD_OUT)
			c->out = (int8_t)i;
		if (bit && c->flags < 0) {
			c->flags = (int8_t)i;
			c->cloexec = (uint32_t)bit;
		}
	}
	for (size_t i = 0; i < sizeof(effects) / sizeof(*effects); i++)
		if (!strcmp(effects[i].name, info->name))
			c->effect = effects[i].effect;
}

struct dn_fdcalls *dn_fdcalls_new(void)
{
	struct dn_fdcalls *c = malloc(sizeof(*c));

	for (unsigned abi = 0; c && abi < DN_ABI_MAX; abi++)
		for (uint32_t nr = 0; nr < DN_NR_MAX; nr++) {
			const struct dn_syscall_info *info = dn_syscall_info(abi, nr);

			c->call[abi][nr] = nothing;
			if (info)
				describe(&c->call[abi][nr], abi, info);
		}
	return c;
}

void dn_fdcalls_free(struct dn_fdcalls *c)
{
	free(c);
}

const struct dn_fdcall *dn_fdcalls_get(const struct dn_fdcalls *c, unsigned abi, uint32_t nr)
{
	return abi < DN_ABI_MAX && nr < DN_NR_MAX ? &c->call[abi][nr] : &nothing;
}

/* --- the log ------------------------------------------------------------------ */

void dn_fdlog_free(struct dn_fdlog *l)
{
	free(l->op);
	free(l->text);
	if (l->buf)
		dn_callstr_release(l->buf);
	free(l->buf);
	memset(l, 0, sizeof(*l));
}

const char *dn_fdlog_text(const struct dn_fdlog *l, uint32_t at, uint32_t *len)
{
	if (!at) {
		*len = 0;
		return NULL;
	}
	memcpy(len, l->text + at - 1, sizeof(*len));
	return l->text + at - 1 + sizeof(*len);
}

static int add_text(struct dn_fdlog *l, const char *p, size_t n, uint32_t *at)
{
	uint32_t len = (uint32_t)n;
	int err = dn_grow(&l->text, &l->bytes_cap, (size_t)l->bytes + sizeof(len) + n, 1);

	if (err)
		return err;
	*at = l->bytes + 1;
	memcpy(l->text + l->bytes, &len, sizeof(len));
	if (n)
		memcpy(l->text + l->bytes + sizeof(len), p, n);
	l->bytes += (uint32_t)sizeof(len) + len;
	return 0;
}

static int add(struct dn_fdlog *l, const struct dn_fdop *op)
{
	int err = dn_grow(&l->op, &l->cap, (size_t)l->n + 1, sizeof(*op));

	if (!err)
		l->op[l->n++] = *op;
	return err;
}

void dn_fdlog_clear(struct dn_fdlog *l)
{
	l->n = l->bytes = 0;
}

int dn_fdlog_copy(struct dn_fdlog *l, const struct dn_fdlog *from, const struct dn_fdop *op)
{
	struct dn_fdop copy = *op;
	uint32_t len;
	const char *p = dn_fdlog_text(from, op->text, &len);
	int err = p ? add_text(l, p, len, &copy.text) : 0;

	return err ? err : add(l, &copy);
}

/* Births before calls, ends after them. */
static int rank(const struct dn_fdop *op)
{
	return op->what <= DN_FDOP_SNAPSHOT ? 0 : op->what == DN_FDOP_EXIT ? 2 : 1;
}

int dn_fdop_compare(const void *a, const void *b)
{
	const struct dn_fdop *x = a, *y = b;
	int rx = rank(x), ry = rank(y);

	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	if (rx != ry)
		return rx < ry ? -1 : 1;
	if (x->thread != y->thread)
		return x->thread < y->thread ? -1 : 1;
	if (x->seq != y->seq)
		return x->seq < y->seq ? -1 : 1;
	if (x->what != y->what)
		return x->what < y->what ? -1 : 1;
	return (x->fd > y->fd) - (x->fd < y->fd);
}

/* An op of a call whose result is a descriptor. */
static int add_made(struct dn_fdlog *l, const struct dn_fdop *op)
{
	struct dn_fdop early = { .what = DN_FDOP_RESERVE, .thread = op->thread, .seq = op->seq,
				 .fd = op->fd, .time = op->time - op->took };
	int err = op->took < RESERVE_NS ? 0 : add(l, &early);

	return err ? err : add(l, op);
}

static int add_path(struct dn_fdlog *l, const struct dn_syscall *s, struct dn_fdop *op)
{
	const struct dn_call_str *p = dn_callstr_find(s->str, s->nstr, DN_CALLSTR_PATH);

	if (!p)
		p = dn_callstr_find(s->str, s->nstr, DN_CALLSTR_TEXT);
	return p ? add_text(l, p->p, p->len, &op->text) : 0;
}

static int add_sockaddr(struct dn_fdlog *l, const struct dn_call_str *a, struct dn_fdop *op)
{
	const char *p;
	size_t len;

	if (!a || a->len < 2)
		return 0;
	if (!l->buf)
		l->buf = calloc(1, sizeof(*l->buf));
	if (!l->buf || dn_callstr_text(a, l->buf, &p, &len))
		return -ENOMEM;
	/* A unix socket that is not bound has an address without a name. */
	return a->len > 2 ? add_text(l, p, len, &op->text) : 0;
}

static int add_address(struct dn_fdlog *l, const struct dn_syscall *s, struct dn_fdop *op)
{
	return add_sockaddr(l, dn_callstr_find(s->str, s->nstr, DN_CALLSTR_SOCKADDR), op);
}

/* --- calls -------------------------------------------------------------------- */

/* Numbers of Linux. */
static uint8_t kind_of_socket(uint64_t family, uint64_t type, uint64_t protocol)
{
	switch (family) {
	case 1:
		return DN_FD_UNIX;
	case 2:
	case 10:
		if (type == 1 && (!protocol || protocol == 6))
			return DN_FD_TCP;
		if (type == 2 && (!protocol || protocol == 17))
			return DN_FD_UDP;
		if (type == 2 && (protocol == 1 || protocol == 58))
			return DN_FD_ICMP;
		return type == 3 ? DN_FD_RAW : DN_FD_SOCKET;
	case 16:
		return DN_FD_NETLINK;
	case 17:
		return DN_FD_PACKET;
	case 40:
		return DN_FD_VSOCK;
	}
	return DN_FD_SOCKET;
}

/* What the arguments of socket(2) make. */
static uint8_t socket_kind(const struct dn_syscall *s)
{
	if (s->nargs < 3)
		return DN_FD_SOCKET;
	return kind_of_socket((uint32_t)s->args[0], s->args[1] & 0xf, (uint32_t)s->args[2]);
}

static bool always_cloexec(unsigned kind)
{
	static const bool table[] = {
#define FD(value, id, name, cloexec, doc) [value] = cloexec,
		DN_FD_TABLE(FD)
#undef FD
	};

	return table[kind];
}

/* O_DIRECTORY, but not as a part of O_TMPFILE. */
static bool opens_directory(const struct dn_fdcall *c, const struct dn_syscall *s)
{
	uint64_t flags = c->flags >= 0 && c->flags < s->nargs ? s->args[c->flags] : 0;

	return c->makes == DN_FD_FILE && flags & c->directory &&
	       (flags & c->tempfile) != c->tempfile;
}

static int make(struct dn_fdlog *l, const struct dn_fdcall *c, const struct dn_syscall *s,
		struct dn_fdop *op)
{
	int err;

	op->what = DN_FDOP_MAKE;
	op->kind = opens_directory(c, s) ? DN_FD_DIRECTORY : c->makes;
	op->cloexec |= always_cloexec(op->kind);
	op->fd2 = dn_fdcall_arg(s, c->about);
	err = add_path(l, s, op);
	return err ? err : add_made(l, op);
}

/* Two of op->kind. */
static int make_pair(struct dn_fdlog *l, const struct dn_syscall *s, struct dn_fdop *op)
{
	int32_t fd[2] = { -1, -1 };

	for (unsigned i = 0; i < s->nstr; i++)
		if (dn_callstr_fds(&s->str[i], fd))
			break;
	op->what = DN_FDOP_PAIR;
	op->fd = fd[0];
	op->fd2 = fd[1];
	return add(l, op);
}

static int fcntl_op(struct dn_fdlog *l, const struct dn_syscall *s, struct dn_fdop *op)
{
	uint32_t cmd = s->nargs > 1 ? (uint32_t)s->args[1] : UINT32_MAX;

	op->what = DN_FDOP_DUP;
	op->fd2 = dn_fdcall_arg(s, 0);
	op->arg = s->nargs > 2 ? (uint32_t)s->args[2] : 0;
	op->cloexec = cmd == F_DUPFD_CLOEXEC;
	if (cmd == F_SETFD) {
		op->what = DN_FDOP_CLOEXEC;
		op->fd = op->fd2;
		op->cloexec = op->arg & 1;
	} else if (cmd != F_DUPFD && cmd != F_DUPFD_CLOEXEC) {
		return 0;
	}
	return add(l, op);
}

static int close_op(struct dn_fdlog *l, const struct dn_syscall *s, struct dn_fdop *op, int result)
{
	op->what = DN_FDOP_CLOSE;
	op->time = s->start;
	op->fd = dn_fdcall_arg(s, 0);
	op->fd2 = result == DN_EBADF;
	return add(l, op);
}

static int other(struct dn_fdlog *l, const struct dn_fdcall *c, const struct dn_syscall *s,
		 struct dn_fdop *op)
{
	int err;

	switch (c->effect) {
	case CLOSE_RANGE:
		op->what = DN_FDOP_CLOSE_RANGE;
		op->time = s->start;
		op->fd = s->args[0] > DN_FD_MAX ? DN_FD_MAX : (int32_t)s->args[0];
		op->fd2 = (uint32_t)s->args[1] > DN_FD_MAX ? DN_FD_MAX : (int32_t)s->args[1];
		op->arg = (uint32_t)s->args[2];
		return s->nargs < 3 ? 0 : add(l, op);
	case IOCTL:
		op->what = DN_FDOP_CLOEXEC;
		op->fd = dn_fdcall_arg(s, 0);
		op->cloexec = s->nargs > 1 && (uint32_t)s->args[1] == FIOCLEX;
		if (s->nargs < 2 || (!op->cloexec && (uint32_t)s->args[1] != FIONCLEX))
			return 0;
		return add(l, op);
	case UNSHARE:
		op->what = DN_FDOP_UNSHARE;
		op->arg = s->nargs ? (uint32_t)s->args[0] : 0;
		return add(l, op);
	case CHDIR:
		op->what = DN_FDOP_CHDIR;
		op->fd2 = -1;
		err = add_path(l, s, op);
		return err ? err : add(l, op);
	case FCHDIR:
		op->what = DN_FDOP_CHDIR;
		op->fd2 = dn_fdcall_arg(s, 0);
		return add(l, op);
	case ADDRESS:
		op->what = DN_FDOP_NAME;
		op->fd = dn_fdcall_arg(s, 0);
		err = add_address(l, s, op);
		return err || !op->text ? err : add(l, op);
	case GETDENTS:
		op->what = DN_FDOP_DIRECTORY;
		op->fd = dn_fdcall_arg(s, 0);
		return add(l, op);
	default:
		return 0;
	}
}

int dn_fdlog_call(struct dn_fdlog *l, const struct dn_fdcalls *calls, const struct dn_syscall *s)
{
	const struct dn_fdcall *c = dn_fdcalls_get(calls, s->abi, s->nr);
	struct dn_fdop op = { .thread = s->thread, .seq = s->seq };
	int result, err;

	if (!c->effect)
		return 0;
	result = dn_call_result(s);
	op.time = s->flags & DN_CALL_NO_ENTER || s->dur > DN_DUR_MAX ? s->start : s->start + s->dur;
	op.took = op.time - s->start > UINT32_MAX ? UINT32_MAX : (uint32_t)(op.time - s->start);
	if (c->effect == CLOSE)		/* gives the number back even where it fails, mostly */
		return close_op(l, s, &op, result);
	/* The result of a process that became setuid is withheld with its arguments: not number 0. */
	if (!s->nargs && !s->ret)
		return 0;
	/* A connect that goes on has its address. */
	if (result && !(c->effect == ADDRESS && result == EINPROGRESS_HERE))
		return 0;
	op.fd = (int32_t)s->ret;
	op.cloexec = c->flags >= 0 && c->flags < s->nargs && s->args[c->flags] & c->cloexec;
	switch (c->effect) {
	case SIGNALFD:
		return dn_fdcall_arg(s, 0) >= 0 ? 0 : make(l, c, s, &op);
	case MAKE:
		return make(l, c, s, &op);
	case BPF:
		op.what = DN_FDOP_MAKE;
		op.kind = DN_FD_BPF;
		op.cloexec = true;
		op.fd2 = -1;
		if (!s->nargs || s->args[0] > 63 || !(BPF_MAKES >> s->args[0] & 1))
			return 0;
		return add(l, &op);
	case SOCKET:
		op.what = DN_FDOP_MAKE;
		op.kind = socket_kind(s);
		op.fd2 = -1;
		return add_made(l, &op);
	case ACCEPT:
		op.what = DN_FDOP_ACCEPT;
		op.fd2 = dn_fdcall_arg(s, 0);
		err = add_address(l, s, &op);
		return err ? err : add_made(l, &op);
	case PIPE:
	case SOCKETPAIR:
		op.kind = c->effect == PIPE ? DN_FD_PIPE : socket_kind(s);
		return make_pair(l, s, &op);
	case DUP:
		op.what = DN_FDOP_DUP;
		op.fd2 = dn_fdcall_arg(s, 0);
		return add(l, &op);
	case DUP_AT:
		op.what = DN_FDOP_DUP_AT;
		op.fd2 = dn_fdcall_arg(s, 0);
		return add(l, &op);
	case FCNTL:
		return fcntl_op(l, s, &op);
	default:
		return other(l, c, s, &op);
	}
}

/* --- rows --------------------------------------------------------------------- */

static int32_t small(const struct dn_value *v)
{
	return v->null || v->u > INT32_MAX ? 0 : (int32_t)v->u;
}

static int start(struct dn_fdlog *l, const struct dn_value *v)
{
	struct dn_fdop op = { .what = DN_FDOP_START };

	if (v[DN_F_thread_start_thread].null || v[DN_F_thread_start_time].null)
		return 0;
	op.time = v[DN_F_thread_start_time].u;
	op.thread = (uint32_t)v[DN_F_thread_start_thread].u;
	op.fd = small(&v[DN_F_thread_start_process]);
	op.fd2 = small(&v[DN_F_thread_start_parent_thread]);
	op.kind = (uint8_t)v[DN_F_thread_start_origin].u;
	/* Without flags only a thread is known to share what its process has. */
	op.arg = !v[DN_F_thread_start_clone_flags].null ?
			 (uint32_t)v[DN_F_thread_start_clone_flags].u :
			 op.kind == DN_ORIGIN_THREAD ? DN_CLONE_FILES : 0;
	return add(l, &op);
}

static int exec(struct dn_fdlog *l, const struct dn_value *v)
{
	struct dn_fdop op = { .what = DN_FDOP_EXEC };
	const struct dn_value *cwd = &v[DN_F_exec_cwd];
	int err = 0;

	if (v[DN_F_exec_thread].null || v[DN_F_exec_time].null)
		return 0;
	op.time = v[DN_F_exec_time].u;
	op.thread = (uint32_t)v[DN_F_exec_thread].u;
	op.fd = small(&v[DN_F_exec_process]);
	if (!cwd->null)
		err = add_text(l, cwd->p, cwd->len, &op.text);
	return err ? err : add(l, &op);
}

static int snapshot(struct dn_fdlog *l, const struct dn_value *v)
{
	struct dn_fdop op = { .what = DN_FDOP_SNAPSHOT };
	const struct dn_value *target = &v[DN_F_fd_target];
	int err = 0;

	if (v[DN_F_fd_process].null || v[DN_F_fd_time].null || v[DN_F_fd_fd].null ||
	    v[DN_F_fd_fd].u >= DN_FD_MAX)
		return 0;
	op.time = v[DN_F_fd_time].u;
	op.thread = (uint32_t)v[DN_F_fd_process].u;
	op.fd = (int32_t)v[DN_F_fd_fd].u;
	op.cloexec = !v[DN_F_fd_flags].null &&
		     v[DN_F_fd_flags].u & dn_flags_bits(DN_KIND_OPENFLAGS, DN_ABI_UNKNOWN, "_CLOEXEC");
	if (!target->null)
		err = add_text(l, target->p, target->len, &op.text);
	return err ? err : add(l, &op);
}

static int ends(struct dn_fdlog *l, const struct dn_value *v)
{
	struct dn_fdop op = { .what = DN_FDOP_EXIT };

	if (v[DN_F_thread_exit_thread].null || v[DN_F_thread_exit_time].null)
		return 0;
	op.time = v[DN_F_thread_exit_time].u;
	op.thread = (uint32_t)v[DN_F_thread_exit_thread].u;
	op.fd = small(&v[DN_F_thread_exit_process]);
	return add(l, &op);
}

/* A working directory that /proc told. */
static int state(struct dn_fdlog *l, const struct dn_value *v)
{
	struct dn_fdop op = { .what = DN_FDOP_CHDIR, .fd2 = -1 };
	const struct dn_value *cwd = &v[DN_F_process_state_cwd];
	int err;

	if (v[DN_F_process_state_process].null || v[DN_F_process_state_time].null || cwd->null)
		return 0;
	op.time = v[DN_F_process_state_time].u;
	op.thread = (uint32_t)v[DN_F_process_state_process].u;
	err = add_text(l, cwd->p, cwd->len, &op.text);
	return err ? err : add(l, &op);
}

/* The kernel's word on a socket that may have come without a call that says what it is. */
static int sock(struct dn_fdlog *l, const struct dn_value *v)
{
	struct dn_fdop op = { .what = DN_FDOP_SOCKET };
	const struct dn_value *remote = &v[DN_F_sock_remote];
	struct dn_call_str peer = { .kind = DN_STR_SOCKADDR, .p = remote->p, .len = (uint32_t)remote->len };
	int err = 0;

	if (v[DN_F_sock_thread].null || v[DN_F_sock_time].null || v[DN_F_sock_fd].null ||
	    v[DN_F_sock_fd].u >= DN_FD_MAX || v[DN_F_sock_family].null)
		return 0;
	op.time = v[DN_F_sock_time].u;
	op.thread = (uint32_t)v[DN_F_sock_thread].u;
	op.fd = (int32_t)v[DN_F_sock_fd].u;
	op.kind = kind_of_socket(v[DN_F_sock_family].u, v[DN_F_sock_type].null ? 0 : v[DN_F_sock_type].u,
				 v[DN_F_sock_protocol].null ? 0 : v[DN_F_sock_protocol].u);
	op.arg = v[DN_F_sock_origin].u == DN_SOCK_ATTACHED;
	if (!remote->null)
		err = add_sockaddr(l, &peer, &op);
	return err ? err : add(l, &op);
}

static const struct {
	uint16_t event, fields;
	int (*take)(struct dn_fdlog *l, const struct dn_value *v);
} taken[] = {
	{ DN_EV_thread_start, DN_F_thread_start_N, start },
	{ DN_EV_exec, DN_F_exec_N, exec },
	{ DN_EV_thread_exit, DN_F_thread_exit_N, ends },
	{ DN_EV_fd, DN_F_fd_N, snapshot },
	{ DN_EV_process_state, DN_F_process_state_N, state },
	{ DN_EV_sock, DN_F_sock_N, sock },
};

uint64_t dn_fdlog_events(void)
{
	uint64_t events = 0;

	for (size_t i = 0; i < sizeof(taken) / sizeof(*taken); i++)
		events |= UINT64_C(1) << taken[i].event;
	return events;
}

int dn_fdlog_row(struct dn_fdlog *l, const struct dn_row *r)
{
	struct dn_value v[DN_FIELDS_MAX];

	for (size_t i = 0; i < sizeof(taken) / sizeof(*taken); i++) {
		if (taken[i].event != r->event)
			continue;
		for (unsigned k = 0; k < taken[i].fields; k++)
			v[k] = k < r->nfields ? r->v[k] : dn_null();
		return taken[i].take(l, v);
	}
	return 0;
}
