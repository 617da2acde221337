#!/bin/sh
# The newest kernel that Debian has. With cx16, or it cannot allocate task storage.
. "$(dirname "$0")/lib.sh"
kernel sid amd64 7 max
