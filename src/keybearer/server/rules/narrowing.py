"""How far a token is narrowed below its user's role: as an app asks for it by scope, or as a person ticks it."""

from keybearer.server import refusals


def narrowing_of(scope: str, names: frozenset[str]) -> tuple[str, str] | frozenset[str]:
    """
    Read a ``scope``: ``("none", "")`` for an empty one, ``("scope", "a b")`` sorted, or the set of unknown words.

    Absent and empty mean "follows my role": a word of its own, never an empty list.

    Source: RFC 6749 §3.3; the reference's clients that send an empty ``scope=``.
    """
    words = frozenset(scope.split(" ")) - {""}
    if unknown := words - names:
        return unknown
    return ("scope", " ".join(sorted(words))) if words else ("none", "")


def chosen_narrowing(choice: str, ticked: tuple[str, ...], allowed: frozenset[str]) -> tuple[str, str]:
    """
    Return how a token is narrowed: ``("none", "")`` or ``("scope", "a b")``, sorted.

    Nothing ticked never means everything, and what is ticked is never ignored.

    Args:
        choice: ``none`` or ``scope``; '' is ``none``.
        ticked: permission names.
        allowed: what the person's role allows now.

    Raises:
        Refusal: ``invalid``, field ``narrowing`` or ``permissions``.
    """
    if choice not in {"", "none", "scope"}:
        raise refusals.invalid("narrowing", "Choose what the token may do.", "narrowing unknown")
    if choice != "scope":
        if ticked:
            public = "You ticked permissions, but chose that the token follows your role. Choose one of the two."
            raise refusals.invalid("narrowing", public)
        return "none", ""
    if not ticked:
        raise refusals.invalid("permissions", "Tick at least one permission, or let the token follow your role.")
    if beyond := sorted(set(ticked) - allowed):
        public = "Your role does not allow everything that is ticked. Tick only what is offered."
        raise refusals.invalid("permissions", public, f"beyond the role: {len(beyond)}")
    return "scope", " ".join(sorted(set(ticked)))
