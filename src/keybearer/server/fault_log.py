"""Logs the faults of work that is done over and over: once when they begin, and once when they are over."""

from collections.abc import Iterator
from contextlib import contextmanager

from structlog.typing import FilteringBoundLogger


class FaultLog:
    """
    Remembers with which kind of fault some work fails at present, so that the log says so once and not each time.

    Args:
        event: what the log says when it begins, and with "; that is over" behind it at its end.
    """

    def __init__(self, log: FilteringBoundLogger, event: str) -> None:
        self._log = log
        self._event = event
        self._kind = ""

    @contextmanager
    def surviving(self, *expected: type[Exception]) -> Iterator[None]:
        """
        Let no fault of the block's work end what does it over and over: log it, and go on behind the block.

        Args:
            expected: what such work meets now and then; anything else is a fault of ours, logged with its traceback.
        """
        try:
            yield
        except expected as fault:
            self.failed(fault)
        except Exception as error:  # noqa: BLE001 - an edge: met once, it must not end this work for good
            self.failed(error, is_ours=True)
        else:
            self.recovered()

    def failed(self, fault: Exception, *, is_ours: bool = False) -> None:
        """Note that the work failed with *fault*; one of ours is told with its traceback."""
        kind = type(fault).__name__
        if kind != self._kind:
            self._log.warning(self._event, fault=kind, why=str(fault), exc_info=is_ours and fault)
        self._kind = kind

    def recovered(self) -> None:
        """Note that the work was done."""
        if self._kind:
            self._log.info(f"{self._event}; that is over")
        self._kind = ""
