"""`make simulate SEEDS=100000`: so many worlds, on all processors; a violation of the bound is told with its seed."""

import argparse
import os
import sys
from concurrent.futures import ProcessPoolExecutor

from tests.faults.simulation.run import BOUND_S, Minute, parts_of, run_minute


def main() -> int:
    """Run the worlds; 1 if the bound was broken in any."""
    parser = argparse.ArgumentParser(prog="make simulate", description=__doc__)
    parser.add_argument("--seeds", type=int, default=10_000, help="how many worlds")
    parser.add_argument("--first", type=int, default=0, help="the first one's seed")
    asked = parser.parse_args()
    seeds = range(asked.first, asked.first + asked.seeds)
    calls = broken = 0
    with ProcessPoolExecutor(os.cpu_count()) as processes:
        for number, minute in enumerate(processes.map(_minute, seeds, chunksize=10), 1):
            calls += len(minute.accepted)
            broken += bool(minute.violations)
            for acceptance in minute.violations:
                print(
                    f"seed {minute.seed}: accepted {acceptance.late_s:.2f} s after the commit (bound {BOUND_S:.2f} s)"
                )
            if number % 500 == 0 or number == asked.seeds:
                print(f"{number} worlds, {calls} calls let through, {broken} worlds broke the bound", flush=True)
    return 1 if broken else 0


def _minute(seed: int) -> Minute:
    return run_minute(seed, parts_of(seed))


if __name__ == "__main__":
    sys.exit(main())
