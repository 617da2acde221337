dnl DN_BPF_TOOLS: what turns bpf/*.bpf.c into a skeleton header. Sets BPF_CLANG,
dnl BPFTOOL and BPF_CPPFLAGS. Nothing here looks at
dnl the running kernel: the objects are CO-RE and the types they read are ours.
AC_DEFUN([DN_BPF_TOOLS], [
  AC_CHECK_PROGS([BPF_CLANG], [clang clang-21 clang-20 clang-19 clang-18 clang-17 clang-16 clang-15 clang-14 clang-13 clang-12 clang-11])
  AS_IF([test -z "$BPF_CLANG"],
    [AC_MSG_ERROR([cannot compile the kernel side: clang was not found. Install clang, or build denet-analyze alone with --disable-recorder.])])
  AC_CACHE_CHECK([whether $BPF_CLANG has the bpf target], [dn_cv_clang_bpf], [
    AS_IF([echo 'int dn;' | $BPF_CLANG -target bpf -x c -c -o conftest.bpf.o - 2>&AS_MESSAGE_LOG_FD],
      [dn_cv_clang_bpf=yes], [dn_cv_clang_bpf=no])
    rm -f conftest.bpf.o
  ])
  AS_IF([test "x$dn_cv_clang_bpf" = xno],
    [AC_MSG_ERROR([cannot compile the kernel side: $BPF_CLANG has no bpf target. Name another with BPF_CLANG=..., or use --disable-recorder.])])

  dnl Distributions keep bpftool in /usr/sbin; Ubuntu keeps the real program
  dnl beside each kernel and a wrapper that refuses to run under another one.
  AC_ARG_VAR([BPFTOOL], [the bpftool that writes the skeletons])
  AC_CACHE_CHECK([for a bpftool that works], [ac_cv_path_BPFTOOL], [
    ac_cv_path_BPFTOOL=no
    dn_path=$PATH:/usr/sbin:/sbin:/usr/local/sbin
    dn_save_IFS=$IFS; IFS=:
    for dn_dir in $dn_path; do
      IFS=$dn_save_IFS
      for dn_try in "$dn_dir/bpftool"; do
        AS_IF([test -x "$dn_try" && "$dn_try" gen help >/dev/null 2>&1],
          [ac_cv_path_BPFTOOL=$dn_try; break 2])
      done
    done
    IFS=$dn_save_IFS
    AS_IF([test "x$ac_cv_path_BPFTOOL" = xno], [
      for dn_try in /usr/lib/linux-tools/*/bpftool /usr/lib/linux-tools-*/bpftool; do
        AS_IF([test -x "$dn_try" && "$dn_try" gen help >/dev/null 2>&1],
          [ac_cv_path_BPFTOOL=$dn_try])
      done
    ])
    AS_IF([test -n "$BPFTOOL"], [ac_cv_path_BPFTOOL=$BPFTOOL])
  ])
  AS_IF([test "x$ac_cv_path_BPFTOOL" = xno],
    [AC_MSG_ERROR([cannot write the BPF skeleton: bpftool was not found. Install bpftool (on Ubuntu: linux-tools-generic), or use --disable-recorder.])])
  BPFTOOL=$ac_cv_path_BPFTOOL

  AS_CASE([$host_cpu],
    [x86_64|i?86], [dn_bpf_arch=x86],
    [aarch64*], [dn_bpf_arch=arm64],
    [AC_MSG_ERROR([cannot record on $host_cpu: the kernel side knows x86-64 and arm64. Use --disable-recorder to build denet-analyze alone.])])
  BPF_CPPFLAGS="-D__TARGET_ARCH_$dn_bpf_arch"
  dnl bpf_helpers.h comes with libbpf. Debian keeps asm/ headers in a directory
  dnl that clang does not search for the bpf target; those of a cross compiler
  dnl are in the second one.
  BPF_CPPFLAGS="$BPF_CPPFLAGS $LIBBPF_CFLAGS"
  dn_multiarch=`$CC -print-multiarch 2>/dev/null`
  for dn_dir in "/usr/include/$dn_multiarch" "/usr/$dn_multiarch/include"; do
    AS_IF([test -n "$dn_multiarch" && test -d "$dn_dir"],
      [AS_VAR_APPEND([BPF_CPPFLAGS], [" -idirafter $dn_dir"])])
  done
  AC_SUBST([BPF_CPPFLAGS])
])
