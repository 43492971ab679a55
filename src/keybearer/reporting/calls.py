"""A call that is being handled, as its record sees it."""

import time
from collections.abc import Callable, Mapping
from typing import Final

from keybearer.reporting.asked import route_of
from keybearer.reporting.lines import Outcome
from keybearer.reporting.salts import salts
from keybearer.wire.activity import latency_class, words_text
from keybearer.wire.activity_keys import JUDGES

_REFUSED: Final = (401, 403, 429)
_FAILED: Final = 500  # and above


class Call:
    """
    A call that is being handled.

    Args:
        keep: keeps an outcome, and returns how much was appended by then.
        number: in the life of the process; None: it could not be recorded, and is served all the same.
    """

    __slots__ = ("_began", "_keep", "_said", "action", "is_over", "number", "reason")

    def __init__(self, keep: Callable[[Outcome], int], number: int | None) -> None:
        self.number = number
        self.action: str | None = None
        self.reason: str | None = None
        self.is_over = False
        """Whether what became of it is kept, or was to be."""
        self._keep = keep
        self._began = time.perf_counter()
        self._said: dict[str, str | int] = {}

    def record(self, action: str, words: Mapping[str, str | int]) -> None:
        """
        Add what the API did: the first action names the record, the words of later ones stand under their action.

        Raises:
            ValueError: an action is not ``noun.verb``, or a word neither text nor a whole number, or it is too much.
        """
        JUDGES["action"](action)
        said = words if self.action is None else {f"{action}.{name}": value for name, value in words.items()}
        words_text({**self._said, **said})
        self._said.update(said)
        self.action = self.action or action

    def tell(self, words: Mapping[str, str | int]) -> None:
        """Add *words* that are no action's; whoever calls this sees to it that a record can have them."""
        self._said.update(words)

    def answered(self, status: int | None, route: str | None = None, reason: str | None = None) -> int:
        """
        Keep what it is answered, as `finish` does.

        Args:
            status: of the answer; None: it broke before there was one.
            reason: why it is refused, if *status* says that it is.
        """
        if status is None or status >= _FAILED:
            return self.finish("failed", status, route)
        if status in _REFUSED:
            return self.finish("refused", status, route, reason)
        return self.finish("done", status, route)

    def finish(
        self, outcome: str, status: int | None = None, route: str | None = None, reason: str | None = None
    ) -> int:
        """
        Keep what became of it, once.

        Returns:
            What `Reporter.kept` waits for.

        Raises:
            Unwritable: it is not kept.
        """
        if self.is_over or self.number is None:
            return 0
        self.is_over = True
        words = words_text(self._said) if self._said else None
        salt = None if words is None else salts(1)
        ms = latency_class((time.perf_counter() - self._began) * 1_000)
        return self._keep(Outcome(self.number, outcome, reason, route_of(route), status, ms, self.action, words, salt))
