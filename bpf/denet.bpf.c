/*
 * denet.bpf.c - the CO-RE object: one file to the compiler, one small header
 * for each subject.
 */
#include "state.bpf.h"
#include "strings.bpf.h"
#include "syscall.bpf.h"
#include "process.bpf.h"
#include "signal.bpf.h"
#include "final.bpf.h"

char LICENSE[] SEC("license") = "GPL";
