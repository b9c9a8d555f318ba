# SPDX-License-Identifier: Apache-2.0
"""doc/faults.md: at least 40 rows, whole ones, and every test that they name is there and is run.

A test is named FILE:TEST, as in test_start.py:test_port_taken. Of Python's the runner itself is asked
for the names, of cmocka's programs their list of tests; the file must be in the tree's list of tests.
doc/servers.md names tests of three files by their names alone.
"""
import importlib
import os
import re
import sys

SOURCE = os.environ.get("abs_top_srcdir") or \
    os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
TESTS = os.path.join(SOURCE, "tests")
sys.path[:0] = [TESTS, os.path.join(TESTS, "e2e")]
import tap
import tapwriter

COLUMNS = 5  # fault, what happens, line, counter, test
LEAST = 40


def read(*parts):
    with open(os.path.join(SOURCE, *parts)) as file:
        return file.read()


def rows():
    for line in read("doc", "faults.md").splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split(" | ")]
        if line.startswith("| ") and cells[0] not in ("fault", ""):
            yield cells


def collected(name):
    """The tests that a file runs; none when make check does not run the file."""
    directory = {"py": "e2e", "c": "unit", "sh": "structure"}[name.rsplit(".", 1)[1]]
    listed = f"tests/{directory}/{name[:-2] if directory == 'unit' else name}"
    if not re.search(re.escape(listed) + r"(?=\s)", read("tests", directory, "local.mk")):
        return set()
    if directory == "e2e":
        names = {full for full, _, _ in tap.plan_of(importlib.import_module(name[:-3]))}
        return names | {full.split("[")[0] for full in names}
    text = read("tests", directory, name)
    if directory == "unit":
        return set(re.findall(r"(?:cmocka_unit_test\w*|WITH_SERVER|FOLLOWING)\((\w+)", text))
    return set(re.findall(r'^(?:refuses|check) "([^"]+)"', text, re.M))


def unknown(cell, known):
    """What the last cell of a row names and is not there."""
    tests = re.findall(r"`([^`]+)`", cell)
    if not tests:
        yield f"no test: {cell}"
    for test in tests:
        file, _, name = test.partition(":")
        if file not in known:
            try:
                known[file] = collected(file)
            except (OSError, KeyError, IndexError, ImportError):
                known[file] = set()
        if name not in known[file]:
            yield test


def unknown_of_servers():
    known = set().union(*map(collected, ("test_live.py", "test_restart.py", "test_files.py")))
    named = re.findall(r"`(test_\w+(?:\[\w+\])?)`", read("doc", "servers.md"))
    if not named:
        yield "no test at all"
    yield from (test for test in named if test not in known)


def main():
    table, known = list(rows()), {}
    tapwriter.ok(len(table) >= LEAST, f"the table has {LEAST} rows at least", f"{len(table)} rows")
    tapwriter.none((" | ".join(row) for row in table if len(row) != COLUMNS or not all(row)),
                   "every row is whole")
    tapwriter.none((test for row in table for test in unknown(row[-1], known)),
                   "every test of the table is there, and is run")
    faults = [row[0] for row in table]
    tapwriter.none((fault for fault in set(faults) if faults.count(fault) > 1), "no fault is there twice")
    tapwriter.none(unknown_of_servers(), "every test that doc/servers.md names is there, and is run")
    tapwriter.done()


if __name__ == "__main__":
    main()
