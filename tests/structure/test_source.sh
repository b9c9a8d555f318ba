#!/bin/sh
# Source files: formatted as .clang-format says, a licence line each, nothing unfinished; what goes into the modules
# calls no function that several threads cannot call at once; no test what cmocka 2 calls deprecated.
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/tap.sh"
plan 5

files=$(find "$srcdir/lib" "$srcdir/glue" "$srcdir/imdnstap" "$srcdir/mmdnstapparse" "$srcdir/tests" \
    -name '*.[ch]' ! -name '*.pb-c.*')
scripts=$(find "$srcdir/tests" "$srcdir/scripts" -name '*.py' -o -name '*.sh')
# One version decides, that of Debian 12: others lay out some lines in another way. Where it is not,
# this is not checked (doc/compatibility.md).
format=
for program in clang-format-14 clang-format; do
    if [ -z "$format" ] && $program --version 2>/dev/null | grep -q 'version 14\.'; then
        format=$program
    fi
done
if [ -n "$format" ]; then
    check "clang-format would change nothing" \
        "$($format --style=file --dry-run $files 2>&1 | grep 'warning:' | cut -d: -f1 | sort | uniq -c)"
elif [ "${CI:-}" = true ] && grep -qs '^VERSION_CODENAME=bookworm' /etc/os-release; then
    check "clang-format would change nothing" "clang-format 14 is missing in CI"
else
    skip "clang-format would change nothing" "no clang-format 14 here"
fi
check "every source file has its SPDX line" \
    "$(grep -L 'SPDX-License-Identifier: Apache-2.0' $files $scripts)"
check "nothing is left for later" \
    "$(grep -nE 'TO''DO|FIX''ME|X''XX:' $files $scripts)"
# attributes(7), "MT-Unsafe" in glibc; rsyslogd has many threads.
unsafe='asctime|ctime|gmtime|localtime|strtok|rand|srand|random|drand48|lrand48|gethostby[a-z]+|getservby[a-z]+|getproto[a-z]+'
unsafe="$unsafe|getpw(nam|uid|ent)|getgr(nam|gid|ent)|setenv|unsetenv|putenv|clearenv|setlocale|tmpnam|tempnam|mktemp|inet_ntoa"
unsafe="$unsafe|ttyname|ptsname|getlogin|crypt|ecvt|fcvt|ether_ntoa|hcreate|hsearch|strsignal|umask|chdir|seteuid|setegid"
check "no function that is not thread-safe is called" \
    "$(cd "$srcdir" && grep -nE "(^|[^a-zA-Z0-9_.>\"])($unsafe) ?\(" lib/*.[ch] glue/*.[ch] imdnstap/*.[ch] mmdnstapparse/*.[ch] |
        grep -vE '^[^:]+:[0-9]+: *(/\*|\*)')"
# For each, cmocka 2 has one with a type in its name that cmocka 1 has not. Its warning is an error with --enable-werror.
deprecated='(assert|expect)_(not_)?in_(range|set)|expect_(not_)?value|expect_check|check_expected'
deprecated="$deprecated|will_(return|set_parameter)_(count|always|maybe)"
check "nothing that cmocka 2 deprecates is used" \
    "$(cd "$srcdir" && grep -nE "(^|[^a-zA-Z0-9_])($deprecated)(_count)? *\\(" tests/*/*.[ch])"
exit $tap_failed
