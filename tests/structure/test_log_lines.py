# SPDX-License-Identifier: Apache-2.0
"""Every line that the modules can log is in doc/troubleshooting.md or doc/faults.md.

Of each format string the beginning of the longest piece between conversions must be there, if it
is long enough to tell something. Found by the names of the functions that log, or that make part of a line.
"""
import glob
import os
import re
import sys

SOURCE = os.environ.get("abs_top_srcdir") or \
    os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
sys.path.insert(0, os.path.join(SOURCE, "tests"))
import tapwriter

CALL = re.compile(r"\b(?:source_log(?:_peer)?|parser_errmsg|LogError|LogMsg|\w*notice|fail|snprintf)\s*\(")
LITERAL = re.compile(r'"(?:[^"\\]|\\.)*"(?:\s|PRI\w+|"(?:[^"\\]|\\.)*")*')
CONVERSION = re.compile(r"%[-+ #0]*[\d*]*(?:\.[\d*]+)?(?:hh|h|ll|l|z|j)?[a-zA-Z]?")
SHORTEST = 10  # characters; "%s refused: %s" tells nothing that its parts do not
LONGEST = 40
COMMENT_OR_STRING = re.compile(r'"(?:[^"\\]|\\.)*"|/\*.*?\*/', re.S)
NO_LINES = ("files_state.c",)  # writes a file that has a head line
NEVER = ("unknown error",)  # behind a switch that is complete


def arguments(text, at):
    """From behind an opening parenthesis to its closing one. Ends: each turn takes a character."""
    begin, depth, quoted = at, 1, False
    while depth and at < len(text):
        if text[at] == "\\":
            at += 1
        elif text[at] == '"':
            quoted = not quoted
        elif not quoted:
            depth += {"(": 1, ")": -1}.get(text[at], 0)
        at += 1
    return text[begin:at - 1]


def literals(text):
    for match in LITERAL.finditer(text):
        parts = re.findall(r'"((?:[^"\\]|\\.)*)"', match.group())
        yield "".join(parts).replace('\\"', '"').replace("\\n", " ")


def lines_of(path):
    """What one file may say."""
    with open(path) as file:
        text = COMMENT_OR_STRING.sub(lambda m: m.group() if m.group()[0] == '"' else " ", file.read())
    for match in CALL.finditer(text):
        yield from literals(arguments(text, match.end()))
    for match in re.finditer(r'(?:return|#define \w+)\s+("(?:[^"\\]|\\.)* (?:[^"\\]|\\.)*")', text):
        yield from literals(match.group(1))


def piece(line):
    line = re.sub(r"^(imdnstap|mmdnstapparse): ", "", line)
    return max((part.strip(' :;,="') for part in CONVERSION.split(line)), key=len)[:LONGEST].strip()


def main():
    documented = ""
    for name in ("troubleshooting.md", "faults.md"):
        path = os.path.join(SOURCE, "doc", name)
        if os.path.exists(path):
            with open(path) as file:
                documented += re.sub(r"\s+", " ", file.read())
    found, missing = 0, []
    files = [path for directory in ("imdnstap", "mmdnstapparse", "glue")
             for path in sorted(glob.glob(os.path.join(SOURCE, directory, "*.c")))]
    files.append(os.path.join(SOURCE, "lib", "frame.c"))
    for path in files:
        for line in lines_of(path) if os.path.basename(path) not in NO_LINES else ():
            part = piece(line)
            if len(part) < SHORTEST or " " not in part or part in NEVER:
                continue
            found += 1
            if part not in documented:
                missing.append(f"{os.path.basename(path)}: {line}")
    tapwriter.ok(found >= 80, "the lines are found in the sources", f"{found} lines")
    tapwriter.none(missing, "every line is in the documentation")
    tapwriter.done()


main()
