/*
 * calltext_call.c - the calls whose arguments depend on a command among them.
 */
#include "calltext_int.h"
#include "flags.h"
#include "names.h"

/* The name of a constant beside its set, so that the commands below read as
 * such; numbers once, in schema/flags.def. */
static bool is(unsigned int kind, uint64_t v, const char *name)
{
	const char *found = dn_flags_name(kind, v);

	return found && strcmp(found, name) == 0;
}

static bool is_one_of(unsigned int kind, uint64_t v, const char *const *names)
{
	for (; *names; names++)
		if (is(kind, v, *names))
			return true;
	return false;
}

/* --- fcntl ----------------------------------------------------------------- */

void dn_line_fcntl_arg(struct line *l, uint64_t cmd, uint64_t v)
{
	static const char *const none[] = {
		"F_GETFD", "F_GETFL", "F_GETOWN", "F_GETSIG", "F_GETLEASE", "F_GETPIPE_SZ",
		"F_GET_SEALS", NULL,
	};
	static const char *const numbers[] = {
		"F_DUPFD", "F_DUPFD_CLOEXEC", "F_DUPFD_QUERY", "F_SETOWN", "F_SETPIPE_SZ", NULL,
	};
	static const struct {
		const char *cmd;
		unsigned int kind;
	} sets[] = {
		{ "F_SETFD", DN_KIND_FDCLOEXEC },
		{ "F_SETFL", DN_KIND_OPENFLAGS },
		{ "F_ADD_SEALS", DN_KIND_SEALS },
		{ "F_SETLEASE", DN_KIND_LEASE },
		{ "F_NOTIFY", DN_KIND_NOTIFY },
	};
	unsigned int kind = DN_KIND_FCNTLCMD;

	if (is_one_of(kind, cmd, none))
		return;
	dn_line_next(l);
	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++)
		if (is(kind, cmd, sets[i].cmd)) {
			dn_flags_text(l->t, sets[i].kind, l->abi, v);
			return;
		}
	if (is_one_of(kind, cmd, numbers))
		dn_text_addf(l->t, "%d", (int)v);
	else if (is(kind, cmd, "F_SETSIG"))
		dn_line_signal(l, (int)v);
	else if (dn_flags_name(kind, cmd))
		dn_line_pointer(l, v);
	else
		dn_line_hex(l, v);
}

void dn_line_fcntl_result(struct line *l, uint64_t cmd, int64_t ret)
{
	unsigned int kind = 0;

	if (is(DN_KIND_FCNTLCMD, cmd, "F_GETFD"))
		kind = ret ? DN_KIND_FDCLOEXEC : 0;
	else if (is(DN_KIND_FCNTLCMD, cmd, "F_GETFL"))
		kind = DN_KIND_OPENFLAGS;
	else if (is(DN_KIND_FCNTLCMD, cmd, "F_GET_SEALS"))
		kind = ret ? DN_KIND_SEALS : 0;

	if (kind) {
		dn_text_addf(l->t, "%#llx (flags ", (unsigned long long)ret);
		dn_flags_text(l->t, kind, l->abi, (uint64_t)ret);
		dn_text_char(l->t, ')');
		return;
	}
	dn_text_addf(l->t, "%lld", (long long)ret);
	if (is(DN_KIND_FCNTLCMD, cmd, "F_GETSIG") && dn_signal_name((int)ret)) {
		dn_text_add(l->t, " (");
		dn_line_signal(l, (int)ret);
		dn_text_char(l->t, ')');
	} else if (is(DN_KIND_FCNTLCMD, cmd, "F_DUPFD") ||
		   is(DN_KIND_FCNTLCMD, cmd, "F_DUPFD_CLOEXEC")) {
		dn_line_fd(l, ret, true);
	} else if (is(DN_KIND_FCNTLCMD, cmd, "F_GETLEASE")) {
		dn_text_add(l->t, " (");
		dn_flags_text(l->t, DN_KIND_LEASE, l->abi, (uint64_t)ret);
		dn_text_char(l->t, ')');
	}
}

/* --- clone: the arguments have names, and only those asked for ------------- */

static const struct {
	const char *arg, *shown;
	uint64_t flags;		/* shown with any of these */
} clone_args[] = {
	{ "parent_tidptr", "parent_tid", 0x00101000 },	/* CLONE_PARENT_SETTID, CLONE_PIDFD */
	{ "tls", "tls", 0x00080000 },			/* CLONE_SETTLS */
	{ "child_tidptr", "child_tidptr", 0x01200000 },	/* CLONE_CHILD_SETTID, _CLEARTID */
};

/* Their place depends on the ABI. */
static uint64_t arg_by_name(const struct line *l, const char *name)
{
	for (unsigned int i = 0; i < l->info->nargs; i++)
		if (strcmp(l->info->arg[i].name, name) == 0)
			return dn_line_arg(l, i);
	return 0;
}

static void put_clone(struct line *l)
{
	uint64_t flags = dn_line_arg(l, 0), sig = flags & 0xff;

	dn_text_add(l->t, "child_stack=");
	dn_line_pointer(l, dn_line_arg(l, 1));
	dn_text_add(l->t, ", flags=");
	flags &= ~(uint64_t)0xff;
	if (flags || !sig)
		dn_flags_text(l->t, DN_KIND_CLONEFLAGS, l->abi, flags);
	if (sig) {
		if (flags)
			dn_text_char(l->t, '|');
		dn_line_signal(l, (int)sig);
	}
	for (size_t i = 0; i < sizeof(clone_args) / sizeof(clone_args[0]); i++)
		if (flags & clone_args[i].flags) {
			dn_text_addf(l->t, ", %s=", clone_args[i].shown);
			dn_line_pointer(l, arg_by_name(l, clone_args[i].arg));
		}
}

/* --- futex: the operation says how many arguments there are ---------------- */

enum { WAIT, WAKE, FD, REQUEUE, CMP_REQUEUE, WAKE_OP, LOCK_PI, UNLOCK_PI, TRYLOCK_PI,
       WAIT_BITSET, WAKE_BITSET, WAIT_REQUEUE_PI, CMP_REQUEUE_PI, LOCK_PI2 };

static void put_bitset(struct line *l, uint64_t v)
{
	dn_line_next(l);
	if ((uint32_t)v == UINT32_MAX)
		dn_text_add(l->t, "FUTEX_BITSET_MATCH_ANY");
	else
		dn_line_hex(l, (uint32_t)v);
}

static void put_wake_op(struct line *l, uint64_t v)
{
	static const char *const ops[] = { "SET", "ADD", "OR", "ANDN", "XOR" };
	static const char *const cmps[] = { "EQ", "NE", "LT", "LE", "GT", "GE" };
	unsigned int op = v >> 28 & 7, cmp = v >> 24 & 15;

	dn_line_next(l);
	if (op >= 5 || cmp >= 6) {
		dn_line_hex(l, (uint32_t)v);
		return;
	}
	dn_text_addf(l->t, "%sFUTEX_OP_%s<<28|%#x<<12|FUTEX_OP_CMP_%s<<24|%#x",
		     v >> 31 & 1 ? "FUTEX_OP_OPARG_SHIFT<<28|" : "", ops[op],
		     (unsigned int)(v >> 12 & 0xfff), cmps[cmp], (unsigned int)(v & 0xfff));
}

static void put_futex(struct line *l)
{
	uint64_t val = dn_line_arg(l, 2), val2 = dn_line_arg(l, 3), addr2 = dn_line_arg(l, 4);
	uint64_t val3 = dn_line_arg(l, 5);
	unsigned int op = (unsigned int)dn_line_arg(l, 1) & 127;

	dn_line_pointer(l, dn_line_arg(l, 0));
	dn_text_add(l->t, ", ");
	dn_flags_text(l->t, DN_KIND_FUTEXOP, l->abi, dn_line_arg(l, 1));
	/* The value of these is not looked at. */
	if (op == LOCK_PI || op == LOCK_PI2) {
		dn_text_add(l->t, ", ");
		dn_line_pointer(l, val2);
		return;
	}
	if (op == UNLOCK_PI || op == TRYLOCK_PI)
		return;
	dn_text_addf(l->t, ", %u", (unsigned int)val);
	l->first = false;
	switch (op) {
	case WAKE:
	case FD:
		return;
	case WAKE_BITSET:
		put_bitset(l, val3);
		return;
	case WAIT:
	case WAIT_BITSET:
	case WAIT_REQUEUE_PI:
		dn_line_next(l);
		dn_line_pointer(l, val2);
		break;
	case REQUEUE:
	case CMP_REQUEUE:
	case CMP_REQUEUE_PI:
	case WAKE_OP:
		dn_text_addf(l->t, ", %u", (unsigned int)val2);
		break;
	default:
		dn_text_addf(l->t, ", %#llx", (unsigned long long)val2);
		break;
	}
	if (op == WAIT)
		return;
	if (op == WAIT_BITSET) {
		put_bitset(l, val3);
		return;
	}
	dn_line_next(l);
	dn_line_pointer(l, addr2);
	if (op == WAKE_OP)
		put_wake_op(l, val3);
	else if (op == CMP_REQUEUE || op == CMP_REQUEUE_PI)
		dn_text_addf(l->t, ", %u", (unsigned int)val3);
	else if (op > LOCK_PI2)
		dn_text_addf(l->t, ", %#x", (unsigned int)val3);
}

/* --- prctl: the option says how many arguments there are ------------------- */

static void put_prctl(struct line *l)
{
	static const char *const none[] = {
		"PR_GET_DUMPABLE", "PR_GET_KEEPCAPS", "PR_GET_SECCOMP", "PR_GET_SECUREBITS",
		"PR_GET_TIMERSLACK", "PR_GET_TIMING", "PR_MCE_KILL_GET",
		"PR_TASK_PERF_EVENTS_DISABLE", "PR_TASK_PERF_EVENTS_ENABLE", NULL,
	};
	static const char *const pointer[] = {
		"PR_SET_NAME", "PR_GET_NAME", "PR_GET_PDEATHSIG", "PR_GET_CHILD_SUBREAPER",
		"PR_GET_TID_ADDRESS", "PR_GET_TSC", NULL,
	};
	static const char *const number[] = {
		"PR_SET_KEEPCAPS", "PR_SET_CHILD_SUBREAPER", "PR_SET_TIMERSLACK",
		"PR_CAPBSET_READ", "PR_CAPBSET_DROP", "PR_SET_TIMING", "PR_SET_TSC",
		"PR_SET_DUMPABLE", NULL,
	};
	static const char *const all[] = {
		"PR_SET_NO_NEW_PRIVS", "PR_GET_NO_NEW_PRIVS", "PR_SET_THP_DISABLE",
		"PR_GET_THP_DISABLE", NULL,
	};
	unsigned int kind = DN_KIND_PRCTLOP;
	uint64_t op = dn_line_arg(l, 0), v = dn_line_arg(l, 1);

	dn_flags_text(l->t, kind, l->abi, op);
	l->first = false;
	if (is_one_of(kind, op, none))
		return;
	if (is_one_of(kind, op, all)) {
		for (unsigned int i = 1; i < 5; i++)
			dn_text_addf(l->t, ", %llu", (unsigned long long)dn_line_arg(l, i));
		return;
	}
	dn_line_next(l);
	if (is_one_of(kind, op, pointer)) {
		dn_line_pointer(l, v);
	} else if (is_one_of(kind, op, number)) {
		dn_text_addf(l->t, "%llu", (unsigned long long)v);
	} else if (is(kind, op, "PR_SET_PDEATHSIG")) {
		dn_line_signal(l, (int)v);
	} else {
		dn_line_hex(l, v);
		for (unsigned int i = 2; i < 5; i++) {
			dn_line_next(l);
			dn_line_hex(l, dn_line_arg(l, i));
		}
	}
}

/* --- syslog, ptrace: arguments that some commands do not have --------------- */

static bool put_syslog(struct line *l)
{
	static const char *const none[] = {
		"SYSLOG_ACTION_CLOSE", "SYSLOG_ACTION_OPEN", "SYSLOG_ACTION_CLEAR",
		"SYSLOG_ACTION_CONSOLE_OFF", "SYSLOG_ACTION_CONSOLE_ON",
		"SYSLOG_ACTION_SIZE_UNREAD", "SYSLOG_ACTION_SIZE_BUFFER", NULL,
	};

	if (!is_one_of(DN_KIND_SYSLOGACTION, dn_line_arg(l, 0), none))
		return false;
	dn_flags_text(l->t, DN_KIND_SYSLOGACTION, l->abi, dn_line_arg(l, 0));
	return true;
}

static bool put_ptrace(struct line *l)
{
	static const char *const pid_only[] = { "PTRACE_ATTACH", "PTRACE_KILL", NULL };
	static const char *const signals[] = {
		"PTRACE_CONT", "PTRACE_SYSCALL", "PTRACE_SINGLESTEP", "PTRACE_DETACH",
		"PTRACE_SYSEMU", "PTRACE_SYSEMU_SINGLESTEP", "PTRACE_SINGLEBLOCK", NULL,
	};
	uint64_t request = dn_line_arg(l, 0);
	bool none = is(DN_KIND_PTRACEREQ, request, "PTRACE_TRACEME");
	bool pid = is_one_of(DN_KIND_PTRACEREQ, request, pid_only);

	if (!none && !pid && !is_one_of(DN_KIND_PTRACEREQ, request, signals))
		return false;
	dn_flags_text(l->t, DN_KIND_PTRACEREQ, l->abi, request);
	if (none)
		return true;
	dn_text_addf(l->t, ", %d", (int)dn_line_arg(l, 1));
	if (pid)
		return true;
	dn_text_add(l->t, ", ");
	dn_line_pointer(l, dn_line_arg(l, 2));
	dn_text_add(l->t, ", ");
	dn_line_signal(l, (int)dn_line_arg(l, 3));
	return true;
}

bool dn_line_special(struct line *l)
{
	const char *name = l->info->name;

	/* Not all registers are there: leave it to the plain form. */
	if (l->nargs < l->info->nargs)
		return false;
	if (strcmp(name, "clone") == 0)
		put_clone(l);
	else if (strcmp(name, "futex") == 0 || strcmp(name, "futex_time64") == 0)
		put_futex(l);
	else if (strcmp(name, "prctl") == 0 && l->c->nstr == 0)
		put_prctl(l);
	else if (strcmp(name, "syslog") == 0)
		return put_syslog(l);
	else if (strcmp(name, "ptrace") == 0)
		return put_ptrace(l);
	else
		return false;
	return true;
}
