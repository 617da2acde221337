# Stands in for the unit tests where configure found no cmocka, so that their
# absence is counted and seen.
# shellcheck shell=sh
echo "1..0 # SKIP unit tests: configure found no cmocka (on Debian: libcmocka-dev)"
