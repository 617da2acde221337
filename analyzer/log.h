/*
 * log.h - a trace as lines: what happened, in the order in which it began.
 *
 * One line a system call, as strace prints it, and one for each signal that a
 * task takes and each end of a task. Columns, separated by one space:
 *
 *   1  pid, and /tid where it is another; `?` where its start was lost. As
 *      wide as the widest of the trace.
 *   2  seconds from the start of the trace, nine digits after the point,
 *      padded to 13 characters on the left
 *   3  the rest of the line
 *        name(arguments) = result <seconds it took>
 *        name(arguments <unfinished ...>     no return was seen
 *        <... name resumed>) = result        no entry was seen: time of the return
 *        --- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED} ---
 *        +++ exited with 0 +++               +++ killed by SIGSEGV (core dumped) +++
 *        +++ superseded by execve in pid 7 +++
 *        <detached ...>                      lives on when the recording ends
 *
 * No byte of a trace reaches the terminal that is not printable ASCII.
 */
#ifndef DN_ANALYZER_LOG_H
#define DN_ANALYZER_LOG_H

#include <stdio.h>

struct dn_options;
struct dn_source;

/*
 * Prints the log of src, selected as o says, to out. The source must be
 * seekable (spool.h). An enum dn_exit; what went wrong is on stderr.
 */
int dn_log(const struct dn_options *o, struct dn_source *src, FILE *out);

#endif
