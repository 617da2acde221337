#!/bin/sh
# Signals, and the calls that they end, interrupt and begin again, against strace.
. "$(dirname "$0")/lib.sh"
need_cmd strace
need_bpf

strace_says "killed in a call" 0 signals kill
strace_says "killed before a call" 0 -e inject=getsid:delay_enter=10000000 signals held
strace_says "killed after a call" 0 -e inject=getsid:delay_exit=10000000 signals held
strace_says "interrupted calls" 0 signals interrupt
strace_says "stopped and continued" 0 signals stop
strace_says "faults" 0 signals faults
strace_says "deaths" 0 signals deaths
strace_says "signals sent" 0 signals sent
done_testing
