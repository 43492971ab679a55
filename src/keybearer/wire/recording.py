"""Adds an API's own words to the record of the call that is being handled."""

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Final, Protocol


class Recording(Protocol):
    """A call that is being recorded."""

    def record(self, action: str, words: Mapping[str, str | int]) -> None:
        """Add what the API did, or raise `ValueError`."""


CURRENT: Final[ContextVar[Recording | None]] = ContextVar("keybearer_recording", default=None)


def add(action: str, words: Mapping[str, str | int]) -> None:
    """
    Add to the record of the call that this context handles; nothing happens where none is recorded.

    Raises:
        ValueError: the action or a word is not as the log has them, or it is too much.
    """
    recording = CURRENT.get()
    if recording is not None:
        recording.record(action, words)
