"""Shows on stderr how far a long command is."""

import sys
from types import TracebackType
from typing import Self


class Progress:
    """
    Shows how much is done, where stderr is a terminal.

    Args:
        what: what is being done, such as ``verified``.
        total: how much there is to do; 0 if that is not known.
    """

    def __init__(self, what: str, total: int = 0) -> None:
        self._what, self._total, self._done, self._shown = what, total, 0, ""
        self._is_watched = sys.stderr.isatty()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._shown:
            print(file=sys.stderr)

    def advance(self, by: int) -> None:
        """Add to what is done."""
        self._done += by
        if self._is_watched:
            self._show(f"{self._done * 100 // self._total} %" if self._total else f"{self._done:,}")

    def _show(self, how_far: str) -> None:
        if how_far != self._shown:
            self._shown = how_far
            print(f"\r{self._what} {how_far}", end="", file=sys.stderr, flush=True)
