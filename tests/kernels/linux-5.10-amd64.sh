#!/bin/sh
# Debian 11.
. "$(dirname "$0")/lib.sh"
kernel bullseye amd64 5.10
