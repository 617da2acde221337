#!/bin/sh
# Debian 13.
. "$(dirname "$0")/lib.sh"
kernel trixie amd64 6.12
