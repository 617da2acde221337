/*
 * siginfo.c - names of si_code (include/uapi/asm-generic/siginfo.h).
 */
#include "siginfo.h"

#include <stddef.h>

#define NAMES(a, i) ((i) > 0 && (size_t)(i) < sizeof(a) / sizeof(a[0]) ? a[i] : NULL)

static const char *general(int code)
{
	static const char *const below[] = {
		NULL, "SI_QUEUE", "SI_TIMER", "SI_MESGQ", "SI_ASYNCIO", "SI_SIGIO", "SI_TKILL",
		"SI_DETHREAD",
	};

	if (code == 0)
		return "SI_USER";
	if (code == 0x80)
		return "SI_KERNEL";
	if (code == -60)
		return "SI_ASYNCNL";
	return code > -8 ? NAMES(below, -code) : NULL;
}

const char *dn_si_code_name(int sig, int code)
{
	static const char *const ill[] = {
		NULL, "ILL_ILLOPC", "ILL_ILLOPN", "ILL_ILLADR", "ILL_ILLTRP", "ILL_PRVOPC",
		"ILL_PRVREG", "ILL_COPROC", "ILL_BADSTK", "ILL_BADIADDR",
	};
	static const char *const fpe[] = {
		NULL, "FPE_INTDIV", "FPE_INTOVF", "FPE_FLTDIV", "FPE_FLTOVF", "FPE_FLTUND",
		"FPE_FLTRES", "FPE_FLTINV", "FPE_FLTSUB",
	};
	static const char *const segv[] = {
		NULL, "SEGV_MAPERR", "SEGV_ACCERR", "SEGV_BNDERR", "SEGV_PKUERR", "SEGV_ACCADI",
		"SEGV_ADIDERR", "SEGV_ADIPERR", "SEGV_MTEAERR", "SEGV_MTESERR", "SEGV_CPERR",
	};
	static const char *const bus[] = {
		NULL, "BUS_ADRALN", "BUS_ADRERR", "BUS_OBJERR", "BUS_MCEERR_AR", "BUS_MCEERR_AO",
	};
	static const char *const trap[] = {
		NULL, "TRAP_BRKPT", "TRAP_TRACE", "TRAP_BRANCH", "TRAP_HWBKPT", "TRAP_UNK",
		"TRAP_PERF",
	};
	static const char *const cld[] = {
		NULL, "CLD_EXITED", "CLD_KILLED", "CLD_DUMPED", "CLD_TRAPPED", "CLD_STOPPED",
		"CLD_CONTINUED",
	};
	static const char *const poll[] = {
		NULL, "POLL_IN", "POLL_OUT", "POLL_MSG", "POLL_ERR", "POLL_PRI", "POLL_HUP",
	};
	static const char *const sys[] = { NULL, "SYS_SECCOMP", "SYS_USER_DISPATCH" };

	if (code <= 0 || code == 0x80)
		return general(code);
	switch (sig) {
	case 4:
		return NAMES(ill, code);
	case 5:
		return NAMES(trap, code);
	case 7:
		return NAMES(bus, code);
	case 8:
		return NAMES(fpe, code);
	case 11:
		return NAMES(segv, code);
	case 17:
		return NAMES(cld, code);
	case 29:
		return NAMES(poll, code);
	case 31:
		return NAMES(sys, code);
	}
	return NULL;
}
