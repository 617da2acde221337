dnl DN_WARNINGS: every warning the project asks for, in one place. Sets
dnl DN_WARN_CFLAGS to those the compiler takes; --enable-werror makes them fatal.
dnl The tree is clean under gcc 12 and clang 14.

dnl DN_ADD_FLAG(VARIABLE, FLAG): append FLAG when the compiler and the linker
dnl accept it. -Werror is on during the question because clang only warns about
dnl a flag it does not know.
AC_DEFUN([DN_ADD_FLAG], [
  AS_VAR_PUSHDEF([cache], [dn_cv_flag_$2])
  AC_CACHE_CHECK([whether $CC accepts $2], [cache], [
    dn_save_CFLAGS=$CFLAGS
    CFLAGS="$CFLAGS -Werror $2"
    AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])],
      [AS_VAR_SET([cache], [yes])], [AS_VAR_SET([cache], [no])])
    CFLAGS=$dn_save_CFLAGS
  ])
  AS_VAR_IF([cache], [yes], [AS_VAR_APPEND([$1], [" $2"])])
  AS_VAR_POPDEF([cache])
])

AC_DEFUN([DN_WARNINGS], [
  AC_ARG_ENABLE([werror],
    [AS_HELP_STRING([--enable-werror], [treat compiler warnings as errors])],
    [], [enable_werror=no])
  DN_WARN_CFLAGS=
  m4_foreach_w([dn_flag], [
    -Wall
    -Wextra
    -Wshadow
    -Wstrict-prototypes
    -Wmissing-prototypes
    -Wold-style-definition
    -Wpointer-arith
    -Wwrite-strings
    -Wvla
    -Wundef
    -Wformat=2
    -Wdate-time
  ], [DN_ADD_FLAG([DN_WARN_CFLAGS], dn_flag)])
  dnl Event tables are arrays that name only the fields that differ from zero.
  DN_ADD_FLAG([DN_WARN_CFLAGS], [-Wno-missing-field-initializers])
  AS_IF([test "x$enable_werror" = xyes],
    [AS_VAR_APPEND([DN_WARN_CFLAGS], [" -Werror"])])
  AC_SUBST([DN_WARN_CFLAGS])
])
