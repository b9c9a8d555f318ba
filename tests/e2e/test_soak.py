# SPDX-License-Identifier: Apache-2.0
"""A short soak: soak.py for some seconds, everything that it checks.

Covers: every kind of fault of chaos.py beside BIND, Unbound and three producers that lose nothing;
a restart over a queue that lies on disk; HUPs that rotate; closed books of each listener, bounded log,
descriptors that come back. `make soak` is the long run.
"""
import tap
from soak import soak


@tap.timeout(180)
def test_soak(case):
    figures = soak(case, 16)
    assert figures["restarts"] >= 1 and figures["messages left in files at restarts"][0] > 0, figures


if __name__ == "__main__":
    tap.main()
