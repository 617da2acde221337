/*
 * kernel_types.h - the running kernel's types that a BPF object names, and no others.
 *
 * For each type with a field to relocate libbpf looks at all types of the kernel, which
 * are more than a hundred thousand: that was a fifth of the start. Of a file with
 * these types alone (bpf_object_open_opts.btf_custom_path) it finds the same.
 */
#ifndef DN_RECORDER_KERNEL_TYPES_H
#define DN_RECORDER_KERNEL_TYPES_H

struct btf;

/*
 * Writes into the file fd, which is empty, of the BTF in the file `kernel` the structs, unions and enums that have
 * names of those in `of`, and what they are made of. Pointers lead nowhere there, and
 * types of the kernel's modules are not in it. 0 or -errno; -EINVAL: that is no BTF.
 */
int dn_kernel_types(const struct btf *of, const char *kernel, int fd);

#endif
