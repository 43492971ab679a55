"""The requests that this process has answered, counted out of what their lines in the log say."""

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from keybearer.server.histogram import Histogram
from keybearer.server.store.faults import OutcomeUnknown, StoreUnavailable
from keybearer.wire.denial import Reason

BOUNDS_S: Final = (0.001, 0.005, 0.025, 0.1, 0.5, 1.0, 2.5, 10.0)
ISSUED: Final = "issued"
FAILED: Final = "failed"
_OTHER: Final = "other"
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", _OTHER})
_FAULTS: Final = (StoreUnavailable.__name__, OutcomeUnknown.__name__)
_REFUSED: Final = 400


class Answered:
    """What the application has answered at one route: how often with which status, and how long that took."""

    __slots__ = ("seconds", "statuses")

    def __init__(self) -> None:
        self.statuses: Counter[int] = Counter()
        self.seconds = Histogram(BOUNDS_S)


class _ByRoute(dict[tuple[str, str], Answered]):
    """What was answered, by method and route; methods that HTTP does not know, of which there is no end, as one."""

    def __missing__(self, asked: tuple[str, str]) -> Answered:
        if asked[0] not in _METHODS:
            return self[_OTHER, asked[1]]
        answered = self[asked] = Answered()
        return answered


class Requests:
    """
    Counts by routes' patterns and words of ours, never by anything that was sent.

    What is known to be possible begins at 0, so that its first time shows as a rise, too.

    Attributes:
        answered: by the application, by method and route.
        hits: answered below it, by method and route; all of them with 200.
        refusals: by the refusal's code.
        denials: tokens that were not accepted, by the reason.
        faults: requests that the store could not serve, by the fault's name.
        token_requests: to the token endpoint, by grant type and outcome: `ISSUED`, a refusal's code, or `FAILED`.
    """

    def __init__(self) -> None:
        self.answered = _ByRoute()
        self.hits: Counter[tuple[str, str]] = Counter()
        self.refusals: Counter[str] = Counter()
        self.denials: Counter[str] = Counter(dict.fromkeys(Reason, 0))
        self.faults: Counter[str] = Counter(dict.fromkeys(_FAULTS, 0))
        self.token_requests: Counter[tuple[str, str]] = Counter()

    def note(self, asked: tuple[str, str], status: int, seconds: float, noted: Mapping[str, Any]) -> None:
        """
        Count a request that the application has answered.

        Args:
            asked: its method, and its route's pattern.
            noted: what its line in the log says beside.
        """
        answered = self.answered[asked]
        answered.statuses[status] += 1
        answered.seconds.add(seconds)
        if noted:
            self._note_more(status, noted)

    def _note_more(self, status: int, noted: Mapping[str, Any]) -> None:
        refused = noted.get("refused")
        if refused is not None:
            self.refusals[refused] += 1
        if "denied" in noted:
            self.denials[noted["denied"]] += 1
        if "fault" in noted:
            self.faults[noted["fault"]] += 1
        if "grant_type" in noted:
            self.token_requests[noted["grant_type"], refused or (ISSUED if status < _REFUSED else FAILED)] += 1
