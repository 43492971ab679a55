"""What can be said of a token without asking anybody: by its text, and by what a node said of it a moment ago."""

from dataclasses import dataclass
from typing import Final

from keybearer.wire.denial import Denial, Reason
from keybearer.wire.feed import Position
from keybearer.wire.token_text import BEARER_KINDS, parse

MOST_DENIALS: Final = 10_000
DENIAL_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a text must say of itself here: the provider's prefix, and the environment of the resource server."""

    prefix: str
    environment: str

    def fault_of(self, text: str) -> Denial | None:
        """Return why no node need be asked about this *text*; None: one must be."""
        parts = parse(text)
        if parts is None or parts.prefix != self.prefix:
            return Denial(Reason.MALFORMED)
        if parts.kind not in BEARER_KINDS:
            return Denial(Reason.WRONG_KIND, parts.last4)
        if parts.environment != self.environment:
            return Denial(Reason.WRONG_ENVIRONMENT, parts.last4)
        return None


def wanted_by(key: str) -> Wanted:
    """
    Return what a resource server's key says of the tokens that it is for.

    Raises:
        ValueError: it is no such key.
    """
    parts = parse(key)
    if parts is None or parts.kind != "rsk":
        raise ValueError("this is not a resource server's key, such as `keybearer resource-server add` prints")
    return Wanted(parts.prefix, parts.environment)


class RecentDenials:
    """
    What nodes have refused within the last second, so that a bad token in a loop does not become a loop of questions.

    Any event of the feed empties it: one may be about a token in it. No more is kept than *most*, whoever sends what.
    """

    def __init__(self, most: int = MOST_DENIALS, keep_s: float = DENIAL_S) -> None:
        self._most = most
        self._keep_s = keep_s
        self._position: Position | None = None
        self._kept: dict[bytes, tuple[Denial, float]] = {}

    def get(self, digest: bytes, position: Position, now: float) -> Denial | None:
        """
        Return why the token of this *digest* was refused a moment ago; None if it was not.

        Args:
            position: what the verifier has heard of the feed.
            now: seconds, BOOTTIME.
        """
        self._empty_unless(position)
        denial, until = self._kept.get(digest, (None, now))
        return denial if now < until else None

    def keep(self, digest: bytes, denial: Denial, asked_at: Position, position: Position, now: float) -> None:
        """
        Remember a refusal for a second.

        Args:
            asked_at: what the verifier had heard of the feed when it asked; if it has heard more by now, the refusal
                may be of a time before that, and is not kept.
            position: what it has heard now.
            now: seconds, BOOTTIME.
        """
        self._empty_unless(position)
        if asked_at != position:
            return
        self._kept.pop(digest, None)
        if len(self._kept) >= self._most:
            del self._kept[next(iter(self._kept))]
        self._kept[digest] = (denial, now + self._keep_s)

    def _empty_unless(self, position: Position) -> None:
        if position is not self._position:
            self._kept.clear()
            self._position = position
