#!/bin/sh
# Debian 12 on arm64, with what ./bootstrap.sh cross aarch64 has built.
. "$(dirname "$0")/lib.sh"
kernel bookworm arm64 6.1
