#!/bin/sh
# denet-setup for real, on copies: /etc and /var/lib of this test's own mount namespace,
# the settings of its own network namespace. Tracefs has one owner for the whole machine,
# so what concerns it is printed only (--dry-run).
if [ "${DN_OWN_NAMESPACE:-}" != yes ] && [ "$(id -u)" = 0 ] &&
	unshare --mount --net true 2>/dev/null; then
	DN_OWN_NAMESPACE=yes exec unshare --mount --net bash "$0"
fi
. "$(dirname "$0")/lib.sh"
need_cmd setcap getcap getent groupadd usermod gpasswd groupdel sysctl setpriv
need_bpf
[ "$(id -u)" = 0 ] || skip_all "only root can set this up"
[ "${DN_OWN_NAMESPACE:-}" = yes ] || skip_all "there are no namespaces of our own to be had"
id nobody >/dev/null 2>&1 || skip_all "there is no user nobody"

# --- who is not root -----------------------------------------------------------------
chmod 755 "$scratch"
cp "$DN_BUILDDIR/denet-setup" setup
chmod 755 setup
uid=$(id -u nobody)
as_nobody="setpriv --reuid=$uid --regid=$(id -g nobody) --clear-groups env"
$as_nobody ./setup 2>err
is "$?" 1 "not root: refused"
like "$(cat err)" 'needs root.*sudo.*--dry-run' "and it says what to do"
cp "$DN_BUILDDIR/denet-record" recorder
chmod 755 recorder
$as_nobody ./setup --dry-run --program=recorder >plan
is "$? $(grep -c '^setcap ' plan)" "0 1" "not root: may ask what would be done"

# --- a machine of our own ------------------------------------------------------------
mkdir etc lib
cp -a /etc/. etc
rm -rf etc/denet* etc/sysctl.d/60-denet.conf
sed -i '/^denet:/d' etc/group
[ ! -f etc/gshadow ] || sed -i '/^denet:/d' etc/gshadow
mount --bind etc /etc || skip_all "nothing can be mounted here"
mount --bind lib /var/lib || exit 99
setcap cap_bpf=ep recorder 2>/dev/null || skip_all "this file system keeps no capabilities"
setcap -r recorder

ttl=net.ipv4.ip_default_ttl
before_ttl=$(sysctl -n $ttl)
# Everything denet-setup may change.
machine() {
	stat -c '%U:%G %a' recorder
	getcap recorder
	sysctl $ttl
	sort /etc/group
	find /etc ! -name '*-' ! -name '.pwd.lock' ! -type d -newer setup ! -name group ! -name gshadow
	ls -A /var/lib
}
machine >before

run_setup() { ./setup --program=recorder --user=nobody --sysctl=$ttl=63 "$@"; }

# --- what it would do ----------------------------------------------------------------
run_setup --dry-run --tracefs >plan 2>err
is "$?" 0 "--dry-run: status"
machine >after
is "$(diff before after)" "" "--dry-run: nothing is changed"
here=$(pwd -P)
for line in "groupadd --system denet" "usermod -a -G denet nobody" "chmod 0750 $here/recorder" \
	"chown root:denet $here/recorder" \
	"setcap cap_bpf,cap_perfmon,cap_dac_read_search=ep $here/recorder" "sysctl -q -w $ttl=63"; do
	ok "--dry-run: $line" grep -Fqx -- "$line" plan
done
like "$(cat plan)" 'remount,gid=[A-Z0-9]*,mode=0750 /sys/kernel/tracing' "--dry-run: tracefs, as asked"
ok "without --tracefs nothing is said of it" test -z "$(./setup --dry-run --program=recorder | grep trac)"
is "$(./setup --dry-run --program=recorder | grep sysctl)" "" "no kernel setting that was not named"

# --- it does -------------------------------------------------------------------------
run_setup >out 2>&1
is "$?" 0 "set up: status"
is "$(stat -c '%U:%G %a' recorder)" "root:denet 750" "the recorder is the group's alone"
is "$(setcap -v cap_bpf,cap_perfmon,cap_dac_read_search=ep recorder)" "recorder: OK" "its capabilities"
is "$(id -nG nobody | tr ' ' '\n' | grep -c '^denet$')" 1 "the user is a member"
is "$(sysctl -n $ttl)" 63 "the setting is made"
is "$(grep -v '^#' /etc/sysctl.d/60-denet.conf)" "$ttl = 63" "and for the next boot"
mkdir home
chown nobody home
member="setpriv --reuid=$uid --regid=$(id -g nobody) --groups=$(getent group denet | cut -d: -f3) env"
(cd home && $member ../recorder -q -o t.dnt sh -c 'exit 3')
is "$?" 3 "a member records"
books home/t.dnt "a member"
(cd home && $as_nobody ../recorder -q -o u.dnt true) 2>/dev/null
is "$?" 126 "who is no member does not"
# Under sudo the caller's other groups count too.
mkdir shared
chgrp denet shared
chmod 770 shared
SUDO_UID=$uid SUDO_GID=$(id -g nobody) denet-record -q -o shared/t.dnt true
is "$? $(stat -c %U shared/t.dnt)" "0 nobody" "under sudo: where a group of the caller may write"
is "$(run_setup --dry-run)" "" "a second run has nothing to do"
machine >once
run_setup >out 2>&1
machine >twice
is "$?:$(diff once twice)" "0:" "and changes nothing"
cp "$DN_BUILDDIR/denet-record" recorder.new && mv recorder.new recorder
chmod 755 recorder
run_setup >out 2>&1
is "$(stat -c '%U:%G %a' recorder) $(getcap recorder | grep -c cap_perfmon)" "root:denet 750 1" \
	"a recorder that was replaced is set up again"
run_setup --sysctl=$ttl=62
is "$(sysctl -n $ttl) $(grep -c $ttl /etc/sysctl.d/60-denet.conf)" "62 1" "another value takes the place"

# --- and back ------------------------------------------------------------------------
machine >set_up
./setup --undo --dry-run >plan
machine >after
is "$(diff set_up after)" "" "--undo --dry-run: nothing is changed"
ok "and it prints what it would do" grep -Fqx "sysctl -q -w $ttl=$before_ttl" plan
./setup --undo >out 2>&1
is "$?" 0 "--undo: status"
machine >after
is "$(diff before after)" "" "--undo: all is as it was"
./setup --undo >out 2>&1
is "$?" 0 "--undo again: nothing to do is no failure"
like "$(cat out)" 'nothing to undo' "and it says so"

# A group that was there stays, with who was in it.
groupadd --system denet
usermod -a -G denet nobody
run_setup >out 2>&1
./setup --undo >out 2>&1
is "$(getent group denet | cut -d: -f4)" nobody "what was there before is left alone"

# --- wrong words ---------------------------------------------------------------------
for words in --no-such-option word --user= '--user=a b' --user=-x --sysctl --sysctl=x --sysctl=a/b=c \
	'--sysctl=a.b=1 2'; do
	./setup "$words" 2>err
	is "$? $(grep -c . err)" "2 1" "$words: wrong usage, in a line"
done
for words in --user=no-such-user --program=no-such-file --sysctl=no.such.setting=1; do
	run_setup "$words" >out 2>err
	is "$? $(grep -c . err) $(ls -A /var/lib)" "1 1 " "$words: refused, in a line, before anything is changed"
done
if command -v shellcheck >/dev/null; then
	ok "shellcheck has nothing to say" shellcheck -s sh "$DN_BUILDDIR/denet-setup"
else
	skip "shellcheck has nothing to say" "shellcheck is not installed"
fi
done_testing
