#!/bin/sh
# The newest kernel that Debian has.
. "$(dirname "$0")/lib.sh"
kernel sid amd64 7
