/*
 * names.bpf.h - how the kernel calls its own functions: addresses that the recorder put into a
 * map, written out by the kernel, a line each. /proc/kallsyms would say it too, of all 120,000
 * at a time and not to everybody.
 */
#ifndef DN_NAMES_BPF_H
#define DN_NAMES_BPF_H

#include "state.bpf.h"

/* The recorder writes to it as to memory: while bpf(2) is at a map, programs of perf's events are
 * kept out of that CPU (bpf_disable_instrumentation()), and with it preempted for long. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, DN_NAMES_AT_ONCE);
	__type(key, __u32);
	__type(value, __u64);
} addresses SEC(".maps");

SEC("iter/bpf_map_elem")
int name_addresses(struct bpf_iter__bpf_map_elem *ctx)
{
	__u64 *value = ctx->value, address;

	if (!value || !*value)
		return 0;
	/* %pB is for return addresses and looks up the byte before (lib/vsprintf.c); 5.10 knows no
	 * other that gives names. */
	address = *value + 1;
	BPF_SEQ_PRINTF(ctx->meta->seq, "%llx %pB\n", *value, address);
	return 0;
}

#endif
