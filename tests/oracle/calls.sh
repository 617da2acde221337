#!/bin/sh
# System calls of every kind against strace: failing ones, with strings of every
# length, numbers that are none, other ABIs, refused by seccomp.
. "$(dirname "$0")/lib.sh"
need_cmd strace
need_bpf

mkdir errors && cd errors && strace_says "errors" 0 calls errors
mkdir ../strings && cd ../strings && strace_says "strings" 0 calls strings
strace_says "sockets" 0 calls sockets
strace_says "numbers" 0 calls numbers
strace_says "seccomp" 0 calls seccomp
done_testing
