/*
 * calltext.c - one system call as a line of text.
 *
 * The kinds of schema/syscalls.def say how each argument reads. Where the
 * meaning of an argument depends on another one, the kind has a function here;
 * the few calls that are shown in a form of their own stand in calltext_call.c.
 */
#include "calltext.h"

#include "callstr.h"
#include "calltext_int.h"
#include "flags.h"
#include "names.h"

/* O_CREAT and the bit of O_TMPFILE that is its own, the same everywhere. */
#define CREATES_FILE (0100u | 020000000u)

#define MREMAP_FIXED 3u		/* with MREMAP_MAYMOVE, without which it is refused */
#define MEMBARRIER_CPU 1u
#define REBOOT_RESTART2 0xa1b2c3d4u

static const struct dn_calltext_opts plain;

void dn_line_init(struct line *l, struct dn_text *t, const struct dn_syscall *c,
		  const struct dn_calltext_opts *opts)
{
	l->t = t;
	l->c = c;
	l->opts = opts ? opts : &plain;
	l->abi = (enum dn_abi)c->abi;
	l->info = dn_syscall_info(l->abi, c->nr);
	l->first = true;
	/* x32 has pointers and longs of 32 bits, and 64-bit registers. */
	l->word32 = dn_abi_pointer_size(l->abi) == 4;
	l->reg32 = l->word32 && l->abi != DN_ABI_X32;
	/* A trace by a newer version may know of more arguments, or of fewer. */
	l->nargs = l->info ? l->info->nargs : DN_CALL_ARGS;
	if (l->nargs > c->nargs)
		l->nargs = c->nargs;
}

uint64_t dn_line_arg(const struct line *l, unsigned int i)
{
	if (i >= DN_CALL_ARGS)
		return 0;
	return l->reg32 ? (uint32_t)l->c->args[i] : l->c->args[i];
}

void dn_line_next(struct line *l)
{
	if (!l->first)
		dn_text_add(l->t, ", ");
	l->first = false;
}

void dn_line_fd(struct line *l, int64_t fd, bool result)
{
	const struct dn_syscall *c = l->c;

	if (l->opts->fd && fd >= 0 && fd <= INT32_MAX)
		l->opts->fd(l->opts->ctx, l->t, c, (int32_t)fd, result ? c->start + c->dur : c->start);
}

void dn_line_pointer(struct line *l, uint64_t v)
{
	if (l->word32)
		v = (uint32_t)v;
	if (v)
		dn_text_addf(l->t, "%#llx", (unsigned long long)v);
	else
		dn_text_add(l->t, "NULL");
}

void dn_line_hex(struct line *l, uint64_t v)
{
	dn_text_addf(l->t, "%#llx", (unsigned long long)v);
}

void dn_line_signal(struct line *l, int sig)
{
	const char *name = dn_signal_name(sig);

	if (name)
		dn_text_add(l->t, name);
	else
		dn_text_addf(l->t, "%d", sig);
}

/* --- strings --------------------------------------------------------------- */

/* Text of at most `max` bytes (0: all) and "..." where there was more. */
static void put_text(struct line *l, const char *p, size_t len, size_t max, bool cut)
{
	if (max && len > max) {
		len = max;
		cut = true;
	}
	dn_text_quote(l->t, p, len);
	if (cut)
		dn_text_add(l->t, "...");
}

static void put_vector(struct line *l, const struct dn_call_str *s)
{
	const char *p = s->p, *end = p + s->len;
	bool cut = s->flags & DN_STR_TRUNCATED;

	dn_text_char(l->t, '[');
	while (p < end) {
		const char *nul = memchr(p, '\0', (size_t)(end - p));
		const char *stop = nul ? nul : end;

		if (p > s->p)
			dn_text_add(l->t, ", ");
		/* Cut in the middle of an element: that one has no NUL. */
		put_text(l, p, (size_t)(stop - p), l->opts->str_max, !nul && cut);
		p = nul ? nul + 1 : end;
	}
	if (cut)
		dn_text_add(l->t, s->len ? ", ..." : "...");
	dn_text_char(l->t, ']');
}

static const struct dn_call_str *string_of(const struct line *l, unsigned int i)
{
	for (unsigned int s = 0; s < l->c->nstr && s < DN_CALL_STRS; s++)
		if (l->c->str[s].arg == i && !(l->c->str[s].flags & DN_STR_UNREADABLE))
			return &l->c->str[s];
	return NULL;
}

static void put_fds(struct line *l, const struct dn_call_str *s, uint64_t v)
{
	int32_t fd[2];

	if (!dn_callstr_fds(s, fd)) {
		dn_line_pointer(l, v);
		return;
	}
	for (int i = 0; i < 2; i++) {
		dn_text_addf(l->t, i ? ", %d" : "[%d", fd[i]);
		dn_line_fd(l, fd[i], true);
	}
	dn_text_char(l->t, ']');
}

/* kind: that of the argument. */
static void put_string(struct line *l, const struct dn_call_str *s, unsigned int kind, uint64_t v)
{
	bool cut = s->flags & DN_STR_TRUNCATED;
	bool message = kind == DN_KIND_MSGHDR || kind == DN_KIND_MSGHDR_OUT;

	switch (s->kind) {
	case DN_STR_SOCKADDR:
	case DN_STR_SOCKADDR_OUT:
		if (s->len < 2) {		/* not even a family */
			dn_line_pointer(l, v);
			break;
		}
		if (message)
			dn_text_add(l->t, "{msg_name=");
		dn_sockaddr_text(l->t, s->p, s->len);
		if (message)
			dn_text_add(l->t, ", ...}");
		break;
	case DN_STR_ARGV:
		put_vector(l, s);
		break;
	case DN_STR_PATH:
		put_text(l, s->p, s->len, 0, cut);
		break;
	case DN_STR_FDS:
		put_fds(l, s, v);
		break;
	default:
		put_text(l, s->p, s->len, l->opts->str_max, cut);
		break;
	}
}

/* --- arguments by kind ----------------------------------------------------- */

static void put_id(struct line *l, uint64_t v)
{
	if ((uint32_t)v == UINT32_MAX)
		dn_text_add(l->t, "-1");
	else
		dn_text_addf(l->t, "%lu", (unsigned long)(uint32_t)v);
}

static void put_offset(struct line *l, uint64_t v)
{
	dn_text_addf(l->t, "%lld", l->reg32 ? (long long)(int32_t)v : (long long)v);
}

/* Both halves of a 64-bit value, in whichever order they stand. */
static uint64_t joined(const struct line *l, unsigned int i)
{
	unsigned int kind = l->info->arg[i].kind;
	uint64_t a = dn_line_arg(l, i), b = dn_line_arg(l, i + 1);

	if (!l->reg32)		/* preadv on a 64-bit ABI: the high half is void */
		return a;
	return kind == DN_KIND_OFF_LO || kind == DN_KIND_HEX_LO ? b << 32 | a : a << 32 | b;
}

static void put_mkmode(struct line *l, uint64_t v)
{
	const char *type = dn_flags_name(DN_KIND_FILETYPE, v & 0170000);

	v &= type ? 07777 : 0xffff;
	if (type)
		dn_text_addf(l->t, "%s|", type);
	if ((v & 07000) && !(v & 0170000)) {
		dn_flags_text(l->t, DN_KIND_SETIDBITS, l->abi, v & 07000);
		dn_text_char(l->t, '|');
		v &= 0777;
	}
	dn_text_addf(l->t, "%#03llo", (unsigned long long)v);
}

static void put_protocol(struct line *l, uint64_t domain, uint64_t v)
{
	switch ((uint32_t)domain) {
	case 2:		/* AF_INET */
	case 10:	/* AF_INET6 */
		dn_flags_text(l->t, DN_KIND_IPPROTO, l->abi, v);
		break;
	case 16:	/* AF_NETLINK */
		dn_flags_text(l->t, DN_KIND_NLPROTO, l->abi, v);
		break;
	case 17:	/* AF_PACKET: in network order */
		dn_text_add(l->t, "htons(");
		dn_flags_text(l->t, DN_KIND_ETHPROTO, l->abi, (v & 0xff) << 8 | (v >> 8 & 0xff));
		dn_text_char(l->t, ')');
		break;
	default:
		dn_text_addf(l->t, "%u", (unsigned int)v);
		break;
	}
}

static void put_sockopt(struct line *l, uint64_t level, uint64_t v)
{
	static const struct {
		uint32_t level;
		unsigned int kind;
	} levels[] = {
		{ 0, DN_KIND_SOCKOPT_IP }, { 1, DN_KIND_SOCKOPT_SOCKET },
		{ 6, DN_KIND_SOCKOPT_TCP }, { 17, DN_KIND_SOCKOPT_UDP },
		{ 41, DN_KIND_SOCKOPT_IPV6 }, { 263, DN_KIND_SOCKOPT_PACKET },
		{ 270, DN_KIND_SOCKOPT_NETLINK },
	};

	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
		if (levels[i].level == (uint32_t)level) {
			dn_flags_text(l->t, levels[i].kind, l->abi, v);
			return;
		}
	dn_text_addf(l->t, "%u", (unsigned int)v);
}

void dn_line_ioprio(struct line *l, uint64_t v)
{
	dn_text_add(l->t, "IOPRIO_PRIO_VALUE(");
	dn_flags_text(l->t, DN_KIND_IOPRIOCLASS, l->abi, (uint32_t)v >> 13);
	dn_text_addf(l->t, ", %u)", (unsigned int)(v & 0x1fff));
}

static void put_ioctl(struct line *l, uint64_t v)
{
	static const char *const directions[] = {
		"_IOC_NONE", "_IOC_WRITE", "_IOC_READ", "_IOC_READ|_IOC_WRITE",
	};
	const char *name = dn_flags_name(DN_KIND_IOCTLCMD, v);

	if (name)
		dn_text_add(l->t, name);
	else
		dn_text_addf(l->t, "_IOC(%s, %#x, %#x, %#x)", directions[v >> 30 & 3],
			     (unsigned int)(v >> 8 & 0xff), (unsigned int)(v & 0xff),
			     (unsigned int)(v >> 16 & 0x3fff));
}

/* Numbers that stand for themselves, but for the comma. */
static void put_number(struct line *l, unsigned int kind, uint64_t v)
{
	struct dn_text *t = l->t;

	switch (kind) {
	case DN_KIND_FD:
	case DN_KIND_FD_IN:
	case DN_KIND_FD_OUT:
		dn_text_addf(t, "%d", (int)v);
		dn_line_fd(l, (int)v, false);
		break;
	case DN_KIND_INT:
	case DN_KIND_PID:
		dn_text_addf(t, "%d", (int)v);
		break;
	case DN_KIND_UINT:
		dn_text_addf(t, "%u", (unsigned int)v);
		break;
	case DN_KIND_LONG:
		dn_text_addf(t, "%lld", l->word32 ? (long long)(int32_t)v : (long long)v);
		break;
	case DN_KIND_ULONG:
	case DN_KIND_SIZE:
		dn_text_addf(t, "%llu", l->word32 ? (unsigned long long)(uint32_t)v
						  : (unsigned long long)v);
		break;
	case DN_KIND_HEX32:
		dn_text_addf(t, "%#x", (unsigned int)v);
		break;
	case DN_KIND_PGOFF:
		dn_line_hex(l, v << 12);
		break;
	case DN_KIND_OFF:
		put_offset(l, v);
		break;
	case DN_KIND_DIRFD:
		if ((int)v == -100)
			dn_text_add(t, "AT_FDCWD");
		else
			dn_text_addf(t, "%d", (int)v);
		dn_line_fd(l, (int)v, false);
		break;
	case DN_KIND_UID:
	case DN_KIND_GID:
		put_id(l, v);
		break;
	case DN_KIND_MODE:
	case DN_KIND_UMODE_OPEN:
		dn_text_addf(t, "%#03o", (unsigned int)v & 0xffff);
		break;
	case DN_KIND_DEV:
		dn_text_addf(t, "makedev(%#x, %#x)", (unsigned int)(v >> 8 & 0xfff),
			     (unsigned int)((v & 0xff) | (v >> 12 & 0xfff00)));
		break;
	case DN_KIND_KEY:
		if ((uint32_t)v)
			dn_text_addf(t, "%#x", (unsigned int)v);
		else
			dn_text_add(t, "IPC_PRIVATE");
		break;
	case DN_KIND_MKMODE:
		put_mkmode(l, v);
		break;
	case DN_KIND_SIGNAL:
		dn_line_signal(l, (int)v);
		break;
	case DN_KIND_IOCTLCMD:
		put_ioctl(l, v);
		break;
	case DN_KIND_IOPRIO:
		dn_line_ioprio(l, v);
		break;
	case DN_KIND_HEX:
		dn_line_hex(l, v);
		break;
	default:
		if (dn_kind_is_set(kind))
			dn_flags_text(t, kind, l->abi, v);
		else
			dn_line_pointer(l, v);
		break;
	}
}

/* Does the argument before say that the kernel does not look at this one? */
static bool is_void(const struct line *l, unsigned int i, uint64_t before)
{
	unsigned int kind = l->info->arg[i].kind;

	if (kind == DN_KIND_PAD)
		return true;
	if (kind == DN_KIND_UMODE_OPEN)
		return !(before & CREATES_FILE);
	switch (i ? l->info->arg[i - 1].kind : DN_KIND_NONE) {
	case DN_KIND_MKMODE:		/* mknod: only a device has a number */
		return (before & 0170000) != 0020000 && (before & 0170000) != 0060000;
	case DN_KIND_MREMAPFLAGS:
		return (before & MREMAP_FIXED) != MREMAP_FIXED;
	case DN_KIND_MEMBARRIERFLAGS:
		return !(before & MEMBARRIER_CPU);
	case DN_KIND_REBOOTCMD:
		return (uint32_t)before != REBOOT_RESTART2;
	case DN_KIND_UMODE_OPEN:	/* mq_open: the attributes of a new queue */
		return !(dn_line_arg(l, i - 2) & CREATES_FILE);
	case DN_KIND_IOCTLCMD:
		return dn_flags_noarg(DN_KIND_IOCTLCMD, before);
	default:
		return false;
	}
}

/* Argument i, and how many registers it took. */
static unsigned int put_arg(struct line *l, unsigned int i)
{
	unsigned int kind = l->info->arg[i].kind;
	uint64_t v = dn_line_arg(l, i), before = i ? dn_line_arg(l, i - 1) : 0;
	const struct dn_call_str *s = string_of(l, i);

	if (is_void(l, i, before))
		return 1;
	if (kind == DN_KIND_FCNTLARG) {
		dn_line_fcntl_arg(l, before, v);
		return 1;
	}
	dn_line_next(l);
	if (s) {
		put_string(l, s, kind, v);
		return 1;
	}
	switch (kind) {
	case DN_KIND_OFF_LO:
	case DN_KIND_OFF_HI:
		dn_text_addf(l->t, "%lld", (long long)joined(l, i));
		return 2;
	case DN_KIND_HEX_LO:
	case DN_KIND_HEX_HI:
		dn_line_hex(l, joined(l, i));
		return 2;
	case DN_KIND_SOCKPROTO:
		put_protocol(l, dn_line_arg(l, 0), v);
		return 1;
	case DN_KIND_SOCKOPT:
		put_sockopt(l, before, v);
		return 1;
	default:
		/* The argument of a known ioctl is nearly always an address. */
		if (i && l->info->arg[i - 1].kind == DN_KIND_IOCTLCMD &&
		    dn_flags_name(DN_KIND_IOCTLCMD, before))
			kind = DN_KIND_PTR;
		put_number(l, kind, v);
		return 1;
	}
}

static void put_args(struct line *l)
{
	if (!l->info) {
		for (unsigned int i = 0; i < l->nargs; i++) {
			dn_line_next(l);
			dn_line_hex(l, dn_line_arg(l, i));
		}
		return;
	}
	if (dn_line_special(l))
		return;
	for (unsigned int i = 0; i < l->nargs;)
		i += put_arg(l, i);
	if (l->nargs < l->info->nargs) {
		dn_line_next(l);
		dn_text_add(l->t, "...");
	}
}

/* --- the result ------------------------------------------------------------ */

static void put_error(struct line *l, unsigned int err)
{
	const char *name = dn_errno_name(err), *message = dn_errno_message(err);

	if (!name)
		dn_text_addf(l->t, "-1 (errno %u)", err);
	else if (dn_errno_is_restart(err))
		dn_text_addf(l->t, "? %s (%s)", name, message);
	else if (message)
		dn_text_addf(l->t, "-1 %s (%s)", name, message);
	else
		dn_text_addf(l->t, "-1 %s (Unknown error %u)", name, err);
}

static void put_value(struct line *l, int64_t ret)
{
	unsigned int kind = l->info ? l->info->ret : DN_KIND_LONG;
	uint64_t v = l->reg32 ? (uint32_t)ret : (uint64_t)ret;

	switch (kind) {
	case DN_KIND_ADDR:
	case DN_KIND_HEX:
		dn_line_hex(l, v);
		break;
	case DN_KIND_MODE:
		dn_text_addf(l->t, "%#llo", (unsigned long long)v);
		break;
	case DN_KIND_UID:
	case DN_KIND_GID:
		put_id(l, v);
		break;
	case DN_KIND_FD:
		dn_text_addf(l->t, "%lld", (long long)ret);
		dn_line_fd(l, ret, true);
		break;
	case DN_KIND_READY:
		dn_text_addf(l->t, "%lld%s", (long long)ret, ret ? "" : " (Timeout)");
		break;
	case DN_KIND_FCNTL:
		dn_line_fcntl_result(l, dn_line_arg(l, 1), ret);
		break;
	case DN_KIND_IOPRIO:
		dn_text_addf(l->t, "%#x (", (unsigned int)v);
		dn_line_ioprio(l, v);
		dn_text_char(l->t, ')');
		break;
	default:
		if (dn_kind_is_set(kind)) {
			dn_text_addf(l->t, dn_flags_are_bits(kind) ? "%#llx (" : "%lld (",
				     (unsigned long long)v);
			dn_flags_text(l->t, kind, l->abi, v);
			dn_text_char(l->t, ')');
		} else {
			dn_text_addf(l->t, "%lld", (long long)ret);
		}
		break;
	}
}

static void put_result(struct line *l)
{
	int64_t ret = l->reg32 ? (int32_t)l->c->ret : l->c->ret;

	if (l->c->flags & DN_CALL_UNFINISHED) {
		if (l->info && l->info->ret == DN_KIND_NONE)
			dn_text_char(l->t, '?');
	} else if (ret < 0 && ret >= -4095) {
		put_error(l, (unsigned int)-ret);
	} else if (!ret && !l->c->nargs && l->info && l->info->nargs && !(l->c->flags & DN_CALL_NO_ENTER)) {
		dn_text_char(l->t, '?');	/* withheld, as the arguments are: setuid */
	} else {
		put_value(l, ret);
	}
}

/* --- the line -------------------------------------------------------------- */

void dn_calltext_args(struct dn_text *t, const struct dn_syscall *c,
		      const struct dn_calltext_opts *opts)
{
	struct line l;

	dn_line_init(&l, t, c, opts);
	put_args(&l);
}

void dn_calltext_result(struct dn_text *t, const struct dn_syscall *c)
{
	struct line l;

	dn_line_init(&l, t, c, NULL);
	put_result(&l);
}

void dn_calltext(struct dn_text *t, const struct dn_syscall *c, const struct dn_calltext_opts *opts)
{
	char buf[DN_SYSCALL_NAME_SIZE];
	size_t start = t->len;
	struct line l;
	const char *name;

	dn_line_init(&l, t, c, opts);
	name = dn_syscall_name(l.abi, c->nr, buf);
	if ((c->flags & DN_CALL_NO_ENTER) && c->nargs == 0 && (!l.info || l.info->nargs)) {
		/* Only the end was seen. */
		dn_text_addf(t, "<... %s resumed>", name);
	} else {
		dn_text_addf(t, "%s(", name);
		put_args(&l);
	}
	if ((c->flags & DN_CALL_UNFINISHED) && !(l.info && l.info->ret == DN_KIND_NONE)) {
		dn_text_add(t, " <unfinished ...>");
		return;
	}
	dn_text_char(t, ')');
	dn_text_pad(t, start + (l.opts->align ? l.opts->align - 1 : 0));
	dn_text_add(t, " = ");
	put_result(&l);
	if (l.opts->duration && !(c->flags & (DN_CALL_UNFINISHED | DN_CALL_NO_ENTER)))
		dn_text_addf(t, " <%llu.%06llu>", (unsigned long long)(c->dur / 1000000000),
			     (unsigned long long)(c->dur / 1000 % 1000000));
}
