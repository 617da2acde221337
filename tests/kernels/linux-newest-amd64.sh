#!/bin/sh
# The newest kernel that Debian has. With cx16, which its allocator wants.
. "$(dirname "$0")/lib.sh"
kernel sid amd64 7 max
