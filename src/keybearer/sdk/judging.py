"""What the text of a token alone can tell, without a question to a node."""

from dataclasses import dataclass

from keybearer.wire.denial import Denial, Reason
from keybearer.wire.token_text import BEARER_KINDS, parse


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


def wanted_by(key: str | None) -> Wanted:
    """
    Return what a resource server's key says of the tokens that it is for.

    Args:
        key: as it was set, by somebody's environment mostly; None: it was not.

    Raises:
        ValueError: it is no such key.
    """
    if not key:
        raise ValueError("the resource server's key is not set: it is what `keybearer resource-server add` prints")
    parts = parse(key)
    if parts is None or parts.kind != "rsk":
        raise ValueError(
            "this is not a resource server's key, such as `keybearer resource-server add` prints: see that all of it "
            "is there, and nothing beside it, not even a line break"
        )
    return Wanted(parts.prefix, parts.environment)
