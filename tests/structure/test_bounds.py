# SPDX-License-Identifier: Apache-2.0
"""doc/limits.md: every value is that of the constant it names, every test it names is there and is run.

A row is | what | at most | by | test |. Where the third cell names a constant (`NAME` in `FILE`) the number
of the second must be that of the #define; a constant that the row's text puts in parentheses counts for itself.
"""
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from test_faults import read, tapwriter, unknown

UNITS = {"KiB": 1 << 10, "MiB": 1 << 20}
LEAST = 25  # rows
CONSTANT = re.compile(r"`([A-Z][A-Z0-9_]+)` in `([a-z]+/[a-z_0-9]+\.[ch])`")


def rows():
    for line in read("doc", "limits.md").splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split(" | ")]
        if line.startswith("| ") and cells[0] != "what":
            yield cells


def value_of(name, file):
    """The number behind #define NAME, other constants of the project put in."""
    match = re.search(rf"^#define {name}\s+(.+?)\s*(/\*.*)?$", read(file), re.M)
    if not match:
        return None
    text = match[1]
    for other in re.findall(r"[A-Z][A-Z0-9_]{3,}", text):
        text = text.replace(other, str(value_of(other, file) or value_of(other, "lib/frame.h")))
    return eval(text, {"__builtins__": {}}) if re.fullmatch(r"[0-9()*+ <-]+", text) else None


def stated(cell):
    match = re.search(r"(\d+)(?: (KiB|MiB))?", cell)
    return int(match[1]) * UNITS.get(match[2], 1) if match else None


def wrong(row):
    """The constants of a row whose value is not what it says."""
    for name, file in CONSTANT.findall(row[2]):
        number = stated(row[1])
        if f"(`{name}`" in row[2]:  # "at most 16 (`NAME` in `FILE`)"
            number = stated(row[2].split(f"(`{name}`")[0].rsplit("at most", 1)[1])
        value = value_of(name, file)
        if value is None or value != number:
            yield f"{row[0]}: {number} is stated, {name} in {file} is {value}"


def main():
    table, known = list(rows()), {}
    constants = sum(len(CONSTANT.findall(row[2])) for row in table if len(row) == 4)
    tapwriter.ok(len(table) >= LEAST and constants >= 15, "the rows are found",
                 f"{len(table)} rows, {constants} constants")
    tapwriter.none((" | ".join(row) for row in table if len(row) != 4 or not all(row)), "every row is whole")
    tapwriter.none((fault for row in table for fault in wrong(row)), "every value is that of its constant")
    tapwriter.none((test for row in table for test in unknown(row[-1], known)),
                   "every test of the table is there, and is run")
    tapwriter.done()


main()
