/*
 * plain.bpf.h - what the object without BTF knows of the machine: the frame of
 * registers and the layouts that user space sees too, at fixed offsets. They
 * belong to the architecture or to its ABI and do not move between kernels.
 */
#ifndef DN_PLAIN_BPF_H
#define DN_PLAIN_BPF_H

#if defined(__TARGET_ARCH_x86)
struct dn_frame {		/* struct pt_regs of asm/ptrace.h */
	__u64 r15, r14, r13, r12, bp, bx;
	__u64 r11, r10, r9, r8, ax, cx, dx, si, di;
	__u64 orig_ax;
	__u64 ip, cs, flags, sp, ss;
};
#elif defined(__TARGET_ARCH_arm64)
struct dn_frame {		/* struct pt_regs of asm/ptrace.h */
	__u64 regs[31];
	__u64 sp, pc, pstate;
	__u64 orig_x0;
	__s32 syscallno;
};
#endif

struct dn_siginfo {		/* siginfo_t of asm-generic/siginfo.h */
	__s32 signo, err, code;
};

struct dn_ksigaction {		/* linux/signal_types.h */
	__u64 handler, flags;
};

struct dn_pidns_info {		/* struct bpf_pidns_info of linux/bpf.h */
	__u32 pid, tgid;
};

/* A field at its fixed place in what p points to; 0 where it cannot be read. */
#define PLAIN(p, type, field)                                                 \
	({                                                                    \
		typeof(((type *)0)->field) v_ = 0;                            \
		bpf_probe_read_kernel(&v_, sizeof(v_),                        \
				      (char *)(p) + __builtin_offsetof(type, field)); \
		v_;                                                           \
	})

#define REG(regs, name) PLAIN(regs, struct dn_frame, name)

#define USER32_CS 0x23		/* asm/segment.h */
#define PSR_MODE32_BIT 0x10	/* asm/ptrace.h */

/* Whether the user's code has 32 bits. A 64-bit program's int 0x80 goes
 * unseen: whether a call is a compat one stands in a kernel structure. */
static __always_inline bool is_narrow(void *regs)
{
#if defined(__TARGET_ARCH_x86)
	return (__u16)REG(regs, cs) == USER32_CS;
#else
	return REG(regs, pstate) & PSR_MODE32_BIT;
#endif
}

#endif
