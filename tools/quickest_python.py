"""
`quickest_python.py FIRST`: print the quickest Python in PATH that is new enough and can make virtual environments.

Versions matter less than how a Python was built: without profile-guided optimisation everything takes half as long
again. FIRST is kept unless another does the same work in less than four fifths of its time.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

_NAMES = ("python3", "python3.14", "python3.13", "python3.12", "python3.11")
_WORTH_IT = 0.8
_ROUNDS = 5  # spread over a second, since other work on the machine makes a moment slow
_PATIENCE_S = 10
_PROBE = """
import sys, time, venv, ensurepip

def work():
    began, kept = time.process_time(), {}
    for i in range(3000):
        kept[str(i)] = (i, "x")
    return time.process_time() - began

if sys.version_info < (3, 11):
    sys.exit("too old")
print(min(work() for _ in range(20)))
"""


def main() -> None:
    """Print its path."""
    first = sys.argv[1]
    times = {first: float("inf")}
    candidates = [first, *_others(first)]
    for _ in range(_ROUNDS):
        candidates = [each for each in candidates if _has_worked(each, times)]
    quickest = min(times, key=times.__getitem__)
    print(quickest if times[quickest] < _WORTH_IT * times[first] else first)


def _others(first: str) -> Iterator[str]:
    """Give each Python in PATH once, however many names lead to it."""
    known = {os.path.realpath(first)}
    for folder in os.get_exec_path():
        for name in _NAMES:
            path = str(Path(folder, name))
            if os.access(path, os.X_OK) and os.path.realpath(path) not in known:
                known.add(os.path.realpath(path))
                yield path


def _has_worked(python: str, times: dict[str, float]) -> bool:
    """Note the least time in seconds that this Python has taken; False if it does not do."""
    try:
        ran = subprocess.run([python, "-c", _PROBE], capture_output=True, check=True, timeout=_PATIENCE_S)
    except (OSError, subprocess.SubprocessError):
        return False
    times[python] = min(float(ran.stdout), times.get(python, float("inf")))
    return True


if __name__ == "__main__":
    main()
