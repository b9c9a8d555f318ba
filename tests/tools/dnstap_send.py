#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Plays a Frame Streams file into a unix socket as a DNS server would, and prints how many data
frames it held: READY, ACCEPT, START, the frames, STOP, FINISH.

Usage: dnstap_send.py SOCKET FILE
"""
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
import fstrm  # noqa: E402


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: dnstap_send.py SOCKET FILE")
    frames = fstrm.read_frames(sys.argv[2])
    fstrm.deliver(sys.argv[1], frames)
    print(len(frames))


main()
