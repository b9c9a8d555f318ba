#!/bin/sh
# build.sh - configures where that is needed, and makes; after setup.sh.
#
# Usage: build.sh BUILD_DIR [CONFIGURE OPTION]...
# Reads BUILD_DIR/setup.env, or SETUP_ENV, for the daemon and its source.
#
# SPDX-License-Identifier: Apache-2.0
set -eu
top=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "$1"
build=$(cd "$1" && pwd)
shift
. "${SETUP_ENV:-$build/setup.env}"

if [ ! -x "$top/configure" ] || [ ! -f "$top/Makefile.in" ] || [ ! -f "$top/build-aux/tap-driver.sh" ]; then
    (cd "$top" && autoreconf -fi </dev/null)
fi
cd "$build"
# From here on make itself notices newer configure.ac, m4 and fragments; other options it cannot see.
options="--with-rsyslogd=$RSYSLOGD --with-rsyslog-src=$RSYSLOG_SRC $*"
if [ ! -f Makefile ] || [ "$(cat configured-with 2>/dev/null)" != "$options" ]; then
    rm -f configured-with
    "$top/configure" --with-rsyslogd="$RSYSLOGD" --with-rsyslog-src="$RSYSLOG_SRC" "$@" </dev/null
    echo "$options" >configured-with
fi
exec make -j"${JOBS:-$(nproc 2>/dev/null || echo 2)}" </dev/null
