#!/bin/sh
# fetch-rsyslog-sdk.sh - the source tree that the modules are built with.
#
# rsyslog installs no headers, and a module must be built with those of the very version that will
# load it. This gets the source of the *installed* rsyslogd from the distribution's own source
# packages, checked by the package manager's signatures, and unpacks it to
#
#     DIR/rsyslog-src/rsyslog-VERSION
#
# where DIR is the build directory (default: the current one), and prints that path. When it is
# there already, nothing is done and no network is needed. No root rights are needed, and nothing
# on the system changes: source packages are looked up with lists of their own, in a directory that
# is removed at the end.
#
# Usage: fetch-rsyslog-sdk.sh [--rsyslogd PATH] [DIR]
#
# SPDX-License-Identifier: Apache-2.0
set -eu
LC_ALL=C
export LC_ALL
PATH=$PATH:/usr/sbin:/sbin

die() {
    echo "fetch-rsyslog-sdk.sh: $*" >&2
    exit 1
}

rsyslogd=${RSYSLOGD:-rsyslogd}
dir=.
while [ $# -gt 0 ]; do
    case $1 in
    --rsyslogd) [ $# -gt 1 ] || die "--rsyslogd needs a path"; rsyslogd=$2; shift ;;
    -h|--help) sed -n '2,/^# SPDX/{/^# SPDX/d;s/^# \{0,1\}//;p;}' "$0"; exit 0 ;;
    -*) die "unknown option $1" ;;
    *) dir=$1 ;;
    esac
    shift
done

version=$("$rsyslogd" -v 2>/dev/null </dev/null | sed -n '1s/^rsyslogd  *\([0-9][^ ,]*\).*/\1/p') || :
[ -n "$version" ] || die "cannot run $rsyslogd -v: install rsyslog, or name the daemon with --rsyslogd PATH"
mkdir -p "$dir/rsyslog-src"
dir=$(cd "$dir/rsyslog-src" && pwd)
tree=$dir/rsyslog-$version

if [ -f "$tree/runtime/module-template.h" ]; then
    echo "$tree"
    exit 0
fi

work=$(mktemp -d "$dir/fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# The system's own sources, asked for source packages.
apt_sources() {
    mkdir -p "$work/sources" "$work/lists/partial" "$work/cache/archives/partial"
    for list in /etc/apt/sources.list /etc/apt/sources.list.d/*; do
        case $list in
        *.sources)
            [ -f "$list" ] || continue
            sed 's/^Types:.*/Types: deb-src/' "$list" >"$work/sources/${list##*/}" ;;
        *.list)
            [ -f "$list" ] || continue
            sed -n 's/^[[:space:]]*deb[[:space:]]/deb-src /p' "$list" >"$work/sources/${list##*/}" ;;
        esac
    done
}

apt_private() {
    tool=$1
    shift
    timeout 300 "$tool" -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$work/sources" \
        -o Dir::State::Lists="$work/lists" -o Dir::Cache="$work/cache" \
        -o APT::Sandbox::User="$(id -un)" -o Acquire::Retries=3 -o Acquire::http::Timeout=60 \
        "$@" </dev/null
}

# Every revision of one upstream version carries the same .orig.tar, and an archive may list a
# revision that it no longer holds: so all are tried, newest first.
fetch_apt() {
    apt_sources
    # A third party's archive without source packages makes update fail as a whole: what counts is
    # whether rsyslog is found afterwards.
    apt_private apt-get -q update >"$work/update.log" 2>&1 || :
    revisions=$(apt_private apt-cache showsrc --only-source rsyslog 2>/dev/null |
        sed -n 's/^Version: //p' | grep -F "$version-" | sort -Vru) || :
    if [ -z "$revisions" ]; then
        tail -n 20 "$work/update.log" >&2
        die "no source package of rsyslog $version in the distribution's archives"
    fi
    for revision in $revisions; do
        (cd "$work" && apt_private apt-get -q source --only-source --download-only \
            "rsyslog=$revision") >"$work/source.log" 2>&1 || :
        archive=$(find "$work" -maxdepth 1 -name 'rsyslog_*.orig.tar.*' ! -name '*.asc' | head -n 1)
        # apt-get keeps an archive under its final name only after its checksum was right.
        [ -z "$archive" ] || return 0
        echo "rsyslog $revision: its source is not in the archive" >&2
    done
    tail -n 20 "$work/source.log" >&2
    die "none of these revisions could be downloaded:" $revisions
}

fetch_dnf() {
    (cd "$work" && timeout 600 dnf -q download --source "rsyslog-$version" </dev/null) ||
        die "dnf download --source rsyslog-$version failed (is dnf-plugins-core installed?)"
    package=$(find "$work" -name 'rsyslog-*.src.rpm' | head -n 1)
    [ -n "$package" ] || die "dnf downloaded no source package of rsyslog $version"
    (cd "$work" && rpm2cpio "$package" | cpio -id --quiet 'rsyslog-*.tar.*')
    archive=$(find "$work" -name "rsyslog-$version.tar.*" ! -name '*doc*' | head -n 1)
    [ -n "$archive" ] || die "$package holds no rsyslog-$version.tar"
}

archive=
if command -v apt-get >/dev/null; then
    fetch_apt
elif command -v dnf >/dev/null; then
    fetch_dnf
else
    die "neither apt-get nor dnf here: unpack the source of rsyslog $version to $tree yourself"
fi
mkdir "$work/tree"
tar -xf "$archive" -C "$work/tree" --strip-components=1
[ -f "$work/tree/runtime/module-template.h" ] || die "$archive is no rsyslog source"
rm -rf "$tree"
mv "$work/tree" "$tree"
echo "$tree"
