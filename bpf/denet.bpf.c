/*
 * denet.bpf.c - the best object: typed tracepoints, an array of states, CO-RE. One
 * file to the compiler, one small header for each subject.
 */
#include "state.bpf.h"
#include "strings.bpf.h"
#include "syscall.bpf.h"
#include "socket_probe.bpf.h"
#include "process_core.bpf.h"
#include "attach.bpf.h"
#include "signal.bpf.h"
#include "final.bpf.h"
#include "names.bpf.h"

char LICENSE[] SEC("license") = "GPL";
