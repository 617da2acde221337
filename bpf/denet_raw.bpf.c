/*
 * denet_raw.bpf.c - the same for kernels without atomic operations that give a
 * value (before 5.12): raw tracepoints, CO-RE, a hash for the tasks.
 */
#define DN_RAW
#include "state.bpf.h"
#include "strings.bpf.h"
#include "syscall.bpf.h"
#include "socket_probe.bpf.h"
#include "process_core.bpf.h"
#include "attach.bpf.h"
#include "signal.bpf.h"
#include "names.bpf.h"

char LICENSE[] SEC("license") = "GPL";
