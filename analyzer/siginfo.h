/*
 * siginfo.h - si_code by name, as Linux numbers it on every architecture.
 */
#ifndef DN_ANALYZER_SIGINFO_H
#define DN_ANALYZER_SIGINFO_H

/* "SI_USER", "CLD_EXITED", ...; NULL for a code without name. */
const char *dn_si_code_name(int sig, int code);

#endif
