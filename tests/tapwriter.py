# SPDX-License-Identifier: Apache-2.0
"""TAP for the Python tests: one line per case as it ends, `#` lines behind a failure, the plan last.

One test program, one writer: the state is the module's. The end-to-end tests have a runner above it (tests/e2e/tap.py).
"""
import os
import sys

_count = 0
_failed = 0

LINES_MAX, LINE_MAX = 20, 2000  # of what is said about one failure


def in_ci():
    """In CI everything that a test needs has to be there."""
    return os.environ.get("CI") == "true"


def comment(text):
    for part in str(text).splitlines():
        print("# " + part, flush=True)


def line(good, name, why=(), skip=None):
    """Prints one result; `why` (lines) only when it is bad."""
    global _count, _failed
    _count += 1
    _failed += not good
    text = "%s %d - %s" % ("ok" if good else "not ok", _count, name.replace("#", "\\#"))
    print(text + (f" # SKIP {skip}" if skip is not None else ""))
    for note in () if good else why:
        comment(note)
    sys.stdout.flush()


def ok(condition, name, *why):
    lines = [part[:LINE_MAX] for text in why for part in str(text).splitlines()]
    line(bool(condition), name, lines[:LINES_MAX])
    return bool(condition)


def equal(got, want, name):
    return ok(got == want, name, "got:  %r" % (got,), "want: %r" % (want,))


def none(problems, name):
    """The case passes when the list of problems is empty."""
    problems = list(problems)
    return ok(not problems, name, "%d problems" % len(problems), *problems)


def skip(name, reason):
    line(True, name, skip=reason)


def lacks(name, counterpart):
    """A counterpart is not there: a skipped case, in CI a failed one."""
    if in_ci():
        ok(False, name, f"{counterpart} is not there")
    else:
        skip(name, f"{counterpart} is not there")


def skip_all(reason):
    """Ends the program: nothing to test, in CI a failure."""
    if in_ci():
        ok(False, reason)
        done()
    print(f"1..0 # SKIP {reason}")
    sys.exit(0)


def plan(count):
    print(f"1..{count}", flush=True)


def done():
    """The plan, and the end of the program."""
    plan(_count)
    finish()


def finish():
    sys.exit(1 if _failed else 0)
