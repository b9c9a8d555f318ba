# SPDX-License-Identifier: Apache-2.0
"""TAP for the test programs of this directory: one `ok` per case, a plan at the end."""
import sys

_count = 0
_failed = 0


def ok(condition, name, why=""):
    global _count, _failed
    _count += 1
    print("%s %d - %s" % ("ok" if condition else "not ok", _count, name.replace("#", "\\#")))
    if not condition:
        _failed += 1
        for line in str(why).splitlines()[:20]:
            print("# " + line[:2000])
    sys.stdout.flush()
    return condition


def equal(got, want, name):
    return ok(got == want, name, "got:  %r\nwant: %r" % (got, want))


def none(problems, name):
    """The case passes when the list of problems is empty."""
    problems = list(problems)
    return ok(not problems, name, "%d problems\n%s" % (
        len(problems), "\n".join(str(p) for p in problems[:10])))


def skip(name, why):
    global _count
    _count += 1
    print("ok %d - %s # SKIP %s" % (_count, name, why))


def done():
    print("1..%d" % _count)
    sys.exit(1 if _failed else 0)
