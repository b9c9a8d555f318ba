# SPDX-License-Identifier: Apache-2.0
"""A small TAP runner: functions named test_* of the calling module, in order.

A test takes one argument, a Case. Case.start() makes things that must be stopped; they are
stopped when the test is over, whatever happened. A test that lacks its counterpart raises
Skip; with CI=true in the environment that is a failure, since CI must have everything.
E2E_ONLY=PATTERN (fnmatch) runs some tests only.
"""
import fnmatch
import os
import shutil
import signal
import sys
import tempfile
import traceback

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import tapwriter  # noqa: E402
from fstrm import PATIENCE  # noqa: E402
from tapwriter import comment  # noqa: E402,F401

DEFAULT_TIMEOUT = 60


class Skip(Exception):
    """The counterpart of a test is not there."""


class OtherBuild(Skip):
    """The test cannot be made in this kind of build; CI runs it in another one."""


class NotRoot(OtherBuild):
    """The test needs root's rights; where it runs without them that is no fault of the tree's."""


class TestTimeout(Exception):
    """A test took longer than its limit."""


def timeout(seconds):
    """Decorator: the limit of one test."""
    def mark(function):
        function.timeout = seconds
        return function
    return mark


def cases(*arguments):
    """Decorator: runs the test once per argument; (name, value) pairs or plain strings."""
    def mark(function):
        function.cases = [a if isinstance(a, tuple) else (a, a) for a in arguments]
        return function
    return mark


class Case:
    """What one test may use: a private directory, and things that are stopped after it."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="e2e-")
        self.things = []
        os.chmod(self.dir, 0o755)

    def start(self, thing):
        """Registers a thing with stop() and, perhaps, diagnosis(); started here if it can be."""
        self.things.append(thing)
        if hasattr(thing, "start"):
            thing.start()
        return thing

    def diagnosis(self):
        for thing in self.things:
            if hasattr(thing, "diagnosis"):
                yield from thing.diagnosis()

    def close(self):
        errors = []
        for thing in reversed(self.things):
            try:
                thing.stop()
            except Exception as error:  # every thing must be stopped
                errors.append(error)
        if errors:
            raise errors[0]

    def remove(self):
        shutil.rmtree(self.dir, ignore_errors=True)


def expire(_signum, _frame):
    raise TestTimeout("the test took too long")


def close_case(case, failure):
    """Stops everything; a failure in that fails a test that had passed."""
    signal.alarm(int(30 * PATIENCE))
    try:
        case.close()
    except Exception as error:
        failure = failure or error
    signal.alarm(0)
    return failure


def run_one(name, function, arguments, limit):
    """Runs one test and prints its line."""
    case = Case()
    failure = None
    signal.alarm(int(limit * PATIENCE))
    try:
        function(case, *arguments)
    except Exception as error:  # a test may fail in any way
        failure = error
    signal.alarm(0)
    notes = list(case.diagnosis()) if failure and not isinstance(failure, Skip) else []
    was_good = failure is None
    failure = close_case(case, failure)
    if failure is not None and was_good:
        notes = list(case.diagnosis())
    case.remove()
    if isinstance(failure, OtherBuild) or isinstance(failure, Skip) and not tapwriter.in_ci():
        tapwriter.skip(name, failure)
    else:
        said = traceback.format_exception(failure) if failure else []
        tapwriter.line(failure is None, name, [part for text in said + notes for part in str(text).splitlines()])


def plan_of(module, only="*"):
    """(name, function, arguments) of a module's tests, one per case."""
    plan = []
    for name, function in list(vars(module).items()):
        if not name.startswith("test_"):
            continue
        for label, value in getattr(function, "cases", [(None, None)]):
            full = name if label is None else f"{name}[{label}]"
            if fnmatch.fnmatch(full, only) or fnmatch.fnmatch(name, only):
                plan.append((full, function, () if label is None else (value,)))
    return plan


def main(module_name="__main__"):
    plan = plan_of(sys.modules[module_name], os.environ.get("E2E_ONLY", "*"))
    signal.signal(signal.SIGALRM, expire)
    tapwriter.plan(len(plan))
    for name, function, arguments in plan:
        run_one(name, function, arguments, getattr(function, "timeout", DEFAULT_TIMEOUT))
    tapwriter.finish()
