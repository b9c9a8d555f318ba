# SPDX-License-Identifier: Apache-2.0
"""Calls go one way: among the files of imdnstap/, of mmdnstapparse/ and of lib/, no two use each other's symbols.

Read from the compiled objects: who defines what, and who asks for it. Callbacks go the other way, by pointers.
"""
import glob
import os
import subprocess
import sys

SOURCE = os.environ.get("abs_top_srcdir") or \
    os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
BUILD = os.environ.get("abs_top_builddir") or os.path.join(SOURCE, "build")
sys.path.insert(0, os.path.join(SOURCE, "tests"))
import tapwriter

DIRECTORIES = ("imdnstap", "mmdnstapparse", "lib")


def uses(directory):
    """{file: {file whose symbols it uses: one of them}}"""
    defined, wanted = {}, {}
    for path in glob.glob(os.path.join(BUILD, directory, "*.o")) + \
            glob.glob(os.path.join(BUILD, directory, ".libs", "*.o")):
        name = os.path.basename(path).split("_la-")[-1][:-2]
        if not os.path.exists(os.path.join(SOURCE, directory, name + ".c")):
            continue  # left from a former build
        listing = subprocess.run(["nm", "-P", path], capture_output=True, text=True, check=True).stdout
        for symbol, kind in (line.split()[:2] for line in listing.splitlines()):
            if kind == "U":
                wanted.setdefault(name, set()).add(symbol)
            elif kind in "TDBR":
                defined[symbol] = name
    return {name: {defined[symbol]: symbol for symbol in sorted(symbols)
                   if defined.get(symbol, name) != name} for name, symbols in wanted.items()}


def circles(graph):
    """What is left when files that use none of the others, or that none uses, are taken away again and again."""
    left = set(graph)
    while True:
        used = {other for name in left for other in graph[name]}
        rest = {name for name in left if name in used and left & graph[name].keys()}
        if rest == left:
            break
        left = rest
    return (f"{name}.c uses {symbol} of {other}.c" for name in sorted(left)
            for other, symbol in sorted(graph[name].items()) if other in left)


def main():
    for directory in DIRECTORIES:
        graph = uses(directory)
        if not graph and directory == "mmdnstapparse":
            tapwriter.skip(f"{directory}: calls go one way", "built with rsyslog only")
            continue
        tapwriter.none(circles(graph) if graph else ["no object files"], f"{directory}: calls go one way")
    tapwriter.done()


if __name__ == "__main__":
    main()
