/*
 * privilege.h - whether this process may record at all, for tests that need
 * the kernel; main() ends with 77 where it may not.
 *
 * The kernel is asked by itself and not through probe.c, so that a probe that
 * fails everywhere is not taken for a machine that allows nothing.
 */
#ifndef DN_TESTS_PRIVILEGE_H
#define DN_TESTS_PRIVILEGE_H

#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <stdbool.h>
#include <unistd.h>

static inline bool may_record(void)
{
	static const struct bpf_insn nothing[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int fd = bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "dn_test", "GPL", nothing, 2, NULL);

	if (fd < 0)
		return false;
	close(fd);
	return !access("/sys/kernel/btf/vmlinux", R_OK);
}

#endif
