/*
 * rights.h - the capabilities of the recorder: which it needs, and when it has them.
 *
 * Run by root, the recorder keeps root's rights: the user id alone is worth as
 * much, and the functions below leave them alone. Run by anybody else it has its
 * capabilities from its file (setcap), or as ambient ones, and the invoker must
 * not gain by them:
 *
 *   begin     whatever is not needed is gone for good; of the rest none is effective,
 *             so that files are opened with the invoker's rights
 *   raise     the needed ones are effective: BPF programs are loaded and attached
 *   lower     they are not
 *   drop      they are gone for good, but for CAP_BPF where reading maps needs it
 *   command   in the child before its execve: nothing of them is left
 *
 * What is known is kept by the kernel, for each thread. So all of this is for the
 * main thread, with drop before it starts another that lasts: the one that makes the rings
 * (rings.h) has ended by then.
 */
#ifndef DN_RECORDER_RIGHTS_H
#define DN_RECORDER_RIGHTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* *had: the effective capabilities so far, bit 39 for capability 39. 0, or
 * -errno and why (512 bytes). */
int dn_rights_begin(uint64_t *had, char why[512]);

/* 0 or -errno. */
int dn_rights_raise(void);
int dn_rights_lower(void);

/* 0 or -errno. */
int dn_rights_drop(bool keep_bpf);

/* System calls and malloc only. 0 or -errno. */
int dn_rights_command(void);

/*
 * The environment the command is to have: the one we were started with. ours is
 * what is left of it: of a program with capabilities the C library takes
 * LD_LIBRARY_PATH, TMPDIR and others, which are meant for the command.
 */
char **dn_rights_environ(int argc, char *const *argv, char **ours);

/* What to do where the kernel refused us (EPERM, EACCES): names what is missing. */
void dn_rights_advice(char *out, size_t cap);

/* Whether a seccomp filter ends the process that calls bpf(2): tried in a child. */
bool dn_rights_bpf_kills(void);

#endif
