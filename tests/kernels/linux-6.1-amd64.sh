#!/bin/sh
# Debian 12.
. "$(dirname "$0")/lib.sh"
kernel bookworm amd64 6.1
