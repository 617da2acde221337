#!/bin/sh
# bootstrap.sh - from a fresh machine to a working denet in one command.
#
# Installs what is missing (apt-get, dnf, pacman or apk), configures outside the
# source tree in build/, builds, and then shows a recording or runs the tests.
# What is there already is left alone; with everything there, it needs no network
# and no root. `./bootstrap.sh --help` says the rest.
#
# People who know autotools need none of this:
#   autoreconf -fi && ./configure && make && make check && make install
set -eu

usage()
{
	cat <<'END'
Usage: ./bootstrap.sh [COMMAND] [-- CONFIGURE-OPTION...]

  demo     install what is missing, build, record a command and show the answer
           (this is what happens when no command is given)
  check    install what is missing, build, run the tests
  build    install what is missing, build
  deps     install what is missing
  cross aarch64
           install what is missing, and build static programs for arm64 in
           build/aarch64: copy them to any arm64 machine (on Debian x86-64)

Environment:
  DENET_BUILD   the build directory (build)
  DENET_JOBS    how many compilers at a time (one for each processor)

Recording system calls needs root, or what denet-setup installs; sudo is asked when it
is there. Two configure options make do with less to install and to build:
  --without-bpf        denet-record records from /proc only: no clang, bpftool, libbpf
  --disable-recorder   denet-analyze alone
END
}

say() { printf '\n== %s\n' "$*"; }

die()
{
	printf 'bootstrap.sh: %s\n' "$*" >&2
	exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

as_root()
{
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif have sudo; then
		sudo "$@"
	else
		die "cannot run \`$*': it needs root and there is no sudo; run it as root, then ./bootstrap.sh again."
	fi
}

# --- what is missing ----------------------------------------------------------

manager=
for m in apt-get dnf pacman apk; do
	if have $m; then
		manager=$m
		break
	fi
done
missing=

# need PROBE APT DNF PACMAN APK: a probe that fails adds the package of this
# machine's manager; "-" is a machine that has it in another package already.
need()
{
	if eval "$1" >/dev/null 2>&1; then
		return 0
	fi
	lacking="${lacking:-}
  $1"
	case $manager in
	apt-get) missing="$missing $2" ;;
	dnf) missing="$missing $3" ;;
	pacman) missing="$missing $4" ;;
	apk) missing="$missing $5" ;;
	esac
}

lib() { have pkg-config && pkg-config --exists "$1"; }

has_libiberty()
{
	echo '#include <libiberty/demangle.h>' | "${CC:-cc}" -E - >/dev/null &&
		[ -e "$("${CC:-cc}" -print-file-name=libiberty.a)" ]
}

compiles() { echo '#include <stdio.h>' | "${CC:-cc}" -E - ; }

has_bpftool()
{
	for t in bpftool /usr/sbin/bpftool /sbin/bpftool /usr/local/sbin/bpftool \
		/usr/lib/linux-tools/*/bpftool /usr/lib/linux-tools-*/bpftool; do
		if "$t" gen help >/dev/null 2>&1; then
			return 0
		fi
	done
	return 1
}

# What PATH may lack for who is not root.
has() { have "$1" || [ -x "/usr/sbin/$1" ] || [ -x "/sbin/$1" ]; }

have_browser() { have chromium || have chromium-browser || have google-chrome; }

# Debian has its server and pgbench not in PATH.
has_postgres() { have pgbench || ls /usr/lib/postgresql/*/bin/pgbench; }

bpftool_package()
{
	# Ubuntu has it as a part of the tools of each kernel.
	if [ "$manager" = apt-get ] && ! apt-cache show bpftool 2>/dev/null | grep -q '^Package: bpftool$'; then
		echo linux-tools-generic
	else
		echo bpftool
	fi
}

# The probes are evaluated by need.
# shellcheck disable=SC2016
needs_of_build()
{
	#    probe                            apt-get           dnf                     pacman     apk
	need 'have autoreconf'                autoconf          autoconf                autoconf   autoconf
	need 'have automake'                  automake          automake                automake   automake
	need 'have make'                      make              make                    make       make
	need 'have ${CC:-cc}'                 gcc               gcc                     gcc        gcc
	need 'compiles'                       libc6-dev         glibc-devel             glibc      'musl-dev linux-headers'
	need 'have awk'                       mawk              gawk                    gawk       gawk
	need 'have pkg-config'                pkg-config        pkgconf-pkg-config      pkgconf    pkgconf
	[ -z "$bpf" ] || needs_of_bpf
	[ "$command" != cross ] || return 0	# the libraries are the other machine's
	need 'lib "libcap >= 2.44"'           libcap-dev        libcap-devel            libcap     libcap-dev
	need 'lib zlib'                       zlib1g-dev        zlib-devel              zlib       zlib-dev
	need 'lib "sqlite3 >= 3.37"'          libsqlite3-dev    sqlite-devel            sqlite     sqlite-dev
	need 'lib libzstd'                    libzstd-dev       libzstd-devel           zstd       zstd-dev
	need 'lib libxxhash'                  libxxhash-dev     xxhash-devel            xxhash     xxhash-dev
}

# What a build can do without, with fewer names of functions, or no lines: not looked for again after
# the installation.
wants_of_build()
{
	[ "$command" != cross ] || return 0
	need 'lib liblzma'                    liblzma-dev       xz-devel                xz         xz-dev
	need 'has_libiberty'                  libiberty-dev     binutils-devel          binutils   binutils-dev
	need 'lib libdw'                      libdw-dev         elfutils-devel          libelf     elfutils-dev
}

# shellcheck disable=SC2016
needs_of_bpf()
{
	need 'have clang'                     clang             clang                   clang      clang
	need 'has_bpftool'                    "$(bpftool_package)" bpftool              bpf        bpftool
	[ "$command" != cross ] || return 0
	need 'lib "libbpf >= 0.8"'            libbpf-dev        libbpf-devel            libbpf     libbpf-dev
	need 'lib libelf'                     libelf-dev        elfutils-libelf-devel   libelf     elfutils-dev
}

# Where the packages come from that are taken apart here.
can_cross()
{
	# shellcheck disable=SC1091
	[ "$manager" = apt-get ] && [ "$(. /etc/os-release && echo "$ID")" = debian ] &&
		[ "$(dpkg --print-architecture)" = amd64 ]
}

# Those of a Debian; -dev has the C library that the compiler only recommends.
needs_of_cross()
{
	need 'have aarch64-linux-gnu-gcc'     gcc-aarch64-linux-gnu - - -
	need '[ -e /usr/aarch64-linux-gnu/lib/libc.a ]' libc6-dev-arm64-cross - - -
}

# What tests/kernels boots other kernels with, which are Debian's packages.
needs_of_kernels()
{
	need 'have qemu-system-x86_64'        qemu-system-x86 - - -
	need 'have qemu-system-aarch64'       qemu-system-arm - - -
	need 'have busybox'                   busybox-static - - -
}

needs_of_check()
{
	need 'have bash'                      bash              bash                    bash       bash
	need 'have flock'                     util-linux        util-linux              util-linux util-linux-misc
	need 'have timeout'                   coreutils         coreutils               coreutils  coreutils
	need 'have diff'                      diffutils         diffutils               diffutils  diffutils
	need 'has setcap'                     libcap2-bin       libcap                  libcap     libcap-utils
	need 'have setpriv'                   util-linux        util-linux              util-linux setpriv
	need 'lib cmocka'                     libcmocka-dev     libcmocka-devel         cmocka     cmocka-dev
	need 'have sqlite3'                   sqlite3           sqlite                  sqlite     sqlite
	need 'have strace'                    strace            strace                  strace     strace
	need 'have jq'                        jq                jq                      jq         jq
	need 'have xz'                        xz-utils          xz                      xz         xz
	need 'has ip && has ss'               iproute2          iproute                 iproute2   'iproute2 iproute2-ss'
	need 'has nft'                        nftables          nftables                nftables   nftables
	need 'have curl'                      curl              curl                    curl       curl
	need 'has nginx'                      nginx-light       nginx                   nginx      nginx
	need 'have redis-benchmark'           'redis-server redis-tools' redis          redis      redis
	need 'have ping'                      iputils-ping      iputils                 iputils    iputils-ping
	need 'have nc'                        netcat-openbsd    nmap-ncat               openbsd-netcat netcat-openbsd
	need 'has_postgres'                   postgresql        'postgresql-server postgresql-contrib' postgresql 'postgresql postgresql-contrib'
}

updated=
install_packages()
{
	case $manager in
	apt-get)
		# A fresh machine or container has no package lists at all.
		[ -n "$updated" ] || as_root env DEBIAN_FRONTEND=noninteractive apt-get -q update
		updated=yes
		# Servers that tests start for themselves are not to be started for all:
		# this file forbids it (invoke-rc.d(8)), where the machine has none of its own.
		# shellcheck disable=SC2016
		as_root sh -c 'rule=/usr/sbin/policy-rc.d
			if [ ! -e $rule ]; then
				trap "rm -f $rule" EXIT
				printf "#!/bin/sh\nexit 101\n" >$rule && chmod 755 $rule
			fi
			DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends "$@"' sh "$@"
		;;
	dnf) as_root dnf install -y "$@" ;;
	pacman) as_root pacman -Sy --needed --noconfirm "$@" ;;
	apk) as_root apk add "$@" ;;
	esac
}

deps()
{
	lacking=
	missing=
	needs_of_build
	wants_of_build
	case $command in
	check)
		needs_of_check
		if can_cross; then
			needs_of_kernels
			needs_of_cross
		fi
		;;
	cross) needs_of_cross ;;
	esac
	if [ -n "$lacking" ]; then
		[ -n "$manager" ] ||
			die "cannot install what is missing: this machine has none of apt-get, dnf, pacman, apk; install these by hand:$lacking"
		say "installing:$missing"
		# shellcheck disable=SC2086
		install_packages $missing ||
			die "cannot install what is missing: $manager failed (see above); with the packages installed by hand, run ./bootstrap.sh again."
		# The distribution may be too old to have a library in the version needed.
		lacking=
		needs_of_build
		[ -z "$lacking" ] ||
			die "cannot build denet here: after the installation these still fail:$lacking"
	fi

	# Pages are opened in a browser where there is one; without it those tests are skipped.
	if [ "$command" = check ] && [ -n "$manager" ] && [ "$(id -u)" = 0 ] && ! have_browser; then
		say "installing: chromium"
		(install_packages chromium) || say "no chromium: tests of pages in a browser are skipped"
	fi
}

# --- build --------------------------------------------------------------------

build()
{
	if [ -f config.status ]; then
		die "cannot build in $builddir: the source tree itself is configured; run \`make distclean' here first."
	fi
	if [ ! -f configure ] || [ ! -f Makefile.in ]; then
		say "autoreconf"
		autoreconf -fi
	fi
	# What draws flame graphs; without it all else is built. A build that was configured
	# before it was there is configured anew.
	drawing=
	if [ ! -f third_party/VERSIONS ]; then
		if ! have curl && ! have wget && [ -n "$manager" ]; then
			(install_packages curl ca-certificates) || :
		fi
		if build-aux/fetch-web; then
			drawing=new
		else
			say "no flame graphs: denet-analyze is built without d3 (see above)"
		fi
	fi
	mkdir -p "$builddir"
	if [ -n "$drawing" ] && [ $# = 0 ] && [ -f "$builddir/config.status" ]; then
		say "configure"
		(cd "$builddir" && ./config.status --recheck && ./config.status)
	fi
	if [ ! -f "$builddir/config.status" ] || [ $# -gt 0 ]; then
		say "configure"
		(cd "$builddir" && "$top/configure" "$@")
	fi
	say "make"
	(cd "$builddir" && make -j"$jobs")
}

# cross ARCH [CONFIGURE-OPTION...]: static programs in a directory below that of this
# machine's build. The libraries of the other machine are unpacked beside them, and
# what is installed here stays as it is.
cross()
{
	arch=$1
	shift
	cross=$builddir/$arch
	if [ ! -d "$cross/sysroot" ]; then
		say "libraries for $arch"
		rm -rf "$cross/sysroot.new"
		tests/lib/debs - arm64 "$cross/sysroot.new" libbpf-dev libelf-dev libcap-dev zlib1g-dev libzstd-dev \
			libsqlite3-dev libxxhash-dev liblzma-dev libiberty-dev libdw-dev libbz2-dev &&
			mv "$cross/sysroot.new" "$cross/sysroot" || return
	fi
	(
		builddir=$cross
		if [ ! -f "$cross/config.status" ] || [ $# -gt 0 ]; then
			set -- --host="$arch-linux-gnu" --enable-static-programs \
				PKG_CONFIG_LIBDIR="$cross/sysroot/usr/lib/$arch-linux-gnu/pkgconfig" \
				PKG_CONFIG_SYSROOT_DIR="$cross/sysroot" "$@"
		fi
		build "$@"
	)
}

# --- demo and check -----------------------------------------------------------

demo()
{
	cd "$builddir"
	say "recording: find /usr/include -name '*.h' | xargs wc -l | tail -1"
	root=as_root
	if [ "$(id -u)" != 0 ] && ! have sudo; then
		root=	# what /proc shows can be recorded without
	fi
	$root ./denet-record -o demo.dnt -- \
		sh -c 'find /usr/include -name "*.h" | xargs wc -l | tail -1' ||
		die "cannot record here (see above); a trace made on another machine can be read with $builddir/denet-analyze."
	if [ ! -r demo.dnt ]; then
		as_root chown "$(id -u)" demo.dnt
	fi
	say "denet-analyze demo.dnt"
	./denet-analyze demo.dnt
}

check()
{
	if [ "$(id -u)" != 0 ]; then
		say "not root: tests that record are skipped"
	fi
	say "make check"
	cd "$builddir"
	make -j"$jobs" check
}

# ------------------------------------------------------------------------------

command=demo
case ${1:-} in
demo | check | build | deps)
	command=$1
	shift
	;;
cross)
	command=$1
	target=${2:-}
	[ "$target" = aarch64 ] || die "cannot build for \`$target': ./bootstrap.sh cross aarch64 is what there is."
	shift 2
	;;
-h | --help | help)
	usage
	exit 0
	;;
--) ;;
?*)
	usage >&2
	die "there is no command \`$1'."
	;;
esac
if [ "${1:-}" = -- ]; then
	shift
fi
bpf=yes
for option in "$@"; do
	case $option in
	--without-bpf | --with-bpf=no | --disable-recorder | --enable-recorder=no) bpf= ;;
	esac
done

top=$(cd "$(dirname "$0")" && pwd)
cd "$top"
builddir=${DENET_BUILD:-build}
case $builddir in
/*) ;;
*) builddir=$top/$builddir ;;
esac
jobs=${DENET_JOBS:-$(nproc 2>/dev/null || echo 2)}

[ "$(uname -s)" = Linux ] || die "cannot record on $(uname -s): denet-record needs Linux; for denet-analyze alone run ./configure --disable-recorder."

if [ $command = cross ] && ! can_cross; then
	die "cannot build for $target here: this takes Debian's packages, on x86-64. With a cross compiler and libraries of your own: ./configure --host=$target-linux-gnu --enable-static-programs."
fi
deps
case $command in
deps) ;;
build) build "$@" ;;
demo)
	build "$@"
	demo
	;;
cross)
	cross "$target" "$@" || die "cannot build for $target (see above)."
	say "$builddir/$target/denet-record, denet-analyze"
	;;
check)
	build "$@"
	if can_cross; then
		cross aarch64 || say "no build for aarch64: the tests on arm64 are skipped"
	fi
	check
	;;
esac
