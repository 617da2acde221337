/*
 * vmlinux_min.h - the kernel types that the programs read, and no more of
 * them than is read. Offsets here mean nothing: preserve_access_index makes
 * libbpf put in those of the running kernel (CO-RE).
 *
 * Made by update-types.sh from vmlinux_min.list. Do not edit.
 */
#ifndef DN_VMLINUX_MIN_H
#define DN_VMLINUX_MIN_H

typedef unsigned char __u8;
typedef signed char __s8;
typedef unsigned short __u16;
typedef short __s16;
typedef unsigned int __u32;
typedef int __s32;
typedef unsigned long long __u64;
typedef long long __s64;
typedef unsigned long size_t;
typedef unsigned short __be16;
typedef unsigned int __be32;
typedef unsigned int __wsum;
typedef int pid_t;
typedef _Bool bool;

enum {
	false = 0,
	true = 1,
	BPF_ANY = 0,
	BPF_NOEXIST = 1,
	BPF_RB_NO_WAKEUP = 1,
	BPF_RB_FORCE_WAKEUP = 2,
	BPF_RB_AVAIL_DATA = 0,
	BPF_F_USER_STACK = 256,
	BPF_F_MMAPABLE = 1024,
};

enum bpf_map_type {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_LRU_HASH = 9,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_PERCPU_ARRAY = 6,
	BPF_MAP_TYPE_PERF_EVENT_ARRAY = 4,
	BPF_MAP_TYPE_ARRAY_OF_MAPS = 12,
	BPF_MAP_TYPE_RINGBUF = 27,
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

#if defined(__TARGET_ARCH_x86)

struct pt_regs {
	unsigned long r9;
	unsigned long r8;
	unsigned long r10;
	unsigned long bp;
	unsigned long bx;
	unsigned long ax;
	unsigned long cx;
	unsigned long dx;
	unsigned long si;
	unsigned long di;
	unsigned long orig_ax;
};

struct thread_info {
	unsigned int status;
};

#elif defined(__TARGET_ARCH_arm64)

struct pt_regs {
	unsigned long long regs[31];
	unsigned long long orig_x0;
	int syscallno;
};

struct thread_info {
	unsigned long flags;
	unsigned long long preempt_count;
};

#endif

typedef struct {
	int counter;
} atomic_t;

typedef struct {
	unsigned int val;
} kuid_t;

typedef struct {
	unsigned int val;
} kgid_t;

struct sched_entity {
	unsigned long long sum_exec_runtime;
};

struct sched_info {
	unsigned long long run_delay;	/* CONFIG_SCHED_INFO */
};

struct task_io_accounting {
	unsigned long long rchar;	/* CONFIG_TASK_XACCT */
	unsigned long long wchar;	/* CONFIG_TASK_XACCT */
	unsigned long long syscr;	/* CONFIG_TASK_XACCT */
	unsigned long long syscw;	/* CONFIG_TASK_XACCT */
	unsigned long long read_bytes;	/* CONFIG_TASK_IO_ACCOUNTING */
	unsigned long long write_bytes;	/* CONFIG_TASK_IO_ACCOUNTING */
	unsigned long long cancelled_write_bytes;	/* CONFIG_TASK_IO_ACCOUNTING */
};

struct task_struct {
	struct thread_info thread_info;
	struct sched_entity se;
	struct sched_info sched_info;
	struct mm_struct *mm;
	int exit_code;
	int pid;
	int tgid;
	struct task_struct *real_parent;
	struct task_struct *group_leader;
	struct pid *thread_pid;
	unsigned long long utime;
	unsigned long long stime;
	unsigned long nvcsw;
	unsigned long nivcsw;
	unsigned long long start_boottime;
	unsigned long min_flt;
	unsigned long maj_flt;
	const struct cred *cred;
	char comm[16];
	struct fs_struct *fs;
	struct files_struct *files;
	struct signal_struct *signal;
	struct task_io_accounting ioac;
	unsigned int in_iowait : 1;
	unsigned int flags;
};

struct signal_struct {
	atomic_t live;
	int group_exit_code;
	unsigned int flags;
	unsigned long maxrss;
};

struct mm_struct {
	unsigned long arg_start;
	unsigned long arg_end;
};

struct cred {
	kuid_t euid;
	kgid_t egid;
};

struct upid {
	int nr;
	struct pid_namespace *ns;
};

struct pid {
	unsigned int level;
	struct upid numbers[0];
};

struct qstr {
	const unsigned char *name;
};

struct dentry {
	struct dentry *d_parent;
	struct qstr d_name;
};

struct vfsmount {
	struct dentry *mnt_root;
};

struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
};

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};

struct fs_struct {
	struct path pwd;
};

struct files_struct {
	struct fdtable *fdt;
};

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};

struct file {
	struct inode *f_inode;
	void *private_data;
};

struct inode {
	unsigned long long i_ino;
};

struct socket {
	struct file *file;
	struct sock *sk;
};

typedef struct {
	struct net *net;
} possible_net_t;

struct in6_addr {
	union { unsigned char u6_addr8[16]; unsigned short u6_addr16[8]; unsigned int u6_addr32[4]; } in6_u;
};

struct sock_common {
	unsigned short skc_family;
	unsigned char skc_state;
	unsigned short skc_dport;
	unsigned int skc_daddr;
	unsigned int skc_rcv_saddr;
	possible_net_t skc_net;
	struct in6_addr skc_v6_daddr;	/* CONFIG_IPV6 */
	struct in6_addr skc_v6_rcv_saddr;	/* CONFIG_IPV6 */
};

struct sock {
	struct sock_common __sk_common;
	unsigned short sk_type;
	unsigned short sk_protocol;
	struct socket *sk_socket;
	int sk_err;
};

struct inet_sock {
	unsigned short inet_sport;
};

struct tcp_sock {
	unsigned int srtt_us;
	unsigned int total_retrans;
	unsigned long long bytes_sent;
	unsigned long long bytes_acked;
	unsigned long long bytes_received;
	unsigned long long bytes_retrans;
};

struct sockaddr_un {
	unsigned short sun_family;
};

struct unix_address {
	int len;
	struct sockaddr_un name[0];
};

struct unix_sock {
	struct unix_address *addr;
	struct sock *peer;
};

struct ns_common {
	unsigned int inum;
};

struct net {
	struct ns_common ns;
};

struct linux_binprm {
	unsigned int secureexec : 1;
	unsigned int interp_flags;
	const char *filename;
};

struct kernel_siginfo {
	int si_code;
};

struct sigaction {
	void *sa_handler;
	unsigned long sa_flags;
};

struct k_sigaction {
	struct sigaction sa;
};

struct bpf_iter_meta {
	struct seq_file *seq;
};

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

struct bpf_iter__task_file {
	struct task_struct *task;
	unsigned int fd;
	struct file *file;
};

struct bpf_iter__bpf_map_elem {
	struct bpf_iter_meta *meta;
	void *key;
	void *value;
};

#pragma clang attribute pop

/* A program's context: its layout is the kernel's promise, nothing to relocate. */
struct bpf_raw_tracepoint_args {
	unsigned long long args[0];
};

#endif
