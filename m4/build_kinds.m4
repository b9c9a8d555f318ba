# build_kinds.m4 - warnings, hardening, sanitizers, fuzzing, coverage.
# SPDX-License-Identifier: Apache-2.0

# BUILD_TRY_CFLAG(VARIABLE, FLAG): appends FLAG to VARIABLE when the compiler takes it silently.
AC_DEFUN([BUILD_TRY_CFLAG], [
build_saved_CFLAGS=$CFLAGS
CFLAGS="$CFLAGS -Werror $2"
AC_MSG_CHECKING([whether $CC takes $2])
AC_COMPILE_IFELSE([AC_LANG_PROGRAM()],
    [AC_MSG_RESULT([yes]); $1="$$1 $2"], [AC_MSG_RESULT([no])])
CFLAGS=$build_saved_CFLAGS
])

# BUILD_TRY_LDFLAG(VARIABLE, FLAG): the same for the linker.
AC_DEFUN([BUILD_TRY_LDFLAG], [
build_saved_LDFLAGS=$LDFLAGS
LDFLAGS="$LDFLAGS $2"
AC_MSG_CHECKING([whether the linker takes $2])
AC_LINK_IFELSE([AC_LANG_PROGRAM()],
    [AC_MSG_RESULT([yes]); $1="$$1 $2"], [AC_MSG_RESULT([no])])
LDFLAGS=$build_saved_LDFLAGS
])

AC_DEFUN([BUILD_WARNINGS], [
WARN_CFLAGS="-Wall -Wextra -Wshadow -Wvla -Wmissing-prototypes -Wstrict-prototypes"
AC_ARG_ENABLE([werror],
    [AS_HELP_STRING([--enable-werror], [a compiler warning ends the build; for developers and CI])])
AS_IF([test "x$enable_werror" = xyes], [WARN_CFLAGS="$WARN_CFLAGS -Werror"])
AC_SUBST([WARN_CFLAGS])
])

# Not compatible with each other: sanitizers and coverage take away optimisation and FORTIFY.
AC_DEFUN([BUILD_KINDS], [
AC_ARG_ENABLE([sanitizers],
    [AS_HELP_STRING([--enable-sanitizers=LIST],
        [instrument the library, the modules and the tests: address,undefined or thread. A module
         so built is for tests: the stock daemon loads it only with the sanitizer's runtime preloaded])],
    [], [enable_sanitizers=no])
AC_ARG_ENABLE([fuzzing],
    [AS_HELP_STRING([--enable-fuzzing],
        [build the fuzz targets with libFuzzer (clang only); without it they are plain programs
         that replay their inputs])])
AC_ARG_ENABLE([coverage],
    [AS_HELP_STRING([--enable-coverage],
        [count executed lines; "make coverage" then runs the tests and reports on lib/ (gcovr or gcov)])])
AC_ARG_ENABLE([hardening],
    [AS_HELP_STRING([--disable-hardening],
        [leave out full RELRO, immediate binding, stack protector and FORTIFY_SOURCE])])

HARDENING_CFLAGS= HARDENING_CPPFLAGS= HARDENING_LDFLAGS= BUILD_CFLAGS= BUILD_LDFLAGS=
AS_CASE([$enable_sanitizers],
    [no|''], [],
    [yes], [AC_MSG_ERROR([--enable-sanitizers needs a list: address,undefined or thread])],
    [BUILD_CFLAGS="-fsanitize=$enable_sanitizers -fno-omit-frame-pointer -fno-sanitize-recover=all -g -O1"
     BUILD_LDFLAGS="-fsanitize=$enable_sanitizers"
     enable_hardening=no])
AS_IF([test "x$enable_coverage" = xyes],
    [BUILD_CFLAGS="$BUILD_CFLAGS --coverage -O0 -g"
     BUILD_LDFLAGS="$BUILD_LDFLAGS --coverage"
     enable_hardening=no])
FUZZ_CFLAGS= FUZZ_LDFLAGS=
AS_IF([test "x$enable_fuzzing" = xyes],
    [AS_CASE([`$CC --version 2>/dev/null`], [*clang*], [],
        [AC_MSG_ERROR([--enable-fuzzing needs clang: ./configure CC=clang])])
     BUILD_CFLAGS="$BUILD_CFLAGS -fsanitize=fuzzer-no-link"
     FUZZ_LDFLAGS="-fsanitize=fuzzer"
     enable_hardening=no])
AS_IF([test "x$enable_hardening" != xno],
    [BUILD_TRY_CFLAG([HARDENING_CFLAGS], [-fstack-protector-strong])
     BUILD_TRY_CFLAG([HARDENING_CFLAGS], [-fstack-clash-protection])
     AS_CASE([$CFLAGS], [*-O0*], [], [*-O*], [HARDENING_CPPFLAGS="-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2"])
     BUILD_TRY_LDFLAG([HARDENING_LDFLAGS], [-Wl,-z,relro])
     BUILD_TRY_LDFLAG([HARDENING_LDFLAGS], [-Wl,-z,now])])
AC_SUBST([HARDENING_CFLAGS])
AC_SUBST([HARDENING_CPPFLAGS])
AC_SUBST([HARDENING_LDFLAGS])
AC_SUBST([BUILD_CFLAGS])
AC_SUBST([BUILD_LDFLAGS])
AC_SUBST([FUZZ_LDFLAGS])
AC_SUBST([SANITIZERS], [$enable_sanitizers])
AM_CONDITIONAL([FUZZING], [test "x$enable_fuzzing" = xyes])
AM_CONDITIONAL([COVERAGE], [test "x$enable_coverage" = xyes])
])

# BUILD_OPTIONAL(OPTION, VARIABLE, PKG-CONFIG NAME, WHAT FOR): HAVE_VARIABLE, VARIABLE_CFLAGS and
# VARIABLE_LIBS; used when found unless --without-OPTION, an error when asked for and not found.
AC_DEFUN([BUILD_OPTIONAL], [
AC_ARG_WITH([$1], [AS_HELP_STRING([--without-$1], [build without $3: no $4])], [], [with_$1=auto])
build_have=no
AS_IF([test "x$with_$1" != xno],
    [PKG_CHECK_MODULES([$2], [$3], [build_have=yes],
        [AS_IF([test "x$with_$1" = xyes], [AC_MSG_ERROR([--with-$1: $3 not found])])])])
AS_IF([test "$build_have" = yes],
    [AC_DEFINE([HAVE_$2], [1], [Define to 1 for $4 ($3).])],
    [$2_CFLAGS= $2_LIBS=])
AM_CONDITIONAL([HAVE_$2], [test "$build_have" = yes])
])
