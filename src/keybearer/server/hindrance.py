"""Logs what hinders work that is done over and over: once when it begins, and once when it is over."""

from collections.abc import Iterator
from contextlib import contextmanager

from structlog.typing import FilteringBoundLogger


class Hindrance:
    """
    Remembers whether some work is hindered at present, so that the log says so once and not each time.

    Args:
        event: what the log says when it begins, and with "; that is over" behind it at its end.
    """

    def __init__(self, log: FilteringBoundLogger, event: str) -> None:
        self._log = log
        self._event = event
        self._is_met = False

    @contextmanager
    def outlived(self, expected: type[Exception]) -> Iterator[None]:
        """
        Let no fault of the block's work end what does it over and over: log it, and go on behind the block.

        Args:
            expected: what such work meets now and then; anything else is a fault of ours, logged with its traceback.
        """
        try:
            yield
        except expected as fault:
            self.meet(fault)
        except Exception as error:  # noqa: BLE001 - an edge: met once, it must not end this work for good
            self.meet(error, is_ours=True)
        else:
            self.overcome()

    def meet(self, fault: Exception, *, is_ours: bool = False) -> None:
        """Note that *fault* hindered the work; one of ours is told with its traceback."""
        if not self._is_met:
            self._log.warning(self._event, fault=type(fault).__name__, why=str(fault), exc_info=is_ours and fault)
        self._is_met = True

    def overcome(self) -> None:
        """Note that the work was done."""
        if self._is_met:
            self._log.info(f"{self._event}; that is over")
        self._is_met = False
