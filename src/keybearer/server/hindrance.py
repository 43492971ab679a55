"""Logs what hinders work that is done over and over: once when it begins, and once when it is over."""

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

    def meet(self, fault: Exception) -> None:
        """Note that *fault* hindered the work."""
        if not self._is_met:
            self._log.warning(self._event, fault=type(fault).__name__, why=str(fault))
        self._is_met = True

    def overcome(self) -> None:
        """Note that the work was done."""
        if self._is_met:
            self._log.info(f"{self._event}; that is over")
        self._is_met = False
