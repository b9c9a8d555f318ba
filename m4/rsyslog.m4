# rsyslog.m4 - the daemon, its source tree, and that the two are of one kind.
# SPDX-License-Identifier: Apache-2.0

# RSYSLOG_SAID(WORDS, MACRO): adds -DMACRO when `rsyslogd -v` says "WORDS: Yes".
m4_define([RSYSLOG_SAID], [
AS_IF([AS_ECHO(["$rsyslog_says"]) | grep "$1.*Yes" >/dev/null], [RSYSLOG_CPPFLAGS="$RSYSLOG_CPPFLAGS -D$2"])])

# RSYSLOG_LINKS(LIBRARY, MACRO): adds -DMACRO when the daemon needs that shared library.
m4_define([RSYSLOG_LINKS], [
AS_IF([LC_ALL=C grep -a "$1" "$rsyslog_program" >/dev/null 2>&1], [RSYSLOG_CPPFLAGS="$RSYSLOG_CPPFLAGS -D$2"])])

# RSYSLOG_ELF_KIND(FILE): class, byte order and machine of an ELF file; empty when it is none.
m4_define([RSYSLOG_ELF_KIND], [`{ od -An -tx1 -j4 -N2 "$1"; od -An -tx1 -j18 -N2 "$1"; } 2>/dev/null | tr -d '\n'`])

# RSYSLOG_FIND_DAEMON: RSYSLOGD, rsyslog_says (what -v prints), rsyslog_runs (its version).
AC_DEFUN([RSYSLOG_FIND_DAEMON], [
AC_ARG_WITH([rsyslogd],
    [AS_HELP_STRING([--with-rsyslogd=PATH],
        [the daemon that the modules are for; its version and build options must be those of the
         source tree (default: rsyslogd of PATH or of the sbin directories)])],
    [RSYSLOGD=$withval],
    [AC_PATH_PROG([RSYSLOGD], [rsyslogd], [], [$PATH:/usr/sbin:/sbin:/usr/local/sbin])])
AS_IF([test ! -x "$RSYSLOGD"],
    [AC_MSG_ERROR([no rsyslogd found${RSYSLOGD:+ at $RSYSLOGD}: the modules fit one version of it only. Install rsyslog, or name the daemon with --with-rsyslogd=PATH, or build the library alone with --without-rsyslog])])
rsyslog_says=`"$RSYSLOGD" -v 2>/dev/null`
rsyslog_runs=`AS_ECHO(["$rsyslog_says"]) | $SED -n ['1s/^rsyslogd  *\([0-9][^ ,]*\).*/\1/p']`
AC_MSG_CHECKING([for the version of $RSYSLOGD])
AC_MSG_RESULT([${rsyslog_runs:-unknown}])
AS_IF([test -z "$rsyslog_runs"], [AC_MSG_ERROR([$RSYSLOGD -v names no version: is it rsyslogd?])])
AC_SUBST([RSYSLOGD])
# A daemon that scripts/setup.sh unpacked is a script beside its program NAME.bin.
rsyslog_program=$RSYSLOGD
AS_IF([test -f "$RSYSLOGD.bin"], [rsyslog_program=$RSYSLOGD.bin])
])

# RSYSLOG_FIND_SOURCE: RSYSLOG_SRC (absolute) and rsyslog_source, its version.
AC_DEFUN([RSYSLOG_FIND_SOURCE], [
AC_ARG_WITH([rsyslog-src],
    [AS_HELP_STRING([--with-rsyslog-src=DIR],
        [source tree of the daemon's version; it need not be configured or built (default:
         rsyslog-src/rsyslog-VERSION in the build directory, where scripts/fetch-rsyslog-sdk.sh
         puts it)])],
    [RSYSLOG_SRC=$withval], [RSYSLOG_SRC=`pwd`/rsyslog-src/rsyslog-$rsyslog_runs])
AC_MSG_CHECKING([for the rsyslog source tree])
AS_IF([test -f "$RSYSLOG_SRC/runtime/module-template.h" && test -f "$RSYSLOG_SRC/configure.ac"],
    [RSYSLOG_SRC=`cd "$RSYSLOG_SRC" && pwd`],
    [AC_MSG_RESULT([none])
     AC_MSG_ERROR([no rsyslog source tree in $RSYSLOG_SRC. Run $srcdir/scripts/fetch-rsyslog-sdk.sh in the build directory, or name a tree of rsyslog $rsyslog_runs with --with-rsyslog-src=DIR])])
rsyslog_source=`$SED -n ['s/^AC.INIT(.rsyslog., *.\([0-9][0-9A-Za-z.]*\).*/\1/p'] "$RSYSLOG_SRC/configure.ac"`
AC_MSG_RESULT([$RSYSLOG_SRC, version ${rsyslog_source:-unknown}])
AS_IF([test "x$rsyslog_source" != "x$rsyslog_runs"],
    [AC_MSG_ERROR([version mismatch: the source tree $RSYSLOG_SRC is rsyslog ${rsyslog_source:-of unknown version}, but $RSYSLOGD is rsyslog $rsyslog_runs. A module built for another version loads and then corrupts the daemon: fetch the right tree with scripts/fetch-rsyslog-sdk.sh])])
AC_SUBST([RSYSLOG_SRC])
])

# RSYSLOG_CHECK_ABI: the compiler makes what the daemon can load. A daemon behind a script has no
# ELF header of its own and is not checked.
AC_DEFUN([RSYSLOG_CHECK_ABI], [
AC_MSG_CHECKING([whether the compiler makes objects for $RSYSLOGD])
rsyslog_elf=RSYSLOG_ELF_KIND([$rsyslog_program])
rsyslog_own=
AC_COMPILE_IFELSE([AC_LANG_PROGRAM()], [rsyslog_own=RSYSLOG_ELF_KIND([conftest.$ac_objext])])
AS_IF([test "`LC_ALL=C dd if="$rsyslog_program" bs=1 skip=1 count=3 2>/dev/null`" != ELF],
          [AC_MSG_RESULT([not known, it is a script])],
      [test "x$rsyslog_elf" = "x$rsyslog_own"], [AC_MSG_RESULT([yes])],
      [AC_MSG_RESULT([no])
       AC_MSG_ERROR([ABI mismatch: $RSYSLOGD is an ELF of class, byte order and machine $rsyslog_elf, the compiler makes $rsyslog_own: use CC or CFLAGS (-m32, -m64) of the daemon's platform])])
])

# RSYSLOG_LAYOUT: RSYSLOG_CPPFLAGS with every macro that changes the layout of a structure in
# rsyslog's headers, as the daemon was built.
AC_DEFUN([RSYSLOG_LAYOUT], [
RSYSLOG_CPPFLAGS="-isystem $RSYSLOG_SRC -isystem $RSYSLOG_SRC/runtime -isystem $RSYSLOG_SRC/grammar -D_FILE_OFFSET_BITS=64"
AS_IF([AS_ECHO(["$rsyslog_says"]) | grep ['FEATURE_DEBUG.*Yes'] >/dev/null],
    [RSYSLOG_CPPFLAGS="$RSYSLOG_CPPFLAGS -DDEBUG"], [RSYSLOG_CPPFLAGS="$RSYSLOG_CPPFLAGS -DNDEBUG"])
RSYSLOG_SAID([FEATURE_REGEXP:], [FEATURE_REGEXP])
RSYSLOG_SAID([32bit Atomic operations], [HAVE_ATOMIC_BUILTINS])
RSYSLOG_SAID([64bit Atomic operations], [HAVE_ATOMIC_BUILTINS64])
RSYSLOG_LINKS([liblogging-stdlog\.so], [ENABLE_LIBLOGGING_STDLOG])
# Newer headers only; where the tree does not know a macro it must not be defined either.
AS_IF([grep HAVE_LIBSYSTEMD "$RSYSLOG_SRC/runtime/rsconf.h" >/dev/null],
    [RSYSLOG_SAID([systemd support:], [HAVE_LIBSYSTEMD])])
AS_IF([grep ENABLE_LIBCAPNG "$RSYSLOG_SRC/runtime/rsconf.h" >/dev/null],
    [RSYSLOG_LINKS([libcap-ng\.so], [ENABLE_LIBCAPNG])])
AS_IF([grep HAVE_LOGNORM_TURBO "$RSYSLOG_SRC/runtime/msg.h" >/dev/null],
    [RSYSLOG_LINKS([ln_turbo], [HAVE_LOGNORM_TURBO])])
AC_SUBST([RSYSLOG_CPPFLAGS])
# ratelimit() objects, from 8.2602 on.
AS_IF([grep ratelimitNewFromConfig "$RSYSLOG_SRC/runtime/ratelimit.h" >/dev/null],
    [AC_DEFINE([HAVE_RATELIMIT_OBJECTS], [1], [The daemon has ratelimit() objects.])])
AC_DEFINE_UNQUOTED([RSYSLOG_SDK_VERSION], ["$rsyslog_source"],
    [Version of the rsyslog headers; the modules load into no other daemon.])
])

# RSYSLOG_MODULE_DIR: moduledir, and RSYSLOG_MODDIR where the daemon has its own modules. The two
# are the same unless a prefix of your own was asked for: then moduledir is LIBDIR/rsyslog, so that
# --prefix and DESTDIR keep their meaning.
AC_DEFUN([RSYSLOG_MODULE_DIR], [
rsyslog_root=`dirname "$RSYSLOGD"`/..
RSYSLOG_MODDIR=
for rsyslog_try in "$rsyslog_root"/lib/*/rsyslog "$rsyslog_root"/lib64/rsyslog "$rsyslog_root"/lib/rsyslog; do
    AS_IF([test -z "$RSYSLOG_MODDIR" && test -f "$rsyslog_try/lmnet.so"],
        [RSYSLOG_MODDIR=`cd "$rsyslog_try" && pwd`])
done
AC_ARG_WITH([moduledir],
    [AS_HELP_STRING([--with-moduledir=DIR],
        [where make install puts the modules (default: where the daemon looks for them, or
         LIBDIR/rsyslog with a --prefix or --libdir of your own)])],
    [moduledir=$withval],
    [moduledir='${libdir}/rsyslog'
     AS_IF([test -n "$RSYSLOG_MODDIR" && test "x$libdir" = 'x${exec_prefix}/lib'],
         [AS_CASE([$prefix], [NONE|"${RSYSLOG_MODDIR%%/lib*}"], [moduledir=$RSYSLOG_MODDIR])])])
AC_SUBST([moduledir])
AC_SUBST([RSYSLOG_MODDIR])
AC_MSG_NOTICE([make install puts the modules into $moduledir])
])

# RSYSLOG_SDK: all of the above.
AC_DEFUN([RSYSLOG_SDK], [
RSYSLOG_FIND_DAEMON
RSYSLOG_FIND_SOURCE
RSYSLOG_CHECK_ABI
RSYSLOG_LAYOUT
RSYSLOG_MODULE_DIR
])
