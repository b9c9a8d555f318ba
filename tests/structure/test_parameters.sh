#!/bin/sh
# doc/configuration.md has a table row for every parameter that the modules know, and for no other.
# Rows begin with | `name`; a section "## imdnstap: ..." or "## mmdnstapparse: ..." holds each module's.
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/tap.sh"
plan 6

known() {
    cat "$srcdir/$1"/*.c | tr '\n' ' ' | grep -oE '\{ *"[a-z0-9._]+" *, *eCmdHdlr' |
        sed 's/[^"]*"\([^"]*\)".*/\1/' | sort
}

documented() {
    awk -v section="## $1:" '
        /^## / { inside = index($0, section) == 1 }
        inside && /^\| `/ { split($0, part, "`"); print part[2] }
    ' "$srcdir/doc/configuration.md" | sort
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for module in imdnstap mmdnstapparse; do
    known $module >"$work/known"
    documented $module >"$work/documented"
    complaints=
    [ "$(wc -l <"$work/known")" -ge 5 ] || complaints="found only $(wc -l <"$work/known") in the code"
    check "$module: the parameter tables are found" "$complaints"
    check "$module: every parameter is documented" "$(comm -23 "$work/known" "$work/documented")"
    check "$module: every documented parameter exists" "$(comm -13 "$work/known" "$work/documented")"
done
exit $tap_failed
