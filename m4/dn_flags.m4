dnl DN_FLAGS: the language level, hardening, and the sanitizer switches. Sets
dnl DN_CFLAGS, DN_CPPFLAGS, DN_LDFLAGS for programs, DN_SO_LDFLAGS for the
dnl SQLite extension, and DN_SANITIZE (for compiler and linker; apart,
dnl because the programs that tests record must be as plain as a user's), and
dnl DN_FUZZER, what links libFuzzer in.
AC_DEFUN([DN_FLAGS], [
  AC_ARG_ENABLE([asan],
    [AS_HELP_STRING([--enable-asan], [build with AddressSanitizer])],
    [], [enable_asan=no])
  AC_ARG_ENABLE([ubsan],
    [AS_HELP_STRING([--enable-ubsan], [build with UndefinedBehaviorSanitizer])],
    [], [enable_ubsan=no])
  AC_ARG_ENABLE([fuzzers],
    [AS_HELP_STRING([--enable-fuzzers],
       [build the fuzz targets with libFuzzer, and all with AddressSanitizer; needs CC=clang])],
    [], [enable_fuzzers=no])
  AS_IF([test "x$enable_fuzzers" = xyes], [enable_asan=yes])
  AC_ARG_ENABLE([hardening],
    [AS_HELP_STRING([--disable-hardening], [no stack protector, fortify, relro])],
    [], [enable_hardening=yes])

  DN_CFLAGS= DN_CPPFLAGS= DN_LDFLAGS= DN_SO_LDFLAGS=-shared
  DN_ADD_FLAG([DN_CFLAGS], [-std=gnu11])
  dnl PIC rather than PIE: one set of objects serves both the programs and the
  dnl SQLite extension. Hidden visibility keeps calls as direct as under PIE.
  DN_ADD_FLAG([DN_CFLAGS], [-fPIC])
  DN_ADD_FLAG([DN_CFLAGS], [-fvisibility=hidden])
  DN_ADD_FLAG([DN_CFLAGS], [-fno-strict-aliasing])
  AS_IF([test "x$enable_static_programs" != xyes], [DN_ADD_FLAG([DN_LDFLAGS], [-pie])], [
    DN_ADD_FLAG([DN_LDFLAGS], [-static-pie])
    AS_IF([test -z "$DN_LDFLAGS"], [DN_LDFLAGS=" -static"])
  ])
  DN_ADD_FLAG([DN_LDFLAGS], [-Wl,--as-needed])

  AS_IF([test "x$enable_hardening" = xyes], [
    DN_ADD_FLAG([DN_CFLAGS], [-fstack-protector-strong])
    DN_ADD_FLAG([DN_CFLAGS], [-fstack-clash-protection])
    DN_ADD_FLAG([DN_LDFLAGS], [-Wl,-z,relro])
    DN_ADD_FLAG([DN_LDFLAGS], [-Wl,-z,now])
    AS_VAR_APPEND([DN_SO_LDFLAGS], [" -Wl,-z,relro -Wl,-z,now"])
    dnl glibc refuses _FORTIFY_SOURCE without optimisation (a warning for every
    dnl file) and it hides errors from the sanitizers.
    AS_CASE([" $CFLAGS "],
      [*" -O0 "*], [],
      [*" -O"*], [AS_IF([test "x$enable_asan$enable_ubsan" = xnono],
        [DN_CPPFLAGS="-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2"])])
  ])

  DN_SANITIZE=
  AS_IF([test "x$enable_asan" = xyes], [
    DN_ADD_FLAG([DN_SANITIZE], [-fsanitize=address])
    AS_IF([test -z "$DN_SANITIZE"],
      [AC_MSG_ERROR([cannot build with --enable-asan: $CC has no -fsanitize=address here. Install its runtime (libasan or compiler-rt) or leave the switch out.])])
  ])
  AS_IF([test "x$enable_ubsan" = xyes], [
    dn_before=$DN_SANITIZE
    DN_ADD_FLAG([DN_SANITIZE], [-fsanitize=undefined])
    AS_IF([test "x$dn_before" = "x$DN_SANITIZE"],
      [AC_MSG_ERROR([cannot build with --enable-ubsan: $CC has no -fsanitize=undefined here. Install its runtime (libubsan or compiler-rt) or leave the switch out.])])
    DN_ADD_FLAG([DN_SANITIZE], [-fno-sanitize-recover=undefined])
  ])
  DN_FUZZER=
  AS_IF([test "x$enable_fuzzers" = xyes], [
    dn_before=$DN_SANITIZE
    DN_ADD_FLAG([DN_SANITIZE], [-fsanitize=fuzzer-no-link])
    AS_IF([test "x$dn_before" = "x$DN_SANITIZE"],
      [AC_MSG_ERROR([cannot build with --enable-fuzzers: $CC has no -fsanitize=fuzzer. Configure with CC=clang and its runtime (on Debian: clang, libclang-rt-dev), or leave the switch out.])])
    DN_FUZZER=-fsanitize=fuzzer
  ])
  AM_CONDITIONAL([FUZZERS], [test -n "$DN_FUZZER"])
  AC_SUBST([DN_FUZZER])
  AS_IF([test -n "$DN_SANITIZE"], [
    AS_VAR_APPEND([DN_SANITIZE], [" -fno-omit-frame-pointer"])
  ], [
    dnl A sanitizer's run-time is not there for a shared object to link.
    DN_ADD_FLAG([DN_SO_LDFLAGS], [-Wl,-z,defs])
  ])
  AC_SUBST([DN_SANITIZE])
  AC_SUBST([DN_CFLAGS])
  AC_SUBST([DN_CPPFLAGS])
  AC_SUBST([DN_LDFLAGS])
  AC_SUBST([DN_SO_LDFLAGS])
])
