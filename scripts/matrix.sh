#!/bin/bash
# matrix.sh - builds and tests this commit on several releases of Debian and Ubuntu, each in a root
# directory of its own made by debootstrap.
#
# Usage: scripts/matrix.sh [OPTION]... [-- OPTION OF check.sh]...
#
#   --suite NAME    a release: bookworm, trixie, sid, noble ...; repeat for more
#                   (default: bookworm trixie sid)
#   --mirror URL    where its packages come from (default: for Debian what this machine's apt has;
#                   for Ubuntu there is none)
#   --keyring FILE  the keys of that mirror, when they are not where debootstrap looks (Ubuntu's are in
#                   the package ubuntu-keyring); what is not signed is not used
#   --dir DIR       where the roots and the logs go (default: MATRIX_DIR, else /var/tmp/dnstap-matrix)
#   --source DIR    where trees rsyslog-VERSION are, for a release whose archive has lost the source
#                   of its rsyslog; each must be of the exact version
#   --fresh         make the roots anew; without it those that are there serve again as they are
#   --table         run nothing, print the table of the logs that are there
#
# In each root: the release's rsyslog, gcc and clang are installed, the tree of HEAD (not the work
# tree) is unpacked, and scripts/check.sh runs there, by default with --clang: every warning of gcc
# or clang is an error. DIR/SUITE.log is its output; at the end comes a table in Markdown. The exit
# status is 0 when every release built without a warning and passed.
#
# Needs root, debootstrap, git, 4 GB per release and, per release, about 15 minutes. Everything runs
# in name spaces of mounts and processes of its own: whichever way this ends, nothing stays mounted
# or running. No service is started.
#
# SPDX-License-Identifier: Apache-2.0
set -u
exec </dev/null
LC_ALL=C
export LC_ALL
PATH=$PATH:/usr/sbin:/sbin
top=$(cd "$(dirname "$0")/.." && pwd)
dir=${MATRIX_DIR:-/var/tmp/dnstap-matrix}
suites=() mirror='' source='' keyring=() fresh=no run=yes

die() {
    echo "matrix: $*" >&2
    exit 2
}

while [ $# -gt 0 ]; do
    case $1 in
    --suite|--mirror|--keyring|--source|--dir)
        [ $# -gt 1 ] || die "$1 needs a value"
        case $1 in
        --suite) suites+=("$2") ;;
        --mirror) mirror=$2 ;;
        --keyring) keyring=(--keyring "$2") ;;
        --source) source=$2 ;;
        --dir) dir=$2 ;;
        esac
        shift ;;
    --fresh) fresh=yes ;;
    --table) run=no ;;
    --) shift; break ;;
    -h|--help) sed -n '2,/^# SPDX/{/^# SPDX/d;s/^# \{0,1\}//;p;}' "$0"; exit 0 ;;
    *) die "unknown option $1 (--help)" ;;
    esac
    shift
done
[ ${#suites[@]} -gt 0 ] || suites=(bookworm trixie sid)
check_options=("$@")
[ $# -gt 0 ] || check_options=(--clang)
mkdir -p "$dir" || exit 2
dir=$(cd "$dir" && pwd)

say() {
    echo "matrix: $* ($((SECONDS / 60)):$(printf %02d $((SECONDS % 60))))"
}

# What debootstrap does with a release: it may be younger than debootstrap, and the same script serves.
script_of() {
    local scripts=/usr/share/debootstrap/scripts
    if [ -e "$scripts/$1" ]; then
        readlink -f "$scripts/$1"
    else
        case $1 in
        noble|plucky|questing|resolute) echo "$scripts/gutsy" ;;
        *) echo "$scripts/sid" ;;
        esac
    fi
}

is_ubuntu() {
    [ "$(script_of "$1")" = "$(script_of gutsy)" ]
}

mirror_of() {
    local found=$mirror
    if [ -z "$found" ] && ! is_ubuntu "$1"; then
        found=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Label: Debian' \
            'Component: main' 2>/dev/null | grep -m 1 '^http')
    fi
    [ -n "$found" ] || { echo "matrix: no mirror known for $1: give one with --mirror" >&2; return 1; }
    echo "$found"
}

# A root with apt set up as on this machine: the same proxies and clock rules, and no service ever starts.
make_root() {
    local suite=$1 root=$dir/$1 url components=main
    [ $fresh = no ] || rm -rf "$root"
    [ ! -f "$root/etc/matrix-root" ] || return 0
    rm -rf "$root"
    url=$(mirror_of "$suite") || return 1
    ! is_ubuntu "$suite" || components=main,universe
    say "$suite: debootstrap from $url"
    timeout -k 30 1800 debootstrap --variant=minbase --components=$components --force-check-gpg \
        "${keyring[@]}" "$suite" "$root" "$url" "$(script_of "$suite")" >"$dir/$suite.debootstrap.log" 2>&1 || {
        tail -n 5 "$dir/$suite.debootstrap.log"
        return 1
    }
    printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
    chmod +x "$root/usr/sbin/policy-rc.d"
    apt-config dump --format '%F "%v";%n' | grep -iE '^Acquire::((https?|ftp)::.*proxy|check-(valid-until|date))' \
        >"$root/etc/apt/apt.conf.d/90matrix" || :
    touch "$root/etc/matrix-root"
}

# Runs a command in a root, in name spaces of its own that end with it. Not by chroot: in one, user
# name spaces are forbidden, and Knot Resolver's test needs one.
inside() {
    local root=$1
    shift
    setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child -- sh -c '
        set -e
        root=$1
        shift
        mount --bind "$root" "$root"
        mount -t proc proc "$root/proc"
        mount --rbind /dev "$root/dev"
        mount --rbind /sys "$root/sys"
        cd "$root"
        mkdir -p .outside
        pivot_root . .outside
        umount -l /.outside
        exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C JOBS="$JOBS" \
            DEBIAN_FRONTEND=noninteractive "$@"' sh "$root" "$@"
}

daemon_version='rsyslogd -v | sed -n "1s/^rsyslogd  *\([0-9][^ ,]*\).*/\1/p"'

# What is told about a release, asked inside its root.
versions='
echo "matrix: $(. /etc/os-release; echo "os=$PRETTY_NAME")"
echo "matrix: rsyslog=$('"$daemon_version"')"
echo "matrix: gcc=$(gcc -dumpfullversion)"
echo "matrix: clang=$(clang -dumpversion)"
echo "matrix: glibc=$(ldd --version | sed -n "1s/.* //p")"
for package in bind9 unbound knot nsd dnsdist pdns-recursor knot-resolver knot-resolver6 python3-dnspython ldnsutils; do
    echo "matrix: $package=$(apt-cache policy $package | sed -n "s/^  Candidate: //p")"
done'

check() {
    local suite=$1 root=$dir/$1 tree
    shift
    cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
    rm -rf "$root/source"
    mkdir -p "$root/source" "$root/build"
    # What was downloaded serves again; what was built does not.
    find "$root/build" -mindepth 1 -maxdepth 1 ! -name servers ! -name rsyslog-src -exec rm -rf {} +
    git -C "$top" archive HEAD | tar -x -C "$root/source" || return
    inside "$root" sh -c 'apt-get -q update && apt-get -q -y -o Acquire::Retries=3 \
        install --no-install-recommends gcc libc6-dev clang rsyslog ca-certificates systemd apparmor' || return
    echo "matrix: commit=$(git -C "$top" rev-parse --short HEAD)"
    inside "$root" sh -c "$versions"
    tree=$source/rsyslog-$(inside "$root" sh -c "$daemon_version")
    if [ -n "$source" ] && [ -d "$tree" ]; then
        echo "matrix: source=$tree"
        mkdir -p "$root/build/rsyslog-src"
        cp -R "$tree" "$root/build/rsyslog-src/"
    fi
    inside "$root" env BUILD=/build /source/scripts/check.sh "$@"
}

value() {
    sed -n "s/^matrix: $2=//p" "$dir/$1.log" | tail -n 1
}

# Every compiler's log of the root; none there is no zero.
warnings() {
    local logs=("$dir/$1"/build/build.log "$dir/$1"/build/check.log "$dir/$1"/build/clang*.log)
    [ -f "${logs[0]}" ] || { echo none built; return; }
    cat "${logs[@]}" 2>/dev/null | grep -cE 'warning:|\[-Werror'
}

table() {
    local suite tests status=0 count
    echo '| release | rsyslog | gcc | clang | glibc | warnings | passed | failed | skipped |'
    echo '|---|---|---|---|---|---|---|---|---|'
    for suite in "${suites[@]}"; do
        tests=$(sed -n 's/^tests: \([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$/\1 | \2 | \3/p' \
            "$dir/$suite.log" 2>/dev/null | tail -n 1)
        if [ -z "$tests" ]; then
            echo "| $suite | not tested |"
            status=1
            continue
        fi
        count=$(warnings "$suite")
        echo "| $(value "$suite" os), $suite | $(value "$suite" rsyslog) | $(value "$suite" gcc) |" \
            "$(value "$suite" clang) | $(value "$suite" glibc) | $count | $tests |"
        case "$count $tests" in
        "0 "*" | 0 | "*) ;;
        *) status=1 ;;
        esac
    done
    return $status
}

if [ $run = yes ]; then
    [ "$(id -u)" -eq 0 ] || die "needs root, to make roots and enter them"
    for program in debootstrap git setpriv unshare pivot_root; do
        command -v $program >/dev/null || die "needs $program"
    done
    JOBS=${JOBS:-$(nproc)}
    export JOBS
    for suite in "${suites[@]}"; do
        rm -f "$dir/$suite.log"
        make_root "$suite" || { say "$suite: no root could be made"; continue; }
        say "$suite: check.sh ${check_options[*]}, log in $dir/$suite.log"
        check "$suite" "${check_options[@]}" >"$dir/$suite.log" 2>&1 || say "$suite: FAILED"
        tail -n 1 "$dir/$suite.log"
    done
fi
table
