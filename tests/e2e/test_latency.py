# SPDX-License-Identifier: Apache-2.0
"""A DNS server answers as fast when the receiver of its frames stands still: latency.py, shortly.

The bounds are those of a crowded machine: every query is answered, and the median stays near that of
a server without dnstap. Measured figures are in doc/reliability.md.
"""
import statistics

import tap
from latency import VARIANTS, measure


@tap.timeout(180)
def test_latency_with_a_stalled_sink(case):
    results = measure(case, rounds=2, seconds=1, rate=1000)
    for variant, row in results.items():
        tap.comment(f"{variant}: {row['sent']} sent, {row['answered']} answered, "
                    f"{statistics.median(row['p50']):.3f} ms at the median")
        assert row["sent"] == row["answered"] > 500, f"{variant}: {row}"
    without, stalled = (statistics.median(results[v]["p50"]) for v in (VARIANTS[0], VARIANTS[2]))
    assert stalled < 10 * without + 5, f"{without} ms without dnstap, {stalled} ms with a stalled sink"


if __name__ == "__main__":
    tap.main()
