"""How a person narrows a token of their own."""

from keybearer.server import refusals


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
