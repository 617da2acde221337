dnl DN_BPF_TOOLS: what turns bpf/*.bpf.c into a skeleton header. Sets BPF_CLANG,
dnl BPFTOOL, BPF_CPPFLAGS and VMLINUX_H. Nothing here looks at the running kernel,
dnl unless --with-vmlinux-h=auto asks for it: the objects are CO-RE and the types they
dnl read are ours.
AC_DEFUN([DN_BPF_TOOLS], [
  AC_CHECK_PROGS([BPF_CLANG], [clang clang-21 clang-20 clang-19 clang-18 clang-17 clang-16 clang-15 clang-14 clang-13 clang-12 clang-11])
  AS_IF([test -z "$BPF_CLANG"],
    [AC_MSG_ERROR([cannot compile the kernel side: clang was not found. Install clang, or record from /proc only with --without-bpf.])])
  AC_CACHE_CHECK([whether $BPF_CLANG has the bpf target], [dn_cv_clang_bpf], [
    AS_IF([echo 'int dn;' | $BPF_CLANG -target bpf -x c -c -o conftest.bpf.o - 2>&AS_MESSAGE_LOG_FD],
      [dn_cv_clang_bpf=yes], [dn_cv_clang_bpf=no])
    rm -f conftest.bpf.o
  ])
  AS_IF([test "x$dn_cv_clang_bpf" = xno],
    [AC_MSG_ERROR([cannot compile the kernel side: $BPF_CLANG has no bpf target. Name another with BPF_CLANG=..., or use --without-bpf.])])

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
    [AC_MSG_ERROR([cannot write the BPF skeleton: bpftool was not found. Install bpftool (on Ubuntu: linux-tools-generic), or use --without-bpf.])])
  BPFTOOL=$ac_cv_path_BPFTOOL

  AS_CASE([$host_cpu],
    [x86_64|i?86], [dn_bpf_arch=x86],
    [aarch64*], [dn_bpf_arch=arm64],
    [AC_MSG_ERROR([cannot record on $host_cpu: the kernel side knows x86-64 and arm64. Use --without-bpf to record from /proc only.])])
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

  AC_ARG_WITH([vmlinux-h],
    [AS_HELP_STRING([--with-vmlinux-h=PATH],
       [compile the kernel side with all types of a kernel, as "bpftool btf dump ... format c" prints them, in place of bpf/vmlinux_min.h; auto: those of the running kernel, printed at build])],
    [], [with_vmlinux_h=no])
  AS_CASE([$with_vmlinux_h],
    [no], [VMLINUX_H=],
    [auto|yes], [
      AS_IF([test ! -r /sys/kernel/btf/vmlinux],
        [AC_MSG_ERROR([cannot print the running kernel's types: there is no /sys/kernel/btf/vmlinux. Name a file with --with-vmlinux-h=PATH, or leave the option out.])])
      VMLINUX_H=bpf/vmlinux.h],
    [
      AS_IF([test ! -r "$with_vmlinux_h"],
        [AC_MSG_ERROR([cannot take kernel types from $with_vmlinux_h: it cannot be read. Make it with "bpftool btf dump file /sys/kernel/btf/vmlinux format c", or leave --with-vmlinux-h out.])])
      AS_IF([grep '^struct task_struct {' "$with_vmlinux_h" >/dev/null], [],
        [AC_MSG_ERROR([cannot take kernel types from $with_vmlinux_h: it declares no struct task_struct. Make it with "bpftool btf dump file /sys/kernel/btf/vmlinux format c", or leave --with-vmlinux-h out.])])
      AS_CASE([$with_vmlinux_h],
        [/*], [VMLINUX_H=$with_vmlinux_h],
        [VMLINUX_H=`pwd`/$with_vmlinux_h])])
  dnl Kernels from 6.19 on have structs in structs by tag alone, as -fms-extensions reads them.
  AS_IF([test -n "$VMLINUX_H"],
    [AS_VAR_APPEND([BPF_CPPFLAGS], [" -iquote . -fms-extensions -Wno-microsoft-anon-tag -DDN_VMLINUX_H='\"$VMLINUX_H\"'"])])
  AC_SUBST([VMLINUX_H])
  AC_SUBST([BPF_CPPFLAGS])
])
