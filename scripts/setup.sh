#!/bin/sh
# setup.sh - everything that a build of rsyslog-dnstap needs, on the user's machine as a guest.
#
# Usage: setup.sh [--check] BUILD_DIR
#
#   1. Packages: compilers, libraries, and with --check what the tests need. Those that are missing
#      are named, then installed (with sudo when not root). None of them has a service.
#   2. rsyslogd: the installed one, if there is one. If not, its package is unpacked below
#      BUILD_DIR/private and runs from there: installing it would start a system logger.
#   3. The source of that very version, to BUILD_DIR/rsyslog-src (see fetch-rsyslog-sdk.sh).
#
# BUILD_DIR/setup.env then holds RSYSLOGD and RSYSLOG_SRC for the shell. A second run finds
# everything in place, changes nothing and needs no network. DNS servers for the live tests are not
# installed either: the tests unpack those that are not there (tests/e2e/programs.py).
#
# SPDX-License-Identifier: Apache-2.0
set -eu
LC_ALL=C
export LC_ALL
PATH=$PATH:/usr/sbin:/sbin
here=$(cd "$(dirname "$0")" && pwd)

say() {
    echo "setup: $*" >&2
}

die() {
    say "$*"
    exit 1
}

check=no
[ "${1:-}" != --check ] || { check=yes; shift; }
[ $# -eq 1 ] || die "usage: setup.sh [--check] BUILD_DIR"
mkdir -p "$1"
build=$(cd "$1" && pwd)

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        die "root rights are needed for this, and there is no sudo: $*"
    fi
}

# --- Debian and Ubuntu ------------------------------------------------------------------------

apt_packages() {
    echo gcc make libc6-dev autoconf automake libtool pkg-config libprotobuf-c-dev \
        protobuf-c-compiler libfstrm-dev libestr-dev libfastjson-dev libssl-dev zlib1g-dev \
        liblzma-dev libzstd-dev python3 ca-certificates
    [ $check = no ] || echo libcmocka-dev binutils openssl bind9-dnsutils dnsperf xz-utils \
        python3-dnspython ldnsutils libknot-dev jq golang-github-dnstap-golang-dnstap-cli
    # What CI must have and a user may do without: tests that lack these are skipped.
    if [ $check = yes ] && [ "${CI:-}" = true ]; then
        echo clang clang-tidy cppcheck apparmor systemd
        ! grep -qs '^VERSION_CODENAME=bookworm' /etc/os-release || echo clang-format-14
        command -v java >/dev/null || echo default-jdk-headless
        command -v mvn >/dev/null || echo maven
    fi
}

# Counterparts that some tests compare with; a test says so when its counterpart is not there.
apt_extras() {
    [ $check = no ] || echo python3-dnspython libldns3 jq valgrind golang-github-dnstap-golang-dnstap-cli
}

apt_missing() {
    for package; do
        state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) || state=
        [ "$state" = installed ] || printf '%s ' "$package"
    done
}

apt_root() {
    # No questions, and no restart of anybody's service by needrestart.
    as_root env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 NEEDRESTART_MODE=l \
        timeout 1200 apt-get -q -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 "$@" </dev/null >&2
}

# Looking up packages needs lists; a fresh machine or container has none.
apt_lists() {
    [ -z "${apt_updated:-}" ] || return 0
    apt_root update || say "apt-get update failed in part, going on"
    apt_updated=yes
}

apt_install() {
    missing=$(apt_missing $(apt_packages))
    extras=$(apt_missing $(apt_extras))
    [ -n "$missing$extras" ] || return 0
    say "these packages are missing and get installed: $missing$extras"
    apt_lists
    # All at once where that works; not every system has every counterpart.
    apt_root install -y --no-install-recommends $missing $extras && return 0
    [ -z "$missing" ] || apt_root install -y --no-install-recommends $missing ||
        die "apt-get could not install $missing"
    for package in $extras; do
        apt_root install -y --no-install-recommends "$package" || say "going on without $package"
    done
}

# Unpacks a package, with what it depends on and is not installed, below $build/private.
apt_unpack() {
    root=$build/private
    mkdir -p "$root/debs"
    names=$(apt-get -qq --print-uris --no-install-recommends -y install "$1" </dev/null 2>/dev/null |
        sed -n "s/^'[^']*' \([^_]*\)_.*/\1/p") || names=
    if [ -z "$names" ]; then
        apt_lists
        names=$(apt-get -qq --print-uris --no-install-recommends -y install "$1" </dev/null |
            sed -n "s/^'[^']*' \([^_]*\)_.*/\1/p")
    fi
    [ -n "$names" ] || die "apt-get knows no package $1"
    say "not installed, and so unpacked below $root:" $names
    (cd "$root/debs" && timeout 600 apt-get -q -o APT::Sandbox::User="$(id -un)" \
        -o Acquire::Retries=3 download $names </dev/null >&2) || die "cannot download" $names
    for deb in "$root"/debs/*.deb; do
        dpkg -x "$deb" "$root"
    done
    rm -rf "$root/debs"
}

# --- Fedora and its kin -----------------------------------------------------------------------

dnf_packages() {
    echo gcc make autoconf automake libtool pkgconf-pkg-config protobuf-c-devel protobuf-c-compiler \
        fstrm-devel libestr-devel libfastjson-devel openssl-devel zlib-devel xz-devel \
        libzstd-devel python3 cpio dnf-plugins-core
    [ $check = no ] || echo libcmocka-devel binutils openssl bind-utils xz python3-dns ldns jq
}

dnf_install() {
    missing=
    for package in $(dnf_packages); do
        rpm -q --whatprovides "$package" >/dev/null 2>&1 || missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    say "these packages are missing and get installed:$missing"
    as_root timeout 1200 dnf -y -q --setopt=install_weak_deps=False install $missing </dev/null >&2 ||
        die "dnf could not install$missing"
}

dnf_unpack() {
    root=$build/private
    mkdir -p "$root/rpms"
    say "$1 is not installed, and so unpacked below $root"
    (cd "$root/rpms" && timeout 600 dnf -q download --resolve "$1" </dev/null >&2) ||
        die "dnf could not download $1"
    for rpm in "$root"/rpms/*.rpm; do
        (cd "$root" && rpm2cpio "$rpm" | cpio -idu --quiet)
    done
    rm -rf "$root/rpms"
}

# ----------------------------------------------------------------------------------------------

# Makes an unpacked rsyslogd runnable where it lies: a script that names its libraries and modules.
wrap_rsyslogd() {
    program=$(find "$build/private" -path '*/sbin/rsyslogd' -type f | head -n 1)
    [ -n "$program" ] || die "the package of rsyslog holds no rsyslogd"
    modules=$(dirname "$(find "$build/private" -name lmnet.so | head -n 1)")
    libraries=$(find "$build/private" -name 'lib*.so*' ! -path '*/rsyslog/*' -printf '%h\n' |
        sort -u | tr '\n' ':')
    mv "$program" "$program.bin"
    cat >"$program" <<END
#!/bin/sh
LD_LIBRARY_PATH='$libraries'\${LD_LIBRARY_PATH:-} RSYSLOG_MODDIR='$modules'
export LD_LIBRARY_PATH RSYSLOG_MODDIR
exec '$program.bin' "\$@"
END
    chmod +x "$program"
}

if command -v apt-get >/dev/null; then
    system=apt
elif command -v dnf >/dev/null; then
    system=dnf
else
    die "neither apt-get nor dnf here: see doc/install.md for what is needed, and build by hand"
fi

${system}_install

# The live tests unpack the DNS servers that are not installed, and look them up in apt's lists:
# these must be there, and in CI, where a skipped test is a failed one, not be outdated either.
if [ $check = yes ] && [ $system = apt ] && ! [ -d "$build/servers" ]; then
    for server in named unbound knotd kresd nsd dnsdist pdns_recursor; do
        command -v $server >/dev/null || lists_wanted=yes
    done
    if [ -n "${lists_wanted:-}" ]; then
        [ "${CI:-}" != true ] && apt-cache show bind9 >/dev/null 2>&1 || apt_lists
    fi
fi

rsyslogd=${RSYSLOGD:-$(command -v rsyslogd || find "$build/private" -name rsyslogd -type f -perm -100 2>/dev/null | head -n 1)}
if [ -z "$rsyslogd" ]; then
    rm -rf "$build/private"
    ${system}_unpack rsyslog
    wrap_rsyslogd
    rsyslogd=$program
fi
source=$("$here/fetch-rsyslog-sdk.sh" --rsyslogd "$rsyslogd" "$build")

cat >"$build/setup.env" <<END
RSYSLOGD='$rsyslogd'
RSYSLOG_SRC='$source'
END
say "rsyslogd: $rsyslogd, its source: $source"
