/*
 * denet_plain.bpf.c - the same for kernels without BTF: no kernel structure is
 * read. (A single CO-RE relocation would have the whole object refused.)
 */
#define DN_RAW
#define DN_PLAIN
#include "state.bpf.h"
#include "strings.bpf.h"
#include "syscall.bpf.h"
#include "process_plain.bpf.h"
#include "signal.bpf.h"

char LICENSE[] SEC("license") = "GPL";
