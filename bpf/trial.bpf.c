/*
 * trial.bpf.c - two programs that do nothing, for denet-record --check: can a
 * kprobe and can an fentry be attached here? No probe of the recorder needs
 * them. commit_creds is in every kernel (kernel/cred.c), is not inlined since
 * modules call it, and is called now and then only.
 */
#include "vmlinux_min.h"
#include <bpf/bpf_helpers.h>

SEC("fentry/commit_creds")
int try_fentry(void *ctx)
{
	return 0;
}

SEC("kprobe/commit_creds")
int try_kprobe(void *ctx)
{
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
